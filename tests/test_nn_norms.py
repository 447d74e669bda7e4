"""Normalisation: known numbers, running statistics, errors, and the numbers of torch where it is installed."""

import importlib.util

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


NORMS = {
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True, eps=0.0), (4, 3, 5), (0, 2)),
    "instance_norm": (lambda x: F.instance_norm(x, eps=0.0), (4, 3, 5), (2,)),
    "layer_norm": (lambda x: F.layer_norm(x, (3, 5), eps=0.0), (4, 3, 5), (1, 2)),
    "group_norm": (lambda x: F.group_norm(x, 1, eps=0.0), (4, 3, 5), (1, 2)),
}


@pytest.mark.parametrize("case", NORMS)
def test_a_norm_has_mean_0_and_variance_1(case):
    norm, shape, axes = NORMS[case]
    out = norm(Tensor(numbers(*shape) * 3 + 7)).data
    assert np.allclose(out.mean(axis=axes), 0)
    assert np.allclose(out.var(axis=axes), 1)


def test_rms_norm_has_a_mean_square_of_1():
    assert np.allclose((F.rms_norm(numbers(4, 6), 6, eps=0.0) ** 2).mean(axis=1), 1)
    assert np.allclose(F.rms_norm(np.array([0.0, 2.0**-26]), 2), np.array([0.0, 1.0]) / 1.5**0.5)


def test_local_response_norm_is_its_formula():
    x = numbers(2, 5, 3)
    out = F.local_response_norm(Tensor(x), 3, alpha=0.5, beta=0.75, k=2.0).data
    for c in range(5):
        near = (x[:, max(0, c - 1) : c + 2] ** 2).sum(axis=1)
        assert np.allclose(out[:, c], x[:, c] / (2 + 0.5 / 3 * near) ** 0.75)


def test_running_statistics_follow_the_batches_in_training_only():
    norm = nn.BatchNorm1d(2, momentum=0.5)
    x = np.array([[1.0, 0.0], [3.0, 8.0]])
    norm(x)
    assert norm.running_mean.tolist() == [1.0, 2.0]
    assert norm.running_var.tolist() == [1.5, 16.5]
    assert norm.num_batches_tracked == 1
    norm.eval()
    before = norm(x).data
    assert np.allclose(before, (x - [1.0, 2.0]) / np.sqrt(np.array([1.5, 16.5]) + 1e-5), atol=1e-6)
    assert norm.running_mean.tolist() == [1.0, 2.0]
    norm.summary((4, 2))
    norm.train().summary((4, 2))
    assert norm.num_batches_tracked == 1 and norm.training


def test_without_a_momentum_the_statistics_are_the_means_over_all_batches():
    norm = nn.BatchNorm1d(1, momentum=None)
    for value in (0.0, 3.0, 6.0):
        norm(np.array([[value - 1], [value + 1]]))
    assert np.allclose(norm.running_mean, 3.0) and np.allclose(norm.running_var, 2.0)


def test_what_was_recorded_stays_when_the_statistics_move():
    norm = nn.BatchNorm1d(2).eval()
    out = norm(Tensor(numbers(3, 2).astype(np.float32)))
    before = out.data.copy()
    norm.train()(numbers(3, 2) + 5)
    assert np.array_equal(Tape(out).value(out.node), before)


def test_recording_and_evaluating_leave_the_statistics_alone():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    x, y = numbers(8, 2).astype(np.float32), np.arange(8) % 2
    history = nn.fit(net, (x, y), epochs=2, batch_size=4, progress=False)
    norm, before = net[1], net.state_dict()
    assert norm.num_batches_tracked == 4 and len(history) == 2
    viz.record(net, lambda: F.cross_entropy(net(x), y), mode="train").snap()
    nn.evaluate(net, (x, y))
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())


