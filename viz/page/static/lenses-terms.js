// The lens on one element of a result: the products it is the sum of.

function termsLens(payload, state, step) {
  const { terms } = step;
  const [, ...operands] = termArrays(step);
  const cannot = onlyPictures(state, operands, terms.names || []);
  if (cannot) return cannot;
  const result = state.array(termArrays(step)[0]);
  const pick = recall(state, `terms ${state.step}`, { at: largestOf(result) });
  const out = h('div', { 'aria-live': 'polite' });
  const wrong = h('p', { class: 'note', role: 'alert' });
  const go = (flat) => {
    pick.at = flat;
    field.value = position(flat, result.shape).join(', ');
    wrong.textContent = '';
    out.replaceChildren(...termsOf(terms, state, result, operands, flat));
  };
  const field = h('input', { type: 'text', size: 12, 'aria-label': `index of the element, for shape ${shapeText(result.shape)}`,
    onchange: () => {
      const flat = indexIn(field.value, result.shape);
      if (flat === null) wrong.textContent = indexHelp(result.shape);
      else go(flat);
    } });
  go(Math.min(pick.at, result.size - 1));
  return [
    h('p', { class: 'note' }, 'Choose an element of the result (click, or focus and Enter): it is one sum of products.'),
    h('div', { class: 'maps' }, show(result, { click: go, title: 'result', width: 260, height: 160, plain: true }),
      result.shape.length ? h('label', {}, 'element ', field) : null),
    wrong, out,
  ];
}

/** The arrays of a step's terms: the result, and those it is a sum of products of. */
function termArrays({ terms, after, contribution }) {
  return [terms.of === 'value' ? after : contribution, ...(terms.kind === 'windows' ? [terms.x, terms.kernel] : terms.operands)];
}

/** The element that says most: the first that is no number, else the largest. */
function largestOf({ data }) {
  if (!data) return 0;
  const bad = data.findIndex((x) => !Number.isFinite(x));
  return bad >= 0 ? bad : data.reduce((best, x, i) => (Math.abs(x) > Math.abs(data[best]) ? i : best), 0);
}

/** Flat index for what was typed, "1, 2"; null if there is no such element. */
function indexIn(text, shape) {
  const at = text.replace(/[[\]()]/g, '').split(/[\s,;]+/).filter(Boolean).map(Number);
  const fits = at.length === shape.length && at.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis]);
  return fits ? at.reduce((flat, i, axis) => flat * shape[axis] + i, 0) : null;
}

function indexHelp(shape) {
  const ranges = shape.map((n) => `0…${n - 1}`).join(', ');
  return `There is no such element: the index is ${shape.length === 1 ? 'one number' : `${shape.length} numbers`}, ${ranges}.`;
}

/** The largest products of an element, the others in one line, their sum, and the engine's number. */
function termsOf(terms, state, result, operands, flat) {
  const products = elementTerms(terms, state, position(flat, result.shape));
  if (!products) return [h('p', { class: 'note' }, 'This sum can’t be taken apart: the shapes of its operands don’t fit its formula.')];
  const { top, others, rest, sum } = largestTerms(products);
  const row = (label, text, value) => h('tr', {}, h('th', { scope: 'row' }, label), h('td', { class: 'number' }, text),
    h('td', { class: 'number' }, value));
  const body = [
    ...top.map((term) => row(term.at, term.factors.map(bracketed).join(' × '), `= ${number(term.product)}`)),
    others ? row('', `… ${counted(others)} more`, `= ${number(rest)}`) : null,
    row('Σ', `${counted(products.length)} ${products.length === 1 ? 'term' : 'terms'}`, `= ${number(sum)}`),
  ];
  const arrays = operands.map((at) => state.array(at));
  const slack = slackOf(products.map(({ factors: [a, b = 1] }) => [a, b]), [arrays[0], arrays[1] || {}], {})
    + grain(result);
  const engine = result.data ? agreed(agreement(sum, result.data[flat], slack)) : '';
  const name = `[${position(flat, result.shape).join(', ')}]`;
  const factors = terms.names && terms.names.length ? `: ${terms.names.join(' × ')}` : '';
  return [h('table', { class: 'terms' }, h('caption', {}, `Element ${result.shape.length ? name : ''}${factors}`), h('tbody', {}, body)),
    sentence(h('b', {}, number(sum)), ' ', engine)];
}
