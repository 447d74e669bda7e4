"""The surface of a loss: over which plane, with which paths on it, and step by step."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from plotcases import IMAGES, LABELS, mean_loss, network, texts, trained

import nn
import viz
from nn import functional as F


def test_the_centre_of_the_surface_is_the_loss_of_the_model_which_stays():
    net = network().train()
    before = [p.data for p in net.parameters()]
    plot = viz.loss_surface(net, (IMAGES, LABELS), points=3, span=0.5)
    assert all(p.data is b for p, b in zip(net.parameters(), before, strict=True)) and net.training
    assert plot.data["loss"][1, 1] == pytest.approx(mean_loss(net.eval()).item(), rel=1e-5)
    assert plot.data["loss"].min() > 0 and np.ptp(plot.data["loss"]) > 1e-3
    for same in (mean_loss, lambda: mean_loss(net)):
        np.testing.assert_allclose(
            viz.loss_surface(net, same, points=3, span=0.5).data["loss"], plot.data["loss"], rtol=1e-5
        )
    given = viz.loss_surface(net, (IMAGES, LABELS), points=3, span=0.5, loss=F.cross_entropy)
    np.testing.assert_allclose(given.data["loss"], plot.data["loss"], rtol=1e-5)


def test_random_directions_have_the_norms_of_the_filters():
    from viz.plots.directions import plane_of

    net = network()
    plane = plane_of(net, "random", {}, np.random.default_rng(0))
    for direction in plane.directions:
        first = direction[:36].reshape(4, 9)
        np.testing.assert_allclose(
            np.linalg.norm(first, axis=1), np.linalg.norm(net[0].weight.data.reshape(4, 9), axis=1)
        )
        assert not direction[36:40].any()


def test_the_surface_over_two_weights_is_that_of_these_weights():
    net = nn.Sequential(nn.Linear(2, 1, dtype=np.float64, rng=0))
    x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [2.0]])
    plot = viz.loss_surface(net, (x, y), ("0.weight[0, 0]", "W⁽¹⁾[0, 1]"), span=1, points=5)
    b = net[0].bias.data
    a, c = np.meshgrid(plot.data["x"], plot.data["y"])
    np.testing.assert_allclose(plot.data["loss"], ((a + b - 1) ** 2 + (c + b - 2) ** 2) / 2)
    assert plot.data["x"][2] == pytest.approx(net[0].weight.data[0, 0])


def test_the_path_over_two_weights_is_where_they_were():
    net = network()
    recording, states = trained(net)
    names = ("0.bias[1]", "4.weight[2, 5]")
    plot = viz.loss_surface(net, (IMAGES, LABELS), names, path={"recorded": recording, "states": states}, points=3)
    places = [[state["0.bias"][1], state["4.weight"][2, 5]] for state in states]
    for where, _ in plot.data["paths"].values():
        np.testing.assert_allclose(where, places, atol=1e-6)


def test_principal_directions_hold_a_path_in_a_plane():
    net = nn.Sequential(nn.Linear(3, 1, bias=False, dtype=np.float64, rng=0))
    start = net[0].weight.data
    e, f = np.array([[0.6, 0.8, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    states = [{"0.weight": start + a * e + b * f} for a, b in ((3, 0), (2, 1), (0.5, 0.3), (0, 0))]
    x, y = np.eye(3), np.ones((3, 1))
    plot = viz.loss_surface(net, (x, y), "pca", path=states, points=3)
    assert sum(plot.data["explained"]) == pytest.approx(1)
    losses = plot.data["paths"]["path"][1]
    np.testing.assert_allclose(losses, [np.square(s["0.weight"] - 1).mean() for s in states])


def test_paths_move_step_by_step_and_stay_where_they_end(tmp_path):
    net = network()
    _, states = trained(net)
    surface = viz.loss_surface(net, (IMAGES, LABELS), ("0.bias[1]", "4.bias[0]"), path={"a": states, "b": states[:3]},
                               points=3)  # fmt: skip
    motion = surface.animate(seconds=6)
    assert (
        motion.steps == [0, 1, 2, 3, 4]
        and motion.data is not surface.data
        and texts(motion.figure) >= {"step", "4.bias[0]"}
    )
    svg = motion.save(tmp_path / "motion.svg").read_text()
    parts = [one for one in ElementTree.fromstring(svg).iter() if (one.get("id") or "").startswith(("head-", "line-"))]
    assert len({part.get("id") for part in parts}) == len(parts)
    seen = {}  # what is seen at each of the 4 + 1 moments and the one in which the end stays
    for part in parts:
        moved = part.find("{http://www.w3.org/2000/svg}animate")
        values, times = ["visible"], [0.0]
        if moved is not None:
            assert moved.get("dur") == "6s"
            values, times = moved.get("values").split(";"), list(map(float, moved.get("keyTimes").split(";")))
        seen[part.get("id")] = [values[np.searchsorted(times, (k + 0.5) / 6) - 1] == "visible" for k in range(6)]
        at_rest = part.get("visibility", "visible") == "visible"
        assert at_rest == seen[part.get("id")][-1]  # without motion, the end
    assert all(seen[f"head-{k}-{i}-path"] == [m == k or (k == 4 and m == 5) for m in range(6)]
               for k in range(5) for i in "01")  # fmt: skip
    assert all(seen[f"line-{k}-0-loss"] == [m >= k for m in range(6)] for k in range(5)) and "line-3-1-path" not in seen
    page = motion.save(tmp_path / "motion.html").read_text()
    assert (
        page.startswith("<!DOCTYPE html>") and "svg.setCurrentTime" in page and "http://" not in page.split("</div>")[1]
    )
    assert motion.save(tmp_path / "motion.png").read_bytes().startswith(b"\x89PNG")
    assert "data-tracegrad-motion" in motion._repr_mimebundle_()["text/html"]


def test_of_many_steps_some_are_shown():
    net = network()
    state = net.state_dict()
    states = [{**state, "0.bias": state["0.bias"] + k / 100} for k in range(301)]
    surface = viz.loss_surface(net, (IMAGES, LABELS), ("0.bias[1]", "4.bias[0]"), path=states, points=3)
    motion = surface.animate()
    assert len(motion.steps) == 61 and (motion.steps[0], motion.steps[-1]) == (0, 300)
    assert "300 steps" in motion.name and "295, 300]" in motion._repr_mimebundle_()["text/html"]
    assert len(motion.svg()) < 300_000


def test_animate_refuses():
    net = network()
    states = [net.state_dict()]
    for path, seconds, says in ((None, 8, "there is no path"), (states, 8, "no step"), (states, 0, "positive number")):
        with pytest.raises(ValueError, match=f"animate: .*{says}"):
            viz.loss_surface(net, (IMAGES, LABELS), ("0.bias[1]", "4.bias[0]"), path=path, points=3).animate(seconds)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"along": "up"}, ValueError, "along must be 'random', 'pca' or the names of two weights"),
        ({"along": "pca"}, ValueError, "along='pca' needs a path"),
        ({"along": "pca", "path": [{}]}, ValueError, "moment 0 of path lacks 0.weight, 0.bias"),
        ({"along": ("0.bias[0]", "0.bias[0]")}, ValueError, "names one weight twice"),
        ({"along": ("0.bias[0]", "0.bias[9]")}, ValueError, r"is not in 0.bias of shape \(4,\)"),
        ({"along": ("0.bias[0]", "0.weight")}, ValueError, r"name one of its numbers, such as 0.weight\[0, 0, 0, 0\]"),
        ({"along": ("0.bias[0]", "none[0]")}, KeyError, "no parameter is called 'none'; there are 0.weight"),
        ({"along": ("0.bias[0]", 3)}, TypeError, "the name of a weight is needed"),
        ({"path": 5}, TypeError, "path must be a Recording or a list of model.state_dict"),
        ({"points": 2}, ValueError, "points must be an integer of at least 3"),
        ({"span": 0}, ValueError, "span must be a positive number"),
        ({"data": 3}, TypeError, "data must be a pair"),
        ({"data": (IMAGES, IMAGES)}, ValueError, "give loss="),
        ({"data": mean_loss, "loss": F.cross_entropy}, TypeError, "loss= goes with data="),
        ({"data": lambda model: model(IMAGES)}, ValueError, r"one number, got shape \(8, 3\)"),
    ],
)
def test_loss_surface_refuses(options, error, says):
    options = {"data": (IMAGES, LABELS), "points": 3, **options}
    with pytest.raises(error, match=says):
        viz.loss_surface(network(), **options)


def test_probabilities_are_not_taken_for_logits():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Softmax(dim=1))
    with pytest.raises(ValueError, match=r"loss=nn\.functional\.log_loss"):
        viz.loss_surface(net, (IMAGES, LABELS), points=3)
    assert viz.loss_surface(net, (IMAGES, LABELS), points=3, loss=F.log_loss).data["loss"].shape == (3, 3)
