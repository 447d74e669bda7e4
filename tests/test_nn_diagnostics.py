"""What is measured of layers while they train: the numbers, that measuring changes none, and what is called off."""

import subprocess
import sys

import numpy as np
import pytest

import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 5)).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(int)


def network(activation=nn.ReLU):
    return nn.Sequential(nn.Linear(5, 6, rng=0), activation(), nn.Dropout(0.2, rng=2), nn.Linear(6, 2, rng=1))


def fit(net, **options):
    options = {"epochs": 3, "batch_size": 32, "seed": 0, "progress": False, **options}
    return nn.fit(net, (X, Y), **options)


def test_a_run_has_the_same_numbers_with_and_without():
    plain, watched = network(), network()
    told = fit(plain), fit(watched, diagnostics=nn.Diagnostics(every=1))
    assert told[0].loss == told[1].loss and told[0].diagnostics is None
    for p, q in zip(plain.parameters(), watched.parameters(), strict=True):
        assert np.array_equal(p.data, q.data)
    assert watched[1]._hooks is None


def test_measured_are_norms_and_ratios_of_the_steps():
    net, seen = network(), []

    def look(step, model, loss):
        seen.append([(p.data.copy(), p.grad.copy()) for p in model.parameters()])

    start = [p.data.copy() for p in net.parameters()]
    found = fit(net, diagnostics=nn.Diagnostics(every=4), on_step=look).diagnostics
    assert found.steps == [1, 5, 9]
    for k, step in enumerate(found.steps):
        (w, gw), (_, gb) = seen[step - 1][:2]
        old = start[0] if step == 1 else seen[step - 2][0][0]
        norm = np.sqrt(np.sum(np.square(gw, dtype=float)) + np.sum(np.square(gb, dtype=float)))
        assert found.grad_norm["0"][k] == pytest.approx(norm)
        assert found.update_ratio["0"][k] == pytest.approx(np.linalg.norm(w - old) / np.linalg.norm(old), rel=1e-5)
    assert {what: list(of) for what, of in found.histograms.items()} == {
        "weights": ["0", "3"], "gradients": ["0", "3"], "activations": ["1"],
    }  # fmt: skip
    counts, edges = found.histograms["weights"]["0"][0]
    assert counts.sum() == 30 and len(edges) == len(counts) + 1


def test_dead_units_and_saturated_values_are_counted():
    net = network()
    net[0].bias.data = np.array([-100, -100, -100, 0, 0, 0], np.float32)
    found = fit(net, diagnostics=True).diagnostics
    assert found.dead["1"][0] == 0.5 and any("50% of its ReLUs are dead" in line for line in found.warnings)
    for activation in (nn.Tanh, nn.Sigmoid):
        net = network(activation)
        net[0].weight.data = net[0].weight.data * 100
        told = fit(net, diagnostics=True)
        assert told.diagnostics.saturated["1"][0] > 0.8 and "values are saturated" in str(told)


@pytest.mark.parametrize(("lr", "says"), [(1.0, "lower the rate"), (1e-9, "raise the rate")])
def test_a_rate_that_is_off_is_named(lr, says):
    assert any(says in line for line in fit(network(), lr=lr, diagnostics=True).diagnostics.warnings)


def test_gradients_that_vanish_are_named():
    layers = [part for i in range(8) for part in (nn.Linear(5, 5, rng=i), nn.Sigmoid())]
    net = nn.Sequential(*layers, nn.Linear(5, 2, rng=9))
    assert any("gradients vanish: in layer 0" in line for line in fit(net, diagnostics=True).diagnostics.warnings)


def test_nothing_is_off_in_a_healthy_run():
    images, labels = (a[:640] for a in nn.datasets.mnist())
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 13 * 13, 10, rng=1)
    )
    told = nn.fit(net, (images, labels), epochs=2, seed=0, progress=False, diagnostics=True)
    assert told.diagnostics.warnings == [] and "nothing is off" in str(told.diagnostics)


def test_what_is_no_diagnostics_is_refused():
    with pytest.raises(TypeError, match=r"diagnostics must be True or an nn\.Diagnostics, got 3"):
        fit(network(), diagnostics=3)
    with pytest.raises(ValueError, match="every must be an integer of at least 1, got 0"):
        nn.Diagnostics(every=0)
    used = fit(network(), diagnostics=True).diagnostics
    with pytest.raises(ValueError, match="have measured another run"):
        fit(network(), diagnostics=used)
    assert str(nn.Diagnostics()) == "Diagnostics: nothing was measured yet"


def test_without_viz_a_plot_says_how_to_get_it():
    code = "import nn\ntry: nn.History().plot()\nexcept ImportError as e: print(e)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "import viz" in done.stdout and "viz.history(history)" in done.stdout
