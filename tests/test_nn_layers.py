"""Layers and their functions against NumPy written out by hand, and against torch where it is installed."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor, grad
from nn import functional as F

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


def by_hand_conv2d(x, w, b, stride, padding, dilation, groups):
    """Cross-correlation, one output at a time; and its gradients for an upstream gradient of g."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    n, _, h, width = x.shape
    f, depth, kh, kw = w.shape
    oh = (h - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (width - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    out = np.zeros((n, f, oh, ow))
    for k in range(f):
        first = k // (f // groups) * depth
        for i in range(oh):
            for j in range(ow):
                rows = i * stride[0] + dilation[0] * np.arange(kh)
                cols = j * stride[1] + dilation[1] * np.arange(kw)
                patch = x[:, first : first + depth][:, :, rows[:, None], cols]
                out[:, k, i, j] = (patch * w[k]).sum(axis=(1, 2, 3)) + b[k]
    return out


CONVOLUTIONS = {
    "plain": ((2, 3, 7, 6), (4, 3, 3, 2), {}),
    "stride": ((2, 2, 8, 9), (3, 2, 3, 3), {"stride": (2, 3)}),
    "padding": ((2, 1, 5, 5), (2, 1, 3, 3), {"padding": (1, 2)}),
    "dilation": ((1, 2, 9, 9), (2, 2, 3, 3), {"dilation": (2, 3)}),
    "groups": ((2, 4, 6, 6), (6, 2, 3, 3), {"groups": 2}),
    "depthwise": ((2, 3, 6, 6), (3, 1, 3, 3), {"groups": 3, "padding": 1}),
    "all": ((2, 4, 11, 10), (4, 2, 3, 2), {"stride": 2, "padding": 2, "dilation": 2, "groups": 2}),
    "same": ((2, 2, 7, 6), (3, 2, 4, 3), {"padding": "same", "dilation": (1, 2)}),
    "valid": ((1, 2, 7, 6), (3, 2, 4, 3), {"padding": "valid"}),
    "one pixel": ((3, 2, 1, 1), (3, 2, 1, 1), {}),
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_conv2d_is_the_sum_over_each_window(case):
    x_shape, w_shape, options = CONVOLUTIONS[case]
    x, w, b = numbers(*x_shape), numbers(*w_shape), numbers(w_shape[0])
    both = {name: (v, v) if isinstance(v, int) and name != "groups" else v for name, v in options.items()}
    dilation = both.get("dilation", (1, 1))
    padding = both.get("padding", (0, 0))
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, w_shape[2:], strict=True)]
        sides = [(t // 2, t - t // 2) for t in totals]
    else:
        sides = [(p, p) for p in ((0, 0) if padding == "valid" else padding)]
    expected = by_hand_conv2d(x, w, b, both.get("stride", (1, 1)), sides, dilation, options.get("groups", 1))
    assert np.allclose(F.conv2d(Tensor(x), Tensor(w), Tensor(b), **options).data, expected)
    assert np.allclose(F.conv2d(x, w, b, **options), expected)


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_conv2d_has_the_gradients_of_a_linear_map(case):
    x_shape, w_shape, options = CONVOLUTIONS[case]
    x, w, b = Tensor(numbers(*x_shape)), Tensor(numbers(*w_shape)), Tensor(numbers(w_shape[0]))
    out = F.conv2d(x, w, b, **options)
    g = numbers(*out.shape)
    out.backward(g)
    # Linear in each operand: <g, f(v)> = <gradient, v> for any v.
    v, u = numbers(*x_shape), numbers(*w_shape)
    assert np.isclose((F.conv2d(v, w.data, **options) * g).sum(), (x.grad * v).sum())
    assert np.isclose((F.conv2d(x.data, u, **options) * g).sum(), (w.grad * u).sum())
    assert np.allclose(b.grad, g.sum(axis=(0, 2, 3)))


def test_an_image_without_a_batch_axis_is_convolved_and_pooled_alone():
    x, w, b = numbers(2, 6, 6), numbers(3, 2, 3, 3), numbers(3)
    alone = F.conv2d(Tensor(x), w, b)
    assert np.allclose(alone.data, F.conv2d(x[None], w, b)[0])
    assert F.max_pool2d(alone, 2).shape == F.avg_pool2d(alone, 2).shape == (3, 2, 2)


def test_an_empty_batch_goes_through_convolution_and_pooling():
    net = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(2))
    x = Tensor(np.ones((0, 2, 8, 8), np.float32))
    out = net(x)
    assert out.shape == (0, 4, 2, 2)
    out.sum().backward()
    assert x.grad.shape == x.shape
    assert not net[0].weight.grad.any()


def by_hand_pool(x, k, s, how, value=0.0, pad=0):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=value)
    oh, ow = ((n - k) // s + 1 for n in x.shape[2:])
    out = np.empty((*x.shape[:2], oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[:, :, i, j] = how(x[:, :, i * s : i * s + k, j * s : j * s + k], axis=(2, 3))
    return out


@pytest.mark.parametrize(("k", "s", "pad"), [(2, 2, 0), (3, 1, 0), (3, 2, 1), (2, 3, 1)])
def test_pooling_takes_the_largest_and_the_mean_of_each_window(k, s, pad):
    x = numbers(2, 3, 8, 7)
    assert np.allclose(F.max_pool2d(Tensor(x), k, s, pad).data, by_hand_pool(x, k, s, np.max, -np.inf, pad))
    assert np.allclose(F.avg_pool2d(Tensor(x), k, s, pad).data, by_hand_pool(x, k, s, np.mean, 0.0, pad))


def test_max_pooling_sends_the_gradient_to_the_first_of_equal_ones():
    x = Tensor(np.ones((1, 1, 2, 4)))
    F.max_pool2d(x, 2).backward(np.array([[[[5.0, 7.0]]]]))
    assert x.grad.tolist() == [[[[5.0, 0.0, 7.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]


def test_the_padding_of_max_pooling_never_wins():
    x = Tensor(np.full((1, 1, 2, 2), -5.0))
    out = F.max_pool2d(x, 2, padding=1)
    assert (out.data == -5.0).all()
    out.sum().backward()
    assert (x.grad == 1.0).all()


def test_linear_is_x_times_the_transposed_weight_plus_bias():
    x, w, b = numbers(2, 5, 4), numbers(3, 4), numbers(3)
    assert np.allclose(F.linear(Tensor(x), w, b).data, x @ w.T + b)
    assert np.allclose(F.linear(Tensor(x), w).data, x @ w.T)
    assert F.linear(Tensor(x[0, 0]), w, b).shape == (3,)
    wt = Tensor(w)
    F.linear(Tensor(x), wt, b).sum().backward()
    assert np.allclose(wt.grad, np.ones((3, 1)) * x.sum(axis=(0, 1)))


def test_convolutions_have_second_derivatives():
    x, w = numbers(1, 1, 4, 4), numbers(1, 1, 2, 2)
    twice = grad(lambda v: grad(lambda u: (F.conv2d(u, w) ** 3).sum())(v).sum())(x)
    # f = Σ c³ with c = w∗x: the sum over all entries of its Hessian's columns is 6 (w∗1) c pulled back through w.
    c = by_hand_conv2d(x, w, [0.0], (1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    expected = np.zeros((4, 4))
    for i in range(3):
        for j in range(3):
            expected[i : i + 2, j : j + 2] += 6 * c[0, 0, i, j] * w.sum() * w[0, 0]
    assert np.allclose(twice[0, 0], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_keep_the_dtype(dtype):
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, dtype=dtype), nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Tanh(), nn.Dropout(),
        nn.Flatten(), nn.Linear(2, 2, dtype=dtype), nn.Sigmoid(), nn.Softmax(),
    )  # fmt: skip
    out = net(numbers(2, 1, 6, 6))
    assert out.dtype == dtype
    out.sum().backward()
    assert {p.grad.dtype for p in net.parameters()} == {np.dtype(dtype)}


# --- dropout


def test_dropout_drops_and_scales_in_training_only():
    x = Tensor(np.ones((100, 100)))
    out = F.dropout(x, 0.25, rng=0)
    assert np.isclose((out.data == 0).mean(), 0.25, atol=0.02)
    assert np.allclose(out.data[out.data != 0], 1 / 0.75)
    assert F.dropout(x, 0.25, training=False) is x
    assert (F.dropout(x, 1.0).data == 0).all()
    layer = nn.Dropout(0.5, rng=0)
    assert (layer.eval()(x).data == 1).all()


def test_dropout_passes_gradients_through_the_same_mask_and_computes_the_same_again():
    x = Tensor(np.ones(1000))
    out = F.dropout(x, 0.5, rng=3)
    out.sum().backward()
    assert (x.grad == out.data).all()
    assert (Tape(out).value(out.node) == out.data).all()
    assert (F.dropout(x, 0.5, rng=3).data == out.data).all()


def test_dropout_draws_from_the_seeded_generator():
    nn.manual_seed(5)
    first = F.dropout(np.ones(50))
    nn.manual_seed(5)
    assert (F.dropout(np.ones(50)) == first).all()


# --- bad options


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Linear(0, 3), "Linear: in_features must be an integer of at least 1, got 0"),
        (lambda: nn.Linear(3, 2.5), "out_features must be an integer of at least 1, got 2.5"),
        (lambda: nn.Conv2d(1, 1, 0), "kernel_size must be an int or a pair of ints of at least 1, got 0"),
        (lambda: nn.Conv2d(1, 1, (3, 3, 3)), "kernel_size must be an int or a pair"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), "padding must be an int or a pair of ints of at least 0, got -1"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"), "padding must be 'valid', 'same', an int"),
        (lambda: nn.Conv2d(1, 1, 3, stride=2, padding="same"), "padding='same' needs a stride of 1"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups=2 must divide in_channels=3 and out_channels=4"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), "padding_mode must be one of 'zeros', 'reflect'"),
        (lambda: nn.MaxPool2d(2, padding=2), "padding must be at most half of kernel_size"),
        (lambda: nn.AvgPool2d(2, stride=0), "stride must be an int or a pair of ints of at least 1, got 0"),
        (lambda: F.avg_pool2d(np.ones((1, 1, 2, 2)), 2, divisor_override=0), "divisor_override must be at least 1"),
        (lambda: nn.Dropout(1.5), "Dropout: p must be from 0 to 1, got 1.5"),
        (lambda: F.dropout(np.ones(2), -0.1), "dropout: p must be from 0 to 1"),
        (lambda: F.max_pool2d(np.ones((1, 1, 2, 2)), 3), "the window of 3×3 is larger than the image of 2×2"),
        (lambda: F.conv2d(np.ones((1, 1, 3, 3)), np.ones((3, 3))), r"a kernel of shape \(F, C, KH, KW\) is needed"),
        (lambda: F.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), dilation=3), r"\(reaching over 4×4\)"),
        (lambda: F.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), np.ones(2)), r"bias of shape \(1,\)"),
        (lambda: F.linear(np.ones((2, 3)), np.ones((4, 3)), np.ones(3)), r"bias of shape \(4,\) is needed, got \(3,\)"),
        (lambda: F.linear(np.float64(1), np.ones((4, 3))), "has no axis"),
        (lambda: F.softmax(np.ones((2, 3)), dim=2), "there is no axis 2 in an input of shape"),
        (lambda: F.flatten(np.ones(3)), "there are no axes 1 to -1"),
    ],
)
def test_a_bad_size_or_option_is_answered_with_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.dropout(np.arange(4)), nn.DtypeMismatch, "dropout: floating-point input is needed, got dtype int64"),
        (lambda: nn.Dropout("a"), ValueError, "Dropout: p must be from 0 to 1, got 'a'"),
        (lambda: nn.Softmax(1)(np.ones((2, 0))), nn.ShapeMismatch, r"axis 1 of an input of shape \(2, 0\) has no elem"),
        (lambda: F.softmax([1.0], dim="a"), TypeError, "softmax: dim must be an integer, got 'a'"),
        (lambda: F.linear([1.0], [1.0]), nn.ShapeMismatch, r"a weight of shape \(out, in\) is needed, got \(1,\)"),
        (lambda: F.sigmoid(["a"]), nn.DtypeMismatch, "sigmoid: numbers are needed, got list"),
        (lambda: F.relu([[1.0], [1.0, 2.0]]), nn.ShapeMismatch, "relu: an array or a Tensor is needed, got list"),
    ],
)
def test_a_bad_input_is_answered_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_lists_are_taken_as_arrays():
    for f in (F.sigmoid, F.relu, F.tanh, F.softmax, F.log_softmax, F.flatten):
        assert (f([[1.0, 2.0]]) == f(np.array([[1.0, 2.0]]))).all()
    assert F.dropout([1.0, 2.0], training=False).tolist() == [1.0, 2.0]
    assert F.linear([1.0, 2.0], [[1.0, 2.0]], [1.0]).tolist() == [6.0]


