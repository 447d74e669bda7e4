"""Errors about what a layer was given. Each layer that one passes through on its way out adds its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import point
from autograd.libraries import foreign

__all__ = [
    "DtypeMismatch", "LayerError", "ShapeMismatch", "called", "floating", "fraction", "one_dtype", "operand", "seen",
]  # fmt: skip


class LayerError(Exception):
    """What was handed to a layer does not fit it. The message starts with the path of the layer, ``lenet.conv1``."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message
        self.path = ""
        point(self)

    def leave(self, layer: str) -> None:
        """Note that the error passes out of the layer of this name."""
        self.path = f"{layer}.{self.path}" if self.path else layer

    def __str__(self) -> str:
        if not self.path:
            return self.message
        function, _, rest = self.message.partition(": ")
        layer = self.path.rpartition(".")[2]
        said = rest and layer.replace("_", "").startswith(function.replace("_", ""))
        return f"{self.path}: {rest if said else self.message}"


class ShapeMismatch(LayerError, ValueError):
    """Shapes that do not fit each other."""


class DtypeMismatch(LayerError, TypeError):
    """Values of a dtype that can't be computed with here."""


def operand(value: Any, what: str) -> Any:
    """`value` itself if it is an array or Tensor, a list of numbers as an array; else an error of `what`."""
    if isinstance(value, _ARRAYS) or hasattr(value, "dtype"):
        return value
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise ShapeMismatch(f"{what}: an array or a Tensor is needed, got {type(value).__name__} ({error})") from None
    if array.dtype.kind not in "fiub":
        raise DtypeMismatch(f"{what}: numbers are needed, got {type(value).__name__} (as an array: {array.dtype})")
    return array


_ARRAYS = (Tensor, np.ndarray)
_IMAGES = "for images of 0 to 255 give images.astype(np.float32) / 255"


def floating(value: Any, what: str, hint: str = _IMAGES) -> Any:
    """`value` as an array or Tensor of floating dtype; anything else is an error of the function `what`."""
    if not isinstance(value, _ARRAYS):
        value = operand(value, what)
    if value.dtype.kind != "f":
        raise DtypeMismatch(
            f"{what}: floating-point input is needed, got dtype {value.dtype} (shape {value.shape}); {hint}"
        )
    return value


def one_dtype(input: Any, weight: Any, what: str, otherwise: str) -> None:
    """Raise a DtypeMismatch if input and weight are Tensors of different dtypes, which PyTorch doesn't mix either."""
    if input.dtype != weight.dtype and isinstance(input, Tensor) and isinstance(weight, Tensor):
        raise DtypeMismatch(
            f"{what}: the input has dtype {input.dtype}, but {called(weight, otherwise)} has dtype {weight.dtype}: "
            f"give x.astype(np.{weight.dtype}), or make the layer with dtype=np.{input.dtype}"
        )


def seen(mask: Any) -> bool:
    """Whether anything is true in a mask that can be looked at: arrays of other libraries may be computed later."""
    return not foreign(mask) and bool(mask.any())


def fraction(value: Any, name: str) -> float:
    """A number from 0 to 1."""
    if not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {value!r}")
    return float(value)


def called(weight: Any, otherwise: str) -> str:
    """The name of a weight in an error message."""
    name = weight.name if isinstance(weight, Tensor) else None
    return name or otherwise
