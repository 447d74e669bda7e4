"""Arrays as the bytes of a page: exact where they are small, rounded or reduced to a picture where they are large."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from ..plain.numbers import length, norm, number, parts
from ..plain.thumbnails import SHADES, full_colour, grid, is_far

EXACT = 64
"""Up to so many elements travel as they are."""

WHOLE = 4096
"""Up to so many elements travel rounded, to 1/1000 of the largest; of larger arrays, a picture does."""

KERNEL = 8192
"""As `WHOLE`, of the kernels of convolutions: a page has few of them, and its lenses need all their numbers."""

_STEPS = 1000
_ZERO_SHADE = 63
_EDGE = 2
_PICTURE = 48
_NEGATIVE = 32
_NAN, _PLUS, _MINUS, _FAR = 255, 254, 253, 252
_PLACES = np.arange(17)[::-1]


class Blob:
    """The bytes that arrays share: what is equal is stored once.

    Bytes that compress well stand together, and those that don't after them: each sort gets a code of its own.
    """

    def __init__(self) -> None:
        self._sorts: tuple[list[bytes], list[bytes]] = ([], [])
        self._places: dict[tuple[int, bytes], int] = {}
        self._lengths = [0, 0]

    def add(self, data: bytes, sort: int = 0) -> int:
        """Where `data` is, among the bytes of its sort: 0 compresses well, 1 does not."""
        if (sort, data) not in self._places:
            self._places[sort, data] = self._lengths[sort]
            self._sorts[sort].append(data)
            self._lengths[sort] += len(data)
        return self._places[sort, data]

    @property
    def bits(self) -> int:
        """Where the bytes of sort 1 begin."""
        return self._lengths[0]

    def bytes(self) -> bytes:
        """All of it."""
        return b"".join(self._sorts[0] + self._sorts[1])


def with_length(json: bytes, blob: bytes) -> bytes:
    """Length of the JSON, the JSON, the blob."""
    return struct.pack("<I", len(json)) + json + blob


def packed(array: Any, blob: Blob, whole: int = WHOLE) -> dict[str, Any]:
    """The entry of an array in the table, its bytes added to `blob`; with up to `whole` elements all of them.

    Of complex numbers, the real and the imaginary parts, one after the other along an axis of their own.
    """
    kind = {"c": 1} if np.iscomplexobj(array) else {}
    array = parts(array)
    shape = list(array.shape)
    if array.size <= EXACT:
        return {"s": shape, **kind, "v": [json_number(v) for v in array.ravel()]}
    if array.size <= whole:
        return {"s": shape, **_rounded(array, blob)}
    return {"s": shape, **_reduced(array, blob)}


def json_number(value: Any) -> float | int | str:
    """A number that JSON has, with the digits of its own precision; NaN and the infinities by their names."""
    if value.dtype.kind != "f":
        return int(value)
    if np.isfinite(value):
        return float(str(value))
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _rounded(array: np.ndarray, blob: Blob) -> dict[str, Any]:
    """Multiples of a step, or the differences between neighbours in them, whichever takes less room."""
    values, scale, steps, far = _in_steps(array)
    ways = [_coded(steps), _coded(np.diff(steps, prepend=0))]
    classes, bits = ways[0]
    marks = ((_NAN, np.isnan(values)), (_PLUS, values == np.inf), (_MINUS, values == -np.inf), (_FAR, far))
    for code, special in marks:
        classes[special] = code
    differences = not any(special.any() for _, special in marks) and _room(*ways[1]) < _room(*ways[0])
    classes, bits = ways[differences]
    told = {"o": blob.add(classes.tobytes()), "b": blob.add(bits, 1), "q": scale}
    more = {"far": [float(f"{v:.4g}") for v in values[far]]} if far.any() else {"d": 1} if differences else {}
    return {**told, **more}


def _in_steps(array: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """The numbers, the size of a step, how many of them each is rounded to, and which are too far off for that."""
    values = array.astype(np.float64).ravel()
    largest = full_colour(values)
    far = is_far(values, largest)
    whole = array.dtype.kind in "iub" and largest < 32767
    scale = 1.0 if whole or not largest else max(float(f"{largest / _STEPS:.6g}"), 5e-324)
    return values, scale, np.round(np.where(np.isfinite(values) & ~far, values, 0) / scale).astype(np.int64), far


def as_shown(array: Any) -> np.ndarray:
    """An array with the numbers that a page has of it, where it has all of them."""
    array = parts(array)
    if array.size <= EXACT:
        return array.astype(np.float64)
    values, scale, steps, far = _in_steps(array)
    return np.where(np.isfinite(values) & ~far, steps * scale, values).reshape(array.shape)


def _coded(steps: np.ndarray) -> tuple[np.ndarray, bytes]:
    """Numbers of binary digits (by sign), which repeat, and the digits after each leading 1, which don't."""
    sizes = np.abs(steps)
    digits = np.frexp(sizes)[1]
    rest = (sizes[:, None] >> _PLACES) & 1
    behind = np.packbits(rest[digits[:, None] - 1 > _PLACES].astype(np.uint8))
    return (digits + _NEGATIVE * (steps < 0)).astype(np.uint8), behind.tobytes()


def _room(classes: np.ndarray, bits: bytes) -> int:
    return len(zlib.compress(classes.tobytes(), 9)) + len(bits)


def _reduced(array: np.ndarray, blob: Blob) -> dict[str, Any]:
    cells, note = grid(array, _PICTURE)
    shaded = np.abs(cells) <= SHADES
    codes = np.where(shaded, np.round(cells * (_ZERO_SHADE / SHADES)) + _ZERO_SHADE, cells)
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array.ravel()
    full = full_colour(array)
    _, _, bad = norm(array).partition(" (")
    low, high = (float(f(finite)) if finite.size else 0.0 for f in (np.min, np.max))
    facts = {"norm": length(finite), "min": low, "max": high}
    return {
        "o": blob.add(codes.astype(np.uint8).tobytes()), "grid": list(cells.shape), "note": note,
        **{name: json_number(np.float64(f"{x:.6g}")) for name, x in facts.items()},
        "bad": bad.rstrip(")"), "edge": _edge(array), **({"most": full} if full < max(-low, high) else {}),
    }  # fmt: skip


def _edge(array: np.ndarray) -> list[list[str]]:
    """The first and last items of the last two axes, of the first of the others, as text."""
    table = array.reshape(-1, array.shape[-1])[: array.shape[-2] if array.ndim > 1 else 1]
    rows, columns = (_ends(n) for n in table.shape)
    return [["…" if r < 0 or c < 0 else number(table[r, c], 2) for c in columns] for r in rows]


def _ends(n: int) -> list[int]:
    return list(range(n)) if n <= 2 * _EDGE + 1 else [*range(_EDGE), -1, *range(n - _EDGE, n)]
