"""What a page is told: of arrays made from other ones, of paths, of lenses, of frames."""

import json
from typing import Any

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor, defvjp, primitive
from nn import functional as F
from viz.page.payload import payload_of
from viz.stepper import Stepper


def payload(stepper: Stepper) -> dict[str, Any]:
    data = payload_of(stepper.walk, stepper.frames)
    return json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])


def entry_of(told: dict[str, Any], name: str) -> dict[str, Any]:
    """The entry of a value in the table of arrays."""
    node = next(node for node in told["nodes"] if node["name"] == name)
    return told["arrays"][node["value"]]


# --- arrays made from other ones


def test_a_sum_travels_as_its_parts():
    x, y = Tensor(np.linspace(-1, 1, 100), name="x"), Tensor(np.linspace(0, 3, 100), name="y")
    told = payload(viz.step((x + y).sum()))
    assert entry_of(told, "%2")["sum"] == [node["value"] for node in told["nodes"][:2]]


def test_sums_of_sums_nest_no_deeper_than_one():
    y = Tensor(np.linspace(-1, 1, 100), name="x")
    for _ in range(40):
        y = y + y
    told = payload(viz.step(y.sum()))
    deep = [part for entry in told["arrays"] for part in entry.get("sum", ()) if "sum" in told["arrays"][part]]
    assert deep == []


def test_a_long_chain_of_sums_can_be_saved():
    x = Tensor(np.linspace(-1, 1, 100), name="x")
    y = x
    for _ in range(1200):
        y = y + x
    assert len(payload(viz.step(y.sum()))["nodes"]) == 1202


def test_a_sum_that_overflows_travels_as_it_is():
    x = Tensor(np.full(100, 3e38, np.float32), name="x")
    with np.errstate(over="ignore"):
        told = payload(viz.step((x + x).sum()))
    assert "sum" not in entry_of(told, "%1")


def test_a_primitive_that_is_called_add_is_no_sum():
    @primitive
    def add(x: Any, y: Any) -> Any:
        return x * y

    defvjp(add, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
    x = Tensor(np.linspace(1, 2, 100), name="x")
    assert "sum" not in entry_of(payload(viz.step(add(x, x).sum())), "%1")


def test_windows_of_an_array_that_travels_as_a_picture_travel_themselves():
    model = nn.Sequential(nn.Conv2d(8, 4, 1, stride=2, rng=0), nn.Conv2d(4, 2, 3, stride=3, rng=1))
    x = Tensor(np.random.default_rng(0).normal(size=(1, 8, 32, 32)).astype(np.float32), name="x", requires_grad=False)
    told = payload(viz.step((model(x) ** 2).mean()))
    of_picture, others = (told["arrays"][node["value"]] for node in told["nodes"] if node["op"] == "windows")
    assert "grid" in entry_of(told, "x") and not {"view", "grid"} & set(of_picture)
    assert not {"view", "grid"} & set(told["arrays"][others["view"]])


# --- paths


@pytest.mark.parametrize("loss", [
    lambda: np.log(Tensor(0.0)) * 2, lambda: np.sqrt(Tensor(0.0)) * 0.0, lambda: Tensor(1.5) * np.nan,
], ids=["log", "sqrt", "nan"])  # fmt: skip
def test_edges_without_a_finite_derivative_travel(loss: Any):
    with np.errstate(all="ignore"):
        told = payload(viz.step(loss()))
    (paths,) = (node["paths"] for node in told["paths"]["nodes"].values())
    assert {"Infinity", "NaN"} & {str(x) for path in paths for x in [*path["locals"], path["product"]]}


def test_paths_of_many_leaves_are_counted_but_not_all_listed():
    y = Tensor(0.5, name="x")
    for k in range(300):
        y = np.tanh(y * Tensor(1.0 + k / 1000))
    told = payload(viz.step(y))
    nodes = told["paths"]["nodes"]
    assert len(nodes) == 301 and all(node["count"] == 1 for node in nodes.values())
    assert sum(len(path["locals"]) for node in nodes.values() for path in node.get("paths", ())) <= 2000


# --- lenses


def test_labels_are_a_distribution_whatever_the_loss_divides_by():
    p = F.softmax(Tensor(np.arange(12.0).reshape(4, 3), name="z"))
    y = np.eye(3)[[0, 1, 2, 1]]
    told = payload(viz.step(-(np.log(p) * y).sum() / 4))
    (bars,) = (step["lens"] for step in told["steps"] if step.get("lens"))
    assert told["arrays"][bars["y"]]["v"] == y.ravel().tolist()


def test_a_product_with_a_mask_is_no_cross_entropy():
    p = F.softmax(Tensor(np.arange(6.0).reshape(2, 3), name="z"))
    told = payload(viz.step((p * np.array([[1.0, 0.5, 2.0], [0.1, 0.2, 0.3]])).sum()))
    assert not any(step.get("lens") for step in told["steps"])


def test_a_primitive_that_is_called_softmax_has_no_bars():
    @primitive
    def softmax(x: Any) -> Any:
        return 5 * x

    defvjp(softmax, lambda g, out, x: 5 * g)
    told = payload(viz.step(-(softmax(Tensor(np.ones((2, 3)), name="z")) * np.eye(3)[:2]).sum()))
    assert not any(step.get("lens") for step in told["steps"])


# --- frames


def test_a_frame_shows_the_constants_of_its_own_graph():
    def tape(mean: float, scale: float) -> Tape:
        w = Tensor([1.0, 2.0], name="w")
        return Tape((((w - np.full(2, mean)) * scale) ** 2).sum())

    stepper = Stepper(tape(5.0, 3.0), frames=[("early", tape(0.0, 2.0)), ("late", tape(5.0, 3.0))])
    told = payload(stepper)
    early, late = told["frames"]

    def constants(frame: dict[str, Any], step: int) -> list[Any]:
        formula = frame["steps"][step].get("formula") or told["steps"][step]["formula"]
        arrays = [frame["arrays"][symbol["array"]] for symbol in formula["symbols"] if symbol["kind"] == "constant"]
        return [array["v"] for array in arrays]

    assert constants(late, 1) == [[5.0, 5.0]] and constants(early, 1) == [[0.0, 0.0]]
    assert "2" in early["steps"][2]["formula"]["plain"] and "3" in told["steps"][2]["formula"]["plain"]
    (box,) = (k for k, node in enumerate(told["nodes"]) if node["kind"] == "constant" and node["shape"] == [2])
    assert early["arrays"][early["values"][str(box)]]["v"] == [0.0, 0.0]
    assert late["values"] == {}
