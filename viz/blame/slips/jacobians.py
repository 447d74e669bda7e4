"""The diagonal of a Jacobian alone, where each result depends on all operands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ..pushing import Change
from ..trials import Scene, Trial, slip

_MOST_NUMBERS = 64
_MOST_BETWEEN = 20


@slip("only the diagonal of the Jacobian", 48, generic=2)
def diagonal(scene: Scene) -> Iterator[Trial]:
    """As if a normalised vector were made element by element."""
    w = scene.words
    for a in scene.nodes():
        if not 1 < a.size <= _MOST_NUMBERS or not w.has(a):
            continue
        for z, between in _same_shape(scene, a):
            own = _diagonal(scene, a, z, between)
            sentence = (
                f"of the derivative of {w.made(a)} by {w.say(z)} the diagonal alone was taken, as if no element "
                "depended on another one"
            )
            yield Trial(a, sentence, Change(past={a: (z, partial(np.multiply, own))}), 0)


def _same_shape(scene: Scene, a: Node) -> Iterator[tuple[Node, set[Node]]]:
    """The values of the same shape that `a` is a function of alone, and the records between."""
    sweeper = scene.sweeper
    found, waiting = {a}, [a]
    while waiting and len(found) <= _MOST_BETWEEN:
        node = max(waiting, key=scene.tape.index)
        waiting = [n for n in waiting if n is not node]
        if not waiting and node is not a and node.shape == a.shape:
            yield node, found - {node}
        for i in sweeper.edges.get(node, ()):
            operand = node.operands[i]
            if operand not in found:
                found.add(operand)
                waiting.append(operand)


def _diagonal(scene: Scene, a: Node, z: Node, between: set[Node]) -> Any:
    sweeper = scene.sweeper
    order = sorted(between, key=scene.tape.index, reverse=True)
    own = np.zeros(a.shape)
    for at in np.ndindex(a.shape):
        one = np.zeros(a.shape)
        one[at] = 1
        arrived: dict[Node, Any] = {a: one}
        for node in order:
            for i in sweeper.edges[node] if node in arrived else ():
                sent, to = sweeper.send(node, i, arrived[node]), node.operands[i]
                arrived[to] = arrived[to] + sent if to in arrived else sent
        own[at] = arrived[z][at]
    return own
