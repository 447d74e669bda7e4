"""Every activation: known numbers, kinks, derivatives, names on the tape, and torch's."""

import importlib.util
import math

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor, grad
from autograd.rules.elementwise import erf
from autograd.testing import gradcheck
from nn import functional as F

E = math.e
SIGMOID1 = 1 / (1 + 1 / E)
SOFTPLUS1 = math.log(1 + E)
PHI1 = (1 + math.erf(math.sqrt(0.5))) / 2

# name: the module, the function, its value at 1 and at −1 from the formula, its kinks
ACTIVATIONS = {
    "relu": (lambda m: m.ReLU(), lambda f, x: f.relu(x), 1, 0, [0]),
    "relu in place": (lambda m: m.ReLU(inplace=True), lambda f, x: f.relu(x), 1, 0, [0]),
    "relu6": (lambda m: m.ReLU6(), lambda f, x: f.relu6(x), 1, 0, [0, 6]),
    "hardtanh": (lambda m: m.Hardtanh(), lambda f, x: f.hardtanh(x), 1, -1, [-1, 1]),
    "hardtanh bounds": (lambda m: m.Hardtanh(-2, 0.5), lambda f, x: f.hardtanh(x, -2, 0.5), 0.5, -1, [-2, 0.5]),
    "hardsigmoid": (lambda m: m.Hardsigmoid(), lambda f, x: f.hardsigmoid(x), 4 / 6, 2 / 6, [-3, 3]),
    "hardswish": (lambda m: m.Hardswish(), lambda f, x: f.hardswish(x), 4 / 6, -2 / 6, [-3, 3]),
    "leaky": (lambda m: m.LeakyReLU(), lambda f, x: f.leaky_relu(x), 1, -0.01, [0]),
    "leaky 0.2": (lambda m: m.LeakyReLU(0.2), lambda f, x: f.leaky_relu(x, 0.2), 1, -0.2, [0]),
    "threshold": (lambda m: m.Threshold(0.1, -5.0), lambda f, x: f.threshold(x, 0.1, -5.0), 1, -5, [0.1]),
    "hardshrink": (lambda m: m.Hardshrink(), lambda f, x: f.hardshrink(x), 1, -1, [-0.5, 0.5]),
    "hardshrink 2": (lambda m: m.Hardshrink(2.0), lambda f, x: f.hardshrink(x, 2.0), 0, 0, [-2, 2]),
    "softshrink": (lambda m: m.Softshrink(), lambda f, x: f.softshrink(x), 0.5, -0.5, [-0.5, 0.5]),
    "softshrink 0.3": (lambda m: m.Softshrink(0.3), lambda f, x: f.softshrink(x, 0.3), 0.7, -0.7, [-0.3, 0.3]),
    "elu": (lambda m: m.ELU(), lambda f, x: f.elu(x), 1, 1 / E - 1, [0]),
    "elu 2": (lambda m: m.ELU(2.0), lambda f, x: f.elu(x, 2.0), 1, 2 / E - 2, [0]),
    "selu": (lambda m: m.SELU(), lambda f, x: f.selu(x), 1.0507009873554805, 1.7580993408473766 * (1 / E - 1), [0]),
    "celu": (lambda m: m.CELU(), lambda f, x: f.celu(x), 1, 1 / E - 1, [0]),
    "celu 2": (lambda m: m.CELU(2.0), lambda f, x: f.celu(x, 2.0), 1, 2 * math.exp(-0.5) - 2, [0]),
    "softplus": (lambda m: m.Softplus(), lambda f, x: f.softplus(x), SOFTPLUS1, SOFTPLUS1 - 1, [20]),
    "softplus steep": (
        lambda m: m.Softplus(2.0, 3.0),
        lambda f, x: f.softplus(x, 2.0, 3.0),
        math.log(1 + E**2) / 2,
        math.log(1 + E**-2) / 2,
        [1.5],
    ),
    "logsigmoid": (lambda m: m.LogSigmoid(), lambda f, x: f.logsigmoid(x), 1 - SOFTPLUS1, -SOFTPLUS1, []),
    "silu": (lambda m: m.SiLU(), lambda f, x: f.silu(x), SIGMOID1, SIGMOID1 - 1, []),
    "mish": (lambda m: m.Mish(), lambda f, x: f.mish(x), math.tanh(SOFTPLUS1), -math.tanh(SOFTPLUS1 - 1), []),
    "gelu": (lambda m: m.GELU(), lambda f, x: f.gelu(x), PHI1, PHI1 - 1, []),
    "gelu tanh": (
        lambda m: m.GELU("tanh"),
        lambda f, x: f.gelu(x, approximate="tanh"),
        0.5 + 0.5 * math.tanh(1.044715 * math.sqrt(2 / math.pi)),
        0.5 * math.tanh(1.044715 * math.sqrt(2 / math.pi)) - 0.5,
        [],
    ),
    "softsign": (lambda m: m.Softsign(), lambda f, x: f.softsign(x), 0.5, -0.5, []),
    "tanhshrink": (lambda m: m.Tanhshrink(), lambda f, x: f.tanhshrink(x), 1 - math.tanh(1), math.tanh(1) - 1, []),
    "sigmoid": (lambda m: m.Sigmoid(), lambda f, x: f.sigmoid(x), SIGMOID1, 1 - SIGMOID1, []),
    "tanh": (lambda m: m.Tanh(), lambda f, x: f.tanh(x), math.tanh(1), -math.tanh(1), []),
    "rrelu in use": (lambda m: m.RReLU().eval(), lambda f, x: f.rrelu(x), 1, -11 / 48, [0]),
    "rrelu of one slope": (lambda m: m.RReLU(0.2, 0.2), lambda f, x: f.rrelu(x, 0.2, 0.2, True), 1, -0.2, [0]),
    "prelu": (lambda m: m.PReLU(), None, 1, -0.25, [0]),
}  # fmt: skip
NAMES = list(ACTIVATIONS)

