"""The steps of a computation: what each holds and says, where one can go, what is compared, what is refused."""

import json
import re
import sys
import weakref
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor, defvjp, no_grad, primitive
from nn import functional as F
from viz.page.packing import Blob, packed
from viz.page.payload import payload_of
from viz.page.scripts import PICTURES, STEPS
from viz.stepper import Walk
from viz.stepper.widget import bridge
from viz.tape.run import Run
from viz.walk.text import short


def neuron():
    a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    return F.relu(a * b + c) * a, (a, b, c)


def network(seed=0):
    model = nn.Sequential(
        nn.Linear(3, 4, rng=seed, dtype=np.float64), nn.Sigmoid(), nn.Linear(4, 2, rng=seed + 1, dtype=np.float64)
    )
    x = np.random.default_rng(seed).normal(size=(5, 3))
    return F.cross_entropy(model(Tensor(x, name="x", requires_grad=False)), [0, 1, 1, 0, 1]), model


def lenet():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, rng=0), nn.Sigmoid(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5, rng=1), nn.Sigmoid(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 120, rng=2), nn.Sigmoid(), nn.Linear(120, 84, rng=3),
        nn.Sigmoid(), nn.Linear(84, 10, rng=4),
    )  # fmt: skip
    images, labels = nn.datasets.mnist()[:2]
    return F.cross_entropy(model(Tensor(images[:1], requires_grad=False)), labels[:1]), model


# --- what the steps hold ----------------------------------------------------------------------------------------------


def test_the_last_state_of_every_gradient_is_what_backward_gives():
    loss, model = network()
    walk = viz.step(loss).walk
    loss.backward()
    for parameter in model.parameters():
        last = [s for s in walk if s.phase == "backward" and s.target is parameter.node][-1]
        assert last.is_complete
        np.testing.assert_allclose(last.after, parameter.grad, rtol=1e-12)


def test_every_operation_is_a_step_forward_and_every_contribution_one_backward():
    loss, _ = network()
    tape = Tape(loss)
    walk = Walk(Run(tape))
    forward = [s.node for s in walk if s.phase == "forward"]
    assert forward == [node for node in tape if not node.is_leaf]
    sent = [(s.node, s.operand) for s in walk if s.phase == "backward"]
    assert sent == [(swept.node, c.position) for swept in tape.steps() for c in swept.contributions]
    assert [s.number for s in walk] == list(range(len(walk)))


def test_a_gradient_is_partial_until_its_last_contribution():
    loss, (a, _, _) = neuron()
    into_a = [s for s in viz.step(loss) if s.target is a.node and s.phase == "backward"]
    held = [(s.part, s.parts, s.is_complete, float(s.after)) for s in into_a]
    assert held == [(1, 2, False, 4.0), (2, 2, True, -2.0)]
    assert [s.before if s.before is None else float(s.before) for s in into_a] == [None, 4.0]


def test_the_formula_of_every_step_gives_its_result():
    for loss in (neuron()[0], network()[0], lenet()[0]):
        for step in viz.step(loss):
            if step.phase == "forward":
                np.testing.assert_allclose(step.formula.evaluate(), step.after, rtol=1e-5, atol=1e-6)
            elif step.phase == "backward":
                np.testing.assert_allclose(step.formula.evaluate(), step.contribution, rtol=1e-5, atol=1e-6)


def test_a_step_names_the_values_that_it_reads():
    loss, (a, _, _) = neuron()
    into = {(s.node.op, s.target.name): s.reads for s in viz.step(loss) if s.phase == "backward"}
    assert into["multiply", "b"] == (a.node,)
    assert into["add", "c"] == ()


def test_the_seed_is_the_gradient_that_was_given():
    x = Tensor([1.0, 2.0], name="x")
    s = viz.step(x * x, grad=[10.0, 1.0])
    assert s.run_to("backward").after.tolist() == [10.0, 1.0]
    assert s.goto(-1).after.tolist() == [20.0, 4.0]


def test_a_value_without_gradients_has_forward_steps_only():
    x = Tensor([1, 2, 3], name="x")
    s = viz.step((x + 1).astype(float))
    assert {step.phase for step in s} == {"start", "forward"}


# --- moving -----------------------------------------------------------------------------------------------------------


