"""The step view by lines and layers: what is taken together, its text, and its page."""

import json
import re

import numpy as np
import pytest
from browser import Open, Shown

import nn
import viz
from autograd import Tensor
from viz.page.payload import payload_of
from viz.stepper import Stepper
from viz.walk.walk import Whole

RNG = np.random.default_rng(0)


def parameter(*shape):
    return Tensor(RNG.normal(size=shape))


def mlp():
    X, t = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 3))
    W1, b1, W2, b2 = parameter(4, 6), parameter(6), parameter(6, 3), parameter(3)
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ W2 + b2
    return np.mean((z2 - t) ** 2)


def rnn(steps=4):
    x, U, W, b = RNG.normal(size=(steps, 2, 3)), parameter(4, 4), parameter(3, 4), parameter(4)
    h = parameter(2, 4)
    for t in range(steps):
        h = np.tanh(x[t] @ W + h @ U + b)
    return (h * h).sum()


class Block(nn.Module):
    """A layer that is written as lines."""

    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(RNG.normal(size=(3, 3)))

    def forward(self, x):
        z = x @ self.W + 1.0
        a = np.tanh(z * 0.5)
        return x + a * 2.0


def blocks():
    x = Tensor(RNG.normal(size=(2, 3)), requires_grad=False)
    first, second = Block(), Block()
    y = first(x)
    y = second(y)
    return np.sum(y * y)


def lenet():
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, rng=0), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5, rng=1), nn.Sigmoid(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(256, 120, rng=2), nn.Sigmoid(), nn.Linear(120, 84, rng=3),
        nn.Sigmoid(), nn.Linear(84, 10, rng=4),
    )  # fmt: skip
    x = Tensor(RNG.normal(size=(1, 1, 28, 28)).astype(np.float32), name="x", requires_grad=False)
    y = net(x)
    return nn.functional.cross_entropy(y, np.array([3]))


def stops(stepper):
    stepper.goto(0)
    found = [0]
    while stepper.position < len(stepper) - 1:
        found.append(stepper.next().number)
    return found


def told(stepper):
    data = payload_of(stepper.walk, stepper.frames, granularity=stepper.granularity)
    return json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])


# --- what is taken together


def test_a_program_of_several_lines_is_stepped_line_by_line():
    s = viz.step(mlp())
    assert (s.granularity, s.walk.granularities) == ("line", ("line", "op", "contribution"))
    found = stops(s)
    assert found == [0, 2, 3, 5, 8, 9, 12, 16, 17, 20]
    assert [s.previous().number for _ in found[1:]] == found[-2::-1]
    assert s.goto(7).number == 7 and str(s).startswith("6–8 of 20 · FORWARD  L")


def test_one_line_alone_is_stepped_by_operations():
    x = parameter(3)
    assert viz.step((np.tanh(x * 2) ** 2).sum()).granularity == "op"
    s = viz.step((np.tanh(x * 2) ** 2).sum(), granularity="line")
    assert stops(s) == [0, 4, 5, 9]


def test_a_layer_that_is_written_as_lines_is_one_step_or_each_of_its_lines():
    by_layer, by_line = (viz.step(blocks(), granularity=kind) for kind in ("layer", "line"))
    assert by_layer.walk.granularities == ("layer", "line", "op", "contribution")
    assert (len(stops(by_layer)), len(stops(by_line))) == (8, 16)
    by_layer.goto(1)
    assert str(by_layer).startswith("1–6 of") and "in block · Block" in str(by_layer)
    assert viz.step(blocks()).granularity == "line"


def test_granularities_that_are_alike_are_told_once():
    assert viz.step((parameter(3) * 2).sum(), granularity="layer").walk.granularities[-1] in ("op", "contribution")
    a = parameter()
    s = viz.step(np.exp(np.sin(a)))
    assert s.walk.granularities == ("line", "op")


def test_the_current_step_of_a_line_is_the_whole_that_ends_there():
    s = viz.step(mlp())
    s.goto(0)
    whole = s.next()
    assert isinstance(whole, Whole) and whole is s.current and s.together == (whole,)
    assert (whole.number, whole.equation) == (2, "z₁ = X W₁ + b₁")
    assert s.goto(1) is s.walk[1]
    s.goto(-1)
    assert [step.equation for step in s.together] == ["∂L/∂W₁ = Xᵀ ∂L/∂z₁", "∂L/∂b₁ = Σ₀ ∂L/∂z₁"]
    assert s.current.number == len(s) - 1


