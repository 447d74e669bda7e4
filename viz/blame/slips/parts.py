"""Parts of a formula, by their places, and what the formula gives with another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...formula.tree import Apply, Tree

__all__ = ["Edit", "parts", "put"]


class Edit(NamedTuple):
    """A formula changed at one place: what stands there instead, nothing where it was left out."""

    kind: str
    place: tuple[Any, ...]
    old: Tree
    new: Tree | None
    tree: Tree


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
