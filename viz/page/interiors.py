"""The graph of a page with what is in its boxes, down to the operations: each a picture of its own, opened in place."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..graph.model import Box, Frame, Graph
from ..graph.reading import Reader
from ..tape.constants import content
from ..tape.run import Run
from ..units.opening import opens

__all__ = ["Level", "boxes_of", "frames_of", "levels_of", "levels_within", "short_names"]

_MOST = 6000
_PATH = re.compile(r"(?<![\w.])(?:\w+\.)+(?=[^\W\d])")
"""The path of a layer before the name of a parameter."""


@dataclass(frozen=True)
class Level:
    """A picture, and where it belongs.

    Attributes
    ----------
    graph : Graph
    box : int
        The number of the box that it is in; −1 of the whole.
    first, edge : int
        The numbers of its first box and its first edge; after its boxes come those of its frames.
    closed : tuple of Graph
        Each of its frames, closed: one box.
    around : dict of str to int
        The numbers of the innermost frames that its boxes are in, by their ids, and those of frames, by theirs.
    """

    graph: Graph
    box: int = -1
    first: int = 0
    edge: int = 0
    closed: tuple[Graph, ...] = ()
    around: Mapping[str, int] = field(default_factory=dict)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Its boxes and those of its frames."""
        return (*self.graph.boxes, *(box for graph in self.closed for box in graph.boxes))

    def parent(self, box: Box) -> int:
        """The number of the frame or box around a box; −1: none."""
        return self.around.get(box.id, self.box)


def levels_of(run: Run, max_nodes: int | None) -> list[Level]:
    """The graph of a page at opening, with what is in its boxes."""
    reader = Reader(run)
    return levels_within(reader, reader.whole("auto", None, max_nodes), unframed=True)


def levels_within(reader: Reader, whole: Graph, most: int = _MOST, *, unframed: bool = False) -> list[Level]:
    """A graph, then what is in each of its boxes, then what is in the boxes of these.

    Once there are `most` boxes, no more are opened; `unframed` leaves out frames around all that is in frames.
    """
    levels = [_level(reader, whole, unframed)]
    known = [frozenset(_shown(whole))]
    boxes, edges = len(levels[0].boxes), len(whole.edges)
    for level, shown in zip(levels, known, strict=False):  # both grow on the way
        for i, box in enumerate(level.graph.boxes):
            if box.unit is None or not opens(box.unit) or boxes >= most:
                continue
            graph = reader.inside(box.unit, shown, whole.direction)
            levels.append(_level(reader, graph, unframed, level.first + i, boxes, edges))
            known.append(shown.union(_shown(graph)))
            boxes += len(levels[-1].boxes)
            edges += len(graph.edges)
    return levels


def boxes_of(levels: Sequence[Level]) -> list[Box]:
    """All boxes, by their numbers."""
    return [box for level in levels for box in level.boxes]


def frames_of(frames: Sequence[Frame]) -> list[Frame]:
    """Frames with all that are in them, each before those in it."""
    return [found for frame in frames for found in (frame, *frames_of(frame.frames))]


def short_names(level: Level, boxes: Sequence[Box]) -> Graph:
    """Its picture, where names leave out the path of the layer that is around their box: ``layers.0.norm1.γ`` is γ."""
    outer = boxes[level.box].unit if level.box >= 0 else None
    scopes = () if outer is None else outer.scope.chain() if outer.scope is not None else outer.around
    path = scopes[-1].path if scopes else ""
    paths = {name: frame.path for frame in frames_of(level.graph.frames) for name in frame.boxes}
    return replace(level.graph, boxes=tuple(_short(box, paths.get(box.id, path)) for box in level.graph.boxes))


def _short(box: Box, path: str) -> Box:
    around = set(path.split("."))

    def cut(text: str) -> str:
        return _PATH.sub(lambda found: _below(found[0], around), text)

    value, grad = (replace(one, label=cut(one.label)) for one in (box.value, box.grad))
    return replace(box, title=cut(box.title), value=value, grad=grad)


def _below(path: str, around: Container[str]) -> str:
    """``self_attn.`` of ``layers.0.self_attn.``, where ``0`` is around."""
    parts = path.split(".")[:-1]
    known = max((k for k, part in enumerate(parts, 1) if part in around), default=0)
    return "".join(f"{part}." for part in parts[known:])


def _level(reader: Reader, graph: Graph, unframed: bool, box: int = -1, first: int = 0, edge: int = 0) -> Level:
    while unframed and len(graph.frames) == 1 and graph.frames[0].frames:
        only = graph.frames[0]
        graph = replace(graph, frames=only.frames, outside=(*graph.outside, *only.boxes))
    frames = frames_of(graph.frames)
    number = {frame.id: first + len(graph.boxes) + k for k, frame in enumerate(frames)}
    around = {
        one: number[frame.id] for frame in frames for one in (*frame.boxes, *(inner.id for inner in frame.frames))
    }
    closed = tuple(reader.closed(graph, frame) for frame in frames)
    return Level(graph, box, first, edge, closed, around)


def _shown(graph: Graph) -> Iterator[Any]:
    """The leaves that have boxes of their own: those below need their names alone."""
    for box in graph.boxes:
        if box.unit is None and not box.brief:
            yield from box.members or (content(box.value.array),)
