"""Optimisers: each step gives every parameter a new array, computed from its gradient.

The old array is never written into: a graph that was recorded before a step keeps its own numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad

from ..module import Module
from ..parameter import forget_gradients

__all__ = ["SGD", "Adam", "Optimizer"]


FORMS = ("accumulate", "average", "velocity")


class Optimizer:
    """What all optimisers share: the parameters, their state (momentum), saving and loading it.

    Parameters
    ----------
    params : iterable of Tensor
        ``model.parameters()``.
    lr : float
        The learning rate; may be changed at any time (``optimizer.lr = 0.01``).
    weight_decay : float
        λ of the penalty λ/2·w², whose gradient λw is added to the gradient.

    Attributes
    ----------
    params : list of Tensor
    state : list of dict
        For each parameter the arrays that are carried from step to step.
    """

    _options: tuple[str, ...] = ("lr", "weight_decay")

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float):
        if isinstance(params, Module):
            raise TypeError(f"params: give model.parameters(), not the {type(params).__name__} itself")
        self.params = [params] if isinstance(params, Tensor) else list(params)
        if not self.params:
            raise ValueError("params: there are none to optimise")
        for i, p in enumerate(self.params):
            if not isinstance(p, Tensor):
                raise TypeError(f"params: number {i} is {type(p).__name__}, expected a Tensor or nn.Parameter")
            if not p.is_leaf:
                raise ValueError(
                    f"params: number {i} (shape {p.shape}) was made by an operation; only leaves can be trained"
                )
        if len({id(p) for p in self.params}) != len(self.params):
            raise ValueError("params: one of them is given twice")
        self.lr = _at_least_0(lr, "lr")
        self.weight_decay = _at_least_0(weight_decay, "weight_decay")
        self.state: list[dict[str, Any]] = [{} for _ in self.params]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: ``.grad`` of every parameter is None again, or 0 where it was not if told False."""
        forget_gradients(self.params, set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Called first, to compute the loss and its gradients anew; what it returns is returned.
        """
        value = None
        if closure is not None:
            if not callable(closure):
                raise TypeError(f"step: closure must be a function that returns the loss, got {closure!r}")
            with enable_grad():
                value = closure()
        for p, state in zip(self.params, self.state, strict=True):
            g = p.grad
            if g is None:
                continue
            w, g = p.data, g.data if isinstance(g, Tensor) else g
            if w.shape:
                p.rebind(self._updated(w, self._decayed(w, g), state))
            else:
                # one-element arrays, as operations on 0-d ones give scalars, which can't be written into
                w, g = w.reshape(1), g.reshape(1)
                p.rebind(self._updated(w, self._decayed(w, g), state).reshape(()))
        return value

    def _decayed(self, w: Any, g: Any) -> Any:
        if not self.weight_decay:
            return g
        decayed = w * self.weight_decay
        decayed += g
        return decayed

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        """The new array of a parameter; `state` may be written into, `w` and `g` may not."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """The options, and copies of what is carried from step to step."""
        state = [{k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in s.items()} for s in self.state]
        return {**{name: getattr(self, name) for name in self._options}, "state": state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises
        ------
        KeyError
            If an option is missing.
        ValueError
            If the number or the shapes of the parameters differ. Nothing is changed then.
        """
        missing = [name for name in (*self._options, "state") if name not in state_dict]
        if missing:
            raise KeyError(f"the state of this {type(self).__name__} lacks {', '.join(missing)}")
        states = state_dict["state"]
        if len(states) != len(self.params):
            raise ValueError(f"the state is of {len(states)} parameters, but this optimiser has {len(self.params)}")
        for i, (p, state) in enumerate(zip(self.params, states, strict=True)):
            for key, value in state.items():
                if isinstance(value, np.ndarray) and value.shape != (p.shape or (1,)):
                    raise ValueError(f"the state's {key} of parameter {i} has shape {value.shape}, expected {p.shape}")
        for name in self._options:
            setattr(self, name, state_dict[name])
        self.state = [{k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in s.items()} for s in states]

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._options)
        return f"{type(self).__name__}({len(self.params)} parameters, {options})"


class SGD(Optimizer):
    """Stochastic gradient descent, plain or with momentum.

    Parameters
    ----------
    params : iterable of Tensor
        ``model.parameters()``.
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
    (``average``), and of μ v − η g (``velocity``), with the new v.

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

    _options = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "momentum_form")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        momentum_form: str = "accumulate",
    ):
        super().__init__(params, lr, weight_decay)
        self.momentum = _at_least_0(momentum, "momentum")
        self.dampening = float(dampening)
        self.nesterov = bool(nesterov)
        self.momentum_form = momentum_form
        if momentum_form not in FORMS:
            raise ValueError(f"momentum_form must be one of {', '.join(FORMS)}, got {momentum_form!r}")
        if momentum_form == "average" and (momentum >= 1 or dampening):
            raise ValueError(
                "momentum_form='average' needs a momentum below 1 and no dampening: the gradient enters as (1 − β) g"
            )
        if nesterov and (momentum == 0 or dampening != 0):
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


class Adam(Optimizer):
    """Adam: steps of about the learning rate in each element, from running means of the gradient and its square.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float, optional
    betas : (float, float), optional
        How much of the running means m of g and v of g² is kept from step to step.
    eps : float, optional
    weight_decay : float, optional
        λ: λw is added to the gradient.
    amsgrad : bool, optional
        Divide by the largest v so far, so that steps never grow again.

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

    _options = ("lr", "betas", "eps", "weight_decay", "amsgrad")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        super().__init__(params, lr, weight_decay)
        if len(betas) != 2 or not all(0 <= b < 1 for b in betas):
            raise ValueError(f"betas must be two numbers of at least 0 and below 1, got {betas!r}")
        self.betas = (float(betas[0]), float(betas[1]))
        self.eps = _at_least_0(eps, "eps")
        self.amsgrad = bool(amsgrad)

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        # the squares of float16 would over- or underflow, and ε with them
        g = g.astype(np.result_type(g, np.float32), copy=False)
        if not state:
            state.update(step=0, m=np.zeros_like(g), v=np.zeros_like(g))
        state["step"] += 1
        t, m, v = state["step"], state["m"], state["v"]
        beta1, beta2 = self.betas
        new = g * (1 - beta1)
        m *= beta1
        m += new
        np.multiply(g, g, out=new)
        new *= 1 - beta2
        v *= beta2
        v += new
        if self.amsgrad:
            largest = state.setdefault("max_v", np.zeros_like(g))
            v = np.maximum(largest, v, out=largest)
        np.sqrt(v, out=new)
        new *= 1 / math.sqrt(1 - beta2**t)
        new += self.eps
        np.divide(m, new, out=new)
        new *= -self.lr / (1 - beta1**t)
        new += w
        return new.astype(w.dtype, copy=False)


def _at_least_0(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a number of at least 0, got {value!r}")
    return float(value)
