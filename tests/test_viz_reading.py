"""What a picture says: names, where NaN is born, what is folded, how matrices and labels are laid out."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import viz
from autograd import Tensor
from viz.drawing import render
from viz.drawing.clearance import along

SVG = "{http://www.w3.org/2000/svg}"


def alarms(loss):
    return {b.title.split(" = ")[0]: b.alarm for b in viz.draw(loss).graph.boxes if b.alarm}


def stacked(count):
    return np.stack([Tensor(float(i), name=f"s{i}") for i in range(count)]).sum()


# --- folded inputs ----------------------------------------------------------------------------------------------------


def test_many_inputs_of_one_operation_share_a_box_and_the_operations_stay():
    graph = viz.draw(stacked(61)).graph
    assert [b.title.split(" = ")[0] for b in graph.boxes] == ["s0", "s1", "58 more inputs", "s60", "%61", "L"]
    more = graph.boxes[2]
    np.testing.assert_array_equal(more.value.array, np.arange(2.0, 60.0))
    np.testing.assert_array_equal(more.grad.array, np.ones(58))
    assert graph.notes == ("folded: 2 operations with 61 inputs, parameters and constants are more than max_nodes=60",)


def test_inputs_that_fit_are_not_folded():
    graph = viz.draw(stacked(58)).graph
    assert len(graph.boxes) == 60
    assert graph.notes == ()


@pytest.mark.parametrize("max_nodes", [1, 2, 3, 5, 6])
def test_folded_inputs_keep_to_the_limit(max_nodes):
    assert len(viz.draw(stacked(61), max_nodes=max_nodes).graph.boxes) <= max_nodes


def test_inputs_of_unlike_shapes_are_folded_too():
    parts = [Tensor(np.full(i % 3 + 1, i), dtype=float) for i in range(70)]
    more = next(b for b in viz.draw(np.concatenate(parts).sum()).graph.boxes if b.title == "67 more inputs")
    assert more.value.array.tolist() == [float(i) for i in range(2, 69) for _ in range(i % 3 + 1)]


def test_a_long_sum_keeps_its_first_and_its_last_operation():
    boxes = viz.draw(sum(Tensor(float(i), name=f"s{i}") for i in range(70))).graph.boxes
    titles = [b.title for b in boxes]
    assert (titles[:2], titles[-2:]) == (["s0", "%1 = 0 + s0"], ["s69", "L = %137 + s69"])
    (middle,) = (b for b in boxes if b.kind == "folded")
    count = int(middle.title.removeprefix("add ×"))
    assert middle.badges == (f"{count} inputs inside",)
    assert 2 * (70 - count) + 1 == len(boxes) <= 60


# --- NaN and Inf ------------------------------------------------------------------------------------------------------


def test_nan_that_comes_from_the_forward_values_is_not_born_in_a_gradient():
    t = Tensor([1.0, -1.0], name="t")
    with np.errstate(invalid="ignore"):
        assert alarms((np.log(t) * t).sum()) == {"%1": "NaN born here"}


def test_nan_is_born_also_beside_an_infinite_input():
    t = Tensor([1.0, -1.0, np.inf], name="t")
    with np.errstate(invalid="ignore"):
        assert alarms((np.log(t) * t).sum()) == {"t": "Inf in the data", "%1": "NaN born here"}


def test_nan_and_inf_that_are_born_together_are_both_named():
    t = Tensor([0.0, -1.0], name="t")
    with np.errstate(all="ignore"):
        assert alarms(np.log(t).sum()) == {"%1": "NaN and Inf born here"}


def test_nan_from_an_infinite_gradient_is_marked_where_it_comes_up():
    x = Tensor(0.0, name="x")
    y = x * 0.0
    y.name = "y"
    assert alarms(np.sqrt(y * y)) == {"L": "Inf born in its gradient", "%2": "NaN born in its gradient"}


def test_nan_is_marked_where_two_infinite_gradients_cancel():
    x = Tensor(0.0, name="x")
    found = alarms(np.sqrt(x) - np.sqrt(x))
    assert found == {
        "%1": "Inf born in its gradient", "%2": "Inf born in its gradient", "x": "NaN born in its gradient",
    }  # fmt: skip


# --- names ------------------------------------------------------------------------------------------------------------


def test_the_root_alone_is_called_l_and_losses_that_it_is_made_of_are_numbered():
    a, b = Tensor(2.0, name="a"), Tensor(3.0, name="b")
    first, second = a * b, a + b
    first.name = second.name = "L"
    graph = viz.draw(first * second).graph
    assert graph.loss == "L"
    assert [box.title for box in graph.boxes[-3:]] == ["L₁ = a × b", "L₂ = a + b", "L = L₁ × L₂"]
    assert [box.grad.label for box in graph.boxes[-3:]] == ["∂L/∂L₁", "∂L/∂L₂", "∂L/∂L"]
    assert [e.label for e in graph.edges[-2:]] == ["∂L/∂L₁", "∂L/∂L₂"]


def test_a_named_root_keeps_its_name_beside_parts_of_the_same_name():
    a = Tensor(2.0, name="L")
    loss = a * 3.0
    loss.name = "L"
    assert [box.title for box in viz.draw(loss).graph.boxes] == ["L₁", "L = L₁ × 3"]


def test_products_of_arrays_and_by_scalars_have_their_own_signs():
    x, w = Tensor([1.0, 2.0], name="x"), Tensor(2.0, name="w")
    products = (x * x, x * np.array([3.0, 4.0]), np.array([3.0, 4.0]) * x, x * 2.0, x * w)
    titles = [viz.draw(product.sum()).graph.boxes[-2].title.split(" = ")[1] for product in products]
    assert titles == ["x ⊙ x", "x ⊙ const(2,)", "const(2,) ⊙ x", "x × 2", "x × w"]


def test_a_local_derivative_is_not_called_like_the_total():
    x = Tensor(3.0, name="x")
    assert [e.label for e in viz.draw(x * x).graph.edges] == ["∂L/∂(1st x)", "∂L/∂(2nd x)"]
    edges = viz.draw(x * np.exp(x)).graph.edges
    assert [e.label for e in edges] == ["∂%1/∂x", "local ∂L/∂x", "∂L/∂%1"]
    assert [e.label for e in viz.draw(x * 2.0, grad=5.0).graph.edges] == ["local ∂L/∂x"]


# --- layout -----------------------------------------------------------------------------------------------------------


def test_the_rows_of_small_matrices_are_not_wrapped():
    x = Tensor(np.linspace(-1.0, 1.0, 12).reshape(3, 4) * 1.2345, name="x")
    lines = viz.draw((np.sin(x) * -1.2345e-5).sum()).text().splitlines()
    shown = [line for line in lines if re.search(r"\[.*\]", line)]
    assert shown and all(len(re.findall(r"[\d.]+(?:e-\d+)?", line)) in (4, 8) for line in shown)
    assert not [line for line in lines if line.count("[") != line.count("]")]


def test_value_and_gradient_wrap_at_the_same_element():
    x = Tensor(np.arange(12.0), name="x")
    lines = viz.draw((x * -np.linspace(1.11111e-5, 9.99999e-5, 12)).sum()).text().splitlines()
    start = lines.index(next(line for line in lines if line.startswith("%0: x")))
    rows = [line.split() for line in lines[start + 3 : start + 8] if "∂" not in line]
    assert [sum(part not in "[]" for part in row) for row in rows] == [6, 6, 6, 6]


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("program", range(2))
def test_no_label_lies_on_its_arrow(direction, program, monkeypatch):
    found = render.programs()
    monkeypatch.setattr(render, "programs", lambda: found[program % len(found) :][:1])
    x, w = Tensor(3.0, name="x"), Tensor(0.5, name="w")
    y = -(x * w)
    for loss in (x * x, -(np.exp(y) + np.sin(x) * y), np.exp(-y)):
        root = ET.fromstring(viz.draw(loss, direction=direction).svg())
        labelled = [g for g in root.iter(f"{SVG}g") if g.get("class") == "edge" and g.find(f"{SVG}rect") is not None]
        assert labelled
        for group in labelled:
            ground = group.find(f"{SVG}rect")
            left, top, width, height = (float(ground.get(key)) for key in ("x", "y", "width", "height"))
            numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", group.find(f"{SVG}path").get("d"))]
            points = along(list(zip(numbers[::2], numbers[1::2], strict=True)))
            within = (points > (left, top)) & (points < (left + width, top + height))
            assert not within.all(axis=1).any()


# --- another autograd -------------------------------------------------------------------------------------------------


def test_another_package_called_autograd_is_named(tmp_path):
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("def grad(f): ...\n")
    path = os.pathsep.join([str(tmp_path), str(Path(viz.__file__).parents[1])])
    run = subprocess.run(
        [sys.executable, "-c", "import viz"], env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "viz needs tracegrad's own package 'autograd'" in run.stderr.splitlines()[-1]
    assert "pip uninstall -y autograd tracegrad, then pip install tracegrad" in run.stderr


def test_a_constant_that_the_program_calls_c_is_called_c():
    c, f = np.array([1.0, 2.0]), Tensor([1.0, 1.0], name="f")
    loss = (f * c + f * np.array([3.0, 4.0])).sum()
    titles = [box.title for box in viz.draw(loss, level="op").graph.boxes]
    assert titles.count("c") == 1 == titles.count("constant")
    assert any(title.endswith("= f ⊙ c") for title in titles) and any("const(2,)" in title for title in titles)
