"""What blame has found, as data that prints itself."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd import Node
from autograd.bytecode import Source

from ..plain.numbers import clean, listed

__all__ = ["Finding", "Mismatch"]


_MOST_LINES = 4
"""So many lines of the program are printed."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What went wrong with one gradient, or with several by one slip.

    Attributes
    ----------
    verdict : {"wrong here", "inherited"}
        Whether a step was done wrong, or done right with a gradient that was wrong already.
    sentence : str
    gradients : tuple of str
        Of which of the gradients handed in: the names.
    slip : str or None
        The name of the slip that gives these numbers; None where none is known.
    node : Node
        The operation whose derivative went wrong.
    places : tuple of Node
        All operations where that slip gives these numbers, or where the step may be wrong; `node` is the first.
    source : Source or None
        The line of the program: ``source.text``.
    rule : str
        The right rule of that step: ``∂L/∂z⁽¹⁾ = ∂L/∂a⁽¹⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)``; empty where it is more than one.
    where : tuple of int or None
        The element that is off most.
    yours, engine : float or None
        The two numbers there.
    solved : float or None
        The number that was solved for to explain yours: a learning rate, a λ.
    your_formula, right_formula : str
        The formula that gives your numbers and the right one, where the slip is a small edit of it; else empty.
    """

    verdict: str
    sentence: str
    gradients: tuple[str, ...]
    slip: str | None
    node: Node
    places: tuple[Node, ...] = ()
    rule: str = ""
    where: tuple[int, ...] | None = None
    yours: float | None = None
    engine: float | None = None
    solved: float | None = None
    your_formula: str = ""
    right_formula: str = ""

    @property
    def source(self) -> Source | None:
        """The line of the program."""
        return self.node.source

    def __str__(self) -> str:
        lines = [self.sentence]
        if self.your_formula:
            lines += [f"    yours: {self.your_formula}", f"    right: {self.right_formula}"]
        elif self.rule and f"{self.rule.partition('=')[0]}= " not in self.sentence:
            lines.append(f"    the rule: {self.rule}")
        sources = [place.source for place in (self.node, *self.places) if place.source is not None]
        code = dict.fromkeys(f"{s}: {clean(s.text, 80)}" if s.text else str(s) for s in sources)
        lines += [f"    {line}" for line in list(code)[:_MOST_LINES]]
        if self.yours is not None and self.engine is not None:
            at = f"[{', '.join(map(str, self.where))}]" if self.where else ""
            texts = [[f"{n + 0.0:.{digits}g}" for n in (self.yours, self.engine)] for digits in (6, 9, 12, 17)]
            yours, right = next((pair for pair in texts if pair[0] != pair[1]), texts[0])
            lines.append(f"    {self.gradients[0]}{at}: yours {yours}, right {right}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Finding: {self.sentence}>"


class Mismatch:
    """What `explain_mismatch` has found: prints itself, and is a sequence of findings, the first wrong step first.

    Attributes
    ----------
    verdicts : dict of str to str
        Each gradient handed in: ``"right"``, ``"wrong here"``, ``"inherited"``, or ``"undecided"`` where numbers are
        smaller than what rounding may put off or the engine's are NaN, in the order of the backward pass.
    findings : tuple of Finding
    notes : tuple of str
        What else there is to say: which gradients were taken from the engine, what could not be told apart, what wrong
        ones would be right for.
    convention : str
        ``"A. Ng's convention"``, where the gradients are in it; what follows from it is right. Else empty.
    untried : tuple of str
        The slips that there was no time to try, or not at every place: in about two seconds as much is tried as can
        be, from what is quick and likely on. Empty where all were.
    """

    def __init__(
        self,
        verdicts: dict[str, str],
        findings: Sequence[Finding],
        notes: Sequence[str] = (),
        convention: str = "",
        untried: Sequence[str] = (),
    ):
        self.convention = convention
        self.untried = tuple(untried)
        self.verdicts = verdicts
        self.findings = tuple(findings)
        self.notes = (*notes, _no_time_for(self.untried)) if untried else tuple(notes)

    @property
    def ok(self) -> bool:
        """Whether all gradients match."""
        return not self.findings

    @property
    def first(self) -> Finding | None:
        """The first wrong step; None where all gradients match."""
        return self.findings[0] if self.findings else None

    @property
    def summary(self) -> str:
        """``1 of 3 gradients is wrong: ∂L/∂W⁽¹⁾; …``, in one line."""
        total = len(self.verdicts)
        kinds = {"gradient" if name.startswith("∂") else "value" for name in self.verdicts}
        what = kinds.pop() if len(kinds) == 1 else "number"
        undecided = [name for name, v in self.verdicts.items() if v == "undecided"]
        if self.ok:
            within = f", in {self.convention}," if self.convention else ""
            right = total - len(undecided)
            matches = "matches" if right == 1 else "match"
            said = f"{_count(right, what)} {matches} the engine's{within} to the digits given."
            rest = f"That can't be told of {listed(undecided)}." if undecided else ""
            return " ".join([said, rest] if right and rest else [rest or said])
        parts = []
        for verdict, said in (("wrong here", "wrong"), ("inherited", "wrong only by what was handed on"),
                              ("right", "right"), ("undecided", "can't be told")):  # fmt: skip
            names = [name for name, v in self.verdicts.items() if v == verdict]
            if names:
                parts.append(f"{said}: {listed(names)}")
        return f"Of {_count(total, what)} — {'; '.join(parts)}."

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, index: Any) -> Any:
        return self.findings[index]

    def __str__(self) -> str:
        lines = [self.summary] if len(self.verdicts) > 1 or not self.findings else []
        lines += [f"{k}. {finding}" if len(self) > 1 else str(finding) for k, finding in enumerate(self, 1)]
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return f"<Mismatch: {self.summary}>"

    def _repr_html_(self) -> str:
        items = "".join(f"<li><pre>{html.escape(str(f))}</pre></li>" for f in self)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<div><p>{html.escape(self.summary)}</p><ol>{items}</ol>{notes}</div>"


_MOST_NAMED = 4


def _no_time_for(untried: Sequence[str]) -> str:
    more = f" and {len(untried) - _MOST_NAMED} more" if len(untried) > _MOST_NAMED else ""
    return (
        f"There was no time to try all that could be wrong; untried in part: {', '.join(untried[:_MOST_NAMED])}{more}."
    )


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
