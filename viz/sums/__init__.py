"""How the gradient of a shared parameter is a sum: what each position, image and use that it slides over adds to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Node, Tape

from ..plain.numbers import counted
from ..tape.arguments import node_of
from ..tape.names import Names
from ..tape.run import Run
from .occurrences import Occurrence, Terms, occurrences, shared_axes
from .shared import Contributions
from .use import Use, times

__all__ = ["Contributions", "Terms", "contributions", "occurrences", "shared_axes"]

LIMIT = 64 * 2**20
BY = (None, "position", "image")


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
        %2 = x w: one for each index of axis 0 (2)
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
