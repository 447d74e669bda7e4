"""Rules of sums, products, extremes and running sums along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..libraries import foreign, stretched
from ..registry import RULES, alias, defvjp, named, numbers_only, pure
from .elementwise import known, over, passed, some


def spread(g: Any, shape: tuple[int, ...], axis: Any = None, keepdims: bool = False) -> Any:
    """What a reduction of an operand of `shape` gave, with its axes put back: it broadcasts to the operand."""
    if keepdims or not shape:
        return g
    if axis is None:
        return g.reshape((1,) * len(shape))
    if axis.__class__ is int:
        axis %= len(shape)
        return g.reshape((*shape[:axis], 1, *shape[axis + 1 :]))
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return g.reshape(tuple(1 if i in axes else n for i, n in enumerate(shape)))


def _to(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    return stretched(spread(g, shape, axis, keepdims), shape)


# --- sums and means ---------------------------------------------------------------------------------------------------

defvjp(np.sum, lambda g, out, x, axis=None, keepdims=False, dtype=None: _to(g, x.shape, axis, keepdims))
defvjp(
    np.mean,
    lambda g, out, x, axis=None, keepdims=False, dtype=None: _to(
        g * (out.size / max(x.size, 1)), x.shape, axis, keepdims
    ),
)


def _sum(x: Any, **options: Any) -> Any:
    """``np.sum``, without what it does before and after."""
    return np.add.reduce(x, **{"axis": None, **options}) if x.__class__ is np.ndarray else np.sum(x, **options)


def _max(x: Any, **options: Any) -> Any:
    """``np.max``, likewise."""
    return np.maximum.reduce(x, **{"axis": None, **options}) if x.__class__ is np.ndarray else np.max(x, **options)


def _mean(x: Any, **options: Any) -> Any:
    """``np.mean``, without what it does before and after: the same numbers."""
    if x.__class__ is not np.ndarray or x.dtype.char not in "fd" or not 0 < x.size < 2**24 or "dtype" in options:
        return np.mean(x, **options)
    total = _sum(x, **options)
    return total / total.dtype.type(x.size // total.size)


RULES[np.sum].op, RULES[np.mean].op = _sum, _mean


def squares_fit(length: Any, p: float = 2) -> Any:
    """Whether the sum of p-th powers that `length` is the root of is a number of its dtype, with all its digits."""
    return ~(length <= float(np.finfo(length.dtype).tiny) ** (1 / abs(p))) & (length != np.inf)


def _times_power_of_two(x: Any, exponent: Any) -> Any:
    if x.dtype.kind != "c":
        return np.ldexp(x, exponent)
    out = np.empty_like(x)
    out.real, out.imag = np.ldexp(x.real, exponent), np.ldexp(x.imag, exponent)
    return out


def rescaled(f: Callable[[Any], Any], x: Any, axis: Any, p: float = 2, degree: int = 1) -> Any:
    """f(x), which sums p-th powers along `axis`, also where these over- or underflow: f(c x) = c^degree f(x).

    Where they fit it is what NumPy gives; elsewhere x is divided by a power of two, in float64, and f(x) multiplied.
    Other libraries' arrays, which may be computed later, are not looked at.
    """
    with np.errstate(over="ignore", divide="ignore"):
        out = f(x)
    if getattr(out, "dtype", x.dtype).kind != "f" or foreign(out):
        return out
    fits = squares_fit(out if degree == 1 else np.sqrt(out), p)
    if np.all(fits):
        return out
    x = x.astype(np.result_type(x.dtype, np.float64))
    largest = (np.max if p > 0 else np.min)(np.abs(x), axis=axis, keepdims=True, initial=0 if p > 0 else np.inf)
    exponent = np.frexp(largest)[1]
    again = f(_times_power_of_two(x, -exponent))
    return np.where(fits, out, np.ldexp(again, degree * exponent.reshape(again.shape)).astype(out.dtype))


def _freedom(shape: tuple[int, ...], out_size: int, ddof: float, correction: float | None) -> float:
    """The divisor n − ddof of a variance; NaN where there is none, so that the gradient is NaN as the value is."""
    n = math.prod(shape) / max(out_size, 1)
    return max(n - (ddof if correction is None else correction), 0) or math.nan


def _var_rule(
    g: Any, out: Any, x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, correction: Any = None
) -> Any:
    n = _freedom(x.shape, out.size, ddof, correction)
    return spread(g, x.shape, axis, keepdims) * (2 / n) * (x - np.mean(x, axis=axis, keepdims=True))


def _std_rule(
    g: Any, out: Any, x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, correction: Any = None
) -> Any:
    n = _freedom(x.shape, out.size, ddof, correction)
    share = over(x - np.mean(x, axis=axis, keepdims=True), spread(out, x.shape, axis, keepdims))
    return spread(g, x.shape, axis, keepdims) / n * share


defvjp(np.var, _var_rule).op = lambda x, axis=None, **options: rescaled(
    lambda x: np.var(x, axis=axis, **options), x, axis, degree=2
)
defvjp(np.std, _std_rule).op = lambda x, axis=None, **options: rescaled(
    lambda x: np.std(x, axis=axis, **options), x, axis
)

# --- extremes ---------------------------------------------------------------------------------------------------------


def _shared_among_ties(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Split between all elements that equal the extreme; the count is an integer, which no dtype rounds."""
    tied = x == spread(out, x.shape, axis, keepdims)
    count = np.sum(tied, axis=axis, keepdims=True)
    g = spread(g, x.shape, axis, keepdims)
    return passed(g / count if some(count != 1) else g, known(tied, spread(out, x.shape, axis, keepdims)))


