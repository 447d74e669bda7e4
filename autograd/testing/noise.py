"""How far rounding puts the results of a function off, read off the function itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .drawing import generator
from .lines import values_at

__all__ = ["noise_of"]

_FINE, _COARSE = 8e-6, (3e-2, 4e-3)
"""Widths within which numbers of 32 bits and of 16 bits go through many steps: relative to the point, as where that is
rounded itself, and, of small elements, to 1."""
_POINTS, _DEGREE = 8, 4
_EPS = float(np.finfo(np.float64).eps)
_SINGLE = float(np.finfo(np.float32).eps)
_HALF = 4 * float(np.finfo(np.float16).eps)


@np.errstate(all="ignore")
def noise_of(f: Callable[..., Any], point: Sequence[Any], here: Any) -> tuple[Any, Any]:
    """How far rounding puts each result off around a point.

    The function is looked at in a few narrow places beside the point; what no polynomial of a low degree explains is
    noise. That of float64 and of float32 shows in the narrowest ones, where no function turns and no steps of another
    kind follow so close. That of float16 shows in wider ones alone, where it may be a staircase that is meant.
    A function that never changes says nothing of its precision; that of float32 is assumed.

    Parameters
    ----------
    f : callable
        Of arrays; returns an array of floating-point numbers.
    point : sequence of array
    here : array
        The function at the point.

    Returns
    -------
    noise, half : array of the shape of `here`
        The noise of float64 or float32; the same or, where that is larger and as large at two widths, what float16
        may have put off.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing.noise import noise_of
    >>> x = np.array(0.3)
    >>> double, single = (noise_of(lambda x: np.exp(x.astype(d)), [x], np.exp(x))[0] for d in ("f8", "f4"))
    >>> bool(double < 1e-14), bool(1e-8 < single < 1e-6)
    (True, True)
    """
    rng = generator("noise", *point)
    moves = [np.where(x == 0, 1.0, np.abs(x)) * rng.uniform(0.5, 1.0, x.shape) for x in point]
    moves = [move * rng.choice([-1.0, 1.0], move.shape) for move in moves]
    wider = [move * np.maximum(1.0, 1 / np.where(x == 0, 1.0, np.abs(x))) for move, x in zip(moves, point, strict=True)]
    scatter, sizes, moved = [], [np.abs(here)], False
    for width, repeated, by in ((_FINE, 2, moves), (_FINE, 2, wider), *((w, 5, moves) for w in _COARSE)):
        center, at = rng.uniform(-0.03, 0.03), np.sort(rng.uniform(-1.0, 1.0, _POINTS))
        stacked = np.stack(
            [values_at(f, [x + (center + width * t) * v for x, v in zip(point, by, strict=True)]) for t in at]
        )
        basis = np.linalg.qr(np.polynomial.chebyshev.chebvander(at, _DEGREE))[0]
        left = stacked - np.tensordot(basis, np.tensordot(basis.T, stacked, 1), 1)
        few = (stacked[1:] == stacked[:-1]).sum(axis=0) > repeated  # steps, but too wide for those of rounding
        most = np.abs(left).max(axis=0)
        scatter.append(np.where(few | ~np.isfinite(most), 0.0, most))
        sizes.append(np.abs(stacked).max(axis=0))
        moved = moved | (stacked != here).any(axis=0)
    size = np.fmax.reduce(sizes)
    fine, (wide, coarse) = np.fmax(*scatter[:2]), scatter[2:]
    noise = np.fmax(1.5 * fine, np.where(moved, 2 * _EPS, _SINGLE) * size)
    halves = (coarse >= wide / 8) & (coarse <= _HALF * size)
    return noise, np.fmax(noise, np.where(halves, 1.5 * coarse, 0.0))
