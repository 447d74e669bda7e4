"""One hand-derived gradient beside the right one: how far off it is, where, and whether that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .differences import Partial, Partials
from .hand import Hand
from .limits import Limits

__all__ = [
    "Numeric",
    "Row",
    "compare_row",
    "in_words",
    "kinks_that_allow",
    "row_of_another_shape",
]

_FEW_DECIMALS = 5
"""So many decimals, the same for all numbers, are those that a source prints."""


class Numeric(NamedTuple):
    """Finite differences of some elements: whether each of the two gradients agrees with them; None: not compared."""

    engine: bool | None
    yours: bool | None
    looked: int
    undecided: int
    where: tuple[int, ...] | None
    value: float
    error: float


@dataclass(frozen=True, eq=False)
class Row:
    """One gradient of a report.

    Attributes
    ----------
    name : str
        Of what the gradient is taken by.
    shape : tuple of int
    verdict : {"exact", "close", "WRONG", "shape", "undecided", "NaN", "convention"}
        "undecided" where the two differ only where nothing can be told: at a kink, where yours lies between the slopes
        on the two sides, or where rounding may change a number by a tenth of it and more; "NaN" where the engine's
        is not a number, so that nothing agrees with it; "convention" where yours is right in a convention that gives
        the parameters the same gradients.
    yours, engine : array
        The gradients; that of the engine, or of finite differences where there is no other.
    wrong : array of bool or None
        Which elements are too far off; None where the shapes differ.
    undecided : array of bool or None
        Which elements can't be judged.
    largest, relative : float
        The largest absolute and the largest relative difference, |yours − engine| / max(|yours|, |engine|).
    where : tuple of int or None
        The element that is off most, among the wrong ones if there are any.
    tried : array of bool or None
        Where finite differences stand in for the engine: the elements that were differentiated; None: all.
    given : array of bool or None
        Which of yours were given, the others being NaN and not judged; None: all.
    numeric : Numeric or None
    note : str
    node : Node or None
        The record.
    what : {"gradient", "value"}
        What is compared.
    """

    name: str
    shape: tuple[int, ...]
    verdict: str
    yours: Any
    engine: Any
    wrong: Any = None
    largest: float = float("nan")
    relative: float = float("nan")
    where: tuple[int, ...] | None = None
    numeric: Numeric | None = None
    note: str = ""
    node: Any = None
    tried: Any = None
    given: Any = None
    what: str = "gradient"
    undecided: Any = None

    @property
    def ok(self) -> bool:
        """Whether nothing is known to be wrong."""
        engine_is_right = self.numeric is None or self.numeric.engine is not False
        return self.verdict not in ("WRONG", "shape", "NaN") and engine_is_right

    @property
    def values(self) -> tuple[float, float] | None:
        """The two numbers at `where`: yours and the engine's."""
        return None if self.where is None else (float(self.yours[self.where]), float(self.engine[self.where]))

    @property
    def place(self) -> str:
        """The name with the index of `where`: ``W⁽²⁾[0, 1]``."""
        return f"{self.name}[{', '.join(map(str, self.where))}]" if self.where else self.name


