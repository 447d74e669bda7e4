"""How the gradient of a shared parameter is a sum: what each position, image and use that it slides over adds to it."""

from __future__ import annotations

import math
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.tape import as_array

from ..drawing.raster import as_file
from ..plain.display import asked_for, picture
from ..plain.files import target_of, write_whole
from ..plain.numbers import counted, shape_text
from ..tape.arguments import node_of
from ..tape.names import Names
from ..tape.run import Run
from .occurrences import Occurrence, Terms, occurrences
from .picture import Look, draw
from .use import Element, Use, element_index, times

__all__ = ["Contributions", "Element", "Use", "contributions"]

LIMIT = 64 * 2**20
BY = (None, "position", "image")
SUFFIXES = (".svg", ".png", ".pdf", ".txt")


def contributions(
    loss: Any,
    parameter: Any,
    *,
    grad: Any = None,
    by: str | None = None,
    images: Any = None,
    limit: float | None = LIMIT,
) -> Contributions:
    """What each use of a shared parameter contributes to its gradient: position by position, image by image.

    A kernel is used at every position of every image, the weights of a dense layer for every row of a batch, a bias
    wherever it is broadcast to. The gradient is the sum over all of these; here are its terms.

    Parameters
    ----------
    loss : Tensor or Tape
        What gradients are of: a scalar, unless `grad` is given.
    parameter : Tensor, Node or str
        What is shared, or its name as it is printed (``"g⁽¹⁾"``, ``"%3"``): any floating-point record on the tape of
        `loss`. Where it is first reshaped, transposed or scaled by itself, the result of that is followed to where it
        is used.
    grad : array_like of the shape of `loss`, optional
        The gradient that the backward sweep starts from; needed where `loss` is not a scalar.
    by : {None, "position", "image"}, optional
        ``"position"`` adds up over the first axis of the result (the images, the rows of a batch), ``"image"`` over all
        others: the same sum with fewer terms.
    images : int or sequence of int, optional
        Only these indices of the first axis. The sum is then their part of the gradient.
    limit : number or None, optional
        Bytes that all contributions together may take; 64 MB unless told. None: no limit.

    Returns
    -------
    Contributions

    Raises
    ------
    TypeError
        If `loss` is no Tensor or Tape, or was computed while recording was off; if `parameter` is none of the above.
    KeyError
        If no record has that name; names the nearest.
    ValueError
        If the parameter is not on the tape of `loss`, or no gradient reaches it; if `loss` is not a scalar and no
        `grad` is given; if the contributions would take more than `limit` bytes, or that is no number of bytes.

    Notes
    -----
    Memory: as many bytes as the parameter, times the number of contributions: 576 × 25 × 8 bytes = 115 kB for a 5 × 5
    kernel on one 28 × 28 image, 64 times that for 64 images. For kernels, the windows are copied once beside.

    Examples
    --------
    >>> import numpy as np
    >>> import nn, viz
    >>> from autograd import Tensor
    >>> conv = nn.Conv2d(1, 1, 2, bias=False, rng=0, dtype=np.float64)
    >>> loss = (conv(Tensor(np.arange(9.0).reshape(1, 1, 3, 3), name="x")) ** 2).sum()
    >>> terms = viz.contributions(loss, conv.weight)
    >>> terms.array.shape
    (1, 2, 2, 1, 1, 2, 2)
    >>> loss.backward()
    >>> np.allclose(terms.total, conv.weight.grad)
    True

    Every row of a batch adds its outer product to the gradient of a dense layer:

    >>> x, w = Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[0.5], [0.25]], name="w")
    >>> terms = viz.contributions((x @ w).sum(), w)
    >>> terms.array[..., 0]
    array([[1., 2.],
           [3., 4.]])
    >>> print(terms)
    w (2, 1): 2 contributions, sum = gradient (largest difference 0)
        %2 = %0 @ w: one for each index of axis 0 (2)
    """
    if by not in BY:
        raise ValueError(f"contributions: by must be None, 'position' or 'image', got {by!r}")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float) or not limit >= 0):
        raise ValueError(f"contributions: limit must be a number of bytes of at least 0, or None, got {limit!r}")
    run = Run.of(loss, "contributions", grad)
    names, gradients = run.names, run.gradients
    node = _on_tape(run.tape, parameter, names)
    if node not in gradients:
        why = "it does not require one" if not node.needs_grad else "an operation without a derivative stands between"
        raise ValueError(f"contributions: no gradient of {names.loss} reaches {names.of(node)}: {why}")
    plans = list(occurrences(run.tape, node, gradients))
    chosen = [Terms(plan, by, _images(images, plan, names)) for plan in plans]
    size = sum(one.nbytes for one in chosen)
    if limit is not None and size > limit:
        raise ValueError(_too_large(names.of(node), node, plans, chosen, limit, by, images))
    uses = tuple(Use(one, run) for one in chosen)
    return Contributions(run, node, uses, by, images is not None)


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
            apart = np.abs(np.asarray(self.total - self.gradient, np.float64))
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
        return Element(at, f"{self._run.names.gradient(self.node)}{list(at) if at else ''}", found, float(gradient))

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
        magnitude = np.nan_to_num(np.abs(np.asarray(self.total, np.float64)), nan=np.inf)
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


