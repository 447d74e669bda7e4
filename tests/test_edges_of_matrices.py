"""What singular, degenerate and asymmetric matrices give, as docs/edge_cases.md says."""

import numpy as np
import pytest

from autograd import Tensor, grad

EYE = np.eye(3)
SINGULAR = np.diag([1.0, 2.0, 0.0])


def test_equal_eigenvalues_have_a_gradient_and_their_vectors_none():
    np.testing.assert_allclose(grad(lambda a: np.linalg.eigvalsh(a).sum())(EYE), EYE)
    np.testing.assert_allclose(grad(lambda a: (np.linalg.svdvals(a) ** 2).sum())(EYE), 2 * EYE)
    assert np.isnan(grad(lambda a: (np.linalg.eigh(a)[1] ** 2)[0, 0])(EYE)).all()
    assert np.isnan(grad(lambda a: (np.linalg.svd(a).U ** 2)[0, 0])(EYE)).all()


def test_of_a_symmetric_matrix_both_triangles_get_the_gradient():
    a = np.array([[4.0, 0.0], [1.0, 3.0]])  # the upper triangle is not read
    for fn in (np.linalg.eigvalsh, np.linalg.cholesky, lambda a: np.linalg.eigh(a)[1] ** 2):
        g = grad(lambda a, fn=fn: fn(a)[1].sum())(a)
        np.testing.assert_allclose(g, g.T)
        np.testing.assert_allclose(fn(a), fn(np.tril(a) + np.tril(a, -1).T))


def test_a_pseudo_inverse_has_the_gradient_of_matrices_of_its_rank():
    g = grad(lambda a: np.linalg.pinv(a).sum())(SINGULAR)
    np.testing.assert_allclose(g, -np.outer([1, 0.5, 0], [1, 0.5, 0]) + np.outer([0, 0, 1], [1, 0.25, 0])
                               + np.outer([1, 0.25, 0], [0, 0, 1]))  # fmt: skip


def test_the_logarithm_of_the_determinant_of_a_singular_matrix_is_infinitely_steep():
    sign, value = np.linalg.slogdet(Tensor(SINGULAR))
    assert (sign, value.item()) == (0, -np.inf)
    assert grad(lambda a: np.linalg.slogdet(a)[1])(SINGULAR)[2, 2] == np.inf


def test_a_singular_matrix_has_an_infinite_condition_and_no_solution():
    assert np.linalg.cond(Tensor(SINGULAR)).item() == np.inf
    for fn in (np.linalg.inv, lambda a: np.linalg.solve(a, EYE[0]), lambda a: np.linalg.cond(a, 1)):
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            fn(Tensor(SINGULAR))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        grad(lambda a: np.linalg.qr(a).R.sum())(np.zeros((2, 2)))


def test_equal_largest_singular_values_share_the_gradient_of_the_norm():
    np.testing.assert_allclose(grad(lambda a: np.linalg.norm(a, 2))(EYE), EYE / 3)


def test_a_norm_of_an_order_below_one_is_flat_in_an_element_of_zero():
    x = np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, 0.5))(x), [0, 1 + 2**0.5, 1 + 0.5**0.5])
    with np.errstate(divide="ignore"):
        assert grad(lambda x: np.linalg.norm(x, -1))(x).tolist() == [0, 0, 0]
    assert grad(lambda x: np.linalg.norm(x, 0.5))(np.zeros(2)).tolist() == [0, 0]


def test_of_equal_elements_the_first_is_the_one_that_is_unique():
    assert grad(lambda x: (np.unique(x) * [1.0, 10.0]).sum())(np.array([2.0, 1.0, 2.0])).tolist() == [10, 1, 0]


def test_what_is_missing_gets_no_gradient():
    x = np.array([1.0, np.nan, 3.0])
    for fn, expected in ((np.nansum, [1, 0, 1]), (np.nanmean, [0.5, 0, 0.5]), (np.nanmax, [0, 0, 1])):
        assert grad(fn)(x).tolist() == expected
