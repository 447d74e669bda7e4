"""What a row needs more than one call for: places along an axis, values put at places, recurrent layers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import nn
from autograd import set_at
from autograd.nests import numbers_of
from nn.functional.recurrent import gru_step, lstm_step, rnn_step

__all__ = ["index", "picked", "placed", "put", "recurrent", "reduced_at", "slices", "sorted_along"]


def slices(x: Any, dim: int, place: Any) -> tuple[Any, ...]:
    """The index of a place, or of a slice, along one axis."""
    return (*[slice(None)] * (dim % x.ndim), place)


def index(given: Any) -> tuple[Any, ...]:
    """An index of arrays, where None stands for all along an axis."""
    return tuple(slice(None) if i is None else np.asarray(numbers_of(i)) for i in given)


class Sorted(NamedTuple):
    """Values, and where each was."""

    values: Any
    indices: Any


def sorted_along(x: Any, dim: int, descending: bool) -> Sorted:
    """The values in order, and where each was; those that tie keep theirs."""
    numbers = np.asarray(numbers_of(x))
    if not x.ndim:
        return Sorted(x, np.zeros((), int))
    if descending:
        at = numbers.shape[dim] - 1 - np.flip(np.argsort(np.flip(numbers, dim), axis=dim, kind="stable"), dim)
    else:
        at = np.argsort(numbers, axis=dim, kind="stable")
    return Sorted(np.take_along_axis(x, at, dim), at)


def picked(both: Sorted, place: Any, dim: int) -> Sorted:
    """A place, or a slice, along an axis of each of two."""
    return Sorted(*(part[slices(part, dim, place)] for part in both)) if both.indices.ndim else both


def put(x: Any, at: Any, values: Any) -> Any:
    """`x` with other values at a place: ``autograd.set_at`` in the dtype of `x`."""
    return set_at(x, at, values.astype(x.dtype) if getattr(values, "dtype", x.dtype) != x.dtype else values)


def reduced_at(x: Any, at: Any, values: Any, how: str, include_self: bool = True) -> Any:
    """`x` with the sum, mean, prod, amax or amin of values at places, and of what is there where `include_self` is set.
    Several that are the extreme have equal parts of its gradient."""
    where = np.arange(x.size).reshape(x.shape)[at]
    flat, values = np.reshape(x, -1), np.reshape(np.broadcast_to(values, where.shape), -1)
    where = where.ravel()
    counts = np.bincount(where, minlength=x.size)
    if not include_self:
        flat = np.where(counts > 0, {"prod": 1, "amax": -np.inf, "amin": np.inf}.get(how, 0), flat)
    if how == "prod":
        order = np.argsort(where, kind="stable")
        rank = np.arange(where.size) - np.repeat(np.cumsum(counts) - counts, counts)
        for k in range(counts.max(initial=0)):  # the k-th value of each place
            one = order[rank == k]
            flat = put(flat, where[one], flat[where[one]] * values[one])
    elif how in ("amax", "amin"):
        best = np.array(numbers_of(flat))
        (np.maximum if how == "amax" else np.minimum).at(best, where, numbers_of(values))
        own, ties = numbers_of(flat) == best, numbers_of(values) == best[where]
        flat = np.where(own, flat, 0) + np.bincount(where, np.where(ties, values, 0), x.size)
        flat = flat / (own + np.bincount(where, ties, x.size))
    else:
        flat = flat + np.bincount(where, values, x.size)
        flat = flat / np.maximum(counts + include_self, 1) if how == "mean" else flat
    return np.reshape(flat, x.shape).astype(x.dtype)


def _places(x: Any, dim: int, at: Any) -> tuple[Any, ...]:
    """The places that `at` has along one axis, where the other axes are those of `at`."""
    found = [np.arange(n).reshape(-1, *(1,) * (at.ndim - 1 - i)) for i, n in enumerate(at.shape)]
    found[dim % x.ndim] = at
    return tuple(found)


def placed(x: Any, dim: int, at: Any, values: Any, how: str = "", include_self: bool = True) -> Any:
    """`x` with values at the places that `at` has along an axis; or with what `reduced_at` makes of them."""
    if hasattr(values, "ndim") and values.ndim:
        values = values[tuple(map(slice, at.shape))]
    else:
        values = np.broadcast_to(values, at.shape)
    found = _places(x, dim, at)
    return reduced_at(x, found, values, how, include_self) if how else put(x, found, values)


# --- recurrent layers -------------------------------------------------------------------------------------------------

_LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn_tanh": nn.RNN, "rnn_relu": nn.RNN}
_STEPS = {"lstm": lstm_step, "gru": gru_step, "rnn_tanh": rnn_step, "rnn_relu": rnn_step}


def recurrent(name: str) -> Any:
    """A layer, or a cell, of ATen: the layer of `nn` of that kind, with the weights that are given."""
    kind = name.partition(".")[0].removesuffix("_cell")
    options = {"nonlinearity": kind.removeprefix("rnn_")} if kind.startswith("rnn") else {}

    def cell(x: Any, state: Any, *weights: Any) -> Any:
        both = state if isinstance(state, list | tuple) else (state,)
        found = _STEPS[kind](x, both, (*weights, None, None)[:4], "", **options)
        return found if len(found) > 1 else found[0]

    def layer(x: Any, state: Any, weights: Any, biases: bool, layers: int, dropout: float, training: bool,
              bidirectional: bool, batch_first: bool) -> Any:  # fmt: skip
        own: Any = object.__new__(_LAYERS[kind])
        per = len(weights) // (layers * (1 + bidirectional))
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if biases else ("weight_ih", "weight_hh")
        names = (*names, "weight_hr")[:per]
        hidden = weights[1].shape[0] // nn.functional.recurrent.GATES[_LAYERS[kind].__name__]
        projected = weights[per - 1].shape[0] if "weight_hr" in names else 0
        own.__dict__.update(
            input_size=weights[0].shape[1], hidden_size=hidden, num_layers=layers, bias=biases, dropout=dropout,
            training=training, bidirectional=bidirectional, batch_first=batch_first, proj_size=projected, rng=None,
            **options,
        )  # fmt: skip
        for i, (_, suffix) in enumerate(own._places()):
            given = dict(zip(names, weights[i * per : (i + 1) * per], strict=True))
            own.__dict__.update({f"{n}{suffix}": given.get(n) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh",
                                                                        "weight_hr")})  # fmt: skip
        states = tuple(state) if kind == "lstm" else state
        out, end = own.forward(x, states)
        return (out, *end) if kind == "lstm" else (out, end)

    return cell if name.endswith("_cell") else layer
