"""Arrays as the bytes of a page: exact where they are small, rounded or reduced to a picture where they are large."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ..numbers import norm, number
from ..thumbnails import SHADES, grid

EXACT = 64
"""Up to so many elements travel as they are."""

WHOLE = 4096
"""Up to so many elements travel rounded, to 1/2000 of the largest; of larger arrays, a picture does."""

_STEPS = 2000
_ZERO_SHADE = 63
_EDGE = 3
_PICTURE = 48


class Blob:
    """The bytes that arrays share: what is equal is stored once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._places: dict[bytes, int] = {}
        self._length = 0

    def add(self, data: bytes) -> int:
        """Where `data` is."""
        if data not in self._places:
            self._places[data] = self._length
            self._parts.append(data)
            self._length += len(data)
        return self._places[data]

    def bytes(self) -> bytes:
        """All of it."""
        return b"".join(self._parts)


def with_length(json: bytes, blob: bytes) -> bytes:
    """Length of the JSON, the JSON, the blob."""
    return struct.pack("<I", len(json)) + json + blob


def packed(array: Any, blob: Blob) -> dict[str, Any]:
    """The entry of an array in the table, its bytes added to `blob`."""
    array = np.asarray(array)
    shape = list(array.shape)
    if array.size <= EXACT:
        return {"s": shape, "v": [_json(v) for v in array.ravel().tolist()]}
    if array.size <= WHOLE:
        return {"s": shape, **_rounded(array, blob)}
    return {"s": shape, **_reduced(array, blob)}


def _json(value: float) -> float | int | str:
    """A number that JSON has; NaN and the infinities by their names."""
    if isinstance(value, bool | int) or np.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _rounded(array: np.ndarray, blob: Blob) -> dict[str, Any]:
    values = array.astype(np.float64).ravel()
    finite = np.isfinite(values)
    largest = float(np.abs(values[finite]).max(initial=0.0))
    whole = array.dtype.kind in "iub" and largest < 32767
    scale = 1.0 if whole or not largest else largest / _STEPS
    steps = np.round(np.where(finite, values, 0) / scale).astype(np.int16)
    steps[np.isnan(values)] = -32768
    steps[values == np.inf] = 32767
    steps[values == -np.inf] = -32767
    halves = steps.astype(">i2").view(np.uint8).reshape(-1, 2)
    return {"o": blob.add(halves.T.tobytes()), "q": scale}


def _reduced(array: np.ndarray, blob: Blob) -> dict[str, Any]:
    cells, note = grid(array, _PICTURE)
    shaded = np.abs(cells) <= SHADES
    codes = np.where(shaded, np.round(cells * (_ZERO_SHADE / SHADES)) + _ZERO_SHADE, cells)
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array.ravel()
    _, _, bad = norm(array).partition(" (")
    low, high = (float(f(finite)) if finite.size else 0.0 for f in (np.min, np.max))
    length = float(np.sqrt(np.sum(np.square(finite, dtype=np.float64))))
    return {
        "o": blob.add(codes.astype(np.uint8).tobytes()), "grid": list(cells.shape), "note": note, "norm": length,
        "min": low, "max": high, "bad": bad.rstrip(")"), "edge": _edge(array),
    }  # fmt: skip


def _edge(array: np.ndarray) -> list[list[str]]:
    """The first and last items of the last two axes, of the first of the others, as text."""
    table = array.reshape(-1, array.shape[-1])[: array.shape[-2] if array.ndim > 1 else 1]
    rows, columns = (_ends(n) for n in table.shape)
    return [["…" if r < 0 or c < 0 else number(table[r, c]) for c in columns] for r in rows]


def _ends(n: int) -> list[int]:
    return list(range(n)) if n <= 2 * _EDGE + 1 else [*range(_EDGE), -1, *range(n - _EDGE, n)]
