"""`viz.record`: the graph of one loss at several moments of a training, which goes on as if nobody had watched."""

import gc
import io

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor, no_grad
from nn import functional as F

IMAGES = np.random.default_rng(0).normal(size=(8, 1, 6, 6)).astype(np.float32)
LABELS = np.arange(8) % 3
POINTS = np.random.default_rng(1).normal(size=(6, 2))
CLASSES = np.arange(6) % 2


class BatchNorm(nn.Module):
    """Running statistics: one written into in place, one bound anew, and a counter that is no buffer."""

    def __init__(self, channels):
        self.weight = nn.Parameter(np.ones(channels, np.float32))
        self.register_buffer("mean", np.zeros(channels, np.float32))
        self.register_buffer("var", np.ones(channels, np.float32))
        self.calls = 0

    def forward(self, x):
        mean, var = self.mean, self.var
        if self.training:
            mean, var = x.data.mean((0, 2, 3)), x.data.var((0, 2, 3))
            self.mean *= np.float32(0.9)
            self.mean += np.float32(0.1) * mean
            self.var = np.float32(0.9) * self.var + np.float32(0.1) * var
        self.calls += 1
        shape = (-1, 1, 1)
        return (x - mean.reshape(shape)) / np.sqrt(var + np.float32(1e-5)).reshape(shape) * self.weight.reshape(shape)


def convolutional(rng=None):
    nn.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=0), BatchNorm(2), nn.ReLU(), nn.Dropout(0.3, rng=rng), nn.Flatten(),
        nn.Linear(32, 3, rng=1), nn.Dropout(0.1),
    )  # fmt: skip


def small():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Sigmoid(), nn.Linear(3, 2, rng=1))


def trained(net, steps, after=lambda: None, lr=0.1):
    optimizer = nn.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(net(POINTS), CLASSES).backward()
        optimizer.step()
        after()


def watched(every=20, **options):
    net = small()
    return net, viz.record(net, lambda: F.cross_entropy(net(POINTS), CLASSES), every=every, **options)


def steps_of(recording):
    return [s.step for s in recording]


# --- which moments are kept


def test_a_snapshot_is_kept_before_training_and_after_every_kth_step():
    net, recording = watched(every=3)
    trained(net, 7, recording.update)
    assert steps_of(recording) == [0, 3, 6]
    assert [s.label for s in recording] == ["before training", "after 3 steps", "after 6 steps"]
    assert recording.updates == 7 and len(recording) == 3 and recording[-1] is recording.snapshots[2]


def test_each_snapshot_has_the_loss_the_parameters_and_the_gradients_of_its_moment():
    net, recording = watched(every=2)
    wanted = []

    def look():
        recording.update()
        if recording.updates % 2 == 0:
            net.zero_grad()
            loss = F.cross_entropy(net(POINTS), CLASSES)
            loss.backward()
            wanted.append((loss.item(), [p.data for p in net.parameters()], [p.grad for p in net.parameters()]))

    trained(net, 6, look)
    for snapshot, (loss, values, grads) in zip(recording[1:], wanted, strict=True):
        gradients = snapshot.tape.gradients()
        assert snapshot.loss == loss
        assert all((node.value == value).all() for node, value in zip(snapshot.parameters, values, strict=True))
        assert all((gradients[node] == g).all() for node, g in zip(snapshot.parameters, grads, strict=True))


def test_a_snapshot_can_be_asked_for_and_labelled_at_any_time():
    net, recording = watched(every=4)
    trained(net, 5, recording.update)
    taken = recording.snap()
    assert (taken.step, taken.label) == (5, "after 5 steps") and recording[-1] is taken
    assert recording.snap("the end").label == "the end"
    assert steps_of(recording) == [0, 4, 5]


def test_asking_twice_for_one_moment_gives_one_snapshot():
    net, recording = watched(every=2)
    trained(net, 2, recording.update)
    recording.snap()
    recording.snap()
    assert steps_of(recording) == [0, 2]
    trained(net, 1)
    recording.snap()
    assert steps_of(recording) == [0, 2, 2]
    assert recording[1].loss != recording[2].loss


