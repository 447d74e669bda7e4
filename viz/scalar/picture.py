"""The picture of a scalar graph: boxes of two rows, in the direction in which it fits a slide better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from ..drawing.card import Card, Cell
from ..drawing.picture import Picture
from ..graph.model import Box, Frame, Graph
from ..graph.reading import read
from ..plain.numbers import NOT_COMPUTED, columns, number
from ..tape.run import Run

_ASPECT = 1.6
_LABEL = {"TB": 24.0, "LR": 70.0}
_GAP = 18.0
_OPERANDS = 4


def small_card(box: Box) -> Card:
    """``%8 = w[1] × x[1] = -0.3``, and below it the gradient."""
    title = _shortened(box.title)
    if box.brief:
        return Card(((Cell(0, title, "title"),), *_remarks(box)))
    first = (Cell(0, title, "title"), *_equals(title, box.value.array))
    second = (Cell(0, box.grad.label, "label"), *_equals(box.grad.label, box.grad.array))
    return Card((first, second, *_remarks(box)))


def _shortened(title: str) -> str:
    """``max(x[0], x[1], …, x[99])``."""
    before, bracket, rest = title.partition("(")
    operands = rest[:-1].split(", ")
    if len(operands) <= _OPERANDS or not title.endswith(")"):
        return title
    return f"{before}{bracket}{operands[0]}, {operands[1]}, …, {operands[-1]})"


def _remarks(box: Box) -> list[tuple[Cell]]:
    rows = [(Cell(0, badge, "badge"),) for badge in box.badges]
    return [*rows, (Cell(0, f"▲ {box.alarm}", "alarm"),)] if box.alarm else rows


def _equals(label: str, value: Any) -> tuple[Cell, Cell]:
    after = columns(label) + 1
    if value is None:
        return Cell(after, "=", "dim"), Cell(after + 2, NOT_COMPUTED, "dim")
    return Cell(after, "=", "dim"), Cell(after + 2, number(value), "number")


class ScalarPicture(Picture):
    """The picture of a scalar graph. Notebooks show it; `save` writes it."""

    @cached_property
    def _cards(self) -> dict[str, Card]:
        return {box.id: small_card(box) for box in self.graph.boxes}

    @cached_property
    def _plain_cards(self) -> dict[str, Card]:
        return self._cards


def scalar_picture(run: Run, direction: str | None, *, legend: bool, time_limit: float) -> ScalarPicture:
    """Draw a run whose records are all 0-d. See `viz.draw` for the arguments."""
    graph = _beside_their_users(_quiet(read(run, level="op", direction=direction or "LR", max_nodes=None)))
    if direction is None:
        cards = {box.id: small_card(box) for box in graph.boxes}
        graph = replace(graph, direction=min(("LR", "TB"), key=lambda way: _reach(graph, cards, way)))
    return ScalarPicture(graph, legend=legend, time_limit=time_limit)


def _quiet(graph: Graph) -> Graph:
    """Without the many 1s on the arrows into sums of many terms."""
    terms = Counter(edge.head for edge in graph.edges)
    sums = {box.id for box in graph.boxes if box.op == "add" and terms[box.id] > 2}
    return replace(graph, edges=tuple(replace(e, local=None, label="") if e.head in sums else e for e in graph.edges))


def _beside_their_users(graph: Graph) -> Graph:
    """With inputs that one operation alone uses in the frame of that operation: their arrows cross nothing."""
    heads: dict[str, set[str]] = {}
    for edge in graph.edges:
        heads.setdefault(edge.tail, set()).add(edge.head)
    inputs = {box.id for box in graph.boxes if box.kind == "input" and len(heads.get(box.id, ())) == 1}
    moving = {name: next(iter(heads[name])) for name in graph.outside if name in inputs}

    def filled(names: tuple[str, ...]) -> tuple[str, ...]:
        guests: dict[str, list[str]] = {}
        for name, head in moving.items():
            guests.setdefault(head, []).append(name)
        return tuple(one for name in names for one in (*guests.get(name, ()), name))

    def inside(frame: Frame) -> Frame:
        return replace(frame, boxes=filled(frame.boxes), frames=tuple(inside(inner) for inner in frame.frames))

    staying = tuple(name for name in graph.outside if name not in moving)
    return replace(graph, frames=tuple(inside(frame) for frame in graph.frames), outside=filled(staying))


def _reach(graph: Graph, cards: Mapping[str, Card], direction: str) -> float:
    """About how large a picture has to be to show a graph, as the height of a slide."""
    depth = {box.id: 0 for box in graph.boxes}
    place = {box.id: i for i, box in enumerate(graph.boxes)}
    for edge in sorted(graph.edges, key=lambda e: -place[e.head]):
        depth[edge.tail] = max(depth[edge.tail], depth[edge.head] + 1)
    ranks: dict[int, list[Card]] = {}
    for box_id, rank in depth.items():
        ranks.setdefault(rank, []).append(cards[box_id])
    if direction == "TB":
        width = max(sum(card.width + _GAP for card in rank) for rank in ranks.values())
        height = sum(max(card.height for card in rank) + _LABEL["TB"] + _GAP for rank in ranks.values())
    else:
        width = sum(max(card.width for card in rank) + _LABEL["LR"] + _GAP for rank in ranks.values())
        height = max(sum(card.height + _GAP for card in rank) for rank in ranks.values())
    return max(width / _ASPECT, height)
