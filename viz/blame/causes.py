"""The slips that explain wrong gradients: one, or one after another, each on top of those that were found before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from .fits import TWO, Fit
from .printed import Given
from .pushing import Change, Sweeper
from .report import Finding
from .search import explained as explained_by
from .search import search
from .sentences import BUT_FOR_THE_LAST_DIGITS, ENOUGH, RIGHT, Sentences
from .slips.weights import updated_as_well
from .trials import Scene, constantly, ended

__all__ = ["by_slips"]

_QUICK, _RECORD = 1_000_000, 2_000
"""Of no more numbers, with as many counted for a record of any size, several searches are made."""
_FOR_EDITS = 0.3
"""This part of the time is kept for small edits of formulas, but for"""
_LONG = 400
"""records of more operations, where loops take it."""
_FOR_BOTH = 0.6
"""And this for slips on top of those that were found before."""
_MORE_DIGITS = 2.0
"""So many more must agree where right gradients are left out of account."""
_FEW_PARTS = 4
"""Another formula with no more new parts stands before a number that was solved for."""
_MOST_TRIED = 4
"""So many slips that can't be told apart are tried as what later gradients follow from."""


def by_slips(
    report: Sentences, left: list[Given], lr: float | None, weight_decay: float | None
) -> tuple[list[Finding], list[str]]:
    """What is found of wrong gradients, and remarks on it."""
    findings: list[Finding] = []
    notes: list[str] = []
    order = {node: k for k, node in enumerate(report.hands)}
    found: list[list[Fit]] = []
    while left:
        held = [fits[0] for fits in found]
        following = _following(report, left, held) if len(held) > 1 else []
        findings += [report.follows(one, held) for one in following]
        left = [one for one in left if one not in following]
        if not left:
            break
        fits = _fitting(report, left, lr, weight_decay, held)
        near = [one for one in left if one.is_near(report.engine[one.node])]
        if near and all(fit.solved is not None for fit in fits):
            findings += [report.rounded(one) for one in near]
            left = [one for one in left if one not in near]
            continue
        loosened = [one.loosened() for one in left]
        if not fits and sum(one.numbers.size for one in left) >= ENOUGH and loosened != left:
            fits = _fitting(report, loosened, lr, weight_decay, held)
            if fits:
                notes.append(BUT_FOR_THE_LAST_DIGITS)
        if all(fit.slip.name == "some factor" or _is_of_one(fit) for fit in fits):
            fits = _in_one_alone(report, left, lr, weight_decay) or fits
        explained = min((f.explains for f in fits), key=lambda some: order[some[0].node]) if fits else ()
        if not explained:
            findings += report.of_no_slip(left)
            break
        fits = [f for f in fits if f.explains == explained]
        done = {one.node for one in explained}
        left = [one for one in left if one.node not in done]
        if left:
            fits = _that_lead_on(report, fits, left, lr, weight_decay, held)
        whole = _of_all(report, fits, [one for before in held for one in before.explains], lr, weight_decay)
        found = [whole] if whole else [*found, fits]
    return [*findings, *(finding for fits in found for finding in report.of_slips(fits))], notes


def _in_one_alone(report: Sentences, left: Sequence[Given], lr: float | None, weight_decay: float | None) -> list[Fit]:
    """A slip on the way to one gradient, at a step that others, which have it right, come through as well."""
    beyond = "a slip on the way to one gradient alone"
    for one in left if len(report.hands) > 1 else ():
        if report.budget.is_spent_on(beyond):
            break
        scene = _scene(report, {one.node: one}, [one], lr, weight_decay, _handed_on(report), [])
        if scene is not None:
            scene.beyond, scene.more_digits = beyond, _MORE_DIGITS
            for deep in (False, True):
                found = [fit for fit in search(scene, deep=deep, larger=False) if fit.solved is None and not fit.times]
                if found:
                    return [fit._replace(scaled=_ending(scene, fit, one.node), alone=True) for fit in found]
    return []


def _is_of_one(fit: Fit) -> bool:
    """Whether two slips, or another formula, explain one gradient alone."""
    return fit.slip.generic == TWO and (fit.slip.name != "another formula" or len(fit.explains) == 1)


def _ending(scene: Scene, fit: Fit, node: Node) -> Change:
    """What a slip makes of one gradient, and of no other."""
    return ended(node, partial(constantly, scene.sweeper.pushed(fit.change)[node]))


def _following(report: Sentences, left: Sequence[Given], held: Sequence[Fit]) -> list[Given]:
    """The gradients that the slips found before give together."""
    grads = report.sweeper.under(Change.all(fit.change for fit in held)).base.grads
    return [one for one in left if one.node in grads and one.agrees(grads[one.node])]


def _of_all(
    report: Sentences, fits: list[Fit], before: list[Given], lr: float | None, weight_decay: float | None
) -> list[Fit]:
    """Those slips that give what was explained before, too: one mistake is likelier than several."""
    every = [*before, *fits[0].explains]
    if not before or fits[0].above:
        return []
    scene = _scene(report, _considered(report, every), every, lr, weight_decay, _handed_on(report), [])
    if scene is None:
        return []
    whole = [fit for fit in fits if len(explained_by(scene, partial(getattr, fit, "change"))) == len(every)]
    return [fit._replace(explains=tuple(every)) for fit in whole]


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
            found = _with(report, left, lr, weight_decay, [*held, fit], deep=False)
            if found and not found[0].slip.generic:
                return [fit]
    return fits