def test_in_place_is_accepted_and_changes_nothing_in_place():
    x = Tensor([-1.0, 1.0])
    assert nn.ReLU(inplace=True)(x).data.tolist() == F.relu(x, inplace=True).data.tolist() == [0.0, 1.0]
    assert (nn.Dropout(1.0, inplace=True)(x).data == 0).all() and (F.dropout(x, 1.0, inplace=True).data == 0).all()
    assert x.data.tolist() == [-1.0, 1.0]


def test_a_layer_of_integers_is_refused():
    with pytest.raises(TypeError, match="Linear: dtype must be a floating one, got int64"):
        nn.Linear(2, 2, dtype=np.int64)


# --- torch

if importlib.util.find_spec("torch"):
    import torch
    import torch.nn.functional as TF

    X = (2, 4, 9, 8)
    LAYERS = {
        **{
            f"conv2d {name}": (x, lambda f, x, w, b, o=o: f.conv2d(x, w, b, **o), [w, w[:1]])
            for name, (x, w, o) in CONVOLUTIONS.items()
        },
        "linear": ((5, 4), lambda f, x, w, b: f.linear(x, w, b), [(3, 4), (3,)]),
        "max_pool2d": (X, lambda f, x: f.max_pool2d(x, 2), []),
        "max_pool2d options": (X, lambda f, x: f.max_pool2d(x, (3, 2), (2, 1), (1, 1), (1, 2)), []),
        "max_pool2d ceil": (X, lambda f, x: f.max_pool2d(x, 3, 2, ceil_mode=True), []),
        "max_pool2d ceil padding": (X, lambda f, x: f.max_pool2d(x, 3, 3, 1, ceil_mode=True), []),
        "avg_pool2d": (X, lambda f, x: f.avg_pool2d(x, 2), []),
        "avg_pool2d padding": (X, lambda f, x: f.avg_pool2d(x, 3, 2, 1), []),
        "avg_pool2d pad not counted": (X, lambda f, x: f.avg_pool2d(x, 3, 2, 1, count_include_pad=False), []),
        "avg_pool2d ceil": (X, lambda f, x: f.avg_pool2d(x, (3, 2), (2, 3), ceil_mode=True), []),
        "avg_pool2d ceil padding": (X, lambda f, x: f.avg_pool2d(x, 3, 3, 1, ceil_mode=True), []),
        "avg_pool2d ceil not counted": (
            X,
            lambda f, x: f.avg_pool2d(x, 3, 3, 1, ceil_mode=True, count_include_pad=False),
            [],
        ),
        "avg_pool2d divisor": (X, lambda f, x: f.avg_pool2d(x, 2, divisor_override=3), []),
        "sigmoid": (X, lambda f, x: f.sigmoid(x), []),
        "relu": (X, lambda f, x: f.relu(x), []),
        "tanh": (X, lambda f, x: f.tanh(x), []),
        "softmax": (X, lambda f, x: f.softmax(x, dim=1), []),
        "log_softmax": (X, lambda f, x: f.log_softmax(x, dim=-1), []),
    }

    @pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("case", LAYERS)
    def test_value_and_gradients_are_those_of_torch(case, dtype):
        shape, call, others = LAYERS[case]
        operands = [numbers(*s).astype(dtype) for s in (shape, *others)]
        ours = [Tensor(a) for a in operands]
        theirs = [torch.tensor(a, requires_grad=True) for a in operands]
        out, expected = call(F, *ours), call(TF, *theirs)
        tolerance = 1e-5 if dtype == np.float32 else 1e-12
        assert out.dtype == dtype
        assert out.shape == tuple(expected.shape)
        assert np.allclose(out.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
        g = numbers(*out.shape).astype(dtype)
        out.backward(g)
        expected.backward(torch.tensor(g))
        for mine, other in zip(ours, theirs, strict=True):
            assert np.allclose(mine.grad, other.grad.numpy(), rtol=tolerance, atol=20 * tolerance)

    @pytest.mark.parametrize(
        "make",
        [
            lambda m: m.Linear(4, 3),
            lambda m: m.Linear(4, 3, bias=False),
            lambda m: m.Conv2d(2, 4, (3, 2), stride=2, padding=1, dilation=2, groups=2),
            lambda m: m.Sequential(m.Conv2d(1, 2, 3), m.Sigmoid(), m.MaxPool2d(2), m.Flatten(), m.Linear(2, 3)),
        ],
    )
    def test_modules_have_the_parameters_names_and_repr_of_torch(make):
        ours, theirs = make(nn), make(torch.nn)
        assert {k: v.shape for k, v in ours.state_dict().items()} == {
            k: tuple(v.shape) for k, v in theirs.state_dict().items()
        }
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        assert [str(p.dtype) for p in ours.parameters()] == ["float32"] * len(list(theirs.parameters()))

    def test_a_network_loaded_from_torch_computes_what_torch_computes():
        layers = lambda m: [m.Conv2d(1, 3, 3), m.ReLU(), m.AvgPool2d(2), m.Flatten(), m.Linear(27, 5), m.Softmax(dim=1)]
        ours, theirs = nn.Sequential(*layers(nn)), torch.nn.Sequential(*layers(torch.nn))
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        x = numbers(4, 1, 8, 8).astype(np.float32)
        assert np.allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), atol=1e-6)