def test_above_the_limit_the_first_and_the_newest_stay_and_those_asked_for():
    net, recording = watched(every=1, limit=4)
    trained(net, 3, recording.update)
    recording.snap("mine")
    assert steps_of(recording) == [0, 1, 2, 3]
    trained(net, 2, recording.update)
    assert steps_of(recording) == [0, 2, 3, 4, 5]
    trained(net, 20, recording.update)
    assert steps_of(recording) == [0, 3, 8, 16, 25]
    assert recording[1].label == "mine"


@pytest.mark.parametrize(("limit", "steps"), [(2, [0, 30]), (3, [0, 16, 30]), (5, [0, 8, 16, 24, 30])])
def test_a_limit_never_ends_the_recording_before_the_training(limit, steps):
    net, recording = watched(every=1, limit=limit)
    trained(net, 30, recording.update)
    assert steps_of(recording) == steps
    last = recording[-1]
    assert last.loss == pytest.approx(float(recording.snap().loss), rel=1e-12)


@pytest.mark.parametrize("limit", [3, 4, 7, 10])
def test_what_a_limit_leaves_is_spread_over_the_training(limit):
    _, recording = watched(every=2, limit=limit)
    for step in range(1, 101):
        recording.update()
        kept = steps_of(recording)
        assert kept[0] == 0 and kept[-1] == step // 2 * 2 and len(kept) <= limit
        gaps = np.diff(kept)
        assert not gaps.size or max(gaps) <= max(4.0 * kept[-1] / len(kept), 4)


def test_without_a_limit_nothing_goes():
    net, recording = watched(every=1, limit=None)
    trained(net, 60, recording.update)
    assert steps_of(recording) == list(range(61))


def test_fit_takes_the_recording_as_its_on_step():
    net, recording = watched(every=2)
    nn.fit(net, (POINTS, CLASSES), epochs=3, batch_size=3, seed=0, progress=False, on_step=recording.update)
    assert steps_of(recording) == [0, 2, 4, 6]


def test_the_loss_may_take_the_model():
    net = small()
    recording = viz.record(net, lambda model: F.cross_entropy(model(POINTS), CLASSES))
    assert recording[0].loss == F.cross_entropy(net(POINTS), CLASSES).item()


# --- training goes on as if nobody had watched


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("rng", [None, 3])
def test_watching_changes_no_bit_of_what_is_trained(mode, rng):
    def train(watch):
        net = convolutional(rng)
        if watch:
            recording = viz.record(net, lambda: F.cross_entropy(net(IMAGES[:2]), LABELS[:2]), every=1, mode=mode)
        options = {"on_step": recording.update} if watch else {}
        history = nn.fit(net, (IMAGES, LABELS), epochs=4, batch_size=4, lr=0.05, progress=False, **options)
        return net, history

    (plain, alone), (net, beside) = train(False), train(True)
    for name, array in plain.state_dict().items():
        assert array.tobytes() == net.state_dict()[name].tobytes(), name
    assert alone.loss == beside.loss


def test_modes_buffers_counters_and_gradients_are_what_they_were():
    net = convolutional()
    net(IMAGES)
    F.cross_entropy(net(IMAGES), LABELS).backward()
    net[3].eval()
    norm = net[1]
    mean, var, calls = norm.mean, norm.var, norm.calls
    copies, modes = (mean.copy(), var.copy()), [m.training for m in net.modules()]
    own = [p.grad for p in net.parameters()]

    def closure():
        net.zero_grad()
        loss = F.cross_entropy(net(IMAGES), LABELS)
        loss.backward()
        return loss

    viz.record(net, closure, mode="train").snap()
    assert norm.mean is mean and norm.var is var and norm.calls == calls
    assert (mean == copies[0]).all() and (var == copies[1]).all()
    assert [m.training for m in net.modules()] == modes
    assert all(p.grad is g for p, g in zip(net.parameters(), own, strict=True))


def test_an_attribute_that_the_loss_fills_is_none_again():
    net = small()
    net.cache = None

    def loss(net):
        net.cache = 1.0 if net.cache is None else net.cache + 1.0
        return net.cache * F.cross_entropy(net(POINTS), CLASSES)

    recording = viz.record(net, loss)
    assert net.cache is None
    assert recording.snap().loss == recording[0].loss


