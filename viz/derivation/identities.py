"""Identities of functions that simplify a derivative: exp(log x) = x, Σ softmax = 1, what picking sends back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.registry import RULES
from autograd.rules import elementwise, indexing, reductions, shapes

from ..formula.conditions import logic
from ..formula.tree import Apply, Number, Symbol, Tree, apply, evaluate, is_call, same_option, symbols
from .algebra import Algebra
from .trees import axes_of, is_constant, uniform

Rewrite = Callable[[Apply, Algebra], "Tree | None"]
_SMALL = 1e-6


def rewritten(tree: Apply, algebra: Algebra) -> Tree | None:
    """The tree as another one, by the first identity that fits; None if there is none."""
    for rewrite in _REWRITES:
        found = rewrite(tree, algebra)
        if found is not None:
            return found
    return None


def _inverse_functions(tree: Apply, algebra: Algebra) -> Tree | None:
    """exp(log x) = x, exp(log softmax z) = softmax z, log(exp x) = x."""
    if not tree.args or not isinstance(tree.args[0], Apply):
        return None
    x = tree.args[0]
    if is_call(tree, np.exp) and is_call(x, reductions.log_softmax.fn):
        return Apply(RULES[reductions.softmax.fn], x.args, x.options, tree.shape, tree.dtype)
    inverse = ((np.exp, np.log), (np.log, np.exp))
    return x.args[0] if any(is_call(tree, f) and is_call(x, g) for f, g in inverse) else None


def _exponential_of_a_difference(tree: Apply, algebra: Algebra) -> Tree | None:
    """exp(x − log(1 + eˣ)) = σ(x), and exp(x − log Σ eˣ) = softmax x."""
    if not is_call(tree, np.exp) or not is_call(tree.args[0], np.subtract):
        return None
    x, other = tree.args[0].args
    while is_call(other, np.reshape, np.broadcast_to) and isinstance(other, Apply):
        other = other.args[0]
    if not isinstance(other, Apply):
        return None
    if is_call(other, np.logaddexp):
        a, b = other.args
        for zero, y in ((a, b), (b, a)):
            if isinstance(zero, Number) and zero.value == 0 and algebra.key(y) == algebra.key(x):
                return apply(elementwise.sigmoid.fn, x, shape=tree.shape, dtype=tree.dtype)
    if is_call(other, reductions.logsumexp.fn) and algebra.key(other.args[0]) == algebra.key(x):
        options = {"axis": other.options.get("axis")}
        if options["axis"] is None:
            options["axis"] = tuple(range(x.ndim))
        return Apply(RULES[reductions.softmax.fn], (x,), options, tree.shape, tree.dtype)
    return None


def _shifted_softmax(tree: Apply, algebra: Algebra) -> Tree | None:
    """softmax(x − m) = softmax x, where m is the same for all elements of a share."""
    if not is_call(tree, reductions.softmax.fn) or not is_call(tree.args[0], np.subtract):
        return None
    x, m = tree.args[0].args
    axis, ndim = tree.options.get("axis", -1), tree.ndim
    over = [a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    same = all(a < ndim - m.ndim or m.shape[a - ndim] == 1 for a in over)
    return Apply(tree.rule, (x,), tree.options, tree.shape, tree.dtype) if same and x.shape == tree.shape else None


def _sum_of_constants(tree: Apply, algebra: Algebra) -> Tree | None:
    """A sum of constants that is one number everywhere: a row of a one-hot y adds up to 1."""
    if not is_call(tree, np.sum) or not is_constant(tree):
        return None
    number = uniform(tree)
    names = [s for s in symbols(tree) if algebra.ones.get(s.shape) is not s]
    if number is None or (names and number != 1):
        return None
    if len(names) == 1 and isinstance(tree.args[0], Symbol):
        axes = axes_of(tree)
        rows = {0: "each column of ", 1: "each row of "}[axes[0]] if len(axes) == 1 < tree.args[0].ndim == 2 else ""
        algebra.remarks[f"{rows}{names[0].name} adds up to 1"] = None
    return Number(int(number) if number == int(number) else number)


def _sum_of_shares(tree: Apply, algebra: Algebra) -> Tree | None:
    """Σ softmax(x) = 1 along the axis of the softmax."""
    if not is_call(tree, np.sum):
        return None
    share = tree.args[0]
    if isinstance(share, Symbol):
        share = algebra.meaning(share)
    if not isinstance(share, Apply) or not is_call(share, reductions.softmax.fn):
        return None
    axis, ndim = share.options.get("axis", -1), share.ndim
    mine = {a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    over = tree.options.get("axis")
    summed = set(range(ndim)) if over is None else {a % ndim for a in (over if isinstance(over, tuple) else (over,))}
    return Number(1) if mine == summed else None


def _extreme(tree: Apply, algebra: Algebra) -> Tree | None:
    """max(p, 10⁻¹²) as p, where a bound so small only keeps a logarithm from infinity, and nothing reaches it."""
    if not is_call(tree, np.maximum):
        return None
    for x, bound in (tree.args, tree.args[::-1]):
        if isinstance(bound, Number) and x.shape == tree.shape and 0 < bound.value < _SMALL:
            value = np.asarray(evaluate(x))
            if value.size and bool((value > bound.value).all()):
                algebra.remarks[f"nothing here is as small as {bound.value:g}"] = None
                return x
    return None


def _negligible(tree: Apply, algebra: Algebra) -> Tree | None:
    """p + 10⁻¹² as p, where p is so much larger that nothing can be seen of it."""
    if not is_call(tree, np.add):
        return None
    for x, small in (tree.args, tree.args[::-1]):
        if isinstance(x, Number) or not isinstance(small, Number) or x.shape != tree.shape:
            continue
        if 0 < small.value < _SMALL:
            least = np.min(np.abs(evaluate(x)), initial=np.inf)
            if small.value <= 1e-9 * least < np.inf:
                algebra.remarks[f"adding {small.value:g} changes nothing here, in 9 digits"] = None
                return x
    return None


def _one_hot(tree: Apply, algebra: Algebra) -> Tree | None:
    """What picking one element of each row sends back: y ⊙ what is sent, where y is 1 at the picked ones, else 0."""
    if not is_call(tree, indexing.scatter.fn):
        return None
    index = tree.options["index"]
    sent = _unpicked(tree.args[0], index, tree)
    if sent is None:
        return None
    if isinstance(index, Apply) and index.dtype == bool and index.shape == tree.shape:
        return apply(np.multiply, sent, index, shape=tree.shape, dtype=tree.dtype)
    key = algebra.key(Apply(tree.rule, (Number(1),), tree.options, tree.shape, tree.dtype))
    if key not in algebra.one_hot:
        plain = _plain_index(index)
        hits = np.zeros(tree.shape, np.int64)
        np.add.at(hits, plain, 1)
        if hits.max(initial=0) > 1:
            return None
        algebra.one_hot[key] = Symbol("constant", algebra.name("y"), hits.astype(tree.dtype))
    return apply(np.multiply, sent, algebra.one_hot[key], shape=tree.shape, dtype=tree.dtype)


def _plain_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_plain_index(part) for part in index)
    return evaluate(index) if isinstance(index, Symbol | Apply) else index


def _takes(tree: Apply, index: Any) -> bool:
    """Whether what is taken along an axis are the elements of an index."""
    x, taken = tree.args
    places = np.arange(x.size).reshape(x.shape) if isinstance(x, Symbol) else None
    if places is None or not isinstance(taken, Symbol):
        return False
    return np.array_equal(np.take_along_axis(places, taken.array, **tree.options), places[_plain_index(index)])


def _unpicked(tree: Tree, index: Any, like: Apply) -> Tree | None:
    """An expression of picked elements as one of all elements; None where it is not of picked elements alone."""
    if tree.shape == ():
        return _unpicked_one(tree, index, like)
    if isinstance(tree, Symbol):
        return Number(1) if tree.name == "1" and tree.kind == "constant" else None
    if not isinstance(tree, Apply):
        return None
    x = tree.args[0] if tree.args else tree
    if is_call(tree, indexing.getitem.fn):
        return x if x.shape == like.shape and same_option(tree.options["index"], index) else None
    if is_call(tree, np.take_along_axis):
        return x if x.shape == like.shape and _takes(tree, index) else None
    if is_call(tree, np.broadcast_to):
        return x if x.shape == () else None
    if isinstance(tree.fn, np.ufunc) and not tree.fn.signature:
        args = [_unpicked(a, index, like) for a in tree.args]
        found = [a for a in args if a is not None]
        if len(found) != len(args):
            return None
        shape = np.broadcast_shapes(*(a.shape for a in found))
        return Apply(tree.rule, tuple(found), tree.options, shape, tree.dtype)
    return None


def _unpicked_one(tree: Tree, index: Any, like: Apply) -> Tree:
    """A number as an expression of all elements, where it is made of the one that is picked: 1/p of 1/p[2]."""
    if not isinstance(tree, Apply):
        return tree
    if is_call(tree, indexing.getitem.fn):
        x = tree.args[0]
        return x if x.shape == like.shape and same_option(tree.options["index"], index) else tree
    if not isinstance(tree.fn, np.ufunc) or tree.fn.signature:
        return tree
    args = tuple(_unpicked_one(a, index, like) for a in tree.args)
    return Apply(tree.rule, args, tree.options, np.broadcast_shapes(*(a.shape for a in args)), tree.dtype)


_SIDES: dict[Any, tuple[Any, Any]] = {
    np.maximum: (np.greater, np.greater_equal), np.minimum: (np.less, np.less_equal),
}  # fmt: skip


_COMPARED: dict[Any, Any] = {
    np.greater: np.less, np.less: np.greater, np.greater_equal: np.less_equal, np.less_equal: np.greater_equal,
}  # fmt: skip


def _compared_with_zero(tree: Apply, algebra: Algebra) -> Tree | None:
    """[z > 0.01 z] as [z > 0]."""
    x, y = tree.args
    if isinstance(x, Number) or isinstance(y, Number):
        return None
    difference = algebra.add([algebra.value(x), algebra.value(apply(np.negative, y, shape=y.shape, dtype=y.dtype))])
    atom = algebra.atom_of(difference._replace(number=1))
    if atom is None or atom.shape != tree.shape:
        return None
    fn = tree.fn if difference.number > 0 else _COMPARED[tree.fn]
    found = apply(fn, atom, Number(0), shape=tree.shape, dtype=tree.dtype)
    return found if np.array_equal(evaluate(found), evaluate(tree)) else None


def _condition(tree: Apply, algebra: Algebra) -> Tree | None:
    """[ReLU(z) > 0] as [z > 0], [z = max(0, z)] as [z > 0], and ¬ [z > 0] as [z ≤ 0]."""
    if is_call(tree, np.logical_not, np.invert):
        return logic(tree)
    if is_call(tree, np.greater):
        x, bound = tree.args
        if isinstance(x, Apply) and isinstance(bound, Number) and bound.value == 0:
            inner = [a for a in x.args if not (isinstance(a, Number) and a.value == 0)]
            if is_call(x, elementwise.relu.fn) or (is_call(x, np.maximum) and len(inner) == 1):
                return apply(np.greater, inner[0], bound, shape=tree.shape, dtype=tree.dtype)
    if tree.fn in _COMPARED and tree.args[0].dtype.kind == "f":
        return _compared_with_zero(tree, algebra)
    if not is_call(tree, np.equal):
        return None
    for x, out in (tree.args, tree.args[::-1]):
        extreme = algebra.meaning(out) if isinstance(out, Symbol) else out
        if not isinstance(extreme, Apply) or extreme.fn not in _SIDES:
            continue
        for same, other in (extreme.args, extreme.args[::-1]):
            if algebra.key(same) != algebra.key(x):
                continue
            for fn in _SIDES[extreme.fn]:
                found = apply(fn, x, other, shape=tree.shape, dtype=tree.dtype)
                if np.array_equal(evaluate(found), evaluate(tree)):
                    return found
    return None


def _unit_matrix(tree: Apply, algebra: Algebra) -> Tree | None:
    """A diagonal matrix of ones is I, and I A = A."""
    if is_call(tree, shapes.put_diagonal.fn):
        x = tree.args[0]
        square = x.ndim == 1 and tree.shape == 2 * x.shape and not tree.options.get("offset", 0)
        all_ones = isinstance(x, Symbol) and id(algebra.ones.get(x.shape)) == id(x)
        return algebra.unit_matrix(x.shape[0], tree.dtype) if square and all_ones else None
    units = set(map(id, algebra.units.values()))
    if is_call(tree, np.transpose) and id(tree.args[0]) in units:
        return tree.args[0]
    if is_call(tree, np.matmul):
        a, b = tree.args
        if id(a) in units and b.shape == tree.shape:
            return b
        return a if id(b) in units and a.shape == tree.shape else None
    return None


def _transposed_product(tree: Apply, algebra: Algebra) -> Tree | None:
    """(A B)ᵀ = Bᵀ Aᵀ, and (Aᵀ)ᵀ = A."""
    if not is_call(tree, np.transpose) or tree.options.get("axes") is not None or tree.ndim != 2:
        return None
    x = tree.args[0]
    if not isinstance(x, Apply) or x.ndim != 2:
        return None
    if is_call(x, np.transpose) and x.options.get("axes") is None:
        return x.args[0]
    if is_call(x, np.matmul) and all(a.ndim == 2 for a in x.args):
        a, b = (apply(np.transpose, m, shape=m.shape[::-1], dtype=m.dtype) for m in x.args)
        return apply(np.matmul, b, a, shape=tree.shape, dtype=tree.dtype)
    return None


_REWRITES: tuple[Rewrite, ...] = (
    _negligible, _inverse_functions, _exponential_of_a_difference, _shifted_softmax, _sum_of_constants, _sum_of_shares,
    _extreme, _one_hot, _condition, _unit_matrix, _transposed_product,
)  # fmt: skip
