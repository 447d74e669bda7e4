"""Runs of a function whose inputs change, and its loss along one number of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np

from autograd import Node, Tensor
from autograd.listing import nearest

from ..recording.isomorphism import first_difference
from ..stepper import Stepper
from ..tape.arguments import tape_of

_POINTS = 64
"""So many stretches has a curve at most."""


@dataclass(eq=False)
class Input:
    """Numbers that can be changed: an argument of the function, or a parameter in one.

    Attributes
    ----------
    name : str
    array : ndarray
        The numbers now.
    given : object
        What the user gave.
    node : Node or None
        Its record on the tape of the last run that ended well.
    """

    name: str
    given: Any
    array: np.ndarray = field(init=False)
    node: Node | None = None
    tensor: Tensor | None = None

    def __post_init__(self) -> None:
        self.array = np.array(self.given.data if isinstance(self.given, Tensor) else self.given)
        self.first = self.array.copy()

    @property
    def whole(self) -> bool:
        """Whether they are whole numbers, which have no gradient."""
        return self.array.dtype.kind in "iub"

    def argument(self) -> Any:
        """What the function is called with: the user's own Tensor with these numbers, or what is made of them."""
        if self.whole and not isinstance(self.given, Tensor):
            return self.array.item() if isinstance(self.given, bool | int) else self.array.copy()[()]
        if isinstance(self.given, Tensor):
            self.given.data = self.array
            self.tensor = self.given
        else:
            self.tensor = Tensor(self.array, name=self.name)
        return self.tensor

    @cached_property
    def reach(self) -> tuple[float, float]:
        """From where to where a slider goes."""
        finite = np.abs(self.first[np.isfinite(self.first)].astype(float))
        most = 3 * max(1.0, float(finite.max(initial=0.0)))
        if self.array.dtype.kind == "b":
            return 0.0, 1.0
        if self.whole:
            return (-most if (self.first < 0).any() else 0.0), max(most, 10.0)
        digits = 10.0 ** np.floor(np.log10(most))
        most = float(np.ceil(most / digits * 2) * digits / 2)
        return -most, most


