"""What losses share: their operands checked, values weighted, and reduced to one number named L."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.libraries import beside
from autograd.rules.elementwise import some

from .. import naming
from ..errors import DtypeMismatch, ShapeMismatch, floating, operand
from .labels import numbers_of

__all__ = ["REDUCTIONS", "check_reduction", "like", "reduced", "scores", "times", "weighted"]

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(reduction: str, known: tuple[str, ...] = REDUCTIONS) -> None:
    """Raise a ValueError if there is no such reduction."""
    if reduction not in known:
        raise ValueError(f"reduction must be one of {', '.join(map(repr, known))}, got {reduction!r}")


def reduced(values: Any, reduction: str) -> Any:
    """The mean or the sum of the values, or the values."""
    check_reduction(reduction)
    if reduction == "none":
        return naming.loss(values)
    if values.size == 0:
        raise ShapeMismatch(f"a loss over no values: shape {values.shape}")
    return naming.loss(values.mean() if reduction == "mean" else values.sum())


def scores(input: Any, what: str) -> Any:
    """What a loss is given, as an array or Tensor of floating dtype."""
    return floating(input, what, "give it as floats")


def like(target: Any, input: Any, what: str, name: str = "target", spreads: bool = False) -> Any:
    """`target` as an array or Tensor of the input's dtype and shape, or of one that spreads over it where told."""
    if not isinstance(target, Tensor):
        target = operand(target, f"{what}: {name}")
        if target.dtype.kind not in "fiub":
            raise DtypeMismatch(f"{what}: the {name} must hold numbers, got dtype {target.dtype}")
        target = target.astype(input.dtype, copy=False)
    if target.shape != input.shape and not (spreads and _spreads(target.shape, input.shape)):
        raise ShapeMismatch(f"{what}: the input has shape {input.shape}, but the {name} has shape {target.shape}")
    return target


def _spreads(shape: tuple[int, ...], over: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, over) == over
    except ValueError:
        return False


def times(values: Any, weight: Any) -> Any:
    """Values × weights; what has the weight 0 does not count, also where it is infinite or NaN: 0 · log 0 is 0."""
    dropped = (numbers_of(weight) == 0) & ~np.isfinite(numbers_of(values))
    return (np.where(dropped, 0.0, values) if some(dropped) else values) * weight


def weighted(values: Any, weight: Any) -> Any:
    """Values × weights that broadcast to their shape; the values themselves where there are none."""
    if weight is None:
        return values
    weight = (
        weight
        if isinstance(weight, Tensor)
        else beside(numbers_of(values), operand(weight, "weight").astype(values.dtype))
    )
    if not _spreads(weight.shape, values.shape):
        raise ShapeMismatch(
            f"weight has shape {weight.shape}, which does not broadcast to that of the loss, {values.shape}"
        )
    return times(values, weight)
