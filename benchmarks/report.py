"""What the benchmarks print: the table, the machine it was measured on, and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .timing import OURS, Row, torch_or_none


def machine() -> dict[str, str]:
    """The facts that a reader needs to compare figures: processor and versions."""
    torch = torch_or_none()
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": f"{np.__version__} ({_blas()})",
    }
    return {**facts, "torch": torch.__version__} if torch is not None else facts


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"


def _blas() -> str:
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    return f"{blas.get('name', 'unknown BLAS')} {blas.get('version', '')}".strip()


def table(rows: Sequence[Row]) -> str:
    """The results as a text table: a line for each case and each library that it is compared with."""
    lines = [["workload", "case", "unit", OURS, "against", "its", "ratio", "goal", ""]]
    for row in rows:
        verdict = {True: "met", False: "MISSED", None: ""}[row.met]
        others = [name for name in row.values if name != OURS] or [""]
        judged = row.against if row.against in others else others[0]
        for name in others:
            goal = "" if row.goal is None or name != judged else f"<= {row.goal:g}"
            ratio = f"{row.ratios[name]:.2f}" if name in row.ratios else ""
            its = _number(row.values.get(name))
            cells = [row.workload, row.case, row.unit, _number(row.values.get(OURS)), name, its, ratio, goal]
            lines.append([*cells, verdict if goal else ""])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = (3, 5, 6)
    text = [
        "  ".join(
            cell.rjust(width) if i in numeric else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def as_json(facts: dict[str, str], rounds: int, rows: Sequence[Row]) -> str:
    """The same results for a program to read."""
    results = [{**asdict(row), "met": row.met} for row in rows]
    return json.dumps({"machine": facts, "threads": 1, "rounds": rounds, "results": results}, indent=2) + "\n"
