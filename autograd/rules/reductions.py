"""Rules of sums, products, extremes and running sums along axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import defvjp


def _spread(g: Any, shape: tuple[int, ...], axis: Any = None, keepdims: bool = False) -> Any:
    """The gradient of a reduction, with its axes put back: of a shape that broadcasts to the operand's."""
    if keepdims or not shape:
        return g
    if axis is None:
        return g.reshape((1,) * len(shape))
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return g.reshape(tuple(1 if i in axes else n for i, n in enumerate(shape)))


def _to(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    return np.broadcast_to(_spread(g, shape, axis, keepdims), shape)


defvjp(np.sum, lambda g, out, x, axis=None, keepdims=False, **_: _to(g, x.shape, axis, keepdims))
defvjp(
    np.mean,
    lambda g, out, x, axis=None, keepdims=False, **_: _to(g * (max(out.size, 1) / x.size), x.shape, axis, keepdims),
)


from ..registry import pure  # noqa: E402


@pure
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.log(np.sum(np.exp(x - top), axis=axis, keepdims=keepdims)) + top.reshape(np.sum(x, axis=axis, keepdims=keepdims).shape)
