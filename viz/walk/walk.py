"""The steps of a computation, forward and backward, as plain data: what `viz.step` shows, whoever shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from autograd import Node, Tape
from autograd.listing import not_finite
from autograd.testing.hand import Hand
from autograd.testing.rounding import roundings

from ..formula import Formula, backward, forward
from ..plain.numbers import length
from ..tape.births import kinds_listed, values_read
from ..tape.run import Run
from ..units.titles import scope_title
from .checks import Check, Checks
from .facts import sentence

_SMALL = 1e-6
"""Only a gradient of a smaller norm can be taken for one that vanished."""

Phase = Literal["start", "forward", "seed", "backward"]


class Step:
    """One step: an operation computes its value, or sends a gradient to one of its operands.

    Attributes
    ----------
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

    def __init__(
        self,
        walk: Walk,
        phase: Phase,
        op: int,
        node: Node,
        target: Node,
        operand: int = -1,
        part: int = 0,
        *,
        upstream: Any = None,
        contribution: Any = None,
        before: Any = None,
        after: Any = None,
    ):
        self.walk = walk
        self.number = len(walk.steps)
        self.phase: Phase = phase
        self.op = op
        self.node = node
        self.target = target
        self.operand = operand
        self.part = part
        self.upstream = upstream
        self.contribution = contribution
        self.before = before
        self.after = after

    @property
    def parts(self) -> int:
        """How many contributions the gradient of the target is the sum of."""
        return self.walk.parts[self.target]

    @property
    def is_complete(self) -> bool:
        """Whether the gradient of the target is its last one after this step."""
        return self.phase == "seed" or (self.phase == "backward" and self.part == self.parts)

    @cached_property
    def title(self) -> str:
        """``FORWARD  z⁽¹⁾``, ``BACKWARD  z⁽¹⁾ ← a⁽¹⁾``."""
        names = self.walk.names
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
        walk = self.walk
        if self.phase == "forward":
            return forward(self.node, walk.names, walk.tape.value)
        if self.phase == "backward":
            return backward(self.node, self.operand, self.upstream, walk.names, walk.tape.value)
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
    def sentence(self) -> str:
        """A fact about the numbers of this step."""
        return sentence(self)

    @cached_property
    def reads(self) -> tuple[Node, ...]:
        """The saved forward values that the step needs."""
        if self.phase == "forward":
            return tuple(dict.fromkeys(self.node.parents))
        if self.phase != "backward":
            return ()
        found = values_read(self.node, self.operand)
        return tuple(dict.fromkeys(value for value in found if isinstance(value, Node)))

    @cached_property
    def inherits(self) -> str:
        """``NaN came in from z⁽¹⁾``: where a value or gradient that is not finite was handed on from; or empty."""
        walk, names = self.walk, self.walk.names
        if self.phase not in ("forward", "backward"):
            return ""
        kinds = not_finite(self.contribution if self.phase == "backward" else self.after)
        if not kinds:
            return ""
        if self.phase == "backward":
            shared = kinds & not_finite(self.upstream)
            if shared:
                return f"{kinds_listed(shared)} came in from {names.gradient(self.node)}"
        for operand in self.reads:
            shared = kinds & walk.run.kinds.of(operand)
            if shared:
                return f"{kinds_listed(shared)} came in from {names.of(operand)}"
        constants = walk.run.kinds.read_forward if self.phase == "forward" else self._read_backward
        shared = kinds & constants(self.node)
        return f"{kinds_listed(shared)} came in from a constant" if shared else ""

    def _read_backward(self, node: Node) -> frozenset[str]:
        return self.walk.run.kinds.read_backward(node, self.operand)

    @cached_property
    def born(self) -> frozenset[str]:
        """Which of NaN and Inf come up in this step: its result holds them, and nothing that it read does."""
        if self.phase == "forward":
            return self.walk.run.kinds.of(self.node) - self.walk.run.kinds.read_forward(self.node)
        if self.phase == "backward":
            sent = not_finite(self.contribution)
            return sent - not_finite(self.upstream) - self._read_backward(self.node) if sent else sent
        return frozenset()

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

    @cached_property
    def check(self) -> Check:
        """The gradient of the target beside a hand-derived one and beside finite differences, once it is complete."""
        return self.walk.checks.of(self)

    def __repr__(self) -> str:
        from .text import text_of

        return text_of(self)


