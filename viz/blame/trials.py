"""What a slip is: a backward sweep with something changed, tried at every place where it can happen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autograd import Node, Tape

from ..plain.numbers import listed
from .printed import Given
from .pushing import Change, Edge, Sweeper
from .words import Words

__all__ = [
    "QUOTIENTS", "RESULT", "SECONDS", "Budget", "Scene", "Slip", "Trial", "ended", "handed_on", "is_round",
    "nearest_ratio", "once", "rounded", "slip", "times", "together", "with_reads", "with_upstream",
]  # fmt: skip


T = TypeVar("T")


class Trial(NamedTuple):
    """A slip at one place.

    Attributes
    ----------
    node : Node
        The operation that it happens at.
    sentence : str or callable
        What was done instead, without a full stop; ``{}`` stands for the number that is solved for, which a callable
        is given.
    change : Change or callable
        ``change(t)`` where a number `t` is to be solved for; ``change()`` where it takes a forward pass to make it.
    operand : int or None
        Which rule of the operation it is.
    accepts : callable or None
        Whether a number `t` makes sense.
    places : int
        At how many places at once.
    kind : object
        Trials of one slip and one kind are also made together; None where they are not.
    alike : str
        What those of the kind are called.
    linear : bool
        Whether the gradients are linear in the number `t`.
    formulas : callable or None
        Gives the formula that was used, and the right one.
    size : int
        Of the formula: the shorter one is likelier to be what somebody wrote.
    free : int
        How many digits of the gradients go into a number that was found from them.
    """

    node: Node
    sentence: Any
    change: Any
    operand: int | None = None
    accepts: Callable[[float], bool] | None = None
    places: int = 1
    kind: Any = None
    alike: str = "steps of this kind"
    linear: bool = False
    formulas: Callable[[], tuple[str, str]] | None = None
    size: int = 0
    free: int = 0

    def made(self, solved: float | None = None) -> Change:
        """The change, with the number that was solved for."""
        if isinstance(self.change, Change):
            return self.change
        made = self.change() if self.accepts is None else self.change(solved)
        assert isinstance(made, Change)
        return made

    def said(self, solved: float | None = None) -> str:
        """The sentence, with the number that was solved for."""
        if callable(self.sentence):
            return str(self.sentence(solved))
        said = str(self.sentence)
        return said if solved is None else said.replace("{}", f"{solved:.4g}".replace("-", "−"))


class Slip(NamedTuple):
    """A slip by its name; `rank` orders those that fit: what could hardly fit by chance, or says most, comes first.

    One that is `generic` is spoken of only where no other fits, the more so the higher the number; and those that
    `covers` names not beside this one, which says the same in better words. A `harmless` one is no mistake. One that is
    `chancy` has so many forms that it counts only for gradients of digits enough that they do not come out by chance.
    One that is `quick` takes no sweep, and is tried whatever the time; one that is `slow` takes many, or forward
    passes, and is tried last of its kind.
    """

    name: str
    rank: int
    trials: Callable[[Scene], Iterable[Trial]]
    generic: int = 0
    covers: tuple[str, ...] = ()
    harmless: bool = False
    chancy: bool = False
    quick: bool = False
    slow: bool = False


def slip(name: str, rank: int, **more: Any) -> Callable[[Callable[[Scene], Iterable[Trial]]], Slip]:
    """Make a slip of a function that yields its trials."""
    return lambda trials: Slip(name, rank, trials, **more)


_FEW_PLACES = 4
"""So many other places are named."""


def together(scene: Scene, chosen: Sequence[Trial], most: int, places: int) -> Trial:
    """A slip at several of the places where it can happen."""

    def said(solved: float | None) -> str:
        first, *rest = chosen
        if len(chosen) == most:
            return f"{first.said()}; and so at each of the {most} {first.alike}"
        if len(rest) < _FEW_PLACES:
            return f"{first.said()}; and so at {listed([scene.words.made(trial.node) for trial in rest])}"
        return f"{first.said()}; and so at {len(chosen)} of the {most} {first.alike}"

    def change() -> Change:
        return Change.all(trial.made() for trial in chosen)

    return chosen[0]._replace(sentence=said, change=change, places=places)


SECONDS = 2.0
"""How long a person waits."""
_TO_SAY = 0.3
"""To say what was found takes this part of what it took to compare."""
RESULT = -1
"""The place of a result among the operands that a rule reads."""
QUOTIENTS = frozenset({"divide", "reciprocal"})
"""Their rules read the result, where a textbook has a power of the operand."""
_SIMPLEST = 12
_NEARLY = 1e-6
"""Relative to a number that is solved for: what rounding may make of it."""


def nearest_ratio(k: float) -> float | None:
    """A whole number up to 12, or 1 over one, that a factor is near to, if there is one."""
    if not np.isfinite(k) or not k:
        return None
    whole = round(abs(k)) if abs(k) >= 1 else round(1 / abs(k))
    near = np.sign(k) * (whole if abs(k) >= 1 else 1 / whole)
    return float(near) if whole <= _SIMPLEST and abs(near - k) <= 0.05 * abs(k) else None


def is_round(k: float) -> bool:
    """Whether a number is one of three digits at most."""
    return abs(float(f"{k:.2e}") - k) < _NEARLY * abs(k)


def rounded(right: float, k: float, doubt: float) -> list[float]:
    """What somebody may have written for a number, near to one that was found, the roundest first.

    It has three digits at most, or 1 over it has, or its ratio to the right one, or the difference.
    """
    ways = (1.0, 0.0, False), (1.0, 0.0, True), (right, 0.0, False), (1.0, right, False)
    found: dict[int, float] = {}
    for digits in range(3) if k else ():
        for scale, start, below in ways if right else ways[:2]:
            there = (k - start) / scale
            near = float(f"{1 / there if below else there:.{digits}e}")
            some = (1 / near if below else near) * scale + start
            if abs(some - k) <= max(doubt, _NEARLY * abs(k)):
                found.setdefault(digits, some)
    return list(dict.fromkeys(found.values()))


class Budget:
    """The time that a person waits, and what there was no time for.

    It is the time that this thread computes: what else a machine is busy with has no part in what is found.

    Attributes
    ----------
    untried : dict of str to None
        The slips that were not tried, or not at every place, in order.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.untried: dict[str, None] = {}
        self._seconds, self._held_back = seconds, 0.0
        self._start = time.thread_time()
        self._end = self._start + seconds

    def begin(self) -> None:
        """From now on mistakes are looked for, until there is just time to say what was found, which takes part of what
        it took to compare; a quarter of all at least."""
        now = time.thread_time()
        self._end = max(self._end - _TO_SAY * (now - self._start), now + 0.25 * self._seconds)

    def hold_back(self, share: float) -> None:
        """Keep a part of the time for what comes after."""
        self._held_back = share * self._seconds

    def is_spent_on(self, what: str) -> bool:
        """Whether there is no time left, and so none for this."""
        if time.thread_time() < self._end - self._held_back:
            return False
        self.untried[what] = None
        return True


