"""Calls made from the lines of another program: the tape then points there.

A record holds the byte code, and the place in it, of the first frame outside these packages. So for each function of
the other program there is code here that does nothing but call what it is given, from the lines of that function.
"""

from __future__ import annotations

import ast
import linecache
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from types import CodeType, FunctionType
from typing import Any

__all__ = ["callers"]

Site = tuple[str, int, str, bool]
Caller = Callable[[Callable[..., Any], Any, Any], Any]


def callers(sites: Iterable[Site]) -> dict[Site, Caller]:
    """For each place something that calls ``f(*args, **kwargs)`` from there, as ``via(f, args, kwargs)``.

    A place is a file, a line, the name of the function, and whether it is a call that the line makes, or its whole.

    Examples
    --------
    >>> import sys
    >>> site = ("model.py", 12, "forward", False)
    >>> via = callers([site])[site]
    >>> frame = via(sys._getframe, (), {})
    >>> frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    ('model.py', 12, 'forward')
    """
    functions: dict[tuple[str, str, int], list[Site]] = defaultdict(list)
    for site in sorted(set(sites)):
        file, line, name, inner = site
        functions[file, name, _place(file, line, inner)[0]].append(site)
    return {
        site: partial(fn, i)
        for (file, name, _), of in functions.items()
        for fn in [_function(file, name, [_place(file, line, inner)[1] for _, line, _, inner in of])]
        for i, site in enumerate(of)
    }


def _function(file: str, name: str, spans: list[tuple[int, int, int]]) -> FunctionType:
    """``f(i, call, args, kwargs)``, which calls from the i-th of some lines, each with its first and last column."""
    cases: list[ast.stmt] = []
    for i, (line, start, end) in enumerate(spans):
        case = ast.parse(f"if at == {i}: return call(*args, **kwargs)").body[0]
        for node in ast.walk(case):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = line  # type: ignore[attr-defined]
                node.col_offset, node.end_col_offset = start, end  # type: ignore[attr-defined]
        cases.append(case)
    module = ast.parse("def f(at, call, args, kwargs): pass")
    module.body[0].body = cases  # type: ignore[attr-defined]
    code = next(c for c in compile(module, file, "exec").co_consts if isinstance(c, CodeType))
    return FunctionType(code.replace(co_name=name, co_qualname=name), {})


@lru_cache(1024)
def _place(file: str, line: int, inner: bool) -> tuple[int, tuple[int, int, int]]:
    """Where the function around a line begins; and the longest expression on the line: line, first and last column."""
    of = ast.Call if inner else _COMPUTING
    inside, spans = [0], []
    for node in _nodes(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if node.lineno <= line <= (node.end_lineno or node.lineno):
                inside.append(node.lineno)
        elif isinstance(node, of) and node.lineno == line == node.end_lineno:
            spans.append((node.col_offset, node.end_col_offset or 0))
    start, end = max(
        spans, key=lambda span: span[1] - span[0], default=(0, len(linecache.getline(file, line).rstrip()))
    )
    return max(inside), (line, start, end)


_COMPUTING = (ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript)


@lru_cache(32)
def _nodes(file: str) -> tuple[ast.AST, ...]:
    try:
        return tuple(ast.walk(ast.parse("".join(linecache.getlines(file)))))
    except (SyntaxError, ValueError, RecursionError):
        return ()
