"""Nests as vectors, optimisers of them, fixed points and repeated runs, by the names of HIPS autograd."""

from .flatten import flatten
from .tracers import const_graph

__all__ = ["const_graph", "flatten"]
