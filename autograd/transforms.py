"""Functions that turn functions into their derivatives: `grad`, `jacobian`, `hvp`, ..., nested to any order.

Arguments may be arrays, numbers, Tensors, or nested lists, tuples and dicts of them; derivatives come in the same nest.
Arrays in, arrays out; where an argument is a Tensor, or one derivative is taken inside another, the result is recorded
and can be differentiated again. An argument that the function does not use has a gradient of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

import numpy as np

from .recording import enable_grad
from .registry import RULES
from .tape import NO_OPTIONS, Node, describe, sweep
from .tensor import Tensor, lift, record

__all__ = ["elementwise_grad", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]

_DEPTH: ContextVar[int] = ContextVar("autograd_transform_depth", default=0)
"""How many transforms are running around this point of the program."""


@contextmanager
def _inside() -> Iterator[None]:
    token = _DEPTH.set(_DEPTH.get() + 1)
    try:
        with enable_grad():
            yield
    finally:
        _DEPTH.reset(token)


# --- nests of arrays --------------------------------------------------------------------------------------------------


def _leaves(tree: Any) -> list[Any]:
    """The arrays of a nest, in order."""
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in _leaves(value)]
    if isinstance(tree, list | tuple):
        return [leaf for value in tree for leaf in _leaves(value)]
    return [] if tree is None else [tree]


def _rebuild(tree: Any, leaves: Iterator[Any]) -> Any:
    """A nest like `tree` with other leaves."""
    if isinstance(tree, dict):
        return type(tree)((key, _rebuild(value, leaves)) for key, value in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_rebuild(value, leaves) for value in tree))
    if isinstance(tree, list | tuple):
        return type(tree)([_rebuild(value, leaves) for value in tree])
    return None if tree is None else next(leaves)


def _map(fn: Function, tree: Any) -> Any:
    return _rebuild(tree, iter([fn(leaf) for leaf in _leaves(tree)]))


# --- tracing ----------------------------------------------------------------------------------------------------------


class _Trace:
    """One call of a function with fresh Tensors in the place of some arguments."""

    def __init__(self, f: Function, args: tuple[Any, ...], argnums: tuple[int, ...], caller: str, kwargs: Any = None):
        self.caller = caller
        self.wrt = tuple(args[i] for i in argnums)
        leaves = _leaves(self.wrt)
        self.records = _DEPTH.get() > 0 or any(isinstance(leaf, Tensor) for leaf in leaves)
        with _inside():
            self.inputs = [_variable(leaf, caller) for leaf in leaves]
            fresh = _rebuild(self.wrt, iter(self.inputs))
            call = list(args)
            for i, value in zip(argnums, fresh, strict=True):
                call[i] = value
            self.out = f(*call, **(kwargs or {}))

    def pull(self, out: Any, cotangent: Any, records: bool | None = None) -> list[Any]:
        """The gradients of ⟨cotangent, out⟩ in the inputs."""
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
                    steps = sweep(root, cotangent, oldest=oldest, detailed=False, stop=cut)
                    found = {step.node: step.grad for step in steps if step.node in wanted}
        return [self._finished(found.get(x.node), x, records) for x in self.inputs]

    def _finished(self, g: Any, x: Tensor, records: bool) -> Any:
        if g is None:
            g = np.zeros(x.shape, x.dtype)[()]
        if records:
            return g if isinstance(g, Tensor) else Tensor(g, requires_grad=False)
        return _given(g)


def _given(value: Any) -> Any:
    """An array that is the caller's own; a NumPy scalar where it is 0-d, as NumPy's functions return."""
    value = np.asarray(value)
    return value[()] if not value.shape else np.array(value)


def _variable(leaf: Any, caller: str) -> Tensor:
    """A fresh Tensor to differentiate by: linked to `leaf` where that is a Tensor itself."""
    if isinstance(leaf, Tensor):
        if leaf.dtype.kind != "f":
            raise TypeError(f"{caller}: {describe(leaf.node)} has dtype {leaf.dtype}; only floating-point values count")
        variable = record(RULES[np.positive], (leaf,), NO_OPTIONS)
        variable.node.needs_grad = True
        variable.node.name = leaf.name
        return variable
    array = np.asarray(leaf)
    if array.dtype.kind != "f":
        raise TypeError(
            f"{caller}: can't differentiate by an argument of dtype {array.dtype} ({leaf!r:.40}); "
            "give floating-point numbers, 3.0 for 3"
        )
    return Tensor(array)


def _positions(argnums: int | tuple[int, ...], args: tuple[Any, ...], caller: str) -> tuple[int, ...]:
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in positions:
        if not isinstance(i, int) or not -len(args) <= i < len(args):
            raise ValueError(f"{caller}: argnums={argnums!r}, but the function was called with {len(args)} arguments")
    return tuple(i % len(args) for i in positions)


def _scalar(out: Any, caller: str) -> Any:
    nest = isinstance(out, list | tuple | dict) or out is None
    if nest or np.shape(_number(out)) != ():
        shape = type(out).__name__ if nest else f"shape {np.shape(_number(out))}"
        raise ValueError(
            f"{caller} needs a function with a scalar result, got {shape}: sum it, or use jacobian, vjp or "
            "elementwise_grad"
        )
    return out


def _number(out: Any) -> Any:
    return out.data if isinstance(out, Tensor) else out


def _one(out: Any) -> Any:
    return np.ones((), out.dtype)[()] if isinstance(out, Tensor) else 1.0


def _plain(value: Any, records: bool) -> Any:
    """A result as the caller sees it: an array unless derivatives are recorded."""
    if isinstance(value, Tensor) and not records:
        return _given(value.data)
    return value


def _checked(f: Any, caller: str) -> Function:
    if not callable(f):
        raise TypeError(f"{caller} expects a function, got {type(f).__name__}")
    return f


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

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import value_and_grad
    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    _checked(f, "value_and_grad")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(f, argnums, args, kwargs, "value_and_grad")

    return derivative


def _value_and_grad(f: Function, argnums: Any, args: tuple[Any, ...], kwargs: Any, caller: str) -> tuple[Any, Any]:
    trace = _Trace(f, args, _positions(argnums, args, caller), caller, kwargs)
    out = _scalar(trace.out, caller)
    grads = _rebuild(trace.wrt, iter(trace.pull(out, _one(out))))
    return _plain(out, trace.records), grads[0] if isinstance(argnums, int) else grads


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
        When called, if f's result is not a scalar.
    TypeError
        When called, if the argument is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> f = np.tanh
    >>> [round(float(d(1.0)), 6) for d in (grad(f), grad(grad(f)), grad(grad(grad(f))))]
    [0.419974, -0.6397, 0.621627]
    """
    _checked(f, "grad")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(f, argnums, args, kwargs, "grad")[1]

    return derivative


