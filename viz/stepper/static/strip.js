// The tape below the graph: a cell per step, gradient norms, breakpoints, where NaN was born; watched arrays.

const VANISHING = 1e-6;
const EXPLODING = 1e3;
const SIGNS = { vanishing: '▁', exploding: '█', 'not finite': '✕', 'all zero': '0' };

/** The strip: {element, update(), rescale()}. */
function strip(state) {
  const { steps } = state.payload;
  const cells = steps.map((step, k) => h('div', {
    class: `cell ${step.phase}`, title: `${k} · ${step.title}`, onclick: () => state.goto(k),
  }, h('i', { class: 'mark' }), h('i', { class: 'tick' }), h('i', { class: 'bar' })));
  const tape = h('div', { class: 'tape', style: `--count:${steps.length}` }, cells);
  const words = h('p', { class: 'words' });
  const watched = h('div', { class: 'watched' });
  const toggle = () => state.toggleBreakpoint(state.step);
  const breaking = h('button', { type: 'button', class: 'breaking', onclick: toggle });
  const element = h('section', { class: 'strip', 'aria-label': 'Tape' },
    h('div', { class: 'scroller' }, tape, layerNames(state)), h('div', { class: 'legend' }, breaking, words), watched);
  let last = -1;

  function update() {
    const members = new Set(state.members());
    cells.forEach((cell, k) => {
      if (last >= 0 && (k > state.step) === (k > last) && !members.has(k) && !cell.classList.contains('now')) return;
      setClasses(cell, { now: members.has(k), ahead: k > state.step });
    });
    last = state.step;
    watched.replaceChildren(...state.payload.watch.map((n) => watchCard(state, n)));
    flags();
  }

  function flags() {
    cells.forEach((cell, k) => {
      const [broken, born] = [state.breakpoints.has(k), bornAt(state, k)];
      const sign = born ? '✕' : differs(state, k) ? '≠' : broken ? '◆' : '';
      const place = cell.firstChild;
      if (place.textContent !== sign) place.textContent = sign;
      setClasses(cell, { broken, born, heir: !born && Boolean(state.stepAt(k).inherits) });
    });
    const on = state.breakpoints.has(state.step);
    breaking.textContent = on ? '◆ remove breakpoint' : '◆ break here';
    breaking.setAttribute('aria-pressed', String(on));
  }

  /** Bars for the frame shown: log₁₀ of the norm of the gradient that each step adds to. */
  function rescale() {
    const adds = (step) => step.phase === 'backward' || step.phase === 'seed';
    const norms = steps.map((step) => (adds(step) ? gradientNorm(state, step.target) : null));
    const logs = norms.filter((x) => x > 0 && Number.isFinite(x)).map(Math.log10);
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    const span = Math.max(2, high - low);
    cells.forEach((cell, k) => {
      const norm = norms[k];
      const verdict = judged(norm);
      const share = norm > 0 ? (Math.log10(norm) - (high - span)) / span : 0;
      const percent = verdict === 'not finite' ? 100 : Math.round(6 + 94 * share);
      cell.lastChild.style.height = norm == null ? '0' : `${percent}%`;
      setClasses(cell, { vanishing: ['vanishing', 'all zero'].includes(verdict), exploding: verdict === 'exploding',
        broke: verdict === 'not finite' });
      const size = norm == null || state.quiz ? '' : `‖${state.payload.nodes[steps[k].target].grad}‖ = ${number(norm)}`;
      cell.title = [`${k} · ${steps[k].title}`, size, verdict].filter(Boolean).join(' · ');
    });
    const range = logs.length ? `‖gradient‖ ${number(10 ** low)} … ${number(10 ** high)}, logarithmic` : '';
    words.replaceChildren(...[range, ...verdicts(state)].filter(Boolean).map((text) => h('span', {}, text)));
  }

  return { element, update, rescale };
}

/** Whether the gradient that is complete at step k is another one by hand, or by finite differences. */
function differs(state, k) {
  const { yours, numeric } = state.stepAt(k).check;
  return [yours, numeric].some((verdict) => verdict && verdict.ok === false);
}

function bornAt(state, k) {
  return Boolean(state.stepAt(k).alarm);
}

/** The norm of a node's gradient in the frame shown; NaN where it is not finite; null where there is none. */
function gradientNorm(state, n) {
  const node = state.payload.nodes[n];
  if (node.gradient == null) return null;
  const array = state.array(node.gradient);
  return array.bad ? NaN : array.norm;
}

function judged(norm) {
  if (norm == null) return '';
  if (!Number.isFinite(norm)) return 'not finite';
  if (norm === 0) return 'all zero';
  if (norm > EXPLODING) return 'exploding';
  return norm < VANISHING ? 'vanishing' : '';
}

/** Vanishing and exploding gradients in words: which, and how large. */
function verdicts(state) {
  const found = Object.fromEntries(Object.keys(SIGNS).map((verdict) => [verdict, []]));
  state.payload.nodes.forEach((node, n) => {
    const norm = gradientNorm(state, n);
    const verdict = judged(norm);
    if (!verdict) return;
    const size = verdict === 'all zero' ? '' : ` ${state.array(node.gradient).bad || number(norm)}`;
    if (node.parts) found[verdict].push(`${node.grad}${size}`);
  });
  return Object.entries(found).filter(([, list]) => list.length).map(([verdict, list]) => {
    const more = list.length > 3 ? `, ${list.length - 3} more` : '';
    return `${SIGNS[verdict]} ${verdict}: ${list.slice(0, 3).join(', ')}${more}`;
  });
}

/** Names of the layers under the stretches of the tape that belong to them. */
function layerNames(state) {
  const { steps, nodes, layers } = state.payload;
  const spans = [];
  steps.forEach((step, k) => {
    const layer = step.phase === 'start' || step.phase === 'seed' ? -1 : nodes[step.node].layer;
    const open = spans[spans.length - 1];
    if (open && open.layer === layer && steps[k - 1].phase === step.phase) open.count += 1;
    else spans.push({ layer, count: 1, first: k });
  });
  return h('div', { class: 'layers', style: `--count:${steps.length}` }, spans.map(({ layer, count, first }) => {
    const title = layer < 0 ? '' : layers[layer].title;
    const look = { class: title ? '' : 'none', style: `grid-column:span ${count}`, title };
    return h('span', { ...look, onclick: () => state.goto(first) }, title.split(' · ')[0]);
  }));
}

/** A watched array: its value and its gradient as far as it is known. */
function watchCard(state, n) {
  const node = state.payload.nodes[n];
  const known = state.gradientOf(n, state.step);
  const covered = state.answers();
  const look = { width: 90, height: 40, plain: true };
  const part = known.state === 'partial' && h('span', { class: 'sum' }, `Σ ${known.part.join(' of ')}`);
  return h('figure', {}, h('figcaption', {}, node.name, ' ', h('small', {}, shapeText(node.shape))),
    node.first > state.step || node.value == null ? '—' : covered.has(`value ${n}`) ? '?' : show(state.array(node.value), { ...look, title: node.name }),
    h('figcaption', { class: 'gradient' }, node.grad, ' ', part),
    known.array == null ? '—' : covered.has(`gradient ${n}`) ? '?' : show(state.array(known.array), { ...look, title: node.grad }));
}