@dataclass
class Scene:
    """What the slips are tried on.

    Attributes
    ----------
    sweeper : Sweeper
    words : Words
    given : dict of Node to Given
    wrong : list of Given
        Those that are to be explained.
    lr, weight_decay : float or None
    budget : Budget
    """

    sweeper: Sweeper
    words: Words
    given: dict[Node, Given]
    wrong: list[Given]
    lr: float | None = None
    weight_decay: float | None = None
    budget: Budget = field(default_factory=Budget)
    outcome: Callable[[Mapping[Node, Any]], dict[Node, Any] | None] | None = None
    """What is compared, made of the gradients; unless told, these themselves."""
    found: dict[Callable[[Scene], Any], Any] = field(default_factory=dict)
    """What functions of a scene that are computed `once` gave."""
    beyond: str = ""
    """What this is tried for, where the same was tried before without."""
    more_digits: float = 0.0
    """How many more digits must agree than otherwise."""
    made: int = 0
    """How many slips were tried, at one place each."""
    tried: int = 0
    """How many edits of formulas were tried."""
    probes: Any = None
    """What rules slips out without a sweep, where that can be told."""

    @property
    def tape(self) -> Tape:
        return self.sweeper.tape

    def value(self, operand: Any) -> Any:
        """The value of a record, or a constant as an array."""
        return self.tape.value(operand) if isinstance(operand, Node) else np.asarray(operand)

    def edges(self) -> Iterator[Edge]:
        """Every rule that the gradients in question pass through, the last operation first."""
        for node in self.sweeper.nodes:
            if node in self.sweeper.base.grads:
                for i in self.sweeper.edges[node]:
                    yield node, i

    def nodes(self) -> Iterator[Node]:
        """Every operation that the gradients in question pass through, the last first."""
        for node in self.sweeper.nodes:
            if node in self.sweeper.base.grads and self.sweeper.edges[node]:
                yield node

    def trial(self, edge: Edge, sentence: str, sent: Callable[[Any, Any], Any], **more: Any) -> Trial:
        """A slip in what one rule sends: ``sent(g, c)`` instead of `c`."""
        node, i = edge
        return Trial(node, sentence, Change(edges={edge: sent}), i, **more)

    @cached_property
    def parameters(self) -> list[Node]:
        """The leaves that have gradients, in the order in which they are first used."""
        order: dict[Node, None] = {}
        for node in self.tape:
            for operand in node.operands:
                if isinstance(operand, Node) and operand.is_leaf and operand.needs_grad:
                    order[operand] = None
        return list(order)

    @cached_property
    def gradients(self) -> dict[Node, Any]:
        """The right gradients, of every record."""
        grads, convention = self.sweeper.run.gradients, self.sweeper.convention
        return grads if convention is None else convention.of(grads)