def compare_row(
    name: str,
    hand: Hand,
    engine: Any,
    limits: Limits,
    *,
    partials: Partials | None = None,
    numeric: bool = False,
    most: int = 50,
    slack: Any = 0.0,
    kinks: Any = False,
    unknown: Any = False,
    node: Any = None,
    note: str = "",
    tried: Any = None,
    what: str = "gradient",
) -> Row:
    """Compare a gradient with the engine's.

    Parameters
    ----------
    name : str
    hand : Hand
    engine : array
        The right gradient.
    limits : Limits
    partials : Partials, optional
        Finite differences, which tell the wrong elements from those at a kink.
    numeric : bool, optional
        Compare both gradients with finite differences.
    most : int, optional
        At most so many elements are differentiated numerically.
    slack : array, optional
        What to allow beyond the limits, as `engine` is not exact.
    kinks, unknown : array of bool, optional
        Elements that are known to be at a kink, and possible there; and those of which nothing is known.
    tried : array of bool, optional
        Where `engine` is of finite differences: the elements that were differentiated, and not taken from yours.
    what : {"gradient", "value"}
        What is compared.
    """
    right = np.asarray(engine)
    dtype, right = right.dtype if right.dtype.kind == "f" else np.dtype(np.float64), right.astype(np.float64)
    if hand.array.shape != right.shape:
        again = lambda other: compare_row(name, other, right.astype(dtype), limits, slack=np.max(slack, initial=0.0))
        return row_of_another_shape(name, hand, right, again, node, what)
    partly, hand = hand, hand.completed(right)
    allowed = limits.of(right, hand, dtype) + slack
    with np.errstate(all="ignore"):
        same = (hand.array == right) | (hand.array.astype(dtype).astype(np.float64) == right)
        off = np.where(same, 0.0, np.abs(hand.array - right))
        relative = np.where(same, 0.0, off / np.maximum(np.abs(hand.array), np.abs(right)))
        cut = _cut_off(hand, right)
        wrong = ~(same | (off <= allowed) | cut | np.isnan(right))
    far = np.nan_to_num(off, nan=np.inf)
    known = np.ones(right.shape, bool) if partly.given is None else partly.given
    checked, at_kinks = None, np.zeros(right.shape, bool) | kinks
    if partials is not None and not np.isnan(right).any():
        found = _differentiated(partials, hand, right, wrong, far, allowed, most, everything=numeric)
        at_kinks |= kinks_that_allow(hand, partials, found, wrong, allowed)
        if numeric:
            checked = _numeric(found, right, hand.array, limits.of(right, _plain(hand), dtype), allowed)
    wrong = wrong & ~at_kinks
    judged = same | wrong | at_kinks | np.isnan(right) | ~known
    hidden = (~judged & limits.hides(right, hand, dtype, slack)) | unknown
    verdict = _verdict(wrong, right[known], at_kinks | hidden, same)
    notes = [part for part in (note, partly.counted) if part]
    if hidden.any():
        notes.append(f"{_of(hidden)} smaller than what rounding may put off: nothing can be said of them")
    notes += _notes(partly, right, wrong, at_kinks, allowed, tried)
    if verdict == "close" and hand.unit is not None:
        is_cut = (cut & (off > allowed)).any()
        notes.append("to the digits printed" + (", cut off rather than rounded" if is_cut else ""))
    considered = wrong if wrong.any() else np.isnan(right) & known
    places = np.where(considered if considered.any() else known, far, -1.0)
    where = tuple(int(i) for i in np.unravel_index(int(places.argmax()), places.shape)) if places.size else None
    return Row(
        name, right.shape, verdict, partly.array, right, wrong, float(off[known].max(initial=0.0)),
        float(relative[known].max(initial=0.0)), where, checked, "; ".join(notes), node, tried, partly.given, what,
        at_kinks | hidden,
    )  # fmt: skip


def _of(some: Any) -> str:
    return f"{int(some.sum())} of {some.size} elements {'is' if some.sum() == 1 else 'are'}"


def _verdict(wrong: Any, right: Any, undecided: Any, same: Any) -> str:
    if wrong.any():
        return "WRONG"
    if np.isnan(right).any():
        return "NaN"
    return "undecided" if undecided.any() else "exact" if same.all() else "close"


def _notes(hand: Hand, right: Any, wrong: Any, at_kinks: Any, allowed: Any, tried: Any) -> list[str]:
    """What is to be said of kinks, of numbers that are none, and of the wrong ones."""
    notes = []
    known = np.ones(right.shape, bool) if hand.given is None else hand.given
    pairs = ((hand.array, right), (right, hand.array))
    yours, engines = (int((np.isnan(a) & ~np.isnan(b) & known).sum()) for a, b in pairs)
    both = int((np.isnan(right) & np.isnan(hand.array) & known).sum())
    if yours:
        notes.append(f"yours has NaN in {yours} of {right.size} elements, expected numbers")
    if engines or both:
        right_ones = "the engine has NaN" if tried is None else "finite differences have NaN"
        whose = "both have NaN" if both and not engines else right_ones
        notes.append(f"{whose} in {engines + both} of {right.size} elements, so that nothing can be compared there")
    if at_kinks.any():
        notes.append(f"{int(at_kinks.sum())} at a kink: any number between the slopes on its two sides is right")
    return notes + (_what_stands_out(hand, right, wrong, allowed, tried) if wrong.any() else [])


