"""What made NaN or Inf, in words, at the step where it is born; and what it was handed on to."""

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor

BIG, INF = 1e200, np.inf


def x(*values):
    return Tensor(np.array(values, float), name="x")


def y(*values):
    return Tensor(np.array(values, float), name="y")


def cause(make):
    with np.errstate(all="ignore"):
        return viz.step(make()).current.sentence.partition(". Everything")[0].partition(": ")[2]


@pytest.mark.parametrize(("make", "said"), [
    (lambda: np.sqrt(x(4, -4)).sum(), "√(−4), the root of a negative number"),
    (lambda: (x(1, 0) / y(1, 0)).sum(), "0 / 0"),
    (lambda: (1 / x(1, 0)).sum(), "1 / 0, a division by 0"),
    (lambda: (x(0) ** -1).sum(), "0⁻¹, a division by 0"),
    (lambda: np.exp(x(1, 800)).sum(), "overflow of exp(800)"),
    (lambda: (x(BIG) ** 2).sum(), "overflow of (1e+200)²"),
    (lambda: (x(BIG) * BIG).sum(), "overflow of 1e+200 × 1e+200"),
    (lambda: np.log(x(1, 0)).sum(), "log(0), the logarithm of 0"),
    (lambda: np.log(x(-2)).sum(), "log(−2), the logarithm of a negative number"),
    (lambda: np.arctanh(x(1)).sum(), "arctanh(1), which is infinite"),
    (lambda: np.arccos(x(2)).sum(), "arccos(2), which is not defined"),
    (lambda: np.sin(x(INF)).sum(), "sin(Inf)"),
    (lambda: (x(-8) ** (1 / 3)).sum(), "(−8)^(0.3333), a power of a negative number"),
    (lambda: (x(INF) - y(INF)).sum(), "Inf − Inf"),
    (lambda: (x(0) * y(INF)).sum(), "0 × Inf"),
    (lambda: x(INF, -INF).sum(), "Inf − Inf in a sum"),
    (lambda: x(1e308, 1e308).sum(), "overflow in a sum of 2 numbers"),
    (lambda: x(BIG, 1) @ y(BIG, 1), "overflow of a product in a sum of 2 products"),
    (lambda: x(1e308, 1e308) @ y(1, 1), "overflow in a sum of 2 products"),
    (lambda: x(0, 1) @ y(INF, 1), "0 × Inf in a sum of 2 products"),
    (lambda: x(INF, INF) @ y(1, -1), "Inf − Inf in a sum of 2 products"),
    (lambda: np.var(x(BIG, -BIG)), "overflow in var"),
    (lambda: np.sqrt(x(0, 1)).sum(), "1 / 0, a division by 0"),
    (lambda: (-np.log(np.exp(x(-800)))).sum(), "(−Inf) × 0"),
    (lambda: nn.functional.conv2d(Tensor(np.full((1, 1, 3, 3), BIG)), Tensor(np.full((1, 1, 2, 2), BIG))).sum(),
     "overflow in a convolution"),
])  # fmt: skip
def test_the_cause_is_said_in_the_numbers_of_the_first_bad_element(make, said):
    assert cause(make) == said


@pytest.mark.filterwarnings("ignore:Mean of empty")
def test_a_mean_of_nothing_is_nothing_by_nothing():
    assert cause(lambda: x().mean()) == "0 / 0, a mean of no numbers"


def test_a_heir_knows_which_value_or_gradient_it_has_it_from():
    with np.errstate(all="ignore"):
        s = viz.step((np.sqrt(x(-1)) * 2.0).sum())
    sources = [(kind, s.walk.names.of(node)) for step in s if step.inherited_from
               for kind, node in [step.inherited_from]]  # fmt: skip
    assert sources[:2] == [("value", "%1"), ("value", "%2")]


@pytest.mark.filterwarnings("ignore")
def test_a_nan_of_an_inf_names_what_made_that():
    z = Tensor([800.0, 1.0])
    e = np.exp(z)
    p = e / e.sum()
    step = viz.step(p.sum()).current
    assert "Inf / Inf; Inf comes from e: overflow of exp(800)" in step.sentence


def test_a_gradient_is_a_place_to_run_to():
    w = Tensor([1.0, 2.0], name="w")
    s = viz.step((w * w + np.tanh(w)).sum())
    step = s.run_to("∂L/∂w")
    assert step.is_complete and step.target is w.node and step.parts == 3
