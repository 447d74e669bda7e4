"""What layers with a weight and a bias share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import init
from ..module import Module
from ..parameter import Parameter
from ..seeding import RandomSource, generator

__all__ = ["Weighted", "at_least_1", "floating_dtype"]


class Weighted(Module):
    """A layer with a weight and, perhaps, a bias, drawn as PyTorch draws them: evenly from ±1/√fan_in."""

    weight: Parameter
    bias: Parameter | None

    def _set_parameters(
        self, shape: tuple[int, ...], bias: bool, dtype: Any, rng: RandomSource, outputs: int | None = None
    ) -> None:
        """Set the weight, and a bias for each of `outputs`: the first axis of the weight unless told."""
        dtype = floating_dtype(dtype, type(self).__name__)
        self.weight = Parameter(np.zeros(shape, dtype), copy=False)
        self.bias = Parameter(np.zeros(outputs or shape[0], dtype), copy=False) if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw new parameters: `init.kaiming_uniform_` with a = √5 for the weight, ±1/√fan_in for the bias."""
        rng = generator(rng)
        init.kaiming_uniform_(self.weight, a=math.sqrt(5), rng=rng)
        if self.bias is not None:
            bound = 1 / math.sqrt(init.fans(self.weight)[0])
            init.uniform_(self.bias, -bound, bound, rng=rng)


def at_least_1(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
    return int(value)


def floating_dtype(dtype: Any, what: str) -> Any:
    """The dtype of parameters: float32 unless told, and a floating one."""
    dtype = np.dtype(np.float32 if dtype is None else dtype)
    if dtype.kind != "f":
        raise TypeError(f"{what}: dtype must be a floating one, got {dtype}")
    return dtype
