"""Where a value leaves the tape as a plain number or array: ``float(t)``, ``math.exp(t)``, ``X.dot(t)``.

Its history ends there. Inside a transform that is refused. Outside of one it is everyday use, ``float(loss)`` to print
it, so that only what goes on into a computation is warned of: a call of a function of `math` at once, and the very
number that ``float(t)`` gave where it becomes an operand.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np

from .bytecode import called, source_of
from .errors import has_rule
from .recording import DEPTH, SCOPE, located, next_seq

__all__ = ["NUMBERS", "not_an_array", "number_of", "number_taken", "used"]

NUMBERS: OrderedDict[int, tuple[float, str, Any, int]] = OrderedDict()
"""The latest numbers that ``float(t)`` gave, by their identity, each with the name of t and the place."""

_READ: dict[int, tuple[Any, Any, int, int]] = {}  # the leaves that were read as a number: where and when last
_MOST = 256
_NO_SLOPE = {"isnan", "isinf", "isfinite", "isclose", "floor", "ceil", "trunc"}


def number_of(tensor: Any, frame: Any) -> Any:
    """The one number in a Tensor that requires a gradient, for Python code that asked for it with ``float`` or `int`.

    Raises
    ------
    TypeError
        Inside a transform, where the result would be differentiated, and for ``np.float64(t)``.
    """
    if DEPTH.get():
        raise TypeError(
            "a Tensor that is being differentiated by can't silently become a number, as its history would be "
            "lost: use np.sin and its kin for math.sin, np.stack to build an array of Tensors, t.item() for the "
            "number alone"
        )
    value = tensor.item()
    if SCOPE.get() is None:
        return value
    call, callee = called(frame)
    if isinstance(callee, type) and issubclass(callee, np.generic):
        raise TypeError(not_an_array(frame))
    name = tensor.name or "a Tensor"
    short: str = getattr(callee, "__name__", "")
    if getattr(callee, "__module__", None) in ("math", "cmath") and short not in _NO_SLOPE:
        same = next((n for n in (short, "arc" + short[1:], {"fsum": "sum"}.get(short, "")) if hasattr(np, n)), None)
        _warn(
            f"{call}(...) takes the number in {name} alone, so that no gradient flows through it: "
            + (f"write np.{same}, or " if same else "")
            + f"{call}(t.item()) where the number alone is meant",
            frame,
        )
    elif isinstance(value, float):
        NUMBERS[id(value)] = value, name, frame.f_code, frame.f_lasti
        if len(NUMBERS) > _MOST:
            NUMBERS.popitem(last=False)
    if tensor.is_leaf:
        key = id(tensor)
        _READ[key] = weakref.ref(tensor, lambda _: _READ.pop(key, None)), frame.f_code, frame.f_lasti, next_seq()
    return value


def used(value: float) -> None:
    """Warn that a number of `NUMBERS` becomes an operand."""
    found = NUMBERS.pop(id(value), None)
    if found is not None and SCOPE.get() is not None:
        _, name, code, lasti = found
        source = source_of(code, lasti)
        _warn(
            f"the number that {source.expression or 'float(t)'} took from {name} at {source} becomes an operand here, "
            f"and no gradient flows through it to {name}: write the Tensor itself, or t.item() where the number alone "
            "is meant",
            sys._getframe(1),
        )


def number_taken(leaf: Any, root: Any) -> str:
    """A note on a leaf that was read as a number before a loss was computed; empty where it was not.

    Parameters
    ----------
    leaf, root : Node
    """
    tensor = leaf.holder() if leaf.holder is not None else None
    read, code, lasti, seq = _READ.get(id(tensor), (None, None, 0, 0))
    if read is None or read() is not tensor or not leaf.seq < seq < root.seq:
        return ""
    source = source_of(code, lasti)
    call = source.expression or "float(t)"
    return f"{call} at {source} took its number alone: no gradient flows through what came of it"


def not_an_array(frame: Any) -> str:
    """The sentence for a Tensor that would become an array: names what to write for a method of ndarray."""
    said = "a Tensor that requires a gradient can't silently become an array, as its history would be lost: "
    name = _of_scipy(frame)
    if name:
        return f"{said}scipy.{name} makes one of what it is given: write autograd.scipy.{name}, which is traced"
    call, callee = called(frame)
    owner, _, method = call.rpartition(".")
    if owner and hasattr(np.ndarray, method) and has_rule(method):
        whose = getattr(callee, "__objclass__", np.ndarray if callee is None else None)
        if whose is np.ndarray:
            write = f"{owner} @ t or np.dot({owner}, t)" if method == "dot" else f"np.{method}({owner}, t)"
            return f"{said}{call} is a method of the array, which knows no Tensors: write {write}"
    return said + "use t.data for the numbers; np.stack or np.concatenate to build a Tensor out of Tensors"


def _of_scipy(frame: Any) -> str:
    """The function or distribution of SciPy that a frame is inside of, of those that `autograd.scipy` has."""
    inside = None
    while frame is not None and frame.f_globals.get("__name__", "").startswith("scipy."):
        inside, frame = frame, frame.f_back
    if inside is None or frame is None:
        return ""
    kind = type(inside.f_locals.get("self")).__name__  # scipy.stats.norm is a norm_gen
    names = called(frame)[0].rpartition(".")[2], inside.f_code.co_name, kind.removesuffix("_gen")
    return next((f"{room}.{name}" for name in names for room, its in _IN_SCIPY.items() if name in its), "")


_IN_SCIPY = {
    "special": ("logsumexp", "softmax", "log_softmax", "polygamma", "multigammaln"),
    "linalg": ("sqrtm", "solve_triangular", "solve_banded", "solve_sylvester"),
    "signal": ("convolve",),
    "integrate": ("odeint",),
    "stats": ("norm", "t", "beta", "gamma", "chi2", "poisson", "dirichlet", "multivariate_normal"),
}


def _warn(message: str, frame: Any) -> None:
    """Once for each line of the user's program, as Python's own filter has it."""
    frame = located(frame)
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    file, name = frame.f_code.co_filename, frame.f_globals.get("__name__")
    warnings.warn_explicit(message, UserWarning, file, frame.f_lineno, name, registry)
