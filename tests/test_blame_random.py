"""Random networks, with one slip and without: what is right is not accused, what is wrong not acquitted."""

import numpy as np
import pytest
from randomnetworks import case, faults, network

from autograd.testing import compare_grads
from viz import explain_mismatch


@pytest.mark.parametrize("seed", range(60))
def test_gradients_derived_by_hand_match(seed):
    made = case(seed, slip=False)
    hands = {made.network.tensors[name]: grad for name, grad in made.hands.items()}
    report = compare_grads(made.network.loss, hands)
    assert report.ok, str(report)
    report = explain_mismatch(made.network.loss, hands)
    assert not faults(made, report), str(report)


@pytest.mark.parametrize("seed", range(60))
def test_a_slip_is_reported_where_it_was_made_and_nothing_else_is(seed):
    made = case(seed, slip=True)
    hands = {made.network.tensors[name]: grad for name, grad in made.hands.items()}
    report = compare_grads(made.network.loss, hands)
    assert {row.name for row in report.rows if not row.ok} == made.wrong, str(report)
    report = explain_mismatch(made.network.loss, hands)
    assert not faults(made, report), f"{made.slip}\n{report}"


def test_the_slips_of_random_networks_change_what_they_are_said_to_change():
    for seed in range(40):
        made = case(seed, slip=True)
        right = network(seed).hand()
        assert made.wrong and made.here <= made.wrong
        for name, grad in made.hands.items():
            assert (name in made.wrong) != np.allclose(grad, right[name], rtol=1e-3, atol=1e-5), (seed, name)
