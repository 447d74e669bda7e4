// The step panel: what this step computes, in symbols and in numbers, and what is worth knowing about it.

/** So many leaves are shown at the start; the others when asked for. */
const LEAVES = 24;

/** The panel: {element, update()}. */
function panel(state) {
  const element = h('section', { class: 'panel', tabindex: 0, 'aria-label': 'Step' });
  function update() {
    const members = state.members();
    const whole = state.whole();
    const step = state.main();
    const shown = whole || members.map(state.stepAt);
    const card = h('div', { class: 'operations' });
    const inside = whole ? [...insideLines(state, members, shown), insideRows(state, members)] : [];
    element.replaceChildren(heading(state, step), card, ...remarks(state, step, shown), ...inside, lenses(state, step, members));
    // rows of numbers are cut with "…" to what has room, those of a whole line become pictures; what is still too wide scrolls
    ROOM.sums = Math.max(3, Math.min(8, Math.floor(card.clientWidth / 75)));
    shown.forEach((one, i) => {
      let parts = [];
      for (const [pictures, across] of [false, true].slice(0, whole ? 2 : 1).flatMap((kind) => [8, 7, 6, 5, 4, 3].map((n) => [kind, n]))) {
        Object.assign(ROOM, { pictures, across });
        for (const old of parts) old.remove();
        parts = [operation(state, one, whole ? one.k : members[i], i, shown.length)].flat();
        card.append(...parts);
        const tables = [...card.querySelectorAll('.formula:not(.symbols), .wide, .accumulate, .arrays')];
        if (tables.filter((place) => parts.some((part) => part.contains(place))).every((place) => place.scrollWidth <= place.clientWidth)) break;
      }
    });
    Object.assign(ROOM, { pictures: false, across: 8 });
    if (state.quiz && step.phase !== 'start') quizFor(state.payload, state, step, element);
    // a gradient that is not as it should be is what one has come to see
    const off = element.querySelector('.check .off');
    element.scrollTop = off && off.offsetTop > element.clientHeight - 40 ? off.offsetTop - element.clientHeight / 2 : 0;
    const sought = members.length > 1 && state.sought != null && element.querySelector(`[data-step="${state.sought}"]`);
    if (sought && state.sought !== members[0]) element.scrollTop = sought.offsetTop - 8;
    state.sought = null;
  }
  element.again = () => {
    const top = element.scrollTop;
    update();
    element.scrollTop = top;
  };
  return { element, update };
}

function heading(state, step) {
  const title = state.titled().replace(/^[A-Z]+\s+/, '');
  const phase = h('span', { class: `phase ${step.phase}` }, step.phase);
  return h('h3', {}, h('b', {}, state.numbered()), ' ', phase, ' ', h('span', { class: 'title' }, title));
}

/** One formula with its numbers, its arrays and its sum: a forward step, or one contribution of a backward one. */
function operation(state, step, k, i, count) {
  if (step.phase === 'start') return startCard(state);
  const parts = [];
  if (count > 1) parts.push(h('h4', {}, `${i + 1} of ${count} · to ${state.payload.nodes[step.target].name}`));
  if (step.formula) parts.push(...equation(state, step));
  else if (step.k) parts.push(row('notes', 'the rules of its operations, one after the other'));
  if (step.phase === 'seed') parts.push(seed(state, step));
  if (step.shapes) parts.push(row('shapes', step.shapes));
  if (step.phase === 'forward') parts.push(forwardArrays(state, step));
  if (step.phase === 'backward') parts.push(...backwardArrays(state, step, i));
  if (step.phase !== 'forward' && !state.covered()) parts.push(sumOf(state, step));
  parts.push(wrongLine(state, step, k), checkLine(step.check), ...byHand(state, step, k));
  if (count > 1 && !state.covered() && !step.cause && !step.inherits) parts.push(row('sentence', step.sentence));
  return [h('div', { class: 'operation', 'data-step': k }, parts.filter(Boolean))];
}

/** What is wrong inside a line or layer, or differs from what was given by hand. */
function insideLines(state, members, shown) {
  return members.flatMap((k) => {
    const step = state.stepAt(k);
    const given = (step.check || {}).yours && !shown.some((one) => one.k === k);
    return [wrongLine(state, step, k), ...(given ? [checkLine(step.check), ...byHand(state, step, k)] : [])].filter(Boolean);
  });
}

