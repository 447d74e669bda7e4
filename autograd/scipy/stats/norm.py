"""The normal distribution of `scipy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats as _stats

from ...numpy.lists import names_of
from .formulas import continuous

__getattr__ = names_of(_stats.norm, globals())


HALF_LOG_TWO_PI = float(np.log(2 * np.pi)) / 2


def _log_density(z: Any) -> Any:
    return z**2 * -0.5 - HALF_LOG_TWO_PI


pdf, logpdf, cdf, sf, logcdf, logsf = continuous(_stats.norm, _log_density)