def test_everything_is_put_back_where_the_loss_fails():
    net = convolutional()
    start = net.state_dict()

    def fails():
        net(IMAGES)
        raise RuntimeError("no digits today")

    with pytest.raises(RuntimeError, match="no digits today"):
        viz.record(net, fails, mode="train")
    assert all(m.training for m in net.modules())
    assert all((a == b).all() for a, b in zip(start.values(), net.state_dict().values(), strict=True))


def test_numpys_own_generator_is_put_back():
    net = small()
    np.random.seed(3)  # noqa: NPY002
    wanted = np.random.rand()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    recording = viz.record(net, lambda: F.cross_entropy(net(POINTS + np.random.rand()), CLASSES))  # noqa: NPY002
    recording.snap()
    assert np.random.rand() == wanted  # noqa: NPY002


def test_in_training_mode_every_snapshot_has_the_same_masks():
    net = convolutional()
    recording = viz.record(net, lambda: F.cross_entropy(net(IMAGES[:2]), LABELS[:2]), mode="train")
    net(IMAGES)
    assert recording.snap("again").loss == recording[0].loss
    assert any((np.asarray(a) == 0).any() for n in recording[0].tape for a in n.operands if isinstance(a, np.ndarray))


def test_dropout_is_off_unless_told():
    net = convolutional()
    recording = viz.record(net, lambda: F.cross_entropy(net(IMAGES[:2]), LABELS[:2]))
    assert recording[0].loss == F.cross_entropy(net.eval()(IMAGES[:2]), LABELS[:2]).item()


def test_a_snapshot_is_recorded_inside_no_grad_too():
    _, recording = watched(every=1)
    with no_grad():
        recording.update()
    assert recording[1].tape.root.needs_grad
    assert recording[1].norms == recording[0].norms


def test_recording_leaves_nothing_for_the_cycle_collector():
    net, recording = watched(every=2, limit=4)
    trained(net, 3, recording.update)
    gc.collect()
    trained(net, 20, recording.update)
    del recording
    assert gc.collect() == 0


# --- one graph


def test_records_stand_in_one_order_whichever_parameters_are_trained():
    net = small()
    x = Tensor(POINTS, dtype=np.float32, name="points")
    recording = viz.record(net, lambda: F.cross_entropy(net(x), CLASSES), every=1)
    optimizer = nn.SGD([net[2].weight], lr=0.1)
    for _ in range(2):
        F.cross_entropy(net(x), CLASSES).backward()
        optimizer.step()
        recording.update()
    orders = [[(n.op, n.name, n.shape) for n in s.tape] for s in recording]
    assert orders[0] == orders[1] == orders[2]
    tape = recording[-1].tape
    assert all(tape.index(node) == i and tape[i] is node for i, node in enumerate(tape))
    assert tape.value(tape.root) == recording[-1].loss
    assert (tape["points"].value == x.data).all()


U, V = Tensor(2.0, name="u"), Tensor(3.0, name="v")


def crossed(a, swap):
    b, c = a + 1.0, a + 2.0
    return (b * b) * c if swap else (b * c) * b