def test_what_a_line_sends_adds_up_to_the_gradients():
    s = viz.step(rnn())
    arrived = {}
    for group in s.walk.groups("line"):
        for step in group.shown:
            if step.phase != "backward":
                continue
            before = arrived.get(step.target)
            np.testing.assert_array_equal(step.before is None, before is None)
            arrived[step.target] = step.contribution if before is None else before + step.contribution
            np.testing.assert_allclose(arrived[step.target], step.after)
            np.testing.assert_allclose(step.formula.evaluate(), step.contribution, rtol=1e-9, atol=1e-12)
    for node, grad in arrived.items():
        np.testing.assert_allclose(grad, s.walk.gradients[node])
    seen = {node for group in s.walk.groups("line") for step in group for node in [step.target]}
    assert {node for node in seen if node.is_leaf and node in s.walk.gradients} <= set(arrived)


def test_each_of_several_results_is_a_step_of_its_own():
    x, a, b = (Tensor(RNG.normal(size=3) ** 2 + 1, name=name) for name in "xab")
    v = (u := x * a) * b
    loss = (u / v).sum()
    s = viz.step(loss, granularity="line")
    s.next()
    assert [step.equation for step in s.together] == ["u = x ⊙ a"]
    s.next()
    assert [step.equation for step in s.together] == ["v = u ⊙ b"]


# --- text


def test_a_line_prints_its_formula_its_numbers_and_its_steps():
    x, w, b = Tensor([[1.0, 2.0]], name="x"), Tensor([[3.0], [-1.0]]), Tensor([0.5])
    z = x @ w + b
    loss = (z * z).sum()
    s = viz.step(loss)
    s.next()
    lines = [re.sub(r"^  (\w+) +", r"\1: ", line) for line in str(s).splitlines()]
    assert lines[:5] == [
        "1–2 of 12 · FORWARD  z", "rule: z = x w + b", "numbers: = [1 2] · [3; −1] + [0.5]", "result: = [1.5]",
        "shapes: (1, 1) = (1, 2) · (2, 1) + (1,)",
    ]  # fmt: skip
    assert lines[-3].endswith("z = x @ w + b") and lines[-2:] == ["steps: 1 %3 = x w", "steps: 2 z = %3 + b"]
    s.goto(-1)
    text = str(s)
    assert text.splitlines()[0] == "9–12 of 12 · BACKWARD  x, w, b ← z"
    for said in ("arrived  ∂L/∂z = [3]", "rule     ∂L/∂w = xᵀ ∂L/∂z", "result   = [3; 6]", "∂L/∂x = ∂L/∂z wᵀ"):
        assert said in text
    assert "%" not in text.partition("  steps")[0]


def test_a_running_sum_says_so():
    s = viz.step(rnn())
    s.run_to("U")
    assert "rule     ∂L/∂U += h (4)ᵀ @ (∂L/∂h (5) ⊙ (1 − (h (5))²))" in str(s) and "Σ 1 of 4: (4, 4)" in str(s)


def test_nan_that_is_born_inside_a_line_is_told_of():
    x = Tensor([1.0, -1.0], name="x")
    with np.errstate(all="ignore"):
        y = np.sqrt(x * 2.0) + 1.0
        loss = (y * 3.0).sum()
        s = viz.step(loss)
        assert s.position == 2 and s.current.alarm == "NaN born here"
        assert "NaN is born here, first at [1]: √(−2), the root of a negative number" in str(s)
        assert s.together[0].alarm == "NaN born here"


def test_values_by_hand_inside_a_line_are_compared_there():
    loss = mlp()
    inner = viz.step(loss).walk[1].node
    wrong = viz.step(loss, values={inner: np.zeros(inner.shape)})
    assert wrong.granularity == "line" and wrong.position == 1
    assert "✕ the engine has" in str(wrong)


