"""The declared cases of reductions: values, first and second derivatives, dtypes, what rules read."""

from opcases import REDUCTIONS
from opchecks import OpTests


class TestReductions(OpTests):
    ops = REDUCTIONS
