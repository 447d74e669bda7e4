"""Whether a slip can give the numbers at all, told by one product: most can't, and need no sweep.

Gradients are linear in what is sent from record to record. So what a slip adds to the gradient of one record, δ, moves
the gradient of a value x so that ⟨v, Δ∂L/∂x⟩ = ⟨t, δ⟩, where t is how that record moves when x moves along v.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted
from autograd.testing.drawing import generator

from .printed import Given
from .pushing import Change, Sweeper

__all__ = ["Probes"]

_MOST_PROBED, _FEWER, _LONG = 4, 2, 2000
"""Of so many wrong gradients it is asked whether a slip gives them, those nearest to the loss; fewer on long tapes."""
_FAR_OFF = 1e-3
"""Relative to the sizes of all terms of a product: more is no rounding, nor an error of finite differences."""
_NEARLY = 1e-6
"""The same where many are tried with each other."""
_STEP = 1e-6
_MOST_NUMBERS = 30_000_000


class _Probe(NamedTuple):
    """How all records move along one direction, by how much a product must change, and how exactly that is known."""

    along: Mapping[Node, Any]
    moves: Mapping[Node, Any]
    need: float
    slack: float


class Probes:
    """What it takes to give the wrong gradients and to leave the others as they are.

    Parameters
    ----------
    sweeper : Sweeper
        With no change in it.
    given : mapping of Node to Given
    wrong : sequence of Given
        Those of them that are to be explained.
    """

    def __init__(self, sweeper: Sweeper, given: Mapping[Node, Given], wrong: Sequence[Given]):
        self.sweeper, self._given = sweeper, given
        self._pairs: list[list[_Probe]] = []
        self._others: _Probe | None = None
        self.usable = False
        shaped = [one for one in wrong if one.has_shape and one.node in sweeper.base.grads]
        self._chosen = chosen = shaped[: _MOST_PROBED if len(sweeper.tape) <= _LONG else _FEWER]
        self._all = len(chosen) == len(wrong)
        if not chosen or sum(n.size for n in sweeper.tape) * (4 * len(chosen) + 2) > _MOST_NUMBERS:
            return
        self._rng = generator("slips", *(one.array for one in chosen))
        with attempted():
            self._pairs = [[self._probe([one])] for one in chosen]
            right = [one for one in given.values() if one not in wrong and one.has_shape]
            self._others = self._probe(right, needed=False) if right else None
            self.usable = all(self._is_right(probe) for (probe,) in self._pairs)

    def rules_out(self, change: Change) -> bool:
        """Whether a slip surely does not give any of the wrong gradients, or spoils a right one."""
        added = self.added(change)
        return added is not None and self.rules_out_added(added)

    def rules_out_added(self, added: Sequence[tuple[Node, Any]]) -> bool:
        """The same of what is added to the gradients of some records."""
        if self._spoils(added):
            return True
        moved = False
        for probe, *_ in self._pairs:
            product, size = _product(probe, added)
            if abs(product - probe.need) <= probe.slack + _FAR_OFF * (size + abs(probe.need)):
                return False
            moved = moved or abs(product) > _FAR_OFF * size
        return self._all or moved

    def rules_out_each(self, change: Change) -> bool:
        """The same of a slip at several places none of which hands on to another, as in what weights get."""
        return self.rules_out_added(self._sent(change))

    def rules_out_any(self, change: Callable[[float], Change]) -> bool:
        """The same of a slip with a number that is to be solved for, of which what it adds is a multiple."""
        one, two = (self.added(change(t)) for t in (1.0, 2.0))
        if one is None or two is None or not _is_twice(one, two):
            return False
        if self._spoils(one, of_any_size=True):
            return True
        for k in range(len(self._pairs)):
            pair = self._both(k)
            (first, size), (second, other_size) = (_product(probe, one) for probe in pair)
            if abs(first) <= _FAR_OFF * size:
                return False
            t = pair[0].need / first
            off = abs(t * second - pair[1].need)
            doubt = pair[1].slack + abs(second / first) * pair[0].slack
            if off <= doubt + 10 * _FAR_OFF * (abs(t) * other_size + abs(pair[1].need)):
                return False
        return self._all

    def rules_out_times(self, change: Change, accepts: Callable[[float], bool]) -> bool:
        """Whether a slip surely does not give the first of the wrong gradients but for a factor that is accepted."""
        added = self.added(change)
        if added is None:
            return False
        factors = []
        for probe in self._both(0):
            (node, v), *_ = probe.along.items()
            right = float(np.sum(v * self.sweeper.base.grads[node]))
            product, size = _product(probe, added)
            if abs(right + product) <= 10 * _FAR_OFF * (size + abs(right)):
                return False
            factors.append((right + probe.need) / (right + product))
        one, other = factors
        return not accepts(one) or abs(one - other) > 0.05 * abs(one)

    def multiple(self, added: Sequence[tuple[Node, Any]]) -> tuple[float, float]:
        """What times what is added gives the first of the wrong gradients, along two directions alike, and how exactly
        that is known; 0 where nothing does."""
        one, other = self._both(0)
        (first, size), (second, other_size) = (_product(probe, added) for probe in (one, other))
        if one is other or self._chosen[0].numbers.size < 2 or abs(first) <= _FAR_OFF * size:
            return 0.0, 0.0
        t, doubt = one.need / first, 0.0 if self._chosen[0].hand.unit is None else one.slack / abs(first)
        off = abs(t * second - other.need)
        near = other.slack + doubt * abs(second) + 10 * _NEARLY * (abs(t) * other_size + abs(other.need))
        return (t, doubt) if off <= near and not self._spoils(added, of_any_size=True) else (0.0, 0.0)

    def along(self, node: Node) -> tuple[list[Any], list[float], list[float]]:
        """How a record moves along two directions, by how much the products with its gradient must change, and how
        exactly that is known; nothing where it does not move."""
        pair = self._both(0)
        moves = [probe.moves.get(node) for probe in pair]
        if any(m is None or not np.any(m) for m in moves):
            return [], [], []
        return moves, [probe.need for probe in pair], [probe.slack for probe in pair]

    def spoils(self, node: Node) -> bool:
        """Whether gradients that are right depend on that of a record."""
        return self._others is not None and bool(np.any(self._others.moves.get(node, 0.0)))

    def effect(self, added: Sequence[tuple[Node, Any]]) -> float:
        """How far what is added goes along the first direction."""
        return _product(self._pairs[0][0], added)[0]

    def distance(self, change: Change) -> float:
        """How far a slip is from giving the numbers, were all that it adds added to what is right: it is not where it
        happens at each step of a loop, and one step hands on what another one added."""
        added = self._sent(change)
        ways = [(_product(probe, added)[0] - probe.need) / (abs(probe.need) + probe.slack) for probe, *_ in self._pairs]
        return float(np.hypot.reduce(ways))

    def on(self, sweeper: Sweeper) -> Probes:
        """The same on top of a slip, of what comes after it."""
        other = copy(self)
        other.sweeper, other._others = sweeper, None
        other._pairs = [[other._again(probe) for probe in pair] for pair in self._pairs]
        return other

    def _both(self, k: int) -> list[_Probe]:
        """Two directions of one wrong gradient; the first twice where the other one crosses a kink."""
        pair = self._pairs[k]
        if len(pair) == 1:
            second = self._probe([self._chosen[k]])
            pair.append(second if self._is_right(second) else pair[0])
        return pair

    def _again(self, probe: _Probe) -> _Probe:
        ((node, v),) = probe.along.items()
        return probe._replace(need=self._need(node, v))

    def _need(self, node: Node, v: Any) -> float:
        """By how much the product with a wrong gradient must change."""
        right = np.asarray(self.sweeper.base.grads.get(node, 0.0), np.float64)
        return float(np.sum(v * (self._given[node].array - right)))

    def pairs(self, some: Sequence[Sequence[tuple[Node, Any]]]) -> Iterator[tuple[int, int]]:
        """Which two of some additions give together what the first of the wrong gradients takes."""
        first, second = self._both(0)
        found = np.array([[_product(probe, added) for probe in (first, second)] for added in some]).reshape(-1, 2, 2)
        products, sizes = found[..., 0], found[..., 1]
        moves = np.flatnonzero(np.abs(products[:, 0]) > _FAR_OFF * sizes[:, 0])
        order = moves[np.argsort(products[moves, 0])]
        sorted_ = products[order, 0]
        for k in moves:
            doubt = first.slack + _NEARLY * (sizes[k, 0] + abs(first.need))
            rest = first.need - products[k, 0]
            low, high = np.searchsorted(sorted_, [rest - doubt, rest + doubt])
            for m in order[low:high]:
                off = abs(products[k, 1] + products[m, 1] - second.need)
                if k < m and off <= second.slack + _NEARLY * (sizes[k, 1] + sizes[m, 1] + abs(second.need)):
                    yield int(k), int(m)

    def _spoils(self, added: Sequence[tuple[Node, Any]], *, of_any_size: bool = False) -> bool:
        """Whether the gradients that are right change."""
        if self._others is None:
            return False
        product, size = _product(self._others, added)
        return abs(product) > _FAR_OFF * size + (0.0 if of_any_size else self._others.slack)

    def added(self, change: Change) -> list[tuple[Node, Any]] | None:
        """What a slip adds to the gradients of records; None where it does so in more than one place on the way."""
        base = self.sweeper.base
        if not change.rerouted.keys() <= change.edges.keys():
            return None
        if len(change.turned) == 1 and not (change.edges or change.past or change.reads or change.calls or change.ends):
            ((node, turn),) = change.turned.items()
            return [(node, turn(base.grads[node], ChainMap(self.sweeper.given, base.grads)) - base.grads[node])]
        if change.calls or change.reads or change.ends or change.turned or bool(change.edges) == bool(change.past):
            return None
        if len(change.past) > 1:
            return None
        if len({node for node, _ in change.edges}) > 1 and len({n.operands[i] for n, i in change.edges}) > 1:
            return None
        return self._sent(change)

    def _sent(self, change: Change) -> list[tuple[Node, Any]]:
        """What other contributions add, each by itself."""
        base = self.sweeper.base
        found: list[tuple[Node, Any]] = []
        for node, (receiver, fn) in change.past.items():
            found += [(node.operands[i], -base.sent[node, i]) for i in self.sweeper.edges[node]]
            found.append((receiver, fn(self._flows(node))))
        for (node, i), sent in change.edges.items():
            was = base.sent.get((node, i))
            if was is None:
                continue
            now, to = sent(self._flows(node), was), change.rerouted.get((node, i), node.operands[i])
            if now is None or to is not node.operands[i]:
                found.append((node.operands[i], -was))
            if now is not None:
                found.append((to, np.asarray(now) - (was if to is node.operands[i] else 0.0)))
        return found

    def _flows(self, node: Node) -> Any:
        return self.sweeper.given.get(node, self.sweeper.base.grads[node])

    def _probe(self, some: Sequence[Given], *, needed: bool = True) -> _Probe:
        along = {}
        for one in some:
            v = self._rng.normal(size=one.node.shape)
            along[one.node] = v if one.hand.given is None else np.where(one.hand.given, v, 0.0)
        moves = self._moves(along)
        need = slack = 0.0
        for one in some:
            v = along[one.node]
            need += self._need(one.node, v) if needed else 0.0
            slack += 2 * float(np.sum(np.abs(v) * one.limits.of(one.array, one.hand, one.node.dtype)))
        return _Probe(along, moves, need, slack)

    def _moves(self, along: Mapping[Node, Any]) -> dict[Node, Any]:
        """How records move: what moves one of which a gradient that was given is handed on, moves nothing beyond it."""
        tape = self.sweeper.tape
        steps = {n: _STEP * max(1.0, float(np.abs(tape.value(n)).max(initial=0.0))) for n in along}
        step = min(steps.values(), default=_STEP)
        ends: list[dict[Node, Any]] = [{}, {}]
        for values, sign in zip(ends, (1, -1), strict=True):
            seen: dict[Node, Any] = {}  # what later records read
            for node in tape:
                value = None
                if any(p in seen for p in node.parents):
                    fed = [seen.get(a, _precisely(tape.value(a))) if isinstance(a, Node) else a for a in node.operands]
                    value = np.asarray(node.rule.op(*fed, **node.kwargs))
                own = _precisely(tape.value(node))
                if node in along:
                    moved = sign * step * along[node]
                    value, own = (own if value is None else value) + moved, own + moved
                if value is not None and value.dtype.kind == "f":
                    values[node] = value
                    if node not in self.sweeper.given:
                        seen[node] = value
                    elif node in along:
                        seen[node] = own
        up, down = ends
        return {node: (up[node] - down[node]) / (2 * step) for node in up if node in down}

    def _is_right(self, probe: _Probe) -> bool:
        """Whether products tell what the sweep found: no kink was crossed, and every rule is the derivative."""
        sweeper = self.sweeper
        begun = [(sweeper.tape.root, np.asarray(sweeper.run.seed))]
        for node in sweeper.given:
            begun += [(node.operands[i], sweeper.base.sent[node, i]) for i in sweeper.edges.get(node, ())]
        ((node, v),) = probe.along.items()
        terms = v * sweeper.base.grads[node]
        product, size = _product(probe, begun)
        return abs(product - float(np.sum(terms))) <= 0.01 * _FAR_OFF * (size + float(np.sum(np.abs(terms))))


def _precisely(value: Any) -> Any:
    return np.asarray(value, np.float64) if value.dtype.kind == "f" else value


def _product(probe: _Probe, added: Sequence[tuple[Node, Any]]) -> tuple[float, float]:
    """⟨t, δ⟩, and the sum of the sizes of its terms."""
    total = size = 0.0
    for node, delta in added:
        moves = probe.moves.get(node)
        if moves is not None:
            terms = moves * delta
            total += float(np.sum(terms))
            size += float(np.sum(np.abs(terms)))
    return total, size


def _is_twice(one: Sequence[tuple[Node, Any]], two: Sequence[tuple[Node, Any]]) -> bool:
    return all(np.allclose(2 * a, b, rtol=1e-6, atol=1e-12) for (_, a), (_, b) in zip(one, two, strict=True))
