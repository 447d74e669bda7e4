// One step view: its state and keys, and the way in from the page's loader.

const PACE = 1100;
const OWN_KEYS = 'input, select, textarea, canvas, [data-keys]';

/** What is shown, and what can be asked about it. Parts read it; only goto, setFrame and their like change it. */
function createState(payload, app) {
  const { steps, nodes, frames } = payload;
  const unpacked = new Map();
  const arrivals = nodes.map(() => []);
  steps.forEach((step, k) => {
    if (step.phase === 'backward' || step.phase === 'seed') arrivals[step.target].push(k);
  });
  const state = {
    payload, step: 0, frame: frames ? frames.length - 1 : 0, quiz: false,
    granularity: payload.granularity,
    breakpoints: new Set(payload.breakpoints), opened: new Set(), answered: new Set(),
    array(i) {
      if (i == null) return null;
      const key = `${state.frame} ${i}`;
      const { arrays } = frames ? frames[state.frame] : payload;
      if (!unpacked.has(key)) unpacked.set(key, unpack(arrays[i], payload, state.array));
      return unpacked.get(key);
    },
    /** Step k as it is in the frame shown. */
    stepAt: (k) => (frames ? frames[state.frame] : payload).steps[k],
    current: () => state.stepAt(state.step),
    /** The box that acts. */
    acting: () => nodes[state.current().node].box,
    /** Where the value of node n is in the table of arrays. */
    valueOf: (n) => (frames && frames[state.frame].values[n]) ?? nodes[n].value,
    gradientOf(n, k) {
      const arrived = arrivals[n].filter((at) => at <= k).pop();
      if (arrived === undefined) return { state: 'none', part: '', array: null };
      const { part, after, contribution } = steps[arrived];
      const [count, all] = part && part[1] ? part : [1, 1];
      const array = after != null ? after : contribution;
      return { state: count < all ? 'partial' : 'final', part: [count, all], array };
    },
    /** The steps at which the chosen granularity stops. */
    stops: () => payload.stops[state.granularity],
    /** The steps that are taken together with step k. */
    around(k) {
      const stops = state.stops();
      const at = stops.findIndex((stop) => stop >= k);
      const first = at ? stops[at - 1] + 1 : 0;
      return Array.from({ length: stops[at] + 1 - first }, (_, i) => first + i);
    },
    /** What the line or layer that step k is in computes, or sends to each of its inputs; null where it is not shown as one. */
    whole(k = state.step) {
      if (!['layer', 'line'].includes(state.granularity)) return null;
      const here = state.around(k);
      const i = payload.spans.indexOf(`${here[0]},${here[here.length - 1]}`);
      return i < 0 ? null : (frames ? frames[state.frame] : payload).units[i];
    },
    /** What is shown of the step, or of the whole that ends there. */
    main() {
      return (state.whole() || []).find(({ k }) => k === state.step) || state.current();
    },
    /** Whether the stop at step k ends a stretch that holds a breakpoint. */
    broken: (k) => [...state.breakpoints].some((at) => state.stops().find((stop) => stop >= at) === k),
    place: () => state.stops().indexOf(state.step),
    /** The steps shown together: one, or all of an operation, a line, a layer. */
    members: () => state.around(state.step),
    /** The numbers of the steps shown together, as Python counts them: "7", "7–8". */
    numbered() {
      const here = state.members();
      return here.length > 1 ? `${here[0]}–${here[here.length - 1]}` : String(here[0]);
    },
    /** What the steps shown do: "z", "x, W ← z". */
    titled() {
      const here = state.whole() || state.members().map((k) => steps[k]);
      const names = [...new Set(here.map(({ target }) => nodes[target].name))];
      return here.length > 1 ? `${names.join(', ')} ← ${nodes[here[0].node].name}` : here[0].title;
    },
    /** Whether the quiz is waiting for the result of this step. */
    covered: () => state.quiz && state.current().phase !== 'start' && !state.answered.has(state.step),
    /** What the quiz keeps covered in the graph: "value 7", "gradient 3". */
    answers() {
      if (!state.covered()) return new Set();
      const kind = state.current().phase === 'forward' ? 'value' : 'gradient';
      return new Set(state.members().map((k) => `${kind} ${steps[k].target}`));
    },
    /** Where a click on a box leads: its step in the half being shown, or, if that is shown, in the other half. */
    stepOf(box) {
      const ahead = nodes[box.shown].first;
      const back = steps.findIndex((step) => step.phase === 'backward' && box.nodes.includes(step.node));
      const behind = back >= 0 ? back : arrivals[box.shown][arrivals[box.shown].length - 1];
      if (behind === undefined) return ahead;
      const inBackward = ['backward', 'seed'].includes(state.current().phase);
      const here = state.members();
      if (inBackward) return here.includes(behind) ? ahead : behind;
      return here.includes(ahead) ? behind : ahead;
    },
    /** Counts payloads: what was made of the last one is to be made again. */
    version: 0,
    renew() {
      state.version += 1;
      unpacked.clear();
    },
    calm: () => window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    say: (text) => say(app, text),
  };
  return state;
}

