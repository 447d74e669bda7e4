"""Clean-up of sums, products and powers: a product is taken apart and put together as a person would write it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, TypeGuard

import numpy as np

from .tree import Apply, Number, Tree, apply, is_call, negated, same, stretched


def plain_number(tree: Tree) -> TypeGuard[Number]:
    """Whether it is a real number that was written as one, not a truth value."""
    other = bool | np.bool_ | None
    return isinstance(tree, Number) and not isinstance(tree.value, other) and not np.iscomplexobj(tree.value)


def simple_fraction(value: Any) -> Fraction | None:
    """A number of many digits as the fraction that it is, 1/12; None if it is none of small numbers."""
    if not isinstance(value, float) or not math.isfinite(value) or len(repr(value)) <= 6:
        return None
    fraction = Fraction(value).limit_denominator(10**6)
    return fraction if abs(fraction.numerator) < 100 and float(fraction) == value else None


def simple_sum(tree: Apply) -> Tree | None:
    """x + 0, x + (−y), x − (−y)."""
    (a, b), plus = tree.args, is_call(tree, np.add)
    for x, y in ((a, b), (b, a)):
        if plain_number(y) and y.value == 0 and x.shape == tree.shape and x.dtype != bool:
            return x if y is b or plus else apply(np.negative, x, like=tree)
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(tree.rule.op(a.value, b.value))
    if is_call(b, np.negative):
        return apply(np.subtract if plus else np.add, a, b.args[0], like=tree)
    return None


def sign_in_front(tree: Apply) -> Tree | None:
    """Σ (−x) = −Σ x."""
    x = tree.args[0]
    return negated(tree.with_args(x.args)) if is_call(x, np.negative) else None


def power(base: Tree, n: int) -> Tree:
    if n == 1:
        return base
    return apply(np.square, base, like=base) if n == 2 else apply(np.power, base, Number(n), like=base)


def row(factors: Sequence[Tree], dtype: Any = None) -> Tree:
    """A product, from left to right; 1 of no factors."""
    return reduce(lambda a, b: apply(np.multiply, a, b, dtype=dtype), factors) if factors else Number(1)


def quotient(above: Sequence[Tree], below: Sequence[Tree], dtype: Any) -> Tree:
    """One fraction, of the factors above the bar and those below it."""
    upper = row(above, dtype)
    return apply(np.divide, upper, row(below, dtype), dtype=dtype) if below else upper


class _Product:
    """A product and quotient taken apart: sign, numbers, factors above and below the fraction bar."""

    def __init__(self) -> None:
        self.negative = False
        self.numbers: tuple[list[Any], list[Any]] = ([], [])
        self.factors: tuple[list[Tree], list[Tree]] = ([], [])

    def take(self, tree: Tree, below: int) -> None:
        if is_call(tree, np.multiply):
            for a in tree.args:
                self.take(a, below)
        elif is_call(tree, np.divide) and tree.dtype.kind in "fc":
            self.take(tree.args[0], below)
            self.take(tree.args[1], 1 - below)
        elif is_call(tree, np.negative):
            self.negative = not self.negative
            self.take(tree.args[0], below)
        elif plain_number(tree):
            self.numbers[below].append(tree.value)
        elif not isinstance(tree, Number) or not tree.value or np.iscomplexobj(tree.value):  # True is 1
            self.factors[below].append(tree)


def _as_power(tree: Tree) -> tuple[Tree, int]:
    """The base and the small whole exponent of a power."""
    if is_call(tree, np.square):
        return tree.args[0], 2
    if is_call(tree, np.power) and isinstance(tree.args[1], Number):
        n = tree.args[1].value
        if isinstance(n, int) and 2 <= n <= 16:
            return tree.args[0], n
    return tree, 1


def _multiplied(factors: list[Tree]) -> list[Tree]:
    """The factors, if there are any, as one product, equal ones as powers."""
    counted: list[tuple[Tree, int]] = []
    for factor in factors:
        base, n = _as_power(factor)
        for k, (known, m) in enumerate(counted):
            if same(known, base) and base.dtype.kind in "fc":
                counted[k] = (known, m + n)
                break
        else:
            counted.append((base, n))
    return [row([power(base, n) for base, n in counted])] if counted else []


def _as_one(numbers: list[Any]) -> Any:
    return numbers[0] if len(numbers) == 1 else float(math.prod(float(n) for n in numbers))


def _is_whole(x: float) -> bool:
    return math.isfinite(x) and x == round(x)


def collected(tree: Apply) -> Tree | None:
    """A product of floats with its numbers in front, equal factors as powers, and one fraction bar."""
    if tree.dtype.kind not in "fc":
        return None
    taken = _Product()
    taken.take(tree, 0)
    above, below = map(_multiplied, taken.factors)
    over, under = (_as_one(numbers) if numbers else 1 for numbers in taken.numbers)
    fraction = simple_fraction(over) if under == 1 else None
    if fraction is not None:
        over, under = fraction.as_integer_ratio()
    if under == 1 and below and over not in (0, 1) and _is_whole(1 / over) and abs(1 / over) > 1:
        over, under = 1, round(1 / over)
    if under != 1 and not below and over != 1 and _is_whole(float(over) / float(under)):
        over, under = float(over) / float(under), 1
    if over != 1 and np.ndim(over) == 0 and over < 0:
        over, taken.negative = -over, not taken.negative
    if under != 1 and np.ndim(under) == 0 and under < 0:
        under, taken.negative = -under, not taken.negative
    if not above and not below and under == 1:
        return Number(over) if any(isinstance(a, Number) and a.dtype == bool for a in tree.args) else None
    if over != 1 or not above or above[0].dtype == bool:
        above.insert(0, Number(over))
    if under != 1:
        below.insert(0, Number(under))
    result = quotient(above, below, tree.dtype)
    if taken.negative:
        result = apply(np.negative, result, shape=result.shape, dtype=tree.dtype)
    return None if result.shape != tree.shape or same(result, tree) else result


def simple_power(tree: Apply) -> Tree | None:
    """x¹, x⁰, and a whole exponent."""
    x, n = tree.args
    if plain_number(n) and n.value == 1 and x.shape == tree.shape:
        return x
    if plain_number(n) and n.value == 0 and x.dtype.kind == "f":
        return stretched(Number(tree.dtype.type(1)), tree.shape)
    if isinstance(n, Number) and isinstance(n.value, float) and _is_whole(n.value) and abs(n.value) < 100:
        return apply(np.power, x, Number(int(n.value)), like=tree)
    return None


def simple_square(tree: Apply) -> Tree | None:
    """(√(a² + b²))²."""
    if not is_call(tree.args[0], np.hypot):
        return None
    a, b = tree.args[0].args
    squares = [Number(s.value**2) if isinstance(s, Number) else power(s, 2) for s in (b, a)]
    if isinstance(squares[1], Number):
        squares.reverse()
    return apply(np.add, *squares, like=tree)
