"""Cost per operation: a chain of y = y*a + b, forward, backward and freeing the graph; all three require gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, scope

from .timing import Candidate, Row, compare, torch_or_none

LENGTH = 1000
GOALS: dict[tuple[int, ...], float] = {(): 0.45, (4,): 0.65, (64, 64): 1.0}


def leaves_of(shape: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.uniform(low, high, shape) for low, high in ((0.5, 1.5), (0.99, 1.01), (-0.01, 0.01))]


def _ours(shape: tuple[int, ...], length: int) -> Candidate:
    leaves = [Tensor(data) for data in leaves_of(shape)]
    x, a, b = leaves
    seed = np.ones(shape)

    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        with scope("chain"):
            y = x
            for _ in range(length):
                y = y * a + b
        y.backward(seed)
        return y.data

    return Candidate(run, lambda: [run(), *(leaf.grad for leaf in leaves)])


def _torch(torch: Any, shape: tuple[int, ...], length: int) -> Candidate:
    x, a, b = leaves = [torch.tensor(data, dtype=torch.float64, requires_grad=True) for data in leaves_of(shape)]
    seed = torch.ones(shape, dtype=torch.float64)

    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = x
        for _ in range(length):
            y = y * a + b
        y.backward(seed)
        return y.detach()

    return Candidate(run, lambda: [run(), *(leaf.grad for leaf in leaves)])


def _numpy(shape: tuple[int, ...], length: int) -> Candidate:
    x, a, b = (np.float64(data) if shape == () else data for data in leaves_of(shape))
    seed = np.float64(1.0) if shape == () else np.ones(shape)

    def run() -> Any:
        y = x
        inputs = []
        for _ in range(length):
            inputs.append(y)
            y = y * a + b
        g: Any = seed
        grad_a: Any = 0.0
        grad_b: Any = 0.0
        for y_before in reversed(inputs):
            grad_b = grad_b + g
            grad_a = grad_a + g * y_before
            g = g * a
        return y, g, grad_a, grad_b

    return Candidate(run, run)


def candidates(shape: tuple[int, ...], length: int = LENGTH) -> dict[str, Candidate]:
    """The chain of `length` steps (two operations each) on float64 arrays of `shape`."""
    found = {"numpy": _numpy(shape, length), "tracegrad": _ours(shape, length)}
    torch = torch_or_none()
    if torch is not None:
        found["torch"] = _torch(torch, shape, length)
    return found


def run(rounds: int) -> list[Row]:
    """A row for each shape, in nanoseconds per operation."""
    return [
        compare(
            "chain", f"float64 {shape}", candidates(shape), rounds=rounds, calls=3, rtol=1e-11, atol=1e-12,
            unit="ns", per=2 * LENGTH, goal=goal,
        )
        for shape, goal in GOALS.items()
    ]  # fmt: skip
