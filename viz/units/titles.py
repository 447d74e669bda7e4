"""What layer calls and runs of operations are called in a picture."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from autograd import Scope

from ..plain.numbers import clean
from .collapse import Unit

__all__ = ["common", "run_title", "scope_title"]


def scope_title(scope: Scope) -> str:
    return clean(scope.name) + (f" · {clean(scope.kind, 24)}" if scope.kind else "")


def run_title(unit: Unit) -> str:
    """``Block ×12`` where each repeat is one layer call, else what follows each other: ``matmul → tanh ×50``."""
    times = f" ×{unit.repeats}" if unit.repeats else ""
    one = common([node.scope.chain() for part in unit.parts for node in part.nodes])
    if times and len(one) > len(unit.around):
        scope = one[len(unit.around)]
        return clean(scope.kind or scope.name, 24) + times
    words = [
        clean(part.scope.kind or part.scope.name, 24) if part.scope is not None else clean(part.nodes[-1].op, 24)
        for part in unit.parts[:4]
    ]
    words += ["…"] if len(unit.parts) > 4 or not unit.repeats else []
    return " → ".join(words) + times


def common(chains: Sequence[tuple[Scope, ...]]) -> tuple[Scope, ...]:
    """The scopes that some chains begin with."""
    if not chains:
        return ()
    first = chains[0]
    length = min(len(chain) for chain in chains)
    same = 0
    while same < length and all(operator.is_(chain[same], first[same]) for chain in chains):
        same += 1
    return first[:same]
