"""The graph of a page with what is in its boxes, down to the operations: each a picture of its own, opened in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..graph.model import Box, Graph
from ..graph.reading import Reader
from ..tape.constants import content
from ..tape.run import Run
from ..units.opening import opens

__all__ = ["Level", "boxes_of", "levels_of", "levels_within"]

_MOST = 6000


@dataclass(frozen=True)
class Level:
    """A picture, and where it belongs.

    Attributes
    ----------
    graph : Graph
    box : int
        The number of the box that it is in; −1 of the whole.
    first, edge : int
        The numbers of its first box and its first edge.
    """

    graph: Graph
    box: int = -1
    first: int = 0
    edge: int = 0


def levels_of(run: Run, max_nodes: int | None) -> list[Level]:
    """The graph of a page at opening, with what is in its boxes."""
    reader = Reader(run)
    return levels_within(reader, reader.whole("auto", None, max_nodes))


def levels_within(reader: Reader, whole: Graph, most: int = _MOST) -> list[Level]:
    """A graph, then what is in each of its boxes, then what is in the boxes of these; once there are so many boxes, no
    more are opened."""
    levels = [Level(whole)]
    known = [frozenset(_shown(levels[0].graph))]
    boxes, edges = len(levels[0].graph.boxes), len(levels[0].graph.edges)
    for level, shown in zip(levels, known, strict=False):  # both grow on the way
        for i, box in enumerate(level.graph.boxes):
            if box.unit is None or not opens(box.unit) or boxes >= most:
                continue
            graph = reader.inside(box.unit, shown, levels[0].graph.direction)
            levels.append(Level(graph, level.first + i, boxes, edges))
            known.append(shown.union(_shown(graph)))
            boxes += len(graph.boxes)
            edges += len(graph.edges)
    return levels


def boxes_of(levels: Sequence[Level]) -> list[Box]:
    """All boxes, by their numbers."""
    return [box for level in levels for box in level.graph.boxes]


def _shown(graph: Graph) -> Iterator[Any]:
    """The leaves that have boxes of their own: those below need their names alone."""
    for box in graph.boxes:
        if box.unit is None and not box.brief:
            yield from box.members or (content(box.value.array),)
