"""Fixed points, differentiated without their iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..extend import getval
from ..nests import leaves, unflatten
from ..registry import defvjp_variadic, primitive
from ..transforms import vjp
from ..vspaces import vspace

__all__ = ["fixed_point"]


def fixed_point(
    f: Callable[[Any], Callable[[Any], Any]], a: Any, x0: Any, distance: Callable[[Any, Any], Any], tol: float
) -> Any:
    """The `x` with ``x = f(a)(x)``, by iteration from `x0` until two values are no further than `tol` apart.

    The gradient with respect to `a` comes from the implicit function theorem: it is a fixed point itself, and the
    steps on the way are not kept.

    Examples
    --------
    >>> from autograd import grad
    >>> from autograd.misc.fixed_points import fixed_point
    >>> newton = lambda a: lambda x: (x + a / x) / 2
    >>> root = lambda a: fixed_point(newton, a, 1.0, lambda x, y: abs(x - y), 1e-12)
    >>> round(float(root(2.0)), 6), round(float(grad(root)(2.0)), 6)
    (1.414214, 0.353553)
    """

    def iterate(*values: Any) -> Any:
        step, before = f(unflatten(a, iter(values))), getval(x0)
        x = step(before)
        while distance(x, before) > tol:
            x, before = step(x), x
        return x

    def pulled(g: Any, x: Any, i: int, *values: Any) -> Any:
        def backward(given: Any) -> Callable[[Any], Any]:
            values, x, g = given
            _, pull = vjp(f(unflatten(a, iter(values))), x)
            return lambda u: space.add(pull(u)[0], g)

        space = vspace(x)
        u = fixed_point(backward, (values, x, g), space.zeros(), distance, tol)
        return vjp(lambda *values: f(unflatten(a, iter(values)))(x), *values)[1](u)[i]

    iterate.__name__ = "fixed_point"
    operation = primitive(iterate)
    defvjp_variadic(operation, pulled, holomorphic=False)
    return operation(*leaves(a))
