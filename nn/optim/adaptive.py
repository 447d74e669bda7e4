"""Descent with a step size for each element, from the size or the sign of its gradients."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .optimizer import Optimizer, carried

__all__ = ["Adadelta", "Adagrad", "RMSprop", "Rprop"]


class RMSprop(Optimizer):
    """The gradient, divided by the root of the running mean of its square.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr : float, optional
    alpha : float, optional
        α, how much of the mean v of g² is kept from step to step.
    eps : float, optional
    weight_decay : float, optional
        λ: λw is added to the gradient g.
    momentum : float, optional
        μ, how much of the last step b is kept.
    centered : bool, optional
        Divide by the deviation of g: v less the square of the mean m of g stands for v.
    maximize : bool, optional
        Go up instead of down: −g stands for g.

    Notes
    -----
    v ← α v + (1 − α) g² and w ← w − η g / (√v + ε); with momentum, b ← μ b + g / (√v + ε) and w ← w − η b. From
    lecture 6 of G. Hinton, "Neural networks for machine learning" (2012); `centered` from A. Graves, "Generating
    sequences with recurrent neural networks" (2013).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.optim.RMSprop([w], lr=0.01).step()
    >>> w.data.round(6)
    array([ 0.9, -1.9])
    """

    _symbols: ClassVar = {"v": "square_avg", "m": "grad_avg", "b": "momentum_buffer"}

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params, lr, weight_decay, alpha=alpha, eps=eps, momentum=momentum, centered=centered, maximize=maximize
        )

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        alpha = self.alpha
        (v,) = carried(state, g, "v")
        v[...] = alpha * v + (1 - alpha) * g * g
        if self.centered:
            (m,) = carried(state, g, "m")
            m[...] = alpha * m + (1 - alpha) * g
            v = np.maximum(v - m * m, 0)  # below 0 by rounding only
        step = g / (np.sqrt(v) + self.eps)
        if self.momentum:
            (b,) = carried(state, g, "b")
            b[...] = self.momentum * b + step
            step = b
        return w - self.lr * step


class Adagrad(Optimizer):
    """The gradient, divided by the root of the sum of all its squares so far.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr : float, optional
    lr_decay : float, optional
        δ, by which the learning rate falls from step to step.
    weight_decay : float, optional
        λ: λw is added to the gradient g.
    initial_accumulator_value : float, optional
        Where the sum s starts.
    eps : float, optional
    maximize : bool, optional
        Go up instead of down: −g stands for g.

    Notes
    -----
    s ← s + g² and w ← w − η / (1 + (t − 1) δ) · g / (√s + ε) in step t. From J. Duchi et al., "Adaptive subgradient
    methods for online learning and stochastic optimization" (2011).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.optim.Adagrad([w], lr=0.1).step()
    >>> w.data.round(6)
    array([ 0.9, -1.9])
    """

    _symbols: ClassVar = {"s": "sum"}

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params, lr, weight_decay, lr_decay=lr_decay, initial_accumulator_value=initial_accumulator_value, eps=eps,
            maximize=maximize,
        )  # fmt: skip

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        if "s" not in state:
            state["s"] = np.full_like(g, self.initial_accumulator_value)
        s = state["s"]
        s += g * g
        lr = self.lr / (1 + (state["step"] - 1) * self.lr_decay)
        return w - lr * g / (np.sqrt(s) + self.eps)


class Adadelta(Optimizer):
    """Steps of the size of former steps, in the ratio of this gradient to former gradients.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr : float, optional
    rho : float, optional
        ρ, how much of the means v of g² and u of Δ² is kept from step to step.
    eps : float, optional
    weight_decay : float, optional
        λ: λw is added to the gradient g.
    maximize : bool, optional
        Go up instead of down: −g stands for g.

    Notes
    -----
    v ← ρ v + (1 − ρ) g², Δ = √(u + ε) / √(v + ε) · g, u ← ρ u + (1 − ρ) Δ² and w ← w − η Δ. From M. Zeiler, "ADADELTA:
    an adaptive learning rate method" (2012).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.optim.Adadelta([w]).step()
    >>> w.data.round(6)
    array([ 0.996838, -1.996838])
    """

    _symbols: ClassVar = {"v": "square_avg", "u": "acc_delta"}

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, weight_decay, rho=rho, eps=eps, maximize=maximize)

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        rho, eps = self.rho, self.eps
        v, u = carried(state, g, "v", "u")
        v[...] = rho * v + (1 - rho) * g * g
        delta = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u[...] = rho * u + (1 - rho) * delta * delta
        return w - self.lr * delta


class Rprop(Optimizer):
    """Resilient backpropagation: only signs of gradients count, and a step size for each element.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr : float, optional
        The first step size.
    etas : (float, float), optional
        η⁻ and η⁺, by which a step size shrinks when the sign of the gradient changed, and grows when it did not.
    step_sizes : (float, float), optional
        The smallest and the largest step size.
    maximize : bool, optional
        Go up instead of down: −g stands for g.

    Notes
    -----
    The step size s is multiplied by η⁺ where g has the sign of the last g, by η⁻ where it has the other one, and there
    this g counts as 0; then w ← w − sign(g) s. It is meant for gradients of all data, not of batches. From M.
    Riedmiller and H. Braun, "A direct adaptive method for faster backpropagation learning" (1993).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.optim.Rprop([w], lr=0.1).step()
    >>> w.data
    array([ 0.9, -1.9])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, None, etas=etas, step_sizes=step_sizes, maximize=maximize)

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        (prev,) = carried(state, g, "prev")
        size = state.get("step_size", np.full_like(g, self.lr))
        agrees = np.sign(g) * np.sign(prev)
        shrink, grow = self.etas
        factor = np.where(agrees > 0, grow, np.where(agrees < 0, shrink, 1))
        state["step_size"] = size = np.clip(size * factor, *self.step_sizes).astype(g.dtype, copy=False)
        state["prev"] = g = np.where(agrees < 0, 0, g)
        return w - np.sign(g) * size
