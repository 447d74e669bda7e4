"""Tangents, pushed forward through what was recorded: forward mode, by the rules that pull gradients back.

A rule is linear in the gradient that it is given: it is the derivative of its function, transposed. So it is turned
around, in the cheapest of three ways:

* a real ufunc's derivative is diagonal, and its own transpose: the rule itself, on the tangent;
* a function whose rule reads neither the operand nor the result is linear in it: the function itself, on the tangent
  (where the rule is of this house: others may stand in for a derivative, or leave out that a constant is added);
* of any other, the derivative of the rule by its gradient (J. Townsend's double-vjp trick, a record at a time).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .backward import sweep
from .forward import record
from .node import Node
from .recording import enable_grad
from .rows import Rows
from .tensor import Tensor, lift

__all__ = ["push"]


def push(roots: Iterable[Node], tangents: dict[Node, Any], records: bool = False) -> dict[Node, Any]:
    """The tangents of `roots` that come of `tangents`, arrays by the records that they start at; by the record too.

    With `records` they are Tensors, and can be differentiated again. A root that none reaches is left out.
    """
    found = dict(tangents)
    with enable_grad(), np.errstate(all="ignore"):
        for node in _between(roots, tangents):
            moved = {i: found[a] for i, a in enumerate(node.operands) if a.__class__ is Node and a in found}
            if moved:
                parts = _by_itself(node, moved, records) or _by_function(node, moved, records)
                first, *others = parts or _by_twice(node, moved, records)
                found[node] = sum(others, first)
    return {root: found[root] for root in roots if root in found}


def _between(roots: Iterable[Node], starts: dict[Node, Any]) -> list[Node]:
    """The records that gradients flow through from `roots` back to the age of `starts`, oldest first."""
    oldest = min((node.seq for node in starts), default=0)
    stack, seen = list(roots), {*roots, *starts}
    found = []
    while stack:
        node = stack.pop()
        if node.needs_grad and node.args is not None and node.seq > oldest and node not in starts:
            found.append(node)
            fresh = {a for a in node.args if a.__class__ is Node and a not in seen}
            seen |= fresh
            stack += fresh
    return sorted(found, key=lambda node: node.seq)


def _by_itself(node: Node, moved: dict[int, Any], records: bool) -> list[Any]:
    """What the rules of a ufunc give on the tangents; nothing where that is not its derivative."""
    rule = node.rule
    ufunc = isinstance(rule.fn, np.ufunc) and rule.fn.signature is None
    real = node.dtype.kind == "f" and all(tangent.dtype.kind == "f" for tangent in moved.values())
    if not ufunc or rule.variadic is not None or not real:
        return []
    hand = lift if records else _number
    operands = [hand(a) if a.__class__ is Node else a for a in node.operands]
    parts = []
    for i, tangent in moved.items():
        if tangent.shape != node.shape:
            tangent = np.broadcast_to(tangent, node.shape)
        part = rule.vjps[i](_cast(tangent, node), hand(node), *operands, **node.kwargs)  # type: ignore[misc]
        if part.shape != node.shape:
            return []
        parts.append(_cast(part, node))
    return parts


def _by_function(node: Node, moved: dict[int, Any], records: bool) -> list[Any]:
    """What the function gives on the tangents, where it is linear in all of them or in each; else nothing."""
    rule = node.rule
    all_read: set[int] = set()
    for i in moved:
        reads_output, read = rule.reads(i)
        if reads_output or read is None or i in read or not rule.of_this_house:
            return []
        all_read |= read
    together = all_read.isdisjoint(moved)
    return [_called(node, part, records) for part in ([moved] if together else [{i: t} for i, t in moved.items()])]


def _called(node: Node, moved: dict[int, Any], records: bool) -> Any:
    """The function on the tangents, with zeros in the place of the operands that their derivatives do not depend on."""
    read = {j for i in moved for j in node.rule.reads(i)[1] or ()}
    values: list[Any] = []
    for i, a in enumerate(node.operands):
        if i in moved:
            values.append(moved[i])
        elif i not in read:
            values.append(np.zeros(np.shape(a), getattr(a, "dtype", float)))
        elif a.__class__ is not Node:
            values.append(a)
        else:
            values.append(lift(a) if records and a.kept is not None else a.value[()])
    if records:
        return _cast(record(node.rule, tuple(values), node.kwargs), node)
    if any(isinstance(value, Rows) for value in values):
        return _cast(Rows._record(node.rule, tuple(values), node.kwargs), node)
    return _cast(np.asarray(node.rule.op(*values, **node.kwargs))[()], node)


def _by_twice(node: Node, moved: dict[int, Any], records: bool) -> Iterator[Any]:
    """The derivatives of what the rules pull back, by the gradient that they pull back, along the tangents."""
    g = Tensor(np.zeros(node.shape, node.dtype), requires_grad=True)
    pulled = sweep(node, g, lift=lift, stop=frozenset(node.parents), detailed=False)
    tangents = {node.operands[i]: tangent for i, tangent in moved.items()}
    yield g._data
    for root, seed in [(step.grad.node, tangents[step.node]) for step in pulled if step.node in tangents]:
        steps = sweep(root, seed, lift=lift if records else None, oldest=g.node.seq, stop=frozenset([g.node]),
                      detailed=False)  # fmt: skip
        yield from (step.grad for step in steps if step.node is g.node)


def _number(node: Node) -> Any:
    return node if node.kept is None else node.kept


def _cast(value: Any, node: Node) -> Any:
    return value if value.dtype == node.dtype else value.astype(node.dtype)
