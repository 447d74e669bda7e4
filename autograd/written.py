"""What the program wrote for the operands of an operation, told by the line that made the record, or not at all."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import sys
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .bytecode import per_instruction, places
from .node import Node
from .registry import METHODS

__all__ = ["Program", "expression", "name_of", "place", "program_of", "written", "written_around"]

_SIGNS: dict[Any, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.MatMult: np.matmul,
    ast.Pow: np.power, ast.Mod: np.mod, ast.FloorDiv: np.floor_divide, ast.USub: np.negative, ast.UAdd: np.positive,
}  # fmt: skip
_VIEWS = frozenset({"T", "mT", "data", "real", "imag", "flat"})
_MADE = (ast.BinOp, ast.UnaryOp, ast.AugAssign, ast.Subscript, ast.Attribute, ast.Call)
_USUAL = {"np": "numpy", "numpy": "numpy", "anp": "autograd.numpy"}
_MODULES = frozenset({*_USUAL, "xp", "lib", "backend"})
"""What modules are called: such a variable may hold one, as that of an array never does."""

_TRUSTED = ("numpy", "nn.functional", "autograd.rules", "scipy.special")
"""Whose functions use nothing but what they are given."""

_OPTIONS = frozenset({"axis", "axes", "dim", "keepdims", "keepdim", "shape", "dtype", "order", "ord", "offset"})
_SEQUENCES = frozenset({"arrays", "tup", "arys", "xi"})
"""Parameters that take several arrays: the variable of a list has none of their names."""

_UNKNOWN, _VALUE = object(), object()


@dataclass(frozen=True, eq=False)
class Program:
    """A file of the program: its tree, its expressions by their places, what it imports, what else it binds."""

    tree: ast.Module
    made: dict[Any, ast.AST]
    imported: dict[str, tuple[str, str]]
    others: frozenset[str]


class _Call(NamedTuple):
    """An operation as it is written: a function by its name and, where imports tell, itself; arguments by position, up
    to the first starred one, and by keyword; whether that is all; what the function is an attribute of."""

    name: str
    fn: Any
    given: tuple[ast.expr, ...]
    named: dict[str, ast.expr]
    whole: bool = True
    owner: ast.expr | None = None

    def is_of(self, operands: int) -> bool:
        """Whether it is a method of its first operand, as in z.sum(axis), and takes no other as self.relu(z) does."""
        owner, more = self.owner, (*self.given, *self.named.values())
        if owner is None or not self.whole:
            return False
        by_itself = isinstance(owner, ast.Name) and owner.id in ("self", "cls")
        an_arrays = hasattr(np.ndarray, self.name) and not by_itself
        return operands > len(more) or an_arrays or all(map(_is_number, more))


def program_of(code: Any) -> Program:
    """The file that some code is from, empty where it can't be read."""
    return _read("".join(linecache.getlines(code.co_filename)))


@lru_cache(64)
def _read(text: str) -> Program:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        tree = ast.Module([], [])
    made: dict[Any, ast.AST] = {}
    imported: dict[str, tuple[str, str]] = {}
    others: set[str] = set()
    for one in ast.walk(tree):
        if isinstance(one, _MADE):
            made[place(one)] = one
        elif isinstance(one, ast.Import | ast.ImportFrom):
            for alias in one.names:
                if isinstance(one, ast.ImportFrom):
                    imported[alias.asname or alias.name] = "." * one.level + (one.module or ""), alias.name
                elif alias.asname:
                    imported[alias.asname] = alias.name, ""
                else:
                    first = alias.name.partition(".")[0]
                    imported[first] = first, ""
        elif isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            others.add(one.id)
        elif isinstance(one, ast.arg):
            others.add(one.arg)
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            others.add(one.name)
    return Program(tree, made, imported, frozenset(others))


