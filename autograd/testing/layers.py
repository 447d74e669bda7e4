"""Layers whose two passes are written by hand in plain NumPy, as courses teach it: ``out, cache = forward(x, w, b)``
and ``dx, dw, db = backward(dout, cache)``. The forward pass says what the backward pass should give."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..bytecode import source_of
from ..node import Node
from ..tape import Tape
from ..tensor import Tensor
from ..transforms import value_and_grad
from .conventions import Convention, of_layer, recognised
from .differences import Partials
from .drawing import generator
from .given import Given
from .hand import Hand, read_hand
from .limits import Limits, check_limits
from .matching import matched
from .measured import measured_row
from .passes import Layer, summed
from .report import Compared, Report, announced
from .rounding import roundings
from .rows import Row, compare_row
from .slots import Slot

__all__ = ["check_layer"]

_OWN = tuple(os.path.dirname(os.path.abspath(path)) + os.sep for path in (os.path.dirname(__file__), np.__file__))
"""Folders of `autograd` and of NumPy: a line in them is not one of the forward pass."""

_MOST = 24
"""Of each array, at most so many elements are differentiated numerically."""


def check_layer(
    forward: Any,
    backward: Any = None,
    *inputs: Any,
    upstream: Any = None,
    rtol: float | None = None,
    atol: float | None = None,
    numeric: bool = False,
    conventions: bool = True,
) -> Report:
    """Check a hand-written backward pass against its forward pass, both in plain NumPy.

    The forward pass is run on Tensors, so that the engine differentiates it. Where it can't be, as it writes into
    arrays of its own (``out[n, f, i, j] = ...``), finite differences of it as it stands take the engine's place.

    Parameters
    ----------
    forward : callable, or an object with both passes
        ``forward(*inputs)`` returns ``(out, cache)``, or ``(out1, out2, cache)``; ``out`` alone where an object keeps
        the cache or `backward` takes the inputs. Without a `backward`, ``(loss, dx)``, ``(loss, dx, dw)`` or
        ``(loss, grads)``.
    backward : callable or None, which may be left out before an array
        ``backward(dout, cache)``, or ``backward(dout1, dout2, cache)``, and what is called like an input of `forward`.
        Returns the gradients in the order of the inputs: of those that are arrays of floating-point numbers, or of all,
        with None for the others, or of some that can be told by the names returned or by their shapes; or a dict,
        ``{"dW1": ..., "b1": ...}``, by the names of inputs, of entries of a dict that is an input, or of attributes.
        A method may keep gradients instead: of ``self.W`` in ``self.dW``, of ``self.params["W"]`` in
        ``self.grads["W"]``.
    *inputs
        What `forward` is called with: arrays, options, dicts. Each call gets copies of its own, of the object, too.
    upstream : array or tuple of arrays, optional
        The gradient of each output; unless told, several random ones one after the other, of which each must pass, and
        1 for a number.
    rtol, atol : float, optional
        As of `compare_grads`.
    numeric : bool, optional
        Compare with finite differences also where the engine can differentiate.
    conventions : bool, optional
        False where a program calls the backward pass, as PyTorch does: what it hands over is the gradient of the loss,
        of a number too, and nothing is right in another convention.

    Returns
    -------
    Report
        One row for each gradient that was returned. Its notes say whether the forward pass was traced; where it was,
        `viz.explain_mismatch` takes the report, and what it finds is printed with the report once `viz` is imported.

    Raises
    ------
    TypeError
        If the passes return something else than stated above, or don't fit together.
    ValueError
        If it can't be told of what a gradient is, the number of gradients does not fit the inputs, the upstream
        gradient has another shape, or the forward pass gives other numbers each time.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_layer
    >>> def affine_forward(x, w, b):
    ...     return x @ w + b, (x, w)
    >>> def affine_backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout, 2 * dout.sum(axis=0)
    >>> rng = np.random.default_rng(0)
    >>> x, w, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), np.ones(2)
    >>> report = check_layer(affine_forward, affine_backward, x, w, b)
    >>> [(row.name, row.ok, row.note) for row in report.rows][1:]
    [('w', True, ''), ('b', False, "2 of 2 elements differ; yours is 2 times the engine's everywhere")]

    A loss that returns the gradients of its parameters, by their names:

    >>> def squares(params, x, y):
    ...     r = x @ params["W"] - y
    ...     return (r**2).sum(), {"dW": 2 * x.T @ r}
    >>> check_layer(squares, None, {"W": w}, x, np.ones((5, 2))).ok
    True
    """
    check_limits(rtol, atol, "check_layer")
    layer = Layer(forward, backward, inputs)
    layer.prepare(upstream, numbers=not conventions)
    hands: list[dict[Slot, Hand]] = []
    said: list[str] = []
    for dout in layer.upstreams:
        run = layer.run(dout)
        given, said = matched(layer, run)
        who = "check_layer: the gradient of {} returned"
        hands.append({slot: read_hand(gradient, who.format(slot.name)) for slot, gradient in given.items()})
    trace, why = _traced(layer, run.outs, list(hands[0]))

    def judged(slot: Slot, hand: Hand, k: int, *, briefly: bool = False) -> Row | None:
        partials = Partials(layer.scalar(slot, layer.upstreams[k]), slot.value)
        limits = Limits(rtol, atol)
        if trace is None:
            return _measured(slot, hand, partials, limits, briefly=briefly)
        grad, noise = trace.gradients(k)[slot]
        limits = limits._replace(noise=noise)
        return compare_row(slot.name, hand, grad, limits, partials=partials, numeric=numeric, most=_MOST)

    found: dict[Slot, Row] = {}
    shown: dict[Slot, int] = {}
    for k, some in enumerate(hands):
        for slot, hand in some.items():
            row = judged(slot, hand, k, briefly=k > 0) if slot not in found or found[slot].ok else None
            if row is not None and (slot not in found or not row.ok):
                found[slot], shown[slot] = row, k
    if trace is not None and conventions and any(row.verdict == "WRONG" for row in found.values()):
        trace.in_conventions(found, hands, Limits(rtol, atol), judged)
    for slot, row in found.items():
        if not row.ok:
            found[slot] = replace(row, note="; ".join(filter(None, (row.note, _of_dout(slot, hands, shown[slot])))))
    order: dict[Slot, Slot] = {}
    wrong = [slot for slot in found if not found[slot].ok]
    for slot in wrong:
        hand = hands[shown[slot]][slot]
        for other in wrong:
            if slot is not other and hand.array.shape == other.shape:
                as_other = judged(other, hand, shown[slot])
                if as_other is not None and as_other.ok:
                    order[slot] = other
    for slot, other in order.items():
        found[slot] = replace(found[slot], note=f"{found[slot].note}; it is the gradient of {other.name}")
    notes = [*layer.notes, *said]
    if order and set(order) == set(order.values()):
        returned = ", ".join(order.get(slot, slot).name for slot in found)
        notes.append(f"These are in the order {returned}; expected {', '.join(slot.name for slot in found)}.")
    if why:
        notes.append(f"The forward pass can't be traced, as {why}: yours is compared with finite differences of it.")
    title = f"gradients of {getattr(layer.backward or layer.forward, '__name__', 'the layer')}"
    k = shown[wrong[0]] if wrong else 0
    compared = None if trace is None else trace.compared(hands[k], k, rtol, atol, conventions)
    kind = "engine" if trace is not None else "differences"
    return announced(Report(list(found.values()), title, kind, notes, compared=compared))


def _measured(slot: Slot, hand: Hand, partials: Partials, limits: Limits, *, briefly: bool) -> Row | None:
    """A gradient beside finite differences; `briefly`: None where it is right along one random direction."""
    dtype = np.asarray(slot.value).dtype
    if briefly and hand.array.shape == slot.shape and np.isfinite(hand.array).all():
        rng = generator("another direction", partials.x, hand.array)
        unit = rng.uniform(0.5, 1.0, slot.shape) * rng.choice([-1.0, 1.0], slot.shape)
        if partials.agrees(unit, hand.array, limits.of(hand.array, hand, dtype)) is not False:
            return None
    return measured_row(slot.name, hand, partials, limits, dtype, _MOST)


def _of_dout(slot: Slot, hands: Sequence[Mapping[Slot, Hand]], k: int) -> str:
    """What a wrong gradient has to do with the upstream one."""
    arrays = [some[slot].array for some in hands if slot in some]
    if len(arrays) > 1 and arrays[0].any() and all(np.array_equal(arrays[0], other) for other in arrays[1:]):
        return "yours is the same whatever the upstream gradient is"
    return "right for another upstream gradient, and so perhaps by chance" if k else ""


class _Trace:
    """The forward pass run on Tensors.

    Parameters
    ----------
    layer : Layer
    outs : sequence of Tensor or array
    tensors : mapping of Slot to Tensor
    """

    def __init__(self, layer: Layer, outs: Sequence[Any], tensors: Mapping[Slot, Tensor]):
        self.layer, self.outs, self.tensors = layer, outs, tensors
        self._found: dict[int, dict[Slot, tuple[Any, Any]]] = {}

    def tape(self, k: int) -> tuple[Tape | None, Any]:
        """The tape of one upstream gradient, and what its backward pass starts from; None where no gradient flows."""
        upstream = self.layer.upstreams[k]
        flows = [(o, u) for o, u in zip(self.outs, upstream, strict=True) if isinstance(o, Tensor) and o.requires_grad]
        if len(flows) == 1:
            return Tape(flows[0][0]), flows[0][1]
        return (Tape(summed(*zip(*flows, strict=True))), None) if flows else (None, None)

    def gradients(self, k: int) -> dict[Slot, tuple[Any, Any]]:
        """Of each slot the gradient and how far rounding may have put it off."""
        if k not in self._found:
            tape, seed = self.tape(k)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                steps = [] if tape is None else list(tape.steps(seed))
                noise = {} if tape is None else roundings(tape, seed, steps)
            grads = {step.node: np.array(step.grad) for step in steps}
            self._found[k] = {
                slot: (grads.get(t.node, np.zeros(t.shape, t.dtype)), noise.get(t.node, 0.0))
                for slot, t in self.tensors.items()
            }
        return self._found[k]

    def in_conventions(
        self, found: dict[Slot, Row], hands: Sequence[Mapping[Slot, Hand]], limits: Limits, judged: Callable[..., Any]
    ) -> None:
        """Acquit in `found` the gradients that are right in A. Ng's convention with each upstream gradient."""
        claimed: list[Convention | None] = []
        for k, some in enumerate(hands):
            tape, seed = self.tape(k)
            own = self.gradients(k)
            found_by_hand = [(self.tensors[s].node, s, hand) for s, hand in some.items()]
            given = {n: Given(n, s.name, hand, limits._replace(noise=own[s][1])) for n, s, hand in found_by_hand}
            engine = {self.tensors[s].node: own[s][0] for s in some}
            claimed.append(None if tape is None else recognised(tape, seed, given, engine))
            layer = of_layer(tape, seed, given, engine) if tape is not None and tape.root.size > 1 else None
            names = [s.name for s in some if layer is not None and self.tensors[s].node in layer[1]]
            if k == 0 and layer is not None and names:  # either these are wrong, or those
                instead = f"right {layer[0].where}, and then {' and '.join(names)} wrong"
                for slot in (s for s in found if s.name not in names and found[s].verdict == "WRONG"):
                    if judged(slot, some[slot].times(layer[0].m), k).ok:
                        found[slot] = replace(found[slot], note=f"{found[slot].note}; {instead}")
        conventions = [one for one in claimed if one is not None]
        for slot, row in found.items() if len(conventions) == len(hands) else ():
            node = self.tensors[slot].node
            pairs = list(zip(hands, conventions, strict=True))
            scaled = [judged(slot, some[slot].times(1 / c.factor(node)), k) for k, (some, c) in enumerate(pairs)]
            worst = next((one for one in scaled if not one.ok), scaled[0])
            found[slot] = conventions[0].judged(row, worst, node)

    def compared(self, hands: Mapping[Slot, Hand], k: int, rtol: Any, atol: Any, conventions: bool) -> Compared | None:
        """What there is to explain."""
        tape, seed = self.tape(k)
        if tape is None:
            return None
        reached: set[Node] = {step.node for step in tape.steps(seed)}
        nodes = {self.tensors[slot].node: hand for slot, hand in hands.items() if self.tensors[slot].node in reached}
        return Compared(tape, nodes, {}, seed, rtol, atol, says_why=True, conventions=conventions)


