"""Rules of the norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import composite, defvjp, pure
from .elementwise import direction, is_complex, over
from .reductions import rescaled, spread


def squares(x: Any) -> Any:
    """|x|², element by element."""
    return np.square(np.real(x)) + np.square(np.imag(x)) if is_complex(x) else x * x


@pure
def norm(x: Any, p: float = 2, axis: Any = None, keepdims: bool = False) -> Any:
    """(Σ |x|ᵖ)^(1/p) along `axis`, one or several; right also where the powers over- or underflow."""
    if p == 2:
        return rescaled(lambda x: np.sqrt(np.sum(squares(x), axis=axis, keepdims=keepdims)), x, axis)
    return rescaled(lambda x: np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p), x, axis, p)


def _norm_rule(g: Any, out: Any, x: Any, p: float = 2, axis: Any = None, keepdims: bool = False) -> Any:
    """x/‖x‖, 0 for the zero vector; for other p, x/|x| (|x|/‖x‖)ᵖ⁻¹."""
    share = over(x, spread(out, x.shape, axis, keepdims))
    if p < 1:  # an element of 0, where the slope is infinite to both sides, is flat, as |x| is there
        zero = share == 0
        share = direction(x) * ~zero * np.abs(np.where(zero, 1.0, share)) ** (p - 1)
    elif p != 2:
        share = direction(x) * np.abs(share) ** (p - 1)
    return spread(g, x.shape, axis, keepdims) * share


defvjp(norm, _norm_rule)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if axis is None and ord is None:
        return norm(x, axis=None, keepdims=keepdims)
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    np.lib.array_utils.normalize_axis_tuple(axes, x.ndim)  # refuses what is no axis
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"np.linalg.norm: a norm of order {ord!r} needs 1 or 2 axes, got {len(axes)}")
    if ord in (None, "fro", "f"):
        return norm(x, axis=axes, keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        values = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        out = (np.sum if ord == "nuc" else np.max if ord > 0 else np.min)(values, axis=-1)
        return np.expand_dims(out, tuple(a % x.ndim for a in axes)) if keepdims else out
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError(f"np.linalg.norm: a norm of order {ord!r} is none of matrices")
    summed, kept = axes if abs(ord) == 1 else axes[::-1]
    sums = np.sum(np.abs(x), axis=summed, keepdims=True)
    out = (np.max if ord > 0 else np.min)(sums, axis=kept, keepdims=True)
    return out if keepdims else np.squeeze(out, axis=axes)


def _vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ValueError(f"np.linalg.norm: ord={ord!r} is of matrices, not of vectors")
    if ord == np.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return (x.detach() != 0).astype(np.real(x.data).dtype).sum(axis=axis, keepdims=keepdims)
    return norm(x, p=2 if ord is None else ord, axis=axis, keepdims=keepdims)


composite(np.linalg.norm, _norm)
