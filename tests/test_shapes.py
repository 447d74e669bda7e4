"""The declared cases of shapes: values, first and second derivatives, dtypes, what rules read."""

from opcases import SHAPES
from opchecks import OpTests


class TestShapes(OpTests):
    ops = SHAPES
