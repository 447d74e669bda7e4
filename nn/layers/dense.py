"""The dense layer, that of two inputs, flattening, and what passes its input on."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import init
from ..module import Module
from ..seeding import RandomSource, generator
from .weighted import Weighted, at_least_1

__all__ = ["Bilinear", "Flatten", "Identity", "Linear"]


class Linear(Weighted):
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
        self.in_features = at_least_1(in_features, "Linear: in_features")
        self.out_features = at_least_1(out_features, "Linear: out_features")
        self._set_parameters((out_features, in_features), bias, dtype, rng)

    def forward(self, x: Any) -> Any:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        bias = "" if self.bias is not None else ", bias=False"
        return f"in_features={self.in_features}, out_features={self.out_features}{bias}"


class Bilinear(Weighted):
    """A layer of two inputs, zₒ = x₁ᵀ Wₒ x₂ + bₒ.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool, optional
    dtype, rng
        As for `Linear`.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in1_features, in2_features), named W⁽ᵏ⁾
    bias : Parameter of shape (out_features,), named b⁽ˡ⁾, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Bilinear(4, 5, 3)
    >>> layer(np.ones((2, 4), np.float32), np.ones((2, 5), np.float32)).shape
    (2, 3)
    """

    weight_symbol = "W"

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        self.in1_features = at_least_1(in1_features, "Bilinear: in1_features")
        self.in2_features = at_least_1(in2_features, "Bilinear: in2_features")
        self.out_features = at_least_1(out_features, "Bilinear: out_features")
        self._set_parameters((out_features, in1_features, in2_features), bias, dtype, rng)

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw new parameters, evenly from ±1/√in1_features."""
        rng, bound = generator(rng), self.in1_features**-0.5
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                init.uniform_(parameter, -bound, bound, rng=rng)

    def forward(self, input1: Any, input2: Any) -> Any:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}"
        return sizes if self.bias is not None else f"{sizes}, bias=False"


class Identity(Module):
    """The input itself; whatever it is made with has no effect."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one; all but the batch axis unless told."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        return F.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
