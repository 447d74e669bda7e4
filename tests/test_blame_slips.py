"""For each slip a wrong gradient derived here by hand, in plain NumPy, which blame must trace to it."""

import numpy as np
import pytest
from blamecases import blamed, classifier, conv_net, kernel_gradient, mlp, recurrent, sigma, three_layers

from autograd import Tensor
from nn import functional as F
from viz import explain_mismatch

# --- activations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_a_missing_activation_derivative(activation):
    t, v = mlp(activation)
    wrong = v.x.T @ (v.d2 @ v.W2.T)
    blamed(explain_mismatch(t.loss, {t.W1: wrong}), "activation derivative missing", t.a1)


def test_a_missing_activation_derivative_at_the_output_is_told_from_one_at_the_hidden_layer():
    t, v = mlp()
    d2 = (v.a2 - v.y) / v.n
    wrong = v.x.T @ ((d2 @ v.W2.T) * v.df(v.z1))
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong, t.W2: v.a1.T @ d2}), "activation derivative missing", t.a2)
    assert found.gradients == ("∂L/∂W⁽²⁾", "∂L/∂W⁽¹⁾")
    assert t.a1.node not in found.places


def test_a_missing_derivative_of_an_activation_that_is_written_out():
    t, v = mlp()
    z1 = v.x @ t.W1 + t.b1
    a1 = 1 / (1 + np.exp(-z1))
    loss = 0.5 * ((a1 @ t.W2 + t.b2 - v.y) ** 2).sum()
    d2 = v.a1 @ v.W2 + v.b2 - v.y
    report = explain_mismatch(loss, {t.W1: v.x.T @ (d2 @ v.W2.T)})
    found = blamed(report, "activation derivative missing", a1)
    assert "σ′" in found.sentence and "a₁" in found.sentence


def test_the_missing_derivative_is_found_to_four_printed_digits():
    t, v = mlp()
    wrong = np.round(v.x.T @ (v.d2 @ v.W2.T), 4)
    blamed(explain_mismatch(t.loss, {t.W1: wrong}), "activation derivative missing", t.a1)
    printed = [[f"{n:.4f}" for n in row] for row in wrong]
    blamed(explain_mismatch(t.loss, {t.W1: printed}), "activation derivative missing", t.a1)


def test_a_doubled_activation_derivative():
    t, v = mlp()
    wrong = v.x.T @ (v.d1 * v.df(v.z1))
    blamed(explain_mismatch(t.loss, {t.W1: wrong}), "activation derivative doubled", t.a1)


def test_an_activation_derivative_missing_at_every_layer():
    t, v = mlp()
    wrong = v.x.T @ (((v.a2 - v.y) / v.n) @ v.W2.T)
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong}), "activation derivative missing")
    assert "each of the 2" in found.sentence


def test_the_derivative_taken_at_a_instead_of_z():
    t, v = mlp()
    s = sigma(v.a1)
    wrong = v.x.T @ (v.d2 @ v.W2.T * s * (1 - s))
    blamed(explain_mismatch(t.loss, {t.W1: wrong}), "activation derivative at the activated value", t.a1)


def test_the_derivative_in_terms_of_a_fed_with_z():
    t, v = mlp()
    wrong = v.x.T @ (v.d2 @ v.W2.T * v.z1 * (1 - v.z1))
    blamed(explain_mismatch(t.loss, {t.W1: wrong}), "activation derivative at the value before it", t.a1)


@pytest.mark.parametrize(("used", "derivative"), [
    ("tanh′(z⁽¹⁾)", lambda v: 1 - np.tanh(v.z1) ** 2),
    ("1 − a²", lambda v: 1 - v.a1**2),
    ("ReLU′(z⁽¹⁾)", lambda v: v.z1 > 0),
])  # fmt: skip
def test_the_derivative_of_another_activation(used, derivative):
    t, v = mlp()
    wrong = v.x.T @ (v.d2 @ v.W2.T * derivative(v))
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong}), "derivative of another activation", t.a1)
    assert used in found.sentence


