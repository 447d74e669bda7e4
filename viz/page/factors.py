"""What a formula says about showing its numbers: which vectors stand as columns, and what the local derivative is."""

from __future__ import annotations

import numpy as np

from autograd import Node

from ..formula.tree import Apply, Number, Symbol, Tree, apply, is_call, symbols

_ONE = Number(1)


def columns(tree: Tree) -> tuple[frozenset[int], bool]:
    """The vectors of a formula that act as columns, by the ``id`` of their symbols, and whether its result is one.

    In ``W x`` the vector is a column, in ``x W`` a row; what is added to a column is one, too.
    """
    found: set[int] = set()
    waiting = [(tree, _is_column(tree))]
    while waiting:
        part, column = waiting.pop()
        if isinstance(part, Symbol) and part.ndim == 1 and column:
            found.add(id(part))
        if not isinstance(part, Apply):
            continue
        if is_call(part, np.outer):
            marks = [True, False]
        elif is_call(part, np.matmul, np.dot):
            marks = [False, _is_column(part)]
        else:
            marks = [column and isinstance(part.fn, np.ufunc)] * len(part.args)
        waiting += zip(part.args, marks, strict=True)
    return frozenset(found), _is_column(tree)


def _is_column(tree: Tree) -> bool:
    if not isinstance(tree, Apply) or tree.ndim != 1:
        return False
    if is_call(tree, np.matmul, np.dot):
        return tree.args[0].ndim == 2
    return isinstance(tree.fn, np.ufunc) and any(map(_is_column, tree.args))


def local_factor(tree: Tree, node: Node) -> Tree | None:
    """What a formula multiplies the gradient of `node` by, element by element.

    None where it does nothing of that kind (it is a matrix product, say, or sums over the gradient), and where it hands
    the gradient on as it is.
    """
    factor = _without(tree, node)
    return None if factor is _ONE else factor


def _without(tree: Tree, node: Node) -> Tree | None:
    if _is_upstream(tree, node):
        return _ONE
    if not isinstance(tree, Apply) or tree.shape != node.shape:
        return None
    places = [i for i, part in enumerate(tree.args) if any(_is_upstream(s, node) for s in symbols(part))]
    rest = _without(tree.args[places[0]], node) if len(places) == 1 else None
    if rest is None:
        return None
    (i,), args = places, tree.args
    if is_call(tree, np.negative):
        return Number(-1) if rest is _ONE else apply(np.negative, rest, shape=rest.shape, dtype=tree.dtype)
    if is_call(tree, np.multiply):
        return args[1 - i] if rest is _ONE else apply(np.multiply, rest, args[1 - i])
    if is_call(tree, np.divide) and i == 0:
        return apply(np.divide, rest, args[1])
    if is_call(tree, np.where) and i > 0 and isinstance(args[3 - i], Number) and args[3 - i].value == 0:
        chosen = (args[0], rest, args[2]) if i == 1 else (args[0], args[1], rest)
        return Apply(tree.rule, chosen, {}, tree.shape, tree.dtype)
    return None


def _is_upstream(tree: Tree, node: Node) -> bool:
    return isinstance(tree, Symbol) and tree.kind == "gradient" and tree.node is node
