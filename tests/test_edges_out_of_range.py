"""Values and gradients where squares over- or underflow, and where a matrix is nearly singular."""

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest

import nn
from autograd import Tensor, grad, hessian, hvp
from viz.plain.numbers import length, norm
from viz.scalar import scalar_tape

NORMS = {
    "norm": np.linalg.norm,
    "norm of rows": lambda x: np.linalg.norm(np.stack([x, 0 * x]), axis=1),
    "norm of a matrix": lambda x: np.linalg.norm(x.reshape(1, 2)),
    "vector_norm": np.linalg.vector_norm,
    "ord=3": lambda x: np.linalg.norm(x, 3),
    "ord=-2": lambda x: np.linalg.norm(x, -2),
    "std": np.std,
    "std, kept axis": lambda x: np.std(x, axis=0, ddof=1, keepdims=True),
}
NUMBERS = [
    (np.float16, 100.0),
    (np.float16, 2.0**-14),
    (np.float32, 1e-24),
    (np.float32, 1e24),
    (np.float64, 1e-200),
    (np.float64, 1e200),
]


@pytest.mark.parametrize(("dtype", "unit"), NUMBERS, ids=str)
@pytest.mark.parametrize("f", NORMS.values(), ids=NORMS)
def test_a_length_whose_squares_over_or_underflow_is_right_with_its_gradient(f, dtype, unit):
    numbers = np.array([3, 4]) * np.array(unit, dtype)
    exact = numbers.astype(np.float64) / unit
    x = Tensor(numbers.astype(dtype))
    y = f(x)
    assert y.dtype == dtype
    rtol = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(y.data.astype(float) / unit, f(Tensor(exact)).data, rtol=rtol)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, grad(lambda x: f(x).sum())(exact), rtol=2 * rtol)


@pytest.mark.parametrize(("dtype", "unit"), [(np.float32, 1e-24), (np.float64, 1e-200), (np.float64, 1e200)], ids=str)
def test_the_second_derivative_of_a_length_whose_squares_over_or_underflow_is_right(dtype, unit):
    x = (np.array([3, 4]) * unit).astype(dtype)
    expected = np.array([[16, -12], [-12, 9]]) / 125
    np.testing.assert_allclose(hessian(np.linalg.norm)(x) * unit, expected, rtol=1e-5)


def test_where_squares_fit_a_length_is_what_numpy_gives_to_the_last_digit():
    rng = np.random.default_rng(0)
    for dtype in (np.float16, np.float32, np.float64):
        x = rng.normal(size=(5, 7)).astype(dtype)
        x[2] *= 100 if dtype is np.float16 else 1e30  # a row that overflows changes no other row
        with np.errstate(over="ignore"):
            expected = np.linalg.norm(x, axis=1), np.std(x, axis=1)
        found = np.linalg.norm(Tensor(x), axis=1).data, np.std(Tensor(x), axis=1).data
        for ours, theirs in zip(found, expected, strict=True):
            kept = np.isfinite(theirs)
            assert kept[[0, 1, 3, 4]].all()
            assert np.isfinite(ours).all()
            assert (ours == theirs)[kept].all()


def test_a_variance_whose_sum_overflows_is_right_and_one_that_overflows_itself_is_infinite():
    x = Tensor(np.array([100, -100] * 500, np.float16))
    assert (np.var(x).item(), np.std(x).item()) == (10000, 100)
    with np.errstate(over="ignore"):
        assert np.var(x * 10).item() == np.inf


def test_lengths_that_are_zero_infinite_or_not_a_number_stay_so():
    assert np.linalg.norm(Tensor([0.0, 0.0])).item() == 0
    assert np.linalg.norm(Tensor([np.inf, 1.0])).item() == np.inf
    assert np.isnan(np.linalg.norm(Tensor([np.nan, 1.0])).item())
    assert np.linalg.norm(Tensor(np.zeros(0))).item() == 0
    with np.errstate(divide="ignore"):
        assert np.linalg.norm(Tensor([0.0, 1.0]), -1).item() == 0


def test_the_scalar_graph_of_a_tiny_length_has_its_gradient():
    x = Tensor([3e-200, 4e-200], name="x")
    tape = scalar_tape(np.linalg.norm(x))
    assert tape.root.value == pytest.approx(5e-200, rel=1e-12)
    found = {node.name: float(g) for node, g in tape.gradients().items() if node.is_leaf}
    assert found == {"x[0]": pytest.approx(0.6), "x[1]": pytest.approx(0.8)}


