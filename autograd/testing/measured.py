"""A hand-derived gradient against finite differences alone, where there is no tape to give the right one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .differences import Partial, Partials
from .drawing import generator
from .hand import Hand
from .rows import Limits, Row, compare_row, kinks_that_allow, row_of_another_shape

__all__ = ["agrees_along", "measured_row"]

_DIRECTIONS = 3
_ENOUGH = 8
"""So many elements are differentiated where a gradient is right along every random direction."""
_SEARCHES = 60
"""Directions tried at most to find the wrong elements of an array that is off along a random direction."""


def measured_row(name: str, hand: Hand, partials: Partials, limits: Limits, dtype: Any, most: int) -> Row:
    """Compare a gradient with finite differences: along random directions for all elements, and of some of them.

    Of a large array `most` elements are looked at, fewer where it is right along every direction. Where it is off
    and none of these is wrong, those that are get found by halving. `Row.engine` holds what was measured at the
    elements that were looked at, and yours at all others.
    """
    x = partials.x
    if hand.array.shape != x.shape:
        return row_of_another_shape(
            name, hand, np.full(x.shape, np.nan), lambda other: measured_row(name, other, partials, limits, dtype, most)
        )
    rng = generator("directions", x, hand.array)
    order = np.concatenate([np.flatnonzero(~np.isfinite(hand.array)), rng.permutation(x.size)])
    allowed = limits.of(hand.array, hand, dtype)
    # what is wrong in one element must not hide in what is allowed of all of them
    exactly = hand.unit is None and limits.rtol is None and limits.atol is None
    strict = allowed / 100 if exactly else allowed
    said, suspicious, off = "", [], False
    if x.size > most and np.isfinite(hand.array).all():
        units = [rng.uniform(0.5, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape) for _ in range(_DIRECTIONS)]
        agree = [agrees_along(partials, hand.array, unit, strict) for unit in units]
        suspicious = [unit for unit, agrees in zip(units, agree, strict=True) if agrees is False]
        off = any(agrees_along(partials, hand.array, unit, allowed) is False for unit in suspicious)
        most = min(most, _ENOUGH) if all(agree) else most
        kinds = {"off": False, "right": True, "at a kink": None}
        counts = ", ".join(f"{kind} along {agree.count(k)}" for kind, k in kinds.items() if k in agree)
        said = f"; {counts} of {_DIRECTIONS} random directions"
    found = {index: partials.at(index) for index in (_index(flat, x.shape) for flat in order[:most])}
    if suspicious and all(partial.allows(float(hand.array[i]), float(allowed[i])) for i, partial in found.items()):
        found |= _searched(partials, hand.array, suspicious[0], strict)
    note = f"finite differences of {len(found)} of {x.size} elements{said}" if len(found) < x.size else ""
    right = np.where(np.isfinite(hand.array), hand.array, 0.0)
    slack, at_kinks, tried = np.zeros(x.shape), np.zeros(x.shape, bool), np.zeros(x.shape, bool)
    for index, partial in found.items():
        right[index] = (partial.low + partial.high) / 2 if partial.kink else partial.value
        slack[index], at_kinks[index], tried[index] = 10 * partial.error, partial.kink, True
    possible = kinks_that_allow(hand, partials, found, at_kinks, allowed)
    row = compare_row(name, hand, right.astype(dtype), limits, slack=slack, undecided=possible, note=note, tried=tried)
    if off and row.ok:
        return replace(row, verdict="WRONG", where=None, note=f"{row.note}, though not in one of these elements")
    return replace(row, verdict="close") if row.verdict == "exact" else row


def agrees_along(partials: Partials, numbers: Any, unit: Any, allowed: Any) -> bool | None:
    """Whether a gradient is the slope along a direction; None: at a kink."""
    direction, slope = partials.along(unit)
    if slope.kink:
        return None
    expected = float(np.sum(numbers * direction))
    # what is allowed of each element adds up as errors do that are independent of each other
    slack = 4 * float(np.sqrt(np.sum(np.square(allowed * direction))))
    return bool(abs(expected - float(slope.value)) <= slack + 10 * float(slope.error))


def _searched(partials: Partials, numbers: Any, unit: Any, allowed: Any) -> dict[tuple[int, ...], Partial]:
    """Elements that make a gradient be off along a direction, found by halving it."""
    found: dict[tuple[int, ...], Partial] = {}
    waiting, tried = [np.arange(numbers.size)], 0
    while waiting and tried < _SEARCHES:
        part = waiting.pop()
        if len(part) == 1:
            index = _index(part[0], numbers.shape)
            found[index] = partials.at(index)
            continue
        for half in np.array_split(part, 2):
            chosen = np.zeros(numbers.size)
            chosen[half] = 1.0
            tried += 1
            if not agrees_along(partials, numbers, unit * chosen.reshape(numbers.shape), allowed):
                waiting.append(half)
    return found


def _index(flat: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(flat), shape))
