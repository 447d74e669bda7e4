"""How large values and gradients are from layer to layer: whether a signal fades or grows on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Node, Tape, enable_grad

from ..plain.numbers import numeral, padded
from ..tape.arguments import tape_of
from .figure import Plot, legend, line, logarithmic, plot
from .models import called, in_use, layer_of

__all__ = ["signal"]


class SignalPlot(Plot):
    """What `signal` returns: prints as a table."""

    def __str__(self) -> str:
        header = ["layer"] + [f"{what} {name}" for name in self.data for what in ("mean", "var")]
        layers = sorted({layer for points in self.data.values() for layer in points})
        rows = [header]
        for layer in layers:
            pairs = [points.get(layer) for points in self.data.values()]
            cells = [numeral(v, 3) if pair else "" for pair in pairs for v in (pair or (0, 0))]
            rows.append([str(layer), *cells])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(padded(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join(lines)


def signal(model: Any, x: Any, loss: Callable[[Any], Any] | None = None, *, seed: int = 0) -> Plot:
    """Show mean and variance of z⁽ˡ⁾, a⁽ˡ⁾ and of the gradients that reach them, layer by layer.

    Where variances fall from layer to layer the signal fades, forward or backward, and where they grow it explodes:
    what an initialisation is chosen against.

    Parameters
    ----------
    model : nn.Module
    x : array or Tensor of shape (N, …)
        A batch of inputs; it is seen in evaluation mode.
    loss : callable, optional
        ``loss(output)`` gives the scalar that gradients are of: ``lambda z: F.cross_entropy(z, labels)``. Without it
        the gradient of the output is standard normal, so that its variance there is 1.
    seed : int, optional
        Of those numbers.

    Returns
    -------
    Plot
        ``data[what][layer]`` is (mean, variance), for ``"z"``, ``"a"``, ``"∂z"``, ``"∂a"`` and ``"∂W"``, that of the
        weights which make z⁽ˡ⁾. It prints as a table.

    Raises
    ------
    TypeError
        If `model` is no model or returns no Tensor, or `loss` no Tensor.
    ValueError
        If nothing on the tape is called z⁽ˡ⁾ or a⁽ˡ⁾, or the loss is not one number.
    ImportError
        If the extra ``plots`` is not installed.

    Notes
    -----
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), figures
    6 and 7.

    Examples
    --------
    >>> import numpy as np, nn, viz
    >>> net = nn.Sequential(nn.Linear(100, 100, rng=0), nn.Tanh(), nn.Linear(100, 100, rng=1), nn.Tanh())
    >>> plot = viz.signal(net, np.random.default_rng(0).normal(size=(50, 100)))
    >>> {layer: f"{variance:.2f}" for layer, (mean, variance) in plot.data["z"].items()}
    {1: '0.35', 2: '0.08'}
    """
    out, tape = called(model, x, "signal")
    start: Any = None
    if loss is None:
        start = np.random.default_rng(seed).standard_normal(out.shape).astype(out.dtype)
    else:
        with in_use(model), enable_grad():
            tape = tape_of(loss(out), "signal")
    gradients = tape.gradients(start)
    data = _measured(tape, gradients)
    if not data:
        raise ValueError(
            "signal: nothing on the tape is called z⁽ˡ⁾ or a⁽ˡ⁾, as what nn's layers and activations give is"
        )
    root = "L" if loss is not None else "u"
    of = {"z": "z⁽ˡ⁾", "a": "a⁽ˡ⁾", "∂z": f"∂{root}/∂z⁽ˡ⁾", "∂a": f"∂{root}/∂a⁽ˡ⁾", "∂W": f"∂{root}/∂W⁽ˡ⁾"}
    all_panels = (("values", ("z", "a")), ("gradients", ("∂z", "∂a")), ("gradients of weights", ("∂W",)))
    panels = [(title, found) for title, keys in all_panels if (found := [key for key in keys if key in data])]

    def draw(figure: Any) -> None:
        numbers = {key: i for i, key in enumerate(data)}
        grid = figure.subplots(2, len(panels), squeeze=False, sharex=True)
        for column, (title, keys) in enumerate(panels):
            for row, what in enumerate(("mean", "variance")):
                axes = grid[row, column]
                for key in keys:
                    layers = list(data[key])
                    line(axes, numbers[key], layers, [data[key][n][row] for n in layers], of[key])
                positive = [data[key][n][1] for key in keys for n in data[key]]
                if what == "variance" and min(positive) > 0:
                    logarithmic(axes)
                if what == "mean":
                    axes.set_title(title)
                    axes.ticklabel_format(axis="y", scilimits=(-2, 3))
                axes.set_ylabel(what)
                axes.grid(True)
        for axes in grid[1]:
            axes.set_xlabel("layer l")
            axes.xaxis.get_major_locator().set_params(integer=True)
        legend(figure, len(data))

    name = "mean and variance of z, a and gradients by layer"
    return plot(draw, (3.3 * len(panels), 5.2), name, data, SignalPlot)


def _measured(tape: Tape, gradients: dict[Node, Any]) -> dict[str, dict[int, tuple[float, float]]]:
    """(mean, variance) of each kind of numbers, by layers."""
    found: dict[str, dict[int, list[Any]]] = {key: {} for key in ("z", "a", "∂z", "∂a", "∂W")}
    for node in tape:
        layer = layer_of(node)
        if layer is None or node.is_leaf:
            continue
        kind = str(node.name)[0]
        found[kind].setdefault(layer, []).append(tape.value(node))
        if node in gradients:
            found["∂" + kind].setdefault(layer, []).append(gradients[node])
        if kind == "z":
            weights = [gradients[leaf] for leaf in _weights(node) if leaf in gradients]
            found["∂W"].setdefault(layer, []).extend(weights)
    return {
        key: {layer: _mean_and_variance(arrays) for layer, arrays in sorted(by_layer.items()) if arrays}
        for key, by_layer in found.items()
        if any(by_layer.values())
    }


def _weights(node: Node) -> list[Node]:
    """The leaves of two axes and more that a z is made from, without those of the layers before."""
    found, waiting, seen = [], list(node.parents), set()
    while waiting:
        one = waiting.pop()
        if one in seen or (layer_of(one) is not None and not one.is_leaf):
            continue
        seen.add(one)
        if one.is_leaf and one.needs_grad and len(one.shape) > 1:
            found.append(one)
        waiting.extend(one.parents)
    return found


def _mean_and_variance(arrays: list[Any]) -> tuple[float, float]:
    numbers = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    return float(numbers.mean()), float(numbers.var())
