"""Padding: more elements before and after, along the last axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeMismatch, operand

__all__ = ["PADDINGS", "pad"]

PADDINGS = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""What NumPy calls the ways of padding."""


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """The input with elements before and after it, along its last axes.

    Parameters
    ----------
    input : Tensor or array
    pad : tuple of int
        ``(left, right, top, bottom, ...)``, the last axis first; a negative number cuts off.
    mode : {"constant", "reflect", "replicate", "circular"}, optional
        What is put there: `value`; the elements mirrored at the edge, which is not repeated; those at the edge; those
        of the other end.
    value : float, optional
        Of the mode "constant", 0 unless told.

    Raises
    ------
    ShapeMismatch
        If there is not enough to mirror or to repeat, or nothing would be left; a ValueError.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> for mode in ("constant", "reflect", "replicate", "circular"):
    ...     print(F.pad(x, (2, 1), mode))
    [[0. 0. 1. 2. 3. 0.]]
    [[3. 2. 1. 2. 3. 2.]]
    [[1. 1. 1. 2. 3. 3.]]
    [[2. 3. 1. 2. 3. 1.]]
    >>> F.pad(x, (-1, 0, 0, 1), value=9.0)
    array([[2., 3.],
           [9., 9.]])
    """
    input, sides = operand(input, "pad"), tuple(pad) if np.iterable(pad) else ()
    if not sides or len(sides) % 2 or not all(isinstance(n, int | np.integer) for n in sides):
        raise ValueError(f"pad: pad must have two ints for each axis, (left, right, ...), got {pad!r}")
    if len(sides) > 2 * input.ndim:
        raise ShapeMismatch(f"pad: {len(sides) // 2} axes can't be padded of an input of shape {input.shape}")
    if mode not in PADDINGS:
        raise ValueError(f"pad: mode must be one of {', '.join(map(repr, PADDINGS))}, got {mode!r}")
    if value is not None and mode != "constant":
        raise ValueError(f"pad: only the mode 'constant' has a value, got value={value!r} with mode={mode!r}")
    widths = [(0, 0)] * (input.ndim - len(sides) // 2) + list(zip(sides[-2::-2], sides[::-2], strict=True))
    if any(side < 0 for side in sides):
        input = input[tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(input.shape, widths, strict=True))]
        widths = [(max(0, before), max(0, after)) for before, after in widths]
    room = {"reflect": -1, "circular": 0, "replicate": np.inf, "constant": np.inf}[mode]
    for n, width in zip(input.shape, widths, strict=True):
        if any(width) and (max(width) > n + room or (n == 0 and mode == "replicate")):
            least = "less than" if mode == "reflect" else "at most"
            raise ShapeMismatch(f"pad: in the mode {mode!r} an axis of {n} can be padded by {least} {n}, got {width}")
    if not any(map(any, widths)):
        return input
    if mode == "constant":
        return np.pad(input, widths, constant_values=0 if value is None else value)
    return np.pad(input, widths, PADDINGS[mode])  # type: ignore[call-overload]
