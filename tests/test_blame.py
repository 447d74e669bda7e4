"""Blame: which step of a derivation is wrong, what it says where several slips fit or none, what it refuses."""

import numpy as np
import pytest
from blamecases import blamed, mlp, sigma, softmax

import nn
from autograd import Tensor
from nn import functional as F
from viz import explain_mismatch


def test_right_gradients_match():
    t, v = mlp()
    report = explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1, "b⁽¹⁾": v.d1.sum(0), t.W2: v.a1.T @ v.d2, t.z1: v.d1})
    assert report.ok and report.first is None and len(report) == 0
    assert "4 gradients match" in str(report)


def test_right_gradients_match_to_the_digits_printed():
    t, v = mlp()
    printed = [[f"{n:.3f}" for n in row] for row in v.x.T @ v.d1]
    assert explain_mismatch(t.loss, {t.W1: printed}).ok
    assert explain_mismatch(t.loss, {t.W1: np.round(v.x.T @ v.d1, 4)}).ok


def test_noise_fits_no_slip():
    t, _ = mlp()
    report = explain_mismatch(t.loss, {t.W1: np.random.default_rng(7).normal(size=(3, 4))})
    assert not report.ok and report.first.slip is None
    assert "none of the slips known here fits" in report.first.sentence


def test_where_no_slip_fits_the_rows_that_differ_are_named():
    t, v = mlp()
    wrong = v.x.T @ v.d1
    wrong[1] += [1.0, -2.0, 0.5, 3.0]
    assert "only in row 1" in explain_mismatch(t.loss, {t.W1: wrong}).first.sentence


def test_a_wrong_step_is_told_from_one_that_inherits():
    t, v = mlp()
    d2 = v.d2 * [1.0, 3.0]
    d1 = (d2 @ v.W2.T) * v.df(v.z1)
    report = explain_mismatch(t.loss, {t.W1: v.x.T @ d1, t.z1: d1, t.z2: d2, t.W2: v.a1.T @ d2})
    assert report.verdicts == {
        "∂L/∂z⁽²⁾": "wrong here", "∂L/∂W⁽²⁾": "inherited", "∂L/∂z⁽¹⁾": "inherited", "∂L/∂W⁽¹⁾": "inherited",
    }  # fmt: skip
    assert report.first.gradients == ("∂L/∂z⁽²⁾",)
    assert "follows by the rule from your ∂L/∂z⁽²⁾" in report[1].sentence


def test_the_first_wrong_step_has_its_line_and_its_rule():
    t, v = mlp()
    d1 = (v.d2 @ v.W2.T) * (v.a1 * v.a1)
    first = explain_mismatch(t.loss, {t.z1: d1, t.W1: v.x.T @ d1, t.a1: v.d2 @ v.W2.T}).first
    assert first.gradients == ("∂L/∂z⁽¹⁾",)
    assert first.node is t.a1.node and "act(t.z1)" in first.source.text
    assert first.rule == "∂L/∂z⁽¹⁾ = ∂L/∂a⁽¹⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)"
    assert "∂L/∂a⁽¹⁾ before it is right" in first.sentence


def test_two_slips_in_two_steps_are_both_found():
    t, v = mlp()
    d2 = v.d2 / (v.a2 * (1 - v.a2))
    wrong = d2 @ v.W2.T * sigma(v.a1) * (1 - sigma(v.a1))
    report = explain_mismatch(t.loss, {t.z2: d2, t.z1: wrong})
    assert [f.slip for f in report] == ["activation derivative missing", "activation derivative at the activated value"]
    assert [f.node for f in report] == [t.a2.node, t.a1.node]


def test_rounded_intermediates_are_pushed_on_as_they_were_printed():
    t, v = mlp()
    d1 = np.round(v.d1, 2)
    report = explain_mismatch(t.loss, {t.z1: [[f"{n:.2f}" for n in row] for row in d1], t.W1: v.x.T @ d1})
    assert report.ok


def test_contributions_that_were_not_given_are_taken_from_the_engine_and_it_says_so():
    x = Tensor([1.0, 2.0], name="x")
    u, s = x * [3.0, 4.0], x**3
    u.name, s.name = "u", "s"
    loss = (u * u).sum() + s.sum()
    du = 2 * u.data
    report = explain_mismatch(loss, {u: du, x: du * [3, 4] + [5.0, -7.0]})
    assert report.verdicts == {"∂L/∂u": "right", "∂L/∂x": "wrong here"}
    assert "engine's gradients stand for the other contributions" in report.first.sentence