def test_the_upstream_gradient_not_multiplied_in():
    t, v = mlp()
    blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ v.df(v.z1)}), "upstream gradient not multiplied in", t.a1)


# --- softmax and labels -----------------------------------------------------------------------------------------------


def test_a_softmax_derivative_as_if_diagonal():
    t, v = classifier()
    p = F.softmax(t.z)
    loss = -(v.onehot * np.log(p)).sum() / v.n
    dz = -(v.onehot / v.p) / v.n * v.p * (1 - v.p)
    blamed(explain_mismatch(loss, {t.W: v.x.T @ dz}), "softmax derivative as if diagonal", p)


def test_a_published_test_that_takes_the_diagonal_of_the_jacobian_for_the_gradient():
    z = Tensor([1.0, 2.0, 3.0], name="z")
    p = F.softmax(z)
    report = explain_mismatch(p.sum(), {z: ["0.08192507", "0.18483645", "0.22269543"]})
    blamed(report, "softmax derivative as if diagonal", p)


def test_a_softmax_derivative_missing():
    t, v = classifier()
    p = F.softmax(t.z)
    loss = -(v.onehot * np.log(p)).sum() / v.n
    blamed(explain_mismatch(loss, {t.W: v.x.T @ (-(v.onehot / v.p) / v.n)}), "activation derivative missing", p)


def test_the_softmax_derivative_multiplied_on_to_p_minus_y():
    t, v = classifier()
    loss = F.cross_entropy(t.z, v.labels)
    g = (v.p - v.onehot) / v.n
    dz = v.p * (g - (g * v.p).sum(axis=1, keepdims=True))
    found = blamed(explain_mismatch(loss, {t.W: v.x.T @ dz}), "activation derivative doubled")
    assert "p − y" in found.sentence


def test_the_loss_with_the_wrong_label():
    t, v = classifier()
    loss = F.cross_entropy(t.z, v.labels)
    onehot = np.eye(3)[[0, 1, 1, 2]]
    found = blamed(explain_mismatch(loss, {t.W: v.x.T @ (v.p - onehot) / v.n}), "labels")
    assert "class 1 instead of 2 of example 1" in found.sentence


def test_the_loss_with_the_classes_in_reverse_order():
    t, v = classifier()
    loss = -(v.onehot * np.log(F.softmax(t.z))).sum() / v.n
    found = blamed(explain_mismatch(loss, {t.W: v.x.T @ (v.p - v.onehot[:, ::-1]) / v.n}), "labels")
    assert "classes in reverse order" in found.sentence


def test_the_loss_with_labels_off_by_one():
    t, v = classifier()
    loss = F.cross_entropy(t.z, v.labels)
    onehot = np.eye(3)[(v.labels + 1) % 3]
    found = blamed(explain_mismatch(loss, {t.W: v.x.T @ (v.p - onehot) / v.n}), "labels")
    assert "off by one" in found.sentence


def test_the_loss_with_the_rows_of_the_batch_in_another_order():
    t, v = mlp()
    d2 = (v.a2 - v.y[::-1]) / v.n * v.df(v.z2)
    found = blamed(explain_mismatch(t.loss, {t.W2: v.a1.T @ d2}), "labels", t.e)
    assert "labels of the batch in reverse order" in found.sentence


# --- signs, factors, transposes ---------------------------------------------------------------------------------------


def test_a_lost_sign():
    t, v = mlp()
    report = explain_mismatch(t.loss, {t.W1: -v.x.T @ v.d1, t.b1: -v.d1.sum(0)})
    assert blamed(report, "sign", t.e).gradients == ("∂L/∂b⁽¹⁾", "∂L/∂W⁽¹⁾")


def test_a_sign_of_one_gradient_alone():
    t, v = mlp()
    report = explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1, t.b1: -v.d1.sum(0)})
    assert blamed(report, "sign").gradients == ("∂L/∂b⁽¹⁾",)