def test_the_state_has_the_statistics_and_goes_back():
    norm = nn.BatchNorm2d(2)
    norm(numbers(3, 2, 2, 2))
    state = norm.state_dict()
    assert list(state) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    other = nn.BatchNorm2d(2)
    other.load_state_dict(state)
    assert np.array_equal(other.running_var, norm.running_var) and other.num_batches_tracked == 1
    other.reset_parameters()
    assert other.running_mean.tolist() == [0.0, 0.0] and other.running_var.tolist() == [1.0, 1.0]
    assert norm.num_batches_tracked == 1
    assert list(nn.BatchNorm2d(2, affine=False, track_running_stats=False).state_dict()) == []
    assert list(nn.BatchNorm2d(2, bias=False).state_dict())[0:2] == ["weight", "running_mean"]


def test_an_empty_batch_has_no_statistics():
    norm = nn.BatchNorm2d(2)
    x = Tensor(np.ones((0, 2, 3, 3), np.float32))
    out = norm(x)
    out.sum().backward()
    assert out.shape == x.grad.shape == x.shape
    assert norm.running_mean.tolist() == [0.0, 0.0] and norm.weight.grad.tolist() == [0.0, 0.0]
    assert nn.InstanceNorm2d(2, track_running_stats=True)(x).shape == x.shape


def test_a_norm_keeps_float64():
    for norm in (nn.BatchNorm1d(4, dtype=np.float64), nn.LayerNorm(4, dtype=np.float64), nn.GroupNorm(2, 4)):
        dtype = norm.weight.dtype
        assert norm(numbers(3, 4)).dtype == dtype
        assert norm.eval()(numbers(3, 4)).dtype == dtype
    assert nn.BatchNorm1d(4, dtype=np.float64).running_var.dtype == np.float64
    with pytest.raises(TypeError, match="LayerNorm: dtype must be a floating one, got int64"):
        nn.LayerNorm(4, dtype=np.int64)


def test_the_tape_reads_like_the_formula():
    norm = nn.BatchNorm1d(2)
    steps = [node.op for node in Tape(norm(numbers(3, 2))) if not node.is_leaf]
    assert steps == ["mean", "var", "subtract", "add", "sqrt", "divide", "reshape", "reshape", "multiply", "add"]


TAKEN_APART = {
    "BatchNorm1d": (lambda: nn.BatchNorm1d(2), (3, 2)),
    "LayerNorm": (lambda: nn.LayerNorm(3), (2, 3)),
    "Conv1d": (lambda: nn.Conv1d(1, 1, 2, padding=1, padding_mode="reflect"), (1, 1, 3)),
    "Conv3d": (lambda: nn.Conv3d(1, 1, 2), (1, 1, 2, 2, 2)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(1, 1, 2), (1, 1, 2, 2)),
}


@pytest.mark.parametrize("case", TAKEN_APART)
def test_layers_are_stepped_drawn_and_derived(case):
    make, shape = TAKEN_APART[case]
    layer = make()
    loss = (layer(numbers(*shape).astype(np.float32)) ** 2).sum()
    assert len(viz.step(loss)) > 8 and viz.step(loss).html()
    assert "<svg" in viz.draw(loss, level="scalar").svg()
    assert f"∂L/∂{layer.weight.name}" in str(viz.derive(loss, layer.weight))


W, B = np.array([1.0, 2.0, -1.0, 0.5]), np.array([0.5, 0.0, 1.0, 2.0])
SMALL = {
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), (3, 4, 2), (4,), (4,)),
    "batch_norm running": (lambda x, w: F.batch_norm(x, B, W**2, w), (3, 4), (4,)),
    "instance_norm": (lambda x, w: F.instance_norm(x, weight=w), (2, 4, 3), (4,)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, 4, w, b), (3, 4), (4,), (4,)),
    "rms_norm": (lambda x, w: F.rms_norm(x, 4, w), (3, 4), (4,)),
    "group_norm": (lambda x, w: F.group_norm(x, 2, w), (2, 4, 2), (4,)),
    "local_response_norm": (lambda x: F.local_response_norm(x, 3, alpha=1.0), (2, 4, 2)),
}


