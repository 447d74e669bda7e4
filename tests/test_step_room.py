"""Rows of numbers in the step view at the widths that windows have: no number is cut, whatever the room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from browser import Open
from test_step_page import HANDLE, opened
from test_step_shown import normal

import viz
from viz.stepper import Stepper

CUT = """(cells) => cells.flatMap((cell) => {
    const text = document.createRange();
    text.selectNodeContents(cell);
    const lines = [...text.getClientRects()];
    if (!lines.length) return [];
    const [line] = lines;
    const inside = (box) => line.left >= box.left - 1 && line.right <= box.right + 1;
    const wrong = [];
    if (lines.length > 1) wrong.push('broken');
    if (cell.clientWidth && cell.scrollWidth > cell.clientWidth) wrong.push('clipped');
    if (!inside(cell.getBoundingClientRect())) wrong.push('wider than its cell');
    for (let at = cell.parentElement; at && !at.matches('.app'); at = at.parentElement) {
        const { overflowX } = getComputedStyle(at);
        if (overflowX === 'visible' || inside(at.getBoundingClientRect())) continue;
        if (overflowX === 'hidden' || at.scrollWidth <= at.clientWidth) wrong.push(`outside ${at.className}`);
        break;
    }
    return wrong.map((what) => `${cell.textContent}: ${what}`);
})"""
OPEN = "(app) => app.querySelectorAll('.lenses details').forEach((lens) => { lens.open = true })"
SCROLLED = "(places) => places.filter((place) => place.scrollWidth > place.clientWidth).length"


def rows_of_eight() -> Stepper:
    u, v = normal(8, name="u"), normal(8, name="v", scale=0.01)
    product = np.outer(np.exp(np.tanh(v)), np.sin(np.tanh(u)) + u * 0.5)
    return viz.step(np.sqrt(np.exp((product * product).sum() / 64)), granularity="contribution", watch=["u"])


def sums_of_eight() -> Stepper:
    u = normal(8, name="u")
    return viz.step((np.exp(u) * u + u / 3).sum(), granularity="contribution")


@pytest.mark.parametrize("width", [400, 700, 900, 1000, 1200, 1500])
@pytest.mark.parametrize("story", [rows_of_eight, sums_of_eight])
def test_no_number_is_cut_at_any_width(show: Open, story: Any, width: int) -> None:
    stepper = story()
    shown = opened(show, stepper, viewport={"width": width, "height": 900})
    seen = 0
    for k in range(len(stepper.walk)):
        shown.page.evaluate(f"{HANDLE}.goto({k})")
        shown.step_view().evaluate(OPEN)
        cells = shown.step_view().locator(":is(.panel, .watched) :is(.number, mn)")
        seen += cells.count()
        assert cells.evaluate_all(CUT) == [], (width, k)
    assert seen > 100


def test_rows_are_cut_to_the_room_there_is_and_keep_their_last_number(show: Open) -> None:
    lengths = []
    for width in (400, 1000, 1500):
        shown = opened(show, sums_of_eight(), viewport={"width": width, "height": 900})
        row = shown.step_view().locator(".leaves tr").first.locator(".matrix td").all_text_contents()
        assert shown.step_view().locator(".wide").evaluate_all(SCROLLED) == 0
        assert row[-1] == viz.plain.numbers.number(normal(8).data[-1])
        assert (len(row) < 8) == ("…" in row)
        lengths.append(len(row))
    assert lengths[0] < lengths[-1] == 8


def test_an_empty_leaf_has_no_gradient_that_could_be_all_zero(show: Open) -> None:
    empty = normal(0, name="e")
    shown = opened(show, viz.step(empty.sum() + normal(3).sum()))
    assert "all zero" not in shown.text(".words")
    assert shown.step_view().locator(".cell.vanishing").count() == 0


def test_a_mask_whose_ends_read_alike_is_named_once(show: Open) -> None:
    mask = np.where(np.tri(16) > 0, 0, -1e9)
    mask[0, 1] = -1e9 - 64
    sums = normal(16, 16, name="q") + mask
    assert viz.plain.thumbnails.thumbnail(sums.data).note == "− on black: −1e+09"
    shown = opened(show, viz.step(sums.max()))
    shown.page.evaluate(f"{HANDLE}.goto(1)")
    assert shown.text(".arrays figure.answer").count("on black") == 1
