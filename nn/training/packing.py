"""States, which are dicts and lists of numbers, words and arrays, as arrays and one JSON text; and back, exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["TEXT", "packed", "unpacked"]

TEXT = "run"
"""The name of the text among the arrays."""


def packed(state: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a state by their dotted paths, and the text that has the rest and says where they belong.

    Raises
    ------
    TypeError
        If there is anything else in it; names its path.
    """
    arrays: dict[str, Any] = {}
    text = json.dumps(_plain(state, "", arrays), allow_nan=False, ensure_ascii=False)
    return {TEXT: np.array(text), **arrays}


def unpacked(arrays: Mapping[str, Any]) -> Any:
    """What `packed` was given."""
    return _whole(json.loads(str(arrays[TEXT])), arrays)


def _plain(value: Any, path: str, arrays: dict[str, Any]) -> Any:
    """A value as JSON has it; what JSON does not have is a dict with one key, that begins with an @."""
    below = f"{path}." if path else ""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiub":
        name = path
        while name in arrays or name == TEXT:
            name += "_"
        arrays[name] = np.asarray(value)
        return {"@array" if isinstance(value, np.ndarray) else "@scalar": name}
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"@float": str(value)}
    if isinstance(value, list):
        return [_plain(v, f"{below}{i}", arrays) for i, v in enumerate(value)]
    if isinstance(value, tuple):
        return {"@tuple": [_plain(v, f"{below}{i}", arrays) for i, v in enumerate(value)]}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("@") for key in value):
            return {key: _plain(v, f"{below}{key}", arrays) for key, v in value.items()}
        return {"@items": [[key, _plain(v, f"{below}{key}", arrays)] for key, v in value.items()]}
    raise TypeError(f"checkpoint: {path} is a {type(value).__name__}, which is neither numbers nor text")


def _whole(value: Any, arrays: Mapping[str, Any]) -> Any:
    kind: str
    held: Any
    if isinstance(value, list):
        return [_whole(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    kind, held = next(iter(value.items()), ("", None))
    if kind == "@array":
        return arrays[held]
    if kind == "@scalar":
        return arrays[held][()]
    if kind == "@float":
        return float(held)
    if kind == "@tuple":
        return tuple(_whole(v, arrays) for v in held)
    if kind == "@items":
        return {key: _whole(v, arrays) for key, v in held}
    return {key: _whole(v, arrays) for key, v in value.items()}
