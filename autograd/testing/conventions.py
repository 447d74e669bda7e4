"""Conventions in which right derivations differ, recognised by the numbers of a set of gradients on one tape.

In A. Ng's courses dZ and dA are without the 1/m of the loss, dW and db with it: the gradients of the parameters are
those of the loss, those before them m times as large. Such a set is right. Other conventions give the parameters other
gradients, and a training other steps: what is in one of them is named, and stays wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..tape import Node, Tape, sweep
from .hand import Hand
from .rows import Limits, Row, compare_row

__all__ = ["Batches", "Convention", "Given", "constant_factor", "handed_on", "of_layer", "recognised"]

Edge = tuple[Node, int]

_DRAWS = 4
"""So often printed numbers are moved by what was rounded off, to see what becomes of it."""


class Convention(NamedTuple):
    """A. Ng's convention on one tape.

    Attributes
    ----------
    m : int
        Over so many examples the recorded loss is a mean.
    factors : dict of Node to float
        By what the right gradient of a record is the engine's times: m where it belongs to examples; of a record that
        is not in here, 1. Where no loss is recorded, 1/m of parameters.
    of_loss : bool
        Whether the 1/m is that of a recorded loss, not of an upstream gradient that is given.
    """

    m: int
    factors: Mapping[Node, float]
    of_loss: bool = True

    @property
    def name(self) -> str:
        return "A. Ng's convention"

    @property
    def note(self) -> str:
        """What is said of a gradient that is right in it."""
        if not self.of_loss:
            return f"right {self.where}; wrong otherwise"
        return f"right in {self.name}: dZ without 1/m, dW and db with it (m = {self.m})"

    @property
    def where(self) -> str:
        """For which upstream gradient a layer is right in it."""
        return f"if the upstream gradient comes without the 1/{self.m} of the loss, as in {self.name}"

    def factor(self, node: Node) -> float:
        """The right gradient of a record is the engine's times this."""
        return self.factors.get(node, 1.0)

    def of(self, engine: Mapping[Node, Any]) -> dict[Node, Any]:
        """The right gradients, given the engine's."""
        return {node: grad if self.factor(node) == 1 else grad * self.factor(node) for node, grad in engine.items()}

    def judged(self, row: Row, scaled: Row, node: Node) -> Row:
        """The row of a gradient, given how it compares when it is divided by its factor."""
        k = self.factor(node)
        if row.verdict != "WRONG" or k == 1:
            return row
        if scaled.verdict == "WRONG":
            said = f"in {self.name}, as the others are, {k:g} times the engine's would be right"
            return replace(row, note="; ".join(filter(None, [row.note, said])))
        note = "; ".join(filter(None, [scaled.note, self.note]))
        return replace(row, verdict="convention", wrong=np.zeros(row.shape, bool), numeric=scaled.numeric, note=note)

    def edges(self, nodes: Iterable[Node]) -> dict[Edge, float]:
        """What a rule sends to a record on the other side is multiplied by this."""
        return {
            (node, i): self.factor(a) / self.factor(node)
            for node in nodes
            for i, a in enumerate(node.operands)
            if isinstance(a, Node) and self.factor(a) != self.factor(node)
        }


def recognised(
    tape: Tape, seed: Any, given: Mapping[Node, tuple[Hand, Limits]], engine: Mapping[Node, Any]
) -> Convention | None:
    """The convention in which gradients were derived, where it is not that of the recorded loss.

    A convention is claimed where the gradients follow from one another better than without it: a dZ and a dW or db
    made of it must differ by the factor m in exactly this way, where m is the length that the recorded mean is over.
    Other gradients may be wrong; a dZ alone is no evidence.

    Parameters
    ----------
    tape : Tape
    seed : array or None
        The gradient that the backward pass starts from.
    given : mapping of Node to (Hand, Limits)
        The gradients, and how far off is wrong.
    engine : mapping of Node to array
        The engine's.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from autograd.testing.conventions import recognised
    >>> from autograd.testing.hand import read_hand
    >>> from autograd.testing.rows import Limits
    >>> X, W = np.array([[1.0, 2.0, -1.0]]), Tensor([[0.5]])
    >>> Z = W @ X
    >>> tape = Tape((Z**2).mean())
    >>> dZ = 2 * Z.data
    >>> given = {Z.node: dZ, W.node: dZ @ X.T / 3}
    >>> hands = {node: (read_hand(g, "dZ"), Limits(None, None)) for node, g in given.items()}
    >>> recognised(tape, None, hands, tape.gradients()).note
    "right in A. Ng's convention: dZ without 1/m, dW and db with it (m = 3)"
    """
    read = Given({n: one for n, one in given.items() if _is_whole(n, one[0], engine)}, engine)
    if all(read.agrees(node, engine[node]) for node in read.hands):
        return None
    if tape.root.size > 1:
        layer, others = of_layer(tape, seed, given, engine) or (None, [])
        return None if others else layer
    batches = Batches(tape, seed)
    best, found = None, None
    for m in batches.means:
        convention = Convention(m, dict.fromkeys(batches.of(m), float(m)))
        if not any(node in convention.factors for node in read.hands):
            continue
        plain = read.broken(tape, seed, convention, {})
        follows = read.broken(tape, seed, convention, convention.factors)
        evidence = [n for n in plain if n not in convention.factors and n not in follows and np.any(engine[n])]
        better = len(follows) < (len(plain) if best is None else best)
        if better and (evidence or read.throughout(convention)):
            best, found = len(follows), convention
    return found


