// The sums that the lenses take apart, worked out from the arrays of the payload. Nothing here draws.

const FEWEST_TERMS = 5;

/** Half a unit of what an array's numbers are rounded to for the page; 0 where they are exact, as whole numbers are. */
function grain({ entry, grain: known }) {
  if (known !== undefined) return known;
  return entry && entry.q && entry.q !== 1 ? entry.q / 2 : 0;
}

/** Whether a sum made in the page is the engine's: slack is what rounding on the way to the page may change. */
function agreement(mine, theirs, slack) {
  const same = Number.isNaN(mine) ? Number.isNaN(theirs) : mine === theirs || Math.abs(mine - theirs) <= slack;
  const coarse = Math.abs(mine - theirs) > 5e-4 * Math.abs(theirs) ? ` ${number(theirs)}, within the rounding of the page’s numbers` : '';
  return { same, text: same ? `✔ the engine’s number${coarse}` : `✘ the engine has ${number(theirs)}` };
}

/** What rounding may change in a sum of products; engines add up in 32 bits too, hence the 1e-5. */
function slackOf(products, [a, b], engine) {
  let slack = grain(engine);
  for (const [x, y] of products) slack += Math.abs(x) * grain(b) + Math.abs(y) * grain(a) + 1e-5 * Math.abs(x * y);
  return Number.isFinite(slack) ? slack : Infinity;
}

/** An element of an array with four axes. */
function cellOf({ shape, data }, a, b, c, d) {
  return data[((a * shape[1] + b) * shape[2] + c) * shape[3] + d];
}

/** The same numbers with axes of length 1 in front, up to four. */
function fourAxes(array) {
  return { ...array, shape: [...Array(Math.max(0, 4 - array.shape.length)).fill(1), ...array.shape] };
}

/** rows × columns numbers as an array of the page. */
function plane(rows, columns, value) {
  // a third axis keeps the kit from wrapping a single row or column
  const shape = rows === 1 || columns === 1 ? [1, rows, columns] : [rows, columns];
  const cell = (_, i) => value(Math.floor(i / columns), i % columns);
  return describe(shape, Float64Array.from({ length: rows * columns }, cell));
}

/**
 * A convolution's weight gradient as the sum it is: dg[f,c,i,j] = Σ_{n,p,q} x[n, c', p·s + i·d, q·s + j·d] · δ[n,f,p,q].
 * Places (n, p, q) are counted in that order by k.
 */
function convolution(lens, state) {
  const [x, delta, dkernel] = [lens.x, lens.delta, lens.dkernel].map((at) => fourAxes(state.array(at)));
  const [images, filters, rows, columns] = delta.shape;
  const [, channels, high, wide] = dkernel.shape;
  const [[down, across], [apart, aside]] = [lens.stride, lens.dilation || [1, 1]];
  const channel = (f, c) => Math.floor(f / (filters / (lens.groups || 1))) * channels + c;
  const place = (k) => [Math.floor(k / (rows * columns)), Math.floor(k / columns) % rows, k % columns];
  const seen = (p, q, i, j) => [p * down + i * apart, q * across + j * aside];
  const pair = (f, c, i, j, n, p, q) => [cellOf(x, n, channel(f, c), ...seen(p, q, i, j)), cellOf(delta, n, f, p, q)];
  const pairs = (f, c, i, j) => Array.from({ length: images * rows * columns }, (_, k) => pair(f, c, i, j, ...place(k)));
  return {
    x, delta, dkernel, images, filters, channels, rows, columns, high, wide, channel, place, seen, pair,
    uses: images * rows * columns,
    contribution: (f, c, i, j, n) => plane(rows, columns, (p, q) => product(pair(f, c, i, j, n, p, q))),
    patch: (f, c, k) => plane(high, wide, (i, j) => product(pair(f, c, i, j, ...place(k)))),
    running: (f, c, i, j) => partialSums(pairs(f, c, i, j).map(product)),
    slack: (f, c, i, j) => slackOf(pairs(f, c, i, j), [x, delta], dkernel),
    filled(f, c, count) {
      return plane(high, wide, (i, j) => {
        let sum = 0;
        for (let k = 0; k < count; k++) sum += product(pair(f, c, i, j, ...place(k)));
        return sum;
      });
    },
  };
}

function product(factors) {
  return factors.reduce((a, b) => a * b, 1);
}

function total(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}

/** [0, a, a + b, …]. */
function partialSums(numbers) {
  const sums = [0];
  for (const x of numbers) sums.push(sums[sums.length - 1] + x);
  return sums;
}

