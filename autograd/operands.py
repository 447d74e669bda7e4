"""What a Tensor holds: plain arrays of numbers, real or complex, that nobody else writes into."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conjugates import for_complex
from .leaving import NUMBERS, used
from .libraries import foreign
from .masks import Mask, mask_of
from .registry import Rule

__all__ = [
    "MASKED", "NO_NUMBER", "PLAIN", "as_array", "constant", "frozen", "may_change", "number", "plain", "settled",
]  # fmt: skip


def plain(data: Any, dtype: Any, copy: bool) -> Any:
    """An array of numbers that nobody else writes into; a NumPy scalar where it is 0-d."""
    if isinstance(data, np.ndarray | np.generic):
        if hasattr(data, "mask"):
            raise TypeError(MASKED)
        array = data if dtype is None else data.astype(dtype, copy=False)
        if isinstance(array, np.ndarray) and may_change(array if copy else array.base):
            array = array.copy(order="K")
    elif foreign(data):
        array = data if dtype is None else data.astype(dtype)
    else:
        array = _array(data, dtype)
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"a Tensor holds numbers, real or complex: got dtype {array.dtype}")
    if isinstance(array, np.ndarray):
        if not array.shape:
            return array[()]
        if type(array) is not np.ndarray:
            array = array.view(np.ndarray)
        array.setflags(write=False)
    return array


def _array(data: Any, dtype: Any) -> Any:
    try:
        return np.array(constant(data), dtype=dtype)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError("a Tensor needs rows of one length, got a ragged list") from None


def may_change(array: Any) -> bool:
    """Whether somebody can write into an array's memory: all but the owner of read-only memory, and `bytes`, may."""
    while array is not None:
        if isinstance(array, np.ndarray):
            if array.flags.writeable:
                return True
            array = array.base
        elif isinstance(array, memoryview):
            array = array.obj  # a read-only view says nothing of what it looks at
        else:
            return not isinstance(array, bytes)
    return False


def as_array(value: Any) -> Any:
    """A value as it is handed out: an array, also where it is 0-d, and read-only."""
    if isinstance(value, np.generic):
        value = np.array(value)
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    return value


NO_NUMBER = np.dtype(object)


def number(data: Any, rule: Rule) -> tuple[Any, Rule]:
    """What a call gave that is no array of real numbers, as an array of numbers; and the row that is right for it."""
    if isinstance(data, float | int):
        return np.float64(data), rule
    data = np.complex128(data) if data.__class__ is complex else data
    dtype, name = getattr(data, "dtype", None), rule.name
    if dtype is None:
        raise TypeError(f"{name} must return an array, got {type(data).__name__}")
    if dtype.kind == "c":
        return data, for_complex(rule)
    raise TypeError(f"{name}: a Tensor holds numbers, real or complex, and the result has dtype {dtype}")


def constant(value: Any) -> Any:
    """A constant as an operation takes it: what gives its numbers freely as an array of them, all else as it is.

    Raises
    ------
    TypeError
        If it means more than its numbers, which an operation would ignore: a mask, a unit, another product.
    """
    if value.__class__ in PLAIN:
        return value
    if isinstance(value, np.ndarray):
        if hasattr(value, "mask"):
            raise TypeError(MASKED)
        if not isinstance(value, np.memmap):
            raise TypeError(
                f"an operand of type {type(value).__name__} means more than its numbers, which a Tensor would ignore: "
                "write np.asarray(array) where the numbers alone are meant"
                + (", and @ for the product of matrices" if isinstance(value, np.matrix) else "")
            )
        return np.asarray(value)
    if isinstance(value, list | tuple):
        for part in value:
            if part.__class__ not in PLAIN:
                constant(part)
    elif hasattr(value, "__array__") and not hasattr(value, "__array_function__"):
        return value if isinstance(value, np.generic) else np.array(value)
    return value


MASKED = "masked arrays are not supported, as no operation here knows the mask: fill it first, array.filled(0)"
PLAIN = {np.ndarray, Mask, float, int, bool, complex, type(None), str, slice, np.float64, type}
"""The types whose instances `constant` need not look at; Tensor is one of them."""


def frozen(value: Any) -> Any:
    """A constant operand as a record holds it: a writable array is copied; one that remembers its record goes on to."""
    if value.__class__ is float:
        if NUMBERS and id(value) in NUMBERS:
            used(value)
        return value
    value = constant(value)
    if isinstance(value, np.ndarray):
        mask = value if value.__class__ is Mask else mask_of(value)
        if mask is not None:
            return mask.settled()
        if may_change(value):
            value = value.copy(order="K")
            value.setflags(write=False)
    return value


def settled(option: Any, index: bool = False) -> Any:
    """An option as a record holds it: Tensors as their numbers, lists as tuples, but as arrays in an `index`."""
    if option.__class__ in (int, slice):
        return option
    if isinstance(option, (list, tuple)):
        parts = tuple([settled(part, index) for part in option])
        if not index or isinstance(option, tuple):
            return parts
        option = np.array(parts, dtype=None if parts else np.intp)
        option.setflags(write=False)
        return option
    if hasattr(option, "_record"):
        option = as_array(option._data) if index else option._data
    return frozen(option)
