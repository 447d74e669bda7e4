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
    np.linalg.eig, np.linalg.eigvals, np.roots, np.sort_complex,
    why="its result is complex, and a Tensor holds real numbers",
    instead="`np.linalg.eigh` or `np.linalg.eigvalsh` of a symmetric matrix; `np.sort`",
)  # fmt: skip
refused(
    "numpy.fft",
    why="a Fourier transform is complex, and a Tensor holds real numbers",
    instead="a product with the matrices of cosines and of sines, or `np.convolve` for a convolution",
)
refused(
    "numpy.lib.scimath",
    why="outside of its domain it gives complex numbers, and a Tensor holds real ones",
    instead="the function of the same name in `np`, which gives NaN there",
)
refused(
    "numpy.lib.recfunctions",
    why="it is of records with named fields, and a Tensor holds plain numbers",
    instead="a Tensor for each field",
)
refused("numpy.strings", "numpy.char", why="it is of strings, and a Tensor holds real numbers")
refused(
    np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string,
    why="it is of dates, and a Tensor holds real numbers",
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
refused(
    np.angle, np.apply_along_axis, np.apply_over_axes, np.astype, np.block, np.convolve, np.corrcoef,
    np.correlate, np.cov, np.cumulative_prod, np.cumulative_sum, np.delete, np.divmod, np.ediff1d, np.frexp,
    np.full, np.geomspace, np.gradient, np.histogram_bin_edges, np.i0, np.insert, np.interp, np.intersect1d,
    np.linalg.cholesky, np.linalg.cond, np.linalg.eigh, np.linalg.eigvalsh, np.linalg.lstsq, np.linalg.pinv,
    np.linalg.qr, np.linalg.slogdet, np.linalg.svd, np.linalg.svdvals, np.linalg.tensorinv, np.linalg.tensorsolve,
    np.linalg.vecdot, np.linspace, np.logspace, np.matvec, np.median, np.modf, np.nancumprod, np.nancumsum,
    np.nanmax, np.nanmean, np.nanmedian, np.nanmin, np.nanpercentile, np.nanprod, np.nanquantile, np.nanstd,
    np.nansum, np.nanvar, np.partition, np.percentile, np.piecewise, np.poly, np.polyadd, np.polyder, np.polydiv,
    np.polyfit, np.polyint, np.polymul, np.polysub, np.polyval, np.quantile, np.real_if_close, np.resize,
    np.setdiff1d, np.setxor1d, np.trapezoid, np.trim_zeros, np.union1d, np.unique, np.unique_all,
    np.unique_counts, np.unique_inverse, np.unique_values, np.unstack, np.unwrap, np.vander, np.vecmat,
    why="no rule is written yet",
)  # fmt: skip
