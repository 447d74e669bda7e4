"""Where an operation is recorded: the scope it belongs to, whether recording is on, the frame that made it."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

import numpy as np

__all__ = ["Scope", "enable_grad", "hide_frames", "no_grad", "scope"]


class Scope:
    """One call of a layer (or one ``with scope(...)`` block): the operations recorded meanwhile belong to it.

    Attributes
    ----------
    name : str
        Its own name, ``"conv1"``.
    kind : str
        What it is a call of, ``"Conv2d"``; empty for a plain block.
    parent : Scope or None
    path : str
        The names from the outermost scope on, ``"net.conv1"``; empty for the root.
    """

    __slots__ = ("kind", "name", "parent", "path")

    def __init__(self, name: str, kind: str = "", parent: Scope | None = None):
        self.name = name
        self.kind = kind
        self.parent = parent
        self.path: str = f"{parent.path}.{name}" if parent is not None and parent.path else name

    def __repr__(self) -> str:
        return f"<Scope {self.path or 'root'}>"

    def chain(self) -> tuple[Scope, ...]:
        """The scopes around and including this one, outermost first, without the root."""
        found: list[Scope] = []
        here: Scope | None = self
        while here is not None and here.parent is not None:
            found.append(here)
            here = here.parent
        return tuple(reversed(found))


next_seq = itertools.count().__next__
"""The number of a record, in a count that all share."""

ROOT = Scope("")
# The scope that operations are recorded in; None where recording is off.
SCOPE: ContextVar[Scope | None] = ContextVar("autograd_scope", default=ROOT)

DEPTH: ContextVar[int] = ContextVar("autograd_transform_depth", default=0)
"""How many transforms (`grad`, ...) are running around this point of the program."""


class scope:
    """Group the operations inside a ``with`` block under a name; the pictures draw a box around them.

    Parameters
    ----------
    name : str
    kind : str, optional
        What the block is a use of: ``"Conv2d"``.

    Examples
    --------
    >>> from autograd import Tape, Tensor, scope
    >>> x = Tensor(2.0)
    >>> with scope("square"):
    ...     y = x * x
    >>> Tape(y)[-1].scope.path
    'square'
    """

    __slots__ = ("_kind", "_name", "_tokens")

    def __init__(self, name: str, kind: str = ""):
        if not isinstance(name, str):
            raise TypeError(f"scope: name must be a string, got {type(name).__name__}")
        self._name = name
        self._kind = kind
        self._tokens: list[Any] = []

    def __enter__(self) -> Scope | None:
        outer = SCOPE.get()
        inner = None if outer is None else Scope(self._name, self._kind, outer)
        self._tokens.append(SCOPE.set(inner))
        return inner

    def __exit__(self, *exc: object) -> None:
        SCOPE.reset(self._tokens.pop())


class _Recording:
    """A context manager and decorator that switches recording; `no_grad` and `enable_grad` are its two uses."""

    __slots__ = ("_tokens",)

    def __new__(cls, fn: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if fn is None else cls()(fn)

    def __init__(self) -> None:
        self._tokens: list[Any] = []

    def _scope(self) -> Scope | None:
        raise NotImplementedError

    def __enter__(self) -> None:
        self._tokens.append(SCOPE.set(self._scope()))

    def __exit__(self, *exc: object) -> None:
        SCOPE.reset(self._tokens.pop())

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(fn):
            raise TypeError(f"{type(self).__name__} decorates a function, got {type(fn).__name__}")

        @wraps(fn)
        def inner(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return fn(*args, **kwargs)

        @wraps(fn)
        def generator(*args: Any, **kwargs: Any) -> Any:
            running, sent = fn(*args, **kwargs), None
            try:
                while True:
                    with type(self)():
                        value = running.send(sent)
                    sent = yield value
            except StopIteration as stop:
                return stop.value
            finally:
                running.close()

        return generator if inspect.isgeneratorfunction(fn) else inner


class no_grad(_Recording):
    """Record nothing: as a context manager or a decorator, as in PyTorch.

    Examples
    --------
    >>> from autograd import Tensor, no_grad
    >>> x = Tensor(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    __slots__ = ()

    def _scope(self) -> Scope | None:
        return None


class enable_grad(_Recording):
    """Record again inside a `no_grad` block."""

    __slots__ = ()

    def _scope(self) -> Scope | None:
        return SCOPE.get() or ROOT


_HIDDEN: list[str] = []


class _IsHidden(dict[str, bool]):
    """Whether each source file lies in a hidden folder; found out once per file, looked up in every operation."""

    def __missing__(self, filename: str) -> bool:
        found = self[filename] = os.path.abspath(filename).startswith(tuple(_HIDDEN))
        return found


IS_HIDDEN = _IsHidden()


def hide_frames(folder: str) -> None:
    """Let source lines point at the callers of the files in `folder`, not into them."""
    _HIDDEN.append(os.path.join(os.path.abspath(folder), ""))
    IS_HIDDEN.clear()


hide_frames(os.path.dirname(__file__))
hide_frames(os.path.dirname(np.__file__))


def located(frame: Any) -> Any:
    """The first frame from this one on that is the user's."""
    while IS_HIDDEN[frame.f_code.co_filename] and (around := frame.f_back) is not None:
        frame = around
    return frame
