"""Slips with the weights: updated before they were used, the regularisation term, a number misread."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ..pushing import Change, Edge, Sweeper
from ..trials import Scene, Trial, ended, slip, times, with_reads
from ..words import listed
from .paths import VIEWS

_READERS = frozenset({"matmul", "inner", "dot", "multiply", "tensordot", "window_product", "vecdot", "outer", "einsum"})
_MOST_NUMBERS = 256
_MOST_LAYERS = 24


def _all_at_once(scene: Scene, weights: list[Node], lr: float) -> dict[Node, Any]:
    return {n: scene.value(n) - lr * scene.gradients[n] for n in weights}


def _views(scene: Scene, values: dict[Node, Any]) -> dict[Node, Any]:
    """With the same weights seen in another shape or order, which rules read in their place."""
    found = dict(values)
    for node in scene.tape:
        if node.op in VIEWS and node.operands[0] in found:
            found[node] = np.asarray(node.rule.op(found[node.operands[0]], *node.operands[1:], **node.kwargs))
    return found


@slip("weights already updated", 5)
def updated(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    readers_of = {p: _reader(scene, p) for p in scene.parameters if p in scene.gradients}
    read = {p: e for p, e in readers_of.items() if e is not None}
    order = sorted(read, key=lambda p: -scene.tape.index(read[p][0]))
    choices = [([p], _all_at_once) for p in order]
    if 1 < len(order) <= _MOST_LAYERS:
        choices += [(order, _all_at_once), (order, _one_after_another)]
    for weights, stepped in choices:
        names = listed([w.say(p) for p in weights])
        how = ", each before the gradient went on to the layer before" if stepped is _one_after_another else ""

        def change(t: float, weights: list[Node] = weights, stepped: Any = stepped) -> Change:
            return Change(reads=_views(scene, stepped(scene, weights, t)))

        node, i = read[weights[0]]
        what = f"the backward pass used {names} already updated{how} (new = old − lr · gradient, lr = "
        rest = f"), where the values of the forward pass belong, at {w.made(node)}"
        if scene.lr is not None:
            yield Trial(node, f"{what}{scene.lr:g}{rest}", change(scene.lr), i, places=len(weights))
        else:
            yield Trial(node, f"{what}{{}}{rest}", change, i, lambda t: 1e-6 < t < 1e3, len(weights))


def _one_after_another(scene: Scene, weights: list[Node], lr: float) -> dict[Node, Any]:
    """Weights each updated with the gradient that the weights updated before it lead to, the last layer first."""
    if "to the weights" not in scene.memo:
        scene.memo["to the weights"] = Sweeper(scene.tape, scene.sweeper.seed, weights, scene.sweeper.given)
    sweeper: Sweeper = scene.memo["to the weights"]
    new: dict[Node, Any] = {}
    for node in weights:
        new[node] = scene.value(node) - lr * sweeper.pushed(Change(reads=_views(scene, new)))[node]
    return new


def _reader(scene: Scene, parameter: Node) -> Edge | None:
    """The rule, among those in question, that reads a parameter."""
    views = set(_views(scene, {parameter: scene.value(parameter)}))
    for node, i in scene.edges():
        if node.op in _READERS and any(
            o in views for k, o in enumerate(node.operands) if k != i and isinstance(o, Node)
        ):
            return node, i
    return None


@slip("stale forward values", 7)
def stale(scene: Scene) -> Iterator[Trial]:
    """All of the gradient, at weights of one step later or earlier."""
    w = scene.words
    weights = [p for p in scene.parameters if p in scene.gradients]
    if not weights:
        return

    def change(t: float) -> Change:
        start = Change(reads=_all_at_once(scene, weights, t))
        return Change(reads=scene.sweeper.replayed(start))

    names = listed([w.say(p) for p in weights[:6]]) + (" and others" if len(weights) > 6 else "")
    what = f"it is the gradient of another forward pass, at {names} "
    for sign, which in ((1, "after a step of lr = "), (-1, "before a step: a step back of lr = ")):
        if scene.lr is not None:
            yield Trial(weights[0], f"{what}{which}{scene.lr:g}", change(sign * scene.lr), places=len(weights))
    now = {p: np.asarray(h.data) for p in weights if (h := p.holder and p.holder()) is not None}
    changed = {p: v for p, v in now.items() if v.shape == p.shape and not np.array_equal(v, scene.value(p))}
    if changed:
        names = listed([w.say(p) for p in changed])
        yield Trial(
            next(iter(changed)),
            f"stale forward values: this is the gradient at the weights as they are now; {names} changed after the "
            "forward pass that the tape recorded",
            Change(reads=scene.sweeper.replayed(Change(reads=changed))),
            places=len(changed),
        )
        yield Trial(
            next(iter(changed)),
            f"stale forward values: the backward pass read {names} as they are now, the activations as the tape "
            "recorded them",
            Change(reads=_views(scene, changed)),
            places=len(changed),
        )
    if scene.lr is None:
        yield Trial(
            weights[0],
            f"{what}after a step of lr = {{}}",
            change,
            accepts=lambda t: 1e-4 < abs(t) < 10,
            places=len(weights) + 1,
        )


@slip(
    "regularisation term", 13, covers=("path left out", "shared weight at one position only", "factor", "some factor")
)
def decay(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for one in scene.wrong:
        node = one.node
        if not node.is_leaf or not one.has_shape or node.ndim == 0:
            continue
        value = np.asarray(scene.value(node), np.float64)
        for edge in scene.sweeper.into[node]:
            sent = scene.sweeper.base.sent.get(edge)
            k = None if sent is None else _ratio(sent, value)
            if k is not None:
                lam = f"{k:.4g} {w.say(node)}, at {w.made(edge[0])}"
                yield Trial(
                    edge[0],
                    f"the regularisation term of {w.say(node)} is missing: its gradient is {lam}",
                    Change(edges={edge: lambda g, c: None}),
                    edge[1],
                )
                for factor, how in ((2.0, "doubled"), (0.5, "halved (λ/2 against λ)")):
                    yield scene.trial(
                        edge,
                        f"the regularisation term of {w.say(node)} is {how}: its gradient is {lam}",
                        times(factor),
                    )
        if scene.weight_decay is not None:
            given = scene.weight_decay
            for share, how in ((1.0, "λW"), (2.0, "2λW, twice what it should be"), (0.5, "½λW, half of it")):
                yield Trial(
                    node,
                    f"yours holds a regularisation term {how} with λ = {given:g} that the loss on this tape lacks",
                    ended(node, partial(np.add, share * given * value)),
                )

    def of(t: float) -> Change:
        return Change(ends={one.node: partial(np.add, t * scene.value(one.node)) for one in scene.wrong})

    leaves = [one.node for one in scene.wrong if one.node.is_leaf]
    if leaves and len(leaves) == len(scene.wrong):
        names = ", ".join(w.say(n) for n in leaves)
        yield Trial(
            leaves[0],
            lambda t: (
                f"a regularisation term: yours is the engine's gradient {'+' if t > 0 else '−'} λ{names} with λ = "
                f"{abs(t):.4g}, which the loss on this tape does not contain"
            ),
            of,
            accepts=lambda t: t != 0,
            places=2,
        )


def _ratio(x: Any, y: Any) -> float | None:
    """k where x = k·y throughout."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    length = float(np.sum(y * y))
    if x.shape != y.shape or not length or np.count_nonzero(y) < 2:
        return None
    k = float(np.sum(x * y)) / length
    return k if k and np.allclose(x, k * y, rtol=1e-6, atol=1e-12 * float(np.abs(x).max())) else None


