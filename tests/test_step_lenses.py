"""The lenses of the step view's page in a real browser: the numbers they show are those that NumPy computes."""

from __future__ import annotations

import re
from collections import Counter
from importlib import resources
from typing import Any

import numpy as np
import pytest
from stories import (
    CONVOLUTIONS,
    HOST,
    Story,
    bars_story,
    contributions,
    kernel_story,
    number,
    paths_story,
    pooled,
    route_story,
    step_of,
    terms_story,
    text,
)

# --- shared kernels ---------------------------------------------------------------------------------------------------


def choose(page: Any, f: int, c: int, i: int, j: int) -> None:
    for label, at in (("filter", f), ("channel", c)):
        if page.get_by_label(label).count():
            page.get_by_label(label).select_option(str(at))
    page.locator(".picked").focus()
    for key, presses in (("ArrowDown", i), ("ArrowRight", j)):
        for _ in range(presses):
            page.keyboard.press(key)


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_the_sum_of_a_weights_contributions_is_numpys(view: Any, case: str) -> None:
    story, each = kernel_story(case)
    page = view(story)
    at = tuple(n - 1 for n in each.shape[:4])
    choose(page, *at)
    said = text(page)
    assert f"g ×{each[at].size} " in said
    assert f"Σ over {each[at].size} positions = {number(each[at].sum())}; " in said
    assert f"[{', '.join(map(str, at))}] ✔ the engine’s number" in said


def test_a_batch_shows_the_sum_of_each_image(view: Any) -> None:
    story, each = kernel_story("all of it")
    images = [f"({number(s)})" if s < 0 else number(s) for s in each[0, 0, 0, 0].sum((1, 2))]
    assert f"by image: {' + '.join(images)} = {number(each[0, 0, 0, 0].sum())}" in text(view(story))


