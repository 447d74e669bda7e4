"""Blocks written out in plain operations: an RNN of 50 steps, attention, batch norm; forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from .timing import OURS, Candidate, Row, compare, torch_or_none

STEPS = 50
_RNG = np.random.default_rng(0)


def _draw(*shapes: tuple[int, ...]) -> list[Any]:
    return [_RNG.uniform(-0.5, 0.5, shape) for shape in shapes]


def rnn(lib: Any, xs: Any, w: Any, u: Any, b: Any) -> Any:
    """The last state of h = tanh(x W + h U + b), squared and summed up."""
    h = lib.zeros_like(xs[0] @ w)
    for x in xs:
        h = lib.tanh(x @ w + h @ u + b)
    return (h**2).sum()


def attention(lib: Any, x: Any, q: Any, k: Any, v: Any) -> Any:
    """softmax(Q Kᵀ / √d) V, squared and summed up."""
    scores = (x @ q) @ (x @ k).mT / 4.0
    weights = lib.exp(scores)
    weights = weights / weights.sum(-1)[..., None]
    return ((weights @ (x @ v)) ** 2).sum()


def batch_norm(lib: Any, x: Any, gamma: Any, beta: Any) -> Any:
    """(x − mean) / √(variance + ε) γ + β, squared and summed up."""
    apart = x - x.mean(0)
    variance = (apart * apart).mean(0)
    return ((apart / lib.sqrt(variance + 1e-5) * gamma + beta) ** 2).sum()


BLOCKS: dict[str, tuple[float, Callable[..., Any], list[Any]]] = {
    "RNN of 50 steps, batch 16": (0.7, rnn, _draw((STEPS, 16, 8), (8, 32), (32, 32), (32,))),
    "attention, 4×32×16": (0.78, attention, _draw((4, 32, 16), (16, 16), (16, 16), (16, 16))),
    "batch norm, 64×32": (0.7, batch_norm, _draw((64, 32), (32,), (32,))),
}
"""For each block: the goal, what it computes, and with which arrays."""


def candidates(block: Callable[..., Any], arrays: Sequence[Any]) -> dict[str, Candidate]:
    """Value and gradients of a block, for each library."""
    found = {OURS: _candidate(block, np, [Tensor(a) for a in arrays], lambda g: g)}
    torch = torch_or_none()
    if torch is not None:
        found["torch"] = _candidate(
            block, torch, [torch.tensor(a, requires_grad=True) for a in arrays], lambda g: g.numpy()
        )
    return found


def _candidate(block: Callable[..., Any], lib: Any, leaves: list[Any], numbers: Callable[[Any], Any]) -> Candidate:
    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        loss = block(lib, *leaves)
        loss.backward()
        return loss.item()

    return Candidate(run, lambda: [run(), *(numbers(leaf.grad) for leaf in leaves)])


def run(rounds: int) -> list[Row]:
    """A row for each block, in microseconds."""
    return [
        compare("blocks", name, candidates(block, arrays), rounds=rounds, calls=10, rtol=1e-8, atol=1e-10, goal=goal)
        for name, (goal, block, arrays) in BLOCKS.items()
    ]
