"""Functions that turn functions into their derivatives: `grad`, `jacobian`, `hvp`, ..., nested to any order.

Arguments may be arrays, numbers, Tensors, or nested lists, tuples and dicts of them; derivatives come in the same nest.
Arrays in, arrays out. Where any argument is a Tensor, or one derivative is taken inside another, every result is a
Tensor; where one requires a gradient, and recording is on, results are recorded and can be differentiated again.
An argument that the function does not use has a gradient of zero; Tensors that it closes over are constants.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np

from .backward import sweep
from .errors import describe
from .forward import record
from .nests import leaves, leaves_like, map_leaves, number, unflatten
from .node import NO_OPTIONS, VARIABLE, Node
from .operands import constant
from .recording import DEPTH, SCOPE, enable_grad
from .registry import RULES
from .tensor import Tensor, lift

__all__ = ["elementwise_grad", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]


@contextmanager
def _inside() -> Iterator[None]:
    token = DEPTH.set(DEPTH.get() + 1)
    try:
        with enable_grad():
            yield
    finally:
        DEPTH.reset(token)


# --- tracing ----------------------------------------------------------------------------------------------------------


def _results(given: Any) -> tuple[bool, bool]:
    """Whether results that come of `given`, a nest, are Tensors, and whether they are recorded."""
    nested = DEPTH.get() > 0
    tensors = [leaf for leaf in leaves(given) if isinstance(leaf, Tensor)]
    recorded = SCOPE.get() is not None and (nested or any(t.requires_grad for t in tensors))
    return nested or bool(tensors), recorded


class _Trace:
    """One call of a function with fresh Tensors in the place of some arguments.

    `also` is a nest of what else the results depend on: the direction of a directional derivative.
    """

    def __init__(
        self,
        f: Function,
        args: tuple[Any, ...],
        positions: tuple[int, ...],
        caller: str,
        kwargs: Any = None,
        also: Any = None,
    ):
        self.wrt = tuple(args[i] for i in positions)
        self.tensors, self.records = _results((args, kwargs, also))
        with _inside():
            self.inputs = [_variable(leaf, caller, self.records) for leaf in leaves(self.wrt)]
            fresh = unflatten(self.wrt, iter(self.inputs))
            call = list(args)
            for i, value in zip(positions, fresh, strict=True):
                call[i] = value
            self.out = f(*call, **(kwargs or {}))

    def pull(self, out: Any, cotangent: Any, records: bool | None = None) -> list[Any]:
        """The gradients of ⟨cotangent, out⟩ in the inputs: Tensors if they are recorded, else arrays."""
        records = self.records if records is None else records
        found: dict[Node, Any] = {}
        root = out.node if isinstance(out, Tensor) else None
        if root is not None and root.needs_grad and self.inputs:
            oldest = min(x.node.seq for x in self.inputs)
            wanted = {x.node for x in self.inputs}
            cut = frozenset(wanted)
            with np.errstate(all="ignore"):
                if records:
                    seed = cotangent if isinstance(cotangent, Tensor) else Tensor(cotangent, requires_grad=False)
                    with enable_grad():
                        steps = sweep(root, seed, lift=lift, oldest=oldest, detailed=False, stop=cut)
                        found = {step.node: step.grad for step in steps if step.node in wanted}
                else:
                    seed = number(cotangent)
                    steps = sweep(root, seed if seed.shape else seed[()], oldest=oldest, detailed=False, stop=cut)
                    found = {step.node: step.grad for step in steps if step.node in wanted}
        grads = [found[x.node] if x.node in found else np.zeros(x.shape, x.dtype) for x in self.inputs]
        return [_finished(g, records, records) for g in grads]

    def finished(self, value: Any) -> Any:
        """A result as the caller sees it."""
        return _finished(value, self.tensors, self.records)


def _finished(value: Any, tensors: bool, records: bool) -> Any:
    """A result as the caller sees it: a Tensor, recorded or not, or an array that is the caller's own.

    A NumPy scalar where an array would be 0-d, as NumPy's functions return.
    """
    if tensors:
        if isinstance(value, Tensor):
            return value if records else value.detach()
        return Tensor(value, requires_grad=False)
    value = np.asarray(number(value))
    return value[()] if not value.shape else np.array(value)


def _variable(leaf: Any, caller: str, linked: bool) -> Tensor:
    """A fresh Tensor to differentiate by: `linked` to `leaf` where that is a Tensor itself."""
    if isinstance(leaf, Tensor):
        if leaf.dtype.kind != "f":
            raise TypeError(f"{caller}: {describe(leaf.node)} has dtype {leaf.dtype}; only floating-point values count")
        if not linked:
            return _leaf(leaf.data, leaf.name)
        variable = record(RULES[np.positive], (leaf,), NO_OPTIONS)
        variable.node.needs_grad = True
        variable.node.name = leaf.name
        return variable
    array = np.asarray(constant(leaf))
    if array.dtype.kind != "f":
        raise TypeError(
            f"{caller}: can't differentiate by an argument of dtype {array.dtype} ({leaf!r:.40}); "
            "give floating-point numbers, 3.0 for 3"
        )
    return _leaf(array)


def _leaf(array: Any, name: str | None = None) -> Tensor:
    variable = Tensor(array, name=name)
    variable.node.rule = VARIABLE
    return variable


# --- what transforms are given ----------------------------------------------------------------------------------------


def _checked(f: Any, caller: str) -> Function:
    if not callable(f):
        raise TypeError(f"{caller} expects a function, got {type(f).__name__}")
    return f


def _argnums(argnums: Any, caller: str) -> int | tuple[int, ...]:
    """`argnums` as Python's own integers."""
    several = isinstance(argnums, tuple | list)
    found = []
    for i in argnums if several else (argnums,):
        if isinstance(i, bool | np.bool_) or not hasattr(i, "__index__"):
            raise TypeError(f"{caller}: argnums must be an integer or a tuple of them, got {argnums!r}")
        found.append(operator.index(i))
    return tuple(found) if several else found[0]


