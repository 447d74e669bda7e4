"""Clean-up of sums, products and powers: a product is taken apart and put together as a person would write it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from .tree import Apply, Number, Tree, apply, is_call, same, stretched


def plain_number(tree: Tree) -> bool:
    """Whether it is a number that was written as one, not a truth value."""
    return isinstance(tree, Number) and not isinstance(tree.value, bool | np.bool_) and tree.value is not None


def simple_sum(tree: Apply) -> Tree | None:
    """x + 0, x + (−y), x − (−y)."""
    if not is_call(tree, np.add, np.subtract):
        return None
    a, b = tree.args
    for x, y in ((a, b), (b, a)):
        if isinstance(y, Number) and plain_number(y) and y.value == 0 and x.shape == tree.shape and x.dtype != bool:
            if y is b or is_call(tree, np.add):
                return x
            return apply(np.negative, x, shape=tree.shape, dtype=tree.dtype)
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(tree.rule.op(a.value, b.value))
    if isinstance(b, Apply) and is_call(b, np.negative):
        other = np.subtract if is_call(tree, np.add) else np.add
        return apply(other, a, b.args[0], shape=tree.shape, dtype=tree.dtype)
    return None


def sign_in_front(tree: Apply) -> Tree | None:
    """Σ (−x) = −Σ x."""
    x = tree.args[0] if is_call(tree, np.sum, np.reshape) else None
    if not isinstance(x, Apply) or not is_call(x, np.negative):
        return None
    total = Apply(tree.rule, x.args, tree.options, tree.shape, tree.dtype)
    return apply(np.negative, total, shape=tree.shape, dtype=tree.dtype)


class _Product:
    """A product and quotient taken apart: sign, numbers, factors above and below the fraction bar."""

    def __init__(self) -> None:
        self.negative = False
        self.numbers: tuple[list[Any], list[Any]] = ([], [])
        self.factors: tuple[list[Tree], list[Tree]] = ([], [])

    def take(self, tree: Tree, below: int) -> None:
        if isinstance(tree, Apply) and is_call(tree, np.multiply):
            for a in tree.args:
                self.take(a, below)
        elif isinstance(tree, Apply) and is_call(tree, np.divide) and tree.dtype.kind == "f":
            self.take(tree.args[0], below)
            self.take(tree.args[1], 1 - below)
        elif isinstance(tree, Apply) and is_call(tree, np.negative):
            self.negative = not self.negative
            self.take(tree.args[0], below)
        elif isinstance(tree, Number) and plain_number(tree):
            self.numbers[below].append(tree.value)
        elif isinstance(tree, Number) and tree.value is not None and bool(tree.value):
            pass
        else:
            self.factors[below].append(tree)


def _as_power(tree: Tree) -> tuple[Tree, int]:
    """The base and the small whole exponent of a power."""
    if isinstance(tree, Apply) and is_call(tree, np.square):
        return tree.args[0], 2
    if isinstance(tree, Apply) and is_call(tree, np.power) and isinstance(tree.args[1], Number):
        n = tree.args[1].value
        if isinstance(n, int) and 2 <= n <= 16:
            return tree.args[0], n
    return tree, 1


def power(base: Tree, n: int) -> Tree:
    if n == 1:
        return base
    if n == 2:
        return apply(np.square, base, shape=base.shape, dtype=base.dtype)
    return apply(np.power, base, Number(n), shape=base.shape, dtype=base.dtype)


def _multiplied(factors: list[Tree]) -> Tree | None:
    """The factors as one product, equal ones as powers."""
    counted: list[tuple[Tree, int]] = []
    for factor in factors:
        base, n = _as_power(factor)
        for k, (known, m) in enumerate(counted):
            if same(known, base) and base.dtype.kind == "f":
                counted[k] = (known, m + n)
                break
        else:
            counted.append((base, n))
    product: Tree | None = None
    for base, n in counted:
        factor = power(base, n)
        if product is None:
            product = factor
        else:
            shape = np.broadcast_shapes(product.shape, factor.shape)
            dtype = np.result_type(product.dtype, factor.dtype)
            product = apply(np.multiply, product, factor, shape=shape, dtype=dtype)
    return product


def _as_one(numbers: list[Any]) -> Any:
    return numbers[0] if len(numbers) == 1 else float(math.prod(float(n) for n in numbers))


def _is_whole(x: float) -> bool:
    return math.isfinite(x) and x == round(x)


def collected(tree: Apply) -> Tree | None:
    """A product of floats with its numbers in front, equal factors as powers, and one fraction bar."""
    if not is_call(tree, np.multiply, np.divide, np.negative) or tree.dtype.kind != "f":
        return None
    taken = _Product()
    taken.take(tree, 0)
    above, below = (_multiplied(factors) for factors in taken.factors)
    over, under = (_as_one(numbers) if numbers else 1 for numbers in taken.numbers)
    if under == 1 and isinstance(over, float) and math.isfinite(over) and len(repr(over)) > 6:
        fraction = Fraction(over).limit_denominator(10**6)
        if abs(fraction.numerator) < 100 and float(fraction) == over:
            over, under = fraction.numerator, fraction.denominator
    if under == 1 and below is not None and over not in (0, 1) and _is_whole(1 / over) and abs(1 / over) > 1:
        over, under = 1, round(1 / over)
    if under != 1 and below is None and over != 1 and _is_whole(float(over) / float(under)):
        over, under = float(over) / float(under), 1
    if over != 1 and np.ndim(over) == 0 and over < 0:
        over, taken.negative = -over, not taken.negative
    if under != 1 and np.ndim(under) == 0 and under < 0:
        under, taken.negative = -under, not taken.negative
    upper = _times(over, above, always=above is None or above.dtype == bool)
    if upper is None:
        upper = Number(over)
    lower = _times(under, below, always=False)
    if isinstance(upper, Number) and lower is None and below is None and above is None:
        return upper if any(isinstance(a, Number) and a.dtype == bool for a in tree.args) else None
    result: Tree = upper
    if lower is not None:
        result = apply(np.divide, upper, lower, shape=np.broadcast_shapes(upper.shape, lower.shape), dtype=tree.dtype)
    if taken.negative:
        result = apply(np.negative, result, shape=result.shape, dtype=tree.dtype)
    if result.shape != tree.shape or same(result, tree):
        return None
    return result


def _times(number: Any, tree: Tree | None, *, always: bool) -> Tree | None:
    if tree is None:
        return None if number == 1 and not always else Number(number)
    if number == 1 and not always:
        return tree
    dtype = tree.dtype if tree.dtype.kind == "f" else np.dtype(float)
    return apply(np.multiply, Number(number), tree, shape=tree.shape, dtype=dtype)


def simple_power(tree: Apply) -> Tree | None:
    """x¹, and (√(a² + b²))²."""
    if is_call(tree, np.power):
        x, n = tree.args
        if isinstance(n, Number) and plain_number(n) and n.value == 1 and x.shape == tree.shape:
            return x
        if isinstance(n, Number) and plain_number(n) and n.value == 0 and x.dtype.kind == "f":
            return stretched(Number(tree.dtype.type(1)), tree.shape)
        if isinstance(n, Number) and isinstance(n.value, float) and _is_whole(n.value) and abs(n.value) < 100:
            return apply(np.power, x, Number(int(n.value)), shape=tree.shape, dtype=tree.dtype)
    if is_call(tree, np.square) and isinstance(tree.args[0], Apply) and is_call(tree.args[0], np.hypot):
        a, b = tree.args[0].args
        squares = [Number(s.value**2) if isinstance(s, Number) else power(s, 2) for s in (b, a)]
        if isinstance(squares[1], Number):
            squares.reverse()
        return apply(np.add, *squares, shape=tree.shape, dtype=tree.dtype)
    return None
