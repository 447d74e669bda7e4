"""Formulas from the tape: what an operation computes, and what its own derivative rule sends back.

The forward formula is printed from the record. The backward formula is what the record's rule computes when it is run
on Tensors: there is no table of derivatives here, only one of how functions are written (`notation`). One printer
makes plain text, LaTeX and MathML of it (`printer`, `writers`).
"""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import partial
from operator import attrgetter
from typing import Any, Protocol

import numpy as np

from autograd import Node, Tape

from ..plain.numbers import counted, ordinal, subscript
from .glyphs import quoted
from .notation import printer
from .printer import What
from .tidy import throughout, tidied
from .trace import Builder
from .tree import Apply, Opaque, Symbol, Tree, evaluate, reached, symbols
from .tree import parts as parts_of
from .writers import LATEX, MATHML, PLAIN, Writer

__all__ = [
    "ConstantNames",
    "Formula",
    "Symbol",
    "backward",
    "expression",
    "forward",
    "gradient_symbol",
    "value_symbol",
    "written",
]


_LONG = 400
_MATH = '<math displaystyle="true">'


class Named(Protocol):
    """What formulas need of `viz.tape.names.Names`."""

    loss: str
    tape: Tape

    def of(self, node: Node, limit: int = ...) -> str: ...

    def constant(self, array: Any) -> str | None: ...

    def is_constant(self, name: str) -> bool: ...


class Formula:
    """A formula: what it gives, and the tree of what is computed.

    Attributes
    ----------
    target : Symbol
        What is computed, or added to.
    tree : Symbol, Number or Apply
        The right-hand side.
    symbols : tuple of Symbol
        Those of the right-hand side, each once, in reading order.
    notes : tuple of str
        What short names stand for: ``"δ⁽²⁾ = ∂L/∂z⁽²⁾"``.
    adds : bool
        Whether it is added to the target: a gradient gets a contribution from each use.
    """

    def __init__(self, target: Symbol, tree: Tree, notes: tuple[str, ...] = (), adds: bool = False):
        self.target = target
        self.tree = tree
        self.notes = notes
        self.adds = adds
        self.symbols = symbols(tree)

    def evaluate(self) -> Any:
        """The array that the right-hand side gives, of the target's shape and dtype."""
        value = np.asarray(evaluate(self.tree))
        return value.astype(self.target.dtype, copy=False)

    def _print(self, writer: Writer, what: What, *, whole: bool) -> str:
        if what not in ("symbols", "numbers", "shapes"):
            raise ValueError(f"a formula shows 'symbols', 'numbers' or 'shapes', got {what!r}")
        places = {id(symbol): k for k, symbol in enumerate(self.symbols)}
        text = printer(writer, what, places).tree(self.tree, top=True).text
        if not whole:
            return text
        if what == "shapes":
            target = printer(writer, what).shape(self.target.shape).text
        else:
            target = writer.symbol(self.target, len(self.symbols)).text
        sign = "+=" if self.adds and what != "shapes" else "="
        between = f" {sign} " if writer is not MATHML else f"<mo>{sign}</mo>"
        if writer is LATEX and sign == "+=":
            between = r" \mathrel{+}= "
        return writer.row(target, between, text)

    def plain(self, what: What = "symbols") -> str:
        """The right-hand side as Unicode text."""
        return self._print(PLAIN, what, whole=False)

    def latex(self, what: What = "symbols") -> str:
        """The right-hand side in LaTeX's math mode."""
        return self._print(LATEX, what, whole=False)

    def mathml(self, what: What = "symbols") -> str:
        """The right-hand side in MathML Core; the element of symbol k has ``data-symbol="k"``."""
        return f"{_MATH}{self._print(MATHML, what, whole=False)}</math>"

    def equation(self, form: str = "plain", what: What = "symbols") -> str:
        """Both sides: ``∂L/∂z⁽¹⁾ += ∂L/∂a⁽¹⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)``, as ``"plain"``, ``"latex"`` or ``"mathml"``.

        In MathML the target has the number after the last symbol's.
        """
        writers: dict[str, Writer] = {"plain": PLAIN, "latex": LATEX, "mathml": MATHML}
        if form not in writers:
            raise ValueError(f"a formula is written as 'plain', 'latex' or 'mathml', got {form!r}")
        text = self._print(writers[form], what, whole=True)
        return f"{_MATH}{text}</math>" if form == "mathml" else text

    def __repr__(self) -> str:
        return f"<Formula {self.equation()}>"


