"""NaN and infinities: what comparisons make of a NaN, and what a loss makes of an infinity that does not count."""

import numpy as np
import pytest

from autograd import Tensor, grad
from nn import functional as F

INF, NAN = np.inf, np.nan


def gradients(f, *operands):
    """The gradient of the sum of f's result in each operand."""
    tensors = [Tensor(np.asarray(x, float)) for x in operands]
    f(*tensors).sum().backward()
    return [t.grad.tolist() for t in tensors]


def same(found, expected):
    np.testing.assert_equal(np.array(found, float), np.array(expected, float))


# --- comparisons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "operands", "expected"),
    [
        (F.relu, [[NAN, 1.0, -1.0]], [[NAN, 1, 0]]),
        (np.max, [[NAN, 1.0, 2.0]], [[NAN, NAN, NAN]]),
        (lambda x: np.min(x, axis=1), [[[NAN, 1.0], [3.0, 4.0]]], [[[NAN, NAN], [1, 0]]]),
        (np.ptp, [[NAN, 1.0]], [[NAN, NAN]]),
        (np.maximum, [[NAN, 1.0, NAN, 1.0], [1.0, NAN, NAN, 2.0]], [[NAN, NAN, NAN, 0], [NAN, NAN, NAN, 1]]),
        (np.minimum, [[NAN, 1.0], [1.0, 2.0]], [[NAN, 1], [NAN, 0]]),
        (np.fmax, [[NAN, 1.0, NAN], [2.0, NAN, NAN]], [[0, 1, NAN], [1, 0, NAN]]),
        (lambda x: np.clip(x, 0, 1), [[NAN, 0.5, 3.0]], [[NAN, 1, 0]]),
        (np.clip, [[0.5, NAN, 3.0], [NAN, 0.0, 0.0], [1.0, 1.0, 1.0]], [[NAN, NAN, 0], [NAN, NAN, 0], [NAN, NAN, 1]]),
        (lambda x: F.max_pool2d(x.reshape(1, 1, 2, 4), 2), [[NAN, 1.0, 2, 3, 4, 5, 6, 7]],
         [[NAN, NAN, 0, 0, NAN, NAN, 0, 1]]),
        (np.abs, [[NAN, -2.0]], [[NAN, -1]]),
        (lambda x: np.linalg.norm(x, INF), [[NAN, 1.0]], [[NAN, NAN]]),
    ],
)  # fmt: skip
def test_where_the_value_is_nan_so_is_the_gradient_of_all_that_was_compared(f, operands, expected):
    with np.errstate(invalid="ignore"):
        for found, wanted in zip(gradients(f, *operands), expected, strict=True):
            same(found, wanted)


def test_a_choice_by_a_condition_follows_the_condition_also_beside_a_nan():
    same(gradients(lambda x: np.where(x > 0, x, 0.0), [NAN, 1.0]), [[0, 1]])
    same(gradients(np.nan_to_num, [NAN, 1.0]), [[0, 1]])
    same(gradients(np.sort, [NAN, 1.0]), [[1, 1]])


@pytest.mark.parametrize(
    ("f", "operands", "expected"),
    [
        (lambda x: np.sqrt(F.relu(x)), [[-1.0, 4.0]], [[0, 0.25]]),
        (lambda x: np.sqrt(np.max(x, axis=1)), [[[0.0, -1.0], [4.0, 1.0]]], [[[INF, 0], [0.25, 0]]]),
        (lambda x, y: np.sqrt(np.maximum(x, y)), [[0.0], [-1.0]], [[INF], [0]]),
        (lambda x: np.sqrt(np.clip(x, 0, 1)), [[-1.0, 0.25]], [[0, 1]]),
        (lambda x: np.sqrt(F.max_pool2d(x, 2)), [[[[0.0, -1.0], [-2.0, -3.0]]]], [[[[INF, 0], [0, 0]]]]),
    ],
)
def test_what_was_not_chosen_has_no_gradient_also_where_that_of_the_result_is_infinite(f, operands, expected):
    for found, wanted in zip(gradients(f, *operands), expected, strict=True):
        same(found, wanted)


