"""Losses of classes, each a function; `nn.layers.losses` has them as Modules. A scalar loss is named L on the tape.

Which one for what the network ends with:

=========================  =======================================================
the network ends with      the loss
=========================  =======================================================
logits z                   `cross_entropy` (log-softmax and `nll_loss` in one)
``Softmax`` → ŷ            `log_loss`: −mean log ŷ of the right class
``log_softmax``            `nll_loss`
one logit (yes or no)      `binary_cross_entropy_with_logits`
``Sigmoid``                `binary_cross_entropy`
numbers                    `mse_loss`
=========================  =======================================================
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

from autograd import Tensor, defvjp, primitive
from autograd.libraries import beside
from autograd.nests import numbers_of
from autograd.recording import IS_HIDDEN
from autograd.rules import reductions
from autograd.rules.elementwise import some

from .. import naming
from ..errors import fraction, operand, seen
from .dense import linear
from .labels import class_axis, class_labels, class_weights, is_classes, picked_by, rows_of, share_of, total_share
from .reduction import like, reduced, scores, times, weighted

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "linear_cross_entropy",
    "log_loss",
    "nll_loss",
]

# --- classes ----------------------------------------------------------------------------------------------------------


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """−Σ y log softmax(z), computed from the logits z without overflow or underflow, averaged over the batch.

    Parameters
    ----------
    input : Tensor of shape (N, C), or (C,), or (N, C, d₁, …)
        Logits: the scores of C classes, before any softmax.
    target : array or Tensor
        Integers from 0 to C − 1 of shape (N,), (), or (N, d₁, …): the right classes. Or probabilities of the input's
        shape.
    weight : array_like of shape (C,), optional
        How much each class counts.
    ignore_index : int, optional
        A class label that does not count.
    reduction : "mean", "sum" or "none", optional
    label_smoothing : float from 0 to 1, optional
        How much of the target is spread evenly over all classes.

    Raises
    ------
    ValueError
        If a label is out of range (which, and where), or shapes don't fit.

    Notes
    -----
    The gradient with respect to z is softmax(z) − y, divided by N.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> z = Tensor([[2.0, 0.0, 0.0]])
    >>> loss = F.cross_entropy(z, [0])
    >>> loss.backward()
    >>> z.grad.round(4)
    array([[-0.213 ,  0.1065,  0.1065]])
    """
    label_smoothing = fraction(label_smoothing, "cross_entropy: label_smoothing")
    input, target = operand(input, "cross_entropy"), operand(target, "cross_entropy: target")
    if isinstance(input, Tensor) and not input.is_leaf and input.node.op == "softmax":
        warnings.warn(
            "cross_entropy takes logits, but was given the output of a softmax, and applies another one: leave the "
            "softmax out, or use log_loss",
            stacklevel=_users_level(),
        )
    axis = class_axis(input, "cross_entropy")
    scale = class_weights(weight, input, "cross_entropy")
    counts = share = None
    if is_classes(target, input):
        labels, counts = class_labels(target, input.shape, ignore_index, "cross_entropy")
        input = _without_ignored(input, counts, axis)
        if not label_smoothing:
            log_probabilities = reductions.log_softmax(input, axis=axis)
            return _nll(log_probabilities, labels, counts, scale, reduction, "cross_entropy")
        target = np.moveaxis(rows_of(labels, input.shape[axis], input.dtype), -1, axis)
        share = share_of(labels, counts, scale, input.dtype)
    else:
        target = like(target, input, "cross_entropy")
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.shape[axis]
    if scale is not None:
        target = target * beside(target, scale.reshape((-1,) + (1,) * (input.ndim - 1 - axis)))
    values = -times(reductions.log_softmax(input, axis=axis), target).sum(axis=axis)
    if counts is not None:
        values = values * counts
    if share is None or reduction != "mean":
        return reduced(values, reduction)
    return naming.loss(values.sum() / total_share(share, "cross_entropy"))


def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Any:
    """`cross_entropy` of the logits x Wᵀ + b.

    Parameters
    ----------
    input : Tensor or array of shape (N, in), or (in,)
    linear_weight : Tensor or array of shape (C, in), or (C, d₁, …, in)
        Of (C, d₁, …, in) there are logits of shape (N, C, d₁, …).
    target : array or Tensor
        As for `cross_entropy`.
    linear_bias : Tensor or array of shape (C,), or (C, d₁, …), optional
    weight, reduction, ignore_index, label_smoothing
        As for `cross_entropy`.
    options : optional
        How PyTorch is to split the work, which changes no value: here the logits are always made whole.

    Examples
    --------
    >>> from nn import functional as F
    >>> round(float(F.linear_cross_entropy([1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]], 1)), 4)
    0.3133
    """
    linear_weight = operand(linear_weight, "linear_cross_entropy: linear_weight")
    classes = linear_weight.shape[:-1]
    bias = None if linear_bias is None else operand(linear_bias, "linear_cross_entropy: linear_bias").reshape(-1)
    logits = linear(input, linear_weight.reshape(-1, linear_weight.shape[-1]), bias)
    logits = logits if len(classes) == 1 else logits.reshape(*logits.shape[:-1], *classes)
    return cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


def _users_level() -> int:
    """The `stacklevel` at which the caller's warning names the line of the program, not one of the libraries'."""
    level, frame = 1, sys._getframe(1)
    while IS_HIDDEN[frame.f_code.co_filename] and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    return level


def nll_loss(input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """−log p of the right class, from logarithms of probabilities, averaged over the batch.

    Parameters
    ----------
    input : Tensor of shape (N, C), or (C,), or (N, C, d₁, …)
        What `log_softmax` gives.
    target : array of integers of shape (N,), (), or (N, d₁, …)
    weight, ignore_index, reduction
        As for `cross_entropy`.
    """
    input, target = operand(input, "nll_loss"), operand(target, "nll_loss: target")
    axis = class_axis(input, "nll_loss")
    labels, counts = class_labels(target, input.shape, ignore_index, "nll_loss")
    scale = class_weights(weight, input, "nll_loss")
    return _nll(_without_ignored(input, counts, axis), labels, counts, scale, reduction, "nll_loss")


def log_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """−Σ y log ŷ, the cross-entropy of probabilities: for a network that ends with a softmax, averaged over the batch.

    Parameters
    ----------
    input : Tensor of shape (N, C), or (C,), or (N, C, d₁, …)
        Probabilities ŷ.
    target : array or Tensor
        Integers, the right classes; or probabilities of the input's shape.
    reduction : "mean", "sum" or "none", optional

    Raises
    ------
    ValueError
        If the input holds numbers below 0 or above 1, or a label is out of range.

    Notes
    -----
    Together with the rule of the softmax its gradient with respect to the logits is ŷ − y, divided by N. A ŷ that
    underflowed to 0 counts as the smallest number of its dtype, and passes no gradient on; `cross_entropy` of the
    logits is exact there too.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> z = Tensor([[2.0, 0.0, 0.0]])
    >>> loss = F.log_loss(F.softmax(z), [0])
    >>> loss.backward()
    >>> z.grad.round(4)
    array([[-0.213 ,  0.1065,  0.1065]])
    """
    input, target = operand(input, "log_loss"), operand(target, "log_loss: target")
    axis = class_axis(input, "log_loss")
    numbers = numbers_of(input)
    if seen((numbers < 0) | (numbers > 1.001)) and not seen(np.isnan(numbers)):
        raise ValueError(
            f"log_loss takes probabilities, got numbers from {numbers.min():.4g} to {numbers.max():.4g}: for "
            "logits use cross_entropy"
        )
    if is_classes(target, input):
        picked = picked_by(class_labels(target, input.shape, None, "log_loss")[0], input)
        return _negative_mean(np.log(_above_zero(picked)), reduction)
    target = like(target, input, "log_loss")
    return reduced(-(np.log(_above_zero(input)) * target).sum(axis=axis), reduction)


def _above_zero(p: Any) -> Any:
    """`p` itself, unless an element is exactly 0: such elements as the smallest normal number."""
    return p if not some(numbers_of(p) == 0) else np.maximum(p, float(np.finfo(p.dtype).tiny))


def _negative_mean(values: Any, reduction: str) -> Any:
    if reduction != "mean" or not values.size:
        return reduced(-values, reduction)
    return naming.loss(-values.mean())


def _without_ignored(input: Any, counts: Any, axis: int) -> Any:
    """Scores, with 0 for those of examples that do not count where there are NaN or infinities among them."""
    if counts is None or not some(~np.isfinite(numbers_of(input))):
        return input
    return np.where(np.expand_dims(counts, axis), input, 0.0)


def _nll(input: Any, labels: Any, counts: Any, scale: Any, reduction: str, what: str) -> Any:
    picked = picked_by(labels, input)
    if scale is None and counts is None:
        return _negative_mean(picked, reduction)
    share = share_of(labels, counts, scale, input.dtype)
    values = -times(picked, share)
    if reduction != "mean":
        return reduced(values, reduction)
    return naming.loss(values.sum() / total_share(share, what))


# --- yes or no --------------------------------------------------------------------------------------------------------


@primitive
def clamped_log(p: Any) -> Any:
    """log p, but not below −100, nor its slope above 10¹²: what PyTorch's binary cross-entropy takes for log 0."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)


