"""Which of many formulas give the numbers: what a record gets moves the gradient of another one linearly, so that a
product tells of each whether it can."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ...formula.tree import Number, Tree, apply, negated
from ..trials import Scene
from .joined import MOST_AT_ONCE, Group, Joint, Shape, joints, reduced
from .pieces import Place, Variant
from .scales import counts
from .sums import broadcasts, sum_over

__all__ = ["Found", "fitting"]

_MOST_HITS, _MOST_ADDED = 12, 6_000
"""Of so many formulas of one kind that may give the numbers the shortest are taken; so many terms are added."""
_NEARLY, _CLOSE, _FAR_OFF = 1e-6, 1e-8, 1e-3
"""Relative to the sizes of all terms: what rounding may make of a quotient of products, of a sum, and what is more."""
_MOST_CANCELLED = 100
"""Terms of a sum are no larger than so many times the sum."""
_WHOLE = 12
"""Up to which a formula is multiplied or divided by whole numbers."""

Found = tuple[float, Variant, Callable[[], Tree]]
"""How long a formula is, where it may stand, and what writes it."""


def fitting(
    scene: Scene, place: Place, top: dict[Shape, Group], pieces: dict[Shape, Group], made: dict[Shape, Group]
) -> list[Found]:
    """What is made of pieces, by itself or joined with one of some more, or two added, also of pieces that it lacks."""
    multiples, terms = _multiples(scene), [*pieces.items(), *made.items()]
    return [*_products(scene, place, top, made, multiples), *_sums(scene, place, terms, multiples)]


def _products(
    scene: Scene, place: Place, top: dict[Shape, Group], made: dict[Shape, Group], multiples: dict[float, float]
) -> Iterator[Found]:
    """One of many formulas, or 1 less it, by itself or joined with a piece, times a number."""
    target = place.target.shape
    known = np.array(sorted(multiples))
    for shape, group in made.items():
        if scene.budget.is_spent_on("other formulas"):
            return
        for a, joint, lefts in _lefts(place, top, shape, target):
            firsts = [_product(left, group.rows) for left in lefts]
            sizes = group.sizes + (np.zeros(1) if a is None else 1 + top[a].sizes)[:, None]
            for less in (False, True) if shape else (False,):
                if less:
                    firsts = [_less(left, *first) for left, first in zip(lefts, firsts, strict=True)]
                for variant, r, c, k in _that_give(place, firsts, known, sizes):
                    piece = None if a is None else functools.partial(top[a].write, r)
                    write = functools.partial(
                        _product_tree, joint, piece, functools.partial(group.write, c), less, k, target
                    )
                    yield float(sizes[r, c]) + 2.0 * less + multiples[k], variant, write


def _lefts(
    place: Place, top: dict[Shape, Group], shape: Shape, target: Shape
) -> Iterator[tuple[Shape | None, Any, list[Any]]]:
    """With what formulas of a shape are multiplied to tell whether they do, by themselves or joined with each piece:
    summed, or repeated, where that gives the shape of the gradient."""
    own = [_fitted(t, target, shape) for t in place.moves]
    if own[0] is not None:
        yield None, None, [x.reshape(1, -1) for x in own]
    for a, group in top.items():
        for swapped in (False, True):
            for joint in joints(shape, a) if swapped else joints(a, shape):
                if joint.fn in (np.add, np.subtract, np.divide) or (swapped and not joint.rows):
                    continue
                if joint.rows and not broadcasts(joint.out, target):
                    continue
                moves = [_fitted(t, target, joint.out) for t in place.moves]
                if moves[0] is not None:
                    backs = [
                        _back_left(joint, t, group.values) if swapped else joint.back(t, group.values) for t in moves
                    ]
                    yield a, (joint, swapped), [back.reshape(len(group.sizes), -1) for back in backs]


def _back_left(joint: Joint, t: Any, b: Any) -> Any:
    """The same for the first one of two matrices."""
    t = t.reshape(joint.rows[0], joint.columns[1])
    return (t @ np.swapaxes(b.reshape(-1, *joint.columns), 1, 2)).reshape(-1, *joint.a)


def _fitted(t: Any, target: Shape, shape: Shape) -> Any:
    """What a formula of a shape is multiplied with, that is summed to the gradient's or repeated; None of others."""
    if broadcasts(target, shape):
        return np.broadcast_to(t, shape)
    return reduced(np.asarray(t)[None], shape)[0] if broadcasts(shape, target) else None