def test_a_nan_that_comes_from_above_is_not_hidden_by_a_choice():
    same(gradients(lambda x: F.relu(x) * np.array([NAN, 1.0]), [-1.0, -1.0]), [[NAN, 0]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_nan_leaves_the_dtype_of_the_gradient_as_it_is(dtype):
    x = Tensor(np.array([NAN, 1.0], dtype))
    F.relu(x).sum().backward()
    assert x.grad.dtype == dtype


# --- what does not count ----------------------------------------------------------------------------------------------

MASKED = [[1.0, 2.0, 0.5], [-INF, 1.0, -INF], [NAN, INF, 0.0], [0.0, 1.0, 0.0]]
KEPT = [0, 3]
LABELS = np.array([1, -100, -100, 2])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 3.0]])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_an_ignored_row_counts_for_nothing_whatever_it_holds(reduction, weight, label_smoothing):
    def loss(z, labels):
        return F.cross_entropy(z, labels, weight, reduction=reduction, label_smoothing=label_smoothing).sum()

    x, only = Tensor(MASKED), Tensor(np.array(MASKED)[KEPT])
    all_rows, kept = loss(x, LABELS), loss(only, LABELS[KEPT])
    assert all_rows.item() == kept.item()
    all_rows.backward()
    kept.backward()
    same(x.grad[KEPT], only.grad)
    same(x.grad[[1, 2]], np.zeros((2, 3)))


def test_nll_loss_ignores_minus_infinity_where_told_to():
    x = Tensor([[-0.5, -1.0], [-INF, -INF]])
    loss = F.nll_loss(x, [0, -100])
    loss.backward()
    assert loss.item() == 0.5
    same(x.grad, [[-1, 0], [0, 0]])


def test_a_class_of_weight_zero_counts_for_nothing():
    x = Tensor([[-0.5, -1.0], [-INF, -1.0]])
    loss = F.nll_loss(x, [1, 0], weight=[0.0, 2.0])
    loss.backward()
    assert loss.item() == 1.0
    same(x.grad, [[0, -1], [0, 0]])


def test_zero_times_log_zero_is_zero_in_a_cross_entropy_of_probabilities():
    z = Tensor([[1.0, -INF, 1.0]])
    loss = F.cross_entropy(z, [[0.5, 0.0, 0.5]])
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    same(z.grad, [[0, 0, 0]])
    assert F.cross_entropy(Tensor([[1.0, -INF]]), [[0.5, 0.5]]).item() == INF


@pytest.mark.parametrize("pos_weight", [None, 3.0])
def test_infinite_logits_have_a_binary_cross_entropy(pos_weight):
    z = Tensor([INF, -INF, INF, -INF, 0.0])
    y = [1.0, 0.0, 0.0, 1.0, 1.0]
    loss = F.binary_cross_entropy_with_logits(z, y, reduction="none", pos_weight=pos_weight)
    more = pos_weight or 1.0
    np.testing.assert_allclose(loss.data, [0, 0, INF, INF, more * np.log(2)])
    loss.backward(np.ones(5))
    np.testing.assert_allclose(z.grad, [0, 0, 1, -more, -more / 2])


def test_an_element_of_weight_zero_counts_for_nothing_in_a_binary_cross_entropy():
    z = Tensor([-INF, 0.0])
    loss = F.binary_cross_entropy_with_logits(z, [1.0, 1.0], weight=[0.0, 1.0], reduction="sum")
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    same(z.grad, [0, -0.5])


def test_what_counts_stays_infinite_or_nan():
    assert F.cross_entropy(Tensor([[-INF, 0.0]]), [0]).item() == INF
    assert np.isnan(F.cross_entropy(Tensor([[NAN, 0.0]]), [0]).item())
    assert np.isnan(F.cross_entropy(Tensor([[NAN, 0.0]]), [[0.5, 0.5]]).item())
    assert np.isnan(grad(lambda z: F.cross_entropy(z, [0]))(np.array([[NAN, 0.0]]))).all()
