// The payload: steps with what their nodes say of them, and arrays out of the table.

const FAR = 1e4;
const CLIP = { share: 0.98, times: 10, least: 50 };

/** The payload out of its bytes: length of the JSON, the JSON, what becomes payload.blob. */
function decode(bytes) {
  const end = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const payload = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end)));
  payload.blob = bytes.subarray(end);
  const { steps, nodes, frames } = payload;
  const whole = (changed = []) => steps.map((told, k) => complete({ ...told, ...changed[k] }, nodes));
  const units = (changed = []) => payload.units.map(({ shown }, i) => shown.map((told, j) => complete({ ...told, ...(changed[i] || [])[j] }, nodes)));
  for (const frame of frames || []) Object.assign(frame, { steps: whole(frame.steps), units: units(frame.units) });
  Object.assign(payload, { steps: whole(), units: units(), spans: payload.units.map(({ steps: span }) => span.join()) });
  return payload;
}

/** A step with what the payload leaves out because its nodes say it. */
function complete(told, nodes) {
  const { phase, part: [part, parts] = [0, 0] } = told;
  const [node, target] = [nodes[told.node], nodes[told.target ?? told.node]];
  const [forward, backward] = [phase === 'forward', phase === 'backward'];
  const step = {
    title: forward ? `FORWARD  ${node.name}` : `BACKWARD  ${target.name} ← ${node.name}`,
    target: told.node, part: [0, 0], upstream: backward ? node.gradient : null,
    contribution: parts === 1 ? target.gradient : null,
    after: forward ? node.value : phase !== 'start' && part === parts ? target.gradient : null, ...told,
  };
  if (step.formula) {
    step.formula = { left: forward ? target.nameml : target.gradml, ...step.formula };
    step.formula.symbols = step.formula.symbols.map((symbol) => ({ array: (nodes[symbol.node] || {})[symbol.kind], ...symbol }));
  }
  return step;
}

/**
 * An entry of the payload's table of arrays as {shape, size, data, entry, norm, min, max, largest, bad}; data is null
 * for those that travel as a picture. norm, min, max are those of the finite elements, bad says "3 NaN, 1 Inf" or "";
 * largest is the magnitude of full colour; whole is what windows are of. Entries that are made from other ones (a sum, windows) ask read(i) for those.
 * bits: where in the blob digits begin.
 */
function unpack(entry, { blob, bits }, read) {
  const shape = entry.s;
  if (entry.sum) {
    const parts = entry.sum.map(read);
    return { ...describe(shape, broadcast(shape, parts, (...x) => x.reduce((a, b) => a + b, 0)), entry), grain: parts.reduce((all, part) => all + grain(part), 0) };
  }
  if (entry.made) return describe(shape, made(entry.made, shape, read).data, entry);
  if (entry.view != null) {
    const whole = read(entry.view);
    return { ...describe(shape, windowsOf(entry, whole), entry), grain: grain(whole), whole };
  }
  const size = shape.reduce((a, b) => a * b, 1);
  if (entry.grid) {
    const { norm, min, max, most = Math.max(Math.abs(min), Math.abs(max)) || 0, bad = '' } = entry;
    return { shape, size, data: null, entry, norm, min, max, largest: most, bad,
      codes: blob.subarray(entry.o, entry.o + entry.grid[0] * entry.grid[1]) };
  }
  const data = entry.v ? Float64Array.from(entry.v.flat(Infinity), Number) : multiples(entry, blob, bits, size);
  return describe(shape, data, entry);
}

/** Multiples of q: for each its number of binary digits (+32: negative), elsewhere the digits behind the leading 1; and far ones. */
function multiples({ o, b, q, d, far = [] }, blob, bits, size) {
  const data = new Float64Array(size);
  let next = 0;
  let at = (bits + b) * 8;
  let before = 0;
  for (let i = 0; i < size; i++) {
    const code = blob[o + i];
    if (code > 251) data[i] = [code > 252 || far[next++], -Infinity, Infinity, NaN][code - 252];
    else {
      let x = code & 31 ? 1 : 0;
      for (let n = code & 31; n > 1; n--, at++) x = 2 * x + (blob[at >> 3] >> (7 - at % 8) & 1);
      x = (d ? before : 0) + (code & 32 ? -x : x);
      data[i] = x * q;
      before = x;
    }
  }
  return data;
}

