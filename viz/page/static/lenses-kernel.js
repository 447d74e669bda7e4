// The lens on a shared kernel: the gradient of a weight is a sum over all positions it slides over, taken apart two ways.

const PLAYED_IN = 120;

function kernelLens(payload, state, step) {
  const { lens: of, lens: { whole = of } } = step;
  const names = {
    x: nameOfArray(payload, 'value', whole.x, 'x'), delta: nameOfArray(payload, 'gradient', whole.delta, 'δ'), kernel: of.name,
    dkernel: nameOfArray(payload, 'gradient', whole.dkernel, `∂L/∂${of.name}`),
  };
  const arrays = [of.x, of.delta, of.dkernel];
  const cannot = onlyPictures(state, arrays, [names.x, names.delta, names.dkernel]);
  if (cannot) return cannot;
  const sums = { ...convolution(of, state), first: of.first };
  const pick = recall(state, `kernel ${of.dkernel}`, { f: 0, c: 0, i: 0, j: 0, k: 1, by: 'weight' });
  return kernelView(sums, names, pick);
}

/** The badge and sentence, the choices, the maps, what they sum to, the curve and the scrubber. */
function kernelView(sums, names, pick) {
  const view = { sums, names, pick, maps: h('div', { class: 'maps' }), says: h('div'), now: sentence(), curve: h('div') };
  const { uses, images, rows, columns } = sums;
  const each = images > 1 ? `${images} images × ${rows} × ${columns} positions` : `${rows} × ${columns} positions`;
  view.range = h('input', { type: 'range', min: 0, max: uses, value: pick.k, 'aria-label': 'positions added up',
    oninput: () => moveTo(view, Number(view.range.value)) });
  view.play = h('button', { type: 'button', onclick: () => playPlaces(view) }, '▶ add up');
  view.heads = h('div', { class: 'maps' });
  view.choices = h('div', { class: 'choices' });
  drawKernel(view);
  return [
    sentence(h('b', { class: 'badge' }, `${names.kernel} ×${uses}`),
      ` Every weight is used at ${each}; its gradient is the sum over all of them.`, sums.first ? ` The page has ${sums.first}.` : ''),
    view.choices, view.heads, view.maps, view.says, view.curve,
    h('div', { class: 'choices' }, view.play, h('label', { class: 'wide' }, 'position ', view.range)), view.now,
  ];
}

/** Everything anew: another filter, channel or way of adding up. */
function drawKernel(view) {
  const { sums, names, pick } = view;
  const set = (change) => {
    Object.assign(pick, change);
    redraw(view.choices, () => drawKernel(view));
  };
  const ways = ['weight', 'position'].map((way) => h('button', {
    type: 'button', 'aria-pressed': String(pick.by === way), onclick: () => set({ by: way }),
  }, `by ${way}`));
  view.choices.replaceChildren(...[
    h('span', { role: 'group', 'aria-label': 'how to add up' }, ways),
    choice('filter', sums.filters, pick.f, (f) => set({ f })),
    choice('channel', sums.channels, pick.c, (c) => set({ c })),
    choice('image', sums.images, imageOf(view), (n) => set({ k: n * sums.rows * sums.columns + 1 })),
  ].filter(Boolean));
  view.final = plane(sums.high, sums.wide, (i, j) => cellOf(sums.dkernel, pick.f, pick.c, i, j));
  view.grid = planeMap(`${names.dkernel}[${pick.f}, ${pick.c}]`, view.final, pick.by === 'weight' ? {
    room: 110, at: [pick.i, pick.j],
    pick(i, j) {
      Object.assign(pick, { i, j });
      drawMaps(view);
    },
  } : { room: 110 });
  drawMaps(view);
}

/** The image that the current place is in. */
function imageOf({ sums, pick }) {
  return sums.place(Math.max(0, pick.k - 1))[0];
}

