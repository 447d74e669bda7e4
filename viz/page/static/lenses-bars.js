// The lens on softmax + cross-entropy: p − y as bars, class by class.

const MOST_BARS = 12;

function barsLens(payload, state, step) {
  const of = step.lens;
  const cannot = onlyPictures(state, [of.p, of.y, of.gradient], ['p', 'y', 'the gradient']);
  if (cannot) return cannot;
  const body = h('div');
  drawBars(body, state, of, recall(state, `bars ${of.p}`, { row: 0 }));
  return body;
}

function drawBars(body, state, of, pick) {
  const { p, y, gradient, rows, classes } = barArrays(of, state);
  const take = (array) => Array.from({ length: classes }, (_, k) => array.data[pick.row * classes + k]);
  const [ps, ys, gs] = [take(p), take(y), take(gradient)];
  const order = ps.map((_, k) => k).sort((a, b) => Math.abs(ps[b] - ys[b]) - Math.abs(ps[a] - ys[a])).slice(0, MOST_BARS);
  const shown = order.sort((a, b) => a - b);
  const slack = grain(p) + grain(y) + grain(gradient);
  const { factor, verdict, head: last, words } = divisor(ps.map((_, k) => ps[k] - ys[k]), gs, rows, slack);
  const head = ['class', 'p', 'y', 'p − y', last].map((text) => h('th', { scope: 'col' }, text));
  body.replaceChildren(
    h('div', { class: 'choices' }, choice('row', rows, pick.row, (row) => {
      pick.row = row;
      redraw(body, () => drawBars(body, state, of, pick));
    })),
    h('table', { class: 'bars' }, h('thead', {}, h('tr', {}, head)), h('tbody', {}, shown.map((k) => h('tr', {},
      h('th', { scope: 'row' }, String(k)), barCell(ps[k], 'p'), barCell(ys[k], 'y'), barCell(ps[k] - ys[k], 'signed'),
      h('td', { class: 'number' }, number((ps[k] - ys[k]) * factor)))))),
    classes > shown.length ? h('p', { class: 'note' }, `… and ${classes - shown.length} classes with a smaller p − y`) : '',
    sentence('Softmax and cross-entropy together leave only p − y, predicted minus true; ', words, ' ', agreed(verdict)),
  );
}

/** p, y and the gradient with classes as the last axis; everything before it are rows. */
function barArrays(of, state) {
  const [p, y, gradient] = [of.p, of.y, of.gradient].map((at) => state.array(at));
  const classes = p.shape.length ? p.shape[p.shape.length - 1] : 1;
  return { p, y, gradient, classes, rows: p.data.length / classes };
}

/** What p − y was multiplied by to give a row's gradient: 1/N for the mean over rows, 1 for the sum, or by more later. */
function divisor(differences, gradient, rows, slack) {
  const fits = (factor) => differences.every((d, k) => agreement(d * factor, gradient[k], slack + 1e-5 * Math.abs(gradient[k])).same);
  const fitted = total(differences.map((d, k) => d * gradient[k])) / total(differences.map((d) => d * d));
  const factor = [1 / rows, 1, fitted].find(fits);
  const verdict = factor === undefined
    ? { same: false, text: '✘ the engine’s gradient is no multiple of it' } : { same: true, text: '✔ the engine’s gradient' };
  if (factor === 1) {
    return { factor, verdict, head: 'gradient', words: rows > 1 ? 'the rows are added up, not averaged' : 'that is the gradient' };
  }
  if (factor === undefined || factor === 1 / rows) {
    return { factor: 1 / rows, verdict, head: `÷ N = ${rows}`, words: `divided by N = ${rows}, the number of rows` };
  }
  return { factor, verdict, head: `× ${number(factor)}`, words: `times ${number(factor)}, by which the loss takes this row` };
}

/** A bar with its number: from the left for probabilities, from the middle for signed ones. */
function barCell(x, kind) {
  const width = Math.min(1, Math.abs(x)) * (kind === 'signed' ? 50 : 100) || 0;
  const left = kind !== 'signed' ? 0 : x < 0 ? 50 - width : 50;
  return h('td', { class: `bar ${kind}` }, s('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('rect', { class: x < 0 ? 'below' : 'above', x: left, y: 0, width, height: 10 }),
    kind === 'signed' && s('line', { x1: 50, x2: 50, y1: 0, y2: 10 })), h('span', { class: 'number' }, number(x)));
}
