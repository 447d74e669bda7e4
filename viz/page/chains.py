"""The chain rule of each parameter for the page: its products, each factor with the steps that take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Node

from ..derivation.chain import chain
from ..plain.numbers import counted
from ..walk.walk import Walk

_MOST_WORK = 3000
"""So many records may be looked at for all chains together: about half a second."""
_ELEMENTS = 20_000
"""So many numbers take as long as a record."""


def chains_of(walk: Walk, watched: Sequence[Node] = ()) -> dict[str, Any] | None:
    """The chains of parameters, of what is watched, and of other inputs, as far as there is time for them."""
    wanted = [node for node in walk.tape if node.is_leaf and node in walk.gradients and node is not walk.tape.root]
    learned = [node for node in wanted if node.op == "parameter"]
    asked = [node for node in watched if node in walk.gradients and node is not walk.tape.root]
    left, skipped = float(_MOST_WORK), 0
    factors: dict[tuple[Any, ...], int] = {}
    table: list[dict[str, Any]] = []
    found = []
    places: dict[tuple[Node, Node], list[int]] = {}  # the steps of what is sent from a record to another
    complete: dict[Node, list[int]] = {}  # and those at which a gradient is whole
    for step in (step for step in walk if step.phase == "backward"):
        places.setdefault((step.node, step.target), []).append(step.number)
        if step.is_complete:
            complete.setdefault(step.target, []).append(step.number)
    for node in dict.fromkeys([*learned, *asked, *wanted]):
        work = _work(walk, node, left)
        if work > left:
            skipped += 1
            continue
        left -= work
        made = chain(walk.run, node)
        if made is None:
            continue
        for factor in (factor for term in made.terms for factor in term):
            key = (factor.above, factor.below, factor.text.plain)
            if key not in factors:
                factors[key] = len(table)
                taken = [k for pair in factor.between for k in places.get(pair, ())]
                taken += complete.get(factor.below, ()) if factor.whole else ()
                told = {"ml": factor.text.mathml, "plain": factor.text.plain, "latex": factor.text.latex}
                table.append({**told, "steps": sorted({*taken})})
        terms = [[factors[f.above, f.below, f.text.plain] for f in term] for term in made.terms]
        found.append({
            "node": walk.tape.index(node), "latex": made.target.latex, "terms": terms,
            **({"more": made.more} if made.more else {}),
        })  # fmt: skip
    if not found:
        return None
    note = f"{counted(skipped, 'more chain')} would take too long here; viz.derive(loss, wrt=…) has each"
    return {"factors": table, "of": found, **({"left": note} if skipped else {})}


def _work(walk: Walk, node: Node, most: float) -> float:
    """What the derivation by a record takes, in records; counted no further than `most`."""
    depends, work = {node}, 0.0
    for one in walk.tape:
        if one is node or not depends.isdisjoint(one.parents):
            depends.add(one)
            work += 1 + one.size / _ELEMENTS
            if work > most:
                break
    return work
