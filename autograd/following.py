"""What is computed from arrays that remember their record: they do so too, where it is done element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .masks import Mask, remembering
from .recording import SCOPE
from .registry import RULES
from .tensor import Tensor

__all__: list[str] = []

_MOST_STEPS = 8
"""A mask is forgotten after so many steps: one that a loop goes on with must not hold all that was ever compared."""
_FOLLOWED = frozenset({
    np.where, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to,
})  # fmt: skip
"""Functions whose results remember; all others give plain arrays."""


def _lifted(value: Any) -> Any:
    """An array that remembers its record as the Tensor that it is."""
    if not isinstance(value, Mask):
        return value
    tensor = object.__new__(Tensor)
    tensor._data = _bare(value) if value.ndim else _bare(value)[()]
    tensor._node = value.node
    return tensor


def _follow(call: Callable[..., Any], args: Any, kwargs: Any, plain: Any) -> Any:
    """NumPy's result of arrays alone, `plain`, as one that remembers how it was computed, if that can be recorded."""
    masks = [a for a in args if isinstance(a, Mask) and a.node is not None]
    steps = 1 + max((m.steps for m in masks), default=_MOST_STEPS)
    if steps > _MOST_STEPS or SCOPE.get() is None:
        return plain
    try:
        out = call(*map(_lifted, args), **kwargs)
    except Exception:  # whatever NumPy can compute and the tape can't is a plain array
        return plain
    node = getattr(out, "node", None)
    if node is None or (node.shape, node.dtype) != (plain.shape, plain.dtype):
        return plain
    mask = remembering(plain, node)
    mask.steps = steps
    return mask


def _mask_ufunc(self: Mask, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``Mask.__array_ufunc__``: NumPy's result; what is computed element by element remembers."""
    if any(hasattr(x, "_record") for x in inputs):
        return NotImplemented
    out = kwargs.pop("out", None)
    if out is not None:
        for array in out:
            if isinstance(array, Mask):
                array.node = None
        kwargs["out"] = tuple(map(_bare, out))
    plain = getattr(ufunc, method)(*map(_bare, inputs), **kwargs)
    if out is not None:
        return out[0] if len(out) == 1 else out
    numbers = getattr(plain, "dtype", None) is not None and (plain.ndim or plain.dtype == bool)
    if method != "__call__" or kwargs or ufunc not in RULES or not numbers:
        return plain
    return _follow(ufunc, inputs, kwargs, plain)


def _mask_function(self: Mask, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """``Mask.__array_function__``: NumPy's result; choices and new shapes remember."""
    if not all(issubclass(t, np.ndarray) for t in types):
        return NotImplemented
    plain = _bare(np.ndarray.__array_function__(self, func, types, args, kwargs))
    return _follow(func, args, kwargs, plain) if func in _FOLLOWED and isinstance(plain, np.ndarray) else plain


def _bare(array: Any) -> Any:
    return array.view(np.ndarray) if isinstance(array, Mask) else array


def _mask_method(name: str) -> Callable[..., Any]:
    method = getattr(np.ndarray, name)

    def call(self: Mask, *args: Any, **kwargs: Any) -> Any:
        plain = method(_bare(self), *args, **kwargs)
        return _follow(
            lambda tensor, *rest, **options: getattr(tensor, name)(*rest, **options), (self, *args), kwargs, plain
        )

    return call


for _name in ("astype", "reshape", "ravel", "transpose", "squeeze", "__getitem__"):
    setattr(Mask, _name, _mask_method(_name))
for _name, _method in (("__array_ufunc__", _mask_ufunc), ("__array_function__", _mask_function)):
    setattr(Mask, _name, _method)
Mask.T = property(lambda self: self.transpose())  # type: ignore[assignment]
