"""Which records of a tape belong to examples: the recorded means over a batch, and what a sweep brings that something
else is handed on in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ..backward import sweep
from ..node import Node
from ..rules.indexing import Scattered
from ..tape import Tape

__all__ = ["Batches", "Edge", "along", "comes_apart", "constant_factor", "handed_on"]

Edge = tuple[Node, int]

_LINEAR = frozenset([
    "add", "average", "broadcast_to", "concatenate", "getitem", "hstack", "mean", "negative", "positive", "ravel",
    "reshape", "squeeze", "stack", "subtract", "sum", "trace", "transpose", "vstack", "where",
])  # fmt: skip
_BILINEAR = frozenset(["divide", "dot", "einsum", "inner", "matmul", "multiply", "outer", "tensordot", "vdot"])
"""Operations that are linear in all operands together, and in each alone."""


def handed_on(tape: Tape, seed: Any, flows: Mapping[Node, Any], edges: Mapping[Edge, float]) -> dict[Node, Any]:
    """The gradient that arrives at each record where some of `flows` are handed on instead, and what some rules send
    is multiplied by a number.
    """

    def sent(node: Node, i: int, g: Any, out: Any, operands: list[Any]) -> Any:
        g = np.asarray(flows[node], node.dtype)[()] if node in flows else g
        c = node.rule.pull(g, out, i, *operands, **node.kwargs)
        c = c.dense() if isinstance(c, Scattered) else c
        k = edges.get((node, i), 1.0)
        return c if k == 1 else c * k

    with np.errstate(all="ignore"):
        steps = sweep(tape.root, tape.seed(seed), lift=tape.value, run=sent)
        return {step.node: np.asarray(step.grad) for step in steps}


def constant_factor(tape: Tape, node: Node, i: int) -> float | None:
    """The number that the rule of a product or quotient multiplies by, where the other operand is one."""
    if len(node.operands) != 2 or node.op not in ("multiply", "divide") or (node.op == "divide" and i == 1):
        return None
    other = node.operands[1 - i]
    if isinstance(other, Node) and other.needs_grad:
        return None
    value = tape.value(other) if isinstance(other, Node) else np.asarray(other)
    if value.size != 1 or value.dtype.kind not in "fiu":
        return None
    k = float(value.reshape(()))
    return None if not k else k if node.op == "multiply" else 1 / k


class Batches:
    """The recorded means over examples, and which records belong to examples.

    Attributes
    ----------
    means : dict of int to list of (Node, int)
        By the number m of examples, the rules that take the mean: a mean over an axis of that length or over all
        numbers, a division by m or 2m or a product with 1/m, of a sum over so many or of what is summed up afterwards.
    """

    def __init__(self, tape: Tape, seed: Any):
        self.tape, self.seed = tape, seed
        self.means: dict[int, list[Edge]] = defaultdict(list)
        # of each record the lengths of the first arrays that it was summed up from
        self._lengths: dict[Node, frozenset[int]] = {}
        self._known: dict[int, set[Node]] = {}
        for node in tape:
            if node.size == 1:
                lengths = frozenset().union(*(self._lengths[a] for a in node.parents if a.needs_grad))
            else:
                lengths = frozenset((node.size, *node.shape)) - {0, 1}
            self._lengths[node] = lengths
            for i, operand in enumerate(node.operands):
                if isinstance(operand, Node) and operand.needs_grad:
                    for m in self._averaged(node, i, operand):
                        self.means[m].append((node, i))

    def _averaged(self, node: Node, i: int, operand: Node) -> set[int]:
        """Of how many examples an operation takes the mean; several numbers where it is over several axes."""
        lengths = self._lengths[operand]
        if node.op in ("mean", "average") and node.kwargs.get("weights") is None and len(node.parents) == 1:
            return {n for n in lengths if operand.size // max(node.size, 1) % n == 0}
        if operand.size > 1 and node in self.bent:
            return set()
        k = abs(constant_factor(self.tape, node, i) or 0.0)
        return {n for n in lengths if min(abs(k * n - 1), abs(2 * k * n - 1)) < 1e-6}

    @cached_property
    def bent(self) -> set[Node]:
        """The records that the loss is no linear function of, as far as the operations tell."""
        bent: set[Node] = set()
        for node in reversed(self.tape.nodes):
            inputs = [a for a in node.parents if a.needs_grad]
            alone = len(inputs) == 1 and not (node.op == "divide" and node.operands[0] is not inputs[0])
            if node in bent or not (node.op in _LINEAR or (alone and node.op in _BILINEAR)):
                bent.update(inputs)
        return bent

    def of(self, m: int) -> list[Node]:
        """The records below the means over m examples that belong to examples: their numbers depend on data.
        Parameters, and what is made of them alone, do not.
        """
        below = self._below(m)
        return [n for n in self.tape if n in below and n in self.fed]

    def outermost(self, m: int) -> frozenset[Edge]:
        """The rules that take the mean over m examples, without those of means within what is averaged; where data are
        known, of data.
        """
        below = self._below(m)
        outer = [(node, i) for node, i in self.means[m] if node not in below]
        return frozenset([(node, i) for node, i in outer if node.operands[i] in self.fed] or outer)

    def _below(self, m: int) -> set[Node]:
        if m not in self._known:
            waiting = [node.operands[i] for node, i in self.means[m]]
            seen = self._known[m] = set(waiting)
            while waiting:
                fresh = [a for a in waiting.pop().parents if a.needs_grad and a not in seen]
                seen.update(fresh)
                waiting += dict.fromkeys(fresh)
        return self._known[m]

    @cached_property
    def fed(self) -> set[Node]:
        """The records whose numbers depend on data."""
        return _fed(self.tape, self._data) if self._data else self._constant

    @cached_property
    def _constant(self) -> set[Node]:
        return _fed(self.tape, set())

    @cached_property
    def _data(self) -> set[Node]:
        """The leaf with a gradient that is data, not a parameter: an array that is used first, beside a parameter, and
        whose gradient at each example comes from that example. None where that may be said of more, or of several
        axes, as where a mean is over classes, too.
        """
        first: dict[Node, Node] = {}
        for node in self.tape:
            for leaf in (a for a in node.parents if a.is_leaf and a.needs_grad):
                first.setdefault(leaf, node)
        beside = {leaf: set(user.parents) - {leaf} for leaf, user in first.items() if user not in self._constant}
        candidates = {leaf for leaf, some in beside.items() if some and all(a.is_leaf for a in some) and leaf.ndim > 1}
        found = [some for m in self.means for some in self._apart(m, candidates)] if candidates else []
        return found[0] if len(found) == 1 and len(found[0]) == 1 else set()

    def _apart(self, m: int, candidates: set[Node]) -> Iterator[set[Node]]:
        """Which leaves are apart for each example, along every axis of so many; where any is."""
        kept = np.arange(m) % 2 == 0
        whole = self._whole
        first = {n for node, i in self.means[m] for n in _first_arrays(node.operands[i])}
        summed = [n for n in first if n in whole and m in n.shape]
        for which in range(max((n.shape.count(m) for n in summed), default=0)):
            flows = {}
            for n in summed:
                axes = [axis for axis, length in enumerate(n.shape) if length == m]
                flows[n] = whole[n] * along(kept, axes[min(which, len(axes) - 1)], n.ndim)
            there = handed_on(self.tape, self.seed, flows, {})
            apart = {n for n in candidates if n in there and comes_apart(whole[n], there[n], kept)}
            if apart:
                yield apart

    @cached_property
    def _whole(self) -> dict[Node, Any]:
        return handed_on(self.tape, self.seed, {}, {})


def _fed(tape: Tape, data: set[Node]) -> set[Node]:
    """The records that are data, constant arrays among them, or made of any."""
    fed = set(data)
    for node in tape:
        chosen = node.kwargs.get("index", ())
        constants = [a for a in node.operands if not isinstance(a, Node)]
        constants += [chosen, *chosen] if isinstance(chosen, tuple) else [chosen]
        is_data = node.is_leaf and node.size > 1 and not node.needs_grad
        is_made = any(a in fed for a in node.parents)
        if is_data or is_made or any(a.size > 1 for a in constants if isinstance(a, np.ndarray)):
            fed.add(node)
    return fed


def _first_arrays(operand: Node) -> Iterator[Node]:
    """What a number was summed up from: the first records before it that are more than one number."""
    waiting, seen = [operand], {operand}
    while waiting:
        node = waiting.pop()
        if node.size > 1:
            yield node
        else:
            fresh = [a for a in dict.fromkeys(node.parents) if a.needs_grad and a not in seen]
            seen.update(fresh)
            waiting += fresh


def along(numbers: Any, axis: int, ndim: int) -> Any:
    return numbers.reshape([-1 if a == axis else 1 for a in range(ndim)])


def comes_apart(whole: Any, some: Any, kept: Any) -> bool:
    """Whether a gradient with only some examples is, along an axis, the whole one at those and 0 at the others."""
    whole, some = np.asarray(whole, np.float64), np.asarray(some, np.float64)
    near = 1e-5 * float(np.abs(whole).max(initial=0.0))
    for axis, length in enumerate(whole.shape):
        if length == len(kept):
            masked = whole * along(kept, axis, whole.ndim)
            if (np.abs(some - masked) <= near).all() and near and np.any(masked) and (masked != whole).any():
                return True
    return False
