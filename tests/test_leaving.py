"""Where a value leaves the tape: copies keep its history, numbers are refused or warned of, printing is neither."""

import array
import cmath
import copy
import dataclasses
import math
import pickle
import random
import struct
import warnings

import numpy as np
import pytest

import nn
from autograd import Tensor, grad, hessian, jacobian, no_grad, value_and_grad
from autograd.testing import compare_grads

X = np.array([1.0, 2.0])


@dataclasses.dataclass
class State:
    w: object


# --- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [lambda x: x, lambda x: x * 1.0], ids=["the argument", "what was computed from it"])
@pytest.mark.parametrize(
    "again",
    [
        copy.copy, copy.deepcopy, lambda x: copy.deepcopy({"a": [x]})["a"][0], Tensor, lambda x: Tensor(x, name="y"),
        lambda x: dataclasses.asdict(State(x))["w"], lambda x: Tensor(x, dtype=np.float32), lambda x: x.copy(),
        lambda x: Tensor(x, copy=False), lambda x: dataclasses.replace(State(None), w=x).w,
    ],
)  # fmt: skip
def test_a_copy_inside_a_transform_keeps_its_history(again, made):
    f = lambda x: (again(made(x)) ** 3).sum()
    np.testing.assert_array_equal(grad(f)(X), 3 * X**2)
    np.testing.assert_array_equal(value_and_grad(f)(X)[1], 3 * X**2)
    np.testing.assert_array_equal(jacobian(lambda x: again(made(x)) ** 2)(X), np.diag(2 * X))
    np.testing.assert_array_equal(hessian(f)(X), np.diag(6 * X))


@pytest.mark.parametrize(
    "again",
    [pickle.dumps, nn.Parameter, lambda x: Tensor(x, requires_grad=True), lambda x: pickle.dumps({"x": [x]})],
)
@pytest.mark.parametrize("made", [lambda x: x, lambda x: x * 2], ids=["the argument", "what was computed from it"])
def test_a_copy_that_has_no_history_is_refused_inside_a_transform(again, made):
    with pytest.raises(TypeError, match=r"history of .* would be lost: use the Tensor itself, or t\.data"):
        grad(lambda x: (again(made(x)), x.sum())[1])(X)


def test_leaves_that_a_function_closes_over_are_copied_as_anywhere_else():
    w = nn.Parameter(X)
    seen = []

    def f(x):
        seen.extend((copy.deepcopy(w), pickle.loads(pickle.dumps(w)), Tensor(w.data)))
        return (w * x).sum()

    np.testing.assert_array_equal(grad(f)(X), X)
    for again in seen:
        assert again is not w
        assert again.is_leaf
    seen[0].data = seen[0].data + 1
    assert w.tolist() == [1, 2]


def test_outside_of_a_transform_a_result_that_is_copied_keeps_its_history_and_a_leaf_becomes_another_leaf():
    w = Tensor(X, name="w")
    for again in (copy.copy, copy.deepcopy, Tensor):
        w.grad = None
        again(w * w).sum().backward()
        np.testing.assert_array_equal(w.grad, 2 * X)
        assert again(w).is_leaf
        assert again(w) is not w
    assert Tensor(w * w, requires_grad=True).is_leaf
    assert not Tensor(w * w, requires_grad=False).requires_grad


def test_the_argument_of_a_transform_can_not_be_exchanged_under_it():
    def assigned(x):
        x.data = X
        return x.sum()

    def stepped(x):
        with no_grad():
            x -= 1
        return x.sum()

    def frozen(x):
        x.requires_grad = False
        return x.sum()

    for f in (assigned, stepped, frozen):
        with pytest.raises(RuntimeError, match="being differentiated by"):
            grad(f)(X)


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_a_function_of_math_on_a_tensor_is_warned_of_and_names_that_of_numpy():
    w = Tensor(0.5, name="w")
    f = math.exp
    for call, name, write in (
        (lambda: math.exp(w), "math.exp", "np.exp"),
        (lambda: math.exp(w * w), "math.exp", "np.exp"),
        (lambda: f(w), "f", "np.exp"),
        (lambda: math.acosh(w + 1), "math.acosh", "np.acosh"),
        (lambda: 1 + math.pow(2.0, w), "math.pow", "np.pow"),
        (lambda: math.fsum([w, w]), "math.fsum", "np.sum"),
        (lambda: cmath.exp(w), "cmath.exp", "np.exp"),
        (
            lambda: math.exp(
                w,
            ),
            "math.exp",
            "np.exp",
        ),
    ):
        with pytest.warns(UserWarning, match=rf"^{name}\(\.\.\.\) takes the number in .* alone.*write {write}, or"):
            call()
    with pytest.warns(UserWarning, match=r"^math\.gamma\(\.\.\.\).*through it: math\.gamma\(t\.item\(\)\) where"):
        math.gamma(w)