def _product(left: Any, rows: Any) -> tuple[Any, Any]:
    """The products, and the sums of the sizes of their terms."""
    return left @ rows.T, np.abs(left) @ np.abs(rows).T


def _less(left: Any, product: Any, terms: Any) -> tuple[Any, Any]:
    """The same of 1 less each formula."""
    return left.sum(1)[:, None] - product, np.abs(left).sum(1)[:, None] + terms


def _that_give(place: Place, firsts: Any, known: Any, sizes: Any) -> Iterator[tuple[Variant, int, int, float]]:
    """Which products are what it takes but for one of some factors: along both directions the same."""
    ((first, terms), (second, other_terms)) = firsts
    with np.errstate(all="ignore"):
        ratio = second / first
        allowed = _NEARLY * np.abs(ratio) * (other_terms / np.abs(second) + terms / np.abs(first))
        allowed[(np.abs(first) <= _FAR_OFF * terms) | ~np.isfinite(ratio)] = -np.inf
    for variant in place.variants:
        p, q = variant.needs
        doubt = sum(d / max(abs(need), 1e-300) for d, need in zip(place.doubts, variant.needs, strict=True))
        rows, columns = np.nonzero(np.abs(ratio - q / p) <= allowed + 2 * doubt * abs(q / p)) if p else ((), ())
        some = p / first[rows, columns]
        at = np.clip(np.searchsorted(known, some), 1, len(known) - 1)
        near = np.where(some - known[at - 1] < known[at] - some, known[at - 1], known[at])
        close = np.flatnonzero(np.abs(near - some) <= max(10 * _NEARLY, 2 * doubt) * np.abs(near))
        for k in close[np.argsort(sizes[rows[close], columns[close]], kind="stable")][:_MOST_HITS]:
            yield variant, int(rows[k]), int(columns[k]), float(near[k])


def _sums(
    scene: Scene, place: Place, some_terms: Iterable[tuple[Shape, Group]], multiples: dict[float, float]
) -> Iterator[Found]:
    """Two terms, each times a number."""
    target = place.target.shape
    writes: list[Any] = []
    columns: list[list[Any]] = [[], [], [], [], []]
    for shape, group in some_terms:
        fitted = [_fitted(t, target, shape) for t in place.moves]
        if fitted[0] is not None:
            both = [_product(np.ravel(t)[None], group.rows) for t in fitted]
            for column, x in zip(columns, (group.sizes, *(x[0] for pair in both for x in pair)), strict=True):
                column.append(x)
            writes += [functools.partial(group.write, k) for k in range(len(group.sizes))]
    if not writes:
        return
    largest = _MOST_CANCELLED * max(abs(need) for variant in place.variants for need in variant.needs)
    order = np.argsort(np.concatenate(columns[0]), kind="stable")
    order = order[np.concatenate(columns[2])[order] < largest][:_MOST_ADDED]
    sizes, p, p_terms, q, q_terms = (np.concatenate(x)[order] for x in columns)
    by_p = np.argsort(p)
    whole = [variant for variant in place.variants if variant.rest is None]
    for (c, d), variant in itertools.product(_coefficients(scene), whole):
        need, other = variant.needs
        rest = (need - c * p) / d
        slack = (place.doubts[0] + _CLOSE * (abs(need) + abs(c) * p_terms)) / abs(d)
        low, high = (np.searchsorted(p[by_p], end) for end in (rest - slack, rest + slack))
        i = np.repeat(np.arange(len(p)), high - low)[:MOST_AT_ONCE]
        j = by_p[(np.arange(len(i)) - np.repeat(np.cumsum(high - low) - high, high - low)[: len(i)])]
        off = np.abs(c * q[i] + d * q[j] - other)
        near = off <= place.doubts[1] + _CLOSE * (abs(other) + abs(c) * q_terms[i] + abs(d) * q_terms[j])
        some = np.minimum(np.abs(c * p[i]), np.abs(d * p[j])) > _FAR_OFF * abs(need)
        longer = 1.0 + multiples.get(c, 3.0) + multiples.get(d, 3.0)
        good = np.flatnonzero(near & some)
        for k in good[np.argsort(sizes[i[good]] + sizes[j[good]], kind="stable")][:_MOST_HITS]:
            terms = (writes[order[i[k]]], c), (writes[order[j[k]]], d)
            yield float(sizes[i[k]] + sizes[j[k]]) + longer, variant, functools.partial(_sum_tree, terms, target)


