"""From the plain data of a picture to DOT text, and the colours of it."""

from __future__ import annotations

import html
from collections.abc import Mapping

import graphviz  # type: ignore[import-untyped]

from ..graph.model import MEANING, Frame, Graph
from ..plain.numbers import number
from .card import FONT_SIZE, PAD_X, Card, joined

FILL = {
    "learned": "#fff1d6",
    "input": "#f0f0f0",
    "constant": "#f0f0f0",
    "intermediate": "#f3f7fc",
    "loss": "#e6ebf5",
    "layer": "#f3f7fc",
    "folded": "#f3f7fc",
}
STROKE = {
    "learned": "#a65400",
    "input": "#5f5f5f",
    "constant": "#8a8a8a",
    "intermediate": "#4a6a94",
    "loss": "#1f3a63",
    "layer": "#4a6a94",
    "folded": "#4a6a94",
}
STYLE = {
    "learned": ("filled", "box", 2.6),
    "input": ("filled", "note", 1.0),
    "constant": ("filled,dashed", "box", 1.0),
    "intermediate": ("filled,rounded", "box", 1.0),
    "loss": ("filled,rounded", "box", 2.0),
    "layer": ("filled,rounded", "box", 1.4),
    "folded": ("filled,rounded,dashed", "box", 1.4),
}
EDGE = "#7d7d7d"
INK = "#1d1d1f"
ALARM = "#8b0000"


def quoted(text: str) -> str:
    """A string as DOT reads it literally: no escapes, entities or HTML in it."""
    literal = graphviz.escape(html.escape(text, quote=False))
    return '"' + str(literal).replace('"', '\\"') + '"'


def _label(lines: list[str]) -> str:
    return '"' + "".join(quoted(line)[1:-1] + "\\l" for line in lines) + '"'


def to_dot(
    graph: Graph,
    cards: Mapping[str, Card],
    *,
    font: str = "DejaVu Sans Mono",
    captions: bool = True,
    fixed: bool = False,
    legend: bool = False,
) -> str:
    """DOT text of a picture.

    Parameters
    ----------
    graph : Graph
    cards : dict of str to Card
        The content of each box, by its id.
    font : str, optional
    fixed : bool, optional
        Whether boxes have the size of their cards, and no text, which `finish` writes.
    captions : bool, optional
        Whether the notes (and the legend) stand below the picture.
    legend : bool, optional

    Returns
    -------
    str
    """
    ids = node_ids(graph)
    out = ["digraph tracegrad {"]
    attributes = {
        "rankdir": quoted(graph.direction),
        "bgcolor": quoted("transparent"),
        "fontname": quoted(font),
        "fontsize": f"{FONT_SIZE:g}",
        "nodesep": "0.25",
        "ranksep": "0.28" if graph.direction == "TB" else "0.35",
        "pad": "0.1",
        "margin": "0",
    }
    notes = list(graph.notes) if captions else []
    if captions and legend:
        notes += ["; ".join(MEANING[kind] for kind in kinds(graph)), *reading_help(graph, cards)]
    if notes:
        attributes |= {"label": _label(notes), "labelloc": "b", "labeljust": "l"}
    out.append(f"  graph [{_attributes(attributes)}]")
    margin = PAD_X / 72
    out.append(
        f'  node [fontname={quoted(font)}, fontsize={FONT_SIZE:g}, fontcolor="{INK}", margin="{margin:.3f},0.03"]'
    )
    out.append(
        f'  edge [fontname={quoted(font)}, fontsize=9, color="{EDGE}", fontcolor="{EDGE}", arrowsize=0.6, penwidth=1.1]'
    )
    drawn = {box.id: _node(graph, i, cards, fixed) for i, box in enumerate(graph.boxes)}
    beside = {}
    if graph.direction == "TB":
        labelled = {edge.head for edge in graph.edges if edge.local is not None}
        fed = {edge.head for edge in graph.edges if not edge.beside}
        beside = {e.tail: e.head for e in graph.edges if e.beside and e.head in fed - labelled}

    def members(boxes: tuple[str, ...], frames: tuple[Frame, ...], indent: str) -> None:
        pairs = [(name, beside[name]) for name in boxes if beside.get(name) in boxes]
        out.extend(indent + drawn[name] for name in boxes)
        out.extend(f"{indent}{{ rank=same; {ids[name]}; {ids[head]} }}" for name, head in pairs)
        for frame in frames:
            out.append(f"{indent}subgraph {frame.id} {{")
            out.append(
                f'{indent}  graph [label={_label([frame.title])}, labelloc=t, labeljust=l, style="filled,rounded", '
                f'fillcolor="#8888881c", color="#9a9a9a", fontcolor="#4f4f4f", margin=9]'
            )
            members(frame.boxes, frame.frames, indent + "  ")
            out.append(f"{indent}}}")

    members(graph.outside, graph.frames, "  ")
    for edge in graph.edges:
        style = {} if edge.flows else {"style": "dashed"}
        if edge.local is not None:
            # The spaces, and below labels that lie on level arrows a line, keep room between labels and arrows.
            room = "\\n " if graph.direction == "LR" else ""
            style["label"] = f'" {quoted(edge.label)[1:-1]} \\n{quoted(number(edge.local))[1:-1]}{room}"'
        if not edge.beside:
            style["weight"] = "4"
        attributes_text = f" [{_attributes(style)}]" if style else ""
        out.append(f"  {ids[edge.tail]} -> {ids[edge.head]}{attributes_text}")
    out.append("}")
    return "\n".join(out) + "\n"


