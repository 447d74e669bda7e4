"""`Tensor`, a NumPy array that remembers how it was made.

Its operators are in `operators`, ndarray's methods in `methods`, NumPy's protocols in `protocols`, Python's in
`conduct`.
"""

from __future__ import annotations

import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .backward import Step, sweep
from .bytecode import reads_for_update
from .conduct import Conduct
from .errors import describe, not_settable
from .libraries import foreign
from .node import LEAF, NO_OPTIONS, VARIABLE, Node
from .operands import PLAIN, as_array, constant, plain
from .recording import DEPTH, ROOT, SCOPE, enable_grad, next_seq
from .registry import Rule
from .tape import seed_for

__all__ = ["Tensor", "lift"]

PARAMETER = Rule(lambda: None, "parameter")  # in the place of a rule, on a leaf that training changes
_new = object.__new__
_getframe = sys._getframe
_current_scope = SCOPE.get


class Tensor(Conduct):
    """An array on the tape.

    Parameters
    ----------
    data : array_like
        Numbers, real or complex, of any shape. A writable array is copied: what a Tensor holds never changes under
        it. A Tensor that an operation made keeps its history, unless `requires_grad` is given; one that none made is
        copied.
    dtype : dtype, optional
        The data's own unless told.
    requires_grad : bool, optional
        Whether gradients are wanted. True for floating-point data, real or complex, unless told otherwise; integers
        and booleans have no gradients.
    name : str, optional
        What tables and pictures call it: ``"W⁽¹⁾"``.
    copy : bool, optional
        False takes an array over without copying it, and makes it read-only.

    Raises
    ------
    TypeError
        If the data are not numbers, or integers are to require a gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 2.0], name="x")
    >>> loss = (x * np.exp(x)).sum()
    >>> loss.backward()
    >>> x.grad
    array([ 5.43656366, 22.1671683 ])
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_node")
    __array_priority__ = 1000
    _leaf_rule = LEAF

    _data: Any
    _node: Node | None
    _grad: Any

    if TYPE_CHECKING:
        # Set in `operators`, `methods` and `protocols`.
        def __add__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Any: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def reshape(self, *shape: Any, order: str = "C") -> Tensor: ...
        def view(self, *shape: Any) -> Tensor: ...
        def transpose(self, *axes: Any) -> Tensor: ...
        def flatten(self, order: str = "C") -> Tensor: ...
        def copy(self, order: str = "C") -> Tensor: ...
        def clip(self, min: Any = None, max: Any = None) -> Tensor: ...
        def astype(self, dtype: Any, copy: bool = True) -> Tensor: ...
        def round(self, decimals: int = 0) -> Tensor: ...
        def __getattr__(self, name: str) -> Any: ...
        @staticmethod
        def _record(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __mod__ = __rmod__ = __add__
        __le__ = __gt__ = __ge__ = __lt__
        __pos__ = __abs__ = clone = __neg__
        mean, clamp = sum, clip

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool | None = None,
        name: str | None = None,
        *,
        copy: bool = True,
    ):
        if isinstance(data, Tensor):
            if requires_grad is None and data._has_history():
                self._take_over(data if dtype is None else data.astype(dtype), name)
                return
            if requires_grad:
                data._refuse_to_cut(f"{type(self).__name__}(t, requires_grad=True) starts anew from its numbers alone")
            data = data._data
        array = plain(data, dtype, copy)
        if requires_grad is None:
            requires_grad = array.dtype.kind in "fc"
        self._data = array
        self._grad = None
        self._node = None
        self._set_leaf(bool(requires_grad), name)

    # --- copies and histories

    def _has_history(self) -> bool:
        """Whether gradients flow through it to what made it, or to the argument of a transform that it is."""
        node = self._node
        return node is not None and node.needs_grad and (node.args is not None or node.rule is VARIABLE)

    def _take_over(self, other: Tensor, name: str | None) -> None:
        """Be another Tensor's value with its history; under a name of its own, as a recorded copy."""
        if name is not None:
            other = +other
        self._data, self._grad, self._node = other._data, None, other._node
        if name is not None:
            self.name = name

    def _refuse_to_cut(self, what: str) -> None:
        if DEPTH.get() and self._has_history():
            raise TypeError(
                f"{what}, and the history of {describe(self.node)}, which is being differentiated through, would "
                "be lost: use the Tensor itself, or t.data where the numbers alone are meant"
            )

    # --- the record of a leaf

    def _set_leaf(self, requires_grad: bool, name: str | None = None, holder: Any = None) -> Node:
        array = self._data
        if requires_grad and array.dtype.kind not in "fc":
            raise TypeError(
                f"{name or 'a Tensor'} of dtype {array.dtype} can't require a gradient: only floating-point values can "
                "(write 3.0 for 3, or give dtype=float)"
            )
        node = Node()
        node.rule = self._leaf_rule
        node.args = None
        node.kwargs = NO_OPTIONS
        node.kept = array
        node.shape = array.shape
        node.dtype = array.dtype
        node.seq = next_seq()
        node.scope = _current_scope() or ROOT
        node.needs_grad = requires_grad
        node.holder = (holder or weakref.ref(self)) if requires_grad else None
        node.code = None
        node.byte = 0
        node.name = None
        self._node = node
        if name is not None:
            self.name = name
        return node

    @property
    def node(self) -> Node:
        """The record that made it; a leaf's own where nothing did."""
        return self._node or self._set_leaf(False)

    # --- what it holds

    @property
    def data(self) -> Any:
        """The array, read-only. A leaf can be given a new one of the same shape: ``p.data -= lr * p.grad``, which is
        ``p.data = p.data - lr * p.grad``; graphs that were recorded before keep the numbers they were recorded with."""
        frame = _getframe(1)
        data = self._data
        if reads_for_update(frame.f_code, frame.f_lasti) and isinstance(data, np.ndarray | np.generic):
            self.be_learned()
            return np.array(data)  # the setter is called next, with this array
        return as_array(data)

    @data.setter
    def data(self, value: Any) -> None:
        self.rebind(plain(value._data if isinstance(value, Tensor) else value, None, True))

    def rebind(self, array: Any) -> None:
        """Give a leaf a new array, taken over without a copy and made read-only. `data` copies instead.

        Parameters
        ----------
        array : array of the Tensor's shape; cast to its dtype.

        Raises
        ------
        ValueError
            If the shape differs.
        RuntimeError
            If an operation made this Tensor.
        """
        node = self.node
        if node.args is not None or node.rule is VARIABLE:
            raise not_settable(node, "the data of {} can't be replaced")
        if isinstance(array, Tensor):
            array = array._data
        if array.shape != node.shape:
            raise ValueError(f"{describe(node)} can't hold an array of shape {array.shape}")
        if array.dtype != node.dtype:
            array = array.astype(node.dtype)
        if array.__class__ is np.ndarray:
            array = array if array.shape else array[()]
            array.setflags(write=False)
        self._data = array
        holder, name, rule = node.holder, node.name, node.rule
        node = self._set_leaf(node.needs_grad, None, holder)
        node.name, node.rule = name, rule

    def be_learned(self) -> None:
        """Count as a parameter from now on: what an optimiser is given, or an update changes."""
        node = self.node
        if node.rule is LEAF and node.needs_grad:
            node.rule = PARAMETER

    @property
    def grad(self) -> Any:
        """The gradient that `backward` left here: an array (a Tensor after ``create_graph=True``), or None where none
        was computed, which is not the same as zero."""
        try:
            grad = self._grad
        except AttributeError:
            return None
        if grad is None and self._data.dtype.kind not in "fc":
            warnings.warn(
                f"{describe(self.node)} has dtype {self.dtype}, which takes no gradient: write 3.0 for 3",
                stacklevel=2,
            )
        if isinstance(grad, np.generic):
            with _ADDING:
                grad = self._grad
                self._grad = grad = np.array(grad) if isinstance(grad, np.generic) else grad  # the one to write into
        return grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                dtype = self._data.dtype
                value = plain(value, dtype, False) if foreign(value) else np.asarray(constant(value), dtype)
            if value.shape != self._data.shape:
                raise ValueError(f"{describe(self.node)} can't have a gradient of shape {value.shape}")
        self._grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows through it. Can be set on leaves."""
        return self._node is not None and self._node.needs_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        node = self.node
        if node.args is not None or (node.rule is VARIABLE and not value):
            raise not_settable(node, "requires_grad of {} can't be set", " (use detach() for a copy)")
        fresh = self._set_leaf(bool(value), None, node.holder)
        fresh.name, fresh.rule = node.name, node.rule

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the Tensor, as in PyTorch."""
        self.requires_grad = requires_grad
        return self

    @property
    def name(self) -> str | None:
        """What tables and pictures call it."""
        return None if self._node is None else self._node.name

    @name.setter
    def name(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"name must be a string, got {type(value).__name__}")
        self.node.name = value

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self._node is None or self._node.args is None

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Tensor:
        """The last two axes swapped."""
        return self.swapaxes(-1, -2)

    def numpy(self) -> Any:
        """The array, read-only and not copied (``t.numpy().copy()`` for one to write into)."""
        return self.data

    def detach(self) -> Tensor:
        """The same numbers, cut off from the tape: no gradient flows back through it."""
        fresh = Tensor(self._data, requires_grad=False, copy=False)
        fresh.node.name = self.name
        return fresh

    # --- gradients

    def backward(self, grad: Any = None, *, create_graph: bool = False, retain_graph: bool = True) -> None:
        """Compute the gradients of this Tensor and add them to ``.grad`` of the leaves that require one.

        Parameters
        ----------
        grad : array_like or Tensor of this Tensor's shape, optional
            The gradient to start from; 1 for a scalar, needed otherwise.
        create_graph : bool, optional
            Record the backward pass itself, so that gradients are Tensors that can be differentiated again.
        retain_graph : bool, optional
            Accepted for PyTorch's sake. The graph lives as long as the Tensor does.

        Raises
        ------
        ValueError
            If it is not a scalar and no `grad` was given, if the shape of `grad` differs, or no gradient flows.
        TypeError
            If it is complex and no `grad` was given, or it is real and `grad` complex.

        Examples
        --------
        >>> from autograd import Tensor
        >>> x = Tensor(3.0)
        >>> (x * x).backward()
        >>> x.grad
        array(6.)
        """
        root = self.node
        if isinstance(grad, Tensor) and not create_graph:
            grad = grad._data
        seed = seed_for(root, grad, self._data)
        if create_graph:
            seed = seed if isinstance(seed, Tensor) else Tensor(seed, requires_grad=False)
            with enable_grad(), np.errstate(all="ignore"):
                _accumulate(sweep(root, seed, lift=lift, detailed=False))
        else:
            with np.errstate(all="ignore"):
                _accumulate(sweep(root, seed, detailed=False))

    def retain_grad(self) -> None:
        """Let `backward` leave this intermediate's gradient in ``.grad`` too."""
        node = self.node
        if not node.needs_grad:
            raise RuntimeError(f"{describe(node)} has no gradient to retain: requires_grad is False")
        if node.holder is None:
            node.holder = weakref.ref(self)

    def zero_grad(self) -> None:
        """Forget the gradient: ``.grad`` is None again."""
        self._grad = None

    def __reduce__(self) -> tuple[Any, ...]:
        self._refuse_to_cut("a pickle holds numbers alone")
        return _rebuild, (type(self), self.data, self.requires_grad, self.name)

    __hash__ = object.__hash__


def _rebuild(cls: type[Tensor], data: Any, requires_grad: bool, name: str | None) -> Tensor:
    tensor = cls(data)
    tensor.requires_grad = requires_grad
    tensor.name = name
    return tensor


def lift(node: Node) -> Any:
    """What a rule is handed where the sweep itself is recorded: the record's value as a Tensor on the tape, or the
    record where the rule reads only its shape."""
    if node.kept is None:
        return node
    tensor = _new(Tensor)
    tensor._data = node.kept
    tensor._node = node
    return tensor


# Threads that share a leaf take turns at adding to its gradient; reentrant, as the collector may run any code inside.
_ADDING = threading.RLock()


def _accumulate(steps: Iterator[Step]) -> None:
    for node, grad, _ in steps:
        if node.holder is None:
            continue
        tensor = node.holder()
        if tensor is None:
            continue
        with _ADDING:
            before = tensor.grad
            if before is not None:
                grad = before + grad
            elif node.args is not None and grad.__class__ is np.ndarray:
                grad = grad.copy()
            tensor._grad = grad


PLAIN.add(Tensor)
