"""What operations cost does not grow unnoticed: by counts, which are alike on every machine, never by a clock."""

import json

import pytest

from benchmarks import counts
from viz.walk import checks

KNOWN = json.loads(counts.FILE.read_text(encoding="utf-8"))
CHANGED = "what it costs has changed: run python -m benchmarks.counts if that is meant, and say why"


pytestmark = pytest.mark.skipif(counts.PYTHON not in KNOWN, reason="each version of Python has byte codes of its own")


def test_each_version_of_python_has_the_same_workloads():
    assert {version: list(known) for version, known in KNOWN.items()} == {v: list(counts.WORKLOADS) for v in KNOWN}


@pytest.mark.parametrize("name", counts.WORKLOADS)
def test_a_workload_makes_and_executes_what_is_written_down(name):
    known, found = KNOWN[counts.PYTHON], counts.measured(name)
    assert found["records"] == known[name]["records"], CHANGED
    assert found["byte codes"] == pytest.approx(known[name]["byte codes"], rel=0.01), CHANGED
    assert found["bytes"] == pytest.approx(known[name]["bytes"], rel=0.05), CHANGED


@pytest.mark.parametrize("name", counts.GROWING)
def test_what_is_done_with_a_tape_grows_no_faster_than_the_tape(name, monkeypatch):
    # finite differences compute all that is after a record again; what they may take altogether is bounded
    monkeypatch.setattr(checks, "_MOST_WORK", 0)
    assert counts.growth(name) < 4.4


def test_counts_are_those_of_what_is_run():
    def run():
        for k in range(10):
            k * k

    assert 50 < counts.byte_codes(run) < 200
    assert counts.records(counts.chain((), 6)) == 3 + 6
    assert counts.peak(lambda: bytearray(100_000)) > 100_000
