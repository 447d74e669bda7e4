"""Memory at the peak of training LeNet at batch 64, and whether a long training keeps more with every step.

``python -m benchmarks.memory LIBRARY`` measures one library in a process of its own, above what it holds after a step
on one image, which loads what is only loaded once it is used.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from .timing import OURS, Row, torch_or_none

GOAL, STEPS = 1.3, 10
FLAT_STEPS, PART = 10_000, 1000
GOAL_GROWN, GOAL_SLOWER = 256, 1.1


def resident(key: str = "VmRSS") -> int | None:
    """Bytes of this process in memory, now or (``"VmHWM"``) at the peak; None where the system does not say."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(key)), None)
    except OSError:
        return None


def peak_forgotten() -> int | None:
    """Let the peak start anew, and return what is held now; None where the system has no such peak."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")
    except OSError:
        return None
    return resident()


def in_a_process(*arguments: str) -> Any:
    """What ``python *arguments`` prints last, as JSON, run in the project's folder."""
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)[-100:]} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def peak_of_lenet(library: str) -> float | None:
    """Bytes at the peak of some steps of training, above what is held after a step on one image."""
    from . import lenet, networks

    torch = torch_or_none() if library == "torch" else None
    if torch is not None:
        torch.set_num_threads(1)
    networks.candidates(lenet, 1, only=library)[library].run()
    before = peak_forgotten()
    step = networks.candidates(lenet, lenet.BATCH, only=library)[library].run
    for _ in range(STEPS):
        step()
    peak = resident("VmHWM")
    return None if before is None or peak is None else peak - before


def flatness(steps: int = FLAT_STEPS, part: int = PART) -> tuple[float | None, float]:
    """A long training of the dense network: bytes that its last steps hold above its first, and how much slower they
    are, from the medians of so many steps in the beginning (after as many that count for nothing) and in the end."""
    from . import mlp, networks

    step = networks.candidates(mlp, mlp.BATCH, only=OURS)[OURS].run
    times = np.zeros(steps + part)
    held: list[int | None] = []
    for i in range(steps + part):
        start = process_time()
        step()
        times[i] = process_time() - start
        if i in (2 * part - 1, steps + part - 1):
            held.append(resident())
    first, last = held
    grown = None if first is None or last is None else last - first
    return grown, float(np.median(times[-part:]) / np.median(times[part : 2 * part]))


def run(rounds: int) -> list[Row]:
    """Rows of the peak against PyTorch's, and of a training of 10,000 steps."""
    libraries = [OURS] if torch_or_none() is None else [OURS, "torch"]
    peaks = {library: in_a_process("-m", "benchmarks.memory", library) for library in libraries}
    rows = []
    if None not in peaks.values():
        found = {library: peak / 2**20 for library, peak in peaks.items()}
        against = {library: found[OURS] / peak for library, peak in found.items() if library != OURS}
        rows.append(Row("memory", "LeNet, batch 64, at peak", "MiB", found, against, GOAL))
    grown, slower = in_a_process("-m", "benchmarks.memory", "flat")
    if grown is not None:
        rows.append(
            Row("memory", f"held more after {FLAT_STEPS:,} steps", "KiB", {OURS: grown / 1024}, {}, GOAL_GROWN, "")
        )
    return [*rows, Row("memory", f"time of a step after {FLAT_STEPS:,}", "times", {OURS: slower}, {}, GOAL_SLOWER, "")]


if __name__ == "__main__":
    print(json.dumps(flatness() if sys.argv[1] == "flat" else peak_of_lenet(sys.argv[1])))
