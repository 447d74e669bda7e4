"""How SciPy's distributions are differentiated: SciPy computes, and a formula for the density has the derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ...registry import NoRuleError, defvjp_variadic, primitive
from ...transforms import vjp

__all__ = ["as_formula", "continuous", "cumulative"]


def as_formula(of: Callable[..., Any], formula: Callable[..., Any]) -> Callable[..., Any]:
    """`of`, a function of SciPy, with the derivatives of `formula`, which takes the same arguments."""
    signature = inspect.signature(formula)
    operation = primitive(lambda *args: of(*args))
    operation.rule.name = of.__name__

    def pulled(g: Any, out: Any, i: int, *args: Any) -> Any:
        alone = lambda x: np.reshape(formula(*args[:i], x, *args[i + 1 :]), np.shape(out))
        return vjp(alone, args[i])[1](g)[0]

    defvjp_variadic(operation, pulled)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return operation(*bound.args)

    return named(call, of)


def named(call: Callable[..., Any], of: Callable[..., Any]) -> Callable[..., Any]:
    call.__name__, call.__doc__ = of.__name__, f"``{of.__name__}`` of SciPy."
    return call


def cumulative(of: Callable[..., Any], density: Callable[..., Any], place: int = 0) -> Callable[..., Any]:
    """`of`, a function of SciPy, with its derivative by one operand: ``density(out, *args)``."""
    operation = primitive(lambda *args: of(*args))
    operation.rule.name = of.__name__

    def pulled(g: Any, out: Any, i: int, *args: Any) -> Any:
        if i != place:
            raise NoRuleError(f"{of.__name__} has no derivative rule for operand {i}")
        return g * density(out, *args)

    defvjp_variadic(operation, pulled)
    return operation


def continuous(of: Any, log_density: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """The functions pdf, logpdf, cdf, sf, logcdf and logsf of a distribution of SciPy.

    ``log_density(z, *parameters)`` is the logarithm of its density where `loc` is 0 and `scale` is 1.
    """
    parameters = list(inspect.signature(log_density).parameters.values())
    free = [inspect.Parameter(n, parameters[0].kind, default=value) for n, value in (("loc", 0.0), ("scale", 1.0))]
    signature = inspect.Signature([*parameters, *free])

    defaults = tuple(p.default for p in signature.parameters.values())
    required = defaults.count(inspect.Parameter.empty)

    def with_signature(fn: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs or not required <= len(args) <= len(defaults):
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                args = bound.args
            return fn(*args, *defaults[len(args) :])

        call.__signature__ = signature  # type: ignore[attr-defined]
        return call

    log_standard: Callable[..., Any] = log_density  # SciPy's own where the density is 0 somewhere
    standard: Callable[..., Any] = lambda *args: np.exp(log_density(*args))
    if np.isfinite([of.a, of.b]).any():
        log_standard, standard = as_formula(of.logpdf, log_standard), as_formula(of.pdf, standard)

    @with_signature
    def logpdf(x: Any, *args: Any) -> Any:
        *shapes, loc, scale = args
        return log_standard(np.divide(np.subtract(x, loc), scale), *shapes) - np.log(scale)

    @with_signature
    def pdf(x: Any, *args: Any) -> Any:
        *shapes, loc, scale = args
        return standard(np.divide(np.subtract(x, loc), scale), *shapes) / scale

    def distributed(of: Callable[..., Any], density: Callable[..., Any]) -> Callable[..., Any]:
        operation = cumulative(of, density)

        @with_signature
        def fn(x: Any, *args: Any) -> Any:
            *shapes, loc, scale = args
            return operation(np.divide(np.subtract(x, loc), scale), *shapes)

        return named(fn, of)

    return (
        named(pdf, of.pdf),
        named(logpdf, of.logpdf),
        distributed(of.cdf, lambda out, *args: np.exp(log_density(*args))),
        distributed(of.sf, lambda out, *args: -np.exp(log_density(*args))),
        distributed(of.logcdf, lambda out, *args: np.exp(log_density(*args) - out)),
        distributed(of.logsf, lambda out, *args: -np.exp(log_density(*args) - out)),
    )
