"""Slips where a gradient is a sum: over paths, over the uses of a shared weight, over examples or positions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np

from autograd import Node

from ...formula import Formula
from ...formula.tidy import tidied
from ...formula.tree import apply, is_call
from ...plain.numbers import listed, ordinal
from ..powers import VIEWS
from ..pushing import Change, Edge
from ..trials import Scene, Trial, slip, times, with_upstream
from .edits import times_a_number
from .forms import rule
from .formulas import both_formulas, scaled
from .parts import Edit
from .sums import one_of

_MOST = 64
_MOST_WRITTEN = 4
_MOST_OF_TWO = 8
"""Of so many paths any two may be left out."""
_MOST_ROWS = 32
_MOST_POSITIONS = 144


def _into(scene: Scene, node: Node) -> list[Edge]:
    """The rules that send to a record, in the order of the forward pass."""
    edges = [e for e in scene.sweeper.into[node] if e in scene.sweeper.base.sent]
    return sorted(edges, key=lambda e: (scene.tape.index(e[0]), e[1]))


def _fans(scene: Scene) -> Iterator[tuple[Node, list[Edge]]]:
    for node in scene.sweeper.nodes:
        edges = _into(scene, node)
        if len(edges) > 1:
            yield node, edges


def _of_some(
    scene: Scene,
    edges: list[Edge],
    kept: list[Edge],
    sentence: str,
    share: float = 1,
    at: Edge | None = None,
    **more: Any,
) -> Trial:
    """A gradient that is made of some of the contributions to it, or of a share of each."""
    changed = {edge: times(share) if edge in kept else _nothing for edge in edges if share != 1 or edge not in kept}
    formulas = partial(both_sums, scene, edges, {edge: share if edge in kept else 0 for edge in edges})
    node, i = at or (edges[0][0].operands[edges[0][1]], None)
    return Trial(node, sentence, Change(edges=changed), i, formulas=formulas, **more)


def _nothing(g: Any, c: Any) -> None:
    return None


def both_sums(scene: Scene, edges: Sequence[Edge], shares: Mapping[Edge, float]) -> tuple[str, str]:
    """The sum of shares of contributions, all where none is told, and of the contributions, where these are few."""
    forms = {edge: form for edge in edges[:_MOST_WRITTEN] if (form := rule(scene, edge)) is not None}
    if len(forms) < len(edges):
        return "", ""
    notes = tuple(dict.fromkeys(note for form in forms.values() for note in form.formula.notes))
    target, all_alike = forms[edges[0]].formula.target, len({shares.get(edge, 1) for edge in edges}) == 1

    def added(of: Mapping[Edge, float]) -> str:
        shown = {edge: 1 if all_alike else of.get(edge, 1) for edge in edges}
        trees = [times_a_number(forms[edge].formula.tree, k) for edge, k in shown.items() if k]
        tree = reduce(partial(apply, np.add), trees)
        tree = times_a_number(tree, of.get(edges[0], 1)) if all_alike else tree
        return scene.words.equation(Formula(target, tidied(tree), notes), adds=False)

    return added(shares), added({})


def _alike(edges: list[Edge]) -> bool:
    """Whether these are several uses of one thing in the same way, as of a weight that is shared."""
    return len({(n.op, i) for n, i in edges}) == 1 and edges[0][0] is not edges[1][0]


@slip("path left out", 16)
def path_left_out(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, edges in _fans(scene):
        k, alike = len(edges), _alike(edges)
        for edge in edges[:_MOST] if k > 2 or not alike else ():
            others, through = [e for e in edges if e != edge], f"the one through {w.made(edge[0])} was"
            of, kind = f"of the {k} paths to {w.say(node)}", (node.op, edge[0].op, edge[1])
            yield _of_some(scene, edges, others, f"{of} {through} left out", at=edge, kind=kind)
            if k > 2 and not alike:
                only = f"{of} only {through} followed"
                yield _of_some(scene, edges, [edge], only, at=edge, kind=("only", *kind), alike="such sums")
        for two in itertools.combinations(edges, 2) if 3 < k <= _MOST_OF_TWO and not alike else ():
            made = " and ".join(w.made(node) for node, _ in two)
            sentence = f"of the {k} paths to {w.say(node)} those through {made} were left out"
            yield _of_some(scene, edges, [e for e in edges if e not in two], sentence, at=two[0], places=2)


@slip("assigned instead of accumulated", 16)
def parts_assigned(scene: Scene) -> Iterator[Trial]:
    """The gradients of parts that overlap, x[1:] and x[:-1] or x[i] and x[j], of which each was written over the one
    before, all of it or what is not 0: part by part, or a row of each in turn."""
    w = scene.words
    for node, edges in _fans(scene):
        parts = [n for n, _ in edges]
        if any(part.op != "getitem" for part in parts):
            continue
        numbers, grads = np.arange(node.size).reshape(node.shape), scene.sweeper.base.grads
        places = np.concatenate([np.ravel(numbers[part.kwargs["index"]]) for part in parts])
        sends = np.concatenate([np.ravel(grads[part] != 0) for part in parts])
        every, ends = np.arange(places.size), np.cumsum([part.size for part in parts])
        each, seen, owner = np.split(every, ends[:-1]), set[bytes](), np.searchsorted(ends, every, side="right")
        orders = [("", each, parts), ("", each[::-1], parts[::-1])]
        if parts[0].ndim and len({part.shape[0] if part.ndim else 0 for part in parts}) == 1:
            rows = np.concatenate([one.reshape(parts[0].shape[0], -1) for one in each], axis=1)
            orders.append((" row by row", [*rows], parts))
        for (what, written), (how, order, those) in itertools.product(
            (("", every >= 0), (" where it is not 0", sends)), orders
        ):
            in_order, last = np.concatenate(order), np.zeros(node.size, int)
            in_order = in_order[written[in_order]]
            last[places[in_order]] = in_order
            lost = sends & (last[places] != every)
            changed = {
                edge: with_upstream(scene.sweeper, edge, partial(np.multiply, ~own.reshape(edge[0].shape)))
                for edge, own in zip(edges, np.split(lost, ends[:-1]), strict=True)
                if own.any()
            }
            if (owner[last[places]] != owner)[lost].any() and lost.tobytes() not in seen:
                made = listed([w.made(part) for part in those[:_MOST_WRITTEN]]) + " and others" * (
                    len(those) > _MOST_WRITTEN
                )
                sentence = (
                    f"what {w.say(node)} gets through {made} was assigned{how}{what}, so that where these overlap only "
                    f"that of the last one was kept"
                )
                yield Trial(those[0], sentence, Change(edges=changed), 0)
            seen.add(lost.tobytes())


@slip("shared weight at one position only", 14)
def one_position(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, edges in _fans(scene):
        k, used = len(edges), f"{w.say(node)} is used at {len(edges)} places, and only the"
        if not _alike(edges):
            continue
        for n, edge in enumerate(edges[:_MOST]):
            which = "first" if n == 0 else "last" if n == k - 1 else ordinal(n + 1)
            sentence = f"{used} {which} was counted, {w.made(edge[0])}; the contributions of all must be added"
            yield _of_some(scene, edges, [edge], sentence, at=edge, kind=(k, which), alike="shared weights")
        for n in range(2, k - 1) if k <= _MOST else ():
            for some, which, end in ((edges[-n:], "last", 0), (edges[:n], "first", -1)):
                sentence = f"{used} {which} {n} of them were counted, up to {w.made(some[end][0])}"
                yield _of_some(scene, edges, some, sentence, at=some[end])


@slip("shared weight averaged", 14)
def averaged(scene: Scene) -> Iterator[Trial]:
    return _averaged(scene, alike=True)


@slip("shared weight averaged", 38, generic=True)
def paths_averaged(scene: Scene) -> Iterator[Trial]:
    return _averaged(scene, alike=False)


def _averaged(scene: Scene, *, alike: bool) -> Iterator[Trial]:
    w = scene.words
    for node, edges in _fans(scene):
        apart = all(user.op == "getitem" and not user.ndim for user, _ in edges)  # p[0] and p[1]
        if _alike(edges) == alike and not apart:
            k = len(edges)
            those = f"that through {w.made(edges[0][0])} and the others"
            sentence = f"the {k} contributions to {w.say(node)} were averaged, not added: {those}"
            yield _of_some(scene, edges, edges, sentence, 1 / k, kind=k, alike="shared weights")


def _to_leaf(scene: Scene, node: Node) -> bool:
    """Whether a record is a leaf or one seen in another shape."""
    while node.op in VIEWS:
        node = node.operands[0]
    return node.is_leaf or node in scene.given


def _weight_edges(scene: Scene) -> Iterator[Edge]:
    """Rules that sum over examples or positions what they send to a parameter."""
    for node, i in scene.edges():
        operand = node.operands[i]
        examples = node.ndim > 1 or (node.ndim == 1 and node.op == "matmul" and i == 1)
        if not _to_leaf(scene, operand) or not examples or node.op in VIEWS or node.shape[0] < 2:
            continue
        if operand.size != node.size or node.op in ("matmul", "inner", "tensordot", "dot"):
            yield node, i


def _of_one(scene: Scene, edge: Edge, index: Any, sentence: str, **more: Any) -> Trial:
    """What a rule sends of one part of the gradient that arrives."""
    mask = np.zeros(edge[0].shape)
    mask[index] = 1
    return scene.trial(edge, sentence, with_upstream(scene.sweeper, edge, partial(np.multiply, mask)), **more)


@slip("one example of the batch only", 18)
def one_example(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in _weight_edges(scene):
        batch = node.shape[0]
        for k in sorted({*range(min(batch, _MOST_ROWS)), batch - 1}):
            which = "the last" if k == batch - 1 else "the first" if k == 0 else f"row {k}, counting from 0,"
            sentence = (
                f"{w.say(node.operands[i])} got the contribution of one example only, {which} of {batch} in the batch, "
                f"at {w.made(node)}; those of all must be added"
            )
            formulas = partial(_both_of_one, scene, (node, i), k)
            yield _of_one(scene, (node, i), k, sentence, kind=(batch, k), alike="parameters", formulas=formulas)


def _both_of_one(scene: Scene, edge: Edge, k: int) -> tuple[str, str]:
    form = rule(scene, edge)
    tree = form.formula.tree if form is not None else None
    if form is None or not is_call(tree, np.sum, np.matmul) or any(a.ndim != 2 for a in tree.args):
        return "", ""
    one = one_of(tree, k)
    return both_formulas(scene, form, Edit("loop", (k,), tree, one, one))


def _shared_kernels(scene: Scene) -> Iterator[tuple[Edge, str, list[tuple[int, ...]]]]:
    """The rules of kernels and their biases, what these are called, and the positions that they are used at."""
    for node, i in scene.edges():
        shared = node.op == "window_product" and i == 1
        shared = shared or (node.op == "add" and node.ndim == 4 and node.operands[i].size == node.shape[1] > 0)
        if shared and node.ndim == 4 and node.shape[2] * node.shape[3] > 1:
            kernel = node.operands[i]
            while kernel.op in VIEWS:
                kernel = kernel.operands[0]
            yield (node, i), scene.words.say(kernel), list(np.ndindex(node.shape[2:]))


@slip("shared kernel at one position only", 14)
def one_window(scene: Scene) -> Iterator[Trial]:
    for (node, i), name, positions in _shared_kernels(scene):
        for at in sorted({*positions[:_MOST_POSITIONS], positions[-1]}):
            sentence = (
                f"{name} is shared by {len(positions)} positions, and only that of {list(at)} was counted at "
                f"{scene.words.made(node)}: the contributions of all must be added"
            )
            yield _of_one(scene, (node, i), (slice(None), slice(None), *at), sentence)


@slip("shared kernel averaged", 14)
def averaged_windows(scene: Scene) -> Iterator[Trial]:
    for (node, i), name, positions in _shared_kernels(scene):
        sentence = (
            f"the contributions to {name} of the {len(positions)} positions it is used at were averaged, not added, at "
            f"{scene.words.made(node)}"
        )
        yield scaled(scene, (node, i), 1 / len(positions), sentence)
