"""Slips with the local derivative of one operation: left out, or alone, or that of the other operand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd import Node

from ..trials import Scene, Trial, handed_on, slip, with_reads, with_upstream
from .activations import all_activations, written_out

_PLAIN = frozenset({"add", "subtract", "negative", "positive"})
"""Their local derivative is 1 or −1."""


def _elementwise(scene: Scene) -> Iterator[tuple[Node, int]]:
    known = {act.a for act in all_activations(scene)} | written_out(scene)
    for node, i in scene.edges():
        fn = node.rule.fn
        if node.op not in _PLAIN and node not in known and isinstance(fn, np.ufunc) and fn.signature is None:
            yield node, i


@slip("local derivative missing", 25)
def left_out(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in _elementwise(scene):
        if node.operands[i].shape == node.shape:
            yield scene.trial(
                (node, i),
                f"the local derivative is missing at {w.made(node)}: {w.gradient(node)} was handed on to "
                f"{w.say(node.operands[i])} as it is",
                lambda g, c: g,
            )


@slip("upstream gradient not multiplied in", 25)
def alone(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in _elementwise(scene):
        if node is not scene.tape.root:
            yield scene.trial(
                (node, i),
                f"at {w.made(node)} the local derivative by {w.say(node.operands[i])} was taken alone, without the "
                f"factor {w.gradient(node)} of the chain rule",
                with_upstream(scene.sweeper, (node, i), np.ones_like),
            )
    root = scene.tape.root
    if not np.all(np.asarray(scene.sweeper.run.seed) == 1):
        sentence = f"the gradient that is handed in for {w.say(root)} was not multiplied in, as if it were 1 everywhere"
        yield Trial(root, sentence, handed_on(scene.sweeper, root, np.ones_like))


@slip("derivative by the other operand", 27)
def swapped(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for node, i in _elementwise(scene):
        if node.op != "multiply" or node.operands[0] is node.operands[1]:
            continue
        own = node.operands[i]
        sentence = (
            f"at {w.made(node)} the factor {w.say(own)} itself was taken for its local derivative, which is the other "
            f"factor, {w.operand(node, 1 - i)}"
        )
        yield scene.trial((node, i), sentence, with_reads(scene.sweeper, (node, i), 1 - i, scene.value(own)))