def _positions(argnums: int | tuple[int, ...], args: tuple[Any, ...], caller: str) -> tuple[int, ...]:
    """The places in `args` that `argnums` names."""
    named = (argnums,) if isinstance(argnums, int) else argnums
    if any(not -len(args) <= i < len(args) for i in named):
        raise ValueError(f"{caller}: argnums={argnums!r}, but the function was called with {len(args)} arguments")
    positions = tuple(i % len(args) for i in named)
    if len(set(positions)) < len(positions):
        raise ValueError(f"{caller}: argnums={argnums!r} names an argument twice")
    for i in positions:
        if args[i] is None:
            raise TypeError(f"{caller}: argument {i} is None, there is nothing to differentiate by")
    return positions


def _scalar(out: Any, caller: str) -> Any:
    other = isinstance(out, list | tuple | dict) or np.asarray(number(out)).dtype.kind not in "fiub"
    if other or np.shape(number(out)) != ():
        shape = type(out).__name__ if other else f"shape {np.shape(number(out))}"
        raise ValueError(
            f"{caller} needs a function with a scalar result, got {shape}: sum it, or use jacobian, vjp or "
            "elementwise_grad"
        )
    return out


def _one_array(out: Any, caller: str) -> Any:
    if isinstance(out, list | tuple | dict) or out is None:
        raise TypeError(f"{caller} needs a function that returns one array, got {type(out).__name__}")
    return out


def _something(out: Any, caller: str) -> Any:
    if out is None:
        raise TypeError(f"{caller} needs a function that returns an array or a nest of arrays, got NoneType")
    return out


def _one(out: Any) -> Any:
    return np.ones((), out.dtype if isinstance(out, Tensor) else float)[()]


# --- the transforms ---------------------------------------------------------------------------------------------------


def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """A function that returns both f(...) and its gradient.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int or tuple of int, optional
        The arguments to differentiate by.

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
    _checked(f, "value_and_grad")
    wrt = _argnums(argnums, "value_and_grad")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(f, wrt, args, kwargs, "value_and_grad")

    return derivative


def _value_and_grad(
    f: Function, argnums: int | tuple[int, ...], args: tuple[Any, ...], kwargs: Any, caller: str, also: Any = None
) -> tuple[Any, Any]:
    trace = _Trace(f, args, _positions(argnums, args, caller), caller, kwargs, also)
    out = _scalar(trace.out, caller)
    grads = unflatten(trace.wrt, map(trace.finished, trace.pull(out, _one(out))))
    return trace.finished(out), grads[0] if isinstance(argnums, int) else grads


def grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """The gradient of a function with a scalar result.

    Parameters
    ----------
    f : callable
    argnums : int or tuple of int, optional
        The arguments to differentiate by.

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
    _checked(f, "grad")
    wrt = _argnums(argnums, "grad")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(f, wrt, args, kwargs, "grad")[1]

    return derivative