defvjp(np.max, _shared_among_ties)
defvjp(np.min, _shared_among_ties)
alias(np.amax, np.max)
alias(np.amin, np.min)

numbers_only(
    np.argmax, np.argmin, np.argsort, np.argpartition, np.lexsort, np.nonzero, np.flatnonzero, np.argwhere,
    np.count_nonzero, np.any, np.all, np.searchsorted, np.digitize, np.isin, np.nanargmax, np.nanargmin,
    np.einsum_path,
)  # fmt: skip
numbers_only(*(fn for name, fn in vars(np).items() if name == "in1d"))  # NumPy 2.4 has it no more


# --- products, exact with zeros ---------------------------------------------------------------------------------------


@named
def product_before(x: Any) -> Any:
    """The product of all earlier elements along the last axis; 1 for the first."""
    return np.cumprod(np.concatenate((np.ones_like(x[..., :1]), x[..., :-1]), axis=-1), axis=-1)


@named
def product_of_the_others(x: Any, axis: Any = None) -> Any:
    """For every element, the product of those before it times those after it: nothing is divided by zero."""
    ndim = x.ndim
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    last = [a % ndim for a in axes]
    order = [a for a in range(ndim) if a not in last] + last
    turned = np.transpose(x, order)
    flat = turned.reshape((*turned.shape[: ndim - len(last)], -1))
    others = product_before(flat) * np.flip(product_before(np.flip(flat, -1)), -1)
    return np.transpose(others.reshape(turned.shape), [order.index(a) for a in range(ndim)])


