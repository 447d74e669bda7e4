"""The plan for many workers computes what docs/scale.md says it does."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import scale

DOCUMENT = Path(__file__).parent.parent / "docs" / "scale.md"
PLAN = scale.Plan(parameters=100.0, example=10.0, output=1.0, computing=2.0, batch=8, line=100.0, task=0.5)


def test_the_table_in_the_document_is_the_simulations():
    assert scale.table() in DOCUMENT.read_text(encoding="utf-8")


def test_two_workers_by_hand():
    found = scale.step(PLAN, 2)
    # to each worker 100 of parameters and 4 examples of 10, one after the other; then 4 examples of 2 s
    assert found.sending == pytest.approx(2 * (0.5 + 140 / 100))
    assert found.computing == 8
    # one sum of 100 and the outputs of 4, then all of it to the client
    assert found.summing == pytest.approx(0.5 + 104 / 100 + 0.5 + 108 / 100)
    assert found.moved == 8 * 11 + 2 * 2 * 100
    assert found.seconds == found.sending + found.computing + found.summing


def test_with_lines_that_cost_nothing_workers_share_the_time():
    free = replace(PLAN, line=float("inf"), task=0.0)
    assert [scale.step(free, k).seconds for k in (1, 2, 4, 8)] == [16, 8, 4, 2]


def test_parameters_that_are_passed_on_reach_twice_as_many_in_each_round():
    plan = replace(PLAN, example=0.0, batch=64)
    for workers, rounds in ((1, 1), (3, 2), (7, 3), (8, 4)):
        passed_on = scale.step(replace(plan, straight=False), workers).sending
        assert passed_on == pytest.approx(max(rounds * 1.5, workers * 0.5))
        assert scale.step(plan, workers).sending == pytest.approx(workers * 1.5)
