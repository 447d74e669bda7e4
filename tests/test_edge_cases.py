"""What gradients are at kinks, ties and edges: each row of docs/edge_cases.md, and each sentence below its table."""

import inspect
import re

import numpy as np
import pytest

from autograd import NoRuleError, Tape, Tensor, grad, nondifferentiable, primitive, set_at
from autograd.registry import COMPOSITES, NUMBERS_ONLY, PRIMITIVES, RULES
from autograd.rules.elementwise import relu, sigmoid
from autograd.rules.reductions import log_softmax, logsumexp, softmax

INF, NAN = np.inf, np.nan


def gradients(f, *operands):
    """The gradient of the sum of f's result in each operand."""
    tensors = [Tensor(np.asarray(x, float)) for x in operands]
    out = f(*tensors)
    out.backward(np.ones(out.shape))
    return [t.grad for t in tensors]


def gradient(f, x):
    return gradients(f, x)[0]


def second(f, x):
    """The derivative of the sum of f's gradient."""
    t = Tensor(np.asarray(x, float))
    f(t).sum().backward(create_graph=True)
    slope = t.grad
    t.zero_grad()
    slope.sum().backward()
    return t.grad


def births_of_nan(loss):
    """The operations whose rule makes the first NaN out of numbers."""
    return [
        step.node.op
        for step in Tape(loss).steps()
        if not np.isnan(step.grad).any() and any(np.isnan(c.grad).any() for c in step.contributions)
    ]


# --- the table --------------------------------------------------------------------------------------------------------


def test_abs_at_zero_is_flat():
    assert gradient(np.abs, [0.0, -2.0, 3.0]).tolist() == [0, -1, 1]


def test_sqrt_at_zero_is_infinitely_steep_and_nothing_is_warned_of():
    assert gradient(np.sqrt, 0.0) == INF


def test_x_sqrt_x_at_zero_is_nan_and_the_tape_names_where_it_was_born():
    x = Tensor(0.0, name="x")
    root = np.sqrt(x)
    loss = x * root
    assert births_of_nan(loss) == ["sqrt"]
    loss.backward()
    assert np.isnan(x.grad)


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_of_two_equal_ones_each_gets_half(f):
    assert gradients(f, [1.0, 2.0], [1.0, 2.0]) == [pytest.approx([0.5, 0.5]), pytest.approx([0.5, 0.5])]


def test_fmax_gives_everything_to_the_one_that_is_a_number():
    assert [g.tolist() for g in gradients(np.fmax, [NAN, 1.0], [2.0, NAN])] == [[0, 1], [1, 0]]


def test_relu_is_flat_at_zero_unlike_maximum():
    assert gradient(relu, [0.0, -1.0, 2.0]).tolist() == [0, 0, 1]
    assert gradient(lambda x: np.maximum(x, 0), 0.0) == 0.5


@pytest.mark.parametrize("f", [np.max, np.amax, lambda x: -np.min(-x)])
def test_max_splits_the_gradient_between_ties(f):
    assert gradient(f, [1.0, 3.0, 3.0, 3.0]) == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])


def test_max_along_an_axis_splits_between_ties():
    x = [[1.0, 1.0], [0.0, 2.0]]
    assert gradient(lambda x: np.max(x, axis=1), x).tolist() == [[0.5, 0.5], [0, 1]]


def test_ties_are_counted_exactly_in_float16():
    x = Tensor(np.zeros(5000, np.float16))
    np.max(x).backward(np.float16(5000))
    assert x.grad.dtype == np.float16
    assert x.grad.tolist() == [1.0] * 5000


def test_clip_lets_the_gradient_through_at_its_bounds():
    assert gradient(lambda x: np.clip(x, 0, 1), [-0.1, 0.0, 0.5, 1.0, 1.1]).tolist() == [0, 1, 1, 1, 0]


def test_clip_with_crossed_bounds_is_the_upper_one():
    x, low, high = gradients(lambda x, low, high: np.clip(x, low, high), [0.0, 2.0, 4.0], 3.0, 1.0)
    assert (x.tolist(), float(low), float(high)) == ([0, 0, 0], 0.0, 3.0)


