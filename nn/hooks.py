"""What is called along with a module: before it, after it, and when a gradient has flowed back through it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.rules.gates import gate

__all__ = ["Handle", "Hooked", "Hooks"]

_number = itertools.count().__next__


class Handle:
    """What registering a hook returns: `remove` takes it off again, and so does the end of a ``with`` block."""

    def __init__(self, module: Hooked, kind: str, number: int):
        self._module = module
        self._kind = kind
        self._number = number

    def remove(self) -> None:
        """Take the hook off. A second time does nothing."""
        hooks = self._module._hooks
        if hooks is not None:
            getattr(hooks, self._kind).pop(self._number, None)
            if not (hooks.before or hooks.after or hooks.backward):
                del self._module._hooks

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one module, in the order in which they are called; each with whether it is given the keywords."""

    def __init__(self) -> None:
        self.before: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.after: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.backward: dict[int, tuple[Callable[..., Any], bool]] = {}

    def enter(self, module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any], _Watch | None]:
        """What `module` is to be called with."""
        args = tuple(args)
        for hook, with_kwargs in list(self.before.values()):
            given = hook(module, args, kwargs) if with_kwargs else hook(module, args)
            if given is None:
                continue
            if with_kwargs:
                if not isinstance(given, tuple) or len(given) != 2:
                    raise TypeError("a forward pre-hook with keywords must return (args, kwargs) or None")
                args, kwargs = given
            else:
                args = given if isinstance(given, tuple) else (given,)
        watch = _Watch(module, [hook for hook, _ in self.backward.values()]) if self.backward else None
        return (args if watch is None else watch.entered(args)), kwargs, watch

    def leave(self, module: Any, args: Any, kwargs: dict[str, Any], out: Any, watch: _Watch | None) -> Any:
        """What the call of `module` is to return."""
        for hook, with_kwargs in list(self.after.values()):
            given = hook(module, args, kwargs, out) if with_kwargs else hook(module, args, out)
            out = out if given is None else given
        return out if watch is None else watch.left(out)


