"""The declared cases of shapes: values, first and second derivatives, dtypes, what rules read."""

import numpy as np
from opcases import SHAPES
from opchecks import OpTests

from autograd import Tensor


class TestShapes(OpTests):
    ops = SHAPES


def test_repeats_of_their_own_count_go_back_to_their_element():
    x = Tensor([1.0, 2.0, 3.0])
    (np.repeat(x, [2, 0, 1]) * np.array([1.0, 10.0, 100.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [11, 0, 100])
