"""Blame: one slip at several layers, several slips at once, and which of the slips that fit is named first."""

import numpy as np
import pytest
from blamecases import blamed, chain, named, recurrent, sigma

from autograd import Tensor
from nn import functional as F
from viz import explain_mismatch


def derivative(a):
    return a * (1 - a)


@pytest.mark.parametrize("given", [("W1",), ("W2", "W1"), ("W3", "W2", "W1", "b3", "b2", "b1")])
def test_an_activation_derivative_forgotten_in_both_hidden_layers(given):
    L, t, grads = chain(sigma, derivative, derivatives=(0, 0, 1))
    report = explain_mismatch(L, {t[name]: grads[name] for name in given})
    found = blamed(report, "activation derivative missing", t["a2"])
    assert len(report) == 1 and "missing at a2" in found.sentence and "and so at a1" in found.sentence


def test_an_activation_derivative_forgotten_in_the_first_and_the_last_layer():
    L, t, grads = chain(sigma, derivative, derivatives=(0, 1, 0))
    report = explain_mismatch(L, {t[name]: grads[name] for name in ("W3", "W2", "W1")})
    assert [f.slip for f in report] == ["activation derivative missing"] and "and so at a1" in report.first.sentence


@pytest.mark.parametrize("given", [("W1",), ("W2", "W1")])
def test_the_transpose_forgotten_in_every_layer(given):
    L, t, grads = chain(sigma, derivative, transposed=False)
    found = blamed(explain_mismatch(L, {t[name]: grads[name] for name in given}), "transpose")
    assert "and so at each of the 2 products of this kind" in found.sentence


def test_the_derivative_of_another_activation_in_every_layer():
    L, t, grads = chain(sigma, lambda a: 1 - a * a)
    found = blamed(explain_mismatch(L, {t["W1"]: grads["W1"]}), "derivative of another activation")
    assert "and so at each of the 3 σ activations" in found.sentence


def test_the_transpose_forgotten_at_every_step_of_a_recurrence():
    t, _ = recurrent()
    W, hs = t.W.data, [np.zeros(3), *(h.data for h in t.h)]
    g, dW = hs[-1], np.zeros((3, 3))
    for k in range(4, 0, -1):
        d = g * (1 - hs[k] ** 2)
        dW += np.outer(d, hs[k - 1])
        g = W @ d
    found = blamed(explain_mismatch(t.loss, {t.W: dW}), "transpose")
    assert "and so at each of the 3 products of this kind" in found.sentence


def test_a_shared_weight_averaged_over_the_steps_is_so_for_each_that_is_shared():
    t, parts = recurrent()
    dW, dU = (sum(p[k] for p in parts) / 4 for k in (0, 1))
    report = explain_mismatch(t.loss, {t.W: dW, t.U: dU})
    assert blamed(report, "shared weight averaged").gradients == ("∂L/∂U", "∂L/∂W")


def test_a_gradient_that_follows_from_a_slip_and_from_another_one():
    L, t, grads = chain(sigma, derivative, derivatives=(0, 1, 1), sign=-1)
    for given in (("W2", "W1", "b1"), ("W3", "b3", "W2", "b2", "W1", "b1")):
        report = explain_mismatch(L, {t[name]: grads[name] for name in given})
        assert [f.slip for f in report] == ["sign", "activation derivative missing"]
        assert report[1].gradients == ("∂L/∂b1", "∂L/∂W1")
        assert "they follow from what is said of" in report[1].sentence
        assert "two slips at once" not in str(report)


def test_three_slips_of_which_two_are_at_once():
    L, t, grads = chain(sigma, derivative, derivatives=(0, 1, 0), sign=-1)
    report = explain_mismatch(L, {t[name]: grads[name] for name in ("W3", "b3", "W2", "b2", "W1", "b1")})
    assert report.first.slip == "activation derivative missing" and len(report) < 3
    assert "two slips at once" in report.first.sentence and "−1 times" in report.first.sentence


