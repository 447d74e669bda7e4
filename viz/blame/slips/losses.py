"""Slips in the loss: the wrong label, the labels in another order, weights left out."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...formula import value_symbol
from ...formula.tree import Number, apply, negated
from ..pushing import Change, replayed
from ..trials import Scene, Trial, slip
from .forms import rules_of
from .formulas import edited
from .parts import Edit

Calls = dict[Node, tuple[tuple[Any, ...], dict[str, Any]]]

_MOST = 64
_MOST_LABELS = 1_000_000
_WITH_LABELS = ("subtract", "multiply", "add", "where")
_REVERSED = {
    -1: "the loss with the classes in reverse order: class k read as class C − 1 − k",
    0: "the loss with the labels of the batch in reverse order",
}
_SHIFTED = {
    -1: "the loss with labels off by one: class k read as its neighbour",
    0: "the loss with the label of the example beside",
}


@slip("labels", 7, covers=("path left out",), slow=True)
def labels(scene: Scene) -> Iterator[Trial]:
    for node, what, calls in itertools.chain(_of_operands(scene), _of_indices(scene), _of_weights(scene)):
        yield Trial(node, f"it belongs to {what}, at {scene.words.made(node)}", partial(_replayed, scene, calls))


@slip("labels", 9, covers=("activation derivative missing", "sign"))
def opposite(scene: Scene) -> Iterator[Trial]:
    """log(1 − p) for log p, where no array holds the labels."""
    for form in rules_of(scene, ("log",)):
        g, p = form.upstream, value_symbol(form.target, scene.words, scene.value)
        if p.dtype.kind == "f" and ((p.array > 0) & (p.array < 1)).all():
            tree = negated(apply(np.divide, g, apply(np.subtract, Number(1), p)))
            edit = Edit("function", (), form.formula.tree, tree, tree)
            what = f"the loss with the opposite label: log(1 − {p.name}) in the place of log({p.name})"
            sentence = f"it belongs to {what}, at {scene.words.made(form.node)}"
            yield edited(scene, form, edit, sentence, kind="log", alike="logarithms", places=2)


def _replayed(scene: Scene, calls: Calls) -> Change:
    """Records that were called otherwise, and everything computed from them."""
    return Change(calls=calls, reads=replayed(scene.tape, Change(calls=calls)))


def _of_operands(scene: Scene) -> Iterator[tuple[Node, str, Calls]]:
    """Other labels in all of the places where they are used, as y and as 1 − y, or to choose by."""
    for uses in _uses(scene):
        node, k, y = min(uses, key=lambda use: not scene.words.operand(*use[:2]).isidentifier())
        name = scene.words.operand(node, k)
        for what, other in _others(name if name.isidentifier() else "the labels", y, node):
            calls: Calls = {}
            for user, place, was in uses:
                operands, options = calls.get(user, (user.operands, user.kwargs))
                value = other if np.allclose(was, y) else 1 - other
                calls[user] = (*operands[:place], value, *operands[place + 1 :]), options
            yield node, what, calls


def _uses(scene: Scene) -> Iterable[list[tuple[Node, int, Any]]]:
    """What may be labels among the operands, as numbers, with the places where it is used, the first one first."""
    found: dict[Any, list[tuple[Node, int, Any]]] = defaultdict(list)
    for node in reversed([*scene.nodes()]):
        for k, a in enumerate(node.operands if node.op in _WITH_LABELS else ()):
            if not hasattr(a, "shape") or (isinstance(a, Node) and a.needs_grad):
                continue
            y = scene.value(a).astype(node.dtype)
            fits = 0 < y.size <= _MOST_LABELS and (y.size == node.size or 0 < y.ndim < node.ndim)
            computed = node.op == "where" or (isinstance(a, Node) and not a.is_leaf)
            if fits and (not computed or np.isin(y, (0, 1)).all()):
                known_as = y.shape, frozenset((np.round(part, 6) + 0.0).tobytes() for part in (y, 1 - y))
                found[known_as].append((node, k, y))
    return found.values()


def _others(name: str, y: Any, node: Node) -> Iterator[tuple[str, Any]]:
    """Other labels, and what the loss is that they belong to."""
    binary, classes = np.isin(y, (0, 1)).all(), y.shape[-1] if y.ndim else 0
    one_of = classes > 0 and y.min() >= 0 and np.allclose(y.sum(-1), 1)
    if binary or node.op == "subtract":
        yield f"the loss without labels: 0 in the place of {name}", 0 * y
    if binary and node.op == "multiply" and not one_of:
        yield f"the loss without a mask: 1 everywhere in the place of {name}", np.ones_like(y)
    if binary:
        yield f"the loss with the opposite label: 1 − {name} in the place of {name}", 1 - y
    elif one_of:
        hard = (y == y.max(-1, keepdims=True)) * 1.0
        yield f"the loss without smoothing: {name} with 1 for the likeliest class and 0 for the others", hard
    for axis in (-1, 0) if y.ndim > 1 else (0 if node.ndim == 1 else -1,) * y.ndim:
        yield _REVERSED[axis], np.flip(y, axis)
        for by in (1, -1):
            yield _SHIFTED[axis], np.roll(y, by, axis)
    by_class = one_of and (classes > 2 or node.op == "getitem")
    places = np.ndindex(y.shape[:-1] if by_class else y.shape)
    for at in itertools.islice(places, _MOST) if binary and y.ndim else ():
        whose = f" of example {at[0]}" if at else ""
        for k in range(classes) if by_class else (1 - y[at],):
            said = f"class {k} instead of {y[at].argmax()}{whose}, counting from 0"
            said = said if by_class else f"{k:g} instead of {y[at]:g} at {list(at)} of {name}"
            other = y.copy()
            other[at] = np.arange(classes) == k if by_class else k
            yield f"the loss with the wrong label: {said}", other


def _of_indices(scene: Scene) -> Iterator[tuple[Node, str, Calls]]:
    """Other class numbers in the index that picks those of the right ones."""
    for node in [n for n in scene.nodes() if n.op == "getitem"]:
        index, shape = node.kwargs["index"], node.operands[0].shape
        parts = index if isinstance(index, tuple) else (index,)
        for place, (part, n) in enumerate(zip(parts, shape, strict=False)):
            picked, of_classes = np.asarray(part), place in (1, len(shape) - 1)
            if of_classes and picked.dtype.kind in "iu" and 0 < picked.size * n <= _MOST_LABELS:
                y = (picked[..., None] % n == np.arange(n)) * 1.0
                for what, other in _others("the labels", y, node):
                    if (other.sum(-1) == 1).all():
                        new = (*parts[:place], other.argmax(-1), *parts[place + 1 :])
                        yield node, what, {node: (node.operands, {"index": new if parts is index else new[0]})}


def _of_weights(scene: Scene) -> Iterator[tuple[Node, str, Calls]]:
    """Means of what is multiplied with weights, and divided by the sum of these; with ones in their place."""
    means = [n for n in scene.nodes() if n.op == "divide" and isinstance(n.operands[1], float | np.floating)]
    for mean, node in itertools.product(means, scene.nodes() if means else ()):
        for a in node.operands if node.op == "multiply" else ():
            if isinstance(a, np.ndarray) and a.shape == node.shape and np.isclose(a.sum(), mean.operands[1], rtol=1e-6):
                operands = tuple(np.ones_like(a) if b is a else b for b in node.operands)
                calls = {node: (operands, node.kwargs), mean: ((mean.operands[0], a.size), mean.kwargs)}
                yield mean, "the plain mean, without weights", calls
