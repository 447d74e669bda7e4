"""The steps of a computation, forward and backward, as plain data: what `viz.step` shows, whoever shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.testing.hand import Hand
from autograd.testing.rounding import roundings

from ..plain.numbers import length
from ..tape.run import Run
from . import steps
from .checks import Check, Checks
from .facts import sentence
from .text import text_of

_SMALL = 1e-6
"""Only a gradient of a smaller norm can be taken for one that vanished."""


@dataclass(eq=False, repr=False, kw_only=True)
class Step(steps.Step):
    """A step of a walk, with what can be said of it; it prints as text."""

    walk: Walk

    @cached_property
    def sentence(self) -> str:
        """A fact about the numbers of this step."""
        missing = self.walk.no_backward if self.number in (0, len(self.walk) - 1) else ""
        return sentence(self, self.walk.steps) + (f" There is no backward pass: {missing}." if missing else "")

    @cached_property
    def check(self) -> Check:
        """The gradient of the target beside a hand-derived one and beside finite differences, once it is complete."""
        return self.walk.checks.of(self)

    def __repr__(self) -> str:
        return text_of(self, len(self.walk) - 1, self.check, self.sentence)


class Walk(Sequence[Step]):
    """All steps from the inputs to the loss and back, at the granularity of single contributions.

    Parameters
    ----------
    run : Run
    against, values : mapping of Node to Hand, optional
        Hand-derived gradients to compare with.
    """

    def __init__(self, run: Run, against: Mapping[Node, Hand] | None = None, values: Mapping[Node, Hand] | None = None):
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
        self._add("start", 0, tape.nodes[0], tape.nodes[0])
        for node in tape:
            if not node.is_leaf:
                self._add("forward", self.steps[-1].op + 1, node, node, after=tape.value(node))

    def _add(self, phase: steps.Phase, op: int, node: Node, target: Node, **more: Any) -> None:
        number, parts = len(self.steps), self.parts[target]
        made = Step(self.run, number, phase, op, node, target, parts, walk=self, **more)
        self.steps.append(made)

    def _go_backward(self) -> None:
        arrived: dict[Node, Any] = {}
        part: Counter[Node] = Counter()
        op = self.steps[-1].op
        for swept in self.run.steps:
            node = swept.node
            upstream = np.asarray(swept.grad)
            if node is self.tape.root:
                op += 1
                self._add("seed", op, node, node, after=upstream)
            op += bool(swept.contributions)
            for contribution in swept.contributions:
                target = contribution.node
                sent = np.asarray(contribution.grad)
                before = arrived.get(target)
                part[target] += 1
                last = part[target] == self.parts[target]
                with np.errstate(all="ignore"):
                    after = self.gradients[target] if last else sent if before is None else before + sent
                arrived[target] = after
                self._add(
                    "backward", op, node, target, operand=contribution.position, part=part[target],
                    upstream=upstream, contribution=sent, before=before, after=np.asarray(after),
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
        return list({step.op: step.number for step in self.steps}.values())

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
