// The graph: Python's drawing, its slots filled with what is known at the step shown, the parts in play marked.

const TEXT = 10;
/** The glyphs of a heat map in the graph, as lines in a cell. */
const STROKES = { '×': [[0.3, 0.3, 0.7, 0.7], [0.3, 0.7, 0.7, 0.3]], '+': [[0.25, 0.5, 0.75, 0.5], [0.5, 0.25, 0.5, 0.75]], '−': [[0.25, 0.5, 0.75, 0.5]] };

/** The graph's pane: {element, update(), highlight(nodes of a path), units, view}. */
function figure(state) {
  const { stage, nodes } = state.payload;
  const drawing = svg(stage.svg);
  const size = (drawing.getAttribute('viewBox') || '0 0 100 100').split(/[\s,]+/).map(Number).slice(2);
  const pane = h('div', { class: 'pane', role: 'group', 'aria-label': 'Graph' }, drawing);
  const boxes = stage.boxes.map(() => ({ group: null, slots: [] }));
  const built = (i, root) => { boxes[i] = boxParts(root, stage.boxes[i], i, state); };
  const units = unitsOf(state, drawing, built);
  for (const i of units.boxes()) built(i, drawing);
  units.turn(state.unfolded || []);
  size.splice(0, 2, ...units.size);
  const view = viewOf(state, pane, drawing, size);
  const element = h('div', { class: 'figure' }, pane, view.map, view.element);

  const groups = () => inSight(drawing, '.node, .head');
  const leadIn = oneStop(pane, groups);
  pane.addEventListener('focusin', ({ target }) => target.matches('.node:focus-visible') && view.look(target));

  let [seen, stays] = [state.version, false];
  const [first, next] = [boxes.findIndex(({ node }) => node && node.kind === 'input'), state.payload.steps[1]];
  /** What is in view at the start: what acts first, and the first input. */
  const start = [next && next.phase === 'forward' ? nodes[next.node].box : -1, first].filter((i) => i >= 0);

  function update() {
    for (const i of units.boxes()) fillBox(state, boxes[i]);
    const marks = marksOf(state, units);
    mark(marks);
    for (const { group, layer } of units.frames()) group.classList.toggle('within', layer === nodes[state.current().node].layer);
    const inPlay = state.current().phase === 'start' ? start.map((n) => units.visible(n)) : [...new Set([marks.now, ...marks.acting, ...marks.receives])];
    const [acting, ...others] = inPlay.map((i) => boxes[i] && boxes[i].group).filter(Boolean);
    leadIn(acting);
    if (seen === (seen = state.version) && acting) view.show([acting, ...others], stays);
  }

  function mark({ now, acting = new Set(), receives, reads, dimmed, flow, upstream, saved, path }) {
    for (const i of units.boxes()) {
      const { group } = boxes[i];
      setClasses(group, {
        now: acting.has(i), receives: receives.has(i), reads: reads.has(i), dim: dimmed.has(i), path: path.has(i),
      });
      group[i === now ? 'setAttribute' : 'removeAttribute']('aria-current', 'step');
    }
    for (const { e, group } of units.edges()) {
      setClasses(group, {
        flow: flow.has(e), returns: flow.has(e) && state.current().phase === 'backward' && !path.size,
        path: flow.has(e) && path.size > 0, upstream: upstream.has(e), saved: saved.has(e), dim: dimmed.size > 0
          && !flow.has(e) && !upstream.has(e) && !saved.has(e),
      });
      point(group, flow.has(e) && state.current().phase === 'backward');
    }
    pointer(drawing, boxes[now], 'now-mark', '▶');
  }

  /** Marks a path of nodes instead of the step; without one, the step again. */
  function highlight(along) {
    if (!along) return mark(marksOf(state, units));
    const path = new Set(along.map((n) => units.visible(nodes[n].box)));
    const flow = units.edges().filter(({ tail, head }) => along.some((n, k) => k && units.holds(tail, along[k - 1]) && units.holds(head, n)));
    mark({ now: -1, receives: new Set(), reads: new Set(), path, upstream: new Set(), saved: new Set(),
      dimmed: new Set(units.boxes().filter((i) => !path.has(i))), flow: new Set(flow.map(({ e }) => e)) });
  }

  const unfold = unfolding(state, units, view, size, (list) => {
    stays = list.length === 1 && !units.chain(state.current().node).includes(list[0]);
    update();
    stays = false;
    state.changed();
  });
  const opening = opener(state, units, unfold);
  if (opening.any) view.element.querySelector('.zoom').prepend(...opening.buttons);
  return { element, update, highlight, view, units: opening };
}