def kinds(graph: Graph) -> list[str]:
    """The kinds of box in a picture, in the order of the legend."""
    present = {box.kind for box in graph.boxes} | {"learned" for box in graph.boxes if box.learned}
    return [kind for kind in MEANING if kind in present]


def reading_help(graph: Graph, cards: Mapping[str, Card]) -> list[str]:
    """What the legend says of arrows and heat maps, where there are any."""
    lines = ["dashed arrow: no gradient flows back"] if not all(edge.flows for edge in graph.edges) else []
    if any(edge.local is not None for edge in graph.edges):
        lines.append("number on an arrow: the local derivative")
    if any(card.thumbs for card in cards.values()):
        lines.append("heat maps: blue negative, white 0, orange positive, each up to its own largest")
    names = [box.title for box in graph.boxes] + [one.name for box in graph.boxes for one in box.learned]
    if all(any(name.startswith(letter) for name in names) for letter in ("g⁽", "W⁽")):
        lines.append("g⁽ᵏ⁾ is the k-th kernel, W⁽ᵏ⁾ the k-th weight; b⁽ˡ⁾, z⁽ˡ⁾ and a⁽ˡ⁾ are of layer l of all")
    return lines


def node_ids(graph: Graph) -> dict[str, str]:
    """The DOT identifier of each box, by its id."""
    return {box.id: f"n{i}" for i, box in enumerate(graph.boxes)}


def _attributes(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in attributes.items())


def _node(graph: Graph, i: int, cards: Mapping[str, Card], fixed: bool) -> str:
    box = graph.boxes[i]
    card = cards[box.id]
    style, shape, pen = STYLE[box.kind]
    lines = [joined(row) for row in card.lines] + [""] * card.thumb_lines + [joined(row) for row in card.after]
    attributes = {
        "label": '""' if fixed else _label(lines),
        "shape": shape,
        "style": f'"{style}"',
        "penwidth": f"{pen:g}",
        "fillcolor": f'"{FILL[box.kind]}"',
        "color": f'"{ALARM if box.alarm else STROKE[box.kind]}"',
        "width": f"{card.width / 72:.4f}",
        "height": f"{card.height / 72:.4f}",
    }
    if fixed:
        attributes["fixedsize"] = "true"
    return f"n{i} [{_attributes(attributes)}]"