@pytest.mark.parametrize(
    ("change", "message", "loss"),
    [
        (
            lambda net, box: box.update(on=True),
            r"update: the graph of the loss after 2 steps is not .* first snapshot: "
            r".* at test_viz_record.py:\d+ is tanh of shape \(\), float32, and was exp of shape \(\), float32\. A reco",
            lambda net, box: (np.tanh if box["on"] else np.exp)(F.cross_entropy(net(box["x"]), CLASSES)),
        ),
        (
            lambda net, box: box.update(x=POINTS[:1]),
            r"x, operand 0 of \w+, %\d+ at .*, is leaf .*of shape \(1, 2\), float32, and was leaf .*of shape \(6, 2\)",
            lambda net, box: net(box["x"]).sum(),
        ),
        (
            lambda net, box: box.update(on=True),
            r"operations, and had \d+; new is multiply of shape \(\), float32, %\d+ at",
            lambda net, box: net(POINTS).sum() * 2.0 if box["on"] else net(POINTS).sum(),
        ),
        (
            lambda net, box: box.update(on=True),
            r"is getitem\(index=1\), and was getitem\(index=0\)",
            lambda net, box: net(POINTS).sum(axis=0)[int(box["on"])],
        ),
        (
            lambda net, box: net[0].weight.requires_grad_(False),
            r"W⁽¹⁾, operand 1 of .*, is parameter \(no gradient\) of shape \(3, 2\), float32, and was parameter of",
            lambda net, box: net(POINTS).sum(),
        ),
        (
            lambda net, box: box.update(on=True),
            r"operand 1 of multiply, %\d+ at .*, is %\d+, and was %\d+",
            lambda net, box: crossed(net(POINTS).sum(), box["on"]),
        ),
        (
            lambda net, box: box.update(on=True),
            r"operand 1 of multiply, %\d+ at .*, is u, and was v",
            lambda net, box: net(POINTS).sum() * U * (U if box["on"] else V),
        ),
    ],
)
def test_another_graph_is_refused_with_its_first_difference_and_nothing_is_lost(change, message, loss):
    net = small()
    box = {"x": POINTS, "on": False}
    recording = viz.record(net, lambda: loss(net, box), every=1)
    recording.update()
    change(net, box)
    before = recording.snapshots
    with pytest.raises(ValueError, match=message):
        recording.update()
    assert recording.snapshots is before and recording.updates == 2


def test_after_a_refused_graph_recording_goes_on():
    net = small()
    box = [np.exp]
    recording = viz.record(net, lambda: box[0](F.cross_entropy(net(POINTS), CLASSES)), every=1)
    box[0] = np.tanh
    with pytest.raises(ValueError, match="tanh"):
        recording.update()
    box[0] = np.exp
    recording.update()
    assert steps_of(recording) == [0, 2]


# --- as text


