"""Random small networks, with one slip and without: whether the checking tools accuse the right or acquit the wrong."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from viz import explain_mismatch

from .timing import OURS, Row

NETWORKS_OF_A_ROUND = 200


def module_of_tests(name: str) -> Any:
    """A module of the folder of tests, which holds the cases."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def run(rounds: int) -> list[Row]:
    """Rows of counts over 200 networks for each round: 2,000 of each kind with ``--rounds 10``."""
    networks = module_of_tests("randomnetworks")
    wrong = {False: 0, True: 0}
    names, untold, of, start, total = 0, 0, 0, perf_counter(), NETWORKS_OF_A_ROUND * rounds
    for seed in range(total):
        for slip in (False, True):
            made = networks.case(seed, slip=slip)
            hands = {made.network.tensors[name]: grad for name, grad in made.hands.items()}
            report = explain_mismatch(made.network.loss, hands)
            found = networks.faults(made, report)
            for fault in found:
                print(f"seed {seed}, {made.slip or 'no slip'}: {fault}", file=sys.stderr)
            wrong[slip] += bool(found)
            verdicts = [report.verdicts[f"∂L/∂{name}"] for name in made.wrong]
            untold, of = untold + verdicts.count("undecided"), of + len(verdicts)
            names += slip and made.slip is not None and networks.named(made.slip, report)
    each = 1e3 * (perf_counter() - start) / (2 * total)
    return [
        Row("mistakes", f"wrong of {total} without a slip", "", {OURS: wrong[False]}, {}, 0, ""),
        Row("mistakes", f"wrong of {total} with one slip", "", {OURS: wrong[True]}, {}, 0, ""),
        Row("mistakes", f"can't be told, of {of} wrong gradients", "", {OURS: untold}, {}, None, ""),
        Row("mistakes", "slips named, of 100", "%", {OURS: 100 * names / max(total, 1)}, {}, None, ""),
        Row("mistakes", "each", "ms", {OURS: each}, {}, None, ""),
    ]
