"""Finite differences that know where they can't tell: of a function of arrays along any direction, of one by elements.

The step and the error come from the precision that the function really has. A slope is first taken for that of an exact
function; where it contradicts what is claimed of it, or was found suspiciously close to the point, the noise of the
function is measured and the slope taken again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .drawing import generator
from .lines import Line, Slope, values_at
from .noise import noise_of

__all__ = ["Differences", "Function", "Partial", "Partials", "steps_along"]

Function = Callable[..., Any]

_LOST = 1 / 200
"""A function of which so much and more is noise has no slope that could be told."""
_NEAR = 13, 6
"""Distances at which most functions are straight, but for a kink: in float64, and where there is more noise."""


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


class Differences:
    """The slopes of a function of arrays.

    Parameters
    ----------
    f : callable
        Of arrays; returns an array of floating-point numbers.
    point : sequence of array
    floor : float or array, optional
        How far rounding puts the results off, as far as that is known.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing.differences import Differences, steps_along
    >>> single = Differences(lambda x: np.sin(x.astype(np.float32)), [np.array(2.0)])
    >>> bool(1e-8 < single.noise[0] < 1e-6)
    True
    >>> (move,) = steps_along([np.array(1.0)], single.point)
    >>> slope = single.slope(single.line(*move), lambda slope: abs(slope.value - np.cos(2.0)) <= slope.error)
    >>> bool(abs(slope.value - np.cos(2.0)) <= slope.error < 1e-3)
    True
    """

    def __init__(self, f: Function, point: Sequence[Any], floor: Any = 0.0):
        self.f = f
        self.point = [np.array(x, dtype=np.float64) for x in point]
        self.floor = floor

    @cached_property
    def here(self) -> Any:
        """The function at the point."""
        with np.errstate(all="ignore"):
            return values_at(self.f, self.point)

    @cached_property
    def noise(self) -> tuple[Any, Any]:
        """How far rounding puts each result off, as measured around the point: as float64 or float32, and at most."""
        noise, half = noise_of(self.f, self.point, self.here)
        return np.fmax(noise, self.floor), np.fmax(half, self.floor)

    def line(self, direction: Sequence[Any], scale: float) -> Line:
        """The function along a direction."""
        return Line(self.f, self.point, direction, scale, self.here)

    def slope(self, line: Line, agrees: Callable[[Slope], Any] | None = None) -> Slope:
        """The slope along a line, taken again with the noise of the function where it does not agree with a claim.

        Its error is infinite where nothing can be told.
        """
        first = line.slope(self.floor)
        fits = not first.kink.any() and (agrees is None or bool(np.all(agrees(first))))
        if fits and (not first.deep or np.any(self.floor)):
            return first._replace(step=np.zeros(np.shape(first.step), bool))
        noise, half = self.noise
        wide = not np.all(first.size)
        slope = line.slope(noise, wide=wide)
        with np.errstate(all="ignore"):
            # what turns so fast is no noise
            turns = ~first.kink & (np.abs(first.value) > 2 * (np.abs(slope.value) + slope.error))
            slope = slope._replace(error=np.where(turns, np.inf, slope.error))
            # neither a step that is meant nor one of rounding is told from the other
            opaque = not np.any(self.floor)  # else it is known which casts there are
            stepped = opaque & slope.step & (True if agrees is None else ~np.asarray(agrees(slope)))
            slope = slope._replace(error=np.where(stepped, np.inf, slope.error))
            if opaque and np.any(half > 4 * noise):
                rougher = line.slope(half, wide=wide)
                agreed = agrees or (lambda other: np.abs(other.value - slope.value) <= other.error + slope.error)
                doubtful = ~rougher.kink & (agreed(rougher) != agreed(slope))
                slope = slope._replace(error=np.where(doubtful, np.inf, slope.error))
        return slope


class Partial(NamedTuple):
    """The derivative by one element: its value and error; at a kink, the slopes on the two sides instead.

    The error is infinite where nothing can be told. ``convex`` tells whether the slope is the larger one on the side of
    larger numbers, as of |x|, and not of −|x|.
    """

    value: float
    error: float
    kink: bool = False
    low: float = np.nan
    high: float = np.nan
    convex: bool = True
    size: float = 0.0
    step: bool = False

    @classmethod
    def of(cls, slope: Slope) -> Partial:
        value, error, bend = float(slope.value), float(slope.error), float(slope.bend)
        if not bend or not np.isfinite(error):
            return cls(value, error, size=float(slope.size), step=bool(slope.step))
        return cls(value, error, True, value - abs(bend), value + abs(bend), bend > 0)

    def allows(self, number: float, slack: float) -> bool:
        """Whether a number may be this derivative, or, at a kink, between the two slopes."""
        if not np.isfinite(self.error):
            return True
        low, high = (self.low, self.high) if self.kink else (self.value, self.value)
        return bool(low - slack - self.error <= number <= high + slack + self.error)

    def tells(self, number: float, parts: float = 200) -> bool:
        """Whether the error is small enough to tell a number from others: one in so many parts of it; or a millionth of
        how steep the function is, as where it has a minimum."""
        if self.kink or self.step:
            return False
        return self.error <= max(abs(number) / parts, abs(self.value) / parts, 1e-6 * self.size)


class Partials(Differences):
    """The derivatives of a function of one array, by its elements.

    Parameters
    ----------
    f : callable
        Of an array of the shape of `x`, real or complex; returns a number.
    x : array
        The point.
    floor : float, optional
        As of `Differences`.

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

    def __init__(self, f: Function, x: Any, floor: float = 0.0):
        super().__init__(f, [x], floor)
        self.x = self.point[0]
        self.complex_step = True
        self._moves: dict[bytes, list[tuple[Any, Line]]] = {}

    def at(self, index: tuple[int, ...], claimed: float | None = None, slack: float = 0.0) -> Partial:
        """By the element at an index; `claimed`, give or take `slack`, is what it may be."""
        unit = np.zeros_like(self.x)
        unit[index] = 1.0
        found = Partial.of(self._settled(unit, lambda direction: (claimed, slack))[1])
        return self._sharpened(unit, found) if self.complex_step and not found.kink else found

    def along(self, unit: Any, claimed: Any, allowed: Any, *, equally: bool = False) -> tuple[float, float, Partial]:
        """Along a direction: what a gradient gives there, how far off that may be where each of its elements may be off
        by `allowed`, and the slope. Each element moves by what suits its size, or all of them `equally`."""

        def at(direction: Any) -> tuple[float, float]:
            # what is allowed of each element adds up as errors do that are independent of each other
            slack = 4 * float(np.sqrt(np.sum(np.square(allowed * direction))))
            return float(np.sum(claimed * direction)), slack

        direction, slope = self._settled(np.asarray(unit, np.float64), at, equally=equally)
        return (*at(direction), Partial.of(slope))

    def agrees(self, unit: Any, claimed: Any, allowed: Any) -> bool | None:
        """Whether a gradient is the slope along a direction; None: at a kink, or where nothing can be told."""
        number, slack, slope = self.along(unit, claimed, allowed)
        return None if slope.kink or not np.isfinite(slope.error) else slope.allows(number, slack)

    def is_smooth(self, where: Any, gradient: Any, least: Any) -> bool:
        """Whether the function has, for sure, no kink that matters at any of some elements: moved together, by random
        parts, it is as steep on either side as a gradient says, but for a hundredth of the `least` that would matter.
        """
        rng = generator("kinks", self.x)
        for _ in range(2):  # as kinks may make up for each other along one direction
            parts = rng.uniform(0.5, 1.0, self.x.shape) * rng.choice([-1.0, 1.0], self.x.shape)
            with np.errstate(all="ignore"):
                unit = np.where(where, parts * np.min(least[where]) / least, 0.0)
                (direction,), scale = steps_along([unit], [self.x])[0]
                line = self.line([direction], scale)
                slope, most = np.sum(gradient * direction), 1e-2 * np.min(np.abs(direction * least)[where])
                if not any(np.all(np.abs(line.sides(k) - slope) <= most) for k in _NEAR):
                    return False
        return True

    def _settled(
        self, unit: Any, claim: Callable[[Any], tuple[float | None, float]], *, equally: bool = False
    ) -> tuple[Any, Slope]:
        """The direction along which the function settles best, and its slope there."""
        key = bytes([equally]) + unit.tobytes()
        if key not in self._moves:
            largest = float(np.abs(self.x).max(initial=0.0))
            moves = [([unit], min(largest or 1.0, 1.0))] if equally else steps_along([unit], [self.x])
            self._moves[key] = [(direction[0], self.line(direction, scale)) for direction, scale in moves]
        for direction, line in self._moves[key]:
            number, slack = claim(direction)
            agrees = None
            if number is not None:
                agrees = lambda s, number=number, slack=slack: np.abs(s.value - number) <= s.error + slack
            slope = self.slope(line, agrees)
            if not slope.kink:
                break
        noise = self.noise[0] if "noise" in self.__dict__ else self.floor
        if np.isfinite(slope.error) and noise > _LOST * line.largest > 0:
            slope = slope._replace(error=np.array(np.finfo(np.float64).max))
        return direction, slope

    def _sharpened(self, unit: Any, found: Partial) -> Partial:
        """The complex step's derivative, where the function allows one: that is, where it confirms the slope.

        Im f(x + ih)/h for a tiny h has no rounding error: Squire and Trapp, SIAM Review 40 (1998) 110.
        """
        h = 1e-30
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("error")
                moved = complex(self.f(self.x + 1j * h * unit))
        except Exception:  # the function is the user's, and may refuse complex numbers in any way
            moved = complex(np.nan)
        exact = moved.imag / h
        self.complex_step = bool(abs(exact - found.value) <= found.error + 1e-12 * abs(found.value))
        if not self.complex_step or found.error > 1e-3 * max(abs(exact), 1e-6 * found.size):  # which confirms nothing
            return found
        size = np.abs(self.x[unit != 0]).max()
        rounding = 4 * float(np.finfo(np.float64).eps) * abs(float(self.here)) / (size or 1.0)
        return found._replace(value=exact, error=min(found.error, 1e-12 * abs(exact) + rounding))
