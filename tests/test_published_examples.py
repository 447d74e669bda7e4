"""Published worked examples of backpropagation: the printed numbers are this project's, the misprints are found.

A number that `printed_wrong` names must differ from the right one by more than its digits leave open; the tests of
the second half compute what the source did instead, and get the number that it prints.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from published import NETWORKS, PUBLISHED, Inputs, articles, computed, inputs, published, tolerance
from published.dense import Mazur
from published.recurrent import in_every_order, rnn_cell_gradients, stale_bias

import nn
import viz
from autograd import Tensor
from nn import functional as F

PRINTED = [(identity, key) for identity, entry in PUBLISHED.items() for key in entry["published"]]
WRONG = [(identity, key) for identity, entry in PUBLISHED.items() for key in entry["printed_wrong"]]
RIGHT = [pair for pair in PRINTED if pair not in WRONG]
FULL = [(identity, key) for identity, entry in PUBLISHED.items() for key in entry["reference_float64"]]

# The references of these were computed from values that the course rounds to 8 digits.
FROM_ROUNDED_VALUES = {("coursera-c2w1-regularization", "do_dA1"), ("coursera-c2w1-regularization", "do_dA2")}


def assert_as_printed(value, identity, key):
    value = value.data if isinstance(value, Tensor) else value
    printed = published(identity, key)
    assert np.shape(value) == printed.shape
    assert_allclose(value, printed, rtol=0, atol=tolerance(identity, key))


def digits(identity, key):
    """The numbers as they are printed, to be compared to the digits that they have."""

    def printed(value):
        return [printed(part) for part in value] if isinstance(value, list) else repr(value)

    return printed(PUBLISHED[identity]["published"][key])


def reference(identity, key):
    return np.array(PUBLISHED[identity]["reference_float64"][key], float)


def distance(identity, key):
    """How far each printed number is from the engine's, in units of its tolerance."""
    return np.abs(computed(identity)[key] - published(identity, key)) / tolerance(identity, key)


# --- every printed number ---------------------------------------------------------------------------------------------


def test_every_published_example_has_its_network():
    assert len(PUBLISHED) == 43
    assert NETWORKS.keys() == PUBLISHED.keys()


@pytest.mark.parametrize("entry", PUBLISHED.values(), ids=PUBLISHED)
def test_an_example_names_its_source_and_the_precision_of_every_number(entry):
    assert entry["source"]
    assert "http" in entry["url"]
    assert entry["printed_wrong"].keys() <= entry["published"].keys()
    assert all(tolerance(entry["id"], key) >= 0 for key in entry["published"])


@pytest.mark.parametrize(("identity", "key"), RIGHT, ids=map("-".join, RIGHT))
def test_a_published_number_is_the_engines(identity, key):
    assert_as_printed(computed(identity)[key], identity, key)


@pytest.mark.parametrize(("identity", "key"), WRONG, ids=map("-".join, WRONG))
def test_a_number_printed_wrong_is_found_to_be_wrong(identity, key):
    assert computed(identity)[key].shape == published(identity, key).shape
    assert distance(identity, key).max() > 1


@pytest.mark.parametrize(("identity", "key"), FULL, ids=map("-".join, FULL))
def test_the_engine_gives_the_numbers_of_an_independent_one(identity, key):
    atol = 3e-9 if (identity, key) in FROM_ROUNDED_VALUES else 1e-13
    assert computed(identity)[key].shape == reference(identity, key).shape
    assert_allclose(computed(identity)[key], reference(identity, key), rtol=1e-12, atol=atol)


# --- why a number is printed wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["E_after_1", "out_after_10000"])
def test_mazurs_updated_weights_explain_his_later_numbers(key):
    assert_as_printed(computed("mazur-2015-oldbug")[key], "mazur-2015", key)


def test_mazurs_error_after_10000_steps_is_the_one_before_the_last():
    errors = computed("mazur-2015")["E_after_each_step"]
    assert_as_printed(errors[9999], "mazur-2015", "E_after_10000")
    assert abs(errors[10000] - published("mazur-2015", "E_after_10000")) > tolerance("mazur-2015", "E_after_10000")


def test_blame_finds_mazurs_updated_weights_from_one_printed_error():
    given = inputs("mazur-2015")
    net = Mazur(given)
    loss = (0.5 * (given.target - net(given.x)) ** 2).sum()
    found = viz.explain_mismatch(loss, {}, after={loss: digits("mazur-2015", "E_after_1")}, lr=given.lr)
    assert [finding.slip for finding in found] == ["weights already updated"]


def scikit_learns_network():
    given = inputs("sklearn-mlp-test_fit")
    W1, W2 = Tensor(given.W1, name="W1"), Tensor(given.W2, name="W2")
    X = Tensor(given.X, name="X", requires_grad=False)
    o = F.sigmoid(F.sigmoid(X @ W1 + given.b1) @ W2 + given.b2)
    penalty = given.alpha / 2 * ((W1**2).sum() + (W2**2).sum())
    return F.binary_cross_entropy(o, [[given.y]]) + penalty, W1, given


