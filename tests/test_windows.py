"""Windows, their products and extremes: against loops written out, of every order, each the other's adjoint."""

import itertools

import numpy as np
import pytest

from autograd import Tape, Tensor
from autograd.rules import windows as w
from autograd.testing import gradcheck

RNG = np.random.default_rng(0)
CASES = [
    # N, C, H, W, F, kernel, stride, dilation, groups, padding
    (1, 1, 5, 5, 1, (3, 3), (1, 1), (1, 1), 1, ((0, 0), (0, 0))),
    (2, 3, 6, 5, 4, (3, 2), (1, 1), (1, 1), 1, ((1, 1), (0, 1))),
    (3, 4, 7, 6, 6, (2, 3), (2, 1), (1, 1), 2, ((0, 0), (2, 1))),
    (2, 2, 9, 9, 2, (3, 3), (2, 3), (2, 2), 2, ((1, 0), (1, 1))),
    (1, 2, 4, 4, 3, (4, 4), (1, 1), (1, 1), 1, ((0, 0), (0, 0))),
]


def case_arrays(case):
    n, c, h, width, f, kernel, _, _, groups, _ = case
    return RNG.standard_normal((n, c, h, width)), RNG.standard_normal((f, c // groups, *kernel))


def convolve(x, weight, case):
    *_, stride, dilation, groups, padding = case
    if padding != ((0, 0), (0, 0)):
        x = w.zero_pad(x, padding=padding)
    return w.window_product(w.windows(x, weight.shape[2:], stride, dilation), weight, groups)


def convolve_by_loops(x, weight, case):
    n, _, _, _, f, (kh, kw), (sh, sw), (dh, dw), groups, padding = case
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    oh = (x.shape[2] - dh * (kh - 1) - 1) // sh + 1
    ow = (x.shape[3] - dw * (kw - 1) - 1) // sw + 1
    per = weight.shape[1]
    out = np.zeros((n, f, oh, ow))
    for b, k, p, q in np.ndindex(out.shape):
        first = k // (f // groups) * per
        for c, i, j in np.ndindex(weight.shape[1:]):
            out[b, k, p, q] += x[b, first + c, p * sh + i * dh, q * sw + j * dw] * weight[k, c, i, j]
    return out


@pytest.mark.parametrize("case", CASES)
def test_a_convolution_of_windows_agrees_with_loops(case):
    x, weight = case_arrays(case)
    np.testing.assert_allclose(convolve(x, weight, case), convolve_by_loops(x, weight, case), atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_convolutions_have_right_derivatives_of_two_orders(case):
    gradcheck(lambda x, k: convolve(x, k, case) ** 2, *case_arrays(case), directions=2)


@pytest.mark.parametrize("block", [1, 50, 10**6])
def test_the_size_of_the_scratch_does_not_change_the_result(monkeypatch, block):
    case = CASES[1]
    x, weight = case_arrays(case)
    expected = convolve_by_loops(x, weight, case)
    monkeypatch.setattr(w, "BLOCK", block)
    np.testing.assert_allclose(convolve(x, weight, case), expected, atol=1e-12)
    k = Tensor(weight)
    loss = convolve(Tensor(x), k, case).sum()
    loss.backward()
    gradcheck(lambda k: convolve(x, k, case), weight, order=1, directions=1)


def test_windows_are_a_view_of_one_image():
    x = RNG.standard_normal((1, 2, 5, 5))
    assert np.shares_memory(w.windows(x, (3, 3)), x)


def test_folding_is_the_adjoint_of_taking_windows():
    x = RNG.standard_normal((2, 3, 7, 6))
    for kernel, stride, dilation in itertools.product([(2, 2), (3, 1)], [(1, 1), (2, 2), (3, 2)], [(1, 1), (2, 3)]):
        seen = w.windows(x, kernel, stride, dilation)
        y = RNG.standard_normal(seen.shape)
        back = w.fold_windows(y, x.shape, stride, dilation)
        np.testing.assert_allclose(np.sum(seen * y), np.sum(x * back))


def test_the_largest_of_each_window_and_its_derivatives():
    x = RNG.permutation(2 * 2 * 6 * 6).reshape(2, 2, 6, 6) / 10.0
    for kernel, stride in [((2, 2), (2, 2)), ((3, 3), (2, 2)), ((2, 3), (1, 1)), ((1, 1), (1, 1))]:
        got = w.window_max(w.windows(x, kernel, stride))
        np.testing.assert_array_equal(got, np.max(w.windows(x, kernel, stride), axis=(-2, -1)))
        gradcheck(lambda x, k=kernel, s=stride: w.window_max(w.windows(x, k, s)) ** 2, x, directions=1)


@pytest.mark.parametrize("shape", [(2, 3), (3, 1), (1, 1), (4, 2, 3), (2, 1, 3, 2)])
def test_extremes_and_means_of_windows_with_any_axes_before_them(shape):
    x = RNG.permutation(np.prod(shape)).reshape(shape) / 10.0
    np.testing.assert_array_equal(w.window_max(x), np.max(x, axis=(-2, -1)))
    np.testing.assert_allclose(w.window_mean(x), np.mean(x, axis=(-2, -1)))
    gradcheck(lambda x: w.window_max(x) ** 2, x, directions=1)
    gradcheck(lambda x: w.window_mean(x) ** 2, x, directions=1)


def test_of_equal_largest_elements_the_first_gets_the_gradient():
    x = Tensor(np.ones((1, 1, 2, 4)))
    w.window_max(w.windows(x, (2, 2), (2, 2))).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], [[1, 0, 1, 0], [0, 0, 0, 0]])


def test_the_mean_of_each_window_and_its_derivatives():
    x = RNG.standard_normal((2, 2, 6, 5))
    for kernel, stride in [((2, 2), (2, 2)), ((3, 2), (1, 2))]:
        got = w.window_mean(w.windows(x, kernel, stride))
        np.testing.assert_allclose(got, np.mean(w.windows(x, kernel, stride), axis=(-2, -1)))
        gradcheck(lambda x, k=kernel, s=stride: w.window_mean(w.windows(x, k, s)) ** 2, x, directions=1)


def test_padding_adds_a_border_of_a_value():
    x = np.ones((2, 1, 2, 3))
    got = w.zero_pad(x, padding=((1, 0), (0, 2)), value=-5.0)
    np.testing.assert_array_equal(got, np.pad(x, ((0, 0), (0, 0), (1, 0), (0, 2)), constant_values=-5))


def test_a_kernel_larger_than_the_image_is_a_sentence():
    with pytest.raises(ValueError, match=r"a kernel of 3×3 \(dilated to 5×5\) does not fit into images of 4×9"):
        w.windows(np.ones((1, 1, 4, 9)), (3, 3), (1, 1), (2, 2))


def test_the_record_says_how_many_times_each_weight_is_used():
    case = ((1, 1), (1, 1), 1, ((0, 0), (0, 0)))
    out = convolve(Tensor(np.ones((1, 1, 28, 28))), Tensor(np.ones((6, 1, 5, 5))), case)
    node = out.node
    assert node.rule.uses(node, 1) == 576
    assert [n.op for n in Tape(out)][-2:] == ["windows", "window_product"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_convolution_keeps_the_dtype(dtype):
    case = CASES[1]
    x, k = (Tensor(a.astype(dtype)) for a in case_arrays(case))
    out = convolve(x, k, case)
    assert out.dtype == dtype
    out.sum().backward()
    assert x.grad.dtype == k.grad.dtype == dtype


def test_numpys_own_sliding_windows_have_derivatives_of_two_orders():
    view = np.lib.stride_tricks.sliding_window_view
    x = RNG.standard_normal((4, 5))
    for window, axis in [((2, 3), None), (2, 1), (3, -2), ((2, 2), (0, 0))]:
        got = view(Tensor(x), window, axis)
        np.testing.assert_array_equal(got.data, view(x, window, axis))
        gradcheck(lambda x, w=window, a=axis: view(x, w, a) ** 2, x, directions=1)


def test_an_empty_batch_has_an_empty_convolution():
    x, k = Tensor(np.ones((0, 2, 5, 5))), Tensor(np.ones((3, 2, 2, 2)))
    out = w.window_product(w.windows(x, (2, 2)), k)
    assert out.shape == (0, 3, 4, 4)
    out.sum().backward()
    assert x.grad.shape == (0, 2, 5, 5)
    np.testing.assert_array_equal(k.grad, 0)
