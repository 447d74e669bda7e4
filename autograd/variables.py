"""What a program calls its values: the variable that a result was bound to, and what stands there for an operand."""

from __future__ import annotations

import ast
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import cycle
from typing import Any

from .bytecode import per_instruction, places
from .node import Node
from .written import Program, expression, name_of, place, program_of, written, written_around

__all__ = ["pairs", "typeset", "variable", "variables", "written_index", "written_name"]

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
_NUMBERED = re.compile(rf"(d?[A-Za-z]|{'|'.join(_GREEK)})_?([0-9]{{1,3}})")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
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
    return _bound(program_of(code)).get(places(code, lasti), ())


@lru_cache(64)
def _bound(program: Program) -> dict[tuple[int | None, ...], tuple[str, ...]]:
    """The names that a program binds expressions to, by first and last line and column of these."""
    return {
        place(value): names
        for statement in ast.walk(program.tree)
        for target, value in _bindings(statement)
        if any(names := _names(target))
    }


def _bindings(tree: ast.AST) -> Iterator[tuple[ast.expr, Any]]:
    found: list[tuple[ast.expr, Any]]
    if isinstance(tree, ast.Assign):
        found = [pair for target in reversed(tree.targets) for pair in pairs(target, tree.value)]
    elif isinstance(tree, ast.Return) and tree.value is not None:
        found = [(ast.Name(_RETURNED), tree.value)]
    elif isinstance(tree, ast.AugAssign):
        found = [(tree.target, tree)]
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
    found = map(name_of, tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree])
    return tuple(name if name.strip("_") else "" for name in found)


def written_name(node: Node, i: int) -> str:
    """The variable that the program wrote for operand `i`; empty where it wrote anything else."""
    tree, operand = written(node, i), node.operands[i]
    taken = isinstance(tree, ast.Subscript) and isinstance(operand, Node) and operand.op == "getitem"
    return "" if taken else typeset(name_of(tree))


def written_index(node: Node) -> list[str]:
    """The variables that the program wrote for the parts of an index, empty where it wrote anything else."""
    tree = expression(node.code, node.lasti) if node.code is not None else None
    if not isinstance(tree, ast.Subscript):
        return []
    return [typeset(name_of(part)) for part in (tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice])]


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
    for node in tape:
        if node.code is not None and node.args is not None:
            places.setdefault((id(node.code), node.lasti), []).append(node)
    bound: dict[Node, str] = {}
    parts: dict[Node, str] = {}
    returned: set[Node] = set()
    for made in places.values():
        names = variable(made[0].code, made[0].lasti)
        if names == (_RETURNED,):
            returned.update(made)
        elif names:
            period = _pass(made)
            results = made[period - 1 :: period]
            if len(results) % len(names) == 0:
                kept = bound if len(names) == 1 else parts
                kept |= dict(zip(results, cycle(map(typeset, names)), strict=False))
    told = _told(tape, returned)
    for made in places.values():
        if any(
            operand.is_leaf and not operand.name and operand not in told for node in made for operand in node.parents
        ):
            period = _pass(made)
            for k in range(0, len(made), period):
                told |= _left(made[k : k + period], ChainMap(told, bound))
    taken = {*bound.values(), *told.values()}  # i, f = np.split(z, 2) are not the i, f = σ(i), σ(f) that follow
    bound |= {node: name for node, name in parts.items() if name not in taken}
    called = {node: bound.get(node) or told.get(node) for node in tape if not node.name}
    return {node: name for node, name in called.items() if name}


def _told(tape: Sequence[Node], returned: set[Node]) -> dict[Node, str]:
    """The variables that stand where leaves, and what functions returned, are used first: elsewhere than in a function
    that they are handed to, which calls them after its parameters, if they are."""
    used: dict[Node, str] = {}
    inside: dict[Node, str] = {}
    for node in tape:
        for i, operand in enumerate(node.operands):
            if operand.__class__ is not Node or operand.name or operand in used:
                continue
            if (operand.args is None or operand in returned) and (name := written_name(node, i)):
                parameters = node.code.co_varnames[: node.code.co_argcount]
                (inside if name in map(typeset, parameters) else used).setdefault(operand, name)
    return inside | used


def _left(made: Sequence[Node], known: Mapping[Node, str]) -> dict[Node, str]:
    """The leaf that a call was given, by the only variable in its brackets that is no other operand's."""
    own = set(made)
    given = dict.fromkeys(operand for node in made for operand in node.parents if operand not in own)
    names = {operand: operand.name or known.get(operand) for operand in given}
    leaves = [operand for operand in given if not names[operand]]
    if len(leaves) != 1 or not leaves[0].is_leaf:
        return {}
    found = [name_of(tree) for tree in written_around(made[0].code, made[0].lasti)]
    name, *others = [typeset(name) for name in found if typeset(name) not in names.values()] or [""]
    return {leaves[0]: name} if name and not others else {}


def _pass(made: Sequence[Node]) -> int:
    """How many operations one call recorded, of which the last is what it gives."""
    period = _period([node.op for node in made])
    if period > 1:  # and a call may do the same along one axis after the other
        period = _period([(node.op, node.kwargs.get("axis")) for node in made])
    return period


def _period(ops: Sequence[Any]) -> int:
    """The length of the shortest series of which `ops` is a whole number of repeats."""
    whole = len(ops)
    return next(
        p for p in range(1, whole + 1) if whole % p == 0 and all(a == b for a, b in zip(ops, ops[p:], strict=False))
    )
