"""Slips in the loss: the wrong label, the labels in another order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Node

from ..pushing import Change, replayed
from ..trials import Scene, Trial, slip

_MOST = 64
_MOST_LABELS = 100_000
_WITH_LABELS = ("subtract", "multiply", "add")
_WRONG = "the loss with the wrong label"


@slip("labels", 7, covers=("path left out",), slow=True)
def labels(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    sets = list(_of_two_classes(scene))
    of_sets = {use for uses in sets for use in uses}
    for uses in sets:
        first = uses[0]
        y = _numbers(scene, first)
        name = w.operand(*first)
        name = name if name.isidentifier() else "the labels"
        for what, other in _other_labels(name, y, first[0].ndim):
            calls: dict[Node, Any] = {}
            for node, k in uses:
                was = np.asarray(scene.value(node.operands[k]))
                value = other if np.array_equal(was, y) else 1 - other
                operands = list(calls[node][0] if node in calls else node.operands)
                operands[k] = value.astype(was.dtype)
                calls[node] = (tuple(operands), node.kwargs)
            yield _replayed(scene, first[0], calls, f"it belongs to {what}, at {w.made(first[0])}")
    for mean, calls in _of_weights(scene):
        yield _replayed(scene, mean, calls, f"it belongs to the plain mean, without weights, at {w.made(mean)}")
    for node in scene.nodes():
        for k, operand in enumerate(node.operands):
            if (node, k) in of_sets:
                continue
            is_node = isinstance(operand, Node)
            if is_node and (operand.needs_grad or not operand.is_leaf):
                continue
            for what, value in _relabelled(scene, node, k, operand):
                operands = list(node.operands)
                operands[k] = value
                calls = {node: (tuple(operands), node.kwargs)}
                yield _replayed(scene, node, calls, f"it belongs to {what}, at {w.made(node)}")
        index = node.kwargs.get("index") if node.op == "getitem" else None
        if index is not None:
            for what, other in _reindexed(node, index):
                kwargs = {**node.kwargs, "index": other}
                yield _replayed(
                    scene, node, {node: (node.operands, kwargs)}, f"it belongs to {what}, at {w.made(node)}"
                )


def _of_two_classes(scene: Scene) -> Iterator[list[tuple[Node, int]]]:
    """Where one set of labels of 0 and 1 is used, as y and as 1 − y, or chosen by; only where it is more than once or
    by a choice: of one product or difference the trials are made below."""
    sets: list[list[tuple[Node, int]]] = []
    for node in sorted(scene.nodes(), key=scene.tape.index):
        for k, operand in enumerate(node.operands):
            if not hasattr(operand, "shape") or (isinstance(operand, Node) and operand.needs_grad):
                continue
            if node.op not in (*_WITH_LABELS, "where") or not 0 < operand.size == node.size <= _MOST_LABELS:
                continue
            y = _numbers(scene, (node, k))
            if not np.isin(y, (0, 1)).all():
                continue
            for uses in sets:
                known = _numbers(scene, uses[0])
                if known.shape == y.shape and (np.array_equal(known, y) or np.array_equal(known, 1 - y)):
                    uses.append((node, k))
                    break
            else:
                sets.append([(node, k)])
    for uses in sets:
        if len(uses) > 1 or uses[0][0].op == "where":
            yield sorted(uses, key=lambda use: not scene.words.operand(*use).isidentifier())


def _of_weights(scene: Scene) -> Iterator[tuple[Node, dict[Node, Any]]]:
    """Means of what is multiplied with weights, and divided by the sum of these; and the calls of plain ones."""
    weighted = [
        (node, k, a)
        for node in scene.nodes()
        for k, a in enumerate(node.operands)
        if node.op == "multiply" and isinstance(a, np.ndarray) and a.shape == node.shape and not (a == 1).all()
    ]
    for mean in scene.nodes() if weighted else ():
        by = mean.operands[1] if mean.op == "divide" else None
        if not isinstance(by, float | np.floating):
            continue
        for node, k, weights in weighted:
            if np.isclose(weights.sum(), float(by), rtol=1e-6):
                operands = tuple(np.ones_like(a) if j == k else a for j, a in enumerate(node.operands))
                yield mean, {node: (operands, node.kwargs), mean: ((mean.operands[0], weights.size), mean.kwargs)}


def _numbers(scene: Scene, use: tuple[Node, int]) -> Any:
    node, k = use
    return np.asarray(scene.value(node.operands[k])).astype(node.dtype)


def _replayed(scene: Scene, node: Node, calls: Any, sentence: str) -> Trial:
    """Records that were called otherwise, and everything computed from them."""
    change = Change(calls=calls)
    return Trial(node, sentence, lambda: Change(calls=calls, reads=replayed(scene.tape, change)))


def _relabelled(scene: Scene, node: Node, k: int, operand: Any) -> Iterator[tuple[str, Any]]:
    """Other targets in the place of those in a difference or a product of the loss."""
    if node.op == "getitem" and k:
        yield from _reindexed(node, operand)
        return
    if node.op not in _WITH_LABELS or not hasattr(operand, "shape"):
        return
    y = scene.value(operand)
    if y.dtype.kind not in "fiub" or (not y.shape and node.shape) or y.size > _MOST_LABELS:
        return
    if y.size == node.size or node.ndim > y.ndim:
        yield from _other_labels(
            scene.words.operand(node, k), y.astype(node.dtype), node.ndim, subtracted=node.op == "subtract"
        )


def _other_labels(name: str, y: Any, ndim: int, *, subtracted: bool = False) -> Iterator[tuple[str, Any]]:
    if y.any() and (subtracted or np.isin(y, (0, 1)).all()):
        yield f"the loss without labels: {name} left out, as if it were 0", np.zeros_like(y)
    if np.isin(y, (0, 1)).all():
        yield f"the loss with the opposite label: 1 − {name} in the place of {name}", 1 - y
    if y.ndim > 1 and not np.isin(y, (0, 1)).all() and np.allclose(y.sum(-1), 1) and (y >= 0).all():
        hard = np.eye(y.shape[-1], dtype=y.dtype)[y.argmax(-1)]
        yield f"the loss without smoothing: {name} with 1 for the likeliest class and 0 for the others", hard
    if y.ndim and y.shape[-1] > 1 and (y.ndim > 1 or ndim != 1):
        yield f"the loss with the classes in reverse order: {name} read from the other end", y[..., ::-1]
        for by in (1, -1):
            yield f"the loss with labels off by one: {name} shifted by one class", np.roll(y, by, axis=-1)
    if (y.ndim > 1 and y.shape[0] > 1) or (y.ndim == 1 and ndim == 1):
        yield (
            f"the loss with the labels of the batch in reverse order: the rows of {name} reversed",
            y[::-1],
        )
        for by in (1, -1):
            yield (
                f"the loss with the label of the example beside: the rows of {name} shifted by one",
                np.roll(y, by, 0),
            )
    if y.ndim and np.isin(y, (0, 1)).all() and (y.sum(axis=-1) == 1).all() and y.shape[-1] > 2:
        for row in list(np.ndindex(y.shape[:-1]))[:_MOST]:
            right = int(y[row].argmax())
            for wrong in range(y.shape[-1]):
                if wrong != right:
                    other = y.copy()
                    other[row] = 0
                    other[(*row, wrong)] = 1
                    whose = f" of example {row[0]}" if row else ""
                    yield f"{_WRONG}: class {wrong} instead of {right}{whose}, counting from 0", other
    elif y.ndim and np.isin(y, (0, 1)).all():
        for at in list(np.ndindex(y.shape))[:_MOST]:
            other = y.copy()
            other[at] = 1 - other[at]
            yield (
                f"{_WRONG}: {other[at]:g} instead of {y[at]:g} at {list(at)} of {name}",
                other,
            )


def _reindexed(node: Node, index: Any) -> Iterator[tuple[str, Any]]:
    """Other class numbers in the index that picks those of the right ones."""
    source = node.operands[0]
    parts = index if isinstance(index, tuple) else (index,)
    for place, part in enumerate(parts):
        picked = np.asarray(part) if not isinstance(part, slice) and part is not None and part is not Ellipsis else None
        if picked is None or picked.dtype.kind not in "iu" or picked.dtype == bool or place >= source.ndim:
            continue
        if picked.ndim and np.array_equal(picked.ravel(), np.arange(picked.size)) and len(parts) > 1:
            continue
        classes = source.shape[place]
        if place != source.ndim - 1 and not (source.ndim > 2 and place == 1):
            continue

        for what, other in _other_classes(picked, classes):
            if not np.array_equal(other, picked):
                fresh = other if isinstance(part, np.ndarray) else other.tolist()
                yield what, (*parts[:place], fresh, *parts[place + 1 :]) if isinstance(index, tuple) else fresh


def _other_classes(y: Any, classes: int) -> Iterator[tuple[str, Any]]:
    for example in np.ndindex(y.shape) if y.size <= _MOST else ():
        for wrong in range(classes):
            if wrong != int(y[example]):
                other = y.copy()
                other[example] = wrong
                whose = f" of example {example[0]}" if example else ""
                yield f"{_WRONG}: class {wrong} instead of {int(y[example])}{whose}, counting from 0", other
    yield "the loss with the classes in reverse order: class k read as class C − 1 − k", classes - 1 - y
    for by in (1, -1):
        yield "the loss with labels off by one: class k read as its neighbour", (y + by) % classes
    if y.ndim:
        yield "the loss with the labels of the batch in reverse order", y[::-1]
        for by in (1, -1):
            yield "the loss with the label of the example beside", np.roll(y, by, axis=0)