def _fitting(
    report: Sentences, wrong: Sequence[Given], lr: float | None, weight_decay: float | None, held: list[Fit]
) -> list[Fit]:
    """The slips that fit: by themselves, else on top of those that were found before, which change what comes after
    them; two at once only where neither is so."""
    alone: list[Fit] = []
    for deep in (False, True):
        later = 0.0 if deep or len(report.tape) > _LONG else _FOR_EDITS
        if all(fit.solved is not None for fit in alone):
            report.budget.hold_back(max(later, (_FOR_EDITS if deep else _FOR_BOTH) if held else 0.0))
            larger = not alone or bool(alone[0].slip.generic)
            some = _with(report, wrong, lr, weight_decay, [], deep=deep, larger=larger)
            if some and alone:  # two slips at once do not stand before one with a number that is no factor
                short = some[0].trial.places <= _FEW_PARTS
                by_one = some[0].slip.generic < TWO or (alone[0].slip.generic and short)
                says_more = by_one and not some[0].trial.free and len(some[0].explains) >= len(alone[0].explains)
                some = some if says_more else alone
            alone = some or alone
        report.budget.hold_back(later)
        if held and (not alone or alone[0].times):
            above = _with(report, wrong, lr, weight_decay, held, deep=deep)
            if above and not above[0].slip.generic:
                return above
            alone = alone or above
    return alone


def _with(
    report: Sentences,
    wrong: Sequence[Given],
    lr: float | None,
    weight_decay: float | None,
    held: Sequence[Fit],
    *,
    deep: bool,
    larger: bool = True,
) -> list[Fit]:
    """The slips that fit, with the person's own gradients handed on where they are wrong, else everywhere."""
    only_wrong, everywhere = _handed_on(report), _handed_on(report, everywhere=True)
    considered = _considered(report, wrong) | {one.node: one for fit in held for one in fit.explains}
    beyond = "a slip on top of another one" if held else ""
    for flows in (only_wrong, everywhere) if len(everywhere) > len(only_wrong) else (only_wrong,):
        known_as = tuple(map(id, wrong)), tuple(map(id, held)), flows is everywhere
        if known_as not in report.scenes:
            made = _scene(report, considered, wrong, lr, weight_decay, flows, held)
            report.scenes[known_as] = made, (*wrong, *held)
        scene, _ = report.scenes[known_as]
        if scene is None:
            return []
        scene.beyond = beyond
        beyond = beyond or "a slip in rounded gradients that are handed on"
        fits = search(scene, deep=deep, larger=larger)
        early = next((fit for fit in held if fit.slip.name == "weights already updated" and fit.solved), None)
        if not fits and early is not None and early.solved:
            more = updated_as_well(scene, early.solved, [one.node for one in wrong])
            if more is not None:
                scene = replace(scene, sweeper=scene.sweeper.under(more.made()), found={}, beyond=beyond)
                held = [*held, early._replace(trial=more, explains=(), solved=None)]
                fits = search(scene, deep=deep)
        if fits:
            return [fit._replace(above=tuple(held)) for fit in fits]
    return []


def _handed_on(report: Sentences, *, everywhere: bool = False) -> dict[Node, Any]:
    """The person's own gradients that are handed on: those that are wrong, or all."""
    shaped = {n: one for n, one in report.hands.items() if not n.is_leaf and one.has_shape}
    return {n: one.flow for n, one in shaped.items() if everywhere or report.verdicts[n] != RIGHT}


def _considered(report: Sentences, wrong: Sequence[Given]) -> dict[Node, Given]:
    """What is compared: the gradients that are sought, and those that are right."""
    sought = {one.node: one for one in wrong}
    some = {n: sought.get(n, one) for n, one in report.hands.items()}
    return {n: one for n, one in some.items() if n in sought or report.verdicts[n] == RIGHT}


def _scene(
    report: Sentences,
    considered: dict[Node, Given],
    wrong: Sequence[Given],
    lr: float | None,
    weight_decay: float | None,
    flows: Mapping[Node, Any],
    held: Sequence[Fit],
) -> Scene | None:
    """What slips are tried on, on top of others; None where these change nothing that is sought."""
    sweeper = Sweeper(report.run, report.hands, flows, report.convention)
    plain = sweeper.base.grads
    for fit in held:
        sweeper = sweeper.under(fit.change)
    if held and not any(_moved(plain, sweeper.base.grads, one.node) for one in wrong):
        return None
    return Scene(sweeper, report.words, considered, list(wrong), lr, weight_decay, report.budget)


def _moved(plain: Mapping[Node, Any], held: Mapping[Node, Any], node: Node) -> bool:
    """Whether the slips found before change a gradient."""
    return node in plain and node in held and not np.allclose(held[node], plain[node], rtol=1e-9, atol=0.0)
