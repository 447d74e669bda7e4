"""The picture of a sum of contributions: a parameter, its gradient, what it meets, and one element's running sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from ..drawing.card import CHARACTER, FONT_SIZE
from ..drawing.dot import FILL, INK, STROKE
from ..drawing.svg import FONTS, STYLES, SVG, XLINK, add_rect, add_text
from ..plain.numbers import columns, numeral, shape_text
from ..plain.thumbnails import Thumbnail, thumbnail

__all__ = ["Look", "draw"]

PAD, GAP, LINE = 10.0, 14.0, 14.0
SIDE = 112.0
CURVE = 230.0
LEAST = 140.0
MOST_POINTS = 600
MARK = "#0b7a3b"
AXIS = "#9aa0a9"


@dataclass(frozen=True, eq=False)
class Look:
    """What the picture shows, as plain data.

    Attributes
    ----------
    name, gradient_name, delta_name : str
        What the parameter, its gradient and that of the result are called.
    value, gradient : array
        The parameter and its gradient.
    index : tuple of int
        The element that is looked at.
    element : Element
        Its contributions.
    input_name : str
    seen : array (N, H, W) or None
        The channel of the images that a kernel slides over.
    part : (slice, slice) or None
        Which rows and columns of them the cell meets.
    delta : array or None
        The gradient of the result, of the element's channel where it is a kernel.
    sentence : str
    """

    name: str
    gradient_name: str
    delta_name: str
    value: Any
    gradient: Any
    index: tuple[int, ...]
    element: Any
    input_name: str
    seen: Any
    part: Any
    delta: Any
    sentence: str


@dataclass(frozen=True, eq=False)
class _Panel:
    """A heat map with a caption above it and one below; `mark` is outlined, in cells: (row, column, height, width)."""

    title: str
    note: str
    array: Any
    kind: str
    mark: tuple[float, float, float, float] | None = None
    scale: float | None = None
    before: str = ""

    @property
    def thumb(self) -> Thumbnail | None:
        return thumbnail(self.array)

    @property
    def cells(self) -> tuple[int, int] | None:
        """Rows and columns, where each cell of the heat map is an element of one image."""
        array, thumb = np.asarray(self.array), self.thumb
        images = array.ndim >= 2 and math.prod(array.shape[:-2]) == 1 and 1 not in array.shape[-2:]
        return (array.shape[-2], array.shape[-1]) if images and thumb is not None and not thumb.note else None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the heat map as it is shown."""
        thumb = self.thumb
        if thumb is None:
            return SIDE, LINE
        cells = self.cells
        if cells is None:
            grow = max(1.0, min(SIDE / thumb.width, SIDE / thumb.height))
            return thumb.width * grow, thumb.height * grow
        scale = self.scale or SIDE / max(cells)
        return cells[1] * scale, cells[0] * scale

    @property
    def width(self) -> float:
        text = max(columns(self.title), columns(self.note)) * CHARACTER
        return max(self.size[0], text) + 2 * PAD

    @property
    def height(self) -> float:
        return self.size[1] + 2 * LINE + 2 * PAD


def draw(look: Look) -> str:
    """The picture as an SVG."""
    rows = [_first_row(look), _second_row(look)]
    signs = 2 * GAP + CHARACTER
    width, top = 0.0, 0.0
    root = ET.Element(f"{{{SVG}}}svg")
    for panels in rows:
        left = 0.0
        height = max([LEAST, *(panel.height for panel in panels)])
        for panel in panels:
            if panel.before:
                _sign(root, left + signs / 2, top + height / 2, panel.before)
                left += signs
            elif left:
                left += GAP
            _panel(root, left, top, height, panel)
            left += panel.width
        if panels is rows[-1]:
            _sign(root, left + signs / 2, top + height / 2, "Σ")
            left += signs
            _curve(root, left, top, height, look)
            left += CURVE
        width = max(width, left)
        top += height + GAP
    add_rect(root, 0, top, columns(look.sentence) * CHARACTER + 2 * PAD, LINE + 8, {"rx": "4", "fill": "#f7f7f7"})
    add_text(root, PAD, top + LINE + 1, look.sentence, {})
    width, height = max(width, columns(look.sentence) * CHARACTER + 2 * PAD), top + LINE + 8
    root.attrib.update({
        "width": f"{width + 2:.0f}", "height": f"{height + 2:.0f}",
        "viewBox": f"-1 -1 {width + 2:.0f} {height + 2:.0f}",
        "role": "img", "aria-label": look.sentence, "font-family": FONTS, "style": "max-width:100%;height:auto",
    })  # fmt: skip
    title = ET.Element(f"{{{SVG}}}title")
    title.text = f"Contributions to the gradient of {look.name}"
    root.insert(0, title)
    return ET.tostring(root, encoding="unicode") + "\n"


