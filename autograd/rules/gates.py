"""A place on the way of a gradient where it is looked at, and may be replaced."""

from __future__ import annotations

from typing import Any

from ..registry import defvjp, named, pure


@pure
def gate(x: Any, listen: Any) -> Any:
    """`x` itself. Whenever a gradient flows back through it, ``listen(gradient)`` is what flows on.

    Parameters
    ----------
    x : array or Tensor
    listen : callable
        Takes the gradient, returns one of the same shape.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.rules.gates import gate
    >>> x = Tensor(3.0)
    >>> (gate(x, lambda g: -g) * 2).backward()
    >>> float(x.grad)
    -2.0
    """
    return x


@named
def hooked(g: Any, listen: Any) -> Any:
    """What goes on of a gradient; a formula calls it by its name, and listens to nothing."""
    return listen(g)


defvjp(gate, lambda g, out, x, listen: hooked(g, listen=listen))
