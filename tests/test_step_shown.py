"""What a step shows of its numbers: vectors, local derivatives, colours, names; what vanished, where NaN was born."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from browser import Open, Shown
from test_step_page import each_step_with_its_lenses, opened, saved
from test_step_payload import payload

import viz
from autograd import Tensor
from nn import functional as F
from viz.page.factors import columns, local_factor
from viz.page.packing import as_shown
from viz.plain.thumbnails import MINUS_CELL, full_colour, grid, thumbnail
from viz.stepper import Stepper
from viz.tape.constants import constants
from viz.tape.names import Names

ROWS = "(tables) => tables.map((t) => [...t.rows ?? t.children].map((r) => [...r.children].map((c) => c.textContent)))"
EDGE = "(path) => [getComputedStyle(path).stroke, getComputedStyle(path).strokeDasharray]"


def normal(*shape: int, name: str = "x", scale: float = 1.0) -> Tensor:
    return Tensor(np.random.default_rng(len(shape) + sum(shape)).normal(size=shape) * scale, name=name)


def tables(shown: Shown, selector: str) -> Any:
    """The rows of the tables of numbers in a part of the step view."""
    return shown.step_view().locator(selector).evaluate_all(ROWS)


def at_step(show: Open, stepper: Stepper, title: str, **options: Any) -> Shown:
    """The page at the first step of that title."""
    shown = opened(show, stepper, **options)
    number = next(step.number for step in stepper if step.title.endswith(title))
    shown.page.evaluate(f"document.querySelector('[data-tracegrad]').tracegrad.goto({number})")
    return shown


# --- vectors and matrices


def test_a_vector_is_a_column_right_of_a_matrix_and_a_row_left_of_one(show: Open) -> None:
    w, x = normal(3, 3, name="W"), normal(3)
    right = viz.step((w @ x).sum(), granularity="contribution")
    left = viz.step((x @ w).sum(), granularity="contribution")
    shapes = []
    for stepper in (right, left):
        shown = at_step(show, stepper, "%2")
        shapes.append([(len(rows), len(rows[0])) for rows in tables(shown, ".formula.numbers mtable")])
    assert shapes == [[(3, 3), (3, 1), (3, 1)], [(1, 3), (3, 3), (1, 3)]]


def test_an_outer_product_is_a_column_times_a_row(show: Open) -> None:
    w, x = normal(3, 2, name="W"), normal(2)
    stepper = viz.step((w @ x).sum(), granularity="contribution")
    shown = at_step(show, stepper, "W ← %2")
    assert [(len(rows), len(rows[0])) for rows in tables(shown, ".formula.numbers mtable")] == [(3, 1), (1, 2), (3, 2)]
    assert "⊤" not in shown.text(".formula.numbers") and "⊤" in shown.text(".formula.symbols")


def test_what_is_added_to_a_column_is_one_too() -> None:
    w, x, b = normal(3, 2, name="W"), normal(2), normal(3, name="b")
    stepper = viz.step((w @ x + b).sum())
    from viz.formula import forward

    node = stepper.walk.tape[4]
    tree = forward(node, stepper.walk.names, written_out={node.parents[0]}).tree
    found, result = columns(tree)
    assert result and {s.name for s in viz.formula.tree.symbols(tree) if id(s) in found} == {"x", "b"}


def test_a_vector_is_one_row_wherever_it_stands_and_cut_where_it_is_long(show: Open) -> None:
    shown = opened(show, viz.step((Tensor(np.arange(12.0), name="x") * 2).sum()))
    ((row,),) = tables(shown, ".leaves .matrix")
    assert row == ["0", "1", "2", "3", "4", "5", "…", "11"]
    box = shown.step_view().locator(".node").first.locator(".fill.value text")
    assert box.last.text_content() == "[0 1 2 3 4 5 6 7 8 9 10 11]"
    long = opened(show, viz.step((Tensor(-np.arange(12.0) / 7, name="x") * 2).sum()))
    (text,) = long.step_view().locator(".node").first.locator(".fill.value .numbers").all_text_contents()
    assert text.startswith("[0 −0.1429 ") and text.endswith(" … −1.571]")


def test_a_matrix_with_many_rows_is_cut_downward(show: Open) -> None:
    shown = opened(show, viz.step((Tensor(np.arange(12.0).reshape(12, 1), name="x") * 2).sum()))
    (rows,) = tables(shown, ".leaves .matrix")
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "⋮", "11"]


# --- keys


def test_a_saved_page_listens_to_keys_at_once(show: Open) -> None:
    shown = show(saved(viz.step((normal(3) * 2).sum())))
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.press("ArrowRight", "ArrowRight")
    assert shown.text(".count").startswith("2 /")
    shown.page.mouse.click(2, 2)
    shown.press("ArrowLeft")
    assert shown.text(".count").startswith("1 /")


def test_keys_of_a_notebook_are_its_own_while_the_step_view_has_no_focus(show: Open) -> None:
    shown = show(f"<!doctype html><meta charset='utf-8'><input id='cell'>{viz.step((normal(3) * 2).sum()).html()}")
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.press("ArrowRight")
    shown.page.locator("#cell").focus()
    shown.press("ArrowRight", " ", "b")
    assert shown.text(".count").startswith("0 /")
    assert shown.page.locator("#cell").input_value() == " b"


def test_keys_go_on_after_what_had_the_focus_has_gone(show: Open) -> None:
    shown = opened(show, viz.step((np.tanh(normal(3)) * 2).sum()))
    shown.press("ArrowRight")
    shown.step_view().locator(".lenses summary").first.click()
    shown.press("ArrowRight", "ArrowRight")
    assert shown.text(".count").startswith("3 /")


# --- edges


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_edges_have_the_colour_and_the_pattern_of_the_pass(show: Open, scheme: str) -> None:
    shown = opened(show, viz.step(np.tanh(normal(3)).sum()), color_scheme=scheme)
    seen = []
    for key, phase in (("ArrowRight", "forward"), ("End", "backward")):
        shown.press(key)
        colour = shown.step_view().locator(f".phase.{phase}").evaluate("(e) => getComputedStyle(e).backgroundColor")
        seen.append(shown.step_view().locator(".edge.flow > path").first.evaluate(EDGE))
        assert seen[-1][0] == colour
    assert seen[0][1] == "none" != seen[1][1]


# --- the local derivative


def test_an_elementwise_step_shows_the_local_derivative_as_numbers(show: Open) -> None:
    shown = at_step(show, viz.step(np.tanh(Tensor(0.5, name="x") * 1.0) * 3), "%1 ← %2")
    words = " ".join(shown.text(".arrays").split())
    assert words == "∂L/∂%2 upstream 3 × ∂%2/∂%1 local 0.7864 = ∂L/∂%1 2.359"


def test_upstream_times_local_is_what_is_sent() -> None:
    x, w = normal(12, 8), normal(8, 10, name="W")
    z = x @ w
    losses = [
        F.sigmoid(z),
        np.tanh(z),
        F.relu(z),
        np.sqrt(z * z + 1),
        z / (1 + np.exp(z)),
        z * 0.3,
        np.where(z.data > 0, z, 0),
    ]
    found = 0
    for y in losses:
        for step in viz.step((y * y).sum()):
            factor = local_factor(step.formula.tree, step.node) if step.phase == "backward" else None
            if factor is not None:
                found += 1
                np.testing.assert_allclose(step.upstream * viz.formula.tree.evaluate(factor), step.contribution)
    assert found > 12


@pytest.mark.parametrize("loss", [
    lambda z: F.log_softmax(z)[:, 0].sum(), lambda z: F.softmax(z)[:, 0].sum(),
    lambda z: (z @ np.ones((3, 3)))[0].sum(), lambda z: np.cumsum(z).sum(),
    lambda z: (z + 1.0)[0].sum(), lambda z: (z - z.mean()).sum(),
], ids=["log-softmax", "softmax", "matrix product", "cumulative sum", "sum", "mean"])  # fmt: skip
def test_what_is_no_product_shows_no_local_derivative(show: Open, loss: Any) -> None:
    stepper = viz.step(loss(normal(5, 3)))
    shown = opened(show, stepper)
    for k in range(len(stepper)):
        shown.page.evaluate(f"document.querySelector('[data-tracegrad]').tracegrad.goto({k})")
        assert "local" not in " ".join(shown.step_view().locator(".arrays").all_inner_texts())


def entry_of_local(stepper: Stepper) -> tuple[dict[str, Any], np.ndarray]:
    told = payload(stepper)
    number, step = next((k, s) for k, s in enumerate(told["steps"]) if s.get("local") is not None)
    return told["arrays"][step["local"]], viz.formula.tree.evaluate(
        local_factor(stepper[number].formula.tree, stepper[number].node)
    )


def test_the_page_works_out_a_local_derivative_where_its_numbers_suffice() -> None:
    z = normal(12, 10)
    entry, true = entry_of_local(viz.step(F.sigmoid(z).sum()))
    assert "made" in entry and true.shape == (12, 10)
    # 1 − a of an a that is almost 1, to three digits, is not known
    entry, _ = entry_of_local(viz.step(F.sigmoid(Tensor(np.abs(z.data) + 9, name="z")).sum()))
    assert "made" not in entry and "q" in entry


def test_the_local_derivative_on_the_page_is_the_engines(show: Open) -> None:
    z = normal(12, 10)
    shown = at_step(show, viz.step((F.sigmoid(z) * 3).sum()), "x ← %1")
    local = shown.step_view().locator(".arrays figure", has_text="local").locator("canvas")
    a = 1 / (1 + np.exp(-z.data))
    norm = float(local.get_attribute("aria-label").split("norm ")[1])
    assert norm == pytest.approx(np.linalg.norm(a * (1 - a)), rel=2e-3)


# --- vanishing, and NaN


def by_hand(x: Tensor, y: list[int]) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_shift_of_a_softmax_did_not_vanish(show: Open, dtype: Any) -> None:
    x = Tensor(normal(4, 3).data.astype(dtype), name="x")
    stepper = viz.step(by_hand(x, [0, 1, 2, 1]))
    shift = stepper.walk.tape[1]
    assert shift.op == "max" and stepper.walk.cancelled == {shift}
    words = opened(show, stepper).text(".words")
    assert "vanishing" not in words and "all zero" not in words and "e−" not in words


def test_what_is_multiplied_away_and_dead_units_are_still_named(show: Open) -> None:
    assert not viz.step((normal(3) * 1e-9).sum()).walk.cancelled
    dead = viz.step((np.maximum(-np.exp(normal(3)), 0) * 2).sum())
    assert not dead.walk.cancelled
    assert "all zero: ∂L/∂" in opened(show, dead).text(".words")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_computation_with_nan_opens_where_it_was_born() -> None:
    x = Tensor([1.0, -1.0], name="x")
    assert viz.step((np.sqrt(x * 1.0) * 2 + x).sum()).current.alarm == "NaN born here"
    # an infinite value that does no harm is not why one looks
    trap = viz.step(np.where([True, False], np.log(Tensor([1.0, 0.0])), 0.0).sum())
    assert trap.current.phase == "backward" and "NaN" in trap.current.alarm
    assert viz.step(np.log(Tensor([1.0, 0.0])).sum()).current.alarm == "Inf born here"
    assert viz.step((Tensor([np.nan]) * 2).sum()).position == 0
    assert viz.step((x * 2).sum()).position == 0
    assert viz.step((np.sqrt(x) * 2).sum(), break_at="backward").current.phase == "seed"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_births_are_listed_before_what_came_of_them(show: Open) -> None:
    x = Tensor([1.0, -1.0], name="x")
    y = np.sqrt(x * 1.0)
    words = opened(show, viz.step((y * y * x).sum())).text(".words").split("✕ ")
    assert words[1].strip() == "born: NaN in y at step 2"
    assert words[2].startswith("not finite: ∂L/∂")
    given = opened(show, viz.step((Tensor([np.nan, 1.0], name="x") * 2).sum())).text(".words")
    assert "born: 1 NaN in x, as given" in given


# --- names


def test_the_root_alone_is_called_l() -> None:
    logits = normal(5, 3)
    total = F.cross_entropy(logits, [0, 1, 2, 0, 1]) + F.cross_entropy(logits * 2.0, [0, 1, 2, 0, 1])
    for name in (None, "L"):
        total.name = name
        stepper = viz.step(total)
        gradients = {stepper.walk.names.gradient(node) for node in stepper.walk.tape}
        assert {"∂L/∂L", "∂L/∂L₁", "∂L/∂L₂"} <= gradients
        assert stepper.run_to("L").node is stepper.walk.tape.root
        assert stepper.run_to("L₁").target.name == "L"
    total.name = "total"
    assert {"∂total/∂L (1)", "∂total/∂total"} <= {
        Names(viz.step(total).walk.tape).gradient(n) for n in viz.step(total).walk.tape
    }


def test_no_two_records_share_a_name_whatever_they_are_called() -> None:
    loss = Tensor(2.0, name="L") * Tensor(3.0, name="L₁") * Tensor(1.0, name="h (1)")
    loss = loss * Tensor(1.0, name="h") * Tensor(1.0, name="h")
    tape = viz.step(loss).walk.tape
    names = [Names(tape).of(node) for node in tape]
    assert len(set(names)) == len(names)


def test_constants_have_the_names_of_the_program_and_equal_ones_share_one() -> None:
    y_true, mask = np.array([1.0, 2, 3]), np.array([True, False, True])
    x = normal(3)
    loss = (
        ((x - y_true) ** 2 * np.array([1.0, 5, 7])).sum() + np.where(mask, x, 0.0).sum() + x.dot(np.array([4.0, 1, 1]))
    )
    loss = loss + (np.array([1.0, 5, 7]) @ x) * 3.0
    text = [step.equation for step in viz.step(loss) if step.phase == "forward"]
    assert text[0] == "%1 = x − y_true" and text[2] == "%3 = %2 ⊙ c₁" and "mask" in text[4]
    assert any("x · c₂" in line for line in text)
    assert sum("c₁" in line for line in text) == 2
    assert any(line.endswith("× 3") for line in text)
    backward = [step.equation for step in viz.step(loss) if step.phase == "backward"]
    assert any("c₁" in line for line in backward)


def test_an_array_that_a_library_made_is_not_called_like_what_it_was_called_with() -> None:
    prediction, scale = normal(4), np.full(4, 2.0)

    def scaled(values: Tensor, other: Any) -> Any:
        return values * (other + 1)

    tape = viz.step(scaled(prediction, scale).sum()).walk.tape
    names, written = constants(tape, ())
    assert list(names.values()) == ["c"] and not written


# --- colours


def masked() -> np.ndarray:
    return np.where(np.tri(16) > 0, np.random.default_rng(0).normal(size=(16, 16)), -1e9)


def test_a_mask_leaves_the_rest_of_a_heat_map_visible() -> None:
    array = masked()
    cells, _ = grid(array, 48)
    assert (cells[array < -1e8] == MINUS_CELL).all()
    assert np.abs(cells[array > -1e8]).max() == 50
    assert full_colour(array) == np.abs(array[array > -1e8]).max()
    assert thumbnail(array).note == "− on black: −1e+09"


@pytest.mark.parametrize("array", [
    np.array([1.0, 1e-12]), np.array([0.0, -1e9]), np.geomspace(1e-3, 1e9, 200), np.array([3e4, 2.0]), np.zeros(3),
    np.array([np.inf, 1.0, -np.inf, np.nan]), np.zeros(0), np.array([2**62, 2**61]), np.array([True, False]),
])  # fmt: skip
def test_what_is_no_mask_keeps_its_scale(array: np.ndarray) -> None:
    finite = np.abs(array.astype(float)[np.isfinite(array.astype(float))])
    expected = 2.0 if 3e4 in array else finite.max(initial=0.0)
    assert full_colour(array) == expected


def test_numbers_beside_a_mask_travel_with_their_digits() -> None:
    array = masked()
    near = array > -1e8
    assert np.abs(as_shown(array) - array)[near].max() <= np.abs(array[near]).max() / 1000
    np.testing.assert_allclose(as_shown(array)[~near], -1e9)


def test_the_page_draws_a_mask_black_and_says_so(show: Open) -> None:
    q, mask = normal(16, 16, name="q"), np.where(np.tri(16) > 0, 0, -1e9)
    shown = at_step(show, viz.step(F.softmax(q + mask).max()), "%1")
    figure = shown.step_view().locator(".arrays figure.answer")
    assert "− on black: −1e+09" in figure.inner_text()
    canvas = figure.locator("canvas")
    pixel = "(c, [x, y]) => [...c.getContext('2d').getImageData(c.width * x, c.height * y, 1, 1).data].slice(0, 3)"
    assert canvas.evaluate(pixel, [0.99, 0.005]) == [0, 0, 0]
    colours = {tuple(canvas.evaluate(pixel, [k / 20, 0.97])) for k in range(16)}
    assert len(colours) > 8
    canvas.focus()
    shown.press("ArrowRight", "ArrowRight")
    assert shown.text(".tip") == "%1[0, 1] = −1e+09"


# --- search


def test_search_finds_every_step_of_a_name_and_goes_through_them(show: Open) -> None:
    w, x = Tensor(2.0, name="weight"), Tensor(3.0, name="x")
    loss = w * x + np.tanh(w * 3.0) * 2.0
    stepper = viz.step(loss)
    shown = opened(show, stepper)
    wanted = {step.number for step in stepper if "weight" in step.title}
    assert len(wanted) == 2
    shown.press("/")
    shown.page.keyboard.type("weight")
    seen = []
    for _ in range(2):
        text = shown.text(".search small")
        shown.press("Enter")
        seen.append((text, shown.text(".panel h3")))
    found = int(seen[0][0].split(" of ")[1])
    assert len({place for place, _ in seen}) == 2 and found >= 2
    # an operation sends to several at a time: what it sends first is found, too
    shown.page.locator("input[type=search]").fill("x ←")
    assert shown.text(".search small") == "1 of 1" and "x" in shown.text(".panel h3")


# --- kernels


@pytest.mark.parametrize("shape", [(32, 3, 7, 7), (64, 32, 3, 3)], ids=["4,704 numbers", "18,432 numbers"])
def test_the_shared_kernel_is_taken_apart_whatever_its_size(show: Open, shape: tuple[int, ...]) -> None:
    x, k = normal(1, shape[1], 14, 14), normal(*shape, name="k")
    stepper = viz.step(F.conv2d(x, k).mean())
    shown = opened(show, stepper)
    said = each_step_with_its_lenses(shown, stepper)
    assert "Every weight is used at" in said and "✔ the engine’s number" in said and "✘" not in said
    assert ("The page has the first" in said) == (shape[0] == 64)
    assert shown.messages == []


def test_groups_of_a_kernel_are_left_out_whole(show: Open) -> None:
    x, k = normal(1, 64, 12, 12), normal(128, 1, 3, 3, name="k")
    stepper = viz.step(F.conv2d(x, k, groups=64).mean())
    shown = opened(show, stepper)
    said = each_step_with_its_lenses(shown, stepper)
    assert "The page has the first" in said and "✔ the engine’s number" in said and "✘" not in said
    lens = next(step["lens"] for step in payload(stepper)["steps"] if step.get("lens"))
    assert json.dumps(lens["groups"]) == str(lens["groups"]) and 1 <= lens["groups"] < 64
