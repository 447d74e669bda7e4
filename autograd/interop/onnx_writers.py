"""One row for each operation of the tape: the ONNX nodes that compute it.

What has a namesake in ONNX, with the operands in the same order, stands in one of the lists; the other rows are
functions of the file that is being written and of the record (with its twin of another run).
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Node
from autograd.registry import RULES, Rule
from autograd.rules import elementwise, linalg, norms, reductions, windows

from .calls import CALLS
from .onnx_rows import SAME
from .onnx_shape_writers import SHAPE_WRITERS
from .onnx_twins import Differs, Twins, Writer, axes_input, unwritten

__all__ = ["WRITERS"]


def _operand_dtype(at: Twins) -> Any:
    """What operands are brought to: NumPy's result of those that are arrays."""
    given = [x for x in at.node.operands if hasattr(x, "dtype")]
    return np.result_type(*(x.dtype for x in given)) if given else None


def _same_name(op: str) -> Writer:
    """A node of the same operands."""

    def write(file: Any, at: Twins) -> str:
        truths = op in ("And", "Or", "Xor", "Not")
        compares = at.node.dtype.kind == "b" and not truths
        dtype = bool if truths else _operand_dtype(at) if compares else at.node.dtype
        return str(file.node(op, [file.operand(at, i, dtype) for i in range(len(at.node.operands))]))

    return write


def _numbers(file: Any, at: Twins, *numbers: float) -> list[str]:
    """Numbers in the dtype of a record."""
    return [file.array(np.array(x, at.node.dtype)) for x in numbers]


def _of(formula: Callable[..., Any]) -> Writer:
    """A formula of one operand: ``formula(n, x, c)``, which calls ``n("Exp", x)`` and has numbers by ``c(1)``."""

    def write(file: Any, at: Twins) -> str:
        operands = [file.operand(at, i, at.node.dtype) for i in range(len(at.node.operands))]
        n = lambda op, *inputs, **attributes: file.node(op, list(inputs), **attributes)
        return str(formula(n, *operands, lambda x: _numbers(file, at, x)[0]))

    return write


def _reduced(op: str) -> Writer:
    def write(file: Any, at: Twins) -> str:
        x = file.operand(at, 0, at.node.dtype if at.node.dtype.kind == "f" else None)
        keep = int(bool(at.option("keepdims", False)))
        return str(file.node(op, [x, *axes_input(file, at, at.ndim)], keepdims=keep))

    return write


def _spread(root: bool) -> Writer:
    """Variance and standard deviation: the mean of squares, made to divide by N − ddof."""

    def write(file: Any, at: Twins) -> str:
        x, axes = file.operand(at, 0), axes_input(file, at, at.ndim)
        mean = file.node("ReduceMean", [x, *axes], keepdims=1)
        apart = file.node("Sub", [x, mean])
        out = file.node("ReduceMean", [file.node("Mul", [apart, apart]), *axes],
                        keepdims=int(bool(at.option("keepdims", False))))  # fmt: skip
        freedom = at.option("correction")
        freedom = at.option("ddof", 0) if freedom is None else freedom
        if freedom:
            n, m = (float(np.prod(t.operands[0].shape) / max(np.prod(t.shape), 1)) for t in at[:2])
            if n != m:
                raise Differs(f"how many numbers {at.node.op} ({at.node.source}) is over")
            out = file.node("Mul", [out, *_numbers(file, at, n / (n - freedom))])
        return str(file.node("Sqrt", [out]) if root else out)

    return write


def _norm(file: Any, at: Twins) -> str:
    p = at.option("p", 2)
    if p not in (1, 2):
        raise unwritten(at.node, f"norm of order {p}")
    return _reduced("ReduceL2" if p == 2 else "ReduceL1")(file, at)


def _along(op: str) -> Writer:
    """Of one axis, as an attribute."""
    return lambda file, at: str(file.node(op, [file.operand(at, 0)], axis=int(at.option("axis", -1))))


def _log_sum_exp(file: Any, at: Twins) -> str:
    return _reduced("ReduceLogSumExp")(file, at)


def _clip(file: Any, at: Twins) -> str:
    out = file.operand(at, 0)
    for i, op in ((1, "Max"), (2, "Min")):
        if at.node.operands[i] is not None:
            out = file.node(op, [out, file.operand(at, i, at.node.dtype)])
    return str(out)


