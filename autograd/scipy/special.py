"""``scipy.special``, under the name that code written for HIPS autograd imports it by.

Its functions are SciPy's own, which Tensors answer to; those that are not ufuncs are composed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special

from ..extend import getval
from ..numpy.lists import array, names_of
from ..registry import defvjp, nondifferentiable, primitive

__getattr__ = names_of(_special, globals())


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of ``b * exp(a)``."""
    a = array(a)
    largest = np.max(getval(a), axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    terms = np.exp(a - largest)
    total = np.log(np.sum(terms if b is None else b * terms, axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis)


def softmax(x: Any, axis: Any = None) -> Any:
    """``exp(x)``, divided by its sum."""
    return np.exp(x - logsumexp(x, axis, keepdims=True))


def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return x - logsumexp(x, axis, keepdims=True)


def _rowed(fn: Any, *vjps: Any) -> Any:
    """A function of SciPy as an operation with these rules."""
    operation = primitive(lambda *args: fn(*args))
    operation.__name__ = operation.rule.name = fn.__name__
    defvjp(operation, *vjps)
    return operation


polygamma: Any = _rowed(_special.polygamma, None, lambda g, out, n, x: g * polygamma(n + 1, x))
yn: Any = _rowed(_special.yn, None, lambda g, out, n, x: g * (yn(n - 1, x) - yn(n + 1, x)) / 2)
gammainc = _rowed(_special.gammainc, None, lambda g, out, a, x: g * np.exp(-x) * x ** (a - 1) / _special.gamma(a))
gammaincc = _rowed(_special.gammaincc, None, lambda g, out, a, x: -g * np.exp(-x) * x ** (a - 1) / _special.gamma(a))
betainc = _rowed(
    _special.betainc,
    None,
    None,
    lambda g, out, a, b, x: g * x ** (a - 1) * (1 - x) ** (b - 1) / _special.beta(a, b),
)
gammasgn = primitive(lambda x: _special.gammasgn(x))
nondifferentiable(gammasgn)


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function."""
    terms = _special.gammaln(np.expand_dims(a, -1) - np.arange(d) / 2)
    return np.sum(terms, -1) + d * (d - 1) / 4 * np.log(np.pi)
