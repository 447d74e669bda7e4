"""Which gradient that a hand-written layer returned is of which of its inputs and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from .binding import kind_of
from .passes import Layer, Run
from .slots import Slot, meant_by, returned_names

__all__ = ["matched"]


def matched(layer: Layer, run: Run) -> tuple[dict[Slot, Any], list[str]]:
    """The gradients by what they are of; and what is to be said of it.

    Those that come under a name, in a dict or as an attribute, belong to what that is the gradient of: ``dW1`` to
    ``W1``. Others come in the order of the inputs; fewer than these by the names in the return statement, or where
    only one choice has the shapes.

    Raises
    ------
    TypeError, ValueError
        As of `check_layer`.
    """
    notes: list[str] = []
    found: dict[Slot, Any] = {}
    if isinstance(run.returned, Mapping):
        found = _by_key(layer, run.returned, notes)
    elif run.returned is not None:
        given = run.returned
        found = _in_order(layer, list(given) if isinstance(given, tuple | list) else [given], notes)
    for slot, gradient in run.stored:
        if slot in found and not np.array_equal(found[slot], gradient, equal_nan=True):
            raise ValueError(f"check_layer: the gradient of {slot.name} that was returned is another than the one kept")
        found[slot] = gradient
    if not found:
        raise ValueError("check_layer: no gradient was returned, only None")
    return found, notes


def _by_key(layer: Layer, given: Mapping[Any, Any], notes: list[str]) -> dict[Slot, Any]:
    slots = layer.state.slots
    found: dict[Slot, Any] = {}
    source: dict[tuple[Any, ...], Any] = {}
    unknown = []
    for key, gradient in given.items():
        if gradient is None:
            continue
        fitting = _called(str(key), slots)
        if not fitting:
            unknown.append(str(key))
            continue
        if len(fitting) > 1:
            places = " or ".join(".".join(map(str, slot.path)) for slot in fitting)
            raise ValueError(
                f"check_layer: the gradient {key!r} may be that of {places}; give the names another spelling"
            )
        (slot,) = fitting
        if slot.path in source:
            raise ValueError(f"check_layer: both {source[slot.path]!r} and {key!r} are gradients of {slot.name}")
        source[slot.path] = key
        found[slot] = gradient
    if not found:
        who = "forward" if layer.backward is None else "backward"
        raise TypeError(
            f"check_layer: {who} returned a dict ({', '.join(map(str, given))}) where it should return "
            f"{_expected([slot.name for slot in layer.state.arguments or slots])}"
        )
    if unknown:
        notes.append(f"Not compared, as nothing is called like that: {', '.join(unknown)}.")
    return found


def _called(key: str, slots: Sequence[Slot]) -> list[Slot]:
    """What a gradient of that name is of: of several places the one that the fewest steps lead to."""
    names = meant_by(key, [slot.name for slot in slots])
    fitting = [slot for slot in slots if slot.name in names]
    nearest = min((len(slot.path) for slot in fitting), default=0)
    return [slot for slot in fitting if len(slot.path) == nearest]


def _in_order(layer: Layer, given: list[Any], notes: list[str]) -> dict[Slot, Any]:
    state = layer.state
    named = _by_return(layer, len(given))
    if any(slot.position is None for slot in named):  # gradients of what is no argument
        return _those(named, given)
    places = {slot.position: slot for slot in state.direct}
    misfits = [i for i, gradient in enumerate(given[: len(state.inputs)]) if gradient is not None and i not in places]
    deeper = any(isinstance(state.inputs[i], Mapping | list | tuple) for i in misfits)
    if len(given) == len(state.inputs) and not deeper:
        for i in misfits:
            other = state.inputs[i]
            hint = ": give it as floating-point numbers, .astype(float)" if hasattr(other, "dtype") else ""
            what = f"{state.names[i]}, which is {kind_of(other)}"
            raise ValueError(f"check_layer: a gradient was returned for {what} and has none{hint}")
        return {places[i]: gradient for i, gradient in enumerate(given) if gradient is not None}
    for slots in (state.arguments, state.direct, named):
        if slots and len(given) == len(slots):
            return _those(slots, given)
    shapes = [np.shape(gradient) for gradient in given]
    lists = [[slot for slot in state.deeper if slot.path[:-1] == (name,)] for name in state.names]
    choices = [
        some for some in (*combinations(state.arguments, len(given)), *lists) if [s.shape for s in some] == shapes
    ]
    many = f"{len(given)} gradient{'s' * (len(given) != 1)} {'was' if len(given) == 1 else 'were'} returned"
    if len(choices) > 1:
        which = " or ".join(_names(some) for some in choices[:3])
        first = choices[0][0].name
        raise ValueError(
            f"check_layer: {many}, which may be of {which}, that have these shapes: return a dict, "
            f"{{{first!r}: d{first}}}, or None for what has none"
        )
    if not choices:
        floats = state.arguments or state.slots
        raise ValueError(
            f"check_layer: {many}, expected {len(floats)}, of the floating-point array{'s' * (len(floats) > 1)} "
            f"{_names(floats)}"
        )
    if list(choices[0]) != state.arguments[: len(given)]:
        notes.append(f"By the shapes, {many.removesuffix(' returned')} taken for that of {_names(choices[0])}.")
    return _those(choices[0], given)


def _those(slots: Sequence[Slot], given: Sequence[Any]) -> dict[Slot, Any]:
    return {slot: gradient for slot, gradient in zip(slots, given, strict=True) if gradient is not None}


def _by_return(layer: Layer, count: int) -> list[Slot]:
    """What the gradients are of by their names in the return statement; nothing where that leaves a doubt."""
    names = returned_names(layer.backward or layer.forward, 0 if layer.backward else 1)
    called = [_called(name, layer.state.slots) if name else [] for name in names]
    slots = [fitting[0] for fitting in called if len(fitting) == 1]
    return slots if len(slots) == len(names) == count == len(set(slots)) else []


def _names(slots: Sequence[Slot]) -> str:
    return ", ".join(slot.name for slot in slots)


def _expected(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"the gradient of {names[0]}"
    return f"{len(names)} gradients as a tuple, in the order {', '.join(names)}"
