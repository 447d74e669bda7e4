"""What a Tensor holds: plain arrays of real numbers that nobody else writes into."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["frozen", "may_change", "plain"]


def plain(data: Any, dtype: Any, copy: bool) -> Any:
    """An array of real numbers that nobody else writes into; a NumPy scalar where it is 0-d."""
    if isinstance(data, np.ndarray | np.generic):
        if hasattr(data, "mask"):
            raise TypeError("a Tensor can't hold a masked array: fill it first, array.filled(0)")
        array = data if dtype is None else data.astype(dtype, copy=False)
        if isinstance(array, np.ndarray) and may_change(array if copy else array.base):
            array = array.copy(order="K")
    elif hasattr(data, "__array_function__") and not hasattr(data, "_record") and dtype is None:
        return data
    else:
        array = _array(data, dtype)
    if array.dtype.kind not in "fiub":
        what = "complex numbers are not supported yet" if array.dtype.kind == "c" else "a Tensor holds real numbers"
        raise TypeError(f"{what}: got dtype {array.dtype}")
    if isinstance(array, np.ndarray):
        if not array.shape:
            return array[()]
        if type(array) is not np.ndarray:
            array = array.view(np.ndarray)
        array.setflags(write=False)
    return array


def _array(data: Any, dtype: Any) -> Any:
    try:
        return np.array(data, dtype=dtype)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError("a Tensor needs rows of one length, got a ragged list") from None


def may_change(array: Any) -> bool:
    """Whether somebody can write into an array's memory."""
    while array is not None:
        if isinstance(array, np.ndarray):
            if array.flags.writeable:
                return True
        elif isinstance(array, memoryview | bytearray):
            return isinstance(array, bytearray) or not array.readonly
        array = getattr(array, "base", None)
    return False


def frozen(value: Any) -> Any:
    """A constant operand as a record holds it: a writable array is copied."""
    if isinstance(value, np.ndarray) and may_change(value):
        value = value.copy(order="K")
        value.setflags(write=False)
    return value
