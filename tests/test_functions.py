"""Functions that are compositions: the declared cases, and every option, whose value and slope are NumPy's."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from opcases import FUNCTIONS
from opchecks import OpTests

from autograd import NoRuleError, Tensor, grad


class TestFunctions(OpTests):
    ops = FUNCTIONS


# --- options ----------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
V, W, M, A = RNG.normal(size=5), RNG.normal(size=3), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4))
P, RISING = np.abs(M) + 0.3, np.cumsum(np.abs(RNG.normal(size=4)) + 0.1)
GAPS = M.copy()
GAPS[0, 1] = GAPS[2, :2] = np.nan
MASK = np.array([[True, False, True, True], [True, True, False, False], [True, False, False, True]])
ENDS = np.array(0.3), np.array(2.0)
LIKE = [0.1, 0.5, 0.2, 0.9, 1.0]


def flat(parts: Any) -> Any:
    return np.concatenate([np.ravel(part) for part in parts])


CALLS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
for a in (None, 1, (0, 1)):
    for keep in (False, True):
        o: dict[str, Any] = {"axis": a, "keepdims": keep}
        CALLS += [
            (lambda x, f=f, o=o, more=more: f(x, **o, **more), (M,))
            for f, more in (
                (np.sum, {"where": MASK, "initial": 2.0}), (np.prod, {"where": MASK, "initial": 2.0}),
                (np.max, {"where": MASK, "initial": -3.0}), (np.min, {"initial": 0.5}), (np.mean, {"where": MASK}),
                (np.var, {"where": MASK}), (np.std, {"where": MASK, "ddof": 0.5}), (np.quantile, {"q": 0.3}),
                (np.quantile, {"q": [[0, 0.2], [0.7, 0.9]]}), (np.percentile, {"q": [10, 50.0, 100]}),
            )
        ]  # fmt: skip
        CALLS += [
            (lambda x, f=f, o=o: f(x, **o), (GAPS,))
            for f in (np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanmedian)
        ]
        CALLS += [(lambda x, f=f, o=o: f(x, [0.1, 0.6], **o), (GAPS,)) for f in (np.nanquantile, np.quantile)]
for method in (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
):  # fmt: skip
    CALLS.append((lambda x, m=method: np.quantile(x, [0.1, 0.33, 0.5, 0.8], axis=1, method=m), (A,)))
    CALLS.append((lambda x, m=method: np.nanpercentile(x, 33, axis=1, method=m), (GAPS,)))
for method in ("linear", "lower", "nearest", "midpoint", "averaged_inverted_cdf"):
    CALLS.append((lambda x, q, m=method: np.quantile(x, q, axis=1, method=m), (A, np.array([0.13, 0.8]))))
for mode in ("full", "same", "valid"):
    for m, n in ((5, 3), (3, 5), (5, 2), (2, 5), (4, 4)):
        pair = RNG.normal(size=m), RNG.normal(size=n)
        CALLS += [(lambda x, y, f=f, k=mode: f(x, y, k), pair) for f in (np.convolve, np.correlate)]
for order in (1, 2):
    CALLS += [
        (lambda f, e=order: flat(np.gradient(f, edge_order=e)), (M,)),
        (lambda f, h, e=order: np.gradient(f, h, axis=1, edge_order=e), (M, ENDS[0])),
        (lambda f, x, e=order: flat(np.gradient(f, 0.5, x, edge_order=e)), (M, RISING)),
    ]
for u in (np.subtract, np.hypot, np.fmax, np.divide, np.maximum, np.logaddexp, np.multiply, np.add):
    CALLS += [
        (lambda x, u=u: u.reduce(x, axis=1), (P,)), (lambda x, u=u: u.accumulate(x, axis=1), (P,)),
        (lambda x, u=u: u.reduceat(x, [0, 2, 1, 3], axis=1), (P,)), (lambda x, y, u=u: u.outer(x, y), (P, W * W)),
    ]  # fmt: skip
for places in (1, [0, 2], slice(0, 2), [True, False, True, False], -1, []):
    CALLS.append((lambda x, at=places: np.delete(x, at, axis=1), (M,)))
CALLS += [
    (lambda x, q: np.quantile(x, q, axis=0), (M, np.array([0.2, 0.6]))),
    (lambda x: np.partition(x, [0, 2]), (A,)), (lambda x: np.partition(x, 4, axis=None), (M,)),
    (lambda x: np.cov(x, rowvar=False, bias=True), (M,)), (np.cov, (V,)), (np.cov, (V, V**2)), (np.corrcoef, (M,)),
    (lambda x, w: np.cov(x, aweights=w), (M, RISING)), (lambda x: np.cov(x, fweights=[1, 2, 1, 3]), (M,)),
    (lambda x, y: np.cov(x, y, rowvar=False), (M, A[0, :, :2])),
    (lambda w: np.bincount([0, 2, 2, 1, 5], weights=w, minlength=9), (V,)),
    (lambda w: np.histogram(LIKE, 3, weights=w)[0], (V,)), (lambda x: np.histogram(x, 4)[1], (V,)),
    (lambda w: np.histogram(LIKE, [0, 0.3, 0.5, 1], weights=w, density=True)[0], (V**2,)),
    (lambda x: np.histogram_bin_edges(x, 3), (V,)),
    *((lambda x, p, e, n=n: np.diff(x, n, prepend=p, append=e), (M, M[:, :1], M[:, :2])) for n in (0, 1, 2)),
    (lambda x, e: np.ediff1d(x, to_end=e, to_begin=[1, 2]), (M, V)), (np.trapezoid, (M, RISING)),
    (lambda y: np.trapezoid(y, dx=0.3, axis=0), (M,)), (lambda y, x: np.trapezoid(y, x, axis=0), (M, 2 * M)),
    (np.unwrap, (np.array([0.0, 1, 7, 8, 2]),)), (np.interp, (np.array([[-1, 0.5], [1.7, 9]]), RISING, V[:4])),
    (lambda x, f: np.interp(x, RISING, f, left=0.0, right=7.0), (V, V[:4])),
    (lambda x, f: np.interp(x, [0, 1, 2.5, 2.9], f, period=3.0), (np.array([-1, 0.5, 9.2]), V[:4])),
    (lambda s, e: np.linspace(s, e, 5, axis=-1), (V, 2 * V + 1)), (lambda s, e: np.linspace(s, e, 1), ENDS),
    (lambda s, e: np.linspace(s, e, 5, endpoint=False, retstep=True)[1], ENDS),
    (lambda s, e, b: np.logspace(s, e, 4, base=b), (*ENDS, np.array(3.0))), (lambda s, e: np.logspace(s, e, 3), ENDS),
    (lambda s, e: np.geomspace(s, e, 4, axis=1), (-P[0], -P[1])), (np.poly, (V,)), (np.polyadd, (V, W)),
    (np.polysub, (W, V)), (lambda p: np.polyder(p, 2), (V,)), (np.polyint, (V,)), (np.polymul, (V, W)),
    (lambda p, k: np.polyint(p, 2, k), (V, W[:2])), (lambda u, v: flat(np.polydiv(u, v)), (V, W)),
    (lambda x, y, w: np.polyfit(x, y, 1, w=w), (np.arange(5) + V / 9, V, V**2 + 1)),
    (lambda x: np.vander(x, 3, increasing=True), (V,)), (np.i0, (np.array([30.0, -8.0]),)),
    (lambda x, y: np.block([x, y]), (V, W)), (lambda x: np.block([[x], [x]]), (V,)),
    (lambda x: np.resize(x, (3, 7)), (M,)), (lambda x: np.trim_zeros(x * [0, 1, 1, 0, 0]), (V,)),
    (lambda x: flat(np.unstack(x, axis=1)), (M,)), (lambda x: np.delete(x, [1, 3]), (M,)),
    (lambda x, v: np.insert(x, 1, v, axis=1), (M, W)), (lambda x, v: np.insert(x, 2, v), (V, W)),
    (lambda x, v: np.insert(x, [1, 1, 4], v), (V, W)), (lambda x, v: np.insert(x, [1], v, axis=1), (M, M[:, :2])),
    (lambda x, v: np.insert(x, slice(0, 2), v), (V, W[:2])), (lambda x, v: np.insert(x, 1, v, axis=0), (M, M[:2])),
    (lambda x: np.unique(x, axis=0), (M,)), (lambda x: np.unique_all(x).values, (M,)), (np.union1d, (V, W)),
    (lambda x: np.intersect1d(x, x[:3]), (V,)), (np.setdiff1d, (V, W)), (np.setxor1d, (V, W)),
    (lambda x: np.piecewise(x, [x < 0], [-1.0, lambda t: t**3]), (M,)),
    (lambda x: np.piecewise(x, x > 0, [lambda t: t**3, 2.0]), (ENDS[0],)),
    (lambda x: np.apply_along_axis(lambda r: np.outer(r, r), 1, x), (A,)),
    (lambda x, y: np.divmod(x, y)[1], (P, P[::-1] + 0.1)),
    (lambda x: np.cumulative_prod(x, include_initial=True), (V,)),
    (lambda x: np.nancumsum(x, axis=1), (GAPS,)), (np.vecmat, (A[..., 0], A)), (np.real_if_close, (M,)),
    (lambda x: np.astype(x, np.float64), (M,)),
    (lambda x: np.add.reduce(x, axis=0, where=MASK, initial=1.0), (M,)),
    (lambda x: np.hypot.reduce(x, axis=None, keepdims=True), (M,)), (lambda x: np.ptp(x, axis=1), (M,)),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "operands"), CALLS, ids=range(len(CALLS)))
def test_the_value_and_the_slope_along_a_direction_are_numpys(fn, operands):
    for dtype in (np.float64, np.float32):
        arrays = [x.astype(dtype) for x in operands]
        tensors = [Tensor(x) for x in arrays]
        out, expected = fn(*tensors), fn(*arrays)
        assert isinstance(out, Tensor) and out.dtype == expected.dtype
        eps = float(np.finfo(dtype).eps)
        np.testing.assert_allclose(out.data, expected, rtol=1e3 * eps, atol=1e2 * eps)
        if dtype == np.float64:
            w = np.random.default_rng(1).normal(size=out.shape)
            steps = [np.random.default_rng(2).normal(size=x.shape) for x in arrays]
            np.nansum(w * out).backward()
            slope = sum(np.nansum(t.grad * s) for t, s in zip(tensors, steps, strict=True) if t.grad is not None)
            up, down = (np.asarray(fn(*(Tensor(x + h * s) for x, s in zip(arrays, steps, strict=True))).data)
                        for h in (1e-6, -1e-6))  # fmt: skip
            np.testing.assert_allclose(slope, np.nansum(w * (up - down)) / 2e-6, rtol=1e-5, atol=1e-6)


# --- edges ------------------------------------------------------------------------------------------------------------


def test_slices_of_nan_alone_are_nan_and_warned_of_as_by_numpy():
    x = Tensor([[np.nan, np.nan], [1.0, np.nan]])
    for fn, words in ((np.nanmax, "All-NaN"), (np.nanmedian, "All-NaN"), (np.nanmin, "All-NaN")):
        with pytest.warns(RuntimeWarning, match=words):
            y = fn(x, axis=1)
        np.testing.assert_array_equal(y.data, [np.nan, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(np.nanmean(x, axis=1).data, [np.nan, 1])
    assert grad(lambda x: np.nansum(x))(x.data).tolist() == [[0, 0], [1, 0]]


def test_a_reduction_without_an_identity_needs_initial_where_some_do_not_count():
    with pytest.raises(ValueError, match="initial"):
        np.max(Tensor([1.0, 2.0]), where=np.array([True, False]))
    assert np.max(Tensor(np.ones((0, 2))), axis=0, initial=3.0).tolist() == [3, 3]


def test_an_array_full_of_a_tensor_keeps_its_history():
    x = Tensor(W)
    np.full((2, 3), x, like=x).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_what_a_fold_can_not_do_numpy_says():
    with pytest.raises(ValueError, match="not reorderable"):
        np.subtract.reduce(Tensor(M), axis=(0, 1))
    with pytest.raises(NoRuleError, match=r"np\.add has no derivative rule for ufunc\.at, which writes into an array"):
        np.add.at(Tensor(V), [0], 1.0)
    assert np.logical_and.accumulate(Tensor(V) > -9).tolist() == [True] * 5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: np.quantile(Tensor(V), 1.5), "range"), (lambda: np.quantile(Tensor(V), 0.5, weights=V), "weights="),
        (lambda: np.quantile(Tensor(V), Tensor(0.5), method="hazen"), "only with 'linear'"),
        (lambda: np.convolve(Tensor(M), V), "vectors"), (lambda: np.convolve(Tensor(V), V, "half"), "mode must be"),
        (lambda: np.gradient(Tensor(V), V[:3]), "do not fit an axis of 5"), (lambda: np.poly(Tensor(M)), "roots"),
        (lambda: np.block([[Tensor(V)], Tensor(V)]), "nested"), (lambda: np.diff(Tensor(V), -1), "negative"),
        (lambda: np.linalg.qr(Tensor(A[0].T), "complete"), "mode='reduced'"),
        (lambda: np.linalg.svd(Tensor(M), hermitian=True), "np.linalg.eigh"),
        (lambda: np.bincount([0, 1], Tensor(W)), "do not fit"),
        (lambda: np.polyfit(Tensor(V), V, 1, full=True), "full="),
        (lambda: np.interp(Tensor(V), V, W), "one length"), (lambda: np.geomspace(Tensor(-1.0), 1.0), "one sign"),
    ],
)  # fmt: skip
def test_what_is_not_meant_is_refused_with_a_sentence(call, words):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=words):
        call()


@pytest.mark.parametrize("fn", [np.linalg.norm, np.linalg.vector_norm])
@pytest.mark.parametrize(("shape", "axis"), [((), 0), ((2, 3), 2), ((2, 3), -3)])
def test_a_norm_along_what_is_no_axis_is_refused(fn, shape, axis):
    with pytest.raises(np.exceptions.AxisError):
        fn(Tensor(np.ones(shape)), axis=axis)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_reductions_of_no_elements_keep_their_axes_and_their_record():
    x = Tensor(np.ones((0, 2)))
    assert np.nanmax(x, axis=1, keepdims=True).shape == np.nanmin(x, axis=1, keepdims=True).shape == (0, 1)
    for median in (np.median, np.nanmedian):
        out = median(x, axis=0)
        out.sum().backward()
        assert np.isnan(out.data).all() and x.grad.shape == (0, 2)


@pytest.mark.parametrize("axis", [0, 1, -2, None, (0, 1)])
@pytest.mark.parametrize("shift", [0, 1, -5, np.int64(2)])
def test_what_is_rolled_along_one_axis_is_numpys(shift, axis):
    x = Tensor(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(np.roll(x, shift, axis).data, np.roll(x.data, shift, axis))
    (np.roll(x, shift, axis) * x.data).sum().backward()
    np.testing.assert_array_equal(np.roll(x.grad, shift, axis), x.data)


@pytest.mark.parametrize("subscripts", ["mnd,mdo->mno", "mnd,mdo->on", "nmd,omd->no", "mnd,odm->mdno"])
def test_a_large_einsum_and_its_gradients_are_numpys(subscripts):
    rng = np.random.default_rng(0)
    first, second = subscripts.partition("->")[0].split(",")
    sizes = {"m": 9, "n": 20, "d": 19, "o": 21}
    x, y = (Tensor(rng.normal(size=[sizes[c] for c in letters])) for letters in (first, second))
    out = np.einsum(subscripts, x, y)
    np.testing.assert_allclose(out.data, np.einsum(subscripts, x.data, y.data), rtol=1e-9, atol=1e-12)
    g = rng.normal(size=out.shape)
    out.backward(g)
    letters = subscripts.partition("->")[2]
    for t, mine, others, terms in ((x, first, y, second), (y, second, x, first)):
        expected = np.einsum(f"{letters},{terms}->{mine}", g, others.data)
        np.testing.assert_allclose(t.grad, expected, rtol=1e-9, atol=1e-12)
