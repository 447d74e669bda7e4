"""Loops of a program: where each record was made, and which of those made there it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from autograd import Node

from ..pushing import Edge
from ..trials import Scene, once

__all__ = ["FEWEST", "Places", "grouped", "places"]

FEWEST = 3
"""So many passes make a loop."""
_FAR = 6
"""So many operations from a record a parameter still tells which of several alike it is."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where in the program each record was made, how often, and which of them it is, counted from 1."""

    of: dict[Node, Any] = field(default_factory=dict)
    nodes: dict[Any, dict[int, Node]] = field(default_factory=dict)
    ordinal: dict[Node, int] = field(default_factory=dict)

    def add(self, place: Any, nodes: list[Node]) -> None:
        self.nodes[place] = dict(enumerate(nodes, 1))
        self.of.update(dict.fromkeys(nodes, place))
        self.ordinal.update({node: k for k, node in enumerate(nodes, 1)})

    def steps(self, node: Node) -> int:
        """How many records were made there."""
        return len(self.nodes[self.of[node]])


@once
def places(scene: Scene) -> list[Places]:
    """By lines of the program; and where one line makes all gates of a network in time, told apart by their weights."""
    alike: dict[Any, list[Node]] = defaultdict(list)
    for node in scene.tape:
        alike[scene.words.place(node)].append(node)
    lines, gates = Places(), Places()
    for place, nodes in alike.items():
        lines.add(place, nodes)
        by_weights: dict[Any, list[Node]] = defaultdict(list)
        for node in nodes:
            by_weights[_weights_near(node) if len(nodes) > FEWEST and not node.is_leaf else None].append(node)
        told_apart = len({len(some) for some in by_weights.values()}) == 1 < len(nodes) // len(by_weights)
        for which, some in by_weights.items() if told_apart else [(None, nodes)]:
            gates.add((place, which), some)
    return [lines, gates] if len(gates.nodes) > len(lines.nodes) else [lines]


def grouped(scene: Scene, key: Callable[[Places, Edge], Any], fewest: int) -> Iterator[tuple[Places, list[Edge]]]:
    """The edges that are the same at each step; all gates at once first."""
    seen = set()
    for at in places(scene):
        groups: dict[Any, list[Edge]] = defaultdict(list)
        for edge in scene.edges():
            known_as = key(at, edge)
            if known_as is not None:
                groups[known_as].append(edge)
        for edges in groups.values():
            if len(edges) >= fewest and tuple(edges) not in seen:
                seen.add(tuple(edges))
                yield at, edges


def _weights_near(node: Node) -> frozenset[Node]:
    """The parameters that are the fewest operations before a record."""
    row = [node]
    for _ in range(_FAR):
        row = [p for n in row for p in n.parents if p.needs_grad]
        weights = frozenset(p for p in row if p.is_leaf)
        if weights:
            return weights
    return frozenset()
