"""The three back ends of the one printer: plain text, LaTeX and MathML Core. They know marks, not functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any, ClassVar, NamedTuple, Protocol

from ..plain.numbers import clean
from .glyphs import RAISED, Glyph, glyph, lowered, raised
from .tree import Symbol

CHOICE, LOGIC, COMPARISON, SUM, PRODUCT, POWER, ATOM = range(7)
"""How tightly what was printed holds together: a part that holds less than its surroundings ask for gets brackets."""


class Piece(NamedTuple):
    """A printed part, how tightly it holds together, and what it is where that matters to its neighbours."""

    text: str
    level: int = ATOM
    kind: str = ""


class Writer(Protocol):
    """What the back ends have in common: a product is what it is in all of them."""

    stacks: bool = True
    """Whether fractions stand on top of each other, so that they need no brackets."""

    def row(self, *texts: str) -> str: ...

    def sign(self, character: str) -> str: ...

    def word(self, name: str) -> str: ...

    def user_text(self, text: str) -> str: ...

    def number(self, mantissa: str, exponent: str) -> str: ...

    def fence(self, left: str, text: str, right: str) -> str: ...

    def stacked(self, above: str, below: str) -> str: ...

    def raised(self, base: str, text: str, exponent: str) -> str: ...

    def lowered(self, base: str, text: str) -> str: ...

    def root(self, text: str, degree: str = "") -> str: ...

    def transposed(self, base: str, *, inverse: bool = False) -> str: ...

    def cases(self, rows: Sequence[tuple[str, str]]) -> str | None: ...

    def matrix(self, rows: Sequence[Sequence[str]]) -> str: ...

    def applied(self, name: str, arguments: str) -> str: ...

    def marked(self, text: str, k: int) -> str:
        return text

    def letter(self, parts: Glyph) -> Piece: ...

    def name(self, name: str) -> Piece:
        piece: Piece = _LETTERS(self, name)
        return piece

    def gradient(self, of: tuple[str, str], stacked: bool) -> Piece:
        above, below = (self.row(self.sign("∂"), self.name(part).text) for part in of)
        if stacked and self.stacks:
            return Piece(self.stacked(above, below), PRODUCT, "gradient")
        return Piece(self.row(above, self.sign("/"), below), PRODUCT, "gradient")

    def symbol(self, symbol: Symbol, k: int, stacked: bool = True) -> Piece:
        piece = self.name(symbol.name) if symbol.of is None else self.gradient(symbol.of, stacked)
        return piece._replace(text=self.marked(piece.text, k))


_LETTERS: Any = lru_cache(4096)(lambda writer, name: writer.letter(glyph(clean(name))))


class Plain(Writer):
    """Unicode text on one line."""

    stacks = False
    spaced = frozenset("+−⊙×·@=≠<>≤≥∧∨⋆%∈:≈")

    def row(self, *texts: str) -> str:
        return "".join(texts)

    def sign(self, character: str) -> str:
        return {" ": " ", ",": ", ", "invisible": " ", "thin": " ", "∞": "Inf"}.get(
            character, f" {character} " if character in self.spaced else character
        )

    def word(self, name: str) -> str:
        return name

    def user_text(self, text: str) -> str:
        return text

    def number(self, mantissa: str, exponent: str) -> str:
        return f"{mantissa}e{int(exponent.replace('−', '-')):+03d}" if exponent else mantissa

    def fence(self, left: str, text: str, right: str) -> str:
        return f"{left}{text}{right}"

    def stacked(self, above: str, below: str) -> str:
        return f"{above} / {below}"

    def raised(self, base: str, text: str, exponent: str) -> str:
        small = raised(exponent) if any(c.isalnum() for c in exponent) else None
        return base + (small if small else f"^{text}" if text.isalnum() else f"^({text})")

    def lowered(self, base: str, text: str) -> str:
        small = lowered(text.replace(" ", ""))
        return base + (small if small else f"[{text}]")

    def root(self, text: str, degree: str = "") -> str:
        sign = {"": "√", "3": "∛"}[degree]
        alone = text.isalnum() and not any(c in RAISED for c in text)
        return f"{sign}{text}" if alone else f"{sign}({text})"

    def transposed(self, base: str, *, inverse: bool = False) -> str:
        return f"{base}⁻ᵀ" if inverse else f"{base}ᵀ"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str | None:
        return None

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        return f"[{'; '.join(' '.join(row) for row in rows)}]"

    def applied(self, name: str, arguments: str) -> str:
        return f"{name}({arguments})"

    def name(self, name: str) -> Piece:
        return _as_given(name)

    def letter(self, parts: Glyph) -> Piece:
        base = parts.base
        if parts.hat:
            mark = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "dot": "\u0307"}[parts.hat]
            base = unicodedata.normalize("NFC", base + mark)
        below = (lowered(parts.lowered) or f"_{parts.lowered}") if parts.lowered else ""
        above = "".join(raised(c) or "" for c in parts.raised).replace("T", "ᵀ")
        text = f"{parts.function} " * bool(parts.function) + base + below + above + parts.tail
        level = POWER if parts.raised or parts.function or parts.tail else ATOM
        return Piece(text, level, "letter" if parts.is_letter and not parts.tail else "")


@lru_cache(4096)
def _as_given(name: str) -> Piece:
    """A name in plain text stays what titles and tables call it: ``x_1``."""
    name = clean(name)
    piece = PLAIN.letter(glyph(name))
    return piece._replace(text=name) if "_" in name else piece


_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_LATEX_ESCAPES = {
    "\\": r"\backslash ", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "#": r"\#", "$": r"\$", "&": r"\&",
    "^": r"\wedge ", "~": r"\sim ", " ": r"\ ", "'": r"{\prime}", "…": r"\ldots ", "‖": r"\|", "<": r"\lt ",
    ">": r"\gt ", "×": r"\times ", "∂": r"\partial ", "∞": r"\infty ", "−": "-", "·": r"\cdot ", "▦": r"\boxplus ",
    "→": r"\to ", "′": r"\prime ", "•": r"\bullet ",
}  # fmt: skip


class Latex(Writer):
    """LaTeX in math mode, of the commands that KaTeX and MathJax know."""

    signs: ClassVar[dict[str, str]] = {
        "−": "-", "⊙": r"\odot ", "×": r"\cdot ", "·": r"\cdot ", "@": r"\, ", "≠": r"\neq ", "≤": r"\leq ",
        "≥": r"\geq ", "∧": r"\land ", "∨": r"\lor ", "¬": r"\lnot ", "⋆": r"\star ", "%": r"\bmod ", "Σ": r"\sum ",
        "∏": r"\prod ", "∂": r"\partial ", "π": r"\pi ", "σ": r"\sigma ", "∞": r"\infty ", "→": r"\to ",
        "invisible": r"\, ", "thin": r"\, ", " ": r"\ ", ",": r",\ ", "▦": r"\boxplus ", "…": r"\ldots ",
        "∈": r"\in ", "<": r"\lt ", ">": r"\gt ", ":": r"{:}",
    }  # fmt: skip

    def row(self, *texts: str) -> str:
        return "".join(texts)

    def sign(self, character: str) -> str:
        return self.signs.get(character, character)

    def word(self, name: str) -> str:
        known = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "arcsin", "arccos", "arctan",
                 "det", "ln")  # fmt: skip
        return f"\\{name} " if name in known else rf"\operatorname{{{self._escaped(name)}}}"

    def user_text(self, text: str) -> str:
        parts = re.split(r"([A-Za-z][A-Za-z ]*[A-Za-z])", text)
        return "".join(rf"\text{{{part}}}" if i % 2 else self._escaped(part) for i, part in enumerate(parts))

    def _escaped(self, text: str) -> str:
        return "".join(_LATEX_ESCAPES.get(c) or (f"\\{_GREEK[c]} " if c in _GREEK else c) for c in text)

    def number(self, mantissa: str, exponent: str) -> str:
        if not exponent:
            return mantissa
        power = f"10^{{{exponent.replace('−', '-')}}}"
        return power if mantissa == "1" else rf"{mantissa} \cdot {power}"

    def fence(self, left: str, text: str, right: str) -> str:
        marks = {"‖": r"\|", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil"}
        return rf"\left{marks.get(left, left)} {text} \right{marks.get(right, right)}"

    def stacked(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def raised(self, base: str, text: str, exponent: str) -> str:
        return f"{self._braced(base)}^{{{text}}}"

    def _braced(self, base: str) -> str:
        """What something is raised beside: a script of its own needs braces around it."""
        closed = base.startswith(r"\left(") and base.endswith(r"\right)")
        return f"{{{base}}}" if "^" in base and not closed else base

    def lowered(self, base: str, text: str) -> str:
        return f"{base.rstrip()}_{{{self._escaped(text)}}}"

    def root(self, text: str, degree: str = "") -> str:
        return rf"\sqrt{f'[{degree}]' if degree else ''}{{{text}}}"

    def transposed(self, base: str, *, inverse: bool = False) -> str:
        if inverse:
            return rf"{self._braced(base)}^{{-\top}}"
        if re.fullmatch(r"\w\^\{\(\d+\)\}", base):
            return base.replace(")}", r")\top}")
        return rf"{self._braced(base)}^{{\top}}"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str | None:
        lines = r" \\ ".join(f"{value} & {condition}" for value, condition in rows)
        return rf"\begin{{cases}} {lines} \end{{cases}}"

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        lines = r" \\ ".join(" & ".join(row) for row in rows)
        return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"

    def applied(self, name: str, arguments: str) -> str:
        return rf"{name.rstrip()}\left( {arguments} \right)"

    def letter(self, parts: Glyph) -> Piece:
        base = self._escaped(parts.base)
        if parts.base.startswith("‘") and parts.base.endswith("’"):
            base = rf"\text{{‘}}\mathrm{{{self._escaped(parts.base[1:-1])}}}\text{{’}}"
        elif not parts.is_letter:
            base = rf"\mathrm{{{base}}}"
        elif parts.base in _GREEK:
            base = base.rstrip()
        if parts.hat:
            base = rf"\{parts.hat}{{{base}}}"
        if parts.lowered:
            low = self._escaped(parts.lowered)
            upright = low if len(low) == 1 or not low.isalpha() else rf"\mathrm{{{low}}}"
            base += f"_{{{upright}}}"
        if parts.raised:
            base += f"^{{{self._escaped(parts.raised)}}}".replace("T", r"\top")
        base += self._escaped(parts.tail)
        if parts.function:
            base = rf"\{parts.function} {base}"
        level = POWER if parts.raised or parts.function or parts.tail else ATOM
        return Piece(base, level, "letter" if parts.is_letter and not parts.tail else "")


class MathML(Writer):
    """MathML Core: what browsers show without a library."""

    def row(self, *texts: str) -> str:
        inside = "".join(texts)
        return f"<mrow>{inside}</mrow>" if len(texts) != 1 else inside

    def sign(self, character: str) -> str:
        if character == "invisible":
            return "<mo>\u2062</mo><mspace width='0.17em'/>".replace("'", '"')
        if character in ("@", " "):
            return '<mspace width="0.22em"/>'
        if character == "thin":
            return ""
        if character in ("σ", "π", "∞", "▦"):
            return f"<mi>{character}</mi>"
        if character == "∂":
            return '<mo lspace="0" rspace="0">∂</mo>'
        if character == ":":
            return '<mo lspace="0" rspace="0">:</mo>'
        character = {"×": "·", "Σ": "∑"}.get(character, character)
        return f"<mo>{escape(character)}</mo>"

    def word(self, name: str) -> str:
        return self._identifier(name)

    def user_text(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def _identifier(self, text: str) -> str:
        upright = ' mathvariant="normal"' if len(text) == 1 and not text.isalpha() else ""
        return f"<mi{upright}>{escape(text)}</mi>"

    def number(self, mantissa: str, exponent: str) -> str:
        minus = "<mo>−</mo>" if mantissa.startswith("−") else ""
        text = mantissa.removeprefix("−")
        out = f"<mn>{escape(text)}</mn>" if text[0].isdigit() or text[0] == "." else f"<mi>{escape(text)}</mi>"
        out = minus + out
        if exponent:
            out = "" if mantissa == "1" else f"{out}<mo>·</mo>"
            out += f"<msup><mn>10</mn>{self.number(exponent, '')}</msup>"
        return f"<mrow>{out}</mrow>" if minus or exponent else out

    def fence(self, left: str, text: str, right: str) -> str:
        marks = [f'<mo fence="true" stretchy="true" form="{form}">{escape(mark)}</mo>' if mark else ""
                 for mark, form in ((left, "prefix"), (right, "postfix"))]  # fmt: skip
        return f"<mrow>{marks[0]}{text}{marks[1]}</mrow>"

    def stacked(self, above: str, below: str) -> str:
        return f"<mfrac>{above}{below}</mfrac>"

    def raised(self, base: str, text: str, exponent: str) -> str:
        return f"<msup>{base}{text}</msup>"

    def lowered(self, base: str, text: str) -> str:
        inside = f"<mn>{text}</mn>" if text.isdigit() else f"<mtext>{escape(text)}</mtext>"
        return f"<msub>{base}{inside}</msub>"

    def root(self, text: str, degree: str = "") -> str:
        return f"<mroot>{text}<mn>{degree}</mn></mroot>" if degree else f"<msqrt>{text}</msqrt>"

    def transposed(self, base: str, *, inverse: bool = False) -> str:
        mark = "<mrow><mo>−</mo><mo>⊤</mo></mrow>" if inverse else "<mo>⊤</mo>"
        return f"<msup>{base}{mark}</msup>"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str | None:
        lines = "".join(f"<mtr><mtd>{value}</mtd><mtd>{condition}</mtd></mtr>" for value, condition in rows)
        return self.fence("{", f"<mtable>{lines}</mtable>", "")

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        lines = "".join(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in rows)
        return self.fence("(", f"<mtable>{lines}</mtable>", ")")

    def applied(self, name: str, arguments: str) -> str:
        return f"<mrow>{name}<mo>\u2061</mo>{self.fence('(', arguments, ')')}</mrow>"

    def marked(self, text: str, k: int) -> str:
        return f'<mrow data-symbol="{k}">{text}</mrow>'

    def letter(self, parts: Glyph) -> Piece:
        base = self._identifier(parts.base)
        if parts.hat:
            mark = {"hat": "^", "tilde": "~", "bar": "¯", "dot": "˙"}[parts.hat]
            base = f'<mover accent="true">{base}<mo stretchy="false">{mark}</mo></mover>'
        low, high = (self._script(text) if text else "" for text in (parts.lowered, parts.raised))
        if low and high:
            base = f"<msubsup>{base}{low}{high}</msubsup>"
        elif low or high:
            base = f"<{'msub' if low else 'msup'}>{base}{low or high}</{'msub' if low else 'msup'}>"
        if parts.function:
            base = f'<mi>{parts.function}</mi><mspace width="0.17em"/>{base}'
        if parts.tail:
            base += self.user_text(parts.tail)
        level = POWER if parts.raised or parts.function or parts.tail else ATOM
        text = f"<mrow>{base}</mrow>" if parts.function or parts.tail else base
        return Piece(text, level, "letter" if parts.is_letter and not parts.tail else "")

    def _script(self, text: str) -> str:
        if text.startswith("(") and text.endswith(")"):
            return f'<mrow><mo stretchy="false">(</mo>{self._script(text[1:-1])}<mo stretchy="false">)</mo></mrow>'
        if text == "T":
            return "<mo>⊤</mo>"
        return f"<mn>{escape(text)}</mn>" if text.isdigit() else self._identifier(text)


def shape_text(shape: Any) -> str:
    """A shape as Python writes it."""
    return str(tuple(int(n) for n in shape))


def times_text(shape: Any) -> str:
    """A shape with multiplication signs: ``3×4``."""
    return "×".join(str(int(n)) for n in shape) if len(shape) else "0-d"


PLAIN, LATEX, MATHML = Plain(), Latex(), MathML()
