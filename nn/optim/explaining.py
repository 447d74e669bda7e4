"""What a step of an optimiser will do: its own rule, run on arrays that note what is computed of what."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad

from .notes import Held, Noted, Number, numeral, printed

__all__ = ["Change", "Explanation", "explained"]

_SYMBOLS = {
    "lr": "η", "momentum": "μ", "dampening": "τ", "weight_decay": "λ", "betas": ("β₁", "β₂"), "eps": "ε", "alpha": "α",
    "rho": "ρ", "lr_decay": "δ", "momentum_decay": "ψ", "lambd": "Λ", "t0": "t₀", "etas": ("η⁻", "η⁺"),
    "step_sizes": ("s_min", "s_max"), "initial_accumulator_value": "s₀",
}  # fmt: skip


class Change:
    """What a step does to one parameter.

    Attributes
    ----------
    name : str
        That of the parameter, or its number.
    old, gradient, new : array
    lr : float
    index : tuple of int
        The entry whose numbers are printed.
    equations : tuple of str
        The lines of the rule: states first, the new W last.
    numbers : tuple of str
        The same lines with the numbers of that entry.
    """

    def __init__(self, name: str, old: Any, gradient: Any, new: Any, lr: float, index: tuple[int, ...], lines: Any):
        self.name, self.old, self.gradient, self.new, self.lr, self.index = name, old, gradient, new, lr, index
        self.equations = tuple(f"{target} {printed(one.note, known)}" for target, one, known in lines)
        self.numbers = tuple(_in_numbers(target, one, known, index) for target, one, known in lines)


class Explanation:
    """What `Optimizer.explain` returns; prints as text.

    Attributes
    ----------
    changes : list of Change
        One for each parameter that has a gradient.
    predicted : float
        The decrease of the loss to first order, −⟨∇, ΔW⟩: η‖∇‖² for plain descent.
    real : float or None
        What the loss fell by, where a closure was given.
    """

    def __init__(self, rule: str, changes: list[Change], real: float | None):
        self.rule, self.changes, self.real = rule, changes, real
        self.predicted = -sum(float(np.sum(np.multiply(c.gradient, c.new - c.old, dtype=float))) for c in changes)

    def __str__(self) -> str:
        lines, last = [f"A step of {self.rule}"], None
        for c in self.changes:
            if c.equations != last:
                lines += ["", *(f"  {line}" for line in c.equations)]
                last = c.equations
            entry = f"[{', '.join(map(str, c.index))}]" if c.index else ""
            old, gradient, new = (numeral(a[c.index]) for a in (c.old, c.gradient, c.new))
            lines += ["", f"{c.name}{entry}: old {old}, gradient {gradient}, η {numeral(c.lr)}, new {new}"]
            lines += [f"  {line}" for line in c.numbers]
        lines += ["", f"predicted decrease −⟨∇, ΔW⟩ = {self.predicted:.6g}"]
        if self.real is not None:
            ratio = f", {self.real / self.predicted:.3f} of it" if self.predicted else ""
            lines.append(f"real decrease {self.real:.6g}{ratio}")
        return "\n".join(lines)

    __repr__ = __str__


def explained(optimizer: Any, closure: Callable[[], Any] | None, index: Mapping[Any, Any] | None) -> Explanation:
    """See `Optimizer.explain`."""
    if closure is not None and not callable(closure):
        raise TypeError(f"explain: closure must be a function that returns the loss, got {closure!r}")
    params = optimizer.params
    olds, grads = [p.data for p in params], [p.grad for p in params]
    moved = False
    try:
        before = None if closure is None else _loss(closure)
        # without any, those of the closure's own backward()
        found = [p.grad for p in params] if all(g is None for g in grads) else grads
        if all(g is None for g in found):
            raise ValueError("explain: no parameter has a gradient yet; call loss.backward() first")
        changes = _changes(optimizer, olds, found, index or {})
        real = None
        if closure is not None and before is not None:
            moved = True
            for p, new in changes:
                p.rebind(new.new)
            real = before - _loss(closure)
    finally:
        for p, old, grad in zip(params, olds, grads, strict=True):
            if moved:
                p.rebind(old)
            if p.grad is not grad:
                p.grad = grad
    return Explanation(type(optimizer).__name__, [change for _, change in changes], real)


def _loss(closure: Callable[[], Any]) -> float:
    with enable_grad():
        value = closure()
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"explain: closure must return the loss, got {type(value).__name__}")
    return float(number)


def _changes(optimizer: Any, olds: Any, grads: Any, chosen: Mapping[Any, Any]) -> list[tuple[Any, Change]]:
    found, k = [], -1
    groups = optimizer.param_groups
    names = [name for group in groups for name in group.get("param_names") or [""] * len(group["params"])]
    for unknown in [key for key in chosen if key not in names and key not in range(len(names))]:
        raise KeyError(f"explain: index has {unknown!r}, which is no parameter: give its name or its number")
    for group in groups:
        options = {name: _named(name, value, group) for name, value in group.items()}
        for p in group["params"]:
            k += 1
            g = grads[k]
            if g is None:
                continue
            g = g.data if isinstance(g, Tensor) else np.asarray(g)
            name = names[k] or p.name or f"parameter {k}"
            index = _index(chosen.get(names[k], chosen.get(k)), g, name)
            found.append((p, _change(optimizer, p, olds[k], g, k, name, options, index)))
    return found


def _change(optimizer: Any, p: Any, w: Any, g: Any, k: int, name: str, options: Any, index: Any) -> Change:
    shape = w.shape or (1,)
    state = Held({})
    for key, value in optimizer.state[k].items():
        state.start(key, np.reshape(value, shape).copy() if isinstance(value, np.ndarray) else value)
    optimizer._take(options)
    try:
        old, slope = Noted(w.reshape(shape), "W"), Noted(g.reshape(shape), "∂J/∂W")
        new = optimizer._stepped(old, slope, state, options)
    finally:
        optimizer._take(None)
    new = new if isinstance(new, Noted) else Noted(np.asarray(new), "W")
    lines, later = [], []
    known: dict[int, str] = {}
    for key, one in state.items():
        if key != "step" and isinstance(one, Noted | Number) and one.note[0] != "leaf":
            symbol = f"{state.symbol(key)}ₜ"
            if _holds(one.note, new.note):
                later.append((f"{symbol} =", one))
            else:
                lines.append((f"{symbol} =", one, dict(known)))
                known[id(one.note)] = symbol
    lines.append(("W ←", new, dict(known)))
    known[id(new.note)] = "W"
    lines += [(target, one, dict(known)) for target, one in later]
    result = new.value.reshape(w.shape).astype(p.dtype, copy=False)
    return Change(name, w, g, result, float(options["lr"]), index, lines)


def _holds(note: Any, sought: Any) -> bool:
    return note is sought or any(_holds(part, sought) for part in note[1:] if isinstance(part, tuple))


def _named(name: str, value: Any, group: Mapping[str, Any]) -> Any:
    symbol: Any = _SYMBOLS.get(name, name)
    if name == "momentum" and group.get("momentum_form") == "average":
        symbol = "β"
    if isinstance(value, tuple):
        return tuple(Number(v, s) for v, s in zip(value, symbol, strict=True))
    return Number(value, symbol) if isinstance(value, float) else value


def _index(given: Any, g: Any, name: str) -> tuple[int, ...]:
    if given is None:
        size = np.where(np.isnan(g), math.inf, np.abs(g))
        return tuple(int(i) for i in np.unravel_index(int(np.argmax(size)), g.shape)) if g.size else ()
    index = tuple(np.atleast_1d(given).tolist())
    if len(index) != g.ndim or not all(-n <= i < n for i, n in zip(index, g.shape, strict=True)):
        raise IndexError(f"explain: {name} of shape {g.shape} has no entry {given!r}")
    return index


def _in_numbers(target: str, one: Any, known: Mapping[int, str], index: tuple[int, ...]) -> str:
    right, result = printed(one.note, known, index or (0,)), numeral(_at(one, index))
    return f"{target} {right}" if right == result else f"{target} {right} = {result}"


def _at(one: Any, index: tuple[int, ...]) -> float:
    return float(one) if isinstance(one, Number) else float(one.value[index or (0,)])
