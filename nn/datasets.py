"""Data that come with the package: 6,000 handwritten digits of MNIST (see data/LICENSE.md)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .namespace import namespace

__all__ = ["MNIST_MEAN", "MNIST_STD", "mnist"]
__getattr__, __dir__ = namespace(__name__, __all__)

MNIST_MEAN, MNIST_STD = 0.1307, 0.3081
SPLITS = ("train", "test", "both")

_FILE = os.path.join(os.path.dirname(__file__), "data", "mnist6k.npz")


def mnist(split: str = "train", *, normalize: bool = False, dtype: Any = np.float32) -> Any:
    """Handwritten digits with their labels: 5,000 to train with, 1,000 to test with.

    Parameters
    ----------
    split : "train", "test" or "both", optional
    normalize : bool, optional
        Subtract the mean of MNIST's pixels, 0.1307, and divide by their standard deviation, 0.3081.
    dtype : floating dtype, optional
        Of the images.

    Returns
    -------
    images : ndarray of shape (N, 1, 28, 28)
        From 0, paper, to 1, ink, unless normalized.
    labels : ndarray of int64 of shape (N,)
        The digits. With ``split="both"``, a pair of such pairs: train, test.

    Examples
    --------
    >>> import nn
    >>> images, labels = nn.datasets.mnist("test")
    >>> images.shape, labels[:5]
    ((1000, 1, 28, 28), array([1, 8, 9, 4, 9]))
    """
    if split not in SPLITS:
        raise ValueError(f"mnist: split must be one of {', '.join(map(repr, SPLITS))}, got {split!r}")
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"mnist: dtype must be a floating one, got {np.dtype(dtype)}")
    if not os.path.exists(_FILE):
        raise FileNotFoundError(f"mnist: the package's file of digits is missing, {_FILE}: install the package again")
    with np.load(_FILE) as arrays:
        parts = [
            (_scaled(arrays[f"{part}_images"], normalize, dtype), arrays[f"{part}_labels"].astype(np.int64))
            for part in ("train", "test")
            if split in (part, "both")
        ]
    return tuple(parts) if split == "both" else parts[0]


def _scaled(pixels: Any, normalize: bool, dtype: Any) -> Any:
    images = pixels[:, np.newaxis].astype(dtype)
    images /= 255
    if normalize:
        images -= MNIST_MEAN
        images /= MNIST_STD
    return images
