"""`Stepper`: a place on a walk, to move from Python, from the page, or from both at once."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.files import target_of, write_whole
from autograd.listing import nearest
from autograd.testing.hand import Hand, read_hands

from ..blame import explain_mismatch
from ..drawing.picture import Picture
from ..page.drawn import opening
from ..page.payload import MOST_NODES, document_of, fragment_of, payload_of
from ..plain.display import asked_for
from ..scalar import MOST_EXPANDED, expand, scalar_picture
from ..tape.arguments import check_most, on_tape, record_called
from ..tape.run import Run
from ..walk.text import watched
from ..walk.walk import GRANULARITIES, Group, Step, Walk
from .widget import bridge


class Stepper:
    """A computation stepped through, forward and backward: what `viz.step` returns. Notebooks show it as a page.

    Iterating over it gives all steps, each of which prints as text; `print` of the stepper shows all that is taken
    together with the current one.

    Attributes
    ----------
    walk : Walk
        All steps, at the granularity of single contributions.
    position : int
        The number of the current step. It can be set, as by `goto`.
    granularity : {"layer", "line", "op", "contribution"}
        What is taken together. Unless told, lines where the program has several, else operations.
    max_nodes : int or None
        So many boxes has the graph of the page at most.
    breakpoints : list of int
        The steps that `break_at` named.
    """

    def __init__(
        self,
        loss: Any,
        *,
        grad: Any = None,
        break_at: Any = None,
        watch: Any = (),
        against: Mapping[Any, Any] | None = None,
        values: Mapping[Any, Any] | None = None,
        granularity: str | None = None,
        max_nodes: int | None = MOST_NODES,
        frames: Sequence[tuple[str, Tape]] = (),
    ):
        if granularity not in (None, *GRANULARITIES):
            raise ValueError(f"step: granularity must be one of {GRANULARITIES}, got {granularity!r}")
        check_most(max_nodes, "step")
        self.max_nodes = max_nodes
        run = Run.of(loss, "step", grad, backward=False)
        tape = run.tape
        hand = _by_hand(tape, against, "against", "gradient")
        found = _by_hand(tape, values, "values", "value")
        self.walk = Walk(run, hand, found)
        self.granularity = granularity or self.walk.granularity
        _check_reached(self.walk, hand)
        self.frames = tuple((label, Walk(Run(other, run.seed if run.seeded else None))) for label, other in frames)
        self.watched = _watched(tape, watch)
        compared = [s for s in self.walk if (s.is_complete and s.target in hand) or s.node in found]
        wrong = [s.number for s in compared if s.check.yours is not None and not s.check.yours.ok]
        self.breakpoints = sorted(set(wrong) | self._breakpoints(break_at))
        self._mismatch = cache(
            lambda: explain_mismatch(tape, against or {}, values=values, grad=grad) if wrong else None
        )
        self._position = self.breakpoints[0] if self.breakpoints else self._first_birth()
        self._bridge: Any = None

    @cached_property
    def token(self) -> str:
        """What tells its page from others in one document."""
        return "s" + secrets.token_hex(8)

    # --- moving

    @property
    def position(self) -> int:
        """The number of the current step."""
        return self._position

    @position.setter
    def position(self, step: int) -> None:
        self._move(self._number_of(step, "position"))

    @property
    def current(self) -> Step:
        """The current step; where lines or layers are taken as wholes, the whole that ends there."""
        return next((s for s in self.together if s.number == self.position), self.walk.steps[self.position])

    @property
    def together(self) -> tuple[Step, ...]:
        """What is shown at a time: a step, those of an operation, or what a line or layer computes or sends."""
        return self._here.shown

    @property
    def _here(self) -> Group:
        return next(group for group in self.walk.groups(self.granularity) if group[-1].number >= self.position)

    def goto(self, step: int) -> Step:
        """Go to a step by its number; negative ones count from the end.

        Raises
        ------
        TypeError
            If it is no whole number.
        IndexError
            If there is no such step.
        """
        self._move(self._number_of(step, "goto"))
        return self.current

    def _number_of(self, step: Any, caller: str) -> int:
        if isinstance(step, bool) or not isinstance(step, int | np.integer):
            raise TypeError(f"{caller}: expected the number of a step, got {step!r} (run_to takes names)")
        count = len(self.walk)
        if not -count <= step < count:
            raise IndexError(f"{caller}: there is no step {step}; the steps are 0 to {count - 1}")
        return int(step) % count

    def next(self) -> Step:
        """Go to the next step, the last one of those that are taken together; at the end, stay there."""
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
        where : str, Tensor or Node
            The name of a layer or its class (``"conv2"``, ``"Conv2d"``), of a value or a gradient as it is printed
            (``"z⁽¹⁾"``, ``"%3"``, ``"∂L/∂z⁽¹⁾"``), ``"backward"``, ``"end"``, ``"nan"``, or a Tensor or record.

        Raises
        ------
        KeyError
            If nothing has that name; the nearest names are given.
        ValueError
            If no later step belongs to it; if there is no backward pass, why.
        """
        found = self._steps_of(where, "run_to")
        later = [k for k in found if k > self.position]
        if not later:
            last = f"the last one is {found[-1]}" if found else "there is none at all"
            raise ValueError(
                f"run_to: no step after {self.position} belongs to {self._called(where)} ({last}); goto(0) starts again"
            )
        self._move(later[0])
        return self.current

    def _stops(self) -> Sequence[int]:
        return [group[-1].number for group in self.walk.groups(self.granularity)]

    def _move(self, position: int) -> None:
        self._position = position
        if self._bridge is not None:
            self._bridge.step = position

    def expand(self, value: Any, index: int | tuple[int, ...], *, max_nodes: int | None = MOST_EXPANDED) -> Picture:
        """The scalar graph of one element: every multiplication and addition of numbers that it is made with.

        A named value is followed back to the named values, parameters and inputs that it was made from, so that
        ``z⁽¹⁾`` of a layer shows the whole sum Σ Wx + b. Of what has no name, and of what is asked for by its place
        on the tape (``"%3"``), it is the one operation that made it.

        Parameters
        ----------
        value : str, Tensor or Node
            The result, or its name as it is printed: ``"z⁽¹⁾"``, ``"L"``, ``"%3"``.
        index : int or tuple of int
            Which element; ``()`` of a single number.
        max_nodes : int or None, optional
            More are not drawn, as that takes minutes. None: no limit.

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

        Examples
        --------
        >>> import viz
        >>> from autograd import Tensor
        >>> W, x, b = Tensor([[2.0, 3.0]], name="W"), Tensor([0.5, -1.0], name="x"), Tensor([1.0], name="b")
        >>> z = W @ x + b
        >>> z.name = "z"
        >>> s = viz.step(z.sum())
        >>> s.expand("z", 0)
        <Picture: Computation graph of z[0]: 9 nodes, 8 edges>
        >>> s.expand("%4", 0)
        <Picture: Computation graph of z[0]: 3 nodes, 2 edges>
        """
        check_most(max_nodes, "expand")
        element = tuple(index) if isinstance(index, tuple | list) else (index,)
        tape = self.walk.tape
        node = on_tape(tape, value, "expand")
        by_place = isinstance(value, str) and value == f"%{tape.index(node)}"
        back = not by_place and (self.walk.names.has(node) or node is tape.root)
        numbers = expand(tape, node, element, to_names=back)
        if max_nodes is not None and len(numbers) > max_nodes:
            one = _smaller(tape, node, element, max_nodes) if back else ""
            raise ValueError(
                f"expand: the scalar graph of {numbers.root.name or 'this element'} has {len(numbers):,} nodes, more "
                f"than {max_nodes}: ask for {one}another value, or raise max_nodes="
            )
        return opening(scalar_picture(Run(numbers), None, legend=False, time_limit=20.0))

    # --- names

    def _breakpoints(self, break_at: Any) -> set[int]:
        wanted = [] if break_at is None else break_at if isinstance(break_at, list | tuple | set) else [break_at]
        found: set[int] = set()
        for where in wanted:
            steps = set(self._steps_of(where, "break_at"))
            each = isinstance(where, str) and where == "nan"
            if not steps and not each:
                raise ValueError(
                    f"break_at: no step belongs to {self._called(where)}: it is given, and gets no gradient"
                )
            found.update(steps if each else (k for k in steps if k - 1 not in steps))
        return found

    def _steps_of(self, where: Any, argument: str) -> list[int]:
        """The numbers of the steps that belong to a layer, a value, or one of the words."""
        steps, tape = self.walk.steps, self.walk.tape
        if not isinstance(where, str):
            if isinstance(where, int):
                raise TypeError(f"{argument}: expected a name or a Tensor, got the number {where} (goto takes numbers)")
            return self._steps_into({on_tape(tape, where, argument)})
        if where == "nan":
            return [s.number for s in steps if s.alarm or (s.phase == "start" and self._given)]
        if where == "end":
            return [len(steps) - 1]
        if where == "backward":
            if self.walk.no_backward:
                raise ValueError(f"{argument}: there is no backward pass: {self.walk.no_backward}")
            return [self.walk.first_backward]
        if complete := [s.number for s in steps if s.is_complete and self.walk.names.gradient(s.target) == where]:
            return complete
        called = record_called(tape, where)
        named = {node for node in self.walk.names.called(where) if called is not tape.root}
        found = self._steps_into(named or {called})
        if found:
            return found
        found = [
            s.number
            for s in steps
            if s.phase != "start" and any(where in (c.name, c.path, c.kind) for c in s.node.scope.chain())
        ]
        if not found and called is None:
            raise KeyError(f"{argument}: no layer or value is named {where!r}; nearest: {self._nearest(where)}")
        return found

    def _called(self, where: Any) -> str:
        """What a sentence calls a place that was asked for."""
        return repr(where) if isinstance(where, str) else self.walk.names.of(on_tape(self.walk.tape, where, "step"))

    def _steps_into(self, nodes: set[Any]) -> list[int]:
        return [s.number for s in self.walk.steps if s.phase != "start" and s.target in nodes]

    @cached_property
    def _given(self) -> frozenset[str]:
        """Which of NaN and Inf are in what is given."""
        return frozenset().union(*(self.walk.run.kinds.of(node) for node in self.walk.tape if node.is_leaf))

    def _first_birth(self) -> int:
        """Where to open: where NaN comes up first, else Inf; at the start where it is in what is given, or nowhere."""
        wrong = [s.born | s.born_in_sum if s.number else self._given for s in self.walk]
        return next((k for kind in ("NaN", "Inf") for k, kinds in enumerate(wrong) if kind in kinds), 0)

    def _nearest(self, where: str) -> str:
        layers = {call for node in self.walk.tape for call in node.scope.chain()}
        known = {name for call in layers for name in (call.path, call.name, call.kind) if name}
        known |= {self.walk.names.of(node) for node in self.walk.tape if self.walk.names.has(node)}
        return ", ".join(nearest(where, sorted(known))) or "nothing has a name"

    # --- as a sequence, and as text

    def __len__(self) -> int:
        return len(self.walk)

    def __getitem__(self, key: Any) -> Any:
        return self.walk.steps[key if isinstance(key, slice) else self._number_of(key, "step")]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.walk.steps)

    def __str__(self) -> str:
        so_far = self.walk.steps[: self.position + 1]
        lines = ["  watched:", *(f"  {watched(node, so_far)}" for node in self.watched)] if self.watched else []
        return "\n".join([str(self._here), *lines])

    def __repr__(self) -> str:
        return f"<Stepper of {self.walk.names.loss}: step {self.position} of {len(self) - 1}, {self.current.title}>"

    # --- as a page

    def html(self) -> str:
        """The page's content, for a notebook cell: one element and the script that brings it to life."""
        return fragment_of(self.walk, self._payload(), self.token)

    def _payload(self) -> bytes:
        return payload_of(
            self.walk, self.frames, granularity=self.granularity, position=self.position,
            breakpoints=self.breakpoints, watched=self.watched, mismatch=self._mismatch(), max_nodes=self.max_nodes,
        )  # fmt: skip

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
            return write_whole(target, ("\n\n".join(map(str, self.walk.steps)) + "\n").encode())
        return write_whole(target, document_of(self.walk, self._payload()).encode())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        kinds = asked_for(("text/plain", "text/html"), include, exclude)
        bundle = {}
        if "text/plain" in kinds:
            bundle["text/plain"] = str(self)
        if "text/html" in kinds:
            self._bridge = self._bridge or bridge(self.token, self.position, self.goto)
            bundle["text/html"] = self.html()
        return bundle


