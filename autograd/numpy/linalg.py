"""``numpy.linalg``, under the name that code written for HIPS autograd imports it by."""

import numpy as _np

from .lists import names_of

__getattr__ = names_of(_np.linalg, globals())
