"""Code that was written for HIPS autograd runs unchanged: its names, its habits, its values."""

import importlib
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy
import pytest
from test_rooms import HIPS, IMPORTS

import autograd
import autograd.numpy as np
from autograd import Tensor, elementwise_grad, grad, hessian, jacobian, make_jvp, make_vjp, value_and_grad
from autograd.extend import defvjp, defvjp_argnum, defvjp_argnums, getval, isbox, notrace_primitive, primitive, vspace
from autograd.misc import const_graph, flatten
from autograd.misc.fixed_points import fixed_point
from autograd.misc.optimizers import adam, rmsprop, sgd
from autograd.test_util import check_grads, combo_check

PAGE = (Path(__file__).parent.parent / "docs" / "from_hips.md").read_text(encoding="utf-8")
TABLE = [row.split("|")[1:4] for row in PAGE.partition("## All names")[2].splitlines() if row.startswith("| `")]
X = numpy.array([0.3, -0.5, 0.8])
needs_scipy = pytest.mark.skipif(find_spec("scipy") is None, reason="SciPy is an extra")


@pytest.fixture(autouse=True)
def seeded():
    """`check_grads` draws its directions from NumPy's global generator."""
    numpy.random.seed(0)  # noqa: NPY002


def names_in(text):
    return re.findall(r"`(\w+)`", text.partition("(")[0])


@pytest.mark.parametrize(("room", "works", "refused"), TABLE, ids=[row[0].strip(" `") for row in TABLE])
def test_the_table_of_all_names_is_true(room, works, refused):
    if "scipy" in room:
        pytest.importorskip("scipy")
    module = importlib.import_module(room.strip(" `"))
    assert [name for name in names_in(works) if not hasattr(module, name)] == []
    assert [name for name in names_in(refused) if hasattr(module, name)] == []


def test_importing_autograd_loads_no_room_of_hips_and_no_scipy():
    rooms = [module for module in IMPORTS if module.startswith("autograd.") and module.split(".")[1] in HIPS]
    code = f"import sys, autograd; print([m for m in {[*rooms, 'scipy']} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_name_of_numpy_is_found_and_is_its_own():
    for name in numpy.__all__:
        if name not in ("array", "asarray", "full", "full_like", "where", "r_", "c_"):
            ours, own = getattr(np, name), getattr(numpy, name)
            assert ours is own or ours.__name__.endswith(own.__name__), name
    with pytest.raises(AttributeError, match="no attribute 'sine'"):
        _ = np.sine
    assert np.linalg.norm([3.0, 4.0]) == 5 and np.random.seed is numpy.random.seed and np.fft.fft is not None


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.array([[x, 2.0], [x**2, x * x**2]]) ** 2),
        lambda x: np.sum(np.asarray([x, 1.0], dtype=float) * 3),
        lambda x: np.sum(np.array(x, ndmin=3) ** 2),
        lambda x: np.sum(np.full((2, 3), x) ** 2) + np.sum(np.full_like(np.ones(2), x)),
        lambda x: np.sum(np.r_[x, 1:4, [x**2]] ** 2) + np.sum(np.c_[[x, 1.0], [2.0, x]] ** 3),
        lambda x: np.sum(np.r_["0,2", [x, 2.0], [3.0, x]] ** 2),
        lambda x: np.mean([x, x**2]) + np.sum([[x, 1.0], [x, x]]) + np.max((x, 0.0)) + np.dot([x, 1.0], [x, 2.0]),
        lambda x: np.linalg.norm([x, x**2]) + np.where(x > 0, x, 0.0),
        lambda x: np.sum(np.make_diagonal(np.array([x, x**2])) * np.ones((2, 2))),
        lambda x: x * np.int64(3.7 * x),
    ],
)
def test_what_numpy_cannot_dispatch_is_differentiated(f):
    check_grads(f)(1.3)
    assert not isbox(f(1.3)) and isinstance(f(Tensor(1.3)), Tensor)


def test_arrays_of_numbers_alone_are_numpys():
    assert type(np.array([1, 2])) is numpy.ndarray and np.array([1, 2]).dtype == int
    assert np.where(True, 1, 2.5) == 1 and isinstance(np.int32(3), np.int32) and isinstance(numpy.int32(3), np.int32)
    assert np.zeros(2, np.int16).dtype == numpy.int16 and not isinstance(3.0, np.int64)
    numpy.testing.assert_array_equal(np.where([True, False], x=numpy.ones(2), y=[3.0, 4.0]), [1, 4])


