"""One derivative rule of one recorded call, run alone: for any gradient of the result, and for other operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Node, sweep

__all__ = ["Call", "copied", "leaf"]


class Call:
    """A recorded call of which one operand alone is differentiated: what the sweep does there, for any gradient.

    Parameters
    ----------
    node : Node
    operand : int
        Its position.
    operands : sequence of Node or constant, optional
        Other operands instead, of which that one is a record.
    shape : tuple of int, optional
        Of the result of these.
    out : array, optional
        The result of these, where the rule reads it.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> from viz.tape.calls import Call
    >>> x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    >>> Call((x * y).node, 0).pull(np.array([1.0, 0.0]))
    array([3., 0.])
    """

    __slots__ = ("operand", "record")

    def __init__(
        self,
        node: Node,
        operand: int,
        operands: Sequence[Any] | None = None,
        *,
        kwargs: dict[str, Any] | None = None,
        shape: tuple[int, ...] | None = None,
        out: Any = None,
    ):
        given = node.operands if operands is None else operands
        args = tuple(_as_leaf(a, i == operand) if isinstance(a, Node) else a for i, a in enumerate(given))
        self.operand: Node = args[operand]
        self.record = copied(node)
        self.record.args = args
        self.record.needs_grad = True
        if kwargs is not None:
            self.record.kwargs = kwargs
        if operands is not None:
            self.record.kept = out
        if shape is not None:
            self.record.shape = shape

    def pull(self, g: Any) -> Any:
        """The gradient of the operand where that of the result is `g`; may share memory with `g`."""
        with np.errstate(all="ignore"):
            step = next(sweep(self.record, g if g.shape else g[()]))
        return step.contributions[0].grad


def leaf(like: Node, shape: tuple[int, ...], value: Any = None) -> Node:
    """A record of that shape that nothing made."""
    fresh = _as_leaf(like, True)
    fresh.shape, fresh.kept = shape, value
    return fresh


def _as_leaf(node: Node, needs_grad: bool) -> Node:
    fresh = copied(node)
    fresh.args = None
    fresh.needs_grad = needs_grad
    return fresh


def copied(node: Node) -> Node:
    """A record like another one, that no Tensor holds."""
    fresh = Node()
    fresh.rule, fresh.args, fresh.kwargs, fresh.kept = node.rule, node.args, node.kwargs, node.kept
    fresh.shape, fresh.dtype, fresh.seq, fresh.needs_grad = node.shape, node.dtype, node.seq, node.needs_grad
    fresh.scope, fresh.name, fresh.code, fresh.byte = node.scope, node.name, node.code, node.byte
    fresh.holder = None
    return fresh