def test_later_gradients_tell_which_of_two_slips_it_was():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    w1, w2 = Tensor(rng.normal(size=(3, 3)), name="W1"), Tensor(rng.normal(size=(3, 2)), name="W2")
    h = np.tanh(x @ w1)
    e = h @ w2 - y
    loss = 0.5 * (e**2).sum()
    d = -e.data
    d1 = d @ w2.data.T
    report = explain_mismatch(loss, {w2: h.data.T @ d, w1: x.T @ d1})
    assert [f.slip for f in report] == ["sign", "activation derivative missing"]


# --- which is named first ---------------------------------------------------------------------------------------------


def test_a_plain_sign_is_named_before_a_sign_in_the_rule():
    w = Tensor([0.3, -1.0, 0.6], name="w")
    report = explain_mismatch(np.tanh(w).sum() * 2.0, {w: -2 * (1 - np.tanh(w.data) ** 2)})
    assert len(report) == 1 and report.first.slip == "sign"
    assert "it is −1 times the right one: a sign. Or, with the same numbers:" in report.first.sentence


def test_half_of_a_gradient_is_a_factor_before_it_is_an_average_of_its_terms():
    x, w = np.random.default_rng(0).normal(size=(4, 3)), Tensor([0.3, -1.0, 0.6], name="w")
    loss = (np.tanh(x @ w) ** 2).sum() + 0.1 * (w**2).sum()
    loss.backward()
    report = explain_mismatch(loss, {w: w.grad / 2})
    assert len(report) == 1 and report.first.slip == "factor"
    assert "½ times" in report.first.sentence and "contributions to w were averaged" in report.first.sentence


def test_a_forgotten_minus_of_a_logarithm_is_a_minus():
    p = Tensor([0.2, 0.3, 0.5], name="p")
    report = explain_mismatch((-np.log(p)).sum(), {p: 1 / p.data})
    assert [f.slip for f in report] == ["sign"]


@pytest.mark.parametrize(("loss", "factor", "said"), [
    (lambda e: (e**2).mean(), 5, "a sum instead of a mean"),
    (lambda e: (e**2).sum() / 5, 5, "the factor 1/5 is missing"),
    (lambda e: (e**2).mean(), 0.5, "the factor 2 of the derivative of the power is missing"),
    (lambda e: 0.5 * (e**2).sum(), 2, "the factor 0.5 is missing"),
    (lambda e: 0.5 * (e**2).mean(), 2, "the factor 0.5 is missing"),
    (lambda e: (e**2).sum() / np.sqrt(3), np.sqrt(3), "the factor 1/√3 is missing"),
])  # fmt: skip
def test_a_forgotten_factor_is_said_once_as_a_factor(loss, factor, said):
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=5), Tensor(rng.normal(size=3), name="w")
    L = loss(x @ w - y)
    L.backward()
    report = explain_mismatch(L, {w: factor * w.grad})
    assert [f.slip for f in report] == ["factor"] and said in report.first.sentence
    assert "can't be told apart" not in str(report)


# --- labels of two classes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [
    lambda a, z, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean(),
    lambda a, z, y: F.binary_cross_entropy(a, y),
    lambda a, z, y: F.binary_cross_entropy_with_logits(z, y),
    lambda a, z, y: -np.where(y == 1, np.log(a), np.log(1 - a)).mean(),
])  # fmt: skip
@pytest.mark.parametrize(("wrong", "said"), [
    (lambda y: 1 - y, "the opposite label"),
    (lambda y: y[::-1], "in reverse order"),
    (lambda y: np.roll(y, 1), "the label of the example beside"),
    (lambda y: 0 * y, "the loss without labels: 0 in the place of"),
    (lambda y: y * [0, 1, 1, 1, 1], "0 instead of 1 at [0]"),
])  # fmt: skip
def test_wrong_labels_in_logistic_regression(loss, wrong, said):
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(5, 3)), np.array([1.0, 0, 1, 1, 0]), Tensor(rng.normal(size=3), name="w")
    z = x @ w
    a = F.sigmoid(z)
    L = loss(a, z, y)
    assert explain_mismatch(L, {w: x.T @ (a.data - y) / 5}).ok
    found = blamed(explain_mismatch(L, {w: x.T @ (a.data - wrong(y)) / 5}), "labels")
    assert said in found.sentence


