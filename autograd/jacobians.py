"""Derivatives of more than a gradient: `jacobian`, `hessian`, and `hvp`, the product of a Hessian and a vector."""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from .nests import leaves, leaves_like, map_leaves, numbers_of, unflatten
from .tracing import Function, Trace, checked, checked_argnums, one_array, paired, positions_of, value_with_grad

__all__ = ["hessian", "hvp", "jacobian"]


def jacobian(f: Function, argnums: int | tuple[int, ...] = 0, *, argnum: Any = None) -> Function:
    """The Jacobian of a function.

    Parameters
    ----------
    f : callable
        Returns an array, or a nest of them.
    argnums : int or tuple of int, optional
        The arguments to differentiate by; `argnum` is HIPS autograd's name for it.

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
        When called, if there is no such argument, or a complex result is not holomorphic in a complex argument.
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

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(f, wrt, args, kwargs, "jacobian")

    return derivative


def _jacobian(f: Function, argnums: int | tuple[int, ...], args: tuple[Any, ...], kwargs: Any, caller: str) -> Any:
    trace = Trace(f, args, positions_of(argnums, args, caller), caller, kwargs)
    if not isinstance(trace.out, list | tuple | dict):
        return _blocks(trace, one_array(trace.out, caller), isinstance(argnums, int))
    return map_leaves(lambda out: _blocks(trace, one_array(out, caller), isinstance(argnums, int)), trace.out)


def _blocks(trace: Trace, out: Any, single: bool) -> Any:
    """The Jacobian of one array of a traced function's results, in the nest of its arguments."""
    shape, dtype = np.shape(numbers_of(out)), getattr(out, "dtype", np.dtype(float))
    rows = []
    for i in range(int(np.prod(shape, dtype=int))):
        unit = np.zeros(shape, dtype)
        unit.reshape(-1)[i] = 1
        rows.append(_row(trace, out, unit))
    columns = zip(*rows, strict=True) if rows else [()] * len(trace.inputs)
    blocks = [
        np.reshape(np.stack(column), shape + x.shape) if column else np.zeros(shape + x.shape, x.dtype)
        for column, x in zip(columns, trace.inputs, strict=True)
    ]
    found = unflatten(trace.wrt, map(trace.finished, blocks))
    return found[0] if single else found


def _row(trace: Trace, out: Any, unit: Any) -> list[Any]:
    """The slopes of one element of the result; of a complex one, ∂Re + i ∂Im by real arguments, f′ by complex ones."""
    found = trace.pull(out, unit)
    if unit.dtype.kind != "c":
        return found
    pairs = zip(found, trace.pull(out, 1j * unit), trace.inputs, strict=True)
    return [re + 1j * im if x.dtype.kind != "c" else _holomorphic(re, im) for re, im, x in pairs]


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
        return _jacobian(gradient, wrt, args, kwargs, "hessian")

    return derivative


def hvp(f: Function, argnums: int | tuple[int, ...] = 0, *, argnum: Any = None) -> Function:
    """The product of the Hessian and a vector, without the Hessian.

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
            gradients = leaves(value_with_grad(f, wrt, inner, options, "hvp")[1])
            return sum((paired(g, v) for g, v in zip(gradients, directions, strict=True)), 0.0)

        return value_with_grad(slope, wrt, tuple(primals), kwargs, "hvp", also=directions)[1]

    return product