def test_blame_finds_the_feature_that_scikit_learns_comment_misread():
    loss, W1, given = scikit_learns_network()
    grad, new = (digits("sklearn-mlp-test_fit", key) for key in ("W1grad", "W1_new"))
    for asked in [{"hand": {W1: grad}}, {"after": {W1: new}, "lr": given.lr}]:
        first = viz.explain_mismatch(loss, **asked).first
        assert "X[0, 2], which is 0.7, was taken as 0.6" in first.sentence


def test_blame_finds_a_softmax_taken_as_if_diagonal_and_the_formula_of_one_with_the_logits_on_the_diagonal():
    z = Tensor(inputs("softmax-jacobian-123").z, name="z")
    p = F.softmax(z)
    found = {key: viz.explain_mismatch(p, {z: digits("softmax-jacobian-123", key)}, grad=np.ones(3)).first
             for key in ("diag_as_grad", "neupy")}  # fmt: skip
    assert "diagonal" in found["diag_as_grad"].slip
    assert found["neupy"].your_formula == "∂L/∂z = z − L + L² − z²", "z (1 − z) − p (1 − p), of p = L"


def test_blame_finds_the_second_pass_of_the_article_wrong_and_does_not_blame_the_learning_rate():
    given = inputs("seed2-conv-relu-softmax")
    net = articles.ConvReluSoftmax(given.W, given.b, articles.DENSE_WEIGHT, articles.DENSE_BIAS)
    loss = F.log_loss(net(Tensor(given.X, requires_grad=False)), given.y_true[None])
    found = viz.explain_mismatch(loss, {}, after={loss: digits("seed2-conv-relu-softmax", "loss_new")}, lr=given.lr)
    assert not found.ok and "0.417" in str(found)
    assert not any("rate" in finding.sentence for finding in found)


def test_updated_weights_change_no_output_delta_but_every_hidden_one():
    given = inputs("mazur-2015")
    right, slip = Mazur(given), Mazur(given)
    for net, weights in [(right, None), (slip, lambda W2: W2.data - given.lr * W2.grad)]:
        net.backward(0.5 * (given.target - net(given.x)) ** 2, weights)
    assert_allclose(slip.W2.grad, right.W2.grad, rtol=1e-14)
    assert (np.abs(slip.W1.grad - right.W1.grad) > 1e-6).all()


def test_scikit_learns_comment_takes_the_first_feature_for_the_third():
    given, found = inputs("sklearn-mlp-test_fit"), computed("sklearn-mlp-test_fit")
    for key in ["W1grad", "W1_new"]:
        assert (distance("sklearn-mlp-test_fit", key) > 1).any(axis=1).tolist() == [False, False, True]
    x = given.X[0, [0, 1, 0]]
    slip = np.outer(x, found["d1"]) + given.alpha * given.W1
    assert_as_printed(slip, "sklearn-mlp-test_fit", "W1grad")
    assert_as_printed(given.W1 - given.lr * slip, "sklearn-mlp-test_fit", "W1_new")


def test_all_but_two_entries_of_a_rust_softmax_jacobian_are_wrong_though_its_rows_sum_to_zero():
    wrong = distance("softmax-jacobian-123", "rust") > 1
    assert wrong.tolist() == [[False, True, True], [True, False, True], [True, True, True]]
    assert_allclose(published("softmax-jacobian-123", "rust").sum(axis=1), 0, atol=1.1e-8)
    assert_allclose(published("softmax-jacobian-123", "rust"), computed("softmax-jacobian-123")["J"], atol=1e-3)


def test_the_softmax_gradient_of_a_published_test_is_the_jacobians_diagonal():
    assert_as_printed(np.diag(computed("softmax-jacobian-123")["J"]), "softmax-jacobian-123", "diag_as_grad")


def test_neupys_softmax_derivative_has_the_logits_on_the_diagonal():
    z, J = inputs("softmax-jacobian-123").z, computed("softmax-jacobian-123")["J"].copy()
    np.fill_diagonal(J, z * (1 - z))
    assert_as_printed(J.sum(axis=0), "softmax-jacobian-123", "neupy")


def test_the_retold_network_multiplies_by_transposed_weights_and_forgets_the_output_bias():
    given = inputs("mazur-2015")
    net_h = given.x @ Tensor(given.W1) + given.b1
    out_h = F.sigmoid(net_h)
    assert_as_printed(net_h, "primelearnpoint-2x2", "net_h")
    assert_as_printed(out_h @ Tensor(given.W2), "primelearnpoint-2x2", "net_o")
    # even so σ(0.3825) is 0.59448, which is not 0.5944
    assert out_h.data.round(4).tolist() == [0.5945, 0.5963]
    assert published("primelearnpoint-2x2", "out_h").tolist() == [0.5944, 0.5963]


def test_no_order_of_drawing_the_parameters_gives_the_courses_table():
    for found in in_every_order():
        for key, value in found.items():
            assert abs(value - published("coursera-rnn_cell_backward", f"{key}_table")) > 1e-4


