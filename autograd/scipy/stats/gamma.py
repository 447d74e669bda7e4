"""The gamma distribution of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special
import scipy.stats as _stats

from ...numpy.lists import names_of
from .formulas import continuous

__getattr__ = names_of(_stats.gamma, globals())


def _log_density(x: Any, a: Any) -> Any:
    return (a - 1) * np.log(x) - x - _special.gammaln(a)


pdf, logpdf, cdf, sf, logcdf, logsf = continuous(_stats.gamma, _log_density)
