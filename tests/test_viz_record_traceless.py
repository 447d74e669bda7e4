"""What `viz.record` puts back: whatever the model and the loss can reach, wherever it is held."""

import collections
import copy
import dataclasses
import functools
import random
import sys
import types

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from nn import functional as F

X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
Y = np.arange(8) % 2
RNG = np.random.default_rng(7)
calls = 0


@dataclasses.dataclass
class Noise:
    """A generator and a counter, nested in objects of the program."""

    rng: np.random.Generator = dataclasses.field(default_factory=lambda: np.random.default_rng(1))
    old: np.random.RandomState = dataclasses.field(default_factory=lambda: np.random.RandomState(2))
    python: random.Random = dataclasses.field(default_factory=lambda: random.Random(3))
    drawn: int = 0

    def draw(self):
        self.drawn += 1
        return self.rng.normal() + self.old.normal() + self.python.gauss(0, 1)


class Slots:
    __slots__ = ("__hidden", "count", "noise")

    def __init__(self):
        self.noise, self.count, self.__hidden = Noise(), 0, 0

    def draw(self):
        self.count += 1
        self.__hidden += 1
        return self.noise.draw() + self.__hidden

    def state(self):
        return self.count, self.__hidden, dataclasses.replace(self.noise)


def counting():
    count, noise = 0, Noise()

    def draw():
        nonlocal count
        count += 1
        return count + noise.draw()

    return draw, lambda: (count, dataclasses.replace(noise))


class Everything(nn.Module):
    """A layer that draws from, and counts in, each kind of place."""

    total = 0
    shared = collections.Counter()  # noqa: RUF012

    def __init__(self):
        self.out = nn.Linear(3, 2, rng=0)
        self.noises = [Noise(), {"deep": (Noise(), [Noise()])}]
        self.slots = Slots()
        self.draw, self.drawn = counting()
        self.partial = functools.partial(lambda noise: noise.draw(), Noise())
        self.bound = Noise().draw
        self.past = collections.deque(maxlen=3)
        self.seen = set()
        self.by_name = collections.defaultdict(list)
        self.hidden = {"h": np.zeros(3)}
        self.space = types.SimpleNamespace(arrays=[np.zeros(2)])
        self.last = None

    def forward(self, x):
        global calls
        calls += 1
        type(self).total += 1
        self.shared["calls"] += 1
        everywhere = [self.noises[0], self.noises[1]["deep"][0], self.noises[1]["deep"][1][0], self.slots]
        noise = sum(one.draw() for one in everywhere) + self.draw() + self.partial() + self.bound()
        noise += RNG.normal() + np.random.normal() + random.random() + calls + self.total  # noqa: NPY002
        self.past.append(noise)
        self.seen.add(noise)
        self.by_name["noise"].append(noise)
        self.hidden["h"] += noise
        self.hidden[f"call {calls}"] = calls
        self.last = x * 1.0
        return self.out(x) * np.float32(1 + 0.01 * np.tanh(noise + self.hidden["h"][0] + len(self.past)))

    def state(self):
        """Everything that a call changes, as text."""
        sources = [self.noises[0], self.noises[1]["deep"][0], self.noises[1]["deep"][1][0], self.slots.noise]
        sources += [self.drawn()[1], self.bound.__self__, *self.partial.args]
        return repr(
            (
                [(n.rng.bit_generator.state, n.old.get_state(), n.python.getstate(), n.drawn) for n in sources],
                self.drawn()[0], self.slots.state()[:2],
                RNG.bit_generator.state, random.getstate(), np.random.get_state(), calls, self.total,  # noqa: NPY002
                dict(self.shared), list(self.past), self.seen, dict(self.by_name), self.hidden,
                self.space, self.last is None,
            )
        )  # fmt: skip


