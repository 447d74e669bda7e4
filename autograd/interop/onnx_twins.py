"""Records beside those that stand in their place where a model was run on other numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd import Node

from .converted import UnknownOperation

__all__ = ["Differs", "Twins", "Writer", "axes_input", "unwritten"]

Writer = Callable[[Any, Any], str]


class Differs(Exception):
    """Something that is to be written is another one for other inputs: says what."""


def unwritten(node: Node, what: str) -> UnknownOperation:
    """The error about a use of an operation that ONNX has nothing for."""
    source = node.source
    return UnknownOperation(f"to_onnx: there is no row for {what}" + (f" ({source}: {source.text})" if source else ""))


class Twins(NamedTuple):
    """A record, and the one that stands in its place where the model was run on other numbers."""

    node: Node
    twin: Node
    asked: set[Any]  # the options, and the numbers of the operands, that a row has looked at

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the call, which must be the same in both runs."""
        self.asked.add(name)
        a, b = (n.kwargs.get(name, default) for n in self[:2])
        if not _same(a, b):
            raise Differs(f"{name}={a!r:.40} of {self.node.op} ({self.node.source})")
        return a

    def parents(self, i: int) -> Twins:
        """Those of an operand."""
        self.asked.add(i)
        return Twins(self.node.operands[i], self.twin.operands[i], set())

    @property
    def ndim(self) -> int:
        """Of the first operand."""
        first = self.node.operands[0]
        return first.ndim if isinstance(first, Node) else int(np.ndim(first))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.shape(a) == np.shape(b) and np.array_equal(a, b)
    return bool(a == b)


def axes_input(file: Any, at: Twins, ndim: int) -> list[str]:
    """The axes of a call as an input of a node; none where it is over all of them."""
    axis = at.option("axis")
    if axis is None:
        return []
    return [file.ints(*(int(a) % ndim for a in (axis if isinstance(axis, tuple) else (axis,))))]
