"""The scalar graph: the same computation with every multiplication and addition of numbers as a node of its own.

The recorded functions are called again, on arrays whose elements are 0-d Tensors (`elements`): what NumPy then does
with them is recorded. So there is no second set of rules, and the gradients are those of the tensor graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Node, Tape, Tensor, sweep
from autograd.errors import describe
from autograd.recording import SCOPE, next_seq

from ..plain.numbers import clean
from ..tape.names import Names
from .cuts import cut, cut_options, demand, picked, place, work
from .elements import Elements, settled
from .replay import call, is_known

__all__ = ["ScalarGraph", "about", "expand", "scalar_tape"]

_TOO_LONG = 200_000
Index = tuple[int, ...]


def about(tape: Tape, element: int | Index | None = None) -> int:
    """About how many nodes the scalar graph has; nothing is built.

    Parameters
    ----------
    tape : Tape
    element : tuple of int, optional
        Count only what this element of the root is made of.
    """
    masks = demand(tape.nodes, tape.root, _element_of(tape.root, element))
    return round(sum(work(node, mask, False) for node, mask in masks.items()))


class ScalarGraph:
    """The scalar graph of a recorded number, or of one element of a recorded array.

    Parameters
    ----------
    loss : Tensor, Node or Tape
    element : tuple of int, optional
        Of which element; needed where there are several.
    leaves : sequence of Node, optional
        Where to stop: the elements of these records, and of what no operation made, are the leaves of the graph.
    within : Tape, optional
        A tape that `loss` is on, whose values and names are used, also for what has no name of its own.

    Attributes
    ----------
    root : Tensor
        The number, as the last operation of the scalar graph.
    tape : Tape
        The scalar graph; every record on it is 0-d.
    elements : dict of Node to object array
        The 0-d Tensors (and constants) that each record of the tensor graph came out as; None where not needed.

    Raises
    ------
    ValueError
        If an operation has no scalar graph, or so many that it would take minutes.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from viz.scalar import ScalarGraph
    >>> w, x = Tensor([2.0, 3.0], name="w"), Tensor([0.5, -1.0], name="x")
    >>> graph = ScalarGraph(w @ x)
    >>> [node.name or node.op for node in graph.tape]
    ['w[0]', 'w[1]', 'x[0]', 'x[1]', 'multiply', 'multiply', 'add']
    >>> graph.gradients()[w.node]
    array([ 0.5, -1. ])
    """

    def __init__(
        self,
        loss: Any,
        element: int | Index | None = None,
        *,
        leaves: Sequence[Node] = (),
        within: Tape | None = None,
    ):
        whole = loss if isinstance(loss, Tape) else Tape(loss)
        names = Names(whole)
        self._names = {node: names.of(node) for node in whole if not node.name and names.has(node)}
        if within is not None:
            self._names |= _names_on(within, (*leaves, whole.root))
        if within is None and whole.root.shape:
            self._names[whole.root] = "L"  # as in a picture of the whole
        self._leaves = frozenset(leaves)
        index = _element_of(whole.root, element)
        nodes = whole.nodes
        if leaves:
            nodes = _between(self._leaves, whole.root)
        masks = demand(nodes, whole.root, index, self._leaves)
        load = sum(work(node, mask, True) for node, mask in masks.items())
        if load > _TOO_LONG:
            raise ValueError(
                f"scalar graph: about {load:,.0f} operations on single numbers would have to be recorded, which takes "
                f"too long; at most {_TOO_LONG:,} are"
            )
        self._value = (within or whole).value
        self.elements: dict[Node, Any] = {}
        with np.errstate(all="ignore"):
            for node in nodes:
                if node in masks:
                    self._add(node, masks[node])
            root = self.elements[whole.root][index]
            self.root: Tensor = root if isinstance(root, Tensor) else self._constant(root, whole.root)
        if self.root.name is None and not self.root.is_leaf:
            self.root.name = self._name(whole.root, index)
        self.tape = Tape(self.root)
        self._check(whole, index)

    def _check(self, whole: Tape, index: Index) -> None:
        """A user's function may have a rule that is not its derivative; then the graph would show another one."""
        theirs = [node for node in self.elements if not (node.is_leaf or node in self._leaves or is_known(node))]
        if not theirs:
            return
        names = ", ".join(dict.fromkeys(node.op for node in theirs))
        value, number = self._value(whole.root)[index], self.root.data
        if not np.allclose(
            number, value, rtol=float(np.finfo(np.result_type(number, np.float16)).eps) ** 0.5, equal_nan=True
        ):
            raise ValueError(f"{names}: no scalar graph, as it gives {number} of single numbers, not {value}")
        if not whole.root.needs_grad:
            return
        seed = np.zeros(whole.root.shape, whole.root.dtype)
        seed[index] = 1
        with np.errstate(all="ignore"):
            steps = sweep(whole.root, seed[()], stop=self._leaves)
            expected = {step.node: step.grad for step in steps}
        for node, found in self.gradients().items():
            want = expected.get(node, 0.0)
            off = float(np.max(np.abs(want), initial=1.0)) * float(np.finfo(node.dtype).eps) ** 0.5
            if not np.allclose(found, want, rtol=0, atol=off, equal_nan=True):
                raise ValueError(
                    f"{names}: no scalar graph, as the derivative rule is another than that of the sums and products "
                    f"in the function (the gradient of {node.name or 'a leaf'} would be {found}, not {want})"
                )

    def gradients(self, grad: Any = None) -> dict[Node, Any]:
        """The gradient of each leaf of the tensor graph, out of the gradients of its elements; 0 where none arrives."""
        found = self.tape.gradients(grad) if self.root.requires_grad else {}
        out = {}
        for node, elements in self.elements.items():
            if node.needs_grad and (node.is_leaf or node in self._leaves):
                grads = out[node] = np.zeros(node.shape, node.dtype)
                for i in np.ndindex(node.shape):
                    if elements[i] is not None:
                        grads[i] = found.get(elements[i].node, 0)
        return out

    # --- the elements of each record

    def _constant(self, value: Any, node: Node) -> Tensor:
        return Tensor(value, node.dtype, requires_grad=False, name=node.name)

    def _add(self, node: Node, mask: Any) -> None:
        if node.dtype.kind == "c":
            raise ValueError(
                f"{describe(node)} is complex, and a scalar graph has real numbers: draw the arrays, viz.draw(loss)"
            )
        token = SCOPE.set(node.scope)
        try:
            if node.is_leaf or node in self._leaves:
                self.elements[node] = self._leaf(node, mask)
                return
            start = next_seq()
            source = picked(node)
            if source is not None:
                out = np.empty(node.shape, object)
                out[mask] = self.elements[node.operands[0]].reshape(-1)[source[mask]]
                self.elements[node] = out
                return
            indices = None if mask.all() else [tuple(int(i) for i in index) for index in np.argwhere(mask)]
            if indices is None or cut(node, indices[0]) is None:
                found = call(node, [self._operand(a) for a in node.operands], node.kwargs, self._value(node))
                out = np.empty(node.shape, object)
                for i, element in enumerate(_shaped(found, node).flat):
                    out.flat[i] = settled(element, node.dtype)
            else:
                out = np.empty(node.shape, object)
                for index in indices:
                    out[index] = self._one(node, index)
            self.elements[node] = out
            self._label(node, start)
        finally:
            SCOPE.reset(token)

    def _one(self, node: Node, index: Index) -> Any:
        parts = cut(node, index)
        assert parts is not None
        operands = [self._operand(a, where) for a, where in zip(node.operands, parts, strict=True)]
        found = call(node, operands, cut_options(node), self._value(node)[index])
        element = np.asarray(found, object).flat[place(node, index)]
        return settled(element, node.dtype)

    def _operand(self, operand: Any, where: Any = ...) -> Any:
        if not isinstance(operand, Node):
            return operand[where] if isinstance(operand, np.ndarray) else operand
        return Elements.of(_array(self.elements[operand][where]))

    def _leaf(self, node: Node, mask: Any) -> Any:
        values, out = self._value(node), np.empty(node.shape, object)
        for index in np.argwhere(mask):
            i = tuple(index)
            out[i] = element = Tensor(values[i], requires_grad=node.needs_grad, name=self._name(node, i))
            if node.is_leaf:
                element.node.rule = node.rule
        return out

    def _name(self, node: Node, index: Any) -> str | None:
        name = node.name or self._names.get(node)
        if name is None or not node.shape:
            return name
        place = f"[{','.join(str(i) for i in index)}]"
        return clean(name, max(4, 24 - len(place))) + place

    def _label(self, node: Node, start: int) -> None:
        """Give what was recorded for a record its name and its source line."""
        out = self.elements[node]
        waiting = []
        for index in np.ndindex(node.shape):
            element = out[index]
            if isinstance(element, Tensor) and element.node.seq > start:
                waiting.append(element.node)
                if element.name is None:
                    element.name = self._name(node, index)
        seen = set(waiting)
        while waiting:
            made = waiting.pop()
            made.code, made.byte = node.code, node.byte
            more = [a for a in made.parents if a.seq > start and a not in seen]
            seen.update(more)
            waiting += more


