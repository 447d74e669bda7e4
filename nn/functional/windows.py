"""What convolution and pooling share: sizes given as one number or as a pair, images with or without a batch axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeMismatch

__all__ = ["Pair", "as_images", "check_fits", "pair"]

Pair = int | tuple[int, int]


def pair(value: Any, name: str, *, least: int = 1) -> tuple[int, int]:
    """A size given as one int for both axes, or as a pair."""
    both = (value, value) if isinstance(value, int | np.integer) else tuple(value) if np.iterable(value) else ()
    if len(both) != 2 or not all(isinstance(n, int | np.integer) and n >= least for n in both):
        raise ValueError(f"{name} must be an int or a pair of ints of at least {least}, got {value!r}")
    return int(both[0]), int(both[1])


def as_images(input: Any, what: str) -> tuple[Any, bool]:
    if input.ndim == 4:
        return input, True
    if input.ndim == 3:
        return input.reshape((1, *input.shape)), False
    raise ShapeMismatch(f"{what}: images of shape (N, C, H, W) or (C, H, W) are needed, got shape {input.shape}")


def check_fits(shape: Any, size: Any, pads: Any, kernel_size: Any, dilation: Any, what: str) -> None:
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel_size, strict=True)]
    padded = [n + sum(p) for n, p in zip(size, pads, strict=True)]
    if any(r > n for r, n in zip(reach, padded, strict=True)):
        extra = f", padded to {padded[0]}×{padded[1]}" if padded != list(size) else ""
        spread = f" (reaching over {reach[0]}×{reach[1]})" if reach != list(kernel_size) else ""
        raise ShapeMismatch(
            f"{what} of {kernel_size[0]}×{kernel_size[1]}{spread} is larger than the image of "
            f"{size[0]}×{size[1]}{extra} (input shape {shape})"
        )