/** Builds the step view in the host's shadow root. */
function mount(host, payload) {
  const root = host.shadowRoot || host.attachShadow({ mode: 'open' });
  const app = h('div', { class: 'app', tabindex: -1, role: 'group', 'aria-label': `Step view of ${payload.title}` });
  const state = Object.assign(createState(payload, app), { wholePage: 'wholePage' in host.dataset });
  app.classList.toggle('whole', state.wholePage);
  const parts = [controls(state), figure(state), panel(state), strip(state)];
  const [bar, , text, tape] = parts;
  const help = legend(state);
  const print = onPaper(state);
  if (state.wholePage) bar.element.append(leaving(state, print));
  bar.element.append(help.button);
  toolbar(bar.element, 'Steps')(bar.element.querySelector('.next'));
  const table = ledger(state);
  let playing = null;

  Object.assign(state, {
    highlight: (...marked) => parts[1].highlight(...marked),
    panel: text.element,
    view: parts[1].view,
    units: parts[1].units,
    help: help.toggle,
    changed: () => told(),
    /** Shows step k to those who only look: nobody is told. */
    look(k) {
      state.step = k;
      app.classList.toggle('hiding', state.answers().size > 0);
      parts.forEach((part) => part.update());
    },
    refresh() {
      const focused = root.activeElement;
      state.look(state.step);
      // keys go on working where what had the focus is no longer there
      if (focused && !focused.isConnected) app.focus({ preventScroll: true });
    },
    goto(k) {
      const wanted = Math.max(0, Math.min(payload.steps.length - 1, Math.round(Number(k)) || 0));
      state.step = state.stops().find((stop) => stop >= wanted);
      state.refresh();
      announce();
      told();
    },
    move(by) {
      const stops = state.stops();
      state.goto(stops[Math.max(0, Math.min(stops.length - 1, stops.indexOf(state.step) + by))]);
    },
    /** To the next breakpoint, or the next step that is in another layer or pass. */
    leap(by) {
      const stops = state.stops();
      const region = (k) => `${payload.steps[k].phase} ${payload.nodes[payload.steps[k].node].layer}`;
      let at = stops.indexOf(state.step);
      const from = region(state.step);
      do at += by; while (at > 0 && at < stops.length - 1 && !state.broken(stops[at]) && region(stops[at]) === from);
      state.goto(stops[Math.max(0, Math.min(stops.length - 1, at))]);
    },
    play(on = playing === null) {
      clearInterval(playing);
      if (on && state.step === payload.steps.length - 1) state.goto(0);
      playing = on ? setInterval(() => {
        if (!host.isConnected) return state.play(false);
        state.move(1);
        if (state.step === payload.steps.length - 1 || state.broken(state.step)) state.play(false);
      }, PACE) : null;
      bar.playing(on);
    },
    setFrame(i) {
      if (!payload.frames) return;
      state.frame = Math.max(0, Math.min(payload.frames.length - 1, i));
      tape.rescale();
      table.refill();
      state.refresh();
      announce();
    },
    setGranularity(kind) {
      state.granularity = kind;
      state.goto(state.step);
    },
    setQuiz(on) {
      state.quiz = on;
      tape.rescale();
      state.refresh();
      announce();
    },
    toggleBreakpoint(k) {
      const here = state.around(k).filter((at) => state.breakpoints.has(at));
      for (const at of here) state.breakpoints.delete(at);
      if (!here.length) state.breakpoints.add(k);
      state.refresh();
    },
  });

  const told = () => {
    host.dispatchEvent(new CustomEvent('tracegrad:step', { bubbles: true, detail: { step: state.step, open: state.unfolded } }));
  };

  function announce() {
    const here = state.main();
    const frame = payload.frames ? `${payload.frames[state.frame].label}. ` : '';
    const result = (state.whole() || [here]).map(({ formula }) => (formula ? `${formula.plain}. ` : '')).join('');
    const place = `Step ${state.numbered()} of ${payload.steps.length - 1}. ${state.titled()}. `;
    state.say(frame + place + (state.covered() ? '' : result + here.sentence));
  }

  app.append(
    bar.element,
    h('div', { class: 'middle' }, parts[1].element, text.element),
    tape.element,
    table.element,
    help.element,
    h('div', { class: 'live', 'aria-live': 'polite', role: 'status' }),
    h('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' }));
  root.replaceChildren(h('style', {}, STYLE), app);
  const shape = shapeOf(payload);
  /**
   * The same computation with other numbers: everything stays where it is, but for boxes that need other room. Says whether
   * it was the same one.
   */
  const renew = (fresh) => {
    if (shapeOf(fresh) !== shape) return false;
    const [pane, scrolled] = [text.element, text.element.scrollTop];
    const [old, place] = [parts[1], state.view.place()];
    const redrawn = payload.stage.svg !== fresh.stage.svg;
    renewed(payload, fresh);
    state.renew();
    if (redrawn) {
      parts[1] = figure(state);
      Object.assign(state, { view: parts[1].view, units: parts[1].units });
      if (old.element.contains(root.activeElement)) app.focus({ preventScroll: true });
      old.element.replaceWith(parts[1].element);
    }
    tape.rescale();
    table.refill();
    state.refresh();
    pane.scrollTop = scrolled;
    if (redrawn) state.view.put(place);
    return true;
  };
  const act = listen(app, state, bar);
  if (state.wholePage) listenEverywhere(act);
  followTheme(app);
  tape.rescale();
  state.goto(payload.open);
  state.view.readable(false);
  if (state.wholePage && document.querySelectorAll('[data-tracegrad]').length === 1) followAddress(state, host);
  host.tracegrad = { goto: state.goto, setFrame: state.setFrame, get step() { return state.step; }, renew, state };
}