def test_next_and_previous_stop_at_operations_or_at_contributions():
    loss, _ = neuron()
    by_op, one_by_one = (viz.step(loss, granularity=kind) for kind in ("op", "contribution"))
    stops = []
    while by_op.position < len(by_op) - 1:
        stops.append(by_op.next().number)
    assert stops == [1, 2, 3, 4, 5, 7, 8, 10, 12]
    assert [one_by_one.next().number for _ in range(12)] == list(range(1, 13))
    assert one_by_one.next().number == 12
    assert by_op.previous().number == 10
    by_op.goto(0)
    assert by_op.previous().number == 0


def test_run_to_goes_on_to_the_next_step_of_a_layer_or_a_value():
    loss, _ = network()
    s = viz.step(loss)
    assert s.run_to("z⁽²⁾").title == "FORWARD  z⁽²⁾"
    assert s.run_to("z⁽¹⁾").title == "BACKWARD  z⁽¹⁾ ← a⁽¹⁾"
    layer = s.goto(0).walk[1].node.scope.name
    first = s.run_to(layer)
    assert first.phase == "forward" and first.node.scope.name == layer
    with pytest.raises(ValueError, match=r"no step after .* belongs to 'z⁽¹⁾'"):
        s.goto(-1)
        s.run_to("z⁽¹⁾")


def test_a_changed_parameter_is_still_found_on_the_tape():
    loss, model = network()
    weight = model[0].weight
    weight.data = weight.data * 2
    assert viz.step(loss, watch=weight).watched[0].name == "W⁽¹⁾"


def test_break_at_opens_there_and_watched_values_are_printed_with_every_step():
    loss, (a, _, _) = neuron()
    s = viz.step(loss, break_at=a, watch=[a, "b"])
    assert s.position == s.breakpoints[0] == 7
    assert "Σ 1 of 2: 4" in str(s)
    assert "∂L/∂b —" in str(s)


# --- what is said -----------------------------------------------------------------------------------------------------


def test_a_step_prints_rule_numbers_result_sum_check_fact_and_line():
    loss, _ = neuron()
    text = str(viz.step(loss)[11])
    for line in (
        "11 of 12 · BACKWARD  a ← %3",
        "rule     ∂L/∂a += ∂L/∂%3 × b",
        "numbers  = 2 × (−3)",
        "result   = −6",
        "sum      Σ 2 of 2: 4 + (−6) = −2",
        "check    finite differences ✔",
        "return F.relu(a * b + c) * a",
    ):
        assert line in text
    assert re.search(r"line +test_step_walk.py:\d+", text)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda x: F.sigmoid(x).sum(), "The sigmoid lets through at most 0.25: 1 of 3 elements under 0.1."),
        (lambda x: F.relu(x).sum(), "1 of 3 elements held at 0"),
        (lambda x: (x + np.ones((2, 3))).sum(), "x was used 2 times over by broadcasting, so 2 terms are summed"),
        (lambda x: (-x).sum(), "with the opposite sign"),
        (lambda x: (3 * x).sum(), "Every local derivative is 3 here."),
        (lambda x: (0 * (x * x)).sum(), "The gradient that arrives is 0 everywhere, so x gets 0."),
        (lambda x: x.reshape(3, 1).sum(), "The gradient goes back the way the numbers came: from (3, 1) to (3,)."),
        (lambda x: np.inner(x, x), "The result is a sum of 3 products."),
        (lambda x: x.mean(), "3 numbers become one: 1.5."),
        (lambda x: np.vdot(np.ones((1, 3)), x.reshape(1, 3)), "The result is a sum of 3 products."),
        (lambda x: np.vdot(np.stack([x, x]), np.ones((2, 3))), "The result is a sum of 6 products."),
        (lambda x: F.softmax(x, 0)[0], "The probabilities add up to 1; the largest is 0.9866, at [0]."),
        (lambda x: F.softmax(np.stack([x, x]), 1)[0, 0], "The probabilities add up to 1 along axis 1; the largest is"),
    ],
)  # fmt: skip
def test_the_sentence_is_a_fact_of_these_numbers(make, said):
    sentences = [s.sentence for s in viz.step(make(Tensor([5.0, 0.5, -1.0], name="x")))]
    assert any(said in sentence for sentence in sentences), sentences


