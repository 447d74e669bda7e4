"""ONNX's Resize: along each axis a matrix, or places to take, from where the new elements lie among the old ones.

https://onnx.ai/onnx/operators/onnx__Resize.html has the formulas.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np

from .calls import integer

__all__ = ["resize", "upsample"]

_NEAREST: dict[str, Any] = {
    "round_prefer_floor": lambda at: np.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: np.floor(at + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def resize(
    x: Any,
    roi: Any = None,
    scales: Any = None,
    sizes: Any = None,
    *,
    mode: str = "nearest",
    coordinate_transformation_mode: str = "half_pixel",
    nearest_mode: str = "round_prefer_floor",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    antialias: int = 0,
    axes: Any = None,
    keep_aspect_ratio_policy: str = "stretch",
) -> Any:
    """The tensor with other lengths of axes, of elements between the old ones."""
    over = [a % x.ndim for a in axes] if axes is not None else list(range(x.ndim))
    before = [x.shape[a] for a in over]
    if scales is not None and np.size(integer(scales)):
        factors = [float(s) for s in integer(scales)]
        after = [floor(n * s) for n, s in zip(before, factors, strict=True)]
    else:
        after = [int(n) for n in integer(sizes)]
        factors = [m / n for m, n in zip(after, before, strict=True)]
        if keep_aspect_ratio_policy != "stretch":
            one = min(factors) if keep_aspect_ratio_policy == "not_larger" else max(factors)
            after, factors = [floor(n * one + 0.5) for n in before], [one] * len(over)
    cut = coordinate_transformation_mode == "tf_crop_and_resize"
    parts = np.asarray(integer(roi), float).reshape(2, -1) if cut else np.zeros((2, len(over)))
    for axis, n, m, scale, start, end in zip(over, before, after, factors, *parts, strict=True):
        if m == n and scale == 1 and not cut:
            continue
        at = _places(coordinate_transformation_mode, n, m, scale, start, end)
        if mode == "nearest":
            out = np.take(x, np.clip(_NEAREST[nearest_mode](at), 0, n - 1).astype(int), axis=axis)
        else:
            narrowed = min(scale, 1.0) if antialias else 1.0
            weights = _weights(at, n, mode, cubic_coeff_a, narrowed, bool(exclude_outside)).astype(x.dtype)
            out = np.moveaxis(np.tensordot(x, weights, (axis, 1)), -1, axis)
        if cut:
            beyond = ((at < 0) | (at > n - 1)).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
            out = np.where(beyond, np.array(extrapolation_value, x.dtype), out)
        x = out
    return x


def upsample(x: Any, scales: Any = None, **options: Any) -> Any:
    """What Resize was called before, with the places of TensorFlow's first version."""
    scales = options.pop("scales", None) if scales is None else scales
    return resize(x, None, scales, coordinate_transformation_mode="asymmetric", nearest_mode="floor", **options)


def _places(kind: str, n: int, m: int, scale: float, start: float, end: float) -> Any:
    """Where the new elements lie, in numbers of the old ones."""
    new = np.arange(m)
    if kind == "align_corners":
        return new * (n - 1) / (scale * n - 1) if scale * n > 1 else np.zeros(m)
    if kind == "asymmetric":
        return new / scale
    if kind == "tf_crop_and_resize":
        inside = new * (end - start) * (n - 1) / (m - 1) if m > 1 else 0.0
        return start * (n - 1) + inside if m > 1 else np.full(m, 0.5 * (start + end) * (n - 1))
    if kind == "pytorch_half_pixel" and m == 1:
        return np.full(m, -0.5)
    shift = n / 2 * (1 - m / (n * scale)) if kind == "half_pixel_symmetric" else 0.0
    return shift + (new + 0.5) / scale - 0.5


def _weights(at: Any, n: int, mode: str, a: float, narrowed: float, exclude: bool) -> Any:
    """How much of each old element is in each new one: rows that add up to 1."""
    reach = 1 if mode == "linear" else 2
    wide = ceil(reach / narrowed)
    near = np.floor(at)[:, None] + np.arange(1 - wide, wide + 1)
    t = np.abs(at[:, None] - near) * narrowed
    if mode == "linear":
        shares = np.maximum(1 - t, 0)
    else:
        inner, outer = ((a + 2) * t - (a + 3)) * t**2 + 1, ((t - 5) * t + 8) * t * a - 4 * a
        shares = np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))
    if exclude:
        shares = np.where((near < 0) | (near >= n), 0.0, shares)
    shares = shares / shares.sum(axis=1, keepdims=True)
    weights = np.zeros((len(at), n))
    np.add.at(weights, (np.arange(len(at))[:, None], np.clip(near, 0, n - 1).astype(int)), shares)
    return weights