def test_zero_to_the_zeroth_power_is_flat_both_ways():
    assert [float(g) for g in gradients(np.power, 0.0, 0.0)] == [0.0, 0.0]
    assert gradient(lambda x: x**0, 0.0) == 0.0


@pytest.mark.parametrize("exponent", [0, 0.0, np.array(0.0), np.float32(0)])
def test_a_zeroth_power_is_flat_also_at_infinity(exponent):
    assert gradient(lambda x: x**exponent, [INF, -INF, 0.0, 2.0]).tolist() == [0, 0, 0, 0]
    assert second(lambda x: x**exponent, [INF, 0.0, 2.0]).tolist() == [0, 0, 0]


def test_a_negative_base_has_no_derivative_in_the_exponent():
    base, exponent = gradients(np.power, -2.0, 3.0)
    assert base == 12.0
    assert np.isnan(exponent)


def test_the_derivative_in_a_constant_exponent_is_not_computed(monkeypatch):
    monkeypatch.setattr("autograd.rules.elementwise._log_of_base", lambda *_: pytest.fail("log of the base"))
    assert gradient(lambda x: x ** np.array([3.0]), [-2.0]) == 12.0
    assert gradient(lambda x: x ** Tensor([3.0], requires_grad=False), [-2.0]) == 12.0


def test_the_mixed_derivative_of_a_power_is_right_where_the_exponent_is_zero():
    x, y = Tensor(2.0), Tensor(0.0)
    (x**y).backward(create_graph=True)
    slope = x.grad
    x.zero_grad()
    y.zero_grad()
    slope.backward()
    assert y.grad == 0.5


def test_where_does_not_hide_a_nan_and_the_tape_names_it():
    with np.errstate(invalid="ignore"):
        x = Tensor([1.0, -4.0])
        y = np.where(x > 0, x, np.sqrt(-x))
    loss = y.sum()
    born = births_of_nan(loss)
    loss.backward()
    assert np.isnan(x.grad[0])
    assert x.grad[1] == -0.25
    assert born == ["sqrt"]


@pytest.mark.parametrize(
    ("x", "expected"),
    [([0.0, 2, 3], [6, 0, 0]), ([0.0, 0, 3], [0, 0, 0]), ([2.0, 3, 4], [12, 8, 6]), ([0.0], [1])],
)
def test_the_gradient_of_a_product_is_exact_with_zeros(x, expected):
    assert gradient(np.prod, x).tolist() == expected


def test_the_second_derivative_of_a_product_is_exact_with_zeros():
    x = Tensor([0.0, 0.0, 3.0])
    np.prod(x).backward(create_graph=True)
    slope = x.grad[0]
    x.zero_grad()
    slope.backward()
    assert x.grad.tolist() == [0, 3, 0]


def test_the_gradient_of_a_running_product_is_exact_with_zeros():
    assert gradient(np.cumprod, [2.0, 0.0, 3.0, 4.0]).tolist() == [1, 2 + 6 + 24, 0, 0]


@pytest.mark.parametrize("order", [None, 2, 3])
def test_the_norm_of_a_zero_vector_is_flat(order):
    f = lambda x: np.linalg.norm(x, order, axis=1)
    x = [[0.0, 0.0], [3.0, 0.0]]
    assert gradient(f, x) == pytest.approx(np.array([[0, 0], [1, 0]]))
    assert np.isfinite(second(lambda x: np.linalg.norm(x), [0.0, 0.0])).all()


def test_the_standard_deviation_of_a_constant_is_flat():
    assert gradient(lambda x: np.std(x, axis=0), [[2.0, 1.0], [2.0, 3.0]]).tolist() == [[0, -0.5], [0, 0.5]]
    assert gradient(np.std, [5.0]).tolist() == [0]


def test_hypot_and_arctan2_are_flat_at_the_origin():
    assert [float(g) for g in gradients(np.hypot, 0.0, 0.0)] == [0, 0]
    assert [float(g) for g in gradients(np.arctan2, 0.0, 0.0)] == [0, 0]