def test_argnum_and_argnums_are_one_option():
    f = lambda x, y: np.sum(x * y**2)
    assert grad(f, argnum=1)(2.0, 3.0) == grad(f, 1)(2.0, 3.0) == 12
    assert grad(f, argnum=[1, 0])(2.0, 3.0) == (12, 9) and value_and_grad(f, argnum=0)(2.0, 3.0) == (18, 9)
    assert elementwise_grad(f, argnum=1)(2.0, 3.0) == jacobian(f, argnum=1)(2.0, 3.0) == 12
    assert hessian(f, argnum=1)(2.0, 3.0) == 4
    with pytest.raises(TypeError, match="two names of one option"):
        grad(f, argnums=1, argnum=1)


def test_a_result_of_one_element_counts_as_a_scalar():
    value, gradient = value_and_grad(lambda x: np.sum(np.sin(x), keepdims=True))(X)
    assert value.shape == (1,)
    numpy.testing.assert_allclose(gradient, numpy.cos(X))


def test_operators_agree_with_the_jacobian():
    A = numpy.arange(6.0).reshape(2, 3) / 5
    f = lambda x: np.tanh(A @ x)
    J = jacobian(f)(X)
    u, v = numpy.array([1.0, -2.0]), numpy.array([0.5, 1.0, -1.0])
    pullback, value = make_vjp(f)(X)
    numpy.testing.assert_allclose(value, f(X))
    numpy.testing.assert_allclose(pullback(u), u @ J)
    numpy.testing.assert_allclose(make_jvp(f)(X)(v)[1], J @ v)
    numpy.testing.assert_allclose(autograd.vector_jacobian_product(f)(X, u), u @ J)
    numpy.testing.assert_allclose(autograd.deriv(np.sin)(0.3), numpy.cos(0.3))
    numpy.testing.assert_allclose(autograd.make_ggnvp(f)(X)(v), J.T @ (J @ v))
    H = hessian(lambda x: np.sum(f(x) ** 2))(X)
    numpy.testing.assert_allclose(autograd.hessian_vector_product(lambda x: np.sum(f(x) ** 2))(X, v), H @ v)
    product, gradient = autograd.make_hvp(lambda x: np.sum(f(x) ** 2))(X)
    numpy.testing.assert_allclose(product(v), H @ v)
    numpy.testing.assert_allclose(gradient, 2 * f(X) @ J)


def test_gradients_by_names_and_with_something_beside():
    f = lambda x, y=2.0, *rest, **options: x * y**2 + sum(rest) * options["z"]
    assert autograd.multigrad_dict(f)(3.0, z=1.0) == {"x": 4, "y": 12, "rest": (), "options": {"z": 0}}
    assert autograd.grad_named(lambda x, y: x * y, "y")(2.0, 3.0) == 2
    gradient, aux = autograd.grad_and_aux(lambda x: (np.sum(x**2), {"x": x, "n": 3}))(X)
    numpy.testing.assert_array_equal(gradient, 2 * X)
    numpy.testing.assert_array_equal(aux["x"], X)
    assert aux["n"] == 3 and not isbox(aux["x"])


def test_a_checkpoint_has_the_same_derivatives_and_refuses_a_tensor_from_around_it():
    f = lambda p, n: np.sin(p["w"] ** n) * p["b"]
    args = ({"w": X, "b": 2.0}, 2)
    total = lambda g: lambda p: np.sum(g(p, 2) ** 2)
    once = autograd.checkpoint(f)
    numpy.testing.assert_allclose(grad(total(once))(args[0])["w"], grad(total(f))(args[0])["w"])
    check_grads(total(once))(args[0])
    with pytest.raises(TypeError, match="not among its arguments"):
        grad(lambda a: autograd.checkpoint(lambda x: x * a)(2.0))(3.0)
    with pytest.raises(TypeError, match="not among its arguments"):
        grad(lambda a: autograd.checkpoint(lambda x: x * a)(a))(3.0)


