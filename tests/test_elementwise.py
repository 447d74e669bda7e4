"""The declared cases of elementwise: values, first and second derivatives, dtypes, what rules read."""

from opcases import ELEMENTWISE
from opchecks import OpTests


class TestElementwise(OpTests):
    ops = ELEMENTWISE
