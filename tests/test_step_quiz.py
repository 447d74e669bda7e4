"""The quiz of the step view's page in a real browser: what it takes as right, and what it keeps hidden."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from stories import Story, number, step_of, text


def quiz_page(view: Any, array: Any) -> Any:
    story = Story()
    result = story.array(array)
    symbol = {"array": result, "name": "δ", "node": 0, "kind": "gradient"}
    formula = {
        "left": "<mi>z</mi>",
        "right": '<mi data-symbol="0">δ</mi>',
        "plain": "∂a = δ",
        "numbers": "7",
        "symbols": [symbol],
        "notes": [],
    }
    story.result(
        array,
        formula=formula,
        terms={
            "of": "contribution",
            "kind": "einsum",
            "subscripts": "k->" if np.ndim(array) == 0 else "k->k",
            "operands": [story.array(np.ravel(array))],
            "names": ["δ"],
        },
    )
    page = view(story)
    page.get_by_role("button", name="quiz").click()
    return page


def answer(page: Any, typed: str) -> str:
    page.locator("form.quiz input").fill(typed)
    page.keyboard.press("Enter")
    return text(page, ".quiz:not(button)")


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        (-0.16, "-0.16"),
        (-0.16, "−0,16"),
        (0.3333, "1/3"),
        (123.4, "120"),
        (0.0312, "3.1e-2"),
        (0.0, "0"),
        (np.nan, "nan"),
        (np.inf, "Inf"),
        (-np.inf, "-inf"),
        (1.04, "1.0"),
    ],
)
def test_an_answer_right_to_two_digits_is_taken(view: Any, value: float, typed: str) -> None:
    page = quiz_page(view, value)
    assert answer(page, typed) == f"✔ right: ∂a = {number(value)}. 1 of 1 right"


@pytest.mark.parametrize(
    ("value", "typed", "said"),
    [
        (-0.16, "0.16", "Look at the sign."),
        (-0.16, "-0.19", "Try again"),
        (123.4, "150", "Try again"),
        (0.0, "0.01", "Try again"),
        (2.0, "two", "Type a number"),
        (2.0, "", "Type a number"),
        (np.nan, "3", "not a finite number"),
        (2.0, "1/0", "Not Inf."),
    ],
)
def test_a_wrong_answer_keeps_the_result_hidden(view: Any, value: float, typed: str, said: str) -> None:
    page = quiz_page(view, value)
    assert said in answer(page, typed)
    assert page.locator(".app.hiding").count() == 1
    assert page.locator(".lenses details").count() == 0
    for hidden in page.locator(".panel .answer").all():
        assert not hidden.is_visible()


def test_one_element_of_an_array_is_asked_the_same_at_every_visit(view: Any) -> None:
    values = np.array([0.0, 0.25, -0.5, 4.0])
    page = quiz_page(view, values)
    asked = page.locator("form.quiz label").inner_text()
    k = int(re.search(r"\[(\d)\]", asked).group(1))
    page.keyboard.press("Home")
    page.keyboard.press("End")
    assert page.locator("form.quiz label").inner_text() == asked
    assert values[k] != 0
    page.get_by_role("button", name="Hint").click()
    assert f"∂a = δ, with δ[{k}] = {number(values[k])}" in text(page, "form.quiz")
    assert f"✔ right: ∂a[{k}] = {number(values[k])}" in answer(page, str(values[k]))


def test_revealing_counts_against_the_score_and_shows_the_lenses_again(view: Any) -> None:
    page = quiz_page(view, 2.0)
    page.get_by_role("button", name="Reveal").click()
    assert text(page, "p.quiz") == "revealed: ∂a = 2. 0 of 1 right"
    assert page.locator(".app.hiding").count() == 0
    assert page.locator(".lenses details").count() == 1


def test_keys_typed_into_an_answer_do_not_step(view: Any) -> None:
    page = quiz_page(view, 2.0)
    page.locator("form.quiz input").focus()
    for key in ("ArrowLeft", "Home", "b", " ", "/"):
        page.keyboard.press(key)
    assert step_of(page) == 1
    assert page.locator("form.quiz input").input_value() == "b /"


def test_a_step_with_nothing_to_ask_hides_nothing(view: Any) -> None:
    page = quiz_page(view, np.ones((70, 70)))
    assert page.locator("form.quiz").count() == 0
    assert page.locator(".app.hiding").count() == 0
