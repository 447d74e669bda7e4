"""Tries the slips: which of them give the numbers that a person found, to the digits given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted

from .fits import PLAIN, TWO, Fit, distinct
from .printed import Given
from .probes import Probes
from .pushing import Change
from .slips import SLIPS
from .trials import Scene, Slip, Trial, nearest_ratio, once, times, together

__all__ = ["DIGITS", "explained", "search"]

_FEWEST_DIFFERING = 2
"""So many numbers must be wrong where one is solved for: one alone is had by any."""
_FEW_STEPS = 3
"""After so many steps a number that is solved for must have led some of the way."""
_PLENTY = 24
"""Digits of fewer numbers, that do as well."""
_ENOUGH = 4
"""Two slips at once are looked for only with so many numbers: fewer come out by chance."""


_FEW_PLACES = 4
"""Of so many places every choice is tried."""

DIGITS = 5
"""So many digits, of all numbers together, do not come out by chance."""
_FEWEST_DIGITS = 3.9
"""So many at least where a slip has many forms."""
_LEVELS = (0, 1, 2)
"""Slips are tried by how generic they are, small edits of formulas last."""
_OF_LOOPS = 1
"""Slips of no higher rank are made at each step of a loop, and the first one is enough."""
_FIRST, _NEAR = 4, 1.0
"""Of each of these so many are tried first, and those that are nearer than none at all."""
_EXACT = 15
_NOT_ANY = 0.5
"""With fewer, some slip gives any number; the more were tried, the more digits that takes."""
_DIGITS_TO_SOLVE = 8
"""So many where a number is solved for."""


def search(scene: Scene, *, deep: bool = True, larger: bool = True) -> list[Fit]:
    """The slips that give the wrong gradients of a scene and leave the others as they are, the best first.

    What costs no sweep comes first, so that it is tried whatever the time; then the slips by their rank, the generic
    ones after the others. What there is no time for is noted in the scene's budget. `deep`: of small edits of
    formulas alone, which come after all else; `larger`: also of other formulas, and of two slips at once.
    """
    if scene.outcome is None and scene.sweeper.is_plain and scene.probes is None:
        probes = Probes(scene.sweeper, scene.given, scene.wrong)
        scene.probes = probes if probes.usable else None
    fits: list[Fit] = []
    for generic in _LEVELS[-1:] if deep else _LEVELS[:-1]:
        if _is_sure(scene, fits):
            break
        fits += _of(scene, [s for s in SLIPS if s.generic == generic], fits)
    fits = [fit for fit in fits if _evidence(scene, fit)]
    fits = fits if fits or not deep else list(_with_a_factor(scene))
    if deep and larger and not _is_sure(scene, fits):
        more = [s for s in SLIPS if s.generic == TWO and (not fits or s.name == "another formula")]
        fits += [fit for fit in _of(scene, more, []) if _evidence(scene, fit)]
    return distinct(sorted(fits, key=lambda f: f.order))


def _of(scene: Scene, entries: Sequence[Slip], before: Sequence[Fit]) -> list[Fit]:
    """The fits of some slips, at one place each; at several where no slip explains all."""
    fits: list[Fit] = []
    alike: dict[tuple[Slip, Any], list[Trial]] = {}
    ordered = sorted(entries, key=lambda s: (not s.quick, s.slow, s.rank))
    in_loops = [s for s in ordered if s.rank <= _OF_LOOPS] if scene.probes is not None else []
    others = (entry for entry in ordered if entry not in in_loops)
    once = ((e, trial) for e in others if e.generic < TWO or not _is_sure(scene, fits) for trial in _trials(scene, e))
    for entry, trial in itertools.chain(_nearest_first(scene, in_loops), once):
        fit = _tried(scene, entry, trial)
        if fit is not None:
            fits.append(fit)
            if entry in in_loops and _is_whole(scene, fit):
                return fits
        if trial.kind is not None and trial.accepts is None:
            alike.setdefault((entry, trial.kind), []).append(trial)
    if _is_sure(scene, [*before, *fits]):
        return fits
    for entry, joined in _at_several_places(scene, alike):
        if scene.budget.is_spent_on(scene.beyond or "one slip at several places"):
            break
        fit = _tried(scene, entry, joined)
        if fit is not None and sum(_digits(scene, one) for one in fit.explains) >= DIGITS:
            fits.append(fit)
    return fits


def _is_sure(scene: Scene, fits: Sequence[Fit]) -> bool:
    """Whether a slip explains all, with no number solved for: what has one, another may give without."""
    return any(len(fit.explains) == len(scene.wrong) and fit.solved is None for fit in fits)


def _nearest_first(scene: Scene, entries: Sequence[Slip]) -> Iterator[tuple[Slip, Trial]]:
    """The trials of slips at each step of a loop: of each slip the first and those nearest to the numbers, then the
    rest."""
    rest: list[tuple[float, Slip, Trial]] = []
    for entry in entries:
        some = ((k and _distance(scene, trial), entry, trial) for k, trial in enumerate(_trials(scene, entry)))
        ranked = sorted(some, key=lambda one: one[0])
        near = [one for k, one in enumerate(ranked) if k <= _FIRST or one[0] < _NEAR]
        yield from ((entry, trial) for _, entry, trial in near)
        rest += ranked[len(near) :]
    for _, entry, trial in sorted(rest, key=lambda one: one[0]):
        if scene.budget.is_spent_on(scene.beyond or entry.name):
            return
        yield entry, trial


def _distance(scene: Scene, trial: Trial) -> float:
    with attempted():
        return float(scene.probes.distance(trial.made()))
    return np.inf


def _is_whole(scene: Scene, fit: Fit) -> bool:
    several = len(fit.change.edges) + len(fit.change.past) > 1
    return len(fit.explains) == len(scene.wrong) and fit.trial.places == 1 and several


def _evidence(scene: Scene, fit: Fit) -> bool:
    """Whether there are digits enough to believe a slip: the more, the more edits of formulas were tried."""
    if fit.slip.generic < _LEVELS[-1]:
        least = max(_NOT_ANY, float(np.log10(scene.made / 2))) + scene.more_digits
        return sum(_digits(scene, one) for one in fit.explains) >= least
    needed = float(np.log10(max(scene.tried, 1))) + 2 * (fit.slip.generic - 1) + scene.more_digits + fit.trial.free
    return sum(min(_digits(scene, one), _EXACT * _different(one)) for one in fit.explains) >= needed


def _digits(scene: Scene, one: Given) -> float:
    return one.digits_off(_right(scene).get(one.node))


def _different(one: Given) -> int:
    """How many different numbers there are, but for 0 and 1."""
    sizes = np.unique(np.abs(one.numbers))
    return int(np.count_nonzero((sizes != 0) & (sizes != 1)))


def _trials(scene: Scene, entry: Slip, beyond: str = "") -> Iterator[Trial]:
    """The trials of a slip, as long as there is time; also where one of them can't be made. `beyond` is what else they
    are tried for."""
    trials, beyond = iter(entry.trials(scene)), beyond or scene.beyond
    while True:
        if (beyond or not entry.quick) and scene.budget.is_spent_on(beyond or entry.name):
            return
        with attempted() as making:
            trial = next(trials, None)
        if making.failed or trial is None:
            return
        scene.made += 1
        yield trial


def _at_several_places(scene: Scene, alike: Mapping[tuple[Slip, Any], list[Trial]]) -> Iterator[tuple[Slip, Trial]]:
    """One slip at all of the places where it can happen, at all but the first or the last, and at fewer of few."""
    for (entry, _), trials in alike.items():
        n = len(trials)
        if n > _FEW_PLACES:
            choices = [tuple(range(n)), tuple(range(1, n)), tuple(range(n - 1))]
        else:
            choices = [c for k in range(n, 1, -1) for c in itertools.combinations(range(n), k)]
        for some in choices:
            places = 2 if len(some) == n else len(some) + 1
            yield entry, together(scene, [trials[k] for k in some], n, places)


def _with_a_factor(scene: Scene) -> Iterator[Fit]:
    """Slips that give the numbers but for a sign or a factor, where there are numbers enough to tell."""
    few = sum(one.numbers.size for one in scene.wrong) < _ENOUGH
    if (few and sum(one.digits for one in scene.wrong) < _PLENTY) or not all(one.has_shape for one in scene.wrong):
        return
    first = scene.wrong[0]
    root = scene.tape.root
    probes = scene.probes

    def is_simple(k: float) -> bool:
        return nearest_ratio(k) is not None

    for entry in SLIPS:
        if entry.generic or entry.name in PLAIN:
            continue
        for trial in _trials(scene, entry, "a slip and a factor at once"):
            if trial.accepts is not None:
                continue
            out = True
            with attempted():
                out = probes is not None and probes.rules_out_times(trial.made(), is_simple)
            if out:
                continue
            grads = _pushed(scene, trial.made)
            found = _stacked(grads, [first]) if grads is not None else None
            if grads is None or found is None or not np.isfinite(found).all() or not found.any():
                continue
            with np.errstate(all="ignore"):
                k = nearest_ratio(float((found @ first.numbers) / (found @ found)))
            if k is None or k == 1 or not first.agrees(k * grads[first.node]):
                continue
            edges = {(root, i): times(k) for i in scene.sweeper.edges.get(root, ())}
            whole = trial.made().then(Change(edges=edges))
            explains = tuple(one for one in scene.wrong if one.agrees(k * grads[one.node]))
            if sum(one.digits for one in explains) >= _PLENTY or len(explains) == len(scene.wrong):
                said = f"{k:g}" if abs(k) >= 1 else f"{'−' if k < 0 else ''}1/{abs(1 / k):g}"
                yield Fit(entry, trial, explains, None, said.replace("-", "−"), scaled=whole)


def _tried(scene: Scene, entry: Slip, trial: Trial) -> Fit | None:
    probes = scene.probes
    if probes is not None and not entry.quick:
        rules_out = probes.rules_out if trial.accepts is None else probes.rules_out_any
        with attempted() as asking:
            if rules_out(trial.made() if trial.accepts is None else trial.made):
                return None
        if asking.failed:
            return None
    if trial.accepts is None:
        explains = explained(scene, trial.made)
        if _says_more(scene, entry, trial.made, explains):
            return None
        if entry.chancy and not all(_digits(scene, one) >= _FEWEST_DIGITS for one in explains):
            return None
        return Fit(entry, trial, explains, None) if explains else None
    for some in _subsets(scene.wrong):
        t = _solved(scene, trial.made, some, linear=trial.linear)
        if t is None or not trial.accepts(t):
            continue
        for candidate in _rounded(t):
            explains = explained(scene, partial(trial.made, candidate)) if trial.accepts(candidate) else ()
            if sum(one.digits for one in explains) < _DIGITS_TO_SOLVE:
                continue
            if _says_more(scene, entry, partial(trial.made, candidate), explains):
                continue
            if sum(_differing(scene, one) for one in explains) < _FEWEST_DIFFERING:
                continue
            if len(explains) >= len(some) and all(one in explains for one in some):
                return Fit(entry, trial, explains, candidate)
    return None


def _differing(scene: Scene, one: Given) -> int:
    """How many numbers are not what they are without a slip, to the digits given."""
    right = np.asarray(_right(scene)[one.node], np.float64)
    return int(np.count_nonzero(one.picked(np.abs(one.array - right) > one.limits.of(right, one.hand, one.node.dtype))))


def _says_more(scene: Scene, entry: Slip, change: Callable[[], Change], explains: Sequence[Given]) -> bool:
    """Whether something is said of more gradients than it is true of."""
    ended = entry.quick or entry.name == "regularisation term"
    return ended and scene.outcome is None and len(change().ends) > len(explains)


def _subsets(wrong: Sequence[Given]) -> Iterator[tuple[Given, ...]]:
    yield tuple(wrong)
    if len(wrong) > 1:
        for one in wrong:
            yield (one,)


def _rounded(t: float) -> Iterator[float]:
    """A number solved for, as round as may be: nobody learns at a rate of 0.4999987."""
    yield from (float(f"{t:.{digits - 1}e}") for digits in (1, 2, 3))
    yield 1 / (round(1 / t) or 1 / t)
    yield from (float(f"{t:.{digits - 1}e}") for digits in (4, 6))
    yield t


def explained(scene: Scene, change: Callable[[], Change]) -> tuple[Given, ...]:
    """The wrong gradients that a change gives; nothing where it spoils a right one."""
    base = _right(scene)

    def allowed(node: Node, got: Any) -> bool:
        one = scene.given.get(node)
        if one is None or one in scene.wrong or node not in base:
            return True
        return got is base[node] or np.array_equal(got, base[node]) or one.agrees(got)

    grads = _pushed(scene, change, allowed)
    if grads is None or not all(allowed(node, grads[node]) for node in scene.given if node in grads):
        return ()
    given = (one for one in scene.wrong if one.node in grads and one.agrees(grads[one.node]))
    return tuple(one for one in given if one.node not in base or not one.agrees(base[one.node]))


@once
def _right(scene: Scene) -> Mapping[Node, Any]:
    """What is compared, without a slip."""
    grads = scene.sweeper.base.grads
    return grads if scene.outcome is None else scene.outcome(grads) or {}


def _pushed(
    scene: Scene, change: Callable[[], Change], allowed: Callable[[Node, Any], bool] | None = None
) -> Mapping[Node, Any] | None:
    """The gradients with a slip; None where they can't be had, for which a rule or the program may have any reason."""
    grads: Mapping[Node, Any] | None = None
    with attempted():
        if scene.outcome is None:
            grads = scene.sweeper.pushed(change(), allowed)
        else:
            grads = scene.outcome(scene.sweeper.pushed(change()))
    return grads


