"""Published worked examples of backpropagation: the numbers as printed, and a network of this project for each.

``worked_examples.json`` holds what the sources print, with their addresses; the modules beside it compute the same
numbers, one function for each example. ``computed(id)`` runs it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor

PUBLISHED: dict[str, dict[str, Any]] = {
    entry["id"]: entry for entry in json.loads(Path(__file__).with_name("worked_examples.json").read_text("utf-8"))
}
NETWORKS: dict[str, Callable[[Any], dict[str, Any]]] = {}


class Inputs:
    """The inputs of an example as attributes: lists as arrays of floats, and numbers and text as they are."""

    def __init__(self, given: dict[str, Any]):
        self.given = given

    def __getattr__(self, name: str) -> Any:
        value = self.given[name]
        return np.array(value, float) if isinstance(value, list) else value


def example(identity: str) -> Callable[[Any], Any]:
    """Register the function that computes an example's numbers from its inputs, by the keys of the data file."""

    def register(network: Any) -> Any:
        NETWORKS[identity] = network
        return network

    return register


@functools.cache
def computed(identity: str) -> dict[str, Any]:
    """What this project's engine gives for an example: plain arrays, by the keys of the data file."""
    results = NETWORKS[identity](inputs(identity))
    return {key: np.asarray(value.data if isinstance(value, Tensor) else value) for key, value in results.items()}


def inputs(identity: str) -> Inputs:
    """The inputs of an example."""
    return Inputs(PUBLISHED[identity]["inputs"])


def published(identity: str, key: str) -> Any:
    """A number as its source prints it."""
    return np.array(PUBLISHED[identity]["published"][key], float)


def tolerance(identity: str, key: str) -> float:
    """How far from the printed number a right one may be: what its digits leave open."""
    given = PUBLISHED[identity]["tolerance"]
    if isinstance(given, dict):
        return given[key] if key in given else given["*"]
    return given


def gradients(of: Tensor, *tensors: Tensor, seed: Any = None) -> list[Any]:
    """The gradients of `of` with respect to leaves and intermediates, which start from `seed`."""
    for tensor in tensors:
        tensor.zero_grad()
        tensor.retain_grad()
    of.backward(seed)
    return [tensor.grad for tensor in tensors]


def drawn(seed: int, *shapes: tuple[int, ...]) -> list[Any]:
    """Normal numbers as ``np.random.seed(seed)`` and ``np.random.randn`` draw them, shape after shape."""
    source = np.random.RandomState(seed)
    return [source.standard_normal(shape) for shape in shapes]


from . import articles, circuits, dense, images, optimisers, recurrent  # noqa: E402, F401  (they fill NETWORKS)
