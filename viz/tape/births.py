"""Where NaN and Inf are born: in a value or a gradient that is made from nothing that holds one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd import Node, Step, Tape
from autograd.listing import not_finite

_NOTHING: frozenset[str] = frozenset()


class Kinds:
    """Which of NaN and Inf the values on a tape hold.

    Parameters
    ----------
    tape : Tape
    """

    def __init__(self, tape: Tape):
        self._of = {node: not_finite(tape.value(node)) for node in tape}

    def of(self, operand: Any) -> frozenset[str]:
        """Of a record's value, or of a constant."""
        return self._of[operand] if isinstance(operand, Node) else not_finite(operand)

    def read_forward(self, node: Node) -> frozenset[str]:
        """Of all that an operation is computed from."""
        return _NOTHING.union(*(self.of(operand) for operand in node.operands))

    def read_backward(self, node: Node, i: int) -> frozenset[str]:
        """Of the values that the derivative rule of operand `i` reads; the gradient that arrives comes on top."""
        return _NOTHING.union(*(self.of(operand) for operand in values_read(node, i)))


def values_read(node: Node, i: int) -> list[Any]:
    """The records and constants whose values the derivative rule of operand `i` looks at."""
    reads_output, read = node.rule.reads(i)
    operands = node.operands
    found = [operands[k] for k in (range(len(operands)) if read is None else sorted(read)) if k < len(operands)]
    return [*found, node] if reads_output else found


def births(tape: Tape, steps: Iterable[Step], kinds: Kinds) -> dict[Node, str]:
    """A remark on each record where NaN or Inf comes up that is in nothing it is made from.

    Parameters
    ----------
    tape : Tape
    steps : iterable of Step
        Its backward sweep; nothing where no gradient flows.
    kinds : Kinds
        Those of the tape.
    """
    alarms: dict[Node, str] = {}
    arrived: dict[Node, frozenset[str]] = {}
    in_values = {node: kinds.of(node) - kinds.read_forward(node) for node in tape}
    for step in steps:
        node = step.node
        had = not_finite(step.grad)
        # Where contributions add up, Inf - Inf makes NaN.
        born = had - arrived[node] if node in arrived else _NOTHING
        for contribution in step.contributions:
            sent = not_finite(contribution.grad)
            arrived[contribution.node] = arrived.get(contribution.node, _NOTHING) | sent
            if not sent <= had:
                born |= sent - had - kinds.read_backward(node, contribution.position)
        if born - in_values[node]:
            alarms[node] = f"{kinds_listed(born - in_values[node])} born in its gradient"
    for node, born in in_values.items():
        if born:
            here = f"{kinds_listed(born)} {'in the data' if node.is_leaf else 'born here'}"
            alarms[node] = f"{here}, {alarms[node]}" if node in alarms else here
    return alarms


def kinds_listed(kinds: frozenset[str]) -> str:
    """``NaN``, ``Inf``, ``NaN and Inf``."""
    return " and ".join(sorted(kinds, reverse=True))
