"""Checking derivative rules against finite differences.

`gradcheck` compares what the rules give with what the function itself does, along random directions and, for small
functions, entry by entry; it refuses to judge where finite differences can't: at kinks, jumps and edges of the domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..rules.elementwise import is_complex
from ..tensor import Tensor
from ..transforms import grad, jvp, vjp
from .differences import Differences, Function, steps_along
from .drawing import generator
from .lines import Slope, values_at

__all__ = ["GradcheckError", "GradcheckUndecided", "gradcheck"]

_ROUGH = 1e-3
"""A slope that is known no better than to so much of the function and of itself is not known."""
FULL_JACOBIAN = 400
"""The most entries of a Jacobian that is compared entry by entry; larger ones are compared along directions alone."""


class GradcheckError(AssertionError):
    """A derivative differs from what the function does."""

    __module__ = "autograd.testing"


class GradcheckUndecided(ValueError):
    """Finite differences can't tell: the function has a kink, a jump or an edge at the point."""

    __module__ = "autograd.testing"


def gradcheck(
    f: Function,
    *args: Any,
    order: int = 2,
    modes: Sequence[str] = ("vjp", "jvp"),
    rtol: float = 1e-6,
    atol: float = 1e-8,
    directions: int = 3,
    seed: int = 0,
) -> bool:
    """Check the derivatives of a function against finite differences.

    Every derivative is taken in float64 and compared with Richardson-extrapolated central differences; then the
    gradients are taken in float32 and compared with those in float64, so that a rule that is right for one precision
    alone is caught as well. A complex argument counts as two of real numbers, its real and its imaginary part, and so
    does a complex result.

    Parameters
    ----------
    f : callable
        Of arrays; returns an array.
    *args : array_like
        The point. Floating-point arguments, real or complex, are differentiated by; all others are handed through.
    order : int, optional
        How many derivatives to check; 2 checks the gradient's gradient too.
    modes : sequence of {"vjp", "jvp"}, optional
        Reverse mode, forward mode.
    rtol, atol : float, optional
        How close the two must be, beyond the error that the finite differences estimate for themselves.
    directions : int, optional
        How many random directions to try.
    seed : int, optional
        Of the directions.

    Returns
    -------
    bool
        True. It raises otherwise.

    Raises
    ------
    GradcheckError
        If a derivative is wrong: says which mode, order, argument and entry, and both numbers.
    GradcheckUndecided
        If the function has a kink, a jump or an edge of its domain at the point: says where.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import gradcheck
    >>> gradcheck(lambda x, y: np.sin(x) * y, np.array([1.0, 2.0]), np.array(3.0))
    True
    >>> gradcheck(np.abs, np.array([1.0, 0.0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd.testing.GradcheckUndecided: gradcheck can't judge order 1: the slopes on the two sides of the point ...
    """
    _check_arguments(f, order, modes)
    parts = [_in_float64(a) for a in args]
    point = [x for of_one in parts for x in of_one]
    if not point:
        raise TypeError("gradcheck: none of the arguments is a floating-point array, so there is nothing to check")
    names = [
        f"{'the imaginary part of ' if k else 'the real part of ' if len(of_one) > 1 else ''}argument {i}"
        for i, of_one in enumerate(parts) for k in range(len(of_one))
    ]  # fmt: skip

    def of_floats(*values: Any) -> Any:
        left = iter(values)
        given = [[next(left) for _ in of_one] for of_one in parts]
        out = f(*(_joined(own) if own else a for own, a in zip(given, args, strict=True)))
        return np.stack((np.real(out), np.imag(out))) if is_complex(out) else out

    rng = generator("gradcheck", seed, *point)
    checked = of_floats
    for k in range(1, order + 1):
        _check_order(checked, point, k, modes, rtol, atol, directions, rng, names)
        if k == 1:
            _check_float32(checked, point, names, rng)
        if k < order:
            checked = _gradient_function(checked, point, rng)
    return True


