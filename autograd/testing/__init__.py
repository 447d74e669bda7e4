"""Checking derivatives: rules against finite differences, and gradients that people derived by hand.

`viz` has these too, beside `explain_mismatch`, which says why one is wrong, and `derive`, which derives it.
"""

from .compare import assert_grads_match, compare_grads
from .gradcheck import GradcheckError, GradcheckUndecided, gradcheck
from .layers import check_layer
from .report import Report

__all__ = [
    "GradcheckError",
    "GradcheckUndecided",
    "Report",
    "assert_grads_match",
    "check_layer",
    "compare_grads",
    "gradcheck",
]
