"""Lengths, and distances and angles between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules.elementwise import some

from ..errors import ShapeMismatch, floating
from .activations import axis_of

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def normalize(input: Any, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12) -> Any:
    """Each vector along the axis `dim` divided by its length ‖x‖ₚ, or by `eps` where that is larger.

    Parameters
    ----------
    input : Tensor or array
    p : float, optional
        The order of the norm.
    dim : int or tuple of int, optional
    eps : float, optional

    Examples
    --------
    >>> from nn import functional as F
    >>> F.normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    input = floating(input, "normalize")
    dims = tuple(axis_of(input, d, "normalize") for d in (dim if isinstance(dim, tuple) else (dim,)))
    length = np.linalg.vector_norm(input, axis=dims, keepdims=True, ord=p)
    return input / np.clip(length, eps, None)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along the axis `dim`, x₁·x₂ / (‖x₁‖ ‖x₂‖).

    Parameters
    ----------
    x1, x2 : Tensors or arrays whose shapes broadcast
    dim : int, optional
    eps : float, optional
        What shorter lengths are raised to.

    Returns
    -------
    Tensor or array of the broadcast shape without the axis `dim`

    Examples
    --------
    >>> from nn import functional as F
    >>> F.cosine_similarity([[1.0, 0.0]], [[3.0, 4.0]])
    array([0.6])
    """
    x1, x2 = _together(x1, x2, "cosine_similarity")
    if x1.shape != x2.shape:
        x1, x2 = np.broadcast_arrays(x1, x2)
    dim = axis_of(x1, dim, "cosine_similarity")
    return (_unit(x1, dim, eps) * _unit(x2, dim, eps)).sum(axis=dim)


def _unit(x: Any, dim: int, eps: float) -> Any:
    length = np.linalg.vector_norm(x, axis=dim, keepdims=True)
    numbers = numbers_of(length)
    if some(numbers < eps):
        length = length + np.maximum(x.dtype.type(eps) - numbers, 0)
    return x / length


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """‖x₁ − x₂ + ε‖ₚ along the last axis.

    Parameters
    ----------
    x1, x2 : Tensors or arrays of shape (N, D) or (D,), or others that broadcast
    p : float, optional
        The order of the norm.
    eps : float, optional
        Added to each difference.
    keepdim : bool, optional
        Keep the last axis, with length 1.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.pairwise_distance([[0.0, 0.0]], [[3.0, 4.0]]).round(4)
    array([5.])
    """
    x1, x2 = _together(x1, x2, "pairwise_distance")
    difference = x1 - x2
    axis_of(difference, -1, "pairwise_distance")
    return np.linalg.vector_norm(difference + eps, axis=-1, keepdims=keepdim, ord=p)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The distances ‖xᵢ − xⱼ‖ₚ of all pairs i < j of rows.

    Parameters
    ----------
    input : Tensor or array of shape (N, D)
    p : float of at least 0, optional
        The order of the norm.

    Returns
    -------
    Tensor or array of shape (N (N − 1) / 2,)

    Examples
    --------
    >>> from nn import functional as F
    >>> F.pdist([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])
    array([5., 3., 4.])
    """
    input = floating(input, "pdist")
    if input.ndim != 2:
        raise ShapeMismatch(f"pdist: rows of shape (N, D) are needed, got shape {input.shape}")
    if p < 0:
        raise ValueError(f"pdist: p must be at least 0, got {p!r}")
    i, j = np.triu_indices(input.shape[0], 1)
    if p == 0:  # a count, whose derivative is 0
        return np.sum(np.where(input[i] == input[j], 0 * input[i], 1.0), axis=-1)
    return np.linalg.vector_norm(input[i] - input[j], axis=-1, ord=p)


def _together(x1: Any, x2: Any, what: str) -> tuple[Any, Any]:
    x1, x2 = floating(x1, f"{what}: x1"), floating(x2, f"{what}: x2")
    try:
        np.broadcast_shapes(x1.shape, x2.shape)
    except ValueError:
        raise ShapeMismatch(f"{what}: shapes {x1.shape} of x1 and {x2.shape} of x2 do not fit each other") from None
    return x1, x2
