"""Operations of one's own, as code for HIPS autograd declares them: ``lambda ans, x: lambda g: …`` is a rule.

`defvjp` of `autograd` itself takes ``lambda g, out, x: …``; both fill the same table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import numpy as np

from .nests import map_leaves
from .registry import NoRuleError, defvjp_variadic, name_of, primitive
from .registry import nondifferentiable as _nondifferentiable
from .rules.elementwise import conj
from .tensor import Tensor
from .vspaces import VSpace, vspace

__all__ = [
    "VSpace", "def_linear", "defjvp", "defjvp_argnum", "defjvp_argnums", "defvjp", "defvjp_argnum", "defvjp_argnums",
    "getval", "isbox", "notrace_primitive", "primitive", "register_notrace", "vspace",
]  # fmt: skip


def isbox(x: Any) -> bool:
    """Whether `x` is being traced."""
    return isinstance(x, Tensor)


def getval(x: Any) -> Any:
    """The numbers of a Tensor; anything else as it is."""
    return x.data[()] if isinstance(x, Tensor) else x


def _named(fn: Any) -> Any:
    """The function that the table knows: NumPy's own for one of `autograd.numpy`."""
    return fn if isinstance(fn, primitive) else getattr(fn, "__wrapped__", fn)


def _define(fn: Any, vjp: Callable[..., Any]) -> None:
    """Give `fn` a rule that takes and gives gradients as HIPS autograd has them: of complex numbers, the conjugates."""
    fn = _named(fn)
    defvjp_variadic(fn, lambda g, *operands, **options: conj(vjp(conj(g), *operands, **options)), holomorphic=False)


def defvjp(fn: Any, *makers: Callable[..., Any] | None, argnums: Iterable[int] | None = None) -> None:
    """Give `fn` its rules, one for each operand: ``maker(ans, *args, **kwargs)`` returns ``vjp(g)``.

    Parameters
    ----------
    fn : callable
        What `primitive` made, or a function of NumPy.
    *makers : callable or None
        None: the operand has a gradient of zero.
    argnums : iterable of int, optional
        The operands that `makers` are for; 0, 1, 2, ... unless told.

    Examples
    --------
    >>> from autograd import grad
    >>> from autograd.extend import defvjp, primitive
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defvjp(cube, lambda ans, x: lambda g: g * 3 * x**2)
    >>> float(grad(cube)(2.0))
    12.0
    """
    made = dict(zip(count() if argnums is None else argnums, makers, strict=False))

    def maker(argnum: int, ans: Any, args: Any, kwargs: Any) -> Callable[[Any], Any]:
        if argnum not in made:
            raise NoRuleError(f"{name_of(fn)} has no derivative rule for operand {argnum}")
        make = made[argnum]
        return make(ans, *args, **kwargs) if make is not None else lambda g: np.zeros(np.shape(args[argnum]))

    defvjp_argnum(fn, maker)


def defvjp_argnum(fn: Any, maker: Callable[..., Callable[[Any], Any]]) -> None:
    """Give `fn` one rule for all operands: ``maker(argnum, ans, args, kwargs)`` returns ``vjp(g)``."""
    _define(fn, lambda g, out, i, *args, **kwargs: maker(i, out, args, kwargs)(g))


def defvjp_argnums(fn: Any, maker: Callable[..., Callable[[Any], Iterable[Any]]]) -> None:
    """Give `fn` one rule: ``maker(argnums, ans, args, kwargs)`` returns ``vjp(g)``, with a gradient for each."""
    _define(fn, lambda g, out, i, *args, **kwargs: next(iter(maker((i,), out, args, kwargs)(g))))


def defjvp(fn: Any, *makers: Any, argnums: Any = None) -> None:
    """Accepted, and not used: the derivative along a direction is computed from the rules of `defvjp`."""


defjvp_argnum = defjvp_argnums = def_linear = defjvp


def notrace_primitive(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function that looks at the numbers of Tensors, and that no gradient flows through."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        return fn(*map_leaves(getval, args), **map_leaves(getval, kwargs))

    return call


def register_notrace(trace_type: Any, fn: Any) -> None:
    """State that no gradient flows through `fn`."""
    _nondifferentiable(_named(fn))
