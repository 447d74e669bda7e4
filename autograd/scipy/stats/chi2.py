"""The χ² distribution of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special
import scipy.stats as _stats

from ...numpy.lists import names_of
from .formulas import continuous

__getattr__ = names_of(_stats.chi2, globals())


def _log_density(x: Any, df: Any) -> Any:
    return (df / 2 - 1) * np.log(x) - x / 2 - df / 2 * np.log(2) - _special.gammaln(df / 2)


pdf, logpdf, cdf, sf, logcdf, logsf = continuous(_stats.chi2, _log_density)
