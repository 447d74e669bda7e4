"""What `viz.live` shows in a notebook: the inputs of a function with the step view of its last run.

The page tells which number was moved (`asked`), the kernel what came of it (`told`, `numbers`, `payload`), all by
traits: while an answer is on its way, what is moved meanwhile is sent as one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import anywidget
import numpy as np
import traitlets

from ..page.scripts import STEPS
from ..plain.numbers import numeral
from ..stepper import Stepper
from .session import Input, Session

_FEW = 16
"""So many numbers of an input have a slider each; of larger ones, the one that is chosen."""

_MOST = 4096
"""Of larger inputs, the page has no picture."""

_MOVING, _RESTING = 0.02, 0.5
"""Seconds that the loss along a number may take."""


def _static(name: str) -> str:
    return (resources.files("viz") / "live" / "static" / name).read_text(encoding="utf-8")


class Live(anywidget.AnyWidget):
    """A function, sliders for its inputs, and the step view of its last run: what `viz.live` returns.

    Attributes
    ----------
    stepper : Stepper
        That of the last run that ended well.
    inputs : dict of str to ndarray
        The numbers as they are now.
    """

    _esm = f"{STEPS.text()}\nconst LOOK = {json.dumps(_static('live.css'))};\n{_static('live.js')}"
    payload = traitlets.Bytes().tag(sync=True)
    numbers = traitlets.Bytes().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    step = traitlets.Int().tag(sync=True)

    def __init__(self, f: Callable[..., Any], inputs: Mapping[str, Any]):
        self._session = Session(f, inputs)
        self._error, self._serial = "", 0
        self._shown: Stepper | None = None
        first = next(iter(self._session.inputs.values()))
        self._touched = (first.name, 0)
        self._run(checked=True)
        super().__init__(**self._answer(checked=True))
        self.observe(self._moved, "asked")
        self.observe(self._stepped, "step")

    @property
    def stepper(self) -> Stepper:
        """The step view of the last run that ended well."""
        return self._session.stepper

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """The numbers as they are now."""
        return {name: one.array.copy() for name, one in self._session.inputs.items()}

    def set(self, **values: Any) -> None:
        """Change inputs: ``live.set(w=0.3)``. Parameters of a module are set by ``**{"net.0.weight": W}``.

        Raises
        ------
        KeyError
            If no input has such a name.
        ValueError
            If an array has another shape.

        What the function itself raises is raised again; the inputs are then as they were.
        """
        before, touched = {one: one.array for one in self._session.inputs.values()}, self._touched
        try:
            for name, value in values.items():
                self._session.put(name, value)
            if values and touched[0] not in values:
                self._touched = (next(iter(values)), 0)
            self._run(checked=True)
        except BaseException:
            self._touched = touched
            for one, array in before.items():
                one.array = array
                one.argument()
            raise
        self._tell(checked=True)

    def reset(self) -> None:
        """Put all inputs back to what they were at first."""
        self.set(**{name: one.first for name, one in self._session.inputs.items()})

    def __repr__(self) -> str:
        name = getattr(self._session.f, "__name__", type(self._session.f).__name__)
        loss = f"{self.stepper.walk.names.loss} = {numeral(self._session.loss)}"
        return f"<Live {name}({', '.join(self._session.given)}): {loss}>"

    # --- what the page asks

    def _moved(self, change: Any) -> None:
        """Numbers were moved on the page, or chosen to be; `rest` says that they stay there."""
        asked, session = change["new"], self._session
        rest = bool(asked.get("rest"))
        try:
            name, at = asked.get("name", self._touched[0]), int(asked.get("at", self._touched[1]))
            for wish in asked.get("changes", ()):
                if wish is None:
                    session.reset()
                else:
                    session.put(wish[0], wish[2], wish[1])
            if name in session.inputs:
                self._touched = (name, at)
            self._run(checked=rest)
        except Exception as error:
            self._error = f"{type(error).__name__}: {error}"
        self._tell(checked=rest)

    def _run(self, *, checked: bool) -> None:
        """The loss along the number touched last, and then the run: it is what the user's Tensors are part of."""
        name, at = self._touched
        one = self._session.inputs[name]
        here = float(one.array.flat[at])
        low, high = one.reach
        low, high = (min(low, here), max(high, here)) if np.isfinite(here) else (low, high)
        self._points = self._session.curve(name, at, low, high, _RESTING if checked else _MOVING)
        self._session.run(checked=checked)
        self._error = ""

    def _stepped(self, change: Any) -> None:
        if 0 <= change["new"] < len(self.stepper):
            self.stepper._position = change["new"]

    # --- what the page is told

    def _tell(self, *, checked: bool) -> None:
        answer = self._answer(checked=checked)
        with self.hold_sync():
            for name, value in answer.items():
                setattr(self, name, value)

    def _answer(self, *, checked: bool) -> dict[str, Any]:
        session, stepper = self._session, self._session.stepper
        if self._shown is not stepper:
            if self._shown is not None:
                self._shown._bridge = None
            stepper._bridge, self._shown = self, stepper  # a step taken in Python is taken on the page
        self._serial += 1
        arrays = [one.array.astype("<f8").tobytes() for one in session.inputs.values() if one.array.size <= _MOST]
        slopes = [self._slopes(one) for one in session.inputs.values() if one.array.size <= _MOST]
        told = {
            "serial": self._serial,
            "name": getattr(session.f, "__name__", type(session.f).__name__),
            "loss": [stepper.walk.names.loss, numeral(session.loss)],
            "inputs": [self._described(one) for one in session.inputs.values()],
            "curve": self._curve(),
            "loss_at": None if self._error else _number(session.loss),
            "asked": self.asked.get("count", 0), "few": _FEW, "error": self._error, "remark": session.remark,
            "rest": checked,
        }  # fmt: skip
        answer = {"told": told, "numbers": b"".join([*arrays, *slopes]), "step": stepper.position}
        return answer if self._error else {**answer, "payload": stepper._payload()}

    def _slopes(self, one: Input) -> bytes:
        gradient = None if one.node is None else self.stepper.walk.gradients.get(one.node)
        numbers = np.full(one.array.shape, np.nan) if gradient is None else np.asarray(gradient)
        return numbers.astype("<f8").tobytes()

    def _described(self, one: Input) -> dict[str, Any]:
        names = self.stepper.walk.names
        symbol = names.of(one.node) if one.node is not None and one.node in self.stepper.walk.tape.nodes else ""
        low, high = one.reach
        return {
            "name": one.name, "symbol": "" if symbol == one.name else symbol, "shape": list(one.array.shape),
            "whole": one.whole, "low": low, "high": high, "there": one.array.size <= _MOST,
            "kind": "whole" if one.whole else one.node.op if one.node is not None else "",
        }  # fmt: skip

    def _curve(self) -> dict[str, Any]:
        """The loss along the number touched last, where that is, and the slope there."""
        name, at = self._touched
        slope = None if self._error else self._session.slope(name, at)
        xs, ys = self._points
        return {
            "name": name, "at": at, "x": _number(float(self._session.inputs[name].array.flat[at])),
            "slope": None if slope is None else _number(slope), "xs": xs, "ys": [_number(y) for y in ys],
        }  # fmt: skip


def _number(x: float) -> float | None:
    return x if np.isfinite(x) else None
