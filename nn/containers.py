"""Lists and dicts of modules and of parameters, `Sequential` among them, each a Module itself.

What they hold are attributes, of the names ``"0"``, ``"1"``, … in a list: so the paths are those of PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any

from autograd import Tensor

from .module import Module
from .parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Holder(Module):
    """A Module that is there for what it holds: modules, unless a class says otherwise."""

    _kind: type = Module

    def _taken(self, name: str, value: Any) -> Any:
        """What is to be held under a name, checked."""
        if not isinstance(value, Module):
            what = value.__name__ if isinstance(value, type) or callable(value) else repr(value)
            hint = f"; make one, {what}()" if isinstance(value, type) and issubclass(value, Module) else ""
            raise TypeError(f"{type(self).__name__}: {name} must be a Module such as nn.ReLU(), got {what}{hint}")
        return value

    def _add(self, name: Any, value: Any) -> None:
        value = self._taken(name, value)
        if not isinstance(name, str) or not name or "." in name or hasattr(type(self), name):
            what = "module" if self._kind is Module else "parameter"
            raise ValueError(f"{type(self).__name__}: {name!r} can't be the name of a {what}")
        setattr(self, name, value)

    def _held(self) -> dict[str, Any]:
        kind = self._kind
        return {name: value for name, value in self.__dict__.items() if isinstance(value, kind)}

    def __len__(self) -> int:
        return len(self._held())

    __hash__ = Module.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class _List(_Holder, MutableSequence[Any]):
    """What lists have in common: everything that a Python list does, by position."""

    def __init__(self, values: Iterable[Any] | None = None):
        self.extend(values or ())

    def __iter__(self) -> Iterator[Any]:
        kind = self._kind
        return iter([value for value in self.__dict__.values() if isinstance(value, kind)])

    def _at(self, index: Any) -> int:
        size = len(self)
        if not -size <= index < size:
            kinds = "modules" if self._kind is Module else "parameters"
            raise IndexError(f"{type(self).__name__} has {size} {kinds}, no number {index}")
        return int(index) % size

    def __getitem__(self, index: Any) -> Any:
        held = list(self._held().values())
        return self._like(held[index]) if isinstance(index, slice) else held[self._at(index)]

    def _like(self, values: list[Any]) -> Any:
        return type(self)(values)

    def __setitem__(self, index: Any, value: Any) -> None:
        held = list(self._held().values())
        if isinstance(index, slice):
            held[index] = list(value)
            self._refill(held)
        else:
            self._add(list(self._held())[self._at(index)], value)

    def __delitem__(self, index: Any) -> None:
        held = list(self._held().values())
        del held[index if isinstance(index, slice) else self._at(index)]
        self._refill(held)

    def insert(self, index: int, value: Any) -> Any:
        """Put it before the one of this number; those after it move on by one. Returns the list."""
        held = list(self._held().values())
        held.insert(index, value)
        self._refill(held)
        return self

    def append(self, value: Any) -> Any:
        """Add it at the end. Returns the list."""
        number = len(self)
        while str(number) in self.__dict__:
            number += 1
        self._add(str(number), value)
        return self

    def extend(self, values: Iterable[Any]) -> Any:
        """Add all of them at the end. Returns the list."""
        for value in list(values):
            self.append(value)
        return self

    def _refill(self, values: list[Any]) -> None:
        values = [self._taken(str(i), value) for i, value in enumerate(values)]
        for name in self._held():
            delattr(self, name)
        for i, value in enumerate(values):
            self._add(str(i), value)

    def __add__(self, other: Iterable[Any]) -> Any:
        if not isinstance(other, Iterable):
            return NotImplemented
        return self._like([*self, *other])


class _Dict(_Holder, MutableMapping[str, Any]):
    """What dicts have in common: everything that a Python dict does."""

    def __init__(self, values: Any = None):
        self.update({} if values is None else values)

    def __getitem__(self, name: str) -> Any:
        return self._held()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._add(name, value)

    def __delitem__(self, name: str) -> None:
        del self._held()[name]
        delattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())


class _Parameters(_Holder):
    """Holds parameters: numbers, arrays and Tensors become some."""

    _kind = Parameter

    def _taken(self, name: str, value: Any) -> Parameter:
        if isinstance(value, Parameter):
            return value
        return Parameter(value.data if isinstance(value, Tensor) else value)

    def __repr__(self) -> str:
        lines = [f"\n  ({name}): Parameter of shape {p.shape}, {p.dtype}" for name, p in self._held().items()]
        return f"{type(self).__name__}({''.join(lines)}\n)" if lines else f"{type(self).__name__}()"


class Sequential(_List):
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
        if len(modules) == 1 and isinstance(modules[0], Mapping) and not isinstance(modules[0], Module):
            named = dict(modules[0])
        else:
            named = {str(i): module for i, module in enumerate(modules)}
        for name, module in named.items():
            self._add(name, module)

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x

    def _like(self, values: list[Any]) -> Sequential:
        return type(self)(*values)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._held()[index]
        if isinstance(index, slice):
            return type(self)(dict(list(self._held().items())[index]))
        return super().__getitem__(index)


class ModuleList(_List):
    """A list of modules, of the names ``"0"``, ``"1"``, …; the `forward` that uses them is yours.

    A plain list as an attribute is found as well.

    Parameters
    ----------
    modules : iterable of Module, optional

    Examples
    --------
    >>> import nn
    >>> layers = nn.ModuleList([nn.Linear(3, 3) for _ in range(2)])
    >>> _ = layers.insert(1, nn.ReLU())
    >>> [name for name, _ in layers.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, modules: Iterable[Module] | None = None):
        self.extend(modules or ())


class ModuleDict(_Dict):
    """A dict of modules by their names; the `forward` that uses them is yours.

    Parameters
    ----------
    modules : mapping of str to Module, or iterable of pairs, optional

    Examples
    --------
    >>> import nn
    >>> layers = nn.ModuleDict({"hidden": nn.Linear(3, 4)})
    >>> layers["out"] = nn.Linear(4, 1)
    >>> list(layers), "out" in layers
    (['hidden', 'out'], True)
    """

    def __init__(self, modules: Any = None):
        super().__init__(modules)


class ParameterList(_Parameters, _List):
    """A list of parameters, of the names ``"0"``, ``"1"``, …; arrays and Tensors that it is given become Parameters.

    Parameters
    ----------
    values : iterable, optional

    Examples
    --------
    >>> import nn
    >>> weights = nn.ParameterList([nn.Parameter([1.0, 2.0]), [3.0]])
    >>> weights[1].data
    array([3.])
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    """


class ParameterDict(_Parameters, _Dict):
    """A dict of parameters by their names; arrays and Tensors that it is given become Parameters.

    Parameters
    ----------
    parameters : mapping of str to Parameter, or iterable of pairs, optional

    Examples
    --------
    >>> import nn
    >>> weights = nn.ParameterDict({"W": [[1.0, 2.0]], "b": [0.0]})
    >>> weights["W"].shape
    (1, 2)
    """

    def __init__(self, parameters: Any = None):
        super().__init__(parameters)
