"""The scalar graph: every multiplication and addition of numbers as a node of its own."""

from .graph import ScalarGraph, about, expand, scalar_tape
from .limits import MOST, MOST_EXPANDED, drawable
from .picture import scalar_picture

__all__ = ["MOST", "MOST_EXPANDED", "ScalarGraph", "about", "drawable", "expand", "scalar_picture", "scalar_tape"]
