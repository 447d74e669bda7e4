"""The class labels and class weights that a loss is given, checked; labels as one-hot rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.libraries import beside, foreign
from autograd.nests import numbers_of

from ..errors import DtypeMismatch, ShapeMismatch, operand, seen

__all__ = [
    "check_labels",
    "class_axis",
    "class_labels",
    "class_weights",
    "index_of",
    "is_classes",
    "one_hot",
    "picked_by",
    "rows_of",
    "share_of",
    "total_share",
]


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Each label as a row of zeros with a 1 in its place.

    Parameters
    ----------
    tensor : array of integers of any shape
        Labels of at least 0.
    num_classes : int, optional
        One more than the largest label unless told.

    Returns
    -------
    ndarray of integers, of the shape (…, num_classes)

    Raises
    ------
    ValueError
        If a label is out of range.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.one_hot([0, 2])
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    labels = np.asarray(numbers_of(operand(tensor, "one_hot")))
    if labels.size and labels.dtype.kind not in "iu":
        raise DtypeMismatch(f"one_hot: class labels must be integers, got dtype {labels.dtype}")
    if num_classes == -1 and labels.size:
        num_classes = max(int(labels.max()) + 1, 1)
    if num_classes < 1:
        raise ValueError(f"one_hot: num_classes must be at least 1, got {num_classes!r} and {labels.size} labels")
    check_labels(labels, num_classes, "one_hot")
    return np.eye(num_classes, dtype=np.int64)[labels.astype(np.intp)]


def class_axis(input: Any, what: str) -> int:
    """The axis of the classes, in scores of a loss."""
    if input.ndim == 0 or input.dtype.kind != "f":
        raise ShapeMismatch(
            f"{what}: floating-point scores of shape (N, C) or (C,) are needed, got {input.dtype} of shape "
            f"{input.shape}"
        )
    return 0 if input.ndim == 1 else 1


def is_classes(target: Any, input: Any) -> bool:
    """Whether a target holds class labels, not probabilities."""
    target = target if hasattr(target, "dtype") else np.asarray(target)
    kind, shape = target.dtype.kind, target.shape
    if kind == "f" and shape != input.shape and len(shape) == input.ndim - 1:
        raise DtypeMismatch(
            f"class labels must be integers, got floating-point labels of shape {shape}; for probabilities give shape "
            f"{input.shape}"
        )
    return kind != "f"


def class_labels(target: Any, shape: tuple[int, ...], ignore_index: int | None, what: str) -> tuple[Any, Any]:
    """The class labels as an array, checked; and which of them count, or None where all do.

    The labels of other libraries are not looked at, as they may be computed later: one out of range makes the loss NaN.
    """
    labels, elsewhere = numbers_of(target), False
    if labels.__class__ is not np.ndarray:
        elsewhere = foreign(labels)
        labels = labels if elsewhere else np.asarray(labels)
    classes = shape[0] if len(shape) == 1 else shape[1]
    expected = () if len(shape) == 1 else (shape[0], *shape[2:])
    if labels.dtype.kind not in "iu":
        raise DtypeMismatch(f"{what}: class labels must be integers, got dtype {labels.dtype}")
    if labels.shape != expected:
        hint = "; for one-hot rows give labels.argmax(axis=1), or floats" if labels.shape == shape else ""
        raise ShapeMismatch(
            f"{what}: for scores of shape {shape} class labels of shape {expected} are needed, got {labels.shape}{hint}"
        )
    if not labels.size:
        raise ShapeMismatch(f"{what}: an empty batch, scores of shape {shape}")
    if elsewhere:
        counts = None if ignore_index is None else labels != ignore_index
        return (labels if counts is None else np.where(counts, labels, 0)), counts
    if labels.astype(np.uint64, copy=False).max() < classes:  # as unsigned, a label below 0 is a large one
        if ignore_index is None or ignore_index < 0 or not (labels == ignore_index).any():
            return labels, None
        counts = labels != ignore_index
    else:
        counts = np.ones(labels.shape, bool) if ignore_index is None else labels != ignore_index
        check_labels(labels, classes, what, counts)
    return np.where(counts, labels, 0), counts


def check_labels(labels: Any, classes: int, what: str, counts: Any = True) -> None:
    """Raise a ValueError that names the first label out of range, and where it is."""
    wrong = ((labels < 0) | (labels >= classes)) & counts
    if seen(wrong):
        where = np.unravel_index(int(wrong.argmax()), wrong.shape)
        place = f" at position {', '.join(map(str, where))}" if where else ""
        raise ValueError(
            f"{what}: label {labels[where]}{place} is out of range: there are {classes} classes, 0 to {classes - 1} "
            f"({int(wrong.sum())} of {wrong.size} labels are wrong)"
        )


def index_of(labels: Any) -> Any:
    """The index of the score of each label."""
    if labels.ndim == 0:
        return (labels,)
    if labels.ndim == 1:
        return np.arange(labels.size), labels
    first, *rest = np.ogrid[tuple(slice(n) for n in labels.shape)]
    return (first, labels, *rest)


def rows_of(labels: Any, classes: int, dtype: Any) -> Any:
    """Each label as a row of zeros with a 1 in its place."""
    if not foreign(labels):
        return np.eye(classes, dtype=dtype)[labels]
    return (np.expand_dims(labels, -1) == beside(labels, np.arange(classes))).astype(dtype)


def picked_by(labels: Any, input: Any) -> Any:
    """The score of each label."""
    if labels.__class__ is np.ndarray or not foreign(labels):
        try:
            return input[index_of(labels)]
        except NotImplementedError:  # a library that takes no index of several arrays
            pass
    axis = 0 if input.ndim == 1 else 1
    chosen = np.moveaxis(rows_of(labels, input.shape[axis], bool), -1, axis)
    return np.where(np.any(chosen, axis=axis), np.where(chosen, input, 0.0).sum(axis=axis), np.nan)


def share_of(labels: Any, counts: Any, scale: Any, dtype: Any) -> Any:
    """How much each label counts: by the weight of its class, and whether it does at all."""
    if scale is None:
        return np.ones(labels.shape, dtype) if counts is None else counts.astype(dtype)
    share = np.matmul(rows_of(labels, len(scale), dtype), beside(labels, scale)) if foreign(labels) else scale[labels]
    return share if counts is None else share * counts


def class_weights(weight: Any, input: Any, what: str) -> Any:
    """The weight of each class as an array, checked; None where there is none."""
    if weight is None:
        return None
    weight = operand(numbers_of(weight), f"{what}: weight").astype(input.dtype, copy=False)
    classes = input.shape[0 if input.ndim == 1 else 1]
    if weight.shape != (classes,):
        raise ShapeMismatch(f"{what}: weight has shape {weight.shape}, expected one for each class, ({classes},)")
    return weight


def total_share(share: Any, what: str) -> Any:
    """The sum of what counts, checked where it can be looked at."""
    if foreign(share):
        return share.sum()
    total = float(share.sum())
    if total == 0:
        raise ValueError(f"{what}: no label counts (ignore_index or weight leaves none), so there is no mean")
    return total
