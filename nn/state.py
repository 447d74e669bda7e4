"""Saved numbers, by dotted paths, held against the parameters and buffers that are to take them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.libraries import foreign
from autograd.nests import numbers_of

__all__ = ["Incompatible", "copied", "fitted"]


def copied(held: Any) -> Any:
    """The numbers of a parameter or a buffer as an array that is the caller's own, of the library that they are of."""
    numbers = numbers_of(held)
    return numbers.copy() if foreign(numbers) else np.array(numbers)


class Incompatible(NamedTuple):
    """What `Module.load_state_dict` found that does not match: names the dict lacks, names the module lacks."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class _MissingNames(KeyError):
    def __str__(self) -> str:
        return str(self.args[0])


def fitted(
    what: str, held: Mapping[str, Any], state_dict: Mapping[str, Any], strict: bool
) -> tuple[dict[str, Any], Incompatible]:
    """The arrays of a state for what a module has under their paths, and the names that do not match.

    Errors, which begin with `what` the module is, are those of `Module.load_state_dict`.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"load_state_dict expects a mapping of names to arrays, got {type(state_dict).__name__}")
    missing = [path for path in held if path not in state_dict]
    unexpected = [path for path in state_dict if path not in held]
    if strict and (missing or unexpected):
        parts = []
        if missing:
            parts.append(f"it lacks {', '.join(missing)}")
        if unexpected:
            parts.append("it has " + ", ".join(_with_nearest(key, missing) for key in unexpected))
        raise _MissingNames(f"the state does not fit {what}: {'; '.join(parts)} (strict=False loads what fits)")
    given = {path: state_dict[path] for path in held if path in state_dict}
    arrays = {path: copied(v) for path, v in given.items()}
    wrong = [
        f"{path} has shape {array.shape}, expected {held[path].shape}"
        for path, array in arrays.items()
        if array.shape != held[path].shape
    ]
    if wrong:
        raise ValueError(f"the state does not fit {what}: {'; '.join(wrong)}")
    odd = [f"{path} has dtype {array.dtype}" for path, array in arrays.items() if array.dtype.kind not in "fiub"]
    if odd:
        raise TypeError(f"the state does not fit {what}: {'; '.join(odd)}, expected real numbers")
    return arrays, Incompatible(missing, unexpected)


def _with_nearest(key: str, names: list[str]) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    return f"{key} (did you mean {near[0]}?)" if near else f"{key}, which is unknown here"
