"""What the checking tools say where numbers are rough: nothing right is called wrong, nothing wrong is called right."""

import numpy as np
import pytest
from roughcases import count

import viz
from autograd import Tensor
from autograd.testing import GradcheckError, check_layer, compare_grads, gradcheck
from autograd.testing.noise import noise_of
from nn import functional as F

NOISE = np.array([1.2345678912345e-15, -2.3456789123456e-15, 0.0])
X = np.array([[4.5e4, 12.0, 1.0], [3.1e4, 7.0, 1.0], [9.9e4, 3.0, 1.0]])
Y = np.array([3e5, 2e5, 8e5])
RNG = np.random.default_rng(3)


def squares(dtype=np.float64):
    """A regression on an area, a slope and a bias; its gradients are of very different sizes."""
    w = Tensor(np.array([1.0, 2.0, 3.0], dtype), name="w")
    r = Tensor(X.astype(dtype), requires_grad=False) @ w - Y.astype(dtype)
    return w, (r * r).sum(), 2 * X.T @ (X @ w.data.astype(np.float64) - Y)


def verdicts(loss, x, given):
    """What the three tools say of a gradient: whether nothing is wrong with it."""
    stepped = viz.step(loss, against={x: given})[-1].check.yours.ok
    return compare_grads(loss, {x: given}).ok, viz.explain_mismatch(loss, {x: given}).ok, stepped is not False


@pytest.mark.parametrize("factor", [-1.0, 2.0, 0.0, 1.01])
@pytest.mark.parametrize("element", [1, 2])
def test_a_small_element_that_is_wrong_is_so_beside_large_ones(factor, element):
    w, loss, g = squares()
    assert verdicts(loss, w, g) == (True, True, True)
    g[element] *= factor
    assert verdicts(loss, w, g) == (False, False, False)


def test_a_right_derivation_in_another_form_may_round_in_other_places():
    w, loss, _ = squares()
    (row,) = compare_grads(loss, {w: 2 * (X.T @ X @ w.data - X.T @ Y)}).rows
    assert row.verdict in ("close", "exact")
    z = Tensor(np.array([[40.0, 0.0, 1.0], [0.0, -30.0, 2.0]]), name="z")
    p = np.exp(z.data - z.data.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    by_chain = np.zeros_like(p)
    for i, label in enumerate((0, 2)):
        by_chain[i] = (np.diag(p[i]) - np.outer(p[i], p[i]))[label] * (-1 / p[i, label]) / 2
    assert compare_grads(F.cross_entropy(z, [0, 2]), {z: by_chain}).ok
    assert compare_grads(F.cross_entropy(z, [0, 2]), {z: (p - np.eye(3)[[0, 2]]) / 2}).ok


def test_what_rounding_hides_is_undecided_and_neither_close_nor_wrong():
    x = Tensor(RNG.normal(size=(50, 3)), name="x")
    b = Tensor(np.zeros(3), name="b")
    z = x + b
    loss = (((z - z.mean(axis=0)) / z.std(axis=0)) ** 3).sum()
    (row,) = compare_grads(loss, {b: NOISE}).rows
    assert (row.verdict, row.ok, row.undecided.all()) == ("undecided", True, True)
    assert "smaller than what rounding may put off: nothing can be said of them" in row.note
    assert viz.step(loss, against={b: NOISE})[-1].check.yours.ok is None
    assert any("nothing can be said" in note for note in viz.explain_mismatch(loss, {b: NOISE}).notes)


def single_buffer(x, w):
    out = np.zeros((x.shape[0], w.shape[1]), dtype=np.float32)
    for i in range(len(out)):
        out[i] = np.tanh(x[i] @ w)
    return out, (x, w, out)


def single_backward(dout, cache):
    x, w, out = cache
    dz = dout * (1 - out.astype(float) ** 2)
    return dz @ w.T, x.T @ dz


def test_layers_that_compute_in_float32_inside_are_judged_by_that():
    inputs = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 5))
    assert check_layer(single_buffer, single_backward, *inputs).ok
    for wrong in (-1.0, 2.0, 1.01, 0.0):
        scaled = lambda dout, cache, wrong=wrong: [wrong * g for g in single_backward(dout, cache)]
        assert not check_layer(single_buffer, scaled, *inputs).ok
    one = lambda dout, cache: (single_backward(dout, cache)[0], single_backward(dout, cache)[1] * SIGNS)
    assert [row.name for row in check_layer(single_buffer, one, *inputs).wrong] == ["w"]


SIGNS = np.where(np.arange(15).reshape(3, 5) == 7, -1.0, 1.0)


