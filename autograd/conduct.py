"""How a Tensor answers Python itself: as a number, in a loop, copied, printed, asked for a name that it lacks."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from .errors import nearest_with_rule
from .leaving import number_of
from .operands import MASKED

__all__ = ["Conduct"]

_getframe = sys._getframe


class Conduct:
    """The part of `Tensor` that needs no operation."""

    __slots__ = ()

    def __len__(self: Any) -> int:
        if not self.shape:
            raise TypeError("a 0-d Tensor has no length")
        return self.shape[0]

    def __iter__(self: Any) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("a 0-d Tensor can't be iterated over")
        return (self[i] for i in range(len(self)))

    def __bool__(self: Any) -> bool:
        return bool(self._data)

    def __float__(self: Any) -> float:
        return float(number_of(self, _getframe(1)) if self.requires_grad else self.item())

    def __int__(self: Any) -> int:
        return int(number_of(self, _getframe(1)) if self.requires_grad else self.item())

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

    def __getattr__(self: Any, name: str) -> Any:
        if not name.startswith("_") and hasattr(np.ndarray, name):
            near = nearest_with_rule(name)
            hint = f": write np.{name}(t)" if near == name else f"; nearest with one: {near}" if near else ""
            raise AttributeError(
                f"ndarray.{name} has no derivative rule on a Tensor{hint}. For the numbers alone use t.data.{name}"
            )
        hint = f": write {_SPELLED[name]}" if name in _SPELLED else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")

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
        elif not self.requires_grad and self.dtype.kind == "f":
            parts.append("requires_grad=False")
        return f"Tensor({', '.join(parts)})"

    def __format__(self: Any, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)


# PyTorch's methods that go by another name here.
_SPELLED = {
    "dim": "t.ndim", "numel": "t.size", "permute": "t.transpose(...)", "unsqueeze": "np.expand_dims(t, axis)",
    "mm": "a @ b", "bmm": "a @ b", "matmul": "a @ b", "pow": "t ** n", "float": "t.astype(np.float32)",
    "double": "t.astype(np.float64)", "long": "t.astype(np.int64)", "t": "t.T", "sigmoid": "nn.functional.sigmoid(t)",
    "relu": "nn.functional.relu(t)", "softmax": "nn.functional.softmax(t, dim=...)", "cpu": "t",
    "add_": "t = t + x", "sub_": "t = t - x", "mul_": "t = t * x", "zero_": "t.data = np.zeros(t.shape)",
}  # fmt: skip
