"""Optimisers: each step gives every parameter a new array, computed from its gradient."""

from ..namespace import namespace
from .optimizer import SGD, Adam, Optimizer

__all__ = ["SGD", "Adam", "Optimizer"]
__getattr__, __dir__ = namespace(__name__, __all__)
