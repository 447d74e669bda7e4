"""A gradient beside a hand-derived one, and beside finite differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import Node, Tape

from ..numbers import number

if TYPE_CHECKING:
    from .walk import Step

_MOST_WORK = 20_000_000
"""Elements that all finite differences together may compute again; beyond, there are none."""

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


NOTHING = Check(None, None)


class Checks:
    """What the gradients of a tape are compared with.

    Parameters
    ----------
    tape : Tape
    seed : array or None
        The gradient that the backward pass starts from.
    gradients : mapping of Node to array
    against : mapping of Node to array
        Hand-derived gradients.
    """

    def __init__(self, tape: Tape, seed: Any, gradients: Mapping[Node, Any], against: Mapping[Node, Any]):
        self.tape = tape
        self.seed = seed
        self.gradients = gradients
        self.against = against
        work = len(gradients) * sum(node.size + _CALL for node in tape)
        self.numeric = work <= _MOST_WORK and all(self._is_repeatable(n) for n in tape if n.rule.keeps_output)

    def _is_repeatable(self, node: Node) -> bool:
        """Whether an operation gives the same numbers again, which one that draws random numbers does not."""
        with np.errstate(all="ignore"):
            again = node.rule.op(*(self._value(a, {}) for a in node.operands), **node.kwargs)
        return np.array_equal(again, self.tape.value(node), equal_nan=True)

    def of(self, step: Step) -> Check:
        """What the target of a step is compared with, where its gradient is complete."""
        if not step.is_complete or step.phase == "seed":
            return NOTHING
        target = step.target
        grad = np.asarray(self.gradients[target])
        yours = compared(self.against[target], grad) if target in self.against else None
        return Check(yours, self._differences(target, grad) if self.numeric else None)

    def _differences(self, node: Node, grad: np.ndarray) -> Verdict | None:
        """The slope of the loss along one direction: by central differences of the replayed tape, and by `grad`."""
        value = np.asarray(self.tape.value(node))
        if not (np.isfinite(value).all() and np.isfinite(grad).all()) or not value.size:
            return None
        direction = np.random.default_rng(node.size).uniform(0.5, 1.0, value.shape)
        direction *= np.where(np.random.default_rng(1).random(value.shape) < 0.5, -1.0, 1.0)
        # in float64 whatever the dtype of the computation: what is downstream is computed in it too, but for casts
        center = value.astype(np.float64)
        here, eps = self._loss(node, center)
        h = eps ** (1 / 3) * max(1.0, float(np.abs(value).max())) * 0.5
        below, above = (self._loss(node, center + k * h * direction)[0] for k in (-1, 1))
        measured = (above - below) / (2 * h)
        engine = float(np.sum(grad * direction, dtype=np.float64))
        if not np.isfinite(measured):
            return None
        size = max(abs(measured), abs(engine))
        off = abs(measured - engine)
        # differences resolve the loss to its last digit, divided by the step
        noise = 32 * eps * abs(here) / (2 * h)
        tolerance = size * (1e-4 if node.dtype == np.float64 else 1e-2)
        allowed = noise + tolerance
        if off <= allowed:
            if size < noise and off > tolerance:
                return Verdict(None, "— too small to be measured")
            return Verdict(True, f"✔ {off / size:.0e}" if off > noise else "✔")
        low, high = sorted(((here - below) / h, (above - here) / h))
        if high - low > 2 * allowed:
            return Verdict(None, f"— at a kink: the slope is {number(low)} on one side, {number(high)} on the other")
        return Verdict(False, f"✕ {number(measured)} is not {number(engine)}")

    def _loss(self, node: Node, value: np.ndarray) -> tuple[float, float]:
        """The loss with another value for one record, computed again from there on; the coarsest eps on the way."""
        values: dict[Node, Any] = {node: value}
        tape, eps = self.tape, float(np.finfo(np.float64).eps)
        with np.errstate(all="ignore"):
            for later in tape.nodes[tape.index(node) + 1 :]:
                if any(a in values for a in later.parents):
                    args = [self._value(a, values) for a in later.operands]
                    values[later] = found = later.rule.op(*args, **later.kwargs)
                    dtype = np.asarray(found).dtype
                    if dtype.kind == "f" and dtype != np.float64:
                        eps = max(eps, float(np.finfo(dtype).eps))
        loss = np.sum(np.asarray(self._value(tape.root, values)) * self.seed, dtype=np.float64)
        return float(loss), eps

    def _value(self, operand: Any, changed: Mapping[Node, Any]) -> Any:
        if not isinstance(operand, Node):
            return operand
        return changed[operand] if operand in changed else self.tape.value(operand)


def compared(yours: np.ndarray, engine: np.ndarray) -> Verdict:
    """A hand-derived gradient beside the engine's."""
    with np.errstate(all="ignore"):
        off = np.abs(yours - engine)
        close = np.isclose(yours, engine, rtol=1e-5, atol=1e-8 * max(1.0, float(np.abs(engine).max(initial=0))))
    if close.all():
        return Verdict(True, f"{number(yours)} ✔" if yours.ndim == 0 else f"✔ {number(off.max(initial=0))}")
    at = np.unravel_index(int(np.where(close, -1.0, np.nan_to_num(off, nan=np.inf)).argmax()), off.shape)
    place = f" at [{', '.join(map(str, at))}]" if at else ""
    wrong = f", {int((~close).sum())} of {close.size} elements differ" if close.size > 1 else ""
    return Verdict(False, f"{number(yours[at])} ✕ the engine has {number(engine[at])}{place}{wrong}")
