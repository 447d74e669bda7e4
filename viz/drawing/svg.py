"""Finishing Graphviz's SVG: our own type in its boxes, the heat maps, names for screen readers, a legend.

Graphviz decides where things are; what stands in them is set here, on the grid that the boxes were sized for, so that
the picture looks the same whatever fonts the Graphviz program knew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree as ET

import numpy as np

from ..graph.model import MEANING, Graph
from ..plain.numbers import columns
from .card import CHARACTER, FONT_SIZE, LINE, PAD_X, PAD_Y, Card, Cell
from .clearance import Rect, along, shift
from .dot import ALARM, FILL, INK, STROKE, STYLE, kinds, node_ids, reading_help

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
STYLES: dict[str, dict[str, str]] = {
    "title": {"font-weight": "bold"},
    "dim": {"fill": "#555b66"},
    "label": {"fill": "#555b66"},
    "number": {},
    "badge": {"fill": "#7a3e00"},
    "learned": {"fill": "#8a4600", "font-weight": "bold"},
    "alarm": {"fill": ALARM, "font-weight": "bold"},
}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_SMALL = 9.0
_PAPER = "#f7f7f7"

ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


def finish(svg: bytes, graph: Graph, cards: Mapping[str, Card], description: str, *, legend: bool = False) -> str:
    """The finished picture.

    Parameters
    ----------
    svg : bytes
        What Graphviz wrote for the DOT of `graph`.
    graph : Graph
    cards : dict of str to Card
    description : str
        One sentence for those who can't see it.
    legend : bool, optional

    Returns
    -------
    str
    """
    root = ET.fromstring(svg)
    boxes = {dot_id: box_id for box_id, dot_id in node_ids(graph).items()}
    prefix = "tg" + hashlib.sha256(svg + description.encode()).hexdigest()[:8]
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag is ET.Comment:
                parent.remove(child)
    labels: list[list[ET.Element]] = []
    for group in list(root.iter(f"{{{SVG}}}g")):
        if group.get("id"):
            group.set("id", f"{prefix}-{group.get('id')}")
        kind = group.get("class")
        title = group.find(f"{{{SVG}}}title")
        name = title.text or "" if title is not None else ""
        if kind == "node":
            box_id = boxes[name]
            title.text = box_id  # type: ignore[union-attr]
            _fill_box(group, cards[box_id])
            group.set("aria-label", "; ".join(line for line in cards[box_id].text_lines() if line))
        elif kind == "edge":
            tail, _, head = name.partition("->")
            title.text = f"{boxes[tail]}->{boxes[head]}"  # type: ignore[union-attr]
        elif kind == "cluster":
            _chip(group)
            if title is not None:
                title.text = "".join(t.text or "" for t in group.findall(f"{{{SVG}}}text"))
            labels.append([child for child in group if child.tag in (f"{{{SVG}}}rect", f"{{{SVG}}}text")])
            for child in labels[-1]:
                group.remove(child)
        elif kind == "graph" and title is not None:
            group.remove(title)
    _label_edges(root)
    drawing = root[0] if len(root) else root
    for parts in labels:  # above the edges that pass under them
        ET.SubElement(drawing, f"{{{SVG}}}g", {"class": "frame-label"}).extend(parts)
    _footer(root, graph, cards, legend)
    name = f"Computation graph of {graph.loss}"
    root.set("role", "img")
    root.set("aria-label", description)
    root.set("font-family", FONTS)
    root.set("style", "max-width:100%;height:auto")
    title = ET.Element(f"{{{SVG}}}title")
    title.text = name
    title.tail = "\n"
    about = ET.Element(f"{{{SVG}}}desc")
    about.text = description
    about.tail = "\n"
    root.insert(0, title)
    root.insert(1, about)
    return ET.tostring(root, encoding="unicode") + "\n"


def text_picture(lines: Sequence[str], name: str) -> str:
    """An SVG that is only text: what is left where no Graphviz program is."""
    width = max((columns(line) for line in lines), default=0) * CHARACTER + 2 * PAD_X
    height = len(lines) * LINE + 2 * PAD_Y
    root = ET.Element(f"{{{SVG}}}svg", {
        "width": f"{width:.0f}pt", "height": f"{height:.0f}pt", "viewBox": f"0 0 {width:.0f} {height:.0f}",
        "role": "img", "aria-label": name, "font-family": FONTS,
    })  # fmt: skip
    ET.SubElement(root, f"{{{SVG}}}title").text = name
    ET.SubElement(root, f"{{{SVG}}}rect", {"width": "100%", "height": "100%", "fill": _PAPER})
    for i, line in enumerate(lines):
        add_text(root, PAD_X, PAD_Y + (i + 0.8) * LINE, line, {})
    return ET.tostring(root, encoding="unicode") + "\n"


def points(group: Iterable[ET.Element]) -> list[tuple[float, float]]:
    found = []
    for shape in group:
        data = shape.get("points") or shape.get("d")
        if data and shape.tag in (f"{{{SVG}}}polygon", f"{{{SVG}}}path", f"{{{SVG}}}polyline"):
            numbers = [float(n) for n in _NUMBER.findall(data)]
            found += list(zip(numbers[::2], numbers[1::2], strict=False))
    return found


def _fill_box(group: ET.Element, card: Card) -> None:
    for text in group.findall(f"{{{SVG}}}text"):
        group.remove(text)
    corners = points(group)
    left = (min(x for x, _ in corners) + max(x for x, _ in corners) - card.width) / 2 + PAD_X
    top = (min(y for _, y in corners) + max(y for _, y in corners) - card.height) / 2 + PAD_Y
    _rows(group, left, top, card.lines)
    top += len(card.lines) * LINE
    for column, thumb in card.thumbs:
        ET.SubElement(group, f"{{{SVG}}}image", {
            "x": f"{left + column * CHARACTER:.2f}", "y": f"{top + 2:.2f}",
            "width": str(thumb.width), "height": str(thumb.height),
            "style": "image-rendering:pixelated", f"{{{XLINK}}}href": thumb.data_uri(),
        })  # fmt: skip
        ET.SubElement(group, f"{{{SVG}}}rect", {
            "x": f"{left + column * CHARACTER - 0.5:.2f}", "y": f"{top + 1.5:.2f}",
            "width": str(thumb.width + 1), "height": str(thumb.height + 1),
            "fill": "none", "stroke": "#b4b9c2", "stroke-width": "0.5",
        })  # fmt: skip
    _rows(group, left, top + card.thumb_height, card.after)


def _rows(group: ET.Element, left: float, top: float, lines: Sequence[Sequence[Cell]]) -> None:
    for r, row in enumerate(lines):
        for cell in row:
            add_text(group, left + cell.column * CHARACTER, top + (r + 0.8) * LINE, cell.text, STYLES[cell.style])


def add_text(
    parent: ET.Element, x: float, y: float, text: str, style: Mapping[str, str], size: float = FONT_SIZE
) -> None:
    """Text that begins at (x, y), on its base line."""
    element = ET.SubElement(parent, f"{{{SVG}}}text", {
        "x": f"{x:.2f}", "y": f"{y:.2f}", "font-size": f"{size:g}", "fill": INK, **style,
        "{http://www.w3.org/XML/1998/namespace}space": "preserve",
    })  # fmt: skip
    element.text = text


def add_rect(
    parent: ET.Element, x: float, y: float, width: float, height: float, look: Mapping[str, str]
) -> ET.Element:
    """A rectangle with the attributes of `look`."""
    at = {"x": f"{x:.2f}", "y": f"{y:.2f}", "width": f"{width:.2f}", "height": f"{height:.2f}"}
    return ET.SubElement(parent, f"{{{SVG}}}rect", {**at, **look})


def _label_edges(root: ET.Element) -> None:
    """Every arrow's label on a light ground, clear of the line, of the boxes and of the other labels."""
    groups = {kind: [g for g in root.iter(f"{{{SVG}}}g") if g.get("class") == kind] for kind in ("node", "edge")}
    taken = [bounds(points(group)) for group in groups["node"]]
    for group in groups["edge"]:
        for text in group.findall(f"{{{SVG}}}text"):
            if not (text.text or "").strip():
                group.remove(text)
    labels = {i: _ground(group) for i, group in enumerate(groups["edge"]) if group.find(f"{{{SVG}}}text") is not None}
    if not labels:
        return
    lines = [_line(group) for group in groups["edge"]]
    every = np.vstack(lines)
    page = bounds([corner for r in (*taken, *labels.values(), bounds(every)) for corner in (r[:2], r[2:])])
    for i, ground in labels.items():
        dx, dy = shift(ground, lines[i], every, taken, page)
        taken.append((ground[0] + dx, ground[1] + dy, ground[2] + dx, ground[3] + dy))
        for text in groups["edge"][i].findall(f"{{{SVG}}}text"):
            text.set("x", str(float(text.get("x", 0)) + dx))
            text.set("y", str(float(text.get("y", 0)) + dy))
        _chip(groups["edge"][i])


