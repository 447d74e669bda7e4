"""The backward sweep of a tape with something changed: a contribution, a value that a rule reads, or a gradient that
a person has given. A slip is a tape on which a record has another rule; the sweep is the engine's own."""

from __future__ import annotations

import itertools
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from autograd import Node, Tape, sweep
from autograd.registry import Rule
from autograd.rules.indexing import Scattered
from autograd.rules.shapes import fitted
from autograd.testing.attempts import attempted
from autograd.testing.conventions import Convention

from ..tape.calls import Call, copied, leaf
from ..tape.run import Run

__all__ = ["Change", "Pushed", "Sweeper", "replayed"]

Edge = tuple[Node, int]
Sent = Callable[[Any, Any], Any]


@dataclass(frozen=True, eq=False)
class Change:
    """What is done otherwise than the engine does it.

    Attributes
    ----------
    edges : mapping of (Node, int) to callable
        ``edges[node, i](g, c)`` is sent to operand ``i`` of a record with gradient ``g`` instead of ``c``.
    past : mapping of Node to (Node, callable)
        A record that sends nothing to its operands, but ``fn(g)`` to another record.
    rerouted : mapping of (Node, int) to Node
        What is sent to another record than the operand.
    reads : mapping of Node to array
        Values that rules read instead of the true ones.
    calls : mapping of Node to (operands, options)
        What a record was called with, instead.
    ends : mapping of Node to callable
        What is made of a finished gradient, that is not handed on any further.
    turned : mapping of Node to callable
        ``fn(g, grads)`` is handed on as the finished gradient, made of those that have been found so far.
    """

    edges: Mapping[Edge, Sent] = field(default_factory=dict)
    past: Mapping[Node, tuple[Node, Callable[[Any], Any]]] = field(default_factory=dict)
    reads: Mapping[Node, Any] = field(default_factory=dict)
    calls: Mapping[Node, tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    ends: Mapping[Node, Callable[[Any], Any]] = field(default_factory=dict)
    turned: Mapping[Node, Callable[[Any, Mapping[Node, Any]], Any]] = field(default_factory=dict)
    rerouted: Mapping[Edge, Node] = field(default_factory=dict)

    @staticmethod
    def all(changes: Iterable[Change]) -> Change:
        """Several at once."""
        parts = list(changes)
        return Change(*({k: v for c in parts for k, v in getattr(c, f.name).items()} for f in fields(Change)))

    def then(self, other: Change) -> Change:
        """This and another one; what both do to one contribution one after the other."""
        merged = Change.all([self, other])
        both = {edge: _after(self.edges[edge], sent) for edge, sent in other.edges.items() if edge in self.edges}
        return replace(merged, edges={**merged.edges, **both}) if both else merged


def _after(first: Sent, second: Sent) -> Sent:
    def sent(g: Any, c: Any) -> Any:
        changed = first(g, c)
        return None if changed is None else second(g, changed)

    return sent


@dataclass(frozen=True, eq=False)
class Pushed:
    """A sweep that was done: the gradient of each record, and what was sent along each edge; None where a slip sends
    nothing."""

    grads: dict[Node, Any]
    sent: dict[Edge, Any]


NOTHING = Change()


class Sweeper:
    """Sweeps of one tape back to some records, each from the first place of a change on.

    Parameters
    ----------
    run : Run
        The engine's own.
    targets : iterable of Node
        The records whose gradients are wanted.
    given : mapping of Node to array, optional
        Gradients that are handed on instead of those that the sweep itself arrives at.
    convention : Convention, optional
        In which the gradients of some records are the engine's times a factor.
    """

    def __init__(
        self,
        run: Run,
        targets: Iterable[Node],
        given: Mapping[Node, Any] | None = None,
        convention: Convention | None = None,
    ):
        self.run = run
        self.tape = tape = run.tape
        self.convention = convention
        self.given = dict(given or {})
        targets = set(targets)
        leads = set()
        self._copies: dict[Node, Node] = {}
        for node in tape:
            if node in targets or any(p in leads for p in node.parents):
                leads.add(node)
            record = self._copies[node] = copied(node)
            record.args = (
                None if node.args is None else tuple(self._copies[a] if isinstance(a, Node) else a for a in node.args)
            )
            record.needs_grad = node.needs_grad and node in leads
            record.holder = _asked if node in targets else None
        self._originals = {record: node for node, record in self._copies.items()}
        self.nodes = [n for n in reversed(tape.nodes) if n in leads and n.needs_grad]
        self.edges = {
            n: [i for i, a in enumerate(n.operands) if isinstance(a, Node) and a in leads and a.needs_grad]
            for n in self.nodes
        }
        self.into: dict[Node, list[Edge]] = defaultdict(list)
        for node in self.nodes:
            for i in self.edges[node]:
                self.into[node.operands[i]].append((node, i))
        self._held = NOTHING
        self._handed_on: dict[Edge, Any] = {}
        self._plain = Pushed(
            {n: self._across(run.gradients[n], tape.root, n) for n in self.nodes if n in run.gradients},
            {
                (n, i): self._across(run.sent[n, i], tape.root, n.operands[i])
                for n in self.nodes
                for i in self.edges[n]
                if (n, i) in run.sent
            },
        )
        scaled = [n for n in self.nodes if any(self._factor(n) != self._factor(n.operands[i]) for i in self.edges[n])]
        for node in dict.fromkeys((*scaled, *self.given)):
            self._copies[node].rule = self._rule(node, NOTHING, {}, {})
        if self.given:
            handed_on = Change(turned=dict.fromkeys(self.given, lambda g, grads: g))
            self._plain = self._whole(self._swept(handed_on, detailed=True))
        self.base = self._plain

    def under(self, change: Change) -> Sweeper:
        """The same sweeps, with something changed in all of them."""
        other = copy(self)
        other._held = self._held.then(change)
        other.base = other._whole(other._swept(other._held, detailed=True))
        return other

    @property
    def is_plain(self) -> bool:
        """Whether nothing is changed in all of the sweeps, which are those of the loss."""
        return self._held is NOTHING and self.convention is None

    def _across(self, c: Any, node: Node, receiver: Node) -> Any:
        """What is sent from one record to another, as the convention has it."""
        before, after = self._factor(node), self._factor(receiver)
        return np.asarray(c) if before == after else np.asarray(c) * (after / before)

    def _factor(self, node: Node) -> float:
        return self.convention.factor(node) if self.convention else 1.0

    def value(self, node: Node) -> Any:
        """The value of a record."""
        return self.tape.value(node)

    def reached(self, node: Node) -> list[Node]:
        """A record, and all that its gradient is handed on to."""
        found = {node: None}
        for below in self.nodes:
            if below in found:
                found.update((below.operands[i], None) for i in self.edges[below])
        return list(found)

    def send(self, node: Node, i: int, g: Any, change: Change = NOTHING) -> Any:
        """What the rule of a record sends to its operand `i`, fitted to it."""
        operands, options = change.calls.get(node, (node.operands, node.kwargs))
        read = {node, *(a for a in operands if isinstance(a, Node))}
        known = self.run.calls if node not in change.calls and read.isdisjoint(change.reads) else {}
        if (node, i) not in known:
            fed = [self._read(a, change.reads) for a in operands]
            if not isinstance(fed[i], Node):  # another value of what the gradient is taken by
                fed[i] = leaf(node.operands[i], np.shape(fed[i]), np.asarray(fed[i]))
            known[node, i] = Call(node, i, fed, kwargs=options, out=change.reads.get(node, self.value(node)))
        return np.asarray(known[node, i].pull(np.asarray(g, node.dtype)))

    def _read(self, a: Any, reads: Mapping[Node, Any]) -> Any:
        return leaf(a, a.shape, reads.get(a, self.value(a))) if isinstance(a, Node) else a

    def pushed(self, change: Change, allowed: Callable[[Node, Any], bool] | None = None) -> Mapping[Node, Any]:
        """The gradients of the targets with something changed; not all, where one that changes is not `allowed`."""
        return ChainMap(self._swept(self._held.then(change), allowed).grads, self._plain.grads)

    def _whole(self, moved: Pushed) -> Pushed:
        sent = {**self._plain.sent, **moved.sent}
        return Pushed({**self._plain.grads, **moved.grads}, {e: c for e, c in sent.items() if c is not None})

    def _swept(
        self, change: Change, allowed: Callable[[Node, Any], bool] | None = None, *, detailed: bool = False
    ) -> Pushed:
        """What comes after the first place of a change; what records send that come before is known.

        `detailed`: also the gradients that nobody asked for, and what each record sends.
        """
        moved = Pushed({}, {})
        plain = self._plain.grads
        moved.grads.update((node, end(plain[node])) for node, end in change.ends.items() if node in plain)
        own = {n for n, _ in (*change.edges, *change.rerouted)}.union(change.past, change.turned, change.calls)
        places = [node for node in self._that_read(change).union(own) if node in self.edges and node in plain]
        if not places:
            return moved
        flows = ChainMap(self.given, moved.grads, plain)
        start = self._start(max(places, key=self.tape.index))
        before = [(r := self._copies[node], r.rule, r.args, r.kept) for node in own.union(change.reads)]
        try:
            for node, value in change.reads.items():
                self._copies[node].kept = value
            for node in own:
                record, receivers = self._copies[node], enumerate(node.operands)
                if not node.is_leaf:
                    record.rule = self._rule(node, change, flows, moved.sent)
                    to = [change.past[node][0]] if node in change.past else [
                        change.rerouted.get((node, i), a) for i, a in receivers
                    ]  # fmt: skip
                    record.args = tuple(self._copies.get(a, a) if isinstance(a, Node) else a for a in to)
            with np.errstate(all="ignore"):
                for step in sweep(start, 1.0, detailed=detailed or bool(change.turned)):
                    if step.node is start:
                        continue
                    node, g = self._originals[step.node], np.asarray(step.grad)
                    g = np.asarray(change.turned[node](g, flows)) if node in change.turned else g
                    moved.grads[node] = g = change.ends[node](g) if node in change.ends else g
                    if allowed is not None and not allowed(node, g):
                        break
                    for c in step.contributions if node not in change.past else ():
                        moved.sent.setdefault((node, c.position), np.asarray(c.grad))
        finally:
            for record, rule, args, value in before:
                record.rule, record.args, record.kept = rule, args, value
        return moved

    def _start(self, first: Node) -> Node:
        """A record that sends what comes from those before the first place of a change."""
        arrived: dict[Node, list[Any]] = {first: [self._plain.grads[first]]} if first is self.tape.root else {}
        for node in itertools.takewhile(lambda node: node.seq > first.seq, self.nodes):
            for i in self.edges[node]:
                if (to := node.operands[i]).seq <= first.seq and (node, i) in self._plain.sent:
                    arrived.setdefault(to, []).append(self._plain.sent[node, i])
        start, sums = copied(first), [np.asarray(sum(parts[1:], parts[0])) for parts in arrived.values()]
        start.args, start.kwargs, start.kept, start.holder = tuple(self._copies[n] for n in arrived), {}, None, None
        start.rule = Rule(sum, "start")
        start.rule.variadic = lambda g, out, i, *operands, **options: sums[i]
        return start

    def _rule(self, node: Node, change: Change, flows: Mapping[Node, Any], nothing: dict[Edge, Any]) -> Rule:
        """The rule of a record where something is changed; where it sends nothing is put down."""
        made, own = Rule(node.rule.fn, node.op), node.rule
        anew = node in change.calls or any(n is node for n, _ in change.rerouted)

        def sent(g: Any, out: Any, i: int, *operands: Any, **options: Any) -> Any:
            g = self.given[node] if node in self.given else np.asarray(g)
            if node in change.turned and node not in self.given:
                g = np.asarray(change.turned[node](g, flows))
            if node in change.past:
                receiver, fn = change.past[node]
                return self._across(fn(g), node, receiver)
            edge, to = (node, i), node.operands[i]
            if anew:
                c = self.send(node, i, g, change)
            elif node in self.given and not change.reads:
                c = self._follows(edge)
            else:
                c = own.pull(g, out, i, *operands, **options)
            c = c.dense() if isinstance(c, Scattered) else c
            if edge in change.edges:
                c = change.edges[edge](g, np.asarray(fitted(c, to.shape, node.shape)))
            if c is None or edge in change.rerouted:
                nothing[edge], to = None, change.rerouted.get(edge, to)
            return np.zeros(to.shape) if c is None else self._across(c, node, to)

        made.variadic = sent
        return made

    def _that_read(self, change: Change) -> set[Node]:
        """The records whose rules read something else."""
        if not (change.calls or change.reads):
            return set()
        other = set(change.reads)
        return {n for n in self.nodes if n in change.calls or n in other or not other.isdisjoint(n.parents)}

    def _follows(self, edge: Edge) -> Any:
        """What the rule of a record sends of a gradient that was given: nothing known, where it takes none but its
        own."""
        if edge not in self._handed_on:
            node, i = edge
            with attempted() as trial:
                sent = self.send(node, i, self.given[node])
            self._handed_on[edge] = np.full(node.operands[i].shape, np.nan) if trial.failed else sent
        return self._handed_on[edge]


def replayed(tape: Tape, change: Change) -> dict[Node, Any]:
    """The values that change with `reads` and `calls`, those included."""
    values = dict(change.reads)
    with np.errstate(all="ignore"):
        for node in tape:
            if node.is_leaf or node in values:
                continue
            operands, options = change.calls.get(node, (node.operands, node.kwargs))
            if node in change.calls or any(isinstance(a, Node) and a in values for a in operands):
                fed = [values.get(a, tape.value(a)) if isinstance(a, Node) else a for a in operands]
                values[node] = np.asarray(node.rule.op(*fed, **options))
    return values


def _asked() -> None:
    """In the place of a Tensor that asks for the gradient of a record."""