Value = Callable[[Node], Any]


_kept: Value = attrgetter("value")


def _name(node: Node, names: Named) -> str:
    """What a record is called in a formula: in quotes where a user's name does not read as one."""
    return quoted(names.of(node)) if node.name else names.of(node)


def value_symbol(node: Node, names: Named, value: Value | None = None) -> Symbol:
    """The name of a record, and its array, which ``value(node)`` gives where there is such."""
    return Symbol("value", _name(node, names), partial(value or _kept, node), node, None, node.shape, node.dtype)


def gradient_symbol(node: Node, names: Named, array: Any = None, *, short: bool = False) -> Symbol:
    """The name of the gradient with respect to a record: ``∂L/∂z⁽¹⁾``, or ``δ⁽¹⁾`` for `short`; and its array."""
    name = _name(node, names)
    loss = names.loss if names.loss.startswith("%") else quoted(names.loss)
    if short and _is_pre_activation(name):
        return Symbol("gradient", "δ" + name[1:], array, node, None, node.shape, node.dtype)
    return Symbol("gradient", f"∂{loss}/∂{name}", array, node, (loss, name), node.shape, node.dtype)


def _is_pre_activation(name: str) -> bool:
    return name.startswith("z⁽") and name.endswith("⁾")


class ConstantNames:
    """Names for arrays that are no records: those of the tape, else by their role, numbered where there are several."""

    def __init__(self, names: Named, taken: Callable[[], Container[str]]) -> None:
        self.names = names
        self.taken = taken
        self.given: dict[str, int] = {}

    def __call__(self, array: Any, role: str) -> str:
        known = self.names.constant(array)
        if known is not None:
            return quoted(known)
        if role != "index":
            name = "c"
        elif array.dtype == bool:
            name = "mask"
        elif _counts_up(array):
            name = "i"
        else:
            number = "k" if self.names.is_constant("y") else "y"
            name = number if array.dtype.kind in "iu" else "c"
        return self.free(name)

    def free(self, name: str) -> str:
        """A name that nothing has: y, y₂, …"""
        while True:
            self.given[name] = n = self.given.get(name, 0) + 1
            full = name if n == 1 else name + subscript(n)
            if full not in self.taken():
                return full


def _counts_up(array: Any) -> bool:
    return array.dtype.kind in "iu" and np.array_equal(array.ravel(), np.arange(array.size))


def _taken(node: Node, names: Named, written_out: Container[Node] = ()) -> Callable[[], frozenset[str]]:
    """The names that a formula of `node` has use for, when they are asked for."""
    return partial(_names_below, node, names, written_out)


def _names_below(node: Node, names: Named, written_out: Container[Node]) -> frozenset[str]:
    found, waiting = {node}, [node]
    while waiting:
        for operand in waiting.pop().parents:
            if operand not in found:
                found.add(operand)
                waiting += [operand] if operand in written_out else []
    return frozenset(names.of(n) for n in found)


def _by_shape(array: Any, role: str) -> str:
    if array.size <= 4 and array.dtype.kind in "iub" and role == "index":
        return str(array.tolist())
    if role == "index" and array.ndim == 1 and _counts_up(array):
        return f"arange({array.size})"
    return f"{'array' if role == 'index' else 'const'}{array.shape}"


def _call(node: Node, builder: Builder, written_out: Container[Node]) -> Tree:
    def leaf(operand: Node) -> Tree | None:
        return None if operand is node or operand in written_out else builder.symbol(operand)

    return throughout(builder.call(node, leaf))


def forward(node: Node, names: Named, value: Value | None = None, *, written_out: Container[Node] = ()) -> Formula:
    """What a record computes, of its operands: ``z⁽¹⁾ = W⁽¹⁾ x + b⁽¹⁾``.

    Parameters
    ----------
    node : Node
        A record that is no leaf.
    names : viz.tape.names.Names
        What records are called.
    value : callable, optional
        ``value(node)`` gives the array of a record: ``Tape.value``.
    written_out : container of Node, optional
        Operands to write out in their turn, instead of naming them.

    Returns
    -------
    Formula

    Raises
    ------
    ValueError
        If `node` is a leaf.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> from viz.formula import forward
    >>> from viz.tape.names import Names
    >>> tape = Tape(Tensor([1.0, 2.0], name="x") ** 2)
    >>> forward(tape.root, Names(tape), tape.value)
    <Formula L = x²>
    """
    _operation(node, "forward")
    symbol = partial(value_symbol, names=names, value=value)
    builder = Builder(symbol, ConstantNames(names, _taken(node, names, written_out)), names.tape)
    return Formula(symbol(node), _call(node, builder, written_out))


