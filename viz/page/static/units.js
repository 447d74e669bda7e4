// Units: a box opens in its place, and the rest of the drawing makes room. What is in a box is a drawing of its own; all
// places in a drawing go through one map for x and one for y, which stretch what is beside an open box and shrink nothing:
// so boxes keep their order and do not meet. All is counted from where Graphviz has put it, hence closing brings that back.

const [HEAD, INSET] = [20, 8];

/**
 * What is open in a drawing, and what is in sight: boxes(), edges(), frames(). `built(i, root)` is told of each box of a
 * drawing that is opened for the first time.
 */
function unitsOf(state, drawing, built) {
  const { payload: { stage, nodes = [] }, prepared = (root) => root } = state;
  const inside = new Map(stage.inside.map((level) => [level.box, level]));
  const open = new Set();
  const [made, drawn] = [new Map(), new Map()];
  const boxes = [];
  const top = levelOf(drawing, { first: 0, edge: 0, layers: stage.layers });

  /** A drawing as data: its boxes, edges and frames, and where they are. */
  function levelOf(root, { first, edge, layers = [], words }) {
    const [width, height] = (root.getAttribute('viewBox') || '0 0 100 100').split(/[\s,]+/).map(Number).slice(2);
    const ground = root.querySelector('.graph') || root;
    const origin = numbersOf(ground.getAttribute('transform') || '0 0').map((x) => -x);
    const level = { root, ground, size: [width, height], origin, boxes: new Map(), edges: [], frames: [], open: new Set() };
    for (const group of root.querySelectorAll('[data-box]')) {
      const own = Number(group.dataset.box);
      const i = own + first;
      group.dataset.box = i;
      if (words) group.querySelectorAll(':scope > text').forEach((text, k) => { text.textContent = words[own][k]; });
      const { textContent: title } = group.querySelector('text') || group;
      const box = { i, group, level, title, at: group.getAttribute('transform') };
      const [left, above] = numbersOf(box.at);
      const [x, y, right, below] = edgesOf(group.querySelector('.box'));
      box.place = [left + x, above + y, left + right, above + below];
      box.corner = [x, y];
      level.boxes.set(i, boxes[i] = box);
      if (inside.has(i)) group.setAttribute('aria-expanded', 'false');
      if (inside.has(i)) sign(group, '+', [right, y + 13], () => state.units.toggle(i));
    }
    for (const group of root.querySelectorAll('[data-edge]')) {
      const e = Number(group.dataset.edge) + edge;
      group.dataset.edge = e;
      const path = group.querySelector('path');
      const { tail, head } = stage.edges[e];
      const label = group.querySelector(':scope > .edge-label');
      if (path) level.edges.push({ e, tail, head, group, path, label, d: path.getAttribute('d') });
    }
    const labels = root.querySelectorAll('.frame-label');
    root.querySelectorAll('.cluster').forEach((group, k) => {
      const rect = group.querySelector('rect');
      const texts = labels[k] ? [...labels[k].querySelectorAll('text, rect')] : [];
      level.frames.push({
        group, rect, layer: layers[Number(group.dataset.layer)], place: edgesOf(rect),
        texts: texts.map((text) => ({ text, at: ['x', 'y'].map((name) => text.getAttribute(name)) })),
      });
    });
    return level;
  }

  /** The frame that stands in the place of box i while it is open. */
  function unitOf(i) {
    if (made.has(i)) return made.get(i);
    const told = inside.get(i);
    if (!drawn.has(told.svg)) drawn.set(told.svg, prepared(svg(stage.svgs[told.svg])));
    const level = levelOf(drawn.get(told.svg).cloneNode(true), told);
    const title = told.title || boxes[i].title;
    const frame = s('rect', { class: 'frame', rx: 8 });
    const text = s('text', { x: 10, y: 14 });
    const head = s('g', {
      class: 'head', role: 'button', tabindex: -1, 'aria-expanded': 'true', 'aria-label': `Close ${title}`, 'data-unit': i,
    }, s('rect', { height: HEAD, rx: 8 }), text);
    head.addEventListener('click', (event) => event.detail < 2 && state.units.toggle(i));
    head.addEventListener('keydown', (event) => event.key === 'Enter' && state.units.toggle(i));
    const content = s('g', {}, level.ground);
    const unit = { i, level, title, frame, head, text, content, group: s('g', { class: 'unit' }, frame, head, content) };
    unit.sign = sign(head, '−', [0, 0], () => state.units.toggle(i));
    made.set(i, unit);
    for (const box of level.boxes.values()) built(box.i, level.ground);
    return unit;
  }

  /** Lays out a drawing with what is open in it; returns its size. */
  function arrange(level) {
    const bands = [[], []];
    for (const i of level.open) {
      const unit = made.get(i);
      const size = arrange(unit.level);
      unit.size = [Math.max(size[0] + 2 * INSET, boxes[i].title.length * LETTER + 40), size[1] + HEAD + INSET];
      const { place } = boxes[i];
      [0, 1].forEach((axis) => {
        const [from, to] = [place[axis], place[axis + 2]];
        const more = unit.size[axis] - (to - from);
        if (more > 0) bands[axis].push([from, to, more / (to - from)]);
      });
      const spare = (unit.size[0] - size[0]) / 2;
      unit.content.setAttribute('transform', `translate(${round(spare)} ${HEAD})`);
      for (const part of [unit.frame, unit.head.firstChild]) part.setAttribute('width', round(unit.size[0]));
      unit.frame.setAttribute('height', round(unit.size[1]));
      unit.sign.setAttribute('transform', `translate(${round(unit.size[0] - 13)} 12)`);
      const letters = Math.floor((unit.size[0] - 36) / LETTER);
      unit.text.textContent = unit.title.length > letters ? `${unit.title.slice(0, letters - 1)}…` : unit.title;
    }
    const still = !level.open.size;
    const maps = bands.map(stretched);
    const moved = new Map();
    for (const box of level.boxes.values()) {
      const unit = level.open.has(box.i) ? made.get(box.i) : null;
      const old = [0, 1].map((axis) => box.place[axis + 2] - box.place[axis]);
      const size = unit ? unit.size : old;
      const centre = [0, 1].map((axis) => (box.place[axis] + box.place[axis + 2]) / 2);
      const middle = [0, 1].map((axis) => unit
        ? (maps[axis](box.place[axis]) + maps[axis](box.place[axis + 2])) / 2 : maps[axis](centre[axis]));
      moved.set(box.i, { centre, middle, old, size });
      const corner = middle.map((at, axis) => round(at - size[axis] / 2 - (unit ? 0 : box.corner[axis])));
      put(unit ? unit.group : box.group, { transform: still ? box.at : `translate(${corner.join(' ')})` });
    }
    for (const edge of level.edges) {
      const [d, far] = still ? [edge.d, [0, 0]] : bent(edge, maps, moved);
      if (edge.path.getAttribute('d') === d) continue;
      edge.path.setAttribute('d', d);
      edge.group.querySelectorAll('polygon').forEach((arrow) => arrow.remove());
      if (edge.label) edge.label.setAttribute('transform', `translate(${far.map(round).join(' ')})`);
    }
    for (const { rect, place, texts } of level.frames) {
      const [left, above, right, below] = place.map((at, k) => maps[k % 2](at));
      put(rect, { x: round(left), y: round(above), width: round(right - left), height: round(below - above) });
      for (const { text, at } of texts) {
        const [x, y] = at.map((was, axis) => (still ? was : round(Number(was) + [left, above][axis] - place[axis])));
        put(text, { x, y });
      }
    }
    level.now = level.size.map((size, axis) => maps[axis](level.origin[axis] + size) - level.origin[axis]);
    return level.now;
  }

  function set(i, on) {
    if (open.has(i) === on) return;
    const unit = unitOf(i);
    open[on ? 'add' : 'delete'](i);
    boxes[i].level.open[on ? 'add' : 'delete'](i);
    const [from, to] = on ? [boxes[i].group, unit.group] : [unit.group, boxes[i].group];
    from.replaceWith(to);
  }

  /** Opens or closes boxes, those around them too where they open. */
  function change(list, on) {
    for (const i of list) {
      const around = [];
      for (let p = stage.boxes[i].in; on && p !== undefined; p = stage.boxes[p].in) around.unshift(p);
      for (const one of [...around, i]) set(one, on);
    }
    units.size = arrange(top);
    inSight = seen();
  }

  const chains = new Map();
  /** The boxes that the record n is in, from its own to the outermost. */
  function chain(n) {
    if (!chains.has(n)) {
      const found = [];
      for (let i = nodes[n].box; i !== undefined && i >= 0; i = stage.boxes[i].in) found.push(i);
      chains.set(n, found);
    }
    return chains.get(n);
  }

  const levels = (level) => [level, ...[...level.open].flatMap((i) => levels(made.get(i).level))];
  const seen = () => ({
    boxes: levels(top).flatMap((level) => [...level.boxes.keys()].filter((i) => !open.has(i))),
    edges: levels(top).flatMap((level) => level.edges),
    frames: levels(top).flatMap((level) => level.frames),
  });
  let inSight = seen();
  const units = {
    size: top.size, opens: (i) => inside.has(i), isOpen: (i) => open.has(i), list: () => [...open], change, chain,
    every: [...inside.keys()],
    /** The box that shows what is in box i: itself, or the outermost closed one around it. */
    visible(i) {
      let found = i;
      for (let p = i; p !== undefined && p >= 0; p = stage.boxes[p].in) if (p !== i && !open.has(p)) found = p;
      return found;
    },
    /** Whether a box, open or closed, has the record n in it, or is its name; constants have boxes alone. */
    holds: (i, n) => chain(n).includes(i)
      || (stage.boxes[i].shown === n && Boolean(stage.boxes[i].name || nodes[n].kind === 'constant')),
    boxes: () => inSight.boxes, edges: () => inSight.edges, frames: () => inSight.frames,
    group: (i) => (open.has(i) ? made.get(i).group : boxes[i].group),
    outline: (i) => (open.has(i) ? made.get(i).frame : boxes[i].group),
    titleOf: (i) => boxes[i].title,
    /** What the focus goes to where a unit was opened or closed. */
    focusOf: (i) => (open.has(i) ? made.get(i).head : boxes[i].group),
  };
  return units;
}

