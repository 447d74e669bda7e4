"""What the functions of this package are given: a loss with a tape, a record on it, a gradient to start from."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Node, Tape, Tensor
from autograd.labels import instead, record_called

__all__ = ["array_of", "check_most", "node_of", "on_tape", "record_called", "seed_of", "tape_of"]


def tape_of(loss: Any, caller: str) -> Tape:
    """The tape of a Tensor, a record or a Tape; `caller` begins the sentence of an error.

    Raises
    ------
    TypeError
        If it is none of these, or was computed while recording was off.
    """
    if isinstance(loss, Tape):
        return loss
    if isinstance(loss, Node):
        return Tape(loss)
    if not isinstance(loss, Tensor):
        raise TypeError(f"{caller}: expected a Tensor or a Tape, got {type(loss).__name__}")
    if not loss.requires_grad and loss.is_leaf:
        raise TypeError(
            f"{caller}: this Tensor has no recorded history: it was made while recording was off (no_grad), or no "
            "operation made it"
        )
    return Tape(loss)


# --- records, by whatever they are called -----------------------------------------------------------------------------


def node_of(tape: Tape, what: Any, caller: str) -> Node:
    """The record of a Tensor, of a name, or itself; it need not be on the tape.

    A name is whatever is printed for a record: its own (the latest of that name), ``L``, ``h (2)``, or ``%7``, its
    place on the tape. A parameter whose data were replaced since is found by what holds it.

    Raises
    ------
    TypeError
        If it is none of these.
    KeyError
        If no record has that name; names the nearest.
    """
    if isinstance(what, str):
        found = record_called(tape, what)
        if found is None:
            raise KeyError(f"{caller}: no record is named {what!r}; {instead(tape, what)}")
        return found
    if isinstance(what, Node):
        return what
    if not isinstance(what, Tensor):
        raise TypeError(f"{caller}: expected a Tensor, a record or a name, got {type(what).__name__}")
    return tape.record_of(what) or what.node


def on_tape(tape: Tape, what: Any, caller: str) -> Node:
    """`node_of`, where it must be on the tape.

    Raises
    ------
    ValueError
        If it is not.
    """
    node = node_of(tape, what, caller)
    if node in tape:
        return node
    called = f" named {node.name}" if node.name else ""
    raise ValueError(f"{caller}: a Tensor of shape {node.shape}{called} is not on the tape of this loss")


# --- numbers ----------------------------------------------------------------------------------------------------------


def array_of(value: Any, what: str) -> Any:
    """An array of what was given as one: an array, a Tensor (its data), a list; `what` begins the sentence of an error.

    Raises
    ------
    TypeError, ValueError
        If no array can be made of it.
    """
    if isinstance(value, Tensor):
        return value.data
    if callable(getattr(value, "detach", None)):  # torch refuses to convert a Tensor that requires a gradient
        value = value.detach()
    try:
        return np.array(value)
    except Exception as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise kind(f"{what}: expected an array of real numbers, got {type(value).__name__} ({said})") from None


def seed_of(tape: Tape, grad: Any, caller: str) -> Any:
    """The gradient that the backward sweep starts from, checked; without one, 1 for a scalar.

    Raises
    ------
    ValueError
        If the loss is not a scalar and no gradient is given, if its shape is another, or no gradient flows.
    TypeError
        If it is not of real numbers.
    """
    root = tape.root
    if root.needs_grad and grad is None and root.shape != () and root.size != 1:
        raise ValueError(
            f"{caller}: the loss has shape {root.shape}, and gradients are of a scalar: take its .sum() or .mean(), "
            f"or give the gradient to start from, grad=np.ones({root.shape})"
        )
    if root.needs_grad and grad is not None:
        grad = array_of(grad, f"{caller}: grad")
        if grad.dtype.kind not in "fiub":
            raise TypeError(f"{caller}: grad must be real numbers, got dtype {grad.dtype}")
        if grad.shape != root.shape:
            raise ValueError(
                f"{caller}: the starting gradient has shape {grad.shape}, expected that of the loss, {root.shape}"
            )
    try:
        return tape.seed(grad)
    except ValueError as error:
        raise ValueError(f"{caller}: {error}") from None


def check_most(max_nodes: Any, who: str) -> None:
    """Whether it is a number of nodes, or None for no limit; `who` begins the sentence of an error."""
    if max_nodes is not None and (isinstance(max_nodes, bool) or not isinstance(max_nodes, int) or max_nodes < 1):
        raise ValueError(f"{who}: max_nodes must be a positive integer or None, got {max_nodes!r}")
