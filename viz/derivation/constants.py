"""Names for the arrays that are no records: x what weights are multiplied by, y what a prediction is compared with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.rules import linalg, windows
from autograd.variables import written_name

from ..formula.trace import Builder
from ..formula.tree import Number, Symbol, Tree, apply
from ..formula.writers import times_text
from ..plain.numbers import subscript

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
        super().__init__(symbol_of, lambda array, role: self.name("c"), tape)
        self._taken = taken
        self._equal: dict[Any, Tree] = {}
        self._constant_of: dict[int, Tree] = {}
        self.indices: list[Symbol] = []
        beside = {a for n in tape if n.rule.fn in (np.add, np.subtract) and _has_log(n) for a in n.parents}
        letters: dict[Any, str] = {}
        names: dict[Any, str] = {}
        for node in tape:
            for i, array in enumerate(node.operands):
                if not isinstance(array, np.ndarray) or not array.ndim or self.condition(array) is not None:
                    continue
                # Equal numbers are one array where they are used alike; inputs that equal labels are not the labels.
                is_input = node.rule.fn in _PRODUCTS
                key = (is_input, *_key(array))
                if key in self._equal:
                    self._constant_of[id(array)] = self._equal[key]
                    continue
                near_log = node in beside or _has_log(node)
                label = self._label(array) if near_log else None
                if label is not None:
                    y = self._equal[label]
                    self._equal[key] = self._constant_of[id(array)] = apply(np.subtract, Number(1), y, like=y)
                    if letters[label] == "c":
                        del letters[label]
                        letters[label] = "y"  # the last y so far
                    continue
                is_label = array.shape in shapes or node.rule.fn is np.subtract or near_log
                letter = "mask" if array.dtype == bool else "y" if node in near_loss and is_label else "c"
                letters[key] = written_name(node, i) or ("x" if is_input else letter)
                symbol = Symbol("constant", partial(names.__getitem__, key), array)
                self._equal[key] = self._constant_of[id(array)] = symbol
        for letter in dict.fromkeys(["x", "y", "c", "mask", *letters.values()]):
            found = [key for key in letters if letters[key] == letter]
            for key, name in zip(found, self._free(letter, len(found)), strict=True):
                shape = self._equal[key].shape
                names[key] = name if len(shape) != 6 else f"windows({name}, {times_text(shape[-2:])})"
        self.indices += [s for key, s in self._equal.items() if isinstance(s, Symbol) and s.dtype == bool]

    def _free(self, letter: str, count: int) -> list[str]:
        """So many names that nothing has: y, or y₁, y₂, …"""
        names = [letter] if count == 1 else [letter + subscript(i + 1) for i in range(count)]
        start = 2
        while any(name in self._taken for name in names):
            names = [letter + subscript(i) for i in range(start, start + count)]
            start += 1
        self._taken |= set(names)
        return names

    def name(self, letter: str) -> str:
        """A name that nothing has."""
        return self._free(letter, 1)[0]

    def _label(self, array: Any) -> Any:
        """The key of the y of which an array is 1 − y."""
        for key, other in self._equal.items() if array.dtype.kind == "f" else ():
            if not isinstance(other, Symbol) or key[0] or other.dtype != array.dtype or other.shape != array.shape:
                continue
            if np.array_equal(array, 1 - other.array):
                return key
        return None

    def constant(self, value: Any, role: str = "operand") -> Tree:
        """An operand that is no record: a number, or an array with a name."""
        condition = self.condition(value)
        if condition is not None:
            return condition
        if isinstance(value, np.ndarray) and value.ndim and role == "operand":
            known = self._constant_of.get(id(value)) or self._equal.get((False, *_key(value)))
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
    return any("log" in a.op for a in node.parents)


def _key(array: Any) -> Any:
    return array.shape, array.dtype.str, array.tobytes()
