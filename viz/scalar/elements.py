"""Arrays of single numbers that are recorded one by one: what a function is given to come out as a scalar graph.

NumPy computes with such an array as with any array of objects: sums and products of elements are recorded as such.
A function of single numbers (a ufunc) is recorded for each element as itself. Nothing here knows a derivative: an
operation of many numbers, a sum or a maximum, gets its gradient from the rule of the NumPy function that it is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from autograd import Tensor, primitive
from autograd.registry import RULES, Rule, defvjp_variadic

from ..formula.terms import recorded_total, total


@cache
def _operation(rule: Rule, ndim: int) -> Any:
    """A function of one array to one number (``np.max``), as an operation of so many numbers, with its own rule."""

    def of_terms(*terms: Any, **options: Any) -> Any:
        return rule.op(_together(terms, ndim), **options)

    def vjp(g: Any, out: Any, i: int, *terms: Any, **options: Any) -> Any:
        x = _together(terms, ndim)
        return rule.vjps[0](g, out, x, **options).reshape(-1)[i]  # type: ignore[misc]

    operation = primitive(of_terms, keeps_output=False)
    operation.rule.name = str(rule.name).removeprefix("window_")
    defvjp_variadic(operation, vjp, holomorphic=False)
    return operation


def _together(terms: tuple[Any, ...], ndim: int) -> Any:
    return np.stack(terms).reshape((1,) * (ndim - 1) + (len(terms),))


class Element:
    """One number on its way through a function: a 0-d Tensor, a constant, or a sum that is still growing."""

    __slots__ = ("_parts", "_value")

    def __init__(self, value: Any, parts: tuple[Element, Element] | None = None):
        self._value = value
        self._parts = parts

    @property
    def value(self) -> Any:
        """The 0-d Tensor or the constant; a sum is recorded when somebody asks for it, all its terms at once."""
        if self._parts is not None:
            terms = self._terms()
            traced = any(isinstance(t, Tensor) for t in terms)
            self._value = recorded_total(*terms) if len(terms) > 2 and traced else total(*terms)
            self._parts = None
        return self._value

    def _terms(self) -> list[Any]:
        terms, waiting = [], [self]
        while waiting:
            element = waiting.pop()
            if element._parts is None:
                terms.append(element._value)
            else:
                waiting += reversed(element._parts)
        return terms

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        if _is_nothing(other):
            return self
        return Element(None, (self, _element(other)))

    def __radd__(self, other: Any) -> Any:
        if _is_nothing(other):
            return self
        return Element(None, (_element(other), self))

    def __float__(self) -> float:
        return float(_number(self))

    def __bool__(self) -> bool:
        return bool(_number(self))

    def conjugate(self) -> Element:
        """A real number itself."""
        return self


def _is_nothing(number: Any) -> bool:
    """Whether it is the whole 0 that NumPy starts sums of objects from, or a False."""
    return number.__class__ in (int, bool) and not number


def _arithmetic(op: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: Element, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else Element(op(self.value, _value(other)))

    def reflected(self: Element, other: Any) -> Any:
        return Element(op(_value(other), self.value))

    return forward, reflected


def _unary(op: Callable[[Any], Any]) -> Callable[[Element], Element]:
    return lambda self: Element(op(self.value))


def _comparison(op: Callable[[Any, Any], Any]) -> Callable[[Element, Any], Any]:
    def compare(self: Element, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else op(_number(self), _number(other))

    return compare


for _name in ("sub", "mul", "truediv", "pow"):
    for _method, _function in zip(
        (f"__{_name}__", f"__r{_name}__"), _arithmetic(getattr(operator, _name)), strict=True
    ):
        setattr(Element, _method, _function)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Element, f"__{_name}__", _comparison(getattr(operator, _name)))
for _name in ("neg", "pos", "abs"):
    setattr(Element, f"__{_name}__", _unary(getattr(operator, _name)))
Element.__hash__ = object.__hash__  # type: ignore[method-assign]


def settled(element: Any, dtype: np.dtype[Any]) -> Any:
    """The 0-d Tensor that an element of a result is, or the constant, in the dtype of the result.

    What NumPy fills arrays of objects with, and what a choice takes from a plain array, are Python's own numbers.
    """
    while isinstance(element, np.ndarray) and element.dtype == object:
        element = element.item()
    value = _value(element)
    return value if isinstance(value, Tensor) else dtype.type(value)


def _element(value: Any) -> Element:
    return value if isinstance(value, Element) else Element(value)


def _value(element: Any) -> Any:
    return element.value if isinstance(element, Element) else element


def _number(element: Any) -> Any:
    value = _value(element)
    return value.data[()] if isinstance(value, Tensor) else value


class Elements(np.ndarray):
    """An array of `Element`: NumPy's functions on it are recorded number by number."""

    @classmethod
    def of(cls, values: Any) -> Elements:
        """The elements of an array of 0-d Tensors and constants."""
        values = np.asarray(values)
        out = np.empty(values.shape, object)
        for i, value in enumerate(values.flat):
            out.flat[i] = _element(value)
        return out.view(cls)

    @property
    def numbers(self) -> Any:
        """The plain numbers, of which nothing is recorded."""
        flat = [_number(element) for element in self.flat]
        return np.array(flat).reshape(self.shape)

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Each element in another dtype."""
        return each(lambda x: x.astype(dtype) if hasattr(x, "astype") else np.dtype(dtype).type(x), (self,))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if method == "__call__" and ufunc.signature is None and ufunc is not np.add:
            result = inputs[0] if _changes_nothing(ufunc, inputs) else each(ufunc, [_plain(x) for x in inputs])
        elif method == "reduce" and ufunc in _EXTREMES:
            result = reduced(RULES[_EXTREMES[ufunc]], self, options.get("axis"), bool(options.get("keepdims")))
        elif method == "reduce" and ufunc not in (np.add, np.multiply):
            result = ufunc.reduce(self.numbers, **options)
        elif method == "accumulate" and ufunc is np.add:
            result = _running_sum(self, options.get("axis", 0))
        else:
            plain = [np.asarray(x, object) for x in inputs] if method != "at" else [_stripped(x) for x in inputs]
            kept = {k: v for k, v in options.items() if k in ("axis", "axes", "keepdims")}
            found = getattr(ufunc, method)(*plain, **kept)
            result = None if method == "at" else _wrapped(found)
        if out is None:
            return result
        out[0][...] = result
        return out[0]


_EXTREMES = {np.maximum: np.max, np.minimum: np.min}
_OF_ONE = ("max", "min", "window_max")
"""Reductions that are of one number that number itself, and no operation."""


def _changes_nothing(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> bool:
    """Whether a ufunc gives real numbers themselves: as their conjugates, or divided by a count of 1."""
    return ufunc is np.conjugate or (ufunc is np.divide and np.ndim(inputs[1]) == 0 and _is_one(inputs[1]))


def _plain(x: Any) -> Any:
    """A count as Python's number, which leaves the dtype of the elements as it is."""
    return x.item() if isinstance(x, np.integer) else x


