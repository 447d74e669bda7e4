"""Tab, arrows and what is read aloud in the step view; arrows to what is out of sight; a light copy in the dark."""

from __future__ import annotations

from typing import Any

from browser import Open, Shown
from test_step_page import FOCUSED, HANDLE, layers, neuron, opened, pooled_convolution

from autograd import Tape
from viz.stepper import Stepper

UNNAMED = """(app) => [...app.querySelectorAll('svg, canvas, img, math')].filter((e) => e.checkVisibility()
    && !e.closest('[aria-hidden=true], [role=math], [role=button], button, [aria-label]:is(canvas, img)')
    && !e.matches('.pane > svg') && !e.getAttribute('aria-label')).map((e) => e.outerHTML.slice(0, 90))"""
SEEN = """(figure) => {
    const [pane, box] = ['.pane', '.node.now .box'].map((name) => figure.querySelector(name).getBoundingClientRect());
    return box.left >= pane.left && box.right <= pane.right && box.top >= pane.top && box.bottom <= pane.bottom;
}"""
CLIPBOARD = "void (navigator.clipboard.writeText = async (text) => { window.copied = text })"


HERE = "(app) => app.getRootNode().activeElement"
NAMED = (
    f"(app) => {{ const here = ({HERE})(app); return here && (here.getAttribute('aria-label') || here.textContent); }}"
)
VISIT = f"(app) => {{ const here = ({HERE})(app); here?.setAttribute('data-visited', ''); return here !== null; }}"
MISSED = """(app) => [...app.querySelectorAll('button, input, select, summary, .node, .link')]
    .filter((e) => e.checkVisibility() && !e.matches('[data-visited]')).map((e) => e.outerHTML.slice(0, 120))"""


def pooled() -> Stepper:
    return Stepper(Tape(pooled_convolution()), granularity="op")


def still(show: Open, stepper: Stepper, **options: Any) -> Shown:
    """The stepper's page, nothing moving by itself."""
    return opened(show, stepper, viewport={"width": 1280, "height": 800}, reduced_motion="reduce", **options)


def test_tab_leads_through_the_controls_and_the_graph_in_one_stop_each(show: Open) -> None:
    shown = still(show, neuron())
    stops = []
    for _ in range(6):
        shown.press("Tab")
        stops.append(shown.step_view().evaluate(FOCUSED))
    assert stops[0] == "next" and stops[1].startswith("node") and "panel" in stops
    assert len([stop for stop in stops if stop.startswith("node")]) == 1


def test_tab_and_arrows_reach_every_control_and_lead_out(show: Open) -> None:
    shown = still(show, layers())
    shown.press("ArrowRight", "ArrowRight", "End")
    app = shown.step_view()
    stops = 0
    while True:
        shown.press("Tab")
        if not app.evaluate(VISIT):
            break
        stops += 1
        assert stops < 30, "Tab leads out"
        first = app.evaluate(NAMED)
        row = app.evaluate(
            f"(app) => Boolean(({HERE})(app).closest('[role=toolbar], .pane, .ruled, .links, .words, .products'))"
        )
        for _ in range(40 if row else 0):
            shown.press("ArrowDown")
            app.evaluate(VISIT)
            if app.evaluate(NAMED) == first:
                break
    assert app.evaluate(MISSED) == []


def test_the_arrows_go_through_the_buttons_of_the_graph_and_enter_presses_them(show: Open) -> None:
    shown = still(show, neuron())
    shown.page.evaluate(CLIPBOARD)
    shown.press("Tab", "Tab", "Tab")
    names = []
    for _ in range(5):
        names.append(shown.step_view().evaluate(NAMED))
        shown.press("ArrowDown")
    assert names[-1] == "Copy the graph as SVG" and len(set(names)) == 5
    assert shown.step_view().evaluate(NAMED) == names[0], "round again"
    shown.press("ArrowUp", "Enter")
    shown.page.wait_for_function("window.copied")
    shown.press("ArrowRight")
    assert shown.text(".count").startswith("1 "), "← and → step"


def test_a_line_of_links_is_one_tab_stop_like_the_controls(show: Open) -> None:
    shown = still(show, layers())
    shown.press("ArrowRight")
    shown.step_view().locator(".ruled [tabindex='0']").first.focus()
    names = {shown.step_view().evaluate(NAMED)}
    for _ in range(4):
        shown.press("ArrowRight")
        names.add(shown.step_view().evaluate(NAMED))
    assert {"copy as LaTeX", "copy as text"} <= names and shown.text(".count").startswith("1 ")
    shown.press("+", "End")
    assert not shown.text(".count").startswith("1 "), "other keys go on working"


def test_arrows_go_from_box_to_box_and_enter_goes_to_its_step(show: Open) -> None:
    shown = still(show, pooled())
    shown.press("Tab", "Tab")
    names = []
    for _ in range(8):
        shown.press("ArrowDown")
        names.append(shown.step_view().evaluate("(app) => app.getRootNode().activeElement.getAttribute('aria-label')"))
        seen = SEEN.replace(".node.now", ".node:focus")
        assert shown.step_view().locator(".figure").evaluate(seen)
    assert len(set(names)) == 8
    shown.press("Enter")
    assert not shown.text(".count").startswith("0 /")
    count = shown.text(".count")
    shown.press("ArrowRight")
    assert shown.text(".count") != count, "← and → step from everywhere"


def test_a_reader_hears_what_is_in_a_box_and_which_one_acts(show: Open) -> None:
    shown = still(show, neuron())
    shown.press("End")
    client = shown.page.context.new_cdp_session(shown.page)
    tree = client.send("Accessibility.getFullAXTree")["nodes"]
    said = {(node["role"]["value"], node["name"]["value"]) for node in tree if "name" in node and not node["ignored"]}
    assert ("button", "a, a 2, ∂L/∂a −2") in said
    assert ("toolbar", "Steps") in said and ("group", "Graph") in said
    boxes = shown.step_view().locator(".node[aria-current=step]")
    assert boxes.count() == 1 and boxes.get_attribute("aria-label").startswith("%3 = ")
    shown.step_view().get_by_role("button", name="quiz").click()
    assert shown.step_view().locator(".node[aria-label*='?']").count() >= 1


def test_every_picture_has_words(show: Open) -> None:
    shown = still(show, pooled())
    for k in (0, 3, 8, 14):
        shown.page.evaluate(f"{HANDLE}.goto({k})")
        assert shown.step_view().evaluate(UNNAMED) == []
    shown.press("?")
    assert shown.step_view().evaluate(UNNAMED) == []


def test_an_arrow_points_to_what_acts_where_it_is_not_in_sight_and_leads_there(show: Open) -> None:
    shown = still(show, pooled())
    shown.press("ArrowRight")
    assert shown.step_view().locator(".arrows button").count() == 0
    pane = shown.step_view().locator(".pane").bounding_box()
    x, y = pane["x"] + pane["width"] / 2, pane["y"] + pane["height"] / 2
    for _ in range(5):
        shown.page.mouse.move(x, y + 200)
        shown.page.mouse.down()
        shown.page.mouse.move(x, y - 200, steps=4)
        shown.page.mouse.up()
    assert not shown.step_view().locator(".figure").evaluate(SEEN)
    arrow = shown.step_view().locator(".arrows .now")
    assert arrow.inner_text()[0] in "↑↖↗"
    arrow.click()
    assert shown.step_view().locator(".figure").evaluate(SEEN)
    assert shown.step_view().locator(".arrows .now").count() == 0
    shown.press("ArrowRight")
    assert shown.text(".count").startswith("2 /"), "keys go on working"
    shown.press("+", "+", "+", "+", "+", "+", "Tab", "Tab", "Tab")
    for _ in range(4):
        shown.page.mouse.move(x, y + 200)
        shown.page.mouse.down()
        shown.page.mouse.move(x, y - 200, steps=4)
        shown.page.mouse.up()
    shown.step_view().locator(".arrows .now").focus()
    shown.press("Enter")
    assert shown.step_view().evaluate(f"(app) => ({HERE})(app) !== null"), "the focus stays in the step view"
    assert shown.step_view().locator(".arrows .now").count() == 0


def test_an_arrow_points_also_to_what_is_cut(show: Open) -> None:
    stepper = pooled()
    shown = opened(show, stepper, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    pane = shown.step_view().locator(".pane").bounding_box()
    arrows = 0
    for k in range(1, len(stepper.walk)):
        shown.page.evaluate(f"{HANDLE}.goto({k})")
        for box in shown.step_view().locator(".node.receives .box").all():
            place = box.bounding_box()
            cut = max(
                pane["x"] - place["x"],
                place["x"] + place["width"] - pane["x"] - pane["width"],
                pane["y"] - place["y"],
                place["y"] + place["height"] - pane["y"] - pane["height"],
            )
            count = shown.step_view().locator(".arrows button").count()
            arrows += count
            assert cut < 16 or count, k
    assert arrows


def test_what_acts_is_above_the_buttons_of_the_graph(show: Open) -> None:
    stepper = pooled()
    shown = still(show, stepper)
    buttons = shown.step_view().locator(".zoom").bounding_box()
    for k in range(1, len(stepper.walk)):
        shown.page.evaluate(f"{HANDLE}.goto({k})")
        place = shown.step_view().locator(".node.now .box").bounding_box()
        assert place["y"] + place["height"] <= buttons["y"], k


def test_the_graph_is_copied_as_a_light_picture_in_the_dark_too(show: Open) -> None:
    shown = still(show, neuron(), color_scheme="dark")
    shown.page.evaluate(CLIPBOARD)
    shown.step_view().get_by_role("button", name="Copy the graph as SVG").click()
    shown.page.wait_for_function("window.copied")
    assert 'fill="rgb(255, 255, 255)"' in shown.page.evaluate("window.copied")
    assert shown.step_view().evaluate("(app) => getComputedStyle(app).backgroundColor") != "rgb(255, 255, 255)"


def test_the_map_keeps_out_of_the_way_of_what_acts(show: Open) -> None:
    stepper = pooled()
    shown = opened(show, stepper, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    seen = 0
    plan, now = shown.step_view().locator("svg.overview"), shown.step_view().locator(".node.now .box")
    for k in range(1, len(stepper.walk)):
        shown.page.evaluate(f"{HANDLE}.goto({k})")
        a, b = plan.bounding_box(), now.bounding_box()
        apart = [a[at] + a[size] <= b[at] or b[at] + b[size] <= a[at] for at, size in (("x", "width"), ("y", "height"))]
        assert any(apart) or not plan.is_visible(), k
        seen += plan.is_visible()
    assert seen > len(stepper.walk) / 2
