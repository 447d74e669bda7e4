"""The embedded digits, the loader of mini-batches, `fit` and `evaluate`."""

import gc
import itertools

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F

# --- the digits


def test_the_digits_are_images_from_0_to_1_with_their_labels():
    (images, labels), (test_images, test_labels) = nn.datasets.mnist("both")
    assert (images.shape, test_images.shape) == ((5000, 1, 28, 28), (1000, 1, 28, 28))
    assert images.dtype == np.float32 and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    assert (np.bincount(labels) > 400).all()
    assert (nn.datasets.mnist("test")[0] == test_images).all() and (nn.datasets.mnist()[1] == labels).all()
    assert test_labels.shape == (1000,)


def test_the_digits_can_be_normalised_and_of_another_dtype():
    images, _ = nn.datasets.mnist(normalize=True, dtype=np.float64)
    assert images.dtype == np.float64
    assert abs(images.mean()) < 0.02 and abs(images.std() - 1) < 0.02


def test_a_split_that_there_is_not_and_a_missing_file_are_told(monkeypatch):
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', 'both', got 'valid'"):
        nn.datasets.mnist("valid")
    with pytest.raises(TypeError, match="dtype must be a floating one, got uint8"):
        nn.datasets.mnist(dtype=np.uint8)
    monkeypatch.setattr(nn.datasets, "_FILE", "nowhere.npz")
    with pytest.raises(FileNotFoundError, match=r"file of digits is missing, nowhere\.npz"):
        nn.datasets.mnist()


# --- the loader


def test_batches_hold_every_example_once_and_keep_pairs_together():
    x = np.arange(23.0)
    loader = nn.DataLoader((x, x.astype(int)), batch_size=5, shuffle=True, seed=0)
    batches = list(loader)
    assert len(loader) == len(batches) == 5
    assert [len(a) for a, _ in batches] == [5, 5, 5, 5, 3]
    assert all((a == b).all() for a, b in batches)
    assert sorted(np.concatenate([b for _, b in batches]).tolist()) == list(range(23))


def test_a_seed_decides_the_order_of_every_epoch():
    def epochs(seed):
        loader = nn.DataLoader(np.arange(20), batch_size=20, shuffle=True, seed=seed)
        return [next(iter(loader)).tolist() for _ in range(2)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)
    assert epochs(1)[0] != epochs(1)[1]
    nn.manual_seed(4)
    first = epochs(None)
    nn.manual_seed(4)
    assert epochs(None) == first


def test_a_smaller_last_batch_can_be_left_out():
    loader = nn.DataLoader(np.arange(10), batch_size=4, drop_last=True)
    assert [b.tolist() for b in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(loader) == 2


def test_batches_are_read_only_and_the_data_stay_writable():
    data = np.arange(4.0)
    batch = next(iter(nn.DataLoader(data, batch_size=2)))
    with pytest.raises(ValueError, match="read-only"):
        batch[0] = 1
    data[0] = 5.0
    assert data[0] == 5.0


NAN = np.zeros((4, 1, 2, 2))
NAN[2, 0, 1, 0], NAN[3, 0, 0, 0] = np.nan, np.inf


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: nn.DataLoader((NAN, np.zeros(4, int))),
            ValueError,
            r"images: 2 of 16 numbers are NaN and infinite, the first at index \(2, 0, 1, 0\)",
        ),
        (
            lambda: nn.DataLoader((np.zeros((3, 2)), np.zeros(4))),
            ValueError,
            r"of one length, got images of shape \(3, 2\), labels of shape \(4,\)",
        ),
        (lambda: nn.DataLoader(np.zeros((0, 2))), ValueError, r"there are no examples \(data has shape \(0, 2\)\)"),
        (lambda: nn.DataLoader(()), ValueError, "an array or a tuple of arrays is needed"),
        (
            lambda: nn.DataLoader(np.ones(3), batch_size=0),
            ValueError,
            "batch_size must be an integer of at least 1, got 0",
        ),
        (
            lambda: nn.DataLoader(np.ones(3), batch_size=1.5),
            ValueError,
            "batch_size must be an integer of at least 1, got 1.5",
        ),
        (lambda: nn.DataLoader(np.float64(3)), ValueError, "the single number"),
        (lambda: nn.DataLoader(np.array(["a", "b"])), TypeError, "numbers are needed, got dtype"),
        (
            lambda: nn.DataLoader([np.ones(2)] * 3),
            TypeError,
            r"a list of ndarray \(length 3\): for .* np.array\(examples",
        ),
        (lambda: nn.DataLoader([(np.ones(2), 1)] * 3), TypeError, r"a list of 3 pairs: .* tuple\(map\(np.array, zip"),
        (
            lambda: nn.DataLoader((np.ones((2, 2)), [[1], [1, 2]])),
            ValueError,
            "labels: examples must all have the same shape",
        ),
    ],
)
def test_bad_data_are_answered_with_a_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_large_finite_numbers_are_no_infinities():
    assert len(nn.DataLoader(np.full(3, 1e308))) == 3


