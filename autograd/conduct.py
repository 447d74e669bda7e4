"""How a Tensor answers Python itself: what it holds, as a number, in a loop, copied, printed."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from .bytecode import unpacks
from .errors import no_attribute
from .leaving import not_an_array, number_of
from .operands import MASKED, as_array

__all__ = ["Conduct", "Missing"]

_getframe = sys._getframe


class Conduct:
    """The part of `Tensor` that needs no operation."""

    __slots__ = ()

    shape: tuple[int, ...]
    ndim: int
    size: int
    dtype: np.dtype[Any]

    @property
    def real(self: Any) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self: Any) -> Any:
        """The imaginary part; of real numbers, zeros."""
        return np.imag(self)

    @property
    def itemsize(self: Any) -> int:
        """Bytes of one element."""
        return self._data.itemsize

    @property
    def nbytes(self: Any) -> int:
        """Bytes of all elements."""
        return self._data.nbytes

    def item(self: Any, *index: Any) -> Any:
        """One element, the only one unless an index is given, as a Python number."""
        if not index and self._data.size != 1:
            raise ValueError(f"item() needs a Tensor of one element, got shape {self.shape}")
        return self._data.item(*index)

    def tolist(self: Any) -> Any:
        """The numbers as nested lists."""
        return self._data.tolist()

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.requires_grad:
            raise TypeError(not_an_array(_getframe(1)))
        return np.array(as_array(self._data), dtype=dtype, copy=copy)

    def __len__(self: Any) -> int:
        if not self.shape:
            raise TypeError("a 0-d Tensor has no length")
        return self.shape[0]

    def __iter__(self: Any) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("a 0-d Tensor can't be iterated over")
        node = self._node
        if node is not None and node.op in ("max", "min") and len(self) == 2 and unpacks(_getframe(1)):
            raise TypeError(
                f"{node.op} gives the values alone, as np.{node.op} does, not values and indices: write "
                f"t.arg{node.op}(axis) for the indices, list(t.{node.op}(axis)) to take the values apart"
            )
        return (self[i] for i in range(len(self)))

    def __bool__(self: Any) -> bool:
        return bool(self._data)

    def __float__(self: Any) -> float:
        return float(number_of(self, _getframe(1)) if self.requires_grad else self.item())

    def __int__(self: Any) -> int:
        return int(number_of(self, _getframe(1)) if self.requires_grad else self.item())

    def __complex__(self: Any) -> complex:
        return complex(number_of(self, _getframe(1)) if self.requires_grad else self.item())

    @property
    def _mask(self) -> Any:
        """What `numpy.ma` asks an operand for: asked of a Tensor, it is about to ignore its history."""
        raise TypeError(MASKED)

    def __index__(self: Any) -> int:
        return operator.index(self._data if self._data.dtype.kind in "iu" else self.item())

    def __contains__(self: Any, value: Any) -> bool:
        return bool(np.any(self == value))

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        raise TypeError(
            "a Tensor can't be changed in place, as its history would be wrong: use autograd.set_at(t, index, value) "
            "for a changed copy, or build it with np.stack or np.concatenate"
        )

    def __copy__(self: Any) -> Any:
        return self.__deepcopy__({})

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        if self._has_history():
            return self  # nothing of it ever changes
        rebuild, parts = self.__reduce__()
        return rebuild(*parts)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if hasattr(type(self), name)]

    def __repr__(self: Any) -> str:
        text = np.array2string(self._data, separator=", ", prefix="Tensor(", threshold=100, edgeitems=3)
        parts = [text]
        if self.shape:
            parts.append(f"shape={self.shape}")
        parts.append(f"dtype={self.dtype}")
        node = self._node
        if node is not None and node.name:
            parts.append(f"name={node.name!r}")
        if node is not None and node.args is not None:
            parts.append(f"op={node.op}")
        elif not self.requires_grad and self.dtype.kind in "fc":
            parts.append("requires_grad=False")
        return f"Tensor({', '.join(parts)})"

    def __format__(self: Any, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)


for _name in ("shape", "ndim", "size", "dtype"):
    setattr(Conduct, _name, property(operator.attrgetter(f"_data.{_name}")))  # in C, as they are asked for all the time


class Missing:
    """In the place of a method that a Tensor lacks: asked for, it is missing, and says what to write.

    Not a ``__getattr__``: a class that has one is slower at all its attributes, also at those it has.
    """

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    def __get__(self, tensor: Any, kind: type) -> Any:
        raise no_attribute(kind.__name__, self.name)