def test_one_number_misread_as_in_a_published_comment():
    X, W1 = np.array([[0.6, 0.8, 0.7]]), np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0]])
    w1, w2 = Tensor(W1, name="W1"), Tensor([[0.1], [0.2]], name="W2")
    z = X @ w1 + np.array([[0.1, 0.1]])
    loss = F.binary_cross_entropy_with_logits(F.sigmoid(z) @ w2 + 1.0, [[0.0]]) + 0.05 * ((w1**2).sum() + (w2**2).sum())
    printed = [["0.02", "0.04244"], ["0.043336", "0.03992"], ["0.060002", "0.02244"]]
    report = explain_mismatch(loss, {z: [["0.01667", "0.0374"]], w1: printed}, atol=2e-5)
    found = blamed(report, "one number misread")
    assert "which is 0.7, was taken as 0.6" in found.sentence


def test_slips_that_can_not_be_told_apart_are_counted():
    w = Tensor([0.5, -2.0], name="w")
    out = w * [1.0, 2.0] + w * [3.0, -1.0]
    report = explain_mismatch((out**2).sum(), {w: out.data * [4.0, 1.0]})
    assert {finding.slip for finding in report} == {"shared weight averaged", "factor"}
    assert f"{len(report)} slips give these numbers; they can't be told apart here" in str(report)


@pytest.mark.parametrize(("hand", "error", "said"), [
    ({"W⁽3⁾": [1.0]}, KeyError, "nearest"),
    ({"W⁽¹⁾": [[1.0, 2.0], [3.0]]}, ValueError, "ragged"),
    ({"W⁽¹⁾": np.zeros((3, 4), complex)}, TypeError, "complex"),
    ({"W⁽¹⁾": np.zeros((3, 4), int)}, TypeError, "int"),
    ({"W⁽¹⁾": "many"}, ValueError, "no number"),
    ({}, ValueError, "no gradients"),
    ([1.0], TypeError, "dict of gradients"),
])  # fmt: skip
def test_bad_gradients_are_refused_with_a_sentence(hand, error, said):
    t, _ = mlp()
    with pytest.raises(error, match=said):
        explain_mismatch(t.loss, hand)


def test_a_loss_of_several_numbers_and_a_bad_rate_are_refused():
    t, v = mlp()
    with pytest.raises(ValueError, match="scalar"):
        explain_mismatch(t.e, {t.W1: v.x.T @ v.d1})
    with pytest.raises(ValueError, match="lr must be a number above 0"):
        explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1}, lr=-1)
    with pytest.raises(ValueError, match="not on the tape"):
        explain_mismatch(t.loss, {Tensor([1.0]): [1.0]})


def test_a_gradient_of_the_wrong_shape_is_said_to_be_so():
    t, _ = mlp()
    first = explain_mismatch(t.loss, {t.W1: np.ones((2, 2))}).first
    assert "yours has shape (2, 2), expected (3, 4)" in first.sentence


def test_layers_of_nn_go_by_their_textbook_names():
    nn.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x, y = np.random.default_rng(0).normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0])
    loss = F.cross_entropy(net(x), y)
    W1, b1, W2, b2 = (p.data for p in net.parameters())
    a1 = np.tanh(x @ W1.T + b1)
    d2 = (softmax(a1 @ W2.T + b2) - np.eye(2)[y]) / 6
    report = explain_mismatch(loss, {"W⁽¹⁾": (d2 @ W2).T @ x})
    found = blamed(report, "activation derivative missing")
    assert found.node.name == "a⁽¹⁾" or "a⁽" in found.sentence


def test_a_slip_together_with_a_factor():
    t, v = mlp()
    wrong = -2 * v.x.T @ (v.d2 @ v.W2.T)
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong}), "activation derivative missing", t.a1)
    assert "two slips at once" in found.sentence and "−2 times" in found.sentence


