"""The declared cases of indexing: values, first and second derivatives, dtypes, what rules read."""

import numpy as np
from opcases import INDEXING
from opchecks import OpTests

from autograd import Tensor


class TestIndexing(OpTests):
    ops = INDEXING


def test_numbers_along_each_axis_are_counted_as_often_as_they_are_picked():
    x = Tensor(np.zeros((2, 3)))
    weights = np.array([1.0, 10.0, 100.0])
    for rows, columns in (([0, 0, 1], [1, 1, 2]), ([0, -2, -1], [1, -2, -1])):
        x.grad = None
        picked = x[np.array(rows), np.array(columns)]
        (picked * weights + x[0, 0]).sum().backward()
        assert x.grad.tolist() == [[3, 11, 0], [0, 0, 100]]
