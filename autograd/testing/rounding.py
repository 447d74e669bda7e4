"""How far rounding may have put gradients off, element by element: the derivative rules themselves tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tape import Node, Step, sweep
from .attempts import attempted
from .drawing import generator

__all__ = ["roundings"]

_PROBES = 2
_UNITS = 4
"""So many units in the last place are taken to be lost at every step."""


def roundings(steps: Iterable[Step]) -> dict[Node, Any]:
    """How far rounding may have put off the gradient of each record.

    Every number of a gradient, and everything that was added up to it, is off by some units in the last place. How
    that adds up from step to step, and what it is multiplied by, is seen by sending numbers of that size with random
    signs through the rules of each step.

    Parameters
    ----------
    steps : iterable of Step
        A whole backward pass, as `Tape.steps` gives it.

    Returns
    -------
    dict of Node to array
        In float64, of the shapes of the records. None for the loss itself, whose gradient is given.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from autograd.testing.rounding import roundings
    >>> x = Tensor(np.ones(1000))
    >>> total = x.sum()
    >>> bool(roundings(Tape((total - total) * 3.0).steps())[x.node].max() < 1e-13)
    True
    """
    signs = generator("rounding")
    off: dict[Node, Any] = {}
    for step in steps:
        node = step.node
        if not step.contributions or node.dtype.kind != "f":
            continue
        unit = _UNITS * float(np.finfo(node.dtype).eps)
        with np.errstate(all="ignore"):
            mine = off.get(node, 0.0) + unit * np.abs(np.asarray(step.grad, np.float64))
            worst = [_sent(node, mine * signs.choice([-1.0, 1.0], np.shape(mine))) for _ in range(_PROBES)]
            for operand, size in _added(step.contributions).items():
                size = unit * size + np.maximum.reduce([sizes.get(operand, 0.0 * size) for sizes in worst])
                off[operand] = off.get(operand, 0.0) + np.nan_to_num(size, posinf=0.0)
    return off


def _sent(node: Node, grad: Any) -> dict[Node, Any]:
    """What the rules send of a gradient; nothing, where they take none but that of the program."""
    with attempted():
        return _added(next(sweep(node, np.asarray(grad, node.dtype)[()])).contributions)
    return {}


def _added(contributions: Iterable[Any]) -> dict[Node, Any]:
    """The absolute numbers that are sent to each operand."""
    found: dict[Node, Any] = {}
    for contribution in contributions:
        size = np.abs(np.asarray(contribution.dense(), np.float64))
        found[contribution.node] = found.get(contribution.node, 0.0) + size
    return found
