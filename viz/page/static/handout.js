// The graph as a picture of its own, and the steps on paper.

const LOOKS = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'font-size', 'font-weight',
  'font-family', 'opacity', 'visibility', 'text-anchor', 'paint-order', 'image-rendering', 'white-space'];

/** The whole graph with the marks it has now, light, as an SVG that needs nothing else. */
function pictureOf(drawing, [width, height]) {
  const copy = drawing.cloneNode(true);
  const app = drawing.closest('.app');
  app.classList.add('light');
  const [from, to] = [drawing, copy].map((root) => [...root.querySelectorAll('*')]);
  to.forEach((element, i) => {
    const look = getComputedStyle(from[i]);
    element.removeAttribute('class');
    element.setAttribute('style', LOOKS.map((name) => `${name}:${look.getPropertyValue(name)}`).join(';'));
  });
  const { backgroundColor } = getComputedStyle(app);
  app.classList.remove('light');
  const space = 12;
  copy.prepend(s('rect', { x: -space, y: -space, width: width + 2 * space, height: height + 2 * space, fill: backgroundColor }));
  const place = { xmlns: SVG, width: width + 2 * space, height: height + 2 * space };
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, value);
  copy.setAttribute('viewBox', `${-space} ${-space} ${width + 2 * space} ${height + 2 * space}`);
  return copy;
}

/** Buttons at the graph: copy it, print the step, print all steps. */
function handing(state, drawing, size) {
  const key = (text, title, onclick) => h('button', { type: 'button', title, 'aria-label': title, onclick }, text);
  const copy = key('SVG', 'Copy the graph as SVG', async () => {
    const done = await copied(state, new XMLSerializer().serializeToString(pictureOf(drawing, size)));
    copy.textContent = done ? 'copied' : 'not allowed';
    state.say(done ? 'Copied as SVG.' : 'This page may not copy.');
    setTimeout(() => { copy.textContent = 'SVG'; }, 1200);
  });
  const all = () => {
    const here = state.step;
    const sheets = state.stops().map((k) => {
      state.goto(k);
      return sheetOf(state, drawing, size);
    });
    state.goto(here);
    onPaper(state, sheets);
  };
  const once = () => onPaper(state, [sheetOf(state, drawing, size)]);
  return state.wholePage ? [copy, key('print', 'Print this step', once), key('print all', 'Print all steps', all)] : [copy];
}

/** One step as it stands on paper: the graph, and the panel with its pictures. */
function sheetOf(state, drawing, size) {
  const text = state.panel.cloneNode(true);
  const canvases = state.panel.querySelectorAll('canvas');
  text.querySelectorAll('canvas').forEach((canvas, i) => {
    const { width, height } = canvases[i].getBoundingClientRect();
    canvas.replaceWith(h('img', { class: 'heat', src: canvases[i].toDataURL(), alt: canvas.getAttribute('aria-label') || '', width, height }));
  });
  const graph = pictureOf(drawing, size);
  // as much of it as can be read
  const [, , width, height] = state.view.seen();
  graph.setAttribute('viewBox', state.view.seen().join(' '));
  graph.setAttribute('width', width);
  graph.setAttribute('height', height);
  return h('section', { class: 'sheet' }, graph, text);
}

function onPaper(state, sheets) {
  const app = state.panel.closest('.app');
  const paper = h('div', { class: 'paper' }, sheets);
  app.append(paper);
  app.classList.add('printing');
  addEventListener('afterprint', () => {
    paper.remove();
    app.classList.remove('printing');
  }, { once: true });
  window.print();
}
