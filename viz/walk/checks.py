"""A gradient beside a hand-derived one, and beside finite differences."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autograd import Node
from autograd.testing.conventions import Convention, recognised
from autograd.testing.differences import Partial, Partials
from autograd.testing.forward import forward_roundings
from autograd.testing.given import Given
from autograd.testing.hand import Hand
from autograd.testing.limits import Limits
from autograd.testing.replaying import Replay
from autograd.testing.rounding import roundings

from ..plain.numbers import numeral, parts
from ..tape.run import Run
from .steps import Step

_MOST_WORK = 5_000_000
"""Elements that all finite differences together may compute again, in about a second; beyond, there are none."""

_SINGLE = 64
"""Up to so many elements, a gradient that is wrong is looked at element by element, to name the one furthest off."""

_RELATIVE = {2: 1e-2, 4: 1e-4}
"""By bytes of one number: how far off a gradient may be, beside what rounding explains; 1e-7 where there are more."""

_NOTHING = 1e-9
"""A slope of a loss that never changes is 0, unless it may be as large as this."""

_CALL = 50
"""As so many elements counts what an operation takes whatever its size: small ones must not add up to minutes."""


class Verdict(NamedTuple):
    """Whether two gradients agree (None: that can't be told), and a few words on it."""

    ok: bool | None
    text: str


class Check(NamedTuple):
    """A complete gradient compared: with a hand-derived one, and with finite differences. None: not compared."""

    yours: Verdict | None
    numeric: Verdict | None

    @property
    def words(self) -> list[str]:
        """What the gradient was compared with."""
        told = (("yours", self.yours), ("finite differences", self.numeric))
        return [f"{by} {verdict.text}" for by, verdict in told if verdict]


class Checks:
    """What the gradients of a tape are compared with.

    Parameters
    ----------
    run : Run
    against : mapping of Node to Hand
        Hand-derived gradients.
    values : mapping of Node to Hand
        Values found on the way forward.
    """

    def __init__(self, run: Run, against: Mapping[Node, Hand], values: Mapping[Node, Hand]):
        self.run = run
        self.tape, self.gradients = run.tape, run.gradients
        self.against = against
        self.values = values
        work = len(self.gradients) * sum(node.size + _CALL for node in run.tape)
        self.numeric = bool(self.gradients) and work <= _MOST_WORK and self._replay.drawn is None

    def of(self, step: Step) -> Check:
        """What the target of a step is compared with: its value, or its gradient where that is complete."""
        if step.phase == "forward" and step.node in self.values:
            value = np.asarray(self.tape.value(step.node))
            limits = Limits(None, None, self._off_forward[step.node])
            return Check(compared(Given(step.node, "", self.values[step.node], limits), value), None)
        if not step.is_complete:
            return Check(None, None)
        target = step.target
        grad = np.asarray(self.gradients[target])
        yours = self._compared(target, grad) if target in self.against else None
        measured = self.numeric and step.phase != "seed"  # the seed is given, not computed
        return Check(yours, self._differences(target, grad) if measured else None)

    @cached_property
    def _off_forward(self) -> Mapping[Node, Any]:
        """By how much rounding may have put the values off that were given."""
        return forward_roundings(self.tape, self.values)

    def _compared(self, node: Node, grad: np.ndarray) -> Verdict:
        """A hand-derived gradient beside the engine's; where it differs, beside that in the convention it is in."""
        one = self._given[node]
        verdict = compared(one, grad)
        if verdict.ok or self._convention is None or self._convention.factor(node) == 1:
            return verdict
        k = self._convention.factor(node)
        inside = compared(one.times(k), grad * k)
        return Verdict(True, f"{inside.text}, {self._convention.note}") if inside.ok else verdict

    @cached_property
    def _convention(self) -> Convention | None:
        """The convention that the hand-derived gradients are in, where it is not that of the loss."""
        return recognised(self.tape, self.run.seed, self._given, self.gradients)

    @cached_property
    def _given(self) -> dict[Node, Given]:
        rounding = self._rounding
        return {n: Given(n, "", hand, Limits(None, None, rounding.get(n, 0.0))) for n, hand in self.against.items()}

    @cached_property
    def _replay(self) -> Replay:
        return Replay(self.tape, self.run.seed)

    @cached_property
    def _rounding(self) -> Mapping[Node, Any]:
        """By how much rounding may have put each gradient off, element by element."""
        return roundings(self.tape, self.run.seed, self.run.steps)

    def _differences(self, node: Node, grad: np.ndarray) -> Verdict | None:
        """The slope of the loss along one direction, which is 1 for a number: by differences, and by `grad`."""
        value = np.asarray(self.tape.value(node))
        if not (np.isfinite(value).all() and np.isfinite(grad).all()) or not value.size:
            return None
        partials, numbers = self._replay.partials(node), parts(grad).astype(np.float64)
        value = parts(value)
        direction = np.ones(value.shape)
        if value.size > 1:
            direction = np.random.default_rng(node.size).uniform(0.5, 1.0, value.shape)
            direction *= np.where(np.random.default_rng(1).random(value.shape) < 0.5, -1.0, 1.0)
        allowed = self._rounding.get(node, 0.0) + _RELATIVE.get(node.dtype.itemsize, 1e-7) * np.abs(numbers)
        number, slack, slope = partials.along(direction, numbers, allowed, equally=True)
        verdict = _judged(number, slack, slope, value.size == 1)
        if verdict.ok is False and value.size > 1:
            off = _furthest_off(partials, numbers, np.broadcast_to(allowed, value.shape))
            return Verdict(False, off or f"✕ along one random direction {verdict.text[2:]}")
        return verdict


def _judged(number: float, slack: float, slope: Partial, single: bool) -> Verdict:
    """What a slope says about the number that it should be."""
    if slope.kink:
        low, high = (numeral(side if abs(side) > slope.error else 0.0) for side in (slope.low, slope.high))
        along = "" if single else "along one random direction "
        return Verdict(None, f"— at a kink: {along}the slope is {low} on one side, {high} on the other")
    if not np.isfinite(slope.error):
        return Verdict(None, "— the function bends too much over the step")
    if not slope.allows(number, slack):
        return Verdict(False, f"✕ {numeral(slope.value)} is not {numeral(number)}")
    constant = number == slope.value == slope.size == 0 and slope.error < _NOTHING
    if not (slope.tells(number, 10) or constant):
        return Verdict(None, "— too small to be measured beside rounding")
    off = abs(slope.value - number)
    return Verdict(True, f"✔ {numeral(off / abs(number), 1)}" if off > slope.error and number else "✔")


def _furthest_off(partials: Partials, numbers: np.ndarray, allowed: np.ndarray) -> str:
    """Of the elements at which a gradient is wrong, the one furthest off; empty where that can't be told."""
    if numbers.size > _SINGLE:
        return ""
    found = []
    for at in np.ndindex(numbers.shape):
        number, slack = float(numbers[at]), float(allowed[at])
        partial = partials.at(at, number, slack)
        if not partial.kink and not partial.allows(number, slack):
            text = f"{_judged(number, slack, partial, True).text} at [{', '.join(map(str, at))}]"
            found.append((abs(partial.value - number), text))
    few = "" if len(found) == 1 else f", {len(found)} of {numbers.size} elements differ"
    return max(found)[1] + few if found else ""


def compared(one: Given, engine: np.ndarray) -> Verdict:
    """A gradient or value that a person has found beside the engine's, to the digits that it was given with."""
    row = one.row(engine)
    partly = f", {one.hand.counted}" if one.hand.counted else ""
    if row.verdict == "undecided":
        return Verdict(None, f"— {row.note}")
    if row.ok:
        text = f"{numeral(row.yours)} ✔" if row.yours.ndim == 0 else f"✔ {numeral(row.largest)}"
        return Verdict(True, text + partly)
    yours, right = row.values or (np.nan, np.nan)
    place = f" at [{', '.join(map(str, row.where))}]" if row.where else ""
    many = row.wrong.size > 1 and row.wrong.any()
    differ = f", {int(row.wrong.sum())} of {row.wrong.size} elements differ" if many else ""
    return Verdict(False, f"{numeral(yours)} ✕ the engine has {numeral(right)}{place}{differ}{partly}")
