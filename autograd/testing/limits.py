"""How far off a number may be: by the precision of the numbers, by what rounding may do to each, or as it was told."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .hand import Hand

__all__ = ["Limits", "check_limits"]

# By bytes of one number: how far two gradients may differ, relative to the number.
_PRECISION = {2: 1e-2, 4: 1e-4}
_DOUBLE = 1e-5
_TELLING = 10
"""A number that rounding may change by one in so many parts of it can't be judged."""
_ROUNDS = 8
"""What is known of rounding is known but roughly."""


class Limits(NamedTuple):
    """How far off is wrong: by more than ``atol + rtol * |engine|``; None: as the precision of the numbers asks for.

    ``noise`` is the rounding to be expected, a number or one for each element: what `atol` is unless told.
    """

    rtol: float | None
    atol: float | None
    noise: Any = 0.0

    def of(self, engine: Any, hand: Hand, dtype: np.dtype[Any]) -> Any:
        """The largest allowed difference of each element; none where the engine's is not finite."""
        rtol = _PRECISION.get(min(dtype.itemsize, hand.dtype.itemsize), _DOUBLE)
        size = np.abs(np.where(np.isfinite(engine), engine, 0.0))
        absolute = self._noise(size, hand, dtype) if self.atol is None else self.atol
        usual = absolute + (rtol if self.rtol is None else self.rtol) * size
        if hand.unit is None:
            return usual
        rounding = 4 * np.finfo(np.float64).eps * size
        asked = usual if self.rtol is not None or self.atol is not None else 0.0
        as_printed = np.maximum(hand.unit * (0.5 + 1e-9) + rounding, asked)
        return np.where(np.isnan(hand.unit), usual, as_printed)

    def _noise(self, size: Any, hand: Hand, dtype: np.dtype[Any]) -> Any:
        """The rounding to be expected of two gradients, of which one may be of coarser numbers.

        The other may have been computed another way, out of numbers as large as the largest: a (1 − a) for σ′.
        """
        own, other = (float(np.finfo(d).eps) for d in (dtype, hand.dtype))
        largest = float(np.max(size, initial=0.0))
        noise = np.asarray(self.noise)
        # what is known may be of coarser numbers already, inside of the computation
        coarser = np.maximum(noise, np.minimum(noise * max(1.0, other / own), 64 * other * largest))
        return _ROUNDS * (coarser + 2 * max(own, other) * largest)

    def hides(self, engine: Any, hand: Hand, dtype: np.dtype[Any], slack: Any = 0.0) -> Any:
        """Where rounding may change a number by a tenth of it and more, so that many others would pass as well.

        Tolerances and digits that were given say themselves what passes.
        """
        if self.rtol is not None or self.atol is not None:
            return np.zeros(np.shape(engine), bool)
        size = np.abs(np.where(np.isfinite(engine), engine, 0.0))
        large = (self._noise(size, hand, dtype) + slack) * _TELLING > np.fmax(np.abs(hand.array), size)
        return large if hand.unit is None else large & np.isnan(hand.unit)


def check_limits(rtol: Any, atol: Any, who: str) -> None:
    """Refuse tolerances that are none; `who` begins the sentence."""
    for name, limit in (("rtol", rtol), ("atol", atol)):
        if limit is not None and not (isinstance(limit, int | float | np.number) and limit >= 0):
            raise ValueError(f"{who}: {name} must be a number that is not negative, got {limit!r}")
