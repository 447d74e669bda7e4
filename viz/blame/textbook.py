"""A tape as a textbook would have it, that computes the same: powers of one value, and minus signs before products."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from typing import Any

from autograd import Node, Tape
from autograd.labels import LIMIT

from ..plain.numbers import clean
from ..tape.calls import copied
from ..tape.constants import content
from ..tape.names import Names
from .minus import Minus, minuses
from .powers import Power, powers
from .printed import Given
from .report import Finding

__all__ = ["Textbook"]


class _Names(Names):
    """Names of records by those that they stand for; of a power before it is summed, x²."""

    def __init__(self, tape: Tape):
        super().__init__(tape)
        self.original: dict[Node, Node] = {}
        self.powers: dict[Node, str] = {}
        self.products: dict[Node, str] = {}
        self.factors: dict[Any, str] = {}

    @cached_property
    def _constants(self) -> tuple[dict[Any, str], frozenset[Any]]:
        known, typed = super()._constants
        return self.factors | known, typed

    def of(self, node: Node, limit: int = LIMIT) -> str:
        return self.powers.get(node) or super().of(self.original.get(node, node), limit)

    def has(self, node: Node) -> bool:
        return node not in self.products and super().has(self.original.get(node, node))

    def as_written(self, node: Node) -> str:
        return self.products.get(node) or super().as_written(node)


class Textbook:
    """A tape on which no value is multiplied by itself, and no product has a minus sign within.

    Parameters
    ----------
    tape : Tape
    kept : collection of Node
        Records that stay, as gradients of theirs are asked for.

    Attributes
    ----------
    tape : Tape
        The same one, where there is nothing to write otherwise.
    original : dict of Node to Node
        Of each record that is new the one that it stands for.
    names : Names
        What the records are called, also the new ones.
    """

    def __init__(self, tape: Tape, kept: Collection[Node]):
        self.tape = tape
        self.names = _Names(tape)
        self.original = self.names.original
        self._new: dict[Node, Node] = {}
        found: dict[Node, Minus | Power] = {**minuses(tape, kept), **powers(tape, kept)}
        if found:
            self._rewrite(tape, found)

    def new(self, node: Node) -> Node:
        """What stands for a record of the original tape."""
        return self._new.get(node, node)

    def given(self, one: Given) -> Given:
        """A gradient that was given, of the new record."""
        return replace(one, node=self.new(one.node))

    def finding(self, found: Finding) -> Finding:
        """A finding that names the records of the original tape."""
        node, *places = [self.original.get(n, n) for n in (found.node, *found.places)]
        return replace(found, node=node, places=tuple(dict.fromkeys(places)))

    def _rewrite(self, tape: Tape, found: dict[Node, Minus | Power]) -> None:
        count = itertools.count()
        for node in tape:
            other = found.get(node)
            parts = [copied(node)] if other is None else list(other.records(node))
            if isinstance(other, Minus):
                self.names.products[parts[0]] = other.product
            elif other is not None and len(parts) > 1 and other.of.name:
                self.names.powers[parts[0]] = clean(other.name, LIMIT)
            for part in parts:
                part.args = None if part.args is None else tuple(
                    self._new.get(a, a) if isinstance(a, Node) else a for a in part.args
                )  # fmt: skip
                part.seq = next(count)
                self.original[part] = node
            parts[-1].holder = node.holder
            self._new[node] = parts[-1]
        for other in found.values():
            if isinstance(other.of, Node):
                self._new[other.of].kept = tape.value(other.of)
            elif isinstance(other, Minus):
                self.names.factors[content(other.of)] = other.text
        self.tape = Tape(self._new[tape.root])
