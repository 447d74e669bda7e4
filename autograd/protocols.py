"""How NumPy's own functions reach the tape: the array protocols of `Tensor`, as NEP 13 and NEP 18 define them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .coverage import public, status
from .errors import elsewhere, no_rule, point
from .forward import record
from .libraries import foreign, library_of
from .masks import remembering
from .node import NO_OPTIONS
from .operands import constant, settled
from .registry import COMPOSITES, INSTEAD, NUMBERS_ONLY, RULES, Rule
from .rules import reductions
from .rules.assembling import accumulated, folded, reduced_at
from .rules.elementwise import arrayed
from .tensor import Tensor

__all__: list[str] = []


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``Tensor.__array_ufunc__``: record what a ufunc does."""
    try:
        rule = RULES.get(ufunc)
        if len(inputs) == 1 and not kwargs and method == "__call__" and rule is not None and not rule.constant:
            return record(rule, inputs, NO_OPTIONS)
        out = kwargs.pop("out", None)
        if out is not None:
            raise TypeError(
                f"np.{ufunc.__name__} can't write a traced result into an array with out= or an in-place operator "
                "(array += tensor): write array = array + tensor"
            )
        if method != "__call__":
            return _ufunc_method(ufunc, method, inputs, kwargs)
        if kwargs.pop("where", True) is not True:
            raise TypeError(f"np.{ufunc.__name__}: where= is not traced; use np.where around the result")
        if ufunc is np.vecdot and kwargs:
            return np.linalg.vecdot(*inputs, **kwargs)
        dtype = kwargs.pop("dtype", None)
        for option in kwargs:
            raise TypeError(f"np.{ufunc.__name__}: the option {option}= is not traced")
        if dtype is not None:
            inputs = tuple(x.astype(dtype) if isinstance(x, Tensor) else np.asarray(constant(x), dtype) for x in inputs)
        rule = rule or _of_scipy(ufunc)
        if rule is None:
            if ufunc in COMPOSITES:
                return COMPOSITES[ufunc](*inputs)
            raise no_rule(ufunc)
        inputs = tuple(np.asarray(constant(x)) if isinstance(x, list | tuple) else x for x in inputs)
        return _constant(rule, inputs, {}) if rule.constant else record(rule, inputs, NO_OPTIONS)
    except Exception as error:
        point(error)
        raise


def array_function(self: Tensor, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """``Tensor.__array_function__``: record what any other NumPy function does."""
    try:
        if kwargs:
            if kwargs.get("out") is not None:
                raise TypeError(f"np.{func.__name__}: out= is not traced; use the returned Tensor")
            kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue and k != "out"}
        expression = COMPOSITES.get(func)
        if expression is not None:
            constant((*args, *kwargs.values()))
            return expression(*args, **kwargs)
        if func in NUMBERS_ONLY:
            return func(*_without_tensors(args), **_without_tensors(kwargs))
        rule = RULES.get(func)
        if rule is None:
            if public(func) is not func:
                return array_function(self, public(func), types, args, kwargs)
            raise no_rule(func)
        if kwargs or len(args) > len(rule.vjps):
            args, kwargs = rule.split_options(args, kwargs)
        if kwargs:
            if rule.beyond is not None and not all(map(rule.knows, kwargs)):
                return rule.beyond(*args, **kwargs)
            kwargs = _options(rule, kwargs)
        args = tuple([arrayed(a) for a in args])
        data = args[0]._data if args and args[0].__class__ is Tensor else self._data
        if data.__class__ is not np.ndarray and foreign(data):
            return _of_another_library(library_of(data), rule, args, kwargs)
        return _constant(rule, args, kwargs) if rule.constant else record(rule, args, kwargs)
    except Exception as error:
        point(error)
        raise


