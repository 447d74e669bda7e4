"""The functions of scipy.special on Tensors: their rules, and that nothing imports SciPy where it is not asked for."""

import importlib
import subprocess
import sys
from typing import Any, ClassVar

import numpy as np
import pytest
from opcases import POSITIVE, UNIT, Op
from opchecks import OpTests

import autograd.scipy
from autograd import NoRuleError, Tensor, grad
from autograd.coverage import table

scipy = pytest.importorskip("scipy")
sp = pytest.importorskip("scipy.special")
D = (2, 3)


def erfcx_of_torch(x: Any) -> Any:
    import torch

    return torch.special.erfcx(x)


def special(name: str, domain: tuple[float, float] = (-2.0, 2.0), torch: Any = None, operands: int = 1) -> Op:
    return Op(name, getattr(sp, name), (D,) * operands, domain, (), torch, (np.float32,))


def of_order(name: str, order: float, domain: tuple[float, float] = (-2.0, 2.0)) -> Op:
    return Op(f"{name} {order}", lambda x: getattr(sp, name)(order, x), (D,), domain, (), None, (np.float32,))


class TestSpecial(OpTests):
    ops: ClassVar[list[Op]] = [
        special("erf", torch="erf"), special("erfc", torch="erfc"), special("erfinv", UNIT, "erfinv"),
        special("erfcx", torch=erfcx_of_torch), special("erfi"), special("dawsn"), special("exp1", (0.3, 3)),
        special("expi", (0.3, 3)), special("spence", (0.2, 0.8)),
        special("erfcinv", (0.2, 1.8)), special("ndtr"), special("log_ndtr", (-6, 2)), special("ndtri", (0.1, 0.9)),
        special("expit", torch="sigmoid"), special("log_expit"), special("logit", (0.1, 0.9), "logit"),
        special("gammaln", POSITIVE), special("loggamma", POSITIVE), special("gamma", POSITIVE),
        special("rgamma", POSITIVE), special("digamma", POSITIVE), special("psi", POSITIVE),
        special("beta", POSITIVE, operands=2), special("betaln", POSITIVE, operands=2),
        special("i0", torch="i0"), special("i1"), special("i0e", (0.1, 2)), special("i1e", (0.1, 2)), special("j0"),
        special("exp2", torch="exp2"), special("poch", POSITIVE, operands=2),
        of_order("expn", 2, (0.5, 3)), of_order("yn", 2, (0.5, 3)), of_order("gammainc", 1.5, POSITIVE),
        of_order("gammaincc", 1.5, POSITIVE),
        Op("betainc", lambda x: sp.betainc(1.5, 2.5, x), (D,), (0.1, 0.9), (), None, (np.float32,)),
        special("j1"), special("y0", (0.5, 3)), special("y1", (0.5, 3)), special("k0", (0.5, 3)),
        special("k1", (0.5, 3)),
        *(of_order(name, 2, (0.5, 3)) for name in ("jv", "yv", "iv", "kv", "ive")), of_order("zeta", 3, POSITIVE),
        special("xlogy", POSITIVE, "xlogy", 2), special("xlog1py", POSITIVE, operands=2), special("entr", POSITIVE),
        special("rel_entr", POSITIVE, operands=2), special("kl_div", POSITIVE, operands=2), special("exp10"),
        special("expm1", torch="expm1"), special("log1p", (-0.5, 2), "log1p"), special("cbrt", POSITIVE),
    ]  # fmt: skip


def test_zero_times_the_logarithm_of_zero_has_gradient_zero():
    x, y = Tensor([0.0, 0.0]), Tensor([0.0, 2.0])
    sp.xlogy(x, y).sum().backward()
    np.testing.assert_allclose(x.grad, [0, np.log(2)])
    np.testing.assert_allclose(y.grad, [0, 0])


def test_the_logarithm_of_a_distribution_far_out_has_the_slope_of_its_tail():
    np.testing.assert_allclose(grad(sp.log_ndtr)(-40.0), 40.02496, rtol=1e-5)


