"""Which inputs, parameters and constant arrays get boxes of their own, how many copies, and which share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Node

from ..tape.constants import content
from ..units.unit import Unit

SMALL = 15
MOST_INSIDE = 3
_MOST_SHARED = 4
_KEPT = 3


@dataclass(frozen=True, eq=False)
class Leaf:
    """A leaf or constant array beside the operations that it is drawn for, or several in one box (`folded`)."""

    node: Node | None
    array: Any
    ends: tuple[tuple[int, Node, int], ...]  # (unit, operation, operand)
    copy: int = 0
    copies: int = 1
    folded: tuple[Leaf, ...] = ()
    kept: int = 0
    uses: int = 1

    @property
    def word(self) -> str:
        """What it is: input, parameter or constant."""
        if self.folded:
            return self.folded[0].word
        return "constant" if self.node is None else "parameter" if self.node.op == "parameter" else "input"


def leaves_of(units: Sequence[Unit], max_nodes: int | None) -> list[Leaf]:
    """The leaves and constant arrays that get boxes: one copy for each use where sharing one would pull the layout
    together, none where a layer lists them inside, and one box for most of an operation's where they don't fit."""
    leaves = _all(units)
    for kept in (_KEPT, 0):
        if max_nodes is None or len(units) + len(leaves) <= max_nodes:
            break
        leaves = _shared(_all(units), kept)
    return leaves


def _all(units: Sequence[Unit]) -> list[Leaf]:
    ends: dict[Any, list[tuple[int, Node, int]]] = {}
    shown: dict[Any, tuple[Node | None, Any]] = {}
    lines = any(unit.kind == "line" for unit in units)
    inside = Counter(u for u, unit in enumerate(units) if not unit.is_op for _ in inputs(unit))
    for u, unit in enumerate(units):
        if unit.kind == "rest":
            continue
        written = unit.kind in ("op", "line")
        for node in unit.nodes:
            for i, operand in enumerate(node.operands):
                if isinstance(operand, Node):
                    if not operand.is_leaf:
                        continue
                    if not written and (operand.op == "parameter" or inside[u] > MOST_INSIDE):
                        continue
                    key: Any = operand
                    shown[key] = operand, None
                elif written and isinstance(operand, np.ndarray) and operand.size > 1:
                    key = content(operand) if lines else (node, i)
                    shown.setdefault(key, (None, operand))
                else:
                    continue
                ends.setdefault(key, []).append((u, node, i))
    small = len(units) <= SMALL
    leaves = []
    for key, (leaf, array) in shown.items():
        mine, users = ends[key], dict[int, list[tuple[int, Node, int]]]()
        for end in mine:
            users.setdefault(end[0], []).append(end)
        learned = leaf is not None and leaf.op == "parameter"
        if len(users) == 1 or small or (not learned and len(users) <= _MOST_SHARED):
            leaves.append(Leaf(leaf, array, tuple(mine)))
            continue
        if lines:
            # lines are written with its name: it need not stand beside each of them
            leaves.append(Leaf(leaf, array, tuple(next(iter(users.values()))), uses=len(users)))
            continue
        for copy, some in enumerate(users.values()):
            leaves.append(Leaf(leaf, array, tuple(some), copy, len(users)))
    return leaves


def _shared(leaves: Sequence[Leaf], kept: int) -> list[Leaf]:
    """Leaves with one box for those that one operation alone uses, all but the first ones and the last of them."""
    groups: dict[Any, list[Leaf]] = {}
    for leaf in leaves:
        alone = leaf.copies == 1 and len({u for u, _, _ in leaf.ends}) == 1
        groups.setdefault((leaf.word, leaf.ends[0][0]) if alone else leaf, []).append(leaf)
    found: list[Leaf] = []
    for group in groups.values():
        start, end = (kept - 1, len(group) - 1) if kept else (0, len(group))
        middle = tuple(group[max(start, 0) : end])
        if len(group) <= _KEPT + 1 or len(middle) < 2:
            found += group
            continue
        ends = tuple(end for leaf in middle for end in leaf.ends)
        found += [*group[:start], Leaf(None, None, ends, folded=middle, kept=kept), *group[end:]]
    return found


def inputs(unit: Unit) -> Iterator[Node]:
    """The leaves that are not parameters, among the operands of a unit."""
    seen = set()
    for node in unit.nodes:
        for operand in node.parents:
            if operand.is_leaf and operand.op != "parameter" and operand not in seen:
                seen.add(operand)
                yield operand
