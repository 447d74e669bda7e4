"""The dense product, that of two inputs, and flattening."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeMismatch, called, floating, one_dtype, operand

__all__ = ["bilinear", "flatten", "linear"]


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
    shape, needed = input.shape, weight.shape
    if len(needed) != 2:
        raise ShapeMismatch(f"linear: a weight of shape (out, in) is needed, got {needed}")
    if shape[-1:] != needed[1:]:
        got = f"{shape[-1]} features" if shape else "no axis"
        raise ShapeMismatch(
            f"linear: the input of shape {shape} has {got}, but {called(weight, 'the weight')} of shape "
            f"{needed} takes {needed[1]}"
        )
    one_dtype(input, weight, "linear", "the weight")
    out = np.inner(input, weight)
    if bias is None:
        return out
    bias = operand(bias, "linear: bias")
    if bias.shape != needed[:1]:
        raise ShapeMismatch(f"linear: a bias of shape ({needed[0]},) is needed, got {bias.shape}")
    return out + bias


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """x₁ᵀ Wₒ x₂ + bₒ for each output o, over the last axes.

    Parameters
    ----------
    input1 : Tensor or array of shape (…, in₁)
    input2 : Tensor or array of shape (…, in₂)
    weight : Tensor or array of shape (out, in₁, in₂)
    bias : Tensor or array of shape (out,), optional

    Returns
    -------
    Tensor or array of shape (…, out)

    Raises
    ------
    ShapeMismatch
        If the shapes don't fit; a ValueError.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.bilinear([1.0, 2.0], [3.0], [[[1.0], [10.0]]])
    array([63.])
    """
    input1, input2 = floating(input1, "bilinear: input1"), floating(input2, "bilinear: input2")
    weight = operand(weight, "bilinear: weight")
    if weight.ndim != 3:
        raise ShapeMismatch(f"bilinear: a weight of shape (out, in₁, in₂) is needed, got {weight.shape}")
    if input1.shape[-1:] != weight.shape[1:2] or input2.shape[-1:] != weight.shape[2:]:
        raise ShapeMismatch(
            f"bilinear: inputs of shape {input1.shape} and {input2.shape} do not fit {called(weight, 'the weight')} of "
            f"shape {weight.shape}: their last axes must have {weight.shape[1]} and {weight.shape[2]} elements"
        )
    if input1.shape[:-1] != input2.shape[:-1]:
        raise ShapeMismatch(
            f"bilinear: the inputs must have one shape but for the last axis, got {input1.shape} and {input2.shape}"
        )
    one_dtype(input1, weight, "bilinear", "the weight")
    out = (np.tensordot(input1, weight, ((input1.ndim - 1,), (1,))) * np.expand_dims(input2, -2)).sum(axis=-1)
    if bias is None:
        return out
    bias = operand(bias, "bilinear: bias")
    if bias.shape != (weight.shape[0],):
        raise ShapeMismatch(f"bilinear: a bias of shape ({weight.shape[0]},) is needed, got {bias.shape}")
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
