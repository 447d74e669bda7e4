"""The Poisson distribution of `scipy.stats`, differentiated by its mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special
import scipy.stats as _stats

from ...extend import getval
from ...numpy.lists import names_of
from .formulas import as_formula, cumulative

__getattr__ = names_of(_stats.poisson, globals())


def _logpmf(k: Any, mu: Any) -> Any:
    k = getval(k)
    return np.where(k % 1 == 0, k * np.log(mu) - mu - _special.gammaln(k + 1), 0 * mu)


pmf = as_formula(_stats.poisson.pmf, lambda k, mu: (getval(k) % 1 == 0) * np.exp(_logpmf(k, mu)))
logpmf = as_formula(_stats.poisson.logpmf, _logpmf)
cdf = cumulative(_stats.poisson.cdf, lambda out, k, mu: -pmf(np.floor(getval(k)), mu), place=1)
