"""Options of optimisers: what each may be."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..errors import fraction

__all__ = ["FORMS", "at_least_0", "checked", "misspelt", "number"]

FORMS = ("accumulate", "average", "velocity")


def number(value: Any, name: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def at_least_0(value: Any, name: str) -> float:
    """A finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a number of at least 0, got {value!r}")
    return float(value)


def _pair(says: str, holds: Callable[[float, float], bool]) -> Callable[[Any, str], tuple[float, float]]:
    def check(value: Any, name: str) -> tuple[float, float]:
        numbers = tuple(value) if isinstance(value, Iterable) else ()
        if len(numbers) != 2 or not all(isinstance(v, int | float | np.number) for v in numbers) or not holds(*numbers):
            raise ValueError(f"{name} must be two numbers {says}, got {value!r}")
        return float(numbers[0]), float(numbers[1])

    return check


def _form(value: Any, name: str) -> str:
    if value not in FORMS:
        raise ValueError(f"{name} must be one of {', '.join(FORMS)}, got {value!r}")
    return str(value)


def _switch(value: Any, name: str) -> bool:
    if not isinstance(value, bool | np.bool_ | int):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "betas": _pair("of at least 0 and below 1", lambda a, b: 0 <= a < 1 and 0 <= b < 1),
    "dampening": number,
    "etas": _pair("below and above 1", lambda a, b: 0 < a < 1 < b),
    "momentum_form": _form,
    "rho": fraction,
    "step_sizes": _pair("above 0, the smaller one first", lambda a, b: 0 < a <= b),
    **dict.fromkeys(("lr", "weight_decay", "momentum", "eps", "alpha", "lambd", "t0"), at_least_0),
    **dict.fromkeys(("lr_decay", "momentum_decay", "initial_accumulator_value"), at_least_0),
    **dict.fromkeys(("amsgrad", "centered", "decoupled_weight_decay", "maximize", "nesterov"), _switch),
}


def checked(name: str, value: Any) -> Any:
    """The value of an option as a plain number, pair, switch or word; options of one's own are taken as they are."""
    return _CHECKS[name](value, name) if name in _CHECKS else value


def misspelt(name: str, options: Iterable[str]) -> str | None:
    """The option that `name`, which is none, was probably meant to be."""
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.85)
    return near[0] if near else None