@pytest.mark.parametrize("case", SMALL)
def test_derivatives_twice(case):
    f, *shapes = SMALL[case]
    assert gradcheck(f, *(numbers(*shape) for shape in shapes))


def test_dtypes_are_not_mixed():
    with pytest.raises(nn.DtypeMismatch, match=r"the input has dtype float64, but (γ|weight) has dtype"):
        nn.LayerNorm(3)(Tensor(np.ones((2, 3))))
    with pytest.raises(nn.DtypeMismatch, match="floating-point input is needed, got dtype int64"):
        nn.BatchNorm1d(3)(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.BatchNorm1d(3)(np.ones((2, 4))), "BatchNorm1d: the input of shape .2, 4. has 4 channels, expected"),
        (lambda: nn.BatchNorm2d(3)(np.ones((2, 3))), "BatchNorm2d: an input with 4 axes is needed, got shape"),
        (lambda: nn.BatchNorm1d(3)(np.ones((1, 3))), "in training more than one value of each channel is needed"),
        (lambda: nn.BatchNorm1d(0), "BatchNorm1d: num_features must be an integer of at least 1"),
        (lambda: nn.InstanceNorm1d(2)(np.ones((1, 2, 1))), "more than one position is needed"),
        (lambda: nn.GroupNorm(2, 3), "GroupNorm: num_groups=2 must divide num_channels=3"),
        (lambda: F.group_norm(np.ones((2, 3)), 2), "must fall into num_groups=2, got shape"),
        (lambda: nn.LayerNorm((2, 3))(np.ones((2, 2))), r"last axes must be those of normalized_shape=\(2, 3\)"),
        (lambda: nn.RMSNorm(0), "RMSNorm: normalized_shape must be an integer of at least 1, got 0"),
        (lambda: F.layer_norm(np.ones((2, 3)), 3, np.ones(2)), r"a weight of shape \(3,\) is needed for an input"),
        (lambda: F.batch_norm(np.ones((2, 3)), None, None), "running_mean and running_var are needed"),
        (lambda: F.batch_norm(np.ones((2, 3)), np.ones(2), None), r"a running_mean of shape \(3,\) is needed"),
        (lambda: F.instance_norm(np.ones((2, 3, 2)), use_input_stats=False), "running_mean and running_var are needed"),
        (lambda: F.local_response_norm(np.ones((2, 3, 2)), 0), "size must be an integer of at least 1, got 0"),
    ],
)
def test_a_bad_size_or_option_is_answered_with_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


