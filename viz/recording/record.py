"""Time travel: `record` keeps the graph of one chosen loss at several moments of a training.

The model is known by what it can do (``parameters()``, ``modules()``, ``eval()``), not by its class.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node, Tape, Tensor, enable_grad
from autograd.listing import html_table

from ..plain.numbers import NOT_COMPUTED, columns, length, numeral
from ..tape.arguments import tape_of
from ..tape.names import Names
from .isomorphism import Alike, first_difference
from .undisturbed import Undisturbed, modules_of

__all__ = ["Recording", "Snapshot", "record"]

MODES = ("eval", "train")
_SHOWN = 6


def record(
    model: Any, loss: Callable[..., Any], *, every: int = 20, limit: int | None = 50, mode: str = "eval"
) -> Recording:
    """Watch a training: keep the graph of one loss, with all its values, before the first step and after every k-th.

    The loss is that of examples you choose, the same ones each time: so what changes from one snapshot to the next is
    what was learned. Call ``update()`` of what is returned after every step of the optimiser, or hand it to
    ``nn.fit(…, on_step=recording.update)``.

    Parameters
    ----------
    model : nn.Module
        Anything with ``parameters()`` will do.
    loss : callable
        ``loss()`` or ``loss(model)``: computes the loss of the chosen examples, a Tensor with one number.
    every : int, optional
        A snapshot is taken after so many steps.
    limit : int or None, optional
        So many regular snapshots are kept: the first, the newest, and others spread between them. At least 2; None: no
        limit.
    mode : {"eval", "train"}, optional
        How layers such as dropout behave while `loss` runs. With ``"train"`` every snapshot draws the same random
        numbers, so that the masks stay the same.

    Returns
    -------
    Recording
        Holds the first snapshot already, that before training.

    Raises
    ------
    TypeError
        If `model` has no ``parameters()``, or `loss` is no such function or returns no recorded Tensor.
    ValueError
        If there are no parameters, if none of them is on the graph of the loss, if the loss is not one number, or an
        option is out of range.

    Notes
    -----
    Training goes on as if nobody had watched. After `loss` ran, everything that it and the model can reach is put back:
    the numbers and the ``.grad`` of leaves, modes, running statistics, counters and generators, be they attributes,
    in containers, in closures or globals that the program's functions name; also the states of ``random`` and of
    ``numpy.random``. Every snapshot draws the same random numbers. Not put back are what has no state to read (an
    iterator that was advanced, a file), arrays of more than 64 MB, which are taken for data, and what lies inside
    installed packages.

    The memory of a snapshot is that of one graph: of the activations of the chosen examples. The parameters' arrays
    are shared with the training, not copied.

    Examples
    --------
    >>> import numpy as np, nn, viz
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> net = nn.Sequential(nn.Linear(2, 2, rng=0))
    >>> recording = viz.record(net, lambda: nn.functional.cross_entropy(net(x), [0, 1]), every=10)
    >>> history = nn.fit(net, (x, [0, 1]), epochs=20, lr=0.1, progress=False, on_step=recording.update)
    >>> [snapshot.label for snapshot in recording]
    ['before training', 'after 10 steps', 'after 20 steps']
    >>> recording[0].loss > recording[1].loss > recording[2].loss
    True
    """
    return Recording(model, loss, every=every, limit=limit, mode=mode)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The graph of the recorded loss at one moment of the training.

    Attributes
    ----------
    step : int
        How many steps of the optimiser there had been.
    label : str
        ``"after 20 steps"``.
    loss : float
    tape : Tape
        The graph, with the numbers of that moment. All snapshots of a recording have the same records in the same
        order.
    parameters : tuple of Node
        The records on the tape of the model's parameters.
    asked : bool
        Whether it was taken by `Recording.snap`; such a one is never dropped.
    """

    step: int
    label: str
    loss: float
    tape: Tape
    parameters: tuple[Node, ...]
    asked: bool = False

    @cached_property
    def norms(self) -> tuple[tuple[float, float | None], ...]:
        """For each of `parameters` the Euclidean norms of its value and of its gradient (None: no gradient)."""
        gradients = self.tape.gradients() if self.tape.root.needs_grad else {}
        return tuple((length(p.value), length(gradients[p]) if p in gradients else None) for p in self.parameters)

    def __repr__(self) -> str:
        return f"<Snapshot {self.label}: loss {numeral(self.loss)}>"