def elementwise_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """The derivative of a function that works element by element: that of the sum of its results.

    Parameters
    ----------
    f : callable
        Returns an array, each element of which depends on one element of the argument.
    argnums : int or tuple of int, optional
        The arguments to differentiate by.

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
    _checked(f, "elementwise_grad")
    wrt = _argnums(argnums, "elementwise_grad")

    def total(*args: Any, **kwargs: Any) -> Any:
        return np.sum(_one_array(f(*args, **kwargs), "elementwise_grad"))

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(total, wrt, args, kwargs, "elementwise_grad")[1]

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
    trace = _Trace(_checked(f, "vjp"), primals, tuple(range(len(primals))), "vjp")
    outs = leaves(_something(trace.out, "vjp"))

    def pullback(cotangent: Any) -> Any:
        cotangents = leaves_like(cotangent, trace.out, "vjp: the cotangent")
        tensors, records = _results(cotangents)
        tensors = tensors or trace.tensors
        records = records or (trace.records and SCOPE.get() is not None)
        pulled = [trace.pull(out, c, records) for out, c in zip(outs, cotangents, strict=True)]
        columns = zip(*(pulled or [trace.pull(None, None, records)]), strict=True)
        totals = (sum(column[1:], column[0]) for column in columns)
        return unflatten(trace.wrt, (_finished(g, tensors, records) for g in totals))

    return map_leaves(trace.finished, trace.out), pullback


def jvp(f: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """The value of a function and its derivative along a direction: forward mode.

    There is no second table of rules: the pullback is linear in its cotangent, so its own derivative with respect to
    the cotangent is the forward derivative (J. Townsend's double-vjp trick).

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
    _checked(f, "jvp")
    primals, tangents = tuple(primals), tuple(tangents)
    if len(tangents) != len(primals):
        raise ValueError(f"jvp: {len(tangents)} tangents for {len(primals)} primals")
    pairs = enumerate(zip(tangents, primals, strict=True))
    directions = [leaf for i, (v, x) in pairs for leaf in leaves_like(v, x, f"jvp: tangent {i}")]
    trace = _Trace(f, primals, tuple(range(len(primals))), "jvp", also=directions)

    def push(out: Any) -> Any:
        if not isinstance(out, Tensor) or not out.requires_grad:
            dtype = np.asarray(number(out)).dtype
            return trace.finished(np.zeros(np.shape(number(out)), dtype if dtype.kind == "f" else float))

        def along(u: Any) -> Any:
            grads = trace.pull(out, u, records=True)
            return sum(np.sum(g * v) for g, v in zip(grads, directions, strict=True))

        u = np.zeros(out.shape, out.dtype)
        return trace.finished(grad(along)(Tensor(u) if trace.records else u))

    _something(trace.out, "jvp")
    return map_leaves(trace.finished, trace.out), map_leaves(push, trace.out)


def jacobian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """The Jacobian of a function.

    Parameters
    ----------
    f : callable
        Returns an array, or a nest of them.
    argnums : int or tuple of int, optional
        The arguments to differentiate by.

    Returns
    -------
    callable
        Of f's arguments; returns, for each array of the result, an array of shape ``out.shape + x.shape``: entry
        [i..., j...] is ∂outᵢ/∂xⱼ. For a nest of arrays, a nest of Jacobians; a tuple of Jacobians where `argnums` is
        one.

    Raises
    ------
    ValueError
        When called, if there is no such argument.
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
    _checked(f, "jacobian")
    wrt = _argnums(argnums, "jacobian")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(f, wrt, args, kwargs, "jacobian")

    return derivative


def _jacobian(f: Function, argnums: int | tuple[int, ...], args: tuple[Any, ...], kwargs: Any, caller: str) -> Any:
    trace = _Trace(f, args, _positions(argnums, args, caller), caller, kwargs)
    if not isinstance(trace.out, list | tuple | dict):
        return _blocks(trace, _one_array(trace.out, caller), isinstance(argnums, int))
    return map_leaves(lambda out: _blocks(trace, _one_array(out, caller), isinstance(argnums, int)), trace.out)


def _blocks(trace: _Trace, out: Any, single: bool) -> Any:
    """The Jacobian of one array of a traced function's results, in the nest of its arguments."""
    shape, dtype = np.shape(number(out)), getattr(out, "dtype", np.dtype(float))
    rows = []
    for i in range(int(np.prod(shape, dtype=int))):
        unit = np.zeros(shape, dtype)
        unit.reshape(-1)[i] = 1
        rows.append(trace.pull(out, unit))
    columns = zip(*rows, strict=True) if rows else [()] * len(trace.inputs)
    blocks = [
        np.reshape(np.stack(column), shape + x.shape) if column else np.zeros(shape + x.shape, x.dtype)
        for column, x in zip(columns, trace.inputs, strict=True)
    ]
    found = unflatten(trace.wrt, map(trace.finished, blocks))
    return found[0] if single else found


def hessian(f: Function, argnums: int = 0) -> Function:
    """The Hessian of a function with a scalar result: the Jacobian of its gradient.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int, optional
        The argument to differentiate by.

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
    _checked(f, "hessian")
    wrt = _argnums(argnums, "hessian")
    if not isinstance(wrt, int):
        raise TypeError(
            f"hessian: argnums must be one integer, got {argnums!r}; the block between two arguments is "
            "jacobian(grad(f, 0), 1)"
        )

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(f, wrt, args, kwargs, "hessian")[1]

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(gradient, wrt, args, kwargs, "hessian")

    return derivative


def hvp(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """The product of the Hessian and a vector, without the Hessian.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int or tuple of int, optional
        The arguments to differentiate by.

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
    _checked(f, "hvp")
    wrt = _argnums(argnums, "hvp")

    @wraps(f)
    def product(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise TypeError("hvp(f) is called with f's arguments and then the vector: hvp(f)(x, v)")
        *primals, vector = args
        chosen = tuple(primals[i] for i in _positions(wrt, tuple(primals), "hvp"))
        directions = leaves_like(vector, chosen[0] if isinstance(wrt, int) else chosen, "hvp: the vector")

        def slope(*inner: Any, **options: Any) -> Any:
            gradients = leaves(_value_and_grad(f, wrt, inner, options, "hvp")[1])
            return sum((np.sum(g * v) for g, v in zip(gradients, directions, strict=True)), 0.0)

        return _value_and_grad(slope, wrt, tuple(primals), kwargs, "hvp", also=directions)[1]

    return product
