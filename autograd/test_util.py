"""`check_grads`, by HIPS autograd's name: derivatives against differences, along random directions, to any order.

`autograd.testing.gradcheck` looks at every entry, and says which one is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from .core import make_jvp, make_vjp
from .vspaces import vspace
from .wrap_util import unary_to_nary

__all__ = ["check_equivalent", "check_grads", "combo_check", "scalar_close"]

TOL, RTOL, EPS = 1e-6, 1e-6, 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """Whether two numbers differ by less than a millionth, of themselves or of their sum."""
    return bool(abs(a - b) < TOL or abs(a - b) < RTOL * abs(a + b))


def _difference(f: Callable[[Any], Any], x: Any, v: Any) -> Any:
    """The derivative of `f` at `x` along `v`, by a central difference."""
    xs, ys = vspace(x), vspace(f(x))
    above, below = (f(xs.add(x, xs.scalar_mul(v, step))) for step in (EPS / 2, -EPS / 2))
    return ys.scalar_mul(ys.add(above, ys.scalar_mul(below, -1.0)), 1 / EPS)


def check_equivalent(x: Any, y: Any) -> None:
    """Raise an AssertionError unless `x` and `y` have one structure, shape and dtype, and the same values."""
    space = vspace(x)
    assert space == vspace(y), f"VSpace mismatch:\nx: {space}\ny: {vspace(y)}"
    v = space.randn()
    assert scalar_close(space.inner_prod(x, v), space.inner_prod(y, v)), f"Value mismatch:\nx: {x}\ny: {y}"


def check_vjp(f: Callable[[Any], Any], x: Any) -> None:
    """Raise an AssertionError unless the reverse derivative of `f` at `x` agrees with a difference."""
    pullback, y = make_vjp(f, x)
    xs, ys = vspace(x), vspace(y)
    v, u = xs.randn(), ys.randn()
    pulled = pullback(u)
    assert vspace(pulled) == xs, f"the gradient is an element of {vspace(pulled)}, the argument of {xs}"
    exact, numeric = xs.inner_prod(v, pulled), ys.inner_prod(u, _difference(f, x, v))
    assert scalar_close(numeric, exact), (
        f"Derivative (VJP) check of {_name(f)} failed with arg {x}:\nanalytic: {exact}\nnumeric:  {numeric}"
    )


def check_jvp(f: Callable[[Any], Any], x: Any) -> None:
    """Raise an AssertionError unless the forward derivative of `f` at `x` agrees with a difference."""
    v = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(v)[1], _difference(f, x, v))


def _name(f: Any) -> str:
    return getattr(f, "__name__", "[unknown name]")


@unary_to_nary
def check_grads(f: Callable[[Any], Any], x: Any, modes: Sequence[str] = ("fwd", "rev"), order: int = 2) -> None:
    """``check_grads(f, argnum)(*args)`` raises an AssertionError where a derivative of `f` is wrong.

    Parameters
    ----------
    f : callable
    modes : sequence of ``"fwd"`` and ``"rev"``, optional
    order : int, optional
        Up to which order.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.test_util import check_grads
    >>> check_grads(lambda x, y: np.sin(x) * y, (0, 1))(1.0, 2.0)
    """
    if set(modes) - {"fwd", "rev"}:
        raise ValueError(f"check_grads: modes are 'fwd' and 'rev', got {modes!r}")
    for mode in modes:
        forward = mode == "fwd"
        (check_jvp if forward else check_vjp)(f, x)
        if order > 1:
            v = vspace(x if forward else f(x)).randn()

            def derivative(x: Any, v: Any, forward: bool = forward) -> Any:
                return make_jvp(f, x)(v)[1] if forward else make_vjp(f, x)[0](v)

            derivative.__name__ = f"{'jvp' if forward else 'vjp'}_{_name(f)}"
            check_grads(derivative, (0, 1), modes, order=order - 1)(x, v)


def combo_check(fun: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., None]:
    """`check_grads` for every combination of the arguments and options that are listed."""

    def check(*args: Any, **kwargs: Any) -> None:
        for chosen in product(*args):
            for values in product(*kwargs.values()):
                check_grads(fun, *options, **named)(*chosen, **dict(zip(kwargs, values, strict=True)))

    return check
