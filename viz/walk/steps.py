"""What a step of a walk is: which record it is at, what it reads and sends, and by which formula."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from autograd import Node
from autograd.listing import not_finite

from ..formula import Formula, backward, forward
from ..tape.births import kinds_listed, values_read
from ..tape.run import Run
from ..units.titles import scope_title

Phase = Literal["start", "forward", "seed", "backward"]


@dataclass(eq=False, repr=False)
class Step:
    """One step: an operation computes its value, or sends a gradient to one of its operands.

    Attributes
    ----------
    run : Run
    number : int
        Its place in the walk, from 0, the start.
    phase : {"start", "forward", "seed", "backward"}
        The seed is the gradient that the backward pass starts from.
    op : int
        The number of the operation it belongs to: steps that send gradients from one operation share it.
    node : Node
        The operation.
    target : Node
        What receives: `node` itself going forward, an operand going backward.
    operand : int
        The position of the target among the operands; −1 going forward.
    part, parts : int
        Going backward: this is contribution `part` of `parts` to the gradient of the target.
    upstream, contribution, before, after : array or None
        Going backward: the gradient of the operation, what it sends, the sum of what came before, the sum with it.
        Going forward `after` is the value.
    """

    run: Run
    number: int
    phase: Phase
    op: int
    node: Node
    target: Node
    parts: int
    operand: int = -1
    part: int = 0
    upstream: Any = None
    contribution: Any = None
    before: Any = None
    after: Any = None

    @property
    def is_complete(self) -> bool:
        """Whether the gradient of the target is its last one after this step."""
        return self.phase == "seed" or (self.phase == "backward" and self.part == self.parts)

    @cached_property
    def title(self) -> str:
        """``FORWARD  z⁽¹⁾``, ``BACKWARD  z⁽¹⁾ ← a⁽¹⁾``."""
        names = self.run.names
        if self.phase == "start":
            return "START  the inputs"
        if self.phase == "forward":
            return f"FORWARD  {names.of(self.node)}"
        if self.phase == "seed":
            return f"BACKWARD  starts at {names.of(self.node)}"
        return f"BACKWARD  {names.of(self.target)} ← {names.of(self.node)}"

    @cached_property
    def formula(self) -> Formula | None:
        """What is computed, printed from the tape: the operation going forward, its own rule going backward."""
        names, value = self.run.names, self.run.tape.value
        if self.phase == "forward":
            return forward(self.node, names, value)
        if self.phase == "backward":
            return backward(self.node, self.operand, self.upstream, names, value)
        return None

    @property
    def sign(self) -> str:
        """``=``, or ``+=`` where a gradient is a sum of several contributions."""
        return "+=" if self.phase == "backward" and self.parts > 1 else "="

    @property
    def equation(self) -> str:
        """The rule in one line: ``∂L/∂z⁽¹⁾ = ∂L/∂a⁽¹⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)``; empty where nothing is computed."""
        formula = self.formula
        return f"{formula.target.name} {self.sign} {formula.plain()}" if formula else ""

    @property
    def layer(self) -> str:
        """The layer call that the operation is in: ``conv1 · Conv2d``, or empty."""
        chain = self.node.scope.chain()
        return scope_title(chain[-1]) if chain and self.phase != "start" else ""

    @property
    def source(self) -> str:
        """``digits.py:12``, or empty."""
        return str(self.node.source or "") if self.phase != "start" else ""

    @property
    def code(self) -> str:
        """The line of the program."""
        source = self.node.source if self.phase != "start" else None
        return source.text if source else ""

    @cached_property
    def reads(self) -> tuple[Node, ...]:
        """The saved forward values that the step needs."""
        if self.phase == "forward":
            return tuple(dict.fromkeys(self.node.parents))
        if self.phase != "backward":
            return ()
        found = values_read(self.node, self.operand)
        return tuple(dict.fromkeys(value for value in found if isinstance(value, Node)))

    @property
    def result(self) -> Any:
        """What it gives: a value, the seed, or what is sent."""
        return self.contribution if self.phase == "backward" else self.after

    @property
    def _wrong(self) -> frozenset[str]:
        """Which of NaN and Inf the result of an operation or of its rule holds."""
        return not_finite(self.result) if self.phase in ("forward", "backward") else frozenset()

    @property
    def _read(self) -> frozenset[str]:
        """Which what the step read holds."""
        kinds = self.run.kinds
        if self.phase == "forward":
            return kinds.read_forward(self.node)
        return kinds.read_backward(self.node, self.operand) | not_finite(self.upstream)

    @cached_property
    def inherited_from(self) -> tuple[str, Node | None] | None:
        """What NaN or Inf was handed on from, ``("value", node)`` or ``("gradient", node)``; a constant has no node."""
        wrong = self._wrong
        if not wrong:
            return None
        sources: list[tuple[str, Node | None, frozenset[str]]] = []
        if self.phase == "backward":
            sources.append(("gradient", self.node, not_finite(self.upstream)))
        sources += [("value", operand, self.run.kinds.of(operand)) for operand in self.reads]
        sources.append(("value", None, self._read))
        return next(((kind, node) for kind, node, held in sources if wrong & held), None)

    @cached_property
    def inherits(self) -> str:
        """``NaN came in from z⁽¹⁾``: where a value or gradient that is not finite was handed on from; or empty."""
        if self.inherited_from is None:
            return ""
        kind, node = self.inherited_from
        names = self.run.names
        if node is None:
            name, held = "a constant", self._read
        elif kind == "gradient":
            name, held = names.gradient(node), not_finite(self.upstream)
        else:
            name, held = names.of(node), self.run.kinds.of(node)
        return f"{kinds_listed(self._wrong & held)} came in from {name}"

    @cached_property
    def born(self) -> frozenset[str]:
        """Which of NaN and Inf come up in this step: its result holds them, and nothing that it read does."""
        return self._wrong and self._wrong - self._read

    @cached_property
    def born_in_sum(self) -> frozenset[str]:
        """Which come up where the contribution is added to what came before: Inf − Inf."""
        if self.before is None:
            return frozenset()
        summed = not_finite(self.after)
        return summed - not_finite(self.before) - not_finite(self.contribution) if summed else summed

    @property
    def alarm(self) -> str:
        """``NaN born here``, where one comes up in this step."""
        born = self.born | self.born_in_sum
        return f"{kinds_listed(born)} born here" if born else ""