/** The operations of a line or layer, folded away: each leads to its own step. */
function insideRows(state, members) {
  const { nodes } = state.payload;
  const rows = members.map((k) => {
    const step = state.stepAt(k);
    const name = nodes[step.target][step.phase === 'forward' ? 'name' : 'grad'];
    const [left, right] = [step.formula.left, step.formula.right].map(mathml);
    const sign = m('mo', {}, step.part[1] > 1 ? '+=' : '=');
    const rule = left && right ? m('math', {}, ...left.childNodes, sign, ...right.childNodes) : step.formula.plain;
    const result = state.covered() ? null : state.array(step.phase === 'forward' ? step.after : step.contribution);
    const size = !result ? '' : result.data && result.size === 1 ? `= ${number(result.data[0])}` : `${sizeOf(result)} ${shapeText(result.shape)}`;
    const go = () => {
      state.setGranularity('op');
      goThere(state, k);
    };
    const button = h('button', { type: 'button', class: 'link', title: `step ${k}`, 'aria-label': `${name}, step ${k} alone`, onclick: go }, String(k));
    return h('li', { 'data-step': k }, button, ' ', h('span', { role: 'math', 'aria-label': step.formula.plain }, rule), ' ', h('small', {}, size));
  });
  return folded(state, `Its ${members.length} ${members.length > 1 ? 'steps' : 'step'}, one by one`, roving(h('ol', { class: 'inside' }, rows)), 'inside');
}

function row(kind, ...children) {
  return h('p', { class: kind }, children);
}

function startCard(state) {
  const leaves = state.payload.nodes.filter((node) => node.name && node.first === 0 && node.value != null);
  const table = (nodes) => h('div', { class: 'wide' }, h('table', { class: 'leaves' }, h('tbody', {}, nodes.map((node) => h('tr', {},
    h('th', { scope: 'row' }, node.name), h('td', {}, node.kind), h('td', {}, shapeText(node.shape)),
    h('td', {}, show(state.array(node.value), { width: 80, height: 40, title: node.name, plain: true, scale: true })))))));
  const rest = leaves.slice(LEAVES);
  const folds = rest.length ? [folded(state, `${rest.length} more`, () => table(rest), 'leaves')] : [];
  return [table(leaves.slice(0, LEAVES)), ...folds];
}

/** The rule in symbols, the same with the numbers put in, and what it gives. */
function equation(state, step) {
  const { formula } = step;
  const backward = step.phase !== 'forward';
  const sign = backward && step.part && step.part[1] > 1 ? '+=' : '=';
  const result = state.array(backward ? step.contribution : step.after);
  const [left, right, numbers] = [formula.left, formula.right, formula.right].map(mathml);
  const target = left && m('mrow', {}, ...left.childNodes);
  if (right) linkSymbols(state, right, formula.symbols);
  const symbols = left && right && m('math', {}, target, m('mo', {}, sign), ...right.childNodes);
  if (symbols) {
    linkPlace(state, target, backward ? 'gradient' : 'value', backward ? step.target : step.node);
  }
  const look = (kind, text) => ({ class: `formula ${kind}`, role: 'math', 'aria-label': text });
  const math = (tree, text, kind) => h('div', look(kind, text), tree || text);
  const rule = math(symbols, formula.plain, 'symbols');
  const rows = [roving(h('div', { class: 'ruled' }, rule, copying(state, formula.latex, formula.plain)))];
  if (numbers) {
    putNumbers(state, numbers, formula.symbols);
    // a tree of its own: where there is no room for both, the result goes to the next line
    const answer = m('math', { class: 'answer' }, m('mo', {}, '='), inFormula(result, { column: formula.column }));
    const label = formula.numbers || withNumbers(state, formula);
    if (formula.symbols.length) rows.push(h('div', look('numbers', label), numbers, answer));
  } else if (formula.symbols.length) rows.push(math(null, formula.numbers || withNumbers(state, formula), 'numbers'));
  if (formula.notes && formula.notes.length) rows.push(row('notes', formula.notes.join(' · ')));
  for (const tree of rows.flatMap((line) => [...line.querySelectorAll('math')])) tree.setAttribute('display', 'block');
  return rows;
}

function withNumbers(state, { plain, symbols }) {
  const words = (array) => (array.data && array.size <= FEW ? `[${textsOf(array).join('; ')}]` : summary(array));
  const known = symbols.filter(({ array }) => array != null).map(({ array, name }) => `${name} = ${words(state.array(array))}`);
  return [plain, ...new Set(known)].join(', ');
}

function seed(state, step) {
  const node = state.payload.nodes[step.target];
  const [name, array] = [mathml(node.gradml), state.array(step.after)];
  const tree = m('math', { display: 'block' }, ...(name ? name.childNodes : []), m('mo', {}, '='), inFormula(array));
  return h('div', { class: 'formula symbols', role: 'math', 'aria-label': `${node.grad} = ${summary(array)}` }, tree);
}

function putNumbers(state, tree, symbols) {
  for (const place of tree.querySelectorAll('[data-symbol]')) {
    const symbol = symbols[Number(place.getAttribute('data-symbol'))];
    const array = symbol && state.array(symbol.array);
    if (!array) continue;
    // xᵀ of a vector is a row: that is how it is written
    const raised = place.parentNode;
    const turned = raised.localName === 'msup' && raised.lastChild.textContent === '⊤' && array.shape.length === 1;
    (turned ? raised : place).replaceWith(inFormula(array, symbol));
  }
}

