"""grad, jacobian, hessian and their kin: values, nesting, structures, errors."""

from collections import Counter, OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

from autograd import Tensor, elementwise_grad, grad, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


X = np.array([0.3, -0.5, 0.8, 1.1])
V = np.array([1.0, -2.0, 0.5, 0.25])


def sum_a(tree):
    return tree["a"].sum() ** 2


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


def test_gradients_of_several_arguments_are_arrays_of_their_own():
    x, c = np.ones(3), np.arange(3.0)
    one, other = grad(lambda x, y: ((x + y) * c).sum(), (0, 1))(x, x)
    one[:] = 7.0
    assert other.tolist() == c.tolist() == [0.0, 1.0, 2.0] and x.tolist() == [1.0, 1.0, 1.0]


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


# --- nests go by their keys


def test_the_direction_of_forward_mode_is_matched_to_the_point_by_key():
    f = lambda d: d["a"] * 10 + d["b"]
    assert jvp(f, ({"a": 1.0, "b": 1.0},), ({"b": 1.0, "a": 0.0},)) == (11, 1)


def test_the_vector_of_a_hessian_product_is_matched_to_the_argument_by_key():
    f = lambda d: d["a"] ** 2 * d["b"]
    point = {"a": 2.0, "b": 3.0}
    assert hvp(f)(point, {"b": 0.0, "a": 1.0}) == hvp(f)(point, {"a": 1.0, "b": 0.0}) == {"a": 6, "b": 4}


def test_the_cotangent_is_matched_to_the_result_by_key():
    _, pullback = vjp(lambda x: {"a": 10 * x, "b": x}, 1.0)
    assert pullback({"b": 1.0, "a": 0.0}) == (1,)


def test_derivatives_keep_the_types_of_a_nest():
    Point = namedtuple("Point", ["x", "y"])
    square = lambda d: d["a"] ** 2
    nest = defaultdict(list, a=3.0)
    got = grad(square)(nest)
    assert got == {"a": 6} and got["b"] == [] and "b" not in nest
    assert type(grad(square)(Counter(a=3.0))) is Counter
    ordered = OrderedDict(b=1.0, a=3.0)
    ordered.move_to_end("b")
    assert list(grad(square)(ordered).items()) == [("a", 6), ("b", 0)]
    assert grad(lambda p: p.x * p.y)(Point(2.0, 3.0)) == Point(3, 2)


# --- what is recorded


def test_a_tensor_among_the_other_arguments_makes_the_gradient_recorded():
    w = Tensor(2.0)
    grad(lambda x, w: x * x * w)(3.0, w).backward()
    assert w.grad == 6
    v = Tensor(2.0)
    grad(lambda x, *, options: x * x * options["v"][0])(3.0, options={"v": [v]}).backward()
    assert v.grad == 6
    u = Tensor(5.0)
    jacobian(lambda x, u: x * u)(X, u).sum().backward()
    assert u.grad == 4


def test_a_tensor_as_the_direction_makes_the_derivative_recorded():
    v = Tensor(V)
    hvp(rosenbrock)(X, v).sum().backward()
    np.testing.assert_allclose(v.grad, rosenbrock_hessian(X).sum(axis=0))
    v.zero_grad()
    out, tangent = jvp(np.sin, (X,), (v,))
    assert isinstance(out, Tensor)
    tangent.sum().backward()
    np.testing.assert_allclose(v.grad, np.cos(X))
    v.zero_grad()
    vjp(np.sin, X)[1](v)[0].sum().backward()
    np.testing.assert_allclose(v.grad, np.cos(X))


def test_a_tensor_in_the_keywords_of_a_hessian_product_makes_it_recorded():
    w = Tensor(2.0)
    hvp(lambda x, *, w: np.sum(x**3) * w)(np.array([1.0, 2.0]), np.ones(2), w=w).sum().backward()
    assert w.grad == 18


def test_derivatives_taken_where_recording_is_off_are_not_recorded():
    x, v = Tensor(2.0), Tensor(1.0)
    f = lambda x: x**3
    with no_grad():
        value, slope = value_and_grad(f)(x)
        out, tangent = jvp(f, (x,), (v,))
        results = [
            grad(f)(x),
            elementwise_grad(f)(x),
            jacobian(f)(x),
            vjp(f, x)[1](v)[0],
            slope,
            tangent,
        ]
        second = [hessian(f)(x), hvp(f)(x, v), grad(grad(f))(x)]
    assert [r.item() for r in results] == [12] * 6
    assert [r.item() for r in second] == [12] * 3
    assert value.item() == out.item() == 8
    assert not any(r.requires_grad for r in [value, out, *results, *second])