# Along an axis: the module, the function, the shape of the input.
ALONG = {
    "softmax": (lambda m: m.Softmax(1), lambda f, x: f.softmax(x, 1), (3, 4)),
    "softmin": (lambda m: m.Softmin(0), lambda f, x: f.softmin(x, 0), (3, 4)),
    "log softmax": (lambda m: m.LogSoftmax(-1), lambda f, x: f.log_softmax(x, -1), (2, 3, 4)),
    "softmax of a number": (lambda m: m.Softmax(0), lambda f, x: f.softmax(x, 0), ()),
    "softmax2d": (lambda m: m.Softmax2d(), lambda f, x: f.softmax(x, 1), (2, 3, 2, 4)),
    "softmax2d of one": (lambda m: m.Softmax2d(), lambda f, x: f.softmax(x, 0), (3, 2, 4)),
    "glu": (lambda m: m.GLU(), lambda f, x: f.glu(x), (3, 4)),
    "glu of channels": (lambda m: m.GLU(1), lambda f, x: f.glu(x, 1), (2, 6, 3)),
    "prelu of channels": (lambda m: m.PReLU(3, 0.1), None, (2, 3, 4)),
    "prelu of features": (lambda m: m.PReLU(4), None, (3, 4)),
    "prelu of a vector": (lambda m: m.PReLU(), None, (4,)),
    "prelu of a number": (lambda m: m.PReLU(), None, ()),
}


def numbers(*shape):
    return np.random.default_rng(sum(shape)).normal(0, 2, shape)


@pytest.mark.parametrize("name", NAMES)
def test_an_activation_is_its_formula(name):
    make, call, at_one, below, _ = ACTIVATIONS[name]
    values = make(nn)(Tensor([1.0, -1.0])).data
    assert np.allclose(values, [at_one, below], rtol=1e-15 if name != "prelu" else 1e-7, atol=1e-15)
    if call:
        assert np.array_equal(call(F, np.array([1.0, -1.0])), values)


@pytest.mark.parametrize("name", NAMES)
def test_an_activation_is_differentiable_twice_away_from_its_kinks(name):
    _, call, _, _, kinks = ACTIVATIONS[name]
    x = np.linspace(-5.03, 6.57, 12)
    x = x[np.all([np.abs(x - kink) > 0.05 for kink in kinks], axis=0)] if kinks else x
    assert gradcheck((lambda x: call(F, x)) if call else (lambda x: F.prelu(x, [0.3])), x)


