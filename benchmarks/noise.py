"""Gradients that no mistake explains, printed to 3 to 16 digits: how often explain_mismatch names a cause."""

from __future__ import annotations

import sys
from time import thread_time

from viz import explain_mismatch

from .mistakes import module_of_tests
from .timing import OURS, Row

GRADIENTS_OF_A_ROUND = 500


def run(rounds: int) -> list[Row]:
    """Rows of counts over 500 gradients for each round: 5,000 with ``--rounds 10``."""
    noise = module_of_tests("noise")
    total, false, untried, start = GRADIENTS_OF_A_ROUND * rounds, 0, 0, thread_time()
    for seed in range(total):
        loss, hands, digits = noise.noisy(seed)
        report = explain_mismatch(loss, hands)
        causes = [finding.slip for finding in report if finding.slip is not None]
        if causes:
            print(f"seed {seed}, {digits} digits: {causes}", file=sys.stderr)
        false, untried = false + bool(causes), untried + bool(report.untried)
    return [
        Row("noise", f"false causes of {total}", "", {OURS: false}, {}, 0, ""),
        Row("noise", "in part untried", "", {OURS: untried}, {}, None, ""),
        Row("noise", "each", "ms", {OURS: 1e3 * (thread_time() - start) / total}, {}, None, ""),
    ]
