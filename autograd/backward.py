"""The way backward: one sweep over the records, latest first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import float64, ndarray

from .node import FLOAT64, Node
from .rules.indexing import Scattered
from .rules.shapes import sum_to_shape


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
