"""Samplers: which examples come, and in which order, as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..seeding import RandomSource
from ..seeding import generator as generator_of

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "count",
]


class Sampler:
    """What samplers share: ``len(sampler)``, and an iteration that gives the numbers of the examples of one epoch."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__: write one that gives numbers of examples")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__: write how many numbers it gives")


class SequentialSampler(Sampler):
    """0, 1, 2, …: the examples as they lie.

    Parameters
    ----------
    data_source : data set
    """

    def __init__(self, data_source: Any):
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """All examples in a new random order in each epoch; or with replacement.

    Parameters
    ----------
    data_source : data set
    replacement : bool, optional
        Whether each number is drawn from all examples, so that some come twice and others not at all.
    num_samples : int, optional
        How many are drawn; as many as there are examples unless told.
    generator : int or numpy.random.Generator, optional
        That of `nn.manual_seed` unless told.

    Examples
    --------
    >>> import nn
    >>> sorted(nn.data.RandomSampler("abcd", generator=0))
    [0, 1, 2, 3]
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: RandomSource = None,
    ):
        self.data_source, self.replacement = data_source, bool(replacement)
        if not len(data_source):
            raise ValueError("RandomSampler: data_source has no examples")
        self._num_samples = None if num_samples is None else count(num_samples, "num_samples")
        self.generator = None if generator is None else generator_of(generator)

    @property
    def num_samples(self) -> int:
        """How many numbers an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        rng, n, wanted = generator_of(self.generator), len(self.data_source), self.num_samples
        if self.replacement:
            yield from rng.integers(n, size=wanted).tolist()
            return
        for start in range(0, wanted, n):
            yield from rng.permutation(n)[: wanted - start].tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Some examples, in a new random order in each epoch.

    Parameters
    ----------
    indices : sequence of int
    generator : int or numpy.random.Generator, optional
    """

    def __init__(self, indices: Sequence[int], generator: RandomSource = None):
        self.indices = indices
        self.generator = None if generator is None else generator_of(generator)

    def __iter__(self) -> Iterator[int]:
        return (int(self.indices[i]) for i in generator_of(self.generator).permutation(len(self.indices)))

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Examples drawn with probabilities in the ratio of their weights: rare classes as often as others, say.

    Parameters
    ----------
    weights : sequence of float of at least 0
        One for each example; they need not add up to 1.
    num_samples : int
    replacement : bool, optional
        False draws no example twice.
    generator : int or numpy.random.Generator, optional
        That of `nn.manual_seed` unless told.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, all are 0, or there are fewer above 0 than are to be drawn without
        replacement.

    Examples
    --------
    >>> import numpy as np, nn
    >>> labels = np.array([0, 0, 0, 1])
    >>> weights = 1 / np.bincount(labels)[labels]
    >>> drawn = list(nn.data.WeightedRandomSampler(weights, 1000, generator=0))
    >>> bool(abs(np.mean(labels[drawn]) - 0.5) < 0.05)
    True
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True, generator: RandomSource = None):
        self.weights = np.asarray(getattr(weights, "data", weights) if hasattr(weights, "node") else weights, float)
        self.num_samples = count(num_samples, "num_samples")
        self.replacement = bool(replacement)
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all() or not (self.weights >= 0).all():
            raise ValueError("weights must be one finite number of at least 0 for each example")
        if not self.weights.any():
            raise ValueError("weights must not all be 0")
        if not self.replacement and (able := np.count_nonzero(self.weights)) < self.num_samples:
            raise ValueError(
                f"num_samples={self.num_samples} can't be drawn without replacement: {able} weights are above 0"
            )
        self.generator = None if generator is None else generator_of(generator)

    def __iter__(self) -> Iterator[int]:
        rng, p = generator_of(self.generator), self.weights / self.weights.sum()
        return iter(rng.choice(len(p), self.num_samples, self.replacement, p).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The numbers of a sampler in lists, one for each batch.

    Parameters
    ----------
    sampler : Sampler, or iterable of int with a length
    batch_size : int
    drop_last : bool
        Leave out a smaller last batch.

    Examples
    --------
    >>> import nn
    >>> list(nn.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False):
        self.sampler: Any = sampler
        self.batch_size = count(batch_size, "batch_size")
        self.drop_last = bool(drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + bool(rest and not self.drop_last)


def count(value: Any, name: str) -> int:
    """An integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
    return int(value)