def test_arctan2_does_not_overflow_on_the_way_back():
    y, x = gradients(np.arctan2, 1e-200, 1e-200)
    assert (y, x) == (pytest.approx(5e199), pytest.approx(-5e199))
    y, x = gradients(np.arctan2, 1e200, 1e200)
    assert (y, x) == (pytest.approx(5e-201), pytest.approx(-5e-201))


def test_division_does_not_overflow_on_the_way_back_in_float16():
    x, y = Tensor(np.float16(600)), Tensor(np.float16(300))
    (x / y).backward()
    assert float(y.grad) == pytest.approx(-600 / 300**2, rel=1e-3)


@pytest.mark.parametrize("x", [0.0, 1e-9, 1e-3, 0.1, 0.31, 0.33, 0.5, 0.9, 1.0, 2.5, 10.3])
def test_sinc_is_smooth_at_zero_to_any_order(x):
    # sinc(x) = ∫₀¹ cos(πxt) dt, differentiated under the integral
    node, weight = np.polynomial.legendre.leggauss(60)
    t = (node + 1) / 2 * np.pi
    derivative = np.sinc
    for order in range(1, 5):
        derivative = grad(derivative)
        exact = np.sum(weight / 2 * t**order * np.cos(x * t + order * np.pi / 2))
        assert float(derivative(x)) == pytest.approx(exact, rel=1e-10, abs=1e-12)


def test_sinc_at_zero():
    assert grad(np.sinc)(0.0) == 0.0
    assert float(grad(grad(np.sinc))(0.0)) == pytest.approx(-(np.pi**2) / 3, rel=1e-15)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sigmoid_saturates_without_a_warning(dtype):
    x = Tensor(np.array([1000.0, -1000.0], dtype))
    y = sigmoid(x)
    assert y.data.tolist() == [1, 0]
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_the_slope_of_a_sigmoid_is_zero_where_its_value_rounds_to_one():
    assert gradient(sigmoid, [40.0, -40.0]).tolist() == pytest.approx([0, np.exp(-40)], rel=1e-15, abs=0)


def test_the_slope_of_expm1_is_exact_far_below_zero():
    assert gradient(np.expm1, [-50.0, 0.0]).tolist() == pytest.approx([np.exp(-50), 1], rel=1e-15, abs=0)


def test_the_slope_of_arctan_does_not_overflow_in_float16():
    x = Tensor(np.float16(300))
    np.arctan(x).backward()
    assert float(x.grad) == pytest.approx(1 / (1 + 300**2), rel=0.01)


def by_expansion(m):
    """The determinant of a matrix, expanded along its first row."""
    n = m.shape[-1]
    if n == 1:
        return m[..., 0, 0]
    minors = [m[..., 1:, [k for k in range(n) if k != j]] for j in range(n)]
    return sum((-1) ** j * m[..., 0, j] * by_expansion(minor) for j, minor in enumerate(minors))


SINGULAR = {
    "1x1": [[0.0]],
    "2x2": [[1.0, 2.0], [2.0, 4.0]],
    "2x2 of rank 0": [[0.0, 0.0], [0.0, 0.0]],
    "3x3": [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 1.0, 2.0]],
    "3x3 of rank 1": [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [2.0, 4.0, 6.0]],
    "4x4 of rank 2": [[1.0, 2.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [2.0, 4.0, 0.0, 3.0], [0.0, 0.0, 0.0, 0.0]],
    "a stack of which one is singular": [[[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0], [3.0, 5.0]]],
}