# --- fit


def digits(n=400):
    images, labels = nn.datasets.mnist()
    return images[:n], labels[:n]


def network(rng=0):
    rng = np.random.default_rng(rng)
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, rng=rng), nn.Sigmoid(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(144, 10, rng=rng),
        nn.Softmax(),
    )  # fmt: skip


def test_a_small_network_learns_to_read_digits():
    net = network()
    test = tuple(a[:300] for a in nn.datasets.mnist("test"))
    history = nn.fit(
        net, digits(2000), epochs=8, lr=0.02, loss=F.log_loss, batch_size=50, validation=test, seed=0, progress=False
    )
    assert history.val_accuracy[-1] > 0.85
    assert history.loss[-1] < history.loss[0] / 2
    assert len(history.loss) == len(history.accuracy) == len(history.val_loss) == len(history.seconds) == 8
    assert nn.evaluate(net, test, loss=F.log_loss) == pytest.approx((history.val_loss[-1], history.val_accuracy[-1]))


def test_every_gradient_of_a_network_is_that_of_its_difference_quotient():
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, dtype=np.float64, rng=0), nn.Sigmoid(), nn.MaxPool2d(2),
        nn.Conv2d(2, 2, 3, dtype=np.float64, rng=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(8, 3, dtype=np.float64, rng=2), nn.Softmax(),
    )  # fmt: skip
    x, y = np.random.default_rng(0).normal(size=(4, 1, 12, 12)), [0, 2, 1, 1]
    F.log_loss(net(x), y).backward()
    for p in net.parameters():
        start, gradient = p.data, p.grad
        direction = np.random.default_rng(1).normal(size=p.shape)
        losses = []
        for step in (1e-5, -1e-5):
            p.data = start + step * direction
            losses.append(F.log_loss(net(x), y).item())
        p.data = start
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx((gradient * direction).sum(), rel=1e-6)


def test_the_same_seed_trains_the_same_network():
    nets = [network(), network()]
    histories = [nn.fit(n, digits(100), epochs=2, loss=F.log_loss, seed=3, progress=False) for n in nets]
    assert histories[0].loss == histories[1].loss
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert (a.data == b.data).all()


def test_fit_takes_a_loader_and_an_optimiser():
    net = nn.Linear(1, 1, rng=0)
    x = np.linspace(-1, 1, 20)[:, None]
    loader = nn.DataLoader((x, 3 * x + 1), batch_size=5)
    optimizer = nn.SGD(net.parameters(), lr=0.2, momentum=0.5)
    history = nn.fit(net, loader, epochs=40, optimizer=optimizer, loss=F.mse_loss, progress=False)
    assert history.accuracy == []
    assert np.allclose([net.weight.item(), net.bias.item()], [3.0, 1.0], atol=1e-3)


def test_the_history_counts_every_example_the_same():
    net = nn.Linear(2, 2, rng=0)
    x, y = np.random.default_rng(0).normal(size=(7, 2)), np.array([0, 1, 1, 0, 1, 0, 0])
    history = nn.fit(net, (x, y), lr=0.0, batch_size=3, progress=False)
    out = net(x)
    assert history.loss[0] == pytest.approx(F.cross_entropy(out, y).item(), rel=1e-6)
    assert history.accuracy[0] == (out.data.argmax(axis=1) == y).mean()


def test_the_history_prints_as_a_table():
    x, y = np.ones((4, 2)), np.array([0, 1, 1, 0])
    history = nn.fit(nn.Linear(2, 2, rng=0), (x, y), epochs=2, validation=(x, y), progress=False)
    lines = str(history).splitlines()
    assert lines[0].split("  ")[-1] == "seconds" and "val accuracy" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2"]
    assert "50.00%" in lines[1]
    assert len({len(line) for line in lines}) == 1


def test_the_bar_shows_epoch_loss_and_accuracy(capsys):
    x, y = np.ones((4, 2)), np.array([0, 1, 1, 0])
    nn.fit(nn.Linear(2, 2, rng=0), (x, y), epochs=2, validation=(x, y))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "epoch 2/2: 100%" in shown.err
    assert "accuracy 50.0%, validation loss" in shown.err