def expression(node: Node, names: Named, called: Callable[[Any], str | None], written_out: Container[Node] = ()) -> str:
    """The right-hand side of `forward` for the title of a picture: constants that no variable of the program holds
    show a shape; what it calls the others is `called`."""
    _operation(node, "expression")

    def constant(array: Any, role: str) -> str:
        name = called(array)
        return quoted(name) if name else _by_shape(array, role)

    builder = Builder(partial(value_symbol, names=names), constant)
    return Formula(value_symbol(node, names), _call(node, builder, written_out)).plain()


def backward(node: Node, i: int, grad: Any, names: Named, value: Value | None = None) -> Formula:
    """What the derivative rule of a record sends to its operand `i`.

    The rule itself is run, on Tensors that stand for the gradient, the output and the operands; what it recorded is
    the formula. Where a rule looks at the numbers (at a tie, say), it is the formula that holds for these.

    Parameters
    ----------
    node : Node
    i : int
        The position of an operand that a gradient flows to.
    grad : array of the shape of `node`
        The gradient of the loss with respect to `node`.
    names : viz.tape.names.Names
    value : callable, optional
        ``value(node)`` gives the array of a record: ``Tape.value``.

    Returns
    -------
    Formula

    Raises
    ------
    ValueError
        If `node` is a leaf, or no gradient flows to that operand.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from viz.formula import backward
    >>> from viz.tape.names import Names
    >>> x = Tensor([1.0, 2.0], name="x")
    >>> y = np.exp(x)
    >>> y.name = "y"
    >>> tape = Tape(y.sum())
    >>> backward(y.node, 0, np.ones(2), Names(tape), tape.value)
    <Formula ∂L/∂x += ∂L/∂y ⊙ y>
    """
    _operation(node, "backward")
    operands = node.operands
    if not -len(operands) <= i < len(operands) or not isinstance(operands[i], Node) or not operands[i].needs_grad:
        raise ValueError(f"backward: no gradient flows from {node.op} to operand {i}, of {len(operands)}")
    if np.shape(grad) != node.shape:
        raise ValueError(
            f"backward: the gradient of {node.op} has shape {node.shape}, got one of shape {np.shape(grad)}"
        )
    i %= len(operands)
    upstream = gradient_symbol(node, names, grad, short=True)
    target = gradient_symbol(operands[i], names)
    symbol = partial(value_symbol, names=names, value=value)
    builder = Builder(symbol, ConstantNames(names, _taken(node, names)), names.tape)
    tree = _derivative(builder, node, i, upstream)
    notes = [f"{upstream.name} = {gradient_symbol(node, names).name}"] if upstream.of is None else []
    if isinstance(tree, Opaque):
        which = f" of the {ordinal(i + 1)} operand" if len(node.operands) > 1 else ""
        notes.append(f"a rule{which} of {counted(tree.operations, 'operation')}")
    return Formula(target, tree, tuple(notes), adds=True)


def _derivative(builder: Builder, node: Node, i: int, upstream: Symbol) -> Tree:
    """A derivative, tidied; only its name where it is too long to be read."""
    tree = tidied(builder.derivative(node, i, upstream))
    if builder.size <= _LONG // 16 or isinstance(tree, Opaque):
        return tree
    if len(Formula(upstream, tree).plain()) <= _LONG:
        return tree
    operations = sum(isinstance(part, Apply) for part in reached(tree, lambda part: tuple(parts_of(part)))[0])
    return builder.opaque(node, i, upstream, symbols(tree), operations)


def _operation(node: Node, what: str) -> None:
    if node.args is None:
        raise ValueError(f"{what}: {node!r} is a leaf, no operation made it")


def written(symbol: Symbol) -> str:
    """A name in MathML Core."""
    return f"{_MATH}{MATHML.symbol(symbol, 0).text}</math>"
