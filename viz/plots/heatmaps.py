"""Matrices as heat maps whose rows and columns are labelled: weights of attention, confusions of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from ..plain.numbers import counted
from .figure import INK, Plot, heat, plot
from .tiles import extreme

__all__ = ["heatmap"]

_WRITTEN = 12
"""Up to so many rows and columns have their numbers written into the cells."""


def heatmap(
    values: Any,
    rows: Sequence[Any] | None = None,
    columns: Sequence[Any] | None = None,
    *,
    ylabel: str = "row",
    xlabel: str = "column",
) -> Plot:
    """Show a matrix as a heat map with labelled rows and columns, such as the weights of attention.

    Parameters
    ----------
    values : array or Tensor of shape (n, m), or dict of str to such
        One matrix; or several of one shape, by what they are called, side by side and on one scale.
    rows, columns : sequence, optional
        What stands beside the n rows and below the m columns; their numbers from 1 unless told.
    ylabel, xlabel : str, optional
        What rows and columns are: ``"query"`` and ``"key"``.

    Returns
    -------
    Plot
        ``data[label]`` has the matrices, with the label ``""`` where there is but one. 0 is white, negative numbers
        are blue; what is not finite has no colour.

    Raises
    ------
    ValueError
        If they are no matrices, their shapes differ, or labels are too few or too many.
    ImportError
        If the extra ``plots`` is not installed.

    Examples
    --------
    >>> import numpy as np, viz
    >>> viz.heatmap({"before": np.full((2, 2), 0.5), "after": np.eye(2)}, rows="ab", columns="ab")
    <Plot: 2 matrices of 2 × 2>
    """
    given = values if isinstance(values, Mapping) else {"": values}
    data = {str(label): _matrix(array, f"values[{label!r}]" if label else "values") for label, array in given.items()}
    shapes = {array.shape for array in data.values()}
    if len(shapes) != 1:
        told = ", ".join(" × ".join(map(str, shape)) for shape in sorted(shapes)) or "none"
        raise ValueError(f"heatmap: matrices of one shape are needed, got {told}")
    ((height, width),) = shapes
    labels = [_labels(rows, height, "rows"), _labels(columns, width, "columns")]
    limit = max(map(extreme, data.values()))

    def draw(figure: Any) -> None:
        grid = figure.subplots(1, len(data), squeeze=False, sharey=True)[0]
        for axes, (label, array) in zip(grid, data.items(), strict=True):
            image = axes.imshow(np.ma.masked_invalid(array), cmap=heat(), vmin=-limit, vmax=limit)
            axes.set(title=label, xlabel=xlabel)
            _ticks(axes.xaxis, labels[1])
            axes.spines[:].set_visible(True)
            if max(height, width) <= _WRITTEN:
                _write(axes, array, image)
        _ticks(grid[0].yaxis, labels[0])
        grid[0].set_ylabel(ylabel)
        if max(height, width) > _WRITTEN:
            bar = figure.colorbar(image, ax=list(grid), shrink=0.8)
            bar.ax.set_ylabel("value")

    cell = 0.46 if max(height, width) <= _WRITTEN else max(0.1, 4.0 / max(height, width))
    size = (0.9 + len(data) * (0.3 + cell * width), 1.0 + cell * height)
    what = "1 matrix" if len(data) == 1 else f"{len(data)} matrices"
    return plot(draw, size, f"{what} of {height} × {width}", data)


def _ticks(axis: Any, labels: list[str]) -> None:
    """Label rows or columns, of many some, so that labels don't touch; long ones below columns stand upright."""
    shown = range(0, len(labels), -(-len(labels) // 15))
    upright = axis.axis_name == "x" and max(len(labels[i]) for i in shown) > 4
    axis.set_ticks(shown, [labels[i] for i in shown], rotation=90 if upright else 0)


def _write(axes: Any, array: Any, image: Any) -> None:
    """The numbers, black on light cells and white on dark ones."""
    colours = image.to_rgba(np.nan_to_num(np.asarray(array, np.float64)))[..., :3]
    for (i, j), number in np.ndenumerate(array):
        light = colours[i, j] @ (0.299, 0.587, 0.114) > 0.5
        colour = ("black" if light else "white") if np.isfinite(number) else INK
        axes.text(j, i, _short(float(number)), ha="center", va="center", fontsize=7.5, color=colour)


def _short(number: float) -> str:
    """Two digits after the point where they fit a cell."""
    text = f"{number:.2f}" if abs(number) < 100 else f"{number:.0f}" if abs(number) < 1e4 else f"{number:.0e}"
    return text.replace("-", "−").replace("inf", "∞")


def _matrix(array: Any, name: str) -> Any:
    array = np.asarray(array.data if isinstance(array, Tensor) else array)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "fiub":
        raise ValueError(f"heatmap: {name}: numbers of shape (n, m) are needed, got {array.dtype} {array.shape}")
    return array.astype(np.float64) if array.dtype.kind == "b" else array


def _labels(given: Sequence[Any] | None, count: int, name: str) -> list[str]:
    labels = [str(i + 1) for i in range(count)] if given is None else [str(label) for label in given]
    if len(labels) != count:
        raise ValueError(f"heatmap: {counted(count, 'label')} of {name} are needed, got {len(labels)}")
    return labels
