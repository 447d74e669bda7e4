"""`fit` with schedules, clipping and early stopping, and where a NaN is born."""

import re

import numpy as np
import pytest
from trainingcases import DATA, HELD_OUT, X, fit, network

import nn
from nn import functional as F
from nn.optim import lr_scheduler as schedules

# --- schedules


def test_a_schedule_steps_after_each_epoch_and_the_history_has_its_rates():
    net = network()
    optimizer = nn.SGD(net.parameters(), lr=1.0)
    history = fit(net, epochs=4, schedule=schedules.StepLR(optimizer, 2, gamma=0.5))
    assert history.lr == [1.0, 1.0, 0.5, 0.5] and optimizer.lr == 0.25
    assert " lr" in str(history).splitlines()[0]
    assert fit(network(), epochs=2, lr=0.1).lr == [0.1, 0.1]


@pytest.mark.parametrize(
    ("make", "every", "steps"),
    [
        (lambda o: schedules.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=5), None, 10),
        (lambda o: schedules.CyclicLR(o, 0.01, 0.1, cycle_momentum=False), None, 10),
        (lambda o: schedules.ExponentialLR(o, 0.9), None, 2),
        (lambda o: schedules.ExponentialLR(o, 0.9), "step", 10),
        (lambda o: schedules.CyclicLR(o, 0.01, 0.1, cycle_momentum=False), "epoch", 2),
        (lambda o: schedules.ChainedScheduler([schedules.OneCycleLR(o, 0.1, 10)]), None, 10),
    ],
)
def test_a_schedule_steps_as_often_as_it_is_made_for(make, every, steps):
    held = []

    def schedule(optimizer):
        held.append(make(optimizer))
        return held[0]

    fit(network(), epochs=2, schedule=schedule, schedule_every=every)
    assert held[0].last_epoch == steps


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("validated", [True, False])
def test_a_plateau_is_seen_in_the_validation_data(mode, validated):
    seen = []

    class Watching(schedules.ReduceLROnPlateau):
        def step(self, metrics, epoch=None):
            seen.append(metrics)
            super().step(metrics, epoch)

    options = {} if validated else {"validation": None}
    history = fit(network(), epochs=3, schedule=lambda o: Watching(o, mode), **options)
    assert seen == getattr(history, ("val_" if validated else "") + ("loss" if mode == "min" else "accuracy"))


# --- clipping


def test_gradients_are_clipped_to_the_norm():
    net = nn.Linear(4, 2, rng=0)
    before = net.state_dict()
    nn.fit(net, DATA, batch_size=40, optimizer=nn.SGD(net.parameters(), 1.0), clip_grad_norm=1e-3, progress=False)
    moved = [net.state_dict()[name] - array for name, array in before.items()]
    assert np.sqrt(sum((m**2).sum() for m in moved)) == pytest.approx(1e-3, rel=1e-3)


# --- early stopping


def test_training_ends_when_no_better_epoch_comes_and_the_best_numbers_stay():
    states, net = [], network()
    history = fit(
        net, epochs=200, lr=0.1, seed=0, early_stopping=3,
        callbacks=[lambda epoch, model, history: states.append(model.state_dict())],
    )  # fmt: skip
    best = int(np.argmin(history.val_loss))
    assert history.best_epoch == best + 1 and history.epochs == best + 4
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, states[best][name])
    assert nn.evaluate(net, HELD_OUT).loss == pytest.approx(history.val_loss[best])


def test_what_is_watched_can_be_told():
    stopping = nn.EarlyStopping("accuracy", patience=2, min_delta=0.5)
    history = fit(network(), epochs=9, early_stopping=stopping)
    assert history.epochs == 3 and history.best_epoch == 1
    assert repr(stopping) == "EarlyStopping('accuracy', patience=2, min_delta=0.5)"
    assert fit(network(), epochs=9, early_stopping=nn.EarlyStopping(patience=1), validation=None).best_epoch


# --- a NaN


def test_a_nan_is_followed_to_where_it_was_born():
    class Rooted(nn.Module):
        def __init__(self):
            self.dense = nn.Linear(4, 2, rng=0)

        def forward(self, x):
            z = self.dense(x) - 2.0
            z.name = "shifted"
            root = np.sqrt(z)  # the line
            masked = np.where(np.zeros((1, 2), bool), root, root * 2)
            return masked + 1.0

    net = Rooted()
    before = net.state_dict()
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught:
        fit(net, validation=None)
    said = str(caught.value)
    assert said.startswith("the loss became nan in epoch 1, batch 1: NaN was born in root = ")
    assert re.search(r"= sqrt\(shifted: -.* in rooted at test_nn_fit\.py:\d+: root = np\.sqrt\(z\)  # the line", said)
    assert caught.value.history.epochs == 0 and repr(net.state_dict()) == repr(before)


