"""The layers: each a thin Module over a function of `nn.functional`. Signatures and defaults are PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import functional as F
from . import init, naming
from .convolution import Pair, no_indices, pair, pooling_sizes
from .errors import fraction
from .module import Module, Parameter
from .seeding import RandomSource, generator

__all__ = ["AvgPool2d", "Conv2d", "Dropout", "Flatten", "Linear", "MaxPool2d", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class _Weighted(Module):
    """A layer with a weight and, perhaps, a bias, drawn as PyTorch draws them: evenly from ±1/√fan_in."""

    weight: Parameter
    bias: Parameter | None

    def _set_parameters(self, shape: tuple[int, ...], bias: bool, dtype: Any, rng: RandomSource) -> None:
        dtype = np.dtype(np.float32 if dtype is None else dtype)
        if dtype.kind != "f":
            raise TypeError(f"{type(self).__name__}: dtype must be a floating one, got {dtype}")
        self.weight = Parameter(np.zeros(shape, dtype), copy=False)
        self.bias = Parameter(np.zeros(shape[0], dtype), copy=False) if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw new parameters: `init.kaiming_uniform_` with a = √5 for the weight, ±1/√fan_in for the bias."""
        rng = generator(rng)
        init.kaiming_uniform_(self.weight, a=math.sqrt(5), rng=rng)
        if self.bias is not None:
            bound = 1 / math.sqrt(init.fans(self.weight)[0])
            init.uniform_(self.bias, -bound, bound, rng=rng)


class Linear(_Weighted):
    """A dense layer, z = x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool, optional
    dtype : floating dtype, optional
        float32 unless told.
    rng : int or numpy.random.Generator, optional
        Where the initial parameters are drawn from; the generator of `nn.manual_seed` unless told.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features), named W⁽ᵏ⁾
    bias : Parameter of shape (out_features,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Linear(4, 3)
    >>> layer(np.ones((2, 4), np.float32)).shape
    (2, 3)
    """

    weight_symbol = "W"

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, dtype: Any = None, rng: RandomSource = None
    ):
        self.in_features = _at_least_1(in_features, "Linear: in_features")
        self.out_features = _at_least_1(out_features, "Linear: out_features")
        self._set_parameters((out_features, in_features), bias, dtype, rng)

    def forward(self, x: Any) -> Any:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        bias = "" if self.bias is not None else ", bias=False"
        return f"in_features={self.in_features}, out_features={self.out_features}{bias}"


class Conv2d(_Weighted):
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
        self.in_channels = _at_least_1(in_channels, "Conv2d: in_channels")
        self.out_channels = _at_least_1(out_channels, "Conv2d: out_channels")
        self.kernel_size = pair(kernel_size, "Conv2d: kernel_size")
        self.stride = pair(stride, "Conv2d: stride")
        self.dilation = pair(dilation, "Conv2d: dilation")
        self.groups = _at_least_1(groups, "Conv2d: groups")
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


class MaxPool2d(Module):
    """The largest element of each window: `functional.max_pool2d`. `return_indices` must be False.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxPool2d(2)(np.zeros((1, 6, 24, 24))).shape
    (1, 6, 12, 12)
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        dilation: Pair = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        no_indices(return_indices, "MaxPool2d")
        pooling_sizes(kernel_size, stride, padding, dilation, "MaxPool2d")
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.ceil_mode = ceil_mode

    def forward(self, x: Any) -> Any:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window: `functional.avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AvgPool2d(2)(np.zeros((1, 6, 24, 24))).shape
    (1, 6, 12, 12)
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        pooling_sizes(kernel_size, stride, padding, 1, "AvgPool2d")
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        return F.avg_pool2d(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one; all but the batch axis unless told."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        return F.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Sigmoid(Module):
    """σ(z) = 1 / (1 + e⁻ᶻ): `functional.sigmoid`."""

    def forward(self, x: Any) -> Any:
        return F.sigmoid(x)


class ReLU(Module):
    """max(z, 0): `functional.relu`. `inplace` is accepted, without effect: Tensors never change in place."""

    def __init__(self, inplace: bool = False):
        self.inplace = bool(inplace)

    def forward(self, x: Any) -> Any:
        return F.relu(x)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Tanh(Module):
    """tanh z: `functional.tanh`."""

    def forward(self, x: Any) -> Any:
        return F.tanh(x)


class Softmax(Module):
    """Probabilities from logits, along the axis `dim`, named ŷ: `functional.softmax`. Train it with `log_loss`."""

    def __init__(self, dim: int = -1):
        self.dim = dim

    def forward(self, x: Any) -> Any:
        return naming.prediction(F.softmax(x, self.dim))

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Dropout(Module):
    """In training each element is 0 with probability `p` and the others are divided by 1 − p: `functional.dropout`.

    Parameters
    ----------
    p : float, optional
    inplace : bool, optional
        Accepted, without effect: Tensors never change in place.
    rng : int or numpy.random.Generator, optional
        Where masks are drawn from; the generator of `nn.manual_seed` unless told.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: RandomSource = None):
        fraction(p, "Dropout: p")
        self.p = p
        self.inplace = bool(inplace)
        self.rng = None if rng is None else generator(rng)

    def forward(self, x: Any) -> Any:
        return F.dropout(x, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace=True" if self.inplace else f"p={self.p}"


def _at_least_1(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
    return int(value)