@pytest.mark.parametrize("position", [1, 7, 30, 45])
def test_the_running_sum_at_a_position_is_numpys(view: Any, position: int) -> None:
    story, each = kernel_story("all of it")
    page = view(story)
    choose(page, 2, 1, 1, 2)
    page.get_by_role("slider", name="positions added up").fill(str(position))
    terms = each[2, 1, 1, 2].ravel()
    said = text(page)
    assert f"Position {position} of 45: " in said
    assert f"= {number(terms[position - 1])}; running sum {number(terms[:position].sum())} " in said + " "


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_adding_patches_position_by_position_fills_the_same_gradient(view: Any, case: str) -> None:
    story, each = kernel_story(case)
    page = view(story)
    page.get_by_role("button", name="by position").click()
    slider = page.get_by_role("slider", name="positions added up")
    count = each[0, 0, 0, 0].size
    slider.fill(str(count // 2))
    half = each[0, 0].reshape(*each.shape[2:4], -1)[..., : count // 2].sum(-1)
    assert f"{count // 2} of {count} positions are added; ‖so far‖ = {number(np.linalg.norm(half))}" in text(page)
    slider.fill(str(count))
    assert f"All {count} positions are added: ✔" in text(page)


def test_the_play_button_adds_up_to_the_end_at_once_where_motion_is_not_wanted(view: Any) -> None:
    story, each = kernel_story("plain")
    page = view(story, reduced_motion="reduce")
    page.get_by_role("button", name="add up").click()
    assert "Position 12 of 12: " in text(page)
    assert f"running sum {number(each[0, 0, 0, 0].sum())}" in text(page)


def test_a_gradient_that_is_not_the_sum_is_said_to_differ(view: Any) -> None:
    story, each = kernel_story("plain", off=1)
    page = view(story)
    assert f"✘ the engine has {number(each[0, 0, 0, 0].sum() + 1)}" in text(page)
    page.get_by_role("button", name="by position").click()
    page.get_by_role("slider", name="positions added up").fill("12")
    assert "not all agree" in text(page)


def test_sixteen_bit_numbers_agree_with_the_engine_within_their_rounding(view: Any) -> None:
    random = np.random.default_rng(1)
    x, delta = random.random((1, 1, 28, 28)), random.normal(size=(1, 6, 24, 24))
    gradient = contributions(x, delta, (5, 5), [1, 1], [1, 1], 1).sum((4, 5, 6))
    story = Story()
    at = {
        "x": story.array(x),
        "delta": story.array(delta),
        "kernel": story.array(gradient),
        "dkernel": story.array(gradient),
    }
    story.result(
        gradient, lens={"kind": "kernel", "name": "g", **at, "stride": [1, 1], "dilation": [1, 1], "groups": 1}
    )
    page = view(story)
    for f in range(6):
        page.get_by_label("filter").select_option(str(f))
        assert "✔ the engine’s number" in text(page)


def test_arrays_that_travel_as_pictures_are_said_to_be_too_large(view: Any) -> None:
    story = Story()
    big = story.array(np.ones((1, 1, 70, 70)))
    small = story.array(np.ones((1, 1, 2, 2)))
    story.result(
        np.ones((1, 1, 2, 2)),
        lens={
            "kind": "kernel",
            "name": "g",
            "x": big,
            "delta": big,
            "kernel": small,
            "dkernel": small,
            "stride": [1, 1],
            "dilation": [1, 1],
            "groups": 1,
        },
    )
    assert "x (1, 1, 70, 70) has 4 900 numbers; the page keeps only a picture" in text(view(story))


# --- max-pooling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "k", "s"), [(8, 2, 2), (7, 3, 2), (5, 3, 1)])
@pytest.mark.parametrize("whole", [False, True], ids=["of windows", "of the image"])
def test_every_window_sends_its_gradient_to_the_engines_cell(view: Any, size: int, k: int, s: int, whole: bool) -> None:
    random = np.random.default_rng(2)
    places = (size - k) // s + 1
    # few values: ties in many windows
    x, upstream = random.integers(0, 5, (2, 3, size, size)), random.integers(-9, 10, (2, 3, places, places))
    page = view(route_story(x, upstream, k, s, pooled(x, upstream, k, s)[whole]))
    page.get_by_label("image").select_option("1")
    page.get_by_label("channel").select_option("2")
    assert f"All {places**2} windows: ✔" in text(page)


def test_a_window_is_read_by_arrow_keys_and_shared_cells_add_up(view: Any) -> None:
    x = np.array([[[[0.0, 1, 0], [2, 9, 3], [0, 1, 0]]]])
    upstream = np.array([[[[0.5, -0.25], [2.0, 1.0]]]])
    page = view(route_story(x, upstream, 2, 1, pooled(x, upstream, 2, 1)[1]))
    page.locator(".picked").focus()
    page.keyboard.press("ArrowRight")
    said = text(page)
    assert "Window (0, 1): 1, 0, 9, 3. The largest, 9 at a[1, 1], gets ∂m[0, 1] = −0.25." in said
    assert "4 windows chose this cell: 0.5 + (−0.25) + 2 + 1 = 3.25." in said
    assert step_of(page) == 1


def test_the_first_of_equal_numbers_gets_the_gradient(view: Any) -> None:
    x, upstream = np.array([[[[1.0, 7.0], [7.0, 7.0]]]]), np.array([[[[3.0]]]])
    page = view(route_story(x, upstream, 2, 2, pooled(x, upstream, 2, 2)[0]))
    assert "The first of 3 equal largest, 7 at a[0, 1], gets ∂m[0, 0] = 3." in text(page)


def test_a_window_with_nan_sends_its_gradient_nowhere(view: Any) -> None:
    x, upstream = np.array([[[[1.0, np.nan], [7.0, 7.0]]]]), np.array([[[[3.0]]]])
    said = text(view(route_story(x, upstream, 2, 2, np.zeros((1, 1, 1, 1, 2, 2)))))
    assert "1, NaN, 7, 7. There is a NaN in it" in said
    assert "✔ as the engine sent them" in said


def test_a_gradient_sent_elsewhere_by_the_engine_is_said_to_differ(view: Any) -> None:
    x, upstream = np.arange(16.0).reshape(1, 1, 4, 4), np.ones((1, 1, 2, 2))
    contribution = pooled(x, upstream, 2, 2)[1][..., ::-1]
    assert "✘ window (0, 0)" in text(view(route_story(x, upstream, 2, 2, contribution)))


# --- p − y ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (0.25, "divided by N = 4, the number of rows"),
        (1.0, "the rows are added up"),
        (0.05, "times 0.05"),
    ],
    ids=["mean", "sum", "weighted"],
)
def test_bars_say_what_p_minus_y_is_multiplied_by(view: Any, factor: float, said: str) -> None:
    story, gradient = bars_story(factor)
    page = view(story)
    page.get_by_label("row").select_option("1")
    assert said in text(page)
    assert "✔ the engine’s gradient" in text(page)
    cells = page.locator(".bars tbody tr").nth(2).locator(".number").all_inner_texts()
    assert cells == ["0.8", "0", "0.8", number(gradient[1, 2])]


# --- all of them ------------------------------------------------------------------------------------------------------


def all_stories() -> dict[str, Story]:
    random = np.random.default_rng(7)
    x, upstream = random.normal(size=(1, 1, 28, 28)), random.normal(size=(1, 1, 14, 14))
    a, b = random.normal(size=(3, 120)), random.normal(size=(5, 120))
    return {
        "kernel": kernel_story("all of it")[0],
        "route": route_story(x, upstream, 2, 2, pooled(x, upstream, 2, 2)[0]),
        "bars": bars_story(0.25)[0],
        "terms": terms_story(a @ b.T, [a, b], kind="einsum", subscripts="ik,jk->ij"),
        "paths": paths_story(),
    }


@pytest.mark.parametrize("kind", all_stories())
def test_a_lens_fits_a_narrow_screen_in_the_dark(view: Any, kind: str) -> None:
    page = view(all_stories()[kind], width=400, color_scheme="dark")
    parts = f"[...{HOST}.shadowRoot.querySelectorAll('.panel, .lens')]"
    assert page.evaluate(f"{parts}.filter((part) => part.scrollWidth > part.clientWidth + 1).length") == 0


@pytest.mark.parametrize("kind", all_stories())
def test_every_control_of_a_lens_has_a_name_for_screen_readers(view: Any, kind: str) -> None:
    page = view(all_stories()[kind])
    for control in page.locator(".lenses").locator("input, select, button, canvas, [tabindex='0']").all():
        named = control.evaluate(
            "(e) => e.getAttribute('aria-label') || e.closest('label')?.textContent || e.textContent"
        )
        hidden = control.get_attribute("aria-hidden") == "true"
        assert hidden or named.strip()


def test_what_was_chosen_is_kept_when_a_step_is_left_and_come_back_to(view: Any) -> None:
    story, _ = kernel_story("all of it")
    page = view(story)
    choose(page, 3, 1, 1, 1)
    before = text(page)
    page.locator(".app").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert text(page) == before


def test_a_list_keeps_the_focus_when_the_lens_is_drawn_anew(view: Any) -> None:
    story, each = kernel_story("all of it")
    page = view(story)
    page.get_by_label("filter").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("filter").input_value() == "2"
    assert f"Σ over 45 positions = {number(each[2, 0, 0, 0].sum())}; " in text(page)
    assert step_of(page) == 1


def test_no_two_scripts_of_the_page_define_the_same_name() -> None:
    static = resources.files("viz") / "page" / "static"
    names: Counter[str] = Counter()
    for file in static.iterdir():
        if file.name.endswith(".js"):
            names.update(
                re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", file.read_text("utf-8"), re.MULTILINE)
            )
    assert [name for name, count in names.items() if count > 1] == []