def test_the_lengths_that_are_printed_are_right_where_squares_underflow():
    assert length(np.array([3e-200, 4e-200])) == pytest.approx(5e-200)
    assert norm(np.array([3e200, 4e200])) == "5e+200"


@pytest.mark.parametrize("slope", [300.0, 1e-5])
def test_adam_moves_a_float16_whose_squared_gradient_over_or_underflows(slope):
    w = nn.Parameter(np.array([1.0, -2.0], np.float16))
    optimizer = nn.Adam([w], lr=0.125)
    (w * np.float16(slope)).sum().backward()
    optimizer.step()
    assert w.dtype == np.float16
    np.testing.assert_allclose(w.data, [0.875, -2.125], rtol=1e-2)


# --- determinants of nearly singular matrices -------------------------------------------------------------------------


def exact_derivative(matrix, places):
    """The derivative of the determinant in some elements, in rational numbers: of the expansion by permutations."""
    n = len(matrix)
    rows, columns = [i for i, _ in places], [j for _, j in places]
    total = Fraction(0)
    if len(set(rows)) < len(rows) or len(set(columns)) < len(columns):
        return total
    for order in permutations(range(n)):
        if any(order[i] != j for i, j in places):
            continue
        term = Fraction((-1) ** sum(order[a] > order[b] for a in range(n) for b in range(a + 1, n)))
        for i in set(range(n)) - set(rows):
            term *= Fraction(float(matrix[i][order[i]]))
        total += term
    return total


def nearly_singular(n, gaps, seed):
    u, s, v = np.linalg.svd(np.random.default_rng(seed).normal(size=(n, n)))
    s[n - len(gaps) :] = gaps
    return u * s @ v


@pytest.mark.parametrize("gap", [0.0, 1e-17, 1e-16, 1e-13, 1e-9, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize(("n", "rank"), [(2, 1), (3, 2), (4, 3), (4, 2), (5, 3)])
def test_the_hessian_of_the_determinant_is_right_however_near_to_singular(n, rank, gap):
    matrix = nearly_singular(n, [gap] * (n - rank), seed=n + rank)
    found = hessian(np.linalg.det)(matrix)
    expected = np.zeros((n,) * 4)
    for place in product(range(n), repeat=4):
        expected[place] = exact_derivative(matrix, [place[:2], place[2:]])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


def test_the_hessian_of_the_determinant_of_a_matrix_singular_but_for_rounding():
    matrix = np.arange(1.0, 10).reshape(3, 3) / 10  # NumPy's determinant is 7e-18, or 0
    found = hessian(np.linalg.det)(matrix)
    assert found[0, 0, 1, 1] == pytest.approx(0.9, abs=1e-12)
    assert found[0, 1, 1, 0] == pytest.approx(-0.9, abs=1e-12)
    assert found[0, 0, 0, 1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("gap", [0.0, 1e-16, 1e-9, 1.0])
def test_third_and_fourth_derivatives_of_the_determinant_are_right_near_singular(gap):
    matrix = nearly_singular(4, [gap], seed=3)
    places = [(0, 1), (1, 3), (2, 0), (3, 2)]

    def along(f, place):
        return lambda x: grad(lambda x: f(x))(x)[place]

    f = np.linalg.det
    for count, place in enumerate(places, 1):
        f = along(f, place)
        exact = float(exact_derivative(matrix, places[:count]))
        assert float(f(matrix)) == pytest.approx(exact, abs=1e-10), count


def test_a_stack_with_one_nearly_singular_matrix_has_second_derivatives_in_each():
    stack = np.stack([np.arange(1.0, 10).reshape(3, 3), np.diag([2.0, 3.0, 5.0]), np.zeros((3, 3))])
    h = np.zeros(stack.shape)
    h[:, 0, 0] = 1
    found = hvp(lambda x: np.sum(np.linalg.det(x)))(stack, h)
    expected = [[[0, 0, 0], [0, 9, -8], [0, -6, 5]], np.diag([0.0, 5, 3]), np.zeros((3, 3))]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_determinant_that_underflows_to_zero_has_the_cofactors_as_its_gradient():
    found = grad(np.linalg.det)(np.eye(2) * 1e-200)
    np.testing.assert_allclose(found, np.eye(2) * 1e-200, rtol=1e-12)
