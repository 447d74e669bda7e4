"""Start-up: `python -c "import autograd"` against `python -c "import numpy"`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from .timing import OURS, Row, ratios, take_turns

GOAL = 1.25
MODULES = {OURS: "autograd", "numpy": "numpy"}


def run(rounds: int) -> list[Row]:
    """A row of the whole process's time, with byte code cached."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache

        def start(module: str) -> None:
            subprocess.run(
                [sys.executable, "-c", f"import {module}"],
                cwd=Path(__file__).resolve().parent.parent,
                env=environment,
                check=True,
            )

        runs = {name: lambda module=module: start(module) for name, module in MODULES.items()}
        seconds = take_turns(runs, rounds=rounds, clock=time.perf_counter)
    values = {name: median(s) * 1e3 for name, s in seconds.items()}
    return [Row("startup", "import", "ms", values, ratios(seconds), GOAL, "numpy")]
