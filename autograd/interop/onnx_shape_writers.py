"""One row for each operation of the tape that gives elements another place: the ONNX nodes that compute it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.rules import indexing, shapes, windows

from .onnx_twins import Differs, Twins, Writer, axes_input, unwritten

__all__ = ["SHAPE_WRITERS"]


def _reshape(file: Any, at: Twins) -> str:
    wanted = list(at.node.shape)
    free = [i for i, (n, m) in enumerate(zip(at.node.shape, at.twin.shape, strict=True)) if n != m]
    if len(free) > 1:
        raise Differs(f"the shape of reshape ({at.node.source})")
    if free:
        wanted[free[0]] = -1
    return str(file.node("Reshape", [file.operand(at, 0), file.ints(*wanted)]))


def _transposed(axes_of: Callable[[Twins, int], list[int]]) -> Writer:
    return lambda file, at: str(file.node("Transpose", [file.operand(at, 0)], perm=axes_of(at, at.ndim)))


def _order(at: Twins, n: int) -> list[int]:
    axes = at.option("axes")
    return [int(a) % n for a in axes] if axes is not None else list(range(n))[::-1]


def _swapped(at: Twins, n: int) -> list[int]:
    order = list(range(n))
    a, b = at.option("axis1"), at.option("axis2")
    order[a], order[b] = order[b], order[a]
    return order


def _moved(at: Twins, n: int) -> list[int]:
    marked = np.empty(range(1, n + 1), bool)  # each axis as long as its number
    return [m - 1 for m in np.moveaxis(marked, at.option("source"), at.option("destination")).shape]


def _expand_dims(file: Any, at: Twins) -> str:
    axis = at.option("axis")
    axes = [int(a) % at.node.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    return str(file.node("Unsqueeze", [file.operand(at, 0), file.ints(*axes)]))


def _squeeze(file: Any, at: Twins) -> str:
    return str(file.node("Squeeze", [file.operand(at, 0), *axes_input(file, at, at.ndim)]))


def _broadcast(file: Any, at: Twins) -> str:
    return str(file.node("Expand", [file.operand(at, 0), file.lengths(at.node.shape, at.twin.shape)]))


def _concatenate(file: Any, at: Twins) -> str:
    parts = [file.operand(at, i, at.node.dtype) for i in range(len(at.node.operands))]
    return str(file.node("Concat", parts, axis=int(at.option("axis", 0))))


def _stack(file: Any, at: Twins) -> str:
    axis = int(at.option("axis", 0)) % at.node.ndim
    parts = [file.operand(at, i, at.node.dtype) for i in range(len(at.node.operands))]
    return str(file.node("Concat", [file.node("Unsqueeze", [x, file.ints(axis)]) for x in parts], axis=axis))


def _getitem(file: Any, at: Twins) -> str:
    """A slice for each axis, then the axes of single places away, then new ones; one array of places along one axis."""
    index, other = (n.kwargs["index"] for n in at[:2])
    index, other = (i if isinstance(i, tuple) else (i,) for i in (index, other))
    arrays = [i for i in index if isinstance(i, np.ndarray)]
    shape, twin = at.parents(0).node.shape, at.parents(0).twin.shape
    if any(i.dtype == bool for i in arrays):
        raise unwritten(at.node, "what a mask picks")
    whole, whole_other = _full(index, len(shape)), _full(other, len(shape))
    x = file.operand(at, 0)
    if arrays:
        return _picked(file, at, x, whole, whole_other)
    axes: list[tuple[int, int, int, int]] = []
    gone, new, axis, place = [], [], 0, 0
    for one, two in zip(whole, whole_other, strict=True):
        if one is None:
            new.append(place)
            place += 1
            continue
        n, m = shape[axis], twin[axis]
        if isinstance(one, slice):
            given = one.indices(n)
            if (one.start, one.stop, one.step) != (two.start, two.stop, two.step) and given != two.indices(m):
                if given != (0, n, 1) or two.indices(m) != (0, m, 1):
                    raise Differs(f"the end of a slice ({at.node.source})")
            elif given != (0, n, 1):
                big = np.iinfo(np.int64).max
                stop = one.stop if one.stop is not None else (big if given[2] > 0 else -big)
                start = one.start if one.start is not None else (0 if given[2] > 0 else big)
                axes.append((start, stop, axis, given[2]))
            place += 1
        else:
            if int(one) != int(two):
                raise Differs(f"the place that is picked ({at.node.source})")
            axes.append((int(one), int(one) + 1 if int(one) != -1 else np.iinfo(np.int64).max, axis, 1))
            gone.append(axis)
        axis += 1
    if axes:
        x = file.node("Slice", [x, *(file.ints(*part) for part in zip(*axes, strict=True))])
    if gone:
        x = file.node("Squeeze", [x, file.ints(*gone)])
    return str(file.node("Unsqueeze", [x, file.ints(*new)]) if new else x)


def _full(index: tuple[Any, ...], ndim: int) -> list[Any]:
    """An index with a slice or a place for each axis."""
    used = sum(i is not None and i is not Ellipsis for i in index)
    found: list[Any] = []
    for one in index:
        found += [slice(None)] * (ndim - used) if one is Ellipsis else [one]
    return found if any(i is Ellipsis for i in index) else found + [slice(None)] * (ndim - used)


def _picked(file: Any, at: Twins, x: str, index: list[Any], other: list[Any]) -> str:
    places = [i for i, one in enumerate(index) if not (isinstance(one, slice) and one == slice(None))]
    arrays = [index[i] for i in places]
    if len(places) == 1:
        return str(file.node("Gather", [x, file.array(arrays[0], other[places[0]])], axis=places[0]))
    if places != list(range(len(places))) or not all(isinstance(a, np.ndarray) for a in arrays):
        raise unwritten(at.node, "arrays of places beside slices")
    names = [file.array(a, b) for a, b in zip(arrays, (other[i] for i in places), strict=True)]
    if len({a.shape for a in arrays}) > 1:
        whole = file.ints(*np.broadcast_shapes(*(a.shape for a in arrays)))
        names = [file.node("Expand", [name, whole]) for name in names]
    parts = [file.node("Unsqueeze", [name, file.ints(-1)]) for name in names]
    return str(file.node("GatherND", [x, file.node("Concat", parts, axis=-1)]))


def _take(file: Any, at: Twins) -> str:
    axis = at.option("axis")
    x = file.operand(at, 0)
    at.asked.add(1)  # the places, where they are no option
    x = file.node("Reshape", [x, file.ints(-1)]) if axis is None else x
    a, b = (n.kwargs["indices"] if "indices" in n.kwargs else n.operands[1] for n in at[:2])
    return str(file.node("Gather", [x, file.array(np.asarray(a), np.asarray(b))], axis=int(axis or 0)))


def _take_along(file: Any, at: Twins) -> str:
    x = file.operand(at, 0)
    return str(file.node("GatherElements", [x, file.operand(at, 1)], axis=int(at.option("axis"))))


def _pad(file: Any, at: Twins) -> str:
    widths = at.option("pad_width")
    mode = at.option("mode", "constant")
    if mode not in ("constant", "edge", "reflect"):
        raise unwritten(at.node, f"padding in the mode {mode!r}")
    pads = file.ints(*np.broadcast_to(np.asarray(widths), (at.ndim, 2)).T.ravel().tolist())
    if len(at.node.operands) == 1:
        return str(file.node("Pad", [file.operand(at, 0), pads], mode=mode))
    padded: Any = at.parents(1)[:2]
    values = [np.unique(x) for x in padded]
    if len(values[0]) != 1:
        raise unwritten(at.node, "padding with several numbers")
    value = file.array(*(x[0].astype(at.node.dtype) for x in values))
    return str(file.node("Pad", [file.operand(at, 0), pads, value]))


def _zero_pad(file: Any, at: Twins) -> str:
    (a, b), (c, d) = at.option("padding")
    value = [file.operand(at, 1, at.node.dtype)] if len(at.node.operands) > 1 else []
    return str(file.node("Pad", [file.operand(at, 0), file.ints(0, 0, a, c, 0, 0, b, d), *value]))


def _flip(file: Any, at: Twins) -> str:
    axis = at.option("axis")
    axes = range(at.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    big = np.iinfo(np.int64).max
    parts = zip(*((big, -big, int(a) % at.ndim, -1) for a in axes), strict=True)
    return str(file.node("Slice", [file.operand(at, 0), *(file.ints(*p) for p in parts)]))


def _reordered(places: Callable[[Any, Twins], Any]) -> Writer:
    """What gives elements other places along one axis, as those of a list of numbers: taken from there."""

    def write(file: Any, at: Twins) -> str:
        axis = at.option("axis")
        if not isinstance(axis, int | np.integer):
            raise unwritten(at.node, f"{at.node.op} along other than one axis")
        first = at.parents(0)
        lengths = [t.shape[axis] for t in first[:2]]
        if lengths[0] != lengths[1]:
            raise Differs(f"the length that {at.node.op} ({at.node.source}) goes along")
        taken = file.array(np.asarray(places(np.arange(lengths[0]), at)))
        return str(file.node("Gather", [file.operand(at, 0), taken], axis=int(axis)))

    return write


def _sort(file: Any, at: Twins) -> str:
    axis = int(at.option("axis", -1))
    lengths = [t.shape[axis] for t in at.parents(0)[:2]]
    if lengths[0] != lengths[1]:
        raise Differs(f"the length that sort ({at.node.source}) goes along")
    return str(file.node("TopK", [file.operand(at, 0), file.ints(lengths[0])], 2, axis=axis, largest=0))


def _tile(file: Any, at: Twins) -> str:
    times = at.option("reps")
    times = tuple(times) if np.iterable(times) else (times,)
    x = file.operand(at, 0)
    if len(times) > at.ndim:
        x = file.node("Unsqueeze", [x, file.ints(*range(len(times) - at.ndim))])
    return str(file.node("Tile", [x, file.ints(*(1,) * (at.ndim - len(times)), *map(int, times))]))


def _triangle(upper: int) -> Writer:
    return lambda file, at: str(file.node("Trilu", [file.operand(at, 0), file.array(np.array(at.option("k", 0)))],
                                          upper=upper))  # fmt: skip


SHAPE_WRITERS: dict[Any, Writer] = {
    np.reshape: _reshape, np.ravel: _reshape, np.transpose: _transposed(_order),
    np.swapaxes: _transposed(_swapped), np.moveaxis: _transposed(_moved), np.expand_dims: _expand_dims,
    np.squeeze: _squeeze, np.broadcast_to: _broadcast, shapes.concatenate: _concatenate, shapes.stack: _stack,
    indexing.getitem: _getitem, np.take: _take, np.take_along_axis: _take_along, shapes.pad: _pad,
    np.roll: _reordered(lambda x, at: np.roll(x, at.option("shift"))),
    np.repeat: _reordered(lambda x, at: np.repeat(x, at.option("repeats"))),
    np.sort: _sort,
    windows.zero_pad: _zero_pad, np.flip: _flip, np.tile: _tile, np.tril: _triangle(0), np.triu: _triangle(1),
    shapes.astype: lambda file, at: file.node("Cast", [file.operand(at, 0)], to=file.type_of(at.node.dtype)),
}  # fmt: skip