/** A box of the drawing with its slots, listening to clicks. */
function boxParts(drawing, box, i, state) {
  const group = drawing.querySelector(`[data-box="${i}"]`);
  if (!group) return { group: null, slots: [] };
  const node = state.payload.nodes[box.shown];
  group.dataset.kind = node.kind;
  if (box.name) group.classList.add('name');
  if (box.title) group.append(s('title', {}, box.title));
  for (const text of group.querySelectorAll('text')) text.classList.toggle('bad', text.textContent.startsWith('▲'));
  build(group, { role: 'button', tabindex: -1 }, []);
  group.addEventListener('keydown', (event) => event.key === 'Enter' && state.goto(state.stepOf(box)));
  group.addEventListener('click', (event) => event.detail < 2 && state.goto(state.stepOf(box)));
  group.addEventListener('dblclick', () => state.toggleBreakpoint(state.step));
  const slots = [...group.querySelectorAll('[data-slot]')].map((place) => {
    const fill = s('g', { class: 'fill' });
    place.after(fill);
    // a gradient leads to where it is complete, a value to where it is made
    const origin = originOf(state, place.dataset.slot, box.shown);
    if (origin > 0) fill.addEventListener('click', (event) => {
      event.stopPropagation();
      if (event.detail < 2) goThere(state, origin);
    });
    const room = ['x', 'y', 'width', 'height'].map((name) => Number(place.getAttribute(name)));
    return { kind: place.dataset.slot, fill, room, key: '' };
  });
  return { group, slots, box, node, title: box.title || (group.querySelector('text') || group).textContent };
}

/** Writes what is known by now into the slots of a box; what has not changed is left alone. */
function fillBox(state, { group, title, slots, box, node }) {
  const said = [title];
  for (const slot of slots) {
    const known = slot.kind === 'value' ? valueOf(state, box.shown) : state.gradientOf(box.shown, state.step);
    const covered = state.answers().has(`${slot.kind} ${box.shown}`);
    slot.fill.classList.toggle('answer', covered);
    const key = [known.array, known.state, known.part, state.frame, state.version].join();
    if (key !== slot.key) {
      slot.key = key;
      const [name, k] = slot.kind === 'value' ? [node.name, 0] : [node.grad, 1];
      slot.fill.replaceChildren(...slotContent(slot.room, name, box.labels ? box.labels[k] : name, known, state.array(known.array)));
      slot.fill.setAttribute('class', `fill ${slot.kind} ${known.state}${covered ? ' answer' : ''}`);
    }
    said.push(covered ? `${slot.kind} ?` : slot.fill.firstChild.textContent);
  }
  if (group) group.setAttribute('aria-label', said.join(', '));
}

function valueOf(state, n) {
  const node = state.payload.nodes[n];
  const array = node.first <= state.step ? state.valueOf(n) : null;
  return { state: array == null ? 'none' : 'final', part: '', array };
}

/** What stands in a slot: its label ("Σ 1 of 2" while a gradient is partial), then "—", numbers, or a heat map. */
function slotContent([x, y, width, height], name, short, known, array) {
  const partial = known.state === 'partial';
  const label = partial ? `Σ ${known.part[0]} of ${known.part[1]}` : short;
  const title = s('title', {}, `${name} ${array ? summary(array) : 'not computed yet'}`);
  const parts = [title, line(x, y + 9, label, partial ? 'sum' : 'label')];
  const after = x + (label.length + 1) * LETTER;
  if (!array) return [...parts, line(after, y + 9, '—', 'none')];
  if (array.data && array.size <= FEW) return [...parts, ...numbersAt(array, after, y, x + width - after, height)];
  const norm = sizeOf(array);
  const between = x + width - after - (norm.length + 1) * LETTER;
  const beside = height < 34 && between >= 12;
  const wide = beside ? between : width;
  const high = height - (beside ? 4 : 15);
  const image = imageAt(array, beside ? after : x, beside ? y + 2 : y + 14, wide, Math.max(8, high));
  const at = height < 34 ? x + width - norm.length * LETTER : after;
  return [...parts, line(at, y + 9, norm, array.bad ? 'bad' : 'norm'), image];
}

function line(x, y, text, kind, size = TEXT) {
  return s('text', { x, y, class: kind, 'font-size': size, 'xml:space': 'preserve' }, text);
}