def test_a_sum_instead_of_a_mean():
    t, v = mlp(loss="mean")
    found = blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1 * v.a2.size}), "factor", t.loss)
    assert "sum instead of a mean" in found.sentence


def test_a_mean_over_the_batch_alone():
    t, v = mlp(loss="mean")
    found = blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1 * 2}), "factor", t.loss)
    assert "only 1/5 was taken" in found.sentence


def test_a_mean_instead_of_a_sum():
    t, v = mlp(n=7)
    found = blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1 / 7, t.b1: v.d1.mean(0)}), "factor")
    assert "1/7" in found.sentence


def test_the_factor_2_of_a_square_left_out():
    t, v = mlp(loss="mean")
    found = blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1 / 2}), "factor")
    assert "factor 2" in found.sentence


def test_a_factor_that_no_operation_accounts_for():
    t, v = mlp()
    report = explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1 * 1.7})
    assert "1.7 times the right one" in blamed(report, "some factor").sentence


def test_a_transposed_gradient():
    t, v = mlp()
    blamed(explain_mismatch(t.loss, {t.W1: (v.x.T @ v.d1).T}), "transpose")
    t, v = mlp(sizes=(4, 4, 2))
    blamed(explain_mismatch(t.loss, {t.W1: (v.x.T @ v.d1).T}), "transpose")


def test_a_weight_that_was_not_transposed_on_the_way_back():
    t, v = mlp(sizes=(3, 2, 2))
    wrong = v.x.T @ ((v.d2 @ v.W2) * v.df(v.z1))
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong}), "transpose")
    assert "W⁽²⁾" in found.sentence


def test_z_in_the_place_of_a():
    t, v = mlp()
    found = blamed(explain_mismatch(t.loss, {t.W2: v.z1.T @ v.d2}), "value before the activation")
    assert "z⁽¹⁾ instead of a⁽¹⁾" in found.sentence


# --- sums -------------------------------------------------------------------------------------------------------------


def test_a_path_left_out():
    x = Tensor([0.5, -1.0, 2.0], name="x")
    u, s = np.sin(x), x * np.exp(x)
    u.name, s.name = "u", "s"
    loss = (u * s).sum()
    wrong = np.cos(x.data) * x.data * np.exp(x.data)
    assert blamed(explain_mismatch(loss, {x: wrong + x.data * np.exp(x.data) * np.sin(x.data)}), "path left out", s)
    only_u = explain_mismatch(loss, {x: wrong, s: np.sin(x.data)})
    assert only_u.verdicts["∂L/∂x"] == "wrong here"


def test_a_residual_path_left_out():
    rng = np.random.default_rng(3)
    x, W = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))
    w, h = Tensor(W, name="W"), Tensor(x, name="h")
    z = h @ w
    out = h + np.tanh(z)
    out.name = "out"
    loss = (out**2).sum()
    d = 2 * (x + np.tanh(x @ W))
    blamed(explain_mismatch(loss, {h: (d * (1 - np.tanh(x @ W) ** 2)) @ W.T}), "path left out", out)


def test_the_sum_over_the_batch_left_out_of_a_bias():
    t, v = mlp()
    blamed(explain_mismatch(t.loss, {t.b1: v.d1}), "broadcast sum left out", t.z1)
    blamed(explain_mismatch(t.loss, {t.b1: v.d1[0]}), "broadcast sum left out", t.z1)
    found = blamed(explain_mismatch(t.loss, {t.b1: v.d1.mean(0)}), "broadcast sum left out", t.z1)
    assert "not a mean of 5" in found.sentence


def test_the_sum_of_a_bias_over_the_wrong_axis():
    t, v = mlp()
    blamed(explain_mismatch(t.loss, {t.b1: v.d1.sum(1)}), "broadcast sum over the wrong axis", t.z1)
    t, v = mlp(n=4)
    blamed(explain_mismatch(t.loss, {t.b1: v.d1.sum(1)}), "broadcast sum over the wrong axis", t.z1)


