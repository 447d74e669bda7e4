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
from ..formula.tree import Number, Symbol, Tree, apply, replaced, substituted, symbols
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


Told = tuple[Formula | None, dict[Node, Formula | None]]


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
        self._alike: dict[Any, _Whole] = {}

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

    @np.errstate(all="ignore")
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
        whole = _Whole(self.run, unit.nodes, results[0], edges, inputs)
        told = whole.like(self._alike.get(whole.key), sent)
        forward, backward = whole.told = told or (whole.forward(), whole.backward(sent))
        if told is None and whole.key is not None:
            self._alike[whole.key] = whole
        read = [s.node for s in forward.symbols if s.node in inputs] if forward else []
        inputs = tuple(dict.fromkeys([*read, *inputs]))
        sent = {node: sent[node] for node in inputs if node in sent}
        return Composed(results[0], inputs, forward, {node: backward[node] for node in sent}, sent)


class _Whole(Pulling):
    """The records of a unit between its inputs and its result."""

    def __init__(self, run: Run, nodes: Sequence[Node], result: Node, edges: Any, inputs: Sequence[Node]):
        super().__init__()
        self.tape, self.gradients, self.names = run.tape, run.gradients, run.names
        self.result, self.edges, self.stops = result, edges, frozenset(inputs)
        self.order = [*inputs, *nodes]
        self.depends = set(self.order)
        taken = {run.names.of(node) for node in self.depends}
        constants = ConstantNames(run.names, lambda: taken)
        self.arrays = [a for n in nodes for a in n.operands if isinstance(a, np.ndarray) and a.ndim]
        symbol_of = partial(value_symbol, names=run.names, value=run.tape.value)
        self.builder = _Equal(symbol_of, constants, run.tape, self.arrays)
        ends = result is run.tape.root
        self.averages = {n for n in nodes if ends and n.rule.fn is np.mean}
        examples = {np.shape(a)[0] for n in nodes for a in n.operands if len(np.shape(a)) > 1}
        self.length = length_of([n for n in reversed(nodes) if n in self.averages], examples, constants.free)
        self.algebra = Algebra(self.length, constants.free, IDENTITIES, QUOTIENTS, SUMS)
        self.rounding = max((float(np.finfo(n.dtype).eps) for n in self.depends if n.dtype.kind in "fc"), default=0.0)
        self.seeded = bool(run.seeded or not ends or result.shape)
        self.told: Told = None, {}

    @cached_property
    def key(self) -> Any:
        """What units share that do the same to other values; None where that may depend on the numbers."""
        place = {node: k for k, node in enumerate(self.order)}
        told: list[Any] = [self.seeded, place[self.result]]
        for node in self.order:
            told += [node.shape, node.dtype.str, node.needs_grad]
            if node in self.stops:
                continue
            told += [id(node.rule), [position for position, _ in self.edges.get(node, ())]]
            for operand in node.operands:
                if isinstance(operand, Node):
                    told.append(place[operand])
                elif not isinstance(operand, np.ndarray) or not operand.ndim:
                    told.append(repr(operand))
                elif self.builder.condition(operand) is None:
                    told.append(content(operand) if operand.dtype.kind in "iub" else self.builder.place(operand))
                else:
                    return None
            told += [name + str(replaced(option, _spelled)) for name, option in node.kwargs.items()]
        return str(told)

    def like(self, other: _Whole | None, sent: dict[Node, Any]) -> Told | None:
        """The formulas of another unit with the values of this one; None where they don't give the engine's numbers."""
        if other is None or other.algebra.remarks:
            return None
        by: dict[int, Tree] = {}
        for a, b in zip(other.order, self.order, strict=True):
            by[id(other.builder.symbol(a))] = self.builder.symbol(b)
        for x, y in zip(other.arrays, self.arrays, strict=True):
            by[id(other.builder.constant(x))] = self.builder.constant(y)
        forward, backward = other.told
        if backward:
            by[id(other.sent[other.result])] = self._upstream()
        found: dict[Node, Formula | None] = {}
        for a, b in zip(other.order, self.order, strict=True):
            formula = backward.get(a)
            if formula is not None:
                tree = substituted(formula.tree, by)
                if not close(tree, sent[b], self.rounding):
                    return None
                found[b] = Formula(self._target(b), tree, formula.notes, adds=True)
            elif a in backward:
                found[b] = None
        symbol = self.builder.symbol(self.result)
        return forward and Formula(symbol, substituted(forward.tree, by)), found

    def _upstream(self) -> Tree:
        """The name of the gradient that arrives; 1 at the loss."""
        if not self.seeded:
            return Number(1)
        return gradient_symbol(self.result, self.names, self.gradients[self.result])

    def _target(self, node: Node) -> Symbol:
        return gradient_symbol(node, self.names, self.gradients[node])

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
        self.sent = {self.result: self._upstream()}
        symbol = self.builder.symbol(self.result)
        self.algebra.define(symbol, self.meaning(self.result))
        trees = self.pulled(self.result)
        return {node: self._formula(node, trees[node], numbers) for node, numbers in sent.items()}

    def _formula(self, node: Node, tree: Tree, numbers: Any) -> Formula | None:
        known = set(self.algebra.remarks)
        for found in (self.algebra.simplified(tree), tree):
            if size(found) <= _MOST_NAMES and self._is_told(found) and close(found, numbers, self.rounding):
                used = [text for text in self.algebra.remarks if found is not tree and text not in known]
                return Formula(self._target(node), slid(found), (*self._notes(found), *used), adds=True)
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
        self._places = {key: k for k, key in enumerate(dict.fromkeys(map(content, arrays)))}
        self._others = {id(a): b for a in arrays for b in arrays if a is not b and _is_rest(a, b)}

    def place(self, array: np.ndarray) -> Any:
        """Its number among the arrays that differ, its shape and dtype, and which one it is 1 minus."""
        other = self._others.get(id(array))
        rest = None if other is None else self._places[content(other)]
        return self._places[content(array)], array.shape, array.dtype.str, rest

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


def _spelled(option: Any) -> Any:
    return content(option) if isinstance(option, np.ndarray) else repr(option)


def _is_rest(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype.kind == "f" and a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, 1 - b)
