"""`check_layer`: upstream gradients that are nobody's data, of what a gradient is, and why it is wrong."""

import numpy as np
import pytest
from layercases import (
    LAYERS,
    affine_backward,
    affine_forward,
    conv_backward_naive,
    conv_forward_naive,
    normal,
    relu_forward,
)

import viz
from autograd.testing import check_layer

# --- upstream gradients -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("draw", ["normal", "uniform", "random"])
def test_an_upstream_gradient_is_no_data_of_the_users(seed, draw):
    def drawn(shape, k=0):
        rng = np.random.default_rng(seed)
        return [getattr(rng, draw)(size=shape) for _ in range(k + 1)][k]

    x = drawn((4, 5))
    forgets = lambda dout, cache: cache * (1 - np.tanh(cache) ** 2)  # right where dout is x
    assert not check_layer(lambda x: (np.tanh(x), x), forgets, x).ok
    forgets = lambda dout, cache: drawn((4, 5), 1) * (1 - np.tanh(cache) ** 2)
    assert not check_layer(lambda x: (np.tanh(x), x), forgets, x).ok


def test_each_of_several_upstream_gradients_must_pass():
    seen = []

    def backward(dout, cache):
        seen.append(dout.copy())
        return dout * cache

    assert check_layer(lambda x: (x * x / 2, x), backward, normal(3)).ok
    assert len(seen) > 1 and not np.allclose(seen[0], seen[1])
    once = iter([1.0])
    report = check_layer(lambda x: (x * x / 2, x), lambda d, c: d * c * next(once, 1.5), normal(3))
    assert not report.ok and "right for another upstream gradient" in report["x"].note