def test_a_pullback_is_recorded_only_where_both_it_and_its_trace_are():
    x = Tensor(2.0)
    _, pullback = vjp(lambda x: x**2, x)
    with no_grad():
        assert not pullback(1.0)[0].requires_grad
        _, cut = vjp(lambda x: x**2, x)
    assert pullback(1.0)[0].requires_grad
    assert not cut(1.0)[0].requires_grad
    c = Tensor(1.0)
    (cut(c)[0] * 1).backward()
    assert c.grad == 4 and x.grad is None


def test_an_inner_derivative_taken_without_recording_is_a_constant():
    def f(x):
        with no_grad():
            slope = grad(lambda y: y**3)(x)
        return x * slope

    assert grad(f)(2.0) == 12


def test_results_are_all_arrays_or_all_tensors():
    constant = lambda x, t: (x * 2, np.float32(1), 5.0)
    for t, kind in ((np.float32(1), np.generic), (Tensor(np.float32(1)), Tensor)):
        out, tangent = jvp(constant, (1.0, t), (1.0, 0.0))
        assert all(isinstance(leaf, kind) for leaf in (*out, *tangent))
        out, pullback = vjp(constant, 1.0, t)
        assert all(isinstance(leaf, kind) for leaf in (*out, *pullback((1.0, 1.0, 1.0))))
        assert all(isinstance(leaf, kind) for leaf in value_and_grad(lambda x, t: 7.0)(1.0, t))
        assert isinstance(jacobian(lambda x, t: 7.0)(1.0, t), kind)
    assert isinstance(jacobian(lambda x, t: x[:0])(np.ones(2), Tensor(1.0)), Tensor)


def test_tensors_that_require_no_gradient_record_nothing():
    x = Tensor(3.0, requires_grad=False)
    got = grad(lambda x: x * x)(x)
    assert isinstance(got, Tensor) and not got.requires_grad


# --- results and arguments of other kinds


def test_forward_mode_of_a_constant_is_zero_in_its_own_dtype():
    for dtype in (np.float16, np.float32, np.float64):
        assert jvp(lambda x, dtype=dtype: np.ones(2, dtype), (1.0,), (1.0,))[1].dtype == dtype
    assert jvp(lambda x: np.arange(2), (1.0,), (1.0,))[1].dtype == np.float64


def test_several_arguments_give_a_tuple_of_jacobians():
    a, b = np.array([[1.0, 2.0]]), np.array([3.0, 4.0])
    by_a, by_b = jacobian(lambda a, b: a @ b, argnums=(0, 1))(a, b)
    np.testing.assert_array_equal(by_a, [[[3, 4]]])
    np.testing.assert_array_equal(by_b, [[1, 2]])


def test_several_arguments_take_a_tuple_of_vectors():
    assert hvp(lambda x, y: x * x * y, argnums=(0, 1))(2.0, 3.0, (1.0, 10.0)) == (46, 4)


def test_argnums_may_be_an_integer_of_numpy():
    f = lambda x, y: x * y
    assert grad(f, argnums=np.int64(1))(2.0, 3.0) == 2
    assert grad(f, argnums=(np.int8(0), 1))(2.0, 3.0) == (3, 2)
    assert hessian(lambda x: x**3, argnums=np.int64(0))(2.0) == 12


