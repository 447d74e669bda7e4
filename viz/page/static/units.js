// Units: a box opens in its place, a frame closes to a box, and the rest of the drawing makes room. What is in a box is a
// drawing of its own; all places in a drawing go through one map for x and one for y, which stretch what is beside an open
// box, and shrink what a closed frame leaves where nothing else is: so boxes keep their order and do not meet. All is counted
// from where Graphviz has put it, hence the way back brings that back.

const [HEAD, INSET] = [20, 8];

/**
 * What is open in a drawing, and what is in sight: boxes(), edges(), frames(). `built(i, root)` is told of each box of a
 * drawing that is opened for the first time.
 */
function unitsOf(state, drawing, built) {
  const { payload: { stage, nodes = [] }, prepared = (root) => root } = state;
  const inside = new Map(stage.inside.map((level) => [level.box, level]));
  /** Boxes that are open, and frames that are closed: frames are open at first. */
  const turned = new Set();
  const isFrame = (i) => Boolean(stage.boxes[i].frame);
  const isOpen = (i) => isFrame(i) !== turned.has(i);
  const [made, drawn] = [new Map(), new Map()];
  const boxes = [];
  const drawingOf = (i) => {
    if (!drawn.has(i)) drawn.set(i, prepared(svg(stage.svgs[i])));
    return drawn.get(i).cloneNode(true);
  };
  const around = (i) => {
    const found = [];
    for (let p = i; p !== undefined && p >= 0; p = stage.boxes[p].in) found.push(p);
    return found;
  };
  const top = levelOf(drawing, { ...stage, first: 0, edge: 0, words: null });

  /** A box of a drawing as data. */
  function boxOf(level, group, i, words) {
    group.dataset.box = i;
    if (words) group.querySelectorAll(':scope > text').forEach((text, k) => { text.textContent = words[k]; });
    const { textContent: title } = group.querySelector('text') || group;
    const box = { i, group, level, title, at: group.getAttribute('transform') };
    const [left, above] = numbersOf(box.at);
    const [x, y, right, below] = edgesOf(group.querySelector('.box'));
    box.place = [left + x, above + y, left + right, above + below];
    box.corner = [x, y];
    boxes[i] = box;
    if (inside.has(i) || isFrame(i)) {
      group.setAttribute('aria-expanded', 'false');
      sign(group, '+', [right, y + 13], () => state.units.toggle(i));
    }
    return box;
  }

  /** What stands at the top of what is open, and closes it. */
  function headOf(i, title, ...parts) {
    const head = s('g', {
      class: 'head', role: 'button', tabindex: -1, 'aria-expanded': 'true', 'aria-label': `Close ${title}`, 'data-unit': i,
    }, s('rect', { height: HEAD, rx: 8 }), ...parts);
    head.addEventListener('click', (event) => event.detail < 2 && state.units.toggle(i));
    head.addEventListener('keydown', (event) => event.key === 'Enter' && state.units.toggle(i));
    return { head, sign: sign(head, '−', [0, 0], () => state.units.toggle(i)) };
  }

  /** A drawing as data: its boxes, edges and frames, and where they are. */
  function levelOf(root, { first, edge, layers = [], words, frames, closed = [] }) {
    const [width, height] = (root.getAttribute('viewBox') || '0 0 100 100').split(/[\s,]+/).map(Number).slice(2);
    const ground = root.querySelector('.graph') || root;
    const origin = numbersOf(ground.getAttribute('transform') || '0 0').map((x) => -x);
    const level = { root, ground, size: [width, height], origin, boxes: new Map(), edges: [], frames: [], open: new Set() };
    for (const group of root.querySelectorAll('[data-box]')) {
      const own = Number(group.dataset.box);
      level.boxes.set(own + first, boxOf(level, group, own + first, words && words[own]));
    }
    for (const group of root.querySelectorAll('[data-edge]')) {
      const e = Number(group.dataset.edge) + edge;
      group.dataset.edge = e;
      const path = group.querySelector('path');
      const { tail, head } = stage.edges[e];
      const label = group.querySelector(':scope > .edge-label');
      if (path) level.edges.push({ e, tail, head, ends: [tail, head], group, path, label, d: path.getAttribute('d') });
    }
    const labels = root.querySelectorAll('.frame-label');
    root.querySelectorAll('.cluster').forEach((group, k) => {
      const [rect, number] = [group.querySelector('rect'), Number(group.dataset.layer)];
      const texts = labels[k] ? [...labels[k].querySelectorAll('text, rect')] : [];
      const frame = {
        group, rect, label: labels[k], layer: layers[number], place: edgesOf(rect),
        texts: texts.map((text) => ({ text, at: ['x', 'y'].map((name) => text.getAttribute(name)) })),
      };
      level.frames.push(frame);
      if (!closed[number] || !frame.label) return;
      const { svg: at, words: own } = closed[number];
      const [i, box] = [frames + number, drawingOf(at).querySelector('[data-box]')];
      // its place is that of the frame, its size its own
      Object.assign(frame, { i, box: boxOf(level, box, i, own[0]), ground: s('g', {}, box) });
      [0, 1].forEach((axis) => { frame.size = [...(frame.size || []), frame.box.place[axis + 2] - frame.box.place[axis]]; });
      frame.box.frame = frame;
      Object.assign(frame, headOf(i, frame.box.title));
      frame.label.append(frame.head);
      built(i, frame.ground);
    });
    return level;
  }

  /** The frame that stands in the place of box i while it is open. */
  function unitOf(i) {
    if (made.has(i)) return made.get(i);
    const told = inside.get(i);
    const level = levelOf(drawingOf(told.svg), told);
    const title = told.title || boxes[i].title;
    const frame = s('rect', { class: 'frame', rx: 8 });
    const text = s('text', { x: 10, y: 14 });
    const content = s('g', {}, level.ground);
    const unit = { i, level, title, frame, text, content, ...headOf(i, title, text) };
    unit.group = s('g', { class: 'unit' }, frame, unit.head, content);
    made.set(i, unit);
    for (const box of level.boxes.values()) built(box.i, level.ground);
    return unit;
  }

  /** The box in sight that box i of a drawing is in: itself, or a closed frame of that drawing. */
  const within = (level, i) => around(i).filter((p) => boxes[p] && boxes[p].frame && boxes[p].level === level && !isOpen(p)).pop() ?? i;

  /** Lays out a drawing with what is open and closed in it; returns its size. */
  function arrange(level) {
    const shut = level.frames.filter(({ i }) => i !== undefined && !isOpen(i) && within(level, i) === i);
    level.shown = [...level.boxes.values()].filter(({ i }) => within(level, i) === i);
    level.shut = shut;
    const bands = [[], []];
    const bandOf = (place, size) => [0, 1].forEach((axis) => {
      const [from, to] = [place[axis], place[axis + 2]];
      const more = size[axis] - (to - from);
      if (more > 0) bands[axis].push([from, to, more / (to - from)]);
    });
    for (const i of level.open) {
      const unit = made.get(i);
      const size = arrange(unit.level);
      unit.size = [Math.max(size[0] + 2 * INSET, boxes[i].title.length * LETTER + 40), size[1] + HEAD + INSET];
      if (within(level, i) === i) bandOf(boxes[i].place, unit.size);
      const spare = (unit.size[0] - size[0]) / 2;
      unit.content.setAttribute('transform', `translate(${round(spare)} ${HEAD})`);
      for (const part of [unit.frame, unit.head.firstChild]) part.setAttribute('width', round(unit.size[0]));
      unit.frame.setAttribute('height', round(unit.size[1]));
      unit.sign.setAttribute('transform', `translate(${round(unit.size[0] - 13)} 12)`);
      const letters = Math.floor((unit.size[0] - 36) / LETTER);
      unit.text.textContent = unit.title.length > letters ? `${unit.title.slice(0, letters - 1)}…` : unit.title;
    }
    for (const { place, size } of shut) bandOf(place, size);
    const still = !level.open.size && !shut.length;
    const names = level.frames.filter(({ i }) => i === undefined || (isOpen(i) && within(level, i) === i));
    const taken = [...level.shown.map(({ place }) => place), ...names.map(({ place: [a, b, c] }) => [a, b, c, b + HEAD])];
    const spare = [0, 1].map((axis) => shrinking(shut.map(({ place, size }) => [place[axis], place[axis + 2], size[axis]]),
      taken.map((place) => [place[axis], place[axis + 2]])));
    const maps = bands.map((band, axis) => stretched(band, spare[axis]));
    const moved = new Map();
    for (const box of [...level.shown, ...shut.map((frame) => frame.box)]) {
      const unit = level.open.has(box.i) ? made.get(box.i) : null;
      const place = box.frame ? box.frame.place : box.place;
      const old = [0, 1].map((axis) => place[axis + 2] - place[axis]);
      const size = unit ? unit.size : box.frame ? box.frame.size : old;
      const centre = [0, 1].map((axis) => (place[axis] + place[axis + 2]) / 2);
      const middle = [0, 1].map((axis) => unit || box.frame
        ? (maps[axis](place[axis]) + maps[axis](place[axis + 2])) / 2 : maps[axis](centre[axis]));
      moved.set(box.i, { centre, middle, old, size, place: box.frame && place });
      const corner = middle.map((at, axis) => round(at - size[axis] / 2 - (unit ? 0 : box.corner[axis])));
      put(unit ? unit.group : box.group, { transform: still ? box.at : `translate(${corner.join(' ')})` });
    }
    const pairs = new Set();
    for (const edge of level.edges) {
      edge.ends = [edge.tail, edge.head].map((i) => within(level, i));
      const pair = edge.ends.join();
      edge.away = edge.ends[0] === edge.ends[1] || (pair !== `${edge.tail},${edge.head}` && pairs.has(pair));
      edge.group.toggleAttribute('hidden', edge.away);
      pairs.add(pair);
      if (edge.away) continue;
      const [d, far] = still ? [edge.d, [0, 0]] : bent(edge, maps, moved);
      if (edge.path.getAttribute('d') === d) continue;
      edge.path.setAttribute('d', d);
      edge.group.querySelectorAll('polygon').forEach((arrow) => arrow.remove());
      if (edge.label) edge.label.setAttribute('transform', `translate(${far.map(round).join(' ')})`);
    }
    for (const { i, group } of level.boxes.values()) (open(i) ? made.get(i).group : group).toggleAttribute('hidden', within(level, i) !== i);
    for (const { i, group, label, head, sign: mark, ground, rect, place, texts } of level.frames) {
      const away = i !== undefined && (!isOpen(i) || within(level, i) !== i);
      for (const part of [group, label]) if (part) part.toggleAttribute('hidden', away);
      if (shut.some((one) => one.i === i && i !== undefined)) level.ground.append(ground);
      else if (ground) ground.remove();
      if (away) continue;
      const [left, above, right, below] = place.map((at, k) => maps[k % 2](at));
      put(rect, { x: round(left), y: round(above), width: round(right - left), height: round(below - above) });
      for (const { text, at } of texts) {
        const [x, y] = at.map((was, axis) => (still ? was : round(Number(was) + [left, above][axis] - place[axis])));
        put(text, { x, y });
      }
      if (!head) continue;
      put(head.firstChild, { x: round(left), y: round(above), width: round(right - left) });
      put(mark, { transform: `translate(${round(right - 13)} ${round(above + 12)})` });
    }
    level.now = level.size.map((size, axis) => maps[axis](level.origin[axis] + size) - level.origin[axis]);
    return level.now;
  }
  const open = (i) => !isFrame(i) && turned.has(i);

  function set(i, on) {
    if (isOpen(i) === on) return;
    turned[turned.has(i) ? 'delete' : 'add'](i);
    if (isFrame(i)) return;
    const unit = unitOf(i);
    boxes[i].level.open[on ? 'add' : 'delete'](i);
    const [from, to] = on ? [boxes[i].group, unit.group] : [unit.group, boxes[i].group];
    from.replaceWith(to);
  }

  /** Opens or closes boxes, those around them too where they open. */
  function change(list, on) {
    for (const i of list) for (const one of on ? around(i).reverse() : [i]) set(one, on);
    units.size = arrange(top);
    inSight = seen();
  }

  /** Opens those boxes, and closes those frames, that are in a list. */
  function turn(list) {
    change(list.filter((i) => !isFrame(i)), true);
    change(list.filter(isFrame), false);
  }

  const chains = new Map();
  /** The boxes that the record n is in, from its own to the outermost. */
  function chain(n) {
    if (!chains.has(n)) chains.set(n, nodes[n].box < 0 ? [] : around(nodes[n].box));
    return chains.get(n);
  }

  const levels = (level) => [level, ...[...level.open].filter((i) => within(level, i) === i).flatMap((i) => levels(made.get(i).level))];
  const seen = () => {
    const all = levels(top);
    return {
      boxes: all.flatMap(({ shown, shut }) => [...shown.map(({ i }) => i).filter((i) => !open(i)), ...shut.map(({ i }) => i)]),
      edges: all.flatMap(({ edges }) => edges.filter(({ away }) => !away)
        .map(({ e, group, ends: [tail, head] }) => ({ e, group, tail, head }))),
      frames: all.flatMap(({ frames }) => frames),
    };
  };
  top.shown = [...top.boxes.values()];
  top.shut = [];
  let inSight = seen();
  const every = stage.boxes.map((_, i) => i).filter((i) => inside.has(i) || isFrame(i));
  const units = {
    size: top.size, opens: (i) => inside.has(i) || isFrame(i), isOpen, isFrame, list: () => [...turned], change, turn, chain, every,
    /** What closing all closes: boxes that are open; where there is none, frames with no other open one in them. */
    closing() {
      const boxed = [...turned].filter(open);
      const left = every.filter((i) => isFrame(i) && boxes[i] && units.visible(i) === i && isOpen(i));
      return boxed.length ? boxed : left.filter((i) => !left.some((k) => k !== i && around(k).includes(i)));
    },
    /** The box that shows what is in box i: itself, or the outermost closed one around it. */
    visible: (i) => around(i).filter((p) => p !== i && !isOpen(p)).pop() ?? i,
    around,
    /** Whether a box, open or closed, has the record n in it, or is its name; constants have boxes alone. */
    holds: (i, n) => chain(n).includes(i)
      || (stage.boxes[i].shown === n && Boolean(stage.boxes[i].name || nodes[n].kind === 'constant')),
    boxes: () => inSight.boxes, edges: () => inSight.edges, frames: () => inSight.frames,
    group: (i) => (open(i) ? made.get(i).group : boxes[i].frame && isOpen(i) ? boxes[i].frame.label : boxes[i].group),
    outline: (i) => (open(i) ? made.get(i).frame : boxes[i].frame && isOpen(i) ? boxes[i].frame.rect : boxes[i].group),
    titleOf: (i) => boxes[i].title,
    /** What the focus goes to where a unit was opened or closed. */
    focusOf: (i) => (!isOpen(i) ? boxes[i].group : isFrame(i) ? boxes[i].frame.head : made.get(i).head),
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
  const around = (i) => units.around(i).filter(units.isOpen).slice(0, 1);
  const name = (i) => units.titleOf(i);
  const one = (list, on) => done(list, on, list.map(name).join());
  const all = (on) => done(on ? units.every : units.closing(), on, 'all');
  const key = (text, title, on) => h('button', { type: 'button', tabindex: -1, title, 'aria-label': title,
    onclick: () => all(on) }, text);
  return {
    any: units.every.length > 0, buttons: [key('⊞', 'Open all boxes (O)', true), key('⊟', 'Close all boxes, then layers (C)', false)],
    toggle: (i) => one([i], !units.isOpen(i)),
    open: (focused) => one([meant(focused)].filter((i) => units.opens(i) && !units.isOpen(i)), true),
    close: (focused) => one(around(meant(focused)), false),
    /** Opens those boxes, and closes those frames, that are in a list, and no others. */
    only(list) {
      const turn = (some, frames) => unfold(some.filter((i) => units.isFrame(i) === frames), frames !== list.includes(some[0]));
      for (const some of [units.list().filter((i) => !list.includes(i)), list.filter((i) => units.opens(i) && !units.list().includes(i))]) {
        turn(some, true);
        turn(some, false);
      }
    },
    all,
  };
}

/** What opens or closes boxes, the first of which stays where it is on the screen; `redraw` is told which. */
function unfolding(state, units, view, size, redraw) {
  return (list, on) => {
    if (!list.length) return;
    const [i] = list;
    const group = units.group(i);
    const focused = group.getRootNode().activeElement;
    const had = group.contains(focused);
    const spot = view.spot(units.outline(i));
    units.change(list, on);
    state.unfolded = units.list();
    size.splice(0, 2, ...units.size);
    view.resized(units.outline(i), spot);
    redraw(list);
    if (had || (focused && focused.closest('[hidden]'))) units.focusOf(i).focus({ preventScroll: true });
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
