"""Small edits of a formula: what a person may have written instead of it, each at one place.

They are read from the formula alone. An edit knows no derivative: it leaves out, repeats, exchanges, or takes something
else in the place of what is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeGuard

import numpy as np

from autograd.rules import elementwise

from ...formula.products import power
from ...formula.terms import total
from ...formula.tidy import reshaped, tidied
from ...formula.tree import (
    Apply,
    Number,
    Symbol,
    Tree,
    apply,
    axes_of,
    each,
    is_call,
    negated,
    rebuilt,
    substituted,
    symbols,
    transposed,
)  # fmt: skip
from ..trials import is_round
from .parts import Changed, Edit, edits_of, has_gradient, is_gradient, parts, put
from .sums import broadcasts, flipped, in_any_order, is_square, of_products, of_sums, summed_over

__all__ = ["FUNCTIONS", "diagonal", "factor_of", "far", "near", "numbers", "times_a_number", "values"]

_OPPOSITE: dict[Any, Any] = {
    np.greater: np.less_equal, np.less: np.greater_equal, np.greater_equal: np.less, np.less_equal: np.greater,
}  # fmt: skip
FUNCTIONS = (
    elementwise.sigmoid.fn, elementwise.relu.fn, np.tanh, np.exp, np.log, np.sqrt, np.sin, np.cos, np.sinh, np.cosh,
)  # fmt: skip
"""That are taken for each other."""


def near(tree: Tree) -> Iterator[Edit]:
    """A factor, a term, a sign, a power at one place; the incoming gradient, or all but it."""
    for s in symbols(tree):
        if s.kind == "gradient" and tree is not s:
            if broadcasts(s.shape, tree.shape) and not is_call(tree, np.negative):  # where it is a sign that is missing
                yield Edit("local", ("local",), tree, s, s)
            yield Edit("upstream", ("upstream",), s, None, (local := _without(tree, s)))
            own = local.shape == s.shape == tree.shape and not any(is_call(part, np.sum) for part in each(local))
            for fn in (np.add, np.subtract) if own else ():
                yield Edit("added", (fn.__name__,), tree, (added := apply(fn, s, local, dtype=tree.dtype)), added)
    yield from edits_of(tree, _nearly)


def _without(tree: Tree, s: Symbol) -> Tree:
    """A formula with ones in the place of a gradient; without it where it is a factor that changes no shape."""
    for place, part in parts(tree):
        if is_call(part, np.multiply) and any(a is s for a in part.args):
            rest = part.args[0] if part.args[1] is s else part.args[1]
            if rest is not s and rest.shape == part.shape and sum(one is s for _, one in parts(tree)) == 1:
                return put(tree, place, rest)
    return substituted(tree, {id(s): Symbol("constant", "1", np.ones(s.shape, s.dtype))})


def far(tree: Tree) -> Iterator[Edit]:
    """What takes more than that: another number, a function for its derivative, a loop that went wrong."""
    yield from edits_of(tree, _further)
    yield from _as_a_whole(tree)


def numbers(tree: Tree) -> Iterator[tuple[float, Tree, Callable[[float], tuple[Tree, Tree]]]]:
    """The numbers in a formula, and one that it is multiplied by as a whole: its value, what is changed, and what comes
    with another one, of that and of the formula."""
    for place, part in parts(tree):
        for k, one in enumerate(part.args if isinstance(part, Apply) and not is_call(part, np.power) else ()):
            if (
                isinstance(one, Number)
                and np.ndim(one.value) == 0
                and not isinstance(one.value, bool | np.bool_ | None)
            ):
                yield float(one.value), one, partial(_with_number, tree, (*place, k))
    yield 1.0, tree, lambda k: (times_a_number(tree, k),) * 2


def _with_number(tree: Tree, place: tuple[int, ...], k: float) -> tuple[Tree, Tree]:
    return Number(k), put(tree, place, Number(k))


def values(tree: Tree) -> Iterator[Edit]:
    """A value in the place of its derivative."""
    yield from (edit for edit in edits_of(tree, _value_for_derivative) if edit.kind == "value")


# --- near -------------------------------------------------------------------------------------------------------------


def _nearly(part: Apply) -> Changed:
    """What can go wrong with one part: the kind, which one, what is changed, to what, and the part that comes out."""
    if is_call(part, np.multiply):
        yield from _factors(part)
    elif is_call(part, np.divide):
        above, below = part.args
        yield from _factors(part)
        yield "division", "multiplied", part, (product := apply(np.multiply, above, below, dtype=part.dtype)), product
    elif is_call(part, np.add, np.subtract):
        yield from _terms(part)
    elif is_call(part, total):
        for k, term in enumerate(part.args):
            rest = (*part.args[:k], *part.args[k + 1 :])
            if len(rest) > 1:
                yield "term", k, term, None, Apply(part.rule, rest, part.options, part.shape, part.dtype)
    elif part.fn in _OPPOSITE:
        opposite = apply(_OPPOSITE[part.fn], *part.args, shape=part.shape, dtype=part.dtype)
        yield "sign", "opposite", part, opposite, opposite
    elif is_call(part, np.negative):
        yield "sign", "lost", part, part.args[0], part.args[0]
    elif is_call(part, np.square):
        for n in (1, 3):
            yield "power", n, part, (raised := power(part.args[0], n)), raised
    elif is_call(part, np.power) and isinstance(part.args[1], Number):
        base, exponent = part.args
        for by in (-1, 1):
            if exponent.value + by:
                yield "power", by, part, (raised := power(base, exponent.value + by)), raised


def _terms(part: Apply) -> Changed:
    first, second = part.args
    minus = is_call(part, np.subtract)
    other = apply(np.add if minus else np.subtract, first, second, dtype=part.dtype)
    yield "sign", "second", part, other, other
    turned = apply(np.subtract, second, first, dtype=part.dtype)
    yield "sign", "turned", part, turned, turned
    last = apply(np.negative, second, dtype=part.dtype) if minus else second
    yield "term", "first", first, None, last
    yield "term", "second", last, None, first
    for k, one in enumerate(part.args):
        if isinstance(one, Symbol) and not is_gradient(one) and one.dtype.kind == "f":
            square = power(one, 2)
            args = (square, second) if k == 0 else (first, square)
            yield "power", ("term", k), one, square, apply(part.fn, *args, dtype=part.dtype)


def _factors(part: Apply) -> Changed:
    """A factor left out, squared, or divided by; or what is divided by."""
    divided = is_call(part, np.divide)
    for k, (factor, rest) in enumerate(zip(part.args, part.args[::-1], strict=True)):
        if is_call(factor, np.multiply, np.divide, np.negative) or is_gradient(factor):
            continue
        below = divided and k == 1
        if below or not divided:
            said = apply(np.divide, Number(1), factor, dtype=part.dtype) if below else factor
            yield "factor", ("without", k), said, None, rest
        elif divided:
            yield "factor", ("without", k), factor, None, apply(np.divide, Number(1), rest, dtype=part.dtype)
        if not isinstance(factor, Number) and not is_call(factor, np.square, np.power) and factor.dtype.kind == "f":
            square = power(factor, 2)
            args = (square if a is factor else a for a in part.args)
            yield "power", k, factor, square, apply(part.fn, *args, dtype=part.dtype)
        if not divided and not has_gradient(factor) and factor.dtype.kind == "f":
            yield "division", k, part, (quotient := apply(np.divide, rest, factor, dtype=part.dtype)), quotient


# --- far --------------------------------------------------------------------------------------------------------------


def _further(part: Apply) -> Changed:
    yield from _value_for_derivative(part)
    if is_call(part, np.multiply, np.divide):
        yield from _brackets(part)
    if is_call(part, np.sum, total) or part.rule.name in ("fold_windows", "scatter"):
        yield from of_sums(part)
    if is_call(part, np.matmul, np.outer):
        yield from of_products(part)
        yield from in_any_order(part)
    yield from flipped(part)
    if is_call(part, np.transpose) and part.ndim == 2:
        yield "transpose", "left out", part, part.args[0], part.args[0]
        yield "transpose", "reshaped", part, (read := reshaped(part.args[0], part.shape)), read
    if is_call(part, np.linalg.inv):
        turned = transposed(part)
        yield "transpose", "put in", part, turned, turned
        yield "function", "inverse", part, part.args[0], part.args[0]


def _value_for_derivative(part: Apply) -> Changed:
    """``a`` for ``1 − a²`` or for ``a > 0``."""
    if has_gradient(part) or is_call(part, np.negative, np.transpose, np.linalg.inv):
        return
    for s in symbols(part) if not is_call(part, np.square) else ():
        if s.shape == part.shape and s.dtype.kind == "f" and part.shape is not None:
            yield "value", s.name, part, s, s
    if part.fn in FUNCTIONS and part.args[0].shape == part.shape:
        for fn in FUNCTIONS:
            if fn is not part.fn:
                yield "function", fn, part, (other := apply(fn, *part.args, like=part)), other


def _brackets(part: Apply) -> Changed:
    """A factor that is multiplied with one term alone."""
    divided = is_call(part, np.divide)
    for k, inner in enumerate(part.args):
        if is_call(inner, np.add, np.subtract) and not (divided and k == 1):
            factor = part.args[1 - k]
            x, y = inner.args
            for which, args in (("first", (_with(part, x, factor), y)), ("second", (x, _with(part, y, factor)))):
                one = apply(inner.fn, *args, dtype=part.dtype)
                if one.shape == part.shape:
                    yield "bracket", which, part, one, one


def _with(part: Apply, x: Tree, factor: Tree) -> Tree:
    return apply(part.fn, x, factor, dtype=part.dtype)


def times_a_number(tree: Tree, k: float) -> Tree:
    """A formula times a number, in the place of the number that is in it."""
    if abs(k) == 1:
        return tree if k == 1 else tree.args[0] if is_call(tree, np.negative) else negated(tree)
    found, n = _its_number(tree), float(round(1 / k))
    if found is not None:
        place, part, j = found
        number = _value(part, j) / k if is_call(part, np.divide) else _value(part, j) * k
        number = round(number) if abs(number - round(number)) < 1e-12 * abs(number) else number
        other = part.with_args([Number(number) if i == j else a for i, a in enumerate(part.args)])
        return put(tree, place, part.args[1 - j] if number == 1 else other)
    n = 1 / k if is_round(1 / k) and not is_round(k) else n
    if abs(n) > 1 and abs(k * n - 1) < 1e-12:
        return tidied(apply(np.divide, tree, Number(n), dtype=tree.dtype))
    return tidied(apply(np.multiply, Number(k), tree, dtype=tree.dtype))


def factor_of(tree: Tree) -> float:
    """The number that a formula multiplies by, 1 where there is none."""
    if (found := _its_number(tree)) is None:
        return 1.0
    _, part, j = found
    return 1 / _value(part, j) if is_call(part, np.divide) else _value(part, j)


def _its_number(tree: Tree, place: tuple[int, ...] = ()) -> tuple[tuple[int, ...], Apply, int] | None:
    """Where a formula multiplies by a number, or divides by one: in which product or quotient, as which operand."""
    if not is_call(tree, np.multiply, np.divide, np.negative, np.sum, np.broadcast_to, np.reshape):
        return None
    for j, one in enumerate(tree.args[: 1 + is_call(tree, np.multiply, np.divide)]):
        if isinstance(one, Number) and np.ndim(one.value) == 0 and one.value and (j or not is_call(tree, np.divide)):
            return place, tree, j
        found = _its_number(one, (*place, j)) if j == 0 or is_call(tree, np.multiply) else None
        if found is not None:
            return found
    return None


def _value(part: Apply, j: int) -> float:
    return float(part.args[j].value)


def _as_a_whole(tree: Tree) -> Iterator[Edit]:
    """What is changed everywhere at once, or beside all of the formula."""
    found = [part for part in each(tree) if is_call(part, np.transpose) and part.ndim == 2]
    if len(found) > 1:
        without = rebuilt(tree, lambda p: p.args[0] if is_call(p, np.transpose) and p.args[0].shape == p.shape else p)
        yield Edit("transpose", ("all",), tree, without, without)
    yield from _number_on_one_term(tree)
    own = diagonal(tree)
    if own is not tree:
        yield Edit("diagonal", ("diagonal",), tree, own, own)
    yield from _everywhere(tree)
    yield Edit("sign", ("whole",), tree, (minus := negated(tree)), minus)
    named = [s for s in symbols(tree) if s.dtype.kind == "f"]
    factors = _factors_of(tree)
    factors += [s for s in named if s.kind == "gradient" and all(s is not one for one in factors)]
    for factor in factors:
        if broadcasts(factor.shape, tree.shape) and factor.dtype.kind == "f" and not isinstance(factor, Number):
            again = apply(np.multiply, tree, factor, dtype=tree.dtype)
            yield Edit("again", ("again", id(factor)), factor, apply(np.square, factor, like=factor), again)
    values = [s for s in named if s.kind != "gradient"]
    for k, a in enumerate(values):
        for b in values[k + 1 :]:
            if a.shape == b.shape:
                exchanged = substituted(tree, {id(a): b, id(b): a})
                yield Edit("exchanged", ("exchanged", a.name, b.name), tree, exchanged, exchanged)


def _number_on_one_term(tree: Tree) -> Iterator[Edit]:
    """The number that a formula multiplies by, on one term of a sum within alone."""
    found = _its_number(tree)
    if found is None:
        return
    at, part, j = found
    without, by = put(tree, at, part.args[1 - j]), part.fn
    for place, inner in parts(without):
        if is_call(inner, np.add, np.subtract) and inner.shape == inner.args[0].shape == inner.args[1].shape:
            for k, term in enumerate(inner.args):
                scaled = apply(by, term, part.args[j]) if is_call(part, np.divide) else apply(by, part.args[j], term)
                other = put(
                    without, place, inner.with_args([scaled if i == k else a for i, a in enumerate(inner.args)])
                )
                yield Edit("bracket", (*place, "number", k), tree, other, other)


def _everywhere(tree: Tree) -> Iterator[Edit]:
    """All sums over another axis; a factor that comes several times in one place alone."""
    sums = [part for part in each(tree) if _is_of_gradients(part)]
    for axis in range(min(part.args[0].ndim for part in sums)) if sums else ():
        counts = {math.prod(x.shape[k] for k in axes_of(part)): x.shape[axis] for part in sums for x in part.args}
        is_mean = any(isinstance(n, Number) and counts.get(n.value, n.value) != n.value for n in each(tree))
        if len(sums) > 1 or is_mean:
            other = rebuilt(tree, partial(_along, axis, counts))
            yield Edit("axis", ("all", axis), tree, other, other)
    for s in symbols(tree):
        if s.kind != "gradient" and is_square(s):
            without = rebuilt(tree, partial(_without_factor, s))
            if without is not tree:
                yield Edit("factor", ("all", s.name), s, None, without)
        places = [place for place, part in parts(tree) if is_call(part, np.multiply) and any(a is s for a in part.args)]
        for kept in places if len(places) > 1 and s.kind != "gradient" else ():
            fewer = tree
            for place in sorted(places, key=len, reverse=True):
                part: Any = next(part for at, part in parts(fewer) if at == place)
                rest = next((a for a in part.args if a is not s), part)
                fewer = put(fewer, place, rest) if place != kept and rest.shape == part.shape else fewer
            yield Edit("factor", ("once", s.name, kept), s, None, fewer)


def _without_factor(s: Symbol, part: Tree) -> Tree:
    """A product of matrices without one of them."""
    if not is_call(part, np.matmul):
        return part
    rest = [a for a in part.args if a is not s and not (is_call(a, np.transpose) and a.args[0] is s)]
    return rest[0] if len(rest) == 1 and rest[0].shape == part.shape else part


def _is_of_gradients(part: Any) -> TypeGuard[Apply]:
    """Whether it is a sum of what is made of a gradient, and of no other sum."""
    if not is_call(part, np.sum) or part.args[0].ndim < 2:
        return False
    return has_gradient(part) and not any(is_call(one, np.sum) for one in each(part.args[0]))


def _along(axis: int, counts: Mapping[float, int], part: Tree) -> Tree:
    """A sum of gradients over another axis, and means by its length."""
    if _is_of_gradients(part):
        return summed_over(part, (axis,), keepdims=bool(part.options.get("keepdims")))
    if is_call(part, np.divide) and isinstance(by := part.args[1], Number) and np.ndim(by.value) == 0:
        return part.with_args([part.args[0], Number(counts.get(by.value, by.value))])
    return part


def diagonal(tree: Tree) -> Tree:
    """A formula as if no element depended on another one: without the sums over what it has the shape of."""

    def own(part: Tree) -> Tree:
        return part.args[0] if is_call(part, np.sum) and part.args[0].shape == tree.shape else part

    return rebuilt(tree, own)


def _factors_of(tree: Tree) -> list[Tree]:
    """The factors of the outermost product, those within sums and matrix products included."""
    found: list[Tree] = []
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if is_call(part, np.multiply):
            waiting += part.args
        elif is_call(part, np.divide, np.negative):
            waiting.append(part.args[0])
        else:
            found.append(part)
    return found
