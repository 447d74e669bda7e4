"""Distributions of ``scipy.stats``, under the names that code written for HIPS autograd imports them by."""

from importlib import import_module
from typing import Any

import scipy.stats as _stats

_DISTRIBUTIONS = ("beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t")


def __getattr__(name: str) -> Any:
    return import_module(f"{__name__}.{name}") if name in _DISTRIBUTIONS else getattr(_stats, name)
