"""`fit` trains a network on data and returns the `History` of it; `evaluate` measures it."""

from .diagnostics import Diagnostics
from .history import History
from .loop import fit
from .measuring import Evaluation, evaluate
from .stopping import EarlyStopping

__all__ = ["Diagnostics", "EarlyStopping", "Evaluation", "History", "evaluate", "fit"]
