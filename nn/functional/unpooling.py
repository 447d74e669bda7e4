"""Max pooling undone: each maximum put back where it was, by one look-up, and 0 elsewhere."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.nests import numbers_of

from ..errors import DtypeMismatch, ShapeMismatch, floating
from .windows import Sizes, as_batch, sizes

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Any:
    """Sequences in which each maximum is where `max_pool1d` found it: `max_unpool2d` along one axis.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> values, places = F.max_pool1d(np.array([[1.0, 2.0, 4.0, 3.0]]), 2, return_indices=True)
    >>> F.max_unpool1d(values, places, 2)
    array([[0., 2., 4., 0.]])
    """
    return _unpooled(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Any:
    """Images in which each maximum is where `max_pool2d` found it, and 0 is elsewhere.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, H, W) or (C, H, W)
    indices : integer array of the same shape
        The places, as ``max_pool2d(…, return_indices=True)`` gives them: numbers of elements of a channel.
    kernel_size, stride, padding : int or pair of int
        Those of the pooling.
    output_size : tuple of int, optional
        The size of the images, where several are pooled to that of `input`; (n − 1)·stride − 2·padding + kernel_size
        along each axis unless told, and less than a stride from it.

    Returns
    -------
    Tensor or array of shape (N, C, *output_size)

    Notes
    -----
    Where two windows share a maximum, the last of them gives the value and has the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.max_unpool2d(np.array([[[7.0]]]), np.array([[[2]]]), 2)
    array([[[0., 0.],
            [7., 0.]]])
    """
    return _unpooled(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Any:
    """Volumes in which each maximum is where `max_pool3d` found it: `max_unpool2d` along three axes.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.max_unpool3d(np.array([[[[7.0]]]]), np.array([[[[2]]]]), (1, 2, 2))
    array([[[[0., 0.],
             [7., 0.]]]])
    """
    return _unpooled(3, input, indices, kernel_size, stride, padding, output_size)


def _unpooled(
    axes: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    what = f"max_unpool{axes}d"
    input, places = floating(input, what), np.asarray(numbers_of(indices))
    if places.dtype.kind not in "iu":
        raise DtypeMismatch(f"{what}: indices must be integers, got dtype {places.dtype}")
    if places.shape != input.shape:
        raise ShapeMismatch(f"{what}: indices must have the shape of the input, {input.shape}, got {places.shape}")
    x, batched = as_batch(input, axes, what)
    size = _size(x.shape[2:], kernel_size, stride, padding, output_size, what)
    bad = (places < 0) | (places >= prod(size))
    if bad.any():
        raise ValueError(
            f"{what}: indices must be from 0 to {prod(size) - 1} for images of {size}, got {places[bad][0]}"
        )
    channels, flat = x.shape[0] * x.shape[1], x.reshape(-1)
    # from which element of the input each element of the output is; −1: from none
    source = np.full((channels, prod(size)), -1)
    rows = np.arange(channels).repeat(prod(x.shape[2:]))
    source[rows, places.reshape(-1)] = np.arange(places.size)
    if not places.size:
        flat = np.concatenate([flat, np.zeros(1, flat.dtype)])
    out = np.where(source < 0, 0, flat[np.maximum(source, 0)]).reshape((*x.shape[:2], *size))
    return out if batched else out.reshape(out.shape[1:])


def _size(before: Any, kernel_size: Any, stride: Any, padding: Any, asked: Any, what: str) -> tuple[int, ...]:
    axes = len(before)
    k, p = sizes(kernel_size, "kernel_size", axes), sizes(padding, "padding", axes, least=0)
    s = k if stride is None else sizes(stride, "stride", axes)
    usual = tuple((n - 1) * ss - 2 * pp + kk for n, kk, ss, pp in zip(before, k, s, p, strict=True))
    if asked is None:
        return usual
    given = tuple(int(n) for n in asked)[-axes:]
    if len(given) != axes or any(abs(n - u) >= ss for n, u, ss in zip(given, usual, s, strict=True)):
        raise ValueError(f"{what}: output_size must be less than a stride {s} from {usual}, got {tuple(asked)}")
    return given
