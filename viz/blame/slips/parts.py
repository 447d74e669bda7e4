"""Parts of a formula, by their places, and what the formula gives with another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...formula.tree import Apply, Opaque, Symbol, Tree, each

__all__ = ["Changed", "Edit", "edits_of", "has_gradient", "is_gradient", "parts", "put"]


Changed = Iterator[tuple[str, Any, Tree, Tree | None, Tree]]
"""What can go wrong with one part: the kind, which one, what is changed, to what, and the part that comes out."""


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


def edits_of(tree: Tree, changed: Callable[[Apply], Changed]) -> Iterator[Edit]:
    """What can go wrong with each part of a formula."""
    for place, part in parts(tree):
        if isinstance(part, Apply) and not isinstance(part, Opaque):
            for kind, key, old, new, instead in changed(part):
                yield Edit(kind, (*place, key), old, new, put(tree, place, instead))


def is_gradient(tree: Tree) -> bool:
    return isinstance(tree, Symbol) and tree.kind == "gradient"


def has_gradient(tree: Tree) -> bool:
    return any(is_gradient(part) for part in each(tree))
