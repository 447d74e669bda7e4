"""The dense product, flattening, and dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeMismatch, called, floating, fraction, one_dtype, operand
from ..seeding import RandomSource, generator

__all__ = ["dropout", "flatten", "linear"]


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x Wᵀ + b, over the last axis.

    Parameters
    ----------
    input : Tensor or array of shape (…, in)
    weight : Tensor or array of shape (out, in)
    bias : Tensor or array of shape (out,), optional

    Returns
    -------
    Tensor or array of shape (…, out)

    Raises
    ------
    ShapeMismatch
        If the last axis of `input` is not the last of `weight`; a ValueError.
    DtypeMismatch
        If `input` holds integers, or is a Tensor of another dtype than the Tensor `weight`; a TypeError.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.linear(Tensor([1.0, 2.0]), Tensor([[1.0, 0.0], [3.0, 4.0]]), Tensor([0.5, 0.5])).data
    array([ 1.5, 11.5])
    """
    input, weight = floating(input, "linear"), operand(weight, "linear: weight")
    if weight.ndim != 2:
        raise ShapeMismatch(f"linear: a weight of shape (out, in) is needed, got {weight.shape}")
    if input.ndim == 0 or input.shape[-1] != weight.shape[1]:
        got = f"{input.shape[-1]} features" if input.ndim else "no axis"
        raise ShapeMismatch(
            f"linear: the input of shape {input.shape} has {got}, but {called(weight, 'the weight')} of shape "
            f"{weight.shape} takes {weight.shape[1]}"
        )
    one_dtype(input, weight, "linear", "the weight")
    out = np.inner(input, weight)
    if bias is None:
        return out
    bias = operand(bias, "linear: bias")
    if bias.shape != (weight.shape[0],):
        raise ShapeMismatch(f"linear: a bias of shape ({weight.shape[0]},) is needed, got {bias.shape}")
    return out + bias


def flatten(input: Any, start_dim: int = 1, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim` as one."""
    input = operand(input, "flatten")
    shape, ndim = input.shape, input.ndim
    first, last = (d + ndim if d < 0 else d for d in (start_dim, end_dim))
    if not 0 <= first <= last < ndim:
        raise ShapeMismatch(f"flatten: there are no axes {start_dim} to {end_dim} in an input of shape {shape}")
    length = 1
    for n in shape[first : last + 1]:
        length *= n
    return input.reshape((*shape[:first], length, *shape[last + 1 :]))


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
    if not training or p == 0:
        return input
    kept = generator(rng).random(input.shape, dtype=np.float32) >= p
    mask = kept * input.dtype.type(1 / (1 - p) if p < 1 else 0)
    mask.setflags(write=False)
    return input * mask
