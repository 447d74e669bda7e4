"""Time and memory per operation in chains of 10^3 to 10^6 operations, and the time of what is done with a tape, drawn:
level lines where cost is linear, falling ones where it is bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import process_time
from typing import Any

import numpy as np

import viz
from autograd import Tape, Tensor

from . import counts, deep
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


def _derived(loss: Tensor) -> str:
    return str(viz.derive(loss, Tape(loss).find("x")))


def _blamed(loss: Tensor) -> str:
    return str(viz.explain_mismatch(loss, {"x": np.random.default_rng(0).normal(size=3)}))


TOOLS: Mapping[str, Callable[[Tensor], Any]] = {**counts.GROWING, "a derivation": _derived, "blame": _blamed}
TAPES = (1_000, 10_000, 100_000)
"""Operations on the tapes that tools are tried on."""
LONGEST = 20.0
"""Seconds: a tool that takes longer is not tried on a longer tape."""


def of_tools(lengths: Sequence[int] = TAPES) -> Mapping[str, Sequence[tuple[int, float]]]:
    """For what is done with a tape: operations, and the microseconds of processor time for each of them."""
    points: dict[str, list[tuple[int, float]]] = {name: [] for name in TOOLS}
    for name, tool in TOOLS.items():
        tool(counts.chained(20))  # loads what it needs
        for length in lengths:
            loss, start = counts.chained(length), process_time()
            tool(loss)
            seconds = process_time() - start
            points[name].append((length, seconds / length * 1e6))
            if seconds > LONGEST:
                break
    return points


def draw(
    file: str, rounds: int = ROUNDS, lengths: Sequence[int] = LENGTHS, tapes: Sequence[int] = TAPES
) -> tuple[Points, Mapping[str, Sequence[tuple[int, float]]]]:
    """Measure, and draw into `file`, over the number of operations: for each of them time, bytes at the peak, and the
    time of each tool.

    Raises
    ------
    ImportError
        If matplotlib is not installed: says how to install it.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("--plot needs the package matplotlib: pip install 'tracegrad[plots]'") from error
    points, tools = measured(rounds, lengths), of_tools(tapes)
    figure = Figure(figsize=(6, 9), layout="constrained")
    time, memory, below = figure.subplots(3, sharex=True)
    for axes, place, what in ((time, 1, "ns"), (memory, 2, "bytes")):
        for library, found in points.items():
            shown = [(one[0], one[place]) for one in found if one[place] is not None]
            axes.plot([one[0] for one in shown], [one[1] for one in shown], marker="o", label=library)
        axes.set(xscale="log", ylabel=f"{what} per operation")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    for name, timed in tools.items():
        below.plot(*zip(*timed, strict=True), marker="o", label=name)
    below.set(xscale="log", yscale="log", ylabel="µs per operation", xlabel="operations in the chain")
    below.grid(alpha=0.3)
    below.legend(fontsize="small", ncols=2)
    time.legend()
    figure.savefig(file)
    return points, tools