@pytest.mark.parametrize("matrix", SINGULAR.values(), ids=SINGULAR.keys())
def test_the_gradient_of_the_determinant_of_a_singular_matrix_is_its_cofactors(matrix):
    assert np.any(np.linalg.det(matrix) == 0)
    f = lambda x: np.linalg.det(x) + np.linalg.det(x) ** 2
    g = lambda x: by_expansion(x) + by_expansion(x) ** 2
    np.testing.assert_allclose(gradient(f, matrix), gradient(g, matrix), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(second(f, matrix), second(g, matrix), rtol=1e-12, atol=1e-12)


def test_the_gradient_of_the_determinant_of_a_matrix_singular_but_for_rounding():
    matrix = np.arange(1.0, 10).reshape(3, 3)
    expected = [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]
    np.testing.assert_allclose(gradient(np.linalg.det, matrix), expected, rtol=1e-12)


def test_a_nan_stays_in_its_matrix_beside_a_singular_one():
    with np.errstate(invalid="ignore"):
        slope = gradient(np.linalg.det, [[[1.0, 2.0], [2.0, 4.0]], [[NAN, 1.0], [1.0, 1.0]]])
    np.testing.assert_allclose(slope[0], [[4, -2], [-2, 1]], rtol=1e-14)
    assert np.isnan(slope[1]).all()


def test_the_cofactors_of_a_large_singular_matrix_keep_the_dtype():
    x = Tensor(np.zeros((1, 40, 40), np.float32) + np.eye(40, dtype=np.float32) * (np.arange(40) > 0))
    np.linalg.det(x).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad[0], np.outer(np.eye(40)[0], np.eye(40)[0]), atol=1e-6)


@pytest.mark.parametrize(
    ("x", "value", "expected"),
    [
        ([-INF, -INF], -INF, [0, 0]),
        ([1.0, INF, -INF], INF, [0, 1, 0]),
        ([INF, INF, 3.0], INF, [0.5, 0.5, 0]),
        ([-INF, 2.0], 2.0, [0, 1]),
        ([1000.0, 1000.0], 1000 + np.log(2), [0.5, 0.5]),
    ],
)
def test_logsumexp_with_infinities_has_a_gradient(x, value, expected):
    assert logsumexp(np.array(x)) == value
    assert gradient(logsumexp, x).tolist() == pytest.approx(expected)
    assert np.isfinite(second(logsumexp, x)).all()


@pytest.mark.parametrize("f", [np.logaddexp, np.logaddexp2])
def test_logaddexp_with_infinities_has_a_gradient(f):
    x, y = gradients(f, [-INF, INF, INF, 1.0, -INF], [-INF, INF, 2.0, INF, 3.0])
    assert x.tolist() == pytest.approx([0, 0.5, 1, 0, 0])
    assert y.tolist() == pytest.approx([0, 0.5, 0, 1, 1])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([-INF, -INF], [0, 0]),
        ([1.0, INF, -INF], [0, 1, 0]),
        ([INF, INF, 3.0], [0.5, 0.5, 0]),
        ([-INF, 2.0], [0, 1]),
        ([[-INF, -INF], [2.0, 2.0]], [[0, 0], [0.5, 0.5]]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_and_its_logarithm_next_to_infinities(x, expected, dtype):
    array = np.array(x, dtype)
    assert softmax(array).dtype == log_softmax(array).dtype == dtype
    assert softmax(array).tolist() == expected
    np.testing.assert_allclose(np.exp(log_softmax(array)), expected, rtol=1e-6)
    share = np.array(expected)
    logarithms = np.eye(share.shape[-1])[0] - share
    np.testing.assert_allclose(gradient(lambda x: softmax(x)[..., 0], x), share[..., :1] * logarithms)
    np.testing.assert_allclose(gradient(lambda x: log_softmax(x)[..., 0], x), logarithms)


def test_a_nan_stays_visible_through_softmax():
    assert np.isnan(softmax(np.array([NAN, 1.0, INF]))).all()
    assert np.isnan(log_softmax(np.array([NAN, 1.0]))).all()


def test_a_nan_stays_visible_through_logsumexp_and_max():
    assert np.isnan(gradient(logsumexp, [NAN, 1.0])).all()
    assert np.isnan(gradient(np.max, [NAN, 1.0])).all()


def test_softmax_and_its_logarithm_do_not_overflow():
    assert gradient(lambda x: softmax(x)[0], [1000.0, -1000.0]).tolist() == [0, 0]
    assert gradient(lambda x: log_softmax(x)[1], [1000.0, -1000.0]).tolist() == [-1, 1]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("exponent", [int, float, np.array, lambda n: np.float32(n)])
def test_a_derivative_of_a_power_past_its_degree_is_zero_at_zero(n, exponent):
    f = lambda x: x ** exponent(n)
    for _ in range(n):
        f = grad(f)
    assert f(0.0) == pytest.approx(float(np.prod(np.arange(1.0, n + 1))))
    assert grad(f)(0.0) == 0.0


# --- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"), [((0, 3), (3,)), ((0,), (1,)), ((2, 0, 3), (1, 1, 3)), ((1, 1), (2, 3)), ((), (0,)), ((3, 1), (1, 4))]
)
@pytest.mark.parametrize("f", [np.add, np.multiply, np.maximum, np.hypot, np.power])
def test_the_gradient_has_the_shape_of_the_operand(f, a, b):
    x, y = gradients(f, np.ones(a), np.ones(b))
    assert (x.shape, y.shape) == (a, b)


