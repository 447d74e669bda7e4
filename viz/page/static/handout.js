// The graph as a picture of its own, and the steps on paper.

const LOOKS = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'font-size', 'font-weight',
  'font-family', 'stroke-linejoin', 'opacity', 'visibility', 'text-anchor', 'paint-order', 'image-rendering', 'white-space'];
/** The room of a graph on a sheet. */
const SHEET = [680, 440];

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

/** A button that copies what a function makes. */
function copier(state, name, title, what) {
  const button = h('button', { type: 'button', title, 'aria-label': title, onclick: async () => {
    const done = await copied(state, what());
    button.textContent = done ? 'copied' : 'not allowed';
    state.say(done ? `Copied: ${name}.` : 'This page may not copy.');
    setTimeout(() => { button.textContent = name; }, 1200);
  } }, name);
  return button;
}

/** A button at the graph that copies it. */
function handing(state, drawing, size) {
  return copier(state, 'SVG', 'Copy the graph as SVG', () => new XMLSerializer().serializeToString(pictureOf(drawing, size)));
}

/** Buttons of a page: copy its address, print the step, print all steps. */
function leaving(state, print) {
  const key = (text, title, all) => h('button', { type: 'button', title, 'aria-label': title, onclick: () => print(all) }, text);
  return h('div', { class: 'leaving' }, copier(state, 'link', 'Copy a link to this step', () => location.href),
    key('print', 'Print this step', false), key('print all', 'Print all steps', true));
}

/** One step as it stands on paper: the graph, as much of it as can be read, and the panel with its pictures. */
function sheetOf(state, drawing) {
  const digits = ROOM.digits;
  const written = (on) => {
    if (ROOM.digits !== on) state.panel.again(ROOM.digits = on);
  };
  written(true);
  const text = state.panel.cloneNode(true);
  const canvases = state.panel.querySelectorAll('canvas');
  text.querySelectorAll('canvas').forEach((canvas, i) => {
    const { width, height } = canvases[i].getBoundingClientRect();
    canvas.replaceWith(h('img', { class: 'heat', src: canvases[i].toDataURL(), alt: canvas.getAttribute('aria-label') || '', width, height }));
  });
  written(digits);
  const [graph, part] = [drawing.cloneNode(true), state.view.part(SHEET)];
  const scale = Math.min(1.2, ...SHEET.map((room, i) => room / part[i + 2]));
  build(graph, { viewBox: part.join(' '), style: `width:${part[2] * scale}px;height:${part[3] * scale}px` }, []);
  graph.firstChild.removeAttribute('style');
  const copies = graph.querySelectorAll('.node');
  drawing.querySelectorAll('.node').forEach((group, i) => {
    const place = placeOf(drawing.firstChild, group);
    if ([0, 1].some((k) => place[k] > part[k] + part[k + 2] || place[k + 2] < part[k])) copies[i].remove();
  });
  const product = state.panel.closest('.app').querySelector('.chain .product');
  const of = product && product.closest('.chain').firstChild;
  const chain = product && h('div', { class: 'product' }, of.selectedOptions ? of.selectedOptions[0].text : of.textContent,
    ...[...product.childNodes].map((node) => node.cloneNode(true)));
  return h('section', { class: 'sheet' }, h('div', { class: 'pane' }, graph), chain, text);
}

/** What is printed is sheets, whoever asks for it; returns what prints the step shown, or all. */
function onPaper(state) {
  const drawing = () => state.panel.closest('.app').querySelector('.pane > svg');
  let paper = null;
  const lay = (all) => {
    const [app, here, place] = [state.panel.closest('.app'), state.step, state.view.place()];
    const sheets = all ? state.stops().map((k) => {
      state.look(k);
      return sheetOf(state, drawing());
    }) : [sheetOf(state, drawing())];
    if (all) state.look(here);
    state.view.put(place);
    paper = h('div', { class: 'paper' }, h('h2', {}, state.payload.title), sheets);
    app.append(paper);
    app.classList.add('printing');
  };
  addEventListener('beforeprint', () => paper || !state.panel.isConnected || lay(false));
  addEventListener('afterprint', () => {
    if (!paper) return;
    paper.closest('.app').classList.remove('printing');
    paper.remove();
    paper = null;
  });
  return (all) => {
    lay(all);
    window.print();
  };
}
