"""Light clean-up of a derivative as its rule computed it: the same value, written as a person would.

Products are collected (signs and numbers to the front, equal factors into powers, one fraction bar), what undoes each
other goes, what NumPy needs a spare axis for becomes the product of vectors that it is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.registry import RULES
from autograd.rules import linalg, shapes
from autograd.rules.indexing import getitem, scatter

from .conditions import AND, NOT, OR, equal, extreme, logic, opposite
from .products import collected, plain_number, sign_in_front, simple_power, simple_square, simple_sum
from .tree import (
    Apply,
    Number,
    Symbol,
    Tree,
    apply,
    evaluate,
    is_call,
    rebuilt,
    rewritten,
    stretched,
    table,
    transposed,
)


def tidied(tree: Tree) -> Tree:
    """The tree after clean-up; its value is the same, up to rounding."""
    return rebuilt(tree, _settled)


def textbook(tree: Tree) -> Tree:
    """A product of matrices or vectors as such, whatever function of NumPy it was computed with."""
    return (rewritten(tree, _PRODUCTS) or tree) if isinstance(tree, Apply) else tree


def throughout(tree: Tree) -> Tree:
    """A tree with each of its products as `textbook` writes it."""
    return rebuilt(tree, textbook)


def _settled(tree: Tree) -> Tree:
    for _ in range(20):
        found = rewritten(tree, _TABLE) if isinstance(tree, Apply) else None
        if found is None:
            return tree
        tree = found.with_args([_settled(a) for a in found.args]) if isinstance(found, Apply) else found
    return tree


# --- parts ------------------------------------------------------------------------------------------------------------


def _matmul(a: Tree, b: Tree, like: Apply) -> Apply:
    return apply(np.matmul, a, b, like=like)


def _outer(a: Tree, b: Tree, like: Apply) -> Apply:
    return apply(np.outer, a, b, like=like)


def reshaped(x: Tree, shape: tuple[int, ...]) -> Tree:
    """`x` in another shape, in the order of C."""
    while is_call(x, np.reshape) and _is_c(x):
        x = x.args[0]
    return x if x.shape == shape else Apply(RULES[np.reshape], (x,), {"shape": shape}, shape, x.dtype)


def _vector(x: Tree, shape: tuple[int, ...]) -> Tree | None:
    """The vector that `x` is, if it is one in that shape."""
    if is_call(x, np.transpose, np.swapaxes) and x.ndim == 2:
        return _vector(x.args[0], shape[::-1])
    if is_call(x, np.reshape, np.expand_dims) and x.shape == shape and x.args[0].ndim == 1:
        return x.args[0]
    if is_call(x, np.linalg.solve) and x.args[0].ndim == 2 and shape[-1] == 1:
        vector = _column(x.args[1])
        return vector and Apply(x.rule, (x.args[0], vector), x.options, vector.shape, x.dtype)
    return None


def _column(x: Tree) -> Tree | None:
    """The vector v of which `x` is the column v[:, None]."""
    return _vector(x, (x.shape[0], 1)) if x.ndim == 2 and x.shape[1] == 1 else None


def _row(x: Tree) -> Tree | None:
    return _vector(x, (1, x.shape[1])) if x.ndim == 2 and x.shape[0] == 1 else None


# --- shapes -----------------------------------------------------------------------------------------------------------


def _shape_only(tree: Apply) -> Tree | None:
    """What only changes the shape, as one reshape; none at all where the shape is the same."""
    x = tree.args[0]
    indexed = is_call(tree, getitem.fn, scatter.fn)
    if not (_is_of_axes(tree.options["index"]) if indexed else _is_c(tree)):
        return None
    if is_call(x, getitem.fn) and x.args[0].shape == tree.shape:
        return x.args[0] if _is_of_axes(x.options["index"], (0, -1)) else None
    found = reshaped(x, tree.shape)
    return None if is_call(tree, np.reshape) and is_call(found, np.reshape) and found.args[0] is x else found


def _is_of_axes(index: Any, more: tuple[int, ...] = ()) -> bool:
    """Whether an index only puts in axes, or takes out such of length 1 where these are of `more`."""
    parts = index if isinstance(index, tuple) else (index,)
    whole = (None, Ellipsis, slice(None))
    return all(not isinstance(p, Symbol | Apply) and (p in whole or (type(p) is int and p in more)) for p in parts)


def _is_c(tree: Apply) -> bool:
    return tree.options.get("order", "C") == "C"


def _summed_to_shape(tree: Apply) -> Tree | None:
    """Undoing a broadcast is a sum over the axes that it stretched."""
    (x,), shape = tree.args, tree.shape
    added = x.ndim - len(shape)
    kept_short = tuple(i + added for i, n in enumerate(shape) if n == 1 and x.shape[i + added] != 1)
    axes = (*range(added), *kept_short)
    if not axes:
        return reshaped(x, shape)
    options: dict[str, Any] = {"axis": axes if len(axes) > 1 else axes[0]}
    if len(axes) == x.ndim:
        options = {}
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    return reshaped(Apply(RULES[np.sum], (x,), options, kept, tree.dtype), shape)


def axes_order(tree: Apply) -> list[int] | None:
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
    x, order = tree.args[0], axes_order(tree)
    assert order is not None
    if order == sorted(order):
        return x
    inner = axes_order(x) if isinstance(x, Apply) else None
    if inner is not None:
        return _transposed(x.args[0], [inner[a] for a in order], tree)
    simple = is_call(tree, np.transpose) and tree.options.get("axes") is None
    return _transposed(x, order, tree) if order == [1, 0] and not simple else None


def _transposed(x: Tree, order: list[int], like: Apply) -> Tree:
    if order == sorted(order):
        return x
    options = {} if order == sorted(order)[::-1] else {"axes": tuple(order)}
    return Apply(RULES[np.transpose], (x,), options, like.shape, like.dtype)


def _broadcast(tree: Apply) -> Tree | None:
    """A broadcast to the same shape, or of a broadcast."""
    x = tree.args[0]
    if x.shape == tree.shape:
        return x
    return tree.with_args(x.args) if is_call(x, np.broadcast_to) else _share(x, tree)


def _broadcast_beside(tree: Apply) -> Tree | None:
    """A broadcast beside a factor or term that has the shape already."""
    for k, x in enumerate(tree.args):
        if isinstance(x, Apply) and (is_call(x, np.broadcast_to) or _leading_ones(x)):
            args = (*tree.args[:k], x.args[0], *tree.args[k + 1 :])
            new = tree.with_args(args, np.broadcast_shapes(*(a.shape for a in args)))
            if new.shape == tree.shape:
                return new
            if (len(args) == 1 or not new.shape) and is_call(x, np.broadcast_to):
                return stretched(new, tree.shape)
    return None


def _share(x: Tree, tree: Apply) -> Tree | None:
    """The nth part for each of n elements as a quotient: the gradient of a mean."""
    shape, size = x.shape, math.prod(x.shape)
    n = math.prod(tree.shape) // max(size, 1)
    while is_call(x, np.reshape) and _is_c(x):
        x = x.args[0]
    if n < 2 or not is_call(x, np.multiply, np.divide):
        return None
    whole, part = x.args if is_call(x, np.divide) else x.args[::-1]
    known = n if is_call(x, np.divide) else 1 / n
    settled = x is tree.args[0] and is_call(x, np.divide)
    if settled or not isinstance(part, Number) or part.value != known or math.prod(whole.shape) != size:
        return None
    share = apply(np.divide, reshaped(whole, shape), Number(n), shape=shape, dtype=x.dtype)
    return tree.with_args([share])


def _leading_ones(x: Apply) -> bool:
    """Whether `x` only puts axes of length 1 in front, as broadcasting does by itself."""
    inner = x.args[0].shape if x.args else ()
    return is_call(x, np.reshape) and x.shape == (1,) * (x.ndim - len(inner)) + inner


def _solved(tree: Apply) -> Tree | None:
    """A system that was solved for a column instead of a vector."""
    x = tree.args[0]
    if not is_call(x, np.linalg.solve) or tree.shape != x.shape[:-1]:
        return None
    return _column(x) if is_call(tree, np.reshape) or tree.options["index"] == (Ellipsis, 0) else None


def _cast(tree: Apply) -> Tree | None:
    return tree.args[0] if tree.args[0].dtype == tree.dtype else None


# --- products of matrices and vectors ---------------------------------------------------------------------------------


def _inner(tree: Apply) -> Tree | None:
    """x · Wᵀ where NumPy says inner(x, W)."""
    x, y = tree.args
    if y.ndim == 2 and x.ndim >= 2:
        return _matmul(x, transposed(y), tree)
    if y.ndim == 2 and x.ndim == 1:
        return _matmul(y, x, tree)
    return _matmul(x, y, tree) if y.ndim == 1 and x.ndim == 2 else None


def _contraction(tree: Apply) -> Tree | None:
    """A product of matrices where NumPy says tensordot."""
    x, y = tree.args
    if not x.ndim or not y.ndim:
        return apply(np.multiply, x, y, like=tree)
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
    """A product of vectors that were given a spare axis."""
    flat = is_call(tree, np.multiply)
    if tree.ndim == 2:
        a, b = tree.args
        column, row = _column(a), _row(b) or (b if flat and b.ndim == 1 else None)
        if column is not None and row is not None:
            return _outer(column, row, tree)
        column, row = _column(b), _row(a) or (a if flat and a.ndim == 1 else None)
        if flat and column is not None and row is not None:
            return _outer(column, row, tree)
    if not flat and tree.args[0].ndim == 1 and tree.args[1].ndim == 2:
        # where a rule has a vector on the left, the textbook has the transposed matrix
        return _matmul(transposed(tree.args[1]), tree.args[0], tree)
    return None


def _vector_of_product(tree: Apply) -> Tree | None:
    """A product of a matrix and a vector of which a spare axis is taken away."""
    product, sliced = tree.args[0], is_call(tree, getitem.fn)
    if not is_call(product, np.matmul) or product.ndim != 2 or tree.ndim != 1:
        return None
    if sliced and tree.options["index"] != (Ellipsis, 0):
        return None
    a, b = product.args
    column, row = _column(b), _row(a)
    if column is not None and tree.shape == product.shape[:1]:
        return _matmul(a, column, tree)
    if row is not None and not sliced and tree.shape == product.shape[1:]:
        return _matmul(transposed(b), row, tree)
    return None


def _identity(tree: Apply) -> Tree | None:
    """einsum[i → i]."""
    if len(tree.args) != 1:
        return None
    before, _, after = tree.options["subscripts"].replace(" ", "").partition("->")
    return tree.args[0] if before == after and len(set(before)) == len(before) else None


def _nothing(tree: Apply) -> Tree | None:
    """0 · x, where that is 0."""
    zero = any(plain_number(a) and np.all(a.value == 0) for a in tree.args)
    if tree.dtype.kind != "f" or not zero or np.any(evaluate(tree)):
        return None
    return stretched(Number(tree.dtype.type(0)), tree.shape)


def _conjugated(tree: Apply) -> Tree | None:
    """The conjugate of a conjugate, or of a real number; the real part of a real number."""
    (x,) = tree.args
    if x.dtype.kind != "c" and x.shape == tree.shape:
        return x
    return x.args[0] if is_call(tree, np.conjugate) and is_call(x, np.conjugate) else None


_TEXTBOOK = ((_inner, (np.inner,)), (_contraction, (np.tensordot,)))
_PRODUCTS = table(*_TEXTBOOK)
_TABLE = table(
    (_summed_to_shape, (shapes.sum_to_shape.fn,)),
    (_cast, (shapes.astype.fn,)),
    (_vectors, (np.multiply, np.matmul)),
    (_vector_of_product, (np.reshape, getitem.fn)),
    (_solved, (np.reshape, getitem.fn)),
    (_shape_only, (np.reshape, np.expand_dims, np.squeeze, np.ravel, getitem.fn, scatter.fn)),
    (_turned, (np.transpose, np.swapaxes, np.moveaxis)),
    (_broadcast, (np.broadcast_to,)),
    (_broadcast_beside, tuple(fn for fn in RULES if isinstance(fn, np.ufunc) and not fn.signature)),
    *_TEXTBOOK,
    (logic, (*OR, *AND)),
    (opposite, NOT),
    (equal, (np.equal,)),
    (extreme, (np.multiply,)),
    (_identity, (linalg.einsum.fn,)),
    (_nothing, (np.multiply, np.divide)),
    (_conjugated, (np.conjugate, np.real)),
    (simple_sum, (np.add, np.subtract)),
    (sign_in_front, (np.sum, np.reshape)),
    (simple_power, (np.power,)),
    (simple_square, (np.square,)),
    (collected, (np.multiply, np.divide, np.negative)),
)
