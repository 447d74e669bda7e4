"""The filters of a layer as images, at one moment or at several of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from ..plain.numbers import counted
from .figure import Plot, heat, plot
from .tiles import centres, extreme, mosaic, spread

__all__ = ["kernels"]

_ACROSS = 12


def kernels(
    layer: Any,
    history: Any = None,
    *,
    channel: int | None = None,
    image_shape: tuple[int, ...] | None = None,
    most: int = _ACROSS,
    moments: int = 5,
) -> Plot:
    """Show the filters of a convolution, or those of a dense layer on images: as they are, or as they became.

    Parameters
    ----------
    layer : nn.Module, Tensor or array
        A layer with a ``weight`` of shape (filters, channels, height, width) or (filters, pixels); or such numbers.
    history : Recording, or list of arrays, optional
        What `viz.record` returned, or arrays of the weight's shape, oldest first. Each row is a moment: before, during
        and after training. Without it one moment, now; each row is an input channel.
    channel : int, optional
        Of which input channel; with a `history` the first unless told.
    image_shape : (int, int) or (int, int, int), optional
        How the pixels of a dense layer lie, (height, width) or (channels, height, width); a square unless told.
    most : int, optional
        So many filters, and channels, are shown at most.
    moments : int, optional
        So many moments are shown at most, evenly spread, the first and the last among them.

    Returns
    -------
    Plot
        ``data["filters"]`` has the arrays shown, of shape (rows, filters, height, width), ``data["labels"]`` those of
        the rows. All have one scale, on which 0 is white.

    Raises
    ------
    TypeError
        If `layer` has no weight, or `history` is neither a recording nor a list of arrays.
    ValueError
        If the weight is no stack of images, a shape does not fit, or the recording is not of this layer.
    ImportError
        If the extra ``plots`` is not installed.

    Examples
    --------
    >>> import nn, viz
    >>> conv = nn.Conv2d(1, 6, 5, rng=0)
    >>> before = conv.weight.data
    >>> _ = nn.init.normal_(conv.weight, rng=1)
    >>> plot = viz.kernels(conv, [before, conv.weight.data])
    >>> plot, plot.data["filters"].shape
    (<Plot: 6 filters of 5 × 5 at 2 moments>, (2, 6, 5, 5))
    """
    weight = _weight(layer)
    now = _images(weight.data if isinstance(weight, Tensor) else np.asarray(weight), image_shape)
    count, channels, height, width = now.shape
    if channel is not None and not 0 <= channel < channels:
        raise ValueError(f"kernels: channel must be from 0 to {channels - 1}, got {channel}")
    shown = list(range(min(count, most)))
    if history is None:
        chosen = [channel] if channel is not None else list(range(min(channels, most)))
        rows = np.stack([now[shown, c] for c in chosen])
        labels = [f"channel {c}" for c in chosen] if channels > 1 else ["now"]
        when = f", {len(chosen)} of {counted(channels, 'channel')}" if channels > 1 else ""
    else:
        arrays, labels = _moments(weight, history, moments)
        rows = np.stack([_images(array, image_shape)[shown, channel or 0] for array in arrays])
        when = f", channel {channel or 0}" if channels > 1 else ""
        when += f" at {counted(len(labels), 'moment')}"
    name = f"{counted(count, 'filter')} of {height} × {width}{when}"

    def draw(figure: Any) -> None:
        gap = max(1, round(max(height, width) / 8))
        limit = extreme(rows)
        axes = figure.subplots()
        image = axes.imshow(mosaic(list(rows), gap), cmap=heat(), vmin=-limit, vmax=limit)
        axes.set_xticks(centres(len(shown), width, gap), list(map(str, shown)))
        axes.set_yticks(centres(len(rows), height, gap), labels)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        more = "" if len(shown) == count else f" ({len(shown)} of {count})"
        axes.set(xlabel=f"filter{more}", ylabel="input" if history is None and channels > 1 else "training")
        figure.colorbar(image, ax=axes, label=f"weight {_symbol(weight)}".strip(), shrink=0.9, aspect=18, pad=0.02)

    side = 0.62
    size = (2.6 + side * len(shown), 1.1 + side * len(rows) * height / width)
    return plot(draw, size, name, {"filters": rows, "labels": labels})


def _weight(layer: Any) -> Any:
    weight = layer if isinstance(layer, Tensor | np.ndarray) else getattr(layer, "weight", None)
    if not isinstance(weight, Tensor | np.ndarray) or isinstance(layer, type):
        what = layer.__name__ if isinstance(layer, type) else type(layer).__name__
        raise TypeError(f"kernels: layer must have a weight, as nn.Conv2d and nn.Linear have, got {what}")
    return weight


def _symbol(weight: Any) -> str:
    return (isinstance(weight, Tensor) and weight.name) or ""


def _images(weight: Any, image_shape: tuple[int, ...] | None) -> Any:
    """A weight as an array of shape (filters, channels, height, width)."""
    if weight.ndim == 4:
        return weight
    if weight.ndim != 2:
        raise ValueError(
            "kernels: the weight must be of shape (filters, channels, height, width) or (filters, pixels), got "
            f"{weight.shape}"
        )
    pixels = weight.shape[1]
    shape = (math.isqrt(pixels),) * 2 if image_shape is None else tuple(image_shape)
    if len(shape) not in (2, 3) or math.prod(shape) != pixels:
        given = "they are no square" if image_shape is None else f"image_shape={image_shape} does not hold them"
        raise ValueError(
            f"kernels: the weight has {pixels} pixels for each filter, and {given}: give image_shape=(height, width) "
            "or (channels, height, width)"
        )
    return weight.reshape(len(weight), *(1,) * (3 - len(shape)), *shape)


def _moments(weight: Any, history: Any, most: int) -> tuple[list[Any], list[str]]:
    if hasattr(history, "snapshots"):
        tape = history[-1].tape
        record = tape.record_of(weight)
        if record is None:
            raise ValueError("kernels: the recording does not have this layer's weight: it is of another model")
        chosen = [history[i] for i in spread(len(history), most)]
        return [s.tape.value(s.tape[tape.index(record)]) for s in chosen], [s.label for s in chosen]
    if not isinstance(history, Sequence) or isinstance(history, str) or not len(history):
        raise TypeError(f"kernels: history must be a Recording or a list of arrays, got {type(history).__name__}")
    places = spread(len(history), most)
    arrays = [np.asarray(history[i].data if isinstance(history[i], Tensor) else history[i]) for i in places]
    for i, array in zip(places, arrays, strict=True):
        if array.shape != weight.shape:
            raise ValueError(f"kernels: moment {i} of history has shape {array.shape}, expected {weight.shape}")
    last = len(history) - 1
    between = (lambda i: "during") if last == 2 else (lambda i: f"during, {i} of {last}")
    return arrays, ["before" if i == 0 else "after" if i == last else between(i) for i in places]
