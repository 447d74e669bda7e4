"""What the plots ask of a model: its output with nothing changed, its named values, its parameters at some moments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import Node, Tape, Tensor, enable_grad

from ..tape.arguments import tape_of

__all__ = ["called", "checked", "in_use", "layer_of", "of_layers", "states"]

_NAME = re.compile(r"[za]⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾")
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def checked(model: Any, caller: str) -> Any:
    """The model itself.

    Raises
    ------
    TypeError
        If it is a class, or lacks ``parameters()`` or can't be called.
    """
    if isinstance(model, type):
        raise TypeError(f"{caller}: model is the class {model.__name__}: make one, {model.__name__}(…)")
    if not callable(model) or not callable(getattr(model, "parameters", None)):
        raise TypeError(
            f"{caller}: model must be called with inputs and have parameters(), as an nn.Module, got "
            f"{type(model).__name__}"
        )
    return model


@contextmanager
def in_use(model: Any) -> Iterator[None]:
    """The model in evaluation mode; afterwards all modes are what they were."""
    modules = list(model.modules()) if hasattr(model, "modules") else [model]
    modes = [(module, module.training) for module in modules if hasattr(module, "training")]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def called(model: Any, x: Any, caller: str) -> tuple[Any, Tape]:
    """The output of the model in evaluation mode, and its tape."""
    with in_use(checked(model, caller)), enable_grad():
        out = model(x)
    if not isinstance(out, Tensor):
        raise TypeError(f"{caller}: the model must return a Tensor, got {type(out).__name__}")
    return out, tape_of(out, caller)


def layer_of(node: Node) -> int | None:
    """The number l of a record that is named z⁽ˡ⁾ or a⁽ˡ⁾."""
    match = _NAME.fullmatch(node.name or "")
    return int(match[1].translate(_PLAIN)) if match else None


def of_layers(tape: Tape) -> list[Node]:
    """The records named z⁽ˡ⁾, a⁽ˡ⁾ and ŷ, in the order of the tape."""
    return [node for node in tape if not node.is_leaf and (layer_of(node) is not None or node.name == "ŷ")]


def states(model: Any, path: Any, caller: str) -> list[list[Any]]:
    """The arrays of the model's parameters at each moment of a training, in the order of ``named_parameters()``.

    Parameters
    ----------
    model : nn.Module
    path : Recording, or sequence of dict of str to array
        What `viz.record` returned, or some ``model.state_dict()``.
    """
    named = list(model.named_parameters())
    if hasattr(path, "snapshots"):
        tape = path[-1].tape
        records = [(name, tape.record_of(parameter)) for name, parameter in named]
        missing = [name for name, record in records if record is None]
        if missing:
            raise ValueError(
                f"{caller}: the recording has no {', '.join(missing)}: it is of another model, or of a loss that does "
                "not depend on it"
            )
        places = [tape.index(record) for _, record in records]
        return [[snapshot.tape.value(snapshot.tape[i]) for i in places] for snapshot in path]
    if not isinstance(path, Sequence) or not len(path) or not all(isinstance(state, Mapping) for state in path):
        raise TypeError(
            f"{caller}: path must be a Recording or a list of model.state_dict(), got {type(path).__name__}"
        )
    found = []
    for i, state in enumerate(path):
        missing = [name for name, _ in named if name not in state]
        if missing:
            raise ValueError(f"{caller}: moment {i} of path lacks {', '.join(missing)}")
        arrays = [np.asarray(state[name]) for name, _ in named]
        for (name, parameter), array in zip(named, arrays, strict=True):
            if array.shape != parameter.shape:
                raise ValueError(f"{caller}: {name} of moment {i} has shape {array.shape}, expected {parameter.shape}")
        found.append(arrays)
    return found