/** The maps of the weight, or of the place, chosen. */
function drawMaps(view) {
  const { sums, names, pick } = view;
  const { f, c, i, j, by } = pick;
  view.image = imageOf(view);
  const [high, wide] = sums.x.shape.slice(2);
  const channel = sums.channel(f, c);
  const x = plane(high, wide, (r, q) => cellOf(sums.x, view.image, channel, r, q));
  const delta = plane(sums.rows, sums.columns, (p, q) => cellOf(sums.delta, view.image, f, p, q));
  const click = (p, q) => moveTo(view, (view.image * sums.rows + p) * sums.columns + q + 1);
  // one size of cell: what is multiplied lies at the same distances
  const cell = Math.max(1, Math.min(22, Math.floor(136 / Math.max(high, wide))));
  view.x = planeMap(`${names.x}[${view.image}, ${channel}]`, x, { cell });
  view.delta = planeMap(`${names.delta}[${view.image}, ${f}]`, delta, { cell, click });
  view.product = null;
  if (by === 'weight') {
    view.product = planeMap(`contributions to [${f}, ${c}, ${i}, ${j}]`, sums.contribution(f, c, i, j, view.image), { cell, click });
    view.grid.mark(boxed(i, j));
    // the map whose cells are chosen stays in place: it has the focus
    if (view.grid.element.parentNode !== view.heads) view.heads.replaceChildren(view.grid.element, pickHint());
    view.maps.replaceChildren(view.x.element, glyph('⊙'), view.delta.element, glyph('='), view.product.element);
    drawSum(view);
  } else view.heads.replaceChildren();
  moveTo(view, pick.k);
}

function pickHint() {
  return h('p', { class: 'note' }, 'Hover over a weight, or focus the map and use the arrow keys: its sum is taken apart below.');
}

function glyph(text) {
  return h('span', { class: 'glyph' }, text);
}

/** Sum of the contribution map(s), beside the engine's number; and the curve of the running sum. */
function drawSum(view) {
  const { sums, names, pick: { f, c, i, j } } = view;
  const each = sums.rows * sums.columns;
  view.running = sums.running(f, c, i, j);
  const mine = view.running[sums.uses];
  const theirs = cellOf(sums.dkernel, f, c, i, j);
  const images = Array.from({ length: sums.images }, (_, n) => view.running[(n + 1) * each] - view.running[n * each]);
  view.says.replaceChildren(sentence(`Σ over ${sums.uses} positions = `, h('b', {}, number(mine)),
    `; ${names.dkernel}[${f}, ${c}, ${i}, ${j}] `, agreed(agreement(mine, theirs, sums.slack(f, c, i, j)))));
  if (sums.images > 1) view.says.append(sentence(`by image: ${images.slice(0, 8).map(bracketed).join(' + ')}`,
    images.length > 8 ? ` + … ${images.length - 8} more = ${number(total(images.slice(8)))}` : '', ` = ${number(mine)}`));
  view.curve.replaceChildren(runningCurve(view, theirs));
}

/** The running sum over the places: it ends at the gradient (dashed). A click goes to a place. */
function runningCurve(view, goal) {
  const { running, sums } = view;
  const known = [...running, goal].filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  const y = (value) => (high === low ? 30 : 58 - (value - low) / (high - low) * 56);
  const points = running.map((value, k) => `${k},${y(Number.isFinite(value) ? value : 0).toFixed(2)}`);
  view.needle = s('line', { class: 'needle', y1: 0, y2: 60 });
  const across = (at, look) => s('line', { class: look, x1: 0, x2: sums.uses, y1: y(at), y2: y(at) });
  const drawing = s('svg', {
    class: 'curve', viewBox: `0 0 ${sums.uses} 60`, preserveAspectRatio: 'none', role: 'img',
    'aria-label': `running sum over ${sums.uses} positions: from 0, between ${number(low)} and ${number(high)}, `
      + `to ${number(running[sums.uses])}`,
    onclick: (event) => {
      const box = drawing.getBoundingClientRect();
      moveTo(view, Math.round((event.clientX - box.left) / box.width * sums.uses));
    },
  }, across(0, 'zero'), across(goal, 'goal'), s('polyline', { points: points.join(' ') }), view.needle);
  return h('figure', {}, drawing, h('figcaption', {}, `running sum, 0 → ${number(running[sums.uses])}`,
    h('small', {}, ` between ${number(low)} and ${number(high)}; dashed: the engine’s`)));
}

/** Goes to the k-th place: marks on the maps, the sum so far in words, and in by-place mode the patch and its sum. */
function moveTo(view, k) {
  const { sums, pick } = view;
  pick.k = Math.max(0, Math.min(sums.uses, k));
  view.range.value = pick.k;
  if (imageOf(view) !== view.image) {
    drawMaps(view);
    const image = view.choices.querySelector('label:last-child select');
    if (image) image.value = view.image;
    return;
  }
  const [, p, q] = sums.place(Math.max(0, pick.k - 1));
  const here = pick.k ? boxed(p, q) : [];
  view.delta.mark(here);
  if (pick.by === 'weight') moveInWeight(view, p, q, here);
  else moveInPlace(view, p, q);
}

