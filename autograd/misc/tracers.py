"""Functions that run once and are then repeated from their records."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..forward import record
from ..nests import leaves
from ..node import Node
from ..registry import Rule
from ..tape import Tape
from ..tensor import Tensor
from ..tracing import Trace

__all__ = ["const_graph"]


def const_graph(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """`fun`, with its first arguments given, as a function of the others that runs it once.

    Later calls repeat the operations that were recorded then, on other numbers: no Python of `fun` runs, so that no
    branch is taken anew.
    """
    kept: list[tuple[Tape, list[Node]]] = []

    @functools.wraps(fun)
    def call(*rest: Any) -> Any:
        if not kept:
            positions = tuple(range(len(rest)))
            run = Trace(lambda *rest: fun(*args, *rest, **kwargs), rest, positions, "const_graph")
            if not isinstance(run.out, Tensor):
                raise ValueError(f"const_graph: the result of {fun.__name__} does not depend on its arguments")
            kept.append((Tape(run.out), [variable.node for variable in run.inputs]))
            return run.finished(run.out)
        tape, inputs = kept[0]
        values: dict[Node, Any] = dict(zip(inputs, leaves(rest), strict=True))
        for node in tape:
            if node not in values and any(parent in values for parent in node.parents):
                operands = [
                    a if not isinstance(a, Node) else values[a] if a in values else tape.value(a) for a in node.operands
                ]
                run_again = record if any(isinstance(a, Tensor) for a in operands) else _on_numbers
                values[node] = run_again(node.rule, tuple(operands), node.kwargs)
        return values[tape.root]

    return call


def _on_numbers(rule: Rule, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return rule.op(*operands, **options)
