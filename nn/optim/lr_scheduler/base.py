"""What all schedules share: the epoch, the step, saving and loading."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..optimizer import Optimizer

__all__ = ["FactorLR", "LRScheduler", "a_count", "optimizer_of", "per_group"]


class LRScheduler:
    """What all schedules share. A schedule of one's own overrides `get_lr`.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int, optional
        −1 begins, at epoch 0; another one goes on after that epoch, from the ``"initial_lr"`` of the groups.

    Attributes
    ----------
    last_epoch : int
        The epoch t whose rates are set now.
    base_lrs : list of float
        The rate η₀ of each group, before any schedule changed it.

    Examples
    --------
    >>> import nn
    >>> class Halving(nn.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
    >>> scheduler = Halving(nn.SGD([nn.Parameter([1.0])], lr=0.5))
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        self.optimizer = optimizer_of(optimizer, self)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: last_epoch={last_epoch} goes on, but group {i} of the optimizer has no "
                    "'initial_lr': load the optimizer's state first"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch: float = last_epoch
        self._last_lr: list[float] = []
        self.step()

    def get_lr(self) -> list[float]:
        """The rate of each group in the epoch `last_epoch`."""
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[float]:
        """The same, whatever the rates are now."""
        return self.get_lr()

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch, or to a given one, and set its rates."""
        self._check_groups()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(self.get_lr() if epoch is None else self._get_closed_form_lr())

    def _check_groups(self) -> None:
        made, now = len(self.base_lrs), len(self.optimizer.param_groups)
        if made != now:
            raise ValueError(
                f"{type(self).__name__}: the optimizer has {now} groups of parameters, but had {made} when the "
                "schedule was made: add groups first"
            )

    def _set(self, rates: list[float]) -> None:
        self._last_lr = [float(lr) for lr in rates]
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = lr

    def _rewind(self) -> None:
        """Undo the step that the constructor took, except for the rates."""
        self.last_epoch = -1

    def _start(self) -> None:
        """Set the rates of epoch 0, whatever they are now."""
        self.step(0)

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one for each group."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimiser. Functions are not saved, objects with ``__call__`` by their attributes."""
        return {name: _saved(value) for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; load the optimiser's state as well, which has the rates.

        Raises
        ------
        KeyError
            If something is missing.
        """
        names = [name for name in vars(self) if name != "optimizer"]
        if missing := [name for name in names if name not in state_dict]:
            raise KeyError(f"the state of this {type(self).__name__} lacks {', '.join(missing)}")
        for name in names:
            setattr(self, name, _loaded(getattr(self, name), state_dict[name]))


def _saved(value: Any) -> Any:
    if isinstance(value, LRScheduler):
        return value.state_dict()
    if callable(value):
        return copy.deepcopy(getattr(value, "__dict__", None)) or None
    return [_saved(v) for v in value] if isinstance(value, list) else copy.deepcopy(value)


def _loaded(old: Any, saved: Any) -> Any:
    if isinstance(old, LRScheduler):
        old.load_state_dict(saved)
        return old
    if callable(old):
        getattr(old, "__dict__", {}).update(saved or {})
        return old
    if isinstance(old, list) and any(callable(v) or isinstance(v, LRScheduler) for v in old):
        return [_loaded(v, s) for v, s in zip(old, saved, strict=True)]
    return copy.deepcopy(saved)


class FactorLR(LRScheduler):
    """Rates floor + (η₀ − floor)·f(t), with f the `_factor`."""

    @property
    def _floor(self) -> float:
        return 0.0

    def _factor(self, t: float) -> float:
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        t, floor = self.last_epoch, self._floor
        now, before = self._factor(t), self._factor(t - 1) if t > 0 else 1.0
        rates = []
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            lr = group["lr"]
            if lr == (floor + (base - floor) * before if t > 0 else base):
                rates.append(floor + (base - floor) * now)
            elif now == before:
                rates.append(lr)
            elif before:
                rates.append(floor + (lr - floor) * now / before)
            else:
                rates.append(lr + (base - floor) * now)
        return rates

    def _get_closed_form_lr(self) -> list[float]:
        return [self._floor + (base - self._floor) * self._factor(self.last_epoch) for base in self.base_lrs]


def optimizer_of(optimizer: Any, scheduler: LRScheduler) -> Optimizer:
    """The optimiser, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(scheduler).__name__}: optimizer must be one of nn.optim, got {optimizer!r}")
    return optimizer


def per_group(optimizer: Optimizer, value: Any, name: str) -> list[Any]:
    """One value for each group of parameters: those of a list, or one for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name} has {len(value)} values, but the optimizer has {count} groups of parameters")
    return list(value)


def a_count(value: Any, name: str, least: int = 1) -> Any:
    """An integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
    return value
