"""Convolutions with learned kernels, and their transposes."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..errors import ShapeMismatch
from ..functional.convolution import same_padding
from ..functional.pads import PADDINGS
from ..functional.windows import Sizes, sizes
from ..seeding import RandomSource
from .weighted import Weighted, at_least_1

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_MODES = ("zeros", *(mode for mode in PADDINGS if mode != "constant"))


class _Kernels(Weighted):
    """What convolutions and their transposes share: sizes, one for each of `_axes`, kernels and a bias."""

    weight_symbol = "g"
    _axes = 2

    def _set_sizes(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, dilation: Any, groups: int
    ) -> None:
        kind = type(self).__name__
        self.in_channels = at_least_1(in_channels, f"{kind}: in_channels")
        self.out_channels = at_least_1(out_channels, f"{kind}: out_channels")
        self.kernel_size = self._sizes(kernel_size, "kernel_size")
        self.stride = self._sizes(stride, "stride")
        self.dilation = self._sizes(dilation, "dilation")
        self.groups = at_least_1(groups, f"{kind}: groups")
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{kind}: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}"
            )

    def _sizes(self, value: Any, name: str, least: int = 1) -> tuple[int, ...]:
        return sizes(value, f"{type(self).__name__}: {name}", self._axes, least=least)

    def _shown(self, padding: Any, output_padding: Any = None, padding_mode: str = "zeros") -> str:
        ones, zeros = (1,) * self._axes, (0,) * self._axes
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if padding != zeros:
            parts.append(f"padding={padding!r}")
        if self.dilation != ones:
            parts.append(f"dilation={self.dilation}")
        if output_padding not in (None, zeros):
            parts.append(f"output_padding={output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if padding_mode != "zeros":
            parts.append(f"padding_mode={padding_mode}")
        return ", ".join(parts)


class _Conv(_Kernels):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        kind = type(self).__name__
        self._set_sizes(in_channels, out_channels, kernel_size, stride, dilation, groups)
        if isinstance(padding, str):
            if padding not in ("valid", "same"):
                raise ValueError(f"{kind}: padding must be 'valid', 'same', an int or a pair of ints, got {padding!r}")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(f"{kind}: padding='same' needs a stride of 1, got {self.stride}")
            self.padding: str | tuple[int, ...] = padding
        else:
            self.padding = self._sizes(padding, "padding", least=0)
        if padding_mode not in _MODES:
            raise ValueError(
                f"{kind}: padding_mode must be one of {', '.join(map(repr, _MODES))}, got {padding_mode!r}"
            )
        self.padding_mode = padding_mode
        self._set_parameters((out_channels, in_channels // groups, *self.kernel_size), bias, dtype, rng)

    def forward(self, x: Any) -> Any:
        padding: Any = self.padding
        if self.padding_mode != "zeros" and padding != "valid":
            same = padding == "same"
            pads = same_padding(self.kernel_size, self.dilation) if same else [(p, p) for p in padding]
            x = F.pad(x, [n for before, after in reversed(pads) for n in (before, after)], self.padding_mode)
            padding = 0
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self._axes - 1]
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        return self._shown(self.padding, padding_mode=self.padding_mode)


class Conv1d(_Conv):
    """A convolution of sequences with learned kernels: `functional.conv1d`. Else as `Conv2d`.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels // groups, K), named g⁽ᵏ⁾
    bias : Parameter of shape (out_channels,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Conv1d(4, 6, kernel_size=3, padding=1, padding_mode="circular")
    >>> layer(np.zeros((2, 4, 10))).shape
    (2, 6, 10)
    """

    _axes = 1


class Conv2d(_Conv):
    """A convolution of images with learned kernels: `functional.conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or (int, int)
    padding : int or (int, int), or "valid" or "same", optional
    groups : int, optional
        Must divide both numbers of channels.
    bias : bool, optional
    padding_mode : {"zeros", "reflect", "replicate", "circular"}, optional
        What the padding consists of, as in `functional.pad`.
    dtype, rng
        As for `Linear`.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels // groups, KH, KW), named g⁽ᵏ⁾
    bias : Parameter of shape (out_channels,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Conv2d(1, 6, kernel_size=5, padding="same")
    >>> layer(np.zeros((2, 1, 28, 28))).shape
    (2, 6, 28, 28)
    """


class Conv3d(_Conv):
    """A convolution of volumes with learned kernels: `functional.conv3d`. Else as `Conv2d`.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels // groups, KD, KH, KW), named g⁽ᵏ⁾
    bias : Parameter of shape (out_channels,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Conv3d(1, 6, kernel_size=(2, 3, 3))(np.zeros((2, 1, 4, 8, 8))).shape
    (2, 6, 3, 6, 6)
    """

    _axes = 3


class _ConvTranspose(_Kernels):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        self._set_sizes(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding = self._sizes(padding, "padding", least=0)
        self.output_padding = self._sizes(output_padding, "output_padding", least=0)
        if padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__}: padding_mode must be 'zeros', got {padding_mode!r}")
        self.padding_mode = padding_mode
        shape = (in_channels, out_channels // groups, *self.kernel_size)
        self._set_parameters(shape, bias, dtype, rng, outputs=out_channels)

    def forward(self, x: Any, output_size: Any = None) -> Any:
        extra = self.output_padding if output_size is None else self._extra(x.shape, output_size)
        convolve = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self._axes - 1]
        return convolve(x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, shape: tuple[int, ...], output_size: Any) -> tuple[int, ...]:
        """The output padding that gives an output of this size."""
        wanted = tuple(output_size)[-self._axes :] if len(output_size) == len(shape) else tuple(output_size)
        each = zip(shape[-self._axes :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in each)
        most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=True))
        if len(wanted) != self._axes or any(
            not low <= n <= high for low, n, high in zip(least, wanted, most, strict=True)
        ):
            raise ShapeMismatch(
                f"{type(self).__name__}: output_size must be from {least} to {most} for an input of shape {shape}, "
                f"got {output_size!r}"
            )
        return tuple(n - low for n, low in zip(wanted, least, strict=True))

    def extra_repr(self) -> str:
        return self._shown(self.padding, self.output_padding)


class ConvTranspose1d(_ConvTranspose):
    """The transpose of a convolution of sequences: `functional.conv_transpose1d`. Else as `ConvTranspose2d`.

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels // groups, K), named g⁽ᵏ⁾
    bias : Parameter of shape (out_channels,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ConvTranspose1d(4, 2, kernel_size=3, stride=2)(np.zeros((1, 4, 5))).shape
    (1, 2, 11)
    """

    _axes = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of a convolution of images with learned kernels: `functional.conv_transpose2d`.

    Called as ``layer(x, output_size)`` it pads the output to that size, (OH, OW) or all of its shape, where the stride
    leaves a choice.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, output_padding, dilation : int or (int, int)
    groups : int, optional
        Must divide both numbers of channels.
    bias : bool, optional
    padding_mode : "zeros", optional
        The only one there is.
    dtype, rng
        As for `Linear`.

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels // groups, KH, KW), named g⁽ᵏ⁾
    bias : Parameter of shape (out_channels,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.ConvTranspose2d(4, 2, kernel_size=2, stride=2)
    >>> layer(np.zeros((1, 4, 5, 5))).shape
    (1, 2, 10, 10)
    """


class ConvTranspose3d(_ConvTranspose):
    """The transpose of a convolution of volumes: `functional.conv_transpose3d`. Else as `ConvTranspose2d`.

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels // groups, KD, KH, KW), named g⁽ᵏ⁾
    bias : Parameter of shape (out_channels,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ConvTranspose3d(4, 2, kernel_size=2, stride=2)(np.zeros((1, 4, 2, 3, 4))).shape
    (1, 2, 4, 6, 8)
    """

    _axes = 3
