"""One row for each ONNX operator: the call of NumPy or `nn.functional` that it is, ``row(*inputs, **attributes)``.

An operator that has a namesake in `calls`, with operands in the same order, stands in `SAME` alone. Of an input that is
left out, None is given. https://onnx.ai/onnx/operators is what each of them is to give.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules import reductions
from nn import functional as F

from .calls import CALLS, Call, integer
from .onnx_layers import LAYERS
from .onnx_shapes import SHAPES, flattened, sequence
from .pieces import slices, sorted_along

__all__ = ["FLATTENING", "ROWS"]

SAME = {
    "Abs": "abs", "Acos": "acos", "Acosh": "acosh", "Asin": "asin", "Asinh": "asinh", "Atan": "atan", "Atanh": "atanh",
    "Ceil": "ceil", "Cos": "cos", "Cosh": "cosh", "Exp": "exp", "Floor": "floor", "IsNaN": "isnan", "Log": "log",
    "Neg": "neg", "Not": "logical_not", "BitwiseNot": "bitwise_not", "Reciprocal": "reciprocal", "Sign": "sign",
    "Sin": "sin", "Sinh": "sinh", "Sqrt": "sqrt", "Tan": "tan", "Tanh": "tanh", "Erf": "erf", "Sigmoid": "sigmoid",
    "Relu": "relu", "Softplus": "softplus", "Softsign": "softsign", "HardSwish": "hardswish", "Mish": "mish",
    "Mul": "mul", "MatMul": "matmul", "Equal": "eq", "Less": "lt", "LessOrEqual": "le",
    "Greater": "gt", "GreaterOrEqual": "ge", "And": "logical_and", "Or": "logical_or", "Xor": "logical_xor",
    "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor", "Where": "where",
    "Det": "det",
}  # fmt: skip


def _reduced(fn: Call) -> Call:
    """A reduction; with the axes as an input or as an attribute, and none for all of them, or for none."""

    def call(x: Any, axes_input: Any = None, *, axes: Any = None, keepdims: int = 1,
             noop_with_empty_axes: int = 0) -> Any:  # fmt: skip
        axes = sequence(axes if axes_input is None else axes_input)
        if not axes and noop_with_empty_axes:
            return fn(x, (), True)
        return fn(x, axes or None, bool(keepdims))

    return call


def _over(fn: Call) -> Call:
    """A reduction of NumPy's, which keeps the dtype."""

    def call(x: Any, axes: Any, keepdims: bool) -> Any:
        out = fn(x, axis=axes, keepdims=keepdims)
        return out if out.dtype == x.dtype else out.astype(x.dtype)

    return call


def _bounded(fn: Call) -> Call:
    """The largest, which of nothing is the least that there is."""

    def call(x: Any, axes: Any, keepdims: bool) -> Any:
        if x.dtype.kind == "b":
            return fn(x, axis=axes, keepdims=keepdims, initial=fn is np.min)
        if x.size:
            return fn(x, axis=axes, keepdims=keepdims)
        least = np.finfo(x.dtype) if x.dtype.kind == "f" else np.iinfo(x.dtype)
        initial = (-np.inf if x.dtype.kind == "f" else least.min) if fn is np.max else (
            np.inf if x.dtype.kind == "f" else least.max)  # fmt: skip
        return fn(numbers_of(x), axis=axes, keepdims=keepdims, initial=initial)

    return call


def _l2(x: Any, axes: Any, keepdims: bool) -> Any:
    out = np.sqrt(np.sum(x * x, axis=axes, keepdims=keepdims))
    return out if out.dtype == x.dtype else out.astype(x.dtype)


def _log_sum(x: Any, axes: Any, keepdims: bool) -> Any:
    with np.errstate(divide="ignore"):
        return np.log(np.sum(x, axis=axes, keepdims=keepdims))


