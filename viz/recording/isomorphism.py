"""Whether two tapes are of the same computation on other numbers, and where they first differ."""

from __future__ import annotations

from typing import Any

from autograd import Node, Tape
from autograd.listing import operand_text, option_text

__all__ = ["Alike", "first_difference"]


class Alike(Tape):
    """A tape whose leaves stand where those of another one stand, whenever they were made.

    A leaf that was given new numbers is made anew, so that it comes later on a tape than those that stayed.

    Parameters
    ----------
    tape, like : Tape
    pairs : dict of Node to Node
        The leaf of `tape` for each leaf of `like`, from `first_difference`.
    """

    def __init__(self, tape: Tape, like: Tape, pairs: dict[Node, Node]):
        super().__init__(tape.root)
        operations = iter([node for node in tape if not node.is_leaf])
        self.nodes = tuple(pairs[node] if node.is_leaf else next(operations) for node in like)
        self._index = {node: i for i, node in enumerate(self.nodes)}


def first_difference(before: Tape, now: Tape, pairs: dict[Node, Node]) -> str:
    """Where two tapes first differ in an operation, its options, a shape, a dtype or in what is made from what.

    Parameters
    ----------
    before, now : Tape
    pairs : dict of Node to Node
        Is filled with the leaf of `now` for each leaf of `before`.

    Returns
    -------
    str
        A part of a sentence; empty where they do not differ.
    """
    old, new = ([node for node in tape if not node.is_leaf] for tape in (before, now))
    places = [{node: i for i, node in enumerate(nodes)} for nodes in (old, new)]
    back: dict[Node, Node] = {}

    def corresponds(a: Any, b: Any) -> bool:
        if not isinstance(a, Node) or not isinstance(b, Node):
            return not isinstance(a, Node) and not isinstance(b, Node) and _shape(a) == _shape(b)
        if a.is_leaf and b.is_leaf:
            return pairs.setdefault(a, b) is b and back.setdefault(b, a) is a
        return not a.is_leaf and not b.is_leaf and places[0][a] == places[1][b]

    for a, b in zip(old, new, strict=False):
        if a.op != b.op:
            return f"{_at(now, b)} is {_said(b)}, and was {_said(a)}"
        if not _alike(a.kwargs, b.kwargs):
            return f"{_at(now, b)} is {b.op}({option_text(b)}), and was {a.op}({option_text(a)})"
        if len(a.operands) != len(b.operands):
            return f"{_at(now, b)}, {b.op}, has {len(b.operands)} operands, and had {len(a.operands)}"
        for i, (x, y) in enumerate(zip(a.operands, b.operands, strict=True)):
            name, where = operand_text(now, y), f"operand {i} of {b.op}, {_at(now, b)}"
            if _said(x) != _said(y):
                return f"{name}, {where}, is {_said(y)}, and was {_said(x)}"
            if not corresponds(x, y):
                return f"{where}, is {name}, and was {operand_text(before, x)}"
        if _said(a) != _said(b):
            return f"{_at(now, b)} is {_said(b)}, and was {_said(a)}"
    if len(old) != len(new):
        tape, more, count = (now, new, len(old)) if len(new) > len(old) else (before, old, len(new))
        what = "new is" if tape is now else "missing is"
        return (
            f"it has {len(new)} operations, and had {len(old)}; {what} {_said(more[count])}, {_at(tape, more[count])}"
        )
    return "" if corresponds(before.root, now.root) else "it ends with another value"


def _said(operand: Any) -> str:
    if not isinstance(operand, Node):
        return f"a constant of shape {_shape(operand)}"
    what = operand.op if operand.needs_grad else f"{operand.op} (no gradient)"
    return f"{what} of shape {operand.shape}, {operand.dtype}"


def _at(tape: Tape, node: Node) -> str:
    return f"{operand_text(tape, node)} at {node.source}" if node.source else operand_text(tape, node)


def _shape(constant: Any) -> tuple[int, ...]:
    return tuple(getattr(constant, "shape", ()))


def _alike(a: Any, b: Any) -> bool:
    """Whether options are the same; arrays among them (an index, say) need only have the same shape."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, bool | int | float | str | slice):
        return bool(a == b or a != a)
    return _shape(a) == _shape(b)