@pytest.mark.parametrize(
    "f",
    [
        np.sum, np.prod, lambda x: np.sum(x, axis=0), lambda x: np.prod(x, axis=1), lambda x: np.cumsum(x, axis=1),
        lambda x: np.cumprod(x, axis=0), lambda x: np.max(x, axis=1), lambda x: np.var(x, axis=1), np.sort,
        lambda x: np.reshape(x, (3, 0)), lambda x: np.concatenate([x, x]), lambda x: np.tile(x, (2, 2)),
        lambda x: np.repeat(x, 2), lambda x: np.pad(x, 1), lambda x: x @ np.ones((3, 2)), lambda x: x.T @ x,
        lambda x: np.inner(x, np.ones((4, 3))), lambda x: np.einsum("ij,kj->ik", x, x), lambda x: np.linalg.norm(x),
        lambda x: np.tensordot(x, np.ones((3, 0, 2)), ([0, 1], [1, 0])), lambda x: np.kron(x, np.ones((2, 2))),
        lambda x: np.diff(x), lambda x: np.flip(x), lambda x: np.diagonal(x), lambda x: np.outer(x, np.ones(2)),
        lambda x: np.where(x > 0, x, 0.0), lambda x: np.average(x, axis=1), lambda x: np.linalg.norm(x, axis=1),
    ],
)  # fmt: skip
def test_an_empty_array_has_an_empty_gradient(f):
    assert gradient(f, np.ones((0, 3))).shape == (0, 3)
    assert second(lambda x: f(x) * f(x), np.ones((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "f",
    [
        np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.cumsum, np.cumprod, np.ptp, logsumexp,
        np.ravel, np.squeeze, np.transpose, np.flip, np.copy, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.average,
        lambda x: np.expand_dims(x, 0), lambda x: np.reshape(x, (1, 1)), lambda x: np.broadcast_to(x, (2, 3)),
        lambda x: np.repeat(x, 3), lambda x: np.tile(x, (2, 2)), lambda x: np.roll(x, 1), lambda x: np.stack([x, x]),
        lambda x: np.append(x, x), lambda x: x[...], lambda x: x[None], lambda x: np.take(x, [0, 0]),
        lambda x: np.dot(x, x), lambda x: np.inner(x, np.ones(2)), lambda x: np.outer(x, np.ones(2)), np.nan_to_num,
        lambda x: np.einsum(",i->i", x, np.ones(2)), lambda x: np.tensordot(x, np.ones(2), 0), np.linalg.norm,
        lambda x: np.clip(x, 0, 5), lambda x: np.where(True, x, 0), lambda x: np.hstack([x, x]),
        lambda x: np.kron(x, np.ones(2)), lambda x: x.astype(np.float64), lambda x: set_at(x, (), x * x),
        lambda x: np.vdot(x, x), lambda x: np.sort(x, axis=None),
        lambda x: np.sum(np.array(2), initial=0) * x,
    ],
)  # fmt: skip
def test_a_single_number_differentiates_as_any_array(f):
    x = Tensor(1.5)
    f(x).sum().backward()
    assert isinstance(x.grad, np.ndarray)
    assert x.grad.shape == ()
    slope = (f(Tensor(1.5 + 1e-6)).sum() - f(Tensor(1.5 - 1e-6)).sum()).item() / 2e-6
    assert float(x.grad) == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_reducing_a_variance_with_no_freedom_left_is_nan_and_no_error():
    x = Tensor([1.0])
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        y = np.var(x, ddof=1)
    y.backward()
    assert np.isnan(x.grad).all()


# --- repeated elements, and picking many ------------------------------------------------------------------------------


def test_repeated_indices_add_up():
    assert gradient(lambda x: x[[0, 0, 2, 0]], [1.0, 2.0, 3.0]).tolist() == [3, 0, 1]
    assert gradient(lambda x: np.take(x, [[1, 1], [1, 2]]), [1.0, 2.0, 3.0]).tolist() == [0, 3, 1]
    assert gradient(lambda x: x[np.array([0, 1]), np.array([0, 1])], np.ones((2, 2))).tolist() == [[1, 0], [0, 1]]


def test_a_boolean_mask_picks_each_element_once():
    x = np.arange(4.0)
    assert gradient(lambda x: x[x.data > 1] * 2, x).tolist() == [0, 0, 2, 2]


def test_of_values_written_to_the_same_place_only_the_last_gets_a_gradient():
    x, v = gradients(lambda x, v: set_at(x, [1, 1, 0], v) * [1, 10, 100], [1.0, 2.0, 3.0], [5.0, 6.0, 7.0])
    assert (x.tolist(), v.tolist()) == ([0, 0, 100], [0, 10, 1])


def test_a_value_that_was_broadcast_into_its_place_gets_the_sum():
    x, v = gradients(lambda x, v: set_at(x, slice(0, 2), v), np.ones((3, 2)), 4.0)
    assert (x.tolist(), float(v)) == ([[0, 0], [0, 0], [1, 1]], 4.0)


def test_floats_are_not_cut_to_fit_among_integers():
    with pytest.raises(TypeError, match=r"set_at: x of dtype int64 can't hold a value of dtype float64"):
        set_at(np.arange(3), 0, Tensor(2.5))


def test_the_values_and_places_of_set_at_may_change_afterwards():
    place, value = np.array([0]), np.array([2.0])
    x = Tensor([1.0, 3.0])
    y = set_at(x, place, value) * set_at(x, place, value)
    place[0], value[0] = 1, 50.0
    y.sum().backward()
    assert x.grad.tolist() == [0, 6]


def test_options_given_as_arrays_or_lists_may_change_afterwards():
    counts, order = np.array([1, 2]), [1, 0]
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    y = np.repeat(x, counts, axis=1)
    z = np.transpose(x, order)
    counts[:] = 5
    order.reverse()
    (y.sum() + (z * np.array([[1, 2], [3, 4]])).sum()).backward()
    assert x.grad.tolist() == [[2, 5], [3, 6]]


# --- what is refused, and how -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [lambda x: np.nextafter(x, x), np.asarray, lambda x: np.put(x, [0], 1.0)])
def test_a_function_without_a_rule_fails_when_it_is_called(call):
    with pytest.raises((NoRuleError, TypeError), match=r"(has no derivative rule|can't silently).* t\.data"):
        call(Tensor(np.eye(3)))


def test_a_function_without_a_rule_says_why_and_what_to_write_instead():
    with pytest.raises(NoRuleError, match=r"np\.nextafter has no derivative rule: .*a constant"):
        np.nextafter(Tensor(1.0), 2.0)


def test_a_mode_or_order_without_a_rule_fails_when_it_is_called():
    x = Tensor(np.ones((2, 2)))
    with pytest.raises(NoRuleError, match="mode='mean'; modes with one: constant, edge, reflect, symmetric, wrap"):
        np.pad(x, 1, mode="mean")
    with pytest.raises(TypeError, match="order must be 'C' or 'F' on a Tensor, got 'A'"):
        np.reshape(x, 4, order="A")
    with pytest.raises(NoRuleError, match=r"np\.quantile has no derivative rule with weights="):
        np.quantile(x, 0.5, weights=x)


def test_weights_of_a_count_get_a_gradient_and_the_edges_keep_their_history():
    x = Tensor([1.0, 2.0, 4.0])
    for call in (
        lambda: np.bincount([0, 1, 1], weights=x), lambda: np.bincount([0, 1, 1], x),
        lambda: np.histogram(np.arange(3.0), weights=x)[0], lambda: np.histogram(x.data, 2, weights=x)[0],
    ):  # fmt: skip
        x.zero_grad()
        call().sum().backward()
        assert x.grad.tolist() == [1, 1, 1]
    x.zero_grad()
    np.histogram(x, 3)[1][1].backward()
    np.testing.assert_allclose(x.grad, [2 / 3, 0, 1 / 3])
    assert np.bincount([0, 1, 1], weights=Tensor([1.0, 2.0, 4.0], requires_grad=False)).tolist() == [1, 6]
    assert np.bincount(Tensor([0, 1, 1]), minlength=3).tolist() == [1, 2, 0]
    counts, edges = np.histogram(x, [Tensor(0.0), 3, 5], weights=x.data)
    assert (counts.tolist(), edges.tolist()) == ([3, 4], [0, 3, 5])


def test_full_like_of_integers_takes_no_gradient():
    found = np.full_like(np.arange(2), 1.5)
    assert np.full_like(Tensor([1, 2]), 1.5).tolist() == found.tolist()
    with pytest.raises(TypeError, match=r"np\.full_like: an array of dtype int64 can't hold a fill_value of dtype f"):
        np.full_like(Tensor([1, 2]), Tensor(1.5))


def test_out_and_where_are_refused():
    x, out = Tensor([1.0, 2.0]), np.zeros(2)
    for call in (
        lambda: np.exp(x, out=out), lambda: np.add(x, 1.0, out), lambda: np.cumsum(x, out=out),
        lambda: np.cumsum(x, 0, None, out), lambda: np.concatenate([x, x], out=np.zeros(4)),
        lambda: np.clip(x, 0, 1, out=out),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r"out="):
            call()
    with pytest.raises(TypeError, match=r"np\.exp: where= is not traced; use np\.where"):
        np.exp(x, where=[True, False])
    assert out.tolist() == [0, 0]


def test_adding_a_tensor_into_an_array_says_what_to_write_instead():
    total = np.zeros(2)
    with pytest.raises(TypeError, match=r"array = array \+ tensor"):
        total += Tensor([1.0, 2.0])
    assert total.tolist() == [0, 0]


def test_an_array_of_tensors_names_stack():
    for tensors in ([Tensor(1.0), Tensor(2.0)], [Tensor([1.0]), Tensor([2.0])]):
        with pytest.raises(TypeError, match=r"np\.stack"):
            np.array(tensors)


def test_a_tensor_in_the_place_of_an_option_is_refused_or_read():
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="no gradient flows through nan="):
        np.nan_to_num(x, nan=Tensor(1.0))
    with pytest.raises(NoRuleError, match="constant_values"):
        np.pad(x, 1, constant_values=Tensor(1.0))
    assert np.repeat(x, Tensor([2, 1])).data.tolist() == [1, 1, 2]


def test_too_many_arguments_or_one_given_twice_is_a_sentence():
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"softmax\(\) takes at most 2 arguments, but 3 were given"):
        softmax(x, 0, 1)
    with pytest.raises(TypeError, match=r"softmax\(\) got more than one value for axis"):
        softmax(x, 0, axis=1)
    with pytest.raises(TypeError, match="axis"):
        np.sum(x, 0, axis=0)


