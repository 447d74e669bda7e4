"""What layers share that are a function of `nn.functional` with its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from ..module import Module

__all__ = ["OfFunction"]


class OfFunction(Module):
    """A function, and options that are attributes of the layer: each call looks at what they are then."""

    function: ClassVar[Callable[..., Any]]
    options: tuple[str, ...] = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def _set_options(self, **options: Any) -> None:
        self._set(**options, options=tuple(options))

    def _call(self, *inputs: Any, **more: Any) -> Any:
        return type(self).function(*inputs, **{name: getattr(self, name) for name in self.options}, **more)

    def extra_repr(self) -> str:
        shown = {name: getattr(self, name) for name in self.options}
        return ", ".join(f"{name}={value!r}" for name, value in shown.items() if name != "inplace" or value)
