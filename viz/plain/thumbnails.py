"""Heat maps of arrays as tiny PNG files, written with zlib alone.

The colours run from dark blue over white at 0 to orange: a pair that colour-blind readers tell apart, and whose ends
differ in lightness, so that signs survive grey-scale printing. NaN, +Inf and −Inf are black cells with ×, + and −; so
are numbers that stand far above all others, as a mask of −1e9 does: they would leave those white.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from .numbers import numeral, parts

_LEVELS = 101
_ZERO = _LEVELS // 2
_BLACK, _WHITE, _CLEAR = _LEVELS, _LEVELS + 1, _LEVELS + 2
_NAN, _PLUS, _MINUS = 200, 201, 202
SHADES = _ZERO
NAN_CELL, PLUS_CELL, MINUS_CELL, NO_CELL = 127, 128, 129, 130
_GLYPHS = {
    _NAN: ((1, 0, 1), (0, 1, 0), (1, 0, 1)),
    _PLUS: ((0, 1, 0), (1, 1, 1), (0, 1, 0)),
    _MINUS: ((0, 0, 0), (1, 1, 1), (0, 0, 0)),
}
_MOST_TILES = 8
_MOST_CELLS = 112
_WIDTH = 96
_THIN = 24
_FAR = 1e4
_MANY, _MOST, _TIMES = 50, 0.98, 10
"""Of so many numbers, full colour is that of so large a share, where the largest is so many times larger."""


def _palette() -> np.ndarray:
    ends = np.array([(8, 48, 107), (94, 147, 200), (247, 247, 247), (244, 162, 89), (214, 84, 0)], float)
    at = np.linspace(0, len(ends) - 1, _LEVELS)
    table = np.stack([np.interp(at, range(len(ends)), ends[:, c]) for c in range(3)], axis=1).round()
    return np.vstack([table, [(0, 0, 0), (255, 255, 255), (255, 255, 255)]]).astype(np.uint8)


PALETTE = _palette()


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A heat map: palette indices, one per pixel, and what to know about it (how it was cut or reduced)."""

    pixels: np.ndarray
    note: str = ""

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    def png(self) -> bytes:
        """The file."""
        return write_png(self.pixels)

    def data_uri(self) -> str:
        """The file, as the address of an image."""
        return "data:image/png;base64," + base64.b64encode(self.png()).decode()


