"""How a name is set: its letter, its hat, what is raised and lowered. Names come from users too, so anything goes."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import NamedTuple

RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿᵀ", "0123456789+-()nT", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-()aehijklmnoprstuvx", strict=True))
_TO_RAISED = {plain: raised for raised, plain in RAISED.items()} | {"−": "⁻"}
_TO_LOWERED = {plain: lowered for lowered, plain in _LOWERED.items()} | {"−": "₋", ",": ","}
_SMALL = "".join((*_LOWERED, *RAISED))
_WORD = re.compile(f"(?![{_SMALL}])[^\\W\\d](?:(?![{_SMALL}])[\\w.\u0300-\u036f])*[′']*")
_ELEMENT = re.compile(r"\[\d+(?:, ?\d+)*\](?=(?: \(\d+\))?$)")
_HATS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot"}
_NAME = re.compile(f"([{''.join(_LOWERED)}]*)([{''.join(RAISED)}]*)((?: \\(\\d+\\))?)$")


class Glyph(NamedTuple):
    """A name in its parts: ``ŷ₁⁽²⁾`` is the letter y with a hat, 1 lowered, (2) raised.

    `base` is one letter, or a word that is set upright; `tail` follows it: the number of one of several same names.
    """

    base: str
    hat: str = ""
    lowered: str = ""
    raised: str = ""
    tail: str = ""
    function: str = ""

    @property
    def is_letter(self) -> bool:
        return len(self.base) == 1 and (self.base.isalpha() or self.base == "•")


@functools.lru_cache(4096)
def glyph(name: str) -> Glyph:
    """Take a name apart.

    >>> glyph("W⁽²⁾")
    Glyph(base='W', hat='', lowered='', raised='(2)', tail='', function='')
    """
    function = "log" if name.startswith("log ") and len(name) > 4 else ""
    rest = name[4:] if function else name
    match = _NAME.search(rest)
    assert match is not None
    base, (lowered, raised, tail) = rest[: match.start()], match.groups()
    letters = unicodedata.normalize("NFD", base)
    hat = _HATS.get(letters[1:], "") if len(letters) == 2 else ""
    lowered = "".join(_LOWERED[c] for c in lowered)
    if hat:
        base = letters[0]
    elif not lowered and not raised and re.fullmatch(r"[^\W\d_]_[^\W_]{1,4}", base):
        base, lowered = base[0], base[2:]
    if not base:
        return Glyph(name)
    if function and not (len(base) == 1 and base.isalpha()):
        return Glyph(name)
    return Glyph(base, hat, lowered, "".join(RAISED[c] for c in raised), tail, function)


@functools.lru_cache(4096)
def quoted(name: str) -> str:
    """A user's name as an operand: in quotes where it does not read as a name.

    >>> quoted("W_h"), quoted("a+b"), quoted("0")
    ('W_h', '‘a+b’', '‘0’')
    """
    match = _NAME.search(_ELEMENT.sub("", name.removeprefix("log ")))
    assert match is not None
    base = match.string[: match.start()]
    return name if _WORD.fullmatch(base) or base == "•" else f"‘{name}’"


def raised(text: str) -> str | None:
    """A text in raised characters of plain text, where there are such."""
    return "".join(_TO_RAISED[c] for c in text) if text and all(c in _TO_RAISED for c in text) else None


def lowered(text: str) -> str | None:
    """A text in lowered characters of plain text, where there are such."""
    return "".join(_TO_LOWERED[c] for c in text) if text and all(c in _TO_LOWERED for c in text) else None