def scalar_tape(loss: Any, element: int | Index | None = None) -> Tape:
    """The scalar graph of a number, or of one element of an array, as a tape that can be drawn and stepped through.

    Parameters
    ----------
    loss : Tensor, Node or Tape
    element : tuple of int, optional
        Of which element; needed where there are several.

    Returns
    -------
    Tape
        Its records are 0-d. Elements of ``W⁽¹⁾`` are called ``W⁽¹⁾[0,3]``; layers and source lines are kept.

    Raises
    ------
    ValueError
        If there are several elements and none is named, or an operation has no scalar graph.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from viz.scalar import scalar_tape
    >>> x = Tensor([1.0, 2.0], name="x")
    >>> [node.op for node in scalar_tape((x * x).sum())]
    ['leaf', 'leaf', 'multiply', 'multiply', 'add']
    """
    return ScalarGraph(loss, element).tape


def expand(tape: Tape, node: Node, index: Index, *, to_names: bool = False) -> Tape:
    """The scalar graph of one element of what one operation gave, from the elements of its operands.

    Parameters
    ----------
    tape : Tape
        Where `node` is on: its names are used for what has none of its own.
    node : Node
    index : tuple of int
        Of the element.
    to_names : bool, optional
        Not from the operands, but from the nearest values that have names: through all operations between.

    Returns
    -------
    Tape
        Gradients on it are those of this element, ``∂z[0,3]/∂W[0,1]``.

    Raises
    ------
    ValueError
        If `node` is no operation of the tape or has no scalar graph.
    IndexError
        If there is no such element.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from viz.scalar import expand
    >>> W, x = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), Tensor([5.0, 6.0], name="x")
    >>> tape = Tape(np.sum(W @ x))
    >>> [node.name or node.op for node in expand(tape, tape[2], (1,))]
    ['W[1,0]', 'W[1,1]', 'x[0]', 'x[1]', 'multiply', 'multiply', '%2[1]']
    """
    if node not in tape:
        raise ValueError("expand: that record is not on this tape")
    if node.is_leaf:
        raise ValueError(f"expand: {node.name or 'a leaf'} was made by no operation")
    leaves = _named_before(node, Names(tape)) if to_names else tuple(dict.fromkeys(node.parents))
    return ScalarGraph(node, index, leaves=leaves, within=tape).tape