def _of_another_library(library: str, rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call on arrays of another library, which may not make NumPy's of them, as Dask does where it is lost."""
    if rule.fn in INSTEAD:
        return INSTEAD[rule.fn](*args, **kwargs)
    out = _constant(rule, args, kwargs) if rule.constant else record(rule, args, kwargs)
    if not foreign(_without_tensors(out)):
        raise TypeError(f"np.{rule.name}: {library} made a NumPy array of its own; {elsewhere(rule.name, library)}")
    return out


def record_call(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``Tensor._record``: record a call of a primitive."""
    try:
        if kwargs or len(args) > len(rule.vjps):
            args, kwargs = rule.split_options(args, kwargs)
            for name, value in kwargs.items():
                parts = value if isinstance(value, tuple | list) else (value,)
                if not rule.constant and any(isinstance(part, Tensor) and part.requires_grad for part in parts):
                    raise no_rule(rule.fn, f" for its operand {name}")
            kwargs = {name: settled(value) for name, value in kwargs.items()}
        if rule.constant:
            return _constant(rule, args, kwargs)
        return record(rule, args, kwargs)
    except Exception as error:
        point(error)
        raise


def _options(rule: Rule, options: dict[str, Any]) -> dict[str, Any]:
    """The options of a NumPy call as a record holds them: known to the rule, and of values that nobody changes."""
    kept = {}
    for name, value in options.items():
        if not rule.constant and not rule.knows(name):
            if value is None or value is np._NoValue:
                continue
            if name == "out":
                raise TypeError(f"np.{rule.name}: out= is not traced; use the returned Tensor")
            raise TypeError(f"np.{rule.name}: the option {name}={value!r} is not traced")
        if name == "order" and value not in ("C", "F"):
            raise TypeError(f"np.{rule.name}: order must be 'C' or 'F' on a Tensor, got {value!r}")
        if isinstance(value, Tensor) and value.requires_grad:
            raise TypeError(f"np.{rule.name}: no gradient flows through {name}=; give an array there (t.data)")
        kept[name] = settled(value)
    return kept


def _of_scipy(ufunc: np.ufunc) -> Rule | None:
    """The row of a function of ``scipy.special``, whose rules are read when one is first called."""
    if "scipy.special" not in sys.modules:
        return None
    from .rules import special  # noqa: F401

    return RULES.get(ufunc)


def _constant(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function whose derivative is zero: floating-point results are recorded, others are arrays, which remember
    their record where they are truth values."""
    out = record(rule, args, kwargs)
    if out.dtype == bool:
        return remembered(out)
    return out if out.dtype.kind in "fc" else out._data


def remembered(out: Any) -> Any:
    """What was recorded, as a plain array that remembers its record; a plain array where recording is off."""
    data, node = out._data, out._node
    return data if node is None else remembering(data, node)


def _without_tensors(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._data
    if isinstance(value, dict):
        return {k: _without_tensors(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_without_tensors(v) for v in value)
    return value


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min, "logaddexp": reductions.logsumexp,
    "logical_and": np.all, "logical_or": np.any,
}  # fmt: skip
_RUNNING: dict[str, Callable[..., Any]] = {"add": np.cumsum, "multiply": np.cumprod}


def _ufunc_method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``np.add.reduce`` and its kin, as the functions that they are, or as the calls that they are made of."""
    x, *rest = inputs
    options = {k: v for k, v in kwargs.items() if v is not np._NoValue and (v is not None or k == "axis")}
    if status(ufunc) == "values" and method != "at":
        return getattr(ufunc, method)(*_without_tensors(inputs), **_without_tensors(options))
    if method in ("reduce", "accumulate"):
        options = {"axis": 0, **dict(zip(("axis",), rest, strict=False)), **options}
        named = (_REDUCTIONS if method == "reduce" else _RUNNING).get(ufunc.__name__)
        if named is not None:
            return named(x, **options)
        return (folded if method == "reduce" else accumulated)(ufunc, arrayed(x), **options)
    if method == "reduceat":
        return reduced_at(ufunc, arrayed(x), *rest, **options)
    if method == "outer":
        x, y = arrayed(x), arrayed(rest[0])
        return ufunc(np.reshape(x, x.shape + (1,) * y.ndim), y, **options)
    raise no_rule(ufunc, f" for ufunc.{method}, which writes into an array: write autograd.set_at or np.bincount")


for _name, _function in (
    ("__array_ufunc__", array_ufunc),
    ("__array_function__", array_function),
    ("_record", staticmethod(record_call)),
):
    setattr(Tensor, _name, _function)
