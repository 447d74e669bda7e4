"""The distribution t of Student of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special
import scipy.stats as _stats

from ...numpy.lists import names_of
from .formulas import continuous

__getattr__ = names_of(_stats.t, globals())


def _log_density(z: Any, df: Any) -> Any:
    constants = _special.gammaln((df + 1) / 2) - _special.gammaln(df / 2) - np.log(df * np.pi) / 2
    return constants - (df + 1) / 2 * np.log1p(z**2 / df)


pdf, logpdf, cdf, sf, logcdf, logsf = continuous(_stats.t, _log_density)
