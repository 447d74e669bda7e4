"""What trees are taken apart into: products of powers of atoms, sums of such products; and trees made of them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from autograd.registry import RULES
from autograd.rules import shapes

from ..formula.products import power, quotient
from ..formula.tree import Apply, Number, Symbol, Tree, apply, axes_of, is_call, replaced
from .trees import added, size

_SHORT = 6
_FEW_TERMS = 8


class Product(NamedTuple):
    """A number times powers of atoms, in the order in which they were met."""

    number: Any
    powers: tuple[tuple[int, int], ...] = ()

    def with_powers(self, powers: Mapping[int, int]) -> Product:
        """The same number times other powers, without those that are none."""
        return self._replace(powers=tuple((key, n) for key, n in powers.items() if n))


class Decimal(Fraction):
    """A fraction that a program wrote as a decimal, or made of one: 0.2 of 2 · 0.1, which is not 1/5."""


def _kept(name: str) -> Callable[..., Any]:
    operation = getattr(Fraction, name)

    def operate(*operands: Any) -> Any:
        result = operation(*operands)
        return Decimal(result) if isinstance(result, Fraction) else result

    return operate


for _name in ("mul", "rmul", "add", "radd", "sub", "rsub", "truediv", "rtruediv", "neg", "abs", "pow"):
    setattr(Decimal, f"__{_name}__", _kept(f"__{_name}__"))

ONE = Product(Fraction(1))
MINUS = Product(Fraction(-1))
ZERO = Product(Fraction(0))


def exact(value: Any) -> Any:
    """A number as a fraction where it is a simple one, else as it is."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, int):
        return Fraction(value)
    if value != value or value in (float("inf"), -float("inf")):
        return value
    fraction = Fraction(value).limit_denominator(10**6)
    if abs(float(fraction) - value) > 2e-16 * abs(value):
        return value
    return fraction if fraction.denominator <= 2 else Decimal(fraction)


