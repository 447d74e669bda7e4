"""Rules of what takes complex numbers apart, and of functions that become complex outside of their real domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy._core import umath

from ..registry import RULES, Rule, alias, composite, defvjp, pure
from .elementwise import arrayed, conj, is_complex, over
from .statistics import numbers

# --- parts ------------------------------------------------------------------------------------------------------------

defvjp(np.conjugate, lambda g, out, x: conj(g), holomorphic=False)
RULES[np.sign].of_complex = _of_sign = Rule(np.sign)  # that of real numbers is constant
_of_sign.vjps = [lambda g, out, x: over(g - out * np.real(conj(out) * g), np.abs(x))]
defvjp(np.real, lambda g, out, x: g)
defvjp(np.imag, lambda g, out, x: g * (1j if x.dtype.kind == "c" else 0))
for _part in (np.real, np.imag):
    if (_ufunc := getattr(umath, _part.__name__, None)) is not None:  # NumPy 2.5 calls it for the elements of objects
        alias(_ufunc, _part)


@pure
def angle(x: Any) -> Any:
    """The angle of complex numbers in radians, as ``np.angle`` gives it."""
    return np.angle(x)


defvjp(angle, lambda g, out, x: g * over(over(1j * x, np.abs(x)), np.abs(x)) if is_complex(x) else 0 * g)
composite(np.angle, lambda z, deg=False: angle(z) * (180 / np.pi) if deg else angle(z))


def _real_if_close(a: Any, tol: float = 100) -> Any:
    return np.real(a) if is_complex(a) and np.isrealobj(np.real_if_close(numbers(a), tol)) else a


composite(np.real_if_close, _real_if_close)
composite(np.sort_complex, lambda a: np.sort(a).astype(np.result_type(a.dtype, np.complex64)))

# --- NumPy's emath ----------------------------------------------------------------------------------------------------


def _widened(x: Any, outside: Callable[[Any], Any]) -> Any:
    """x, as complex numbers where one of the real ones lies outside of a domain."""
    x = arrayed(x)
    return x.astype(np.result_type(x.dtype, np.complex64)) if not is_complex(x) and np.any(outside(numbers(x))) else x


def _negative(x: Any) -> Any:
    return x < 0


def _beyond_one(x: Any) -> Any:
    return np.abs(x) > 1


def _of_one(fn: Any, outside: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda x: fn(_widened(x, outside))


for _name, _outside in (
    ("sqrt", _negative), ("log", _negative), ("log2", _negative), ("log10", _negative), ("arccos", _beyond_one),
    ("arcsin", _beyond_one), ("arctanh", _beyond_one),
):  # fmt: skip
    composite(getattr(np.emath, _name), _of_one(getattr(np, _name), _outside))
composite(np.emath.logn, lambda n, x: np.log(_widened(x, _negative)) / np.log(_widened(n, _negative)))
composite(np.emath.power, lambda x, p: np.power(_widened(x, _negative), p))
