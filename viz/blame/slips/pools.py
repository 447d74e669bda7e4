"""Slips at a maximum: the gradient to every tie, to the last one, spread evenly, or to all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node
from autograd.registry import RULES
from autograd.rules import windows

from ...plain.numbers import ordinal
from ..trials import Scene, Trial, slip

_OVER = (-2, -1)
_OPTIONS = ("axis", "keepdims")
_MAX, _MEAN = RULES[np.max], RULES[np.mean]


@slip("max-pool gradient", 8)
def pooled(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in scene.edges():
        if node.op == "window_max":
            kinds = _of_windows(scene, node)
        elif node.rule is _MAX and node.shape != node.operands[0].shape:
            kinds = _of_axes(scene, node)
        else:
            continue
        for what, fn in kinds:
            yield scene.trial((node, i), f"at the maximum {w.made(node)} the gradient {what}", fn, kind=what)


Kinds = Iterator[tuple[str, Callable[[Any, Any], Any]]]


def _of_windows(scene: Scene, node: Node) -> Kinds:
    x, out = scene.value(node.operands[0]), scene.value(node)
    cells = x.shape[-1] * x.shape[-2]

    def split(g: Any) -> Any:
        return _MAX.vjps[0](g, out, x, axis=_OVER)  # type: ignore[misc]

    def mean(g: Any) -> Any:
        return windows.window_mean.rule.vjps[0](g, out, x)  # type: ignore[misc]

    yield (
        "was sent to every tie, whole; the engine sends it to the first",
        (lambda g, c: mean(g) * cells * (split(np.ones_like(g)) != 0)),
    )
    yield "was spread evenly over the window, as if it were a mean", lambda g, c: mean(g)
    yield "was sent to all of the window, not to the maximum alone", lambda g, c: mean(g) * cells


def _of_axes(scene: Scene, node: Node) -> Kinds:
    x, out = scene.value(node.operands[0]), scene.value(node)
    options = {k: v for k, v in node.kwargs.items() if k in _OPTIONS}
    cells = x.size // max(out.size, 1)

    def mean(g: Any) -> Any:
        return _MEAN.vjps[0](g, out, x, **options)  # type: ignore[misc]

    def winners() -> Any:
        return _MAX.vjps[0](np.ones_like(out), out, x, **options) != 0  # type: ignore[misc]

    yield "was sent to every tie, whole; the engine splits it between them", lambda g, c: mean(g) * cells * winners()
    yield "was spread evenly, as if it were a mean", lambda g, c: mean(g)
    yield "was sent to all, not to the maximum alone", lambda g, c: mean(g) * cells


_AS_GOOD = "another choice than the engine's, which is as good"


@slip("gradient at a tie of several", 11, harmless=True)
def tie_of_several(scene: Scene) -> Iterator[Trial]:
    """Of a maximum over a window or an axis: to one of the ties, or split between them."""
    w = scene.words
    for node, i in scene.edges():
        over_windows = node.op == "window_max"
        if not over_windows and (node.rule is not _MAX or node.shape == node.operands[0].shape):
            continue
        x, out = scene.value(node.operands[0]), scene.value(node)
        options = {"axis": _OVER} if over_windows else {k: node.kwargs[k] for k in _OPTIONS if k in node.kwargs}

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
