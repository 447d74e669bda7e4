"""Mistakes that people make, derived by hand: the formula that was used is found, with its place."""

import numpy as np
import pytest
from blamecases import mlp
from editcases import CASES, lstm, potential
from noise import noisy
from postedcases import POSTED

from autograd import Tape, Tensor
from nn import functional as F
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


@pytest.mark.parametrize("name", POSTED)
def test_a_mistake_in_a_network_is_found(name):
    slip, said, made = POSTED[name]
    report = explain_mismatch(*made(), timeout=12)
    assert [finding.slip for finding in report] == [slip] and said in str(report), str(report)


def test_the_gradient_that_tells_two_explanations_apart_is_named():
    loss, x, A, r = potential()
    report = explain_mismatch(loss, {x: 2.0 / r * A / r})
    assert len(report) == 2 and "they can't be told apart here; give ∂U/∂r to decide." in str(report)


@pytest.mark.parametrize("digits", [3, 5, 9, 16])
@pytest.mark.parametrize("seed", range(8))
def test_noise_has_no_cause(seed, digits):
    rng = np.random.default_rng(seed)
    t, v = mlp(["sigmoid", "tanh", "relu"][seed % 3], seed=seed)
    wrong = v.x.T @ v.d1 * rng.uniform(0.3, 3, size=v.W1.shape)
    report = explain_mismatch(t.loss, {t.W1: [[f"{n:.{digits}g}" for n in row] for row in wrong]})
    assert [finding.slip for finding in report] == [None], str(report)


@pytest.mark.parametrize("seed", range(7))
def test_noise_in_small_networks_has_no_cause(seed):
    loss, hands, _ = noisy(seed)
    report = explain_mismatch(loss, hands)
    assert [finding.slip for finding in report] == [None], str(report)


def test_numbers_that_overflow_in_a_trial_are_no_warning():
    def logsumexp(v):
        return np.log(np.exp(v).sum(axis=0))

    rng = np.random.default_rng(42)
    E, A, tags = Tensor(rng.normal(size=(4, 3)), name="E"), Tensor(rng.normal(size=(3, 3)), name="A"), [0, 2, 2, 1]
    a, score, counts = E[0], E[0, 0], np.zeros((3, 3))
    for t in range(1, 4):
        a = logsumexp(a[:, None] + A) + E[t]
        score = score + A[tags[t - 1], tags[t]] + E[t, tags[t]]
        counts[tags[t - 1], tags[t]] += 1
    loss = logsumexp(a) - score
    grads = Tape(loss).gradients()
    report = explain_mismatch(loss, {E: np.array(grads[E.node]), A: (grads[A.node] + counts).T - counts})
    assert [finding.gradients for finding in report] == [("∂L/∂A",)], str(report)


def test_more_time_is_given_by_timeout_and_what_was_left_untried_is_said():
    t, v = mlp()
    noise = v.x.T @ v.d1 * np.random.default_rng(0).uniform(0.3, 3, size=v.W1.shape)
    short = explain_mismatch(t.loss, {t.W1: noise}, timeout=0.01)
    assert short.untried and "There was no time" in str(short)
    assert explain_mismatch(t.loss, {t.W1: noise}, timeout=60).untried == ()
    with pytest.raises(ValueError, match="timeout must be a number above 0"):
        explain_mismatch(t.loss, {t.W1: noise}, timeout=0)


@pytest.mark.parametrize("steps", [6, 30])
@pytest.mark.parametrize(("mistake", "slip"), [
    ("h for h before", "value of another step"), ("c for c before", "value of another step"),
    ("h not carried", "path left out"), ("c not carried", "path left out"),
    ("tanh′ of c missing", "activation derivative missing"), ("1 − f left out", "factor of the rule left out"),
    ("z for g", "activation derivative at the value before it"), ("W for Wᵀ", "transpose"),
    ("nothing carried", "path left out"), ("σ(f)", "value in the place of its derivative"),
])  # fmt: skip
def test_a_mistake_at_each_step_of_an_lstm(steps, mistake, slip):
    loss, back = lstm(steps)
    assert explain_mismatch(loss, back("")).ok
    report = explain_mismatch(loss, back(mistake), timeout=4)
    assert report.first.slip == slip and len(report.first.gradients) == 4, str(report)
    if mistake == "nothing carried":
        assert "not carried from step to step at all, neither to c" in str(report)
        return
    between = mistake in ("h not carried", "c not carried", "W for Wᵀ")
    assert f"at each of the {(steps - between) * (4 if slip == 'transpose' else 1)} " in str(report), str(report)


def test_numbers_given_are_not_explained_by_themselves():
    rng = np.random.default_rng(0)
    x, w, y = rng.normal(size=(6, 3)), Tensor(rng.normal(size=(3, 4)), name="w"), rng.normal(size=(6, 4))
    z = x @ w
    z.name = "z"
    a = np.maximum(z, 0)
    a.name = "a"
    loss = 0.5 * ((a - y) ** 2).sum()
    da = a.data - y
    noise = rng.normal(size=(2, 6, 4))
    for hands in ({a: da * noise[0]}, {a: da, z: noise[1] * (z.data > 0)}):
        report = explain_mismatch(loss, hands)
        assert [finding.slip for finding in report] == [None], str(report)


@pytest.mark.parametrize("seed", range(8))
def test_a_number_is_not_misread_by_less_than_was_rounded(seed):
    rng = np.random.default_rng(seed)
    q, k, c = rng.normal(size=(3, 3)), Tensor(rng.normal(size=(3, 3)), name="K"), rng.normal(size=(3, 3))
    loss = (F.softmax(q @ k.T) * c).sum()
    loss.backward()
    off = k.grad * (1 + 1e-3 * rng.normal(size=(3, 3)))
    report = explain_mismatch(loss, {k: np.vectorize(lambda n: f"{n:.3g}", otypes=[object])(off).tolist()})
    assert all(finding.slip in (None, "rounding") for finding in report), str(report)


@pytest.mark.parametrize(("slip", "said", "reaches", "slope"), [
    (None, "", lambda t, k: True, 0),
    ("path left out", "carried back by 3 steps at most: backpropagation through time", lambda t, k: t - k <= 3, 0),
    ("path left out", "by 2 steps at most, within blocks of 3 steps", lambda t, k: t // 3 == k // 3, 0),
    ("value of another step", "was taken at the step of h (9), for what comes through", lambda t, k: True, 1),
])  # fmt: skip
def test_backpropagation_through_time_from_each_loss(slip, said, reaches, slope):
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(9, 2)), rng.normal(size=(9, 3))
    U, W = Tensor(rng.normal(size=(3, 2)), name="U"), Tensor(rng.normal(size=(3, 3)) / 2, name="W")
    h, loss, H = np.zeros(3), 0.0, [np.zeros(3)]
    for x, y in zip(xs, ys, strict=True):
        h = np.tanh(U @ x + W @ h)
        loss = loss + 0.5 * ((h - y) ** 2).sum()
        H.append(h.data)
    dU, dW = np.zeros((3, 2)), np.zeros((3, 3))
    for t in range(9):
        d = (H[t + 1] - ys[t]) * (1 - H[t + 1] ** 2)
        for k in range(t, -1, -1):
            if not reaches(t, k):
                break
            dU, dW = dU + np.outer(d, xs[k]), dW + np.outer(d, H[k])
            d = (W.data.T @ d) * (1 - H[k + slope] ** 2)
    report = explain_mismatch(loss, {U: dU, W: dW}, timeout=10)
    assert said in str(report) if said else report.ok, str(report)
    assert [finding.slip for finding in report] == [slip] * bool(slip)
