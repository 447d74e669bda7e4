"""How a rule of real numbers becomes one of complex numbers: it reads the conjugates of the values."""

from __future__ import annotations

from typing import Any

from .registry import Rule, Vjp

__all__ = ["for_complex"]


def _conjugated(value: Any) -> Any:
    """The conjugate of a value that a rule reads: real ones, and records whose value is not kept, as they are."""
    dtype = getattr(value, "dtype", None)
    if isinstance(value, complex) if dtype is None else dtype.kind == "c" and hasattr(value, "conjugate"):
        return value.conjugate()
    return value


def _of_conjugates(vjp: Vjp | None) -> Vjp | None:
    """A rule that is handed the conjugates of the values: the gradient of a loss through f is g times conj(f′)."""
    if vjp is None:
        return None

    def rule(g: Any, *values: Any, **options: Any) -> Any:
        return vjp(g, *map(_conjugated, values), **options)

    rule.of_reals = vjp  # type: ignore[attr-defined]  # what it reads is read off that one
    return rule


def for_complex(rule: Rule) -> Rule:
    """The row of a call whose result is complex.

    Gradients are ∂L/∂Re z + i ∂L/∂Im z. Through f, a holomorphic function, one is multiplied by conj(f′(z)), which for
    all functions of NumPy is f′(conj z): so the rules are those of real numbers, called with conjugate values. Rows of
    functions that are not `holomorphic` are right for complex numbers as they stand.
    """
    if not rule.holomorphic:
        return rule
    if rule.of_complex is None:
        made = rule.of_complex = Rule(rule.fn, rule.name)
        for what in ("op", "keeps_output", "constant", "fixed", "reads_operands", "beyond", "uses"):
            setattr(made, what, getattr(rule, what))
        made.vjps = [_of_conjugates(vjp) for vjp in rule.vjps]
        made.variadic = _of_conjugates(rule.variadic)
    return rule.of_complex
