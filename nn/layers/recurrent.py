"""Recurrent layers."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd import scope

from .. import functional as F
from ..errors import ShapeMismatch, fraction
from ..functional.recurrent import token_vectors
from ..naming import give, subscript
from ..seeding import RandomSource, generator
from .cells import SYMBOLS, Recurrent, nonlinear, written
from .weighted import at_least_1

__all__ = ["GRU", "LSTM", "RNN"]


class _Layers(Recurrent):
    """Layers of steps, in one direction or two."""

    def _build(
        self,
        sizes: tuple[int, int, int],
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        dtype: Any,
        rng: RandomSource,
    ) -> None:
        input_size, hidden_size, num_layers = sizes
        self._set_sizes(input_size, hidden_size, bias)
        what = type(self).__name__
        self.num_layers = at_least_1(num_layers, f"{what}: num_layers")
        self.batch_first = bool(batch_first)
        self.dropout = fraction(dropout, f"{what}: dropout")
        self.bidirectional = bool(bidirectional)
        if not isinstance(proj_size, int) or not 0 <= proj_size < self.hidden_size:
            raise ValueError(f"{what}: proj_size must be an int from 0 to below hidden_size, got {proj_size!r}")
        self.proj_size = proj_size
        if self.dropout and self.num_layers == 1:
            warnings.warn(f"{what}: dropout is between layers, and there is only one", stacklevel=3)
        self.rng = None if rng is None else generator(rng)
        state = self._state_size
        for layer, suffix in self._places():
            inputs = self.input_size if layer == 0 else state * (1 + self.bidirectional)
            self._set_weights(suffix, inputs, state, dtype)
        self.reset_parameters(self.rng)

    @property
    def _state_size(self) -> int:
        return self.proj_size or self.hidden_size

    def _places(self) -> list[tuple[int, str]]:
        """Each layer in each direction, as the ends of the names of its parameters have it."""
        ends = ("", "_reverse") if self.bidirectional else ("",)
        return [(layer, f"_l{layer}{end}") for layer in range(self.num_layers) for end in ends]

    def _symbol(self, parameter: str) -> str | None:
        name, _, place = parameter.partition("_l")
        symbol = SYMBOLS.get(name)
        return None if symbol is None else symbol + self._mark(place)

    def _mark(self, place: str) -> str:
        """What a name carries of the layer, counted from 1 where there are several, and of the direction."""
        number, _, end = place.partition("_")
        raised = (str(int(number) + 1).translate(_RAISED) if self.num_layers > 1 else "") + "⁻" * bool(end)
        return f"⁽{raised}⁾" if raised else ""

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The last layer's states at all steps; and the state (of an LSTM the pair of them) of all layers at the end.

        Parameters
        ----------
        input : Tensor or array of shape (L, N, input_size), (N, L, input_size) with `batch_first`, or (L, input_size)
        hx : Tensor or array of shape (layers × directions, N, hidden), or a pair of them, optional
            0 unless told. Without N where `input` has none.

        Returns
        -------
        output : Tensor of shape (L, N, directions × hidden), or as the input has L and N
        state : Tensor of the shape of `hx`, or a pair of them

        Raises
        ------
        ShapeMismatch
            If one of them has another shape, or there is no step; a ValueError.
        DtypeMismatch
            If `input` holds integers; a TypeError.
        """
        what, size = type(self).__name__, self.input_size
        forms = f"({'N, L' if self.batch_first else 'L, N'}, {size}) or (L, {size})"
        x = token_vectors(input, size, what, (2, 3), forms)
        axis = 1 if x.ndim == 3 and self.batch_first else 0
        if not x.shape[axis]:
            raise ShapeMismatch(f"{what}: a sequence of at least one step is needed, got shape {x.shape}")
        places = self._places()
        batch = x.shape[:-1][1 - axis : 2 - axis] if x.ndim == 3 else ()
        shapes = [(*batch, n) for n in (self._state_size, self.hidden_size)][: len(self._state_names())]
        states = None if hx is None else self._given_state(hx, [(len(places), *s) for s in shapes], x)
        before = (slice(None),) * axis
        xs = [give(x[(*before, t)], subscript("x", t + 1)) for t in range(x.shape[axis])]
        ends: list[tuple[Any, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                xs = [F.dropout(h, self.dropout, rng=self.rng) for h in xs]
            found = []
            for _, suffix in (place for place in places if place[0] == layer):
                if states is None:
                    state = self._zero_state(shapes, x, self._mark(suffix[2:]))
                else:
                    state = tuple(s[len(ends)] for s in states)
                hs, end = self._run_through(xs, state, suffix)
                found.append(hs)
                ends.append(end)
            xs = found[0] if len(found) == 1 else [np.concatenate(pair, axis=-1) for pair in zip(*found, strict=True)]
        last = tuple(np.stack(parts) for parts in zip(*ends, strict=True))
        return np.stack(xs, axis=axis), last if len(last) > 1 else last[0]

    def _run_through(self, xs: list[Any], state: Any, suffix: str) -> tuple[list[Any], tuple[Any, ...]]:
        """One layer in one direction: its states at all steps, and its last state."""
        weights, mark = self._weights(suffix), self._mark(suffix[2:])
        options = {"projection": getattr(self, "weight_hr" + suffix)} if self.proj_size else {}
        order = range(len(xs))
        hs: list[Any] = [None] * len(xs)
        several = len(self._places()) > 1
        with scope(suffix[1:], f"{type(self).__name__} layer") if several else nullcontext():
            for t in reversed(order) if suffix.endswith("reverse") else order:
                with scope(f"t{t + 1}", f"{type(self).__name__} step"):
                    state = self._step(xs[t], state, weights, subscript("", t + 1) + mark, **options)
                hs[t] = state[0]
        return hs, state

    def flatten_parameters(self) -> None:
        """Nothing: accepted as PyTorch has it."""

    def extra_repr(self) -> str:
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        usual |= {"proj_size": 0}
        options = written({name: getattr(self, name) for name in usual}, usual)
        return f"{self.input_size}, {self.hidden_size}" + options + written(self._options(), {"nonlinearity": "tanh"})


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class RNN(_Layers):
    """The simple recurrent network of Elman: hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh), or max(…, 0).

    Parameters
    ----------
    input_size, hidden_size : int
    num_layers : int, optional
        Each further layer is given the states of the one before.
    nonlinearity : {"tanh", "relu"}, optional
    bias : bool, optional
    batch_first : bool, optional
        Whether input and output have the shape (N, L, …) instead of (L, N, …).
    dropout : float, optional
        Of the states of each layer but the last, in training.
    bidirectional : bool, optional
        A second pass goes from the last step to the first; the states of both are put side by side.
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        And so on for the layers ``_l1``, …, and those of the way back, ``_l0_reverse``, ….

    Examples
    --------
    >>> import numpy as np, nn
    >>> out, h = nn.RNN(3, 4, batch_first=True)(np.ones((5, 7, 3), np.float32))
    >>> out.shape, h.shape
    ((5, 7, 4), (1, 5, 4))
    """

    _kind = "RNN"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        self.nonlinearity = nonlinear(nonlinearity, "RNN")
        sizes = input_size, hidden_size, num_layers
        self._build(sizes, bias, batch_first, dropout, bidirectional, 0, dtype, rng)

    def _options(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}


class LSTM(_Layers):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with a forget gate.

    ``iₜ = σ(W_ii xₜ + b_ii + W_hi hₜ₋₁ + b_hi)``, ``fₜ`` and ``oₜ`` alike, ``gₜ`` with tanh; ``cₜ = fₜ cₜ₋₁ + iₜ gₜ``
    and ``hₜ = oₜ tanh cₜ``. The rows of i, f, g, o stand one below the other in the weights, and on the tape one
    product of each step holds all four: zₜ. The initial state is a pair, (h₀, c₀), and so is the last.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype, rng
        As of `RNN`.
    proj_size : int, optional
        Unless 0, hₜ = W_hr (oₜ tanh cₜ) has this size.

    Attributes
    ----------
    weight_ih_l0 : Parameter of shape (4·hidden_size, input_size)
    weight_hh_l0 : Parameter of shape (4·hidden_size, hidden_size or proj_size)
    bias_ih_l0, bias_hh_l0 : Parameter of shape (4·hidden_size,), or None
    weight_hr_l0 : Parameter of shape (proj_size, hidden_size), with a `proj_size`

    Examples
    --------
    >>> import numpy as np, nn
    >>> out, (h, c) = nn.LSTM(3, 4)(np.ones((7, 5, 3), np.float32))
    >>> out.shape, h.shape, c.shape
    ((7, 5, 4), (1, 5, 4), (1, 5, 4))
    """

    _inputs = ("x", ("h₀", "c₀"))
    _kind = "LSTM"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        sizes = input_size, hidden_size, num_layers
        self._build(sizes, bias, batch_first, dropout, bidirectional, proj_size, dtype, rng)


class GRU(_Layers):
    """Gated recurrent units (Cho et al., 2014), with the reset gate after the product.

    ``rₜ = σ(W_ir xₜ + b_ir + W_hr hₜ₋₁ + b_hr)``, ``zₜ`` alike, ``nₜ = tanh(W_in xₜ + b_in + rₜ (W_hn hₜ₋₁ + b_hn))``;
    ``hₜ = (1 − zₜ) nₜ + zₜ hₜ₋₁``. The rows of r, z, n stand one below the other in the weights.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype, rng
        As of `RNN`.

    Attributes
    ----------
    weight_ih_l0 : Parameter of shape (3·hidden_size, input_size)
    weight_hh_l0 : Parameter of shape (3·hidden_size, hidden_size)
    bias_ih_l0, bias_hh_l0 : Parameter of shape (3·hidden_size,), or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> out, h = nn.GRU(3, 4, bidirectional=True)(np.ones((7, 5, 3), np.float32))
    >>> out.shape, h.shape
    ((7, 5, 8), (2, 5, 4))
    """

    _kind = "GRU"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        sizes = input_size, hidden_size, num_layers
        self._build(sizes, bias, batch_first, dropout, bidirectional, 0, dtype, rng)
