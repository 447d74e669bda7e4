"""What a picture shows, as plain data: boxes, edges and the frames around them. Nothing here knows how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from autograd import Node

from ..units.unit import Unit

Kind = Literal["learned", "input", "constant", "intermediate", "loss", "layer", "folded"]

WORDS: dict[str, str] = {
    "learned": "learned",
    "input": "input",
    "constant": "constant",
    "intermediate": "",
    "loss": "loss",
    "layer": "layer",
    "folded": "folded",
}
"""The word that says what a box is, beside its colour and its border."""

MEANING: dict[str, str] = {
    "learned": "learned: what training changes",
    "input": "input",
    "constant": "constant",
    "intermediate": "intermediate: changes with every input",
    "loss": "loss",
    "layer": "layer",
    "folded": "folded",
}
"""The legend."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """A value or a gradient: what it is called, and its array; None where it was not computed."""

    label: str
    array: Any


@dataclass(frozen=True, eq=False)
class Learned:
    """A parameter, where it is listed inside the box of a layer."""

    name: str
    shape: tuple[int, ...]
    value: Quantity
    grad: Quantity
    node: Node
    uses: int = 1


@dataclass(frozen=True, eq=False)
class Box:
    """A node of the picture.

    Attributes
    ----------
    id : str
        Unique in the picture: the number on the tape (``%7``) or the path of the layer.
    kind : str
        One of `WORDS`.
    title : str
        ``z⁽¹⁾ = %5 + b⁽¹⁾`` on an operation, the name on a leaf, path and kind on a layer.
    op : str
        The operation, or the operations that are folded in here.
    shape : tuple of int
        Of the value.
    value, grad : Quantity
    badges : tuple of str
        Short remarks: ``each weight used ×576``.
    alarm : str
        ``NaN born here``, or empty.
    learned : tuple of Learned
        The parameters listed inside.
    source : str
        The line of the user's program.
    brief : bool
        A further copy of a parameter that is shown in full elsewhere.
    members : tuple of Node
        The records that it stands for; none for a constant.
    unit : Unit or None
        What it is of the tree of units; None of a leaf.
    """

    id: str
    kind: Kind
    title: str
    op: str
    shape: tuple[int, ...]
    value: Quantity
    grad: Quantity
    badges: tuple[str, ...] = ()
    alarm: str = ""
    learned: tuple[Learned, ...] = ()
    source: str = ""
    brief: bool = False
    members: tuple[Node, ...] = ()
    unit: Unit | None = None


@dataclass(frozen=True)
class Edge:
    """An operand on its way into an operation.

    Attributes
    ----------
    tail, head : str
        The ids of two boxes.
    local : float or None
        The local derivative, where it is a scalar.
    label : str
        What that derivative is called: ``∂d/∂a``.
    beside : bool
        Whether the operand is drawn beside the operation rather than before it.
    flows : bool
        Whether a gradient flows back along it.
    """

    tail: str
    head: str
    local: float | None = None
    label: str = ""
    beside: bool = False
    flows: bool = True


@dataclass(frozen=True)
class Frame:
    """A layer call drawn as a box around what happens in it."""

    id: str
    title: str
    boxes: tuple[str, ...]
    frames: tuple[Frame, ...] = ()
    path: str = ""


@dataclass(frozen=True)
class Graph:
    """A whole picture."""

    loss: str
    direction: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Frame, ...] = ()
    outside: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
