"""The beta distribution of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as _special
import scipy.stats as _stats

from ...numpy.lists import names_of
from .formulas import continuous

__getattr__ = names_of(_stats.beta, globals())


def _log_density(x: Any, a: Any, b: Any) -> Any:
    return (a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - _special.betaln(a, b)


pdf, logpdf, cdf, sf, logcdf, logsf = continuous(_stats.beta, _log_density)
