"""Layers without parameters, which are a function with its options."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..module import Module

__all__ = ["Function", "shown"]


class Function(Module):
    """A function of `nn.functional`, called with the attributes of the layer that are in `_options`, by their names.

    `_shown` are those that ``repr`` writes: all unless told.
    """

    _function = ""
    _options: tuple[str, ...] = ()
    _shown: tuple[str, ...] | None = None

    def forward(self, x: Any) -> Any:
        return getattr(F, self._function)(x, **{name: getattr(self, name) for name in self._options})

    def extra_repr(self) -> str:
        return shown(self, self._options if self._shown is None else self._shown)


def shown(layer: Module, names: tuple[str, ...]) -> str:
    """Attributes as ``repr`` writes them: ``kernel_size=2, stride=2``."""
    return ", ".join(f"{name}={getattr(layer, name)!r}" for name in names)
