"""The lines of a derivation, each written as plain text and as LaTeX, and each computed from what is written."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial as bound
from typing import Any, Literal

import numpy as np

from autograd import Node
from autograd.rules import windows

from ..formula import gradient_symbol
from ..formula.notation import MOST_TERMS, printer
from ..formula.terms import total
from ..formula.tree import Apply, Symbol, Tree, each, evaluate, is_call, negated, symbols
from ..formula.writers import LATEX, MATHML, PLAIN, shape_text
from ..plain.numbers import FEW, columns, norm, padded
from .breaking import (
    WIDEST,
    Breaker,
    Definition,
    Written,
    printed,
    symbol_text,
    too_long,
    tree_text,
    wrapped,
)
from .factors import Factor
from .routes import Routes
from .trees import contains

Kind = Literal["chain", "factors", "ordered", "closed", "recursion", "numbers"]
TITLES: dict[Kind, str] = {
    "chain": "The chain rule",
    "factors": "Its factors",
    "ordered": "In the order in which the shapes agree",
    "closed": "Closed form",
    "recursion": "From layer to layer",
    "numbers": "In numbers",
}


class Line:
    """One line of a derivation: the gradient of a value, written in one way.

    Attributes
    ----------
    kind : {"chain", "factors", "ordered", "closed", "recursion", "numbers"}
    target : Symbol
        The gradient that stands left.
    shapes : str
        The line with shapes in the place of names; empty where that says nothing.
    remarks : tuple of Written
        What belongs under it, as plain text and as LaTeX.
    definitions : tuple of Definition
        What the names stand for that were given to parts of it, or of the lines before, that were too wide.
    """

    def __init__(
        self,
        kind: Kind,
        target: Symbol,
        compute: Callable[[], Any],
        plain: Sequence[str],
        latex: Sequence[str],
        trees: Sequence[Tree] = (),
        shapes: str = "",
        remarks: Sequence[Written] = (),
        definitions: Sequence[Definition] = (),
    ):
        self.kind: Kind = kind
        self.target = target
        self.shapes = shapes
        self.remarks = tuple(remarks)
        self.definitions = tuple(definitions)
        self.symbols = tuple(dict.fromkeys(s for tree in trees for s in symbols(tree)))
        self._compute = compute
        self._plain = tuple(plain)
        self._latex = tuple(latex)

    def evaluate(self) -> Any:
        """The array that the line gives, of the shape and dtype of the gradient."""
        with np.errstate(all="ignore"):
            value = np.asarray(self._compute())
        return np.broadcast_to(value, self.target.shape).astype(self.target.dtype)

    def plain(self) -> str:
        """The line as Unicode text; one row for each summand of a sum of several."""
        return "\n".join(self._plain)

    def latex(self) -> str:
        """The line in LaTeX's math mode."""
        if len(self._latex) == 1:
            return self._latex[0].replace("&", "", 1)
        return r"\begin{aligned} " + r" \\ ".join(self._latex) + r" \end{aligned}"

    def rows(self, *, left: bool = True) -> list[str]:
        """The rows in LaTeX, with & before the sign they are aligned at; the first one's left side may be left out."""
        first, *others = self._latex
        return [first if left else first[first.index("&") :], *others]

    def __repr__(self) -> str:
        return f"<Line {self.kind}: {self._plain[0]}>"


_SHORT = 30
_MOST_PARTIALS = 24
_MOST_TERMS = 24
TIMES = Written("·", r"\cdot")
PLUS = Written("+", "+")
STARS = (windows.window_product.fn, windows.window_product_weight.fn, windows.window_product_windows.fn)
ARROW = r"\to "


def called(routes: Routes, node: Node) -> Written:
    """The name of a value or of the loss."""
    loss, name = gradient_symbol(node, routes.names).of or ("", "")
    return Written(*(writer.name(loss if node is routes.tape.root else name).text for writer in (PLAIN, LATEX, MATHML)))


def partial(
    routes: Routes, above: Node, below: Node, *, edge: bool = False, cancel: tuple[bool, bool] = (False, False)
) -> Written:
    """∂a/∂z; in LaTeX what cancels is struck out. An `edge` from the loss to what it also gets by way of others is
    that of one term of the loss."""
    if edge and above is routes.tape.root and len(routes.users(below)) > 1:
        return _directly(routes, below)
    names = [called(routes, node) for node in (above, below)]
    texts, marks = [f"∂{name.plain}" for name in names], [rf"\partial {name.latex}" for name in names]
    marks = [rf"\cancel{{{mark}}}" if struck else mark for mark, struck in zip(marks, cancel, strict=True)]
    stacked = MATHML.stacked(*(MATHML.row(MATHML.sign("∂"), name.mathml) for name in names))
    return Written("/".join(texts), LATEX.stacked(*marks), stacked)


