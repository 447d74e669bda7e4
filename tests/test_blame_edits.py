"""Mistakes that people make, derived by hand: the formula that was used is found, with its place."""

import pytest
from editcases import CASES

from viz import explain_mismatch


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_found_with_its_formula(name):
    slips, made = CASES[name]
    loss, hands, place, said = made()
    report = explain_mismatch(loss, hands)
    found = [finding.slip for finding in report]
    assert all(slip in found for slip in slips) and None not in found, str(report)
    text = str(report)
    assert said in text, text
    if place is not None:
        assert any(place.node in finding.places for finding in report), text
    for finding in report:
        assert bool(finding.your_formula) == bool(finding.right_formula)
        assert finding.your_formula != finding.right_formula or not finding.your_formula
