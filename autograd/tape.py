"""The tape: the records that a value was made from, in the order they were made in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .backward import Step, sweep
from .errors import describe, no_gradient
from .labels import instead, record_called
from .libraries import foreign
from .listing import html_table, rows_of, text_table
from .node import Node, reachable, replay
from .operands import as_array, constant

__all__ = ["Tape", "seed_for"]


class Tape(Sequence[Node]):
    """The records that a value was made from, in the order they were made: indexable, printable, steppable.

    Parameters
    ----------
    loss : Tensor
        Any recorded Tensor; gradients are those of this one.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> x, y = Tensor(4.0, name="x"), Tensor(-3.0, name="y")
    >>> tape = Tape((x * y).sum())
    >>> [node.op for node in tape]
    ['leaf', 'leaf', 'multiply', 'sum']
    >>> float(tape.gradients()[tape["x"]])
    -3.0
    """

    def __init__(self, loss: Any):
        unrecorded = getattr(loss, "_node", loss) is None
        root = loss if isinstance(loss, Node) else getattr(loss, "node", None)
        if root is None or unrecorded:
            what = "a Tensor that was made while recording was off" if unrecorded else type(loss).__name__
            raise TypeError(f"Tape expects a recorded Tensor, got {what}")
        self.root: Node = root
        self.nodes: tuple[Node, ...] = tuple(reachable(root))
        self._index = {node: i for i, node in enumerate(self.nodes)}
        self._values: dict[Node, Any] | None = None

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.find(key)
        return self.nodes[key]

    def find(self, name: str) -> Node:
        """The record that a name is printed for: the latest of its own name, ``%7`` by its place on the tape, ``L``,
        ``h (2)``; the error names the nearest."""
        found = record_called(self, name)
        if found is None:
            raise KeyError(f"no record is named {name!r}; {instead(self, name)}")
        return found

    def record_of(self, what: Any) -> Node | None:
        """The record on this tape of a Tensor, or itself; None where there is none.

        A leaf whose data were replaced since (a parameter after an optimiser's step) is found by what holds it.
        """
        node = what if isinstance(what, Node) else getattr(what, "node", None)
        if node is None or node in self._index:
            return node
        return next((n for n in self.nodes if n.is_leaf and n.holder is not None and n.holder() is what), None)

    def index(self, node: Any, *_: Any) -> int:
        """The position of a record (or of a Tensor's record) on this tape."""
        node = node if isinstance(node, Node) else getattr(node, "node", None)
        if node not in self._index:
            raise ValueError("that record is not on this tape")
        return self._index[node]

    def __contains__(self, node: object) -> bool:
        return (node if isinstance(node, Node) else getattr(node, "node", None)) in self._index

    def value(self, node: Node) -> Any:
        """The value of a record: an array, read-only, computed again where it was dropped."""
        if self._values is None:
            self._values = replay(self.nodes)
        return as_array(self._values[node])

    def seed(self, grad: Any = None) -> Any:
        """The gradient that a sweep starts from: `grad`, checked, or 1 for a scalar."""
        return seed_for(self.root, grad, next((n.kept for n in self.nodes if n.is_leaf and foreign(n.kept)), None))

    def steps(self, grad: Any = None) -> Iterator[Step]:
        """The backward sweep, one step at a time.

        Parameters
        ----------
        grad : array, optional
            The gradient to start from, of the shape of the loss; needed where the loss is not a scalar.
        """
        moving = sweep(self.root, self.seed(grad))
        while True:
            with np.errstate(all="ignore"):
                step = next(moving, None)
            if step is None:
                return
            yield step

    def gradients(self, grad: Any = None) -> dict[Node, Any]:
        """The gradient of every record that one reaches. A record that is missing has none (which is not zero)."""
        return {step.node: as_array(step.grad) for step in self.steps(grad)}

    def __str__(self) -> str:
        return text_table(rows_of(self, self.value))

    def _repr_html_(self) -> str:
        return html_table(rows_of(self, self.value))

    def __repr__(self) -> str:
        return f"<Tape of {len(self)} records, ends with {self.root!r}>"


def seed_for(root: Node, grad: Any, like: Any = None) -> Any:
    """Check the gradient that a sweep from `root` starts from; without one, 1 of `like`'s library for a scalar."""
    if not root.needs_grad:
        raise no_gradient(root, next((n for n in reachable(root) if n.is_leaf and n.dtype.kind in "iu"), None))
    if grad is None:
        if root.shape != () and root.size != 1:
            raise ValueError(
                f"backward from {describe(root)} needs a gradient to start from, as it is not a scalar: "
                f"give one of shape {root.shape}, backward(np.ones({root.shape})), or sum it to a scalar first"
            )
        if root.dtype.kind == "c":
            raise TypeError(
                f"backward from {describe(root)} and dtype {root.dtype} needs a gradient to start from, as only a real "
                "scalar has one of its own: take np.real, np.abs(...)**2 or another real number of it first"
            )
        if foreign(like):
            return np.ones_like(like, root.dtype, shape=root.shape)
        return np.ones(root.shape, root.dtype) if root.shape else root.dtype.type(1)
    if getattr(grad, "_record", None) is None and not foreign(grad):
        grad = np.array(constant(grad))
    if grad.dtype.kind not in ("fiubc" if root.dtype.kind == "c" else "fiub"):
        what = "numbers" if root.dtype.kind == "c" else f"real numbers, as {describe(root)} is"
        raise TypeError(f"the starting gradient must be {what}, got dtype {grad.dtype}")
    if grad.shape != root.shape:
        raise ValueError(f"the starting gradient has shape {grad.shape}, expected that of {describe(root)}")
    return grad if grad.dtype == root.dtype else grad.astype(root.dtype)
