"""One training step of a dense network 784-256-128-10 on a batch of 64, float32."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .networks import candidates, softmax_loss
from .timing import Row, compare

BATCH = 64
GOAL = 1.0
IMAGE = (784,)
SHAPES = [(256, 784), (256,), (128, 256), (128,), (10, 128), (10,)]


def model(nn: Any) -> Any:
    """The network out of `nn`'s layers: ours, or torch.nn."""
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))


def by_hand(parameters: list[Any], x: Any, labels: Any) -> tuple[Any, list[Any]]:
    """Its loss and gradients in plain NumPy."""
    w1, b1, w2, b2, w3, b3 = parameters
    a1 = np.maximum(x @ w1.T + b1, 0)
    a2 = np.maximum(a1 @ w2.T + b2, 0)
    loss, g3 = softmax_loss(a2 @ w3.T + b3, labels)
    g2 = (g3 @ w3) * (a2 > 0)
    g1 = (g2 @ w2) * (a1 > 0)
    return loss, [g1.T @ x, g1.sum(0), g2.T @ a1, g2.sum(0), g3.T @ a2, g3.sum(0)]


def run(rounds: int) -> list[Row]:
    """One row, in microseconds per step."""
    libraries = candidates(sys.modules[__name__], BATCH)
    case = f"batch {BATCH} float32"
    return [compare("mlp", case, libraries, rounds=rounds, calls=20, rtol=1e-3, atol=1e-6, unit="us", goal=GOAL)]
