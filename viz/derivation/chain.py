"""The chain rule of a derivation as data: a sum of products of partial derivatives, and where the tape takes each."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from autograd import Node

from ..formula import gradient_symbol
from ..tape.run import Run
from .breaking import Written, symbol_text
from .lines import partial
from .routes import MOST_PATHS, Routes

_MOST_TERMS = 6


class Partial(NamedTuple):
    """One factor, ∂a/∂z.

    Attributes
    ----------
    above, below : Node
        Of what it is the derivative, and by what.
    text : Written
    whole : bool
        Whether it is all of that derivative, by whatever way: ∂L/∂a of what has a derivation of its own.
    between : frozenset of (Node, Node)
        Which operations send to which operands on this part of the way.
    """

    above: Node
    below: Node
    text: Written
    whole: bool
    between: frozenset[tuple[Node, Node]]


class Chain(NamedTuple):
    """The gradient of a loss by one value as the chain rule has it.

    Attributes
    ----------
    target : Written
    terms : list of list of Partial
        The products.
    more : int
        How many further products there are.
    """

    target: Written
    terms: list[list[Partial]]
    more: int


def chain(run: Run, node: Node) -> Chain | None:
    """The chain rule as `Derivation` has it; None where no named value stands between."""
    routes = Routes(run, node)
    if len(routes.stations) < 3:
        return None
    root = run.tape.root
    terms: list[list[Partial]] = []
    if routes.count <= MOST_PATHS:
        terms += [[_partial(routes, a, b) for a, b in itertools.pairwise(path)] for path in routes.paths()]
    else:  # by what it is used for, as there are too many ways
        for user in routes.users(node):
            through = [] if user is root else [_partial(routes, root, user, whole=True)]
            terms.append([*through, _partial(routes, user, node)])
    target = gradient_symbol(node, run.names, run.gradients[node])
    return Chain(symbol_text(target), terms[:_MOST_TERMS], max(0, len(terms) - _MOST_TERMS))


def _partial(routes: Routes, above: Node, below: Node, *, whole: bool = False) -> Partial:
    text = partial(routes, above, below, edge=not whole)
    return Partial(above, below, text, whole, frozenset() if whole else _between(routes, above, below))


def _between(routes: Routes, above: Node, below: Node) -> frozenset[tuple[Node, Node]]:
    """Which operations send to which operands from one station to the next."""
    found, waiting = {above}, [above]
    while waiting:
        for _, operand in routes.edges.get(waiting.pop(), ()):
            if operand in routes.depends and operand not in routes.stations and operand not in found:
                found.add(operand)
                waiting.append(operand)
    leads, out = {below}, set()
    for node in sorted(found, key=routes.tape.index):
        sent = {(node, operand) for _, operand in routes.edges.get(node, ()) if operand in leads}
        leads |= {node} if sent else set()
        out |= sent
    return frozenset(out)
