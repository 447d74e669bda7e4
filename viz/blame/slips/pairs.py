"""Two slips at once, in different terms or one after the other."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted

from ...formula.tree import Evaluator
from ..trials import Scene, Trial, once, slip
from .edits import far, near
from .forms import Form, rules
from .formulas import Candidate, edited, value_of, written
from .paths import path_left_out
from .weights import decay

_TERMS = (decay, path_left_out)
_FIRST = ("local", "factor", "value", "sign", "power", "upstream", "function", "transpose", "constant", "term")
"""Edits that come with another one, the likeliest first."""
_MOST_FIRST = 120


@slip("two slips at once", 90, generic=3, chancy=True)
def two(scene: Scene) -> Iterator[Trial]:
    """Two edits, in different terms or one after the other."""
    if scene.probes is not None and scene.wrong[0].numbers.size > 1:
        yield from _in_two_terms(scene)
        yield from _one_after_another(scene)


@once
def _singles(scene: Scene) -> list[Candidate]:
    """All edits of rules, but for names taken for others, and what they add."""
    evaluated, found, seen = Evaluator(), list[Candidate](), set[tuple[Form, bytes]]()
    for form in rules(scene):
        base = value_of(evaluated, form, form.formula.tree)
        for edit in (*near(form.formula.tree), *far(form.formula.tree)) if base is not None else ():
            value = value_of(evaluated, form, edit.tree)
            if value is not None and (form, value.tobytes()) not in seen:
                seen.add((form, value.tobytes()))
                found.append(Candidate(form, edit, [(form.target, value - base)]))
    return found


def _in_two_terms(scene: Scene) -> Iterator[Trial]:
    """Edits, terms and paths left out, of which the products add up to what it takes."""
    some: list[Candidate | Trial] = [*_singles(scene)]
    effects = set[tuple[tuple[Node, bytes], ...]]()
    added = [single.added for single in _singles(scene)]
    for trial in itertools.chain.from_iterable(entry.trials(scene) for entry in _TERMS):
        adds = scene.probes.added(trial.made()) if trial.accepts is None else None
        effect = tuple((node, delta.tobytes()) for node, delta in adds or ())
        if adds is not None and effect not in effects:
            effects.add(effect)
            some.append(trial)
            added.append(adds)
    scene.tried += len(some)
    for one, other in scene.probes.pairs(added):
        a, b = some[one], some[other]
        if not (isinstance(a, Candidate) and isinstance(b, Candidate) and a.form.edge == b.form.edge):
            yield _both_at_once(scene, a, b)


def _one_after_another(scene: Scene) -> Iterator[Trial]:
    """An edit, and another one of what is made of the gradient that it gives."""
    some = sorted((c for c in _singles(scene) if c.edit.kind in _FIRST), key=lambda c: _FIRST.index(c.edit.kind))
    by_form: dict[Form, list[Candidate]] = defaultdict(list)
    for candidate in some:
        by_form[candidate.form].append(candidate)
    index, plain = scene.tape.index, scene.sweeper.base.grads
    for first in some[:_MOST_FIRST]:
        if scene.budget.is_spent_on("two slips at once"):
            return
        with attempted() as trial:
            sweeper = scene.sweeper.under(first.form.change(first.edit.tree))
            probes = scene.probes.on(sweeper)
        if trial.failed:
            continue
        for form, edits in by_form.items():
            if index(form.node) >= index(first.form.node) or form.node not in sweeper.base.grads:
                continue
            g = sweeper.given.get(form.node, sweeper.base.grads[form.node])
            if np.array_equal(g, plain[form.node]):
                continue
            evaluated = Evaluator(form.arrived(g))
            base = value_of(evaluated, form, form.formula.tree)
            scene.tried += len(edits)
            for second in edits if base is not None else ():
                value = value_of(evaluated, form, second.edit.tree)
                if value is not None and not probes.rules_out_added([(form.target, value - base)]):
                    yield _both_at_once(scene, first, second)


def _both_at_once(scene: Scene, *both: Candidate | Trial) -> Trial:
    edits = [[written(c.form, part) if part else "" for part in (c.edit.old, c.edit.new)] for c in both
             if isinstance(c, Candidate)]  # fmt: skip
    exchanged = len(edits) == 2 and edits[0] == edits[1][::-1]
    lead = f"{edits[0][0]} and {edits[0][1]} were exchanged" if exchanged else "two slips at once"
    a, b = (edited(scene, c.form, c.edit) if isinstance(c, Candidate) else c for c in both)

    def formulas() -> tuple[str, str]:
        sides = [trial.formulas() for trial in (a, b) if trial.formulas is not None]
        return "; ".join(yours for yours, _ in sides if yours), "; ".join(right for _, right in sides if right)

    sentence = f"{lead}: {a.said()}; and {b.said()}"
    return Trial(a.node, sentence, a.made().then(b.made()), a.operand, formulas=formulas, places=2)
