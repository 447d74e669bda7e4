"""A function along a line: its slope, with an error, and the kink that it may have there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor

__all__ = ["Line", "Slope", "values_at"]

_WIDEST = 0.064
"""The largest distance, as a part of the scale."""
_CLOSER = float(np.exp(-0.7))
"""Each distance is so much of the one before; they have no common measure, so that no staircase looks like a slope."""
_MOST = 48
"""So many distances are tried at most."""
_ROUNDS = 6
"""An error is so many times the noise, as that is known but roughly."""
_SETTLED, _FLAT = 1e-10, 1e-3
_ROUGH = 1e-5
"""Beside noise of so much of the results, distances that are wider still are looked at."""
_WIDER = -4
_DEEP = 8
"""A slope found so many distances closer than the widest one may be that of the steps of a rounded function."""


def values_at(f: Callable[..., Any], point: Sequence[Any]) -> Any:
    """The results of f on plain arrays, as float64."""
    out = f(*point)
    out = np.asarray(out.data if isinstance(out, Tensor) else out)
    if out.dtype.kind != "f":
        raise TypeError(f"finite differences need a function with floating-point results, got dtype {out.dtype}")
    return out.astype(np.float64)


class Slope(NamedTuple):
    """A numerical directional derivative of each result.

    Attributes
    ----------
    value, error : array
        Where it does not settle, the error is infinite.
    bend : array
        At a kink, by how much the slopes on the right and on the left differ from `value`; 0 where there is none.
    size : array
        How steep the function is at most, seen from the point.
    deep : bool
        Whether it was found so close to the point, or is so flat there, that a step of a rounded function may have
        passed for it.
    step : array of bool
        Where the function is constant there, and is not farther away.
    """

    value: Any
    error: Any
    bend: Any
    size: Any
    deep: bool
    step: Any

    @property
    def kink(self) -> Any:
        """Where there is no derivative to be had."""
        return (self.bend != 0) | ~np.isfinite(self.error)


class _Fit:
    """The least-squares fit of powers of the distance at a few distances."""

    def __init__(self, count: int, powers: Sequence[int], wanted: int, *, zero: bool = False):
        at = np.append(_CLOSER ** np.arange(count), [0.0] * zero)
        columns = np.stack([at**p for p in powers], axis=1)
        inverse = np.linalg.pinv(columns)
        self.row = inverse[list(powers).index(wanted)]
        self.rest = np.eye(len(at)) - columns @ inverse
        self.gain = float(np.linalg.norm(self.row))
        missed = at ** (powers[-1] + 2)
        self.hidden = float(abs(self.row @ missed) / np.abs(self.rest @ missed).max())

    def __call__(self, values: Any) -> tuple[Any, Any]:
        """The coefficient that is wanted, and the most that is left over."""
        return np.tensordot(self.row, values, 1), np.abs(np.tensordot(self.rest, values, 1)).max(axis=0)


_ODD_OF_3, _EVEN_OF_3 = _Fit(3, (1, 3), 1), _Fit(3, (2, 4), 2)
_ODD, _EVEN = _Fit(5, (1, 3, 5), 1), _Fit(5, (0, 1, 2, 4), 1, zero=True)
_ODD_ROUGHLY, _EVEN_ROUGHLY = _Fit(5, (1, 3), 1), _Fit(5, (0, 1, 2), 1, zero=True)


class Line:
    """A function along a direction from a point.

    Parameters
    ----------
    f : callable
    point, direction : sequence of array
    scale : float
        How far along the direction the function may be expected to be smooth.
    here : array
        The function at the point.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing.lines import Line
    >>> slope = Line(np.exp, [np.array(1.0)], [np.array(1.0)], 1.0, np.array(np.e)).slope()
    >>> bool(abs(slope.value - np.e) <= slope.error < 1e-8)
    True
    >>> slope = Line(np.abs, [np.array(0.0)], [np.array(1.0)], 1.0, np.array(0.0)).slope()
    >>> round(float(slope.value - slope.bend), 9), round(float(slope.value + slope.bend), 9)
    (-1.0, 1.0)
    """

    def __init__(self, f: Callable[..., Any], point: Sequence[Any], direction: Sequence[Any], scale: float, here: Any):
        self.f, self.point, self.direction, self.here = f, point, direction, here
        self.widest = _WIDEST * scale
        self._known: dict[int, tuple[Any, Any]] = {}
        self.largest, self._steepest = np.abs(here), np.zeros(np.shape(here))
        moved = [np.abs(x) / np.where(v == 0, np.inf, np.abs(v)) for x, v in zip(point, direction, strict=True)]
        self._grain = float(np.finfo(np.float64).eps) * max((float(np.max(m, initial=0.0)) for m in moved), default=0.0)

    def _at(self, k: int) -> tuple[Any, Any]:
        """What is odd and what is even of the function at a distance."""
        if k not in self._known:
            t = self.widest * _CLOSER**k
            right, left = (
                values_at(self.f, [x + s * v for x, v in zip(self.point, self.direction, strict=True)]) for s in (t, -t)
            )
            self.largest = np.fmax(self.largest, np.fmax(np.abs(right), np.abs(left)))
            self._known[k] = odd, even = (right - left) / 2, (right + left) / 2 - self.here
            self._steepest = np.fmax(self._steepest, (np.abs(odd) + np.abs(even)) / t)
        return self._known[k]

    def sides(self, k: int) -> Any:
        """The slopes on both sides, as far as a distance."""
        odd, even = self._at(k)
        return np.stack([odd + even, odd - even]) / (self.widest * _CLOSER**k)

    def _near(self, k: int, count: int) -> tuple[Any, Any]:
        """The same at neighbouring distances."""
        odd, even = zip(*(self._at(k + i) for i in range(count)), strict=True)
        return np.stack(odd), np.stack(even)

    def _noise(self, noise: Any) -> Any:
        return np.fmax(noise, 2 * np.finfo(np.float64).eps * self.largest)

    @np.errstate(all="ignore")
    def slope(self, noise: Any = 0.0, *, wide: bool = False) -> Slope:
        """The slope at the point, of a function that rounding puts off by `noise`, and by some units of its last
        place; `wide` looks at larger distances, too."""
        odds, evens = self._near(0, 3)
        own = self._noise(noise)
        (value, odd), (_, even) = _ODD_OF_3(odds), _EVEN_OF_3(evens)
        rough = wide or bool(np.any(own > _ROUGH * self.largest))
        if not rough and np.all((odd <= 4 * own) & (even <= 8 * own)):  # a polynomial
            error = (_ROUNDS * _ODD_OF_3.gain + 4 * _ODD_OF_3.hidden) * own + 4 * self._grain * np.abs(value)
            flat = bool(np.any(np.abs(value) / self.widest <= _FLAT * self._steepest))
            step = ~np.any(odds, axis=0) & ~np.any(evens, axis=0) & (self._steepest > 0)
            bend = np.zeros(np.shape(value))
            return Slope(value / self.widest, error / self.widest, bend, self._steepest, flat, step)
        return self._searched(noise, _WIDER if rough else 0)

    def _searched(self, noise: Any, first: int) -> Slope:
        """The slope at the distances that suit it best, and where no derivative settles, the kink that shows best."""
        shape = np.shape(self.here)
        value, bend, depth = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, int)
        error, spread, rounding = (np.full(shape, np.inf) for _ in range(3))
        before = None
        for k in range(first, _MOST):
            t = self.widest * _CLOSER**k
            odd, even = self._near(k, 5)
            even = np.concatenate([even, np.zeros((1, *shape))])
            (slope, left_odd), (gap, left_even) = _ODD(odd), _EVEN(even)
            own = self._noise(noise)
            seen = np.fmax(own, np.hypot(left_odd, left_even))
            wider = before or (_ODD_ROUGHLY(odd)[0] / t, _EVEN_ROUGHLY(even)[0] / t)
            slope, gap = before = slope / t, gap / t
            grain = 4 * self._grain / t * np.abs(slope)
            slope_error = _ROUNDS * _ODD.gain * seen / t + 3 * np.abs(slope - wider[0]) + grain
            gap_error = _ROUNDS * _EVEN.gain * seen / t + np.abs(gap - wider[1]) + grain
            bent = np.abs(gap) > gap_error
            # what is seen closer holds, unless it may be noise
            clash = np.where(bent, np.abs(gap) - gap_error, np.abs(slope - value) - slope_error) > error
            error = np.where(clash, np.inf, error)
            better = ~bent & (slope_error < error)
            sharper = bent & ~np.isfinite(error) & (slope_error + gap_error < spread)
            value, depth = np.where(better | sharper, slope, value), np.where(better, k, depth)
            error, bend = np.where(better, slope_error, error), np.where(better, 0.0, np.where(sharper, gap, bend))
            spread = np.where(sharper, slope_error + gap_error, spread)
            least = _ROUNDS * _ODD.gain * own / t + grain
            rounding = np.where(better, least, rounding)
            unsettled = error > np.fmax(np.abs(value) / 100, 20 * rounding)
            settled = ~unsettled & ((error <= _SETTLED * np.abs(value)) | (least > _CLOSER * error))
            if k > first and np.all(settled | ((k > _MOST // 2) & (spread <= np.abs(bend) / 2))):
                break
        error = np.where(unsettled, np.inf, error)
        kinked = ~np.isfinite(error) & (spread <= np.abs(bend) / 2)
        error = np.where(kinked, spread, error)
        step = ~np.any(odd, axis=0) & ~np.any(even, axis=0) & (value == 0) & (self._steepest > 0)
        flat = np.isfinite(error) & (np.abs(value) <= _FLAT * self._steepest)
        deep = bool(((depth > _DEEP) | flat).any())
        return Slope(value, error, np.where(kinked, bend, 0.0), self._steepest, deep, step)
