"""What a page is told: nodes, steps, formulas and arrays of a walk as JSON and bytes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Node

from ..blame import Mismatch
from ..drawing.picture import Picture
from ..formula import gradient_symbol, value_symbol, written
from ..formula.tree import Symbol
from ..formula.writers import LATEX
from ..graph.model import Box, Graph
from ..graph.reading import read
from ..tape.constants import content
from ..units.titles import scope_title
from ..walk.causes import cause
from ..walk.text import ledger, shapes_of
from ..walk.walk import GRANULARITIES, Group, Step, Walk, Whole
from . import lenses
from .arrays import Arrays
from .chains import chains_of
from .factors import columns
from .interiors import Level, boxes_of, levels_of, short_names
from .packing import Blob, with_length
from .page import document, fragment
from .stage import stages_of

MOST_NODES = 60
"""So many boxes has the graph at most, unless told."""
_MOST_IN_PICTURE = 24
"""So many nodes has the picture for readers without scripts at most: it travels uncompressed."""
_SIGNS = {"+=": r"\mathrel{+}="}


def payload_of(
    walk: Walk,
    frames: Sequence[tuple[str, Walk]] = (),
    *,
    granularity: str = "op",
    position: int = 0,
    breakpoints: Sequence[int] = (),
    watched: Sequence[Node] = (),
    mismatch: Mismatch | None = None,
    max_nodes: int | None = MOST_NODES,
) -> bytes:
    """The bytes of a page: length of the JSON, the JSON, the arrays.

    Parameters
    ----------
    walk : Walk
    frames : sequence of (str, Walk), optional
        Walks of the same graph at other times, by their labels; the last one is `walk`.
    granularity, position, breakpoints, watched, max_nodes
        As of the `Stepper` that it is opened like.
    mismatch : Mismatch, optional
        What went wrong with gradients by hand.
    """
    arrays, blob = Arrays(), Blob()
    levels = levels_of(walk.run, max_nodes)
    layers = {node.scope.path: node.scope for node in walk.tape if node.scope.path and not node.is_leaf}
    places = {path: i for i, path in enumerate(layers)}
    nodes = _nodes(walk, arrays, levels, places)
    steps = [_step(step, arrays) for step in walk.steps]
    kinds = walk.granularities
    wholes = _wholes(walk)
    units = [[_step(step, arrays) for step in group.shown] for group in wholes]
    told: dict[str, Any] = {
        "title": f"Backpropagation of {walk.names.loss}, step by step",
        "loss": walk.names.loss,
        "granularity": _instead(granularity, kinds),
        "stops": {kind: [group[-1].number for group in walk.groups(kind)] for kind in kinds},
        "nodes": nodes,
        "layers": [{"path": path, "title": scope_title(scope)} for path, scope in layers.items()],
        "stage": _stage(walk, arrays, levels, nodes, places),
        "steps": [_told(step) for step in steps],
        "units": [
            {"steps": [group[0].number, group[-1].number], "shown": [_told(step) for step in shown]}
            for group, shown in zip(wholes, units, strict=True)
        ],
        "open": position,
        "breakpoints": list(breakpoints),
        "watch": [walk.tape.index(node) for node in watched],
        "paths": lenses.paths_of(walk),
        "chains": chains_of(walk, watched),
        "blame": _blame(walk, mismatch) if mismatch else None,
    }
    past = _frames(frames, arrays, steps, units, nodes, max_nodes)  # before the table: they add arrays of their own
    told["arrays"] = arrays.table(walk, blob)
    for frame, (_, other) in zip(past, frames, strict=True):
        frame["arrays"] = arrays.table(other, blob)
    told["frames"] = past or None
    told["bits"] = blob.bits
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return with_length(text.encode(), blob.bytes())


def fragment_of(walk: Walk, payload: bytes, token: str) -> str:
    """The step view for the output of a notebook cell."""
    graph = read(walk.run, level="layer", max_nodes=_MOST_IN_PICTURE)
    picture = Picture(graph, heat_maps=False).svg()
    return fragment(payload, picture, walk.names.loss, ledger(walk.steps), token)


def document_of(walk: Walk, payload: bytes) -> str:
    """The step view as a whole page."""
    token = "p" + hashlib.sha256(payload).hexdigest()[:16]
    return document(payload, walk.names.loss, ledger(walk.steps), token)


# --- nodes ------------------------------------------------------------------------------------------------------------


def _nodes(walk: Walk, arrays: Arrays, levels: Sequence[Level], layers: dict[str, int]) -> list[dict[str, Any]]:
    box_of = _innermost(levels)
    computed = {step.node: step.number for step in walk.steps if step.phase == "forward"}
    told = []
    for node in walk.tape:
        value, gradient = value_symbol(node, walk.names), gradient_symbol(node, walk.names)
        told.append({
            "name": walk.names.of(node), "grad": gradient.name, "nameml": written(value), "gradml": written(gradient),
            "op": node.op, "kind": _kind(walk, node), "shape": list(node.shape),
            "value": arrays.value(walk, node), "gradient": arrays.gradient(walk, node),
            "parts": walk.parts[node] or int(node in walk.gradients), "first": computed.get(node, 0),
            "layer": layers.get(node.scope.path, -1), "box": box_of.get(node, -1),
            **({"cancels": True} if node in walk.cancelled else {}),
        })  # fmt: skip
    return told


def _kind(walk: Walk, node: Node) -> str:
    if node is walk.tape.root:
        return "loss"
    if not node.is_leaf:
        return "intermediate"
    return "learned" if node.op == "parameter" else "input"


def _innermost(levels: Sequence[Level]) -> dict[Node, int]:
    """The box of each record: its own where it has one, else the smallest of those that it is in."""
    found: dict[Node, int] = {}
    leaves: dict[Node, int] = {}
    for level in levels:
        here: dict[Node, int] = {}
        for i, box in enumerate(level.graph.boxes, level.first):
            if box.unit is None and not (box.brief and level.box >= 0):
                for node in box.members:
                    leaves.setdefault(node, i)
            elif box.unit is not None:
                for node in _own(box):
                    here.setdefault(node, i)
        found |= here
    return found | leaves


def _stage(
    walk: Walk, arrays: Arrays, levels: Sequence[Level], nodes: list[dict[str, Any]], layers: dict[str, int]
) -> dict[str, Any]:
    """The drawing of the graph, and those of what is in its boxes, each with the numbers of its first box and edge."""
    boxes: list[dict[str, Any]] = []
    edges: list[dict[str, int]] = []
    constants: dict[Any, int] = {}
    drawings: list[Graph] = []
    all_boxes = boxes_of(levels)
    for level in levels:
        order = {box.id: i for i, box in enumerate(level.graph.boxes, level.first)}
        edges += [{"tail": order[edge.tail], "head": order[edge.head]} for edge in level.graph.edges]
        short = short_names(level, all_boxes)
        for k, box in enumerate(level.boxes):
            parent = level.parent(box)
            told = _box(walk, arrays, box, nodes, constants)
            if parent >= 0:
                told["in"] = parent
            if box.brief and level.box >= 0:
                told["name"] = True
            if k >= len(order):
                told["frame"] = True
            elif short.boxes[k].title != box.title:
                told["title"] = box.title
                told["labels"] = [short.boxes[k].value.label, short.boxes[k].grad.label]
            boxes.append(told)
        drawings += [short, *level.closed]
    stages = iter(stages_of(drawings, layers))
    titles = [box.title for box in all_boxes]
    svgs: dict[str, int] = {}
    told_levels: list[dict[str, Any]] = []
    for level in levels:
        stage = next(stages)
        closed = [next(stages) for _ in level.closed]
        told_levels.append({
            "svg": stage.svg if level.box < 0 else svgs.setdefault(stage.svg, len(svgs)), "layers": stage.layers,
            **({"box": level.box, "title": titles[level.box], "first": level.first, "edge": level.edge,
                "words": stage.words} if level.box >= 0 else {}),
            **({"closed": [{"svg": svgs.setdefault(one.svg, len(svgs)), "words": one.words} for one in closed],
                "frames": level.first + len(level.graph.boxes)} if closed else {}),
        })  # fmt: skip
    whole, *inside = told_levels
    return {**whole, "boxes": boxes, "edges": edges, "inside": inside, "svgs": list(svgs)}


def _own(box: Box) -> list[Node]:
    """The records that a box stands for."""
    return [*box.members, *(one.node for one in box.learned)]


def _box(
    walk: Walk, arrays: Arrays, box: Box, nodes: list[dict[str, Any]], constants: dict[Any, int]
) -> dict[str, Any]:  # fmt: skip
    """A box of the stage. A constant gets a node of its own, after those of the tape, which its name has, too."""
    own = [walk.tape.index(node) for node in _own(box)]
    if box.kind == "constant" and box.brief:
        own = [constants[content(box.value.array)]]
    elif box.kind == "constant":
        own = [len(nodes)]
        constants.setdefault(content(box.value.array), len(nodes))
        nodes.append({
            "name": "", "grad": "", "nameml": "", "gradml": "", "op": "constant", "kind": "constant",
            "shape": list(box.shape), "value": arrays.constant(box.value.array), "gradient": None, "parts": 0,
            "first": 0, "layer": -1, "box": -1,
        })  # fmt: skip
    shown = own[len(box.members) - 1] if box.members else own[-1]
    if walk.tape.root in box.members:
        shown = walk.tape.index(walk.tape.root)
    return {"nodes": own, "shown": shown}


def _told(step: dict[str, Any]) -> dict[str, Any]:
    return {name: said for name, said in step.items() if said not in (None, "")}


def _instead(granularity: str, kinds: Sequence[str]) -> str:
    """The one of those that differ which shows the same steps."""
    return next((kind for kind in GRANULARITIES[GRANULARITIES.index(granularity) :] if kind in kinds), kinds[-1])


def _wholes(walk: Walk) -> list[Group]:
    """The lines and layers that are shown as one, each once."""
    groups = [group for kind in walk.granularities for group in walk.groups(kind) if group.shown is not group]
    return list({group.number: group for group in groups}.values())


# --- steps ------------------------------------------------------------------------------------------------------------


def _step(step: Step, arrays: Arrays) -> dict[str, Any]:
    """A step, or a whole, without what the page finds in its nodes (`complete` in arrays.js)."""
    index = step.walk.tape.index
    backward, whole = step.phase == "backward", isinstance(step, Whole)
    moving = step.phase in ("forward", "backward")
    return {
        "phase": step.phase, "op": step.op, "node": index(step.node), "title": None if moving else step.title,
        "k": step.number if whole else None,
        "target": index(step.target) if backward else None, "part": _part(step) if backward else None,
        "contribution": arrays.contribution(step) if backward and step.parts > 1 else None,
        "before": _before(step, arrays),
        "after": arrays.after(step) if backward and not step.is_complete else None,
        "local": arrays.local(step) if backward else None,
        "formula": _formula(step, arrays) if moving and step.formula else None,
        "shapes": shapes_of(step),
        "sentence": step.sentence, "source": step.source, "code": step.code,
        "reads": [index(node) for node in step.reads],
        "terms": lenses.terms_of(step, arrays) if moving and step.formula else None,
        **({} if whole else _alone(step, arrays)),
        "check": {kind: verdict._asdict() for kind, verdict in step.check._asdict().items() if verdict},
        "yours": arrays.yours(step), "off": arrays.off(step),
    }  # fmt: skip


def _alone(step: Step, arrays: Arrays) -> dict[str, Any]:
    """What is said of single operations only."""
    return {
        "inherits": step.inherits, "from": _from(step), "alarm": step.alarm,
        "cause": cause(step, step.walk.steps) if step.alarm else "",
        "lens": lenses.lens_of(step, arrays) if step.phase == "backward" else None,
    }  # fmt: skip


def _part(step: Step) -> list[int]:
    """Which contribution it is, of how many; a unit that sends all of them sends one."""
    return [1, 1] if step.sign == "=" else [step.part, step.parts]


def _from(step: Step) -> list[Any] | None:
    """The gradient or value that NaN or Inf came in from."""
    kind, node = step.inherited_from or ("", None)
    return None if node is None else [kind, step.walk.tape.index(node)]


def _blame(walk: Walk, mismatch: Mismatch) -> list[dict[str, Any]]:
    """What is wrong with gradients by hand, each finding with the steps where they are complete."""
    names = walk.names
    complete = {names.gradient(s.target): s.number for s in walk if s.is_complete}
    complete |= {names.of(s.node): s.number for s in walk if s.phase == "forward"}
    return [
        {
            "steps": [complete[name] for name in finding.gradients if name in complete],
            "verdict": finding.verdict, "text": finding.sentence, "rule": finding.rule,
            "formulas": [finding.your_formula, finding.right_formula] if finding.your_formula else None,
        }
        for finding in mismatch
    ]  # fmt: skip


def _before(step: Step, arrays: Arrays) -> int | None:
    first = step.members[0] if isinstance(step, Whole) else step
    if step.phase != "backward" or first.part == 1:
        return None
    steps = step.walk.steps
    earlier = next(k for k in reversed(range(first.number)) if steps[k].target is step.target)
    return arrays.after(steps[earlier])


def _formula(step: Step, arrays: Arrays) -> dict[str, Any]:
    formula = step.formula
    assert formula is not None
    acting, column = columns(formula.tree)
    return {
        **({"column": True} if column else {}),
        "right": formula.mathml(),
        "plain": step.equation,
        "latex": f"{LATEX.symbol(formula.target, 0).text} {_SIGNS.get(step.sign, step.sign)} {formula.latex()}",
        **({"numbers": formula.plain("numbers")} if formula.target.shape == () else {}),
        "symbols": [_symbol(step.walk, symbol, arrays, id(symbol) in acting) for symbol in formula.symbols],
        "notes": list(formula.notes),
    }


def _symbol(walk: Walk, symbol: Symbol, arrays: Arrays, column: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"name": symbol.name, "kind": symbol.kind}
    if symbol.kind == "constant" or symbol.node is None:
        told["array"] = arrays.symbol(walk, symbol)
    else:
        told["node"] = walk.tape.index(symbol.node)
    return {**told, "column": True} if column else told


# --- time travel ------------------------------------------------------------------------------------------------------


def _frames(
    frames: Sequence[tuple[str, Walk]],
    arrays: Arrays,
    steps: list[dict[str, Any]],
    units: list[list[dict[str, Any]]],
    nodes: list[dict[str, Any]],
    max_nodes: int | None,
) -> list[dict[str, Any]]:
    """What each frame has otherwise than the last one, but for the arrays that both have."""
    constants = {k: node["value"] for k, node in enumerate(nodes) if node["kind"] == "constant"}
    told = []
    for label, walk in frames:
        boxes = boxes_of(levels_of(walk.run, max_nodes))
        fresh = {box.id: box.value.array for box in boxes if box.kind == "constant" and not box.brief}
        mine = [arrays.constant(array) for array in fresh.values()]
        values = dict(zip(constants, mine, strict=len(mine) == len(constants)))
        told.append({
            "label": label,
            "loss": _number(walk.tape.value(walk.tape.root)),
            "steps": [_changed(step, known, arrays) for step, known in zip(walk.steps, steps, strict=True)],
            "units": [
                [_changed(step, one, arrays) for step, one in zip(group.shown, known, strict=True)]
                for group, known in zip(_wholes(walk), units, strict=True)
            ],
            "values": {str(k): value for k, value in values.items() if value != constants[k]},
        })  # fmt: skip
    return told


def _changed(step: Step, known: dict[str, Any], arrays: Arrays) -> dict[str, Any]:
    return {name: said for name, said in _step(step, arrays).items() if said != known[name]}


def _number(value: Any) -> float | None:
    total = float(np.sum(value))
    return total if math.isfinite(total) else None
