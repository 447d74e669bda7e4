"""Which of the gradients handed in are right, wrong by their own step, or wrong only by what was handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted
from autograd.testing.conventions import Convention
from autograd.testing.differences import Partials
from autograd.testing.drawing import generator

from ..tape.run import Run
from .printed import Given
from .pushing import Change, Sweeper
from .sentences import HERE, INHERITED, RIGHT, made_of

__all__ = ["follow_from_values", "in_convention", "verdicts_on", "wrong_rule"]

_OWN = ("autograd", "numpy", "nn")
"""Whose rules are not checked again."""


def in_convention(convention: Convention | None, one: Given, of_loss: Any) -> Given:
    """A gradient in the convention of the others, also where it alone is that of the loss."""
    k = 1.0 if convention is None else convention.factor(one.node)
    if k == 1:
        return one
    return replace(one, hand=one.hand.times(k) if one.agrees(of_loss) else one.hand).times(k)


def verdicts_on(
    run: Run, hands: dict[Node, Given], engine: Mapping[Node, Any], convention: Convention | None
) -> dict[Node, str]:
    """Right, wrong here, or inherited, for each gradient handed in."""
    flows = {n: one.flow for n, one in hands.items() if not n.is_leaf and one.has_shape}
    own = Sweeper(run, hands, flows, convention)
    slack = _rounding(hands, flows, own)
    verdicts: dict[Node, str] = {}
    for node, one in hands.items():
        followed = node in own.base.grads and one.agrees(own.base.grads[node], slack[node])
        above = [u for u in made_of(own, node, hands) if u is not node]
        if one.agrees(engine[node]):
            verdicts[node] = RIGHT
        elif followed and above:
            verdicts[node] = INHERITED if any(verdicts[u] != RIGHT for u in above) else RIGHT
        else:
            verdicts[node] = HERE
    return verdicts


def follow_from_values(
    run: Run,
    hands: dict[Node, Given],
    verdicts: Mapping[Node, str],
    reads: dict[Node, Any],
    convention: Convention | None,
) -> list[Given]:
    """The wrong gradients that the rules give where they read the person's own values."""
    wrong = [one for one in hands.values() if verdicts[one.node] != RIGHT]
    if not (wrong and reads):
        return []
    with attempted():
        sweeper = Sweeper(run, hands, None, convention)
        grads = sweeper.pushed(Change(reads=reads))
        return [one for one in wrong if one.node in grads and one.agrees(grads[one.node])]
    return []  # of another shape, which the rules can't take


def _rounding(hands: dict[Node, Given], flows: dict[Node, Any], own: Sweeper) -> dict[Node, Any]:
    """How far the gradients made of rounded ones may be off by that rounding."""
    slack = {node: np.zeros(node.shape) for node in hands}
    rounding = {n: hands[n].rounding for n in flows}
    if not any(r.any() for r in rounding.values()):
        return slack
    rng = generator("rounding of what was printed")
    for _ in range(8):
        moved = {n: flows[n] + rounding[n] * rng.choice([-1.0, 1.0], size=np.shape(flows[n])) for n in flows}
        moved = {n: v.astype(n.dtype) for n, v in moved.items()}
        there = Sweeper(own.run, hands, moved, own.convention).base.grads
        for node in hands:
            if node in there:
                slack[node] = np.maximum(slack[node], np.abs(there[node] - own.base.grads[node]))
    return {node: 1.5 * s for node, s in slack.items()}


def wrong_rule(sweeper: Sweeper) -> tuple[Node, int] | None:
    """A rule that the program brought along and that finite differences contradict, if there is one."""
    rng = generator("rules of primitives", *(sweeper.value(leaf) for leaf in sweeper.tape if leaf.is_leaf))
    for node, into in sweeper.edges.items():
        for i in into:
            rule = node.rule.variadic or (node.rule.vjps[i] if i < len(node.rule.vjps) else None)
            if str(getattr(rule, "__module__", _OWN[0])).split(".")[0] in _OWN:
                continue
            values = [sweeper.value(a) if isinstance(a, Node) else a for a in node.operands]
            g = rng.normal(size=node.shape)
            along = rng.normal(size=np.shape(values[i]))

            def f(x: Any, node: Node = node, values: list[Any] = values, i: int = i, g: Any = g) -> Any:
                return np.sum(g * node.rule.op(*values[:i], x, *values[i + 1 :], **node.kwargs))

            with attempted() as trial:
                sent = np.asarray(sweeper.send(node, i, g), np.float64)
                contradicted = Partials(f, values[i]).agrees(along, sent, 1e-4 * np.abs(sent)) is False
            if not trial.failed and contradicted:
                return node, i
    return None
