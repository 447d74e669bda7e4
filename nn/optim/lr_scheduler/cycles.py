"""Schedules that go up and down: cosines, cycles of rate and momentum."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...errors import fraction
from ..optimizer import Optimizer
from ..options import at_least_0, number
from .base import FactorLR, LRScheduler, a_count, optimizer_of, per_group

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


def _cosine(start: float, end: float, part: float) -> float:
    """From `start` to `end` along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


def _line(start: float, end: float, part: float) -> float:
    return start + (end - start) * part


class CosineAnnealingLR(FactorLR):
    """η_min + ½ (η₀ − η_min) (1 + cos(π t / T_max)).

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        The epochs of half a wave; after them the rate rises again.
    eta_min : float, optional
    last_epoch : int, optional

    Notes
    -----
    From I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), without restarts.

    Examples
    --------
    >>> import nn
    >>> scheduler = nn.optim.lr_scheduler.CosineAnnealingLR(nn.SGD([nn.Parameter([1.0])], lr=1.0), T_max=2)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1):
        self.T_max = a_count(T_max, "T_max")
        self.eta_min = number(eta_min, "eta_min")
        super().__init__(optimizer, last_epoch)

    @property
    def _floor(self) -> float:
        return self.eta_min

    def _factor(self, t: float) -> float:
        return _cosine(1.0, 0.0, t / self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """η_min + ½ (η₀ − η_min) (1 + cos(π T_cur / T_i)), from the start again after T_i epochs.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        The first T_i.
    T_mult : int, optional
        How many times as long each next one is.
    eta_min : float, optional
    last_epoch : int, optional

    Notes
    -----
    T_cur are the epochs since the last restart; ``step(epoch)`` takes parts of an epoch as well, for a step after each
    batch. From I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> scheduler = nn.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [1.0, 0.5, 1.0, 0.5]
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1):
        self.T_0 = self.T_i = a_count(T_0, "T_0")
        self.T_mult = a_count(T_mult, "T_mult")
        self.eta_min = number(eta_min, "eta_min")
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to a given one, which may be a part of one, and set its rates."""
        self._check_groups()
        if epoch is None:
            epoch = self.last_epoch + 1
        self.T_cur, self.T_i = at_least_0(epoch, "epoch"), self.T_0
        if self.T_mult == 1:
            self.T_cur %= self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def get_lr(self) -> list[float]:
        return [_cosine(base, self.eta_min, self.T_cur / self.T_i) for base in self.base_lrs]


class _MomentumLR(LRScheduler):
    """A schedule which may move the momentum, or β₁, against the rate."""

    cycle_momentum: bool

    def _begin(self, base: Any, largest: Any, last_epoch: int) -> None:
        """Give every group the bounds of its momentum, and the largest one."""
        if not self.cycle_momentum:
            return
        options = self.optimizer.defaults
        if "momentum" not in options and "betas" not in options:
            raise ValueError(
                f"{type(self).__name__}: cycle_momentum needs an optimizer with momentum or betas; "
                f"give cycle_momentum=False for {type(self.optimizer).__name__}"
            )
        bounds = zip(
            self.optimizer.param_groups,
            per_group(self.optimizer, base, "base_momentum"),
            per_group(self.optimizer, largest, "max_momentum"),
            strict=True,
        )
        for group, low, high in bounds if last_epoch == -1 else ():
            group["base_momentum"] = fraction(low, "base_momentum")
            group["max_momentum"] = fraction(high, "max_momentum")
            _set_momentum(group, group["max_momentum"])


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class CyclicLR(_MomentumLR):
    """From `base_lr` up to `max_lr` and down again, again and again; the momentum the other way round.

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float, or a list with one for each group
    step_size_up, step_size_down : int, optional
        The steps of the way up, and of the way down, as many unless told.
    mode : "triangular", "triangular2" or "exp_range", optional
        The height of each cycle: the same, half of that before, or γᵗ.
    gamma : float, optional
        γ of "exp_range".
    scale_fn : function, optional
        The height relative to ``max_lr - base_lr``, instead of `mode`: of the number of the cycle, from 1, or of t.
    scale_mode : "cycle" or "iterations", optional
        What `scale_fn` is a function of.
    cycle_momentum : bool, optional
    base_momentum, max_momentum : float, or a list with one for each group, optional
        The momentum at `max_lr` and at `base_lr`; of Adam and its kin it is β₁.
    last_epoch : int, optional

    Notes
    -----
    Call `step` after each batch. From L. Smith, "Cyclical learning rates for training neural networks" (2017).

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0, momentum=0.9)
    >>> scheduler = nn.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.25, max_lr=0.75, step_size_up=2)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.25, 0.5, 0.75, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[Any], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ):
        self.optimizer = optimizer_of(optimizer, self)
        one_of = {"mode": (mode, "triangular triangular2 exp_range"), "scale_mode": (scale_mode, "cycle iterations")}
        for name, (value, words) in one_of.items():
            if value not in words.split() and not (name == "mode" and scale_fn is not None):
                raise ValueError(f"{name} must be one of {', '.join(words.split())}, got {value!r}")
        lowest = [at_least_0(lr, "base_lr") for lr in per_group(optimizer, base_lr, "base_lr")]
        self.max_lrs = [at_least_0(lr, "max_lr") for lr in per_group(optimizer, max_lr, "max_lr")]
        up = a_count(step_size_up, "step_size_up")
        down = up if step_size_down is None else a_count(step_size_down, "step_size_down")
        self.total_size, self.step_ratio = up + down, up / (up + down)
        self.mode, self.gamma, self.cycle_momentum = mode, number(gamma, "gamma"), bool(cycle_momentum)
        self._scale_fn, self.scale_mode = scale_fn, scale_mode
        self._begin(base_momentum, max_momentum, last_epoch)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, lowest, strict=True):
                group["lr"] = lr
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lowest
        self._set(self.get_lr())

    def _height(self, cycle: int) -> float:
        if self._scale_fn is not None:
            return self._scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.mode == "triangular2":
            return 1 / 2 ** (cycle - 1)
        return self.gamma**self.last_epoch if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        cycle, x = divmod(self.last_epoch, self.total_size)
        x /= self.total_size
        way = x / self.step_ratio if x <= self.step_ratio else (1 - x) / (1 - self.step_ratio)
        way *= self._height(int(cycle) + 1)
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            high, low = group["max_momentum"], group["base_momentum"]
            _set_momentum(group, high - (high - low) * way)
        return [low + (high - low) * way for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]


