"""The contours of a loss over a plane, and how paths on them look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .directions import Plane
from .figure import COLOURS, INK, MARKERS, heat

__all__ = ["as_powers", "contours", "height", "way"]

_PATHS = (COLOURS[2], COLOURS[3], INK, COLOURS[5])
"""Colours of paths, which lie on blue and orange."""


def height(values: Any, log: bool) -> Any:
    """Losses as they are drawn."""
    return np.log10(np.where(values > 0, values, np.nan)) if log else np.asarray(values)


def way(number: int) -> dict[str, Any]:
    """How path `number` is drawn: with a white rim, so that it stands out from all colours of the surface."""
    from matplotlib.patheffects import Normal, Stroke

    return {
        "color": _PATHS[number % len(_PATHS)], "marker": MARKERS[number % len(MARKERS)], "linewidth": 1.5,
        "markersize": 3, "path_effects": [Stroke(linewidth=2.8, foreground="white"), Normal()], "zorder": 20 - number,
    }  # fmt: skip


def as_powers(axis: Any) -> None:
    """Label the ticks of log₁₀ L with L."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{10**value:.3g}"))


def contours(figure: Any, axes: Any, data: Mapping[str, Any], plane: Plane, log: bool) -> tuple[Any, Any, Any]:
    """Fill axes with the contours, and add the bar of their colours: that bar, the heights, the lowest and highest."""
    from matplotlib.ticker import MaxNLocator

    surface = np.ma.masked_invalid(height(data["loss"], log))
    low, high = float(surface.min()), float(surface.max())
    high = high if high > low else low + 1.0
    levels = np.linspace(low, high, 21)
    x, y = data["x"], data["y"]
    filled = axes.contourf(x, y, surface, levels=levels, cmap=heat())
    axes.contour(x, y, surface, levels=levels[1:-1:2], colors=INK, linewidths=0.5, linestyles="solid")
    title = "loss L (logarithmic)" if log else "loss L"
    bar = figure.colorbar(filled, ax=axes, label=title, ticks=MaxNLocator(8))
    if log:
        as_powers(bar.ax.yaxis)
    axes.set(xlabel=plane.labels[0], ylabel=plane.labels[1])
    return bar, surface, (low, high)
