"""Slips on one of several ways, or in one of several parts, alone: at the derivative of an activation, on the way from
what its result is used for or to what it is made from; in what one operand gets from the parts of a product."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...formula.tree import Tree, evaluate
from ..pushing import Change, Edge
from ..trials import Scene, Trial, once, slip, together, with_upstream
from .activations import Activation
from .derivatives import at_other_steps
from .edits import near
from .forms import Form, activated
from .formulas import said

_MOST, _AMONG = 8, 24
"""So many parts, or values made of one, are tried; these are the likeliest among so many."""


def _ways(scene: Scene) -> Iterator[tuple[Activation, Form, Edge]]:
    for act, form in activated(scene):
        edges = [edge for edge in scene.sweeper.into[act.a] if edge in scene.sweeper.base.sent]
        for edge in edges if len(edges) > 1 else ():
            yield act, form, edge


def _past(scene: Scene, act: Activation, form: Form, edge: Edge, tree: Tree, sentence: str, *which: Any) -> Trial:
    """What comes on one way handed on past the activation, by another formula."""
    kind = (act.rule, scene.words.place(edge[0]), edge[1], *which)
    change = Change(edges={edge: lambda g, c: form.of(tree, c)}, rerouted={edge: act.z})
    return Trial(act.a, sentence, change, kind=kind, alike="steps")


@slip("bracket left out", 24, generic=True, chancy=True)
def added_after(scene: Scene) -> Iterator[Trial]:
    """What comes on one way added after the derivative of the activation, not before."""
    w = scene.words
    for act, form, edge in _ways(scene):
        sentence = (
            f"what {w.say(act.a)} gets through {w.made(edge[0])} was added after the derivative of {w.made(act.a)}, "
            "which was multiplied with the rest alone"
        )
        yield _past(scene, act, form, edge, form.upstream, sentence)


@slip("bracket put in", 24, generic=True, chancy=True)
def added_before(scene: Scene) -> Iterator[Trial]:
    """What comes on one way added before the steps of another one, not after: the gradient of a residual connection
    sent through what stands beside it."""
    w, index, into, sent = scene.words, scene.tape.index, scene.sweeper.into, scene.sweeper.base.sent
    for x in scene.sweeper.nodes:
        edges = [edge for edge in into[x] if edge in sent]
        beside = _made_of(scene, x) if len(edges) > 1 else []
        for edge, y in itertools.product(edges, beside):
            if index(x) < index(y) < index(edge[0]):
                sentence = (
                    f"what {w.say(x)} gets through {w.made(edge[0])} was added to {w.gradient(y)}, before the step "
                    f"back from {w.made(y)}, which it was sent through as well"
                )
                change = Change(edges={edge: lambda g, c: c}, rerouted={edge: y})
                yield Trial(y, sentence, change, kind=(w.place(edge[0]), w.place(y)), alike="steps")


def _made_of(scene: Scene, x: Node) -> list[Node]:
    """The values of its shape that are made of one, those with names first."""
    found, waiting = {x}, [x]
    while waiting and len(found) <= _AMONG:
        users = [node for node, _ in scene.sweeper.into[waiting.pop(0)] if node not in found]
        found.update(users)
        waiting += users
    made = (node for node in found if node is not x and node.shape == x.shape and node in scene.sweeper.base.grads)
    return sorted(made, key=lambda node: (not scene.words.has(node), scene.tape.index(node)))[:_MOST]


@slip("derivative on one way", 45, generic=True, chancy=True)
def on_one_way(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act, form, edge in _ways(scene):
        for edit in near(form.formula.tree):
            if edit.kind in ("factor", "power", "sign"):
                sentence = f"{said(scene, form, edit)}, for what comes through {w.made(edge[0])} alone"
                yield _past(scene, act, form, edge, edit.tree, sentence, edit.kind, edit.place)


@slip("value of another step", 45, generic=True, chancy=True)
def of_another_step_on_one_way(scene: Scene) -> Iterator[Trial]:
    for act, form, edge in _ways(scene):
        for by, tree, taken in at_other_steps(scene, act, form):
            sentence = f"{taken}, for what comes through {scene.words.made(edge[0])} alone"
            yield _past(scene, act, form, edge, tree, sentence, by)


@slip("activation derivative missing", 25, generic=True, chancy=True)
def missing_on_one_way(scene: Scene) -> Iterator[Trial]:
    """In what goes on to the step before, not in what the weights get; of one, and of all that it goes on from."""
    w, grads = scene.words, scene.sweeper.base.grads
    by_receiver: dict[Node, list[Trial]] = defaultdict(list)
    for act, form in activated(scene):
        alike = _by_gradient(scene)[_key(grads[act.z])]
        edges = [edge for edge in alike if edge[0] is not act.z or len(act.z.operands) > 1]
        local = evaluate(form.formula.tree, {id(form.upstream): np.ones(act.a.shape)})
        for node, i in edges if np.all(local) and not act.z.is_leaf else ():
            to = node.operands[i]
            sentence = (
                f"the derivative {act.symbol}′ of {w.made(act.a)} is missing in what {w.say(to)} gets through "
                f"{w.made(node)}: it was made of {w.gradient(act.a)}, all else of {w.gradient(act.z)}"
            )
            sent = with_upstream(scene.sweeper, (node, i), partial(_without, local))
            change = Change(edges={(node, i): sent})
            kind = (act.rule, w.place(node), i)
            yield (trial := Trial(act.a, sentence, change, kind=kind, alike="steps"))
            by_receiver[to].append(trial._replace(alike="ways"))
    for some in by_receiver.values():
        if len(some) > 1:
            yield together(scene, some, len(some), 2)._replace(kind=None)


@once
def _by_gradient(scene: Scene) -> dict[Any, list[Edge]]:
    """The rules to which a gradient comes as it is."""
    found: dict[Any, list[Edge]] = defaultdict(list)
    for node, i in scene.edges():
        found[_key(scene.sweeper.base.grads[node])].append((node, i))
    return found


def _key(g: Any) -> Any:
    return g.shape, hash(g.tobytes())


def _without(local: Any, g: Any) -> Any:
    return g / local


@slip("path left out", 17, generic=True, chancy=True)
def of_one_part(scene: Scene) -> Iterator[Trial]:
    """Of a product that is taken apart, as into gates: one operand has the gradient of one part alone, or not that."""
    w, grads = scene.words, scene.sweeper.base.grads
    users = scene.sweeper.into
    for whole in scene.sweeper.nodes:
        parts = [user for user, _ in users[whole] if user.op == "getitem" and user in grads]
        if len(parts) < len(users[whole]) or not 1 < len(parts) <= _MOST:
            continue
        for node, i in _by_gradient(scene)[_key(grads[whole])]:
            for part in parts:
                own = np.zeros(whole.shape)
                own[part.kwargs["index"]] = 1.0
                to, gradient = w.say(node.operands[i]), w.gradient(part)
                ways = (own, f"{gradient} alone"), (1 - own, f"all but {gradient}")
                for kept, how in ways[: 1 + (len(parts) > 2)]:
                    sentence = f"what {to} gets through {w.made(node)} was made of {how}"
                    sent = with_upstream(scene.sweeper, (node, i), partial(np.multiply, kept))
                    kind = w.place(whole), w.place(node), i, repr(part.kwargs["index"]), kept is own
                    yield Trial(node, sentence, Change(edges={(node, i): sent}), i, kind=kind, alike="steps")
