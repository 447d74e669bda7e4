"""Gradients through time, and matrices with labels: which numbers they show, and what they refuse."""

import itertools

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor


def written_out(name, steps=4, factor=0.5):
    """h ← factor · h from step to step, so that gradients are powers of the factor."""
    h = Tensor(np.ones(2), name="start")
    for t in range(1, steps + 1):
        h = h * factor
        h.name = name(t)
    return h.sum()


@pytest.mark.parametrize(
    ("name", "template"),
    [
        (lambda t: "h" + "₀₁₂₃₄₅₆₇₈₉"[t], "hₜ"),
        (lambda t: f"h⁽{'⁰¹²³⁴⁵⁶⁷⁸⁹'[t]}⁾", "h⁽ᵗ⁾"),
        (lambda t: f"h_{t}", "h_{t}"),
    ],
)
def test_norms_of_gradients_are_told_by_the_numbers_in_names(name, template):
    plot = viz.through_time(written_out(name), template)
    assert plot.data == {"": pytest.approx({t: 2**0.5 * 0.5 ** (4 - t) for t in (1, 2, 3, 4)})}


@pytest.mark.parametrize(("factor", "labelled"), [(0.1, False), (0.9, True)])
def test_several_losses_have_one_logarithmic_axis(factor, labelled):
    losses = {str(steps): written_out(lambda t: f"h{t}", steps, factor) for steps in (3, 5)}
    plot = viz.through_time({**losses, "a tape": Tape(losses["3"])}, "h{t}")
    (axes,) = plot.figure.axes
    assert {label: list(norms) for label, norms in plot.data.items()}["5"] == [1, 2, 3, 4, 5]
    assert [line.get_label() for line in axes.lines] == ["3", "5", "a tape"]
    assert axes.get_yscale() == "log" and axes.get_ylabel() == "‖∂L/∂hₜ‖"
    between = [tick.get_text() for tick in axes.get_yticklabels(minor=True)]
    assert any(between) == labelled


def test_layers_of_recurrent_networks_are_told_apart():
    states, _ = nn.LSTM(2, 3, num_layers=2, rng=0)(np.ones((12, 1, 2), np.float32))
    loss = states[-1].sum()
    gradients = Tape(loss).gradients()
    for name in ("hₜ⁽¹⁾", "cₜ⁽²⁾"):
        norms = viz.through_time(loss, name).data[""]
        first = next(node for node in gradients if node.name == name.replace("ₜ", "₁₀"))
        assert list(norms) == list(range(1, 13)) and norms[10] == pytest.approx(np.linalg.norm(gradients[first]))


def test_a_gradient_of_0_has_no_point_on_a_logarithmic_axis():
    h = Tensor(np.ones(2), name="h1")
    plot = viz.through_time((h * 0).sum(), "h{t}")
    assert plot.data == {"": {1: 0.0}} and plot.svg()


@pytest.mark.parametrize(
    ("losses", "name", "error", "says"),
    [
        (Tensor(1.0) * 2, "h", ValueError, "must have one ₜ, ᵗ or {t}"),
        (Tensor(1.0) * 2, "hₜᵗ", ValueError, "must have one ₜ, ᵗ or {t}"),
        (Tensor(1.0, name="w") * 2, "hₜ", KeyError, "there are w"),
        (Tensor(np.ones(2)) * 2, "hₜ", ValueError, "through_time"),
        (3.0, "hₜ", TypeError, "through_time"),
        ({}, "hₜ", ValueError, "no loss"),
    ],
)
def test_through_time_refuses(losses, name, error, says):
    with pytest.raises(error, match=says):
        viz.through_time(losses, name)


def test_cells_of_a_heat_map_have_their_numbers_and_labels():
    plot = viz.heatmap({"a": Tensor(np.eye(2)), "b": [[-0.5, np.nan], [np.inf, 12345]]}, "xy", ["p", "q"])
    first, second = plot.figure.axes
    assert [t.get_text() for t in first.texts] == ["1.00", "0.00", "0.00", "1.00"]
    assert [t.get_text() for t in second.texts] == ["−0.50", "nan", "∞", "1e+04"]
    assert [t.get_text() for t in first.get_yticklabels()] == ["x", "y"]
    assert [t.get_text() for t in second.get_xticklabels()] == ["p", "q"]
    assert [axes.get_title() for axes in plot.figure.axes] == ["a", "b"]


def test_a_large_heat_map_has_a_bar_and_some_of_its_labels():
    plot = viz.heatmap(np.ones((40, 40)), columns=[f"token {i}" for i in range(40)])
    axes, bar = plot.figure.axes
    assert not axes.texts and bar.get_ylabel() == "value"
    shown = [t.get_text() for t in axes.get_xticklabels()]
    assert shown == [f"token {i}" for i in range(0, 40, 3)]
    plot.figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in axes.get_xticklabels()]
    assert all(one.x1 <= other.x0 for one, other in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    ("values", "options", "says"),
    [
        (np.ones(3), {}, r"shape \(n, m\)"),
        (np.ones((0, 2)), {}, r"shape \(n, m\)"),
        ({}, {}, "got none"),
        ({"a": np.ones((2, 2)), "b": np.ones((2, 3))}, {}, "one shape"),
        (np.ones((2, 2)), {"rows": "abc"}, "2 labels of rows"),
    ],
)
def test_heatmap_refuses(values, options, says):
    with pytest.raises(ValueError, match=says):
        viz.heatmap(values, **options)
