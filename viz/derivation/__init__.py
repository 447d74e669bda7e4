"""The chain rule as a textbook prints it, from the tape: partials, factors with their shapes, closed form, numbers."""

from __future__ import annotations

from typing import Any, Literal

from ..formula.writers import shape_text
from ..tape.arguments import node_of, seed_of
from ..tape.run import Run
from .derivation import Derivation
from .lines import Line

__all__ = ["Derivation", "Line", "derive"]


def derive(loss: Any, wrt: Any, *, to: Literal["plain", "latex"] = "plain", numbers: bool = True) -> Derivation:
    """Derive the gradient of a loss with respect to one value, as a textbook does.

    The product of partial derivatives comes first, then each factor with its shape, the factors in the order in which
    their shapes agree, the closed form, and the numbers. All of it is computed from the derivative rules that the tape
    has recorded, and simplified by rules of algebra; every line gives the engine's gradient.

    Parameters
    ----------
    loss : Tensor or Tape
        A scalar.
    wrt : Tensor or str
        With respect to what: a parameter, an input or an intermediate, or its name.
    to : {"plain", "latex"}, optional
        What ``str`` and ``print`` give. A notebook shows LaTeX in any case.
    numbers : bool, optional
        Whether the last line shows the numbers.

    Returns
    -------
    Derivation

    Raises
    ------
    TypeError
        If `loss` is no Tensor or Tape or was computed while recording was off, or `wrt` is no Tensor or name.
    KeyError
        If nothing is called `wrt`; the nearest names are listed.
    ValueError
        If `loss` is not a scalar, `wrt` is not on its tape, or no gradient flows to it.

    Notes
    -----
    Named values are the steps of the chain rule; unnamed ones between them are composed away. Where more than 6 ways
    lead to the loss, the gradient of each named value is derived from those that it is used for.

    Examples
    --------
    >>> import viz
    >>> from autograd import Tensor
    >>> a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
    >>> d = a * b
    >>> d.name = "d"
    >>> derivation = viz.derive(d**2, wrt=a)
    >>> for line in derivation.lines:
    ...     print(line.plain())
    ∂L/∂a = ∂L/∂d · ∂d/∂a
    ∂L/∂d  = 2 d  ()
    ∂d/∂a  = b    ()
    ∂L/∂a = 2 d × b
    ∂L/∂a = 2 d × b
    ∂L/∂a = 2 × (−6) × (−3)
          = 36
    >>> derivation.closed
    '2 d × b'
    >>> float(derivation.lines[-1].evaluate())
    36.0
    """
    if to not in ("plain", "latex"):
        raise ValueError(f"derive: to must be 'plain' or 'latex', got {to!r}")
    run = Run.of(loss, "derive", backward=False)
    tape = run.tape
    node = node_of(tape, wrt, "derive")
    what = f"{node.name!r}" if node.name else "the Tensor given"
    if node not in tape:
        raise ValueError(
            f"derive: wrt={what}, of shape {shape_text(node.shape)}, is not on the tape of the loss: the loss was not "
            "computed from it"
        )
    if node is tape.root:
        raise ValueError(f"derive: wrt={what} is the loss itself, whose derivative is 1")
    seed_of(tape, None, "derive")
    if not node.needs_grad:
        raise ValueError(
            f"derive: no gradient flows to wrt={what}: it is a constant (requires_grad=False), or made of constants"
        )
    if node not in run.gradients:
        raise ValueError(
            f"derive: no gradient flows from the loss to wrt={what}: an operation without a derivative stands between"
        )
    return Derivation(run, node, to=to, numbers=numbers)