def _check_arguments(f: Any, order: int, modes: Sequence[str]) -> None:
    if not callable(f):
        raise TypeError(f"gradcheck expects a function, got {type(f).__name__}")
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"gradcheck: order must be a positive whole number, got {order!r}")
    unknown = [m for m in modes if m not in ("vjp", "jvp")]
    if unknown or not modes:
        raise ValueError(f"gradcheck: modes must be of 'vjp' and 'jvp', got {list(modes)!r}")


def _in_float64(value: Any) -> list[Any]:
    """A floating-point argument in float64, a complex one as its two parts; nothing for any other."""
    data = value.data if isinstance(value, Tensor) else value
    if not isinstance(data, np.ndarray | np.generic | float | complex | list | tuple):
        return []
    array = np.asarray(data)
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array] if array.dtype.kind == "f" else []
    return [np.array(part, dtype=np.float64) for part in parts]


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]


def _gradient_function(f: Function, point: Sequence[Any], rng: np.random.Generator) -> Function:
    """x ↦ the gradient of ⟨u, f(x)⟩ for one random u, all arguments in one flat array."""
    u = rng.uniform(0.5, 1.5, values_at(f, point).shape) * rng.choice([-1.0, 1.0], values_at(f, point).shape)

    def gradient(*values: Any) -> Any:
        parts = grad(lambda *x: np.sum(f(*x) * u), argnums=tuple(range(len(point))))(*values)
        return np.concatenate([np.reshape(part, (-1,)) for part in parts])

    return gradient


# --- comparing --------------------------------------------------------------------------------------------------------


def _check_order(
    f: Function,
    point: list[Any],
    order: int,
    modes: Sequence[str],
    rtol: float,
    atol: float,
    directions: int,
    rng: np.random.Generator,
    names: list[str],
) -> None:
    out = values_at(f, point)
    if not out.size:
        return
    size_in = sum(x.size for x in point)
    if not np.isfinite(out).all():
        raise GradcheckUndecided(f"gradcheck can't judge order {order}: the function is not finite at the point")
    check = _Check(f, point, order, modes, rtol, atol, rng)
    if size_in * out.size <= FULL_JACOBIAN:
        for position, x in enumerate(point):
            for flat in range(x.size):
                unit = [np.zeros_like(y) for y in point]
                unit[position].reshape(-1)[flat] = 1.0
                entry = np.unravel_index(flat, x.shape)
                where = names[position] + (f" at {tuple(map(int, entry))}" if x.shape else "")
                check.along(unit, where)
    for _ in range(directions):
        check.along([rng.uniform(-1.0, 1.0, x.shape) for x in point], "a random direction")