class Walk(Sequence[Step]):
    """All steps from the inputs to the loss and back, at the granularity of single contributions.

    Parameters
    ----------
    run : Run
    against, values : mapping of Node to Hand, optional
        Hand-derived gradients to compare with.
    """

    def __init__(
        self,
        run: Run,
        against: Mapping[Node, Hand] | None = None,
        values: Mapping[Node, Hand] | None = None,
    ):
        self.run = run
        self.tape, self.names, self.gradients = run.tape, run.names, run.gradients
        self.no_backward = _why_not(run.tape) if run.seed is None else ""
        self.parts: Counter[Node] = Counter(c.node for step in run.steps for c in step.contributions)
        self.checks = Checks(run, against or {}, values or {})
        self.steps: list[Step] = []
        self._go_forward()
        self._go_backward()

    def _go_forward(self) -> None:
        tape = self.tape
        self.steps.append(Step(self, "start", 0, tape.nodes[0], tape.nodes[0]))
        for node in tape:
            if not node.is_leaf:
                op = self.steps[-1].op + 1
                self.steps.append(Step(self, "forward", op, node, node, after=tape.value(node)))

    def _go_backward(self) -> None:
        arrived: dict[Node, Any] = {}
        part: Counter[Node] = Counter()
        op = self.steps[-1].op
        for swept in self.run.steps:
            node = swept.node
            upstream = np.asarray(swept.grad)
            if node is self.tape.root:
                op += 1
                self.steps.append(Step(self, "seed", op, node, node, after=upstream))
            op += bool(swept.contributions)
            for contribution in swept.contributions:
                target = contribution.node
                sent = np.asarray(contribution.dense())
                before = arrived.get(target)
                part[target] += 1
                last = part[target] == self.parts[target]
                with np.errstate(all="ignore"):
                    after = self.gradients[target] if last else sent if before is None else before + sent
                arrived[target] = after
                self.steps.append(
                    Step(
                        self, "backward", op, node, target, contribution.position, part[target],
                        upstream=upstream, contribution=sent, before=before, after=np.asarray(after),
                    )
                )  # fmt: skip

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, key: Any) -> Any:
        return self.steps[key]

    def of_op(self, op: int) -> list[Step]:
        """The steps of one operation, going forward or backward."""
        return [step for step in self.steps if step.op == op]

    @cached_property
    def cancelled(self) -> frozenset[Node]:
        """The records whose gradients are sums of terms that cancel: they are 0 but for rounding, or 0.

        The largest element that a softmax subtracts has one, whatever the loss; it did not vanish on its way.
        """
        small = [node for node, grad in self.gradients.items() if length(grad) < _SMALL and np.size(grad)]
        noise = roundings(self.tape, self.run.seed, self.run.steps, other_ways=False) if small else {}
        off = {node: noise.get(node, 0.0) for node in small}
        return frozenset(n for n in small if np.any(off[n]) and (np.abs(self.gradients[n]) <= off[n]).all())

    @cached_property
    def stops(self) -> list[int]:
        """The last step of each operation: where stepping operation by operation stops."""
        last = {step.op: step.number for step in self.steps}
        return sorted(last.values())

    @cached_property
    def first_backward(self) -> int:
        """The step at which the backward pass starts; the length of the walk where there is none."""
        return next((step.number for step in self.steps if step.phase == "seed"), len(self))


def _why_not(tape: Tape) -> str:
    """Why no gradient flows from the loss of a tape."""
    try:
        tape.seed()
    except ValueError as error:
        return str(error)
    return ""
