"""Hand-derived gradients beside the engine's: which of them is wrong, where, and by how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..leaving import number_taken
from ..tape import Node, Tape, describe
from ..tensor import Tensor
from .hand import Hand, read_hand
from .replaying import Replay
from .report import Report, announced
from .rounding import roundings
from .rows import Limits, Row, check_limits, compare_row

__all__ = ["assert_grads_match", "compare_grads"]

_MOST = 50
"""Of each array, at most so many elements are differentiated numerically."""
_MOST_WORK = 20_000_000
"""Elements that one evaluation of the loss may compute again; beyond, there are no finite differences."""


def compare_grads(
    loss: Any,
    hand: Mapping[Any, Any],
    *,
    rtol: float | None = None,
    atol: float | None = None,
    numeric: bool = False,
    grad: Any = None,
) -> Report:
    """Compare hand-derived gradients of parameters and intermediates with the engine's.

    Parameters
    ----------
    loss : Tensor or Tape
        What was differentiated: a scalar, unless `grad` is given.
    hand : mapping
        ``{W1: dW1, "z⁽²⁾": dz2}``: by Tensor or by name, the gradient as an array, nested lists or a number. Strings
        and Decimals, as in ``[["0.0127", "-0.5000"]]``, are compared to the digits they were printed with.
    rtol, atol : float, optional
        What differs by more than ``atol + rtol * |engine|`` is wrong. Unless told, as precise as the numbers are: in
        float64 1e-5, and 1e-8 of the largest element; in float32 1e-4 and 1e-6; and what rounding explains.
    numeric : bool, optional
        Compare both with finite differences too, of at most 50 elements of each array: central ones, extrapolated,
        with a step chosen for each element; by a complex step where the functions allow one.
    grad : array, optional
        The gradient that the backward pass starts from, of the shape of the loss.

    Returns
    -------
    Report
        One row for each gradient, in the order in which the backward pass completes them: the first wrong one is the
        first to look at. Its verdict is "exact", "close", "WRONG", "shape"; "undecided" where the two differ at kinks
        alone, and any number between the slopes on the two sides is right; "NaN" where the engine's is not a number.

    Raises
    ------
    KeyError
        If no record has a name; names the nearest.
    ValueError
        If a Tensor is not on the tape, or has no gradient, or one gradient is given twice; if a list is ragged.
    TypeError
        If a gradient is not of real floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> from autograd.testing import compare_grads
    >>> x, W = np.array([1.0, 2.0]), Tensor([[1.0, -1.0], [0.5, 3.0]], name="W")
    >>> z = W @ x
    >>> z.name = "z"
    >>> loss = (z * z).sum()
    >>> report = compare_grads(loss, {W: np.outer(x, 2 * z.data), z: 2 * z.data})
    >>> report.ok, [(row.name, row.verdict) for row in report.rows]
    (False, [('z', 'exact'), ('W', 'WRONG')])
    >>> print(report)
    WRONG: the gradient of W[0, 1] is 13, the engine has −4 (gradients of the loss: 1 of 2 not ok)
    <BLANKLINE>
    gradient of  shape   verdict  largest difference  relative  at      yours  engine
    ---------------------------------------------------------------------------------
    z            (2,)    exact    0                   0         [0]     −2     −2
    W            (2, 2)  WRONG    17                  1.31      [0, 1]  13     −4
    <BLANKLINE>
    W: 2 of 4 elements differ; its transpose would be right
    """
    tape = _tape_of(loss, "compare_grads")
    check_limits(rtol, atol, "compare_grads")
    nodes = _read(tape, hand)
    if grad is None and tape.root.size != 1:
        raise ValueError(
            f"compare_grads: the loss has shape {tape.root.shape}, expected a scalar: give the gradient to start from, "
            f"grad=np.ones({tape.root.shape})"
        )
    grads, noise, finished = _swept(tape, grad, nodes)
    replay = Replay(tape, grad)
    rows: list[Row] = []
    for node in sorted(nodes, key=lambda node: (finished[node], node.seq), reverse=True):
        name, given, note = nodes[node]
        engine = grads.get(node)
        if engine is None:
            engine, note = np.zeros(node.shape, node.dtype), "no gradient reaches it: it is zero"
        limits = Limits(rtol, atol, noise[node])
        row = compare_row(name, given, engine, limits, node=node, note=note)
        if row.verdict == "WRONG":
            note = "; ".join(filter(None, (note, number_taken(node, tape.root))))
        if numeric or row.verdict == "WRONG":
            most = _affordable(replay.work(node))
            partials = replay.partials(node) if most and replay.drawn is None else None
            row = compare_row(
                name, given, engine, limits, partials=partials, numeric=numeric, most=most, node=node, note=note
            )
        rows.append(row)
    notes = []
    if numeric and replay.drawn is not None:
        notes.append(f"no finite differences: {describe(replay.drawn)} draws other numbers each time it is computed")
    elif numeric and any(row.numeric is None and row.verdict not in ("shape", "NaN") for row in rows):
        notes.append("no finite differences where the loss takes more than 20 million numbers to compute again")
    return announced(Report(rows, f"gradients of {tape.root.name or 'the loss'}", notes=notes))


def assert_grads_match(
    loss: Any,
    hand: Mapping[Any, Any],
    rtol: float | None = None,
    atol: float | None = None,
    numeric: bool = False,
    *,
    grad: Any = None,
) -> None:
    """Raise an error that is the report of `compare_grads`, unless all hand-derived gradients are right.

    Parameters
    ----------
    loss, hand, rtol, atol, numeric, grad
        As of `compare_grads`.

    Raises
    ------
    AssertionError
        If one is wrong, or of another shape. Its first line is the worst one.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.testing import assert_grads_match
    >>> w = Tensor([2.0, 3.0], name="w")
    >>> assert_grads_match((w * w).sum(), {w: [4.0, 6.0]})
    >>> assert_grads_match((w * w).sum(), {w: [4.0, 5.0]})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    AssertionError: WRONG: the gradient of w[1] is 5, the engine has 6 ...
    """
    __tracebackhide__ = True
    report = compare_grads(loss, hand, rtol=rtol, atol=atol, numeric=numeric, grad=grad)
    if not report.ok:
        raise AssertionError(str(report))


def _read(tape: Tape, hand: Any) -> dict[Node, tuple[str, Hand, str]]:
    """The gradients that are given, by record, each with the name of its row and a note on that."""
    if not isinstance(hand, Mapping):
        raise TypeError(f"compare_grads: expected a dict of gradients, {{W1: dW1, ...}}, got {type(hand).__name__}")
    if not hand:
        raise ValueError("compare_grads: the dict of gradients is empty, so that there is nothing to compare")
    found: dict[Node, tuple[str, Hand, str]] = {}
    called = Counter(node.name for node in tape)
    for key, value in hand.items():
        node = _record_of(tape, key)
        name = _name_of(node, key, tape)
        if node in found:
            raise ValueError(f"compare_grads: the gradient of {name} is given twice, by Tensor and by name")
        same = called[key] if isinstance(key, str) else 1
        note = f"the latest of {same} records of this name" if same > 1 else ""
        found[node] = name, read_hand(value, f"compare_grads: the gradient of {name}"), note
    return found


def _affordable(work: int) -> int:
    """How many elements to differentiate numerically, where one evaluation computes so many; each takes about 20."""
    return 0 if work > _MOST_WORK else int(np.clip(1_000_000 // max(work, 1), 2, _MOST))


def _tape_of(loss: Any, caller: str) -> Tape:
    if isinstance(loss, Tape):
        return loss
    if not isinstance(loss, Tensor | Node):
        raise TypeError(f"{caller}: the loss must be a Tensor or its Tape, got {type(loss).__name__}")
    return Tape(loss)


def _record_of(tape: Tape, key: Any) -> Node:
    if isinstance(key, str):
        try:
            node: Node | None = tape.find(key)
        except KeyError as error:
            raise KeyError(f"compare_grads: {error.args[0]}") from None
    elif isinstance(key, Tensor | Node):
        node = tape.record_of(key)
    else:
        raise TypeError(
            f"compare_grads: the keys are Tensors or their names, got {key!r:.40} of type {type(key).__name__}"
        )
    if node is None:
        own = key.node if isinstance(key, Tensor) else key
        taken = number_taken(own, tape.root)
        raise ValueError(f"compare_grads: {describe(own)} is not on the tape of this loss" + (taken and f": {taken}"))
    if not node.needs_grad:
        why = f"its dtype is {node.dtype}" if node.dtype.kind != "f" else "requires_grad is False"
        raise ValueError(f"compare_grads: {describe(node)} has no gradient to compare with: {why}")
    return node


def _name_of(node: Node, key: Any, tape: Tape) -> str:
    """What a row is called: its name, or what made it."""
    if node.name:
        return node.name
    return key if isinstance(key, str) else f"%{tape.index(node)} ({node.op})"


def _swept(
    tape: Tape, grad: Any, wanted: Mapping[Node, Any]
) -> tuple[dict[Node, Any], dict[Node, Any], dict[Node, int]]:
    """The gradients of some records; the rounding to be expected of each; and the step that completes each."""
    grads: dict[Node, Any] = {}
    finished = {node: tape.root.seq if node is tape.root else -1 for node in wanted}
    steps = list(tape.steps(grad))
    for step in steps:
        if step.node in wanted:
            grads[step.node] = np.array(step.grad)
        finished |= {c.node: step.node.seq for c in step.contributions if c.node in wanted}
    noise = roundings(steps)
    return grads, {node: noise.get(node, 0.0) for node in wanted}, finished
