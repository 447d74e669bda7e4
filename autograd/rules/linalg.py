"""Rules of products of vectors, matrices and stacks of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import defvjp


def _matmul_x(g: Any, x_ndim: int, y: Any) -> Any:
    if y.ndim == 1:
        return np.expand_dims(g, -1) * y if x_ndim > 1 else g * y
    if x_ndim == 1:
        return np.matmul(y, np.expand_dims(g, -1))[..., 0]
    return np.matmul(g, np.swapaxes(y, -1, -2))


def _matmul_y(g: Any, x: Any, y_ndim: int) -> Any:
    if x.ndim == 1:
        return np.expand_dims(x, -1) * np.expand_dims(g, -2) if y_ndim > 1 else g * x
    if y_ndim == 1:
        return np.matmul(np.swapaxes(x, -1, -2), np.expand_dims(g, -1))[..., 0]
    return np.matmul(np.swapaxes(x, -1, -2), g)


defvjp(np.matmul, lambda g, out, x, y: _matmul_x(g, x.ndim, y), lambda g, out, x, y: _matmul_y(g, x, y.ndim))