/** How a user opens and closes: {toggle(i), open(), close(), all(on)}; without a number, what has the focus, else what acts. */
function opener(state, units, unfold) {
  const done = (list, on, what) => {
    unfold(list, on);
    state.say(list.length ? `${on ? 'Opened' : 'Closed'} ${what}.` : `Nothing to ${on ? 'open' : 'close'} here.`);
  };
  const meant = (focused) => {
    const at = focused && focused.closest('[data-box], [data-unit]');
    return at ? Number(at.dataset.box ?? at.dataset.unit) : units.visible(state.acting());
  };
  const around = (i) => {
    for (let p = i; p !== undefined; p = state.payload.stage.boxes[p].in) if (units.isOpen(p)) return [p];
    return [];
  };
  const name = (i) => units.titleOf(i);
  const one = (list, on) => done(list, on, list.map(name).join());
  const key = (text, title, on) => h('button', { type: 'button', tabindex: -1, title, 'aria-label': title,
    onclick: () => done(on ? units.every : units.list(), on, 'all') }, text);
  return {
    any: units.every.length > 0, buttons: [key('⊞', 'Open all boxes (O)', true), key('⊟', 'Close all boxes (C)', false)],
    toggle: (i) => one([i], !units.isOpen(i)),
    open: (focused) => one([meant(focused)].filter((i) => units.opens(i) && !units.isOpen(i)), true),
    close: (focused) => one(around(meant(focused)), false),
    only(list) {
      unfold(units.list().filter((i) => !list.includes(i)), false);
      unfold(list.filter((i) => units.opens(i) && !units.isOpen(i)), true);
    },
    all: (on) => done(on ? units.every : units.list(), on, 'all'),
  };
}

