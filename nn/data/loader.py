"""Mini-batches of data, in an order that a seed or a sampler decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..errors import ShapeMismatch
from ..seeding import RandomSource, generator
from .samplers import BatchSampler, count
from .sets import TensorDataset, array_of, is_dataset, taken

__all__ = ["DataLoader", "check_finite"]


class DataLoader:
    """Gives the data in batches: ``for images, labels in loader``. Each pass over it is one epoch.

    Parameters
    ----------
    dataset : array, or tuple of arrays, or data set
        Examples along the first axis, as many in each array: ``(images, labels)``. Or what has ``len(data)`` and
        ``data[i]``, such as `nn.data.TensorDataset`.
    batch_size : int, optional
        The last batch may be smaller.
    shuffle : bool, optional
        Whether each epoch takes the examples in a new random order.
    sampler : nn.data.Sampler, or iterable of int with a length, optional
        Which examples come, and in which order, instead of `shuffle`.
    batch_sampler : nn.data.BatchSampler, or iterable of lists of int with a length, optional
        The numbers of the examples of each batch, instead of `batch_size`, `shuffle`, `sampler` and `drop_last`.
    collate_fn : callable, optional
        Makes a batch of a list of examples; `nn.data.default_collate` unless told.
    seed : int or numpy.random.Generator, optional
        Decides the orders; the generator of `nn.manual_seed` unless told.
    generator : int or numpy.random.Generator, optional
        PyTorch's name of `seed`.
    drop_last : bool, optional
        Leave out a smaller last batch.

    Raises
    ------
    ShapeMismatch
        If the data are empty or the arrays have different lengths; a ValueError.
    TypeError
        If `dataset` is a list, of examples or of pairs.
    ValueError
        If `batch_size` is below 1, options exclude each other, or arrays have NaN or infinities in them: how many, and
        where first.

    Examples
    --------
    >>> import numpy as np, nn
    >>> loader = nn.DataLoader((np.arange(5.0), np.arange(5)), batch_size=2)
    >>> [labels.tolist() for _, labels in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        *,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        seed: RandomSource = None,
        generator: RandomSource = None,
        drop_last: bool = False,
    ):
        if isinstance(dataset, list):
            raise TypeError(_list_refused(dataset))
        self.dataset = dataset
        self.single = False
        self.arrays: tuple[Any, ...] = ()
        self.transform: Any = None
        if type(dataset) is TensorDataset:
            self._hold(dataset.tensors)
            self.transform = dataset.transform
        elif is_dataset(dataset):
            if not len(dataset):
                raise ShapeMismatch(f"data: there are no examples in this {type(dataset).__name__}")
        else:
            self.single = not isinstance(dataset, tuple)
            self._hold((dataset,) if self.single else dataset)
        self.batch_size = count(batch_size, "batch_size")
        self.shuffle, self.drop_last = bool(shuffle), bool(drop_last)
        self.sampler: Any = _sampler(sampler, "sampler")
        self.batch_sampler: Any = _sampler(batch_sampler, "batch_sampler")
        if sampler is not None and self.shuffle:
            raise ValueError("DataLoader: give either shuffle or sampler; a sampler decides the order")
        if batch_sampler is not None and (self.batch_size != 1 or self.shuffle or sampler is not None or drop_last):
            raise ValueError("DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last")
        if collate_fn is not None and not callable(collate_fn):
            raise TypeError(f"collate_fn must be a function of a list of examples, got {type(collate_fn).__name__}")
        self.collate_fn = collate_fn
        if seed is not None and generator is not None:
            raise ValueError("DataLoader: give either seed or generator, which mean the same")
        source = generator if seed is None else seed
        self.rng = None if source is None else _generator(source)

    def _hold(self, given: Any) -> None:
        if not given:
            raise ShapeMismatch("data: an array or a tuple of arrays is needed, got none")
        names = ["data"] if self.single else ["images", "labels"] if len(given) == 2 else []
        names = names or [f"data[{i}]" for i in range(len(given))]
        self.arrays = tuple(array_of(a, name) for a, name in zip(given, names, strict=True))
        lengths = [len(a) for a in self.arrays]
        if len(set(lengths)) > 1:
            shapes = ", ".join(f"{name} of shape {a.shape}" for name, a in zip(names, self.arrays, strict=True))
            raise ShapeMismatch(f"data: the arrays must be of one length, got {shapes}")
        if not lengths[0]:
            raise ShapeMismatch(f"data: there are no examples ({names[0]} has shape {self.arrays[0].shape})")
        for a, name in zip(self.arrays, names, strict=True):
            check_finite(a, name)

    @property
    def size(self) -> int:
        """How many examples there are."""
        return len(self.arrays[0]) if self.arrays else len(self.dataset)

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)
        batches = (self.size if self.sampler is None else len(self.sampler)) / self.batch_size
        return math.floor(batches) if self.drop_last else math.ceil(batches)

    def __iter__(self) -> Iterator[Any]:
        return map(self._batch, self._indices())

    def _indices(self) -> Iterator[Any]:
        """The examples of each batch, as a slice where they lie beside each other."""
        if self.batch_sampler is not None:
            yield from self.batch_sampler
        elif self.sampler is not None:
            yield from BatchSampler(self.sampler, self.batch_size, self.drop_last)
        else:
            order = _generator(self.rng).permutation(self.size) if self.shuffle else None
            for start in range(0, len(self) * self.batch_size, self.batch_size):
                part: Any = slice(start, min(start + self.batch_size, self.size))
                yield part if order is None else order[part]

    def _batch(self, indices: Any) -> Any:
        if self.transform is not None and self.collate_fn is None:
            return self.dataset[indices if isinstance(indices, slice) else np.asarray(indices)]
        if self.arrays and self.collate_fn is None:
            batch = tuple(_part(a, indices if isinstance(indices, slice) else np.asarray(indices)) for a in self.arrays)
            return batch[0] if self.single else batch
        numbers = np.arange(indices.start, indices.stop) if isinstance(indices, slice) else np.asarray(indices)
        if self.collate_fn is None:
            return taken(self.dataset, numbers)
        return self.collate_fn([self._example(int(i)) for i in numbers])

    def _example(self, i: int) -> Any:
        if not self.arrays or self.transform is not None:
            return self.dataset[i]
        return self.arrays[0][i] if self.single else tuple(a[i] for a in self.arrays)

    def first(self) -> Any:
        """The first example of the data as a batch of one; generators are afterwards as they were."""
        before = [(one, one.bit_generator.state) for one in (_generator(), *self.generators())]
        try:
            return self._batch(slice(0, 1))
        finally:
            for one, state in before:
                one.bit_generator.state = state

    def generators(self) -> Iterator[Any]:
        """The random generators of the orders, each once; those that are attributes of a data set or transform too."""
        found: dict[int, Any] = {}
        waiting: list[Any] = [self]
        while waiting:
            held = getattr(waiting.pop(0), "__dict__", {})
            found.update((id(value), value) for value in held.values() if hasattr(value, "bit_generator"))
            waiting += [held[name] for name in ("sampler", "batch_sampler", "dataset", "transform") if name in held]
            waiting += [*held.get("datasets", []), *held.get("transforms", [])]
        return iter(found.values())

    def __repr__(self) -> str:
        order = f"shuffle={self.shuffle}"
        order = order if self.sampler is None else f"sampler={type(self.sampler).__name__}"
        order = order if self.batch_sampler is None else f"batch_sampler={type(self.batch_sampler).__name__}"
        batches = f"{len(self)} batches" + ("" if self.batch_sampler is not None else f" of {self.batch_size}")
        return f"DataLoader({self.size} examples in {batches}, {order})"


