"""Data sets: examples by their number."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from ..errors import DtypeMismatch, ShapeMismatch
from ..seeding import RandomSource, generator
from ..transforms import callable_checked, transformed
from .collate import default_collate

__all__ = ["ConcatDataset", "Dataset", "Subset", "TensorDataset", "array_of", "is_dataset", "random_split", "taken"]


class Dataset:
    """A data set: ``len(data)`` examples, ``data[i]`` for i from 0. Yours has these two methods; it need not inherit.

    Examples
    --------
    >>> import nn
    >>> class Squares(nn.data.Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, i):
    ...         return float(i), float(i * i)
    >>> for x, y in nn.DataLoader(Squares(), batch_size=3):
    ...     print(x, y)
    [0. 1. 2.] [0. 1. 4.]
    [3.] [9.]
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__: write how many examples there are")

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__: write def __getitem__(self, i)")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Arrays of one length; an example is a tuple with a part of each.

    Parameters
    ----------
    *tensors : array or Tensor
        Examples along the first axis. They are not copied.
    transform : callable, optional
        What is done to the first of the arrays whenever examples are taken, so that each epoch sees other copies:
        `nn.transforms.RandomAffine` and its kin, or any function of one example.

    Raises
    ------
    ShapeMismatch
        If there are none, or they have different lengths; a ValueError.

    Examples
    --------
    >>> import numpy as np, nn
    >>> data = nn.data.TensorDataset(np.array([1.5, 2.5]), np.array([0, 1]))
    >>> len(data), data[1]
    (2, (np.float64(2.5), np.int64(1)))
    >>> noisy = nn.data.TensorDataset(np.zeros((2, 3)), [0, 1], transform=lambda x: x + 1)
    >>> noisy[1]
    (array([1., 1., 1.]), np.int64(1))
    """

    def __init__(self, *tensors: Any, transform: Callable[[Any], Any] | None = None):
        if not tensors:
            raise ShapeMismatch("TensorDataset: at least one array is needed")
        self.tensors = tuple(array_of(t, f"TensorDataset: number {i}") for i, t in enumerate(tensors))
        if len({len(t) for t in self.tensors}) > 1:
            shapes = ", ".join(str(t.shape) for t in self.tensors)
            raise ShapeMismatch(f"TensorDataset: the arrays must be of one length, got shapes {shapes}")
        self.transform = None if transform is None else callable_checked(transform, "TensorDataset")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        first, *others = (t[index] for t in self.tensors)
        if self.transform is not None:
            if isinstance(first, np.ndarray):
                first = first.view()
                first.setflags(write=False)  # a transform must not write into the data
            single = isinstance(index, int | np.integer)
            first = self.transform(first) if single else transformed(self.transform, first)
        return (first, *others)


class Subset(Dataset):
    """Some examples of a data set, in the order of their numbers.

    Parameters
    ----------
    dataset : data set, or tuple of arrays
    indices : sequence of int

    Raises
    ------
    IndexError
        If a number is out of range.

    Examples
    --------
    >>> import nn
    >>> list(nn.data.Subset("abcd", [3, 0]))
    ['d', 'a']
    """

    def __init__(self, dataset: Any, indices: Any):
        self.dataset = dataset = _dataset(dataset, "Subset")
        self.indices = np.asarray(indices if hasattr(indices, "dtype") else list(indices))
        if self.indices.size == 0:
            self.indices = self.indices.astype(np.int64)
        if self.indices.ndim != 1 or self.indices.dtype.kind not in "iu":
            got = f"shape {self.indices.shape} of dtype {self.indices.dtype}"
            raise TypeError(f"Subset: indices must be a sequence of integers, got {got} (a mask: np.flatnonzero(mask))")
        n = len(dataset)
        bad = (self.indices < -n) | (self.indices >= n)
        if bad.any():
            i = int(bad.argmax())
            raise IndexError(f"Subset: index {self.indices[i]} at position {i} is out of range of {n} examples")
        self.indices = np.where(self.indices < 0, self.indices + n, self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[int(self.indices[index])]


class ConcatDataset(Dataset):
    """Data sets one after the other; ``a + b`` makes one too.

    Parameters
    ----------
    datasets : iterable of data sets

    Examples
    --------
    >>> import nn
    >>> both = nn.data.ConcatDataset(["ab", "cde"])
    >>> len(both), both[2], both[-1]
    (5, 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = [_dataset(part, f"ConcatDataset: number {i}") for i, part in enumerate(datasets)]
        if not self.datasets:
            raise ValueError("ConcatDataset: there are no data sets")
        self.cumulative_sizes = np.cumsum([len(part) for part in self.datasets]).tolist()

    def __len__(self) -> int:
        return int(self.cumulative_sizes[-1])

    def __getitem__(self, index: Any) -> Any:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ConcatDataset: index {index} is out of range of {n} examples")
        index = index % n
        k = bisect_right(self.cumulative_sizes, index)
        return self.datasets[k][index - (self.cumulative_sizes[k - 1] if k else 0)]


def random_split(dataset: Any, lengths: Sequence[float], generator: RandomSource = None) -> list[Subset]:
    """Divide a data set at random, so that no example is in two parts.

    Parameters
    ----------
    dataset : data set, or tuple of arrays
    lengths : sequence of int, or of float
        How many examples go into each part; or which share of them, 1 together. What rounding down leaves over goes
        to the first parts, one each.
    generator : int or numpy.random.Generator, optional
        Decides the parts; the generator of `nn.manual_seed` unless told.

    Returns
    -------
    list of Subset

    Raises
    ------
    ValueError
        If the lengths do not add up.

    Examples
    --------
    >>> import numpy as np, nn
    >>> train, test = nn.data.random_split((np.arange(10.0), np.arange(10)), [0.8, 0.2], generator=0)
    >>> len(train), len(test)
    (8, 2)
    """
    dataset = _dataset(dataset, "random_split")
    n, counts = len(dataset), list[Any](lengths)
    if any(isinstance(c, bool) or not isinstance(c, int | float | np.number) or not c >= 0 for c in counts):
        raise ValueError(f"random_split: lengths must be numbers of at least 0, got {lengths!r}")
    if any(isinstance(c, float | np.floating) for c in counts) and math.isclose(sum(counts), 1):
        counts = [math.floor(n * share) for share in counts]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
    if any(c != int(c) for c in counts) or sum(counts) != n:
        raise ValueError(
            f"random_split: lengths must add up to the {n} examples, or shares to 1, got {lengths!r}, which is "
            f"{sum(lengths):g}"
        )
    order = _generator(generator).permutation(n)
    ends = np.cumsum([0, *map(int, counts)])
    return [Subset(dataset, order[a:b]) for a, b in itertools.pairwise(ends)]


_generator = generator  # the argument of this name is PyTorch's


def is_dataset(value: Any) -> bool:
    """Whether something gives examples by their numbers, and is no array."""
    known = isinstance(value, tuple | list | Mapping | str | bytes) or hasattr(value, "__array__")
    return not known and not isinstance(value, Tensor) and hasattr(value, "__len__") and hasattr(value, "__getitem__")


def taken(dataset: Any, indices: Any) -> Any:
    """The examples of these numbers as one batch."""
    while type(dataset) is Subset:
        dataset, indices = dataset.dataset, dataset.indices[indices]
    if type(dataset) is TensorDataset:
        return dataset[indices]
    return default_collate([dataset[int(i)] for i in indices])


def array_of(value: Any, name: str) -> Any:
    """Numbers along a first axis."""
    if isinstance(value, Tensor):
        value = value.data
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeMismatch(f"{name}: examples must all have the same shape ({error})") from None
    if array.dtype.kind not in "fiub":
        raise DtypeMismatch(f"{name}: numbers are needed, got dtype {array.dtype}")
    if array.ndim == 0:
        raise ShapeMismatch(f"{name}: examples along a first axis are needed, got the single number {array}")
    return array


def _dataset(value: Any, what: str) -> Any:
    """A data set; a tuple of arrays, as `DataLoader` takes it, is one of them all."""
    if isinstance(value, tuple) and value and all(hasattr(part, "shape") for part in value):
        return TensorDataset(*value)
    if isinstance(value, Mapping) or not (hasattr(value, "__len__") and hasattr(value, "__getitem__")):
        raise TypeError(f"{what}: a data set has len(data) and data[i] for numbers i; got {type(value).__name__}")
    return value