@slip("one number misread", 40)
def misread(scene: Scene) -> Iterator[Trial]:
    """One number of an operand read as another one."""
    w = scene.words
    left = _MOST_NUMBERS
    for node, i in scene.edges():
        if node.op not in _READERS or len(node.operands) != 2:
            continue
        k = 1 - i
        other = node.operands[k]
        if not hasattr(other, "shape") or not 2 <= np.size(scene.value(other)) <= left:
            continue
        left -= np.size(scene.value(other))
        value = np.asarray(scene.value(other), np.float64)
        name = w.operand(node, k)
        for at in np.ndindex(value.shape):
            yield Trial(
                node,
                partial(_misread, f"{name}{list(at)}", float(value[at]), w.made(node)),
                partial(_with_one_more, scene, (node, i), k, value, at),
                i,
                accepts=bool,
            )


def _misread(place: str, right: float, made: str, off: float) -> str:
    return f"one number was misread: {place}, which is {right:.6g}, was taken as {right + off:.4g}, at {made}"


def _with_one_more(scene: Scene, edge: Edge, k: int, value: Any, at: Any, off: float) -> Change:
    """One number of an operand read as another, in one rule."""
    read = value.copy()
    read[at] += off
    return Change(edges={edge: with_reads(scene.sweeper, edge, k, read)})