class Session:
    """A function and its inputs; the stepper of the last run that ended well.

    Parameters
    ----------
    f : callable
    given : mapping of str to object
        What it is called with.
    """

    def __init__(self, f: Callable[..., Any], given: Mapping[str, Any]):
        if not callable(f):
            raise TypeError(f"live: expected a function that computes a loss, got {type(f).__name__}")
        self.f, self.given = f, dict(given)
        self.inputs = {one.name: one for one in _inputs(self.given)}
        if not self.inputs:
            raise ValueError("live: no input has numbers to change; give some by name, live(f, w=0.5)")
        self.remark = ""
        self.stepper = self._walked(self._loss())
        self._curve: tuple[Any, dict[float, float]] = ((), {})

    def _loss(self) -> Any:
        made = {name: one.argument() for name, one in self.inputs.items()}
        return self.f(**{name: made.get(name, value) for name, value in self.given.items()})

    def _walked(self, loss: Any) -> Stepper:
        tape_of(loss, "live")
        made = Stepper(loss)
        for one in self.inputs.values():
            one.node = one.tensor.node if one.tensor is not None else None
        return made

    def run(self, *, checked: bool) -> None:
        """Run the function on the numbers as they are now; without finite differences unless `checked`.

        Where it computes otherwise than before, `remark` says in what.
        """
        before, made = self.stepper, self._walked(self._loss())
        difference = first_difference(before.walk.tape, made.walk.tape, {})
        made.position = min(before.position, len(made) - 1)
        if difference:
            self.remark = f"The computation is another one now: {difference}."
        if not checked:
            made.walk.checks.numeric = False
        self.stepper = made

    def put(self, name: str, value: Any, at: int | None = None) -> None:
        """Give an input new numbers, or the element `at` of it, counted through, a new one."""
        one = self.inputs.get(name)
        if one is None:
            near = ", ".join(nearest(name, sorted(self.inputs))) or ", ".join(self.inputs)
            raise KeyError(f"live: no input is named {name!r}; nearest: {near}")
        value = np.asarray(value.data if isinstance(value, Tensor) else value)
        if at is not None:
            array = one.array.copy()
            array.flat[at] = value
        elif value.shape == one.array.shape:
            array = value.astype(one.array.dtype)
        else:
            raise ValueError(f"live: {name} has shape {one.array.shape}, got {value.shape}")
        one.array = array
        self.remark = ""

    def reset(self) -> None:
        """Give all inputs the numbers that they had at first."""
        for name, one in self.inputs.items():
            self.put(name, one.first)

    def slope(self, name: str, at: int) -> float | None:
        """The derivative of the loss by one number, as the engine has it; None where it has none."""
        node = self.inputs[name].node
        gradient = self.stepper.walk.gradients.get(node) if node is not None else None
        return None if gradient is None else float(np.asarray(gradient).flat[at])

    @property
    def loss(self) -> float:
        """That of the last run that ended well."""
        tape = self.stepper.walk.tape
        return float(np.sum(tape.value(tape.root)))

    def curve(self, name: str, at: int, low: float, high: float, seconds: float) -> tuple[list[float], list[float]]:
        """Points and losses along one number, all others staying as they are.

        What was computed before, with the others the same, is not computed again. First come the ends, then what lies
        between, finer and finer until the time is over. A run is due afterwards: the user's Tensors have other numbers.
        """
        one = self.inputs[name]
        others = [x.array.tobytes() for x in self.inputs.values() if x is not one]
        rest = np.delete(one.array.reshape(-1), at).tobytes()
        key = (name, at, low, high, rest, *others)
        if self._curve[0] != key:
            self._curve = (key, {})
        known, here = self._curve[1], one.array
        until = perf_counter() + seconds
        try:
            for x in _between(low, high, whole=one.whole):
                if x in known:
                    continue
                if len(known) > 2 and perf_counter() > until:
                    break
                one.array = here.copy()
                one.array.flat[at] = x
                known[x] = self._number()
        finally:
            one.array = here
        xs = sorted(known)
        return xs, [known[x] for x in xs]

    def _number(self) -> float:
        """The loss of another point, NaN where there is none."""
        try:
            with np.errstate(all="ignore"):
                return float(np.sum(self._loss().data))
        except Exception:
            return float("nan")


def _inputs(given: Mapping[str, Any]) -> list[Input]:
    return [one for name, value in given.items() for one in _within(name, value)]


def _within(name: str, value: Any) -> list[Input]:
    """What can be changed of one argument: itself, the parameters of a module, the Tensors of a list or a dict."""
    if isinstance(value, Tensor):
        if not value.is_leaf:
            raise ValueError(f"live: {name} was computed; give what it is computed from, and compute it in f")
        return [Input(name, value)]
    if hasattr(value, "named_parameters"):
        return [Input(f"{name}.{path}", one) for path, one in value.named_parameters()]
    if isinstance(value, dict):
        return [Input(f"{name}[{key!r}]", one) for key, one in value.items() if isinstance(one, Tensor)]
    if isinstance(value, list | tuple) and any(isinstance(one, Tensor) for one in value):
        return [Input(f"{name}[{i}]", one) for i, one in enumerate(value) if isinstance(one, Tensor)]
    numbers = isinstance(value, bool | int | float | np.number | np.bool_ | np.ndarray | list | tuple)
    return [Input(name, value)] if numbers and np.asarray(value).dtype.kind in "fiub" else []


def _between(low: float, high: float, *, whole: bool) -> list[float]:
    """From end to end, coarse ones first."""
    if whole:
        low, high = np.ceil(low), np.floor(high)
        return [float(x) for x in np.unique(np.round(np.linspace(low, high, min(_POINTS, int(high - low)) + 1)))]
    order, step = [0, _POINTS], _POINTS
    while step > 1:
        order += range(step // 2, _POINTS, step)
        step //= 2
    return [low + (high - low) * k / _POINTS for k in order]
