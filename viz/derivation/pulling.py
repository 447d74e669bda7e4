"""What one value sends back to others on a tape, the values between composed away: their rules, one after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Node, Tape

from ..formula.tidy import throughout, tidied
from ..formula.tree import Number, Symbol, Tree, apply, each, rebuilt, substituted
from .store import Decimal, exact
from .trees import added, size

_AVERAGES = (np.mean, np.var, np.std)
_LONGEST = 40


class Pulling:
    """A part of a tape with its ends.

    Attributes
    ----------
    tape : Tape
    builder : Builder
    gradients : dict of Node to array
        The engine's.
    edges : dict
        Of each record to which operands it sends a gradient, with their places.
    depends : set of Node
        The records that gradients are followed along.
    stops : frozenset of Node
        Where they end.
    sent : dict of Node to tree
        The name of the gradient of a value that sends.
    averages : collection of Node
        The means that are over as many numbers as `length` says.
    length : Symbol or None
        N, or n.
    """

    tape: Tape
    gradients: Mapping[Node, Any]
    edges: Mapping[Node, Sequence[tuple[int, Node]]]
    depends: set[Node]
    stops: frozenset[Node]
    sent: Mapping[Node, Tree]
    averages: Collection[Node]
    length: Symbol | None

    builder: Any

    def __init__(self) -> None:
        self._written: dict[Node, Tree] = {}

    def stands(self, node: Node) -> bool:
        """Whether a record is called by its name, rather than written out."""
        raise NotImplementedError

    def meaning(self, node: Node) -> Tree:
        """A record as what it is computed from: named values, and unnamed leaves."""

        def leaf(operand: Node) -> Tree | None:
            if operand is node:
                return None
            return self.builder.symbol(operand) if self.stands(operand) else self._write_out(operand)

        return tidied(self._in_names(throughout(self.builder.call(node, leaf))))

    def _write_out(self, node: Node) -> Tree:
        """An unnamed value written out, unless that is too long: then ``%7``."""
        if node not in self._written:
            earlier, waiting = [node], [node]
            seen = {node}
            while waiting:
                for operand in waiting.pop().parents:
                    if not self.stands(operand) and operand not in seen and operand not in self._written:
                        seen.add(operand)
                        earlier.append(operand)
                        waiting.append(operand)
            for one in sorted(earlier, key=self.tape.index):
                tree = throughout(self.builder.call(one, functools.partial(self._leaf, of=one)))
                tree = tidied(self._in_names(tree))
                self._written[one] = tree if size(tree) <= _LONGEST else self.builder.symbol(one)
        return self._written[node]

    def _leaf(self, operand: Node, of: Node) -> Tree | None:
        if operand is of:
            return None
        return self.builder.symbol(operand) if self.stands(operand) else self._written[operand]

    def pulled(self, station: Node) -> dict[Node, Tree]:
        """What a station sends to the others, of the name of its own gradient."""
        arrived: dict[Node, list[Tree]] = {station: [self.sent[station]]}
        out: dict[Node, list[Tree]] = {}
        waiting = {station}
        while waiting:
            node = max(waiting, key=self.tape.index)
            waiting.discard(node)
            upstream = added(arrived[node], node.dtype, node.shape)
            for position, operand in self.edges.get(node, ()):
                if operand not in self.depends:
                    continue
                g = Symbol("gradient", "g", self.gradients[node], node)
                tree = self.builder.derivative(node, position, g)
                tree = self._averaged(tree, node) if node.rule.fn in _AVERAGES else tidied(tree)
                tree = substituted(tree, {id(g): upstream})
                where = out if operand in self.stops else arrived
                where.setdefault(operand, []).append(tree)
                if where is arrived:
                    waiting.add(operand)
        return {n: tidied(self._in_names(added(trees, n.dtype, n.shape))) for n, trees in out.items()}

    def _in_names(self, tree: Tree) -> Tree:
        """Unnamed values written out."""
        unnamed = (s for s in each(tree) if isinstance(s, Symbol) and s.kind == "value" and not self.stands(s.node))
        by = {id(symbol): self._write_out(symbol.node) for symbol in unnamed}
        return substituted(tree, by) if by else tree

    def _averaged(self, tree: Tree, node: Node) -> Tree:
        """What the rule of a mean or variance sends back, its number 0.2 as 1/5, or 1/N."""
        n = node.operands[0].size // max(node.size, 1)
        known = self.length is not None and int(self.length.array) == n and node in self.averages
        length = self.length if known and self.length is not None else Number(n)
        share = apply(np.divide, Number(1), length, dtype=np.dtype(float))

        def written(part: Tree) -> Tree:
            if not isinstance(part, Number):
                return part
            if n and part.value == 1 / n:
                return share
            fraction = exact(part.value)
            if not isinstance(fraction, Decimal):
                return part
            above, below = map(Number, fraction.as_integer_ratio())
            return apply(np.divide, above, below, dtype=share.dtype)

        return rebuilt(tree, written)


def length_of(averages: Sequence[Node], examples: Collection[int], name: Callable[[str], str]) -> Symbol | None:
    """How many numbers a loss is the mean of: N where it is one of each example, else n. Of means, latest first, it is
    the first one that is a number."""
    for node in sorted(averages, key=lambda n: n.ndim):
        n = node.operands[0].size // max(node.size, 1)
        if n > 1:
            by_example = n in examples or n == node.operands[0].size == max(node.operands[0].shape)
            return Symbol("constant", name("N" if by_example else "n"), np.array(n))
    return None
