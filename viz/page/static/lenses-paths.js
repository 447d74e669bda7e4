// The lens on paths: a gradient as the sum over all ways from a node to the loss, which reverse mode never lists.

const FEW_PATHS = 200;

function pathsLens(payload, state, step) {
  const body = h('div');
  const listed = Object.keys(payload.paths.nodes).map(Number);
  const pick = recall(state, 'paths', { node: null, step: null });
  // a new step proposes its own node; a choice made at this step stays
  if (pick.step !== state.step) {
    const own = [step.target, step.node].find((node) => listed.includes(node));
    Object.assign(pick, { step: state.step, node: own !== undefined ? own : listed.includes(pick.node) ? pick.node : listed[0] });
  }
  drawPaths(body, payload, state, pick, listed);
  return body;
}

function drawPaths(body, payload, state, pick, listed) {
  const { count, edges, paths } = payload.paths.nodes[pick.node];
  const node = payload.nodes[pick.node];
  const end = payload.loss || payload.nodes[payload.nodes.length - 1].name;
  body.replaceChildren(...[
    h('div', { class: 'choices' }, choice('from', listed.length, listed.indexOf(pick.node), (at) => {
      pick.node = listed[at];
      redraw(body, () => drawPaths(body, payload, state, pick, listed));
    }, (at) => payload.nodes[listed[at]].name)),
    sentence(h('b', {}, `${plural(count, 'path')} through ${plural(edges, 'edge')}`),
      ` from ${node.name} to ${end}. `, cheapness(count, edges, paths)),
    paths ? pathsTable(payload, state, pick.node) : null,
  ].filter(Boolean));
}

function plural(n, what) {
  return `${counted(n)} ${what}${Number(n) === 1 ? '' : 's'}`;
}

/** Why nobody adds up paths. */
function cheapness(count, edges, paths) {
  if (!paths && Number(count) <= FEW_PATHS) {
    return 'The values on the way are arrays, a derivative between two of them is a whole matrix: not listed.';
  }
  if (!paths) return `Too many to list. Reverse mode never lists them: it goes over each of the ${counted(edges)} edges once.`;
  if (Number(count) < 2) return 'With one path the gradient is one product: the chain rule.';
  const products = total(paths.map(({ locals }) => locals.length));
  return `Path by path that is ${products} factors; reverse mode adds up where paths meet and goes over each of the ${edges} edges once.`;
}

function pathsTable(payload, state, from) {
  const { paths } = payload.paths.nodes[from];
  const running = partialSums(paths.map((path) => Number(path.product)));
  const sum = running[paths.length];
  const clear = () => state.highlight();
  const rows = paths.map((path, k) => {
    const mark = () => state.highlight(path.nodes);
    return h('tr', { tabindex: 0, onpointerenter: mark, onpointerleave: clear, onfocus: mark, onblur: clear },
      h('th', { scope: 'row' }, path.nodes.map((node) => payload.nodes[node].name).join(' → ')),
      h('td', { class: 'number' }, path.locals.map(Number).map(bracketed).join(' · ')),
      h('td', { class: 'number' }, number(Number(path.product))), h('td', { class: 'number' }, number(running[k + 1])));
  });
  // the derivatives along paths are those of the last frame of a time travel
  const latest = !payload.frames || state.frame === payload.frames.length - 1;
  const engine = state.array(payload.nodes[from].gradient);
  let found = latest ? '' : `(numbers of “${payload.frames[payload.frames.length - 1].label}”)`;
  if (latest && engine && engine.size === 1) {
    const slack = 1e-5 * total(paths.map(({ product: x }) => Math.abs(Number(x))));
    found = agreed(agreement(sum, engine.data[0], slack));
  }
  const head = ['path', 'derivatives on its edges', 'product', 'sum so far'].map((text) => h('th', { scope: 'col' }, text));
  return h('div', { class: 'scroll' }, h('table', { class: 'paths' }, h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows)),
    sentence(`Sum over all ${paths.length} = `, h('b', {}, number(sum)), `; ${payload.nodes[from].grad} `, found));
}
