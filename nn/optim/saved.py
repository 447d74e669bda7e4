"""The state of an optimiser as a dict of PyTorch's layout, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from .options import checked

__all__ = ["groups_of", "loaded", "saved"]

_NUMBERS = ("step", "mu_product", "eta", "mu")
_SWITCHES = ("capturable", "differentiable", "foreach", "fused")  # how PyTorch computes, not what
_LATER = ("decoupled_weight_decay", "maximize", "momentum_form")  # what the states of some versions do not have


def saved(
    groups: Sequence[Mapping[str, Any]],
    params: Sequence[Tensor],
    states: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """`Optimizer.state_dict`, from what the optimiser holds and what PyTorch calls each symbol."""
    count = iter(range(len(params)))
    return {
        "state": {
            i: {names.get(symbol, symbol): _copy(value, p.shape) for symbol, value in state.items()}
            for i, (p, state) in enumerate(zip(params, states, strict=True))
            if state
        },
        "param_groups": [{**group, "params": [next(count) for _ in group["params"]]} for group in groups],
    }


def _copy(value: Any, shape: tuple[int, ...]) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return value.copy().reshape(shape) if value.size == 1 and not shape else value.copy()


def groups_of(
    state_dict: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any], what: str
) -> list[dict[str, Any]]:
    """The groups of a state, held against those of the optimiser `what`; options beside the state are of one group."""
    found = state_dict.get("param_groups", [state_dict])
    needed = [name for name in defaults if name not in _LATER]
    missing = [name for name in needed if any(name not in group for group in found)]
    missing += [] if "state" in state_dict else ["state"]
    if missing:
        raise KeyError(f"the state of this {what} lacks {', '.join(missing)}")
    if len(found) != len(groups):
        raise ValueError(f"the state has {len(found)} groups, but this optimiser has {len(groups)}")
    for theirs, ours in zip(found, groups, strict=True):
        count = len(theirs["params"] if "params" in theirs else state_dict["state"])
        if count != len(ours["params"]):
            group = "optimiser" if len(groups) == 1 else "group"
            raise ValueError(f"the state is of {count} parameters, but this {group} has {len(ours['params'])}")
    absent = {name: defaults[name] for name in _LATER if name in defaults}
    if "momentum_form" in absent:
        absent["momentum_form"] = "accumulate"
    skipped = ("state", *_SWITCHES)
    return [
        absent | {name: checked(name, value) for name, value in group.items() if name not in skipped} for group in found
    ]


def loaded(
    states: Any, groups: Sequence[Mapping[str, Any]], params: Sequence[Tensor], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What each parameter carries, by the symbols of its optimiser, from the states of a dict."""
    symbols = {name: symbol for symbol, name in names.items()}
    keys = [key for group in groups for key in group.get("params", range(len(params)))]
    if not isinstance(states, Mapping):
        states = dict(enumerate(states))
    result = []
    for i, (key, p) in enumerate(zip(keys, params, strict=True)):
        state = states.get(key, states.get(str(key), {}))  # a file may have made a word of the number
        named = {symbols.get(name, name): value for name, value in state.items() if value is not None}
        result.append({symbol: _taken(symbol, value, i, p) for symbol, value in named.items()})
    return result


def _taken(symbol: str, value: Any, i: int, p: Tensor) -> Any:
    if symbol in _NUMBERS:
        number = np.asarray(value.data if isinstance(value, Tensor) else value).item()
        return int(number) if symbol == "step" else number
    if not hasattr(value, "dtype"):
        return value
    array = np.asarray(value.data if isinstance(value, Tensor) else value)
    if array.shape != p.shape and not (p.shape == () and array.shape == (1,)):
        raise ValueError(f"the state's {symbol} of parameter {i} has shape {array.shape}, expected {p.shape}")
    dtype = np.result_type(p.dtype, np.float32) if array.dtype.kind == "f" else array.dtype
    return array.reshape(p.shape or (1,)).astype(dtype)
