"""Run a model on the side, and leave no trace of it: what its modules, its generators and its gradients hold."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["Undisturbed", "modules_of"]

_NUMBERS = (bool, int, float, np.generic, np.ndarray)


class Undisturbed:
    """A block in which a model may be called, after which everything that it holds is what it was before.

    Put back are the numbers that are attributes of modules (``training``, running statistics, counters), the ``.grad``
    of the parameters, and the states of random generators. In each block these start where they were when the
    object was made: every block draws the same random numbers.

    Parameters
    ----------
    model : object
        With ``parameters()``, and, where it has them, ``modules()`` and ``generators()``.
    """

    def __init__(self, model: Any):
        self._model = model
        self._starts = _states(model)
        self._before: Any = None

    def __enter__(self) -> None:
        held = [(vars(module), dict(vars(module))) for module in modules_of(self._model)]
        copies = [(a, a.copy()) for _, before in held for a in before.values() if _is_writable(a)]
        grads = [(parameter, parameter.grad) for parameter in self._model.parameters()]
        states = _states(self._model)
        self._before = held, copies, grads, states
        known = {id(generator) for generator, _ in states}
        _set([(generator, state) for generator, state in self._starts if id(generator) in known])

    def __exit__(self, *_: object) -> None:
        held, copies, grads, states = self._before
        self._before = None
        for array, copy in copies:
            if array.flags.writeable:
                array[...] = copy
        for attributes, before in held:
            for name in [name for name, value in attributes.items() if _is_number(value) and name not in before]:
                del attributes[name]
            for name, value in before.items():
                if _is_number(value) or _is_number(attributes.get(name)):
                    attributes[name] = value
        for parameter, grad in grads:
            if parameter.grad is not grad:
                parameter.grad = grad
        _set(states)


def modules_of(model: Any) -> list[Any]:
    """The modules of a model that can hold attributes; the model itself where it has no ``modules()``."""
    modules = model.modules() if callable(getattr(model, "modules", None)) else [model]
    return [module for module in modules if hasattr(module, "__dict__")]


def _is_number(value: Any) -> bool:
    """Whether an attribute is a number, an array or a Tensor, but no parameter."""
    return isinstance(value, _NUMBERS) or type(value) is Tensor


def _is_writable(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.flags.writeable


def _states(model: Any) -> list[tuple[Any, Any]]:
    """The generators that a model may draw from, each with its state; None stands for that of ``numpy.random``."""
    if "numpy.random" not in sys.modules:
        return []
    generators = model.generators() if callable(getattr(model, "generators", None)) else ()
    shared = np.random.get_state()  # noqa: NPY002  (a user's layer may draw from it)
    return [(None, shared), *((g, g.bit_generator.state) for g in generators)]


def _set(states: list[tuple[Any, Any]]) -> None:
    for generator, state in states:
        if generator is None:
            np.random.set_state(state)  # noqa: NPY002
        else:
            generator.bit_generator.state = state
