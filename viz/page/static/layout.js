// Where things are in a drawing: maps that make room, ways of edges through them, arrow heads.

const [SAMPLE, SPACE] = [14, 8];
/** How far from its ends an edge may leave its way for its boxes; the first of them where it meets no other box. */
const NEAR = [60, 36, 20, 10];

const numbersOf = (text) => (text.match(/-?\d+(\.\d+)?/g) || []).map(Number);
const round = (x) => Math.round(x * 10) / 10;

function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

/** Left, top, right, bottom of an outline. */
function edgesOf(shape) {
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(shape.getAttribute(name)));
  if (shape.localName === 'rect') return [x, y, x + width, y + height];
  const points = numbersOf(shape.getAttribute('points') || shape.getAttribute('d'));
  const [xs, ys] = [0, 1].map((axis) => points.filter((_, k) => k % 2 === axis));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/**
 * A map that stretches bands [from, to, by how much more than 1] and moves what comes after; where they meet, by the most.
 * Where there is none, it shrinks `spare` ones, by the least.
 */
function stretched(bands, spare = []) {
  const cuts = [...new Set([...bands, ...spare].flatMap(([from, to]) => [from, to]))].sort((a, b) => a - b);
  const more = cuts.slice(1).map((to, k) => {
    const [wide, thin] = [bands, spare].map((list) => list.filter(([a, b]) => a <= cuts[k] && to <= b).map((band) => band[2]));
    return wide.length || !thin.length ? Math.max(0, ...wide) : Math.max(...thin);
  });
  const map = (at) => more.reduce((sum, factor, k) => sum + factor * Math.max(0, Math.min(at, cuts[k + 1]) - cuts[k]), at);
  return Object.assign(map, { cuts });
}

/** What can be spared of frames [from, to, the size that they need] where nothing else is: bands for `stretched`. */
function shrinking(frames, taken) {
  return frames.flatMap(([from, to, need]) => {
    const free = [];
    let at = from;
    for (const [a, b] of taken.map(([left, right]) => [left - SPACE, right + SPACE]).sort((p, q) => p[0] - q[0])) {
      if (a > at && at < to) free.push([at, Math.min(a, to)]);
      at = Math.max(at, b);
    }
    if (at < to) free.push([at, to]);
    const all = free.reduce((sum, [a, b]) => sum + b - a, 0);
    const share = Math.min(1, (to - from - need) / all);
    return share > 0 ? free.map(([a, b]) => [a, b, -share]) : [];
  });
}

/**
 * The way of an edge through the maps, and how far its label moves; at its ends it keeps to its boxes, which have `moved` as
 * all others.
 */
function bent(edge, maps, moved) {
  edge.points = edge.points || sampled(edge.d);
  const [tail, head] = edge.ends;
  const points = cut(between(edge.points, moved.get(tail), moved.get(head)), maps);
  const [first, last] = [points[0], points[points.length - 1]];
  const off = (point, box) => point.at.map((at, axis) => {
    if (!box) return 0;
    const [far, half] = [at - box.centre[axis], box.old[axis] / 2];
    const within = Math.max(-half, Math.min(half, far));
    return box.middle[axis] + within * box.size[axis] / box.old[axis] + far - within - maps[axis](at);
  });
  const ends = [off(first, moved.get(tail)), off(last, moved.get(head))];
  const straight = points.map(({ at }) => at.map((x, axis) => maps[axis](x)));
  const others = [...moved].filter(([i]) => i !== tail && i !== head).map(([, box]) => box);
  const meets = (at) => others.some(({ middle, size }) =>
    Math.abs(at[0] - middle[0]) < size[0] / 2 && Math.abs(at[1] - middle[1]) < size[1] / 2);
  const ways = NEAR.map((near) => () => {
    const reach = Math.min(last.way, near) || 1;
    return points.map((point, k) => {
      const [a, b] = [point.way, last.way - point.way].map((far) => {
        const share = Math.max(0, 1 - far / reach);
        return share * share * (3 - 2 * share);
      });
      return straight[k].map((at, axis) => at + a * ends[0][axis] + b * ends[1][axis]);
    });
  });
  let way = null;
  for (const next of ways) {
    way = next();
    const all = way.flatMap((to, k) => [0.25, 0.5, 0.75, 1].map((t) => to.map((x, i) => (way[k - 1] || to)[i] * (1 - t) + x * t)));
    if (!all.some(meets)) break;
  }
  return [smooth(way), edge.label ? beside(edge, points, way) : [0, 0]];
}

/** How far the nearest of some points of an edge to its label has moved. */
function beside(edge, points, way) {
  edge.spot = edge.spot || (({ x, y, width, height }) => [x + width / 2, y + height / 2])(edge.label.getBBox());
  const far = points.map(({ at }) => Math.hypot(at[0] - edge.spot[0], at[1] - edge.spot[1]));
  const k = far.indexOf(Math.min(...far));
  return way[k].map((to, axis) => to - points[k].at[axis]);
}

