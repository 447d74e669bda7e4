"""One run of a loss, forward and backward: made once where a user asks, and handed down to all that look at it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node, Step, Tape
from autograd.operands import as_array

from .arguments import seed_of, tape_of
from .births import Kinds, births
from .calls import Call
from .names import Names

__all__ = ["Run"]


class Run:
    """A tape with its backward sweep, which is done once, and the names of what is on it.

    Parameters
    ----------
    tape : Tape
    seed : array, optional
        The gradient that the sweep starts from; 1 unless given.

    Attributes
    ----------
    names : Names
    seed : array or None
        None where no gradient flows.
    seeded : bool
        Whether it was given.
    calls : dict of (Node, int) to Call
        Rules that were run alone, to be run again.
    steps : tuple of Step
        The backward sweep; empty where no gradient flows.
    gradients : dict of Node to array
        Of every record that one reaches. Read-only.
    kinds : Kinds
        Which values hold NaN or Inf.
    alarms : dict of Node to str
        A remark on each record where NaN or Inf is born.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> from viz.tape.run import Run
    >>> x = Tensor(3.0, name="x")
    >>> run = Run(Tape(x * x))
    >>> {run.names.gradient(node): float(grad) for node, grad in run.gradients.items()}
    {'∂L/∂L': 1.0, '∂L/∂x': 6.0}
    """

    def __init__(self, tape: Tape, seed: Any = None):
        self.tape = tape
        self.seeded = seed is not None
        self.seed = tape.seed(seed) if tape.root.needs_grad else None
        self.calls: dict[tuple[Node, int], Call] = {}

    @classmethod
    def of(cls, loss: Any, caller: str, grad: Any = None, *, backward: bool = True) -> Run:
        """That of what a user gave; `caller` begins the sentence of an error. See `tape_of` and `seed_of`.

        Where it need not go `backward`, a loss from which no gradient flows is taken too.
        """
        tape = tape_of(loss, caller)
        seed = seed_of(tape, grad, caller) if backward or tape.root.needs_grad else None
        return cls(tape, None if grad is None else seed)

    @cached_property
    def names(self) -> Names:
        return Names(self.tape)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return () if self.seed is None else tuple(self.tape.steps(self.seed))

    @cached_property
    def gradients(self) -> dict[Node, Any]:
        return {step.node: as_array(step.grad) for step in self.steps}

    @cached_property
    def sent(self) -> dict[tuple[Node, int], Any]:
        """What each record sends to each of its operands, by their places."""
        return {(step.node, c.position): np.asarray(c.grad) for step in self.steps for c in step.contributions}

    @cached_property
    def kinds(self) -> Kinds:
        return Kinds(self.tape)

    @cached_property
    def alarms(self) -> dict[Node, str]:
        return births(self.tape, self.steps, self.kinds)
