"""Slips of sign and of factors: a minus lost, a mean against a sum, a 2 or a ½."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...plain.numbers import listed
from ..powers import VIEWS
from ..pushing import Change
from ..trials import Scene, Trial, nearest_ratio, once, slip, times
from .activations import written_out
from .edits import factor_of
from .forms import Form, is_negative, rule
from .formulas import scaled

_FRACTIONS = {0.5: "½", 0.25: "¼"}
_MEANS = ("mean", "average", "window_mean")
_SUMS = ("sum", *_MEANS)


_LESS_SAID = ("local derivative missing", "upstream gradient not multiplied in", "derivative by the other operand")
"""Where a plain sign or factor gives the numbers, too."""


@once
def counts(scene: Scene) -> dict[float, str]:
    """The numbers of numbers that the program adds up or averages, and where."""
    found: dict[float, str] = {}
    for node in scene.tape:
        if node.op in _SUMS and node.operands[0].size > node.size > 0:
            for n in (*node.operands[0].shape, node.operands[0].size // node.size):
                if n > 1:
                    found.setdefault(float(n), f"a number of those that {scene.words.made(node)} adds up")
    return found


@slip("sign", 3, covers=_LESS_SAID)
def minus_lost(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in scene.edges():
        if node in written_out(scene):
            continue
        minus = (node.op == "subtract" and i == 1) or node.op == "negative"
        if minus or is_negative(node, by_name=False):
            said, place = f"the minus sign of {w.made(node)} was lost", ("minus", w.place(node))
            yield scaled(scene, (node, i), -1, said, kind=place, alike="steps")
        if node.op == "subtract" and i == 0:
            turned = f"the sign is wrong, as if the difference {w.made(node)} were taken the other way round"
            yield scaled(scene, (node, i), -1, turned)


@slip("sign", 36, generic=True, quick=True)
def sign(scene: Scene) -> Iterator[Trial]:
    for name, node, change in _everywhere(scene, lambda g: -g):
        ascent = "" if scene.outcome is None else ", as of gradient ascent"
        yield Trial(node, f"{name} −1 times the right one: a sign{ascent}", change)


@slip("sign", 61, generic=True, chancy=True)
def sign_of_a_contribution(scene: Scene) -> Iterator[Trial]:
    return _contributions(scene, -1, "has the wrong sign")


@slip("path counted twice", 62, generic=True, chancy=True)
def path_twice(scene: Scene) -> Iterator[Trial]:
    return _contributions(scene, 2, "was added twice")


def _contributions(scene: Scene, k: float, what: str) -> Iterator[Trial]:
    """One of several contributions, times a number."""
    w = scene.words
    for node, i in scene.edges():
        to = node.operands[i]
        if len(scene.sweeper.into[to]) > 1:
            said = f"the contribution to {w.gradient(to)} through {w.made(node)} {what}"
            yield scaled(scene, (node, i), k, said)


def _everywhere(scene: Scene, fn: Any) -> Iterator[tuple[str, Node, Change]]:
    wrong = scene.wrong
    if scene.outcome is not None:
        some = scene.parameters
        if len(some) > 1:
            yield "each gradient of the step is", some[0], Change(ends=dict.fromkeys(some, fn))
        nodes = [node for node in some if any(one.node is node for one in wrong)]
        if 1 < len(nodes) < len(some):
            names = listed([scene.words.say(node) for node in nodes])
            yield f"each gradient of {names} in the step is", nodes[0], Change(ends=dict.fromkeys(nodes, fn))
        for node in some:
            yield f"the gradient of {scene.words.say(node)} in the step is", node, Change(ends={node: fn})
        return
    if len(wrong) > 1:
        yield "each is", wrong[0].node, Change(ends={one.node: fn for one in wrong})
    for one in wrong:
        name = "it is" if len(wrong) == 1 else f"{scene.words.gradient(one.node)} is"
        yield name, one.node, Change(ends={one.node: fn})


@slip("factor", 4, covers=_LESS_SAID)
def factor_lost(scene: Scene) -> Iterator[Trial]:
    """The number in a rule forgotten, taken twice, or another one in its place."""
    for edge in scene.edges():
        form = rule(scene, edge) if edge[0] not in written_out(scene) else None
        if form is not None:
            for k, what in _factors(scene, form):
                yield scaled(scene, edge, k, f"{what} at {scene.words.made(edge[0])}")
            for k, what in _of_a_mean_square(scene, form):
                yield scene.trial(edge, f"{what} at {scene.words.made(edge[0])}", times(k))


def _factors(scene: Scene, form: Form) -> Iterator[tuple[float, str]]:
    """By how much a rule's contribution is off, and what that is called."""
    node, x, k = form.node, form.target, factor_of(form.formula.tree)
    per = x.size // max(node.size, 1)
    axes = {n for n in x.shape if 1 < n < per}
    is_mean, of = node.op in _MEANS, " of the derivative of the power" * (node.op in ("power", "square"))
    if abs(k) != 1:
        said = f"1/{per}" if is_mean else _share(k)
        yield 1 / k, f"{'a sum instead of a mean: ' * is_mean}the factor {said}{of} is missing"
        yield k, f"the factor {said}{' of the mean' * is_mean}{of} was taken twice"
        beside = {per - 1} - {1} if is_mean else {round(1 / k) + 1, round(1 / k) - 1} & {*counts(scene)}
        for n in beside if abs(k) <= 0.5 else ():
            yield 1 / (k * n), f"1/{n:g} was taken in the place of the {said}{' of the mean' * is_mean}"
    for n in sorted(axes) if is_mean else ():
        yield per / n, f"the mean is over {per:g} numbers, but only 1/{n} was taken"
    for n in sorted(_lengths(scene) - axes - {per - 1, per}) if is_mean and per > 1 else ():
        yield per / n, f"the mean is over {per:g} numbers, but 1/{n} was taken"
    for n in (per, *sorted(axes)) if node.op == "sum" and per > 1 else ():
        yield 1 / n, f"a mean instead of a sum: a factor 1/{n} too much"
    if node.op == "var" and (ddof := node.kwargs.get("ddof")):
        yield (per - ddof) / per, f"1/{per:g} was taken in the place of the 1/({per:g} − {ddof:g}) of the variance"


