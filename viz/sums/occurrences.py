"""Where a parameter is used, along which axes of the result it is shared there, and the terms of its gradient.

The term of a position is what the derivative rule of the operation gives for the gradient at that position alone.
Nothing here knows another formula: products of windows and broadcasting operations only get their operands laid out so
that one call of the rule gives all terms at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.rules.windows import window_product
from autograd.testing.attempts import attempted
from autograd.testing.drawing import generator

from ..tape.calls import Call, leaf

__all__ = ["Occurrence", "Terms", "occurrences", "shared_axes", "value_of"]


@dataclass(frozen=True, eq=False)
class Occurrence:
    """One use: the call, its operand, the axes of the result that share it, and the calls that lead there."""

    tape: Tape
    node: Node
    operand: int
    axes: tuple[int, ...]
    before: tuple[tuple[Node, int], ...]

    @property
    def is_kernel(self) -> bool:
        """Whether it is a kernel that slides over images."""
        return self.node.rule is window_product.rule and self.operand == 1


def occurrences(tape: Tape, parameter: Node, gradients: dict[Node, Any]) -> Iterator[Occurrence]:
    """Where a record is used; through what is made of it alone (its transpose, say), where nothing is shared."""
    users: dict[Node, list[tuple[Node, int]]] = {}
    for node in tape:
        if node in gradients:
            for i, operand in enumerate(node.operands):
                if isinstance(operand, Node) and operand.needs_grad:
                    users.setdefault(operand, []).append((node, i))
    waiting: list[tuple[Node, tuple[tuple[Node, int], ...]]] = [(parameter, ())]
    while waiting:
        node, before = waiting.pop()
        if node not in users:
            yield Occurrence(tape, node, -1, (), before)
        further = []
        for user, i in users.get(node, ()):
            axes = shared_axes(tape, user, i)
            if axes or len(user.parents) > 1:
                yield Occurrence(tape, user, i, axes, before)
            else:
                further.append((user, (*before, (user, i))))
        waiting += reversed(further)


def shared_axes(tape: Tape, node: Node, operand: int) -> tuple[int, ...]:
    """The axes of a result along which its indices share the elements of an operand.

    Along the other axes (the output channels of a convolution) each element of the operand serves one index alone.
    Found by asking the rule: it is run for half of the indices of an axis, and for the other half, on arbitrary
    operands; where the two meet in an element, the axis is shared. An axis of length 1 is not, but for kernels. Of an
    operation that takes no others than its own operands, nothing is known.
    """
    given = node.operands[operand]
    if node.rule is window_product.rule and operand == 1:
        return 0, 2, 3
    stretched = tuple(a for a in range(node.ndim) if _is_stretched(given.shape, node.shape, a))
    if _broadcasts(node):
        return stretched
    with attempted() as trial:
        shared = _axes_met(node, operand)
    return stretched if trial.failed else shared


def _axes_met(node: Node, operand: int) -> tuple[int, ...]:
    rng = generator("shared axes")
    values = [_arbitrary(a, rng) for a in node.operands]
    call = _call_on(node, operand, values)
    shared = []
    for axis in range(node.ndim):
        places = np.arange(node.shape[axis]).reshape([-1 if a == axis else 1 for a in range(node.ndim)])
        for bit in range(max(0, node.shape[axis] - 1).bit_length()):
            upstream = rng.uniform(0.5, 1.5, node.shape).astype(node.dtype)
            half = places >> bit & 1 == 1
            one, other = (call.pull(np.where(part, upstream, 0)) != 0 for part in (half, ~half))
            if np.any(one & other):
                shared.append(axis)
                break
    return tuple(shared)


def _broadcasts(node: Node) -> bool:
    fn = node.rule.fn
    return isinstance(fn, np.ufunc) and fn.signature is None


def _is_stretched(small: tuple[int, ...], large: tuple[int, ...], axis: int) -> bool:
    before = axis - (len(large) - len(small))
    return large[axis] != 1 and (before < 0 or small[before] == 1)


def _arbitrary(operand: Any, rng: np.random.Generator) -> Any:
    """Another array of an operand's shape; indices and conditions stay."""
    shape, dtype = np.shape(operand), getattr(operand, "dtype", None)
    if dtype is None or dtype.kind != "f":
        return operand.value if isinstance(operand, Node) else operand
    return rng.uniform(0.5, 1.5, shape).astype(dtype)


def _call_on(node: Node, operand: int, values: Sequence[Any]) -> Call:
    with np.errstate(all="ignore"):
        out = node.rule.op(*values, **node.kwargs)
    given = list(values)
    given[operand] = leaf(node.operands[operand], np.shape(values[operand]), values[operand])
    return Call(node, operand, given, out=out)


# --- what each use contributes ----------------------------------------------------------------------------------------


