"""How large the gradients are that reach each step of a sequence: whether they vanish or explode on their way back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tape

from ..plain.numbers import length
from ..tape.arguments import seed_of, tape_of
from .figure import Plot, legend, line, logarithmic, plot

__all__ = ["through_time"]

_DIGITS = {"ₜ": "₀₁₂₃₄₅₆₇₈₉", "ᵗ": "⁰¹²³⁴⁵⁶⁷⁸⁹", "{t}": "0123456789"}


def through_time(losses: Any, name: str = "hₜ") -> Plot:
    """Show ‖∂L/∂hₜ‖ by t: how much of a loss gets back to each step of a sequence.

    Where it falls by the same factor from step to step, what stood at the beginning is hardly learned from; where it
    grows, a step of the optimiser is thrown far.

    Parameters
    ----------
    losses : Tensor or Tape, or dict of str to such
        A scalar; or several, by what they are called, drawn in one figure.
    name : str, optional
        What the values of the steps are called, with ₜ, ᵗ or {t} where the number stands: ``"hₜ"`` and ``"cₜ"`` of
        `nn.RNN` and `nn.LSTM`, ``"hₜ⁽²⁾"`` of their second layer, ``"h⁽ᵗ⁾"`` or ``"h{t}"`` of your own.

    Returns
    -------
    Plot
        ``data[label][t]`` has the norms, with the label ``""`` where there is but one loss. Steps that no gradient
        reaches are left out.

    Raises
    ------
    TypeError
        If a loss is no Tensor or Tape.
    ValueError
        If a loss is not a scalar, or `name` has no place for the number.
    KeyError
        If no value with a gradient is called so.
    ImportError
        If the extra ``plots`` is not installed.

    Notes
    -----
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks" (2013).

    Examples
    --------
    >>> import numpy as np, nn, viz
    >>> states, _ = nn.RNN(2, 3, rng=0)(np.ones((5, 2), np.float32))
    >>> plot = viz.through_time(states[-1].sum())
    >>> list(plot.data[""])
    [1, 2, 3, 4, 5]
    >>> plot.data[""][1] < plot.data[""][5]
    True
    """
    marks = [mark for mark in _DIGITS if isinstance(name, str) and name.count(mark) == 1]
    if len(marks) != 1:
        raise ValueError(f"through_time: name must have one ₜ, ᵗ or {{t}} for the number of the step, got {name!r}")
    given = losses if isinstance(losses, Mapping) else {"": losses}
    if not given:
        raise ValueError("through_time: no loss was given")
    data = {str(label): _norms(tape_of(loss, "through_time"), name, marks[0]) for label, loss in given.items()}

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, (label, norms) in enumerate(data.items()):
            line(axes, number, list(norms), [norm or np.nan for norm in norms.values()], label)
        if any(any(norms.values()) for norms in data.values()):
            logarithmic(axes)
        axes.set(xlabel="step t", ylabel=f"‖∂L/∂{name.replace('{t}', 'ₜ')}‖")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(True)
        if set(data) != {""}:
            legend(figure, 3)

    return plot(draw, (6.4, 3.2 + 0.2 * -(-len(data) // 3)), f"gradients of {name} by steps", data)


def _norms(tape: Tape, name: str, mark: str) -> dict[int, float]:
    """The norm of the gradient of each value that is called so, by its number."""
    digits = _DIGITS[mark]
    before, after = map(re.escape, name.split(mark))
    pattern = re.compile(f"{before}([{digits}]+){after}")
    gradients = tape.gradients(seed_of(tape, None, "through_time"))
    found: dict[int, float] = {}
    for node, gradient in gradients.items():
        match = pattern.fullmatch(node.name or "")
        if match is not None:
            step = int(match[1].translate(str.maketrans(digits, "0123456789")))
            found[step] = float(np.hypot(found.get(step, 0.0), length(gradient)))
    if not found:
        names = sorted({str(node.name) for node in gradients if node.name})
        raise KeyError(f"through_time: no value with a gradient is called {name!r}; there are {', '.join(names[:20])}")
    return dict(sorted(found.items()))