def _best(fn: Call) -> Call:
    def call(x: Any, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Any:
        x = numbers_of(x)
        at = x.shape[axis] - 1 - fn(np.flip(x, axis), axis=axis) if select_last_index else fn(x, axis=axis)
        return np.expand_dims(at, axis) if keepdims else at

    return call


def _all(fn: Call) -> Call:
    def call(x: Any, *others: Any) -> Any:
        for other in others:
            x = fn(x, other)
        return x

    return call


def _divided(x: Any, y: Any) -> Any:
    if x.dtype.kind in "iu":
        with np.errstate(all="ignore"):
            whole = np.abs(x) // np.abs(y) if x.dtype.kind == "i" else x // y
            return (np.sign(x) * np.sign(y) * whole).astype(x.dtype)
    return np.true_divide(x, y)


def _power(x: Any, y: Any) -> Any:
    out = np.power(x if x.dtype.kind == "f" or y.dtype.kind != "f" else x.astype(np.float64), y)
    return out if out.dtype == x.dtype else out.astype(x.dtype)


def _clip(x: Any, low: Any = None, high: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (min if low is None else low), (max if high is None else high)
    out = x if low is None else np.maximum(x, low) if x.dtype.kind != "f" else np.clip(x, low, None)
    return out if high is None else np.minimum(out, high) if x.dtype.kind != "f" else np.clip(out, None, high)


def _to_dtype(x: Any, dtype: Any) -> Any:
    if x.dtype == dtype:
        return x
    with np.errstate(all="ignore"):
        return x.astype(dtype) if np.dtype(dtype).kind == "f" else np.asarray(numbers_of(x)).astype(dtype)


def _gemm(a: Any, b: Any, c: Any = None, *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0,
          ) -> Any:  # fmt: skip
    a = np.transpose(a) if transA else a
    if transB and alpha == 1 and beta == 1 and (c is None or c.ndim == 1):
        return F.linear(a, b, c)
    out = np.matmul(a, np.transpose(b) if transB else b)
    out = out if alpha == 1 else out * out.dtype.type(alpha)
    return out if c is None else out + (c if beta == 1 else c * c.dtype.type(beta))


def _cumulative(fn: Call, first: float) -> Call:
    def call(x: Any, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Any:
        axis = int(integer(axis)) % x.ndim
        x = np.flip(x, axis) if reverse else x
        if exclusive:
            start = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), first, x.dtype)
            x = np.concatenate([start, x[slices(x, axis, slice(None, -1))]], axis=axis)
        out = fn(x, axis=axis)
        out = out if out.dtype == x.dtype else out.astype(x.dtype)
        return np.flip(out, axis) if reverse else out

    return call


def _top_k(x: Any, k: Any = None, *, axis: int = -1, largest: int = 1, sorted: int = 1, **attributes: Any) -> Any:
    count = int(attributes["k"] if k is None else np.ravel(integer(k))[0])
    if x.dtype.kind == "u":
        values, at = sorted_along(x.astype(np.int64), axis, bool(largest))
        values = values.astype(x.dtype)
    else:
        values, at = sorted_along(x, axis, bool(largest))
    return values[slices(values, axis, slice(count))], at[slices(at, axis, slice(count))]


def _modulus(x: Any, y: Any, *, fmod: int = 0) -> Any:
    return np.fmod(x, y) if fmod else np.mod(x, y)


def _bit_shift(x: Any, n: Any, *, direction: str) -> Any:
    bits = x.dtype.itemsize * 8
    if direction == "LEFT":
        return np.where(n < bits, np.left_shift(x, np.minimum(n, bits - 1)), 0).astype(x.dtype)
    beyond = np.where(x < 0, -1, 0) if x.dtype.kind == "i" else 0
    return np.where(n < bits, np.right_shift(x, np.minimum(n, bits - 1)), beyond).astype(x.dtype)


def _is_inf(x: Any, *, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    x = numbers_of(x)
    return (np.isposinf(x) & bool(detect_positive)) | (np.isneginf(x) & bool(detect_negative))


def _constant(**value: Any) -> Any:
    ((name, given),) = value.items()
    dtype = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
    return np.asarray(given, dtype.get(name))


def _eye_like(x: Any, *, k: int = 0, dtype: Any = None) -> Any:
    rows, columns = x.shape
    return np.eye(rows, columns, k, x.dtype if dtype is None else dtype)


ROWS: dict[str, Call] = {
    **{name: CALLS[of] for name, of in SAME.items()},
    **LAYERS,
    # --- numbers
    "Add": lambda x, y: np.add(x, y),
    "Sub": lambda x, y: np.subtract(x, y),
    "Div": _divided,
    "Pow": _power,
    "Mod": _modulus,
    "Sum": _all(np.add),
    "Max": _all(np.maximum),
    "Min": _all(np.minimum),
    "Mean": lambda *xs: _all(np.add)(*xs) / xs[0].dtype.type(len(xs)),
    "Clip": _clip,
    "Round": lambda x: np.round(x),
    "IsInf": _is_inf,
    "BitShift": _bit_shift,
    "Cast": lambda x, *, to, saturate=1, round_mode="up": _to_dtype(x, to),
    "CastLike": lambda x, like, *, saturate=1, round_mode="up": _to_dtype(x, like.dtype),
    "Identity": lambda x: x,
    # --- reductions
    "ReduceSum": _reduced(_over(np.sum)),
    "ReduceMean": _reduced(_over(np.mean)),
    "ReduceProd": _reduced(_over(np.prod)),
    "ReduceMax": _reduced(_bounded(np.max)),
    "ReduceMin": _reduced(_bounded(np.min)),
    "ReduceL1": _reduced(lambda x, axes, keep: _over(np.sum)(np.abs(x), axes, keep)),
    "ReduceL2": _reduced(_l2),
    "ReduceSumSquare": _reduced(lambda x, axes, keep: _over(np.sum)(np.square(x), axes, keep)),
    "ReduceLogSum": _reduced(_log_sum),
    "ReduceLogSumExp": _reduced(lambda x, axes, keep: reductions.logsumexp(x, axis=axes, keepdims=keep)
                                if axes != () and x.size else _log_sum(x, axes, keep) if not x.size else x),
    "ArgMax": _best(np.argmax),
    "ArgMin": _best(np.argmin),
    "CumSum": _cumulative(np.cumsum, 0.0),
    "CumProd": _cumulative(np.cumprod, 1.0),
    "TopK": _top_k,
    **SHAPES,
    # --- new arrays
    "Constant": _constant,
    "ConstantOfShape": lambda shape, *, value=None: np.full(
        sequence(shape), np.float32(0) if value is None else value.reshape(-1)[0]),
    "EyeLike": _eye_like,
    "Range": lambda start, end, step: np.arange(integer(start), integer(end), integer(step), dtype=start.dtype),
    # --- products
    "Gemm": _gemm,
    "Einsum": lambda *xs, equation: np.einsum(equation, *xs),
}  # fmt: skip

FLATTENING = {
    name: lambda x, *, axis=1, row=LAYERS[name]: np.reshape(row(flattened(x, axis=axis), axis=1), x.shape)
    for name in ("Softmax", "LogSoftmax", "Hardmax")
}
"""Before opset 13 these took all axes from one on as one."""