def test_labels_between_0_and_1_that_are_used_twice():
    rng = np.random.default_rng(0)
    x, q, w = rng.normal(size=(5, 3)), np.array([0.9, 0.1, 0.8, 0.7, 0.2]), Tensor(rng.normal(size=3), name="w")
    a = F.sigmoid(x @ w)
    loss = -(q * np.log(a) + (1 - q) * np.log(1 - a)).mean()
    found = blamed(explain_mismatch(loss, {w: x.T @ (a.data - q[::-1]) / 5}), "labels")
    assert "in reverse order" in found.sentence


def test_the_labels_subtracted_nowhere_from_a_softmax():
    rng = np.random.default_rng(0)
    z, y = Tensor(rng.normal(size=(4, 3)), name="z"), np.array([0, 2, 1, 1])
    p = F.softmax(z).data
    report = explain_mismatch(F.cross_entropy(z, y), {z: p / 4})
    assert not report.ok and report.first.slip is not None


# --- regularisation ---------------------------------------------------------------------------------------------------


def regularised():
    rng = np.random.default_rng(0)
    w1, w2 = Tensor(rng.normal(size=(3, 3)), name="W1"), Tensor(rng.normal(size=(3, 3)), name="W2")
    x = rng.normal(size=(4, 3))
    loss = ((np.tanh(x @ w1) @ w2) ** 2).sum() + 0.1 * (w1**2).sum() + 0.1 * (w2**2).sum()
    loss.backward()
    return loss, x, w1, w2


@pytest.mark.parametrize(("share", "said"), [
    (-0.2, "missing"), (0.2, "doubled"), (-0.1, "halved"), (-0.4, "of the wrong sign"),
    (-0.15, "divided by 4"), (0.14, "1.7 times the right one"),
])  # fmt: skip
def test_regularisation_terms_that_the_loss_contains(share, said):
    loss, _, w1, w2 = regularised()
    one = blamed(explain_mismatch(loss, {w1: w1.grad + share * w1.data}), "regularisation term")
    assert f"the regularisation term of W1 is {said}" in one.sentence
    both = explain_mismatch(loss, {w: w.grad + share * w.data for w in (w1, w2)})
    assert f"the regularisation terms of W2 and W1 are {said}" in blamed(both, "regularisation term").sentence
    assert "does not contain" not in str(both)


def test_a_bias_regularised_as_the_loss_regularises_the_weights():
    rng = np.random.default_rng(18)
    x, w, b = rng.normal(size=(9, 3)), Tensor(rng.normal(size=3), name="w"), Tensor([0.8], name="b")
    e = x @ w.data + b.data - 1
    loss = 0.5 * ((x @ w + b - 1) ** 2).sum() + 0.2 * (w @ w)
    report = explain_mismatch(loss, {w: e @ x + 0.4 * w.data, b: [e.sum() + 0.4 * 0.8]})
    assert "+ λb with λ = 0.4" in blamed(report, "regularisation term").sentence
    assert "does not contain for b, but for w" in report.first.sentence


@pytest.mark.parametrize("loss", [
    lambda a, p, n: np.sum(np.linalg.norm(a - p, axis=1) ** 2 - np.linalg.norm(a - n, axis=1) ** 2 + 9),
    lambda a, p, n: np.sum(np.maximum(0, np.sum((a - p) ** 2, axis=1) - np.sum((a - n) ** 2, axis=1) + 9)),
], ids=["norm", "hinge"])  # fmt: skip
def test_a_regularisation_term_with_a_λ_that_was_solved_for_is_not_said_where_a_term_was_left_out(loss):
    rng = np.random.default_rng(28)
    a, p, n = (Tensor(rng.normal(size=(4, 3)), name=name) for name in "apn")
    report = explain_mismatch(loss(a, p, n), {a: 2 * (n.data - p.data), p: -2 * a.data, n: 2 * a.data})
    assert [f.slip for f in report] == ["term of the rule left out"] * 2 and "λ" not in str(report)