def test_a_function_without_a_rule_is_called_by_its_full_name():
    with pytest.raises(NoRuleError, match=r"^scipy\.special\.airy has no derivative rule"):
        sp.airy(Tensor(1.0))
    with pytest.raises(NoRuleError, match=r"scipy\.special\.jv has no derivative rule for operand 0"):
        sp.jv(Tensor(1.0), 2.0)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("special.logsumexp", lambda scipy, A, x: scipy.special.logsumexp(x)),
        ("special.logsumexp", lambda scipy, A, x: scipy.special.logsumexp(A, axis=1, b=A)),
        ("special.softmax", lambda scipy, A, x: scipy.special.softmax(A, axis=1)),
        ("special.log_softmax", lambda scipy, A, x: scipy.special.log_softmax(A, 0)),
        ("special.polygamma", lambda scipy, A, x: scipy.special.polygamma(1, x)),
        ("special.multigammaln", lambda scipy, A, x: scipy.special.multigammaln(x, 2)),
        ("linalg.sqrtm", lambda scipy, A, x: scipy.linalg.sqrtm(A)),
        ("linalg.solve_triangular", lambda scipy, A, x: scipy.linalg.solve_triangular(A, x)),
        ("linalg.solve_banded", lambda scipy, A, x: scipy.linalg.solve_banded((1, 0), A, x)),
        ("linalg.solve_sylvester", lambda scipy, A, x: scipy.linalg.solve_sylvester(A, A, A)),
        ("signal.convolve", lambda scipy, A, x: scipy.signal.convolve(A, A)),
        ("integrate.odeint", lambda scipy, A, x: scipy.integrate.odeint(lambda y, t: -y, x, np.arange(3.0))),
        ("stats.norm", lambda scipy, A, x: scipy.stats.norm.logpdf(x, 1.0)),
        ("stats.t", lambda scipy, A, x: scipy.stats.t.pdf(x, 3.0)),
        ("stats.beta", lambda scipy, A, x: scipy.stats.beta.logpdf(x / 3, 2.0, 3.0)),
        ("stats.gamma", lambda scipy, A, x: scipy.stats.gamma.pdf(x, 2.0)),
        ("stats.chi2", lambda scipy, A, x: scipy.stats.chi2.logpdf(x, 3.0)),
        ("stats.poisson", lambda scipy, A, x: scipy.stats.poisson.logpmf([2, 3], x)),
        ("stats.dirichlet", lambda scipy, A, x: scipy.stats.dirichlet.logpdf(np.array([0.25, 0.75]), x)),
        ("stats.multivariate_normal", lambda scipy, A, x: scipy.stats.multivariate_normal.logpdf(x, x / 2, A)),
    ],
)
def test_a_function_that_makes_an_array_of_a_tensor_says_which_one_is_traced(name, call):
    for package in (scipy, autograd.scipy):
        importlib.import_module(f"{package.__name__}.{name.split('.')[0]}")
    A, x = np.array([[2.0, 0.5], [0.5, 3.0]]), np.array([1.5, 2.5])
    with pytest.raises(TypeError, match=f"scipy.{name} makes one of what it is given: write autograd.scipy.{name},"):
        call(scipy, Tensor(A), Tensor(x))
    np.testing.assert_allclose(call(autograd.scipy, Tensor(A), Tensor(x)).data, call(scipy, A, x), rtol=1e-6)


def test_the_logarithm_of_a_sum_of_exponentials_has_no_nan_at_infinity():
    from autograd.scipy.special import logsumexp, softmax

    for x, slope in (([-np.inf, -np.inf], [0, 0]), ([np.inf, 1.0], [1, 0])):
        np.testing.assert_allclose(grad(logsumexp)(np.array(x)), slope)
    np.testing.assert_allclose(softmax(np.array([-np.inf, 0.0])), [0, 1])


def test_the_page_names_them():
    told = table().split("## SciPy")[1]
    for op in TestSpecial.ops:
        assert f"`{op.name.split()[0]}`" in told


def test_nothing_imports_scipy_where_it_is_not_asked_for():
    code = "import sys, numpy, autograd, nn, viz; assert not any(m.startswith('scipy') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