def test_curried_rules_with_options_none_and_one_for_all():
    @primitive
    def scaled(x, n, s=1.0):
        return x * s**n

    defvjp(scaled, lambda ans, x, n, s=1.0: lambda g: g * s**n, None)
    assert grad(scaled)(2.0, 3, s=2.0) == 8 and grad(scaled, 1)(2.0, 3.0) == 0
    with pytest.raises(NotImplementedError, match="operand 2"):
        grad(scaled, 2)(2.0, 3, 2.0)
    for declare in (
        lambda f: defvjp_argnum(f, lambda argnum, ans, args, kwargs: lambda g: g * args[1 - argnum]),
        lambda f: defvjp_argnums(f, lambda argnums, ans, args, kwargs: lambda g: [g * args[1 - i] for i in argnums]),
    ):
        product = primitive(lambda x, y: x * y)
        declare(product)
        check_grads(product, (0, 1))(2.0, X)
    looked = notrace_primitive(lambda x: (isbox(x), getval(x)))
    assert grad(lambda x: x * looked(x)[1])(2.0) == 2 and looked(Tensor(1.0))[0] is False


def test_a_wrong_rule_is_found():
    cube = primitive(lambda x: x**3)
    defvjp(cube, lambda ans, x: lambda g: g * 3.001 * x**2)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of"):
        check_grads(cube, modes=["rev"])(1.0)
    with pytest.raises(ValueError, match="'fwd' and 'rev'"):
        check_grads(cube, modes=["forward"])(1.0)
    combo_check(lambda x, n: x**n, (0,))([1.5, X + 1], n=[1, 2])


def test_a_nest_is_a_vector_and_an_element_of_a_space():
    nest = {"w": X, "b": [2.0, (3.0, numpy.ones((2, 2)))]}
    vector, unflatten = flatten(nest)
    assert vector.shape == (9,) and unflatten(vector)["b"][1][0] == 3.0
    check_grads(lambda p: np.sum(np.sin(flatten(p)[0])))(nest)
    assert vspace(nest) == vspace(unflatten(vector)) != vspace(X) and vspace(nest).size == 9
    assert sum(vspace(2.0).standard_basis()) == 1 and vspace(X).shape == (3,)
    with pytest.raises(TypeError, match="no element of a vector space"):
        vspace("a")


@pytest.mark.parametrize("optimizer", [sgd, rmsprop, adam])
def test_optimizers_descend_on_nests(optimizer):
    seen = []
    gradient = lambda p, i: grad(lambda p: np.sum((p["w"] - 1.0) ** 2) + p["b"] ** 2)(p)
    start = {"w": X, "b": 2.0}
    found = optimizer(gradient, start, lambda p, i, g: seen.append(g["b"]), num_iters=200, step_size=0.05)
    numpy.testing.assert_allclose(found["w"], 1, atol=0.1)
    assert len(seen) == 200 and seen[0] == 4 and abs(found["b"]) < 0.1


def test_a_fixed_point_is_differentiated_twice():
    newton = lambda a: lambda x: (x + a["s"] / x) / 2
    root = lambda s: fixed_point(newton, {"s": s}, 1.0, lambda x, y: abs(x - y), 1e-12)
    numpy.testing.assert_allclose([grad(root)(4.0), grad(grad(root))(4.0)], [1 / 4, -1 / 32])


def test_a_trace_is_told_call_by_call():
    from autograd.tracer import Node, toposort, trace

    class Call(Node):
        def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
            self.text = f"{fun.__name__}{parent_argnums} = {float(value):.2f}"
            self.parents = parents

        def initialize_root(self):
            self.text, self.parents = "x", ()

    _, node = trace(Call.new_root(), lambda x: np.sin(x) * x + np.cos(1.0), 2.0)
    texts = [each.text for each in toposort(node)]
    assert texts[0] == "add(0,) = 2.36" and texts[-1] == "x" and "multiply(0, 1) = 1.82" in texts and len(texts) == 4
    assert trace(Call.new_root(), lambda x: 1.0, 2.0) == (1.0, None)


