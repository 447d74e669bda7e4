"""The two passes of a hand-written layer, called as courses write them."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .binding import Binding, kind_of
from .drawing import generator
from .hand import read_hand
from .slots import Slot, State, arrays_in

__all__ = ["Layer", "Run", "summed"]

_PROBES = 2
"""So many upstream gradients are tried: a backward pass may be right for one of them by chance."""


class Run(NamedTuple):
    """What both passes gave once: the outputs; the gradients in order, or by name; those that the object kept."""

    outs: list[Any]
    returned: Any
    stored: list[tuple[Slot, Any]]


class Layer:
    """The two passes, and what they are called with.

    Parameters
    ----------
    forward, backward : callable
        As of `check_layer`.
    inputs : tuple
    """

    def __init__(self, forward: Any, backward: Any, inputs: tuple[Any, ...]):
        if callable(getattr(forward, "backward", None)) and callable(getattr(forward, "forward", forward)):
            inputs = inputs if backward is None else (backward, *inputs)
            forward, backward = getattr(forward, "forward", forward), forward.backward
        elif isinstance(backward, np.ndarray | Mapping | list | float):
            inputs, backward = (backward, *inputs), None
        for name, function in (("forward", forward), ("backward", backward)):
            if not callable(function) and not (name == "backward" and function is None):
                raise TypeError(f"check_layer: {name} must be a function, got {type(function).__name__}")
        self.forward, self.backward = forward, backward
        owner, self._forward = _unbound(forward)
        other, self._backward = _unbound(backward)
        self.is_method = other is not None and other is owner
        self._backward = self._backward if self.is_method else backward
        self.names = _parameters(forward, len(inputs))
        self.state = State(inputs, self.names, owner)
        self.notes: list[str] = []
        self.upstreams: list[list[Any]] = []
        self._random = np.random.get_state()  # noqa: NPY002  (what the hand-written layers draw their masks from)
        if not self.state.slots:
            named = zip(self.names, inputs, strict=True)
            kinds = ", ".join(f"{name} is {kind_of(x)}" for name, x in named) or "there are none"
            raise TypeError(f"check_layer: none of the inputs is an array of floating-point numbers: {kinds}")

    # --- the forward pass

    def outs(self, replaced: Mapping[Slot, Any] | None = None) -> tuple[Any, ...]:
        """The outputs that have upstream gradients, with other values in some slots."""
        return self._binding.split(self._passed(*self.state.copied(replaced)))[0]

    def _passed(self, inputs: list[Any], owner: Any) -> Any:
        """The forward pass, which draws the same random numbers every time."""
        before = np.random.get_state()  # noqa: NPY002
        np.random.set_state(self._random)  # noqa: NPY002
        try:
            return self._forward(*([] if owner is None else [owner]), *inputs)
        finally:
            np.random.set_state(before)  # noqa: NPY002

    def scalar(self, slot: Slot, upstream: list[Any]) -> Callable[[Any], Any]:
        """The outputs times their upstream gradients, summed, as a function of one slot."""

        def f(x: Any) -> Any:
            return summed(self.outs({slot: x.copy()}), upstream)

        return f

    # --- both passes

    def prepare(self, upstream: Any, *, numbers: bool = False) -> None:
        """Choose how the backward pass is called, and with which upstream gradients, of `numbers` other ones than 1."""
        inputs, owner = self.state.copied()
        result = self._passed(inputs, owner)
        self._binding = Binding(self.forward, self.backward, result, self.names, self.is_method)
        self.notes += [self._binding.note] if self._binding.note else []
        outs = [np.array(out) for out in self._binding.split(result)[0]]
        again = self.outs()
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(outs, again, strict=True)):
            raise ValueError(
                "check_layer: forward gives other numbers when it is called again; make its generator inside of it, "
                "rng = np.random.default_rng(0), or hand the generator in as an input, of which each call gets a copy"
            )
        self.notes += [
            f"The forward pass writes into its input {slot.name}."
            for slot in self.state.arguments
            if slot.position is not None and not np.array_equal(inputs[slot.position], slot.value, equal_nan=True)
        ]
        if upstream is not None:
            self.upstreams = [self._given(upstream, outs)]
        else:
            drawn = self.backward is not None and any(out.shape or numbers for out in outs)
            self.upstreams = [self._drawn(outs, k, numbers) for k in range(_PROBES if drawn else 1)]

    def run(self, upstream: list[Any]) -> Run:
        """Both passes as they stand."""
        inputs, owner = self.state.copied()
        before = dict(arrays_in(owner, ("self",), twice=True))
        for slot, array in self.state.stored(before, owner).values():
            if array.shape == slot.shape:
                array[...] = 0.0  # what was added up in earlier calls is no part of it
        result = self._passed(inputs, owner)
        outs, returned = self._binding.split(result)
        if self.backward is None:
            returned = None if not isinstance(result, tuple) else result[1] if len(result) == 2 else result[1:]
        else:
            handed = [np.array(u) if u.shape else u[()] for u in upstream]
            arguments = self._binding.arguments(handed, returned, dict(zip(self.names, inputs, strict=True)))
            try:
                returned = self._backward(*([owner] if self.is_method else []), *arguments)
            except Exception as error:
                error.add_note(f"in {getattr(self.backward, '__name__', 'backward')}, called by check_layer")
                raise
            if not all(np.array_equal(a, b) for a, b in zip(handed, upstream, strict=True)):
                self._note("The backward pass writes into the upstream gradient that it is given.")
        stored = self.state.stored(before, owner)
        self._refuse(returned, stored)
        return Run([np.array(out) for out in outs], returned, list(stored.values()))

    def _note(self, note: str) -> None:
        self.notes += [note] if note not in self.notes else []

    def _refuse(self, returned: Any, stored: Any) -> None:
        """An error where there are no gradients at all."""
        if returned is None and not stored:
            names = [slot.name for slot in self.state.arguments] or [slot.name for slot in self.state.slots]
            expected = f"the gradient of {names[0]}"
            if len(names) > 1:
                expected = f"{len(names)} gradients as a tuple, in the order {', '.join(names)}"
            who = "forward" if self.backward is None else "backward"
            raise TypeError(f"check_layer: {who} returned None where it should return {expected}")

    # --- upstream gradients

    def _drawn(self, outs: list[Any], k: int, numbers: bool) -> list[Any]:
        """Random upstream gradients, of which nobody has the numbers; 1 for a number unless told, and for a loss."""
        rng = generator("upstream gradients", k, *(slot.value for slot in self.state.slots))
        drawn = [self.backward is not None and bool(out.shape or numbers) for out in outs]
        arrays = [rng.normal(size=o.shape) if d else np.ones(o.shape) for o, d in zip(outs, drawn, strict=True)]
        return [np.asarray(a, out.dtype) for a, out in zip(arrays, outs, strict=True)]

    def _given(self, upstream: Any, outs: list[Any]) -> list[Any]:
        if self.backward is None:
            raise ValueError("check_layer: without a backward pass there is no upstream gradient to be given")
        parts = list(upstream) if isinstance(upstream, tuple) else [upstream]
        if len(parts) != len(outs):
            many = f"{len(parts)} gradient{'s' * (len(parts) != 1)}"
            raise ValueError(f"check_layer: upstream has {many}, expected {len(outs)}, one for each output of forward")
        found = []
        for part, out in zip(parts, outs, strict=True):
            hand = read_hand(part, "check_layer: upstream")
            if hand.array.shape != out.shape:
                raise ValueError(f"check_layer: upstream has shape {hand.array.shape}, expected {out.shape}")
            found.append(hand.array.astype(out.dtype))
        return found


def summed(outs: Sequence[Any], upstream: Sequence[Any]) -> Any:
    """The outputs times their upstream gradients: a number whose gradients the backward pass returns."""
    parts = [np.sum(out * u) for out, u in zip(outs, upstream, strict=True)]
    return sum(parts[1:], parts[0])


def _unbound(function: Any) -> tuple[Any, Any]:
    """The object that a method belongs to, and the function; no object for a plain function."""
    if isinstance(function, types.MethodType) and not isinstance(function.__self__, type | types.ModuleType):
        return function.__self__, function.__func__
    if callable(function) and hasattr(function, "__dict__") and not isinstance(function, types.FunctionType | type):
        return (
            (function, type(function).__call__)
            if isinstance(type(function).__call__, types.FunctionType)
            else (None, function)
        )
    return None, function


def _parameters(forward: Any, count: int) -> list[str]:
    """What the inputs are called."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names + [f"input {i}" for i in range(len(names), count)]