def _is_whole(node: Node, hand: Hand, engine: Mapping[Node, Any]) -> bool:
    same = node in engine and hand.array.shape == node.shape
    return same and bool(np.isfinite(hand.completed(engine[node]).array).all())


class Given:
    """Gradients as handed in, beside those that a convention asks for."""

    def __init__(self, hands: Mapping[Node, tuple[Hand, Limits]], engine: Mapping[Node, Any]):
        self.hands, self.engine = hands, engine

    def agrees(self, node: Node, other: Any, times: float = 1.0, slack: Any = 0.0) -> bool:
        hand, limits = self.hands[node]
        limits = limits._replace(noise=limits.noise * times)
        other = np.asarray(other).astype(node.dtype)
        if hand.unit is None and hand.given is None:
            with np.errstate(invalid="ignore"):
                off = np.abs(hand.array - other)
            allowed = limits.of(other.astype(np.float64), hand, node.dtype) + slack
            return bool(((off <= allowed) | (hand.array == other)).all())
        return compare_row("", hand, other, limits, slack=slack).verdict in ("exact", "close")

    def throughout(self, convention: Convention) -> bool:
        """Whether all that belongs to examples, data at least, is without 1/m, and a parameter beside it right."""
        of_examples = [n for n in self.hands if n in convention.factors]
        others = [n for n in self.hands if n not in convention.factors and np.any(self.engine[n])]
        return (
            any(n.is_leaf for n in of_examples)
            and all(self.agrees(n, self.engine[n] * k, k) for n in of_examples for k in [convention.factor(n)])
            and any(self.agrees(n, self.engine[n]) for n in others)
        )

    def broken(self, tape: Tape, seed: Any, convention: Convention, factors: Mapping[Node, float]) -> list[Node]:
        """The gradients that do not follow from those handed in before them, where a record's is the engine's times a
        factor. Those of examples may be with 1/m all the same."""
        now = convention._replace(factors=factors)
        edges = now.edges(tape)
        flows: dict[Node, Any] = {}
        right = set()
        for node in self.hands:
            k = now.factor(node)
            is_right = self.agrees(node, self.engine[node] * k, k)
            if node in convention.factors and (is_right or self.agrees(node, self.engine[node])):
                right.add(node)
            as_right = is_right or node in right
            natural = self.engine[node] * k
            flows[node] = natural if as_right else self.hands[node][0].completed(natural).array
        arrived = handed_on(tape, seed, flows, edges)
        slack = self._slack(tape, seed, flows, edges, arrived)
        return [
            node
            for node in self.hands
            if node not in right
            and not (node in arrived and self.agrees(node, arrived[node], now.factor(node), slack.get(node, 0.0)))
        ]

    def _slack(self, tape: Tape, seed: Any, flows: Any, edges: Any, arrived: Any) -> dict[Node, Any]:
        """How far off gradients may be that are made of printed numbers."""
        units = {n: hand.unit for n, (hand, _) in self.hands.items() if hand.unit is not None and not n.is_leaf}
        rng = np.random.default_rng(0)
        slack: dict[Node, Any] = {}
        for _ in range(_DRAWS if units else 0):
            moved = {n: flows[n] + 0.5 * np.nan_to_num(u) * rng.choice([-1.0, 1.0], u.shape) for n, u in units.items()}
            there = handed_on(tape, seed, {**flows, **moved}, edges)
            for n in self.hands:
                if n in there:
                    slack[n] = np.maximum(slack.get(n, 0.0), 1.5 * np.abs(there[n] - arrived[n]))
        return slack


