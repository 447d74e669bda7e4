"""Images beside each other: examples, changed copies of them, what excites a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor

from ..plain.numbers import counted
from .figure import Plot, heat, plot
from .tiles import centres, extreme, mosaic

__all__ = ["images"]


def images(images: Any, most: int = 12) -> Plot:
    """Show images beside each other, in rows that may have labels.

    Parameters
    ----------
    images : array or Tensor of shape (N, H, W) or (N, 1, H, W), or dict of str to such
        One row; or several, by what they are called, of images of one size.
    most : int, optional
        So many of a row are shown at most.

    Returns
    -------
    Plot
        ``data[label]`` has the images shown, (n, H, W), with the label ``""`` where there is but one row. All have one
        scale, on which 0 is white.

    Raises
    ------
    ValueError
        If there are none, shapes are others, or sizes differ.
    ImportError
        If the extra ``plots`` is not installed.

    Examples
    --------
    >>> import nn, viz
    >>> digits, _ = nn.datasets.mnist()
    >>> viz.images({"digits": digits[:8], "mirrored": digits[:8, :, :, ::-1]})
    <Plot: 2 rows of images of 28 × 28>
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(f"images: most must be an integer of at least 1, got {most!r}")
    given = images if isinstance(images, Mapping) else {"": images}
    rows = {
        str(label): _row(array, f"images[{label!r}]" if label else "images")[:most] for label, array in given.items()
    }
    sizes = {array.shape[1:] for array in rows.values()}
    if len(sizes) != 1:
        told = ", ".join(" × ".join(map(str, size)) for size in sorted(sizes)) or "none"
        raise ValueError(f"images: images of one size are needed, got {told}")
    ((height, width),) = sizes
    limit = max(map(extreme, rows.values()))
    gap = max(1, round(max(height, width) / 8))
    across = max(map(len, rows.values()))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.imshow(mosaic([list(row) for row in rows.values()], gap), cmap=heat(), vmin=-limit, vmax=limit)
        axes.tick_params(labelbottom=False)
        axes.set_xticks([])
        axes.set_yticks([])
        for label, middle in zip(rows, centres(len(rows), height, gap), strict=True):
            axes.text(-0.5 - gap, middle, label, ha="right", va="center")
        axes.spines[:].set_visible(False)

    side = 0.62
    size = (0.4 + 0.09 * max(map(len, rows)) + side * across, 0.3 + side * len(rows) * height / width)
    return plot(draw, size, f"{counted(len(rows), 'row')} of images of {height} × {width}", rows)


def _row(array: Any, name: str) -> Any:
    array = np.asarray(array.data if isinstance(array, Tensor) else array)
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 3 or not array.size or array.dtype.kind not in "fiub":
        raise ValueError(
            f"{name}: numbers of shape (N, H, W) or (N, 1, H, W) are needed, got {array.dtype} {array.shape}"
        )
    return array
