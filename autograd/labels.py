"""What records are called when they are printed: a name for each on a tape, no two alike; and back again."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import lru_cache

from .listing import nearest
from .node import Node
from .variables import typeset, variables

__all__ = ["LIMIT", "Labels", "clean", "columns", "instead", "record_called", "subscript"]

LIMIT = 24
_PLACE = re.compile(r"%([0-9]{1,9})")


@lru_cache(4096)
def clean(text: str, limit: int = 48) -> str:
    """A user's string on one line: control characters made visible, cut to `limit` characters with an ellipsis."""
    text = text[: 4 * limit]
    safe = "".join(_visible(c) for c in text)
    if columns(safe) <= limit:
        return safe
    while columns(safe) >= limit:
        safe = safe[: max(0, min(len(safe) - 1, limit - 1))]
    return safe + "…"


def _visible(c: str) -> str:
    if c in "\n\t":
        return "↵" if c == "\n" else " "
    category = unicodedata.category(c)
    if category in ("Cs", "Cn", "Cc", "Zl", "Zp") or (category == "Cf" and ord(c) != 0x200D):
        return "�"
    return c


def columns(text: str) -> int:
    """How many columns of a monospace font a string takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def subscript(n: int) -> str:
    """``₁``, ``₁₂``."""
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(n))


class Labels:
    """The names on a tape: no two records share one.

    The root alone has its own name, or is ``L``: losses of that name that it is made of are ``L₁``, ``L₂``. What has no
    name is called by its variable in the program. Others of one name are numbered: ``h (1)``, ``h (2)``.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> from autograd.labels import Labels
    >>> x = Tensor(2.0, name="x")
    >>> tape = Tape((x * x).sum())
    >>> [Labels(tape).of(node) for node in tape]
    ['x', '%1', 'L']
    """

    def __init__(self, tape: Sequence[Node]):
        self.tape = tape
        root = tape[-1]
        own = {node: clean(node.name, LIMIT) for node in tape if node.name and node is not root}
        self.variables = {node: clean(name, LIMIT) for node, name in variables(tape).items() if node is not root}
        self.loss = clean(root.name, LIMIT) if root.name else "L"
        taken = {self.loss, *own.values()}
        self._names = dict(own)
        self._number(own, taken, {self.loss})
        self._number(self.variables, taken | set(self.variables.values()), set(taken))

    def _number(self, named: Mapping[Node, str], taken: set[str], others: Container[str]) -> None:
        """Give records their names, with numbers where several have one, or one that is among those of `others`."""
        counts = Counter(named.values())
        marks: dict[str, Iterator[str]] = {}
        for node, name in named.items():
            mark = ""
            if counts[name] > 1 or name in others:
                if name not in marks:
                    marks[name] = map(subscript if name == self.loss else " ({})".format, itertools.count(1))
                mark = next(mark for mark in marks[name] if name + mark not in taken)
                taken.add(name + mark)
            self._names[node] = name + mark

    def has(self, node: Node) -> bool:
        """Whether a record has a name other than its place: one of its own, or a variable in the program."""
        return node in self._names or (node is self.tape[-1] and bool(node.name))

    def of(self, node: Node, limit: int = LIMIT) -> str:
        """The name of a record: its own, or ``%7`` after its place on the tape."""
        if node is self.tape[-1]:
            return clean(self.loss, limit)
        name = self._names.get(node)
        return f"%{self.tape.index(node)}" if name is None else clean(name, limit)

    def called(self, name: str) -> list[Node]:
        """The records of a name: their own, or that of their variable in the program, as it is typed or printed."""
        own = [node for node in self.tape if node.name == name]
        return own or [node for node, variable in self.variables.items() if typeset(name) in (variable, self.of(node))]

    def gradient(self, node: Node) -> str:
        """``∂L/∂x``."""
        return f"∂{self.loss}/∂{self.of(node)}"


def record_called(tape: Sequence[Node], name: str) -> Node | None:
    """The record that a name is printed for, if there is one: its own (the latest of that name), ``L`` or ``loss``,
    ``h (2)``, or ``%7``, its place on the tape."""
    if name == (tape[-1].name or "L"):
        return tape[-1]
    found = next((node for node in reversed(tape) if node.name == name), None)
    if found is not None or name == "loss":
        return found or tape[-1]
    place = _PLACE.fullmatch(name)
    if place is not None:
        return tape[int(place[1])] if int(place[1]) < len(tape) else None
    labels = Labels(tape)
    printed = next((node for node in reversed(tape) if labels.of(node) == name), None)
    return printed or next(iter(reversed(labels.called(name))), None)


def instead(tape: Sequence[Node], name: str) -> str:
    """What could have been meant by a name that nothing has, for the sentence of an error."""
    if _PLACE.fullmatch(name):
        return f"the records are %0 to %{len(tape) - 1}"
    labels = Labels(tape)
    near = nearest(name, [labels.loss, *(labels.of(node) for node in tape if labels.has(node))])
    return f"nearest: {', '.join(near) or 'none has a name'}"
