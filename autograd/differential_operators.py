"""Derivatives under the names that code written for HIPS autograd calls them by, from those of `autograd`."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

import numpy as np

from . import core
from .jacobians import hessian, hvp, jacobian
from .nests import leaves, map_leaves, numbers_of, unflatten
from .registry import defvjp_variadic, primitive
from .tensor import Tensor
from .tracing import Function, Trace, checked_argnums, positions_of
from .transforms import elementwise_grad, grad, jvp, value_and_grad, vjp
from .vspaces import vspace
from .wrap_util import unary_to_nary

__all__ = [
    "checkpoint", "deriv", "elementwise_grad", "grad", "grad_and_aux", "grad_named", "hessian",
    "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp",
    "make_jvp", "make_vjp", "multigrad_dict", "tensor_jacobian_product", "value_and_grad", "vector_jacobian_product",
]  # fmt: skip

make_vjp = unary_to_nary(core.make_vjp)
make_jvp = unary_to_nary(core.make_jvp)


@unary_to_nary
def deriv(fun: Function, x: Any) -> Any:
    """The derivative of a function of a number, or along the direction of ones."""
    return core.make_jvp(fun, x)(vspace(x).ones())[1]


@unary_to_nary
def make_hvp(fun: Function, x: Any) -> Any:
    """``make_hvp(f)(x)`` is the function of `v` that gives the Hessian times `v`, and the gradient."""
    return core.make_vjp(grad(fun), x)


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """``hessian_tensor_product(f)(x, v)`` is the Hessian times `v`: `hvp` by another name."""
    return hvp(fun, argnum)


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """``tensor_jacobian_product(f)(x, v)`` is `v` contracted with the first axes of the Jacobian of `f` at `x`."""

    def contracted(*args: Any, **kwargs: Any) -> Any:
        *args_of_fun, v = args
        return np.tensordot(v, fun(*args_of_fun, **kwargs), axes=np.ndim(v))

    return jacobian(contracted, argnum)


hessian_vector_product, vector_jacobian_product = hessian_tensor_product, tensor_jacobian_product


def _half_square(y: Any) -> Any:
    return np.sum(y**2, axis=-1) / 2


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: int = 0) -> Function:
    """``make_ggnvp(f, g)(x)`` is the function of `v` that gives Jᵀ H J v: J of `f` at `x`, H the Hessian of `g`."""

    @unary_to_nary
    def ggnvp(f: Function, x: Any) -> Any:
        y, pullback = vjp(f, x)
        return lambda v: pullback(hvp(g)(y, jvp(f, (x,), (v,))[1]))[0]

    return ggnvp(f, f_argnum)


def grad_and_aux(fun: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """``grad_and_aux(f)(x)``, where `f` returns a scalar and something else: the scalar's gradient, and what else."""
    wrt = checked_argnums(argnum, "grad_and_aux")

    @functools.wraps(fun)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        kept: list[Any] = []

        def scalar(*args: Any, **kwargs: Any) -> Any:
            value, aux = fun(*args, **kwargs)
            kept.append(aux)
            return value

        run = Trace(scalar, args, positions_of(wrt, args, "grad_and_aux"), "grad_and_aux", kwargs)
        one = np.ones(np.shape(numbers_of(run.out)))
        grads = unflatten(run.wrt, map(run.finished, run.pull(run.out, one)))
        aux = map_leaves(lambda leaf: run.finished(leaf) if isinstance(leaf, Tensor) else leaf, kept[0])
        return grads[0] if isinstance(wrt, int) else grads, aux

    return derivative


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient by the argument of that name."""
    return grad(fun, list(inspect.signature(fun).parameters).index(argname))


def multigrad_dict(fun: Function) -> Function:
    """The gradients by all arguments, in a dict by their names; defaults count as arguments."""
    signature = inspect.signature(fun)

    @functools.wraps(fun)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def of_all(arguments: dict[str, Any]) -> Any:
            call = inspect.BoundArguments(signature, arguments)
            return fun(*call.args, **call.kwargs)

        return grad(of_all)(dict(bound.arguments))

    return derivative


def checkpoint(fun: Function) -> Function:
    """`fun` as one operation, whose inner values are not kept for the backward pass but computed again.

    `fun` returns one array, and uses no Tensor that is not among its arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import checkpoint, grad
    >>> layer = checkpoint(lambda x: np.sin(x**2 + 1))
    >>> round(float(grad(layer)(1.0)), 6)
    -0.832294
    """

    @functools.wraps(fun)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        given = (args, kwargs)

        def on_leaves(*values: Any) -> Any:
            call, options = unflatten(given, iter(values))
            return fun(*call, **options)

        operands = leaves(given)
        wanted = [i for i, x in enumerate(operands) if isinstance(x, Tensor) and x.requires_grad]
        pulled: dict[int, Any] = {}  # what one run gives for all operands, until each has fetched its own
        of: list[Any] = [None]  # the gradient that it was run for

        def pull(g: Any, out: Any, i: int, *values: Any) -> Any:
            if of[0] is not g or i not in pulled:

                def alone(*chosen: Any) -> Any:
                    fresh = dict(zip(wanted, chosen, strict=True))
                    return on_leaves(*(fresh.get(k, value) for k, value in enumerate(values)))

                pulled.update(zip(wanted, vjp(alone, *(values[i] for i in wanted))[1](g), strict=True))
            found = pulled.pop(i)
            of[0] = g if pulled else None
            return found

        on_leaves.__name__ = getattr(fun, "__name__", "checkpoint")
        operation = primitive(on_leaves)
        defvjp_variadic(operation, pull, holomorphic=False)
        return operation(*operands)

    return recomputed


@unary_to_nary
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """``holomorphic_grad(f)(z)`` is the derivative f′(z) of a function that has one.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import holomorphic_grad
    >>> holomorphic_grad(lambda z: z**2)(3.0 + 1j)
    np.complex128(6+2j)
    """
    if not vspace(x).iscomplex:
        warnings.warn("Input to holomorphic_grad is not complex", stacklevel=3)
    return map_leaves(np.conj, grad(lambda x: np.real(fun(x)))(x))
