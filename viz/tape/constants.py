"""What arrays that are no records are called: as in the program, where the line of the operation tells, else c₁, c₂."""

from __future__ import annotations

import ast
import hashlib
import itertools
from collections import Counter
from collections.abc import Container, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from autograd import Node

from ..plain.numbers import clean, subscript

_LIMIT = 24
_SIGNS: dict[Any, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.MatMult: np.matmul,
    ast.Pow: np.power, ast.Mod: np.mod, ast.FloorDiv: np.floor_divide,
}  # fmt: skip


def constants(nodes: Iterable[Node], taken: Container[str]) -> dict[Any, str]:
    """A name for each array that is an operand, by its `content`: equal arrays have one name, no others have that.

    Parameters
    ----------
    nodes : iterable of Node
    taken : container of str
        The names of records.
    """
    wanted: dict[Any, str] = {}
    for node in nodes:
        for i, operand in enumerate(node.operands):
            if isinstance(operand, np.ndarray) and operand.ndim:
                wanted.setdefault(content(operand), _variable(written_operand(node, i)) or "c")
    counts = Counter(wanted.values())
    given: dict[Any, str] = {}
    used: set[str] = set()
    for key, name in wanted.items():
        alone = counts[name] == 1
        numbered = (name + subscript(n) for n in itertools.count(1 + alone))
        free = itertools.chain([name] * alone, numbered)
        given[key] = next(one for one in free if one not in taken and one not in used)
        used.add(given[key])
    return given


def content(array: np.ndarray) -> Any:
    """What equal arrays share."""
    return array.shape, array.dtype.str, hashlib.sha256(array.tobytes()).digest()


def written_operand(node: Node, i: int) -> ast.expr | None:
    """What the program wrote for an operand, where the line that made a record tells: of this very operation."""
    source = node.source
    operation, parts = _written(source.expression) if source is not None else (None, ())
    if operation != node.op and _SIGNS.get(operation) is not node.rule.fn:
        return None
    # in x.dot(c) the first operand stands before the dot
    before = len(node.operands) - len(parts)
    return parts[i - before] if before in (0, 1) and i >= before else None


@lru_cache(1024)
def _written(expression: str) -> tuple[Any, tuple[ast.expr, ...]]:
    """What an expression does, by its sign or the name of a function, and what it does it to."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None, ()
    if isinstance(tree, ast.BinOp):
        return type(tree.op), (tree.left, tree.right)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute) and not tree.keywords:
        return tree.func.attr, tuple(tree.args)
    return None, ()


def _variable(tree: ast.expr | None) -> str:
    name = tree.id if isinstance(tree, ast.Name) else tree.attr if isinstance(tree, ast.Attribute) else ""
    return clean(name, _LIMIT)
