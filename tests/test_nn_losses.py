"""Losses against their formulas, against torch, and at the edges."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F

RNG = np.random.default_rng(1)
Z = RNG.standard_normal((6, 4))
LABELS = np.array([0, 3, 1, 1, 2, 0])
Y = np.eye(4)[LABELS]
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
SOFT = RNG.dirichlet(np.ones(4), 6)
WEIGHT = np.array([0.5, 1.0, 2.0, 3.0])


def value_and_grad(loss, x, dtype=np.float64):
    x = Tensor(x.astype(dtype))
    value = loss(x)
    (value if value.shape == () else value.sum()).backward()
    return value.data, x.grad


def test_cross_entropy_is_minus_the_mean_log_probability_with_gradient_p_minus_y():
    value, gradient = value_and_grad(lambda z: F.cross_entropy(z, LABELS), Z)
    assert np.isclose(value, -np.log(P[np.arange(6), LABELS]).mean())
    assert np.allclose(gradient, (P - Y) / 6)


def test_cross_entropy_takes_probabilities():
    value, gradient = value_and_grad(lambda z: F.cross_entropy(z, SOFT), Z)
    assert np.isclose(value, -(SOFT * np.log(P)).sum(axis=1).mean())
    assert np.allclose(gradient, (P - SOFT) / 6)


def test_the_three_ways_to_the_cross_entropy_agree():
    ways = [
        lambda z: F.cross_entropy(z, LABELS),
        lambda z: F.nll_loss(F.log_softmax(z), LABELS),
        lambda z: F.log_loss(F.softmax(z), LABELS),
        lambda z: F.log_loss(F.softmax(z), Y),
        lambda z: F.cross_entropy(z, Y),
    ]
    first = value_and_grad(ways[0], Z)
    for way in ways[1:]:
        for a, b in zip(value_and_grad(way, Z), first, strict=True):
            assert np.allclose(a, b)


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_log_loss_sums_or_lists_the_examples(reduction):
    expected = -np.log(P[np.arange(6), LABELS])
    expected = expected.sum() if reduction == "sum" else expected
    assert np.allclose(F.log_loss(Tensor(P), LABELS, reduction=reduction).data, expected)
    assert np.allclose(F.log_loss(Tensor(P), Y, reduction=reduction).data, expected)


def test_cross_entropy_is_exact_for_huge_logits():
    z = np.array([[1e4, 0.0], [-1e4, 1e4]])
    value, gradient = value_and_grad(lambda z: F.cross_entropy(z, [1, 1]), z)
    assert value == 5000.0
    assert np.array_equal(gradient, [[0.5, -0.5], [0.0, 0.0]])


def test_log_loss_of_a_probability_that_underflowed_stays_finite():
    value, gradient = value_and_grad(lambda z: F.log_loss(F.softmax(z), [1]), np.array([[1e4, 0.0]]), np.float32)
    assert np.isclose(value, -np.log(np.finfo(np.float32).tiny))
    assert np.isfinite(gradient).all()
    soft, gradient = value_and_grad(lambda p: F.log_loss(p, [[1.0, 0.0]]), np.array([[1.0, 0.0]]))
    assert soft == 0.0
    assert np.isfinite(gradient).all()


def test_log_loss_clips_nothing_that_is_above_0():
    p = Tensor(np.array([[1e-30, 1.0]]))
    loss = F.log_loss(p, [0])
    loss.backward()
    assert loss.item() == -np.log(1e-30)
    assert np.isclose(p.grad[0, 0], -1e30)


def test_losses_are_means_over_the_batch_only_for_one_example_without_a_batch():
    assert np.isclose(F.cross_entropy(Tensor(Z[0]), LABELS[0]).item(), -np.log(P[0, 0]))


def test_mse_is_the_mean_square_with_gradient_twice_the_difference():
    value, gradient = value_and_grad(lambda x: F.mse_loss(x, SOFT), Z)
    assert np.isclose(value, ((Z - SOFT) ** 2).mean())
    assert np.allclose(gradient, 2 * (Z - SOFT) / Z.size)


def test_binary_cross_entropy_has_gradient_p_minus_y_through_the_sigmoid():
    p = 1 / (1 + np.exp(-Z))
    expected = -(Y * np.log(p) + (1 - Y) * np.log(1 - p)).mean()
    for loss in (
        lambda z: F.binary_cross_entropy(F.sigmoid(z), Y),
        lambda z: F.binary_cross_entropy_with_logits(z, Y),
    ):
        value, gradient = value_and_grad(loss, Z)
        assert np.isclose(value, expected)
        assert np.allclose(gradient, (p - Y) / Y.size)


def test_binary_cross_entropy_with_logits_is_exact_for_huge_logits():
    value, gradient = value_and_grad(
        lambda z: F.binary_cross_entropy_with_logits(z, [1.0, 0.0, 1.0], reduction="sum"), np.array([-1e4, 1e4, 1e4])
    )
    assert value == 2e4
    assert np.array_equal(gradient, [-1.0, 1.0, 0.0])


def test_the_target_may_require_a_gradient():
    target = Tensor(SOFT)
    F.cross_entropy(Tensor(Z), target).backward()
    assert np.allclose(target.grad, -np.log(P) / 6)


def test_labels_may_be_tensors_and_small_integers():
    for labels in (Tensor(LABELS), LABELS.astype(np.uint8), LABELS.tolist()):
        assert F.cross_entropy(Tensor(Z), labels).item() == F.cross_entropy(Tensor(Z), LABELS).item()


def test_float32_losses_stay_float32_with_float64_targets():
    z = Tensor(Z.astype(np.float32))
    for loss in (
        F.cross_entropy(z, SOFT),
        F.cross_entropy(z, LABELS, WEIGHT, label_smoothing=0.1),
        F.mse_loss(z, SOFT),
        F.binary_cross_entropy_with_logits(z, SOFT, WEIGHT, pos_weight=WEIGHT),
        F.log_loss(F.softmax(z), SOFT),
    ):
        assert loss.dtype == np.float32


# --- bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda z: F.cross_entropy(z, [0, 1, 2, 4, 0, 9]),
            ValueError,
            "label 4 at position 3 is out of range: there are 4 classes, 0 to 3 .2 of 6",
        ),
        (lambda z: F.cross_entropy(z, [0, 1, -1, 0, 0, 0]), ValueError, "label -1 at position 2"),
        (lambda z: F.log_loss(F.softmax(z), [0, 1, 7, 0, 0, 0]), ValueError, "log_loss: label 7 at position 2"),
        (
            lambda z: F.cross_entropy(z, LABELS[:4]),
            ValueError,
            r"scores of shape \(6, 4\) class labels of shape \(6,\) are needed, got \(4,\)",
        ),
        (lambda z: F.cross_entropy(z, Y.astype(int)), ValueError, r"for one-hot rows give labels.argmax\(axis=1\)"),
        (
            lambda z: F.cross_entropy(z, LABELS * 1.0),
            TypeError,
            "class labels must be integers, got floating-point labels",
        ),
        (lambda z: F.cross_entropy(z, LABELS > 0), TypeError, "class labels must be integers, got dtype bool"),
        (
            lambda z: F.cross_entropy(z, Y[:, :3]),
            ValueError,
            r"the input has shape \(6, 4\), but the target has shape \(6, 3\)",
        ),
        (
            lambda z: F.cross_entropy(z, LABELS, [1.0, 2.0]),
            ValueError,
            r"weight has shape \(2,\), expected one for each class, \(4,\)",
        ),
        (
            lambda z: F.cross_entropy(z, LABELS, reduction="avg"),
            ValueError,
            "reduction must be one of 'mean', 'sum', 'none', got 'avg'",
        ),
        (
            lambda z: F.cross_entropy(z, LABELS, label_smoothing=2),
            ValueError,
            "label_smoothing must be from 0 to 1, got 2",
        ),
        (lambda z: F.cross_entropy(z, LABELS, ignore_index=0, weight=np.zeros(4)), ValueError, "no label counts"),
        (lambda z: F.cross_entropy(z[:0], LABELS[:0]), ValueError, "an empty batch"),
        (lambda z: F.cross_entropy(z.sum(), 0), ValueError, r"scores of shape \(N, C\) or \(C,\) are needed"),
        (
            lambda z: F.log_loss(z * 100, LABELS),
            ValueError,
            "takes probabilities, got numbers from .*: for logits use cross_entropy",
        ),
        (
            lambda z: F.binary_cross_entropy(z, Y),
            ValueError,
            "takes probabilities, got numbers from .* binary_cross_entropy_with_logits",
        ),
        (
            lambda z: F.mse_loss(z, Y[:, :1]),
            ValueError,
            r"the input has shape \(6, 4\), but the target has shape \(6, 1\)",
        ),
        (lambda z: F.mse_loss(z, Y.astype(str)), TypeError, "the target must hold numbers"),
        (lambda z: F.mse_loss(z[:0], Y[:0]), ValueError, "a loss over no values"),
        (lambda z: nn.MSELoss(reduction="median"), ValueError, "reduction must be one of"),
    ],
)
def test_bad_targets_are_answered_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call(Tensor(Z))


def test_a_softmax_given_to_cross_entropy_is_warned_about():
    with pytest.warns(UserWarning, match="takes logits, but was given the output of a softmax") as caught:
        F.cross_entropy(F.softmax(Tensor(Z)), LABELS)
        nn.CrossEntropyLoss()(F.softmax(Tensor(Z)), LABELS)
        nn.fit(nn.Sequential(nn.Linear(4, 4), nn.Softmax()), (Z, LABELS), progress=False)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    "call",
    [
        lambda a: F.cross_entropy(a([[1.0, 2.0]]), a([1])),
        lambda a: F.nll_loss(a([[-1.0, -2.0]]), a([1])),
        lambda a: F.log_loss(a([[0.25, 0.75]]), a([1])),
        lambda a: F.mse_loss(a([1.0, 2.0]), a([1.5, 2.0])),
        lambda a: F.binary_cross_entropy(a([0.5]), a([1])),
        lambda a: F.binary_cross_entropy_with_logits(a([0.5]), a([1])),
    ],
)
def test_lists_are_taken_as_arrays(call):
    assert call(list) == call(np.array)


def test_integers_are_no_input_of_a_loss():
    with pytest.raises(TypeError, match="mse_loss: floating-point input is needed, got dtype int64"):
        F.mse_loss([1, 2], [1.5, 2.0])


# --- torch

if importlib.util.find_spec("torch"):
    import torch
    import torch.nn.functional as TF

    MAPS, MAP_LABELS = RNG.standard_normal((2, 4, 3, 2)), RNG.integers(0, 4, (2, 3, 2))
    IGNORED = np.array([0, -100, 1, 1, -100, 0])
    SIGMOID = 1 / (1 + np.exp(-Z))

    def tensor(value):
        return torch.tensor(value) if isinstance(value, np.ndarray) else value

    CASES = {
        "mse": ("mse_loss", Z, SOFT, {}),
        "cross entropy": ("cross_entropy", Z, LABELS, {}),
        "cross entropy, weight": ("cross_entropy", Z, LABELS, {"weight": WEIGHT}),
        "cross entropy, ignored": ("cross_entropy", Z, IGNORED, {}),
        "cross entropy, ignored class and weight": ("cross_entropy", Z, LABELS, {"weight": WEIGHT, "ignore_index": 1}),
        "cross entropy, smoothed": ("cross_entropy", Z, LABELS, {"label_smoothing": 0.2}),
        "cross entropy, smoothed, weight": ("cross_entropy", Z, LABELS, {"label_smoothing": 0.2, "weight": WEIGHT}),
        "cross entropy, smoothed, ignored": ("cross_entropy", Z, IGNORED, {"label_smoothing": 0.2, "weight": WEIGHT}),
        "cross entropy, probabilities": ("cross_entropy", Z, SOFT, {}),
        "cross entropy, probabilities, weight": (
            "cross_entropy",
            Z,
            SOFT,
            {"weight": WEIGHT, "label_smoothing": 0.1},
        ),
        "cross entropy, maps": ("cross_entropy", MAPS, MAP_LABELS, {"weight": WEIGHT}),
        "cross entropy, maps, smoothed": ("cross_entropy", MAPS, MAP_LABELS, {"label_smoothing": 0.3}),
        "cross entropy, one": ("cross_entropy", Z[0], np.array(2), {}),
        "nll": ("nll_loss", np.log(P), LABELS, {}),
        "nll, weight": ("nll_loss", np.log(P), IGNORED, {"weight": WEIGHT}),
        "binary": ("binary_cross_entropy", SIGMOID, Y, {}),
        "binary, weight": ("binary_cross_entropy", SIGMOID, SOFT, {"weight": WEIGHT}),
        "binary, at 0 and 1": ("binary_cross_entropy", np.array([0.0, 1.0]), np.array([1.0, 0.0]), {}),
        "logits": ("binary_cross_entropy_with_logits", Z, Y, {}),
        "logits, weights": ("binary_cross_entropy_with_logits", Z, SOFT, {"weight": WEIGHT, "pos_weight": WEIGHT}),
    }

    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    @pytest.mark.parametrize("case", CASES)
    def test_value_and_gradient_are_those_of_torch(case, reduction):
        name, x, target, options = CASES[case]
        value, gradient = value_and_grad(lambda z: getattr(F, name)(z, target, reduction=reduction, **options), x)
        other = torch.tensor(x, requires_grad=True)
        expected = getattr(TF, name)(
            other, torch.tensor(target), reduction=reduction, **{k: tensor(v) for k, v in options.items()}
        )
        expected.sum().backward()
        assert np.allclose(value, expected.detach().numpy())
        assert np.allclose(gradient, other.grad.numpy())

    @pytest.mark.parametrize(
        ("make", "x", "target"),
        [
            (lambda m: m.MSELoss(), Z, SOFT),
            (lambda m: m.MSELoss(reduction="sum"), Z, SOFT),
            (lambda m: m.CrossEntropyLoss(label_smoothing=0.1), Z, LABELS),
            (lambda m: m.NLLLoss(), np.log(P), LABELS),
            (lambda m: m.BCELoss(), SIGMOID, Y),
            (lambda m: m.BCEWithLogitsLoss(), Z, Y),
        ],
    )
    def test_loss_modules_are_those_of_torch(make, x, target):
        assert np.isclose(make(nn)(Tensor(x), target).item(), make(torch.nn)(tensor(x), tensor(target)).item())


def test_log_loss_is_a_module_too():
    assert np.isclose(nn.LogLoss()(Tensor(P), LABELS).item(), F.log_loss(Tensor(P), LABELS).item())
