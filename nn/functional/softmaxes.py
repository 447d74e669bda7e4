"""Probabilities from logits along an axis, and what is like them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import reductions

from .. import naming
from ..errors import floating, operand
from ..seeding import RandomSource, generator
from .activations import axis_of
from .labels import numbers_of

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def softmax(input: Any, dim: int = -1, *, dtype: Any = None) -> Any:
    """eᶻⁱ / Σⱼ eᶻʲ along the axis `dim`: numbers of at least 0 that sum to 1, without overflow.

    With a `dtype` the input is cast to it first.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.softmax(Tensor([1000.0, 1000.0])).data
    array([0.5, 0.5])
    """
    input = _cast(operand(input, "softmax"), dtype)
    return naming.logits(input, reductions.softmax(input, axis=_axis(input, dim, "softmax")), "ŷ")


def log_softmax(input: Any, dim: int = -1, *, dtype: Any = None) -> Any:
    """log softmax(z) along the axis `dim`, exact also where the softmax itself would underflow to 0."""
    input = _cast(operand(input, "log_softmax"), dtype)
    return naming.logits(input, reductions.log_softmax(input, axis=_axis(input, dim, "log_softmax")), "log ŷ")


def softmin(input: Any, dim: int = -1, *, dtype: Any = None) -> Any:
    """softmax(−z) along the axis `dim`: the smallest gets the most.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.softmin([0.0, 1.0]).round(4)
    array([0.7311, 0.2689])
    """
    input = _cast(operand(input, "softmin"), dtype)
    return naming.logits(input, reductions.softmax(-input, axis=_axis(input, dim, "softmin")), "ŷ")


def gumbel_softmax(
    logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1, *, rng: RandomSource = None
) -> Any:
    """softmax((z + γ) / τ) with noise γ = −log(−log u): a draw from the classes that has a gradient.

    Parameters
    ----------
    logits : Tensor or array of floating dtype
        Logits z.
    tau : float above 0, optional
        The temperature τ: the lower, the nearer to a one-hot vector.
    hard : bool, optional
        Give the one-hot vector of the largest element; its gradient is that of the soft one.
    eps : float, optional
        Accepted, without effect, as in PyTorch.
    dim : int, optional
        The axis of the classes.
    rng : int or numpy.random.Generator, optional
        Where the noise is drawn from; the generator of `nn.manual_seed` unless told.

    Notes
    -----
    The largest element is class i with probability softmax(z)ᵢ: https://arxiv.org/abs/1611.01144.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.gumbel_softmax([5.0, 0.0, 0.0], hard=True, rng=0)
    array([1., 0., 0.])
    """
    logits = floating(logits, "gumbel_softmax")
    axis = axis_of(logits, dim, "gumbel_softmax")
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau must be above 0, got {tau!r}")
    noise = generator(rng).gumbel(size=logits.shape).astype(logits.dtype)
    noise.setflags(write=False)
    soft = reductions.softmax((logits + noise) / tau, axis=axis)
    if not hard:
        return soft
    numbers = numbers_of(soft)
    one_hot = np.zeros_like(numbers)
    np.put_along_axis(one_hot, numbers.argmax(axis=axis, keepdims=True), 1, axis=axis)
    return soft + (one_hot - numbers)


def _axis(input: Any, dim: int, what: str) -> int:
    return dim if input.ndim == 0 and dim in (0, -1) else axis_of(input, dim, what)


def _cast(input: Any, dtype: Any) -> Any:
    return input if dtype is None else input.astype(dtype)
