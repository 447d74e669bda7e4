"""Layers that give images another size or shape: interpolated, channels as pixels, windows as columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeMismatch, operand
from ..functional.windows import Sizes
from ..module import Module
from .shown import Function, shown
from .weighted import at_least_1

__all__ = [
    "ChannelShuffle",
    "Fold",
    "PixelShuffle",
    "PixelUnshuffle",
    "Unflatten",
    "Unfold",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]


class Upsample(Function):
    """The input with more positions: `functional.interpolate`.

    Parameters
    ----------
    size : int or tuple of int, optional
        The new lengths; or `scale_factor`.
    scale_factor : float or tuple of float, optional
    mode : {"nearest", "linear", "bilinear", "bicubic", "trilinear"}, optional
    align_corners, recompute_scale_factor : bool, optional
        As for `functional.interpolate`.

    Examples
    --------
    >>> import nn
    >>> nn.Upsample(scale_factor=2)([[[0.0, 4.0]]]).data
    array([[[0., 0., 4., 4.]]])
    """

    _function = "interpolate"
    _options = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor")

    def __init__(
        self,
        size: Sizes | None = None,
        scale_factor: float | tuple[float, ...] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ):
        self.size = size
        if isinstance(scale_factor, tuple | list):
            self.scale_factor: Any = tuple(map(float, scale_factor))
        else:
            self.scale_factor = None if scale_factor is None else float(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def extra_repr(self) -> str:
        return shown(self, ("size" if self.scale_factor is None else "scale_factor", "mode"))


class UpsamplingNearest2d(Upsample):
    """Images with more pixels, each that of the nearest: `functional.interpolate` in the mode "nearest".

    Examples
    --------
    >>> import nn
    >>> nn.UpsamplingNearest2d(scale_factor=2)([[[[0.0, 4.0]]]]).data
    array([[[[0., 0., 4., 4.],
             [0., 0., 4., 4.]]]])
    """

    def __init__(self, size: Sizes | None = None, scale_factor: float | tuple[float, ...] | None = None):
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """Images with more pixels, between those there were; the corners stay: `functional.interpolate`, "bilinear".

    Examples
    --------
    >>> import nn
    >>> nn.UpsamplingBilinear2d((1, 5))([[[[0.0, 4.0]]]]).data
    array([[[[0., 1., 2., 3., 4.]]]])
    """

    def __init__(self, size: Sizes | None = None, scale_factor: float | tuple[float, ...] | None = None):
        super().__init__(size, scale_factor, "bilinear", align_corners=True)


class PixelShuffle(Function):
    """Channels as pixels, (…, C r², H, W) as (…, C, H r, W r): `functional.pixel_shuffle`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.PixelShuffle(2)(np.zeros((1, 8, 3, 4))).shape
    (1, 2, 6, 8)
    """

    _function = "pixel_shuffle"
    _options = ("upscale_factor",)

    def __init__(self, upscale_factor: int):
        self.upscale_factor = at_least_1(upscale_factor, "PixelShuffle: upscale_factor")


class PixelUnshuffle(Function):
    """Pixels as channels, (…, C, H r, W r) as (…, C r², H, W): `functional.pixel_unshuffle`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.PixelUnshuffle(2)(np.zeros((1, 2, 6, 8))).shape
    (1, 8, 3, 4)
    """

    _function = "pixel_unshuffle"
    _options = ("downscale_factor",)

    def __init__(self, downscale_factor: int):
        self.downscale_factor = at_least_1(downscale_factor, "PixelUnshuffle: downscale_factor")


class ChannelShuffle(Function):
    """The channels dealt out anew, one of each group in turn: `functional.channel_shuffle`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ChannelShuffle(2)(np.arange(6.0).reshape(1, 6, 1)).data.ravel()
    array([0., 3., 1., 4., 2., 5.])
    """

    _function = "channel_shuffle"
    _options = ("groups",)

    def __init__(self, groups: int):
        self.groups = at_least_1(groups, "ChannelShuffle: groups")


class Unfold(Function):
    """The windows of images as columns: `functional.unfold`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Unfold((2, 3))(np.zeros((1, 3, 4, 5))).shape
    (1, 18, 9)
    """

    _function = "unfold"
    _options = ("kernel_size", "dilation", "padding", "stride")

    def __init__(self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1):
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride


class Fold(Function):
    """Columns added back to where `Unfold` saw them as windows: `functional.fold`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Fold((4, 5), (2, 3))(np.zeros((1, 18, 9))).shape
    (1, 3, 4, 5)
    """

    _function = "fold"
    _options = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def __init__(
        self, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ):
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride


class Unflatten(Module):
    """The axis `dim` as several, of the lengths `unflattened_size`, of which one may be −1: what is left.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Unflatten(1, (2, -1))(np.zeros((3, 8))).shape
    (3, 2, 4)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]):
        if not isinstance(dim, int | np.integer):
            raise TypeError(f"Unflatten: dim must be an integer, got {dim!r}")
        sizes = tuple(unflattened_size) if np.iterable(unflattened_size) else ()
        if not sizes or not all(isinstance(n, int | np.integer) for n in sizes):
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of ints, got {unflattened_size!r}")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, x: Any) -> Any:
        x = operand(x, "Unflatten")
        if not -x.ndim <= self.dim < x.ndim:
            raise ShapeMismatch(f"Unflatten: there is no axis {self.dim} in an input of shape {x.shape}")
        axis, lengths = self.dim % x.ndim, list(self.unflattened_size)
        known = int(np.prod([n for n in lengths if n != -1]))
        if lengths.count(-1) == 1 and known:
            lengths[lengths.index(-1)] = x.shape[axis] // known
        if int(np.prod(lengths)) != x.shape[axis] or min(lengths) < 0:
            raise ShapeMismatch(
                f"Unflatten: the axis {self.dim} of an input of shape {x.shape} can't be {self.unflattened_size}"
            )
        return x.reshape((*x.shape[:axis], *lengths, *x.shape[axis + 1 :]))

    def extra_repr(self) -> str:
        return shown(self, ("dim", "unflattened_size"))