def _of_a_mean_square(scene: Scene, form: Form) -> Iterator[tuple[float, str]]:
    """What a mean, or a number, and a power below it give together: the 2/N of a mean square."""
    share, below = factor_of(form.formula.tree), form.target
    while below.op in VIEWS or below.op == "sum" or (below.op in ("multiply", "divide") and len(_sources(below)) == 1):
        below = _sources(below)[0]
    square = rule(scene, (below, 0)) if below.op in ("power", "square") and 0 in scene.sweeper.edges[below] else None
    power = 1.0 if square is None else factor_of(square.formula.tree)
    if 1 in (power, abs(share), share * power):
        return
    said = f"{power:g} · {_share(share)}".replace(" · 1/", "/")
    if form.node.op in _MEANS:
        said += " of the mean square" if power == 2 else f" of the mean of powers of {power:g}"
    yield 1 / (share * power), f"the factor {said} is missing"
    yield share * power, f"the factor {said} was taken twice"


def _sources(node: Node) -> list[Node]:
    return [o for o in node.parents if o.needs_grad]


@slip("factor", 5)
def mean_over_examples(scene: Scene) -> Iterator[Trial]:
    """In A. Ng's convention: where dW and db, which are sums over the examples, take the 1/m."""
    ng = scene.sweeper.convention
    for node, i in scene.edges():
        if ng is not None and ng.factor(node.operands[i]) < ng.factor(node):
            for k, what in ((float(ng.m), "is missing"), (1 / ng.m, "was taken twice")):
                said = f"the factor 1/{ng.m} of dW and db in {ng.name} {what} at {scene.words.made(node)}"
                yield scaled(scene, (node, i), k, said, kind=(what, node.op), alike="sums over the examples")


@once
def _lengths(scene: Scene) -> set[int]:
    """The lengths of the axes of parameters."""
    return {n for node in scene.parameters for n in node.shape if n > 1}


def _share(k: float) -> str:
    """``1/5``, ``0.5``, ``0.6``, ``2``."""
    if abs(k) >= 1 or k in (0.5, 0.25):
        return _rooted(k)
    below = _rooted(1 / k)
    return f"1/{below}" if below[0] == "√" or abs(1 / k - round(1 / k)) < 1e-9 / abs(k) else _rooted(k)


