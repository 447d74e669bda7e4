"""Values found after one step of gradient descent: which slip in the gradients leads to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
    while wrong:
        fits = _found(Scene(sweeper, words, hands, wrong, lr, budget=budget, outcome=outcome))
        if not fits and sum(one.numbers.size for one in wrong) >= ENOUGH:
            loose = {one.node: one.loosened() for one in wrong}
            scene = Scene(sweeper, words, {**hands, **loose}, list(loose.values()), lr, budget=budget, outcome=outcome)
            fits = _found(scene)
            notes += [BUT_FOR_THE_LAST_DIGITS] if fits else []
        if not fits:
            findings += sentences.of_no_slip(wrong)
            break
        fits = [fit for fit in fits if fit.explains == fits[0].explains]
        findings += sentences.of_slips(fits)
        explained = {one.node for fit in fits for one in fit.explains}
        wrong = [one for one in wrong if one.node not in explained]
        hands = {node: one for node, one in hands.items() if node not in explained}
    notes += [remark for remark in sentences.remarks if remark not in notes]
    return {sentences.name(node): verdict for node, verdict in verdicts.items()}


def _found(scene: Scene) -> list[Fit]:
    return search(scene, deep=False) or search(scene, deep=True) or _by_their_gradients(scene)


def _by_their_gradients(scene: Scene) -> list[Fit]:
    """What gives the gradients that the step was made with, which new values of parameters tell."""
    gradients = {node: one for node, one in scene.given.items() if node.is_leaf and one.has_shape}
    if any(one.node not in gradients for one in scene.wrong):
        return []
    lr = scene.lr or 1.0
    for node, one in gradients.items():
        unit = None if one.hand.unit is None else one.hand.unit / lr
        hand = one.hand._replace(array=(scene.value(node) - one.array) / lr, unit=unit)
        gradients[node] = replace(one, hand=hand)
    wrong = [gradients[one.node] for one in scene.wrong]
    other = Scene(scene.sweeper, scene.words, gradients, wrong, budget=scene.budget)
    fits = search(other, deep=False) or search(other, deep=True)
    fits = [fit for fit in fits if fit.slip.name != "some factor"]
    return [fit._replace(explains=tuple(scene.given[one.node] for one in fit.explains)) for fit in fits]
