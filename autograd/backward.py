"""The way backward: one sweep over the records, latest first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from numpy import float64, ndarray

from .errors import in_rule
from .node import FLOAT64, Node
from .rules.indexing import Scattered
from .rules.shapes import cast, fitted


class Contribution(NamedTuple):
    """What one step sends to one operand: the operand's position and record, and the gradient it gets from here."""

    position: int
    node: Node
    sent: Any  # as the rule gave it, which may be a few elements of an array alone

    @property
    def grad(self) -> Any:
        """The gradient, an array."""
        return self.sent.dense() if self.sent.__class__ is Scattered else self.sent


class Step(NamedTuple):
    """One step of the backward sweep: a record, its whole gradient, and what it contributes to its operands."""

    node: Node
    grad: Any
    contributions: Sequence[Contribution]


def sweep(
    root: Node, seed: Any, *, lift: Callable[[Node], Any] | None = None, oldest: int = -1,
    stop: frozenset[Node] = frozenset(), detailed: bool = True, run: Callable[..., Any] | None = None,
) -> Iterator[Step]:  # fmt: skip
    """Go backward from `root`, one record at a time, latest first: the one place where gradients flow.

    Parameters
    ----------
    root : Node
    seed : array or Tensor
        The gradient of the loss with respect to `root`, of its shape and dtype.
    lift, run : callable, optional
        What a rule is handed for the value of a record; Tensors record the sweep itself. Unless told, the array, or
        the record (which has shape and dtype) where no rule reads more of it. With `lift`: what runs the rules instead.
    oldest, stop : int, frozenset of Node, optional
        Records made before the one are not visited, those in the other are treated as leaves.
    detailed : bool, optional
        False leaves out what only a reader needs: contributions, and steps of intermediates that nobody retains.

    Yields
    ------
    Step
        Once for each record that a gradient reaches, after its rules have run. Its gradient is complete: records are
        visited in the reverse of the order they were made in.
    """
    if not root.needs_grad:
        return
    grads: dict[int, Any] = {}
    owned: set[int] = set()  # the gradients that nothing else holds, which may be added into, but never a Tensor
    own = owned.add if lift is None else owned.discard
    waiting: dict[int, Node] = {}
    heap: list[int] = []
    push, pop, make = heapq.heappush, heapq.heappop, tuple.__new__
    held: Node | None = None  # the latest record found, most often the next one: beside the heap, not in it
    node, g, held_key = root, seed, -1
    while True:
        args = node.args
        if args is None or (stop and node in stop):
            yield make(Step, (node, g, ()))
        else:
            kwargs, vjps, variadic = node.kwargs, node.rule.vjps, node.rule.variadic
            out = node if node.kept is None else node.kept
            binary = len(args) == 2 and not kwargs and variadic is None and lift is None
            if binary:  # spelled out: operators are the hot path
                x, y = args
                x = x.kept if x.__class__ is Node and x.kept is not None else x
                y = y.kept if y.__class__ is Node and y.kept is not None else y
            elif lift is None:
                operands = [a if a.__class__ is not Node or a.kept is None else a.kept for a in args]
            else:
                out, operands = lift(node), [lift(a) if a.__class__ is Node else a for a in args]
            contributions: Any = [] if detailed else ()
            i = -1
            for parent in args:
                i += 1
                if parent.__class__ is not Node or not parent.needs_grad or (key := parent.seq) < oldest:
                    continue
                try:
                    if binary:
                        c = vjps[i](g, out, x, y)  # type: ignore[misc]
                    elif run is not None:
                        c = run(node, i, g, out, operands)
                    elif variadic is not None:
                        c = variadic(g, out, i, *operands, **kwargs)
                    else:
                        c = vjps[i](g, out, *operands, **kwargs)  # type: ignore[misc]
                    if c.__class__ is not float64 or parent.dtype is not FLOAT64 or parent.shape:
                        if getattr(c, "shape", None) != parent.shape:
                            c = fitted(c, parent.shape, node.shape)
                        if c.dtype is not parent.dtype:
                            c = cast(c, parent.dtype)
                except Exception as error:
                    error.add_note(in_rule(node, i))
                    raise
                if detailed:
                    contributions.append(make(Contribution, (i, parent, c)))
                kind = c.__class__
                total = grads.get(key)
                if total is not None:
                    if kind is Scattered:
                        grads[key] = c.added_to(total, key in owned)
                        own(key)
                    elif key in owned:
                        total += c
                    else:
                        grads[key] = total = total + c
                        if total.__class__ is ndarray:
                            own(key)
                    continue
                if kind is Scattered or (kind is ndarray and parent.args is None and (c is g or c.base is not None)):
                    c = c.copy()  # what a leaf gets is its own
                    own(key)
                grads[key] = c
                if held is not None:
                    if key < held_key:
                        parent, key, held, held_key = held, held_key, parent, key
                    waiting[held_key] = held
                    push(heap, -held_key)
                held, held_key = parent, key
            if detailed or node.holder is not None:
                yield make(Step, (node, g, contributions))
        if held is not None and (not heap or held_key > -heap[0]):
            node, g, held = held, grads.pop(held_key), None
        elif heap:
            key = -pop(heap)
            node, g = waiting.pop(key), grads.pop(key)
        else:
            return