defvjp(clamped_log, lambda g, out, p: g / np.maximum(p, 1e-12))


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """−(y log p + (1 − y) log(1 − p)), averaged; logarithms are held above −100.

    Parameters
    ----------
    input : Tensor of any shape
        Probabilities p, from a sigmoid.
    target : array or Tensor of the same shape
        0 or 1, or between.
    weight : array_like that broadcasts to the shape, optional
    reduction : "mean", "sum" or "none", optional

    Raises
    ------
    ValueError
        If the input holds numbers below 0 or above 1.
    """
    input = scores(input, "binary_cross_entropy")
    numbers = numbers_of(input)
    if seen((numbers < 0) | (numbers > 1)):
        raise ValueError(
            f"binary_cross_entropy takes probabilities, got numbers from {numbers.min():.4g} to {numbers.max():.4g}: "
            "for logits use binary_cross_entropy_with_logits"
        )
    y = like(target, input, "binary_cross_entropy")
    values = -(clamped_log(input) * y + clamped_log(1 - input) * (1 - y))
    return reduced(weighted(values, weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Binary cross-entropy of σ(z), computed from the logits z without overflow, averaged.

    Parameters
    ----------
    input : Tensor of any shape
        Logits z.
    target : array or Tensor of the same shape
        0 or 1, or between.
    weight, pos_weight : array_like that broadcast to the shape, optional
        How much each element counts; how much more the positive ones do.
    reduction : "mean", "sum" or "none", optional

    Notes
    -----
    It is log(1 + eᶻ) − y z, whose derivative is σ(z) − y.
    """
    input = scores(input, "binary_cross_entropy_with_logits")
    y = like(target, input, "binary_cross_entropy_with_logits")
    more = 0 if pos_weight is None else beside(y, operand(pos_weight, "pos_weight").astype(input.dtype) - 1)
    if some(np.isinf(numbers_of(input))):
        # no difference of infinities: each of the two losses with its weight
        yes, no = (times(np.logaddexp(0.0, z), share) for z, share in ((-input, y * (more + 1)), (input, 1 - y)))
        values = yes + no
    elif pos_weight is None:
        values = np.logaddexp(0.0, input) - input * y
    else:
        values = (1 - y) * input + (y * more + 1) * np.logaddexp(0.0, -input)
    return reduced(weighted(values, weight), reduction)