def _prod_rule(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    if x.size == 0 or x.ndim == 0:
        return _to(g, x.shape, axis, keepdims)
    return spread(g, x.shape, axis, keepdims) * product_of_the_others(x, axis=axis)


defvjp(np.prod, _prod_rule)


# --- running sums and products ----------------------------------------------------------------------------------------


def _from_the_end(g: Any, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


defvjp(
    np.cumsum,
    lambda g, out, x, axis=None, dtype=None: (
        _from_the_end(g, 0).reshape(x.shape) if axis is None else _from_the_end(g, axis)
    ),
)


@named
def weighted_from_the_end(g: Any, x: Any) -> Any:
    """s with s[j] = g[j] + x[j+1] s[j+1] along the last axis, in log₂ n steps of doubled reach."""
    n, reach = x.shape[-1], 1
    s, product = g[..., : n - 1] + x[..., 1:] * g[..., 1:], x[..., 1:]
    s = np.concatenate((s, g[..., n - 1 :]), axis=-1)
    # s[j] covers g[j : j + 2·reach]; product[j] = x[j+1] … x[j+reach]
    while 2 * reach < n:
        product = product[..., :-reach] * product[..., reach:]
        reach *= 2
        more = product[..., : n - reach] * s[..., reach:]
        s = np.concatenate((s[..., : n - reach] + more, s[..., n - reach :]), axis=-1)
    return s


def _cumprod_rule(g: Any, out: Any, x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    if x.size == 0 or x.ndim == 0:
        return g.reshape(x.shape)
    if axis is None:
        return _cumprod_rule(g, out, x.reshape(-1), 0).reshape(x.shape)
    x, g = np.moveaxis(x, axis, -1), np.moveaxis(g, axis, -1)
    return np.moveaxis(product_before(x) * weighted_from_the_end(g, x), -1, axis)


defvjp(np.cumprod, _cumprod_rule)


# --- sums of exponentials ---------------------------------------------------------------------------------------------


def _untraced(x: Any) -> Any:
    """The numbers of x, for a shift that leaves the result as it is: it is no part of a scalar graph."""
    return getattr(x, "numbers", x)


@pure
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log Σ exp(x) along `axis`, without overflow.

    Parameters
    ----------
    x : array or Tensor of floating-point dtype
    axis : int, tuple of int or None, optional
        All axes unless told.
    keepdims : bool, optional

    Returns
    -------
    array or Tensor of x's dtype, without the summed axes

    Notes
    -----
    The gradient is softmax(x); 0 where all of x is −∞, and 1 (split between several) where x is +∞.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.rules.reductions import logsumexp
    >>> logsumexp(Tensor([1000.0, 1000.0])).item()
    1000.6931471805599
    """
    top = np.max(_untraced(x), axis=axis, keepdims=True)
    finite = np.where(np.isfinite(top), top, 0)
    with np.errstate(over="ignore", divide="ignore"):
        out = np.log(np.sum(np.exp(x - finite), axis=axis, keepdims=True)) + finite
    return out if keepdims else np.squeeze(out, axis=axis)


def _logsumexp_rule(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    exponent = x - spread(out, x.shape, axis, keepdims)
    undefined = np.isnan(exponent) & np.isinf(x)
    if some(undefined):
        count = np.sum(x == np.inf, axis=axis, keepdims=True)
        exponent = np.where(undefined, np.where(x > 0, -np.log(np.maximum(count, 1)), -np.inf), exponent)
    return spread(g, x.shape, axis, keepdims) * np.exp(exponent)


defvjp(logsumexp, _logsumexp_rule)


def _below_the_top(x: Any, axis: Any) -> Any:
    """x − max x along `axis`: next to a +∞ all else is −∞, and it itself 0; all of −∞ stay −∞."""
    top = _max(_untraced(x), axis=axis, keepdims=True)
    infinite = np.isinf(top)
    if not some(infinite):
        return x - top
    known = np.where((top > 0) & (x == top), x.dtype.type(0), -np.inf)
    return np.where(infinite, known, x - np.where(infinite, 0, top))


def _total(e: Any, axis: Any) -> Any:
    """Σ e along `axis`, but 1 where all of e is 0."""
    total = _sum(e, axis=axis, keepdims=True)
    return total + (total == 0)


@pure
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / Σ exp(x) along `axis`, without overflow.

    Parameters
    ----------
    x : array or Tensor of floating-point dtype
    axis : int or tuple of int, optional

    Returns
    -------
    array or Tensor of x's shape and dtype

    Notes
    -----
    All 0 where all of x is −∞; 1 (split between several) where x is +∞.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.rules.reductions import softmax
    >>> softmax(Tensor([0.0, 0.0])).data
    array([0.5, 0.5])
    """
    e = np.exp(_below_the_top(x, axis))
    return e / _total(e, axis)


@pure
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log softmax(x) along `axis`, exact also where softmax rounds to 0.

    Parameters
    ----------
    x : array or Tensor of floating-point dtype
    axis : int or tuple of int, optional

    Returns
    -------
    array or Tensor of x's shape and dtype

    Notes
    -----
    All −∞ where all of x is −∞; next to a +∞, 0 there (−log n for each of n) and −∞ elsewhere.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.rules.reductions import log_softmax
    >>> log_softmax(Tensor([0.0, 1000.0])).data
    array([-1000.,     0.])
    """
    x = _below_the_top(x, axis)
    return x - np.log(_total(np.exp(x), axis))


defvjp(softmax, lambda g, out, x, axis=-1: out * (g - np.sum(g * out, axis=axis, keepdims=True)))
defvjp(log_softmax, lambda g, out, x, axis=-1: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True))
