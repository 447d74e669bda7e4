"""The names that code imports from the core of HIPS autograd: functions of one argument and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .extend import (
    VSpace,
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    getval,
    isbox,
    primitive,
    vspace,
)
from .registry import RULES as primitive_vjps
from .transforms import jvp, vjp

__all__ = [
    "VSpace", "def_linear", "defjvp", "defjvp_argnum", "defjvp_argnums", "defvjp", "defvjp_argnum", "defvjp_argnums",
    "getval", "isbox", "make_jvp", "make_vjp", "primitive", "primitive_vjps", "vspace",
]  # fmt: skip


def make_vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """The function that pulls a cotangent back through `fun` at `x`, and ``fun(x)``."""
    value, pullback = vjp(fun, x)
    return lambda g: pullback(g)[0], value


def make_jvp(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """The function of a direction that gives ``fun(x)`` and its derivative along it."""
    return lambda v: jvp(fun, (x,), (v,))
