"""Pooling, of traced primitives: its graph shows pad → windows → maximum or mean."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.rules import windows as _windows

from ..errors import floating
from .windows import Sizes, as_batch, check_fits, first_places, in_planes, sizes

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "pooling_sizes",
]

_FLAT = (1, 1, 1, (0, 0))
"""Kernel, stride, dilation and padding along an axis that stays as it is."""


def max_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of sequences (N, C, L) or (C, L); else as `max_pool2d`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.max_pool1d([[1.0, 5.0, 2.0, 3.0]], 2)
    array([[5., 3.]])
    """
    return _maximum(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
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
    return_indices : bool, optional
        Return a pair: the largest elements, and where the first of them is in its channel, as numbers of H·W elements.

    Returns
    -------
    Tensor or array of shape (N, C, OH, OW), or (C, OH, OW)
        And an array of integers of that shape, with `return_indices`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.max_pool2d(Tensor(np.arange(16.0).reshape(1, 4, 4)), 2).data
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    return _maximum(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of volumes (N, C, D, H, W) or (C, D, H, W); else as `max_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.max_pool3d(np.arange(16.0).reshape(1, 2, 2, 4), 2)
    array([[[[13., 15.]]]])
    """
    return _maximum(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of sequences (N, C, L) or (C, L); else as `avg_pool2d`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.avg_pool1d([[1.0, 5.0, 2.0, 3.0]], 2)
    array([[3. , 2.5]])
    """
    return _mean(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
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
    return _mean(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of volumes (N, C, D, H, W) or (C, D, H, W); else as `avg_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.avg_pool3d(np.arange(16.0).reshape(1, 2, 2, 4), 2)
    array([[[[6.5, 8.5]]]])
    """
    return _mean(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """The p-norm of each window of sequences (N, C, L) or (C, L); else as `lp_pool2d`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.lp_pool1d([[3.0, 4.0, 6.0, 8.0]], 2, 2)
    array([[ 5., 10.]])
    """
    return _power_mean(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """(Σ xᵖ)^(1/p) over each window, p being `norm_type`; the gradient is 0 where the sum is.

    Of windows that stick out of the image (`ceil_mode`), the sum is put up as if they were full, as PyTorch does.

    Parameters
    ----------
    input, kernel_size, stride, ceil_mode
        As for `max_pool2d`.
    norm_type : float
        1 is the sum. With an odd power, a negative sum has no root: NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.lp_pool2d(np.array([[[3.0, 0.0], [0.0, 4.0]]]), 2, 2)
    array([[[5.]]])
    """
    return _power_mean(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """The p-norm of each window of volumes (N, C, D, H, W) or (C, D, H, W); else as `lp_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.lp_pool3d(np.ones((1, 4, 4, 1)), 2, (4, 4, 1))
    array([[[[4.]]]])
    """
    return _power_mean(3, input, norm_type, kernel_size, stride, ceil_mode)


def _maximum(
    axes: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: Any
) -> Any:
    what = f"max_pool{axes}d"
    input, batched = as_batch(floating(input, what), axes, what)
    given = pooling_sizes(kernel_size, stride, padding, dilation, what, axes)
    of_axis = _windows_of_axes(input, given, ceil_mode, what)
    windows = lambda x, of: _slid(x, of, -np.inf)
    out = in_planes(input, of_axis, _FLAT, lambda x, of: _windows.window_max(windows(x, of)))
    places: Any = first_places(input, of_axis, _FLAT, windows) if indices else None
    if not batched:
        out, places = out.reshape(out.shape[1:]), places[0] if indices else None
    return (out, places) if indices else out


def _mean(
    axes: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, include_pad: bool, divisor: Any
) -> Any:
    what = f"avg_pool{axes}d"
    input, batched = as_batch(floating(input, what), axes, what)
    given = pooling_sizes(kernel_size, stride, padding, 1, what, axes)
    if divisor is not None and divisor < 1:
        raise ValueError(f"{what}: divisor_override must be at least 1, got {divisor}")
    of_axis = _windows_of_axes(input, given, ceil_mode, what)
    sticks_out = any(after > before for *_, (before, after) in of_axis)
    if divisor is None and not sticks_out and (include_pad or not any(given[2])):
        out = in_planes(input, of_axis, _FLAT, lambda x, of: _windows.window_mean(_slid(x, of)))
    else:
        counts: Any = np.full((1,) * axes, divisor or 1)
        for i, (n, (k, s, _, (before, after))) in enumerate(zip(input.shape[2:], of_axis, strict=True)):
            if divisor is None:
                count = _counts(n, k, s, before, after, include_pad)
                counts = counts * count.reshape(tuple(count.size if i == j else 1 for j in range(axes)))
        share = (1 / counts).astype(input.dtype)
        share.setflags(write=False)
        out = in_planes(input, of_axis, _FLAT, lambda x, of: _slid(x, of).sum(axis=(-2, -1))) * share
    return out if batched else out.reshape(out.shape[1:])


def _power_mean(axes: int, input: Any, p: Any, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    what = f"lp_pool{axes}d"
    if not isinstance(p, int | float | np.number) or p == 0:
        raise ValueError(f"{what}: norm_type must be a number other than 0, got {p!r}")
    kernel_size = sizes(kernel_size, f"{what}: kernel_size", axes)
    input = floating(input, what)
    total = _mean(axes, input**p, kernel_size, stride, 0, ceil_mode, True, None) * prod(kernel_size)
    if p == 1:
        return total
    # the root has no slope at 0: 1 stands in there, and is taken away again
    zero = total == 0
    return np.where(zero, 0, np.where(zero, 1, total) ** (1 / p))


def _windows_of_axes(input: Any, given: Any, ceil_mode: bool, what: str) -> list[Any]:
    """Kernel, stride, dilation and padding (before, after) of each axis; with `ceil_mode` more of it after."""
    k, s, p, d = given
    size = input.shape[2:]
    check_fits(input.shape, size, [(pp, pp) for pp in p], k, d, f"{what}: the window")
    return list(zip(k, s, d, _pool_padding(size, k, s, p, d, ceil_mode), strict=True))


def _slid(x: Any, of_axis: list[Any], value: float = 0.0) -> Any:
    """The windows of images, padded with `value`."""
    k, s, d, pads = zip(*of_axis, strict=True)
    if any(map(any, pads)):
        x = _windows.zero_pad(x, *((value,) if value else ()), padding=pads)
    return _windows.windows(x, kernel_size=k, stride=s, dilation=d)


def _counts(n: int, k: int, s: int, p: int, after: int, include_pad: bool) -> Any:
    """How many elements of each window along an axis count: inside the image, or inside it and its padding."""
    counted = np.zeros(p + n + after, int)
    counted[(0 if include_pad else p) : p + n + (p if include_pad else 0)] = 1
    return np.array([counted[i : i + k].sum() for i in range(0, counted.size - k + 1, s)])


def pooling_sizes(kernel_size: Any, stride: Any, padding: Any, dilation: Any, what: str, axes: int = 2) -> Any:
    """The sizes of a pooling window, one for each axis, checked."""
    k, p = sizes(kernel_size, "kernel_size", axes), sizes(padding, "padding", axes, least=0)
    if any(2 * pp > kk for pp, kk in zip(p, k, strict=True)):
        raise ValueError(f"{what}: padding must be at most half of kernel_size {k}, got {p}")
    stride = sizes(kernel_size if stride is None else stride, "stride", axes)
    return k, stride, p, sizes(dilation, "dilation", axes)


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
