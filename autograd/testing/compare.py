"""Hand-derived gradients beside the engine's: which of them is wrong, where, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import describe
from ..leaving import number_taken
from ..node import Node
from ..tape import Tape
from ..tensor import Tensor
from .conventions import recognised
from .forward import value_rows
from .given import Given
from .hand import check_has_gradient, read_hands
from .limits import Limits, check_limits
from .otherwise import right_for
from .replaying import Replay
from .report import Compared, Report, announced
from .rounding import roundings
from .rows import Row

__all__ = ["assert_grads_match", "compare_grads"]

_MOST = 50
"""Of each array, at most so many elements are differentiated numerically."""
_MOST_WORK = 20_000_000
"""Elements that one evaluation of the loss may compute again; beyond, there are no finite differences."""


def compare_grads(
    loss: Any,
    hand: Mapping[Any, Any] | None = None,
    *,
    values: Mapping[Any, Any] | None = None,
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
    hand : mapping, optional with `values`
        ``{W1: dW1, "z⁽²⁾": dz2}``: by Tensor or by name, as it is printed, ``"%3"`` and ``"L"`` too; the gradient as an
        array, nested lists or a number. Strings and Decimals, as in ``[["0.0127", "-0.5000"]]``, are compared to the
        digits they were printed with. Where only some numbers are known, None, ``""`` or ``"…"`` stand for the others,
        or they are masked, ``np.ma.masked_invalid(dW)``: these are not judged.
    values : mapping, optional
        Numbers found on the way forward, ``{z1: ..., "a⁽¹⁾": ..., loss: "0.6931"}``, given like gradients: the first
        wrong one is named.
    rtol, atol : float, optional
        What differs by more than ``atol + rtol * |engine|`` is wrong. Unless told, `rtol` is as the precision of the
        numbers asks for, 1e-5 in float64 and 1e-4 in float32, and `atol` what rounding may put off each element, which
        the engine's own passes tell when they are computed again in an arithmetic that is off by a unit everywhere.
    numeric : bool, optional
        Compare both with finite differences too, of at most 50 elements of each array, with steps and errors that
        come from the precision that the loss really has; by a complex step where the functions allow one.
    grad : array, optional
        The gradient that the backward pass starts from, of the shape of the loss.

    Returns
    -------
    Report
        One row for each gradient, in the order in which the backward pass completes them: the first wrong one is the
        first to look at. ``report.values`` has one for each value, in the order of the forward pass. The verdict is
        "exact", "close", "WRONG", "shape"; "undecided" where the two differ only where nothing can be told: at a kink,
        where any number between the slopes on its sides is right, and where rounding may change a number by a tenth of
        it and more; "NaN" where the engine's is not a number (infinite numbers agree with themselves); "convention"
        where it is right in A. Ng's convention, dZ without the 1/m of the loss, dW and db with it.

    Raises
    ------
    KeyError
        If no record has a name; names the nearest.
    ValueError
        If a Tensor is not on the tape, or has no gradient, or one gradient is given twice; if a list is ragged, or no
        number of a gradient is given.
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
    why: viz.explain_mismatch(report)
    >>> some = compare_grads(loss, {z: [None, "13"]}, values={z: z.data, loss: "43.25"})
    >>> some.headline(), some.rows[0].note
    ('gradients of the loss: 3 exact', '1 of 2 given')
    """
    tape = _tape_of(loss, "compare_grads")
    check_limits(rtol, atol, "compare_grads")
    nodes = read_hands(tape, {} if hand is None else hand, "compare_grads", empty=bool(values))
    for node in nodes:
        check_has_gradient(node, "compare_grads")
    known = read_hands(tape, {} if values is None else values, "compare_grads", "value", empty=True, whole=True)
    if nodes and grad is None and tape.root.size != 1:
        raise ValueError(
            f"compare_grads: the loss has shape {tape.root.shape}, expected a scalar: give the gradient to start from, "
            f"grad=np.ones({tape.root.shape})"
        )
    grads, noise, finished = _swept(tape, grad, nodes) if nodes else ({}, {}, {})
    replay = Replay(tape, grad)

    def row_of(one: Given) -> Row:
        node, note = one.node, nodes[one.node].note
        engine = grads.get(node)
        if engine is None:
            engine, note = np.zeros(node.shape, node.dtype), "no gradient reaches it: it is zero"
        row = one.row(engine, node=node, note=note)
        if row.verdict == "WRONG":
            note = "; ".join(filter(None, (note, number_taken(node, tape.root))))
        if numeric or row.verdict == "WRONG":
            most = _affordable(replay.work(node))
            partials = replay.partials(node) if most and replay.drawn is None else None
            row = one.row(engine, partials=partials, numeric=numeric, most=most, node=node, note=note)
        return row

    order = sorted(nodes, key=lambda node: (finished[node], node.seq), reverse=True)
    given = {n: Given(n, nodes[n].name, nodes[n].hand, Limits(rtol, atol, noise[n])) for n in order}
    rows = _in_conventions(tape, grad, [row_of(one) for one in given.values()], given, row_of)
    forward = value_rows(tape, known, rtol, atol)
    notes = []
    if numeric and replay.drawn is not None:
        notes.append(f"no finite differences: {describe(replay.drawn)} draws other numbers each time it is computed")
    elif numeric and any(row.numeric is None and row.verdict not in ("shape", "NaN") for row in rows):
        notes.append("no finite differences where the loss takes more than 20 million numbers to compute again")
    if any(np.isnan(row.yours).any() and row.given is None and row.verdict == "WRONG" for row in (*forward, *rows)):
        notes.append("NaN counts as computed; a number that is not given is None, or masked, np.ma.masked_invalid(dW)")
    title = f"{'gradients' if nodes else 'values'} of {tape.root.name or 'the loss'}"
    hands, numbers = ({node: named.hand for node, named in some.items()} for some in (nodes, known))
    compared = Compared(tape, hands, numbers, grad, rtol, atol)
    return announced(Report(rows, title, notes=notes, values=forward, compared=compared))


