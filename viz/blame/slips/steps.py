"""The same slip at each step of a loop: a network in time is derived for one step, and wrong at all of them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd import Node

from ...formula import Symbol, value_symbol
from ...formula.tree import substituted
from ..pushing import Change, Edge
from ..trials import RESULT, Scene, Slip, Trial, once, slip, together, with_reads
from .derivatives import another, at_the_input, at_the_output, instead, missing
from .forms import Form, rule
from .formulas import NAMES, both_formulas, near_trials, where
from .parts import Edit
from .paths import path_left_out
from .products import flipped, transposed, turned_round
from .ways import added_after, missing_on_one_way, of_another_step_on_one_way, of_one_part, on_one_way

_FEWEST = 3
_MOST_BESIDE = 12
_MOST_CARRIED, _MOST_SWEPT = 6, 1500
"""So many steps back are tried, for tapes of so many operations."""
_MOST_TURNED = 64
_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
_FAR = 6
"""So many operations from a record a parameter still tells which of several alike it is."""


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


@dataclass(frozen=True, eq=False)
class _Places:
    """Where in the program each record was made, how often, and which of them it is, counted from 1."""

    of: dict[Node, Any] = field(default_factory=dict)
    nodes: dict[Any, dict[int, Node]] = field(default_factory=dict)
    ordinal: dict[Node, int] = field(default_factory=dict)

    def add(self, place: Any, nodes: list[Node]) -> None:
        self.nodes[place] = dict(enumerate(nodes, 1))
        self.of.update(dict.fromkeys(nodes, place))
        self.ordinal.update({node: k for k, node in enumerate(nodes, 1)})

    def steps(self, node: Node) -> int:
        """How many records were made there."""
        return len(self.nodes[self.of[node]])


@once
def _places(scene: Scene) -> list[_Places]:
    """By lines of the program; and where one line makes all gates of a network in time, told apart by their weights."""
    alike: dict[Any, list[Node]] = defaultdict(list)
    for node in scene.tape:
        alike[scene.words.place(node)].append(node)
    lines, gates = _Places(), _Places()
    for place, nodes in alike.items():
        lines.add(place, nodes)
        by_weights: dict[Any, list[Node]] = defaultdict(list)
        for node in nodes:
            by_weights[_weights_near(node) if len(nodes) > _FEWEST and not node.is_leaf else None].append(node)
        told_apart = len({len(some) for some in by_weights.values()}) == 1 < len(nodes) // len(by_weights)
        for which, some in by_weights.items() if told_apart else [(None, nodes)]:
            gates.add((place, which), some)
    return [lines, gates] if len(gates.nodes) > len(lines.nodes) else [lines]


def _grouped(scene: Scene, key: Callable[[_Places, Edge], Any], fewest: int) -> Iterator[tuple[_Places, list[Edge]]]:
    """The edges that are the same at each step; all gates at once first."""
    seen = set()
    for at in _places(scene):
        groups: dict[Any, list[Edge]] = defaultdict(list)
        for edge in scene.edges():
            known_as = key(at, edge)
            if known_as is not None:
                groups[known_as].append(edge)
        for edges in groups.values():
            if len(edges) >= fewest and tuple(edges) not in seen:
                seen.add(tuple(edges))
                yield at, edges


def _weights_near(node: Node) -> frozenset[Node]:
    """The parameters that are the fewest operations before a record."""
    row = [node]
    for _ in range(_FAR):
        row = [p for n in row for p in n.parents if p.needs_grad]
        weights = frozenset(p for p in row if p.is_leaf)
        if weights:
            return weights
    return frozenset()


@once
def _edges(scene: Scene) -> list[list[Edge]]:
    """The edges from each step of a loop to the step before."""

    def key(at: _Places, edge: Edge) -> Any:
        (node, i), to = edge, edge[0].operands[edge[1]]
        beside = min(at.steps(node), at.steps(to)) >= _FEWEST - 1 and len(scene.sweeper.into[to]) > 1
        return (at.of[node], at.of[to], i) if beside and not to.is_leaf else None

    return [edges for _, edges in _grouped(scene, key, _FEWEST - 1)]


@slip("path left out", 0)
def not_carried(scene: Scene) -> Iterator[Trial]:
    w, carried = scene.words, _carried(scene)
    if len(carried) > 1:
        node, i = carried[0][0]
        states = " nor to ".join(dict.fromkeys(w.say(edges[0][0].operands[edges[0][1]]) for edges in carried))
        sentence = f"the gradient was not carried from step to step at all, neither to {states}; and so at each step"
        yield Trial(node, sentence, _cut(itertools.chain(*carried)), i)
    for edges in _edges(scene):
        node, i = edges[0]
        count, to = len({n.operands[k] for n, k in edges}), node.operands[i]
        within = w.steps(node) == w.steps(to) and all(w.ordinal(n) == w.ordinal(n.operands[k]) for n, k in edges)
        if _shares_weights(scene, count) and not within:
            sentence = (
                f"the gradient was not carried from step to step: what {w.say(to)} gets from the next step, through "
                f"{w.made(node)}, was left out; and so at each of the {count} steps"
            )
        else:
            paths = f"of the {len(scene.sweeper.into[to])} paths to {w.say(to)} the one through {w.made(node)}"
            sentence = f"{paths} was left out; and so at each of {count} such places"
        yield Trial(node, sentence, _cut(edges), i)


@slip("path left out", 34, generic=True, slow=True)
def truncated(scene: Scene) -> Iterator[Trial]:
    """Backpropagation through time that ends some steps back from each loss, or at the ends of blocks of steps."""
    carried = _carried(scene)
    steps: dict[int, list[Edge]] = defaultdict(list)
    for edge in itertools.chain(*carried):
        steps[scene.words.ordinal(edge[0].operands[edge[1]])].append(edge)
    between = [steps[k] for k in sorted(steps)]
    few = len(scene.tape) <= _MOST_SWEPT and all(one.node.is_leaf for one in scene.wrong)
    for k in range(1, min(len(between), _MOST_CARRIED) if few else 0):
        node, i = carried[0][0]
        back = f"the gradient was carried back by {k} step{'s' if k > 1 else ''} at most"
        yield Trial(node, f"{back}: backpropagation through time was truncated", partial(_within, scene, between, k), i)
        blocks = itertools.chain(*between[k :: k + 1])
        yield Trial(node, f"{back}, within blocks of {k + 1} steps: it was not carried between these", _cut(blocks), i)


def _within(scene: Scene, between: Sequence[list[Edge]], k: int) -> Change:
    """The ways of no more than k steps: of all that are cut off after every k + 1 steps, wherever that begins, one of L
    steps is left k + 1 − L times, and k − L times where it is every k."""
    total: dict[Node, Any] = dict.fromkeys((n for n in scene.parameters if n in scene.sweeper.base.grads), 0.0)
    for period, sign in ((k + 1, 1), (k, -1)):
        for first in range(period):
            grads = scene.sweeper.pushed(_cut(itertools.chain(*between[first::period])))
            total = {node: value + sign * grads[node] for node, value in total.items()}
    return Change(ends={node: lambda g, end=end: end for node, end in total.items()})  # type: ignore[misc]


def _cut(edges: Iterable[Edge]) -> Change:
    return Change(edges=dict.fromkeys(edges, lambda g, c: None))


@once
def _carried(scene: Scene) -> list[list[Edge]]:
    """The edges from each step in time to the step before, of each state by itself."""

    def key(at: _Places, edge: Edge) -> Any:
        to = edge[0].operands[edge[1]]
        if min(at.steps(edge[0]), at.steps(to)) < _FEWEST - 1 or to.is_leaf or not _is_to_the_past(edge):
            return None
        adds_up = at.of[edge[0]] == at.of[to] and len(scene.sweeper.into[to]) == 1
        return None if adds_up else (at.of[edge[0]], at.of[to], edge[1])

    return [edges for _, edges in _grouped(scene, key, _FEWEST - 1) if _shares_weights(scene, len(edges))]


def _is_to_the_past(edge: Edge) -> bool:
    """Whether a record was made of one that stands further down in the body of a loop: that of the pass before."""
    node, to = edge[0], edge[0].operands[edge[1]]
    if node.code is to.code or node.source is None or to.source is None:
        return node.lasti <= to.lasti
    within = node.code.co_name in _COMPREHENSIONS and node.code.co_qualname.startswith(to.code.co_qualname)
    return within and node.source.line <= to.source.line


@slip(NAMES["loop"], 18)
def one_pass(scene: Scene) -> Iterator[Trial]:
    """Of what a loop adds up the first or the last pass alone, as where it returns too early."""
    w, grads = scene.words, scene.sweeper.base.grads
    for nodes in _places(scene)[0].nodes.values():
        some = [node for node in nodes.values() if node.op in ("add", "subtract") and node in grads]
        alike = len(some) >= _FEWEST and all(np.array_equal(grads[node], grads[some[0]]) for node in some)
        into = scene.sweeper.into[some[-2]] if alike else []
        inside = any(w.steps(user) == w.steps(some[-1]) for user, _ in scene.sweeper.into[some[-1]]) if alike else False
        if len(into) == 1 and not inside and all(len(scene.sweeper.into[node]) == 1 for node in some[:-1]):
            sentence = f"of the {len(some)} passes of a loop that {w.made(some[-1])} adds up the {{}} alone was counted"
            first = Change(past={some[-1]: (some[0], lambda g: g)})
            yield Trial(some[-1], sentence.replace("{}", "first"), first)
            last = Change(edges={into[0]: lambda g, c: None})
            yield Trial(some[-1], sentence.replace("{}", "last"), last)


def _shares_weights(scene: Scene, count: int) -> bool:
    """Whether there are steps in time, which use the same weights, rather than layers with their own."""
    return any(len(scene.sweeper.into[leaf]) >= count for leaf in scene.parameters)


@once
def _loops(scene: Scene) -> list[tuple[_Places, list[Edge]]]:
    """The edges that are the same at each step, those to weights first."""

    def key(at: _Places, edge: Edge) -> Any:
        return (at.of[edge[0]], edge[1]) if at.steps(edge[0]) >= _FEWEST else None

    return sorted(_grouped(scene, key, _FEWEST), key=lambda one: not one[1][0][0].operands[one[1][0][1]].is_leaf)


def _at_each_step(name: str, trials: Callable[[Scene], Iterable[Trial]]) -> Slip:
    """A slip that is known at one place, at each step of a loop."""

    @slip(name, 1, chancy=True)
    def found(scene: Scene) -> Iterator[Trial]:
        seen = set()
        for at in _places(scene):
            alike: dict[Any, list[Trial]] = defaultdict(list)
            for trial in trials(scene):
                alike[at.of[trial.node], trial.kind].append(trial)
            for some in alike.values():
                steps = tuple(trial.node for trial in some)
                if len(some) >= _FEWEST and (some[0].kind, steps) not in seen:
                    seen.add((some[0].kind, steps))
                    yield together(scene, some, len(some), 1)

    return found


for _made in (
    missing, instead, at_the_input, transposed, turned_round, flipped, at_the_output, path_left_out, another,
    added_after, missing_on_one_way, on_one_way, of_another_step_on_one_way, of_one_part,
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
    scene: Scene, *made: Callable[[Scene, _Places, Sequence[Edge]], Iterator[list[_Taken]]]
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


def _with_others(scene: Scene, at: _Places, edges: Sequence[Edge], *, of_steps: bool) -> Iterator[list[_Taken]]:
    """An operand of each step, or the result, taken for the same value of a step beside, or of the loop the other way
    round, or for another one of the same step; in what weights get also for another one of a step beside."""
    model, i = middle = edges[len(edges) // 2]
    weights = model.operands[i].is_leaf
    for k in (*range(len(model.operands)), RESULT):
        operand = _operand(model, k)
        is_of_steps = isinstance(operand, Node) and at.steps(operand) >= _FEWEST - 1
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
            if len(taken) >= _FEWEST - 1:
                yield taken


def _with_other_inputs(scene: Scene, at: _Places, edges: Sequence[Edge]) -> Iterator[list[_Taken]]:
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
            if len(taken) >= _FEWEST - 1:
                yield taken


@once
def _users(scene: Scene) -> dict[Node, list[Edge]]:
    found: dict[Node, list[Edge]] = defaultdict(list)
    for node in scene.tape:
        for k, operand in enumerate(node.operands):
            if isinstance(operand, Node):
                found[operand].append((node, k))
    return found


def _before_the_first(scene: Scene, at: _Places, node: Node) -> dict[int, Any]:
    """What the first step reads where the next ones read the value of the step before: h₀, as number 0."""
    for user, k in _users(scene)[node]:
        before = at.nodes[at.of[user]].get(at.ordinal[user] - 1)
        start = before.operands[k] if before is not None else None
        is_start = start.is_leaf if isinstance(start, Node) else isinstance(start, np.ndarray)
        if start is not None and is_start and start.shape == node.shape:
            return {0: start if isinstance(start, Node) else Symbol("constant", "its start", start)}
    return {}


def _beside(scene: Scene, at: _Places, node: Node) -> list[Any]:
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


def _taken(scene: Scene, at: _Places, edge: Edge, k: int, own: Any, nodes: Mapping[int, Any], by: int) -> _Taken | None:
    """What is taken for an operand at one step; None where there is nothing, at an end of the loop."""
    operand = _operand(edge[0], k)
    known = isinstance(operand, Node) and at.of[operand] == own
    other = nodes.get((at.ordinal[operand] if known else 0) + by)
    if other is None or other.shape != np.shape(scene.value(operand)):
        return None
    taken = _Taken(edge, k, other)
    return None if np.array_equal(taken.value(scene), scene.value(operand)) else taken
