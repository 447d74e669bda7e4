"""Distances and angles between vectors as layers."""

from __future__ import annotations

from typing import Any

from .shown import OfFunction

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(OfFunction):
    """The cosine of the angle between vectors along the axis `dim`: `functional.cosine_similarity`."""

    _function = "cosine_similarity"

    def __init__(self, dim: int = 1, eps: float = 1e-8):
        self._set_options(dim=dim, eps=eps)

    def forward(self, x1: Any, x2: Any) -> Any:
        return self._call(x1, x2)


class PairwiseDistance(OfFunction):
    """‖x₁ − x₂ + ε‖ₚ along the last axis: `functional.pairwise_distance`."""

    _function = "pairwise_distance"

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False):
        self._set_options(p=p, eps=eps, keepdim=keepdim)

    def forward(self, x1: Any, x2: Any) -> Any:
        return self._call(x1, x2)
