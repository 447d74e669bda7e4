"""One row for each ATen operation that is called otherwise than its namesake in `calls`: what it is, in this library.

A row is the call, with the arguments in the order of ATen's schema; the key its name, with the overload where overloads
are different functions. An operation that changes its argument (``relu_``) is looked up without the underscore.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.nests import numbers_of
from autograd.rules.shapes import put_diagonal
from nn import functional as F

from .aten_layers import LAYERS
from .aten_new import LIKE
from .calls import CALLS, Call, axes_of, in_one_dtype, integer, like_numpy, scipys
from .pieces import index, picked, placed, put, reduced_at, slices, sorted_along

__all__ = ["ROWS"]


def _div(x: Any, y: Any, rounding_mode: str | None = None) -> Any:
    x, y = in_one_dtype(x, y)
    out = np.floor_divide(x, y) if rounding_mode == "floor" else np.true_divide(x, y)
    if rounding_mode != "trunc":
        return out
    return np.trunc(out) if out.dtype == getattr(x, "dtype", out.dtype) else np.trunc(out).astype(x.dtype)


def _extreme(best: Call) -> Call:
    """The values along an axis and where they are, as ``torch.max(x, dim)`` gives them: the first of those that tie."""

    def call(x: Any, dim: int, keepdim: bool = False) -> Any:
        at = np.expand_dims(best(numbers_of(x), axis=dim), dim) if np.ndim(x) else np.zeros((), int)
        values = np.take_along_axis(x, at, dim) if np.ndim(x) else x
        return (values, at) if keepdim or not np.ndim(x) else (np.squeeze(values, dim), np.squeeze(at, dim))

    return call


def _spread_of(fn: Call, correction: Any) -> Call:
    def call(x: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False, **options: Any) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = correction(unbiased, options)
        return fn(x, axis=axes_of(dim), ddof=ddof, keepdims=keepdim or options.get("keepdim", False))

    return call


def _unbiased(unbiased: Any, options: Any) -> Any:
    return int(options.get("unbiased", unbiased))


def _correction(unbiased: Any, options: Any) -> Any:
    correction = options.get("correction", 1)
    return 1 if correction is None else correction


def _with_mean(spread: Call) -> Call:
    def call(x: Any, dim: Any = None, *rest: Any, **options: Any) -> Any:
        keep = options.get("keepdim", False) or (len(rest) > 1 and rest[1])
        return spread(x, dim, *rest, **options), np.mean(x, axis=axes_of(dim), keepdims=bool(keep))

    return call


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    x, min, max = in_one_dtype(x, min, max)
    return x if min is None and max is None else np.clip(x, min, max)


def _weight_norm(v: Any, g: Any, dim: int = 0) -> Any:
    others = tuple(axis for axis in range(v.ndim) if axis != dim % v.ndim)
    return v * (g / np.sqrt(np.sum(v * v, axis=others, keepdims=True)))


def _norm(x: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    p, dim = 2 if p is None else p, axes_of(dim)
    if dim is None:
        out = np.linalg.norm(np.reshape(x, (-1,)), p)
        return np.reshape(out, (1,) * x.ndim) if keepdim else out
    return np.linalg.vector_norm(x, ord=p, axis=dim, keepdims=keepdim)


def _squeeze(x: Any, dim: Any = None) -> Any:
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, list | tuple) else [dim]
    gone = tuple(d for d in dims if x.ndim and x.shape[d] == 1)
    return np.squeeze(x, gone) if gone else x


def _expand(x: Any, size: Any, **_: Any) -> Any:
    old = (1,) * (len(size) - x.ndim) + tuple(x.shape)
    return np.broadcast_to(x, tuple(n if m == -1 else m for n, m in zip(old, size, strict=True)))


def _repeat(x: Any, repeats: Any) -> Any:
    return np.tile(x, tuple(repeats))


def _flatten(x: Any, start: int = 0, end: int = -1) -> Any:
    return F.flatten(x, start, end) if x.ndim else np.reshape(x, (1,))


def _unflatten(x: Any, dim: int, sizes: Any) -> Any:
    dim %= x.ndim
    return np.reshape(x, (*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


def _split(x: Any, size: Any, dim: int = 0) -> Any:
    sizes = list(size) if isinstance(size, list | tuple) else [size] * (x.shape[dim] // size)
    return tuple(np.split(x, [n for n in np.cumsum(sizes).tolist() if n < x.shape[dim]], axis=dim))


def _chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    return _split(x, max(-(-x.shape[dim] // chunks), 1), dim)


def _cast(x: Any, dtype: Any = None) -> Any:
    return x if not isinstance(dtype, np.dtype) or x.dtype == dtype else x.astype(dtype)


def _to(x: Any, *given: Any, dtype: Any = None, **_: Any) -> Any:
    given = tuple(getattr(d, "dtype", d) if isinstance(d, Tensor | np.ndarray) else d for d in given)
    return _cast(x, next((d for d in (dtype, *given) if isinstance(d, np.dtype)), None))


def _type_as(x: Any, other: Any) -> Any:
    return _cast(x, other.dtype)


def _addmm(product: Call) -> Call:
    def call(x: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
        out = product(mat1, mat2)
        return (x if beta == 1 else beta * x) + (out if alpha == 1 else alpha * out)

    return call


def _added(sign: int) -> Call:
    def call(x: Any, y: Any, alpha: float = 1) -> Any:
        x, y = in_one_dtype(x, y)
        y = y if alpha == 1 else alpha * y
        return np.add(x, y) if sign > 0 else np.subtract(x, y)

    return call


def _cdist(x: Any, y: Any, p: float = 2.0, *_: Any) -> Any:
    return np.linalg.vector_norm(np.expand_dims(x, -2) - np.expand_dims(y, -3), ord=p, axis=-1)


def _index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    return reduced_at(x, index(indices), values, "sum") if accumulate else put(x, index(indices), values)


def _cross(x: Any, other: Any, dim: int | None = None) -> Any:
    """Along the first axis of three elements unless told."""
    return np.cross(x, other, axis=x.shape.index(3) if dim is None else dim)


def _scatter(x: Any, dim: int, index: Any, src: Any) -> Any:
    return placed(x, dim, integer(index), src)


def _diag_embed(x: Any, offset: int, a: int, b: int) -> Any:
    n = x.shape[-1] + abs(offset)
    return np.moveaxis(put_diagonal(x, (*x.shape[:-1], n, n), offset, -2, -1), (-2, -1), (a, b))


def _logdet(x: Any) -> Any:
    sign, size = np.linalg.slogdet(x)
    return np.where(np.less(sign, 0), np.nan, size)


def _transform(fn: Call) -> Call:
    """One of ``np.fft``; the lengths, the axes and the norm stand in one order in both."""
    return lambda x, n=None, dim=None, norm=None: fn(x, axes_of(n), *([] if dim is None else [axes_of(dim)]), norm=norm)


def _block_diag(xs: list[Any]) -> Any:
    return np.block([[x if i == j else np.zeros((x.shape[0], y.shape[1]), x.dtype) for j, y in enumerate(xs)]
                     for i, x in enumerate(xs)])  # fmt: skip


ROWS: dict[str, Call] = {
    **CALLS,
    # --- numbers
    "add": _added(1),
    "sub": _added(-1),
    "rsub": lambda x, y, alpha=1: _added(-1)(y, x, alpha),
    "div": _div,
    "divide": _div,
    "true_divide": _div,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "pow": lambda x, y: np.square(x) if isinstance(y, int | float) and y == 2 else np.power(*in_one_dtype(x, y)),
    "round": lambda x, decimals=0: np.round(x, decimals),
    "frac": lambda x: x - np.trunc(x),
    "clamp": _clamp,
    "clip": _clamp,
    "clamp_min": lambda x, min: _clamp(x, min),
    "clamp_max": lambda x, max: _clamp(x, None, max),
    "lerp": lambda x, end, weight: x + weight * (end - x),
    "addcmul": lambda x, tensor1, tensor2, value=1: x + (tensor1 if value == 1 else value * tensor1) * tensor2,
    "addcdiv": lambda x, tensor1, tensor2, value=1: x + (tensor1 if value == 1 else value * tensor1) / tensor2,
    "masked_fill": lambda x, mask, value: np.where(numbers_of(mask), *in_one_dtype(value, x)),
    **{f"__{name}__": CALLS[f"bitwise_{name}"] for name in ("and", "or", "xor")},
    "where.default": lambda condition: tuple(np.nonzero(numbers_of(condition))),
    "logit": lambda x, eps=None: (lambda p: np.log(p / (1 - p)))(x if eps is None else np.clip(x, eps, 1 - eps)),
    "nan_to_num": lambda x, nan=0.0, posinf=None, neginf=None: np.nan_to_num(x, nan=nan or 0.0, posinf=posinf,
                                                                             neginf=neginf),
    "expit": CALLS["sigmoid"],
    "ndtr": scipys("ndtr"),
    "log_ndtr": scipys("log_ndtr"),
    # --- reductions
    "sum": lambda x, dim=None, keepdim=False, dtype=None: np.sum(_cast(x, dtype), axis=axes_of(dim), keepdims=keepdim),
    "mean": lambda x, dim=None, keepdim=False, dtype=None: np.mean(_cast(x, dtype), axis=axes_of(dim),
                                                                   keepdims=keepdim),
    "prod": lambda x, dim=None, keepdim=False, dtype=None: np.prod(x, axis=dim, keepdims=keepdim),
    "max": lambda x: np.max(x),
    "max.dim": _extreme(np.argmax),
    "max.other": CALLS["maximum"],
    "min": lambda x: np.min(x),
    "min.dim": _extreme(np.argmin),
    "min.other": CALLS["minimum"],
    "var": _spread_of(np.var, _unbiased),
    "std": _spread_of(np.std, _unbiased),
    "var.correction": _spread_of(np.var, _correction),
    "std.correction": _spread_of(np.std, _correction),
    "var_mean": _with_mean(_spread_of(np.var, _unbiased)),
    "var_mean.correction": _with_mean(_spread_of(np.var, _correction)),
    "std_mean": _with_mean(_spread_of(np.std, _unbiased)),
    "std_mean.correction": _with_mean(_spread_of(np.std, _correction)),
    "norm": _norm,
    "linalg_vector_norm": _norm,
    "linalg_norm": lambda x, p=None, dim=None, keepdim=False, dtype=None: _norm(x, p, dim, keepdim)
    if x.ndim < 2 or p is None else np.linalg.norm(x, p, axes_of(dim), keepdim),
    "linalg_matrix_norm": lambda x, p="fro", dim=(-2, -1), keepdim=False, dtype=None: np.linalg.norm(x, p, tuple(dim),
                                                                                                     keepdim),
    "cumsum": lambda x, dim, dtype=None: np.cumsum(_cast(x, dtype), axis=dim),
    "cumprod": lambda x, dim, dtype=None: np.cumprod(_cast(x, dtype), axis=dim),
    "logcumsumexp": lambda x, dim: np.logaddexp.accumulate(x, axis=dim),
    "diff": lambda x, n=1, dim=-1: np.diff(x, n, dim),
    "sort": lambda x, dim=-1, descending=False: sorted_along(x, dim, descending),
    "sort.stable": lambda x, stable=None, dim=-1, descending=False: sorted_along(x, dim, descending),
    "argsort": lambda x, dim=-1, descending=False: sorted_along(x, dim, descending)[1],
    "msort": lambda x: sorted_along(x, 0, False)[0],
    "topk": lambda x, k, dim=-1, largest=True, sorted=True: picked(sorted_along(x, dim, largest), slice(k), dim),
    "kthvalue": lambda x, k, dim=-1, keepdim=False: picked(sorted_along(x, dim, False), [k - 1] if keepdim else k - 1,
                                                           dim),
    "median": lambda x: np.quantile(x, 0.5, method="lower"),
    "median.dim": lambda x, dim, keepdim=False: picked(
        sorted_along(x, dim, False), [(x.shape[dim] - 1) // 2] if keepdim else (x.shape[dim] - 1) // 2, dim),
    **dict.fromkeys(("quantile.scalar", "quantile"), lambda x, q, dim=None, keepdim=False, interpolation="linear":
                    np.quantile(x, numbers_of(q), axis=dim, keepdims=keepdim, method=interpolation)),
    "aminmax": lambda x, dim=None, keepdim=False: (np.min(x, axis=dim, keepdims=keepdim),
                                                   np.max(x, axis=dim, keepdims=keepdim)),
    "dist": lambda x, other, p=2: _norm(x - other, p),
    # --- shapes
    "view": lambda x, size: np.reshape(x, tuple(size)),
    **dict.fromkeys(("reshape", "_unsafe_view", "_reshape_alias"), lambda x, shape, *_: np.reshape(x, tuple(shape))),
    **dict.fromkeys(("view_as", "reshape_as"), lambda x, other: np.reshape(x, other.shape)),
    "ravel": lambda x: np.reshape(x, (-1,)),
    "flatten": _flatten,
    "unflatten": _unflatten,
    "squeeze": _squeeze,
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), lambda x, a, b: np.swapaxes(x, a, b) if x.ndim else x),
    **dict.fromkeys(("t", "numpy_T"), lambda x: np.transpose(x)),
    "mT": lambda x: np.swapaxes(x, -1, -2),
    "matrix_H": lambda x: np.conj(np.swapaxes(x, -1, -2)),
    "_weight_norm": _weight_norm,
    "adjoint": lambda x: np.conjugate(np.swapaxes(x, -1, -2)),
    **dict.fromkeys(("movedim", "moveaxis"), lambda x, a, b: np.moveaxis(x, axes_of(a), axes_of(b))),
    "expand": _expand,
    "expand_as": lambda x, other: np.broadcast_to(x, other.shape),
    "broadcast_to": _expand,
    "broadcast_tensors": lambda xs: tuple(np.broadcast_arrays(*xs)),
    "repeat": _repeat,
    "repeat_interleave": lambda x, repeats, dim=None, **_: np.repeat(x, integer(repeats), axis=dim),
    "select": lambda x, dim, index: x[slices(x, dim, index)],
    "slice": lambda x, dim=0, start=None, end=None, step=1: x[slices(x, dim, slice(start, end, step))],
    "narrow": lambda x, dim, start, length: x[slices(x, dim, slice(start, start + length))],
    "index": lambda x, indices: x[index(indices)],
    "index_select": lambda x, dim, index: np.take(x, integer(index), axis=dim),
    "gather": lambda x, dim, at, **_: np.take_along_axis(x[tuple(slice(n) if i != dim % x.ndim else slice(None)
                                                                for i, n in enumerate(at.shape))], integer(at), dim),
    "take": lambda x, at: np.take(x, integer(at)),
    "take_along_dim": lambda x, indices, dim=None: np.take_along_axis(x, integer(indices), dim),
    "concat": CALLS["cat"],
    "concatenate": CALLS["cat"],
    "hstack": lambda xs: np.hstack(xs),
    "vstack": lambda xs: np.vstack(xs),
    "dstack": lambda xs: np.dstack(xs),
    **dict.fromkeys(("split", "split_with_sizes"), _split),
    **dict.fromkeys(("chunk", "unsafe_chunk"), _chunk),
    "tensor_split": lambda x, n, dim=0: tuple(np.array_split(x, n, axis=dim)),
    "unbind": lambda x, dim=0: tuple(np.moveaxis(x, dim, 0)),
    "roll": lambda x, shifts, dims=(): np.roll(x, axes_of(shifts), axes_of(dims)),
    "flip": lambda x, dims: np.flip(x, tuple(dims)),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "rot90": lambda x, k=1, dims=(0, 1): np.rot90(x, k, tuple(dims)),
    "tril": lambda x, k=0: np.tril(x, k),
    "triu": lambda x, k=0: np.triu(x, k),
    "diagonal": lambda x, k=0, a=0, b=1: np.diagonal(x, k, a, b),
    "diag": lambda x, diagonal=0: np.diag(x, diagonal),
    "diag_embed": lambda x, k=0, a=-2, b=-1: _diag_embed(x, k, a, b),
    "vander": lambda x, n=None, increasing=False: np.vander(x, n, increasing),
    "trapezoid": lambda y, x=None, dim=-1: np.trapezoid(y, x, axis=dim),
    "trapezoid.dx": lambda y, dx=1.0, dim=-1: np.trapezoid(y, dx=dx, axis=dim),
    "trace": lambda x: np.trace(x),
    "meshgrid": lambda xs, indexing="ij": tuple(np.meshgrid(*xs, indexing=indexing)),
    "unfold": lambda x, dimension, size, step: np.lib.stride_tricks.sliding_window_view(x, size, axis=dimension)[
        slices(x, dimension, slice(None, None, step))],
    "atleast_1d": np.atleast_1d,
    "atleast_2d": np.atleast_2d,
    "select_scatter": lambda x, src, dim, index: put(x, slices(x, dim, index), src),
    "slice_scatter": lambda x, src, dim=0, start=None, end=None, step=1: put(
        x, slices(x, dim, slice(start, end, step)), src),
    "index_put": _index_put,
    "scatter": _scatter,
    "scatter_add": lambda x, dim, index, src: placed(x, dim, integer(index), src, "sum"),
    "scatter_reduce": lambda x, dim, index, src, reduce, include_self=True: placed(
        x, dim, integer(index), src, reduce, include_self
    ),
    "index_add": lambda x, dim, index, source, alpha=1: _index_put(
        x, [*[None] * (dim % x.ndim), index], source * alpha, True),
    "index_copy": lambda x, dim, index, source: _index_put(x, [*[None] * (dim % x.ndim), index], source),
    "copy": lambda x, source, *_: np.broadcast_to(_cast(source, x.dtype), x.shape),
    "fill": lambda x, value: np.full(x.shape, numbers_of(value), x.dtype),
    "zero": lambda x: np.zeros(x.shape, x.dtype),
    # --- what changes nothing but where and as what the numbers are held
    **dict.fromkeys(("contiguous", "clone", "alias", "lift_fresh_copy", "lift_fresh", "requires_grad"),
                    lambda x, *_, **__: x),
    "detach": lambda x: x.detach() if isinstance(x, Tensor) else x,
    **dict.fromkeys(("to", "_to_copy"), _to),
    "type_as": _type_as,
    "sym_size": lambda x, dim: x.shape[dim],
    "sym_numel": lambda x: x.size,
    "item": lambda x: x.item(),
    "_local_scalar_dense": lambda x: x.item(),
    **dict.fromkeys(("_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_constrain_range_for_size"),
                    lambda *_, **__: None),
    # --- complex numbers
    **{f"fft_{name}": _transform(getattr(np.fft, name)) for name in (
        "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn",
        "irfftn")},
    "fft_fftshift": lambda x, dim=None: np.fft.fftshift(x, axes_of(dim)),
    "fft_ifftshift": lambda x, dim=None: np.fft.ifftshift(x, axes_of(dim)),
    "real": lambda x: np.real(x),
    "imag": lambda x: np.imag(x),
    "angle": lambda x: np.angle(x),
    **dict.fromkeys(("_conj", "conj", "conj_physical", "resolve_conj"), lambda x: np.conjugate(x)),
    "complex": lambda x, y: x + 1j * y,
    "view_as_real": lambda x: np.stack([np.real(x), np.imag(x)], axis=-1),
    "view_as_complex": lambda x: x[..., 0] + 1j * x[..., 1],
    # --- products and matrices
    "addmm": _addmm(np.matmul),
    "addmv": _addmm(np.matmul),
    "baddbmm": _addmm(np.matmul),
    "addbmm": _addmm(lambda a, b: np.sum(np.matmul(a, b), axis=0)),
    "addr": _addmm(np.outer),
    "block_diag": lambda xs: _block_diag([np.atleast_2d(x) for x in xs]),
    "einsum": lambda equation, operands, **_: CALLS["einsum"](equation, operands),
    "tensordot": lambda x, y, a, b: np.tensordot(x, y, (tuple(a), tuple(b))),
    "inner": like_numpy(np.inner),
    "vdot": like_numpy(np.vdot),
    "kron": like_numpy(np.kron),
    "cross": _cross,
    "linalg_cross": lambda x, y, dim=-1: np.cross(x, y, axis=dim),
    "linalg_inv": np.linalg.inv,
    "linalg_det": np.linalg.det,
    "logdet": _logdet,
    "linalg_slogdet": lambda x: tuple(np.linalg.slogdet(x)),
    "slogdet": lambda x: tuple(np.linalg.slogdet(x)),
    "linalg_solve": lambda a, b: np.linalg.solve(a, b),
    "linalg_cholesky": lambda x, upper=False: np.linalg.cholesky(x, upper=upper),
    "linalg_eigvalsh": lambda x, UPLO="L": np.linalg.eigvalsh(x, UPLO),
    "linalg_svdvals": lambda x: np.linalg.svd(x, compute_uv=False),
    "linalg_matrix_power": np.linalg.matrix_power,
    "matrix_power": np.linalg.matrix_power,
    "linalg_pinv": lambda x: np.linalg.pinv(x),
    "cdist": _cdist,
    "searchsorted": lambda edges, x, *, out_int32=False, right=False: np.searchsorted(
        integer(edges), integer(x), "right" if right else "left"),
    **LAYERS,
    **LIKE,
}  # fmt: skip
