"""`viz.live` on the kernel's side: what is moved, what the function then gives, and what the page is told."""

import json
import sys

import numpy as np
import pytest

import nn
import viz
import viz.live.session
from autograd import Tensor

X = np.array([[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0]])
Y = np.array([1.0, 0.0, 2.0])


@pytest.fixture(autouse=True)
def time_enough(monkeypatch):
    monkeypatch.setattr(sys.modules["viz.live.session"], "perf_counter", lambda: 0.0)


def line(w, b):
    return np.mean((X @ w + b - Y) ** 2)


def made():
    return viz.live(line, w=np.array([0.5, -0.5]), b=0.25)


def by_hand(w, b):
    off = X @ w + b - Y
    return np.mean(off**2), X.T @ off * 2 / 3, np.mean(off) * 2


def moved(live, value=None, **asked):
    changes = [] if value is None else [[asked["name"], asked["at"], value]]
    live.asked = {**asked, "changes": changes, "count": live.asked.get("count", 0) + 1}


def page(live):
    size = int.from_bytes(live.payload[:4], "little")
    return json.loads(live.payload[4 : 4 + size])


def slopes(live):
    numbers = np.frombuffer(live.numbers)
    return numbers[len(numbers) // 2 :]


def test_a_number_that_is_moved_changes_loss_values_gradients_and_page():
    live = made()
    before = live.payload
    moved(live, name="w", at=1, value=1.5)
    loss, dw, db = by_hand(np.array([0.5, 1.5]), 0.25)
    assert live.inputs["w"].tolist() == [0.5, 1.5]
    assert live.told["loss_at"] == pytest.approx(loss)
    np.testing.assert_allclose(slopes(live), [*dw, db])
    np.testing.assert_allclose(np.frombuffer(live.numbers)[:3], [0.5, 1.5, 0.25])
    assert live.payload != before
    assert float(np.sum(live.stepper.current.node.value if False else live.told["curve"]["slope"])) == pytest.approx(
        dw[1]
    )


def test_the_curve_is_the_loss_along_the_number_touched_last_and_its_tangent_the_gradient():
    live = made()
    moved(live, name="b", at=0, value=-1.0, rest=True)
    curve = live.told["curve"]
    assert (curve["name"], curve["x"], len(curve["xs"])) == ("b", -1.0, 65)
    expected = [by_hand(np.array([0.5, -0.5]), x)[0] for x in curve["xs"]]
    np.testing.assert_allclose(curve["ys"], expected)
    assert curve["slope"] == pytest.approx(by_hand(np.array([0.5, -0.5]), -1.0)[2])


def test_the_curve_is_not_computed_again_while_the_number_moves_along_it():
    calls = []

    def counted(w):
        calls.append(1)
        return (w - 1) ** 2

    live = viz.live(counted, w=0.0)
    for value in (0.5, 1.0, 1.5):
        calls.clear()
        moved(live, name="w", at=0, value=value)
        assert len(calls) == 1


def test_the_step_stays_and_python_and_page_share_it():
    live = made()
    live.stepper.goto(4)
    assert live.step == 4
    live.step = 7
    assert live.stepper.position == 7
    old = live.stepper
    moved(live, name="b", at=0, value=1.0)
    assert live.stepper is not old
    assert live.stepper.position == page(live)["open"] == live.step == 7
    old.goto(1)
    assert live.step == 7


def test_finite_differences_wait_until_the_number_rests():
    live = made()
    checks = [bool(step.get("check")) for step in page(live)["steps"]]
    assert any(checks)
    moved(live, name="b", at=0, value=1.0)
    assert not any(step.get("check") for step in page(live)["steps"])
    moved(live, name="b", at=0, rest=True)
    assert [bool(step.get("check")) for step in page(live)["steps"]] == checks


def test_the_page_is_built_from_the_same_parts_while_the_computation_is_the_same():
    live = made()
    before = page(live)
    moved(live, name="w", at=0, value=2.0)
    now = page(live)
    assert now["stage"] == before["stage"] and live.told["remark"] == ""
    assert [node["name"] for node in now["nodes"]] == [node["name"] for node in before["nodes"]]
    assert now["arrays"] != before["arrays"]


def test_a_whole_number_reaches_the_function_as_it_is_and_another_computation_is_remarked():
    def power(x, n):
        for _ in range(n):
            x = x * 2.0
        return x

    live = viz.live(power, x=1.5, n=2)
    count = len(live.stepper)
    moved(live, name="n", at=0, value=3)
    assert live.told["loss_at"] == 12.0 and len(live.stepper) > count
    assert live.told["remark"].startswith("The computation is another one now: it has 3 operations, and had 2")
    remark = live.told["remark"]
    moved(live, name="n", at=0, rest=True)
    assert live.told["remark"] == remark
    moved(live, name="x", at=0, value=2.0)
    assert live.told["remark"] == ""
    moved(live, name="n", at=0)
    assert live.told["curve"]["slope"] is None and live.told["curve"]["xs"] == list(range(11))


def test_an_error_is_told_and_the_last_good_run_stays():
    def picky(w):
        if w > 1:
            raise ValueError("w is too large")
        return w * w

    live = viz.live(picky, w=0.5)
    payload, stepper = live.payload, live.stepper
    moved(live, name="w", at=0, value=2.0)
    assert live.told["error"] == "ValueError: w is too large"
    assert live.payload == payload and live.stepper is stepper
    moved(live, name="w", at=0, value=-1.0)
    assert live.told["error"] == "" and live.told["loss_at"] == 1.0
    with pytest.raises(ValueError, match="too large"):
        live.set(w=3.0)
    assert live.inputs["w"] == -1.0 and live.told["loss_at"] == 1.0


def test_parameters_of_a_module_are_changed_in_place_and_put_back():
    net = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh(), nn.Linear(2, 1, rng=1)).double()
    first = {path: p.data.copy() for path, p in net.named_parameters()}
    live = viz.live(lambda net, x: np.mean(net(x) ** 2), net=net, x=X)
    assert list(live.inputs) == [*(f"net.{path}" for path in first), "x"]
    moved(live, name="net.0.weight", at=2, value=9.0)
    assert net[0].weight.data[1, 0] == 9.0
    node = net[0].weight.node
    gradient = live.stepper.walk.gradients[node][1, 0]
    assert live.told["curve"]["slope"] == pytest.approx(float(gradient))
    live.reset()
    for path, p in net.named_parameters():
        np.testing.assert_array_equal(p.data, first[path])


