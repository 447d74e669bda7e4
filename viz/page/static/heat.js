// Arrays as pictures and as numbers: heat maps, colour bars, tables.

const ENDS = [[8, 48, 107], [94, 147, 200], [247, 247, 247], [244, 162, 89], [214, 84, 0]];
const GLYPHS = { nan: '×', up: '+', down: '−' };
const CUT = '⋮…';
const ROOM = { across: 8 };
/** Arrays of so many elements travel exactly: they can be shown as numbers. */
const EXACT = 64;
const STRIP = 160;

/** The colours from dark blue over white (0) to orange, as 255 words of r, g, b, a. */
const COLOURS = new Uint32Array(Uint8ClampedArray.from({ length: 255 * 4 }, (_, i) => {
  const at = Math.floor(i / 4) * 4 / 254;
  const [low, c] = [Math.min(3, Math.floor(at)), i % 4];
  return c === 3 ? 255 : ENDS[low][c] + (ENDS[low + 1][c] - ENDS[low][c]) * (at - low);
}).buffer);
const BLACK = new Uint32Array(Uint8Array.of(0, 0, 0, 255).buffer)[0];

/** Where each element stands in the picture: {rows, columns, index}, index[r·columns + c] flat, −1 where nothing is. */
function layout(shape, column) {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length < 2 || (shape.length === 2 && shape.includes(1))) {
    const line = Math.max(1, size <= STRIP ? size : 32);
    const [columns, rows] = column && size <= STRIP ? [1, line] : [line, Math.ceil(size / line)];
    return { rows, columns, index: Int32Array.from({ length: rows * columns }, (_, i) => (i < size ? i : -1)) };
  }
  const [height, width] = shape.slice(-2);
  const outer = shape.slice(0, -2).filter((n) => n > 1);
  // windows: each image as the grid of its patches
  const patches = outer.length > 2 ? outer.splice(-2) : null;
  const images = outer.reduce((a, b) => a * b, 1);
  const around = outer.length > 1 ? outer[outer.length - 1] : squarish(images);
  const inner = patches ? grid(patches[0] * patches[1], patches[1], height, width, 1) : grid(1, 1, height, width, 0);
  const all = grid(images, around, inner.rows, inner.columns, patches ? 3 : 1);
  const index = new Int32Array(all.rows * all.columns).fill(-1);
  const each = size / images;
  for (let i = 0; i < size; i++) {
    const [row, across] = inner.at(i % each);
    const [top, left] = all.corner(Math.floor(i / each));
    index[(top + row) * all.columns + left + across] = i;
  }
  return { rows: all.rows, columns: all.columns, index };
}

