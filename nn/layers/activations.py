"""Activations as layers."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import naming
from ..module import Module

__all__ = ["ReLU", "Sigmoid", "Softmax", "Tanh"]


class Sigmoid(Module):
    """σ(z) = 1 / (1 + e⁻ᶻ): `functional.sigmoid`."""

    def forward(self, x: Any) -> Any:
        return F.sigmoid(x)


class ReLU(Module):
    """max(z, 0): `functional.relu`. `inplace` is accepted, without effect: Tensors never change in place."""

    def __init__(self, inplace: bool = False):
        self.inplace = bool(inplace)

    def forward(self, x: Any) -> Any:
        return F.relu(x)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Tanh(Module):
    """tanh z: `functional.tanh`."""

    def forward(self, x: Any) -> Any:
        return F.tanh(x)


class Softmax(Module):
    """Probabilities from logits, along the axis `dim`, named ŷ: `functional.softmax`. Train it with `log_loss`."""

    def __init__(self, dim: int = -1):
        self.dim = dim

    def forward(self, x: Any) -> Any:
        return naming.prediction(F.softmax(x, self.dim))

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
