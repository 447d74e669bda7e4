"""Records beside those that stand in their place where a model was run on other numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd import Node

from .torch_graphs import UnknownOperation

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

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the call, which must be the same in both runs."""
        a, b = (n.kwargs.get(name, default) for n in self)
        if not _same(a, b):
            raise Differs(f"{name}={a!r:.40} of {self.node.op} ({self.node.source})")
        return a

    def lengths(self, name: str) -> list[int | None]:
        """A shape; None for lengths that are others in the other run."""
        a, b = (n.kwargs[name] if name in n.kwargs else n.operands[1] for n in self)
        a, b = (tuple(v) if np.iterable(v) else (v,) for v in (a, b))
        return [int(m) if m == n else None for m, n in zip(a, b, strict=True)]

    def parents(self, i: int) -> Twins:
        """Those of an operand."""
        return Twins(self.node.operands[i], self.twin.operands[i])

    @property
    def ndim(self) -> int:
        """Of the first operand."""
        return int(np.ndim(self.node.operands[0])) if not isinstance(self.node.operands[0], Node) else len(
            self.node.operands[0].shape)  # fmt: skip


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.shape(a) == np.shape(b) and np.array_equal(a, b)
    return bool(a == b)


def axes_input(file: Any, at: Twins, ndim: int) -> list[str]:
    axis = at.option("axis")
    if axis is None:
        return []
    return [file.ints(*(int(a) % ndim for a in (axis if isinstance(axis, tuple) else (axis,))))]
