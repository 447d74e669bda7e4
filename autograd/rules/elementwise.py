"""Rules of functions that work element by element.

A rule returns the gradient in the broadcast shape; the engine sums it to the operand's. What the rules give at kinks,
ties and edges is stated in docs/edge_cases.md, each row of which is a test.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy._core import umath

from ..libraries import foreign
from ..operands import constant
from ..registry import composite, defvjp, nondifferentiable, numbers_only, pure

LN2 = float(np.log(2.0))
LN10 = float(np.log(10.0))
TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
COUNTS = (int, np.intp)  # what NumPy counts in; a count of anything else is one that would have to be waited for


def arrayed(x: Any) -> Any:
    """An array or a Tensor as it is; a number or a list as an array."""
    return x if hasattr(x, "dtype") else np.array(constant(x))


def is_complex(x: Any) -> bool:
    """Whether an array, a Tensor or a number is complex."""
    return x.dtype.kind == "c" if hasattr(x, "dtype") else isinstance(x, complex)


def conj(x: Any) -> Any:
    """The conjugate; a real x as it is, which records nothing."""
    return np.conjugate(x) if is_complex(x) else x


def some(mask: Any) -> Any:
    """Whether a way that is right for all is to be taken, as there are some for which the shorter one is not.

    What is computed elsewhere, or later, is not asked: the answer would have to be waited for.
    """
    found = np.count_nonzero(mask)
    return found.__class__ not in COUNTS or found


# --- arithmetic -------------------------------------------------------------------------------------------------------

defvjp(np.add, lambda g, out, x, y: g, lambda g, out, x, y: g)
defvjp(np.subtract, lambda g, out, x, y: g, lambda g, out, x, y: -g)
defvjp(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
defvjp(np.divide, lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y)
defvjp(np.negative, lambda g, out, x: -g)
defvjp(np.positive, lambda g, out, x: g)
defvjp(np.reciprocal, lambda g, out, x: -g * out * out)
defvjp(np.square, lambda g, out, x: g * (2 * x))
defvjp(np.sqrt, lambda g, out, x: g * 0.5 / out)
defvjp(np.cbrt, lambda g, out, x: g / (3 * out * out))


def _one_less(x: Any, n: Any) -> Any:
    """n − 1, but not −1 for 0⁰, where the factor n already makes the derivative 0, nor for a number's x⁰ anywhere."""
    if isinstance(n, (int, float)):
        return n - 1 if n else 0
    return np.where((x == 0) & (n == 0), 1.0, n - 1)


def _log_of_base(x: Any, y: Any) -> Any:
    """log x, but 0 where x = 0 and y ≥ 0: there 0ʸ does not change with y."""
    return np.log(np.where((x == 0) & (y >= 0), 1.0, x))


def over(x: Any, length: Any) -> Any:
    """x / length, but 0 (with all its derivatives) where the length is 0."""
    zero = length == 0
    return x / np.where(zero, 1.0, length) * ~zero if some(zero) else x / length


for _power in (np.power, np.float_power):
    defvjp(
        _power,
        lambda g, out, x, y: g * y * x ** _one_less(x, y),
        lambda g, out, x, y: g * out * _log_of_base(x, y),
    )

defvjp(np.ldexp, lambda g, out, x, n: np.ldexp(g, n), None)
defvjp(np.remainder, lambda g, out, x, y: g, lambda g, out, x, y: -g * np.floor_divide(x, y))
defvjp(np.fmod, lambda g, out, x, y: g, lambda g, out, x, y: -g * np.trunc(x / y))

# --- exponentials and logarithms --------------------------------------------------------------------------------------

defvjp(np.exp, lambda g, out, x: g * out)
defvjp(np.exp2, lambda g, out, x: g * out * LN2)
defvjp(np.expm1, lambda g, out, x: g * np.exp(x))
defvjp(np.log, lambda g, out, x: g / x)
defvjp(np.log2, lambda g, out, x: g / (x * LN2))
defvjp(np.log10, lambda g, out, x: g / (x * LN10))
defvjp(np.log1p, lambda g, out, x: g / (1 + x))


