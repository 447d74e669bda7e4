"""What layer calls, loops and calls of functions are called in a picture."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from autograd import Scope

from ..plain.numbers import clean
from .unit import Unit

__all__ = ["common", "scope_title", "title_of"]


def scope_title(scope: Scope) -> str:
    return clean(scope.name) + (f" · {clean(scope.kind, 24)}" if scope.kind else "")


def title_of(unit: Unit) -> str:
    """``softmax(…)`` of a call, ``pass 3``, ``for t in range(T) ×8`` of passes, ``Block ×12`` where each is one layer
    call, else what follows each other: ``matmul → tanh ×50``."""
    if unit.scope is not None:
        return scope_title(unit.scope)
    if unit.kind == "call":
        return f"{clean(unit.text)}(…)"
    if unit.kind == "pass" and unit.number:
        return f"pass {unit.number}"
    passes = bool(unit.parts) and unit.parts[0].kind == "pass"
    times = f" ×{len(unit.parts)}" if passes and not unit.number else ""
    if unit.text:
        return clean(unit.text) + times
    parts = unit.parts[0].parts if passes else unit.parts
    one = common([node.scope.chain() for part in parts for node in part.nodes])
    if passes and len(one) > len(unit.around):
        scope = one[len(unit.around)]
        return clean(scope.kind or scope.name, 24) + times
    words = [_word(part) for part in parts[:4]]
    return " → ".join(words + ["…"] * (len(parts) > 4)) + times


def _word(unit: Unit) -> str:
    if unit.scope is not None:
        return clean(unit.scope.kind or unit.scope.name, 24)
    return title_of(unit) if unit.kind in ("loop", "call") else clean(unit.nodes[-1].op, 24)


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