def _differentiated(
    partials: Partials, hand: Hand, right: Any, wrong: Any, off: Any, allowed: Any, most: int, *, everything: bool
) -> dict[tuple[int, ...], Partial]:
    """Elements differentiated numerically: the wrong ones, furthest off first; then any others.

    As long as all wrong ones turn out to be at kinks, more of them are looked at. Where only kinks are looked for, all
    together are tried first: mostly there are none.
    """
    order = np.argsort(-np.where(wrong, off, -1.0), axis=None, kind="stable")
    bad = int(wrong.sum())
    found: dict[tuple[int, ...], Partial] = {}
    only_kinks = True
    if bad and not everything:
        first = np.zeros(wrong.shape, bool)
        first.flat[order[: min(bad, most)]] = True
        if partials.is_smooth(first, right, off - allowed):
            return found
    for flat in [*order[:bad], *np.random.default_rng(0).permutation(order[bad:] if everything else order[:0])]:
        index = tuple(int(i) for i in np.unravel_index(int(flat), wrong.shape))
        if len(found) >= (20 * most if only_kinks and wrong[index] else most):
            break
        for claimed in (hand.array, right) if everything else (hand.array,):
            found[index] = partial = partials.at(index, float(claimed[index]), float(allowed[index]))
        only_kinks &= partial.kink and partial.allows(float(hand.array[index]), float(allowed[index]))
    return found


def kinks_that_allow(
    hand: Hand, partials: Partials, found: Mapping[tuple[int, ...], Partial], wrong: Any, allowed: Any
) -> Any:
    """Which wrong elements are at a kink and between the slopes on its two sides, each and all of them together.

    Together: those where the function bends one way, as the slopes along a direction bound nothing where it bends
    both ways. Several tied maxima that are given the whole gradient each are possible one by one, and not together.
    """
    mask = np.zeros(hand.array.shape, bool)
    allowed = np.broadcast_to(allowed, mask.shape)
    for convex in (True, False):
        part = np.zeros(mask.shape, bool)
        for index, partial in found.items():
            if wrong[index] and partial.kink and partial.convex is convex:
                part[index] = partial.allows(float(hand.array[index]), float(allowed[index]))
        if part.sum() > 1:
            number, slack, slope = partials.along(part, np.where(part, hand.array, 0.0), allowed)
            if not slope.allows(number, slack):
                continue
        mask |= part
    return mask


def _plain(hand: Hand) -> Hand:
    return hand._replace(unit=None)


def _cut_off(hand: Hand, right: Any) -> Any:
    """Where a printed number is the right one with its further digits cut off."""
    if hand.unit is None:
        return np.zeros(right.shape, bool)
    inside = (np.abs(hand.array) <= np.abs(right)) & (np.abs(right) < np.abs(hand.array) + hand.unit)
    return inside & (np.sign(hand.array) * np.sign(right) >= 0)


def _numeric(found: dict[tuple[int, ...], Partial], right: Any, yours: Any, limit: Any, hand_limit: Any) -> Numeric:
    """The two gradients against the finite differences that were found."""
    verdicts: dict[str, bool | None] = {"engine": None, "yours": None}
    where = None
    worst = -1.0
    for index, partial in found.items():
        for who, numbers, slack in (("engine", right, limit), ("yours", yours, hand_limit)):
            agrees = partial.allows(float(numbers[index]), float(slack[index]))
            if partial.tells(float(numbers[index])) or not agrees:
                verdicts[who] = agrees and verdicts[who] is not False
            distance = abs(float(numbers[index]) - partial.value)
            if not agrees and distance > worst:
                worst, where = distance, index
    if where is None:
        where = next((index for index, partial in found.items() if partial.tells(float(right[index]))), None)
    kinks = sum(not partial.tells(float(right[index])) for index, partial in found.items())
    value, error = found[where][:2] if where is not None else (np.nan, np.nan)
    return Numeric(verdicts["engine"], verdicts["yours"], len(found), kinks, where, value, error)


