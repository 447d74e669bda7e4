"""Rules of algebra on the trees of formulas: products and sums are collected, cancelled and, where that is shorter,
multiplied out. No layer and no loss is known here; −y/a · a(1 − a) + (1 − y)/(1 − a) · a(1 − a) becomes a − y because
a/a is 1 and equal terms cancel.

Every function that works element by element is a sum of products of *atoms*: names, and functions that are none of
+ − × ÷. Functions that are linear in an operand hand its numbers and scalars to the front.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from autograd.rules import elementwise, indexing, shapes, windows

from ..formula.terms import total
from ..formula.tree import Apply, Number, Symbol, Table, Tree, apply, axes_of, is_call, rewritten
from .store import MINUS, ONE, ZERO, Product, Store, exact
from .trees import axes_kept, canonical, contains, is_given, is_number, summands

_MOST_TERMS = 64
_LINEAR = frozenset({
    np.transpose, np.swapaxes, np.moveaxis, np.reshape, np.expand_dims, np.squeeze, np.ravel, np.sum, np.flip,
    np.cumsum, np.diagonal, np.trace, np.roll, indexing.getitem.fn, indexing.scatter.fn, windows.windows.fn,
    windows.fold_windows.fn, windows.window_mean.fn, shapes.put_diagonal.fn,
})  # fmt: skip
_BILINEAR = frozenset({
    np.matmul, np.outer, np.inner, np.dot, np.vdot, np.vecdot, np.tensordot, windows.window_product.fn,
    windows.window_product_weight.fn, windows.window_product_windows.fn,
})  # fmt: skip


class Algebra(Store):
    """Simplifies trees; knows what the values on the tape are called.

    Parameters
    ----------
    length : Symbol or None
        N, how many numbers the loss is the mean of: what a sum of so many ones is.
    name : callable
        Gives a name for a letter that nothing has yet.
    identities : Table
        Rules for functions: each gives another tree for a tree, with this algebra beside it, or None.
    products : sequence of callable
        Rules for products of powers: each gives the product, written otherwise where it can be.
    sums : sequence of callable
        Rules for what a function hands through, ``rule(algebra, tree, product)``: another product, or None.

    Attributes
    ----------
    remarks : dict
        What was used of the numbers, as the keys: ``"each row of y adds up to 1"``.
    one_hot : dict
        An index to y, which is 1 at the picked elements, else 0.
    """

    def __init__(
        self,
        length: Symbol | None,
        name: Callable[[str], str],
        identities: Table,
        products: Sequence[Callable[[Algebra, Product], Product]],
        sums: Sequence[Callable[[Algebra, Apply, Product], Product | None]],
    ) -> None:
        super().__init__()
        self.length = length
        self.name = name
        self._identities, self._product_rules, self._sum_rules = identities, products, sums
        self.remarks: dict[str, None] = {}
        self.one_hot: dict[int, Symbol] = {}
        self._values: dict[int, tuple[Tree, Product]] = {}
        self._given: dict[int, bool] = {}
        self._meanings: dict[int, Tree] = {}
        self._products: list[tuple[tuple[tuple[int, int], ...], int]] = []

    def define(self, symbol: Symbol, tree: Tree) -> None:
        """Call an expression by the name of the value that it is, wherever it turns up."""
        if not isinstance(tree, Apply):
            return
        self._meanings[id(symbol)] = tree
        value = self.value(tree)
        self._values.clear()  # from now on the name stands where it turns up
        if self.shape_of(value) != tree.shape:
            return  # a broadcast: what it is of has another shape, and not this name
        if value.number == 1 and len(value.powers) == 1 and value.powers[0][1] == 1:
            key = value.powers[0][0]
            atom = self.atoms.get(key)
            if isinstance(atom, Apply):
                self._meanings[id(symbol)] = atom
                self.named.setdefault(key, symbol)
        elif value.number == 1 and len(value.powers) > 1 and any(n < 0 for _, n in value.powers):
            self._products.append((value.powers, self.atom(symbol).powers[0][0]))

    def explain(self, symbol: Symbol, tree: Tree) -> None:
        """Know what a value is computed from, without calling it by its name."""
        self._meanings[id(symbol)] = tree

    def simplified(self, tree: Tree) -> Tree:
        """The same value, of the same shape, written as short as the rules find."""
        return self.tree(self.value(tree), tree.shape, tree.dtype)

    # --- sums and products

    def times(self, products: Sequence[Product]) -> Product:
        """The product, equal factors together, what cancels gone."""
        number: Any = Fraction(1)
        powers: dict[int, int] = {}
        for product in products:
            if product.number.__class__ is not Fraction or product.number != 1:
                number = number * product.number
            for key, n in product.powers:
                powers[key] = powers.get(key, 0) + n
        for known, name in self._products:
            while all(powers.get(key, 0) * n >= n * n for key, n in known):
                for key, n in known:
                    powers[key] -= n
                powers[name] = powers.get(name, 0) + 1
        whole = Product(number).with_powers(
            {key: 1 if n > 1 and self._is_condition(key) else n for key, n in powers.items()}
        )
        for rule in self._product_rules:
            whole = rule(self, whole)
        return whole

    def multiply(self, products: Sequence[Product]) -> Product:
        """The product: multiplied out where that is shorter."""
        product = self.times(products)
        if not product.number:
            return ZERO
        return self._shorter(product, [product])

    def add(self, terms: Sequence[Product]) -> Product:
        """The sum: multiplied out where that is shorter."""
        return self._shorter(self.collect(terms), terms)

    def _shorter(self, product: Product, terms: Sequence[Product]) -> Product:
        if len(terms) > _MOST_TERMS:
            return product
        out: list[Product] = []
        for term in terms:
            more = self.multiplied_out(term, _MOST_TERMS - len(out))
            if more is None:
                return product
            out += more
        if len(out) == len(terms) and all(a is b for a, b in zip(out, terms, strict=True)):
            return product
        expanded = self.collect(out)
        return expanded if self._cost(expanded) < self._cost(product) else product

    def multiplied_out(self, product: Product, most: int) -> list[Product] | None:
        """The terms of a product of sums; None if there are more than `most`. Sums with fractions go first, so that
        their denominators meet the other factors."""
        sums = {key: n for key, n in product.powers if n > 0 and key in self.sums}
        if not sums:
            return [product]
        parts = [product, *(term for key in sums for term in self.sums[key])]
        whole = all(n > 0 for part in parts for _, n in part.powers)
        if whole and math.prod(len(self.sums[key]) ** n for key, n in sums.items()) > most:
            return None  # nothing cancels: so many there are
        first = max(sums, key=lambda key: any(n < 0 for term in self.sums[key] for _, n in term.powers))
        rest = product.with_powers({key: n - (key == first) for key, n in product.powers})
        out: list[Product] = []
        for term in self.sums[first]:
            more = self.multiplied_out(self.times([term, rest]), most - len(out))
            if more is None or len(out) + len(more) > most:
                return None
            out += more
        return out

    def collect(self, terms: Sequence[Product]) -> Product:
        """The sum of some products as one: equal terms together, what all have in common in front of the bracket."""
        found: dict[frozenset[tuple[int, int]], Product] = {}
        for term in terms:
            same = frozenset(term.powers)
            before = found.get(same)
            found[same] = term if before is None else before._replace(number=before.number + term.number)
        left = [term for term in found.values() if term.number != 0]
        if not left:
            return ZERO
        if len(left) == 1:
            return left[0]
        common = dict(left[0].powers)
        for term in left[1:]:
            powers = dict(term.powers)
            common = {
                key: min(n, powers[key]) if n > 0 else max(n, powers[key])
                for key, n in common.items()
                if key in powers and (powers[key] > 0) == (n > 0)
            }
        size_of = {abs(term.number) for term in left}
        number = size_of.pop() if len(size_of) == 1 else Fraction(1)
        inside = [
            term._replace(number=term.number / number).with_powers({k: n - common.get(k, 0) for k, n in term.powers})
            for term in left
        ]
        inside.sort(key=lambda term: term.number < 0)
        leading = min(inside, key=lambda term: (bool(term.powers) + self._is_given(term), sorted(term.powers)))
        sign = 1 if leading.number > 0 else -1
        normal = [Product(sign * term.number, term.powers) for term in inside]
        key = self._intern(("sum", frozenset((frozenset(t.powers), t.number) for t in normal)))
        self.sums.setdefault(key, tuple(normal))
        return self.times([Product(number * sign, tuple(common.items())), Product(Fraction(1), ((key, 1),))])

    def _is_given(self, term: Product) -> bool:
        """Whether a term holds no value that a gradient flows to: labels are subtracted from predictions."""
        return all(self._is_given_key(key) for key, _ in term.powers)

    def _is_given_key(self, key: int) -> bool:
        if key not in self._given:
            terms = self.sums.get(key)
            found = is_given(self.atoms[key]) if terms is None else all(self._is_given(t) for t in terms)
            self._given[key] = found
        return self._given[key]

    def _is_condition(self, key: int) -> bool:
        return key in self.atoms and self.atoms[key].dtype == bool

    def known(self, tree: Tree | None) -> Tree | None:
        """What a name stands for, if that is known; anything else as it is."""
        return self._meanings.get(id(tree), tree)

    # --- from trees

    def value(self, tree: Tree) -> Product:
        """A tree as a product of atoms. Its shape may be a smaller one, of which the tree's is a broadcast."""
        known = self._values.get(id(tree))
        if known is None:
            known = self._values[id(tree)] = tree, self._value(tree)
        return known[1]

    def _value(self, tree: Tree) -> Product:
        if isinstance(tree, Number):
            return Product(exact(tree.value)) if is_number(tree) else self.atom(tree)
        if isinstance(tree, Symbol):
            return ONE if self.ones.get(tree.shape) is tree else self.atom(tree)
        args = tree.args
        if tree.dtype.kind in "fc":
            if is_call(tree, np.multiply):
                return self.multiply([self.value(a) for a in args])
            if is_call(tree, np.negative):
                return self.multiply([MINUS, self.value(args[0])])
            if is_call(tree, np.add):
                alone = rewritten(tree, self._identities, self)
                if alone is not None:
                    return self.value(alone)
                return self.add([self.value(a) for a in self._terms(tree)])
            if is_call(tree, total):
                return self.add([self.value(a) for a in summands(tree)])
            if is_call(tree, np.subtract):
                return self.add([self.value(args[0]), self.multiply([MINUS, self.value(args[1])])])
            if is_call(tree, np.divide, np.reciprocal):
                above, below = args if is_call(tree, np.divide) else (Number(1), args[0])
                inverse = self.inverse(self.value(below))
                if inverse is not None:
                    return self.multiply([self.value(above), inverse])
            exponent = self._whole_power(tree)
            if exponent is not None:
                whole = self.multiply([self.value(args[0])] * abs(exponent)) if exponent else ONE
                found = whole if exponent >= 0 else self.inverse(whole)
                if found is not None:
                    return found
            if is_call(tree, elementwise.where.fn):
                chosen = self._chosen(tree)
                if chosen is not None:
                    return chosen
            if is_call(tree, shapes.astype.fn, np.broadcast_to, np.positive) and args[0].dtype.kind in "fb":
                return self.value(args[0])
        if tree.fn in _LINEAR:
            return self.linear(tree)
        if tree.fn in _BILINEAR:
            return self._bilinear(tree)
        return self.function(tree)

    def _terms(self, tree: Apply) -> Sequence[Tree]:
        """What is added: the two operands, the terms of very long sums at once, as they are multiplied out no more."""
        terms = summands(tree)
        return terms if len(terms) > _MOST_TERMS else tree.args

    def _chosen(self, tree: Apply) -> Product | None:
        """What is chosen where the other choice is 0: a product with the condition, which is 1 or 0."""
        condition, x, y = tree.args
        if condition.dtype != bool or isinstance(condition, Number):
            return None
        holds = {id(x): self.value(condition)}
        holds[id(y)] = self.value(apply(np.logical_not, condition, like=condition))
        for this, other in ((x, y), (y, x)):
            if not self.value(other).number:
                return self.multiply([self.value(this), holds[id(this)]])
        return None

    def inverse(self, product: Product) -> Product | None:
        if not product.number:
            return None
        return Product(1 / product.number, tuple((key, -n) for key, n in product.powers))

    def _whole_power(self, tree: Apply) -> int | None:
        if is_call(tree, np.square):
            return 2
        if is_call(tree, np.power) and is_number(tree.args[1]):
            n = tree.args[1].value
            return int(n) if abs(n) <= 8 and n == int(n) else None
        return None

    def function(self, tree: Apply) -> Product:
        """A function that is none of arithmetic, its operands simplified."""
        return self._looked_up(tree.with_args([self.simplified(a) for a in tree.args]))

    def _looked_up(self, tree: Apply) -> Product:
        """A function as its first identity says it; as an atom, where it has none."""
        other = rewritten(tree, self._identities, self)
        return self.atom(tree) if other is None else self.value(other)

    def beside(self, tree: Tree, symbol: Symbol) -> Tree | None:
        """The other factors of a product with a symbol, that is in none of them; None for anything else."""
        value, key = self.value(tree), self.key(symbol)
        powers = dict(value.powers)
        if powers.pop(key, 0) != 1:
            return None
        rest = value.with_powers(powers)
        others = self.tree(rest, self.shape_of(rest), tree.dtype)
        return None if contains(others, symbol) else others

    def apart(self, product: Product, shape: tuple[int, ...]) -> tuple[Product, Product]:
        """The numbers and scalars in front, and the rest, which has that shape."""
        if not shape:
            return Product(product.number), product._replace(number=Fraction(1))
        front, rest = (
            tuple((key, n) for key, n in product.powers if bool(self.shape_of_key(key)) == array)
            for array in (False, True)
        )
        return Product(product.number, front), Product(Fraction(1), rest)

    def linear(self, tree: Apply) -> Product:
        """A function that hands numbers and scalars of its operand through."""
        tree = canonical(axes_kept(tree))
        x = tree.args[0]
        value = self.value(x)
        if not value.number:
            return ZERO
        if not x.shape and is_call(tree, np.transpose, np.reshape, np.expand_dims, np.squeeze, np.ravel, np.sum):
            return value
        front, rest = self.apart(value, x.shape)
        if is_call(tree, np.sum):
            fixed, rest = self.along(rest, x.ndim, axes_of(tree), kept=bool(tree.options.get("keepdims")))
            front = self.multiply([front, fixed])
        for rule in self._sum_rules:
            found = rule(self, tree, rest)
            if found is not None:
                return self.multiply([front, found])
        if not rest.powers and is_call(tree, np.sum):
            return self.multiply([front, self._count([x.shape[a] for a in axes_of(tree)])])
        if not rest.powers and is_call(tree, np.transpose, np.swapaxes, np.reshape, np.expand_dims, np.squeeze):
            return front
        new = tree.with_args((self.tree(rest, x.shape, x.dtype), *tree.args[1:]))
        return self.multiply([front, self._looked_up(new)])

    def _count(self, lengths: Sequence[int]) -> Product:
        n = int(np.prod(lengths, dtype=np.int64))
        if self.length is not None and int(self.length.array) == n:
            return self.atom(self.length)
        return Product(Fraction(n))

    def _bilinear(self, tree: Apply) -> Product:
        values = [self.value(a) for a in tree.args]
        if not all(v.number for v in values):
            return ZERO
        pairs = [self.apart(v, a.shape) for v, a in zip(values, tree.args, strict=True)]
        new = tree.with_args([self.tree(rest, a.shape, a.dtype) for (_, rest), a in zip(pairs, tree.args, strict=True)])
        return self.multiply([*(front for front, _ in pairs), self._looked_up(new)])