def test_what_has_no_formula_as_a_whole_is_said_to_be_its_operations():
    x = Tensor([0.5, -0.2], name="x")
    y = (
        x * np.sin(x) * np.exp(x) + x * np.cos(x) * np.exp(x * x) + x * np.tanh(x) * np.cosh(x)
        + x * np.sinh(x) * np.arctan(x) + x * np.sin(x * x) * np.log1p(x * x) + x * np.sqrt(x + 1.0) * np.exp(-x)
    )  # fmt: skip
    loss = (y * 2.0).sum()
    whole = viz.step(loss).walk.groups("line")[-1]
    assert whole.shown[0].formula is None and "∂L/∂x: the rules of its operations, one after the other" in str(whole)
    np.testing.assert_allclose(whole.shown[0].contribution, whole[0].walk.gradients[x.node])


# --- what is given


@pytest.mark.parametrize("granularity", ["lines", "", 3, True])
def test_granularities_that_are_none_are_refused(granularity):
    with pytest.raises(ValueError, match=r"granularity must be one of \('layer', 'line', 'op', 'contribution'\), got"):
        viz.step(mlp(), granularity=granularity)


@pytest.mark.parametrize("most", [0, -1, True, 2.0, "9"])
def test_the_number_of_boxes_is_a_positive_integer(most):
    with pytest.raises(ValueError, match="step: max_nodes must be a positive integer or None, got"):
        viz.step(mlp(), max_nodes=most)


def test_the_page_has_no_more_boxes_than_asked_for():
    loss = rnn(12)
    counts = []
    for most in (None, 20, 10):
        s = viz.step(loss, max_nodes=most)
        data = s._payload()
        boxes = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])["stage"]["boxes"]
        counts.append(sum("in" not in box for box in boxes))
    assert counts[0] > 20 >= counts[1] > 10 >= counts[2]


# --- the page


def test_a_page_is_told_where_each_granularity_stops_and_each_line_once():
    s = viz.step(mlp())
    page = told(s)
    assert {kind: len(at) for kind, at in page["stops"].items()} == {"line": 10, "op": 18, "contribution": 21}
    assert [unit["steps"] for unit in page["units"]] == [[1, 2], [4, 5], [6, 8], [10, 12], [13, 16], [18, 20]]
    (forward,) = page["units"][0]["shown"]
    assert forward["formula"]["plain"] == "z₁ = X W₁ + b₁" and forward["formula"]["latex"] == "z_{1} = X\\, W_{1}+b_{1}"
    assert [one["formula"]["plain"] for one in page["units"][-1]["shown"]] == [
        "∂L/∂W₁ = Xᵀ ∂L/∂z₁", "∂L/∂b₁ = Σ₀ ∂L/∂z₁",
    ]  # fmt: skip


def test_granularities_that_show_the_same_are_one_on_the_page():
    page = told(viz.step(mlp(), granularity="layer"))
    assert page["granularity"] == "line" and list(page["stops"]) == ["line", "op", "contribution"]