def thumbnail(array: Any) -> Thumbnail | None:
    """The heat map of an array, centred on 0; None where there is nothing to draw.

    Parameters
    ----------
    array : array of numbers
        The last two axes are drawn as images, tiled over the others: ``(1, 6, 24, 24)`` as six images. Large images
        are reduced: a cell shows the element of largest magnitude in its block. Complex numbers are drawn twice, their
        real and then their imaginary part.

    Returns
    -------
    Thumbnail or None
    """
    array = np.asarray(array)
    if array.size == 0 or array.dtype.kind not in "fiubc":
        return None
    both = "Re, Im" if array.dtype.kind == "c" else ""
    array = parts(array)
    cells, note = _cells(array)
    note = ", ".join(filter(None, (both, note, _far_note(array))))
    height, width = cells.shape
    down = across = max(1, min(8, _WIDTH // width, _WIDTH // height))
    down, across = max(down, min(8, _THIN // height)), max(across, min(8, _THIN // width))
    pixels = np.repeat(np.repeat(cells, down, axis=0), across, axis=1)
    for code, glyph in _GLYPHS.items():
        for y, x in np.argwhere(cells == code):
            block = pixels[y * down : (y + 1) * down, x * across : (x + 1) * across]
            block[:] = _BLACK
            if down >= 3 and across >= 3:
                at = np.ix_(np.linspace(0, 2.999, down).astype(int), np.linspace(0, 2.999, across).astype(int))
                block[np.array(glyph, bool)[at]] = _WHITE
    return Thumbnail(pixels, note)


def grid(array: Any, most: int) -> tuple[np.ndarray, str]:
    """The heat map of an array as shades, one per cell, and how it was cut or reduced.

    Parameters
    ----------
    array : array of real numbers, not empty
    most : int
        About so many cells across and down.

    Returns
    -------
    cells : array of int
        From −1 to 1 in `SHADES` steps to each side as −SHADES … SHADES; `NAN_CELL`, `PLUS_CELL`, `MINUS_CELL`, and
        `NO_CELL` where the picture has none.
    note : str
    """
    cells, note = _cells(np.asarray(array), most)
    special = {_NAN: NAN_CELL, _PLUS: PLUS_CELL, _MINUS: MINUS_CELL, _CLEAR: NO_CELL}
    out = cells.astype(int) - _ZERO
    for code, known in special.items():
        out[cells == code] = known
    return out, note


def _cells(array: np.ndarray, most: int = _MOST_CELLS) -> tuple[np.ndarray, str]:
    tiles, note = _grid(array, most)
    return (np.vstack([np.hstack(row) for row in tiles]) if len(tiles) * len(tiles[0]) > 1 else tiles[0][0]), note


def _grid(array: np.ndarray, most: int) -> tuple[list[list[np.ndarray]], str]:
    """The tiles of the picture, as palette indices, with a clear gap after each but the last of a row or column."""
    notes = []
    shape = tuple(n for n in array.shape[:-2] if n > 1)
    if array.ndim < 2 or (array.ndim == 2 and 1 in array.shape):
        tile_rows = math.ceil(array.size / 32)
        flat = np.full(max(1, tile_rows) * min(32, array.size), np.nan)
        flat[: array.size] = array.ravel()
        outside = np.arange(flat.size) >= array.size
        image = flat.reshape(tile_rows, -1)
        if tile_rows > most:
            image, outside, notes = image[:most], outside[: most * 32], ["first part"]
        codes = _codes(image, full_colour(array))
        codes[outside.reshape(image.shape)] = _CLEAR
        return [[codes]], ", ".join(notes)
    if len(shape) < 2:
        count = shape[0] if shape else 1
        root = math.ceil(math.sqrt(count))
        across = next((n for n in range(root, 2 * root) if count % n == 0), root)
        images = array.reshape(count, *array.shape[-2:])
        shown = min(count, _MOST_TILES**2)
        across = min(across, _MOST_TILES)
        chosen = _spread(count, shown)
    else:
        columns, lines = shape[-1], shape[-2]
        across, down = min(columns, _MOST_TILES), min(lines, _MOST_TILES)
        images = array.reshape(-1, *array.shape[-2:])
        chosen = (_spread(lines, down)[:, None] * columns + _spread(columns, across)).ravel()
        count, shown = math.prod(shape), down * across
    if shown < count:
        notes.append(f"{shown} of {count}")
    images = images[chosen]
    down = math.ceil(shown / across)
    steps = (
        math.ceil(images.shape[1] * down / most),
        math.ceil(images.shape[2] * min(across, shown) / most),
    )
    if len(shape) or (max(steps) > 1 and max(images.shape[1:]) < 3 * min(images.shape[1:])):
        steps = (max(steps),) * 2
    if max(steps) > 1:
        images = _reduced(images, *steps)
        notes.append(f"largest of {steps[0]}×{steps[1]}")
    largest = full_colour(array)
    height, width = images.shape[1:]
    tiles: list[list[np.ndarray]] = []
    for r in range(down):
        row = []
        for c in range(across):
            tile = np.full((height + (r < down - 1), width + (c < across - 1)), _CLEAR, np.uint8)
            if r * across + c < shown:
                tile[:height, :width] = _codes(images[r * across + c], largest)
            row.append(tile)
        tiles.append(row)
    return tiles, ", ".join(notes)


def _spread(count: int, shown: int) -> np.ndarray:
    """Positions of `shown` out of `count`, evenly spread."""
    return np.linspace(0, count - 1, shown).round().astype(int)


def full_colour(array: np.ndarray) -> float:
    """The magnitude that has full colour: the largest, without those that stand 10⁴ times above all others; where a few
    are much larger than nearly all, that of nearly all."""
    sizes = np.abs(array.astype(np.float64)).ravel()
    sizes = sizes[np.isfinite(sizes)]
    largest = float(sizes.max(initial=0.0))
    if largest < _FAR and sizes.size < _MANY:
        return largest
    sizes = np.sort(sizes[sizes > 0])
    gaps = np.flatnonzero(sizes[:-1] < sizes[1:] / _FAR)
    kept = sizes[: gaps[-1] + 1] if gaps.size and largest >= _FAR else sizes
    if kept.size < _MANY:
        return float(kept[-1]) if kept.size else largest
    most = float(kept[int(_MOST * (kept.size - 1))])
    return most if kept[-1] > _TIMES * most else float(kept[-1])


def is_far(array: np.ndarray, full: float) -> np.ndarray:
    """Which elements are drawn as infinite ones are, where `full` has full colour."""
    return np.isfinite(array) & (np.abs(array.astype(np.float64)) / (_FAR / 100) > full) & (full > 0)


def _far_note(array: np.ndarray) -> str:
    full = full_colour(array)
    far = is_far(array, full)
    black = array[far]
    ends = (black.min(), black.max()) if black.size else ()
    said = [f"{'+' if end > 0 else '−'} on black: {numeral(end)}" for end in ends]
    beyond = np.abs(array[np.isfinite(array) & ~far & (np.abs(array) > full)])
    cut = [f"{beyond.size} beyond ±{numeral(full)}, to ±{numeral(beyond.max())}"] if beyond.size else []
    return ", ".join(dict.fromkeys(cut + said))


def _reduced(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Each block of rows × columns as its element of largest magnitude; NaN if one is in it."""
    count, height, width = images.shape
    down, across = math.ceil(height / rows), math.ceil(width / columns)
    blocks = np.zeros((count, down * rows, across * columns))
    blocks[:, :height, :width] = images
    blocks = blocks.reshape(count, down, rows, across, columns).swapaxes(2, 3).reshape(count, down, across, -1)
    magnitude = np.where(np.isnan(blocks), np.inf, np.abs(blocks))
    return np.take_along_axis(blocks, magnitude.argmax(axis=-1)[..., None], axis=-1)[..., 0]


def _codes(image: np.ndarray, largest: float) -> np.ndarray:
    image = image.astype(np.float64)
    finite = np.isfinite(image)
    scaled = np.where(finite, image, 0.0) / (largest or 1.0)
    codes = np.round(np.clip(scaled, -1, 1) * _ZERO).astype(int) + _ZERO
    black = ~finite | is_far(image, largest)
    codes[np.isnan(image)] = _NAN
    codes[black & (image > 0)] = _PLUS
    codes[black & (image < 0)] = _MINUS
    return codes.astype(np.uint8)


def write_png(pixels: np.ndarray) -> bytes:
    """A PNG of palette indices: 8 bits a pixel, each line as its difference from the one above."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape
    above = np.vstack([np.zeros((1, width), np.uint8), pixels[:-1]])
    lines = np.empty((height, width + 1), np.uint8)
    lines[:, 0] = 2
    lines[:, 1:] = pixels - above
    opacity = bytes([255] * _CLEAR + [0])
    return b"".join((
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        chunk(b"PLTE", PALETTE.tobytes()),
        chunk(b"tRNS", opacity),
        chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
        chunk(b"IEND", b""),
    ))  # fmt: skip
