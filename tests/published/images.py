"""Examples with convolution and pooling. Courses that put channels last are brought to this project's N×C×H×W."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from nn import functional as F

from . import drawn, example, gradients


def channels_first(x: Any) -> Any:
    return np.moveaxis(x, -1, 1)


def channels_last(x: Any) -> Any:
    return np.moveaxis(x, 1, -1)


def kernels(W: Any) -> Any:
    """Kernels H×W×C×F as F×C×H×W."""
    return np.transpose(W, (3, 2, 0, 1))


def one_image(x: Any) -> Any:
    """A picture as a batch of one with one channel."""
    return np.reshape(x, (1, 1, *np.shape(x)))


# --- Coursera ---------------------------------------------------------------------------------------------------------


def coursera_conv(A: Any, W: Any, b: Any, stride: int, pad: int) -> Any:
    return channels_last(F.conv2d(channels_first(A), kernels(W), b.reshape(-1), stride=stride, padding=pad))


def convolved(shape: tuple[int, ...], kernel: tuple[int, ...], stride: int, pad: int) -> tuple[Any, ...]:
    A, W, b = (Tensor(value) for value in drawn(1, shape, kernel, (1, 1, 1, kernel[-1])))
    return A, W, b, coursera_conv(A, W, b, stride, pad)


@example("coursera-conv_forward")
def conv_forward(given: Any) -> dict[str, Any]:
    patch, W, b = (Tensor(value) for value in drawn(1, (4, 4, 3), (4, 4, 3), (1, 1, 1)))
    single = coursera_conv(patch[None], W[..., None], b, 1, 0)
    *_, v1 = convolved((2, 5, 7, 4), (3, 3, 4, 8), 2, 1)
    *_, v2a = convolved((10, 5, 7, 4), (3, 3, 4, 8), 2, 1)
    *_, original = convolved((10, 4, 4, 3), (2, 2, 3, 8), 2, 2)
    return {
        "single": single.item(),
        "Z_full": v1,
        "Z_mean_v1": v1.mean(),
        "Z_021": v1[0, 2, 1],
        "Z_mean_v2a": v2a.mean(),
        "Z_321": v2a[3, 2, 1],
        "Z_mean_pad2_orig": original.mean(),
    }


@example("coursera-conv_backward")
def conv_backward(given: Any) -> dict[str, Any]:
    A, W, b, Z = convolved((10, 4, 4, 3), (2, 2, 3, 8), 2, 2)
    dA, dW, db = gradients(Z, A, W, b, seed=Z.data)
    return {"dA_mean": dA.mean(), "dW_mean": dW.mean(), "db_mean": db.mean()}


@example("coursera-pool_forward")
def pool_forward(given: Any) -> dict[str, Any]:
    A = channels_first(Tensor(drawn(1, (2, 5, 5, 3))[0]))
    return {
        "max_s1": channels_last(F.max_pool2d(A, 3, 1)),
        "max_s2_0": channels_last(F.max_pool2d(A, 3, 2))[0],
        "avg_s2_1": channels_last(F.avg_pool2d(A, 3, 2))[1],
        "avg_s1_11": channels_last(F.avg_pool2d(A, 3, 1))[1, 1],
    }


# --- CS231n -----------------------------------------------------------------------------------------------------------


@example("cs231n-a2-conv_forward_naive")
def conv_forward_naive(given: Any) -> dict[str, Any]:
    x = Tensor(np.linspace(-0.1, 0.5, 96).reshape(2, 3, 4, 4))
    w = Tensor(np.linspace(-0.2, 0.3, 144).reshape(3, 3, 4, 4))
    b = Tensor(np.linspace(-0.1, 0.2, 3))
    return {"out": F.conv2d(x, w, b, stride=given.stride, padding=given.pad)}


@example("cs231n-a2-max_pool_forward_naive")
def max_pool_forward_naive(given: Any) -> dict[str, Any]:
    x = Tensor(np.linspace(-0.3, 0.4, 96).reshape(2, 3, 4, 4))
    return {"out": F.max_pool2d(x, given.pool, given.stride)}


# --- single pictures --------------------------------------------------------------------------------------------------


@example("d2l-conv-pool")
def d2l(given: Any) -> dict[str, Any]:
    X, K = Tensor(given.X), Tensor(given.K)
    Y = F.conv2d(one_image(X), one_image(K))
    pooled = F.max_pool2d(one_image(X), 2, 1)
    dX, dK = gradients(Y, X, K, seed=np.ones(Y.shape))
    picture = np.ones((6, 8))
    picture[:, 2:6] = 0
    edges = F.conv2d(one_image(Tensor(picture)), np.array([[[[1.0, -1.0]]]]))
    return {
        "Y": Y[0, 0],
        "maxp": pooled[0, 0],
        "edge_row": edges[0, 0, 0],
        "dK": dK,
        "dX": dX,
        "dX_maxpool": gradients(pooled, X, seed=np.ones(pooled.shape))[0],
    }


@example("cnn-7x7-article")
def ramp_of_7_by_7(given: Any) -> dict[str, Any]:
    X = Tensor(np.arange(1.0, 50.0).reshape(7, 7))
    K1 = Tensor([[1.0, 0.0, -1.0]] * 3)
    C1 = F.conv2d(one_image(X), one_image(K1), np.array([given.b1]))[0, 0]
    return {"cell00": C1[0, 0], "C1": C1}


@example("stackexchange-maxpool")
def max_pool_with_channels_last(given: Any) -> dict[str, Any]:
    x = Tensor(given.x)
    y = channels_last(F.max_pool2d(channels_first(x[None]), 2))[0, 0, 0]
    return {"y": y, "dx": gradients(y, x, seed=given.g)[0]}


# --- ONNX -------------------------------------------------------------------------------------------------------------


def conv_transpose(x: Tensor, weight: Tensor, dilation: int = 1) -> Any:
    """The transposed convolution: the gradient of a convolution in its input, where `x` is the upstream gradient."""
    size = [n + dilation * (k - 1) for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)]
    image = Tensor(np.zeros((1, weight.shape[1], *size)))
    F.conv2d(image, weight, dilation=dilation).backward(x, create_graph=True)
    return image.grad


ONNX: dict[str, Any] = {
    "test_basic_conv_with_padding": lambda x, w: F.conv2d(x, w, padding=1),
    "test_basic_conv_without_padding": lambda x, w: F.conv2d(x, w),
    "test_conv_with_strides_padding": lambda x, w: F.conv2d(x, w, stride=2, padding=1),
    "test_conv_with_strides_no_padding": lambda x, w: F.conv2d(x, w, stride=2),
    "test_conv_with_strides_and_asymmetric_padding": lambda x, w: F.conv2d(x, w, stride=2, padding=(1, 0)),
    "test_convtranspose": conv_transpose,
    "test_convtranspose_dilations": lambda x, w: conv_transpose(x, w, dilation=2),
    "test_maxpool_2d_precomputed_pads": lambda x: F.max_pool2d(x, 5, 1, 2),
    "test_maxpool_2d_precomputed_strides": lambda x: F.max_pool2d(x, 2, 2),
    "test_averagepool_2d_precomputed_pads": lambda x: F.avg_pool2d(x, 5, 1, 2, count_include_pad=False),
    "test_averagepool_2d_precomputed_pads_count_include_pad": lambda x: F.avg_pool2d(x, 5, 1, 2),
    "test_averagepool_2d_precomputed_strides": lambda x: F.avg_pool2d(x, 2, 2),
}


@example("onnx-doc-conv-pool-literals")
def onnx_cases(given: Any) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name, function in ONNX.items():
        operands = [Tensor(np.array(operand)) for operand in given.given[name]]
        out = function(*operands)
        found = gradients(out, *operands, seed=np.ones(out.shape))
        results |= {name: out, f"{name}_dX": found[0]}
        if len(operands) == 2:
            results[f"{name}_dW"] = found[1]
    return results