function moveInWeight(view, p, q, here) {
  const { sums, names, pick: { f, c, i, j, k } } = view;
  const [top, left] = sums.seen(0, 0, i, j);
  const [bottom, right] = sums.seen(sums.rows - 1, sums.columns - 1, i, j);
  view.x.mark(boxed(top, left, bottom - top + 1, right - left + 1, 'window'), k ? boxed(...sums.seen(p, q, i, j)) : []);
  view.product.mark(here);
  view.needle.setAttribute('x1', k);
  view.needle.setAttribute('x2', k);
  if (!k) return view.now.replaceChildren('Nothing is added yet: the running sum is 0.');
  const [n] = sums.place(k - 1);
  const [a, b] = sums.pair(f, c, i, j, n, p, q);
  const [row, column] = sums.seen(p, q, i, j);
  return view.now.replaceChildren(`Position ${k} of ${sums.uses}: ${names.x}[${n}, ${sums.channel(f, c)}, ${row}, ${column}] · `
    + `${names.delta}[${n}, ${f}, ${p}, ${q}] = ${bracketed(a)} × ${bracketed(b)} = ${number(a * b)}; running sum `,
  h('b', {}, number(view.running[k])));
}

function moveInPlace(view, p, q) {
  const { sums, names, pick: { f, c, k } } = view;
  const filled = sums.filled(f, c, k);
  const max = view.final.largest;
  const soFar = planeMap('added up so far', filled, { max, room: 110 });
  view.x.mark(k ? windowMarks(sums, p, q) : []);
  if (!k) {
    view.maps.replaceChildren(view.x.element, glyph('·'), view.delta.element, glyph('→'), soFar.element);
  } else {
    const patch = planeMap(`patch ${k} of ${sums.uses}`, sums.patch(f, c, k - 1), { max, room: 110 });
    view.maps.replaceChildren(view.x.element, glyph('·'), view.delta.element, glyph('='), patch.element, glyph('→'),
      soFar.element, glyph('of'), view.grid.element);
  }
  view.curve.replaceChildren();
  const [n] = sums.place(Math.max(0, k - 1));
  const weights = sums.high * sums.wide;
  view.says.replaceChildren(sentence(k < sums.uses
    ? `${k} of ${sums.uses} positions are added; ‖so far‖ = ${number(filled.norm)}, ‖${names.dkernel}[${f}, ${c}]‖ = ${number(view.final.norm)}`
    : [`All ${sums.uses} positions are added: `, agreed(sameCells(sums, f, c, filled)), ` in ${weights} of ${weights} weights`]));
  view.now.replaceChildren(k ? `Position ${k} of ${sums.uses}, (${p}, ${q}) of image ${n}: the window of ${names.x} times `
    + `${names.delta}[${n}, ${f}, ${p}, ${q}] = ${number(cellOf(sums.delta, n, f, p, q))} is added to all ${weights} weights at once.`
    : 'Nothing is added yet.');
}

/** The cells of the input that the kernel covers at a place: one box, or one for each where the kernel is dilated. */
function windowMarks(sums, p, q) {
  const [top, left] = sums.seen(p, q, 0, 0);
  const [bottom, right] = sums.seen(p, q, sums.high - 1, sums.wide - 1);
  const solid = boxed(top, left, bottom - top + 1, right - left + 1, 'window');
  if (bottom - top + 1 === sums.high && right - left + 1 === sums.wide) return solid;
  return [solid, Array.from({ length: sums.high * sums.wide }, (_, t) => (
    boxed(...sums.seen(p, q, Math.floor(t / sums.wide), t % sums.wide))))];
}

function sameCells(sums, f, c, filled) {
  for (let t = 0; t < sums.high * sums.wide; t++) {
    const [i, j] = [Math.floor(t / sums.wide), t % sums.wide];
    const found = agreement(filled.data[t], cellOf(sums.dkernel, f, c, i, j), sums.slack(f, c, i, j));
    if (!found.same) return { same: false, text: `${found.text} at [${f}, ${c}, ${i}, ${j}]; not all agree` };
  }
  return { same: true, text: '✔ the engine’s numbers' };
}

/** Moves from place to place until all are added; at once where motion is not wanted. */
function playPlaces(view) {
  if (view.timer) return stopPlaces(view);
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return moveTo(view, view.sums.uses);
  if (view.pick.k === view.sums.uses) moveTo(view, 0);
  view.play.textContent = '⏸ stop';
  const stride = Math.max(1, Math.round(view.sums.uses / PLAYED_IN));
  view.timer = setInterval(() => {
    // a lens that was taken off the page plays no more
    if (!view.play.isConnected || view.pick.k >= view.sums.uses) return stopPlaces(view);
    return moveTo(view, view.pick.k + stride);
  }, 40);
  return undefined;
}

function stopPlaces(view) {
  clearInterval(view.timer);
  view.timer = null;
  view.play.textContent = '▶ add up';
}