/** What opens or closes boxes, the first of which stays where it is on the screen; `redraw` is told which. */
function unfolding(state, units, view, size, redraw) {
  return (list, on) => {
    if (!list.length) return;
    const [i] = list;
    const group = units.group(i);
    const had = group.contains(group.getRootNode().activeElement);
    const spot = view.spot(units.outline(i));
    units.change(list, on);
    state.unfolded = units.list();
    size.splice(0, 2, ...units.size);
    view.resized(units.outline(i), spot);
    redraw(list);
    if (had) units.focusOf(i).focus({ preventScroll: true });
  };
}

/** The keys of a drawing: to zoom, to open, to close. */
function keysOf(state) {
  return {
    '+': () => state.view.zoom(1.25), '=': () => state.view.zoom(1.25), '-': () => state.view.zoom(0.8),
    '−': () => state.view.zoom(0.8), 0: () => state.view.whole(), 1: () => state.view.readable(),
    o: (at) => state.units.open(at), c: (at) => state.units.close(at),
    O: () => state.units.all(true), C: () => state.units.all(false),
  };
}

/** A sign at the corner of a box. */
function sign(group, text, [x, y], onclick) {
  const element = s('g', { class: 'sign', transform: `translate(${x} ${y})` },
    s('circle', { r: 7 }), s('text', { y: 4, 'text-anchor': 'middle', 'font-size': 12 }, text));
  element.addEventListener('click', (event) => {
    event.stopPropagation();
    if (event.detail < 2) onclick();
  });
  group.append(element);
  return element;
}
