"""What stands on the page can be read: nothing covers it, nothing is cut without need, numbers are there on demand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Open, Shown
from browser import running_chromium as running_chromium
from browser import show as show

import nn
from autograd import Tape, Tensor
from viz.stepper import Stepper

HANDLE = "document.querySelector('[data-tracegrad]').tracegrad"
PHONE = {"viewport": {"width": 390, "height": 844}}


def recurrent() -> Stepper:
    rng = np.random.default_rng(2)
    xs, h = rng.normal(size=(6, 2, 3)), Tensor(np.zeros((2, 4)))
    Wx, Wh, b, V = (Tensor(rng.normal(size=size)) for size in ((3, 4), (4, 4), (4,), (4, 1)))
    for x in xs:
        h = np.tanh(x @ Wx + h @ Wh + b)
    return Stepper(Tape(((h @ V - 1) ** 2).sum()), granularity="line")


def network() -> Stepper:
    rng = np.random.default_rng(0)
    X, W, b = (Tensor(rng.normal(size=size)) for size in ((4, 3), (3, 5), (5,)))
    z = X @ W + b
    a = np.maximum(z, 0)
    return Stepper(Tape((a**2).mean()), granularity="line")


def root() -> Stepper:
    x = Tensor(np.vstack([np.full((3, 6), -1.0), np.ones((3, 6))]), name="x")
    with np.errstate(invalid="ignore"):
        y = np.sqrt(x)
    return Stepper(Tape((y * 2).sum()), granularity="op")


def opened(show: Open, stepper: Stepper, tmp_path: Path, **options: Any) -> Shown:
    page = stepper.save(tmp_path / "steps.html").read_text(encoding="utf-8")
    shown = show(page, **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options})
    shown.page.set_default_timeout(4000)
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    return shown


def go(shown: Shown, k: int) -> None:
    shown.page.evaluate(f"{HANDLE}.goto({k})")


def test_the_marks_of_nan_in_the_graph_stay_in_their_cells(show: Open, tmp_path: Path) -> None:
    shown = opened(show, root(), tmp_path)
    go(shown, 1)
    marks, image = (shown.step_view().locator(f".node.now .picture {name}").first for name in (".glyphs", "image"))
    a, b = marks.bounding_box(), image.bounding_box()
    assert a["x"] > b["x"] and a["x"] + a["width"] < b["x"] + b["width"]
    assert a["y"] > b["y"] and a["y"] + a["height"] < b["y"] + b["height"] * 0.6


def test_a_small_array_is_a_picture_or_numbers_as_one_likes(show: Open, tmp_path: Path) -> None:
    shown = opened(show, network(), tmp_path)
    shown.press("End")
    button, panel = shown.step_view().locator(".digits").first, shown.step_view().locator(".panel .arrays")
    before = panel.locator("canvas.heat").count()
    assert before > 0 and button.inner_text() == "numbers"
    button.click()
    assert panel.locator("canvas.heat").count() == 0 and panel.locator(".matrix td").count() >= 20
    shown.press("ArrowLeft", "ArrowRight")
    assert panel.locator("canvas.heat").count() == 0, "it stays so from step to step"
    shown.step_view().locator(".digits").first.click()
    assert panel.locator("canvas.heat").count() == before


def test_sums_have_all_their_columns_where_there_is_room(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(), tmp_path)
    shown.press("End")
    sums = shown.step_view().locator(".accumulate .matrix")
    assert sums.count() > 2 and not any("…" in text for text in sums.all_inner_texts())
    panel = shown.step_view().locator(".panel")
    assert panel.evaluate("(panel) => panel.scrollWidth <= panel.clientWidth")


def test_escape_empties_the_search(show: Open, tmp_path: Path) -> None:
    shown = opened(show, network(), tmp_path)
    shown.press("/")
    shown.page.keyboard.type("W")
    field, found = shown.step_view().locator("input[type=search]"), shown.step_view().locator(".search small")
    assert "of" in found.inner_text()
    shown.press("Escape")
    assert field.input_value() == "" and found.inner_text() == ""


def test_a_button_copies_a_link_to_the_step(show: Open, tmp_path: Path) -> None:
    shown = opened(show, network(), tmp_path)
    shown.page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    go(shown, 2)
    shown.step_view().get_by_role("button", name="Copy a link to this step").click()
    shown.page.wait_for_function("window.copied")
    assert shown.page.evaluate("window.copied").endswith("#step=2")


def test_a_sheet_has_the_chain_rule_and_numbers(show: Open, tmp_path: Path) -> None:
    shown = opened(show, network(), tmp_path)
    shown.press("End")
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown.page.emulate_media(media="print")
    sheet = shown.step_view().locator(".sheet")
    assert sheet.locator(".product .factor").count() > 1 and sheet.locator(".product .lit").count() > 0
    assert sheet.locator(".arrays .matrix td").count() >= 15
    shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
    shown.page.emulate_media(media="screen")
    assert shown.step_view().locator(".panel .arrays canvas.heat").count() > 0


def test_titles_are_as_long_as_their_boxes(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(), tmp_path)
    titles = shown.step_view().locator(".node", has_text="tanh").locator("text").all_text_contents()
    assert any(title.endswith("Wh + b)") for title in titles)


def test_at_the_start_what_acts_first_is_whole(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(), tmp_path)
    pane = shown.step_view().locator(".pane").bounding_box()
    box = shown.step_view().locator(".node", has_text="h (2) = tanh").locator(".box").bounding_box()
    assert pane["x"] <= box["x"] and box["x"] + box["width"] <= pane["x"] + pane["width"]


@pytest.mark.parametrize("size", [{}, PHONE], ids=["laptop", "phone"])
def test_arrows_to_boxes_that_are_partly_in_view_cover_little(show: Open, tmp_path: Path, size: dict[str, Any]) -> None:
    stepper = recurrent()
    shown = opened(show, stepper, tmp_path, **size)
    for k in range(0, len(stepper.walk), 7):
        go(shown, k)
        wide = shown.step_view().evaluate("""(app) => {
            const pane = app.querySelector('.pane').getBoundingClientRect();
            const names = [...app.querySelectorAll('.node')].filter((node) => {
                const box = node.querySelector('.box').getBoundingClientRect();
                return box.right > pane.left + 20 && box.left < pane.right - 20
                    && box.bottom > pane.top + 20 && box.top < pane.bottom - 20;
            }).map((node) => node.querySelector('text').textContent.split(' = ')[0]);
            return [...app.querySelectorAll('.arrows button')].filter((button) => button.offsetWidth > 40)
                .map((button) => button.textContent.slice(2)).filter((name) => names.includes(name));
        }""")
        assert wide == [], k


def test_on_a_phone_a_wide_box_shows_its_beginning_and_a_formula_all_of_the_width(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(), tmp_path, **PHONE)
    shown.press("End")
    pane, now = (shown.step_view().locator(name).bounding_box() for name in (".pane", ".node.now > .box"))
    assert pane["x"] < now["x"] < pane["x"] + 16 and now["width"] > pane["width"]
    formula, panel = (shown.step_view().locator(name).first.bounding_box() for name in (".formula.symbols", ".panel"))
    assert formula["width"] > panel["width"] - 40


def test_names_in_a_box_leave_out_the_layer_around_it_and_say_it_beside(show: Open, tmp_path: Path) -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    out = nn.TransformerEncoder(layer, 2)(np.ones((1, 3, 4), np.float32))
    shown = opened(show, Stepper(Tape((out**2).mean()), granularity="op"), tmp_path)
    shown.press("O")
    titles = (
        shown.step_view()
        .locator(".node")
        .evaluate_all(
            "(all) => all.map((g) => [g.querySelector('text').textContent,"
            " g.querySelector(':scope > title')?.textContent, g.getAttribute('aria-label')])"
        )
    )
    full = {name: (title, label) for name, title, label in titles}
    assert full["γ"][0].endswith("norm2.γ") and full["γ"][1].startswith("layers.")
    assert full["W_QKV"][0].endswith(".self_attn.W_QKV")
    assert not [name for name in full if "layers." in name]


def test_complex_numbers_are_written_with_both_parts(show: Open, tmp_path: Path) -> None:
    z = Tensor(np.array([1 + 2j, 0.5 - 1j]), name="z")
    many = Tensor(np.arange(30.0) * (1 - 2j), name="w")
    loss = (np.abs(np.fft.fft(z)) ** 2).sum() + (np.abs(many) ** 2).sum()
    shown = opened(show, Stepper(Tape(loss), granularity="op"), tmp_path)
    shown.page.keyboard.press("End")
    assert "[1+2i 0.5−1i]" in shown.page.locator(".pane svg").first.text_content()
    titles = shown.page.locator(".pane svg title").all_text_contents()
    assert "z (2,), from −1 to 2, norm 2.5" in titles
    assert any(title.startswith("w (30,), from −58 to 29, norm") for title in titles)
