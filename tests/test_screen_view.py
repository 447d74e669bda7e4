"""The window and the graph in it: how much room they take, zooming, dragging, what is in view."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Open, Shown, show
from browser import running_chromium as running_chromium

from autograd import Tape, Tensor
from viz.page.payload import payload_of
from viz.stepper import Stepper

__all__ = ["running_chromium", "show"]

SIZES = {"laptop": (1280, 800), "screen": (1920, 1080), "phone": (390, 844)}
SCALE = "(app) => app.querySelector('.ground').getCTM().a"
LETTERS = """(app) => {
    const scale = app.querySelector('.ground').getCTM().a;
    const texts = [...app.querySelectorAll('.pane text:not(.glyph)')];
    return Math.min(...texts.map((e) => parseFloat(getComputedStyle(e).fontSize))) * scale;
}"""
UNDER = """(app, [x, y]) => {
    const at = new DOMPoint(x, y).matrixTransform(app.querySelector('.ground').getScreenCTM().inverse());
    return [at.x, at.y];
}"""
TOUCH = """(pane, [type, id, x, y]) => pane.dispatchEvent(new PointerEvent(type, {
    pointerId: id, clientX: x, clientY: y, bubbles: true, composed: true, pointerType: 'touch', isPrimary: id === 1,
}))"""


def chain() -> Stepper:
    """A graph that is much higher than any window."""
    x = Tensor(np.linspace(0.1, 1, 6).reshape(2, 3), name="x")
    for function in (np.tanh, np.exp, np.sin, np.cosh, np.sqrt, np.cos, np.log1p, np.square, np.arctan, np.expm1):
        x = function(x)
    return Stepper(Tape(x.sum()), granularity="op")


def opened(show: Open, stepper: Stepper, tmp_path: Path, size: tuple[int, int] = (1280, 800), **options: Any) -> Shown:
    page = stepper.save(tmp_path / "steps.html").read_text(encoding="utf-8")
    return ready(show(page, viewport=dict(zip(("width", "height"), size, strict=True)), **options))


def ready(shown: Shown) -> Shown:
    shown.page.set_default_timeout(4000)
    shown.page.emulate_media(reduced_motion="reduce")
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    shown.page.wait_for_timeout(100)
    return shown


def box(shown: Shown, selector: str) -> dict[str, float]:
    found: dict[str, float] = shown.step_view().locator(selector).first.bounding_box()
    return found


def is_within(inner: dict[str, float], outer: dict[str, float]) -> bool:
    return all(
        outer[at] <= inner[at] and inner[at] + inner[size] <= outer[at] + outer[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


def middle(shown: Shown) -> tuple[float, float]:
    pane = box(shown, ".pane")
    return pane["x"] + pane["width"] / 2, pane["y"] + pane["height"] / 2


def scale(shown: Shown) -> float:
    return float(shown.step_view().evaluate(SCALE))


# --- room


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_saved_page_fills_its_window(show: Open, tmp_path: Path, size: tuple[int, int]) -> None:
    shown = opened(show, chain(), tmp_path, size)
    app, pane, panel = (shown.step_view().bounding_box(), box(shown, ".pane"), box(shown, ".panel"))
    buttons = box(shown, ".zoom")
    assert (app["x"], app["y"], app["width"]) == (0, 0, size[0]) and app["height"] >= size[1]
    assert shown.page.evaluate("document.documentElement.scrollWidth") == size[0]
    if size[0] < 720:
        assert panel["y"] >= pane["y"] + pane["height"] and pane["height"] > 0.4 * size[1]
    else:
        assert app["height"] == size[1]
        assert panel["x"] >= pane["x"] + pane["width"] and panel["height"] > pane["height"] > 0.6 * size[1]
        assert buttons["y"] >= pane["y"] + pane["height"], "no box is under the buttons"
        assert panel["x"] + panel["width"] > size[0] - 20


def test_a_step_that_is_higher_than_the_window_scrolls_in_it(show: Open, tmp_path: Path) -> None:
    x, w = Tensor(np.linspace(-1, 1, 40).reshape(8, 5), name="x"), Tensor(np.ones((5, 9)), name="W")
    shown = opened(show, Stepper(Tape(((x @ w) ** 2).sum()), granularity="op"), tmp_path, (1280, 700))
    beyond, more = [], "(panel) => panel.scrollHeight - panel.clientHeight"
    for key in ["End", *["ArrowLeft"] * 3]:
        shown.press(key)
        assert shown.step_view().bounding_box()["height"] == 700
        beyond.append(shown.step_view().locator(".panel").evaluate(more))
    assert max(beyond) > 50


def test_graph_and_step_grow_with_the_window(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path)
    before = [box(shown, name) for name in (".pane", ".panel")]
    shown.page.set_viewport_size({"width": 1920, "height": 1080})
    after = [box(shown, name) for name in (".pane", ".panel")]
    for old, new in zip(before, after, strict=True):
        assert new["width"] > old["width"] and new["height"] > old["height"] + 200


@pytest.mark.parametrize("height", [700, 1300])
def test_a_notebook_cell_has_a_sensible_height(show: Open, height: int) -> None:
    shown = ready(show(f"<meta charset='utf-8'>{chain().html()}", viewport={"width": 900, "height": height}))
    assert 420 <= box(shown, ".pane")["height"] <= 640


@pytest.mark.parametrize("size", [*SIZES.values(), (900, 700)])
def test_letters_of_the_graph_have_eleven_pixels_when_it_opens(
    show: Open, tmp_path: Path, size: tuple[int, int]
) -> None:
    shown = opened(show, chain(), tmp_path, size)
    assert shown.step_view().evaluate(LETTERS) >= 11
    shown.press("End")
    assert shown.step_view().evaluate(LETTERS) >= 11


def test_a_small_graph_is_wholly_in_view_and_has_no_map(show: Open, tmp_path: Path) -> None:
    shown = opened(show, Stepper(Tape(Tensor(2.0, name="a") * Tensor(3.0, name="b"))), tmp_path)
    pane = box(shown, ".pane")
    assert all(is_within(node.bounding_box(), pane) for node in shown.step_view().locator(".node").all())
    assert not shown.step_view().locator(".overview").is_visible()


# --- what is in view


def test_what_acts_is_always_in_view(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path)
    for key in [*["ArrowRight"] * 12, "End", *["ArrowLeft"] * 5]:
        shown.press(key)
        assert is_within(box(shown, ".node.now > .box"), box(shown, ".pane")), shown.text(".count")


def test_it_comes_back_into_view_after_it_was_dragged_away(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path)
    shown.press("ArrowRight")
    x, y = middle(shown)
    for _ in range(3):
        shown.page.mouse.move(x, y + 250)
        shown.page.mouse.down()
        shown.page.mouse.move(x, y - 250, steps=4)
        shown.page.mouse.up()
    assert not is_within(box(shown, ".node.now > .box"), box(shown, ".pane"))
    shown.press("ArrowRight")
    assert is_within(box(shown, ".node.now > .box"), box(shown, ".pane"))


def test_the_map_shows_what_acts_and_leads_elsewhere(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path)
    shown.press("ArrowRight")
    assert shown.step_view().locator(".overview .now").count() >= 1
    place, last = box(shown, ".overview"), shown.step_view().locator(".node[data-kind=loss]")
    assert not is_within(last.bounding_box(), box(shown, ".pane"))
    shown.page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] - 2)
    assert is_within(last.locator(".box").bounding_box(), box(shown, ".pane"))
    assert shown.text(".count").startswith("1 ")


# --- wheel, pinch, drag, keys


def test_the_wheel_zooms_at_the_pointer(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path)
    x, y = middle(shown)
    at = [x + 90, y - 60]
    before, size = shown.step_view().evaluate(UNDER, at), scale(shown)
    shown.page.mouse.move(*at)
    shown.page.mouse.wheel(0, -300)
    shown.page.wait_for_timeout(100)
    assert scale(shown) > 1.3 * size
    assert shown.step_view().evaluate(UNDER, at) == pytest.approx(before, abs=1)
    assert shown.page.evaluate("scrollY") == 0


def test_in_a_notebook_the_wheel_scrolls_the_page_and_zooms_with_a_key(show: Open) -> None:
    html = f"<meta charset='utf-8'>{chain().html()}<div style='height: 3000px'></div>"
    shown = ready(show(html, viewport={"width": 900, "height": 700}))
    size = scale(shown)
    shown.page.mouse.move(*middle(shown))
    at = shown.page.evaluate("scrollY")
    shown.page.mouse.wheel(0, 100)
    shown.page.wait_for_function(f"scrollY === {at + 100}")
    assert scale(shown) == size
    shown.page.keyboard.down("Control")
    shown.page.mouse.wheel(0, -100)
    shown.page.keyboard.up("Control")
    shown.page.wait_for_timeout(100)
    assert scale(shown) > size and shown.page.evaluate("scrollY") == at + 100


def test_two_fingers_pinch(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path, SIZES["phone"], has_touch=True)
    pane, size = shown.step_view().locator(".pane"), scale(shown)
    pane.evaluate("(pane) => { pane.setPointerCapture = () => {}; }")
    x, y = middle(shown)
    still = shown.step_view().evaluate(UNDER, [x - 40, y])
    for told in (["pointerdown", 1, x - 40, y], ["pointerdown", 2, x + 40, y], ["pointermove", 2, x + 120, y]):
        pane.evaluate(TOUCH, told)
    assert scale(shown) == pytest.approx(2 * size, rel=1e-3)
    assert shown.step_view().evaluate(UNDER, [x - 40, y]) == pytest.approx(still, abs=1)


def test_a_drag_moves_the_graph_and_is_no_click(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path)
    shown.press("ArrowRight")
    before = box(shown, ".node.now > .box")
    x, y = before["x"] + 20, before["y"] + 8
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + 70, y + 40, steps=3)
    shown.page.mouse.up()
    after = box(shown, ".node.now > .box")
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((70, 40), abs=1)
    assert shown.text(".count").startswith("1 "), "the box was not clicked"


def test_keys_and_a_double_click_zoom_and_fit(show: Open, tmp_path: Path) -> None:
    shown = opened(show, chain(), tmp_path)
    first = scale(shown)
    shown.press("+")
    assert scale(shown) == pytest.approx(1.25 * first, rel=1e-3)
    shown.press("-", "-")
    assert scale(shown) == pytest.approx(first / 1.25, rel=1e-3)
    shown.press("0")
    whole = scale(shown)
    pane = box(shown, ".pane")
    assert all(is_within(node.bounding_box(), pane) for node in shown.step_view().locator(".node").all())
    shown.press("1")
    assert scale(shown) == pytest.approx(first, rel=1e-3)
    shown.page.mouse.dblclick(pane["x"] + pane["width"] - 8, pane["y"] + 8)
    assert scale(shown) == pytest.approx(whole, rel=1e-3)


def test_a_move_glides_unless_motion_is_not_wanted(show: Open, tmp_path: Path) -> None:
    moving = "(app) => app.querySelector('.ground').getAnimations().length"
    shown = opened(show, chain(), tmp_path)
    loss = "document.querySelector('[data-tracegrad]').tracegrad.goto(11)"
    shown.page.evaluate(loss)
    assert shown.step_view().evaluate(moving) == 0
    shown.page.emulate_media(reduced_motion="no-preference")
    shown.press("Home")
    assert shown.step_view().evaluate(moving) == 1


# --- other numbers

BYTES = "([text]) => window.tracegradStep.update({host}, Uint8Array.from(atob(text), (c) => c.charCodeAt(0)))"


def power(x: float) -> Stepper:
    """A graph of several boxes, whose numbers are as long as x makes them."""
    value = Tensor(np.array([x, 2.0]), name="x")
    for _ in range(9):
        value = value * 2.0
    return Stepper(Tape(value.sum()), granularity="op")


def renew(shown: Shown, stepper: Stepper) -> None:
    text = base64.b64encode(payload_of(stepper.walk, stepper.frames)).decode()
    shown.page.evaluate(BYTES.replace("{host}", "document.querySelector('[data-tracegrad]')"), [text])


def test_other_numbers_leave_the_view_where_it_is(show: Open) -> None:
    shown = ready(show(f"<meta charset='utf-8'>{power(0.5).html()}", viewport={"width": 900, "height": 700}))
    shown.press(*["ArrowRight"] * 5, "+", "+")
    panel = shown.step_view().locator(".panel").element_handle()
    wide = box(shown, ".node.now > .box")["width"]
    size, at = scale(shown), centre(shown)
    renew(shown, power(1.2345e-9))
    assert box(shown, ".node.now > .box")["width"] > wide, "longer numbers have more room"
    assert "e−09" in shown.step_view().locator(".node").first.text_content()
    assert scale(shown) == pytest.approx(size, rel=1e-3) and centre(shown) == pytest.approx(at, abs=2)
    assert panel.evaluate("(panel) => panel.isConnected"), "nothing but the graph is built anew"
    assert shown.text(".count").startswith("5 ")
    shown.press("ArrowRight", "-")
    assert shown.text(".count").startswith("6 ") and scale(shown) == pytest.approx(size / 1.25, rel=1e-3)
    shown.press("0")
    renew(shown, power(0.25))
    pane = box(shown, ".pane")
    assert all(is_within(node.bounding_box(), pane) for node in shown.step_view().locator(".node").all())
    assert shown.messages == []


def test_a_digit_more_needs_no_other_drawing() -> None:
    def drawing(x: float) -> str:
        raw = payload_of(Stepper(Tape((Tensor(np.array([x, 2.0]), name="x") * 1.0).sum())).walk)
        return str(json.loads(raw[4 : 4 + int.from_bytes(raw[:4], "little")])["stage"]["svg"])

    assert drawing(0.5) == drawing(-0.1234) != drawing(-0.01234) == drawing(-1.234e-05)


def centre(shown: Shown) -> tuple[float, float]:
    place = box(shown, ".node.now > .box")
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
