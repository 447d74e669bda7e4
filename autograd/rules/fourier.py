"""Rules of ``np.fft``. Each transform is linear, and its adjoint is the inverse one with the scale of the other end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import composite, defvjp
from .elementwise import arrayed, conj

_OTHER_END: dict[Any, Any] = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _in_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """What undoes that a transform cuts its operand, or fills it with zeros, to the length that it is told."""
    if any(n > m for n, m in zip(g.shape, shape, strict=True)):
        g = g[tuple(slice(n) for n in shape)]
    if any(n < m for n, m in zip(g.shape, shape, strict=True)):
        g = np.pad(g, tuple((0, m - n) for n, m in zip(g.shape, shape, strict=True)))
    return g


def _halved(g: Any, n: int, axis: int, norm: Any) -> Any:
    """The adjoint of ``irfft``: all frequencies but 0 and n/2 count for two, the one left out being its conjugate."""
    kept = np.fft.rfft(g, axis=axis, norm=norm)
    counts = np.full(kept.shape[axis], 2.0)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return kept * counts.reshape(-1, *(1,) * (-axis - 1 if axis < 0 else g.ndim - axis - 1))


defvjp(
    np.fft.fft,
    lambda g, out, a, n=None, axis=-1, norm=None: _in_shape(np.fft.ifft(g, axis=axis, norm=_OTHER_END[norm]), a.shape),
)
defvjp(
    np.fft.ifft,
    lambda g, out, a, n=None, axis=-1, norm=None: _in_shape(np.fft.fft(g, axis=axis, norm=_OTHER_END[norm]), a.shape),
)
defvjp(
    np.fft.rfft,
    lambda g, out, a, n=None, axis=-1, norm=None: _in_shape(
        np.real(np.fft.ifft(g, a.shape[axis] if n is None else n, axis, _OTHER_END[norm])), a.shape
    ),
)
defvjp(
    np.fft.irfft,
    lambda g, out, a, n=None, axis=-1, norm=None: _in_shape(
        _halved(g, out.shape[axis], axis, _OTHER_END[norm]), a.shape
    ),
)
defvjp(
    np.fft.fftn,
    lambda g, out, a, s=None, axes=None, norm=None: _in_shape(
        np.fft.ifftn(g, axes=_axes(s, axes), norm=_OTHER_END[norm]), a.shape
    ),
)
defvjp(
    np.fft.ifftn,
    lambda g, out, a, s=None, axes=None, norm=None: _in_shape(
        np.fft.fftn(g, axes=_axes(s, axes), norm=_OTHER_END[norm]), a.shape
    ),
)


def _axes(s: Any, axes: Any) -> Any:
    """The axes of a transform of several: where only lengths are given, as many of the last."""
    return tuple(range(-len(s), 0)) if axes is None and s is not None else axes


# --- those that are made of others ------------------------------------------------------------------------------------


def _plan(a: Any, s: Any, axes: Any) -> tuple[list[Any], list[int]]:
    """The length (None: as it is) and the axis of each transform."""
    found = range(-a.ndim, 0) if axes is None and s is None else _axes(s, axes)
    return [None if s is None or s[k] == -1 else s[k] for k in range(len(found))], list(found)


def _rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    lengths, along = _plan(a, s, axes)
    a = np.fft.rfft(a, lengths[-1], along[-1], norm)
    for n, axis in zip(lengths[-2::-1], along[-2::-1], strict=True):
        a = np.fft.fft(a, n, axis, norm)
    return a


def _irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    lengths, along = _plan(a, s, axes)
    for n, axis in zip(lengths[:-1], along[:-1], strict=True):
        a = np.fft.ifft(a, n, axis, norm)
    return np.fft.irfft(a, lengths[-1], along[-1], norm)


def _hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    return np.fft.irfft(conj(a), n, axis, _OTHER_END[norm])


def _ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    return np.conjugate(np.fft.rfft(a, n, axis, _OTHER_END[norm]))


def _shift(x: Any, axes: Any, up: bool) -> Any:
    x = arrayed(x)
    axes = range(x.ndim) if axes is None else (axes,) if np.ndim(axes) == 0 else axes
    return np.roll(x, tuple(x.shape[a] // 2 if up else -(x.shape[a] // 2) for a in axes), tuple(axes))


composite(np.fft.fft2, lambda a, s=None, axes=(-2, -1), norm=None: np.fft.fftn(a, s, axes, norm))
composite(np.fft.ifft2, lambda a, s=None, axes=(-2, -1), norm=None: np.fft.ifftn(a, s, axes, norm))
composite(np.fft.rfft2, lambda a, s=None, axes=(-2, -1), norm=None: _rfftn(a, s, axes, norm))
composite(np.fft.irfft2, lambda a, s=None, axes=(-2, -1), norm=None: _irfftn(a, s, axes, norm))
composite(np.fft.rfftn, _rfftn)
composite(np.fft.irfftn, _irfftn)
composite(np.fft.hfft, _hfft)
composite(np.fft.ihfft, _ihfft)
composite(np.fft.fftshift, lambda x, axes=None: _shift(x, axes, True))
composite(np.fft.ifftshift, lambda x, axes=None: _shift(x, axes, False))
