"""`Elsewhere`: an array whose numbers are not NumPy's to take, as those in the memory of a GPU are not.

It speaks NumPy's protocols, and refuses to become a NumPy array or to be computed with one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Elsewhere", "brought_back", "taken_away"]

METHODS = ("all", "any", "argmax", "argmin", "astype", "copy", "max", "mean", "min", "ravel", "repeat", "reshape",
           "squeeze", "sum", "swapaxes", "transpose", "var", "std", "prod", "cumsum")  # fmt: skip
ATTRIBUTES = ("dtype", "itemsize", "nbytes", "ndim", "shape", "size")
OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lt", "le", "gt",
             "ge", "eq", "ne")  # fmt: skip


class Elsewhere(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that only functions of NumPy called through its protocols can compute with."""

    def __init__(self, numbers: Any):
        assert isinstance(numbers, np.ndarray | np.generic)
        self._numbers = np.asarray(numbers)

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError("the numbers are elsewhere, and no NumPy array is made of them")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(hasattr(x, "_record") for x in inputs):
            return NotImplemented
        free = method == "at"
        return _wrapped(
            getattr(ufunc, method)(*(_inside(x, free) for x in inputs), **{k: _inside(v) for k, v in options.items()})
        )

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if any(hasattr(kind, "_record") for kind in types):
            return NotImplemented
        free = function is np.asarray  # of like=, which takes an array there
        options = {k: _inside(v, free) for k, v in options.items()}
        return _wrapped(function(*(_inside(x, free) for x in args), **options))

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(self._numbers[_inside(index, free=True)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._numbers[_inside(index, free=True)] = _inside(value)

    def __len__(self) -> int:
        return len(self._numbers)

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def __float__(self) -> float:
        return float(self._numbers)

    def __int__(self) -> int:
        return int(self._numbers)

    def tolist(self) -> Any:
        return self._numbers.tolist()

    def item(self) -> Any:
        return self._numbers.item()

    @property
    def T(self) -> Any:
        return Elsewhere(self._numbers.T)

    @property
    def real(self) -> Any:
        return Elsewhere(self._numbers.real)

    @property
    def imag(self) -> Any:
        return Elsewhere(self._numbers.imag)

    __hash__ = object.__hash__


def _inside(value: Any, free: bool = False) -> Any:
    if isinstance(value, Elsewhere):
        return value._numbers
    if isinstance(value, tuple | list):
        return type(value)(_inside(part, free) for part in value)
    if isinstance(value, np.ndarray) and not free:
        raise TypeError(f"an array of NumPy, of shape {value.shape}, among arrays that are elsewhere")
    return value


def _wrapped(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return Elsewhere(value)
    if hasattr(value, "_fields"):
        return type(value)._make(map(_wrapped, value))
    return type(value)(map(_wrapped, value)) if isinstance(value, tuple | list) else value


def _method(name: str) -> Any:
    def call(self: Any, *args: Any, **options: Any) -> Any:
        return _wrapped(getattr(self._numbers, name)(*map(_inside, args), **options))

    return call


for _name in METHODS:
    setattr(Elsewhere, _name, _method(_name))
for _name in ATTRIBUTES:
    setattr(Elsewhere, _name, property(lambda self, name=_name: getattr(self._numbers, name)))


def taken_away(value: Any) -> Any:
    """An array of NumPy as one that is elsewhere."""
    return Elsewhere(np.array(value))


def brought_back(value: Any) -> Any:
    """The numbers of an array that must be elsewhere."""
    assert isinstance(value, Elsewhere), type(value)
    return value._numbers
