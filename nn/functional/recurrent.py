"""One step of a recurrent layer, as the textbook's equations.

They are those of the documentation of ``torch.nn.RNN``, ``LSTM`` and ``GRU``, the rows of whose stacked weights belong
to the gates in the order i, f, g, o or r, z, n. `mark` is the number of the step, which the names on the tape carry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import elementwise

from ..errors import ShapeMismatch, floating
from ..naming import give
from .dense import linear

__all__ = ["GATES", "gru_step", "lstm_step", "rnn_step", "token_vectors"]

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
"""How many blocks of rows the weights of each kind have."""

_NONLINEARITIES: dict[str, Any] = {"tanh": np.tanh, "relu": elementwise.relu}


def rnn_step(x: Any, state: Any, weights: Any, mark: str, nonlinearity: str = "tanh") -> Any:
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh); or max(…, 0)."""
    w_ih, w_hh, b_ih, b_hh = weights
    (h,) = state
    z = give(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh), f"z{mark}")
    return (give(_NONLINEARITIES[nonlinearity](z), f"h{mark}"),)


def lstm_step(x: Any, state: Any, weights: Any, mark: str, projection: Any = None) -> Any:
    """z = W_ih x + b_ih + W_hh h + b_hh, in four parts; i, f, o = σ(z), g = tanh(z); c = f c + i g; h = o tanh c.

    With a projection, h = W_hr (o tanh c).
    """
    w_ih, w_hh, b_ih, b_hh = weights
    h, c = state
    z = give(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh), f"z{mark}")
    z_i, z_f, z_g, z_o = _parts(z, 4)
    i = give(elementwise.sigmoid(z_i), f"i{mark}")
    f = give(elementwise.sigmoid(z_f), f"f{mark}")
    g = give(np.tanh(z_g), f"g{mark}")
    o = give(elementwise.sigmoid(z_o), f"o{mark}")
    c = give(f * c + i * g, f"c{mark}")
    h = o * np.tanh(c)
    return give(h if projection is None else linear(h, projection), f"h{mark}"), c


def gru_step(x: Any, state: Any, weights: Any, mark: str) -> Any:
    """s = W_ih x + b_ih and q = W_hh h + b_hh, in three parts; r, z = σ(s + q), n = tanh(s + r q);
    h = (1 − z) n + z h."""
    w_ih, w_hh, b_ih, b_hh = weights
    (h,) = state
    s_r, s_z, s_n = _parts(give(linear(x, w_ih, b_ih), f"s{mark}"), 3)
    q_r, q_z, q_n = _parts(give(linear(h, w_hh, b_hh), f"q{mark}"), 3)
    r = give(elementwise.sigmoid(s_r + q_r), f"r{mark}")
    z = give(elementwise.sigmoid(s_z + q_z), f"z{mark}")
    n = give(np.tanh(s_n + r * q_n), f"n{mark}")
    return (give((1 - z) * n + z * h, f"h{mark}"),)


def _parts(z: Any, count: int) -> list[Any]:
    size = z.shape[-1] // count
    return [z[..., k * size : (k + 1) * size] for k in range(count)]


def token_vectors(input: Any, size: int, what: str, ndims: tuple[int, ...], forms: str) -> Any:
    """The input of a recurrent layer, checked: `size` features in the last of so many axes."""
    input = floating(input, what, "look tokens up in an nn.Embedding first")
    if input.ndim not in ndims or input.shape[-1] != size:
        raise ShapeMismatch(f"{what}: an input of shape {forms} is needed, got {input.shape}")
    return input
