"""Pictures in notebooks: they zoom and move, and their boxes open in their places, as in a page."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

from ..drawing import render
from ..drawing.card import Card, card
from ..drawing.dot import to_dot
from ..drawing.picture import Picture
from ..drawing.svg import SVG, finish
from ..drawing.text import describe
from ..graph.model import Graph
from ..graph.reading import Reader
from ..plain.display import still
from ..tape.run import Run
from .interiors import Level, boxes_of, levels_within
from .scripts import PICTURES
from .stage import column, laid_out_all, number_parts

__all__ = ["opening"]

_MOST = 600
"""Once there are so many boxes in a picture and in its boxes, no more are opened."""
_HEAT_MAPS = 40_000
"""So many bytes of heat maps are in what opens: then norms alone."""

P = TypeVar("P", bound=Picture)


def opening(picture: P, run: Run | None = None) -> P:
    """The picture itself; notebooks now show it so that it zooms, and boxes open, where it is one of `run`."""
    picture.notebook = partial(_fragment, run)
    return picture


def _fragment(run: Run | None, picture: Picture) -> str:
    """The HTML for a cell: an image, and the script that takes its place."""
    svg, graph = picture.svg(), picture.graph
    levels = levels_within(Reader(run), graph, _MOST) if run is not None else [Level(graph)]
    root = ET.fromstring(svg)
    number_parts(root, graph)
    order = [[int(group.attrib[key]) for group in root.iter(f"{{{SVG}}}g") if key in group.attrib]
             for key in ("data-box", "data-edge", "data-layer")]  # fmt: skip
    told = {"order": order, **_stage(levels)}
    payload = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    token = "d" + hashlib.sha256(svg.encode() + payload).hexdigest()[:12]
    image = still(svg, describe(graph))
    host = f'<div data-tracegrad-picture="{token}" data-lm-suppress-shortcuts="true">\n{image}</div>\n'
    return host + PICTURES.starting(payload, f'[data-tracegrad-picture="{token}"]')


def _stage(levels: list[Level]) -> dict[str, Any]:
    """What is in the boxes: as that of a page, but in the looks of a picture."""
    boxes: list[dict[str, Any]] = []
    edges: list[dict[str, int]] = []
    told: list[dict[str, Any]] = []
    graphs: list[Graph] = []
    titles = [box.title for box in boxes_of(levels)]
    for level in levels:
        order = {box.id: i for i, box in enumerate(level.graph.boxes, level.first)}
        edges += [{"tail": order[edge.tail], "head": order[edge.head]} for edge in level.graph.edges]
        for k, box in enumerate(level.boxes):
            parent = level.parent(box)
            boxes.append({**({"in": parent} if parent >= 0 else {}), **({"frame": True} if k >= len(order) else {})})
        one: dict[str, Any] = {}
        if level.box >= 0:
            one = {"box": level.box, "title": titles[level.box], "first": level.first, "edge": level.edge,
                   "svg": len(graphs)}  # fmt: skip
            graphs.append(level.graph)
        if level.closed:
            one["frames"] = level.first + len(level.graph.boxes)
            one["closed"] = [{"svg": k, "words": [None]} for k in range(len(graphs), len(graphs) + len(level.closed))]
            graphs += level.closed
        told.append(one)
    whole, *inside = told
    return {**whole, "boxes": boxes, "edges": edges, "inside": inside, "svgs": _drawn(graphs)}


def _drawn(graphs: list[Graph]) -> list[str]:
    """Pictures of some graphs, their parts numbered."""
    room = _HEAT_MAPS
    cards = []
    for graph in graphs:
        made = {box.id: card(box, pictures=room > 0) for box in graph.boxes}
        room -= sum(len(thumb.png()) for one in made.values() for _, thumb in one.thumbs)
        cards.append(made)
    texts = [to_dot(graph, known, font="Courier", captions=False, fixed=True)
             for graph, known in zip(graphs, cards, strict=True)]  # fmt: skip
    laid_out = laid_out_all(tuple(render.programs()), list(dict.fromkeys(texts))) if texts else {}
    return [_numbered(laid_out.get(text) or column(graph, known), graph, known)
            for text, graph, known in zip(texts, graphs, cards, strict=True)]  # fmt: skip


def _numbered(laid_out: bytes, graph: Graph, cards: dict[str, Card]) -> str:
    root = ET.fromstring(finish(laid_out, graph, cards, ""))
    number_parts(root, graph)
    for element in root.iter():
        element.tail = None
        for name in ("id", "style", "role", "aria-label", "font-family"):
            if element.get("class") != "node":
                element.attrib.pop(name, None)
    return ET.tostring(root, encoding="unicode")