# --- functions without a gradient -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        np.argmax, np.argmin, np.argsort, np.any, np.all, np.shape, np.ndim, np.size, np.zeros_like, np.ones_like,
        np.empty_like, np.isnan, np.isfinite, np.signbit, np.count_nonzero, np.argwhere, np.flatnonzero, np.nonzero,
        np.array_repr, np.array_str, np.array2string, np.iscomplexobj, np.result_type, np.where,
        lambda x: np.full_like(x, 3), lambda x: np.array_equal(x, x), lambda x: np.allclose(x, x),
        lambda x: np.isclose(x, 1), lambda x: np.searchsorted(x, 2.0), lambda x: np.isin(x, [1.0]),
        lambda x: np.greater(x, 1), lambda x: np.may_share_memory(x, x), lambda x: np.logical_and(x, x),
        lambda x: np.logical_or.reduce(x > 1), lambda x: np.digitize(x, [1.0, 2.0]),
    ],
)  # fmt: skip
def test_functions_of_the_numbers_alone_give_plain_results(call):
    array = np.array([1.0, 2.0, 3.0])
    found, expected = call(Tensor(array)), call(array)
    assert isinstance(found, type(expected)) and not isinstance(found, Tensor)
    if call is not np.empty_like:
        np.testing.assert_equal(found, expected)


