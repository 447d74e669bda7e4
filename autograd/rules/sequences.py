"""Functions of samples along an axis, as compositions: differences, integrals, interpolation, convolution, grids."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..libraries import beside
from ..registry import composite, defvjp, pure
from .elementwise import arrayed, conj, is_complex
from .statistics import numbers


def part(a: Any, axis: int, start: int | None, stop: int | None = None) -> Any:
    """``a[start:stop]`` along an axis."""
    return a[(slice(None),) * (axis % a.ndim) + (slice(start, stop),)]


def along(v: Any, axis: int, ndim: int) -> Any:
    """A vector, as an array of `ndim` dimensions that lies along `axis`."""
    return np.reshape(v, tuple(-1 if k == axis % ndim else 1 for k in range(ndim)))


# --- differences and integrals ----------------------------------------------------------------------------------------


def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n < 0:
        raise ValueError(f"np.diff: n must not be negative, got {n}")
    if n == 0:
        return a
    a = arrayed(a)
    ends = [None if end is None else arrayed(end) for end in (prepend, append)]
    shape = tuple(1 if i == axis % a.ndim else m for i, m in enumerate(a.shape))
    ends = [np.broadcast_to(end, shape) if end is not None and end.ndim == 0 else end for end in ends]
    parts = [piece for piece in (ends[0], a, ends[1]) if piece is not None]
    a = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    for _ in range(n):
        after, before = part(a, axis, 1), part(a, axis, None, -1)
        a = np.not_equal(after, before) if a.dtype == bool else after - before
    return a


def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    inner = _diff(np.ravel(arrayed(ary)))
    ends = [None if end is None else np.ravel(arrayed(end)).astype(inner.dtype) for end in (to_begin, to_end)]
    parts = [piece for piece in (ends[0], inner, ends[1]) if piece is not None]
    return np.concatenate(parts) if len(parts) > 1 else inner


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = arrayed(y)
    if x is not None:
        x = arrayed(x)
        dx = _diff(along(x, axis, y.ndim) if x.ndim == 1 else x, axis=axis)
    return np.sum(dx * (part(y, axis, 1) + part(y, axis, None, -1)) / 2.0, axis=axis)


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    if f.shape[axis] < edge_order + 1:
        raise ValueError(f"np.gradient needs at least edge_order + 1 elements along each axis, got shape {f.shape}")
    steps = np.diff(f, axis=axis)
    if np.ndim(spacing):
        spacing = along(_diff(spacing), axis, f.ndim)
    slopes = steps / spacing
    first, last = part(slopes, axis, None, 1), part(slopes, axis, -1)
    if np.ndim(spacing):
        left, right = part(spacing, axis, None, -1), part(spacing, axis, 1)
        share = right / (left + right)
    else:
        left = right = spacing
    before, after = part(slopes, axis, None, -1), part(slopes, axis, 1)
    if np.ndim(spacing):
        inner = before * share + after * (1 - share)
    else:
        inner = (part(f, axis, 2) - part(f, axis, None, -2)) / (2.0 * spacing)
    if edge_order == 2:
        curved = (after - before) / (left + right)
        ends = (left, right) if np.ndim(spacing) == 0 else (part(left, axis, None, 1), part(right, axis, -1))
        first = first - part(curved, axis, None, 1) * ends[0]
        last = last + part(curved, axis, -1) * ends[1]
    out = np.concatenate((first, inner, last), axis=axis)
    return out if out.dtype == f.dtype else out.astype(f.dtype)


def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = arrayed(f)
    f = f if f.dtype.kind in "fc" else f.astype(np.float64)
    axes = tuple(range(f.ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, f.ndim)
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient: edge_order must be 1 or 2, got {edge_order}")
    if len(varargs) not in {0, len(axes)} and not (len(varargs) == 1 and np.ndim(varargs[0]) == 0):
        raise TypeError(f"np.gradient: got {len(varargs)} spacings for {len(axes)} axes")
    spacings = [arrayed(v) if np.ndim(v) else v for v in varargs] or [1.0]
    spacings = spacings * len(axes) if len(spacings) != len(axes) else spacings
    for spacing, a in zip(spacings, axes, strict=True):
        if np.ndim(spacing) and np.shape(spacing) != (f.shape[a],):
            raise ValueError(f"np.gradient: places of shape {np.shape(spacing)} do not fit an axis of {f.shape[a]}")
    out = tuple(_slope(f, spacing, a, edge_order) for spacing, a in zip(spacings, axes, strict=True))
    return out[0] if len(out) == 1 else out


def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    found = np.unwrap(numbers(p), discont, axis, period=period)
    finite, before = (np.where(np.isinf(x), 0, x) for x in (found, numbers(p)))
    return p + (finite - before)


for _fn, _expression in (
    (np.diff, _diff), (np.ediff1d, _ediff1d), (np.trapezoid, _trapezoid), (np.gradient, _gradient),
    (np.unwrap, _unwrap),
):  # fmt: skip
    composite(_fn, _expression)

# --- interpolation ----------------------------------------------------------------------------------------------------


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    x, xp, fp = map(arrayed, (x, xp, fp))
    if is_complex(x) or is_complex(xp):
        raise TypeError(f"np.interp: x and xp must be real, got dtypes {x.dtype} and {xp.dtype}")
    x, xp, fp = (a if a.dtype == np.float64 or is_complex(a) else a.astype(np.float64) for a in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"np.interp: xp and fp must be vectors of one length, got shapes {xp.shape} and {fp.shape}")
    if period is not None:
        period = abs(period)
        x, xp = x % period, xp % period
        order = np.argsort(numbers(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
        fp = np.concatenate((fp[-1:], fp, fp[:1]))
        left = right = None
    at, places = numbers(x), numbers(xp)
    below, above = at < places[0], at > places[-1]
    if xp.size == 1:
        out = np.broadcast_to(fp[0], x.shape)
    else:
        k = np.clip(np.searchsorted(places, at, "right") - 1, 0, xp.size - 2)
        slope = (fp[k + 1] - fp[k]) / (xp[k + 1] - xp[k])
        out = fp[k] + slope * (np.where(below | above, xp[k], x) - xp[k])
    out = np.where(below, fp[0] if left is None else left, out)
    return np.where(above, fp[-1] if right is None else right, out)


composite(np.interp, _interp)

# --- convolution of vectors -------------------------------------------------------------------------------------------


def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = np.atleast_1d(arrayed(a)), np.atleast_1d(arrayed(v))
    if a.ndim > 1 or v.ndim > 1 or not a.size or not v.size:
        raise ValueError(f"np.convolve takes vectors that are not empty, got shapes {a.shape} and {v.shape}")
    a, v = (a, v) if a.size >= v.size else (v, a)
    n = v.size
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"np.convolve: mode must be 'full', 'same' or 'valid', got {mode!r}")
    # the products, each row one place further to the right than the one before: columns are the sums
    rows = np.ravel(np.pad(np.outer(v, a), ((0, 0), (0, n))))[: n * (a.size + n - 1)]
    full = np.sum(np.reshape(rows, (n, a.size + n - 1)), axis=0)
    first = {"full": 0, "same": (n - 1) // 2, "valid": n - 1}[mode]
    last = {"full": full.size, "same": first + a.size, "valid": a.size}[mode]
    return full[first:last]


def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = np.atleast_1d(arrayed(a)), np.atleast_1d(conj(arrayed(v)))
    if a.size < v.size:  # NumPy turns the shorter one over, and the result with it
        return np.flip(_convolve(v, np.flip(a), mode))
    return _convolve(a, np.flip(v), mode)


composite(np.convolve, _convolve)
composite(np.correlate, _correlate)

# --- grids ------------------------------------------------------------------------------------------------------------


def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    start, stop = arrayed(start) * 1.0, arrayed(stop) * 1.0
    parts = num - 1 if endpoint else num
    k = np.arange(num).reshape(-1, *(1,) * max(start.ndim, stop.ndim))
    step = (stop - start) / max(parts, 1)
    out = start + step * k.astype(step.dtype)
    if endpoint and num > 1:
        out = np.concatenate((out[:-1], np.expand_dims(np.broadcast_to(stop, out.shape[1:]), 0)))
    out = np.moveaxis(out, 0, axis) if axis else out
    out = out if dtype is None else out.astype(dtype)
    return (out, step if parts > 0 else np.nan) if retstep else out


def _logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    out = np.power(base, np.linspace(start, stop, num, endpoint))
    out = np.moveaxis(out, 0, axis) if axis else out
    return out if dtype is None else out.astype(dtype)


def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    start, stop = arrayed(start), arrayed(stop)
    start, stop = (a.astype(np.result_type(start.dtype, stop.dtype, np.float64)) for a in (start, stop))
    if not is_complex(start) and np.any(numbers(start) * numbers(stop) <= 0):
        raise ValueError("np.geomspace of Tensors needs ends of one sign, other than 0")
    sign = np.sign(start if is_complex(start) else numbers(start))
    out = sign * np.exp(np.linspace(np.log(start / sign), np.log(stop / sign), num, endpoint))
    out = np.moveaxis(out, 0, axis) if axis else out
    return out if dtype is None else out.astype(dtype)


composite(np.linspace, _linspace)
composite(np.logspace, _logspace)
composite(np.geomspace, _geomspace)

# --- polynomials ------------------------------------------------------------------------------------------------------


def _polyval(p: Any, x: Any) -> Any:
    p, x = arrayed(p), arrayed(x)
    out = x * 0
    for k in range(len(p)):
        out = out * x + p[k]
    return out


def _poly(seq_of_zeros: Any) -> Any:
    roots = np.atleast_1d(arrayed(seq_of_zeros))
    if roots.ndim != 1:
        raise ValueError(f"np.poly of Tensors takes a vector of roots, got shape {roots.shape}")
    roots = roots * 1.0
    out = np.ones(1, roots.dtype)
    for k in range(roots.size):
        out = np.convolve(out, np.stack((np.ones((), roots.dtype), -roots[k])))
    return out


def _roots(p: Any) -> Any:
    p = np.atleast_1d(arrayed(p))
    if p.ndim != 1:
        raise ValueError(f"np.roots takes a vector of coefficients, got shape {p.shape}")
    places = np.flatnonzero(numbers(p))
    if places.size < 2:
        return np.zeros(p.size - 1 - places[0] if places.size else 0, p.dtype)
    zeros, p = p.size - 1 - places[-1], p[places[0] : places[-1] + 1]
    below = np.eye(p.size - 2, p.size - 1, dtype=p.dtype)
    found = np.linalg.eigvals(np.concatenate((np.reshape(-p[1:] / p[0], (1, -1)), below)))
    return np.concatenate((found, np.zeros(zeros, found.dtype)))


def _polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = np.atleast_1d(arrayed(a1)), np.atleast_1d(arrayed(a2))
    more = a1.size - a2.size
    return np.pad(a1, (max(-more, 0), 0)) + np.pad(a2, (max(more, 0), 0))


def _polyder(p: Any, m: int = 1) -> Any:
    if m < 0:
        raise ValueError(f"np.polyder: the order must not be negative, got {m}")
    for _ in range(int(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    p, k = arrayed(p), np.zeros(m) if k is None else arrayed(k) * np.ones(m)
    for i in range(int(m)):
        p = np.append(p / np.arange(len(p), 0, -1), k[i])
    return p


def _polymul(a1: Any, a2: Any) -> Any:
    a1, a2 = (np.trim_zeros(np.atleast_1d(arrayed(a)), "f") for a in (a1, a2))
    return np.convolve(a1, a2)


def _polydiv(u: Any, v: Any) -> Any:
    u, v = np.atleast_1d(arrayed(u)) * 1.0, np.atleast_1d(arrayed(v)) * 1.0
    quotient = []
    rest = u
    for _ in range(u.size - v.size + 1):
        quotient.append(rest[0] / v[0])
        rest = rest[1:] - np.pad(quotient[-1] * v[1:], (0, rest.size - v.size))
    rest = rest if rest.size else np.zeros(1, u.dtype)
    while rest.size > 1 and np.allclose(numbers(rest[0]), 0, rtol=1e-14):
        rest = rest[1:]
    return np.stack(quotient) if quotient else np.zeros(1), rest


def _polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    x, y = arrayed(x) * 1.0, arrayed(y) * 1.0
    if full or cov is not False:
        raise TypeError("np.polyfit of Tensors gives the coefficients alone: full= and cov= are not traced")
    matrix = np.vander(x, deg + 1)
    if w is not None:
        w = arrayed(w)
        matrix, y = matrix * np.expand_dims(w, 1), y * (w if y.ndim == 1 else np.expand_dims(w, 1))
    length = np.linalg.norm(matrix, axis=0)
    out = np.linalg.lstsq(matrix / length, y, len(x) * np.finfo(x.dtype).eps if rcond is None else rcond)[0]
    return out / (length if y.ndim == 1 else np.expand_dims(length, 1))


def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = arrayed(x)
    if x.ndim != 1:
        raise ValueError(f"np.vander takes a vector, got shape {x.shape}")
    x = x.astype(np.promote_types(x.dtype, int))
    if not (x.size if N is None else N):
        return np.zeros((x.size, 0), x.dtype)
    powers = [x**k for k in range(len(x) if N is None else N)]
    return np.stack(powers if increasing else powers[::-1], axis=-1)


_POLYNOMIALS: tuple[tuple[Any, Any], ...] = (
    (np.polyval, _polyval), (np.poly, _poly), (np.polyadd, _polyadd), (np.polyder, _polyder), (np.polyint, _polyint),
    (np.polymul, _polymul), (np.polydiv, _polydiv), (np.polyfit, _polyfit), (np.vander, _vander),
    (np.roots, _roots), (np.polysub, lambda a1, a2: _polyadd(a1, -arrayed(a2))),
)  # fmt: skip
for _fn, _expression in _POLYNOMIALS:
    composite(_fn, _expression)

# --- the modified Bessel function -------------------------------------------------------------------------------------


@pure
def bessel_i(x: Any, order: int) -> Any:
    """The modified Bessel function Iₙ(x): the mean over a circle of exp(x cos θ) cos(n θ)."""
    angles = beside(x, np.arange(512) * (2 * np.pi / 512))
    values = np.exp(np.multiply.outer(x.astype(np.float64), np.cos(angles))) * np.cos(order * angles)
    return np.mean(values, axis=-1).astype(x.dtype)


defvjp(bessel_i, lambda g, out, x, order: g * (bessel_i(x, order=abs(order - 1)) + bessel_i(x, order=order + 1)) / 2)
defvjp(np.i0, lambda g, out, x: g * bessel_i(x, order=1))
