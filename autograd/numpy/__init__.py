"""NumPy under the name that code written for HIPS autograd imports it by: ``import autograd.numpy as np``.

Its functions are NumPy's own, which Tensors answer to anyway; only what NumPy can't dispatch is made here.
"""

from importlib import import_module
from typing import Any

import numpy as _np

from .lists import array, full, full_like, joining, make_diagonal, names_of, where

asarray = array
r_, c_ = joining(_np.r_), joining(_np.c_)
_find = names_of(_np, globals())
_MADE_HERE = (full, full_like, make_diagonal, where)


def __getattr__(name: str) -> Any:
    return import_module(f"{__name__}.{name}") if name in ("linalg", "fft", "random") else _find(name)
