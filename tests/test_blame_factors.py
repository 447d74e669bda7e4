"""Blame: factors are told by what the program computes, relative to the right gradient, each by itself."""

import numpy as np
import pytest
from blamecases import mlp

from autograd import Tensor
from viz import explain_mismatch

RNG = np.random.default_rng(0)
N, D = 6, 3
X, Y = RNG.normal(size=(N, D)), RNG.normal(size=N)


def regression(loss):
    w, b = Tensor([0.5, -1.0, 0.25], name="w"), Tensor(0.3, name="b")
    e = X @ w + b - Y
    L = loss(e)
    L.name = "L"
    return L, w, b, X.T @ e.data, e.data.sum()


@pytest.mark.parametrize(("loss", "k", "said"), [
    (lambda e: (e**2).mean(), 1.0, "the factor 2/6 of the mean square is missing"),
    (lambda e: np.mean(np.square(e)), 1.0, "the factor 2/6 of the mean square is missing"),
    (lambda e: (e * e).mean(), 1.0, "the factor 2/6 of the mean square is missing"),
    (lambda e: np.sum(e**2) / N, 1.0, "the factor 2/6 is missing"),
    (lambda e: (e**2).mean(), 2.0, "the factor 1/6 is missing"),
    (lambda e: (e**2).mean(), 1 / N, "the factor 2 of the derivative of the power is missing"),
    (lambda e: (e**2).mean(), 2 / (N - 1), "1/5 was taken in the place of the 1/6 of the mean"),
    (lambda e: (e**2).sum(), 1.0, "the factor 2 of the derivative of the power is missing"),
    (lambda e: (e**2).sum(), 2 / N, "a mean instead of a sum: a factor 1/6 too much"),
])  # fmt: skip
def test_a_factor_is_told_by_what_the_program_computes(loss, k, said):
    L, w, b, dw, db = regression(loss)
    report = explain_mismatch(L, {w: k * dw, b: k * db})
    assert said in report.first.sentence and report.first.gradients == ("∂L/∂b", "∂L/∂w"), str(report)
    assert "axis" not in str(report)


@pytest.mark.parametrize("factors", [
    {"W2": 2, "b1": 4}, {"W2": 5, "W1": 0.2}, {"W1": 0.2}, {"W2": -1, "b1": 3}, {"b2": 5, "W2": 2, "W1": 0.2},
    {"W2": 4, "W1": 2}, {"W1": 0.37, "W2": 1.9},
])  # fmt: skip
@pytest.mark.parametrize("alone", [False, True])
def test_independent_factors_are_told_apart_and_relative_to_the_right_gradient(factors, alone):
    t, v = mlp(n=7)
    right = {"W1": v.x.T @ v.d1, "b1": v.d1.sum(0), "W2": v.a1.T @ v.d2, "b2": v.d2.sum(0)}
    hands = {getattr(t, n): factors.get(n, 1) * g for n, g in right.items() if n in factors or not alone}
    report = explain_mismatch(t.loss, hands)
    for name, k in factors.items():
        own = f"∂L/∂{getattr(t, name).name}"
        sentence = next(f.sentence for f in report if f.gradients == (own,))
        assert "follow" not in sentence, sentence
        if "times the right one" in sentence:
            said = {0.2: "1/5", -1: "−1", 0.5: "½"}.get(k, f"{k:g}")
            assert f" is {said} times" in sentence, sentence
            assert "each" not in sentence


def test_what_there_was_no_time_for_is_said():
    t, v = mlp()
    report = explain_mismatch(t.loss, {t.W1: -(v.x.T @ v.d1)}, timeout=1e-9)
    assert report.first.slip == "sign", "what takes no time is tried all the same"
    assert "activation derivative missing" in report.untried
    assert "There was no time to try all" in str(report) and "sign" in str(report)
    assert explain_mismatch(t.loss, {t.W1: -(v.x.T @ v.d1)}).untried == ()


@pytest.mark.parametrize(("subtracted", "added"), [(1.5, "1.5"), (0.30813, None), ("mean", "0.4"), (0.0, "−0.4")])
def test_a_number_is_added_to_an_array_only_where_it_means_something(subtracted, added):
    returns = np.random.default_rng(1).normal(size=6)
    returns += 0.4 - returns.mean()
    S, w = np.random.default_rng(0).normal(size=(6, 3)), Tensor([0.3, -1.0, 0.6], name="w")
    adv = returns - (0.4 if subtracted == "mean" else subtracted)
    read = returns - 0.4 if subtracted == 0.0 else returns
    report = explain_mismatch((np.tanh(S @ w) * adv).sum(), {w: S.T @ ((1 - np.tanh(S @ w.data) ** 2) * read)})
    found = [f.sentence for f in report if f.slip == "another value in the place of an operand"]
    assert len(found) == (added is not None)
    assert all(f"adv was read with {added} added to each of its numbers" in sentence for sentence in found)


def test_a_minus_is_lost_only_where_one_was_written():
    w, charge = Tensor([0.3, -1.0, 0.6], name="w"), -0.3
    report = explain_mismatch((np.tanh(w) * charge).sum(), {w: 0.3 * (1 - np.tanh(w.data) ** 2)})
    assert "it is −1 times the right one: a sign" in report.first.sentence and "0.3 ∂" not in str(report)
    report = explain_mismatch((np.tanh(w) * -0.3).sum(), {w: 0.3 * (1 - np.tanh(w.data) ** 2)})
    assert "the minus sign of" in report.first.sentence and "was lost" in report.first.sentence


def test_numbers_that_are_read_one_by_one_are_not_averaged():
    x, p = np.linspace(0, 1, 6), Tensor([1.2, -0.7], name="p")
    e = Y - p[0] * np.exp(p[1] * x)
    J = np.stack([-np.exp(-0.7 * x), -1.2 * x * np.exp(-0.7 * x)], axis=1)
    report = explain_mismatch((e**2).sum(), {p: J.T @ e.data})
    assert [f.slip for f in report] == ["factor"] and "averaged" not in str(report)


def test_a_constant_is_not_said_to_be_another_gradient_as_well():
    rng = np.random.default_rng(0)
    c, dx, dy, k = Tensor([0.3, -0.2, 0.6], name="c"), *rng.normal(size=(3, 5))
    G = np.exp(-0.5 * (c[0] * dx * dx + c[2] * dy * dy) - c[1] * dx * dy)
    wrong = [np.sum(-0.35 * k * G.data * d) for d in (dx * dx, dx * dy, dy * dy)]
    report = explain_mismatch((0.7 * G * k).sum(), {G: 0.7 * k, c: wrong})
    assert [f.slip for f in report] == ["constant in the rule"] and "0.35" in report.first.sentence


def test_a_mean_over_all_numbers_for_one_over_rows():
    rng = np.random.default_rng(0)
    z, y = Tensor(rng.normal(size=(6, 5)), name="z"), rng.integers(0, 5, 6)
    e = np.exp(z)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(np.log(p[np.arange(6), y])) / 6
    report = explain_mismatch(loss, {z: (p.data - np.eye(5)[y]) / 30})
    said = "it is 1/5 times the right one, as where it is divided by all 30 numbers of z instead of the 6 rows"
    assert said in report.first.sentence
