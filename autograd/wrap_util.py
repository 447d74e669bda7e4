"""Functions of one argument made into functions of several, of which `argnum` names one or more."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .tracing import checked_argnums, positions_of

__all__ = ["unary_to_nary", "wraps"]

wraps = functools.wraps


def unary_to_nary(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Make ``operator(fun, x, …)``, of a function of one argument, into ``operator(fun, argnum, …)(*args)``.

    Examples
    --------
    >>> from autograd.wrap_util import unary_to_nary
    >>> slope = unary_to_nary(lambda fun, x: (fun(x + 1) - fun(x - 1)) / 2)
    >>> slope(lambda x, y: x * y, 1)(3.0, 5.0)
    3.0
    """
    name = operator.__name__

    @functools.wraps(operator)
    def nary(fun: Callable[..., Any], argnum: Any = 0, *options: Any, **named: Any) -> Callable[..., Any]:
        chosen = checked_argnums(argnum, name)

        @functools.wraps(fun)
        def of_all(*args: Any, **kwargs: Any) -> Any:
            positions = positions_of(chosen, args, name)

            @functools.wraps(fun)
            def of_one(x: Any) -> Any:
                call = list(args)
                for i, value in zip(positions, (x,) if isinstance(chosen, int) else x, strict=True):
                    call[i] = value
                return fun(*call, **kwargs)

            given = tuple(args[i] for i in positions)
            return operator(of_one, given[0] if isinstance(chosen, int) else given, *options, **named)

        return of_all

    return nary