class _Check:
    """The derivatives of one order beside finite differences."""

    def __init__(self, f: Function, point: list[Any], order: int, modes: Any, rtol: float, atol: float, rng: Any):
        self.f, self.point, self.order, self.modes = f, point, order, modes
        self.rtol, self.atol, self.rng = rtol, atol, rng
        self.differences = Differences(f, point)

    def along(self, units: list[Any], where: str) -> None:
        """Compare along a direction; one that moves small elements by less judges what the coarser one can't."""
        left: Any = np.True_
        messages = []
        for direction, scale in steps_along(units, self.point):
            line, entries = self.differences.line(direction, scale), left
            agrees = lambda slope, d=direction, e=entries: not self._wrong(d, slope, e & ~slope.kink, where)
            slope = self.differences.slope(line, agrees)
            messages.append(self._wrong(direction, slope, left & ~slope.kink, where))
            left = left & slope.kink
            if not left.any():
                break
        else:
            raise GradcheckUndecided(
                f"gradcheck can't judge order {self.order}: the slopes on the two sides of the point differ (or are "
                f"not finite, or do not settle) along {where}, in {_place(left)} of the result; choose a point away "
                "from the kink"
            )
        for said in filter(None, messages):
            raise GradcheckError(said)
        size = np.abs(self.differences.here) / scale
        if np.all(slope.error > np.fmax(self.atol + np.abs(slope.value) / 4, _ROUGH * size)):
            raise GradcheckUndecided(
                f"gradcheck can't judge order {self.order}: rounding puts the function off by so much that its slope "
                f"along {where} is known but to ± {float(np.min(slope.error)):.1g}"
            )

    def _wrong(self, direction: list[Any], slope: Slope, entries: Any, where: str) -> str:
        """What is wrong along a direction with the `entries` of the result, a mask; empty where nothing is."""
        if not entries.any():
            return ""
        value, slack = np.where(entries, slope.value, 0.0), np.where(entries, slope.error, 0.0)
        exact: dict[str, Any] = {}
        if "jvp" in self.modes:
            exact["jvp"] = np.asarray(jvp(self.f, tuple(self.point), tuple(direction))[1])
        if "vjp" in self.modes:
            exact["vjp"] = _along(self.f, self.point, direction, entries, self.rng)
        for mode, got in exact.items():
            expected, error = value, slack
            if mode == "vjp" and value.size > 1:
                weights, got = got
                expected, error = np.sum(weights * expected), np.sum(np.abs(weights) * error)
            elif mode == "vjp":
                got = got[1] / got[0]
                got, expected, error = np.reshape(got, ()), np.reshape(expected, ()), np.reshape(error, ())
            if got.shape != expected.shape:
                return f"{mode} of order {self.order}: shape {got.shape}, expected {expected.shape}"
            far = ~(np.abs(got - expected) <= self.atol + self.rtol * np.abs(expected) + error)
            if far.shape:
                far &= entries
            if far.any():
                entry = np.unravel_index(int(np.argmax(far)), far.shape)
                return (
                    f"the {mode} of order {self.order} is wrong along {where}: the rules give "
                    f"{float(got[entry]):.10g}, finite differences {float(expected[entry]):.10g} ± "
                    f"{float(error[entry]):.1g}" + (f", in {_place(far)} of the result" if far.shape else "")
                )
        return ""


def _along(f: Function, point: list[Any], direction: list[Any], entries: Any, rng: Any) -> tuple[Any, Any]:
    """Reverse mode along a direction: random weights u of some entries of the result, and ⟨uᵀJ, direction⟩."""
    weights = rng.uniform(0.5, 1.5, entries.shape) * rng.choice([-1.0, 1.0], entries.shape) * entries
    _, pullback = vjp(f, *point)
    grads = pullback(weights)
    for g, x in zip(grads, point, strict=True):
        if np.shape(g) != x.shape:
            raise GradcheckError(f"a gradient has shape {np.shape(g)}, its argument {x.shape}")
    return weights, np.asarray(sum(np.sum(g * v) for g, v in zip(grads, direction, strict=True)))


def _place(mask: Any) -> str:
    if not mask.shape:
        return "the only entry"
    first = tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))
    return f"{int(mask.sum())} of {mask.size} entries (first {first})"


def _check_float32(f: Function, point: list[Any], names: list[str], rng: np.random.Generator) -> None:
    """The gradients in float32: of that dtype, and close to those in float64 at the same numbers."""
    singles = [x.astype(np.float32) for x in point]
    doubles = [x.astype(np.float64) for x in singles]
    weights = rng.uniform(0.5, 1.5, values_at(f, point).shape)

    def gradients(values: list[Any]) -> Any:
        total = grad(lambda *x: np.sum(f(*x) * weights), argnums=tuple(range(len(point))))
        return total(*values)

    with np.errstate(all="ignore"):
        for name, x, single, double in zip(names, singles, gradients(singles), gradients(doubles), strict=True):
            _compare_float32(name, x, np.asarray(single), np.asarray(double))


def _compare_float32(name: str, x: Any, single: Any, double: Any) -> None:
    if single.dtype != x.dtype:
        raise GradcheckError(f"the gradient of {name} in float32 has dtype {single.dtype}")
    size = float(np.max(np.abs(double), initial=0.0))
    far = ~(np.abs(np.float64(single) - double) <= 2e-3 * (size + 1e-3)) & (size < np.finfo(np.float32).max)
    if np.any(far):
        raise GradcheckError(
            f"the gradient of {name} in float32 differs from float64: "
            f"{single[far].flat[0]:.6g} against {double[far].flat[0]:.6g}"
        )
