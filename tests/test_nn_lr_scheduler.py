"""Schedules: their formulas, their states, what they do to each other, and torch's rates."""

import importlib.util
import math
import pickle
import warnings

import numpy as np
import pytest
from optimcases import PLATEAUS, SCHEDULES

import nn
from nn.optim import lr_scheduler

STEPS = 64
OPTIMISERS = {
    "SGD": lambda m, groups: m.SGD(groups, lr=0.5, momentum=0.9),
    "Adam": lambda m, groups: m.Adam(groups, lr=0.5),
}


def made(kind="SGD"):
    return OPTIMISERS[kind](
        nn.optim, [{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([2.0])], "lr": 0.02}]
    )


def noted(optimizer, scheduler):
    """Rates and momenta of the groups."""
    groups = optimizer.param_groups
    assert scheduler.get_last_lr() == [group["lr"] for group in groups]
    return [g["lr"] for g in groups] + [g["momentum"] if "momentum" in g else g["betas"][0] for g in groups]


def path(optimizer, scheduler, steps, *arguments):
    rates = []
    for i in range(steps):
        rates.append(noted(optimizer, scheduler))
        optimizer.step()
        scheduler.step(*(argument[i] for argument in arguments))
    return np.array(rates)


FORMULAS = {
    "step": lambda t, lr: lr * 0.5 ** (t // 7),
    "multi step": lambda t, lr: lr * 0.6 ** (1 + 2 * (t >= 5) + (t >= 30) + (t >= 12)),
    "constant": lambda t, lr: lr * (0.2 if t < 9 else 1),
    "linear": lambda t, lr: lr * (0.1 + 0.6 * min(t / 33, 1)),
    "exponential": lambda t, lr: lr * 0.93**t,
    "polynomial": lambda t, lr: lr * max(1 - t / 50, 0) ** 2.5,
    "cosine": lambda t, lr: 0.001 + (lr - 0.001) * (1 + math.cos(math.pi * t / 50)) / 2,
    "restarts": lambda t, lr: 0.001 + (lr - 0.001) * (1 + math.cos(math.pi * (t % 8) / 8)) / 2,
    "lambda": lambda t, lr: lr / (1 + t),
    "multiplicative": lambda t, lr: lr * math.prod(1 - 1 / (3 + i) for i in range(1, t + 1)),
    "cyclic": lambda t, lr: 0.01 + 0.09 * (1 - abs(t / 6 % 2 - 1)),
    "chain": lambda t, lr: lr * 0.9**t * (0.1 if t < 20 else 1),
}


@pytest.mark.parametrize("case", FORMULAS)
def test_rates_are_those_of_the_formula(case):
    optimizer = made()
    rates = path(optimizer, SCHEDULES[case](lr_scheduler, optimizer), 60)
    expected = [[FORMULAS[case](t, lr) for lr in (0.5, 0.02)] for t in range(60)]
    np.testing.assert_allclose(rates[:, :2], expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("case", SCHEDULES)
def test_a_schedule_goes_on_where_its_state_was_taken(case):
    optimizer = made()
    scheduler = SCHEDULES[case](lr_scheduler, optimizer)
    path(optimizer, scheduler, 23)
    states = pickle.loads(pickle.dumps((optimizer.state_dict(), scheduler.state_dict())))
    rest = path(optimizer, scheduler, STEPS - 23)
    other = made()
    resumed = SCHEDULES[case](lr_scheduler, other)
    other.load_state_dict(states[0])
    resumed.load_state_dict(states[1])
    np.testing.assert_array_equal(path(other, resumed, STEPS - 23), rest)


def test_a_schedule_goes_on_after_its_last_epoch():
    optimizer = made()
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(3):
        scheduler.step()
    again = lr_scheduler.ExponentialLR(optimizer, 0.5, last_epoch=3)
    assert again.get_last_lr() == [0.5 / 16, 0.02 / 16]
    with pytest.raises(KeyError, match="last_epoch=3 goes on, but group 0 of the optimizer has no 'initial_lr'"):
        lr_scheduler.ExponentialLR(made(), 0.5, last_epoch=3)


def test_a_rate_that_was_set_by_hand_is_scaled_from_there():
    optimizer = made()
    scheduler = lr_scheduler.StepLR(optimizer, 2, 0.5)
    scheduler.step()
    optimizer.lr = 8.0
    scheduler.step()
    assert optimizer.lr == 4.0


def test_rates_are_plain_numbers():
    optimizer = made()
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda t: np.float64(0.5))
    assert [type(group["lr"]) for group in optimizer.param_groups] == [float, float]
    assert type(scheduler.get_last_lr()[0]) is float


def test_an_epoch_can_be_jumped_to():
    optimizer = made()
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 10)
    scheduler.step(5)
    assert scheduler.get_last_lr() == pytest.approx([0.25, 0.01])
    scheduler.step()
    assert scheduler.last_epoch == 6