class Recording(Sequence[Snapshot]):
    """The snapshots of a training: what `record` returns. Prints as a table of the loss and the norms.

    Attributes
    ----------
    snapshots : tuple of Snapshot
        Oldest first. The recording itself is a sequence of them.
    updates : int
        How many steps `update` has counted.
    every : int
        A snapshot is taken after so many steps.
    """

    def __init__(
        self, model: Any, loss: Callable[..., Any], *, every: int = 20, limit: int | None = 50, mode: str = "eval"
    ):
        _check_model(model)
        self._takes_model = _takes_model(loss)
        if not _is_integer(every) or every < 1:
            raise ValueError(f"record: every must be an integer of at least 1, got {every!r}")
        if limit is not None and (not _is_integer(limit) or limit < 2):
            raise ValueError(f"record: limit must be an integer of at least 2, or None, got {limit!r}")
        if mode not in MODES:
            raise ValueError(f"record: mode must be 'eval' or 'train', got {mode!r}")
        self.model = model
        self.loss = loss
        self.every = int(every)
        self.limit = limit
        self.mode = mode
        self.updates = 0
        self._guard = Undisturbed(model, loss)
        tape = self._graph("record")
        nodes = {node: i for i, node in enumerate(tape)}
        self._places = tuple(nodes[held] for held in self._held if held in nodes)
        if not self._places:
            raise ValueError(
                "record: none of the model's parameters is on the graph of the loss: compute it with this model, and "
                "not inside no_grad()"
            )
        self.snapshots: tuple[Snapshot, ...] = (self._snapshot(tape, "before training"),)

    def update(self, *_: Any) -> None:
        """Count one step of the optimiser, and take a snapshot if it is the turn of one.

        Where there are more than `limit`, the one that is missed least goes: neither the first nor the newest.

        Whatever it is called with is ignored, so that it can be handed to a training loop as its callback.

        Raises
        ------
        ValueError
            If the graph is another one than before, for a model whose operations depend on its numbers. The snapshots
            so far, and the training, are left as they were.
        """
        self.updates += 1
        if self.updates % self.every:
            return
        self.snapshots = (*self.snapshots, self._snapshot(self._same_graph("update")))
        regular = [s for s in self.snapshots if not s.asked]
        if self.limit is not None and len(regular) > self.limit:
            least = _least_missed([s.step // self.every for s in regular])
            self.snapshots = tuple(s for s in self.snapshots if s is not regular[least])

    def snap(self, label: str | None = None) -> Snapshot:
        """Keep a snapshot of this moment, besides the regular ones.

        Parameters
        ----------
        label : str, optional
            ``"after 20 steps"`` unless told.

        Returns
        -------
        Snapshot
            The last one where nothing has changed since.
        """
        if label is not None and not isinstance(label, str):
            raise TypeError(f"snap: label must be a string, got {type(label).__name__}")
        taken = self._snapshot(self._same_graph("snap"), label, asked=True)
        last = self.snapshots[-1]
        same = last.step == taken.step and last.loss == taken.loss and last.parameters == taken.parameters
        if same and label is None:
            taken = replace(last, asked=True)
        self.snapshots = (*self.snapshots[: -1 if same else None], taken)
        return taken

    def step(self, **options: Any) -> Any:
        """The step view of the last snapshot's graph, with a second slider that goes through all snapshots.

        Parameters
        ----------
        **options
            Those of `viz.step`.

        Returns
        -------
        Stepper
        """
        from ..stepper import Stepper

        return Stepper(self.snapshots[-1].tape, frames=[(s.label, s.tape) for s in self.snapshots], **options)

    # --- taking a snapshot

    def _graph(self, caller: str) -> Tape:
        """The recorded loss as it is now."""
        with self._guard, enable_grad():
            if hasattr(self.model, "train") and hasattr(self.model, "eval"):
                self.model.train() if self.mode == "train" else self.model.eval()
            else:
                for module in modules_of(self.model):
                    if hasattr(module, "training"):
                        module.training = self.mode == "train"
            value = self.loss(self.model) if self._takes_model else self.loss()
            self._held = [parameter.node for parameter in self.model.parameters()]
        if not isinstance(value, Tensor):
            raise TypeError(f"{caller}: loss must return a Tensor, got {type(value).__name__}")
        if value.size != 1:
            raise ValueError(
                f"{caller}: loss must return one number, got a Tensor of shape {value.shape}: take its .sum() or "
                ".mean()"
            )
        return tape_of(value, caller)

    def _same_graph(self, caller: str) -> Tape:
        """The recorded loss as it is now, its records in the order of the first snapshot's."""
        tape, first = self._graph(caller), self.snapshots[0].tape
        pairs: dict[Node, Node] = {}
        difference = first_difference(first, tape, pairs)
        if difference:
            raise ValueError(
                f"{caller}: the graph of the loss {_moment(self.updates)} is not that of the first snapshot: "
                f"{difference}. A recording compares numbers of one graph: give a loss that computes the same "
                "operations on the same shapes each time"
            )
        return Alike(tape, first, pairs)

    def _snapshot(self, tape: Tape, label: str | None = None, asked: bool = False) -> Snapshot:
        label = _moment(self.updates) if label is None else label
        parameters = tuple(tape[i] for i in self._places)
        return Snapshot(self.updates, label, float(tape.root.value.item()), tape, parameters, asked)

    # --- as a sequence, and as text

    def __len__(self) -> int:
        return len(self.snapshots)

    def __getitem__(self, key: Any) -> Any:
        return self.snapshots[key]

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self.snapshots)

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
        pairs = [zip(row, widths, strict=True) for row in rows]
        lines = ["  ".join(" " * (width - columns(cell)) + cell for cell, width in row) for row in pairs]
        return "\n".join([*lines, *self._more()])

    def _repr_html_(self) -> str:
        return html_table(self._rows()) + "".join(f"<p>{line}</p>" for line in self._more())

    def _rows(self) -> list[tuple[str, ...]]:
        """A row for each snapshot, below the header: step, loss, the norms of the first parameters and gradients."""
        last = self.snapshots[-1]
        names = Names(last.tape)
        table = [["step", *(str(s.step) for s in self.snapshots)], ["loss", *(numeral(s.loss) for s in self.snapshots)]]
        for i, node in enumerate(last.parameters[:_SHOWN]):
            own, gradient = zip(*(s.norms[i] for s in self.snapshots), strict=True)
            table.append([f"‖{names.of(node)}‖", *map(numeral, own)])
            table.append([f"‖{names.gradient(node)}‖", *(NOT_COMPUTED if n is None else numeral(n) for n in gradient)])
        return list(zip(*table, strict=True))

    def _more(self) -> list[str]:
        more = len(self.snapshots[-1].parameters) - _SHOWN
        what = f"… and {more} more parameter{'s' * (more > 1)}: the norms of each snapshot has them all"
        return [what] if more > 0 else []

    def __repr__(self) -> str:
        count = len(self.snapshots)
        return f"<Recording of {count} snapshot{'s' * (count != 1)}, {self.updates} step{'s' * (self.updates != 1)}>"


def _least_missed(turns: Sequence[int]) -> int:
    """Which of some moments can go, neither the first nor the last: the roundest numbers, in twos, stay.

    So what is left stands at even distances whenever the training ends; of equally round ones, the one between the
    nearest neighbours goes.
    """
    return min(range(1, len(turns) - 1), key=lambda k: (turns[k] & -turns[k], turns[k + 1] - turns[k - 1]))


def _moment(step: int) -> str:
    return f"after {step} step{'s' * (step != 1)}"


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_model(model: Any) -> None:
    if isinstance(model, type):
        raise TypeError(f"record: model is the class {model.__name__}: make one, {model.__name__}(…)")
    if not callable(getattr(model, "parameters", None)):
        raise TypeError(f"record: model must have parameters(), as an nn.Module has, got {type(model).__name__}")
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError(f"record: the model, {type(model).__name__}, has no parameters: nothing of it is learned")
    for i, parameter in enumerate(parameters):
        if not isinstance(parameter, Tensor):
            raise TypeError(f"record: number {i} of the model's parameters is {type(parameter).__name__}, no Tensor")


def _takes_model(loss: Any) -> bool:
    """Whether `loss` is to be called with the model."""
    if isinstance(loss, type) or not callable(loss):
        what = f"the class {loss.__name__}" if isinstance(loss, type) else type(loss).__name__
        raise TypeError(
            "record: loss must be a function that computes the loss of some examples, loss() or loss(model), got "
            f"{what}"
        )
    try:
        given = inspect.signature(getattr(loss, "forward", loss)).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p.name for p in given if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(needed) > 1:
        raise TypeError(
            "record: loss must be a function that can be called as loss() or loss(model), got one that takes "
            f"({', '.join(needed)}): write lambda: {getattr(loss, '__name__', 'loss')}(model(x), target)"
        )
    return bool(needed)
