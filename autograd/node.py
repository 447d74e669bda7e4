"""`Node`, the record of one operation: *what was called* (a rule, its operands, its options), not a closure.

So it can be shown, stepped through, computed again and explained. Records point at those of their operands; these
pointers own the memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .bytecode import Source, instruction_of, source_of
from .operands import as_array
from .recording import Scope
from .registry import Rule

FLOAT64 = np.dtype(np.float64)
NO_OPTIONS: dict[str, Any] = {}
LEAF = Rule(lambda: None, "leaf")  # in the place of a rule, on a Tensor that no operation made
VARIABLE = Rule(lambda: None, "leaf")  # on the argument that a transform differentiates by


class Node:
    """The record of one operation, or of a leaf.

    Attributes
    ----------
    rule : Rule
        The row of the table: ``rule.name`` is the operation. On leaves, their kind: ``"leaf"``, ``"parameter"``.
    args : tuple or None
        The operands in order, repeated ones repeated: a `Node` where it was a Tensor, else the constant. None: a leaf.
    kwargs : dict
        The options (``axis=1``).
    kept : array or None
        The value, where a rule needs it (always on leaves); `value` computes it again where it was dropped.
    shape, dtype
        Of the value.
    seq : int
        When it was made, in a count that all records share.
    scope : Scope
        The layer call it was made in.
    needs_grad : bool
        Whether a gradient flows through it.
    name : str or None
        ``"z⁽¹⁾"``, where it has one.
    """

    __slots__ = ("__weakref__", "args", "byte", "code", "dtype", "holder", "kept", "kwargs", "name", "needs_grad",
                 "rule", "scope", "seq", "shape")  # fmt: skip

    rule: Rule
    args: tuple[Any, ...] | None
    kwargs: dict[str, Any]
    kept: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    seq: int
    scope: Scope
    needs_grad: bool
    name: str | None
    holder: Any
    code: Any
    byte: int

    @property
    def op(self) -> str:
        """The name of the operation."""
        return str(self.rule.name)

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made it."""
        return self.args is None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def operands(self) -> tuple[Any, ...]:
        """The operands; empty on leaves."""
        return self.args or ()

    @property
    def parents(self) -> tuple[Node, ...]:
        """The operands that are records themselves, in order, repeated ones repeated."""
        return tuple([a for a in self.args or () if isinstance(a, Node)])

    @property
    def value(self) -> Any:
        """The array, computed again from its operands if it was dropped. Read-only."""
        return as_array(self.kept if self.kept is not None else replay(reachable(self, stop_at_kept=True))[self])

    lasti = property(instruction_of)

    @property
    def source(self) -> Source | None:
        """The line of the user's program that made it."""
        return None if self.code is None else source_of(self.code, self.byte)

    def __repr__(self) -> str:
        return f"<Node{f' {self.name}' if self.name else ''}: {self.op} {self.shape} {self.dtype}>"


def reachable(root: Node, *, stop_at_kept: bool = False) -> list[Node]:
    """The records that `root` was made from, itself included, oldest first.

    With `stop_at_kept`, only as far back as is needed to compute `root` again.
    """
    seen, stack = {root}, [root]
    while stack:
        node = stack.pop()
        if node.args is None or (stop_at_kept and node.kept is not None):
            continue
        for arg in node.args:
            if arg.__class__ is Node and arg not in seen:
                seen.add(arg)
                stack.append(arg)
    return sorted(seen, key=lambda node: node.seq)


def replay(nodes: Iterable[Node]) -> dict[Node, Any]:
    """The value of each of `nodes` (oldest first), computed again where it was dropped."""
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            if (value := node.kept) is None:
                value = node.rule.op(*[values[a] if a.__class__ is Node else a for a in node.operands], **node.kwargs)
            values[node] = value
    return values
