"""Derivatives of more than a gradient: `jacobian`, `hessian`, and `hvp`, the product of a Hessian and a vector."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import wraps
from typing import Any

import numpy as np

from .libraries import beside
from .nests import leaves, leaves_like, numbers_of, unflatten
from .rows import Rows
from .tracing import Function, Trace, checked, checked_argnums, one_array, paired, positions_of, value_with_grad

__all__ = ["hessian", "hvp", "jacobian"]


def jacobian(
    f: Function, argnums: int | tuple[int, ...] = 0, *, mode: str | None = None, argnum: Any = None
) -> Function:
    """The Jacobian of a function.

    Parameters
    ----------
    f : callable
        Returns an array, or a nest of them.
    argnums : int or tuple of int, optional
        The arguments to differentiate by; `argnum` is HIPS autograd's name for it.
    mode : {"forward", "reverse"}, optional
        ``"reverse"`` pulls back one row of the Jacobian at a time, for each number that f returns; ``"forward"``
        pushes one column, for each number of the arguments. None takes what there are fewer of.

    Returns
    -------
    callable
        Of f's arguments; returns, for each array of the result, an array of shape ``out.shape + x.shape``: entry
        [i..., j...] is ∂outᵢ/∂xⱼ. For a nest of arrays, a nest of Jacobians; a tuple of Jacobians where `argnums` is
        one. A complex result has the derivative f′ by complex arguments, if f is holomorphic, and ∂Re + i ∂Im by real
        ones; a real result has ∂/∂Re z + i ∂/∂Im z by complex ones, as `grad` has.

    Raises
    ------
    ValueError
        If there is no such mode; when called, if there is no such argument, or a complex result is not holomorphic in a
        complex argument.
    TypeError
        If f is not callable or `argnums` not an integer; when called, if f returns anything but arrays, or the
        argument is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jacobian
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] ** 2]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [4., 0.]])
    """
    checked(f, "jacobian")
    wrt = checked_argnums(argnums, "jacobian", argnum)
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"jacobian: mode must be 'forward', 'reverse' or None, got {mode!r}")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(f, wrt, args, kwargs, "jacobian", mode)

    return derivative


def _jacobian(
    f: Function, argnums: int | tuple[int, ...], args: tuple[Any, ...], kwargs: Any, caller: str, mode: str | None
) -> Any:
    trace = Trace(f, args, positions_of(argnums, args, caller), caller, kwargs)
    nest = isinstance(trace.out, list | tuple | dict)
    outs = [one_array(out, caller) for out in (leaves(trace.out) if nest else [trace.out])]
    if mode is None:
        fewer = sum(x.size for x in trace.inputs) < sum(math.prod(np.shape(numbers_of(out))) for out in outs)
        mode = "forward" if fewer else "reverse"
    rows = (_columns if mode == "forward" else _rows)(trace, outs)
    found = [unflatten(trace.wrt, map(trace.finished, row)) for row in rows]
    return unflatten(trace.out if nest else 0, iter([row[0] for row in found] if isinstance(argnums, int) else found))


def _units(array: Any, at_once: int) -> Iterator[Any]:
    """For each element of an array, zeros with 1 in its place; several as `Rows`, where so many are taken at once."""
    shape, dtype = np.shape(numbers_of(array)), getattr(array, "dtype", float)
    size = math.prod(shape)
    for i in range(0, size, at_once):
        units = np.eye(min(at_once, size - i), size, i, dtype).reshape(-1, *shape)
        yield Rows(units) if at_once > 1 else beside(numbers_of(array), units[0])


def _block(parts: list[Any], last: bool, out: Any, x: Any) -> Any:
    """Derivatives one after the other, or in `Rows`, as the Jacobian of `out` by `x`: along its last axes, or first."""
    shape = np.shape(numbers_of(out)) + x.shape
    if not parts:
        return np.zeros(shape, x.dtype)
    if isinstance(parts[0], Rows):
        block = np.concatenate([part.data for part in parts])
        block = np.moveaxis(block, 0, -1) if last else block
    else:
        block = np.stack(parts, axis=-1 if last else 0)
    block = np.reshape(block, shape)
    return block.astype(x.dtype) if block.dtype.kind == x.dtype.kind and block.dtype != x.dtype else block


def _rows(trace: Trace, outs: list[Any]) -> Iterator[list[Any]]:
    """For each result, its Jacobians by all inputs: by the rows of the Jacobian."""
    many = trace.at_once(outs)
    for out in outs:
        rows = [_row(trace, out, unit) for unit in _units(out, many)]
        yield [_block([row[j] for row in rows], False, out, x) for j, x in enumerate(trace.inputs)]


def _columns(trace: Trace, outs: list[Any]) -> Iterator[list[Any]]:
    """For each result, its Jacobians by all inputs: by the columns of the Jacobian."""
    many = trace.at_once(outs)
    columns = [[_column(trace, outs, j, unit) for unit in _units(x, many)] for j, x in enumerate(trace.inputs)]
    for i, out in enumerate(outs):
        yield [_block([at[i] for at in columns[j]], True, out, x) for j, x in enumerate(trace.inputs)]


def _row(trace: Trace, out: Any, unit: Any) -> list[Any]:
    """The slopes of one element of the result; of a complex one, ∂Re + i ∂Im by real arguments, f′ by complex ones."""
    found = trace.pull(out, unit)
    if unit.dtype.kind != "c":
        return found
    pairs = zip(found, trace.pull(out, 1j * unit), trace.inputs, strict=True)
    return [re + 1j * im if x.dtype.kind != "c" else _holomorphic(re, im) for re, im, x in pairs]


def _column(trace: Trace, outs: list[Any], j: int, unit: Any) -> list[Any]:
    """The slopes by one element of input `j`; by a complex one f′, and ∂/∂Re z + i ∂/∂Im z of a real result."""
    along = lambda v: trace.push(outs, [v if k == j else None for k in range(len(trace.inputs))])
    found = along(unit)
    if unit.dtype.kind != "c":
        return found
    pairs = zip(found, along(1j * unit), strict=True)
    return [x + 1j * y if x.dtype.kind != "c" else np.conj(_holomorphic(x, y)) for x, y in pairs]


def _holomorphic(of_real: Any, of_imaginary: Any) -> Any:
    """f′, of what the real and the imaginary part of f have as gradients by a complex argument."""
    off = np.abs(numbers_of(of_imaginary) - 1j * numbers_of(of_real))
    if np.any(off > 1e3 * np.finfo(off.dtype).eps * (np.abs(numbers_of(of_real)) + np.max(off, initial=0) + 1)):
        raise ValueError(
            "jacobian: the function is not holomorphic, and has no one derivative by a complex argument: take the "
            "Jacobians of np.real and np.imag of it, or give it the real and the imaginary part as two arguments"
        )
    return np.conj(of_real)


def hessian(f: Function, argnums: int = 0, *, argnum: Any = None) -> Function:
    """The Hessian of a function with a scalar result: the Jacobian of its gradient.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int, optional
        The argument to differentiate by; `argnum` is HIPS autograd's name for it.

    Returns
    -------
    callable
        Of f's arguments; returns an array of shape ``x.shape + x.shape`` and x's dtype. For a nest of arrays, a nest
        of nests: ``h["a"]["b"]`` is the block between ``x["a"]`` and ``x["b"]``.

    Raises
    ------
    ValueError
        When called, if f's result is not a scalar or there is no such argument.
    TypeError
        If f is not callable or `argnums` not one integer; when called, if the argument is not of
        floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    checked(f, "hessian")
    wrt = checked_argnums(argnums, "hessian", argnum)
    if not isinstance(wrt, int):
        raise TypeError(
            f"hessian: argnums must be one integer, got {argnums!r}; the block between two arguments is "
            "jacobian(grad(f, 0), 1)"
        )

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return value_with_grad(f, wrt, args, kwargs, "hessian")[1]

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(gradient, wrt, args, kwargs, "hessian", None)

    return derivative