@pytest.mark.parametrize(
    "call",
    [
        np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, lambda x: np.round(x, 1),
        lambda x: np.floor_divide(x, 2), lambda x: np.heaviside(x, 0.5), lambda x: np.round(x, decimals=1),
        lambda x: x.round(1),
    ],
)  # fmt: skip
def test_steps_are_recorded_and_no_gradient_flows_through_them(call):
    array = np.array([-1.26, 0.0, 2.71])
    x = Tensor(array)
    y = call(x)
    np.testing.assert_array_equal(y.data, call(array))
    assert not y.requires_grad
    assert [node.op for node in Tape(y)][-1] == y.node.op != "leaf"
    (y + x).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_a_user_can_state_that_a_function_has_no_gradient():
    @primitive
    def quantised(x):
        return np.round(x * 4) / 4

    nondifferentiable(quantised)
    x = Tensor(1.1)
    (quantised(x) * x).backward()
    assert x.grad == 1.0


# --- the tables of functions ------------------------------------------------------------------------------------------


def parameters(fn):
    """The parameters of a function; none where NumPy does not tell them, as 2.1 does not of what is written in C."""
    try:
        return inspect.signature(fn).parameters
    except ValueError:
        return {}


def test_every_rule_takes_only_options_that_numpy_has():
    """A misspelt option in a rule would fail in the backward pass only."""
    wrong = []
    for fn, rule in [*RULES.items(), *((rule.fn, rule) for rule in PRIMITIVES.values())]:
        if rule.variadic is not None or isinstance(fn, np.ufunc) or rule.fn is not fn:
            continue
        known = parameters(fn)
        for vjp in filter(None, rule.vjps):
            names = list(inspect.signature(vjp).parameters)[2 + len(rule.vjps) :]
            wrong += [f"{rule.name}: {name}" for name in names if name not in known]
    assert wrong == []


