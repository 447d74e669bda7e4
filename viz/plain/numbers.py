"""Numbers and names as the pictures print them: short, aligned, and harmless whatever a user calls things."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.labels import clean as clean
from autograd.labels import columns
from autograd.labels import subscript as subscript
from autograd.rules import norms

FEW = 12
"""Up to so many elements are printed as numbers; larger arrays are drawn as heat maps."""

NOT_COMPUTED = "—"
_WIDEST = 104


def padded(text: str, width: int) -> str:
    """`text` filled up with spaces to `width` columns."""
    return text + " " * max(0, width - columns(text))


def number(value: Any, digits: int = 4) -> str:
    """One number with four significant digits: ``-0.1235``, ``1.5-2i``, ``NaN``, ``Inf``."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool | int):
        return str(value)
    if value != value:
        return "NaN"
    if isinstance(value, complex):
        real, imaginary = number(value.real, digits), number(value.imag, digits)
        plus = "" if imaginary.startswith("-") else "+"
        return f"{real}{plus}{imaginary}i" if value.real or not value.imag else f"{imaginary}i"
    if value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    return f"{value + 0.0:.{digits}g}"


def signed(text: str) -> str:
    """Numbers with real minus signs, as formulas have them: ``−0.5``; exponents keep theirs, ``1e-17``."""
    return re.sub(r"(?<!\w)-(?=[\dI])|(?<=[\d+])-(?=[\d.e+-]+i)", "−", text)


def numeral(value: Any, digits: int = 4) -> str:
    """One number as sentences have it, with a real minus sign: ``−0.1235``."""
    return signed(number(value, digits))


def counted(n: int, what: str) -> str:
    """``1 element``, ``3 elements``."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def length(array: Any) -> float:
    """The Euclidean norm of all elements, in float64; infinite where that overflows."""
    with np.errstate(all="ignore"):
        array = np.asarray(array)
        return float(norms.norm(array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)))


def parts(array: Any) -> Any:
    """The real and the imaginary part of complex numbers, one after the other; real ones as they are."""
    array = np.asarray(array)
    return np.stack((array.real, array.imag)) if array.dtype.kind == "c" else array


def ordinal(n: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``."""
    last = 0 if n % 100 in (11, 12, 13) else n % 10
    return f"{n}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


def rows(array: Any, *beside: Any) -> list[str]:
    """A small array as rows of aligned numbers; a 0-d one as its number.

    Rows that are too long are wrapped, at the same element as those of the arrays `beside` it, of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> print(*rows(np.array([[1.0, -0.5], [10.0, np.nan]])), sep="\\n")
    [  1  -0.5 ]
    [ 10   NaN ]
    """
    array = np.asarray(array)
    if array.ndim == 0:
        return [number(array)]
    if array.size == 0:
        return ["empty"]
    if array.ndim > 2:
        array = array.reshape([n for n in array.shape if n > 1] or [1])
    flat = [number(v) for v in array.ravel()]
    width = max(len(text) for text in flat)
    widest = max([width, *(len(number(v)) for other in beside for v in np.ravel(other))])
    last = array.shape[-1]
    per_line = max(1, min(last, (_WIDEST - 4) // (widest + 2)))
    per_line = -(-last // -(-last // per_line))
    lines = []
    for start in range(0, len(flat), last):
        row = flat[start : start + last]
        parts = [row[i : i + per_line] for i in range(0, last, per_line)]
        for i, part in enumerate(parts):
            body = "  ".join(text.rjust(width) for text in part)
            body = body.ljust(per_line * (width + 2) - 2)
            lines.append(f"{'[' if i == 0 else ' '} {body} {']' if i == len(parts) - 1 else ' '}".rstrip())
    return lines


def norm(array: Any) -> str:
    """The Euclidean norm of the finite elements, and how many are not finite: ``2.713``, ``2.713 (3 NaN)``."""
    array = np.asarray(array)
    if array.dtype.kind in "fc":
        finite = np.isfinite(array)
        nans = int(np.isnan(array).sum())
        infinite = array.size - int(finite.sum()) - nans
        kept = array if nans + infinite == 0 else array[finite]
    else:
        nans = infinite = 0
        kept = array
    text = number(np.float64(length(kept)))
    bad = [f"{count} {what}" for count, what in ((nans, "NaN"), (infinite, "Inf")) if count]
    return f"{text} ({', '.join(bad)})" if bad else text


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as Python writes it; ``scalar`` for 0-d."""
    return str(tuple(shape)) if shape else "scalar"