def row_of_another_shape(
    name: str, hand: Hand, right: Any, again: Callable[[Hand], Row], node: Any = None, what: str = "gradient"
) -> Row:
    """The row of a gradient that has not the shape of what it is taken by; `again` compares one that has."""
    given = hand.array
    note = f"yours has shape {given.shape}, expected {right.shape}"
    for meant, other in _turned(hand, right.shape):
        if again(other).ok:
            note += f"; {meant} would be right"
            break
    return Row(name, right.shape, "shape", given, right, note=note, node=node, given=hand.given, what=what)


def _turned(hand: Hand, shape: tuple[int, ...]) -> Iterator[tuple[str, Hand]]:
    """What a gradient of another shape may have been meant to be."""
    array, dtype = hand.array, hand.dtype
    if array.T.shape == shape:
        yield "its transpose", hand.reshaped(shape, turned=True)
    if array.size == int(np.prod(shape)):
        yield "the same numbers in that shape", hand.reshaped(shape)
        yield "its transpose in that shape", hand.reshaped(shape, turned=True)
    if hand.given is not None:
        return
    padded = (1,) * (array.ndim - len(shape)) + shape
    if len(padded) == array.ndim and all(n in (1, m) for n, m in zip(padded, array.shape, strict=True)):
        axes = tuple(i for i, (n, m) in enumerate(zip(padded, array.shape, strict=True)) if n != m)
        said = f"its sum over axis {axes[0]}" if len(axes) == 1 else f"its sum over the axes {axes}"
        if axes:
            yield said, Hand(array.sum(axis=axes).reshape(shape), dtype, None)


def _what_stands_out(hand: Hand, right: Any, wrong: Any, allowed: Any, tried: Any) -> list[str]:
    """How many elements are wrong; whether they are all the right ones times a number."""
    if wrong.size == 1:
        return []
    where = np.ones(right.shape, bool) if tried is None else tried
    where = where if hand.given is None else where & hand.given
    count, of_all = int(where.sum()), bool(where.all())
    looked = "tried" if hand.given is None else "given"
    notes = [f"{int(wrong.sum())} of " + (f"{count} elements differ" if of_all else f"the {count} {looked} differ")]
    yours, known = hand.array[where], right[where]
    if np.isfinite(yours).all() and np.isfinite(known).all() and known.any() and count > 1:
        ratio = float(np.sum(yours * known) / np.sum(known * known))
        slack = np.broadcast_to(allowed, right.shape)[where] * max(1.0, abs(ratio))
        if np.all(np.abs(yours - ratio * known) <= slack) and abs(ratio) > 1e-3:
            whose = "the engine's" if tried is None else "what finite differences give,"
            notes.append(f"yours is {in_words(ratio)} times {whose} {'everywhere' if of_all else 'at all of these'}")
    if right.ndim == 2 and right.shape[0] == right.shape[1] > 1 and count > 1:
        allows = np.broadcast_to(allowed, right.shape).T
        turned = hand.reshaped(right.shape, turned=True).completed(right).array
        if np.all(np.abs(turned - right) <= np.maximum(allows, allows.T)):
            notes.append("its transpose would be right")
    decimals = next((d for d in range(_FEW_DECIMALS + 1) if np.array_equal(np.round(yours, d), yours)), None)
    if decimals and np.array_equal(np.round(known, decimals), yours):
        notes.append(f"right to the {decimals} decimals of yours: numbers as printed are given in quotation marks")
    return notes


def in_words(value: float, digits: int = 8) -> str:
    """A number in a few characters, to be read: ``−0.1234`` with a real minus sign, ``NaN``, ``Inf``."""
    if value != value:
        return "NaN"
    text = f"{abs(value):.{digits}g}" if abs(value) != float("inf") else "Inf"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text
