"""One value multiplied by itself is a power of it, however that was written: W * W, vdot(W, W), trace(W @ W.T) and
‖W‖² become the records of W**2 and its sum, so that one term is not taken for two."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from autograd import Node, Tape
from autograd.labels import LIMIT
from autograd.registry import RULES, Rule
from autograd.testing.attempts import attempted
from autograd.testing.drawing import generator

from ..plain.numbers import clean
from ..tape.calls import copied
from ..tape.names import Names
from .printed import Given
from .report import Finding

__all__ = ["AsPowers"]

VIEWS = frozenset({"reshape", "transpose", "expand_dims", "squeeze", "swapaxes", "moveaxis", "positive", "ravel"})
_OF_ITSELF = VIEWS | {
    "multiply", "matmul", "dot", "inner", "vdot", "vecdot", "tensordot", "einsum", "power", "square", "absolute",
    "norm", "diagonal", "sum",
}  # fmt: skip
"""Operations that a power may be written with."""
_MOST_AXES = 3
_EXPONENTS = {2: "²", 3: "³", 4: "⁴"}


class _Power(NamedTuple):
    """k Σ xⁿ over some axes, then transposed or in another shape."""

    of: Node
    k: float
    n: int
    axes: tuple[int, ...] | None
    order: tuple[int, ...]
    shape: tuple[int, ...]


class _Names(Names):
    """Names of records by those that they stand for; of a power before it is summed, x²."""

    def __init__(self, tape: Tape):
        super().__init__(tape)
        self.original: dict[Node, Node] = {}
        self.powers: dict[Node, str] = {}

    def of(self, node: Node, limit: int = LIMIT) -> str:
        return self.powers.get(node) or super().of(self.original.get(node, node), limit)

    def has(self, node: Node) -> bool:
        return super().has(self.original.get(node, node))


class AsPowers:
    """A tape on which no value is multiplied by itself.

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
        found = _powers(tape, kept)
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

    def _rewrite(self, tape: Tape, found: dict[Node, _Power]) -> None:
        count = itertools.count()
        for node in tape:
            parts = list(_records_of(node, found[node])) if node in found else [copied(node)]
            if len(parts) > 1 and found[node].of.name:
                self.names.powers[parts[0]] = clean(f"{found[node].of.name}{_EXPONENTS[found[node].n]}", LIMIT)
            for part in parts:
                part.args = None if part.args is None else tuple(
                    self._new.get(a, a) if isinstance(a, Node) else a for a in part.args
                )  # fmt: skip
                part.seq = next(count)
                self.original[part] = node
            parts[-1].holder = node.holder
            self._new[node] = parts[-1]
        for power in found.values():
            self._new[power.of].kept = tape.value(power.of)
        self.tape = Tape(self._new[tape.root])


def _powers(tape: Tape, kept: Collection[Node]) -> dict[Node, _Power]:
    """The records that are powers of another one."""
    rng = generator("powers")
    of: dict[Node, Node] = {}  # what a record is a function of, alone
    uses: dict[Node, int] = {}
    samples: dict[Node, Any] = {}
    found: dict[Node, _Power] = {}
    inside: dict[Node, set[Node]] = {}
    for node in tape:
        operands = node.parents
        if not operands or not node.needs_grad or node.op not in _OF_ITSELF or not all(o.needs_grad for o in operands):
            continue
        if any(np.ndim(o) for o in node.operands if not isinstance(o, Node)):
            continue
        known = [o if o in kept else of.get(o, o) for o in operands]
        x = known[0]
        if any(other is not x for other in known) or x.dtype.kind != "f":
            continue
        of[node] = x
        uses[node] = sum(1 if o is x else uses[o] for o in operands) + (node.op in ("absolute", "norm"))
        inside[node] = {o for o in operands if o is not x}.union(*(inside[o] for o in operands if o is not x))
        # written as it is: a plain power, and what is made of one further on
        if uses[node] < 2 or any(o in found and uses[o] == uses[node] for o in operands):
            continue
        if x not in samples:
            samples[x] = [rng.normal(size=x.shape) for _ in range(2)]  # two, as any number is a multiple of another one
        parts = [*sorted(inside[node], key=tape.index), node]
        with attempted() as trial:
            power = _power(x, samples[x], [_value(x, sample, parts) for sample in samples[x]])
        if not trial.failed and power is not None:
            for part in inside[node]:
                found.pop(part, None)
            found[node] = power
    return found


