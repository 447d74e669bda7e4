"""What a unit of the program computes, and what it sends back to each of its inputs, as one formula each.

For the line ``z1 = X @ W1 + b1`` that is z₁ = X W₁ + b₁, and ∂L/∂W₁ = Xᵀ ∂L/∂z₁. It is the derivation with the unit's
inputs as stops: rules and algebra are those of `viz.derive`, and each formula gives the engine's numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from autograd import Node, Step

from ..formula import ConstantNames, Formula, gradient_symbol, value_symbol
from ..formula.sliding import slid
from ..formula.tidy import throughout
from ..formula.trace import Builder
from ..formula.tree import Number, Tree, apply, symbols
from ..tape.constants import content
from ..tape.run import Run
from ..units.unit import Unit
from .algebra import Algebra
from .identities import IDENTITIES
from .pulling import Pulling, length_of
from .quotients import QUOTIENTS
from .sums import SUMS
from .trees import close, contains, size

__all__ = ["Composed", "Composer", "composed"]

_MOST_NAMES = 40
_MOST_NODES = 40


class Composed(NamedTuple):
    """A unit as one thing.

    Attributes
    ----------
    result : Node or None
        What it gives; None where that is several values.
    inputs : tuple of Node
        What it is given, in the order in which it reads them.
    forward : Formula or None
        How the result is computed of the inputs; None where that is too long to be read.
    backward : dict of Node to (Formula or None)
        What it sends to each input that a gradient flows to; None where that is too long, or no formula gives the
        engine's numbers.
    sent : dict of Node to array
        The numbers of that.
    """

    result: Node | None
    inputs: tuple[Node, ...]
    forward: Formula | None
    backward: dict[Node, Formula | None]
    sent: dict[Node, Any]


def composed(run: Run, unit: Unit) -> Composed:
    """What a unit computes and sends back.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from viz.derivation.composed import composed
    >>> from viz.tape.run import Run
    >>> from viz.units.tree import tree_of
    >>> X, W, b = Tensor(np.ones((2, 3)), name="X"), Tensor(np.ones((3, 1)), name="W"), Tensor([1.0], name="b")
    >>> z = X @ W + b
    >>> run = Run(Tape(z.sum()))
    >>> line = composed(run, tree_of(run.tape).parts[0])
    >>> line.forward
    <Formula z = X W + b>
    >>> [formula.plain() for formula in line.backward.values()]
    ['∂L/∂z Wᵀ', 'Xᵀ ∂L/∂z', 'Σ₀ ∂L/∂z']
    """
    return Composer(run).of(unit)


class Composer:
    """Makes the formulas of the units of one run."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def _steps(self) -> dict[Node, Step]:
        return {step.node: step for step in self.run.steps}

    @cached_property
    def _users(self) -> dict[Node, list[Node]]:
        users: dict[Node, list[Node]] = {}
        for node in self.run.tape:
            for operand in node.parents:
                users.setdefault(operand, []).append(node)
        return users

    def of(self, unit: Unit) -> Composed:
        """The formulas of a unit."""
        own = set(unit.nodes)
        inputs = tuple(dict.fromkeys(a for node in unit.nodes for a in node.parents if a not in own))
        sent: dict[Node, Any] = {}
        edges: dict[Node, list[tuple[int, Node]]] = {}
        for node in reversed(unit.nodes):
            for c in self._steps[node].contributions if node in self._steps else ():
                edges.setdefault(node, []).append((c.position, c.node))
                if c.node not in own:
                    sent[c.node] = sent[c.node] + c.grad if c.node in sent else np.asarray(c.grad)
        results = [n for n in unit.nodes if n is self.run.tape.root or not own.issuperset(self._users.get(n, ()))]
        if len(results) != 1 or len(own) > _MOST_NODES:
            return Composed(results[0] if len(results) == 1 else None, inputs, None, dict.fromkeys(sent), sent)
        whole = _Whole(self.run, unit.nodes, results[0], edges, frozenset(inputs))
        forward = whole.forward()
        read = [s.node for s in forward.symbols if s.node in inputs] if forward else []
        inputs = tuple(dict.fromkeys([*read, *inputs]))
        sent = {node: sent[node] for node in inputs if node in sent}
        return Composed(results[0], inputs, forward, whole.backward(sent), sent)