/** An array as it stands in a formula: its numbers, or a little heat map over its shape. */
function inFormula(array, symbol) {
  if (!array) return m('mtext', {}, '—');
  if (array.data && array.size <= (ROOM.pictures ? 1 : FEW)) return coloured(matrixML(array, symbol), symbol);
  const picture = heatmap(array, { width: 40, height: 30, title: symbol ? symbol.name : '' });
  picture.tabIndex = -1;
  const shape = h('small', {}, shapeText(paired(array).shape).replace(/ /g, ''));
  return m('mtext', {}, h('span', { class: 'mini' }, picture, shape));
}

function coloured(element, symbol) {
  if (symbol && symbol.kind === 'gradient') element.setAttribute('class', 'gradient');
  return element;
}

function forwardArrays(state, step) {
  const operands = (step.formula ? step.formula.symbols : []).filter(({ array }) => array != null).slice(0, 4);
  const result = state.array(step.after);
  const arrays = operands.map(({ array }) => state.array(array));
  if (!result || [...arrays, result].every((array) => array.data && array.size <= FEW)) return null;
  const name = state.payload.nodes[step.node].name;
  return h('div', { class: 'arrays' }, operands.map(({ name: label, column }, i) => picture(arrays[i], label, { column })),
    h('span', { class: 'then' }, '→'),
    picture(result, name, { kind: 'answer', column: (step.formula || {}).column, click: taking(state, step, step.after) }));
}

/** What a click on an element of an array does: its sum is taken apart below, where it is one. */
function taking(state, step, array) {
  if (state.covered() || !step.terms || termArrays(step)[0] !== array) return undefined;
  return (at) => {
    recall(state, `terms ${state.step}`, { at }).at = at;
    state.opened.add(ELEMENT_LENS);
    state.refresh();
    const lens = [...state.panel.querySelectorAll('.lenses details')].find(({ firstChild }) => firstChild.textContent === ELEMENT_LENS);
    state.panel.scrollTop = lens.offsetTop - state.panel.offsetTop;
  };
}

/** Upstream gradient, contribution and sum, with one scale for those that have one unit. */
function backwardArrays(state, step, i) {
  const node = state.payload.nodes[step.node];
  const target = state.payload.nodes[step.target];
  const [upstream, contribution, before, after] = [step.upstream, step.contribution, step.before, step.after]
    .map((i) => state.array(i));
  const [part, parts] = step.part && step.part[1] ? step.part : [1, 1];
  const out = [];
  const summed = [before, contribution, after].filter(Boolean);
  const max = Math.max(...summed.map((array) => array.largest));
  const small = [upstream, ...summed].filter(Boolean).every((array) => array.data && array.size <= FEW);
  const local = state.array(step.local);
  const once = step.k && i && !local; // what arrives at a line or layer is shown with the first
  const then = (sign) => h('span', { class: 'then' }, sign);
  if (!small || local) {
    out.push(h('div', { class: 'arrays' }, upstream && !once && picture(upstream, node.grad, { note: 'upstream' }),
      ...(once ? [] : local ? [then('×'), picture(local, `∂${node.name}/∂${target.name}`, { note: 'local' }), then('=')] : [then('→')]),
      picture(contribution, parts > 1 ? 'contribution' : target.grad,
        { kind: 'answer', max, note: parts > 1 ? `to ${target.grad}` : '', click: taking(state, step, step.contribution) })));
  }
  if (contribution && parts > 1) out.push(accumulation(target, { part, parts, before, contribution, after, max }));
  return out;
}

/** "0 + (−1) = −1  Σ 1 of 2": how the contribution is added to what had arrived. */
function accumulation(target, { part, parts, before, contribution, after, max }) {
  const badge = h('span', { class: 'sum' }, `Σ ${part} of ${parts}`);
  if (!contribution.data || contribution.size > FEW) {
    return h('div', { class: 'arrays accumulate' }, before ? picture(before, 'so far', { max }) : '0',
      h('span', { class: 'then' }, '+'), picture(contribution, 'contribution', { max, kind: 'answer' }),
      h('span', { class: 'then' }, '='), picture(after, target.grad, { max, kind: 'answer' }),
      badge, h('small', {}, part === parts ? 'complete' : 'more to come'));
  }
  const room = { across: ROOM.sums };
  const zeros = describe(contribution.shape, new Float64Array(contribution.size));
  const term = ({ shape, data }) => (shape.length ? matrix(contribution, room)
    : h('span', { class: 'number' }, bracketed(data[0])));
  const answer = (content) => h('span', { class: 'answer' }, content);
  return h('div', { class: 'accumulate line' }, h('span', {}, target.grad), ' = ', matrix(before || zeros, room), ' + ',
    answer(term(contribution)), ' = ', answer(matrix(after || contribution, room)), ' ', badge);
}

