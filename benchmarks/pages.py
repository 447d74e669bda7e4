"""Pages of the step view: how large they are, and how long they take to make and to open in a headless Chromium.

There is nothing to compare them with, so this is a program of its own: ``python -m benchmarks.pages``.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import nn
import viz
from autograd import Tensor
from nn import functional as F

_TRIES = 5


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int, rng: np.random.Generator):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, rng=rng)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, rng=rng)
        same = stride == 1 and inputs == outputs
        self.short = None if same else nn.Conv2d(inputs, outputs, 1, stride=stride, rng=rng)

    def forward(self, x: Tensor) -> Any:
        around = x if self.short is None else self.short(x)
        return F.relu(self.conv2(F.relu(self.conv1(x))) + around)


class ResNet(nn.Module):
    """As many blocks and channels as ResNet-18 has, for pictures of 32×32, without normalisation."""

    def __init__(self, rng: np.random.Generator):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3, padding=1, rng=rng)
        widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
        self.blocks = nn.Sequential(*(Block(a, b, 2 if b > a else 1, rng) for a, b in itertools.pairwise(widths)))
        self.head = nn.Linear(512, 10, rng=rng)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.blocks(F.relu(self.stem(x))).mean(axis=(2, 3)))


def lenet() -> Tensor:
    """The loss of LeNet on one digit."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, rng=rng), nn.Sigmoid(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5, rng=rng), nn.Sigmoid(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 120, rng=rng), nn.Sigmoid(), nn.Linear(120, 84, rng=rng),
        nn.Sigmoid(), nn.Linear(84, 10, rng=rng),
    )  # fmt: skip
    images, labels = nn.datasets.mnist("train")
    return F.cross_entropy(model(Tensor(images[:1], requires_grad=False)), labels[:1])


def resnet() -> Tensor:
    """The loss of a network of the size of ResNet-18 on one picture."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 3, 32, 32)).astype(np.float32)
    return F.cross_entropy(ResNet(rng)(Tensor(x, requires_grad=False)), [3])


def chain() -> Any:
    """5,000 operations in a row."""
    y: Any = Tensor(np.linspace(-1, 1, 9), name="x")
    for _ in range(2500):
        y = np.tanh(y * 1.1)
    return y.sum()


def main() -> None:
    """Print one line for each."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from browser import chromium  # type: ignore[import-not-found]

    print(f"{'page':<8} {'steps':>6} {'kB':>6} {'made in s':>10} {'opened in s':>12}")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for make in (lenet, resnet, chain):
            loss = make()
            start = time.perf_counter()
            stepper = viz.step(loss)
            path = stepper.save(Path(folder, f"{make.__name__}.html"))
            made = time.perf_counter() - start
            opened = statistics.median(_seconds(_open, browser, path) for _ in range(_TRIES))
            size = os.path.getsize(path) / 1000
            print(f"{make.__name__:<8} {len(stepper) - 1:>6} {size:>6.0f} {made:>10.2f} {opened:>12.2f}")


def _seconds(action: Callable[..., None], *args: Any) -> float:
    start = time.perf_counter()
    action(*args)
    return time.perf_counter() - start


def _open(browser: Any, path: Path) -> None:
    page = browser.new_page()
    page.goto(path.as_uri())
    page.locator(".app .cell.now").first.wait_for()
    page.close()


if __name__ == "__main__":
    main()
