"""One training step of LeNet (two convolutions, two poolings, three dense layers) on a batch of 64, float32."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .networks import candidates, softmax_loss
from .timing import Row, compare

BATCH = 64
GOAL = 1.5
IMAGE = (1, 28, 28)
SHAPES = [(6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (10, 84), (10,)]


def model(nn: Any) -> Any:
    """The network out of `nn`'s layers: ours, or torch.nn."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def by_hand(parameters: list[Any], images: Any, labels: Any) -> tuple[Any, list[Any]]:
    """Its loss and gradients in plain NumPy, with images in memory as channels x height x width x batch."""
    k1, c1, k2, c2, w1, b1, w2, b2, w3, b3 = parameters
    x0 = np.pad(images.transpose(1, 2, 3, 0), ((0, 0), (2, 2), (2, 2), (0, 0)))
    r1 = np.maximum(_convolve(x0, k1) + c1[:, None, None, None], 0)
    p1 = _pool(r1)
    r2 = np.maximum(_convolve(p1, k2) + c2[:, None, None, None], 0)
    p2 = _pool(r2)
    flat = np.ascontiguousarray(p2.reshape(400, -1).T)
    a1 = np.maximum(flat @ w1.T + b1, 0)
    a2 = np.maximum(a1 @ w2.T + b2, 0)
    loss, g3 = softmax_loss(a2 @ w3.T + b3, labels)
    g2 = (g3 @ w3) * (a2 > 0)
    g1 = (g2 @ w2) * (a1 > 0)
    g = np.ascontiguousarray((g1 @ w1).T).reshape(p2.shape)
    g = _pool_backward(g, r2, p2) * (r2 > 0)
    grad_c2, grad_k2 = g.sum((1, 2, 3)), _kernel_gradient(g, p1, k2)
    g = _pool_backward(_input_gradient(g, p1, k2), r1, p1) * (r1 > 0)
    grad_c1, grad_k1 = g.sum((1, 2, 3)), _kernel_gradient(g, x0, k1)
    dense = [g1.T @ flat, g1.sum(0), g2.T @ a1, g2.sum(0), g3.T @ a2, g3.sum(0)]
    return loss, [grad_k1, grad_c1, grad_k2, grad_c2, *dense]


ROWS = 2  # output rows a block: their columns stay in the processor's cache


def _columns(x: Any, size: int, row: int, rows: int) -> Any:
    """The windows under `rows` output rows from `row` on: (channels·size·size, rows·width·batch)."""
    channels, _, width, batch = x.shape
    out_width = width - size + 1
    columns = np.empty((channels, size, size, rows, out_width, batch), x.dtype)
    for i in range(size):
        for j in range(size):
            columns[:, i, j] = x[:, row + i : row + i + rows, j : j + out_width]
    return columns.reshape(channels * size * size, -1)


def _blocks(height: int) -> list[tuple[int, int]]:
    return [(row, min(ROWS, height - row)) for row in range(0, height, ROWS)]


def _convolve(x: Any, kernel: Any) -> Any:
    out_channels, _, size, _ = kernel.shape
    height, width, batch = x.shape[1] - size + 1, x.shape[2] - size + 1, x.shape[3]
    out = np.empty((out_channels, height, width, batch), x.dtype)
    for row, rows in _blocks(height):
        product = kernel.reshape(out_channels, -1) @ _columns(x, size, row, rows)
        out[:, row : row + rows] = product.reshape(out_channels, rows, width, batch)
    return out


def _kernel_gradient(g: Any, x: Any, kernel: Any) -> Any:
    out_channels, _, size, _ = kernel.shape
    total = np.zeros((out_channels, kernel[0].size), x.dtype)
    for row, rows in _blocks(g.shape[1]):
        total += g[:, row : row + rows].reshape(out_channels, -1) @ _columns(x, size, row, rows).T
    return total.reshape(kernel.shape)


def _input_gradient(g: Any, x: Any, kernel: Any) -> Any:
    out_channels, _, size, _ = kernel.shape
    _, height, width, _ = g.shape
    total = np.zeros_like(x)
    flat = g.reshape(out_channels, -1)
    for i in range(size):
        for j in range(size):
            part = kernel[:, :, i, j].T @ flat
            total[:, i : i + height, j : j + width] += part.reshape(-1, *g.shape[1:])
    return total


def _quarters(x: Any) -> list[Any]:
    return [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]


def _pool(x: Any) -> Any:
    a, b, c, d = _quarters(x)
    return np.maximum(np.maximum(a, b), np.maximum(c, d))


def _pool_backward(g: Any, x: Any, pooled: Any) -> Any:
    """Each window's gradient goes to its first largest element."""
    out = np.empty_like(x)
    free = np.ones(pooled.shape, bool)
    for part, into in zip(_quarters(x), _quarters(out), strict=True):
        chosen = (part == pooled) & free
        np.multiply(g, chosen, out=into)
        free &= ~chosen
    return out


def run(rounds: int) -> list[Row]:
    """One row, in milliseconds per step."""
    libraries = candidates(sys.modules[__name__], BATCH)
    case = f"batch {BATCH} float32"
    return [compare("lenet", case, libraries, rounds=rounds, calls=5, rtol=1e-3, atol=1e-6, unit="ms", goal=GOAL)]
