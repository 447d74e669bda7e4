"""What a unit shows when it is opened where it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from .unit import Unit, whole

__all__ = ["opens", "parts_of"]

_MOST = 24


def opens(unit: Unit) -> bool:
    """Whether there is something in a unit that it does not show itself."""
    return bool(unit.parts)


def parts_of(unit: Unit) -> tuple[Unit, ...]:
    """What a unit is made of, one level deeper; passes by what they are made of, where there is room, and where there
    is none, several of them as one."""
    parts = unit.parts
    if len(parts) == 1 and parts[0].kind in ("loop", "pass", "rest"):
        return parts_of(parts[0])
    if all(part.kind == "pass" for part in parts):
        flat = tuple(one for part in parts for one in _plain(part.parts))
        if len(flat) <= _MOST:
            return flat
        parts = tuple(part.parts[0] if len(part.parts) == 1 else part for part in parts)
    else:
        parts = _plain(parts)
    return parts if len(parts) <= _MOST else tuple(_groups(unit.parts))


def _plain(parts: Sequence[Unit]) -> tuple[Unit, ...]:
    """Parts with what lines are made of that call layers, and with the operation of a layer that has one alone."""

    def is_open(part: Unit) -> bool:
        calls = part.kind == "line" and any(one.kind == "layer" for one in part.parts)
        return calls or (part.kind == "layer" and len(part.nodes) == 1)

    return tuple(one for part in parts for one in (_plain(part.parts) if is_open(part) else (part,)))


def _groups(parts: Sequence[Unit]) -> list[Unit]:
    """Parts that follow each other, several as one."""
    size = max(math.ceil(len(parts) / _MOST), min(_MOST // 2, math.isqrt(len(parts))))
    count = math.ceil(len(parts) / size)
    bounds = [len(parts) * k // count for k in range(count + 1)]
    found = []
    for start, end in pairwise(bounds):
        first, last = parts[start].number, parts[end - 1].number
        text = f"passes {first}–{last}" if first else ""
        found.append(whole("rest", parts[start:end], text=text, number=first))
    return found
