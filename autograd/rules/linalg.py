"""Rules of products of vectors, matrices and stacks of them, of what solves linear equations, and determinants."""

from __future__ import annotations

import functools
import math
import string
from typing import Any

import numpy as np

from ..libraries import beside
from ..registry import INSTEAD, composite, defvjp, defvjp_variadic, pure
from .elementwise import arrayed, conj
from .indexing import scattered
from .reductions import product_before

# --- matrix products --------------------------------------------------------------------------------------------------


def turned(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def adjoint(x: Any) -> Any:
    """The matrix turned, and conjugate where it is complex."""
    return conj(turned(x))


def _matmul_x(g: Any, x_shape: tuple[int, ...], y: Any) -> Any:
    if y.ndim == 1:
        return np.expand_dims(g, -1) * y
    if len(x_shape) == 1:
        return np.matmul(y, g) if y.ndim == 2 else np.matmul(y, np.expand_dims(g, -1))[..., 0]
    return np.matmul(g, turned(y))


def _matmul_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    if x.ndim == 1:
        return np.expand_dims(x, -1) * np.expand_dims(g, -2) if len(y_shape) > 1 else g * x
    if len(y_shape) == 1:
        return np.matmul(turned(x), g) if x.ndim == 2 else np.matmul(turned(x), np.expand_dims(g, -1))[..., 0]
    if len(y_shape) == 2 and x.ndim > 2:
        # one product over all leading axes, instead of a stack of them that would then be summed
        rows, (k, n) = math.prod(x.shape[:-1]), y_shape
        return np.matmul(x.reshape(rows, k).T, g.reshape(rows, n))
    return np.matmul(turned(x), g)


defvjp(np.matmul, lambda g, out, x, y: _matmul_x(g, x.shape, y), lambda g, out, x, y: _matmul_y(g, x, y.shape))


def _vecdot_part(g: Any, other: Any, ndim: int) -> Any:
    """g times the other vectors, summed over the axes that the operand, of ndim dimensions, does not have."""
    grad = np.expand_dims(g, -1) * other
    return grad.sum(axis=tuple(range(grad.ndim - ndim))) if grad.ndim > ndim else grad


defvjp(
    np.vecdot,  # which conjugates its first operand, and so does vdot
    lambda g, out, x, y: _vecdot_part(conj(g), y, x.ndim),
    lambda g, out, x, y: _vecdot_part(g, x, y.ndim),
    holomorphic=False,
)


def _inner_x(g: Any, x_shape: tuple[int, ...], y: Any) -> Any:
    if y.ndim == 0 or not x_shape:
        return g * y
    if g.ndim == 2 == y.ndim:
        return np.matmul(g, y)
    rows, columns = math.prod(x_shape[:-1]), math.prod(y.shape[:-1])
    return np.matmul(g.reshape(rows, columns), y.reshape(columns, y.shape[-1])).reshape(x_shape)


def _inner_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    if x.ndim == 0 or not y_shape:
        return g * x
    if g.ndim == 2 == x.ndim:
        return np.matmul(g.T, x)
    rows, columns = math.prod(x.shape[:-1]), math.prod(y_shape[:-1])
    return np.matmul(g.reshape(rows, columns).T, x.reshape(rows, x.shape[-1])).reshape(y_shape)


defvjp(np.inner, lambda g, out, x, y: _inner_x(g, x.shape, y), lambda g, out, x, y: _inner_y(g, x, y.shape))
INSTEAD[np.inner] = lambda x, y: np.tensordot(x, y, ((x.ndim - 1,), (y.ndim - 1,))) if x.ndim and y.ndim else x * y

defvjp(
    np.vdot,
    lambda g, out, x, y: conj(g) * y.reshape(x.shape),
    lambda g, out, x, y: g * x.reshape(y.shape),
    holomorphic=False,
)
defvjp(
    np.outer,
    lambda g, out, x, y: np.matmul(g, y.reshape(-1)).reshape(x.shape),
    lambda g, out, x, y: np.matmul(g.T, x.reshape(-1)).reshape(y.shape),
)

# --- contractions -----------------------------------------------------------------------------------------------------


def _free(ndim: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a for a in range(ndim) if a not in axes)


def _in_place_of(axes: tuple[int, ...], x: Any) -> Any:
    """x, whose axis k is to be axis ``axes[k]``."""
    return np.transpose(x, [axes.index(a) for a in range(len(axes))])


def _contract_x(g: Any, x_ndim: int, y: Any, x_axes: tuple[int, ...], y_axes: tuple[int, ...]) -> Any:
    free = _free(x_ndim, x_axes)
    here = np.tensordot(g, y, (tuple(range(len(free), g.ndim)), _free(y.ndim, y_axes)))
    return _in_place_of((*free, *(x_axes[y_axes.index(a)] for a in sorted(y_axes))), here)


def _contract_y(g: Any, x: Any, y_ndim: int, x_axes: tuple[int, ...], y_axes: tuple[int, ...]) -> Any:
    free = _free(x.ndim, x_axes)
    here = np.tensordot(x, g, (free, tuple(range(len(free)))))
    return _in_place_of((*(y_axes[x_axes.index(a)] for a in sorted(x_axes)), *_free(y_ndim, y_axes)), here)


def _pairs(axes: Any, x_ndim: int, y_ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of a ``np.tensordot``, for each operand, counted from 0."""
    if not isinstance(axes, tuple | list) and np.ndim(axes) == 0:
        n = int(axes)
        return tuple(range(x_ndim - n, x_ndim)), tuple(range(n))
    first, second = ((int(a),) if np.ndim(a) == 0 else tuple(int(i) for i in a) for a in axes)
    return tuple(a % x_ndim for a in first), tuple(a % y_ndim for a in second)


defvjp(
    np.tensordot,
    lambda g, out, x, y, axes=2: _contract_x(g, x.ndim, y, *_pairs(axes, x.ndim, y.ndim)),
    lambda g, out, x, y, axes=2: _contract_y(g, x, y.ndim, *_pairs(axes, x.ndim, y.ndim)),
).op = lambda x, y, axes=2: np.tensordot(x, y, _pairs(axes, x.ndim, y.ndim))  # Dask's is wrong where axes are negative


def _dot_x(g: Any, x_shape: tuple[int, ...], y: Any) -> Any:
    if not x_shape or y.ndim == 0:
        return g * y
    if len(x_shape) < 3 and y.ndim < 3:
        return _matmul_x(g, x_shape, y)
    return _contract_x(g, len(x_shape), y, (len(x_shape) - 1,), (max(y.ndim - 2, 0),))


def _dot_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    if x.ndim == 0 or not y_shape:
        return g * x
    if x.ndim < 3 and len(y_shape) < 3:
        return _matmul_y(g, x, y_shape)
    return _contract_y(g, x, len(y_shape), (x.ndim - 1,), (max(len(y_shape) - 2, 0),))


defvjp(np.dot, lambda g, out, x, y: _dot_x(g, x.shape, y), lambda g, out, x, y: _dot_y(g, x, y.shape))

# --- einsum -----------------------------------------------------------------------------------------------------------


MUCH = 2**15  # products, above which those of matrices take less time


def _summed(subscripts: str, *operands: Any, optimize: Any) -> Any:
    """``np.einsum``, by products of matrices where there is much to multiply."""
    if not optimize and len(operands) == 2 and all(a.__class__ is np.ndarray for a in operands):
        x, y = operands
        if x.size * y.size > MUCH:
            inputs = subscripts.partition("->")[0].replace(",", "")
            optimize = math.prod(dict(zip(inputs, x.shape + y.shape, strict=True)).values()) > MUCH
    return np.einsum(subscripts, *operands, optimize=optimize)


@pure
def einsum(*operands: Any, subscripts: str, optimize: Any = False) -> Any:
    """``np.einsum`` with its subscripts written out: every axis has a letter, and the output is stated."""
    return _summed(subscripts, *operands, optimize=optimize)


@functools.lru_cache(maxsize=256)
def _subscripts_of_gradient(subscripts: str, i: int) -> tuple[str, str, str, str]:
    """The subscripts of the product of g and the others, and letters: operand i's, these once each, the result's."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    mine = terms.pop(i)
    letters = "".join(dict.fromkeys(mine))
    shared = "".join(c for c in letters if c in output or any(c in term for term in terms))
    return f"{','.join([output, *terms])}->{shared}", mine, letters, shared


def _einsum_rule(g: Any, out: Any, i: int, *operands: Any, subscripts: str = "", optimize: Any = False) -> Any:
    """The product of g and the other operands, summed over all letters but those of operand i."""
    product, mine, letters, shared = _subscripts_of_gradient(subscripts, i)
    others, shape = operands[:i] + operands[i + 1 :], operands[i].shape
    grad = _summed(product, g, *others, optimize=optimize)
    if mine == shared and grad.shape == shape:
        return grad
    # a letter that only this operand has was summed over: its elements all get the same
    lengths = dict(zip(shared, grad.shape, strict=True))
    sizes = dict(zip(mine, shape, strict=True))
    grad = grad.reshape(tuple(lengths.get(c, 1) for c in letters))
    full = tuple(max(lengths.get(c, 1), sizes[c]) if sizes[c] else 0 for c in letters)
    grad = grad if grad.shape == full else np.broadcast_to(grad, full)
    if len(letters) == len(mine):
        return grad
    # a letter twice takes a diagonal
    grid = dict(zip(letters, np.ogrid[tuple(slice(sizes[c]) for c in letters)], strict=True))
    return scattered(grad, tuple(grid[c] for c in mine), shape)


defvjp_variadic(einsum, _einsum_rule)


@functools.lru_cache(maxsize=256)
def _subscripts(text: str, ndims: tuple[int, ...]) -> str:
    """Subscripts as NumPy takes them, with a letter for every axis and the output stated."""
    text = text.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {text!r} has subscripts for {len(terms)} operands, but {len(ndims)} were given")
    unused = [c for c in string.ascii_letters if c not in text]
    hidden = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    for k, (term, extra, ndim) in enumerate(zip(terms, hidden, ndims, strict=True)):
        if extra < 0 or (extra and "..." not in term):
            raise ValueError(f"einsum: subscripts {term!r} do not fit operand {k}, which has {ndim} dimensions")
    most = max(extra if "..." in term else 0 for term, extra in zip(terms, hidden, strict=True))
    ellipsis = "".join(unused[:most])
    terms = [t.replace("...", ellipsis[most - extra :]) for t, extra in zip(terms, hidden, strict=True)]
    if not arrow:
        letters = inputs.replace(",", "").replace("...", "")
        output = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    elif most and "..." not in output:
        raise ValueError(f"einsum: the output of {text!r} must have the ellipsis (...) of its operands")
    return f"{','.join(terms)}->{output.replace('...', ellipsis)}"


def _einsum(*operands: Any, optimize: Any = False, **options: Any) -> Any:
    for name, value in options.items():
        if value is not None:
            raise TypeError(f"np.einsum: the option {name}={value!r} is not traced")
    if isinstance(operands[0], str):
        text, arrays = operands[0], list(operands[1:])
    else:
        arrays, lists = list(operands[: len(operands) // 2 * 2 : 2]), list(operands[1::2])
        text = ",".join(_letters(axes) for axes in lists)
        if len(operands) % 2:
            text += f"->{_letters(operands[-1])}"
    arrays = [arrayed(a) for a in arrays]
    return einsum(*arrays, subscripts=_subscripts(text, tuple([a.ndim for a in arrays])), optimize=optimize)


def _letters(axes: Any) -> str:
    return "".join("..." if a is Ellipsis else sorted(string.ascii_letters)[a] for a in axes)


composite(np.einsum, _einsum)

# --- cross products ---------------------------------------------------------------------------------------------------


@pure
def cross(x: Any, y: Any) -> Any:
    """``np.cross`` of the vectors along the last axes."""
    return np.cross(x, y)


defvjp(cross, lambda g, out, x, y: cross(y, g), lambda g, out, x, y: cross(g, x))


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(arrayed(a), axisa, -1), np.moveaxis(arrayed(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"np.cross of Tensors takes vectors of 3 elements, got {a.shape[-1]} and {b.shape[-1]}")
    return np.moveaxis(cross(a, b), -1, axisc)


composite(np.cross, _cross)

# --- linear equations -------------------------------------------------------------------------------------------------


def _solve_turned(a: Any, g: Any, b_ndim: int) -> Any:
    """The solution of aᵀ h = g; of g as a stack of vectors where b was one: NumPy takes a g of 2-d as a matrix."""
    if b_ndim == 1:
        return np.linalg.solve(turned(a), np.expand_dims(g, -1))[..., 0]
    return np.linalg.solve(turned(a), g)


def _solve_matrix(g: Any, out: Any, a: Any, b_ndim: int) -> Any:
    h = _solve_turned(a, g, b_ndim)
    if b_ndim == 1:
        return -np.expand_dims(h, -1) * np.expand_dims(out, -2)
    return -np.matmul(h, turned(out))


# Giles, "An extended collection of matrix derivative results" (2008)
defvjp(np.linalg.inv, lambda g, out, x: -np.matmul(np.matmul(turned(out), g), turned(out)))
defvjp(
    np.linalg.solve,
    lambda g, out, a, b: _solve_matrix(g, out, a, b.ndim),
    lambda g, out, a, b: _solve_turned(a, g, b.ndim),
)

# --- determinants -----------------------------------------------------------------------------------------------------


@pure
def cofactors(x: Any) -> Any:
    """The cofactors of square matrices, det(x) x⁻ᵀ where there is an inverse: the slope of the determinant.

    From x = U diag(s) V they are det(U) det(V) U diag(∏ of the other s) V, which divides by nothing; of complex x,
    with the conjugates of U and V.
    """
    known = np.all(np.isfinite(x), axis=(-2, -1), keepdims=True)
    u, s, v = np.linalg.svd(np.where(known, x, 0))
    own = beside(s, np.eye(s.shape[-1], dtype=bool))
    others = np.prod(np.where(own, 1, np.expand_dims(s, -2)), axis=-1, dtype=s.dtype)
    sign, u, v = np.sign(np.linalg.det(u) * np.linalg.det(v)), np.conj(u), np.conj(v)
    return np.where(known, np.matmul(u * np.expand_dims(others, -2), v) * np.expand_dims(sign, (-2, -1)), np.nan)


def _without_two(s: Any) -> Any:
    """The products of all elements along the last axis but the i-th and the j-th, for each pair; 0 where i = j."""
    later = beside(s, np.triu(np.ones((s.shape[-1],) * 2, bool), 1))
    between = product_before(np.where(later, np.expand_dims(s, -2), 1))
    after = np.flip(product_before(np.flip(s, -1)), -1)
    pairs = np.where(later, np.expand_dims(product_before(s), -1) * between * np.expand_dims(after, -2), 0)
    return pairs + turned(pairs)


@pure
def cofactors_along(h: Any, x: Any) -> Any:
    """How the cofactors of x change along h: the second derivative of the determinant, which is symmetric.

    Where x is diag(s), that of element (i, i) is Σ h[j, j] ∏ of the s but the i-th and the j-th, and that of (i, j)
    is −h[j, i] times this product; x = U diag(s) V turns h into Uᵀ h Vᵀ.
    """
    known = np.all(np.isfinite(x), axis=(-2, -1), keepdims=True)
    u, s, v = np.linalg.svd(np.where(known, x, 0))
    sign, u, v = np.expand_dims(np.sign(np.linalg.det(u) * np.linalg.det(v)), (-2, -1)), np.conj(u), np.conj(v)
    h = np.matmul(np.matmul(turned(u), h), turned(v))
    pairs = _without_two(s)
    place = beside(s, np.eye(s.shape[-1], dtype=s.dtype))
    diagonal = np.matmul(pairs, np.expand_dims(np.diagonal(h, 0, -2, -1), -1)) * place
    return np.where(known, np.matmul(np.matmul(u, diagonal - pairs * turned(h)), v) * sign, np.nan)


def _third_derivative(g: Any, h: Any, x: Any) -> Any:
    """That of the determinant: each cofactor is the determinant, with a sign, of x without a row and a column."""
    n = x.shape[-1]
    rest = np.array([[k for k in range(n) if k != i] for i in range(n)], np.intp).reshape(n, max(n - 1, 0))
    index = (..., rest[:, None, :, None], rest[None, :, None, :])
    sign = beside(x, 1 - 2 * (np.add.outer(np.arange(n), np.arange(n)) % 2))
    return scattered(cofactors_along(np.expand_dims(g * sign, (-2, -1)) * h[index], x[index]), index, x.shape)


defvjp(cofactors, lambda g, out, x: cofactors_along(g, x))
defvjp(
    cofactors_along,
    lambda g, out, h, x: cofactors_along(g, x),
    lambda g, out, h, x: _third_derivative(g, h, x),
)


def _loses_digits(x: Any, inverse: Any) -> bool:
    """Whether a matrix is so near to a singular one that the derivatives of det(x) x⁻ᵀ are differences of rounding."""
    x, inverse = (np.abs(getattr(a, "data", a)).sum(axis=-1).max(axis=-1, initial=0) for a in (x, inverse))
    return not np.all(x * inverse < np.finfo(x.dtype).eps ** -0.25)


def _det_rule(g: Any, out: Any, x: Any) -> Any:
    inverse = None if np.any(out == 0) else np.linalg.inv(x)
    if inverse is None or _loses_digits(x, inverse):
        return np.expand_dims(g, (-2, -1)) * cofactors(x)
    return np.expand_dims(g * out, (-2, -1)) * turned(inverse)


defvjp(np.linalg.det, _det_rule)
