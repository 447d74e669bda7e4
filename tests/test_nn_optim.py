"""Optimisers against their formulas: steps, what is carried from one to the next, and what they refuse."""

import numpy as np
import pytest
from optimcases import OPTIMISERS

import nn
from autograd import Tape, Tensor, no_grad
from nn.optim import Optimizer

TARGET = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, -1.0]])
START = np.random.default_rng(0).standard_normal((2, 3))


def gradient(w):
    return 2 * (w - TARGET) + 0.3 * np.sin(5 * w)


def trained(make, steps, start=START, lr_of_step=None):
    """The parameter after each step on a loss whose gradient is `gradient`."""
    w = nn.Parameter(start)
    optimizer = make([w])
    path = []
    for i in range(steps):
        if lr_of_step is not None:
            optimizer.lr = lr_of_step(i)
        w.grad = gradient(w.data)
        optimizer.step()
        path.append(w.data)
    return np.array(path)


def by_hand(steps, first, update, start=START):
    """The same with a plain function ``update(w, v, g, i) -> w, v``."""
    w, v, path = start, first, []
    for i in range(steps):
        w, v = update(w, v, gradient(w), i)
        path.append(w)
    return np.array(path)


def test_plain_sgd_steps_against_the_gradient():
    expected = by_hand(5, None, lambda w, v, g, i: (w - 0.1 * g, v))
    assert np.allclose(trained(lambda p: nn.SGD(p, lr=0.1), 5), expected)


def lr_of_step(i):
    return 0.1 / (i + 1)


def accumulate(w, v, g, i):
    v = 0.9 * v + g
    return w - lr_of_step(i) * v, v


def average(w, v, g, i):
    v = 0.9 * v + (1 - 0.9) * g
    return w - lr_of_step(i) * v, v


def velocity(w, v, g, i):
    v = 0.9 * v - lr_of_step(i) * g
    return w + v, v


def nesterov_accumulate(w, v, g, i):
    v = 0.9 * v + g
    return w - lr_of_step(i) * (g + 0.9 * v), v


def nesterov_average(w, v, g, i):
    v = 0.9 * v + (1 - 0.9) * g
    return w - lr_of_step(i) * (0.9 * v + (1 - 0.9) * g), v


def nesterov_velocity(w, v, g, i):
    before, v = v, 0.9 * v - lr_of_step(i) * g
    return w - 0.9 * before + (1 + 0.9) * v, v


@pytest.mark.parametrize(
    ("form", "nesterov", "update"),
    [
        ("accumulate", False, accumulate),
        ("average", False, average),
        ("velocity", False, velocity),
        ("accumulate", True, nesterov_accumulate),
        ("average", True, nesterov_average),
        ("velocity", True, nesterov_velocity),
    ],
)
def test_momentum_follows_each_textbook(form, nesterov, update):
    def make(params):
        return nn.SGD(params, momentum=0.9, nesterov=nesterov, momentum_form=form)

    assert np.allclose(trained(make, 8, lr_of_step=lr_of_step), by_hand(8, 0.0, update))


def test_the_forms_of_momentum_take_the_same_steps_while_the_learning_rate_stays():
    path = trained(lambda p: nn.SGD(p, 0.05, momentum=0.8), 10)
    assert np.allclose(trained(lambda p: nn.SGD(p, 0.05, momentum=0.8, momentum_form="velocity"), 10), path)
    assert np.allclose(trained(lambda p: nn.SGD(p, 0.05 / 0.2, momentum=0.8, momentum_form="average"), 10), path)


def test_weight_decay_pulls_towards_0():
    expected = by_hand(5, None, lambda w, v, g, i: (w - 0.1 * (g + 0.5 * w), v))
    assert np.allclose(trained(lambda p: nn.SGD(p, lr=0.1, weight_decay=0.5), 5), expected)


def test_the_first_step_of_adam_is_the_learning_rate_in_each_element():
    path = trained(lambda p: nn.Adam(p, lr=0.25), 1)
    assert np.allclose(np.abs(path[0] - START), 0.25)


def test_adam_follows_its_formula():
    def update(w, state, g, i):
        m, v = state
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g * g
        mean, square = m / (1 - 0.8 ** (i + 1)), v / (1 - 0.95 ** (i + 1))
        return w - 0.1 * mean / (np.sqrt(square) + 1e-6), (m, v)

    path = trained(lambda p: nn.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-6), 8)
    assert np.allclose(path, by_hand(8, (0.0, 0.0), update))


@pytest.mark.parametrize("case", OPTIMISERS)
def test_a_step_never_writes_into_the_old_array_nor_the_gradient(case):
    w = nn.Parameter(START)
    optimizer = OPTIMISERS[case](nn.optim, [w])
    for _ in range(3):
        loss = (w * w).sum()
        loss.backward()
        before, g = w.data, w.grad
        kept, kept_g = before.copy(), g.copy()
        optimizer.step()
        assert (before == kept).all() and (g == kept_g).all()
        assert not np.shares_memory(w.data, before)
        assert (Tape(loss).value(Tape(loss)[0]) == kept).all()
        optimizer.zero_grad()
        assert w.grad is None


