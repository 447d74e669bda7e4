"""The course of a training: loss, accuracy and learning rate by epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .figure import Plot, legend, line, plot
from .layers import draw_histograms, draw_layers, histograms_of, layers_of

__all__ = ["history"]

_PANELS = (
    ("loss", "loss L", (("loss", "training"), ("val_loss", "validation"))),
    ("accuracy", "accuracy (%)", (("accuracy", "training"), ("val_accuracy", "validation"))),
    ("learning rate", "learning rate η", (("lr", ""),)),
)


def history(history: Any) -> Plot:
    """Show how a training went: loss, accuracy and learning rate by epochs, on training and on validation data.

    Parameters
    ----------
    history : nn.History, or dict of str to History
        What `nn.fit` returned: anything with lists ``loss``, and perhaps ``val_loss``, ``accuracy``, ``val_accuracy``
        and ``lr``, one number per epoch. Several, by what they are called, are drawn in one figure. A single one that
        has ``diagnostics`` is drawn with lines and histograms of its layers (the first six) by steps, where a stronger
        colour is more often.

    Returns
    -------
    Plot
        ``data[label][what]`` has the numbers shown, with the label ``""`` where there is but one history; what was
        measured of layers is in ``data["layers"]``.

    Raises
    ------
    TypeError
        If it has no list ``loss``.
    ValueError
        If no epoch was trained.
    ImportError
        If the extra ``plots`` is not installed.

    Examples
    --------
    >>> import numpy as np, nn, viz
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> told = nn.fit(nn.Sequential(nn.Linear(2, 2)), (x, [0, 1]), epochs=3, progress=False)
    >>> viz.history(told)
    <Plot: loss, accuracy and learning rate of 3 epochs>
    """
    several = dict(history) if isinstance(history, Mapping) else {"": history}
    data: dict[str, dict[str, Any]] = {}
    for label, one in several.items():
        if not isinstance(getattr(one, "loss", None), list):
            raise TypeError(f"history: what nn.fit returned is needed, with a list loss, got {type(one).__name__}")
        data[str(label)] = {
            what: list(getattr(one, what))
            for _, _, lines in _PANELS
            for what, _ in lines
            if isinstance(getattr(one, what, None), list) and getattr(one, what)
        }
    epochs = max((len(found.get("loss", ())) for found in data.values()), default=0)
    if not epochs:
        raise ValueError("history: no epoch was trained")
    panels = [panel for panel in _PANELS if any(what in found for found in data.values() for what, _ in panel[2])]
    titles = [title for title, _, _ in panels]
    words = " and ".join(filter(None, [", ".join(titles[:-1]), titles[-1]]))
    name = f"{words} of {epochs} epoch{'s' * (epochs != 1)}"

    found = getattr(next(iter(several.values())), "diagnostics", None) if len(several) == 1 else None
    layers, maps = layers_of(found), histograms_of(found)
    if layers:
        name += ", and its layers"
    rows = bool(layers) + len(maps)
    high = 3.3 + 0.2 * len(data)

    def draw(figure: Any) -> None:
        if not rows:
            course(figure)
            return
        parts = figure.subfigures(1 + rows, 1, height_ratios=[high] + [3.4] * bool(layers) + [2.2] * len(maps))
        course(parts[0])
        draw_layers(parts[1].subplots(1, len(layers) - 1, squeeze=False)[0], layers)
        legend(parts[1], 6)
        for part, (what, made) in zip(parts[2:], maps.items(), strict=True):
            draw_histograms(part.subplots(1, len(made), squeeze=False)[0], what, made, layers["steps"])

    def course(figure: Any) -> None:
        for axes, (title, ylabel, lines) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            for i, (label, found) in enumerate(data.items()):
                for k, (what, words) in enumerate(lines):
                    values = np.array(found.get(what, ()), float) * (100 if "accuracy" in what else 1)
                    if len(values):
                        number = k if len(data) == 1 else i
                        words = f"{label}, {words}" if label and words else words
                        line(axes, number, range(1, len(values) + 1), values, words, dashed=k > 0)
            axes.set(title=title, xlabel="epoch", ylabel=ylabel)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(True)
        legend(figure, 2 if len(data) > 1 else len(panels))

    widest = max([len(panels), len(layers) - 1, *(0.75 * len(made) for made in maps.values())])
    shown = data | ({"layers": layers | {"histograms": maps}} if layers else {})
    return plot(draw, (3.6 * widest, high + 3.4 * bool(layers) + 2.2 * len(maps)), name, shown)
