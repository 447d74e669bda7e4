"""What a function did, call by call, for code that looks at HIPS autograd's traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .extend import getval, isbox, notrace_primitive, primitive, register_notrace
from .node import Node as _Record
from .tape import Tape
from .tracing import Trace

__all__ = ["Node", "getval", "isbox", "notrace_primitive", "primitive", "register_notrace", "toposort", "trace"]


class Node:
    """A record of one call, to be subclassed: `trace` makes one for each call that depends on the argument."""

    def __init__(self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Any):
        raise NotImplementedError

    def initialize_root(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    @classmethod
    def new_root(cls, *args: Any, **kwargs: Any) -> Any:
        root = cls.__new__(cls)
        root.initialize_root(*args, **kwargs)
        return root


def trace(start_node: Any, fun: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    """The value of ``fun(x)``, and the record of it, of the class of `start_node`, the record of `x`.

    The records are made once `fun` has returned, in the order of its calls. The record is None where the value does
    not depend on `x`.
    """
    run = Trace(fun, (x,), (0,), "trace")
    if not isbox(run.out):
        return run.out, None
    tape = Tape(run.out)
    made: dict[_Record, Any] = {variable.node: start_node for variable in run.inputs}
    for record in tape:
        argnums = tuple(i for i, a in enumerate(record.operands) if isinstance(a, _Record) and a in made)
        if argnums and record not in made:
            args = tuple(tape.value(a)[()] if isinstance(a, _Record) else a for a in record.operands)
            parents = tuple(made[record.operands[i]] for i in argnums)
            value = tape.value(record)[()]
            made[record] = type(start_node)(value, record.rule.fn, args, record.kwargs, argnums, parents)
    return run.finished(run.out), made.get(tape.root)


def toposort(end_node: Any, parents: Callable[[Any], Any] = lambda node: node.parents) -> Iterator[Any]:
    """The records that `end_node` was made from, itself first, each before those that it was made from."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(end_node, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(parent, False) for parent in parents(node)]
    return reversed(order)