def test_one_example_of_the_batch_only():
    t, v = mlp()
    found = blamed(explain_mismatch(t.loss, {t.W1: np.outer(v.x[-1], v.d1[-1])}), "one example of the batch only")
    assert "the last of 5" in found.sentence


# --- shared weights ---------------------------------------------------------------------------------------------------


def test_a_shared_weight_counted_at_the_last_step_only():
    t, parts = recurrent()
    assert explain_mismatch(t.loss, {t.U: sum(p for _, p in parts)}).ok
    found = blamed(explain_mismatch(t.loss, {t.U: parts[0][1]}), "shared weight at one position only")
    assert "used at 4 places" in found.sentence and "only the last" in found.sentence


def test_a_shared_weight_counted_at_the_last_two_steps_only():
    t, parts = recurrent()
    found = blamed(explain_mismatch(t.loss, {t.U: parts[0][1] + parts[1][1]}), "shared weight at one position only")
    assert "only the last 2 of them" in found.sentence


def test_a_shared_weight_averaged_over_the_steps():
    t, parts = recurrent()
    blamed(explain_mismatch(t.loss, {t.U: sum(p for _, p in parts) / 4}), "shared weight averaged")


# --- images -----------------------------------------------------------------------------------------------------------


def test_the_gradient_of_a_convolution_matches():
    t, v = conv_net()
    dz = v.dz["first"]
    assert explain_mismatch(t.loss, {t.K: kernel_gradient(v.x, dz), t.b: dz.sum((0, 2, 3)), t.z: dz}).ok


def test_a_flipped_kernel():
    t, v = conv_net()
    dz = v.dz["first"]
    report = explain_mismatch(t.loss, {t.K: kernel_gradient(v.x, dz)[:, :, ::-1, ::-1]})
    assert "turned by 180°" in blamed(report, "kernel flipped").sentence
    dx = np.zeros(v.x.shape)
    for i, j in np.ndindex(4, 4):
        dx[:, :, i : i + 2, j : j + 2] += np.einsum("nf,fchw->nchw", dz[:, :, i, j], v.K[:, :, ::-1, ::-1])
    assert "in the gradient of the input" in blamed(explain_mismatch(t.loss, {t.x: dx}), "kernel flipped").sentence


def test_a_kernel_counted_at_one_position_only():
    t, v = conv_net()
    dz = v.dz["first"]
    at = next((i, j) for i, j in np.ndindex(4, 4) if np.abs(dz[:, :, i, j]).min() > 0 or np.abs(dz[:, :, i, j]).any())
    report = explain_mismatch(t.loss, {t.K: kernel_gradient(v.x, dz, [at])})
    assert f"only that of {list(at)}" in blamed(report, "shared kernel at one position only").sentence


def test_a_kernel_averaged_over_positions():
    t, v = conv_net()
    report = explain_mismatch(t.loss, {t.K: kernel_gradient(v.x, v.dz["first"]) / 16})
    blamed(report, "shared kernel averaged")


def test_a_pooling_gradient_spread_evenly_and_to_all():
    t, v = conv_net()
    for route, said in (("even", "spread evenly"), ("all", "to all of the window")):
        found = blamed(explain_mismatch(t.loss, {t.K: kernel_gradient(v.x, v.dz[route])}), "max-pool gradient")
        assert said in found.sentence


def test_a_pooling_gradient_to_every_tie():
    x = Tensor([[[[1.0, 3.0, 0.0, 2.0], [3.0, 2.0, 2.0, 1.0]]]], name="x")
    p = F.max_pool2d(x, 2)
    loss = (p * [5.0, 7.0]).sum()
    report = explain_mismatch(loss, {x: [[[[0.0, 5.0, 0.0, 7.0], [5.0, 0.0, 7.0, 0.0]]]]})
    assert "to every tie" in blamed(report, "max-pool gradient", p).sentence
    report = explain_mismatch(loss, {x: [[[[0.0, 2.5, 0.0, 3.5], [2.5, 0.0, 3.5, 0.0]]]]})
    assert "split between them" in blamed(report, "gradient at a tie of several", p).sentence


