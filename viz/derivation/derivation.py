"""A whole derivation: which lines there are, and how they are shown."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

import numpy as np

from autograd import Node

from ..formula import gradient_symbol
from ..formula.tree import Symbol, Tree, symbols
from ..formula.writers import shape_text
from ..plain.numbers import listed
from ..tape.run import Run
from .breaking import WIDEST, Breaker, Written, symbol_text, tree_text, wrapped
from .display import aligned, latex_blocks, latex_rows, plain_text
from .factors import Factor, factor
from .lines import (
    PLUS,
    Kind,
    Line,
    array_text,
    called,
    chain_rows,
    equation,
    factors_rows,
    few_terms,
    left_out,
    numbers_line,
    partial,
    tree_line,
)
from .routes import MOST_PATHS, Routes
from .trees import close, contains, size

_LONG = 20
SLOT = Written("• is the product of the factors left of it", r"\bullet\text{ is the product of the factors left of it}")
STAR = Written(
    "wᵀ ⋆ δ is a sum over windows: its element [k, c, i, j] is Σ w[n, c, p, q, i, j] δ[n, k, p, q] over n, p and q",
    r"(w^\top \star \delta)_{kcij} = \sum_{n,p,q} w_{ncpqij}\, \delta_{nkpq}",
)


class Derivation:
    """How the gradient of a loss with respect to one value is derived, line by line.

    ``print`` shows plain text, a notebook LaTeX.

    Attributes
    ----------
    lines : tuple of Line
        Each can be computed, ``line.evaluate()``, and gives the gradient of its own ``line.target``.
    closed : str
        The right-hand side of the closed form, in rows and with the names of its line where it is long.
    notes : tuple of str
        What short names stand for, and what was used on the way.
    gradient : array
        The engine's.
    fell_back : bool
        Whether something simplified did not give the engine's numbers, by rounding (multiplied out, 1 − tanh²x cancels
        where it is nearly 0) or by an identity that does not hold, and stands as it was before.
    """

    def __init__(self, run: Run, node: Node, *, to: Literal["plain", "latex"] = "plain", numbers: bool = True):
        self._routes = Routes(run, node)
        self._routes.write_out()
        self._to = to
        self._numbers = numbers
        self._breaker = Breaker(self._routes.builder.name, self._routes.algebra.key)
        self.gradient = self._routes.gradients[node]
        self.target = self._target(node)
        self.lines: tuple[Line, ...] = tuple(self._made())
        self.fell_back = self._routes.fell_back

    # --- lines

    def _target(self, node: Node) -> Symbol:
        return gradient_symbol(node, self._routes.names, self._routes.gradients[node])

    def _short_target(self, node: Node) -> Symbol:
        name = self._routes.sent[node]
        return name if isinstance(name, Symbol) and node is not self._routes.node else self._target(node)

    def _made(self) -> Iterator[Line]:
        routes = self._routes
        few = routes.count <= MOST_PATHS
        if len(routes.stations) > 2:
            yield from self._chain() if few else self._chain_by_station()
            yield from self._factors() if few else self._factors_by_station()
        closed = self._closed_tree
        if few and len(routes.stations) > 2:
            yield from self._ordered()
        if closed is not None:
            yield self._line("closed", self.target, [closed], shapes=len(routes.stations) == 2)
        if len(self._layers) > 1 or (closed is None and few):
            yield from self._recursion()
        if self._numbers:
            trees = [self._last_tree] if closed is None else [closed, self._last_tree]
            yield numbers_line(self.target, trees, self.gradient)

    def _line(self, kind: Kind, target: Symbol, trees: list[Tree], *, shapes: bool = False) -> Line:
        return tree_line(kind, target, trees, self._breaker, shapes=shapes)

    def _chain(self) -> Iterator[Line]:
        routes, left = self._routes, symbol_text(self.target)
        paths = routes.paths()
        plain, latex = equation(left, [chain_rows(routes, path, WIDEST - left.width - 10) for path in paths])
        cancelled = dict.fromkeys(f"∂{called(routes, n).plain}" for path in paths for n in path[1:-1])
        remarks = [Written(f"{listed(list(cancelled))} {'cancel' if len(cancelled) > 1 else 'cancels'}", "")]
        yield Line("chain", self.target, lambda: routes.product(routes.node), plain, latex, remarks=remarks)

    def _chain_by_station(self) -> Iterator[Line]:
        """Too many ways to list them: station by station, each the sum over what it is used for."""
        routes = self._routes
        for node in self._backward():
            target, users = self._target(node), routes.users(node)
            if users == [routes.tape.root] and node is not routes.node:
                continue
            left = symbol_text(target)
            terms = [
                Written(f"{u.plain} · {p.plain}", rf"{u.latex} \cdot {p.latex}") if user is not routes.tape.root else p
                for user in users
                for u, p in [(partial(routes, routes.tape.root, user), partial(routes, user, node, edge=True))]
            ]
            shown = [(PLUS, term) for (term,) in few_terms([[term] for term in terms])]
            plain, latex = equation(left, [wrapped(shown, WIDEST - left.width - 10)])
            yield Line("chain", target, functools.partial(routes.product, node), plain, latex)

    def _backward(self) -> list[Node]:
        """The stations in the order of the backward pass, without the loss."""
        return [n for n in reversed(self._routes.stations) if n is not self._routes.tape.root]

    def _factors(self) -> Iterator[Line]:
        routes = self._routes
        ways = [[factor(routes, a, b) for a, b in itertools.pairwise(p)] for p in routes.paths()]
        each = list(dict.fromkeys((f.above, f.below) for way in ways for f in way))
        known = {(f.above, f.below): f for way in ways for f in way}
        left = symbol_text(self.target)
        room = WIDEST - left.width - 10
        plain, _ = factors_rows(routes, [known[pair] for pair in each], self._breaker, room)
        _, latex = equation(left, [factors_rows(routes, way, self._breaker, room)[1] for way in ways])
        trees = [f.tree for f in known.values()]
        remarks = [SLOT] if any("•" in row for row in plain) else []
        remarks += left_out(trees)
        remarks += [STAR] if any("ᵀ ⋆" in row for row in plain) else []
        new = self._breaker.new()
        yield Line("factors", self.target, lambda: _multiplied(ways), plain, latex, trees, "", remarks, new)

    def _factors_by_station(self) -> Iterator[Line]:
        """What each station is sent, written out, station by station."""
        for node in self._backward():
            yield self._line("factors", self._short_target(node), self._sent_to(node))

    def _sent_to(self, node: Node) -> list[Tree]:
        return [self._routes.part(user, node) for user in self._routes.users(node)]

    def _ordered(self) -> Iterator[Line]:
        routes = self._routes
        if len(routes.stations) <= _LONG:
            trees = [self._as_number(routes.along(path)) for path in routes.paths()]
            if sum(map(size, trees)) <= 2 * _LONG:
                yield self._line("ordered", self.target, trees, shapes=True)
                return
        for node in self._stops:
            yield self._line("ordered", self._short_target(node), self._between(node), shapes=True)

    def _between(self, node: Node) -> list[Tree]:
        """What reaches a stop from the stops before it, not simplified."""
        tree = self._routes.gradient(node, frozenset(self._stops) - {node}, simplify=False)
        assert tree is not None
        return [tree]

    @cached_property
    def _layers(self) -> list[Node]:
        """The pre-activations on the way, latest first: z⁽²⁾ and z⁽¹⁾, z₂ and z₁."""
        names = self._routes.names
        return [n for n in self._backward() if _is_layer(names.of(n)) and n is not self._routes.node]

    @cached_property
    def _stops(self) -> list[Node]:
        """Where a long derivation is cut: at the pre-activations, else at every station."""
        return [*self._layers, self._routes.node] if self._layers else self._backward()

    @cached_property
    def _closed_tree(self) -> Tree | None:
        """The gradient in closed form, None where that is too long to be read."""
        most = 4 * _LONG if len(self._stops) > 1 else None
        tree = self._routes.gradient(self._routes.node, most=most)
        if tree is None or (most is not None and size(tree) > _LONG):
            return None
        return self._as_number(self._checked(tree, self._routes.node))

    def _as_number(self, tree: Tree) -> Tree:
        """The number that a tree is everywhere; the tree, where it is none."""
        if self._routes.fell_back:
            return tree
        ones = self._routes.algebra.ones.get(tree.shape)
        number = self._routes.everywhere(tree) if ones is not None and contains(tree, ones) else None
        return tree if number is None else number

    @cached_property
    def _last_tree(self) -> Tree:
        return self._recursive(self._routes.node)

    def _recursive(self, node: Node) -> Tree:
        named = frozenset(self._stops) - {node}
        tree = self._routes.gradient(node, named)
        assert tree is not None
        return self._as_number(self._checked(tree, node, named))

    def _checked(self, tree: Tree, node: Node, named: frozenset[Node] = frozenset()) -> Tree:
        """A simplified tree, if its numbers are the engine's."""
        if close(tree, self._routes.gradients[node], self._routes.rounding):
            return tree
        self._routes.fell_back = True
        plain = self._routes.gradient(node, named, simplify=False)
        assert plain is not None
        return plain

    def _recursion(self) -> Iterator[Line]:
        for node in self._stops:
            yield self._line("recursion", self._short_target(node), [self._recursive(node)])

    # --- what is shown

    @property
    def closed(self) -> str:
        room = WIDEST - symbol_text(self.target).width - 3
        return "\n".join(row.plain for row in self._breaker.rows(self._closed_tree or self._last_tree, room)[1])

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note.plain for note in self._notes)

    def _delta(self) -> Written:
        loss = called(self._routes, self._routes.tape.root)
        latex = rf"\delta^{{(l)}} = \frac{{\partial {loss.latex}}}{{\partial z^{{(l)}}}}"
        return Written(f"δ⁽ˡ⁾ = ∂{loss.plain}/∂z⁽ˡ⁾", latex)

    def _explained(self, symbol: Symbol, tree: Tree) -> list[Written]:
        """A name and what it stands for; the names that this needed are explained after it."""
        name = symbol_text(symbol)
        whole = self._breaker.whole(self._breaker.with_names(tree), WIDEST - name.width - 8)
        return [_equation(name, tree_text(whole)), *(note for d in self._breaker.new() for note in d.notes())]

    @cached_property
    def _notes(self) -> list[Written]:
        routes, used = self._routes, {id(s) for line in self.lines for s in line.symbols}
        used |= {id(s) for p, tree in routes.shares if id(p) in used for s in symbols(tree)}
        letters = [(routes.sent[node], self._target(node)) for node in self._backward()]
        notes = [
            _equation(symbol_text(name), symbol_text(target))
            for name, target in letters
            if isinstance(name, Symbol) and name.of is None and id(name) in used
        ]
        notes = notes if len(notes) < 2 else [self._delta()]
        for node in routes.stations:
            unnamed = not routes.names.has(node) and not node.is_leaf and node is not routes.tape.root
            if unnamed and id(routes.builder.symbol(node)) in used:
                notes += self._explained(routes.builder.symbol(node), routes.meaning(node))
        for p, tree in routes.shares:
            notes += self._explained(p, tree) if id(p) in used else []
        n = routes.length
        if n is not None and id(n) in used:
            notes.append(_equation(symbol_text(n), Written(*[str(int(n.array))] * 2)))
        for y in routes.algebra.one_hot.values():
            if id(y) in used:
                rows = " of each row" if y.ndim > 1 else ""
                notes.append(_after(symbol_text(y), f" is 1 at the picked element{rows}, else 0"))
        for unit in routes.algebra.units.values():
            if id(unit) in used:
                notes.append(_after(symbol_text(unit), " is the identity matrix"))
        for ones in routes.algebra.ones.values():
            if id(ones) in used and ones.ndim:
                what = {1: "vector", 2: "matrix"}.get(ones.ndim, "array")
                notes.append(_after(symbol_text(ones), f" is the {what} of ones, {shape_text(ones.shape)}"))
        notes += [_equation(symbol_text(i), array_text(i.array)) for i in routes.builder.indices if id(i) in used]
        if any("scatter(" in line.plain() for line in self.lines):
            notes.append(_text("scatter(v at [i]) is 0 but at the places i, to which v is added"))
        notes += [_text(text) for text in routes.algebra.remarks]
        if not np.isfinite(self.gradient).all() and np.isfinite(self.lines[-1].evaluate()).all():
            text = "step by step this is NaN or Inf here, by a division by 0 that the closed form does not have"
            notes.append(_text(text))
        return notes

    def plain(self) -> str:
        """The derivation as Unicode text, in lines of at most 100 columns."""
        name = self._routes.names.of(self._routes.node)
        where = f"{symbol_text(self.target).plain}, where {name} has shape {shape_text(self._routes.node.shape)}"
        return plain_text(where, self.lines, self._notes)

    def latex(self) -> str:
        """The derivation in LaTeX's math mode: one ``aligned`` of all lines."""
        return aligned([row for rows in latex_rows(self.lines, self._notes) for row in rows])

    def __str__(self) -> str:
        return self.latex() if self._to == "latex" else self.plain()

    def __repr__(self) -> str:
        first, *more = self.closed.split("\n")
        return f"<Derivation {symbol_text(self.target).plain} = {first}{' …' if more else ''}>"

    def _repr_latex_(self) -> str:
        blocks = self._blocks
        return f"$\\displaystyle {blocks[0]}$" if len(blocks) == 1 else "\n\n".join(f"$${block}$$" for block in blocks)

    @property
    def _blocks(self) -> list[str]:
        """What a notebook shows: no more lines than can be read, in parts that MathJax can hold."""
        return latex_blocks(latex_rows(self.lines, self._notes, few=True))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/latex": self._repr_latex_(), "text/plain": self.plain()}
        blocks = self._blocks
        if len(blocks) > 1:  # parts one below the other, all at the left: what LaTeX alone can't say in a notebook
            bundle["text/markdown"] = "\n\n".join(f"$\\displaystyle {' '.join(b.split(chr(10)))}$" for b in blocks)
        return bundle


def _is_layer(name: str) -> bool:
    return name[:1] == "z" and not any(c.isalpha() for c in name[1:])


def _multiplied(ways: list[list[Factor]]) -> Any:
    total: Any = 0
    for way in ways:
        g: Any = None
        for f in way:
            g = f.times(g)
        total = total + g
    return total


def _equation(left: Written, right: Written) -> Written:
    return Written(f"{left.plain} = {right.plain}", f"{left.latex} = {right.latex}")


def _text(text: str) -> Written:
    return Written(text, rf"\text{{{text}}}")


def _after(name: Written, text: str) -> Written:
    return Written(name.plain + text, rf"{name.latex}\text{{{text}}}")
