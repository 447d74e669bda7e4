"""`Stepper`: a place on a walk, to move from Python, from the page, or from both at once."""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Node, Tape, Tensor

from ..arguments import node_of
from ..files import target_of, write_whole
from ..picture import Picture
from ..scalar import expand, scalar_picture
from .text import gradient_state, text_of
from .walk import Step, Walk

GRANULARITIES = ("op", "contribution")


class Stepper:
    """A computation stepped through, forward and backward: what `viz.step` returns. Notebooks show it as a page.

    Iterating over it gives all steps, each of which prints as text; `print` of the stepper shows the current one.

    Attributes
    ----------
    walk : Walk
        All steps, at the granularity of single contributions.
    position : int
        The number of the current step.
    granularity : {"op", "contribution"}
        Whether `next` and `previous` move by whole operations.
    breakpoints : list of int
        The steps that `break_at` named.
    """

    def __init__(
        self,
        tape: Tape,
        *,
        grad: Any = None,
        break_at: Any = None,
        watch: Any = (),
        against: Mapping[Any, Any] | None = None,
        granularity: str = "op",
        frames: Sequence[tuple[str, Tape]] = (),
    ):
        if granularity not in GRANULARITIES:
            raise ValueError(f"step: granularity must be 'op' or 'contribution', got {granularity!r}")
        self.granularity = granularity
        hand = _hand_derived(tape, against)
        self.walk = Walk(tape, grad, hand)
        self.frames = tuple((label, Walk(other, grad)) for label, other in frames)
        self.watched = _watched(tape, watch)
        self.breakpoints = self._breakpoints(break_at)
        compared = [s for s in self.walk if s.is_complete and s.target in hand]
        wrong = [s.number for s in compared if s.check.yours is not None and not s.check.yours.ok]
        opened = sorted(set(wrong) | set(self.breakpoints))
        self.breakpoints = opened
        self.position = opened[0] if opened else 0
        self._bridge: Any = None

    @cached_property
    def token(self) -> str:
        """What tells its page from others in one document."""
        return "s" + secrets.token_hex(8)

    # --- moving

    @property
    def current(self) -> Step:
        """The current step."""
        return self.walk.steps[self.position]

    def goto(self, step: int) -> Step:
        """Go to a step by its number; negative ones count from the end.

        Raises
        ------
        IndexError
            If there is no such step.
        """
        if isinstance(step, bool) or not isinstance(step, int | np.integer):
            raise TypeError(f"goto: expected the number of a step, got {step!r} (run_to takes names)")
        count = len(self.walk)
        if not -count <= step < count:
            raise IndexError(f"goto: there is no step {step}; the steps are 0 to {count - 1}")
        self._move(int(step) % count)
        return self.current

    def next(self) -> Step:
        """Go to the next step; at the end, stay there."""
        self._move(next((k for k in self._stops() if k > self.position), len(self.walk) - 1))
        return self.current

    def previous(self) -> Step:
        """Go to the step before; at the start, stay there."""
        self._move(next((k for k in reversed(self._stops()) if k < self.position), 0))
        return self.current

    def run_to(self, where: Any) -> Step:
        """Go on to the next step that belongs to `where`.

        Parameters
        ----------
        where : str or Tensor
            The name of a layer (``"conv2"``) or of a value (``"z⁽¹⁾"``), ``"backward"``, ``"end"``, ``"nan"``, or a
            Tensor.

        Raises
        ------
        KeyError
            If nothing has that name; the nearest names are given.
        ValueError
            If no later step belongs to it.
        """
        found = self._steps_of(where, "run_to")
        later = [k for k in found if k > self.position]
        if not later:
            last = f"the last one is {found[-1]}" if found else "there is none at all"
            raise ValueError(
                f"run_to: no step after {self.position} belongs to {where!r} ({last}); goto(0) starts again"
            )
        self._move(later[0])
        return self.current

    def _stops(self) -> Sequence[int]:
        return self.walk.stops if self.granularity == "op" else range(len(self.walk))

    def _move(self, position: int) -> None:
        self.position = position
        if self._bridge is not None:
            self._bridge.step = position

    def expand(self, value: Any, index: int | tuple[int, ...]) -> Picture:
        """The scalar graph of one element of an operation's result: every multiplication and addition in it.

        Parameters
        ----------
        value : Tensor or str
            The result, or its name.
        index : int or tuple of int
            Which element.

        Returns
        -------
        Picture

        Raises
        ------
        KeyError
            If nothing has that name.
        ValueError
            If it is not on the tape, no operation made it, or there are too many nodes.
        IndexError
            If there is no such element.
        """
        element = index if isinstance(index, tuple) else (index,)
        tape = expand(self.walk.tape, on_tape(self.walk.tape, value, "expand"), element)
        return scalar_picture(tape, None, None, legend=False, time_limit=20.0)

    # --- names

    def _breakpoints(self, break_at: Any) -> list[int]:
        wanted = [] if break_at is None else break_at if isinstance(break_at, list | tuple | set) else [break_at]
        found: set[int] = set()
        for where in wanted:
            steps = set(self._steps_of(where, "break_at"))
            each = isinstance(where, str) and where == "nan"
            found.update(steps if each else (k for k in steps if k - 1 not in steps))
        return sorted(found)

    def _steps_of(self, where: Any, argument: str) -> list[int]:
        """The numbers of the steps that belong to a layer, a value, or one of the words."""
        steps = self.walk.steps
        if not isinstance(where, str):
            if isinstance(where, int):
                raise TypeError(f"{argument}: expected a name or a Tensor, got the number {where} (goto takes numbers)")
            node = on_tape(self.walk.tape, where, argument)
            return [s.number for s in steps if s.phase != "start" and s.target is node]
        if where == "nan":
            return [s.number for s in steps if s.alarm or (s.phase == "start" and self._holds_nan())]
        if where == "end":
            return [len(steps) - 1]
        if where == "backward":
            return [self.walk.first_backward] if self.walk.first_backward < len(steps) else []
        names = self.walk.names
        found = [s.number for s in steps if s.phase != "start" and where in (names.of(s.target), s.target.name)]
        if not found:
            found = [
                s.number
                for s in steps
                if s.phase != "start" and any(where in (c.name, c.path) for c in s.node.scope.chain())
            ]
        if not found:
            raise KeyError(f"{argument}: no layer or value is named {where!r}; nearest: {self._nearest(where)}")
        return found

    def _holds_nan(self) -> bool:
        return any(alarm.endswith("data") for alarm in self.walk.alarms.values())

    def _nearest(self, where: str) -> str:
        known = dict.fromkeys(c.path for node in self.walk.tape for c in node.scope.chain())
        known |= dict.fromkeys(c.name for node in self.walk.tape for c in node.scope.chain())
        known |= dict.fromkeys(n.name for n in self.walk.tape if n.name)
        lowered = {str(name).lower(): str(name) for name in known}
        near = difflib.get_close_matches(where.lower(), lowered, n=3, cutoff=0)
        return ", ".join(lowered[n] for n in near) or "nothing has a name"

    # --- as a sequence, and as text

    def __len__(self) -> int:
        return len(self.walk)

    def __getitem__(self, key: Any) -> Any:
        return self.walk.steps[key]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.walk.steps)

    def __str__(self) -> str:
        watched = [
            f"  {self.walk.names.of(n)} {short_value(self.walk, n, self.position)}   "
            f"{self.walk.names.gradient(n)} {gradient_state(self.walk, n, self.position)}"
            for n in self.watched
        ]
        return "\n".join([text_of(self.current), *(["  watched:", *watched] if watched else [])])

    def __repr__(self) -> str:
        return f"<Stepper of {self.walk.names.loss}: step {self.position} of {len(self) - 1}, {self.current.title}>"

    # --- as a page

    def html(self) -> str:
        """The page's content, for a notebook cell: one element and the script that brings it to life."""
        from .payload import fragment_of

        return fragment_of(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one self-contained page that needs no network. The file is written whole or not at all.

        Parameters
        ----------
        path : str or path
            Ends in ``.html``; ``.txt`` writes all steps as text.

        Raises
        ------
        ValueError
            If the suffix is another one.
        FileNotFoundError
            If the folder does not exist.
        """
        target = target_of(path, (".html", ".htm", ".txt"))
        if target.suffix.lower() == ".txt":
            return write_whole(target, ("\n\n".join(map(text_of, self.walk.steps)) + "\n").encode())
        from .payload import document_of

        return write_whole(target, document_of(self).encode())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from .widget import bridge

        kinds = {"text/plain", "text/html"}
        kinds = (kinds & set(include) if include is not None else kinds) - set(exclude or ())
        bundle = {}
        if "text/plain" in kinds:
            bundle["text/plain"] = str(self)
        if "text/html" in kinds:
            self._bridge = self._bridge or bridge(self)
            bundle["text/html"] = self.html()
        return bundle


def short_value(walk: Walk, node: Node, at: int) -> str:
    """The value of a record after step `at`; ``—`` where it is not computed yet."""
    from .text import short

    computed = node.is_leaf or any(s.phase == "forward" and s.node is node for s in walk.steps[: at + 1])
    return short(walk.tape.value(node)) if computed else "—"


def on_tape(tape: Tape, what: Any, argument: str) -> Node:
    """The record on the tape of a Tensor, of a name, or itself.

    A parameter that was changed since is found by what holds it.
    """
    node = node_of(tape, what, argument)
    if node in tape:
        return node
    if isinstance(what, Tensor):
        for leaf in tape:
            if leaf.is_leaf and leaf.holder is not None and leaf.holder() is what:
                return leaf
    called = f" named {node.name}" if node.name else ""
    raise ValueError(f"{argument}: a Tensor of shape {node.shape}{called} is not on the tape of this loss")


def _watched(tape: Tape, watch: Any) -> tuple[Node, ...]:
    wanted: Iterable[Any] = watch if isinstance(watch, list | tuple | set) else [watch]
    return tuple(dict.fromkeys(on_tape(tape, what, "watch") for what in wanted))


def _hand_derived(tape: Tape, against: Mapping[Any, Any] | None) -> dict[Node, np.ndarray]:
    """The gradients to compare with, as arrays of the shapes of their records."""
    if against is None:
        return {}
    if not isinstance(against, Mapping):
        raise TypeError(f"against: expected a dict of gradients, {{W1: dW1, …}}, got {type(against).__name__}")
    found = {}
    for key, value in against.items():
        node = on_tape(tape, key, "against")
        name = node.name or (key if isinstance(key, str) else f"a Tensor of shape {node.shape}")
        array = np.array(value.data if isinstance(value, Tensor) else value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"against: the gradient of {name} must be real numbers, got dtype {array.dtype}")
        if array.shape != node.shape:
            raise ValueError(f"against: the gradient of {name} has shape {array.shape}, expected {node.shape}")
        found[node] = array.astype(np.float64)
    return found