# --- weights ----------------------------------------------------------------------------------------------------------


def test_weights_already_updated_when_they_are_used():
    t, v = mlp()
    new = v.W2 - 0.5 * v.a1.T @ v.d2
    wrong = v.x.T @ ((v.d2 @ new.T) * v.df(v.z1))
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong}, lr=0.5), "weights already updated", t.z2_product)
    assert "W⁽²⁾" in found.sentence
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong}), "weights already updated", t.z2_product)
    assert found.solved == 0.5 and "lr = 0.5" in found.sentence


def test_a_missing_or_doubled_regularisation_term():
    t, v = mlp()
    term = 0.05 * (t.W1**2).sum()
    loss = t.loss + term
    right = v.x.T @ v.d1 + 0.1 * v.W1
    assert explain_mismatch(loss, {t.W1: right}).ok
    for wrong, said in ((right - 0.1 * v.W1, "missing"), (right + 0.1 * v.W1, "doubled"),
                        (right - 0.05 * v.W1, "halved")):  # fmt: skip
        assert said in blamed(explain_mismatch(loss, {t.W1: wrong}), "regularisation term").sentence


def test_a_regularisation_term_that_the_loss_lacks():
    t, v = mlp()
    wrong = v.x.T @ v.d1 + 0.1 * v.W1
    found = blamed(explain_mismatch(t.loss, {t.W1: wrong}), "regularisation term")
    assert "λ = 0.1" in found.sentence and found.solved == 0.1
    for decay, said in ((0.1, "+ λW⁽¹⁾ with λ = 0.1"), (0.05, "+ 2λW⁽¹⁾ with λ = 0.05")):
        found = blamed(explain_mismatch(t.loss, {t.W1: wrong}, weight_decay=decay), "regularisation term")
        assert said in found.sentence and found.solved is None


def test_stale_forward_values():
    t, v = mlp()
    old = v.x.T @ v.d1
    t.W1.data = v.W1 - 0.3
    z1 = v.x @ t.W1 + t.b1
    loss = 0.5 * np.sum((F.sigmoid(F.sigmoid(z1) @ t.W2 + t.b2) - v.y) ** 2) / v.n
    t.W1.data = v.W1
    found = blamed(explain_mismatch(loss, {t.W1: old}), "stale forward values")
    assert "W⁽¹⁾ changed after the forward pass" in found.sentence


def test_the_forward_values_of_the_example_before():
    t, v = mlp()
    blamed(explain_mismatch(t.loss, {t.W2: np.roll(v.a1, 1, axis=0).T @ v.d2}), "stale forward values")


# --- ties between slips, bad input ------------------------------------------------------------------------------------


def test_the_local_derivative_of_a_product_missing_alone_or_mixed_up():
    x, y, z = Tensor(-2.0, name="x"), Tensor(5.0, name="y"), Tensor(-4.0, name="z")
    q = x * y
    f = q * z * z
    for wrong, slip in (
        (16.0, "local derivative missing"),
        (5.0, "upstream gradient not multiplied in"),
        (-32.0, "derivative by the other operand"),
    ):
        blamed(explain_mismatch(f, {x: wrong, q: 16.0}), slip, q)


