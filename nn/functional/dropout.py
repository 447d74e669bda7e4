"""Dropout: of elements or of whole channels, to 0 or to what keeps mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeMismatch, floating, fraction
from ..seeding import RandomSource, generator
from .activations import SELU_ALPHA, SELU_SCALE

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def dropout(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: RandomSource = None
) -> Any:
    """Each element 0 with probability `p`, the others divided by 1 − p; the input itself when not training.

    The mask is an operand of the product, so that computing it again gives the same numbers.

    Parameters
    ----------
    input : Tensor or array of floating dtype
    p : float, optional
    training : bool, optional
    inplace : bool, optional
        Accepted as PyTorch has it, without effect: Tensors never change in place.
    rng : int or numpy.random.Generator, optional
        Where the mask is drawn from; the generator of `nn.manual_seed` unless told.
    """
    p = fraction(p, "dropout: p")
    input = floating(input, "dropout")
    return _dropped(input, p, input.shape, rng) if training and p else input


def dropout1d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: RandomSource = None
) -> Any:
    """`dropout` of whole channels (https://arxiv.org/abs/1411.4280): of input of shape (N, C, L) or (C, L)."""
    return _channels_dropped(input, p, training, rng, "dropout1d", {2: 1, 3: 2})


def dropout2d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: RandomSource = None
) -> Any:
    """`dropout` of whole channels (https://arxiv.org/abs/1411.4280): of images of shape (N, C, H, W).

    Three axes are taken as (N, C, L), as PyTorch does.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.dropout2d(np.ones((1, 4, 2, 2)), rng=0).sum(axis=(2, 3))
    array([[8., 8., 8., 0.]])
    """
    return _channels_dropped(input, p, training, rng, "dropout2d", {3: 2, 4: 2})


def dropout3d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: RandomSource = None
) -> Any:
    """`dropout` of whole channels: of volumes of shape (N, C, D, H, W) or (C, D, H, W)."""
    return _channels_dropped(input, p, training, rng, "dropout3d", {4: 1, 5: 2})


def alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False, *, rng: RandomSource = None
) -> Any:
    """Each element −1.7581 with probability `p`, then all scaled and moved so that mean 0 and variance 1 stay.

    For networks of `selu`, whose lower bound that is: https://arxiv.org/abs/1706.02515. Parameters as for `dropout`.
    """
    p = fraction(p, "alpha_dropout: p")
    input = floating(input, "alpha_dropout")
    return _to_alpha(input, p, input.shape, rng) if training and p else input


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False, *, rng: RandomSource = None
) -> Any:
    """`alpha_dropout` of whole channels: of input of shape (N, C, …)."""
    p = fraction(p, "feature_alpha_dropout: p")
    input = floating(input, "feature_alpha_dropout")
    if not training or p == 0:
        return input
    if input.ndim < 2:
        raise ShapeMismatch(f"feature_alpha_dropout: input of shape (N, C, …) is needed, got shape {input.shape}")
    return _to_alpha(input, p, _of_channels(input, 2), rng)


def _kept(shape: Any, p: float, rng: RandomSource) -> Any:
    return generator(rng).random(shape, dtype=np.float32) >= p


def _dropped(input: Any, p: float, shape: Any, rng: RandomSource) -> Any:
    mask = _kept(shape, p, rng) * input.dtype.type(1 / (1 - p) if p < 1 else 0)
    mask.setflags(write=False)
    return input * mask


def _channels_dropped(
    input: Any, p: float, training: bool, rng: RandomSource, what: str, before: dict[int, int]
) -> Any:
    """Dropout of whole channels; `before` says how many axes stand before those of a channel, for each ndim."""
    p, input = fraction(p, f"{what}: p"), floating(input, what)
    if input.ndim not in before:
        known = " or ".join(map(str, before))
        raise ShapeMismatch(f"{what}: input with {known} axes is needed, got shape {input.shape}")
    return _dropped(input, p, _of_channels(input, before[input.ndim]), rng) if training and p else input


def _of_channels(input: Any, before: int) -> Any:
    """The shape of a mask with one element for each channel."""
    return input.shape[:before] + (1,) * (input.ndim - before)


def _to_alpha(input: Any, p: float, shape: Any, rng: RandomSource) -> Any:
    kept = _kept(shape, p, rng)
    if p == 1:
        return input * kept
    low = -SELU_ALPHA * SELU_SCALE
    scale = 1 / ((1 - p) * (1 + p * low**2)) ** 0.5
    mask = kept * input.dtype.type(scale)
    moved = (~kept * (scale * low) - scale * low * p).astype(input.dtype)
    mask.setflags(write=False)
    moved.setflags(write=False)
    return input * mask + moved
