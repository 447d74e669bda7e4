"""What has no derivative: functions that look at the numbers alone, and functions that are refused, each with why and
what to write instead."""

from __future__ import annotations

import numpy as np
from numpy._core import umath

from ..registry import numbers_only, refused

# --- on the numbers ---------------------------------------------------------------------------------------------------

# an array that is like a Tensor: without its history
numbers_only(
    np.zeros, np.ones, np.empty, np.arange, np.eye, np.identity, np.tri, np.fromfunction, np.fromiter, np.frombuffer,
    np.fromfile, np.fromstring, np.loadtxt, np.genfromtxt,
)  # fmt: skip
numbers_only(
    np.ix_, np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.packbits, np.unpackbits,
    np.ravel_multi_index, np.unravel_index, np.linalg.matrix_rank, np.isnat, np.bitwise_count, np.spacing,
    umath._ones_like,  # type: ignore[attr-defined]
)  # fmt: skip

# --- refused ----------------------------------------------------------------------------------------------------------

refused(
    np.copyto, np.put, np.putmask, np.place, np.put_along_axis, np.fill_diagonal,
    why="it writes into an array, and Tensors never change",
    instead="`autograd.set_at(x, index, values)` or `np.where(mask, values, x)`, which give a changed copy",
)  # fmt: skip
refused(
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require,
    why="an array holds numbers, and a Tensor is one already",
    instead="`np.stack` or `np.concatenate` to build a Tensor out of Tensors, `t.astype` for another dtype",
)  # fmt: skip
refused(
    "numpy.lib.recfunctions",
    why="it is of records with named fields, and a Tensor holds plain numbers",
    instead="a Tensor for each field",
)
refused(
    "numpy.polynomial.polynomial",
    why="no rule is written for it",
    instead="`np.polyval`, or the sum of powers",
)
refused("numpy.strings", "numpy.char", why="it is of strings, and a Tensor holds numbers")
refused(
    np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string,
    why="it is of dates, and a Tensor holds numbers",
)  # fmt: skip
refused(
    np.nextafter,
    why="it steps from one floating-point number to the next, which has no derivative that means anything",
    instead="`np.nextafter(t.data, …)`, added as a constant",
)
refused(
    np.histogram2d, np.histogramdd,
    why="it counts, and its edges would lose their history",
    instead="`np.histogram` of each axis, or `np.bincount(..., weights=w)` of cells that you number",
)  # fmt: skip