@pytest.mark.parametrize("read", [lambda v: -v, lambda v: 2 * v, lambda v: -v.T / 4, lambda v: -v[:3] * 3])
def test_weights_already_updated_that_are_read_with_a_sign_or_a_factor(read):
    rng = np.random.default_rng(11)
    v, x, y = rng.normal(size=(4, 4)), rng.normal(size=3), rng.normal(size=1)
    w, V = Tensor(rng.normal(size=(4, 3)), name="W"), Tensor(v, name="V")
    h = np.tanh(w @ x)
    out = 1 / (1 + np.exp(read(V) @ h))
    loss, d = ((out - y) ** 2).sum(), 2 * (y - out.data) * out.data * (1 - out.data)
    loss.backward()
    dV = V.grad

    def gradient(v):
        return np.outer((read(v).T @ d) * (1 - h.data**2), x)

    assert explain_mismatch(loss, {w: gradient(v), V: dV}).ok
    found = blamed(explain_mismatch(loss, {w: gradient(v - 0.05 * dV), V: dV}), "weights already updated")
    assert "used V already updated" in found.sentence and found.solved == 0.05


def test_weights_updated_one_after_another_while_going_back():
    loss, (w1, w2, w3), (_, W2, W3), g3, back = three_layers()
    new3 = W3 - 0.05 * g3
    g2, _ = back(W2, new3)
    new2 = W2 - 0.05 * g2
    wrong = {w3: g3, w2: g2, w1: back(new2, new3)[1]}
    for lr in (None, 0.05):
        found = blamed(explain_mismatch(loss, wrong, lr=lr), "weights already updated")
        assert "W3 and W2" in found.sentence and "lr = 0.05" in found.sentence
        assert "each before the gradient went on" in found.sentence


def test_all_weights_updated_before_going_back():
    loss, (w1, _, _), (_, W2, W3), g3, back = three_layers()
    g2, _ = back(W2, W3)
    wrong = back(W2 - 0.05 * g2, W3 - 0.05 * g3)[1]
    found = blamed(explain_mismatch(loss, {w1: wrong}), "weights already updated")
    assert found.solved == 0.05 and "each before" not in found.sentence


def test_the_gradient_after_a_step_is_told_from_the_one_before_it():
    t, v = mlp()
    g1 = v.x.T @ v.d1
    rates = 0.5
    W1, b1 = v.W1 - rates * g1, v.b1 - rates * v.d1.sum(0)
    W2, b2 = v.W2 - rates * v.a1.T @ v.d2, v.b2 - rates * v.d2.sum(0)
    a1 = sigma(v.x @ W1 + b1)
    a2 = sigma(a1 @ W2 + b2)
    d2 = (a2 - v.y) / v.n * a2 * (1 - a2)
    wrong = v.x.T @ ((d2 @ W2.T) * a1 * (1 - a1))
    for lr in (None, 0.5):
        found = blamed(explain_mismatch(t.loss, {t.W1: wrong}, lr=lr), "stale forward values")
        assert "after a step of lr = 0.5" in found.sentence


# --- the rest of the list ---------------------------------------------------------------------------------------------


def test_a_kernel_reversed_in_a_convolution_that_is_written_out():
    k = Tensor([1.0, -2.0, 0.5], name="k")
    x = np.array([0.3, 1.0, -0.7, 2.0, 0.1])
    out = np.stack([(k * x[i : i + 3]).sum() for i in range(3)])
    loss = (out**2).sum()
    right = sum(2 * (k.data @ x[i : i + 3]) * x[i : i + 3] for i in range(3))
    assert explain_mismatch(loss, {k: right}).ok
    assert "reversed" in blamed(explain_mismatch(loss, {k: right[::-1]}), "flipped").sentence


def test_a_kernel_turned_where_each_of_its_numbers_is_read_in_a_loop():
    rng = np.random.default_rng(1)
    img, K, d = Tensor(rng.normal(size=(5, 5))), Tensor(rng.normal(size=(3, 3))), rng.normal(size=(3, 3))
    out = 0.0
    for i in range(3):
        for j in range(3):
            out = out + K[i, j] * img[i : i + 3, j : j + 3]
    dimg = sum(d[i, j] * np.pad(K.data[::-1, ::-1], ((i, 2 - i), (j, 2 - j))) for i, j in np.ndindex(3, 3))
    found = blamed(explain_mismatch((out * d).sum(), {img: dimg}), "value of another step")
    assert "in the other order" in found.sentence
    assert found.right_formula.startswith("∂L/∂(img[i:i+3, j:j+3], 9th time) = ")


