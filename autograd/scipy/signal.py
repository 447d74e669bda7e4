"""Convolution along any axes, as HIPS autograd has it, composed of windows and a product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["convolve"]


def convolve(A: Any, B: Any, axes: Any = None, dot_axes: Any = ((), ()), mode: str = "full") -> Any:
    """The convolution of two arrays.

    Parameters
    ----------
    A, B : array
    axes : pair of sequences of int, optional
        The axes of `A` and of `B` to convolve along; all, unless told.
    dot_axes : pair of sequences of int, optional
        Axes to multiply and sum over, as in `numpy.tensordot`.
    mode : {"full", "valid", "same"}, optional
        "same" has A's lengths.

    Returns
    -------
    array
        First the other axes of `A`, then those of `B`, then those of the convolution.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.scipy.signal import convolve
    >>> convolve(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0]))
    array([ 1., 12., 23., 30.])
    """
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"convolve: mode must be 'full', 'valid' or 'same', got {mode!r}")
    axes_A, axes_B = ([list(range(A.ndim))] * 2) if axes is None else map(list, axes)
    dot_A, dot_B = map(list, dot_axes)
    own_A = A.ndim - len(axes_A) - len(dot_A)
    own_B = B.ndim - len(axes_B) - len(dot_B)
    if mode == "valid" and any(B.shape[j] > A.shape[i] for i, j in zip(axes_A, axes_B, strict=True)):
        if any(B.shape[j] < A.shape[i] for i, j in zip(axes_A, axes_B, strict=True)):
            raise ValueError(f"convolve: in mode 'valid' one of {A.shape} and {B.shape} must fit into the other")
        swapped = convolve(B, A, (axes_B, axes_A), (dot_B, dot_A), mode)
        return np.moveaxis(swapped, range(own_B), range(own_A, own_A + own_B))
    widths = [(0, 0)] * A.ndim
    for i, j in zip(axes_A, axes_B, strict=True):
        n = B.shape[j] - 1
        widths[i] = {"full": (n, n), "valid": (0, 0), "same": (n - n // 2, n // 2)}[mode]
    lengths = tuple(B.shape[j] for j in axes_B)
    windows = sliding_window_view(np.pad(A, widths), lengths, tuple(axes_A)) if axes_A else A
    flipped = np.flip(B, tuple(axes_B))
    inner = list(range(A.ndim, A.ndim + len(axes_A)))
    product = np.tensordot(windows, flipped, (inner + dot_A, axes_B + dot_B))
    kept = [i for i in range(A.ndim) if i not in dot_A]  # the axes of A in the product, before those of B
    where = [kept.index(i) for i in axes_A]
    return np.moveaxis(product, where, range(product.ndim - len(where), product.ndim))
