"""What the layers did in a training: lines by layer, and histograms of each step side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .figure import COLOURS, INK, line

__all__ = ["draw_histograms", "draw_layers", "histograms_of", "layers_of"]

_PANELS = (
    ("grad_norm", "gradient", "norm ‖∇W‖", True),
    ("update_ratio", "update", "‖ΔW‖ / ‖W‖", True),
    ("dead", "dead ReLUs", "share of units (%)", False),
    ("saturated", "saturated σ, tanh", "share of values (%)", False),
)
_CELLS = 60
_RGB = [int(COLOURS[1][i : i + 2], 16) / 255 for i in (1, 3, 5)]
_MOST = 6


def layers_of(found: Any) -> dict[str, Any]:
    """The series that were measured, by their names; none where nothing was."""
    if not getattr(found, "steps", None):
        return {}
    named = {what: getattr(found, what) for what, *_ in _PANELS}
    return {"steps": list(found.steps)} | {what: series for what, series in named.items() if series}


def histograms_of(found: Any) -> dict[str, dict[str, Any]]:
    """For each layer the densities, cells by steps, and the ends of their axis, by what they are of."""
    made: dict[str, dict[str, Any]] = {}
    for what, layers in getattr(found, "histograms", {}).items() if getattr(found, "steps", None) else ():
        for name, series in list(layers.items())[:_MOST]:
            low = min(edges[0] for _, edges in series)
            high = max(edges[-1] for _, edges in series)
            ends = np.linspace(low, high, _CELLS + 1)
            made.setdefault(what, {})[name] = (
                np.array([_rebinned(counts, edges, ends) for counts, edges in series]).T,
                low,
                high,
            )
    return made


def _rebinned(counts: Any, edges: Any, ends: Any) -> Any:
    """The shares that fall between `ends`, as if those of each bin were spread evenly in it."""
    total = np.concatenate([[0.0], np.cumsum(counts)]) / max(1, counts.sum())
    return np.diff(np.interp(ends, edges, total))


def draw_layers(axes: Sequence[Any], data: dict[str, Any]) -> None:
    """A line for each layer in each of the panels."""
    names = [name for what in data if what != "steps" for name in data[what]]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    panels = [panel for panel in _PANELS if panel[0] in data]
    for one, (what, title, ylabel, log) in zip(axes, panels, strict=True):
        for name, values in data[what].items():
            shown = np.array(values, float) * (1 if log else 100)
            line(one, numbers[name], data["steps"], shown, f"layer {name}")
        if log and all(v > 0 for values in data[what].values() for v in values):
            one.set_yscale("log")
        if what == "update_ratio":
            one.axhline(1e-3, color=INK, linestyle=":", linewidth=1.2, label="healthy: about 10⁻³")
        if not log:
            one.set_ylim(-3, 103)
        one.set(title=title, xlabel="step", ylabel=ylabel)
        one.xaxis.get_major_locator().set_params(integer=True)
        one.grid(True)


def draw_histograms(axes: Sequence[Any], what: str, made: dict[str, Any], steps: Sequence[int]) -> None:
    """A map for each layer: steps to the right, values upwards, the more often the stronger the colour."""
    for one, (name, (shares, low, high)) in zip(axes, made.items(), strict=False):
        peak = shares.max(axis=0, keepdims=True)
        shown = np.empty((*shares.shape, 4))
        shown[..., :3] = _RGB
        shown[..., 3] = np.sqrt(shares / np.where(peak > 0, peak, 1))  # stands out alike from white and from black
        half = (steps[1] - steps[0]) / 2 if len(steps) > 1 else 0.5
        span = (steps[0] - half, steps[-1] + half, low, high if high > low else low + 1)
        one.imshow(shown, aspect="auto", origin="lower", extent=span)
        one.set(title=f"{what}, layer {name}", xlabel="step", ylabel=what)
        one.ticklabel_format(axis="y", scilimits=(-2, 3))
        one.xaxis.get_major_locator().set_params(integer=True)
        one.spines[["top", "right"]].set_visible(False)
