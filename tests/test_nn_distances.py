"""Distances, the bilinear layer, one-hot rows, and dropout of channels: known numbers, derivatives, and torch's."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(3)
X1, X2 = RNG.standard_normal((2, 5, 4))
MAPS = RNG.standard_normal((2, 3, 4, 5))
W, B = RNG.standard_normal((2, 4, 3)), RNG.standard_normal(2)
SHORT = np.array([[3.0, 4.0], [0.0, 0.0], [1e-9, 0.0]])

# name: the call, its operands, and the module
CALLS = {
    "cosine": (lambda f, a, b: f.cosine_similarity(a, b), [X1, X2], lambda m: m.CosineSimilarity()),
    "cosine, axis": (lambda f, a, b: f.cosine_similarity(a, b, dim=0), [X1, X2], lambda m: m.CosineSimilarity(0)),
    "cosine, spread": (lambda f, a, b: f.cosine_similarity(a, b, 1, 1e-3), [X1, X2[:1]], None),
    "distance": (lambda f, a, b: f.pairwise_distance(a, b), [X1, X2], lambda m: m.PairwiseDistance()),
    "distance, 1": (lambda f, a, b: f.pairwise_distance(a, b, 1.0), [X1, X2], lambda m: m.PairwiseDistance(1.0)),
    "distance, ∞": (
        lambda f, a, b: f.pairwise_distance(a, b, float("inf"), 1e-3, True),
        [X1, X2],
        lambda m: m.PairwiseDistance(float("inf"), 1e-3, True),
    ),
    "distance, spread": (lambda f, a, b: f.pairwise_distance(a, b, 3.0), [X1, X2[0]], None),
    "pdist": (lambda f, a: f.pdist(a), [X1], None),
    "pdist, 1": (lambda f, a: f.pdist(a, 1.0), [X1], None),
    "pdist, 3": (lambda f, a: f.pdist(a, 3.0), [X1], None),
    "pdist, ∞": (lambda f, a: f.pdist(a, float("inf")), [X1], None),
    "normalize": (lambda f, a: f.normalize(a), [X1], None),
    "normalize, 1": (lambda f, a: f.normalize(a, 1.0, 0), [X1], None),
    "normalize, images": (lambda f, a: f.normalize(a, dim=(2, 3)), [MAPS], None),
    "bilinear": (lambda f, a, b, w: f.bilinear(a, b, w), [X1, X2[:, :3], W], None),
    "bilinear, bias": (lambda f, a, b, w, c: f.bilinear(a, b, w, c), [X1, X2[:, :3], W, B], None),
    "bilinear, one": (lambda f, a, b, w, c: f.bilinear(a, b, w, c), [X1[0], X2[0, :3], W, B], None),
    "bilinear, more": (
        lambda f, a, b, w, c: f.bilinear(a, b, w, c),
        [RNG.standard_normal((2, 3, 4)), RNG.standard_normal((2, 3, 3)), W, B],
        None,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_is_differentiable_twice(name):
    f, operands, _ = CALLS[name]
    assert gradcheck(lambda *xs: f(F, *xs), *operands)


@pytest.mark.parametrize("name", [name for name in CALLS if CALLS[name][2]])
def test_each_is_a_module(name):
    f, operands, make = CALLS[name]
    assert np.array_equal(make(nn)(*operands), f(F, *operands))


def test_known_numbers():
    assert F.cosine_similarity([[1.0, 0.0]], [[1.0, 1.0]]) == pytest.approx(0.5**0.5)
    assert F.pairwise_distance([1.0, 2.0], [4.0, 6.0], 1, 0.0) == 7
    assert F.pdist(np.eye(3)) == pytest.approx(np.full(3, 2**0.5))
    assert F.normalize(SHORT).tolist() == [[0.6, 0.8], [0, 0], [1, 0]]
    assert F.bilinear([1.0, 2.0], [3.0, 4.0], [[[1.0, 0.0], [0.0, 10.0]]], [0.5]) == 3 + 80 + 0.5


def test_a_bilinear_layer_has_the_parameters_of_torch_and_textbook_names():
    layer = nn.Bilinear(4, 3, 2, rng=0)
    assert {name: p.shape for name, p in layer.named_parameters()} == {"weight": (2, 4, 3), "bias": (2,)}
    out = layer(X1.astype(np.float32), X2[:, :3].astype(np.float32))
    assert [node.name for node in Tape(out) if node.name] == ["W⁽¹⁾", "b⁽¹⁾", "x₁", "x₂", "z⁽¹⁾"]
    assert 0.4 < np.abs(layer.weight.data).max() <= 0.5
    assert repr(nn.Bilinear(1, 1, 1, bias=False)) == (
        "Bilinear(in1_features=1, in2_features=1, out_features=1, bias=False)"
    )


def test_identity_is_its_input_whatever_it_is_made_with():
    x = Tensor(X1)
    assert nn.Identity(54, unused=0.1)(x) is x
    assert nn.Sequential(nn.Identity(), nn.Identity())(x) is x


def test_one_hot_rows():
    assert F.one_hot(Tensor(np.array([[0, 2]]))).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(1, 3).tolist() == [0, 1, 0]
    assert F.one_hot([], 3).shape == (0, 3)


# --- dropout

CHANNELS = {
    "1d": (F.dropout1d, nn.Dropout1d, (50, 40, 6), 2),
    "1d of one": (F.dropout1d, nn.Dropout1d, (2000, 6), 1),
    "2d": (F.dropout2d, nn.Dropout2d, (50, 40, 3, 2), 2),
    "2d of three axes": (F.dropout2d, nn.Dropout2d, (50, 40, 6), 2),
    "3d": (F.dropout3d, nn.Dropout3d, (50, 40, 3, 2, 1), 2),
    "3d of one": (F.dropout3d, nn.Dropout3d, (2000, 3, 2, 1), 1),
    "elements": (F.dropout, nn.Dropout, (50, 40), 2),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_channels_are_dropped_whole(name):
    f, module, shape, axes = CHANNELS[name]
    x = Tensor(np.ones(shape, np.float32))
    out = f(x, 0.25, rng=0)
    out.sum().backward()
    channels = out.data.reshape(*shape[:axes], -1)
    assert out.dtype == np.float32 and (channels == channels[..., :1]).all()
    assert np.isclose((channels[..., 0] == 0).mean(), 0.25, atol=0.03)
    assert set(np.unique(channels)) == {0, np.float32(1 / 0.75)}
    assert np.array_equal(x.grad, out.data)
    layer = module(0.25, rng=0)
    assert np.array_equal(layer(x).data, out.data)
    assert layer.eval()(x) is x and f(x, 0.5, False) is x and f(x, 0.0) is x
    assert (f(x, 1.0).data == 0).all()
    assert repr(layer) == f"{module.__name__}(p=0.25)"


@pytest.mark.parametrize(
    ("f", "module", "axes"),
    [(F.alpha_dropout, nn.AlphaDropout, 3), (F.feature_alpha_dropout, nn.FeatureAlphaDropout, 2)],
)
def test_alpha_dropout_keeps_mean_and_variance(f, module, axes):
    x = Tensor(np.random.default_rng(0).standard_normal((200, 100, 4)))
    out = f(x, 0.3, True, rng=1)
    out.sum().backward()
    assert np.isclose(out.data.mean(), 0, atol=0.02) and np.isclose(out.data.var(), 1, atol=0.02)
    dropped = x.grad == 0
    assert np.isclose(dropped.mean(), 0.3, atol=0.01) and len(np.unique(out.data[dropped])) == 1
    assert (dropped.all(axis=2) == dropped.any(axis=2)).all() == (axes == 2)
    assert np.array_equal(module(0.3, rng=1)(x).data, out.data)
    assert f(x) is x and module().eval()(x) is x
    assert (f(x, 1.0, True).data == 0).all()


@pytest.mark.parametrize(
    ("computed", "error", "message"),
    [
        (lambda: F.cosine_similarity(X1, X2[:2]), ValueError, r"shapes \(5, 4\) of x1 and \(2, 4\) of x2 do not fit"),
        (lambda: F.cosine_similarity([1.0], [1.0]), ValueError, "there is no axis 1 in an input of shape"),
        (lambda: F.pairwise_distance([1], [2]), TypeError, "pairwise_distance: x1: floating-point input is needed"),
        (lambda: F.pdist(X1[0]), ValueError, r"rows of shape \(N, D\) are needed, got shape \(4,\)"),
        (lambda: F.pdist(X1, -1), ValueError, "p must be at least 0, got -1"),
        (lambda: F.normalize(X1, dim=3), ValueError, "normalize: there is no axis 3"),
        (lambda: F.bilinear(X1, X2, W), ValueError, "their last axes must have 4 and 3 elements"),
        (lambda: F.bilinear(X1[:2], X2[:, :3], W), ValueError, "must have one shape but for the last axis"),
        (lambda: F.bilinear(X1, X2, B), ValueError, r"a weight of shape \(out, in₁, in₂\) is needed, got \(2,\)"),
        (lambda: F.bilinear(X1, X2[:, :3], W, B[:1]), ValueError, r"a bias of shape \(2,\) is needed, got \(1,\)"),
        (lambda: nn.Bilinear(1, 0, 1), ValueError, "Bilinear: in2_features must be an integer of at least 1, got 0"),
        (lambda: F.one_hot([1.0]), TypeError, "one_hot: class labels must be integers, got dtype float64"),
        (lambda: F.one_hot([0, 3], 3), ValueError, "label 3 at position 1 is out of range: there are 3 classes"),
        (lambda: F.one_hot([-1, 3]), ValueError, "label -1 at position 0 is out of range"),
        (lambda: F.one_hot([]), ValueError, "num_classes must be at least 1, got -1 and 0 labels"),
        (lambda: F.dropout2d(X1), ValueError, r"dropout2d: input with 3 or 4 axes is needed, got shape \(5, 4\)"),
        (
            lambda: F.feature_alpha_dropout([1.0], training=True),
            ValueError,
            r"of shape \(N, C, …\) is needed, got shape \(1,\)",
        ),
        (lambda: nn.AlphaDropout(2), ValueError, "AlphaDropout: p must be from 0 to 1, got 2"),
        (lambda: F.dropout1d(X1, "a"), ValueError, "dropout1d: p must be from 0 to 1, got 'a'"),
    ],
)
def test_a_bad_option_or_input_is_answered_with_a_sentence(computed, error, message):
    with pytest.raises(error, match=message):
        computed()


if importlib.util.find_spec("torch"):
    import torch
    import torch.nn.functional as TF

    def compared(ours, theirs, operands, tolerance=1e-11):
        mine, others = [Tensor(x) for x in operands], [torch.tensor(x, requires_grad=True) for x in operands]
        value, expected = ours(*mine), theirs(*others)
        assert value.shape == tuple(expected.shape)
        assert np.allclose(value.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
        g = np.random.default_rng(0).normal(size=value.shape)
        value.backward(g)
        expected.backward(torch.tensor(g))
        for x, other in zip(mine, others, strict=True):
            assert np.allclose(x.grad, other.grad.numpy(), rtol=tolerance, atol=tolerance)

    @pytest.mark.parametrize("name", CALLS)
    def test_value_and_gradients_are_those_of_torch(name):
        f, operands, make = CALLS[name]
        compared(lambda *xs: f(F, *xs), lambda *xs: f(TF, *xs), operands)
        if make:
            compared(make(nn), make(torch.nn), operands)

    @pytest.mark.parametrize("f", [lambda f, x: f.cosine_similarity(x, x + 1), lambda f, x: f.normalize(x, eps=1e-3)])
    def test_short_vectors_are_as_in_torch(f):
        compared(lambda x: f(F, x), lambda x: f(TF, x), [SHORT], 1e-7)

    @pytest.mark.parametrize("bias", [True, False])
    def test_a_bilinear_layer_computes_what_torchs_does(bias):
        theirs = torch.nn.Bilinear(4, 3, 2, bias=bias, dtype=torch.float64)
        ours = nn.Bilinear(4, 3, 2, bias=bias, dtype=np.float64)
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
        compared(ours, theirs, [X1, X2[:, :3]])
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert np.allclose(p.grad, q.grad.numpy(), rtol=1e-12)

    def test_one_hot_rows_are_those_of_torch():
        labels = RNG.integers(0, 4, (3, 2))
        for options in ([], [6]):
            assert np.array_equal(F.one_hot(labels, *options), TF.one_hot(torch.tensor(labels), *options).numpy())


def test_pdist_of_order_0_counts_and_has_the_derivative_0():
    x = Tensor([[1.0, 2.0], [1.0, 3.0], [0.0, 2.0]])
    counts = F.pdist(x, 0)
    assert counts.data.tolist() == [1.0, 1.0, 2.0]
    counts.sum().backward()
    assert not x.grad.any()
