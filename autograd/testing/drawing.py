"""Random numbers for probing, from streams that nobody else draws from: what a user drew must not be among them."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

__all__ = ["generator"]


def generator(purpose: str, *values: Any) -> np.random.Generator:
    """A generator of random numbers of its own for each purpose, the same for the same values.

    A user's data are often the first numbers of ``default_rng(0)``. A direction that is drawn from there is that data,
    and a function that confuses the two passes.

    Parameters
    ----------
    purpose : str
        What the numbers are for: each purpose has another stream.
    *values
        What is probed: arrays and numbers; other values count by their type. Each content has another stream.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing.drawing import generator
    >>> x = np.random.default_rng(0).normal(size=3)
    >>> generator("directions", x).normal(size=3).round(3).tolist() == x.round(3).tolist()
    False
    >>> float(generator("directions", x).random()) == float(generator("directions", x).random())
    True
    """
    digest = hashlib.blake2b(f"tracegrad probes: {purpose}".encode(), digest_size=32)
    for value in values:
        array = np.asarray(value) if isinstance(value, np.ndarray | np.generic | float | int) else None
        if array is None or array.dtype.hasobject:
            digest.update(type(value).__name__.encode())
        else:
            digest.update(f"{array.dtype} {array.shape} ".encode() + array.tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest(), "little"))
