"""Where the label of an arrow may stand: plain geometry, in points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_MARGIN = 2.0
_FARTHEST = 36
_SPACING = 1.5


def along(corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """Points along a path of cubic Bézier curves, close to each other, of shape (n, 2)."""
    points = np.array(corners, float).reshape(-1, 2)
    curves = [points[i : i + 4] for i in range(0, len(points) - 3, 3)]
    if not curves:
        return points
    parts = []
    for curve in curves:
        length = np.sqrt((np.diff(curve, axis=0) ** 2).sum(axis=1)).sum()
        t = np.linspace(0, 1, 2 + int(length / _SPACING))[:, None]
        weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
        parts.append(weights @ curve)
    return np.vstack(parts)


def shift(label: Rect, line: np.ndarray, lines: np.ndarray, others: Sequence[Rect], page: Rect) -> tuple[float, float]:
    """How far a label has to move to be clear of its own line, and where that is possible of all the others.

    Parameters
    ----------
    label : Rect
    line : array of shape (n, 2)
        Points along its own arrow.
    lines : array of shape (m, 2)
        Points along all arrows.
    others : sequence of Rect
        Boxes and labels to stay off.
    page : Rect
        Where it has to stay.
    """
    moves = [(0, 0), *((s * d, 0) for d in range(1, _FARTHEST) for s in (1, -1))]
    moves += [(0, s * d) for d in range(1, _FARTHEST) for s in (-1, 1)]
    for points in (lines, line):
        for dx, dy in sorted(moves, key=lambda move: abs(move[0]) + abs(move[1])):
            moved = (label[0] + dx, label[1] + dy, label[2] + dx, label[3] + dy)
            inside = moved[0] >= page[0] and moved[1] >= page[1] and moved[2] <= page[2] and moved[3] <= page[3]
            if inside and not _holds(moved, points) and not any(_meet(moved, other) for other in others):
                return float(dx), float(dy)
    return 0.0, 0.0


def _holds(rect: Rect, points: np.ndarray) -> bool:
    x, y = points[:, 0], points[:, 1]
    left, top, right, bottom = rect
    within = (x > left - _MARGIN) & (x < right + _MARGIN) & (y > top - _MARGIN) & (y < bottom + _MARGIN)
    return bool(within.any())


def _meet(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
