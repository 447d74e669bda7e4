// What the marks mean, behind a "?": borders, edges, colours, heat maps, keys.

const BORDERS = [
  ['now', 'intermediate', 'acts in this step (▶)'], ['receives', 'intermediate', 'its gradient arrives'],
  ['reads', 'intermediate', 'its value is read'], ['', 'learned', 'learned: weights and biases'],
  ['', 'constant', 'a constant'], ['path', 'intermediate', 'on the path chosen'], ['dim', 'intermediate', 'not in this step'],
];
const EDGES = [
  ['flow', 'values flow forward'], ['flow returns', 'a gradient goes back'], ['upstream', 'the upstream gradient'],
  ['saved', 'a value kept for the way back'],
];
const KEYS = [
  ['← →', 'the step before, the next'], ['Shift with ← →', 'to the next layer or breakpoint'], ['Home End', 'first, last'],
  ['Space', 'play'], ['/', 'search'], ['b', 'break here'], ['Tab ↑ ↓', 'from part to part; inside one'],
  ['+ −', 'zoom the graph'], ['0', 'the whole graph'], ['1', 'its readable size'],
  ['o c', 'open or close the box that has the focus, or acts, or the frame around it'], ['O C', 'open all; close boxes, then layers'], ['?', 'this legend'],
];

/** The legend: {button, element, toggle()}. */
function legend(state) {
  const sample = (...parts) => s('svg', { width: 44, height: 20, viewBox: '0 0 44 20', 'aria-hidden': 'true' }, parts);
  const border = ([kind, of]) => sample(s('g', { class: `node ${kind}`, 'data-kind': of },
    s('rect', { class: 'box', x: 4, y: 3, width: 36, height: 14, rx: 4 })));
  const edge = ([kind]) => sample(s('g', { class: `edge ${kind}` }, s('path', { d: 'M3 10H41' })));
  const list = (title, rows, look) => h('section', {}, h('h4', {}, title),
    h('dl', {}, rows.flatMap((row) => [h('dt', {}, look(row)), h('dd', {}, row[row.length - 1])])));
  const close = h('button', { type: 'button', 'aria-label': 'Close', onclick: () => toggle(false) }, '✕');
  const element = h('dialog', {
    class: 'help', 'aria-label': 'Legend', onclose: () => toggle(false),
    onclick: (event) => event.target === element && toggle(false),
  });
  const content = () => [close,
    list('Boxes', BORDERS, border), list('Edges', EDGES, edge),
    h('section', {}, h('h4', {}, 'Numbers'), h('p', {}, '— not computed yet · Σ 1 of 2 a sum with terms to come · ',
      h('span', { class: 'number' }, '‖ ‖'), ' the norm · orange: a gradient')),
    ...(['g⁽', 'W⁽'].every((letter) => state.payload.nodes.some(({ name }) => name.startsWith(letter)))
      ? [h('section', {}, h('h4', {}, 'Names'), h('p', {},
        'g⁽ᵏ⁾ is the k-th kernel, W⁽ᵏ⁾ the k-th weight; b⁽ˡ⁾, z⁽ˡ⁾ and a⁽ˡ⁾ are of layer l of all'))] : []),
    h('section', {}, h('h4', {}, 'Heat maps'), h('div', { class: 'ends' }, '−', heatBar(), '+'),
      h('p', {}, 'white is 0; black with × is NaN, with + or − infinite or beyond the colours')),
    list('Keys', KEYS, ([key]) => h('kbd', {}, key))];
  const button = h('button', { type: 'button', class: 'ask', title: 'Legend (?)', 'aria-label': 'Legend',
    'aria-haspopup': 'dialog', onclick: () => toggle() }, '?');

  function toggle(on = !element.open) {
    if (on) {
      element.append(h('div', {}, content()));
      element.showModal();
    } else {
      element.close();
      element.replaceChildren();
    }
  }
  return { button, element, toggle };
}

function heatBar() {
  const steps = Float64Array.from({ length: 41 }, (_, i) => i / 20 - 1);
  const { canvas } = pixels(describe([1, 41], steps), 1);
  canvas.className = 'heat';
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', 'dark blue below 0, white at 0, orange above');
  canvas.setAttribute('style', 'width:160px;height:12px');
  return canvas;
}
