"""The backward sweep of a tape with something changed: a contribution, a value that a rule reads, or a gradient that
a person has given. Every contribution is what the engine's own rule sends."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.registry import Rule
from autograd.testing.attempts import attempted
from autograd.testing.conventions import Convention

from ..tape.calls import Call, leaf
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
    """Sweeps of one tape back to some records, each only as far as it differs from the first.

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
        for node in tape:
            if node in targets or any(p in leads for p in node.parents):
                leads.add(node)
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
        self._plain = Pushed(
            {n: self._across(run.gradients[n], tape.root, n) for n in self.nodes if n in run.gradients},
            {
                (n, i): self._across(run.sent[n, i], tape.root, n.operands[i])
                for n in self.nodes
                for i in self.edges[n]
                if (n, i) in run.sent
            },
        )
        if self.given:
            self._plain = self._whole(self._swept(NOTHING, handing_on=True))
        self.base = self._plain

    def under(self, change: Change) -> Sweeper:
        """The same sweeps, with something changed in all of them."""
        other = copy(self)
        other._held = self._held.then(change)
        other.base = other._whole(other._swept(other._held))
        return other

    @property
    def is_plain(self) -> bool:
        """Whether nothing is changed in all of the sweeps, which are those of the loss."""
        return self._held is NOTHING and self.convention is None

    def _across(self, c: Any, node: Node, receiver: Node) -> Any:
        """What is sent from one record to another, as the convention has it."""
        before, after = (self.convention.factor(n) if self.convention else 1.0 for n in (node, receiver))
        return np.asarray(c) if before == after else np.asarray(c) * (after / before)

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

    def send(self, node: Node, i: int, g: Any, change: Change = NOTHING, rule: Rule | None = None) -> Any:
        """What the rule of a record sends to its operand `i`, fitted to it."""
        operands, options = change.calls.get(node, (node.operands, node.kwargs))
        touched = rule is not None or node in change.calls or node in change.reads
        if not touched and not any(isinstance(a, Node) and a in change.reads for a in operands):
            call = self.run.calls.get((node, i))
            if call is None:
                call = self.run.calls[node, i] = self._call(node, i, operands, options, {}, None)
        else:
            call = self._call(node, i, operands, options, change.reads, rule)
        return np.asarray(call.pull(np.asarray(g, node.dtype)))

    def _call(
        self, node: Node, i: int, operands: Any, options: Any, reads: Mapping[Node, Any], rule: Rule | None
    ) -> Call:
        def read(a: Node) -> Any:
            return reads[a] if a in reads else self.value(a)

        fed = [leaf(a, a.shape, read(a)) if isinstance(a, Node) else a for a in operands]
        if not isinstance(fed[i], Node):  # another value of what the gradient is taken by
            fed[i] = leaf(node.operands[i], np.shape(fed[i]), np.asarray(fed[i]))
        call = Call(node, i, fed, kwargs=options, out=read(node))
        if rule is not None:
            call.record.rule = rule
        return call

    def unsummed(self, node: Node, i: int, g: Any) -> Any:
        """What an elementwise rule sends to an operand before it is summed over what broadcasting stretched."""
        operand = node.operands[i]
        fed = [leaf(a, a.shape, self.value(a)) if isinstance(a, Node) else a for a in node.operands]
        fed[i] = leaf(operand, node.shape, np.broadcast_to(self.value(operand), node.shape))
        call = Call(node, i, fed, out=self.value(node))
        return np.asarray(call.pull(np.asarray(g, node.dtype)))

    def pushed(self, change: Change, allowed: Callable[[Node, Any], bool] | None = None) -> Mapping[Node, Any]:
        """The gradients with something changed; not all, where one that changes is not `allowed`."""
        return ChainMap(self._swept(self._held.then(change), allowed).grads, self._plain.grads)

    def _whole(self, moved: Pushed) -> Pushed:
        sent = {**self._plain.sent, **moved.sent}
        return Pushed({**self._plain.grads, **moved.grads}, {e: c for e, c in sent.items() if c is not None})

    def _swept(
        self, change: Change, allowed: Callable[[Node, Any], bool] | None = None, *, handing_on: bool = False
    ) -> Pushed:
        """What differs from the sweep without a change: it is done again from the places of the change on.

        The engine's sweep gives the same, but has to start at the loss, while most trials end within a few records of
        their place, at a right gradient that they spoil; and all that it sends has the shape of the operand, which a
        slip need not give. `handing_on`: of the gradients that were given nothing is known yet.
        """
        base, moved = self._plain, Pushed({}, {})
        grads, sent = moved.grads, moved.sent
        reads = self._that_read(change)
        places = [
            *reads,
            *(node for node, _ in (*change.edges, *change.rerouted)),
            *change.past,
            *change.ends,
            *change.turned,
        ]
        renewed = dict.fromkeys([*places, *self.given] if handing_on else places, False)  # True: another gradient
        past: dict[Node, list[Any]] = defaultdict(list)
        for node in self.nodes:
            if node not in renewed or not (node in base.grads or node in past):
                continue
            g = base.grads.get(node)
            if renewed[node]:
                parts = [sent.get(edge, base.sent.get(edge)) for edge in self.into[node]] + past[node]
                start = np.asarray(self.run.seed) if node is self.tape.root else None
                g = _sum([part for part in parts if part is not None], start)
                grads[node] = g = np.zeros(node.shape) if g is None else g
            if node in change.turned:
                flows = ChainMap(self.given, grads, base.grads)
                grads[node] = g = np.asarray(change.turned[node](g, flows))
            if node in change.ends:
                grads[node] = change.ends[node](g)
            if allowed is not None and node in grads and not allowed(node, grads[node]):
                break
            new = renewed[node] or node in change.turned
            again = handing_on or node in reads or (new and node not in self.given)
            g = self.given.get(node, g)
            if node in change.past:
                receiver, fn = change.past[node]
                if receiver in self.edges:
                    past[receiver].append(self._across(fn(g), node, receiver))
                    renewed[receiver] = True
            for i in self.edges[node]:
                edge, to = (node, i), node.operands[i]
                c = None
                if node not in change.past:
                    if again:
                        c = self._follows(node, i, g) if handing_on else self.send(node, i, g, change)
                    elif edge in change.edges or edge in change.rerouted:
                        c = self._across(base.sent[edge], to, node)
                    else:
                        continue
                    if edge in change.edges:
                        c = change.edges[edge](g, c)
                if edge in change.rerouted and c is not None:
                    elsewhere = change.rerouted[edge]
                    past[elsewhere].append(self._across(c, node, elsewhere))
                    renewed[elsewhere], c = True, None
                sent[edge] = None if c is None else self._across(c, node, to)
                renewed[to] = True
        return moved

    def _that_read(self, change: Change) -> set[Node]:
        """The records whose rules read something else."""
        if not (change.calls or change.reads):
            return set()
        other = set(change.reads)
        return {n for n in self.nodes if n in change.calls or n in other or not other.isdisjoint(n.parents)}

    def _follows(self, node: Node, i: int, g: Any) -> Any:
        """What the rule of a record sends of a gradient that was given: nothing known, where it takes none but its
        own."""
        with attempted() as trial:
            sent = self.send(node, i, g)
        return np.full(node.operands[i].shape, np.nan) if trial.failed else sent


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


def _sum(parts: list[Any], start: Any) -> Any:
    with np.errstate(all="ignore"):
        for part in parts:
            start = part if start is None else start + part
    return start
