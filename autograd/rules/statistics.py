"""Functions of statistics, as compositions: where NaN counts as missing, orders, quantiles, covariances, counts."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..libraries import beside
from ..registry import RULES, NoRuleError, composite
from .elementwise import arrayed, is_complex
from .indexing import scatter
from .linalg import adjoint
from .norms import norm, squares

Axis = int | tuple[int, ...] | None


def numbers(x: Any) -> Any:
    """The numbers of a Tensor; anything else as it is."""
    return x.data if hasattr(x, "_record") else x


# --- reductions with where= and initial= ------------------------------------------------------------------------------


def _beyond(fn: Any, neutral: float, joined: Any) -> None:
    """Let a reduction take ``where=`` and ``initial=``: what does not count is `neutral`, `initial` is joined last."""

    def reduce(
        x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True, **options: Any
    ) -> Any:
        if where is not True:
            if initial is None and math.isinf(neutral):
                fn(numbers(x), axis=axis, where=numbers(where))  # NumPy's own sentence
            x = np.where(where, x, x.dtype.type(neutral) if x.dtype.kind in "fc" else numbers(initial))
        if initial is not None and x.size == 0:
            return fn(numbers(x), axis=axis, keepdims=keepdims, initial=numbers(initial), **options)
        out = fn(x, axis=axis, keepdims=keepdims, **options)
        return out if initial is None else joined(out, initial)

    RULES[fn].beyond = reduce


_beyond(np.sum, 0.0, np.add)
_beyond(np.prod, 1.0, np.multiply)
_beyond(np.max, -math.inf, np.maximum)
_beyond(np.min, math.inf, np.minimum)


def _counted(x: Any, where: Any, axis: Axis, keepdims: bool = False) -> Any:
    """How many elements count, along `axis`."""
    return np.count_nonzero(np.broadcast_to(numbers(where), x.shape), axis=axis, keepdims=keepdims)


def _over(total: Any, count: Any) -> Any:
    """total / count in the total's dtype; NaN where the count is not positive."""
    return total / np.where(count > 0, count, np.nan).astype(total.dtype)


def _mean(x: Any, axis: Axis = None, keepdims: bool = False, where: Any = True, dtype: Any = None) -> Any:
    x = x if dtype is None else x.astype(dtype)
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    return _over(np.sum(x, axis=axis, keepdims=keepdims, where=where), _counted(x, where, axis, keepdims))


def _deviations(
    x: Any, axis: Axis, ddof: float, where: Any, mean: Any, correction: Any, keepdims: bool
) -> tuple[Any, Any]:
    """x minus its mean, 0 where it does not count; and the number of elements that do, less `ddof`."""
    x = x if where is True else np.where(where, x, x.dtype.type(0))
    mean = _mean(x, axis, True, where) if mean is None else mean
    d = x - mean if where is True else np.where(where, x - mean, x.dtype.type(0))
    return d, _counted(x, where, axis, keepdims) - (ddof if correction is None else correction)


def _var(
    x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True, mean: Any = None,
    correction: Any = None, dtype: Any = None,
) -> Any:  # fmt: skip
    d, n = _deviations(x if dtype is None else x.astype(dtype), axis, ddof, where, mean, correction, keepdims)
    return _over(np.sum(squares(d), axis=axis, keepdims=keepdims), n)


def _std(
    x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True, mean: Any = None,
    correction: Any = None, dtype: Any = None,
) -> Any:  # fmt: skip
    d, n = _deviations(x if dtype is None else x.astype(dtype), axis, ddof, where, mean, correction, keepdims)
    return _over(norm(d, axis=axis, keepdims=keepdims), np.sqrt(np.maximum(n, 0)))


RULES[np.mean].beyond, RULES[np.var].beyond, RULES[np.std].beyond = _mean, _var, _std

# --- NaN as missing ---------------------------------------------------------------------------------------------------


def _missing(fn: Any, neutral: float) -> Callable[..., Any]:
    """A function in which a NaN is `neutral`, and gets no gradient."""

    def reduce(a: Any, axis: Any = None, **options: Any) -> Any:
        return fn(np.where(np.isnan(a), a.dtype.type(neutral), a), axis=axis, **options)

    return reduce


def _known(fn: Any) -> Callable[..., Any]:
    """A reduction of the elements that are no NaN."""

    def reduce(a: Any, axis: Axis = None, where: Any = True, **options: Any) -> Any:
        return fn(a, axis=axis, where=~np.isnan(numbers(a)) & numbers(where), **options)

    return reduce


def _extreme(fn: Any, neutral: float) -> Callable[..., Any]:
    def reduce(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
        if a.dtype.kind not in "fc":
            return fn(a, axis=axis, keepdims=keepdims, where=where, **({} if initial is None else {"initial": initial}))
        counts = ~np.isnan(numbers(a)) & numbers(where)
        start = neutral if initial is None else initial
        out = (
            fn(a, axis=axis, keepdims=keepdims, initial=start, where=counts)
            if a.size
            else fn(a, axis, keepdims=keepdims)
        )
        empty = ~np.any(counts, axis=axis, keepdims=keepdims)
        if initial is not None or not np.any(empty):
            return out
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=5)
        return np.where(empty, out.dtype.type(np.nan), out)

    return reduce


