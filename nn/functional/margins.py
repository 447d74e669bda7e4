"""Losses that ask for a margin between right and wrong, or near and far. A scalar loss is named L on the tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.libraries import foreign
from autograd.nests import numbers_of
from autograd.rules import elementwise

from ..errors import DtypeMismatch, ShapeMismatch, operand
from .distances import pairwise_distance
from .labels import check_labels, class_axis, class_labels, class_weights, picked_by, rows_of, share_of
from .reduction import like, reduced, scores, weighted

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def _hinge(x: Any) -> Any:
    """max(x, 0) with slope 1 at 0: a margin that is just kept is still pulled at, as in PyTorch."""
    return np.clip(x, 0.0, None)


# --- one input: right or wrong ----------------------------------------------------------------------------------------


def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """log(1 + e^(−y z)), averaged, without overflow.

    Parameters
    ----------
    input : Tensor of any shape
        Scores z.
    target : Tensor or array of the same shape
        y: 1 or −1.
    reduction : "mean", "sum" or "none", optional

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.soft_margin_loss([0.0], [1.0]).round(4))  # log 2
    0.6931
    """
    input = scores(input, "soft_margin_loss")
    return reduced(np.logaddexp(0.0, -input * like(target, input, "soft_margin_loss")), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Any:
    """d where y = 1, max(0, margin − d) where y = −1, averaged.

    Parameters
    ----------
    input : Tensor of any shape
        Distances d.
    target : array of the same shape
        y: 1 where two are alike, −1 where they are not.
    margin : float, optional
    reduction : "mean", "sum" or "none", optional

    Examples
    --------
    >>> from nn import functional as F
    >>> F.hinge_embedding_loss([0.25, 0.25], [1.0, -1.0], reduction="none")
    array([0.25, 0.75])
    """
    input = scores(input, "hinge_embedding_loss")
    y = numbers_of(like(target, input, "hinge_embedding_loss"))
    return reduced(np.where(y != -1, input, 0.0) + np.where(y != 1, _hinge(margin - input), 0.0), reduction)


# --- one input: classes -----------------------------------------------------------------------------------------------


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """Σ max(0, margin − z_y + zᵢ)ᵖ / C over the classes i that are not the right one y, averaged over the batch.

    Parameters
    ----------
    input : Tensor of shape (N, C) or (C,)
        Scores z.
    target : array of integers of shape (N,) or ()
        The right classes y.
    p : 1 or 2, optional
    margin : float, optional
    weight : array_like of shape (C,), optional
        How much each class counts.
    reduction : "mean", "sum" or "none", optional

    Raises
    ------
    ValueError
        If a label is out of range, shapes don't fit, or `p` is another number.

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.multi_margin_loss([[0.5, 0.25]], [0]))  # (1 − 0.5 + 0.25) / 2
    0.375
    """
    input, target = operand(input, "multi_margin_loss"), operand(target, "multi_margin_loss: target")
    class_axis(input, "multi_margin_loss")
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2, got {p!r}")
    if input.ndim > 2:
        raise ShapeMismatch(f"multi_margin_loss: scores of shape (N, C) or (C,) are needed, got shape {input.shape}")
    labels, _ = class_labels(target, input.shape, None, "multi_margin_loss")
    scale = class_weights(weight, input, "multi_margin_loss")
    classes = input.shape[-1]
    share = (1 - rows_of(labels, classes, input.dtype)) * input.dtype.type(1 / classes)
    share = share if scale is None else share * np.expand_dims(share_of(labels, None, scale, input.dtype), -1)
    right = np.expand_dims(picked_by(labels, input), -1)
    short = elementwise.relu(input - right + margin)
    return reduced(((short if p == 1 else np.square(short)) * share).sum(axis=-1), reduction)


def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Σ max(0, 1 − z_y + zᵢ) / C over the right classes y and the others i, averaged over the batch.

    Parameters
    ----------
    input : Tensor of shape (N, C) or (C,)
        Scores z.
    target : array of integers of the same shape
        In each row the right classes, then −1; what follows it does not count.
    reduction : "mean", "sum" or "none", optional

    Examples
    --------
    >>> from nn import functional as F
    >>> round(float(F.multilabel_margin_loss([[0.1, 0.2, 0.4, 0.8]], [[3, 0, -1, 1]])), 4)
    0.85
    """
    input = scores(input, "multilabel_margin_loss")
    labels = numbers_of(operand(target, "multilabel_margin_loss: target"))
    if labels.dtype.kind not in "iu":
        raise DtypeMismatch(f"multilabel_margin_loss: class labels must be integers, got dtype {labels.dtype}")
    if input.ndim not in (1, 2) or labels.shape != input.shape:
        raise ShapeMismatch(
            f"multilabel_margin_loss: scores of shape (N, C) or (C,) and labels of the same shape are needed, got "
            f"{input.shape} and {labels.shape}"
        )
    classes = input.shape[-1]
    right = np.cumprod(labels != -1, axis=-1, dtype=np.int64).astype(bool)
    check_labels(labels, classes, "multilabel_margin_loss", right)
    labels = np.where(right, labels, 0)
    chosen = rows_of(labels, classes, bool)
    wrong = ~(right[..., None] & chosen).any(axis=-2)
    share = (right[..., :, None] & wrong[..., None, :]) * input.dtype.type(1 / max(classes, 1))
    if foreign(labels) or foreign(numbers_of(input)):
        z = np.where(chosen, np.expand_dims(input, -2), 0.0).sum(axis=-1)
    else:
        z = np.take_along_axis(input, labels, axis=-1)
    short = elementwise.relu(np.expand_dims(input, -2) - np.expand_dims(z, -1) + 1)
    return reduced((short * share).sum(axis=(-2, -1)), reduction)


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """−(y log σ(z) + (1 − y) log(1 − σ(z))), the mean over the classes, averaged over the batch.

    Parameters
    ----------
    input : Tensor of shape (N, C), or of another whose last axis is the classes
        Logits z.
    target : Tensor or array of the same shape
        y: 1 where a class is right, 0 where it is not.
    weight : array_like of shape (C,), optional
    reduction : "mean", "sum" or "none", optional

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.multilabel_soft_margin_loss([[0.0, 0.0]], [[1.0, 0.0]]).round(4))  # log 2
    0.6931
    """
    what = "multilabel_soft_margin_loss"
    input = scores(input, what)
    y = like(target, input, what)
    if not input.ndim:
        raise ShapeMismatch(f"{what}: scores of shape (N, C) or (C,) are needed, got shape ()")
    values = np.logaddexp(0.0, -input) * y + np.logaddexp(0.0, input) * (1 - y)
    return reduced(weighted(values, weight).mean(axis=-1), reduction)


