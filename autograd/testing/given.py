"""A hand-derived gradient beside another one: whether it is the same, to the digits that were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..tape import Node
from .hand import Hand
from .limits import Limits
from .rows import Row, compare_row

__all__ = ["Given"]


@dataclass(frozen=True, eq=False)
class Given:
    """A gradient or value that a person has found.

    Attributes
    ----------
    node : Node
        The record that it is of.
    name : str
    hand : Hand
        Its numbers; of the shape of `node` where it is right.
    limits : Limits
        How far another number may be from each and still be the same.
    """

    node: Node
    name: str
    hand: Hand
    limits: Limits

    @property
    def array(self) -> Any:
        """Its numbers, in float64; for those that were not given, what `completed` has put there, else NaN."""
        return self.hand.array

    def picked(self, other: Any) -> Any:
        """Of an array of the same shape the numbers at the places that were given, in a row."""
        return np.ravel(other) if self.hand.given is None else np.asarray(other)[self.hand.given]

    @property
    def has_shape(self) -> bool:
        """Whether it has the shape that it must have."""
        return self.array.shape == self.node.shape

    def is_whole(self, engine: Mapping[Node, Any]) -> bool:
        """Whether it can be compared with one of the engine's throughout."""
        known = self.node in engine and self.has_shape
        return known and bool(np.isfinite(self.hand.completed(engine[self.node]).array).all())

    def completed(self, by: Any) -> Self:
        """The same with other numbers in place of those that were not given, as what is handed on must be whole."""
        return replace(self, hand=self.hand.completed(by))

    def times(self, k: float) -> Self:
        """As it is compared with a gradient that is multiplied by a number."""
        return self if k == 1 else replace(self, limits=self.limits._replace(noise=self.limits.noise * k))

    def row(self, other: Any, **more: Any) -> Row:
        """It beside another one; `more` as `compare_row` takes it."""
        return compare_row(self.name, self.hand, np.asarray(other).astype(self.node.dtype), self.limits, **more)

    def agrees(self, other: Any, slack: Any = 0.0) -> bool:
        """Whether it is another one, of the same shape, to the digits that were given."""
        other = np.asarray(other)
        if other.shape != self.array.shape or np.isnan(self.picked(other)).any():
            return False
        if other.dtype.kind == "c":
            if other.imag.any():
                return False
            other = other.real
        other = other.astype(self.node.dtype)
        allowed = self.limits.of(other.astype(np.float64), self.hand, self.node.dtype) + slack
        with np.errstate(invalid="ignore"):
            if self.picked((np.abs(self.array - other) <= allowed) | (self.array == other)).all():
                return True
        return self.hand.unit is not None and self.row(other, slack=slack).ok
