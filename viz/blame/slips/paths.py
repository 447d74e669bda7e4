"""Slips where a gradient is a sum: over paths, over the uses of a shared weight, over examples or positions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...formula.tree import is_call
from ...plain.numbers import listed, ordinal
from ..powers import VIEWS
from ..pushing import Change, Edge
from ..trials import Scene, Trial, slip, times, with_upstream
from .edits import one_of
from .forms import rule
from .formulas import both_formulas
from .parts import Edit

_MOST_ROWS = 32
_MOST_POSITIONS = 144


def _into(scene: Scene, node: Node) -> list[Edge]:
    """The rules that send to a record, in the order of the forward pass."""
    edges = [e for e in scene.sweeper.into[node] if e in scene.sweeper.base.sent]
    return sorted(edges, key=lambda e: (scene.tape.index(e[0]), e[1]))


def _fans(scene: Scene) -> Iterator[tuple[Node, list[Edge]]]:
    for node in scene.sweeper.nodes:
        edges = _into(scene, node)
        if len(edges) > 1:
            yield node, edges


def _nothing(edges: list[Edge]) -> Change:
    return Change(edges=dict.fromkeys(edges, lambda g, c: None))


def _alike(edges: list[Edge]) -> bool:
    """Whether these are several uses of one thing in the same way, as of a weight that is shared."""
    return len({(n.op, i) for n, i in edges}) == 1 and edges[0][0] is not edges[1][0]


@slip("path left out", 16)
def path_left_out(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, edges in _fans(scene):
        k = len(edges)
        for edge in edges[:64]:
            if k > 2 or not _alike(edges):
                sentence = f"of the {k} paths to {w.say(node)} the one through {w.made(edge[0])} was left out"
                yield Trial(edge[0], sentence, _nothing([edge]), edge[1], kind=(node.op, edge[0].op, edge[1]))
            if k > 2 and not _alike(edges):
                sentence = f"of the {k} paths to {w.say(node)} only the one through {w.made(edge[0])} was followed"
                yield Trial(edge[0], sentence, _nothing([e for e in edges if e != edge]), edge[1])


@slip("assigned instead of accumulated", 16)
def parts_assigned(scene: Scene) -> Iterator[Trial]:
    """The gradients of parts that overlap, x[1:] and x[:-1], of which each was written over the one before."""
    w = scene.words
    for node, edges in _fans(scene):
        parts = [edge for edge in edges if edge[0].op == "getitem"]
        for order in (parts, parts[::-1]) if len(parts) == len(edges) else ():
            taken, kept = np.zeros(node.shape, bool), {}
            for edge in reversed(order):
                own = np.zeros(node.shape, bool)
                own[edge[0].kwargs["index"]] = True
                if (taken & own).any():
                    kept[edge] = partial(_but_for, taken.copy())
                taken |= own
            if kept:
                made = [w.made(n) for n, _ in order]
                sentence = (
                    f"what {w.say(node)} gets through {listed(made)} was assigned, so that where these overlap only "
                    f"that of the last one was kept"
                )
                yield Trial(order[0][0], sentence, Change(edges=kept), 0)


def _but_for(taken: Any, g: Any, c: Any) -> Any:
    return np.where(taken, 0.0, c)


@slip("shared weight at one position only", 14)
def one_position(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, edges in _fans(scene):
        k = len(edges)
        if not _alike(edges):
            continue
        for n, edge in enumerate(edges[:64]):
            which = "first" if n == 0 else "last" if n == k - 1 else ordinal(n + 1)
            sentence = (
                f"{w.say(node)} is used at {k} places, and only the {which} was counted, {w.made(edge[0])}; the "
                "contributions of all must be added"
            )
            others = _nothing([e for e in edges if e != edge])
            yield Trial(edge[0], sentence, others, edge[1], kind=(k, which), alike="shared weights")
        for n in range(2, k - 1) if k <= 64 else ():
            for some, which, end in ((edges[-n:], "last", 0), (edges[:n], "first", -1)):
                sentence = (
                    f"{w.say(node)} is used at {k} places, and only the {which} {n} of them were counted, up to "
                    f"{w.made(some[end][0])}"
                )
                yield Trial(some[end][0], sentence, _nothing([e for e in edges if e not in some]), some[end][1])


@slip("shared weight averaged", 14)
def averaged(scene: Scene) -> Iterator[Trial]:
    return _averaged(scene, alike=True)


@slip("shared weight averaged", 38, generic=True)
def paths_averaged(scene: Scene) -> Iterator[Trial]:
    return _averaged(scene, alike=False)


def _averaged(scene: Scene, *, alike: bool) -> Iterator[Trial]:
    w = scene.words
    for node, edges in _fans(scene):
        if _alike(edges) != alike:
            continue
        k = len(edges)
        change = Change(edges=dict.fromkeys(edges, times(1 / k)))
        sentence = f"the {k} contributions to {w.say(node)} were averaged, not added"
        yield Trial(
            node,
            f"{sentence}: that through {w.made(edges[0][0])} and the others",
            change,
            kind=k,
            alike="shared weights",
        )


def _to_leaf(scene: Scene, node: Node) -> bool:
    """Whether a record is a leaf or one seen in another shape."""
    while node.op in VIEWS:
        node = node.operands[0]
    return node.is_leaf or node in scene.given


def _weight_edges(scene: Scene) -> Iterator[Edge]:
    """Rules that sum over examples or positions what they send to a parameter."""
    for node, i in scene.edges():
        operand = node.operands[i]
        examples = node.ndim > 1 or (node.ndim == 1 and node.op == "matmul" and i == 1)
        if not _to_leaf(scene, operand) or not examples or node.op in VIEWS or node.shape[0] < 2:
            continue
        if operand.size != node.size or node.op in ("matmul", "inner", "tensordot", "dot"):
            yield node, i


def _only(shape: tuple[int, ...], index: Any) -> Any:
    mask = np.zeros(shape)
    mask[index] = 1
    return mask


@slip("one example of the batch only", 18)
def one_example(scene: Scene) -> Iterator[Trial]:
    for node, i in _weight_edges(scene):
        batch = node.shape[0]
        for k in sorted({*range(min(batch, _MOST_ROWS)), batch - 1}):
            mask, formulas = _only(node.shape, k), partial(_of_one_example, scene, (node, i), k)
            which = "the last" if k == batch - 1 else "the first" if k == 0 else f"row {k}, counting from 0,"
            yield scene.trial(
                (node, i),
                f"{scene.words.say(node.operands[i])} got the contribution of one example only, {which} of {batch} "
                f"in the batch, at {scene.words.made(node)}; those of all must be added",
                with_upstream(scene.sweeper, (node, i), partial(np.multiply, mask)),
                kind=(batch, k),
                alike="parameters",
                formulas=formulas,
            )


def _of_one_example(scene: Scene, edge: Edge, k: int) -> tuple[str, str]:
    form = rule(scene, edge)
    tree = form.formula.tree if form is not None else None
    if form is None or not is_call(tree, np.sum, np.matmul) or any(a.ndim != 2 for a in tree.args):
        return "", ""
    one = one_of(tree, k)
    return both_formulas(scene, form, Edit("loop", (k,), tree, one, one))


@slip("shared kernel at one position only", 14)
def one_window(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in _weight_edges_of_images(scene):
        name = w.say(_source(node.operands[i]))
        positions = list(np.ndindex(node.shape[2:]))
        if len(positions) < 2:
            continue
        sentence = f"{name} is shared by {len(positions)} positions, and"
        for at in sorted({*positions[:_MOST_POSITIONS], positions[-1]}):
            mask = _only(node.shape, (slice(None), slice(None), *at))
            yield scene.trial(
                (node, i),
                f"{sentence} only that of {list(at)} was counted at {w.made(node)}: the contributions of all must be "
                "added",
                with_upstream(scene.sweeper, (node, i), partial(np.multiply, mask)),
            )


@slip("shared kernel averaged", 14)
def averaged_windows(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in _weight_edges_of_images(scene):
        k = int(np.prod(node.shape[2:]))
        if k > 1:
            name = w.say(_source(node.operands[i]))
            yield scene.trial(
                (node, i),
                f"the contributions to {name} of the {k} positions it is used at were averaged, not added, at "
                f"{w.made(node)}",
                times(1 / k),
            )


def _weight_edges_of_images(scene: Scene) -> Iterator[Edge]:
    for node, i in scene.edges():
        shared = node.op == "window_product" and i == 1
        shared = shared or (node.ndim == 4 and node.op == "add" and node.operands[i].size == node.shape[1] > 0)
        if shared and node.ndim == 4:
            yield node, i


def _source(node: Node) -> Node:
    while node.op in VIEWS:
        node = node.operands[0]
    return node
