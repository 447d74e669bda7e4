"""Slips at an activation: its derivative missing, doubled, at the wrong value, of another function, as if diagonal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from autograd import Node, Tape, Tensor, enable_grad
from autograd.forward import record
from autograd.registry import RULES, Rule
from autograd.rules import elementwise, reductions

from ...formula import backward
from ...tape.names import Names
from ..pushing import Change
from ..trials import Scene, Trial, handed_on, once, slip

SIGMOID, RELU, TANH = elementwise.sigmoid.rule, elementwise.relu.rule, RULES[np.tanh]
SOFTMAX, LOG_SOFTMAX = reductions.softmax.rule, reductions.log_softmax.rule
_SYMBOLS = {SIGMOID: "σ", TANH: "tanh", RELU: "ReLU", SOFTMAX: "softmax", LOG_SOFTMAX: "log-softmax"}
_ALONG_AXES = (SOFTMAX, LOG_SOFTMAX)
_SMOOTH = frozenset(
    RULES[fn]
    for fn in (
        np.exp, np.log, np.log1p, np.expm1, np.sin, np.cos, np.tan, np.arctan, np.sinh, np.cosh, np.sqrt, np.square,
        np.reciprocal, np.absolute,
    )
)  # fmt: skip
_ELEMENTWISE = frozenset({"sum", "max", "amax", "where", "clip", "reshape", "expand_dims"})
_ENDS_OF_NUMBERS = frozenset({"divide", "reciprocal", "maximum", "where"})
_ENDS = _ENDS_OF_NUMBERS | {"multiply", "clip", "subtract", "log"}
"""What an activation that is written out may end with."""
_MOST = 10


class Activation(NamedTuple):
    """A value `a` that is a function of `z` alone; by one operation, or by several that the program wrote out."""

    a: Node
    z: Node
    rule: Rule
    options: dict[str, Any]

    @property
    def symbol(self) -> str:
        """``σ``."""
        return _SYMBOLS.get(self.rule) or str(self.rule.name)

    def pull(self, g: Any, out: Any, x: Any, rule: Rule | None = None) -> Any:
        """The derivative rule, with these for the output and the operand."""
        rule = rule or self.rule
        options = self.options if rule is self.rule else {}
        with np.errstate(all="ignore"):
            return rule.vjps[0](np.asarray(g), np.asarray(out), np.asarray(x), **options)  # type: ignore[misc]


def activations(scene: Scene) -> list[Activation]:
    """The activations that the gradients in question pass through, the last first."""
    grads, edges = scene.sweeper.base.grads, scene.sweeper.edges
    return [act for act in all_activations(scene) if act.a in grads and edges.get(act.a)]


def all_activations(scene: Scene) -> list[Activation]:
    """The activations of the whole tape, the last first."""
    return _found(scene)[0]


def written_out(scene: Scene) -> set[Node]:
    """The operations that activations are written out in."""
    return _found(scene)[1]


@once
def _found(scene: Scene) -> tuple[list[Activation], set[Node]]:
    found: list[Activation] = []
    inside: set[Node] = set()
    for node in reversed(scene.tape.nodes):
        if node in inside or node.is_leaf or not node.needs_grad:
            continue
        if node.rule in _SYMBOLS:
            found.append(Activation(node, node.operands[0], node.rule, node.kwargs))
            continue
        written, parts = _written_out(scene, node)
        if written is not None:
            found.append(written)
            inside |= {node, *parts}
        elif node.rule in _SMOOTH:
            found.append(Activation(node, node.operands[0], node.rule, node.kwargs))
    return found, inside


def _written_out(scene: Scene, a: Node) -> tuple[Activation | None, set[Node]]:
    """An activation that ends with `a`, if a few elementwise operations before it are one of those known here."""
    if a.op not in (_ENDS if a.size > 1 else _ENDS_OF_NUMBERS):
        return None, set()
    region = _region(a)
    for z in sorted(region, key=scene.tape.index, reverse=True):
        if z is a or z.shape != a.shape or not z.needs_grad:
            continue
        parts = _between(a, z, region)
        if parts is None:
            continue
        value, x = scene.value(a), scene.value(z)
        for rule in _SYMBOLS:
            for options in [{"axis": k} for k in range(-1, -a.ndim - 1, -1)] if rule in _ALONG_AXES else [{}]:
                if rule is RELU and (x > 0).all():
                    continue
                with np.errstate(all="ignore"):
                    same = _same(rule, x, options, value)
                if same:
                    if rule in _ALONG_AXES:
                        z = _before_the_shift(scene, a, z, rule, options)
                        parts = _between(a, z, region | {z}) or parts
                    return Activation(a, z, rule, options), parts - {a}
    return None, set()


def _same(rule: Rule, x: Any, options: Any, value: Any) -> bool:
    return bool(np.allclose(rule.fn(x, **options), value, rtol=1e-6 if value.dtype.itemsize < 8 else 1e-12))


def _before_the_shift(scene: Scene, a: Node, z: Node, rule: Rule, options: Any) -> Node:
    """What a softmax is a function of where a maximum was subtracted first: z of z − max(z)."""
    while z.op == "subtract" and isinstance(z.operands[0], Node) and z.operands[0].needs_grad:
        before, shift = z.operands
        made_of = shift.parents if isinstance(shift, Node) else ()
        if before.shape != a.shape or any(p is not before for p in made_of):
            break
        if not _same(rule, scene.value(before), options, scene.value(a)):
            break
        z = before
    return z


def _region(a: Node) -> set[Node]:
    found, waiting = {a}, [a]
    while waiting and len(found) <= _MOST:
        node = waiting.pop(0)
        if node.is_leaf or not (isinstance(node.rule.fn, np.ufunc) or node.op in _ELEMENTWISE) or node.op == "matmul":
            continue
        waiting += [p for p in node.parents if p not in found]
        found.update(node.parents)
    return found


def _between(a: Node, z: Node, region: set[Node]) -> set[Node] | None:
    """The records that make `a` of `z`; None where something else that has a gradient comes in."""
    found, waiting = {a}, [a]
    while waiting:
        for operand in waiting.pop().parents:
            if operand is z or operand in found or not operand.needs_grad:
                continue
            if operand.is_leaf or operand not in region or not operand.parents:
                return None
            found.add(operand)
            waiting.append(operand)
    return found


def _instead(act: Activation, fn: Callable[[Any], Any]) -> Change:
    return Change(past={act.a: (act.z, fn)})


def _each_and_all(
    scene: Scene, sentence: Callable[[Activation], str], fn: Callable[[Activation], Callable[[Any], Any] | None]
) -> Iterator[Trial]:
    """A slip at each activation."""
    for act in activations(scene):
        made = fn(act)
        if made is not None:
            yield _trial(act, sentence(act), made)


def _trial(act: Activation, sentence: str, fn: Callable[[Any], Any], *which: Any) -> Trial:
    """A slip at an activation; `which` tells its forms apart."""
    kind = (act.rule, *which)
    return Trial(act.a, sentence, _instead(act, fn), _operand(act), kind=kind, alike=f"{act.symbol} activations")


def _operand(act: Activation) -> int | None:
    return next((i for i, o in enumerate(act.a.operands) if o is act.z), None)


@slip("activation derivative missing", 20)
def missing(scene: Scene) -> Iterator[Trial]:
    w = scene.words

    def sentence(act: Activation) -> str:
        return (
            f"the derivative {act.symbol}′ is missing at {w.made(act.a)}: {w.gradient(act.a)} was handed on as "
            f"{w.gradient(act.z)}"
        )

    return _each_and_all(scene, sentence, lambda act: lambda g: g)


@slip("activation derivative doubled", 22)
def doubled(scene: Scene) -> Iterator[Trial]:
    w = scene.words

    def sentence(act: Activation) -> str:
        return f"the derivative {act.symbol}′ was multiplied on twice at {w.made(act.a)}"

    def twice(act: Activation) -> Callable[[Any], Any]:
        out, x = scene.value(act.a), scene.value(act.z)
        return lambda g: act.pull(act.pull(g, out, x), out, x)

    yield from _each_and_all(scene, sentence, twice)
    for act in activations(scene):
        if act.rule is LOG_SOFTMAX:
            x = scene.value(act.z)
            p = np.exp(scene.value(act.a))

            def again(g: Any, act: Activation = act, x: Any = x, p: Any = p) -> Any:
                return act.pull(act.pull(g, np.log(p), x), p, x, SOFTMAX)

            if act.options.get("axis", -1) in (-1, act.a.ndim - 1):
                yield Trial(
                    act.a,
                    f"the derivative of the softmax was multiplied on once more at {w.made(act.a)}, where "
                    f"{w.gradient(act.z)} (p − y) already holds it",
                    _instead(act, again),
                    0,
                )
    for node in scene.nodes():
        if node.op == "logaddexp":
            z = next((o for o in node.operands if isinstance(o, Node) and o.needs_grad), None)
            while z is not None and z.op == "negative":
                z = z.operands[0]
            if z is not None and z in scene.sweeper.base.grads:
                x = scene.value(z)
                out = elementwise.sigmoid.fn(x)

                def more(g: Any, x: Any = x, out: Any = out) -> Any:
                    return SIGMOID.vjps[0](np.asarray(g), out, x)  # type: ignore[misc]

                yield Trial(
                    node,
                    f"the derivative σ′ was multiplied on once more at {w.say(z)}, where {w.gradient(z)} (σ(z) − y) "
                    "already holds it",
                    handed_on(scene.sweeper, z, more),
                )


@slip("activation derivative at the activated value", 10)
def at_the_output(scene: Scene) -> Iterator[Trial]:
    w = scene.words

    def sentence(act: Activation) -> str:
        return (
            f"in the step back from {w.made(act.a)}, {act.symbol}′ was taken at {w.say(act.a)} instead of "
            f"{w.say(act.z)}: {act.symbol}′({w.say(act.a)})"
        )

    def fed(act: Activation) -> Callable[[Any], Any] | None:
        if act.rule in _ALONG_AXES:
            return None
        a = scene.value(act.a)
        with np.errstate(all="ignore"):
            out = act.rule.fn(a, **act.options)
        return lambda g: act.pull(g, out, a)

    return _each_and_all(scene, sentence, fed)


@cache
def _form(rule: Rule) -> str:
    """The derivative of an activation in its output a, printed from its own rule."""
    with enable_grad():
        z = Tensor(0.5, name="z")
        a = record(rule, (z,), {})
    a.name = "a"
    tape = Tape(a)
    text = backward(a.node, 0, np.float64(1.0), Names(tape), tape.value).plain()
    return text.partition(" × ")[2] or text.replace("∂a/∂a", "1")


@slip("activation derivative at the value before it", 10)
def at_the_input(scene: Scene) -> Iterator[Trial]:
    w = scene.words

    def sentence(act: Activation) -> str:
        wrong = f"{act.symbol}′ = {_form(act.rule)} was fed with {w.say(act.z)} in the place of {w.say(act.a)}"
        return f"in the step back from {w.made(act.a)}, {wrong}"

    def fed(act: Activation) -> Callable[[Any], Any] | None:
        if act.rule in (RELU, LOG_SOFTMAX) or not act.rule.reads(0)[0]:
            return None
        x = scene.value(act.z)
        return lambda g: act.pull(g, x, x)

    return _each_and_all(scene, sentence, fed)


@slip("derivative of another activation", 12)
def another(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act in activations(scene):
        if act.rule in _SMOOTH:
            continue
        a, x = scene.value(act.a), scene.value(act.z)
        for other in (SIGMOID, TANH, RELU):
            if other is act.rule or (other is RELU and ((x > 0).all() or (x <= 0).all())):
                continue
            name = _SYMBOLS[other]
            with np.errstate(all="ignore"):
                out = other.fn(x)

            def at_z(g: Any, act: Activation = act, other: Rule = other, out: Any = out, x: Any = x) -> Any:
                return act.pull(g, out, x, other)

            what = f"the derivative of {name} was used at {w.made(act.a)}, which is {act.symbol}"
            yield _trial(act, f"{what}: {name}′({w.say(act.z)})", at_z, other)
            if other is not RELU and act.rule not in _ALONG_AXES:
                form = _form(other)

                def of_a(g: Any, act: Activation = act, other: Rule = other, a: Any = a) -> Any:
                    return act.pull(g, a, a, other)

                yield _trial(act, f"{what}: {name}′ = {form} with a = {w.say(act.a)}", of_a, other, form)


@slip("softmax derivative as if diagonal", 8)
def diagonal(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act in activations(scene):
        if act.rule not in _ALONG_AXES:
            continue
        axis = act.options.get("axis", -1)
        if not isinstance(axis, int) or act.a.shape[axis] > 512:
            continue
        out, x = scene.value(act.a), scene.value(act.z)
        own = np.zeros(out.shape)
        for k in range(out.shape[axis]):
            one = np.zeros(out.shape)
            np.moveaxis(one, axis, 0)[k] = 1
            own += act.pull(one, out, x) * one
        name, of = act.symbol, w.say(act.z)
        yield _trial(
            act,
            f"the {name}'s derivative was taken as if diagonal at {w.made(act.a)}: only ∂pᵢ/∂{of}ᵢ, without the "
            f"∂pⱼ/∂{of}ᵢ of the other classes",
            partial(np.multiply, own),
        )
