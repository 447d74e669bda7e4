"""Layers, losses and transforms, whose first axis is the batch: what arrays of any library must pass."""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from autograd import Tensor, elementwise_grad, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from nn import functional as F

N = 6
_RNG = np.random.default_rng(3)


def numbers(*shape: int) -> Any:
    return _RNG.normal(size=(N, *shape))


LINE, IMAGE, CUBE, ROWS, TOKENS = numbers(2, 8), numbers(2, 6, 6), numbers(2, 4, 4, 4), numbers(4), numbers(5, 4)
F64 = {"dtype": np.float64}
MADE = {"rng": 0, **F64}


class _Twice(nn.Module):
    """A layer of several inputs, which all are the same here."""

    def __init__(self, layer: nn.Module, inputs: int):
        self.layer, self.inputs = layer, inputs

    def forward(self, x: Any) -> Any:
        return self.layer(*[x] * self.inputs)


LAYERS: dict[str, tuple[Any, Any]] = {
    "Linear": (lambda: nn.Linear(4, 3, **MADE), ROWS),
    "Linear of tokens": (lambda: nn.Linear(4, 3, **MADE), TOKENS),
    "Flatten": (nn.Flatten, IMAGE),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 2)), ROWS),
    "Conv1d": (lambda: nn.Conv1d(2, 4, 3, stride=2, padding=1, groups=2, **MADE), LINE),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, **MADE), IMAGE),
    "Conv2d strided": (lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2, **MADE), IMAGE),
    "Conv2d reflect": (lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect", **MADE), IMAGE),
    "Conv3d": (lambda: nn.Conv3d(2, 3, 2, padding=1, **MADE), CUBE),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(2, 3, 3, stride=2, **MADE), LINE),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, **MADE), IMAGE),
    "ConvTranspose3d": (lambda: nn.ConvTranspose3d(2, 3, 2, **MADE), CUBE),
    "MaxPool1d": (lambda: nn.MaxPool1d(2), LINE),
    "MaxPool2d": (lambda: nn.MaxPool2d(3, stride=2, padding=1), IMAGE),
    "MaxPool3d": (lambda: nn.MaxPool3d(2), CUBE),
    "AvgPool1d": (lambda: nn.AvgPool1d(2), LINE),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, stride=2, padding=1), IMAGE),
    "AvgPool3d": (lambda: nn.AvgPool3d(2), CUBE),
    "LPPool2d": (lambda: nn.LPPool2d(2, 2), IMAGE),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 4)), IMAGE),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d((2, 4)), IMAGE),
    "ZeroPad2d": (lambda: nn.ZeroPad2d(1), IMAGE),
    "ReplicationPad2d": (lambda: nn.ReplicationPad2d(1), IMAGE),
    "CircularPad2d": (lambda: nn.CircularPad2d(1), IMAGE),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), IMAGE),
    "Upsample bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), numbers(4, 3, 3)),
    "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), IMAGE),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), numbers(4, 3, 3)),
    "Unfold": (lambda: nn.Unfold(2), IMAGE),
    "Fold": (lambda: nn.Fold((4, 4), 2), numbers(8, 9)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4, track_running_stats=False, **F64), ROWS),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(2, track_running_stats=False, **F64), IMAGE),
    "BatchNorm2d eval": (lambda: nn.BatchNorm2d(2, **F64).eval(), IMAGE),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(2, affine=True, **F64), IMAGE),
    "LayerNorm": (lambda: nn.LayerNorm(4, **F64), TOKENS),
    "RMSNorm": (lambda: nn.RMSNorm(4, **F64), TOKENS),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4, **F64), ROWS),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2), IMAGE),
    "Dropout": (lambda: nn.Dropout(0.5, rng=0), ROWS),
    "Dropout2d": (lambda: nn.Dropout2d(0.5, rng=0), IMAGE),
    "AlphaDropout": (lambda: nn.AlphaDropout(0.5, rng=0), ROWS),
    "RNN": (lambda: nn.RNN(4, 3, batch_first=True, **MADE), TOKENS),
    "LSTM": (lambda: nn.LSTM(4, 3, batch_first=True, bidirectional=True, **MADE), TOKENS),
    "GRU": (lambda: nn.GRU(4, 3, batch_first=True, **MADE), TOKENS),
    "RNNCell": (lambda: nn.RNNCell(4, 3, **MADE), ROWS),
    "LSTMCell": (lambda: nn.LSTMCell(4, 3, **MADE), ROWS),
    "GRUCell": (lambda: nn.GRUCell(4, 3, **MADE), ROWS),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True, **MADE), TOKENS),
    "Embedding": (lambda: nn.Embedding(7, 3, **MADE), _RNG.integers(0, 7, (N, 5))),
    "Bilinear": (lambda: _Twice(nn.Bilinear(4, 4, 3, **MADE), 2), ROWS),
    "attention": (lambda: _Twice(nn.MultiheadAttention(4, 2, batch_first=True, **MADE), 3), TOKENS),
    "PReLU": (lambda: nn.PReLU(**F64), ROWS),
    "CosineSimilarity": (lambda: (lambda x: F.cosine_similarity(x, x * x)), ROWS),
    **{
        name: (getattr(nn, name), ROWS)
        for name in (
            "ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh", "Softplus",
            "Softsign", "Softshrink", "Hardshrink", "Hardtanh", "Hardsigmoid", "Hardswish", "LogSigmoid", "Tanhshrink",
            "Softmax", "Softmin", "LogSoftmax", "GLU",
        )
    },
}  # fmt: skip

