"""The cells of recurrent layers, one step each; and what the layers share with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.libraries import zeros
from autograd.nests import numbers_of

from .. import init
from ..errors import ShapeMismatch
from ..functional.recurrent import GATES, gru_step, lstm_step, rnn_step, token_vectors
from ..module import Module
from ..naming import subscript
from ..parameter import Parameter
from ..seeding import RandomSource, generator
from .weighted import at_least_1, floating_dtype

__all__ = ["SYMBOLS", "GRUCell", "LSTMCell", "RNNCell", "Recurrent", "nonlinear", "written"]

SYMBOLS = {"weight_ih": "Wᵢₕ", "weight_hh": "Wₕₕ", "bias_ih": "bᵢₕ", "bias_hh": "bₕₕ", "weight_hr": "Wₕᵣ"}


class Recurrent(Module):
    """What recurrent layers and cells have in common: parameters drawn evenly from ±1/√hidden_size."""

    _inputs: tuple[Any, ...] = ("x", "h₀")
    _kind: str
    input_size: int
    hidden_size: int
    bias: bool

    def _set_sizes(self, input_size: int, hidden_size: int, bias: bool) -> None:
        what = type(self).__name__
        self.input_size = at_least_1(input_size, f"{what}: input_size")
        self.hidden_size = at_least_1(hidden_size, f"{what}: hidden_size")
        self.bias = bool(bias)

    def _set_weights(self, suffix: str, inputs: int, state: int, dtype: Any) -> None:
        """The parameters of one layer in one direction, all 0."""
        dtype = floating_dtype(dtype, type(self).__name__)
        rows = GATES[self._kind] * self.hidden_size
        shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, state), "bias_ih": (rows,), "bias_hh": (rows,)}
        if state != self.hidden_size:
            shapes["weight_hr"] = (state, self.hidden_size)
        for name, shape in shapes.items():
            held = self.bias or name.startswith("weight")
            setattr(self, name + suffix, Parameter(np.zeros(shape, dtype), copy=False) if held else None)

    def _weights(self, suffix: str) -> tuple[Any, ...]:
        return tuple(getattr(self, name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw new parameters, all evenly from ±1/√hidden_size."""
        rng, bound = generator(rng), self.hidden_size**-0.5
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, rng=rng)

    def _step(self, x: Any, state: Any, weights: Any, mark: str, **options: Any) -> tuple[Any, ...]:
        step = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}[self._kind]
        out: tuple[Any, ...] = step(x, state, weights, mark, **options, **self._options())
        return out

    def _options(self) -> dict[str, Any]:
        """What each step is told besides."""
        return {}

    def _state_names(self) -> tuple[str, ...]:
        names = self._inputs[1]
        return names if isinstance(names, tuple) else (names,)

    def _zero_state(self, shapes: Sequence[tuple[int, ...]], x: Any, mark: str = "") -> tuple[Any, ...]:
        return tuple(
            Tensor(zeros(shape, numbers_of(x)), requires_grad=False, name=name + mark, copy=False)
            for name, shape in zip(self._state_names(), shapes, strict=True)
        )

    def _given_state(self, hx: Any, shapes: Sequence[tuple[int, ...]], x: Any) -> tuple[Any, ...]:
        """The initial states as Tensors, checked; zeros where there are none."""
        what, names = type(self).__name__, self._state_names()
        if hx is None:
            return self._zero_state(shapes, x)
        given = tuple(hx) if len(names) > 1 else (hx,)
        if len(given) != len(names):
            raise ShapeMismatch(f"{what}: hx must be a pair (h₀, c₀), got {len(given)} states")
        states = []
        for name, state, shape in zip(names, given, shapes, strict=True):
            if not isinstance(state, Tensor):
                state = Tensor(state, x.dtype, requires_grad=False, name=name)
            if state.shape != shape:
                raise ShapeMismatch(f"{what}: {name} of shape {shape} is needed, got {state.shape}")
            states.append(state)
        return tuple(states)


