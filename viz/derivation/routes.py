"""The chain rule on a tape: the named values between a loss and what is derived, and what one sends to the next.

Unnamed values between named ones are composed away: what their rules send back, run one after the other, is one tree.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node, sweep
from autograd.rules import reductions

from ..formula import gradient_symbol, value_symbol
from ..formula.tidy import tidied
from ..formula.tree import Apply, Number, Symbol, Tree, each, evaluate, is_call, substituted, symbols
from ..tape.run import Run
from .algebra import Algebra
from .constants import Constants
from .identities import IDENTITIES
from .pulling import Pulling, length_of
from .quotients import QUOTIENTS
from .sums import SUMS
from .trees import added, close, size

_AVERAGES = (np.mean, np.var, np.std)
_LONGEST = 40
_MOST_NAMES = 24
_MOST_STEPS = 10
_MOST_TWICE = 4
MOST_PATHS = 6


class Routes(Pulling):
    """All ways from a record to the loss, by way of the named values.

    Attributes
    ----------
    stations : tuple of Node
        The record, the named values that depend on it, and the loss, in the order of the tape.
    edges : dict
        Of each record to which operands it sends a gradient, with their places.
    into : dict
        Of each station those that it sends a gradient to, latest first.
    gradients : dict of Node to array
        The engine's.
    rounding : float
        That of the coarsest numbers on the way.
    fell_back : bool
        Whether a simplified tree did not give the engine's numbers.
    doubtful : set of (Node, Node)
        The stations between which that was so: what is sent there stays as the rules give it.
    """

    def __init__(self, run: Run, node: Node):
        super().__init__()
        tape = self.tape = run.tape
        self.node = node
        self.names, self.gradients, self.seed = run.names, run.gradients, run.seed
        self.edges = {step.node: [(c.position, c.node) for c in step.contributions] for step in run.steps}
        depends = {node}
        for one in tape:
            if any(operand in depends for _, operand in self.edges.get(one, ())):
                depends.add(one)
        self.depends = depends
        named = self._chosen()
        self.stations: tuple[Node, ...] = tuple(named)
        self.stops = frozenset(named)
        self.rounding = max(float(np.finfo(n.dtype).eps) for n in depends if n.dtype.kind in "fc")
        self.into = {n: self._reached(n) for n in named if n is not node}
        near = self._near_loss()
        self.builder = Constants(
            tape,
            functools.partial(value_symbol, names=self.names, value=tape.value),
            near,
            {n.shape for n in self.into[tape.root] if n.shape},
            {self.names.of(n) for n in tape},
        )
        self.averages = {n for n in near if n.rule.fn is np.mean}
        examples = {m.shape[0] for m in self.into[tape.root] if m.shape}
        examples |= {np.shape(a)[0] for m in near for a in m.operands if len(np.shape(a)) > 1}
        self.length = length_of(sorted(self.averages, key=tape.index, reverse=True), examples, self.builder.name)
        self.algebra = Algebra(self.length, self.builder.name, IDENTITIES, QUOTIENTS, SUMS)
        self.sent = {n: self._sent(n) for n in named}
        self._trees: dict[Node, dict[Node, Tree]] = {}
        self.shares: list[tuple[Symbol, Apply]] = []
        self.fell_back = False
        self.doubtful: set[tuple[Node, Node]] = set()

    def write_out(self) -> None:
        """Makes the trees of what each station sends to the others; before that, only the ways are known."""
        for one in self.tape:
            if (self.names.has(one) or one in self.stops) and not one.is_leaf and one is not self.tape.root:
                self.algebra.define(self.builder.symbol(one), self.meaning(one))
        self.algebra.explain(self.builder.symbol(self.tape.root), self.meaning(self.tape.root))
        raw = {n: self.pulled(n) for n in self.stations if n is not self.node}
        for one in self.tape:
            if one.rule.fn is np.divide and not self.names.has(one) and one in self.depends:
                share = self.algebra.simplified(self.meaning(one))
                if is_call(share, reductions.softmax.fn):
                    self._name_shares(share)
        for trees in raw.values():
            for tree in trees.values():
                self._name_shares(self.algebra.simplified(tree))
        self._trees = {n: self._simplified(n, trees) for n, trees in raw.items()}

    def _simplified(self, station: Node, trees: dict[Node, Tree]) -> dict[Node, Tree]:
        """What a station sends, simplified where that gives the engine's numbers."""
        expected = self.pull(station, self.gradients[station])
        out = {}
        for operand, tree in trees.items():
            simple = self.algebra.simplified(tree)
            holds = close(simple, expected[operand], self.rounding)
            out[operand] = simple if holds else tree
            if not holds:
                self.fell_back = True
                self.doubtful.add((station, operand))
        return out

    def _name_shares(self, tree: Tree) -> None:
        """Call the softmax of logits p, where a loss computes it by itself."""
        for part in each(tree):
            if is_call(part, reductions.softmax.fn) and all(known is not part for _, known in self.shares):
                nodes = [s.node for s in symbols(part) if s.node is not None]
                node = next((n for n in nodes if n.needs_grad), None)
                array = functools.partial(evaluate, part)
                p = Symbol("value", self.builder.name("p"), array, node, None, part.shape, part.dtype)
                self.algebra.define(p, part)
                self.shares.append((p, part))
                return

    def _chosen(self) -> list[Node]:
        """The stations: named values, and an unnamed one wherever it would be too long to be written out."""
        chosen: list[Node] = []
        length: dict[Any, int] = {}
        depth: dict[Any, int] = {}
        uses = Counter(operand for node in self.depends for operand in {a for _, a in self.edges.get(node, ())})
        for node in self.tape:
            end = self.names.has(node) or node is self.node or node is self.tape.root
            length[node] = sum(length[a] if isinstance(a, Node) else 1 for a in node.operands) or 1
            depth[node] = 1 + max((depth[a] for a in node.parents), default=0)
            long = length[node] > (_MOST_NAMES if uses[node] < 2 else _MOST_TWICE) or depth[node] > _MOST_STEPS
            if node in self.depends and (end or long):
                chosen.append(node)
                end = True
            if end or node.is_leaf:
                length[node], depth[node] = 1, 0
        return chosen

    # --- names

    def _near_loss(self) -> set[Node]:
        """The loss, and the unnamed values and the named numbers that it is computed from."""
        found, waiting = {self.tape.root}, [self.tape.root]
        while waiting:
            for operand in waiting.pop().parents:
                if operand not in found and not operand.is_leaf and (not self.names.has(operand) or not operand.shape):
                    found.add(operand)
                    waiting.append(operand)
        return found

    def _sent(self, node: Node) -> Tree:
        """The name of the gradient of a station; 1 for the loss."""
        if node is self.tape.root:
            return self.algebra.all_ones(node.shape, node.dtype) if node.shape else Number(1)
        return gradient_symbol(node, self.names, self.gradients[node], short=True)

    # --- ways

    def _reached(self, node: Node) -> tuple[Node, ...]:
        found, waiting, seen = set(), [node], set()
        while waiting:
            for _, operand in self.edges.get(waiting.pop(), ()):
                if operand in self.stops:
                    found.add(operand)
                elif operand in self.depends and operand not in seen:
                    seen.add(operand)
                    waiting.append(operand)
        return tuple(sorted(found, key=self.tape.index, reverse=True))

    @cached_property
    def count(self) -> int:
        """How many ways there are."""
        ways = {self.tape.root: 1}
        for station in reversed(self.stations):
            for operand in self.into.get(station, ()):
                ways[operand] = ways.get(operand, 0) + ways.get(station, 0)
        return ways[self.node]

    def paths(self) -> list[tuple[Node, ...]]:
        """Each way as its stations, from the loss to the record."""
        out: list[tuple[Node, ...]] = []
        waiting: list[tuple[Node, ...]] = [(self.tape.root,)]
        while waiting:
            path = waiting.pop()
            if path[-1] is self.node:
                out.append(path)
            else:
                waiting += [(*path, operand) for operand in reversed(self.into[path[-1]])]
        return out

    def users(self, node: Node) -> list[Node]:
        """The stations that send a gradient to this one, latest first."""
        return self._users.get(node, [])

    @cached_property
    def _users(self) -> dict[Node, list[Node]]:
        found: dict[Node, list[Node]] = {}
        for station in reversed(self.stations):
            for operand in self.into.get(station, ()):
                found.setdefault(operand, []).append(station)
        return found

    # --- numbers

    def pull(self, station: Node, g: Any) -> dict[Node, Any]:
        """What a station of gradient `g` sends to the others, by the engine alone."""
        out = {}
        stops = self.stops - {station}
        with np.errstate(all="ignore"):
            for step in sweep(station, np.asarray(g) if station.shape else np.asarray(g)[()], stop=stops):
                if step.node in stops:
                    out[step.node] = np.asarray(step.grad)
        return out

    def product(self, node: Node) -> Any:
        """The sum of the products of partial derivatives along all ways to a station, station by station."""
        return self._products[node]

    @cached_property
    def _products(self) -> dict[Node, Any]:
        arrived = {self.tape.root: np.asarray(self.seed)}
        for station in reversed(self.stations):
            if station in arrived and station in self.into:
                for operand, g in self.pull(station, arrived[station]).items():
                    arrived[operand] = arrived[operand] + g if operand in arrived else g
        return arrived

    # --- trees

    def stands(self, node: Node) -> bool:
        return self.names.has(node) or node.is_leaf or node is self.tape.root or node in self.stops

    def part(self, station: Node, operand: Node) -> Tree:
        """What a station sends to one other, of the name of its own gradient."""
        return self._trees[station][operand]

    def along(self, path: Sequence[Node]) -> Tree:
        """What one way brings, its factors in the order in which their shapes agree."""
        tree = self.sent[self.tape.root]
        spread = True
        for station, operand in itertools.pairwise(path):
            part = self.part(station, operand)
            doubtful = (station, operand) in self.doubtful
            others = self._others(station, part) if spread and not doubtful else None
            scalar = None if others is None else self.everywhere(tree)
            spread = not doubtful and (scalar is not None or station is self.tape.root)
            if isinstance(scalar, Number) and scalar.value == 1 and others is not None:
                tree = others
            else:
                tree = self._put(part, station, tree if scalar is None else scalar)
        return tree

    def everywhere(self, tree: Tree) -> Tree | None:
        """The number that an array is everywhere, ``1/N`` of 1/N times ones; None if it is none."""
        if not tree.shape:
            return None
        value = self.algebra.value(tree)
        return None if self.algebra.shape_of(value) else self.algebra.tree(value, (), tree.dtype)

    def _others(self, station: Node, part: Tree) -> Tree | None:
        """The other factors of a product with the gradient that arrives, where they have its shape."""
        sent = self.sent[station]
        if not isinstance(sent, Symbol) or station is self.tape.root:
            return None
        others = self.algebra.beside(part, sent)
        return others if others is not None and others.shape == part.shape else None

    def _put(self, part: Tree, station: Node, tree: Tree) -> Tree:
        name = self.sent[station]
        return substituted(part, {id(name): tree}) if isinstance(name, Symbol) else part

    def gradient(
        self, node: Node, named: frozenset[Node] = frozenset(), *, simplify: bool = True, most: int | None = None
    ) -> Tree | None:
        """The gradient of a station; those of stations in `named` are called by their names. None if more than `most`
        names are to be written on the way."""
        found: dict[Node, Tree] = {self.tape.root: self.sent[self.tape.root]}
        needed, waiting = {node}, [node]
        while waiting:
            for user in self.users(waiting.pop()):
                if user not in needed and user is not self.tape.root:
                    needed.add(user)
                    if user in named:
                        found[user] = self.sent[user]
                    else:
                        waiting.append(user)
        for station in sorted(needed - found.keys(), key=self.tape.index, reverse=True):
            terms = [self._put(self.part(user, station), user, found[user]) for user in self.users(station)]
            total = added(terms, station.dtype, station.shape)
            found[station] = self.algebra.simplified(tidied(total)) if simplify else total
            if most is not None and size(found[station]) > most:
                return None
        return found[node]
