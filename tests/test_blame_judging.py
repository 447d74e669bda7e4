"""Blame: values after a step of gradient descent, how the sentences read, and what is no slip at all."""

import numpy as np
import pytest
from blamecases import blamed, chain, sigma

from autograd import Tensor, defvjp, primitive
from nn import functional as F
from viz import explain_mismatch

# --- after a step -----------------------------------------------------------------------------------------------------


def step():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    w, v = Tensor(rng.normal(size=(3, 2)), name="W"), Tensor(rng.normal(size=(2, 2)), name="V")

    def loss(w, v):
        return ((F.sigmoid(x @ w) @ v - y) ** 2).mean()

    L = loss(w, v)
    L.backward()
    return L, w, v, lambda w, v: float(loss(Tensor(w), Tensor(v)).data)


def test_a_step_that_goes_uphill():
    L, w, _, _ = step()
    assert "uphill" in blamed(explain_mismatch(L, after={w: w.data + 0.5 * w.grad}, lr=0.5), "sign").sentence


def test_a_step_of_another_size_is_the_steps_and_not_the_weights():
    L, w, _, _ = step()
    report = explain_mismatch(L, after={w: w.data - 0.05 * w.grad}, lr=0.5)
    assert "of the step is 0.1 times the right one" in report.first.sentence
    assert "a learning rate of 0.05 instead of 0.5" in report.first.sentence


def test_a_step_that_was_not_taken_or_not_for_all_weights():
    L, w, v, loss = step()
    found = blamed(explain_mismatch(L, after={w: w.data}, lr=0.5), "step not taken")
    assert "the weights are those before it" in found.sentence
    found = blamed(explain_mismatch(L, after={L: loss(w.data - 0.5 * w.grad, v.data)}, lr=0.5), "step not taken")
    assert "V was not updated" in found.sentence


def test_a_number_of_one_digit_after_a_step_is_not_explained():
    L, *_ = step()
    assert explain_mismatch(L, after={L: "0.1"}, lr=0.5).first.slip is None


def test_gradients_need_not_be_given_where_values_after_a_step_are():
    L, w, _, _ = step()
    assert explain_mismatch(L, after={w: w.data - 0.5 * w.grad}, lr=0.5).ok
    assert explain_mismatch(L, None, after={w: w.data - 0.5 * w.grad}, lr=0.5).ok
    with pytest.raises(ValueError, match="no gradients were given"):
        explain_mismatch(L)


# --- how it reads -----------------------------------------------------------------------------------------------------


def test_several_gradients_of_the_loss_with_other_labels_are_spoken_of_in_the_plural():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), np.array([1.0, 0, 1, 1, 0])
    w, b = Tensor(rng.normal(size=3), name="w"), Tensor(0.5, name="b")
    z = x @ w + b
    d = (sigma(z.data) - (1 - y)) / 5
    first = explain_mismatch(F.binary_cross_entropy_with_logits(z, y), {w: x.T @ d, b: d.sum()}).first
    assert "∂L/∂b and ∂L/∂w are wrong: they belong to the loss with the opposite label" in first.sentence


def test_a_wrong_number_among_many_steps_is_not_said_to_be_in_one_step():
    _, t, _ = chain(sigma, lambda a: a * (1 - a))
    noise = np.random.default_rng(7).normal(size=(3, 3))
    loss = (t["a3"] ** 2).sum()
    first = explain_mismatch(loss, {t["a3"]: 2 * t["a3"].data, t["W1"]: noise}).first
    assert "somewhere on the way to it (∂L/∂a3 before it is right), at one of the" in first.sentence
    assert "in this step" not in first.sentence


def test_zero_is_printed_without_a_sign():
    x = Tensor([1.0, 2.0, 3.0], name="x")
    report = str(explain_mismatch((x**2).sum(), {x: [-0.0, 4.7, 6.3]}))
    assert "-0," not in report and "−0" not in report


def test_a_long_expression_is_named_by_its_two_ends():
    w = Tensor(np.ones((3, 2)), name="w")
    x = np.arange(6.0).reshape(2, 3)
    loss = 0.5 * ((np.tanh(np.tanh(np.tanh(x @ w) * 0.5) * 0.25 + 0.125) * 3.0 - 0.375) ** 2).sum()
    loss.backward()
    first = explain_mismatch(loss, {w: -w.grad}).first
    assert "the subtract" not in first.sentence and "…" in first.sentence and "- 0.375`" in first.sentence