@pytest.mark.parametrize("name", ALONG)
def test_an_activation_along_an_axis_is_differentiable_twice(name):
    _, call, shape = ALONG[name]
    if call:
        assert gradcheck(lambda x: call(F, x), numbers(*shape))
    else:
        assert gradcheck(F.prelu, numbers(*shape), np.array([0.3]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_far_out_nothing_overflows_and_the_dtype_stays(name, dtype):
    call = ACTIVATIONS[name][1]
    x = Tensor(np.array([-3e4, -1000, -30, 30, 1000, 3e4], dtype))
    out = call(F, x) if call else F.prelu(x, Tensor(np.array([0.3], dtype)))
    out.sum().backward()
    assert out.dtype == x.grad.dtype == dtype
    assert np.isfinite(out.data).all() and np.isfinite(x.grad).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_an_activation_makes_of_z_is_named_a(name):
    net = nn.Sequential(nn.Linear(3, 4), ACTIVATIONS[name][0](nn))
    out = net(np.ones((2, 3), np.float32))
    assert out.name == "a⁽¹⁾"
    assert "z⁽¹⁾" in [node.name for node in Tape(out)]


def test_activations_at_the_end_name_the_prediction():
    for last, name in ((nn.LogSoftmax(), "log ŷ"), (nn.Softmin(), "ŷ"), (nn.GLU(), "a⁽¹⁾")):
        assert nn.Sequential(nn.Linear(3, 4), last)(np.ones((2, 3), np.float32)).name == name


def test_erf_is_that_of_the_c_library():
    x = np.linspace(-6, 6, 25)
    assert erf(x).tolist() == [math.erf(v) for v in x]
    assert erf(x.astype(np.float32)).dtype == np.float32
    assert erf(2) == math.erf(2)
    assert np.isnan(erf(np.nan)) and erf(np.inf) == 1


def test_the_slopes_of_rrelu_are_drawn_between_its_bounds():
    x = Tensor(np.repeat([-1.0, 2.0], 1000))
    out = nn.RReLU(0.1, 0.3, rng=0)(x)
    out.sum().backward()
    slopes = -out.data[:1000]
    assert 0.1 <= slopes.min() < 0.11 and 0.29 < slopes.max() <= 0.3
    assert np.array_equal(x.grad[:1000], slopes)
    assert (out.data[1000:] == 2).all() and (x.grad[1000:] == 1).all()
    assert (nn.RReLU(0.1, 0.3, rng=0)(x).data == out.data).all()


def test_prelu_learns_a_slope_for_each_channel():
    layer = nn.PReLU(2, dtype=np.float64)
    layer(Tensor([[-1.0, -2.0], [-3.0, 5.0]])).sum().backward()
    assert layer.weight.grad.tolist() == [-4, -2]
    layer.weight.data = np.ones(2)
    layer.reset_parameters()
    assert layer.state_dict()["weight"].tolist() == [0.25, 0.25]


def test_gumbel_softmax_draws_classes_by_their_probability():
    z = np.tile(np.log([0.5, 0.3, 0.2]), (20000, 1))
    draws = F.gumbel_softmax(z, hard=True, rng=0)
    assert np.allclose(draws.sum(axis=1), 1) and set(np.unique(draws.round(12))) == {0, 1}
    assert np.allclose(draws.mean(axis=0), [0.5, 0.3, 0.2], atol=0.01)


def test_a_hard_gumbel_softmax_has_the_gradient_of_the_soft_one():
    z, w = numbers(5, 3), numbers(3)
    hard, soft = (grad(lambda z, hard=hard: (F.gumbel_softmax(z, 0.7, hard, rng=1) * w).sum())(z) for hard in (1, 0))
    assert np.array_equal(hard, soft)
    assert F.gumbel_softmax(z.astype(np.float32), dim=0, rng=0).dtype == np.float32
    assert np.allclose(F.gumbel_softmax(z, dim=0).sum(axis=0), 1)


def test_softmaxes_take_a_dtype():
    for f in (F.softmax, F.softmin, F.log_softmax):
        assert f(np.ones(3, np.float32), dtype=np.float64).dtype == np.float64


def test_options_are_looked_at_when_called_and_shown():
    layer = nn.LeakyReLU(0.5, inplace=True)
    layer.negative_slope = 0.25
    assert layer(Tensor([-4.0])).data == -1
    assert repr(layer) == "LeakyReLU(negative_slope=0.25, inplace=True)"
    assert repr(nn.GELU()) == "GELU(approximate='none')"
    assert repr(nn.PReLU()) == "PReLU(num_parameters=1)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.gelu(np.ones(2), "fast"), ValueError, "gelu: approximate must be 'none' or 'tanh', got 'fast'"),
        (lambda: F.elu([1, 2]), TypeError, "elu: floating-point input is needed, got dtype int64"),
        (lambda: F.hardtanh([1.0], 2, 1), ValueError, "hardtanh: min_val=2 must not be above max_val=1"),
        (lambda: F.rrelu([1.0], 2, 1), ValueError, "rrelu: lower=2 must not be above upper=1"),
        (lambda: F.softshrink([1.0], -1), ValueError, "softshrink: lambd must be at least 0, got -1"),
        (lambda: F.celu([1.0], 0), ValueError, "celu: alpha must not be 0"),
        (lambda: F.softplus([1.0], 0), ValueError, "softplus: beta must not be 0"),
        (lambda: F.glu(np.ones((2, 3))), ValueError, r"glu: axis -1 of .* \(2, 3\) can't be cut into two equal halves"),
        (lambda: F.glu(np.ones(2), 1), ValueError, "glu: there is no axis 1"),
        (lambda: F.gumbel_softmax([1.0], 0), ValueError, "gumbel_softmax: tau must be above 0, got 0"),
        (lambda: F.prelu(np.ones((2, 3)), np.ones(2)), ValueError, r"shape \(1,\) or \(3,\) is needed .* got \(2,\)"),
        (lambda: nn.PReLU(0), ValueError, "PReLU: num_parameters must be an integer of at least 1, got 0"),
        (lambda: nn.PReLU(dtype=int), TypeError, "PReLU: dtype must be a floating one, got int64"),
        (lambda: nn.Softmax2d()(np.ones((2, 3))), ValueError, r"\(C, H, W\) are needed, got shape \(2, 3\)"),
    ],
)
def test_a_bad_option_or_input_is_answered_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


