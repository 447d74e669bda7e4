"""Slips at a product: transposed, turned round, with another value in the place of an operand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ..pushing import Change, Edge
from ..trials import Scene, Trial, ended, slip, with_reads, with_upstream

_PRODUCTS = frozenset(
    {"matmul", "inner", "dot", "vecdot", "outer", "tensordot", "multiply", "window_product", "einsum"}
)
_MATRIX = frozenset({"matmul", "inner", "dot", "einsum"})


def _others(scene: Scene) -> Iterator[tuple[Node, int, int, Any]]:
    """Rules of products, with each other operand that they read."""
    for node, i in scene.edges():
        if node.op in _PRODUCTS:
            for k, other in enumerate(node.operands):
                if k != i and hasattr(other, "shape") and len(node.operands) == 2:
                    yield node, i, k, other


def _name(scene: Scene, operand: Any) -> str:
    return scene.words.say(operand) if isinstance(operand, Node) else f"the constant of shape {np.shape(operand)}"


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _is_square(x: Any) -> bool:
    return len(x.shape) >= 2 and x.shape[-1] == x.shape[-2] > 1


@slip("transpose", 6)
def transposed(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for one in scene.wrong:
        if one.node.ndim >= 2:
            axes = "" if one.node.ndim == 2 else " in its last two axes"
            yield Trial(
                one.node,
                f"it is transposed{axes}: yours is the transpose of the right gradient",
                ended(one.node, _turned),
                kind="gradient",
                alike="gradients",
            )
    for node, i, k, other in _others(scene):
        if node.op in _MATRIX and _is_square(other):
            what = f"{w.gradient(node.operands[i])} was computed with {w.operand(node, k)} where the rule has its"
            read = with_reads(scene.sweeper, (node, i), k, _turned(scene.value(other)))
            yield _of_matrices(scene, (node, i), f"{what} transpose, or the other way round", read)

    for node, i in scene.edges():
        to = node.operands[i]
        if len(scene.sweeper.into[to]) > 1 and to.ndim == 2 and _is_square(to):
            what = f"what {w.gradient(to)} gets through {w.made(node)} was transposed"
            kind = (node.op, i, "contribution")
            yield scene.trial((node, i), what, lambda g, c: _turned(c), kind=kind, alike="such contributions")


@slip("upstream gradient transposed", 35)
def upstream_transposed(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i, _, _ in _others(scene):
        if node.op in _MATRIX and _is_square(node):
            what = f"{w.gradient(node)} was handed to the rule of {w.say(node.operands[i])} transposed"
            yield _of_matrices(scene, (node, i), what, with_upstream(scene.sweeper, (node, i), _turned))


@slip("order of a product", 35)
def turned_round(scene: Scene) -> Iterator[Trial]:
    """B g in the place of g B: the transpose of what the rule makes of both transposed."""
    w = scene.words
    for node, i, k, other in _others(scene):
        if node.op in _MATRIX and _is_square(node) and _is_square(other) and len(node.shape) == len(other.shape):
            read = with_reads(scene.sweeper, (node, i), k, _turned(scene.value(other)))
            what = f"the factors of {w.gradient(node.operands[i])} were multiplied in the other order"
            yield _of_matrices(scene, (node, i), what, partial(_both_turned, read))


def _of_matrices(scene: Scene, edge: Edge, what: str, sent: Any) -> Trial:
    node, i = edge
    sentence = f"{what}, at {scene.words.made(node)}"
    return scene.trial(edge, sentence, sent, kind=(node.op, i), alike="products of this kind")


def _both_turned(read: Any, g: Any, c: Any) -> Any:
    return _turned(read(_turned(g), c))


@slip("kernel flipped", 6, covers=("flipped",))
def flipped(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in scene.edges():
        if node.op != "window_product":
            continue
        if i == 1:
            yield scene.trial(
                (node, i),
                f"the kernel is turned by 180° at {w.made(node)}: ∂L/∂{w.say(node.operands[1])} of a convolution in "
                "place of the cross-correlation that the forward pass computes",
                lambda g, c: c[..., ::-1, ::-1],
                kind=i,
            )
        else:
            value = scene.value(node.operands[1])[..., ::-1, ::-1]
            yield scene.trial(
                (node, i),
                f"the kernel {w.operand(node, 1)} was turned by 180° once too often, or not at all, in the "
                f"gradient of the input at {w.made(node)}",
                with_reads(scene.sweeper, (node, i), 1, value),
                kind=i,
            )


@slip("flipped", 26)
def turned(scene: Scene) -> Iterator[Trial]:
    for one in scene.wrong:
        n = one.node.ndim
        for axes in {(n - 1,), tuple(range(max(0, n - 2), n)), tuple(range(n))} if n else ():
            how = "reversed" if len(axes) == 1 else "turned by 180°"
            yield Trial(
                one.node,
                f"it is {how}: right but for the order (a kernel flipped? convolution against correlation)",
                ended(one.node, partial(np.flip, axis=axes)),
            )


@slip("stale forward values", 28)
def shifted(scene: Scene) -> Iterator[Trial]:
    """The values of the example (or step) before."""
    w = scene.words
    for node, i, k, other in _others(scene):
        if len(other.shape) < 2 or other.shape[0] < 2 or (isinstance(other, Node) and other.is_leaf):
            continue
        value = scene.value(other)
        for by, which in ((1, "before"), (-1, "after")):
            yield scene.trial(
                (node, i),
                f"stale forward values: {w.operand(node, k)} was read one row off, that of the example {which}, at "
                f"{w.made(node)}",
                with_reads(scene.sweeper, (node, i), k, np.roll(value, by, axis=0)),
                kind=(i, by),
            )


@slip("another value in the place of an operand", 44, generic=True)
def with_a_number_added(scene: Scene) -> Iterator[Trial]:
    """An array of the program with its mean, or another number, still in it: returns for advantages."""
    for node, i, k, other in _others(scene):
        if not isinstance(other, Node) and other.ndim and other.size > 1 and other.dtype.kind == "f":
            name = scene.words.operand(node, k)
            sentence = (
                f"{name} was read with {{}} added to each of its numbers, as where a mean is not subtracted, at "
                f"{scene.words.made(node)}"
            )
            change = partial(_with_added, scene, (node, i), k)
            yield Trial(node, sentence, change, i, accepts=lambda t: abs(t) > 1e-9, linear=True)


def _with_added(scene: Scene, edge: Edge, k: int, t: float) -> Change:
    return Change(edges={edge: with_reads(scene.sweeper, edge, k, scene.value(edge[0].operands[k]) + t)})
