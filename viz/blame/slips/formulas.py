"""Slips in the formula of a rule: a part of it left out or changed. The formulas are those that the engine's own rules
are printed as; each is changed at one place, and evaluated instead of the rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd import Node, Tensor, enable_grad
from autograd.forward import record

from ...formula import Formula, Symbol, backward, forward
from ...formula.products import power
from ...formula.terms import total
from ...formula.tidy import tidied
from ...formula.tree import Apply, Number, Opaque, Tree, apply, evaluate, is_call
from ..pushing import Change, Edge, Sent
from ..trials import Scene, Trial, once, slip
from .activations import activations

_MOST_PARTS = 40
"""Formulas of more parts are no one's to derive by hand."""
_MOST_STEPS = 1000

_QUOTIENTS = frozenset({"divide", "reciprocal"})
"""Their rules read the result, where a textbook has a power of the operand."""

_OPPOSITE: dict[Any, Any] = {
    np.greater: np.less_equal, np.less: np.greater_equal, np.greater_equal: np.less, np.less_equal: np.greater,
}  # fmt: skip

FACTOR, TERM, SIGN, POWER, DIVISION = "factor", "term", "sign", "power", "division"


class _Edit(NamedTuple):
    """A formula changed at one place: what stands there instead, nothing where it was left out."""

    kind: str
    place: tuple[Any, ...]
    old: Tree
    new: Tree | None
    tree: Tree


@dataclass(frozen=True, eq=False)
class _Step:
    """A step of the derivation that has a formula: a rule, or an activation that is written out."""

    node: Node
    formula: Formula
    kind: Any
    """Steps of the same kind have the same formula but for the names."""
    operand: int | None
    change: Callable[[Sent], Change]


class _Called:
    """Names for the records of an activation that is written out as one operation."""

    def __init__(self, scene: Scene, names: dict[Node, Node]):
        self.loss, self.tape = scene.words.loss, scene.tape
        self._words, self._names = scene.words, names

    def of(self, node: Node, limit: int = 48) -> str:
        return self._words.of(self._names.get(node, node), limit)

    def constant(self, array: Any) -> str | None:
        return self._words.constant(array)


def _steps(scene: Scene) -> list[_Step]:
    """The steps that the gradients in question pass through, the last operation first."""
    edges = itertools.islice(scene.edges(), _MOST_STEPS)
    found = [step for edge in edges if (step := _of_rule(scene, edge)) is not None]
    written = [act for act in activations(scene) if act.a.rule is not act.rule]
    return found + [_of_activation(scene, act) for act in written]


def _of_rule(scene: Scene, edge: Edge) -> _Step | None:
    node, i = edge
    formula = scene.words.backward(node, i, scene.sweeper.base.grads[node])
    if node.op in _QUOTIENTS and isinstance(formula.tree, Apply):
        formula = _without_its_result(scene, node, formula)
    if not isinstance(formula.tree, Apply) or isinstance(formula.tree, Opaque) or _size(formula.tree) > _MOST_PARTS:
        return None
    return _Step(node, formula, (node.rule, i), i, lambda sent: Change(edges={edge: sent}))


def _without_its_result(scene: Scene, node: Node, formula: Formula) -> Formula:
    """A formula in terms of the operands alone: −g / x², where the rule reads y = 1 / x and has −g y / x."""
    known = {s.node or id(s.array): s for s in formula.symbols if s.kind != "gradient"}
    own = known.pop(node, None)
    if own is None:
        return formula

    def settled(tree: Any) -> Any:
        return known.get(tree.node or id(tree.array), tree) if isinstance(tree, Symbol) else tree

    result = _mapped(forward(node, scene.words, scene.value).tree, settled)
    tree = tidied(_mapped(formula.tree, lambda part: result if part is own else part))
    return Formula(formula.target, tree, formula.notes, formula.adds)


def _mapped(tree: Any, fn: Callable[[Any], Any]) -> Any:
    """A tree with other symbols."""
    if isinstance(tree, Apply):
        return Apply(tree.rule, tuple(_mapped(a, fn) for a in tree.args), tree.options, tree.shape, tree.dtype)
    return fn(tree)


