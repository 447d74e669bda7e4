"""ndarray's methods of `Tensor`: those that take other arguments than NumPy's functions, and those that are these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .forward import record
from .node import NO_OPTIONS
from .operands import settled
from .registry import METHODS, RULES, Rule
from .rules import elementwise, indexing, shapes
from .tensor import Tensor

__all__ = ["unary"]

_ELEMENTWISE = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "square", "reciprocal", "sin", "cos",
    "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "absolute",
    "conjugate",
)  # fmt: skip
_NUMBERS_ONLY = ("argmax", "argmin", "argsort", "any", "all", "nonzero")


def __getitem__(self: Tensor, index: Any) -> Tensor:
    return record(indexing.getitem.rule, (self,), {"index": settled(index, index=True)})


def reshape(self: Tensor, *shape: Any, order: str = "C") -> Tensor:
    """The same elements in another shape; one length may be -1."""
    if len(shape) == 1 and not isinstance(shape[0], int | np.integer):
        shape = tuple(shape[0])
    options = {"shape": shape} if order == "C" else {"shape": shape, "order": order}
    return self._record(RULES[np.reshape], (self,), options)


def view(self: Tensor, *shape: Any) -> Tensor:
    """`reshape`, by PyTorch's name."""
    return self.reshape(*shape)


def transpose(self: Tensor, *axes: Any) -> Tensor:
    """The axes in another order; reversed unless told."""
    if len(axes) == 1 and not isinstance(axes[0], int | np.integer):
        axes = () if axes[0] is None else tuple(axes[0])
    elif len(axes) == 2 and (self.ndim != 2 or axes[0] % 2 < axes[1] % 2):
        what = "leaves a matrix as it is" if self.ndim == 2 else f"does not order {self.ndim} axes"
        raise ValueError(
            f"transpose{axes} {what}, as NumPy reads it: write t.swapaxes{axes} to swap two axes, as PyTorch does, or "
            "transpose((...)) with a tuple for an order of all"
        )
    return self._record(RULES[np.transpose], (self,), {"axes": axes} if axes else NO_OPTIONS)


def flatten(self: Tensor, order: Any = "C", end_dim: int = -1, *, start_dim: int = 0) -> Tensor:
    """One axis with all the elements; as in PyTorch, from the axis `start_dim`, which may come first, to `end_dim`."""
    start, order = (start_dim, order) if isinstance(order, str) else (order, "C")
    if (start, end_dim) in ((0, -1), (0, self.ndim - 1)):
        return self.reshape(-1, order=order)
    start, end = start % self.ndim, end_dim % self.ndim
    return self.reshape(*self.shape[:start], -1, *self.shape[end + 1 :])


def copy(self: Tensor, order: str = "C") -> Tensor:
    """The same numbers as a recorded copy."""
    return +self


def clone(self: Tensor) -> Tensor:
    """`copy`, by PyTorch's name."""
    return +self


