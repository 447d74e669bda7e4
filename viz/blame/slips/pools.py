"""Slips at a maximum: the gradient to every tie, to the last one, spread evenly, or to all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node
from autograd.registry import RULES
from autograd.rules import windows

from ..trials import Scene, Trial, slip

_OVER = (-2, -1)
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
            yield scene.trial((node, i), f"at the maximum {w.made(node)} the gradient {what}", fn)


Kinds = Iterator[tuple[str, Callable[[Any, Any], Any]]]


def _of_windows(scene: Scene, node: Node) -> Kinds:
    x, out = scene.value(node.operands[0]), scene.value(node)
    cells = x.shape[-1] * x.shape[-2]

    def split(g: Any) -> Any:
        return _MAX.vjps[0](g, out, x, axis=_OVER)  # type: ignore[misc]

    def mean(g: Any) -> Any:
        return windows.window_mean.rule.vjps[0](g, out, x)  # type: ignore[misc]

    def last(g: Any, c: Any) -> Any:
        return windows.window_max.rule.vjps[0](g, out, x[..., ::-1, ::-1])[..., ::-1, ::-1]  # type: ignore[misc]

    yield (
        "was sent to every tie, whole; the engine sends it to the first",
        (lambda g, c: mean(g) * cells * (split(np.ones_like(g)) != 0)),
    )
    yield "was split between the ties; the engine sends it to the first", lambda g, c: split(g)
    yield "was sent to the last of the ties; the engine sends it to the first", last
    yield "was spread evenly over the window, as if it were a mean", lambda g, c: mean(g)
    yield "was sent to all of the window, not to the maximum alone", lambda g, c: mean(g) * cells


def _of_axes(scene: Scene, node: Node) -> Kinds:
    x, out = scene.value(node.operands[0]), scene.value(node)
    options = {k: v for k, v in node.kwargs.items() if k in ("axis", "keepdims")}
    cells = x.size // max(out.size, 1)

    def mean(g: Any) -> Any:
        return _MEAN.vjps[0](g, out, x, **options)  # type: ignore[misc]

    def winners() -> Any:
        return _MAX.vjps[0](np.ones_like(out), out, x, **options) != 0  # type: ignore[misc]

    def one(g: Any, c: Any, *, last: bool) -> Any:
        hit = np.moveaxis(winners(), axes, range(len(axes)))
        flat = hit.reshape(-1, *hit.shape[len(axes) :])
        flat = flat[::-1] if last else flat
        only = flat & (np.cumsum(flat, axis=0) == 1)
        only = (only[::-1] if last else only).reshape(hit.shape)
        return mean(g) * cells * np.moveaxis(only, range(len(axes)), axes)

    axis = options.get("axis")
    axes = tuple(range(x.ndim)) if axis is None else tuple(k % x.ndim for k in (np.atleast_1d(axis)))
    yield "was sent to every tie, whole; the engine splits it between them", lambda g, c: mean(g) * cells * winners()
    yield "was sent to the first of the ties; the engine splits it", lambda g, c: one(g, c, last=False)
    yield "was sent to the last of the ties; the engine splits it", lambda g, c: one(g, c, last=True)
    yield "was spread evenly, as if it were a mean", lambda g, c: mean(g)
    yield "was sent to all, not to the maximum alone", lambda g, c: mean(g) * cells


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
                f"where {equal} at {w.made(node)}, a kink, the gradient was handed on {what}: another "
                "choice than the engine's, which is as good",
                partial(_at_ties, tie, k),
            )


def _at_ties(tie: Any, share: float, g: Any, c: Any) -> Any:
    return np.where(tie, share * g, c)
