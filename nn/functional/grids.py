"""Images read at places of a grid, between their pixels: the sampler of spatial transformers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np

from autograd.nests import numbers_of

from ..errors import ShapeMismatch, floating
from .resizing import cubic

__all__ = ["affine_grid", "grid_sample"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The places θ·(x, y, 1) of the pixels of an image of `size`, for `grid_sample`.

    Parameters
    ----------
    theta : Tensor or array of shape (N, 2, 3) or (N, 3, 4)
    size : tuple of int
        (N, C, H, W) or (N, C, D, H, W) of the image that is to come out.
    align_corners : bool, optional
        Whether −1 and 1 are the centres of the first and the last pixel, instead of their outer edges.

    Returns
    -------
    Tensor or array of shape (N, H, W, 2) or (N, D, H, W, 3)

    Notes
    -----
    From M. Jaderberg et al., "Spatial transformer networks" (2015).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.affine_grid(np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2))
    array([[[[-0.5,  0. ],
             [ 0.5,  0. ]]]])
    """
    theta, size = floating(theta, "affine_grid"), tuple(map(int, size))
    axes = len(size) - 2
    if axes not in (2, 3) or theta.shape != (size[0], axes, axes + 1):
        raise ShapeMismatch(
            "affine_grid: theta of shape (N, 2, 3) for a size (N, C, H, W), or (N, 3, 4) for (N, C, D, H, W), is "
            f"needed, got {theta.shape} for {size}"
        )
    steps = [np.linspace(-1, 1, n) if n > 1 else np.zeros(n) for n in size[2:]]
    if not align_corners:
        steps = [s * (n - 1) / n if n else s for s, n in zip(steps, size[2:], strict=True)]
    places = np.meshgrid(*steps, indexing="ij")[::-1]
    points = np.stack([*places, np.ones(size[2:])], -1).reshape(-1, axes + 1).astype(theta.dtype)
    return (points @ theta.transpose(0, 2, 1)).reshape((size[0], *size[2:], axes))


def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """The input at the places of `grid`, each from the pixels around it.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, H, W) or (N, C, D, H, W)
    grid : Tensor or array of shape (N, H', W', 2) or (N, D', H', W', 3)
        Places (x, y) or (x, y, z): −1 is the left, the upper and the front edge, 1 the one opposite.
    mode : str, optional
        "bilinear", along two or three axes; "nearest"; or of images "bicubic", as of `interpolate`.
    padding_mode : str, optional
        What lies outside: "zeros", the pixels of the "border", or the image in "reflection".
    align_corners : bool, optional
        Whether −1 and 1 are the centres of the first and the last pixel, instead of their outer edges.

    Returns
    -------
    Tensor or array of shape (N, C, H', W') or (N, C, D', H', W')

    Notes
    -----
    Σ x[i, j] (1 − |u − i|)(1 − |v − j|) over the four pixels around (u, v). From M. Jaderberg et al., "Spatial
    transformer networks" (2015).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> x = np.array([[[[0.0, 4.0]]]])
    >>> F.grid_sample(x, np.array([[[[-0.5, 0.0], [0.0, 0.0]]]]))
    array([[[[0., 2.]]]])
    """
    x, grid = floating(input, "grid_sample"), floating(grid, "grid_sample: grid")
    axes = x.ndim - 2
    if mode not in _MODES:
        raise ValueError(f"grid_sample: mode must be one of {', '.join(_MODES)}, got {mode!r}")
    if padding_mode not in _PADDINGS:
        raise ValueError(f"grid_sample: padding_mode must be one of {', '.join(_PADDINGS)}, got {padding_mode!r}")
    if axes not in (2, 3) or grid.ndim != x.ndim or grid.shape[0] != x.shape[0] or grid.shape[-1] != axes:
        raise ShapeMismatch(
            "grid_sample: an input (N, C, H, W) and a grid (N, H', W', 2), or (N, C, D, H, W) and (N, D', H', W', 3), "
            f"are needed, got {x.shape} and {grid.shape}"
        )
    size = x.shape[2:]
    if not prod(size):
        raise ShapeMismatch(f"grid_sample: an input of shape {x.shape} has no pixels")
    # x comes first in the grid, but last among the axes
    at = [_place(grid[..., axes - 1 - k], n, bool(align_corners)) for k, n in enumerate(size)]
    inside = lambda u, n: _inside(u, n, padding_mode, bool(align_corners))
    if mode == "bicubic":
        if axes != 2:
            raise ShapeMismatch(f"grid_sample: the mode 'bicubic' is for images (N, C, H, W), got shape {x.shape}")
        return _cubic(x, at, inside)
    at = [inside(u, n) for u, n in zip(at, size, strict=True)]
    if mode == "nearest":
        return _pixels(x, [np.rint(numbers_of(u)) for u in at])
    below = [np.floor(numbers_of(u)) for u in at]
    total: Any = 0
    for side in product((0, 1), repeat=axes):
        weight: Any = 1
        for u, low, one in zip(at, below, side, strict=True):
            weight = weight * ((u - low) if one else (1 - (u - low)))
        total = total + _pixels(x, [low + one for low, one in zip(below, side, strict=True)]) * weight[:, None]
    return total


def _cubic(x: Any, at: list[Any], inside: Callable[[Any, int], Any]) -> Any:
    """Of sixteen pixels, each weighted by Keys' kernel along both axes."""
    total: Any = 0
    h, w = x.shape[2:]
    rows, columns = (_neighbours(u) for u in at)
    for i, along in rows:
        for j, across in columns:
            total = total + _pixels(x, [np.rint(inside(i, h)), np.rint(inside(j, w))]) * (along * across)[:, None]
    return total


def _neighbours(u: Any) -> list[tuple[Any, Any]]:
    """The four whole numbers around u, and their weights."""
    low = np.floor(numbers_of(u))
    return [(low + offset, weight) for offset, weight in zip(*cubic(u - low), strict=True)]


def _place(u: Any, n: int, align_corners: bool) -> Any:
    """Places from −1 to 1 as numbers of pixels."""
    return (u + 1) / 2 * (n - 1) if align_corners else ((u + 1) * n - 1) / 2


def _inside(u: Any, n: int, padding_mode: str, align_corners: bool) -> Any:
    """Numbers of pixels, those outside brought inside as `padding_mode` tells."""
    if padding_mode == "reflection":
        low, span = (0.0, n - 1.0) if align_corners else (-0.5, float(n))
        if not span:
            return u * 0
        folds = np.floor((numbers_of(u) - low) / span)
        away = u - low - folds * span
        u = low + np.where(folds % 2 == 0, away, span - away)
    return u if padding_mode == "zeros" else np.clip(u, 0, n - 1)


def _pixels(x: Any, at: list[Any]) -> Any:
    """The elements of each image at whole numbers `at`; 0 outside of it."""
    inside = np.logical_and.reduce([(i >= 0) & (i < n) for i, n in zip(at, x.shape[2:], strict=True)])
    whole = [np.where(inside, i, 0).astype(int) for i in at]
    images = np.arange(x.shape[0]).reshape(-1, *[1] * (at[0].ndim - 1))
    found = np.moveaxis(x, 1, -1)[(images, *whole)]
    return np.where(inside[:, None], np.moveaxis(found, -1, 1), 0)
