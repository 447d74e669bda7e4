// The page's tools: elements, numbers, the payload's arrays, heat maps, and what is let in from a string of markup.
//
// state (made in mount.js, handed to every part): payload, step (index), frame, granularity, quiz, breakpoints (Set),
// opened (Set of lens titles), answered (Set of steps the quiz is done with); of the frame shown: array(i) → unpacked
// array, stepAt(k), valueOf(node) → index of an array; goto(k), refresh(), highlight(boxes, edges) (empty call: back to
// the step's own), say(text), gradientOf(node, k) → {state: 'none' | 'partial' | 'final', part: [k, n], array}.

const SVG = 'http://www.w3.org/2000/svg';
const MATHML = 'http://www.w3.org/1998/Math/MathML';
const FEW = 12;
const ENDS = [[8, 48, 107], [94, 147, 200], [247, 247, 247], [244, 162, 89], [214, 84, 0]];
const GLYPHS = { nan: '×', up: '+', down: '−' };
const FAR = 1e4;
const CUT = '⋮…';
const ROOM = { across: 8 };

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** An HTML element: h('button', {class: 'go', onclick: f}, 'text', child…). Strings become text, never markup. */
function h(tag, attributes, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** An SVG element. */
function s(tag, attributes, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/** A MathML element. */
function m(tag, attributes, ...children) {
  return build(document.createElementNS(MATHML, tag), attributes, children);
}

/** Four significant digits, as Python's '.4g', with a real minus sign. */
function number(x) {
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? 'Inf' : '−Inf';
  const [digits, power] = x.toExponential(3).split('e').map(Number);
  if (x === 0) return '0';
  const text = power < -4 || power >= 4
    ? `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
    : String(Number(x.toPrecision(4)));
  return text.replace(/-/g, '−');
}

/** A number as it stands behind an operator: negative ones in brackets. */
function bracketed(x) {
  return x < 0 ? `(${number(x)})` : number(x);
}

function shapeText(shape) {
  return shape.length ? `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})` : 'scalar';
}

/** The payload out of its bytes: length of the JSON, the JSON, what becomes payload.blob. */
function decode(bytes) {
  const end = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const payload = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end)));
  payload.blob = bytes.subarray(end);
  const { steps, nodes, frames } = payload;
  const whole = (changed = []) => steps.map((told, k) => complete({ ...told, ...changed[k] }, nodes));
  payload.steps = whole();
  for (const frame of frames || []) frame.steps = whole(frame.steps);
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
 * largest is the magnitude of full colour. Entries that are made from other ones (a sum, windows) ask read(i) for those.
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
    return { ...describe(shape, windowsOf(entry, whole), entry), grain: grain(whole) };
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

/** The largest magnitude; without those that stand far above all others, as a mask of −1e9 does. */
function fullColour(data, largest) {
  if (largest < FAR) return largest;
  const sizes = Float64Array.from(data, Math.abs).filter((x) => x > 0 && x < Infinity).sort();
  const gap = sizes.findLastIndex((x, i) => i + 1 < sizes.length && x * FAR < sizes[i + 1]);
  return gap < 0 ? largest : sizes[gap];
}

/** Whether an element is drawn as the infinite ones are: it stands far above what has full colour. */
function isBeyond(x, max) {
  return Math.abs(x) > max * FAR / 100 && max > 0;
}

/** The colours from dark blue over white (0) to orange, as 255 words of r, g, b, a. */
const COLOURS = new Uint32Array(Uint8ClampedArray.from({ length: 255 * 4 }, (_, i) => {
  const at = Math.floor(i / 4) * 4 / 254;
  const [low, c] = [Math.min(3, Math.floor(at)), i % 4];
  return c === 3 ? 255 : ENDS[low][c] + (ENDS[low + 1][c] - ENDS[low][c]) * (at - low);
}).buffer);
const BLACK = new Uint32Array(Uint8Array.of(0, 0, 0, 255).buffer)[0];

/** Where each element stands in the picture: {rows, columns, index}, index[r·columns + c] flat, −1 where nothing is. */
function layout(shape) {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length < 2 || (shape.length === 2 && shape.includes(1))) {
    const columns = Math.max(1, Math.min(32, size));
    const rows = Math.ceil(size / columns);
    return { rows, columns, index: Int32Array.from({ length: rows * columns }, (_, i) => (i < size ? i : -1)) };
  }
  const [height, width] = shape.slice(-2);
  const outer = shape.slice(0, -2).filter((n) => n > 1);
  const count = outer.reduce((a, b) => a * b, 1);
  const across = outer.length > 1 ? outer[outer.length - 1] : squarish(count);
  const down = Math.ceil(count / across);
  const [rows, columns] = [down * (height + 1) - 1, across * (width + 1) - 1];
  const index = new Int32Array(rows * columns).fill(-1);
  for (let i = 0; i < size; i++) {
    const tile = Math.floor(i / (height * width));
    const row = Math.floor(tile / across) * (height + 1) + Math.floor(i / width) % height;
    index[row * columns + (tile % across) * (width + 1) + i % width] = i;
  }
  return { rows, columns, index };
}

function squarish(count) {
  const root = Math.ceil(Math.sqrt(count));
  for (let n = root; n < 2 * root; n++) if (count % n === 0) return n;
  return root;
}

/** Position in the array of a flat index: 7 in (2, 5) is [1, 2]. */
function position(flat, shape) {
  const at = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return at;
}

/** One pixel per element: the raw picture that heat maps and the graph scale up. */
function pixels(array, max) {
  const place = array.data ? layout(array.shape) : { rows: array.entry.grid[0], columns: array.entry.grid[1] };
  const canvas = h('canvas', { width: Math.max(1, place.columns), height: Math.max(1, place.rows) });
  const context = canvas.getContext('2d');
  const image = context.createImageData(canvas.width, canvas.height);
  const words = new Uint32Array(image.data.buffer);
  const glyphs = [];
  for (let i = 0; i < place.rows * place.columns; i++) {
    const x = array.data ? (place.index[i] < 0 ? null : array.data[place.index[i]]) : fromCode(array, i);
    if (x === null) continue;
    const black = !Number.isFinite(x) || isBeyond(x, max);
    if (black) glyphs.push([i % place.columns, Math.floor(i / place.columns), x]);
    const share = max ? Math.max(-1, Math.min(1, x / max)) : 0;
    words[i] = black ? BLACK : COLOURS[Math.round(127 + 127 * share)];
  }
  context.putImageData(image, 0, 0);
  return { canvas, glyphs, ...place };
}

function fromCode(array, i) {
  const code = array.codes[i];
  if (code > 126) return [NaN, Infinity, -Infinity, null][code - 127];
  return (code - 63) / 63 * array.largest;
}

function glyphOf(x) {
  return Number.isNaN(x) ? GLYPHS.nan : x > 0 ? GLYPHS.up : GLYPHS.down;
}

/** The picture of an array at `cell` pixels an element, as a canvas with the glyphs of NaN and ±Inf. */
function paint(canvas, picture, cell, cursor = -1) {
  const context = canvas.getContext('2d');
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture.canvas, 0, 0, picture.columns * cell, picture.rows * cell);
  context.fillStyle = '#fff';
  context.font = `bold ${cell + 1}px monospace`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  if (cell > 4) {
    for (const [column, row, x] of picture.glyphs) {
      context.fillText(glyphOf(x), (column + 0.5) * cell, (row + 0.55) * cell);
    }
  }
  if (cursor < 0) return;
  const [x, y] = [(cursor % picture.columns) * cell, Math.floor(cursor / picture.columns) * cell];
  for (const [look, inset] of [['#000', 0.5], ['#fff', 1.5]]) {
    context.strokeStyle = look;
    context.strokeRect(x + inset, y + inset, Math.max(1, cell - 2 * inset), Math.max(1, cell - 2 * inset));
  }
}

/**
 * A heat map as a canvas: orange above 0, blue below, white at 0.
 *
 * options: max (the magnitude of full colour; give the same to pictures that are compared), width, height (the room
 * there is), cell (pixels an element, instead), title (the array's name), click(flat index).
 * Hovering, or arrow keys on the focused canvas, read one element; Enter or a click hands it to click.
 */
function heatmap(array, { max = array.largest, width = 160, height = 120, cell, title = '', click } = {}) {
  const picture = pixels(array, max);
  const { rows, columns } = picture;
  cell = cell || Math.max(1, Math.min(22, Math.floor(Math.min(width / columns, height / rows))));
  const shrink = Math.min(1, width / (columns * cell), 1.6 * height / (rows * cell));
  const canvas = h('canvas', {
    class: shrink < 1 ? 'heat shrunk' : 'heat', tabindex: 0, role: 'img',
    width: Math.max(1, columns * cell), height: Math.max(1, rows * cell),
    style: shrink < 1 ? `width:${columns * cell * shrink}px;height:${Math.max(6, rows * cell * shrink)}px` : null,
    'aria-label': `${title} ${summary(array)}`.trim(),
  });
  paint(canvas, picture, cell);
  reading(canvas, array, picture, cell, title, click);
  return canvas;
}

/** Lets hover, arrow keys and clicks read single elements of a heat map. */
function reading(canvas, array, picture, cell, title, click) {
  const { rows, columns, index } = picture;
  let cursor = -1;
  const read = (at, aloud) => {
    cursor = at;
    paint(canvas, picture, cell, cursor);
    const text = elementText(array, picture, at, title);
    tip(canvas, text, (at % columns + 1) / columns, (Math.floor(at / columns) + 1) / rows);
    if (aloud) say(canvas, text);
  };
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / box.width * columns);
    const row = Math.floor((event.clientY - box.top) / box.height * rows);
    return Math.max(0, Math.min(rows - 1, row)) * columns + Math.max(0, Math.min(columns - 1, column));
  };
  const leave = () => {
    cursor = -1;
    paint(canvas, picture, cell);
    tip(canvas, '');
  };
  const choose = () => {
    if (click && index && index[cursor] >= 0) click(index[cursor]);
  };
  canvas.addEventListener('pointermove', (event) => under(event) !== cursor && read(under(event), false));
  canvas.addEventListener('pointerleave', leave);
  canvas.addEventListener('blur', leave);
  canvas.addEventListener('click', (event) => {
    read(under(event), false);
    choose();
  });
  canvas.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by !== undefined && !event.shiftKey) {
      const next = cursor < 0 ? 0 : cursor + by;
      if (next >= 0 && next < rows * columns) read(next, true);
    } else if (event.key === 'Enter' && click) choose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function elementText(array, picture, at, title) {
  if (!array.data) {
    const x = fromCode(array, at);
    const far = array.entry.most && Math.abs(x) === Infinity ? `beyond ±${number(array.largest)}: up to ` : '';
    const known = far ? (x > 0 ? array.max : array.min) : x;
    return x === null ? '' : `${array.entry.note || 'reduced'}: ${far || '≈ '}${number(array.bad.includes('Inf') ? x : known)}`;
  }
  const flat = picture.index[at];
  return flat < 0 ? '' : `${title}[${position(flat, array.shape).join(', ')}] = ${number(array.data[flat])}`;
}

/** What a person who can't see a picture of an array is told. */
function summary(array) {
  if (array.size === 1 && array.data) return number(array.data[0]);
  const range = array.min > array.max ? '' : `, from ${number(array.min)} to ${number(array.max)}`;
  return `${shapeText(array.shape)}${range}, norm ${number(array.norm)}${array.bad ? `, ${array.bad}` : ''}`;
}

/** Shows a short text at a place of an element (fractions of its width and height); empty: hides it. */
function tip(element, text, x = 1, y = 1) {
  const app = element.closest('.app');
  const box = app && app.querySelector('.tip');
  if (!box) return;
  box.textContent = text;
  box.hidden = !text;
  if (!text) return;
  const [place, from] = [element.getBoundingClientRect(), app.getBoundingClientRect()];
  const left = Math.min(place.left - from.left + x * place.width + 6, from.width - box.offsetWidth - 4);
  box.style.left = `${Math.max(0, left)}px`;
  box.style.top = `${place.top - from.top + y * place.height + 6}px`;
}

/** Puts a sentence into the live region of the step view that `element` is in. */
function say(element, text) {
  const app = element.closest('.app');
  if (app) app.querySelector('.live').textContent = text;
}

/** The lines of a small array, leading axes stacked: lists of flat indices, −1 and −2 for the "…" and "⋮" of what has no room. */
function rowsOf({ shape, size }, { across = ROOM.across, down = 6, column = false } = {}) {
  const columns = column || !shape.length ? 1 : shape[shape.length - 1];
  const cut = (n, most) => (n > most ? [...Array(most - 2).keys(), -1, n - 1] : [...Array(n).keys()]);
  return cut(size / columns, down).map((r) => cut(columns, across).map((c) => (r < 0 ? -2 : c < 0 ? -1 : r * columns + c)));
}

/** A small array: its number, or a table of numbers in brackets. options: click(flat index), title, those of rowsOf. */
function matrix(array, { click, title = '', ...room } = {}) {
  if (!array.size) return h('span', { class: 'number' }, 'empty');
  const cell = (tag, i) => (i < 0 ? h(tag, {}, CUT[i + 2]) : h(tag, {
    class: `number${Number.isFinite(array.data[i]) ? '' : ' bad'}`, onclick: click && (() => click(i)),
    tabindex: click && 0, onkeydown: click && ((event) => event.key === 'Enter' && click(i)),
  }, number(array.data[i])));
  if (!array.shape.length) return cell('span', 0);
  return h('table', { class: 'matrix', 'aria-label': title || null },
    h('tbody', {}, rowsOf(array, room).map((row) => h('tr', {}, row.map((i) => cell('td', i))))));
}

/** The same as MathML: a number, or a bracketed table; a vector is a row unless room.column says otherwise. */
function matrixML(array, room) {
  if (!array.size) return m('mtext', {}, 'empty');
  const cell = (i) => (i < 0 ? m('mo', {}, CUT[i + 2]) : array.data[i] < 0
    ? m('mrow', {}, m('mo', { form: 'prefix' }, '−'), m('mn', {}, number(-array.data[i])))
    : m('mn', {}, number(array.data[i])));
  if (array.size === 1 && !array.shape.length) {
    return array.data[0] < 0 ? m('mrow', {}, m('mo', {}, '('), cell(0), m('mo', {}, ')')) : cell(0);
  }
  return m('mrow', {}, m('mo', { fence: 'true' }, '['),
    m('mtable', {}, rowsOf(array, room).map((row) => m('mtr', {}, row.map((i) => m('mtd', {}, cell(i)))))),
    m('mo', { fence: 'true' }, ']'));
}

/** An array in the form its size asks for: numbers, a heat map, or a picture with its edge items. */
function show(array, options = {}) {
  if (array.data && array.size <= (options.few || FEW)) return matrix(array, options);
  const picture = heatmap(array, options);
  if (array.data || !array.entry.edge || options.plain) return picture;
  const rows = array.entry.edge;
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const items = rows.map((row) => row.map((text, c) => text.padStart(widths[c])).join(' ')).join('\n');
  return h('div', {}, picture, h('pre', { class: 'items' }, items));
}

const ALLOWED = {
  [SVG]: ['svg g path polygon polyline ellipse rect circle line text tspan title desc image',
    `width height viewBox preserveAspectRatio class transform d points cx cy r rx ry x y x1 y1 x2 y2 dx dy fill stroke
     stroke-width stroke-dasharray stroke-linecap opacity fill-opacity stroke-opacity font-family font-size font-weight
     font-style text-anchor dominant-baseline data-box data-slot data-edge data-layer role aria-label href xml:space`],
  [MATHML]: ['math mrow mi mn mo ms mtext mspace mfrac msup msub msubsup msqrt mroot mover munder munderover'
    + ' mtable mtr mtd mstyle mpadded mphantom mmultiscripts mprescripts',
    `data-symbol display displaystyle scriptlevel mathvariant form fence separator stretchy symmetric largeop
     lspace rspace movablelimits accent accentunder linethickness columnalign width height depth voffset class columnspan rowspan
     minsize maxsize`],
};
for (const [space, lists] of Object.entries(ALLOWED)) ALLOWED[space] = lists.map((list) => new Set(list.split(/\s+/)));

/** A copy of parsed markup that holds only known elements, known attributes and text. */
function admitted(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  const [tags, names] = ALLOWED[node.namespaceURI] || [];
  if (!tags || !tags.has(node.localName)) return null;
  const copy = document.createElementNS(node.namespaceURI, node.localName);
  for (const { name, localName, value } of node.attributes) {
    if (localName === 'href' ? /^data:image\/png;base64,[\w+/=]*$/.test(value) : names.has(name)) {
      copy.setAttribute(localName === 'href' ? 'href' : name, value);
    }
  }
  copy.append(...Array.from(node.childNodes, admitted).filter(Boolean));
  return copy;
}

function parsed(text, type) {
  const page = new DOMParser().parseFromString(text, type);
  return page.getElementsByTagName('parsererror').length ? null : page.documentElement;
}

/** A string of SVG as an element, without anything that could run or load. */
function svg(text) {
  const root = parsed(text, 'image/svg+xml');
  return (root && admitted(root)) || s('svg', {});
}

/** A string of MathML (a <math>, or what stands in one) as a <math> element; null if it is not well-formed. */
function mathml(text) {
  const root = parsed(`<math xmlns="${MATHML}">${text}</math>`, 'application/xml');
  if (!root) return null;
  const only = root.children.length === 1 && root.firstElementChild.localName === 'math';
  return admitted(only ? root.firstElementChild : root);
}