class Store:
    """Remembers which atoms and sums are the same.

    Attributes
    ----------
    named : dict
        The key of an expression to the symbol of the value that it is: where it turns up, the name stands.
    ones : dict
        A shape to the symbol named 1: stands for all ones, where a number must have a shape.
    units : dict
        A length to the symbol named I, the identity matrix.
    atoms, sums : dict
        What the key of a factor stands for: a tree that is taken apart no more, or the terms of a sum.
    """

    def __init__(self) -> None:
        self.named: dict[int, Symbol] = {}
        self.ones: dict[tuple[int, ...], Symbol] = {}
        self.units: dict[int, Symbol] = {}
        self._keys: dict[Any, int] = {}
        self.atoms: dict[int, Tree] = {}
        self.sums: dict[int, tuple[Product, ...]] = {}
        self._seen: dict[int, tuple[Tree, int]] = {}
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._costs: dict[int, int] = {}

    # --- what is the same

    def _intern(self, what: Any) -> int:
        return self._keys.setdefault(what, len(self._keys))

    def key(self, tree: Tree) -> int:
        """A number that trees share if they say the same."""
        known = self._seen.get(id(tree))
        if known is not None:
            return known[1]
        if isinstance(tree, Symbol):
            found = self._intern(("symbol", id(tree)))
        elif isinstance(tree, Number):
            found = self._intern(("number", str(tree.value)))
        else:
            options = tuple(sorted((name, str(replaced(o, self._option))) for name, o in tree.options.items()))
            found = self._intern((id(tree.rule), tuple(self.key(a) for a in tree.args), options, tree.shape))
        self._seen[id(tree)] = tree, found
        return found

    def _option(self, option: Any) -> Any:
        return f"tree {self.key(option)}" if isinstance(option, Symbol | Apply) else repr(option)

    def atom(self, tree: Tree) -> Product:
        """A tree as one factor; by its name, if it has one."""
        key = self.key(tree)
        if isinstance(tree, Apply) and key in self.named:
            return self.atom(self.named[key])
        self.atoms.setdefault(key, tree)
        return Product(Fraction(1), ((key, 1),))

    def atom_of(self, product: Product) -> Tree | None:
        """The one function or name that a product is; None if it is more than that."""
        if product.number != 1 or len(product.powers) != 1 or product.powers[0][1] != 1:
            return None
        return self.atoms.get(product.powers[0][0])

    def shape_of(self, product: Product) -> tuple[int, ...]:
        """The shape that the factors give."""
        return np.broadcast_shapes(*(self.shape_of_key(key) for key, _ in product.powers))

    def shape_of_key(self, key: int) -> tuple[int, ...]:
        """The shape of one factor."""
        if key not in self.sums:
            return self.atoms[key].shape
        if key not in self._shapes:
            self._shapes[key] = np.broadcast_shapes(*(self.shape_of(term) for term in self.sums[key]))
        return self._shapes[key]

    def along(self, product: Product, ndim: int, axes: Sequence[int], *, kept: bool) -> tuple[Product, Product]:
        """The factors that are the same along some axes, and the others."""
        if not kept:
            if list(axes) != list(range(len(axes))):
                return ONE, product
            product = product._replace(powers=tuple((self._without_axes(key, axes), n) for key, n in product.powers))
        fixed = {
            key
            for key, _ in product.powers
            for shape in [self.shape_of_key(key)]
            if all(a < ndim - len(shape) or (kept and shape[a - ndim] == 1) for a in axes)
        }
        parts = [tuple((key, n) for key, n in product.powers if (key in fixed) == same) for same in (True, False)]
        return Product(Fraction(1), parts[0]), product._replace(powers=parts[1])

    def _without_axes(self, key: int, axes: Sequence[int]) -> int:
        """A sum over the first axes without them, where they were kept; anything else as it is."""
        atom = self.atoms.get(key)
        if not is_call(atom, np.sum) or not atom.options.get("keepdims") or axes_of(atom) != list(axes):
            return key
        options = {"axis": atom.options["axis"]} if len(axes) < atom.args[0].ndim else {}
        return self.atom(Apply(atom.rule, atom.args, options, atom.shape[len(axes) :], atom.dtype)).powers[0][0]

    # --- how long they are

    def _cost(self, product: Product) -> int:
        """How many names and numbers are written."""
        number = int(abs(product.number) != 1 or not product.powers)
        return number + sum(abs(n) * self._cost_of(key) for key, n in product.powers)

    def _cost_of(self, key: int) -> int:
        if key not in self._costs:
            terms = self.sums.get(key)
            self._costs[key] = size(self.atoms[key]) if terms is None else sum(self._cost(term) for term in terms)
        return self._costs[key]

    # --- to trees

    def all_ones(self, shape: tuple[int, ...], dtype: Any) -> Symbol:
        """The name for an array of ones."""
        if shape not in self.ones:
            self.ones[shape] = Symbol("constant", "1", np.ones(shape, dtype))
        return self.ones[shape]

    def unit_matrix(self, n: int, dtype: Any) -> Symbol:
        """The name for an identity matrix."""
        if n not in self.units:
            self.units[n] = Symbol("constant", "I", np.eye(n, dtype=dtype))
        return self.units[n]

    def tree(self, product: Product, shape: tuple[int, ...], dtype: Any) -> Tree:
        """A product as a tree of that shape: one fraction, a sign in front, numbers and scalars first."""
        mixed = [
            key for key, n in product.powers
            if product.number < 0 and n % 2 and any(t.number < 0 for t in self.sums.get(key, ()))
        ]  # fmt: skip
        flipped = mixed[0] if mixed else None
        number = product.number if flipped is None else -product.number
        totals = [key for key, n in product.powers if n > 0 and self._is_total(key)]
        over, under = _numerals(abs(number), alone=not product.powers)
        scalars: tuple[list[Tree], list[Tree]] = ([Number(over)] * (over != 1), [Number(under)] * (under != 1))
        arrays: tuple[list[Tree], list[Tree]] = ([], [])
        for key, n in product.powers:
            in_front = (shape or totals) and not self.shape_of_key(key) and key not in totals
            (scalars if in_front else arrays)[n < 0].append(self._factor(key, abs(n), flipped, dtype))
        above, below = (front + rest for front, rest in zip(scalars, arrays, strict=True))
        if (shape or totals) and any(scalars) and any(arrays) and below:
            whole: Tree = apply(np.multiply, quotient(*scalars, dtype), quotient(*arrays, dtype), dtype=dtype)
        else:
            whole = quotient(above, below, dtype)
        if whole.shape != shape:
            whole = self._stretched(whole, shape, dtype)
        return apply(np.negative, whole, shape=shape, dtype=dtype) if number < 0 else whole

    def _is_total(self, key: int) -> bool:
        """Whether a number is a sum over an array, which is written last."""
        return not self.shape_of_key(key) and key in self.atoms and is_call(self.atoms[key], np.sum)

    def _stretched(self, whole: Tree, shape: tuple[int, ...], dtype: Any) -> Tree:
        """A part of a smaller shape as one of that shape."""
        if whole.shape == ():
            ones = self.all_ones(shape, dtype)
            one = isinstance(whole, Number) and whole.value == 1
            return ones if one else apply(np.multiply, whole, ones, dtype=dtype)
        return Apply(RULES[np.broadcast_to], (whole,), {"shape": shape}, shape, dtype)

    def _factor(self, key: int, n: int, flipped: int | None, dtype: Any) -> Tree:
        base = self.atoms[key] if key not in self.sums else self._total(key, key == flipped, dtype)
        if base.dtype == bool and np.dtype(dtype).kind in "fc":
            base = Apply(RULES[shapes.astype.fn], (base,), {"dtype": np.dtype(dtype)}, base.shape, np.dtype(dtype))
        return power(base, n)

    def _total(self, key: int, flip: bool, dtype: Any) -> Tree:
        """A sum, positive terms first."""
        parts: tuple[list[Tree], list[Tree]] = ([], [])
        for t in self.sums[key]:
            parts[(t.number < 0) != flip].append(self.tree(t._replace(number=abs(t.number)), self.shape_of(t), dtype))
        plus, minus = parts
        if not plus:
            first, *minus = minus
            plus = [apply(np.negative, first, dtype=dtype)]
        whole = added(plus, dtype)
        for part in [added(minus, dtype)] if len(minus) > _FEW_TERMS else minus:
            whole = apply(np.subtract, whole, part, dtype=dtype)
        return whole


def _numerals(number: Any, *, alone: bool) -> tuple[Any, Any]:
    """What is written above and below the bar: a decimal of the program as one, a factor 1/5 as a fraction."""
    if not isinstance(number, Fraction):
        return float(number), 1
    text = repr(float(number))
    short = number.denominator > 1 and len(text) <= _SHORT and Fraction(text) == number
    if short and (isinstance(number, Decimal) or (number.denominator % 5 == 0 and (alone or number.numerator > 2))):
        return float(number), 1
    return number.numerator, number.denominator
