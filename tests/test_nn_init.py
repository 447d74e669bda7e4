"""Initialisers: the spread they promise, their seeds, and torch's defaults of the layers."""

import importlib.util
import inspect
import math

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F
from nn import init


def parameter(*shape, dtype=np.float64):
    return nn.Parameter(np.zeros(shape, dtype))


def test_constants():
    w = parameter(2, 3)
    assert init.constant_(w, 0.5) is w
    assert (w.data == 0.5).all()
    assert (init.ones_(w).data == 1).all()
    assert (init.zeros_(w).data == 0).all()


def flat(w):
    return parameter(400, w.size // 400)


SPREADS = {
    "uniform": (lambda w: init.uniform_(w, -2, 4, rng=0), 1.0, 6 / np.sqrt(12)),
    "normal": (lambda w: init.normal_(w, 3.0, 0.5, rng=0), 3.0, 0.5),
    "xavier uniform": (lambda w: init.xavier_uniform_(w, rng=0), 0.0, np.sqrt(2 / (200 * 9 + 100 * 9))),
    "xavier normal": (lambda w: init.xavier_normal_(w, 2.0, rng=0), 0.0, 2 * np.sqrt(2 / (200 * 9 + 100 * 9))),
    "he uniform": (lambda w: init.kaiming_uniform_(w, rng=0), 0.0, np.sqrt(2 / (200 * 9))),
    "he normal": (lambda w: init.kaiming_normal_(w, nonlinearity="relu", rng=0), 0.0, np.sqrt(2 / (200 * 9))),
    "he fan out": (lambda w: init.kaiming_normal_(w, mode="fan_out", rng=0), 0.0, np.sqrt(2 / (100 * 9))),
    "he selu": (lambda w: init.kaiming_normal_(w, nonlinearity="selu", rng=0), 0.0, 3 / 4 / np.sqrt(200 * 9)),
    "he tanh": (lambda w: init.kaiming_uniform_(w, 0.0, "fan_out", "tanh", rng=0), 0.0, 5 / 3 / np.sqrt(100 * 9)),
    "truncated": (lambda w: init.trunc_normal_(w, rng=0), 0.0, 0.8796256610342398),
    "truncated nowhere": (lambda w: init.trunc_normal_(w, 1.0, 0.02, rng=0), 1.0, 0.02),
    "half a normal": (
        lambda w: init.trunc_normal_(w, 1.0, 3.0, 1.0, np.inf, rng=0),
        1 + 3 * np.sqrt(2 / np.pi),
        3 * np.sqrt(1 - 2 / np.pi),
    ),
    "far out": (lambda w: init.trunc_normal_(w, 0.0, 1.0, -np.inf, -50.0, rng=0), -50 - 0.019984, 0.019976),
    "sparse": (lambda w: init.sparse_(flat(w), 0.25, 2.0, rng=0), 0.0, 2.0 * np.sqrt(0.75)),
    "he slope": (lambda w: init.kaiming_uniform_(w, a=2.0, rng=0), 0.0, np.sqrt(2 / 5 / (200 * 9))),
}


@pytest.mark.parametrize("case", SPREADS)
def test_the_spread_is_that_of_the_formula(case):
    fill, mean, std = SPREADS[case]
    w = fill(parameter(100, 200, 3, 3))
    assert np.isclose(w.data.std(), std, rtol=0.01)
    assert np.isclose(w.data.mean(), mean, atol=0.02 * std)


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0, 1, -2, 2), (0, 1, 1, 1.5), (3, 0.5, -1, 2), (0, 2, -1, 7)])
def test_truncated_ones_are_spread_as_the_normal_distribution_between_the_bounds(mean, std, a, b):
    w = np.sort(init.trunc_normal_(parameter(100, 500), mean, std, a, b, rng=0).data.ravel())
    below = np.array([math.erf((x - mean) / std / math.sqrt(2)) for x in [a, *w[::100], b]])
    expected = (below[1:-1] - below[0]) / (below[-1] - below[0])
    assert a <= w[0] and w[-1] <= b
    assert np.abs(expected - np.linspace(0, 1, len(expected), endpoint=False)).max() < 0.01


