"""Layers that take their first size from the first input, and layers by their old names."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F

LAZY = {
    "LazyLinear": (lambda m: m.LazyLinear(3), (2, 5, 4)),
    "LazyLinear, no bias": (lambda m: m.LazyLinear(3, bias=False), (4,)),
    "LazyConv1d": (lambda m: m.LazyConv1d(4, 3, padding=1, groups=2), (2, 6, 5)),
    "LazyConv2d": (lambda m: m.LazyConv2d(3, (2, 3), stride=2), (2, 4, 5, 6)),
    "LazyConv2d, no batch": (lambda m: m.LazyConv2d(3, 2), (4, 5, 6)),
    "LazyConv3d": (lambda m: m.LazyConv3d(3, 2, bias=False), (2, 2, 3, 3, 3)),
    "LazyConvTranspose1d": (lambda m: m.LazyConvTranspose1d(4, 3, groups=2), (2, 6, 5)),
    "LazyConvTranspose2d": (lambda m: m.LazyConvTranspose2d(3, 2, stride=2), (2, 4, 3, 3)),
    "LazyConvTranspose3d": (lambda m: m.LazyConvTranspose3d(3, 2), (2, 2, 3, 3, 3)),
    "LazyBatchNorm1d": (lambda m: m.LazyBatchNorm1d(momentum=0.3), (5, 4)),
    "LazyBatchNorm2d": (lambda m: m.LazyBatchNorm2d(), (3, 2, 4, 4)),
    "LazyBatchNorm3d": (lambda m: m.LazyBatchNorm3d(affine=False), (3, 2, 2, 2, 3)),
    "LazyInstanceNorm1d": (lambda m: m.LazyInstanceNorm1d(affine=True, track_running_stats=True), (2, 4, 5)),
    "LazyInstanceNorm2d": (lambda m: m.LazyInstanceNorm2d(), (2, 4, 3, 3)),
    "LazyInstanceNorm3d": (lambda m: m.LazyInstanceNorm3d(affine=True), (2, 4, 2, 2, 3)),
}


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="torch is not installed")
@pytest.mark.parametrize("case", LAZY)
def test_as_torch(case):
    import torch

    make, shape = LAZY[case]
    rng = np.random.default_rng(0)
    ours, theirs = make(nn), make(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    numbers = rng.standard_normal(shape).astype(np.float32)
    first, expected = ours(numbers), theirs(torch.tensor(numbers))
    assert (type(ours).__name__, first.shape) == (type(theirs).__name__, tuple(expected.shape))
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    assert {name: v.shape for name, v in ours.state_dict().items()} == {name: v.shape for name, v in state.items()}
    ours.load_state_dict(state)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        numbers = rng.standard_normal(shape).astype(np.float32)
        x, y = Tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)
        out, expected = ours(x), theirs(y)
        assert np.allclose(out.data, expected.detach().numpy(), rtol=1e-4, atol=1e-5)
        g = rng.standard_normal(out.shape).astype(np.float32)
        ours.zero_grad(), theirs.zero_grad()
        out.backward(g), expected.backward(torch.tensor(g))
        assert np.allclose(x.grad, y.grad.numpy(), rtol=1e-4, atol=1e-5)
        for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert np.allclose(mine.grad, its.grad.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", LAZY)
def test_the_first_input_makes_it_the_layer_of_that_size(case):
    make, shape = LAZY[case]
    layer = make(nn)
    before, lazy = list(layer.parameters()), type(layer)
    assert not getattr(layer, lazy._size) and isinstance(layer, lazy.__bases__[1])
    layer.double()(np.ones(shape))
    assert type(layer) is lazy.__bases__[1] and getattr(layer, lazy._size) in shape
    assert all(p is q and p.dtype == np.float64 for p, q in zip(before, layer.parameters(), strict=True))


def test_an_optimiser_may_hold_a_lazy_layer_before_it_knows_its_size():
    net = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1))
    optimizer = nn.Adam(net.parameters(), lr=0.1)
    before = (net(np.ones((3, 2))) ** 2).sum()
    before.backward()
    optimizer.step()
    assert [p.shape for p in net.parameters()] == [(4, 2), (4,), (1, 4), (1,)]
    assert not np.array_equal((net(np.ones((3, 2))) ** 2).sum().data, before.data)
    assert [net[0].weight.name, net[2].weight.name] == ["W⁽¹⁾", "W⁽²⁾"]


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        ("LazyLinear(2)", ()),
        ("LazyConv2d(2, 1)", (1, 2, 3, 4, 5)),
        ("LazyConv2d(2, 1)", (3, 4)),
        ("LazyBatchNorm1d()", (2, 3, 4, 5)),
    ],
)
def test_an_input_of_another_kind_is_refused_and_the_layer_stays_lazy(make, shape):
    layer = eval(f"nn.{make}")
    with pytest.raises(nn.ShapeMismatch, match=rf"can't be told from an input of shape \({', '.join(map(str, shape))}"):
        layer(np.ones(shape))
    assert type(layer).__name__.startswith("Lazy")
    with pytest.raises(TypeError, match="unexpected keyword argument 'in_features'"):
        nn.LazyLinear(3, in_features=4)


def test_functions_by_their_old_names():
    x, log_p = np.arange(8.0).reshape(1, 2, 2, 2), np.log(np.full((1, 2, 1, 1), 0.5))
    assert np.array_equal(F.upsample(x, 3, mode="bilinear"), F.interpolate(x, 3, mode="bilinear"))
    assert np.array_equal(F.upsample_nearest(x, scale_factor=2), x.repeat(2, 2).repeat(2, 3))
    assert np.array_equal(F.upsample_bilinear(x, 3)[0, 0, 1], [1.0, 1.5, 2.0])
    assert np.isclose(nn.NLLLoss2d()(log_p, np.zeros((1, 1, 1), int)).data, np.log(2))
