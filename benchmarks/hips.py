"""HIPS autograd's own examples, as they are, with `autograd` from there and from here, each in a process of its own.

They are run by its Python (``--hips``): ``pip download autograd --no-binary :all: --no-deps`` has their files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

from .timing import OURS, Row, ratios

THEIRS = "HIPS"
GOAL = 0.5
ROUNDS = 5
SECONDS = 0.5
"""Processor time after which the example is ended in HIPS autograd, once it has taken three derivatives."""
ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = {
    **dict.fromkeys(("__init__", "data", "data_mnist"), "no example"),
    **dict.fromkeys(("dot_graph", "print_trace"), "takes no derivative"),
    "rkhs": "needs boxes of one's own classes",
}
"""Files that are left out, and why."""


class Player:
    """An example in a process of its own, which runs it again whenever it is asked to."""

    def __init__(self, python: str, example: Path, examples: Path, folder: str, path: str | None = None):
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"PYTHONPYCACHEPREFIX": folder} | ({} if path is None else {"PYTHONPATH": path})
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - `players` closes it
        self.process = subprocess.Popen(
            [python, str(ROOT / "benchmarks" / "example.py"), str(examples), str(example)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, cwd=folder, env=environment,
        )  # fmt: skip
        self.name = example.stem

    def run(self, calls: int = 10**9, seconds: float = 1e9) -> dict[str, Any]:
        """Seconds altogether and for the derivatives alone, how many, and the sum of squares of the first."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"calls": calls, "seconds": seconds}) + "\n")
            self.process.stdin.flush()
            found: dict[str, Any] = json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            self.errors.seek(0)
            raise RuntimeError(f"{self.name} failed:\n{self.errors.read()[-2000:]}") from None
        return found


@contextmanager
def players(python: str, example: Path, examples: Path) -> Iterator[dict[str, Player]]:
    """The example in both libraries."""
    with tempfile.TemporaryDirectory() as folder:
        found = {
            OURS: Player(sys.executable, example, examples, folder, str(ROOT)),
            THEIRS: Player(python, example, examples, folder),
        }
        try:
            yield found
        finally:
            for player in found.values():
                player.process.kill()
                player.process.communicate()
                player.errors.close()


def measured(both: Mapping[str, Player], rounds: int, seconds: float = SECONDS) -> dict[str, list[dict[str, Any]]]:
    """What both say of as many derivatives as HIPS autograd takes in so many seconds, for each round."""
    both[THEIRS].run(1)  # loads what the example needs
    calls = both[THEIRS].run(seconds=seconds)["calls"]
    first = {name: player.run(calls) for name, player in both.items()}
    ours, theirs = (first[name]["first"] for name in (OURS, THEIRS))
    assert abs(ours - theirs) <= 1e-8 * abs(theirs), f"{both[OURS].name}: the first derivatives differ"
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in both}
    for i in range(rounds):
        for name in (OURS, THEIRS) if i % 2 == 0 else (THEIRS, OURS):
            found[name].append(both[name].run(calls))
    return found


def examples_in(folder: Path) -> list[Path]:
    """The files of the examples that take derivatives."""
    return sorted(file for file in folder.rglob("*.py") if file.stem not in LEFT_OUT)


def run(rounds: int, python: str | None = None, folder: str | None = None) -> list[Row]:
    """A row for each example, in milliseconds; the geometric means of all, and of their derivatives alone."""
    if python is None or folder is None:
        print("HIPS autograd's examples are left out: give --hips PYTHON EXAMPLES for them.", file=sys.stderr)
        return []
    rows, alone = [], []
    for example in examples_in(Path(folder)):
        with players(python, example, Path(folder)) as both:
            found = measured(both, min(rounds, ROUNDS))
        seconds, derivatives = (
            {name: [1e3 * one[what] for one in each] for name, each in found.items()}
            for what in ("seconds", "derivatives")
        )
        rows.append(_row(example.stem.replace("_", " "), seconds))
        alone.append(_row("", derivatives))
    return [*rows, _mean("geometric mean of the derivatives alone", alone), _mean("geometric mean", rows, GOAL)]


def _row(case: str, samples: dict[str, list[float]]) -> Row:
    return Row("hips", case, "ms", {name: median(each) for name, each in samples.items()}, ratios(samples))


def _mean(case: str, rows: list[Row], goal: float | None = None) -> Row:
    values = {name: geometric_mean(row.values[name] for row in rows) for name in (OURS, THEIRS)}
    return Row("hips", case, "ms", values, {THEIRS: geometric_mean(row.ratios[THEIRS] for row in rows)}, goal, THEIRS)
