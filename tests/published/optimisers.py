"""Examples of single optimiser steps, whose gradients are given: plain descent, both momentum forms, Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

import nn

from . import drawn, example

SHAPES = {"W1": (2, 3), "b1": (2, 1), "W2": (3, 3), "b2": (3, 1)}


def coursera_parameters() -> dict[str, nn.Parameter]:
    """The parameters of the course's test case, with their gradients."""
    arrays = drawn(1, *SHAPES.values(), *SHAPES.values())
    parameters = {name: nn.Parameter(value) for name, value in zip(SHAPES, arrays, strict=False)}
    for p, g in zip(parameters.values(), arrays[4:], strict=True):
        p.grad = g
    return parameters


def ramp(start: float, stop: float) -> Any:
    return np.linspace(start, stop, 20).reshape(4, 5)


def cs231n_parameter() -> nn.Parameter:
    w = nn.Parameter(ramp(-0.4, 0.6))
    w.grad = ramp(-0.6, 0.4)
    return w


def resumed(optimizer: nn.optim.Optimizer, **state: Any) -> nn.optim.Optimizer:
    """The optimiser, in the middle of a run."""
    optimizer.load_state_dict(optimizer.state_dict() | {"state": [state]})
    return optimizer


@example("coursera-c2w2-gd")
def plain_descent(given: Any) -> dict[str, Any]:
    parameters = coursera_parameters()
    nn.SGD(parameters.values(), lr=0.01).step()
    return dict(parameters)


@example("coursera-c2w2-momentum")
def averaged_momentum(given: Any) -> dict[str, Any]:
    parameters = coursera_parameters()
    optimizer = nn.SGD(parameters.values(), lr=0.01, momentum=0.9, momentum_form="average")
    optimizer.step()
    velocities = {f"v{name}": state["v"] for name, state in zip(parameters, optimizer.state, strict=True)}
    return dict(parameters) | velocities


@example("cs231n-a2-sgd_momentum")
def velocity_momentum(given: Any) -> dict[str, Any]:
    w = cs231n_parameter()
    optimizer = nn.SGD([w], lr=1e-3, momentum=0.9, momentum_form="velocity")
    resumed(optimizer, v=ramp(0.6, 0.9)).step()
    return {"next_w": w, "velocity": optimizer.state[0]["v"]}


@example("cs231n-a2-adam")
def adam(given: Any) -> dict[str, Any]:
    w = cs231n_parameter()
    optimizer = nn.Adam([w], lr=1e-2)
    resumed(optimizer, step=given.t, m=ramp(0.6, 0.9), v=ramp(0.7, 0.5)).step()
    return {"next_w": w, "m": optimizer.state[0]["m"], "v": optimizer.state[0]["v"]}
