"""The multivariate normal distribution of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats as _stats

from ...extend import getval, isbox
from ...numpy.lists import names_of
from .formulas import as_formula

_of = _stats.multivariate_normal
__getattr__ = names_of(_of, globals())


def _logpdf(x: Any, mean: Any = 0.0, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    if allow_singular and isbox(cov):
        raise NotImplementedError("multivariate_normal: no derivative by a singular covariance matrix")
    if np.ndim(cov) < 2:
        size = max(np.shape(x)[-1:] or (1,), np.shape(mean) or (1,), np.shape(cov) or (1,))[0]
        cov = cov * np.eye(size)
    d = np.reshape(x, (-1, len(cov))) - mean
    if allow_singular:
        return -np.sum(d @ np.linalg.pinv(cov) * d, -1) / 2  # but for a constant
    return -(np.sum(d * np.linalg.solve(cov, d.T).T, -1) + np.linalg.slogdet(2 * np.pi * cov)[1]) / 2


def _pdf(x: Any, mean: Any = 0.0, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    log = _logpdf(x, mean, cov, allow_singular)
    return _of.pdf(*map(getval, (x, mean, cov)), allow_singular) * np.exp(log - getval(log))


def _entropy(mean: Any = 0.0, cov: Any = 1.0) -> Any:
    return np.linalg.slogdet(2 * np.pi * np.e * np.atleast_2d(cov))[1] / 2


pdf = as_formula(_of.pdf, _pdf)
logpdf = as_formula(_of.logpdf, _logpdf)
entropy = as_formula(_of.entropy, _entropy)