def test_twice_the_gradient_of_a_loss_that_is_a_square_is_a_factor():
    w = Tensor([0.3, -1.0, 0.6], name="w")
    assert explain_mismatch((w**2).sum(), {w: 4 * w.data}).first.slip == "factor"


@pytest.mark.parametrize("more", [lambda w2: {}, lambda w2: {w2: w2.grad}])
@pytest.mark.parametrize("lr", [None, 0.5])
@pytest.mark.parametrize("digits", [None, 3])
def test_a_regularised_weight_that_was_updated_too_early(more, lr, digits):
    loss, x, w1, w2 = regularised()
    h, new = np.tanh(x @ w1.data), w2.data - 0.5 * w2.grad
    wrong = x.T @ ((2 * h @ w2.data @ new.T) * (1 - h * h)) + 0.2 * w1.data
    if digits:
        wrong = [[f"{n:.{digits}g}" for n in row] for row in wrong]
    report = explain_mismatch(loss, {w1: wrong, **more(w2)}, lr=lr)
    found = blamed(report, "weights already updated")
    assert "W2 already updated (new = old − lr · gradient, lr = 0.5)" in found.sentence
    assert len(report) == 1 and "two slips" not in found.sentence


# --- softmax, written out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [-1, 0])
def test_slips_at_a_softmax_that_subtracts_its_maximum(axis):
    rng = np.random.default_rng(0)
    s, c = Tensor(rng.normal(size=(4, 3)), name="S"), rng.normal(size=(4, 3))
    e = np.exp(s - s.max(axis=axis, keepdims=True))
    p = named("P", e / e.sum(axis=axis, keepdims=True))
    loss, P = (p * c).sum(), p.data
    assert explain_mismatch(loss, {s: P * (c - (c * P).sum(axis, keepdims=True))}).ok
    found = blamed(explain_mismatch(loss, {s: c * P * (1 - P)}), "softmax derivative as if diagonal", p)
    assert "∂pᵢ/∂Sᵢ" in found.sentence
    blamed(explain_mismatch(loss, {s: c * P}), "term of the rule left out", p)


# --- more places ------------------------------------------------------------------------------------------------------


def test_a_kernel_gradient_transposed_in_its_last_two_axes():
    rng = np.random.default_rng(0)
    k = Tensor(rng.normal(size=(1, 1, 3, 3)), name="K")
    loss = (F.conv2d(rng.normal(size=(1, 1, 5, 5)), k) ** 2).sum()
    loss.backward()
    found = blamed(explain_mismatch(loss, {k: k.grad[0, 0].T[None, None]}), "transpose")
    assert "in its last two axes" in found.sentence


@pytest.mark.parametrize("product", [np.matmul, lambda a, b: np.einsum("ij,jk->ik", a, b)])
def test_a_product_with_an_operand_not_transposed_or_in_the_other_order(product):
    rng = np.random.default_rng(0)
    a, b, c = (
        Tensor(rng.normal(size=(3, 3)), name="A"),
        Tensor(rng.normal(size=(3, 3)), name="B"),
        rng.normal(size=(3, 3)),
    )
    loss = (product(a, b) * c).sum()
    blamed(explain_mismatch(loss, {a: c @ b.data}), "transpose")
    blamed(explain_mismatch(loss, {b: a.data @ c}), "transpose")
    blamed(explain_mismatch(loss, {a: b.data.T @ c}), "order of a product")


def test_the_gradient_of_the_scores_of_attention_transposed():
    rng = np.random.default_rng(0)
    q, k, c = (
        Tensor(rng.normal(size=(3, 2)), name="Q"),
        Tensor(rng.normal(size=(3, 2)), name="K"),
        rng.normal(size=(3, 3)),
    )
    s = named("S", q @ k.T)
    p = F.softmax(s)
    P = p.data
    ds = P * (c - (c * P).sum(-1, keepdims=True))
    found = blamed(explain_mismatch((p * c).sum(), {q: ds.T @ k.data}), "upstream gradient transposed", s)
    assert "(∂L/∂S)ᵀ was taken in the place of ∂L/∂S in ∂L/∂Q" in found.sentence
    blamed(explain_mismatch((p * c).sum(), {k: ds @ q.data}), "upstream gradient transposed", s)


