"""A picture as text, for terminals and wherever no Graphviz program is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..graph.model import Box, Frame, Graph
from ..plain.numbers import number
from .card import Card


def to_text(graph: Graph, cards: Mapping[str, Card]) -> str:
    """Every box with its numbers, in the order of the computation, layers indented; what each is made from."""
    return "\n".join([describe(graph), "", *_lines(graph, cards), *graph.notes]) + "\n"


def describe(graph: Graph) -> str:
    """The picture in one sentence."""
    count, edges = len(graph.boxes), len(graph.edges)
    learned = sum(box.kind == "learned" and not box.brief for box in graph.boxes)
    learned += len({one.name for box in graph.boxes for one in box.learned})
    parts = [f"{count} node{'s' * (count != 1)}", f"{edges} edge{'s' * (edges != 1)}"]
    if learned:
        parts.append(f"{learned} learned parameter{'s' * (learned != 1)}")
    alarms = [f"{box.title}: {box.alarm}" for box in graph.boxes if box.alarm]
    return f"Computation graph of {graph.loss}: {', '.join(parts)}" + "".join(f"; {alarm}" for alarm in alarms)


def _lines(graph: Graph, cards: Mapping[str, Card]) -> Iterator[str]:
    boxes = {box.id: box for box in graph.boxes}
    order = {box.id: i for i, box in enumerate(graph.boxes)}
    sources: dict[str, list[str]] = {box.id: [] for box in graph.boxes}
    for edge in graph.edges:
        local = "" if edge.local is None else f" ({edge.label} = {number(edge.local)})"
        sources[edge.head].append(edge.tail + local)

    def box_lines(box: Box, indent: str) -> Iterator[str]:
        made_from = f"   ← {', '.join(sources[box.id])}" if sources[box.id] else ""
        for i, line in enumerate(cards[box.id].text_lines()):
            yield f"{indent}{f'{box.id}: {line}{made_from}' if i == 0 else f'    {line}'}"

    def inside(names: tuple[str, ...], frames: tuple[Frame, ...], indent: str) -> Iterator[str]:
        items: list[tuple[int, str | Frame]] = [(order[name], name) for name in names]
        items += [(_last(frame, order), frame) for frame in frames]
        for _, item in sorted(items, key=lambda pair: pair[0]):
            if isinstance(item, Frame):
                yield f"{indent}{item.title}"
                yield from inside(item.boxes, item.frames, indent + "  │ ")
            else:
                yield from box_lines(boxes[item], indent)

    yield from inside(graph.outside, graph.frames, "")


def _last(frame: Frame, order: Mapping[str, int]) -> int:
    return max([order[name] for name in frame.boxes] + [_last(inner, order) for inner in frame.frames])