def clip(self: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Held between `min` and `max`."""
    return elementwise.clip(self, min, max)


def astype(self: Tensor, dtype: Any, copy: bool = True) -> Tensor:
    """In another dtype; the gradient comes back in this one."""
    return record(shapes.astype.rule, (self,), {"dtype": np.dtype(dtype)})


def round(self: Tensor, decimals: int = 0) -> Tensor:
    """Rounded; no gradient flows through."""
    return self._record(RULES[np.round], (self,), {"decimals": decimals})


def repeat(self: Tensor, *repeats: Any, **axis: Any) -> Any:
    """``np.repeat`` of the Tensor, with ``axis=``, which says that it is not PyTorch's `repeat`."""
    if len(repeats) != 1 or axis.keys() != {"axis"}:
        given = ", ".join(map(repr, repeats))
        raise TypeError(
            f"t.repeat({given}) is each element again in NumPy and the whole again in PyTorch: write "
            f"np.repeat(t, {given}) or t.repeat({given}, axis=None) for [a, a, b, b], "
            f"np.tile(t, {f'({given})' if len(repeats) > 1 else given}) for [a, b, a, b]"
        )
    return np.repeat(self, repeats[0], axis["axis"])


def compress(self: Tensor, condition: Any, axis: int | None = None, out: None = None) -> Any:
    """The slices along `axis` for which the condition holds."""
    return np.compress(condition, self, axis=axis, out=out)


def unary(rule: Rule) -> Callable[[Tensor], Tensor]:
    def method(self: Tensor) -> Tensor:
        return record(rule, (self,), NO_OPTIONS)

    method.__name__ = str(rule.name)
    method.__doc__ = f"``np.{rule.name}`` of every element."
    return method


def numpys(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options as NumPy names them: PyTorch's ``dim`` is ``axis``, its ``keepdim`` ``keepdims``."""
    if "dim" in options and name in ("max", "min"):
        raise TypeError(
            f"t.{name}(dim=…) gives values and their places in PyTorch: write t.{name}(axis=…) and t.arg{name}(axis=…)"
        )
    if "dim" in options and name in ("std", "var"):
        raise TypeError(
            f"t.{name}(dim=…) divides by N − 1 in PyTorch, and here by N: write t.{name}(axis=…, ddof=1) for "
            f"the first, t.{name}(axis=…) for the second"
        )
    for torchs, own in (("dim", "axis"), ("keepdim", "keepdims")):
        if torchs in options:
            if own in options:
                raise TypeError(f"{name}: {torchs} is {own} under another name: give one of the two")
            options[own] = options.pop(torchs)
    if isinstance(options.get("axis"), list):
        options["axis"] = tuple(options["axis"])
    return options


def _method(name: str) -> Callable[..., Any]:
    fn = getattr(np, name)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **(numpys(name, kwargs) if kwargs else kwargs))

    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = f"``np.{name}`` of the Tensor."
    return method


def _reducing(name: str) -> Callable[..., Any]:
    rule = RULES[getattr(np, name)]

    def method(
        self: Tensor, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False,
        initial: Any = None, where: Any = True, *, dim: Any = None, keepdim: bool | None = None,
    ) -> Any:  # fmt: skip
        if dim is not None or keepdim is not None:
            if (dim is not None and axis is not None) or (keepdim is not None and keepdims):
                raise TypeError(f"{name}: dim is axis and keepdim is keepdims under another name: give one of the two")
            axis, keepdims = (axis if dim is None else dim), bool(keepdims or keepdim)
        if out is not None:
            raise TypeError(f"{name}: out= is not traced; use the returned Tensor")
        if initial is not None or where is not True:
            more = {"where": where} if initial is None else {"where": where, "initial": initial}
            return getattr(np, name)(self, axis=axis, dtype=dtype, keepdims=keepdims, **more)
        if dtype is not None:
            return self.astype(dtype).__getattribute__(name)(axis, keepdims=keepdims)
        options: dict[str, Any] = {} if axis is None else {"axis": tuple(axis) if isinstance(axis, list) else axis}
        if keepdims:
            options["keepdims"] = True
        return record(rule, (self,), options)

    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = f"``np.{name}`` along `axis` (an int, a tuple of them, or None for all)."
    return method


for _own in (__getitem__, reshape, view, transpose, flatten, copy, clone, clip, astype, round, repeat, compress):
    _own.__qualname__ = f"Tensor.{_own.__name__}"
    _own.__annotations__.pop("self")
    setattr(Tensor, _own.__name__, _own)
for _name in ("sum", "mean"):
    setattr(Tensor, _name, _reducing(_name))
for _name in _ELEMENTWISE:
    setattr(Tensor, _name, unary(RULES[getattr(np, _name)]))
for _name, _same in (("abs", "absolute"), ("conj", "conjugate"), ("clamp", "clip")):
    setattr(Tensor, _name, getattr(Tensor, _same))
for _name in (
    "prod", "max", "min", "var", "std", "cumsum", "cumprod", "swapaxes", "squeeze", "ravel", "dot",
    "take", "trace", "diagonal", "choose", *_NUMBERS_ONLY,
):  # fmt: skip
    setattr(Tensor, _name, _method(_name))
METHODS.update(name for name, method in vars(Tensor).items() if getattr(method, "__module__", "") == __name__)
METHODS.update(("T", "mT", "real", "imag"))


def _prev(self: Tensor) -> Any:
    from .micrograd import operands_of

    return operands_of(self)


Tensor._prev = property(_prev, doc="The operands, as micrograd's drawing asks for them.")  # type: ignore[attr-defined]
Tensor._op = property(lambda self: "" if self.is_leaf else self.node.op)  # type: ignore[attr-defined]