def test_an_index_that_repeats_of_which_the_last_contribution_alone_is_kept():
    rng = np.random.default_rng(0)
    e, ix, g = Tensor(rng.normal(size=(4, 2)), name="E"), np.array([0, 1, 1, 3, 1]), rng.normal(size=(5, 2))
    wrong = np.zeros((4, 2))
    wrong[ix] += g
    blamed(explain_mismatch((e[ix] * g).sum(), {e: wrong}), "index that repeats")


@pytest.mark.parametrize("scale", [1, 5])
def test_the_first_example_alone_in_logistic_regression(scale):
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(5, 3)), np.array([1.0, 0, 0, 1, 0]), Tensor(rng.normal(size=3), name="w")
    loss = F.binary_cross_entropy_with_logits(x @ w, y)
    wrong = scale * x[0] * (sigma(x @ w.data)[0] - y[0]) / 5
    found = blamed(explain_mismatch(loss, {w: wrong}), "one example of the batch only")
    assert "the first of 5" in found.sentence


def test_an_activation_of_the_pass_before_the_last_step():
    rng = np.random.default_rng(0)
    x, y, old1, old2 = (rng.normal(size=s) for s in ((5, 3), (5, 2), (3, 3), (3, 2)))
    a = sigma(x @ old1)
    d = 2 * (a @ old2 - y)
    new1 = old1 - 0.02 * x.T @ ((d @ old2.T) * a * (1 - a))
    w1, w2 = Tensor(new1, name="W1"), Tensor(old2 - 0.02 * a.T @ d, name="W2")
    a1 = named("a1", F.sigmoid(x @ w1))
    out = a1 @ w2
    loss = ((out - y) ** 2).sum()
    found = blamed(explain_mismatch(loss, {w2: a.T @ (2 * (out.data - y))}, lr=0.02), "stale forward values", out)
    assert "a1 was read as it was before the last step of lr = 0.02" in found.sentence
    old = {w1: x.T @ ((d @ old2.T) * a * (1 - a)), w2: a.T @ d}
    found = blamed(explain_mismatch(loss, old, lr=0.02), "stale forward values")
    assert "at W1 and W2 before the last step, of lr = 0.02" in found.sentence


def test_the_value_of_a_regularisation_term_was_added_in_the_place_of_its_gradient():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=5)
    w, b = Tensor(rng.normal(size=3), name="w"), Tensor(rng.normal(size=3), name="b")
    loss = np.sum((np.tanh(x @ w + x**2 @ b) - y) ** 2) / 5 + 0.1 * (np.sum(w**2) + np.sum(w**2)) / 2
    loss.backward()
    for times, said in ((1, "0.1 Σ w²"), (5, "0.5 Σ w²")):
        wrong = w.grad - 0.2 * w.data + times * 0.1 * np.sum(w.data**2)
        found = blamed(explain_mismatch(loss, {w: wrong, b: b.grad}), "regularisation term")
        assert f"the value of a regularisation term was added in the place of its gradient: {said}" in found.sentence
    found = blamed(explain_mismatch(loss, {w: w.grad, b: b.grad + 0.1 * np.sum(b.data**2)}), "regularisation term")
    assert "was added in the place of its gradient: 0.1 Σ b²" in found.sentence
    found = blamed(explain_mismatch(loss, {w: w.grad - 0.2 * w.data, b: b.grad}), "regularisation term")
    assert "the regularisation term of w is missing: its gradient is 0.2 w" in found.sentence