def place(tree: Any) -> tuple[int | None, ...]:
    """Where byte code says that an expression stands, by its first and last line and column: from its start, or from an
    attribute that stands below it."""
    of = tree.func if isinstance(tree, ast.Call) else tree
    if isinstance(of, ast.Attribute) and of.end_lineno != tree.lineno:
        start = (of.end_col_offset or 0) - len(of.attr)
        return of.end_lineno, tree.end_lineno, start, tree.end_col_offset
    return tree.lineno, tree.end_lineno, tree.col_offset, tree.end_col_offset


def expression(code: Any, lasti: int) -> ast.AST | None:
    """What the `lasti`-th byte of some code computes, where it is an operation."""
    return program_of(code).made.get(places(code, lasti))


def name_of(tree: ast.expr | None) -> str:
    """``z1`` of z1, self.z1, cache["z1"] and z1[k]; empty of anything else."""
    while isinstance(tree, ast.Subscript):
        if isinstance(tree.slice, ast.Constant) and isinstance(tree.slice.value, str):
            return tree.slice.value
        tree = tree.value
    if isinstance(tree, ast.Attribute):
        return "" if tree.attr in _VIEWS else tree.attr
    return tree.id if isinstance(tree, ast.Name) else ""


def written(node: Node, i: int) -> ast.expr | None:
    """What the program wrote for operand `i`, where the line that made a record tells: of this very operation."""
    call = _call(node.code, node.lasti) if node.code is not None else None
    if call is None or (call.name != node.op and call.fn is not node.rule.fn):
        return None
    operands = len(node.operands)
    given = (call.owner, *call.given) if call.owner is not None and call.is_of(operands) else call.given
    if call.name == "einsum":  # np.einsum("ij,j->i", A, x), np.einsum(A, [0, 1], x, [1])
        text = bool(given) and isinstance(given[0], ast.Constant)
        return given[i + 1] if i + 1 < len(given) and (text or len(given) == operands + 1 > 2) else None
    if node.rule.variadic is not None and node.rule.of_this_house:
        listed = _listed(given[0]) if given else ()
        return listed[i] if len(listed) == operands else None
    k = _position(call, node, i)
    if k is None or k < len(given):
        return None if k is None else given[k]
    names = list(_parameters(call.fn or node.rule.fn))
    return call.named.get(names[k]) if k < len(names) else None


def _position(call: _Call, node: Node, i: int) -> int | None:
    """Where operand `i` stands among the arguments: set_at(x, index, value) records x and the value."""
    if i == 0 or not node.rule.of_this_house or isinstance(node.rule.fn, np.ufunc) or call.fn is node.rule.fn:
        return None if call.owner is not None and call.name == "where" else i  # t.where(condition, other)
    if call.fn is None:
        return i if hasattr(np.ndarray, call.name) or hasattr(np, call.name) else None
    there, here = list(_parameters(call.fn)), list(_parameters(node.rule.fn))
    if i >= min(len(here), len(there)):
        return None
    if here[i] in there:
        return there.index(here[i])
    return None if there[i] in here else i


@per_instruction
def written_around(code: Any, lasti: int) -> tuple[ast.expr, ...]:
    """Everything that can be an operand of what a call does: one expression for each; empty where that is unknown."""
    call = _call(code, lasti)
    if call is None:
        return ()
    if call.owner is not None:
        return (call.owner,) if call.is_of(0) and call.name in METHODS else ()
    home = getattr(call.fn, "__module__", None) or ("numpy" if isinstance(call.fn, np.ufunc) else "")
    if not call.whole or not (call.fn is abs or call.fn is round or home.startswith(_TRUSTED)):
        return ()
    parameters = _parameters(call.fn)
    positional = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    pairs = [*((p.name, a) for p, a in zip(positional, call.given, strict=False)), *call.named.items()]
    if len(pairs) < len(call.given) + len(call.named):
        return ()
    found: list[ast.expr] = []
    for name, tree in pairs:
        listed = _listed(tree)
        if name in _SEQUENCES and not listed:
            return ()
        option = name in parameters and str(parameters[name].annotation) in ("int", "float", "bool", "str")
        if name not in _OPTIONS and not option:
            found += [one for one in listed or (tree,) if not _is_number(one)]
    return tuple({ast.dump(one): one for one in found}.values())


