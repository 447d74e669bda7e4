"""Repeats that no loop of the program tells of: the same few units, one series after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .unit import Unit, alike, whole

__all__ = ["repeated"]

_FEW = 8
_LONGEST_PATTERN = 64


def repeated(units: Sequence[Unit]) -> list[Unit]:
    """The units with runs of the same few, three times or more, as one each: the longest first."""
    units = list(units)
    while len(units) > _FEW:
        run = _longest_run(units)
        if run is None:
            break
        start, period, count = run
        starts = range(start, start + period * count, period)
        passes = [whole("pass", units[k : k + period], number=n) for n, k in enumerate(starts, 1)]
        units[start : start + period * count] = [whole("loop", passes)]
    return units


def _longest_run(units: Sequence[Unit]) -> tuple[int, int, int] | None:
    kinds: dict[Any, int] = {}
    series = np.array([kinds.setdefault(alike(unit), len(kinds)) for unit in units])
    best, saved = None, 0
    for period in range(1, min(_LONGEST_PATTERN, len(series) // 3) + 1):
        same = np.concatenate([[0], (series[:-period] == series[period:]).astype(int), [0]])
        edges = np.diff(same)
        for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            count = int(end - start) // period + 1
            if count >= 3 and (count - 1) * period > saved:
                saved, best = (count - 1) * period, (int(start), period, count)
    return best