def test_the_courses_table_was_computed_with_the_bias_of_an_earlier_cell():
    for key, value in rnn_cell_gradients(ba=stale_bias()).items():
        assert_as_printed(value, "coursera-rnn_cell_backward", f"{key}_table")


def test_a_dampening_looks_like_the_courses_momentum_but_its_first_step_is_ten_times_as_long():
    identity = "coursera-c2w2-momentum"
    w = nn.Parameter(np.zeros((2, 3)))
    w.grad = computed(identity)["vW1"] / 0.1
    optimizer = nn.SGD([w], lr=0.01, momentum=0.9, dampening=0.1)
    optimizer.step()
    assert_allclose(optimizer.state[0]["v"], 10 * computed(identity)["vW1"], rtol=1e-14)


# --- the article 卷积神经网络 - 参数学习 ------------------------------------------------------------------------------

FIRST, SECOND = "seed1-conv-mse", "seed2-conv-relu-softmax"


@pytest.mark.parametrize("seed", range(5))
def test_the_first_example_holds_for_every_picture_and_kernel_with_its_output(seed):
    X, W = np.random.default_rng(seed).standard_normal((2, 2, 2))
    given, O = inputs(FIRST), PUBLISHED[FIRST]["inputs"]["O"]  # noqa: E741  (the article's letter)
    b = O - (X * W).sum()
    found = articles.first_example(X, W, b, given.y, given.lr)
    for key in PUBLISHED[FIRST]["published"]:
        assert_as_printed(found[key], FIRST, key)
    delta, step = published(FIRST, "dL_dO"), published(FIRST, "db_step")
    assert_allclose(found["dW"], delta * X, rtol=1e-13)
    assert_allclose(found["dX"], delta * W, rtol=1e-13)
    assert_allclose(found["W_new"], W + step * X, rtol=1e-12, atol=1e-14)
    assert_allclose(found["b_new"], b + step, rtol=1e-13)
    assert_allclose(found["O_new"], O + step * ((X * X).sum() + 1), rtol=1e-13)


def test_the_first_example_has_the_half_in_its_loss():
    given = inputs(FIRST)
    O = Tensor(given.O)  # noqa: E741
    loss = F.mse_loss(O, given.y)
    loss.backward()
    assert_allclose([loss.data, O.grad], 2 * np.array([published(FIRST, "L"), published(FIRST, "dL_dO")]))


def convolved_with_the_printed_kernel():
    """The products of the printed new kernel with the picture, and the convolution."""
    given = inputs(SECOND)
    W, b = Tensor(published(SECOND, "W_new")), Tensor(published(SECOND, "b_new")[None])
    return (W * given.X).data, F.conv2d(given.X[None, None], W[None, None], b).item()


def test_the_second_examples_0987_is_the_first_of_four_products():
    products, conv = convolved_with_the_printed_kernel()
    assert_as_printed(products[0, 0], SECOND, "conv_new")
    assert f"{products[0, 0]:.4f}" == "0.0987"
    assert f"{conv:.4f}" == "0.0513"
    assert_allclose(conv, computed(SECOND)["conv_new"], atol=1e-4)


def test_the_second_examples_kernel_is_right_so_only_its_second_forward_pass_is_not():
    wrong = [key for key in PUBLISHED[SECOND]["published"] if (distance(SECOND, key) > 1).any()]
    assert wrong == ["conv_new", "p1_new", "loss_new"]


def test_the_second_examples_loss_falls_whether_the_dense_layer_learns_or_not():
    found = computed(SECOND)
    assert found["loss_new"] < found["loss_new_dense_frozen"] < found["loss"]
    assert f"{found['loss_new']:.3f}" == "0.417"


@pytest.mark.parametrize("dense_learns", [False, True])
def test_not_even_the_wrong_convolution_gives_the_second_examples_probability(dense_learns):
    found, z = computed(SECOND), Tensor(published(SECOND, "conv_new")[None])
    weight, bias = articles.DENSE_WEIGHT, articles.DENSE_BIAS
    if dense_learns:
        weight, bias = found["w_dense_new"], found["b_dense_new"]
    p = F.softmax(F.linear(F.relu(z), np.reshape(weight, (2, 1)), np.array(bias)))
    assert p[0].item() > published(SECOND, "p1") > published(SECOND, "p1_new") + 0.04


def test_the_second_examples_loss_does_not_even_follow_from_its_probability():
    loss = F.log_loss(Tensor([published(SECOND, "p1_new"), 1 - published(SECOND, "p1_new")]), 0)
    assert f"{loss.item():.3f}" == "0.543"
    assert published(SECOND, "loss_new") == 0.542


@pytest.mark.parametrize("lr", [0.01, 0.05, 0.2, 0.5])
def test_the_second_examples_learning_rate_is_not_too_large(lr):
    given = Inputs(PUBLISHED[SECOND]["inputs"] | {"lr": lr})
    found = articles.second_example(given, dense_learns=True)
    assert found["loss_new"].item() < found["loss"].item()
