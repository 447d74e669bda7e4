"""The terms of the gradient of a shared parameter: as an array, by position and by image, as text and as a picture."""

from __future__ import annotations

import math
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Node
from autograd.files import target_of, write_whole
from autograd.operands import as_array
from autograd.testing.rounding import wide

from ..drawing.raster import as_file
from ..plain.display import asked_for, picture
from ..plain.numbers import counted, shape_text
from ..tape.run import Run
from .picture import Look, draw
from .use import Element, Use, element_index, times

__all__ = ["Contributions"]

SUFFIXES = (".svg", ".png", ".pdf", ".txt")


class Contributions:
    """The terms of the gradient of a shared parameter. Notebooks show a picture; `save` writes it.

    Attributes
    ----------
    name : str
        Of the parameter.
    shape : tuple of int
        Of the parameter.
    uses : tuple of Use
        The operations that it is an operand of, in the order they were made, each with its contributions.
    gradient : array
        What the engine computed.

    Examples
    --------
    >>> import numpy as np
    >>> import viz
    >>> from autograd import Tensor
    >>> x, b = Tensor(np.ones((3, 2)), requires_grad=False), Tensor([1.0, 2.0], name="b")
    >>> terms = viz.contributions(((x + b) ** 2).sum(), "b")
    >>> terms.array
    array([[4., 6.],
           [4., 6.],
           [4., 6.]])
    >>> terms.element(1).running
    array([ 6., 12., 18.])
    """

    def __init__(self, run: Run, node: Node, uses: tuple[Use, ...], by: str | None, part: bool):
        self.node = node
        self.name = run.names.of(node)
        self.shape = node.shape
        self.gradient = run.gradients[node]
        self.uses = uses
        self._by = by
        self._part = part
        self._run = run

    @cached_property
    def array(self) -> Any:
        """The contributions, each of the parameter's shape, along leading axes over which they sum to the gradient.

        Of one use, these are the axes that share the parameter: (N, H_out, W_out, F, C, KH, KW) for a kernel,
        (N, out, in) for a dense layer. Of several uses, one after the other: (count, …); `uses` has each one's own.
        """
        if len(self.uses) == 1:
            return self.uses[0].array
        return as_array(np.concatenate([use.array.reshape(use.count, *self.shape) for use in self.uses]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.array, dtype=dtype, copy=copy)

    @property
    def count(self) -> int:
        """How many contributions there are."""
        return sum(use.count for use in self.uses)

    @cached_property
    def total(self) -> Any:
        """The sum of all contributions."""
        leading = tuple(range(self.array.ndim - len(self.shape)))
        return as_array(self.array.sum(axis=leading, dtype=self.node.dtype))

    @property
    def difference(self) -> float | None:
        """The largest difference between the sum and the gradient that the engine computed; None for some images."""
        if self._part:
            return None
        with np.errstate(all="ignore"):
            apart = np.abs(wide(self.total - self.gradient))
        same = np.isnan(self.total) & np.isnan(self.gradient) | (self.total == self.gradient)
        return float(np.max(np.where(same, 0.0, apart), initial=0.0))

    @cached_property
    def by_position(self) -> Any:
        """The contributions summed over the images, (H_out, W_out, \\*kernel.shape), and over the uses if there are
        several."""
        return self._summed("position", lambda axis: axis == 0)

    @cached_property
    def by_image(self) -> Any:
        """The contributions summed over the positions, (N, \\*kernel.shape), and over the uses if there are several."""
        return self._summed("image", lambda axis: axis != 0)

    def _summed(self, kept: str, over: Any) -> Any:
        if self._by not in (None, kept):
            raise ValueError(f"by_{kept}: these contributions were added up by {self._by}; ask again without by=")
        arrays = [
            use.array.sum(axis=tuple(k for k, axis in enumerate(use.axes) if over(axis)), dtype=use.array.dtype)
            for use in self.uses
        ]
        if any(array.shape != arrays[0].shape for array in arrays):
            raise ValueError(
                f"by_{kept}: {self.name} is used {len(arrays)} times, at different numbers of {kept}s "
                f"({', '.join(times(use.lengths) for use in self.uses)}): take them from each of .uses"
            )
        return as_array(np.sum(arrays, axis=0, dtype=arrays[0].dtype) if len(arrays) > 1 else arrays[0])

    # --- one element

    def element(self, *index: int) -> Element:
        """One element of the parameter: what each position adds to its gradient, and the running sum.

        Parameters
        ----------
        *index : int
            Its place in the parameter.

        Returns
        -------
        Element

        Raises
        ------
        IndexError
            If the parameter has no such element.
        """
        at = element_index(index, self.shape, self.name)
        found = as_array(np.array(self.array[(..., *at)]))
        gradient = found.sum() if self._part else self.gradient[at]
        return Element(at, f"{self._run.names.gradient(self.node)}{list(at) if at else ''}", found, gradient.item())

    def cell(self, i: int, j: int, out_channel: int = 0, in_channel: int = 0, *, use: int = 0) -> Element:
        """One cell of a kernel: the input shifted by (i, j) ⊙ δ = the contribution map, whose sum is its gradient.

        Parameters
        ----------
        i, j : int
            Row and column in the kernel.
        out_channel, in_channel : int, optional
            Which kernel, and which channel of it.
        use : int, optional
            Which of `uses`, where the kernel is used several times; the gradient is then that of the whole sum.

        Returns
        -------
        Element
            Its `map`, `input` and `delta` have the shape (N, H_out, W_out), whatever `by` was.

        Raises
        ------
        IndexError
            If there is no such cell or use.
        ValueError
            If the parameter is not a kernel there.

        Examples
        --------
        >>> import numpy as np
        >>> import nn, viz
        >>> from autograd import Tensor
        >>> x, g = Tensor(np.arange(9.0).reshape(1, 1, 3, 3)), Tensor(np.ones((1, 1, 2, 2)), name="g")
        >>> cell = viz.contributions(nn.functional.conv2d(x, g).sum(), g).cell(1, 0)
        >>> cell.input[0]
        array([[3., 4.],
               [6., 7.]])
        >>> cell.running
        array([ 3.,  7., 13., 20.])
        >>> print(cell)
        ∂L/∂g[0, 0, 1, 0] = 20, the sum of 4 contributions
        """
        if not -len(self.uses) <= use < len(self.uses):
            raise IndexError(f"cell: {self.name} has {counted(len(self.uses), 'use')}, there is no use {use}")
        if not self.uses[use].is_kernel:
            raise ValueError(
                f"cell: {self.name} is not a kernel that slides over images here ({self.uses[use]}); "
                "element(...) shows the contributions to one of its elements"
            )
        return self.uses[use].cell(i, j, out_channel, in_channel)

    # --- as strings and files

    def _sentence(self) -> str:
        said = f"{self.name} {shape_text(self.shape)}: {counted(self.count, 'contribution')}"
        if self._part:
            return f"{said} of some images, sum = their part of the gradient"
        return f"{said}, sum = gradient (largest difference {self.difference:.2g})"

    def __repr__(self) -> str:
        return f"<Contributions: {self._sentence()}>"

    def __str__(self) -> str:
        return "\n".join([self._sentence(), *(f"    {use}" for use in self.uses)])

    def _default(self) -> tuple[int, ...]:
        """The element with the largest gradient."""
        if not math.prod(self.shape):
            raise ValueError(f"{self.name} of shape {self.shape} has no elements to show")
        magnitude = np.nan_to_num(np.abs(wide(self.total)), nan=np.inf)
        return tuple(int(k) for k in np.unravel_index(int(magnitude.argmax()), self.shape))

    def svg(self, *index: int) -> str:
        """The picture as an SVG, on a transparent ground.

        Parameters
        ----------
        *index : int, optional
            The element whose contributions are shown; that with the largest gradient unless told.
        """
        at = element_index(index, self.shape, self.name) if index else self._default()
        use = self.uses[0]
        kernel = len(self.uses) == 1 and use.is_kernel and not use._chosen.plan.before
        one = use.cell(at[2], at[3], at[0], at[1]) if kernel else self.element(*at)
        return draw(self._look(one, use, kernel))

    def _look(self, one: Element, use: Use, kernel: bool) -> Look:
        value = self._run.tape.value(self.node)
        at = one.index
        seen = part = None
        if kernel:
            groups = use.node.kwargs.get("groups", 1)
            channel = at[0] // (self.shape[0] // groups) * self.shape[1] + at[1]
            seen, windows = use.image(channel)
            if seen is not None and windows is not None:
                stride, dilation = windows.kwargs.get("stride", (1, 1)), windows.kwargs.get("dilation", (1, 1))
                part = tuple(
                    slice(k * d, k * d + s * (n - 1) + 1, s)
                    for k, d, s, n in zip(at[2:], dilation, stride, use.node.shape[2:], strict=True)
                )
        several = f", {len(self.uses)} uses" if len(self.uses) > 1 else f": {use.along()}"
        whole = kernel and self._by is not None
        return Look(
            name=self.name,
            gradient_name=self._run.names.gradient(self.node),
            delta_name=use.delta_name() if len(self.uses) == 1 else "",
            value=value,
            gradient=self.total if self._part else self.gradient,
            index=at,
            element=one,
            input_name=use.input_name() if kernel else "",
            seen=seen,
            part=part,
            delta=one.delta if kernel else use.delta if len(self.uses) == 1 else None,
            sentence=f"{one}{'' if whole else several}",
        )

    def save(self, path: str | os.PathLike[str], *index: int) -> Path:
        """Write the picture (``.svg``; with the extra ``export`` also ``.png``, ``.pdf``) or the text (``.txt``) to a
        file, which is written whole or not at all.

        Parameters
        ----------
        path : str or path
        *index : int, optional
            The element whose contributions are shown; that with the largest gradient unless told.

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
        content = f"{self}\n".encode() if suffix == ".txt" else as_file(self.svg(*index), suffix[1:])
        return write_whole(target, content)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        kinds = asked_for(("text/plain", *(["text/html"] if math.prod(self.shape) else [])), include, exclude)
        made = {"text/plain": self.__str__, "text/html": lambda: picture(self.svg(), repr(self))}
        return {kind: made[kind]() for kind in made if kind in kinds}
