"""Layers which are a function with its options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import functional as F
from ..module import Module

__all__ = ["Function", "OfFunction", "shown"]


class OfFunction(Module):
    """A function of `nn.functional`, called with the attributes of the layer that are in `_options`, by their names.

    `_shown` are those that ``repr`` writes: all unless told.
    """

    _function = ""
    _options: tuple[str, ...] = ()
    _shown: tuple[str, ...] | None = None

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def _set_options(self, **options: Any) -> None:
        self._set(**options, _options=tuple(options))

    def _call(self, *inputs: Any, **more: Any) -> Any:
        options = self._options
        if options:
            more |= {name: getattr(self, name) for name in options}
        return getattr(F, self._function)(*inputs, **more)

    def extra_repr(self) -> str:
        return shown(self, self._options if self._shown is None else self._shown)


class Function(OfFunction):
    """A function of one input, without parameters."""

    def forward(self, x: Any) -> Any:
        return self._call(x)


def shown(layer: Module, names: tuple[str, ...]) -> str:
    """Attributes as ``repr`` writes them: ``kernel_size=2, stride=2``; `inplace` only where it is True."""
    values = {name: getattr(layer, name) for name in names}
    return ", ".join(f"{name}={value!r}" for name, value in values.items() if name != "inplace" or value)
