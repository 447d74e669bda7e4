"""Parts of a formula, by their places, and what the formula gives with another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...formula.tree import Apply, Number, Symbol, Tree, replaced

__all__ = ["Edit", "Evaluator", "parts", "put"]


class Edit(NamedTuple):
    """A formula changed at one place: what stands there instead, nothing where it was left out."""

    kind: str
    place: tuple[Any, ...]
    old: Tree
    new: Tree | None
    tree: Tree


class Evaluator:
    """Values of trees; parts that trees share are computed once."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[Any, Any]] = {}

    def __call__(self, part: Any) -> Any:
        if isinstance(part, Number):
            return part.value
        if isinstance(part, Symbol):
            array = part.array
            return array[()] if isinstance(array, np.ndarray) and not array.shape else array
        if not isinstance(part, Apply):
            return part
        known = self._values.get(id(part))
        if known is None:
            options = {name: replaced(option, self) for name, option in part.options.items()}
            known = self._values[id(part)] = part, part.rule.op(*[self(a) for a in part.args], **options)
        return known[1]


def parts(tree: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Tree]]:
    """Each part of a formula with its place."""
    yield place, tree
    if isinstance(tree, Apply):
        for k, argument in enumerate(tree.args):
            yield from parts(argument, (*place, k))


def put(tree: Any, place: tuple[int, ...], part: Tree) -> Tree:
    """A formula with another part at one place."""
    if not place:
        return part
    args = list(tree.args)
    args[place[0]] = put(args[place[0]], place[1:], part)
    shape = tree.shape
    if isinstance(tree.fn, np.ufunc) and tree.fn.signature is None:
        shape = np.broadcast_shapes(*(a.shape for a in args))
    return Apply(tree.rule, tuple(args), tree.options, shape, tree.dtype)
