"""Attention: softmax(QKᵀ/√d) V, of traced products and a softmax."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules import reductions

from ..errors import DtypeMismatch, ShapeMismatch, floating, fraction, one_dtype, operand
from ..naming import give
from ..seeding import RandomSource
from .dropout import dropout

__all__ = ["added_mask", "attend", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(QKᵀ/√d + mask) V, of Vaswani et al., *Attention Is All You Need* (2017).

    Parameters
    ----------
    query : Tensor or array of shape (…, L, d)
    key : Tensor or array of shape (…, S, d)
    value : Tensor or array of shape (…, S, dv)
    attn_mask : array or Tensor, optional
        Broadcasts to (…, L, S). Of booleans: True where a key counts. Of floating-point numbers: added to the scores.
    dropout_p : float, optional
        With this probability each weight is 0, in evaluation too: give 0 there.
    is_causal : bool, optional
        Query i sees the keys 0 to i alone; goes without `attn_mask`.
    scale : float, optional
        Instead of 1/√d.
    enable_gqa : bool, optional
        Let each head of key and value, in the third axis from the end, serve several heads of the query.

    Returns
    -------
    Tensor or array of shape (…, L, dv)
        0 for a query whose keys are all masked.

    Raises
    ------
    ShapeMismatch
        If the shapes don't fit; a ValueError.
    DtypeMismatch
        If an input holds integers, or they are Tensors of different dtypes; a TypeError.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> q = k = Tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> F.scaled_dot_product_attention(q, k, Tensor([[2.0], [4.0]]), is_causal=True).data.round(2)
    array([[2.  ],
           [3.34]])
    """
    what = "scaled_dot_product_attention"
    query, key, value = (floating(x, f"{what}: {n}") for x, n in ((query, "query"), (key, "key"), (value, "value")))
    for other, name in ((key, "the key"), (value, "the value")):
        one_dtype(query, other, what, name)
    shapes = query.shape, key.shape, value.shape
    if min(map(len, shapes)) < 2 or shapes[0][-1] != shapes[1][-1] or shapes[1][-2] != shapes[2][-2]:
        raise ShapeMismatch(
            f"{what}: query (…, L, d), key (…, S, d) and value (…, S, dv) are needed, got {shapes[0]}, {shapes[1]} "
            f"and {shapes[2]}"
        )
    if enable_gqa:
        key, value = (_for_heads(x, query, what) for x in (key, value))
    if is_causal:
        if attn_mask is not None:
            raise ValueError(f"{what}: is_causal=True goes without attn_mask")
        attn_mask = np.tri(query.shape[-2], key.shape[-2], dtype=bool)
    mask = None if attn_mask is None else added_mask(attn_mask, query.dtype, f"{what}: attn_mask", counts=True)
    return attend(query, key, value, mask, fraction(dropout_p, f"{what}: dropout_p"), scale)[0]


def attend(
    query: Any, key: Any, value: Any, mask: Any, dropout_p: float, scale: float | None = None, rng: RandomSource = None
) -> tuple[Any, Any]:
    """The attended values, and the weights A = softmax(QKᵀ/√d + mask)."""
    scores = np.matmul(query, np.swapaxes(key, -1, -2))
    scores = scores / math.sqrt(query.shape[-1]) if scale is None else scores * scale
    if mask is not None:
        try:
            fits = np.broadcast_shapes(mask.shape, scores.shape) == scores.shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeMismatch(f"attention: a mask of shape {mask.shape} does not fit scores of shape {scores.shape}")
        scores = scores + mask
    weights = give(reductions.softmax(scores, axis=-1), "A")
    if dropout_p:
        weights = dropout(weights, dropout_p, rng=rng)
    return np.matmul(weights, value), weights


def added_mask(mask: Any, dtype: Any, what: str, *, counts: bool) -> Any:
    """A mask as what is added to scores; of booleans, `counts` is what a key that counts is."""
    mask = operand(mask, what)
    if mask.dtype.kind == "b":
        return np.where(numbers_of(mask) == counts, 0.0, -np.inf).astype(dtype)
    if mask.dtype.kind != "f":
        raise DtypeMismatch(f"{what}: booleans or floating-point numbers are needed, got dtype {mask.dtype}")
    return mask if mask.dtype == dtype else mask.astype(dtype)


def _for_heads(x: Any, query: Any, what: str) -> Any:
    """The heads of a key or a value, each as often as the query has heads for it."""
    if min(x.ndim, query.ndim) < 3 or query.shape[-3] % x.shape[-3]:
        raise ShapeMismatch(
            f"{what}: with enable_gqa the heads of the query must be a multiple of those of key and value, got "
            f"{query.shape} and {x.shape}"
        )
    return np.repeat(x, query.shape[-3] // x.shape[-3], axis=-3)