class _Cell(Recurrent):
    """One step of a recurrent layer."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, dtype: Any = None, rng: RandomSource = None
    ):
        self._set_sizes(input_size, hidden_size, bias)
        self._set_weights("", self.input_size, self.hidden_size, dtype)
        self.reset_parameters(rng)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state, of the shape of the one before: of an `LSTMCell` the pair (h, c).

        Parameters
        ----------
        input : Tensor or array of shape (N, input_size), or (input_size,)
        hx : Tensor or array of shape (N, hidden_size), or (hidden_size,); of an `LSTMCell` a pair of them, optional
            0 unless told.

        Raises
        ------
        ShapeMismatch
            If one of them has another shape; a ValueError.
        """
        what, size = type(self).__name__, self.input_size
        x = token_vectors(input, size, what, (1, 2), f"(N, {size}) or ({size},)")
        state = self._given_state(hx, [(*x.shape[:-1], self.hidden_size)] * len(self._state_names()), x)
        before = re.fullmatch("h([₀-₉]+)", state[0].name or "")
        number = int(before[1].translate(_DIGITS)) if before else 0
        out = self._step(x, state, self._weights(""), subscript("", number + 1))
        return out if len(out) > 1 else out[0]

    def _symbol(self, parameter: str) -> str | None:
        return SYMBOLS.get(parameter)

    def extra_repr(self) -> str:
        options = "" if self.bias else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{options}" + written(self._options(), {"nonlinearity": "tanh"})


_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


class RNNCell(_Cell):
    """One step of an `RNN`: h′ = tanh(W_ih x + b_ih + W_hh h + b_hh), or max(…, 0).

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool, optional
    nonlinearity : {"tanh", "relu"}, optional
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Attributes
    ----------
    weight_ih, weight_hh : Parameter of shape (hidden_size, input_size), (hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter of shape (hidden_size,), or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> cell, h = nn.RNNCell(3, 4), None
    >>> for x in np.ones((2, 5, 3), np.float32):
    ...     h = cell(x, h)
    >>> h.shape, h.name
    ((5, 4), 'h₂')
    """

    _kind = "RNN"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        self.nonlinearity = nonlinear(nonlinearity, "RNNCell")
        super().__init__(input_size, hidden_size, bias, dtype=dtype, rng=rng)

    def _options(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}


class LSTMCell(_Cell):
    """One step of an `LSTM`: (h, c) ↦ (h′, c′).

    i, f, o = σ(W x + b + W′ h + b′) and g = tanh(…), each with rows of its own; c′ = f c + i g and h′ = o tanh c′.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool, optional
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Attributes
    ----------
    weight_ih, weight_hh : Parameter of shape (4·hidden_size, input_size), (4·hidden_size, hidden_size)
        The rows of i, f, g, o, one below the other.
    bias_ih, bias_hh : Parameter of shape (4·hidden_size,), or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> h, c = nn.LSTMCell(3, 4)(np.ones((5, 3), np.float32))
    >>> h.shape, c.shape
    ((5, 4), (5, 4))
    """

    _inputs = ("x", ("h₀", "c₀"))
    _kind = "LSTM"


class GRUCell(_Cell):
    """One step of a `GRU`.

    r, z = σ(W x + b + W′ h + b′), n = tanh(W x + b + r (W′ h + b′)), each with rows of its own;
    h′ = (1 − z) n + z h.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool, optional
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Attributes
    ----------
    weight_ih, weight_hh : Parameter of shape (3·hidden_size, input_size), (3·hidden_size, hidden_size)
        The rows of r, z, n, one below the other.
    bias_ih, bias_hh : Parameter of shape (3·hidden_size,), or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.GRUCell(3, 4)(np.ones(3, np.float32)).shape
    (4,)
    """

    _kind = "GRU"


def written(options: dict[str, Any], usual: dict[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in options.items() if value != usual[name])


def nonlinear(name: str, what: str) -> str:
    if name not in ("tanh", "relu"):
        raise ValueError(f"{what}: nonlinearity must be 'tanh' or 'relu', got {name!r}")
    return name