def test_callbacks_see_each_epoch_and_can_end_the_training():
    seen = []

    def stop_at_2(epoch, model, history):
        seen.append((epoch, history.epochs))
        return epoch == 2

    net = nn.Linear(2, 2)
    history = nn.fit(net, (np.ones((4, 2)), [0, 1, 1, 0]), epochs=9, callbacks=[stop_at_2], progress=False)
    assert seen == [(1, 1), (2, 2)]
    assert len(history) == 2


def test_fit_leaves_the_mode_as_it_was_and_trains_in_training_mode():
    class Watching(nn.Module):
        modes = ()

        def __init__(self):
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            self.modes = (*self.modes, self.training)
            return self.layer(x)

    net = Watching().eval()
    nn.fit(net, (np.ones((2, 2)), [0, 1]), validation=(np.ones((2, 2)), [0, 1]), progress=False)
    assert net.modes == (False, False, True, False)
    assert not net.training


def test_a_loss_that_is_no_number_stops_before_the_step():
    net = nn.Linear(1, 1, rng=0)
    x = np.array([[1.0], [2.0]])
    sgd = nn.SGD(net.parameters(), lr=1e3)
    message = r"the loss became (inf|nan) in epoch \d+, batch 1"
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=message) as caught:
        nn.fit(net, (x, x), epochs=500, optimizer=sgd, loss=F.mse_loss, progress=False)
    assert caught.value.history.epochs > 0


def test_training_leaves_nothing_for_the_cycle_collector():
    net, data = network(), digits(64)
    nn.fit(net, data, loss=F.log_loss, progress=False)
    gc.collect()
    nn.fit(net, data, loss=F.log_loss, progress=False)
    assert gc.collect() == 0


IMAGES, LABELS = np.zeros((6, 1, 28, 28), np.float32), np.arange(6)


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (
            (IMAGES, LABELS + 6),
            {},
            ValueError,
            "data: label 10 at position 4 is out of range: there are 10 classes, 0 to 9",
        ),
        (
            (IMAGES[:, :, :20], LABELS),
            {},
            ValueError,
            r"sequential.4: linear: .* \(1, 96\) has 96 features, but W⁽¹⁾ of shape \(10, 144\)",
        ),
        (
            (IMAGES[:, :, :3], LABELS),
            {},
            ValueError,
            "sequential.0: conv2d: g⁽¹⁾ of 5×5 is larger than the image of 3×28",
        ),
        (
            (np.repeat(IMAGES, 3, axis=1), LABELS),
            {},
            ValueError,
            r"\(1, 3, 28, 28\) has 3 channels, but g⁽¹⁾ .* takes 1",
        ),
        ((IMAGES.astype(np.uint8), LABELS), {}, TypeError, r"got dtype uint8 .* / 255"),
        ((IMAGES, LABELS * 1.0), {}, TypeError, "class labels must be integers"),
        ((IMAGES, LABELS[:5]), {}, ValueError, r"images of shape \(6, 1, 28, 28\), labels of shape \(5,\)"),
        ((IMAGES * np.nan, LABELS), {}, ValueError, "images: 4704 of 4704 numbers are NaN"),
        ((IMAGES[:0], LABELS[:0]), {}, ValueError, "there are no examples"),
        (IMAGES, {}, TypeError, r"a pair \(images, labels\) or a DataLoader is needed, got ndarray"),
        (nn.DataLoader(IMAGES), {}, ValueError, "got one of 1 arrays"),
        (
            nn.DataLoader((IMAGES, LABELS), batch_size=9, drop_last=True),
            {},
            ValueError,
            "leaves no batch of 9 out of 6 examples",
        ),
        ((IMAGES, LABELS), {"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1, got 0"),
        ((IMAGES, LABELS), {"epochs": 0}, ValueError, "epochs must be an integer of at least 1, got 0"),
        ((IMAGES, LABELS), {"lr": -0.1}, ValueError, "lr must be a number of at least 0, got -0.1"),
        ((IMAGES, LABELS), {"loss": "mse"}, TypeError, r"loss must be a function loss\(output, target\), got str"),
        (
            (IMAGES, LABELS),
            {"loss": lambda p, y: F.log_loss(p, y, reduction="none")[[0, 0]]},
            ValueError,
            r"one number, got shape \(2,\)",
        ),
        (
            (IMAGES, LABELS),
            {"loss": nn.LogLoss},
            TypeError,
            r"loss is the class LogLoss: make one, loss=nn.LogLoss\(\)",
        ),
        ((IMAGES, LABELS), {"optimizer": nn.Adam}, TypeError, "optimizer is the class Adam: make one"),
        ((IMAGES, LABELS), {"optimizer": "adam"}, TypeError, r"such as nn.Adam\(model.parameters\(\)\), got 'adam'"),
        (
            (IMAGES, LABELS),
            {"optimizer": nn.Adam([nn.Parameter(1.0)])},
            ValueError,
            "the optimizer has none of the model's parameters",
        ),
        ((IMAGES, LABELS), {"callbacks": print}, TypeError, r"a list of functions, got .*: give \[print\]"),
        ((IMAGES, LABELS), {"callbacks": [3]}, TypeError, "callback number 0 must be a function"),
        ((IMAGES, LABELS[:, None]), {}, ValueError, r"class labels of shape \(6,\) are needed, got \(6, 1\)"),
        ((IMAGES, LABELS), {"validation": (IMAGES, LABELS + 9)}, ValueError, "validation: label 10 at position 1"),
    ],
)
def test_what_can_not_be_trained_is_told_before_anything_changes(data, options, error, message):
    net = network()
    before = net.state_dict()
    with pytest.raises(error, match=message):
        nn.fit(net, data, **{"loss": F.log_loss, "progress": False, **options})
    assert all((a == b).all() for a, b in zip(before.values(), net.state_dict().values(), strict=True))
    assert net.training