/** Of points from one box to another, those that are in neither of them where it stands for a frame. */
function between(points, from, to) {
  const holds = (box, { at }) => box && box.place && at.every((x, axis) => x > box.place[axis] && x < box.place[axis + 2]);
  const start = points.findLastIndex((point) => holds(from, point));
  const end = points.findIndex((point, k) => k > start && holds(to, point));
  const edge = (box, inner, outer) => {
    const shares = [0, 1].map((axis) => {
      const step = outer.at[axis] - inner.at[axis];
      const border = box.place[step > 0 ? axis + 2 : axis];
      return step ? (border - inner.at[axis]) / step : 1;
    });
    const share = Math.max(0, Math.min(1, ...shares));
    return { at: inner.at.map((x, axis) => x + share * (outer.at[axis] - x)), way: inner.way + share * (outer.way - inner.way) };
  };
  const kept = points.slice(start + 1, end < 0 ? points.length : end);
  if (start >= 0 && start + 1 < points.length) kept.unshift(edge(from, points[start], points[start + 1]));
  if (end > 0) kept.push(edge(to, points[end], points[end - 1]));
  return kept.map(({ at, way }) => ({ at, way: way - kept[0].way }));
}

/** Points, and those between them where a map changes: from one to the next it does not. */
function cut(points, maps) {
  return points.flatMap((to, k) => {
    if (!k) return [to];
    const from = points[k - 1];
    const shares = maps.flatMap(({ cuts }, axis) => cuts.map((at) => (at - from.at[axis]) / (to.at[axis] - from.at[axis])));
    const between = shares.filter((share) => share > 0.001 && share < 0.999).sort((a, b) => a - b);
    return [...between.map((share) => ({
      at: from.at.map((x, axis) => x + share * (to.at[axis] - x)), way: from.way + share * (to.way - from.way),
    })), to];
  });
}

/** Points along a path of straight lines and cubic curves: where, and how far from its beginning. */
function sampled(d) {
  const found = [];
  const add = (at) => {
    const before = found[found.length - 1];
    found.push({ at, way: before ? before.way + Math.hypot(at[0] - before.at[0], at[1] - before.at[1]) : 0 });
  };
  let here = [0, 0];
  const curve = (a, b, c) => {
    const long = [[here, a], [a, b], [b, c]].reduce((sum, [p, q]) => sum + Math.hypot(p[0] - q[0], p[1] - q[1]), 0);
    const count = Math.max(2, Math.ceil(long / SAMPLE));
    for (let k = 1; k <= count; k++) {
      const [t, u] = [k / count, 1 - k / count];
      add([0, 1].map((i) => u ** 3 * here[i] + 3 * u * u * t * a[i] + 3 * u * t * t * b[i] + t ** 3 * c[i]));
    }
    here = c;
  };
  const line = (to) => curve(here.map((at, i) => at + (to[i] - at) / 3), here.map((at, i) => at + (to[i] - at) * 2 / 3), to);
  for (const [, kind, text] of d.matchAll(/([A-Z])([^A-Z]*)/g)) {
    const all = numbersOf(text);
    if (kind === 'M') {
      here = all.slice(0, 2);
      add(here);
    }
    if (kind === 'V') line([here[0], all[0]]);
    if (kind === 'H') line([all[0], here[1]]);
    for (let k = 0; kind === 'L' && k < all.length; k += 2) line(all.slice(k, k + 2));
    for (let k = 0; kind === 'C' && k < all.length; k += 6) curve(all.slice(k, k + 2), all.slice(k + 2, k + 4), all.slice(k + 4, k + 6));
  }
  return found;
}

/** A curve through points, which turns as tightly as the nearer of two neighbours is near. */
function smooth(points) {
  const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const way = points.filter((point, k) => !k || k === points.length - 1 || far(point, points[k - 1]) > 0.5);
  const turns = way.map((point, k) => {
    const [before, after] = [way[k - 1] || point, way[k + 1] || point];
    const [back, on] = [far(point, before), far(point, after)];
    const along = point.map((x, i) => (x - before[i]) / (back || 1) + (after[i] - x) / (on || 1));
    const handle = Math.min(back || on, on || back) / 3 / (Math.hypot(...along) || 1);
    return along.map((x) => x * handle);
  });
  const text = (point) => point.map(round).join();
  const parts = way.slice(1).map((to, k) => {
    const [from, a, b] = [way[k], turns[k], turns[k + 1]];
    return `C${text(from.map((x, i) => x + a[i]))} ${text(to.map((x, i) => x - b[i]))} ${text(to)}`;
  });
  return `M${text(way[0])}${parts.join('')}`;
}

/** Arrow heads: one at the end of an edge, and one at its start where, on the way back, the gradient flows against it. */
function point(group, back) {
  const path = group && group.querySelector('path');
  if (!path) return;
  const at = (length) => path.getPointAtLength(length);
  const end = path.getTotalLength();
  if (!group.querySelector('.ahead')) {
    const [base, before] = [at(end), at(end - 6)];
    group.append(arrowHead('ahead', { x: 2 * base.x - before.x, y: 2 * base.y - before.y }, base, 2.1));
  }
  const old = group.querySelector('.back');
  if (Boolean(old) === back) return;
  if (old) old.remove();
  else group.append(arrowHead('back', at(0), at(9), 4.5));
}

function arrowHead(kind, tip, from, half) {
  const length = Math.hypot(from.x - tip.x, from.y - tip.y) || 1;
  const [x, y] = [(from.y - tip.y) / length * half, (from.x - tip.x) / length * half];
  const points = [[tip.x, tip.y], [from.x - x, from.y + y], [from.x + x, from.y - y]];
  return s('polygon', { class: kind, points: points.map((place) => place.map((n) => n.toFixed(1)).join()).join(' ') });
}