@per_instruction
def _call(code: Any, lasti: int) -> _Call | None:
    tree = expression(code, lasti)
    if isinstance(tree, ast.BinOp):
        return _Call("", _SIGNS.get(type(tree.op), ""), (tree.left, tree.right), {})
    if isinstance(tree, ast.AugAssign):
        return _Call("", _SIGNS.get(type(tree.op), ""), (tree.target, tree.value), {})
    if isinstance(tree, ast.UnaryOp):
        return _Call("", _SIGNS.get(type(tree.op), ""), (tree.operand,), {})
    if isinstance(tree, ast.Subscript):
        return _Call("getitem", None, (tree.value,), {})
    if isinstance(tree, ast.Attribute):
        return _Call(tree.attr, None, (), {}, owner=tree.value)
    if not isinstance(tree, ast.Call):
        return None
    known = next((k for k, one in enumerate(tree.args) if isinstance(one, ast.Starred)), len(tree.args))
    given, named = tuple(tree.args[:known]), {one.arg: one.value for one in tree.keywords if one.arg is not None}
    whole = known == len(tree.args) and len(named) == len(tree.keywords)
    if isinstance(tree.func, ast.Name):
        fn = _meant(tree.func, code)
        return _Call(tree.func.id, None if fn is _UNKNOWN or fn is _VALUE else fn, given, named, whole)
    if not isinstance(tree.func, ast.Attribute):
        return None
    name, owner = tree.func.attr, _meant(tree.func.value, code)
    if isinstance(owner, ModuleType | type):
        return _Call(name, getattr(owner, name, None), given, named, whole)
    if owner is _UNKNOWN and not (whole and all(map(_is_number, (*given, *named.values())))):
        return None  # of np.sum(z) z is the operand, of z.sum(axis) it is not what stands in the brackets
    return _Call(name, None, given, named, whole, tree.func.value)


def _meant(tree: ast.expr, code: Any) -> Any:
    """What a chain of names stands for where the program imported it; `_VALUE` of what it computed; or `_UNKNOWN`."""
    if isinstance(tree, ast.Attribute):
        owner = _meant(tree.value, code)
        if isinstance(owner, ModuleType | type):
            return getattr(owner, tree.attr, _UNKNOWN)
        return _UNKNOWN if owner is _UNKNOWN or tree.attr in _MODULES else _VALUE
    if not isinstance(tree, ast.Name):
        return _VALUE
    name, program = tree.id, program_of(code)
    if name in program.imported:
        module, part = program.imported[name]
        found: Any = sys.modules.get(module, _UNKNOWN)
        if part and found is not _UNKNOWN:
            found = getattr(found, part, sys.modules.get(f"{module}.{part}", _UNKNOWN))
        return found if name not in program.others else _UNKNOWN
    if name in program.others:
        return _UNKNOWN if name in _MODULES else _VALUE
    main = vars(sys.modules["__main__"])  # where the other cells of a notebook left it
    if name in main:
        return main[name] if isinstance(main[name], ModuleType) or callable(main[name]) else _VALUE
    return getattr(builtins, name, sys.modules.get(_USUAL.get(name, ""), _UNKNOWN))


def _parameters(fn: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        return {}


def _listed(tree: ast.expr) -> tuple[ast.expr, ...]:
    """The parts of a list that is written out."""
    if not isinstance(tree, ast.List | ast.Tuple) or any(isinstance(one, ast.Starred) for one in tree.elts):
        return ()
    return tuple(tree.elts)


def _is_number(tree: ast.expr) -> bool:
    """Whether an expression is written without any name: 0, -1, (2, 3), [0, 1], "ij->i"."""
    return not any(isinstance(one, ast.Name) for one in ast.walk(tree))