def test_the_identity():
    assert (init.eye_(parameter(3, 5)).data == np.eye(3, 5)).all()
    assert init.eye_(parameter(2, 2, dtype=np.float32)).dtype == np.float32


def test_dirac_kernels_leave_images_as_they_are():
    images = np.random.default_rng(0).normal(size=(2, 3, 5, 6))
    kernels = init.dirac_(parameter(3, 3, 3, 3))
    assert np.allclose(F.conv2d(Tensor(images), kernels, padding=1).data, images)
    kernels = init.dirac_(parameter(4, 1, 3, 3), groups=2)
    assert (np.argwhere(kernels.data) == [[0, 0, 1, 1], [2, 0, 1, 1]]).all()


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (7, 4), (3, 2, 2), (20, 2, 3, 3)])
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_rows_or_columns_are_orthogonal(shape, gain):
    w = init.orthogonal_(parameter(*shape), gain, rng=0).data.reshape(shape[0], -1)
    square = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    assert np.allclose(square, gain**2 * np.eye(len(square)))


def test_orthogonal_ones_point_everywhere_alike():
    source = np.random.default_rng(0)
    draws = np.array([init.orthogonal_(parameter(3, 3), rng=source).data for _ in range(3000)])
    assert np.abs(draws.mean(axis=0)).max() < 0.05
    assert np.abs((draws**2).mean(axis=0) - 1 / 3).max() < 0.02


def test_each_column_of_a_sparse_one_has_as_many_zeros():
    w = init.sparse_(parameter(10, 40), 0.31, rng=0).data
    assert ((w == 0).sum(axis=0) == 4).all()
    assert len({tuple(column) for column in (w == 0).T}) > 10
    assert (init.sparse_(parameter(10, 4), 1.0).data == 0).all()


def test_what_has_no_elements_stays_so():
    for fill in (init.orthogonal_, init.trunc_normal_, init.kaiming_uniform_, init.kaiming_normal_):
        assert fill(parameter(3, 0)).shape == (3, 0)


def test_uniform_ones_stay_within_their_bounds():
    w = init.xavier_uniform_(parameter(30, 50), gain=3.0)
    bound = 3 * np.sqrt(6 / 80)
    assert 0.95 * bound < np.abs(w.data).max() <= bound


def test_a_seed_gives_the_same_numbers_in_any_dtype():
    a = init.normal_(parameter(3, 4), rng=1).data
    b = init.normal_(parameter(3, 4, dtype=np.float32), rng=np.random.default_rng(1))
    assert b.dtype == np.float32
    assert (b.data == a.astype(np.float32)).all()
    assert init.normal_(Tensor(1.0), rng=1).shape == ()


def test_manual_seed_decides_the_parameters_of_layers():
    nn.manual_seed(3)
    a = nn.Linear(3, 2)
    nn.manual_seed(3)
    b = nn.Linear(3, 2)
    c = nn.Linear(3, 2)
    assert (a.weight.data == b.weight.data).all() and (a.bias.data == b.bias.data).all()
    assert not (b.weight.data == c.weight.data).any()


