"""Identities of functions that simplify a derivative: exp(log x) = x, Σ softmax = 1, what picking sends back."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.registry import RULES
from autograd.rules import elementwise, indexing, reductions, shapes

from ..formula.conditions import NOT, opposite
from ..formula.tree import (
    Apply,
    Number,
    Symbol,
    Tree,
    apply,
    axes_of,
    evaluate,
    is_call,
    negated,
    same_option,
    symbols,
    table,
    transposed,
)
from .algebra import Algebra
from .trees import is_constant, uniform

_SMALL = 1e-6


def _inverse_function(tree: Apply, algebra: Algebra) -> Tree | None:
    """exp(log x) = x, exp(log softmax z) = softmax z, log(exp x) = x."""
    x = tree.args[0]
    if is_call(tree, np.exp) and is_call(x, reductions.log_softmax.fn):
        return Apply(RULES[reductions.softmax.fn], x.args, x.options, tree.shape, tree.dtype)
    return x.args[0] if is_call(x, np.log if is_call(tree, np.exp) else np.exp) else None


def _exponential_of_a_difference(tree: Apply, algebra: Algebra) -> Tree | None:
    """exp(x − log(1 + eˣ)) = σ(x), and exp(x − log Σ eˣ) = softmax x."""
    if not is_call(tree.args[0], np.subtract):
        return None
    x, other = tree.args[0].args
    while is_call(other, np.reshape, np.broadcast_to):
        other = other.args[0]
    if is_call(other, np.logaddexp):
        a, b = other.args
        for zero, y in ((a, b), (b, a)):
            if isinstance(zero, Number) and zero.value == 0 and algebra.key(y) == algebra.key(x):
                return apply(elementwise.sigmoid.fn, x, like=tree)
    if is_call(other, reductions.logsumexp.fn) and algebra.key(other.args[0]) == algebra.key(x):
        axis = other.options.get("axis")
        options = {"axis": tuple(range(x.ndim)) if axis is None else axis}
        return Apply(RULES[reductions.softmax.fn], (x,), options, tree.shape, tree.dtype)
    return None


def _shifted_softmax(tree: Apply, algebra: Algebra) -> Tree | None:
    """softmax(x − m) = softmax x, where m is the same for all elements of a share."""
    if not is_call(tree.args[0], np.subtract):
        return None
    x, m = tree.args[0].args
    same = all(a < tree.ndim - m.ndim or m.shape[a - tree.ndim] == 1 for a in axes_of(tree, -1))
    return tree.with_args([x]) if same and x.shape == tree.shape else None


def _sum_of_constants(tree: Apply, algebra: Algebra) -> Tree | None:
    """A sum of constants that is one number everywhere: a row of a one-hot y adds up to 1."""
    if not is_constant(tree):
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
    share = algebra.known(tree.args[0])
    if not is_call(share, reductions.softmax.fn):
        return None
    return Number(1) if set(axes_of(share, -1)) == set(axes_of(tree)) else None


def _extreme(tree: Apply, algebra: Algebra) -> Tree | None:
    """max(p, 10⁻¹²) as p, where a bound so small only keeps a logarithm from infinity, and nothing reaches it."""
    for x, bound in (tree.args, tree.args[::-1]):
        if isinstance(bound, Number) and x.shape == tree.shape and 0 < bound.value < _SMALL:
            value = np.asarray(evaluate(x))
            if value.size and bool((value > bound.value).all()):
                algebra.remarks[f"nothing here is as small as {bound.value:g}"] = None
                return x
    return None


def _negligible(tree: Apply, algebra: Algebra) -> Tree | None:
    """p + 10⁻¹² as p, where p is so much larger that nothing can be seen of it."""
    for x, small in (tree.args, tree.args[::-1]):
        written = isinstance(small, Number) and not isinstance(x, Number) and x.shape == tree.shape
        if written and not np.iscomplexobj(small.value) and 0 < small.value < _SMALL:
            least = np.min(np.abs(evaluate(x)), initial=np.inf)
            if small.value <= 1e-9 * least < np.inf:
                algebra.remarks[f"adding {small.value:g} changes nothing here, in 9 digits"] = None
                return x
    return None


def _one_hot(tree: Apply, algebra: Algebra) -> Tree | None:
    """What picking one element of each row sends back: y ⊙ what is sent, where y is 1 at the picked ones, else 0."""
    index = tree.options["index"]
    sent = _unpicked(tree.args[0], index, tree)
    if sent is None:
        return None
    if isinstance(index, Apply) and index.dtype == bool and index.shape == tree.shape:
        return apply(np.multiply, sent, index, like=tree)
    key = algebra.key(tree.with_args([Number(1)]))
    if key not in algebra.one_hot:
        plain = _plain_index(index)
        hits = np.zeros(tree.shape, np.int64)
        np.add.at(hits, plain, 1)
        if hits.max(initial=0) > 1 or (hits.sum() > 1 and _is_basic(plain)):
            return None  # out[-1] is a row of out, no pick of a label
        algebra.one_hot[key] = Symbol("constant", algebra.name("y"), hits.astype(tree.dtype))
    return apply(np.multiply, sent, algebra.one_hot[key], like=tree)


def _is_basic(index: Any) -> bool:
    """Whether an index has neither arrays nor lists."""
    return all(np.ndim(part) == 0 for part in (index if isinstance(index, tuple) else (index,)))


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
        found = [a for a in (_unpicked(a, index, like) for a in tree.args) if a is not None]
        return _elementwise(tree, found) if len(found) == len(tree.args) else None
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
    return _elementwise(tree, [_unpicked_one(a, index, like) for a in tree.args])


def _elementwise(tree: Apply, args: list[Tree]) -> Apply:
    return tree.with_args(args, np.broadcast_shapes(*(a.shape for a in args)))


_SIDES: dict[Any, tuple[Any, Any]] = {
    np.maximum: (np.greater, np.greater_equal), np.minimum: (np.less, np.less_equal),
}  # fmt: skip
_COMPARED: dict[Any, Any] = {
    np.greater: np.less, np.less: np.greater, np.greater_equal: np.less_equal, np.less_equal: np.greater_equal,
}  # fmt: skip


def _compared_with_zero(tree: Apply, algebra: Algebra) -> Tree | None:
    """[z > 0.01 z] as [z > 0]."""
    x, y = tree.args
    if x.dtype.kind != "f" or isinstance(x, Number) or isinstance(y, Number):
        return None
    difference = algebra.add([algebra.value(x), algebra.value(negated(y))])
    atom = algebra.atom_of(difference._replace(number=1))
    if atom is None or atom.shape != tree.shape:
        return None
    fn = tree.fn if difference.number > 0 else _COMPARED[tree.fn]
    found = apply(fn, atom, Number(0), like=tree)
    return found if np.array_equal(evaluate(found), evaluate(tree)) else None


def _positive(tree: Apply, algebra: Algebra) -> Tree | None:
    """[ReLU(z) > 0] as [z > 0]."""
    x, bound = tree.args
    if not isinstance(x, Apply) or not isinstance(bound, Number) or bound.value != 0:
        return None
    inner = [a for a in x.args if not (isinstance(a, Number) and a.value == 0)]
    found = is_call(x, elementwise.relu.fn) or (is_call(x, np.maximum) and len(inner) == 1)
    return tree.with_args([inner[0], bound]) if found else None


def _the_larger(tree: Apply, algebra: Algebra) -> Tree | None:
    """[z = max(0, z)] as [z > 0]."""
    for x, out in (tree.args, tree.args[::-1]):
        extreme = algebra.known(out)
        if not isinstance(extreme, Apply) or extreme.fn not in _SIDES:
            continue
        for same, other in (extreme.args, extreme.args[::-1]):
            for fn in _SIDES[extreme.fn] if algebra.key(same) == algebra.key(x) else ():
                found = apply(fn, x, other, like=tree)
                if np.array_equal(evaluate(found), evaluate(tree)):
                    return found
    return None


def _diagonal_of_ones(tree: Apply, algebra: Algebra) -> Tree | None:
    """A diagonal matrix of ones is I."""
    x, ones = tree.args[0], algebra.ones.get(tree.args[0].shape)
    square = x.ndim == 1 and tree.shape == 2 * x.shape and not tree.options.get("offset", 0)
    return algebra.unit_matrix(tree.shape[0], tree.dtype) if square and x is ones else None


def _unit_matrix(tree: Apply, algebra: Algebra) -> Tree | None:
    """I A = A."""
    for unit, x in (tree.args, tree.args[::-1]):
        if any(unit is known for known in algebra.units.values()) and x.shape == tree.shape:
            return x
    return None


def _transposed(tree: Apply, algebra: Algebra) -> Tree | None:
    """Iᵀ = I, (Aᵀ)ᵀ = A, and (A B)ᵀ = Bᵀ Aᵀ."""
    x = tree.args[0]
    if any(x is unit for unit in algebra.units.values()):
        return x
    if tree.options.get("axes") is not None or tree.ndim != 2 or not isinstance(x, Apply):
        return None
    if is_call(x, np.transpose) and x.options.get("axes") is None:
        return x.args[0]
    if is_call(x, np.matmul) and all(a.ndim == 2 for a in x.args):
        return apply(np.matmul, *map(transposed, reversed(x.args)), like=tree)
    return None


IDENTITIES = table(
    (_negligible, (np.add,)),
    (_inverse_function, (np.exp, np.log)),
    (_exponential_of_a_difference, (np.exp,)),
    (_shifted_softmax, (reductions.softmax.fn,)),
    (_sum_of_constants, (np.sum,)),
    (_sum_of_shares, (np.sum,)),
    (_extreme, (np.maximum,)),
    (_one_hot, (indexing.scatter.fn,)),
    (lambda tree, algebra: opposite(tree), NOT),
    (_positive, (np.greater,)),
    (_compared_with_zero, tuple(_COMPARED)),
    (_the_larger, (np.equal,)),
    (_diagonal_of_ones, (shapes.put_diagonal.fn,)),
    (_unit_matrix, (np.matmul,)),
    (_transposed, (np.transpose,)),
)
