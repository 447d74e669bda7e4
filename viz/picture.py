"""The picture of a computation: what `draw` returns, shown by notebooks and written to files."""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from . import render
from .card import CHARACTER, LINE, PAD_X, PAD_Y, Card, card
from .display import asked_for
from .dot import to_dot
from .files import target_of, write_whole
from .model import Graph
from .svg import finish, text_picture
from .text import describe, to_text
from .thumbnails import beside

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".txt")
_PNG_SCALE = 2


class Picture:
    """The picture of a computation graph. Notebooks show it; `save` writes it.

    Attributes
    ----------
    graph : Graph
        What it shows, as plain data.

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
                drawn = render.run_dot(program, text, "svg", time_limit=self._time_limit / len(programs))
            except render.RenderError as error:
                why = str(error)
                continue
            return finish(drawn, self.graph, self._cards, describe(self.graph), legend=self._legend)
        return text_picture([why, "", *self.text().splitlines()], f"Computation graph of {self.graph.loss}")

    # --- as files

    def png(self) -> bytes:
        """The picture as a PNG file on white, 144 dots per inch.

        The heat maps need a system ``dot``; with graphviz-pure their place is taken by the norms alone.

        Raises
        ------
        RuntimeError
            If no Graphviz program that writes PNG is found.
        """
        return self._raster("png")

    def pdf(self) -> bytes:
        """The picture as a PDF file; needs a system ``dot``.

        Raises
        ------
        RuntimeError
            If no Graphviz program that writes PDF is found.
        """
        return self._raster("pdf")

    def _raster(self, fmt: str) -> bytes:
        programs = render.programs()
        if not programs:
            raise render.RenderError(f"can't write {fmt}: {render.HINT}")
        able = [p for p in programs if fmt in render.formats(p)]
        if not able:
            names = ", ".join(os.path.basename(p) for p in programs)
            raise render.FormatError(
                f"the Graphviz that is installed ({names}) can't write {fmt}: "
                "install Graphviz from https://graphviz.org, or save as .svg"
            )
        failed: render.RenderError | None = None
        for program in able:
            scale = _PNG_SCALE if fmt == "png" else 1
            paints = render.paints_images(program)
            cards = self._cards if paints else self._plain_cards
            files = {
                f"n{i}.png": _strip(cards[box.id], scale)
                for i, box in enumerate(self.graph.boxes)
                if cards[box.id].thumbs
            }
            images = {box.id: f"n{i}.png" for i, box in enumerate(self.graph.boxes) if f"n{i}.png" in files}
            font = "DejaVu Sans Mono" if paints else "Courier"
            text = to_dot(
                self.graph, cards, images=images, font=font, background="white", dpi=72 * scale, legend=self._legend
            )  # fmt: skip
            try:
                return render.run_dot(program, text, fmt, time_limit=self._time_limit / len(able), files=files)
            except render.RenderError as error:
                failed = error
        assert failed is not None
        raise failed

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format of its suffix. The file is written whole or not at all.

        Parameters
        ----------
        path : str or path
            Ends in ``.svg``, ``.png``, ``.pdf``, ``.dot`` or ``.txt``.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        ValueError
            If the suffix is another one, or the installed Graphviz can't write that format.
        FileNotFoundError
            If the folder does not exist.
        """
        target = target_of(path, SUFFIXES)
        suffix = target.suffix.lower()
        if suffix == ".svg":
            content = self.svg().encode()
        elif suffix == ".dot":
            content = self.dot().encode()
        elif suffix == ".txt":
            content = self.text().encode()
        else:
            content = self._raster(suffix[1:])
        return write_whole(target, content)

    # --- in notebooks

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        kinds = asked_for(("text/plain", "image/svg+xml", "image/png"), include, exclude)
        programs = render.programs()
        bundle: dict[str, Any] = {}
        if "text/plain" in kinds:
            bundle["text/plain"] = self.text() if programs else f"{render.HINT}\n\n{self.text()}"
        if programs and "image/svg+xml" in kinds:
            bundle["image/svg+xml"] = self.svg()
        if "image/png" in kinds and any(render.paints_images(p) and "png" in render.formats(p) for p in programs):
            with contextlib.suppress(render.RenderError):
                bundle["image/png"] = self.png()
        return bundle


def _strip(content: Card, scale: int) -> bytes:
    """The heat maps of a box as one image that stands in its lower left corner."""
    below = content.thumb_height - max(t.height for _, t in content.thumbs) - 2
    bottom = round(len(content.after) * LINE + PAD_Y + below)
    thumbs = [(round(column * CHARACTER), thumb) for column, thumb in content.thumbs]
    return beside(thumbs, round(PAD_X), bottom, scale)