def _share(x: Any, y: Any, out: Any, exp: Any, half: float) -> Any:
    """exp(x − out), the share of x in a sum of two exponentials: 0 for −∞ of −∞, 1 for the +∞ (½ for each of two)."""
    difference = x - out
    undefined = np.isnan(difference)
    if some(undefined):
        known = np.where(x > 0, half * (x == y), -np.inf)
        difference = np.where(undefined & ~(np.isnan(x) | np.isnan(y)), known, difference)
    return exp(difference)


for _logadd, _exp, _half in ((np.logaddexp, np.exp, -LN2), (np.logaddexp2, np.exp2, -1.0)):
    defvjp(
        _logadd,
        lambda g, out, x, y, exp=_exp, half=_half: g * _share(x, y, out, exp, half),
        lambda g, out, x, y, exp=_exp, half=_half: g * _share(y, x, out, exp, half),
    )

# --- trigonometric and hyperbolic -------------------------------------------------------------------------------------


def _beside_one(x: Any) -> Any:
    """√(1 + x²); of real x without overflow."""
    return np.sqrt(1 + x * x) if is_complex(x) else np.hypot(x, 1.0)


defvjp(np.sin, lambda g, out, x: g * np.cos(x))
defvjp(np.cos, lambda g, out, x: -g * np.sin(x))
defvjp(np.tan, lambda g, out, x: g * (1 + out * out))
defvjp(np.arcsin, lambda g, out, x: g / np.sqrt((1 - x) * (1 + x)))
defvjp(np.arccos, lambda g, out, x: -g / np.sqrt((1 - x) * (1 + x)))
defvjp(np.arctan, lambda g, out, x: g / _beside_one(x) / _beside_one(x))
defvjp(np.sinh, lambda g, out, x: g * np.cosh(x))
defvjp(np.cosh, lambda g, out, x: g * np.sinh(x))
defvjp(np.tanh, lambda g, out, x: g * (1 - np.square(out)))
defvjp(np.arcsinh, lambda g, out, x: g / _beside_one(x))
defvjp(np.arccosh, lambda g, out, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))
defvjp(np.arctanh, lambda g, out, x: g / ((1 - x) * (1 + x)))
for _to_radians in (np.deg2rad, np.radians):
    defvjp(_to_radians, lambda g, out, x: g * (np.pi / 180))
for _to_degrees in (np.rad2deg, np.degrees):
    defvjp(_to_degrees, lambda g, out, x: g * (180 / np.pi))


defvjp(np.hypot, lambda g, out, x, y: g * over(x, out), lambda g, out, x, y: g * over(y, out))


def _over_square(x: Any, y: Any) -> Any:
    """x / (x² + y²) without overflow, 0 at the origin."""
    length = np.hypot(x, y)
    return over(over(x, length), length)


defvjp(np.arctan2, lambda g, out, y, x: g * _over_square(x, y), lambda g, out, y, x: -g * _over_square(y, x))


# --- absolute value, extremes, choices --------------------------------------------------------------------------------

nondifferentiable(
    np.sign, np.floor, np.ceil, np.trunc, np.rint, np.fix, np.round, np.around, np.floor_divide, np.heaviside
)  # fmt: skip
nondifferentiable(
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal, np.isfinite, np.isnan, np.isinf,
    np.signbit, np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.bitwise_and, np.bitwise_or,
    np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.gcd, np.lcm,
)  # fmt: skip
numbers_only(
    np.isclose, np.isposinf, np.isneginf, np.allclose, np.array_equal, np.array_equiv, np.shape, np.ndim, np.size,
    np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.can_cast, np.min_scalar_type,
    np.common_type, np.iscomplex, np.iscomplexobj, np.isreal, np.isrealobj, np.may_share_memory,
    np.shares_memory, np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savez_compressed, np.savetxt,
)  # fmt: skip