def _named_before(node: Node, names: Names) -> tuple[Node, ...]:
    """The nearest records with names, and leaves, that a record was made from."""
    found: dict[Node, None] = {}
    waiting, seen = [node], {node}
    while waiting:
        for operand in waiting.pop().parents:
            if operand not in seen:
                seen.add(operand)
                if names.has(operand) or operand.is_leaf:
                    found[operand] = None
                else:
                    waiting.append(operand)
    return tuple(found)


def _between(leaves: frozenset[Node], root: Node) -> tuple[Node, ...]:
    """The records that `root` is made of as far back as `leaves`, oldest first."""
    seen, waiting = {root}, [root]
    while waiting:
        for operand in waiting.pop().parents:
            if operand not in seen:
                seen.add(operand)
                if operand not in leaves:
                    waiting.append(operand)
    return tuple(sorted(seen, key=lambda node: node.seq))


# --- what is needed of each record, and how much that is --------------------------------------------------------------


def _element_of(root: Node, element: Any) -> Index:
    """The index of the element that a graph is of, checked."""
    if element is None:
        if root.size != 1:
            raise ValueError(
                f"scalar graph: {describe(root)} is not one number: say of which element, element="
                f"{(0,) * root.ndim}, or sum it to a scalar first"
            )
        return (0,) * root.ndim
    index = element if isinstance(element, tuple) else (element,)
    if not all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in index):
        raise TypeError(f"scalar graph: element must be a tuple of integers, got {element!r}")
    if len(index) != root.ndim or not all(-n <= i < n for i, n in zip(index, root.shape, strict=True)):
        raise IndexError(f"scalar graph: there is no element {element} in {describe(root)}")
    return tuple(int(i) % n for i, n in zip(index, root.shape, strict=True))


def _names_on(tape: Tape, nodes: Sequence[Node]) -> dict[Node, str]:
    names = Names(tape)
    return {node: names.of(node) for node in nodes}


def _shaped(found: Any, node: Node) -> Any:
    found = _array(found)
    if found.shape != node.shape:
        raise ValueError(
            f"{node.op} has no scalar graph: of single numbers it gives an array of shape {found.shape}, "
            f"not {node.shape}"
        )
    return found


def _array(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value
    held = np.empty((), object)
    held[()] = value
    return held
