"""A derivation on the page: its lines under their titles as text, in LaTeX as aligned rows that MathJax can hold."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ..plain.numbers import counted
from .breaking import WIDEST, Written, wrapped
from .lines import TITLES, Kind, Line

_BUFFER = 4000
"""Characters of LaTeX in one formula: MathJax refuses macros in longer ones than 5 kB."""
_MOST_LINES = 8
_MOST_ROWS = 16
_WHERE, _SPACE = r"\text{where } ", r"\phantom{\text{where }} "
_MORE = "print(derivation) shows all"


def plain_text(head: str, lines: Sequence[Line], notes: Sequence[Written]) -> str:
    """All lines, each kind under its title, and the notes."""
    out = [head]
    before: Kind | None = None
    for line in lines:
        if line.kind != before:
            out += ["", TITLES[line.kind]]
            before = line.kind
        out += [f"  {row}" for row in line.plain().split("\n")]
        out += [f"    shapes: {line.shapes}"] if line.shapes else []
        for remark in line.remarks:
            out += _indented(remark.plain, "    ")
        defined = [row.plain for d in line.definitions for row in d.notes()]
        out += [f"    {'where ' if k == 0 else '      '}{row}" for k, row in enumerate(defined)]
    if notes:
        out += ["", "where", *(row for note in notes for row in _indented(note.plain, "  "))]
    return "\n".join(out)


def _indented(text: str, by: str) -> list[str]:
    if len(by + text) <= WIDEST:
        return [by + text]
    return textwrap.wrap(text, WIDEST, initial_indent=by, subsequent_indent=by + "  ", break_long_words=False)


def latex_rows(lines: Sequence[Line], notes: Sequence[Written], *, few: bool = False) -> list[list[str]]:
    """The rows of each line, with & where they are aligned; with `few`, no more than a page holds."""
    out: list[list[str]] = []
    before = None
    last: list[str] = []
    for k, line in enumerate(lines):
        hidden = _hidden(lines, line) if few else 0
        if hidden:
            if lines[k - 1].kind != line.kind or not _hidden(lines, lines[k - 1]):
                out.append([_said(counted(hidden, "more line"))])
                before, last = None, []
            continue
        same = line.target.name == before
        new = line.rows(left=not same)
        rows = [] if same and last[-len(new) :] == new else new
        rows = rows + [rf"&\quad {remark.latex}" for remark in line.remarks if remark.latex]
        defined = [row.latex for d in line.definitions for row in d.notes()]
        rows += [rf"&\quad {_WHERE if i == 0 else _SPACE}{row}" for i, row in enumerate(defined)]
        before, last = line.target.name, new
        out.append(_shortened(rows) if few else rows)
    if notes:
        comma = Written(",", r",\quad")
        joined = wrapped([(comma, note) for note in notes], WIDEST - 10)
        rows = [f"&{_WHERE if i == 0 else _SPACE}{row.latex.removeprefix(comma.latex)}" for i, row in enumerate(joined)]
        out.append(_shortened(rows) if few else rows)
    return [rows for rows in out if rows]


def _hidden(lines: Sequence[Line], line: Line) -> int:
    """How many lines of its kind are not shown, if it is one of these."""
    alike = [other for other in lines if other.kind == line.kind]
    if len(alike) <= _MOST_LINES:
        return 0
    middle = alike[_MOST_LINES // 2 : -_MOST_LINES // 2 + 1]
    return len(middle) if any(line is other for other in middle) else 0


def _shortened(rows: list[str]) -> list[str]:
    if len(rows) <= _MOST_ROWS:
        return rows
    middle = rows[_MOST_ROWS // 2 : -_MOST_ROWS // 2 + 1]
    return [*rows[: _MOST_ROWS // 2], _said(counted(len(middle), "more row")), *rows[-_MOST_ROWS // 2 + 1 :]]


def _said(what: str) -> str:
    return rf"&\text{{… {what}: {_MORE}}}"


def aligned(rows: Sequence[str]) -> str:
    """Rows as one ``aligned``."""
    return "\\begin{aligned}\n" + " \\\\[2ex]\n".join(rows) + "\n\\end{aligned}"


def latex_blocks(lines: list[list[str]]) -> list[str]:
    """The rows in parts that are short enough; a line is split only where it is too long by itself."""
    parts: list[list[str]] = [[]]
    for rows in lines:
        whole = sum(map(len, rows))
        for k, row in enumerate(rows):
            length = sum(map(len, parts[-1]))
            if parts[-1] and length + (whole if k == 0 and whole <= _BUFFER else len(row)) > _BUFFER:
                parts.append([])
            parts[-1].append(row)
    return [aligned(rows) for rows in parts]