LABELS, SIGNS, BITS = _RNG.integers(0, 4, N), _RNG.choice([-1.0, 1.0], (N, 4)), _RNG.integers(0, 2, (N, 4)) * 1.0
SHARES, WEIGHT = np.abs(numbers(4)) + 0.1, np.array([0.5, 1.0, 2.0, 0.2])
SHARES /= SHARES.sum(axis=1, keepdims=True)
PIXELS, OF_PIXELS = numbers(4, 3), _RNG.integers(0, 4, (N, 3))
LISTS = np.array([[3, 0, -1, 1], [1, -1, 0, 0], [0, 1, 2, 3]] * 2)

LOSSES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "cross_entropy": (F.cross_entropy, (ROWS, LABELS)),
    "cross_entropy, weights": (lambda z, y: F.cross_entropy(z, y, WEIGHT), (ROWS, LABELS)),
    "cross_entropy, ignoring": (lambda z, y: F.cross_entropy(z, y, ignore_index=1), (ROWS, LABELS)),
    "cross_entropy, smoothed": (lambda z, y: F.cross_entropy(z, y, WEIGHT, label_smoothing=0.1), (ROWS, LABELS)),
    "cross_entropy of pixels": (lambda z, y: F.cross_entropy(z, y, WEIGHT), (PIXELS, OF_PIXELS)),
    "cross_entropy of shares": (F.cross_entropy, (ROWS, SHARES)),
    "cross_entropy, summed": (lambda z, y: F.cross_entropy(z, y, reduction="sum"), (ROWS, LABELS)),
    "nll_loss": (lambda z, y: F.nll_loss(F.log_softmax(z), y), (ROWS, LABELS)),
    "log_loss": (lambda z, y: F.log_loss(F.softmax(z), y), (ROWS, LABELS)),
    "log_loss of shares": (lambda z, y: F.log_loss(F.softmax(z), y), (ROWS, SHARES)),
    "binary_cross_entropy": (lambda z, y: F.binary_cross_entropy(F.sigmoid(z), y, WEIGHT), (ROWS, BITS)),
    "binary_cross_entropy_with_logits": (
        lambda z, y: F.binary_cross_entropy_with_logits(z, y, WEIGHT, pos_weight=WEIGHT), (ROWS, BITS)),
    "mse_loss": (F.mse_loss, (ROWS, SHARES)),
    "l1_loss": (F.l1_loss, (ROWS, SHARES)),
    "smooth_l1_loss": (F.smooth_l1_loss, (ROWS, SHARES)),
    "huber_loss": (F.huber_loss, (ROWS, SHARES)),
    "kl_div": (lambda z, y: F.kl_div(F.log_softmax(z), y, reduction="batchmean"), (ROWS, SHARES)),
    "poisson_nll_loss": (lambda z, y: F.poisson_nll_loss(z, y, full=True), (ROWS, BITS * 3)),
    "gaussian_nll_loss": (lambda z, y: F.gaussian_nll_loss(z, y, z * z), (ROWS, SHARES)),
    "soft_margin_loss": (F.soft_margin_loss, (ROWS, SIGNS)),
    "hinge_embedding_loss": (F.hinge_embedding_loss, (ROWS, SIGNS)),
    "multi_margin_loss": (lambda z, y: F.multi_margin_loss(z, y, 2, weight=WEIGHT), (ROWS, LABELS)),
    "multilabel_margin_loss": (F.multilabel_margin_loss, (ROWS, LISTS)),
    "multilabel_soft_margin_loss": (F.multilabel_soft_margin_loss, (ROWS, BITS)),
    "margin_ranking_loss": (lambda z, y: F.margin_ranking_loss(z, z * z, y), (ROWS, SIGNS)),
    "cosine_embedding_loss": (lambda z, y: F.cosine_embedding_loss(z, z * z, y), (ROWS, SIGNS[:, 0])),
    "triplet_margin_loss": (lambda z, y: F.triplet_margin_loss(z, y, z * z), (ROWS, SHARES)),
}  # fmt: skip

