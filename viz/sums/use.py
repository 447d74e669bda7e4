"""One use of a parameter with its contributions, and one element of the parameter with what is added up there."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Node
from autograd.operands import as_array

from ..plain.numbers import counted, numeral
from ..tape.calls import leaf
from ..tape.run import Run
from .occurrences import Occurrence, Terms, value_of

_ARRANGED = ("windows", "pad")
__all__ = ["Element", "Use", "counted", "element_index", "times"]


@dataclass(frozen=True, eq=False)
class Element:
    """One element of a parameter, and what is added up to its gradient.

    Attributes
    ----------
    index : tuple of int
        Its place in the parameter.
    name : str
        ``∂L/∂g⁽¹⁾[0, 0, 1, 2]``.
    map : array
        The contributions, along the axes that were kept apart; the cell's own (N, H_out, W_out) of a kernel.
    gradient : float
        What they add up to, as the engine computed it.
    input, delta : array of the shape of `map`, or None
        For a cell of a kernel: the input that it meets at each position, and the upstream gradient there; `map` is
        their product.
    """

    index: tuple[int, ...]
    name: str
    map: Any
    gradient: float
    input: Any = None
    delta: Any = None

    @property
    def running(self) -> Any:
        """The running sum over the contributions, in the order of `map`."""
        return np.cumsum(self.map.ravel())

    @property
    def sum(self) -> float:
        """All of them."""
        return float(self.map.sum())

    def __str__(self) -> str:
        return f"{self.name} = {numeral(self.sum)}, the sum of {counted(self.map.size, 'contribution')}"


class Use:
    """One operation that a parameter is an operand of, and what it contributes.

    Attributes
    ----------
    node : Node
        The operation.
    operand : int
        Which of its operands the parameter is; −1 for the loss itself.
    axes : tuple of int
        The axes of its result that are kept apart.
    array : array
        The contributions: along these axes, each of the parameter's shape. Read-only.
    delta : array
        The gradient of the result.
    images : array of int or None
        Which indices of the first axis were asked for.
    """

    def __init__(self, chosen: Terms, run: Run):
        self._chosen = chosen
        self._run = run
        plan = chosen.plan
        self.node = plan.node
        self.operand = plan.operand
        self.axes = chosen.axes
        self.images = chosen.images
        self.delta = run.gradients[plan.node]
        self.array = as_array(chosen.array(self.delta))

    @property
    def count(self) -> int:
        """How many contributions there are."""
        return self._chosen.count

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of the axes that are kept apart."""
        return self._chosen.lengths

    @property
    def is_kernel(self) -> bool:
        """Whether the parameter is a kernel here, which slides over images."""
        return self._chosen.plan.is_kernel

    def along(self) -> str:
        """What there is one contribution for each of, in words."""
        if not self.axes:
            return "used as a whole, once"
        if self.is_kernel:
            parts = []
            if 0 in self.axes:
                parts.append(counted(self.lengths[0], "image"))
            if 2 in self.axes:
                parts.append(f"{self.lengths[-2]}×{self.lengths[-1]} positions")
            return " × ".join(parts)
        axes = ", ".join(map(str, self.axes))
        return f"one for each index of {'axis' if len(self.axes) == 1 else 'axes'} {axes} ({times(self.lengths)})"

    def __str__(self) -> str:
        names, node = self._run.names, self.node
        if node.is_leaf:
            return f"{names.of(node)}: {self.along()}"
        return f"{names.of(node)} = {names.expression(node)}: {self.along()}"

    def cell(self, i: int, j: int, out_channel: int, in_channel: int) -> Element:
        """See `Contributions.cell`."""
        plan = self._chosen.plan
        weight = self._chosen.used
        index = element_index((out_channel, in_channel, i, j), weight.shape, self._run.names.of(weight))
        out_channel, in_channel, i, j = index
        groups = self.node.kwargs.get("groups", 1)
        channel = out_channel // (weight.shape[0] // groups) * weight.shape[1] + in_channel
        taken = slice(None) if self.images is None else self.images
        windows = value_of(self._run.tape, self.node.operands[0])[taken, channel, :, :, i, j]
        delta = self.delta[taken, out_channel]
        one = Terms(Occurrence(self._run.tape, _single(self.node, weight), 1, plan.axes, ()), None, None)
        one.lengths = delta.shape
        found = one.of_kernel(delta[:, None], windows[:, None, :, :, None, None]).reshape(delta.shape)
        gradient = float(found.sum() if self.images is not None else self._run.gradients[weight][index])
        name = f"{self._run.names.gradient(weight)}{list(index)}"
        return Element(index, name, as_array(found), gradient, as_array(windows), as_array(delta))

    def image(self, channel: int) -> tuple[Any, Node | None]:
        """What the windows are seen in, of one channel: (N, H, W), padding included; the windows' record. Or None."""
        seen = self.node.operands[0]
        if not isinstance(seen, Node) or seen.op != "windows":
            return None, None
        images = value_of(self._run.tape, seen.operands[0])
        taken = slice(None) if self.images is None else self.images
        return images[taken, channel], seen

    def input_name(self) -> str:
        """What the kernel slides over: its name, if it or what it was padded from has one."""
        node = self.node.operands[0]
        while (
            isinstance(node, Node)
            and not self._run.names.has(node)
            and len(node.parents) == 1
            and node.op in ("windows", "pad")
        ):
            node = node.parents[0]
        return self._run.names.of(node) if isinstance(node, Node) and self._run.names.has(node) else "input"

    def delta_name(self) -> str:
        """What the gradient of the result is called: by the next name, where only a bias is added before it."""
        node = self.node
        while not self._run.names.has(node) and node is not self._run.tape.root:
            users = [user for user in self._run.tape if any(a is node for a in user.operands)]
            if len(users) != 1 or not _same(self._run.gradients.get(users[0]), self.delta):
                return self._run.names.gradient(self.node)
            node = users[0]
        return self._run.names.gradient(node)


def _same(a: Any, b: Any) -> bool:
    return a is not None and np.array_equal(a, b)


def _single(node: Node, weight: Node) -> Node:
    """A window product like `node`, of a kernel of one cell."""
    one = leaf(node, node.shape)
    one.args = (None, leaf(weight, (1, 1, 1, 1)))
    one.kwargs = {}
    return one


def element_index(index: Sequence[int], shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    """The place of an element in an array, counted from the start."""
    try:
        at = tuple(operator.index(k) for k in index)
    except TypeError:
        raise TypeError(f"{name}: an element is chosen by integers, got {index!r}") from None
    if len(at) != len(shape) or any(not -n <= k < n for k, n in zip(at, shape, strict=True)):
        raise IndexError(f"{name} of shape {shape} has no element {list(at)}")
    return tuple(k % n for k, n in zip(at, shape, strict=True))


def times(lengths: Sequence[int]) -> str:
    """``24 × 24``."""
    return " × ".join(map(str, lengths))
