"""Slopes of ufuncs that recorded sweeps share: recorded once, and multiplied by the gradient of each sweep.

A derivative of a derivative goes back through what the first sweep has recorded, and meets the same records again. If
each sweep recorded their slopes anew, the next one would have to go back through all of these.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .libraries import stretched
from .node import Node
from .tensor import Tensor, lift

__all__ = ["run"]

_SLOPES: WeakValueDictionary[tuple[int, int], Node] = WeakValueDictionary()
"""The records of slopes, by the record and the operand that they are of, for as long as a tape holds them."""


class _One(np.float64):
    """A gradient of one: a rule that multiplies by it gives the slope."""

    def __mul__(self, other: Any) -> Any:
        return other

    __rmul__ = __mul__


_ONE = _One(1.0)


def run(node: Node, i: int, g: Any, out: Any, operands: list[Any]) -> Any:
    """What the rule of a record sends to operand `i`, in a sweep that is recorded: a ufunc's by its slope."""
    rule = node.rule
    real = node.dtype.kind == "f" and isinstance(rule.fn, np.ufunc) and rule.fn.signature is None
    if rule.variadic is not None or not real or not rule.of_this_house:
        return rule.pull(g, out, i, *operands, **node.kwargs)
    vjp: Any = rule.vjps[i]
    number = None
    if g.__class__ is np.ndarray and g.size and not any(g.strides):
        number = g.flat[0]  # of which g consists
    kept = _SLOPES.get((node.seq, i))
    if kept is not None:
        found = lift(kept)
    else:
        found = vjp(_ONE, out, *operands)
        if isinstance(found, Tensor) and all(found.node is not own for own in (node, *node.operands)):
            kept = _SLOPES[node.seq, i] = found.node
            found.node.kept = found._data
    if number != 1:
        factor = g if number is None else number
        found = factor * found if kept is not None else vjp(factor, out, *operands)
        if number is None:
            return found
    if isinstance(found, float | int | np.generic):  # the gradient goes on to consist of one number
        return stretched(node.dtype.type(found), node.shape)
    return found if found.shape == node.shape else vjp(g, out, *operands)
