"""Small edits of a formula: what a person may have written instead of it, each at one place.

They are read from the formula alone. An edit knows no derivative: it leaves out, repeats, exchanges, or takes something
else in the place of what is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.registry import RULES, Rule
from autograd.rules import elementwise, windows
from autograd.rules.indexing import getitem

from ...formula.products import power
from ...formula.terms import total
from ...formula.tidy import tidied
from ...formula.tree import (
    Apply,
    Number,
    Opaque,
    Symbol,
    Tree,
    apply,
    axes_of,
    each,
    is_call,
    negated,
    rebuilt,
    replaced,
    substituted,
    symbols,
    transposed,
)  # fmt: skip
from .parts import Edit, parts, put

__all__ = [
    "FUNCTIONS",
    "far",
    "has_gradient",
    "is_gradient",
    "is_square",
    "near",
    "products",
    "times_a_number",
    "turned",
    "values",
    "windows_flipped",
]

_OPPOSITE: dict[Any, Any] = {
    np.greater: np.less_equal, np.less: np.greater_equal, np.greater_equal: np.less, np.less_equal: np.greater,
}  # fmt: skip
FUNCTIONS = (
    elementwise.sigmoid.fn, elementwise.relu.fn, np.tanh, np.exp, np.log, np.sqrt, np.sin, np.cos, np.sinh, np.cosh,
)  # fmt: skip
"""That are taken for each other."""

Changed = Iterator[tuple[str, Any, Tree, Tree | None, Tree]]


def near(tree: Tree) -> Iterator[Edit]:
    """A factor, a term, a sign, a power at one place; the incoming gradient, or all but it."""
    for s in symbols(tree):
        if s.kind == "gradient" and tree is not s:
            if s.shape == tree.shape:
                yield Edit("local", ("local",), tree, s, s)
            yield Edit("upstream", ("upstream",), s, None, _without(tree, s))
    yield from _edits(tree, _nearly)


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
    yield from _edits(tree, _further)
    yield from _as_a_whole(tree)


def values(tree: Tree) -> Iterator[Edit]:
    """A value in the place of its derivative."""
    yield from (edit for edit in _edits(tree, _value_for_derivative) if edit.kind == "value")


def _edits(tree: Tree, changed: Callable[[Apply], Changed]) -> Iterator[Edit]:
    for place, part in parts(tree):
        if isinstance(part, Apply) and not isinstance(part, Opaque):
            for kind, key, old, new, instead in changed(part):
                yield Edit(kind, (*place, key), old, new, put(tree, place, instead))


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
    if minus:
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
            yield "factor", ("without", k), factor, None, rest
        elif divided:
            yield "factor", ("without", k), factor, None, apply(np.divide, Number(1), rest, dtype=part.dtype)
        if not isinstance(factor, Number) and not is_call(factor, np.square, np.power) and factor.dtype.kind == "f":
            square = power(factor, 2)
            args = (square if a is factor else a for a in part.args)
            yield "power", k, factor, square, apply(part.fn, *args, dtype=part.dtype)
        if not divided and not has_gradient(factor) and factor.dtype.kind == "f":
            yield "division", k, part, (quotient := apply(np.divide, rest, factor, dtype=part.dtype)), quotient


def is_gradient(tree: Tree) -> bool:
    return isinstance(tree, Symbol) and tree.kind == "gradient"


def has_gradient(tree: Tree) -> bool:
    return any(is_gradient(part) for part in each(tree))


# --- far --------------------------------------------------------------------------------------------------------------


def _further(part: Apply) -> Changed:
    yield from _value_for_derivative(part)
    if is_call(part, np.multiply, np.divide):
        yield from _brackets(part)
    if is_call(part, np.sum, total) or part.rule.name in ("fold_windows", "scatter"):
        yield from _loops(part)
    if is_call(part, np.matmul, np.outer):
        yield from _products(part)
    yield from _flipped(part)
    for k, number in enumerate(part.args):
        if isinstance(number, Number) and np.ndim(number.value) == 0 and not is_call(part, np.power):
            for other in _other_numbers(number.value):
                instead = part.with_args([Number(other) if j == k else a for j, a in enumerate(part.args)])
                yield "constant", (k, other), number, Number(other), instead
    if is_call(part, np.transpose) and part.ndim == 2:
        yield "transpose", "left out", part, part.args[0], part.args[0]
    if is_call(part, np.linalg.inv):
        turned = transposed(part)
        yield "transpose", "put in", part, turned, turned
        yield "function", "inverse", part, part.args[0], part.args[0]


def _other_numbers(value: Any) -> list[float]:
    if isinstance(value, bool | np.bool_) or value is None:
        return []
    v = float(value)
    some = dict.fromkeys([2 * v, v / 2, v * v, 1 / v if v else 0.0, v + 1, v - 1, 4 * v, v / 4, 1.0])
    return [k for k in some if k != v and k and math.isfinite(k)]


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


def special(name: str, fn: Callable[..., Any], part: Apply, *args: Tree) -> Apply:
    """What no rule of the table computes, of the shape of a part."""
    return Apply(Rule(fn, name), args, {}, part.shape, part.dtype)


def _loops(part: Apply) -> Changed:
    """A sum of which one summand alone was kept, or that counts once what it has to count each time."""
    x = part.args[0]
    if part.rule.name == "fold_windows":
        yield "assigned", "last", part, (one := special("last", _last_window(part), part, x)), one
    elif part.rule.name == "scatter":
        yield "index", "last", part, (one := special("last", _last_index(part), part, x)), one
    elif is_call(part, np.sum) and x.ndim:
        yield from _of_one(part)
        axes, kept = tuple(axes_of(part)), part.options.get("keepdims", False)
        yield "once", "", part, (one := special("once", _counted_once(axes, kept), part, x)), one
        for axis in range(x.ndim) if len(axes) == 1 else ():
            other = summed_over(part, (axis,), keepdims=kept)
            if axis not in axes and _broadcasts(other.shape, x.shape if kept else part.shape):
                yield "axis", axis, part, other, other
        n = math.prod(x.shape[a] for a in axes)
        if n > 1:
            yield "constant", "mean", part, (mean := apply(np.divide, part, Number(float(n)), like=part)), mean
        if is_call(x, np.multiply):
            for factor, rest in (x.args, x.args[::-1]):
                inner = part.with_args([rest]) if rest.shape == x.shape else None
                if inner is not None and factor.shape and _broadcasts(factor.shape, part.shape):
                    other = apply(np.multiply, inner, factor, dtype=part.dtype)
                    yield "loop", factor, part, other, other


def _of_one(part: Apply) -> Changed:
    for which, at in (("first", 0), ("last", -1)):
        yield "loop", which, part, (one := one_of(part, at)), one


def times_a_number(tree: Tree, k: float) -> Tree:
    """A formula times a number, in the place of the number that is in it."""
    if k == -1:
        return tree.args[0] if is_call(tree, np.negative) else negated(tree)
    found, n = _into_its_number(tree, k), round(1 / k)
    if found is None and abs(n) > 1 and abs(k * n - 1) < 1e-12:
        return tidied(apply(np.divide, tree, Number(n), dtype=tree.dtype))
    return found or tidied(apply(np.multiply, Number(k), tree, dtype=tree.dtype))


def _into_its_number(tree: Tree, k: float) -> Tree | None:
    if not is_call(tree, np.multiply, np.divide, np.negative, np.sum, np.broadcast_to, np.reshape):
        return None
    divided = is_call(tree, np.divide)
    for j, one in enumerate(tree.args):
        if isinstance(one, Number) and np.ndim(one.value) == 0 and (j or not divided):
            number = one.value / k if divided else one.value * k
            number = round(number) if abs(number - round(number)) < 1e-12 * abs(number) else number
            inner: Tree | None = Number(number)
            if number == 1:
                return tree.args[1 - j]
        else:
            inner = _into_its_number(one, k) if j == 0 or not divided else None
        if inner is not None:
            return tree.with_args([inner if i == j else a for i, a in enumerate(tree.args)])
    return None


def one_of(part: Apply, at: int) -> Apply:
    """One summand of a sum, or of a product of matrices."""
    if is_call(part, np.matmul):
        a, b = part.args
        return apply(np.outer, _at(transposed(a), (at,)), _at(b, (at,)), like=part)
    axes, kept = axes_of(part), part.options.get("keepdims", False)
    one = slice(at, at + 1 or None) if kept else at
    return _at(part.args[0], tuple(one if k in axes else slice(None) for k in range(max(axes) + 1)))


def _at(x: Tree, index: tuple[Any, ...]) -> Apply:
    shape = np.broadcast_to(0, x.shape)[index].shape
    return Apply(getitem.rule, (x,), {"index": index}, shape, x.dtype)


def summed_over(part: Apply, axes: tuple[int, ...], *, keepdims: bool) -> Apply:
    """A sum over other axes."""
    x = part.args[0]
    shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape) if keepdims or k not in axes)
    options = {"axis": axes if len(axes) > 1 else axes[0], **({"keepdims": True} if keepdims else {})}
    return Apply(part.rule, (x,), options, shape, part.dtype)


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(a, b) == b
    except ValueError:
        return False


def _counted_once(axes: tuple[int, ...], kept: bool) -> Callable[[Any], Any]:
    def once(x: Any) -> Any:
        n = np.count_nonzero(x, axis=axes, keepdims=kept)
        return np.sum(x, axis=axes, keepdims=kept) / np.maximum(n, 1)

    return once


def _last_window(part: Apply) -> Callable[[Any], Any]:
    options = dict(part.options)
    shape = options.pop("shape")

    def assigned(g: Any) -> Any:
        size = int(np.prod(shape))
        own = {"kernel_size": g.shape[-2:], **options}
        places = np.asarray(windows.windows.fn(np.arange(float(size)).reshape(shape), **own)).astype(int)
        out = np.zeros(size)
        n = g.shape[2] * g.shape[3]
        flat = (g.reshape(*g.shape[:2], n, -1), places.reshape(*places.shape[:2], n, -1))
        for k in range(n):
            values, where = (one[:, :, k].ravel() for one in flat)
            chosen = values != 0
            out[where[chosen]] = values[chosen]
        return out.reshape(shape)

    return assigned


def _last_index(part: Apply) -> Callable[[Any], Any]:
    index, shape = part.options["index"], part.options["shape"]

    def assigned(g: Any) -> Any:
        out = np.zeros(shape)
        out[replaced(index, lambda i: i.array if isinstance(i, Symbol) else i)] += g
        return out

    return assigned


def turned(x: Tree) -> Tree:
    """A matrix, or each of several, transposed."""
    if x.ndim == 2:
        return transposed(x)
    if is_call(x, np.swapaxes) and {x.options["axis1"], x.options["axis2"]} == {-1, -2}:
        return x.args[0]
    shape = (*x.shape[:-2], *x.shape[:-3:-1])
    return Apply(RULES[np.swapaxes], (x,), {"axis1": -1, "axis2": -2}, shape, x.dtype)


def is_square(x: Any) -> bool:
    return x.ndim > 1 and x.shape[-1] == x.shape[-2] > 1


def products(tree: Tree) -> Iterator[Edit]:
    """A factor of a product of matrices transposed, or both in the other order."""
    yield from _edits(tree, _of_matrices)


def _of_matrices(part: Apply) -> Changed:
    einsum = part.rule.name == "einsum"
    if not (is_call(part, np.matmul) or einsum) or len(part.args) != 2:
        return
    a, b = part.args
    for k, one in enumerate(part.args):
        if is_square(one):
            other = turned(one)
            yield "transpose", k, one, other, part.with_args([other if j == k else x for j, x in enumerate((a, b))])
    if is_square(a) and is_square(b) and a.ndim == b.ndim:
        other = turned(part.with_args([turned(a), turned(b)])) if einsum else part.with_args([b, a])
        yield "order", "turned", part, other, other


def windows_flipped(tree: Tree) -> Iterator[Edit]:
    """A kernel turned by 180°, or its gradient."""
    yield from _edits(tree, _flipped)


def _flipped(part: Apply) -> Changed:
    if part.rule.name == "window_product_windows":
        g, kernel = part.args
        yield "flipped", "kernel", kernel, (other := _turned_round(kernel)), part.with_args([g, other])
    elif part.rule.name == "window_product_weight":
        yield "flipped", "gradient", part, (other := _turned_round(part)), other


def _turned_round(x: Tree) -> Apply:
    return Apply(RULES[np.flip], (x,), {"axis": (-2, -1)}, x.shape, x.dtype)


def _products(part: Apply) -> Changed:
    a, b = part.args
    if is_call(part, np.outer):
        if a.shape == b.shape:
            yield "order", "turned", part, (other := part.with_args([b, a])), other
        return
    yield from _of_matrices(part)
    if a.ndim != 2 or b.ndim != 2:
        return
    if a.shape == b.shape == part.shape:
        yield "elementwise", "", part, (product := apply(np.multiply, a, b, like=part)), product
    yield from _of_one(part)
    for which, at in (("first", 0), ("last", -1)):
        for inside in (0, 1):
            fn = _outside_of_a_loop(at, inside)
            yield "outside", (which, inside), part, (one := special("outside", fn, part, a, b)), one


def _outside_of_a_loop(at: int, inside: int) -> Callable[[Any, Any], Any]:
    """Of the two factors one is added up, the other one is what it was when the loop ended."""
    if inside:
        return lambda a, b: np.multiply.outer(a[:, at], b.sum(0))
    return lambda a, b: np.multiply.outer(a.sum(1), b[at])


def _as_a_whole(tree: Tree) -> Iterator[Edit]:
    """What is changed everywhere at once, or beside all of the formula."""
    found = [part for part in each(tree) if is_call(part, np.transpose) and part.ndim == 2]
    if len(found) > 1:
        without = rebuilt(tree, lambda p: p.args[0] if is_call(p, np.transpose) and p.args[0].shape == p.shape else p)
        yield Edit("transpose", ("all",), tree, without, without)
    own = diagonal(tree)
    if own is not tree:
        yield Edit("diagonal", ("diagonal",), tree, own, own)
    yield Edit("sign", ("whole",), tree, (minus := negated(tree)), minus)
    named = [s for s in symbols(tree) if s.dtype.kind == "f"]
    for factor in _factors_of(tree):
        if _broadcasts(factor.shape, tree.shape) and factor.dtype.kind == "f" and not isinstance(factor, Number):
            again = apply(np.multiply, tree, factor, dtype=tree.dtype)
            yield Edit("again", ("again", id(factor)), factor, apply(np.square, factor, like=factor), again)
    values = [s for s in named if s.kind != "gradient"]
    for k, a in enumerate(values):
        for b in values[k + 1 :]:
            if a.shape == b.shape:
                exchanged = substituted(tree, {id(a): b, id(b): a})
                yield Edit("exchanged", ("exchanged", a.name, b.name), tree, exchanged, exchanged)


def diagonal(tree: Tree) -> Tree:
    """A formula as if no element depended on another one: without the sums over what it has the shape of."""

    def own(part: Tree) -> Tree:
        return part.args[0] if is_call(part, np.sum) and part.args[0].shape == tree.shape else part

    return rebuilt(tree, own)


def _factors_of(tree: Tree) -> Sequence[Tree]:
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
