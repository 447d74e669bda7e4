"""Max pooling undone: known numbers, errors, and the numbers of torch where it is installed."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tensor
from autograd.testing import gradcheck
from nn import functional as F

CASES = {
    "sequences": (1, (2, 3, 8), {"kernel_size": 2}, None),
    "images": (2, (2, 3, 6, 8), {"kernel_size": 2}, None),
    "no batch": (2, (3, 6, 8), {"kernel_size": (3, 2)}, None),
    "a row that was left out": (2, (2, 2, 7, 7), {"kernel_size": 2}, (7, 7)),
    "padding": (2, (1, 2, 6, 6), {"kernel_size": 2, "stride": 2, "padding": 1}, None),
    "stride above the kernel": (1, (2, 2, 9), {"kernel_size": 2, "stride": 3}, None),
    "volumes": (3, (2, 2, 4, 6, 4), {"kernel_size": 2}, (2, 2, 4, 6, 4)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_put_back_is_found_there_again(case):
    axes, shape, options, size = CASES[case]
    x = np.random.default_rng(0).random(shape)
    values, places = getattr(F, f"max_pool{axes}d")(x, **options, return_indices=True)
    back = getattr(F, f"max_unpool{axes}d")(values, places, **options, output_size=size)
    assert np.isclose(back.sum(), values.sum()) and np.count_nonzero(back) == values.size
    assert (getattr(F, f"max_pool{axes}d")(back, **options) == values).all()
    gradcheck(lambda v: getattr(F, f"max_unpool{axes}d")(v, places, **options, output_size=size) ** 2, values)


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="torch is not installed")
@pytest.mark.parametrize("case", CASES)
def test_as_torch(case):
    import torch

    axes, shape, options, size = CASES[case]
    x = np.random.default_rng(1).standard_normal(shape)
    pools = [getattr(m, f"MaxPool{axes}d")(**options, return_indices=True) for m in (nn, torch.nn)]
    layers = [getattr(m, f"MaxUnpool{axes}d")(**options) for m in (nn, torch.nn)]
    assert repr(layers[0]) == repr(layers[1])
    a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ours, theirs = layers[0](*pools[0](a), output_size=size), layers[1](*pools[1](b), output_size=size)
    assert np.array_equal(ours.data, theirs.detach().numpy())
    g = np.random.default_rng(2).standard_normal(x.shape if size else ours.shape)
    ours.backward(g), theirs.backward(torch.tensor(g))
    assert np.allclose(a.grad, b.grad.numpy())


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda v: F.max_unpool1d(v, np.zeros((1, 1, 2)), 2), nn.DtypeMismatch, "indices must be integers, got dtype"),
        (lambda v: F.max_unpool1d(v, [[0, 2]], 2), nn.ShapeMismatch, r"shape of the input, \(1, 1, 2\), got \(1, 2\)"),
        (lambda v: F.max_unpool1d(v, [[[0, 4]]], 2), ValueError, "indices must be from 0 to 3 .* got 4"),
        (lambda v: F.max_unpool1d(v, [[[0, 2]]], 2, output_size=(6,)), ValueError, r"less than a stride \(2,\) from"),
    ],
)
def test_what_is_wrong_is_said(call, error, said):
    with pytest.raises(error, match=said):
        call(np.ones((1, 1, 2)))
