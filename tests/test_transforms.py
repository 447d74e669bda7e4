"""grad, jacobian, hessian and their kin: values, nesting, structures, errors."""

import numpy as np
import pytest

from autograd import Tensor, elementwise_grad, grad, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


X = np.array([0.3, -0.5, 0.8, 1.1])
V = np.array([1.0, -2.0, 0.5, 0.25])


def rosenbrock_hessian(x):
    n = x.size
    h = np.zeros((n, n))
    for i in range(n):
        h[i, i] = (200.0 if i > 0 else 0.0) + (1200 * x[i] ** 2 - 400 * x[i + 1] + 2 if i < n - 1 else 0.0)
        if i < n - 1:
            h[i, i + 1] = h[i + 1, i] = -400 * x[i]
    return h


def test_the_derivatives_of_tanh_are_right_to_the_sixth_order():
    t = np.tanh(0.7)
    u = 1 - t * t
    exact = [
        u,
        -2 * t * u,
        2 * u * (3 * t**2 - 1),
        -8 * t * u * (3 * t**2 - 2),
        8 * u * (15 * t**4 - 15 * t**2 + 2),
        -16 * t * u * (45 * t**4 - 60 * t**2 + 17),
    ]
    f = np.tanh
    for expected in exact:
        f = grad(f)
        np.testing.assert_allclose(f(0.7), expected, rtol=1e-12)


def test_the_derivative_of_a_power_past_its_order_is_zero_at_zero():
    for n in range(1, 5):
        f = lambda x, n=n: x**n
        for _ in range(n + 1):
            f = grad(f)
        assert f(0.0) == 0


def test_an_inner_derivative_sees_the_outer_variable():
    assert grad(lambda y: grad(lambda x: x * y)(2.0))(3.0) == 1
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1
    assert grad(lambda x: x * grad(lambda y: x * y * y)(x))(2.0) == 24


def test_the_hessian_and_its_product_with_a_vector():
    np.testing.assert_allclose(hessian(rosenbrock)(X), rosenbrock_hessian(X), rtol=1e-12)
    np.testing.assert_allclose(hvp(rosenbrock)(X, V), rosenbrock_hessian(X) @ V, rtol=1e-12)


def test_forward_mode_agrees_with_reverse_mode():
    f = lambda x: np.stack([np.sin(x[0]) * x[1], x[2] ** 2, x[0] * x[3]])
    out, tangent = jvp(f, (X,), (V,))
    np.testing.assert_allclose(out, f(X))
    np.testing.assert_allclose(tangent, jacobian(f)(X) @ V)


def test_forward_mode_inside_reverse_mode():
    f = lambda x: jvp(np.sin, (x,), (np.ones_like(X),))[1].sum()
    np.testing.assert_allclose(grad(f)(X), -np.sin(X))


def test_forward_mode_of_a_result_that_does_not_depend_on_the_input_is_zero():
    out, tangent = jvp(lambda x: np.array([1.0, 2.0]), (1.0,), (1.0,))
    np.testing.assert_array_equal(out, [1, 2])
    np.testing.assert_array_equal(tangent, [0, 0])


def test_forward_mode_takes_several_arguments_and_gives_several_results():
    out, tangent = jvp(lambda x, y: (x * y, {"sum": x + y}), (1.0, 2.0), (3.0, 4.0))
    assert out == (2.0, {"sum": 3.0})
    assert tangent == (10.0, {"sum": 7.0})


def test_the_pullback_of_a_nest_of_results():
    out, pullback = vjp(lambda x, y: (x * y, x + y), np.array([1.0, 2.0]), 3.0)
    np.testing.assert_array_equal(out[0], [3, 6])
    gx, gy = pullback((np.array([1.0, 10.0]), np.array([100.0, 1000.0])))
    np.testing.assert_array_equal(gx, [103, 1030])
    assert gy == 1 * 1 + 2 * 10 + 1100


def test_a_pullback_can_be_used_twice():
    _, pullback = vjp(np.sin, X)
    np.testing.assert_array_equal(pullback(V)[0], pullback(V)[0])


def test_the_shape_of_a_jacobian_is_that_of_the_result_and_then_that_of_the_argument():
    x = np.arange(6.0).reshape(2, 3)
    assert jacobian(lambda x: x.T @ x)(x).shape == (3, 3, 2, 3)
    assert jacobian(lambda x: np.sum(x))(x).shape == (2, 3)
    assert jacobian(lambda x: x * np.ones(2))(1.0).shape == (2,)
    assert jacobian(lambda x: x[:0])(np.ones(2)).shape == (0, 2)


