"""Images read at places of a grid: known numbers, errors, and the numbers of torch where it is installed."""

import importlib.util
from itertools import product

import numpy as np
import pytest

import nn
from autograd import Tensor
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(0)
SHAPES = {2: ((2, 3, 4, 5), (2, 3, 2, 2)), 3: ((2, 2, 3, 4, 2), (2, 2, 3, 2, 3))}
CASES = list(product(SHAPES, ("bilinear", "nearest"), ("zeros", "border", "reflection"), (False, True)))
CASES += product((2,), ("bicubic",), ("zeros", "border", "reflection"), (False, True))


def test_the_identity_gives_the_image_and_a_turn_by_a_half_turns_it():
    x, one = RNG.random((1, 2, 3, 4)), np.array([[[1.0, 0, 0], [0, 1, 0]]])
    for align in (False, True):
        assert np.allclose(F.grid_sample(x, F.affine_grid(one, x.shape, align), align_corners=align), x)
        turned = F.grid_sample(x, F.affine_grid(-one, x.shape, align), align_corners=align)
        assert np.allclose(turned, x[..., ::-1, ::-1])


def test_gradients_of_image_and_grid_twice():
    x, grid = RNG.random((1, 1, 3, 3)), RNG.uniform(-0.6, 0.6, (1, 2, 2, 2))
    gradcheck(lambda x, grid: F.grid_sample(x, grid) ** 2, x, grid)
    gradcheck(lambda x, grid: F.grid_sample(x, grid, "bicubic"), x[..., :2, :2], grid[:, :1, :1])
    gradcheck(lambda theta: F.affine_grid(theta, (1, 1, 2, 2)) ** 2, RNG.random((1, 2, 3)))


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="torch is not installed")
@pytest.mark.parametrize(("axes", "mode", "padding", "align"), CASES)
def test_as_torch(axes, mode, padding, align):
    import torch

    theirs = torch.nn.functional
    numbers = [RNG.standard_normal(SHAPES[axes][0]), RNG.uniform(-2.5, 2.5, SHAPES[axes][1])]
    a, b = [Tensor(v, requires_grad=True) for v in numbers], [torch.tensor(v, requires_grad=True) for v in numbers]
    out, expected = (of(*v, mode, padding, align) for of, v in ((F.grid_sample, a), (theirs.grid_sample, b)))
    assert np.allclose(out.data, expected.detach().numpy())
    g = RNG.standard_normal(out.shape)
    out.backward(g), expected.backward(torch.tensor(g))
    for mine, its in zip(a, b, strict=True):
        assert np.allclose(0 if mine.grad is None else mine.grad, its.grad.numpy())
    theta, size = RNG.standard_normal((2, axes, axes + 1)), SHAPES[axes][0]
    assert np.allclose(F.affine_grid(theta, size, align), theirs.affine_grid(torch.tensor(theta), size, align))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda x, g: F.grid_sample(x, g, "area"),
            ValueError,
            "mode must be one of bilinear, nearest, bicubic, got 'area",
        ),
        (
            lambda x, g: F.grid_sample(x, g, padding_mode="wrap"),
            ValueError,
            "padding_mode must be one of zeros, border",
        ),
        (lambda x, g: F.grid_sample(x[0], g), nn.ShapeMismatch, r"are needed, got \(1, 2, 2\) and \(1, 2, 2, 2\)"),
        (lambda x, g: F.affine_grid(g, x.shape), nn.ShapeMismatch, r"theta of shape \(N, 2, 3\) .* got \(1, 2, 2, 2\)"),
    ],
)
def test_what_is_wrong_is_said(call, error, said):
    with pytest.raises(error, match=said):
        call(np.ones((1, 1, 2, 2)), np.zeros((1, 2, 2, 2)))
