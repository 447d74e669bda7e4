"""Where a hand-derived gradient went wrong: the first wrong step, and the slip that gives its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted
from autograd.testing.conventions import Convention, recognised
from autograd.testing.differences import Partials
from autograd.testing.drawing import generator
from autograd.testing.otherwise import right_for
from autograd.testing.report import Report
from autograd.testing.rounding import roundings

from ..plain.numbers import listed
from ..tape.run import Run
from .after import after_a_step
from .forward import Forward, given_values
from .powers import AsPowers
from .printed import Given, given
from .pushing import Change, Sweeper
from .report import Finding, Mismatch
from .search import Fit, search
from .sentences import BUT_FOR_THE_LAST_DIGITS, ENOUGH, HERE, INHERITED, RIGHT, UNDECIDED, Sentences, made_of
from .trials import Budget, Scene
from .words import Words

__all__ = ["explain_mismatch"]

_OWN = ("autograd", "numpy", "nn")
"""Whose rules are not checked again."""
_QUICK, _RECORD = 1_000_000, 2_000
"""Of no more numbers, with as many counted for a record of any size, several searches are made."""
_MOST_TRIED = 4
"""So many slips that can't be told apart are tried as what later gradients follow from."""


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
) -> Mismatch:
    """Say which step of a derivation is wrong, given the gradients that it arrived at.

    Each gradient is compared with the engine's. Where gradients of intermediates are given, they are pushed through
    the engine's rules: what is wrong although its own input is right is wrong *here*, what follows from a wrong input
    by the right rule has *inherited* it. Then the classic slips are tried, each at every place where it can happen,
    until the wrong numbers come out to the digits given: a sign, a transpose, a factor, an activation's derivative
    missing, doubled or taken elsewhere, a wrong label, a path or a sum left out, a kernel flipped, weights already
    updated, a regularisation term, a factor, a term, a sign or a power in the formula of a rule, and others.

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
    for name, value in (("lr", lr), ("weight_decay", weight_decay)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value > 0):
            raise ValueError(f"explain_mismatch: {name} must be a number above 0, got {value!r}")
    budget = Budget()
    if isinstance(loss, Report):
        if loss.compared is None:
            raise ValueError(
                "explain_mismatch: this report has no tape to look for the step on: it could not be traced"
            )
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
    powers = AsPowers(tape, {*hands, *later, *found})
    if powers.tape is not tape:
        tape = powers.tape
        run = Run(tape, run.seed)
        hands, later, found = (
            {one.node: one for one in map(powers.given, some.values())} for some in (hands, later, found)
        )
    engine: Mapping[Node, Any] = run.gradients
    words = Words(tape, powers.names)
    for node in hands:
        if node not in engine:
            raise ValueError(
                f"explain_mismatch: no gradient reaches {words.say(node)}: an operation without a derivative stands "
                f"between it and {words.loss}"
            )
    shapes = {node: one.array.shape for node, one in hands.items()}
    hands = {node: one.reshaped() or one for node, one in hands.items()}
    read = hands
    convention = recognised(tape, run.seed, read, engine)
    of_loss, engine = engine, engine if convention is None else convention.of(engine)
    hands = {n: _in_convention(convention, one, of_loss[n]).completed(engine[n]) for n, one in hands.items()}
    verdicts = _verdicts(run, hands, engine, convention)
    forward = Forward(tape, found, words)
    by_values = _following(run, hands, verdicts, forward.reads(), convention)
    verdicts |= {one.node: INHERITED for one in by_values}
    wrong = [one for one in hands.values() if verdicts[one.node] == HERE]
    report = Sentences(run, hands, engine, verdicts, words, budget, convention)
    findings: list[Finding] = []
    notes: list[str] = []
    turned = [one for one in hands.values() if one.has_shape and shapes[one.node] != one.node.shape]
    for one in turned:
        if verdicts[one.node] == RIGHT:
            findings.append(report.other_shape(one, shapes[one.node]))
        else:
            own = words.gradient(one.node)
            notes.append(f"{own} has shape {shapes[one.node]}, expected {one.node.shape}: it was read in that shape.")
    left = wrong
    suspect = _wrong_rule(report.sweeper) if wrong else None
    if suspect is not None:
        node, i = suspect
        below = set(report.sweeper.reached(node.operands[i]))
        doubtful = [one for one in left if one.node in below]
        findings += [report.distrusted(doubtful, node, i)] if doubtful else []
        left = [one for one in left if one not in doubtful]
    numbers = [np.isfinite(one.numbers).all() and np.isfinite(engine[one.node]).all() for one in left]
    nothing = [
        one for one, known in zip(left, numbers, strict=True) if not known or (one.has_shape and not one.numbers.any())
    ]
    findings += [
        report.not_a_number(one)
        if np.isnan(engine[one.node]).any() or np.isnan(one.numbers).any()
        else report.unexplained(one)
        for one in nothing
    ]
    left = [one for one in left if one not in nothing]
    rows = {node: one.row(engine[node]) for node, one in hands.items() if verdicts[node] == RIGHT}
    notes += [f"{words.gradient(node)}: {row.note}." for node, row in rows.items() if row.verdict == UNDECIDED]
    order = {node: k for k, node in enumerate(hands)}
    held: list[Fit] = []
    while left:
        fits = _fitting(report, left, lr, weight_decay, held)
        near = [one for one in left if one.is_near(engine[one.node])]
        if near and all(fit.solved is not None for fit in fits):
            findings += [report.rounded(one) for one in near]
            left = [one for one in left if one not in near]
            continue
        loosened = [one.loosened() for one in left]
        if not fits and sum(one.numbers.size for one in left) >= ENOUGH and loosened != left:
            fits = _fitting(report, loosened, lr, weight_decay, held)
            if fits:
                notes.append(BUT_FOR_THE_LAST_DIGITS)
        explained = min((f.explains for f in fits), key=lambda some: order[some[0].node]) if fits else ()
        if not explained:
            findings += [report.unexplained(one) for one in left]
            break
        fits = [f for f in fits if f.explains == explained]
        done = {one.node for one in explained}
        left = [one for one in left if one.node not in done]
        if left:
            fits = _that_lead_on(report, fits, left, lr, weight_decay, held)
        findings += report.of_slips(fits)
        held = [*held, fits[0]]
    inherited = [one for one in hands.values() if verdicts[one.node] == INHERITED and one not in by_values]
    findings += [report.inherited(one) for one in inherited]
    findings += [forward.follows(one, words.gradient(one.node)) for one in by_values]
    place = {words.gradient(node): k for node, k in order.items()}
    findings.sort(key=lambda f: (f.verdict == INHERITED, min(place[name] for name in f.gradients)))
    notes = _on_conventions(report, read, of_loss, findings) + notes + report.remarks
    findings = sorted([*forward.findings(), *findings], key=lambda f: f.verdict == INHERITED)
    named = {words.say(node): verdict for node, verdict in forward.verdicts.items()}
    named |= {words.gradient(node): verdicts[node] for node in hands}
    named |= {words.gradient(node): UNDECIDED for node, row in rows.items() if row.verdict == UNDECIDED}
    named |= {words.gradient(one.node): UNDECIDED for one in nothing if np.isnan(engine[one.node]).any()}
    named |= {words.gradient(one.node): HERE for one in turned if verdicts[one.node] == RIGHT}
    if later and lr is not None:
        named |= after_a_step(run, later, lr, engine, words, budget, findings, notes)
    findings = [powers.finding(f) for f in findings]
    within = "" if convention is None else convention.name
    return Mismatch(named, findings, list(dict.fromkeys(notes)), within, tuple(budget.untried))


def _in_convention(convention: Convention | None, one: Given, of_loss: Any) -> Given:
    """A gradient in the convention of the others, also where it alone is that of the loss."""
    k = 1.0 if convention is None else convention.factor(one.node)
    if k == 1:
        return one
    return replace(one, hand=one.hand.times(k) if one.agrees(of_loss) else one.hand).times(k)


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


def _verdicts(
    run: Run, hands: dict[Node, Given], engine: Mapping[Node, Any], convention: Convention | None
) -> dict[Node, str]:
    """Right, wrong here, or inherited, for each gradient handed in."""
    flows = {n: _as_flow(one) for n, one in hands.items() if not n.is_leaf and one.has_shape}
    own = Sweeper(run, hands, flows, convention)
    slack = _rounding(hands, flows, own)
    verdicts: dict[Node, str] = {}
    for node, one in hands.items():
        followed = node in own.base.grads and one.agrees(own.base.grads[node], slack[node])
        above = [u for u in made_of(own, node, hands) if u is not node]
        if one.agrees(engine[node]):
            verdicts[node] = RIGHT
        elif followed and above:
            verdicts[node] = INHERITED if any(verdicts[u] != RIGHT for u in above) else RIGHT
        else:
            verdicts[node] = HERE
    return verdicts


def _following(
    run: Run,
    hands: dict[Node, Given],
    verdicts: Mapping[Node, str],
    reads: dict[Node, Any],
    convention: Convention | None,
) -> list[Given]:
    """The wrong gradients that the rules give where they read the person's own values."""
    wrong = [one for one in hands.values() if verdicts[one.node] != RIGHT]
    if not (wrong and reads):
        return []
    with attempted():
        sweeper = Sweeper(run, hands, None, convention)
        grads = sweeper.pushed(Change(reads=reads))
        return [one for one in wrong if one.node in grads and one.agrees(grads[one.node])]
    return []  # of another shape, which the rules can't take


