"""Clean-up of conditions: what holds everywhere, opposites, and the shares of a maximum at a tie."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Node
from autograd.rules import elementwise

from .tree import Apply, Number, Symbol, Tree, apply, evaluate, is_call, rebuilt, same, stretched

_COMPLEMENT: dict[Any, Any] = {
    np.less: np.greater_equal, np.less_equal: np.greater, np.greater: np.less_equal, np.greater_equal: np.less,
    np.equal: np.not_equal, np.not_equal: np.equal,
}  # fmt: skip
_ABOVE: dict[Any, Any] = {
    np.maximum: np.greater, np.fmax: np.greater, np.minimum: np.less, np.fmin: np.less,
}  # fmt: skip
OR, AND, NOT = (np.logical_or, np.bitwise_or), (np.logical_and, np.bitwise_and), (np.invert, np.logical_not)


def logic(tree: Apply) -> Tree | None:
    """False ∨ x, True ∧ x."""
    for x, y in (tree.args, tree.args[::-1]):
        if isinstance(x, Number) and y.dtype == bool:
            if bool(x.value) is not is_call(tree, *AND):
                return stretched(x, tree.shape)
            if y.shape == tree.shape:
                return y
    return None


def opposite(tree: Apply) -> Tree | None:
    """¬ of a comparison as the opposite comparison, where no NaN tells them apart."""
    x = tree.args[0]
    if isinstance(x, Number):
        return Number(not x.value)
    if not isinstance(x, Apply):
        return None
    found: Tree | None = None
    if x.fn in _COMPLEMENT:
        found = apply(_COMPLEMENT[x.fn], *x.args, like=tree)
    elif is_call(x, *OR, *AND) and x.dtype == bool:
        parts = [apply(np.logical_not, a, like=a) for a in x.args]
        found = apply(np.logical_and if is_call(x, *OR) else np.logical_or, *parts, like=tree)
    elif is_call(x, *NOT):
        found = x.args[0]
    return found if found is not None and np.array_equal(evaluate(found), evaluate(tree)) else None


def equal(tree: Apply) -> Tree | None:
    """x = x, where no NaN is in it; z = max(0, z) as z > 0."""
    if same(*tree.args):
        return stretched(Number(True), tree.shape) if np.all(evaluate(tree)) else None
    x, s = tree.args
    if not isinstance(x, Symbol) or not isinstance(s, Symbol) or s.node is None or s.kind != "value":
        return None
    sign, operands = _ABOVE.get(getattr(s.node.rule, "fn", None)), s.node.args or ()
    bounds = [a for a in operands if a is not x.node]
    if sign is None or x.node not in operands or len(bounds) != 1:
        return None
    if isinstance(bounds[0], Node) or np.ndim(bounds[0]):
        return None
    found = apply(sign, x, Number(bounds[0]), like=tree)
    return found if np.array_equal(evaluate(found), evaluate(tree)) else None


def extreme(tree: Apply) -> Tree | None:
    """[x > y] + ½ [x = y] for what a maximum sends to x: [x = s] (1 − ½ [x = y])."""
    for product, last in (tree.args, tree.args[::-1]):
        for rest, first in _factors(product):
            found = _above(first, last) or _above(last, first)
            if found is not None:
                return found if rest is None else apply(np.multiply, rest, found, like=tree)
    return None


def _factors(tree: Tree) -> list[tuple[Tree | None, Tree]]:
    """Each factor of a product of two, with the other one; a single one has none."""
    if is_call(tree, np.multiply):
        a, b = tree.args
        return [(a, b), (b, a)]
    return [(None, tree)]


def _above(held: Tree, shared: Tree) -> Tree | None:
    """[x > y] + ½ [x = y] for the factors [x = s] and 1 − ½ [x = y], s being the larger one; None for others."""
    if not is_call(held, np.equal) or not is_call(shared, np.subtract):
        return None
    x, s = held.args
    if not isinstance(s, Symbol) or s.node is None:
        return None
    sign = _ABOVE.get(getattr(s.node.rule, "fn", None))
    one, half = shared.args
    if sign is None or not isinstance(one, Number) or one.value != 1 or not is_call(half, np.multiply):
        return None
    tie = next((a for a in half.args if is_call(a, np.equal)), None)
    if tie is None or not same(tie.args[0], x) or same(tie.args[1], x):
        return None
    above = apply(sign, *tie.args, like=tie)
    found = apply(np.add, above, half, like=shared)
    with np.errstate(all="ignore"):
        equal = np.array_equal(evaluate(found), evaluate(held) * evaluate(shared))
    return found if equal and found.shape == np.broadcast_shapes(held.shape, shared.shape) else None


def unguarded(tree: Tree) -> Tree:
    """What a rule computes without the guards (0⁰, 0/0) that are not needed here: a choice of its own which goes the
    same way everywhere is none. The conditions of the program are symbols meanwhile, and stay."""
    return rebuilt(tree, lambda part: _choice(part) or part)


def _choice(tree: Tree) -> Tree | None:
    if not is_call(tree, elementwise.where.fn):
        return None
    condition, x, y = tree.args
    if isinstance(condition, Symbol):
        return None
    found = np.asarray(evaluate(condition))
    for chosen, always in ((x, found.all()), (y, not found.any())):
        if always and found.size and (chosen.dtype == tree.dtype or isinstance(chosen, Number)):
            return stretched(chosen, tree.shape)
    return None