/** Up to twelve numbers, row by row; of a row that has no room, as many as are legible. */
function numbersAt(numbers, x, y, width, height) {
  const array = paired(numbers);
  if (!array.size) return [line(x, y + 9, 'empty', 'none')];
  const texts = textsOf(numbers);
  const down = Math.max(2, Math.round(height / TEXT / 1.2));
  const choices = [12, 8, 7, 6, 5, 4, 3].map((across) => {
    const all = rowsOf(array, { across, down });
    const wide = all[0].map((_, c) => Math.max(...all.map((row) => (row[c] < 0 ? 1 : texts[row[c]].length))));
    const rows = all.map((row) => row.map((i, c) => (texts[i] || CUT[i + 2]).padStart(wide[c])).join(' '));
    const lines = array.shape.length ? rows.map((row) => `[${row}]`) : texts;
    return { lines, size: Math.min(TEXT, width / (lines[0].length * 0.605), height / lines.length / 1.15) };
  });
  const { lines, size } = choices.find((choice) => choice.size >= LEGIBLE) || choices[choices.length - 1];
  const kind = array.bad ? 'bad' : 'numbers';
  return lines.map((text, i) => line(x, y + 9 + i * size * 1.2, text, kind, size.toFixed(2)));
}

/** The heat map of an array as an image that fills the room given, its proportions kept. */
function imageAt(array, x, y, width, height) {
  const { canvas, rows, columns, glyphs } = pixels(array.whole || array, array.largest);
  const scale = Math.min(width / columns, height / rows, 10);
  const stretch = Math.max(1, Math.min(8, 6 / (rows * scale)));
  const [across, down] = [columns * scale, rows * scale * stretch];
  const place = { x, y, width: across.toFixed(1), height: down.toFixed(1) };
  return s('g', { ...place, class: 'picture' },
    s('image', { ...place, href: canvas.toDataURL(), preserveAspectRatio: 'none' }),
    s('rect', { ...place, class: 'rim' }),
    scale < 4 ? [] : s('path', { class: 'glyphs', 'stroke-width': (scale / 7).toFixed(2), d: glyphs.slice(0, 200)
      .flatMap(([column, row, value]) => STROKES[glyphOf(value)].map(([a, b, c, d]) => [[a, b], [c, d]]
        .map(([i, j]) => [x + (column + i) * scale, y + (row + j) * scale * stretch].map(round).join(' '))))
      .map(([from, to]) => `M${from}L${to}`).join('') }));
}

/** Which boxes and edges in sight play a part in the step shown. */
function marksOf(state, units) {
  const { nodes, stage: { boxes } } = state.payload;
  const step = state.main();
  const at = (n) => units.visible(nodes[n].box);
  const now = at(step.node);
  const backward = step.phase === 'backward' || step.phase === 'seed';
  const members = state.members().map((k) => state.payload.steps[k]);
  const shown = state.whole() || members;
  const acting = new Set(members.map(({ node }) => at(node)));
  const inSight = units.boxes();
  const named = (ns) => new Set([...ns.map(at), ...inSight.filter((i) => boxes[i].name && ns.includes(boxes[i].shown))]);
  const operands = shown.flatMap((member) => member.reads || []);
  const targets = backward ? shown.map(({ target }) => target) : [];
  const [receives, reads] = [named(targets), named(operands)];
  reads.delete(-1);
  for (const i of acting) reads.delete(i);
  const which = (test) => new Set(units.edges().filter(test).map(({ e }) => e));
  const constants = units.edges().filter(({ head }) => acting.has(head)).map(({ tail }) => boxes[tail].shown)
    .filter((n) => nodes[n].kind === 'constant');
  const sent = backward ? targets : [...operands, ...constants];
  const flow = which(({ tail, head }) => (acting.has(head) && (!backward || receives.has(tail) || acting.has(tail)))
    || (members.some(({ node }) => units.holds(head, node)) && sent.some((n) => units.holds(tail, n))));
  const upstream = which(({ tail, head }) => backward && !acting.has(head)
    && (tail === now || (units.isOpen(tail) && boxes[tail].shown === step.node)));
  const saved = which(({ tail, head }) => backward && ((tail === now && reads.has(head))
    || (acting.has(head) && reads.has(tail) && !receives.has(tail) && !acting.has(tail))));
  const sources = backward ? [] : units.edges().filter(({ e }) => flow.has(e)).map(({ tail }) => tail);
  const dimmed = step.phase === 'start' ? new Set()
    : new Set(inSight.filter((i) => !acting.has(i) && !receives.has(i) && !reads.has(i) && !sources.includes(i)));
  if (step.phase === 'start') for (const marks of [acting, receives, reads, flow, upstream, saved]) marks.clear();
  return { now: step.phase === 'start' ? -1 : now, acting, receives, reads, dimmed, flow, upstream, saved, path: new Set() };
}

/** A sign beside a box, so that the current one is known without colour. */
function pointer(drawing, box, kind, sign) {
  const old = drawing.querySelector(`.${kind}`);
  if (old) old.remove();
  if (!box || !box.group) return;
  const { x, y } = (box.group.querySelector('.box') || box.group).getBBox();
  box.group.append(s('text', { class: kind, x: x - 3, y: y + 13, 'text-anchor': 'end', 'font-size': 13 }, sign));
}
