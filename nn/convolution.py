"""Convolution and pooling of images, of traced primitives: their graph shows pad → windows → product → bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import windows as _windows

from .errors import ShapeMismatch, called, floating, one_dtype, operand

__all__ = ["Pair", "avg_pool2d", "conv2d", "max_pool2d", "no_indices", "pair", "pooling_sizes"]

Pair = int | tuple[int, int]


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Any:
    """The cross-correlation of images with kernels, which deep learning calls convolution.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, H, W), or (C, H, W)
    weight : Tensor or array of shape (F, C // groups, KH, KW)
        F kernels.
    bias : Tensor or array of shape (F,), optional
    stride, dilation : int or (int, int), optional
        By how much the window moves; how far apart the elements of a kernel reach.
    padding : int or (int, int), or "valid" or "same", optional
        Rows and columns of zeros around the image; ``"same"`` keeps its size (with a stride of 1).
    groups : int, optional
        Channels and kernels fall into that many groups, each by itself.

    Returns
    -------
    Tensor or array of shape (N, F, OH, OW), or (F, OH, OW)
        OH = (H + padding − dilation·(KH − 1) − 1) // stride + 1.

    Raises
    ------
    ShapeMismatch
        If the channels differ, or the kernel is larger than the padded input; a ValueError.
    DtypeMismatch
        If `input` holds integers, or is a Tensor of another dtype than the Tensor `weight`; a TypeError.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> x = Tensor(np.arange(9.0).reshape(1, 1, 3, 3))
    >>> F.conv2d(x, Tensor(np.ones((1, 1, 2, 2)))).data
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    input, weight = floating(input, "conv2d"), operand(weight, "conv2d: weight")
    kernel = called(weight, "the kernel")
    if weight.ndim != 4:
        raise ShapeMismatch(f"conv2d: a kernel of shape (F, C, KH, KW) is needed, got {weight.shape}")
    input, batched = _batched(input, "conv2d")
    channels, size = input.shape[1], input.shape[2:]
    filters, depth, *kernel_size = weight.shape
    if groups < 1 or channels != depth * groups or filters % groups:
        per_group = "" if groups == 1 else f" in {groups} groups"
        raise ShapeMismatch(
            f"conv2d: the input of shape {input.shape} has {channels} channels, but {kernel} of shape {weight.shape} "
            f"takes {depth * groups}{per_group}"
        )
    one_dtype(input, weight, "conv2d", "the kernel")
    if bias is not None:
        bias = operand(bias, "conv2d: bias")
        if bias.shape != (filters,):
            raise ShapeMismatch(f"conv2d: a bias of shape ({filters},) is needed, got {bias.shape}")
    stride, dilation = pair(stride, "stride"), pair(dilation, "dilation")
    pads = _conv_padding(padding, kernel_size, stride, dilation)
    _check_fits(input.shape, size, pads, kernel_size, dilation, f"conv2d: {kernel}")
    x = _windows.zero_pad(input, padding=pads) if any(map(any, pads)) else input
    columns = _windows.windows(x, kernel_size=tuple(kernel_size), stride=stride, dilation=dilation)
    out = _windows.window_product(columns, weight, groups=groups)
    if bias is not None:
        out = out + bias.reshape(1, filters, 1, 1)
    return out if batched else out.reshape(out.shape[1:])


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
    input, batched = _batched(floating(input, "max_pool2d"), "max_pool2d")
    k, s, p, d = pooling_sizes(kernel_size, stride, padding, dilation, "max_pool2d")
    _check_fits(input.shape, input.shape[2:], ((p[0], p[0]), (p[1], p[1])), k, d, "max_pool2d: the window")
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
    input, batched = _batched(floating(input, "avg_pool2d"), "avg_pool2d")
    k, s, p, d = pooling_sizes(kernel_size, stride, padding, 1, "avg_pool2d")
    if divisor_override is not None and divisor_override < 1:
        raise ValueError(f"avg_pool2d: divisor_override must be at least 1, got {divisor_override}")
    size = input.shape[2:]
    _check_fits(input.shape, size, ((p[0], p[0]), (p[1], p[1])), k, d, "avg_pool2d: the window")
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


# --- checks and sizes -------------------------------------------------------------------------------------------------


def pair(value: Any, name: str, *, least: int = 1) -> tuple[int, int]:
    """A size given as one int for both axes, or as a pair."""
    both = (value, value) if isinstance(value, int | np.integer) else tuple(value) if np.iterable(value) else ()
    if len(both) != 2 or not all(isinstance(n, int | np.integer) and n >= least for n in both):
        raise ValueError(f"{name} must be an int or a pair of ints of at least {least}, got {value!r}")
    return int(both[0]), int(both[1])


def _batched(input: Any, what: str) -> tuple[Any, bool]:
    if input.ndim == 4:
        return input, True
    if input.ndim == 3:
        return input.reshape((1, *input.shape)), False
    raise ShapeMismatch(f"{what}: images of shape (N, C, H, W) or (C, H, W) are needed, got shape {input.shape}")


def _conv_padding(
    padding: Any, kernel_size: Any, stride: Any, dilation: Any
) -> tuple[tuple[int, int], tuple[int, int]]:
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"conv2d: padding='same' needs a stride of 1, got {stride}")
        rows, cols = (d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True))
        return (rows // 2, rows - rows // 2), (cols // 2, cols - cols // 2)
    if isinstance(padding, str):
        raise ValueError(f"conv2d: padding must be 'valid', 'same', an int or a pair of ints, got {padding!r}")
    rows, cols = pair(padding, "padding", least=0)
    return (rows, rows), (cols, cols)


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


def _check_fits(shape: Any, size: Any, pads: Any, kernel_size: Any, dilation: Any, what: str) -> None:
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel_size, strict=True)]
    padded = [n + sum(p) for n, p in zip(size, pads, strict=True)]
    if any(r > n for r, n in zip(reach, padded, strict=True)):
        extra = f", padded to {padded[0]}×{padded[1]}" if padded != list(size) else ""
        spread = f" (reaching over {reach[0]}×{reach[1]})" if reach != list(kernel_size) else ""
        raise ShapeMismatch(
            f"{what} of {kernel_size[0]}×{kernel_size[1]}{spread} is larger than the image of "
            f"{size[0]}×{size[1]}{extra} (input shape {shape})"
        )
