"""A chain of 10^6 operations on scalars, in a process of its own: seconds, and bytes per operation at the peak."""

from __future__ import annotations

from statistics import median
from typing import Any

from .memory import in_a_process
from .timing import OURS, Row, ratios, torch_or_none

LENGTH = 500_000
GOAL_BYTES = 400
ROUNDS = 3

# NumPy keeps the inputs in a list; the others keep a graph. All of it is freed before the clock is read.
PROGRAM = """
import gc, json, sys, time
from benchmarks.memory import peak_forgotten, resident

library, length = sys.argv[1], int(sys.argv[2])
if library == "tracegrad":
    from autograd import Tensor
    x, a, b = leaves = [Tensor(1.0), Tensor(0.999999), Tensor(1e-6)]
else:
    import torch
    torch.set_num_threads(1)
    x, a, b = leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.0, 0.999999, 1e-6)]

def chain(length):
    y = x
    for _ in range(length):
        y = y * a + b
    y.backward()
    return y.item()

chain(10)
for leaf in leaves:
    leaf.grad = None
gc.collect()
before = peak_forgotten()  # what was held for the imports counts for nothing
start = time.perf_counter()
value = chain(length)
seconds = time.perf_counter() - start
peak = None if before is None else (resident("VmHWM") - before) / (2 * length)
print(json.dumps({"seconds": seconds, "bytes": peak, "numbers": [value, *(float(leaf.grad) for leaf in leaves)]}))
"""


def measure(library: str, length: int) -> dict[str, Any]:
    """Seconds, bytes per operation at the peak (None without /proc) and the numbers of one chain in a new process."""
    found: dict[str, Any] = in_a_process("-c", PROGRAM, library, str(length))
    return found


def exact(length: int) -> list[float]:
    """The value of the chain and its three gradients, in closed form."""
    x, a, b = 1.0, 0.999999, 1e-6
    power = a**length
    geometric = (1 - power) / (1 - a)
    by_a = length * a ** (length - 1) * x + b * (geometric - length * a ** (length - 1)) / (1 - a)
    return [power * x + b * geometric, power, by_a, geometric]


def run(rounds: int) -> list[Row]:
    """Rows of the time and of the memory."""
    libraries = [OURS] if torch_or_none() is None else [OURS, "torch"]
    runs: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
    for i in range(min(rounds, ROUNDS)):
        for library in libraries if i % 2 == 0 else reversed(libraries):
            found = measure(library, LENGTH)
            for value, expected in zip(found["numbers"], exact(LENGTH), strict=True):
                assert abs(value - expected) <= 1e-6 * abs(expected), f"{library}: {value} where {expected} is right"
            runs[library].append(found)
    seconds = {library: [found["seconds"] for found in found_all] for library, found_all in runs.items()}
    times = {library: median(s) for library, s in seconds.items()}
    time_row = Row("deep", f"{2 * LENGTH:,} scalar ops", "s", times, ratios(seconds))
    if any(found["bytes"] is None for found_all in runs.values() for found in found_all):
        return [time_row]
    used = {library: [found["bytes"] for found in found_all] for library, found_all in runs.items()}
    return [
        time_row,
        Row("deep", "memory at peak", "B/op", {k: median(v) for k, v in used.items()}, ratios(used), GOAL_BYTES, ""),
    ]