def by_a_view(x, k):
    return np.einsum("ijkl,kl->ij", np.lib.stride_tricks.sliding_window_view(x, (3, 3)), k)


def by_a_layer(x, k):
    return F.conv2d(x[None, None], k[None, None])[0, 0]


@pytest.mark.parametrize("conv", [by_a_layer, by_a_view])
@pytest.mark.parametrize("turned", [(1, 1), (1, -1), (-1, 1)])
def test_the_gradient_of_a_kernel_by_a_convolution_instead_of_a_correlation(conv, turned):
    rng = np.random.default_rng(0)
    x, k, g = rng.normal(size=(5, 5)), Tensor(rng.normal(size=(3, 3)), name="k"), rng.normal(size=(3, 3))
    out = conv(x, k)
    X, G = x[:: turned[0], :: turned[0]], g[:: turned[1], :: turned[1]]
    dk = np.array([[(X[i : i + 3, j : j + 3] * G).sum() for j in range(3)] for i in range(3)])
    report = explain_mismatch((out * g).sum(), {k: dk})
    if turned != (1, 1):
        sentence = blamed(report, "kernel flipped").sentence
        assert "turned by 180°" in sentence and ("the input" in sentence) == (turned[0] < 0)
    else:
        assert report.ok


def by_loops(x, k):
    rows = range(x.shape[0] - 2)
    return np.stack([np.stack([np.sum(x[i : i + 3, j : j + 3] * k) for j in rows]) for i in rows])


@pytest.mark.parametrize("conv", [by_a_view, by_loops])
@pytest.mark.parametrize("turned", [False, True])
def test_a_kernel_turned_in_the_gradient_of_the_input_of_a_convolution_that_is_written_out(conv, turned):
    rng = np.random.default_rng(0)
    x, (k1, k2) = rng.normal(size=(6, 6)), (Tensor(rng.normal(size=(3, 3)), name=name) for name in ("k1", "k2"))
    a = np.tanh(conv(x, k1))
    out = conv(a, k2)
    kernel = k2.data[::-1, ::-1] if turned else k2.data
    da = sum(out.data[i, j] * np.pad(kernel, ((i, 1 - i), (j, 1 - j))) for i, j in np.ndindex(2, 2))
    dz = da * (1 - a.data**2)
    dk1 = sum(dz[i, j] * x[i : i + 3, j : j + 3] for i, j in np.ndindex(4, 4))
    report = explain_mismatch(0.5 * (out**2).sum(), {k1: dk1})
    if turned:
        found = blamed(report, "kernel flipped")
        assert "the kernel k2 was turned by 180°" in found.sentence and "flip(k2)" in found.your_formula
    else:
        assert report.ok