def _is_one(x: Any) -> bool:
    return isinstance(x, int | np.integer) and x == 1


def _stripped(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Elements) else x


def _wrapped(found: Any) -> Any:
    array = found if isinstance(found, np.ndarray) else np.array(found, object)
    return array.view(Elements) if array.dtype == object else array


def each(fn: Callable[..., Any], operands: Iterable[Any]) -> Any:
    """`fn` of every element, broadcast; an array of elements, or a plain one where nothing of it is recorded.

    Parameters
    ----------
    fn : callable
        Of 0-d Tensors and constants.
    operands : iterable of Elements, arrays, numbers and None
    """
    arrays = []
    for x in operands:
        held = x if isinstance(x, np.ndarray) else np.empty((), object)
        if held is not x:
            held[()] = x
        arrays.append(held)
    walk = np.broadcast(*arrays) if len(arrays) > 1 else arrays[0].flat
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    found = [fn(*(_value(x) for x in (xs if len(arrays) > 1 else (xs,)))) for xs in walk]
    if any(isinstance(x, Tensor) for x in found):
        out = np.empty(len(found), object)
        for i, x in enumerate(found):
            out[i] = Element(x)
        return out.reshape(shape).view(Elements)
    return np.array([np.asarray(x)[()] for x in found]).reshape(shape)


def reduced(rule: Rule, x: Any, axis: Any, keepdims: bool, ndim: int = 1, **options: Any) -> Elements:
    """A reduction whose every result is one operation of the elements that it is of, with the rule that it has.

    Parameters
    ----------
    rule : Rule
        Of the function.
    x : Elements
    axis : int, tuple of int or None
    keepdims : bool
    ndim : int
        Of the array that `rule` is of: of a row of elements, or of a window with one row.
    """
    axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in (axis if np.ndim(axis) else (axis,)))
    kept = [a for a in range(x.ndim) if a not in axes]
    rows = np.transpose(x, [*kept, *axes]).reshape(-1, int(np.prod([x.shape[a] for a in axes], dtype=int)))
    out = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        terms = [_value(e) for e in row]
        traced = any(isinstance(t, Tensor) for t in terms)
        if traced and len(terms) == 1 and rule.name in _OF_ONE:
            out[i] = Element(terms[0])
        else:
            out[i] = Element(
                _operation(rule, ndim)(*terms, **options) if traced else rule.op(np.array(terms), **options)
            )
    shape = [1 if a in axes else n for a, n in enumerate(x.shape) if keepdims or a not in axes]
    return out.reshape(shape).view(Elements)


def _running_sum(x: Elements, axis: int) -> Elements:
    rows = np.moveaxis(np.array(x.view(np.ndarray)), axis, 0)
    for i in range(1, len(rows)):
        for j in np.ndindex(rows.shape[1:]):
            rows[(i, *j)] = Element((rows[(i - 1, *j)] + rows[(i, *j)]).value)
    return np.moveaxis(rows, 0, axis).view(Elements)
