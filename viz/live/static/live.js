
// The inputs of a function with the loss along one of them, above the step view of its last run: anywidget's module.

const REST = 150;
const [WIDE, HIGH, LEFT, LOW] = [300, 176, 44, 18];

function render({ model, el }) {
  const { kit, open, update } = window.tracegradStep;
  const { h } = kit;
  const [top, view] = [h('div', { 'data-lm-suppress-shortcuts': 'true' }), h('div', { 'data-lm-suppress-shortcuts': 'true' })];
  view.dataset.tracegrad = `live${model.model_id || ''}`;
  el.append(top, view);
  const app = h('div', { class: 'app live-inputs', role: 'group', 'aria-label': 'Inputs of the function' });
  top.attachShadow({ mode: 'open' }).append(h('style', {}, kit.STYLE, LOOK), app);
  for (const type of ['keydown', 'keyup', 'keypress']) app.addEventListener(type, (event) => event.stopPropagation());
  kit.followTheme(app);

  let [resting, count] = [null, model.get('asked').count || 0];
  // of what is sent while an answer is on its way only the last message arrives: it has all that is not answered yet
  let waiting = [];
  const send = (wanted) => {
    const changes = waiting.map(({ change }) => change);
    model.set('asked', { ...wanted, changes, count });
    model.save_changes();
  };
  /** What is moved is told at once; when it rests, once more, so that what takes long is done then. */
  const ask = ({ value, ...wanted }) => {
    app.dataset.rest = false;
    count += 1;
    if (value !== undefined) waiting.push({ count, change: value === null ? null : [wanted.name, wanted.at, value] });
    send(wanted);
    clearTimeout(resting);
    resting = setTimeout(() => {
      count += 1;
      send({ ...wanted, rest: true });
    }, REST);
  };
  const parts = [heading(kit, ask), course(kit), fields(kit, model, ask)];
  app.append(...parts.map((part) => part.element));

  const follow = () => {
    const answer = model.get('told');
    waiting = waiting.filter((one) => one.count > answer.asked);
    const told = { ...answer, busy: waiting.length > 0 };
    parts.forEach((part) => part.update(told));
    app.dataset.rest = told.rest;
    const bytes = bytesOf(model.get('payload'));
    if (view.tracegrad) update(view, bytes);
    else open(view, bytes);
  };
  const step = () => view.tracegrad.step !== model.get('step') && view.tracegrad.goto(model.get('step'));
  const tell = ({ detail }) => {
    if (detail.step === model.get('step')) return;
    model.set('step', detail.step);
    model.save_changes();
  };
  follow();
  view.addEventListener('tracegrad:step', tell);
  model.on('change:told', follow);
  model.on('change:step', step);
  return () => {
    clearTimeout(resting);
    model.off('change:told', follow);
    model.off('change:step', step);
  };
}

