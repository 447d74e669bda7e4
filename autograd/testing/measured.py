"""A hand-derived gradient against finite differences alone, where there is no tape to give the right one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .differences import Partial, Partials
from .drawing import generator
from .hand import Hand
from .limits import Limits
from .rows import Row, compare_row, kinks_that_allow, row_of_another_shape

__all__ = ["measured_row"]

_DIRECTIONS = 3
_ENOUGH = 8
"""So many elements are differentiated where a gradient is right along every random direction."""
_UNITS = 32
"""By so many units in the last place of the largest element any may be off."""
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
    if limits.atol is None:  # of yours no more is known than that it was rounded
        largest = np.abs(hand.array[np.isfinite(hand.array)]).max(initial=0.0)
        limits = limits._replace(noise=_UNITS * float(np.finfo(dtype).eps) * float(largest))
    allowed = limits.of(hand.array, hand, dtype)
    # what is wrong in one element must not hide in what is allowed of all of them
    exactly = hand.unit is None and limits.rtol is None and limits.atol is None
    strict = allowed / 100 if exactly else allowed
    said, suspicious, off = "", [], False
    if x.size > most and np.isfinite(hand.array).all():
        units = [rng.uniform(0.5, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape) for _ in range(_DIRECTIONS)]
        agree = [partials.agrees(unit, hand.array, strict) for unit in units]
        suspicious = [unit for unit, agrees in zip(units, agree, strict=True) if agrees is False]
        off = any(partials.agrees(unit, hand.array, allowed) is False for unit in suspicious)
        most = min(most, _ENOUGH) if all(agree) else most
        kinds = {"off": False, "right": True, "at a kink": None}
        counts = ", ".join(f"{kind} along {agree.count(k)}" for kind, k in kinds.items() if k in agree)
        said = f"; {counts} of {_DIRECTIONS} random directions"
    found: dict[tuple[int, ...], Partial] = {}
    for index in (_index(flat, x.shape) for flat in order[:most]):
        found[index] = partials.at(index, float(hand.array[index]), float(allowed[index]))
    if suspicious and all(partial.allows(float(hand.array[i]), float(allowed[i])) for i, partial in found.items()):
        found |= _searched(partials, hand.array, suspicious[0], strict)
    note = f"finite differences of {len(found)} of {x.size} elements{said}" if len(found) < x.size else ""
    right = np.where(np.isfinite(hand.array), hand.array, 0.0)
    slack, at_kinks, tried, unknown = np.zeros(x.shape), *(np.zeros(x.shape, bool) for _ in range(3))
    for index, partial in found.items():
        tried[index], unknown[index] = True, not np.isfinite(partial.error)
        if not unknown[index]:
            right[index] = (partial.low + partial.high) / 2 if partial.kink else partial.value
            slack[index], at_kinks[index] = partial.error, partial.kink
    possible = kinks_that_allow(hand, partials, found, at_kinks, allowed)
    row = compare_row(
        name, hand, right.astype(dtype), limits, slack=slack, kinks=possible, unknown=unknown, note=note, tried=tried
    )
    if off and row.ok:
        return replace(row, verdict="WRONG", where=None, note=f"{row.note}, though not in one of these elements")
    return replace(row, verdict="close") if row.verdict == "exact" else row


def _searched(partials: Partials, numbers: Any, unit: Any, allowed: Any) -> dict[tuple[int, ...], Partial]:
    """Elements that make a gradient be off along a direction, found by halving it."""
    found: dict[tuple[int, ...], Partial] = {}
    waiting, tried = [np.arange(numbers.size)], 0
    while waiting and tried < _SEARCHES:
        part = waiting.pop()
        if len(part) == 1:
            index = _index(part[0], numbers.shape)
            found[index] = partials.at(index, float(numbers[index]), float(allowed[index]))
            continue
        for half in np.array_split(part, 2):
            chosen = np.zeros(numbers.size)
            chosen[half] = 1.0
            tried += 1
            if not partials.agrees(unit * chosen.reshape(numbers.shape), numbers, allowed):
                waiting.append(half)
    return found


def _index(flat: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(flat), shape))
