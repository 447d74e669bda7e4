"""Computations to look at: the graph of any loss with all values and gradients, and every step of its backpropagation.

`draw` goes from a tape to plain data (`graph`), to DOT, to an SVG; `step` from a tape to a walk (`walk`), to
text or to a page. Each stage can be used and tested alone. Beside them stand `explain_mismatch` and `derive`, what
`autograd.testing` has for gradients derived by hand, and the pictures of training: `kernels`, `activations`, `signal`,
`loss_surface`, `history`, `gradient_noise`, `images`, `heatmap`, `through_time`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

try:
    from autograd import Tape  # noqa: F401  (what is imported below must be this one)
except ImportError as error:
    if isinstance(error, ModuleNotFoundError) or error.name != "autograd":
        raise
    raise ImportError(
        "viz needs tracegrad's own package 'autograd', but another one (HIPS autograd, say) is installed under that "
        "name: pip uninstall -y autograd tracegrad, then pip install tracegrad"
    ) from error

from autograd.testing import assert_grads_match, check_layer, compare_grads, gradcheck

from .blame import explain_mismatch
from .derivation import derive
from .drawing.picture import Picture
from .graph.reading import read
from .live import live
from .page.drawn import opening
from .plots import activations, gradient_noise, heatmap, history, images, kernels, loss_surface, signal, through_time
from .recording import record
from .scalar import MOST, drawable, scalar_picture
from .stepper import Stepper
from .sums import contributions
from .sums.paths import paths
from .tape.arguments import check_most, seed_of, tape_of
from .tape.run import Run
from .units.frontier import LEVELS

__all__ = [
    "Picture",
    "Stepper",
    "activations",
    "assert_grads_match",
    "check_layer",
    "compare_grads",
    "contributions",
    "derive",
    "draw",
    "explain_mismatch",
    "gradcheck",
    "gradient_noise",
    "heatmap",
    "history",
    "images",
    "kernels",
    "live",
    "loss_surface",
    "paths",
    "record",
    "signal",
    "step",
    "through_time",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def draw(
    loss: Any,
    level: str = "auto",
    direction: str | None = None,
    max_nodes: int | None = 60,
    *,
    grad: Any = None,
    element: int | tuple[int, ...] | None = None,
    legend: bool = False,
    time_limit: float = 20.0,
) -> Picture:
    """Draw the computation graph of a value, with the value and the gradient of everything on the way.

    The gradients come from a sweep of its own: nothing need be prepared, no ``.grad`` is read or changed.

    Parameters
    ----------
    loss : Tensor or Tape
        What gradients are of: a scalar, unless `grad` is given.
    level : {"auto", "layer", "line", "op", "scalar"}, optional
        ``"op"`` draws every operation, with boxes around layers; ``"line"`` one node for each line of the program,
        ``z1 = X @ W1 + b1``; ``"layer"`` one for each layer call; ``"auto"`` operations where they fit into `max_nodes`
        and no loop goes round, else lines. ``"scalar"``: every multiplication and addition of numbers is a node of its
        own, nothing folded, for up to 300 nodes (or `max_nodes`, if that is more).
    direction : {"TB", "LR"}, optional
        Top to bottom or left to right. Unless told, small graphs of scalars go left to right, others top to bottom.
    max_nodes : int or None, optional
        At most so many nodes: lines, layer calls, passes of loops and functions stay closed where they would be more,
        and of a long loop the first and the last passes are shown. None: no limit.
    grad : array_like of the shape of `loss`, optional
        The gradient that the backward sweep starts from; needed where `loss` is not a scalar.
    element : tuple of int, optional
        With ``level="scalar"``: of which element of `loss`; needed where it has several.
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
        If `loss` is not a scalar and no `grad` is given, or for an unknown level or direction; of scalar graphs, if
        there are too many nodes or an operation has none.

    Notes
    -----
    An edge carries the local derivative where it is a number; it is dashed where no gradient flows back. A gradient
    that was not computed is shown as ``—``. Heat maps run from blue (negative) over white (0) to orange (positive),
    each up to its own largest magnitude; NaN, +Inf and −Inf are black cells with ×, + and −, and so are numbers 10⁴
    times above all others, as in a mask of −1e9, which is then named beside the picture.

    Examples
    --------
    >>> import viz
    >>> from autograd import Tensor
    >>> a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    >>> viz.draw(a * b + c)
    <Picture: Computation graph of L: 5 nodes, 4 edges>
    """
    if level not in (*LEVELS, "scalar"):
        raise ValueError(f"draw: level must be one of {', '.join(map(repr, (*LEVELS, 'scalar')))}, got {level!r}")
    if element is not None and (level != "scalar" or grad is not None):
        raise ValueError("draw: element= goes with level='scalar' alone, and without grad=")
    if direction not in (None, "TB", "LR"):
        raise ValueError(f"draw: direction must be 'TB' (top to bottom) or 'LR' (left to right), got {direction!r}")
    check_most(max_nodes, "draw")
    if not time_limit > 0:
        raise ValueError(f"draw: time_limit must be a positive number of seconds, got {time_limit!r}")
    if level == "scalar":
        tape = tape_of(loss, "draw")
        numbers = drawable(tape, element, None if max_nodes is None else max(max_nodes, MOST))
        seed = None if grad is None else np.reshape(seed_of(tape, grad, "draw"), ())
        return opening(scalar_picture(Run(numbers, seed), direction, legend=legend, time_limit=time_limit))
    run = Run.of(loss, "draw", grad, backward=False)
    graph = read(run, level=level, direction=direction, max_nodes=max_nodes)
    return opening(Picture(graph, legend=legend, time_limit=time_limit), run)


def step(
    loss: Any,
    *,
    break_at: Any = None,
    watch: Any = (),
    against: Mapping[Any, Any] | None = None,
    values: Mapping[Any, Any] | None = None,
    granularity: str | None = None,
    max_nodes: int | None = 60,
    grad: Any = None,
) -> Stepper:
    """Step through the forward and the backward pass of a value, line by line or one operation at a time.

    A notebook shows it as a page with the graph, the formula of each step, the numbers and the running sums;
    ``save("steps.html")`` writes that page; ``next()``, ``previous()``, ``goto(k)``, ``run_to("conv2")`` and ``print``
    give the same steps as text.

    Parameters
    ----------
    loss : Tensor or Tape
        What gradients are of: a scalar, unless `grad` is given.
    break_at : str, Tensor, or list of them, optional
        Where to open, and to stop with Shift+→: the name of a layer or of a value, a Tensor, ``"backward"``, or
        ``"nan"``: where NaN or Inf is born. Without it, a computation with NaN or Inf opens where that is born.
    watch : Tensor, str, or list of them, optional
        What is shown beside every step.
    against : dict, optional
        Hand-derived gradients, ``{W1: dW1, "z⁽²⁾": dz2}``: each is compared with the engine's as soon as that is
        complete, and the page opens where one differs. Names are taken as they are printed, ``"%3"`` and ``"L"`` too;
        numbers in quotation marks, ``[["0.0127", "-0.5"]]``, are compared to the digits that they have, and those that
        are not given, ``[["0.0127", "…"]]``, are not judged: as `compare_grads` has it.
    values : dict, optional
        Numbers found on the way forward, ``{"z⁽¹⁾": z1, loss: "0.6931"}``, given like gradients: each is compared at
        the step that computes it, and the page opens where the first one differs.
    granularity : {"layer", "line", "op", "contribution"}, optional
        Where to stop: at every layer, line of the program or operation, or at everything that one sends to one of its
        operands. Layers and lines are shown as wholes, with what they send to each of their inputs as one formula.
        Unless told, it is lines where the program has several, of several operations; else operations.
    max_nodes : int or None, optional
        At most so many boxes has the graph of the page, as of `draw`. None: no limit.
    grad : array_like of the shape of `loss`, optional
        The gradient that the backward pass starts from; needed where `loss` is not a scalar.

    Returns
    -------
    Stepper

    Raises
    ------
    TypeError
        If `loss` is no Tensor or Tape, or was computed while recording was off.
    KeyError
        If nothing has a name that was given; the nearest names are listed.
    ValueError
        If `loss` is not a scalar and no `grad` is given, a Tensor is not on its tape, or a gradient in `against` has
        another shape or is of what gets none; if there is no backward pass to break at.

    Examples
    --------
    >>> import viz
    >>> from autograd import Tensor
    >>> a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
    >>> s = viz.step(a * b)
    >>> s.run_to("backward").title
    'BACKWARD  starts at L'
    >>> s.next().equation
    '∂L/∂b = ∂L/∂L × a'
    >>> s.previous().title
    'BACKWARD  starts at L'
    >>> X, W, c = Tensor([[1.0, 2.0]], name="X"), Tensor([[3.0], [4.0]], name="W"), Tensor(0.5, name="c")
    >>> z = X @ W + c
    >>> lines = viz.step((z * z).sum(), granularity="line")
    >>> lines.next().equation
    'z = X W + c'
    """
    return Stepper(
        loss,
        grad=grad,
        break_at=break_at,
        watch=watch,
        against=against,
        values=values,
        granularity=granularity,
        max_nodes=max_nodes,
    )
