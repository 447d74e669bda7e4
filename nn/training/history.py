"""`History`: what happened in training."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from .diagnostics import Diagnostics
from .measuring import Evaluation

__all__ = ["History"]

_SERIES = {
    "loss": "{:.4f}", "accuracy": "{:.2%}", "val_loss": "{:.4f}", "val_accuracy": "{:.2%}", "lr": "{:.3g}",
    "seconds": "{:.2f}",
}  # fmt: skip


class History:
    """What happened in training, one entry per epoch. Prints as a table.

    Attributes
    ----------
    loss, accuracy : list of float
        Means over the epoch's batches, each measured before its step. `accuracy` is empty where targets are no classes.
    val_loss, val_accuracy : list of float
        On the validation data after the epoch; empty without them.
    lr : list of float
        The learning rate of the epoch's last step, that of the first group of parameters.
    seconds : list of float
    best_epoch : int or None
        The epoch, from 1 on, after which what `fit` watches was best: the validation loss, or what `early_stopping`
        names; None where there is neither.
    interrupted : bool
        Whether Ctrl-C ended the training.
    diagnostics : Diagnostics or None
        What was measured of the layers, where `fit` was told to.
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.accuracy: list[float] = []
        self.val_loss: list[float] = []
        self.val_accuracy: list[float] = []
        self.lr: list[float] = []
        self.seconds: list[float] = []
        self.best_epoch: int | None = None
        self.interrupted = False
        self.diagnostics: Diagnostics | None = None

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return len(self.loss)

    def __len__(self) -> int:
        return self.epochs

    def add(self, trained: Evaluation, validated: Evaluation | None, lr: float | None, seconds: float) -> None:
        """Note an epoch. What was not measured is None."""
        values: dict[str, Any] = {"loss": trained.loss, "accuracy": trained.accuracy, "lr": lr, "seconds": seconds}
        if validated is not None:
            values |= {"val_loss": validated.loss, "val_accuracy": validated.accuracy}
        for name, value in values.items():
            if value is not None:
                getattr(self, name).append(value)

    def plot(self) -> Any:
        """The picture that `viz.history` makes of it; ``import viz`` first, which knows how pictures are made."""
        viz = sys.modules.get("viz")
        if viz is None:
            raise ImportError("plot: pictures are made by viz: import viz, then viz.history(history) or this")
        return viz.history(self)

    def state_dict(self) -> dict[str, Any]:
        """The lists by their names, and the best epoch."""
        return {name: list(getattr(self, name)) for name in _SERIES} | {"best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        for name in _SERIES:
            setattr(self, name, list(state_dict[name]))
        self.best_epoch = state_dict["best_epoch"]

    def __str__(self) -> str:
        columns = [("epoch", [str(i + 1) for i in range(self.epochs)])]
        columns += [
            (name.replace("_", " "), [text.format(v) for v in values])
            for name, text in _SERIES.items()
            if (values := getattr(self, name)) and (name != "lr" or len(set(values)) > 1)
        ]
        widths = [max(len(name), *map(len, cells), 0) for name, cells in columns]
        lines = ["  ".join(name.rjust(w) for (name, _), w in zip(columns, widths, strict=True))]
        lines += [
            "  ".join(cells[i].rjust(w) for (_, cells), w in zip(columns, widths, strict=True))
            for i in range(self.epochs)
        ]
        lines += [] if self.diagnostics is None else self.diagnostics.warnings
        return "\n".join(lines)

    __repr__ = __str__
