"""Slips of sign and of factors: a minus lost, a mean against a sum, a 2 or a ½."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node
from autograd.testing.batches import constant_factor

from ..pushing import Change, Edge
from ..trials import Scene, Trial, slip, times
from .activations import written_out

_NATURAL = {2.0: "2", 0.5: "½", 4.0: "4", 0.25: "¼"}


_LESS_SAID = ("local derivative missing", "upstream gradient not multiplied in", "derivative by the other operand")
"""Where a plain sign or factor gives the numbers, too."""


def lengths(scene: Scene) -> dict[float, str]:
    """The lengths of axes, and of which."""
    found: dict[float, str] = {}
    for node in scene.tape:
        for axis, n in enumerate(node.shape):
            if n > 1:
                found.setdefault(float(n), f"the length of axis {axis} of {scene.words.say(node)}")
    return found


@slip("sign", 3, covers=_LESS_SAID)
def minus_lost(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in scene.edges():
        if node in written_out(scene):
            continue
        constant = [o for o in node.operands if not isinstance(o, Node) and np.ndim(o) == 0]
        minus = (node.op == "subtract" and i == 1) or node.op == "negative"
        minus = minus or (node.op in ("multiply", "divide") and any(o < 0 for o in constant))
        if minus:
            yield scene.trial(
                (node, i), f"the minus sign of {w.made(node)} was lost", times(-1)
            )  # fmt: skip
        if node.op == "subtract" and i == 0:
            yield scene.trial(
                (node, i),
                f"the sign is wrong, as if the difference {w.made(node)} were taken the other way round",
                times(-1),
            )


@slip("sign", 36, generic=True)
def sign(scene: Scene) -> Iterator[Trial]:
    for name, node, change in _everywhere(scene, lambda g: -g):
        ascent = "" if scene.outcome is None else ", as of gradient ascent"
        yield Trial(node, f"{name} −1 times the right one: a sign{ascent}", change)


@slip("sign", 61, generic=True, chancy=True)
def sign_of_a_contribution(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in scene.edges():
        to = node.operands[i]
        if len(scene.sweeper.into[to]) > 1:
            yield scene.trial(
                (node, i), f"the contribution to {w.gradient(to)} through {w.made(node)} has the wrong sign", times(-1)
            )


def _everywhere(scene: Scene, fn: Any) -> Iterator[tuple[str, Node, Change]]:
    wrong = scene.wrong
    if scene.outcome is not None:
        some = scene.parameters
        if len(some) > 1:
            yield "each gradient of the step is", some[0], Change(ends=dict.fromkeys(some, fn))
        for node in some:
            yield f"the gradient of {scene.words.say(node)} in the step is", node, Change(ends={node: fn})
        return
    if len(wrong) > 1:
        yield "each is", wrong[0].node, Change(ends={one.node: fn for one in wrong})
    for one in wrong:
        yield (
            ("it is" if len(wrong) == 1 else f"{scene.words.gradient(one.node)} is"),
            one.node,
            Change(ends={one.node: fn}),
        )


@slip("factor", 4, covers=_LESS_SAID)
def factor_lost(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in scene.edges():
        if node in written_out(scene):
            continue
        for k, what in _factors(scene, (node, i)):
            yield scene.trial((node, i), f"{what} at {w.made(node)}", times(k))


@slip("factor", 5)
def mean_over_examples(scene: Scene) -> Iterator[Trial]:
    """In A. Ng's convention: where dW and db, which are sums over the examples, take the 1/m."""
    ng = scene.sweeper.convention
    for node, i in scene.edges():
        if ng is not None and ng.factor(node.operands[i]) < ng.factor(node):
            for k, what in ((float(ng.m), "is missing"), (1 / ng.m, "was taken twice")):
                said = f"the factor 1/{ng.m} of dW and db in {ng.name} {what} at {scene.words.made(node)}"
                yield scene.trial((node, i), said, times(k), kind=(what, node.op), alike="sums over the examples")