def test_the_published_slip_of_updated_weights_from_nine_printed_digits():
    x, target = np.array([0.05, 0.1]), np.array([0.01, 0.99])
    W1, W2 = Tensor([[0.15, 0.2], [0.25, 0.3]], name="W1"), Tensor([[0.4, 0.45], [0.5, 0.55]], name="W2")
    out_h = F.sigmoid(W1 @ x + 0.35)
    net_o = W2 @ out_h
    loss = (0.5 * (target - F.sigmoid(net_o + 0.6)) ** 2).sum()
    h = sigma(np.array([0.3775, 0.3925]))
    o = sigma(W2.data @ h + 0.6)
    d = (o - target) * o * (1 - o)
    new = W2.data - 0.5 * np.outer(d, h)
    printed = [[f"{n:.9f}" for n in row] for row in np.outer((new.T @ d) * h * (1 - h), x)]
    found = blamed(explain_mismatch(loss, {W1: printed}), "weights already updated", net_o)
    assert found.solved == 0.5


def test_the_famous_loss_after_one_step_is_traced_to_the_updated_weights():
    x, target = np.array([0.05, 0.1]), np.array([0.01, 0.99])
    W1, W2 = Tensor([[0.15, 0.2], [0.25, 0.3]], name="W1"), Tensor([[0.4, 0.45], [0.5, 0.55]], name="W2")
    out_h = F.sigmoid(W1 @ x + 0.35)
    net_o = W2 @ out_h
    loss = (0.5 * (target - F.sigmoid(net_o + 0.6)) ** 2).sum()
    assert explain_mismatch(loss, {}, after={loss: "0.291027774"}, lr=0.5).ok
    report = explain_mismatch(loss, {}, after={loss: "0.291027924"}, lr=0.5)
    found = blamed(report, "weights already updated", net_o)
    assert found.gradients == ("L after the step",) and len(report) == 1
    new_W2 = [["0.35891648", "0.408666186"], ["0.51130127", "0.561370121"]]
    assert explain_mismatch(loss, {}, after={W2: new_W2, loss: "0.291027774"}, lr=0.5).ok
    with pytest.raises(ValueError, match="needs the learning rate"):
        explain_mismatch(loss, {}, after={loss: "0.29"})


def test_numbers_rounded_on_the_way_are_told_from_a_slip():
    t, v = mlp()
    right = v.x.T @ v.d1
    printed = [[f"{n:.6f}" for n in row] for row in right + 1.2e-6]
    found = blamed(explain_mismatch(t.loss, {t.W1: printed}), "rounding")
    assert "units of the last digit printed" in found.sentence


def test_a_slip_in_numbers_rounded_on_the_way_is_still_found():
    t, v = mlp()
    wrong = v.x.T @ (v.d2 @ v.W2.T)
    report = explain_mismatch(t.loss, {t.W1: [[f"{n:.6f}" for n in row] for row in wrong + 4e-6]})
    blamed(report, "activation derivative missing", t.a1)
    assert "rounded on the way" in str(report)


def test_a_line_of_the_program_is_named_once_and_printed_below():
    x = Tensor([1.0, 2.0], name="x")
    u = x * [3.0, 4.0]; v = u * x; loss = (u * v).sum()  # fmt: skip # noqa: E702
    u.name, v.name = "u", "v"
    report = str(explain_mismatch(loss, {x: [7.0, -2.0]}))
    assert report.count("test_blame.py") == 2, report
    assert report.count("u = x * [3.0, 4.0]; v = u * x") == 1, report


def test_a_constant_in_a_rule_goes_by_what_the_program_calls_it():
    t, _ = mlp()
    assert explain_mismatch(t.loss, {t.W1: np.ones((3, 4))}).first.rule == "∂L/∂W⁽¹⁾ = xᵀ @ ∂L/∂(x @ t.W1)"


def test_what_is_computed_inside_a_function_goes_by_its_operation():
    z = Tensor([[1.0, 2.0, 0.5]], name="z")
    wrong = (softmax(z.data) - [[0.0, 1.0, 0.0]]) * softmax(z.data)
    first = explain_mismatch(F.cross_entropy(z, [1]), {z: wrong}).first
    assert "%" not in str(first)


def test_another_choice_that_is_as_good_is_not_called_a_mistake_beside():
    x = Tensor([-1.0, 0.0, 2.0], name="x")
    y = np.maximum(x, 0.0)
    report = explain_mismatch((y * [1.0, 3.0, 5.0]).sum(), {x: [0.0, 0.0, 5.0]})
    assert [finding.slip for finding in report] == ["gradient at a tie of two"]


def test_one_number_of_few_digits_is_said_to_be_little():
    x = Tensor(0.3, name="x")
    report = explain_mismatch(np.tanh(x) * 1.7, {x: "1.70"})
    blamed(report, "activation derivative missing")
    assert "With so few digits this may be chance" in str(report)
