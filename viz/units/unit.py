"""`Unit`: a stretch of the tape that a person thinks of as one thing, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autograd import Node, Scope

__all__ = ["Kind", "Unit", "alike", "whole"]

Kind = Literal["tape", "layer", "loop", "pass", "call", "line", "op", "rest"]


@dataclass(frozen=True, eq=False)
class Unit:
    """Operations that follow each other on the tape, so that drawing them as one never makes a cycle.

    Attributes
    ----------
    kind : str
        ``"layer"``: a call of a module, or a ``with scope(...)`` block. ``"call"``: of a function of the program.
        ``"loop"``, made of each ``"pass"`` through it; ``"line"``: a statement; ``"op"``: one operation;
        ``"rest"``: the passes in the middle of a loop, or what does not fit into a picture.
    nodes : tuple of Node
        Oldest first.
    parts : tuple of Unit
        What it is made of; empty of an operation.
    scope : Scope or None
        The layer call.
    text : str
        The statement, the head of the loop, the name of the function.
    number : int
        Of a pass in its loop, from 1; of several passes, of the first.
    """

    kind: Kind
    nodes: tuple[Node, ...]
    parts: tuple[Unit, ...] = ()
    scope: Scope | None = None
    text: str = ""
    number: int = 0

    @property
    def is_op(self) -> bool:
        return self.kind == "op"

    @property
    def around(self) -> tuple[Scope, ...]:
        """The layer calls that it is in, outermost first."""
        if self.scope is not None:
            return self.scope.chain()[:-1]
        first, last = self.nodes[0].scope.chain(), self.nodes[-1].scope.chain()
        if self.is_op:
            return first
        return tuple(a for a, b in zip(first, last, strict=False) if a is b)


def whole(
    kind: Kind, parts: Iterable[Unit], scope: Scope | None = None, text: str = "", number: int = 0
) -> Unit:  # fmt: skip
    """A unit of some parts."""
    parts = tuple(parts)
    return Unit(kind, tuple(node for part in parts for node in part.nodes), parts, scope, text, number)


def alike(unit: Unit) -> Any:
    """What units share that do the same to other values."""
    last = unit.nodes[-1]
    if unit.is_op:
        return last.op, last.shape
    kind = unit.scope.kind or unit.scope.name if unit.scope is not None else ""
    return unit.kind, kind, unit.text, tuple(node.op for node in unit.nodes)


def leaves(units: Sequence[Unit]) -> int:
    """How many operations some units have."""
    return sum(len(unit.nodes) for unit in units)
