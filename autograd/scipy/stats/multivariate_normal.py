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


LOG_TWO_PI = float(np.log(2 * np.pi))


@primitive
def _logpdf(x: Any, mean: Any, cov: Any, allow_singular: bool) -> Any:
    found = None if allow_singular else _by_cholesky(np.asarray(x, float), mean, np.asarray(cov, float))
    return _of.logpdf(x, mean, cov, allow_singular) if found is None else found


def _by_cholesky(x: Any, mean: Any, cov: Any) -> Any:
    """The density by Σ = L Lᵀ, which SciPy does by eigenvalues; None where it is for SciPy to compute, or to refuse."""
    if not x.ndim or cov.shape != (x.shape[-1],) * 2 or np.shape(mean) != cov.shape[:1] or not np.isfinite(x).all():
        return None
    try:
        factor = np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        return None
    scales = np.diagonal(factor)
    if not scales.max() < 1e4 * scales.min():  # nearly singular
        return None
    z = np.linalg.solve(factor, np.reshape(x - mean, (-1, len(cov))).T)
    out = np.sum(z * z, 0) * -0.5 - (np.sum(np.log(scales)) + LOG_TWO_PI * (len(cov) / 2))
    return np.squeeze(np.reshape(out, x.shape[:-1]))[()]


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
    inverse = np.linalg.inv(cov)
    solved = (np.reshape(x, (-1, len(cov))) - mean) @ inverse.T
    return ((np.reshape(g, (-1, 1)) * solved).T @ solved - np.sum(g) * inverse) / 2


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
