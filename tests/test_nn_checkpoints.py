"""`fit` that is interrupted, and that goes on from a checkpoint."""

import json
import os
import re
import signal
import threading

import numpy as np
import optimcases
import pytest
from trainingcases import DATA, assert_same, fit, network, told

import nn
from nn import functional as F
from nn.optim import lr_scheduler as schedules

# --- resumed

CASES = {
    "adam, plateau": (lambda p: nn.Adam(p, 0.05), lambda o: schedules.ReduceLROnPlateau(o, patience=0), {}),
    "momentum, one cycle": (
        lambda p: nn.SGD(p, 0.1, momentum=0.9),
        lambda o: schedules.OneCycleLR(o, 0.2, epochs=6, steps_per_epoch=5),
        {"clip_grad_norm": 0.5},
    ),
    "restarts": (lambda p: nn.optim.AdamW(p, 0.05), lambda o: schedules.CosineAnnealingWarmRestarts(o, 2, 2), {}),
    "sequential": (
        lambda p: nn.Adam(p, 0.05),
        lambda o: schedules.SequentialLR(o, [schedules.LinearLR(o, 0.1, 1, 2), schedules.StepLR(o, 2)], [2]),
        {},
    ),
    "lambda": (lambda p: nn.SGD(p, 0.1), lambda o: schedules.LambdaLR(o, lambda t: 0.9**t), {"validation": None}),
    "stops early": (lambda p: nn.Adam(p, 0.3), lambda o: None, {"early_stopping": 2}),
}


