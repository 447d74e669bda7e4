"""Calls that mean one thing in NumPy and another in PyTorch: what is unambiguous works, all else says what to write."""

import numpy as np
import pytest

from autograd import NoRuleError, Tensor, defvjp, elementwise_grad, grad, jacobian, primitive, value_and_grad

A = Tensor([[1.0, 2.0, 3.0], [6.0, 5.0, 4.0]], name="A")
V = Tensor([1.0, 2.0], name="V")


@pytest.mark.parametrize("axes", [(0, 1), (-2, -1), (0, -1)])
def test_an_order_of_two_axes_that_changes_nothing_is_refused(axes):
    with pytest.raises(ValueError, match=r"leaves a matrix as it is, as NumPy reads it: write t\.swapaxes\("):
        A.transpose(*axes)
    assert A.transpose(axes).shape == (2, 3)
    assert A.transpose(1, 0).shape == A.transpose().shape == (3, 2)


def test_two_of_three_axes_name_swapaxes():
    t = Tensor(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match=r"does not order 3 axes.*write t\.swapaxes\(1, 2\)"):
        t.transpose(1, 2)
    assert t.transpose(0, 2, 1).shape == t.swapaxes(1, 2).shape == (2, 4, 3)


@pytest.mark.parametrize("given", [(2,), (2, 3), ((2, 3),)])
def test_repeat_needs_an_axis(given):
    with pytest.raises(TypeError, match=r"write np\.repeat\(t, .*np\.tile\(t"):
        V.repeat(*given)
    np.testing.assert_array_equal(V.repeat([2, 1], axis=0).data, [1, 1, 2])
    np.testing.assert_array_equal(V.repeat(2, axis=None).data, [1, 1, 2, 2])


def test_the_two_values_of_max_are_not_taken_for_values_and_indices():
    for call in (lambda: A.max(1), lambda: A.min(axis=1), lambda: np.max(A, axis=1)):
        with pytest.raises(TypeError, match=r"(max|min) gives the values alone"):
            _values, _indices = call()
    first, second = list(A.max(1))
    assert (first.item(), second.item()) == (3, 6)
    assert [value.item() for value in A.max(1)] == [3, 6]
    a, b, c = A.max(0)
    assert (a.item(), b.item(), c.item()) == (6, 5, 4)


def test_compress_takes_the_condition_first_as_an_array_does():
    keep = [True, False, True]
    for axis, array in ((1, A), (None, A)):
        np.testing.assert_array_equal(array.compress(keep, axis).data, array.data.compress(keep, axis))


def test_reductions_take_where_and_initial_as_methods_too():
    mask = np.array([True, False, True])
    assert A.sum(1, where=mask).tolist() == [4, 10]
    assert A.sum(initial=1.0).item() == 22
    assert A.max(1, where=mask, initial=0.0).tolist() == [3, 6]
    assert A.mean(where=mask).item() == 3.5


def test_differences_of_order_zero_are_the_array_itself():
    x = np.array([1.0, 4.0])
    assert np.diff(Tensor(x), 0, prepend=0.0).tolist() == np.diff(x, 0, prepend=0.0).tolist() == [1, 4]


@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad, jacobian])
def test_true_and_false_have_no_gradient(transform):
    for f in (lambda x: x > 0, lambda x: np.any(x > 0), lambda x: True):
        with pytest.raises(TypeError, match="gives True or False, which has no gradient"):
            transform(f)(1.5)
    with pytest.raises(TypeError, match="dtype bool"):
        transform(lambda x: x)(True)


def test_a_primitive_of_any_number_of_arrays_is_recorded_with_a_rule_for_each():
    @primitive
    def joined(x, *others):
        return sum(others, x)

    defvjp(joined, lambda g, out, x, *others: g, lambda g, out, x, *others: 2 * g)
    x, y = Tensor(1.0), Tensor(2.0)
    out = joined(x, y, 3.0)
    assert (out.node.op, out.item()) == ("joined", 6)
    out.backward()
    assert (x.grad, y.grad) == (1, 2)
    with pytest.raises(NoRuleError, match="for operand 2"):
        joined(x, 1.0, y)


def test_a_primitive_of_a_tuple_of_tensors_is_refused():
    @primitive
    def both(pair):
        return pair[0] + pair[1]

    @primitive
    def scaled(x, factors):
        return x * factors[0] * factors[1]

    defvjp(both, lambda g, out, pair: g)
    defvjp(scaled, lambda g, out, x, factors: g * factors[0] * factors[1])
    for pair in ((V, V), [V, 1.0]):
        with pytest.raises(TypeError, match=r"each Tensor as an argument of its own.*write def both\(\*arrays\)"):
            both(pair)
    with pytest.raises(NoRuleError, match="for its operand factors"):
        scaled(V, (Tensor(2.0), 3.0))
    assert both((1.0, 2.0)) == 3
    assert scaled(V, (2.0, 3.0)).tolist() == [6, 12]
