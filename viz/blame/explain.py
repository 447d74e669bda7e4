"""Where a hand-derived gradient went wrong: the first wrong step, and the slip that gives its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Node, Tape

from ..arguments import seed_of, tape_of
from .after import after_a_step
from .printed import Given, given
from .pushing import Sweeper
from .report import Finding, Mismatch
from .search import Fit, search
from .sentences import BUT_FOR_THE_LAST_DIGITS, ENOUGH, HERE, INHERITED, RIGHT, Sentences, made_of
from .trials import Scene
from .words import Words

__all__ = ["explain_mismatch"]


def explain_mismatch(
    loss: Any,
    hand: Mapping[Any, Any],
    *,
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
    loss : Tensor or Tape
        What gradients are of: a scalar, unless `grad` is given.
    hand : dict
        ``{W1: dW1, "z⁽²⁾": dz2}``: the gradients, of parameters and of intermediates, by Tensor or by name. Arrays,
        nested lists, or numbers as they were printed: ``"0.0127"`` or `decimal.Decimal` are compared to the digits
        that they have; so are floats that have few.
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
        If a gradient is ragged or holds NaN, is of something that is not on the tape or has no gradient; or if `loss`
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
    tape = tape_of(loss, "explain_mismatch")
    seed = seed_of(tape, grad, "explain_mismatch")
    engine, noise = _engine(tape, seed)
    hands = given(tape, hand, noise, rtol, atol, empty=after is not None)
    words = Words(tape)
    for node in hands:
        if node not in engine:
            raise ValueError(
                f"explain_mismatch: no gradient reaches {words.say(node)}: an operation without a derivative stands "
                f"between it and {words.loss}"
            )
    verdicts = _verdicts(tape, seed, hands, engine)
    wrong = [one for one in hands.values() if verdicts[one.node] == HERE]
    report = Sentences(tape, seed, hands, engine, verdicts, words)
    findings: list[Finding] = []
    notes: list[str] = []
    left = wrong
    order = {node: k for k, node in enumerate(hands)}
    while left:
        fits, complete = _fitting(report, left, lr, weight_decay)
        if not complete:
            notes.append("Not every slip was tried at every place: the computation is large.")
        near = [one for one in left if one.is_near(engine[one.node])]
        if near and all(fit.solved is not None for fit in fits):
            findings += [report.rounded(one) for one in near]
            left = [one for one in left if one not in near]
            continue
        loosened = [one.loosened() for one in left]
        if not fits and sum(one.array.size for one in left) >= ENOUGH and loosened != left:
            fits, _ = _fitting(report, loosened, lr, weight_decay)
            if fits:
                notes.append(BUT_FOR_THE_LAST_DIGITS)
        explained = min((f.explains for f in fits), key=lambda some: order[some[0].node]) if fits else ()
        if not explained:
            findings += [report.unexplained(one) for one in left]
            break
        findings += report.of_slips([f for f in fits if f.explains == explained])
        done = {one.node for one in explained}
        left = [one for one in left if one.node not in done]
    findings += [report.inherited(one) for one in hands.values() if verdicts[one.node] == INHERITED]
    place = {words.gradient(node): k for node, k in order.items()}
    findings.sort(key=lambda f: (f.verdict == INHERITED, min(place[name] for name in f.gradients)))
    notes += report.remarks
    named = {words.gradient(node): verdicts[node] for node in hands}
    if after is not None:
        if lr is None:
            raise ValueError("explain_mismatch: after= needs the learning rate of the step, lr=")
        named |= after_a_step(tape, seed, after, lr, (rtol, atol), engine, words, findings, notes)
    return Mismatch(named, findings, list(dict.fromkeys(notes)))


def _engine(tape: Tape, seed: Any) -> tuple[dict[Node, Any], dict[Node, float]]:
    """The engine's gradients; and how much of each is rounding, where large numbers cancel."""
    grads: dict[Node, Any] = {}
    noise: dict[Node, float] = {}
    for step in tape.steps(seed):
        grads[step.node] = np.asarray(step.grad)
        size = 32 * float(np.finfo(step.node.dtype).eps) * float(np.abs(step.grad).max(initial=0.0))
        for contribution in step.contributions:
            noise[contribution.node] = max(noise.get(contribution.node, 0.0), size)
    return grads, noise


def _verdicts(tape: Tape, seed: Any, hands: dict[Node, Given], engine: Mapping[Node, Any]) -> dict[Node, str]:
    """Right, wrong here, or inherited, for each gradient handed in."""
    flows = {n: _as_flow(one) for n, one in hands.items() if not n.is_leaf and one.has_shape}
    own = Sweeper(tape, seed, hands, flows)
    slack = _rounding(tape, seed, hands, flows, own)
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


def _as_flow(one: Given) -> Any:
    return one.array.astype(one.node.dtype)


def _rounding(tape: Tape, seed: Any, hands: dict[Node, Given], flows: dict[Node, Any], own: Sweeper) -> dict[Node, Any]:
    """How far the gradients made of rounded ones may be off by that rounding."""
    slack = {node: np.zeros(node.shape) for node in hands}
    rounding = {n: hands[n].rounding for n in flows}
    if not any(r.any() for r in rounding.values()):
        return slack
    rng = np.random.default_rng(0)
    for _ in range(8):
        moved = {n: flows[n] + rounding[n] * rng.choice([-1.0, 1.0], size=np.shape(flows[n])) for n in flows}
        there = Sweeper(tape, seed, hands, {n: v.astype(n.dtype) for n, v in moved.items()}).base.grads
        for node in hands:
            if node in there:
                slack[node] = np.maximum(slack[node], np.abs(there[node] - own.base.grads[node]))
    return {node: 1.5 * s for node, s in slack.items()}


def _fitting(
    report: Sentences, wrong: Sequence[Given], lr: float | None, weight_decay: float | None
) -> tuple[list[Fit], bool]:
    """The slips that fit, with the person's own gradients handed on where they are wrong, else everywhere."""
    complete = True
    hands = report.hands
    shaped = {n: one for n, one in hands.items() if not n.is_leaf and one.has_shape}
    only_wrong = {n: _as_flow(one) for n, one in shaped.items() if report.verdicts[n] != RIGHT}
    everywhere = {n: _as_flow(one) for n, one in shaped.items()}
    sought = {one.node: one for one in wrong}
    considered = {n: sought.get(n, one) for n, one in hands.items() if n in sought or report.verdicts[n] == RIGHT}
    for flows in (only_wrong, everywhere) if len(everywhere) > len(only_wrong) else (only_wrong,):
        sweeper = Sweeper(report.tape, report.seed, considered, flows)
        scene = Scene(sweeper, report.words, considered, list(wrong), lr, weight_decay)
        fits, whole = search(scene)
        complete = complete and whole
        if fits:
            return fits, complete
    return [], complete
