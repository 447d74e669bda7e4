"""What the places of a derivation are called: by their textbook names, by the variable of the program, by its line."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.written import written

from ..formula import Formula, Symbol, backward
from ..formula.tree import Tree, is_call, rebuilt, substituted, transposed
from ..plain.numbers import clean, ordinal
from ..tape.names import Names

__all__ = ["Words"]

_LONGEST = 48
_SHORT = 32
_WHOLE = 2000


class Words:
    """The names on a tape, for a person who reads a sentence and has no picture beside it.

    A record with neither a name nor a variable is called by its expression; else as `names` says.
    """

    def __init__(self, tape: Tape, names: Names | None = None):
        self.tape = tape
        self._fallback = names or Names(tape)
        named = {node: self._fallback.of(node) for node in tape if self._fallback.has(node)}
        self.loss = "loss" if self._fallback.loss.startswith("%") else self._fallback.loss
        self._names = {**named, tape.root: self.loss}
        self._inside = _inside(tape, self._fallback)
        self._lines: dict[str, None] = {}
        self._said: dict[Node, str] = {}
        self._line_of: dict[Node, str] = {}
        self.routes: dict[Node, Any] = {}
        """The ways to records that were written out."""
        self._operands: dict[tuple[Node, int], str] = {}
        self._calls = {node: self._called(node) for node in tape if node not in self._names and not node.is_leaf}
        self._alike = Counter(self._calls.values())
        places = [self.place(node) for node in tape]
        self._often = Counter(places)
        ordinals: Counter[Any] = Counter()
        self._ordinals: dict[Node, int] = {}
        for node, place in zip(tape, places, strict=True):
            ordinals[place] += 1
            self._ordinals[node] = ordinals[place]

    def has(self, node: Node) -> bool:
        """Whether a record has a name or a variable."""
        return node in self._names

    def of(self, node: Node, limit: int = _LONGEST) -> str:
        """``z⁽¹⁾``; of a record without a name or a variable ``(x @ W1)``, or by its operation,
        ``log_softmax(z)``, ``matmul (%7)``.
        """
        name = self._names.get(node)
        if name is None:
            text = _compact(self._fallback.as_written(node))
            if 0 < len(text) <= _SHORT and node not in self._inside:
                often = self._often[self.place(node)]
                which = f", {ordinal(self._ordinals[node])} time" if often > 1 else ""
                name = f"({text}{which})"
            else:
                call = self._calls.get(node, "")
                name = call if self._alike[call] == 1 else f"{call} ({self._fallback.of(node)})".lstrip()
        return clean(name, limit)

    def constant(self, array: Any) -> str | None:
        """The name of an array that is no record."""
        return self._fallback.constant(array)

    def is_constant(self, name: str) -> bool:
        """Whether such an array is called so."""
        return self._fallback.is_constant(name)

    def _called(self, node: Node) -> str:
        """``log_softmax(z)`` of one operand that has a name, else ``(np.log(…))`` of a call, else ``matmul``."""
        only = node.parents[0] if len(node.operands) == 1 and len(node.parents) == 1 else None
        if only in self._names:
            return f"{node.op}({self._names[only]})"
        head, call, _ = self._fallback.as_written(node).partition("(")
        is_call = call and head.replace(".", "").isidentifier() and head.rpartition(".")[2] == node.op
        return f"({head}(…))" if is_call else node.op

    @cached_property
    def _on_line(self) -> dict[Any, dict[Any, None]]:
        """The places of an expression that stands several times on a line."""
        found: dict[Any, dict[Any, None]] = defaultdict(dict)
        for node in sorted(self.tape, key=lambda n: n.lasti):
            found[self._line_key(node)][self.place(node)] = None
        return found

    def _line_key(self, node: Node) -> Any:
        return node.code, node.source and node.source.line, self._fallback.as_written(node), node.op

    def place(self, node: Node) -> Any:
        """Where in the program a record was made: of a loop the same at each step."""
        return node.code, node.lasti, node.op

    def steps(self, node: Node) -> int:
        """How many records were made there."""
        return self._often[self.place(node)]

    def ordinal(self, node: Node) -> int:
        """Which of them it is, counted from 1."""
        return self._ordinals[node]

    def say(self, node: Node) -> str:
        """The same in a sentence: with the expression, and which time it was computed."""
        if node not in self._said:
            self._said[node] = self._say(node)
        return self._said[node]

    def _say(self, node: Node) -> str:
        text = clean(self._fallback.as_written(node), _WHOLE)
        if node in self._names or not text:
            return self.of(node)
        often, beside = self._often[self.place(node)], list(self._on_line[self._line_key(node)])
        which = f" (the {ordinal(self._ordinals[node])} time of {often})" if often > 1 else ""
        if len(beside) > 1:
            which = f" (the {ordinal(1 + beside.index(self.place(node)))} of {len(beside)} on the line){which}"
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
        return f"`{text}`{which}"

    def operand(self, node: Node, k: int) -> str:
        """An operand of an operation: a record, or a constant as the program wrote it."""
        other = node.operands[k]
        if isinstance(other, Node):
            return self.say(other)
        if (node, k) not in self._operands:
            self._operands[node, k] = _written_operand(node, k) or f"the constant of shape {np.shape(other)}"
        return self._operands[node, k]

    def gradient(self, node: Node) -> str:
        """``∂L/∂z⁽¹⁾``."""
        name = self.say(node)
        return f"∂{self.loss}/∂{name}" if name[0] != "`" else f"∂{self.loss}/∂({name[1:].replace('`', '', 1)})"

    def made(self, node: Node) -> str:
        """``a⁽¹⁾ = sigmoid(z⁽¹⁾)``: what a record is, with the line of the program."""
        said = self.say(node)
        if node in self._calls and said.startswith(self._calls[node]):
            said = f"the {said}"
        return said + ("" if node.is_leaf else self.line(node))

    def line(self, node: Node) -> str:
        """`` (mlp.py:12)``, or empty; the line itself is printed below the sentence."""
        if node not in self._line_of:
            self._line_of[node] = self._line(node)
        return self._line_of[node]

    def _line(self, node: Node) -> str:
        if node.source is None:
            return ""
        layer = f", in layer {clean(node.scope.path)}" if node.scope.path else ""
        line = f" ({node.source}{layer})"
        self._lines[line] = None
        return line

    def each_line_once(self, sentence: str) -> str:
        """A sentence in which a line that was just named is not named again."""
        if not self._lines:
            return sentence
        parts = re.split(f"({'|'.join(map(re.escape, sorted(self._lines, key=len, reverse=True)))})", sentence)
        last = ""
        for k in range(1, len(parts), 2):
            parts[k], last = "" if parts[k] == last else parts[k], parts[k]
        return "".join(parts)

    def rule(self, node: Node, i: int, grad: Any, *, adds: bool) -> str:
        """``∂L/∂z⁽¹⁾ = ∂L/∂a⁽¹⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)``: what the rule of a record sends to one operand."""
        return self.equation(self.backward(node, i, grad), adds=adds)

    def backward(self, node: Node, i: int, grad: Any) -> Formula:
        """What the rule of a record sends to one operand, constants by what the program calls them."""
        formula = backward(node, i, grad, self, self.tape.value)
        taken = {symbol.name for symbol in formula.symbols}
        by: dict[int, Tree] = {}
        for symbol in formula.symbols:
            for k, operand in enumerate(node.operands):
                if symbol.kind == "constant" and operand is symbol.array and np.ndim(operand):
                    name = _written_operand(node, k)
                    if name.endswith(".T") and operand.ndim == 2 and name[:-2] not in taken:
                        by[id(symbol)] = transposed(Symbol("constant", name[:-2], operand.T))
                    elif name and name not in taken:
                        by[id(symbol)] = Symbol("constant", name, operand)
        if not by:
            return formula
        return Formula(
            formula.target, rebuilt(substituted(formula.tree, by), _transposed_once), formula.notes, adds=True
        )

    def equation(self, formula: Formula, *, adds: bool) -> str:
        """A formula, with what the short names in it stand for."""
        notes = f"   ({', '.join(formula.notes)})" if formula.notes else ""
        return f"{formula.target.name} {'+=' if adds else '='} {formula.plain()}{notes}"


def _transposed_once(part: Tree) -> Tree:
    """X for (X.T)ᵀ."""
    return transposed(part.args[0]) if is_call(part, np.transpose) and not part.options else part


def _compact(expression: str) -> str:
    """An expression without the spaces in its indices: ``x[i:i+3, j]``."""
    return re.sub(r"\[[^][]*\]", lambda index: index[0].replace(" ", "").replace(",", ", "), expression)


def _inside(tape: Tape, names: Names) -> set[Node]:
    """What a called function made on the way to its result."""
    return {
        operand
        for node in tape
        for operand in node.parents
        if operand.code is node.code and operand.lasti == node.lasti and operand.op != node.op and node.code is not None
        and names.as_written(operand) == names.as_written(node)
    }  # fmt: skip


def _written_operand(node: Node, k: int) -> str:
    """What the program wrote for operand `k` of an operation, where that can be told and is short; or empty."""
    part = written(node, k)
    if not isinstance(part, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.UnaryOp | ast.Call):
        return ""
    text = ast.unparse(part)
    text = f"({text})" if isinstance(part, ast.BinOp | ast.UnaryOp) else text
    return text if len(text) <= _SHORT else ""
