"""What all optimisers share: groups of parameters with their options, the step, saving and loading."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor, enable_grad

from ..module import Module
from ..parameter import forget_gradients
from .explaining import Explanation, explained
from .options import checked, misspelt
from .saved import groups_of, loaded, saved

__all__ = ["Optimizer", "carried"]


class Optimizer:
    """What all optimisers share: the parameters, their options, their state (momentum), saving and loading it.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        ``model.parameters()`` or ``model.named_parameters()``. Each dict is a group, with its ``"params"`` and the
        options that differ for it.
    lr : float
        The learning rate η; may be changed at any time (``optimizer.lr = 0.01``), which is for all groups.
    weight_decay : float or None
        λ of the penalty λ/2·w², whose gradient λw is added to the gradient; None where there is no such option.
    **options
        What else the formula uses, ``maximize`` (go up the gradient) and ``decoupled_weight_decay`` (w ← (1 − ηλ)w
        before the step instead of λw in the gradient) among them.

    Attributes
    ----------
    params : list of Tensor
    param_groups : list of dict
        For each group its ``"params"`` and options, which may be changed at any time.
    state : list of dict
        For each parameter what is carried from step to step, by the symbols of the formula.
    defaults : dict
        The options of groups that do not have their own.

    Notes
    -----
    An optimiser of one's own has one method, ``_updated(w, g, state)``: the new array of a parameter w of gradient g.
    Its options are attributes there (``self.lr``), those of the parameter's group; ``state["step"]`` counts from 1. It
    may write into arrays of `state`, never into w and g. What is of float16 is computed in float32.

    Examples
    --------
    >>> import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> optimizer = nn.SGD([{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.01}], lr=0.1)
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.1, 0.01]
    """

    _symbols: ClassVar[Mapping[str, str]] = {}  # what PyTorch calls each symbol of the state
    _counts = True

    params: list[Tensor]
    param_groups: list[dict[str, Any]]
    state: list[dict[str, Any]]
    defaults: dict[str, Any]

    def __init__(self, params: Any, lr: float, weight_decay: float | None = 0.0, **options: Any):
        given = {"lr": lr} | ({} if weight_decay is None else {"weight_decay": weight_decay}) | options
        order = [name for name in inspect.signature(type(self)).parameters if name in given]
        defaults = {name: checked(name, given[name]) for name in dict.fromkeys([*order, *given])}
        self._check(defaults)
        self.params, self.state, self.param_groups = [], [], []
        self._turn: dict[str, Any] | None = None  # the group whose parameters are changed just now
        held = _listed(params, "params")
        if not held:
            raise ValueError("params: there are none to optimise")
        self.defaults = defaults
        for group in held if isinstance(held[0], Mapping) else [{"params": held}]:
            self.add_param_group(group)

    def _check(self, options: Mapping[str, Any]) -> None:
        """Raise a ValueError where the options of a group contradict each other."""

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Train more parameters, from the next step on.

        Parameters
        ----------
        param_group : dict
            ``"params"``, a Tensor or an iterable as the constructor takes it, and the options that differ.
        """
        where = f" of group {len(self.param_groups)}" if self.param_groups else ""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f"params{where}: a dict with 'params' is needed, got {param_group!r}")
        held = _listed(param_group["params"], f"params{where}")
        named = [isinstance(p, tuple) and len(p) == 2 for p in held]
        if any(named) and not all(named):
            raise ValueError(f"params{where}: all need a name, or none")
        names, params = ([name for name, _ in held], [p for _, p in held]) if any(named) else (None, held)
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"params{where}: number {i} is {type(p).__name__}, expected a Tensor or nn.Parameter")
            if not p.is_leaf:
                raise ValueError(
                    f"params{where}: number {i} (shape {p.shape}) was made by an operation; only leaves can be trained"
                )
        if len({id(p) for p in [*self.params, *params]}) != len(self.params) + len(params):
            raise ValueError(f"params{where}: one of them is given twice")
        options = {name: value for name, value in param_group.items() if name not in ("params", "param_names")}
        for name in options:
            if name not in self.defaults and (meant := misspelt(name, self.defaults)):
                raise ValueError(f"params{where}: there is no option {name!r}; did you mean {meant!r}?")
        options = self.defaults | {name: checked(name, value) for name, value in options.items()}
        self._check(options)
        for p in params:
            p.be_learned()
        self.params += params
        self.state += [{} for _ in params]
        self.param_groups.append({"params": params} | ({"param_names": names} if names else {}) | options)

    def __getattr__(self, name: str) -> Any:
        turn = self.__dict__.get("_turn")
        if turn and name in turn:
            return turn[name]
        values = [group[name] for group in self.__dict__.get("param_groups", ()) if name in group]
        if not values:
            raise AttributeError(f"{type(self).__name__} has no {name!r}", name=name, obj=self)
        if any(value != values[0] for value in values[1:]):
            said = f"{name} differs between the groups ({', '.join(map(repr, values))}): see optimizer.param_groups"
            raise AttributeError(said, name=name, obj=self)
        return values[0]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("defaults", ()):
            value = checked(name, value)
            for group in self.param_groups:
                group[name] = value
        else:
            super().__setattr__(name, value)

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
        states = iter(self.state)
        try:
            for group in self.param_groups:
                self._take(group)
                for p in group["params"]:
                    state, g = next(states), p.grad
                    if g is None:
                        continue
                    w, g = p._data, g.data if isinstance(g, Tensor) else g
                    if w.dtype.kind == "c":
                        moved = self._stepped(_parts(w), _parts(g), state, group)
                        p.rebind(moved.view(w.dtype).reshape(w.shape))
                    elif w.shape:
                        p.rebind(self._stepped(w, g, state, group))
                    else:
                        # one-element arrays, as operations on 0-d ones give scalars, which can't be written into
                        p.rebind(self._stepped(w.reshape(1), g.reshape(1), state, group).reshape(()))
        finally:
            self._take(None)
        return value

    def _take(self, options: dict[str, Any] | None) -> None:
        """Have the options of a group as attributes, until those of another are taken, or None."""
        mine, self._turn = self.__dict__, options
        for name in self.defaults:
            if options and name in options:
                mine[name] = options[name]
            else:
                mine.pop(name, None)

    def explain(
        self, closure: Callable[[], Any] | None = None, *, index: Mapping[Any, Any] | None = None
    ) -> Explanation:
        """What the next `step` will do, and why; parameters, gradients and states stay as they are.

        Parameters
        ----------
        closure : callable, optional
            ``closure()`` gives the loss, without random numbers. The decrease of the loss is then measured beside the
            predicted one, and the parameters put back. Where there are no gradients yet, it may call ``backward()``.
        index : dict, optional
            ``{parameter's name or number: entry}``, whose numbers are shown; that of the largest gradient unless told.

        Returns
        -------
        Explanation
            Prints the rule, noted while it runs, in symbols and in numbers. ``changes`` has for each parameter
            ``old``, ``gradient``, ``lr`` and ``new``; ``predicted`` and ``real`` are the decreases of the loss.

        Raises
        ------
        ValueError
            If no parameter has a gradient.
        TypeError
            If `closure` is no function that returns the loss, or a parameter is complex.

        Examples
        --------
        >>> import nn
        >>> w = nn.Parameter([1.0, -2.0])
        >>> (w * w).sum().backward()
        >>> print(nn.SGD([("w", w)], lr=0.1).explain(lambda: (w * w).sum()))
        A step of SGD
        <BLANKLINE>
          W ← W − η · ∂J/∂W
        <BLANKLINE>
        w[1]: old −2, gradient −4, η 0.1, new −1.6
          W ← −2 − 0.1 × −4 = −1.6
        <BLANKLINE>
        predicted decrease −⟨∇, ΔW⟩ = 2
        real decrease 1.8, 0.900 of it
        """
        if any(p.dtype.kind == "c" for p in self.params):
            raise TypeError("explain: steps of real parameters are explained, and one here is complex")
        return explained(self, closure, index)

    def _stepped(self, w: Any, g: Any, state: dict[str, Any], options: Mapping[str, Any]) -> Any:
        if g.dtype.itemsize < 4:  # squares of float16 would over- or underflow, and an ε with them
            g = g.astype(np.float32)
        if options.get("maximize"):
            g = -g
        decay = options.get("weight_decay")
        if decay and options.get("decoupled_weight_decay"):
            w = np.multiply(w, 1 - options["lr"] * decay, dtype=g.dtype)
        elif decay:
            decayed = np.multiply(w, decay, dtype=g.dtype)
            decayed += g
            g = decayed
        if self._counts:
            state["step"] = state.get("step", 0) + 1
        return self._updated(w, g, state)

    def _updated(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        """The new array of a parameter; arrays of `state` may be written into, `w` and `g` may not."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Copies of what is carried from step to step, and the options, as PyTorch lays them out and calls them.

        Returns
        -------
        dict
            ``"state"``: {number of the parameter: {name: array or number}}; ``"param_groups"``: [{"lr": …,
            "params": [numbers]}].

        Examples
        --------
        >>> import nn
        >>> w = nn.Parameter([1.0, -2.0])
        >>> (w * w).sum().backward()
        >>> optimizer = nn.SGD([w], lr=0.1, momentum=0.9)
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': array([ 2., -4.])}}
        """
        return saved(self.param_groups, self.params, self.state, self._symbols)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; it may be PyTorch's, or have the symbols of `state` as names.

        Raises
        ------
        KeyError
            If an option is missing.
        ValueError
            If the number or the shapes of the parameters differ. Nothing is changed then.
        """
        groups = groups_of(state_dict, self.param_groups, self.defaults, type(self).__name__)
        for group in groups:
            self._check(group)
        state = loaded(state_dict["state"], groups, self.params, self._symbols)
        for mine, group in zip(self.param_groups, groups, strict=True):
            kept = {name: mine[name] for name in ("params", "param_names") if name in mine}
            mine.clear()
            mine.update(kept | {name: value for name, value in group.items() if name not in ("params", "param_names")})
        self.state = state

    def __repr__(self) -> str:
        count, name = len(self.params), type(self).__name__
        shown = [", ".join(self._shown(group)) for group in self.param_groups]
        if len(shown) == 1:
            return f"{name}({count} parameters, {shown[0]})"
        lines = [f"  {len(g['params'])}: {line}" for g, line in zip(self.param_groups, shown, strict=True)]
        return "\n".join([f"{name}({count} parameters in {len(shown)} groups", *lines, ")"])

    def _shown(self, group: Mapping[str, Any]) -> list[str]:
        quiet = ("maximize", "decoupled_weight_decay")  # said where they are on
        return [f"{name}={group[name]!r}" for name in self.defaults if group[name] or name not in quiet]


def _parts(array: Any) -> Any:
    """Complex numbers as pairs of real ones along the last axis, each of which is a parameter of its own."""
    return np.ascontiguousarray(array).view(array.real.dtype)


def _listed(params: Any, what: str) -> list[Any]:
    if isinstance(params, Module):
        raise TypeError(f"{what}: give model.parameters(), not the {type(params).__name__} itself")
    if isinstance(params, set | frozenset):
        raise TypeError(f"{what}: a set has no order; give a list")
    if not isinstance(params, Tensor) and not np.iterable(params):
        raise TypeError(f"{what}: Tensors are needed, such as model.parameters(), got {type(params).__name__}")
    return [params] if isinstance(params, Tensor) else list(params)


def carried(state: dict[str, Any], like: Any, *symbols: str) -> list[Any]:
    """The arrays of a state by their symbols, made of zeros in the first step."""
    for symbol in symbols:
        if symbol not in state:
            state[symbol] = np.zeros_like(like)
    return [state[symbol] for symbol in symbols]
