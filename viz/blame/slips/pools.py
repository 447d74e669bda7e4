"""Slips at a maximum: the gradient to every tie, to one of them, spread evenly, or to all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from autograd.registry import RULES

from ...plain.numbers import ordinal
from ..pushing import Edge
from ..trials import Scene, Trial, slip

_OF_TWO = ("maximum", "minimum", "fmax", "fmin", "relu")
_A_KINK = "a kink, the gradient was {}: another choice than the engine's, which is as good"
_MAX = RULES[np.max]


def _maxima(scene: Scene) -> Iterator[tuple[Edge, Any, Any]]:
    """Maxima over windows or axes: the rule, the shares of the numbers that are largest, and the axes."""
    for node, i in scene.edges():
        over_windows = node.op == "window_max"
        if over_windows or (node.rule is _MAX and node.shape != node.operands[i].shape):
            options = {"axis": (-2, -1)} if over_windows else node.kwargs
            out = scene.value(node)
            shares = _MAX.pull(np.ones_like(out), out, 0, scene.value(node.operands[i]), **options)
            yield (node, i), np.asarray(shares), options.get("axis")


def _sent(scene: Scene, edge: Edge, said: str, axis: Any, shares: Mapping[str, Any]) -> Iterator[Trial]:
    """Other shares of the gradient of a maximum along some axes."""
    for what, share in shares.items():
        shape = np.max(share, axis, keepdims=True).shape
        yield scene.trial(edge, said.replace("{}", what), partial(_times, shape, share), kind=(what, edge[1]))


def _times(shape: tuple[int, ...], share: Any, g: Any, c: Any) -> Any:
    return g.reshape(shape) * share


@slip("max-pool gradient", 8)
def pooled(scene: Scene) -> Iterator[Trial]:
    for edge, shares, axis in _maxima(scene):
        every, engine = "all", "splits it between them"
        if edge[0].op == "window_max":
            every, engine = "all of the window", "sends it to the first"
        routes = {
            f"sent to every tie, whole; the engine {engine}": shares != 0,
            f"spread evenly over {every}, as if it were a mean": np.full(shares.shape, edge[0].size / shares.size),
            f"sent to {every}, not to the maximum alone": np.ones(shares.shape),
        }
        yield from _sent(scene, edge, f"at the maximum {scene.words.made(edge[0])} the gradient was {{}}", axis, routes)


@slip("gradient at a tie of several", 11, harmless=True)
def tie_of_several(scene: Scene) -> Iterator[Trial]:
    """Of a maximum over a window or an axis: to one of the ties, or split between them."""
    for edge, shares, axis in _maxima(scene):
        largest, place = shares != 0, np.arange(shares.size).reshape(shares.shape)
        if np.count_nonzero(largest) > edge[0].size:

            def first(some: Any, place: Any = place, axis: Any = axis) -> Any:
                return place == np.min(place, axis, where=some, initial=place.size, keepdims=True)

            last = place == np.max(place, axis, where=largest, initial=-1, keepdims=True)
            ties = {"split between them": shares, "sent to the first of them": first(largest)}
            left, k = largest & ~first(largest), 2
            while (left & ~last).any():
                ties[f"sent to the {ordinal(k)} of them"] = np.where(
                    np.any(left, axis, keepdims=True), first(left), last
                )
                left, k = left & ~first(left), k + 1
            ties["sent to the last of them"] = last
            said = f"where several are largest at {scene.words.made(edge[0])}, {_A_KINK}"
            yield from _sent(scene, edge, said, axis, ties)


@slip("gradient at a tie of two", 11, harmless=True)
def tie_of_two(scene: Scene) -> Iterator[Trial]:
    """maximum(x, y) and relu where the two are equal."""
    for node, i in scene.edges():
        if node.op in _OF_TWO and node.operands[i].shape == node.shape:
            x, y = node.operands[i], 0.0 if node.op == "relu" else node.operands[1 - i]
            tie, own = scene.value(x) == scene.value(y), scene.sweeper.send(node, i, np.ones(node.shape))
            shares = {"handed on whole": 1.0, "handed on not at all": 0.0, "handed on half": 0.5} if tie.any() else {}
            kink = f"{scene.words.say(x)} is 0" if node.op == "relu" else "the two are equal"
            said = f"where {kink} at {scene.words.made(node)}, {_A_KINK}"
            yield from _sent(scene, (node, i), said, (), {what: np.where(tie, k, own) for what, k in shares.items()})
