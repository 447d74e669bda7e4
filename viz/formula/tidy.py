"""Light clean-up of a derivative as its rule computed it: the same value, written as a person would.

Products are collected (signs and numbers to the front, equal factors into powers, one fraction bar), what undoes each
other goes, what NumPy needs a spare axis for becomes the product of vectors that it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.registry import RULES
from autograd.rules import elementwise, linalg, shapes
from autograd.rules.indexing import getitem

from .products import collected, sign_in_front, simple_power, simple_sum
from .tree import Apply, Number, Symbol, Tree, apply, evaluate, is_call

_COMPLEMENT: dict[Any, Any] = {
    np.less: np.greater_equal, np.less_equal: np.greater, np.greater: np.less_equal, np.greater_equal: np.less,
    np.equal: np.not_equal, np.not_equal: np.equal,
}  # fmt: skip
_OR, _AND, _NOT = (np.logical_or, np.bitwise_or), (np.logical_and, np.bitwise_and), (np.invert, np.logical_not)


def tidied(tree: Tree) -> Tree:
    """The tree after clean-up; its value is the same, up to rounding."""
    done: dict[int, Tree] = {}

    def tidy(part: Tree) -> Tree:
        if not isinstance(part, Apply):
            return part
        if id(part) not in done:
            args = tuple(tidy(a) for a in part.args)
            changed = any(a is not b for a, b in zip(args, part.args, strict=True))
            new: Tree = Apply(part.rule, args, part.options, part.shape, part.dtype) if changed else part
            done[id(part)] = _settled(new)
        return done[id(part)]

    return tidy(tree)


def textbook(tree: Apply) -> Apply:
    """A product of matrices or vectors as such, whatever function of NumPy it was computed with."""
    for rewrite in (_inner, _contraction):
        found = rewrite(tree)
        if found is not None:
            assert isinstance(found, Apply)
            return found
    return tree


def _settled(tree: Tree) -> Tree:
    for _ in range(20):
        if not isinstance(tree, Apply):
            return tree
        for rewrite in _REWRITES:
            found = rewrite(tree)
            if found is not None:
                if isinstance(found, Apply) and found is not tree:
                    args = tuple(_settled(a) for a in found.args)
                    found = Apply(found.rule, args, found.options, found.shape, found.dtype)
                tree = found
                break
        else:
            return tree
    return tree


# --- parts ------------------------------------------------------------------------------------------------------------


def transposed(x: Tree) -> Tree:
    if is_call(x, np.transpose) and isinstance(x, Apply) and x.ndim == 2 and not x.options:
        return x.args[0]
    return x if x.ndim < 2 else apply(np.transpose, x, shape=x.shape[::-1], dtype=x.dtype)


def _matmul(a: Tree, b: Tree, like: Apply) -> Apply:
    return apply(np.matmul, a, b, shape=like.shape, dtype=like.dtype)


def _outer(a: Tree, b: Tree, like: Apply) -> Apply:
    return apply(np.outer, a, b, shape=like.shape, dtype=like.dtype)


def _reshape(x: Tree, shape: tuple[int, ...]) -> Tree:
    """`x` in another shape, in the order of C."""
    while is_call(x, np.reshape) and isinstance(x, Apply) and x.options.get("order", "C") == "C":
        x = x.args[0]
    if x.shape == shape:
        return x
    return Apply(RULES[np.reshape], (x,), {"shape": shape}, shape, x.dtype)


def _vector(x: Tree, shape: tuple[int, ...]) -> Tree | None:
    """The vector that `x` is, if it is one in that shape."""
    if is_call(x, np.transpose, np.swapaxes) and isinstance(x, Apply) and x.ndim == 2:
        return _vector(x.args[0], shape[::-1])
    if isinstance(x, Apply) and is_call(x, np.reshape, np.expand_dims) and x.shape == shape and x.args[0].ndim == 1:
        return x.args[0]
    return None


def _column(x: Tree) -> Tree | None:
    """The vector v of which `x` is the column v[:, None]."""
    return _vector(x, (x.shape[0], 1)) if x.ndim == 2 and x.shape[1] == 1 else None


def _row(x: Tree) -> Tree | None:
    return _vector(x, (1, x.shape[1])) if x.ndim == 2 and x.shape[0] == 1 else None


# --- shapes -----------------------------------------------------------------------------------------------------------


def _shape_only(tree: Apply) -> Tree | None:
    """What only changes the shape, as one reshape; none at all where the shape is the same."""
    x = tree.args[0] if tree.args else tree
    if is_call(tree, np.expand_dims, np.squeeze) or (is_call(tree, np.ravel, np.reshape) and _is_c(tree)):
        found = _reshape(x, tree.shape)
        unchanged = (
            is_call(tree, np.reshape) and isinstance(found, Apply) and is_call(found, np.reshape) and found.args[0] is x
        )
        return None if unchanged else found
    return None


def _is_c(tree: Apply) -> bool:
    return tree.options.get("order", "C") == "C"


def _summed_to_shape(tree: Apply) -> Tree | None:
    """Undoing a broadcast is a sum over the axes that it stretched."""
    if not is_call(tree, shapes.sum_to_shape.fn):
        return None
    (x,), shape = tree.args, tree.shape
    added = x.ndim - len(shape)
    stretched = tuple(i + added for i, n in enumerate(shape) if n == 1 and x.shape[i + added] != 1)
    axes = (*range(added), *stretched)
    if not axes:
        return _reshape(x, shape)
    options: dict[str, Any] = {"axis": axes if len(axes) > 1 else axes[0]}
    if len(axes) == x.ndim:
        options = {}
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    return _reshape(Apply(RULES[np.sum], (x,), options, kept, tree.dtype), shape)


def _order(tree: Apply) -> list[int] | None:
    """The order in which a function puts the axes of its operand; None if it does something else."""
    x = tree.args[0] if tree.args else tree
    axes = list(range(x.ndim))
    if is_call(tree, np.transpose):
        given = tree.options.get("axes")
        return axes[::-1] if given is None else [int(a) % x.ndim for a in given]
    if is_call(tree, np.swapaxes):
        a, b = tree.options["axis1"] % x.ndim, tree.options["axis2"] % x.ndim
        axes[a], axes[b] = axes[b], axes[a]
        return axes
    if is_call(tree, np.moveaxis):
        numbered = np.empty([n + 1 for n in axes], bool)
        return [n - 1 for n in np.moveaxis(numbered, tree.options["source"], tree.options["destination"]).shape]
    return None


def _turned(tree: Apply) -> Tree | None:
    """Two reorderings of axes are one, and none where the second undoes the first."""
    order = _order(tree)
    if order is None:
        return None
    x = tree.args[0]
    if order == sorted(order):
        return x
    inner = _order(x) if isinstance(x, Apply) else None
    if inner is not None and isinstance(x, Apply):
        return _transposed(x.args[0], [inner[a] for a in order], tree)
    simple = is_call(tree, np.transpose) and tree.options.get("axes") is None
    return _transposed(x, order, tree) if order == [1, 0] and not simple else None


def _transposed(x: Tree, order: list[int], like: Apply) -> Tree:
    if order == sorted(order):
        return x
    options = {} if order == sorted(order)[::-1] else {"axes": tuple(order)}
    return Apply(RULES[np.transpose], (x,), options, like.shape, like.dtype)


def _broadcast(tree: Apply) -> Tree | None:
    """A broadcast to the same shape, of a broadcast, or beside a factor or term that has the shape already."""
    if is_call(tree, np.broadcast_to):
        x = tree.args[0]
        if x.shape == tree.shape:
            return x
        if isinstance(x, Apply) and is_call(x, np.broadcast_to):
            return Apply(tree.rule, x.args, tree.options, tree.shape, tree.dtype)
        return None
    if isinstance(tree.fn, np.ufunc) and not tree.fn.signature:
        for k, x in enumerate(tree.args):
            if isinstance(x, Apply) and (is_call(x, np.broadcast_to) or _leading_ones(x)):
                args = (*tree.args[:k], x.args[0], *tree.args[k + 1 :])
                shape = np.broadcast_shapes(*(a.shape for a in args))
                new = Apply(tree.rule, args, tree.options, shape, tree.dtype)
                if shape == tree.shape:
                    return new
                if len(args) == 1 and is_call(x, np.broadcast_to):
                    return _stretched(new, tree.shape)
    return None


def _leading_ones(x: Apply) -> bool:
    """Whether `x` only puts axes of length 1 in front, as broadcasting does by itself."""
    inner = x.args[0].shape if x.args else ()
    return is_call(x, np.reshape) and x.shape == (1,) * (x.ndim - len(inner)) + inner


def _stretched(x: Tree, shape: tuple[int, ...]) -> Apply:
    return Apply(RULES[np.broadcast_to], (x,), {"shape": shape}, shape, x.dtype)


def _cast(tree: Apply) -> Tree | None:
    return tree.args[0] if is_call(tree, shapes.astype.fn) and tree.args[0].dtype == tree.dtype else None


# --- products of matrices and vectors ---------------------------------------------------------------------------------


def _inner(tree: Apply) -> Tree | None:
    """x · Wᵀ where NumPy says inner(x, W)."""
    if not is_call(tree, np.inner):
        return None
    x, y = tree.args
    if y.ndim == 2 and x.ndim >= 2:
        return _matmul(x, transposed(y), tree)
    if y.ndim == 2 and x.ndim == 1:
        return _matmul(y, x, tree)
    return _matmul(x, y, tree) if y.ndim == 1 and x.ndim == 2 else None


def _contraction(tree: Apply) -> Tree | None:
    """A product of matrices where NumPy says tensordot."""
    if not is_call(tree, np.tensordot):
        return None
    x, y = tree.args
    if not x.ndim or not y.ndim:
        return apply(np.multiply, x, y, shape=tree.shape, dtype=tree.dtype)
    if max(x.ndim, y.ndim) > 2:
        return None
    (first, second) = linalg._pairs(tree.options.get("axes", 2), x.ndim, y.ndim)
    if not first and x.ndim == y.ndim == 1:
        return _outer(x, y, tree)
    if len(first) != 1:
        return None
    left = transposed(x) if x.ndim == 2 and first[0] == 0 else x
    right = transposed(y) if y.ndim == 2 and second[0] == 1 else y
    if left.ndim == 1 and right.ndim == 2:
        return _matmul(transposed(right), left, tree)
    return _matmul(left, right, tree)


def _vectors(tree: Apply) -> Tree | None:
    """Products of vectors that were given a spare axis."""
    if is_call(tree, np.multiply, np.matmul) and tree.ndim == 2:
        a, b = tree.args
        flat = is_call(tree, np.multiply)
        column, row = _column(a), _row(b) or (b if flat and b.ndim == 1 else None)
        if column is not None and row is not None:
            return _outer(column, row, tree)
        column, row = _column(b), _row(a) or (a if flat and a.ndim == 1 else None)
        if flat and column is not None and row is not None:
            return _outer(column, row, tree)
    if is_call(tree, np.matmul) and tree.args[0].ndim == 1 and tree.args[1].ndim == 2:
        # where a rule has a vector on the left, the textbook has the transposed matrix
        return _matmul(transposed(tree.args[1]), tree.args[0], tree)
    product = tree.args[0] if tree.args else None
    if not (isinstance(product, Apply) and is_call(product, np.matmul) and product.ndim == 2 and tree.ndim == 1):
        return None
    if is_call(tree, getitem.fn) and tree.options["index"] != (Ellipsis, 0):
        return None
    if is_call(tree, getitem.fn, np.reshape):
        a, b = product.args
        column, row = _column(b), _row(a)
        if column is not None and tree.shape == product.shape[:1]:
            return _matmul(a, column, tree)
        if row is not None and is_call(tree, np.reshape) and tree.shape == product.shape[1:]:
            return _matmul(transposed(b), row, tree)
    return None


# --- conditions -------------------------------------------------------------------------------------------------------


def _logic(tree: Apply) -> Tree | None:
    """False ∨ x, and ¬ of a comparison as the opposite comparison where no NaN tells them apart."""
    if is_call(tree, *_OR, *_AND):
        for x, y in (tree.args, tree.args[::-1]):
            if isinstance(x, Number) and y.dtype == bool:
                if bool(x.value) is not is_call(tree, *_AND):
                    return x if x.shape == tree.shape else _stretched(x, tree.shape)
                if y.shape == tree.shape:
                    return y
    if is_call(tree, *_NOT) and isinstance(tree.args[0], Number):
        return Number(not tree.args[0].value)
    if is_call(tree, *_NOT) and isinstance(tree.args[0], Apply):
        x = tree.args[0]
        opposite = _COMPLEMENT.get(x.fn)
        found: Tree | None = None
        if opposite is not None:
            found = apply(opposite, *x.args, shape=tree.shape, dtype=tree.dtype)
        elif is_call(x, *_OR, *_AND) and x.dtype == bool:
            parts = [apply(np.logical_not, a, shape=a.shape, dtype=a.dtype) for a in x.args]
            other = np.logical_and if is_call(x, *_OR) else np.logical_or
            found = apply(other, *parts, shape=tree.shape, dtype=tree.dtype)
        elif is_call(x, *_NOT):
            found = x.args[0]
        if found is not None and np.array_equal(evaluate(found), evaluate(tree)):
            return found
    return None


def _choice(tree: Apply) -> Tree | None:
    """A choice that goes the same way everywhere is no choice."""
    if not is_call(tree, elementwise.where.fn):
        return None
    condition, x, y = tree.args
    if isinstance(condition, Symbol):
        return None
    found = np.asarray(evaluate(condition))
    for chosen, always in ((x, found.all()), (y, not found.any())):
        if always and found.size and (chosen.dtype == tree.dtype or isinstance(chosen, Number)):
            return chosen if chosen.shape == tree.shape else _stretched(chosen, tree.shape)
    return None


_REWRITES: tuple[Callable[[Apply], Tree | None], ...] = (
    _summed_to_shape, _cast, _vectors, _shape_only, _turned, _broadcast, _inner, _contraction, _choice, _logic,
    simple_sum, sign_in_front, simple_power, collected,
)  # fmt: skip
