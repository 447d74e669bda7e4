"""The multivariate normal distribution of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats as _stats

from ...numpy.lists import names_of
from ...registry import NoRuleError, defvjp, primitive
from .formulas import as_formula

_of = _stats.multivariate_normal
__getattr__ = names_of(_of, globals())


@primitive
def _logpdf(x: Any, mean: Any, cov: Any, allow_singular: bool) -> Any:
    return _of.logpdf(x, mean, cov, allow_singular)


def _solved(x: Any, mean: Any, cov: Any, allow_singular: bool) -> Any:
    """Σ⁻¹ (x − μ), a row for each x."""
    d = np.reshape(x, (-1, len(cov))) - mean
    return d @ np.linalg.pinv(cov).T if allow_singular else np.linalg.solve(cov, d.T).T


def _by_x(g: Any, out: Any, x: Any, mean: Any, cov: Any, allow_singular: bool) -> Any:
    return np.reshape(-np.reshape(g, (-1, 1)) * _solved(x, mean, cov, allow_singular), np.shape(x))


def _by_mean(g: Any, out: Any, x: Any, mean: Any, cov: Any, allow_singular: bool) -> Any:
    return np.reshape(np.reshape(g, -1) @ _solved(x, mean, cov, allow_singular), np.shape(mean))


def _by_cov(g: Any, out: Any, x: Any, mean: Any, cov: Any, allow_singular: bool) -> Any:
    if allow_singular:
        raise NoRuleError("multivariate_normal: no derivative by a singular covariance matrix")
    solved = _solved(x, mean, cov, allow_singular)
    return ((np.reshape(g, (-1, 1)) * solved).T @ solved - np.sum(g) * np.linalg.inv(cov)) / 2


_logpdf.rule.name = "logpdf"
defvjp(_logpdf, _by_x, _by_mean, _by_cov)


def logpdf(x: Any, mean: Any = 0.0, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    """``logpdf`` of SciPy."""
    if np.ndim(cov) < 2:
        size = max(np.shape(x)[-1:] or (1,), np.shape(mean) or (1,), np.shape(cov) or (1,))[0]
        cov = cov * np.eye(size)
    return _logpdf(x, mean, cov, allow_singular)


def pdf(x: Any, mean: Any = 0.0, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    """``pdf`` of SciPy."""
    return np.exp(logpdf(x, mean, cov, allow_singular))


def _entropy(mean: Any = 0.0, cov: Any = 1.0) -> Any:
    return np.linalg.slogdet(2 * np.pi * np.e * np.atleast_2d(cov))[1] / 2


entropy = as_formula(_of.entropy, _entropy)