def test_sentences_of_a_convolutional_network_count_what_is_there():
    sentences = [s.sentence for s in viz.step(lenet()[0])]
    assert any("slides to 24×24 positions, so every weight is used 576 times" in s for s in sentences)
    assert "Every weight was used at 8×8 positions: its gradient is the sum of 64 products." in sentences
    assert all(s.endswith(".") for s in sentences)


def test_short_prints_few_numbers_and_describes_many():
    assert short(np.array([1.0, -2.5])) == "[1 −2.5]"
    assert short(None) == "—"
    assert short(np.zeros((3, 5))).startswith("(3, 5)  0 … 0")


# --- where it went wrong ----------------------------------------------------------------------------------------------


def test_break_at_nan_opens_where_it_is_born_and_tells_what_inherited_it():
    x = Tensor([1.0, -1.0], name="x")
    with np.errstate(invalid="ignore"):
        y = np.log(x)
    s = viz.step((y * 2).sum(), break_at="nan")
    assert s.current.node.op == "log"
    assert s.current.sentence.startswith("NaN is born here, first at [1]: log(−1), the logarithm of a negative number.")
    s.next()
    assert s.current.inherits.startswith("NaN came in from")


def test_infinity_born_in_a_gradient_is_found_going_backward():
    x = Tensor([0.0, 1.0], name="x")
    s = viz.step(np.sqrt(x).sum(), break_at="nan")
    assert s.current.phase == "backward"
    assert "Inf is born here" in s.current.sentence


def test_nan_in_the_data_opens_at_the_start():
    s = viz.step((Tensor([np.nan, 1.0], name="x") * 2).sum(), break_at="nan")
    assert s.position == 0
    assert "x already holds NaN" in s.current.sentence


def test_without_nan_break_at_nan_opens_at_the_start():
    loss, _ = neuron()
    s = viz.step(loss, break_at="nan")
    assert s.position == 0 and s.breakpoints == []


# --- compared ---------------------------------------------------------------------------------------------------------


def test_a_hand_derived_gradient_that_differs_opens_there_and_says_where():
    loss, model = network()
    loss.backward()
    right = {p: p.grad for p in model.parameters()}
    assert viz.step(loss, against=right).breakpoints == []
    wrong = model[0].weight.grad.copy()
    wrong[2, 1] = -wrong[2, 1]
    s = viz.step(loss, against={**right, model[0].weight: wrong})
    assert s.current.target.name == "W⁽¹⁾"
    assert not s.current.check.yours.ok
    assert "at [2, 1], 1 of 12 elements differ" in s.current.check.yours.text


def test_finite_differences_agree_with_every_gradient_of_a_network():
    loss, _ = network()
    checks = [s.check.numeric for s in viz.step(loss) if s.phase == "backward" and s.is_complete]
    assert len(checks) > 8
    assert all(check is not None and check.ok for check in checks)


def test_finite_differences_at_a_kink_decide_nothing_and_give_both_slopes():
    ok, text = viz.step(F.relu(Tensor(0.0, name="x")) * 3.0)[-1].check.numeric
    assert ok is None
    assert text == "— at a kink: the slope is 0 on one side, 3 on the other"


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: np.sum(x * x, dtype=np.float32),
        lambda x: (x * x).astype(np.float32).sum(),
        lambda x: np.sum((x.astype(np.float16) * 3).astype(np.float32)),
    ],
    ids=["the dtype of a sum", "a cast", "two casts"],
)
def test_finite_differences_are_as_coarse_as_the_coarsest_dtype_on_the_way(loss):
    x = Tensor(np.linspace(0.1, 3, 5, dtype=np.float32), name="x")
    checks = [s.check.numeric for s in viz.step(loss(x)) if s.phase == "backward" and s.is_complete]
    assert checks
    assert all(check.ok for check in checks), checks


def test_a_gradient_below_what_finite_differences_resolve_is_not_called_right():
    x = Tensor(1.0, name="x")
    assert viz.step(x * 1e-30 + 1.0)[-1].check.numeric == (None, "— too small to be measured beside rounding")
    assert viz.step(x * 0.0 + 1.0)[-1].check.numeric == (True, "✔")