def _traced(layer: Layer, outs: Sequence[Any], slots: list[Slot]) -> tuple[_Trace | None, str]:
    """The forward pass on Tensors; None, and why, where that can't be."""
    seen: dict[str, Any] = {}

    def total(*values: Any) -> Any:
        seen["tensors"] = dict(zip(slots, values, strict=True))
        for slot, tensor in seen["tensors"].items():
            tensor.name = slot.name
        seen["outs"] = layer.outs(seen["tensors"])
        return summed(seen["outs"], layer.upstreams[0])

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value_and_grad(total, argnums=tuple(range(len(slots))))(*(np.asarray(slot.value) for slot in slots))
        trace = _Trace(layer, seen["outs"], seen["tensors"])
        found = trace.gradients(0)
    except Exception as error:  # the forward pass is the user's, and need not be fit for anything but arrays
        return None, _reason(error)
    plain, value = (
        float(np.asarray(summed(some, layer.upstreams[0]))) for some in (outs, [_data(out) for out in seen["outs"]])
    )
    if not np.allclose(value, plain, rtol=1e-4, equal_nan=True):
        return None, "it gives other numbers on Tensors"
    for slot, (g, size) in found.items():
        partials = Partials(layer.scalar(slot, layer.upstreams[0]), slot.value)
        hand = Hand(g.astype(np.float64), g.dtype, None)
        allowed = Limits(None, None, size).of(hand.array, hand, g.dtype)
        rng = generator("trace", partials.x, g)
        unit = rng.uniform(0.5, 1.0, g.shape) * rng.choice([-1.0, 1.0], g.shape)
        if np.isfinite(g).all() and partials.agrees(unit, hand.array, allowed) is False:
            return None, f"the trace loses a part of the gradient of {slot.name}"
    return trace, ""


def _data(out: Any) -> Any:
    return out.data if isinstance(out, Tensor) else out


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
