"""Schedules of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, a_count, optimizer_of
from .plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Composed(LRScheduler):
    def _hold(self, schedulers: Sequence[LRScheduler], optimizer: Any) -> None:
        what = type(self).__name__
        self._schedulers = list(schedulers)
        if not self._schedulers:
            raise ValueError(f"{what}: there are no schedulers")
        for i, scheduler in enumerate(self._schedulers):
            if not isinstance(scheduler, LRScheduler) or isinstance(scheduler, ReduceLROnPlateau):
                raise TypeError(f"{what}: scheduler {i} must be one whose step needs nothing, got {scheduler!r}")
        self.optimizer = optimizer_of(self._schedulers[0].optimizer if optimizer is None else optimizer, self)
        for i, scheduler in enumerate(self._schedulers):
            if scheduler.optimizer is not self.optimizer:
                raise ValueError(f"{what}: scheduler {i} is of another optimizer")

    def _rewind(self) -> None:
        for scheduler in self._schedulers:
            scheduler._rewind()


class SequentialLR(_Composed):
    """One schedule after the other; each begins at its own epoch 0.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
    milestones : list of int
        The epochs in which the second, the third, … begins.
    last_epoch : int, optional
        Only −1, which begins; to go on, load a state.

    Examples
    --------
    >>> import nn
    >>> from nn.optim.lr_scheduler import ExponentialLR, LinearLR, SequentialLR
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> parts = [LinearLR(optimizer, start_factor=0.5, total_iters=2), ExponentialLR(optimizer, gamma=0.5)]
    >>> scheduler = SequentialLR(optimizer, parts, milestones=[2])
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ):
        self._hold(schedulers, optimizer)
        if last_epoch != -1:
            raise ValueError(f"SequentialLR: last_epoch must be -1, got {last_epoch!r}: load a state to go on")
        self._milestones = [a_count(m, "milestones: each") for m in milestones]
        if len(self._milestones) != len(self._schedulers) - 1 or sorted(set(self._milestones)) != self._milestones:
            raise ValueError(
                f"milestones must be {len(self._schedulers) - 1} rising epochs for {len(self._schedulers)} schedulers, "
                f"got {milestones!r}"
            )
        self._start()

    def _rewind(self) -> None:
        super()._rewind()
        self.last_epoch = -1

    def _start(self) -> None:
        self._rewind()
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self.step()

    def step(self) -> None:  # type: ignore[override]
        """Go on to the next epoch, and set its rates."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if self.last_epoch in self._milestones:
            scheduler._start()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Composed):
    """Several schedules at once: the factors of all are multiplied.

    Parameters
    ----------
    schedulers : sequence of LRScheduler
    optimizer : Optimizer, optional
        That of the schedulers.

    Examples
    --------
    >>> import nn
    >>> from nn.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> parts = [ConstantLR(optimizer, factor=0.5, total_iters=2), ExponentialLR(optimizer, gamma=0.5)]
    >>> scheduler = ChainedScheduler(parts)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None):
        self._hold(schedulers, optimizer)
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    @property
    def last_epoch(self) -> float:  # type: ignore[override]
        return self._schedulers[0].last_epoch

    def _start(self) -> None:
        first, *others = self._schedulers
        first._start()
        for scheduler in others:
            scheduler._rewind()
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:  # type: ignore[override]
        """Go on to the next epoch with all schedules, and set its rates."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]
