"""Adam and its kin: steps of about the learning rate in each element, from running means of the gradient."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .notes import root
from .optimizer import Optimizer, carried

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


class Adam(Optimizer):
    """Adam: steps of about the learning rate in each element, from running means of the gradient and its square.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr : float, optional
    betas : (float, float), optional
        How much of the running means m of g and v of g² is kept from step to step.
    eps : float, optional
    weight_decay : float, optional
        λ: λw is added to the gradient.
    amsgrad : bool, optional
        Divide by the largest v so far, so that steps never grow again.
    maximize : bool, optional
        Go up instead of down: −g stands for g.
    decoupled_weight_decay : bool, optional
        As `AdamW` does it: w ← (1 − ηλ) w before the step, and nothing is added to the gradient.

    Notes
    -----
    w ← w − η m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) in step t. From D. Kingma and J. Ba, "Adam: a
    method for stochastic optimization" (2015); `amsgrad`, with max v for v, from S. Reddi et al., "On the convergence
    of Adam and beyond" (2018). The means of a float16 parameter are float32: g² would over- or underflow.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(6)
    array([ 0.9, -1.9])
    """

    _symbols: ClassVar = {"m": "exp_avg", "v": "exp_avg_sq", "max_v": "max_exp_avg_sq"}

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ):
        super().__init__(
            params, lr, weight_decay, betas=betas, eps=eps, amsgrad=amsgrad, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        t, (beta1, beta2) = state["step"], self.betas
        m, v, new = _means(g, state, self.betas)
        if self.amsgrad:
            (largest,) = carried(state, g, "max_v")
            v = np.maximum(largest, v, out=largest)
        np.sqrt(v, out=new)
        new *= 1 / root(1 - beta2**t)
        new += self.eps
        np.divide(m, new, out=new)
        new *= -self.lr / (1 - beta1**t)
        new += w
        return new


def _means(g: Any, state: dict[str, Any], betas: tuple[float, float]) -> tuple[Any, Any, Any]:
    """m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², and an array to compute in."""
    m, v = carried(state, g, "m", "v")
    new = g * (1 - betas[0])
    m *= betas[0]
    m += new
    np.multiply(g, g, out=new)
    new *= 1 - betas[1]
    v *= betas[1]
    v += new
    return m, v, new


class AdamW(Adam):
    """Adam whose weight decay is apart from the gradient, and thus the same for all elements.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr, betas, eps, amsgrad, maximize
        As for `Adam`.
    weight_decay : float, optional
        λ: w ← (1 − ηλ) w before each step.

    Notes
    -----
    w ← (1 − ηλ) w − η m̂ / (√v̂ + ε), with m̂ and v̂ of `Adam`. From I. Loshchilov and F. Hutter, "Decoupled weight decay
    regularization" (2019).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(6)
    array([ 0.85, -1.8 ])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)


class Adamax(Optimizer):
    """Adam with the largest gradient, slowly forgotten, in place of the mean of its square.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr : float, optional
    betas : (float, float), optional
        How much of the mean m of g, and of the largest |g|, u, is kept from step to step.
    eps : float, optional
    weight_decay : float, optional
        λ: λw is added to the gradient.
    maximize : bool, optional
        Go up instead of down: −g stands for g.

    Notes
    -----
    u ← max(β₂ u, |g| + ε) and w ← w − η m̂ / u, with m̂ of `Adam`. From section 7.1 of D. Kingma and J. Ba, "Adam: a
    method for stochastic optimization" (2015).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.optim.Adamax([w], lr=0.1).step()
    >>> w.data.round(6)
    array([ 0.9, -1.9])
    """

    _symbols: ClassVar = {"m": "exp_avg", "u": "exp_inf"}

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, weight_decay, betas=betas, eps=eps, maximize=maximize)

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        t, (beta1, beta2) = state["step"], self.betas
        m, u = carried(state, g, "m", "u")
        m[...] = beta1 * m + (1 - beta1) * g
        u[...] = np.maximum(beta2 * u, np.abs(g) + self.eps)
        return w - self.lr / (1 - beta1**t) * m / u


class NAdam(Optimizer):
    """Adam that looks ahead along its mean of gradients, as Nesterov's momentum does.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr, betas, eps, weight_decay, maximize, decoupled_weight_decay
        As for `Adam`.
    momentum_decay : float, optional
        ψ, which decides how fast the momentum μ grows to β₁.

    Notes
    -----
    With m and v̂ of `Adam`, μₜ = β₁ (1 − ½ · 0.96^(tψ)) and Πₜ = μ₁ … μₜ, the step is w ← w − η m̄ / (√v̂ + ε) with
    m̄ = (1 − μₜ) g / (1 − Πₜ) + μₜ₊₁ m / (1 − Πₜ₊₁). From T. Dozat, "Incorporating Nesterov momentum into Adam" (2016).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.optim.NAdam([w], lr=0.1).step()
    >>> w.data.round(4)
    array([ 0.8944, -1.8944])
    """

    _symbols: ClassVar = {"m": "exp_avg", "v": "exp_avg_sq"}

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params, lr, weight_decay, betas=betas, eps=eps, momentum_decay=momentum_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        t, (beta1, beta2) = state["step"], self.betas
        m, v, _ = _means(g, state, self.betas)
        now, ahead = (beta1 * (1 - 0.5 * 0.96 ** (i * self.momentum_decay)) for i in (t, t + 1))
        product = state["mu_product"] = state.get("mu_product", 1.0) * now
        mean = (1 - now) / (1 - product) * g + ahead / (1 - product * ahead) * m
        return w - self.lr * mean / (np.sqrt(v / (1 - beta2**t)) + self.eps)


class RAdam(Optimizer):
    """Adam that divides by √v̂ only once enough gradients were seen for v̂ to be reliable.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
    lr, betas, eps, weight_decay, maximize, decoupled_weight_decay
        As for `Adam`.

    Notes
    -----
    With m̂ and v̂ of `Adam`, ρ∞ = 2/(1 − β₂) − 1 and ρ = ρ∞ − 2t β₂ᵗ/(1 − β₂ᵗ) in step t: w ← w − η m̂ while ρ ≤ 5, then
    w ← w − η r m̂ / (√v̂ + ε/√(1 − β₂ᵗ)) with r² = (ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ). From L. Liu et al., "On the
    variance of the adaptive learning rate and beyond" (2020).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.optim.RAdam([w], lr=0.1).step()
    >>> w.data.round(6)
    array([ 0.8, -1.6])
    """

    _symbols: ClassVar = {"m": "exp_avg", "v": "exp_avg_sq"}

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params, lr, weight_decay, betas=betas, eps=eps, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        t, (beta1, beta2) = state["step"], self.betas
        m, v, _ = _means(g, state, self.betas)
        left = 1 - beta2**t
        limit = 2 / (1 - beta2) - 1
        rho = limit - 2 * t * beta2**t / left
        step = self.lr / (1 - beta1**t) * m
        if rho <= 5:
            return w - step
        r = root((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
        return w - step * (r * root(left)) / (np.sqrt(v) + self.eps)
