"""Values found after one step of gradient descent: which slip in the gradients leads to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted

from ..tape.run import Run
from .fits import Fit
from .printed import Given
from .pushing import Change, Sweeper, replayed
from .report import Finding
from .search import search
from .sentences import BUT_FOR_THE_LAST_DIGITS, ENOUGH, HERE, RIGHT, Sentences
from .trials import Budget, Scene
from .words import Words

__all__ = ["after_a_step"]


class _AfterSentences(Sentences):
    def name(self, node: Node) -> str:
        return f"{self.words.say(node)} after the step"

    def unexplained(self, *some: Given) -> Finding:
        node, it = some[0].node, "it" if len(some) == 1 else "them"
        sentence = f"{self._who(some)}; none of the slips known here, in the gradients of the step, leads to {it}."
        return self._finding(HERE, sentence, some, None, node, (node,))


def after_a_step(
    run: Run,
    hands: dict[Node, Given],
    lr: float,
    engine: Mapping[Node, Any],
    words: Words,
    budget: Budget,
    findings: list[Finding],
    notes: list[str],
) -> dict[str, str]:
    """Compare values after a step, add what is found to `findings` and `notes`; the verdict on each value."""
    tape = run.tape
    parameters = [n for n in tape if n.is_leaf and n.needs_grad and n in engine]
    sweeper = Sweeper(run, parameters)

    def outcome(grads: Mapping[Node, Any]) -> dict[Node, Any] | None:
        if any(np.shape(grads[p]) != p.shape for p in parameters):
            return None
        new = {p: np.asarray(tape.value(p) - lr * grads[p]) for p in parameters}
        with attempted() as replay:
            values = replayed(sweeper.tape, Change(reads=new))
        return None if replay.failed else {node: values.get(node, tape.value(node)) for node in hands}

    right = outcome(sweeper.base.grads)
    if right is None:
        raise ValueError(f"explain_mismatch: {words.loss} can't be computed at the weights after a step of lr = {lr:g}")
    hands = {node: one.completed(right[node]) for node, one in hands.items()}
    verdicts = {node: RIGHT if one.agrees(right[node]) else HERE for node, one in hands.items()}
    wrong = [one for node, one in hands.items() if verdicts[node] == HERE]
    sentences = _AfterSentences(run, {}, engine, {}, words, budget)
    sentences.right = right
    near = [one for one in wrong if one.is_near(right[one.node])]
    findings += [sentences.rounded(one) for one in near]
    wrong = [one for one in wrong if one not in near]
    if wrong:
        fits = _found(Scene(sweeper, words, hands, wrong, lr, budget=budget, outcome=outcome))
        if not fits and sum(one.numbers.size for one in wrong) >= ENOUGH:
            loose = {one.node: one.loosened() for one in wrong}
            scene = Scene(sweeper, words, {**hands, **loose}, list(loose.values()), lr, budget=budget, outcome=outcome)
            fits = _found(scene)
            notes += [BUT_FOR_THE_LAST_DIGITS] if fits else []
        fits = [fit for fit in fits if fit.explains == fits[0].explains]
        findings += sentences.of_slips(fits)
        explained = {one.node for fit in fits for one in fit.explains}
        findings += sentences.of_no_slip([one for one in wrong if one.node not in explained])
        notes += sentences.remarks
    return {sentences.name(node): verdict for node, verdict in verdicts.items()}


def _found(scene: Scene) -> list[Fit]:
    return search(scene, deep=False) or search(scene, deep=True)
