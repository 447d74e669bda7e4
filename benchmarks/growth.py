"""Time and memory per operation in chains of 10^3 to 10^6 operations, drawn: level lines where cost is linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from . import deep
from .timing import OURS, torch_or_none

LENGTHS = (500, 5_000, 50_000, 500_000)
"""Each is two operations long."""
ROUNDS = 3
FILE = "benchmarks.svg"

Points = Mapping[str, Sequence[tuple[int, float, float | None]]]
"""For each library: operations, nanoseconds and bytes for each of them."""


def measured(rounds: int = ROUNDS, lengths: Sequence[int] = LENGTHS) -> Points:
    """The medians over so many chains of each length, each in a process of its own."""
    libraries = [OURS] if torch_or_none() is None else [OURS, "torch"]
    points: dict[str, list[tuple[int, float, float | None]]] = {library: [] for library in libraries}
    for length in lengths:
        runs: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
        for _ in range(min(rounds, ROUNDS)):
            for library in libraries:
                runs[library].append(deep.measure(library, length))
        for library, found in runs.items():
            used = [one["bytes"] for one in found if one["bytes"] is not None]
            seconds = median(one["seconds"] for one in found)
            points[library].append((2 * length, seconds / (2 * length) * 1e9, median(used) if used else None))
    return points


def draw(file: str, rounds: int = ROUNDS, lengths: Sequence[int] = LENGTHS) -> Points:
    """Measure, and draw into `file`: time above, bytes at the peak below, for each operation, over how many there are.

    Raises
    ------
    ImportError
        If matplotlib is not installed: says how to install it.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("--plot needs the package matplotlib: pip install 'tracegrad[plots]'") from error
    points = measured(rounds, lengths)
    figure = Figure(figsize=(6, 6), layout="constrained")
    for axes, place, what in zip(figure.subplots(2, sharex=True), (1, 2), ("ns", "bytes"), strict=True):
        for library, found in points.items():
            shown = [(one[0], one[place]) for one in found if one[place] is not None]
            axes.plot([one[0] for one in shown], [one[1] for one in shown], marker="o", label=library)
        axes.set(xscale="log", ylabel=f"{what} per operation")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.axes[1].set_xlabel("operations in the chain")
    figure.axes[0].legend()
    figure.savefig(file)
    return points
