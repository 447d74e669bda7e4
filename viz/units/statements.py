"""Which statement of the program an operation stands in, and in which loops of which function that stands."""

from __future__ import annotations

import ast
import itertools
import linecache
from functools import lru_cache
from typing import Any, NamedTuple

from autograd.bytecode import per_instruction, places
from autograd.variables import pairs

__all__ = ["Place", "place_of"]

_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Place(NamedTuple):
    """A statement, the loops around it from the outermost in, and the function that it is in."""

    statement: Any
    loops: tuple[Any, ...]
    function: Any
    name: str

    def at(self, depth: int) -> tuple[int, int]:
        """Where what the loop of that depth has in its body begins: the next loop, or the statement."""
        tree = self.loops[depth] if depth < len(self.loops) else self.statement
        return tree.lineno, tree.col_offset

    @property
    def calls(self) -> frozenset[str]:
        """The names of the functions that the statement calls."""
        found = (tree.func for tree in ast.walk(self.statement) if isinstance(tree, ast.Call))
        names = (f.id if isinstance(f, ast.Name) else getattr(f, "attr", "") for f in found)
        return frozenset(filter(None, names))

    @property
    def text(self) -> str:
        """The statement on one line."""
        return ast.unparse(self.statement).split("\n", 1)[0]


@per_instruction
def place_of(code: Any, lasti: int) -> Place | None:
    """The place of the `lasti`-th byte of some code; None where there is no source."""
    first, last, start, end = places(code, lasti)
    if first is None or last is None or start is None or end is None:
        return None
    lines = _by_line("".join(linecache.getlines(code.co_filename)))
    inside = [
        place
        for place, tree in lines.get(first, ())
        if (tree.lineno, tree.col_offset) <= (first, start) and (last, end) <= (tree.end_lineno, tree.end_col_offset)
    ]
    return inside[-1] if inside else None


@lru_cache(64)
def _by_line(text: str) -> dict[int, list[tuple[Place, Any]]]:
    """For each line the statements and loops that it is in, with the place of each, the innermost last."""
    found: dict[int, list[tuple[Place, Any]]] = {}

    def go(tree: ast.AST, place: Place) -> None:
        for child in itertools.chain.from_iterable(map(_each, ast.iter_child_nodes(tree))):
            here = place
            if isinstance(child, _FUNCTIONS):
                here = Place(child, (), child, getattr(child, "name", "λ"))
            elif isinstance(child, ast.stmt):
                here = here._replace(statement=child)
            if isinstance(child, _LOOPS):
                here = here._replace(loops=(*here.loops, child))
            if isinstance(child, (ast.stmt, ast.Lambda, *_LOOPS)) and not isinstance(child, ast.ClassDef):
                for line in range(child.lineno, (child.end_lineno or child.lineno) + 1):
                    found.setdefault(line, []).append((here, child))
            go(child, here)

    try:
        go(ast.parse(text), Place(None, (), None, ""))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return found


def _each(tree: ast.AST) -> list[ast.AST]:
    """Some code, but of ``Q, K = X @ W, X @ U`` each assignment."""
    if not isinstance(tree, ast.Assign) or len(tree.targets) > 1:
        return [tree]
    found = pairs(tree.targets[0], tree.value)
    return [tree if v is tree.value else ast.copy_location(ast.Assign([t], v), v) for t, v in found]
