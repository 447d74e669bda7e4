"""From the tape to trees: a record as a formula of its operands, a derivative rule as what it computes from its own.

A rule is run on `Traced` Tensors, and what they record becomes the tree. They are Tensors that record comparisons
too, and parts of rules that have a name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from autograd import Node, Tensor, enable_grad, protocols
from autograd.forward import record
from autograd.masks import mask_of
from autograd.registry import COMPOSITES, RULES, Rule
from autograd.rules.shapes import sum_to_shape

from .conditions import unguarded
from .glyphs import quoted
from .tree import Apply, Number, Opaque, Symbol, Tree, evaluate, reached, replaced, substituted

_MOST, _DEEPEST = 200, 40
"""A rule that is more than so many operations when written out, or nested deeper, is only named."""
_COUNTED = {fn: Rule(fn) for fn in (np.argsort, np.argmax, np.argmin)}


class Traced(Tensor):
    """A Tensor that records everything that is computed from it, comparisons included."""

    __slots__ = ()
    __hash__ = object.__hash__


def _traced(result: Any) -> Any:
    if result.__class__ is Tensor:
        result.__class__ = Traced
    return result


def _note(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _traced(record(rule, args, kwargs))


def _array_ufunc(self: Traced, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    rule = RULES.get(ufunc)
    if method == "__call__" and rule is not None and rule.constant and not kwargs:
        return _note(rule, inputs, {})
    return _traced(protocols.array_ufunc(self, ufunc, method, *inputs, **kwargs))


def _array_function(self: Traced, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    rule = _COUNTED.get(func) or RULES.get(func)
    if rule is not None and func not in COMPOSITES and (rule.constant or func in _COUNTED):
        rest = {**dict(zip(list(inspect.signature(func).parameters)[1:], args[1:], strict=False)), **kwargs}
        return _note(rule, args[:1], rest)
    return _traced(protocols.array_function(self, func, types, args, kwargs))


def _tracing(method: Callable[..., Any]) -> Callable[..., Any]:
    def traced(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return _traced(method(self, *args, **kwargs))

    return traced


def _operator(fn: np.ufunc, reflected: bool = False) -> Callable[..., Any]:
    rule = RULES[fn]

    def operate(self: Traced, *other: Any) -> Any:
        operands = (*other, self) if reflected else (self, *other)
        return _note(rule, operands, {})

    return operate


def _set_up() -> None:
    for name, method in list(vars(Tensor).items()):
        if inspect.isfunction(method) and name not in ("__init__", "__getattr__", "__bool__", "__len__"):
            setattr(Traced, name, _tracing(method))
    for name, fn in (
        ("lt", np.less), ("le", np.less_equal), ("gt", np.greater), ("ge", np.greater_equal), ("eq", np.equal),
        ("ne", np.not_equal), ("invert", np.invert),
    ):  # fmt: skip
        setattr(Traced, f"__{name}__", _operator(fn))
    for name, both in (("and", np.bitwise_and), ("or", np.bitwise_or), ("xor", np.bitwise_xor)):
        setattr(Traced, f"__{name}__", _operator(both))
        setattr(Traced, f"__r{name}__", _operator(both, reflected=True))
    Traced.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
    Traced.__array_function__ = _array_function  # type: ignore[attr-defined]
    Traced._record = staticmethod(lambda rule, args, kwargs: _traced(protocols.record_call(rule, args, kwargs)))  # type: ignore[method-assign]
    Traced._note = staticmethod(_note)  # type: ignore[attr-defined]


_set_up()


def _role(node: Node, i: int) -> str:
    return "index" if i == 1 and node.rule.fn in (np.take, np.take_along_axis) else "operand"


def _pulled_back(node: Node, i: int, g: Any, out: Any, operands: Sequence[Any]) -> Any:
    """What the rule of a record gives for operand `i`, summed to its shape."""
    result = node.rule.pull(g, out, i, *operands, **node.kwargs)
    shape, dtype = node.operands[i].shape, node.operands[i].dtype
    if result.dtype.kind == "c" and dtype.kind != "c":
        result = np.real(result)
    return result if np.shape(result) == shape else sum_to_shape(result, shape=shape)


class Builder:
    """Makes the trees of one formula: the same record is the same symbol, the same array the same constant.

    Parameters
    ----------
    symbol_of : callable
        Gives the symbol of a record.
    name_constant : callable
        ``name_constant(array, role)`` gives the name of an array that is no record.
    tape : container of Node, optional
        The records that have symbols. Arrays that remember how they were computed are written so, from these records;
        without it, they are arrays like any other.
    """

    def __init__(
        self,
        symbol_of: Callable[[Node], Symbol],
        name_constant: Callable[[Any, str], str],
        tape: Container[Node] | None = None,
    ):
        self._symbol_of = symbol_of
        self._name_constant = name_constant
        self._on_tape = tape
        self._conditions: dict[int, Tree] = {}
        self._symbols: dict[Node, Symbol] = {}
        self._constants: dict[int, Symbol] = {}
        self.size = 0
        """Of how many parts the last derivative was."""

    def symbol(self, node: Node) -> Symbol:
        found = self._symbols.get(node)
        if found is None:
            found = self._symbols[node] = self._symbol_of(node)
        return found

    def constant(self, value: Any, role: str = "operand") -> Tree:
        """An operand that is no record: a number, or an array with a name."""
        condition = self.condition(value)
        if condition is not None:
            return condition
        if np.ndim(value) == 0:
            return Number(value)
        found = self._constants.get(id(value))
        if found is None:
            array = np.asarray(value)
            found = self._constants[id(value)] = Symbol("constant", self._name_constant(array, role), array)
        return found

    def condition(self, value: Any) -> Symbol | None:
        """What stands for an array that remembers how it was computed, until a formula is complete: a rule that is run
        on it says what holds for every such array, not for these numbers. None for any other array, and where the
        record gives other numbers by now."""
        mask = mask_of(value) if isinstance(value, np.ndarray) and self._on_tape is not None else None
        if mask is None:
            return None
        found = self._constants.get(id(value))
        if found is None:
            _, size, depth = reached(mask.node, lambda n: () if self._has_symbol(n) else n.parents)
            if size > _MOST or depth > _DEEPEST:
                return None
            tree = self._tree(mask.node, "operand", self._leaf_of_condition, {})
            if tree.shape != value.shape or not np.array_equal(evaluate(tree), value):
                return None
            found = self._constants[id(value)] = Symbol("constant", "mask", value)
            self._conditions[id(found)] = tree
        return found if id(found) in self._conditions else None

    def _has_symbol(self, node: Node) -> bool:
        return node in self._on_tape if self._on_tape is not None else False

    def _leaf_of_condition(self, node: Node) -> Tree | None:
        if self._has_symbol(node):
            return self.symbol(node)
        return Symbol("constant", quoted(node.name), node.value) if node.is_leaf and node.name else None

    def written_out(self, tree: Tree) -> Tree:
        """The tree with conditions as they were computed."""
        return substituted(tree, self._conditions) if self._conditions else tree

    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options, arrays replaced by symbols."""

        def settled(option: Any) -> Any:
            return self.constant(option, "index") if isinstance(option, np.ndarray) and option.ndim else option

        return {name: replaced(option, settled) for name, option in options.items()}

    def call(self, node: Node, leaves: Callable[[Node], Tree | None]) -> Tree:
        """The tree of a record; where `leaves` gives something for a record, it ends there."""
        return self.written_out(self._tree(node, "operand", leaves, {}))

    def _tree(self, operand: Any, role: str, leaves: Callable[[Node], Tree | None], made: dict[Node, Tree]) -> Tree:
        if not isinstance(operand, Node):
            return self.constant(operand, role)
        if operand not in made:
            leaf = leaves(operand)
            if leaf is None and operand.args is not None:
                args = tuple([self._tree(a, _role(operand, i), leaves, made) for i, a in enumerate(operand.args)])
                options = self.options(operand.kwargs) if operand.kwargs else {}
                leaf = Apply(operand.rule, args, options, operand.shape, operand.dtype)
            made[operand] = leaf if leaf is not None else self.constant(operand.value)
        return made[operand]

    def derivative(self, node: Node, i: int, upstream: Symbol) -> Tree:
        """What the rule of `node` computes for operand `i` from the gradient `upstream`, summed to its shape.

        `Opaque` where that is too large to be written out.
        """
        lifted: dict[Node, Symbol] = {}
        ready: dict[int, Traced] = {}

        def lift(symbol: Symbol) -> Any:
            if id(symbol) in ready:
                return ready[id(symbol)]
            array = symbol.array
            tensor = object.__new__(Traced)
            tensor._data = array[()] if isinstance(array, np.ndarray) and not array.shape else array
            tensor._node = None
            lifted[tensor._set_leaf(False)] = symbol
            ready[id(symbol)] = tensor
            return tensor

        def operand(k: int, a: Any) -> Any:
            if isinstance(a, Node):
                return lift(self.symbol(a))
            tree = self.constant(a, _role(node, k))
            return lift(tree) if isinstance(tree, Symbol) else a

        with enable_grad(), np.errstate(all="ignore"):
            operands = [operand(k, a) for k, a in enumerate(node.args or ())]
            result = _pulled_back(node, i, lift(upstream), lift(self.symbol(node)), operands)
        if not isinstance(result, Tensor):
            return self.constant(result)
        if result.node in lifted:
            return lifted[result.node]
        nodes, self.size, depth = reached(result.node, lambda n: () if n in lifted else n.parents)
        if self.size > _MOST or depth > _DEEPEST:
            read = [lifted[n] for n in nodes if n in lifted]
            operations = sum(n not in lifted and not n.is_leaf for n in nodes)
            return self.opaque(node, i, upstream, read, operations)
        return self.written_out(unguarded(self._tree(result.node, "operand", lifted.get, {})))

    def opaque(self, node: Node, i: int, upstream: Symbol, read: Sequence[Symbol], operations: int) -> Tree:
        """The same by the name of the operation, ``f′(∂L/∂y, x)``, as a function of the symbols that its rule reads."""

        def compute(*arrays: Any) -> Any:
            given = dict(zip(map(id, read), arrays, strict=True))
            place = lambda tree: given.get(id(tree), tree.array) if isinstance(tree, Symbol) else tree.value
            operands = [
                place(self.symbol(a) if isinstance(a, Node) else self.constant(a, _role(node, k)))
                for k, a in enumerate(node.args or ())
            ]
            return _pulled_back(node, i, place(upstream), place(self.symbol(node)), operands)

        several = sum(node.rule.has_vjp(k) for k in range(len(node.operands))) > 1
        name = f"{node.rule.name}′" + "₀₁₂₃₄₅₆₇₈₉"[i + 1 : i + 2] * several
        operand = node.operands[i]
        return Opaque(Rule(compute, name), tuple(read), operand.shape, operand.dtype, operations)
