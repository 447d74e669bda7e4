"""Convolutions of one, two and three axes and their transposes, and pooling: by hand, and against torch."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


def places(size, kernel, stride=1, dilation=1):
    return range(0, size - dilation * (kernel - 1), stride)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_convolution_is_the_sum_over_each_window(axes):
    size, kernel = (6, 5, 4)[:axes], (3, 2, 2)[:axes]
    x, w = numbers(2, 2, *size), numbers(3, 2, *kernel)
    out = getattr(F, f"conv{axes}d")(Tensor(x), w, np.arange(3.0), stride=2, dilation=1)
    for at in np.ndindex(out.shape[2:]):
        window = x[(..., *(slice(2 * i, 2 * i + k) for i, k in zip(at, kernel, strict=True)))]
        expected = np.tensordot(window, w, (range(1, axes + 2), range(1, axes + 2))) + np.arange(3.0)
        assert np.allclose(out.data[(..., *at)], expected)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolution_is_the_adjoint(axes, groups):
    options = {"stride": 2, "padding": 1, "dilation": 2, "groups": groups}
    w = numbers(4, 2, *(3, 2, 2)[:axes])
    x = numbers(2, 2 * groups, *(9, 8, 7)[:axes])
    g = numbers(*getattr(F, f"conv{axes}d")(x, w, **options).shape)
    back = getattr(F, f"conv_transpose{axes}d")(g, w, **options, output_padding=0)
    extra = [n - m for n, m in zip(x.shape[2:], back.shape[2:], strict=True)]
    back = getattr(F, f"conv_transpose{axes}d")(g, w, **options, output_padding=tuple(extra))
    assert back.shape == x.shape
    assert np.isclose((getattr(F, f"conv{axes}d")(x, w, **options) * g).sum(), (back * x).sum())


def test_known_numbers():
    line = np.array([[1.0, 2.0, 4.0]])
    assert F.conv1d(line, np.array([[[1.0, 10.0]]])).tolist() == [[21.0, 42.0]]
    assert F.conv_transpose1d(line, np.array([[[1.0, 10.0]]])).tolist() == [[1.0, 12.0, 24.0, 40.0]]
    assert F.max_pool1d(line, 2, 1).tolist() == [[2.0, 4.0]]
    assert F.avg_pool1d(line, 2, 1).tolist() == [[1.5, 3.0]]
    assert F.lp_pool1d(np.array([[3.0, -4.0]]), 2, 2).tolist() == [[5.0]]
    assert F.adaptive_avg_pool1d(line, 2).tolist() == [[1.5, 3.0]]
    assert F.adaptive_max_pool1d(line, 2).tolist() == [[2.0, 4.0]]
    assert F.adaptive_avg_pool1d(line, 6).tolist() == [[1.0, 1.0, 2.0, 2.0, 4.0, 4.0]]


def test_sequences_and_volumes_are_convolved_by_the_same_primitives_as_images():
    operations = lambda out: [node.op for node in Tape(out) if not node.is_leaf]
    assert operations(nn.Conv1d(1, 2, 3, padding=1)(numbers(1, 1, 5)))[2:5] == ["pad", "windows", "window_product"]
    assert "window_product" in operations(nn.Conv3d(1, 2, 2)(numbers(1, 1, 3, 3, 3)))
    assert operations(nn.ConvTranspose2d(1, 2, 2)(numbers(1, 1, 3, 3)))[:2] == [
        "window_product_windows",
        "fold_windows",
    ]
    assert nn.Conv1d(2, 4, 3)(numbers(1, 2, 5)).name == "z⁽¹⁾"


def test_pooling_volumes_sends_the_gradient_to_the_first_of_equal_ones():
    x = Tensor(np.ones((1, 1, 2, 2, 2)))
    F.max_pool3d(x, 2).backward(np.full((1, 1, 1, 1, 1), 5.0))
    assert x.grad.ravel().tolist() == [5.0] + [0.0] * 7
    x = Tensor(np.ones((1, 5)))
    F.adaptive_max_pool1d(x, 3).sum().backward()
    assert x.grad.tolist() == [[1.0, 1.0, 0.0, 1.0, 0.0]]


def test_the_places_of_the_largest_elements_pick_them_out():
    x = numbers(2, 3, 6, 5)
    for pool in (nn.MaxPool2d(3, 2, 1, return_indices=True), nn.AdaptiveMaxPool2d((4, 3), return_indices=True)):
        out, places = pool(Tensor(x))
        assert places.dtype == np.int64 and places.shape == out.shape
        picked = np.take_along_axis(x.reshape(2, 3, 30), places.reshape(2, 3, -1), axis=2)
        assert np.array_equal(picked.reshape(out.shape), out.data)
    assert F.max_pool1d(np.array([[1.0, 5.0, 5.0, 2.0]]), 2, 2, return_indices=True)[1].tolist() == [[1, 2]]
    assert F.max_pool1d(np.full((1, 2), -np.inf), 2, 1, 1, return_indices=True)[1].tolist() == [[0, 0, 1]]


def test_an_infinite_element_stays_within_its_windows():
    x = np.array([[1.0, 2.0, np.inf, 4.0, 5.0]])
    assert F.adaptive_avg_pool1d(x, 3).tolist() == [[1.5, np.inf, 4.5]]


def test_the_norm_of_a_window_of_zeros_has_no_slope():
    x = Tensor(np.zeros((1, 4)))
    F.lp_pool1d(x, 2, 2).sum().backward()
    assert x.grad.tolist() == [[0.0] * 4]


def test_an_empty_batch_goes_through():
    x = Tensor(np.ones((0, 2, 6), np.float32))
    out = nn.Sequential(nn.Conv1d(2, 4, 3), nn.MaxPool1d(2), nn.ConvTranspose1d(4, 2, 2), nn.AdaptiveAvgPool1d(2))(x)
    assert out.shape == (0, 2, 2)
    out.sum().backward()
    assert x.grad.shape == x.shape
    assert nn.Conv3d(1, 2, 2)(np.ones((0, 1, 3, 3, 3))).shape == (0, 2, 2, 2, 2)


SMALL = {
    "conv1d": (lambda x, w: F.conv1d(x, w, padding=1, stride=2), (1, 2, 5), (2, 2, 3)),
    "conv3d": (lambda x, w: F.conv3d(x, w, padding=1, stride=2), (1, 1, 3, 3, 3), (2, 1, 2, 2, 2)),
    "conv_transpose1d": (lambda x, w: F.conv_transpose1d(x, w, stride=2, padding=1), (1, 2, 3), (2, 2, 3)),
    "conv_transpose2d": (lambda x, w: F.conv_transpose2d(x, w, dilation=2), (1, 2, 2, 2), (2, 1, 2, 2)),
    "conv_transpose3d": (lambda x, w: F.conv_transpose3d(x, w), (1, 1, 2, 2, 2), (1, 2, 2, 2, 2)),
    "max_pool3d": (lambda x: F.max_pool3d(x, 2, 1, 1), (1, 1, 2, 2, 2)),
    "avg_pool3d": (lambda x: F.avg_pool3d(x, 2, 1, 1, count_include_pad=False) ** 2, (1, 1, 2, 2, 2)),
    "lp_pool2d": (lambda x: F.lp_pool2d(x, 2, 2), (1, 1, 4, 4)),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (2, 3)) ** 2, (1, 1, 3, 4)),
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x, (2, 3)) ** 2, (1, 1, 3, 4)),
}


@pytest.mark.parametrize("case", SMALL)
def test_derivatives_twice(case):
    f, *shapes = SMALL[case]
    assert gradcheck(f, *(numbers(*shape) for shape in shapes))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.conv1d(np.ones((2, 2, 3, 3)), np.ones((1, 2, 1))), r"conv1d: sequences of shape \(N, C, L\) or"),
        (lambda: F.conv3d(np.ones((1, 3, 3, 3)), np.ones((1, 1, 2, 2))), r"a kernel of shape \(F, C, KD, KH, KW\)"),
        (lambda: F.conv1d(np.ones((1, 2)), np.ones((1, 1, 3))), "of 3 is larger than the sequence of 2"),
        (lambda: F.conv1d(np.ones((1, 4)), np.ones((1, 1, 3)), stride=(1, 1)), "stride must be an int of at least 1"),
        (lambda: F.conv_transpose1d(np.ones((2, 4)), np.ones((1, 1, 3))), "has 2 channels, but the kernel"),
        (lambda: F.conv_transpose1d(np.ones((1, 4)), np.ones((1, 1, 3)), output_padding=1), "less than the stride"),
        (lambda: F.conv_transpose1d(np.ones((1, 1)), np.ones((1, 1, 3)), padding=2), "leaves nothing of the output"),
        (lambda: F.conv_transpose2d(np.ones((1, 2, 2)), np.ones((1, 3, 1, 1)), np.ones(1)), r"a bias of shape \(3,\)"),
        (lambda: nn.ConvTranspose2d(1, 1, 2, padding_mode="reflect"), "ConvTranspose2d: padding_mode must be 'zeros'"),
        (lambda: nn.ConvTranspose1d(1, 1, 2)(np.ones((1, 1, 4)), (9,)), r"output_size must be from \(5,\) to \(5,\)"),
        (lambda: nn.Conv3d(1, 1, (2, 2)), "Conv3d: kernel_size must be an int or a triple of ints"),
        (lambda: nn.Conv1d(1, 1, 3, padding=4, padding_mode="reflect")(np.ones((1, 1, 3))), "padded by less than 3"),
        (lambda: nn.MaxPool1d(2, padding=2), "MaxPool1d: padding must be at most half of kernel_size"),
        (lambda: F.adaptive_avg_pool2d(np.ones((1, 2, 2)), (1, 2, 3)), "output_size must be an int or a pair of ints"),
        (lambda: F.lp_pool1d(np.ones((1, 2)), 0, 2), "norm_type must be a number other than 0"),
        (lambda: F.avg_pool3d(np.ones((1, 2, 2, 2)), 3), "the window of 3×3×3 is larger than the volume of 2×2×2"),
    ],
)
def test_a_bad_size_or_option_is_answered_with_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


LAYERS = {
    "Conv1d": (lambda m: m.Conv1d(2, 4, 3), (2, 2, 8)),
    "Conv1d options": (lambda m: m.Conv1d(2, 4, 3, 2, 1, 2, 2, bias=False), (2, 2, 9)),
    "Conv1d same": (lambda m: m.Conv1d(2, 4, 4, padding="same"), (2, 2, 9)),
    "Conv1d alone": (lambda m: m.Conv1d(2, 4, 3), (2, 8)),
    "Conv1d circular": (lambda m: m.Conv1d(2, 4, 3, padding=2, padding_mode="circular"), (2, 2, 8)),
    "Conv2d": (lambda m: m.Conv2d(2, 4, (3, 2)), (2, 2, 6, 5)),
    "Conv2d reflect": (lambda m: m.Conv2d(2, 4, 3, padding=(2, 1), padding_mode="reflect"), (2, 2, 6, 5)),
    "Conv2d replicate": (lambda m: m.Conv2d(2, 4, 3, 2, (2, 1), padding_mode="replicate"), (2, 2, 6, 5)),
    "Conv2d circular": (lambda m: m.Conv2d(2, 4, 3, 1, (0, 1), padding_mode="circular"), (2, 2, 6, 5)),
    "Conv2d same reflect": (lambda m: m.Conv2d(2, 4, 3, padding="same", padding_mode="reflect"), (2, 2, 6, 5)),
    "Conv2d valid reflect": (lambda m: m.Conv2d(2, 4, 3, padding="valid", padding_mode="reflect"), (2, 2, 6, 5)),
    "Conv3d": (lambda m: m.Conv3d(2, 4, (2, 3, 2)), (2, 2, 4, 5, 6)),
    "Conv3d options": (lambda m: m.Conv3d(4, 2, 2, (2, 1, 2), (1, 0, 1), (2, 1, 1), 2), (2, 4, 4, 5, 6)),
    "Conv3d replicate": (lambda m: m.Conv3d(1, 2, 3, padding=1, padding_mode="replicate"), (1, 1, 3, 4, 5)),
    "Conv3d alone": (lambda m: m.Conv3d(2, 4, 2), (2, 3, 4, 5)),
    "ConvTranspose1d": (lambda m: m.ConvTranspose1d(2, 4, 3), (2, 2, 6)),
    "ConvTranspose1d options": (lambda m: m.ConvTranspose1d(2, 4, 3, 2, 1, 1, 2, True, 2), (2, 2, 6)),
    "ConvTranspose1d alone": (lambda m: m.ConvTranspose1d(2, 4, 3), (2, 6)),
    "ConvTranspose2d": (lambda m: m.ConvTranspose2d(2, 4, 2, 2), (2, 2, 4, 5)),
    "ConvTranspose2d options": (
        lambda m: m.ConvTranspose2d(4, 2, (3, 2), (2, 3), (1, 0), (1, 2), 2, False, (2, 1)),
        (2, 4, 4, 5),
    ),
    "ConvTranspose2d late": (lambda m: m.ConvTranspose2d(1, 2, 2, 1, (1, 0), (2, 0), dilation=3), (2, 1, 3, 2)),
    "ConvTranspose3d": (lambda m: m.ConvTranspose3d(2, 4, 2, 2), (2, 2, 2, 3, 4)),
    "ConvTranspose3d options": (
        lambda m: m.ConvTranspose3d(4, 2, (2, 3, 2), (2, 1, 3), (1, 1, 0), (1, 0, 2), 2),
        (1, 4, 3, 3, 2),
    ),
    "MaxPool1d": (lambda m: m.MaxPool1d(2), (2, 2, 7)),
    "MaxPool1d options": (lambda m: m.MaxPool1d(3, 2, 1, 2, ceil_mode=True), (2, 2, 10)),
    "MaxPool1d alone": (lambda m: m.MaxPool1d(2), (2, 7)),
    "MaxPool2d dilation": (lambda m: m.MaxPool2d((2, 3), 1, (1, 1), (2, 1)), (2, 2, 7, 6)),
    "MaxPool2d ceil": (lambda m: m.MaxPool2d(3, 2, ceil_mode=True), (2, 2, 8, 6)),
    "MaxPool3d": (lambda m: m.MaxPool3d(2), (2, 2, 4, 5, 6)),
    "MaxPool3d options": (lambda m: m.MaxPool3d((2, 3, 2), 2, 1, (2, 1, 1), ceil_mode=True), (2, 2, 6, 5, 6)),
    "AvgPool1d": (lambda m: m.AvgPool1d(2), (2, 2, 7)),
    "AvgPool1d options": (lambda m: m.AvgPool1d(3, 2, 1, True, False), (2, 2, 8)),
    "AvgPool2d options": (lambda m: m.AvgPool2d(3, 2, 1, True, False, 5), (2, 2, 8, 7)),
    "AvgPool3d": (lambda m: m.AvgPool3d(2), (2, 2, 4, 5, 6)),
    "AvgPool3d options": (lambda m: m.AvgPool3d((2, 3, 2), 2, 1, True, False), (2, 2, 4, 6, 5)),
    "AvgPool3d ceil": (lambda m: m.AvgPool3d(3, 2, 1, True), (2, 2, 4, 6, 5)),
    "AvgPool3d divisor": (lambda m: m.AvgPool3d(2, divisor_override=3), (2, 2, 4, 5, 6)),
    "LPPool1d": (lambda m: m.LPPool1d(2, 3, 2), (2, 2, 8)),
    "LPPool1d ceil": (lambda m: m.LPPool1d(2, 3, 2, True), (2, 2, 8)),
    "LPPool2d": (lambda m: m.LPPool2d(4, (2, 3)), (2, 2, 6, 7)),
    "LPPool2d sum": (lambda m: m.LPPool2d(1, 2), (2, 2, 6, 7)),
    "LPPool3d": (lambda m: m.LPPool3d(2, 2), (2, 2, 4, 4, 5)),
    "AdaptiveAvgPool1d": (lambda m: m.AdaptiveAvgPool1d(3), (2, 2, 8)),
    "AdaptiveAvgPool1d more": (lambda m: m.AdaptiveAvgPool1d(9), (2, 2, 6)),
    "AdaptiveAvgPool2d": (lambda m: m.AdaptiveAvgPool2d(1), (2, 2, 5, 6)),
    "AdaptiveAvgPool2d uneven": (lambda m: m.AdaptiveAvgPool2d((3, None)), (2, 2, 7, 6)),
    "AdaptiveAvgPool2d alone": (lambda m: m.AdaptiveAvgPool2d((3, 4)), (2, 7, 6)),
    "AdaptiveAvgPool3d": (lambda m: m.AdaptiveAvgPool3d((2, 3, None)), (2, 2, 5, 4, 3)),
    "AdaptiveMaxPool1d": (lambda m: m.AdaptiveMaxPool1d(3), (2, 2, 8)),
    "AdaptiveMaxPool2d": (lambda m: m.AdaptiveMaxPool2d((3, 2)), (2, 2, 7, 6)),
    "AdaptiveMaxPool2d more": (lambda m: m.AdaptiveMaxPool2d((None, 9)), (2, 2, 7, 6)),
    "AdaptiveMaxPool3d": (lambda m: m.AdaptiveMaxPool3d((2, 3, None)), (2, 2, 5, 4, 3)),
}

if importlib.util.find_spec("torch"):
    from torchcases import check_layer_as_torch, torch

    @pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("case", LAYERS)
    def test_layers_are_those_of_torch(case, dtype):
        make, shape = LAYERS[case]
        check_layer_as_torch(make, shape, dtype)

    def test_a_transposed_convolution_takes_the_size_of_its_output():
        ours, theirs = nn.ConvTranspose2d(1, 2, 3, 2, 1), torch.nn.ConvTranspose2d(1, 2, 3, 2, 1)
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        x = numbers(1, 1, 4, 4).astype(np.float32)
        for size in ((8, 7), (1, 2, 7, 8)):
            expected = theirs(torch.tensor(x), size).detach().numpy()
            assert np.allclose(ours(x, output_size=size).data, expected, atol=1e-6)

    INDICES = {
        "MaxPool1d": (lambda m: m.MaxPool1d(3, 2, 1, 2, True, True), (2, 2, 10)),
        "MaxPool2d": (lambda m: m.MaxPool2d((2, 3), 2, 1, (2, 1), True, True), (2, 2, 9, 8)),
        "MaxPool2d alone": (lambda m: m.MaxPool2d(2, return_indices=True), (2, 9, 8)),
        "MaxPool3d": (lambda m: m.MaxPool3d((2, 3, 2), 2, 1, (2, 1, 1), True, True), (2, 2, 6, 5, 6)),
        "AdaptiveMaxPool1d": (lambda m: m.AdaptiveMaxPool1d(3, True), (2, 2, 8)),
        "AdaptiveMaxPool2d": (lambda m: m.AdaptiveMaxPool2d((3, 2), True), (2, 2, 7, 6)),
        "AdaptiveMaxPool3d": (lambda m: m.AdaptiveMaxPool3d((2, 3, None), True), (2, 5, 4, 3)),
    }

    @pytest.mark.parametrize("case", INDICES)
    def test_places_are_those_of_torch(case):
        make, shape = INDICES[case]
        x = RNG.integers(0, 4, shape).astype(np.float32)
        out, places = make(nn)(x)
        expected, its = make(torch.nn)(torch.tensor(x))
        assert np.array_equal(out.data, expected.numpy()) and np.array_equal(places, its.numpy())
