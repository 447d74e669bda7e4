"""The schedule of a training: when it steps, and what it is told."""

from __future__ import annotations

from typing import Any

from ..optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau
from .history import History

__all__ = ["Rates", "rate_of"]


class Rates:
    """A schedule, or none, that steps after each epoch or after each step of the optimiser.

    Parameters
    ----------
    schedule : LRScheduler or None
    every : "epoch", "step" or None
        None finds out: ``"step"`` for those that are made for it.
    validated, classes : bool
        What there will be to tell one that looks at how training goes.
    """

    def __init__(self, schedule: LRScheduler | None, every: str | None, validated: bool, classes: bool):
        if every not in (None, "epoch", "step"):
            raise ValueError(f"fit: schedule_every must be 'epoch' or 'step', got {every!r}")
        if every is not None and schedule is None:
            raise ValueError("fit: schedule_every needs a schedule")
        self.schedule = schedule
        self.every = every or ("step" if _made_for_steps(schedule) else "epoch")
        self._told = ""
        if isinstance(schedule, ReduceLROnPlateau):
            if self.every == "step":
                raise ValueError("fit: ReduceLROnPlateau looks at epochs: schedule_every must be 'epoch'")
            self._told = ("val_" if validated else "") + ("loss" if schedule.mode == "min" else "accuracy")
            if schedule.mode == "max" and not classes:
                raise ValueError("fit: ReduceLROnPlateau with mode='max' needs an accuracy, but targets are no classes")

    def check(self, steps: int, resumed: bool) -> None:
        """Refuse a schedule that ends before the training does."""
        schedule = self.schedule
        if isinstance(schedule, OneCycleLR):
            left = schedule.total_steps - (0 if resumed else int(schedule.last_epoch))
            if steps > left:
                raise ValueError(f"fit: the OneCycleLR has {left} of its total_steps left, but {steps} are to be done")

    def after_step(self) -> None:
        """Go on after a step of the optimiser."""
        if self.schedule is not None and self.every == "step":
            self.schedule.step()

    def after_epoch(self, history: History) -> None:
        """Go on after an epoch, which the history has."""
        if self.schedule is not None and self.every == "epoch":
            args = [getattr(history, self._told)[-1]] if self._told else []
            self.schedule.step(*args)


def _made_for_steps(schedule: Any) -> bool:
    parts = getattr(schedule, "_schedulers", [])
    return isinstance(schedule, OneCycleLR | CyclicLR) or any(map(_made_for_steps, parts))


def rate_of(optimizer: Any) -> float | None:
    """The learning rate of the first group of an optimiser; None where there is none."""
    groups = getattr(optimizer, "param_groups", None)
    rate = groups[0].get("lr") if groups else getattr(optimizer, "lr", None)
    return None if rate is None else float(rate)
