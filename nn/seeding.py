"""Where random numbers come from: one generator for all of `nn`, seeded by `manual_seed`, or one of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    RandomSource = int | np.random.Generator | None
else:
    RandomSource = Any  # numpy.random is loaded when the first number is drawn, not on import

__all__ = ["RandomSource", "generator", "manual_seed"]

_shared: list[np.random.Generator] = []


def manual_seed(seed: int) -> np.random.Generator:
    """Seed the random numbers of initialisers, dropout and loaders that were given no generator of their own.

    Parameters
    ----------
    seed : int, at least 0

    Returns
    -------
    numpy.random.Generator
        The shared generator.

    Examples
    --------
    >>> import nn
    >>> _ = nn.manual_seed(0)
    >>> a = nn.Linear(3, 2).weight.data
    >>> _ = nn.manual_seed(0)
    >>> bool((a == nn.Linear(3, 2).weight.data).all())
    True
    """
    _shared[:] = [_seeded(seed, "manual_seed")]
    return _shared[0]


def generator(rng: RandomSource = None) -> np.random.Generator:
    """The generator that `rng` stands for: itself, a fresh one of that seed, or the shared one for None."""
    if rng is None:
        if not _shared:
            _shared.append(np.random.default_rng())
        return _shared[0]
    if isinstance(rng, np.random.Generator):
        return rng
    return _seeded(rng, "rng")


def _seeded(seed: int, what: str) -> np.random.Generator:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"{what}: a seed is an integer of at least 0, or a numpy Generator; got {seed!r}")
    return np.random.default_rng(seed)