def _directly(routes: Routes, below: Node) -> Written:
    """∂(0.1 Σ w²)/∂w: the term of the loss in which a value stands, or what it sends directly."""
    symbol, root = routes.builder.symbol(below), routes.tape.root
    terms = [t for t in _summands(routes.meaning(root)) if contains(t, symbol)]
    name = called(routes, below)
    others = {id(routes.builder.symbol(n)) for n in routes.stations if n is not below}
    if len(terms) == 1 and not others & {id(s) for s in symbols(terms[0])}:
        text = tree_text(terms[0])
        if len(text.plain) <= _SHORT and "%" not in text.plain:
            below_it = rf"\partial {name.latex}"
            above_it = rf"\partial \left( {text.latex} \right)"
            inside = MATHML.fence("(", printed(terms[0], MATHML), ")")
            over, under = (MATHML.row(MATHML.sign("∂"), text) for text in (inside, name.mathml))
            return Written(
                f"∂({text.plain})/∂{name.plain}", LATEX.stacked(above_it, below_it), MATHML.stacked(over, under)
            )
    whole = partial(routes, root, below)
    aside = MATHML.lowered(whole.mathml, "directly")
    return Written(f"({whole.plain} directly)", rf"\left. {whole.latex} \right|_{{\text{{directly}}}}", aside)


def _summands(tree: Tree) -> list[Tree]:
    """The terms of a sum, their signs with them."""
    if not is_call(tree, np.add, np.subtract):
        return [tree]
    first, second = map(_summands, tree.args)
    return first + (list(map(negated, second)) if is_call(tree, np.subtract) else second)


