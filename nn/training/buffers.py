"""The buffers of a network, such as running statistics, as they were before a step that is not taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..module import Module

__all__ = ["Buffers"]


class Buffers:
    """Copies of the buffers of a model, kept until a step is whole."""

    def __init__(self, model: Module):
        self._where = [(module, name) for module in model.modules() for name in module._buffers]
        self._kept: list[Any] = []

    def keep(self) -> None:
        """Copy them."""
        self._kept = [np.array(getattr(module, name)) for module, name in self._where]

    def forget(self) -> None:
        """Let go of the copies: the step is whole."""
        self._kept = []

    def put_back(self) -> None:
        """Give the modules what was copied, if anything is."""
        for (module, name), array in zip(self._where, self._kept, strict=False):
            setattr(module, name, array)
        self._kept = []
