"""Slips at an activation: its derivative missing, doubled, at the wrong value, of another function, as if diagonal."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from autograd import Node, Tape, Tensor, enable_grad
from autograd.forward import record
from autograd.registry import RULES, Rule

from ...formula import Formula, backward, gradient_symbol, value_symbol
from ...formula.tidy import tidied
from ...formula.tree import Tree, apply, evaluate, is_call, substituted
from ...tape.names import Names
from ..pushing import Change
from ..trials import Scene, Trial, once, slip
from .activations import (
    ALONG_AXES,
    LOG_SOFTMAX,
    RELU,
    SIGMOID,
    SMOOTH,
    SOFTMAX,
    TANH,
    Activation,
    all_activations,
    inner_functions,
)
from .edits import diagonal as diagonal_of
from .forms import Form, activated, derivative, rules_of
from .formulas import edited, written
from .leaves import named
from .parts import Edit, parts

_DERIVATIVES = ((SIGMOID, "σ"), (TANH, "tanh"), (RELU, "ReLU"))
_ARCTAN = RULES[np.arctan]
_MOST = 24


def _trial(scene: Scene, act: Activation, form: Form, kind: str, tree: Tree, sentence: str, *which: Any) -> Trial:
    """A slip at an activation; `which` tells its forms apart."""
    edit = Edit(kind, which, form.formula.tree, tree, tree)
    alike = f"{act.symbol} activations"
    return edited(scene, form, edit, sentence, kind=(act.rule, *which), alike=alike)


@slip("activation derivative missing", 20)
def missing(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act, form in activated(scene):
        handed_on = f"{w.gradient(act.a)} was handed on as {w.gradient(act.z)}"
        sentence = f"the derivative {act.symbol}′ is missing at {w.made(act.a)}: {handed_on}"
        if act.rule.fn is np.exp and _is_within_softplus(scene, act.a):
            sentence += f", which gives σ(−u) in the place of σ(u) for u = {w.say(act.z)}"
        yield _trial(scene, act, form, "local", form.upstream, sentence)


def _is_within_softplus(scene: Scene, a: Node) -> bool:
    """Whether 1 is added to an exponential, and the logarithm taken."""
    into = scene.sweeper.into
    users = [user for user, _ in into[a]]
    plus_one = (n for n in users if n.op == "add" and any(np.ndim(o) == 0 and o == 1 for o in n.operands))
    after = [*(n for n in users if n.op == "log1p"), *(n for one in plus_one for n, _ in into[one] if n.op == "log")]
    return bool(after)


@slip("local derivative missing", 36, generic=True)
def inner(scene: Scene) -> Iterator[Trial]:
    """Of the function within another one, which the chain rule asks for."""
    w = scene.words
    for u, z in inner_functions(scene):
        sentence = f"the derivative of the inner function, {w.made(u)}, by {w.say(z)} is missing"
        change = Change(past={u: (z, lambda g: g)})
        yield Trial(u, f"{sentence}: {w.gradient(u)} was handed on as it is", change, kind=w.place(u), alike="steps")


@slip("activation derivative doubled", 22)
def doubled(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act, form in activated(scene):
        twice = tidied(substituted(form.formula.tree, {id(form.upstream): form.formula.tree}))
        sentence = f"the derivative {act.symbol}′ was multiplied on twice at {w.made(act.a)}"
        yield _trial(scene, act, form, "again", twice, sentence)
        if act.rule is LOG_SOFTMAX:
            p = apply(np.exp, value_symbol(act.a, w, scene.value))
            again = derivative(scene, act, SOFTMAX, p, form.formula.tree)
            holds = f"where {w.gradient(act.z)} (p − y) already holds it"
            sentence = f"the derivative of the softmax was multiplied on once more at {w.made(act.a)}, {holds}"
            yield _trial(scene, act, form, "again", again, sentence, SOFTMAX)


@slip("activation derivative where no activation is", 34, generic=True, chancy=True)
def where_none_is(scene: Scene) -> Iterator[Trial]:
    """As at the output of a network that is linear."""
    w, acts, into = scene.words, all_activations(scene), scene.sweeper.into
    known = {act.a for act in acts} | {act.z for act in acts} | {scene.tape.root}
    logits = {node for node in scene.nodes() if any(user.op == "logaddexp" for user, _ in into[node])}
    some = (n for n in scene.nodes() if n.ndim and n not in known and (w.has(n) or n in logits))
    for z in itertools.islice(some, _MOST):
        holds = f", and {w.gradient(z)} (σ(z) − y) already holds it" * (z in logits)
        for rule, name in _DERIVATIVES:
            what = f"the derivative of {name} was multiplied on at {w.made(z)}, where no {name} is{holds}: {name}′"
            yield _multiplied_on(scene, z, rule, f"{what}({w.say(z)})", in_its_result=False)
            if rule is not RELU:
                said = f"{what} = {_in_its_result(rule)} with a = {w.say(z)}"
                yield _multiplied_on(scene, z, rule, said, in_its_result=True)


def _multiplied_on(scene: Scene, z: Node, rule: Rule, sentence: str, *, in_its_result: bool) -> Trial:
    """The gradient of a value times a derivative there."""
    value, target = value_symbol(z, scene.words, scene.value), gradient_symbol(z, scene.words)
    upstream = gradient_symbol(z, scene.words, scene.sweeper.base.grads[z])
    act = Activation(z, z, rule, {})
    tree = derivative(scene, act, rule, value if in_its_result else apply(rule.fn, value), upstream)
    form = Form(z, z, Formula(target, upstream), rule)
    return edited(scene, form, Edit("again", (), upstream, tree, tree), sentence)


@slip("value in the place of its derivative", 35, generic=True, chancy=True)
def instead(scene: Scene) -> Iterator[Trial]:
    """Of a function of the activated value that has a switch for its derivative, which was forgotten."""
    w = scene.words
    for act, form in activated(scene):
        if act.rule in (SIGMOID, TANH):
            a = value_symbol(act.a, w, scene.value)
            tree = apply(np.multiply, form.upstream, apply(act.rule.fn, a, like=a))
            sentence = (
                f"{act.symbol}({w.say(act.a)}) was multiplied on in the place of {act.symbol}′ at {w.made(act.a)}"
            )
            yield _trial(scene, act, form, "value", tree, sentence)


@slip("activation derivative at the activated value", 10)
def at_the_output(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act, form in activated(scene):
        if act.rule not in ALONG_AXES:
            a, symbol = value_symbol(act.a, w, scene.value), act.symbol
            tree = derivative(scene, act, act.rule, apply(act.rule.fn, a), form.upstream, at=a)
            taken = f"{symbol}′ was taken at {w.say(act.a)} instead of {w.say(act.z)}: {symbol}′({w.say(act.a)})"
            yield _trial(scene, act, form, "at", tree, f"in the step back from {w.made(act.a)}, {taken}")


@slip("activation derivative at the value before it", 10)
def at_the_input(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act, form in activated(scene):
        if act.rule not in (RELU, LOG_SOFTMAX) and act.rule.reads(0)[0]:
            tree = derivative(scene, act, act.rule, value_symbol(act.z, w, scene.value), form.upstream)
            fed = f"was fed with {w.say(act.z)} in the place of {w.say(act.a)}"
            sentence = f"in the step back from {w.made(act.a)}, {act.symbol}′ = {_in_its_result(act.rule)} {fed}"
            yield _trial(scene, act, form, "before", tree, sentence)


@slip("value of another step", 33, generic=True, chancy=True)
def at_another_step(scene: Scene) -> Iterator[Trial]:
    """In the derivative of an activation that is written out."""
    for act, form in activated(scene):
        for by, tree, sentence in at_other_steps(scene, act, form) if form.past is not None else ():
            yield _trial(scene, act, form, "other", tree, sentence, by)


def at_other_steps(scene: Scene, act: Activation, form: Form) -> Iterator[tuple[int, Tree, str]]:
    """The derivative of an activation at the steps, or layers, before and after: by how many, the formula, in words."""
    w = scene.words
    for by in (1, -1):
        other = _by_steps(scene).get((w.place(act.a), w.ordinal(act.a) + by))
        if other is not None and other.a.shape == act.a.shape:
            a, z = (value_symbol(n, w, scene.value) for n in (other.a, other.z))
            tree = derivative(scene, act, act.rule, a, form.upstream, at=z)
            yield by, tree, f"the derivative {act.symbol}′ of {w.made(act.a)} was taken at the step of {w.say(other.a)}"


@once
def _by_steps(scene: Scene) -> dict[tuple[Any, int], Activation]:
    return {(scene.words.place(act.a), scene.words.ordinal(act.a)): act for act, _ in activated(scene)}


@slip("derivative of another activation", 12)
def another(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act, form in activated(scene):
        x = scene.value(act.z)
        a, z = (value_symbol(node, w, scene.value) for node in (act.a, act.z))
        for other, name in _DERIVATIVES if act.rule not in SMOOTH else ():
            if other is act.rule or (other is RELU and ((x > 0).all() or (x <= 0).all())):
                continue
            what = f"the derivative of {name} was used at {w.made(act.a)}, which is {act.symbol}"
            tree = derivative(scene, act, other, apply(other.fn, z), form.upstream)
            yield _trial(scene, act, form, "function", tree, f"{what}: {name}′({w.say(act.z)})", other)
            if other is not RELU and act.rule not in ALONG_AXES and np.any(a.array):
                tree = derivative(scene, act, other, a, form.upstream)
                said = f"{what}: {name}′ = {_in_its_result(other)} with a = {w.say(act.a)}"
                yield _trial(scene, act, form, "function", tree, said, other, "in its result")
        for at in (a, z) if act.rule in (SIGMOID, TANH) else ():
            tree = derivative(scene, act, _ARCTAN, apply(np.arctan, at), form.upstream, at=at)
            sentence = (
                f"the derivative of arctan was used at {w.made(act.a)}, which is {act.symbol}: 1 / (1 + {at.name}²)"
            )
            yield _trial(scene, act, form, "function", tree, sentence, _ARCTAN, at is a)


@cache
def _in_its_result(rule: Rule) -> str:
    """The derivative of an activation in its output a, printed from its own rule."""
    with enable_grad():
        z = Tensor(0.5, name="z")
        a = record(rule, (z,), {})
    a.name = "a"
    tape = Tape(a)
    text = backward(a.node, 0, np.float64(1.0), Names(tape), tape.value).plain()
    return text.partition(" × ")[2] or text.replace("∂a/∂a", "1")


@slip("softmax derivative as if diagonal", 8)
def diagonal(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for act, form in activated(scene):
        if act.rule in ALONG_AXES:
            tree = diagonal_of(form.formula.tree)
            of, name = w.say(act.z), act.symbol
            sentence = (
                f"the {name}'s derivative was taken as if diagonal at {w.made(act.a)}: only ∂pᵢ/∂{of}ᵢ, without the "
                f"∂pⱼ/∂{of}ᵢ of the other classes"
            )
            yield _trial(scene, act, form, "sum", tree, sentence)


@slip("another value in the place of an operand", 44, generic=True, chancy=True)
def branch(scene: Scene) -> Iterator[Trial]:
    """The branches of a condition chosen by another value."""
    w = scene.words
    for form in rules_of(scene, ("where",)):
        node, comparisons = form.node, (np.greater, np.less, np.greater_equal, np.less_equal)
        known = [part for _, part in parts(form.formula.tree) if is_call(part, *comparisons)]
        for condition, other in itertools.product(known[:1], named(scene)):
            if other.shape == condition.args[0].shape and condition.shape == np.shape(node.operands[0]):
                chosen = condition.with_args([other, *condition.args[1:]])
                change = Change(calls={node: ((evaluate(chosen), *node.operands[1:]), node.kwargs)})
                sentence = (
                    f"the branch was chosen by {written(form, chosen)} in the place of {written(form, condition)}"
                )
                yield Trial(node, f"{sentence}, at {w.made(node)}", change, form.operand)
