"""The calls of NumPy and `nn.functional` that the operations of other libraries are, under one name each.

What an ATen or an ONNX operation of the same name and the same arguments is stands here once; `aten` and `onnx_rows`
have what takes its arguments in another way. There is nothing to differentiate: every call has its rule already.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.nests import numbers_of
from autograd.rules import elementwise, reductions
from nn import functional as F

__all__ = ["CALLS", "axes_of", "in_one_dtype", "integer", "like_numpy", "scipys"]

Call = Callable[..., Any]


def in_one_dtype(*operands: Any) -> tuple[Any, ...]:
    """Operands in the dtype of those of their kind that have axes: a scalar, or integers, change no dtype of others."""
    given = [x for x in operands if hasattr(x, "dtype")]
    floats = [x for x in given if x.dtype.kind in "fc"] or given
    wide = [x.dtype for x in floats if x.ndim] or [x.dtype for x in floats]
    if len({x.dtype for x in given}) < 2 or not wide:
        return operands
    dtype = np.result_type(*wide)
    return tuple(x.astype(dtype) if hasattr(x, "dtype") and x.dtype != dtype else x for x in operands)


def like_numpy(fn: Call) -> Call:
    """`fn` of operands brought to one dtype."""

    @wraps(fn)
    def call(*operands: Any) -> Any:
        return fn(*in_one_dtype(*operands))

    return call


def axes_of(dim: Any) -> Any:
    """Axes as NumPy takes them: an int, a tuple, None for all."""
    return (tuple(dim) or None) if isinstance(dim, list | tuple) else dim


def integer(x: Any) -> Any:
    """The numbers of an index."""
    return np.asarray(numbers_of(x)) if isinstance(x, Tensor | np.ndarray) else x


def scipys(name: str) -> Call:
    """A function of ``scipy.special``, which is loaded when it is called."""

    def call(*operands: Any) -> Any:
        try:
            from scipy import special
        except ImportError:
            raise ImportError(f"{name} needs SciPy: pip install scipy") from None
        return getattr(special, name)(*operands)

    call.__name__ = name
    return call


def _reducing(fn: Call) -> Call:
    def call(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return fn(x, axis=axes_of(dim), keepdims=bool(keepdim))

    call.__name__ = getattr(fn, "__name__", "reduce")
    return call


_NUMPYS: dict[str, Call] = {
    "abs": np.absolute, "absolute": np.absolute, "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin,
    "asinh": np.arcsinh, "atan": np.arctan, "atanh": np.arctanh, "ceil": np.ceil, "cos": np.cos, "cosh": np.cosh,
    "deg2rad": np.deg2rad, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "floor": np.floor,
    "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan, "log": np.log, "log10": np.log10,
    "log1p": np.log1p, "log2": np.log2, "logical_not": np.logical_not, "bitwise_not": np.bitwise_not,
    "neg": np.negative, "negative": np.negative, "positive": np.positive, "rad2deg": np.rad2deg,
    "reciprocal": np.reciprocal, "sgn": np.sign, "sign": np.sign, "signbit": np.signbit, "sin": np.sin,
    "sinc": np.sinc, "sinh": np.sinh, "sqrt": np.sqrt, "square": np.square, "tan": np.tan, "tanh": np.tanh,
    "trunc": np.trunc, "fix": np.trunc, "i0": np.i0,
    "inverse": np.linalg.inv, "det": np.linalg.det,
}  # fmt: skip

_OF_TWO: dict[str, Call] = {
    "mul": np.multiply, "matmul": np.matmul, "maximum": np.maximum, "minimum": np.minimum, "fmax": np.fmax,
    "fmin": np.fmin, "hypot": np.hypot, "copysign": np.copysign, "atan2": np.arctan2, "arctan2": np.arctan2,
    "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2, "floor_divide": np.floor_divide, "fmod": np.fmod,
    "remainder": np.remainder, "pow": np.power, "eq": np.equal, "ne": np.not_equal, "lt": np.less,
    "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "logical_and": np.logical_and,
    "logical_or": np.logical_or, "logical_xor": np.logical_xor, "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor, "heaviside": np.heaviside,
    "dot": np.dot, "mm": np.matmul, "bmm": np.matmul, "mv": np.matmul, "outer": np.outer,
}  # fmt: skip

_ACTIVATIONS = (
    "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "mish", "prelu",
    "relu", "relu6", "selu", "silu", "softplus", "softshrink", "softsign", "threshold", "log_softmax", "softmax",
)  # fmt: skip

_FUNCTIONS = (
    "linear", "bilinear", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "max_pool1d", "max_pool2d",
    "max_pool3d", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "cosine_similarity", "pairwise_distance", "pdist", "one_hot", "scaled_dot_product_attention", "rms_norm",
)  # fmt: skip

_REDUCTIONS: dict[str, Call] = {
    "sum": np.sum, "mean": np.mean, "amax": np.max, "amin": np.min, "prod": np.prod, "all": np.all, "any": np.any,
    "logsumexp": reductions.logsumexp, "nansum": np.nansum, "nanmean": np.nanmean, "argmax": np.argmax,
    "argmin": np.argmin, "count_nonzero": np.count_nonzero,
}  # fmt: skip

CALLS: dict[str, Call] = {
    **_NUMPYS,
    **{name: like_numpy(fn) for name, fn in _OF_TWO.items()},
    **{name: getattr(F, name) for name in (*_ACTIVATIONS, *_FUNCTIONS)},
    **{name: _reducing(fn) for name, fn in _REDUCTIONS.items()},
    "sigmoid": elementwise.sigmoid,
    "erf": elementwise.erf,
    "log_sigmoid": F.logsigmoid,
    "where": lambda condition, x, y: np.where(numbers_of(condition), *in_one_dtype(x, y)),
    "cumsum": lambda x, dim: np.cumsum(x, axis=dim),
    "cumprod": lambda x, dim: np.cumprod(x, axis=dim),
    "unsqueeze": lambda x, dim: np.expand_dims(x, axes_of(dim)),
    "permute": lambda x, dims: np.transpose(x, tuple(dims)),
    "cat": lambda tensors, dim=0: np.concatenate(in_one_dtype(*tensors), axis=dim),
    "stack": lambda tensors, dim=0: np.stack(in_one_dtype(*tensors), axis=dim),
    "tile": lambda x, dims: np.tile(x, tuple(dims)),
    "einsum": lambda equation, operands: np.einsum(equation, *in_one_dtype(*operands)),
    **{name: scipys(name) for name in ("erfc", "erfinv", "xlogy", "polygamma", "entr", "ndtri")},
    **{name: scipys(of) for name, of in {"lgamma": "gammaln", "digamma": "psi"}.items()},
}
