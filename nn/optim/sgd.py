"""Descent with one learning rate for all elements: plain, with momentum, averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .optimizer import Optimizer

__all__ = ["ASGD", "SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, plain or with momentum.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        ``model.parameters()``, or groups with options of their own; see `Optimizer`.
    lr : float, optional
        The learning rate η.
    momentum : float, optional
        μ (or β), how much of the velocity v is kept from step to step.
    dampening : float, optional
        τ: the gradient enters v as (1 − τ)·g.
    weight_decay : float, optional
        λ: λw is added to the gradient g.
    nesterov : bool, optional
        Look ahead along v (Nesterov's momentum).
    maximize : bool, optional
        Go up instead of down: −g stands for g.
    momentum_form : "accumulate", "average" or "velocity", optional
        Which textbook's momentum; see below.

    Notes
    -----
    Without momentum, w ← w − η g. With momentum, v starts at 0 and is

    ================  ===========================  =====================  ==================================
    `momentum_form`   v ←                          w ←                    as in
    ================  ===========================  =====================  ==================================
    ``accumulate``    μ v + (1 − τ) g              w − η v                PyTorch (its first v is g itself)
    ``average``       β v + (1 − β) g              w − η v                A. Ng, an exponentially weighted mean
    ``velocity``      μ v − η (1 − τ) g            w + v                  Sutskever et al. 2013, CS231n
    ================  ===========================  =====================  ==================================

    While η stays the same, ``velocity`` takes the steps of ``accumulate``, and ``average`` with the learning rate
    η/(1 − β) does as well. With `nesterov` the step is that of μ v + g (``accumulate``), of β v + (1 − β) g
    (``average``), and of μ v − η g (``velocity``), with the new v. PyTorch's `state_dict` is that of ``accumulate``.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.SGD([w], lr=0.1)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> w.data
    array([ 0.512, -1.024])
    """

    _symbols: ClassVar = {"v": "momentum_buffer"}
    _counts = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        momentum_form: str = "accumulate",
    ):
        super().__init__(
            params, lr, weight_decay, momentum=momentum, dampening=dampening, nesterov=nesterov, maximize=maximize,
            momentum_form=momentum_form,
        )  # fmt: skip

    def _check(self, options: Mapping[str, Any]) -> None:
        momentum, dampening = options["momentum"], options["dampening"]
        if options["momentum_form"] == "average" and (momentum >= 1 or dampening):
            raise ValueError(
                "momentum_form='average' needs a momentum below 1 and no dampening: the gradient enters as (1 − β) g"
            )
        if options["nesterov"] and (momentum == 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        momentum, form = self.momentum, self.momentum_form
        if not momentum:
            new = g * -self.lr
            new += w
            return new
        scale = 1 - momentum if form == "average" else 1 - self.dampening
        if form == "velocity":
            scale *= -self.lr
        v = state.get("v")
        if v is None:
            first = 1.0 if form == "accumulate" else scale
            v = state["v"] = g * first
        else:
            v *= momentum
            v += g if scale == 1 else g * scale
        if self.nesterov:
            step = v * momentum
            step += g * scale
        elif form == "velocity":
            return w + v
        else:
            step = v * -self.lr
            step += w
            return step
        if form != "velocity":
            step *= -self.lr
        step += w
        return step


class ASGD(Optimizer):
    """Averaged stochastic gradient descent: beside the parameters the mean of where they have been.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr : float, optional
    lambd : float, optional
        λ, by which the parameters shrink and the learning rate falls.
    alpha : float, optional
        The power of the learning rate's fall.
    t0 : float, optional
        The step in which the averaging begins.
    weight_decay : float, optional
        Times w, it is added to the gradient g.
    maximize : bool, optional
        Go up instead of down: −g stands for g.

    Notes
    -----
    In step t, with η₁ = lr and μ₁ = 1: w ← (1 − λ ηₜ) w − ηₜ g, and the mean ax ← ax + μₜ (w − ax), which is in
    ``state``; then ηₜ₊₁ = lr / (1 + λ lr t)^alpha and μₜ₊₁ = 1 / max(1, t − t0). From B. Polyak and A. Juditsky,
    "Acceleration of stochastic approximation by averaging" (1992).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.optim.ASGD([w], lr=0.1, t0=0)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> w.data.round(3)
    array([ 0.64, -1.28])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, weight_decay, lambd=lambd, alpha=alpha, t0=t0, maximize=maximize)

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        t, eta, mu = state["step"], state.get("eta", self.lr), state.get("mu", 1.0)
        new = w * (1 - self.lambd * eta) - eta * g
        ax = state.get("ax")
        state["ax"] = new.copy() if mu == 1 or ax is None else ax + mu * (new - ax)
        state["eta"] = self.lr / (1 + self.lambd * self.lr * t) ** self.alpha
        state["mu"] = 1 / max(1, t - self.t0)
        return new
