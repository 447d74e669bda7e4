"""Another value, or another gradient, in the place of one in a formula."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Node

from ...formula import gradient_symbol, value_symbol
from ...formula.tree import Apply, Number, Symbol, Tree, apply, is_call, substituted, symbols
from ..trials import Scene, once
from .activations import all_activations
from .edits import FUNCTIONS
from .forms import Form
from .parts import Edit, is_gradient, parts, put
from .sums import broadcasts

__all__ = ["for_another", "named"]

_MOST = 24
"""So many values are tried in the place of one, those with names and the nearest."""


def for_another(scene: Scene, form: Form) -> Iterator[Edit]:
    """Each name of a formula taken for each other one of its shape."""
    tree = form.formula.tree
    before = {act.a: act.z for act in all_activations(scene)}
    alone = len(form.node.operands) == 1 and form.node.rule.fn not in FUNCTIONS
    if alone and is_call(tree, np.multiply) and is_gradient(tree.args[0]):
        result = value_symbol(form.node, scene.words, scene.value)
        yield Edit("value", ("result",), tree.args[1], result, put(tree, (1,), result))
    own = value_symbol(form.target, scene.words, scene.value)
    if own.dtype.kind == "f" and tree.shape == own.shape:
        yield Edit("again", ("own",), own, apply(np.square, own), apply(np.multiply, tree, own))
        if is_call(tree, np.negative):
            yield Edit("value", ("own",), tree, (product := apply(np.multiply, tree.args[0], own)), product)
    for other in _factors(scene, tree):
        yield Edit("again", ("times", other.name), other, apply(np.square, other), apply(np.multiply, tree, other))
        divided = apply(np.divide, tree, other)
        yield Edit("divided", ("by", other.name), other, divided, divided)
    for place, part in parts(tree):
        if _is_a_number(part) and _is_of_numbers(scene):
            for other in named(scene):
                yield Edit("other", (*place, other.name), part, other, put(tree, place, other))
        elif isinstance(part, Symbol) and (part.kind != "constant" or part.dtype.kind == "f"):
            for other in _others(scene, form, part):
                kind = "gradient" if other.kind == "gradient" and part.kind == "gradient" else "other"
                kind = "before" if other.node is not None and other.node is before.get(part.node) else kind
                yield Edit(kind, (*place, other.name), part, other, put(tree, place, other))
        elif is_call(part, np.greater, np.less, np.greater_equal, np.less_equal) and isinstance(part.args[0], Symbol):
            for other in _others(scene, form, part.args[0]):
                if other.kind == "gradient":
                    instead = part.with_args([other, *part.args[1:]])
                    yield Edit("value", (*place, other.name), part, instead, put(tree, place, instead))
        elif is_call(part, np.sum) and isinstance(part.args[0], Symbol) and part.args[0].kind == "gradient":
            yield from _other_sums(scene, form, place, part)
    for s in symbols(tree):
        for kind, other in _made_otherwise(scene, s):
            yield Edit(kind, (kind, s.name, other.name), s, other, substituted(tree, {id(s): other}))
        count = sum(part is s for _, part in parts(tree))
        if count > 1 and s.kind != "constant" and s.ndim:
            for other in _others(scene, form, s):
                yield Edit("other", ("everywhere", s.name, other.name), s, other, substituted(tree, {id(s): other}))
        if s.kind == "value" and s.node is not None and s.node.rule.fn in FUNCTIONS:
            for other in _others(scene, form, s):
                there = apply(s.node.rule.fn, other, like=s)
                yield Edit("at", ("at", s.name, other.name), s, there, substituted(tree, {id(s): there}))


def _is_a_number(part: Any) -> bool:
    """Whether it is a number that a program was given as data: no whole one, as rules and formulas have."""
    return isinstance(part, Number) and np.ndim(part.value) == 0 and bool(part.value % 1)


@once
def _is_of_numbers(scene: Scene) -> bool:
    """Whether a program computes with numbers one by one."""
    return all(node.ndim == 0 for node in scene.tape)


def _factors(scene: Scene, tree: Tree) -> list[Symbol]:
    """Values with names by which a formula may be multiplied or divided, though it is not."""
    return [s for s in named(scene) if broadcasts(s.shape, tree.shape)][:_MOST]


@once
def named(scene: Scene) -> list[Symbol]:
    """The values with names, but for the loss."""
    some = (n for n in scene.tape if scene.words.has(n) and n is not scene.tape.root and n.dtype.kind == "f")
    return [value_symbol(n, scene.words, scene.value) for n in some if np.isfinite(scene.value(n)).all()]


def _made_otherwise(scene: Scene, s: Symbol) -> Iterator[tuple[str, Symbol]]:
    """A value over another axis; for a constant 1, or where it is not 0."""
    if s.kind == "value" and s.node is not None and isinstance(axis := s.node.kwargs.get("axis"), int):
        operand = s.node.operands[0]
        known = operand.shape == s.shape and (operand in scene.tape or not isinstance(operand, Node))
        for other in range(s.ndim) if known else ():
            if other != axis % s.ndim:
                array = s.node.rule.op(scene.value(operand), **{**s.node.kwargs, "axis": other})
                yield "axis", Symbol("value", f"{s.name} over axis {other}", np.asarray(array))
    elif s.kind == "constant" and s.ndim and s.dtype.kind == "f":
        mask = np.asarray(s.array) != 0
        if not (np.asarray(s.array) == 1).all():
            yield "constant", Symbol("constant", "1", np.ones(s.shape))
        if not mask.all() and (np.asarray(s.array)[mask] != 1).any():
            yield "constant", Symbol("constant", f"[{s.name} ≠ 0]", mask * 1.0)


def _other_sums(scene: Scene, form: Form, place: Any, part: Apply) -> Iterator[Edit]:
    """The sum of another gradient that has the right shape: that of a bias made of the one of its weight."""
    for other in _gradients(scene):
        if (
            _follows(scene, other.node, form.target)
            or other.shape == part.args[0].shape
            or other.ndim != part.args[0].ndim
        ):
            continue
        summed = part.with_args([other])
        try:
            fits = np.sum(other.array, **part.options).shape == part.shape
        except (ValueError, TypeError):
            continue
        if fits:
            yield Edit("gradient", (*place, other.name), part, summed, put(form.formula.tree, place, summed))


def _others(scene: Scene, form: Form, part: Symbol) -> list[Symbol]:
    """What may be taken for a name."""
    here = scene.tape.index(form.node)
    own = part.array if part.dtype.kind == "f" else None

    def distance(s: Symbol) -> int:
        far = abs(scene.tape.index(s.node) - here) if s.node is not None else 0
        return far + (0 if s.node is None or scene.words.has(s.node) else len(scene.tape))

    some = [s for s in _by_shape(scene).get(part.shape, ()) if s.node is not part.node or s.kind != part.kind]
    some += [
        Symbol("constant", s.name, np.broadcast_to(s.array, part.shape))
        for shape, group in _by_shape(scene).items()
        if shape != part.shape and all(n in (1, m) for n, m in zip(shape[::-1], part.shape[::-1], strict=False))
        for s in (group if len(shape) <= part.ndim else ())
        if s.kind == "constant" and s.size > 1
    ]
    some = [s for s in some if own is None or not np.array_equal(s.array, own)]
    some = [s for s in some if not (s.kind == "gradient" and _follows(scene, s.node, form.target))]
    return sorted(some, key=distance)[:_MOST]


def _follows(scene: Scene, node: Node, target: Node) -> bool:
    """Whether numbers that a person gave for one gradient are made of another one, which they then explain by
    themselves."""
    known = _reached(scene)
    if node in scene.sweeper.given and target not in known:
        known[target] = set(scene.sweeper.reached(target))
    return node in scene.sweeper.given and node in known[target]


@once
def _reached(scene: Scene) -> dict[Node, set[Node]]:
    return {}


@once
def _gradients(scene: Scene) -> list[Symbol]:
    grads = scene.sweeper.base.grads
    names = scene.words
    named = sorted((n for n in scene.tape if n in grads), key=lambda n: (not n.name, not names.has(n)))
    return [gradient_symbol(n, names, np.asarray(scene.sweeper.given.get(n, grads[n]))) for n in named]


@once
def _by_shape(scene: Scene) -> dict[Any, list[Symbol]]:
    """Every value, gradient and constant of the tape, each once."""
    found: dict[Any, list[Symbol]] = defaultdict(list)
    seen: set[Any] = set()
    numbers = _is_of_numbers(scene)

    def add(s: Symbol) -> None:
        array = np.asarray(s.array)
        key = (array.shape, array.tobytes())
        if array.dtype.kind == "f" and key not in seen:
            seen.add(key)
            found[array.shape].append(s)

    for node in sorted(scene.tape, key=lambda n: not scene.words.has(n)):
        if (node.ndim or numbers) and np.isfinite(scene.value(node)).all():
            add(value_symbol(node, scene.words, scene.value))
    for gradient in _gradients(scene):
        if gradient.ndim or numbers:
            add(gradient)
    for node in scene.tape:
        for k, a in enumerate(node.operands):
            if isinstance(a, np.ndarray) and a.ndim:
                add(Symbol("constant", scene.words.operand(node, k), a))
    return found
