"""Gradient descent on nests of arrays: ``adam(grad, x0, callback)``, where ``grad(x, i)`` is the gradient in step i.

For layers there is `nn.optim`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .flatten import flatten

__all__ = ["adam", "rmsprop", "sgd", "unflatten_optimizer"]


def unflatten_optimizer(optimize: Callable[..., Any]) -> Callable[..., Any]:
    """Make an optimiser of vectors into one of nests."""

    @functools.wraps(optimize)
    def of_nests(grad: Callable[..., Any], x0: Any, callback: Any = None, *args: Any, **kwargs: Any) -> Any:
        start, unflatten = flatten(x0)
        told = callback and (lambda x, i, g: callback(unflatten(x), i, unflatten(g)))
        return unflatten(optimize(lambda x, i: flatten(grad(unflatten(x), i))[0], start, told, *args, **kwargs))

    return of_nests


def _descend(grad: Callable[..., Any], x: Any, callback: Any, steps: int, step: Callable[[int, Any], Any]) -> Any:
    for i in range(steps):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        x = x - step(i, g)
    return x


@unflatten_optimizer
def sgd(
    grad: Callable[..., Any], x: Any, callback: Any = None, num_iters: int = 200, step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:  # fmt: skip
    """Gradient descent with momentum: v ← mass·v + (1 − mass)·g, x ← x − step_size·v."""
    velocity = np.zeros(len(x))

    def step(i: int, g: Any) -> Any:
        nonlocal velocity
        velocity = mass * velocity + (1 - mass) * g
        return step_size * velocity

    return _descend(grad, x, callback, num_iters, step)


@unflatten_optimizer
def rmsprop(
    grad: Callable[..., Any], x: Any, callback: Any = None, num_iters: int = 100, step_size: float = 0.1,
    gamma: float = 0.9, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """RMSprop: the step is divided by the root of the running mean of g², which starts at 1."""
    squares = np.ones(len(x))

    def step(i: int, g: Any) -> Any:
        nonlocal squares
        squares = gamma * squares + (1 - gamma) * g**2
        return step_size * g / (np.sqrt(squares) + eps)

    return _descend(grad, x, callback, num_iters, step)


@unflatten_optimizer
def adam(
    grad: Callable[..., Any], x: Any, callback: Any = None, num_iters: int = 100, step_size: float = 0.001,
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """Adam (Kingma and Ba, arXiv:1412.6980, algorithm 1)."""
    mean, squares = np.zeros(len(x)), np.zeros(len(x))

    def step(i: int, g: Any) -> Any:
        nonlocal mean, squares
        mean = b1 * mean + (1 - b1) * g
        squares = b2 * squares + (1 - b2) * g**2
        root = (1 - b2 ** (i + 1)) ** 0.5
        return step_size * root / (1 - b1 ** (i + 1)) * mean / (np.sqrt(squares) + eps * root)

    return _descend(grad, x, callback, num_iters, step)
