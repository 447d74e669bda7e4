"""Conventions in which right derivations differ, recognised by the numbers of a set of gradients on one tape.

In A. Ng's courses dZ and dA are without the 1/m of the loss, dW and db with it: the gradients of the parameters are
those of the loss, those before them m times as large. Such a set is right. Other conventions give the parameters other
gradients, and a training other steps: what is in one of them is named, and stays wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..node import Node
from ..tape import Tape
from .batches import Batches, Edge, along, comes_apart, handed_on
from .given import Given
from .rows import Row

__all__ = ["Convention", "Derivation", "of_layer", "recognised"]

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


def recognised(tape: Tape, seed: Any, given: Mapping[Node, Given], engine: Mapping[Node, Any]) -> Convention | None:
    """The convention in which gradients were derived, where it is not that of the recorded loss.

    A convention is claimed where the gradients follow from one another better than without it: a dZ and a dW or db
    made of it must differ by the factor m in exactly this way, where m is the length that the recorded mean is over.
    Other gradients may be wrong; a dZ alone is no evidence.

    Parameters
    ----------
    tape : Tape
    seed : array or None
        The gradient that the backward pass starts from.
    given : mapping of Node to Given
        The gradients.
    engine : mapping of Node to array
        The engine's.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from autograd.testing.conventions import recognised
    >>> from autograd.testing.given import Given
    >>> from autograd.testing.hand import read_hand
    >>> from autograd.testing.limits import Limits
    >>> X, W = np.array([[1.0, 2.0, -1.0]]), Tensor([[0.5]])
    >>> Z = W @ X
    >>> tape = Tape((Z**2).mean())
    >>> dZ = 2 * Z.data
    >>> hands = {Z.node: dZ, W.node: dZ @ X.T / 3}
    >>> given = {node: Given(node, "", read_hand(g, ""), Limits(None, None)) for node, g in hands.items()}
    >>> recognised(tape, None, given, tape.gradients()).note
    "right in A. Ng's convention: dZ without 1/m, dW and db with it (m = 3)"
    """
    read = Derivation({n: one for n, one in given.items() if one.is_whole(engine)}, engine)
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


class Derivation:
    """Gradients as handed in, beside those that a convention asks for."""

    def __init__(self, hands: Mapping[Node, Given], engine: Mapping[Node, Any]):
        self.hands, self.engine = hands, engine

    def agrees(self, node: Node, other: Any, times: float = 1.0, slack: Any = 0.0) -> bool:
        return self.hands[node].times(times).agrees(other, slack)

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
            flows[node] = natural if as_right else self.hands[node].completed(natural).array
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
        units = {n: u for n, one in self.hands.items() if (u := one.hand.unit) is not None and not n.is_leaf}
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
    tape: Tape, seed: Any, given: Mapping[Node, Given], engine: Mapping[Node, Any]
) -> tuple[Convention, list[Node]] | None:
    """A. Ng's convention in the gradients that a layer returns: those of parameters are 1/m of what follows from an
    upstream gradient that comes without the 1/m. And the parameters that are not in it, but right.

    A layer does not know its loss. Claimed where what belongs to examples, the first input at least, is right and a
    parameter's is 1/m of it; or two parameters' are.

    Parameters
    ----------
    tape, seed, given, engine
        As of `recognised`; the first input is the one that was made first.
    """
    read = Derivation({n: one for n, one in given.items() if one.is_whole(engine)}, engine)
    right = [n for n in read.hands if read.agrees(n, engine[n])]
    whole = handed_on(tape, seed, {}, {})
    upstream = whole[tape.root]
    for axis, m in enumerate(upstream.shape):
        if m < 2:
            continue
        kept = np.arange(m) % 2 == 0
        there = handed_on(tape, seed, {tape.root: upstream * along(kept, axis, upstream.ndim)}, {})
        examples = [n for n in read.hands if n in there and comes_apart(whole[n], there[n], kept)]
        parameters = [n for n in read.hands if n not in examples and np.any(engine[n])]
        found = [n for n in parameters if read.agrees(n, engine[n] / m, 1 / m)]
        first = min(given, key=lambda node: node.seq)
        alone = len(found) == 1 and not (first in examples and any(n in right for n in examples))
        if found and not alone:
            factors = dict.fromkeys([n for n in parameters if n.is_leaf], 1 / m)
            return Convention(m, factors, of_loss=False), [n for n in parameters if n in right]
    return None
