"""``scipy.special``, under the name that code written for HIPS autograd imports it by.

Its functions are SciPy's own, which Tensors answer to; those that are not ufuncs are composed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special

from ..extend import getval
from ..numpy.lists import array, names_of
from ..registry import defvjp, primitive
from ..rules import reductions

__getattr__ = names_of(_special, globals())


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of ``b * exp(a)``."""
    a = array(a)
    if b is None:
        return reductions.logsumexp(a, axis, keepdims)
    largest = np.max(getval(a), axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    total = np.log(np.sum(b * np.exp(a - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis)


def softmax(x: Any, axis: Any = None) -> Any:
    """``exp(x)``, divided by its sum."""
    return np.exp(x - logsumexp(x, axis, keepdims=True))


def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return x - logsumexp(x, axis, keepdims=True)


@primitive
def polygamma(n: Any, x: Any) -> Any:
    """The derivative of order n + 1 of the logarithm of the gamma function, in x."""
    return _special.polygamma(n, x)


defvjp(polygamma, None, lambda g, out, n, x: g * polygamma(n + 1, x))


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function."""
    terms = _special.gammaln(np.expand_dims(a, -1) - np.arange(d) / 2)
    return np.sum(terms, -1) + d * (d - 1) / 4 * np.log(np.pi)
