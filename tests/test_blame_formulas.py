"""Rules with a part left out or changed, each derived here by hand in plain NumPy, which blame must trace."""

import numpy as np
import pytest
from blamecases import blamed, mlp, sigma

from autograd import Tensor
from nn import functional as F
from viz import explain_mismatch


def bce(seed=0):
    """A network of two sigmoid layers under the binary cross-entropy; its numbers as plain arrays."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(6, 3)), rng.integers(0, 2, size=(6, 1)).astype(float)
    W1, b1 = rng.normal(size=(4, 3)), rng.normal(size=4)
    W2, b2 = rng.normal(size=(1, 4)), rng.normal(size=1)
    w1, w2 = Tensor(W1, name="W1"), Tensor(W2, name="W2")
    z1 = x @ w1.T + b1
    a1 = F.sigmoid(z1)
    a2 = F.sigmoid(a1 @ w2.T + b2)
    J = -(y * np.log(a2) + (1 - y) * np.log(1 - a2)).mean()
    J.name, z1.name, a1.name = "J", "z⁽¹⁾", "a⁽¹⁾"
    h = sigma(x @ W1.T + b1)
    return J, w1, w2, z1, a1, x, W2, h, (sigma(h @ W2.T + b2) - y) / 6


def test_a_factor_left_out_of_the_derivative_of_the_sigmoid():
    J, w1, w2, z1, a1, x, W2, h, d2 = bce()
    assert explain_mismatch(J, {z1: (d2 @ W2) * h * (1 - h), w2: d2.T @ h}).ok
    for hand in ({z1: (d2 @ W2) * h}, {w1: ((d2 @ W2) * h).T @ x}, {w1: ((d2 @ W2) * h).T @ x, w2: d2.T @ h}):
        found = blamed(explain_mismatch(J, hand), "factor of the rule left out", a1)
        assert "the factor (1 − a⁽¹⁾) was left out of ∂J/∂z⁽¹⁾, at a⁽¹⁾" in found.sentence
        assert found.your_formula == "∂J/∂z⁽¹⁾ = ∂J/∂a⁽¹⁾ ⊙ a⁽¹⁾"
        assert found.right_formula == "∂J/∂z⁽¹⁾ = ∂J/∂a⁽¹⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)"
    found = blamed(explain_mismatch(J, {z1: (d2 @ W2) * (1 - h)}), "factor of the rule left out", a1)
    assert "the factor a⁽¹⁾ was left out" in found.sentence


def test_a_factor_left_out_is_said_once_with_its_rule():
    J, _, _, z1, _, _, W2, h, d2 = bce()
    assert str(explain_mismatch(J, {z1: (d2 @ W2) * h})).count("⊙ (1 − a⁽¹⁾)") == 1


def test_a_factor_left_out_to_three_printed_digits():
    J, w1, _, _, a1, x, W2, h, d2 = bce()
    printed = [[f"{n:.3g}" for n in row] for row in ((d2 @ W2) * h).T @ x]
    blamed(explain_mismatch(J, {w1: printed}), "factor of the rule left out", a1)


def test_a_factor_left_out_of_an_activation_that_is_written_out():
    _, v = mlp()
    w1 = Tensor(v.W1, name="W1")
    z1 = v.x @ w1 + v.b1
    a1 = 1 / (1 + np.exp(-z1))
    loss = 0.5 * ((a1 @ v.W2 + v.b2 - v.y) ** 2).sum()
    g = (v.a1 @ v.W2 + v.b2 - v.y) @ v.W2.T
    found = blamed(explain_mismatch(loss, {w1: v.x.T @ (g * v.a1)}), "factor of the rule left out", a1)
    assert "the factor (1 − a₁) was left out of ∂L/∂z₁" in found.sentence
    assert found.right_formula == "∂L/∂z₁ = ∂L/∂a₁ ⊙ a₁ ⊙ (1 − a₁)"


def test_a_factor_left_out_at_every_layer():
    t, v = mlp()
    d2 = (v.a2 - v.y) / v.n * v.a2
    d1 = (d2 @ v.W2.T) * v.a1
    report = explain_mismatch(t.loss, {t.W1: v.x.T @ d1, t.W2: v.a1.T @ d2})
    found = blamed(report, "factor of the rule left out", t.a2)
    assert found.gradients == ("∂L/∂W⁽²⁾", "∂L/∂W⁽¹⁾")
    assert "and so at each of the 2 steps of this kind" in found.sentence


@pytest.mark.parametrize(("factor", "instead"), [
    (lambda a: 1 - a, "a⁽¹⁾ was taken in the place of (a⁽¹⁾)²"),
    (lambda a: 1 - a**3, "(a⁽¹⁾)³ was taken in the place of (a⁽¹⁾)²"),
])  # fmt: skip
def test_the_derivative_of_tanh_with_another_power(factor, instead):
    t, v = mlp("tanh")
    d1 = (v.d2 @ v.W2.T) * factor(v.a1)
    found = blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ d1}), "power in the rule", t.a1)
    assert f"{instead} in ∂L/∂z⁽¹⁾" in found.sentence
    assert found.right_formula == "∂L/∂z⁽¹⁾ = ∂L/∂a⁽¹⁾ ⊙ (1 − (a⁽¹⁾)²)"


def test_the_derivative_of_tanh_with_another_power_at_every_step_of_a_recurrence():
    rng = np.random.default_rng(3)
    xs, W, U = rng.normal(size=(4, 2)), rng.normal(size=(3, 3)), rng.normal(size=(3, 2))
    w, h, hs = Tensor(W, name="W"), np.zeros(3), [np.zeros(3)]
    for x in xs:
        h = np.tanh(w @ h + U @ x)
        hs.append(np.tanh(W @ hs[-1] + U @ x))
    g, right, wrong = hs[-1], np.zeros((3, 3)), np.zeros((3, 3))
    for total, power in ((right, 2), (wrong, 1)):
        g = hs[-1]
        for k in range(4, 0, -1):
            d = g * (1 - hs[k] ** power)
            total += np.outer(d, hs[k - 1])
            g = W.T @ d
    loss = 0.5 * (h**2).sum()
    assert explain_mismatch(loss, {w: right}).ok
    found = blamed(explain_mismatch(loss, {w: wrong}), "power in the rule")
    assert "and so at each of the 4 steps" in found.sentence


@pytest.mark.parametrize(("wrong", "slip", "said"), [
    (lambda g, x: -g / x, "power in the rule", "x was taken in the place of x²"),
    (lambda g, x: -g / x**3, "power in the rule", "x³ was taken in the place of x²"),
    (lambda g, x: -g * x**2, "product and quotient mixed up", "was taken in the place of"),
])  # fmt: skip
def test_the_derivative_of_the_reciprocal(wrong, slip, said):
    X, c = np.array([0.5, -2.0, 3.0]), np.array([1.0, 2.0, -0.7])
    x = Tensor(X, name="x")
    y = 1 / x
    y.name = "y"
    loss = (y * y * c).sum()
    g = 2 * c / X
    assert explain_mismatch(loss, {x: -g / X**2}).ok
    found = blamed(explain_mismatch(loss, {x: wrong(g, X)}), slip, y)
    assert said in found.sentence


def test_the_derivative_of_the_logarithm_multiplied_instead_of_divided():
    X = np.array([0.5, 2.0, 3.0])
    x = Tensor(X, name="x")
    y = np.log(x)
    y.name = "y"
    loss = (y**3).sum()
    found = blamed(explain_mismatch(loss, {x: 3 * np.log(X) ** 2 * X}), "product and quotient mixed up", y)
    assert "∂L/∂y ⊙ x was taken in the place of ∂L/∂y / x in ∂L/∂x, at" in found.sentence
    assert (found.your_formula, found.right_formula) == ("∂L/∂x = ∂L/∂y ⊙ x", "∂L/∂x = ∂L/∂y / x")


def test_a_sign_flipped_inside_the_derivative_of_the_sigmoid():
    J, w1, _, _, a1, x, W2, h, d2 = bce()
    found = blamed(explain_mismatch(J, {w1: ((d2 @ W2) * h * (1 + h)).T @ x}), "sign in the rule", a1)
    assert "(1 + a⁽¹⁾) was taken in the place of (1 − a⁽¹⁾) in ∂J/∂z⁽¹⁾," in found.sentence
    T, v = mlp("tanh")
    wrong = (v.d2 @ v.W2.T) * (1 + v.a1**2)
    blamed(explain_mismatch(T.loss, {T.z1: wrong}), "sign in the rule", T.a1)


def test_the_condition_of_the_relu_turned_round():
    t, v = mlp("relu")
    found = blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ ((v.d2 @ v.W2.T) * (v.z1 < 0))}), "sign in the rule", t.a1)
    assert "a⁽¹⁾ ≤ 0 was taken in the place of a⁽¹⁾ > 0 in ∂L/∂z⁽¹⁾," in found.sentence


def test_a_square_too_much_inside_the_derivative_of_the_sigmoid():
    t, v = mlp()
    found = blamed(explain_mismatch(t.loss, {t.z1: (v.d2 @ v.W2.T) * v.a1 * (1 - v.a1**2)}), "power in the rule", t.a1)
    assert "(a⁽¹⁾)² was taken in the place of a⁽¹⁾" in found.sentence


def test_one_number_of_four_printed_digits_is_traced_but_said_to_be_little():
    o = np.tanh(0.7)
    x = Tensor(0.7, name="x")
    y = np.tanh(x)
    y.name = "y"
    report = explain_mismatch(y**2, {x: f"{2 * o * (1 - o):.5f}"})
    blamed(report, "power in the rule", y)
    assert "With so few digits this may be chance" in str(report)


def test_the_sum_over_the_classes_left_out_of_the_derivative_of_the_softmax():
    rng = np.random.default_rng(2)
    Z, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    z = Tensor(Z, name="z")
    p = F.softmax(z)
    p.name = "p"
    loss = 0.5 * ((p - y) ** 2).sum()
    P = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    g = P - y
    assert explain_mismatch(loss, {z: P * (g - (g * P).sum(1, keepdims=True))}).ok
    found = blamed(explain_mismatch(loss, {z: P * g}), "term of the rule left out", p)
    assert "the term −Σ₁ (∂L/∂p ⊙ p) was left out of ∂L/∂z, at p" in found.sentence
    assert found.right_formula == "∂L/∂z = p ⊙ (∂L/∂p − Σ₁ (∂L/∂p ⊙ p))"
    found = blamed(explain_mismatch(loss, {z: P * (g + (g * P).sum(1, keepdims=True))}), "sign in the rule", p)


def test_a_term_left_out_of_the_gradient_of_a_loss_that_is_one_operation():
    Z, y = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.0, 1.0])
    z = Tensor(Z, name="z")
    a = F.sigmoid(z)
    a.name = "a"
    loss = -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum()
    A = sigma(Z)
    found = blamed(explain_mismatch(loss, {a: -y / A}), "path left out")
    assert "of the 2 paths to a" in found.sentence


def test_the_sign_of_one_of_several_contributions():
    X = np.array([0.3, -1.2, 2.0])
    x = Tensor(X, name="x")
    s = np.sin(x)
    s.name = "s"
    loss = (s * x).sum()
    assert explain_mismatch(loss, {x: np.sin(X) + X * np.cos(X)}).ok
    found = blamed(explain_mismatch(loss, {x: np.sin(X) - X * np.cos(X)}), "sign")
    assert "the contribution to ∂L/∂x through s" in found.sentence and "has the wrong sign" in found.sentence


def test_a_more_particular_slip_is_named_before_a_part_of_a_rule():
    t, v = mlp("tanh")
    wrong = v.x.T @ (v.d2 @ v.W2.T)
    report = explain_mismatch(t.loss, {t.W1: wrong})
    assert [finding.slip for finding in report] == ["activation derivative missing"]


# --- gradients given under another name -------------------------------------------------------------------------------


def test_two_gradients_given_for_each_other():
    t, v = mlp(sizes=(3, 3, 3))
    g1, g2 = v.x.T @ v.d1, v.a1.T @ v.d2
    found = blamed(explain_mismatch(t.loss, {t.W1: g2, t.W2: g1}), "given under another name")
    assert found.gradients == ("∂L/∂W⁽²⁾", "∂L/∂W⁽¹⁾")
    assert "the numbers given as ∂L/∂W⁽²⁾ are ∂L/∂W⁽¹⁾ and those given as ∂L/∂W⁽¹⁾ are ∂L/∂W⁽²⁾" in found.sentence


def test_the_gradient_of_z_given_for_that_of_another_layer_s_bias():
    t, v = mlp()
    report = explain_mismatch(t.loss, {t.b1: v.d2})
    found = blamed(report, "given under another name")
    assert "the numbers given as ∂L/∂b⁽¹⁾ are ∂L/∂z⁽²⁾" in found.sentence


def test_the_gradient_of_z_given_for_that_of_its_bias_is_a_sum_left_out():
    t, v = mlp()
    blamed(explain_mismatch(t.loss, {t.b1: v.d1}), "broadcast sum left out", t.z1)


def test_sums_left_out_of_two_biases_are_named_as_such():
    t, v = mlp()
    report = explain_mismatch(t.loss, {t.b1: v.d1, t.b2: v.d2})
    assert [finding.slip for finding in report] == ["broadcast sum left out"] * 2


def test_the_gradients_of_z_and_a_given_for_each_other():
    t, v = mlp()
    blamed(explain_mismatch(t.loss, {t.a1: v.d1, t.z1: v.d2 @ v.W2.T}), "given under another name")


# --- what must not be found -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_given_no_name(seed):
    t, _ = mlp("tanh", seed=seed)
    rng = np.random.default_rng(seed)
    for hand in (
        {t.b1: rng.normal(size=4)},
        {t.W2: np.round(rng.normal(size=(4, 2)), 2), t.b2: np.round(rng.normal(size=2), 2)},
        {t.b2: [f"{n:.3f}" for n in rng.normal(size=2)]},
    ):
        report = explain_mismatch(t.loss, hand)
        assert not report.ok and all(finding.slip is None for finding in report), str(report)


def test_one_number_of_few_digits_is_not_traced_to_a_part_of_a_rule():
    x = Tensor(0.5, name="x")
    y = np.tanh(x)
    y.name = "y"
    loss = np.exp(y) * np.log(x + 2)
    for k in range(40):
        report = explain_mismatch(loss, {x: f"{0.83 + 0.037 * k:.2f}"})
        assert report.ok or "rule" not in str(report.first.slip), str(report)


# --- what is said -----------------------------------------------------------------------------------------------------


def test_what_is_left_out_of_a_quotient_is_said_as_the_share_that_it_is():
    x, logvar, mu = np.array([0.3, -1.0, 0.6]), np.array([0.2, -0.4, 1.1]), Tensor([0.1, 0.7, -0.2], name="mu")
    loss = -0.5 * np.sum(((x - mu) / np.exp(0.5 * Tensor(logvar, name="logvar"))) ** 2)
    report = explain_mismatch(loss, {mu: (x - mu.data) / np.exp(logvar) ** 2})
    assert "the factor 1 / 2 was left out of" in str(report) and "the factor 2 " not in str(report)


def test_a_factor_below_is_said_by_the_number_that_is_written():
    x, scale = Tensor([0.3, -1.0, 0.6], name="x"), 0.7
    report = explain_mismatch(np.tanh(x / scale).sum(), {x: 1 - np.tanh(x.data / 0.7) ** 2})
    assert "the factor 1/0.7 is missing" in report.first.sentence


def test_what_is_left_of_one_minus_a_sigmoid_is_a_minus():
    z, k = Tensor([0.3, -1.0, 0.6], name="z"), np.array([1.0, 2.0, 0.5])
    p = 1 / (1 + np.exp(-z))
    loss = -np.sum(p * np.log(p) + k * np.log(1 - p))
    q = p.data
    report = explain_mismatch(loss, {z: (-np.log(q) - 1 - k / (1 - q)) * q * (1 - q)})
    assert report.first.slip == "sign" and "the minus sign of `1 - p`" in report.first.sentence and len(report) == 1
    report = explain_mismatch(loss, {z: -np.log(q) - 1 + k / (1 - q)})
    assert report.first.slip == "activation derivative missing" and "at p" in report.first.sentence


def test_a_transpose_of_a_transpose_is_written_without_either():
    rng = np.random.default_rng(0)
    X, A = rng.normal(size=(3, 2)), Tensor(rng.normal(size=(3, 3)), name="A")
    right = 2 * X @ X.T @ A.data
    report = explain_mismatch(np.sum((X.T @ A) ** 2) + np.sum(A * X[:, 0]), {A: right.T + X[:, 0]})
    assert report.first.right_formula == "∂L/∂A += X @ ∂L/∂(X.T @ A)"


def test_a_minus_that_is_lost_at_each_step_of_a_loop():
    k = np.random.default_rng(0).normal(size=(2, 4))
    w, u, h = Tensor([0.3, -1.0, 0.6, 0.2], name="w"), Tensor([0.5, 0.4, -0.7, 0.1], name="u"), np.full(4, 0.5)
    steps = []
    for x in k:
        z = 1 / (1 + np.exp(-(w * x + u * h)))
        steps.append((np.array(getattr(h, "data", h)), z.data, x))
        h = z * h + (1 - z) * x
    dh, dw, du = np.ones(4), 0.0, 0.0
    for before, q, x in reversed(steps):
        dz = dh * (before + x) * q * (1 - q)
        dw, du, dh = dw + dz * x, du + dz * before, dh * q + dz * u.data
    report = explain_mismatch(h.sum(), {w: dw, u: du})
    assert len(report) == 1 and "the minus sign of `1 - z` (the 2nd time of 2)" in report.first.sentence
    assert "was lost; and so at each of the 2 steps" in report.first.sentence
