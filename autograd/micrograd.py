"""micrograd's names: `Value`, a number on the tape, and what code that draws such numbers asks of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .node import Node
from .operands import as_array
from .tape import Tape
from .tensor import Tensor

__all__ = ["Seen", "Value"]


class Value(Tensor):
    """A number that requires a gradient: a `Tensor`, of floating-point numbers also where integers are given.

    Parameters
    ----------
    data : float or array_like
    _children, _op : optional
        Accepted for micrograd's sake: how it was made is on the tape.
    label : str, optional
        Its name.

    Examples
    --------
    >>> from autograd.micrograd import Value
    >>> a, b = Value(2), Value(-3.0, label="b")
    >>> c = (a * b + a**2).relu() + a
    >>> c.backward()
    >>> float(c.data), float(a.grad), b.label
    (2.0, 1.0, 'b')
    """

    __slots__ = ()

    def __init__(self, data: Any, _children: Any = (), _op: str = "", label: str | None = None):
        data = data if isinstance(data, Tensor) else np.asarray(data)
        super().__init__(data.astype(float) if data.dtype.kind in "iu" else data, name=label)

    @property
    def label(self) -> str | None:
        """Its name."""
        return self.name

    @label.setter
    def label(self, label: str | None) -> None:
        self.name = label


class Seen:
    """An operand as a drawing of a tape sees it: one object for each record, with its number, gradient and operands."""

    def __init__(self, node: Node, gradients: dict[Node, Any], others: dict[Node, Seen]):
        self.data, self._op, self.label = node.value, operation(node), node.name or ""
        self.grad = as_array(gradients.get(node, np.zeros(node.shape)))
        self._node, self._gradients, self._others = node, gradients, others

    @property
    def _prev(self) -> set[Seen]:
        for node in self._node.parents:
            if node not in self._others:
                self._others[node] = Seen(node, self._gradients, self._others)
        return {self._others[node] for node in self._node.parents}


def operation(node: Node) -> str:
    """What made a record; empty on leaves."""
    return "" if node.is_leaf else node.op


def operands_of(tensor: Any) -> set[Seen]:
    """The operands of a Tensor, with their gradients of it."""
    node = tensor.node
    return Seen(node, Tape(node).gradients() if node.needs_grad and node.size == 1 else {}, {})._prev
