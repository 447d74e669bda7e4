"""Questions to a tree of a formula, and small changes to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..formula.terms import recorded_total, total
from ..formula.tree import Apply, Number, Symbol, Tree, apply, axes_of, each, evaluate, is_call, symbols

_FEW_TERMS = 8


def added(terms: Sequence[Tree], dtype: Any, shape: tuple[int, ...] | None = None) -> Tree:
    """The sum of some trees; more than a few are one operation, so that a tree of very many is not deep."""
    dtype = np.dtype(dtype)
    if len(terms) > _FEW_TERMS:
        whole = np.broadcast_shapes(*(t.shape for t in terms)) if shape is None else shape
        return Apply(recorded_total.rule, tuple(terms), {}, whole, dtype)
    out = terms[0]
    for term in terms[1:]:
        out = apply(np.add, out, term, shape=shape, dtype=dtype)
    return out


def summands(tree: Tree) -> list[Tree]:
    """The terms of a sum, in reading order, however it is nested."""
    out: list[Tree] = []
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if is_call(part, np.add, total) and part.dtype.kind in "fc":
            waiting += reversed(part.args)
        else:
            out.append(part)
    return out


def axes_kept(tree: Apply) -> Apply:
    """A sum whose axes were put back as the sum that keeps them."""
    x = tree.args[0]
    if not is_call(tree, np.reshape, np.expand_dims) or not is_call(x, np.sum):
        return tree
    axes, whole = axes_of(x), x.args[0]
    kept = tuple(1 if a in axes else n for a, n in enumerate(whole.shape))
    if x.options.get("keepdims") or len(axes) == whole.ndim or kept != tree.shape:
        return tree
    return Apply(x.rule, x.args, {"axis": x.options["axis"], "keepdims": True}, kept, tree.dtype)


def canonical(tree: Apply) -> Apply:
    """A sum with its axes counted from the front, so that equal sums are the same."""
    if not is_call(tree, np.sum) or not tree.args[0].ndim:
        return tree
    axes, options = sorted(axes_of(tree)), {}
    if len(axes) < tree.args[0].ndim or tree.options.get("keepdims"):
        options["axis"] = axes[0] if len(axes) == 1 else tuple(axes)
    if tree.options.get("keepdims"):
        options["keepdims"] = True
    return tree if options == tree.options else Apply(tree.rule, tree.args, options, tree.shape, tree.dtype)


def size(tree: Tree) -> int:
    """How many names and numbers a tree is written with."""
    counted: dict[int, int] = {}

    def count(part: Tree) -> int:
        if id(part) not in counted:
            counted[id(part)] = sum(map(count, part.args)) or 1 if isinstance(part, Apply) else 1
        return counted[id(part)]

    return count(tree)


def contains(tree: Tree, symbol: Symbol) -> bool:
    """Whether a symbol stands anywhere in a tree."""
    return any(part is symbol for part in each(tree))


def uniform(tree: Tree) -> float | None:
    """The number that a tree of constants is everywhere; 1 also where rounding is all that is between."""
    array = np.asarray(evaluate(tree))
    if not array.size or array.dtype.kind not in "fiub":
        return None
    first = array.flat[0]
    if bool((array == first).all()):
        return float(first)
    return 1.0 if np.allclose(array, 1, rtol=0, atol=1e-6) else None


def close(tree: Tree, expected: Any, rounding: float) -> bool:
    """Whether the numbers of a tree are those expected, up to rounding; of NaN and Inf nothing is known."""
    scale = float(np.max(np.abs(expected), initial=0))
    if not np.isfinite(scale):
        return True
    tolerance = rounding**0.5
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(np.asarray(evaluate(tree)) - expected) <= tolerance * max(scale, 1e-30)))


def is_given(tree: Tree) -> bool:
    """Whether no gradient flows to anything in a tree."""
    return all(s.node is None or not s.node.needs_grad for s in symbols(tree))


def is_constant(tree: Tree) -> bool:
    """Whether a tree is made of numbers and constants alone."""
    return all(s.kind == "constant" for s in symbols(tree))


def is_number(tree: Tree) -> bool:
    """Whether it is a real number."""
    value = tree.value if isinstance(tree, Number) else None
    return isinstance(value, int | float | np.number) and np.ndim(value) == 0 and not np.iscomplexobj(value)
