"""The steps of a computation, forward and backward, as plain data: what `viz.step` shows, whoever shows it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.testing.hand import Hand
from autograd.testing.rounding import roundings

from ..derivation.composed import Composed, Composer
from ..formula import Formula
from ..plain.numbers import length
from ..tape.run import Run
from ..units.frontier import opened
from ..units.tree import tree_of
from ..units.unit import Unit
from . import steps, wholes
from .checks import Check, Checks
from .facts import sentence
from .text import text_of

GRANULARITIES = ("layer", "line", "op", "contribution")

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


@dataclass(eq=False, repr=False, kw_only=True)
class Whole(Step):
    """A line or a layer as one step: it computes its result, or sends a gradient to one of its inputs.

    Attributes
    ----------
    members : tuple of Step
        Those that it is made of; going back, the ones that send to the input itself. Its number is that of the last.
    size : int
        How many operations the unit has.
    """

    members: tuple[Step, ...]
    size: int
    composed: Composed

    @cached_property
    def formula(self) -> Formula | None:
        return self.composed.forward if self.phase == "forward" else self.composed.backward[self.target]

    @property
    def sign(self) -> str:
        return "+=" if self.phase == "backward" and len(self.members) < self.parts else "="

    @cached_property
    def reads(self) -> tuple[Node, ...]:
        if self.phase == "forward":
            return self.composed.inputs
        found = [s.node for s in self.formula.symbols if s.kind == "value"] if self.formula else []
        return tuple(node for node in found if node is not None)

    @cached_property
    def sentence(self) -> str:
        return wholes.sentence(self)

    @property
    def alarm(self) -> str:
        return next((member.alarm for member in self.members if member.alarm), "")

    @cached_property
    def inherits(self) -> str:
        return "" if self.alarm else self.members[-1].inherits


class Group(tuple[Step, ...]):
    """Steps that are taken together: of an operation, a line or a layer, or one alone."""

    unit: Unit | None

    @cached_property
    def shown(self) -> tuple[Step, ...]:
        """What is shown of them: what the unit computes, or sends to each of its inputs; the steps of an operation, and
        of a unit that gives several values."""
        here = self[-1]
        unit, walk = self.unit, here.walk
        if unit is None or len(unit.nodes) < 2:
            return self
        made = walk.composed(unit)
        if made.result is None:
            return self
        more: dict[str, Any] = {"walk": walk, "size": len(unit.nodes), "composed": made}
        if here.phase == "forward":
            whole = Whole(
                here.run, here.number, here.phase, here.op, made.result, made.result, here.parts, after=here.after,
                members=self, **more,
            )  # fmt: skip
            return (whole,)
        found = []
        for node, sent in made.sent.items():
            own = tuple(step for step in self if step.target is node)
            first, last = own[0], own[-1]
            whole = Whole(
                last.run, last.number, last.phase, last.op, made.result, node, last.parts, part=last.part,
                upstream=walk.gradients[made.result], contribution=sent, before=first.before, after=last.after,
                members=own, **more,
            )  # fmt: skip
            found.append(whole)
        return tuple(found)

    @property
    def number(self) -> str:
        """``7``, or ``7–9``."""
        return f"{self[0].number}–{self[-1].number}" if len(self) > 1 else f"{self[0].number}"

    def __str__(self) -> str:
        if self.shown is self:
            return "\n".join(map(str, self))
        return wholes.text_of(self.number, len(self[0].walk) - 1, self, self.shown)


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
        self._groups: dict[str, list[Group]] = {}
        self._composed: dict[Unit, Composed] = {}
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

    @cached_property
    def granularities(self) -> tuple[str, ...]:
        """Those that differ, coarsest first."""
        layer, line, op, each = ([len(group) for group in self.groups(granularity)] for granularity in GRANULARITIES)
        differ = (layer != line, line != op, True, op != each)
        return tuple(itertools.compress(GRANULARITIES, differ))

    @property
    def granularity(self) -> str:
        """That of the program: lines, where it has several and there are operations in them; else operations."""
        lines = sum(group[0].phase == "forward" for group in self.groups("line"))
        return "line" if lines > 1 and "line" in self.granularities else "op"

    def groups(self, granularity: str) -> list[Group]:
        """The steps in the stretches that are taken together: by layers, by lines, by operations, or each alone."""
        if granularity not in self._groups:
            self._groups[granularity] = self._grouped(granularity)
        return self._groups[granularity]

    def _grouped(self, granularity: str) -> list[Group]:
        units = opened(self._tree, granularity) if granularity in ("layer", "line") else []
        unit_of = {node: unit for unit in units for node in unit.nodes}

        def together(step: Step) -> Hashable:
            if granularity == "contribution" or step.phase in ("start", "seed"):
                return step.number
            return step.phase, unit_of.get(step.node, step.op)

        found = [Group(stretch) for _, stretch in itertools.groupby(self.steps, together)]
        for group in found:
            group.unit = unit_of.get(group[0].node) if group[0].phase in ("forward", "backward") else None
        return found

    @cached_property
    def _tree(self) -> Unit:
        return tree_of(self.tape)

    def composed(self, unit: Unit) -> Composed:
        """What a unit computes and sends back as a whole."""
        if unit not in self._composed:
            self._composed[unit] = self._composer.of(unit)
        return self._composed[unit]

    def whole(self, number: int, size: int) -> Step:
        """The whole of so many operations that ends at a step."""
        return self._wholes[number, size]

    @cached_property
    def _wholes(self) -> dict[tuple[int, int], Step]:
        groups = [group for granularity in self.granularities for group in self.groups(granularity)]
        return {(s.number, s.size): s for group in groups for s in group.shown if isinstance(s, Whole)}

    @cached_property
    def _composer(self) -> Composer:
        return Composer(self.run)

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