# --- what was asked for -----------------------------------------------------------------------------------------------


def _on_tape(tape: Tape, parameter: Any, names: Names) -> Node:
    node = node_of(tape, parameter, "contributions")
    if node in tape:
        return node
    what = f"{node.name} of shape {node.shape}" if node.name else f"that Tensor of shape {node.shape}"
    twin = any(other.name == node.name and other.shape == node.shape for other in tape) if node.name else False
    hint = f"; there is another of that name: ask for {node.name!r}" if twin else ""
    raise ValueError(f"contributions: {what} is not on the tape of {names.loss}: nothing there was made from it{hint}")


def _images(images: Any, plan: Occurrence, names: Names) -> np.ndarray | None:
    if images is None:
        return None
    if 0 not in plan.axes:
        what = names.of(plan.node)
        raise ValueError(f"contributions: images={images!r} chooses along the first axis, which {what} does not have")
    chosen = np.atleast_1d(np.asarray(images))
    n = plan.node.shape[0]
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or len(set(chosen.tolist())) != chosen.size:
        raise ValueError(f"contributions: images must be an integer or a list of different integers, got {images!r}")
    if chosen.size == 0 or chosen.min() < -n or chosen.max() >= n:
        raise ValueError(f"contributions: images={images!r} is not within the {n} along the first axis")
    return chosen % n


def _too_large(
    name: str, node: Node, plans: list[Occurrence], chosen: list[Terms], limit: float, by: str | None, images: Any
) -> str:
    count = sum(one.count for one in chosen)
    size = sum(one.nbytes for one in chosen)
    offers = []
    for other in BY[1:] if by is None and images is None else ():
        smaller = sum(Terms(plan, other, None).nbytes for plan in plans)
        if smaller <= limit:
            offers.append(f"by={other!r} ({_megabytes(smaller)})")
    if images is None and all(plan.axes[:1] == (0,) and plan.node.shape[0] > 1 for plan in plans):
        single = sum(Terms(plan, by, np.zeros(1, int)).nbytes for plan in plans)
        if single <= limit:
            offers.append(f"some of the images, images=[0] ({_megabytes(single)})")
    parts = [times(one.lengths) or "1" for one in chosen[:4]] + ["…"] * (len(chosen) > 4)
    each = f" ({' + '.join(parts)})" if count > 1 and parts != [str(count)] else ""
    ask = f"ask for {', '.join(offers)}, or " if offers else ""
    return (
        f"contributions: {name} of shape {node.shape} has {counted(count, 'contribution')}{each}, "
        f"{_megabytes(size)}, more than the limit of {_megabytes(limit)}: {ask}raise limit="
    )


def _megabytes(size: float) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 / 10 else f"{size:.0f} bytes"