def chain_rows(routes: Routes, path: Sequence[Node], room: int) -> list[Written]:
    """∂L/∂a · ∂a/∂z · ∂z/∂W; the middle of a very long product is left out."""
    last = len(path) - 2
    parts = [
        partial(routes, a, b, edge=True, cancel=(i > 0, i < last)) for i, (a, b) in enumerate(itertools.pairwise(path))
    ]
    if len(parts) > _MOST_PARTIALS:
        parts = [*parts[: _MOST_PARTIALS // 2], Written("⋯", r"\cdots"), *parts[-_MOST_PARTIALS // 2 + 1 :]]
    return wrapped([(TIMES, part) for part in parts], room)


def equation(left: Written, terms: Sequence[Sequence[Written]]) -> tuple[list[str], list[str]]:
    """An equation in plain text and LaTeX: each term starts a row, and may go on in others."""
    blank = " " * left.width
    plain, latex = [], []
    for k, (first, *more) in enumerate(terms):
        plain.append(f"{blank} + {first.plain}" if k else f"{left.plain} = {first.plain}")
        latex.append(rf"&\quad + {first.latex}" if k else rf"{left.latex} &= {first.latex}")
        plain += [f"{blank}     {row.plain}" for row in more]
        latex += [rf"&\qquad {row.latex}" for row in more]
    return plain, latex


def few_terms(terms: list[list[Written]]) -> list[list[Written]]:
    """The terms of a sum; of very many the first and the last, and how many there are between."""
    if len(terms) <= _MOST_TERMS:
        return terms
    more = f"… {len(terms) - 6} more terms …"
    return [*terms[:3], [Written(more, rf"\text{{{more}}}")], *terms[-3:]]


def left_out(trees: Sequence[Tree]) -> list[Written]:
    """How many terms the … of a long sum stands for."""
    for part in each(*trees):
        if is_call(part, total) and len(part.args) > MOST_TERMS:
            more = f"… stands for {len(part.args) - 3} more terms"
            return [Written(more, rf"\text{{{more}}}")]
    return []


def factors_rows(
    routes: Routes, factors: Sequence[Factor], breaker: Breaker, room: int
) -> tuple[list[str], list[Written]]:
    """The factors one under the other in plain text, and with braces under them in LaTeX."""
    rows, braces = [], []
    names = [partial(routes, f.above, f.below, edge=True) for f in factors]
    beside = max(name.width for name in names) + max(columns(f.shape) for f in factors) + 6
    for f, name in zip(factors, names, strict=True):
        value = tree_text(breaker.whole(f.tree, WIDEST - beside))
        rows.append((name.plain, f"= {value.plain}", f.shape))
        under = rf"\begin{{array}}{{c}} {value.latex} \\ {shape_latex(f.shape)} \end{{array}}"
        wide = max(name.plain, value.plain, f.shape, key=columns)
        braces.append((TIMES, Written(wide, rf"\underbrace{{{name.latex}}}_{{{under}}}")))
    return _table(rows), wrapped(braces, room)


def shape_latex(text: str) -> str:
    """A shape, or two with an arrow, small and upright."""
    return rf"{{\scriptstyle {text.replace('→', ARROW)}}}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(columns(row[c]) for row in rows) for c in range(len(rows[0]))]
    return ["  ".join(padded(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def tree_line(kind: Kind, target: Symbol, trees: Sequence[Tree], breaker: Breaker, *, shapes: bool = False) -> Line:
    """A line that says what a tree does, or a sum of several."""
    left = symbol_text(target)
    room = WIDEST - left.width - 3
    broken = [breaker.rows(tree, room) for tree in trees]
    plain, latex = equation(left, few_terms([rows for _, rows in broken]))
    sized = ""
    if shapes and any(t.shape for t in symbols(trees[0])):
        texts_of = [shape_of(t) for t in trees[:_MOST_TERMS]] + ["…"] * (len(trees) > _MOST_TERMS)
        if any(any(c in text for c in "·⊙⋆") for text in texts_of):
            sized = f"{shape_text(target.shape)} = {' + '.join(texts_of)}"
            sized = sized if columns(sized) <= WIDEST - 12 else ""
    return Line(
        kind, target, lambda: sum(evaluate(t) for t, _ in broken), plain, latex, trees, sized, left_out(trees),
        breaker.new(),
    )  # fmt: skip


def numbers_line(target: Symbol, trees: Sequence[Tree], value: Any) -> Line:
    """The first line of some that is short with numbers in the place of names, and what it gives."""
    left, given = symbol_text(target), array_text(value)
    for tree in trees:
        if too_long(tree):
            continue
        text = tree_text(tree, "numbers")
        if text.width <= WIDEST - left.width - 6 and "▦" not in text.plain and text.plain != given.plain:
            plain = [f"{left.plain} = {text.plain}", *_equal(" " * left.width, given)]
            latex = [rf"{left.latex} &= {text.latex}", rf"&= {given.latex}"]
            return Line("numbers", target, bound(evaluate, tree), plain, latex, [tree], remarks=left_out([tree]))
    plain, latex = _equal(left.plain, given), [rf"{left.latex} &= {given.latex}"]
    return Line("numbers", target, bound(evaluate, trees[0]), plain, latex, trees[:1])


def _equal(left: str, given: Written) -> list[str]:
    """The numbers of an array after their name; the rows of a wide matrix below each other."""
    blank = " " * columns(left)
    if len(left) + given.width + 6 <= WIDEST:
        return [f"{left} = {given.plain}"]
    first, *more = given.plain.split("; ")
    return [f"{left} = {first}", *(f"{blank}    {row}" for row in more)]


def array_text(array: Any) -> Written:
    """The numbers of an array; of a large one its shape and norm."""
    array = np.asarray(array)
    if array.size > FEW and array.ndim == 2 and array.size <= 3 * FEW:
        rows = [[_numerals(v) for v in row] for row in array]
        if max(columns(" ".join(v.plain for v in row)) for row in rows) <= WIDEST - 20:
            return Written(
                PLAIN.matrix([[v.plain for v in row] for row in rows]),
                LATEX.matrix([[v.latex for v in row] for row in rows]),
            )
    text = _numerals(array)
    if array.size <= FEW or "▦" not in text.plain:
        return text
    size = norm(array).replace("-", "−")
    return Written(f"{text.plain}, ‖·‖ = {size}", rf"{text.latex},\quad \|{{\cdot}}\| = {size}")


def _numerals(array: Any) -> Written:
    symbol = Symbol("gradient", "g", array)
    return Written(*(printer(writer, "numbers").symbol(symbol).text for writer in (PLAIN, LATEX)))


def shape_of(tree: Tree) -> str:
    """The product that a tree is, its factors as shapes; what works element by element has one."""
    return _shaped(tree)[0]


def _shaped(tree: Tree) -> tuple[str, str]:
    """The shapes, and the sign between them."""
    if not isinstance(tree, Apply):
        return shape_text(tree.shape), ""
    if is_call(tree, np.negative):
        return _shaped(tree.args[0])
    if is_call(tree, np.multiply) or (is_call(tree, np.divide) and _has_product(tree)):
        parts = [_shaped(a) for a in tree.args if a.shape]
        if len(parts) < 2:
            return parts[0] if parts else ("()", "")
        return " ⊙ ".join(f"({text})" if sign in ("·", "⋆", "+") else text for text, sign in parts), "⊙"
    if is_call(tree, np.matmul, np.outer, *STARS):
        sign = "⋆" if is_call(tree, *STARS) else "·"
        texts = [f"({text})" if inner else text for text, inner in map(_shaped, tree.args)]
        if is_call(tree, np.outer):
            left, right = tree.args
            column = texts[0] if texts[0].startswith("((") else shape_text((*left.shape, 1))
            texts = [column, shape_text((1, *right.shape))]
        elif is_call(tree, windows.window_product_weight.fn):
            texts.reverse()
        return f" {sign} ".join(texts), sign
    if is_call(tree, np.add, np.subtract):
        parts = [_shaped(a) for a in tree.args if a.shape]
        if any(sign for _, sign in parts):
            return " + ".join(text for text, _ in parts), "+"
    return shape_text(tree.shape), ""


def _has_product(tree: Tree) -> bool:
    return any(is_call(part, np.matmul, np.outer, *STARS) for part in each(tree))
