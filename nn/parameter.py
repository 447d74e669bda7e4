"""`Parameter`: a Tensor that training changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.tensor import PARAMETER

__all__ = ["Parameter", "forget_gradients"]


class Parameter(Tensor):
    """A Tensor that training changes; a Module finds those that are its attributes.

    Parameters
    ----------
    data : array_like of floating dtype
    requires_grad : bool, optional
        False freezes it.
    dtype : dtype, optional
    name : str, optional
        A layer names its unnamed parameters itself: W⁽¹⁾, b⁽¹⁾.
    copy : bool, optional
        False takes an array over without copying it.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, 2.0])
    >>> (w * w).sum().backward()
    >>> w.grad
    array([2., 4.])
    """

    __slots__ = ("_given_name",)
    _leaf_rule = PARAMETER

    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        *,
        dtype: Any = None,
        name: str | None = None,
        copy: bool = True,
    ):
        super().__init__(data, dtype, requires_grad, name, copy=copy)
        self._given_name: str | None = None

    def name_if_unnamed(self, name: str) -> None:
        """Name it, unless a user did."""
        if self.name is None or self.name == self._given_name:
            self.name = self._given_name = name

    def cast(self, dtype: Any) -> None:
        """Hold the same numbers, and the gradient, in another dtype; graphs that were recorded before keep theirs."""
        if self.dtype != dtype:
            self._hold(self._data.astype(dtype), None if self.grad is None else self.grad.astype(dtype))

    def resize(self, array: Any) -> None:
        """Hold an array of another shape, cast to the dtype, and no gradient."""
        self._hold(np.array(array, self.dtype), None)

    def _hold(self, array: Any, grad: Any) -> None:
        node = self.node
        self._data = array
        if isinstance(self._data, np.ndarray):
            self._data.setflags(write=False)
        fresh = self._set_leaf(node.needs_grad, None, node.holder)
        fresh.name, fresh.rule = node.name, node.rule
        self._grad = grad

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.data, self.requires_grad, self.name, self._given_name)

    def __repr__(self) -> str:
        return f"Parameter containing: {super().__repr__()}"


def forget_gradients(parameters: Iterable[Tensor], set_to_none: bool) -> None:
    """Make every ``.grad`` None; or 0 where there is one, if `set_to_none` is False."""
    for p in parameters:
        if set_to_none or p.grad is None:
            p.zero_grad()
        else:
            p.grad = np.zeros(p.shape, p.dtype)


def _rebuild(cls: type[Parameter], data: Any, requires_grad: bool, name: str | None, given: str | None) -> Parameter:
    parameter = cls(data, requires_grad, name=name)
    parameter._given_name = given
    return parameter
