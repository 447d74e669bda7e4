"""One factor of the chain rule: what it is written as, its shape, and how it acts on the gradient that arrives."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from autograd import Node

from ..formula.tree import Symbol, Tree, apply, each, evaluate, is_call, substituted
from ..formula.writers import shape_text
from .routes import Routes
from .trees import contains

Side = Literal["whole", "times", "left", "right", "outer", "column", "map"]
SLOT = "•"


class Factor(NamedTuple):
    """∂a/∂z as it is written.

    Attributes
    ----------
    above, below : Node
        Of what it is the derivative, and by what.
    tree : Symbol, Number or Apply
        Its value; where it is more than a factor, what it makes of •, the gradient that arrives.
    side : str
        ``"whole"``: nothing arrives, this is ∂L/∂a itself. ``"times"``: element by element. ``"left"``, ``"right"``:
        a matrix on that side. ``"outer"``, ``"column"``: a row on the right, a column on the left, of vectors.
        ``"map"``: anything else.
    """

    above: Node
    below: Node
    tree: Tree
    side: Side

    @property
    def shape(self) -> str:
        """As it stands in the product: ``(3, 1)``; of a map, that of what arrives and what it makes of it."""
        if self.side == "map":
            return f"{shape_text(self.above.shape)} → {shape_text(self.below.shape)}"
        if self.side == "outer":
            return shape_text((1, *self.tree.shape))
        if self.side in ("whole", "times"):
            return shape_text(self.tree.shape or self.below.shape)
        return shape_text((*self.tree.shape, 1) if self.side == "column" else self.tree.shape)

    def times(self, g: Any) -> Any:
        """What it makes of the gradient that arrives."""
        if self.side == "map":
            slot = Symbol("gradient", SLOT, g)
            return evaluate(_with_slot(self.tree, slot))
        value = evaluate(self.tree)
        if self.side == "whole":
            return np.broadcast_to(value, self.below.shape)
        if self.side in ("outer", "column"):
            return np.outer(g, value) if self.side == "outer" else np.outer(value, g)
        if self.side == "times":
            return np.broadcast_to(g * value, self.below.shape)
        return value @ g if self.side == "left" else g @ value


def _with_slot(tree: Tree, slot: Symbol) -> Tree:
    return substituted(tree, {id(s): slot for s in each(tree) if isinstance(s, Symbol) and s.name == SLOT})


def factor(routes: Routes, above: Node, below: Node) -> Factor:
    """The factor ∂above/∂below."""
    tree, sent, algebra = routes.part(above, below), routes.sent[above], routes.algebra
    doubtful = (above, below) in routes.doubtful
    if above is routes.tape.root or not isinstance(sent, Symbol):
        scalar = None if doubtful else routes.everywhere(tree)
        return Factor(above, below, tree if scalar is None else scalar, "whole")
    slot = Symbol("gradient", SLOT, sent.array, above)
    if doubtful:
        return Factor(above, below, substituted(tree, {id(sent): slot}), "map")
    local = algebra.beside(tree, sent)
    if local is not None and tree.shape in (above.shape, local.shape):
        return Factor(above, below, local, "times")
    front, core = algebra.apart(algebra.value(tree), tree.shape)
    found = _beside(algebra.atom_of(core), sent)
    if found is not None and not contains(algebra.tree(front, (), below.dtype), sent):
        other, side = found
        scaled = algebra.tree(algebra.multiply([front, algebra.value(other)]), other.shape, below.dtype)
        if side == "outer":
            scaled = apply(np.transpose, scaled, like=scaled)
        return Factor(above, below, scaled, side)
    return Factor(above, below, substituted(tree, {id(sent): slot}), "map")


def _beside(atom: Tree | None, sent: Symbol) -> tuple[Tree, Side] | None:
    """What the gradient that arrives is multiplied with, and on which side that stands."""
    if not is_call(atom, np.matmul, np.outer):
        return None
    a, b = atom.args
    if b is sent and not contains(a, sent):
        return a, "left" if is_call(atom, np.matmul) else "column"
    if a is sent and not contains(b, sent):
        return b, "right" if is_call(atom, np.matmul) else "outer"
    return None
