"""How often the backward pass meets each element of a parameter: what the badge ``each weight used ×576`` counts."""

from __future__ import annotations

import numpy as np

from autograd import Node, Tape

_RESHAPING = frozenset({"reshape", "transpose", "expand_dims", "squeeze", "ravel", "swapaxes", "moveaxis"})


def uses_of(tape: Tape) -> dict[Node, int]:
    """How many times each element of a parameter is used."""
    users: dict[Node, list[tuple[Node, int]]] = {}
    for node in tape:
        for i, operand in enumerate(node.operands):
            if isinstance(operand, Node) and (operand.op == "parameter" or operand.op in _RESHAPING):
                users.setdefault(operand, []).append((node, i))
    return {
        parameter: sum(_uses_in(node, i, users) for node, i in mine)
        for parameter, mine in users.items()
        if parameter.op == "parameter"
    }


def _uses_in(node: Node, i: int, users: dict[Node, list[tuple[Node, int]]]) -> int:
    operand = node.operands[i]
    if node.rule.uses is not None:
        return int(node.rule.uses(node, i))
    if node.op in _RESHAPING:
        return sum(_uses_in(user, j, users) for user, j in users.get(node, ())) or 1
    if node.op in ("matmul", "inner"):
        inner = node.operands[0].shape[-1]
        return max(1, node.size * inner // max(1, operand.size))
    if isinstance(node.rule.fn, np.ufunc):
        return max(1, node.size // max(1, operand.size))
    return 1
