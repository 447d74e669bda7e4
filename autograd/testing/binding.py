"""Which of the results of a hand-written forward pass have upstream gradients, and what its backward pass is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .slots import returned_names

__all__ = ["Binding", "kind_of"]

_CACHES = ("cache", "caches", "ctx", "context", "memory", "mem", "saved")


class Binding:
    """How both passes fit together, told by what the forward pass returns and what the backward pass takes.

    Parameters
    ----------
    forward : callable
    backward : callable or None
    result : object
        What the forward pass returned: ``(out, cache)``, several outputs and a cache, or the output alone where an
        object keeps the cache or the backward pass takes the inputs; ``(loss, dx)`` without a backward pass.
    names : sequence of str
        What the arguments of the forward pass are called.
    is_method : bool
        Whether both passes are methods of one object.

    Attributes
    ----------
    count : int
        So many of the results, from the first, have upstream gradients.
    note : str

    Raises
    ------
    TypeError
        If they don't fit together.
    """

    def __init__(self, forward: Any, backward: Any, result: Any, names: Sequence[str], is_method: bool):
        several = isinstance(result, tuple) and len(result) > 1
        self.count, self.cached, self.note = len(result) - 1 if several else 1, several, ""
        self._given: list[tuple[str, Any]] = []
        what = "(out, cache)" if backward is not None else "(loss, dx)"
        if backward is None:
            self.count = 1
            _check(several or is_method, what, result, (result[0] if several else result,))
            return
        takes, endless = _taken(backward)
        _check(several or is_method or len(takes) > 0, what, result, result[:-1] if several else (result,))
        own = returned_names(forward, 0)
        own = own if several and len(own) == len(result) else own[:1]
        alone = is_method and len(takes) == 1 and not several and np.shape(result) != ()
        for k, name in enumerate(takes):
            standard = several and len(takes) == len(result) and not (k < self.count and name in own[:-1])
            if standard or alone:
                self._given.append(("upstream" if k < self.count or alone else "cache", None))
            elif name in own and name in names:
                raise TypeError(
                    f"check_layer: backward takes {name}, which is an input of forward and what it returns: rename one"
                )
            elif name in own and (several or len(takes) > 1):
                self._given.append(("result", own.index(name)))
            else:
                self._given.append(("input", name) if name in names else ("upstream", None))
        if several and is_method and len(takes) == len(result) and _is_gradient(takes[-1], result[-1]):
            self.count, self.cached = len(result), False
            self._given = [("upstream", None)] * self.count
        elif endless and several:
            self._given = [("upstream", None)] * self.count + [("cache", None)]
        free = [k for k, (role, _) in enumerate(self._given) if role == "upstream"]
        needs_cache = self.cached and not any(role in ("cache", "result") for role, _ in self._given)
        if needs_cache and not is_method and (len(free) > 1 or (free and takes[free[-1]] in _CACHES)):
            self._given[free.pop()] = ("cache", None)
        scalar = all(np.shape(out) == () for out in (result[: self.count] if several else (result,)))
        if not several and not (len(free) == 1 and (is_method or len(takes) > 1)) and not (scalar and not free):
            _check(False, what, result, ())
        if len(free) > self.count or not (free or scalar):
            expected = "an upstream gradient for each output of forward, the cache, and inputs by their names"
            raise TypeError(
                f"check_layer: backward takes ({', '.join(takes)}), expected {expected}, {', '.join(names)}"
            )
        if 0 < len(free) < self.count:
            many = f"{len(free)} upstream gradient{'s' * (len(free) > 1)}"
            self.note = f"The backward pass takes {many} for {self.count} outputs: the others are taken to have none."
            self.count = len(free)

    def split(self, result: Any) -> tuple[tuple[Any, ...], Any]:
        """The outputs that have upstream gradients; and the whole result."""
        return (result[: self.count] if isinstance(result, tuple) else (result,)), result

    def arguments(self, handed: Sequence[Any], result: Any, inputs: Mapping[str, Any]) -> list[Any]:
        """What the backward pass is called with."""
        upstream = iter(handed)
        found = []
        for role, which in self._given:
            if role == "upstream":
                found.append(next(upstream))
            elif role == "input":
                found.append(inputs[which])
            elif role == "cache":
                found.append(result[-1])
            else:
                found.append(result[which] if isinstance(result, tuple) else result)
        return found


def _taken(backward: Callable[..., Any]) -> tuple[list[str], bool]:
    """What a backward pass must be given, at least its first parameter; and whether it takes any number."""
    try:
        parameters = list(inspect.signature(backward).parameters.values())
    except (TypeError, ValueError):
        return [], True
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p.name for p in by_place if p.default is p.empty]
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return required or [p.name for p in by_place[:1]], endless


def _is_gradient(name: str, value: Any) -> bool:
    return name[:1] in "dg∂" and isinstance(value, np.ndarray | np.generic | float)


def _check(fits: bool, what: str, result: Any, outs: Sequence[Any]) -> None:
    if not fits:
        raise TypeError(f"check_layer: forward must return a tuple {what}, got {kind_of(result)}")
    for out in outs:
        if np.asarray(out).dtype.kind != "f":
            raise TypeError(f"check_layer: forward must return {what}, of floating-point numbers, got {kind_of(out)}")


def kind_of(value: Any) -> str:
    """``an array of float64``, ``a value of type dict``."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return f"a value of type {type(value).__name__}"