@pytest.fixture(autouse=True)
def a_program_that_ctrl_c_reaches():
    """Programs that a shell starts in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(case, epochs, seed=0, **options):
    """A training that begins anew: other numbers in all generators, unless a checkpoint has them."""
    make, schedule, more = case
    nn.manual_seed(7 + seed)
    net = network(seed)
    optimizer = make(net.parameters())
    options = {"early_stopping": 4, "seed": seed, **more, **options}
    return net, fit(net, epochs=epochs, optimizer=optimizer, schedule=schedule(optimizer), **options)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_that_is_resumed_has_the_numbers_of_one_that_was_not_ended(case, tmp_path):
    net, whole = run(case, 6)
    path = tmp_path / "run.npz"
    run(case, 3, checkpoint=path)
    again, resumed = run(case, 6, seed=99, checkpoint=path, resume=True)
    assert told(resumed) == told(whole)
    assert_same(again, net)


OTHERS = {name: make for name, make in optimcases.OPTIMISERS.items() if "options" not in name}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_the_state_of_every_optimiser_comes_back(make, tmp_path):
    case = (lambda p: make(nn.optim, p), lambda o: None, {"early_stopping": None})
    net, whole = run(case, 3)
    run(case, 1, checkpoint=tmp_path / "run.npz")
    again, resumed = run(case, 3, seed=5, checkpoint=tmp_path / "run.npz", resume=True)
    assert told(resumed) == told(whole)
    assert_same(again, net)


def test_samplers_and_steps_go_on_too(tmp_path):
    def loaded(seed):
        sampler = nn.data.WeightedRandomSampler(np.arange(1.0, 41.0), 30, generator=seed)
        return nn.DataLoader(nn.data.TensorDataset(*DATA), 8, sampler=sampler)

    case, path, counted = CASES["adam, plateau"], tmp_path / "run.npz", []
    net, _ = run(case, 4, data=loaded(0))
    run(case, 2, data=loaded(0), checkpoint=path)
    options = {"checkpoint": path, "resume": True, "on_step": lambda step, *_: counted.append(step)}
    again, _ = run(case, 4, seed=3, data=loaded(9), **options)
    assert_same(again, net)
    assert counted == list(range(9, 17))


def test_a_run_that_was_done_is_not_trained_again(tmp_path):
    path = tmp_path / "run.npz"
    net, whole = run(CASES["stops early"], 40, checkpoint=path)
    again, resumed = run(CASES["stops early"], 40, seed=1, checkpoint=path, resume=True)
    assert whole.epochs < 40 and told(resumed) == told(whole)
    assert_same(again, net)


def test_a_checkpoint_is_arrays_and_one_text_and_nothing_is_pickled(tmp_path):
    path = tmp_path / "run.npz"
    net, history = run(CASES["adam, plateau"], 2, checkpoint=path, early_stopping=None)
    with np.load(path, allow_pickle=False) as file:
        text = json.loads(str(file["run"]))
        np.testing.assert_array_equal(file["model.0.weight"], net[0].weight.data)
        assert file["optimizer.state.0.exp_avg"].shape == (8, 4)
    assert text["epoch"] == 2 and text["history"]["loss"] == history.loss
    assert [one.name for one in tmp_path.iterdir()] == ["run.npz"]


def test_resume_begins_where_there_is_no_file_yet(tmp_path):
    path = tmp_path / "run.npz"
    _, first = run(CASES["restarts"], 2, checkpoint=path, resume=True)
    assert first.epochs == 2 and path.exists()


DIFFERENT = {
    "layers": ({"net": nn.Sequential(nn.Linear(4, 2), nn.Tanh())}, "model.1: BatchNorm1d there, Tanh here"),
    "sizes": ({"net": nn.Linear(4, 3)}, "numbers.weight: float32 of shape (2, 4) there, float32 of shape (3, 4) here"),
    "optimiser": ({"optimizer": nn.SGD}, "optimizer: Adam there, SGD here"),
    "option": ({"lr": 0.2}, "optimizer.lr: 0.1 there, 0.2 here"),
    "schedule": ({"schedule": None}, "schedule: StepLR there, nothing here"),
    "its option": ({"gamma": 0.3}, "schedule.gamma: 0.5 there, 0.3 here"),
    "patience": ({"early_stopping": 3}, "early_stopping.patience: 2 there, 3 here"),
    "batches": ({"batch_size": 20}, "data.batches: 5 there, 2 here"),
    "clipping": ({"clip_grad_norm": 1.0}, "options.clip_grad_norm: nothing there, 1.0 here"),
}


@pytest.mark.parametrize(("change", "said"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_checkpoint_of_another_run_is_refused_before_anything_is_changed(change, said, tmp_path):
    def train(net=None, optimizer=nn.Adam, lr=0.1, schedule=schedules.StepLR, gamma=0.5, resume=True, **options):
        net = net or nn.Linear(4, 2, rng=0)
        made = optimizer(net.parameters(), lr=lr)
        before = net.state_dict(), made.state_dict(), rng.bit_generator.state
        planned = schedule and schedule(made, 2, gamma)
        options = {"early_stopping": 2, "seed": rng, "checkpoint": tmp_path / "run.npz", "resume": resume, **options}
        try:
            fit(net, epochs=2, optimizer=made, schedule=planned, **options)
        except ValueError:
            assert repr(before[0]) == repr(net.state_dict()) and before[2] == rng.bit_generator.state
            assert made.state_dict()["state"] == {}
            raise

    rng = np.random.default_rng(0)
    first = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)) if said.startswith("model") else None
    train(first, resume=False)
    with pytest.raises(ValueError, match="nothing was changed.*" + re.escape(said)):
        train(**change)


@pytest.mark.parametrize("content", ["arrays", "text", "cut"])
def test_what_is_no_checkpoint_is_refused(content, tmp_path):
    path, net = tmp_path / "run.npz", network()
    if content == "arrays":
        nn.save(net, path)
    elif content == "text":
        np.savez(path, run=np.array('{"format": 1}'))
    else:
        fit(net, checkpoint=path)
        path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"no checkpoint of fit|is no \.npz file"):
        fit(net, checkpoint=path, resume=True)


def test_a_state_that_is_no_numbers_is_refused_before_training(tmp_path):
    class Factor:
        held = None

        def __init__(self):
            self.held = object()

        def __call__(self, t):
            return 1.0

    net = network()
    before = net.state_dict()
    schedule = schedules.LambdaLR(nn.Adam(net.parameters()), Factor())
    with pytest.raises(TypeError, match=r"schedule\.lr_lambdas\.0\.held is a object"):
        fit(net, schedule=schedule, checkpoint=tmp_path / "run.npz")
    assert repr(before) == repr(net.state_dict())


# --- interrupted


def test_outside_the_main_thread_there_is_nothing_to_wait_for():
    histories = []
    thread = threading.Thread(target=lambda: histories.append(fit(network(), epochs=2)))
    thread.start()
    thread.join()
    assert histories[0].epochs == 2


class Interrupting(nn.SGD):
    """Ctrl-C is pressed in the middle of a step."""

    at = 0

    def _updated(self, w, g, state):
        self.at += 1
        if self.at == 27:  # the third of six parameters, in the fifth step
            os.kill(os.getpid(), signal.SIGINT)
        return super()._updated(w, g, state)


def test_ctrl_c_ends_the_training_with_the_best_numbers(capsys, tmp_path):
    net, states = network(), []

    def press(step, model, loss):
        if step == 23:
            os.kill(os.getpid(), signal.SIGINT)

    history = fit(
        net.eval(), epochs=9, lr=0.1, on_step=press, checkpoint=tmp_path / "run.npz",
        callbacks=[lambda epoch, model, history: states.append(model.state_dict())],
    )  # fmt: skip
    best = int(np.argmin(history.val_loss))
    assert history.interrupted and history.epochs == 4 and len(history.val_loss) == 4
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, states[best][name])
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"interrupted in epoch 5; the parameters are those of epoch {best + 1}, the best (val_loss" in said
    assert "resume=True goes on from run.npz" in said
    assert not net.training and not net[3].training


def test_an_interrupted_run_is_resumed_as_if_nothing_had_been(tmp_path):
    case, path = CASES["momentum, one cycle"], tmp_path / "run.npz"

    def press(step, model, loss):
        if step == 17:
            raise KeyboardInterrupt

    net, whole = run(case, 6)
    _, ended = run(case, 6, checkpoint=path, on_step=press)
    assert ended.interrupted
    again, resumed = run(case, 6, seed=5, checkpoint=path, resume=True)
    assert told(resumed) == told(whole) and not resumed.interrupted
    assert_same(again, net)


def test_no_half_step_is_left(capsys):
    net, other = (nn.Sequential(nn.Linear(4, 3, rng=0), nn.BatchNorm1d(3), nn.Linear(3, 2, rng=1)) for _ in range(2))
    optimizer = Interrupting(net.parameters(), lr=0.1, momentum=0.9)
    steps = []
    history = fit(net, optimizer=optimizer, validation=None, seed=0, on_step=lambda n, *_: steps.append(n))
    done = 5
    assert history.interrupted and history.epochs == 0 and steps == list(range(1, done))
    assert "those of the last whole step" in capsys.readouterr().out
    plain = nn.SGD(other.parameters(), lr=0.1, momentum=0.9)
    fit(other, optimizer=plain, validation=None, seed=0, on_step=lambda n, *_: n == done)
    assert_same(net, other)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert repr(optimizer.state_dict()["state"]) == repr(plain.state_dict()["state"])


@pytest.mark.parametrize("place", ["forward", "backward"])
def test_a_step_that_is_broken_off_leaves_no_gradients_and_no_statistics(place, capsys):
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2, rng=0))

    def loss(out, y):
        if net.training and place == "forward":
            raise KeyboardInterrupt
        return F.cross_entropy(out, y)

    before = net.state_dict()

    def broken(value):
        def backward():
            net[1].weight.grad = np.ones((2, 4), np.float32)
            raise KeyboardInterrupt

        return backward

    class Loss(nn.CrossEntropyLoss):
        def forward(self, out, y):
            value = super().forward(out, y)
            return Broken(value) if net.training else value

    class Broken:
        def __init__(self, value):
            self.value = value
            self.backward = broken(value)

        def item(self):
            return self.value.item()

    history = fit(net, loss=loss if place == "forward" else Loss(), validation=None)
    assert history.interrupted and repr(net.state_dict()) == repr(before)
    assert all(p.grad is None for p in net.parameters())
