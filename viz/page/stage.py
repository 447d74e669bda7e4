"""The graph that a page steps through: laid out once, with empty places where values and gradients come and go."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

from ..drawing import render
from ..drawing.card import CHARACTER, FONT_SIZE, LINE, PAD_X, PAD_Y, Card, Cell
from ..drawing.dot import node_ids, to_dot
from ..drawing.svg import SVG, bounds, finish, points
from ..graph.model import Box, Graph
from ..plain.numbers import FEW, columns, number, parts
from .interiors import frames_of

_TITLE = 30
_NUMBER, _LONG = 8, 11
_ACROSS, _DOWN = 4, 6
_PICTURE = 34.0
_RECTANGLE = 5
_DECIMAL = re.compile(r"-?\d+\.\d+")
_STRAIGHT = re.compile(r"^(M(-?\d+),-?\d+)C(?:\2,-?\d+[ ]?)*\2,(-?\d+)$")
_PLACED = frozenset(("x", "y", "width", "height", "d", "points", "transform", "viewBox"))
_HEAD = b"<?xml"
_DRAWN: dict[Any, dict[Any, str]] = {}
"""The last drawings, by all that is drawn in them: a loss is looked at again and again, with other numbers."""
_MOST_DRAWN = 8
_KEPT = _PLACED.union(
    ("class", "font-size", "stroke-dasharray", "rx"), ("data-box", "data-edge", "data-layer", "data-slot")
)


class Stage(NamedTuple):
    """The drawing of a graph: `svg` is that of the first one which differs from it in words alone.

    `words` are its own, box by box, and `layers` are the numbers of its frames.
    """

    svg: str
    words: tuple[tuple[str, ...], ...]
    layers: tuple[int, ...]


def stages_of(graphs: Sequence[Graph], layers: Mapping[str, int]) -> tuple[Stage, ...]:
    """The drawings of some graphs as SVG, with the numbers of their boxes and edges, and of `layers` by their paths.

    Boxes are groups of class ``node`` with a ``data-box``; in them rectangles of class ``slot``. Edges are groups of
    class ``edge`` with a ``data-edge``. All are laid out by one run of Graphviz.
    """
    plain = [_plain(graph) for graph in graphs]
    cards = [{box.id: _card(box) for box in graph.boxes} for graph in plain]
    texts = [
        to_dot(graph, known, font="Courier", captions=False, fixed=True)
        for graph, known in zip(plain, cards, strict=True)
    ]
    kinds = [(text, *(_kind(box, known[box.id]) for box in graph.boxes))
             for text, graph, known in zip(texts, plain, cards, strict=True)]  # fmt: skip
    programs = tuple(render.programs())
    firsts: dict[Any, int] = {}
    for i, kind in enumerate(kinds):
        firsts.setdefault(kind, i)
    key = (programs, tuple(firsts))
    drawn = _DRAWN.get(key)
    if drawn is None:
        while len(_DRAWN) >= _MOST_DRAWN:
            _DRAWN.pop(next(iter(_DRAWN)), None)
        laid_out = laid_out_all(programs, list(dict.fromkeys(texts)))
        drawn = _DRAWN[key] = {
            kind: _with_slots(laid_out.get(texts[i]) or column(plain[i], cards[i]), plain[i], cards[i])
            for kind, i in firsts.items()
        }
    return tuple(
        Stage(drawn[kind], tuple(_words(known[box.id]) for box in graph.boxes),
              tuple(layers.get(frame.path, -1) for frame in frames_of(graph.frames)))
        for graph, known, kind in zip(plain, cards, kinds, strict=True)
    )  # fmt: skip


def _words(card: Card) -> tuple[str, ...]:
    return tuple(cell.text for row in card.lines for cell in row)


def _kind(box: Box, card: Card) -> Any:
    """What the drawings of boxes share that differ in words alone."""
    slots = () if box.brief else tuple((which, *_slot_size(box, which)) for which in _slots(box))
    return tuple(tuple((cell.column, cell.style) for cell in row) for row in card.lines), slots


def _plain(graph: Graph) -> Graph:
    edges = tuple(dataclasses.replace(edge, local=None, label="") for edge in graph.edges)
    return dataclasses.replace(graph, edges=edges, notes=())


def laid_out_all(programs: tuple[str, ...], texts: Sequence[str]) -> dict[str, bytes]:
    """What Graphviz draws of some texts; where all of them are too many, of the first one."""
    for several in (texts, texts[:1]):
        for program in programs:
            try:
                drawn = render.run_dot(program, "".join(several))
            except render.RenderError:
                continue
            pages = [_HEAD + page for page in drawn.split(_HEAD)[1:]]
            if len(pages) == len(several):
                return dict(zip(several, pages, strict=True))
    return {}


# --- boxes ------------------------------------------------------------------------------------------------------------


def _card(box: Box) -> Card:
    """A title, and below it the rows that the places for value and gradient take."""
    width = 0.0 if box.brief else max(_slot_size(box, which)[0] for which in ("value", "gradient"))
    title = _shortened(box.title, max(_TITLE, int(width / CHARACTER)))
    lines = [(Cell(0, title, "learned" if box.kind == "learned" else "title"),)]
    if box.op and box.kind in ("layer", "folded"):
        lines.append((Cell(0, box.op, "dim"),))
    lines += [(Cell(0, badge, "badge"),) for badge in box.badges if not box.brief]
    lines += [(Cell(0, f"▲ {box.alarm}", "alarm"),)] if box.alarm else []
    if box.brief:
        return Card(tuple(lines))
    rows = math.ceil(sum(_slot_size(box, which)[1] for which in _slots(box)) / LINE)
    return Card((*lines, *((),) * rows), least=int(np.ceil(width / CHARACTER)))


def _shortened(title: str, most: int) -> str:
    return title if columns(title) <= most else title[: most - 1] + "…"


def _slots(box: Box) -> tuple[str, ...]:
    return ("value", "gradient") if box.grad.array is not None else ("value",)


def _slot_size(box: Box, which: str) -> tuple[float, float]:
    """Width and height of the place of a value or of a gradient, in points, in whole lines."""
    quantity = box.value if which == "value" else box.grad
    array = np.asarray(box.value.array)
    label = columns(quantity.label) + 1
    if parts(array).size <= FEW:
        last = array.shape[-1] or 1 if array.ndim else 1
        rows = min(max(array.size // last, 1), _DOWN)
        known = quantity.array if quantity.array is not None else array
        longest = max((len(number(one)) + 1 for one in np.ravel(known)), default=0)
        # one of two widths, so that a drawing seldom changes with its numbers
        each = _NUMBER if longest <= _NUMBER else max(longest, _LONG)
        return (label + max(min(last, _ACROSS) * each + 1, 10)) * CHARACTER, rows * LINE
    return (label + _NUMBER) * CHARACTER + _PICTURE, 2.5 * LINE


# --- the drawing ------------------------------------------------------------------------------------------------------


def _with_slots(laid_out: bytes, graph: Graph, cards: dict[str, Card]) -> str:
    """What Graphviz drew, finished as pictures are, with numbers instead of names, and with the slots."""
    groups = ET.fromstring(laid_out).iter(f"{{{SVG}}}g")
    frame_of = {group.get("id"): _title(group) for group in groups if group.get("class") == "cluster"}
    frames = [frame.id for frame in frames_of(graph.frames)]
    root = ET.fromstring(finish(laid_out, graph, cards, ""))
    for old in (f"{{{SVG}}}title", f"{{{SVG}}}desc"):
        for element in root.findall(old):
            root.remove(element)
    for key in ("role", "aria-label"):
        root.attrib.pop(key, None)
    for group in root.iter(f"{{{SVG}}}g"):
        _, _, drawn_as = group.attrib.pop("id", "").partition("-")
        if group.get("class") == "cluster":
            group.set("data-layer", str(frames.index(frame_of[drawn_as])))
    number_parts(root, graph)
    for group in root.iter(f"{{{SVG}}}g"):
        if "data-box" in group.attrib:
            group.attrib.pop("aria-label", None)
            box = graph.boxes[int(group.attrib["data-box"])]
            _fill_in(group, box, cards[box.id])
    _slim(root)
    return ET.tostring(root, encoding="unicode")


def number_parts(root: ET.Element, graph: Graph) -> None:
    """Give boxes, edges and frames of a finished drawing their numbers, ``data-…``, in place of titles."""
    order = {box.id: i for i, box in enumerate(graph.boxes)}
    waiting: dict[str, list[int]] = {}
    for e, edge in enumerate(graph.edges):
        waiting.setdefault(f"{edge.tail}->{edge.head}", []).append(e)
    frames: dict[str, list[int]] = {}
    for k, frame in enumerate(frames_of(graph.frames)):
        frames.setdefault(frame.title, []).append(k)
    for group in root.iter(f"{{{SVG}}}g"):
        title = group.find(f"{{{SVG}}}title")
        if title is None:
            continue
        name = title.text or ""
        group.remove(title)
        if group.get("class") == "node":
            group.set("data-box", str(order[name]))
        elif group.get("class") == "edge":
            group.set("data-edge", str(waiting[name].pop(0)))
        elif group.get("class") == "cluster" and name in frames:
            group.attrib.setdefault("data-layer", str(frames[name].pop(0)))


def _title(group: ET.Element) -> str:
    title = group.find(f"{{{SVG}}}title")
    return (title.text or "") if title is not None else ""


def _fill_in(group: ET.Element, box: Box, card: Card) -> None:
    """Count the places in a box from its corner, and add those of value and gradient."""
    left, top, right, bottom = bounds(points(group))
    for shape in list(group):
        if shape.tag == f"{{{SVG}}}text":
            shape.set("x", str(float(shape.get("x", 0)) - left))
            shape.set("y", str(float(shape.get("y", 0)) - top))
        else:
            _move(shape, -left, -top)
            shape.set("class", "box")
    group.set("transform", f"translate({left:.0f} {top:.0f})")
    x, y = (right - left - card.width) / 2 + PAD_X, (bottom - top - card.height) / 2 + PAD_Y
    y += LINE * sum(bool(row) for row in card.lines)
    for which in () if box.brief else _slots(box):
        width, height = card.width - 2 * PAD_X, _slot_size(box, which)[1]
        place = {"data-slot": which, "x": x, "y": y, "width": width, "height": height}
        ET.SubElement(group, f"{{{SVG}}}rect", {name: str(value) for name, value in place.items()})
        y += height


def _move(shape: ET.Element, right: float, down: float) -> None:
    """Move an outline; a rectangle, round or not, becomes a <rect>."""
    corners = [(x + right, y + down) for x, y in points([shape])]
    shape.attrib.pop("d", None)
    rounded = shape.tag == f"{{{SVG}}}path"
    if not rounded and len(corners) != _RECTANGLE:
        shape.set("points", " ".join(f"{x:.0f},{y:.0f}" for x, y in corners))
        return
    shape.attrib.pop("points", None)
    shape.tag = f"{{{SVG}}}rect"
    (x0, x1), (y0, y1) = ((min(c), max(c)) for c in zip(*corners, strict=True))
    for name, value in (("x", x0), ("y", y0), ("width", x1 - x0), ("height", y1 - y0)):
        shape.set(name, str(value))
    if rounded:
        shape.set("rx", "12")


def _slim(root: ET.Element) -> None:
    """Leave out what the page's style sheet says, the arrow heads it draws itself, and fractions of a point."""
    for name in ("width", "height", "style", "font-family"):
        root.attrib.pop(name, None)
    root.set("font-size", f"{FONT_SIZE:g}")
    for group in root.iter(f"{{{SVG}}}g"):
        kind = group.get("class")
        for shape in list(group):
            is_label = kind == "frame-label" and shape.tag == f"{{{SVG}}}rect"
            if is_label or (kind == "edge" and shape.tag == f"{{{SVG}}}polygon"):
                group.remove(shape)
            elif kind == "cluster":
                _move(shape, 0, 0)
    for element in root.iter():
        element.tail = None
        if element.tag == f"{{{SVG}}}g" and not (element.text or "").strip():
            element.text = None
        for name in [name for name in element.attrib if name not in _KEPT]:
            del element.attrib[name]
        if element is not root and element.get("font-size") == root.get("font-size"):
            del element.attrib["font-size"]
        for name in _PLACED & set(element.attrib):
            element.set(name, _DECIMAL.sub(lambda found: f"{float(found[0]):.0f}", element.attrib[name]))
        if "transform" in element.attrib:
            element.set("transform", element.attrib["transform"].removeprefix("scale(1 1) rotate(0) "))
        if "d" in element.attrib:
            element.set("d", _STRAIGHT.sub(r"\1V\3", element.attrib["d"]))


def column(graph: Graph, cards: dict[str, Card]) -> bytes:
    """The boxes one below the other: what is left where no Graphviz program is."""
    ids = node_ids(graph)
    width = max((card.width for card in cards.values()), default=0) + 16
    groups, top = [], 8.0
    for box in graph.boxes:
        card = cards[box.id]
        x, y, bottom = 8.0, top, top + card.height
        corners = f"{x},{y} {x + card.width},{y} {x + card.width},{bottom} {x},{bottom}"
        outline = f'<polygon fill="none" stroke="#777" points="{corners}"/>'
        groups.append(f'<g class="node"><title>{ids[box.id]}</title>{outline}</g>')
        top = bottom + 10
    return (
        f'<svg xmlns="{SVG}" width="{width:.0f}pt" height="{top:.0f}pt" viewBox="0 0 {width:.0f} {top:.0f}">'
        f'<g class="graph">{"".join(groups)}</g></svg>'
    ).encode()
