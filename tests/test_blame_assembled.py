"""Formulas that are put together where no small edit of the right one gives the numbers; and where chance would."""

import numpy as np
import pytest
from blamecases import named

from autograd import Tensor
from viz import explain_mismatch


def dense(dtype=np.float64):
    rng = np.random.default_rng(1)
    X, y = (rng.normal(size=shape).astype(dtype) for shape in ((3, 4), (1, 4)))
    W1, b1, W2 = (Tensor(rng.normal(size=shape).astype(dtype)) for shape in ((4, 3), (4, 1), (1, 4)))
    A1 = np.tanh(W1 @ X + b1)
    loss = 0.5 * np.sum((W2 @ A1 - y) ** 2)
    d, a = W2.data @ A1.data - y, A1.data
    dz = (W2.data.T @ d) @ (1 - a.T @ a)
    return loss, {"W2": d @ a.T, "b1": dz.sum(1, keepdims=True), "W1": dz @ X.T}


@pytest.mark.parametrize("digits", [4, 6, None])
def test_matrices_multiplied_where_elements_are_to_the_digits_given(digits):
    loss, hands = dense()
    if digits is not None:
        hands = {name: np.vectorize(f"{{:.{digits}g}}".format, otypes=[object])(g) for name, g in hands.items()}
    (found,) = explain_mismatch(loss, hands)
    assert found.slip == "another formula" and "∂L/∂A₁ (1 − A₁ᵀ A₁)" in found.your_formula
    assert found.gradients == ("∂L/∂b₁", "∂L/∂W₁")


def test_a_formula_in_single_precision():
    loss, hands = dense(np.float32)
    (found,) = explain_mismatch(loss, hands)
    assert "∂L/∂A₁ (1 − A₁ᵀ A₁)" in found.your_formula


def test_a_sample_that_happens_to_be_a_mask_is_no_formula():
    """Sums of zeros and ones are few numbers: of four examples, those of the mask v W + b > 0 are as many."""
    rng = np.random.default_rng(49)
    v0, v1 = ((rng.random((4, 5)) > 0.5) * 1.0 for _ in range(2))
    W, b = Tensor(rng.normal(size=(5, 3)) * 0.3, name="W"), Tensor(rng.normal(size=3) * 0.1, name="b")
    loss = named("L", (-np.log(1 + np.exp(v0 @ W + b)).sum() + np.log(1 + np.exp(v1 @ W + b)).sum()) / 4)
    mean0, mean1 = (1 / (1 + np.exp(-(v @ W.data + b.data))) for v in (v0, v1))
    mask = (v1 @ W.data + b.data > 0) * 1.0
    assert explain_mismatch(loss, {b: (mean1 - mean0).sum(0) / 4}).ok
    report = explain_mismatch(loss, {b: (mean1 - mask).sum(0) / 4})
    assert all(finding.slip is None for finding in report), str(report)


def test_numbers_of_few_digits_are_not_put_together():
    x = Tensor(1.7, name="x")
    report = explain_mismatch((x**2 + 0.3) / (3 * x + 1), {x: 2 * 1.7 / 3})
    assert [finding.slip for finding in report] == [None]


def step(moved):
    """A network's biases after a step of lr = 0.05, moved by what `moved` makes of their gradients and themselves."""
    rng = np.random.default_rng(12)
    X, y = rng.normal(size=(6, 3)), rng.random((6, 2))
    W1, W2 = (Tensor(rng.normal(size=shape), name=name) for name, shape in (("W1", (3, 4)), ("W2", (4, 2))))
    b1, b2 = (Tensor(rng.normal(size=n), name=name) for name, n in (("b1", 4), ("b2", 2)))
    H = named("H", 1 / (1 + np.exp(-(X @ W1 + b1))))
    loss = named("L", 0.5 * np.sum((1 / (1 + np.exp(-(H @ W2 + b2))) - y) ** 2))
    loss.backward()
    after = {w: w.data - 0.05 * w.grad for w in (W1, W2)} | {b: b.data - moved(b.data, b.grad) for b in (b1, b2)}
    return explain_mismatch(loss, after=after, lr=0.05)


def test_biases_that_were_moved_by_themselves():
    found = step(lambda b, g: 0.05 * b)
    assert sorted(finding.your_formula for finding in found) == ["∂L/∂b1 = b1", "∂L/∂b2 = b2"]


def test_biases_that_were_moved_without_the_learning_rate():
    (found,) = step(lambda b, g: g)
    assert "20 times the right one, as with a learning rate of 1 instead of 0.05" in found.sentence