def of_layer(
    tape: Tape, seed: Any, given: Mapping[Node, tuple[Hand, Limits]], engine: Mapping[Node, Any]
) -> tuple[Convention, list[Node]] | None:
    """A. Ng's convention in the gradients that a layer returns: those of parameters are 1/m of what follows from an
    upstream gradient that comes without the 1/m. And the parameters that are not in it, but right.

    A layer does not know its loss. Claimed where what belongs to examples, the first input at least, is right and a
    parameter's is 1/m of it; or two parameters' are.

    Parameters
    ----------
    tape, seed, given, engine
        As of `recognised`, the inputs in order.
    """
    read = Given({n: one for n, one in given.items() if _is_whole(n, one[0], engine)}, engine)
    right = [n for n in read.hands if read.agrees(n, engine[n])]
    whole = handed_on(tape, seed, {}, {})
    upstream = whole[tape.root]
    for axis, m in enumerate(upstream.shape):
        if m < 2:
            continue
        kept = np.arange(m) % 2 == 0
        there = handed_on(tape, seed, {tape.root: upstream * _along(kept, axis, upstream.ndim)}, {})
        examples = [n for n in read.hands if n in there and _comes_apart(whole[n], there[n], kept)]
        parameters = [n for n in read.hands if n not in examples and np.any(engine[n])]
        found = [n for n in parameters if read.agrees(n, engine[n] / m, 1 / m)]
        alone = len(found) == 1 and not (next(iter(given)) in examples and any(n in right for n in examples))
        if found and not alone:
            factors = dict.fromkeys([n for n in parameters if n.is_leaf], 1 / m)
            return Convention(m, factors, of_loss=False), [n for n in parameters if n in right]
    return None


def handed_on(tape: Tape, seed: Any, flows: Mapping[Node, Any], edges: Mapping[Edge, float]) -> dict[Node, Any]:
    """The gradient that arrives at each record where some of `flows` are handed on instead, and what some rules send
    is multiplied by a number.
    """
    arrived = {tape.root: np.asarray(tape.seed(seed))}
    with np.errstate(all="ignore"):
        for node in reversed(tape.nodes):
            if node not in arrived or node.is_leaf:
                continue
            g = np.asarray(flows.get(node, arrived[node]), node.dtype)[()]
            for c in next(sweep(node, g)).contributions:
                part = np.asarray(c.dense()) * edges.get((node, c.position), 1.0)
                arrived[c.node] = arrived[c.node] + part if c.node in arrived else part
    return arrived


def constant_factor(tape: Tape, node: Node, i: int) -> float | None:
    """The number that the rule of a product or quotient multiplies by, where the other operand is one."""
    if len(node.operands) != 2 or node.op not in ("multiply", "divide") or (node.op == "divide" and i == 1):
        return None
    other = node.operands[1 - i]
    if isinstance(other, Node) and other.needs_grad:
        return None
    value = tape.value(other) if isinstance(other, Node) else np.asarray(other)
    if value.size != 1 or value.dtype.kind not in "fiu":
        return None
    k = float(value.reshape(()))
    return None if not k else k if node.op == "multiply" else 1 / k


