"""Run a model on the side, and leave no trace of it: what its modules, its generators and its gradients hold."""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np

from .reached import Reached, reached

__all__ = ["Undisturbed", "modules_of"]

MOST_BYTES = 2**26
"""Arrays of more than so many bytes are taken for data, which nobody writes into: they are not copied."""


class Undisturbed:
    """A block in which a model and a function may be called, after which everything is what it was before.

    Put back is what can be reached from both: attributes of modules and of the objects and containers that they hold
    (``training``, running statistics, counters), variables of closures, globals that the program's functions name, the
    ``.grad`` and the numbers of leaves, and the states of random generators, those of ``random`` and of
    ``numpy.random`` included. In each block these start where they were when they were first met: every block draws
    the same random numbers.

    Not put back is what has no state to be read: iterators, files, what other processes hold.

    Parameters
    ----------
    model : object
        With ``parameters()``, and, where it has them, ``modules()`` and ``generators()``.
    function : object
        What will be called in the blocks.
    """

    def __init__(self, model: Any, function: Any = None):
        self._model = model
        self._function = function
        self._starts: dict[int, tuple[Any, Any]] = {}
        self._before: Any = None
        self._found()

    def _found(self) -> Reached:
        """What can be reached; a random source that is met for the first time starts where it is now."""
        modules = modules_of(self._model)
        packages = frozenset(type(module).__module__.partition(".")[0] for module in modules)
        held = (*modules, *self._model.parameters(), *_generators(self._model))
        found = reached([self._model, self._function, *held], packages)
        found.random.extend([random.getstate.__self__, *_shared()])  # type: ignore[attr-defined]
        for source in found.random:
            self._starts.setdefault(id(source), (source, _state(source)))
        return found

    def __enter__(self) -> None:
        found = self._found()
        self._before = (
            [(place, place.contents()) for place in found.places],
            [(array, array.copy()) for array in found.arrays if array.nbytes <= MOST_BYTES],
            [(leaf, leaf.data, leaf.grad) for leaf in found.leaves],
            [(source, _state(source)) for source in found.random],
        )
        for source in found.random:
            _set(*self._starts[id(source)])

    def __exit__(self, *_: object) -> None:
        places, arrays, leaves, states = self._before
        self._before = None
        for place, contents in places:
            place.put_back(contents)
        for array, copy in arrays:
            if array.flags.writeable:
                array[...] = copy
        for leaf, data, grad in leaves:
            if leaf.data is not data and not np.array_equal(leaf.data, data, equal_nan=True):
                leaf.data = data
            if leaf.grad is not grad:
                leaf.grad = grad
        for source, state in states:
            _set(source, state)


def modules_of(model: Any) -> list[Any]:
    """The modules of a model that can hold attributes; the model itself where it has no ``modules()``."""
    modules = model.modules() if callable(getattr(model, "modules", None)) else [model]
    return [module for module in modules if hasattr(module, "__dict__")]


def _generators(model: Any) -> list[Any]:
    return list(model.generators()) if callable(getattr(model, "generators", None)) else []


def _shared() -> list[Any]:
    """The generator behind the functions of ``numpy.random``, where that is loaded."""
    made = sys.modules.get("numpy.random")
    return [] if made is None else [made.get_state.__self__]


def _state(source: Any) -> Any:
    if isinstance(source, random.Random):
        return source.getstate()
    return source.bit_generator.state if hasattr(source, "bit_generator") else source.get_state(legacy=False)


def _set(source: Any, state: Any) -> None:
    if isinstance(source, random.Random):
        source.setstate(state)
    elif hasattr(source, "bit_generator"):
        source.bit_generator.state = state
    else:
        source.set_state(state)