def train(watched):
    global calls
    calls = 0
    Everything.total = 0
    Everything.shared.clear()
    RNG.bit_generator.state = np.random.default_rng(7).bit_generator.state
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    nn.manual_seed(0)
    net = Everything()
    loader = nn.DataLoader((X, Y), 4, shuffle=True, seed=3)
    optimizer = nn.Adam(net.parameters(), lr=0.1)

    def loss():
        x, y = next(iter(loader))  # draws a new order
        return F.cross_entropy(F.dropout(net(x), 0.2), y) * random.uniform(0.9, 1.1)

    recording = viz.record(net, loss, every=1, mode="train") if watched else None
    for x, y in loader:
        optimizer.zero_grad()
        F.cross_entropy(F.dropout(net(x), 0.2), y).backward()
        optimizer.step()
        if watched:
            recording.update()
    return net, loader, recording


def test_training_after_it_is_bit_for_bit_what_it_is_without_it():
    plain, loader, _ = train(False)
    state, parameters, order = plain.state(), plain.state_dict(), repr(loader.rng.bit_generator.state)
    watched, loader, recording = train(True)
    assert len(recording) == 3
    assert watched.state() == state
    assert repr(loader.rng.bit_generator.state) == order
    for name, array in watched.state_dict().items():
        np.testing.assert_array_equal(array, parameters[name])


def test_a_snapshot_draws_the_same_numbers_each_time():
    net = Everything()
    recording = viz.record(net, lambda: net(X).sum() * random.random() * RNG.random(), every=1)
    recording.update()
    recording.update()
    assert recording[0].loss == recording[1].loss == recording[2].loss


def test_a_forward_that_gives_a_parameter_new_numbers_leaves_the_old_ones():
    class Normed(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([3.0, 4.0])

        def forward(self, x):
            self.w.data = self.w.data / np.linalg.norm(self.w.data)
            return (self.w * x).sum()

    net = Normed()
    recording = viz.record(net, lambda: net(np.ones(2)))
    assert recording[0].loss == pytest.approx(1.4)
    assert net.w.data.tolist() == [3.0, 4.0]


def test_the_state_of_an_optimiser_that_the_loss_uses_is_put_back():
    net, other = nn.Sequential(nn.Linear(3, 2, rng=0)), nn.Parameter([1.0])
    optimizer = nn.Adam([other], lr=0.1)
    other.grad = np.ones(1)
    optimizer.step()
    before = copy.deepcopy(optimizer.state[0])

    def loss():
        optimizer.step()
        return F.cross_entropy(net(X), Y)

    viz.record(net, loss)
    after = optimizer.state[0]
    assert after["step"] == before["step"] == 1
    np.testing.assert_array_equal(after["m"], before["m"])
    assert other.data == pytest.approx(0.9)


def test_what_a_failing_loss_changed_is_put_back_too():
    net = Everything()
    state = net.state()

    def loss():
        net(X)
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        viz.record(net, loss)
    assert net.state() == state


def test_a_model_of_no_module_and_a_loss_that_is_an_object_are_looked_into():
    class Model:
        def __init__(self):
            self.w = Tensor(2.0)
            self.parts = [{"calls": 0}]

        def parameters(self):
            return [self.w]

    class Loss:
        def __init__(self):
            self.count = 0

        def __call__(self, model):
            self.count += 1
            model.parts[0]["calls"] += 1
            return model.w * self.count

    model, loss = Model(), Loss()
    recording = viz.record(model, loss, every=1)
    recording.update()
    assert [s.loss for s in recording] == [2.0, 2.0]
    assert (loss.count, model.parts) == (0, [{"calls": 0}])


def test_what_a_program_holds_that_is_large_or_foreign_is_left_alone():
    large = np.zeros(2**23 + 1)
    module = types.ModuleType("other")
    module.count = 0
    w = nn.Parameter([1.0])

    class Model:
        def parameters(self):
            return [w]

    def loss():
        large[0] += 1
        module.count += 1
        return w * 2

    viz.record(Model(), loss)
    assert (large[0], module.count) == (1, 1)
    assert "other" not in sys.modules
