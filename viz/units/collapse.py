"""What a picture shows as one node: an operation, a layer call, or a run of repeats.

The order of the tape does the work: the operations of a layer call, or of a run, stand next to each other on it, so
drawing them as one node never makes a cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Node, Scope, Tape

LEVELS = ("op", "layer", "auto")
_LONGEST_PATTERN = 64


@dataclass(frozen=True, eq=False)
class Unit:
    """Some operations that are drawn as one node.

    Attributes
    ----------
    nodes : tuple of Node
        Oldest first; one where an operation stands for itself.
    scope : Scope or None
        The layer call that it stands for.
    parts : tuple of Unit
        What a run of repeats is made of, one repeat of it.
    repeats : int
        How many times the parts follow each other; 0 for a run of unlike operations.
    """

    nodes: tuple[Node, ...]
    scope: Scope | None = None
    parts: tuple[Unit, ...] = ()
    repeats: int = 1

    @property
    def is_op(self) -> bool:
        return self.scope is None and not self.parts

    @property
    def around(self) -> tuple[Scope, ...]:
        """The layer calls that its box is drawn in, outermost first."""
        if self.scope is not None:
            return self.scope.chain()[:-1]
        chain = self.nodes[0].scope.chain()
        if self.parts:
            last = self.nodes[-1].scope.chain()
            common = [a for a, b in zip(chain, last, strict=False) if a is b]
            return tuple(common)
        return chain


def units_of(tape: Tape, level: str, max_nodes: int | None, count: Callable[[Sequence[Unit]], int]) -> tuple[
    list[Unit], str
]:  # fmt: skip
    """The units of a picture, oldest first, and a word where it had to be coarser than was asked for.

    Parameters
    ----------
    tape : Tape
    level : {"op", "layer", "auto"}
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

    single = [Unit((node,)) for node in operations]
    if level != "layer" and fits(single):
        return single, ""
    note = "drawn by layer" if level == "op" else ""
    parents = {s.parent for node in operations for s in node.scope.chain()}
    units = _by_scope(operations, lambda s: s not in parents)
    if fits(units):
        return units, note
    deepest = max((len(node.scope.chain()) for node in operations), default=0)
    note = "folded"
    coarser = units
    for depth in range(deepest, 0, -1):
        folded = _folded(coarser, fits)
        if fits(folded):
            return folded, note
        coarser = _by_scope(operations, lambda s, d=depth: s not in parents or len(s.chain()) >= d)  # type: ignore[misc]
        if fits(coarser):
            return coarser, note
    folded = _folded(coarser, fits)
    return (folded if fits(folded) else _elided(folded, fits)), note


def _by_scope(operations: Sequence[Node], collapsed: Callable[[Scope], bool]) -> list[Unit]:
    members: dict[Any, list[Node]] = {}
    chains: dict[Scope, Scope | None] = {}
    for node in operations:
        if node.scope not in chains:
            chains[node.scope] = next((s for s in node.scope.chain() if collapsed(s)), None)
        members.setdefault(chains[node.scope] or node, []).append(node)
    return [
        Unit(tuple(nodes), key if isinstance(key, Scope) else None)
        for key, nodes in sorted(members.items(), key=lambda item: item[1][-1].seq)
    ]


def _signature(unit: Unit) -> Any:
    last = unit.nodes[-1]
    if unit.is_op:
        return last.op, last.shape
    kind = unit.scope.kind or unit.scope.name if unit.scope is not None else ""
    return kind, unit.repeats, tuple(node.op for node in unit.nodes)


def _folded(units: Sequence[Unit], fits: Callable[[Sequence[Unit]], bool]) -> list[Unit]:
    """Runs of the same few units, three times or more, as one unit each; the longest first, until it fits."""
    units = list(units)
    for _ in range(16):
        if fits(units):
            break
        run = _longest_run(units)
        if run is None:
            break
        start, period, repeats = run
        inside = units[start : start + period * repeats]
        whole = [_run(inside, period)]
        # A run that is everything would leave a single box: its first and last repeat stand for themselves.
        ends = [*inside[:period], _run(inside[period:-period], period), *inside[-period:]]
        units[start : start + len(inside)] = ends if len(inside) == len(units) and repeats > 4 and fits(ends) else whole
    return units


def _run(units: Sequence[Unit], period: int) -> Unit:
    nodes = tuple(node for unit in units for node in unit.nodes)
    return Unit(nodes, None, tuple(units[:period]), len(units) // period)


def _longest_run(units: Sequence[Unit]) -> tuple[int, int, int] | None:
    kinds: dict[Any, int] = {}
    series = np.array([kinds.setdefault(_signature(unit), len(kinds)) for unit in units])
    best, saved = None, 0
    for period in range(1, min(_LONGEST_PATTERN, len(series) // 3) + 1):
        same = np.concatenate([[0], (series[:-period] == series[period:]).astype(int), [0]])
        edges = np.diff(same)
        for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            repeats = int(end - start) // period + 1
            if repeats >= 3 and (repeats - 1) * period + (repeats == len(series)) > saved:
                saved, best = (repeats - 1) * period, (int(start), period, repeats)
    return best


def _elided(units: Sequence[Unit], fits: Callable[[Sequence[Unit]], bool]) -> list[Unit]:
    """The first and the last units, as many as fit, and one between them that stands for the rest."""
    low, high = 0, len(units) // 2
    found = _middle(units, 0)
    while low < high:
        keep = (low + high + 1) // 2
        candidate = _middle(units, keep)
        if fits(candidate):
            low, found = keep, candidate
        else:
            high = keep - 1
    return found


def _middle(units: Sequence[Unit], keep: int) -> list[Unit]:
    rest = units[keep : len(units) - keep]
    if keep and len(rest) < 2:
        return list(units)
    nodes = tuple(node for unit in rest for node in unit.nodes)
    return [*units[:keep], Unit(nodes, None, tuple(rest[:3]), 0), *units[len(units) - keep :]]
