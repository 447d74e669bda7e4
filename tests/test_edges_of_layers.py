"""What gradients are at the kinks of activations and losses, and beside infinities."""

import numpy as np
import pytest

from autograd import Tensor, elementwise_grad, grad
from nn import functional as F


@pytest.mark.parametrize(
    ("f", "at", "slopes"),
    [
        (F.relu6, [0, 6], [0, 0]),
        (F.hardtanh, [-1, 1], [0, 0]),
        (F.hardsigmoid, [-3, 3], [0, 0]),
        (F.hardshrink, [-0.5, 0.5], [0, 0]),
        (F.softshrink, [-0.5, 0.5], [0, 0]),
        (F.hardswish, [-3, 3], [0, 1]),
        (lambda z: F.threshold(z, 1.0, 5.0), [1], [0]),
        (F.leaky_relu, [0], [0.01]),
        (lambda z: F.elu(z, 2.0), [0], [2]),
        (lambda z: F.celu(z, 2.0), [0], [1]),
    ],
)
def test_a_kink_of_an_activation_has_one_of_its_two_slopes(f, at, slopes):
    assert elementwise_grad(f)(np.array(at, float)).tolist() == slopes


def test_numbers_that_are_equal_have_no_distance_and_no_slope():
    for f in (F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        assert grad(lambda x, f=f: f(x, [1.0]))(np.ones(1)).tolist() == [0]


def test_a_margin_between_two_inputs_that_is_just_kept_is_pulled_at_that_of_a_class_is_not():
    zero, one = np.zeros(1), np.ones(1)
    assert grad(lambda x: F.margin_ranking_loss(x, [0.0], [1.0]))(zero).tolist() == [-1]
    assert grad(lambda x: F.hinge_embedding_loss(x, [-1.0]))(one).tolist() == [-1]
    assert grad(lambda x: F.multi_margin_loss(x, 0))(np.array([1.0, 0.0])).tolist() == [0, 0]


def test_a_vector_of_length_0_has_gradient_0_or_that_of_the_least_length():
    zero = np.zeros((1, 2))
    assert grad(lambda x: F.pairwise_distance(x, zero, eps=0.0).sum())(zero).tolist() == [[0, 0]]
    assert grad(lambda x: F.pdist(x).sum())(np.ones((3, 2))).tolist() == [[0, 0]] * 3
    assert grad(lambda x: F.normalize(x, eps=0.5).sum())(zero).tolist() == [[2, 2]]
    assert grad(lambda x: F.cosine_similarity(x, [[1.0, 0.0]], eps=0.5).sum())(zero).tolist() == [[2, 0]]


def test_labels_that_have_no_path_cost_infinitely_and_pull_at_nothing():
    x = Tensor(np.log(np.full((1, 1, 3), 1 / 3)))
    loss = F.ctc_loss(x, [[1, 2]], [1], [2])
    assert loss.item() == np.inf
    loss = F.ctc_loss(x, [[1, 2]], [1], [2], zero_infinity=True)
    loss.backward()
    assert loss.item() == 0 and (x.grad == 0).all()
