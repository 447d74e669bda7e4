"""Sums that what they are of says otherwise: Σ (p − y) is 0 where Σ p and Σ y are 1."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..formula.tree import Apply, is_call
from .algebra import Algebra
from .store import Product
from .trees import axes_kept

_FEW_TERMS = 8


def _summed_apart(algebra: Algebra, tree: Apply, product: Product) -> Product | None:
    """Σ (p − y) = Σ p − Σ y, where that is a number: 0."""
    x = tree.args[0]
    if not is_call(tree, np.sum) or (len(product.powers) == 1 and product.powers[0][0] not in algebra.sums):
        return None
    terms = algebra.multiplied_out(product, _FEW_TERMS)
    if terms is None or len(terms) < 2 or any(algebra.shape_of(term) != x.shape for term in terms):
        return None
    each = []
    for term in terms:
        inner = algebra.tree(term._replace(number=Fraction(1)), x.shape, x.dtype)
        value = algebra.linear(tree.with_args([inner]))
        each.append(algebra.multiply([Product(term.number), value]))
    total = algebra.collect(each)
    return None if total.powers else total


def _axes_put_back(algebra: Algebra, tree: Apply, product: Product) -> Product | None:
    """Axes that are put back at once for all factors, each a sum: that keeps them."""
    if not is_call(tree, np.reshape, np.expand_dims) or not product.powers:
        return None
    x, out = tree.args[0], []
    for key, n in product.powers:
        atom = algebra.atoms.get(key)
        if atom is None or atom.shape != x.shape:
            return None
        kept = axes_kept(tree.with_args([atom]))
        if not is_call(kept, np.sum):
            return None
        out.append(Product(Fraction(1), tuple((k, m * n) for k, m in algebra.value(kept).powers)))
    return algebra.times(out)


SUMS = (_summed_apart, _axes_put_back)