def elementwise_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """The derivative of a function that works element by element: that of the sum of its results.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import elementwise_grad
    >>> elementwise_grad(np.square)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    _checked(f, "elementwise_grad")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        def total(*inner: Any, **options: Any) -> Any:
            return np.sum(f(*inner, **options))

        return _value_and_grad(total, argnums, args, kwargs, "elementwise_grad")[1]

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

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import vjp
    >>> out, pullback = vjp(np.sin, np.array([0.0, np.pi]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([  1., -10.]),)
    """
    trace = _Trace(_checked(f, "vjp"), primals, tuple(range(len(primals))), "vjp")
    outs = _leaves(trace.out)

    def pullback(cotangent: Any) -> Any:
        cotangents = _leaves(cotangent)
        if len(cotangents) != len(outs):
            raise ValueError(f"vjp: {len(cotangents)} cotangents for {len(outs)} results")
        records = trace.records or _DEPTH.get() > 0 or any(isinstance(c, Tensor) for c in cotangents)
        totals: list[Any] | None = None
        for out, c in zip(outs, cotangents, strict=True):
            grads = trace.pull(out, _matching(c, out, "vjp: the cotangent"), records)
            totals = grads if totals is None else [a + b for a, b in zip(totals, grads, strict=True)]
        return _rebuild(trace.wrt, iter(totals or []))

    return _map(lambda out: _plain(out, trace.records), trace.out), pullback


