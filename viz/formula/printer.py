"""The one printer: it walks a formula's tree and hands the marks to a writer, with brackets only where needed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from ..plain.numbers import FEW, number, signed
from .products import simple_fraction
from .tree import Apply, Number, Symbol, Tree, apply, is_call, reached
from .tree import parts as parts_of
from .writers import ATOM, CHOICE, COMPARISON, POWER, PRODUCT, SUM, Piece, Writer, shape_text, times_text

What = Literal["symbols", "numbers", "shapes"]
_KNOWN = (
    (math.pi, ("π",)), (math.e, ("e",)), (math.log(2), ("log", "2")), (math.log(10), ("log", "10")),
    (math.pi / 180, ("π", "/", "180")), (180 / math.pi, ("180", "/", "π")),
)  # fmt: skip
_MOST = 4
_MATRIX_PRODUCTS = (np.matmul, np.dot, np.inner)
_NUMBERED = re.compile(r"d?[^\W\d_]\d{1,2}")


class Printer:
    """Prints one tree.

    Parameters
    ----------
    notation : callable
        How a function is written: ``notation(fn)`` gives what is called with the printer, the tree, and whether the
        tree is the whole formula.
    writer : Writer
        Plain text, LaTeX or MathML.
    what : {"symbols", "numbers", "shapes"}
        What stands in the place of a symbol.
    places : dict
        The place of each symbol, by ``id``, in ``Formula.symbols``.
    """

    def __init__(self, notation: Callable[[Any], Notation], writer: Writer, what: What, places: dict[int, int]) -> None:
        self.notation = notation
        self.writer = writer
        self.what = what
        self.places = places
        self.depth = 0
        self.above: list[Apply] = []
        self.upright = False
        self._alone: tuple[Tree, bool] | None = None

    # --- parts

    def tree(self, tree: Tree, *, top: bool = False) -> Piece:
        """A part by itself, conditions without brackets."""
        if isinstance(tree, Symbol):
            return self.symbol(tree)
        if isinstance(tree, Number):
            return self.number(tree.value)
        self.above.append(tree)
        try:
            return self.notation(tree.rule.fn)(self, tree, top)
        finally:
            self.above.pop()

    def arithmetic(self, tree: Tree) -> Piece:
        """A part that is computed with: a condition is 1 or 0 there, in the brackets of Iverson."""
        piece = self.tree(tree)
        if isinstance(tree, Apply) and tree.dtype == bool and piece.level <= COMPARISON:
            return Piece(self.writer.fence("[", piece.text, "]"))
        return piece

    def symbol(self, symbol: Symbol, shape: Any = None) -> Piece:
        """What stands for a symbol; its numbers in another `shape`, of as many elements."""
        k, writer = self.places.get(id(symbol), 0), self.writer
        if self.what == "symbols":
            return writer.symbol(symbol, k, stacked=not self.depth)
        if self.what == "shapes":
            return Piece(writer.marked(writer.user_text(shape_text(symbol.shape)), k), ATOM, "shape")
        if shape is None:
            shape = (-1, 1) if self.upright and symbol.ndim == 1 and symbol.size <= FEW else symbol.shape
        array = np.asarray(symbol.array).reshape(shape)
        if array.ndim == 0:
            piece = self.number(array, measured=True)
            return piece._replace(text=writer.marked(piece.text, k))
        flat = array.reshape([n for n in array.shape if n != 1] or [1]) if array.ndim > 2 else array
        if array.size > FEW or flat.ndim > 2 or not array.size:
            text = writer.row(writer.sign("▦"), writer.sign(" "), writer.user_text(times_text(array.shape)))
            return Piece(writer.marked(text, k), POWER, "map")
        rows = list(flat.reshape(1, -1) if flat.ndim == 1 else flat)
        text = writer.matrix([[self.number(v, measured=True).text for v in row] for row in rows])
        return Piece(writer.marked(text, k))

    def shape(self, shape: Any) -> Piece:
        return Piece(self.writer.user_text(shape_text(shape)), ATOM, "shape")

    def vector(self, tree: Tree) -> Piece:
        """A factor on the right of a matrix: the numbers of vectors stand below each other."""
        before, self.upright = self.upright, tree.ndim == 1
        try:
            return self.arithmetic(tree)
        finally:
            self.upright = before

    def number(self, value: Any, *, measured: bool = False) -> Piece:
        """A number; as π, log(2) or 1/12 where it is one of them, unless it was `measured`, an array's."""
        writer = self.writer
        if isinstance(value, str | None) or np.ndim(value):
            return Piece(writer.user_text(str(value)))
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, int) and not measured and 10**15 <= abs(value) < 10**300:
            value = float(value)
        text = number(value)
        if isinstance(value, complex):
            alone = not value.real and value.imag > 0
            return Piece(writer.number(signed(text), ""), ATOM if alone else SUM, "number")
        if isinstance(value, float) and math.isfinite(value) and len(repr(value)) > 6 and not measured:
            for known, signs in _KNOWN:
                if abs(value - known) <= 1e-15 * abs(known):
                    parts = [writer.number(s, "") if s.isdigit() else writer.sign(s) for s in signs]
                    if signs[0] == "log":
                        return Piece(writer.applied(writer.word("log"), parts[1]), ATOM, "number")
                    return Piece(writer.row(*parts), {1: ATOM, 3: PRODUCT}[len(signs)], "number")
            root = self._square_root(value)
            if root is not None:
                return root
            fraction = simple_fraction(value)
            if fraction is not None:
                above, below = (writer.number(str(n), "") for n in (abs(fraction.numerator), fraction.denominator))
                linear = self.depth or not writer.stacks
                text = writer.row(above, writer.sign("/"), below) if linear else writer.stacked(above, below)
                piece = Piece(text, PRODUCT, "number")
                return self._negated(piece) if value < 0 else piece
        negative = text.startswith("-")
        text = text.lstrip("-")
        mantissa, _, exponent = text.partition("e")
        if not mantissa[0].isdigit():
            piece = Piece(writer.sign("∞") if mantissa == "Inf" else writer.word(text), ATOM, "number")
        else:
            exponent = str(int(exponent)).replace("-", "−") if exponent else ""
            piece = Piece(writer.number(mantissa, exponent), PRODUCT if exponent else ATOM, "number")
        return self._negated(piece) if negative else piece

    def _square_root(self, value: float) -> Piece | None:
        """√2 and 1/√2 of a number that is such."""
        writer, above = self.writer, abs(value) > 1
        square = value * value if above else 1 / (value * value) if value else 0.0
        n = round(square) if math.isfinite(square) else 0
        exact = math.sqrt(n) if above else 1 / math.sqrt(n) if n else 0.0
        if not 2 <= n < 100 or math.isqrt(n) ** 2 == n or abs(abs(value) - exact) > 2e-16 * exact:
            return None
        root = writer.root(writer.number(str(n), ""))
        piece = Piece(root, SUM + 2, "root")
        if not above:
            one = writer.number("1", "")
            linear = self.depth or not writer.stacks
            text = writer.row(one, writer.sign("/"), root) if linear else writer.stacked(one, root)
            piece = Piece(text, PRODUCT, "product" if linear else "fraction")
        return self._negated(piece) if value < 0 else piece

    def _negated(self, piece: Piece) -> Piece:
        return Piece(self.writer.row(self.writer.sign("−").strip(), piece.text), SUM, "signed")

    # --- brackets

    def bracketed(self, piece: Piece, level: int, *, unless: bool = False) -> str:
        """The text, in brackets where it holds together less than `level`."""
        return piece.text if piece.level >= level or unless else self.writer.fence("(", piece.text, ")")

    def base(self, tree: Tree) -> str:
        """What a mark follows: ᵀ, or an index."""
        piece = self.arithmetic(tree)
        return self.bracketed(piece, POWER if piece.kind != "map" else ATOM)

    def inside(self, tree: Tree) -> Piece:
        """A part of a fraction, an exponent or an index: fractions in it do not stand on top of each other."""
        self.depth += 1
        try:
            return self.arithmetic(tree)
        finally:
            self.depth -= 1

    # --- operations

    def add(self, a: Tree, b: Tree, sign: str) -> Piece:
        left, right = self.arithmetic(a), self.arithmetic(b)
        least = SUM + 1 if sign == "−" or right.kind == "signed" else SUM
        return Piece(
            self.writer.row(self.bracketed(left, SUM), self.writer.sign(sign), self.bracketed(right, least)), SUM
        )

    def negative(self, a: Tree) -> Piece:
        piece = self.arithmetic(a)
        return self._negated(Piece(self.bracketed(piece, PRODUCT)))

    def multiply(self, a: Tree, b: Tree, sign: str | None = None) -> Piece:
        left, right = self.arithmetic(a), self.arithmetic(b)
        if sign is None:
            if left.kind == "signed" and isinstance(a, Number) and right.kind not in ("number", "signed"):
                positive = apply(np.multiply, Number(-a.value), b, like=b)
                return self.negative(b if a.value == -1 else positive)
            if a.shape and b.shape:
                sign = "⊙"
            elif (
                left.kind == "number"
                and self.what == "symbols"
                and right.kind != "number"
                and not isinstance(b, Number)
                and not _starts_with_number(b)
            ) or (left.kind == "fraction" and not a.shape and right.kind not in ("number", "fraction")):
                sign = "invisible"
            else:
                sign = "×"
        loose = ("matmul",) if sign != "invisible" else ()
        texts = (
            self.bracketed(left, PRODUCT if left.kind not in ("open", *loose) else ATOM + 1),
            self.writer.sign(sign),
            self.bracketed(right, PRODUCT if right.kind not in loose else ATOM + 1),
        )
        loosest = right.kind == "open" or (right.kind == "matmul" and sign == "invisible")
        return Piece(self.writer.row(*texts), PRODUCT, right.kind if loosest else "product")

    def divide(self, a: Tree, b: Tree) -> Piece:
        writer = self.writer
        if isinstance(a, Number) and np.ndim(a.value) == 0 and a.value < 0:
            return self.negative(apply(np.divide, Number(-a.value), b, like=b))
        if writer.stacks and not self.depth and not (self.what != "symbols" and max(a.ndim, b.ndim) > 1):
            return Piece(writer.stacked(self.inside(a).text, self.inside(b).text), PRODUCT, "fraction")
        left, right = self.inside(a), self.inside(b)
        above = self.bracketed(left, PRODUCT if left.kind not in ("open", "matmul") else ATOM + 1)
        sign = writer.sign("/")
        sign = f" {sign} " if sign == "/" and not writer.stacks else sign
        return Piece(writer.row(above, sign, self.bracketed(right, PRODUCT + 1)), PRODUCT, "product")

    def power(self, a: Tree, exponent: Tree) -> Piece:
        piece = self.arithmetic(a)
        if isinstance(exponent, Number) and type(exponent.value) in (int, float) and exponent.value == 1:
            return piece
        up = self.inside(exponent)
        plain = str(exponent.value).replace("-", "−") if isinstance(exponent, Number) else up.text
        plain = plain.removesuffix(".0")
        if up.kind in ("number", "signed") and not self.writer.stacks:
            plain = up.text
        return Piece(self.writer.raised(self.bracketed(piece, ATOM), up.text, plain), POWER)

    def matmul(self, a: Tree, b: Tree) -> Piece:
        left, right = self.arithmetic(a), self.vector(b) if a.ndim > 1 else self.arithmetic(b)
        associative = a.ndim == b.ndim == 2
        texts = [
            self.bracketed(left, PRODUCT if left.kind == "matmul" or left.kind == "gradient" else POWER),
            self.bracketed(
                right, PRODUCT if right.kind == "gradient" or (right.kind == "matmul" and associative) else POWER
            ),
        ]
        letters = self.what == "symbols" and self._letters_throughout(a, b)
        sign = "·" if self.what != "symbols" else "invisible" if letters or self.writer.stacks else "@"
        return Piece(self.writer.row(texts[0], self.writer.sign(sign), texts[1]), PRODUCT, "matmul")

    def _letters_throughout(self, *factors: Tree) -> bool:
        """Whether no product of matrices in the whole formula needs a sign: all of them are written in one way."""
        if not self.above:
            return all(map(self._reads_alone, factors))
        root = self.above[0]
        if self._alone is None or self._alone[0] is not root:
            parts = reached(root, lambda part: tuple(parts_of(part)))[0]
            products = [part for part in parts if is_call(part, *_MATRIX_PRODUCTS)]
            self._alone = root, all(self._reads_alone(a) for product in products for a in product.args)
        return self._alone[1]

    def _reads_alone(self, tree: Tree) -> bool:
        """Whether a factor needs no sign beside it: letters do not, nor W2 and dZ1; words do."""
        if isinstance(tree, Symbol):
            name = tree.name if tree.of is None else tree.of[1]
            return self.writer.name(name).kind == "letter" or _NUMBERED.fullmatch(name) is not None
        if isinstance(tree, Apply) and tree.fn in (np.transpose, np.swapaxes, np.matmul):
            return all(self._reads_alone(a) for a in tree.args)
        return True

    def transposed(self, a: Tree) -> Piece:
        if is_call(a, np.linalg.inv):
            return Piece(self.writer.transposed(self.base(a.args[0]), inverse=True), POWER)
        if self.what == "shapes" and isinstance(a, Symbol) and a.ndim == 2:
            return self.shape(a.shape[::-1])
        return Piece(self.writer.transposed(self.base(a)), POWER)

    def compare(self, a: Tree, b: Tree, sign: str, level: int = COMPARISON) -> Piece:
        parts = (self.arithmetic(a), self.arithmetic(b)) if level == COMPARISON else (self.tree(a), self.tree(b))
        texts = [self.bracketed(p, level + (level == COMPARISON)) for p in parts]
        return Piece(self.writer.row(texts[0], self.writer.sign(sign), texts[1]), level)

    def big(self, sign: str, a: Tree, axes: str) -> Piece:
        """A sum or a product over axes; what it is of is in brackets unless it is one name or number."""
        writer = self.writer
        mark = writer.sign(sign)
        mark = writer.lowered(mark, axes) if axes else mark
        piece = self.arithmetic(a)
        whole = piece.kind in ("gradient", "number", "fraction", "shape", "map", "open")
        text = self.bracketed(piece, PRODUCT if whole else PRODUCT + 1)
        return Piece(writer.row(mark, writer.sign("thin"), text), PRODUCT, "open")

    def call(self, name: str, args: Sequence[Any], lowered: str = "", options: Sequence[Piece] = ()) -> Piece:
        """A function by its name. Arguments are trees, or parts that were printed already."""
        writer = self.writer
        word = writer.word(name)
        word = writer.lowered(word, lowered) if lowered else word
        texts = [a.text if isinstance(a, Piece) else self.arithmetic(a).text for a in args]
        if len(texts) > _MOST:
            texts = [*texts[:2], writer.sign("…"), texts[-1]]
        return Piece(writer.applied(word, self.listed([*texts, *(o.text for o in options)])))

    def listed(self, texts: Sequence[str]) -> str:
        between = self.writer.sign(",")
        return self.writer.row(*(t for i, text in enumerate(texts) for t in ((between, text) if i else (text,))))

    def fenced(self, left: str, a: Tree, right: str, lowered: str = "") -> Piece:
        text = self.writer.fence(left, self.arithmetic(a).text, right)
        return Piece(self.writer.lowered(text, lowered) if lowered else text)

    def choice(self, rows: Sequence[tuple[Tree, Tree | None]]) -> Piece:
        """One of several, the first whose condition holds."""
        writer = self.writer
        otherwise = writer.user_text("otherwise")
        texts = [
            (self.inside(value).text, otherwise if condition is None else self.tree(condition).text)
            for value, condition in rows
        ]
        cases = writer.cases(texts)
        if cases is not None:
            return Piece(cases, PRODUCT, "open")
        (value, condition), (other, _) = texts
        return Piece(f"{value} if {condition} else {other}", CHOICE)


def _starts_with_number(tree: Tree) -> bool:
    while isinstance(tree, Apply) and tree.args:
        tree = tree.args[0]
    return isinstance(tree, Number)


Notation = Callable[[Printer, Apply, bool], Piece]
