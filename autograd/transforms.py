"""Functions that turn functions into their derivatives: `grad`, `jacobian`, `hvp`, ..., nested to any order.

Arguments may be arrays, numbers, Tensors, or nested lists, tuples and dicts of them; derivatives come in the same nest.
Arrays in, arrays out. Where any argument is a Tensor, or one derivative is taken inside another, every result is a
Tensor; where one requires a gradient, and recording is on, results are recorded and can be differentiated again.
An argument that the function does not use has a gradient of zero; Tensors that it closes over are constants.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from .libraries import ones_like
from .nests import leaves, leaves_like, map_leaves, numbers_of, unflatten
from .recording import SCOPE
from .tracing import (
    Function,
    Trace,
    checked,
    checked_argnums,
    finished,
    one_array,
    positions_of,
    real_result,
    results,
    something,
    value_with_grad,
)  # fmt: skip

__all__ = ["elementwise_grad", "grad", "jvp", "value_and_grad", "vjp"]


def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0, *, argnum: Any = None) -> Function:
    """A function that returns both f(...) and its gradient.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int or tuple of int, optional
        The arguments to differentiate by; `argnum` is HIPS autograd's name for it.

    Returns
    -------
    callable
        Of f's arguments; returns ``(value, gradient)``. The gradient has the structure, shapes and dtypes of the
        argument; a tuple of them where `argnums` is one.

    Raises
    ------
    ValueError
        When called, if f's result is not a scalar or there is no such argument.
    TypeError
        If f is not callable or `argnums` not an integer; when called, if the argument is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import value_and_grad
    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    checked(f, "value_and_grad")
    wrt = checked_argnums(argnums, "value_and_grad", argnum)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return value_with_grad(f, wrt, args, kwargs, "value_and_grad")

    return derivative


def grad(f: Function, argnums: int | tuple[int, ...] = 0, *, argnum: Any = None) -> Function:
    """The gradient of a function with a scalar result.

    Parameters
    ----------
    f : callable
    argnums : int or tuple of int, optional
        The arguments to differentiate by; `argnum` is HIPS autograd's name for it.

    Returns
    -------
    callable
        Of f's arguments; returns the gradient, in the structure, shapes and dtypes of the argument (a tuple of them
        where `argnums` is one). An argument that f does not use has a gradient of zero.

    Raises
    ------
    ValueError
        When called, if f's result is not a scalar or there is no such argument.
    TypeError
        If f is not callable or `argnums` not an integer; when called, if the argument is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> f = np.tanh
    >>> [round(float(d(1.0)), 6) for d in (grad(f), grad(grad(f)), grad(grad(grad(f))))]
    [0.419974, -0.6397, 0.621627]
    """
    checked(f, "grad")
    wrt = checked_argnums(argnums, "grad", argnum)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return value_with_grad(f, wrt, args, kwargs, "grad")[1]

    return derivative


def elementwise_grad(f: Function, argnums: int | tuple[int, ...] = 0, *, argnum: Any = None) -> Function:
    """The derivative of a function that works element by element: that of the sum of its results.

    Parameters
    ----------
    f : callable
        Returns an array, each element of which depends on one element of the argument.
    argnums : int or tuple of int, optional
        The arguments to differentiate by; `argnum` is HIPS autograd's name for it.

    Returns
    -------
    callable
        Of f's arguments; returns the derivatives, in the structure, shapes and dtypes of the argument (a tuple of
        them where `argnums` is one).

    Raises
    ------
    ValueError
        When called, if there is no such argument.
    TypeError
        If f is not callable or `argnums` not an integer; when called, if the argument is not of floating-point numbers
        or f returns no array.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import elementwise_grad
    >>> elementwise_grad(np.square)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    checked(f, "elementwise_grad")
    wrt = checked_argnums(argnums, "elementwise_grad", argnum)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, positions_of(wrt, args, "elementwise_grad"), "elementwise_grad", kwargs)
        out = real_result(one_array(trace.out, "elementwise_grad"), "elementwise_grad")
        pulled = trace.pull(out, ones_like(numbers_of(out)))
        grads = unflatten(trace.wrt, map(trace.finished, pulled) if trace.tensors else iter(pulled))
        return grads[0] if isinstance(wrt, int) else grads

    return derivative


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of a function, and the function that pulls a cotangent back through it.

    Parameters
    ----------
    f : callable
        Returns an array, or a nest of them.
    *primals : array_like
        The point; every argument is differentiated by.

    Returns
    -------
    out : array
        ``f(*primals)``.
    pullback : callable
        ``pullback(cotangent)``, with a cotangent of out's structure and shapes, returns a tuple of gradients, one for
        each argument: the cotangent times the Jacobian.

    Raises
    ------
    ValueError
        By the pullback, if the cotangent's structure or shapes are not those of `out`.
    TypeError
        If f is not callable or returns None, or an argument is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import vjp
    >>> out, pullback = vjp(np.sin, np.array([0.0, np.pi]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([  1., -10.]),)
    """
    trace = Trace(checked(f, "vjp"), primals, tuple(range(len(primals))), "vjp")
    outs = leaves(something(trace.out, "vjp"))

    def pullback(cotangent: Any) -> Any:
        cotangents = leaves_like(cotangent, trace.out, "vjp: the cotangent")
        tensors, records = results(cotangents)
        tensors = tensors or trace.tensors
        records = records or (trace.records and SCOPE.get() is not None)
        pulled = [trace.pull(out, c, records) for out, c in zip(outs, cotangents, strict=True)]
        totals, *others = pulled or [trace.pull(None, None, records)]
        if others:
            totals = [sum(column, total) for total, *column in zip(totals, *others, strict=True)]
        if tensors and not records:
            totals = [finished(g, tensors, records) for g in totals]
        return unflatten(trace.wrt, iter(totals))

    return map_leaves(trace.finished, trace.out), pullback


def jvp(f: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """The value of a function and its derivative along a direction: forward mode.

    There is no second table of rules: each rule is linear in the gradient that it pulls back, and is turned around.
    One push costs about as much as one pull; like it, it needs the values of the call, which is recorded first.

    Parameters
    ----------
    f : callable
    primals : tuple of array_like
        The point.
    tangents : tuple of array_like
        The direction, of the structure and shapes of `primals`.

    Returns
    -------
    (out, tangent)
        ``f(*primals)`` and the Jacobian times the direction, of out's structure and shapes.

    Raises
    ------
    ValueError
        If the structure or shapes of `tangents` are not those of `primals`.
    TypeError
        If f is not callable or returns None, `primals` or `tangents` is not a tuple, or an argument is not of
        floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jvp
    >>> jvp(lambda x: x**2, (np.array([1.0, 3.0]),), (np.array([1.0, 10.0]),))
    (array([1., 9.]), array([ 2., 60.]))
    """
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError("jvp expects primals and tangents as tuples, one entry for each argument: jvp(f, (x,), (v,))")
    checked(f, "jvp")
    primals, tangents = tuple(primals), tuple(tangents)
    if len(tangents) != len(primals):
        raise ValueError(f"jvp: {len(tangents)} tangents for {len(primals)} primals")
    pairs = enumerate(zip(tangents, primals, strict=True))
    directions = [leaf for i, (v, x) in pairs for leaf in leaves_like(v, x, f"jvp: tangent {i}")]
    trace = Trace(f, primals, tuple(range(len(primals))), "jvp", also=directions)
    pushed = trace.push(leaves(something(trace.out, "jvp")), directions)
    return map_leaves(trace.finished, trace.out), unflatten(trace.out, map(trace.finished, pushed))
