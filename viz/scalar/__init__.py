"""The scalar graph: every multiplication and addition of numbers as a node of its own."""

from .graph import MOST, ScalarGraph, about, drawable, expand, scalar_tape
from .picture import scalar_picture

__all__ = ["MOST", "ScalarGraph", "about", "drawable", "expand", "scalar_picture", "scalar_tape"]
