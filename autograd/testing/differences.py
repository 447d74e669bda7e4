"""Finite differences that know where they can't tell: Richardson-extrapolated slopes with their errors, and kinks.

`gradcheck` takes them along any direction, `Partials` by single elements, sharpened by a complex step where the
function allows one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor

__all__ = ["Function", "Partial", "Partials", "Slope", "slope_along", "steps_along", "values_at"]

Function = Callable[..., Any]


class Slope(NamedTuple):
    """A numerical directional derivative: of each result, its value, error, and where there is none to be had."""

    value: Any
    error: Any
    kink: Any


def values_at(f: Function, point: Sequence[Any]) -> Any:
    """The results of f on plain arrays, as float64."""
    out = f(*point)
    out = np.asarray(out.data if isinstance(out, Tensor) else out)
    if out.dtype.kind != "f":
        raise TypeError(f"finite differences need a function with floating-point results, got dtype {out.dtype}")
    return out.astype(np.float64)


def steps_along(units: list[Any], point: list[Any]) -> list[tuple[list[Any], float]]:
    """How to move along `units`: a direction and a scale; then a finer pair, where some element is small.

    Each element moves by its own size where that is small, so that log and sqrt stay in their domain, and by no more
    than 1 unless rounding asks for it. It moves by no less than 1e-3 at first, as smaller differences drown in the
    rounding of results that do not vanish with the argument; by as little as it is where that crosses an edge.
    """
    found = []
    for smallest in (1e-3, float(np.finfo(np.float64).tiny)):
        moves = []
        for unit, x in zip(units, point, strict=True):
            size = np.abs(x)
            moves.append(unit * np.where(size == 0, 1.0, np.clip(size, smallest, np.maximum(1.0, size / 1e3))))
        scale = max(float(np.max(np.abs(move), initial=0.0)) for move in moves) or 1.0
        found.append(([move / scale for move in moves], scale))
    (coarse, scale), (fine, fine_scale) = found
    same = scale == fine_scale and all(np.array_equal(a, b) for a, b in zip(coarse, fine, strict=True))
    return found[:1] if same else found


@np.errstate(all="ignore")
def slope_along(f: Function, point: Sequence[Any], direction: Sequence[Any], scale: float, here: Any = None) -> Slope:
    """The derivative of f along a direction, by Richardson's extrapolation of central differences.

    Where three or four wide ones agree to rounding, and so do the slopes on the two sides, the narrow ones are not
    taken; their steps have no common measure, so that no staircase looks like a slope. `here` is f at the point, if
    it is known.
    """
    known: dict[float, Any] = {} if here is None else {0.0: here}

    def at(t: float) -> Any:
        if t not in known:
            known[t] = values_at(f, [x + t * v for x, v in zip(point, direction, strict=True)])
        return known[t]

    h = 4e-3 * scale
    here = at(0.0)
    wide = [2 * h, h, h / np.e, h / np.e**2]
    for steps in (wide[:3], wide):
        value, error = _extrapolated(at, steps)
        round_off = np.finfo(np.float64).eps * (np.abs(here) + 1) / steps[-1]
        gap, size = _gap(at, here, h)
        smooth = gap <= 1e-5 * (1 + size) + 20 * round_off
        if np.all(smooth & (error <= 1e-12 * (1 + np.abs(value)) + 4 * round_off)):
            return Slope(value, error + 4 * round_off, np.zeros(np.shape(value), bool))
    value, error = _extrapolated(at, [h / 2**k for k in range(5)])
    round_off = np.finfo(np.float64).eps * (np.abs(here) + 1) / (h / 16)
    error = error + 4 * round_off
    unsettled = ~(error <= 1e-4 * (1 + np.abs(value) + np.abs(here)))
    return Slope(value, error, _kink(at, here, h, round_off) | unsettled | ~np.isfinite(value))


def _extrapolated(at: Callable[[float], Any], steps: Sequence[float]) -> tuple[Any, Any]:
    """Central differences, extrapolated to a step of 0 (Neville's scheme); and how far the last ones are apart."""
    rows: list[list[Any]] = []
    for k, step in enumerate(steps):
        row = [(at(step) - at(-step)) / (2 * step)]
        for j in range(k):
            row.append(row[j] + (row[j] - rows[k - 1][j]) / ((steps[k - j - 1] / step) ** 2 - 1))
        rows.append(row)
    value = rows[-1][-1]
    return value, np.abs(value - rows[-2][-1]) + np.abs(value - rows[-1][-2])


def _kink(at: Callable[[float], Any], here: Any, h: float, round_off: Any) -> Any:
    """Where the slopes on the two sides differ, and go on differing closer to the point."""
    (wide, _), (narrow, size) = _gap(at, here, h), _gap(at, here, h / 8)
    smooth = (narrow <= 1e-5 * (1 + size) + 20 * round_off) | (narrow <= wide / 8)
    return ~smooth


def _gap(at: Callable[[float], Any], here: Any, step: float) -> tuple[Any, Any]:
    """How far the slopes on the two sides are apart, and their size."""
    left, right = _sides(at, here, step)
    return np.abs(right - left), np.abs(right) + np.abs(left)


def _sides(at: Callable[[float], Any], here: Any, step: float) -> tuple[Any, Any]:
    """The slopes to the left and to the right."""
    right = (-3 * here + 4 * at(step) - at(2 * step)) / (2 * step)
    left = (3 * here - 4 * at(-step) + at(-2 * step)) / (2 * step)
    return left, right


class Partial(NamedTuple):
    """The derivative by one element: its value and error; at a kink, the slopes on the two sides instead.

    ``convex`` tells whether the slope is the larger one on the side of larger numbers, as of |x|, and not of −|x|.
    """

    value: float
    error: float
    kink: bool = False
    low: float = np.nan
    high: float = np.nan
    convex: bool = True

    def allows(self, number: float, slack: float) -> bool:
        """Whether a number is this derivative, or, at a kink, between the two slopes."""
        if not self.kink:
            return bool(abs(number - self.value) <= slack + 10 * self.error)
        return bool(self.low - slack - 10 * self.error <= number <= self.high + slack + 10 * self.error)


class Partials:
    """The derivatives of a function of one array, by its elements.

    Parameters
    ----------
    f : callable
        Of an array of the shape of `x`, real or complex; returns a number.
    x : array
        The point.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing.differences import Partials
    >>> round(Partials(lambda x: np.sum(x**3), np.array([1.0, 2.0])).at((1,)).value, 9)
    12.0
    >>> at_a_kink = Partials(lambda x: np.sum(np.abs(x)), np.array([1.0, 0.0])).at((1,))
    >>> at_a_kink.kink, round(at_a_kink.low, 6), round(at_a_kink.high, 6)
    (True, -1.0, 1.0)
    """

    def __init__(self, f: Function, x: Any):
        self.f = f
        self.x = np.array(x, dtype=np.float64)
        self.complex_step = True
        self._found: dict[tuple[int, ...], Partial] = {}

    @cached_property
    def here(self) -> Any:
        """The function at the point."""
        with np.errstate(all="ignore"):
            return values_at(self.f, [self.x])

    def at(self, index: tuple[int, ...]) -> Partial:
        """By the element at an index."""
        if index not in self._found:
            self._found[index] = self._derivative(index)
        return self._found[index]

    def along(self, direction: Any) -> tuple[Any, Slope]:
        """Along a direction, each element of which is scaled by the step that suits it; and the direction so made."""
        for moves, scale in _finer(steps_along([direction], [self.x])):
            slope = slope_along(self.f, [self.x], moves, scale, self.here)
            if not slope.kink:
                break
        return moves[0], slope

    def beside(self, direction: Any) -> Partial:
        """Along a direction at a kink: the slopes on the two sides."""
        sizes = np.abs(self.x[np.asarray(direction) != 0])
        step = 1e-6 * max(1e-3, min(1.0, float(np.where(sizes == 0, 1.0, sizes).min(initial=1.0))))

        def at(t: float) -> Any:
            return values_at(self.f, [self.x + t * direction])

        with np.errstate(all="ignore"):
            left, right = map(float, _sides(at, self.here, step))
        error = float(np.finfo(np.float64).eps * (abs(float(self.here)) + 1) / step)
        return Partial(np.nan, error, True, min(left, right), max(left, right), left <= right)

    def _derivative(self, index: tuple[int, ...]) -> Partial:
        unit = np.zeros_like(self.x)
        unit[index] = 1.0
        for direction, scale in _finer(steps_along([unit], [self.x])):
            slope = slope_along(self.f, [self.x], direction, scale, self.here)
            if not slope.kink:
                return self._sharpened(unit, float(slope.value), float(slope.error))
        return self.beside(unit)

    def _sharpened(self, unit: Any, value: float, error: float) -> Partial:
        """The complex step's derivative, where the function allows one: that is, where it confirms the slope.

        Im f(x + ih)/h for a tiny h has no rounding error: Squire and Trapp, SIAM Review 40 (1998) 110.
        """
        if not self.complex_step:
            return Partial(value, error)
        h = 1e-30
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("error")
                moved = complex(self.f(self.x + 1j * h * unit))
        except Exception:  # the function is the user's, and may refuse complex numbers in any way
            moved = complex(np.nan)
        exact = moved.imag / h
        self.complex_step = bool(abs(exact - value) <= 10 * error + 1e-12 * abs(value))
        return Partial(exact, min(error, 1e-12 * (1 + abs(exact)))) if self.complex_step else Partial(value, error)


def _finer(steps: list[tuple[list[Any], float]]) -> list[tuple[list[Any], float]]:
    """The steps, then smaller ones, which do not reach a kink nearby."""
    return [(direction, scale / divisor) for divisor in (1, 64, 4096) for direction, scale in steps]
