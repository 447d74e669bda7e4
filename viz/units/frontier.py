"""How far the tree of a tape is open: which of its units a picture of a given size shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from autograd import Tape

from .tree import tree_of
from .unit import Unit, alike, whole

__all__ = ["LEVELS", "frontier", "opened"]

LEVELS = ("op", "line", "layer", "auto")
_MOST_PASSES = 60
_FEW = 15

Count = Callable[[Sequence[Unit]], int]


def frontier(tape: Tape, level: str, max_nodes: int | None, count: Count) -> tuple[list[Unit], str]:
    """The units of a picture, oldest first, and a word where it had to be coarser than was asked for.

    They are opened from the tape on, those that are alike together, as long as they fit. A loop that does not fit
    with all its passes keeps as many of the first and the last as do.

    Parameters
    ----------
    tape : Tape
    level : {"op", "line", "layer", "auto"}
        Where opening stops; ``"auto"`` at operations where they all fit and the program has no lines of
        several operations on arrays, else at lines.
    max_nodes : int or None
        At most so many nodes; None for no limit.
    count : callable
        How many nodes some units need, with the inputs and parameters that are drawn beside them.
    """
    operations = [node for node in tape if not node.is_leaf]
    if not operations:
        return [], ""

    def fits(units: Sequence[Unit]) -> bool:
        return max_nodes is None or (len(units) <= max_nodes and count(units) <= max_nodes)

    single = [Unit("op", (node,)) for node in operations]
    root = tree_of(tape)
    if (level == "op" or (level == "auto" and not _is_written(root))) and fits(single):
        return single, ""
    if not fits([root]):
        return [whole("rest", root.parts)], "folded"
    units, complete = _opened(root, "line" if level in ("op", "auto") else level, fits)
    return units, "" if complete and level != "op" else "drawn by line" if complete else "folded"


def opened(unit: Unit, level: str) -> list[Unit]:
    """The units that a level shows of one, oldest first, however many they are."""
    return [one for part in unit.parts for one in opened(part, level)] if _is_open(unit, level) else [unit]


def _is_written(root: Unit) -> bool:
    """Whether the program is written as lines of arrays: several that have more than one operation each."""
    return any(node.shape for node in root.nodes) and len(list(itertools.islice(_lines(root), 2))) > 1


def _lines(unit: Unit) -> Iterator[Unit]:
    if unit.kind == "line" and not any(part.kind == "layer" for part in unit.parts):
        yield unit
    for part in unit.parts:
        yield from _lines(part)


def _is_open(unit: Unit, level: str) -> bool:
    """Whether a unit is to be shown by its parts at a level."""
    if not unit.parts or unit.kind == "rest":
        return False
    if unit.kind == "line":
        return level == "op" or any(part.kind == "layer" for part in unit.parts)
    written = {(id(node.code), node.lasti) for node in unit.nodes}
    if unit.kind == "layer" and level == "line" and (len(written) > 1 or len(unit.nodes) == 1):
        return True  # what the program itself has written as lines, and what one operation shows as well
    if unit.kind == "layer" and level != "op":
        return any(part.kind not in ("op", "line") or _holds_layer(part) for part in unit.parts)
    return True


def _holds_layer(unit: Unit) -> bool:
    return unit.kind == "layer" or any(_holds_layer(part) for part in unit.parts)


def _opened(root: Unit, level: str, fits: Callable[[Sequence[Unit]], bool]) -> tuple[list[Unit], bool]:
    """The units that are shown, and whether these are all that the level asks for."""
    units, depth = [root], {id(root): 0}
    refused: set[int] = set()
    while True:
        groups: dict[object, list[Unit]] = {}
        for unit in units:
            if _is_open(unit, level) and id(unit) not in refused:
                groups.setdefault((depth[id(unit)], alike(unit)), []).append(unit)
        if not groups:
            return units, not refused and not any(unit.kind == "rest" for unit in units)
        key = min(groups, key=lambda k: (k[0], -len(groups[k][0].nodes)))  # type: ignore[index]
        group = groups[key]
        chosen = {id(unit) for unit in group}
        keep = _most_passes(units, chosen, fits)
        if keep < 0:
            refused |= chosen
            first = group[0]
            if len(units) < _FEW and first.kind == "layer" and fits(_with_parts(units, {id(first)}, len(first.parts))):
                # one of them as an example, whose parts stay closed
                units = _with_parts(units, {id(first)}, len(first.parts))
                refused.update(map(id, units))
            continue
        for unit in group:
            for part in _parts(unit, keep):
                depth[id(part)] = depth[id(unit)] + 1
        units = _with_parts(units, chosen, keep)


def _most_passes(units: Sequence[Unit], chosen: set[int], fits: Callable[[Sequence[Unit]], bool]) -> int:
    """How many passes at each end of the chosen loops fit, or parts of the tape; all of other units; −1: none."""
    most = max((len(unit.parts) + 1) // 2 for unit in units if id(unit) in chosen)
    if fits(_with_parts(units, chosen, most)):
        return most
    if any(id(unit) in chosen and unit.kind not in ("loop", "tape") for unit in units):
        return -1
    low, high = 0, min(most - 1, _MOST_PASSES)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(_with_parts(units, chosen, middle)) else (low, middle - 1)
    return low or -1


def _with_parts(units: Sequence[Unit], chosen: set[int], keep: int) -> list[Unit]:
    return [part for unit in units for part in (_parts(unit, keep) if id(unit) in chosen else (unit,))]


def _parts(unit: Unit, keep: int) -> tuple[Unit, ...]:
    """The parts of a unit as they are shown: passes by what they are made of, what is in the middle as one."""

    def shown(parts: Sequence[Unit]) -> list[Unit]:
        return [one for part in parts for one in (part.parts if unit.kind == "loop" else (part,))]

    parts = unit.parts
    if len(parts) <= 2 * keep + 1:
        return tuple(shown(parts))
    return (*shown(parts[:keep]), whole("rest", parts[keep:-keep], text=unit.text), *shown(parts[-keep:]))