def test_gradients_come_in_the_nest_of_the_argument():
    tree = {"a": np.ones(2), "b": [np.arange(2.0), (3.0,)]}
    got = grad(lambda p: np.sum(p["a"] * p["b"][0]) + p["b"][1][0] ** 2)(tree)
    np.testing.assert_array_equal(got["a"], [0, 1])
    np.testing.assert_array_equal(got["b"][0], [1, 1])
    assert got["b"][1] == (6.0,)


def test_several_arguments_give_a_tuple_of_gradients():
    f = lambda x, y, z: x * y + z
    assert grad(f, argnums=(0, 2))(2.0, 3.0, 4.0) == (3, 1)
    assert grad(f, argnums=1)(2.0, 3.0, 4.0) == 2
    assert grad(f, argnums=-1)(2.0, 3.0, 4.0) == 1


def test_keyword_arguments_are_handed_through():
    assert grad(lambda x, *, scale: x * scale)(1.0, scale=5.0) == 5


def test_an_unused_argument_has_a_gradient_of_zero():
    np.testing.assert_array_equal(grad(lambda x, y: y**2, argnums=0)(np.ones((2, 3)), 2.0), np.zeros((2, 3)))


def test_value_and_gradient_together():
    value, gradient = value_and_grad(lambda x: np.sum(x**2))(X)
    np.testing.assert_allclose(value, np.sum(X**2))
    np.testing.assert_allclose(gradient, 2 * X)


def test_elementwise_derivatives_nest():
    np.testing.assert_allclose(elementwise_grad(elementwise_grad(np.sin))(X), -np.sin(X))


def test_arrays_in_give_arrays_and_tensors_in_give_tensors():
    assert type(grad(rosenbrock)(X)) is np.ndarray
    t = Tensor(X)
    g = grad(rosenbrock)(t)
    assert isinstance(g, Tensor)
    (g * V).sum().backward()
    np.testing.assert_allclose(t.grad, rosenbrock_hessian(X) @ V)


def test_a_gradient_is_the_callers_own_to_write_into():
    g = grad(np.sum)(np.ones(3))
    g += 1
    np.testing.assert_array_equal(g, [2, 2, 2])


def test_the_dtype_of_the_argument_is_kept():
    x = X.astype(np.float32)
    assert grad(rosenbrock)(x).dtype == np.float32
    assert hessian(rosenbrock)(x).dtype == np.float32
    assert jvp(np.sin, (x,), (x,))[1].dtype == np.float32


def test_derivatives_are_taken_also_where_recording_is_off():
    with no_grad():
        assert grad(np.sin)(0.0) == 1


def test_a_tensor_that_requires_no_gradient_can_be_differentiated_by():
    assert grad(lambda x: x * x)(Tensor(3.0, requires_grad=False)).item() == 6


def test_the_tensors_that_a_function_closes_over_are_constants():
    w = Tensor([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum(x * w))(X), w.data)
    assert w.grad is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(np.sin)(np.ones(2)), ValueError, r"scalar result, got shape \(2,\).*jacobian"),
        (lambda: grad(lambda x: (x, x))(1.0), ValueError, "scalar result, got tuple"),
        (lambda: grad(lambda x: None)(1.0), ValueError, "scalar result, got NoneType"),
        (lambda: grad(np.sin)(3), TypeError, r"dtype int64.*3\.0 for 3"),
        (lambda: grad(np.sin)(1j), TypeError, "complex"),
        (lambda: grad(np.sin, argnums=2)(1.0), ValueError, "argnums=2.*1 arguments"),
        (lambda: grad(5), TypeError, "grad expects a function, got int"),
        (lambda: vjp(np.sin, X)[1](np.ones(2)), ValueError, r"cotangent has shape \(2,\), expected \(4,\)"),
        (lambda: jvp(np.sin, X, V), TypeError, r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda: jvp(np.sin, (X,), (np.ones(2),)), ValueError, r"tangent 0 has shape \(2,\), expected \(4,\)"),
        (lambda: jvp(np.sin, (X,), (V, V)), ValueError, "2 tangents for 1 primals"),
        (lambda: jacobian(lambda x: (x, x))(1.0), TypeError, "one array, got tuple"),
        (lambda: hvp(np.sin)(1.0), TypeError, r"hvp\(f\)\(x, v\)"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()
