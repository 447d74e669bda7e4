"""Names for the arrays that are no records: x what weights are multiplied by, y what a prediction is compared with."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.rules import elementwise, linalg, reductions, windows

from ..formula.trace import Builder
from ..formula.tree import Number, Symbol, Tree, apply
from ..formula.writers import times_text

_PRODUCTS = (
    np.matmul, np.dot, np.inner, np.vdot, np.vecdot, np.outer, np.tensordot, linalg.einsum.fn, windows.windows.fn,
    windows.window_product.fn,
)  # fmt: skip

_LOGARITHMS = (np.log, np.log1p, np.logaddexp, reductions.log_softmax.fn)


class Constants(Builder):
    """Makes trees in which equal arrays are one symbol, and 1 − y is written as such.

    Parameters
    ----------
    tape : Tape
    symbol_of : callable
        Gives the symbol of a record.
    near_loss : set of Node
        The loss and the unnamed records that it is computed from.
    shapes : set of tuple
        Those of the values that the loss is computed from.
    taken : set of str
        Names in use.
    """

    def __init__(
        self,
        tape: Tape,
        symbol_of: Callable[[Node], Symbol],
        near_loss: set[Node],
        shapes: set[tuple[int, ...]],
        taken: set[str],
    ):
        super().__init__(symbol_of, lambda array, role: "c")
        self._taken = taken
        self._equal: dict[Any, Tree] = {}
        self._value = tape.value
        self.indices: list[Symbol] = []
        self.remarks: dict[str, None] = {}
        beside = {a for n in tape if n.rule.fn in (np.add, np.subtract) and _has_log(n) for a in n.parents}
        letters: dict[str, list[Symbol]] = {"x": [], "y": [], "c": [], "mask": []}
        for node in tape:
            for array in node.operands:
                if not isinstance(array, np.ndarray) or not array.ndim or _key(array) in self._equal:
                    continue
                condition = self._condition(node, array)
                if condition is not None:
                    self._equal[_key(array)] = condition
                    continue
                label = self._label(array)
                if label is not None:
                    self._equal[_key(array)] = apply(
                        np.subtract, Number(1), label, shape=array.shape, dtype=array.dtype
                    )
                    letters["y"] += [label] if label in letters["c"] else []
                    letters["c"] = [c for c in letters["c"] if c is not label]
                    continue
                near_log = node in beside or _has_log(node)
                letter = "c" if array.dtype != bool else "mask"
                if node.rule.fn in _PRODUCTS:
                    letter = "x"
                elif (
                    array.dtype != bool
                    and node in near_loss
                    and (array.shape in shapes or node.rule.fn is np.subtract or near_log)
                ):
                    letter = "y"
                symbol = Symbol("constant", letter, array)
                self._equal[_key(array)] = symbol
                letters[letter].append(symbol)
        for letter, found in letters.items():
            for symbol, name in zip(found, self._free(letter, len(found)), strict=True):
                self.indices += [symbol] if letter == "mask" else []
                symbol.name = name if symbol.ndim != 6 else f"windows({name}, {times_text(symbol.shape[-2:])})"

    def _free(self, letter: str, count: int) -> list[str]:
        """So many names that nothing has: y, or y₁, y₂, …"""
        names = [letter] if count == 1 else [letter + _lowered(i + 1) for i in range(count)]
        start = 2
        while any(name in self._taken for name in names):
            names = [letter + _lowered(i) for i in range(start, start + count)]
            start += 1
        self._taken |= set(names)
        return names

    def name(self, letter: str) -> str:
        """A name that nothing has."""
        return self._free(letter, 1)[0]

    def _condition(self, node: Node, array: Any) -> Tree | None:
        """[z > 0] for an array of True and False that is this for one of the values that it is used with."""
        if array.dtype != bool or node.rule.fn not in (elementwise.where.fn, np.multiply):
            return None
        near = list(node.parents)
        near += [a for parent in near for a in parent.parents if a not in near]
        pairs: list[tuple[Node, Any]] = [(x, Number(0)) for x in near]
        pairs += [(x, y) for x, y in itertools.permutations(node.parents, 2)]
        for fn in (np.greater, np.less, np.greater_equal, np.less_equal):
            for x, y in pairs:
                other = y.value if isinstance(y, Number) else self._value(y)
                if x.shape == array.shape and np.array_equal(fn(self._value(x), other), array):
                    bound = y if isinstance(y, Number) else self.symbol(y)
                    self.remarks["conditions in [ ] are 1 or 0; here they are read off from the numbers"] = None
                    return apply(fn, self.symbol(x), bound, shape=array.shape, dtype=array.dtype)
        return None

    def _label(self, array: Any) -> Symbol | None:
        """The y of which an array is 1 − y."""
        if array.dtype.kind != "f":
            return None
        for other in [t for t in self._equal.values() if isinstance(t, Symbol)]:
            if other.shape == array.shape and other.dtype == array.dtype and np.array_equal(array, 1 - other.array):
                return other
        return None

    def constant(self, value: Any, role: str = "operand") -> Tree:
        """An operand that is no record: a number, or an array with a name."""
        if isinstance(value, np.ndarray) and value.ndim and role == "operand":
            known = self._equal.get(_key(value))
            if known is not None:
                return known
        if np.ndim(value) and role == "index":
            return self._index(value)
        return super().constant(value, role)

    def _index(self, value: Any) -> Tree:
        found = self._constants.get(id(value))
        if found is None:
            letter = "i" if np.asarray(value).dtype != bool else "mask"
            found = self._constants[id(value)] = Symbol("constant", self.name(letter), np.asarray(value))
            self.indices.append(found)
        return found


def _has_log(node: Node) -> bool:
    """Whether something is computed from logarithms, as labels are multiplied by them in a cross-entropy."""
    return any(a.rule.fn in _LOGARITHMS for a in node.parents)


def _key(array: Any) -> Any:
    return array.shape, array.dtype.str, array.tobytes()


def _lowered(n: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(d)] for d in str(n))