_generator = generator  # the argument of this name is PyTorch's


def _sampler(value: Any, name: str) -> Any:
    if value is None:
        return None
    if isinstance(value, type):
        raise TypeError(f"{name} is the class {value.__name__}: make one, {name}={value.__name__}(…)")
    if not (hasattr(value, "__iter__") and hasattr(value, "__len__")):
        raise TypeError(f"{name} must give numbers of examples and have a length, got {type(value).__name__}")
    return value


def _list_refused(data: list[Any]) -> str:
    needed = "data: an array or a tuple of arrays (images, labels) is needed, got a list of"
    if data and all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in data):
        return f"{needed} {len(data)} pairs: for the (image, label) pairs give tuple(map(np.array, zip(*pairs)))"
    kind = type(data[0]).__name__ if data else "nothing"
    return f"{needed} {kind} (length {len(data)}): for a list of examples give np.array(examples)"


def _part(array: Any, index: Any) -> Any:
    part = array[index]
    part.setflags(write=False)
    return part


def check_finite(array: Any, name: str) -> None:
    """Raise a ValueError if there are NaN or infinities in an array: how many, and where the first is."""
    if array.dtype.kind != "f" or not array.size:
        return
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):
            return
    bad = ~np.isfinite(array)
    if not bad.any():
        return
    where = np.unravel_index(int(bad.argmax()), array.shape)
    what = " and ".join(text for text, n in (("NaN", np.isnan(array).sum()), ("infinite", np.isinf(array).sum())) if n)
    raise ValueError(
        f"{name}: {int(bad.sum())} of {array.size} numbers are {what}, the first at index "
        f"({', '.join(str(int(i)) for i in where)})"
    )