def _first_row(look: Look) -> list[_Panel]:
    """The parameter and its gradient with the element marked, what it meets, the upstream gradient."""
    at = look.index
    kernel = look.element.input is not None
    value, gradient, where = look.value, look.gradient, ""
    if kernel:
        value, gradient = value[at[:2]], gradient[at[:2]]
        where = "" if look.value.shape[:2] == (1, 1) else f"[{at[0]}, {at[1]}] of "
    mark = (at[-2], at[-1], 1.0, 1.0) if np.ndim(value) >= 2 else None
    shape = where + shape_text(look.value.shape)
    panels = [
        _Panel(look.name, shape, value, "learned", mark),
        _Panel(look.gradient_name, shape, gradient, "learned", mark),
    ]
    if look.seen is not None:
        rows, cols = look.part
        marked = (rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start)
        panels.append(_Panel(look.input_name, shape_text(look.seen.shape), look.seen, "input", marked))
    if look.delta is not None:
        scale = SIDE / max(look.seen.shape[-2:]) if look.seen is not None else None
        panels.append(
            _Panel(f"δ = {look.delta_name}", shape_text(look.delta.shape), look.delta, "intermediate", scale=scale)
        )
    return panels


def _second_row(look: Look) -> list[_Panel]:
    """The element's contributions, and what they are made of where that is known."""
    one = look.element
    scale = SIDE / max(look.seen.shape[-2:]) if look.seen is not None else None
    found = _Panel("contributions", f"to {one.name}", one.map, "intermediate", scale=scale)
    if one.input is None:
        return [found]
    i, j = one.index[2:]
    shape = shape_text(one.input.shape)
    return [
        _Panel(f"{look.input_name} shifted by ({i}, {j})", shape, one.input, "input", scale=scale),
        _Panel("δ", shape, one.delta, "intermediate", scale=scale, before="⊙"),
        _Panel(found.title, found.note, one.map, "intermediate", scale=scale, before="="),
    ]


def _panel(root: ET.Element, left: float, top: float, height: float, panel: _Panel) -> None:
    group = ET.SubElement(root, f"{{{SVG}}}g")
    look = {"rx": "4", "fill": FILL[panel.kind], "stroke": STROKE[panel.kind], "stroke-width": "1"}
    add_rect(group, left, top, panel.width, height, look)
    add_text(group, left + PAD, top + PAD + 0.7 * LINE, panel.title, STYLES["title"])
    add_text(group, left + PAD, top + height - PAD + 2, panel.note, STYLES["dim"], 9.0)
    x, y = left + PAD, top + PAD + LINE + 2
    wide, tall = panel.size
    thumb = panel.thumb
    if thumb is None:
        add_text(group, x, y + LINE, "empty", STYLES["dim"])
        return
    ET.SubElement(group, f"{{{SVG}}}image", {
        "x": f"{x:.2f}", "y": f"{y:.2f}", "width": f"{wide:.2f}", "height": f"{tall:.2f}",
        "preserveAspectRatio": "none", "style": "image-rendering:pixelated", f"{{{XLINK}}}href": thumb.data_uri(),
    })  # fmt: skip
    add_rect(group, x - 0.5, y - 0.5, wide + 1, tall + 1, {"fill": "none", "stroke": "#b4b9c2", "stroke-width": "0.5"})
    cells = panel.cells
    if panel.mark is not None and cells is not None:
        row, column, rows, cols = panel.mark
        cell = wide / cells[1]
        for pen, colour in (("3.5", "#ffffff"), ("2", MARK)):
            outline = {"fill": "none", "stroke": colour, "stroke-width": pen}
            add_rect(group, x + column * cell, y + row * cell, cols * cell, rows * cell, outline)


