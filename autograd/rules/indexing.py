"""Rules of functions that pick elements, and of their adjoints, which put them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import defvjp, pure


class Scattered:
    """A gradient that is zero but at an index: what picking elements sends back, before it is spread out.

    Adding it to a sum touches only the picked elements, so that ``sum(x[i] for i in range(n))`` stays linear in n.
    """

    __slots__ = ("dtype", "g", "index", "shape")

    def __init__(self, g: Any, index: Any, shape: tuple[int, ...]):
        self.g = g
        self.index = index
        self.shape = shape
        self.dtype = g.dtype

    def astype(self, dtype: np.dtype[Any]) -> Scattered:
        return Scattered(self.g.astype(dtype), self.index, self.shape)

    def add_into(self, total: Any) -> None:
        """Add it into the array `total`, repeated picks as often as they occur."""
        parts = self.index if isinstance(self.index, tuple) else (self.index,)
        if any(isinstance(p, (np.ndarray, list)) and np.asarray(p).dtype != bool for p in parts):
            np.add.at(total, self.index, self.g)
        else:
            total[self.index] += self.g

    def dense(self) -> Any:
        """The whole array."""
        total = np.zeros(self.shape, self.dtype)
        self.add_into(total)
        return total


def _scattered(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """What picking sends back: spread out only when it is summed, unless it is to be recorded."""
    if isinstance(g, (np.ndarray, np.generic)) and g.dtype.kind == "f":
        return Scattered(g, index, shape)
    return scatter(g, index=index, shape=shape)


@pure
def getitem(x: Any, index: Any) -> Any:
    """``x[index]``: basic, integer and boolean indices."""
    return x[index]


@pure
def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with `x` added at `index`, repeated places as often as they occur: what undoes ``y[index]``."""
    return Scattered(x, index, shape).dense()


defvjp(getitem, lambda g, out, x, index: _scattered(g, index, x.shape))
defvjp(scatter, lambda g, out, x, index, shape: g[index])


@pure
def set_at(x: Any, index: Any, value: Any) -> Any:
    """A copy of `x` in which the elements at `index` are `value`: what ``x[index] = value`` would have made of it."""
    out = np.array(x)
    out[index] = value
    return out
