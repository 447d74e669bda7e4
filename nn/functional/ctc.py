"""Connectionist temporal classification: the loss of a label sequence whose place in time is not known."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules import reductions

from .. import naming
from ..errors import DtypeMismatch, ShapeMismatch, operand
from .reduction import reduced, scores

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """−log of the probability of all paths through time that read as the labels, repeats merged and blanks left out.

    Parameters
    ----------
    log_probs : Tensor of shape (T, N, C) or (T, C)
        Logarithms of probabilities of C classes at T times, from `log_softmax`.
    targets : array of integers of shape (N, S), or (S,) for one; or all label sequences one after the other
    input_lengths, target_lengths : array of integers of shape (N,), or ()
        How many times, and how many labels, each example has.
    blank : int, optional
        The class that stands for no label.
    reduction : "mean", "sum" or "none", optional
        "mean" divides each loss by the number of its labels first.
    zero_infinity : bool, optional
        Count 0, with gradient 0, what has no path (more labels than times), instead of ∞.

    Returns
    -------
    Tensor of shape (), or (N,) with ``reduction="none"``

    Raises
    ------
    ShapeMismatch, ValueError
        If shapes or lengths don't fit, or a label is out of range or blank.

    Notes
    -----
    The forward algorithm of Graves et al., https://doi.org/10.1145/1143844.1143891: with the labels l′ = _ l₁ _ l₂ _ …,
    log αₜ(s) = log yₜ(l′ₛ) + logaddexp of log αₜ₋₁ at s, s − 1 and, from label to another label, s − 2. A `log_softmax`
    comes first, which changes no logarithms of probabilities; with it the gradient is that of the logits, as PyTorch's.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> half = np.log(np.full((2, 1, 2), 0.5))
    >>> round(float(np.exp(-F.ctc_loss(half, [[1]], [2], [1]))), 4)  # three of four paths: _1, 1_, 11
    0.75
    """
    log_probs = scores(log_probs, "ctc_loss")
    if log_probs.ndim not in (2, 3):
        raise ShapeMismatch(f"ctc_loss: log_probs of shape (T, N, C) or (T, C) are needed, got shape {log_probs.shape}")
    alone = log_probs.ndim == 2
    y = reductions.log_softmax(np.expand_dims(log_probs, 1) if alone else log_probs, axis=-1)
    times, batch, classes = y.shape
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: blank must be one of the {classes} classes, got {blank!r}")
    until = _lengths(input_lengths, "input_lengths", batch, times)
    counts = _lengths(target_lengths, "target_lengths", batch, None)
    labels = _spread_out(_labels(targets, counts, classes, blank), blank)
    losses = -_log_probability(y, labels, until, counts, blank)
    if zero_infinity:
        losses = np.where(np.isinf(numbers_of(losses)), 0.0, losses)
    if reduction == "mean":
        losses = losses / np.maximum(counts, 1).astype(y.dtype)
    return reduced(losses, reduction) if not alone or reduction != "none" else naming.loss(losses[0])


def _log_probability(y: Any, labels: Any, until: Any, counts: Any, blank: int) -> Any:
    """The logarithm of the probability of each label sequence, spread out with blanks between."""
    batch, length = labels.shape
    impossible = np.full((batch, 2), -np.inf, y.dtype)
    skips = np.full(labels.shape, -np.inf, y.dtype)
    skips[:, 2:][(labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])] = 0
    start = np.full(labels.shape, -np.inf, y.dtype)
    start[:, 0] = 0
    alpha: Any = start  # before the first time: nothing read yet
    steps = int(until.max(initial=0))
    said = np.take_along_axis(y, np.broadcast_to(labels, (y.shape[0], *labels.shape)), axis=2)
    for t in range(steps):
        padded = np.concatenate([impossible, alpha], axis=1)
        one, two = padded[:, 1 : length + 1], padded[:, :length]
        after = np.logaddexp(np.logaddexp(alpha, one), two + skips) + said[t]
        on = until > t
        alpha = after if on.all() else np.where(on[:, None], after, alpha)
    rows = np.arange(batch)
    # it ends with the last label, or the blank after it; without labels, with the blank alone
    before = np.where(counts > 0, alpha[rows, np.maximum(2 * counts - 1, 0)], -np.inf)
    return np.logaddexp(alpha[rows, 2 * counts], before)


def _spread_out(labels: Any, blank: int) -> Any:
    """_ l₁ _ l₂ _ …"""
    out = np.full((labels.shape[0], 2 * labels.shape[1] + 1), blank)
    out[:, 1::2] = labels
    return out


def _lengths(lengths: Any, name: str, batch: int, most: int | None) -> Any:
    array = np.atleast_1d(np.asarray(numbers_of(operand(lengths, f"ctc_loss: {name}"))))
    if array.dtype.kind not in "iu":
        raise DtypeMismatch(f"ctc_loss: {name} must be integers, got dtype {array.dtype}")
    if array.shape != (batch,):
        raise ShapeMismatch(f"ctc_loss: {name} of shape ({batch},) are needed, got shape {array.shape}")
    if (array < 0).any() or (most is not None and (array > most).any()):
        bound = "at least 0" if most is None else f"from 0 to {most}"
        raise ValueError(f"ctc_loss: {name} must be {bound}, got {array.tolist()}")
    return array.astype(np.intp)


def _labels(targets: Any, counts: Any, classes: int, blank: int) -> Any:
    """The labels of each example as a row, filled up with blanks; checked."""
    labels = np.asarray(numbers_of(operand(targets, "ctc_loss: targets")))
    if labels.size and labels.dtype.kind not in "iu":
        raise DtypeMismatch(f"ctc_loss: targets must be integers, got dtype {labels.dtype}")
    width, total = int(counts.max(initial=0)), int(counts.sum())
    rows = np.full((counts.size, width), blank)
    meant = np.arange(width) < counts[:, None]
    if labels.ndim == 2 and labels.shape[0] == counts.size and labels.shape[1] >= width:
        rows[meant] = labels[:, :width][meant]
    elif labels.ndim == 1 and (labels.size == total or (counts.size == 1 and labels.size > total)):
        rows[meant] = labels[:total]
    else:
        raise ShapeMismatch(
            f"ctc_loss: targets of shape ({counts.size}, {width} or more), or ({total},) for all one after the other, "
            f"are needed for these target_lengths, got shape {labels.shape}"
        )
    wrong = meant & ((rows < 0) | (rows >= classes) | (rows == blank))
    if wrong.any():
        raise ValueError(
            f"ctc_loss: label {rows[wrong][0]} is not one of the {classes} classes without the blank, {blank}"
        )
    return rows
