"""What things are called in a picture: records, constants, expressions, local derivatives."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property
from typing import Any

from autograd import Node, Tape
from autograd.labels import Labels

from .. import formula
from ..plain.numbers import ordinal
from .constants import constants, content


class Names(Labels):
    """The names on a tape, and how its constants, local derivatives and operations are written with them."""

    tape: Tape

    @cached_property
    def _constants(self) -> tuple[dict[Any, str], frozenset[Any]]:
        taken = {self.of(node) for node in self.tape}
        return constants(self.tape, taken)

    def constant(self, array: Any) -> str | None:
        """The name of an array that operations on the tape were given; None of another."""
        return self._constants[0].get(content(array))

    def is_constant(self, name: str) -> bool:
        """Whether such an array is called so."""
        return name in self._constants[0].values()

    def variable(self, array: Any) -> str | None:
        """The name of such an array if it has that from the program."""
        return self.constant(array) if content(array) in self._constants[1] else None

    def as_written(self, node: Node) -> str:
        """The expression of the program that made a record; empty where that is not known."""
        return "" if node.source is None else node.source.expression

    def local(self, node: Node, i: int, *, total: bool) -> str:
        """What the derivative of a result by its operand `i` is called: ``∂d/∂a``, ``∂d/∂(2nd a)`` where the operand
        occurs more than once, ``local ∂L/∂a`` where ``∂L/∂a`` is the `total` of several paths."""
        operand = node.operands[i]
        result, name = self.of(node, 12), self.of(operand, 12)
        if sum(a is operand for a in node.operands) > 1:
            nth = sum(a is operand for a in node.operands[: i + 1])
            return f"∂{result}/∂({ordinal(nth)} {name})"
        return f"local ∂{result}/∂{name}" if total else f"∂{result}/∂{name}"

    def expression(self, node: Node, written_out: Container[Node] = ()) -> str:
        """How an operation is written, with what is `written_out` in place of its name: ``%5 + b⁽¹⁾``, ``Σ₁ %3``."""
        return formula.expression(node, self, self.variable, written_out)