def _where(file: Any, at: Twins) -> str:
    return str(file.node("Where", [file.operand(at, 0, bool), *(file.operand(at, i, at.node.dtype) for i in (1, 2))]))


# --- products ---------------------------------------------------------------------------------------------------------


def _inner(file: Any, at: Twins) -> str:
    """x Wᵀ over the last axes: of a matrix W, as `nn.functional.linear` has it."""
    x, w = (file.operand(at, i, at.node.dtype) for i in (0, 1))
    if len(at.node.operands[1].shape) != 2:
        return _summed(file, at, *_last_axes(at))
    return str(file.node("MatMul", [x, file.node("Transpose", [w], perm=[1, 0])]))


def _last_axes(at: Twins) -> tuple[list[int], list[int]]:
    return [len(at.node.operands[0].shape) - 1], [len(at.node.operands[1].shape) - 1]


def _summed(file: Any, at: Twins, left: list[int], right: list[int]) -> str:
    """Two operands multiplied and summed over pairs of axes."""
    n, m = (len(at.node.operands[i].shape) for i in (0, 1))
    first, second = list(string.ascii_lowercase[:n]), list(string.ascii_uppercase[:m])
    for a, b in zip(left, right, strict=True):
        second[b] = first[a]
    out = [c for i, c in enumerate(first) if i not in left] + [c for i, c in enumerate(second) if i not in right]
    equation = f"{''.join(first)},{''.join(second)}->{''.join(out)}"
    return str(file.node("Einsum", [file.operand(at, i, at.node.dtype) for i in (0, 1)], equation=equation))


def _dot(file: Any, at: Twins) -> str:
    n, m = (np.ndim(x) if not isinstance(x, Node) else x.ndim for x in at.node.operands)
    if not n or not m:
        return str(file.node("Mul", [file.operand(at, i, at.node.dtype) for i in (0, 1)]))
    if m > 2:
        return _summed(file, at, [n - 1], [m - 2])
    return str(file.node("MatMul", [file.operand(at, i, at.node.dtype) for i in (0, 1)]))


def _tensordot(file: Any, at: Twins) -> str:
    axes = at.option("axes", 2)
    n = len(at.node.operands[0].shape)
    if not np.iterable(axes):
        return _summed(file, at, list(range(n - axes, n)), list(range(axes)))
    left, right = ([int(i) for i in (a if np.iterable(a) else (a,))] for a in axes)
    m = len(at.node.operands[1].shape)
    return _summed(file, at, [i % n for i in left], [i % m for i in right])


def _einsum(file: Any, at: Twins) -> str:
    operands = [file.operand(at, i, at.node.dtype) for i in range(len(at.node.operands))]
    return str(file.node("Einsum", operands, equation=at.option("subscripts")))


# --- windows: a view of images, which ONNX has only within what is computed from it -----------------------------------


def _slid(file: Any, at: Twins) -> tuple[str, dict[str, Any]]:
    """The images, and how a kernel slides over them."""
    seen = at.parents(0)
    if not isinstance(seen.node, Node) or seen.node.rule is not windows.windows.rule:
        raise unwritten(at.node, f"{at.node.op} of other windows")
    sliding = {"kernel_shape": list(seen.option("kernel_size")), "strides": list(seen.option("stride", (1, 1)))}
    return file.operand(seen, 0), {**sliding, "dilations": list(seen.option("dilation", (1, 1)))}


def _conv(file: Any, at: Twins) -> str:
    x, sliding = _slid(file, at)
    return str(file.node("Conv", [x, file.operand(at, 1, at.node.dtype)], group=int(at.option("groups", 1)), **sliding))


def _max_pool(file: Any, at: Twins) -> str:
    x, sliding = _slid(file, at)
    return str(file.node("MaxPool", [x], **sliding))


def _mean_pool(file: Any, at: Twins) -> str:
    x, sliding = _slid(file, at)
    if sliding.pop("dilations") != [1, 1]:
        raise unwritten(at.node, "the mean of windows with gaps")
    return str(file.node("AveragePool", [x], **sliding))


