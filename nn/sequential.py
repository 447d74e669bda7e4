"""`Sequential`: modules called one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules called one after the other, each with what the one before gave.

    Parameters
    ----------
    *modules : Module, or one dict of names to Modules
        Without names they are called ``"0"``, ``"1"``, …

    Examples
    --------
    >>> import numpy as np, nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid())
    >>> net(np.zeros((2, 4))).shape
    (2, 3)
    >>> len(net), net[1]
    (2, Sigmoid())
    """

    def __init__(self, *modules: Any):
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = dict(modules[0])
        else:
            named = {str(i): module for i, module in enumerate(modules)}
        for name, module in named.items():
            self._add(name, module)

    def _add(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            what = module.__name__ if isinstance(module, type) or callable(module) else repr(module)
            hint = f"; make one, {what}()" if isinstance(module, type) and issubclass(module, Module) else ""
            raise TypeError(f"Sequential: {name} must be a Module such as nn.ReLU(), got {what}{hint}")
        if not name or "." in name or hasattr(type(self), name):
            raise ValueError(f"Sequential: {name!r} can't be the name of a module")
        setattr(self, name, module)

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x

    def append(self, module: Module) -> Sequential:
        """Add a module at the end. Returns the Sequential."""
        number = len(self)
        while str(number) in self.__dict__:
            number += 1
        self._add(str(number), module)
        return self

    def __len__(self) -> int:
        return sum(isinstance(value, Module) for value in self.__dict__.values())

    def __iter__(self) -> Iterator[Module]:
        return iter([value for value in self.__dict__.values() if isinstance(value, Module)])

    def __getitem__(self, index: int | slice | str) -> Any:
        if isinstance(index, str):
            return dict(self.named_children())[index]
        if isinstance(index, slice):
            return type(self)(dict(list(self.named_children())[index]))
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f"Sequential has {size} modules, no number {index}")
        return list(self)[index]
