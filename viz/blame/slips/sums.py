"""Small edits of what adds up: a sum, a product of matrices, overlapping windows, an index that repeats."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.registry import RULES, Rule
from autograd.rules import windows
from autograd.rules.indexing import getitem

from ...formula.tree import Apply, Number, Symbol, Tree, apply, axes_of, is_call, replaced, transposed
from .parts import Changed, is_gradient

__all__ = [
    "broadcasts", "flipped", "flipped_in", "in_any_order", "is_square", "of_matrices", "of_products", "of_sums",
    "one_of", "sum_over", "summed_over", "turned",
]  # fmt: skip

_MOST_FACTORS = 4


def _special(name: str, fn: Callable[..., Any], part: Apply, *args: Tree) -> Apply:
    """What no rule of the table computes, of the shape of a part."""
    return Apply(Rule(fn, name), args, {}, part.shape, part.dtype)


def of_sums(part: Apply) -> Changed:
    """A sum of which one summand alone was kept, or that counts once what it has to count each time."""
    x = part.args[0]
    if part.rule.name == "fold_windows":
        yield "assigned", "last", part, (one := _special("last", _last_window(part), part, x)), one
    elif part.rule.name == "scatter":
        for which, name, along in _indexes(part):
            yield "index", which, part, (one := _special(name, _last_index(part, along), part, x)), one
    elif is_call(part, np.sum) and x.ndim:
        yield from _of_one(part)
        axes, kept = tuple(axes_of(part)), part.options.get("keepdims", False)
        yield "once", "", part, (one := _special("once", _counted_once(axes, kept), part, x)), one
        yield "once", "each", part, (one := _special("once", _counted_for_each, part, x)), one
        for some in (*((k,) for k in range(x.ndim)), tuple(range(x.ndim))) if len(axes) == 1 < x.ndim else ():
            other = summed_over(part, some, keepdims=kept)
            if some != axes and broadcasts(other.shape, x.shape if kept else part.shape):
                yield "axis", some, part, other, other
        n = math.prod(x.shape[a] for a in axes)
        if n > 1:
            yield "constant", "mean", part, (mean := apply(np.divide, part, Number(float(n)), like=part)), mean
        if is_call(x, np.multiply):
            for factor, rest in (x.args, x.args[::-1]):
                inner = part.with_args([rest]) if rest.shape == x.shape else None
                if inner is not None and factor.shape and broadcasts(factor.shape, part.shape):
                    other = apply(np.multiply, inner, factor, dtype=part.dtype)
                    yield "loop", factor, part, other, other


def _of_one(part: Apply) -> Changed:
    for which, at in (("first", 0), ("last", -1)):
        yield "loop", which, part, (one := one_of(part, at)), one


def one_of(part: Apply, at: int) -> Apply:
    """One summand of a sum, or of a product of matrices."""
    if is_call(part, np.matmul):
        a, b = part.args
        product = np.outer if b.ndim > 1 else np.multiply
        return apply(product, _at(transposed(a), (at,)), _at(b, (at,)), like=part)
    axes, kept = axes_of(part), part.options.get("keepdims", False)
    one = slice(at, at + 1 or None) if kept else at
    return _at(part.args[0], tuple(one if k in axes else slice(None) for k in range(max(axes) + 1)))


def _at(x: Tree, index: tuple[Any, ...]) -> Apply:
    shape = np.broadcast_to(0, x.shape)[index].shape
    return Apply(getitem.rule, (x,), {"index": index}, shape, x.dtype)


def summed_over(part: Apply, axes: tuple[int, ...], *, keepdims: bool) -> Apply:
    """A sum over other axes."""
    return sum_over(part.args[0], axes, keepdims=keepdims, dtype=part.dtype)


def sum_over(x: Tree, axes: tuple[int, ...] | None, *, keepdims: bool = False, dtype: Any = None) -> Apply:
    """The sum of a part over some axes, or over all."""
    dtype = x.dtype if dtype is None else dtype
    if axes is None:
        return Apply(RULES[np.sum], (x,), {}, (), dtype)
    shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape) if keepdims or k not in axes)
    options = {"axis": axes if len(axes) > 1 else axes[0], **({"keepdims": True} if keepdims else {})}
    return Apply(RULES[np.sum], (x,), options, shape, dtype)


def broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether one shape broadcasts to another."""
    try:
        return np.broadcast_shapes(a, b) == b
    except ValueError:
        return False


def _counted_for_each(x: Any) -> Any:
    """The number that is added up, also where it is not once."""
    some = x[x != 0]
    return some[0] if some.size and np.allclose(some, some[0]) else np.nan


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


def _index(part: Apply) -> Any:
    return replaced(part.options["index"], lambda i: i.array if isinstance(i, Symbol) else i)