def test_an_infinity_that_leads_to_no_nan_is_not_blamed():
    class Masked(nn.Module):
        def __init__(self):
            self.dense = nn.Linear(4, 2, rng=0)

        def forward(self, x):
            z = self.dense(x)
            harmless = np.exp(np.log(z * 0.0) + z)  # 0
            return np.log(-np.abs(z) - 1) + harmless

    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=r"NaN was born in %\d+ = log\(%\d+: -"):
        fit(Masked(), validation=None)


def test_a_parameter_that_is_no_number_is_named():
    net = network()
    net[5].bias.data = np.array([0.0, np.nan], np.float32)
    with pytest.raises(FloatingPointError, match=r"NaN is in b⁽²⁾ \(5\.bias\), which no operation made"):
        fit(net, validation=None)


def test_a_nan_leaves_the_running_statistics_as_they_were():
    net = nn.Sequential(nn.Linear(4, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 2, rng=0))
    net[0].weight.data = np.full((4, 4), np.nan, np.float32)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=r"NaN is in W⁽¹⁾ \(0\.weight\)"):
        fit(net, validation=None)
    assert net.state_dict()["1.running_mean"].tolist() == [0.0] * 4


def test_a_gradient_that_is_no_number_is_not_clipped_into_the_parameters():
    class Root(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(np.zeros(4, np.float32))

        def forward(self, x):
            return np.sqrt(np.abs(self.w)) * x

    net = Root()
    said = r"norm of the gradients became (nan|inf) in epoch 1, batch 1: not finite is that of w;"
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=said):
        fit(net, data=(X, X), loss=F.mse_loss, validation=None, clip_grad_norm=1.0)
    assert net.w.data.tolist() == [0.0] * 4


# --- refused

NET = network()
SGD = nn.SGD(NET.parameters(), lr=0.1)
REFUSED = {
    "class of schedule": ({"schedule": schedules.StepLR}, TypeError, "schedule is the class StepLR: make one"),
    "no schedule": ({"schedule": 3}, TypeError, "schedule must be one of nn.optim.lr_scheduler, got int"),
    "another optimiser": (
        {"schedule": schedules.StepLR(SGD, 2), "optimizer": nn.SGD(NET.parameters(), 0.1)},
        ValueError,
        "the schedule is of another optimizer",
    ),
    "rate and schedule": ({"schedule": schedules.StepLR(SGD, 2), "lr": 1.0}, ValueError, "either optimizer or lr"),
    "function and optimiser": ({"schedule": lambda o: None, "optimizer": SGD}, ValueError, "give schedule(optimizer)"),
    "gives none": ({"schedule": lambda o: None}, TypeError, "schedule must give a schedule of the optimizer"),
    "every": ({"schedule": schedules.StepLR(SGD, 2), "schedule_every": 2}, ValueError, "must be 'epoch' or 'step'"),
    "every alone": ({"schedule_every": "step"}, ValueError, "schedule_every needs a schedule"),
    "plateau": (
        {"schedule": schedules.ReduceLROnPlateau(SGD), "schedule_every": "step"}, ValueError, "looks at epochs"
    ),
    "too short": (
        {"schedule": schedules.OneCycleLR(SGD, 1.0, 9, cycle_momentum=False), "epochs": 2},
        ValueError,
        "the OneCycleLR has 9 of its total_steps left, but 10 are to be done",
    ),
    "clip": ({"clip_grad_norm": 0}, ValueError, "clip_grad_norm must be a number above 0, got 0"),
    "clip word": ({"clip_grad_norm": "1"}, ValueError, "clip_grad_norm must be a number above 0, got '1'"),
    "patience": ({"early_stopping": 0}, ValueError, "patience must be an integer of at least 1, got 0"),
    "patience word": ({"early_stopping": "yes"}, TypeError, "early_stopping must be a patience in epochs"),
    "stopping class": ({"early_stopping": nn.EarlyStopping}, TypeError, "is the class EarlyStopping: make one"),
    "no validation": (
        {"early_stopping": nn.EarlyStopping("val_loss"), "validation": None}, ValueError, "no validation data"
    ),
    "resume": ({"resume": True}, ValueError, "resume needs a checkpoint"),
    "suffix": ({"checkpoint": "run.pt"}, ValueError, "ends in .pt; known are .npz"),
    "folder": ({"checkpoint": "nowhere/run.npz"}, FileNotFoundError, "there is no folder"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_bad_options_are_told_before_anything_changes(options, error, message):
    before = NET.state_dict()
    with pytest.raises(error, match=re.escape(message)):
        fit(NET, **options)
    assert repr(before) == repr(NET.state_dict())


def test_early_stopping_is_asked_for_by_a_name_that_there_is():
    with pytest.raises(ValueError, match="monitor must be one of loss, accuracy, val_loss, val_accuracy, got 'f1'"):
        nn.EarlyStopping("f1")
    with pytest.raises(ValueError, match="watches accuracy, but the targets are no classes"):
        fit(nn.Linear(4, 4), data=(X, X), loss=F.mse_loss, validation=None, early_stopping=nn.EarlyStopping("accuracy"))
