"""Clipping of gradients, and parameters as one vector."""

import importlib.util
import math

import numpy as np
import pytest

import nn
from autograd.testing import gradcheck
from nn import utils

RANDOM = np.random.default_rng(0)
GRADIENTS = [RANDOM.normal(size=(2, 3)), None, RANDOM.normal(size=4), RANDOM.normal(size=())]
NORMS = [1, 1.5, 2, 2.0, 3.0, math.inf]


def parameters(gradients=GRADIENTS, dtype=np.float64):
    held = [nn.Parameter(np.ones(np.shape(g)), dtype=dtype) for g in gradients]
    for p, g in zip(held, gradients, strict=True):
        p.grad = g
    return held


def test_a_long_gradient_is_shortened_and_a_short_one_is_left_alone():
    ws = parameters([np.array([3.0, 0.0]), None, np.array([[4.0]])])
    arrays = [w.grad for w in ws]
    assert utils.clip_grad_norm_(ws, 10.0) == 5.0
    assert all(w.grad is array for w, array in zip(ws, arrays, strict=True))
    assert utils.clip_grad_norm_(iter(ws), 2.5) == 5.0
    assert ws[0].grad == pytest.approx([1.5, 0]) and ws[2].grad == pytest.approx(np.array([[2.0]]))
    assert ws[1].grad is None
    assert arrays[0].tolist() == [3.0, 0.0]
    assert utils.clip_grad_norm_(ws[0], 0.0) == pytest.approx(1.5)
    assert not ws[0].grad.any()


def test_norms_neither_overflow_nor_underflow():
    assert utils.get_total_norm([np.full(4, 1e200)]) == pytest.approx(2e200)
    assert utils.get_total_norm(np.full(4, 1e-200), 3) == pytest.approx(4 ** (1 / 3) * 1e-200)
    assert utils.get_total_norm([np.full(4, 300, np.float16)] * 4) == 1200
    assert utils.get_total_norm([]) == utils.get_total_norm([np.zeros(3)]) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("norm_type", NORMS)
def test_a_norm_that_is_not_finite_is_an_error_if_asked_for(bad, norm_type):
    ws = parameters([np.array([1.0, bad])])
    with pytest.raises(RuntimeError, match=f"the gradients is {bad}, so that they can't be clipped"):
        utils.clip_grad_norm_(ws, 1.0, norm_type, error_if_nonfinite=True)
    assert ws[0].grad[0] == 1.0
    np.testing.assert_equal(utils.clip_grad_norm_(ws, 1.0, norm_type), bad)
    np.testing.assert_equal(ws[0].grad, [0.0 if bad == math.inf else math.nan, math.nan])


def test_values_are_clipped_one_by_one():
    ws = parameters([np.array([3.0, -0.5, -2.0]), None])
    utils.clip_grad_value_(ws, 1)
    assert ws[0].grad.tolist() == [1.0, -0.5, -1.0]


def test_a_gradient_on_the_tape_is_clipped_by_its_numbers():
    w = nn.Parameter([3.0, 4.0])
    (w * w).sum().backward(create_graph=True)
    assert utils.clip_grad_norm_([w], 5.0) == 10.0
    assert w.grad == pytest.approx([3.0, 4.0])


def test_parameters_become_a_vector_and_a_vector_parameters():
    ws = [nn.Parameter(g if g is not None else [7.0], dtype=np.float32) for g in GRADIENTS]
    vector = utils.parameters_to_vector(ws)
    assert vector.shape == (12,)
    others = [nn.Parameter(np.zeros(w.shape, np.float32)) for w in ws]
    utils.vector_to_parameters(vector, iter(others))
    for w, other in zip(ws, others, strict=True):
        assert other.dtype == np.float32 and (w.data == other.data).all()
    numbers = np.arange(12.0)
    utils.vector_to_parameters(numbers, others)
    numbers[:] = 0
    assert others[3].item() == 11


def test_the_vector_is_differentiable_twice():
    weights = [RANDOM.normal(size=(2, 2)), RANDOM.normal(size=3)]
    gradcheck(lambda a, b: (utils.parameters_to_vector([a, b]) ** 3).sum(), *weights)
    w, b = nn.Parameter([[1.0, 2.0]]), nn.Parameter([3.0])
    (utils.parameters_to_vector([w, b]) ** 2).sum().backward()
    assert w.grad.tolist() == [[2.0, 4.0]] and b.grad.tolist() == [6.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: utils.clip_grad_norm_(nn.Linear(1, 1), 1), TypeError, r"give model.parameters\(\), not the Linear"),
        (lambda: utils.clip_grad_norm_([np.ones(2)], 1), TypeError, "number 0 of parameters is ndarray"),
        (
            lambda: utils.clip_grad_norm_(parameters(), -1),
            ValueError,
            "max_norm must be a number of at least 0",
        ),
        (lambda: utils.clip_grad_norm_(parameters(), 1, 0), ValueError, "norm_type must be a number above 0, .* got 0"),
        (lambda: utils.clip_grad_norm_(parameters(), 1, "inf"), ValueError, "or math.inf, got 'inf'"),
        (lambda: utils.clip_grad_value_(parameters(), -1), ValueError, "clip_value must be a number of at least 0"),
        (lambda: utils.parameters_to_vector([]), ValueError, "there are no parameters"),
        (lambda: utils.vector_to_parameters(np.ones(3), parameters()), ValueError, r"shape \(12,\), got \(3,\)"),
    ],
)
def test_bad_arguments_are_answered_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


if importlib.util.find_spec("torch"):
    import torch

    def in_torch(held):
        theirs = [torch.tensor(p.data, requires_grad=True) for p in held]
        for p, t in zip(held, theirs, strict=True):
            t.grad = None if p.grad is None else torch.tensor(p.grad)
        return theirs

    def same(held, theirs, tolerance):
        for p, t in zip(held, theirs, strict=True):
            assert (p.grad is None) == (t.grad is None)
            if p.grad is not None:
                np.testing.assert_allclose(p.grad, t.grad.numpy(), rtol=tolerance)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("max_norm", [0.5, 100, math.inf])
    @pytest.mark.parametrize("norm_type", NORMS)
    def test_clipping_by_norm_is_that_of_torch(norm_type, max_norm, dtype):
        held, tolerance = parameters(dtype=dtype), 1e-5 if dtype == np.float32 else 1e-12
        theirs = in_torch(held)
        total = utils.clip_grad_norm_(held, max_norm, norm_type)
        assert total == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type).item(), tolerance)
        same(held, theirs, tolerance)

    def test_clipping_by_value_is_that_of_torch():
        held = parameters()
        theirs = in_torch(held)
        utils.clip_grad_value_(held, 0.3)
        torch.nn.utils.clip_grad_value_(theirs, 0.3)
        same(held, theirs, 0)

    def test_the_vector_is_that_of_torch():
        held = parameters()
        vector = utils.parameters_to_vector(held)
        assert (vector.data == torch.nn.utils.parameters_to_vector(in_torch(held)).detach().numpy()).all()
