"""A wrong gradient explained: how long a person waits for explain_mismatch, on networks where much could be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from time import thread_time
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor
from nn import functional as F
from viz import explain_mismatch

from .timing import OURS, Row

__all__ = ["Case", "cases", "run"]

GOAL = 2.5
"""Seconds: the two that slips are tried, and what is done before."""


class Case(NamedTuple):
    """A loss, some gradients of it, and the slip that is in one of them; None: noise, which nothing explains."""

    name: str
    loss: Tensor
    hands: dict[Tensor, Any]
    slip: str | None


def resnet(blocks: int = 30, width: int = 8, batch: int = 6) -> tuple[Tensor, list[Tensor]]:
    """Residual blocks of two dense layers, with a normalisation that is written out; the loss and the weights."""
    rng = np.random.default_rng(0)
    h: Any = Tensor(rng.normal(size=(batch, width)), requires_grad=False)
    weights: list[Tensor] = []
    for k in range(1, blocks + 1):
        W = Tensor(rng.normal(size=(width, width)) / np.sqrt(width), name=f"W{k}")
        V = Tensor(rng.normal(size=(width, width)) / np.sqrt(width), name=f"V{k}")
        b = Tensor(np.zeros(width), name=f"b{k}")
        weights += [W, V, b]
        z = h @ W + b
        z = (z - z.mean(axis=0)) / np.sqrt(((z - z.mean(axis=0)) ** 2).mean(axis=0) + 1e-5)
        h = h + F.relu(z) @ V
    return ((h - rng.normal(size=(batch, width))) ** 2).mean(), weights


def recurrence(steps: int = 2000) -> tuple[Tensor, list[Tensor]]:
    """Three operations a step."""
    rng = np.random.default_rng(1)
    w, u = Tensor(rng.normal(size=4) / 3, name="w"), Tensor(rng.normal(size=4) / 3, name="u")
    h: Any = Tensor(np.zeros(4), requires_grad=False)
    for _ in range(steps):
        h = np.tanh(w * h + u)
    return 0.5 * (h**2).sum(), [w, u]


def lstm(steps: int = 8, width: int = 6, batch: int = 4) -> tuple[Tensor, list[Tensor]]:
    """An LSTM through time, its gates written one by one; a squared error at every step."""
    rng = np.random.default_rng(2)
    gates = {
        gate: (
            Tensor(rng.normal(size=(width, width)) / 2, name=f"W{gate}"),
            Tensor(rng.normal(size=(3, width)), name=f"U{gate}"),
            Tensor(rng.normal(size=width), name=f"b{gate}"),
        )
        for gate in "ifog"
    }
    h: Any = Tensor(np.zeros((batch, width)), requires_grad=False)
    c: Any = h
    errors = []
    for _ in range(steps):
        x = rng.normal(size=(batch, 3))
        z = {gate: h @ W + x @ U + b for gate, (W, U, b) in gates.items()}
        i, f, o = (F.sigmoid(z[gate]) for gate in "ifo")
        c = f * c + i * np.tanh(z["g"])
        h = o * np.tanh(c)
        errors.append(((h - rng.normal(size=(batch, width))) ** 2).mean())
    return sum(errors[1:], errors[0]), [p for three in gates.values() for p in three]


NETWORKS: dict[str, Callable[[], tuple[Tensor, list[Tensor]]]] = {
    "ResNet of 30 blocks": resnet,
    "6,000 operations": recurrence,
    "LSTM of 8 steps": lstm,
}


def cases() -> Iterator[Case]:
    """Each network with a wrong sign, a factor, and noise in the gradient of its first weight."""
    for name, made in NETWORKS.items():
        loss, weights = made()
        loss.backward()
        right: dict[Tensor, Any] = {w: np.array(w.grad) for w in weights}
        first = weights[0]
        noise = np.random.default_rng(3).normal(size=first.shape) * np.abs(right[first]).max()
        for slip, wrong in (("sign", -right[first]), ("factor", 2 * right[first]), (None, right[first] + noise)):
            yield Case(name, loss, {**right, first: wrong}, slip)


def run(rounds: int) -> list[Row]:
    """A row for each network and slip: the seconds that one call computes, and how much was left untried."""
    rows = []
    for case in cases():
        seconds, untried = [], 0
        for _ in range(min(rounds, 3)):
            start = thread_time()
            report = explain_mismatch(case.loss, case.hands)
            seconds.append(thread_time() - start)
            untried = len(report.untried)
        what = f"{case.name}, {case.slip or 'noise'}" + (f", {untried} untried" if untried else "")
        rows.append(Row("blame", what, "s", {OURS: median(seconds)}, {}, GOAL, ""))
    return rows
