"""What a comparison of gradients found, as text and as HTML; tools that collect reports listen here."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..node import Node
from ..tape import Tape
from .hand import Hand
from .rows import Row, in_words

__all__ = ["EXPLAINERS", "LISTENERS", "Compared", "Report", "announced"]

LISTENERS: list[Callable[[Report], None]] = []
"""Called with every report that is made: the pytest plugin collects them."""

EXPLAINERS: list[Callable[[Report], Any]] = []
"""The last of them finds the wrong step, given a report, and prints itself: `viz.explain_mismatch`, where viz is."""

_FEW = 64
"""Up to so many elements, and 8 to a row, are shown as numbers; larger arrays as cells of colour alone."""
_CELLS = 20
"""Of the sides of a map of colours; larger arrays are thinned out to the furthest-off element of each block."""

_RED, _BLUE, _GREY = "220, 60, 50", "94, 147, 200", "128, 128, 128"
_COLOURS = {"exact": _BLUE, "close": _BLUE, "convention": _BLUE, "undecided": _GREY}
_IN_WORDS = {"convention": "right in another convention"}
_SCALE = ((8, 48, 107), (94, 147, 200), (247, 247, 247), (244, 162, 89), (214, 84, 0))
"""Colours from −1 over 0 to 1, as in the heat maps of `viz`: told apart by the colour-blind, and in grey."""


class Compared(NamedTuple):
    """A tape, and what was compared with it: the gradients and the values that were given, by record; the gradient
    that the backward pass starts from; the tolerances; whether the report itself is to say what is wrong, and whether
    they may be in another convention."""

    tape: Tape
    hand: Mapping[Node, Hand]
    values: Mapping[Node, Hand]
    grad: Any = None
    rtol: float | None = None
    atol: float | None = None
    says_why: bool = False
    conventions: bool = True


class Report:
    """Gradients compared, one row for each, in the order in which the backward pass completes them.

    Attributes
    ----------
    rows : tuple of Row
    title : str
        ``"gradients of loss"``.
    engine : str
        What yours was compared with: ``"engine"``, or ``"differences"``.
    notes : tuple of str
    values : tuple of Row
        Values that were given on the way to the loss, in the order of the forward pass.
    compared : Compared or None
        What was compared, for `viz.explain_mismatch`, which takes the report as it is; None where there is no tape.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.testing import compare_grads
    >>> w = Tensor([2.0, 3.0], name="w")
    >>> report = compare_grads((w * w).sum(), {w: [4.0, 5.0]})
    >>> report.ok, report["w"].verdict, report["w"].where, report["w"].values
    (False, 'WRONG', (1,), (5.0, 6.0))
    >>> report.headline()
    'WRONG: the gradient of w[1] is 5, the engine has 6 (gradients of the loss: 1 of 1 not ok)'
    """

    def __init__(
        self,
        rows: Sequence[Row],
        title: str,
        engine: str = "engine",
        notes: Sequence[str] = (),
        values: Sequence[Row] = (),
        compared: Compared | None = None,
    ):
        self.rows = tuple(rows)
        self.title = title
        self.engine = engine
        self.notes = tuple(notes)
        self.values = tuple(values)
        self.compared = compared

    @property
    def ok(self) -> bool:
        """Whether nothing is known to be wrong."""
        return not self.wrong

    @property
    def _all(self) -> tuple[Row, ...]:
        return (*self.values, *self.rows)

    @property
    def wrong(self) -> tuple[Row, ...]:
        """The rows that are not ok, the first one to look at first: values, then gradients."""
        return tuple(row for row in self._all if not row.ok)

    @property
    def worst(self) -> Row | None:
        """The first wrong value; else the row that is furthest off, by its shape or else by its relative difference."""
        first = next((row for row in self.values if not row.ok), None)
        return first or max(self.wrong, key=_badness, default=None)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> Row:
        if not isinstance(key, str):
            return self.rows[key]
        for row in (*self.rows, *self.values):
            if row.name == key:
                return row
        raise KeyError(f"the report has no row {key!r}; it has {', '.join(row.name for row in self._all)}")

    def headline(self) -> str:
        """The worst that was found, in one line."""
        worst = self.worst
        if worst is None:
            kinds = ("exact", "close", "convention", "undecided")
            said = {v: sum(row.verdict == v for row in self._all) for v in kinds}
            counts = ", ".join(f"{n} {_IN_WORDS.get(verdict, verdict)}" for verdict, n in said.items() if n)
            return f"{self.title}: {counts or 'none compared'}"
        return f"{_sentence(worst, self.engine)} ({self.title}: {len(self.wrong)} of {len(self._all)} not ok)"

    def __str__(self) -> str:
        lines = [self.headline()]
        lines += self._where_to_look()
        for rows in filter(None, (self.values, self.rows)):
            lines += ["", *_table(rows, self.engine)]
        said = [f"{row.name}: {note}" for row in self._all for note in _row_notes(row, self.engine)]
        said += [*self.notes, *self._why.splitlines()]
        return "\n".join([*lines, *([""] if said else []), *said])

    def _where_to_look(self) -> list[str]:
        """Which of several wrong ones comes first, where the backward pass goes from one to the next."""
        if len(self.wrong) < 2 or self.wrong[0].node is None:
            return []
        going = "Going backward, the first wrong one" if self.wrong[0].what == "gradient" else "The first wrong value"
        return [f"{going} is {_with_source(self.wrong[0])}: look there first."]

    @cached_property
    def _why(self) -> str:
        """Which step is wrong, where that is to be said and there is a tool to find it; else how to ask for it."""
        if self.compared is None or not any(row.verdict in ("WRONG", "shape") for row in self._all):
            return ""
        if not (self.compared.says_why and EXPLAINERS):
            return "why: viz.explain_mismatch(report)"
        try:
            return f"why: {EXPLAINERS[-1](self)}"
        except ValueError as error:  # numbers that it refuses, as NaN; it says which
            return f"why: {error}"

    def saying_why(self) -> Report:
        """The report, which finds out why, where there is a tool to, once it is printed."""
        if self.compared is not None:
            self.compared = self.compared._replace(says_why=True)
            self.__dict__.pop("_why", None)
        return self

    def __repr__(self) -> str:
        return f"<Report {self.headline()}>"

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{html.escape(self.headline())}</b></p>"]
        parts += [f"<p>{html.escape(line)}</p>" for line in self._where_to_look()]
        parts += [_html_table(rows, self.engine) for rows in (self.values, self.rows) if rows]
        for row in self._all:
            notes = "".join(f"<li>{html.escape(note)}</li>" for note in _row_notes(row, self.engine))
            if notes or not row.ok:
                parts.append(f"<p>{html.escape(row.name)}</p>" + (f"<ul>{notes}</ul>" if notes else ""))
            if not row.ok:
                parts.append(_side_by_side(row, self.engine))
        parts += [f"<p>{html.escape(note)}</p>" for note in self.notes]
        parts += [f"<p>{'<br>'.join(html.escape(line) for line in self._why.splitlines())}</p>"] if self._why else []
        return "<div>" + "\n".join(parts) + "</div>"


def announced(report: Report) -> Report:
    """Tell the listeners of a report; returns it."""
    for listener in LISTENERS:
        listener(report)
    return report


# --- in words ---------------------------------------------------------------------------------------------------------


def _badness(row: Row) -> float:
    if row.verdict == "shape":
        return 3.0
    if row.relative != row.relative:
        return 2.5
    return row.relative if row.verdict == "WRONG" else -1.0


def _with_source(row: Row) -> str:
    source = row.node.source if row.node is not None else None
    return f"{row.name} ({source}: {source.text})" if source else row.name


def _sentence(row: Row, engine: str) -> str:
    """What is wrong with a row."""
    if row.verdict == "shape":
        return f"shape: the {row.what} of {row.name}: {row.note}"
    who = "the engine has" if engine == "engine" else "finite differences give"
    if row.verdict in ("WRONG", "NaN") and row.values is not None:
        yours, right = _pair(row)
        return f"{row.verdict}: the {row.what} of {row.place} is {yours}, {who} {right}"
    if row.numeric is not None and row.numeric.engine is False:
        return f"the engine's gradient of {row.name} disagrees with finite differences"
    return f"{row.verdict}: the {row.what} of {row.name}"


def _pair(row: Row) -> tuple[str, str]:
    """The two numbers, with as many digits as tell them apart."""
    if row.values is None:
        return "", ""
    yours, right = row.values
    digits = next((d for d in (8, 12) if yours == right or in_words(yours, d) != in_words(right, d)), 17)
    return in_words(yours, 8 if row.ok else digits), in_words(right, 8 if row.ok else digits)


def _cells(row: Row) -> list[str]:
    where = "" if not row.where else f"[{', '.join(map(str, row.where))}]"
    yours, right = _pair(row)
    if row.verdict == "shape":
        return [row.name, str(row.shape), row.verdict, "", "", "", f"shape {row.yours.shape}", ""]
    return [
        row.name,
        str(row.shape),
        row.verdict,
        in_words(row.largest, 3),
        in_words(row.relative, 3),
        where,
        yours,
        right,
    ]


def _titles(rows: Sequence[Row], engine: str) -> list[str]:
    return [
        f"{rows[0].what if rows else 'gradient'} of",
        "shape",
        "verdict",
        "largest difference",
        "relative",
        "at",
        "yours",
        engine,
    ]


def _table(rows: Sequence[Row], engine: str) -> list[str]:
    cells = [_titles(rows, engine), *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "-" * max(map(len, lines)))
    return lines


def _row_notes(row: Row, engine: str) -> list[str]:
    notes = [row.note] if row.note else []
    found = row.numeric
    if found is None:
        return notes
    told = {True: "agrees", False: "DISAGREES", None: "can't be judged"}
    text = "both agree" if found.engine and found.yours else (
        f"the {engine} {told[found.engine]}, yours {told[found.yours]}"
    )  # fmt: skip
    if found.where is not None and not (found.engine and found.yours):
        index = f" at [{', '.join(map(str, found.where))}]" if found.where else ""
        text += f": {in_words(found.value)} ± {in_words(found.error, 1)}{index}"
    some = f", {found.undecided} of them undecided" if found.undecided else ""
    return [*notes, f"finite differences of {found.looked} of {row.yours.size} elements{some}: {text}"]


# --- HTML -------------------------------------------------------------------------------------------------------------


def _html_table(rows: Sequence[Row], engine: str) -> str:
    """The table; colours are see-through, so that it reads on white and on black, and survives without them."""
    head = "".join(f'<th style="text-align: left">{html.escape(title)}</th>' for title in _titles(rows, engine))
    body = []
    for row in rows:
        colour = f"rgba({_COLOURS.get(row.verdict, _RED)}, 0.3)" if row.ok else f"rgba({_RED}, 0.35)"
        cells = [f'<td style="text-align: left">{html.escape(cell)}</td>' for cell in _cells(row)]
        verdict = html.escape(row.verdict)
        mark = f"<b>{verdict}</b>" if not row.ok else verdict
        cells[2] = f'<td style="text-align: left; background-color: {colour}">{mark}</td>'
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _side_by_side(row: Row, engine: str) -> str:
    """Yours beside the right one, wrong elements red: as numbers where they are few, else as maps of colours."""
    whose = "yours" if row.given is None else f"yours, {int(row.given.sum())} of {row.given.size} given"
    yours, right = _flat(row.yours), _flat(row.engine)
    given = np.ones(yours.shape, bool) if row.given is None else _flat(row.given)
    wrong = np.zeros(right.shape, bool) if row.wrong is None else _flat(np.broadcast_to(row.wrong, row.shape))
    if not yours.size or not right.size:
        return ""
    if max(yours.size, right.size) > _FEW or max(yours.shape[1], right.shape[1]) > 8:
        if row.tried is not None and not row.tried.all():
            engine = f"{engine} of {int(row.tried.sum())}, yours elsewhere"
        return _maps(whose, np.where(given, yours, 0.0), right, wrong, engine)
    same = yours.shape == right.shape and row.verdict != "shape"
    differ = wrong if same else None
    left, middle = _numbers(yours, differ, "<b>%s</b> ✕", _RED, given), _numbers(right, differ, "<b>%s</b>", _BLUE)
    return _beside([(f"{whose} {row.yours.shape}", left), (f"{engine} {row.shape}", middle)])


def _flat(array: Any) -> Any:
    """As a matrix: of one row where there are fewer axes, of the last axis where there are more."""
    array = np.asarray(array)
    return array.reshape(-1, array.shape[-1]) if array.ndim and array.shape[-1] else array.reshape(1, -1)


def _beside(parts: list[tuple[str, str]]) -> str:
    cells = "".join(f'<td style="vertical-align: top">{html.escape(t)}<br>{body}</td>' for t, body in parts)
    return f"<table><tbody><tr>{cells}</tr></tbody></table>"


def _numbers(array: Any, wrong: Any, mark: str, colour: str, given: Any = None) -> str:
    """A matrix as cells, those marked and coloured that differ; "…" where no number was given."""
    lines = []
    for i, line in enumerate(array):
        cells = []
        for j, value in enumerate(line):
            text, shade = in_words(float(value), 4), f"{_GREY}, 0.12"
            if given is not None and not given[i, j]:
                text = "…"
            if wrong is not None and wrong[i, j]:
                text, shade = mark % text, f"{colour}, 0.4"
            cells.append(f'<td style="text-align: right; background-color: rgba({shade})">{text}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def _maps(whose: str, yours: Any, right: Any, wrong: Any, engine: str) -> str:
    """Three maps of colours: the two gradients on one scale, and the wrong elements."""
    finite = np.abs(right[np.isfinite(right)])
    scale = float(finite.max(initial=0.0)) or 1.0
    parts = [(f"{whose}, ±{in_words(scale, 3)}", _map(yours / scale)), (engine, _map(right / scale))]
    if yours.shape == right.shape:
        shades = (f"rgba({_GREY}, 0.12)", f"rgba({_RED}, 0.9)")
        parts.append(("wrong", _map(wrong.astype(float), lambda is_wrong: shades[int(is_wrong)])))
    return _beside(parts)


def colour_of(value: float) -> str:
    """Blue is negative, white 0, orange positive, and black stands for NaN and infinity."""
    if not np.isfinite(value):
        return "rgb(0, 0, 0)"
    at = np.linspace(-1.0, 1.0, len(_SCALE))
    return f"rgb({', '.join(f'{np.interp(value, at, channel):.0f}' for channel in zip(*_SCALE, strict=True))})"


def _map(array: Any, colour: Callable[[float], str] = colour_of) -> str:
    """A matrix as small cells of colour; where it is no number, the cell has a sign in it."""
    array = _thinned(_thinned(array).T).T
    lines = []
    for line in array:
        cells = []
        for value in line:
            style = f"width: 8px; height: 8px; padding: 0; background-color: {colour(float(value))}"
            sign = "" if np.isfinite(value) else "×" if value != value else "+" if value > 0 else "−"
            style += "; color: rgb(255, 255, 255); font-size: 8px; line-height: 8px; text-align: center" if sign else ""
            cells.append(f'<td style="{style}">{sign}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def _thinned(array: Any) -> Any:
    """At most so many rows: the largest element of each block of rows, by its size."""
    if len(array) <= _CELLS:
        return array
    blocks = np.array_split(array, _CELLS)
    sized = [np.where(np.isnan(block), np.inf, np.abs(block)).argmax(axis=0) for block in blocks]
    return np.stack([block[at, np.arange(array.shape[1])] for block, at in zip(blocks, sized, strict=True)])
