"""What a program calls its values: the variable that a result was bound to, and what stands there for an operand."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import cycle
from typing import Any

import numpy as np

from .bytecode import per_instruction, places, source_of
from .node import Node

__all__ = ["pairs", "typeset", "variable", "variables", "written", "written_index", "written_name"]

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
_NUMBERED = re.compile(rf"(d?[A-Za-z]|{'|'.join(_GREEK)})_?([0-9]{{1,3}})")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SIGNS: dict[Any, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.MatMult: np.matmul,
    ast.Pow: np.power, ast.Mod: np.mod, ast.FloorDiv: np.floor_divide,
}  # fmt: skip
_VIEWS = frozenset({"T", "mT", "data", "real", "imag", "flat"})
_RETURNED = "return"


def typeset(name: str) -> str:
    """A variable as mathematicians write it.

    >>> [typeset(name) for name in ("z1", "dW_2", "theta", "h_prev")]
    ['z₁', 'dW₂', 'θ', 'h_prev']
    """
    found = _NUMBERED.fullmatch(name)
    letter, number = found.groups() if found else (name, "")
    return _GREEK.get(letter, letter) + number.translate(_LOWERED)


@per_instruction
def variable(code: Any, lasti: int) -> tuple[str, ...]:
    """The name that the value of the `lasti`-th byte of some code is bound to, as it is typed, or the names of several,
    which are made there one after the other; ``return`` where a function gives it; else empty."""
    return _bound("".join(linecache.getlines(code.co_filename))).get(places(code, lasti), ())


@lru_cache(64)
def _bound(text: str) -> dict[tuple[int | None, ...], tuple[str, ...]]:
    """The names that a program binds expressions to, by first and last line and column of these."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    return {
        (value.lineno, value.end_lineno, value.col_offset, value.end_col_offset): names
        for statement in ast.walk(tree)
        for target, value in _bindings(statement)
        if any(names := _names(target))
    }


def _bindings(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(tree, ast.Assign):
        found = [pair for target in reversed(tree.targets) for pair in pairs(target, tree.value)]
    elif isinstance(tree, ast.Return) and tree.value is not None:
        found = [(ast.Name(_RETURNED), tree.value)]
    elif isinstance(tree, ast.Lambda):
        found = [(ast.Name(_RETURNED), tree.body)]
    elif isinstance(tree, ast.AnnAssign | ast.NamedExpr) and tree.value is not None:
        found = [(tree.target, tree.value)]
    else:
        return
    for target, value in found:
        if isinstance(value, ast.IfExp):
            yield from ((target, value.body), (target, value.orelse))
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.ListComp | ast.GeneratorExp):
            yield target, value.elt
        else:
            yield target, value


def pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Target and value of an assignment; of ``Q, K = X @ W, X @ U`` of each of its names."""
    several = ast.Tuple | ast.List
    if isinstance(target, several) and isinstance(value, several) and len(target.elts) == len(value.elts):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _names(tree: ast.expr) -> tuple[str, ...]:
    """The name of a target, or those of several; empty of one that is nothing but underscores, or no name."""
    found = map(_name, tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree])
    return tuple(name if name.strip("_") else "" for name in found)


def _name(tree: ast.expr | None) -> str:
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
    operation, parts = _call(node.code, node.lasti) if node.code is not None else (None, ())
    if operation != node.op and _SIGNS.get(operation) is not node.rule.fn:
        return None
    # of np.dot(x, c) the first part is np, of x.dot(c) it is the first operand
    skipped = len(parts) - len(node.operands)
    return parts[i + skipped] if skipped in (0, 1) else None


def written_name(node: Node, i: int) -> str:
    """The variable that the program wrote for operand `i`; empty where it wrote anything else."""
    tree, operand = written(node, i), node.operands[i]
    taken = isinstance(tree, ast.Subscript) and isinstance(operand, Node) and operand.op == "getitem"
    return "" if taken else typeset(_name(tree))


def written_index(node: Node) -> list[str]:
    """The variables that the program wrote for the parts of an index, empty where it wrote anything else."""
    if node.code is None or not isinstance(tree := _tree(node.code, node.lasti), ast.Subscript):
        return []
    return [typeset(_name(part)) for part in (tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice])]


@per_instruction
def _call(code: Any, lasti: int) -> tuple[Any, tuple[ast.expr, ...]]:
    return _parts(_tree(code, lasti))


def _tree(code: Any, lasti: int) -> ast.expr | None:
    try:
        return ast.parse(source_of(code, lasti).expression.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _parts(tree: ast.expr | None) -> tuple[Any, tuple[ast.expr, ...]]:
    """What an expression does, by its sign or the name of a function, and what it does it to."""
    if isinstance(tree, ast.BinOp):
        return type(tree.op), (tree.left, tree.right)
    if isinstance(tree, ast.Subscript):
        return "getitem", (tree.value,)
    if not isinstance(tree, ast.Call):
        return None, ()
    # np.stack([a, b]) takes a and b
    given = [one for a in tree.args for one in (a.elts if isinstance(a, ast.List | ast.Tuple) else (a,))]
    if isinstance(tree.func, ast.Attribute):
        return tree.func.attr, (tree.func.value, *given)
    return (tree.func.id, (tree.func, *given)) if isinstance(tree.func, ast.Name) else (None, ())


def variables(tape: Sequence[Node]) -> dict[Node, str]:
    """What the program calls the records on a tape that have no name: by the variable that they were bound to, else by
    the one that stands where they are used first, as leaves and results of functions; several may share one.

    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> W1, x = Tensor([[1.0, 2.0]]), Tensor([3.0, 4.0])
    >>> z1 = W1 @ x
    >>> list(variables(Tape(np.tanh(z1).sum())).values())
    ['W₁', 'x', 'z₁']
    """
    names, kept = [node.name for node in tape], vars(tape)  # what was found stays with the tape
    if "_variables" not in kept or kept["_variables"][0] != names:
        kept["_variables"] = names, _variables(tape)
    found: dict[Node, str] = kept["_variables"][1]
    return found


def _variables(tape: Sequence[Node]) -> dict[Node, str]:
    places: dict[tuple[int, int], list[Node]] = {}
    used: dict[Node, str] = {}
    for node in tape:
        if node.code is not None and node.args is not None:
            places.setdefault((id(node.code), node.lasti), []).append(node)
            for i, operand in enumerate(node.args):
                if operand.__class__ is Node and not operand.name:
                    used[operand] = used.get(operand) or written_name(node, i)
    bound: dict[Node, str] = {}
    parts: dict[Node, str] = {}
    returned: set[Node] = set()
    for made in places.values():
        names = variable(made[0].code, made[0].lasti)
        if names == (_RETURNED,):
            returned.update(made)
        elif names:
            # one call may record several operations, of which the last is what it gives
            period = _period([node.op for node in made])
            if period > 1:  # and a call may do the same along one axis after the other
                period = _period([(node.op, node.kwargs.get("axis")) for node in made])
            results = made[period - 1 :: period]
            if len(results) % len(names) == 0:
                kept = bound if len(names) == 1 else parts
                kept |= dict(zip(results, cycle(map(typeset, names)), strict=False))
    told = {node: name for node, name in used.items() if node.args is None or node in returned}
    taken = {*bound.values(), *told.values()}  # i, f = np.split(z, 2) are not the i, f = σ(i), σ(f) that follow
    bound |= {node: name for node, name in parts.items() if name not in taken}
    called = {node: bound.get(node) or told.get(node) for node in tape if not node.name}
    return {node: name for node, name in called.items() if name}


def _period(ops: Sequence[Any]) -> int:
    """The length of the shortest series of which `ops` is a whole number of repeats."""
    whole = len(ops)
    return next(
        p for p in range(1, whole + 1) if whole % p == 0 and all(a == b for a, b in zip(ops, ops[p:], strict=False))
    )
