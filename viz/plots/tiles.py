"""Images set side by side in one array, with clear gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["centres", "extreme", "mosaic", "spread"]


def mosaic(rows: Sequence[Sequence[Any]], gap: int) -> Any:
    """Rows of images of one shape as one array, NaN between them and where a row is shorter.

    >>> mosaic([[np.ones((1, 2)), np.zeros((1, 2))]], 1)
    array([[ 1.,  1., nan,  0.,  0.]])
    """
    height, width = rows[0][0].shape
    across = max(map(len, rows))
    out = np.full((len(rows) * (height + gap) - gap, across * (width + gap) - gap), np.nan)
    for r, row in enumerate(rows):
        for c, tile in enumerate(row):
            y, x = r * (height + gap), c * (width + gap)
            out[y : y + height, x : x + width] = tile
    return out


def centres(count: int, size: int, gap: int) -> list[float]:
    """Where the middles of `count` tiles are along one axis."""
    return [i * (size + gap) + (size - 1) / 2 for i in range(count)]


def spread(count: int, shown: int) -> list[int]:
    """Positions of at most `shown` out of `count`, evenly spread, the first and the last among them."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, max(shown, 1))).round()})


def extreme(array: Any) -> float:
    """The largest finite magnitude; 1 where all are 0."""
    sizes = np.abs(np.asarray(array, np.float64))
    return float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0
