"""The functions of scipy.special on Tensors: their rules, and that nothing imports SciPy where it is not asked for."""

import subprocess
import sys
from typing import Any, ClassVar

import numpy as np
import pytest
from opcases import POSITIVE, UNIT, Op
from opchecks import OpTests

from autograd import NoRuleError, Tensor, grad
from autograd.coverage import table

sp = pytest.importorskip("scipy.special")
D = (2, 3)


def erfcx_of_torch(x: Any) -> Any:
    import torch

    return torch.special.erfcx(x)


def special(name: str, domain: tuple[float, float] = (-2.0, 2.0), torch: Any = None, operands: int = 1) -> Op:
    return Op(name, getattr(sp, name), (D,) * operands, domain, (), torch, (np.float32,))


def of_order(name: str, order: int, domain: tuple[float, float] = (-2.0, 2.0)) -> Op:
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
    ("call", "write", "same"),
    [
        (sp.logsumexp, r"np\.logaddexp\.reduce\(t", lambda t: np.logaddexp.reduce(t, axis=0)),
        (sp.softmax, r"nn\.functional\.softmax\(t, dim", None),
        (sp.log_softmax, r"nn\.functional\.log_softmax\(t, dim", None),
        (lambda t: sp.polygamma(1, t), r"scipy\.special\.zeta\(n \+ 1, t\)", lambda t: sp.gamma(2.0) * sp.zeta(2.0, t)),
    ],
)  # fmt: skip
def test_a_function_that_makes_an_array_of_it_says_what_to_write(call, write, same):
    x = np.array([0.5, 1.5])
    with pytest.raises(TypeError, match=rf"scipy\.special\.\w+ makes one of what it is given: write .*{write}"):
        call(Tensor(x))
    if same is not None:
        np.testing.assert_allclose(same(Tensor(x)).data, call(x))


def test_the_page_names_them():
    told = table().split("## SciPy")[1]
    for op in TestSpecial.ops:
        assert f"`{op.name.split()[0]}`" in told


def test_nothing_imports_scipy_where_it_is_not_asked_for():
    code = "import sys, numpy, autograd, nn, viz; assert not any(m.startswith('scipy') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
