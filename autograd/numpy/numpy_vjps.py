"""What rules that were written for HIPS autograd use: the sum over axes that broadcasting added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..rules.shapes import sum_to_shape

__all__ = ["unbroadcast", "unbroadcast_f"]


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """`x` summed to the shape that `target_meta` begins with. The engine does so itself."""
    return sum_to_shape(x, target_meta[0])


def unbroadcast_f(target: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A rule whose result is summed to the shape of `target`. The engine does so itself."""
    return lambda g: sum_to_shape(f(g), np.shape(target))
