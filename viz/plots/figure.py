"""The one place that knows Matplotlib: figures that can be read on white and on black, and by the colour-blind.

The ground is transparent; text and axes are of a grey that stands out alike from white and from black; lines are of
Okabe and Ito's colours and differ in their markers too; images have the colours of our heat maps.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from autograd.files import target_of, write_whole

from ..drawing.raster import MissingError
from ..plain.display import asked_for, still
from ..plain.thumbnails import PALETTE, SHADES

__all__ = ["COLOURS", "INK", "Plot", "heat", "legend", "line", "logarithmic", "plot"]

INK = "#7b7b7b"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Of K. Okabe and M. Ito, "Color universal design" (2008), without black and yellow."""
MARKERS = "osD^vP"
SUFFIXES = (".svg", ".png")
_DOTS = 150
_STYLE = {
    "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "text.color": INK, "xtick.color": INK,
    "ytick.color": INK, "grid.color": INK + "4d", "grid.linewidth": 0.6, "lines.markersize": 4,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "font.size": 10, "axes.titlesize": 10,
    "figure.titlesize": 11, "svg.fonttype": "path", "svg.hashsalt": "tracegrad", "image.interpolation": "nearest",
    "axes.formatter.useoffset": False,
}  # fmt: skip


P = TypeVar("P", bound="Plot")


class Plot:
    """A figure of what was measured. Notebooks show it; `save` writes it.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        To be changed as Matplotlib's figures are.
    data : dict
        The numbers that it shows; the function that made it says which.
    name : str
        What it shows, in words.

    Examples
    --------
    >>> import numpy as np, viz
    >>> plot = viz.kernels(np.eye(3).reshape(1, 1, 3, 3))
    >>> plot
    <Plot: 1 filter of 3 × 3>
    >>> plot.svg().startswith("<?xml")
    True
    """

    def __init__(self, figure: Any, name: str, data: Mapping[str, Any]):
        self.figure = figure
        self.name = name
        self.data = dict(data)

    def __repr__(self) -> str:
        return f"<Plot: {self.name}>"

    def svg(self) -> str:
        """The figure as an SVG: self-contained, on a transparent ground, the same for the same numbers."""
        return self._file("svg", dpi=_DOTS, metadata={"Title": self.name, "Date": None}).decode()

    def png(self) -> bytes:
        """The figure as a PNG file on a transparent ground, 150 dots per inch."""
        return self._file("png", dpi=_DOTS)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure to a file, in the format of its suffix. The file is written whole or not at all.

        Parameters
        ----------
        path : str or path
            Ends in ``.svg`` or ``.png``.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        ValueError
            If the suffix is another one.
        FileNotFoundError
            If the folder does not exist.
        """
        target = target_of(path, SUFFIXES)
        return write_whole(target, self.png() if target.suffix.lower() == ".png" else self.svg().encode())

    def _html(self) -> str:
        return still(self.svg(), self.name)

    def _file(self, kind: str, **options: Any) -> bytes:
        file = io.BytesIO()
        with _style():
            self.figure.savefig(file, format=kind, **options)
        return file.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        kinds = asked_for(("text/plain", "text/html"), include, exclude)
        made = {"text/plain": self.__repr__, "text/html": self._html}
        return {kind: made[kind]() for kind in made if kind in kinds}


def plot(
    draw: Callable[[Any], None],
    size: tuple[float, float],
    name: str,
    data: Mapping[str, Any],
    kind: type[P] = Plot,  # type: ignore[assignment]
) -> P:
    """Let `draw` fill an empty figure of `size` inches.

    Raises
    ------
    MissingError
        If the extra ``plots`` is not installed; an ImportError.
    """
    with _style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        # laid out once, as each drawing would move things a little
        figure.draw_without_rendering()
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return kind(figure, name, data)


@contextmanager
def _style() -> Iterator[None]:
    try:
        import matplotlib.style
    except ImportError as error:
        raise MissingError("plots need the package matplotlib: pip install 'tracegrad[plots]'") from error
    with matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name that a user gave, in a script it lacks
        yield


def legend(figure: Any, columns: int) -> None:
    """One legend below all, where it hides no line: each label once."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=columns)


def heat() -> Any:
    """The colours of our heat maps, dark blue to orange; what is masked is transparent."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("tracegrad", PALETTE[: 2 * SHADES + 1] / 255.0, N=2 * SHADES + 1)
    return colours.with_extremes(bad=(0, 0, 0, 0))


def line(axes: Any, number: int, x: Any, y: Any, label: str, *, dashed: bool = False, most: int = 25) -> None:
    """Line `number` of a figure, in its colour; with about `most` of its markers."""
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    every, style = max(1, -(-len(x) // most)), "--" if dashed else "-"
    axes.plot(x, y, color=colour, marker=marker, markevery=every, linestyle=style, linewidth=1.6, label=label)


def logarithmic(axes: Any) -> None:
    """Make the y axis of what is drawn logarithmic, with labels at 2 and 5 where there are few powers of ten."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high < 100 * low:
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1e9, 1e9)))
    else:
        axes.yaxis.set_minor_formatter(NullFormatter())
