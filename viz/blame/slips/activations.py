"""The activations of a program: one operation each, or written out in several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd import Node
from autograd.registry import RULES, Rule
from autograd.rules import elementwise, reductions

from ..trials import Scene, once

SIGMOID, RELU, TANH = elementwise.sigmoid.rule, elementwise.relu.rule, RULES[np.tanh]
SOFTMAX, LOG_SOFTMAX = reductions.softmax.rule, reductions.log_softmax.rule
SYMBOLS = {SIGMOID: "σ", TANH: "tanh", RELU: "ReLU", SOFTMAX: "softmax", LOG_SOFTMAX: "log-softmax"}
ALONG_AXES = (SOFTMAX, LOG_SOFTMAX)
SMOOTH = frozenset(
    RULES[fn]
    for fn in (
        np.exp, np.log, np.log1p, np.expm1, np.sin, np.cos, np.tan, np.arctan, np.sinh, np.cosh, np.sqrt, np.square,
        np.reciprocal, np.absolute,
    )
)  # fmt: skip
_ELEMENTWISE = frozenset({"sum", "max", "amax", "where", "clip", "reshape", "expand_dims"})
_ENDS_OF_NUMBERS = frozenset({"divide", "reciprocal", "maximum", "where"})
_ENDS = _ENDS_OF_NUMBERS | {"multiply", "clip", "subtract", "log"}
"""What an activation that is written out may end with."""
_MOST = 10


class Activation(NamedTuple):
    """A value `a` that is a function of `z` alone; by one operation, or by several that the program wrote out."""

    a: Node
    z: Node
    rule: Rule
    options: dict[str, Any]

    @property
    def symbol(self) -> str:
        """``σ``."""
        return SYMBOLS.get(self.rule) or str(self.rule.name)


def activations(scene: Scene) -> list[Activation]:
    """The activations that the gradients in question pass through, the last first."""
    grads, edges = scene.sweeper.base.grads, scene.sweeper.edges
    return [act for act in all_activations(scene) if act.a in grads and edges.get(act.a)]


def all_activations(scene: Scene) -> list[Activation]:
    """The activations of the whole tape, the last first."""
    return _found(scene)[0]


def written_out(scene: Scene) -> set[Node]:
    """The operations that activations are written out in."""
    return _found(scene)[1]


@once
def _found(scene: Scene) -> tuple[list[Activation], set[Node]]:
    found: list[Activation] = []
    inside: set[Node] = set()
    for node in reversed(scene.tape.nodes):
        if node in inside or node.is_leaf or not node.needs_grad:
            continue
        if node.rule in SYMBOLS:
            found.append(Activation(node, node.operands[0], node.rule, node.kwargs))
            continue
        written, parts = _written_out(scene, node)
        inner = {node, *parts}
        used = all(user in inner for part in parts for user, _ in scene.sweeper.into[part])
        if written is not None and used and not parts & scene.given.keys():  # else they are steps of their own
            found.append(written)
            inside |= {node, *parts}
        elif node.rule in SMOOTH:
            found.append(Activation(node, node.operands[0], node.rule, node.kwargs))
    return found, inside


def inner_functions(scene: Scene) -> Iterator[tuple[Node, Node]]:
    """What functions are applied to, of several operations on one value with a name or a parameter, and that value."""
    known = {act.z for act in all_activations(scene)}
    for node in scene.nodes():
        if any(user.rule in SMOOTH or user.rule in SYMBOLS for user, _ in scene.sweeper.into[node]):
            region = _region(node) - {node}
            for z in sorted(region - set(node.parents), key=scene.tape.index):
                apart = z.shape == node.shape and z.needs_grad and (z.is_leaf or scene.words.has(z) or z in known)
                if apart and _between(node, z, region | {node}) is not None:
                    yield node, z


def _written_out(scene: Scene, a: Node) -> tuple[Activation | None, set[Node]]:
    """An activation that ends with `a`, if a few elementwise operations before it are one of those known here."""
    if a.op not in (_ENDS if a.size > 1 else _ENDS_OF_NUMBERS):
        return None, set()
    region = _region(a)
    for z in sorted(region, key=scene.tape.index, reverse=True):
        if z is a or z.shape != a.shape or not z.needs_grad:
            continue
        parts = _between(a, z, region)
        if parts is None:
            continue
        value, x = scene.value(a), scene.value(z)
        for rule in SYMBOLS:
            for options in [{"axis": k} for k in range(-1, -a.ndim - 1, -1)] if rule in ALONG_AXES else [{}]:
                if rule is RELU and (x > 0).all():
                    continue
                with np.errstate(all="ignore"):
                    same = _same(rule, x, options, value)
                if same:
                    if rule in ALONG_AXES:
                        z = _before_the_shift(scene, a, z, rule, options)
                        parts = _between(a, z, region | {z}) or parts
                    return Activation(a, z, rule, options), parts - {a}
    return None, set()


def _same(rule: Rule, x: Any, options: Any, value: Any) -> bool:
    return bool(np.allclose(rule.fn(x, **options), value, rtol=1e-6 if value.dtype.itemsize < 8 else 1e-12))


def _before_the_shift(scene: Scene, a: Node, z: Node, rule: Rule, options: Any) -> Node:
    """What a softmax is a function of where a maximum was subtracted first: z of z − max(z)."""
    while z.op == "subtract" and isinstance(z.operands[0], Node) and z.operands[0].needs_grad:
        before, shift = z.operands
        made_of = shift.parents if isinstance(shift, Node) else ()
        if before.shape != a.shape or any(p is not before for p in made_of):
            break
        if not _same(rule, scene.value(before), options, scene.value(a)):
            break
        z = before
    return z


def _region(a: Node) -> set[Node]:
    found, waiting = {a}, [a]
    while waiting and len(found) <= _MOST:
        node = waiting.pop(0)
        if node.is_leaf or not (isinstance(node.rule.fn, np.ufunc) or node.op in _ELEMENTWISE) or node.op == "matmul":
            continue
        waiting += [p for p in node.parents if p not in found]
        found.update(node.parents)
    return found


def _between(a: Node, z: Node, region: set[Node]) -> set[Node] | None:
    """The records that make `a` of `z`; None where something else that has a gradient comes in."""
    found, waiting = {a}, [a]
    while waiting:
        for operand in waiting.pop().parents:
            if operand is z or operand in found or not operand.needs_grad:
                continue
            if operand.is_leaf or operand not in region or not operand.parents:
                return None
            found.add(operand)
            waiting.append(operand)
    return found
