"""Nested lists, tuples and dicts of arrays: their leaves, nests of the same form, two nests side by side.

None is an empty nest.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import foreign
from .operands import constant
from .tensor import Tensor

__all__ = ["leaves", "leaves_like", "map_leaves", "numbers_of", "unflatten"]

_NESTS = (dict, list, tuple)


def leaves(tree: Any) -> list[Any]:
    """The arrays of a nest, in order."""
    if not isinstance(tree, _NESTS):
        return [] if tree is None else [tree]
    found: list[Any] = []
    for value in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(value, _NESTS):
            found += leaves(value)
        elif value is not None:
            found.append(value)
    return found


def unflatten(tree: Any, values: Iterator[Any]) -> Any:
    """A nest of the types and keys of `tree`, with other leaves."""
    if not isinstance(tree, _NESTS):
        return None if tree is None else next(values)
    kind: Any = tree.__class__
    if isinstance(tree, tuple):
        parts = [unflatten(value, values) for value in tree]
        return tuple(parts) if kind is tuple else kind._make(parts) if hasattr(tree, "_fields") else kind(parts)
    if kind is list:
        return [unflatten(value, values) for value in tree]
    filled: Any = copy.copy(tree)  # keeps what the type alone can't tell: a defaultdict's factory
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        filled[key] = unflatten(tree[key], values)
    return filled


def map_leaves(fn: Callable[[Any], Any], tree: Any) -> Any:
    """A nest like `tree`, of what `fn` makes of its leaves."""
    return unflatten(tree, iter([fn(leaf) for leaf in leaves(tree)]))


def leaves_like(tree: Any, like: Any, what: str) -> list[Any]:
    """The leaves of `tree` in the order of those of `like`, and of their shapes and dtypes; dicts go by their keys.

    Raises
    ------
    ValueError
        If the two differ in structure or shapes: says where, beginning with `what`.
    TypeError
        If a leaf is not of numbers, or is complex where that of `like` is real.
    """
    if isinstance(like, dict):
        if not isinstance(tree, dict):
            raise ValueError(f"{what} is {_kind(tree)}, expected a dict with the keys {list(like)}")
        if tree.keys() != like.keys():
            raise ValueError(f"{what} has the keys {list(tree)}, expected {list(like)}")
        return [leaf for key in like for leaf in leaves_like(tree[key], like[key], f"{what}[{key!r}]")]
    if isinstance(like, (list, tuple)):
        if not isinstance(tree, (list, tuple)):
            raise ValueError(f"{what} is {_kind(tree)}, expected a {type(like).__name__} of {len(like)}")
        if len(tree) != len(like):
            raise ValueError(f"{what} has {len(tree)} entries, expected {len(like)}")
        pairs = enumerate(zip(tree, like, strict=True))
        return [leaf for i, (part, model) in pairs for leaf in leaves_like(part, model, f"{what}[{i}]")]
    if like is None:
        if tree is not None:
            raise ValueError(f"{what} is {_kind(tree)}, expected None")
        return []
    if tree is None or isinstance(tree, _NESTS):
        raise ValueError(f"{what} is {_kind(tree)}, expected an array of shape {np.shape(numbers_of(like))}")
    return [_array_like(tree, like, what)]


def _kind(tree: Any) -> str:
    if isinstance(tree, _NESTS):
        return f"a {type(tree).__name__} of {len(tree)}"
    return "None" if tree is None else f"an array of shape {np.shape(numbers_of(tree))}"


def _array_like(value: Any, like: Any, what: str) -> Any:
    """`value` as an array of the shape and dtype of `like`."""
    shape, dtype = np.shape(numbers_of(like)), getattr(like, "dtype", None)
    if not shape and value.__class__ is np.float64 and dtype is value.dtype:
        return value
    if not isinstance(value, Tensor) and not foreign(value):
        value = np.array(constant(value))
    if dtype is None:
        dtype = np.dtype(complex if isinstance(like, complex) else float)
    if value.dtype is not dtype and value.dtype.kind not in ("fiubc" if dtype.kind == "c" else "fiub"):
        kind = "" if dtype.kind == "c" else "real "
        raise TypeError(f"{what} must be of {kind}numbers, got dtype {value.dtype}")
    if value.shape != shape:
        raise ValueError(f"{what} has shape {value.shape}, expected {shape}")
    value = value if value.dtype == dtype else value.astype(dtype)
    return value if isinstance(value, Tensor) or value.shape else value[()]


def numbers_of(leaf: Any) -> Any:
    """The numbers of an array or a Tensor, without their history."""
    return leaf._data if isinstance(leaf, Tensor) else leaf
