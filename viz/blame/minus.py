"""A minus sign before the first factor of a product is one before the product: (−X) @ W becomes −(X @ W), of which
`1 / (1 + np.exp(-X @ W))` is the logistic function."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd import Node, Tape
from autograd.registry import RULES
from autograd.written import expression, written

from .powers import record_like

__all__ = ["Minus", "minuses"]

_PRODUCTS = frozenset({"multiply", "matmul", "dot", "inner", "vdot", "vecdot", "outer"})


class Minus(NamedTuple):
    """A product of which one factor has a minus sign.

    Attributes
    ----------
    of : Node or array
        That factor, without the sign.
    k : int
        Which one it is.
    text : str
        What the program wrote for it.
    product : str
        And for the product, without the sign.
    """

    of: Any
    k: int
    text: str
    product: str

    def records(self, node: Node) -> Iterator[Node]:
        """Those in the place of the product."""
        args = tuple(self.of if j == self.k else a for j, a in enumerate(node.operands))
        product = record_like(node, node.rule, args, node.kwargs, node.shape)
        yield product
        sign = record_like(node, RULES[np.negative], (product,), {}, node.shape)
        sign.name, sign.kept = node.name, node.kept
        yield sign


def minuses(tape: Tape, kept: Collection[Node]) -> dict[Node, Minus]:
    """The products of which one factor has a minus sign in the program, the first of two."""
    products = (node for node in tape if node.op in _PRODUCTS and node.needs_grad)
    found = {node: [m for k in (0, 1) if (m := _minus(node, k, kept)) is not None] for node in products}
    return {node: some[0] for node, some in found.items() if some}


def _minus(node: Node, k: int, kept: Collection[Node]) -> Minus | None:
    of = node.operands[k]
    signed = (isinstance(of, Node) or np.ndim(of)) and of.dtype.kind in "fci"  # −x of unsigned numbers is no minus
    part = written(node, k) if signed else None
    if not isinstance(part, ast.UnaryOp) or not isinstance(part.op, ast.USub) or node.source is None:
        return None
    if isinstance(of, Node):
        if of.op != "negative" or of in kept:
            return None
        (of,) = of.operands
    else:
        of = -of
    whole, text = expression(node.code, node.lasti), node.source.expression.encode()
    at = part.col_offset - (whole.col_offset if isinstance(whole, ast.expr) else 0)
    return Minus(of, k, ast.unparse(part.operand), (text[:at] + text[at + 1 :]).decode() if text else "")
