"""Arrays on the step view's page: colour bars, vectors, windows, outliers; gradients by hand beside the engine's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from browser import Open
from test_step_links import layers
from test_step_page import opened

import nn
import viz
from autograd import Tensor
from nn import functional as F
from viz.plain.thumbnails import full_colour, thumbnail

GO = "document.querySelector('[data-tracegrad]').tracegrad.goto({})"
CUT = """(all) => all.filter((e) => {
    const [inside, panel] = [e.getBoundingClientRect(), e.closest('.panel').getBoundingClientRect()];
    return e.scrollWidth > e.clientWidth + 1 || inside.right > panel.right;
}).map((e) => e.textContent)"""
DARK = """(canvas) => {
    const pen = canvas.getContext('2d');
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, x, i) => sum + (i % 4 < 3 && x < 200), 0) / data.length;
}"""


def figure(shown: Any, name: str) -> Any:
    return shown.step_view().locator(".arrays figure").filter(has=shown.page.locator(f"figcaption:text-is('{name}')"))


def size(canvas: Any) -> list[int]:
    return canvas.evaluate("(canvas) => [canvas.width, canvas.height]")


@pytest.mark.parametrize("width", [390, 940, 1280])
def test_the_numbers_at_the_ends_of_a_colour_bar_are_never_cut(show: Open, width: int) -> None:
    x, w = (Tensor(np.random.default_rng(k).normal(size=(9, 9)) * 1e-7, name=n) for k, n in enumerate("xW"))
    shown = opened(show, viz.step((x @ w).sum()), viewport={"width": width, "height": 800})
    shown.press("ArrowRight")
    ends = figure(shown, "x").locator(".ends")
    largest = f"{np.abs(np.random.default_rng(0).normal(size=(9, 9)) * 1e-7).max():.4g}".replace("-", "−")
    assert ends.inner_text().split() == [f"−{largest}", largest]
    assert shown.step_view().locator(".panel :is(.ends, .items)").evaluate_all(CUT) == []


def test_a_bar_starts_at_zero_where_nothing_is_below(show: Open) -> None:
    x = Tensor(np.linspace(0.5, 1, 81).reshape(9, 9), name="x")
    shown = opened(show, viz.step(np.exp(x).sum()))
    shown.press("ArrowRight")
    assert figure(shown, "x").locator(".ends").inner_text().split() == ["0", "1"]


def test_the_first_and_last_numbers_of_a_very_large_array_are_whole(show: Open) -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(100, 100)) * 1e-7, name="x")
    shown = opened(show, viz.step(np.exp(x).sum()))
    shown.press("ArrowRight")
    items = figure(shown, "x").locator(".items")
    assert len(items.inner_text().split()) == 25
    assert shown.step_view().locator(".items").evaluate_all(CUT) == []


def test_a_mask_of_a_billion_leaves_the_colours_to_the_rest_and_is_named(show: Open) -> None:
    scores = Tensor(np.random.default_rng(0).normal(size=(8, 8)), name="s")
    shown = opened(show, viz.step(F.softmax(scores + np.triu(np.full((8, 8), -1e9), 1), -1)[0, 0]))
    shown.press("ArrowRight", "ArrowRight")
    masked = shown.step_view().locator(".arrays figure").first
    low, high = masked.locator(".ends").inner_text().split()
    assert float(high) < 4 and low == f"−{high}"
    assert "− on black: −1e+09" in masked.inner_text()


def test_a_few_numbers_far_above_nearly_all_others_are_cut_off_in_colour_and_it_is_said(show: Open) -> None:
    values = np.random.default_rng(0).uniform(-1, 1, size=(20, 20))
    values[3, 4], values[7, 8] = 40, -55
    shown = opened(show, viz.step(np.sinh(Tensor(values, name="x")).sum()))
    shown.press("ArrowRight")
    x = figure(shown, "x")
    assert float(x.locator(".ends span").last.inner_text()) < 1
    assert "8 of 400 beyond, to ±55" in x.inner_text()
    assert x.locator("canvas").evaluate(DARK) > 0.05
    assert full_colour(values) < 1 and "8 beyond ±" in thumbnail(values).note


def test_full_colour_is_the_largest_number_where_nothing_stands_out():
    values = np.random.default_rng(0).normal(size=(20, 20))
    assert full_colour(values) == np.abs(values).max()
    assert full_colour(np.array([1.0] * 40 + [60.0])) == 60  # few numbers are all of them told apart


def test_vectors_are_lines_and_columns_where_they_act_as_such(show: Open) -> None:
    w, x = (Tensor(np.random.default_rng(0).normal(size=s), name=n) for n, s in (("W", (20, 40)), ("x", 40)))
    shown = opened(show, viz.step(np.tanh(w @ x).sum()))
    shown.press("ArrowRight")
    columns, rows = size(figure(shown, "x").locator("canvas"))
    assert rows == 40 * columns
    columns, rows = size(figure(shown, "%2").locator("canvas"))
    assert rows == 20 * columns
    shown.press("ArrowRight")
    columns, rows = size(figure(shown, "%2").locator("canvas"))
    assert columns == 20 * rows


def test_windows_are_the_images_they_are_as_grids_of_patches(show: Open) -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 5, rng=0), nn.MaxPool2d(2))
    image = np.random.default_rng(0).random((1, 1, 12, 12)).astype(np.float32)
    stepper = viz.step(model(Tensor(image, name="x", requires_grad=False)).sum(), granularity="op")
    shown = opened(show, stepper)
    steps = [s for s in stepper.walk if s.phase == "forward" and s.node.op == "windows"]
    for step, (columns, rows) in zip(
        steps, [(8 * 6 - 1, 8 * 6 - 1), (3 * (4 * 3 - 1 + 3) - 3, 2 * (4 * 3 - 1 + 3) - 3)], strict=True
    ):
        shown.page.evaluate(GO.format(step.number))
        wide, high = size(figure(shown, stepper.walk.names.of(step.node)).locator("canvas"))
        assert (wide * rows, wide % columns) == (high * columns, 0)


def test_one_element_opens_at_the_largest(show: Open) -> None:
    x, w = (Tensor(np.random.default_rng(k).normal(size=(5, 5)), name=n) for k, n in enumerate("xW"))
    shown = opened(show, viz.step((x @ w).sum()))
    shown.press("ArrowRight")
    shown.step_view().locator(".lenses summary", has_text="One element").click()
    z = np.random.default_rng(0).normal(size=(5, 5)) @ np.random.default_rng(1).normal(size=(5, 5))
    at = np.unravel_index(np.abs(z).argmax(), z.shape)
    assert f"Element [{at[0]}, {at[1]}]" in shown.text(".lens .terms caption")


# --- by hand


def test_a_wrong_gradient_stands_beside_the_engines_with_the_difference_and_what_went_wrong(show: Open) -> None:
    loss = layers()
    right = viz.step(loss)
    grads = {right.walk.names.of(n): np.asarray(g, float) for n, g in right.walk.gradients.items()}
    given = {"W⁽²⁾": -grads["W⁽²⁾"], "b⁽²⁾": grads["b⁽²⁾"]}
    stepper = viz.step(loss, against=given)
    shown = opened(show, stepper)
    (wrong,) = stepper.breakpoints
    figures = shown.step_view().locator(".hand figure")
    notes = [f.locator("figcaption small").inner_text() for f in figures.all()]
    assert notes == ["yours", "the engine’s", "yours − engine’s"]
    ends = [f.locator(".ends").inner_text() for f in figures.all()]
    assert ends[0] == ends[1] != ends[2]
    twice = 2 * np.abs(grads["W⁽²⁾"]).max()
    assert float(ends[2].split()[-1]) == pytest.approx(twice, rel=1e-3)
    said = shown.text(".blame")
    finding = viz.explain_mismatch(loss, given).first
    assert said.startswith("First wrong step. ") and finding.sentence in said
    assert shown.step_view().locator(".cell.wrong").count() == 1
    shown.press("Home")
    shown.step_view().locator(".words .link", has_text=f"{wrong} ∂L/∂W⁽²⁾").click()
    group = next(g for g in stepper.walk.groups(stepper.granularity) if g[-1].number >= wrong)
    assert shown.text(".count") == f"{group.number} / {len(stepper) - 1}"


def test_a_wrong_value_is_shown_at_the_step_that_computes_it(show: Open) -> None:
    x = Tensor(np.arange(16.0).reshape(4, 4), name="x")
    z = x * 2.0
    z.name = "z"
    shown = opened(show, viz.step((z**2).sum(), values={"z": np.arange(16.0).reshape(4, 4) * 3}))
    assert shown.text(".count").startswith("1 /")
    assert shown.step_view().locator(".hand figure").count() == 3
    assert shown.step_view().locator(".blame").count() == 1


def test_the_formula_that_was_used_is_shown_beside_the_right_one(show: Open) -> None:
    x = np.arange(6.0).reshape(3, 2) / 10
    W = Tensor([[0.3, -0.2], [0.5, 0.1]], name="W")
    a = np.tanh(x @ W)
    a.name = "a"
    shown = opened(show, viz.step((a * a).sum(), against={"W": x.T @ (2 * a.data)}))
    assert shown.text(".blamed").split("\n") == [
        "yours",
        "∂L/∂(x @ W) = ∂L/∂a",
        "right",
        "∂L/∂(x @ W) = ∂L/∂a ⊙ (1 − a²)",
    ]


def test_what_is_right_is_not_shown_twice(show: Open) -> None:
    x = Tensor([1.0, 2.0], name="x")
    shown = opened(show, viz.step((x**2).sum(), against={"x": [2.0, 4.0]}))
    shown.press("End")
    assert shown.step_view().locator(".check .ok").count() > 0
    assert shown.step_view().locator(".hand, .blame, .cell.wrong").count() == 0


def test_the_quiz_keeps_what_is_by_hand_and_the_terms_of_a_sum_to_itself(show: Open) -> None:
    x = Tensor([1.0, 2.0], name="x")
    shown = opened(show, viz.step((x * x).sum(), against={"x": [1.0, 1.0]}))
    shown.press("End")
    assert shown.step_view().locator(".hand").count() == 1
    shown.step_view().get_by_role("button", name="quiz").click()
    assert shown.step_view().locator(".hand, p.links:not(.alarm)").count() == 0


def test_many_leaves_are_listed_when_they_are_asked_for(show: Open) -> None:
    total = sum((Tensor(float(k), name=f"x{k}") for k in range(30)), Tensor(0.0, name="zero"))
    shown = opened(show, viz.step(total))
    rows = shown.step_view().locator(".leaves tr")
    assert rows.count() == 24
    shown.step_view().get_by_text("7 more", exact=True).click()
    rows.nth(30).wait_for()
    assert rows.count() == 31
    shown.press("ArrowRight", "ArrowLeft")  # they stay open
    rows.nth(30).wait_for()
    assert rows.count() == 31