def assert_grads_match(
    loss: Any,
    hand: Mapping[Any, Any] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    numeric: bool = False,
    *,
    values: Mapping[Any, Any] | None = None,
    grad: Any = None,
) -> None:
    """Raise an error that is the report of `compare_grads`, unless all hand-derived gradients are right.

    It ends with what `viz.explain_mismatch` finds, looked for when it is printed, once `viz` is imported, as the plugin
    of pytest does; the report itself is ``error.args[0]``.

    Parameters
    ----------
    loss, hand, rtol, atol, numeric, values, grad
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
    report = compare_grads(loss, hand, values=values, rtol=rtol, atol=atol, numeric=numeric, grad=grad)
    if not report.ok:
        raise AssertionError(report.saying_why())


def _in_conventions(
    tape: Tape, seed: Any, rows: list[Row], given: Mapping[Node, Given], again: Callable[[Given], Row]
) -> list[Row]:
    """The rows of gradients that are right in a convention acquitted; on the others, what they would be right for."""
    if all(row.verdict != "WRONG" for row in rows):
        return rows
    engine = {row.node: row.engine for row in rows}
    convention = recognised(tape, seed, given, engine)
    if convention is not None:
        scaled = {n: replace(one, hand=one.hand.times(1 / convention.factor(n))) for n, one in given.items()}
        rows = [convention.judged(row, again(scaled[row.node]), row.node) for row in rows]
    says = [f"right for {other}" for other in right_for(tape, seed, given, engine, convention)]
    return [replace(r, note="; ".join([r.note, *says])) if says and r.verdict == "WRONG" else r for r in rows]


def _affordable(work: int) -> int:
    """How many elements to differentiate numerically, where one evaluation computes so many; each takes about 20."""
    return 0 if work > _MOST_WORK else int(np.clip(1_000_000 // max(work, 1), 2, _MOST))


def _tape_of(loss: Any, caller: str) -> Tape:
    if isinstance(loss, Tape):
        return loss
    if not isinstance(loss, Tensor | Node):
        raise TypeError(f"{caller}: the loss must be a Tensor or its Tape, got {type(loss).__name__}")
    return Tape(loss)


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
    noise = roundings(tape, grad, steps)
    return grads, {node: noise.get(node, 0.0) for node in wanted}, finished
