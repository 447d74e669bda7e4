"""What the functions of this package are given: a loss with a tape, a record on it, a gradient to start from."""

from __future__ import annotations

from typing import Any

from autograd import Node, Tape, Tensor

__all__ = ["node_of", "seed_of", "tape_of"]


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


def node_of(tape: Tape, what: Any, caller: str) -> Node:
    """The record of a Tensor, of a name, or itself; it need not be on the tape.

    Raises
    ------
    TypeError
        If it is none of these.
    KeyError
        If no record has that name; names the nearest.
    """
    if isinstance(what, str):
        return tape.find(what)
    if isinstance(what, Node):
        return what
    if not isinstance(what, Tensor):
        raise TypeError(f"{caller}: expected a Tensor, a record or a name, got {type(what).__name__}")
    return what.node


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
    return tape.seed(grad)