def _smaller(tape: Tape, node: Node, element: tuple[int, ...], most: int) -> str:
    """What to offer instead of one element with all that it is made with: the largest single operation that fits."""
    parts = [part for part in (node, *node.parents) if not part.is_leaf and part.shape == node.shape]
    sizes = {part: len(expand(tape, part, element)) for part in parts}
    fitting = [part for part in parts if sizes[part] <= most]
    if not fitting:
        return ""
    return f"one operation of it, expand('%{tape.index(max(fitting, key=lambda part: sizes[part]))}', {element}), for "


def _watched(tape: Tape, watch: Any) -> tuple[Node, ...]:
    wanted: Iterable[Any] = watch if isinstance(watch, list | tuple | set) else [watch]
    return tuple(dict.fromkeys(on_tape(tape, what, "watch") for what in wanted))


def _by_hand(tape: Tape, given: Mapping[Any, Any] | None, who: str, what: str) -> dict[Node, Hand]:
    """The gradients or values to compare with, of the shapes of their records."""
    found = read_hands(tape, {} if given is None else given, who, what, empty=True, whole=what == "value")
    for node, (name, hand, _) in found.items():
        if hand.array.shape != node.shape:
            raise ValueError(f"{who}: the {what} of {name} has shape {hand.array.shape}, expected {node.shape}")
        if what == "value" and node.is_leaf:
            raise ValueError(f"{who}: {name} is an input, which no step computes; expected results of operations")
    return {node: named.hand for node, named in found.items()}


def _check_reached(walk: Walk, hand: Iterable[Node]) -> None:
    """A gradient that the engine does not compute can't be compared with: better said than passed over."""
    for node in (node for node in hand if node not in walk.gradients):
        between = "an operation without a derivative stands between"
        why = walk.no_backward or (between if node.needs_grad else "it requires none")
        raise ValueError(f"against: no gradient of {walk.names.loss} reaches {walk.names.of(node)}: {why}")
