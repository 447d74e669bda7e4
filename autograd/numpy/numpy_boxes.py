"""The class of an array that is being differentiated through, by HIPS autograd's name."""

from ..tensor import Tensor as ArrayBox

__all__ = ["ArrayBox"]
