"""Activations, of every element or along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import elementwise, reductions

from .. import naming
from ..errors import ShapeMismatch, operand

__all__ = ["log_softmax", "relu", "sigmoid", "softmax", "tanh"]


def sigmoid(input: Any) -> Any:
    """The logistic function σ(z) = 1 / (1 + e⁻ᶻ) of every element, without overflow. Its derivative is a (1 − a)."""
    input = operand(input, "sigmoid")
    return naming.activation(input, elementwise.sigmoid(input))


def relu(input: Any, inplace: bool = False) -> Any:
    """max(z, 0) of every element; the derivative at 0 is 0.

    `inplace` is accepted as PyTorch has it, without effect: Tensors never change in place.
    """
    input = operand(input, "relu")
    return naming.activation(input, elementwise.relu(input))


def tanh(input: Any) -> Any:
    """The hyperbolic tangent of every element."""
    input = operand(input, "tanh")
    return naming.activation(input, np.tanh(input))


def softmax(input: Any, dim: int = -1) -> Any:
    """eᶻⁱ / Σⱼ eᶻʲ along the axis `dim`: numbers of at least 0 that sum to 1, without overflow.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.softmax(Tensor([1000.0, 1000.0])).data
    array([0.5, 0.5])
    """
    input = operand(input, "softmax")
    return naming.logits(input, reductions.softmax(input, axis=_axis(input, dim, "softmax")), "ŷ")


def log_softmax(input: Any, dim: int = -1) -> Any:
    """log softmax(z) along the axis `dim`, exact also where the softmax itself would underflow to 0."""
    input = operand(input, "log_softmax")
    return naming.logits(input, reductions.log_softmax(input, axis=_axis(input, dim, "log_softmax")), "log ŷ")


def _axis(input: Any, dim: int, what: str) -> int:
    if not isinstance(dim, int | np.integer):
        raise TypeError(f"{what}: dim must be an integer, got {dim!r}")
    if not -input.ndim <= dim < input.ndim:
        raise ShapeMismatch(f"{what}: there is no axis {dim} in an input of shape {input.shape}")
    if not input.shape[dim]:
        raise ShapeMismatch(f"{what}: axis {dim} of an input of shape {input.shape} has no elements")
    return int(dim)