LAYERS = {
    "BatchNorm1d": (lambda m: m.BatchNorm1d(3), (5, 3)),
    "BatchNorm1d sequences": (lambda m: m.BatchNorm1d(3, 1e-2, 0.3), (5, 3, 4)),
    "BatchNorm1d cumulative": (lambda m: m.BatchNorm1d(3, momentum=None), (5, 3)),
    "BatchNorm1d untracked": (lambda m: m.BatchNorm1d(3, track_running_stats=False), (5, 3)),
    "BatchNorm1d plain": (lambda m: m.BatchNorm1d(3, affine=False), (5, 3)),
    "BatchNorm2d": (lambda m: m.BatchNorm2d(3), (2, 3, 4, 5)),
    "BatchNorm3d": (lambda m: m.BatchNorm3d(3), (2, 3, 2, 3, 4)),
    "InstanceNorm1d": (lambda m: m.InstanceNorm1d(3), (2, 3, 5)),
    "InstanceNorm1d alone": (lambda m: m.InstanceNorm1d(3, affine=True), (3, 5)),
    "InstanceNorm1d tracked": (lambda m: m.InstanceNorm1d(3, track_running_stats=True), (2, 3, 5)),
    "InstanceNorm2d": (lambda m: m.InstanceNorm2d(3), (2, 3, 4, 5)),
    "InstanceNorm2d all": (lambda m: m.InstanceNorm2d(3, 1e-3, 0.2, True, True), (2, 3, 4, 5)),
    "InstanceNorm2d alone": (lambda m: m.InstanceNorm2d(3), (3, 4, 5)),
    "InstanceNorm3d": (lambda m: m.InstanceNorm3d(3, affine=True), (2, 3, 2, 4, 5)),
    "LayerNorm": (lambda m: m.LayerNorm(4), (2, 3, 4)),
    "LayerNorm two axes": (lambda m: m.LayerNorm((3, 4), 1e-3), (2, 3, 4)),
    "LayerNorm without bias": (lambda m: m.LayerNorm([4], bias=False), (3, 4)),
    "LayerNorm plain": (lambda m: m.LayerNorm(4, elementwise_affine=False), (3, 4)),
    "RMSNorm": (lambda m: m.RMSNorm(4), (2, 3, 4)),
    "RMSNorm options": (lambda m: m.RMSNorm((3, 4), 1e-2, False), (2, 3, 4)),
    "GroupNorm": (lambda m: m.GroupNorm(2, 4), (2, 4, 3, 2)),
    "GroupNorm features": (lambda m: m.GroupNorm(1, 4, 1e-3), (2, 4)),
    "GroupNorm plain": (lambda m: m.GroupNorm(2, 4, affine=False), (2, 4, 3)),
    "LocalResponseNorm": (lambda m: m.LocalResponseNorm(2), (2, 5, 3)),
    "LocalResponseNorm options": (lambda m: m.LocalResponseNorm(3, 0.1, 0.5, 2.0), (2, 5, 3, 4)),
    "network": (lambda m: m.Sequential(m.Conv2d(1, 4, 3), m.BatchNorm2d(4), m.ReLU(), m.AvgPool2d(2)), (2, 1, 6, 6)),
}

if importlib.util.find_spec("torch"):
    from torchcases import check_function_as_torch, check_layer_as_torch, torch

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("case", LAYERS)
    def test_layers_are_those_of_torch(case, dtype):
        make, shape = LAYERS[case]
        check_layer_as_torch(make, shape, dtype)

    FUNCTIONS = {
        "batch_norm": (lambda f, x, w, b: f.batch_norm(x, None, None, w, b, True, 0.1, 1e-3), (4, 3, 2), (3,), (3,)),
        "instance_norm": (lambda f, x, w: f.instance_norm(x, weight=w), (4, 3, 2), (3,)),
        "layer_norm": (lambda f, x, w: f.layer_norm(x, (3, 2), w), (4, 3, 2), (3, 2)),
        "rms_norm": (lambda f, x: f.rms_norm(x, (2,)), (4, 3, 2)),
        "group_norm": (lambda f, x, w, b: f.group_norm(x, 3, w, b), (4, 3, 2), (3,), (3,)),
        "local_response_norm": (lambda f, x: f.local_response_norm(x, 4), (4, 3, 2)),
    }

    @pytest.mark.parametrize("case", FUNCTIONS)
    def test_functions_are_those_of_torch(case):
        call, *shapes = FUNCTIONS[case]
        check_function_as_torch(call, *shapes)

    def test_running_statistics_that_are_tensors_follow_too():
        x, mean, var = numbers(4, 3), numbers(3), numbers(3) ** 2
        ours, theirs = [Tensor(v, requires_grad=False) for v in (mean, var)], [torch.tensor(v) for v in (mean, var)]
        F.batch_norm(Tensor(x), *ours, training=True)
        torch.nn.functional.batch_norm(torch.tensor(x), *theirs, training=True)
        assert all(np.allclose(a.data, b.numpy()) for a, b in zip(ours, theirs, strict=True))
        assert np.allclose(
            F.batch_norm(Tensor(x), *ours).data, torch.nn.functional.batch_norm(torch.tensor(x), *theirs).numpy()
        )
