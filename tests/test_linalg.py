"""The declared cases of linear algebra: values, first and second derivatives, dtypes, what rules read."""

from opcases import LINALG
from opchecks import OpTests


class TestLinalg(OpTests):
    ops = LINALG