def _value(x: Node, sample: Any, parts: list[Node]) -> Any:
    """The value of the last of some records for another value of x."""
    values = {x: sample}
    for part in parts:
        fed = [values[a] if isinstance(a, Node) else a for a in part.operands]
        values[part] = np.asarray(part.rule.op(*fed, **part.kwargs))
    return values[parts[-1]]


def _power(of: Node, xs: list[Any], ys: list[Any]) -> _Power | None:
    """Which sum of powers of x some numbers are."""
    y = ys[0]
    for n in _EXPONENTS:
        powers = [x**n for x in xs]
        for axes, order in _arrangements(of.ndim, y.ndim):
            totals = [p if axes == () else p.sum(axis=axes) for p in powers]
            k = _ratio(ys, [total.transpose(order) for total in totals])
            if k is not None:
                return _Power(of, k, n, axes, order, y.shape)
        if y.size == of.size:
            k = _ratio(ys, [p.reshape(y.shape) for p in powers])
            if k is not None:
                return _Power(of, k, n, (), tuple(range(of.ndim)), y.shape)
    return None


def _arrangements(have: int, want: int) -> Iterator[tuple[tuple[int, ...] | None, tuple[int, ...]]]:
    """The axes to sum over, None for all, and the order of those that are left."""
    if want == 0 and have:
        yield None, ()
    elif have <= _MOST_AXES:
        for axes in itertools.combinations(range(have), have - want):
            for order in itertools.permutations(range(want)):
                yield axes, order


def _ratio(ys: list[Any], others: list[Any]) -> float | None:
    if ys[0].shape != others[0].shape or not ys[0].size:
        return None
    y, other = (np.concatenate([part.ravel() for part in parts]) for parts in (ys, others))
    k = float(np.sum(y * other) / np.sum(other * other))
    if not np.isfinite(k) or not k or not np.allclose(y, k * other, rtol=1e-9, atol=0.0):
        return None
    return 1.0 if abs(k - 1) < 1e-12 else k


def _records_of(node: Node, power: _Power) -> Iterator[Node]:
    """The records of a power in the place of one that is another form of it."""
    x = power.of
    last = _record(node, RULES[np.power], (x, power.n), {}, x.shape)
    yield last
    if power.axes != ():
        options: dict[str, Any] = {} if power.axes is None else {"axis": power.axes}
        kept = [n for axis, n in enumerate(x.shape) if power.axes is not None and axis not in power.axes]
        last = _record(node, RULES[np.sum], (last,), options, tuple(kept))
        yield last
    if power.order != tuple(range(len(power.order))):
        shape = tuple(last.shape[k] for k in power.order)
        last = _record(node, RULES[np.transpose], (last,), {"axes": power.order}, shape)
        yield last
    if last.shape != node.shape:
        last = _record(node, RULES[np.reshape], (last,), {"shape": node.shape}, node.shape)
        yield last
    if power.k != 1:
        last = _record(node, RULES[np.multiply], (power.k, last), {}, node.shape)
        yield last
    last.name, last.kept = node.name, node.kept


def _record(like: Node, rule: Rule, args: tuple[Any, ...], options: dict[str, Any], shape: tuple[int, ...]) -> Node:
    fresh = copied(like)
    fresh.rule, fresh.args, fresh.kwargs, fresh.shape = rule, args, options, shape
    fresh.kept = fresh.name = None
    return fresh
