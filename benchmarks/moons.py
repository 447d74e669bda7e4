"""The demo of micrograd: a network 2-16-16-1 on 100 points of two moons, each of its numbers on the tape."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.micrograd import Value

from .timing import OURS, Candidate, Row, compare

GOAL = 0.15
SIZES = (2, 16, 16, 1)
POINTS = 100
DECAY, RATE = 1e-4, 0.01


def data(points: int) -> tuple[Any, Any]:
    """Two half circles that reach into each other, and the side of each point, −1 or 1."""
    angles = np.linspace(0, np.pi, points // 2)
    upper = np.stack([np.cos(angles), np.sin(angles)], 1)
    x = np.concatenate([upper, [1.0, 0.5] - upper]) + np.random.default_rng(0).normal(0, 0.1, (2 * len(angles), 2))
    return x.tolist(), np.repeat([-1.0, 1.0], len(angles)).tolist()


def network(kind: Any) -> list[Any]:
    """For each layer the neurons, a list of weights and a bias each: numbers of the class `kind`."""
    rng = np.random.default_rng(1)
    return [
        [([kind(float(w)) for w in rng.uniform(-1, 1, n_in)], kind(0.0)) for _ in range(n_out)]
        for n_in, n_out in pairwise(SIZES)
    ]


def score(layers: list[Any], point: list[Any]) -> Any:
    """What the network says of a point, as micrograd's demo computes it."""
    for neurons in layers:
        point = [sum((w * x for w, x in zip(weights, point, strict=True)), bias) for weights, bias in neurons]
        if neurons is not layers[-1]:
            point = [number.relu() for number in point]
    return point[0]


def candidate(kind: Any, points: int) -> Candidate:
    """A step of gradient descent on the hinge loss with weight decay."""
    xs, sides = data(points)

    def parameters(layers: list[Any]) -> list[Any]:
        return [number for neurons in layers for weights, bias in neurons for number in (*weights, bias)]

    def step(layers: list[Any]) -> Any:
        numbers = parameters(layers)
        losses = [(1 - side * score(layers, x)).relu() for x, side in zip(xs, sides, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + DECAY * sum(p * p for p in numbers)
        for p in numbers:
            p.grad = 0
        loss.backward()
        for p in numbers:
            p.data = p.data - RATE * p.grad
        return loss.data

    trained = network(kind)

    def numbers() -> list[Any]:
        fresh = network(kind)
        losses = [step(fresh), step(fresh)]
        return [losses, [float(p.grad) for p in parameters(fresh)]]

    return Candidate(lambda: step(trained), numbers)


def candidates(points: int = POINTS) -> dict[str, Candidate]:
    """A step for each library that is installed."""
    found = {OURS: candidate(Value, points)}
    try:
        theirs = import_module("micrograd.engine").Value
    except ImportError:
        return found
    return {**found, "micrograd": candidate(theirs, points)}


def run(rounds: int) -> list[Row]:
    """One row, in milliseconds per step, with Python's cycle collector on, as in a user's loop."""
    return [
        compare("moons", f"{POINTS} points", candidates(), rounds=rounds, calls=1, rtol=1e-9, unit="ms",
                goal=GOAL, against="micrograd")
    ]  # fmt: skip