/** A named heat map with its colour bar, or the numbers of a small array. */
function picture(array, name, { kind = '', max, note, click, column } = {}) {
  const [width, height] = array.shape.length > 4 ? [300, 300] : [120, 96];
  const digits = array.data && array.size > 6 && array.size <= EXACT && h('button', {
    type: 'button', class: 'digits', 'aria-pressed': String(Boolean(ROOM.digits)), title: 'numbers or a picture',
    onclick: ({ currentTarget }) => {
      ROOM.digits = !ROOM.digits;
      currentTarget.closest('.panel').again();
    },
  }, ROOM.digits ? 'picture' : 'numbers');
  return h('figure', { class: kind }, h('figcaption', {}, name, note ? h('small', {}, note) : null, digits),
    show(array, { max: max || undefined, width, height, title: name, few: ROOM.digits ? EXACT : 6, down: 12, click, column, scale: true }),
    array.size > 6 ? h('small', {}, sizeOf(array)) : null);
}

/** What differs from a gradient or value by hand: both with one scale, the difference, and what went wrong. */
function byHand(state, step, k) {
  const { yours: verdict } = step.check || {};
  if (!verdict || verdict.ok !== false || step.yours == null || state.covered()) return [];
  const node = state.payload.nodes[step.target];
  const name = step.phase === 'forward' ? node.name : node.grad;
  const [yours, engine] = [step.yours, step.after].map(state.array);
  const off = step.off == null ? describe(yours.shape, yours.data.map((x, i) => x - engine.data[i])) : state.array(step.off);
  const max = Math.max(yours.largest, engine.largest);
  const [first] = state.payload.blame || [];
  const said = (state.payload.blame || []).filter(({ steps }) => steps.includes(k));
  return [
    h('div', { class: 'arrays hand' }, picture(yours, name, { max, note: 'yours' }), h('span', { class: 'then' }, '≠'),
      picture(engine, name, { max, note: 'the engine’s' }), picture(off, 'difference', { note: 'yours − engine’s' })),
    ...said.flatMap((finding) => [
      h('p', { class: 'blame' }, h('b', {}, finding === first ? 'First wrong step. ' : `${finding.verdict}. `), finding.text,
        finding.rule && !finding.formulas && !finding.text.includes(finding.rule) ? ` The rule: ${finding.rule}.` : ''),
      finding.formulas && h('dl', { class: 'blamed' }, ['yours', 'right'].flatMap((whose, k) => [
        h('dt', {}, whose), h('dd', {}, finding.formulas[k])])),
    ]),
  ].filter(Boolean);
}

function checkLine(check) {
  if (!check || !(check.yours || check.numeric)) return null;
  const look = ({ ok }) => (ok == null ? 'undecided' : ok ? 'ok' : 'off');
  const mark = (label, result) => result && h('span', { class: look(result) }, `${label} ${result.text}`);
  const parts = [mark('yours', check.yours), mark('finite difference', check.numeric)].filter(Boolean);
  return h('p', { class: 'check' }, parts.flatMap((part, i) => (i ? [' · ', part] : [part])));
}

function remarks(state, step, shown) {
  const sentences = shown.length > 1 || state.covered() || step.cause || step.inherits ? [] : [step.sentence].filter(Boolean);
  const source = step.source || step.code;
  return [
    ...sentences.map((text) => row('sentence', text)),
    source && h('p', { class: 'source' }, h('span', {}, step.source), ' ', h('code', {}, step.code)),
  ].filter(Boolean);
}

/** The closer looks at a step, each folded away; of a line or layer, at the last operation that has one. */
function lenses(state, step, members) {
  const closer = members.map(state.stepAt).reverse();
  const one = step.lens || step.terms ? step : closer.find(({ lens: found }) => found) || closer.find(({ terms }) => terms) || step;
  const found = step.phase === 'start' ? [] : lensesFor(state.payload, state, one);
  return h('div', { class: 'lenses' }, found.map(({ title, element }) => folded(state, title, element)));
}

/** What is folded away; opened once, it stays open on later steps. */
function folded(state, title, content, kind = title) {
  const isOpen = state.opened.has(kind);
  const late = typeof content === 'function';
  const fold = h('details', { class: 'fold', open: isOpen }, h('summary', {}, title), late && !isOpen ? null : late ? content() : content);
  if (late && !isOpen) fold.addEventListener('toggle', () => fold.append(content()), { once: true });
  fold.addEventListener('toggle', () => state.opened[fold.open ? 'add' : 'delete'](kind));
  return fold;
}
