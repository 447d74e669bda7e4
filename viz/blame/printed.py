"""The gradients that a person hands in: checked, and how precise their numbers are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.testing.given import Given as ByHand
from autograd.testing.hand import Hand, check_has_gradient, read_hands
from autograd.testing.limits import Limits

__all__ = ["Given", "given"]

_FEWEST = 3
"""Floats of fewer digits and decimals (0.5, 0.25) are taken as they are, not as rounded."""
_ROUNDED_ON_THE_WAY = 3
"""So many units of the last digit printed may come from rounding on the way."""
_WHOLE = {2: 3, 4: 7}
"""By bytes of one number: with so many significant digits it is not taken for a rounded one."""


class Given(ByHand):
    """A gradient that a person hands in, and what is to be known of its digits."""

    @property
    def flow(self) -> Any:
        """It as it is handed on."""
        return self.array.astype(self.node.dtype)

    @property
    def numbers(self) -> Any:
        """Its numbers, those that were given, in a row."""
        return self.picked(self.array)

    def is_near(self, other: Any) -> bool:
        """Whether it is off by some units of the last digit printed, as where intermediate numbers were rounded."""
        other = np.asarray(other)
        if self.hand.unit is None or other.shape != self.array.shape:
            return False
        near = np.minimum(_ROUNDED_ON_THE_WAY * self.hand.unit, 1e-3 * np.abs(other).max(initial=0.0))
        allowed = np.maximum(np.nan_to_num(near), self.limits.of(other.astype(np.float64), self.hand, self.node.dtype))
        return bool(self.picked(np.abs(self.array - other) <= allowed).all())

    @property
    def digits(self) -> float:
        """How many digits its numbers have together."""
        return self.digits_off(np.zeros(self.array.shape))

    def digits_off(self, right: Any) -> float:
        """How many digits its difference from the right one has: what a cause has to account for."""
        if np.shape(right) != self.array.shape:
            return self.digits
        unit = 1e-15 * np.abs(self.array) if self.hand.unit is None else self.hand.unit
        with np.errstate(all="ignore"):
            each = np.log10(np.abs(self.picked(self.array - right)) / self.picked(unit))
        return float(np.minimum(each, 15.0)[each > 0].sum())

    def loosened(self) -> Given:
        """The same with some of the last digits printed not to be trusted."""
        unit = self.hand.unit
        if unit is None:
            return self
        most = np.maximum(unit, 2e-3 * np.abs(self.array).max(initial=0.0))
        return replace(self, hand=self.hand._replace(unit=np.minimum(20 * unit, most)))

    def reshaped(self) -> Given | None:
        """The same in the shape that it must have, where only axes of length 1 are too many or missing."""
        want, got = ([n for n in shape if n != 1] for shape in (self.node.shape, self.array.shape))
        if self.has_shape or want != got:
            return None
        return replace(self, hand=self.hand.reshaped(self.node.shape))

    @property
    def rounding(self) -> Any:
        """How far each number may be from the one that was rounded to it; 0 where none was."""
        return np.zeros(self.array.shape) if self.hand.unit is None else 0.5 * np.nan_to_num(self.hand.unit)


def given(
    tape: Tape,
    hand: Any,
    noise: Mapping[Node, Any],
    rtol: Any,
    atol: Any,
    *,
    empty: bool = False,
    what: str = "gradient",
) -> dict[Node, Given]:
    """The gradients that were handed in, checked, in the order of the backward pass.

    `empty`: none need be given; `what` they are, for the sentence of an error.

    Raises
    ------
    TypeError, ValueError, KeyError
        As `viz.explain_mismatch` states.
    """
    for name, number in (("rtol", rtol), ("atol", atol)):
        if number is not None and not (isinstance(number, int | float) and 0 <= number < float("inf")):
            raise ValueError(f"explain_mismatch: {name} must be a number of at least 0, got {number!r}")
    found: dict[Node, Given] = {}
    is_value = what == "value"
    for node, (name, read, _) in read_hands(tape, hand, "explain_mismatch", what, empty=empty, whole=is_value).items():
        if not is_value:
            check_has_gradient(node, "explain_mismatch")
        if read.unit is None and rtol is None and atol is None:
            read = read._replace(unit=_unit(read))
        off = noise.get(node, 0.0)
        off = off if read.array.shape == node.shape else float(np.max(off, initial=0.0))
        found[node] = Given(node, name, read, Limits(rtol, atol, off))
    used: dict[Node, float] = {}
    for k, node in enumerate(tape if found else ()):
        for operand in node.parents:
            if operand in found:
                used.setdefault(operand, k - 0.5)

    def order(node: Node) -> float:
        return used.get(node, tape.index(node)) if node.is_leaf else tape.index(node)

    return dict(sorted(found.items(), key=lambda pair: (pair[0].is_leaf, -order(pair[0]))))


def _unit(hand: Hand) -> Any:
    """The unit of the last digit of floats that look rounded: all of them have few digits."""
    numbers = hand.array if hand.given is None else hand.array[hand.given]
    if hand.dtype.itemsize < 8:
        numbers = numbers.astype(hand.dtype)
    places = significant = 0
    for item in numbers.ravel()[:4096]:
        shortest = Decimal(np.format_float_scientific(item, unique=True, trim="-")).normalize()
        _, digits, exponent = shortest.as_tuple()
        if isinstance(exponent, int) and shortest:
            places, significant = max(places, -exponent), max(significant, len(digits))
    if places <= 0 or max(significant, places) < _FEWEST or significant >= _WHOLE.get(hand.dtype.itemsize, 13):
        return None
    # rounded to some number of decimals, or of significant digits: the laxer of the two
    with np.errstate(divide="ignore"):
        first = np.where(hand.array == 0, -np.inf, np.floor(np.log10(np.abs(hand.array))))
    return np.maximum(10.0**-places, 10.0 ** (first - significant + 1))
