"""The gradient checker, tested with wrong rules that it must reject and kinks that it must not judge."""

import numpy as np
import pytest

from autograd import Tensor, defvjp, primitive
from autograd.testing import GradcheckError, GradcheckUndecided, gradcheck

A = np.array([[0.4, -1.3, 2.0], [0.7, 1.1, -0.6]])


def cube(vjp):
    @primitive
    def cubed(x):
        return x * x * x

    defvjp(cubed, vjp)
    return cubed


def test_right_rules_pass():
    assert gradcheck(cube(lambda g, out, x: 3 * g * x * x), A)
    assert gradcheck(lambda x, y: np.tanh(x @ y), A, A.T)
    assert gradcheck(lambda x: np.sum(np.sin(x) * x), np.linspace(-2, 2, 900).reshape(30, 30))
    assert gradcheck(np.log, np.array([1e-3, 1.0, 1e4]))
    assert gradcheck(lambda x: np.tanh(300 * x), np.array([0.001, 0.2]))
    assert gradcheck(np.exp, np.array([-20.0, 20.0]), order=3)


@pytest.mark.parametrize("x", [[1e-8], [1e-30], [1e-100], [-1e-8], [1e-8, 1.0, 1e4]])
def test_right_rules_pass_however_near_the_point_is_to_an_edge_at_zero(x):
    x = np.array(x)
    assert gradcheck(np.log, np.abs(x))
    assert gradcheck(lambda x: 1 / x, x)
    assert gradcheck(lambda x: np.cos(x) + np.sin(x), x)
    assert gradcheck(np.log, np.full(500, 1e-8))


def test_numbers_too_small_for_a_derivative_to_be_finite_are_not_judged():
    with pytest.raises(GradcheckUndecided, match="can't judge order 1"):
        gradcheck(np.log, np.array([1e-320]))


def test_wrong_rules_are_rejected_near_an_edge_at_zero():
    @primitive
    def logarithm(x):
        return np.log(x)

    defvjp(logarithm, lambda g, out, x: np.where(x < 1e-3, 1.001, 1.0) * g / x)
    for x in ([1e-8], [1.0, 1e-8], np.full(500, 1e-8)):
        for modes in (("vjp",), ("jvp",)):
            with pytest.raises(GradcheckError, match=f"the {modes[0]} of order 1 is wrong"):
                gradcheck(logarithm, np.array(x), modes=modes)


def test_integer_and_other_arguments_are_handed_through():
    assert gradcheck(lambda x, axis, i: np.sum(x, axis=axis)[i], A, 1, np.array([0, 1]))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda g, out, x: -3 * g * x * x, "order 1 is wrong"),
        (lambda g, out, x: 3.0001 * g * x * x, "order 1 is wrong"),
        (lambda g, out, x: 3 * g * x * x + 1e-3, "order 1 is wrong"),
        (lambda g, out, x: (3 * g * x * x).T.reshape(x.shape), "order 1 is wrong"),
        (lambda g, out, x: 3 * g * x * x * (1 if x.dtype == np.float64 else 1.1), "in float32 differs"),
        (lambda g, out, x: 3 * g * x * (x.data if isinstance(x, Tensor) else x), "order 2 is wrong"),
        (lambda g, out, x: 3 * np.abs(g) * x * x, "is wrong"),
    ],
    ids=["sign", "factor", "offset", "transpose", "float64 only", "second order", "not linear"],
)
def test_wrong_rules_are_rejected(wrong, says):
    with pytest.raises(GradcheckError, match=says):
        gradcheck(cube(wrong), A)


@pytest.mark.parametrize("modes", [("vjp",), ("jvp",)])
def test_each_mode_alone_rejects_a_wrong_rule(modes):
    with pytest.raises(GradcheckError, match=modes[0]):
        gradcheck(cube(lambda g, out, x: 2 * g * x * x), A, modes=modes)


def test_a_wrong_rule_is_rejected_along_directions_alone():
    with pytest.raises(GradcheckError, match="a random direction"):
        gradcheck(cube(lambda g, out, x: np.where(x > 3.9, 0, 3) * g * x * x), np.linspace(0.1, 4, 100).reshape(10, 10))


def test_the_message_says_which_argument_and_entry():
    with pytest.raises(GradcheckError, match=r"along argument 1 at \(0, 0\).*finite differences"):
        gradcheck(lambda a, x: a * cube(lambda g, out, x: -g * x * x)(x), 2.0, A)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.abs, [1.0, 0.0]),
        (lambda x: np.maximum(x, 1.0), [1.0, 2.0]),
        (np.sqrt, [0.0, 1.0]),
        (np.log, [0.0, 1.0]),
        (lambda x: np.floor(x) + x, [1.0, 2.5]),
    ],
    ids=["abs", "tie", "infinite slope", "not finite", "jump"],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_kinks_jumps_and_edges_are_not_judged(f, x):
    with pytest.raises(GradcheckUndecided, match="can't judge order 1"):
        gradcheck(f, np.array(x))


@pytest.mark.parametrize("x", [1 + 1e-6, 1 - 1e-6, 1 + 1e-4])
def test_beside_a_kink_the_slope_of_that_side_is_judged(x):
    assert gradcheck(lambda x: np.abs(x - 1), np.array([x]))
    distance = primitive(lambda x: np.abs(x - 1))
    defvjp(distance, lambda g, out, x: -g * np.sign(x - 1))
    with pytest.raises(GradcheckError, match="order 1 is wrong"):
        gradcheck(distance, np.array([x]), order=1)


def test_a_kink_of_the_first_derivative_is_not_judged_at_second_order():
    f = lambda x: np.where(x > 0, x * x, 0.0)
    assert gradcheck(f, np.array([0.0, 1.0]), order=1)
    with pytest.raises(GradcheckUndecided, match="order 2"):
        gradcheck(f, np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gradcheck(3, A), TypeError, "expects a function"),
        (lambda: gradcheck(np.sin, 3), TypeError, "none of the arguments is a floating-point"),
        (lambda: gradcheck(np.sin, A, order=0), ValueError, "positive whole number"),
        (lambda: gradcheck(np.sin, A, modes=("forward",)), ValueError, "'vjp' and 'jvp'"),
        (lambda: gradcheck(np.argmax, A), TypeError, "floating-point results"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()
