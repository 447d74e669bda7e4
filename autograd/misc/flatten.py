"""Nests of arrays as one vector, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..numpy.lists import array

__all__ = ["flatten", "flatten_func"]


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A nest of lists, tuples and dicts of arrays and numbers as one vector, and the function that makes it a nest.

    Dicts go by their sorted keys.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.misc import flatten
    >>> vector, unflatten = flatten({"w": np.ones((2, 2)), "b": [3.0]})
    >>> vector
    array([3., 1., 1., 1., 1.])
    >>> unflatten(vector)["w"].shape
    (2, 2)
    """
    parts: list[Any] = []
    back = _layout(value, parts, [0])
    return np.concatenate(parts) if parts else np.array([]), back


def _layout(value: Any, parts: list[Any], size: list[int]) -> Callable[[Any], Any]:
    """How to take `value` out of the vector that `parts` are the pieces of, `size` long so far."""
    if isinstance(value, dict):
        named = {key: _layout(value[key], parts, size) for key in sorted(value)}
        return lambda vector: {key: named[key](vector) for key in value}
    if isinstance(value, list | tuple):
        each = [_layout(part, parts, size) for part in value]
        make: Any = getattr(type(value), "_make", type(value))
        return lambda vector: make([back(vector) for back in each])
    leaf = array(value)
    start, shape = size[0], leaf.shape
    size[0] = stop = start + leaf.size
    parts.append(leaf.reshape(-1))
    return lambda vector: vector[start:stop].reshape(shape) if shape else vector[start]


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Callable[..., Any], Callable[[Any], Any], Any]:
    """`func` as a function from a vector to a vector, the function back to `example`'s nest, and that as a vector."""
    vector, unflatten = flatten(example)
    return lambda x, *args: flatten(func(unflatten(x), *args))[0], unflatten, vector