def test_restarts_take_parts_of_an_epoch():
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(made(), 2, 2)
    scheduler.step(3.5)
    assert (scheduler.T_cur, scheduler.T_i, scheduler.last_epoch) == (1.5, 4, 3)
    assert scheduler.get_last_lr()[0] == pytest.approx(0.25 * (1 + math.cos(math.pi * 1.5 / 4)))


def test_a_chain_can_be_a_part_of_a_sequence():
    optimizer = made()
    parts = [
        lr_scheduler.ExponentialLR(optimizer, 0.9),
        lr_scheduler.ChainedScheduler(
            [lr_scheduler.ConstantLR(optimizer, 0.5, 2), lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2)]
        ),
        lr_scheduler.SequentialLR(
            optimizer, [lr_scheduler.StepLR(optimizer, 1, 0.5), lr_scheduler.ExponentialLR(optimizer, 2.0)], [2]
        ),
    ]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [1, 4])
    factors = [1, 0.25, 0.375, 1, 1, 0.5, 1, 2]
    np.testing.assert_allclose(path(optimizer, scheduler, 8)[:, 0], 0.5 * np.array(factors))


def test_a_number_that_is_nan_is_never_better():
    optimizer = made()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    for _ in range(2):
        scheduler.step(math.nan)
    assert scheduler.get_last_lr() == [0.05, 0.002]


def test_an_object_with_call_is_saved_by_its_attributes():
    class Power:
        def __init__(self, base):
            self.base = base

        def __call__(self, t):
            return self.base**t

    saved = lr_scheduler.LambdaLR(made(), [Power(0.5), lambda t: 1.0]).state_dict()
    assert saved["lr_lambdas"] == [{"base": 0.5}, None]
    other = lr_scheduler.LambdaLR(made(), [Power(0.1), lambda t: 1.0])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].base == 0.5


S = lr_scheduler


def added(optimizer, scheduler):
    optimizer.add_param_group({"params": [nn.Parameter([1.0])]})
    return scheduler


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: S.StepLR(nn.Linear(1, 1), 3), TypeError, "StepLR: optimizer must be one of nn.optim, got Linear"),
        (lambda o: S.StepLR(o, 0), ValueError, "step_size must be an integer of at least 1, got 0"),
        (lambda o: S.StepLR(o, 2, gamma="0.1"), ValueError, "gamma must be a finite number, got '0.1'"),
        (
            lambda o: S.MultiStepLR(o, [1, 2.5]),
            ValueError,
            "milestones: each must be an integer of .*, got 2.5",
        ),
        (lambda o: S.ConstantLR(o, 2), ValueError, "factor must be from 0 to 1, got 2"),
        (lambda o: S.LinearLR(o, 0), ValueError, "start_factor must be above 0"),
        (lambda o: S.LambdaLR(o, [abs]), ValueError, "lr_lambda has 1 values, but the optimizer has 2 groups"),
        (
            lambda o: S.LambdaLR(o, 0.5),
            TypeError,
            "lr_lambda must be a function .* got 0.5",
        ),
        (lambda o: S.CosineAnnealingLR(o, 0), ValueError, "T_max must be an integer of at least 1"),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 2, 0.5), ValueError, "T_mult must be an integer of at least 1"),
        (lambda o: S.CyclicLR(o, 0.1, 0.2, mode="up"), ValueError, "mode must be one of triangular, .* got 'up'"),
        (
            lambda o: S.CyclicLR(nn.optim.Rprop([nn.Parameter(1.0)]), 0.1, 0.2),
            ValueError,
            "give cycle_momentum=False for",
        ),
        (lambda o: S.OneCycleLR(o, 0.1), ValueError, "give total_steps, or epochs and steps_per_epoch"),
        (lambda o: S.OneCycleLR(o, 0.1, 10, anneal_strategy="cosine"), ValueError, "one of cos, linear, got 'cosine'"),
        (lambda o: path(o, S.OneCycleLR(o, 0.1, 10), 12), ValueError, "step 11 is after the last one, total_steps=10"),
        (lambda o: S.ReduceLROnPlateau(o, factor=1), ValueError, "factor must be below 1, got 1"),
        (lambda o: S.ReduceLROnPlateau(o, mode="low"), ValueError, "mode must be one of min, max, got 'low'"),
        (
            lambda o: S.SequentialLR(o, [S.StepLR(o, 1)], [3]),
            ValueError,
            "milestones must be 0 rising epochs for 1",
        ),
        (lambda o: S.SequentialLR(o, [S.StepLR(made(), 1)], []), ValueError, "scheduler 0 is of another optimizer"),
        (
            lambda o: S.ChainedScheduler([S.ReduceLROnPlateau(o)]),
            TypeError,
            "scheduler 0 must be one whose step",
        ),
        (lambda o: S.ChainedScheduler([]), ValueError, "there are no schedulers"),
        (
            lambda o: added(o, S.StepLR(o, 1)).step(),
            ValueError,
            "has 3 groups of parameters, but had 2 when the schedule",
        ),
        (lambda o: added(o, S.CyclicLR(o, 0, 1)).step(), ValueError, "has 3 groups of parameters, but had 2 when"),
        (lambda o: S.StepLR(o, 1).load_state_dict({"gamma": 1}), KeyError, "the state of this StepLR lacks step_size"),
    ],
)
def test_bad_options_are_answered_with_a_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make(made())


