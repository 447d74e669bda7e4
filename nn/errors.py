"""Errors about what a layer was given. Each layer that one passes through on its way out adds its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["DtypeMismatch", "LayerError", "ShapeMismatch", "called", "floating"]


class LayerError(Exception):
    """What was handed to a layer does not fit it. The message starts with the path of the layer, ``lenet.conv1``."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message
        self.path = ""

    def leave(self, layer: str) -> None:
        """Note that the error passes out of the layer of this name."""
        self.path = f"{layer}.{self.path}" if self.path else layer

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ShapeMismatch(LayerError, ValueError):
    """Shapes that do not fit each other."""


class DtypeMismatch(LayerError, TypeError):
    """Values of a dtype that can't be computed with here."""


def floating(value: Any, what: str) -> Any:
    """`value` as an array or Tensor of floating dtype; anything else is an error of the function `what`."""
    if not isinstance(value, Tensor | np.ndarray):
        value = np.asarray(value) if not hasattr(value, "dtype") else value
    if value.dtype.kind != "f":
        raise DtypeMismatch(
            f"{what}: floating-point input is needed, got dtype {value.dtype} (shape {value.shape}); "
            "for images of 0 to 255 give images.astype(np.float32) / 255"
        )
    return value


def called(weight: Any, otherwise: str) -> str:
    """The name of a weight in an error message."""
    name = weight.name if isinstance(weight, Tensor) else None
    return name or otherwise
