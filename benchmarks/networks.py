"""The two networks that are trained in the benchmarks, each for tracegrad, PyTorch and NumPy written by hand.

All start from the same weights and see the same batch; a step is forward, backward and plain SGD.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import nn
from autograd import Tensor

from .timing import OURS, Candidate, torch_or_none

RATE = 0.01
STEPS_CHECKED = 3


def candidates(network: Any, batch: int, only: str | None = None) -> dict[str, Candidate]:
    """A training step of `network` (a module of this package) on `batch` images, for each library installed, or `only`
    one of them."""
    rng = np.random.default_rng(0)
    weights = [
        rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(np.sqrt(np.prod(shape[1:] or shape)))
        for shape in network.SHAPES
    ]
    images = rng.uniform(0, 1, (batch, *network.IMAGE)).astype(np.float32)
    labels = rng.integers(0, 10, batch)
    makers: dict[str, Callable[..., Candidate]] = {"numpy": _numpy, OURS: _ours}
    torch = torch_or_none() if only in (None, "torch") else None
    if torch is not None:
        makers["torch"] = partial(_torch, torch)
    return {name: make(network, weights, images, labels) for name, make in makers.items() if only in (None, name)}


def _ours(network: Any, weights: Sequence[Any], images: Any, labels: Any) -> Candidate:
    inputs = Tensor(images, requires_grad=False)

    def start() -> tuple[Any, Any]:
        model = network.model(nn)
        for parameter, value in zip(model.parameters(), weights, strict=True):
            parameter.data = value
        return model, nn.SGD(model.parameters(), lr=RATE)

    def step(model: Any, optimizer: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return _training(start, step, lambda p: p.grad)


def _torch(torch: Any, network: Any, weights: Sequence[Any], images: Any, labels: Any) -> Candidate:
    inputs, targets = torch.tensor(images), torch.tensor(labels)

    def start() -> tuple[Any, Any]:
        model = network.model(torch.nn)
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), weights, strict=True):
                parameter.copy_(torch.tensor(value))
        return model, torch.optim.SGD(model.parameters(), lr=RATE)

    def step(model: Any, optimizer: Any) -> Any:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return _training(start, step, lambda p: p.grad.numpy())


def _training(start: Any, step: Any, gradient: Any) -> Candidate:
    model, optimizer = start()

    def numbers() -> list[Any]:
        fresh, its_optimizer = start()
        losses = [step(fresh, its_optimizer) for _ in range(STEPS_CHECKED)]
        return [losses, *(np.array(gradient(p)) for p in fresh.parameters())]

    return Candidate(lambda: step(model, optimizer), numbers)


def _numpy(network: Any, weights: Sequence[Any], images: Any, labels: Any) -> Candidate:
    def step(parameters: list[Any]) -> tuple[Any, list[Any]]:
        loss, gradients = network.by_hand(parameters, images, labels)
        for parameter, g in zip(parameters, gradients, strict=True):
            parameter -= np.float32(RATE) * g
        return loss, gradients

    def numbers() -> list[Any]:
        parameters = [w.copy() for w in weights]
        steps = [step(parameters) for _ in range(STEPS_CHECKED)]
        return [[loss for loss, _ in steps], *steps[-1][1]]

    kept = [w.copy() for w in weights]
    return Candidate(lambda: step(kept), numbers)


def softmax_loss(logits: Any, labels: Any) -> tuple[Any, Any]:
    """The mean cross-entropy of `logits` (N, classes) and its gradient: (softmax − one-hot) / N."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    exp = np.exp(shifted)
    total = exp.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float((np.log(total[:, 0]) - shifted[rows, labels]).mean())
    g = exp / total
    g[rows, labels] -= 1
    g /= len(labels)
    return loss, g
