// The view of the graph: which part of the drawing is in its pane, and how large.

/** The smallest letters at the opening zoom. */
const LEAST = 11;
const [MARGIN, EDGE] = [14, 16];
const ZOOMS = [0.1, 6];
const CLOSEST = 1.6;
/** What the row of buttons takes below the pane. */
const BUTTONS = 30;
const ON_PAPER = 0.9;
const COMPASS = '→↘↓↙←↖↑↗';

/**
 * The view of a drawing in a pane: {element (arrows and buttons), map, zoom(by), whole(), readable(), show(boxes) …}.
 * The drawing does not scroll: all of it is in one group, whose transform says where it is.
 */
function viewOf(state, pane, drawing, size) {
  let [width, height] = size;
  const ground = s('g', { class: 'ground' }, ...drawing.childNodes);
  drawing.replaceChildren(ground);
  drawing.removeAttribute('viewBox');
  const least = (state.least || LEAST) / LEGIBLE;
  const map = miniMap(ground, size, (x, y) => centre([x, y, x, y], true));
  const [arrows, buttons] = [h('div', { class: 'arrows' }), h('div', { class: 'zoom' })];
  const tools = h('div', {}, arrows, buttons);
  const leadIn = toolbar(tools, 'Graph');
  let [scale, x, y] = [1, 0, 0];
  let [opening, inPlay, known] = ['readable', [], []];

  const roomOf = () => [pane.clientWidth, pane.clientHeight];

  function set(to, [left, top], { glide = false, free = false } = {}) {
    scale = limited(to);
    const room = roomOf();
    [x, y] = [[left, width], [top, height]].map(([at, size], i) => {
      const [spare, full] = [room[i] - size * scale, size * scale];
      if (free) return Math.max(60 - full, Math.min(room[i] - 60, at));
      return spare > 0 ? spare / 2 : Math.max(spare - MARGIN, Math.min(MARGIN, at));
    });
    const from = glide && !state.calm() && getComputedStyle(ground).transform;
    ground.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) scale(${scale.toFixed(4)})`;
    for (const old of ground.getAnimations()) old.cancel();
    if (from) ground.animate([{ transform: from }, {}], { duration: 300, easing: 'ease-out' });
    map.update(seen());
    pointOut();
  }

  /** Arrows at the edge to what acts and is out of sight, one for each direction. */
  function pointOut() {
    makeWay();
    const room = roomOf();
    const found = new Map();
    const seenPart = (to, place) => to.every((far, i) => Math.abs(far) - (place[i + 2] - place[i]) / 2 * scale < room[i] / 2 - MARGIN);
    for (const group of inPlay) {
      const place = placeOf(ground, group);
      const to = [0, 1].map((i) => (place[i] + place[i + 2]) / 2 * scale + [x, y][i] - room[i] / 2);
      const cut = to.map((far, i) => Math.abs(far) + (place[i + 2] - place[i]) / 2 * scale - room[i] / 2);
      // a box is in sight if no more than its border is cut; one that is wider than the room, if a part of it is
      const wide = (at, i) => (at[i + 2] - at[i]) * scale > room[i] - EDGE && seenPart(to, place);
      if (to.every((far, i) => cut[i] < MARGIN || (group === inPlay[0] && (Math.abs(far) < room[i] / 4 || wide(place, i))))) continue;
      const way = COMPASS[(Math.round(Math.atan2(to[1], to[0]) / Math.PI * 4) + 8) % 8];
      if (!found.has(way)) found.set(way, { group, place, to, part: seenPart(to, place) });
    }
    const had = arrows.contains(arrows.getRootNode().activeElement);
    arrows.replaceChildren(...[...found].map(([way, { group, place, to, part }]) => {
      const share = Math.min(...to.map((far, i) => room[i] / 2 / Math.abs(far)));
      const [left, top] = to.map((far, i) => `${Math.round(50 + 100 * share * far / room[i])}%`);
      const from = `calc(${top} - ${parseFloat(top) / 100 * BUTTONS}px)`;
      const name = group.querySelector('text').textContent.split(' = ')[0];
      return h('button', {
        type: 'button', class: group === inPlay[0] ? 'now' : 'receives', title: `Go to ${name}`,
        'aria-label': `Go to ${name}`, style: `left:${left};top:${from};transform:translate(-${left},-${top})`,
        onpointerdown: (event) => event.preventDefault(), onclick: () => centre(place, true),
      }, part ? way : `${way} ${name}`);
    }));
    const lead = arrows.firstChild || buttons.firstChild;
    leadIn(lead);
    if (had) lead.focus({ preventScroll: true });
  }

  /** The map is in the first of three corners where it covers nothing that acts; where there is none, it is away. */
  function makeWay() {
    const { width: across, height: down } = map.element.getBoundingClientRect();
    const [right, low] = [pane.clientWidth - across - MARGIN, pane.clientHeight - down - MARGIN];
    const places = inPlay.map((group) => placeOf(ground, group).map((at, i) => at * scale + [x, y][i % 2]));
    const covered = [[0, low], [0, 0], [right, 0]].map(([left, top]) => places.reduce((sum, [a, b, c, d]) => sum
      + Math.max(0, Math.min(c, left + across + MARGIN) - Math.max(a, left))
      * Math.max(0, Math.min(d, top + down + MARGIN) - Math.max(b, top)), 0));
    const corner = covered.indexOf(Math.min(...covered));
    setClasses(map.element, { above: corner > 0, right: corner > 1, away: covered[corner] > 0 });
  }

  /** Has a box in sight, wherever the step acts. */
  function look(group) {
    const place = placeOf(ground, group);
    const inside = place.every((at, i) => {
      const here = at * scale + [x, y][i % 2];
      return here >= 2 && here <= roomOf()[i % 2] - 2;
    });
    if (!inside) centre(place, true);
  }

  /** The part of the drawing in the pane: left, top, width, height. */
  const seen = () => [-x / scale, -y / scale, pane.clientWidth / scale, pane.clientHeight / scale];

  /** The place of the drawing at which the middle of [left, top, right, bottom] is in the middle of the pane. */
  function centre([left, top, right, bottom], glide, to = scale) {
    const at = [[left, right], [top, bottom]].map(([from, until], i) => {
      const room = roomOf()[i];
      // what has no room shows its beginning
      return (until - from) * to > room - EDGE ? EDGE / 2 - from * to : room / 2 - (from + until) / 2 * to;
    });
    set(to, at, { glide });
  }

  const fitting = () => Math.min(...roomOf().map((room, i) => (room - 2 * MARGIN) / [width, height][i]), CLOSEST);

  const limited = (to) => Math.max(Math.min(ZOOMS[0], fitting()), Math.min(ZOOMS[1], to));

  /** The whole graph, however small its letters. */
  function whole(glide = true) {
    opening = 'whole';
    centre([0, 0, width, height], glide, fitting());
  }

  /** The whole graph if it can be read, else what acts, at a size that can. */
  function readable(glide = true) {
    opening = 'readable';
    const to = Math.max(fitting(), least);
    const [across, down] = roomOf();
    centre(to * width <= across && to * height <= down ? [0, 0, width, height] : hull(inPlay, to), glide, to);
  }

  /** Zooms at a point of the pane, else at its middle. */
  function zoom(by, [left, top] = roomOf().map((room) => room / 2), glide = true) {
    const to = limited(scale * by);
    opening = '';
    set(to, [left - (left - x) * to / scale, top - (top - y) * to / scale], { glide, free: true });
  }

  /** What is around all boxes, as far as they have room together; the first one in any case; of none, where the graph begins. */
  function hull(boxes, at, room = roomOf()) {
    let [all, ...others] = boxes.map((group) => placeOf(ground, group));
    for (const [a, b, c, d] of others) {
      const more = [Math.min(all[0], a), Math.min(all[1], b), Math.max(all[2], c), Math.max(all[3], d)];
      if (room.every((most, i) => (more[i + 2] - more[i]) * at < most - 2 * MARGIN)) all = more;
    }
    return all || (width > height ? [0, 0, 0, height] : [0, 0, width, 0]);
  }

  /** Moves the drawing, if it must, until the boxes in play are in the pane. */
  function show(boxes, stay = false) {
    inPlay = boxes;
    map.mark(boxes);
    if (stay) return pointOut();
    if (!boxes.length || !pane.clientWidth) return;
    const all = hull(boxes, scale);
    const [left, top, right, bottom] = all.map((at, i) => at * scale + [x, y][i % 2]);
    const [across, down] = roomOf();
    const inside = left >= 2 && top >= 2 && right <= across - 2 && bottom <= down - 2;
    if (inside) pointOut();
    else centre(all, true);
  }

  /** Where the upper edge of a box is in the pane, for `resized`. */
  function spot(group) {
    const [left, top, right] = placeOf(ground, group);
    return [x + (left + right) / 2 * scale, y + top * scale];
  }

  /** The drawing has another size: a box stays where it was, as far as there is room. */
  function resized(group, [across, down]) {
    [width, height] = size;
    map.resized();
    if (opening === 'whole') opening = '';
    const [left, top, right] = placeOf(ground, group);
    set(scale, [across - (left + right) / 2 * scale, down - top * scale]);
  }

  /** What is around the boxes in play, as much as can be read in a room: left, top, width, height. */
  function part(room) {
    const full = [width + 2 * MARGIN, height + 2 * MARGIN];
    const to = Math.max(Math.min(...full.map((size, i) => room[i] / size)), ON_PAPER);
    const place = hull(inPlay, to, room);
    const sizes = full.map((size, i) => Math.min(size, room[i] / to));
    const from = sizes.map((size, i) =>
      Math.max(-MARGIN, Math.min(full[i] - MARGIN - size, (place[i] + place[i + 2] - size) / 2)));
    return [...from, ...sizes];
  }

  /** Where the view is, for `put`: in this drawing, or in another one of the same boxes. */
  function place() {
    const [group] = inPlay;
    const [left, top, right, bottom] = group ? placeOf(ground, group) : [0, 0, 0, 0];
    const at = [x + (left + right) / 2 * scale, y + (top + bottom) / 2 * scale];
    return { opening, scale, at, fits: fitting() >= least };
  }

  function put(was) {
    if (was.opening === 'whole') return whole(false);
    if (was.opening && was.fits && fitting() >= least) return readable(false);
    const [left, top, right, bottom] = inPlay.length ? placeOf(ground, inPlay[0]) : [0, 0, 0, 0];
    opening = was.opening;
    const to = was.scale;
    return set(to, [was.at[0] - (left + right) / 2 * to, was.at[1] - (top + bottom) / 2 * to], { free: !opening });
  }

  drag(pane, { pan: (right, down) => { opening = ''; set(scale, [x + right, y + down], { free: true }); }, zoom });
  pane.addEventListener('wheel', (event) => {
    // a notebook scrolls by the wheel: there it zooms with a key alone, which is also what a pinch on a touch pad sends
    if (!state.wholePage && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const lines = event.deltaMode ? 16 : 1;
    const speed = event.ctrlKey && Math.abs(event.deltaY) < 40 ? 0.01 : 0.002;
    zoom(Math.exp(-event.deltaY * lines * speed), within(pane, event), false);
  }, { passive: false });
  pane.addEventListener('dblclick', (event) => event.target.closest('.node, .overview') || whole());
  new ResizeObserver(() => {
    const now = [pane.clientWidth, pane.clientHeight];
    if (now.join() === known.join() || !now[0]) return;
    known = now;
    if (opening === 'whole') whole(false);
    else if (opening) readable(false);
    else show(inPlay);
  }).observe(pane);

  const key = (text, title, onclick) => h('button', { type: 'button', title, 'aria-label': title, onclick }, text);
  buttons.append(key('−', 'Zoom out (−)', () => zoom(1 / 1.25)),
    key('+', 'Zoom in (+)', () => zoom(1.25)), key('fit', 'Whole graph (0)', whole), key('1:1', 'Readable size (1)', readable),
    handing(state, drawing, size));
  leadIn(buttons.firstChild);
  return { element: tools, look, map: map.element, zoom, whole, readable, show, part, place, put, spot, resized };
}

/** Those parts of a drawing that are not in a closed frame. */
const inSight = (root, selector) => [...root.querySelectorAll(selector)].filter((group) => !group.closest('[hidden]'));

/** Where a box of the drawing is: left, top, right, bottom. */
function placeOf(ground, group) {
  const box = group.querySelector('.box') || group;
  const { x, y, width, height } = box.getBBox();
  const { e, f } = ground.getCTM().inverse().multiply(box.getCTM());
  return [x + e, y + f, x + width + e, y + height + f];
}

function within(pane, { clientX, clientY }) {
  const { left, top } = pane.getBoundingClientRect();
  return [clientX - left - pane.clientLeft, clientY - top - pane.clientTop];
}

/** One pointer drags, two pinch; a click at the end of it does nothing. */
function drag(pane, { pan, zoom }) {
  const pointers = new Map();
  let moved = false;
  pane.addEventListener('pointerdown', (event) => {
    if (event.button || event.target.closest('.overview')) return;
    if (!pointers.size) moved = false;
    pointers.set(event.pointerId, within(pane, event));
  });
  pane.addEventListener('pointermove', (event) => {
    const old = pointers.get(event.pointerId);
    if (!old) return;
    const now = within(pane, event);
    if (!moved && Math.hypot(now[0] - old[0], now[1] - old[1]) < 4) return;
    if (!moved) pane.setPointerCapture(event.pointerId);
    moved = true;
    pointers.set(event.pointerId, now);
    const other = [...pointers].find(([id]) => id !== event.pointerId);
    if (!other) return pan(now[0] - old[0], now[1] - old[1]);
    const away = ([a, b]) => Math.hypot(a - other[1][0], b - other[1][1]) || 1;
    zoom(away(now) / away(old), other[1], false);
  });
  for (const type of ['pointerup', 'pointercancel']) pane.addEventListener(type, ({ pointerId }) => pointers.delete(pointerId));
  pane.addEventListener('click', (event) => {
    if (moved) event.stopPropagation();
    moved = false;
  }, true);
}

/** The whole graph in small, where the pane shows a part of it: {element, update(view), mark(boxes)}. */
function miniMap(ground, size, go) {
  const view = s('rect', { class: 'seen' });
  const places = s('g', {});
  const element = s('svg', { class: 'overview', 'aria-hidden': 'true' }, places, view);
  const move = (event) => {
    if (!event.buttons) return;
    event.preventDefault();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(element.getScreenCTM().inverse());
    go(at.x, at.y);
  };
  for (const type of ['pointerdown', 'pointermove']) element.addEventListener(type, move);
  let [boxes, marked] = [null, []];
  const rect = ([left, top, right, bottom]) => s('rect', { class: '', x: left, y: top, width: right - left, height: bottom - top });

  function resized() {
    const [width, height] = size;
    const scale = Math.min(140 / width, 180 / height);
    build(element, { viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale }, []);
    boxes = null;
  }

  resized();
  function update([left, top, across, down]) {
    const [width, height] = size;
    const all = left < 1 && top < 1 && left + across > width - 1 && top + down > height - 1;
    element.toggleAttribute('hidden', all);
    if (all) return;
    if (!boxes) {
      boxes = new Map(inSight(ground, '.node').map((group) => [group, rect(placeOf(ground, group))]));
      places.replaceChildren(...boxes.values());
      mark(marked);
    }
    const [from, to] = [[Math.max(0, left), Math.max(0, top)], [Math.min(width, left + across), Math.min(height, top + down)]];
    for (const [name, value] of Object.entries({ x: from[0], y: from[1], width: to[0] - from[0], height: to[1] - from[1] })) {
      view.setAttribute(name, Math.max(0, value).toFixed(1));
    }
  }

  function mark(now) {
    marked = now;
    if (boxes) boxes.forEach((place, group) => place.classList.toggle('now', now.includes(group)));
  }

  return { element, update, mark, resized };
}
