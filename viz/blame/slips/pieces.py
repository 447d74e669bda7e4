"""What another formula may be made of: the parts of the right formulas, and the values beside them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted

from ...derivation.trees import size
from ...formula import gradient_symbol, value_symbol
from ...formula.terms import total
from ...formula.tree import (
    Evaluator,
    Number,
    Opaque,
    Symbol,
    Tree,
    apply,
    is_call,
    negated,
    substituted,
    symbols,
    transposed,
)  # fmt: skip
from ..trials import Scene, once
from .edits import FUNCTIONS
from .forms import Form, composed, flow
from .joined import MOST_NUMBERS
from .leaves import named
from .parts import is_gradient, parts
from .sums import broadcasts, is_square, sum_over

__all__ = [
    "NAMELESS",
    "Place",
    "Variant",
    "functions",
    "is_nameless",
    "numbers_of",
    "pieces_of",
    "plus",
    "terms_of",
    "variants_of",
]

_MOST_PIECES, _MOST_CHANGED = 40, 120
"""So many pieces are taken, with what is made of each by itself."""
_LIKELY = 3
"""So many functions, the likeliest, are taken of differences."""
_LONGEST, _MOST_TERMS, _MOST_VARIANTS, _NEAREST = 20, 4, 6, 8
"""Pieces of no more parts; of a formula of no more terms each; so many formulas; functions of so many values."""
_FEW_BESIDE = 4
"""Of so many values after a record the gradients are taken, and so many arrays of the program beside it."""
NAMELESS = 3
"""The gradient of a value without a name is as long as so many parts more."""


class Variant(NamedTuple):
    """A formula in the place of which another one may stand, or a term of it, and the other terms; what the products
    with the other one must be. All of them that give the same numbers."""

    forms: list[tuple[Form, Tree]]
    right: Tree
    value: Any
    rest: Tree | None
    needs: list[float]


class Place(NamedTuple):
    """A gradient that may have been found by another formula: how its record moves along two directions, and how
    exactly the products are known."""

    target: Node
    variants: list[Variant]
    moves: list[Any]
    doubts: list[float]


@once
def _known(scene: Scene) -> dict[Any, Symbol]:
    return {}


def _settled(scene: Scene, tree: Tree) -> Tree:
    """A formula in which one name stands for a value wherever it comes from."""
    known = _known(scene)
    by: dict[int, Tree] = {}
    for s in symbols(tree):
        key = (s.kind, s.node) if s.node is not None else (s.shape, np.asarray(s.array).tobytes())
        by[id(s)] = known.setdefault(key, s)
    return substituted(tree, by)


def variants_of(scene: Scene, forms: Sequence[Form], moves: Sequence[Any], needs: Sequence[float]) -> list[Variant]:
    """The formulas of a gradient, and their terms one by one, each once."""
    evaluated = Evaluator()
    found: dict[Any, Variant] = {}
    for form in forms:
        tree = _settled(scene, form.formula.tree)
        terms = terms_of(tree)
        for k, term in enumerate([tree, *(terms if 1 < len(terms) <= _MOST_TERMS else ())]):
            value = numbers_of(evaluated, term)
            if value is None or not broadcasts(value.shape, form.target.shape):
                continue
            key = k > 0, value.shape, np.round(value, 12).tobytes()
            if key in found:
                found[key].forms.append((form, tree))
                continue
            rest = None if not k else functools.reduce(plus, [one for j, one in enumerate(terms, 1) if j != k])
            own = [need + float(np.sum(m * value)) for need, m in zip(needs, moves, strict=True)]
            found[key] = Variant([(form, tree)], term, value, rest, own)
    return list(found.values())[:_MOST_VARIANTS]


def plus(a: Tree, b: Tree) -> Tree:
    """Two formulas added."""
    return apply(np.add, a, b, dtype=np.dtype(float))


def terms_of(tree: Tree) -> list[Tree]:
    """What a formula adds up, each with its sign."""
    if is_call(tree, np.subtract):
        first, second = tree.args
        return [*terms_of(first), *map(negated, terms_of(second))]
    if is_call(tree, np.negative) and is_call(tree.args[0], np.add, np.subtract):
        return [*map(negated, terms_of(tree.args[0]))]
    return [term for arg in tree.args for term in terms_of(arg)] if is_call(tree, np.add, total) else [tree]


def pieces_of(scene: Scene, place: Place) -> list[tuple[Tree, Any]]:
    """The parts of the right formulas, and the values beside them; each once, and as it is changed by itself."""
    target = place.target
    below = set(scene.sweeper.reached(target))
    forms = dict.fromkeys(form for variant in place.variants for form, _ in variant.forms)
    after = {s.node for form in forms for s in form.formula.symbols if is_gradient(s)}
    near = [*forms, *(form for form in composed(scene) if form.target in after)]
    every = [part for form in near for _, part in parts(form.formula.tree)]
    users = [n for n, _ in scene.sweeper.into[target]]
    beside = dict.fromkeys([target, *users, *(a for n in users for a in n.parents)])
    some: list[Tree] = [part for part in every if isinstance(part, Symbol)]
    some += [value_symbol(n, scene.words, scene.value) for n in beside if n is not scene.tape.root]
    some += [gradient_symbol(n, scene.words, np.asarray(flow(scene, n))) for n in _named_after(scene, target)]
    some += [part for part in every if not isinstance(part, Symbol | Opaque)]
    some += [*_constants(scene, place)[:_FEW_BESIDE], *_by_distance(scene, place)]
    evaluated = Evaluator()
    found: dict[Any, tuple[Tree, Any]] = {}

    def add(tree: Tree) -> None:
        tree = _settled(scene, tree)
        if size(tree) > _LONGEST or any(is_gradient(s) and s.node in below for s in symbols(tree)):
            return
        value = numbers_of(evaluated, tree)
        if value is not None:
            key = value.shape, np.round(value / (most := np.abs(value).max()), 10).tobytes(), f"{most:.9e}"
            if key not in found or _long(scene, tree) < _long(scene, found[key][0]):
                found[key] = tree, value

    for tree in some:
        if len(found) < _MOST_PIECES:
            add(tree)
    for tree, value in [*found.values()]:
        for other in _changed(tree, value) if len(found) < _MOST_CHANGED else ():
            add(other)
    return [*found.values()]


def _long(scene: Scene, tree: Tree) -> int:
    """How long a formula is, a gradient that nobody has a name for as long as several parts."""
    return size(tree) + NAMELESS * sum(is_nameless(scene, s) for s in symbols(tree))


def is_nameless(scene: Scene, part: Tree) -> bool:
    """Whether it is the gradient of a value that has no name."""
    return isinstance(part, Symbol) and part.kind == "gradient" and not scene.words.has(part.node)


def _named_after(scene: Scene, target: Node) -> list[Node]:
    """The nearest values with names that are made of one."""
    reach = scene.tape.nodes[scene.tape.index(target) + 1 :]
    return [n for n in reach if scene.words.has(n) and n in scene.sweeper.base.grads][:_FEW_BESIDE]


def _by_distance(scene: Scene, place: Place) -> list[Symbol]:
    here = scene.tape.index(place.target)
    return sorted(named(scene), key=lambda s: abs(scene.tape.index(s.node) - here))


def _constants(scene: Scene, place: Place) -> list[Symbol]:
    """The arrays of the program that are no records, the nearest first."""
    here, found = scene.tape.index(place.target), dict[int, Symbol]()
    for node in sorted(scene.tape, key=lambda node: abs(scene.tape.index(node) - here)):
        for k, a in enumerate(node.operands):
            if isinstance(a, np.ndarray) and a.ndim and a.dtype.kind == "f" and id(a) not in found:
                found[id(a)] = Symbol("constant", partial(scene.words.operand, node, k), a)
    return [*found.values()]


def numbers_of(evaluated: Evaluator, tree: Tree) -> Any:
    """The numbers of a piece; None where there are none, or too many."""
    with attempted(), np.errstate(all="ignore"):
        value = np.asarray(evaluated(tree), np.float64)
        if value.size <= MOST_NUMBERS and np.isfinite(value).all() and value.any():
            return value
    return None


def _changed(tree: Tree, value: Any) -> Iterator[Tree]:
    """A piece by itself: transposed, inverted, squared, summed, 1 over it, 1 less it, its root, where it is above 0."""
    if isinstance(tree, Number):
        return
    if value.ndim == 2:
        yield transposed(tree)
        if value.shape[0] == value.shape[1] > 1 and isinstance(tree, Symbol) and not is_gradient(tree):
            yield apply(np.linalg.inv, tree, like=tree)
    if tree.dtype.kind == "f":
        yield apply(np.square, tree)
        yield apply(np.subtract, Number(1), tree, dtype=tree.dtype)
        if value.all():
            yield apply(np.divide, Number(1), tree, dtype=tree.dtype)
        if (value > 0).all():
            yield apply(np.sqrt, tree)
    for k in range(value.ndim) if value.ndim > 1 else ():
        yield sum_over(tree, (k,), keepdims=True)
    if value.size > 1:
        yield sum_over(tree, None)
        if (value < 0).any() and (value > 0).any() and not any(map(is_gradient, symbols(tree))):
            yield apply(np.greater, tree, Number(0), dtype=np.dtype(bool))


def functions(scene: Scene, place: Place) -> Iterator[tuple[Tree, Any]]:
    """Functions of the nearest values with names, and of the gradients that arrive, and their squares; traces."""
    evaluated = Evaluator()
    every = (part for variant in place.variants for _, part in parts(variant.right))
    for part in (one for one in every if one.ndim == 2 and is_square(one)):
        tree = sum_over(apply(np.diagonal, part, shape=part.shape[:-1], dtype=part.dtype), None)
        if (value := numbers_of(evaluated, tree)) is not None:
            yield tree, value
    arriving = (s for variant in place.variants for _, tree in variant.forms for s in symbols(tree) if is_gradient(s))
    own = value_symbol(place.target, scene.words, scene.value)
    near = [own, *(s for s in _by_distance(scene, place)[:_NEAREST] if s.node is not own.node)]
    beside = [*near[:_FEW_BESIDE], *_constants(scene, place)[:_FEW_BESIDE]]
    differences = (apply(np.subtract, a, b) for a, b in itertools.permutations(beside, 2) if a.shape == b.shape)
    some: list[tuple[Tree, Any]] = [(s, FUNCTIONS) for s in [*near, *dict.fromkeys(arriving)]]
    for x, fns in [*some, *((x, FUNCTIONS[:_LIKELY]) for x in differences)]:
        for fn in fns:
            tree = apply(fn, x, like=x)
            for made in (tree, apply(np.square, tree)):
                value = numbers_of(evaluated, made)
                if value is not None:
                    yield made, value
