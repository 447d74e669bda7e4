"""Hand-derived gradients as people give them: arrays, nested lists, numbers as a source printed them."""

from __future__ import annotations

import numbers
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor

__all__ = ["Hand", "read_hand"]


class Hand(NamedTuple):
    """A gradient as given: its numbers in float64, and how precise they are.

    ``unit`` is the unit of the last digit printed, NaN where a number carries none; None where none does.
    """

    array: Any
    dtype: np.dtype[Any]
    unit: Any


def read_hand(value: Any, who: str) -> Hand:
    """The numbers of a gradient that a person gives.

    Parameters
    ----------
    value : array, Tensor, number, str, Decimal, or nested lists of them
        Strings and Decimals carry as many digits as they were printed with: ``"0.0127"``.
    who : str
        Begins the sentence of an error: ``"compare_grads: the gradient of W⁽¹⁾"``.

    Raises
    ------
    TypeError
        If it is not of real numbers, or an array of whole numbers, which can't hold a gradient.
    ValueError
        If a list is ragged, or a string is no number.

    Examples
    --------
    >>> from autograd.testing.hand import read_hand
    >>> read_hand([["0.50", "1.25"]], "dW").unit
    array([[0.01, 0.01]])
    """
    if value is None:
        raise TypeError(f"{who} is None; expected an array of numbers")
    if isinstance(value, Tensor):
        value = value.data
    elif callable(getattr(value, "detach", None)):  # torch refuses to convert a Tensor that requires a gradient
        value = value.detach()
    if hasattr(value, "mask") and isinstance(value, np.ndarray):
        raise TypeError(f"{who} is a masked array; expected plain numbers: fill it first, array.filled(0)")
    array = _as_array(value, who)
    if array.dtype.kind in "iub" and (isinstance(value, np.ndarray | np.generic) or array.dtype.kind == "b"):
        raise TypeError(
            f"{who} has dtype {array.dtype}; expected floating-point numbers: an array of dtype {array.dtype} cuts "
            "off every fraction written into it (np.zeros(shape), or zeros_like of a floating-point array)"
        )
    if array.dtype.kind == "c":
        raise TypeError(f"{who} has dtype {array.dtype}; expected real numbers")
    if array.dtype.kind in "fi":
        dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
        return Hand(array.astype(np.float64), dtype, None)
    if array.dtype.kind not in "OUS":
        raise TypeError(f"{who} has dtype {array.dtype}; expected floating-point numbers")
    return _from_elements(array, who)


def _as_array(value: Any, who: str) -> Any:
    try:
        array = np.array(value)
        if array.dtype.kind in "USO" and not isinstance(value, np.ndarray):
            array = np.array(value, dtype=object)  # numbers beside strings stay numbers
    except Exception as error:
        if "inhomogeneous" in str(error) or "broadcast" in str(error):
            raise ValueError(f"{who} is a ragged list; expected rows of one length") from None
        raise TypeError(f"{who} is of type {type(value).__name__}; expected an array of numbers ({error})") from error
    return array


def _from_elements(array: Any, who: str) -> Hand:
    values, units = np.empty(array.shape), np.full(array.shape, np.nan)
    for index in np.ndindex(array.shape):
        element = array[index]
        if isinstance(element, bytes):
            element = element.decode(errors="replace")
        place = f" at {index}" if index else ""
        if isinstance(element, list | tuple | np.ndarray):
            raise ValueError(f"{who} is a ragged list; expected rows of one length")
        if isinstance(element, str):
            element = _printed(element, f"{who} is {element!r}{place}")
        if isinstance(element, Decimal):
            exponent = element.as_tuple().exponent
            if isinstance(exponent, int):
                units[index] = float(Decimal(1).scaleb(exponent))
        elif isinstance(element, bool | np.bool) or not isinstance(element, numbers.Real):
            raise TypeError(f"{who} holds a value of type {type(element).__name__}{place}; expected real numbers")
        try:
            values[index] = float(element)
        except OverflowError:
            raise ValueError(f"{who} holds a number{place} that is too large for a float") from None
    units[(values == 0) & (units >= 1)] = np.nan  # "0" is nothing at all, not anything up to a half
    return Hand(values, np.dtype(np.float64), None if np.isnan(units).all() else units)


def _printed(text: str, what: str) -> Decimal:
    """A number as a source prints it; a minus sign may be the typographic one."""
    try:
        return Decimal(text.strip().replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation:
        raise ValueError(f"{what}, which is no number; expected one as printed, like '0.0127'") from None
