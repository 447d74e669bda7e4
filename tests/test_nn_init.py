"""Initialisers: the spread they promise, their seeds, and torch's defaults of the layers."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import init


def parameter(*shape, dtype=np.float64):
    return nn.Parameter(np.zeros(shape, dtype))


def test_constants():
    w = parameter(2, 3)
    assert init.constant_(w, 0.5) is w
    assert (w.data == 0.5).all()
    assert (init.ones_(w).data == 1).all()
    assert (init.zeros_(w).data == 0).all()


SPREADS = {
    "uniform": (lambda w: init.uniform_(w, -2, 4, rng=0), 1.0, 6 / np.sqrt(12)),
    "normal": (lambda w: init.normal_(w, 3.0, 0.5, rng=0), 3.0, 0.5),
    "xavier uniform": (lambda w: init.xavier_uniform_(w, rng=0), 0.0, np.sqrt(2 / (200 * 9 + 100 * 9))),
    "xavier normal": (lambda w: init.xavier_normal_(w, 2.0, rng=0), 0.0, 2 * np.sqrt(2 / (200 * 9 + 100 * 9))),
    "he uniform": (lambda w: init.kaiming_uniform_(w, rng=0), 0.0, np.sqrt(2 / (200 * 9))),
    "he normal": (lambda w: init.kaiming_normal_(w, nonlinearity="relu", rng=0), 0.0, np.sqrt(2 / (200 * 9))),
    "he fan out": (lambda w: init.kaiming_normal_(w, mode="fan_out", rng=0), 0.0, np.sqrt(2 / (100 * 9))),
    "he slope": (lambda w: init.kaiming_uniform_(w, a=2.0, rng=0), 0.0, np.sqrt(2 / 5 / (200 * 9))),
}


@pytest.mark.parametrize("case", SPREADS)
def test_the_spread_is_that_of_the_formula(case):
    fill, mean, std = SPREADS[case]
    w = fill(parameter(100, 200, 3, 3))
    assert np.isclose(w.data.std(), std, rtol=0.01)
    assert np.isclose(w.data.mean(), mean, atol=0.02 * std)


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
        (lambda: nn.manual_seed(-1), "a seed is an integer of at least 0"),
        (lambda: init.normal_(parameter(3), rng=0.5), "or a numpy Generator; got 0.5"),
    ],
)
def test_bad_options_are_answered_with_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_initialiser_takes_parameters_not_arrays():
    for call in (init.zeros_, init.ones_, init.uniform_, init.normal_):
        with pytest.raises(TypeError, match=f"{call.__name__}: an nn.Parameter or a Tensor is needed, got ndarray"):
            call(np.ones(3))
    assert init.constant_(parameter(2), val=3.0).data.tolist() == [3.0, 3.0]


if importlib.util.find_spec("torch"):
    import torch

    @pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
    def test_gains_are_those_of_torch(name):
        assert np.isclose(init.calculate_gain(name), torch.nn.init.calculate_gain(name))

    def test_gains_of_slopes_are_those_of_torch():
        assert np.isclose(init.calculate_gain("leaky_relu", 0.3), torch.nn.init.calculate_gain("leaky_relu", 0.3))

    @pytest.mark.parametrize("name", ["xavier_uniform_", "kaiming_uniform_"])
    def test_bounds_are_those_of_torch(name):
        ours = getattr(init, name)(parameter(50, 40, 3, 3), rng=0).data
        theirs = getattr(torch.nn.init, name)(torch.empty(50, 40, 3, 3))
        assert np.isclose(np.abs(ours).max(), theirs.abs().max().item(), rtol=0.01)
