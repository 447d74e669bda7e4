"""A gradient that is right, but of another record than the one it was given for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from autograd import Node

from ...plain.numbers import listed
from ..pushing import Change
from ..trials import Scene, Trial, constantly, slip


@slip("given under another name", 39, generic=True, chancy=True)
def another_name(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    whose: dict[Node, Node] = {}
    known = sorted(scene.gradients, key=lambda n: (n not in scene.given, not n.is_leaf, not n.name))
    for one in scene.wrong:
        if not np.ptp(one.array):
            continue  # ones are the gradient of much
        for other in known:
            if other is not one.node and one.agrees(scene.gradients[other]):
                whose[one.node] = other
                break
    for node, other in list(whose.items()):
        if whose.get(other) is not node and any(after is other for after, _ in scene.sweeper.into[node]):
            del whose[node]  # the step between the two was left out, which has a name of its own
    choices = ([list(whose)] if len(whose) > 1 else []) + [[node] for node in whose]
    for nodes in choices:
        ends = {node: partial(constantly, np.asarray(scene.gradients[whose[node]])) for node in nodes}
        said = [f"those given as {w.gradient(node)} are {w.gradient(whose[node])}" for node in nodes]
        if len(nodes) == 1 and nodes[0] in scene.sweeper.reached(whose[nodes[0]]):
            said[0] += ", as where the steps between are left out"
        yield Trial(nodes[0], listed(said).replace("those given", "the numbers given", 1), Change(ends=ends))
