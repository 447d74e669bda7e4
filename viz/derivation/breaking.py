"""Lines that fit: what is too wide is broken at its sums, and parts that are still too wide get names of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial as bound
from typing import Any, NamedTuple

import numpy as np

from ..formula.notation import MOST_TERMS, printer
from ..formula.tree import Apply, Symbol, Tree, evaluate, is_call, symbols
from ..formula.writers import LATEX, PLAIN, SUM, Writer
from ..plain.numbers import columns

WIDEST = 100
"""Columns of a line of text. In a notebook, 100 of them are less than the 900 pixels of a cell."""
_LEAST, _REPEATED, _BESIDE = 40, 12, 20
_SUMS = (np.add, np.subtract)
_TIMES = re.compile(r"\d×")


class Written(NamedTuple):
    """A text in both writings; partial derivatives in MathML, too."""

    plain: str
    latex: str
    mathml: str = ""

    @property
    def width(self) -> int:
        return _columns(self.plain)


def tree_text(tree: Tree, what: Any = "symbols") -> Written:
    """A tree as text; a condition in the brackets of Iverson."""
    return Written(*(printed(tree, writer, what) for writer in (PLAIN, LATEX)))


def printed(tree: Tree, writer: Writer, what: Any = "symbols", level: int = -1) -> str:
    places = {id(symbol): k for k, symbol in enumerate(symbols(tree))}
    p = printer(writer, what, places)
    return p.bracketed(p.arithmetic(tree), level).strip()


def width(tree: Tree) -> int:
    """How many columns a tree takes as text; of one that fits in no row, more than any has."""
    return 4 * WIDEST if too_long(tree) else _columns(printed(tree, PLAIN))


def too_long(tree: Tree) -> bool:
    """Whether a tree has more names than a few rows have columns: what is shared in it can be as long as it likes."""
    waiting: list[Any] = [tree]
    found = 0
    while waiting and found <= 4 * WIDEST:
        part = waiting.pop()
        found += not isinstance(part, Apply)
        if isinstance(part, Apply):
            waiting += part.args if len(part.args) <= MOST_TERMS else (*part.args[:2], part.args[-1])
    return found > 4 * WIDEST


def _columns(text: str) -> int:
    """How wide a text is; the signs of a shape, 3×4, take more room in LaTeX."""
    return columns(text) + 2 * len(_TIMES.findall(text))


def symbol_text(symbol: Symbol) -> Written:
    return Written(*(writer.symbol(symbol, 0).text for writer in (PLAIN, LATEX)))


def wrapped(parts: Sequence[tuple[Written, Written]], room: int) -> list[Written]:
    """Texts in rows that are at most so wide, each with the sign before it: ``(sign, text)``."""
    rows: list[Written] = []
    for sign, text in parts:
        longer = (
            Written(f"{rows[-1].plain} {sign.plain} {text.plain}", f"{rows[-1].latex} {sign.latex} {text.latex}")
            if rows
            else text
        )
        if rows and longer.width > room:
            rows.append(Written(f"{sign.plain} {text.plain}", rf"{sign.latex} {text.latex}"))
        else:
            rows[-1:] = [longer]
    return rows


class Definition(NamedTuple):
    """What a name stands for: a part of a formula that was too wide.

    Attributes
    ----------
    symbol : Symbol
        The name; its array is that of the part as it was.
    tree : Symbol, Number or Apply
        The part as it is written, other parts of it by their names.
    rows : list of Written
        The right-hand side as text.
    """

    symbol: Symbol
    tree: Tree
    rows: list[Written]

    def evaluate(self) -> Any:
        """The array that the right-hand side gives."""
        return np.broadcast_to(np.asarray(evaluate(self.tree)), self.symbol.shape)

    def notes(self) -> list[Written]:
        """The equation, in as many rows as it needs."""
        name, (first, *more) = symbol_text(self.symbol), self.rows
        blank = " " * name.width
        rows = [Written(f"{name.plain} = {first.plain}", f"{name.latex} = {first.latex}")]
        return rows + [Written(f"{blank}   {row.plain}", rf"\qquad {row.latex}") for row in more]


class Breaker:
    """Breaks the formulas of one derivation; a part has the same name in all of them.

    Parameters
    ----------
    name : callable
        Gives a name for a letter that nothing has yet.
    key : callable
        Gives a number that trees share if they say the same.
    """

    def __init__(self, name: Callable[[str], str], key: Callable[[Tree], int]):
        self._name, self._key = name, key
        self._known: dict[int, Definition] = {}
        self._new: list[Definition] = []
        self._widths: dict[int, tuple[Tree, int]] = {}

    def new(self) -> list[Definition]:
        """The names given since this was asked last."""
        found, self._new = self._new, []
        return found

    def rows(self, tree: Tree, room: int) -> tuple[Tree, list[Written]]:
        """A tree, with names for parts where it must be, and its text in rows: a sum is broken at its terms."""
        tree = self._fitted(tree, room)
        text = tree_text(tree)
        if text.width <= room or not is_call(tree, *_SUMS):
            return tree, [text]
        parts = [
            (Written(sign, sign.replace("−", "-")), Written(*(printed(t, w, level=SUM + 1) for w in (PLAIN, LATEX))))
            for sign, t in _terms(tree)
        ]
        return tree, wrapped(parts, room - 6)

    def whole(self, tree: Tree, room: int) -> Tree:
        """A tree that fits in one row."""
        tree = self._fitted(tree, room)
        return tree if self._width(tree) <= room else self._named(tree)

    def with_names(self, tree: Tree) -> Tree:
        """A tree with the names that its parts have by now, if any have."""
        return self._without_repeated(tree) if self._known else tree

    def _width(self, tree: Tree) -> int:
        if id(tree) not in self._widths:
            self._widths[id(tree)] = tree, width(tree)
        return self._widths[id(tree)][1]

    def _fitted(self, tree: Tree, room: int) -> Tree:
        """A tree whose parts have names where it is wider than `room`; sums may be wider, and are broken."""
        room = max(room, _LEAST)
        if self._width(tree) <= room:
            return tree
        return self._without_wide(self._without_repeated(tree), room, {})

    def _without_repeated(self, tree: Tree) -> Tree:
        """A tree in which the largest parts that occur more than once have names."""
        counted: Counter[int] = Counter()
        waiting: list[Any] = [tree]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Apply):
                counted[self._key(part)] += 1
                waiting += part.args if counted[self._key(part)] == 1 else ()

        def go(part: Any) -> Any:
            if not isinstance(part, Apply):
                return part
            key = self._key(part)
            if key in self._known:
                return self._known[key].symbol
            new = part.with_args([go(a) for a in part.args])
            # what it is made of has names by now: a tanh of a tanh of a tanh is said step by step
            return self._named(part, new) if counted[key] > 1 and self._width(part) >= _REPEATED else new

        return go(tree)

    def _without_wide(self, tree: Tree, room: int, done: dict[int, Tree]) -> Tree:
        if not isinstance(tree, Apply) or self._width(tree) <= room:
            return tree
        if id(tree) not in done:
            args = [self._without_wide(a, room, done) for a in tree.args]
            new = tree.with_args(args)
            widths = [self._width(a) if isinstance(a, Apply) else 0 for a in args]
            while max(widths, default=0) > (room if is_call(new, *_SUMS) else 0) and self._width(new) > room:
                k = widths.index(max(widths))
                if not (is_call(new, *_SUMS) and is_call(args[k], *_SUMS)):
                    args[k] = self._named(args[k])
                widths[k] = 0
                new = tree.with_args(args)
            done[id(tree)] = new
        return done[id(tree)]

    def _named(self, part: Tree, written: Tree | None = None) -> Symbol:
        """The name of a part, which is explained as it is, or as it is `written`."""
        key = self._key(part)
        if key not in self._known:
            tree, rows = self.rows(written or self._without_repeated(part), WIDEST - _BESIDE)
            name = self._name("u")  # after the names of its own parts, which are explained before it
            symbol = Symbol("value", name, bound(evaluate, part), None, None, part.shape, part.dtype)
            self._known[key] = Definition(symbol, tree, rows)
            self._new.append(self._known[key])
        return self._known[key].symbol


def _terms(tree: Tree) -> list[tuple[str, Tree]]:
    """The terms of a sum in reading order, each with its sign."""
    out: list[tuple[str, Tree]] = []
    waiting: list[tuple[str, Tree]] = [("+", tree)]
    while waiting:
        sign, part = waiting.pop()
        if is_call(part, *_SUMS) and sign == "+":
            second = "+" if is_call(part, np.add) else "−"
            waiting += [(second, part.args[1]), ("+", part.args[0])]
        else:
            out.append((sign, part))
    return out