def test_the_warning_names_the_users_line_once():
    w = Tensor(0.5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            math.exp(w)  # here
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with open(__file__) as file:
        assert file.readlines()[caught[0].lineno - 1].endswith("# here\n")


def test_the_number_of_float_is_warned_of_where_it_becomes_an_operand():
    w, x = Tensor(0.5, name="w"), Tensor(X)
    for use in (
        lambda a: x * a, lambda a: a * x, lambda a: x - a, lambda a: a / x, lambda a: x**a, lambda a: np.multiply(x, a),
        lambda a: np.where(x > 1, x, a), lambda a: np.maximum(x, a),
    ):  # fmt: skip
        a = float(w)
        with pytest.warns(UserWarning, match=r"float\(w\) took from w at test_leaving\.py:\d+ becomes an operand"):
            use(a)


def test_numbers_that_are_printed_logged_or_asked_for_are_not_warned_of():
    w = Tensor(0.5, name="w")
    losses, total, stored = [], 0.0, np.zeros(3)
    for i in range(3):
        loss = (w * w).sum()
        losses.append(float(loss))
        total += float(loss) * 32 / (1 + float(w))
        stored[i] = loss
        text = f"{loss:.3f} {float(loss):.3f} {float(w)} %.3f" % loss
        assert not math.isnan(loss)
        assert math.isfinite(w)
        assert int(loss) == 0
        loss.backward()
        with no_grad():
            w * float(w)
            math.exp(w)
        math.exp(w.item())
        w * w.item()
        math.exp(w.detach())
        w.detach() * float(w.data)
    assert losses == [0.25] * 3
    assert stored.tolist() == losses
    assert total == pytest.approx(16)
    assert text == "0.250 0.25 0.5 0.250".replace("0.25 ", "0.250 ")


def test_a_numpy_scalar_is_made_of_no_tensor_that_requires_a_gradient():
    for kind in (np.float64, np.float32, np.int64):
        with pytest.raises(TypeError, match="can't silently become an array"):
            kind(Tensor(0.5))
    assert np.float64(Tensor(0.5, requires_grad=False)) == 0.5


def test_compare_grads_tells_of_a_number_that_was_taken_before_the_loss_was_computed():
    w, x = Tensor(3.0, name="w"), Tensor(2.0, name="x")
    double = 2 * float(w)
    report = compare_grads(w * double, {w: 12.0})
    assert "float(w) at test_leaving.py" in str(report)
    assert "no gradient flows through what came of it" in str(report)
    with pytest.raises(ValueError, match=r"w of shape \(\) is not on the tape of this loss: float\(w\) at test_leav"):
        compare_grads(x * double, {w: 4.0})
    w.data = 4.0
    float(w)
    loss = w * w
    w.data = 4.0
    assert "took" not in str(compare_grads(w * w, {w: 7.0}))
    assert float(loss) == 16
    assert "took" not in str(compare_grads(x * x, {x: 7.0}))


# --- every other way out ----------------------------------------------------------------------------------------------


def refusals():
    rng = np.random.default_rng(0)
    return {
        "float": float, "int": int, "complex": complex, "%": "%.3f".__mod__, "math": math.exp,
        "math.floor": math.floor, "cmath": cmath.exp, "fsum": lambda t: math.fsum([t]), "np.array": np.array,
        "np.float64": np.float64, "np.float32": np.float32, "array.array": lambda t: array.array("d", [t]),
        "struct": lambda t: struct.pack("d", t), "array[0] = t": lambda t: np.zeros(2).__setitem__(0, t),
        "array[:] = t": lambda t: np.zeros(2).__setitem__(slice(None), t), "fill": lambda t: np.zeros(2).fill(t),
        "np.full": lambda t: np.full(2, t), "fromiter": lambda t: np.fromiter([t], float),
        "initial=": lambda t: np.sum(X, initial=t), "np.add.at": lambda t: np.add.at(np.zeros(2), [0], t),
        "np.copyto": lambda t: np.copyto(np.zeros(2), t), "np.put": lambda t: np.put(np.zeros(2), [0], t),
        "array += t": lambda t: np.zeros(2).__iadd__(t), "np.vectorize": lambda t: np.vectorize(lambda v: v)(t),
        "np.poly1d": lambda t: np.poly1d([t, 1]), "np.arange": lambda t: np.arange(t), "np.r_": lambda t: np.r_[t, t],
        "normal": lambda t: rng.normal(t), "uniform": lambda t: rng.uniform(0, t), "poisson": lambda t: rng.poisson(t),
        "choice": lambda t: rng.choice(2, p=[t, 1 - t]),
        "dot": lambda t: X.dot(t), "pickle": pickle.dumps,
        "np.ma.exp": np.ma.exp, "np.ma.array": np.ma.array, "masked": lambda t: np.ma.array(X, mask=[0, 1]) * t,
    }  # fmt: skip


@pytest.mark.parametrize("name", refusals())
def test_no_way_out_of_a_transform_loses_a_history_in_silence(name):
    way = refusals()[name]
    with pytest.raises((TypeError, ValueError, struct.error)):
        grad(lambda t: (way(t), t)[1])(0.5)


def test_random_numbers_drawn_by_python_keep_the_history_of_their_parameters():
    assert grad(lambda t: random.Random(0).gauss(t, 1.0))(0.5) == 1
    assert grad(lambda t: random.Random(0).uniform(0.0, t))(0.5) == random.Random(0).random()


def test_a_method_of_an_array_says_what_to_write_for_a_tensor():
    t, A = Tensor(X), np.ones((2, 2))

    class Data:
        A = np.ones((2, 2))

    for call, write in (
        (lambda: A.dot(t), r"A\.dot is a method of the array.*: write A @ t or np\.dot\(A, t\)"),
        (lambda: Data.A.dot(t), r"write Data\.A @ t or np\.dot\(Data\.A, t\)"),
        (lambda: (A + A).dot(t), r"write \(A \+ A\) @ t"),
        (lambda: A.take(t), r"write np\.take\(A, t\)"),
        (lambda: A[0].searchsorted(t), r"write np\.searchsorted\(A\[0\], t\)"),
        (lambda: np.array(t), r"use t\.data for the numbers; np\.stack"),
        (lambda: A.put([0], t), r"use t\.data for the numbers; np\.stack"),
    ):
        with pytest.raises(TypeError, match=f"can't silently become an array.*: {write}".replace(": write", ".*write")):
            call()
    assert A.clip(t, 2.0).requires_grad