def _of_activation(scene: Scene, act: Any) -> _Step:
    with enable_grad(), np.errstate(all="ignore"):
        z = Tensor(scene.value(act.z))
        a = record(act.rule, (z,), act.options)
    names = _Called(scene, {z.node: act.z, a.node: act.a})
    formula = backward(a.node, 0, scene.sweeper.base.grads[act.a], names)

    def change(sent: Sent) -> Change:
        return Change(past={act.a: (act.z, lambda g: sent(g, None))})

    return _Step(act.a, formula, act.rule, None, change)


def _size(tree: Tree) -> int:
    return 1 + sum(_size(a) for a in tree.args) if isinstance(tree, Apply) else 1


# --- changes ----------------------------------------------------------------------------------------------------------


def _edits(tree: Tree) -> Iterator[_Edit]:
    """A formula with one part left out or changed, at each place where it can be."""
    for place, part in _parts(tree, ()):
        for kind, key, old, new, instead in _changed(part):
            yield _Edit(kind, (*place, key), old, new, _with(tree, place, instead))


def _parts(tree: Any, place: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Apply]]:
    if isinstance(tree, Apply):
        yield place, tree
        for k, argument in enumerate(tree.args):
            yield from _parts(argument, (*place, k))


def _with(tree: Any, place: tuple[int, ...], part: Tree) -> Tree:
    if not place:
        return part
    args = list(tree.args)
    args[place[0]] = _with(args[place[0]], place[1:], part)
    shape = tree.shape
    if isinstance(tree.fn, np.ufunc) and tree.fn.signature is None:
        shape = np.broadcast_shapes(*(a.shape for a in args))
    return Apply(tree.rule, tuple(args), tree.options, shape, tree.dtype)


def _changed(part: Apply) -> Iterator[tuple[str, Any, Tree, Tree | None, Tree]]:
    """What can go wrong with one part: the kind, which one, what is changed, to what, and the part that comes out."""
    if is_call(part, np.multiply):
        yield from _factors(part)
    elif is_call(part, np.divide):
        above, below = part.args
        yield from _factors(part)
        yield DIVISION, "multiplied", part, (product := apply(np.multiply, above, below, dtype=part.dtype)), product
    elif is_call(part, np.add, np.subtract):
        first, second = part.args
        minus = is_call(part, np.subtract)
        other = apply(np.add if minus else np.subtract, first, second, dtype=part.dtype)
        yield SIGN, "second", part, other, other
        if minus:
            turned = apply(np.subtract, second, first, dtype=part.dtype)
            yield SIGN, "turned", part, turned, turned
        last = apply(np.negative, second, dtype=part.dtype) if minus else second
        yield TERM, "first", first, None, last
        yield TERM, "second", last, None, first
        for k, one in enumerate(part.args):
            if isinstance(one, Symbol) and not _is_gradient(one) and one.dtype.kind == "f":
                square = power(one, 2)
                args = (square, second) if k == 0 else (first, square)
                yield POWER, ("term", k), one, square, apply(part.fn, *args, dtype=part.dtype)
    elif is_call(part, total):
        for k, term in enumerate(part.args):
            rest = (*part.args[:k], *part.args[k + 1 :])
            if len(rest) > 1:
                yield TERM, k, term, None, Apply(part.rule, rest, part.options, part.shape, part.dtype)
    elif part.fn in _OPPOSITE:
        opposite = apply(_OPPOSITE[part.fn], *part.args, shape=part.shape, dtype=part.dtype)
        yield SIGN, "opposite", part, opposite, opposite
    elif is_call(part, np.negative):
        yield SIGN, "lost", part, part.args[0], part.args[0]
    elif is_call(part, np.square):
        for n in (1, 3):
            yield POWER, n, part, (raised := power(part.args[0], n)), raised
    elif is_call(part, np.power) and isinstance(part.args[1], Number):
        base, n = part.args
        for by in (-1, 1):
            if n.value + by:
                yield POWER, by, part, (raised := power(base, n.value + by)), raised


def _factors(part: Apply) -> Iterator[tuple[str, Any, Tree, Tree | None, Tree]]:
    """A factor left out, squared, or divided by; or what is divided by."""
    divided = is_call(part, np.divide)
    for k, (factor, rest) in enumerate(zip(part.args, part.args[::-1], strict=True)):
        if is_call(factor, np.multiply, np.divide, np.negative) or _is_gradient(factor):
            continue
        below = divided and k == 1
        if below or not divided:
            yield FACTOR, ("without", k), factor, None, rest
        elif divided:
            yield FACTOR, ("without", k), factor, None, apply(np.divide, Number(1), rest, dtype=part.dtype)
        if not isinstance(factor, Number) and not is_call(factor, np.square, np.power) and factor.dtype.kind == "f":
            square = power(factor, 2)
            args = (square if a is factor else a for a in part.args)
            yield POWER, k, factor, square, apply(part.fn, *args, dtype=part.dtype)
        if not divided and not _has_gradient(factor) and factor.dtype.kind == "f":
            yield DIVISION, k, part, (quotient := apply(np.divide, rest, factor, dtype=part.dtype)), quotient


