"""Where a hand-derived gradient went wrong: the first wrong step, and the slip that gives its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd import Node
from autograd.testing.conventions import recognised
from autograd.testing.otherwise import right_for
from autograd.testing.report import Report
from autograd.testing.rounding import roundings

from ..plain.numbers import listed
from ..tape.run import Run
from .after import after_a_step
from .causes import by_slips
from .forward import Forward, given_values
from .judging import follow_from_values, in_convention, verdicts_on, wrong_rule
from .printed import Given, given
from .report import Finding, Mismatch
from .sentences import HERE, INHERITED, RIGHT, UNDECIDED, Sentences
from .textbook import Textbook
from .trials import SECONDS, Budget
from .words import Words

__all__ = ["explain_mismatch"]


def explain_mismatch(
    loss: Any,
    hand: Mapping[Any, Any] | None = None,
    *,
    values: Mapping[Any, Any] | None = None,
    grad: Any = None,
    after: Mapping[Any, Any] | None = None,
    lr: float | None = None,
    weight_decay: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    timeout: float = SECONDS,
) -> Mismatch:
    """Say which step of a derivation is wrong, given the gradients that it arrived at.

    Each gradient is compared with the engine's. Where gradients of intermediates are given, they are pushed through
    the engine's rules: what is wrong although its own input is right is wrong *here*, what follows from a wrong input
    by the right rule has *inherited* it. Then the classic slips are tried, each at every place where it can happen,
    and small edits of the formulas that a person would have written, until the wrong numbers come out to the digits
    given: a sign, a transpose, a factor, a function in the place of its derivative, another value in the place of one,
    a wrong label, a path or a sum left out, weights already updated, a regularisation term, and others; two at once.
    Where none does, the formula is put together of parts of the right ones and the values beside them. The formula that
    gives your numbers is shown beside the right one.

    Parameters
    ----------
    loss : Tensor, Tape or Report
        What gradients are of: a scalar, unless `grad` is given. The report of `compare_grads` or `check_layer` brings
        all that was compared with it.
    hand : dict, optional with `values` or `after`
        ``{W1: dW1, "z⁽²⁾": dz2}``: the gradients, of parameters and of intermediates, by Tensor or by name. Arrays,
        nested lists, or numbers as they were printed: ``"0.0127"`` or `decimal.Decimal` are compared to the digits
        that they have; so are floats that have few. What is not known is left out as `compare_grads` has it: None,
        ``""``, ``"…"``, or masked.
    values : dict, optional
        Numbers found on the way forward, ``{z1: ..., "a⁽¹⁾": ..., loss: "0.6931"}``, given like gradients. One that is
        wrong although what it is made from is right is named first, and gradients that follow from it are not blamed.
    grad : array_like of the shape of `loss`, optional
        The gradient that the backward pass starts from; needed where `loss` is not a scalar.
    after : dict, optional
        Values found after one step of gradient descent at the rate `lr`, ``{loss: "0.2910", W1: new_W1}``, of which a
        slip in the gradients is sought that leads to them. All leaves with gradients are updated.
    lr : float, optional
        The learning rate, where weights may have been updated too early; unless told, it is solved for.
    weight_decay : float, optional
        The λ of a regularisation term λW that the loss does not contain; unless told, it is solved for.
    rtol, atol : float, optional
        How far off is wrong: by more than ``atol + rtol * |engine|``, instead of by the digits given.

    timeout : float, optional
        For how many seconds of computing mistakes are looked for; what was left untried is said, ``report.untried``.

    Returns
    -------
    Mismatch
        Printable, and a sequence of findings; ``.first`` is the first wrong step, with its sentence, source line and
        rule. It says so where no slip fits, or where several do.

    Raises
    ------
    TypeError
        If `loss` is no Tensor or Tape, `hand` is no dict, or a gradient is not of real numbers.
    KeyError
        If nothing has a name that was given; the nearest names are listed.
    ValueError
        If a gradient is ragged, is of something that is not on the tape or has no gradient; or if `loss`
        is not a scalar and no `grad` is given.

    Examples
    --------
    >>> import numpy as np, viz
    >>> from autograd import Tensor
    >>> z = Tensor([0.0, 1.0], name="z")
    >>> a = np.tanh(z)
    >>> a.name = "a"
    >>> report = viz.explain_mismatch((a * [1.0, 2.0]).sum(), {z: [1.0, 2.0]})
    >>> report.first.slip
    'activation derivative missing'
    """
    for name, value in (("lr", lr), ("weight_decay", weight_decay), ("timeout", timeout)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value > 0):
            raise ValueError(f"explain_mismatch: {name} must be a number above 0, got {value!r}")
    budget, conventions = Budget(timeout), True
    if isinstance(loss, Report):
        if loss.compared is None:
            why = "no gradient flows through it" if loss.engine == "engine" else "it could not be traced"
            raise ValueError(f"explain_mismatch: this report has no tape to look for the step on: {why}")
        conventions = loss.compared.conventions
        if hand is not None or values is not None or grad is not None:
            raise ValueError("explain_mismatch: a report brings its own gradients, expected none beside it")
        loss, hand, values, grad, *limits = loss.compared[:6]
        rtol, atol = (own if own is not None else other for own, other in zip((rtol, atol), limits, strict=True))
    run = Run.of(loss, "explain_mismatch", grad)
    tape = run.tape
    noise = roundings(tape, run.seed, run.steps)
    if hand is None and after is None and not values:
        raise ValueError(
            "explain_mismatch: no gradients were given: expected a dict, {W1: dW1}, or values=, or after= and lr="
        )
    hands = given(tape, {} if hand is None else hand, noise, rtol, atol, empty=after is not None or bool(values))
    later = {} if after is None else given(tape, after, {}, rtol, atol, what="value after the step")
    if after is not None and lr is None:
        raise ValueError("explain_mismatch: after= needs the learning rate of the step, lr=")
    found = given_values(tape, values or {}, rtol, atol)
    textbook = Textbook(tape, {*hands, *later, *found})
    if textbook.tape is not tape:
        tape = textbook.tape
        run = Run(tape, run.seed)
        hands, later, found = (
            {one.node: one for one in map(textbook.given, some.values())} for some in (hands, later, found)
        )
    engine: Mapping[Node, Any] = run.gradients
    words = Words(tape, textbook.names)
    for node in hands:
        if node not in engine:
            raise ValueError(
                f"explain_mismatch: no gradient reaches {words.say(node)}: an operation without a derivative stands "
                f"between it and {words.loss}"
            )
    shapes = {node: one.array.shape for node, one in hands.items()}
    hands = {node: one.reshaped() or one for node, one in hands.items()}
    read = hands
    convention = recognised(tape, run.seed, read, engine) if conventions else None
    of_loss, engine = engine, engine if convention is None else convention.of(engine)
    hands = {n: in_convention(convention, one, of_loss[n]).completed(engine[n]) for n, one in hands.items()}
    verdicts = verdicts_on(run, hands, engine, convention)
    forward = Forward(tape, found, words)
    by_values = follow_from_values(run, hands, verdicts, forward.reads(), convention)
    verdicts |= {one.node: INHERITED for one in by_values}
    budget.begin()
    report = Sentences(run, hands, engine, verdicts, words, budget, convention)
    turned = [one for one in hands.values() if one.has_shape and shapes[one.node] != one.node.shape]
    findings = [report.other_shape(one, shapes[one.node]) for one in turned if verdicts[one.node] == RIGHT]
    notes = [_read_in_shape(words, one, shapes[one.node]) for one in turned if verdicts[one.node] != RIGHT]
    wrong = [one for one in hands.values() if verdicts[one.node] == HERE]
    distrusted, left = _distrusted(report, wrong)
    nothing = [one for one in left if _says_nothing(one, engine[one.node])]
    left = [one for one in left if one not in nothing]
    findings += distrusted + [_of_nothing(report, one) for one in nothing]
    rows = {node: one.row(engine[node]) for node, one in hands.items() if verdicts[node] == RIGHT}
    undecided = {node: row.note for node, row in rows.items() if row.verdict == UNDECIDED}
    notes += [f"{words.gradient(node)}: {note}." for node, note in undecided.items()]
    explained, remarks = by_slips(report, left, lr, weight_decay)
    findings, notes = findings + explained, notes + remarks
    inherited = [one for one in hands.values() if verdicts[one.node] == INHERITED and one not in by_values]
    findings += [report.inherited(one) for one in inherited]
    findings += [forward.follows(one, words.gradient(one.node)) for one in by_values]
    place = {words.gradient(node): k for k, node in enumerate(hands)}
    findings.sort(key=lambda f: (f.verdict == INHERITED, min(place[name] for name in f.gradients)))
    notes = _on_conventions(report, read, of_loss, findings) + notes + report.remarks
    findings = sorted([*forward.findings(), *findings], key=lambda f: f.verdict == INHERITED)
    named = {words.say(node): verdict for node, verdict in forward.verdicts.items()}
    named |= {words.gradient(node): verdicts[node] for node in hands}
    named |= {words.gradient(node): UNDECIDED for node in undecided}
    named |= {words.gradient(one.node): UNDECIDED for one in nothing if np.isnan(engine[one.node]).any()}
    named |= {words.gradient(one.node): HERE for one in turned if verdicts[one.node] == RIGHT}
    if later and lr is not None:
        named |= after_a_step(run, later, lr, engine, words, budget, findings, notes)
    findings = [textbook.finding(f) for f in findings]
    within = "" if convention is None else convention.name
    return Mismatch(named, findings, list(dict.fromkeys(notes)), within, tuple(budget.untried))


def _read_in_shape(words: Words, one: Given, shape: tuple[int, ...]) -> str:
    return f"{words.gradient(one.node)} has shape {shape}, expected {one.node.shape}: it was read in that shape."


def _distrusted(report: Sentences, wrong: list[Given]) -> tuple[list[Finding], list[Given]]:
    """What a wrong rule of the program's own spoils; and the wrong gradients that are left."""
    suspect = wrong_rule(report.sweeper) if wrong else None
    if suspect is None:
        return [], wrong
    node, i = suspect
    below = set(report.sweeper.reached(node.operands[i]))
    doubtful = [one for one in wrong if one.node in below]
    findings = [report.distrusted(doubtful, node, i)] if doubtful else []
    return findings, [one for one in wrong if one not in doubtful]