def test_several_gradients_that_no_slip_explains_are_spoken_of_together():
    L, t, grads = chain(sigma, derivative)
    rng = np.random.default_rng(11)
    given = {name: grad + rng.normal(size=np.shape(grad)) for name, grad in grads.items() if name[0] in "Wb"}
    report = explain_mismatch(L, {t[name]: grad for name, grad in given.items()})
    (one,) = report
    assert one.slip is None and len(one.gradients) == len(given) == len(report.verdicts)
    assert "are wrong, if by one slip, at one of" in one.sentence and "none of the slips" in one.sentence
    assert len(explain_mismatch(L, {t[name]: given[name] for name in ("W1", "W2")})) == 2


def test_a_derivative_missing_on_the_way_to_one_gradient_alone():
    def sig(x):
        return 1 / (1 + np.exp(-x))

    w0, w1 = Tensor([0.9, 0.3], name="w0"), Tensor([0.8, 0.7], name="w1")
    h0, h1 = sig(0.6 * w0[0]), sig(0.35 * w0[1])
    out = sig(w1[0] * h0 + w1[1] * h1)
    a0, a1, e = h0.data, h1.data, out.data - 1
    d = e * out.data * (1 - out.data)
    right = {w0: [d * 0.8 * a0 * (1 - a0) * 0.6, d * 0.7 * a1 * (1 - a1) * 0.35], w1: [d * a0, d * a1]}
    assert explain_mismatch(0.5 * (out - 1) ** 2, right).ok
    report = explain_mismatch(0.5 * (out - 1) ** 2, right | {w1: [e * a0, e * a1]})
    found = blamed(report, "activation derivative missing")
    assert "the derivative σ′ is missing at out" in found.sentence
    assert found.gradients == ("∂L/∂w1",) and found.sentence.endswith("on the way to ∂L/∂w1 alone.")


def test_a_minus_before_the_first_factor_of_a_product_is_one_before_the_product():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 3)), rng.random((6, 2))
    W1, W2 = Tensor(rng.normal(size=(3, 4))), Tensor(rng.normal(size=(4, 2)))
    h = 1 / (1 + np.exp(-X @ W1))
    out = 1 / (1 + np.exp(-h @ W2))
    loss, d = ((out - y) ** 2).sum(), 2 * (out.data - y)
    d2 = d * out.data * (1 - out.data)
    d1 = (d2 @ W2.data.T) * h.data * (1 - h.data)
    assert explain_mismatch(loss, {W2: h.data.T @ d2, W1: X.T @ d1}).ok
    report = explain_mismatch(loss, {W2: h.data.T @ d2, W1: X.T @ (d2 @ W2.data.T)})
    found = blamed(report, "activation derivative missing", h)
    assert found.right_formula == "∂L/∂(X @ W1) = ∂L/∂h ⊙ h ⊙ (1 − h)"
    stale = X.T @ ((d2 @ (W2.data - 0.5 * h.data.T @ d2).T) * h.data * (1 - h.data))
    blamed(explain_mismatch(loss, {W1: stale}), "weights already updated")
    report = explain_mismatch(loss, {W1: -X.T @ d1})
    assert "the difference `out - y`" in blamed(report, "sign").sentence


def test_a_minus_before_unsigned_numbers_is_no_minus():
    y, w = np.array([1, 0, 1], np.uint8), Tensor([0.2, 0.3, 0.4], name="w")
    loss = np.sum(-y * np.exp(w))
    assert explain_mismatch(loss, {w: [255 * np.exp(0.2), 0.0, 255 * np.exp(0.4)]}).ok
    assert explain_mismatch(loss, {w: [-255 * np.exp(0.2), 0.0, -255 * np.exp(0.4)]}).first.slip == "sign"


def test_an_expression_that_stands_twice_on_a_line_is_told_apart():
    x, A = Tensor([[0.3], [1.2]], name="x"), np.array([[2.0, 1], [1, 3]])
    loss = (x.T @ [[1.0], [2.0]] + x.T @ A @ x).sum()
    report = explain_mismatch(loss, {x: np.array([[1.0], [2.0]]) + A @ x.data})
    assert "`x.T` (the 2nd of 2 on the line)" in blamed(report, "path left out").sentence
