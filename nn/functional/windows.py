"""What convolution and pooling share: sizes of one number for all axes or one for each, and inputs without a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor

from ..errors import ShapeMismatch

__all__ = ["AXES", "Pair", "Sizes", "as_batch", "check_fits", "first_places", "in_planes", "pair", "sizes"]

Pair = int | tuple[int, int]
Sizes = int | tuple[int, ...]

AXES = {1: "L", 2: "H, W", 3: "D, H, W"}
_INPUTS = {1: "sequences", 2: "images", 3: "volumes"}
_ONE_OR_MORE = {1: "an int", 2: "an int or a pair of ints", 3: "an int or a triple of ints"}


def sizes(value: Any, name: str, axes: int, *, least: int = 1) -> tuple[int, ...]:
    """A size given as one int for all axes, or as one for each."""
    given = (value,) * axes if isinstance(value, int | np.integer) else tuple(value) if np.iterable(value) else ()
    if len(given) != axes or not all(isinstance(n, int | np.integer) and n >= least for n in given):
        raise ValueError(f"{name} must be {_ONE_OR_MORE[axes]} of at least {least}, got {value!r}")
    return tuple(map(int, given))


def pair(value: Any, name: str, *, least: int = 1) -> tuple[int, int]:
    """A size given as one int for both axes, or as a pair."""
    first, second = sizes(value, name, 2, least=least)
    return first, second


def as_batch(input: Any, axes: int, what: str) -> tuple[Any, bool]:
    """The input with a batch axis, and whether it had one."""
    if input.ndim == axes + 2:
        return input, True
    if input.ndim == axes + 1:
        return input.reshape((1, *input.shape)), False
    shapes = f"(N, C, {AXES[axes]}) or (C, {AXES[axes]})"
    raise ShapeMismatch(f"{what}: {_INPUTS[axes]} of shape {shapes} are needed, got shape {input.shape}")


def check_fits(shape: Any, size: Any, pads: Any, kernel_size: Any, dilation: Any, what: str) -> None:
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel_size, strict=True)]
    padded = [n + sum(p) for n, p in zip(size, pads, strict=True)]
    if any(r > n for r, n in zip(reach, padded, strict=True)):
        extra = f", padded to {_times(padded)}" if padded != list(size) else ""
        spread = f" (reaching over {_times(reach)})" if reach != list(kernel_size) else ""
        raise ShapeMismatch(
            f"{what} of {_times(kernel_size)}{spread} is larger than the {_INPUTS[len(size)][:-1]} of "
            f"{_times(size)}{extra} (input shape {shape})"
        )


def _times(size: Any) -> str:
    return "×".join(map(str, size))


def in_planes(x: Any, of_axis: list[Any], flat: Any, pool: Callable[[Any, list[Any]], Any]) -> Any:
    """`pool`, which reduces windows of images, of one or three axes: what windows an axis has is in `of_axis`.

    A sequence is an image of one row. In a volume, the windows of its slices are reduced, then those along the depth.
    `flat` stands for an axis that stays as it is.
    """
    n, c, *size = x.shape
    if len(size) == 1:
        out = pool(x.reshape((n, c, 1, *size)), [flat, *of_axis])
        return out.reshape((n, c, out.shape[3]))
    if len(size) == 2:
        return pool(x, of_axis)
    depth, h, w = size
    x = pool(x.reshape((n, c * depth, h, w)), of_axis[1:])
    h, w = x.shape[2:]
    x = pool(x.reshape((n, c, depth, h * w)), [of_axis[0], flat])
    return x.reshape((n, c, x.shape[2], h, w))


def first_places(x: Any, of_axis: list[Any], flat: Any, windows: Callable[[Any, list[Any]], Any]) -> Any:
    """Where the first largest element of each of the windows is: its number among those of its channel."""
    numbers = x.data if isinstance(x, Tensor) else x
    n, size = x.shape[0], x.shape[2:]
    numbered = np.broadcast_to(np.arange(np.prod(size), dtype=np.float64).reshape(size), x.shape)

    def pool(both: Any, of: list[Any]) -> Any:
        seen = windows(both, of)
        values, numbered = seen.reshape((2, n, *seen.shape[1:4], seen.shape[4] * seen.shape[5]))
        first = np.argmax(values, axis=-1, keepdims=True)
        # padding, which has no number, is not larger than −∞
        none = np.take_along_axis(numbered, first, -1) < 0
        first = np.where(none, np.argmax(numbered >= 0, axis=-1, keepdims=True), first)
        return np.concatenate([np.take_along_axis(part, first, -1)[..., 0] for part in (values, numbered)])

    return in_planes(np.concatenate([numbers, numbered]), of_axis, flat, pool)[n:].astype(np.int64)
