"""A gradient beside a hand-derived one, and beside finite differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import Node, Tape
from autograd.tape import Step as Swept
from autograd.testing.attempts import attempted
from autograd.testing.conventions import Convention, recognised
from autograd.testing.forward import forward_roundings
from autograd.testing.hand import Hand
from autograd.testing.replaying import Replay
from autograd.testing.rounding import roundings
from autograd.testing.rows import Limits, compare_row

from ..numbers import length, numeral

if TYPE_CHECKING:
    from .walk import Step

_MOST_WORK = 20_000_000
"""Elements that all finite differences together may compute again; beyond, there are none."""

_SINGLE = 64
"""Up to so many elements, a gradient that is wrong is looked at element by element, to name the one furthest off."""

_CLOSER = 16
_LEVELS = 9
"""The step of finite differences is made smaller by that factor, up to so many steps in all, until slopes settle."""

_CALL = 50
"""As so many elements counts what an operation takes whatever its size: small ones must not add up to minutes."""


class Verdict(NamedTuple):
    """Whether two gradients agree (None: that can't be told), and a few words on it."""

    ok: bool | None
    text: str


class Slopes(NamedTuple):
    """The slopes of the loss on both sides of a point, at one distance from it, and how far rounding may change them.

    Rounding changes the slope through both, their mean, by up to `noise`, and their difference by four times that. The
    distance is relative to that point, where it is larger than 1.
    """

    left: float
    right: float
    noise: float
    relative_step: float

    @property
    def gap(self) -> float:
        return abs(self.right - self.left)

    @property
    def mean(self) -> float:
        return (self.left + self.right) / 2

    def contradicts(self, engine: float, closer: Slopes, alike: float) -> bool:
        """Whether it is the mean that differs from `engine`, closer by too: no rounding, and no step too wide."""
        off, noise = abs(self.mean - engine), self.noise + closer.noise
        stands_out = self.noise <= 0.1 * abs(self.mean) or max(abs(self.left), abs(self.right)) <= self.noise / 4
        stays = abs(closer.mean - self.mean) <= min(alike, 0.3 * off) + noise and noise <= 0.5 * off
        return stands_out and stays and abs(engine) * self.relative_step <= 0.01


class Check(NamedTuple):
    """A complete gradient compared: with a hand-derived one, and with finite differences. None: not compared."""

    yours: Verdict | None
    numeric: Verdict | None


NOTHING = Check(None, None)


class Checks:
    """What the gradients of a tape are compared with.

    Parameters
    ----------
    tape : Tape
    seed : array or None
        The gradient that the backward pass starts from.
    gradients : mapping of Node to array
    against : mapping of Node to Hand
        Hand-derived gradients.
    swept : sequence of Step
        The backward pass.
    values : mapping of Node to Hand
        Values found on the way forward.
    """

    def __init__(
        self,
        tape: Tape,
        seed: Any,
        gradients: Mapping[Node, Any],
        against: Mapping[Node, Hand],
        swept: Sequence[Swept] = (),
        values: Mapping[Node, Hand] | None = None,
    ):
        self.tape = tape
        self.swept = swept
        self.seed = seed
        self.gradients = gradients
        self.against = against
        self.values = values or {}
        self._weights: dict[Node, float] = {}
        work = len(gradients) * sum(node.size + _CALL for node in tape)
        self.numeric = bool(gradients) and work <= _MOST_WORK and Replay(tape, seed).drawn is None

    def of(self, step: Step) -> Check:
        """What the target of a step is compared with: its value, or its gradient where that is complete."""
        if step.phase == "forward" and step.node in self.values:
            value = np.asarray(self.tape.value(step.node))
            return Check(compared(self.values[step.node], value, self._off_forward[step.node]), None)
        if not step.is_complete:
            return NOTHING
        target = step.target
        grad = np.asarray(self.gradients[target])
        yours = None
        if target in self.against:
            yours = self._compared(target, grad)
        measured = self.numeric and step.phase != "seed"  # the seed is given, not computed
        return Check(yours, self._differences(target, grad) if measured else None)

    @cached_property
    def _off_forward(self) -> Mapping[Node, Any]:
        """By how much rounding may have put the values off that were given."""
        return forward_roundings(self.tape, self.values)

    def _compared(self, node: Node, grad: np.ndarray) -> Verdict:
        """A hand-derived gradient beside the engine's; where it differs, beside that in the convention it is in."""
        hand, noise = self.against[node], self._rounding.get(node, 0.0)
        verdict = compared(hand, grad, noise)
        if verdict.ok or self._convention is None or self._convention.factor(node) == 1:
            return verdict
        k = self._convention.factor(node)
        inside = compared(hand, grad * k, noise * k)
        return Verdict(True, f"{inside.text}, {self._convention.note}") if inside.ok else verdict

    @cached_property
    def _convention(self) -> Convention | None:
        """The convention that the hand-derived gradients are in, where it is not that of the loss."""
        given = {n: (hand, Limits(None, None, self._rounding.get(n, 0.0))) for n, hand in self.against.items()}
        return recognised(self.tape, self.seed, given, self.gradients)

    @cached_property
    def _rounding(self) -> Mapping[Node, Any]:
        """By how much rounding may have put each gradient off, element by element."""
        return roundings(self.swept)

    def _differences(self, node: Node, grad: np.ndarray) -> Verdict | None:
        """The slope of the loss along one direction, which is 1 for a number: by differences, and by `grad`."""
        value = np.asarray(self.tape.value(node))
        if not (np.isfinite(value).all() and np.isfinite(grad).all()) or not value.size:
            return None
        direction = np.ones(value.shape)
        if value.size > 1:
            direction = np.random.default_rng(node.size).uniform(0.5, 1.0, value.shape)
            direction *= np.where(np.random.default_rng(1).random(value.shape) < 0.5, -1.0, 1.0)
        verdict = self._along(node, grad, direction)
        if verdict is not None and verdict.ok is False and value.size > 1:
            return Verdict(False, self._furthest_off(node, grad) or f"✕ along one random direction {verdict.text[2:]}")
        return verdict

    def _along(self, node: Node, grad: np.ndarray, direction: np.ndarray) -> Verdict | None:
        """What differences say about `grad` along a direction, at a step that is made smaller until slopes settle."""
        engine = float(np.sum(grad * direction, dtype=np.float64))
        rounded = float(np.sum(self._rounding.get(node, 0.0) * np.abs(direction)))
        relative = 1e-4 if node.dtype == np.float64 else 1e-2
        seen: list[Slopes] = []
        wide: float | None = None  # the last gap between the two sides that was too large
        differs: Slopes | None = None
        for slopes in self._slopes(node, direction):
            seen.append(slopes)
            tolerance = max(abs(slopes.mean), abs(engine)) * relative
            alike = 2 * relative * abs(slopes.mean)
            near = slopes.gap <= alike + 4 * slopes.noise
            if wide is not None:
                near = near or slopes.gap <= 0.3 * wide
                near = near and (differs is not None or 4 * slopes.noise <= 0.3 * wide)
            if not near:
                wide = slopes.gap
                continue
            change = slopes.mean - differs.mean if differs else 0.0
            is_off = differs is not None and abs(differs.mean - engine) > rounded
            if differs and is_off and differs.contradicts(engine, slopes, alike):
                return Verdict(False, f"✕ {numeral(differs.mean)} is not {numeral(engine)}")
            # the error of a mean goes with the square of the step: Richardson's extrapolation
            measured = slopes.mean + change / (_CLOSER**2 - 1)
            noise = slopes.noise + abs(change) / 1000 + rounded
            if abs(measured - engine) <= noise + tolerance:
                return _agreeing(measured, noise, engine, tolerance)
            differs = slopes
        clear = [slopes for slopes in seen if slopes.gap > 16 * slopes.noise]
        if seen and len(clear) < 2:
            # closer, rounding hides it: it is told from a kink farther away, where bending shows more
            farther = next(self._slopes(node, direction, _CLOSER), None)
            first, tolerance = seen[0], max(abs(seen[0].mean), abs(engine)) * relative
            smooth = farther is not None and first.gap <= 0.3 * farther.gap
            if smooth and abs(first.mean - engine) <= first.noise + tolerance:
                return _agreeing(first.mean, first.noise, engine, tolerance)
        return _unsettled(clear, node.size == 1) if seen else None

    def _slopes(self, node: Node, direction: np.ndarray, factor: float = 1.0) -> Iterator[Slopes]:
        """The slopes on both sides, ever closer to the point, where they are numbers."""
        # in float64 whatever the dtype of the computation: what is downstream is computed in it too, but for casts
        center = np.asarray(self.tape.value(node)).astype(np.float64)
        here, eps, scale = self._loss(node, center)
        size = max(1.0, float(np.abs(center).max()))
        for level in range(_LEVELS):
            h = eps ** (1 / 3) * size * 0.5 * factor / _CLOSER**level
            below, above = (self._loss(node, center + k * h * direction)[0] for k in (-1, 1))
            slopes = Slopes((here - below) / h, (above - here) / h, 16 * eps * scale / h, h / size)
            if np.isfinite(slopes.gap):
                yield slopes

    def _furthest_off(self, node: Node, grad: np.ndarray) -> str:
        """Of the elements at which the gradient is wrong, the one furthest off; empty where that can't be told."""
        if grad.size > _SINGLE:
            return ""
        found = []
        for at in np.ndindex(grad.shape):
            unit = np.zeros(grad.shape)
            unit[at] = 1.0
            verdict = self._along(node, grad, unit)
            if verdict is not None and verdict.ok is False:
                measured = next(self._slopes(node, unit)).mean
                found.append((abs(measured - float(grad[at])), f"{verdict.text} at [{', '.join(map(str, at))}]"))
        if not found:
            return ""
        few = "" if len(found) == 1 else f", {len(found)} of {grad.size} elements differ"
        return max(found)[1] + few

    def _loss(self, node: Node, value: np.ndarray) -> tuple[float, float, float]:
        """The loss with another value for one record, computed again from there on.

        With it the coarsest eps on the way, and the size of what eps is a part of: each number on the way is rounded,
        and the loss changes with it by its gradient.
        """
        values: dict[Node, Any] = {node: value}
        tape, eps = self.tape, float(np.finfo(np.float64).eps)
        with attempted() as trial:
            for later in tape.nodes[tape.index(node) + 1 :]:
                if any(a in values for a in later.parents):
                    args = [self._value(a, values) for a in later.operands]
                    values[later] = found = later.rule.op(*args, **later.kwargs)
                    dtype = np.asarray(found).dtype
                    if dtype.kind == "f" and dtype != np.float64:
                        eps = max(eps, float(np.finfo(dtype).eps))
        if trial.failed:
            return np.nan, eps, 0.0
        loss = np.sum(np.asarray(self._value(tape.root, values)) * self.seed, dtype=np.float64)
        return float(loss), eps, max([abs(float(loss)), *(self._weight(later) for later in values)])

    def _weight(self, node: Node) -> float:
        """The size of a record's numbers times their gradients; 0 where that is not finite."""
        if node not in self._weights:
            weight = 0.0
            if node in self.gradients:
                with np.errstate(all="ignore"):
                    weight = length(np.multiply(self.tape.value(node), self.gradients[node], dtype=np.float64))
            self._weights[node] = weight if np.isfinite(weight) else 0.0
        return self._weights[node]

    def _value(self, operand: Any, changed: Mapping[Node, Any]) -> Any:
        if not isinstance(operand, Node):
            return operand
        return changed[operand] if operand in changed else self.tape.value(operand)


def _agreeing(measured: float, noise: float, engine: float, tolerance: float) -> Verdict:
    off, size = abs(measured - engine), max(abs(measured), abs(engine))
    if size < noise and off > tolerance:
        return Verdict(None, "— too small to be measured beside rounding")
    return Verdict(True, f"✔ {numeral(off / size, 1)}" if off > noise else "✔")


def _unsettled(clear: list[Slopes], single: bool) -> Verdict:
    """What to say where the slopes on the two sides go on differing, as close as rounding lets one look."""
    if len(clear) > 1:
        wide, close = clear[-2:]
        if max(abs(close.left - wide.left), abs(close.right - wide.right)) <= 0.3 * close.gap:
            sharp = next((slopes for slopes in reversed(clear) if slopes.gap > 2e4 * slopes.noise), clear[0])
            low, high = (numeral(slope) for slope in sorted((sharp.left, sharp.right)))
            along = "" if single else "along one random direction "
            return Verdict(None, f"— at a kink: {along}the slope is {low} on one side, {high} on the other")
    return Verdict(None, "— the function bends too much over the step")


def compared(hand: Hand, engine: np.ndarray, noise: Any = 0.0) -> Verdict:
    """A gradient or value that a person has found beside the engine's, to the digits that it was given with."""
    row = compare_row("", hand, engine, Limits(None, None, noise))
    partly = f", {hand.counted}" if hand.counted else ""
    if row.ok:
        text = f"{numeral(row.yours)} ✔" if row.yours.ndim == 0 else f"✔ {numeral(row.largest)}"
        return Verdict(True, text + partly)
    yours, right = row.values or (np.nan, np.nan)
    place = f" at [{', '.join(map(str, row.where))}]" if row.where else ""
    differ = f", {int(row.wrong.sum())} of {row.wrong.size} elements differ" if row.wrong.size > 1 else ""
    return Verdict(False, f"{numeral(yours)} ✕ the engine has {numeral(right)}{place}{differ}{partly}")
