// The row of controls, with the search, and the slider through training.

const ICONS = {
  first: 'M3 3h2v10H3zM14 3v10L6 8z', previous: 'M12 3v10L4 8z',
  next: 'M4 3v10l8-5z', last: 'M2 3v10l8-5zM11 3h2v10h-2z',
  play: 'M3 2v12l11-6z', pause: 'M3 2h4v12H3zM9 2h4v12H9z',
};

/** The row of controls: {element, update(), playing(on), search()}. */
function controls(state) {
  const { steps, frames } = state.payload;
  const size = { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' };
  const icon = (name) => s('svg', size, s('path', { d: ICONS[name] }));
  const key = (name, label, onclick) => h('button', {
    type: 'button', title: label, 'aria-label': label, class: name, onclick,
  }, icon(name));
  const play = key('play', 'Play (Space)', () => state.play());
  const slider = h('input', {
    type: 'range', min: 0, step: 1, 'aria-label': 'Step',
    oninput: () => state.goto(state.stops()[Number(slider.value)]),
  });
  const count = h('output', { class: 'count' });
  const choices = Object.keys(state.payload.stops).map((kind) => h('button', {
    type: 'button', onclick: () => state.setGranularity(kind),
  }, kind));
  const quiz = h('button', { type: 'button', class: 'quiz', onclick: () => state.setQuiz(!state.quiz) }, 'quiz');
  const { element: finder, focus } = searching(state);
  const time = frames && timeTravel(state);
  const element = h('div', { class: 'controls' },
    h('div', { class: 'keys' },
      key('first', 'First (Home)', () => state.goto(0)), key('previous', 'Previous (←)', () => state.move(-1)),
      key('next', 'Next (→)', () => state.move(1)), key('last', 'Last (End)', () => state.goto(steps.length - 1)),
      play),
    h('div', { class: 'slide' }, slider, passes(steps)), count,
    h('div', { class: 'choice', role: 'group', 'aria-label': 'Granularity' }, choices),
    quiz, finder, time && time.element);

  function update() {
    const stops = state.stops();
    slider.max = stops.length - 1;
    slider.value = state.place();
    slider.setAttribute('aria-valuetext', `${state.numbered()}: ${state.current().title}`);
    count.textContent = `${state.numbered()} / ${steps.length - 1}`;
    choices.forEach((choice) => choice.setAttribute('aria-pressed', String(choice.textContent === state.granularity)));
    quiz.setAttribute('aria-pressed', String(state.quiz));
    if (time) time.update();
  }

  const playing = (on) => {
    play.replaceChildren(icon(on ? 'pause' : 'play'));
    play.title = on ? 'Pause (Space)' : 'Play (Space)';
    play.setAttribute('aria-label', play.title);
  };
  return { element, update, playing, search: focus };
}

/** Under the slider: which stretch is forward, the loss, backward. */
function passes(steps) {
  const count = (kinds) => steps.filter(({ phase }) => kinds.includes(phase)).length;
  const [ahead, back] = [count(['start', 'forward']), count(['backward'])];
  const part = (kind, share, text = kind) => h('span', { class: kind, style: `flex:${share} 1 0` }, text);
  return h('div', { class: 'passes', 'aria-hidden': 'true' },
    part('forward', ahead), part('seed', count(['seed']), 'loss'), part('backward', back));
}

/** A field that finds steps by name, operation, layer or source line, wherever what it finds is shown; Enter: the next. */
function searching(state) {
  const { steps, nodes, layers } = state.payload;
  const hay = steps.map((step) => {
    const [node, target] = [nodes[step.node], nodes[step.target] || nodes[step.node]];
    const layer = node.layer < 0 ? '' : `${layers[node.layer].path} ${layers[node.layer].title}`;
    const words = [step.title, node.name, node.op, target.name, target.grad, layer, step.source, step.code];
    return words.join(' ').toLowerCase();
  });
  const found = h('small', { 'aria-live': 'polite' });
  const go = (by) => {
    const word = input.value.trim().toLowerCase();
    const finds = hay.flatMap((text, k) => (word && text.includes(word) ? [state.stops().find((stop) => stop >= k)] : []));
    const hits = [...new Set(finds)];
    found.textContent = word ? 'none' : '';
    if (!hits.length) return;
    const start = by === 0 ? state.step - 1 : state.step;
    const next = by < 0 ? hits.filter((k) => k < state.step).pop() : hits.find((k) => k > start);
    const hit = next === undefined ? hits[by < 0 ? hits.length - 1 : 0] : next;
    found.textContent = `${hits.indexOf(hit) + 1} of ${hits.length}`;
    state.goto(hit);
  };
  const look = { type: 'search', placeholder: 'search  /', 'aria-label': 'Search the steps' };
  const input = h('input', { ...look, oninput: () => go(0) });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
    if (event.key !== 'Escape') return;
    [input.value, found.textContent] = ['', ''];
    input.closest('.app').focus();
  });
  return { element: h('div', { class: 'search' }, input, found), focus: () => input.focus() };
}

/** The second slider: the same graph at several points of the training. */
function timeTravel(state) {
  const { frames } = state.payload;
  const range = { type: 'range', min: 0, max: frames.length - 1, step: 1, 'aria-label': 'Training' };
  const slider = h('input', { ...range, oninput: () => state.setFrame(Number(slider.value)) });
  const text = h('output', {});
  const losses = frames.map(({ loss }) => (loss == null ? NaN : loss));
  const finite = losses.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const at = (i) => {
    const loss = Number.isFinite(losses[i]) ? losses[i] : high;
    const point = [i / Math.max(1, frames.length - 1) * 100, 18 - 16 * (loss - low) / (high - low || 1)];
    return point.map((x) => x.toFixed(1)).join();
  };
  const curve = s('svg', { viewBox: '-1 0 102 20', width: 102, height: 20, 'aria-hidden': 'true', class: 'curve' },
    s('polyline', { points: frames.map((_, i) => at(i)).join(' ') }), s('circle', { r: 2.5 }));
  const update = () => {
    const [x, y] = at(state.frame).split(',');
    slider.value = state.frame;
    slider.setAttribute('aria-valuetext', frames[state.frame].label);
    curve.lastChild.setAttribute('cx', x);
    curve.lastChild.setAttribute('cy', y);
    text.textContent = `${frames[state.frame].label} · loss ${number(losses[state.frame])}`;
  };
  return { element: h('label', { class: 'time' }, h('span', {}, 'training'), slider, curve, text), update };
}
