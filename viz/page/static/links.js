// Links from names to steps: where a value is made, where a gradient is complete and what it is the sum of.

/** The step at which a value is made, or a gradient complete; −1 where there is none. */
function originOf({ payload: { nodes, steps } }, kind, n) {
  if (kind !== 'gradient') return nodes[n].first;
  return steps.findLastIndex(({ phase, target }) => target === n && (phase === 'backward' || phase === 'seed'));
}

/** Goes to a step; where several are shown together, to its place among them. */
function goThere(state, k) {
  state.sought = k;
  state.goto(k);
}

/** A name that leads to a step: a button, or what makes one of an element that is given. */
function link(state, k, content, { element = h('button', { type: 'button' }, content), label } = {}) {
  const go = (event) => {
    event.stopPropagation();
    event.preventDefault();
    goThere(state, k);
  };
  element.classList.add('link');
  element.setAttribute('tabindex', -1);
  element.setAttribute('aria-label', label || `${element.textContent}, step ${k}`);
  if (element.localName !== 'button') element.setAttribute('role', 'link');
  else element.title = `step ${k}`;
  element.addEventListener('click', go);
  element.addEventListener('keydown', (event) => ['Enter', ' '].includes(event.key) && go(event));
  return element;
}

/** The link of a node's value or gradient; its name alone where no step has it. */
function nameLink(state, kind, n) {
  const node = state.payload.nodes[n];
  const k = originOf(state, kind, n);
  const name = kind === 'gradient' ? node.grad : node.name;
  return k < 0 ? name : link(state, k, name, { label: `${name}, ${kind === 'gradient' ? 'complete' : 'made'} at step ${k}` });
}

/** One tab stop for all links and small buttons in a part: the arrow keys go from one to the next. */
function roving(part) {
  const items = () => [...part.querySelectorAll('.link, .copy button')];
  if (part.onestop) part.onestop(items()[0]);
  else (part.onestop = oneStop(part, items, { across: true }))(items()[0]);
  return part;
}

/** Makes links of the symbols of a formula, and of what it gives. */
function linkSymbols(state, math, symbols) {
  for (const place of math.querySelectorAll('[data-symbol]')) {
    const { node, kind } = symbols[Number(place.getAttribute('data-symbol'))] || {};
    if (node != null) linkPlace(state, place, kind, node);
  }
}

function linkPlace(state, element, kind, n) {
  const [k, node] = [originOf(state, kind, n), state.payload.nodes[n]];
  if (k < 0) return;
  const said = kind === 'gradient' ? `${node.grad}, complete at step ${k}` : `${node.name}, ${k ? 'made at step' : 'given, step'} ${k}`;
  link(state, k, null, { element, label: said });
}

/** "∂L/∂h is the sum of 14: from a, 17: from b; it goes on at 20: to x": each a link to its step. */
function sumOf(state, step) {
  const { payload: { nodes, steps } } = state;
  const target = nodes[step.target];
  const [arrivals, uses] = [[], []];
  steps.forEach((one, k) => {
    if (one.phase !== 'backward' || (one.target !== step.target && one.node !== step.target)) return;
    // of a line or layer, what it sends as a whole
    const whole = state.whole(k);
    const around = state.around(k);
    const [first, last] = [around[0], around[around.length - 1]];
    const [list, of] = one.target === step.target ? [arrivals, whole && whole.find(({ target }) => target === step.target)] : [uses, whole && whole[0]];
    const at = whole ? last : k;
    if (of !== undefined && !list.some((known) => known.k === at)) {
      list.push({ k: at, steps: whole && first < last ? `${first}–${last}` : at, one: of || one, to: (whole || [one]).map(({ target }) => nodes[target].name).join(', ') });
    }
  });
  const here = step.phase === 'seed' ? [] : arrivals;
  const members = state.members();
  const sent = ({ k, one }) => {
    const array = state.array(one.contribution);
    return k > state.step || !array ? '' : array.size === 1 && array.data ? ` ${number(array.data[0])}` : ` ${sizeOf(array)}`;
  };
  const look = (k) => (members.includes(k) ? 'here' : k > state.step ? 'ahead' : '');
  const item = ({ k, steps }, text) => numbered(state, k, text, look(k), steps);
  const spread = (list, say) => list.length > 12
    ? [...list.slice(0, 8).map(say), h('span', {}, `… ${list.length - 11} more …`), ...list.slice(-3).map(say)] : list.map(say);
  const parts = [];
  if (here.length > 1) {
    parts.push(`${target.grad} is the sum of`, ...spread(here, (at) => item(at, `from ${nodes[at.one.node].name}${sent(at)}`)));
  }
  if (uses.length) {
    parts.push(`${here.length > 1 ? 'It' : target.grad} goes on at`, ...spread(uses, (at) => item(at, `to ${at.to}`)));
  }
  return parts.length ? roving(h('p', { class: 'links' }, parts)) : null;
}

/** A link with the number of its step, or of its first and last, before its text. */
function numbered(state, k, text, look = '', steps = k) {
  return link(state, k, null, { element: h('button', { type: 'button', class: look }, h('b', {}, String(steps)), ` ${text}`) });
}

/** Where NaN or Inf came from, or what it was handed on to. */
function wrongLine(state, step, k) {
  if (!step.alarm && !step.inherits) return null;
  const parts = [];
  if (step.alarm) {
    // the fact of such a step is how it was born
    parts.push(h('span', {}, `✕ ${step.cause && !state.covered() ? step.sentence : step.alarm}`));
    const heirs = heirsOf(state, step, k);
    if (heirs.length) parts.push(h('span', {}, 'Handed on to'), ...heirs.slice(0, 12).map((at) => numbered(state, at, nameAt(state, at))));
    if (heirs.length > 12) parts.push(`and ${heirs.length - 12} more`);
  }
  if (step.inherits) {
    const [what] = step.inherits.split(' came in from ');
    parts.push(h('span', {}, `✕ ${what} came in from`), step.from ? nameLink(state, ...step.from) : 'a constant');
  }
  return roving(h('p', { class: 'alarm links' }, parts));
}

/** The steps that NaN or Inf is handed on to from step k, however far. */
function heirsOf(state, { phase, target }, k) {
  const key = (kind, n) => `${kind} ${n}`;
  const ill = new Set([key(phase === 'forward' ? 'value' : 'gradient', target)]);
  const heirs = [];
  state.payload.steps.forEach((_, at) => {
    const step = state.stepAt(at);
    if (at <= k || !step.from || !ill.has(key(...step.from))) return;
    heirs.push(at);
    ill.add(key(step.phase === 'forward' ? 'value' : 'gradient', step.target));
  });
  return heirs;
}

/** Two small buttons that copy a formula. */
function copying(state, latex, plain) {
  const key = (label, text) => h('button', {
    type: 'button', title: `copy as ${label}`, 'aria-label': `copy as ${label}`,
    onclick: async ({ currentTarget: button }) => {
      const done = await copied(state, text);
      button.textContent = done ? 'copied' : 'not allowed';
      state.say(done ? `Copied as ${label}.` : 'This page may not copy.');
      setTimeout(() => { button.textContent = label; }, 1200);
    },
  }, label);
  return h('span', { class: 'copy' }, latex && key('LaTeX', latex), key('text', plain));
}

/** Puts text on the clipboard, where need be by a field whose content is selected. */
async function copied(state, text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h('textarea', { class: 'live' });
    field.value = text;
    state.panel.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}
