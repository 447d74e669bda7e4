"""Padding, resizing, shuffling, folding: known numbers, errors, and the numbers of torch where it is installed."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


LINE = np.array([[1.0, 2.0, 4.0]])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("constant", [0, 0, 1, 2, 4, 0]),
        ("reflect", [4, 2, 1, 2, 4, 2]),
        ("replicate", [1, 1, 1, 2, 4, 4]),
        ("circular", [2, 4, 1, 2, 4, 1]),
    ],
)
def test_a_line_is_padded_in_four_ways(mode, expected):
    assert F.pad(LINE, (2, 1), mode).tolist() == [expected]
    assert F.pad(LINE, (0, 0), mode) is LINE
    assert F.pad(LINE, (-1, -1), mode).tolist() == [[2.0]]


def test_padding_keeps_integers():
    assert F.pad(np.array([1, 2]), (1, 0), value=7).tolist() == [7, 1, 2]


def test_known_numbers():
    x = np.array([[[0.0, 4.0]]])
    assert F.interpolate(x, 4).tolist() == [[[0.0, 0.0, 4.0, 4.0]]]
    assert F.interpolate(x, 3, mode="nearest-exact").tolist() == [[[0.0, 4.0, 4.0]]]
    assert F.interpolate(x, 4, mode="linear").tolist() == [[[0.0, 1.0, 3.0, 4.0]]]
    assert F.interpolate(x, 1, mode="area").tolist() == [[[2.0]]]
    impulse = np.array([[[[0.0, 1.0, 0.0]]]])
    between = F.interpolate(impulse, (1, 5), mode="bicubic", align_corners=True)
    assert between.tolist() == [[[[0.0, 0.59375, 1.0, 0.59375, 0.0]]]]
    assert F.pixel_shuffle(np.arange(4.0).reshape(4, 1, 1), 2).tolist() == [[[0.0, 1.0], [2.0, 3.0]]]


def test_what_undoes_each_other():
    x = numbers(2, 4, 6, 6)
    assert np.array_equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), x)
    assert np.array_equal(F.channel_shuffle(F.channel_shuffle(x, 2), 2), x)
    options = {"kernel_size": (2, 3), "dilation": (2, 1), "padding": 1, "stride": (1, 2)}
    count = F.fold(F.unfold(np.ones_like(x), **options), (6, 6), **options)
    assert np.allclose(F.fold(F.unfold(x, **options), (6, 6), **options), x * count)
    assert np.array_equal(nn.Unflatten(1, (2, 2))(x).data, x.reshape(2, 2, 2, 6, 6))


def test_a_convolution_is_a_product_with_unfolded_columns():
    x, w = numbers(2, 3, 5, 4), numbers(4, 3, 2, 2)
    assert np.allclose((w.reshape(4, -1) @ F.unfold(x, 2)).reshape(2, 4, 4, 3), F.conv2d(x, w))


def test_an_infinite_element_stays_near():
    x = np.array([[[0.0, 1.0, 2.0, np.inf]]])
    assert F.interpolate(x, 8).tolist() == [[[0.0, 0.0, 1.0, 1.0, 2.0, 2.0, np.inf, np.inf]]]
    assert np.isfinite(F.interpolate(x, 8, mode="linear")[0, 0, :5]).all()


SMALL = {
    **{
        f"pad {mode}": (lambda x, mode=mode: F.pad(x, (2, 1), mode) ** 2, (2, 1, 3))
        for mode in ("constant", "reflect", "replicate", "circular")
    },
    "nearest": (lambda x: F.interpolate(x, (3, 5)) ** 2, (1, 1, 2, 3)),
    "bilinear": (lambda x: F.interpolate(x, (3, 5), mode="bilinear") ** 2, (1, 1, 2, 3)),
    "bicubic": (lambda x: F.interpolate(x, (3, 5), mode="bicubic") ** 2, (1, 1, 2, 3)),
    "unfold": (lambda x: F.unfold(x, 2, padding=1) ** 2, (1, 1, 2, 3)),
    "fold": (lambda x: F.fold(x, (3, 3), 2) ** 2, (1, 4, 4)),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2) ** 2, (4, 2, 1)),
}


@pytest.mark.parametrize("case", SMALL)
def test_derivatives_twice(case):
    f, *shapes = SMALL[case]
    assert gradcheck(f, *(numbers(*shape) for shape in shapes))


X = np.ones((1, 4, 3, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.pad(LINE, (1,)), r"pad must have two ints for each axis, \(left, right, ...\), got \(1,\)"),
        (lambda: F.pad(LINE, (1, 1) * 3), "3 axes can't be padded of an input of shape"),
        (lambda: F.pad(LINE, (3, 0), "reflect"), "an axis of 3 can be padded by less than 3, got"),
        (lambda: F.pad(LINE, (4, 0), "circular"), "an axis of 3 can be padded by at most 3, got"),
        (lambda: F.pad(LINE, (1, 0), "edge"), "mode must be one of 'constant', 'reflect', 'replicate', 'circular'"),
        (lambda: F.pad(LINE, (1, 0), "reflect", 1.0), "only the mode 'constant' has a value, got value=1.0"),
        (lambda: nn.ZeroPad2d((1, 2)), r"ZeroPad2d: padding must be an int or 4 ints, got \(1, 2\)"),
        (lambda: F.interpolate(X), "either size or scale_factor is needed, got none"),
        (lambda: F.interpolate(X, 2, 2), "either size or scale_factor is needed, got both"),
        (lambda: F.interpolate(X, 2, mode="linear"), "mode must be one of 'nearest', 'nearest-exact', 'area', 'biline"),
        (lambda: F.interpolate(X, 2, align_corners=True), "has no corners to align"),
        (lambda: F.interpolate(X, 2, mode="bilinear", antialias=True), "antialias=True is not supported"),
        (lambda: F.interpolate(X, (1, 2, 3)), "size must be an int or a pair of ints"),
        (lambda: F.interpolate(X, scale_factor=0.1), "leaves nothing of"),
        (lambda: F.interpolate(LINE, 2), "an input with 3 to 5 axes"),
        (lambda: F.pixel_shuffle(X, 3), "the channels must be a multiple of 3² = 9"),
        (lambda: F.pixel_unshuffle(X, 2), "height and width must be multiples of 2"),
        (lambda: nn.PixelShuffle(0), "PixelShuffle: upscale_factor must be an integer of at least 1"),
        (lambda: F.channel_shuffle(X, 3), "must fall into groups=3"),
        (lambda: F.unfold(X, 4), "unfold: the window of 4×4 is larger than the image of 3×3"),
        (lambda: F.fold(np.ones((1, 4, 5)), 3, 2), r"an input of shape \(N, C·4, 4\) is needed, got \(1, 4, 5\)"),
        (lambda: nn.Unflatten(1, (3, 2))(X), "the axis 1 of an input of shape .* can't be"),
        (lambda: nn.Unflatten(5, (3, 2))(X), "there is no axis 5 in an input of shape"),
    ],
)
def test_a_bad_size_or_option_is_answered_with_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


SHAPES = {1: (2, 2, 5), 2: (2, 2, 5, 4), 3: (1, 2, 4, 5, 3)}
ASYMMETRIC = {1: (2, 1), 2: (1, 2, 0, 3), 3: (1, 2, 0, 3, 1, 1)}
MODES = ("Zero", "Constant", "Reflection", "Replication", "Circular")
LAYERS = {
    **{
        f"{mode}Pad{n}d {padding}": (
            lambda m, name=f"{mode}Pad{n}d", args=(padding, 0.5)[: 1 + (mode == "Constant")]: getattr(m, name)(*args),
            SHAPES[n],
        )
        for mode in MODES
        for n in (1, 2, 3)
        for padding in (1, ASYMMETRIC[n])
    },
    "ZeroPad2d cut": (lambda m: m.ZeroPad2d((-1, 2, 0, -1)), SHAPES[2]),
    "CircularPad1d cut": (lambda m: m.CircularPad1d((2, -1)), SHAPES[1]),
    "Upsample": (lambda m: m.Upsample(scale_factor=2), SHAPES[2]),
    "Upsample size": (lambda m: m.Upsample((7, 3)), SHAPES[2]),
    "Upsample linear": (lambda m: m.Upsample(scale_factor=1.7, mode="linear"), SHAPES[1]),
    "Upsample trilinear": (lambda m: m.Upsample(scale_factor=(2, 1, 2), mode="trilinear"), SHAPES[3]),
    "Upsample bicubic": (lambda m: m.Upsample(scale_factor=2, mode="bicubic", align_corners=True), SHAPES[2]),
    "UpsamplingNearest2d": (lambda m: m.UpsamplingNearest2d(scale_factor=3), SHAPES[2]),
    "UpsamplingBilinear2d": (lambda m: m.UpsamplingBilinear2d(scale_factor=2), SHAPES[2]),
    "UpsamplingBilinear2d size": (lambda m: m.UpsamplingBilinear2d((3, 7)), SHAPES[2]),
    "PixelShuffle": (lambda m: m.PixelShuffle(2), (2, 8, 3, 2)),
    "PixelShuffle alone": (lambda m: m.PixelShuffle(3), (9, 3, 2)),
    "PixelUnshuffle": (lambda m: m.PixelUnshuffle(2), (2, 2, 4, 6)),
    "ChannelShuffle": (lambda m: m.ChannelShuffle(3), (2, 6, 3, 2)),
    "Unfold": (lambda m: m.Unfold(2), (2, 3, 5, 4)),
    "Unfold options": (lambda m: m.Unfold((2, 3), 2, (1, 2), (2, 1)), (3, 5, 6)),
    "Fold": (lambda m: m.Fold((5, 4), 2), (2, 12, 12)),
    "Fold options": (lambda m: m.Fold((5, 6), (2, 3), 2, (1, 2), (2, 1)), (18, 18)),
    "Unflatten": (lambda m: m.Unflatten(1, (2, -1)), (3, 8)),
}

if importlib.util.find_spec("torch"):
    from torchcases import check_function_as_torch, check_layer_as_torch

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("case", LAYERS)
    def test_layers_are_those_of_torch(case, dtype):
        make, shape = LAYERS[case]
        check_layer_as_torch(make, shape, dtype)

    SIZES = [
        {"size": 3}, {"size": 8}, {"size": 10}, {"scale_factor": 2}, {"scale_factor": 0.6}, {"scale_factor": 1.5},
        {"scale_factor": 1.7, "recompute_scale_factor": True}, {"scale_factor": 1.7},
    ]  # fmt: skip
    CORNERS = [{}, {"align_corners": True}]
    INTERPOLATED = [
        (mode, n, {**size, **more})
        for mode, axes, options in [
            ("nearest", (1, 2, 3), [{}]), ("nearest-exact", (1, 2), [{}]), ("area", (1, 2, 3), [{}]),
            ("linear", (1,), CORNERS), ("bilinear", (2,), CORNERS), ("bicubic", (2,), CORNERS),
            ("trilinear", (3,), CORNERS),
        ]
        for n in axes
        for size in SIZES
        for more in options
    ]  # fmt: skip

    @pytest.mark.filterwarnings("ignore:The default behavior for interpolate")
    @pytest.mark.parametrize(("mode", "axes", "options"), INTERPOLATED)
    def test_interpolation_is_that_of_torch(mode, axes, options):
        check_function_as_torch(lambda f, x: f.interpolate(x, mode=mode, **options), SHAPES[axes])

    PADDED = [
        ("constant", (2, 3), (1, 2), None),
        ("constant", (4,), (1, 2), 3.0),
        ("constant", (2, 1, 3, 2), (1, 0, 2, 1, 0, 1, 1, 1), -1),
        ("constant", (2, 3), (-1, 2, 1, -1), 2.0),
        ("reflect", (2, 4), (3, 2), None),
        ("reflect", (2, 4), (2, -1), None),
        ("reflect", (2, 4, 3), (1, 2, 3, 0), None),
        ("replicate", (2, 4), (7, 5), None),
        ("replicate", (2, 4), (-1, 5), None),
        ("circular", (2, 4), (4, 3), None),
        ("circular", (2, 4), (2, -2), None),
    ]

    @pytest.mark.parametrize(("mode", "shape", "pad", "value"), PADDED)
    def test_padding_is_that_of_torch(mode, shape, pad, value):
        check_function_as_torch(lambda f, x: f.pad(x, pad, mode, value), shape)
