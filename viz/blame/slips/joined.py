"""Formulas of one shape, and those that two of them are joined to."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...derivation.trees import size
from ...formula.tree import Tree, apply
from .sums import sum_over

__all__ = [
    "MOST_AT_ONCE",
    "MOST_NUMBERS",
    "Group",
    "Joint",
    "Shape",
    "grouped",
    "joined_by_twos",
    "joints",
    "reduced",
]

MOST_NUMBERS = 600
"""Of gradients of more numbers no formulas are tried."""
MOST_AT_ONCE, _MOST_JOINED = 1_000_000, 6_000
"""So many numbers together of one sort; so many formulas of one shape."""

Shape = tuple[int, ...]


class Group(NamedTuple):
    """Formulas of one shape: their numbers, how long they are, and what writes one of them."""

    values: Any
    sizes: Any
    write: Callable[[int], Tree]

    @property
    def rows(self) -> Any:
        return self.values.reshape(len(self.values), -1)


def grouped(some: Sequence[tuple[Tree, Any]]) -> dict[Shape, Group]:
    """Formulas with their numbers by shape, the shortest first."""
    by: dict[Shape, list[tuple[Tree, Any]]] = defaultdict(list)
    for tree, value in some:
        by[value.shape].append((tree, value))
    for group in by.values():
        group.sort(key=lambda one: size(one[0]))
    return {
        shape: Group(
            np.array([value for _, value in group]),
            np.array([size(tree) for tree, _ in group]),
            functools.partial(_written, group),
        )
        for shape, group in by.items()
    }


def _written(group: Sequence[tuple[Tree, Any]], k: int) -> Tree:
    return group[k][0]


class Joint(NamedTuple):
    """How two formulas are joined: element by element, or as matrices, a vector being a row or a column."""

    fn: Any
    a: Shape
    b: Shape
    out: Shape
    rows: Shape = ()
    columns: Shape = ()

    def values(self, a: Any, b: Any) -> Any:
        """Of each of some with each of others."""
        if self.rows:
            a, b = a.reshape(-1, 1, *self.rows), b.reshape(1, -1, *self.columns)
            return np.matmul(a, b).reshape(-1, *self.out)
        n = len(self.out)
        a = a.reshape(len(a), 1, *(1,) * (n - len(self.a)), *self.a)
        b = b.reshape(1, len(b), *(1,) * (n - len(self.b)), *self.b)
        return self.fn(a, b).reshape(-1, *self.out)

    def back(self, t: Any, a: Any) -> Any:
        """What a product with `t` is one with `b` of: the same sum, element by element."""
        if self.rows:
            t = t.reshape(self.rows[0], self.columns[1])
            return (np.swapaxes(a.reshape(-1, *self.rows), 1, 2) @ t).reshape(-1, *self.b)
        a = a.reshape(len(a), *(1,) * (len(self.out) - len(self.a)), *self.a)
        return reduced(a * t, self.b)

    def tree(self, a: Tree, b: Tree) -> Tree:
        if self.fn is _inner:
            return sum_over(apply(np.multiply, a, b, dtype=np.dtype(float)), (len(self.a) - 1,), keepdims=True)
        return apply(self.fn, a, b, shape=self.out, dtype=np.dtype(float))


def _inner(a: Any, b: Any) -> Any:
    return np.sum(a * b, axis=-1, keepdims=True)


@functools.cache
def joints(a: Shape, b: Shape) -> list[Joint]:
    """All ways to join formulas of two shapes."""
    found = []
    if (out := _broadcast(a, b)) is not None:
        found += [Joint(fn, a, b, out) for fn in (np.multiply, np.divide, np.add, np.subtract)]
    if 0 < len(a) <= 2 and 0 < len(b) <= 2 and a[-1] == b[0]:
        rows, columns = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
        found.append(Joint(np.matmul, a, b, (*a[:-1], *b[1:]), rows, columns))
    if a == b and len(a) > 1:
        found.append(Joint(_inner, a, b, (*a[:-1], 1)))
    if len(a) == len(b) == 1:
        found.append(Joint(np.outer, a, b, (*a, *b), (*a, 1), (1, *b)))
    return [joint for joint in found if math.prod(joint.out) <= MOST_NUMBERS]


def _broadcast(a: Shape, b: Shape) -> Shape | None:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def joined_by_twos(pieces: dict[Shape, Group]) -> dict[Shape, Group]:
    """Each two pieces, the shortest of each shape."""
    made: dict[Shape, list[tuple[Joint, Any, Any, Any]]] = defaultdict(list)
    for a, first in pieces.items():
        for b, second in pieces.items():
            for joint in joints(a, b) if a or b else ():
                most = max(1, math.isqrt(MOST_AT_ONCE // math.prod(joint.out)))
                left, right = first.values[:most], second.values[:most]
                i, j = np.indices((len(left), len(right))).reshape(2, -1)
                with np.errstate(all="ignore"):
                    values = joint.values(left, right)
                if joint.fn in (np.multiply, np.add, _inner):
                    once = i < j if a == b else np.full(len(i), a < b)
                    values, i, j = values[once], i[once], j[once]
                if len(i):
                    made[joint.out].append((joint, values, i, j))
    return {shape: group for shape, some in made.items() if (group := _shortest(pieces, shape, some)) is not None}


def _shortest(pieces: dict[Shape, Group], shape: Shape, some: list[tuple[Joint, Any, Any, Any]]) -> Group | None:
    sizes = np.concatenate([1 + pieces[joint.a].sizes[i] + pieces[joint.b].sizes[j] for joint, _, i, j in some])
    values = np.concatenate([values for _, values, _, _ in some])
    rows = values.reshape(len(values), -1)
    chosen = np.flatnonzero(np.isfinite(rows).all(1) & rows.any(1))
    most = min(_MOST_JOINED, MOST_AT_ONCE // rows.shape[1])
    chosen = chosen[np.argsort(sizes[chosen], kind="stable")][:most]
    if not len(chosen):
        return None
    along = rows[chosen] @ np.random.default_rng(len(shape)).normal(size=rows.shape[1])
    digits = 10.0 ** (9 - np.floor(np.log10(np.abs(along) + 1e-300)))
    chosen = chosen[np.sort(np.unique(np.round(along * digits) / digits, return_index=True)[1])]
    ends = np.cumsum([len(i) for _, _, i, _ in some])

    def write(k: int) -> Tree:
        at = int(chosen[k])
        which = int(np.searchsorted(ends, at, side="right"))
        joint, _, i, j = some[which]
        at -= int(ends[which]) - len(i)
        return joint.tree(pieces[joint.a].write(int(i[at])), pieces[joint.b].write(int(j[at])))

    return Group(values[chosen], sizes[chosen], write)


def reduced(some: Any, shape: Shape) -> Any:
    """The same of several arrays, one after another along the first axis."""
    more = some.ndim - 1 - len(shape)
    some = some.sum(axis=tuple(range(1, 1 + more))) if more else some
    axes = tuple(k + 1 for k, n in enumerate(shape) if n == 1 < some.shape[k + 1])
    return some.sum(axis=axes, keepdims=True) if axes else some
