"""The Dirichlet distribution of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special
import scipy.stats as _stats

from ...numpy.lists import names_of
from .formulas import as_formula

__getattr__ = names_of(_stats.dirichlet, globals())


def _logpdf(x: Any, alpha: Any) -> Any:
    constant = _special.gammaln(np.sum(alpha)) - np.sum(_special.gammaln(alpha))
    return constant + np.sum(np.transpose((alpha - 1) * np.log(np.transpose(x))), 0)


pdf = as_formula(_stats.dirichlet.pdf, lambda x, alpha: np.exp(_logpdf(x, alpha)))
logpdf = as_formula(_stats.dirichlet.logpdf, _logpdf)
