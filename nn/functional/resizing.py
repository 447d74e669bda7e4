"""Images of another size: interpolated, with channels made into pixels, as windows and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import windows as _windows

from ..errors import ShapeMismatch, floating, operand
from . import adaptive
from .windows import Sizes, as_batch, check_fits, pair, sizes

__all__ = [
    "channel_shuffle",
    "cubic",
    "fold",
    "interpolate",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

_AXES_OF = {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,)}
_MODES = ("nearest", "nearest-exact", "area", *_AXES_OF)


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """The input with more or fewer positions: each new one from those that lie near it, one axis after the other.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, L), (N, C, H, W) or (N, C, D, H, W)
    size : int or tuple of int, optional
        The new lengths; or `scale_factor`.
    scale_factor : float or tuple of float, optional
        By what the lengths are multiplied; rounded down.
    mode : str, optional
        "nearest"; "nearest-exact", which rounds centres of pixels; "linear", "bilinear", "trilinear", by the number of
        axes; "bicubic"; or "area", the means of `adaptive_avg_pool2d`.
    align_corners : bool, optional
        Of the linear modes and "bicubic": whether the centres of the corner pixels lie on each other, instead of the
        corners.
    recompute_scale_factor : bool, optional
        Place the new positions by the ratio of the lengths, instead of by `scale_factor`.
    antialias : False, optional
        There is none.

    Returns
    -------
    Tensor or array of shape (N, C, *size)

    Notes
    -----
    "bicubic" weighs four neighbours by the kernel of Keys, Cubic convolution interpolation for digital image
    processing, 1981, with a = −3/4.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> x = np.array([[[0.0, 4.0]]])
    >>> F.interpolate(x, scale_factor=2)
    array([[[0., 0., 4., 4.]]])
    >>> F.interpolate(x, 5, mode="linear", align_corners=True)
    array([[[0., 1., 2., 3., 4.]]])
    """
    input = floating(input, "interpolate")
    axes = input.ndim - 2
    if axes not in (1, 2, 3):
        raise ShapeMismatch(f"interpolate: an input with 3 to 5 axes, (N, C, ...), is needed, got {input.shape}")
    if mode not in _MODES or axes not in _AXES_OF.get(mode, (axes,)):
        fit = [repr(m) for m in _MODES if axes in _AXES_OF.get(m, (axes,))]
        raise ValueError(f"interpolate: mode must be one of {', '.join(fit)} for {input.ndim} axes, got {mode!r}")
    if antialias:
        raise ValueError("interpolate: antialias=True is not supported")
    if align_corners is not None and mode not in _AXES_OF:
        raise ValueError(f"interpolate: the mode {mode!r} has no corners to align, got align_corners={align_corners}")
    lengths, scales = _new_lengths(input.shape[2:], size, scale_factor, recompute_scale_factor)
    if mode == "area":
        pool = (adaptive.adaptive_avg_pool1d, adaptive.adaptive_avg_pool2d, adaptive.adaptive_avg_pool3d)
        return pool[axes - 1](input, lengths)
    for axis, (length, scale) in enumerate(zip(lengths, scales, strict=True), 2):
        input = _resized(input, axis, length, scale, mode, bool(align_corners))
    return input


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """`interpolate` by its old name.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.upsample([[[0.0, 4.0]]], scale_factor=2)
    array([[[0., 0., 4., 4.]]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` in the mode "nearest".

    Examples
    --------
    >>> from nn import functional as F
    >>> F.upsample_nearest([[[0.0, 4.0]]], 4)
    array([[[0., 0., 4., 4.]]])
    """
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` of images (N, C, H, W) in the mode "bilinear", the corners staying where they are.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.upsample_bilinear([[[[0.0, 4.0]]]], (1, 5))
    array([[[[0., 1., 2., 3., 4.]]]])
    """
    return interpolate(input, size, scale_factor, "bilinear", True)


def _new_lengths(before: Any, size: Any, factor: Any, recompute: Any) -> tuple[tuple[int, ...], list[float]]:
    """The new lengths, and the ratio of old to new by which each new position is placed."""
    axes = len(before)
    if (size is None) == (factor is None):
        raise ValueError("interpolate: either size or scale_factor is needed, got " + ("both", "none")[size is None])
    if size is not None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor is for scale_factor, got size")
        lengths = sizes(size, "interpolate: size", axes)
        return lengths, [n / m for n, m in zip(before, lengths, strict=True)]
    factors = tuple(factor) if np.iterable(factor) else (factor,) * axes
    if len(factors) != axes or not all(isinstance(f, int | float | np.number) and f > 0 for f in factors):
        raise ValueError(f"interpolate: scale_factor must be a number above 0 or one for each axis, got {factor!r}")
    lengths = tuple(int(n * f) for n, f in zip(before, factors, strict=True))
    if min(lengths) < 1:
        raise ShapeMismatch(f"interpolate: scale_factor={factor!r} leaves nothing of {before}")
    if recompute:
        return lengths, [n / m for n, m in zip(before, lengths, strict=True)]
    return lengths, [1 / f for f in factors]


def _resized(x: Any, axis: int, m: int, scale: float, mode: str, align_corners: bool) -> Any:
    """`x` with m positions along an axis of n, the i-th at about i · scale."""
    n, i = x.shape[axis], np.arange(m)
    if mode.startswith("nearest"):
        if m % n == 0 and scale == n / m:
            return x if m == n else np.repeat(x, m // n, axis=axis)
        place = i * np.float32(scale) if mode == "nearest" else (i + 0.5) * scale
        return np.take(x, np.minimum(np.floor(place).astype(int), n - 1), axis=axis)
    if align_corners:
        place = i * ((n - 1) / (m - 1) if m > 1 else 0.0)
    elif m == n and scale == 1:
        return x
    else:
        place = (i + 0.5) * scale - 0.5
    if mode != "bicubic":
        place = np.maximum(place, 0)
    first = np.floor(place).astype(int)
    t = place - first
    offsets, weights = cubic(t) if mode == "bicubic" else ((0, 1), (1 - t, t))
    near = np.clip(first + np.array(offsets)[:, None], 0, n - 1)  # of each position its neighbours, on an axis before
    weight = np.array(weights, dtype=x.dtype).reshape(near.shape + (1,) * (x.ndim - axis - 1))
    taken = np.take(x, near.ravel(), axis=axis).reshape(*x.shape[:axis], *near.shape, *x.shape[axis + 1 :])
    return np.sum(taken * weight, axis=axis)


def cubic(t: Any) -> tuple[Any, Any]:
    """The four neighbours of a place t beyond the second, and Keys' weights of them."""
    a = -0.75
    near = lambda s: ((a + 2) * s - (a + 3)) * s * s + 1
    far = lambda s: ((a * s - 5 * a) * s + 8 * a) * s - 4 * a
    return (-1, 0, 1, 2), (far(t + 1), near(t), near(1 - t), far(2 - t))


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Channels as pixels: r² channels of H × W become one of rH × rW, r being `upscale_factor`.

    Parameters
    ----------
    input : Tensor or array of shape (..., C r², H, W)
    upscale_factor : int

    Returns
    -------
    Tensor or array of shape (..., C, H r, W r)

    Notes
    -----
    Shi et al., Real-Time Single Image and Video Super-Resolution, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.pixel_shuffle(np.array([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
    array([[[1., 2.],
            [3., 4.]]])
    """
    input, r = _image_like(input, upscale_factor, "pixel_shuffle: upscale_factor")
    *batch, c, h, w = input.shape
    if c % (r * r):
        raise ShapeMismatch(f"pixel_shuffle: the channels must be a multiple of {r}² = {r * r}, got {input.shape}")
    b = len(batch)
    out = input.reshape((*batch, c // (r * r), r, r, h, w))
    out = out.transpose((*range(b), b, b + 3, b + 1, b + 4, b + 2))
    return out.reshape((*batch, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Pixels as channels: what `pixel_shuffle` undoes.

    Parameters
    ----------
    input : Tensor or array of shape (..., C, H r, W r), r being `downscale_factor`
    downscale_factor : int

    Returns
    -------
    Tensor or array of shape (..., C r², H, W)

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.pixel_unshuffle(np.array([[[1.0, 2.0], [3.0, 4.0]]]), 2).ravel()
    array([1., 2., 3., 4.])
    """
    input, r = _image_like(input, downscale_factor, "pixel_unshuffle: downscale_factor")
    *batch, c, h, w = input.shape
    if h % r or w % r:
        raise ShapeMismatch(f"pixel_unshuffle: height and width must be multiples of {r}, got {input.shape}")
    b = len(batch)
    out = input.reshape((*batch, c, h // r, r, w // r, r))
    out = out.transpose((*range(b), b, b + 2, b + 4, b + 1, b + 3))
    return out.reshape((*batch, c * r * r, h // r, w // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels dealt out anew: the first of each group, then the second of each, and so on.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, L, ...)
    groups : int
        Must divide C.

    Notes
    -----
    Zhang et al., ShuffleNet, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.channel_shuffle(np.arange(6.0).reshape(1, 6, 1), 2).ravel()
    array([0., 3., 1., 4., 2., 5.])
    """
    input = operand(input, "channel_shuffle")
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ShapeMismatch(
            f"channel_shuffle: the channels of an input (N, C, L, ...) must fall into groups={groups}, "
            f"got shape {input.shape}"
        )
    n, c, *size = input.shape
    return np.swapaxes(input.reshape((n, groups, c // groups, *size)), 1, 2).reshape(input.shape)


def unfold(input: Any, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> Any:
    """The windows of images as columns, row by row: what a convolution multiplies with its kernels.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, H, W), or (C, H, W)
    kernel_size, dilation, padding, stride : int or (int, int)
        As for `conv2d`.

    Returns
    -------
    Tensor or array of shape (N, C·KH·KW, OH·OW), or (C·KH·KW, OH·OW)

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.unfold(np.arange(6.0).reshape(1, 2, 3), (2, 2))
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """
    input, batched = as_batch(floating(input, "unfold"), 2, "unfold")
    k, d, p, s = _window_options(kernel_size, dilation, padding, stride)
    pads = tuple((n, n) for n in p)
    check_fits(input.shape, input.shape[2:], pads, k, d, "unfold: the window")
    x = _windows.zero_pad(input, padding=pads) if any(p) else input
    x = _windows.windows(x, kernel_size=k, stride=s, dilation=d)
    n, c, oh, ow, kh, kw = x.shape
    out = x.transpose((0, 1, 4, 5, 2, 3)).reshape((n, c * kh * kw, oh * ow))
    return out if batched else out.reshape(out.shape[1:])


def fold(
    input: Any, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Any:
    """Columns added back to where `unfold` saw them as windows: its adjoint.

    Parameters
    ----------
    input : Tensor or array of shape (N, C·KH·KW, OH·OW), or (C·KH·KW, OH·OW)
    output_size : int or (int, int)
        H and W.
    kernel_size, dilation, padding, stride : int or (int, int)
        Those of `unfold`.

    Returns
    -------
    Tensor or array of shape (N, C, H, W), or (C, H, W)

    Raises
    ------
    ShapeMismatch
        If `unfold` of such images has columns of another length or number; a ValueError.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.fold(np.ones((4, 2)), (2, 3), (2, 2))
    array([[[1., 2., 1.],
            [1., 2., 1.]]])
    """
    input = floating(input, "fold")
    k, d, p, s = _window_options(kernel_size, dilation, padding, stride)
    h, w = (n + 2 * pp for n, pp in zip(pair(output_size, "output_size"), p, strict=True))
    oh, ow = (_windows.output_length(*each) for each in zip((h, w), k, s, d, strict=True))
    area = k[0] * k[1]
    if input.ndim not in (2, 3) or input.shape[-2] % area or min(oh, ow) < 1 or input.shape[-1] != oh * ow:
        raise ShapeMismatch(
            f"fold: for images of {output_size} an input of shape (N, C·{area}, {max(0, oh) * max(0, ow)}) is needed, "
            f"got {input.shape}"
        )
    *batch, rows, _ = input.shape
    x = input.reshape((*(batch or [1]), rows // area, *k, oh, ow)).transpose((0, 1, 4, 5, 2, 3))
    out = _windows.fold_windows(x, shape=(*x.shape[:2], h, w), stride=s, dilation=d)
    if any(p):
        out = out[:, :, p[0] : h - p[0], p[1] : w - p[1]]
    return out if batch else out.reshape(out.shape[1:])


def _window_options(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    return (
        pair(kernel_size, "kernel_size"),
        pair(dilation, "dilation"),
        pair(padding, "padding", least=0),
        pair(stride, "stride"),
    )


def _image_like(input: Any, factor: Any, name: str) -> tuple[Any, int]:
    if not isinstance(factor, int | np.integer) or factor < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {factor!r}")
    input = operand(input, name.partition(":")[0])
    if input.ndim < 3:
        raise ShapeMismatch(f"{name.partition(':')[0]}: an input of shape (..., C, H, W) is needed, got {input.shape}")
    return input, int(factor)
