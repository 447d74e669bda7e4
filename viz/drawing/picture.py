"""The picture of a computation: what `draw` returns, shown by notebooks and written to files."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd.files import target_of, write_whole

from ..graph.model import Graph
from ..plain.display import asked_for, picture
from . import render
from .card import Card, card
from .dot import to_dot
from .raster import as_file
from .svg import finish, text_picture
from .text import describe, to_text

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".txt")


class Picture:
    """The picture of a computation graph. Notebooks show it; `save` writes it.

    Attributes
    ----------
    graph : Graph
        What it shows, as plain data.
    notebook : callable or None
        What makes the HTML that notebooks show of it; None: an image that fits its cell.

    Examples
    --------
    >>> import viz
    >>> from autograd import Tensor
    >>> a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
    >>> picture = viz.draw(a * b)
    >>> print(picture.text())
    Computation graph of L: 3 nodes, 2 edges
    <BLANKLINE>
    %0: a
        input
        a      2
        ∂L/∂a  -3
    %1: b
        input
        b      -3
        ∂L/∂b  2
    %2: L = a × b   ← %0 (∂L/∂a = -3), %1 (∂L/∂b = 2)
        loss · multiply · scalar
        L      -6
        ∂L/∂L  1
    <BLANKLINE>
    """

    def __init__(self, graph: Graph, *, legend: bool = False, time_limit: float = 20.0, heat_maps: bool = True):
        self.graph = graph
        self.notebook: Callable[[Any], str] | None = None
        self._heat_maps = heat_maps
        self._legend = legend
        self._time_limit = time_limit

    def __repr__(self) -> str:
        return f"<Picture: {describe(self.graph)}>"

    @cached_property
    def _cards(self) -> dict[str, Card]:
        return {box.id: card(box, pictures=self._heat_maps) for box in self.graph.boxes}

    @cached_property
    def _plain_cards(self) -> dict[str, Card]:
        return {box.id: card(box, pictures=False) for box in self.graph.boxes}

    # --- as strings

    def text(self) -> str:
        """The picture as text: every node with its numbers and what it is made from."""
        return to_text(self.graph, self._plain_cards)

    def dot(self) -> str:
        """The picture in Graphviz's language, without the heat maps."""
        return to_dot(self.graph, self._plain_cards, legend=self._legend)

    def svg(self) -> str:
        """The picture as an SVG: self-contained, on a transparent ground.

        Where no Graphviz program is found, or none could draw it in time, it shows the text and says why.
        """
        return self._svg

    @cached_property
    def _svg(self) -> str:
        # Both programs know how wide Courier is without asking for fonts; the type itself is set in `finish`.
        text = to_dot(self.graph, self._cards, font="Courier", captions=False, fixed=True)
        why = render.HINT
        programs = render.programs()
        for program in programs:
            try:
                drawn = render.run_dot(program, text, time_limit=self._time_limit / len(programs))
            except render.RenderError as error:
                why = str(error)
                continue
            return finish(drawn, self.graph, self._cards, describe(self.graph), legend=self._legend)
        return text_picture([why, "", *self.text().splitlines()], f"Computation graph of {self.graph.loss}")

    # --- as files

    def png(self) -> bytes:
        """The picture as a PNG file on white, 144 dots per inch.

        Raises
        ------
        ImportError
            If the extra ``export`` is not installed.
        """
        return as_file(self.svg(), "png")

    def pdf(self) -> bytes:
        """The picture as a PDF file, in lines and letters, on white.

        Raises
        ------
        ImportError
            If the extra ``export`` is not installed.
        """
        return as_file(self.svg(), "pdf")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format of its suffix. The file is written whole or not at all.

        Parameters
        ----------
        path : str or path
            Ends in ``.svg``, ``.dot`` or ``.txt``; with the extra ``export`` also in ``.png`` or ``.pdf``.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        ValueError
            If the suffix is another one.
        ImportError
            For ``.png`` and ``.pdf``, if the extra ``export`` is not installed.
        FileNotFoundError
            If the folder does not exist.
        """
        target = target_of(path, SUFFIXES)
        suffix = target.suffix.lower()
        as_text = {".dot": self.dot, ".txt": self.text}
        content = as_text[suffix]().encode() if suffix in as_text else as_file(self.svg(), suffix[1:])
        return write_whole(target, content)

    # --- in notebooks

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        kinds = asked_for(("text/plain", "text/html"), include, exclude)
        made = {"text/plain": self.text, "text/html": self._html}
        return {kind: made[kind]() for kind in made if kind in kinds}

    def _html(self) -> str:
        return self.notebook(self) if self.notebook else picture(self.svg(), describe(self.graph))