def _conv_transpose(file: Any, at: Twins) -> str:
    made = at.parents(0)
    if not isinstance(made.node, Node) or made.node.rule is not windows.window_product_windows.rule:
        raise unwritten(at.node, f"{at.node.op} of other windows")
    options = {"strides": list(at.option("stride", (1, 1))), "dilations": list(at.option("dilation", (1, 1)))}
    x, weight = file.operand(made, 0), file.operand(made, 1)
    size = list(at.node.shape[2:])
    if size != list(at.twin.shape[2:]):
        raise Differs(f"the size of what {at.node.op} ({at.node.source}) makes")
    kernel = made.node.operands[1].shape[2:]
    each = zip(made.node.operands[0].shape[2:], options["strides"], options["dilations"], kernel, size, strict=True)
    extra = [n - ((m - 1) * s + d * (k - 1) + 1) for m, s, d, k, n in each]
    return str(file.node("ConvTranspose", [x, weight], group=int(made.option("groups", 1)), output_padding=extra,
                         **options))  # fmt: skip


def _nothing(file: Any, at: Twins) -> str:
    """A view that is written where it is used."""
    return ""


_OTHER_NAMES = {
    "Relu": elementwise.relu, "Sigmoid": elementwise.sigmoid, "Erf": elementwise.erf, "Div": np.divide, "Add": np.add,
    "Sub": np.subtract, "Pow": np.power, "Max": np.maximum, "Min": np.minimum, "Round": np.round, "Mul": np.multiply,
    "Abs": np.absolute, "Equal": np.equal, "Less": np.less, "LessOrEqual": np.less_equal, "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal, "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor,
    "MatMul": np.matmul, "Identity": np.positive,
}  # fmt: skip
_UNARY = (
    "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Exp", "Floor", "IsNaN", "Log", "Neg",
    "Not", "Reciprocal", "Sign", "Sin", "Sinh", "Sqrt", "Tan", "Tanh", "Det",
)  # fmt: skip


def _rules() -> dict[Any, Writer]:
    found: dict[Any, Writer] = {CALLS[SAME[op]]: _same_name(op) for op in _UNARY}
    found |= {fn: _same_name(op) for op, fn in _OTHER_NAMES.items()}
    found |= {
        np.rint: _same_name("Round"), np.conjugate: _same_name("Identity"), np.fabs: _same_name("Abs"),
        np.square: _of(lambda n, x, c: n("Mul", x, x)),
        np.exp2: _of(lambda n, x, c: n("Pow", c(2), x)),
        np.expm1: _of(lambda n, x, c: n("Sub", n("Exp", x), c(1))),
        np.log1p: _of(lambda n, x, c: n("Log", n("Add", x, c(1)))),
        np.log2: _of(lambda n, x, c: n("Div", n("Log", x), c(np.log(2)))),
        np.log10: _of(lambda n, x, c: n("Div", n("Log", x), c(np.log(10)))),
        np.cbrt: _of(lambda n, x, c: n("Mul", n("Sign", x), n("Pow", n("Abs", x), c(1 / 3)))),
        np.trunc: _of(lambda n, x, c: n("Mul", n("Sign", x), n("Floor", n("Abs", x)))),
        np.not_equal: lambda file, at: file.node("Not", [_same_name("Equal")(file, at)]),
        np.hypot: _of(lambda n, x, y, c: n("Sqrt", n("Add", n("Mul", x, x), n("Mul", y, y)))),
        np.logaddexp: _of(lambda n, x, y, c: n(
            "Add", n("Max", x, y), n("Log", n("Add", n("Exp", n("Neg", n("Abs", n("Sub", x, y)))), c(1))))),
        np.sum: _reduced("ReduceSum"), np.mean: _reduced("ReduceMean"), np.prod: _reduced("ReduceProd"),
        np.max: _reduced("ReduceMax"), np.min: _reduced("ReduceMin"), np.var: _spread(False), np.std: _spread(True),
        norms.norm: _norm, reductions.logsumexp: _log_sum_exp, reductions.softmax: _along("Softmax"),
        reductions.log_softmax: _along("LogSoftmax"), elementwise.clip: _clip, elementwise.where: _where,
        np.cumsum: lambda file, at: file.node("CumSum", [file.operand(at, 0), file.array(np.array(at.option("axis")))]),
        np.inner: _inner, np.dot: _dot, np.tensordot: _tensordot, linalg.einsum: _einsum,
        np.outer: lambda file, at: _summed(file, at, [], []),
        windows.windows: _nothing, windows.window_product_windows: _nothing, windows.window_product: _conv,
        windows.window_max: _max_pool, windows.window_mean: _mean_pool, windows.fold_windows: _conv_transpose,
    }  # fmt: skip
    return found | SHAPE_WRITERS


WRITERS: dict[Rule, Writer] = {getattr(fn, "rule", None) or RULES[fn]: write for fn, write in _rules().items()}