def test_a_graph_is_repeated_without_its_python():
    calls = []

    def f(c, x, y):
        calls.append(1)
        return grad(lambda x: np.sin(x) + c * x * y)(x * y)

    again = const_graph(f, 2.0)
    for x, y in ((1.0, 0.5), (0.3, 2.0)):
        numpy.testing.assert_allclose(again(x, y), numpy.cos(x * y) + 2 * y)
    assert len(calls) == 1
    numpy.testing.assert_allclose(grad(again)(0.3, 2.0), -2 * numpy.sin(0.6))


@needs_scipy
def test_functions_of_scipy_are_differentiated():
    from autograd.scipy import integrate, linalg, signal, special, stats

    rng = numpy.random.default_rng(0)
    positive, A = rng.uniform(1.2, 2.0, 3), rng.normal(size=(3, 3)) + 3 * numpy.eye(3)
    rev = {"modes": ["rev"]}
    for name in ("pdf", "logpdf", "cdf", "sf", "logcdf", "logsf"):
        check_grads(getattr(stats.norm, name), (0, 1, 2), **rev)(X, 0.5, positive)
        check_grads(lambda x, name=name: getattr(stats.t, name)(x, 3.0, scale=2.0), **rev)(0.7)
    with pytest.raises(NotImplementedError, match="operand 1"):
        grad(stats.t.cdf, 1)(0.5, 3.0)
    check_grads(stats.multivariate_normal.pdf, (0, 1), **rev)(X, positive, A @ A.T)
    check_grads(stats.multivariate_normal.logpdf, (0, 1), **rev)(numpy.stack([X, positive]), X, A @ A.T)
    check_grads(special.logsumexp, 0)(A, axis=0, b=numpy.exp(A))
    check_grads(lambda x: special.softmax(x, 1)[0] * special.log_softmax(x)[1], 0)(A)
    for f in (lambda x: special.polygamma(1, x), lambda x: special.yn(2, x), lambda x: special.gammainc(1.5, x),
              lambda x: special.gammaincc(1.5, x), lambda x: special.betainc(1.5, 2.5, x / 3)):  # fmt: skip
        check_grads(f, order=1)(positive)
    assert grad(lambda x: x * special.gammasgn(x))(-0.5) == -1
    check_grads(linalg.solve_triangular, (0, 1), **rev)(numpy.tril(A), X, trans="T", lower=True)
    check_grads(linalg.solve_sylvester, (0, 1, 2), **rev)(A, A.T, A)
    check_grads(linalg.sqrtm, **rev)(A @ A.T)
    check_grads(linalg.solve_banded, (1, 2), **rev)((1, 2), rng.normal(size=(4, 5)), rng.normal(size=(5, 2)))
    check_grads(signal.convolve, (0, 1))(A, rng.normal(size=(2, 3)), axes=([0], [1]), mode="same")
    slope = lambda y, t, a, b: -np.sqrt(t) - y + a - np.mean((y + b) ** 2)
    times = numpy.linspace(0.1, 0.2, 3)
    check_grads(integrate.odeint, (1, 2, 3), modes=["rev"], order=1)(
        slope, X, times, (X, positive), rtol=1e-12, atol=1e-12
    )


@needs_scipy
def test_a_multivariate_normal_density_is_scipys_and_so_is_what_it_refuses():
    import scipy.stats

    from autograd.scipy.stats import multivariate_normal

    theirs, rng = scipy.stats.multivariate_normal, numpy.random.default_rng(0)
    for n in (1, 2, 5):
        A, mean, x = rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=(4, 1, n))
        cov = A @ A.T + numpy.eye(n) / 10
        for at in (x, x[:, 0], x[0, 0], x[0, 0] * numpy.inf):
            with numpy.errstate(all="ignore"):
                found, expected = (of.logpdf(at, mean, cov) for of in (multivariate_normal, theirs))
            assert type(found) is type(expected) and numpy.shape(found) == numpy.shape(expected)
            numpy.testing.assert_allclose(found, expected, rtol=1e-12)
    near = numpy.array([[1.0, 1.0], [1.0, 1.0 + 1e-9]])
    numpy.testing.assert_array_equal(multivariate_normal.logpdf(X[:2], X[:2], near), theirs.logpdf(X[:2], X[:2], near))
    for wrong in (numpy.ones((2, 2)), -numpy.eye(2)):
        with pytest.raises(ValueError, match="matrix"):
            multivariate_normal.logpdf(X[:2], X[:2], wrong)
