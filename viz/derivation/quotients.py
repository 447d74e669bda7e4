"""Products of powers that are one function: 1/(1 + eᵘ) is σ(−u), eᵘ / Σ eᵘ is softmax u, (√u)² is u."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from autograd.registry import RULES
from autograd.rules import elementwise, reductions

from ..formula.tree import Apply, apply, axes_of, is_call
from .algebra import Algebra
from .store import MINUS, ONE, Product
from .trees import axes_kept


def _logistic(algebra: Algebra, product: Product) -> Product:
    """1/(1 + eᵘ) is σ(−u), and eᵘ σ(−u) is 1 − σ(−u)."""
    for key, n in product.powers:
        terms = algebra.sums.get(key, ())
        if n >= 0 or len(terms) != 2 or any(t.number != 1 for t in terms):
            continue
        exponentials = [t.powers[0][0] for t in terms if len(t.powers) == 1 and t.powers[0][1] == 1]
        if len(exponentials) != 1 or not any(not t.powers for t in terms):
            continue
        exponential = algebra.atoms.get(exponentials[0])
        if not is_call(exponential, np.exp):
            continue
        u = exponential.args[0]
        minus = algebra.tree(algebra.multiply([MINUS, algebra.value(u)]), u.shape, u.dtype)
        sigma = algebra.atom(apply(elementwise.sigmoid.fn, minus, shape=u.shape, dtype=exponential.dtype))
        powers = dict(product.powers)
        both = min(-n, max(powers.get(exponentials[0], 0), 0))
        other = algebra.collect([ONE, sigma._replace(number=Fraction(-1))])
        del powers[key]
        if both:
            powers[exponentials[0]] -= both
        return algebra.times([product.with_powers(powers), *[sigma] * (-n - both), *[other] * both])
    return product


def _roots(algebra: Algebra, product: Product) -> Product:
    """(√u)² is u, and u/√u is √u."""
    for key, n in product.powers:
        root = algebra.atoms.get(key)
        if not is_call(root, np.sqrt) or n in (0, 1):
            continue
        inside, powers = algebra.value(root.args[0]), dict(product.powers)
        base = inside if n > 0 else algebra.inverse(inside)
        if base is None:
            continue
        if n == -1:
            if not inside.powers or any(m < 0 or powers.get(k, 0) < m for k, m in inside.powers):
                continue
            powers[key] = 1
            whole = algebra.inverse(inside)
            assert whole is not None
        else:
            powers[key] = n % 2 if n > 0 else -(-n % 2)
            whole = Product(base.number ** (abs(n) // 2), tuple((k, m * (abs(n) // 2)) for k, m in base.powers))
        return algebra.times([product.with_powers(powers), whole])
    return product


def _shares(algebra: Algebra, product: Product) -> Product:
    """eᵘ / Σ eᵘ is softmax u."""
    powers = dict(product.powers)
    for key, n in product.powers:
        total = algebra.known(algebra.atoms.get(key)) if n < 0 else None
        total = axes_kept(total) if isinstance(total, Apply) else None
        if not is_call(total, np.sum):
            continue
        share = total.args[0]
        exponential = algebra.known(share)
        if not is_call(exponential, np.exp):
            continue
        e, axes = algebra.atom(share).powers[0][0], axes_of(total)
        fits = total.options.get("keepdims") or axes == list(range(len(axes)))
        if not fits or powers.get(e, 0) < 1:
            continue
        both = min(-n, powers[e])
        u = exponential.args[0]
        axis: Any = tuple(axes) if len(axes) > 1 else -1 if axes == [u.ndim - 1] else axes[0]
        softmax = Apply(RULES[reductions.softmax.fn], (u,), {"axis": axis}, share.shape, share.dtype)
        powers[key] += both
        powers[e] -= both
        return algebra.times([product.with_powers(powers), *[algebra.function(softmax)] * both])
    return product


QUOTIENTS = (_roots, _shares, _logistic)