/** What a page is built from, besides numbers. */
function shapeOf({ stage, steps, nodes, layers, watch }) {
  return JSON.stringify([stage.boxes, stage.edges, layers, watch, steps.map(({ phase, op, node, target }) => [phase, op, node, target]),
    nodes.map(({ name, grad, kind, shape, box }) => [name, grad, kind, shape, box])]);
}

/** Puts the numbers of another payload into one that the parts of a page hold. */
function renewed(payload, fresh) {
  const refill = (old, other) => {
    for (const name of Object.keys(old)) if (!(name in other)) delete old[name];
    Object.assign(old, other);
  };
  payload.steps.forEach((step, k) => refill(step, fresh.steps[k]));
  payload.nodes.forEach((node, n) => refill(node, fresh.nodes[n]));
  const { steps, nodes, layers, open, breakpoints, granularity, ...others } = fresh;
  Object.assign(payload, others);
}

/** In a page that is one step view, keys act at once: also while nothing has the focus. */
function listenEverywhere(act) {
  document.addEventListener('keydown', (event) => {
    const alone = document.querySelectorAll('[data-tracegrad]').length === 1;
    if (alone && [document.body, document.documentElement].includes(event.target)) act(event);
  });
}

/** Keys act while the focus is inside, and none of them leaves the step view: a notebook has its own. */
function listen(app, state, bar) {
  const { payload } = state;
  const keys = {
    ArrowLeft: () => state.move(-1), ArrowRight: () => state.move(1), Home: () => state.goto(0),
    End: () => state.goto(payload.steps.length - 1), ' ': () => state.play(), '/': () => bar.search(),
    b: () => state.toggleBreakpoint(state.step), '?': () => state.help(), ...keysOf(state),
  };
  const leaps = { ArrowLeft: -1, ArrowRight: 1 };
  const onKey = (event) => {
    event.stopPropagation();
    if (event.type !== 'keydown' || event.ctrlKey || event.metaKey || event.altKey) return;
    const own = event.key === ' ' ? `${OWN_KEYS}, button, summary` : OWN_KEYS;
    // the slider keeps its own arrows; it has no use for Space, or for Shift
    const spare = event.target.type === 'range' && (event.key === ' ' || event.shiftKey);
    if (event.target.closest(own) && !spare) return;
    // what is wider than its room scrolls by the arrows
    const { scrollWidth, clientWidth } = event.target;
    if (app.contains(event.target) && event.target !== app && scrollWidth > clientWidth && leaps[event.key] && !event.shiftKey) return;
    const act = event.shiftKey && leaps[event.key] ? () => state.leap(leaps[event.key]) : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act(event.target);
  };
  for (const type of ['keydown', 'keyup', 'keypress']) app.addEventListener(type, onKey);
  const stop = (event) => event.target.closest('.pane, .panel, .tape, button') || app.focus({ preventScroll: true });
  app.addEventListener('pointerdown', stop);
  return onKey;
}

/** The loader's way in: a host, and the bytes of its payload. */
function open(host, bytes) {
  if (!host.shadowRoot) mount(host, decode(bytes));
}

/** Other numbers for a host. Where it is another computation it is built anew, at the step and in the way it was. */
function update(host, bytes) {
  const payload = decode(bytes);
  if (host.tracegrad.renew(payload)) return;
  const { step, granularity, opened } = host.tracegrad.state;
  mount(host, { ...payload, granularity, open: step });
  for (const title of opened) host.tracegrad.state.opened.add(title);
  host.tracegrad.state.refresh();
}

const kit = { h, s, number, heatmap, describe, position, shapeText, followTheme, STYLE };
window.tracegradStep = { version: VERSION, open, update, kit };
