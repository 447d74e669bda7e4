"""The declared cases of indexing: values, first and second derivatives, dtypes, what rules read."""

from opcases import INDEXING
from opchecks import OpTests


class TestIndexing(OpTests):
    ops = INDEXING
