"""The loss as a function of one value on its tape, for finite differences: everything after it is computed again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..node import Node
from ..tape import Tape
from .attempts import attempted
from .differences import Partials
from .rounding import wide

__all__ = ["Replay"]


class Replay:
    """A tape that can be computed again with another value somewhere on it.

    Parameters
    ----------
    tape : Tape
    grad : array, optional
        The gradient that the backward pass starts from; 1 for a scalar.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> from autograd.testing.replaying import Replay
    >>> x = Tensor([1.0, 3.0])
    >>> tape = Tape((x * x).sum())
    >>> round(Replay(tape).partials(x.node).at((1,)).value, 9)
    6.0
    """

    def __init__(self, tape: Tape, grad: Any = None):
        self.tape = tape
        self.grad = grad

    @cached_property
    def seed(self) -> Any:
        """The gradient that the backward pass starts from, checked."""
        return np.asarray(self.tape.seed(self.grad))

    @cached_property
    def drawn(self) -> Node | None:
        """An operation that does not give the same numbers again, as one that draws random numbers; None: none does."""
        return next((n for n in self.tape if n.rule.keeps_output and not self.is_repeatable(n)), None)

    def is_repeatable(self, node: Node) -> bool:
        """Whether an operation gives the same numbers again."""
        with attempted():
            again = node.rule.op(*map(self._value, node.operands), **node.kwargs)
            return np.array_equal(again, self.tape.value(node), equal_nan=True)
        return False

    def partials(self, node: Node) -> Partials:
        """The derivatives of the loss by the elements of a value, numerically; by the real and the imaginary parts of
        a complex one, one after the other along an axis of their own."""
        loss, value = self.loss(node), self.tape.value(node)
        if value.dtype.kind == "c":
            return Partials(lambda both: loss(both[0] + 1j * both[1]), np.stack((value.real, value.imag)))
        return Partials(loss, value, self.rounding(node))

    def loss(self, node: Node) -> Callable[[Any], Any]:
        """The loss as a function of the value of one record."""
        again = self._again(node)
        root = self.tape.value(self.tape.root)

        def computed(value: Any) -> Any:
            with attempted():
                return np.sum(again(value).get(self.tape.root, root) * self.seed)
            return np.float64(np.nan)  # it can't be computed there

        return computed

    def rounding(self, node: Node) -> float:
        """How far rounding may put the loss off as a function of the value of one record in float64.

        Each number on the way is off by a part of itself, and the loss by as much times its gradient.
        """
        values: dict[Node, Any] = {}
        with attempted():
            values = self._again(node)(wide(self.tape.value(node)))
        off = [0.0]
        for record, found in values.items():
            dtype = np.asarray(found).dtype
            if dtype.kind == "f":
                size, steep = self._weights.get(record, (0.0, 0.0))
                kind = np.finfo(dtype)
                off.append(0.5 * (float(kind.eps) * size + float(kind.smallest_subnormal) * steep))
        return max(off)

    @cached_property
    def _weights(self) -> dict[Node, tuple[float, float]]:
        """The size of the numbers of each record times their gradients, and of these, where that is finite."""
        found: dict[Node, tuple[float, float]] = {}
        with np.errstate(all="ignore"):
            for step in self.tape.steps(self.seed):
                value, grad = wide(self.tape.value(step.node)), wide(step.grad)
                sizes = (float(np.linalg.norm(part.ravel())) for part in (value * grad, grad))
                size, steep = (part if np.isfinite(part) else 0.0 for part in sizes)
                found[step.node] = size, steep
        return found

    def _again(self, node: Node) -> Callable[[Any], dict[Node, Any]]:
        """The values that change with that of a record, as a function of it."""
        later = self._after(node)
        changing = {node, *later}
        recorded = []
        for record in later:
            places = [i for i, a in enumerate(record.operands) if isinstance(a, Node) and a in changing]
            operands = [a if i in places else self._value(a) for i, a in enumerate(record.operands)]
            recorded.append((record, record.rule.op, operands, places, record.kwargs))

        def again(value: Any) -> dict[Node, Any]:
            values = {node: value}
            for record, op, operands, places, kwargs in recorded:
                args = operands.copy()
                for i in places:
                    args[i] = values[operands[i]]
                values[record] = op(*args, **kwargs)
            return values

        return again

    def _after(self, node: Node) -> list[Node]:
        """What depends on a record, oldest first."""
        reached, later = {node}, []
        for record in self.tape.nodes[self.tape.index(node) + 1 :]:
            if any(parent in reached for parent in record.parents):
                reached.add(record)
                later.append(record)
        return later

    def work(self, node: Node) -> int:
        """How many elements one evaluation of the loss computes; a small operation counts as 50."""
        return sum(record.size + 50 for record in self._after(node))

    def _value(self, operand: Any) -> Any:
        return self.tape.value(operand) if isinstance(operand, Node) else operand
