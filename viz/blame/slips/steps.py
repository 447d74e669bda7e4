"""The same slip at each step of a loop: a network in time is derived for one step, and wrong at all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...formula import Symbol, value_symbol
from ...formula.tree import substituted
from ..pushing import Change, Edge
from ..trials import Scene, Slip, Trial, once, slip
from .edits import far, near
from .forms import Form, rule
from .formulas import NAMES, both_formulas, said, where
from .parts import Edit

_FEWEST = 3
_MOST_BESIDE = 12


def _edges(scene: Scene) -> Iterator[list[Edge]]:
    """The edges from each step of a loop to the step before."""
    w = scene.words
    groups: dict[Any, list[Edge]] = defaultdict(list)
    for node, i in scene.edges():
        to = node.operands[i]
        if not to.is_leaf and min(w.steps(node), w.steps(to)) >= _FEWEST - 1 and len(scene.sweeper.into[to]) > 1:
            groups[w.place(node), w.place(to), i].append((node, i))
    return iter(groups.values())


@slip("path left out", 0)
def not_carried(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for edges in _edges(scene):
        if len(edges) >= _FEWEST - 1:
            node, i = edges[0]
            count = len({n.operands[k] for n, k in edges})
            sentence = (
                f"the gradient was not carried from step to step: what {w.say(node.operands[i])} gets from the next "
                f"step, through {w.made(node)}, was left out; and so at each of the {count} steps"
            )
            yield Trial(node, sentence, Change(edges=dict.fromkeys(edges, lambda g, c: None)), i)


@once
def _loops(scene: Scene) -> list[list[Edge]]:
    """The edges that are the same at each step, those to weights first."""
    w = scene.words
    groups: dict[Any, list[Edge]] = defaultdict(list)
    for node, i in scene.edges():
        if w.steps(node) >= _FEWEST:
            into = frozenset(w.place(n) for n, _ in scene.sweeper.into[node])
            groups[w.place(node), i, into].append((node, i))
    found = [edges for edges in groups.values() if len(edges) >= _FEWEST]
    return sorted(found, key=lambda edges: not edges[0][0].operands[edges[0][1]].is_leaf)


def _forms(scene: Scene, edges: Sequence[Edge]) -> list[Form]:
    return [form for edge in edges if (form := rule(scene, edge)) is not None]


def _trial(scene: Scene, edited: Sequence[tuple[Form, Edit]], sentence: str) -> Trial:
    form, edit = edited[0]
    change = Change.all(f.change(e.tree) for f, e in edited)
    return Trial(form.node, sentence, change, form.operand, formulas=partial(both_formulas, scene, form, edit))


def _of_kind(kind: str) -> Slip:
    @slip(NAMES[kind], 1, chancy=True)
    def found(scene: Scene) -> Iterator[Trial]:
        for edges in _loops(scene):
            forms = _forms(scene, edges)
            alike: dict[Any, list[tuple[Form, Edit]]] = defaultdict(list)
            for form in forms:
                for edit in (*near(form.formula.tree), *(far(form.formula.tree) if kind == "value" else ())):
                    if edit.kind == kind:
                        alike[edit.place[:-1] if kind == "value" else edit.place].append((form, edit))
            for edited in alike.values():
                if len(edited) >= _FEWEST and len(edited) <= len(forms):
                    form, edit = edited[0]
                    yield _trial(scene, edited, f"{said(scene, form, edit)}; and so at each of the {len(edited)} steps")

    return found


for _kind in ("local", "factor", "value"):
    globals()[f"each_{_kind}"] = _of_kind(_kind)


@slip("value of another step", 0, chancy=True)
def of_another_step(scene: Scene) -> Iterator[Trial]:
    """First in what weights get, which one product tells."""
    probes = scene.probes
    for edges in _loops(scene):
        node, i = edges[0]
        weights = node.operands[i].is_leaf
        for edited in _with_others(scene, edges, nearest=not weights):
            if weights and probes is not None and probes.rules_out_added(_added(scene, edited)):
                continue
            form, edit = edited[0]
            new, old = (scene.words.say(e.node) for e in (edit.new, edit.old))  # type: ignore[union-attr]
            count = len({id(e.new) for _, e in edited})
            what = f"{new} was taken in the place of {old} at each of the {count} steps"
            yield _trial(scene, edited, f"{what} in {where(scene, form)}")


def _added(scene: Scene, edited: Sequence[tuple[Form, Edit]]) -> list[tuple[Node, Any]]:
    found = []
    for form, edit in edited:
        g = scene.sweeper.given.get(form.node, scene.sweeper.base.grads[form.node])
        found.append((form.target, form.of(edit.tree, g) - form.of(form.formula.tree, g)))
    return found


@once
def _symbols(scene: Scene) -> dict[Node, Symbol]:
    return {}


@once
def _occurrences(scene: Scene) -> dict[Any, dict[int, Node]]:
    """What the program computes again and again, by place and in order."""
    found: dict[Any, dict[int, Node]] = defaultdict(dict)
    for node in scene.tape:
        if scene.words.steps(node) >= _FEWEST - 1 and node.dtype.kind == "f":
            found[scene.words.place(node)][scene.words.ordinal(node)] = node
    return found


def _with_others(scene: Scene, edges: Sequence[Edge], *, nearest: bool) -> Iterator[list[tuple[Form, Edit]]]:
    """An operand of each step taken for the same value of a step beside, or for another one of the same step."""
    w, occurrences = scene.words, _occurrences(scene)
    model, i = edges[len(edges) // 2]
    for k, operand in enumerate(model.operands):
        if k == i or not isinstance(operand, Node) or w.steps(operand) < _FEWEST - 1:
            continue
        forms = _forms(scene, edges)
        own = w.place(operand)
        others = [p for p, nodes in occurrences.items() if p != own and len(nodes) == len(occurrences[own])]
        for place in [own, *([] if nearest else others[:_MOST_BESIDE])]:
            for by in (1, -1) if place == own else (0, 1, -1):
                edited = [e for f in forms if (e := _edited(scene, f, k, own, occurrences[place], by)) is not None]
                if len(edited) >= _FEWEST - 1:
                    yield edited


def _edited(scene: Scene, form: Form, k: int, own: Any, nodes: dict[int, Node], by: int) -> tuple[Form, Edit] | None:
    """The formula of one step with another operand; None where there is none, at an end of the loop."""
    operand = form.node.operands[k]
    known = isinstance(operand, Node) and scene.words.place(operand) == own
    node = nodes.get((scene.words.ordinal(operand) if known else 0) + by)
    values = (s for s in form.formula.symbols if s.kind != "gradient")
    old = next((s for s in values if s.node is operand or s.array is operand), None)
    if node is None or old is None or node.shape != old.shape or np.array_equal(scene.value(node), old.array):
        return None
    known_as = _symbols(scene)
    new = known_as[node] = known_as.get(node) or value_symbol(node, scene.words, scene.value)
    return form, Edit("step", (k, by), old, new, substituted(form.formula.tree, {id(old): new}))
