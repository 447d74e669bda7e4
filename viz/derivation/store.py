"""What trees are taken apart into: products of powers of atoms, sums of such products; and trees made of them again."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from autograd.registry import RULES
from autograd.rules import shapes

from ..formula.products import power
from ..formula.tree import Apply, Number, Symbol, Tree, apply, is_call, replaced
from .trees import added, binary, size

_SHORT = 6
_FEW_TERMS = 8


class Product(NamedTuple):
    """A number times powers of atoms, in the order in which they were met."""

    number: Any
    powers: tuple[tuple[int, int], ...] = ()


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
    """

    def __init__(self) -> None:
        self.named: dict[int, Symbol] = {}
        self.ones: dict[tuple[int, ...], Symbol] = {}
        self.units: dict[int, Symbol] = {}
        self._keys: dict[Any, int] = {}
        self._atoms: dict[int, Tree] = {}
        self._sums: dict[int, tuple[Product, ...]] = {}
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
        self._atoms.setdefault(key, tree)
        return Product(Fraction(1), ((key, 1),))

    def atom_of(self, product: Product) -> Tree | None:
        """The one function or name that a product is; None if it is more than that."""
        if product.number != 1 or len(product.powers) != 1 or product.powers[0][1] != 1:
            return None
        return self._atoms.get(product.powers[0][0])

    def shape_of(self, product: Product) -> tuple[int, ...]:
        """The shape that the factors give."""
        return np.broadcast_shapes(*(self.shape_of_key(key) for key, _ in product.powers))

    def shape_of_key(self, key: int) -> tuple[int, ...]:
        """The shape of one factor."""
        if key not in self._sums:
            return self._atoms[key].shape
        if key not in self._shapes:
            self._shapes[key] = np.broadcast_shapes(*(self.shape_of(term) for term in self._sums[key]))
        return self._shapes[key]

    # --- how long they are

    def _cost(self, product: Product) -> int:
        """How many names and numbers are written."""
        number = int(abs(product.number) != 1 or not product.powers)
        return number + sum(abs(n) * self._cost_of(key) for key, n in product.powers)

    def _cost_of(self, key: int) -> int:
        if key not in self._costs:
            terms = self._sums.get(key)
            self._costs[key] = size(self._atoms[key]) if terms is None else sum(self._cost(term) for term in terms)
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
        sums = [key for key, n in product.powers if key in self._sums and n % 2]
        flipped = None
        if product.number < 0:
            mixed = [key for key in sums if min(t.number for t in self._sums[key]) < 0]
            flipped = mixed[0] if mixed else None
        number = -product.number if flipped is not None else product.number
        totals = [key for key, n in product.powers if n > 0 and self._is_total(key)]
        front = [key for key, _ in product.powers if not self.shape_of_key(key) and key not in totals]
        if not shape and not totals:
            front = []
        above, below = (
            [self._factor(key, abs(n), flipped, dtype) for key, n in product.powers
             if (n > 0) == up and key not in front]
            for up in (True, False)
        )  # fmt: skip
        up, down = (
            [self._factor(key, abs(n), flipped, dtype) for key, n in product.powers if (n > 0) == sign and key in front]
            for sign in (True, False)
        )
        whole: Tree | None = None
        over, under = _numerals(abs(number), alone=not product.powers)
        scalar_up = ([Number(over)] if over != 1 else []) + up
        scalar_down = ([Number(under)] if under != 1 else []) + down
        if (not shape and not totals) or (not above and not below):
            whole = self._fraction(scalar_up + above, scalar_down + below, dtype)
        else:
            arrays = self._fraction(above, below, dtype)
            scalars = self._fraction(scalar_up, scalar_down, dtype) if scalar_up or scalar_down else None
            if scalars is None:
                whole = arrays
            elif not scalar_down and not below:
                whole = self._row(scalar_up + above, dtype)
            else:
                whole = binary(np.multiply, scalars, arrays, dtype)
        if whole.shape != shape:
            whole = self._stretched(whole, shape, dtype)
        return apply(np.negative, whole, shape=shape, dtype=dtype) if number < 0 else whole

    def _is_total(self, key: int) -> bool:
        """Whether a number is a sum over an array, which is written last."""
        return not self.shape_of_key(key) and key in self._atoms and is_call(self._atoms[key], np.sum)

    def _stretched(self, whole: Tree, shape: tuple[int, ...], dtype: Any) -> Tree:
        """A part of a smaller shape as one of that shape."""
        if whole.shape == ():
            ones = self.all_ones(shape, dtype)
            return ones if isinstance(whole, Number) and whole.value == 1 else binary(np.multiply, whole, ones, dtype)
        return Apply(RULES[np.broadcast_to], (whole,), {"shape": shape}, shape, dtype)

    def _factor(self, key: int, n: int, flipped: int | None, dtype: Any) -> Tree:
        base = self._atoms[key] if key not in self._sums else self._total(key, key == flipped, dtype)
        if base.dtype == bool and np.dtype(dtype).kind == "f":
            base = Apply(RULES[shapes.astype.fn], (base,), {"dtype": np.dtype(dtype)}, base.shape, np.dtype(dtype))
        return power(base, n)

    def _total(self, key: int, flip: bool, dtype: Any) -> Tree:
        """A sum, positive terms first."""
        terms = [t._replace(number=-t.number) if flip else t for t in self._sums[key]]
        plus, minus = (
            [
                self.tree(t._replace(number=abs(t.number)), self.shape_of(t), dtype)
                for t in terms
                if (t.number < 0) == down
            ]
            for down in (False, True)
        )
        if not plus:
            first, *minus = minus
            plus = [apply(np.negative, first, shape=first.shape, dtype=dtype)]
        whole = added(plus, dtype)
        for part in [added(minus, dtype)] if len(minus) > _FEW_TERMS else minus:
            whole = binary(np.subtract, whole, part, dtype)
        return whole

    def _fraction(self, above: list[Tree], below: list[Tree], dtype: Any) -> Tree:
        upper = self._row(above, dtype) if above else Number(1)
        return binary(np.divide, upper, self._row(below, dtype), dtype) if below else upper

    def _row(self, factors: list[Tree], dtype: Any) -> Tree:
        whole = factors[0]
        for factor in factors[1:]:
            whole = binary(np.multiply, whole, factor, dtype)
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
