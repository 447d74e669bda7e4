"""What byte code tells: the place of an instruction in the program, what it calls, and which values a rule reads."""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import itertools
import linecache
import os
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

__all__ = [
    "METADATA",
    "Source",
    "called",
    "instruction_of",
    "per_instruction",
    "places",
    "reads_for_update",
    "source_of",
    "unpacks",
    "values_read",
]


_T = TypeVar("_T")


class Source(NamedTuple):
    """The place in a program that an operation was recorded at.

    ``text`` is the whole line; ``expression`` the part of it that made this operation, where Python knows.
    """

    file: str
    line: int
    text: str
    expression: str
    function: str

    def __str__(self) -> str:
        file = "cell" if "ipykernel_" in self.file else os.path.basename(self.file)
        return f"{file}:{self.line}"


def per_instruction(f: Callable[[Any, int], _T]) -> Callable[[Any, int], _T]:
    """A function of some code and the place of a byte in it, computed once for each.

    A code object is its own hash of all it holds, which takes long: it is found by its id, and kept, so that this stays
    its own.
    """
    known: dict[tuple[int, int], tuple[_T, Any]] = {}

    @functools.wraps(f)
    def computed_once(code: Any, lasti: int) -> _T:
        found = known.get((id(code), lasti))
        if found is None:
            if len(known) > _MOST:
                known.clear()
            found = known[id(code), lasti] = f(code, lasti), code
        return found[0]

    return computed_once


_MOST = 65536


def instruction_of(node: Any) -> int:
    """The instruction that made a record: the same at each pass of a loop, which the byte a frame is at need not be."""
    return 0 if node.code is None else _instruction(node.code, node.byte)


@per_instruction
def _instruction(code: Any, byte: int) -> int:
    """The place of the instruction that a byte belongs to: where Python calls a method from within an instruction that
    it has specialised after some passes, a frame is no longer at its start, but past the cache behind it."""
    codes = code.co_code
    while byte and codes[byte] == _CACHE:
        byte -= 2
    return byte


@per_instruction
def reads_for_update(code: Any, lasti: int) -> bool:
    """Whether an attribute is read to be assigned to, as in ``p.data -= step``.

    Told by the instruction before: the owner is doubled only where it is needed again, to set the attribute.
    """
    before = code.co_code[:lasti]
    while before[-2:-1] == _EXTENDED:
        before = before[:-2]
    return bool(before[-2:] == _DOUBLED)


_DOUBLED = bytes((dis.opmap["COPY"], 1))
_CACHE = dis.opmap["CACHE"]
_EXTENDED = bytes((dis.opmap["EXTENDED_ARG"],))


def unpacks(frame: Any) -> bool:
    """Whether the instruction that a frame is at takes a sequence apart: ``a, b = …``."""
    return bool(frame.f_code.co_code[frame.f_lasti] == dis.opmap["UNPACK_SEQUENCE"])


def places(code: Any, lasti: int) -> tuple[int | None, int | None, int | None, int | None]:
    """First and last line, first and last column of the `lasti`-th byte of some code, where Python knows."""
    return next(itertools.islice(code.co_positions(), lasti // 2, None), (None,) * 4)


@per_instruction
def source_of(code: Any, lasti: int) -> Source:
    """The place of the `lasti`-th byte of some code."""
    line, end_line, start, end = places(code, lasti)
    line = line or code.co_firstlineno
    text = linecache.getline(code.co_filename, line)
    expression = ""
    if text and start is not None and end is not None and line == end_line:
        expression = text.encode()[start:end].decode(errors="replace")
    return Source(code.co_filename, line, text.strip(), expression, code.co_name)


def called(frame: Any) -> tuple[str, Any]:
    """What the instruction that a frame is at calls: as it is written, and the object, where a lookup finds it."""
    code, missing, found = frame.f_code, object(), None
    names = _names_called(code, frame.f_lasti)
    if names and names[0].isidentifier():
        fast = code.co_flags & inspect.CO_OPTIMIZED
        local = not fast or names[0] in code.co_varnames + code.co_cellvars + code.co_freevars
        spaces = (*((frame.f_locals,) if local else ()), frame.f_globals, frame.f_builtins)
        found = next((space[names[0]] for space in spaces if names[0] in space), missing)
        for name in names[1:]:
            found = inspect.getattr_static(found, name, missing)
        found = None if found is missing else found
    return ".".join(names), found


@per_instruction
def _names_called(code: Any, lasti: int) -> tuple[str, ...]:
    """``("math", "exp")`` of a call ``math.exp(w)``; what is no chain of names stands first as it is written."""
    line, last, start, end = places(code, lasti)
    if line is None or last is None or start is None or end is None:
        return ()
    lines = [text.encode() for text in linecache.getlines(code.co_filename, None)[line - 1 : last]]
    if not lines:
        return ()
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        tree = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except (SyntaxError, ValueError):
        return ()
    if not isinstance(tree, ast.Call):
        return ()
    names: list[str] = []
    part: ast.expr = tree.func
    while isinstance(part, ast.Attribute):
        names.insert(0, part.attr)
        part = part.value
    return (ast.unparse(ast.Attribute(part, "name"))[: -len(".name")], *names)


METADATA = frozenset({"shape", "dtype", "ndim", "size"})


def values_read(vjp: Callable[..., Any] | None, before: int) -> tuple[bool, frozenset[int] | None]:
    """Read off a rule's byte code whether it loads ``out``, and the values of which operands."""
    return _reads_of(vjp.__code__, before) if inspect.isfunction(vjp) else (True, None)


@per_instruction
def _reads_of(code: Any, before: int) -> tuple[bool, frozenset[int] | None]:
    positions = {name: i for i, name in enumerate(code.co_varnames[: code.co_argcount])}
    rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code.co_flags & inspect.CO_VARARGS else None
    read: set[int] = set()
    all_operands = False
    instructions = [i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "EXTENDED_ARG", "NOP")]
    for here, following in zip(instructions, [*instructions[1:], None], strict=True):
        if not here.opname.startswith("LOAD_") and here.opname != "STORE_FAST_LOAD_FAST":
            continue
        names = here.argval if isinstance(here.argval, tuple) else (here.argval,)
        last_is_metadata = following is not None and following.opname == "LOAD_ATTR" and following.argval in METADATA
        for k, name in enumerate(names):
            if not isinstance(name, str) or (last_is_metadata and k == len(names) - 1):
                continue
            all_operands = all_operands or name == rest
            if name in positions and here.opname not in ("LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD", "LOAD_CONST"):
                read.add(positions[name])
    reads_output = 1 in read or (all_operands and code.co_argcount < 2)
    return reads_output, None if all_operands else frozenset(i - before for i in read if i >= before)
