"""What fixed workloads cost in counts, which are alike on every machine: records made, byte codes executed in this
project's own files, and bytes at the peak.

``python -m benchmarks.counts`` counts them with the Python at hand and writes them down in ``counts.json``; the tests
hold every change against that file.
"""

from __future__ import annotations

import functools
import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import nn
import viz
from autograd import Tape, Tensor, hessian
from autograd.recording import next_seq

from . import lenet, mlp
from .derivatives import nth, rosenbrock
from .networks import candidates
from .timing import OURS

FILE = Path(__file__).with_suffix(".json")
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
"""Each version of Python has byte codes of its own."""
LENGTH = 200
_HERE = str(Path(__file__).resolve().parent.parent)


def byte_codes(run: Callable[[], Any]) -> int:
    """How many instructions of Python `run` executes in the files of this project."""
    counted = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal counted
        counted += event == "opcode"
        return count

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_HERE):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return count

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(before)
    return counted


def records(run: Callable[[], Any]) -> int:
    """How many records `run` makes."""
    before = next_seq()
    run()
    return next_seq() - before - 1


def peak(run: Callable[[], Any]) -> int:
    """How many bytes `run` holds at most."""
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def chain(shape: tuple[int, ...], length: int = LENGTH) -> Callable[[], Any]:
    """y = y a + b, forward and backward."""

    def run() -> None:
        y, a, b = (Tensor(np.full(shape, value)) for value in (1.0, 0.99, 0.01))
        for _ in range(length // 2):
            y = y * a + b
        y.backward(np.ones(shape))

    return run


WORKLOADS: Mapping[str, Callable[[], Callable[[], Any]]] = {
    "a chain of 200 operations on numbers": lambda: chain(()),
    "the same on arrays of shape (4,)": lambda: chain((4,)),
    "a training step of a dense network": lambda: candidates(mlp, 4)[OURS].run,
    "a training step of LeNet": lambda: candidates(lenet, 4)[OURS].run,
    "a step of an LSTM of 10 steps": lambda: _recurrent,
    "the Hessian of Rosenbrock's function of 20 numbers": lambda: lambda: hessian(rosenbrock)(np.linspace(-1, 1, 20)),
    "the third derivative of tanh": lambda: lambda: nth(3)(np.linspace(-1, 1, 5)),
}


def _recurrent() -> None:
    model = nn.LSTM(3, 4, rng=0)
    (model(np.ones((10, 2, 3), np.float32))[0] ** 2).sum().backward()


def chained(length: int) -> Tensor:
    """y = tanh(y) x, half so often, of three numbers; their sum."""
    x = Tensor(np.linspace(-1, 1, 3), name="x")
    y = x
    for _ in range(length // 2):
        y = y.tanh() * x
    return y.sum()


GROWING: Mapping[str, Callable[[Tensor], Any]] = {
    "the backward sweep": lambda loss: loss.backward(),
    "the listing of a tape": lambda loss: str(Tape(loss)),
    "a picture": viz.draw,
    "a page": lambda loss: viz.step(loss).html(),
}
"""What is done with a tape, and may take so much longer as the tape is longer."""


def growth(name: str, length: int = 20) -> float:
    """How many times as many byte codes something takes for a tape four times as long."""
    counts = []
    for n in (length, 4 * length):
        GROWING[name](chained(n))
        counts.append(byte_codes(functools.partial(GROWING[name], chained(n))))
    return counts[1] / counts[0]


def measured(name: str) -> dict[str, int]:
    """The counts of one workload, after two runs that fill what is cached."""
    run = WORKLOADS[name]()
    run()
    run()
    return {"records": records(run), "byte codes": byte_codes(run), "bytes": peak(run)}


def main() -> None:
    """Write the counts of this version of Python down beside those of others."""
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    known[PYTHON] = {name: measured(name) for name in WORKLOADS}
    FILE.write_text(json.dumps(dict(sorted(known.items())), indent=4) + "\n", encoding="utf-8")
    for name, counts in known[PYTHON].items():
        print(name + ":", ", ".join(f"{count:,} {what}" for what, count in counts.items()))


if __name__ == "__main__":
    main()
