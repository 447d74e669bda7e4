"""Slips at what is carried from each step of a loop to the step before: not at all, or not so far."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ..pushing import Change, Edge
from ..trials import Scene, Trial, constantly, once, slip
from .formulas import NAMES
from .loops import FEWEST, Places, grouped, places

_MOST_STEPS, _MOST_OPERATIONS = 6, 1500
"""So many steps back are tried, for tapes of so many operations."""
_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")


@once
def _edges(scene: Scene) -> list[list[Edge]]:
    """The edges from each step of a loop to the step before."""

    def key(at: Places, edge: Edge) -> Any:
        (node, i), to = edge, edge[0].operands[edge[1]]
        beside = min(at.steps(node), at.steps(to)) >= FEWEST - 1 and len(scene.sweeper.into[to]) > 1
        return (at.of[node], at.of[to], i) if beside and not to.is_leaf else None

    return [edges for _, edges in grouped(scene, key, FEWEST - 1)]


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
    few = len(scene.tape) <= _MOST_OPERATIONS and all(one.node.is_leaf for one in scene.wrong)
    for k in range(1, min(len(between), _MOST_STEPS) if few else 0):
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
    return Change(ends={node: partial(constantly, end) for node, end in total.items()})


def _cut(edges: Iterable[Edge]) -> Change:
    return Change(edges=dict.fromkeys(edges, lambda g, c: None))


@once
def _carried(scene: Scene) -> list[list[Edge]]:
    """The edges from each step in time to the step before, of each state by itself."""

    def key(at: Places, edge: Edge) -> Any:
        to = edge[0].operands[edge[1]]
        if min(at.steps(edge[0]), at.steps(to)) < FEWEST - 1 or to.is_leaf or not _is_to_the_past(edge):
            return None
        adds_up = at.of[edge[0]] == at.of[to] and len(scene.sweeper.into[to]) == 1
        return None if adds_up else (at.of[edge[0]], at.of[to], edge[1])

    return [edges for _, edges in grouped(scene, key, FEWEST - 1) if _shares_weights(scene, len(edges))]


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
    for nodes in places(scene)[0].nodes.values():
        some = [node for node in nodes.values() if node.op in ("add", "subtract") and node in grads]
        alike = len(some) >= FEWEST and all(np.array_equal(grads[node], grads[some[0]]) for node in some)
        into = scene.sweeper.into[some[-2]] if alike else []
        inside = any(w.steps(user) == w.steps(some[-1]) for user, _ in scene.sweeper.into[some[-1]]) if alike else False
        if len(into) == 1 and not inside and all(len(scene.sweeper.into[node]) == 1 for node in some[:-1]):
            sentence = f"of the {len(some)} passes of a loop that {w.made(some[-1])} adds up the {{}} alone was counted"
            first = Change(past={some[-1]: (some[0], lambda g: g)})
            yield Trial(some[-1], sentence.replace("{}", "first"), first)
            yield Trial(some[-1], sentence.replace("{}", "last"), _cut(into))


def _shares_weights(scene: Scene, count: int) -> bool:
    """Whether there are steps in time, which use the same weights, rather than layers with their own."""
    return any(len(scene.sweeper.into[leaf]) >= count for leaf in scene.parameters)
