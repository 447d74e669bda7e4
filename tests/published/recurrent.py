"""Examples with a recurrent cell, of one step and of a sequence: features are rows, examples are columns."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd import Tensor
from nn import functional as F

from . import drawn, example, gradients

SHAPES = {"Waa": (5, 5), "Wax": (5, 3), "Wya": (2, 5), "ba": (5, 1), "by": (2, 1)}


def hidden(x: Any, a: Any, p: dict[str, Any]) -> Any:
    return np.tanh(p["Waa"] @ a + p["Wax"] @ x + p["ba"])


def predicted(a: Any, p: dict[str, Any]) -> Any:
    return F.softmax(p["Wya"] @ a + p["by"], dim=0)


@example("coursera-rnn-forward")
def rnn_forward(given: Any) -> dict[str, Any]:
    x, a, *arrays = drawn(1, (3, 10), (5, 10), *SHAPES.values())
    p = {name: Tensor(value) for name, value in zip(SHAPES, arrays, strict=True)}
    cell = hidden(x, a, p)
    cell_output = predicted(cell, p)

    x, a, *arrays = drawn(1, (3, 10, 4), (5, 10), *SHAPES.values())
    p = {name: Tensor(value) for name, value in zip(SHAPES, arrays, strict=True)}
    states = []
    for t in range(4):
        a = hidden(x[:, :, t], a, p)
        states.append(a)
    outputs = [predicted(state, p) for state in states]
    return {
        "a4": cell[4],
        "y1": cell_output[1],
        "a_seq": np.stack(states, axis=2)[4, 1],
        "y_seq": np.stack(outputs, axis=2)[1, 3],
    }


def stale_bias() -> Any:
    """The bias that an earlier cell of the notebook, which runs `rnn_forward`, leaves behind."""
    return drawn(1, (3, 10, 4), (5, 10), *SHAPES.values())[5]


def rnn_cell_gradients(order: Any = ("Wax", "Waa", "Wya", "ba", "by"), ba: Any = None) -> dict[str, Any]:
    """The published entries of the cell's gradients, its parameters drawn in that order; with another bias, or not."""
    xt, a_prev, *arrays, da_next = drawn(1, (3, 10), (5, 10), *(SHAPES[name] for name in order), (5, 10))
    p = {name: Tensor(value) for name, value in zip(order, arrays, strict=True)}
    if ba is not None:
        p["ba"] = Tensor(ba)
    x, a = Tensor(xt), Tensor(a_prev)
    dx, da, dWax, dWaa, dba = gradients(hidden(x, a, p), x, a, p["Wax"], p["Waa"], p["ba"], seed=da_next)
    return {
        "dxt_12": dx[1, 2],
        "da_prev_23": da[2, 3],
        "dWax_31": dWax[3, 1],
        "dWaa_12": dWaa[1, 2],
        "dba_4": dba[4, 0],
    }


@example("coursera-rnn_cell_backward")
def rnn_cell_backward(given: Any) -> dict[str, Any]:
    found = rnn_cell_gradients()
    return found | {f"{key}_table": value for key, value in found.items()}


def in_every_order() -> list[dict[str, Any]]:
    """The cell's gradients for each order in which its five parameters can be drawn."""
    return [rnn_cell_gradients(order) for order in itertools.permutations(SHAPES)]
