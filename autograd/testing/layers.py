"""Layers whose two passes are written by hand in plain NumPy, as courses teach it: ``out, cache = forward(x, w, b)``
and ``dx, dw, db = backward(dout, cache)``. The forward pass says what the backward pass should give."""

from __future__ import annotations

import copy
import inspect
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..recording import source_of
from ..tape import Tape
from ..tensor import Tensor
from ..transforms import value_and_grad
from .differences import Partials
from .hand import Hand, read_hand
from .measured import agrees_along, measured_row
from .report import Report, announced
from .rounding import roundings
from .rows import Limits, Row, check_limits, compare_row

__all__ = ["check_layer"]

_OWN = tuple(os.path.dirname(os.path.abspath(path)) + os.sep for path in (os.path.dirname(__file__), np.__file__))
"""Folders of `autograd` and of NumPy: a line in them is not one of the forward pass."""

_MOST = 24
"""Of each array, at most so many elements are differentiated numerically."""


def check_layer(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    *inputs: Any,
    upstream: Any = None,
    rtol: float | None = None,
    atol: float | None = None,
    numeric: bool = False,
) -> Report:
    """Check a hand-written backward pass against its forward pass, both in plain NumPy.

    The forward pass is run on Tensors, so that the engine differentiates it. Where it can't be, as it writes into
    arrays of its own (``out[n, f, i, j] = ...``), finite differences of it as it stands take the engine's place.

    Parameters
    ----------
    forward : callable
        ``forward(*inputs)`` returns ``(out, cache)``, or ``(out1, out2, cache)``; without a `backward`,
        ``(loss, dx)`` or ``(loss, dx, dw)``.
    backward : callable or None
        ``backward(dout, cache)``, or ``backward(dout1, dout2, cache)``, returns the gradients of the inputs in order:
        of those that are arrays of floating-point numbers, or of all, with None for the others.
    *inputs
        What `forward` is called with: arrays, options, dicts. Each call gets copies of its own.
    upstream : array or tuple of arrays, optional
        The gradient of each output; random numbers unless told, 1 for a number.
    rtol, atol : float, optional
        As of `compare_grads`.
    numeric : bool, optional
        Compare with finite differences also where the engine can differentiate.

    Returns
    -------
    Report
        One row for each gradient that was returned. Its notes say whether the forward pass was traced.

    Raises
    ------
    TypeError
        If the passes return something else than stated above: None, or a dict.
    ValueError
        If the number of gradients does not fit the inputs, the upstream gradient has another shape, or the forward
        pass gives other numbers each time.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_layer
    >>> def affine_forward(x, w, b):
    ...     return x @ w + b, (x, w)
    >>> def affine_backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout, dout.mean(axis=0)
    >>> rng = np.random.default_rng(0)
    >>> x, w, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), np.ones(2)
    >>> report = check_layer(affine_forward, affine_backward, x, w, b)
    >>> [(row.name, row.ok, row.note) for row in report.rows][1:]
    [('w', True, ''), ('b', False, "2 of 2 elements differ; yours is 0.2 times the engine's everywhere")]
    """
    check_limits(rtol, atol, "check_layer")
    layer = _Layer(forward, backward, inputs)
    outs, given, notes = layer.run(upstream)
    matched = _matched(layer, given)
    hands = {i: read_hand(g, f"check_layer: the gradient of {layer.names[i]} returned") for i, g in matched.items()}
    engine, why = _traced(layer, outs, list(hands))
    partials = {i: Partials(layer.scalar(i), inputs[i]) for i in hands}

    def row(i: int, hand: Hand) -> Row:
        limits = Limits(rtol, atol)
        if engine is None:
            return measured_row(layer.names[i], hand, partials[i], limits, np.asarray(inputs[i]).dtype, _MOST)
        grad, noise = engine[i]
        limits = limits._replace(noise=noise)
        return compare_row(layer.names[i], hand, grad, limits, partials=partials[i], numeric=numeric, most=_MOST)

    found = {i: row(i, hand) for i, hand in hands.items()}
    order = {
        i: j
        for i in found
        for j in found
        if not (i == j or found[i].ok or found[j].ok)
        and hands[i].array.shape == np.shape(inputs[j])
        and row(j, hands[i]).ok
    }
    for i, j in order.items():
        found[i] = replace(found[i], note=f"{found[i].note}; it is the gradient of {layer.names[j]}")
    if order and set(order) == set(order.values()):
        returned = ", ".join(layer.names[order.get(i, i)] for i in found)
        notes.append(f"These are in the order {returned}; expected {', '.join(layer.names[i] for i in found)}.")
    rows = list(found.values())
    if why:
        notes.append(f"The forward pass can't be traced, as {why}: yours is compared with finite differences of it.")
    title = f"gradients of {getattr(backward or forward, '__name__', 'the layer')}"
    return announced(Report(rows, title, "engine" if engine is not None else "differences", notes))