def test_long_traces_are_not_computed_again_for_every_gradient():
    calls = []
    x = Tensor(0.9, name="x")
    again = primitive(lambda x: calls.append(1) or x * 0.999)
    defvjp(again, lambda g, out, x: g * 0.999)
    for _ in range(1000):
        x = again(x)
    calls.clear()
    text = "".join(map(str, viz.step(x)))
    assert "finite differences" not in text
    assert len(calls) <= 1000


def test_finite_differences_disagree_with_a_wrong_rule():
    double = primitive(lambda x: 2 * x)
    defvjp(double, lambda g, out, x: 3 * g)
    s = viz.step(double(Tensor(1.5, name="x")))
    assert not s[-1].check.numeric.ok
    assert "is not" in s[-1].check.numeric.text


# --- what is refused --------------------------------------------------------------------------------------------------


def refused(error, match, call):
    with pytest.raises(error, match=match):
        call()


def test_bad_input_is_answered_with_a_sentence(tmp_path: Path):
    loss, (a, _, _) = neuron()
    x = Tensor([1.0, 2.0], name="x")
    with no_grad():
        unrecorded = x * 2
    refused(TypeError, "step: expected a Tensor or a Tape, got list", lambda: viz.step([1.0]))
    refused(TypeError, "recording was off", lambda: viz.step(unrecorded))
    refused(ValueError, r"step: the loss has shape \(2,\)", lambda: viz.step(x * x))
    refused(ValueError, r"shape \(3,\)", lambda: viz.step(x * x, grad=np.ones(3)))
    refused(KeyError, "no layer or value is named 'aa'; nearest: a", lambda: viz.step(loss, break_at="aa"))
    refused(ValueError, "watch: a Tensor of shape .* named x is not on the tape", lambda: viz.step(loss, watch=x))
    refused(TypeError, "against: expected a dict", lambda: viz.step(loss, against=[1.0]))
    wrong_shape = r"the gradient of a has shape \(2,\), expected \(\)"
    refused(ValueError, wrong_shape, lambda: viz.step(loss, against={a: [1, 2]}))
    refused(TypeError, "expected real numbers", lambda: viz.step(loss, against={a: 1j}))
    refused(ValueError, "granularity must be", lambda: viz.step(loss, granularity="word"))
    s = viz.step(loss)
    refused(IndexError, "there is no step 13; the steps are 0 to 12", lambda: s.goto(13))
    refused(TypeError, "run_to takes names", lambda: s.goto("a"))
    refused(KeyError, "nearest: ", lambda: s.run_to("conv9"))
    refused(ValueError, r"ends in \.svg; known are \.html", lambda: s.save(tmp_path / "steps.svg"))
    refused(FileNotFoundError, "no folder", lambda: s.save(tmp_path / "nowhere" / "steps.html"))
    (tmp_path / "folder.html").mkdir()
    refused(IsADirectoryError, "is a folder", lambda: s.save(tmp_path / "folder.html"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.html"]


# --- pages ------------------------------------------------------------------------------------------------------------


def unpacked(entry: dict, bits: int, blob: bytes) -> np.ndarray:
    """What the page reads: numbers of binary digits, and from bit 8 * (bits + b) on the digits after each leading 1."""
    digits = iter(np.unpackbits(np.frombuffer(blob, np.uint8))[8 * (bits + entry["b"]) :])
    values: list[float] = []
    before = 0
    for code in blob[entry["o"] : entry["o"] + int(np.prod(entry["s"]))]:
        if code > 252:
            values.append({255: np.nan, 254: np.inf, 253: -np.inf}[code])
            continue
        steps = int(code & 31 > 0)
        for _ in range((code & 31) - 1):
            steps = 2 * steps + int(next(digits))
        before = (-steps if code & 32 else steps) + (before if entry.get("d") else 0)
        values.append(before * entry["q"])
    return np.array(values)


def payload(stepper):
    data = payload_of(stepper.walk)
    length = int.from_bytes(data[:4], "little")
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def test_the_page_of_lenet_on_one_digit_is_under_250_kilobytes(tmp_path: Path):
    path = viz.step(lenet()[0]).save(tmp_path / "lenet.html")
    assert path.stat().st_size < 250_000


def test_the_script_of_pages_was_built_from_its_sources_as_they_are():
    assert all(script.text() != script.source() for script in (STEPS, PICTURES))


def test_pages_grow_linearly_with_the_trace(tmp_path: Path):
    def size(steps):
        x = Tensor(np.linspace(-1, 1, 9), name="x")
        for _ in range(steps):
            x = np.tanh(x * 1.1)
        return len(viz.step(x.sum()).html())

    small, middle, large = size(25), size(50), size(100)
    assert large - middle < 2.4 * (middle - small)


def test_a_long_trace_is_drawn_with_its_layers_collapsed():
    layers = [module for k in range(20) for module in (nn.Linear(3, 3, rng=k), nn.Sigmoid())]
    model = nn.Sequential(*layers, nn.Linear(3, 1, rng=20))
    stepper = viz.step(model(Tensor(np.ones((2, 3), np.float32), requires_grad=False)).sum())
    told, _ = payload(stepper)
    assert len(stepper.walk.tape) > 80
    assert len([box for box in told["stage"]["boxes"] if "in" not in box]) <= 60
    assert {step["node"] for step in told["steps"]} <= {n for box in told["stage"]["boxes"] for n in box["nodes"]}


def test_a_page_has_no_address_in_it_but_those_of_namespaces():
    page = viz.step(network()[0]).html()
    assert set(re.findall(r"https?://[^\s\"'<>%]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_arrays_travel_exactly_where_small_and_rounded_where_large():
    x = Tensor(np.random.default_rng(0).normal(size=(20, 30)), name="x")
    loss = (x * x).sum() + Tensor(np.pi, name="p")
    told, blob = payload(viz.step(loss))
    nodes = {node["name"]: node for node in told["nodes"]}
    assert told["arrays"][nodes["p"]["value"]]["v"] == [np.pi]
    values = unpacked(told["arrays"][nodes["x"]["value"]], told["bits"], blob)
    np.testing.assert_allclose(values.reshape(20, 30), x.data, atol=np.abs(x.data).max() / 1999)


@pytest.mark.parametrize("array", [
    np.array([np.nan, np.inf, -np.inf, 0.0, 2.0, -2.0] * 20), np.arange(-50, 50), np.linspace(0, 1, 4096),
    np.zeros(65), np.full(65, 1e-320), np.full(65, -1e308),
], ids=["special", "integers", "ramp", "zeros", "subnormal", "huge"])  # fmt: skip
def test_what_is_packed_can_be_read_again(array: np.ndarray):
    blob = Blob()
    entry = packed(array, blob)
    finite = array[np.isfinite(array)]
    values = unpacked(entry, blob.bits, blob.bytes())
    np.testing.assert_allclose(values, array, rtol=0, atol=np.abs(finite).max() / 1999 + 5e-324)


def test_hostile_names_reach_the_page_as_text_alone():
    name = "<script>alert(1)</script>\"'|{}<>&\n🙂" + "x" * 10_000
    page = viz.step((Tensor(1.0, name=name) * 2).sum()).html()
    assert page.count("<script>") == 1
    assert "alert(1)</script>" not in page


def test_the_same_loss_is_saved_as_the_same_bytes(tmp_path: Path):
    loss, _ = neuron()
    first, second = (viz.step(loss).save(tmp_path / f"{k}.html").read_bytes() for k in range(2))
    assert first == second


def test_saving_as_text_writes_every_step(tmp_path: Path):
    loss, _ = neuron()
    text = viz.step(loss).save(tmp_path / "steps.txt").read_text()
    assert text.count(" of 12 · ") == 13


def test_what_joins_page_and_stepper_does_not_keep_the_stepper(monkeypatch):
    kernel = ModuleType("ipykernel")
    kernel.version_info = (7, 0)
    monkeypatch.setitem(sys.modules, "ipykernel", kernel)
    stepper = viz.step(neuron()[0])
    joined = bridge(stepper.token, stepper.position, stepper.goto)
    joined.step = 3
    assert stepper.position == 3
    gone = weakref.ref(stepper)
    del stepper
    assert gone() is None
    assert joined.comm is None


def test_expand_draws_the_multiplications_and_additions_of_one_element():
    loss, _ = network()
    graph = viz.step(loss).expand("z⁽¹⁾", (0, 1)).graph
    titles = [box.title for box in graph.boxes if box.kind in ("intermediate", "loss")]
    assert sum("×" in title for title in titles) == 3
    assert sum("+" in title for title in titles) == 2