def test_it_prints_as_a_table_of_losses_and_norms():
    net, recording = watched(every=2)
    trained(net, 4, recording.update)
    lines = str(recording).splitlines()
    assert lines[0].split() == [
        "step", "loss", "‖W⁽¹⁾‖", "‖∂L/∂W⁽¹⁾‖", "‖b⁽¹⁾‖", "‖∂L/∂b⁽¹⁾‖", "‖W⁽²⁾‖", "‖∂L/∂W⁽²⁾‖", "‖b⁽²⁾‖", "‖∂L/∂b⁽²⁾‖",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["0", "2", "4"]
    assert len({len(line) for line in lines}) == 1
    net.zero_grad()
    F.cross_entropy(net(POINTS), CLASSES).backward()
    last = [float(cell) for cell in lines[-1].split()]
    assert last[2] == pytest.approx(np.linalg.norm(net[0].weight.data), rel=1e-3)
    assert last[3] == pytest.approx(np.linalg.norm(net[0].weight.grad), rel=1e-3)
    assert repr(recording) == "<Recording of 3 snapshots, 4 steps>"
    assert repr(recording[0]) == f"<Snapshot before training: loss {recording[0].loss:.4g}>"


def test_a_parameter_without_a_gradient_has_none_in_the_table():
    net = small()
    net[0].weight.requires_grad_(False)
    recording = viz.record(net, lambda: F.cross_entropy(net(POINTS), CLASSES))
    assert str(recording).splitlines()[1].split()[3] == "—"
    assert recording[0].norms[0][1] is None


def test_a_long_table_says_what_it_leaves_out():
    net = nn.Sequential(*(nn.Linear(2, 2, rng=i) for i in range(5)))
    recording = viz.record(net, lambda: net(POINTS).sum())
    assert str(recording).splitlines()[-1].startswith("… and 4 more parameters")
    assert len(recording[0].norms) == 10


def test_a_loss_that_is_no_number_is_kept_and_shown():
    net = small()
    scale = [1.0]
    recording = viz.record(net, lambda: net(POINTS).sum() * scale[0], every=1)
    scale[0] = np.nan
    recording.update()
    assert str(recording).splitlines()[2].split()[1] == "NaN"


# --- the step view


def test_the_step_view_opens_at_the_last_snapshot_and_has_a_frame_for_each():
    net, recording = watched(every=2)
    trained(net, 5, recording.update)
    stepper = recording.step(watch=[net[2].bias], break_at="backward")
    assert stepper.walk.tape is recording[2].tape
    assert stepper.current.title == "BACKWARD  starts at L"
    assert [label for label, _ in stepper.frames] == [s.label for s in recording]
    titles = [step.title for step in stepper]
    for (_, walk), snapshot in zip(stepper.frames, recording, strict=True):
        assert [step.title for step in walk] == titles
        assert next(step for step in walk if step.phase == "seed").number == stepper.position
        assert walk.tape.value(walk.tape.root) == snapshot.loss


# --- other models, and bad input


class Line:
    """A model that is no nn.Module."""

    def __init__(self):
        self.w = Tensor(2.0, name="w")
        self.training = True
        self.seen = io.StringIO()  # what is written to a file is not taken back

    def parameters(self):
        return [self.w]

    def __call__(self, x):
        print(self.training, file=self.seen)
        return self.w * x


def test_a_model_need_only_have_parameters():
    line = Line()
    recording = viz.record(line, lambda: line(3.0) ** 2, every=1)
    line.w.data = line.w.data - 1.0
    recording.update()
    assert [s.loss for s in recording] == [36.0, 9.0]
    assert [s.norms for s in recording] == [((2.0, 36.0),), ((1.0, 18.0),)]
    assert line.seen.getvalue().split() == ["False", "False"] and line.training


NET = small()


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((print, print), {}, TypeError, r"model must have parameters\(\), .* got builtin_function_or_method"),
        ((nn.Linear, print), {}, TypeError, r"model is the class Linear: make one, Linear\(…\)"),
        ((nn.ReLU(), lambda: 0), {}, ValueError, "the model, ReLU, has no parameters"),
        ((NET, 3.0), {}, TypeError, r"loss must be a function .* loss\(\) or loss\(model\), got float"),
        ((NET, NET(POINTS).sum()), {}, TypeError, "loss must be a function .*, got Tensor"),
        ((NET, nn.LogLoss), {}, TypeError, "got the class LogLoss"),
        ((NET, nn.LogLoss()), {}, TypeError, r"got one that takes \(\w+, target\)"),
        ((NET, lambda out, y: 0), {}, TypeError, r"got one that takes \(out, y\): write lambda"),
        ((NET, lambda: 0.5), {}, TypeError, "loss must return a Tensor, got float"),
        ((NET, lambda: NET(POINTS)), {}, ValueError, r"one number, got a Tensor of shape \(6, 2\): take its \.sum"),
        ((NET, lambda: NET(POINTS).sum().detach()), {}, TypeError, "this Tensor has no recorded history"),
        ((NET, no_grad(lambda: NET(POINTS).sum())), {}, TypeError, "while recording was off"),
        ((NET, lambda: small()(POINTS).sum()), {}, ValueError, "none of the model's parameters is on the graph"),
        ((NET, lambda: NET(POINTS).sum()), {"every": 0}, ValueError, "every must be an integer of at least 1, got 0"),
        ((NET, lambda: NET(POINTS).sum()), {"every": True}, ValueError, "every must be an integer .* got True"),
        ((NET, lambda: NET(POINTS).sum()), {"every": 2.5}, ValueError, "every must be an integer .* got 2.5"),
        ((NET, lambda: NET(POINTS).sum()), {"limit": 1}, ValueError, "limit must be an integer of at least 2, or None"),
        ((NET, lambda: NET(POINTS).sum()), {"mode": "test"}, ValueError, "mode must be 'eval' or 'train', got 'test'"),
    ],
)
def test_what_can_not_be_recorded_is_told(arguments, options, error, message):
    with pytest.raises(error, match=message):
        viz.record(*arguments, **options)
    assert NET.training


def test_a_label_must_be_a_string():
    _, recording = watched()
    with pytest.raises(TypeError, match="label must be a string, got int"):
        recording.snap(3)
    assert len(recording) == 1


def test_a_notebook_shows_a_recording_as_a_table_of_its_snapshots():
    w = Tensor(1.0, name="w")

    class Model:
        def parameters(self):
            return [w]

    recording = viz.record(Model(), lambda: w * w, every=1)
    w.data = w.data - 0.5
    recording.update()
    html = recording._repr_html_()
    assert html.count("<tr>") == 3 and "‖∂L/∂w‖" in html