def hvp(f: Function, argnums: int | tuple[int, ...] = 0, *, argnum: Any = None) -> Function:
    """The product of the Hessian and a vector, without the Hessian: the gradient of the slope along the vector.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int or tuple of int, optional
        The arguments to differentiate by; `argnum` is HIPS autograd's name for it.

    Returns
    -------
    callable
        Of f's arguments and then the vector, of the structure and shapes of the argument (a tuple of vectors where
        `argnums` is one): ``hvp(f)(x, v)``. Returns the product, of the argument's structure, shapes and dtypes.

    Raises
    ------
    ValueError
        When called, if the structure or shapes of the vector are not those of the argument, f's result is not a
        scalar, or there is no such argument.
    TypeError
        If f is not callable or `argnums` not an integer; when called without a vector, or if the argument is not of
        floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hvp
    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    checked(f, "hvp")
    wrt = checked_argnums(argnums, "hvp", argnum)

    @wraps(f)
    def product(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise TypeError("hvp(f) is called with f's arguments and then the vector: hvp(f)(x, v)")
        *primals, vector = args
        chosen = tuple(primals[i] for i in positions_of(wrt, tuple(primals), "hvp"))
        directions = leaves_like(vector, chosen[0] if isinstance(wrt, int) else chosen, "hvp: the vector")

        def slope(*inner: Any, **options: Any) -> Any:
            found = leaves(value_with_grad(f, wrt, inner, options, "hvp")[1])
            return sum([paired(g, v) for g, v in zip(found, directions, strict=True)])

        return value_with_grad(slope, wrt, tuple(primals), kwargs, "hvp", directions)[1]

    return product