class _Layer:
    """The two passes, the inputs, and the upstream gradients once `run` has chosen them."""

    def __init__(self, forward: Any, backward: Any, inputs: tuple[Any, ...]):
        for name, function in (("forward", forward), ("backward", backward)):
            if not callable(function) and (name, function) != ("backward", None):
                raise TypeError(f"check_layer: {name} must be a function, got {type(function).__name__}")
        self.forward, self.backward, self.inputs = forward, backward, inputs
        self.names = _parameters(forward, len(inputs))
        self.floats = [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
        self.upstream: list[Any] = []
        self._random = np.random.get_state()  # noqa: NPY002  (what the hand-written layers draw their masks from)
        if not self.floats:
            kinds = ", ".join(f"{n} is {_kind(x)}" for n, x in zip(self.names, inputs, strict=True)) or "there are none"
            raise TypeError(f"check_layer: none of the inputs is an array of floating-point numbers: {kinds}")

    def call(self, inputs: Sequence[Any]) -> Any:
        """The forward pass, which draws the same random numbers every time."""
        before = np.random.get_state()  # noqa: NPY002
        np.random.set_state(self._random)  # noqa: NPY002
        try:
            return self.forward(*inputs)
        finally:
            np.random.set_state(before)  # noqa: NPY002

    def outs(self, result: Any) -> tuple[Any, ...]:
        """What the forward pass returned, but for the cache or the gradients."""
        return result[:-1] if self.backward is not None else result[:1]

    def run(self, upstream: Any) -> tuple[list[Any], list[Any], list[str]]:
        """Both passes as they stand: the outputs, the gradients, and what is to be said of it."""
        inputs = copy.deepcopy(self.inputs)
        result = self.call(inputs)
        what = "(out, cache)" if self.backward is not None else "(loss, dx)"
        if not isinstance(result, tuple) or len(result) < 2:
            raise TypeError(f"check_layer: forward must return a tuple {what}, got {_kind(result)}")
        for out in self.outs(result):
            if np.asarray(out).dtype.kind != "f":
                raise TypeError(f"check_layer: forward must return {what}, of floating-point numbers, got {_kind(out)}")
        outs = [np.array(out) for out in self.outs(result)]
        again = self.outs(self.call(copy.deepcopy(self.inputs)))
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(outs, again, strict=True)):
            raise ValueError(
                "check_layer: forward gives other numbers when it is called again; make its generator inside of it, "
                "rng = np.random.default_rng(0), or hand the generator in as an input, of which each call gets a copy"
            )
        self.upstream = _upstream(upstream, outs, self.backward)
        notes = [
            f"The forward pass writes into its input {self.names[i]}."
            for i in self.floats
            if not np.array_equal(inputs[i], self.inputs[i], equal_nan=True)
        ]
        if self.backward is None:
            self.refuse(result[1] if len(result) == 2 else result[1:], "forward")
            return outs, list(result[1:]), notes
        handed = [np.array(u) if u.shape else u[()] for u in self.upstream]
        try:
            grads = self.backward(*handed, result[-1])
        except Exception as error:
            error.add_note(f"in {getattr(self.backward, '__name__', 'backward')}, called by check_layer")
            raise
        self.refuse(grads, "backward")
        if not all(np.array_equal(a, b) for a, b in zip(handed, self.upstream, strict=True)):
            notes.append("The backward pass writes into the upstream gradient that it is given.")
        return outs, list(grads) if isinstance(grads, tuple | list) else [grads], notes

    def refuse(self, grads: Any, who: str) -> None:
        """An error where a pass returned no gradients, or a dict of them."""
        if grads is not None and not isinstance(grads, Mapping):
            return
        got = "None" if grads is None else f"a dict ({', '.join(map(str, grads))})"
        names = [self.names[i] for i in self.floats]
        expected = f"the gradient of {names[0]}"
        if len(names) > 1:
            expected = f"{len(names)} gradients as a tuple, in the order {', '.join(names)}"
        raise TypeError(f"check_layer: {who} returned {got} where it should return {expected}")

    def total(self, inputs: Sequence[Any]) -> Any:
        """The outputs times the upstream gradients, summed: a number whose gradients the backward pass returns."""
        outs = self.outs(self.call(inputs))
        parts = [np.sum(out * u) for out, u in zip(outs, self.upstream, strict=True)]
        return sum(parts[1:], parts[0])

    def scalar(self, i: int) -> Callable[[Any], Any]:
        """`total` as a function of one input."""

        def f(x: Any) -> Any:
            inputs = copy.deepcopy(self.inputs)
            return self.total([x.copy() if k == i else other for k, other in enumerate(inputs)])

        return f


def _parameters(forward: Any, count: int) -> list[str]:
    """What the inputs are called."""
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names + [f"input {i}" for i in range(len(names), count)]


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return f"a value of type {type(value).__name__}"


def _gradients(count: int) -> str:
    return f"{count} gradient{'s' * (count != 1)}"