# --- two and three inputs ---------------------------------------------------------------------------------------------


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean") -> Any:
    """max(0, −y (x₁ − x₂) + margin), averaged: x₁ is to rank higher where y = 1, lower where y = −1.

    Parameters
    ----------
    input1, input2 : Tensors of one shape
    target : array of the same shape
    margin : float, optional
    reduction : "mean", "sum" or "none", optional

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.margin_ranking_loss([1.0], [3.0], [1.0]))
    2.0
    """
    input1 = scores(input1, "margin_ranking_loss")
    input2 = like(input2, input1, "margin_ranking_loss", "input2")
    y = like(target, input1, "margin_ranking_loss")
    return reduced(_hinge((input2 - input1) * y + margin), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """1 − cos where y = 1, max(0, cos − margin) where y = −1, with the cosine of the angle of two vectors; averaged.

    Parameters
    ----------
    input1, input2 : Tensors of shape (N, D) or (D,)
    target : array of shape (N,) or ()
        y: 1 where two are alike, −1 where they are not.
    margin : float, optional
    reduction : "mean", "sum" or "none", optional

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.cosine_embedding_loss([[1.0, 0.0]], [[3.0, 4.0]], [1]).round(4))
    0.4
    """
    what = "cosine_embedding_loss"
    x1 = scores(input1, what)
    x2 = like(input2, x1, what, "input2")
    y = numbers_of(operand(target, f"{what}: target"))
    if x1.ndim not in (1, 2) or y.shape != x1.shape[:-1]:
        raise ShapeMismatch(
            f"{what}: vectors of shape (N, D) and a target of shape (N,), or (D,) and (), are needed, got {x1.shape} "
            f"and {y.shape}"
        )
    tiny = 1e-12 if x1.dtype != np.float16 else 1e-4
    squares = (np.square(x1).sum(axis=-1) + tiny) * (np.square(x2).sum(axis=-1) + tiny)
    cosine = (x1 * x2).sum(axis=-1) / np.sqrt(squares)
    return reduced(np.where(y == 1, 1 - cosine, 0.0) + np.where(y == -1, _hinge(cosine - margin), 0.0), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Any:
    """max(0, d(a, p) − d(a, n) + margin) with d = ‖· + ε‖ₚ, averaged: like ones are to be nearer than unlike ones.

    Parameters
    ----------
    anchor, positive, negative : Tensors of shape (N, D) or (D,)
    margin : float, optional
    p, eps : float, optional
        As for `pairwise_distance`.
    swap : bool, optional
        Take d(p, n) for d(a, n) where it is smaller.
    reduction : "mean", "sum" or "none", optional

    Notes
    -----
    Balntas, Riba, Ponsa and Mikolajczyk, https://doi.org/10.5244/C.30.119.

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.triplet_margin_loss([[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 2.0]]).round(4))  # 5 − 2 + 1
    4.0
    """
    return _triplet(
        "triplet_margin_loss",
        (anchor, positive, negative),
        lambda a, b: pairwise_distance(a, b, p, eps),
        margin,
        swap,
        reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with any distance, a function of two Tensors; `pairwise_distance` unless told.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> city = lambda a, b: np.abs(a - b).sum(axis=-1)
    >>> float(F.triplet_margin_with_distance_loss([[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 2.0]], distance_function=city))
    6.0
    """
    distance = pairwise_distance if distance_function is None else distance_function
    inputs = anchor, positive, negative
    return _triplet("triplet_margin_with_distance_loss", inputs, distance, margin, swap, reduction)


def _triplet(what: str, inputs: Any, distance: Any, margin: float, swap: bool, reduction: str) -> Any:
    anchor, positive, negative = (scores(x, what) for x in inputs)
    if not margin > 0:
        raise ValueError(f"{what}: margin must be above 0, got {margin!r}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeMismatch(
            f"{what}: as many axes are needed in each input, got shapes {anchor.shape}, {positive.shape} and "
            f"{negative.shape}"
        )
    far = distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return reduced(_hinge(distance(anchor, positive) - far + margin), reduction)