def test_the_upstream_gradients_are_the_same_for_the_same_inputs():
    seen = []
    x = normal(3)
    for _ in range(2):
        check_layer(lambda x: (x * 2, x), lambda dout, cache: seen.append(dout.copy()) or dout * 2, x)
    assert np.array_equal(seen[: len(seen) // 2], seen[len(seen) // 2 :])


def test_a_backward_pass_that_forgets_its_upstream_gradient_is_told_so():
    report = check_layer(affine_forward, lambda d, c: affine_backward(np.ones_like(d), c), *LAYERS["affine"][2])
    assert all("the same whatever the upstream gradient is" in row.note for row in report.wrong)
    assert "was not multiplied in, as if it were 1 everywhere" in str(viz.explain_mismatch(report))
    conv = check_layer(conv_forward_naive, lambda d, c: conv_backward_naive(np.ones_like(d), c), *LAYERS["conv"][2])
    assert all("the same whatever the upstream gradient is" in row.note for row in conv.wrong) and len(conv.wrong) == 3


# --- of what a gradient is --------------------------------------------------------------------------------------------


def test_fewer_gradients_than_inputs_are_told_by_the_names_returned_and_by_their_shapes():
    def loss_and_dW(W, X, y):
        loss = np.sum((X @ W - y) ** 2)
        dW = 2 * X.T @ (X @ W - y)
        return loss, dW

    square = normal(3, 3), normal(3, 3), normal(3, 3)
    (row,) = check_layer(loss_and_dW, None, *square).rows
    assert row.name == "W" and row.ok
    unnamed = lambda X, W, y: (np.sum((X @ W - y) ** 2), 2 * X.T @ (X @ W - y))
    report = check_layer(unnamed, None, normal(5, 3), normal(3, 2), normal(5, 2))
    assert [row.name for row in report.rows] == ["W"] and report.ok
    assert "By the shapes, 1 gradient was taken for that of W." in report.notes


def test_gradients_of_a_list_of_parameters_are_told_by_their_shapes():
    def loss(params, x, scale=1.0):
        r = x @ params[0] + params[1]
        return scale * (r**2).sum(), [scale * 2 * x.T @ r, scale * r.sum(axis=0)]

    report = check_layer(loss, None, [normal(3, 2), normal(2)], normal(4, 3))
    assert [(row.name, row.ok) for row in report.rows] == [("params[0]", True), ("params[1]", False)]


def test_gradients_of_what_an_object_holds_are_told_by_the_names_returned():
    class Net:
        def __init__(self):
            self.W, self.b = normal(3, 2), normal(2)

        def loss(self, x, y):
            r = x @ self.W + self.b - y
            dW, db = 2 * x.T @ r, 3 * r.sum(axis=0)
            return (r**2).sum(), (dW, db)

    report = check_layer(Net().loss, None, normal(4, 3), normal(4, 2))
    assert [(row.name, row.ok) for row in report.rows] == [("W", True), ("b", False)]


def test_an_output_that_is_no_number_without_a_backward_pass_counts_by_its_sum():
    assert check_layer(lambda x: (x * x, 2 * x), None, normal(3)).ok


def test_a_gradient_that_may_be_of_several_inputs_is_not_guessed():
    unnamed = lambda W, X, y: (np.sum((X @ W - y) ** 2), 2 * X.T @ (X @ W - y))
    square = normal(3, 3), normal(3, 3), normal(3, 3)
    says = "1 gradient was returned, which may be of W or X or y, that have these shapes: return a dict, {'W': dW}, or"
    with pytest.raises(ValueError, match=says):
        check_layer(unnamed, None, *square)
    for right in (lambda *inputs: (unnamed(*inputs)[0], {"W": unnamed(*inputs)[1]}),
                  lambda *inputs: (*unnamed(*inputs), None, None)):  # fmt: skip
        report = check_layer(lambda W, X, y, f=right: f(W, X, y), None, *square)
        assert report.ok and [row.name for row in report.rows] == ["W"]


@pytest.mark.parametrize("key", ["W", "dW", "d_W", "grad_W", "W_grad", "dw", "gradW", "∂W"])
def test_a_gradient_in_a_dict_is_called_after_its_parameter_in_many_ways(key):
    def loss(params, x):
        r = x @ params["W"] + params["b"]
        return (r**2).sum(), {key: 2 * x.T @ r, "db": 3 * r.sum(axis=0)}

    report = check_layer(loss, None, {"W": normal(3, 2), "b": normal(2)}, normal(4, 3))
    assert [(row.name, row.ok) for row in report.rows] == [("W", True), ("b", False)]


def test_a_key_of_a_dict_that_fits_several_things_or_one_twice_is_refused():
    def loss(first, second):
        return (first["W"] * second["W"]).sum(), {"dW": second["W"]}

    with pytest.raises(ValueError, match=r"the gradient 'dW' may be that of first\.W or second\.W"):
        check_layer(loss, None, {"W": normal(3)}, {"W": normal(3)})
    with pytest.raises(ValueError, match="both 'W' and 'dW' are gradients of W"):
        check_layer(lambda W: ((W**2).sum(), {"W": 2 * W, "dW": 2 * W}), None, normal(3))


def test_what_nothing_is_called_like_is_said_not_to_be_compared():
    report = check_layer(lambda W: ((W**2).sum(), {"dW": 2 * W, "dA1": W}), None, normal(3))
    assert report.ok and "Not compared, as nothing is called like that: dA1." in report.notes


class Keeps:
    """A layer that keeps its cache and adds up its gradient."""

    def __init__(self, W, *, resets=False, fills=True):
        self.W, self.dW, self.resets, self.fills = W, np.zeros_like(W), resets, fills

    def forward(self, x):
        self.x = x
        return x @ self.W

    def __call__(self, x):
        return self.forward(x)

    def backward(self, dout):
        if self.fills:
            self.dW += self.x.T @ dout
        return dout @ self.W.T


def test_gradients_that_a_layer_adds_up_are_those_of_one_call_and_the_layer_stays_as_it_is():
    layer = Keeps(normal(3, 2))
    layer.forward(normal(5, 3))
    layer.backward(normal(5, 2))
    before = layer.dW.copy(), layer.W.copy(), layer.x.copy()
    for call in ((layer, normal(5, 3)), (layer.forward, layer.backward, normal(4, 3)), (layer, None, normal(2, 3))):
        report = check_layer(*call)
        assert report.ok and [row.name for row in report.rows] == ["x", "W"], str(report)
    assert all(np.array_equal(a, b) for a, b in zip(before, (layer.dW, layer.W, layer.x), strict=True))


def test_a_gradient_that_a_layer_forgets_to_fill_in_is_wrong_also_after_an_earlier_call():
    layer = Keeps(normal(3, 2))
    layer.forward(normal(5, 3))
    layer.backward(normal(5, 2))
    layer.fills = False
    assert [row.name for row in check_layer(layer, normal(5, 3)).wrong] == ["W"]


def test_passes_that_do_not_fit_together_are_told():
    with pytest.raises(
        TypeError, match=r"backward takes \(dA, dB, Y, caches\), expected an upstream gradient for each"
    ):
        check_layer(lambda x: (x * 2, x), lambda dA, dB, Y, caches: dA, normal(3))


# --- why --------------------------------------------------------------------------------------------------------------


def test_the_report_of_a_layer_says_which_step_is_wrong():
    def forward(x, w):
        a = np.tanh(x @ w)
        return a * a, (x, w, a)

    def backward(dout, cache):
        x, w, a = cache
        dz = dout * 2 * a
        return dz @ w.T, x.T @ dz

    report = check_layer(forward, backward, normal(4, 3), normal(3, 2))
    assert viz.explain_mismatch(report).first.slip == "activation derivative missing"
    assert "why: Of 2 gradients" in str(report) and "tanh′ is missing at a" in str(report)
    assert "tanh′ is missing at a" in report._repr_html_()


def test_without_the_tool_that_explains_the_report_says_how_to_ask(monkeypatch):
    monkeypatch.setattr("autograd.testing.report.EXPLAINERS", [])
    assert str(check_layer(relu_forward, lambda d, c: d, normal(3, 4))).endswith("why: viz.explain_mismatch(report)")


def test_a_report_of_a_layer_that_was_not_traced_has_no_step_to_explain():
    report = check_layer(
        conv_forward_naive, lambda d, c: [2 * g for g in conv_backward_naive(d, c)], *LAYERS["conv"][2]
    )
    assert "why:" not in str(report)
    with pytest.raises(ValueError, match="this report has no tape to look for the step on"):
        viz.explain_mismatch(report)


def test_a_loss_that_returns_its_gradients_needs_no_backward_pass_to_be_named():
    def loss(W, X, y):
        r = X @ W - y
        return (r**2).sum(), 2 * X.T @ r

    W, X, y = normal(3), normal(4, 3), normal(4)
    assert check_layer(loss, W, X, y).ok and check_layer(loss, None, W, X, y).ok
    assert not check_layer(lambda *given: (loss(*given)[0], X.T @ (X @ W - y)), W, X, y).ok


def test_a_layer_may_be_called_instead_of_having_a_forward_pass():
    class Square:
        def __call__(self, x):
            self.x = x
            return x * x

        def backward(self, dout):
            return self.factor * dout * self.x

    right, wrong = Square(), Square()
    right.factor, wrong.factor = 2.0, 1.0
    assert check_layer(right, normal(3)).ok and not check_layer(wrong, normal(3)).ok
