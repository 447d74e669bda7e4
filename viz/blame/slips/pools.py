"""Slips at a maximum: the gradient to every tie, to the last one, spread evenly, or to all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd.registry import RULES

from ...plain.numbers import ordinal
from ..pushing import Edge
from ..trials import Scene, Trial, slip

_OVER = (-2, -1)
_OPTIONS = ("axis", "keepdims")
_MAX, _MEAN = RULES[np.max], RULES[np.mean]


def _maxima(scene: Scene) -> Iterator[tuple[Edge, dict[str, Any]]]:
    """The rules of maxima over windows or axes, and the options with which they are maxima over axes."""
    for node, i in scene.edges():
        if node.op == "window_max":
            yield (node, i), {"axis": _OVER}
        elif node.rule is _MAX and node.shape != node.operands[0].shape:
            yield (node, i), {k: v for k, v in node.kwargs.items() if k in _OPTIONS}


@slip("max-pool gradient", 8)
def pooled(scene: Scene) -> Iterator[Trial]:
    for (node, i), options in _maxima(scene):
        x, out = scene.value(node.operands[0]), scene.value(node)
        cells = x.size // max(out.size, 1)

        def mean(g: Any, c: Any, out: Any = out, x: Any = x, options: Any = options) -> Any:
            return _MEAN.vjps[0](g, out, x, **options)  # type: ignore[misc]

        winners = _MAX.vjps[0](np.ones_like(out), out, x, **options) != 0  # type: ignore[misc]
        over_windows = node.op == "window_max"
        engine = "sends it to the first" if over_windows else "splits it between them"
        for what, k in (
            (f"was sent to every tie, whole; the engine {engine}", cells * winners),
            (f"was spread evenly{' over the window' if over_windows else ''}, as if it were a mean", 1),
            (f"was sent to all{' of the window' if over_windows else ''}, not to the maximum alone", cells),
        ):
            sentence = f"at the maximum {scene.words.made(node)} the gradient {what}"
            yield scene.trial((node, i), sentence, partial(_times, mean, k), kind=what)


def _times(fn: Callable[[Any, Any], Any], k: Any, g: Any, c: Any) -> Any:
    return fn(g, c) * k


_AS_GOOD = "another choice than the engine's, which is as good"


@slip("gradient at a tie of several", 11, harmless=True)
def tie_of_several(scene: Scene) -> Iterator[Trial]:
    """Of a maximum over a window or an axis: to one of the ties, or split between them."""
    w = scene.words
    for (node, i), options in _maxima(scene):
        x, out = scene.value(node.operands[0]), scene.value(node)

        def split(g: Any, x: Any = x, out: Any = out, options: Any = options) -> Any:
            return _MAX.vjps[0](g, out, x, **options)  # type: ignore[misc]

        shares = split(np.ones_like(out))
        axis = options.get("axis")
        axes = tuple(range(x.ndim)) if axis is None else tuple(int(k) % x.ndim for k in np.atleast_1d(axis))
        order = _order_of_ties(shares != 0, axes)
        most = int(order.max(initial=0))
        if most < 2:
            continue
        said = f"where several are largest at {w.made(node)}, a kink, the gradient was"
        yield scene.trial((node, i), f"{said} split between them: {_AS_GOOD}", partial(_alone, split))
        counts = np.max(order, axis=axes, keepdims=True)
        for k in range(1, most + 1):
            which = f"the {'first' if k == 1 else 'last' if k == most else ordinal(k)}"
            only = order == np.minimum(k, counts)
            weight = np.divide(only, shares, out=np.zeros(shares.shape), where=shares != 0)

            def to_one(g: Any, c: Any, s: Any = split, weight: Any = weight) -> Any:
                return s(g) * weight

            yield scene.trial((node, i), f"{said} sent to {which} of them: {_AS_GOOD}", to_one)


def _alone(fn: Callable[[Any], Any], g: Any, c: Any) -> Any:
    return fn(g)


def _order_of_ties(hit: Any, axes: tuple[int, ...]) -> Any:
    """1 at the first of the largest along some axes, 2 at the second; 0 where there is another."""
    front = np.moveaxis(hit, axes, range(len(axes)))
    flat = front.reshape(-1, *front.shape[len(axes) :])
    order = (np.cumsum(flat, axis=0) * flat).reshape(front.shape)
    return np.moveaxis(order, range(len(axes)), axes)


@slip("gradient at a tie of two", 11, harmless=True)
def tie_of_two(scene: Scene) -> Iterator[Trial]:
    """maximum(x, y) and relu where the two are equal."""
    w = scene.words
    for node, i in scene.edges():
        if node.op in ("maximum", "minimum", "fmax", "fmin"):
            x, y = (scene.value(o) for o in (node.operands[i], node.operands[1 - i]))
            tie = np.broadcast_to(x == y, node.shape)
        elif node.op == "relu":
            tie = scene.value(node.operands[0]) == 0
        else:
            continue
        if not tie.any() or node.operands[i].shape != node.shape:
            continue
        equal = f"{w.say(node.operands[0])} is 0" if node.op == "relu" else "the two are equal"
        for k, what in ((1.0, "whole"), (0.0, "not at all"), (0.5, "half")):
            yield scene.trial(
                (node, i),
                f"where {equal} at {w.made(node)}, a kink, the gradient was handed on {what}: {_AS_GOOD}",
                partial(_at_ties, tie, k),
            )


def _at_ties(tie: Any, share: float, g: Any, c: Any) -> Any:
    return np.where(tie, share * g, c)
