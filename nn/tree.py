"""What a network is built of, as a tree: Parameters, buffers and Modules, found by their dotted paths."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import chain
from typing import Any

import numpy as np

from .parameter import Parameter
from .seeding import generator

__all__ = ["CHANGES", "Tree"]

CHANGES = [0]
"""Counts changes to the attributes of modules: names are given again when it moved on."""

_HOLDERS = (list, tuple, dict)


class Tree:
    """Parameters, buffers and other trees as attributes, also inside lists, tuples and dicts that are attributes.

    This is the half of `Module` that finds its parts; the other half calls them.
    """

    _buffers: tuple[str, ...] = ()
    _passing: frozenset[str] = frozenset()  # the buffers that are not saved

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name)
        if isinstance(before, Parameter) and not isinstance(value, Parameter | None):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter and can't become {type(value).__name__}: assign an "
                f"nn.Parameter, or give it new numbers with {name}.data = array"
            )
        if isinstance(value, (Parameter, Tree, *_HOLDERS)) or isinstance(before, (Parameter, Tree, *_HOLDERS)):
            CHANGES[0] += 1
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        CHANGES[0] += 1
        object.__delattr__(self, name)

    def register_buffer(self, name: str, array: Any, persistent: bool = True) -> None:
        """Hold an array that belongs to the state but is not trained, as attribute `name`.

        `state_dict` has it too, if it is `persistent`.
        """
        self._check_attribute("register_buffer", name, name in self._buffers)
        setattr(self, name, np.array(array))
        self.__dict__["_buffers"] = (*(b for b in self._buffers if b != name), name)
        self.__dict__["_passing"] = self._passing - {name} if persistent else self._passing | {name}

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Hold a Parameter as attribute `name`, or None where there is none."""
        if not isinstance(param, Parameter | None):
            raise TypeError(f"register_parameter: {name} must be an nn.Parameter or None, got {type(param).__name__}")
        self._check_attribute("register_parameter", name, isinstance(self.__dict__.get(name), Parameter))
        setattr(self, name, param)

    def add_module(self, name: str, module: Any) -> None:
        """Hold a Module as attribute `name`, or None where there is none."""
        if not isinstance(module, Tree | None):
            raise TypeError(f"add_module: {name} must be an nn.Module or None, got {type(module).__name__}")
        self._check_attribute("add_module", name, isinstance(self.__dict__.get(name), Tree))
        setattr(self, name, module)

    register_module = add_module

    def _check_attribute(self, what: str, name: Any, again: bool) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"{what}: the name of an attribute is needed, got {name!r}")
        if not again and hasattr(self, name):
            raise ValueError(f"{what}: {type(self).__name__} already has an attribute {name!r}")

    def _members(self, kind: type | tuple[type, ...]) -> Iterator[tuple[str, Any]]:
        """The attributes of a kind, and those in lists, tuples and dicts that are attributes, by their dotted names."""
        for name, value in list(self.__dict__.items()):
            if isinstance(value, kind):
                yield name, value
            elif isinstance(value, _HOLDERS):
                yield from _inside(name, value, kind)

    def _walk(self, path: str = "", above: tuple[Tree, ...] = ()) -> Iterator[tuple[str, Any]]:
        """Every module by its path, itself first; one that is held twice comes twice."""
        yield path, self
        above = (*above, self)
        for name, child in self._members(Tree):
            if not any(child is m for m in above):
                yield from child._walk(f"{path}.{name}" if path else name, above)

    def named_modules(self) -> Iterator[tuple[str, Any]]:
        """The module itself (under the name ``""``) and all modules inside it, each once, with their dotted paths."""
        seen: set[int] = set()
        names: dict[str, Any] = {}
        for path, module in self._walk():
            self._check_name(names, path, module)
            if id(module) not in seen:
                seen.add(id(module))
                yield path, module

    def modules(self) -> Iterator[Any]:
        """The module itself and all modules inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """The modules held directly, with their names."""
        return self._members(Tree)

    def children(self) -> Iterator[Any]:
        """The modules held directly."""
        return (child for _, child in self.named_children())

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters, each once, with their dotted paths: ``"conv1.weight"``.

        Parameters
        ----------
        prefix : str, optional
            Put before each path.
        recurse : bool, optional
            False gives the module's own only.
        """
        seen: set[int] = set()
        for path, _, _, parameter in self._state(recurse):
            if isinstance(parameter, Parameter) and id(parameter) not in seen:
                seen.add(id(parameter))
                yield f"{prefix}.{path}" if prefix else path, parameter

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once: what an optimiser takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Any]]:
        """The arrays that `register_buffer` was given, with their dotted paths; options as of `named_parameters`."""
        for above, module in self.named_modules() if recurse else [("", self)]:
            for name in module._buffers:
                yield ".".join(filter(None, (prefix, above, name))), getattr(module, name)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """The arrays that `register_buffer` was given."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Any:
        """The module under a dotted path, ``"layers.0"``; itself under ``""``. An AttributeError names the nearest."""
        return self._found(dict(self._walk()), target, "module")

    def get_parameter(self, target: str) -> Parameter:
        """The parameter under a dotted path: ``"conv1.weight"``. An AttributeError names the nearest."""
        state = {path: held for path, _, _, held in self._state() if isinstance(held, Parameter)}
        return self._found(state, target, "parameter")

    def get_buffer(self, target: str) -> Any:
        """The buffer under a dotted path. An AttributeError names the nearest."""
        return self._found(dict(self.named_buffers()), target, "buffer")

    def _found(self, held: dict[str, Any], target: str, what: str) -> Any:
        if target not in held:
            near = get_close_matches(target, held, n=3)
            instead = f"; nearest: {', '.join(near)}" if near else ""
            raise AttributeError(f"{type(self).__name__} has no {what} {target!r}{instead}")
        return held[target]

    def generators(self) -> Iterator[Any]:
        """The random generators that the modules may draw from, each once: that of `nn.manual_seed`, and their own."""
        seen = {id(shared := generator())}
        yield shared
        for module in self.modules():
            for value in list(vars(module).values()):
                if isinstance(value, type(shared)) and id(value) not in seen:
                    seen.add(id(value))
                    yield value

    def _state(self, recurse: bool = True) -> Iterator[tuple[str, Any, str, Any]]:
        """Every parameter and buffer that is saved by its path, with the module that holds it and its name there."""
        names: dict[str, Any] = {}
        for above, module in self._walk() if recurse else [("", self)]:
            buffers = ((name, getattr(module, name)) for name in module._buffers if name not in module._passing)
            for name, held in chain(module._members(Parameter), buffers):
                path = f"{above}.{name}" if above else name
                self._check_name(names, path, held)
                yield path, module, name, held

    def _check_name(self, names: dict[str, Any], path: str, held: Any) -> None:
        """Refuse one name of two: the state would keep but one of them."""
        if names.setdefault(path, held) is not held:
            raise ValueError(
                f"{type(self).__name__}: two different {type(held).__name__}s are both called {path!r}, as attributes "
                "and keys are joined by dots and the keys 1 and '1' read the same: rename one of them"
            )


def _inside(path: str, holder: Any, kind: type | tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
        if isinstance(value, kind):
            yield f"{path}.{key}", value
        elif isinstance(value, _HOLDERS):
            yield from _inside(f"{path}.{key}", value, kind)