TRANSFORMS: dict[str, Any] = {
    "grad": grad(lambda x: np.sum(np.tanh(x) * x)),
    "value_and_grad": lambda x: value_and_grad(lambda x: np.sum(np.tanh(x) * x))(x)[1],
    "grad of grad": grad(lambda x: np.sum(grad(lambda x: np.sum(np.sin(x) * x))(x) ** 2)),
    "elementwise_grad": elementwise_grad(lambda x: np.tanh(x) * x),
    "third derivative": elementwise_grad(elementwise_grad(elementwise_grad(np.tanh))),
    "jvp": lambda x: jvp(lambda x: np.sin(x) * np.exp(x), (x,), (x,))[1],
    "vjp": lambda x: vjp(lambda x: np.sin(x) * np.exp(x), x)[1](x)[0],
    "hvp": lambda x: hvp(lambda x: np.sum(np.sin(x) * np.exp(x)))(x, x),
    "jacobian": jacobian(lambda x: np.mean(np.tanh(x) * x, axis=0)),
    "hessian": hessian(lambda x: np.sum(np.tanh(x) * x)),
}


def gradients(layer: Any, x: Any, taken: Any, move: Any = None) -> list[Any]:
    """The loss of a layer's output, and its gradients by the input and the parameters; `taken` makes the
    input's array of NumPy's, `move` those of the layer."""
    model = layer()
    if move is not None and isinstance(model, nn.Module):
        model.load_state_dict({path: move(array) for path, array in model.state_dict().items()})
    x = Tensor(taken(x))
    out = model(x)
    out = out[0] if isinstance(out, tuple) else out
    loss = np.mean(np.sin(out) * out)
    loss.backward()
    leaves = [x, *model.parameters()] if isinstance(model, nn.Module) else [x]
    return [loss.data, *(leaf.grad for leaf in leaves if leaf.requires_grad)]


def loss_and_gradient(loss: Any, arrays: Any, taken: Any) -> list[Any]:
    """A loss, and its gradient by the first of its arrays."""
    z = Tensor(taken(arrays[0]))
    value = loss(z, *map(taken, arrays[1:]))
    value.backward()
    return [value.data, z.grad]
