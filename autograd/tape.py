"""The tape: one record per operation, the order they were made in, and the one backward sweep over them.

A record knows *what was called* (a row of the rule table, its operands, its options), not a closure: so it can be
shown, stepped through, computed again and explained. Records point at the records of their operands; these pointers
own the memory. The tape is just their order.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .bytecode import Source, source_of
from .listing import html_table, rows_of, text_table
from .operands import constant
from .recording import Scope
from .registry import Rule
from .rules.indexing import Scattered
from .rules.shapes import sum_to_shape

__all__ = ["Contribution", "Node", "Step", "Tape", "sweep"]

ndarray, float64, FLOAT64 = np.ndarray, np.float64, np.dtype(np.float64)

LEAF = Rule(lambda: None, "leaf")
"""What stands in the place of a rule on a Tensor that no operation made."""

VARIABLE = Rule(lambda: None, "leaf")
"""... on the argument that a transform differentiates by."""

NO_OPTIONS: dict[str, Any] = {}


class Node:
    """The record of one operation, or of a leaf.

    Attributes
    ----------
    rule : Rule
        The row of the table: ``rule.name`` is the operation. On leaves, their kind: ``"leaf"``, ``"parameter"``.
    args : tuple or None
        The operands in order, repeated ones repeated: a `Node` where it was a Tensor, else the constant. None: a leaf.
    kwargs : dict
        The options (``axis=1``).
    kept : array or None
        The value, where a rule needs it (always on leaves); `value` computes it again where it was dropped.
    shape, dtype
        Of the value.
    seq : int
        When it was made, in a count that all records share.
    scope : Scope
        The layer call it was made in.
    needs_grad : bool
        Whether a gradient flows through it.
    name : str or None
        ``"z⁽¹⁾"``, where it has one.
    """

    __slots__ = (
        "args",
        "code",
        "dtype",
        "holder",
        "kept",
        "kwargs",
        "lasti",
        "name",
        "needs_grad",
        "rule",
        "scope",
        "seq",
        "shape",
    )

    rule: Rule
    args: tuple[Any, ...] | None
    kwargs: dict[str, Any]
    kept: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    seq: int
    scope: Scope
    needs_grad: bool
    name: str | None
    holder: Any
    code: Any
    lasti: int

    @property
    def op(self) -> str:
        """The name of the operation."""
        return str(self.rule.name)

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made it."""
        return self.args is None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def operands(self) -> tuple[Any, ...]:
        """The operands; empty on leaves."""
        return self.args or ()

    @property
    def parents(self) -> tuple[Node, ...]:
        """The operands that are records themselves, in order, repeated ones repeated."""
        return tuple(a for a in self.args or () if isinstance(a, Node))

    @property
    def value(self) -> Any:
        """The array, computed again from its operands if it was dropped. Read-only."""
        return as_array(self.kept if self.kept is not None else replay(reachable(self, stop_at_kept=True))[self])

    @property
    def source(self) -> Source | None:
        """The line of the user's program that made it."""
        if self.code is None:
            return None
        return source_of(self.code, self.lasti)

    def __repr__(self) -> str:
        name = f" {self.name}" if self.name else ""
        return f"<Node{name}: {self.op} {self.shape} {self.dtype}>"


def as_array(value: Any) -> Any:
    """A value as it is handed out: an array, also where it is 0-d, and read-only."""
    if isinstance(value, np.generic):
        value = np.array(value)
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    return value


def reachable(root: Node, *, stop_at_kept: bool = False) -> list[Node]:
    """The records that `root` was made from, itself included, oldest first.

    With `stop_at_kept`, only as far back as is needed to compute `root` again.
    """
    seen = {root}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.args is None or (stop_at_kept and node.kept is not None):
            continue
        for arg in node.args:
            if arg.__class__ is Node and arg not in seen:
                seen.add(arg)
                stack.append(arg)
    return sorted(seen, key=lambda node: node.seq)


def replay(nodes: Iterable[Node]) -> dict[Node, Any]:
    """The value of each of `nodes` (oldest first), computed again where it was dropped."""
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.kept is not None:
                values[node] = node.kept
            else:
                args = [values[a] if a.__class__ is Node else a for a in node.args or ()]
                values[node] = node.rule.op(*args, **node.kwargs)
    return values


