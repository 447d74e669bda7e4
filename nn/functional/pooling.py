"""Pooling of images, of traced primitives: its graph shows pad → windows → maximum or mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import windows as _windows

from ..errors import floating
from .windows import Pair, as_images, check_fits, pair

__all__ = ["avg_pool2d", "max_pool2d", "no_indices", "pooling_sizes"]


def max_pool2d(
    input: Any,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; the gradient goes to the first of equal ones.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, H, W), or (C, H, W)
    kernel_size : int or (int, int)
    stride : int or (int, int), optional
        `kernel_size` unless told: windows side by side.
    padding : int or (int, int), optional
        Rows and columns of −∞ around the image, at most half of `kernel_size`.
    dilation : int or (int, int), optional
    ceil_mode : bool, optional
        Whether a last window that sticks out of the image is taken too.
    return_indices : False, optional
        There are no indices to return.

    Returns
    -------
    Tensor or array of shape (N, C, OH, OW), or (C, OH, OW)

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.max_pool2d(Tensor(np.arange(16.0).reshape(1, 4, 4)), 2).data
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    no_indices(return_indices, "max_pool2d")
    input, batched = as_images(floating(input, "max_pool2d"), "max_pool2d")
    k, s, p, d = pooling_sizes(kernel_size, stride, padding, dilation, "max_pool2d")
    check_fits(input.shape, input.shape[2:], ((p[0], p[0]), (p[1], p[1])), k, d, "max_pool2d: the window")
    pads = _pool_padding(input.shape[2:], k, s, p, d, ceil_mode)
    x = _windows.zero_pad(input, padding=pads, value=-np.inf) if any(map(any, pads)) else input
    out = _windows.window_max(_windows.windows(x, kernel_size=k, stride=s, dilation=d))
    return out if batched else out.reshape(out.shape[1:])


def avg_pool2d(
    input: Any,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window.

    Parameters
    ----------
    input, kernel_size, stride, ceil_mode
        As for `max_pool2d`.
    padding : int or (int, int), optional
        Rows and columns of zeros around the image, at most half of `kernel_size`.
    count_include_pad : bool, optional
        Whether the zeros of `padding` count in the mean.
    divisor_override : int, optional
        Divide the sum by this instead of by the number of elements.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.avg_pool2d(Tensor(np.arange(16.0).reshape(1, 4, 4)), 2).data
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    input, batched = as_images(floating(input, "avg_pool2d"), "avg_pool2d")
    k, s, p, d = pooling_sizes(kernel_size, stride, padding, 1, "avg_pool2d")
    if divisor_override is not None and divisor_override < 1:
        raise ValueError(f"avg_pool2d: divisor_override must be at least 1, got {divisor_override}")
    size = input.shape[2:]
    check_fits(input.shape, size, ((p[0], p[0]), (p[1], p[1])), k, d, "avg_pool2d: the window")
    pads = _pool_padding(size, k, s, p, d, ceil_mode)
    x = _windows.zero_pad(input, padding=pads) if any(map(any, pads)) else input
    columns = _windows.windows(x, kernel_size=k, stride=s, dilation=d)
    sticks_out = any(after > before for before, after in pads)
    if divisor_override is None and not sticks_out and (count_include_pad or not any(p)):
        out = _windows.window_mean(columns)
    else:
        if divisor_override is not None:
            counts = np.full((1, 1), divisor_override)
        else:
            rows, cols = (
                _counts(n, kk, ss, pp, after, count_include_pad)
                for n, kk, ss, pp, (_, after) in zip(size, k, s, p, pads, strict=True)
            )
            counts = rows[:, None] * cols
        share = (1 / counts).astype(input.dtype)
        share.setflags(write=False)
        out = columns.sum(axis=(-2, -1)) * share
    return out if batched else out.reshape(out.shape[1:])


def _counts(n: int, k: int, s: int, p: int, after: int, include_pad: bool) -> Any:
    """How many elements of each window along an axis count: inside the image, or inside it and its padding."""
    counted = np.zeros(p + n + after, int)
    counted[(0 if include_pad else p) : p + n + (p if include_pad else 0)] = 1
    return np.array([counted[i : i + k].sum() for i in range(0, counted.size - k + 1, s)])


def pooling_sizes(kernel_size: Any, stride: Any, padding: Any, dilation: Any, what: str) -> Any:
    """The sizes of a pooling window as pairs, checked."""
    k, p = pair(kernel_size, "kernel_size"), pair(padding, "padding", least=0)
    if any(2 * pp > kk for pp, kk in zip(p, k, strict=True)):
        raise ValueError(f"{what}: padding must be at most half of kernel_size {k}, got {p}")
    return k, pair(kernel_size if stride is None else stride, "stride"), p, pair(dilation, "dilation")


def no_indices(return_indices: Any, what: str) -> None:
    """Refuse `return_indices`, the fifth argument of PyTorch's MaxPool2d."""
    if return_indices:
        raise ValueError(
            f"{what}: return_indices={return_indices!r} is not supported, only the maxima are returned "
            "(ceil_mode is an argument of its own: ceil_mode=True)"
        )


def _pool_padding(size: Any, k: Any, s: Any, p: Any, d: Any, ceil_mode: bool) -> Any:
    """Padding before and after along each axis; with `ceil_mode` more after, for a last window that starts inside."""
    pads = []
    for n, kk, ss, pp, dd in zip(size, k, s, p, d, strict=True):
        after = pp
        if ceil_mode:
            reach = dd * (kk - 1) + 1
            count = -(-(n + 2 * pp - reach) // ss) + 1
            if (count - 1) * ss >= n + pp:
                count -= 1
            after = max(pp, (count - 1) * ss + reach - n - pp)
        pads.append((pp, after))
    return tuple(pads)
