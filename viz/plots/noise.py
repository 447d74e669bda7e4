"""How far the gradient of a batch is from that of all examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tape, enable_grad

from ..tape.arguments import tape_of
from .figure import Plot, legend, line, plot
from .models import checked, in_use

__all__ = ["gradient_noise"]


def gradient_noise(
    model: Any,
    data: Any,
    loss: Callable[[Any, Any], Any],
    sizes: Sequence[int] = (1, 4, 16, 64, 256),
    *,
    draws: int = 30,
    seed: int = 0,
) -> Plot:
    """Show how far the gradient of a batch is from that of all examples, by the size of the batch.

    The noise is √(mean of ‖g − ∇‖²) / ‖∇‖ over random batches without repeats; independent examples would make it fall
    as 1/√B, and with B of N it falls as √((N − B) / (B (N − 1))).

    Parameters
    ----------
    model : nn.Module
        Seen in evaluation mode; neither its parameters nor their ``.grad`` are changed.
    data : (inputs, targets)
    loss : callable
        ``loss(output, target)``, a mean over the examples: `nn.functional.cross_entropy`.
    sizes : sequence of int, optional
        Those above the number of examples are left out.
    draws : int, optional
        So many batches of each size.
    seed : int, optional
        Of the batches.

    Returns
    -------
    Plot
        ``data["noise"]`` and ``data["expected"]``: for each size the noise, and what the formula gives with the noise
        of single examples; ``data["norm"]``: ‖∇‖.

    Raises
    ------
    TypeError
        If `model` is no model.
    ValueError
        If there is no such size, or the gradient of all is 0.
    ImportError
        If the extra ``plots`` is not installed.

    Examples
    --------
    >>> import numpy as np, nn, viz
    >>> net, x = nn.Sequential(nn.Linear(2, 1, rng=0)), np.random.default_rng(0).normal(size=(100, 2))
    >>> plot = viz.gradient_noise(net, (x, x[:, :1]), nn.functional.mse_loss, sizes=(1, 25, 100))
    >>> plot, bool(plot.data["noise"][100] < 1e-6)
    (<Plot: noise of the gradient by the size of a batch>, True)
    """
    checked(model, "gradient_noise")
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"gradient_noise: data must be a pair (inputs, targets), got {type(data).__name__}")
    inputs, targets = (np.asarray(getattr(part, "data", part) if hasattr(part, "node") else part) for part in data)
    count = len(inputs)
    chosen = [size for size in sizes if size <= count]
    if not chosen or min(chosen) < 1 or draws < 1:
        raise ValueError(
            f"gradient_noise: sizes and draws must be from 1 to the {count} examples, got {sizes!r}, {draws!r}"
        )
    parameters = list(model.parameters())

    def gradient(batch: Any) -> Any:
        tape: Tape = tape_of(loss(model(inputs[batch]), targets[batch]), "gradient_noise")
        found = tape.gradients()
        records = [tape.record_of(parameter) for parameter in parameters]
        arrays = [found[record] for record in records if record is not None and record in found]
        return np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])

    rng = np.random.default_rng(seed)
    with in_use(model), enable_grad():
        full = gradient(slice(None))
        norm = float(np.linalg.norm(full))
        if not 0 < norm < np.inf:
            raise ValueError(f"gradient_noise: the norm of the gradient of all examples is {norm}")
        each = {
            size: [np.square(gradient(rng.choice(count, size, replace=False)) - full).sum() for _ in range(draws)]
            for size in chosen
        }
    noise = {size: float(np.sqrt(np.mean(apart)) / norm) for size, apart in each.items()}
    first = chosen[0]
    scale = {size: np.sqrt((count - size) / (size * max(count - 1, 1))) for size in chosen}
    expected = {size: float(noise[first] * scale[size] / (scale[first] or 1.0)) for size in chosen}

    def draw(figure: Any) -> None:
        from matplotlib.ticker import LogLocator, NullLocator

        axes = figure.subplots()
        for number, (label, values) in enumerate({"measured": noise, "by the formula": expected}.items()):
            seen = {size: value for size, value in values.items() if size < count}
            line(axes, number, list(seen), list(seen.values()), label, dashed=number > 0)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set(xlabel="examples in a batch, B", ylabel="noise ‖g − ∇‖ / ‖∇‖")
        axes.grid(True)
        legend(figure, 2)

    numbers = {"noise": noise, "expected": expected, "norm": norm}
    return plot(draw, (5.0, 3.6), "noise of the gradient by the size of a batch", numbers)
