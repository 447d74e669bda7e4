"""One row for each ONNX operator that gives elements another place: shapes, slices, what is gathered and scattered."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.nests import numbers_of
from nn import functional as F

from .calls import Call, in_one_dtype, integer
from .pieces import placed, put, reduced_at, slices

__all__ = ["SHAPES", "flattened", "sequence"]


def sequence(axes: Any) -> Any:
    return None if axes is None else tuple(int(a) for a in np.ravel(integer(axes)))


def _gather(x: Any, at: Any, *, axis: int = 0) -> Any:
    return np.take(x, integer(at), axis=axis)


def _gather_nd(x: Any, at: Any, *, batch_dims: int = 0) -> Any:
    at = integer(at)
    lead = [np.arange(n).reshape(-1, *(1,) * (at.ndim - 2 - i)) for i, n in enumerate(at.shape[:batch_dims])]
    return x[(*lead, *np.moveaxis(at, -1, 0))]


def _scatter(x: Any, at: Any, values: Any, *, axis: int = 0, reduction: str = "none") -> Any:
    at = np.where(integer(at) < 0, integer(at) + x.shape[axis], integer(at))
    return placed(x, axis, at, values, _HOW[reduction])


def _scatter_nd(x: Any, at: Any, values: Any, *, reduction: str = "none") -> Any:
    found, how = tuple(np.moveaxis(integer(at), -1, 0)), _HOW[reduction]
    return reduced_at(x, found, values, how) if how else put(x, found, values)


_HOW = {"none": "", "add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


def _reshape(x: Any, shape: Any, *, allowzero: int = 0) -> Any:
    wanted = [int(n) for n in integer(shape)]
    return np.reshape(x, [x.shape[i] if n == 0 and not allowzero else n for i, n in enumerate(wanted)])


def _slice(x: Any, starts: Any, ends: Any = None, axes: Any = None, steps: Any = None) -> Any:
    starts, ends = sequence(starts), sequence(ends)
    axes, steps = sequence(axes) or range(len(starts)), sequence(steps) or (1,) * len(starts)
    index = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        n = x.shape[axis]
        index[axis] = slice(start, None if step < 0 and end < -n else end, step)
    return x[tuple(index)]


def _split(x: Any, lengths: Any = None, *, axis: int = 0, split: Any = None, num_outputs: Any = None, _outputs: int = 1,
           ) -> Any:  # fmt: skip
    lengths = sequence(split if lengths is None else lengths)
    if lengths is None:
        each = -(-x.shape[axis] // (num_outputs or _outputs))
        lengths = [each] * (num_outputs or _outputs)
    return tuple(np.split(x, np.cumsum(lengths)[:-1].tolist(), axis=axis))


def _squeeze(x: Any, axes_input: Any = None, *, axes: Any = None) -> Any:
    return np.squeeze(x, sequence(axes if axes_input is None else axes_input))


def _unsqueeze(x: Any, axes_input: Any = None, *, axes: Any = None) -> Any:
    return np.expand_dims(x, sequence(axes if axes_input is None else axes_input))


def _expand(x: Any, shape: Any) -> Any:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(int(n) for n in integer(shape))))


def flattened(x: Any, *, axis: int = 1) -> Any:
    axis = axis if axis >= 0 else axis + x.ndim
    return np.reshape(x, (int(np.prod(x.shape[:axis], dtype=int)), -1) if x.size else (
        int(np.prod(x.shape[:axis], dtype=int)), int(np.prod(x.shape[axis:], dtype=int))))  # fmt: skip


def _pad(x: Any, pads: Any = None, value: Any = None, axes: Any = None, *, mode: str = "constant",
         **attributes: Any) -> Any:  # fmt: skip
    given = sequence(attributes.get("pads") if pads is None else pads)
    value = attributes.get("value", 0.0) if value is None else numbers_of(value).item()
    widths = [(0, 0)] * x.ndim
    over = sequence(axes) or range(x.ndim)
    for i, axis in enumerate(over):
        widths[axis] = given[i], given[i + len(given) // 2]
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, x.shape, strict=True))
    x, widths = x[cut], [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode == "constant":
        return np.pad(x, widths, constant_values=value)
    return np.pad(x, widths, mode)  # type: ignore[call-overload]


def _trilu(x: Any, k: Any = None, *, upper: int = 1) -> Any:
    k = 0 if k is None else int(integer(k))
    return (np.triu if upper else np.tril)(x, k) if x.size else x


def _one_hot(at: Any, depth: Any, values: Any, *, axis: int = -1) -> Any:
    n = int(np.ravel(integer(depth))[0])
    at = np.asarray(integer(at)).astype(np.int64)
    at = np.expand_dims(np.where((at >= -n) & (at < n), at % n, n), axis)
    numbers = np.arange(n).reshape([-1 if i == axis % at.ndim else 1 for i in range(at.ndim)])
    return np.where(at == numbers, numbers_of(values)[1], numbers_of(values)[0])


def _unique(x: Any, *, axis: Any = None, sorted: int = 1) -> Any:
    values, first, inverse, counts = np.unique(numbers_of(x), True, True, True, axis=axis)
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first)
        values = np.take(values, order, axis=0 if axis is None else axis)
        inverse = np.argsort(order)[inverse]
        first, counts = first[order], counts[order]
    return values, first, inverse, counts


def _space_to_depth(x: Any, *, blocksize: int, mode: str = "DCR") -> Any:
    if mode == "CRD":
        return F.pixel_unshuffle(x, blocksize)
    n, c, h, w = x.shape
    x = np.reshape(x, (n, c, h // blocksize, blocksize, w // blocksize, blocksize))
    return np.reshape(np.transpose(x, (0, 3, 5, 1, 2, 4)), (n, -1, h // blocksize, w // blocksize))


def _depth_to_space(x: Any, *, blocksize: int, mode: str = "DCR") -> Any:
    n, c, h, w = x.shape
    if mode == "CRD":
        return F.pixel_shuffle(x, blocksize)
    x = np.reshape(x, (n, blocksize, blocksize, c // blocksize**2, h, w))
    return np.reshape(np.transpose(x, (0, 3, 4, 1, 5, 2)), (n, -1, h * blocksize, w * blocksize))


def _reverse_sequence(x: Any, lengths: Any, *, batch_axis: int = 1, time_axis: int = 0) -> Any:
    both = np.moveaxis(x, (batch_axis, time_axis), (0, 1))
    at = np.arange(both.shape[1])
    places = np.stack([np.where(at < n, n - 1 - at, at) for n in integer(lengths)])
    out = both[np.arange(both.shape[0])[:, None], places]
    return np.moveaxis(out, (0, 1), (batch_axis, time_axis))


def _center_crop_pad(x: Any, shape: Any, *, axes: Any = None) -> Any:
    for axis, n in zip(sequence(axes) or range(x.ndim), integer(shape).tolist(), strict=True):
        have = x.shape[axis]
        if n < have:
            start = (have - n) // 2
            x = x[slices(x, axis % x.ndim, slice(start, start + n))]
        elif n > have:
            widths = [(0, 0)] * x.ndim
            widths[axis] = (n - have) // 2, n - have - (n - have) // 2
            x = np.pad(x, widths)
    return x


def _shape(x: Any, *, start: int = 0, end: Any = None) -> Any:
    return np.array(x.shape[slice(start, end)], np.int64)


SHAPES: dict[str, Call] = {
    "Reshape": _reshape,
    "Transpose": lambda x, *, perm=None: np.transpose(x, None if perm is None else tuple(perm)),
    "Flatten": flattened,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Expand": _expand,
    "Tile": lambda x, times: np.tile(x, sequence(times)),
    "Concat": lambda *xs, axis: np.concatenate(in_one_dtype(*xs), axis=axis),
    "Split": _split,
    "Slice": lambda x, *given, starts=None, ends=None, axes=None: _slice(x, *(given or (starts, ends, axes))),
    "Gather": _gather,
    "GatherElements": lambda x, at, *, axis=0: np.take_along_axis(x, integer(at), axis),
    "GatherND": _gather_nd,
    "Scatter": _scatter,
    "ScatterElements": _scatter,
    "ScatterND": _scatter_nd,
    "Compress": lambda x, condition, *, axis=None: np.compress(integer(condition), x, axis=axis),
    "Pad": _pad,
    "Trilu": _trilu,
    "SpaceToDepth": _space_to_depth,
    "DepthToSpace": _depth_to_space,
    "ReverseSequence": _reverse_sequence,
    "CenterCropPad": _center_crop_pad,
    "OneHot": _one_hot,
    "NonZero": lambda x: np.array(np.nonzero(np.atleast_1d(numbers_of(x))), np.int64),
    "Unique": _unique,
    "Shape": _shape,
    "Size": lambda x: np.array(x.size, np.int64),
}  # fmt: skip
