"""Draws the gallery: computations as people write them, each in its default picture.

``python docs/gallery/draw.py`` writes an SVG of each next to this file.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nn
import viz
from autograd import Tensor
from nn import functional as F

HERE = Path(__file__).parent


def rng() -> np.random.Generator:
    """The same random numbers in each picture."""
    return np.random.default_rng(0)


def mlp() -> Any:
    """Two layers in plain NumPy."""
    r = rng()
    X, y = r.normal(size=(8, 4)), np.eye(3)[r.integers(0, 3, 8)]
    W1, b1 = Tensor(r.normal(size=(4, 5))), Tensor(np.zeros(5))
    W2, b2 = Tensor(r.normal(size=(5, 3))), Tensor(np.zeros(3))
    z1 = X @ W1 + b1
    a1 = np.maximum(0, z1)
    z2 = a1 @ W2 + b2
    e = np.exp(z2 - np.max(z2, axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -(y * np.log(p)).sum(axis=1).mean()


def rnn(steps: int) -> Any:
    """A recurrent network in plain NumPy."""
    r = rng()
    xs, y = r.normal(size=(steps, 3)), np.array([1.0, -1.0])
    W, U, b = Tensor(r.normal(size=(4, 3)) / 2), Tensor(r.normal(size=(4, 4)) / 2), Tensor(np.zeros(4))
    V = Tensor(r.normal(size=(2, 4)))
    h = np.zeros(4)
    for t in range(steps):
        z = W @ xs[t] + U @ h + b
        h = np.tanh(z)
    o = V @ h
    return ((o - y) ** 2).sum()


def residual(blocks: int) -> Any:
    """Residual blocks in plain NumPy."""
    r = rng()
    x = Tensor(r.normal(size=(2, 6)))
    Ws = [(Tensor(r.normal(size=(6, 6)) / 3), Tensor(r.normal(size=(6, 6)) / 3)) for _ in range(blocks)]
    for W1, W2 in Ws:
        h = np.maximum(0, x @ W1)
        x = x + h @ W2
    return (x**2).mean()


def forty() -> Any:
    """`nn.Sequential` of 40 layers."""
    r = rng()
    layers = [layer for _ in range(20) for layer in (nn.Linear(8, 8, rng=r), nn.Tanh())]
    out = nn.Sequential(*layers)(r.normal(size=(4, 8)))
    return F.mse_loss(out, np.zeros((4, 8)))


def attention() -> Any:
    """One head of attention with a mask, the way around it and layer normalisation, in plain NumPy."""
    r = rng()
    X = Tensor(r.normal(size=(5, 8)))
    Wq, Wk, Wv, Wo = (Tensor(r.normal(size=(8, 8)) / 3) for _ in range(4))
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    mask = np.triu(np.full((5, 5), -1e9), 1)
    S = Q @ K.T / np.sqrt(8) + mask
    E = np.exp(S - np.max(S, axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    O = P @ V @ Wo  # noqa: E741
    R = X + O
    C = R - R.mean(axis=1, keepdims=True)
    N = C / np.sqrt((C**2).mean(axis=1, keepdims=True) + 1e-5)
    gamma, beta = Tensor(np.ones(8)), Tensor(np.zeros(8))
    Y = gamma * N + beta
    return ((Y - X.data[::-1]) ** 2).mean()


def lstm() -> Any:
    """An LSTM of 8 steps in plain NumPy."""

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    r = rng()
    xs = r.normal(size=(8, 3))
    Wf, Wi, Wo, Wg = (Tensor(r.normal(size=(4, 7)) / 2) for _ in range(4))
    bf, bi, bo, bg = (Tensor(np.zeros(4)) for _ in range(4))
    h, c = np.zeros(4), np.zeros(4)
    for t in range(8):
        x = np.concatenate([h, xs[t]])
        f = sigmoid(Wf @ x + bf)
        i = sigmoid(Wi @ x + bi)
        o = sigmoid(Wo @ x + bo)
        g = np.tanh(Wg @ x + bg)
        c = f * c + i * g
        h = o * np.tanh(c)
    return (h**2).sum()


def lenet() -> Any:
    """A convolutional network of `nn`'s layers."""
    r = rng()
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2, rng=r), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, rng=r), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120, rng=r), nn.ReLU(), nn.Linear(120, 84, rng=r), nn.ReLU(),
        nn.Linear(84, 10, rng=r),
    )  # fmt: skip
    return F.cross_entropy(model(r.normal(size=(1, 1, 28, 28))), np.array([3]))


class Block(nn.Module):
    """Two convolutions with norms, and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.short = None
        if stride != 1 or inputs != outputs:
            self.short = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Any:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        around = x if self.short is None else self.short(x)
        return F.relu(out + around)


class ResNet(nn.Module):
    """ResNet-18 with an eighth of its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(Block(8, 8, 1), Block(8, 8, 1))
        self.layer2 = nn.Sequential(Block(8, 16, 2), Block(16, 16, 1))
        self.layer3 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1))
        self.layer4 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1))
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Any:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean(axis=(2, 3)))


def resnet() -> Any:
    """ResNet-18's blocks."""
    return F.cross_entropy(ResNet()(rng().normal(size=(2, 3, 16, 16))), np.array([1, 2]))


def transformer() -> Any:
    """An encoder of 12 layers, of `nn`'s layers."""
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    out = nn.TransformerEncoder(layer, 12)(rng().normal(size=(2, 6, 16)))
    return (out**2).mean()


GALLERY: dict[str, Callable[[], Any]] = {
    "mlp": mlp,
    **{f"rnn_{steps}": partial(rnn, steps) for steps in (3, 4, 5, 20, 200)},
    "residual_12": partial(residual, 12),
    "sequential_40": forty,
    "attention": attention,
    "lstm_8": lstm,
    "lenet": lenet,
    "resnet_18": resnet,
    "transformer_12": transformer,
}


def main(names: list[str]) -> None:
    """Draw those of some names, or all."""
    for name, made in GALLERY.items():
        if names and name not in names:
            continue
        nn.manual_seed(0)
        loss = made()
        start = time.perf_counter()
        picture = viz.draw(loss)
        picture.save(HERE / f"{name}.svg")
        took = time.perf_counter() - start
        print(f"{name}: {len(picture.graph.boxes)} boxes, {took:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
