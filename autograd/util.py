"""Small helpers that code imports from HIPS autograd."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .tracer import toposort

__all__ = ["func", "subval", "subvals", "toposort"]


def subvals(x: Iterable[Any], ivs: Iterable[tuple[int, Any]]) -> tuple[Any, ...]:
    """`x` as a tuple, with other values in some places."""
    changed = list(x)
    for i, value in ivs:
        changed[i] = value
    return tuple(changed)


def subval(x: Iterable[Any], i: int, v: Any) -> tuple[Any, ...]:
    """`x` as a tuple, with another value in place `i`."""
    return subvals(x, [(i, v)])


def func(f: Any) -> Any:
    """`f` itself."""
    return f
