"""The best epoch of a training, and when no better one is waited for any longer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..data.samplers import count
from ..module import Module
from ..optim.options import at_least_0
from .history import History

__all__ = ["Best", "EarlyStopping"]

_WATCHED = ("loss", "accuracy", "val_loss", "val_accuracy")


class EarlyStopping:
    """When `fit` is to end early: after `patience` epochs in a row that were no better than the best before.

    Parameters
    ----------
    monitor : "loss", "accuracy", "val_loss" or "val_accuracy", optional
        What is watched; the validation loss, or without validation data the loss, unless told.
    patience : int, optional
    min_delta : float, optional
        By how much an epoch must be better to count.

    Notes
    -----
    `fit` gives the network the parameters and buffers of the best epoch when it ends, however it ends.
    ``fit(…, early_stopping=5)`` is short for ``EarlyStopping(patience=5)``.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> y = (x[:, 0] > x[:, 1]).astype(int)
    >>> stopping = nn.EarlyStopping("val_accuracy", patience=2)
    >>> net = nn.Linear(2, 2, rng=0)
    >>> history = nn.fit(net, (x[:30], y[:30]), epochs=50, lr=0.1, seed=0, progress=False,
    ...                  validation=(x[30:], y[30:]), early_stopping=stopping)
    >>> history.epochs == history.best_epoch + 2
    True
    """

    def __init__(self, monitor: str | None = None, patience: int = 3, min_delta: float = 0.0):
        if monitor is not None and monitor not in _WATCHED:
            raise ValueError(f"EarlyStopping: monitor must be one of {', '.join(_WATCHED)}, got {monitor!r}")
        self.monitor = monitor
        self.patience = count(patience, "EarlyStopping: patience")
        self.min_delta = at_least_0(min_delta, "EarlyStopping: min_delta")

    def __repr__(self) -> str:
        return f"EarlyStopping({self.monitor!r}, patience={self.patience}, min_delta={self.min_delta:g})"


class Best:
    """The best epoch so far, with the network's numbers after it."""

    def __init__(self, monitor: str, stopping: EarlyStopping | None):
        self.monitor = monitor
        self.patience = math.inf if stopping is None else stopping.patience
        self.min_delta = 0.0 if stopping is None else stopping.min_delta
        self.value: float | None = None
        self.waited = 0
        self.numbers: Mapping[str, Any] = {}

    def look(self, history: History, model: Module) -> None:
        """Take in the last epoch of a history."""
        value = getattr(history, self.monitor)[-1]
        sign = -1 if self.monitor.endswith("accuracy") else 1
        better = not math.isnan(value) and (self.value is None or sign * (self.value - value) > self.min_delta)
        if better:
            self.value, self.waited, self.numbers = value, 0, model.state_dict()
            history.best_epoch = history.epochs
        else:
            self.waited += 1

    @property
    def stop(self) -> bool:
        """Whether the patience is at its end."""
        return self.waited >= self.patience

    def restore(self, model: Module) -> None:
        """Give the network back the numbers that were best, if any were."""
        if self.numbers:
            model.load_state_dict(self.numbers)

    def state_dict(self) -> dict[str, Any]:
        """All that was taken in."""
        return {"value": self.value, "waited": self.waited, "numbers": dict(self.numbers)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.value, self.waited = state_dict["value"], state_dict["waited"]
        self.numbers = state_dict["numbers"]
