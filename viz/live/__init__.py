"""A function of one's own on numbers that one moves: the step view follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["live"]


def live(f: Callable[..., Any], **inputs: Any) -> Any:
    """Sliders for weights and inputs of a function; whatever is moved, it runs again and the step view follows.

    Needs the extra ``widget``, and a notebook to be shown in: JupyterLab, Notebook 7, VS Code.

    Parameters
    ----------
    f : callable
        ``f(**inputs)`` computes a loss, a Tensor with one number, with NumPy or `nn`. For equal inputs it should give
        equal losses: random numbers are best drawn from a generator that is made in it.
    **inputs
        What it is called with. A float or an array of floats reaches `f` as a Tensor of that name, a whole number and
        an array of them as they are. Of Tensors, alone, in a list or a dict, and of all parameters of a module the
        numbers themselves are changed, as training does; `reset` puts them back. Anything else is handed on.

    Returns
    -------
    Live
        A widget. ``live.stepper`` is the `Stepper` of the last run, ``live.inputs`` has the numbers,
        ``live.set(w=0.3)`` changes some, ``live.reset()`` puts all back.

    Raises
    ------
    ImportError
        If `anywidget` is not installed.
    TypeError
        If `f` can't be called, or does not return a Tensor.
    ValueError
        If its loss is not one number, no input is a number, or a Tensor was computed.

    Notes
    -----
    Beside the sliders stands the loss along the number that was touched last, all others staying as they are. Its
    tangent has the gradient of the engine as slope. While a number moves, gradients are not checked by finite
    differences; that is done as soon as it rests.

    Examples
    --------
    >>> import numpy as np, viz
    >>> x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
    >>> live = viz.live(lambda w, b: np.mean((w * x + b - y) ** 2), w=0.5, b=0.0)
    >>> live
    <Live <lambda>(w, b): L = 7.75>
    >>> live.set(w=2.0, b=1.0)
    >>> live
    <Live <lambda>(w, b): L = 0>
    """
    try:
        from .widget import Live
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("anywidget", "traitlets", "ipywidgets"):
            raise
        raise ImportError("live needs the package anywidget: pip install 'tracegrad[widget]'") from error
    return Live(f, inputs)