def test_fit_refuses_what_is_no_network_and_two_learning_rates():
    with pytest.raises(TypeError, match="model must be a Module, got function"):
        nn.fit(lambda x: x, (IMAGES, LABELS))
    net = network()
    with pytest.raises(ValueError, match="give either optimizer or lr"):
        nn.fit(net, (IMAGES, LABELS), optimizer=nn.Adam(net.parameters()), lr=0.1)

    class Numbers(nn.Module):
        def forward(self, x):
            return x.data

    with pytest.raises(TypeError, match="the model must return a Tensor, got ndarray"):
        nn.fit(Numbers(), (IMAGES, LABELS))


def test_a_network_of_tensors_is_evaluated_without_recording():
    class Whole(nn.Module):
        def forward(self, x):
            assert isinstance(x, Tensor)
            return x.reshape(len(x), -1)[:, :10] * 0.0

    loss, accuracy = nn.evaluate(Whole(), (IMAGES, LABELS))
    assert loss == pytest.approx(np.log(10))
    assert accuracy == 1 / 6


def test_on_step_is_called_after_each_step_of_the_optimiser():
    net = nn.Linear(2, 2, rng=0)
    seen, weights = [], [net.weight.data]

    def look(step, model, loss):
        seen.append((step, model is net, type(loss)))
        weights.append(net.weight.data)

    data = np.random.default_rng(0).normal(size=(5, 2)), np.array([0, 1, 1, 0, 1])
    nn.fit(net, data, epochs=2, batch_size=2, progress=False, on_step=look)
    assert seen == [(step, True, float) for step in range(1, 7)]
    assert all((a != b).any() for a, b in itertools.pairwise(weights))


def test_on_step_can_end_the_training_in_the_middle_of_an_epoch():
    net = nn.Linear(2, 2, rng=0)
    seen, epochs = [], []

    def stop_at_4(step, model, loss):
        seen.append(loss)
        return step == 4

    data = np.random.default_rng(0).normal(size=(6, 2)), np.arange(6) % 2
    history = nn.fit(
        net, data, epochs=9, batch_size=2, validation=data, progress=False, on_step=stop_at_4,
        callbacks=[lambda epoch, model, history: epochs.append(epoch)],
    )  # fmt: skip
    assert len(seen) == 4 and epochs == [1, 2]
    assert history.loss == pytest.approx([np.mean(seen[:3]), seen[3]])
    assert len(history.val_loss) == 2


def test_an_error_in_on_step_ends_the_training_and_leaves_the_mode():
    def fails(step, model, loss):
        raise RuntimeError("enough")

    net = nn.Linear(2, 2).eval()
    with pytest.raises(RuntimeError, match="enough"):
        nn.fit(net, (np.ones((4, 2)), [0, 1, 1, 0]), progress=False, on_step=fails)
    assert not net.training


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, r"on_step must be one function \(step, model, loss\), got int"),
        ([print], r"on_step must be one function \(step, model, loss\), got list"),
        (nn.Linear, "on_step is the class Linear: give a function"),
    ],
)
def test_on_step_must_be_a_function(given, message):
    net = network()
    before = net.state_dict()
    with pytest.raises(TypeError, match=message):
        nn.fit(net, (IMAGES, LABELS), loss=F.log_loss, progress=False, on_step=given)
    assert all((a == b).all() for a, b in zip(before.values(), net.state_dict().values(), strict=True))
