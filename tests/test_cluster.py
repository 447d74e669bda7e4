"""`fit` on a cluster of two worker processes: the numbers of one machine, whatever becomes of a worker."""

import os
import pathlib
import time

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F
from nn.training import cluster as cluster_module

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 1, 6, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 40)


def network(*more):
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, rng=0), nn.ReLU(), *more, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3, rng=1)
    )


class Recurrent(nn.Module):
    def __init__(self):
        self.rnn, self.out = nn.LSTM(6, 5, batch_first=True, rng=0), nn.Linear(5, 3, rng=1)

    def forward(self, x):
        return self.out(self.rnn(x.reshape(len(x), 6, 6))[0][:, -1])


class Deadly(nn.Module):
    """Ends the process of a worker that computes it: once, if there is a file to remember that by, else always."""

    def __init__(self, once=None):
        self.once, self.here = once, os.getpid()

    def forward(self, x):
        if os.getpid() != self.here and (self.once is None or not self.once.exists()):
            if self.once is not None:
                self.once.touch()
            os._exit(1)
        return x


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=50,
            local_directory=str(tmp_path_factory.mktemp("workers")),
        ) as made,
        distributed.Client(made) as client,
    ):
        yield client


@pytest.fixture
def workers(started):
    """The client, with two workers whatever became of those of the test before."""
    started.cluster.scale(2)
    started.wait_for_workers(2, timeout=60)
    return started


def trained(net, **options):
    history = nn.fit(net, (X, Y), batch_size=16, seed=0, progress=False, **{"lr": 0.01, "epochs": 2, **options})
    return history, [p.data for p in net.parameters()]


def assert_same(found, expected, rtol=1e-5):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("make", [network, Recurrent, lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 3, rng=0))])
def test_the_numbers_are_those_of_one_machine(make, workers):
    expected_history, expected = trained(make(), clip_grad_norm=0.5)
    history, found = trained(make(), clip_grad_norm=0.5, cluster=workers)
    assert_same(found, expected)
    np.testing.assert_allclose(history.loss, expected_history.loss, rtol=1e-6)
    assert history.accuracy == expected_history.accuracy


def test_the_same_chunks_give_the_same_bits_with_dropout_too(workers):
    runs = []
    for _ in range(2):
        nn.manual_seed(3)
        runs.append(trained(network(nn.Dropout(0.5), nn.Dropout(0.2, rng=1)), cluster=workers)[1])
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_masks_of_dropout_differ_between_chunks_and_steps():
    net, ones = nn.Sequential(nn.Dropout(0.5, rng=0)), np.ones((1, 64), np.float32)
    net.register_parameter("w", nn.Parameter(np.ones(1, np.float32)))
    packed = distributed.protocol.pickle.dumps((net, lambda out, y: out.mean() + net.w.sum()))
    chance = np.random.default_rng(0).bit_generator.state
    nn.manual_seed(5)
    outs = [cluster_module._chunk(packed, ones, None, 1.0, chance, list(turn))[0] for turn in np.ndindex(2, 2)]
    again = cluster_module._chunk(packed, ones, None, 1.0, chance, [0, 0])[0]
    assert len({out.tobytes() for out in outs}) == 4 and again.tobytes() == outs[0].tobytes()
    assert nn.seeding.generator().random() == np.random.default_rng(5).random()  # which is left as it was


def test_memory_is_flat(workers):
    import psutil

    def used():
        return sum(workers.run(lambda: psutil.Process().memory_info().rss).values())

    seen = []
    see = lambda step, *_: seen.append(used()) if step in (15, 75) else None
    trained(network(), epochs=25, cluster=workers, on_step=see)
    assert seen[-1] - seen[-2] < 8e6
    assert len(workers.cluster.scheduler.tasks) < 10


def test_gradients_of_dasks_arrays_are_computed_on_the_workers(workers):
    x = da.from_array(X, chunks=(10, 1, 6, 6))
    net, other = network(), network()
    loss = F.cross_entropy(net(Tensor(x, requires_grad=False)), da.from_array(Y, chunks=10))
    loss.backward()
    value, *grads = dask.compute(loss.data, *(p.grad for p in net.parameters()))
    expected = F.cross_entropy(other(Tensor(X, requires_grad=False)), Y)
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-6)
    assert_same(grads, [p.grad for p in other.parameters()])


REFUSED = {
    "no client": (network, {"cluster": "tcp://"}, TypeError, r"must be a distributed\.Client, got str"),
    "batch norm": (lambda: network(nn.BatchNorm2d(3)), {}, ValueError, "2 is a BatchNorm2d, which needs the whole"),
    "a sum": (network, {"loss": lambda z, y: F.cross_entropy(z, y, reduction="sum")}, ValueError, "mean over examples"),
    "weights": (network, {"loss": lambda z, y: F.cross_entropy(z, y, [9, 1, 1])}, ValueError, "mean over examples"),
    "diagnostics": (network, {"diagnostics": True}, ValueError, "diagnostics look at layers"),
    "buffers": (lambda: network(nn.InstanceNorm2d(3, track_running_stats=True)), {}, ValueError, "buffers of the"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_chunks_would_make_wrong_is_refused(name, workers):
    make, options, error, said = REFUSED[name]
    with pytest.raises(error, match=said):
        trained(make(), **{"cluster": workers, **options})


def test_a_loss_that_is_no_number_ends_the_training(workers):
    net = network()
    net[0].weight.data = net[0].weight.data * np.nan
    with pytest.raises(FloatingPointError, match="the loss became nan in epoch 1, batch 1"):
        trained(net, cluster=workers)


def test_a_worker_killed_in_the_middle_of_a_step_costs_a_retry(workers, tmp_path):
    once = pathlib.Path(tmp_path, "killed")
    expected = trained(network(), epochs=1)[1]
    found = trained(network(Deadly(once)), epochs=1, cluster=workers)[1]
    assert once.exists()
    assert_same(found, expected)


def test_a_chunk_that_kills_each_of_its_workers_is_an_error_and_parameters_are_kept(workers):
    net = network(Deadly())
    before = [p.data.copy() for p in net.parameters()]
    workers.cluster.scheduler.allowed_failures = 0
    with pytest.raises(RuntimeError, match=r"epoch 1, batch 1 .* one worker after the other died .* last whole step"):
        trained(net, cluster=workers)
    workers.cluster.scheduler.allowed_failures = 3
    deadline = time.monotonic() + 30
    while workers.cluster.scheduler.tasks and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workers.cluster.scheduler.tasks, "what is left of the step goes on"
    for one, other in zip(before, net.parameters(), strict=True):
        np.testing.assert_array_equal(one, other.data)


def test_without_workers_left_the_error_says_so_and_parameters_are_kept(workers, monkeypatch):
    monkeypatch.setattr(cluster_module, "PATIENCE", 2.0)
    after = []

    def leave(step, model, loss):
        after.append([p.data.copy() for p in model.parameters()])
        workers.cluster.scale(0)
        workers.cluster.sync(workers.cluster._correct_state)

    net = network()
    with pytest.raises(RuntimeError, match=r"epoch 1, batch 2 .* no worker is left, and none came in 2 s"):
        trained(net, cluster=workers, on_step=leave)
    assert len(after) == 1
    for one, other in zip(after[0], net.parameters(), strict=True):
        np.testing.assert_array_equal(one, other.data)
