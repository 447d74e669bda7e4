"""Schedules that multiply the rates by a factor, a function of the epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ...errors import fraction
from ..optimizer import Optimizer
from ..options import number
from .base import FactorLR, LRScheduler, a_count, per_group

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]


class StepLR(FactorLR):
    """η₀ γ^⌊t / step_size⌋: the rate falls every `step_size` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float, optional
        γ.
    last_epoch : int, optional
        −1 begins; another one goes on after that epoch.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> optimizer.lr
    0.125
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1):
        self.step_size = a_count(step_size, "step_size")
        self.gamma = number(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: float) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(FactorLR):
    """η₀ γⁿ with n the number of milestones up to t.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of int
        Epochs. One that is given twice counts twice.
    gamma : float, optional
        γ.
    last_epoch : int, optional

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1):
        self.milestones = Counter(a_count(m, "milestones: each", 0) for m in milestones)
        self.gamma = number(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: float) -> float:
        return self.gamma ** sum(count for milestone, count in self.milestones.items() if milestone <= t)


class ConstantLR(FactorLR):
    """η₀ · factor in the first `total_iters` epochs, then η₀.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float from 0 to 1, optional
    total_iters : int, optional
    last_epoch : int, optional

    Examples
    --------
    >>> import nn
    >>> scheduler = nn.optim.lr_scheduler.ConstantLR(nn.SGD([nn.Parameter([1.0])], lr=0.5), factor=0.5, total_iters=1)
    >>> scheduler.get_last_lr()
    [0.25]
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1):
        self.factor = fraction(factor, "factor")
        self.total_iters = a_count(total_iters, "total_iters", 0)
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: float) -> float:
        return self.factor if t < self.total_iters else 1.0


class LinearLR(FactorLR):
    """η₀ times a factor that goes evenly from one to another in `total_iters` epochs: a warm-up.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float from 0 to 1, optional
        `start_factor` is above 0.
    total_iters : int, optional
    last_epoch : int, optional

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.25, 0.375, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if fraction(start_factor, "start_factor") == 0:
            raise ValueError("start_factor must be above 0 and at most 1, got 0")
        self.start_factor = start_factor
        self.end_factor = fraction(end_factor, "end_factor")
        self.total_iters = a_count(total_iters, "total_iters", 0)
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: float) -> float:
        if t >= self.total_iters:
            return self.end_factor
        return self.start_factor + (self.end_factor - self.start_factor) * t / self.total_iters


class ExponentialLR(FactorLR):
    """η₀ γᵗ.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
        γ.
    last_epoch : int, optional

    Examples
    --------
    >>> import nn
    >>> scheduler = nn.optim.lr_scheduler.ExponentialLR(nn.SGD([nn.Parameter([1.0])], lr=1.0), gamma=0.5)
    >>> for _ in range(3):
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = number(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: float) -> float:
        return self.gamma**t


class PolynomialLR(FactorLR):
    """η₀ (1 − t / total_iters)^power, and 0 from there on.

    Parameters
    ----------
    optimizer : Optimizer
    total_iters : int, optional
    power : float, optional
    last_epoch : int, optional

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> scheduler = nn.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=2, power=2)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1):
        self.total_iters = a_count(total_iters, "total_iters")
        self.power = number(power, "power")
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: float) -> float:
        return (1 - min(t / self.total_iters, 1)) ** self.power


class _FunctionLR(LRScheduler):
    """A schedule by a function for each group."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | list[Callable[[int], float]], last_epoch: int
    ):
        self.lr_lambdas: list[Callable[[Any], float]] = per_group(optimizer, lr_lambda, "lr_lambda")
        for f in self.lr_lambdas:
            if not callable(f):
                raise TypeError(f"lr_lambda must be a function of the epoch, or a list of them, got {f!r}")
        super().__init__(optimizer, last_epoch)


class LambdaLR(_FunctionLR):
    """η₀ · lr_lambda(t).

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function of the epoch, or a list with one for each group
    last_epoch : int, optional

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1):
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_FunctionLR):
    """η · lr_lambda(t), with η the rate before; the first one is η₀.

    In a `SequentialLR` it goes on from the rate that it finds, which is multiplied by ``lr_lambda(0)``.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function of the epoch, or a list with one for each group
    last_epoch : int, optional

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> scheduler = nn.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> for _ in range(3):
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1):
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > 0:
            return self._get_closed_form_lr()
        return [group["lr"] for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self) -> list[float]:
        groups = self.optimizer.param_groups
        return [group["lr"] * f(self.last_epoch) for group, f in zip(groups, self.lr_lambdas, strict=True)]
