"""Dropout: what is left out in training only."""

from __future__ import annotations

from typing import Any

from ..errors import fraction
from ..seeding import RandomSource, generator
from .shown import Function

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class Dropout(Function):
    """In training each element is 0 with probability `p` and the others are divided by 1 − p: `functional.dropout`.

    Parameters
    ----------
    p : float, optional
    inplace : bool, optional
        Accepted, without effect: Tensors never change in place.
    rng : int or numpy.random.Generator, optional
        Where masks are drawn from; the generator of `nn.manual_seed` unless told.
    """

    _function = "dropout"

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: RandomSource = None):
        fraction(p, f"{type(self).__name__}: p")
        self._set_options(p=p, inplace=bool(inplace))
        self.rng = None if rng is None else generator(rng)

    def forward(self, x: Any) -> Any:
        return self._call(x, training=self.training, rng=self.rng)


class Dropout1d(Dropout):
    """`Dropout` of whole channels, of input of shape (N, C, L) or (C, L): `functional.dropout1d`."""

    _function = "dropout1d"


class Dropout2d(Dropout):
    """`Dropout` of whole channels, of images of shape (N, C, H, W): `functional.dropout2d`."""

    _function = "dropout2d"


class Dropout3d(Dropout):
    """`Dropout` of whole channels, of volumes of shape (N, C, D, H, W) or (C, D, H, W): `functional.dropout3d`."""

    _function = "dropout3d"


class AlphaDropout(Dropout):
    """`Dropout` to −1.7581 that keeps mean 0 and variance 1, for `SELU`: `functional.alpha_dropout`."""

    _function = "alpha_dropout"


class FeatureAlphaDropout(Dropout):
    """`AlphaDropout` of whole channels, of input of shape (N, C, …): `functional.feature_alpha_dropout`."""

    _function = "feature_alpha_dropout"
