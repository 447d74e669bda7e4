"""`Converted`, a model that came from elsewhere as a list of calls: run on Tensors, each in its layer's scope."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import nn
from autograd import Scope, Tensor
from autograd.nests import numbers_of
from autograd.recording import SCOPE

__all__ = ["Converted", "Part", "Program", "Ref", "Step", "UnknownOperation", "held", "of_kind", "takes"]


class UnknownOperation(NotImplementedError):
    """An operation of a model has no row in the table that says what it is. Names it, and what uses it."""

    __module__ = "autograd.interop"


class Ref(NamedTuple):
    """The result of a step, an input, a parameter: by its name."""

    name: str


class Step(NamedTuple):
    """One call of a program."""

    name: str
    call: Callable[..., Any]
    args: Any
    kwargs: dict[str, Any]
    layers: tuple[tuple[str, str, str], ...] = ()  # key, name and kind of each layer call around, outermost first
    via: Callable[..., Any] | None = None  # calls from the line of the program that the step is of
    dtype: Any = None


@dataclass(frozen=True)
class Program:
    """The steps of a model in one mode. No tuple: a module looks for parameters inside of these."""

    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    held: dict[str, str]  # what names of the program parameters and buffers have, by their paths
    constants: dict[str, Any]
    outputs: Any
    changed: dict[str, str]  # buffers by their paths, and what they become

    def __deepcopy__(self, memo: Any) -> Program:
        return self  # nothing of it changes


class Part(nn.Module):
    """A layer of a model that came from elsewhere: it holds parameters and buffers, the whole model runs."""

    def forward(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} is a part of a converted model: call the whole model")


class Converted(Part):
    """The whole of it."""

    _base_dtype: Any = None  # what the parameters had as it was converted

    def run(self, program: Program, given: Iterable[Any]) -> Any:
        """What the program makes of the inputs, one for each of ``program.inputs``."""
        values: dict[str, Any] = dict(zip(program.inputs, given, strict=True))
        dtype = self.dtype_of(program)
        if dtype is None:
            floats = (x.dtype for x in values.values() if hasattr(x, "dtype") and x.dtype.kind == "f")
            dtype = next(floats, self._base_dtype)
        values |= {name: self._typed(x, x.dtype, dtype) for name, x in program.constants.items()}
        before = {}
        for name, path in program.held.items():
            value = held(self, path)
            if not isinstance(value, Tensor) and value.dtype.kind == "f":
                value = Tensor(value, requires_grad=False, name=path)
                before[path] = name, value, value.data
            values[name] = value
        scopes: dict[tuple[str, ...], Scope] = {}
        for step in program.steps:
            args, kwargs = _filled(step.args, values), _filled(step.kwargs, values)
            with _Within(step.layers, scopes):
                out = step.call(*args, **kwargs) if step.via is None else step.via(step.call, args, kwargs)
                values[step.name] = self._typed(out, step.dtype, dtype)
        changed = {path: values[name] for path, name in program.changed.items()}
        changed |= {p: v for p, (name, v, data) in before.items() if v.data is not data and p not in changed}
        for path, value in changed.items():
            owner, _, name = path.rpartition(".")
            setattr(self.get_submodule(owner), name, np.array(numbers_of(value)))
        return _filled(program.outputs, values)

    def dtype_of(self, program: Program) -> Any:
        """The dtype of the first parameter; None where there is none."""
        dtypes = (p.dtype for p in (held(self, path) for path in program.held.values()) if isinstance(p, Tensor))
        return next((dtype for dtype in dtypes if dtype.kind == "f"), None)

    def _typed(self, out: Any, expected: Any, dtype: Any) -> Any:
        """A result in the dtype that it has where the model comes from."""
        if expected is None or not hasattr(out, "dtype") or out.dtype.kind != "f" or expected.kind != "f":
            return out
        expected = dtype if expected == self._base_dtype else expected
        return out if out.dtype == expected else out.astype(expected)


class _Within:
    """The scopes of a step, each made once in a run."""

    __slots__ = ("_layers", "_made", "_token")

    def __init__(self, layers: Any, made: dict[tuple[str, ...], Scope]):
        self._layers, self._made = layers, made

    def __enter__(self) -> None:
        here = SCOPE.get()
        self._token = None
        if here is None or not self._layers:
            return
        keys: tuple[str, ...] = ()
        for key, name, kind in self._layers:
            keys = (*keys, key)
            if keys not in self._made:
                self._made[keys] = Scope(name, kind, here)
            here = self._made[keys]
        self._token = SCOPE.set(here)

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            SCOPE.reset(self._token)


def _filled(tree: Any, values: Mapping[str, Any]) -> Any:
    """A nest of arguments with what its Refs refer to."""
    if isinstance(tree, Ref):
        return values[tree.name]
    if isinstance(tree, slice):
        return slice(*(_filled(i, values) for i in (tree.start, tree.stop, tree.step)))
    if isinstance(tree, list | tuple):
        return type(tree)(_filled(part, values) for part in tree)
    return {key: _filled(part, values) for key, part in tree.items()} if isinstance(tree, dict) else tree


def takes(row: Callable[..., Any], args: Any, kwargs: Any) -> bool:
    """Whether a row has places for these arguments; one that was written for other uses of an operation may not."""
    try:
        inspect.signature(row).bind(*args, **kwargs)
    except TypeError:
        return False
    except ValueError:  # a function of NumPy that does not tell
        return True
    return True


def of_kind(kind: str, base: type[Part] = Part) -> Any:
    """An empty part that is called by the name of the class that it stands for."""
    return type(kind, (base,), {"__module__": base.__module__, "__doc__": base.__doc__})()


def held(root: Any, path: str) -> Any:
    """The parameter or buffer under a dotted path."""
    if path in root.__dict__:
        return root.__dict__[path]
    for name in path.split("."):
        root = root.__dict__[name]
    return root
