"""What things are called in a picture: records, expressions, layers, local derivatives."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from autograd import Node, Scope
from autograd.labels import Labels

from .. import formula
from ..plain.numbers import clean, ordinal
from ..units.collapse import Unit
from .constants import constants, content


class Names(Labels):
    """The names on a tape, and how its constants, local derivatives and operations are written with them."""

    @cached_property
    def _constants(self) -> dict[Any, str]:
        taken = {self.of(node) for node in self.tape}
        return constants(self.tape, taken)

    def constant(self, array: Any) -> str | None:
        """The name of an array that operations on the tape were given; None of another."""
        return self._constants.get(content(array))

    def has(self, node: Node) -> bool:
        """Whether a record has a name other than its place."""
        return bool(node.name)

    def local(self, node: Node, i: int, *, total: bool) -> str:
        """What the derivative of a result by its operand `i` is called: ``∂d/∂a``, ``∂d/∂(2nd a)`` where the operand
        occurs more than once, ``local ∂L/∂a`` where ``∂L/∂a`` is the `total` of several paths."""
        operand = node.operands[i]
        result, name = self.of(node, 12), self.of(operand, 12)
        if sum(a is operand for a in node.operands) > 1:
            nth = sum(a is operand for a in node.operands[: i + 1])
            return f"∂{result}/∂({ordinal(nth)} {name})"
        return f"local ∂{result}/∂{name}" if total else f"∂{result}/∂{name}"

    def expression(self, node: Node) -> str:
        """How an operation is written: ``%5 + b⁽¹⁾``, ``Σ₁ %3``."""
        return formula.expression(node, self)


def scope_title(scope: Scope) -> str:
    return clean(scope.name) + (f" · {clean(scope.kind, 24)}" if scope.kind else "")


def run_title(unit: Unit) -> str:
    """``Block ×12`` where each repeat is one layer call, else what follows each other: ``matmul → tanh ×50``."""
    times = f" ×{unit.repeats}" if unit.repeats else ""
    one = common([node.scope.chain() for part in unit.parts for node in part.nodes])
    if times and len(one) > len(unit.around):
        scope = one[len(unit.around)]
        return clean(scope.kind or scope.name, 24) + times
    words = [
        clean(part.scope.kind or part.scope.name, 24) if part.scope is not None else clean(part.nodes[-1].op, 24)
        for part in unit.parts[:4]
    ]
    words += ["…"] if len(unit.parts) > 4 or not unit.repeats else []
    return " → ".join(words) + times


def common(chains: Sequence[tuple[Scope, ...]]) -> tuple[Scope, ...]:
    """The scopes that some chains begin with."""
    if not chains:
        return ()
    first = chains[0]
    length = min(len(chain) for chain in chains)
    same = 0
    while same < length and all(operator.is_(chain[same], first[same]) for chain in chains):
        same += 1
    return first[:same]
