"""The tree of a tape: layer calls, loops and their passes, calls of functions, lines, operations.

It is read off where each operation was recorded, which every record knows; nobody has to name anything.
"""

from __future__ import annotations

import ast
import operator
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from autograd import Node, Scope, Tape

from .repeats import repeated
from .statements import Place, place_of
from .unit import Unit, alike, whole

__all__ = ["tree_of"]


class _Item(NamedTuple):
    """A unit among its siblings, and the place of the program that it is of; None of layers and calls.

    `function` is what was called, of a call that is one line.
    """

    unit: Unit
    place: Place | None = None
    function: str = ""

    @property
    def first(self) -> Node:
        return self.unit.nodes[0]

    @property
    def last(self) -> Node:
        return self.unit.nodes[-1]


def tree_of(tape: Tape) -> Unit:
    """The whole tape as a unit."""
    operations = [node for node in tape if not node.is_leaf]
    inside: dict[Scope, set[Any]] = {}
    for node in operations:
        for scope in node.scope.chain():
            inside.setdefault(scope, set()).add((id(node.code), node.lasti))
    # a layer that the program calls in one place is part of that line; one that runs lines of the program has them
    lines = {scope for scope, calls in inside.items() if len(calls) > 1}
    used: dict[Node, list[Node]] = {}
    for node in operations:
        for operand in node.parents:
            used.setdefault(operand, []).append(node)
    (root,) = _each_result(whole("tape", _built(operations, 0, lines)), used)
    return root


def _each_result(unit: Unit, used: Mapping[Node, Sequence[Node]]) -> list[Unit]:
    """A unit in which a line that gives several results is a line for each: ``[tanh(x @ W), exp(x @ W)]``."""
    if unit.kind != "line":
        parts = [one for part in unit.parts for one in _each_result(part, used)]
        same = len(parts) == len(unit.parts) and all(map(operator.is_, parts, unit.parts))
        return [unit if same else replace(unit, parts=tuple(parts))]
    of = {node: k for k, part in enumerate(unit.parts) for node in part.nodes}
    ends, more = {len(unit.parts)}, {0}
    while more - ends:
        ends |= more
        order = sorted(ends)
        stretch = [bisect_right(order, k) for k in range(len(unit.parts))]
        more = {k + 1 for node, k in of.items() if any(user not in of or stretch[of[user]] != stretch[k]
                                                       for user in used.get(node, ()))}  # fmt: skip
    stretches = [unit.parts[a:b] for a, b in pairwise(sorted(ends))]
    if len(stretches) < 2:
        return [unit]
    return [some[0] if len(some) == 1 else whole("line", some, text=unit.text) for some in stretches]


def _built(nodes: Sequence[Node], depth: int, lines: set[Scope]) -> list[Unit]:
    """What some operations, which share `depth` layers around them, are made of."""

    def layer(node: Node) -> Scope | None:
        chain = node.scope.chain()[depth:]
        return chain[0] if chain and chain[0] in lines else None

    items: list[_Item] = []
    for scope, stretch in groupby(nodes, layer):
        if scope is None:
            items += _statements(list(stretch), depth)
        else:
            items.append(_Item(whole("layer", _built(list(stretch), depth + 1, lines), scope)))
    owner = next((item.place.function for item in reversed(items) if item.place is not None), None)
    return repeated([item.unit for item in _loops(_calls(items, owner), 0)])


def _statements(nodes: Sequence[Node], depth: int) -> list[_Item]:
    runs: list[tuple[Place | None, list[Node]]] = []
    for node in nodes:
        place = place_of(node.code, node.lasti) if node.code is not None else None
        if runs and place is not None and _same(runs[-1], place, node, depth):
            runs[-1][1].append(node)
        else:
            runs.append((place, [node]))
    return [_Item(_line(run, place, depth), place) for place, run in runs]


def _same(run: tuple[Place | None, list[Node]], place: Place, node: Node, depth: int) -> bool:
    """Whether an operation goes on with a statement, rather than beginning it once more."""
    before, nodes = run
    last = nodes[-1]
    if before is None or before.statement is not place.statement or before.loops != place.loops:
        return False
    if last.code is not node.code or (place.function is None and not place.loops):
        return True  # outside of functions and loops a statement is run once
    if last.lasti != node.lasti:
        return last.lasti < node.lasti
    # one call of a layer, or of a function that records many operations, makes them all in one place
    calls = [next(iter(n.scope.chain()[depth:]), None) for n in (last, node)]
    if calls[0] is not None or calls[1] is not None:
        return calls[0] is calls[1]
    return next(n for n in nodes if n.lasti == node.lasti and n.code is node.code).op != node.op


def _line(nodes: Sequence[Node], place: Place | None, depth: int) -> Unit:
    parts = _layers(nodes, depth)
    if len(parts) == 1:
        return parts[0]
    return whole("line", repeated(parts), text=place.text if place is not None else "")


def _layers(nodes: Sequence[Node], depth: int) -> list[Unit]:
    """Operations of one line by the layers that it calls."""
    found: list[Unit] = []
    for scope, stretch in groupby(nodes, lambda n: next(iter(n.scope.chain()[depth:]), None)):
        if scope is None:
            found += [Unit("op", (node,)) for node in stretch]
        else:
            found.append(whole("layer", repeated(_layers(list(stretch), depth + 1)), scope))
    return found


