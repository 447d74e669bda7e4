"""Convolution of images, of traced primitives: its graph shows pad → windows → product → bias."""

from __future__ import annotations

from typing import Any

from autograd.rules import windows as _windows

from ..errors import ShapeMismatch, called, floating, one_dtype, operand
from .windows import Pair, as_images, check_fits, pair

__all__ = ["conv2d"]


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
    input, batched = as_images(input, "conv2d")
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
    check_fits(input.shape, size, pads, kernel_size, dilation, f"conv2d: {kernel}")
    x = _windows.zero_pad(input, padding=pads) if any(map(any, pads)) else input
    columns = _windows.windows(x, kernel_size=tuple(kernel_size), stride=stride, dilation=dilation)
    out = _windows.window_product(columns, weight, groups=groups)
    if bias is not None:
        out = out + bias.reshape(1, filters, 1, 1)
    return out if batched else out.reshape(out.shape[1:])


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
