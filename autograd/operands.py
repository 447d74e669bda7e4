"""What a Tensor holds: plain arrays of real numbers that nobody else writes into."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["frozen", "may_change", "plain"]


def plain(data: Any, dtype: Any, copy: bool) -> Any:
    """An array of real numbers that nobody else writes into; a NumPy scalar where it is 0-d."""
    if isinstance(data, np.ndarray | np.generic):
        array = data if dtype is None else data.astype(dtype, copy=False)
        if copy and isinstance(array, np.ndarray) and may_change(array):
            array = array.copy(order="K")
    elif hasattr(data, "__array_function__") and dtype is None:
        return data
    else:
        array = np.array(data, dtype=dtype)
    if array.dtype.kind not in "fiub":
        what = "complex numbers are not supported yet" if array.dtype.kind == "c" else "a Tensor holds real numbers"
        raise TypeError(f"{what}: got dtype {array.dtype}" + (" (ragged lists?)" if array.dtype == object else ""))
    if isinstance(array, np.ndarray):
        if not array.shape:
            return array[()]
        if type(array) is not np.ndarray:
            array = array.view(np.ndarray)
        array.setflags(write=False)
    return array


def may_change(array: Any) -> bool:
    """Whether somebody can write into an array's memory."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return True
        array = array.base
    return False


def frozen(value: Any) -> Any:
    """A constant operand as a record holds it: a writable array is copied."""
    if isinstance(value, np.ndarray) and may_change(value):
        value = value.copy(order="K")
        value.setflags(write=False)
    return value