class OneCycleLR(_MomentumLR):
    """One way up to a large rate and down to next to nothing; the momentum the other way round.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or a list with one for each group
    total_steps : int, optional
        Or `epochs` times `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
    pct_start : float from 0 to 1, optional
        The part of the steps on the way up.
    anneal_strategy : "cos" or "linear", optional
    cycle_momentum : bool, optional
    base_momentum, max_momentum : float, or a list with one for each group, optional
        The momentum at `max_lr`, and at the start and the end; of Adam and its kin it is β₁.
    div_factor, final_div_factor : float, optional
        The first rate is `max_lr` / `div_factor`, the last one is the first / `final_div_factor`.
    three_phase : bool, optional
        Go down as long as up, to the first rate, and only then to the last one.
    last_epoch : int, optional

    Raises
    ------
    ValueError
        From `step`, when it is called more often than `total_steps` times.

    Notes
    -----
    Call `step` after each batch. From L. Smith and N. Topin, "Super-convergence: very fast training of neural networks
    using large learning rates" (2019).

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0, momentum=0.9)
    >>> scheduler = nn.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> [round(optimizer.lr, 6), optimizer.momentum]
    [0.04, 0.95]
    >>> scheduler.step(2)
    >>> [optimizer.lr, optimizer.momentum]
    [1.0, 0.85]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        self.optimizer = optimizer_of(optimizer, self)
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        if total_steps is None:
            total_steps = a_count(epochs, "epochs") * a_count(steps_per_epoch, "steps_per_epoch")
        self.total_steps = a_count(total_steps, "total_steps")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of cos, linear, got {anneal_strategy!r}")
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, bool(cycle_momentum)
        end = fraction(pct_start, "pct_start") * total_steps - 1
        self._knots = [(0.0, "initial_lr", "max_momentum"), (end, "max_lr", "base_momentum")]
        self._knots += [(2 * end, "initial_lr", "max_momentum")] if three_phase else []
        self._knots += [(total_steps - 1.0, "min_lr", "max_momentum")]
        first, last = at_least_0(div_factor, "div_factor"), at_least_0(final_div_factor, "final_div_factor")
        tops = [at_least_0(lr, "max_lr") for lr in per_group(optimizer, max_lr, "max_lr")]
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, tops, strict=True):
                group.update(initial_lr=top / first, max_lr=top, min_lr=top / first / last)
        self._begin(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: step {t} is after the last one, total_steps={self.total_steps}")
        i = next((i for i, knot in enumerate(self._knots[1:-1]) if t <= knot[0]), len(self._knots) - 2)
        (start, rate, momentum), (end, next_rate, next_momentum) = self._knots[i : i + 2]
        part = (t - start) / (end - start) if end != start else 1.0
        between = _cosine if self._anneal_func_type == "cos" else _line
        groups = self.optimizer.param_groups
        for group in groups if self.cycle_momentum else ():
            _set_momentum(group, between(group[momentum], group[next_momentum], part))
        return [between(group[rate], group[next_rate], part) for group in groups]