/** Max-pooling's routes in one image and channel: for each window its cells and which of them gets the gradient. */
function poolRoutes(lens, x, upstream, n, c, went) {
  const [rows, columns] = upstream.shape.slice(2);
  const [[high, wide], [down, across], [apart, aside]] = [lens.kernel, lens.stride, lens.dilation || [1, 1]];
  return Array.from({ length: rows * columns }, (_, k) => {
    const [p, q] = [Math.floor(k / columns), k % columns];
    const cells = Array.from({ length: high * wide }, (_, t) => {
      const at = [p * down + Math.floor(t / wide) * apart, q * across + (t % wide) * aside];
      return { at, value: cellOf(x, n, c, ...at) };
    });
    const top = cells.some(({ value }) => Number.isNaN(value)) ? NaN : Math.max(...cells.map(({ value }) => value));
    // rounding can make two numbers equal, or change places: there the engine's gradient tells which was the largest
    const equal = cells.filter(({ value }) => value === top || top - value <= 2 * grain(x));
    const sent = grain(x) && equal.length > 1 && equal.find(({ at }) => went && went(p, q, at));
    const winner = sent || equal.find(({ value }) => value === top) || null;
    return { p, q, cells, winner, ties: equal.length, gradient: cellOf(upstream, n, c, p, q) };
  });
}

/** The products that add up to one element: [{at: 'k = 3', factors: [a, b], product}]; null if the shapes don't fit. */
function elementTerms(terms, state, index) {
  return terms.kind === 'windows' ? windowTerms(terms, state, index) : einsumTerms(terms, state, index);
}

function einsumTerms(terms, state, index) {
  const [inputs, output] = terms.subscripts.split('->');
  const operands = terms.operands.map((at) => state.array(at));
  const labels = inputs.split(',').map((part) => [...part]);
  if (labels.some((part, i) => part.length !== operands[i].shape.length) || output.length !== index.length) return null;
  const length = {};
  labels.forEach((part, i) => part.forEach((label, axis) => {
    length[label] = Math.max(length[label] || 0, operands[i].shape[axis]);
  }));
  const free = [...new Set(labels.flat())].filter((label) => !output.includes(label));
  const count = product(free.map((label) => length[label]));
  const fixed = Object.fromEntries([...output].map((label, axis) => [label, index[axis]]));
  return Array.from({ length: count }, (_, k) => {
    const at = position(k, free.map((label) => length[label]));
    const where = { ...fixed, ...Object.fromEntries(free.map((label, i) => [label, at[i]])) };
    const factors = operands.map(({ shape, data }, i) => data[flatIndex(labels[i].map((label) => where[label]), shape)]);
    return { at: free.map((label, i) => `${label} = ${at[i]}`).join(', '), factors, product: product(factors) };
  });
}

function windowTerms(terms, state, [n, f, p, q]) {
  const [x, kernel] = [state.array(terms.x), state.array(terms.kernel)].map(fourAxes);
  const [filters, channels, high, wide] = kernel.shape;
  const first = Math.floor(f / (filters / (terms.groups || 1))) * channels;
  const [[down, across], [apart, aside]] = [terms.stride, terms.dilation || [1, 1]];
  return Array.from({ length: channels * high * wide }, (_, k) => {
    const [c, i, j] = position(k, [channels, high, wide]);
    const seen = cellOf(x, n, first + c, p * down + i * apart, q * across + j * aside);
    const factors = [seen, cellOf(kernel, f, c, i, j)];
    return { at: `${channels > 1 ? `c = ${c}, ` : ''}i = ${i}, j = ${j}`, factors, product: product(factors) };
  });
}

/** Flat index of a position; an axis of length 1 is broadcast. */
function flatIndex(at, shape) {
  return at.reduce((flat, i, axis) => flat * shape[axis] + (shape[axis] === 1 ? 0 : i), 0);
}

/** The largest terms by magnitude (what is not finite first), the sum of the others, and the sum of all. */
function largestTerms(terms) {
  const size = ({ product: x }) => (Number.isNaN(x) ? Infinity : Math.abs(x));
  const order = [...terms].sort((a, b) => size(b) - size(a) || 0);
  const cut = order.length === FEWEST_TERMS + 1 ? order.length : FEWEST_TERMS;
  const rest = order.slice(cut);
  return { top: order.slice(0, cut), others: rest.length, rest: total(rest.map((t) => t.product)),
    sum: total(terms.map((t) => t.product)) };
}
