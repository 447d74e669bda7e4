"""Pictures of computations: the graph of any loss, with values and gradients on every node.

`draw` goes from a tape to plain data (`model`), to DOT, to an SVG; each step can be used and tested alone.
"""

from __future__ import annotations

from typing import Any

try:
    from autograd import Node, Tape, Tensor
except ImportError as error:
    if isinstance(error, ModuleNotFoundError) or error.name != "autograd":
        raise
    raise ImportError(
        "viz needs tracegrad's own package 'autograd', but another one (HIPS autograd, say) is installed under that "
        "name: pip uninstall -y autograd tracegrad, then pip install tracegrad"
    ) from error

from .collapse import LEVELS
from .picture import Picture
from .reading import read

__all__ = ["Picture", "draw"]


def draw(
    loss: Any,
    level: str = "auto",
    direction: str | None = None,
    max_nodes: int | None = 60,
    *,
    grad: Any = None,
    legend: bool = False,
    time_limit: float = 20.0,
) -> Picture:
    """Draw the computation graph of a value, with the value and the gradient of everything on the way.

    The gradients come from a sweep of its own: nothing need be prepared, no ``.grad`` is read or changed.

    Parameters
    ----------
    loss : Tensor or Tape
        What gradients are of: a scalar, unless `grad` is given.
    level : {"auto", "op", "layer"}, optional
        ``"op"`` draws every operation, with boxes around layers; ``"layer"`` one node for each layer call; ``"auto"``
        operations where they fit into `max_nodes`, else layers.
    direction : {"TB", "LR"}, optional
        Top to bottom or left to right. Unless told, small graphs of scalars go left to right, others top to bottom.
    max_nodes : int or None, optional
        Above so many nodes, layers are folded, then repeats (``×12``), and at last the middle. None: no limit.
    grad : array_like of the shape of `loss`, optional
        The gradient that the backward sweep starts from; needed where `loss` is not a scalar.
    legend : bool, optional
        Add a legend.
    time_limit : float, optional
        Seconds that the layout may take; cheaper layouts are tried within them.

    Returns
    -------
    Picture

    Raises
    ------
    TypeError
        If `loss` is no Tensor or Tape, or was computed while recording was off.
    ValueError
        If `loss` is not a scalar and no `grad` is given, or for an unknown level or direction.

    Notes
    -----
    An edge carries the local derivative where it is a number; it is dashed where no gradient flows back. A gradient
    that was not computed is shown as ``—``. Heat maps run from blue (negative) over white (0) to orange (positive),
    each up to its own largest magnitude; NaN, +Inf and −Inf are black cells with ×, + and −.

    Examples
    --------
    >>> import viz
    >>> from autograd import Tensor
    >>> a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    >>> viz.draw(a * b + c)
    <Picture: Computation graph of L: 5 nodes, 4 edges>
    """
    if level not in LEVELS:
        raise ValueError(f"draw: level must be one of {', '.join(map(repr, LEVELS))}, got {level!r}")
    if direction not in (None, "TB", "LR"):
        raise ValueError(f"draw: direction must be 'TB' (top to bottom) or 'LR' (left to right), got {direction!r}")
    if max_nodes is not None and (not isinstance(max_nodes, int) or isinstance(max_nodes, bool) or max_nodes < 1):
        raise ValueError(f"draw: max_nodes must be a positive integer or None, got {max_nodes!r}")
    if not time_limit > 0:
        raise ValueError(f"draw: time_limit must be a positive number of seconds, got {time_limit!r}")
    tape = _tape(loss)
    root = tape.root
    if root.needs_grad and grad is None and root.shape != () and root.size != 1:
        raise ValueError(
            f"draw: the value to draw has shape {root.shape}, and gradients are of a scalar: draw its .sum() or "
            f".mean(), or give the gradient to start from, grad=np.ones({root.shape})"
        )
    graph = read(tape, level=level, direction=direction, max_nodes=max_nodes, grad=grad)
    return Picture(graph, legend=legend, time_limit=time_limit)


def _tape(loss: Any) -> Tape:
    if isinstance(loss, Tape):
        return loss
    if isinstance(loss, Node):
        return Tape(loss)
    if not isinstance(loss, Tensor):
        raise TypeError(f"draw: expected a Tensor or a Tape, got {type(loss).__name__}")
    if not loss.requires_grad and loss.is_leaf:
        raise TypeError(
            "draw: this Tensor has no recorded history: it was made while recording was off (no_grad), or no operation "
            "made it"
        )
    return Tape(loss)
