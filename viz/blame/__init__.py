"""Which step of a hand-made derivation is wrong. A slip is a backward sweep with something changed, made with the
engine's own rules; no formula of a derivative is written here.
"""

from autograd.testing.report import EXPLAINERS

from .explain import explain_mismatch
from .report import Finding, Mismatch

__all__ = ["Finding", "Mismatch", "explain_mismatch"]

EXPLAINERS.append(explain_mismatch)
