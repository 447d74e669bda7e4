"""One row for each ATen operation that makes an array of its own: filled with a number, counted up, or random."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.nests import numbers_of
from nn.seeding import generator

from .calls import Call

__all__ = ["CREATING", "LIKE"]


def _like(value: float) -> Call:
    def call(x: Any, *shape: Any, dtype: Any = None, **_: Any) -> Any:
        return np.full(tuple(shape[0]) if shape else x.shape, value, dtype or x.dtype)

    return call


def _full_like(x: Any, value: Any, *, dtype: Any = None, **_: Any) -> Any:
    return np.full(x.shape, value, dtype or x.dtype)


def _new_full(x: Any, shape: Any, value: Any, *, dtype: Any = None, **_: Any) -> Any:
    return np.full(tuple(shape), value, dtype or x.dtype)


LIKE: dict[str, Call] = {
    "zeros_like": _like(0),
    "ones_like": _like(1),
    "empty_like": _like(0),
    "new_zeros": _like(0),
    "new_ones": _like(1),
    "new_empty": _like(0),
    "full_like": _full_like,
    "new_full": _new_full,
    "rand_like": lambda x, **_: generator().random(x.shape).astype(x.dtype),
    "randn_like": lambda x, **_: generator().standard_normal(x.shape).astype(x.dtype),
    "bernoulli": lambda x, **_: (generator().random(x.shape) < numbers_of(x)).astype(x.dtype),
    "bernoulli.p": lambda x, p, **_: (generator().random(x.shape) < p).astype(x.dtype),
}  # fmt: skip
"""Operations that take the dtype of another, and its shape unless told."""

CREATING: dict[str, Call] = {
    "zeros": lambda shape, dtype: np.zeros(tuple(shape), dtype),
    "ones": lambda shape, dtype: np.ones(tuple(shape), dtype),
    "empty": lambda shape, dtype: np.zeros(tuple(shape), dtype),
    "full": lambda shape, value, dtype: np.full(tuple(shape), value, dtype),
    "scalar_tensor": lambda value, dtype: np.array(value, dtype),
    "arange": lambda end, dtype: np.arange(end, dtype=dtype),
    "arange.start": lambda start, end, dtype: np.arange(start, end, dtype=dtype),
    "arange.start_step": lambda start, end, step=1, dtype=None: np.arange(start, end, step, dtype=dtype),
    "linspace": lambda start, end, steps, dtype: np.linspace(start, end, steps, dtype=dtype),
    "eye": lambda n, dtype: np.eye(n, dtype=dtype),
    "eye.m": lambda n, m, dtype: np.eye(n, m, dtype=dtype),
    "tril_indices": lambda rows, columns, offset=0, dtype=None: np.stack(np.tril_indices(rows, offset, columns)),
    "triu_indices": lambda rows, columns, offset=0, dtype=None: np.stack(np.triu_indices(rows, offset, columns)),
    "rand": lambda shape, dtype: generator().random(tuple(shape)).astype(dtype),
    "randn": lambda shape, dtype: generator().standard_normal(tuple(shape)).astype(dtype),
    "randint": lambda high, shape, dtype: generator().integers(high, size=tuple(shape)).astype(dtype),
    "randint.low": lambda low, high, shape, dtype: generator().integers(low, high, size=tuple(shape)).astype(dtype),
    "randperm": lambda n, dtype: generator().permutation(n).astype(dtype),
}
"""Operations that make an array of no other: the dtype is given in every case."""