/** Tiles of height × width with gaps between them: how large it is, and where a tile and an element of them stand. */
function grid(count, around, height, width, gap) {
  const corner = (tile) => [Math.floor(tile / around) * (height + gap), (tile % around) * (width + gap)];
  const at = (i) => {
    const [top, left] = corner(Math.floor(i / (height * width)));
    return [top + Math.floor(i / width) % height, left + i % width];
  };
  return { rows: Math.ceil(count / around) * (height + gap) - gap, columns: around * (width + gap) - gap, corner, at };
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
function pixels(array, max, column) {
  const place = array.data ? layout(array.shape, column) : { rows: array.entry.grid[0], columns: array.entry.grid[1] };
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
 * there is), cell (pixels an element, instead), title (the array's name), click(flat index), column (a vector stands).
 * Hovering, or arrow keys on the focused canvas, read one element; Enter or a click hands it to click.
 */
function heatmap(array, { max = array.largest, width = 160, height = 120, cell, title = '', click, column } = {}) {
  const picture = pixels(array, max, column);
  const { rows, columns } = picture;
  cell = cell || Math.max(1, Math.min(22, Math.floor(Math.min(width / columns, height / rows))));
  const shrink = Math.min(1, width / (columns * cell), 1.6 * height / (rows * cell));
  // lines of one element are wide enough to be seen
  const size = [[columns, rows], [rows, columns]].map(([n, other]) => Math.max(n * cell * shrink, n === 1 && other > 1 ? 12 : 6));
  const canvas = h('canvas', {
    class: shrink < 1 ? 'heat shrunk' : 'heat', tabindex: 0, role: 'img',
    width: Math.max(1, columns * cell), height: Math.max(1, rows * cell),
    style: size[0] === columns * cell && size[1] === rows * cell ? null : `width:${size[0]}px;height:${size[1]}px`,
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
  if (flat < 0) return '';
  const { shape, size, imaginary } = paired(array);
  const part = imaginary ? `${flat < size ? 'Re' : 'Im'} ` : '';
  return `${part}${title}[${position(flat % size, shape).join(', ')}] = ${number(array.data[flat])}`;
}

/** What a person who can't see a picture of an array is told. */
function summary(array) {
  const pairs = paired(array);
  if (pairs.size === 1 && array.data) return textOf(pairs, 0);
  const range = array.min > array.max ? '' : `, from ${number(array.min)} to ${number(array.max)}`;
  return `${shapeText(pairs.shape)}${range}, norm ${number(array.norm)}${array.bad ? `, ${array.bad}` : ''}`;
}

/** The lines of a small array, leading axes stacked: lists of flat indices, −1 and −2 for the "…" and "⋮" of what has no room. */
function rowsOf({ shape, size }, { across = ROOM.across, down = 6, column = false } = {}) {
  const columns = column || !shape.length ? 1 : shape[shape.length - 1];
  const cut = (n, most) => (n > most ? [...Array(most - 2).keys(), -1, n - 1] : [...Array(n).keys()]);
  return cut(size / columns, down).map((r) => cut(columns, across).map((c) => (r < 0 ? -2 : c < 0 ? -1 : r * columns + c)));
}

/** A small array: its number, or a table of numbers in brackets. options: click(flat index), title, those of rowsOf. */
function matrix(numbers, { click, title = '', ...room } = {}) {
  const array = paired(numbers);
  if (!array.size) return h('span', { class: 'number' }, 'empty');
  const cell = (tag, i) => (i < 0 ? h(tag, {}, CUT[i + 2]) : h(tag, {
    class: `number${Number.isFinite(array.data[i]) ? '' : ' bad'}`, onclick: click && (() => click(i)),
    tabindex: click && 0, onkeydown: click && ((event) => event.key === 'Enter' && click(i)),
  }, textOf(array, i)));
  if (!array.shape.length) return cell('span', 0);
  return h('table', { class: 'matrix', 'aria-label': title || null },
    h('tbody', {}, rowsOf(array, room).map((row) => h('tr', {}, row.map((i) => cell('td', i))))));
}

/** The same as MathML: a number, or a bracketed table; a vector is a row unless room.column says otherwise. */
function matrixML(numbers, room) {
  const array = paired(numbers);
  if (!array.size) return m('mtext', {}, 'empty');
  const cell = (i) => (i < 0 ? m('mo', {}, CUT[i + 2]) : array.imaginary ? m('mn', {}, textOf(array, i)) : array.data[i] < 0
    ? m('mrow', {}, m('mo', { form: 'prefix' }, '−'), m('mn', {}, number(-array.data[i])))
    : m('mn', {}, number(array.data[i])));
  if (array.size === 1 && !array.shape.length) {
    return array.data[0] < 0 || array.imaginary ? m('mrow', {}, m('mo', {}, '('), cell(0), m('mo', {}, ')')) : cell(0);
  }
  return m('mrow', {}, m('mo', { fence: 'true' }, '['),
    m('mtable', {}, rowsOf(array, room).map((row) => m('mtr', {}, row.map((i) => m('mtd', {}, cell(i)))))),
    m('mo', { fence: 'true' }, ']'));
}

/** An array in the form its size asks for: numbers, a heat map, or a picture with its edge items; scale: with a colour bar. */
function show(array, options = {}) {
  if (array.data && array.size <= (options.few || FEW)) return matrix(array, options);
  const picture = heatmap(array, options);
  const bar = options.scale && colourBar(array, options.max || array.largest);
  const rows = !array.data && !options.plain && array.entry.edge;
  if (!bar && !rows) return picture;
  const note = bar && array.entry && array.entry.note;
  return h('div', { class: 'pictured' }, picture, bar, rows && edgeItems(rows), note && h('small', {}, note));
}

function edgeItems(rows) {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  return h('pre', { class: 'items' }, rows.map((row) => row.map((text, c) => text.padStart(widths[c])).join(' ')).join('\n'));
}

/** Which colour is which number, and what lies beyond. */
function colourBar(array, max) {
  if (array.min === 0 && array.max === 0) return h('div', { class: 'scale' }, h('small', {}, 'all 0'));
  if (!max || array.min > array.max) return null;
  const [low, high] = [array.min < 0 ? -max : 0, array.max > 0 ? max : 0];
  const stops = ENDS.slice(low ? 0 : 2, high ? 5 : 3).map((rgb) => `rgb(${rgb.join()})`);
  const far = [array.min, array.max].filter((x) => isBeyond(x, max)).map((x) => `${glyphOf(x)} on black: ${number(x)}`);
  const past = (x) => Number.isFinite(x) && Math.abs(x) > max * 1.001 && !isBeyond(x, max);
  const kept = array.data ? array.data.filter(past) : [array.min, array.max].filter(past);
  const top = kept.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  const cut = top ? `${array.data ? `${counted(kept.length)} of ${counted(array.size)} ` : ''}beyond, to ±${number(top)}` : '';
  const said = [cut, ...new Set(far)].filter(Boolean).join(', ');
  return h('div', { class: 'scale' }, h('div', { class: 'ends' }, h('span', {}, number(low)),
    h('i', { style: `background:linear-gradient(90deg,${stops.join()})` }), h('span', {}, number(high))), said && h('small', {}, said));
}