def direction(x: Any, length: Any = None) -> Any:
    """The sign of real x; x / |x| of complex, whose length may be known, and 0 of 0."""
    return over(x, np.abs(x) if length is None else length) if is_complex(x) else np.sign(x)


for _absolute in (np.absolute, np.fabs):
    defvjp(_absolute, lambda g, out, x: g * direction(x, out))
defvjp(np.copysign, lambda g, out, x, y: g * np.sign(x) * np.sign(out), lambda g, out, x, y: 0 * g)


def _any_nan(x: Any) -> Any:
    """Whether there is a NaN in x: the sum of the squares is one only then, and found faster than the places."""
    if x.__class__ is np.ndarray and x.dtype.char in "fd":
        flat = x.ravel("K")
        return math.isnan(np.dot(flat, flat))
    return some(np.isnan(x))


def known(mask: Any, out: Any) -> Any:
    """The mask that says where a gradient passes; NaN where `out` is NaN: no comparison with a NaN decides anything."""
    return np.where(np.isnan(out), np.nan, mask) if _any_nan(out) else mask


def passed(g: Any, mask: Any) -> Any:
    """g × mask; 0 where the mask is, also of an infinite g: what was not chosen has no part in the result."""
    through = g * mask
    if not _any_nan(through):
        return through
    return np.where(np.isinf(g) & (mask == 0), 0.0, through)


def _wins(x: Any, y: Any, out: Any) -> Any:
    """Where x is the chosen one of two: 1, ½ where both are, 0 where it is not."""
    tie = x == y
    return known((x == out) * (1 - 0.5 * tie) if some(tie) else x == out, out)


for _extreme in (np.maximum, np.minimum, np.fmax, np.fmin):
    defvjp(
        _extreme,
        lambda g, out, x, y: passed(g, _wins(x, y, out)),
        lambda g, out, x, y: passed(g, _wins(y, x, out)),
    )


@pure
def where(condition: Any, x: Any, y: Any) -> Any:
    """``np.where(condition, x, y)``: the elements of x where the condition holds, else those of y."""
    return np.where(condition, x, y)


defvjp(
    where,
    None,
    lambda g, out, condition, x, y: np.where(condition, g, 0.0),
    lambda g, out, condition, x, y: np.where(condition, 0.0, g),
)


def _where(condition: Any, *choices: Any) -> Any:
    if getattr(condition, "requires_grad", False):
        condition = condition != 0
    if not choices:
        return np.nonzero(condition)
    if len(choices) != 2:
        raise ValueError("np.where takes either both or neither of x and y")
    return where(condition, *(np.array(c) if isinstance(c, list | tuple) else c for c in choices))


composite(np.where, _where)


@pure
def clip(x: Any, low: Any, high: Any) -> Any:
    """x held between low and high; the bounds themselves count as inside."""
    return np.clip(x, low, high)


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (b if a is None else a for a, b in ((a_min, min), (a_max, max)))
    return clip(a, *(np.array(b) if isinstance(b, list | tuple) else b for b in (low, high)))


composite(np.clip, _clip)
composite(umath.clip, clip)  # type: ignore[attr-defined]  # what the method of an array calls


def _below(x: Any, low: Any) -> Any:
    return False if low is None else x < low


def _above(x: Any, high: Any) -> Any:
    return False if x is None or high is None else x > high


defvjp(
    clip,
    lambda g, out, x, low, high: passed(g, known(~(np.logical_or(_below(x, low), _above(x, high))), out)),
    lambda g, out, x, low, high: passed(
        g, known(np.logical_and(_below(x, low), np.logical_not(_above(low, high))), out)
    ),
    lambda g, out, x, low, high: passed(g, known(np.logical_or(_above(x, high), _above(low, high)), out)),
    holomorphic=False,  # the order of two complex numbers is not that of their conjugates
)


def _of_parts(f: Any, g: Any, x: Any) -> Any:
    """f(g, x), of complex x for the real and the imaginary parts by themselves."""
    return f(np.real(g), np.real(x)) + 1j * f(np.imag(g), np.imag(x)) if is_complex(x) else f(g, x)