def once(fn: Callable[[Scene], T]) -> Callable[[Scene], T]:
    """A function that is computed once for each scene; the slips share what it finds."""

    def found(scene: Scene) -> T:
        if fn not in scene.found:
            scene.found[fn] = fn(scene)
        result: T = scene.found[fn]
        return result

    return found


def handed_on(sweeper: Sweeper, node: Node, fn: Callable[[Any], Any]) -> Change:
    """The finished gradient of a record changed, in itself and in all that is made of it."""

    def sent(i: int) -> Callable[[Any, Any], Any]:
        return lambda g, c: sweeper.send(node, i, fn(g))

    return Change(edges={(node, i): sent(i) for i in sweeper.edges[node]}, ends={node: fn})


def with_reads(sweeper: Sweeper, edge: Edge, position: int, value: Any) -> Callable[[Any, Any], Any]:
    """What one rule sends where it reads another value for the operand at `position`, and for the result where it reads
    both; or for the result alone."""
    node, i = edge
    if position == RESULT:
        change = Change(reads={node: value})
    else:
        operands = list(node.operands)
        operands[position] = value
        change = Change(calls={node: (tuple(operands), node.kwargs)})
        reads_result, reads = node.rule.reads(i)
        if node.op in QUOTIENTS or (reads_result and (reads is None or position in reads)):
            read = [sweeper.value(a) if isinstance(a, Node) else a for a in operands]
            change = replace(change, reads={node: np.asarray(node.rule.op(*read, **node.kwargs))})
    return lambda g, c: sweeper.send(node, i, g, change)


def times(k: Any) -> Callable[[Any, Any], Any]:
    """What a rule sends, times a number."""
    return lambda g, c: c * k


def with_upstream(sweeper: Sweeper, edge: Edge, fn: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """What one rule sends of another gradient of the result, ``fn(g)``."""
    node, i = edge
    return lambda g, c: sweeper.send(node, i, fn(g))


def ended(node: Node, fn: Callable[[Any], Any]) -> Change:
    """Something made of the finished gradient of a record."""
    return Change(ends={node: fn})


def constantly(value: Any, g: Any) -> Any:
    """A value whatever arrives."""
    return value
