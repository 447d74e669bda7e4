"""Sliding windows, their adjoint, and the products and maxima over them that convolution and pooling are made of.

A convolution is ``pad → windows → window_product → + bias``; a pooling layer is ``windows → window_max``. The windows
are a view, so they cost nothing. Arrays of other libraries take the same sums by functions that these know, each of
them beside the way of NumPy's arrays. Arrays have the shape N×C×H×W throughout; in memory the batch runs innermost
(C×H×W×N), so that copying columns copies long runs and the matrix products need no transposing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..libraries import foreign, padded, places, zeros
from ..registry import defvjp, named, pure
from .elementwise import known, passed

Pair = tuple[int, int]
BLOCK = 128 * 1024
"""Elements of the scratch that columns are copied to: few enough to stay in the cache."""


def output_length(size: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """How many windows fit along an axis: ⌊(size − dilation (kernel − 1) − 1) / stride⌋ + 1."""
    return (size - dilation * (kernel - 1) - 1) // stride + 1


def _empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """An array of shape N×C×H×W with the batch innermost in memory."""
    n, *rest = shape
    return np.empty((*rest, n), dtype).transpose(len(rest), *range(len(rest)))


def _batch_innermost(x: Any) -> Any:
    """Images N×C×H×W as they are best in memory."""
    if x.__class__ is not np.ndarray or x.ndim != 4 or len(x) < 2 or x.strides[0] == x.itemsize:
        return x
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)


@pure
def zero_pad(x: Any, value: float = 0.0, *, padding: tuple[Pair, Pair]) -> Any:
    """Add rows and columns of zeros (or `value`) around each image.

    Parameters
    ----------
    x : array or Tensor (N, C, H, W)
    value : float, optional
    padding : ((top, bottom), (left, right))

    Returns
    -------
    array or Tensor (N, C, top + H + bottom, left + W + right)
    """
    if foreign(x):
        return padded(x, padding, value)
    (top, bottom), (left, right) = padding
    n, c, h, w = x.shape
    out = _empty((n, c, top + h + bottom, left + w + right), x.dtype)
    out[:, :, :top] = value
    out[:, :, top + h :] = value
    out[:, :, top : top + h, :left] = value
    out[:, :, top : top + h, left + w :] = value
    out[:, :, top : top + h, left : left + w] = x
    return out


def _inside(g: Any, shape: tuple[int, ...], padding: tuple[Pair, Pair]) -> Any:
    (top, _), (left, _) = padding
    return g[:, :, top : top + shape[2], left : left + shape[3]]


defvjp(zero_pad, lambda g, out, x, value=0.0, *, padding: _inside(g, x.shape, padding), None)
zero_pad.rule.name = "pad"


@pure
def windows(x: Any, kernel_size: Pair, stride: Pair = (1, 1), dilation: Pair = (1, 1)) -> Any:
    """Every window that a kernel sees while it slides over the images: a view where the memory allows.

    Parameters
    ----------
    x : array or Tensor (N, C, H, W)
    kernel_size, stride, dilation : (int, int)
        For rows and columns.

    Returns
    -------
    array or Tensor (N, C, H_out, W_out, KH, KW)

    Raises
    ------
    ValueError
        If the kernel, dilated, is larger than the images.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.rules.windows import windows
    >>> windows(np.arange(9.0).reshape(1, 1, 3, 3), (2, 2))[0, 0, 1, 1]
    array([[4., 5.],
           [7., 8.]])
    """
    x = _batch_innermost(x)
    n, c, h, w = x.shape
    (kh, kw), (sh, sw), (dh, dw) = kernel_size, stride, dilation
    oh, ow = output_length(h, kh, sh, dh), output_length(w, kw, sw, dw)
    if oh < 1 or ow < 1:
        spread = f" (dilated to {dh * (kh - 1) + 1}×{dw * (kw - 1) + 1})" if dilation != (1, 1) else ""
        raise ValueError(f"a kernel of {kh}×{kw}{spread} does not fit into images of {h}×{w}, padding included")
    if foreign(x):
        rows, columns = places(x, h, oh, kh, sh, dh), places(x, w, ow, kw, sw, dw)
        seen = np.tensordot(np.tensordot(x, rows, ((2,), (2,))), columns, ((2,), (2,)))
        return seen.transpose(0, 1, 2, 4, 3, 5)
    by_n, by_c, by_h, by_w = x.strides
    strides = (by_n, by_c, by_h * sh, by_w * sw, by_h * dh, by_w * dw)
    return np.lib.stride_tricks.as_strided(x, (n, c, oh, ow, kh, kw), strides, writeable=False)


@pure
def fold_windows(x: Any, shape: tuple[int, ...], stride: Pair = (1, 1), dilation: Pair = (1, 1)) -> Any:
    """Add windows back to where they were seen: the adjoint of `windows`.

    Parameters
    ----------
    x : array or Tensor (N, C, H_out, W_out, KH, KW)
    shape : (N, C, H, W)

    Returns
    -------
    array or Tensor (N, C, H, W)
    """
    _, _, oh, ow, kh, kw = x.shape
    (sh, sw), (dh, dw) = stride, dilation
    if foreign(x):
        rows, columns = places(x, shape[2], oh, kh, sh, dh), places(x, shape[3], ow, kw, sw, dw)
        return np.tensordot(np.tensordot(x, rows, ((2, 4), (0, 1))), columns, ((2, 3), (0, 1)))
    tiled = (kh, kw) == stride and dilation == (1, 1) and (oh * sh, ow * sw) == shape[2:]
    if tiled and (image := x.transpose(1, 2, 4, 3, 5, 0)).flags.c_contiguous:
        return image.reshape(*shape[1:], shape[0]).transpose(3, 0, 1, 2)
    out = _empty(shape, x.dtype)
    if not tiled:
        out[...] = 0
    for i in range(kh):
        for j in range(kw):
            place = out[:, :, i * dh : i * dh + sh * (oh - 1) + 1 : sh, j * dw : j * dw + sw * (ow - 1) + 1 : sw]
            if tiled:
                place[...] = x[..., i, j]
            else:
                place += x[..., i, j]
    return out


defvjp(
    windows,
    lambda g, out, x, kernel_size, stride=(1, 1), dilation=(1, 1): fold_windows(
        g, shape=x.shape, stride=stride, dilation=dilation
    ),
)
defvjp(
    fold_windows,
    lambda g, out, x, shape, stride=(1, 1), dilation=(1, 1): windows(
        g, kernel_size=x.shape[4:], stride=stride, dilation=dilation
    ),
)


# --- NumPy's own sliding windows, of any axes -------------------------------------------------------------------------


@pure
def unslide(x: Any, shape: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """Add windows back to where they were seen: the adjoint of NumPy's ``sliding_window_view`` along `axis`."""
    out = zeros(shape, x)
    for offsets in np.ndindex(x.shape[len(shape) :]):
        starts = [0] * len(shape)
        for a, offset in zip(axis, offsets, strict=True):
            starts[a] += offset
        place = tuple(slice(start, start + n) for start, n in zip(starts, x.shape, strict=False))
        out[place] += x[(..., *offsets)]
    return out