defvjp(
    np.nan_to_num,
    lambda g, out, x, copy=True, nan=0.0, posinf=None, neginf=None: _of_parts(lambda g, x: g * np.isfinite(x), g, x),
)

# --- sinc: a primitive of its own derivatives, exact around 0 ---------------------------------------------------------


def _sinc_derivative(t: Any, order: int) -> Any:
    """The derivative of sin(t)/t of some order: closed form away from 0, its Taylor series near it."""
    t = arrayed(t).astype(np.result_type(t.dtype, np.float32), copy=False)
    near = np.abs(t) < 1.0 + 0.5 * order
    series = np.zeros_like(t)
    small = np.where(near, t, 0.0)
    # sin(t)/t = Σ (−1)ᵏ t²ᵏ / (2k+1)!
    for k in range(12 + 2 * order, (order + 1) // 2 - 1, -1):
        n = 2 * k
        coefficient = (-1.0) ** k / (n + 1)
        for i in range(1, n - order + 1):
            coefficient /= i
        series = series + coefficient * small ** (n - order)
    far = np.where(near, 1.0, t)
    # d/dt: f⁽ⁿ⁾ = (sin⁽ⁿ⁾(t) − n f⁽ⁿ⁻¹⁾) / t
    value = np.sin(far) / far
    for n in range(1, order + 1):
        value = (np.sin(far + n * (np.pi / 2)) - n * value) / far
    return np.where(near, series, value)


@pure
def sinc_derivative(x: Any, order: int) -> Any:
    """The derivative of ``np.sinc``, sin(πx)/(πx), of some order."""
    return np.pi**order * _sinc_derivative(np.pi * x, order)


defvjp(sinc_derivative, lambda g, out, x, order: g * sinc_derivative(x, order + 1))
defvjp(np.sinc, lambda g, out, x: g * sinc_derivative(x, 1))

# --- sigmoid and relu: operations of their own ------------------------------------------------------------------------


@pure
def sigmoid(x: Any) -> Any:
    """The logistic function 1 / (1 + e⁻ˣ), without overflow for any x.

    Parameters
    ----------
    x : array or Tensor of any shape

    Returns
    -------
    array or Tensor of x's shape and dtype

    Notes
    -----
    Its derivative is a (1 − a) with a = σ(x).

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.rules.elementwise import sigmoid
    >>> z = Tensor(0.0)
    >>> sigmoid(z).backward()
    >>> float(z.grad)
    0.25
    """
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


@pure
def relu(x: Any) -> Any:
    """max(x, 0), whose derivative at 0 is 0 (unlike that of ``np.maximum(x, 0)``, which is ½)."""
    return np.maximum(x, 0)


defvjp(sigmoid, lambda g, out, x: g * out * (1 - out))
defvjp(relu, lambda g, out, x: passed(g, known(out > 0, out)))


# --- the error function -----------------------------------------------------------------------------------------------


@pure
def erf(x: Any) -> Any:
    """The error function 2/√π ∫₀ˣ e^(−t²) dt of every element, to the last digit: that of the C library.

    Parameters
    ----------
    x : array or Tensor of any shape

    Returns
    -------
    array or Tensor of x's shape and floating dtype

    Notes
    -----
    Φ(x) = (1 + erf(x/√2)) / 2 is the normal distribution function. The derivative is 2/√π e^(−x²).

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.rules.elementwise import erf
    >>> x = Tensor(0.0)
    >>> erf(x).backward()
    >>> round(float(x.grad), 6)  # 2/√π
    1.128379
    """
    x = arrayed(x)
    dtype = x.dtype if x.dtype.kind == "f" else np.float64
    if foreign(x):
        return np.frompyfunc(math.erf, 1, 1)(x).astype(dtype)
    return np.fromiter(map(math.erf, x.ravel().tolist()), dtype, x.size).reshape(x.shape)


defvjp(erf, lambda g, out, x: g * TWO_OVER_ROOT_PI * np.exp(-np.square(x)))