def test_another_value_of_the_same_shape_read_in_the_place_of_an_operand():
    rng = np.random.default_rng(4)
    x, W, V = rng.normal(size=(5, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    w, u = Tensor(W, name="W"), Tensor(V, name="V")
    h = np.tanh(x @ w)
    h.name = "h"
    out = h @ u
    loss = 0.5 * (out**2).sum()
    d = np.tanh(x @ W) @ V
    found = blamed(explain_mismatch(loss, {u: x.T @ d}), "another value in the place of an operand", out)
    assert "x was taken in the place of h" in found.sentence


def test_another_gradient_handed_to_the_rule():
    t, v = mlp(sizes=(3, 2, 2))
    found = blamed(explain_mismatch(t.loss, {t.W1: v.x.T @ v.d2}), "another gradient in the place of the upstream one")
    assert "∂L/∂z⁽²⁾" in found.sentence


def test_another_choice_at_a_kink_is_said_to_be_as_good():
    x = Tensor([-1.0, 0.0, 2.0], name="x")
    a = F.relu(x)
    report = explain_mismatch((a * [1.0, 3.0, 5.0]).sum(), {x: [0.0, 3.0, 5.0]})
    assert "another choice" in blamed(report, "gradient at a tie of two", a).sentence
    y = np.maximum(x, 0.0)
    report = explain_mismatch((y * [1.0, 3.0, 5.0]).sum(), {x: [0.0, 0.0, 5.0]})
    assert "as good" in blamed(report, "gradient at a tie of two", y).sentence


def test_another_choice_at_the_kinks_of_every_layer():
    x = Tensor([-1.0, 0.0, 2.0, 0.0], name="x")
    b = F.relu(F.relu(x) - [0.0, 0.0, 2.0, 1.0])
    report = explain_mismatch((b * [1.0, 3.0, 5.0, 7.0]).sum(), {x: [0.0, 3.0, 5.0, 0.0]})
    assert "whole" in blamed(report, "gradient at a tie of two", b).sentence and "at each of the 2" in str(report)


def test_a_maximum_along_an_axis_to_every_tie_or_to_the_first():
    x = Tensor([[1.0, 4.0, 4.0], [7.0, 2.0, 7.0]], name="x")
    m = np.max(x, axis=1)
    loss = (m * [2.0, 3.0]).sum()
    assert explain_mismatch(loss, {x: [[0.0, 1.0, 1.0], [1.5, 0.0, 1.5]]}).ok
    for wrong, said, slip in (
        ([[0.0, 2.0, 2.0], [3.0, 0.0, 3.0]], "to every tie", "max-pool gradient"),
        ([[0.0, 2.0, 0.0], [3.0, 0.0, 0.0]], "to the first of them", "gradient at a tie of several"),
        ([[0.0, 0.0, 2.0], [0.0, 0.0, 3.0]], "to the last of them", "gradient at a tie of several"),
    ):
        assert said in blamed(explain_mismatch(loss, {x: wrong}), slip, m).sentence


def test_the_opposite_label():
    rng = np.random.default_rng(6)
    x, W, y = rng.normal(size=(5, 3)), rng.normal(size=3), np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    w = Tensor(W, name="w")
    p = F.sigmoid(x @ w)
    e = p - y
    loss = 0.5 * (e**2).mean()
    s = sigma(x @ W)
    found = blamed(explain_mismatch(loss, {w: x.T @ ((s - (1 - y)) / 5 * s * (1 - s))}), "labels", e)
    assert "1 − y in the place of y" in found.sentence


def test_a_factor_that_is_the_length_of_an_axis():
    t, v = mlp(sizes=(3, 4, 2))
    report = explain_mismatch(t.loss, {t.W1: v.x.T @ v.d1 * 3})
    assert "3 times the right one" in blamed(report, "factor").sentence


def test_the_gradient_by_a_symmetric_matrix_differs_and_is_named():
    S = Tensor([[2.0, 0.3], [0.3, 1.0]], name="S")
    inverse = np.linalg.inv(S.data)
    report = explain_mismatch(np.log(np.linalg.det(S)), {S: 2 * inverse - np.diag(np.diag(inverse))})
    found = blamed(report, "symmetric matrix")
    assert len(report) == 1 and "differs from the engine's: it is right for a symmetric S" in found.sentence


@pytest.mark.parametrize("summed", [
    lambda dz: dz.sum(axis=0, keepdims=True), lambda dz: dz.sum(axis=0), lambda dz: dz.sum(),
    lambda dz: dz.sum(keepdims=True),
], ids=["keepdims", "axis", "all", "all, keepdims"])  # fmt: skip
def test_the_sum_of_a_column_of_biases_over_the_wrong_axis(summed):
    rng = np.random.default_rng(0)
    b = Tensor(rng.normal(size=(4, 1)), name="b")
    z = Tensor(rng.normal(size=(4, 5)), name="x") + b
    z.name = "z"
    found = explain_mismatch((z**2).sum(), {b: summed(2 * z.data)})
    assert found.first.slip == "broadcast sum over the wrong axis"
