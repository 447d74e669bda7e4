"""Where NaN and Inf are born: the first value, or the first gradient, that holds one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd import Node, Step, Tape
from autograd.listing import not_finite

_NOTHING: frozenset[str] = frozenset()


def births(tape: Tape, steps: Iterable[Step]) -> tuple[dict[Node, Any], dict[Node, str]]:
    """The gradient of every record, and a remark on each where NaN or Inf comes up that is in nothing it is made from.

    Parameters
    ----------
    tape : Tape
    steps : iterable of Step
        Its backward sweep; nothing where no gradient flows.

    Returns
    -------
    gradients : dict of Node to array
    alarms : dict of Node to str
    """
    kinds = {node: not_finite(tape.value(node)) for node in tape}

    def inputs(node: Node) -> frozenset[str]:
        return _NOTHING.union(*(kinds[a] if isinstance(a, Node) else not_finite(a) for a in node.operands))

    gradients: dict[Node, Any] = {}
    alarms: dict[Node, str] = {}
    arrived: dict[Node, frozenset[str]] = {}
    for step in steps:
        node = step.node
        gradients[node] = step.grad
        had = not_finite(step.grad)
        # Where contributions add up, Inf - Inf makes NaN.
        born = had - arrived[node] if node in arrived else _NOTHING
        known = had | kinds[node] | inputs(node)
        for contribution in step.contributions:
            sent = not_finite(contribution.dense())
            arrived[contribution.node] = arrived.get(contribution.node, _NOTHING) | sent
            born |= sent - known
        if born:
            alarms[node] = f"{listed(born)} born in its gradient"
    for node, had in kinds.items():
        born = had - inputs(node)
        if born:
            alarms[node] = f"{listed(born)} {'in the data' if node.is_leaf else 'born here'}"
    return gradients, alarms


def listed(kinds: frozenset[str]) -> str:
    """``NaN``, ``Inf``, ``NaN and Inf``."""
    return " and ".join(sorted(kinds, reverse=True))
