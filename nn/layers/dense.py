"""The dense layer, flattening, and dropout."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..errors import fraction
from ..module import Module
from ..seeding import RandomSource, generator
from .weighted import Weighted, at_least_1

__all__ = ["Dropout", "Flatten", "Linear"]


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


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one; all but the batch axis unless told."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        return F.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


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