def _sign(root: ET.Element, x: float, y: float, sign: str) -> None:
    size = 15.0
    add_rect(root, x - 11, y - 11, 22, 22, {"rx": "11", "fill": "#f7f7f7"})
    add_text(root, x, y + 0.36 * size, sign, {"text-anchor": "middle"}, size)


def _curve(root: ET.Element, left: float, top: float, height: float, look: Look) -> None:
    """The running sum, over the contributions in order."""
    group = ET.SubElement(root, f"{{{SVG}}}g")
    look_of_box = {"rx": "4", "fill": FILL["learned"], "stroke": STROKE["learned"], "stroke-width": "1"}
    add_rect(group, left, top, CURVE, height, look_of_box)
    running = np.concatenate([[0.0], np.asarray(look.element.running, np.float64)])
    add_text(group, left + PAD, top + PAD + 0.7 * LINE, "running sum", STYLES["title"])
    add_text(group, left + PAD, top + height - PAD + 2, _range(running.size - 1), STYLES["dim"], 9.0)
    finite = running[np.isfinite(running)]
    low, high = float(min(finite.min(), 0.0)), float(max(finite.max(), 0.0))
    labels = [numeral(high), numeral(low), numeral(running[-1])]
    room = max(map(columns, labels)) * CHARACTER + 6
    x0, x1 = left + PAD, left + CURVE - PAD - room
    y0, y1 = top + PAD + LINE + 8, top + height - PAD - LINE - 4

    def y_of(value: float) -> float:
        return y1 - (y1 - y0) * ((value - low) / (high - low) if high > low else 0.5)

    line = {"stroke": AXIS, "stroke-width": "1", "stroke-dasharray": "3 3"}
    at_zero = {"x1": f"{x0:.2f}", "x2": f"{x1:.2f}", "y1": f"{y_of(0):.2f}", "y2": f"{y_of(0):.2f}"}
    ET.SubElement(group, f"{{{SVG}}}line", {**at_zero, **line})
    shown = np.unique(np.linspace(0, running.size - 1, min(running.size, MOST_POINTS)).round().astype(int))
    for part in _unbroken(shown, running):
        points = " ".join(f"{x0 + (x1 - x0) * k / max(1, running.size - 1):.1f},{y_of(running[k]):.1f}" for k in part)
        stroke = {"fill": "none", "stroke": STROKE["learned"], "stroke-width": "1.6", "stroke-linejoin": "round"}
        ET.SubElement(group, f"{{{SVG}}}polyline", {"points": points, **stroke})
    end = running[-1] if np.isfinite(running[-1]) else 0.0
    ET.SubElement(
        group, f"{{{SVG}}}circle", {"cx": f"{x1:.2f}", "cy": f"{y_of(end):.2f}", "r": "3", "fill": STROKE["learned"]}
    )
    taken: list[float] = []
    for value, label, style in (
        (end, numeral(running[-1]), STYLES["title"]),
        (0.0, "0", STYLES["dim"]),
        (high, numeral(high), STYLES["dim"]),
        (low, numeral(low), STYLES["dim"]),
    ):
        y = y_of(value)
        if all(abs(y - other) >= FONT_SIZE + 1 for other in taken):
            taken.append(y)
            add_text(group, x1 + 6, y + 0.35 * FONT_SIZE, label, {**style, "fill": INK})


def _range(count: int) -> str:
    return f"over {count} contribution{'s' * (count != 1)}"


def _unbroken(places: Sequence[int] | np.ndarray, values: np.ndarray) -> list[list[int]]:
    """The stretches of `places` where the values are finite."""
    parts: list[list[int]] = [[]]
    for k in places:
        if np.isfinite(values[k]):
            parts[-1].append(int(k))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]