def test_every_composition_takes_the_options_of_the_function_it_stands_for():
    known, wrong = {"out", "where", "initial", "casting", "interpolation"}, []
    for fn, expression in COMPOSITES.items():
        if isinstance(fn, np.ufunc):
            continue
        theirs = {p.name for p in parameters(fn).values() if p.kind is p.KEYWORD_ONLY}
        ours = inspect.signature(expression).parameters
        if any(p.kind is p.VAR_KEYWORD for p in ours.values()):
            continue
        wrong += [f"{fn.__name__}: {name}" for name in theirs - ours.keys() - known]
    assert wrong == []


def test_no_function_is_declared_in_two_ways():
    assert not NUMBERS_ONLY & {*RULES, *(rule.fn for rule in PRIMITIVES.values())}
    assert not NUMBERS_ONLY & COMPOSITES.keys()


def test_each_numpy_function_gets_a_rule_or_a_sentence():
    """Whatever function of one array is called: a Tensor, a plain result, or an error that is about the Tensor."""
    x = Tensor([0.2, 0.4])
    silent = []
    for name in sorted(set(dir(np)) - {"save", "savez", "savetxt", "savez_compressed"}):
        fn = getattr(np, name)
        if not (isinstance(fn, np.ufunc) or hasattr(fn, "__wrapped__") or hasattr(fn, "_implementation")):
            continue
        try:
            with np.errstate(all="ignore"):
                out = fn(x)
        except (TypeError, ValueError, AttributeError, NotImplementedError, DeprecationWarning):
            continue
        if isinstance(out, np.ndarray) and out.dtype.kind == "f" and fn not in NUMBERS_ONLY and fn not in RULES:
            silent.append(name)
    assert silent == []


def test_the_document_has_a_test_for_each_row(request):
    text = (request.config.rootpath / "docs" / "edge_cases.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", text))
    files = (request.config.rootpath / "tests").glob("test_edge*.py")
    tests = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)}
    assert named
    assert named <= tests
