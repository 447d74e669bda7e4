"""Plain facts on a wrong gradient, where no slip explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd import Node

from ..plain.numbers import number
from .printed import Given
from .words import Words

__all__ = ["facts"]

_CLOSE = 0.02


def facts(one: Given, engine: Mapping[Node, Any], words: Words) -> Iterator[str]:
    """What stands out: the shape, the sign, which rows are off, whether it is the gradient of something else."""
    right = np.asarray(engine[one.node])
    yours = one.array
    if not one.has_shape:
        yield f"yours has shape {yours.shape}, expected {one.node.shape}"
    same = [n for n, g in engine.items() if n is not one.node and g.shape == yours.shape and one.agrees(g)]
    if same and np.ptp(one.numbers):
        yield f"your numbers are {words.gradient(same[0])}"
    if not one.has_shape:
        return
    if not one.numbers.any():
        yield "yours is 0 everywhere: was it added up at all, or never filled in?"
        return
    row = one.row(right)
    wrong = row.wrong
    size = one.numbers.size
    if wrong is None or size < 2:
        return
    if one.agrees(np.where(np.sign(yours) == np.sign(right), right, -right)):
        yield f"only signs differ, at {int(wrong.sum())} of {size} numbers"
        return
    if row.relative < _CLOSE:
        yield f"it is close, off by {100 * row.relative:.2g} % at most: numbers rounded on the way, or misprinted?"
    bad = int(wrong.sum())
    for axis in range(wrong.ndim):
        if wrong.shape[axis] > 1 and size == wrong.size:
            lines = np.flatnonzero(wrong.any(axis=tuple(k for k in range(wrong.ndim) if k != axis)))
            if 0 < len(lines) <= wrong.shape[axis] // 2:
                what = {0: "row", 1: "column"}.get(axis, f"index along axis {axis}") if wrong.ndim > 1 else "element"
                yield f"it differs only in {what} {', '.join(map(str, lines))} (counting from 0)"
                break
    else:
        every = "both" if bad == 2 else f"all {bad}"
        yield f"{every} numbers differ" if bad == size else f"{bad} of {size} numbers differ"
    with np.errstate(all="ignore"):
        ratio = (yours / right)[wrong & (right != 0)]
    if row.relative < _CLOSE or ratio.size < 2 or not np.isfinite(ratio).all():
        return
    if np.ptp(ratio) <= 1e-3 * np.abs(ratio).max():
        yield f"there yours is {number(float(np.median(ratio)))} times the right one"
