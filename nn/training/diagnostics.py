"""`Diagnostics`: what is measured of each layer while it trains, and what of it is off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import Tensor

from ..layers import ReLU, Sigmoid, Tanh
from ..module import Module

__all__ = ["Diagnostics"]

_BINS = 40
_LARGE, _SMALL, _DEAD, _SATURATED, _VANISHED = 0.1, 1e-5, 0.4, 0.5, 1e-3


class Diagnostics:
    """What each layer does in training, measured every few steps: ``nn.fit(…, diagnostics=True)``.

    It only looks: a run has the same numbers with it and without it.

    Parameters
    ----------
    every : int, optional
        Measure in the first step and in every so manieth after it.

    Attributes
    ----------
    steps : list of int
        In which steps of the optimiser it measured.
    grad_norm : dict of str to list of float
        For each layer with parameters the norm of their gradient, after clipping.
    update_ratio : dict of str to list of float
        ‖ΔW‖ / ‖W‖ of the layer's weights: its parameters of two axes or more, else all. About 10⁻³ is healthy.
    dead : dict of str to list of float
        For each ReLU the share of units (channels of images) that are 0 for every example of the batch.
    saturated : dict of str to list of float
        For each Sigmoid and Tanh the share of values near its ends: |a| > 0.97 for tanh, |2a − 1| > 0.97 for σ.
    histograms : dict of str to dict of str to list of (counts, edges)
        ``histograms[what][layer]``, with ``"weights"``, ``"gradients"`` and ``"activations"`` (of ReLU, Sigmoid, Tanh).
    warnings : list of str
        What is off, by the means of the later half of the measurements.

    Notes
    -----
    The ratio 10⁻³ is that of A. Karpathy's notes for CS231n, "Neural networks part 3"; it is called off 100 times above
    or below. That 40 % of units can be dead where the rate is too high is said in part 1; 0.97 is his bound for tanh in
    "Building makemore, part 3" (2022). A gradient vanishes if its root mean square in the first layer is below 10⁻³ of
    that in the last one: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010), show such falls. Activations are measured where they are modules, not where they are functions.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> net = nn.Sequential(nn.Linear(2, 8, rng=0), nn.ReLU(), nn.Linear(8, 2, rng=1))
    >>> told = nn.fit(net, (x, (x[:, 0] > 0).astype(int)), seed=0, progress=False, diagnostics=nn.Diagnostics(every=2))
    >>> told.diagnostics.steps, list(told.diagnostics.grad_norm), list(told.diagnostics.dead)
    ([1, 3], ['0', '2'], ['1'])
    """

    def __init__(self, every: int = 10):
        if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
            raise ValueError(f"Diagnostics: every must be an integer of at least 1, got {every!r}")
        self.every = int(every)
        self.steps: list[int] = []
        self.grad_norm: dict[str, list[float]] = {}
        self.update_ratio: dict[str, list[float]] = {}
        self.dead: dict[str, list[float]] = {}
        self.saturated: dict[str, list[float]] = {}
        self.histograms: dict[str, dict[str, list[Any]]] = {"weights": {}, "gradients": {}, "activations": {}}
        self._scale: dict[str, list[float]] = {}
        self._layers: dict[str, list[Any]] = {}
        self._handles: list[Any] = []
        self._values: dict[str, Any] | None = None
        self._old: dict[str, list[Any]] = {}

    def start(self, model: Module) -> None:
        """Watch the layers of a model."""
        self._layers = {}
        for name, p in model.named_parameters():
            self._layers.setdefault(name.rpartition(".")[0] or "model", []).append(p)
        for name, module in model.named_modules():
            if isinstance(module, ReLU | Sigmoid | Tanh):
                self._handles.append(module.register_forward_hook(partial(self._see, name or "model")))

    def end(self) -> None:
        """Take the hooks off again."""
        for handle in self._handles:
            handle.remove()
        self._handles, self._values, self._old = [], None, {}

    def before(self, step: int) -> None:
        """Called before the batch of a step goes through the network."""
        self._values = {} if (step - 1) % self.every == 0 else None

    def ready(self) -> None:
        """Called before the step of the optimiser, which makes new arrays: the old ones are kept."""
        if self._values is not None:
            self._old = {name: [p.data for p in params] for name, params in self._layers.items()}

    def after(self, step: int) -> None:
        """Called after the step."""
        if self._values is None:
            return
        self.steps.append(step)
        for name, params in self._layers.items():
            grads = [g.data if isinstance(g, Tensor) else g for g in (p.grad for p in params) if g is not None]
            norm = _norm(grads)
            _note(self.grad_norm, name, norm)
            _note(self._scale, name, norm / np.sqrt(max(1, sum(np.size(g) for g in grads))))
            pairs = [(p.data, old) for p, old in zip(params, self._old[name], strict=True)]
            pairs = [pair for pair in pairs if pair[0].ndim > 1] or pairs
            size = _norm([old for _, old in pairs])
            moved = _norm([new - old for new, old in pairs])
            _note(self.update_ratio, name, moved / size if size else np.nan)
            _note(self.histograms["weights"], name, _histogram([new for new, _ in pairs]))
            _note(self.histograms["gradients"], name, _histogram(grads))
        for name, (kind, values) in self._values.items():
            _note(self.histograms["activations"], name, _histogram([values]))
            if kind is ReLU:
                axes = (0, *range(2, values.ndim)) if values.ndim > 3 else (0,)
                _note(self.dead, name, float(np.mean(~np.any(values > 0, axis=axes))))
            else:
                ends = np.abs(values if kind is Tanh else 2 * values - 1) > 0.97
                _note(self.saturated, name, float(np.mean(ends)))
        self._values, self._old = None, {}

    def _see(self, name: str, module: Module, args: Any, out: Any) -> None:
        if self._values is not None and isinstance(out, Tensor) and out.ndim:
            kind = next(kind for kind in (ReLU, Sigmoid, Tanh) if isinstance(module, kind))
            self._values[name] = (kind, out.data)

    @property
    def warnings(self) -> list[str]:
        """What is off, by the means of the later half of the measurements."""
        found = []
        for name, ratio in _late(self.update_ratio):
            if ratio > _LARGE:
                found.append(f"layer {name}: updates are {ratio:.2g} of the weights (1e-3 is healthy): lower the rate")
            elif ratio < _SMALL:
                found.append(f"layer {name}: updates are {ratio:.2g} of the weights (1e-3 is healthy): raise the rate")
        for name, share in _late(self.dead):
            if share > _DEAD:
                found.append(f"{name}: {share:.0%} of its ReLUs are dead, 0 for every example of the batch")
        for name, share in _late(self.saturated):
            if share > _SATURATED:
                found.append(f"{name}: {share:.0%} of its values are saturated, where slopes are near 0")
        scales = list(_late(self._scale))
        if len(scales) > 1 and scales[0][1] < _VANISHED * scales[-1][1]:
            first, last = scales[0], scales[-1]
            share = first[1] / last[1] if last[1] else 0.0
            found.append(f"gradients vanish: in layer {first[0]} they are {share:.1g} of those in layer {last[0]}")
        return found

    def __str__(self) -> str:
        if not self.steps:
            return "Diagnostics: nothing was measured yet"
        head = f"Diagnostics of {len(self.steps)} of the steps {self.steps[0]} to {self.steps[-1]}"
        return "\n".join([head, *(self.warnings or ["nothing is off"])])

    __repr__ = __str__


def _note(series: dict[str, list[Any]], name: str, value: Any) -> None:
    series.setdefault(name, []).append(value if isinstance(value, tuple) else float(value))


def _late(series: dict[str, list[float]]) -> Iterable[tuple[str, float]]:
    """The mean of the later half of each."""
    for name, values in series.items():
        late = np.array(values[len(values) // 2 :])
        late = late[np.isfinite(late)]
        if late.size:
            yield name, float(late.mean())


def _norm(arrays: Sequence[Any]) -> float:
    return float(np.sqrt(sum(float(np.sum(np.square(a, dtype=np.float64))) for a in arrays)))


def _histogram(arrays: Sequence[Any]) -> tuple[Any, Any]:
    values = np.concatenate([np.ravel(a).astype(np.float64) for a in arrays]) if arrays else np.zeros(0)
    return np.histogram(values[np.isfinite(values)], _BINS)
