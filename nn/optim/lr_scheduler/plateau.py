"""The schedule that looks at how training goes."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from ..options import at_least_0
from .base import LRScheduler, a_count, optimizer_of, per_group

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """η · factor whenever a number has not become better for more than `patience` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    mode : "min" or "max", optional
        Whether a smaller number is better, or a larger one.
    factor : float below 1, optional
    patience : int, optional
    threshold : float, optional
        By how much a number must be better to count.
    threshold_mode : "rel" or "abs", optional
        Whether `threshold` is a part of the best number, or a number itself.
    cooldown : int, optional
        How many epochs after a reduction are not counted.
    min_lr : float, or a list with one for each group, optional
    eps : float, optional
        A reduction by no more than this is left out.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> scheduler = nn.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.5, 2.5]:
    ...     scheduler.step(loss)
    >>> optimizer.lr
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ):
        self.optimizer = optimizer_of(optimizer, self)
        if at_least_0(factor, "factor") >= 1:
            raise ValueError(f"factor must be below 1, got {factor!r}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be one of min, max, got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode must be one of rel, abs, got {threshold_mode!r}")
        self.mode, self.factor, self.threshold_mode = mode, factor, threshold_mode
        self.patience, self.cooldown = a_count(patience, "patience", 0), a_count(cooldown, "cooldown", 0)
        self.threshold, self.eps = at_least_0(threshold, "threshold"), at_least_0(eps, "eps")
        self.min_lrs = [at_least_0(lr, "min_lr") for lr in per_group(optimizer, min_lr, "min_lr")]
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Note the number of an epoch, and lower the rates if it is time.

        Parameters
        ----------
        metrics : float, or a Tensor of one number
            The validation loss, say; NaN is never better.
        epoch : int, optional
        """
        value = float(metrics.item() if hasattr(metrics, "item") else metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        rates = [group["lr"] for group in self.optimizer.param_groups]
        least = per_group(self.optimizer, self.min_lrs, "min_lr")
        if self.num_bad_epochs > self.patience:
            lower = [max(lr * self.factor, low) for lr, low in zip(rates, least, strict=True)]
            rates = [new if lr - new > self.eps else lr for lr, new in zip(rates, lower, strict=True)]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(rates)

    def _better(self, value: float) -> bool:
        down = self.mode == "min"
        if self.threshold_mode == "rel":
            bound = self.best * (1 - self.threshold if down else 1 + self.threshold)
        else:
            bound = self.best - self.threshold if down else self.best + self.threshold
        return value < bound if down else value > bound
