// The address of a page that is one step view: #step=19 and #unit=z1 lead to a step, and it follows the step shown, and
// which boxes are open, by their numbers.

/** The step that an address asks for; undefined where it asks for none that is there. */
function stepOfAddress({ payload: { nodes, steps, stage, layers } }, hash) {
  const asked = new URLSearchParams(hash.slice(1).replace(/\+/g, '%2B'));
  if (asked.has('step')) {
    const k = Number(asked.get('step') || NaN);
    return Number.isInteger(k) ? (k < 0 ? k + steps.length : k) : undefined;
  }
  const unit = asked.get('unit');
  if (!unit) return undefined;
  // z1 is z⁽¹⁾, W2 is W²
  const plain = (name) => name.normalize('NFKC').replace(/[()\s]/g, '');
  for (const alike of [(name) => name === unit, (name) => plain(name) === plain(unit)]) {
    const value = nodes.find(({ name }) => name && alike(name));
    if (value) return value.first;
    const n = nodes.findIndex(({ grad }) => grad && alike(grad));
    if (n >= 0) return originOf({ payload: { nodes, steps } }, 'gradient', n);
    const layer = layers.findIndex(({ path, title }) => alike(path) || alike(title));
    const inside = stage.boxes.find(({ shown }) => layer >= 0 && nodes[shown].layer === layer && nodes[shown].first);
    if (inside) return nodes[inside.shown].first;
  }
  return undefined;
}

/** Goes where the address says, now and whenever it changes; and keeps it at the step shown. */
function followAddress(state, host) {
  const go = () => {
    const { hash } = location;
    const asked = new URLSearchParams(hash.slice(1)).get('open');
    if (asked) state.units.only(asked.split(',').map(Number));
    const k = stepOfAddress(state, hash);
    if (k !== undefined) state.goto(k);
  };
  go();
  addEventListener('hashchange', go);
  host.addEventListener('tracegrad:step', ({ detail: { step, open } }) => {
    try {
      history.replaceState(history.state, '', `#step=${step}${open && open.length ? `&open=${open.join()}` : ''}`);
    } catch { /* a frame may not, and no browser often in a second */ }
  });
}