def _stacked(grads: Any, some: Sequence[Given]) -> Any:
    parts = [np.asarray(grads[one.node], np.float64) for one in some]
    if any(part.shape != one.array.shape for part, one in zip(parts, some, strict=True)):
        return None
    return np.concatenate([one.picked(part) for part, one in zip(parts, some, strict=True)])


def _solved(
    scene: Scene, change: Callable[[float], Change], some: Sequence[Given], *, linear: bool = False
) -> float | None:
    """The number with which a change gives the numbers found, by Newton's method; one that is linear needs one step."""
    target = np.concatenate([one.numbers for one in some])
    if any(not one.has_shape for one in some):
        return None

    def at(t: float) -> Any:
        grads = _pushed(scene, partial(change, t))
        return None if grads is None else _stacked(grads, some)

    t, step, start = 0.0, 1e-3, 0.0
    for k in range(12):
        here, there = at(t), at(t + step)
        if here is None or there is None or not (np.isfinite(here).all() and np.isfinite(there).all()):
            return None
        off = float(np.linalg.norm(target - here))
        start = start or off
        if k >= _FEW_STEPS and off > 0.7 * start:
            return None  # no nearer than without the slip
        slope = (there - here) / step
        size = float(slope @ slope)
        if not size or np.count_nonzero(np.abs(slope) > 1e-9 * np.abs(slope).max()) < 2:
            return None  # one number alone can be had by solving for another
        move = float(slope @ (target - here)) / size
        t += move
        if linear:
            if float(np.linalg.norm(target - here - move * slope)) > 0.7 * start:
                return None
            break
        if abs(move) <= 1e-10 * max(abs(t), 1e-12) or not np.isfinite(t):
            break
    return t if np.isfinite(t) and t else None
