"""What a call can change through some objects: the places that hold values, the arrays and the random sources."""

from __future__ import annotations

import functools
import random
import sys
import types
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor
from autograd.recording import IS_HIDDEN

__all__ = ["Place", "Reached", "reached"]

_ABSENT = object()
_CONTAINERS = (dict, list, set, deque)
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)


class Place(NamedTuple):
    """Something whose contents can be replaced: all of a container, or what stands under some names.

    `names` are keys where the holder is a dict, and attributes where it is not; None: the whole container.
    """

    holder: Any
    names: tuple[str, ...] | None = None

    def contents(self) -> Any:
        """What it holds now, in a container that nobody else has."""
        if self.names is not None:
            get = self.holder.get if isinstance(self.holder, dict) else functools.partial(_attribute, self.holder)
            return {name: get(name, _ABSENT) for name in self.names}
        kind = next(kind for kind in _CONTAINERS if isinstance(self.holder, kind))
        return kind(self.holder)

    def put_back(self, before: Any) -> None:
        """Let it hold what `contents` gave before."""
        holder, now = self.holder, self.contents()
        if _same(before, now):
            return
        if self.names is None:
            holder.clear()
            (holder.extend if isinstance(holder, list | deque) else holder.update)(before)
            return
        for name, value in before.items():
            if now[name] is value:
                continue
            if isinstance(holder, dict):
                holder.pop(name) if value is _ABSENT else holder.update({name: value})
            elif value is _ABSENT:
                delattr(holder, name)
            else:
                setattr(holder, name, value)


def _attribute(holder: Any, name: str, default: Any) -> Any:
    try:
        return getattr(holder, name)
    except (AttributeError, ValueError):  # a slot that is not set, a cell that is empty
        return default


def _same(before: Any, now: Any) -> bool:
    """Whether two containers hold the very same things in the same order."""
    if len(before) != len(now):
        return False
    if isinstance(before, set):
        return bool(before == now)
    if isinstance(before, dict) and not _same(list(before.values()), list(now.values())):
        return False
    return all(a is b or (isinstance(before, dict) and a == b) for a, b in zip(before, now, strict=True))


class Reached(NamedTuple):
    """What `reached` found."""

    places: list[Place]
    arrays: list[Any]
    leaves: list[Tensor]
    random: list[Any]


def reached(start: Iterable[Any], packages: frozenset[str]) -> Reached:
    """Everything that can be changed through some objects: attributes, containers, closures, globals that are named.

    Parameters
    ----------
    start : iterable
    packages : frozenset of str
        Instances of classes of these packages are looked into, besides those of the program itself; not those of
        Python's library, of NumPy or of what else is installed.
    """
    found = Reached([], [], [], [])
    seen: dict[int, Any] = {}  # with the things themselves, which live as long as their ids are looked up
    waiting = list(start)
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, _PLAIN) or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if _is_random(thing):
            found.random.append(thing)
        elif isinstance(thing, Tensor):
            if thing.is_leaf:
                found.leaves.append(thing)
        elif isinstance(thing, np.ndarray):
            if thing.dtype == object:
                waiting += thing.ravel().tolist()
            if thing.flags.writeable:
                found.arrays.append(thing)
        else:
            for place in _places(thing, packages):
                found.places.append(place)
                contents = place.contents()
                waiting += contents.values() if isinstance(contents, dict) else contents
            waiting += _parts(thing)
    return found


def _is_random(thing: Any) -> bool:
    """Whether it is a source of random numbers whose state can be read and set."""
    if isinstance(thing, random.Random):
        return not isinstance(thing, random.SystemRandom)
    made = sys.modules.get("numpy.random")  # loaded when the first number is drawn, not on import
    return made is not None and isinstance(thing, made.Generator | made.RandomState)


def _places(thing: Any, packages: frozenset[str]) -> Iterator[Place]:
    if isinstance(thing, _CONTAINERS):
        yield Place(thing)
    elif isinstance(thing, types.CellType):
        yield Place(thing, ("cell_contents",))
    elif isinstance(thing, types.FunctionType):
        if _is_users(thing.__module__):
            yield Place(thing.__globals__, tuple(dict.fromkeys(_names(thing.__code__))))
    elif isinstance(thing, type):
        if _is_users(thing.__module__):
            yield Place(thing, tuple(name for name, value in vars(thing).items() if _is_state(name, value)))
    elif _is_looked_into(thing, packages):
        if hasattr(thing, "__dict__"):
            yield Place(vars(thing))
        slots = tuple(name for cls in type(thing).__mro__ for name in _slots(cls))
        if slots:
            yield Place(thing, slots)


def _parts(thing: Any) -> Iterable[Any]:
    """What something holds on to, besides what its places hold."""
    if isinstance(thing, tuple | frozenset):
        return thing
    if isinstance(thing, types.MethodType):
        return thing.__self__, thing.__func__
    if isinstance(thing, functools.partial):
        return thing.func, *thing.args, *thing.keywords.values()
    if isinstance(thing, types.FunctionType):
        return *(thing.__closure__ or ()), *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()
    if isinstance(thing, type):
        return [_function(member) for member in vars(thing).values()] if _is_users(thing.__module__) else ()
    return type(thing).__mro__


def _function(member: Any) -> Any:
    """The function that a member of a class is, if it is one."""
    member = getattr(member, "__func__", getattr(member, "fget", member))
    return member if isinstance(member, types.FunctionType) else None


def _is_state(name: str, value: Any) -> bool:
    return name[:2] != "__" and not isinstance(value, types.FunctionType) and not hasattr(value, "__get__")


def _slots(cls: type) -> list[str]:
    names = vars(cls).get("__slots__", ())
    plain = [names] if isinstance(names, str) else list(names)
    private = [f"_{cls.__name__.lstrip('_')}{n}" if n[:2] == "__" and n[-2:] != "__" else n for n in plain]
    return [name for name in private if name not in ("__dict__", "__weakref__")]


def _names(code: types.CodeType) -> list[str]:
    """The names that code, and functions written inside it, may look up among the globals."""
    inside = [name for part in code.co_consts if isinstance(part, types.CodeType) for name in _names(part)]
    return [*code.co_names, *inside]


def _is_looked_into(thing: Any, packages: frozenset[str]) -> bool:
    if isinstance(thing, types.ModuleType | tuple | frozenset | types.MethodType | functools.partial):
        return False
    module = type(thing).__module__
    return module.partition(".")[0] in packages or _is_users(module)


def _is_users(module: str | None) -> bool:
    """Whether a module is part of the program: not of Python, of what is installed, nor of these packages."""
    root = (module or "").partition(".")[0]
    if root in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(root), "__file__", None)
    return file is None or not (IS_HIDDEN[file] or "site-packages" in file or "dist-packages" in file)