class Batches:
    """The recorded means over examples, and which records belong to examples.

    Attributes
    ----------
    means : dict of int to list of (Node, int)
        By the number m of examples, the rules that take the mean: a mean over an axis of that length or over all
        numbers, a division by m or 2m or a product with 1/m, of a sum over so many.
    """

    def __init__(self, tape: Tape, seed: Any):
        self.tape, self.seed = tape, seed
        self.means: dict[int, list[Edge]] = defaultdict(list)
        for node in tape:
            for i, operand in enumerate(node.operands):
                if isinstance(operand, Node) and operand.needs_grad:
                    for m in self._averaged(node, i, operand):
                        self.means[m].append((node, i))

    def _averaged(self, node: Node, i: int, operand: Node) -> set[int]:
        """Of how many examples an operation takes the mean; several numbers where it is over several axes."""
        lengths = {n for summed in _first_arrays(operand) for n in (summed.size, *summed.shape)} - {0, 1}
        if node.op in ("mean", "average") and node.kwargs.get("weights") is None and len(node.parents) == 1:
            return {n for n in lengths if operand.size // max(node.size, 1) % n == 0}
        k = abs(constant_factor(self.tape, node, i) or 0.0)
        return {n for n in lengths if min(abs(k * n - 1), abs(2 * k * n - 1)) < 1e-6}

    def of(self, m: int) -> list[Node]:
        """The records below the means over m examples that belong to examples: their numbers depend on data.
        Parameters, and what is made of them alone, do not.
        """
        below = self._below(m)
        return [n for n in self.tape if n in below and n in self.fed]

    def outermost(self, m: int) -> frozenset[Edge]:
        """The rules that take the mean over m examples, without those of means within what is averaged; where data are
        known, of data.
        """
        below = self._below(m)
        outer = [(node, i) for node, i in self.means[m] if node not in below]
        return frozenset([(node, i) for node, i in outer if node.operands[i] in self.fed] or outer)

    def _below(self, m: int) -> set[Node]:
        waiting = [node.operands[i] for node, i in self.means[m]]
        seen = set(waiting)
        while waiting:
            fresh = [a for a in waiting.pop().parents if a.needs_grad and a not in seen]
            seen.update(fresh)
            waiting += dict.fromkeys(fresh)
        return seen

    @cached_property
    def fed(self) -> set[Node]:
        """The records whose numbers depend on data."""
        return _fed(self.tape, self._data) if self._data else self._constant

    @cached_property
    def _constant(self) -> set[Node]:
        return _fed(self.tape, set())

    @cached_property
    def _data(self) -> set[Node]:
        """The leaf with a gradient that is data, not a parameter: an array that is used first, beside a parameter, and
        whose gradient at each example comes from that example. None where that may be said of more, or of several
        axes, as where a mean is over classes, too.
        """
        first: dict[Node, Node] = {}
        for node in self.tape:
            for leaf in (a for a in node.parents if a.is_leaf and a.needs_grad):
                first.setdefault(leaf, node)
        beside = {leaf: set(user.parents) - {leaf} for leaf, user in first.items() if user not in self._constant}
        candidates = {leaf for leaf, some in beside.items() if some and all(a.is_leaf for a in some) and leaf.ndim > 1}
        found = [some for m in self.means for some in self._apart(m, candidates)] if candidates else []
        return found[0] if len(found) == 1 and len(found[0]) == 1 else set()

    def _apart(self, m: int, candidates: set[Node]) -> Iterator[set[Node]]:
        """Which leaves are apart for each example, along every axis of so many; where any is."""
        kept = np.arange(m) % 2 == 0
        whole = self._whole
        first = {n for node, i in self.means[m] for n in _first_arrays(node.operands[i])}
        summed = [n for n in first if n in whole and m in n.shape]
        for which in range(max((n.shape.count(m) for n in summed), default=0)):
            flows = {}
            for n in summed:
                axes = [axis for axis, length in enumerate(n.shape) if length == m]
                flows[n] = whole[n] * _along(kept, axes[min(which, len(axes) - 1)], n.ndim)
            there = handed_on(self.tape, self.seed, flows, {})
            apart = {n for n in candidates if n in there and _comes_apart(whole[n], there[n], kept)}
            if apart:
                yield apart

    @cached_property
    def _whole(self) -> dict[Node, Any]:
        return handed_on(self.tape, self.seed, {}, {})


def _fed(tape: Tape, data: set[Node]) -> set[Node]:
    """The records that are data, constant arrays among them, or made of any."""
    fed = set(data)
    for node in tape:
        chosen = node.kwargs.get("index", ())
        constants = [a for a in node.operands if not isinstance(a, Node)]
        constants += [chosen, *chosen] if isinstance(chosen, tuple) else [chosen]
        is_data = node.is_leaf and node.size > 1 and not node.needs_grad
        is_made = any(a in fed for a in node.parents)
        if is_data or is_made or any(a.size > 1 for a in constants if isinstance(a, np.ndarray)):
            fed.add(node)
    return fed


def _first_arrays(operand: Node) -> Iterator[Node]:
    """What a number was summed up from: the first records before it that are more than one number."""
    waiting = [operand]
    while waiting:
        node = waiting.pop()
        if node.size > 1:
            yield node
        else:
            waiting += [a for a in dict.fromkeys(node.parents) if a.needs_grad]


def _along(numbers: Any, axis: int, ndim: int) -> Any:
    return numbers.reshape([-1 if a == axis else 1 for a in range(ndim)])


def _comes_apart(whole: Any, some: Any, kept: Any) -> bool:
    """Whether a gradient with only some examples is, along an axis, the whole one at those and 0 at the others."""
    whole, some = np.asarray(whole, np.float64), np.asarray(some, np.float64)
    near = 1e-5 * float(np.abs(whole).max(initial=0.0))
    for axis, length in enumerate(whole.shape):
        if length == len(kept):
            masked = whole * _along(kept, axis, whole.ndim)
            if (np.abs(some - masked) <= near).all() and near and np.any(masked) and (masked != whole).any():
                return True
    return False
