"""Sums over axes: what is the same along them comes to the front, Σ (p − y) is 0 where Σ p and Σ y are 1."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..formula.tree import Apply, is_call
from .store import ONE, Product
from .trees import axes_kept, axes_of

_FEW_TERMS = 8

if TYPE_CHECKING:
    from .algebra import Algebra


def canonical(tree: Apply) -> Apply:
    """A sum with its axes counted from the front, so that equal sums are the same."""
    if not is_call(tree, np.sum) or not tree.args[0].ndim:
        return tree
    axes, options = sorted(axes_of(tree)), {}
    if len(axes) < tree.args[0].ndim or tree.options.get("keepdims"):
        options["axis"] = axes[0] if len(axes) == 1 else tuple(axes)
    if tree.options.get("keepdims"):
        options["keepdims"] = True
    return tree if options == tree.options else Apply(tree.rule, tree.args, options, tree.shape, tree.dtype)


def along(algebra: Algebra, product: Product, ndim: int, axes: Sequence[int], *, kept: bool) -> tuple[Product, Product]:
    """The factors that are the same along some axes, and the others."""
    if not kept and list(axes) != list(range(len(axes))):
        return ONE, product
    if not kept:
        dropped = {key: axes_dropped(algebra, key, axes) for key, _ in product.powers}
        product = product._replace(powers=tuple((dropped[key], n) for key, n in product.powers))
    fixed = {
        key
        for key, _ in product.powers
        for shape in [algebra.shape_of_key(key)]
        if all(a < ndim - len(shape) or (kept and shape[a - ndim] == 1) for a in axes)
    }
    parts = [tuple((key, n) for key, n in product.powers if (key in fixed) == same) for same in (True, False)]
    return Product(Fraction(1), parts[0]), product._replace(powers=parts[1])


def axes_dropped(algebra: Algebra, key: int, axes: Sequence[int]) -> int:
    """A sum over the first axes without them, where they were kept; anything else as it is."""
    atom = algebra._atoms.get(key)
    if not isinstance(atom, Apply) or not is_call(atom, np.sum) or not atom.options.get("keepdims"):
        return key
    if axes_of(atom) != list(axes):
        return key
    options = {"axis": atom.options["axis"]} if len(axes) < atom.args[0].ndim else {}
    return algebra.atom(Apply(atom.rule, atom.args, options, atom.shape[len(axes) :], atom.dtype)).powers[0][0]


def summed_apart(algebra: Algebra, tree: Apply, product: Product) -> Product | None:
    """Σ (p − y) = Σ p − Σ y, where that is a number: 0."""
    x = tree.args[0]
    if len(product.powers) == 1 and product.powers[0][0] not in algebra._sums:
        return None
    terms = algebra._multiplied_out(product, _FEW_TERMS)
    if terms is None or len(terms) < 2 or any(algebra.shape_of(term) != x.shape for term in terms):
        return None
    each = []
    for term in terms:
        inner = algebra.tree(term._replace(number=Fraction(1)), x.shape, x.dtype)
        value = algebra._linear(Apply(tree.rule, (inner,), tree.options, tree.shape, tree.dtype))
        each.append(algebra.multiply([Product(term.number), value]))
    total = algebra._collect(each)
    return None if total.powers else total


def axes_put_back(algebra: Algebra, tree: Apply, product: Product) -> Product | None:
    """Axes that are put back at once for all factors, each a sum: that keeps them."""
    if not is_call(tree, np.reshape, np.expand_dims) or not product.powers:
        return None
    x, out = tree.args[0], []
    for key, n in product.powers:
        atom = algebra._atoms.get(key)
        if atom is None or atom.shape != x.shape:
            return None
        kept = axes_kept(Apply(tree.rule, (atom,), tree.options, tree.shape, tree.dtype))
        if not is_call(kept, np.sum):
            return None
        out.append(Product(Fraction(1), tuple((k, m * n) for k, m in algebra.value(kept).powers)))
    return algebra._times(out)
