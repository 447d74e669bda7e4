"""Optimisers, and schedules of their learning rates. Names, formulas and defaults are PyTorch's.

Each step gives every parameter a new array, computed from its gradient. The old array is never written into: a graph
that was recorded before a step keeps its own numbers.
"""

from ..namespace import namespace
from . import lr_scheduler
from .adam import Adam, Adamax, AdamW, NAdam, RAdam
from .adaptive import Adadelta, Adagrad, RMSprop, Rprop
from .optimizer import Optimizer
from .sgd import ASGD, SGD

__all__ = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]
__getattr__, __dir__ = namespace(__name__, __all__)
