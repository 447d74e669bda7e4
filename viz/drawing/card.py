"""What stands in a box, on the grid of a monospace font: which text in which row and column, which heat maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..graph.model import WORDS, Box, Quantity
from ..plain.numbers import FEW, NOT_COMPUTED, columns, norm, padded, rows, shape_text
from ..plain.thumbnails import Thumbnail, thumbnail

FONT_SIZE = 10.0
CHARACTER = 6.05
LINE = 12.0
PAD_X, PAD_Y = 8.0, 6.0

_SIDE_BY_SIDE = 48
_TITLE = 44
_GAP = 2
_MOST_LEARNED = 6


@dataclass(frozen=True)
class Cell:
    """A piece of text at a column of its row; `style` is one of title, dim, label, number, badge, learned, alarm."""

    column: int
    text: str
    style: str


@dataclass(frozen=True, eq=False)
class Card:
    """The content of a box: rows of cells, and below them heat maps side by side, each at a column.

    It is at least `least` columns wide.
    """

    lines: tuple[tuple[Cell, ...], ...]
    thumbs: tuple[tuple[int, Thumbnail], ...] = ()
    after: tuple[tuple[Cell, ...], ...] = ()
    least: int = 0

    @property
    def thumb_height(self) -> float:
        """The height of the heat maps with the room around them, in points."""
        return max(t.height for _, t in self.thumbs) + 5 if self.thumbs else 0

    @property
    def thumb_lines(self) -> int:
        """How many rows of text that is."""
        return round(self.thumb_height / LINE)

    @property
    def columns(self) -> int:
        """The width of the text."""
        cells = [cell for row in (*self.lines, *self.after) for cell in row]
        return max([self.least, *(cell.column + columns(cell.text) for cell in cells)])

    @property
    def width(self) -> float:
        """In points, with the padding."""
        pictures = max((column * CHARACTER + thumb.width for column, thumb in self.thumbs), default=0)
        return max(self.columns * CHARACTER, pictures) + 2 * PAD_X

    @property
    def height(self) -> float:
        """In points, with the padding."""
        return (len(self.lines) + len(self.after)) * LINE + self.thumb_height + 2 * PAD_Y

    def text_lines(self) -> list[str]:
        """The rows as strings, those of the heat maps left out."""
        return [joined(row) for row in (*self.lines, *self.after)]


def joined(row: Sequence[Cell]) -> str:
    """A row as one string."""
    text = ""
    for cell in row:
        text = padded(text, cell.column) + cell.text
    return text


def card(box: Box, *, pictures: bool = True) -> Card:
    """Lay out a box.

    Parameters
    ----------
    box : Box
    pictures : bool, optional
        False leaves the heat maps out; the norms stay.
    """
    title = [Cell(0, box.title, "title")]
    lines: list[tuple[Cell, ...]] = []
    if columns(box.title) > _TITLE:
        lines += [(Cell(0 if i == 0 else 2, part, "title"),) for i, part in enumerate(_wrapped(box.title, _TITLE))]
    else:
        lines.append(tuple(title))
    word = WORDS[box.kind] if box.kind != "constant" or box.title != "constant" else ""
    parts = [word] if word else []
    if box.op:
        parts.append(box.op)
    parts.append(shape_text(box.shape))
    shown = " · ".join(parts)
    if word == "learned":
        lines.append((Cell(0, word, "learned"), Cell(len(word), shown[len(word) :], "dim")))
    elif not (box.shape == () and box.kind == "input"):
        lines.append((Cell(0, shown, "dim"),))
    else:
        lines.append((Cell(0, "input", "dim"),))
    lines += [(Cell(0, badge, "badge"),) for badge in box.badges]
    if box.alarm:
        lines.append((Cell(0, f"▲ {box.alarm}", "alarm"),))
    if box.brief:
        return Card(tuple(lines))
    body, thumbs = _pair(box.value, box.grad, pictures)
    after: list[tuple[Cell, ...]] = []
    many = len(box.learned) > _MOST_LEARNED
    for learned in () if many else box.learned:
        uses = f"  each weight used ×{learned.uses}" if learned.uses > 1 else ""
        what = f"{learned.name} learned"
        after.append((Cell(0, what, "learned"), Cell(columns(what), f" · {shape_text(learned.shape)}", "dim")))
        if uses:
            after.append((Cell(2, uses.strip(), "badge"),))
        name, grad = learned.value.label, learned.grad.label
        after.append((Cell(2, f"‖{name}‖ {norm(learned.value.array)}  ‖{grad}‖ {_norm(learned.grad)}", "number"),))
    if many:
        weights = sum(math.prod(one.shape) for one in box.learned)
        after.append((Cell(0, f"{len(box.learned)} learned parameters, {weights:,} numbers", "learned"),))
    return Card(tuple(lines + body), thumbs, tuple(after))


def _wrapped(text: str, width: int) -> list[str]:
    """A long title cut at spaces into at most three rows."""
    parts: list[str] = []
    for word in text.split(" "):
        if parts and columns(parts[-1]) + 1 + columns(word) <= width:
            parts[-1] += " " + word
        else:
            parts.append(word)
    parts = [part if columns(part) <= width + 8 else part[: width + 7] + "…" for part in parts]
    return parts if len(parts) <= 3 else [*parts[:2], parts[2] + " …"]


def _norm(quantity: Quantity) -> str:
    return NOT_COMPUTED if quantity.array is None else norm(quantity.array)


Rows = list[tuple[Cell, ...]]


def _pair(value: Quantity, grad: Quantity, pictures: bool) -> tuple[Rows, tuple[tuple[int, Thumbnail], ...]]:
    array = value.array
    few = array.size <= FEW
    if few:
        both = [q.array for q in (value, grad) if q.array is not None]
        printed = [[NOT_COMPUTED] if q.array is None else rows(q.array, *both) for q in (value, grad)]
        label_width = max(columns(value.label), columns(grad.label)) + 1
        if all(len(p) == 1 and label_width + columns(p[0]) <= _SIDE_BY_SIDE for p in printed):
            aligned = _aligned(printed[0][0], printed[1][0])
            return [
                (
                    Cell(0, q.label, "label"),
                    Cell(label_width if q.label else 0, text, "dim" if q.array is None else "number"),
                )
                for q, text in zip((value, grad), aligned, strict=True)
                if q.label or q is value
            ], ()
    else:
        printed = [[], []]
    blocks = [
        _block(quantity, lines, pictures)
        for quantity, lines in zip((value, grad), printed, strict=True)
        if quantity.label or quantity is value
    ]
    widths = [
        max([*(columns(c.text) for c in cells), math.ceil(thumb.width / CHARACTER) if thumb else 0])
        for cells, thumb in blocks
    ]
    if few and sum(widths) + _GAP > _SIDE_BY_SIDE:
        return [(cell,) for cells, _ in blocks for cell in cells], ()
    offsets = [0, widths[0] + _GAP]
    height = max(len(cells) for cells, _ in blocks)
    body = [
        tuple(
            Cell(offset, cells[r].text, cells[r].style)
            for offset, (cells, _) in zip(offsets, blocks, strict=False)
            if r < len(cells)
        )
        for r in range(height)
    ]
    thumbs = tuple((offset, thumb) for offset, (_, thumb) in zip(offsets, blocks, strict=False) if thumb)
    return body, thumbs


def _aligned(first: str, second: str) -> tuple[str, str]:
    """Two numbers one above the other, with their digits in line where only one has a sign."""
    signs = first.startswith("-"), second.startswith("-")
    return (first if signs[0] or not signs[1] else " " + first), (second if signs[1] or not signs[0] else " " + second)


def _block(quantity: Quantity, printed: Sequence[str], pictures: bool) -> tuple[list[Cell], Thumbnail | None]:
    array: Any = quantity.array
    cells = [Cell(0, quantity.label, "label")] if quantity.label else []
    if array is None:
        return [*cells, Cell(0, NOT_COMPUTED, "dim")], None
    if printed:
        return [*cells, *(Cell(0, text, "number") for text in printed)], None
    thumb = thumbnail(array) if pictures else None
    cells.append(Cell(0, f"‖·‖ {norm(array)}", "number"))
    if thumb is not None and thumb.note:
        cells.append(Cell(0, thumb.note, "dim"))
    return cells, thumb
