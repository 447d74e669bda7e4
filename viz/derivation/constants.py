"""Names for the arrays that are no records: x what weights are multiplied by, y what a prediction is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.rules import linalg, windows

from ..formula.trace import Builder
from ..formula.tree import Number, Symbol, Tree, apply

_PRODUCTS = (
    np.matmul, np.dot, np.inner, np.vdot, np.vecdot, np.outer, np.tensordot, linalg.einsum.fn, windows.windows.fn,
    windows.window_product.fn,
)  # fmt: skip


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
        letters: dict[str, list[Symbol]] = {"x": [], "y": [], "c": []}
        for node in tape:
            for array in node.operands:
                if not isinstance(array, np.ndarray) or not array.ndim or _key(array) in self._equal:
                    continue
                label = self._label(array)
                if label is not None:
                    self._equal[_key(array)] = apply(
                        np.subtract, Number(1), label, shape=array.shape, dtype=array.dtype
                    )
                    letters["y"] += [label] if label in letters["c"] else []
                    letters["c"] = [c for c in letters["c"] if c is not label]
                    continue
                letter = "c"
                if node.rule.fn in _PRODUCTS:
                    letter = "x"
                elif node in near_loss and (array.shape in shapes or node.rule.fn is np.subtract):
                    letter = "y"
                symbol = Symbol("constant", letter, array)
                self._equal[_key(array)] = symbol
                letters[letter].append(symbol)
        for letter, found in letters.items():
            for symbol, name in zip(found, self._free(letter, len(found)), strict=True):
                symbol.name = name

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
        return found


def _key(array: Any) -> Any:
    return array.shape, array.dtype.str, array.tobytes()


def _lowered(n: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(d)] for d in str(n))
