"""Convolution and its transpose, of traced primitives: the graph shows pad → windows → product → bias.

What slides over images slides over sequences, which are images of one row, and over volumes, whose slices within the
reach of a kernel become channels of an image.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.rules import windows as _windows

from ..errors import ShapeMismatch, called, floating, one_dtype, operand
from .windows import Sizes, as_batch, check_fits, sizes

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "same_padding",
]

_KERNELS = {1: "K", 2: "KH, KW", 3: "KD, KH, KW"}


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """The cross-correlation of sequences (N, C, L) or (C, L) with kernels (F, C // groups, K); else as `conv2d`.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.conv1d(Tensor([[1.0, 2.0, 4.0, 8.0]]), Tensor([[[-1.0, 1.0]]])).data
    array([[1., 2., 4.]])
    """
    return _convolved(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
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
    return _convolved(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """The cross-correlation of volumes (N, C, D, H, W) or (C, D, H, W) with kernels (F, C // groups, KD, KH, KW).

    Else as `conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.conv3d(np.ones((1, 2, 4, 5, 6)), np.ones((3, 2, 2, 2, 2))).shape
    (1, 3, 3, 4, 5)
    """
    return _convolved(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Any:
    """The transpose of `conv1d`, of sequences (N, F, L) or (F, L) and kernels (F, C // groups, K).

    Else as `conv_transpose2d`.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.conv_transpose1d(Tensor([[1.0, 10.0]]), Tensor([[[1.0, 2.0, 3.0]]])).data
    array([[ 1., 12., 23., 30.]])
    """
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Any:
    """The transpose of `conv2d`: each element of the input adds its multiple of the kernels where their window was.

    It is the gradient that `conv2d` with these kernels sends back to its input.

    Parameters
    ----------
    input : Tensor or array of shape (N, F, H, W), or (F, H, W)
    weight : Tensor or array of shape (F, C // groups, KH, KW)
    bias : Tensor or array of shape (C,), optional
    stride, dilation, groups
        Those of the `conv2d` whose transpose it is.
    padding : int or (int, int), optional
        Rows and columns that are cut off at each side.
    output_padding : int or (int, int), optional
        Rows and columns more at the end; less than the stride or the dilation.

    Returns
    -------
    Tensor or array of shape (N, C, OH, OW), or (C, OH, OW)
        OH = (H − 1)·stride − 2·padding + dilation·(KH − 1) + output_padding + 1.

    Raises
    ------
    ShapeMismatch
        If the channels differ, or nothing would be left of the output; a ValueError.
    DtypeMismatch
        As for `conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.conv_transpose2d(np.array([[[1.0, 2.0]]]), np.ones((1, 1, 1, 2)), stride=2)
    array([[[1., 1., 2., 2.]]])
    """
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Any:
    """The transpose of `conv3d`, of volumes (N, F, D, H, W) or (F, D, H, W) and kernels (F, C // groups, KD, KH, KW).

    Else as `conv_transpose2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.conv_transpose3d(np.ones((1, 3, 2, 3, 4)), np.ones((3, 2, 2, 2, 2)), stride=2).shape
    (1, 2, 4, 6, 8)
    """
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _convolved(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    what = f"conv{axes}d"
    input, weight, batched = _operands(axes, input, weight, groups, what, 1)
    kernel = called(weight, "the kernel")
    filters, size, kernel_size = weight.shape[0], input.shape[2:], weight.shape[2:]
    bias = _bias(bias, filters, what)
    stride, dilation = sizes(stride, "stride", axes), sizes(dilation, "dilation", axes)
    pads = _conv_padding(padding, kernel_size, stride, dilation, what)
    check_fits(input.shape, size, pads, kernel_size, dilation, f"{what}: {kernel}")
    if axes == 2:
        out = _product(input, weight, stride, pads, dilation, groups)
    elif axes == 1:
        x, rows = _one_row(input), _one_row(weight)
        out = _product(x, rows, (1, *stride), ((0, 0), *pads), (1, *dilation), groups)
        out = out.reshape((*out.shape[:2], out.shape[3]))
    else:
        out = _product_of_volumes(input, weight, stride, pads, dilation, groups)
    if bias is not None:
        out = out + bias.reshape(1, filters, *(1,) * axes)
    return out if batched else out.reshape(out.shape[1:])


def _product(input: Any, weight: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> Any:
    """Images and kernels: pad → windows → product."""
    x = _windows.zero_pad(input, padding=pads) if any(map(any, pads)) else input
    columns = _windows.windows(x, kernel_size=tuple(weight.shape[2:]), stride=stride, dilation=dilation)
    return _windows.window_product(columns, weight, groups=groups)


def _product_of_volumes(input: Any, weight: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> Any:
    """Volumes and kernels: the KD slices that a kernel reaches are channels of an image, one image for each place."""
    n, c, depth, h, w = input.shape
    filters, channels, reach, *kernel_size = weight.shape
    x = input.reshape((n, c, depth, h * w))
    if any(pads[0]):
        x = _windows.zero_pad(x, padding=(pads[0], (0, 0)))
    x = _windows.windows(x, kernel_size=(reach, 1), stride=(stride[0], 1), dilation=(dilation[0], 1))
    places = x.shape[2]
    x = x.transpose((0, 2, 1, 4, 3, 5)).reshape((n * places, c * reach, h, w))
    kernels = weight.reshape((filters, channels * reach, *kernel_size))
    out = _product(x, kernels, stride[1:], pads[1:], dilation[1:], groups)
    return out.reshape((n, places, *out.shape[1:])).transpose((0, 2, 1, 3, 4))


def _transposed(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: int,
    dilation: Any,
) -> Any:  # fmt: skip
    what = f"conv_transpose{axes}d"
    input, weight, batched = _operands(axes, input, weight, groups, what, 0)
    kernel_size = weight.shape[2:]
    bias = _bias(bias, weight.shape[1] * groups, what)
    stride, dilation = sizes(stride, "stride", axes), sizes(dilation, "dilation", axes)
    padding, extra = sizes(padding, "padding", axes, least=0), sizes(output_padding, "output_padding", axes, least=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(
            f"{what}: output_padding must be less than the stride {stride} or the dilation {dilation}, got {extra}"
        )
    each = zip(input.shape[2:], stride, dilation, kernel_size, strict=True)
    size = tuple((n - 1) * s + d * (k - 1) + 1 for n, s, d, k in each)
    if any(n + e <= 2 * p for n, e, p in zip(size, extra, padding, strict=True)):
        raise ShapeMismatch(f"{what}: a padding of {padding} leaves nothing of the output of {size}")
    # where a window more would fit, the elements at the end are of none
    late = tuple(e if e >= s else 0 for e, s in zip(extra, stride, strict=True))
    size = tuple(n + e - more for n, e, more in zip(size, extra, late, strict=True))
    if axes == 2:
        out = _spread(input, weight, size, stride, dilation, groups)
    elif axes == 1:
        out = _spread(_one_row(input), _one_row(weight), (1, *size), (1, *stride), (1, *dilation), groups)
        out = out.reshape((*out.shape[:2], *size))
    else:
        out = _spread_volumes(input, weight, size, stride, dilation, groups)
    if any(late):
        out = np.pad(out, ((0, 0), (0, 0), *((0, more) for more in late)))
        size = out.shape[2:]
    if any(padding):
        out = out[(..., *(slice(p, n - p) for n, p in zip(size, padding, strict=True)))]
    if bias is not None:
        out = out + bias.reshape(1, bias.size, *(1,) * axes)
    return out if batched else out.reshape(out.shape[1:])


def _spread(input: Any, weight: Any, size: Any, stride: Any, dilation: Any, groups: int) -> Any:
    """Images and kernels: the product for each window, then windows added where they belong."""
    columns = _windows.window_product_windows(input, weight, groups=groups)
    return _windows.fold_windows(columns, shape=(*columns.shape[:2], *size), stride=stride, dilation=dilation)


def _spread_volumes(input: Any, weight: Any, size: Any, stride: Any, dilation: Any, groups: int) -> Any:
    """Volumes and kernels: each slice spreads over KD slices, as channels of an image; these are added along depth."""
    n, c, depth, h, w = input.shape
    filters, channels, reach, *kernel_size = weight.shape
    images = input.transpose((0, 2, 1, 3, 4)).reshape((n * depth, c, h, w))
    kernels = weight.reshape((filters, channels * reach, *kernel_size))
    out = _spread(images, kernels, size[1:], stride[1:], dilation[1:], groups)
    channels, area = channels * groups, prod(size[1:])
    out = out.reshape((n, depth, channels, reach, area, 1)).transpose((0, 2, 1, 4, 3, 5))
    shape = (n, channels, size[0], area)
    out = _windows.fold_windows(out, shape=shape, stride=(stride[0], 1), dilation=(dilation[0], 1))
    return out.reshape((n, channels, *size))


def _operands(axes: int, input: Any, weight: Any, groups: int, what: str, takes: int) -> tuple[Any, Any, bool]:
    """Input and weight, checked: the channels of the input are those of the weight's axis `takes`."""
    input, weight = floating(input, what), operand(weight, f"{what}: weight")
    if weight.ndim != axes + 2:
        raise ShapeMismatch(f"{what}: a kernel of shape (F, C, {_KERNELS[axes]}) is needed, got {weight.shape}")
    input, batched = as_batch(input, axes, what)
    channels, (filters, depth) = input.shape[1], weight.shape[:2]
    wanted = depth * groups if takes else filters
    if groups < 1 or channels != wanted or filters % groups:
        per_group = "" if groups == 1 else f" in {groups} groups"
        raise ShapeMismatch(
            f"{what}: the input of shape {input.shape} has {channels} channels, but {called(weight, 'the kernel')} of "
            f"shape {weight.shape} takes {wanted}{per_group}"
        )
    one_dtype(input, weight, what, "the kernel")
    return input, weight, batched


def _bias(bias: Any, filters: int, what: str) -> Any:
    if bias is None:
        return None
    bias = operand(bias, f"{what}: bias")
    if bias.shape != (filters,):
        raise ShapeMismatch(f"{what}: a bias of shape ({filters},) is needed, got {bias.shape}")
    return bias


def _one_row(x: Any) -> Any:
    return x.reshape((*x.shape[:2], 1, x.shape[2]))


def _conv_padding(padding: Any, kernel_size: Any, stride: Any, dilation: Any, what: str) -> tuple[tuple[int, int], ...]:
    axes = len(kernel_size)
    if padding == "valid":
        return ((0, 0),) * axes
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"{what}: padding='same' needs a stride of 1, got {stride}")
        return same_padding(kernel_size, dilation)
    if isinstance(padding, str):
        raise ValueError(f"{what}: padding must be 'valid', 'same', an int or a pair of ints, got {padding!r}")
    return tuple((p, p) for p in sizes(padding, "padding", axes, least=0))


def same_padding(kernel_size: Any, dilation: Any) -> tuple[tuple[int, int], ...]:
    """The padding of each axis, before and after, that keeps the size: the odd one goes after."""
    totals = (d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True))
    return tuple((total // 2, total - total // 2) for total in totals)