def _indexes(part: Apply) -> Iterator[tuple[str, str, int | None]]:
    """An index as a whole; and one of several axes row by row, where rows are added, or column by column."""
    yield "", "last", None
    index = _index(part)
    if isinstance(index, np.ndarray) and index.dtype.kind in "iu" and index.ndim > 1:
        for axis, which in enumerate(("row", "column")):
            yield f" in one {which}", f"last_in_{which}", axis


def _last_index(part: Apply, along: int | None) -> Callable[[Any], Any]:
    index, shape = _index(part), part.options["shape"]

    def assigned(g: Any) -> Any:
        out, ways = np.zeros(shape), ([x] if along is None else np.moveaxis(x, along, 0) for x in (index, g))
        for at, one in zip(*ways, strict=True):
            out[at] += one
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


def of_matrices(part: Apply) -> Changed:
    """A factor of a product of matrices left out or transposed, or both in the other order."""
    einsum = part.rule.name == "einsum"
    if not (is_call(part, np.matmul) or einsum) or len(part.args) != 2:
        return
    a, b = part.args
    for k, one in enumerate(part.args):
        rest = part.args[1 - k]
        if is_square(one) and rest.shape == part.shape and not is_gradient(one):
            yield "factor", k, one, None, rest
        if is_square(one):
            other = turned(one)
            yield "transpose", k, one, other, part.with_args([other if j == k else x for j, x in enumerate((a, b))])
    if is_square(a) and is_square(b) and a.ndim == b.ndim:
        other = turned(part.with_args([turned(a), turned(b)])) if einsum else part.with_args([b, a])
        yield "order", "turned", part, other, other


def in_any_order(part: Apply) -> Changed:
    """Square matrices multiplied as if their order did not matter, also without a transpose: X⁻² for X⁻¹ Y X⁻¹."""
    factors = _factors(part) if is_square(part) else []
    if not 2 < len(factors) <= _MOST_FACTORS or any(a.shape != part.shape for a in factors):
        return
    for order in itertools.permutations(range(len(factors))):
        for side in (factors, [turned(a) for a in factors]):
            other = functools.reduce(lambda a, b: apply(np.matmul, a, b, like=a), [side[k] for k in order])
            yield "order", (order, side is factors), part, other, other


def _factors(x: Tree) -> list[Tree]:
    """Of a product of matrices, or of its transpose."""
    if is_call(x, np.matmul):
        return [one for a in x.args for one in _factors(a)]
    if is_call(x, np.transpose) and is_call(x.args[0], np.matmul):
        return [turned(one) for one in reversed(_factors(x.args[0]))]
    return [x]


def flipped(part: Apply) -> Changed:
    """A kernel turned by 180°, or its gradient."""
    if part.rule.name == "window_product_windows":
        g, kernel = part.args
        yield "flipped", "kernel", kernel, (other := flipped_in(kernel)), part.with_args([g, other])
    elif part.rule.name == "window_product_weight":
        yield "flipped", "gradient", part, (other := flipped_in(part)), other
        g, windows_of = part.args
        upstream = part.with_args([flipped_in(g), windows_of])
        yield "flipped", "upstream", g, flipped_in(g), upstream
        yield "flipped", "input", windows_of, flipped_in(windows_of), flipped_in(upstream)


def flipped_in(x: Tree, axes: tuple[int, ...] = (-2, -1)) -> Apply:
    return Apply(RULES[np.flip], (x,), {"axis": axes}, x.shape, x.dtype)


def of_products(part: Apply) -> Changed:
    """Also a product element by element, or of a loop that kept one summand or multiplied outside."""
    a, b = part.args
    if is_call(part, np.outer):
        if a.shape == b.shape:
            yield "order", "turned", part, (other := part.with_args([b, a])), other
        return
    yield from of_matrices(part)
    if a.ndim != 2 or b.ndim != 2:
        yield from _of_one(part) if a.ndim == 2 and b.ndim == 1 else ()
        return
    if a.shape == b.shape == part.shape:
        yield "elementwise", "", part, (product := apply(np.multiply, a, b, like=part)), product
    yield from _of_one(part)
    for which, at in (("first", 0), ("last", -1)):
        for inside in (0, 1):
            fn = _outside_of_a_loop(at, inside)
            yield "outside", (which, inside), part, (one := _special("outside", fn, part, a, b)), one


def _outside_of_a_loop(at: int, inside: int) -> Callable[[Any, Any], Any]:
    """Of the two factors one is added up, the other one is what it was when the loop ended."""
    if inside:
        return lambda a, b: np.multiply.outer(a[:, at], b.sum(0))
    return lambda a, b: np.multiply.outer(a.sum(1), b[at])