class _Whole(Pulling):
    """The records of a unit between its inputs and its result."""

    def __init__(self, run: Run, nodes: Sequence[Node], result: Node, edges: Any, inputs: frozenset[Node]):
        super().__init__()
        self.tape, self.gradients, self.names = run.tape, run.gradients, run.names
        self.result, self.edges, self.stops = result, edges, inputs
        self.depends = {*nodes, *inputs}
        taken = {run.names.of(node) for node in self.depends}
        constants = ConstantNames(run.names, lambda: taken)
        arrays = [a for n in nodes for a in n.operands if isinstance(a, np.ndarray) and a.ndim]
        self.builder = _Equal(partial(value_symbol, names=run.names, value=run.tape.value), constants, run.tape, arrays)
        ends = result is run.tape.root
        self.averages = {n for n in nodes if ends and n.rule.fn is np.mean}
        examples = {np.shape(a)[0] for n in nodes for a in n.operands if len(np.shape(a)) > 1}
        self.length = length_of([n for n in reversed(nodes) if n in self.averages], examples, constants.free)
        self.algebra = Algebra(self.length, constants.free, IDENTITIES, QUOTIENTS, SUMS)
        self.rounding = max((float(np.finfo(n.dtype).eps) for n in self.depends if n.dtype.kind == "f"), default=0.0)
        self.seeded = run.seeded or not ends or result.shape

    def stands(self, node: Node) -> bool:
        return node is self.result or node not in self.depends or node in self.stops

    def forward(self) -> Formula | None:
        """How the result is computed."""
        symbol = self.builder.symbol(self.result)
        tree = throughout(self.builder.call(self.result, lambda n: self.builder.symbol(n) if n in self.stops else None))
        return None if size(tree) > _MOST_NAMES else Formula(symbol, slid(tree))

    def backward(self, sent: dict[Node, Any]) -> dict[Node, Formula | None]:
        """What is sent to each input."""
        if not sent:
            return {}
        grad = gradient_symbol(self.result, self.names, self.gradients[self.result])
        self.sent = {self.result: grad if self.seeded else Number(1)}
        symbol = self.builder.symbol(self.result)
        self.algebra.define(symbol, self.meaning(self.result))
        trees = self.pulled(self.result)
        return {node: self._formula(node, trees[node], numbers) for node, numbers in sent.items()}

    def _formula(self, node: Node, tree: Tree, numbers: Any) -> Formula | None:
        known = set(self.algebra.remarks)
        for found in (self.algebra.simplified(tree), tree):
            if size(found) <= _MOST_NAMES and self._is_told(found) and close(found, numbers, self.rounding):
                target = gradient_symbol(node, self.names, self.gradients[node])
                used = [text for text in self.algebra.remarks if found is not tree and text not in known]
                return Formula(target, slid(found), (*self._notes(found), *used), adds=True)
        return None

    def _is_told(self, tree: Tree) -> bool:
        """Whether only what is given and the result stand in a formula."""
        return all(s.node is None or self.stands(s.node) for s in symbols(tree))

    def _notes(self, tree: Tree) -> list[str]:
        """What its letters stand for."""
        n, picked = self.length, self.algebra.one_hot.values()
        said = [f"{n.name} = {int(n.array)}"] if n is not None and contains(tree, n) else []
        rows = [(y.name, " of each row" * (y.ndim > 1)) for y in picked if contains(tree, y)]
        return said + [f"{name} is 1 at the picked element{of}, else 0" for name, of in rows]


class _Equal(Builder):
    """Makes trees in which equal arrays are one symbol, and 1 − y is written as such."""

    def __init__(self, symbol_of: Any, constants: ConstantNames, tape: Any, arrays: Sequence[np.ndarray]) -> None:
        super().__init__(symbol_of, constants, tape)
        self._first: dict[Any, Tree] = {}
        self._others = {id(a): b for a in arrays for b in arrays if a is not b and _is_rest(a, b)}

    def constant(self, value: Any, role: str = "operand") -> Tree:
        """An operand that is no record: a number, or an array with a name."""
        if not isinstance(value, np.ndarray) or not value.ndim or self.condition(value) is not None:
            return super().constant(value, role)
        key = role, content(value)
        if key not in self._first:
            other = self._others.get(id(value))
            if other is not None and (role, content(other)) in self._first:
                y = self.constant(other, role)
                self._first[key] = apply(np.subtract, Number(1), y, like=y)
            else:
                self._first[key] = super().constant(value, role)
        return self._first[key]


def _is_rest(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype.kind == "f" and a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, 1 - b)