class Hooked:
    """The part of `Module` that takes hooks. One without any pays nothing for them."""

    _hooks: Hooks | None = None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Call ``hook(module, args)`` before each call of the module.

        Parameters
        ----------
        hook : callable
            Returns None, or what the module is to be called with instead: a tuple of arguments, or the only one.
        prepend : bool, optional
            Call it before the hooks that are there already.
        with_kwargs : bool, optional
            Call ``hook(module, args, kwargs)``, which returns None or ``(args, kwargs)``.

        Returns
        -------
        nn.hooks.Handle
            ``handle.remove()`` takes the hook off again.
        """
        return self._hooked("before", hook, with_kwargs, prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Call ``hook(module, args, output)`` after each call of the module.

        Parameters
        ----------
        hook : callable
            Returns None, or what the call is to return instead.
        prepend : bool, optional
            Call it before the hooks that are there already.
        with_kwargs : bool, optional
            Call ``hook(module, args, kwargs, output)``.

        Returns
        -------
        nn.hooks.Handle

        Examples
        --------
        >>> import numpy as np, nn
        >>> net, shapes = nn.Sequential(nn.Linear(2, 3), nn.ReLU()), []
        >>> with net[0].register_forward_hook(lambda module, args, output: shapes.append(output.shape)):
        ...     _ = net(np.ones((4, 2)))
        >>> shapes
        [(4, 3)]
        """
        return self._hooked("after", hook, with_kwargs, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` whenever a gradient has flowed back through the module.

        The values that go in and come out then pass gates on the tape. Every backward sweep calls the hook, also one
        that a picture makes.

        Parameters
        ----------
        hook : callable
            It is given tuples: the gradients of the positional inputs (None for those that have none) and of the
            outputs, zeros for an output that nothing was made of. It returns None, or gradients of the inputs to go
            on with, as guided backpropagation does.
        prepend : bool, optional
            Call it before the hooks that are there already.

        Returns
        -------
        nn.hooks.Handle

        Examples
        --------
        >>> import numpy as np, nn
        >>> from autograd import Tensor
        >>> layer, seen = nn.ReLU(), []
        >>> _ = layer.register_full_backward_hook(lambda module, grad_in, grad_out: seen.extend([*grad_in, *grad_out]))
        >>> layer(Tensor([-1.0, 2.0])).sum().backward()
        >>> seen
        [array([0., 1.]), array([1., 1.])]
        """
        return self._hooked("backward", hook, False, prepend)

    def _hooked(self, kind: str, hook: Any, with_kwargs: bool, prepend: bool) -> Handle:
        if not callable(hook):
            raise TypeError(f"a hook must be callable, got {type(hook).__name__}")
        if self._hooks is None:
            self._hooks = Hooks()
        hooks, number = getattr(self._hooks, kind), _number()
        others = list(hooks) if prepend else []
        hooks[number] = hook, with_kwargs
        for other in others:
            hooks[other] = hooks.pop(other)
        return Handle(self, kind, number)


class _Watch:
    """One call of a module with backward hooks: what goes in and out passes gates, which note the gradients."""

    def __init__(self, module: Any, hooks: list[Callable[..., Any]]):
        self.module = module
        self.hooks = hooks
        self.inputs = self.outputs = _Gates((), None)
        self.grad_outputs: tuple[Any, ...] = ()

    def entered(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.inputs = _Gates(args, self._input_gradients)
        return self.inputs.passed

    def left(self, out: Any) -> Any:
        self.outputs = _Gates(out if isinstance(out, tuple) else (out,), self._output_gradients)
        for before, after in zip(self.outputs.values, self.outputs.passed, strict=True):
            if before is not after and not before.is_leaf:
                before.name = None  # the name is that of the gate now
        return self.outputs.passed if isinstance(out, tuple) else self.outputs.passed[0]

    def _output_gradients(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        self.grad_outputs = grads
        if not self.inputs.where:
            self._call((None,) * len(self.inputs.values))
        return grads

    def _input_gradients(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        return self._call(grads)

    def _call(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            given = hook(self.module, grads, self.grad_outputs)
            if given is None:
                continue
            given = given if isinstance(given, tuple) else (given,)
            shapes = [np.shape(g) for g in given]
            expected = [np.shape(g) for g in grads]
            if shapes != expected:
                raise ValueError(
                    f"a backward hook of {type(self.module).__name__} must return None, or gradients of its inputs of "
                    f"shapes {expected}, got {shapes}"
                )
            grads = given
        return grads


class _Gates:
    """Values on their way into a module or out of it, of which those with a gradient pass one gate together."""

    def __init__(self, values: Sequence[Any], listen: Any):
        self.values = tuple(values)
        self.listen = listen
        self.where = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
        tensors = [values[i] for i in self.where]
        self.shapes = [t.shape for t in tensors]
        passed = list(values)
        if len(tensors) == 1:
            passed[self.where[0]] = gate(tensors[0], listen=self)
        elif tensors:  # one gate for all, so that their gradients are there at once
            together = gate(np.concatenate([t.reshape(-1) for t in tensors]), listen=self)
            for i, part, t in zip(self.where, self._parts(together), tensors, strict=True):
                passed[i] = part if part.dtype == t.dtype else part.astype(t.dtype)
        for i in self.where:
            if values[i].name is not None:
                passed[i].name = values[i].name
        self.passed = tuple(passed)

    def __repr__(self) -> str:
        return "hooks"

    def _parts(self, whole: Any) -> list[Any]:
        if len(self.shapes) == 1:
            return [whole]
        parts, start = [], 0
        for shape in self.shapes:
            end = start + math.prod(shape)
            parts.append(whole[start:end].reshape(shape))
            start = end
        return parts

    def __call__(self, g: Any) -> Any:
        g = g if isinstance(g, Tensor) else np.asarray(g)
        grads: list[Any] = [None] * len(self.values)
        for i, part in zip(self.where, self._parts(g), strict=True):
            grads[i] = part
        given = self.listen(tuple(grads))
        if len(self.where) == 1:
            return given[self.where[0]]
        return np.concatenate([given[i].reshape(-1) for i in self.where])
