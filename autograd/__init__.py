"""Reverse-mode automatic differentiation on NumPy, whose every step can be seen.

A `Tensor` wraps a NumPy array; NumPy's own functions record what they do to it on a tape. Every derivative rule is
written once, as a plain NumPy expression.
"""

import os
from importlib import import_module
from typing import Any

import numpy as np

if os.path.exists(os.path.join(os.path.dirname(__file__), "numpy", "numpy_wrapper.py")):
    raise ImportError(
        "the files of tracegrad's 'autograd' and of another distribution called 'autograd' (HIPS autograd) lie in one "
        "folder, and neither works like this. Install them into separate environments; to keep tracegrad in this one: "
        "pip uninstall -y autograd tracegrad, then pip install tracegrad"
    )

from . import following, methods, operators, protocols, spellings  # noqa: F401  (they complete Tensor and Mask)
from .backward import Step, sweep
from .bytecode import Source
from .jacobians import hessian, hvp, jacobian
from .node import Node
from .recording import Scope, enable_grad, no_grad, scope
from .registry import NoRuleError, defvjp, nondifferentiable, primitive
from .rules.indexing import set_at
from .tape import Tape
from .tensor import Tensor
from .transforms import elementwise_grad, grad, jvp, value_and_grad, vjp

__all__ = [
    "NoRuleError",
    "Node",
    "Scope",
    "Source",
    "Step",
    "Tape",
    "Tensor",
    "defvjp",
    "elementwise_grad",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "nondifferentiable",
    "primitive",
    "scope",
    "set_at",
    "sweep",
    "value_and_grad",
    "vjp",
]


_ELSEWHERE = {
    "differential_operators": (
        "checkpoint", "deriv", "grad_and_aux", "grad_named", "hessian_tensor_product", "hessian_vector_product",
        "holomorphic_grad", "make_ggnvp", "make_hvp", "make_jvp", "make_vjp", "multigrad_dict",
        "tensor_jacobian_product", "vector_jacobian_product",
    ),
    "builtins": ("dict", "isinstance", "list", "tuple", "type"),
    "": ("builtins", "core", "differential_operators", "extend", "misc", "numpy", "scipy", "test_util", "tracer"),
}  # fmt: skip
"""What code written for HIPS autograd finds here: names and rooms that are loaded once they are asked for."""


def __getattr__(name: str) -> Any:
    for room, names in _ELSEWHERE.items():
        if name in names:
            return getattr(import_module(f".{room}", __name__), name) if room else import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


# glibc gives freed memory back to the system unless a program has shown that it uses large blocks; every training
# step would then fault the same pages in again, which costs more than the arithmetic. One large block, never touched,
# shows it.
np.empty(31 * 2**20, np.uint8)