def test_layers_start_as_torch_starts_them():
    for layer, fan_in in ((nn.Linear(400, 300), 400), (nn.Conv2d(16, 64, 5, groups=2), 8 * 25)):
        for p in (layer.weight, layer.bias):
            assert p.dtype == np.float32
            assert 0.9 / np.sqrt(fan_in) < np.abs(p.data).max() <= 1 / np.sqrt(fan_in)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.xavier_uniform_(parameter(3)), r"a weight of at least 2 axes \(out, in, …\), got shape \(3,\)"),
        (lambda: init.kaiming_normal_(parameter(3, 3), mode="fan"), "mode must be 'fan_in' or 'fan_out', got 'fan'"),
        (lambda: init.calculate_gain("swish"), "nonlinearity must be one of linear, .*got 'swish'"),
        (lambda: init.uniform_(parameter(3), 1, 0), "a must be at most b"),
        (lambda: init.normal_(parameter(3), std=-1), "std must be at least 0"),
        (lambda: init.calculate_gain("leaky_relu", "0.1"), "param must be the slope of leaky_relu, got '0.1'"),
        (
            lambda: init.trunc_normal_(parameter(3), a=2.0),
            "a below b, got std=1.0, a=2.0, b=2.0",
        ),
        (lambda: init.eye_(parameter(3)), r"eye_: a tensor of 2 axes is needed, got shape \(3,\)"),
        (lambda: init.dirac_(parameter(3, 3)), r"dirac_: a tensor of 3 to 5 axes is needed, got shape \(3, 3\)"),
        (lambda: init.dirac_(parameter(3, 3, 3), 2), "groups must divide the 3 kernels, got 2"),
        (lambda: init.orthogonal_(parameter(3)), r"a tensor of at least 2 axes is needed, got shape \(3,\)"),
        (lambda: init.sparse_(parameter(3, 3), 1.5), "sparsity must be from 0 to 1, got 1.5"),
        (lambda: nn.manual_seed(-1), "a seed is an integer of at least 0"),
        (lambda: init.normal_(parameter(3), rng=0.5), "or a numpy Generator; got 0.5"),
    ],
)
def test_bad_options_are_answered_with_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_initialiser_takes_parameters_not_arrays():
    fills = (init.zeros_, init.ones_, init.uniform_, init.normal_, init.trunc_normal_, init.eye_, init.orthogonal_)
    for call in fills:
        with pytest.raises(TypeError, match=f"{call.__name__}: an nn.Parameter or a Tensor is needed, got ndarray"):
            call(np.ones(3))
    assert init.constant_(parameter(2), val=3.0).data.tolist() == [3.0, 3.0]


if importlib.util.find_spec("torch"):
    import torch

    @pytest.mark.parametrize(
        "name", ["linear", "conv2d", "conv_transpose1d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
    )
    def test_gains_are_those_of_torch(name):
        assert np.isclose(init.calculate_gain(name), torch.nn.init.calculate_gain(name))

    def test_gains_of_slopes_are_those_of_torch():
        assert np.isclose(init.calculate_gain("leaky_relu", 0.3), torch.nn.init.calculate_gain("leaky_relu", 0.3))

    @pytest.mark.parametrize("name", ["xavier_uniform_", "kaiming_uniform_"])
    def test_bounds_are_those_of_torch(name):
        ours = getattr(init, name)(parameter(50, 40, 3, 3), rng=0).data
        theirs = getattr(torch.nn.init, name)(torch.empty(50, 40, 3, 3))
        assert np.isclose(np.abs(ours).max(), theirs.abs().max().item(), rtol=0.01)

    @pytest.mark.parametrize("shape", [(3, 2, 3), (4, 6, 3, 2), (6, 2, 3, 3, 4)])
    @pytest.mark.parametrize("groups", [1, 2])
    def test_what_is_not_random_is_that_of_torch(shape, groups):
        if shape[0] % groups == 0:
            theirs = torch.nn.init.dirac_(torch.empty(shape), groups)
            assert (init.dirac_(parameter(*shape), groups).data == theirs.numpy()).all()

    NAMES = [name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")]

    @pytest.mark.parametrize("name", [*NAMES, "calculate_gain"])
    def test_every_initialiser_of_torch_is_here_with_its_parameters(name):
        ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (init, torch.nn.init))
        expected = [(p.name, p.default) for p in theirs.values() if p.name != "generator"]
        assert [(p.name, p.default) for p in ours.values() if p.name != "rng"] == expected