if importlib.util.find_spec("torch"):
    import torch

    def torch_made(kind="SGD"):
        weights = [torch.tensor([1.0], requires_grad=True) for _ in range(2)]
        return OPTIMISERS[kind](torch.optim, [{"params": weights[:1]}, {"params": weights[1:], "lr": 0.02}])

    def near(ours, theirs):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)

    @pytest.fixture(autouse=True)
    def torch_warns_of_its_own_calls():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="torch")
            yield

    @pytest.mark.parametrize("kind", OPTIMISERS)
    @pytest.mark.parametrize("case", SCHEDULES)
    def test_rates_and_momenta_are_those_of_torch(case, kind):
        ours, theirs = made(kind), torch_made(kind)
        rates = path(ours, SCHEDULES[case](lr_scheduler, ours), STEPS)
        near(rates, path(theirs, SCHEDULES[case](torch.optim.lr_scheduler, theirs), STEPS))

    @pytest.mark.parametrize("case", PLATEAUS)
    def test_plateaus_are_those_of_torch(case):
        numbers = np.random.default_rng(0).normal(size=STEPS) * 0.5 + 20 * 0.8 ** np.arange(STEPS)
        ours, theirs = made(), torch_made()
        scheduler, torchs = PLATEAUS[case](lr_scheduler, ours), PLATEAUS[case](torch.optim.lr_scheduler, theirs)
        near(path(ours, scheduler, 30, numbers), path(theirs, torchs, 30, numbers))
        other = made()
        resumed = PLATEAUS[case](lr_scheduler, other)
        other.load_state_dict(ours.state_dict())
        resumed.load_state_dict(torchs.state_dict())
        near(path(other, resumed, STEPS - 30, numbers[30:]), path(theirs, torchs, STEPS - 30, numbers[30:]))

    BOTH_WAYS = [name for name in SCHEDULES if not any(word in name for word in ("cycl", "two"))]

    @pytest.mark.parametrize("case", BOTH_WAYS)
    def test_states_go_to_torch_and_come_from_it(case):
        ours, theirs = made(), torch_made()
        scheduler, torchs = SCHEDULES[case](lr_scheduler, ours), SCHEDULES[case](torch.optim.lr_scheduler, theirs)
        path(ours, scheduler, 23)
        path(theirs, torchs, 23)
        states = [x.state_dict() for x in (ours, scheduler, theirs, torchs)]
        ours, theirs = made(), torch_made()
        scheduler, torchs = SCHEDULES[case](lr_scheduler, ours), SCHEDULES[case](torch.optim.lr_scheduler, theirs)
        for what, state in zip((theirs, torchs, ours, scheduler), states, strict=True):
            what.load_state_dict(state)
        near(path(ours, scheduler, STEPS - 23), path(theirs, torchs, STEPS - 23))
