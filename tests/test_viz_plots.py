"""The pictures of training: which numbers they show, what they leave as it was, and what they refuse."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from plotcases import IMAGES, LABELS, network, texts, trained

import nn
import viz
from autograd import Tensor
from nn import functional as F


def everything():
    """Each kind of plot once."""
    net = network()
    recording, _ = trained(net)
    told = nn.fit(net, (IMAGES, LABELS), epochs=2, progress=False, validation=(IMAGES, LABELS))
    told.lr = [0.1, 0.05]
    yield viz.kernels(net[0], recording)
    yield viz.activations(net, IMAGES)
    yield viz.signal(net, IMAGES)
    yield viz.loss_surface(net, (IMAGES, LABELS), points=3)
    yield viz.loss_surface(net, (IMAGES, LABELS), "pca", points=3, path={"a": recording, "b": recording})
    yield viz.history(told)
    yield nn.fit(net, (IMAGES, LABELS), progress=False, diagnostics=True).plot()
    yield viz.history({"once": told, "again": told})
    yield viz.gradient_noise(net, (IMAGES, LABELS), F.cross_entropy, sizes=(1, 4), draws=2)
    yield viz.images({"once": IMAGES, "again": IMAGES[:3]})
    yield viz.heatmap(np.eye(3))
    yield viz.heatmap(np.eye(20))
    yield viz.through_time(nn.RNN(2, 3)(np.ones((5, 2), np.float32))[0].sum())


def test_every_plot_is_written_and_shown_with_named_axes(tmp_path):
    for plot in everything():
        written = plot.save(tmp_path / "plot.svg").read_text()
        assert ElementTree.fromstring(written).tag == "{http://www.w3.org/2000/svg}svg"
        assert plot.save(tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
        assert plot.name in repr(plot) and plot.name in written
        assert plot.figure.get_facecolor()[3] == 0 and all(a.get_facecolor()[3] == 0 for a in plot.figure.axes[:1])
        for axes in plot.figure.axes:
            assert axes.get_ylabel() or not len(axes.get_yticks())
            assert (
                axes.get_xlabel() or axes.get_label() == "<colorbar>" or not axes.xaxis.get_tick_params()["labelbottom"]
            )


def test_a_plot_is_the_same_for_the_same_numbers_whatever_the_user_set():
    import matplotlib

    kernel = np.eye(3).reshape(1, 1, 3, 3)
    plot = viz.kernels(kernel)
    before = plot.svg()
    assert plot.svg() == before
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert viz.kernels(kernel).svg() == before


def test_a_notebook_shows_an_image():
    plot = viz.kernels(np.eye(3).reshape(1, 1, 3, 3))
    shown = plot._repr_mimebundle_()
    assert shown["text/html"].startswith("<img src") and shown["text/plain"] == repr(plot)
    assert not plot._repr_mimebundle_(include=["image/png"])


def test_a_file_of_another_kind_is_refused(tmp_path):
    plot = viz.kernels(np.eye(3).reshape(1, 1, 3, 3))
    with pytest.raises(ValueError, match=r"known are \.svg \.png"):
        plot.save(tmp_path / "plot.jpg")


def test_importing_viz_does_not_import_matplotlib():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, viz; assert 'matplotlib' not in sys.modules"],
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.style", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'tracegrad\[plots\]'"):
        viz.kernels(np.ones((1, 1, 2, 2)))


# --- filters


def test_kernels_of_a_recording_are_those_of_each_moment():
    net = network()
    recording, states = trained(net)
    plot = viz.kernels(net[0], recording, moments=3)
    assert plot.data["labels"] == ["before training", "after 2 steps", "after 4 steps"]
    for row, state in zip(plot.data["filters"], states[::2], strict=True):
        np.testing.assert_array_equal(row, state["0.weight"][:, 0])


def test_kernels_of_a_list_of_arrays():
    arrays = [np.full((2, 3, 2, 2), float(i)) for i in range(3)]
    plot = viz.kernels(arrays[-1], arrays, channel=2)
    assert plot.data["labels"] == ["before", "during", "after"]
    np.testing.assert_array_equal(plot.data["filters"], [a[:, 2] for a in arrays])
    assert viz.kernels(arrays[0]).data["labels"] == ["channel 0", "channel 1", "channel 2"]
    assert viz.kernels(arrays[0], [*arrays, *arrays]).data["labels"][1] == "during, 1 of 5"


def test_kernels_of_a_dense_layer_are_images():
    layer = nn.Linear(64, 5, rng=0)
    np.testing.assert_array_equal(viz.kernels(layer).data["filters"][0], layer.weight.data.reshape(5, 8, 8))
    layer = nn.Linear(24, 5, rng=0)
    shown = viz.kernels(layer, image_shape=(2, 3, 4), channel=1).data["filters"]
    np.testing.assert_array_equal(shown[0], layer.weight.data.reshape(5, 2, 3, 4)[:, 1])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: viz.kernels(nn.ReLU()), TypeError, "layer must have a weight"),
        (lambda: viz.kernels(nn.Conv2d), TypeError, "layer must have a weight, .* got Conv2d"),
        (lambda: viz.kernels(nn.Linear(24, 2)), ValueError, "24 pixels .* no square: give image_shape="),
        (lambda: viz.kernels(nn.Linear(24, 2), image_shape=(5, 5)), ValueError, r"image_shape=\(5, 5\) does not hold"),
        (lambda: viz.kernels(np.ones(3)), ValueError, r"got \(3,\)"),
        (lambda: viz.kernels(nn.Conv2d(1, 2, 3), channel=1), ValueError, "channel must be from 0 to 0, got 1"),
        (lambda: viz.kernels(nn.Conv2d(1, 2, 3), 5), TypeError, "history must be a Recording or a list of arrays"),
        (lambda: viz.kernels(nn.Conv2d(1, 2, 3), [np.ones(2)]), ValueError, r"moment 0 of history has shape \(2,\)"),
        (lambda: viz.kernels(nn.Conv2d(1, 2, 3), trained(network())[0]), ValueError, "it is of another model"),
    ],
)
def test_kernels_refuse(call, error, says):
    with pytest.raises(error, match=says):
        call()


# --- activations and signals


def test_activations_are_those_of_evaluation_and_nothing_is_changed():
    net = network()
    net.train()
    data = viz.activations(net, IMAGES, example=2).data
    assert list(data) == ["x", "z⁽¹⁾", "a⁽¹⁾", "z⁽²⁾"] and net.training and net[2].training
    np.testing.assert_array_equal(data["z⁽²⁾"], net.eval()(IMAGES).data[2])
    np.testing.assert_array_equal(data["a⁽¹⁾"], np.maximum(data["z⁽¹⁾"], 0))
    assert all(p.grad is None for p in net.parameters())
    assert list(viz.activations(net, IMAGES, ["a⁽¹⁾"]).data) == ["a⁽¹⁾"]


def test_signal_measures_what_is_on_the_tape():
    net = network().eval()
    plot = viz.signal(net, IMAGES, lambda z: F.cross_entropy(z, LABELS))
    z = net[0](IMAGES).data
    assert plot.data["z"][1] == pytest.approx((z.mean(), z.var()), rel=1e-5)
    F.cross_entropy(net(IMAGES), LABELS).backward()
    for layer, module in ((1, net[0]), (2, net[4])):
        grad = module.weight.grad
        assert plot.data["∂W"][layer] == pytest.approx((grad.mean(), grad.var()), rel=1e-4, abs=1e-9)
    assert str(plot).splitlines()[0].split() == ["layer", "mean", "z", "var", "z", "mean", "a", "var", "a", "mean", "∂z", "var", "∂z", "mean", "∂a", "var", "∂a", "mean", "∂W", "var", "∂W"]  # fmt: skip  # noqa: E501


def test_signal_of_tanh_layers_with_xavier_stays_and_with_small_weights_fades():
    x = np.random.default_rng(0).normal(size=(200, 100))
    variances = {}
    for what, fill in (
        ("xavier", nn.init.xavier_normal_),
        ("small", lambda w, rng: nn.init.normal_(w, 0, 0.01, rng=rng)),
    ):
        net = nn.Sequential(*(nn.Linear(100, 100, bias=False, rng=0) for _ in range(5)))
        for i, layer in enumerate(net):
            fill(layer.weight, rng=i)
        data = viz.signal(net, x).data
        variances[what] = data["z"][5][1], data["∂z"][1][1]
    assert 0.5 < variances["xavier"][0] < 2 and 0.5 < variances["xavier"][1] < 2
    # each layer multiplies the variance by 100 · 0.01² = 0.01; there are four between them
    assert variances["small"][0] == pytest.approx(1e-10, rel=0.5) and variances["small"][1] == pytest.approx(
        1e-8, rel=0.5
    )


@pytest.mark.parametrize("function", [viz.activations, viz.signal])
@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        (nn.Sequential, TypeError, "model is the class Sequential: make one"),
        (np.exp, TypeError, "model must be called with inputs and have parameters"),
        (nn.Sequential(nn.Flatten()), ValueError, "nothing on the tape is called"),
    ],
)
def test_what_is_no_model_is_refused(function, model, error, says):
    x = Tensor(IMAGES) if error is ValueError else IMAGES
    if function is viz.activations and error is ValueError:
        x.name, says = "", "nothing on the tape is called"
    with pytest.raises(error, match=says):
        function(model, x)


def test_activations_refuse_an_example_that_is_not_there():
    with pytest.raises(ValueError, match="there are 8 examples, no example 8"):
        viz.activations(network(), IMAGES, example=8)


# --- the course of a training


def test_history_shows_what_was_measured():
    told = nn.fit(network(), (IMAGES, LABELS), epochs=3, progress=False)
    plot = viz.history(told)
    assert plot.data == {"": {"loss": told.loss, "accuracy": told.accuracy, "lr": [1e-3] * 3}}
    assert texts(plot.figure) == {"epoch", "loss L", "accuracy (%)", "learning rate η"}
    with pytest.raises(TypeError, match=r"what nn\.fit returned is needed"):
        viz.history(3)
    with pytest.raises(ValueError, match="no epoch was trained"):
        viz.history(nn.History())


def test_a_history_with_diagnostics_shows_its_layers():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    told = nn.fit(net, (IMAGES, LABELS), epochs=3, progress=False, diagnostics=nn.Diagnostics(every=1))
    plot, found = told.plot(), told.diagnostics
    layers = plot.data["layers"]
    assert layers["steps"] == [1, 2, 3] and layers["grad_norm"] == found.grad_norm and layers["dead"] == found.dead
    assert {"norm ‖∇W‖", "‖ΔW‖ / ‖W‖", "share of units (%)", "share of values (%)", "weights"} <= texts(plot.figure)
    for what, made in layers["histograms"].items():
        for name, (shares, low, high) in made.items():
            assert shares.shape[1] == 3 and np.allclose(shares.sum(axis=0), 1) and low < high, (what, name)


# --- images, and the noise of gradients


def test_images_are_shown_in_rows():
    plot = viz.images({"digits": Tensor(IMAGES), "some": IMAGES[:2, 0]}, most=3)
    assert {label: row.shape for label, row in plot.data.items()} == {"digits": (3, 8, 8), "some": (2, 8, 8)}
    assert [t.get_text() for t in plot.figure.axes[0].texts] == ["digits", "some"]
    np.testing.assert_array_equal(viz.images(IMAGES[:2]).data[""], IMAGES[:2, 0])
    for wrong in (
        np.zeros((2, 3, 8, 8)),
        np.zeros((0, 8, 8)),
        {"a": np.zeros((1, 8, 8)), "b": np.zeros((1, 7, 8))},
        {},
    ):
        with pytest.raises(ValueError, match="images"):
            viz.images(wrong)


def test_noise_is_the_distance_of_the_gradients_and_nothing_is_changed():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3, dtype=np.float64, rng=1))
    x = IMAGES.astype(np.float64)
    plot = viz.gradient_noise(net, (x, LABELS), F.cross_entropy, sizes=(1, 2, 8, 99), draws=400)
    assert all(p.grad is None for p in net.parameters()) and list(plot.data["noise"]) == [1, 2, 8]
    gradients = []
    for i in [slice(None), *([i] for i in range(8))]:
        net.zero_grad()
        F.cross_entropy(net(x[i]), LABELS[i]).backward()
        gradients.append(np.concatenate([p.grad.ravel() for p in net.parameters()]))
    apart = np.square(np.array(gradients[1:]) - gradients[0]).sum(axis=1)
    norm = np.linalg.norm(gradients[0])
    assert plot.data["norm"] == pytest.approx(norm)
    assert plot.data["noise"][1] == pytest.approx(np.sqrt(apart.mean()) / norm, rel=0.05)
    for size in (2, 8):
        assert plot.data["noise"][size] == pytest.approx(plot.data["expected"][size], rel=0.05, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"data": 3}, TypeError, "data must be a pair"),
        ({"sizes": (9,)}, ValueError, "sizes and draws must be from 1 to the 8 examples"),
        ({"sizes": (0,)}, ValueError, "sizes and draws must be from 1 to the 8 examples"),
        ({"loss": lambda z, y: (z * 0).sum()}, ValueError, "norm of the gradient of all examples is 0"),
    ],
)
def test_gradient_noise_refuses(options, error, says):
    with pytest.raises(error, match=says):
        viz.gradient_noise(network(), **{"data": (IMAGES, LABELS), "loss": F.cross_entropy, **options})