def _as_flow(one: Given) -> Any:
    return one.array.astype(one.node.dtype)


def _rounding(hands: dict[Node, Given], flows: dict[Node, Any], own: Sweeper) -> dict[Node, Any]:
    """How far the gradients made of rounded ones may be off by that rounding."""
    slack = {node: np.zeros(node.shape) for node in hands}
    rounding = {n: hands[n].rounding for n in flows}
    if not any(r.any() for r in rounding.values()):
        return slack
    rng = generator("rounding of what was printed")
    for _ in range(8):
        moved = {n: flows[n] + rounding[n] * rng.choice([-1.0, 1.0], size=np.shape(flows[n])) for n in flows}
        moved = {n: v.astype(n.dtype) for n, v in moved.items()}
        there = Sweeper(own.run, hands, moved, own.convention).base.grads
        for node in hands:
            if node in there:
                slack[node] = np.maximum(slack[node], np.abs(there[node] - own.base.grads[node]))
    return {node: 1.5 * s for node, s in slack.items()}


def _wrong_rule(sweeper: Sweeper) -> tuple[Node, int] | None:
    """A rule that the program brought along and that finite differences contradict, if there is one."""
    rng = generator("rules of primitives", *(sweeper.value(leaf) for leaf in sweeper.tape if leaf.is_leaf))
    for node, into in sweeper.edges.items():
        for i in into:
            rule = node.rule.variadic or (node.rule.vjps[i] if i < len(node.rule.vjps) else None)
            if str(getattr(rule, "__module__", _OWN[0])).split(".")[0] in _OWN:
                continue
            values = [sweeper.value(a) if isinstance(a, Node) else a for a in node.operands]
            g = rng.normal(size=node.shape)
            along = rng.normal(size=np.shape(values[i]))

            def f(x: Any, node: Node = node, values: list[Any] = values, i: int = i, g: Any = g) -> Any:
                return np.sum(g * node.rule.op(*values[:i], x, *values[i + 1 :], **node.kwargs))

            with attempted() as trial:
                sent = np.asarray(sweeper.send(node, i, g), np.float64)
                contradicted = Partials(f, values[i]).agrees(along, sent, 1e-4 * np.abs(sent)) is False
            if not trial.failed and contradicted:
                return node, i
    return None