def _is_gradient(tree: Tree) -> bool:
    return isinstance(tree, Symbol) and tree.kind == "gradient"


def _has_gradient(tree: Tree) -> bool:
    return any(_has_gradient(a) for a in tree.args) if isinstance(tree, Apply) else _is_gradient(tree)


# --- trials -----------------------------------------------------------------------------------------------------------


def _sent(tree: Tree, shape: tuple[int, ...], dtype: Any) -> Sent:
    """What a changed formula sends, of the gradient that comes in."""

    def sent(g: Any, c: Any) -> Any:
        upstream = Symbol("gradient", "g", np.asarray(g))
        value = np.asarray(evaluate(_mapped(tree, lambda part: upstream if _is_gradient(part) else part)), dtype)
        return value if value.shape == shape else np.broadcast_to(value, shape)

    return sent


def _trials(scene: Scene, kind: str, sentence: Callable[[_Step, _Edit], str]) -> Iterator[Trial]:
    """A change at each step."""
    for step, edits in _edited(scene):
        shape = step.formula.target.shape
        for edit in edits:
            if edit.kind == kind:
                change = step.change(_sent(edit.tree, shape, step.formula.target.dtype))
                said: Callable[[None], str] = partial(_later, sentence, step, edit)
                yield Trial(step.node, said, change, step.operand, kind=(step.kind, edit.place))


def _later(sentence: Callable[[_Step, _Edit], str], step: _Step, edit: _Edit, solved: None) -> str:
    return sentence(step, edit)


@once
def _edited(scene: Scene) -> list[tuple[_Step, list[_Edit]]]:
    return [(step, list(_edits(step.formula.tree))) for step in _steps(scene)]


def _written(step: _Step, part: Tree, *, alone: bool = False) -> str:
    text = Formula(step.formula.target, part).plain()
    return f"({text})" if is_call(part, np.add, np.subtract, np.negative) and not alone else text


def _rule(scene: Scene, step: _Step) -> str:
    adds = len(scene.sweeper.into[step.node.operands[step.operand]]) > 1 if step.operand is not None else False
    return scene.words.equation(step.formula, adds=adds)


def _where(scene: Scene, step: _Step) -> str:
    return f"{_rule(scene, step)}, at {scene.words.made(step.node)}"


@slip("factor of the rule left out", 40, generic=True, chancy=True)
def factor_left_out(scene: Scene) -> Iterator[Trial]:
    def sentence(step: _Step, edit: _Edit) -> str:
        return f"the factor {_written(step, edit.old)} was left out of {_where(scene, step)}"

    return _trials(scene, FACTOR, sentence)


@slip("term of the rule left out", 41, generic=True, chancy=True)
def term_left_out(scene: Scene) -> Iterator[Trial]:
    def sentence(step: _Step, edit: _Edit) -> str:
        return f"the term {_written(step, edit.old, alone=True)} was left out of {_where(scene, step)}"

    return _trials(scene, TERM, sentence)


def _instead(scene: Scene) -> Callable[[_Step, _Edit], str]:
    def sentence(step: _Step, edit: _Edit) -> str:
        assert edit.new is not None
        new, old = _written(step, edit.new), _written(step, edit.old)
        return f"{new} was taken in the place of {old} in {_where(scene, step)}"

    return sentence


@slip("sign in the rule", 42, generic=True, chancy=True)
def sign_flipped(scene: Scene) -> Iterator[Trial]:
    return _trials(scene, SIGN, _instead(scene))


@slip("power in the rule", 43, generic=True, chancy=True)
def power_off_by_one(scene: Scene) -> Iterator[Trial]:
    return _trials(scene, POWER, _instead(scene))


@slip("product and quotient mixed up", 44, generic=True, chancy=True)
def multiplied(scene: Scene) -> Iterator[Trial]:
    return _trials(scene, DIVISION, _instead(scene))
