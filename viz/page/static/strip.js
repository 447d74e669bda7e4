// The tape below the graph: a cell per step, gradient norms, breakpoints, where NaN was born; watched arrays.

const VANISHING = 1e-6;
const EXPLODING = 1e3;
const SIGNS = { born: '✕', 'not finite': '✕', vanishing: '▁', exploding: '█', 'all zero': '0' };

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
  const chain = chainRow(state);
  const [blamed] = state.payload.blame || [];
  const first = (blamed && blamed.steps[0]) ?? steps.findIndex((_, k) => wrongByHand(state, k));
  const element = h('section', { class: 'strip', 'aria-label': 'Tape' },
    chain.element, h('div', { class: 'scroller' }, tape, layerNames(state)), h('div', { class: 'legend' }, breaking, words), watched);
  let last = -1;

  function update() {
    const members = new Set(state.members());
    cells.forEach((cell, k) => {
      if (last >= 0 && (k > state.step) === (k > last) && !members.has(k) && !cell.classList.contains('now')) return;
      setClasses(cell, { now: members.has(k), ahead: k > state.step });
    });
    last = state.step;
    chain.update();
    watched.replaceChildren(...state.payload.watch.map((n) => watchCard(state, n)));
    flags();
  }

  function flags() {
    cells.forEach((cell, k) => {
      const [broken, born] = [state.breakpoints.has(k), bornAt(state, k)];
      const sign = born ? '✕' : differs(state, k) ? '≠' : broken ? '◆' : '';
      const place = cell.firstChild;
      if (place.textContent !== sign) place.textContent = sign;
      setClasses(cell, { broken, born, wrong: k === first, heir: !born && Boolean(state.stepAt(k).inherits) });
    });
    const on = state.members().some((k) => state.breakpoints.has(k));
    breaking.textContent = on ? '◆ remove breakpoint' : '◆ break here';
    breaking.setAttribute('aria-pressed', String(on));
  }

  /** Bars for the frame shown: log₁₀ of the norm of the gradient that each step adds to. */
  function rescale() {
    const adds = (step) => step.phase === 'backward' || step.phase === 'seed';
    const norms = steps.map((step) => (adds(step) ? gradientNorm(state, step.target) : null));
    const logs = norms.filter((x, k) => x > 0 && Number.isFinite(x) && !state.payload.nodes[steps[k].target].cancels).map(Math.log10);
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    const span = Math.max(2, high - low);
    cells.forEach((cell, k) => {
      const norm = norms[k];
      const verdict = norm == null ? '' : judged(state, steps[k].target);
      const share = norm > 0 ? (Math.log10(norm) - (high - span)) / span : 0;
      const percent = verdict === 'not finite' ? 100 : Math.round(Math.max(0, 6 + 94 * share));
      cell.lastChild.style.height = norm == null ? '0' : `${percent}%`;
      setClasses(cell, { vanishing: ['vanishing', 'all zero'].includes(verdict), exploding: verdict === 'exploding',
        broke: verdict === 'not finite' });
      const size = norm == null || state.quiz ? '' : `‖${state.payload.nodes[steps[k].target].grad}‖ = ${number(norm)}`;
      const wrong = k === first ? 'the first wrong step' : '';
      cell.title = [`${k} · ${steps[k].title}`, size, verdict, wrong].filter(Boolean).join(' · ');
    });
    const range = logs.length ? `‖gradient‖ ${number(10 ** low)} … ${number(10 ** high)}, logarithmic` : '';
    const wrong = first >= 0 ? [['≠ first wrong step: ', link(state, first, `${first} ${nameAt(state, first)}`)]] : [];
    words.replaceChildren(...[range, ...wrong, ...verdicts(state)].filter((said) => said.length).map((said) => h('span', {}, said)));
    roving(words);
  }

  return { element, update, rescale };
}

/** Whether the gradient that is complete at step k is another one by hand, or by finite differences. */
function differs(state, k) {
  const { yours, numeric } = state.stepAt(k).check;
  return [yours, numeric].some((verdict) => verdict && verdict.ok === false);
}

function wrongByHand(state, k) {
  const { yours } = state.stepAt(k).check || {};
  return Boolean(yours) && yours.ok === false;
}

/** What a step adds to or makes, by its name. */
function nameAt({ payload: { steps, nodes } }, k) {
  const { phase, target } = steps[k];
  return nodes[target][phase === 'forward' ? 'name' : 'grad'];
}

function bornAt(state, k) {
  return Boolean(state.stepAt(k).alarm);
}

/** The norm of a node's gradient in the frame shown; NaN where it is not finite; null where there is none, or nothing in it. */
function gradientNorm(state, n) {
  const node = state.payload.nodes[n];
  const array = node.gradient == null ? null : state.array(node.gradient);
  if (!array || !array.size) return null;
  return array.bad ? NaN : array.norm;
}

function judged(state, n) {
  const norm = gradientNorm(state, n);
  if (norm == null) return '';
  if (!Number.isFinite(norm)) return 'not finite';
  // what cancels but for rounding is 0, whatever the layers let through
  if (state.payload.nodes[n].cancels) return '';
  if (norm === 0) return 'all zero';
  if (norm > EXPLODING) return 'exploding';
  return norm < VANISHING ? 'vanishing' : '';
}

/** Where NaN was born, and vanishing and exploding gradients, in words: which, and how large; in the order of the steps. */
function verdicts(state) {
  const { nodes, steps } = state.payload;
  const found = Object.fromEntries(Object.keys(SIGNS).map((verdict) => [verdict, []]));
  for (const { name, kind, value } of nodes) {
    const bad = ['input', 'learned'].includes(kind) && state.array(value).bad;
    if (bad) found.born.push(`${bad} in ${name}, as given`);
  }
  const told = new Set();
  steps.forEach(({ phase, target }, k) => {
    const { alarm } = state.stepAt(k);
    const backward = phase === 'backward' || phase === 'seed';
    if (alarm) found.born.push(link(state, k, `${alarm.split(' born')[0]} in ${nameAt(state, k)} at step ${k}`));
    if (!backward || told.has(target)) return;
    told.add(target);
    const verdict = judged(state, target);
    if (!verdict) return;
    const { gradient, grad } = nodes[target];
    const size = verdict === 'all zero' ? '' : ` ${state.array(gradient).bad || number(gradientNorm(state, target))}`;
    found[verdict].push(`${grad}${size}`);
  });
  return Object.entries(found).filter(([, list]) => list.length).map(([verdict, list]) => {
    const more = list.length > 3 ? `, ${list.length - 3} more` : '';
    const shown = list.slice(0, 3).flatMap((one, i) => (i ? [', ', one] : [one]));
    return [`${SIGNS[verdict]} ${verdict}: `, ...shown, more];
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