/** A copy of its own, so that it begins where its buffer does. */
function bytesOf(view) {
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** What the function gives, what went wrong in it, and the way back. */
function heading({ h }, ask) {
  const [name, loss] = [h('h3', {}), h('output', { class: 'loss' })];
  const [wrong, remark] = [h('span', { class: 'wrong', role: 'alert' }), h('span', { class: 'remark', role: 'status' })];
  const reset = h('button', { type: 'button', title: 'All inputs as they were at first', onclick: () => ask({ value: null }) }, 'reset');
  const key = h('span', { class: 'key' }, 'beside each number: ', h('i', {}, '∂L/∂ it'));
  const element = h('div', { class: 'heading' }, name, loss, key, wrong, remark, reset);
  const update = (told) => {
    name.textContent = `${told.name}(${[...new Set(told.inputs.map((input) => input.name.split('.')[0]))].join(', ')})`;
    loss.textContent = told.loss.join(' = ');
    key.lastChild.textContent = `∂${told.loss[0]}/∂ it`;
    wrong.textContent = told.error && `${told.error} — shown is the last run that ended well.`;
    remark.textContent = told.remark;
    for (const line of [wrong, remark]) line.hidden = !line.textContent;
    key.hidden = !(wrong.hidden && remark.hidden);
  };
  return { element, update };
}

/** The loss along the number touched last, and its tangent there. */
function course({ h, s, number, position }) {
  const picture = s('svg', { viewBox: `0 0 ${WIDE} ${HIGH}`, role: 'img' });
  const words = h('p', {});
  const element = h('div', { class: 'course' }, picture, words);
  function update({ curve, inputs, loss: [name], loss_at: loss }) {
    const input = inputs.find((one) => one.name === curve.name);
    const label = elementName(input, curve.at, position);
    const { xs, ys, x, slope } = curve;
    const finite = ys.filter((y) => y !== null).concat(loss ?? []);
    let [low, high] = [Math.min(...finite), Math.max(...finite)];
    if (!finite.length) [low, high] = [0, 1];
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    [low, high] = [low - room, high + room];
    const [from, to] = [xs[0], xs[xs.length - 1]];
    const across = (at) => LEFT + (at - from) / (to - from || 1) * (WIDE - LEFT - 6);
    const up = (y) => 4 + (high - y) / (high - low) * (HIGH - LOW - 4);
    const text = (at, y, content, anchor) => s('text', { x: at, y, 'text-anchor': anchor }, content);
    const frame = s('rect', { class: 'frame', x: LEFT, y: 4, width: WIDE - LEFT - 6, height: HIGH - LOW - 4 });
    const inner = s('svg', { x: LEFT, y: 4, width: WIDE - LEFT - 6, height: HIGH - LOW - 4, viewBox: `${LEFT} 4 ${WIDE - LEFT - 6} ${HIGH - LOW - 4}` });
    const shapes = [];
    const around = [frame, text(LEFT, HIGH - 4, number(from), 'start'), text(WIDE - 6, HIGH - 4, number(to), 'end'),
      text((LEFT + WIDE) / 2, HIGH - 4, label, 'middle'), text(LEFT - 4, 14, short(high - room), 'end'),
      text(LEFT - 4, HIGH - LOW, short(low + room), 'end'), text(LEFT - 4, (HIGH - LOW) / 2, name, 'end')];
    if (input.whole) ys.forEach((y, i) => y !== null && shapes.push(s('circle', { class: 'dot', cx: across(xs[i]), cy: up(y), r: 2.5 })));
    else for (const run of stretches(xs, ys, x, loss)) shapes.push(s('polyline', { class: 'losses', points: run.map(([a, y]) => `${across(a).toFixed(1)},${up(y).toFixed(1)}`).join(' ') }));
    if (x !== null && loss !== null) {
      if (slope !== null) shapes.push(tangent(s, [across(x), up(loss)], (up(loss + slope) - up(loss)) / (across(x + 1) - across(x))));
      shapes.push(s('circle', { class: 'here', cx: across(x), cy: up(loss), r: 4.5 }));
    }
    inner.append(...shapes);
    picture.replaceChildren(...around, inner);
    words.replaceChildren(`${label} = ${x === null ? 'NaN' : number(x)}`, slope === null ? '' : '  slope ', slope === null ? '' : h('b', {}, number(slope)));
    picture.setAttribute('aria-label', `${name} along ${words.textContent}`);
    Object.assign(element.dataset, { x, slope, loss });
  }
  return { element, update };
}

function short(y) {
  return Math.abs(y) >= 1e4 || (y && Math.abs(y) < 1e-2) ? y.toExponential(0).replace('-', '−') : String(Number(y.toPrecision(3))).replace('-', '−');
}

/** The curve, through the point where it is now, in pieces where it is not finite between. */
function stretches(xs, ys, x, loss) {
  const points = xs.map((at, i) => [at, ys[i]]);
  if (x !== null && !xs.includes(x)) points.push([x, loss]);
  points.sort(([a], [b]) => a - b);
  return points.reduce((runs, point) => {
    if (point[1] === null) runs.push([]);
    else runs[runs.length - 1].push(point);
    return runs;
  }, [[]]).filter((run) => run.length);
}

/** A line of 90 through a point, by its slope on the screen. */
function tangent(s, [x, y], slope) {
  const [dx, dy] = [45 / Math.hypot(1, slope), 45 * slope / Math.hypot(1, slope)];
  return s('line', { class: 'tangent', x1: x - dx, y1: y - dy, x2: x + dx, y2: y + dy });
}

/** As it is typed. */
function exact(x) {
  return String(Number(x.toPrecision(7)));
}

function elementName(input, at, position) {
  const where = position(at, input.shape);
  return where.length ? `${input.name}[${where.join(', ')}]` : input.name;
}

/** Sliders and fields for each input; they are built once, and again where shapes change. */
function fields(kit, model, ask) {
  const element = kit.h('div', { class: 'inputs' });
  let [shown, rows] = ['', []];
  const update = (told) => {
    const shape = JSON.stringify(told.inputs.map(({ name, shape: one }) => [name, one]));
    if (shape !== shown) {
      rows = told.inputs.map((input) => (size(input) <= told.few ? few : many)(kit, input, ask));
      // single numbers share their rows
      const groups = [];
      rows.forEach((row, i) => {
        const [single, last] = [!told.inputs[i].shape.length, groups[groups.length - 1]];
        if (single && last && last.matches('.rows')) last.append(row.element);
        else groups.push(single ? kit.h('div', { class: 'rows' }, row.element) : row.element);
      });
      element.replaceChildren(...groups);
      shown = shape;
    }
    const all = bytesOf(model.get('numbers'));
    const numbers = new Float64Array(all.buffer);
    const half = numbers.length / 2;
    let at = 0;
    told.inputs.forEach((input, i) => {
      const next = at + (input.there ? size(input) : 0);
      rows[i].update(numbers.subarray(at, next), numbers.subarray(half + at, half + next), told, input);
      at = next;
    });
  };
  return { element, update };
}

const size = ({ shape }) => shape.reduce((a, b) => a * b, 1);

function framed({ h, shapeText }, input, content) {
  const said = [input.symbol, input.shape.length ? shapeText(input.shape) : ''].filter(Boolean).join(' ');
  return h('fieldset', { class: 'input' }, h('legend', {}, input.name, said ? h('small', {}, said) : null), content);
}

/** A slider for each number. */
function few(kit, input, ask) {
  const rows = Array.from({ length: size(input) }, (_, at) => oneNumber(kit, input, at, ask));
  const all = rows.map((row) => row.element);
  const element = input.shape.length ? framed(kit, input, kit.h('div', { class: 'rows' }, all)) : all[0];
  const update = (values, slopes, { curve, busy }, { name }) => rows.forEach((row, at) => {
    row.update(values[at], slopes[at], curve.name === name && curve.at === at, busy);
  });
  return { element, update };
}

/** A picture of all numbers, and a slider for the one that is chosen in it. */
function many(kit, input, ask) {
  const { h } = kit;
  const place = h('div', {});
  const rows = h('div', { class: 'rows' });
  let [chosen, row, last, painted] = [0, null, [], ''];
  const choose = (at) => {
    chosen = Math.max(0, Math.min(size(input) - 1, Math.round(at) || 0));
    row = oneNumber(kit, input, chosen, ask);
    rows.replaceChildren(row.element, picker);
    if (last[chosen] !== undefined) row.update(last[chosen], NaN, true);
    ask({ name: input.name, at: chosen });
  };
  const which = h('input', { class: 'which', type: 'number', min: 0, max: size(input) - 1, 'aria-label': `Which element of ${input.name}`,
    onchange: () => choose(Number(which.value)) });
  const picker = h('label', { class: 'key' }, 'element no. ', which);
  const element = framed(kit, input, h('div', { class: 'chooser' }, place, rows));
  row = oneNumber(kit, input, 0, ask);
  rows.append(row.element, picker);
  const update = (values, slopes, { curve, busy }, { name, there }) => {
    last = values;
    which.value = chosen;
    const touched = curve.name === name;
    row.update(there ? values[chosen] : touched ? curve.x : NaN, there ? slopes[chosen] : touched ? curve.slope ?? NaN : NaN, touched, busy);
    const key = values.join();
    if (!there || painted === key) return;
    painted = key;
    const array = kit.describe(input.shape, Float64Array.from(values));
    place.replaceChildren(kit.heatmap(array, { width: 150, height: 90, title: name, click: choose }));
  };
  return { element, update };
}

/** A slider and a field for one number, and the gradient there. */
function oneNumber({ h, number, position }, input, at, ask) {
  const label = elementName(input, at, position);
  const step = input.whole ? 1 : 10 ** Math.floor(Math.log10((input.high - input.low) / 200));
  const moved = (value) => value !== '' && Number.isFinite(Number(value)) && ask({ name: input.name, at, value: Number(value) });
  const slider = h('input', { type: 'range', min: input.low, max: input.high, step, 'aria-label': `${label}, slider`,
    oninput: () => {
      field.value = exact(Number(slider.value));
      moved(slider.value);
    } });
  const field = h('input', { type: 'number', step: 'any', 'aria-label': label,
    oninput: () => { typing = true; },
    onchange: () => {
      typing = false;
      moved(field.value);
    } });
  const gradient = h('output', { title: `gradient by ${label}` });
  const name = input.shape.length ? `[${position(at, input.shape).join(', ')}]` : input.name;
  const element = h('div', { class: 'one' }, h('span', { title: label, class: input.shape.length ? '' : 'name' }, name), slider, field, gradient);
  let typing = false;
  const update = (value, slope, touched, busy) => {
    element.classList.toggle('touched', touched);
    if (Number.isFinite(value)) {
      // what is out of the range makes it longer
      slider.min = Math.min(input.low, value);
      slider.max = Math.max(input.high, value);
      // what moves on while this answer comes is left alone
      if (!busy) slider.value = value;
      if (!busy && !typing) field.value = exact(value);
    }
    gradient.textContent = Number.isNaN(slope) ? '' : number(slope);
  };
  return { element, update };
}

export default { render };
