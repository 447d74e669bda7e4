"""Vectors looked up by number: the embedding of tokens, one by one or by the bag."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.libraries import foreign
from autograd.nests import numbers_of
from autograd.rules.elementwise import some

from ..errors import DtypeMismatch, ShapeMismatch, floating, operand, seen
from .labels import rows_of

__all__ = ["check_embedding", "embedding", "embedding_bag"]

_MODES = ("sum", "mean", "max")


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` whose numbers are in `input`.

    Parameters
    ----------
    input : array or Tensor of integers, of any shape
    weight : Tensor or array of shape (V, D)
    padding_idx : int, optional
        A row that gets no gradient; from the end where negative.
    max_norm, norm_type : float, optional
        Rows that are looked up and are longer are first shortened to this norm, in `weight` itself.
    scale_grad_by_freq, sparse : bool, optional
        Must be False.

    Returns
    -------
    Tensor or array of shape (…, D)

    Raises
    ------
    IndexError
        If there is no such row.
    DtypeMismatch
        If `input` holds no integers; a TypeError.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.embedding([2, 0], Tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])).data
    array([[4., 5.],
           [0., 1.]])
    """
    rows, weight = _looked_up(input, weight, "embedding")
    check_embedding(weight.shape[0], padding_idx, scale_grad_by_freq, sparse, "embedding")
    if max_norm is not None:
        _shorten(weight, rows, max_norm, norm_type)
    if foreign(rows):  # numbers that are not looked at: those of no row give NaN
        hits = rows_of(rows, weight.shape[0], weight.dtype)
        out = np.where(hits.any(axis=-1, keepdims=True), np.matmul(hits, weight), np.nan)
    else:
        out = weight[rows]
    if padding_idx is None or not some(padded := rows == padding_idx % weight.shape[0]):
        return out
    return np.where(padded[..., None], numbers_of(out), out)  # the numbers alone: no gradient


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Of each bag of row numbers the sum, mean or largest elements of the rows.

    Parameters
    ----------
    input : array or Tensor of integers, of shape (B, L), or (N,) with `offsets`
    weight : Tensor or array of shape (V, D)
    offsets : array of shape (B,), optional
        Where each bag begins in a one-dimensional `input`.
    mode : {"mean", "sum", "max"}, optional
    per_sample_weights : Tensor or array of input's shape, optional
        Factors of the rows; with ``mode="sum"``.
    include_last_offset : bool, optional
        Whether `offsets` has the end of the last bag, too.
    padding_idx : int, optional
        A row that is left out.
    max_norm, norm_type, scale_grad_by_freq, sparse
        As of `embedding`.

    Returns
    -------
    Tensor or array of shape (B, D)
        0 for an empty bag.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.embedding_bag([1, 2, 0], Tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), offsets=[0, 2]).data
    array([[3., 4.],
           [0., 1.]])
    """
    rows, weight = _looked_up(input, weight, "embedding_bag")
    check_embedding(weight.shape[0], padding_idx, scale_grad_by_freq, sparse, "embedding_bag")
    if mode not in _MODES:
        raise ValueError(f"embedding_bag: mode must be 'sum', 'mean' or 'max', got {mode!r}")
    if per_sample_weights is not None:
        per_sample_weights = floating(per_sample_weights, "embedding_bag: per_sample_weights")
        if mode != "sum" or per_sample_weights.shape != rows.shape:
            raise ShapeMismatch(
                f"embedding_bag: per_sample_weights go with mode='sum' and the shape {rows.shape} of the input, got "
                f"mode={mode!r} and shape {per_sample_weights.shape}"
            )
        per_sample_weights = per_sample_weights.reshape(-1)
    starts, ends = _bags(rows, offsets, include_last_offset)
    rows = rows.reshape(-1)
    if max_norm is not None:
        _shorten(weight, rows, max_norm, norm_type)
    counts = np.ones(rows.shape, bool) if padding_idx is None else rows != padding_idx % weight.shape[0]
    vectors = weight[rows]
    if mode == "max":
        chosen = [np.flatnonzero(counts[a:b]) + a for a, b in zip(starts, ends, strict=True)]
        empty = np.zeros(weight.shape[1], weight.dtype)
        return np.stack([np.max(vectors[c], axis=0) if c.size else empty for c in chosen])
    place = np.arange(rows.size)
    bags = ((place >= starts[:, None]) & (place < ends[:, None]) & counts).astype(weight.dtype)
    if mode == "mean":
        bags /= np.maximum(bags.sum(axis=1, keepdims=True), 1)
    return np.matmul(bags, vectors if per_sample_weights is None else vectors * per_sample_weights[:, None])


def check_embedding(count: int, padding_idx: int | None, scale_grad_by_freq: bool, sparse: bool, what: str) -> None:
    """Refuse a padding row that is not there, and options that are not supported."""
    for name, value in (("scale_grad_by_freq", scale_grad_by_freq), ("sparse", sparse)):
        if value:
            raise ValueError(f"{what}: {name}=True is not supported: gradients are whole arrays, as they are")
    if padding_idx is not None and not -count <= padding_idx < count:
        raise ValueError(f"{what}: padding_idx must be from {-count} to {count - 1}, got {padding_idx}")


def _looked_up(input: Any, weight: Any, what: str) -> tuple[Any, Any]:
    """The row numbers as an array, and the table, checked."""
    rows, weight = numbers_of(input), operand(weight, f"{what}: weight")
    rows = rows if foreign(rows) else np.asarray(rows)
    if rows.dtype.kind not in "iu":
        raise DtypeMismatch(f"{what}: row numbers must be integers, got dtype {rows.dtype}")
    if weight.ndim != 2:
        raise ShapeMismatch(f"{what}: a weight of shape (V, D) is needed, got {weight.shape}")
    wrong = (rows < 0) | (rows >= weight.shape[0])
    if seen(wrong):
        where = np.unravel_index(int(wrong.argmax()), rows.shape)
        place = f" at position {', '.join(map(str, where))}" if where else ""
        raise IndexError(f"{what}: {rows[where]}{place} is out of range: the table has {weight.shape[0]} rows")
    return rows, weight


def _shorten(weight: Any, rows: Any, max_norm: float, norm_type: float) -> None:
    if not isinstance(weight, Tensor):
        raise TypeError("embedding: max_norm changes the weight, which must be a Tensor or nn.Parameter then")
    array = np.array(weight.data)
    used = np.unique(rows)
    norms = np.linalg.norm(array[used], norm_type, axis=1)
    long = norms > max_norm
    if long.any():
        array[used[long]] *= (max_norm / (norms[long] + 1e-7))[:, None].astype(array.dtype)
        weight.rebind(array)


def _bags(rows: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, Any]:
    """Where each bag begins and ends among all rows."""
    if rows.ndim == 2 and offsets is None:
        ends = np.arange(1, len(rows) + 1) * rows.shape[1]
        return ends - rows.shape[1], ends
    if rows.ndim != 1 or offsets is None:
        raise ShapeMismatch(
            f"embedding_bag: an input of shape (B, L), or (N,) with offsets, is needed, got {rows.shape} "
            f"{'without' if offsets is None else 'with'} offsets"
        )
    starts = np.asarray(numbers_of(offsets))
    ends = np.append(starts[1:], rows.size)
    if include_last_offset:
        starts, ends = starts[:-1], ends[:-1]
    if starts.ndim != 1 or not starts.size or starts[0] or (ends < starts).any() or ends[-1] > rows.size:
        raise ValueError(f"embedding_bag: offsets must ascend from 0 to at most {rows.size}, got {starts.tolist()}")
    return starts, ends
