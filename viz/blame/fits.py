"""Slips that give the numbers, and which of them are spoken of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .printed import Given
from .pushing import Change
from .trials import Slip, Trial

__all__ = ["PLAIN", "TWO", "Fit", "distinct"]

PLAIN = ("sign", "factor")
TWO = 3
"""How generic two slips at once are."""
_ANY_MULTIPLE = "stale forward values"
"""With a number that is solved for, whatever is a multiple of the right gradient."""


class Fit(NamedTuple):
    """A slip that gives the numbers: of which gradients, and with which number solved for."""

    slip: Slip
    trial: Trial
    explains: tuple[Given, ...]
    solved: float | None
    times: str = ""
    above: tuple[Fit, ...] = ()
    """The slips found before, on top of which this one gives the numbers."""
    scaled: Change | None = None
    """The change with the factor, where there is one."""
    alone: bool = False
    """Whether it is on the way to one gradient alone."""

    @property
    def change(self) -> Change:
        """What is done otherwise."""
        if self.scaled is not None:
            return self.scaled
        return self.trial.made(self.solved)

    @property
    def sentence(self) -> str:
        said = self.trial.said(self.solved)
        return (
            f"two slips at once: {said}; and all of it is {self.times} times what it should be" if self.times else said
        )

    @property
    def order(self) -> tuple[Any, ...]:
        """The best first: explains most, says most, at the fewest places, with nothing solved for, shortest."""
        trial = self.trial
        by_kind = self.slip.generic, bool(trial.free), self.slip.rank
        return -len(self.explains), *by_kind, trial.places, self.solved is not None, trial.size


def distinct(fits: Sequence[Fit]) -> list[Fit]:
    """Without those of a kind that is spoken of better, and those that explain less than another; where it may be no
    mistake at all, that alone."""
    if not fits:
        return []
    best = max(len(f.explains) for f in fits)
    kept = [f for f in fits if len(f.explains) == best]
    plain = [f for f in kept if f.solved is None]
    kept = plain or [f for f in kept if f.slip.name != _ANY_MULTIPLE] or kept
    least = min(f.slip.generic for f in plain) if plain else TWO
    kept = [f for f in kept if f.slip.generic <= max(least, 1)]
    kept = [f for f in kept if not f.slip.generic] or _of_the_first(kept)
    kept = [f for f in kept if f.slip.harmless] or kept
    covered = {name for f in kept for name in f.slip.covers}
    kept = [f for f in kept if f.slip.name not in covered]
    fewest: dict[str, int] = {}
    for f in kept:
        fewest[f.slip.name] = min(f.trial.places, fewest.get(f.slip.name, f.trial.places))
    kept = [f for f in kept if f.trial.places == fewest[f.slip.name]]
    seen: set[str] = set()
    return [f for f in kept if not (f.sentence in seen or seen.add(f.sentence))]  # type: ignore[func-returns-value]


def _of_the_first(fits: list[Fit]) -> list[Fit]:
    """Of slips that are generic the first, and what gives the same numbers in another step; beside a sign or a factor
    also what reads like it in a rule."""
    first = fits[0]
    plain = first.slip.name in PLAIN
    return [
        f for f in fits
        if f.slip is first.slip or (f.slip.name != "some factor" and (plain or f.trial.node is not first.trial.node))
    ]  # fmt: skip