def _line(group: ET.Element) -> np.ndarray:
    """Points along an arrow, with the corners of its head."""
    path = group.find(f"{{{SVG}}}path")
    numbers = [float(n) for n in _NUMBER.findall(path.get("d") or "")] if path is not None else []
    curve = along(list(zip(numbers[::2], numbers[1::2], strict=False)))
    return np.vstack([curve, np.array(points(group), float).reshape(-1, 2)[len(numbers) // 2 :]])


def bounds(points: Iterable[Sequence[float]]) -> Rect:
    x, y = zip(*points, strict=True)
    return min(x), min(y), max(x), max(y)


def _ground(group: ET.Element) -> Rect:
    """Where the ground of a label lies."""
    texts = group.findall(f"{{{SVG}}}text")
    size = float(texts[0].get("font-size", _SMALL))
    width = max(columns((t.text or "").strip()) for t in texts) * size * 0.605
    at, first = float(texts[0].get("x", 0)), float(texts[0].get("y", 0))
    left = at - width / 2 if texts[0].get("text-anchor") == "middle" else at
    top = first - size * 0.95
    return left - 2.5, top, left + width + 2.5, top + (len(texts) - 1) * size * 1.2 + size * 1.25


def _chip(group: ET.Element) -> None:
    """A light ground behind the label of an edge or a frame, so that it reads on dark pages too."""
    texts = group.findall(f"{{{SVG}}}text")
    if not texts:
        return
    size = float(texts[0].get("font-size", _SMALL))
    at, first = float(texts[0].get("x", 0)), float(texts[0].get("y", 0))
    middle = texts[0].get("text-anchor") == "middle"
    left, top, right, bottom = _ground(group)
    ground = add_rect(group, left, top, right - left, bottom - top, {"rx": "2", "fill": _PAPER})
    group.remove(ground)
    group.insert(list(group).index(texts[0]), ground)
    for i, text in enumerate(texts):
        content = (text.text or "").strip()
        text.clear()
        text.text = content
        is_number = group.get("class") == "edge" and i == len(texts) - 1
        width_here = columns(content) * size * 0.602
        x = at - width_here / 2 if middle else at
        text.attrib.update({
            "x": f"{x:.2f}", "y": f"{first + i * size * 1.2:.2f}", "font-size": f"{size:g}",
            "fill": INK if is_number else "#4f545e", "{http://www.w3.org/XML/1998/namespace}space": "preserve",
        })  # fmt: skip


def _footer(root: ET.Element, graph: Graph, cards: Mapping[str, Card], legend: bool) -> None:
    """The notes and the legend, on rows of their own below the picture."""
    items = [(kind, MEANING[kind]) for kind in kinds(graph)] if legend else []
    notes = [*(reading_help(graph, cards) if legend else ()), *graph.notes]
    if not items and not notes:
        return
    x, y, width, height = (float(n) for n in (root.get("viewBox") or "").split())
    character = _SMALL * 0.605
    width = max(
        [width, *(columns(t) * character + 34 for _, t in items), *(columns(n) * character + 16 for n in notes)]
    )
    place = ET.SubElement(root, f"{{{SVG}}}g", {"class": "legend"})
    left, top = x + 6, y + height + 4
    for kind, text in items:
        wide = columns(text) * character + 22
        if left > x + 6 and left + wide > x + width:
            left, top = x + 6, top + 18
        look = {"fill": FILL[kind], "stroke": STROKE[kind], "stroke-width": f"{min(2.0, STYLE[kind][2]):g}"}
        if "rounded" in STYLE[kind][0]:
            look["rx"] = "4"
        if "dashed" in STYLE[kind][0]:
            look["stroke-dasharray"] = "4 2"
        add_rect(place, left, top, wide, 14, look)
        add_text(place, left + 8, top + 10.2, text, {}, _SMALL)
        left += wide + 8
    if items:
        top += 20
    for note in notes:
        add_rect(place, x + 6, top, columns(note) * character + 8, 13, {"rx": "2", "fill": _PAPER})
        add_text(place, x + 10, top + 9.6, note, {"fill": "#4f545e"}, _SMALL)
        top += 15
    height = top + 2 - y
    root.set("viewBox", f"{x:.2f} {y:.2f} {width:.2f} {height:.2f}")
    root.set("width", f"{width:.0f}pt")
    root.set("height", f"{height:.0f}pt")