def _says_nothing(one: Given, engine: Any) -> bool:
    """Whether numbers tell of no slip: NaN or Inf, or 0 throughout."""
    known = np.isfinite(one.numbers).all() and np.isfinite(engine).all()
    return not known or (one.has_shape and not one.numbers.any())


def _of_nothing(report: Sentences, one: Given) -> Finding:
    has_nan = np.isnan(report.engine[one.node]).any() or np.isnan(one.numbers).any()
    return report.not_a_number(one) if has_nan else report.unexplained(one)


def _on_conventions(
    report: Sentences,
    read: Mapping[Node, Given],
    of_loss: Mapping[Node, Any],
    findings: Sequence[Finding],
) -> list[str]:
    """Which gradients are right in another convention than the loss; for which loss the wrong ones would be."""
    notes = []
    name, convention = report.words.gradient, report.convention
    if convention is not None:
        own = [n for n in report.hands if convention.factor(n) != 1]
        own = [n for n in own if not replace(report.hands[n], hand=read[n].hand).agrees(of_loss[n])]
        right = [name(n) for n in own if report.verdicts[n] == RIGHT]
        who = f"{listed(right)} {'is' if len(right) == 1 else 'are'}" if right else "Apart from that, all is"
        notes.append(f"{who} {convention.note}.")
    wrong = [name(n) for n, verdict in report.verdicts.items() if verdict != RIGHT]
    others = right_for(report.tape, report.run.seed, read, of_loss, convention) if wrong else []
    unsaid = [other for other in others if not any(other in finding.sentence for finding in findings)]
    return notes + [f"{listed(wrong)} would be right for {other}." for other in unsaid]
