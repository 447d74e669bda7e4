"""Values that a person has found on the way to a loss, beside those on its tape: which is the first wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..node import Node
from ..tape import Tape
from .attempts import attempted
from .drawing import generator
from .given import Given
from .hand import Named
from .limits import Limits
from .replaying import Replay
from .rows import Row

__all__ = ["forward_roundings", "value_rows"]

_PROBES = 2
_UNITS = 4
"""So many units in the last place are taken to be lost at every step."""


def value_rows(tape: Tape, values: Mapping[Node, Named], rtol: float | None, atol: float | None) -> list[Row]:
    """One row for each value that is given, in the order in which the forward pass computes them.

    Parameters
    ----------
    tape : Tape
    values : mapping of Node to Named
    rtol, atol : float or None
    """
    noise = forward_roundings(tape, values)
    rows = []
    for node in sorted(values, key=tape.index):
        name, hand, note = values[node]
        one = Given(node, name, hand, Limits(rtol, atol, noise[node]))
        rows.append(one.row(tape.value(node), node=node, note=note, what="value"))
    return rows


def forward_roundings(tape: Tape, wanted: Iterable[Node]) -> Mapping[Node, Any]:
    """How far rounding may have put off some values, element by element.

    Seen by computing everything again, each result put off by some units in the last place with random signs.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from autograd.testing.forward import forward_roundings
    >>> x = Tensor([1e8, 1.0])
    >>> difference = np.sin(x + 1.0) - np.sin(x)
    >>> tape = Tape(difference.sum())
    >>> off = forward_roundings(tape, [difference.node])[difference.node]
    >>> bool(off[0] > 1e-9), bool(off[1] < 1e-14)
    (True, True)
    """
    signs = generator("rounding of values")
    wanted = list(wanted)
    off: dict[Node, Any] = {node: np.zeros(node.shape) for node in wanted}
    last = max((tape.index(node) for node in wanted), default=-1)
    replay = Replay(tape)
    fixed = {n for n in tape.nodes[: last + 1] if n.is_leaf or (n.rule.keeps_output and not replay.is_repeatable(n))}
    for _ in range(_PROBES):
        with attempted():
            moved: dict[Node, Any] = {}
            for node in tape.nodes[: last + 1]:
                value = np.asarray(tape.value(node))
                if node not in fixed:
                    value = np.asarray(
                        node.rule.op(*(moved[a] if isinstance(a, Node) else a for a in node.operands), **node.kwargs)
                    )
                    if value.dtype.kind == "f":
                        unit = _UNITS * float(np.finfo(value.dtype).eps)
                        value = (value * (1 + unit * signs.choice([-1.0, 1.0], value.shape))).astype(value.dtype)
                moved[node] = value
                if node in off and value.dtype.kind == "f":
                    apart = np.abs(value.astype(np.float64) - tape.value(node))
                    off[node] = np.maximum(off[node], np.nan_to_num(apart, posinf=0.0))
    return off
