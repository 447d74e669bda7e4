"""The same slip at each step of a loop: a network in time is derived for one step, and wrong at all of them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd import Node

from ...formula import Symbol, value_symbol
from ...formula.tree import substituted
from ..pushing import Change, Edge
from ..trials import RESULT, Scene, Slip, Trial, once, slip, together, with_reads
from .derivatives import another, at_another_step, at_the_input, at_the_output, instead, missing
from .forms import Form, rule
from .formulas import NAMES, both_formulas, near_trials, where
from .loops import FEWEST, Places, grouped, places
from .parts import Edit
from .paths import path_left_out
from .products import flipped, transposed, turned_round
from .ways import added_after, missing_on_one_way, of_another_step_on_one_way, of_one_part, on_one_way

_MOST_BESIDE = 12
_CHOOSE = ("max", "min", "maximum", "minimum")
"""Whose rules compare with the result, of which another one gives 0."""
_MOST_TURNED = 64
"""In loops of so many passes the last may be taken for the first."""


class _Taken(NamedTuple):
    """What a rule reads in the place of its operand `k`."""

    edge: Edge
    k: int
    other: Node | Symbol
    mirrored: bool = False

    def value(self, scene: Scene) -> Any:
        return scene.value(self.other) if isinstance(self.other, Node) else self.other.array

    def sent(self, scene: Scene) -> Callable[[Any, Any], Any]:
        return with_reads(scene.sweeper, self.edge, self.k, self.value(scene))


@once
def _loops(scene: Scene) -> list[tuple[Places, list[Edge]]]:
    """The edges that are the same at each step, those to weights first."""

    def key(at: Places, edge: Edge) -> Any:
        return (at.of[edge[0]], edge[1]) if at.steps(edge[0]) >= FEWEST else None

    return sorted(grouped(scene, key, FEWEST), key=lambda one: not one[1][0][0].operands[one[1][0][1]].is_leaf)


def _at_each_step(name: str, trials: Callable[[Scene], Iterable[Trial]]) -> Slip:
    """A slip that is known at one place, at each step of a loop."""

    @slip(name, 1, chancy=True)
    def found(scene: Scene) -> Iterator[Trial]:
        seen = set()
        for at in places(scene):
            alike: dict[Any, list[Trial]] = defaultdict(list)
            for trial in trials(scene):
                alike[at.of[trial.node], trial.kind].append(trial)
            for some in alike.values():
                steps = tuple(trial.node for trial in some)
                if len(some) >= FEWEST and (some[0].kind, steps) not in seen:
                    seen.add((some[0].kind, steps))
                    yield together(scene, some, len(some), 1)

    return found


for _made in (
    missing, instead, at_the_input, transposed, turned_round, flipped, at_the_output, path_left_out, another,
    at_another_step, added_after, missing_on_one_way, on_one_way, of_another_step_on_one_way, of_one_part,
):  # fmt: skip
    globals()[f"each_{_made.name}_{_made.rank}"] = _at_each_step(_made.name, _made.trials)
for _kind in ("local", "factor", "value", "sign", "term", "power", "added"):
    globals()[f"each_{_kind}"] = _at_each_step(NAMES[_kind], partial(near_trials, kind=_kind))


@slip("value of another step", 0, chancy=True)
def of_another_step(scene: Scene) -> Iterator[Trial]:
    """First in what weights get, which one product tells."""
    return _in_loops(scene, partial(_with_others, of_steps=True), _with_other_inputs)


@slip("another value in the place of an operand", 1, chancy=True)
def of_the_same_step(scene: Scene) -> Iterator[Trial]:
    return _in_loops(scene, partial(_with_others, of_steps=False))


def _in_loops(
    scene: Scene, *made: Callable[[Scene, Places, Sequence[Edge]], Iterator[list[_Taken]]]
) -> Iterator[Trial]:
    for at, edges in _loops(scene):
        if scene.budget.is_spent_on("a slip at each step"):
            return
        for taken in itertools.chain.from_iterable(found(scene, at, edges) for found in made):
            weights, read = edges[0][0].operands[edges[0][1]].is_leaf, _formula(scene, taken[0].edge, taken[0].k)
            change = Change(edges={one.edge: one.sent(scene) for one in taken})
            ruled_out = weights and scene.probes is not None and scene.probes.rules_out_each(change)
            if read is not None and not ruled_out:
                yield _trial(scene, taken, change, *read)


def _trial(scene: Scene, taken: Sequence[_Taken], change: Change, form: Form, old: Symbol) -> Trial:
    other = taken[0].other
    new = value_symbol(other, scene.words, scene.value) if isinstance(other, Node) else other
    was, instead = (scene.words.say(s.node) if s.node else s.name for s in (old, new))
    others = {id(one.other) for one in taken}
    count = len(others if len(others) > 1 else taken)
    how = f"{instead} was taken in the place of {was}"
    if taken[0].mirrored:
        how = f"the steps were taken in the other order (a kernel not turned? a list read backwards?): {how}, and so"
    sentence = f"{how} at each of the {count} steps in {where(scene, form)}"
    edit = Edit("step", (), old, new, substituted(form.formula.tree, {id(old): new}))
    formulas = partial(both_formulas, scene, form, edit)
    return Trial(form.node, sentence, change, form.operand, formulas=formulas)


def _formula(scene: Scene, edge: Edge, k: int) -> tuple[Form, Symbol] | None:
    """The formula of a rule, and what stands in it for an operand; None where it does not read that."""
    form, operand = rule(scene, edge), _operand(edge[0], k)
    if form is None:
        return None
    values = (s for s in form.formula.symbols if s.kind != "gradient")
    return next(((form, s) for s in values if s.node is operand or s.array is operand), None)


def _operand(node: Node, k: int) -> Any:
    return node if k == RESULT else node.operands[k]


def _with_others(scene: Scene, at: Places, edges: Sequence[Edge], *, of_steps: bool) -> Iterator[list[_Taken]]:
    """An operand of each step, or the result, taken for the same value of a step beside, or of the loop the other way
    round, or for another one of the same step; in what weights get also for another one of a step beside."""
    model, i = middle = edges[len(edges) // 2]
    weights = model.operands[i].is_leaf
    for k in (*range(len(model.operands)), *[RESULT] * (model.op not in _CHOOSE)):
        operand = _operand(model, k)
        is_of_steps = isinstance(operand, Node) and at.steps(operand) >= FEWEST - 1
        if not is_of_steps or _formula(scene, middle, k) is None:
            continue
        own = at.of[operand]
        beside = [(p, by) for p in _beside(scene, at, operand) for by in ((0, 1, -1) if weights else (0,))]
        first = _before_the_first(scene, at, at.nodes[own][1]) if of_steps else {}
        others = at.nodes[own]
        mirrored = dict(zip(others, reversed(others.values()), strict=True))
        near = [(others, 1), ({**first, **others}, -1), *[(mirrored, 0)] * (len(others) <= _MOST_TURNED)]
        for nodes, by in near if of_steps else ((at.nodes[place], by) for place, by in beside):
            taken = [one for edge in edges if (one := _taken(scene, at, edge, k, own, nodes, by)) is not None]
            taken = [one._replace(mirrored=nodes is mirrored) for one in taken]
            if len(taken) >= FEWEST - 1:
                yield taken


def _with_other_inputs(scene: Scene, at: Places, edges: Sequence[Edge]) -> Iterator[list[_Taken]]:
    """An input of each step, an array, taken for that of the step before or after, where the loop ends the one at its
    other end, or none; or for that of the first or the last step."""
    for k in range(len(edges[0][0].operands)):
        inputs = [node.operands[k] for node, _ in edges]
        known = all(isinstance(x, np.ndarray) and x.shape == inputs[0].shape for x in inputs)
        read = _formula(scene, edges[0], k) if known else None
        if read is None:
            continue
        before, after, n = inputs[1:], inputs[:-1], len(inputs)
        ways = {
            "step before": [[*before, inputs[0]], [*before, 0 * inputs[0]]],
            "step after": [[inputs[-1], *after], [0 * inputs[-1], *after]],
        }
        ways |= {"first step": [[inputs[-1]] * n], "last step": [[inputs[0]] * n]} if n <= _MOST_TURNED else {}
        for which, others in ((which, some) for which, ways_of in ways.items() for some in ways_of):
            taken = [
                _Taken(edge, k, Symbol("constant", f"({read[1].name}, {which})", other))
                for edge, own, other in zip(edges, inputs, others, strict=True)
                if not np.array_equal(own, other)
            ]
            if len(taken) >= FEWEST - 1:
                yield taken


@once
def _users(scene: Scene) -> dict[Node, list[Edge]]:
    found: dict[Node, list[Edge]] = defaultdict(list)
    for node in scene.tape:
        for k, operand in enumerate(node.operands):
            if isinstance(operand, Node):
                found[operand].append((node, k))
    return found


def _before_the_first(scene: Scene, at: Places, node: Node) -> dict[int, Any]:
    """What the first step reads where the next ones read the value of the step before: h₀, as number 0."""
    for user, k in _users(scene)[node]:
        before = at.nodes[at.of[user]].get(at.ordinal[user] - 1)
        start = before.operands[k] if before is not None else None
        is_start = start.is_leaf if isinstance(start, Node) else isinstance(start, np.ndarray)
        if start is not None and is_start and start.shape == node.shape:
            return {0: start if isinstance(start, Node) else Symbol("constant", "its start", start)}
    return {}


def _beside(scene: Scene, at: Places, node: Node) -> list[Any]:
    """The places of other values of each step that may be taken for one: those with names, what is made of it or what
    it is made of, 1 − z for z; then the others, the nearest first."""
    index = scene.tape.index
    found = {}
    for place, nodes in at.nodes.items():
        other = nodes.get(at.ordinal[node])
        if place != at.of[node] and other is not None and other.shape == node.shape and len(nodes) == at.steps(node):
            likely = scene.words.has(other) or node in other.parents or other in node.parents
            found[place] = abs(index(other) - index(node)) + (0 if likely else len(scene.tape))
    return sorted(found, key=lambda place: found[place])[:_MOST_BESIDE]


def _taken(scene: Scene, at: Places, edge: Edge, k: int, own: Any, nodes: Mapping[int, Any], by: int) -> _Taken | None:
    """What is taken for an operand at one step; None where there is nothing, at an end of the loop."""
    operand = _operand(edge[0], k)
    known = isinstance(operand, Node) and at.of[operand] == own
    other = nodes.get((at.ordinal[operand] if known else 0) + by)
    if other is None or other.shape != np.shape(scene.value(operand)):
        return None
    taken = _Taken(edge, k, other)
    return None if np.array_equal(taken.value(scene), scene.value(operand)) else taken