class Terms:
    """The contributions of one occurrence: which axes are kept apart, which images are taken.

    Parameters
    ----------
    plan : Occurrence
    by : {None, "position", "image"}
    images : array of int or None
    """

    def __init__(self, plan: Occurrence, by: str | None, images: np.ndarray | None):
        self.plan = plan
        self.axes = tuple(a for a in plan.axes if by is None or (a == 0) == (by == "image"))
        self.images = images
        shape = plan.node.shape
        if images is not None:
            shape = (len(images), *shape[1:])
        self.lengths = tuple(shape[a] for a in self.axes)

    @property
    def count(self) -> int:
        """How many there are."""
        return math.prod(self.lengths)

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        first = self.plan.before[0][0].operands[self.plan.before[0][1]] if self.plan.before else self.used
        return self.count * max(first.size, self.used.size) * self.used.dtype.itemsize

    @property
    def used(self) -> Node:
        """The record that is used: the parameter, or what was made of it alone."""
        plan = self.plan
        used: Node = plan.node if plan.operand < 0 else plan.node.operands[plan.operand]
        return used

    def array(self, upstream: Any) -> Any:
        """The contributions to the parameter, along the kept axes, for the gradient of the result."""
        plan = self.plan
        if plan.operand < 0:
            array = np.array(upstream)
        elif plan.is_kernel:
            array = self.of_kernel(upstream)
        elif _broadcasts(plan.node):
            array = self._of_broadcast(upstream)
        else:
            array = self.one_by_one(upstream)
        for node, i in reversed(plan.before):
            call = Call(node, i)
            pulled = np.empty((*self.lengths, *call.operand.shape), call.operand.dtype)
            for place in np.ndindex(*self.lengths):
                pulled[place] = call.pull(array[place])
            array = pulled
        return array

    def one_by_one(self, upstream: Any) -> Any:
        """By the definition: the rule, run once for each position on a gradient that is zero elsewhere."""
        call = Call(self.plan.node, self.plan.operand)
        array = np.empty((*self.lengths, *self.used.shape), self.used.dtype)
        taken = np.arange(upstream.shape[0]) if self.images is None and upstream.ndim else self.images
        alone = np.zeros_like(upstream)
        for place in np.ndindex(*self.lengths):
            index: list[Any] = [slice(None)] * upstream.ndim
            if self.images is not None:
                index[0] = taken
            for axis, k in zip(self.axes, place, strict=True):
                index[axis] = k if axis or taken is None else taken[k]
            at = tuple(index)
            alone[at] = upstream[at]
            array[place] = call.pull(alone)
            alone[at] = 0
        return array

    def of_kernel(self, upstream: Any, windows: Any = None) -> Any:
        """The rule of the window product in the kernel, every position a group of its own: one call."""
        node = self.plan.node
        w = value_of(self.plan.tape, node.operands[0]) if windows is None else windows
        if self.images is not None:
            w, upstream = w[self.images], upstream[self.images]
        g, weight, groups = upstream, node.operands[1], node.kwargs.get("groups", 1)
        grouped = self.count * groups
        call = Call(
            node, 1, [_to_groups(w, self.axes), leaf(weight, (self.count * weight.shape[0], *weight.shape[1:]))],
            kwargs={"groups": grouped},
        )  # fmt: skip
        if not self.count:
            return np.zeros((*self.lengths, *weight.shape), weight.dtype)
        return call.pull(_to_groups(g, self.axes)).reshape(*self.lengths, *weight.shape)

    def _of_broadcast(self, upstream: Any) -> Any:
        """The rule for an operand that was broadcast before: its gradient is not summed."""
        node, i = self.plan.node, self.plan.operand
        given: list[Any] = list(node.operands)
        used = given[i]
        stretched = None if used.kept is None else np.broadcast_to(used.kept, node.shape)
        given[i] = leaf(used, node.shape, stretched)
        array = Call(node, i, given, out=node.kept).pull(upstream)
        if self.images is not None:
            array = array[self.images]
        summed = tuple(a for a in self.plan.axes if a not in self.axes)
        rest = [a for a in range(node.ndim) if a not in self.plan.axes]
        array = np.transpose(array, (*self.axes, *summed, *rest))
        array = array.sum(axis=tuple(range(len(self.axes), len(self.axes) + len(summed))), dtype=used.dtype)
        return np.reshape(array, (*self.lengths, *used.shape))


def _to_groups(x: Any, kept: Sequence[int]) -> Any:
    """An array of shape (N, C, H, W, ...) with the axes `kept`, of N, H and W, moved into that of the channels."""
    shape = [1 if a in kept else n for a, n in enumerate(x.shape)]
    shape[1] = x.shape[1] * math.prod(x.shape[a] for a in kept)
    order = [a for a in (0,) if a not in kept] + [*kept, 1] + [a for a in range(2, x.ndim) if a not in kept]
    return x.transpose(order).reshape(shape)


def value_of(tape: Tape, operand: Any) -> Any:
    """The array of an operand."""
    return tape.value(operand) if isinstance(operand, Node) else operand