# --- calls of functions -----------------------------------------------------------------------------------------------


def _calls(items: Sequence[_Item], owner: Any) -> list[_Item]:
    """The lines of other functions than `owner` as calls of these."""
    found: list[_Item] = []
    i = 0
    while i < len(items):
        item = items[i]
        if item.place is None or item.place.function is owner:
            found.append(item)
            i += 1
            continue
        end, previous = i, item
        for j in range(i + 1, len(items)):
            place = items[j].place
            if place is not None and place.function is owner:
                break
            if place is not None and place.function is item.place.function:
                if _again(previous, items[j], 0):
                    break
                end, previous = j, items[j]
        inner = _loops(_calls(items[i : end + 1], item.place.function), 0)
        parts = repeated([one.unit for one in inner])
        if len(parts) > 1:
            found.append(_Item(whole("call", parts, text=item.place.name)))
        else:
            found.append(_Item(parts[0], function=item.place.name))
        i = end + 1
    return _joined(found)


def _joined(items: Sequence[_Item]) -> list[_Item]:
    """Statements together with the functions of one line that they call: ``f = sigmoid(W @ x + b)``."""
    found: list[_Item] = []
    place = None
    for item in items:
        before = found[-1] if found else None
        if item.function and place is not None and item.function in place.calls:
            assert before is not None
            found[-1] = _Item(_one_line([before.unit, item.unit], place), place)
        elif item.place is not None and before is not None and before.function in item.place.calls:
            place = item.place
            found[-1] = _Item(_one_line([before.unit, item.unit], place), place)
        elif (
            item.place is not None
            and place is not None
            and before is not None
            and before.unit.kind == "line"
            and any(node.code is not item.first.code for node in before.unit.nodes)
            and place.statement is item.place.statement
            and place.loops == item.place.loops
            and before.unit.nodes[0].lasti < item.first.lasti
        ):
            found[-1] = _Item(_one_line([before.unit, item.unit], place), place)
        else:
            place = item.place
            found.append(item)
    return found


def _one_line(units: Sequence[Unit], place: Place) -> Unit:
    parts = [part for unit in units for part in (unit.parts if unit.kind == "line" else (unit,))]
    return whole("line", parts, text=place.text)


def _again(before: _Item, after: _Item, depth: int) -> bool:
    """Whether the program went back between two statements of a function, outside of the loops up to a depth."""
    assert before.place is not None and after.place is not None
    a, b = before.place.at(depth), after.place.at(depth)
    if a != b or len(after.place.loops) > depth:
        return b < a
    return before.last.code is after.first.code and after.first.lasti <= before.last.lasti


# --- loops ------------------------------------------------------------------------------------------------------------


def _loops(items: Sequence[_Item], depth: int) -> list[_Item]:
    """Items with those of a loop as one, made of its passes."""
    found: list[_Item] = []
    i = 0
    while i < len(items):
        loop = _loop(items[i], depth)
        if loop is None:
            found.append(items[i])
            i += 1
            continue
        own = [i]
        for j in range(i + 1, len(items)):
            if _loop(items[j], depth) is loop:
                own.append(j)
            elif items[j].place is not None:
                break
        starts = [k for before, k in pairwise(own) if _again(items[before], items[k], depth + 1)]
        start, end, starts = _foreign(items, own, starts)
        if not starts:
            found += _loops(items[i : own[-1] + 1], depth + 1)
            i = own[-1] + 1
            continue
        moved = i - start
        del found[len(found) - moved :]
        passes: list[Unit] = []
        for a, b in zip([start, *starts], [*starts, end], strict=True):
            inner = repeated([one.unit for one in _loops(items[a:b], depth + 1)])
            passes.append(whole("pass", inner, number=len(passes) + 1))
        place = items[i].place
        assert place is not None
        found.append(_Item(whole("loop", passes, text=_head(loop)), place._replace(loops=place.loops[:depth])))
        i = end
    return found


def _loop(item: _Item, depth: int) -> Any:
    loops = item.place.loops if item.place is not None else ()
    return loops[depth] if depth < len(loops) else None


def _foreign(items: Sequence[_Item], own: Sequence[int], starts: Sequence[int]) -> tuple[int, int, list[int]]:
    """Where a loop begins and ends, and where its further passes begin: calls between two passes belong to the one
    before if the last pass has such, too, else to the one that follows."""
    first, end = own[0], own[-1] + 1
    if not starts:
        return first, end, []
    previous = {k: before for before, k in pairwise(own)}
    gap = starts[0] - previous[starts[0]] - 1
    calls = [alike(item.unit) for item in items[starts[0] - gap : starts[0]]]
    after, before = items[end : end + gap], items[max(first - gap, 0) : first]
    if gap and calls == [alike(item.unit) for item in after]:
        return first, end + gap, list(starts)
    begins = first - gap if gap and calls == [alike(item.unit) for item in before] else first
    return begins, end, [previous[k] + 1 for k in starts]


def _head(loop: Any) -> str:
    if isinstance(loop, ast.For | ast.AsyncFor):
        return f"for {ast.unparse(loop.target)} in {ast.unparse(loop.iter)}"
    if isinstance(loop, ast.While):
        return f"while {ast.unparse(loop.test)}"
    one = loop.generators[0]
    return f"for {ast.unparse(one.target)} in {ast.unparse(one.iter)}"