# --- the backward sweep -----------------------------------------------------------------------------------------------


class Contribution(NamedTuple):
    """What one step sends to one operand: the operand's position and record, and the gradient it gets from here."""

    position: int
    node: Node
    grad: Any

    def dense(self) -> Any:
        """The gradient as an array."""
        return self.grad.dense() if self.grad.__class__ is Scattered else self.grad


class Step(NamedTuple):
    """One step of the backward sweep: a record, its whole gradient, and what it contributes to its operands."""

    node: Node
    grad: Any
    contributions: Sequence[Contribution]


def sweep(
    root: Node,
    seed: Any,
    *,
    lift: Callable[[Node], Any] | None = None,
    oldest: int = -1,
    stop: frozenset[Node] = frozenset(),
    detailed: bool = True,
) -> Iterator[Step]:
    """Go backward from `root`, one record at a time, latest first: the one place where gradients flow.

    Parameters
    ----------
    root : Node
    seed : array or Tensor
        The gradient of the loss with respect to `root`, of its shape and dtype.
    lift : callable, optional
        What a rule is handed for the value of a record; Tensors record the sweep itself. Unless told, the array, or
        the record (which has shape and dtype) where no rule reads more of it.
    oldest : int, optional
        Records made before this one are not visited.
    stop : frozenset of Node, optional
        Records to treat as leaves.
    detailed : bool, optional
        False leaves out what only a reader needs: the contributions, and the steps of intermediates that nobody
        asked to retain.

    Yields
    ------
    Step
        Once for each record that a gradient reaches, after its rules have run. Its gradient is complete: records are
        visited in the reverse of the order they were made in.
    """
    if not root.needs_grad:
        return
    grads: dict[int, Any] = {}
    waiting: dict[int, Node] = {}
    owned: set[int] = set()
    heap: list[int] = []
    push, pop, make = heapq.heappush, heapq.heappop, tuple.__new__
    # The latest record found so far is most often the next one: it is held beside the heap, not in it.
    held: Node | None = None
    held_key = -1
    node, g = root, seed
    while True:
        args = node.args
        if args is None or (stop and node in stop):
            yield make(Step, (node, g, ()))
        else:
            rule, kwargs = node.rule, node.kwargs
            vjps, variadic = rule.vjps, rule.variadic
            binary = len(args) == 2 and not kwargs and variadic is None  # spelled out: operators are the hot path
            operands: list[Any] | tuple[Any, ...] = args
            if lift is not None:
                out = lift(node)
                operands = [lift(a) if a.__class__ is Node else a for a in args]
                if binary:
                    x, y = operands
            else:
                out = node if node.kept is None else node.kept
                if binary:
                    x, y = args
                    if x.__class__ is Node and x.kept is not None:
                        x = x.kept
                    if y.__class__ is Node and y.kept is not None:
                        y = y.kept
                else:
                    operands = [a if a.__class__ is not Node or a.kept is None else a.kept for a in args]
            contributions: Any = [] if detailed else ()
            i = -1
            for parent in args:
                i += 1
                if parent.__class__ is not Node or not parent.needs_grad:
                    continue
                key = parent.seq
                if key < oldest:
                    continue
                try:
                    if binary:
                        c = vjps[i](g, out, x, y)  # type: ignore[misc]
                    elif variadic is not None:
                        c = variadic(g, out, i, *operands, **kwargs)
                    else:
                        c = vjps[i](g, out, *operands, **kwargs)  # type: ignore[misc]
                    if c.__class__ is not float64 or parent.dtype is not FLOAT64 or parent.shape:
                        if not hasattr(c, "shape"):
                            raise TypeError(f"a derivative rule must return an array, got {type(c).__name__}")
                        if c.shape != parent.shape:
                            c = _fitted(c, parent, node)
                        if c.dtype is not parent.dtype:
                            c = c.astype(parent.dtype)
                except Exception as error:
                    error.add_note(_blame(node, i))
                    raise
                if detailed:
                    contributions.append(make(Contribution, (i, parent, c)))
                total = grads.get(key)
                if total is None:
                    if held is None:
                        held, held_key = parent, key
                    else:
                        later, earlier = (parent, held) if key > held_key else (held, parent)
                        waiting[earlier.seq] = earlier
                        push(heap, -earlier.seq)
                        held, held_key = later, later.seq
                    if c.__class__ is Scattered:
                        c = c.dense()
                        owned.add(key)
                    elif parent.args is None and c.__class__ is ndarray and (c is g or c.base is not None):
                        c = c.copy()  # what a leaf gets is its own
                        owned.add(key)
                    grads[key] = c
                elif c.__class__ is Scattered:
                    if key not in owned:
                        grads[key] = total = np.array(total)
                        owned.add(key)
                    c.add_into(total)
                elif key in owned:
                    total += c
                else:
                    grads[key] = total = total + c
                    if total.__class__ is ndarray:
                        owned.add(key)
            if detailed or node.holder is not None:
                yield make(Step, (node, g, contributions))
        if held is not None and (not heap or held_key > -heap[0]):
            node, g, held = held, grads.pop(held_key), None
        elif heap:
            key = -pop(heap)
            node, g = waiting.pop(key), grads.pop(key)
        else:
            return