def _slid(axis: Any, ndim: int) -> tuple[int, ...]:
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % ndim for a in axes)


_view = np.lib.stride_tricks.sliding_window_view
defvjp(
    _view,
    lambda g, out, x, window_shape, axis=None, subok=False, writeable=False: unslide(
        g, shape=x.shape, axis=_slid(axis, x.ndim)
    ),
)
defvjp(unslide, lambda g, out, x, shape, axis: _view(g, x.shape[len(shape) :], axis=axis))


# --- the product of windows and kernels, and its two adjoints: each is the other's rule -------------------------------


def _columns(w: Any) -> Any:
    """The windows as (C, KH, KW, H_out, W_out, N), in the order of memory."""
    return w.transpose(1, 4, 5, 2, 3, 0)


def _matrix(x: Any, rows: int) -> Any:
    """`x` as a matrix of so many rows, also where it is empty."""
    return x.reshape(rows, x.size // rows)


def _row_blocks(w: Any, groups: int) -> Any:
    """The slices of output rows whose columns fit into the scratch."""
    n, c, oh, ow, kh, kw = w.shape
    rows = max(1, BLOCK // max(1, c // groups * kh * kw * ow * n))
    return [slice(r, min(r + rows, oh)) for r in range(0, oh, rows)]


def _grouped(size: int, groups: int) -> list[slice]:
    each = size // groups
    return [slice(k * each, (k + 1) * each) for k in range(groups)]


@pure
def window_product(w: Any, weight: Any, groups: int = 1) -> Any:
    """The products of windows and kernels, summed: out[n,f,p,q] = Σ w[n,c,p,q,i,j] · weight[f,c,i,j].

    Parameters
    ----------
    w : array or Tensor (N, C, H_out, W_out, KH, KW)
    weight : array or Tensor (F, C / groups, KH, KW)
    groups : int, optional

    Returns
    -------
    array or Tensor (N, F, H_out, W_out)
    """
    n, c, oh, ow, _, _ = w.shape
    f = weight.shape[0]
    if foreign(w) or foreign(weight):
        groups_of = zip(_grouped(c, groups), _grouped(f, groups), strict=True)
        parts = [np.tensordot(w[:, cs], weight[fs], ((1, 4, 5), (1, 2, 3))) for cs, fs in groups_of]
        return np.concatenate(parts, axis=3).transpose(0, 3, 1, 2)
    out = np.empty((f, oh, ow, n), np.result_type(w, weight))
    columns = _columns(w)
    for channels, kernels in zip(_grouped(c, groups), _grouped(f, groups), strict=True):
        matrix = weight[kernels].reshape(f // groups, -1)
        for rows in _row_blocks(w, groups):
            block = _matrix(columns[channels, :, :, rows], matrix.shape[1])
            out[kernels, rows] = (matrix @ block).reshape(f // groups, rows.stop - rows.start, ow, n)
    return out.transpose(3, 0, 1, 2)


@pure
def window_product_weight(g: Any, w: Any, groups: int = 1) -> Any:
    """The adjoint of `window_product` in the kernels: Σ g[n,f,p,q] · w[n,c,p,q,i,j] over images and positions."""
    _, c, _, _, kh, kw = w.shape
    f = g.shape[1]
    if foreign(g) or foreign(w):
        groups_of = zip(_grouped(c, groups), _grouped(f, groups), strict=True)
        return np.concatenate([np.tensordot(g[:, fs], w[:, cs], ((0, 2, 3),) * 2) for cs, fs in groups_of])
    out = np.zeros((f, c // groups, kh, kw), np.result_type(g, w))
    columns, upstream = _columns(w), g.transpose(1, 2, 3, 0)
    for channels, kernels in zip(_grouped(c, groups), _grouped(f, groups), strict=True):
        for rows in _row_blocks(w, groups):
            block = _matrix(columns[channels, :, :, rows], c // groups * kh * kw)
            product = block @ _matrix(upstream[kernels, rows], f // groups).T  # the long side first is the faster way
            out[kernels] += product.T.reshape(out[kernels].shape)
    return out


@pure
def window_product_windows(g: Any, weight: Any, groups: int = 1) -> Any:
    """The adjoint of `window_product` in the windows: Σ g[n,f,p,q] · weight[f,c,i,j], summed over kernels."""
    n, f, oh, ow = g.shape
    _, c, kh, kw = weight.shape
    if foreign(g) or foreign(weight):
        parts = [np.tensordot(g[:, fs], weight[fs], ((1,), (0,))) for fs in _grouped(f, groups)]
        return np.concatenate(parts, axis=3).transpose(0, 3, 1, 2, 4, 5)
    upstream = g.transpose(1, 2, 3, 0)
    out = np.empty((c * groups, kh, kw, oh, ow, n), np.result_type(g, weight))
    for channels, kernels in zip(_grouped(c * groups, groups), _grouped(f, groups), strict=True):
        matrix = weight[kernels].reshape(f // groups, -1)
        np.matmul(matrix.T, _matrix(upstream[kernels], f // groups), out=_matrix(out[channels], c * kh * kw))
    return out.transpose(5, 0, 3, 4, 1, 2)


defvjp(
    window_product,
    lambda g, out, w, weight, groups=1: window_product_windows(g, weight, groups=groups),
    lambda g, out, w, weight, groups=1: window_product_weight(g, w, groups=groups),
)
defvjp(
    window_product_weight,
    lambda g, out, upstream, w, groups=1: window_product(w, g, groups=groups),
    lambda g, out, upstream, w, groups=1: window_product_windows(upstream, g, groups=groups),
)
defvjp(
    window_product_windows,
    lambda g, out, upstream, weight, groups=1: window_product(g, weight, groups=groups),
    lambda g, out, upstream, weight, groups=1: window_product_weight(upstream, g, groups=groups),
)
window_product.rule.uses = lambda node, i: node.size // max(1, node.shape[1]) if i == 1 else 1


# --- the extreme and the mean of each window --------------------------------------------------------------------------


def _cells(w: Any) -> list[Any]:
    """The views of all windows at one kernel position each, row by row."""
    return [w[..., i, j] for i in range(w.shape[-2]) for j in range(w.shape[-1])]


@pure
def window_max(w: Any) -> Any:
    """The largest element of each window; its gradient goes to the first of them, as in PyTorch.

    Parameters
    ----------
    w : array or Tensor (..., KH, KW)

    Returns
    -------
    array or Tensor (...)
    """
    if foreign(w):
        return np.max(w, axis=(-2, -1))
    first, *others = _cells(w)
    if not others:
        return +first
    out = np.maximum(first, others[0])
    for cell in others[1:]:
        out = np.maximum(out, cell, out=out if out.ndim else None)
    return out


@named
def first_maximum(w: Any, out: Any) -> Any:
    """Where the first maximum of each window is: booleans of w's shape."""
    if foreign(w):
        *before, kh, kw = w.shape
        found = (w == np.expand_dims(out, (-2, -1))).reshape((*before, kh * kw))
        return (found & (np.cumsum(found, axis=-1) == 1)).reshape(w.shape)
    cells = _cells(w)
    # in memory as images are: the rows of the windows among each other, the batch innermost
    order = (1, 2, 4, 3, 5, 0) if w.ndim == 6 else (*range(1, w.ndim), 0)
    hits = np.empty([w.shape[a] for a in order], bool).transpose(np.argsort(order))
    free: Any = None
    for cell, hit in zip(cells, _cells(hits), strict=True):
        hit[...] = cell == out
        if free is None:
            free = ~hit
        else:
            hit &= free
            free &= ~hit
    return hits


@pure
def window_mean(w: Any) -> Any:
    """The mean of each window: of (..., KH, KW), it has the shape (...)."""
    if foreign(w):
        return np.mean(w, axis=(-2, -1))
    first, *others = _cells(w)
    out = +first
    for cell in others:
        out = out + cell
    return out * (1 / (1 + len(others)))


defvjp(
    window_max,
    lambda g, out, w: passed(
        np.expand_dims(_batch_innermost(g), (-2, -1)), known(first_maximum(w, out), np.expand_dims(out, (-2, -1)))
    ),
)
defvjp(
    window_mean,
    lambda g, out, w: np.broadcast_to(np.expand_dims(g, (-2, -1)) * (1 / (w.shape[-1] * w.shape[-2])), w.shape),
)