/** A function of the elements of arrays that are broadcast to `shape`. */
function broadcast(shape, arrays, f) {
  return Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(...arrays.map((array) => {
    const at = position(i, shape).slice(shape.length - array.shape.length);
    return array.data[array.shape.reduce((flat, n, axis) => flat * n + (n === 1 ? 0 : at[axis]), 0)];
  })));
}

const ARITHMETIC = {
  add: (a, b) => a + b, subtract: (a, b) => a - b, multiply: (a, b) => a * b, divide: (a, b) => a / b,
  negative: (a) => -a, square: (a) => a * a,
};

/** What a formula of arrays gives: ["multiply", 3, ["subtract", {is: 1}, 3]], arrays by their place in the table. */
function made(tree, shape, read) {
  if (!Array.isArray(tree)) return tree.is === undefined ? read(tree) : { shape: [], data: [tree.is] };
  const [name, ...parts] = tree;
  return { shape, data: broadcast(shape, parts.map((part) => made(part, shape, read)), ARITHMETIC[name]) };
}

/** The windows of an image: (…, p, q, i, j) is the image's (…, p·stride + i·dilation, q·stride + j·dilation). */
function windowsOf({ s: shape, stride, dilation }, image) {
  const [height, width] = image.shape.slice(-2);
  const [, columns, down, across] = shape.slice(-4);
  const each = shape.slice(-4).reduce((a, b) => a * b, 1);
  return Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, flat) => {
    const [j, i] = [flat % across, Math.floor(flat / across) % down];
    const window = Math.floor((flat % each) / (across * down));
    const [q, p] = [window % columns, Math.floor(window / columns)];
    const [row, column] = [p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]];
    return image.data[(Math.floor(flat / each) * height + row) * width + column];
  });
}

/** An array made in the page, in the form that unpack gives. */
function describe(shape, data, entry = null) {
  let [squares, min, max, nan, infinite] = [0, Infinity, -Infinity, 0, 0];
  for (const x of data) {
    if (Number.isFinite(x)) {
      squares += x * x;
      if (x < min) min = x;
      if (x > max) max = x;
    } else if (Number.isNaN(x)) nan++;
    else infinite++;
  }
  const bad = [nan && `${nan} NaN`, infinite && `${infinite} Inf`].filter(Boolean).join(', ');
  const largest = fullColour(data, min > max ? 0 : Math.max(Math.abs(min), Math.abs(max)));
  return { shape, size: data.length, data, entry, norm: Math.sqrt(squares), min, max, largest, bad };
}

/** Complex numbers, whose real and imaginary parts travel one after the other, as numbers of two parts; real ones as they are. */
function paired(array) {
  if (!array.data || !array.entry || !array.entry.c) return array;
  const [parts, size] = [array.data, array.size / 2];
  return { ...array, shape: array.shape.slice(1), size, data: parts.slice(0, size), imaginary: parts.slice(size) };
}

/** An element as it is written: "1+2i" of complex numbers. */
function textOf({ data, imaginary }, i) {
  if (!imaginary) return number(data[i]);
  const part = `${number(imaginary[i])}i`;
  if (!data[i] && imaginary[i]) return part;
  return `${number(data[i])}${part.startsWith('−') ? '' : '+'}${part}`;
}

/** All elements as they are written. */
function textsOf(array) {
  const pairs = paired(array);
  return Array.from(pairs.data, (_, i) => textOf(pairs, i));
}

/** The norm, or "3 NaN, 1 Inf" where there is none. */
const sizeOf = (array) => array.bad || `‖${number(array.norm)}‖`;

/**
 * The magnitude of full colour: the largest, without those that stand far above all others, as a mask of −1e9 does; where
 * a few are much larger than nearly all, that of nearly all.
 */
function fullColour(data, largest) {
  if (data.length < CLIP.least && largest < FAR) return largest;
  const sizes = Float64Array.from(data, Math.abs).filter((x) => x > 0 && x < Infinity).sort();
  const gap = largest < FAR ? -1 : sizes.findLastIndex((x, i) => i + 1 < sizes.length && x * FAR < sizes[i + 1]);
  const kept = gap < 0 ? sizes : sizes.subarray(0, gap + 1);
  const most = kept[Math.floor(CLIP.share * (kept.length - 1))] || 0;
  const top = kept.length ? kept[kept.length - 1] : largest;
  return kept.length >= CLIP.least && top > CLIP.times * most ? most : top;
}

/** Whether an element is drawn as the infinite ones are: it stands far above what has full colour. */
function isBeyond(x, max) {
  return Math.abs(x) > max * FAR / 100 && max > 0;
}
