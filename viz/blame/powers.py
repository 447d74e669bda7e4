"""One value multiplied by itself is a power of it, however that was written: W * W, vdot(W, W), trace(W @ W.T) and
‖W‖² become the records of W**2 and its sum, so that one term is not taken for two."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd import Node, Tape
from autograd.registry import RULES, Rule
from autograd.testing.attempts import attempted
from autograd.testing.drawing import generator

from ..tape.calls import copied

__all__ = ["VIEWS", "Power", "powers", "record_like"]

VIEWS = frozenset({"reshape", "transpose", "expand_dims", "squeeze", "swapaxes", "moveaxis", "positive", "ravel"})
_OF_ITSELF = VIEWS | {
    "multiply", "matmul", "dot", "inner", "vdot", "vecdot", "tensordot", "einsum", "power", "square", "absolute",
    "norm", "diagonal", "sum",
}  # fmt: skip
"""Operations that a power may be written with."""
_MOST_AXES = 3
_EXPONENTS = {2: "²", 3: "³", 4: "⁴"}


class Power(NamedTuple):
    """k Σ xⁿ over some axes, then transposed or in another shape."""

    of: Node
    k: float
    n: int
    axes: tuple[int, ...] | None
    order: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        """``W²``, before it is summed."""
        return f"{self.of.name}{_EXPONENTS[self.n]}"

    def records(self, node: Node) -> Iterator[Node]:
        """Those in the place of a record that is another form of it."""
        last = record_like(node, RULES[np.power], (self.of, self.n), {}, self.of.shape)
        yield last
        if self.axes != ():
            options: dict[str, Any] = {} if self.axes is None else {"axis": self.axes}
            kept = [n for axis, n in enumerate(self.of.shape) if self.axes is not None and axis not in self.axes]
            last = record_like(node, RULES[np.sum], (last,), options, tuple(kept))
            yield last
        if self.order != tuple(range(len(self.order))):
            shape = tuple(last.shape[k] for k in self.order)
            last = record_like(node, RULES[np.transpose], (last,), {"axes": self.order}, shape)
            yield last
        if last.shape != node.shape:
            last = record_like(node, RULES[np.reshape], (last,), {"shape": node.shape}, node.shape)
            yield last
        if self.k != 1:
            last = record_like(node, RULES[np.multiply], (self.k, last), {}, node.shape)
            yield last
        last.name, last.kept = node.name, node.kept


def powers(tape: Tape, kept: Collection[Node]) -> dict[Node, Power]:
    """The records that are powers of another one."""
    rng = generator("powers")
    of: dict[Node, Node] = {}  # what a record is a function of, alone
    uses: dict[Node, int] = {}
    samples: dict[Node, Any] = {}
    found: dict[Node, Power] = {}
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


def _power(of: Node, xs: list[Any], ys: list[Any]) -> Power | None:
    """Which sum of powers of x some numbers are."""
    y = ys[0]
    for n in _EXPONENTS:
        powers = [x**n for x in xs]
        for axes, order in _arrangements(of.ndim, y.ndim):
            totals = [p if axes == () else p.sum(axis=axes) for p in powers]
            k = _ratio(ys, [total.transpose(order) for total in totals])
            if k is not None:
                return Power(of, k, n, axes, order, y.shape)
        if y.size == of.size:
            k = _ratio(ys, [p.reshape(y.shape) for p in powers])
            if k is not None:
                return Power(of, k, n, (), tuple(range(of.ndim)), y.shape)
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


def record_like(like: Node, rule: Rule, args: tuple[Any, ...], options: dict[str, Any], shape: tuple[int, ...]) -> Node:
    """A record at the place of another one, of another operation."""
    fresh = copied(like)
    fresh.rule, fresh.args, fresh.kwargs, fresh.shape = rule, args, options, shape
    fresh.kept = fresh.name = None
    return fresh
