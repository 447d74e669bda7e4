"""Reverse-mode automatic differentiation on NumPy, whose every step can be seen.

A `Tensor` wraps a NumPy array; NumPy's own functions record what they do to it on a tape. Every derivative rule is
written once, as a plain NumPy expression.
"""

import numpy as np

from .registry import NoRuleError, defvjp, nondifferentiable, primitive
from .tape import Node, Scope, Source, Step, Tape, enable_grad, no_grad, scope, sweep
from .tensor import Tensor, set_at

__all__ = [
    "NoRuleError",
    "Node",
    "Scope",
    "Source",
    "Step",
    "Tape",
    "Tensor",
    "defvjp",
    "enable_grad",
    "no_grad",
    "nondifferentiable",
    "primitive",
    "scope",
    "set_at",
    "sweep",
]

# glibc gives freed memory back to the system unless a program has shown that it uses large blocks; every training
# step would then fault the same pages in again, which costs more than the arithmetic. One large block, never touched,
# shows it.
np.empty(31 * 2**20, np.uint8)
