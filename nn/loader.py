"""Mini-batches of data that lie in arrays, in an order that a seed decides."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Tensor

from .errors import DtypeMismatch, ShapeMismatch
from .namespace import namespace
from .seeding import RandomSource, generator

__all__ = ["DataLoader", "check_finite"]
__getattr__, __dir__ = namespace(__name__, __all__)


class DataLoader:
    """Gives the data in batches: ``for images, labels in loader``. Each pass over it is one epoch.

    Parameters
    ----------
    data : array, or tuple of arrays
        Examples along the first axis, as many in each array: ``(images, labels)``.
    batch_size : int, optional
        The last batch may be smaller.
    shuffle : bool, optional
        Whether each epoch takes the examples in a new random order.
    seed : int or numpy.random.Generator, optional
        Decides the orders; the generator of `nn.manual_seed` unless told.
    drop_last : bool, optional
        Leave out a smaller last batch.

    Raises
    ------
    ShapeMismatch
        If the data are empty or the arrays have different lengths; a ValueError.
    TypeError
        If `data` is a list, of examples or of pairs.
    ValueError
        If `batch_size` is below 1, or the data have NaN or infinities in them: how many, and where first.

    Examples
    --------
    >>> import numpy as np, nn
    >>> loader = nn.DataLoader((np.arange(5.0), np.arange(5)), batch_size=2)
    >>> [labels.tolist() for _, labels in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        data: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        seed: RandomSource = None,
        drop_last: bool = False,
    ):
        if isinstance(data, list):
            raise TypeError(_list_refused(data))
        self.single = not isinstance(data, tuple)
        arrays = [data] if self.single else list(data)
        if not arrays:
            raise ShapeMismatch("data: an array or a tuple of arrays is needed, got none")
        names = ["data"] if self.single else ["images", "labels"] if len(arrays) == 2 else []
        names = names or [f"data[{i}]" for i in range(len(arrays))]
        self.arrays = tuple(_array(a, name) for a, name in zip(arrays, names, strict=True))
        lengths = [len(a) for a in self.arrays]
        if len(set(lengths)) > 1:
            shapes = ", ".join(f"{name} of shape {a.shape}" for name, a in zip(names, self.arrays, strict=True))
            raise ShapeMismatch(f"data: the arrays must be of one length, got {shapes}")
        if not lengths[0]:
            raise ShapeMismatch(f"data: there are no examples ({names[0]} has shape {self.arrays[0].shape})")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"batch_size must be an integer of at least 1, got {batch_size!r}")
        for a, name in zip(self.arrays, names, strict=True):
            check_finite(a, name)
        self.batch_size = int(batch_size)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.rng = None if seed is None else generator(seed)

    @property
    def size(self) -> int:
        """How many examples there are."""
        return len(self.arrays[0])

    def __len__(self) -> int:
        batches = self.size / self.batch_size
        return math.floor(batches) if self.drop_last else math.ceil(batches)

    def __iter__(self) -> Iterator[Any]:
        order = generator(self.rng).permutation(self.size) if self.shuffle else None
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            part: Any = slice(start, start + self.batch_size)
            batch = tuple(_part(a, part if order is None else order[part]) for a in self.arrays)
            yield batch[0] if self.single else batch

    def __repr__(self) -> str:
        return f"DataLoader({self.size} examples in {len(self)} batches of {self.batch_size}, shuffle={self.shuffle})"


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


def _array(value: Any, name: str) -> Any:
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
