"""The arrays that a hand-written layer computes with, wherever it keeps them: arguments, dicts of parameters,
attributes of an object; and the gradients of them, by what these are called."""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Slot", "State", "meant_by", "returned_names"]

_DEEPEST = 5
_BEFORE = ("d_", "grad_", "gradient_", "delta_", "dL_d", "dJ_d", "dL/d", "dJ/d", "grad", "d", "∂", "∇")
_BEHIND = ("_gradient", "_grad", ".grad", "_bar")
_GRADIENTS = ("grads", "gradients", "grad", "gradient", "dparams")
"""What an attribute is called that holds gradients under the names of their parameters."""
_OPAQUE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.random.Generator)


@dataclass(frozen=True, eq=False)
class Slot:
    """An array or a number that can be differentiated by.

    ``path`` leads to it: the name of an argument or ``"self"``, then keys, indices, attributes. ``position`` is that of
    an argument that is itself an array or a number; None for what lies deeper.
    """

    path: tuple[Any, ...]
    value: Any
    position: int | None = None

    @property
    def name(self) -> str:
        """The last part of its path: ``W1``, ``params[0]``."""
        if isinstance(self.path[-1], str):
            return self.path[-1]
        return f"{self.path[-2]}[{self.path[-1]}]"

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)


class State:
    """The arguments of a layer, and the object that it is a method of, if it is one.

    Parameters
    ----------
    inputs : sequence
    names : sequence of str
        What the arguments are called.
    owner : object
        None where there is none.
    """

    def __init__(self, inputs: Sequence[Any], names: Sequence[str], owner: Any):
        self.inputs = [copy.deepcopy(x) for x in inputs]  # apart from each other, so that one can be changed alone
        self.names = list(names)
        self.owner = copy.deepcopy(owner)
        self.direct = [
            Slot((name,), x, i)
            for i, (name, x) in enumerate(zip(self.names, self.inputs, strict=True))
            if _is_array(x) or isinstance(x, float)
        ]
        self.arguments = [slot for slot in self.direct if _is_array(slot.value)]
        within = [(("self",), self.owner), *(((n,), x) for n, x in zip(self.names, self.inputs, strict=True))]
        taken = {id(slot.value) for slot in self.arguments}
        self.deeper = []
        for path, array in (found for start, x in within if not _is_array(x) for found in arrays_in(x, start)):
            if id(array) not in taken:
                taken.add(id(array))
                self.deeper.append(Slot(path, array))

    @property
    def slots(self) -> list[Slot]:
        """All of them: arguments first, then what lies deeper."""
        return [*self.direct, *self.deeper]

    def copied(self, replaced: Mapping[Slot, Any] | None = None) -> tuple[list[Any], Any]:
        """Copies of the arguments and the object, with other values in some slots, wherever these arrays are used."""
        memo = {id(slot.value): value for slot, value in (replaced or {}).items() if _is_array(slot.value)}
        inputs, owner = copy.deepcopy((self.inputs, self.owner), memo)
        for slot, value in (replaced or {}).items():
            if slot.position is not None:
                inputs[slot.position] = value
        return inputs, owner

    def stored(self, before: Mapping[Any, Any], after: Any) -> dict[tuple[Any, ...], tuple[Slot, Any]]:
        """The gradients that an object has kept of its parameters, each under its own path, with its slot.

        Parameters
        ----------
        before : mapping of path to array
            What it held before its passes: a parameter is what it still holds.
        after : object
        """
        kept = dict(arrays_in(after, ("self",), twice=True))
        found: dict[tuple[Any, ...], tuple[Slot, Any]] = {}
        for slot in self.deeper:
            if slot.path[0] == "self" and kept.get(slot.path) is before.get(slot.path):
                found |= {path: (slot, kept[path]) for path in kept if _is_gradient_at(path, slot.path)}
        return found


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def arrays_in(value: Any, path: tuple[Any, ...], *, twice: bool = False) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The arrays of floating-point numbers in a value, each by its shortest path; `twice`: by all of its paths."""
    waiting: list[tuple[tuple[Any, ...], Any]] = [(path, value)]
    seen: set[int] = set()
    for here, one in waiting:
        if _is_array(one):
            if twice or id(one) not in seen:
                seen.add(id(one))
                yield here, one
        elif len(here) <= _DEEPEST and id(one) not in seen:
            seen.add(id(one))
            waiting += [((*here, key), part) for key, part in _parts(one)]


def _parts(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if isinstance(value, _OPAQUE) or not hasattr(value, "__dict__"):
        return []
    return list(vars(value).items())


# --- what a gradient is called ----------------------------------------------------------------------------------------


def meant_by(key: str, names: Sequence[str]) -> list[str]:
    """Which of some names a gradient is called after: ``dW1``, ``grad_W1``, ``W1_grad`` and ``W1`` after ``W1``; a name
    with other capitals where none is spelled like that.

    Examples
    --------
    >>> from autograd.testing.slots import meant_by
    >>> meant_by("dW1", ["W1", "W2"]), meant_by("dx", ["X"]), meant_by("db", ["b", "db"])
    (['W1'], ['X'], ['b', 'db'])
    """
    bare = {key, *(key.removeprefix(p) for p in _BEFORE if key.startswith(p))}
    bare |= {key.removesuffix(s) for s in _BEHIND if key.endswith(s)}
    exact = [name for name in dict.fromkeys(names) if name in bare]
    lower = {name.lower() for name in bare}
    return exact or [name for name in dict.fromkeys(names) if name.lower() in lower]


def _is_gradient_at(path: tuple[Any, ...], of: tuple[Any, ...]) -> bool:
    """Whether the gradient of a parameter is kept at a path: ``self.dW``, ``self.grads["W"]``, ``self.grads[0]``."""
    key, name = path[-1], of[-1]
    if path == of:
        return False
    called = key == name or (isinstance(key, str) and isinstance(name, str) and meant_by(key, [name]) == [name])
    if path[:-1] == of[:-1]:
        return called and key != name and not (isinstance(key, str) and key.lower() == name.lower())
    if len(path) > 1 and isinstance(path[-2], str):
        beside = len(of) > 1 and path[:-2] == of[:-2] and isinstance(of[-2], str) and of[-2] != path[-2]
        in_gradients = path[-2] in _GRADIENTS or (beside and meant_by(path[-2], [of[-2]]) == [of[-2]])
        return called and in_gradients and (beside or path[:-2] == of[:-1])
    return False


def returned_names(function: Callable[..., Any], skip: int) -> list[str]:
    """What a function calls the values that it returns, after the first `skip`; empty where that can't be told."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return []
    if not isinstance(tree, ast.FunctionDef):
        return []
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    if not returns:
        return []
    value = max(returns, key=lambda node: node.lineno).value
    parts = value.elts[skip:] if isinstance(value, ast.Tuple) else [value] if not skip else []
    if len(parts) == 1 and isinstance(parts[0], ast.Tuple | ast.List):
        parts = parts[0].elts
    return [_called(part) for part in parts]


def _called(part: Any) -> str:
    if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
        return str(part.slice.value)
    return part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else ""
