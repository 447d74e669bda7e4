"""Pooling to an output of a given size, whatever the size of the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.libraries import foreign
from autograd.nests import numbers_of
from autograd.rules import windows as _windows

from ..errors import floating
from .windows import as_batch, first_places, in_planes, sizes

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of `output_size` windows of sequences (N, C, L) or (C, L); else as `adaptive_avg_pool2d`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.adaptive_avg_pool1d([[1.0, 2.0, 3.0]], 2)
    array([[1.5, 2.5]])
    """
    return _adaptive(1, input, output_size, _mean, "adaptive_avg_pool1d")


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The mean of each of OH × OW windows, of as nearly the same size as can be.

    Along an axis of length n, the i-th of m windows reaches from ⌊i n/m⌋ to ⌈(i + 1) n/m⌉, its end not included.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, H, W), or (C, H, W)
    output_size : int or (int or None, int or None)
        OH and OW; None keeps the length of that axis.

    Returns
    -------
    Tensor or array of shape (N, C, OH, OW), or (C, OH, OW)

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.adaptive_avg_pool2d(np.arange(16.0).reshape(1, 4, 4), (2, 1))
    array([[[ 3.5],
            [11.5]]])
    """
    return _adaptive(2, input, output_size, _mean, "adaptive_avg_pool2d")


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of windows of volumes (N, C, D, H, W) or (C, D, H, W); else as `adaptive_avg_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.adaptive_avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1)
    array([[[[3.5]]]])
    """
    return _adaptive(3, input, output_size, _mean, "adaptive_avg_pool3d")


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` windows of sequences (N, C, L) or (C, L); else as `adaptive_max_pool2d`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.adaptive_max_pool1d([[1.0, 2.0, 3.0]], 2)
    array([[2., 3.]])
    """
    return _adaptive(1, input, output_size, _maximum, "adaptive_max_pool1d", return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of each of OH × OW windows, which are those of `adaptive_avg_pool2d`.

    Parameters
    ----------
    input, output_size
        As for `adaptive_avg_pool2d`.
    return_indices : bool, optional
        As for `max_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.adaptive_max_pool2d(np.arange(16.0).reshape(1, 4, 4), (2, 1))
    array([[[ 7.],
            [15.]]])
    """
    return _adaptive(2, input, output_size, _maximum, "adaptive_max_pool2d", return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows of volumes (N, C, D, H, W) or (C, D, H, W); else as `adaptive_max_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.adaptive_max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1)
    array([[[[7.]]]])
    """
    return _adaptive(3, input, output_size, _maximum, "adaptive_max_pool3d", return_indices)


def _adaptive(axes: int, input: Any, output_size: Any, reduced: Any, what: str, indices: bool = False) -> Any:
    input, batched = as_batch(floating(input, what), axes, what)
    given = tuple(output_size) if np.iterable(output_size) else (output_size,) * axes
    if len(given) == axes:
        output_size = tuple(n if m is None else m for n, m in zip(input.shape[2:], given, strict=True))
    wanted = list(sizes(output_size, f"{what}: output_size", axes))
    out = in_planes(input, wanted, None, reduced)
    places: Any = first_places(input, wanted, None, lambda x, of: _parts(x, of)[0]) if indices else None
    if not batched:
        out, places = out.reshape(out.shape[1:]), places[0] if indices else None
    return (out, places) if indices else out


def _mean(x: Any, wanted: list[int | None]) -> Any:
    windows, inside = _parts(x, wanted)
    if inside is None:
        return _windows.window_mean(windows)
    share = (1 / inside.sum(axis=(-2, -1))).astype(x.dtype)
    share.setflags(write=False)
    return np.where(inside, windows, 0).sum(axis=(-2, -1)) * share


def _maximum(x: Any, wanted: list[int | None]) -> Any:
    return _windows.window_max(_parts(x, wanted)[0])


def _parts(x: Any, wanted: list[int | None]) -> tuple[Any, Any]:
    """The windows (N, C, OH, OW, KH, KW), and which of their elements count; None if all do.

    A window that is shorter than others repeats its last element, which does not count.
    """
    size = x.shape[2:]
    rows, cols = (n if m is None else m for n, m in zip(size, wanted, strict=True))
    if size[0] % rows == 0 and size[1] % cols == 0:
        kernel = (size[0] // rows, size[1] // cols)
        return _windows.windows(x, kernel_size=kernel, stride=kernel), None
    (i, in_rows), (j, in_cols) = _indices(size[0], rows), _indices(size[1], cols)
    inside = in_rows[:, None, :, None] & in_cols[None, :, None, :]
    if foreign(numbers_of(x)):  # one index at a time
        windows = np.take(np.take(x, i.reshape(-1), axis=2), j.reshape(-1), axis=3)
        return windows.reshape((*x.shape[:2], *i.shape, *j.shape)).transpose((0, 1, 2, 4, 3, 5)), inside
    return x[:, :, i[:, None, :, None], j[None, :, None, :]], inside


def _indices(n: int, m: int) -> tuple[Any, Any]:
    """The indices of m windows along an axis of length n, a row for each, and which of them count."""
    starts = np.arange(m) * n // m
    lengths = -(-(np.arange(m) + 1) * n // m) - starts
    steps = np.arange(lengths.max())
    return starts[:, None] + np.minimum(steps, lengths[:, None] - 1), steps < lengths[:, None]
