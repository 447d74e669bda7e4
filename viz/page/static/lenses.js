// The lenses below a step's text: what the step's numbers are made of. Each is {title, element}.

const chosenIn = new WeakMap();
const ELEMENT_LENS = 'One element';

/** The lenses of a step; none while the quiz hides its result, which they would show. */
function lensesFor(payload, state, step) {
  if (state.quiz && !state.answered.has(state.step)) return [];
  const kinds = { kernel: ['Shared kernel', kernelLens], route: ['Where each gradient went', routeLens],
    bars: ['p − y', barsLens] };
  const [title, make] = (step.lens && kinds[step.lens.kind]) || [];
  return [
    make && { title, element: lens(make, payload, state, step) },
    step.terms && termArrays(step).every((at) => at != null) && { title: ELEMENT_LENS, element: lens(termsLens, payload, state, step) },
    payload.paths && Object.keys(payload.paths.nodes).length
      && { title: 'Paths', element: lens(pathsLens, payload, state, step) },
  ].filter(Boolean);
}

function lens(make, payload, state, step) {
  return h('div', { class: 'lens' }, make(payload, state, step));
}

/** What was chosen in a lens when it was last seen; lenses are made anew at every step. */
function recall(state, key, start) {
  if (!chosenIn.has(state)) chosenIn.set(state, new Map());
  const kept = chosenIn.get(state);
  if (!kept.has(key)) kept.set(key, start);
  return kept.get(key);
}

/** A sentence in place of a lens whose arrays travel only as pictures; null if all have their numbers. */
function onlyPictures(state, arrays, names) {
  const at = arrays.findIndex((index) => !state.array(index).data);
  if (at < 0) return null;
  const { size, shape } = state.array(arrays[at]);
  return h('p', { class: 'note' }, `${names[at]} ${shapeText(shape)} has ${counted(size)} numbers; the page keeps only a picture `
    + 'of arrays this large, so this sum can’t be taken apart here.');
}

function counted(n) {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

/** The name that the graph has for an array, which is the `kind` (value or gradient) of one of its nodes. */
function nameOfArray(payload, kind, index, fallback) {
  const node = payload.nodes.find((each) => each[kind] === index);
  return (node && node[kind === 'value' ? 'name' : 'grad']) || fallback;
}

/** A labelled list to choose 0 … count − 1 from; nothing where there is no choice. */
function choice(label, count, current, choose, text = String) {
  if (count < 2) return null;
  const list = h('select', { onchange: () => choose(Number(list.value)) },
    Array.from({ length: count }, (_, i) => h('option', { value: i, selected: i === current }, text(i))));
  return h('label', {}, `${label} `, list);
}

/** Draws a part anew; the list or button in it that had the focus has it again. */
function redraw(part, draw) {
  const controls = () => [...part.querySelectorAll('select, button')];
  const focused = controls().indexOf(part.getRootNode().activeElement);
  draw();
  if (focused >= 0) controls()[focused].focus();
}

/**
 * A heat map of one plane with room for marks on it: {element, mark(…shapes)}.
 *
 * options: max, room or cell (pixels), click(row, column); pick(row, column) is called on hover and by arrow keys, which start
 * at `at`.
 */
function planeMap(title, array, { max = array.largest, room = 136, cell, click, pick, at } = {}) {
  const [rows, columns] = array.shape.slice(-2);
  const canvas = heatmap(array, {
    max, width: room, height: room, cell, title, click: click && ((i) => click(Math.floor(i / columns), i % columns)),
  });
  const over = s('svg', { class: 'over', viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const frame = h('div', { class: 'framed' }, canvas, over);
  if (pick) pickable(frame, canvas, { title, array, rows, columns, pick, at });
  const caption = h('figcaption', {}, title, ' ', h('small', {}, `±${number(max)}`));
  return { element: h('figure', { class: 'map' }, frame, caption), mark: (...shapes) => over.replaceChildren(...shapes.flat(2)) };
}

/** Hover and arrow keys choose a cell of a map. */
function pickable(frame, canvas, { title, array, rows, columns, pick, at: [row, column] }) {
  canvas.removeAttribute('tabindex');
  canvas.setAttribute('aria-hidden', 'true');
  for (const [name, value] of Object.entries({ tabindex: 0, role: 'group', 'data-keys': '', class: 'framed picked',
    'aria-label': `${title}: choose a cell with the arrow keys` })) frame.setAttribute(name, value);
  const choose = (r, c) => {
    if ((r === row && c === column) || r < 0 || c < 0 || r >= rows || c >= columns) return false;
    [row, column] = [r, c];
    pick(r, c);
    return true;
  };
  frame.addEventListener('pointermove', (event) => {
    const box = canvas.getBoundingClientRect();
    choose(Math.floor((event.clientY - box.top) / box.height * rows), Math.floor((event.clientX - box.left) / box.width * columns));
  });
  frame.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by || event.shiftKey) return;
    if (choose(row + by[0], column + by[1])) say(frame, `row ${row}, column ${column}: ${number(array.data[row * columns + column])}`);
    event.preventDefault();
    event.stopPropagation();
  });
}

/** A rectangle over cells of a map, light under dark so that it is seen on any colour. */
function boxed(row, column, rows = 1, columns = 1, kind = '') {
  return ['halo', `line ${kind}`].map((look) => s('rect', { class: look, x: column, y: row, width: columns, height: rows }));
}

function sentence(...parts) {
  return h('p', { class: 'says' }, ...parts);
}

/** The mark of a comparison, in words as well as colour. */
function agreed({ same, text }) {
  return h('span', { class: same ? 'same' : 'differs' }, text);
}
