"""Examples put together to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from ..errors import DtypeMismatch, ShapeMismatch

__all__ = ["default_collate"]


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of examples: arrays along a new first axis; of tuples a tuple of such, of dicts a dict.

    Parameters
    ----------
    batch : sequence of examples
        Numbers, arrays, Tensors (of which the numbers are taken) or strings (which stay a list), or tuples, lists or
        dicts of those.

    Raises
    ------
    ShapeMismatch
        If the examples have different shapes, or tuples different lengths; a ValueError.
    DtypeMismatch
        If there is anything else in them; a TypeError.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.data.default_collate([(np.zeros(2), 5), (np.ones(2), 7)])
    (array([[0., 0.],
           [1., 1.]]), array([5, 7]))
    """
    examples = list(batch)
    if not examples:
        raise ShapeMismatch("default_collate: there are no examples")
    first = examples[0]
    if isinstance(first, Mapping):
        return {key: default_collate([example[key] for example in examples]) for key in first}
    if isinstance(first, tuple | list):
        lengths = {len(example) for example in examples}
        if len(lengths) > 1:
            raise ShapeMismatch(f"default_collate: examples have different lengths, {sorted(lengths)}")
        parts = [default_collate(part) for part in zip(*examples, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if isinstance(first, str | bytes):
        return examples
    arrays = [np.asarray(example.data if isinstance(example, Tensor) else example) for example in examples]
    if any(array.dtype.kind not in "fiub" for array in arrays):
        kinds = sorted({type(example).__name__ for example in examples})
        raise DtypeMismatch(f"default_collate: numbers are needed, got {', '.join(kinds)}: give a collate_fn")
    shapes = {array.shape: i for i, array in reversed(list(enumerate(arrays)))}
    if len(shapes) > 1:
        told = ", ".join(f"{shape} (number {i})" for shape, i in list(shapes.items())[::-1][:3])
        raise ShapeMismatch(f"default_collate: examples must all have the same shape, got {told}: give a collate_fn")
    return np.stack(arrays)