composite(np.nansum, _missing(np.sum, 0))
composite(np.nanprod, _missing(np.prod, 1))
composite(np.nancumsum, _missing(np.cumsum, 0))
composite(np.nancumprod, _missing(np.cumprod, 1))
composite(np.nanmean, _known(np.mean))
composite(np.nanvar, _known(np.var))
composite(np.nanstd, _known(np.std))
composite(np.nanmax, _extreme(np.max, -math.inf))
composite(np.nanmin, _extreme(np.min, math.inf))

# --- orders -----------------------------------------------------------------------------------------------------------


def _partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Any:
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take_along_axis(a, np.argpartition(numbers(a), kth, axis, kind), axis=axis)


composite(np.partition, _partition)


def _flat(a: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """`a` with the axes of a reduction as one, its last; and these axes."""
    axes = tuple(range(a.ndim)) if axis is None else tuple(np.lib.array_utils.normalize_axis_tuple(axis, a.ndim))
    kept = [k for k in range(a.ndim) if k not in axes]
    turned = np.transpose(a, (*kept, *axes))
    return np.reshape(turned, (*turned.shape[: len(kept)], math.prod(turned.shape[len(kept) :]))), axes


_STEPS = {"inverted_cdf", "closest_observation", "lower", "higher", "nearest"}
_STEADY = {*_STEPS, "averaged_inverted_cdf", "midpoint"}  # between its jumps, a quantile does not change with q


def _at_place(values: Any, q: Any, n: int, method: Any) -> Any:
    """The quantile of `n` sorted values, NaN last: the quantile of 0 … n − 1 is its place among them."""
    if method == "linear":
        place = q * (n - 1)
    elif getattr(q, "requires_grad", False) and method not in _STEADY:
        raise NoRuleError(
            f"np.quantile has no derivative rule for q= with method={method!r}: only with 'linear', and with methods "
            "that step"
        )
    else:
        place = np.quantile(np.arange(n, dtype=np.float64), numbers(q), method=method)
    before = np.clip(np.floor(numbers(place)), 0, n - 1).astype(np.intp)
    share = (place - before).astype(values.dtype if method in _STEPS else q.dtype)
    low, high = values[..., before], values[..., np.minimum(before + 1, n - 1)]
    with np.errstate(invalid="ignore"):
        between = low + (high - low) * share
    return np.where(numbers(share) == 0, low, between)


def _quantile_of(a: Any, q: Any, axis: Any, method: Any, keepdims: bool, skip_nan: bool) -> Any:
    a = arrayed(a)
    q = np.asarray(q, a.dtype) if isinstance(q, int | float) and a.dtype.kind == "f" else arrayed(q)
    q = q if q.dtype.kind in "fc" else q.astype(np.float64)
    if not np.all((numbers(q) >= 0) & (numbers(q) <= 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    if is_complex(a) or is_complex(q):
        raise TypeError("np.quantile takes real numbers, as complex ones have no order: take np.abs or np.real first")
    a = a if a.dtype.kind == "f" else a.astype(np.float64)
    flat, axes = _flat(a, axis)
    ordered = np.sort(flat, axis=-1)
    known = np.count_nonzero(~np.isnan(numbers(ordered)), axis=-1)
    n = flat.shape[-1]
    if skip_nan and np.any(known < n):
        rows = np.reshape(ordered, (-1, n))
        found = [
            _at_place(row[:k], q, k, method) if k else np.full(q.shape, np.nan, a.dtype)
            for row, k in zip(rows, np.ravel(known).tolist(), strict=True)
        ]
        if not np.all(known):
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=6)
        out = np.reshape(np.stack(found), (*flat.shape[:-1], *q.shape))
    elif n == 0:
        if not skip_nan:
            return np.quantile(numbers(a), numbers(q), axis, method=method, keepdims=keepdims)
        unknown = np.full((*flat.shape[:-1], *q.shape), np.nan, a.dtype)
        out = np.where(np.isnan(unknown), unknown, np.expand_dims(np.sum(flat, axis=-1), tuple(range(-q.ndim, 0))))
    else:
        out = _at_place(ordered, q, n, method)
        if np.any(known < n):
            last = np.expand_dims(ordered[..., -1], tuple(range(-q.ndim, 0)))
            out = np.where(np.isnan(last), last, out)
    out = np.moveaxis(out, tuple(range(-q.ndim, 0)), tuple(range(q.ndim)))
    one = beside(numbers(q), np.zeros(1, a.dtype))
    dtype = np.quantile(one, numbers(q), method=method).dtype  # versions of NumPy differ
    out = out if out.dtype == dtype else out.astype(dtype)
    if keepdims:
        out = np.reshape(out, (*q.shape, *(1 if k in axes else m for k, m in enumerate(a.shape))))
    return out


def _quantiles(name: str, skip_nan: bool, per: float) -> Callable[..., Any]:
    def quantile(
        a: Any, q: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
        keepdims: bool = False, *, weights: Any = None,
    ) -> Any:  # fmt: skip
        if weights is not None:
            raise NoRuleError(f"np.{name} has no derivative rule with weights=")
        if per != 1:
            q = (q if isinstance(q, int | float) else arrayed(q)) / per
        return _quantile_of(a, q, axis, method, keepdims, skip_nan)

    return quantile


def _medians(name: str, skip_nan: bool) -> Callable[..., Any]:
    def median(
        a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
    ) -> Any:
        return _quantile_of(a, 0.5, axis, "linear", keepdims, skip_nan or not arrayed(a).size)

    return median


for _fn, _per in ((np.quantile, 1), (np.percentile, 100), (np.nanquantile, 1), (np.nanpercentile, 100)):
    composite(_fn, _quantiles(_fn.__name__, _fn.__name__.startswith("nan"), _per))
composite(np.median, _medians("median", False))
composite(np.nanmedian, _medians("nanmedian", True))

# --- covariances ------------------------------------------------------------------------------------------------------


def _rows(m: Any, rowvar: bool, vector_is_row: bool) -> Any:
    m = arrayed(m)
    if m.ndim > 2:
        raise ValueError(f"np.cov takes arrays of 1 or 2 dimensions, got {m.ndim}")
    m = m.astype(np.result_type(m.dtype, np.float64))
    rows = np.reshape(m, (1, -1)) if m.ndim < 2 else m
    return rows if rowvar or (m.ndim == 1 if vector_is_row else rows.shape[0] == 1) else rows.T


def _cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    x = _rows(m, rowvar, True)
    if y is not None:
        x = np.concatenate((x, _rows(y, rowvar, False)), axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = [arrayed(w).astype(np.float64) for w in (fweights, aweights) if w is not None]
    if not weights:
        d, n = x - np.mean(x, axis=1, keepdims=True), x.shape[1] - ddof
        out = np.matmul(d, adjoint(d))
    else:
        w = weights[0] if len(weights) == 1 else weights[0] * weights[1]
        total = np.sum(w)
        d = x - np.expand_dims(np.matmul(x, w) / total, 1)
        n = total - ddof * (1 if aweights is None else np.sum(w * weights[-1]) / total)
        out = np.matmul(d * w, adjoint(d))
    if numbers(n) <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=4)
        n = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.squeeze((out / n).astype(out.dtype if dtype is None else dtype))


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = _cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    variance = np.diagonal(c)
    deviation = np.sqrt(np.real(variance) if is_complex(c) else variance)
    out = c / np.expand_dims(deviation, 1) / deviation
    if is_complex(c):
        return np.clip(np.real(out), -1, 1) + 1j * np.clip(np.imag(out), -1, 1)
    return np.clip(out, -1, 1)


composite(np.cov, _cov)
composite(np.corrcoef, _corrcoef)

# --- counts -----------------------------------------------------------------------------------------------------------


def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    x = np.asarray(numbers(x))
    x = x.astype(np.intp) if x.dtype == bool else x
    counts = np.bincount(x, minlength=minlength)
    if not hasattr(weights, "_record"):
        return counts if weights is None else np.bincount(x, weights, minlength)
    if weights.shape != x.shape:
        raise ValueError(f"np.bincount: weights of shape {weights.shape} do not fit places of shape {x.shape}")
    if is_complex(weights):
        raise TypeError("np.bincount takes real weights: count np.real and np.imag of them, and add the two")
    return scatter(weights.astype(np.float64), index=(x,), shape=counts.shape)


def _edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    if isinstance(bins, list | tuple):
        bins = np.stack([arrayed(edge) for edge in bins])
    if np.ndim(bins) == 1:
        return bins
    ends = None if range is None else tuple(numbers(end) for end in range)
    edges = np.histogram_bin_edges(numbers(a), numbers(bins), ends, numbers(weights))
    low, high = (np.min(a), np.max(a)) if range is None and np.size(numbers(a)) else (edges[0], edges[-1])
    low, high = (low, high) if range is None else range
    if numbers(low) == numbers(high):
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, len(edges))


def _histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    edges = _edges(a, bins, range, weights)
    at = numbers(edges)
    if not hasattr(weights, "_record"):
        counts = np.histogram(numbers(a), at, weights=weights)[0]
    else:
        flat, w = np.ravel(numbers(a)), np.ravel(weights)
        place = np.where(flat == at[-1], len(at) - 2, np.searchsorted(at, flat, "right") - 1)
        inside = (flat >= at[0]) & (flat <= at[-1])
        counts = _bincount(place[inside], w[inside], len(at) - 1).astype(w.dtype)
    return (counts / np.sum(counts) / np.diff(edges) if density else counts), edges


composite(np.bincount, _bincount)
composite(np.histogram_bin_edges, _edges)
composite(np.histogram, _histogram)