# --- what is no slip --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["last", "split"])
def test_another_choice_at_ties_of_a_pool_is_as_good(route):
    a = Tensor([[[[1.0, 1.0], [0.0, 1.0]]]], name="a")
    wrong = {"last": [[[[0.0, 0], [0, 3]]]], "split": [[[[1.0, 1], [0, 1]]]]}[route]
    report = explain_mismatch((3 * F.max_pool2d(a, 2)).sum(), {a: wrong})
    assert [f.slip for f in report] == ["gradient at a tie of several"] and "as good" in report.first.sentence
    assert "is wrong" not in report.first.sentence


def test_a_gradient_of_zeros_or_of_ones_is_not_blamed():
    v = Tensor(np.random.default_rng(0).normal(size=(4, 3)), name="V")
    loss = (F.softmax(v) ** 2).sum()
    zeros = explain_mismatch(loss, {v: np.zeros((4, 3))})
    assert zeros.first.slip is None and "yours is 0 everywhere" in zeros.first.sentence
    assert explain_mismatch(loss, {v: np.ones((4, 3))}).first.slip is None
    assert "yours has shape (), expected (4, 3)" in explain_mismatch(loss, {v: 1.0}).first.sentence


@pytest.mark.parametrize(("shape", "given"), [((1, 1, 3, 3), (3, 3)), ((3,), (1, 3)), ((3, 1), (3,))])
def test_right_numbers_in_another_shape_are_said_to_be_right(shape, given):
    w = Tensor(np.random.default_rng(0).normal(size=shape), name="w")
    report = explain_mismatch((w**3).sum(), {w: (3 * w.data**2).reshape(given)})
    assert not report.ok and report.first.slip == "shape" and report.verdicts == {"∂L/∂w": "wrong here"}
    assert f"yours has shape {given}, expected {shape}; the same numbers in that shape are right" in str(report)
    assert ": yours" not in str(report).replace("alone: yours", "")


def test_a_slip_is_found_in_numbers_of_another_shape():
    w = Tensor([[0.5], [1.0], [-2.0]], name="w")
    report = explain_mismatch((np.tanh(w) * [[1.0], [3.0], [2.0]]).sum(), {w: [1.0, 3.0, 2.0]})
    blamed(report, "activation derivative missing")
    assert "has shape (3,), expected (3, 1): it was read in that shape" in str(report)


def test_a_wrong_rule_of_a_primitive_is_not_taken_for_a_slip():
    square = primitive(lambda x: x**2)
    defvjp(square, lambda g, out, x: g * x)
    w = Tensor([0.3, -1.0, 0.6], name="w")
    found = explain_mismatch(square(w).sum(), {w: 2 * w.data}).first
    assert found.slip == "rule of a primitive" and "finite differences" in found.sentence
    assert "is wrong" not in found.sentence and found.engine is None
    right = primitive(lambda x: x**2)
    defvjp(right, lambda g, out, x: 2 * g * x)
    assert explain_mismatch(right(w).sum(), {w: -2 * w.data}).first.slip == "sign"


@pytest.mark.parametrize(("engine", "hand"), [
    ([123.0, -0.4, 7.0], [123.0, 0.0, 7.0]), ([12345.0, 0.45, 1.0], [12345.0, 0.0, 1.0]),
    ([12345.0, 3.4, 1.0], [12345.0, 3.0, 1.0]),
])  # fmt: skip
def test_whole_numbers_are_not_taken_for_rounded_ones(engine, hand):
    w = Tensor(np.ones(3), name="w")
    assert not explain_mismatch((w * np.array(engine)).sum(), {w: np.array(hand)}).ok


def test_a_zero_among_rounded_numbers_may_be_a_rounded_one():
    w = Tensor(np.ones(3), name="w")
    assert explain_mismatch((w * [0.1234567, 0.5, 0.00004]).sum(), {w: np.array([0.1235, 0.5, 0.0])}).ok
