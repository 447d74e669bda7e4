"""A sum of several numbers as one operation: what scalar graphs are made of, and formulas written with."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import numpy as np

from autograd import primitive
from autograd.registry import RULES, defvjp_variadic

__all__ = ["recorded_total", "total"]


def total(*terms: Any) -> Any:
    """A sum of several numbers as one operation: an addition of as many operands."""
    return reduce(operator.add, terms)


# Each term gets what np.add's own rule gives an operand.
recorded_total = primitive(total, keeps_output=False)
defvjp_variadic(
    recorded_total,
    lambda g, out, i, *terms: RULES[np.add].vjps[min(i, 1)](g, out, *terms[:2]),
    reads_operands=False,
)
recorded_total.rule.name = "add"