if importlib.util.find_spec("torch"):
    import torch

    POINTS = np.concatenate([np.linspace(-8, 8, 33), [20.0, 20.5, 25.0, -40.0, 0.1, -2.0, 0.3, -0.3]])
    BOTH = {
        **{name: (row[0], POINTS) for name, row in ACTIVATIONS.items()},
        **{name: (row[0], numbers(*row[2])) for name, row in ALONG.items()},
    }

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("name", BOTH)
    def test_modules_compute_what_torchs_compute_with_all_gradients(name, dtype):
        make, x = BOTH[name]
        ours, theirs = make(nn), make(torch.nn).to(torch.float64 if dtype == np.float64 else torch.float32)
        if name.startswith("prelu"):
            ours = nn.PReLU(ours.num_parameters, dtype=dtype)
            ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        assert {k: v.shape for k, v in ours.state_dict().items()} == {
            k: tuple(v.shape) for k, v in theirs.state_dict().items()
        }
        mine, other = Tensor(x.astype(dtype)), torch.tensor(x.astype(dtype), requires_grad=True)
        out, expected = ours(mine), theirs(1 * other)
        # torch takes 1/6 in float32 for the slope of its hardsigmoid
        tolerance = 2e-6 if dtype == np.float32 else 1e-13 if name != "hardsigmoid" else 1e-7
        assert out.dtype == dtype and out.shape == tuple(expected.shape)
        assert np.allclose(out.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
        g = numbers(*out.shape).astype(dtype)
        out.backward(g)
        expected.backward(torch.tensor(g))
        assert np.allclose(mine.grad, other.grad.numpy(), rtol=tolerance, atol=5 * tolerance)
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert np.allclose(p.grad, q.grad.numpy(), rtol=10 * tolerance, atol=10 * tolerance)