def test_a_nest_without_arrays_has_empty_derivatives():
    assert grad(lambda p: 1.0)({}) == {}
    assert hvp(lambda p: 1.0)({}, {}) == {}
    assert vjp(lambda x: {}, 2.0)[1]({}) == (0,)
    assert vjp(lambda x, y: x * 2, 1.0, None)[1](1.0) == (2, None)
    assert jvp(lambda x, y: (x * 2, None), (1.0, None), (1.0, None)) == ((2, None), (2, None))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(np.sin)(np.ones(2)), ValueError, r"scalar result, got shape \(2,\).*jacobian"),
        (lambda: grad(lambda x: (x, x))(1.0), ValueError, "scalar result, got tuple"),
        (lambda: grad(lambda x: None)(1.0), ValueError, "scalar result, got NoneType"),
        (lambda: grad(np.sin)(3), TypeError, r"dtype int64.*3\.0 for 3"),
        (lambda: grad(np.sin)(1j), TypeError, "real result, got dtype complex128.*np.real.*holomorphic_grad"),
        (lambda: grad(np.sin, argnums=2)(1.0), ValueError, "argnums=2.*1 arguments"),
        (lambda: grad(5), TypeError, "grad expects a function, got int"),
        (lambda: vjp(np.sin, X)[1](np.ones(2)), ValueError, r"cotangent has shape \(2,\), expected \(4,\)"),
        (lambda: jvp(np.sin, X, V), TypeError, r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda: jvp(np.sin, (X,), (np.ones(2),)), ValueError, r"tangent 0 has shape \(2,\), expected \(4,\)"),
        (lambda: jvp(np.sin, (X,), (V, V)), ValueError, "2 tangents for 1 primals"),
        (lambda: hvp(np.sin)(1.0), TypeError, r"hvp\(f\)\(x, v\)"),
        (
            lambda: hvp(sum_a)({"a": V}, V),
            ValueError,
            r"vector is an array of shape \(4,\).*dict with the keys \['a'\]",
        ),
        (lambda: hvp(sum_a)({"a": V}, {"b": V}), ValueError, r"vector has the keys \['b'\], expected \['a'\]"),
        (lambda: hvp(sum_a)({"a": V}, {"a": V, "b": V}), ValueError, r"has the keys \['a', 'b'\], expected \['a'\]"),
        (lambda: hvp(sum_a)({"a": V}, {"a": V[:2]}), ValueError, r"vector\['a'\] has shape \(2,\), expected \(4,\)"),
        (
            lambda: hvp(sum_a)({"a": V}, {"a": [V]}),
            ValueError,
            r"vector\['a'\] is a list of 1, expected an array of sh",
        ),
        (lambda: hvp(np.sin)(1.0, None), ValueError, r"vector is None, expected an array of shape \(\)"),
        (lambda: hvp(np.sin)(1.0, 1j), TypeError, "vector must be of real numbers, got dtype complex128"),
        (lambda: hvp(np.sum)(None, None), TypeError, "hvp: argument 0 is None"),
        (lambda: jvp(np.sum, ([V],), (V,)), ValueError, r"tangent 0 is an array of shape \(4,\), expected a list of 1"),
        (lambda: jvp(np.sum, ([V],), ([V, V],)), ValueError, "tangent 0 has 2 entries, expected 1"),
        (lambda: jvp(lambda x, y: x, (V, None), (V, V)), ValueError, "tangent 1 is an array.*expected None"),
        (lambda: vjp(lambda x: (x, {"b": x}), V)[1]((V, {"c": V})), ValueError, r"cotangent\[1\] has the keys \['c'\]"),
        (lambda: vjp(lambda x: None, V), TypeError, "vjp needs a function that returns an array.*NoneType"),
        (lambda: jvp(lambda x: None, (V,), (V,)), TypeError, "jvp needs a function that returns an array.*NoneType"),
        (lambda: jacobian(lambda x: None)(V), TypeError, "one array, got NoneType"),
        (lambda: elementwise_grad(lambda x: None)(V), TypeError, "one array, got NoneType"),
        (lambda: grad(lambda x: "a")(1.0), ValueError, "scalar result, got str"),
        (lambda: grad(np.sum)(None), TypeError, "grad: argument 0 is None"),
        (lambda: grad(np.sin, argnums=True), TypeError, "argnums must be an integer or a tuple of them, got True"),
        (lambda: jacobian(np.sin, argnums=(0, 1.0)), TypeError, r"argnums must be an integer.*got \(0, 1\.0\)"),
        (lambda: grad(np.add, argnums=(0, -2))(1.0, 2.0), ValueError, "names an argument twice"),
        (lambda: hessian(np.sin, argnums=(0, 1)), TypeError, r"one integer, got \(0, 1\).*jacobian\(grad\(f, 0\), 1\)"),
        (lambda: hessian(np.sin)(X), ValueError, "hessian needs a function with a scalar result"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_jacobians_and_hessians_of_nests_are_nests_of_blocks():
    x = {"a": np.array([1.0, 2.0]), "b": np.array([3.0])}
    j = jacobian(lambda p: (p["a"] * p["b"], p["b"] ** 2))(x)
    np.testing.assert_array_equal(j[0]["a"], [[3, 0], [0, 3]])
    np.testing.assert_array_equal(j[0]["b"], [[1], [2]])
    np.testing.assert_array_equal(j[1]["b"], [[6]])
    np.testing.assert_array_equal(j[1]["a"], [[0, 0]])
    h = hessian(lambda p: np.sum(p["a"] ** 2 * p["b"]))(x)
    np.testing.assert_array_equal(h["a"]["a"], [[6, 0], [0, 6]])
    np.testing.assert_array_equal(h["a"]["b"], [[2], [4]])
    np.testing.assert_array_equal(h["b"]["b"], [[0]])


def test_a_variable_does_not_silently_become_a_number():
    import math

    def stored(x):
        y = np.zeros(2)
        y[0] = x
        return x + np.sum(y)

    with pytest.raises(TypeError, match=r"np\.sin and its kin for math\.sin"):
        grad(math.sin)(1.0)
    with pytest.raises(TypeError, match="can't silently become an array"):
        grad(lambda x: np.float64(x) * x)(1.0)
    with pytest.raises(ValueError, match="setting an array element") as caught:  # NumPy's words, with ours as the cause
        grad(stored)(1.0)
    assert "np.stack" in str(caught.value.__cause__)
    assert grad(lambda x: x * x.item())(3.0) == 3
    assert float(Tensor(2.0)) == 2
