"""`Module`, what networks are built of: how its parts are found, called, named and saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from autograd import Scope, Tensor, no_grad
from autograd.recording import SCOPE

from .errors import LayerError
from .hooks import Hooked
from .naming import input_names, name_tree
from .parameter import Parameter, forget_gradients
from .state import Incompatible, copied, fitted
from .summary import summarize
from .tree import CHANGES, Tree

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


# The outermost module that is being called; None between calls.
_OUTERMOST: ContextVar[Module | None] = ContextVar("nn_outermost", default=None)


class Module(Tree, Hooked):
    """A layer, or a network of layers: write `forward`, hold Parameters and Modules as attributes.

    Parameters and Modules are found where they are attributes, also inside lists, tuples and dicts that are. Calling
    the module calls `forward`; what it records belongs to a scope of the module's name, and a plain floating-point
    array (or list) that the outermost module is called with becomes a constant Tensor x, of the dtype of the
    parameters.

    Attributes
    ----------
    training : bool
        Whether layers such as `Dropout` behave as in training. Set it with `train` and `eval`.
    weight_symbol : str or None
        What the textbook calls ``self.weight`` (``"W"``). A class that sets it is counted as a layer: its weight, its
        bias and its output are named W⁽ᵏ⁾, b⁽ˡ⁾ and z⁽ˡ⁾.

    Examples
    --------
    >>> import numpy as np, nn
    >>> from nn import functional as F
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         self.hidden = nn.Linear(2, 8)
    ...         self.out = nn.Linear(8, 1)
    ...
    ...     def forward(self, x):
    ...         return self.out(F.relu(self.hidden(x)))
    >>> net = Net()
    >>> net(np.zeros((5, 2))).shape
    (5, 1)
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    weight_symbol: str | None = None
    training: bool = True
    _inputs: tuple[Any, ...] = ()  # what the first inputs are called; a tuple for one that is a tuple itself
    _named = -1
    _scope_name = ""
    _z_name: str | None = None
    _dtype: Any = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes. Every Module writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method: write def forward(self, x)")

    # --- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outermost = _OUTERMOST.get()
        if outermost is not None:
            if self._named != CHANGES[0]:
                # one made on the way and without parameters, relu in a forward, needs no search of the whole tree
                if outermost._named != CHANGES[0] or next(self.parameters(), None) is not None:
                    name_tree(outermost)
                if self._named != CHANGES[0]:
                    name_tree(self)
            return self._run(args, kwargs)
        token = _OUTERMOST.set(self)
        try:
            if self._named != CHANGES[0]:
                name_tree(self)
                self._set(_dtype=self._input_dtype())
            if kwargs:
                kwargs = {name: self._input(value, name) for name, value in kwargs.items()}
            return self._run(self._wrapped(args), kwargs)
        finally:
            _OUTERMOST.reset(token)

    def _run(self, args: Any, kwargs: dict[str, Any]) -> Any:
        hooks = self._hooks
        if hooks is not None:
            args, kwargs, watch = hooks.enter(self, args, kwargs)
        around = SCOPE.get()
        try:
            if around is None:
                out = self.forward(*args, **kwargs)
            else:
                token = SCOPE.set(Scope(self._scope_name, type(self).__name__, around))
                try:
                    out = self.forward(*args, **kwargs)
                finally:
                    SCOPE.reset(token)
        except LayerError as error:
            error.leave(self._scope_name)
            raise
        if self._z_name is not None and isinstance(out, Tensor):
            node = out.node
            if node.args is not None and node.name is None:
                node.name = self._z_name
        if hooks is not None:
            out = hooks.leave(self, args, kwargs, out, watch)
        return out

    def _wrapped(self, args: tuple[Any, ...]) -> list[Any]:
        """The inputs of the outermost call, plain arrays as constant Tensors, unnamed leaves named x."""
        names = [*self._inputs, *input_names(len(args))]
        return [self._input(value, name) for value, name in zip(args, names, strict=False)]

    def _symbol(self, parameter: str) -> str | None:
        """What the textbook calls a parameter of its own, where neither `weight_symbol` nor the path is to name it."""
        return None

    def _input(self, value: Any, name: Any) -> Any:
        if isinstance(value, tuple) and any(isinstance(v, Tensor | np.ndarray) for v in value):
            names = [name] * len(value) if isinstance(name, str) else name
            return tuple(map(self._input, value, names))
        name = name if isinstance(name, str) else ", ".join(name)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            if self._dtype is not None and value.dtype != self._dtype:
                return Tensor(value.astype(self._dtype), requires_grad=False, name=name, copy=False)
            return Tensor(value, requires_grad=False, name=name)
        if isinstance(value, list | tuple) and (array := _array_of(value)) is not None:
            return self._input(array, name)
        if type(value) is Tensor and value.is_leaf and value.name is None:
            value.name = name
        return value

    def _input_dtype(self) -> Any:
        """The dtype of the first layer's weight, or of the first parameter where there are no layers; of complex ones,
        that of their parts."""
        weights = (m.__dict__.get("weight") for m in self.modules() if m.weight_symbol is not None)
        for p in (*weights, *self.parameters()):
            if p is not None:
                return p.data.real.dtype
        return None

    def _place(self, name: str, z_name: str | None) -> None:
        """Take the names that the module has in the tree that is being named."""
        self._set(_named=CHANGES[0], _scope_name=name, _z_name=z_name)

    def _set(self, **values: Any) -> None:
        self.__dict__.update(values)

    # --- state

    def state_dict(self) -> dict[str, Any]:
        """Copies of all parameters and buffers by their dotted paths: ``np.savez(file, **net.state_dict())``.

        Returns
        -------
        dict of str to ndarray

        Raises
        ------
        ValueError
            If two of them have one path, as under the keys 1 and "1" of a dict: one would be lost.
        """
        return {path: copied(v) for path, _, _, v in self._state()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Incompatible:
        """Give the parameters and buffers the numbers of `state_dict`. All of them fit, or nothing is changed.

        Parameters
        ----------
        state_dict : mapping of str to array_like or Tensor
            As `state_dict` returns it; an open ``.npz`` file is one too.
        strict : bool, optional
            Whether missing and unexpected names are errors. Shapes must fit in any case.

        Returns
        -------
        Incompatible
            The missing and the unexpected names.

        Raises
        ------
        KeyError
            If names are missing or unexpected, with `strict`.
        ValueError
            If a shape does not fit.
        """
        state = {path: (module, name, held) for path, module, name, held in self._state()}
        held_by = {path: held for path, (_, _, held) in state.items()}
        arrays, incompatible = fitted(type(self).__name__, held_by, state_dict, strict)
        for path, array in arrays.items():
            module, name, held = state[path]
            if isinstance(held, Parameter):
                held.rebind(array)
            else:
                setattr(module, name, array.astype(held.dtype, copy=False))
        return incompatible

    def train(self: M, mode: bool = True) -> M:
        """Behave as in training (or not), here and in all modules inside. Returns the module."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self: M) -> M:
        """Behave as in use: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Freeze all parameters (False), or let them be trained again. Returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def to(self: M, dtype: Any) -> M:
        """Change the dtype of all parameters, their gradients and floating-point buffers. Returns the module.

        Parameters
        ----------
        dtype : floating dtype
            ``np.float64`` or ``"float64"``; `half`, `float` and `double` do the like. ``"cpu"`` is where it is.
        """
        if getattr(dtype, "type", dtype) == "cpu":
            return self
        try:
            dtype = np.dtype(dtype)
        except TypeError:
            raise TypeError(f"to: a floating dtype such as np.float64 is needed, got {dtype!r}") from None
        if dtype.kind != "f":
            raise TypeError(f"to: a floating dtype such as np.float64 is needed, got {dtype}")
        for parameter in self.parameters():
            parameter.cast(dtype)
        for module in self.modules():
            for name in module._buffers:
                buffer = getattr(module, name)
                if buffer.dtype.kind == "f":
                    setattr(module, name, buffer.astype(dtype))
        CHANGES[0] += 1
        return self

    def half(self: M) -> M:
        """In half precision: ``to(np.float16)``."""
        return self.to(np.float16)

    def float(self: M) -> M:
        """In single precision: ``to(np.float32)``."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """In double precision: ``to(np.float64)``."""
        return self.to(np.float64)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: ``.grad`` is None again, or 0 where it was not if told False."""
        forget_gradients(self.parameters(), set_to_none)

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call `fn` with every module inside, and with this one last. Returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def summary(self, inputs: Any) -> Any:
        """A table of the layers: what each is, the shape it gives out, how many parameters it has.

        Parameters
        ----------
        inputs : tuple of int, or array or Tensor
            The shape of an input, with the batch axis; or an input.

        Returns
        -------
        nn.summary.Summary
            Prints as a table; `rows` and the totals are its data.

        Examples
        --------
        >>> import nn
        >>> print(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).summary((1, 4)))
        layer       kind        output shape  parameters
        ------------------------------------------------
        sequential  Sequential  (1, 2)
          0         Linear      (1, 3)                15
          1         ReLU        (1, 3)
          2         Linear      (1, 2)                 8
        ------------------------------------------------
        23 parameters, 23 of them trained, 92 bytes
        """
        with no_grad():
            return summarize(self, inputs)

    def extra_repr(self) -> str:
        """What `repr` writes between the parentheses; a layer gives its sizes and options."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        extra = self.extra_repr()
        if not children:
            return f"{type(self).__name__}({extra})"
        return f"{type(self).__name__}({extra}\n  " + "\n  ".join(children) + "\n)"


def _array_of(numbers: Any) -> Any:
    """A list of floating-point numbers as an array; None if it is a list of anything else."""
    try:
        array = np.asarray(numbers)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind == "f" else None
