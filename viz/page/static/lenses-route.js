// The lens on max-pooling: where the gradient of each window went.

const MOST_WINDOWS = 400;

function routeLens(payload, state, step) {
  const of = step.lens;
  const [xName, upName] = [nameOfArray(payload, 'value', of.x, 'x'), nameOfArray(payload, 'gradient', of.upstream, 'δ')];
  const cannot = onlyPictures(state, [of.x, of.upstream], [xName, upName]);
  if (cannot) return cannot;
  const view = { of, xName, upName, x: fourAxes(state.array(of.x)), upstream: fourAxes(state.array(of.upstream)) };
  view.engine = state.array(step.contribution);
  // windows have two axes more than the image
  view.unpooled = view.engine && view.engine.shape.length <= 4;
  view.pick = recall(state, `route ${of.x}`, { n: 0, c: 0, k: 0 });
  view.body = h('div');
  drawRoute(view);
  return view.body;
}

/** What the engine sent to a cell of a window, where its contribution still has windows, or cells in one window only. */
function sentBy(view, n, c) {
  const { engine, x, upstream, of } = view;
  if (!engine || !engine.data) return null;
  if (view.unpooled) return (p, q, [row, column]) => cellOf({ shape: x.shape, data: engine.data }, n, c, row, column);
  const [rows, columns] = upstream.shape.slice(2);
  const [[high, wide], [down, across], [apart, aside]] = [of.kernel, of.stride, of.dilation || [1, 1]];
  if (engine.size !== upstream.data.length * high * wide) return null;
  return (p, q, [row, column]) => {
    const [i, j] = [(row - p * down) / apart, (column - q * across) / aside];
    return engine.data[((((n * x.shape[1] + c) * rows + p) * columns + q) * high + i) * wide + j];
  };
}

function drawRoute(view) {
  const { x, upstream, of, pick, xName, upName } = view;
  const { n, c } = pick;
  const [high, wide] = x.shape.slice(2);
  const [rows, columns] = upstream.shape.slice(2);
  const sent = sentBy(view, n, c);
  view.routes = poolRoutes(of, x, upstream, n, c, sent);
  const arrived = new Float64Array(high * wide);
  for (const { winner, gradient } of view.routes) if (winner) arrived[winner.at[0] * wide + winner.at[1]] += gradient;
  view.arrived = (row, column) => arrived[row * wide + column];
  const go = (k) => {
    pick.k = k;
    markRoute(view);
  };
  const from = plane(rows, columns, (p, q) => cellOf(upstream, n, c, p, q));
  const max = Math.max(from.largest, ...arrived.map(Math.abs).filter(Number.isFinite));
  const at = [Math.floor(pick.k / columns), pick.k % columns];
  const find = (row, column) => {
    const k = view.routes.findIndex(({ cells }) => cells.some((cell) => cell.at[0] === row && cell.at[1] === column));
    if (k >= 0) go(k);
  };
  view.maps = {
    from: planeMap(`${upName}[${n}, ${c}]`, from, { max, at, pick: (p, q) => go(p * columns + q) }),
    x: planeMap(`${xName}[${n}, ${c}]`, plane(high, wide, (r, q) => cellOf(x, n, c, r, q)), { room: 150, click: find }),
    to: planeMap('where it went', plane(high, wide, view.arrived), { max, room: 150, click: find }),
  };
  const set = (change) => {
    Object.assign(pick, change);
    redraw(view.body, () => drawRoute(view));
  };
  view.words = sentence();
  view.body.replaceChildren(
    sentence(`Of each window of ${of.kernel.join(' × ')} only the largest number counts: it gets the window’s whole gradient, the others 0.`),
    h('div', { class: 'choices' }, choice('image', x.shape[0], n, (to) => set({ n: to })),
      choice('channel', x.shape[1], c, (to) => set({ c: to }))),
    h('div', { class: 'maps' }, view.maps.from.element, glyph('→'), view.maps.x.element, glyph('→'), view.maps.to.element),
    view.words, sentence(`All ${view.routes.length} windows: `, agreed(routeAgreement(view, sent))),
  );
  markRoute(view);
}

/** The page's routing beside the engine's contribution. */
function routeAgreement(view, sent) {
  if (!sent) return { same: true, text: 'the engine’s array is not kept in the page' };
  const slack = (gradient) => 4 * (grain(view.upstream) + grain(view.engine)) + 1e-5 * Math.abs(gradient);
  const off = view.routes.find(({ p, q, cells, winner, gradient }) => cells.some(({ at }) => {
    const mine = view.unpooled ? view.arrived(...at) : winner && winner.at === at ? gradient : 0;
    const theirs = sent(p, q, at);
    return !agreement(mine, theirs, slack(gradient)).same;
  }));
  return off ? { same: false, text: `✘ window (${off.p}, ${off.q}) is another one in the engine` }
    : { same: true, text: '✔ as the engine sent them' };
}

function markRoute(view) {
  const { routes, of, pick, maps, xName, upName } = view;
  const now = routes[Math.min(pick.k, routes.length - 1)];
  const [span, width] = [(of.kernel[0] - 1) * (of.dilation || [1, 1])[0] + 1, (of.kernel[1] - 1) * (of.dilation || [1, 1])[1] + 1];
  const all = routes.length <= MOST_WINDOWS ? routes : [now];
  const window = ({ cells: [{ at }] }, kind) => boxed(at[0], at[1], span, width, kind);
  maps.from.mark(boxed(now.p, now.q));
  maps.x.mark(all.map((route) => window(route, 'faint')), window(now, 'window'), all.map((route) => arrowTo(route, span, width)));
  maps.to.mark(now.winner ? boxed(...now.winner.at) : []);
  view.words.replaceChildren(...routeWords(view, now, xName, upName));
}

/** From the middle of a window to the cell that gets its gradient. */
function arrowTo({ cells, winner }, span, width) {
  if (!winner) return [];
  const [y1, x1] = [cells[0].at[0] + span / 2, cells[0].at[1] + width / 2];
  const [y2, x2] = [winner.at[0] + 0.5, winner.at[1] + 0.5];
  return ['halo', 'line'].map((look) => s('g', { class: look }, s('line', { x1, y1, x2, y2 }),
    s('circle', { cx: x2, cy: y2, r: look === 'halo' ? 0.2 : 0.14 })));
}

function routeWords(view, { p, q, cells, winner, ties, gradient }, xName, upName) {
  const shown = cells.slice(0, 9).map(({ value }) => number(value)).join(', ') + (cells.length > 9 ? ', …' : '');
  const start = `Window (${p}, ${q}): ${shown}. `;
  if (!winner) return [`${start}There is a NaN in it: no number equals the largest, so none gets the gradient.`];
  const others = view.routes.filter((route) => route.winner && String(route.winner.at) === String(winner.at));
  const added = others.map((route) => bracketed(route.gradient)).join(' + ');
  const sum = others.length < 2 ? ''
    : ` ${others.length} windows chose this cell: ${added} = ${number(view.arrived(...winner.at))}.`;
  const blurred = ties > 1 && grain(view.x) ? ` (${ties} can’t be told apart in the page’s rounded numbers.)` : '';
  return [`${start}The ${ties > 1 && !grain(view.x) ? `first of ${ties} equal largest` : 'largest'}, `, h('b', {}, number(winner.value)),
    ` at ${xName}[${winner.at.join(', ')}], gets ${upName}[${p}, ${q}] = `, h('b', {}, number(gradient)), '.', blurred, sum];
}
