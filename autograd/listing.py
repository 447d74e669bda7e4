"""The tape as a table, as text and for notebooks."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .node import Node
from .rules import norms


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the names known that are closest to one that is not, best first; ``g1`` is close to ``g⁽¹⁾``."""
    import difflib  # here, as a program that makes no mistake needs none of it

    def typed(name: str) -> str:
        return unicodedata.normalize("NFKC", name).lower().replace("(", "").replace(")", "")

    found = {typed(one): one for one in known}
    return [found[one] for one in difflib.get_close_matches(typed(name), found, n=3, cutoff=0)]


def summary(value: Any, *, limit: int = 4) -> str:
    """A value in a few characters: the numbers where they are few, else their range and norm."""
    value = np.asarray(value)
    if value.size == 0:
        return "empty"
    if value.size <= limit:
        return np.array2string(value, precision=4, separator=", ", suppress_small=False).replace("\n", "")
    if value.dtype.kind not in "fiuc":
        return f"{value.dtype} array"
    with np.errstate(all="ignore"):
        finite = value[np.isfinite(value)]
        bad = "" if finite.size == value.size else f", {value.size - finite.size} not finite"
        if not finite.size:
            return "no finite value"
        finite = np.abs(finite.astype(complex)) if value.dtype.kind == "c" else finite
        norm = float(norms.norm(np.asarray(finite, np.float64)))
    sizes = "|·| " if value.dtype.kind == "c" else ""
    return f"{sizes}{finite.min():.4g} … {finite.max():.4g}, ‖·‖ {norm:.4g}{bad}"


def operand_text(tape: Sequence[Node], operand: Any) -> str:
    """An operand in the table: a record's name or ``%index``, a constant's number or shape."""
    if hasattr(operand, "rule"):
        return operand.name or f"%{tape.index(operand)}"
    if isinstance(operand, (np.ndarray, np.generic)) and operand.size != 1:
        return f"const{operand.shape}"
    if isinstance(operand, (np.ndarray, np.generic)):
        return f"{operand.item():.6g}"
    return repr(operand) if not isinstance(operand, float) else f"{operand:.6g}"


def option_text(node: Node) -> str:
    """The options of a call that are not the defaults: ``axis=1, keepdims=True``; large arrays by their shape."""
    parts = []
    for key, value in _chosen(node).items():
        big = isinstance(value, np.ndarray) and value.size > 4
        parts.append(f"{key}={f'array{value.shape}' if big else value!r}")
    return ", ".join(parts)


def _chosen(node: Node) -> dict[str, Any]:
    """The options of an operation that are not what they are by default."""
    defaults = node.rule.defaults()
    return {
        key: value
        for key, value in node.kwargs.items()
        if isinstance(value, np.ndarray) or key not in defaults or not _same(defaults[key], value)
    }


def _same(default: Any, value: Any) -> bool:
    return type(default) is type(value) and bool(default == value)


def _bears_nan(value_of: Callable[[Node], Any], node: Node) -> bool:
    """Whether the value holds a NaN while those of its operands hold none."""
    operands = (value_of(a) if hasattr(a, "rule") else a for a in node.operands)
    return "NaN" in not_finite(value_of(node)) and not any("NaN" in not_finite(value) for value in operands)


def not_finite(value: Any) -> frozenset[str]:
    """Which of ``NaN`` and ``Inf`` an array holds."""
    value = np.asarray(value) if isinstance(value, float | np.generic | np.ndarray) else None
    if value is None or value.dtype.kind not in "fc" or np.isfinite(value).all():
        return frozenset()
    return frozenset(name for name, test in (("NaN", np.isnan), ("Inf", np.isinf)) if test(value).any())


def rows_of(tape: Sequence[Node], value_of: Callable[[Node], Any]) -> list[tuple[str, ...]]:
    """The tape as rows: index, name, operation, operands, shape, value, scope, source line; the first is the header.

    A column that says nothing is left out.
    """
    rows = [("", "name", "op", "operands", "shape", "value", "scope", "line")]
    for i, node in enumerate(tape):
        operands = ", ".join(operand_text(tape, a) for a in node.operands)
        options = option_text(node)
        rows.append(
            (
                f"%{i}",
                node.name or "",
                node.op,
                "; ".join(part for part in (operands, options) if part),
                str(node.shape),
                summary(value_of(node)) + (" ← NaN born here" if _bears_nan(value_of, node) else ""),
                node.scope.path,
                str(node.source or ""),
            )
        )
    told = [column for column in zip(*rows, strict=True) if any(column[1:])]
    return list(zip(*told, strict=True))


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as text, the first one over a line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def html_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as an HTML table for a notebook's cell, which scrolls where it is too wide; the first one is the header."""
    import html

    def row(cells: Sequence[str], tag: str) -> str:
        style = ' style="text-align: left; white-space: nowrap"'
        return f"<tr>{''.join(f'<{tag}{style}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "\n".join(row(cells, "td") for cells in rows[1:])
    return (
        f'<div style="max-width: 100%; overflow: auto"><table>\n<thead>{row(rows[0], "th")}</thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )
