"""The graph copied as SVG, steps on paper, and the legend."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from browser import Open, Shown, show
from browser import running_chromium as running_chromium

from autograd import Tensor
from viz import Stepper, step

__all__ = ["running_chromium", "show"]

SVG = "{http://www.w3.org/2000/svg}"
MARKED = """(app) => {
    const { stroke, strokeWidth } = getComputedStyle(app.querySelector('.node.now > .box'));
    return [stroke, strokeWidth];
}"""

WATCH = """void (window.print = () => {}, window.told = 0, history.replaceState = () => { told += 1; },
    document.addEventListener('tracegrad:step', () => { told += 1; }))"""


def net() -> Stepper:
    x, w = Tensor(np.linspace(-1, 1, 20).reshape(4, 5), name="x"), Tensor(np.ones((5, 4)), name="W")
    return step(np.tanh(x @ w).sum())


def opened(show: Open, tmp_path: Path) -> Shown:
    shown = show(net().save(tmp_path / "saved.html").read_text(encoding="utf-8"))
    shown.page.set_default_timeout(4000)
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    shown.press("ArrowRight", "ArrowRight")
    return shown


def test_the_graph_is_copied_with_its_marks_and_needs_nothing_else(show: Open, tmp_path: Path) -> None:
    shown = opened(show, tmp_path)
    shown.page.evaluate("navigator.clipboard.writeText = async (text) => { window.got = text; }")
    shown.step_view().get_by_role("button", name="Copy the graph as SVG").click()
    shown.page.wait_for_function("window.got")
    text = shown.page.evaluate("got")
    root = ET.fromstring(text)
    stroke, width = shown.step_view().evaluate(MARKED)
    assert f"stroke:{stroke};stroke-width:{width}" in text
    assert root.tag == f"{SVG}svg" and len(root.get("viewBox", "").split()) == 4
    names = {element.text for element in root.iter(f"{SVG}text")}
    assert {"x", "W"} <= names
    assert all("class" not in element.attrib for element in root.iter(f"{SVG}g"))
    images = [element.get("href", "") for element in root.iter(f"{SVG}image")]
    assert images and all(href.startswith("data:image/png") for href in images)


def test_on_paper_there_is_the_step_and_nothing_to_press(show: Open, tmp_path: Path) -> None:
    shown = opened(show, tmp_path)
    shown.page.emulate_media(media="print")
    app = shown.step_view()
    assert app.locator(".pane").is_visible() and app.locator(".panel .formula").first.is_visible()
    assert [one for one in app.locator("button, input, .strip").all() if one.is_visible()] == []


def test_all_steps_are_printed_each_on_a_sheet(show: Open, tmp_path: Path) -> None:
    shown = opened(show, tmp_path)
    before = shown.text(".count")
    shown.page.evaluate("window.print = () => { window.printed = true; }")
    shown.step_view().get_by_role("button", name="Print all steps").click()
    shown.page.wait_for_function("window.printed")
    shown.page.emulate_media(media="print")
    sheets = shown.step_view().locator(".sheet")
    stops = int(shown.step_view().locator(".slide input").get_attribute("max")) + 1
    assert sheets.count() == stops
    assert [sheet.locator("h3 b").inner_text() for sheet in sheets.all()][:3] == ["0", "1", "2"]
    assert sheets.locator("canvas").count() == 0 and sheets.locator("img.heat").count() > 0
    assert not shown.step_view().locator(".middle").is_visible() and shown.text(".count") == before
    shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert sheets.count() == 0 and shown.step_view().locator(".middle").is_visible()


def test_whoever_prints_gets_a_sheet_of_the_step_shown(show: Open, tmp_path: Path) -> None:
    shown = opened(show, tmp_path)
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown.page.emulate_media(media="print")
    sheets = shown.step_view().locator(".sheet")
    assert sheets.count() == 1 and sheets.locator("h3 b").inner_text() == "2"
    assert sheets.locator(".node.now").count() == 1 and sheets.locator("img.heat").count() > 0
    assert not shown.step_view().locator(".middle").is_visible()
    app = shown.step_view()
    assert [one for one in app.locator("button, input, .strip").all() if one.is_visible() and one.inner_text()] == []
    graph, sheet = sheets.locator(".pane svg").bounding_box(), sheets.bounding_box()
    assert sheet["x"] <= graph["x"] and graph["x"] + graph["width"] <= sheet["x"] + sheet["width"]
    shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
    shown.page.emulate_media(media="screen")
    assert sheets.count() == 0 and app.locator(".middle").is_visible() and app.locator(".pane").count() == 1
    shown.page.pdf()
    assert sheets.count() == 0


def test_printing_all_steps_moves_nothing(show: Open, tmp_path: Path) -> None:
    shown = opened(show, tmp_path)
    shown.press("+", "+")
    shown.page.evaluate(WATCH)
    look = "(app) => [app.querySelector('.ground').style.transform, app.querySelector('.live').textContent]"
    before = (shown.page.url, shown.page.evaluate("history.length"), shown.step_view().evaluate(look))
    shown.step_view().get_by_role("button", name="Print all steps").click()
    assert shown.step_view().locator(".sheet").count() > 2
    assert shown.step_view().locator(".sheet .node.now").count() > 2
    shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert (shown.page.url, shown.page.evaluate("history.length"), shown.step_view().evaluate(look)) == before
    assert shown.page.evaluate("told") == 0 and shown.text(".count").startswith("2 ")


def test_the_legend_is_behind_a_question_mark(show: Open, tmp_path: Path) -> None:
    shown = opened(show, tmp_path)
    help_ = shown.step_view().get_by_role("dialog", name="Legend")
    assert not help_.is_visible()
    shown.press("?")
    for word in ("learned", "a gradient goes back", "NaN", "the whole graph"):
        assert word in help_.inner_text()
    shown.press("Escape")
    assert not help_.is_visible()
    shown.step_view().get_by_role("button", name="Legend").click()
    assert help_.is_visible()
    assert help_.evaluate("(legend) => legend.matches(':modal')")
    shown.page.mouse.click(4, 400)
    assert not help_.is_visible(), "a click beside it closes it"


def test_views_in_the_cells_of_a_notebook_print_as_sheets_too(show: Open) -> None:
    cells = "".join(f"<p>{name}</p>{net().html()}" for name in ("before", "between"))
    shown = show(f"<meta charset='utf-8'>{cells}", viewport={"width": 900, "height": 700})
    shown.page.locator(".app .cell.now").nth(1).wait_for()
    shown.page.evaluate("document.querySelectorAll('[data-tracegrad]')[1].tracegrad.goto(2)")
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown.page.emulate_media(media="print")
    sheets = shown.page.locator(".app .sheet")
    assert [sheet.locator("h3 b").inner_text() for sheet in sheets.all()] == ["0", "2"]
    for app in shown.page.locator(".app").all():
        assert not app.locator(".middle").is_visible()
        assert [
            one for one in app.locator("button, input, .strip").all() if one.is_visible() and one.inner_text()
        ] == []
        assert app.locator(".sheet").evaluate("(sheet) => sheet.scrollWidth <= sheet.clientWidth")
    shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert sheets.count() == 0 and shown.messages == []