def _matching(value: Any, like: Any, what: str) -> Any:
    """`value` as an array of the shape and dtype of `like`."""
    if not isinstance(value, Tensor):
        value = np.array(value)
    shape, dtype = np.shape(_number(like)), like.dtype if hasattr(like, "dtype") else np.dtype(float)
    if value.shape != shape:
        raise ValueError(f"{what} has shape {value.shape}, expected {shape}")
    value = value if value.dtype == dtype else value.astype(dtype)
    return value if isinstance(value, Tensor) or value.shape else value[()]


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
        ``f(*primals)`` and the Jacobian times the direction, of out's shape.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jvp
    >>> jvp(lambda x: x**2, (np.array([1.0, 3.0]),), (np.array([1.0, 10.0]),))
    (array([1., 9.]), array([ 2., 60.]))
    """
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError("jvp expects primals and tangents as tuples, one entry for each argument: jvp(f, (x,), (v,))")
    primals, tangents = tuple(primals), tuple(tangents)
    trace = _Trace(_checked(f, "jvp"), primals, tuple(range(len(primals))), "jvp")
    directions = _leaves(tangents)
    if len(directions) != len(trace.inputs):
        raise ValueError(f"jvp: {len(directions)} tangents for {len(trace.inputs)} primals")
    directions = [
        _matching(v, x, f"jvp: tangent {i}") for i, (v, x) in enumerate(zip(directions, trace.inputs, strict=True))
    ]
    records = trace.records or any(isinstance(v, Tensor) for v in directions)

    def push(out: Any) -> Any:
        if not isinstance(out, Tensor) or not out.requires_grad:
            return np.zeros(np.shape(_number(out)))[()]

        def along(u: Any) -> Any:
            grads = trace.pull(out, u, records=True)
            return sum(np.sum(g * v) for g, v in zip(grads, directions, strict=True))

        u = np.zeros(out.shape, out.dtype)
        return _plain(grad(along)(Tensor(u) if records else u), records)

    return _map(lambda out: _plain(out, trace.records), trace.out), _map(push, trace.out)


def jacobian(f: Function, argnums: int = 0) -> Function:
    """The Jacobian of a function of one array argument.

    Parameters
    ----------
    f : callable
        Returns an array.
    argnums : int, optional

    Returns
    -------
    callable
        Of f's arguments; returns an array of shape ``out.shape + x.shape``: entry [i..., j...] is ∂outᵢ/∂xⱼ.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jacobian
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] ** 2]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [4., 0.]])
    """
    _checked(f, "jacobian")

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace(f, args, _positions(argnums, args, "jacobian"), "jacobian", kwargs)
        out = trace.out
        if isinstance(out, list | tuple | dict):
            raise TypeError(f"jacobian needs a function that returns one array, got {type(out).__name__}")
        shape, dtype = np.shape(_number(out)), getattr(out, "dtype", np.dtype(float))
        rows = []
        for i in range(int(np.prod(shape, dtype=int))):
            unit = np.zeros(shape, dtype)
            unit.reshape(-1)[i] = 1
            rows.append(trace.pull(out, unit if shape else unit[()]))
        columns = zip(*rows, strict=True) if rows else [[]] * len(trace.inputs)
        stacked = [
            np.reshape(np.stack(column), shape + x.shape) if rows else np.zeros(shape + x.shape, x.dtype)
            for column, x in zip(columns, trace.inputs, strict=True)
        ]
        return _rebuild(trace.wrt, iter(stacked))[0]

    return derivative


def hessian(f: Function, argnums: int = 0) -> Function:
    """The Hessian of a function with a scalar result: the Jacobian of its gradient, of shape ``x.shape + x.shape``.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    return jacobian(grad(_checked(f, "hessian"), argnums), argnums)


def hvp(f: Function, argnums: int = 0) -> Function:
    """The product of the Hessian and a vector, without the Hessian.

    Returns
    -------
    callable
        Of f's arguments and then the vector, of the structure and shapes of the argument: ``hvp(f)(x, v)``.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hvp
    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    _checked(f, "hvp")

    @wraps(f)
    def product(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise TypeError("hvp(f) is called with f's arguments and then the vector: hvp(f)(x, v)")
        *primals, vector = args
        directions = _leaves(vector)

        def slope(*inner: Any) -> Any:
            gradients = _leaves(grad(f, argnums)(*inner, **kwargs))
            if len(gradients) != len(directions):
                raise ValueError(f"hvp: a vector of {len(directions)} arrays for an argument of {len(gradients)}")
            terms = [np.sum(g * _matching(v, g, "hvp: the vector")) for g, v in zip(gradients, directions, strict=True)]
            return sum(terms[1:], terms[0])

        return grad(slope, argnums)(*primals)

    return product