def _fitted(c: Any, parent: Node, node: Node) -> Any:
    """A gradient summed to the shape of its operand, over what broadcasting stretched."""
    if c.ndim > max(len(parent.shape), len(node.shape)):
        raise ValueError(
            f"a gradient of shape {c.shape} has more axes than the result, of shape {node.shape}, and than the "
            f"operand, of shape {parent.shape}"
        )
    return sum_to_shape(c, parent.shape)


def _blame(node: Node, i: int) -> str:
    source = node.source
    where = f", recorded at {source}: {source.text}" if source else ""
    name = f" {node.name}" if node.name else ""
    return f"in the derivative rule of {node.op}{name} for operand {i}{where}"


# --- the tape as a sequence -------------------------------------------------------------------------------------------


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
        from .labels import instead, record_called

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
        return seed_for(self.root, grad)

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
        return text_table(rows_of(self))

    def _repr_html_(self) -> str:
        return html_table(rows_of(self))

    def __repr__(self) -> str:
        return f"<Tape of {len(self)} records, ends with {self.root!r}>"


def seed_for(root: Node, grad: Any) -> Any:
    """Check the gradient that a sweep from `root` starts from; without one, 1 for a scalar."""
    if not root.needs_grad:
        if root.dtype.kind != "f":
            why = f"its dtype is {root.dtype}; only floating-point values have gradients"
        elif root.is_leaf:
            why = "no recorded operation made it, and it was told not to require one (or recording was off)"
        else:
            whole = next((n for n in reachable(root) if n.is_leaf and n.dtype.kind in "iu"), None)
            why = "nothing that it was made from requires one (or an operation without a derivative stands between)"
            if whole is not None:
                why = f"it was made from {describe(whole)} and dtype {whole.dtype}, which has none; write 2.0 for 2"
        raise ValueError(f"no gradient flows from {describe(root)}: {why}")
    if grad is None:
        if root.shape != () and root.size != 1:
            raise ValueError(
                f"backward from {describe(root)} needs a gradient to start from, as it is not a scalar: "
                f"give one of shape {root.shape}, backward(np.ones({root.shape})), or sum it to a scalar first"
            )
        return np.ones(root.shape, root.dtype) if root.shape else root.dtype.type(1)
    if getattr(grad, "_record", None) is None:
        grad = np.array(constant(grad))
        if grad.dtype.kind not in "fiub":
            raise TypeError(f"the starting gradient must be real numbers, got dtype {grad.dtype}")
    if grad.shape != root.shape:
        raise ValueError(f"the starting gradient has shape {grad.shape}, expected that of {describe(root)}")
    return grad if grad.dtype == root.dtype else grad.astype(root.dtype)


def describe(node: Node) -> str:
    """A record in an error message: its name if it has one, the operation, the shape."""
    if node.name:
        return f"{node.name} of shape {node.shape}"
    return f"{'a Tensor' if node.is_leaf else f'the result of {node.op}'} of shape {node.shape}"