def test_all_that_was_moved_since_the_last_answer_arrives_at_once():
    live = made()
    live.asked = {"changes": [["b", 0, 9.0], None, ["w", 1, 2.0], ["w", 0, 1.0]], "name": "w", "at": 0, "count": 4}
    assert live.inputs["w"].tolist() == [1.0, 2.0] and live.inputs["b"] == 0.25
    assert live.told["asked"] == 4


def test_set_changes_several_inputs_at_once():
    live = made()
    live.set(w=[1.0, 2.0], b=0.0)
    assert live.told["loss_at"] == pytest.approx(by_hand(np.array([1.0, 2.0]), 0.0)[0])
    with pytest.raises(KeyError, match="no input is named 'c'; nearest: w, b"):
        live.set(c=1.0)
    with pytest.raises(ValueError, match=r"w has shape \(2,\), got \(3,\)"):
        live.set(w=[1.0, 2.0, 3.0])
    assert live.inputs["w"].tolist() == [1.0, 2.0]


def test_a_tensor_of_ones_own_keeps_its_name_and_an_array_is_not_written_into():
    v, w = Tensor([1.0, 2.0], name="v"), np.array([3.0, 4.0])
    live = viz.live(lambda v, w: (v * w).sum(), v=v, w=w)
    live.set(v=[0.0, 1.0], w=[5.0, 5.0])
    assert v.data.tolist() == [0.0, 1.0] and w.tolist() == [3.0, 4.0]
    assert {node["name"] for node in page(live)["nodes"]} >= {"v", "w"}


def test_tensors_in_lists_and_dicts_are_inputs():
    W, b = Tensor([[1.0, 2.0]], name="W"), Tensor(0.5, name="b")
    live = viz.live(lambda p, more: (p[0] ** 2).sum() + more["b"] ** 2, p=[W], more={"b": b, "kind": "x"})
    assert list(live.inputs) == ["p[0]", "more['b']"]
    moved(live, name="p[0]", at=1, value=3.0)
    assert live.told["loss_at"] == 10.25 and live.told["curve"]["slope"] == 6.0


def test_what_cannot_be_live_is_said():
    with pytest.raises(TypeError, match="expected a function"):
        viz.live(3, w=1.0)
    with pytest.raises(ValueError, match="no input has numbers"):
        viz.live(lambda mode: Tensor(1.0), mode="train")
    with pytest.raises(ValueError, match="w was computed"):
        viz.live(lambda w: w, w=Tensor(1.0) * 2)
    with pytest.raises(TypeError, match="live"):
        viz.live(lambda w: 3.0, w=1.0)


def test_without_anywidget_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "viz.live.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r"pip install 'tracegrad\[widget\]'"):
        viz.live(lambda w: w * w, w=1.0)


def test_it_says_what_it_is():
    assert repr(made()) == "<Live line(w, b): L = 4.125>"
