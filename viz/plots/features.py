"""What each layer makes of one input: z⁽ˡ⁾ and a⁽ˡ⁾ as images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Node, Tape

from ..plain.numbers import counted, numeral
from .figure import Plot, heat, plot
from .models import called, of_layers
from .tiles import centres, extreme, mosaic

__all__ = ["activations"]


def activations(model: Any, x: Any, names: Sequence[str] | None = None, *, example: int = 0, most: int = 8) -> Plot:
    """Show what each layer makes of an input: the feature maps of z⁽ˡ⁾ and a⁽ˡ⁾, layer by layer.

    They are read from the tape of one call in evaluation mode, under the names that they have there.

    Parameters
    ----------
    model : nn.Module
    x : array or Tensor of shape (N, …)
        Inputs, with the batch axis.
    names : sequence of str, optional
        What to show, ``["z⁽¹⁾", "a⁽²⁾"]``; the input, and all z⁽ˡ⁾, a⁽ˡ⁾ and ŷ unless told.
    example : int, optional
        Of which example of the batch.
    most : int, optional
        So many channels are shown at most.

    Returns
    -------
    Plot
        ``data`` has the arrays of the example by their names. Each row has a scale of its own, on which 0 is white.

    Raises
    ------
    TypeError
        If `model` is no model, or returns no Tensor.
    KeyError
        If nothing on the tape has a name that was given; the nearest are listed.
    ValueError
        If nothing on the tape is named, or there is no such example.
    ImportError
        If the extra ``plots`` is not installed.

    Examples
    --------
    >>> import numpy as np, nn, viz
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    >>> plot = viz.activations(net, np.zeros((1, 1, 8, 8)))
    >>> {name: array.shape for name, array in plot.data.items()}
    {'x': (1, 8, 8), 'z⁽¹⁾': (4, 6, 6), 'a⁽¹⁾': (4, 6, 6), 'z⁽²⁾': (10,)}
    """
    _, tape = called(model, x, "activations")
    nodes = _inputs(tape, model) + of_layers(tape) if names is None else [tape.find(name) for name in names]
    nodes = [node for node in nodes if len(node.shape) > 1]
    if not nodes:
        raise ValueError(
            "activations: nothing on the tape is called z⁽ˡ⁾ or a⁽ˡ⁾: name a Tensor, z.name = 'z', and give names=['z']"
        )
    data = {}
    for node in nodes:
        value = tape.value(node)
        if not -len(value) <= example < len(value):
            raise ValueError(f"activations: there are {counted(len(value), 'example')}, no example {example}")
        data[str(node.name)] = value[example]

    heights = [1.0 if array.ndim == 1 else 1.6 for array in data.values()]

    def draw(figure: Any) -> None:
        figure.suptitle("What each layer makes of the input (each row with its own scale)")
        figure.get_layout_engine().set(h_pad=0.08)
        rows = figure.subplots(len(data), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (label, array) in zip(rows, data.items(), strict=True):
            _row(figure, axes, label, array, most)

    return plot(draw, (7.5, 0.4 + sum(heights)), f"{', '.join(data)} by layer", data)


def _inputs(tape: Tape, model: Any) -> list[Node]:
    """The leaves that are no parameters but have a name: x."""
    learned = {tape.record_of(parameter) for parameter in model.parameters()}
    return [node for node in tape if node.is_leaf and node.name and node not in learned]


def _row(figure: Any, axes: Any, label: str, array: Any, most: int) -> None:
    limit = extreme(array)
    options = {"cmap": heat(), "vmin": -limit, "vmax": limit}
    shape = " × ".join(map(str, array.shape))
    if array.ndim == 1:
        image = axes.imshow(array[None], aspect="auto", **options)
        axes.set_yticks([])
        axes.set_xlabel("unit", loc="left")
        if len(array) <= 32:
            axes.set_xticks(range(len(array)))
        shape = counted(len(array), "unit")
    else:
        tiles = array.reshape(-1, *array.shape[-2:])
        count, height, width = tiles.shape
        shown = min(count, most)
        gap = max(1, round(width / 10))
        padded = [*tiles[:shown], *[np.full((height, width), np.nan)] * (most - shown)]
        image = axes.imshow(mosaic([padded], gap), **options)
        axes.set_xticks(centres(shown, width, gap), list(map(str, range(shown))))
        axes.set_yticks([])
        axes.set_xlabel("channel" if array.ndim > 2 else "image", loc="left")
        shape += f", {shown} of {count} channels" if shown < count else ""
    axes.tick_params(length=0, labelsize=8)
    axes.set_anchor("W")
    axes.xaxis.labelpad = 1
    axes.xaxis.label.set_size(8)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{label}   {shape}", loc="left", pad=3)
    bar = figure.colorbar(image, ax=axes, aspect=6, pad=0.01, panchor=False, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([numeral(-limit, 3), "0", numeral(limit, 3)], size=8)
    bar.set_label(label)
