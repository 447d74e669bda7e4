"""Convolutions with learned kernels."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..functional.windows import Pair, pair
from ..seeding import RandomSource
from .weighted import Weighted, at_least_1

__all__ = ["Conv2d"]


class Conv2d(Weighted):
    """A convolution of images with learned kernels: `functional.conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or (int, int)
    padding : int or (int, int), or "valid" or "same", optional
    groups : int, optional
        Must divide both numbers of channels.
    bias : bool, optional
    padding_mode : "zeros", optional
        The only one there is.
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

    weight_symbol = "g"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        self.in_channels = at_least_1(in_channels, "Conv2d: in_channels")
        self.out_channels = at_least_1(out_channels, "Conv2d: out_channels")
        self.kernel_size = pair(kernel_size, "Conv2d: kernel_size")
        self.stride = pair(stride, "Conv2d: stride")
        self.dilation = pair(dilation, "Conv2d: dilation")
        self.groups = at_least_1(groups, "Conv2d: groups")
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2d: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}"
            )
        if isinstance(padding, str):
            if padding not in ("valid", "same"):
                raise ValueError(f"Conv2d: padding must be 'valid', 'same', an int or a pair of ints, got {padding!r}")
            if padding == "same" and self.stride != (1, 1):
                raise ValueError(f"Conv2d: padding='same' needs a stride of 1, got {self.stride}")
            self.padding: str | tuple[int, int] = padding
        else:
            self.padding = pair(padding, "Conv2d: padding", least=0)
        if padding_mode != "zeros":
            raise ValueError(f"Conv2d: padding_mode must be 'zeros', got {padding_mode!r}")
        self.padding_mode = padding_mode
        self._set_parameters((out_channels, in_channels // groups, *self.kernel_size), bias, dtype, rng)

    def forward(self, x: Any) -> Any:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding not in ((0, 0), "valid"):
            parts.append(f"padding={self.padding!r}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)
