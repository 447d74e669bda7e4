"""The stopwatch: candidates that compute the same thing take turns in one process; ratios are within a turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

OURS = "tracegrad"


@dataclass
class Candidate:
    """One way to compute a workload.

    Attributes
    ----------
    run : callable
        What is timed; called without arguments.
    numbers : callable
        Runs it once from the start and returns the arrays that all candidates must agree on.
    """

    run: Callable[[], Any]
    numbers: Callable[[], Sequence[Any]]


@dataclass
class Row:
    """One line of the report: the median of each candidate, our ratio to each other one, and the goal.

    Attributes
    ----------
    workload, case : str
    unit : str
        Of `values`.
    values : dict
        The median for each candidate.
    ratios : dict
        Ours divided by the candidate's: the median over the rounds.
    goal : float or None
        The largest ratio to `against` (or value, where `against` is empty) that meets the goal.
    against : str
        The candidate that the goal compares with.
    """

    workload: str
    case: str
    unit: str
    values: dict[str, float]
    ratios: dict[str, float] = field(default_factory=dict)
    goal: float | None = None
    against: str = "torch"

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none, or nothing to compare with."""
        reached = self.ratios.get(self.against) if self.against else self.values.get(OURS)
        return None if self.goal is None or reached is None else reached <= self.goal


def torch_or_none() -> Any:
    """PyTorch, where it is installed."""
    try:
        import torch
    except ImportError:
        return None
    return torch


def check(candidates: Mapping[str, Candidate], *, rtol: float, atol: float = 0.0) -> None:
    """Compare what the candidates compute, before anything is timed; an AssertionError names those that differ."""
    (first, reference), *others = candidates.items()
    expected = [np.asarray(x) for x in reference.numbers()]
    for name, candidate in others:
        found = [np.asarray(x) for x in candidate.numbers()]
        assert len(found) == len(expected), f"{name} returns {len(found)} arrays, {first} {len(expected)}"
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=f"number {i} of {name} against {first}")


def take_turns(
    runs: Mapping[str, Callable[[], Any]],
    *,
    rounds: int,
    calls: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Seconds per call of each candidate in each round, of this process unless another `clock` is given.

    A round gives each candidate one untimed call and one timed block of `calls`; who goes first changes.
    """
    names = list(runs)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for i in range(rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            run = runs[name]
            run()
            start = clock()
            for _ in range(calls):
                run()
            seconds[name].append((clock() - start) / calls)
    return seconds


def ratios(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Ours to each other candidate's: the median of the ratios within each round."""
    ours = samples[OURS]
    return {
        name: median(a / b for a, b in zip(ours, theirs, strict=True))
        for name, theirs in samples.items()
        if name != OURS
    }


def compare(
    workload: str,
    case: str,
    candidates: Mapping[str, Candidate],
    *,
    rounds: int,
    calls: int,
    rtol: float,
    atol: float = 0.0,
    unit: str = "us",
    per: int = 1,
    goal: float | None = None,
    against: str = "torch",
) -> Row:
    """Check the candidates against each other, let them take turns, and sum up: the time of a call divided by `per`."""
    check(candidates, rtol=rtol, atol=atol)
    seconds = take_turns({name: c.run for name, c in candidates.items()}, rounds=rounds, calls=calls)
    scale = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}[unit] / per
    values = {name: median(s) * scale for name, s in seconds.items()}
    return Row(workload, case, unit, values, ratios(seconds), goal, against)