def _upstream(upstream: Any, outs: list[Any], backward: Any) -> list[Any]:
    """The gradient of each output, checked; random numbers unless given."""
    if upstream is None:
        rng = np.random.default_rng(0)
        return [np.asarray(rng.normal(size=o.shape) if o.shape and backward else 1.0, o.dtype) for o in outs]
    if backward is None:
        raise ValueError("check_layer: without a backward pass there is no upstream gradient to be given")
    parts = list(upstream) if isinstance(upstream, tuple) else [upstream]
    if len(parts) != len(outs):
        raise ValueError(
            f"check_layer: upstream has {_gradients(len(parts))}, expected {len(outs)}, one for each output of forward"
        )
    found = []
    for part, out in zip(parts, outs, strict=True):
        hand = read_hand(part, "check_layer: upstream")
        if hand.array.shape != out.shape:
            raise ValueError(f"check_layer: upstream has shape {hand.array.shape}, expected {out.shape}")
        found.append(hand.array.astype(out.dtype))
    return found


def _matched(layer: _Layer, given: list[Any]) -> dict[int, Any]:
    """The gradients by the position of their input."""
    names, inputs = layer.names, layer.inputs
    numbers = [i for i, x in enumerate(inputs) if i in layer.floats or isinstance(x, float)]
    if len(given) == len(inputs):
        found = {i: g for i, g in enumerate(given) if g is not None}
        for i in found:
            if i not in numbers:
                hint = ": give it as floating-point numbers, .astype(float)" if hasattr(inputs[i], "dtype") else ""
                what = f"{names[i]}, which is {_kind(inputs[i])}"
                raise ValueError(f"check_layer: a gradient was returned for {what} and has none{hint}")
    elif len(given) in (len(layer.floats), len(numbers)):
        places = layer.floats if len(given) == len(layer.floats) else numbers
        found = {i: g for i, g in zip(places, given, strict=True) if g is not None}
    else:
        expected, many = ", ".join(names[i] for i in layer.floats), len(layer.floats) > 1
        raise ValueError(
            f"check_layer: {_gradients(len(given))} {'was' if len(given) == 1 else 'were'} returned, expected "
            f"{len(layer.floats)}, of the floating-point array{'s' * many} {expected}"
        )
    if not found:
        raise ValueError("check_layer: no gradient was returned, only None")
    return found


def _traced(layer: _Layer, outs: list[Any], wanted: list[int]) -> tuple[dict[int, tuple[Any, Any]] | None, str]:
    """The engine's gradients and their rounding, by input; None, and why, where the forward pass can't be traced."""

    def total(*values: Any) -> Any:
        inputs = copy.deepcopy(layer.inputs)
        return layer.total([values[wanted.index(i)] if i in wanted else x for i, x in enumerate(inputs)])

    plain = sum(np.sum(out * u) for out, u in zip(outs, layer.upstream, strict=True))
    points = [np.asarray(layer.inputs[i]) for i in wanted]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value, grads = value_and_grad(total, argnums=tuple(range(len(wanted))))(*points)
            tensors = [Tensor(point) for point in points]
            off = roundings(Tape(total(*tensors)).steps())
    except Exception as error:  # the forward pass is the user's, and need not be fit for anything but arrays
        return None, _reason(error)
    if not np.allclose(value, plain, rtol=1e-4, equal_nan=True):
        return None, "it gives other numbers on Tensors"
    noise = [off.get(tensor.node, 0.0) for tensor in tensors]
    found = {i: (np.asarray(g), size) for i, g, size in zip(wanted, grads, noise, strict=True)}
    rng = np.random.default_rng(1)
    for i, (g, size) in found.items():
        partials = Partials(layer.scalar(i), layer.inputs[i])
        hand = Hand(g.astype(np.float64), g.dtype, None)
        allowed = Limits(None, None, size).of(hand.array, hand, g.dtype)
        unit = rng.uniform(0.5, 1.0, g.shape) * rng.choice([-1.0, 1.0], g.shape)
        if np.isfinite(g).all() and agrees_along(partials, hand.array, unit, allowed) is False:
            return None, f"the trace loses a part of the gradient of {layer.names[i]}"
    return found, ""


def _reason(error: BaseException) -> str:
    """Why a forward pass stopped on Tensors, and in which line of it."""
    sentence = str(error).partition("\n")[0].partition(". ")[0].rstrip(".")
    said = f"it stops with {type(error).__name__}: {sentence}".rstrip(": ")
    if sentence.startswith("setting an array element"):
        said = "it writes into an array of its own"
    elif "can't silently become an array" in sentence:
        said = "it makes a plain array of a Tensor"
    place, traceback = "", error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not os.path.abspath(code.co_filename).startswith(_OWN):
            source = source_of(code, traceback.tb_lasti)
            place = f" ({source}: {source.text})" if source.text else f" ({source})"
        traceback = traceback.tb_next
    return said + place