def _factors(scene: Scene, edge: Edge) -> Iterator[tuple[float, str]]:
    """By how much a rule's contribution is off where a factor in it is forgotten, and what that is called."""
    node, i = edge
    operand = node.operands[i]
    per = operand.size / max(node.size, 1)
    axes = {n for n in operand.shape if n > 1}
    if node.op in ("mean", "average", "window_mean") and per > 1:
        yield per, f"a sum instead of a mean: the factor 1/{per:g} is missing"
        yield 1 / per, f"the factor 1/{per:g} of the mean was taken twice"
        for n in sorted(axes):
            if n < per:
                yield per / n, f"the mean is over {per:g} numbers, but only 1/{n} was taken"
    elif node.op == "sum" and per > 1:
        yield 1 / per, f"a mean instead of a sum: a factor 1/{per:g} too much"
        for n in sorted(axes):
            if n < per:
                yield 1 / n, f"a mean instead of a sum: a factor 1/{n} too much"
    power = 2.0 if node.op == "square" else None
    if node.op == "power" and i == 0 and np.ndim(node.operands[1]) == 0 and not isinstance(node.operands[1], Node):
        power = float(node.operands[1])
    if power is not None and power not in (0.0, 1.0):
        yield 1 / power, f"the factor {power:g} of the derivative of the power is missing"
        if power == 2.0:
            yield 2.0, "the factor 2 of the derivative of the square was taken twice"
    k = constant_factor(scene.tape, node, i)
    if k is not None and abs(k) != 1:
        said = f"{_rooted(k)}" if abs(k) >= 1 or k in (0.5, 0.25) else f"1/{_rooted(1 / k)}"
        yield 1 / k, f"the factor {said} is missing"
        yield k, f"the factor {said} was taken twice"


def _rooted(k: float) -> str:
    """A number, √3 by its square."""
    square = round(k * k)
    is_root = k > 0 and square > 1 and abs(k * k - square) < 1e-9 * square and abs(k - round(k)) > 1e-6
    return f"√{square}" if is_root else f"{k:g}"


@slip("factor", 37, generic=True)
def factor(scene: Scene) -> Iterator[Trial]:
    numbers = {**{k: (v, "") for k, v in _NATURAL.items()}}
    for length, what in lengths(scene).items():
        numbers.setdefault(length, (f"{length:g}", f", {what} (a sum against a mean?)"))
        numbers.setdefault(1 / length, (f"1/{length:g}", f", 1 over {what} (a mean against a sum?)"))
    for k, (said, why) in numbers.items():
        for sign in (1, -1):
            for name, node, change in _everywhere(scene, partial(np.multiply, sign * k)):
                signed = said if sign > 0 else f"−{said}"
                yield Trial(node, f"{name} {signed} times the right one{why}", change)


@slip("some factor", 70, generic=True)
def some_factor(scene: Scene) -> Iterator[Trial]:
    for name, node, change in _everywhere(scene, None):
        ends = list(change.ends)

        def scaled(t: float, ends: list[Node] = ends) -> Change:
            return Change(ends={n: lambda g: g * t for n in ends})

        rate = (
            partial(_rate, name, scene.lr)
            if scene.lr and scene.outcome is not None
            else f"{name} {{}} times the right one"
        )
        yield Trial(node, rate, scaled, accepts=lambda t: abs(t) > 1e-3, linear=scene.outcome is None)


def _rate(name: str, lr: float, t: float) -> str:
    return f"{name} {t:.4g} times the right one, as with a learning rate of {t * lr:.4g} instead of {lr:.4g}"


@slip("sign", 1)
def uphill(scene: Scene) -> Iterator[Trial]:
    if scene.outcome is not None:
        some = scene.parameters
        yield Trial(
            some[0],
            "the step went uphill: lr times the gradient was added to the weights, not subtracted",
            Change(ends=dict.fromkeys(some, np.negative)),
        )


@slip("step not taken", 1)
def not_taken(scene: Scene) -> Iterator[Trial]:
    """Of values after a step: some of the weights are as they were."""
    if scene.outcome is None:
        return
    some = scene.parameters
    names = [scene.words.say(node) for node in some]
    yield Trial(some[0], "the step was not taken: the weights are those before it", _kept(some))
    for k, node in enumerate(some) if len(some) > 1 else ():
        yield Trial(node, f"{names[k]} was not updated", _kept([node]))
        others = [p for p in some if p is not node]
        if len(others) > 1:
            yield Trial(node, f"{names[k]} alone was updated, the other weights were not", _kept(others))


def _kept(nodes: list[Node]) -> Change:
    return Change(ends=dict.fromkeys(nodes, np.zeros_like))