def test_a_cast_to_float32_inside_of_a_traced_function_is_not_the_engines_mistake():
    a = Tensor(RNG.normal(size=5), name="a")
    loss = (np.tanh(a.astype(np.float32)) * np.arange(1.0, 6.0)).sum()
    right = (1 - np.tanh(a.data) ** 2) * np.arange(1.0, 6.0)
    (row,) = compare_grads(loss, {a: right}, numeric=True).rows
    assert row.ok and row.numeric.engine and row.numeric.yours
    assert compare_grads(loss, {a: -right}, numeric=True).rows[0].numeric.yours is False
    assert gradcheck(lambda x: np.tanh(x.astype(np.float32)), a.data)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: np.tanh(x.astype(np.float32)) * (x / x.data if isinstance(x, Tensor) else 1.0), a.data)
    big = Tensor([1e8, 1.0], name="x")
    (row,) = compare_grads((big * big).sum(), {big: [2e8, 2.0]}, numeric=True).rows
    assert row.verdict == "exact" and row.numeric.engine is not False


def test_infinities_and_nan_get_one_verdict_from_all_tools():
    x = Tensor([0.0, 4.0], name="x")
    for given, right in (
        ([np.inf, 0.25], True),
        ([5.0, 0.25], False),
        ([-np.inf, 0.25], False),
        ([np.inf, 1.0], False),
    ):
        assert verdicts(np.sqrt(x).sum(), x, given) == (right, right, right)
    loss = (x * np.sqrt(x)).sum()
    assert verdicts(loss, x, [0.0, 3.0]) == (False, False, False)
    assert "holds NaN, so that nothing agrees with it" in str(viz.explain_mismatch(loss, {x: [0.0, 3.0]}))


def test_noise_is_that_of_the_precision_inside():
    x = RNG.normal(size=4)
    for dtype, low, high in (("f8", 0, 1e-14), ("f4", 1e-9, 1e-5)):
        f = lambda x, dtype=dtype: np.sum(np.sin(x.astype(dtype)).astype("f8"))
        assert low <= noise_of(f, [x], f(x))[0] < high


def test_finite_differences_accuse_nothing_right_and_acquit_nothing_wrong():
    said, false = count(range(50))
    assert not [case for case in false if case[1] == "tape"]
    assert len(false) <= 1, false
    assert said["tape", "sign", "wrong"] > 2 * said["tape", "sign", "undecided"]


def test_what_cannot_be_told_is_no_match_in_an_explanation():
    x = Tensor(np.float32(1.0), name="x")
    w = Tensor(np.array([1.0, 1e-9], np.float32), name="w")
    loss = (w * np.array([1e7, 1.0], np.float32)).sum() * x
    told = viz.explain_mismatch(loss, {w: np.array([1e7, -1.0]), x: loss.data})
    assert told.verdicts["∂L/∂w"] == "undecided" and told.ok
    assert told.summary.endswith("That can't be told of ∂L/∂w.")


@pytest.mark.parametrize("factor", [-1.0, 0.0, 2.0, 1.0])
def test_a_deep_network_hides_nothing(factor):
    rng = np.random.default_rng(0)
    h, weights = Tensor(rng.normal(size=(5, 6)), requires_grad=False), []
    for _ in range(60):
        weights += [Tensor(rng.normal(size=(6, 6)) * 0.4) for _ in range(2)]
        r = h @ weights[-2]
        h = h + (r * (r.data > 0)) @ weights[-1]
        h = h / np.sqrt((h * h).mean(axis=1, keepdims=True))
    loss = (h**2 * np.arange(6)).sum()
    loss.backward()
    report = compare_grads(loss, {w: factor * w.grad for w in weights})
    assert {row.verdict for row in report.rows} == ({"exact"} if factor == 1 else {"WRONG"})


@pytest.mark.parametrize("z", [10.0, 26.0, 29.0, 33.0])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_textbook_sigmoid_is_not_accused_where_it_saturates(z, dtype):
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    x = np.array([z], dtype)
    assert check_layer(lambda x: (sigmoid(x), sigmoid(x)), lambda d, a: d * a * (1 - a), x).ok
    x = np.array([z, 0.3], dtype)
    assert check_layer(lambda x: (sigmoid(x), sigmoid(x)), lambda d, a: d * a * (1 - a), x).ok
    assert not check_layer(lambda x: (sigmoid(x), sigmoid(x)), lambda d, a: -d * a * (1 - a), x).ok


def test_a_layer_that_returns_coarser_numbers_is_judged_by_those():
    x = np.full((2, 2), 0.7)
    forward = lambda a: (a.astype(np.float32) * 2, a)
    assert check_layer(forward, lambda d, a: 2 * d, x).ok
    for wrong in (-2.0, 0.0, 7.0):
        assert not check_layer(forward, lambda d, a, k=wrong: k * d, x).ok


def test_nan_in_a_gradient_is_wrong_in_an_explanation_too():
    x = Tensor([1.0, 3.0], name="x")
    told = viz.explain_mismatch((x * x).sum(), {x: [2.0, np.nan]})
    assert not told.ok and told.first.sentence == "∂L/∂x is wrong: yours holds NaN at [1]."