def _coefficients(scene: Scene) -> Iterator[tuple[float, float]]:
    for k in (1.0, *itertools.islice((k / n for n in counts(scene) for k in (1, 2)), 4)):
        for c, d in ((1, 1), (1, 2), (2, 1)) if k == 1 else ((1, 1),):
            yield from ((s * k * c, r * k * d) for s in (1, -1) for r in (1, -1))


def _multiples(scene: Scene) -> dict[float, float]:
    """Numbers that a formula may be multiplied by, and how much longer they make it."""
    found = {1.0: 0.0, -1.0: 1.0}
    for k in range(2, _WHOLE + 1):
        found |= {sign * n: 2.0 for n in (float(k), 1 / k) for sign in (1.0, -1.0)}
    for n in counts(scene):
        for times in (1.0, 2.0, 0.5):
            found = {sign * one: 3.0 for one in (n * times, times / n) for sign in (1.0, -1.0)} | found
    return found


def _product_tree(
    how: Any, piece: Callable[[], Tree] | None, write: Callable[[], Tree], less: bool, k: float, target: Shape
) -> Tree:
    tree = write()
    tree = apply(np.subtract, Number(1), tree, dtype=tree.dtype) if less else tree
    if piece is not None:
        joint, swapped = how
        tree = joint.tree(tree, piece()) if swapped else joint.tree(piece(), tree)
    return _times(_summed(tree, target), k)


def _sum_tree(terms: Iterable[tuple[Callable[[], Tree], float]], target: Shape) -> Tree:
    (a, c), (b, d) = ((_summed(write(), target), k) for write, k in terms)
    if d > 0 > c:
        a, b, c, d = b, a, d, c
    return apply(np.add if d > 0 else np.subtract, _times(a, c), _times(b, abs(d)), dtype=np.dtype(float))


def _times(tree: Tree, k: float) -> Tree:
    if abs(k) == 1:
        return tree if k == 1 else negated(tree)
    n = round(1 / k)
    if n and abs(n * k - 1) < 1e-9:
        return _times(apply(np.divide, tree, Number(abs(n)), dtype=tree.dtype), np.sign(k))
    return apply(np.multiply, Number(round(k) if abs(k - round(k)) < 1e-9 else k), tree, dtype=tree.dtype)


def _summed(tree: Tree, shape: Shape) -> Tree:
    """Summed over what broadcasting to it would stretch."""
    if broadcasts(tree.shape, shape):
        return tree
    lead = tuple(range(tree.ndim - len(shape)))
    tree = sum_over(tree, lead) if lead else tree
    axes = tuple(k for k, n in enumerate(shape) if n == 1 < tree.shape[k])
    return sum_over(tree, axes, keepdims=True) if axes else tree
