"""Rules of functions that rearrange, repeat, join or drop elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import defvjp, defvjp_variadic, pure


@pure
def sum_to_shape(x: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum `x` over the axes that broadcasting to its shape from `shape` added or stretched."""
    added = x.ndim - len(shape)
    stretched = tuple(i + added for i, n in enumerate(shape) if n == 1 and x.shape[i + added] != 1)
    if added < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[added:], strict=True)):
        raise ValueError(f"a gradient of shape {x.shape} does not fit an operand of shape {shape}")
    axes = (*range(added), *stretched)
    x = x.sum(axis=axes) if axes else x
    return x.reshape(shape)


defvjp(sum_to_shape, lambda g, out, x, shape: np.broadcast_to(g, x.shape))
defvjp(np.broadcast_to, lambda g, out, x, shape, **_: g)
defvjp(np.reshape, lambda g, out, x, **_: g.reshape(x.shape))
defvjp(np.transpose, lambda g, out, x, axes=None: np.transpose(g, None if axes is None else tuple(np.argsort(axes))))


@pure
def astype(x: Any, dtype: Any) -> Any:
    """`x` in another dtype."""
    return x.astype(dtype)


defvjp(astype, lambda g, out, x, dtype: g)