def test_moments_of_a_training_share_what_their_lines_do():
    net = nn.Linear(2, 1, rng=0)
    x = Tensor(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32), name="x")

    def step():
        z = net(x)
        return np.mean((z - 1.0) ** 2)

    recording = viz.record(net, step, every=1)
    optimizer = nn.SGD(net.parameters(), lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        step().backward()
        optimizer.step()
        recording.update()
    data = recording.step()._payload()
    page = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    assert len(page["units"]) >= 4
    assert [len(frame["units"]) for frame in page["frames"]] == [len(page["units"])] * 3


def opened(show: Open, stepper: Stepper, tmp_path, **options) -> Shown:
    shown = show(stepper.save(tmp_path / "steps.html").read_text(encoding="utf-8"), **options)
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    return shown


def test_a_page_steps_by_lines_and_opens_them(show: Open, tmp_path) -> None:
    shown = opened(show, viz.step(mlp()), tmp_path, viewport={"width": 1280, "height": 800})
    app = shown.step_view()
    assert app.locator(".choice button").all_inner_texts() == ["line", "op", "contribution"]
    first = app.locator(".panel").inner_html()
    shown.press("ArrowRight")
    assert shown.text(".count") == "1–2 / 20" and shown.text(".panel h3 .title") == "z₁"
    assert app.locator(".formula.symbols").get_attribute("aria-label") == "z₁ = X W₁ + b₁"
    assert app.locator(".node.now").count() >= 1 and app.locator(".cell.now").count() == 2
    shown.press("End")
    assert shown.text(".panel h3 .title") == "W₁, b₁ ← z₁"
    assert [f.get_attribute("aria-label") for f in app.locator(".formula.symbols").all()] == [
        "∂L/∂W₁ = Xᵀ ∂L/∂z₁", "∂L/∂b₁ = Σ₀ ∂L/∂z₁",
    ]  # fmt: skip
    panel = app.locator(".panel").evaluate("(panel) => [panel.clientHeight, panel.closest('.app').scrollHeight]")
    assert panel[1] <= 800
    fold = app.locator(".fold", has_text="one by one")
    fold.locator("summary").click()
    assert fold.locator("li").count() == 3
    fold.locator("li button").first.click()
    assert shown.text(".choice [aria-pressed='true']") == "op" and shown.text(".count") == "18–19 / 20"
    app.locator(".choice button", has_text="line").click()
    assert shown.text(".count") == "18–20 / 20"
    shown.press("Home")
    app.locator(".fold").first.wait_for(state="detached")
    assert app.locator(".panel").inner_html() == first
    assert shown.messages == []


def test_breakpoints_quiz_and_addresses_are_those_of_lines(show: Open, tmp_path) -> None:
    loss = mlp()
    shown = opened(show, viz.step(loss, break_at=viz.step(loss).walk[1].node), tmp_path)
    app = shown.step_view()
    assert shown.text(".count") == "1–2 / 20" and shown.text(".breaking") == "◆ remove breakpoint"
    shown.press("b")
    assert shown.text(".breaking") == "◆ break here" and app.locator(".cell.broken").count() == 1
    shown.press("b", "Home", "Shift+ArrowRight")
    assert shown.text(".count").startswith("1–2 / ")
    app.locator("button.quiz").click()
    shown.press("End")
    assert app.locator(".fold").count() == 0 or "‖" not in shown.text(".inside")
    label = app.locator("form.quiz label").inner_text()
    assert label.startswith("∂L/∂")
    app.locator("form.quiz button", has_text="Hint").click()
    assert "∂L/∂z₁" in app.locator("form.quiz .note").inner_text()
    app.locator("form.quiz button", has_text="Reveal").click()
    assert app.locator(".answer").first.is_visible()
    shown.page.evaluate("location.hash = '#unit=z2'")
    shown.page.wait_for_timeout(100)
    assert shown.text(".count") == "4–5 / 20"
    assert shown.messages == []


def test_the_page_of_a_recurrent_network_says_which_lines_a_gradient_is_the_sum_of(show: Open, tmp_path) -> None:
    shown = opened(show, viz.step(rnn()), tmp_path, viewport={"width": 1280, "height": 800}, color_scheme="dark")
    app = shown.step_view()
    shown.press("End")
    sums = app.locator(".operation", has_text="to U").locator(".links")
    assert (
        re.sub(r" ‖[^‖]*‖", "", " ".join(sums.inner_text().split()))
        == ("∂L/∂U is the sum of 33 from h (4) 40 from h (3) 47 from h (2) 54 from h (1)")
        or sums.locator("button").count() == 4
    )
    assert "%" not in shown.text(".operations")
    assert app.locator(".formula, .wide").evaluate_all("(all) => all.every((e) => e.scrollWidth <= e.clientWidth + 1)")
    assert shown.messages == []


def test_the_page_of_lenet_is_small_and_shows_convolutions_as_such(show: Open, tmp_path) -> None:
    stepper = viz.step(lenet())
    shown = opened(show, stepper, tmp_path)
    assert (tmp_path / "steps.html").stat().st_size <= 250_000
    app = shown.step_view()
    shown.press("ArrowRight")
    assert app.locator(".formula.symbols").get_attribute("aria-label") == "z⁽¹⁾ = g⁽¹⁾ ⋆ x + b⁽¹⁾"
    shown.press("End")
    labels = [f.get_attribute("aria-label") for f in app.locator(".formula.symbols").all()]
    assert labels == ["∂L/∂g⁽¹⁾ = x ⋆ ∂L/∂z⁽¹⁾", "∂L/∂b⁽¹⁾ = Σ₀,₂,₃ ∂L/∂z⁽¹⁾"]
    assert app.locator(".lenses summary").first.inner_text() == "Shared kernel"
    assert shown.messages == []
