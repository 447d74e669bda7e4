"""Arrays of other libraries (Dask, CuPy), which NumPy's functions reach through its protocols: as rules meet them.

Nothing here knows one of these libraries. What is computed of their arrays stays theirs, and is not looked at on the
way, as it may be computed later.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["beside", "foreign", "gathered", "library_of", "ones_like", "padded", "places", "stretched", "zeros"]


def foreign(value: Any) -> bool:
    """Whether it is an array of another library (Dask, CuPy), which NumPy's functions reach through its protocols."""
    return (
        value.__class__ is not np.ndarray
        and hasattr(value, "__array_function__")
        and not isinstance(value, np.ndarray)
        and not hasattr(value, "_record")
    )


def library_of(array: Any) -> str:
    """The name of the library that an array is of: ``"dask"``."""
    return type(array).__module__.partition(".")[0]


def beside(like: Any, array: Any) -> Any:
    """An array of NumPy as one of the library that `like` is of; anything else as it is."""
    return np.asarray(array, like=like) if isinstance(array, np.ndarray) and foreign(like) else array


def gathered(args: tuple[Any, ...], values: list[Any]) -> tuple[Any, ...] | None:
    """The operands of a call that failed, with constants that are NumPy's as arrays of the library of the others; None
    where there is nothing to be done."""
    other = next(filter(foreign, values), None)
    if other is None or not any(isinstance(a, np.ndarray) for a in args):
        return None
    return tuple(beside(other, a) for a in args)


def zeros(shape: tuple[int, ...], like: Any) -> Any:
    """Zeros of the dtype of `like`, of its library."""
    return np.zeros_like(like, shape=shape) if foreign(like) else np.zeros(shape, like.dtype)


def ones_like(value: Any, dtype: Any = float) -> Any:
    """Ones of the shape of a number or an array, of its library; of `dtype` where it has none of its own."""
    if foreign(value):
        return np.ones_like(value)
    one, shape = np.dtype(getattr(value, "dtype", dtype)).type(1), np.shape(value)
    return stretched(one, shape) if shape else one


def stretched(x: Any, shape: tuple[int, ...]) -> Any:
    """``np.broadcast_to``, of a number and of an array of as many axes in a quarter of the time."""
    number = isinstance(x, np.generic)
    if not number and (x.__class__ is not np.ndarray or x.ndim != len(shape) or not x.flags.c_contiguous):
        return np.broadcast_to(x, shape)
    strides = [0] * len(shape)
    for i, n in enumerate(x.shape):
        if n > 1:
            if n != shape[i]:
                return np.broadcast_to(x, shape)  # for its error
            strides[i] = x.strides[i]
    out: Any = np.ndarray(shape, x.dtype, np.asarray(x), 0, strides)
    out.setflags(write=False)
    return out


# Libraries that cut arrays into chunks cut them smaller where windows are taken as views or put together from slices; a
# product with zeros and ones keeps the chunks. An infinity in an image makes its rows and columns NaN then.


def padded(x: Any, padding: Any, value: float) -> Any:
    """Images with rows and columns of `value` around each (the lowest finite number for −∞): `windows.zero_pad`."""
    for axis, (before, after) in zip((2, 3), padding, strict=True):
        inside = beside(x, np.eye(x.shape[axis], before + x.shape[axis] + after, before, x.dtype))
        x = np.moveaxis(np.tensordot(x, inside, ((axis,), (0,))), -1, axis)
    if value == 0:
        return x
    lengths = [n - before - after for n, (before, after) in zip(x.shape[2:], padding, strict=True)]
    ends = [
        (np.arange(n) < b) | (np.arange(n) >= b + m) for n, m, (b, _) in zip(x.shape[2:], lengths, padding, strict=True)
    ]
    outside = beside(x, ends[0][:, None] | ends[1])
    return np.where(outside, max(value, float(np.finfo(x.dtype).min)), x).astype(x.dtype)


def places(x: Any, size: int, windows: int, kernel: int, stride: int, dilation: int) -> Any:
    """1 where the element i of window p is the element h of an axis, else 0: of shape (windows, kernel, size)."""
    at = stride * np.arange(windows)[:, None] + dilation * np.arange(kernel)
    return beside(x, (at[..., None] == np.arange(size)).astype(x.dtype))