@pytest.mark.parametrize("case", OPTIMISERS)
def test_float32_and_single_numbers_keep_their_dtype_and_shape(case):
    ws = [nn.Parameter(np.float32(2.0)), nn.Parameter(np.ones((2, 2), np.float32))]
    optimizer = OPTIMISERS[case](nn.optim, ws)
    for _ in range(3):
        optimizer.zero_grad()
        sum((w * w).sum() for w in ws).backward()
        optimizer.step()
    assert [(w.shape, w.dtype) for w in ws] == [((), np.float32), ((2, 2), np.float32)]
    assert np.allclose(ws[1].data, ws[1].data[0, 0])
    assert (ws[0].item() > 2.0) == optimizer.maximize


@pytest.mark.parametrize("case", OPTIMISERS)
def test_the_state_goes_on_where_it_was_taken(case):
    def run(optimizer, w, steps):
        for _ in range(steps):
            w.grad = gradient(w.data)
            optimizer.step()

    w = nn.Parameter(START)
    optimizer = OPTIMISERS[case](nn.optim, [w])
    run(optimizer, w, 3)
    state, w2 = optimizer.state_dict(), nn.Parameter(w.data)
    run(optimizer, w, 3)
    other = type(optimizer)([w2], lr=1.0)
    other.load_state_dict(state)
    run(other, w2, 3)
    assert (w2.data == w.data).all()


def test_a_parameter_without_a_gradient_is_left_alone():
    w, unused = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = nn.Adam([w, unused])
    (w * w).sum().backward()
    array = unused.data
    optimizer.step()
    assert unused.data is array


def test_a_gradient_that_is_a_tensor_is_taken_by_its_numbers():
    w = nn.Parameter([3.0])
    (w * w).sum().backward(create_graph=True)
    nn.SGD([w], lr=0.5).step()
    assert w.data.tolist() == [0.0]


def test_plain_tensors_can_be_optimised():
    w = Tensor([1.0, 2.0])
    (w * w).sum().backward()
    nn.SGD(w, lr=0.5).step()
    assert w.data.tolist() == [0.0, 0.0]


def test_a_step_calls_its_closure_first_and_returns_what_that_returns():
    w = nn.Parameter([3.0])
    optimizer = nn.SGD([w], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert w.data.tolist() == [0.0]
    with pytest.raises(TypeError, match="closure must be a function that returns the loss, got 3"):
        optimizer.step(3)


def test_repr_tells_the_options():
    assert repr(nn.Adam([nn.Parameter([1.0])])) == (
        "Adam(1 parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, amsgrad=False)"
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.SGD([], lr=0.1), ValueError, "there are none to optimise"),
        (lambda: nn.SGD(nn.Linear(1, 1), lr=0.1), TypeError, r"give model.parameters\(\), not the Linear itself"),
        (lambda: nn.SGD([np.ones(2)], lr=0.1), TypeError, "number 0 is ndarray"),
        (lambda: nn.SGD([Tensor(1.0) * 2], lr=0.1), ValueError, "number 0 .* was made by an operation"),
        (lambda: nn.SGD([nn.Parameter(1.0)] * 2, lr=0.1), ValueError, "one of them is given twice"),
        (lambda: nn.SGD([nn.Parameter(1.0)], lr=-1), ValueError, "lr must be a number of at least 0, got -1"),
        (lambda: nn.SGD([nn.Parameter(1.0)], lr=float("nan")), ValueError, "at least 0, got nan"),
        (lambda: nn.SGD([nn.Parameter(1.0)], nesterov=True), ValueError, "nesterov needs a momentum above 0"),
        (lambda: nn.SGD([nn.Parameter(1.0)], momentum_form="ewma"), ValueError, "one of accumulate, average, velocity"),
        (
            lambda: nn.SGD([nn.Parameter(1.0)], momentum=0.9, dampening=0.1, momentum_form="average"),
            ValueError,
            "no dampening",
        ),
        (lambda: nn.Adam([nn.Parameter(1.0)], betas=(0.9, 1.0)), ValueError, "at least 0 and below 1"),
        (lambda: nn.Adam([nn.Parameter(1.0)]).load_state_dict({"lr": 1}), KeyError, "lacks betas, eps"),
        (
            lambda: nn.SGD([nn.Parameter(1.0)]).load_state_dict(
                nn.SGD([nn.Parameter(1.0), nn.Parameter(2.0)]).state_dict()
            ),
            ValueError,
            "of 2 parameters, but this optimiser has 1",
        ),
    ],
)
def test_bad_options_are_answered_with_a_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_state_of_other_shapes_is_refused():
    w = nn.Parameter([1.0, 2.0])
    optimizer = nn.Adam([w])
    (w * w).sum().backward()
    optimizer.step()
    with pytest.raises(ValueError, match=r"the state's m of parameter 0 has shape \(2,\), expected \(3,\)"):
        nn.Adam([nn.Parameter([1.0, 2.0, 3.0])]).load_state_dict(optimizer.state_dict())


def test_an_optimiser_of_ones_own_needs_one_method():
    class SignDescent(Optimizer):
        def _updated(self, w, g, state):
            return w - self.lr * np.sign(g)

    w = nn.Parameter([1.0, -1.0])
    (w * w).sum().backward()
    SignDescent([w], 0.5, 0.0).step()
    assert w.data.tolist() == [0.5, -0.5]