def _that_lead_on(
    report: Sentences,
    fits: list[Fit],
    left: Sequence[Given],
    lr: float | None,
    weight_decay: float | None,
    held: list[Fit],
) -> list[Fit]:
    """Of slips that can't be told apart that one from which the gradients that are left follow by another slip; all
    where none does, or where only one is known."""
    if len(fits) > 1 and sum(node.size + _RECORD for node in report.sweeper.nodes) <= _QUICK:
        for fit in fits[:_MOST_TRIED]:
            found = _with(report, left, lr, weight_decay, [*held, fit])
            if found and not found[0].slip.generic:
                return [fit]
    return fits


def _fitting(
    report: Sentences, wrong: Sequence[Given], lr: float | None, weight_decay: float | None, held: list[Fit]
) -> list[Fit]:
    """The slips that fit: by themselves, else on top of those that were found before, which change what comes after
    them; two at once only where neither is so."""
    alone = _with(report, wrong, lr, weight_decay, [])
    if held and (not alone or alone[0].times):
        above = _with(report, wrong, lr, weight_decay, held)
        if above and not above[0].slip.generic:
            return above
        alone = alone or above
    return alone


def _with(
    report: Sentences, wrong: Sequence[Given], lr: float | None, weight_decay: float | None, held: Sequence[Fit]
) -> list[Fit]:
    """The slips that fit, with the person's own gradients handed on where they are wrong, else everywhere."""
    hands = report.hands
    shaped = {n: one for n, one in hands.items() if not n.is_leaf and one.has_shape}
    only_wrong = {n: _as_flow(one) for n, one in shaped.items() if report.verdicts[n] != RIGHT}
    everywhere = {n: _as_flow(one) for n, one in shaped.items()}
    sought = {one.node: one for one in wrong}
    considered = {n: sought.get(n, one) for n, one in hands.items() if n in sought or report.verdicts[n] == RIGHT}
    beyond = "a slip on top of another one" if held else ""
    for flows in (only_wrong, everywhere) if len(everywhere) > len(only_wrong) else (only_wrong,):
        sweeper = Sweeper(report.run, considered, flows, report.convention)
        plain = sweeper.base.grads
        for fit in held:
            sweeper = sweeper.under(fit.change)
        if held and not any(_moved(plain, sweeper.base.grads, one.node) for one in wrong):
            return []
        scene = Scene(sweeper, report.words, considered, list(wrong), lr, weight_decay, report.budget)
        scene.beyond = beyond
        beyond = beyond or "a slip in rounded gradients that are handed on"
        fits = search(scene)
        if fits:
            return [fit._replace(above=tuple(held)) for fit in fits]
    return []


def _moved(plain: Mapping[Node, Any], held: Mapping[Node, Any], node: Node) -> bool:
    """Whether the slips found before change a gradient."""
    return node in plain and node in held and not np.allclose(held[node], plain[node], rtol=1e-9, atol=0.0)