def _rooted(k: float) -> str:
    """A number, √3 by its square, 1.42857 as 1/0.7."""
    if len(f"{k:g}") > len(below := f"1/{1 / k:g}") > 3:
        return below
    square = round(k * k)
    is_root = k > 0 and square > 1 and abs(k * k - square) < 1e-9 * square and abs(k - round(k)) > 1e-6
    return f"√{square}" if is_root else f"{k:g}"


@slip("factor", 37, generic=True, quick=True)
def factor(scene: Scene) -> Iterator[Trial]:
    """A plain factor between a gradient and the right one, whatever it comes from."""
    for name, node, change in _everywhere(scene, None):
        for k in _ratios(scene, list(change.ends)):
            said = _FRACTIONS.get(abs(k)) or (f"{abs(k):g}" if abs(k) >= 1 else f"1/{1 / abs(k):g}")
            ends = Change(ends=dict.fromkeys(change.ends, partial(np.multiply, k)))
            yield Trial(node, f"{name} {'−' if k < 0 else ''}{said} times the right one{_why(scene, node, k)}", ends)


def _why(scene: Scene, node: Node, k: float) -> str:
    """What a factor may come from: a mean that is missing or taken twice, or over all numbers for some."""
    n, m = max(abs(k), 1 / abs(k)), round(node.size * k)
    mean = next((one for one in scene.tape if _divides_by(one, n)), None)
    if mean is not None:
        how = "missing" if abs(k) > 1 else "taken twice"
        return f", as where the 1/{n:g} of {scene.words.made(mean)} is {how}"
    if 1 < m < node.size and m in node.shape and any(_divides_by(one, m) for one in scene.tape):
        those = {node.shape[-1]: f"the {m} columns", node.shape[0]: f"the {m} rows"}.get(m, str(m))
        return f", as where it is divided by all {node.size} numbers of {scene.words.say(node)} instead of {those}"
    return ""


def _divides_by(node: Node, n: float) -> bool:
    """Whether an operation is a mean of so many, or divides by that number."""
    if node.op in ("multiply", "divide"):
        return any(np.ndim(o) == 0 and o in (n, 1 / n) for o in node.operands if not isinstance(o, Node))
    return node.op in _MEANS and node.operands[0].size == n * node.size


def _ratios(scene: Scene, nodes: list[Node]) -> list[float]:
    """The plain factors that some gradients may be off by; of a step, all that are common."""
    if scene.outcome is not None:
        return [sign * k for k in (2.0, 0.5, 4.0, 0.25) for sign in (1, -1)]
    own = scene.given[nodes[0]]
    right = np.asarray(scene.sweeper.base.grads.get(nodes[0], 0.0), np.float64)
    if right.shape != own.array.shape or not own.picked(right).any():
        return []
    right = own.picked(right)
    k = nearest_ratio(float(np.sum(own.numbers * right) / np.sum(right * right)))
    return [] if k is None or abs(k) == 1 else [k]


@slip("some factor", 70, generic=True, quick=True)
def some_factor(scene: Scene) -> Iterator[Trial]:
    for name, node, change in _everywhere(scene, None):
        ends = list(change.ends)

        def scaled(t: float, ends: list[Node] = ends) -> Change:
            return Change(ends={n: lambda g: g * t for n in ends})

        rate = (
            partial(_rate, name, scene.lr)
            if scene.lr and scene.outcome is not None
            else partial(_times_the_right_one, scene, node, name)
        )
        yield Trial(node, rate, scaled, accepts=lambda t: abs(t) > 1e-3, linear=scene.outcome is None)


def _times_the_right_one(scene: Scene, node: Node, name: str, k: float) -> str:
    """With 1/32 for 0.03125, as where a mean of 32 is taken for a sum."""
    whole = round(1 / k)
    said = f"{1 if whole > 0 else '−1'}/{abs(whole)}" if abs(whole) > 1 and abs(k * whole - 1) < 1e-9 else f"{k:.4g}"
    return f"{name} {said.replace('-', '−')} times the right one{_why(scene, node, k)}"


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
