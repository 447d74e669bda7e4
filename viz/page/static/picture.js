// A picture in a notebook: it zooms and moves, and its boxes open in their places.

/** Pixels per point; its smallest letters where it opens; how high a picture is at least and at most. */
const [POINT, SMALL, LOWEST, TALLEST] = [4 / 3, 9, 120, 640];

/** Puts in place of the image in a host what can be opened and moved; it is printed as the image. */
function mountPicture(host, stage) {
  const image = host.querySelector('img');
  const drawing = svg(decodeURIComponent(image.src.split(',').slice(1).join(',')));
  [['node', 'box'], ['edge', 'edge'], ['cluster', 'layer']].forEach(([kind, name], k) => {
    drawing.querySelectorAll(`.${kind}`).forEach((group, i) => { group.dataset[name] = stage.order[k][i]; });
  });
  prepared(drawing);
  const size = numbersOf(drawing.getAttribute('viewBox') || '0 0 100 100').slice(2);
  const legend = drawing.querySelector('.legend');
  for (const name of ['role', 'aria-label', 'width', 'height']) drawing.removeAttribute(name);
  const pane = h('div', { class: 'pane', role: 'group', 'aria-label': image.alt }, drawing);
  const app = h('div', { class: 'app drawn', tabindex: -1, role: 'group', 'aria-label': image.alt });
  let last = stage.inside.length ? stage.inside[0].box : -1;
  const state = {
    payload: { stage }, wholePage: false, least: SMALL, prepared, panel: app, say: (text) => say(app, text), acting: () => last,
    calm: () => window.matchMedia('(prefers-reduced-motion: reduce)').matches,
  };
  const built = (i, root) => {
    const group = root.querySelector(`[data-box="${i}"]`);
    build(group, { role: 'button', tabindex: -1 }, []);
    const act = () => units.opens(i) && state.units.toggle(i);
    group.addEventListener('keydown', (event) => event.key === 'Enter' && act());
    group.addEventListener('click', (event) => event.detail < 2 && act());
  };
  const units = unitsOf(state, drawing, built);
  for (const i of units.boxes()) built(i, drawing);
  units.turn([]);
  const full = units.size[1];
  const view = viewOf(state, pane, drawing, size);
  const figure = h('div', { class: 'figure' }, pane, view.map, view.element);
  const groups = () => inSight(drawing, '.node, .head');
  const leadIn = oneStop(pane, groups);
  pane.addEventListener('focusin', ({ target }) => target.matches('.node:focus-visible') && view.look(target));

  function redraw(list) {
    if (list.length === 1) [last] = list;
    for (const { group } of units.edges()) point(group, false);
    if (legend) put(legend, { transform: `translate(0 ${round(units.size[1] - full)})` });
    leadIn(groups()[0]);
    fitted();
  }

  /** As high as the whole needs at its own size, or, where it is too wide for that, at the size at which it opens. */
  function fitted() {
    const scale = Math.max(SMALL / LEGIBLE, Math.min(POINT, (pane.clientWidth - 2 * MARGIN) / size[0]));
    figure.style.height = `${Math.round(Math.max(LOWEST, Math.min(TALLEST, size[1] * scale + 2 * MARGIN + BUTTONS + 2)))}px`;
  }

  Object.assign(state, { view, units: opener(state, units, unfolding(state, units, view, size, redraw)) });
  if (state.units.any) view.element.querySelector('.zoom').prepend(...state.units.buttons);
  app.append(figure, h('div', { class: 'live', 'aria-live': 'polite', role: 'status' }));
  host.attachShadow({ mode: 'open' }).append(h('style', {}, STYLE), app, h('slot', {}));
  listenTo(app, keysOf(state));
  followInk(app, image);
  new ResizeObserver(fitted).observe(app);
  redraw([]);
  view.readable(false);
}

/** A drawing whose boxes, frames and labels are as `unitsOf` takes them; arrow heads are drawn anew. */
function prepared(drawing) {
  for (const group of drawing.querySelectorAll('.node')) group.querySelector('polygon, path').classList.add('box');
  for (const group of drawing.querySelectorAll('.node')) group.setAttribute('transform', 'translate(0 0)');
  for (const group of drawing.querySelectorAll('.cluster')) {
    const old = group.querySelector('path, polygon');
    const [x, y, right, below] = edgesOf(old);
    old.replaceWith(s('rect', { x, y, width: right - x, height: below - y, rx: 8 }));
  }
  for (const group of drawing.querySelectorAll('.edge')) {
    group.querySelectorAll('polygon').forEach((arrow) => arrow.remove());
    const label = [...group.children].filter(({ localName }) => ['text', 'rect'].includes(localName));
    if (label.length) group.append(s('g', { class: 'edge-label' }, label));
  }
  return drawing;
}

/** Keys act while the focus is inside, and none of them leaves: a notebook has its own. */
function listenTo(app, keys) {
  for (const type of ['keydown', 'keyup', 'keypress']) app.addEventListener(type, (event) => {
    event.stopPropagation();
    const act = keys[event.key];
    if (type !== 'keydown' || event.ctrlKey || event.metaKey || event.altKey || !act) return;
    event.preventDefault();
    act(event.target);
  });
  app.addEventListener('pointerdown', (event) => event.target.closest('button, .node, .head') || app.focus({ preventScroll: true }));
}

/** Dark where the notebook is, or where a page without a word on it has light letters. */
function followInk(app, image) {
  image.style.color = 'CanvasText';
  const decide = () => {
    const { jpThemeLight: light, vscodeThemeKind: kind } = document.body.dataset;
    const told = light ? light === 'false' : kind ? kind.includes('dark') : null;
    const dark = told ?? /\(2/.test(getComputedStyle(image).color);
    app.classList.toggle('dark', dark);
    app.style.colorScheme = dark ? 'dark' : 'light';
  };
  const seen = { attributes: true, attributeFilter: ['data-jp-theme-light', 'data-vscode-theme-kind'] };
  new MutationObserver(decide).observe(document.body, seen);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', decide);
  decide();
}

/** The loader's way in: a host with an image, and what is in the boxes of that. */
function openPicture(host, bytes) {
  if (!host.shadowRoot) mountPicture(host, JSON.parse(new TextDecoder().decode(bytes)));
}

window.tracegradPicture = { version: VERSION, open: openPicture };
