"""The operators of `Tensor`, the hot path: `_operator` writes out what `record` does for any function."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .conjugates import for_complex
from .errors import explain, updated_in_place
from .forward import record
from .leaving import NUMBERS, used
from .libraries import foreign
from .masks import Mask
from .methods import unary
from .node import FLOAT64, NO_OPTIONS, Node
from .operands import constant
from .protocols import remembered
from .recording import IS_HIDDEN, SCOPE, next_seq
from .registry import RULES, Rule
from .tensor import Tensor

__all__: list[str] = []

float64 = np.float64
_new = object.__new__
_getframe = sys._getframe
_current_scope = SCOPE.get
_FLOAT32 = np.dtype(np.float32)
_OPERANDS = (int, float, complex, np.ndarray, np.generic, list, tuple)


def _operator(fn: np.ufunc, op: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """A binary operator of `Tensor` and its reflected form. Written out: this is the hot path."""
    rule = RULES[fn]
    rule.op = op
    rule.fixed = True
    (out_for_x, read_for_x), (out_for_y, read_for_y) = rule.reads(0), rule.reads(1)
    assert read_for_x is not None and read_for_y is not None
    x_for_x, y_for_x = 0 in read_for_x, 1 in read_for_x
    x_for_y, y_for_y = 0 in read_for_y, 1 in read_for_y
    hidden = IS_HIDDEN

    def forward(self: Tensor, other: Any) -> Any:
        x = self._data
        cls = other.__class__
        if cls is Tensor or isinstance(other, Tensor):
            y = other._data
            yn = other._node
            if yn is None:
                yn = other._set_leaf(False)
        elif cls is float or cls is int:
            y = yn = other
            if NUMBERS and id(other) in NUMBERS:
                used(other)
        elif isinstance(other, _OPERANDS):
            y = other if other.__class__ in (Mask, complex) else np.asarray(constant(other))
            return record(rule, (self, y), NO_OPTIONS)
        elif foreign(other):
            return record(rule, (self, other), NO_OPTIONS)
        else:
            return NotImplemented
        try:
            data = op(x, y)
        except Exception as error:
            explain(rule, (self, other), error)
            raise
        scope = _current_scope()
        tensor = _new(Tensor)
        tensor._data = data
        if scope is None:
            tensor._node = None
            return tensor
        xn = self._node
        if xn is None:
            xn = self._set_leaf(False)
        tensor._node = node = Node()
        node.rule = rule
        node.args = (xn, yn)
        node.kwargs = NO_OPTIONS
        node.kept = None
        if data.__class__ is float64:
            node.shape = ()
            node.dtype = FLOAT64
        else:
            node.shape = data.shape
            node.dtype = dtype = data.dtype
            if dtype is not FLOAT64 and dtype is not _FLOAT32 and dtype.kind == "c":
                node.rule = for_complex(rule)
        node.seq = next_seq()
        node.scope = scope
        node.name = node.holder = None
        needs = False
        if xn.needs_grad:
            needs = True
            if out_for_x:
                node.kept = data
            if x_for_x:
                xn.kept = x
            if y_for_x and y is not yn:
                yn.kept = y
        if y is not yn and yn.needs_grad:
            needs = True
            if out_for_y:
                node.kept = data
            if x_for_y:
                xn.kept = x
            if y_for_y:
                yn.kept = y
        node.needs_grad = needs
        frame: Any = _getframe(1)
        code = frame.f_code
        while hidden[code.co_filename] and frame.f_back is not None:
            frame = frame.f_back
            code = frame.f_code
        node.code = code
        node.byte = frame.f_lasti
        return tensor

    def reflected(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERANDS):
            if other.__class__ is complex:  # 1j * np.float64(1) is Python's, and no array
                other = np.result_type(self._data, np.complex64).type(other)
            as_it_is = isinstance(other, int | float | complex | Mask)
            return record(rule, (other if as_it_is else np.asarray(constant(other)), self), NO_OPTIONS)
        return record(rule, (other, self), NO_OPTIONS) if foreign(other) else NotImplemented

    forward.__name__ = f"__{op.__name__}__"
    reflected.__name__ = f"__r{op.__name__}__"
    return forward, reflected


def _set_operators() -> None:
    for name, fn, op in (
        ("add", np.add, operator.add),
        ("sub", np.subtract, operator.sub),
        ("mul", np.multiply, operator.mul),
        ("truediv", np.divide, operator.truediv),
        ("pow", np.power, operator.pow),
        ("matmul", np.matmul, operator.matmul),
        ("mod", np.remainder, operator.mod),
    ):
        forward, reflected = _operator(fn, op)
        setattr(Tensor, f"__{name}__", forward)
        setattr(Tensor, f"__r{name}__", reflected)
    for name, compared, op in (
        ("lt", np.less, operator.lt), ("le", np.less_equal, operator.le), ("gt", np.greater, operator.gt),
        ("ge", np.greater_equal, operator.ge), ("eq", np.equal, operator.eq), ("ne", np.not_equal, operator.ne),
    ):  # fmt: skip
        setattr(Tensor, f"__{name}__", _comparison(RULES[compared], op))
    whole: tuple[tuple[str, np.ufunc | None], ...] = (("floordiv", np.floor_divide), ("divmod", None))
    for name, quotient in whole:
        setattr(Tensor, f"__{name}__", _whole(quotient, False))
        setattr(Tensor, f"__r{name}__", _whole(quotient, True))
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv"):
        setattr(Tensor, f"__i{name}__", _in_place(getattr(Tensor, f"__{name}__")))
    Tensor.__round__ = lambda self, decimals=0: self.round(decimals)  # type: ignore[attr-defined]
    for name, function in (("neg", np.negative), ("pos", np.positive), ("abs", np.absolute)):
        setattr(Tensor, f"__{name}__", unary(RULES[function]))


def _in_place(forward: Callable[[Tensor, Any], Any]) -> Callable[[Tensor, Any], Any]:
    """``t -= x`` is ``t = t - x``. Where recording is off, a leaf that requires a gradient stays what it is and gets
    new data, as in PyTorch; where it is on, such an update of one that has a gradient is refused."""

    def update(self: Tensor, other: Any) -> Any:
        if not self.requires_grad or not self.is_leaf:
            return forward(self, other)
        if _current_scope() is None:
            result = forward(self, other)
            if result is not NotImplemented:
                self.be_learned()
                self.rebind(result)
                result = self
            return result
        if self.grad is not None:
            raise updated_in_place(self.name or "w")
        return forward(self, other)

    return update


def _whole(fn: np.ufunc | None, reflected: bool) -> Callable[[Tensor, Any], Any]:
    """``//`` and, without `fn`, ``divmod``: no gradient flows through whole quotients, that of ``%`` does."""

    def divide(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (*_OPERANDS, Tensor)):
            return NotImplemented
        x, y = (other, self) if reflected else (self, other)
        return (np.floor_divide(x, y), np.remainder(x, y)) if fn is None else fn(x, y)

    return divide


def _comparison(rule: Rule, op: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    def compare(self: Tensor, other: Any) -> Any:
        numbers = isinstance(other, Tensor | int | float | complex | np.ndarray | np.generic)
        if numbers and _current_scope() is not None and getattr(other, "dtype", FLOAT64).kind in "fiubc":
            return remembered(record(rule, (self, other), NO_OPTIONS))
        return op(self._data, other._data if isinstance(other, Tensor) else constant(other))

    return compare


_set_operators()
