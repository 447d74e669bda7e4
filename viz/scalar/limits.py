"""How large a scalar graph may be to be drawn, and what is offered where it is larger."""

from __future__ import annotations

from autograd import Node, Tape
from autograd.errors import describe

from .cuts import cost, demand
from .graph import Index, about, scalar_tape

__all__ = ["MOST", "MOST_EXPANDED", "drawable"]

MOST = 300
"""So many nodes a picture of a scalar graph may have."""

MOST_EXPANDED = 1000
"""So many a picture of one element: the layout takes some ten seconds then, and minutes for twice as many."""

_BUILT_TO_COUNT = 20_000
_TRIED = 10


def drawable(tape: Tape, element: int | Index | None, most: int | None) -> Tape:
    """`scalar_tape`, where a picture of it would have at most so many nodes.

    Raises
    ------
    ValueError
        If there would be more; says how many, and what could be drawn instead.
    """
    count = about(tape, element)
    if most is None or count <= _BUILT_TO_COUNT:
        graph = scalar_tape(tape, element)
        if most is None or len(graph) <= most:
            return graph
        number = f"{len(graph):,}"
    else:
        number = f"about {count:,}"
    whole = describe(tape.root) if tape.root.shape else tape.root.name or "this value"
    what = whole if element is None else f"element {element} of {whole}"
    raise ValueError(
        f"draw: the scalar graph of {what} would have {number} nodes, more than {most}: {_offer(tape, most)}"
    )


def _offer(tape: Tape, most: int) -> str:
    """An element whose scalar graph is small enough: of the latest value that has one, rather of a named one."""
    arrays = [node for node in reversed(tape.nodes) if node.size > 1 and not node.is_leaf]
    named = [node for node in arrays if node.name]
    for node in (*named, *[node for node in arrays if not node.name][:_TRIED]):
        index = (0,) * node.ndim
        if about(Tape(node), index) <= most:
            if node.name:
                return f"draw one element, viz.draw(Tape(loss)[{node.name!r}], level='scalar', element={index})"
            return (
                f"draw one element of {describe(node)}, call it y: viz.draw(y, level='scalar', element={index}), or of "
                f"this operation alone, viz.step(loss).expand('%{tape.index(node)}', {index})"
            )
    for node in arrays:
        index = (0,) * node.ndim
        if _about_alone(node, index) <= most:
            return f"draw one element of one operation, viz.step(loss).expand('%{tape.index(node)}', {index})"
    return "draw the operations, level='op', or raise max_nodes="


def _about_alone(node: Node, index: Index) -> float:
    """`about`, of one operation from the elements of its operands."""
    operands = frozenset(node.parents)
    masks = demand(sorted({*operands, node}, key=lambda n: n.seq), node, index, operands)
    return cost(node) + sum(float(masks[operand].sum()) for operand in operands)
