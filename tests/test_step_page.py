"""The page of the step view, in a real browser."""

from __future__ import annotations

import json
import re
import statistics
import struct
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import numpy as np
import pytest
from browser import Open, Shown
from nbconvert import HTMLExporter

import nn
import viz
from autograd import Tape, Tensor
from nn import functional as F
from viz.page.packing import with_length
from viz.page.page import document, fragment
from viz.page.payload import payload_of
from viz.plain.numbers import number
from viz.stepper import Stepper

HANDLE = "document.querySelector('[data-tracegrad]').tracegrad"
HOSTILE = (
    "<script>document.title='ran'</script>\"'|{}<>&`${1}\n\U0001f600</style><img src=x onerror=document.title='ran'>"
)
ADD = "(html) => document.body.append(document.createRange().createContextualFragment(html))"
OUTLINE = """(box) => {
    const look = getComputedStyle(box.querySelector('.box'));
    return [look.strokeWidth, look.strokeDasharray];
}"""
PLACES = """(boxes) => boxes.map((box) => {
    const { x, y, width, height } = box.querySelector('.box').getBBox();
    return [box.getAttribute('transform'), x, y, width, height];
})"""
UNNAMED = "(all) => all.filter((e) => !(e.textContent || e.getAttribute('aria-label'))).map((e) => e.outerHTML)"
LOOK = """(app) => {
    const { backgroundColor, color, colorScheme } = getComputedStyle(app);
    return [backgroundColor, color, colorScheme];
}"""
CONTRASTS = """(app) => {
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const light = (text) => {
        const [r, g, b] = rgb(text).map((c) => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (e) => {
        for (; e; e = e.parentElement ?? e.getRootNode().host) {
            const { backgroundColor } = getComputedStyle(e);
            if (rgb(backgroundColor)[3] !== 0) return backgroundColor;
        }
        return 'rgb(255, 255, 255)';
    };
    const hasText = (e) => [...e.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    return [...app.querySelectorAll('*')].filter((e) => hasText(e) && e.checkVisibility() && !e.closest('.tip'))
        .map((e) => {
            const drawing = e.closest('.pane svg');
            const box = drawing && e.closest('.node')?.querySelector('.box');
            const text = light(drawing ? getComputedStyle(e).fill : getComputedStyle(e).color);
            const paper = light(box ? getComputedStyle(box).fill : ground(drawing ? drawing.parentElement : e));
            const ratio = (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05);
            return [ratio, e.textContent.slice(0, 40), e.getAttribute('class')];
        });
}"""
FOCUSED = "(app) => app.getRootNode().activeElement?.getAttribute('class') ?? ''"
CHANGES = """(host) => {
    const seen = new MutationObserver(() => 0);
    seen.observe(host.shadowRoot, { subtree: true, childList: true, attributes: true, characterData: true });
    return Array.from({ length: 30 }, (_, k) => {
        host.tracegrad.goto(60 + k);
        return seen.takeRecords().length;
    });
}"""
STRANGE = """
    <script>document.title = 'ran'</script><image href="http://a.test/b.png" onerror="document.title = 'ran'"/>
    <g style="background: url(http://a.test/c.png)" onclick="document.title = 'ran'"><a href="javascript:0"/></g>
    <foreignObject><b xmlns="http://www.w3.org/1999/xhtml">b</b></foreignObject><use href="#x"/></svg>"""
STRANGE_FORMULA = "<math><mtext><script>document.title = 'ran'</script></mtext><mi onclick='x'>ok</mi></math>"


def neuron(name: str = "a", **options: Any) -> Stepper:
    """L = (a·b + c)·a: a is used twice."""
    a, b, c = Tensor(2.0, name=name), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    return Stepper(Tape((a * b + c) * a), granularity="contribution", **options)


def layers(**options: Any) -> Stepper:
    """Two layers, with arrays large enough for heat maps."""
    random = np.random.default_rng(0)
    x, w, v = (Tensor(random.normal(size=n), name=name) for name, n in (("x", (8, 9)), ("W", (9, 10)), ("V", (10, 3))))
    return Stepper(Tape((np.tanh(x @ w) @ v).sum()), **options)


def saved(stepper: Stepper) -> str:
    """The stepper's page, as it is saved."""
    with TemporaryDirectory() as folder:
        return stepper.save(Path(folder, "steps.html")).read_text(encoding="utf-8")


def opened(show: Open, stepper: Stepper, **options: Any) -> Shown:
    """The stepper's page, ready for keys."""
    shown = show(saved(stepper), **options)
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    return shown


def known(shown: Shown, box: int) -> list[str]:
    """What stands in the slots of a box."""
    fills = shown.step_view().locator(f".node[data-box='{box}'] .fill")
    return [fill.locator("text").all_text_contents()[-1] for fill in fills.all()]


def box_of(shown: Shown, name: str) -> int:
    titles = (
        shown.step_view()
        .locator(".node")
        .evaluate_all("(boxes) => boxes.map((box) => [box.dataset.box, box.querySelector('text').textContent])")
    )
    return next(int(box) for box, title in titles if title == name)


# --- moving


def test_to_the_end_and_back_gives_the_first_page(show: Open) -> None:
    for stepper in (neuron(), layers(granularity="op")):
        shown = opened(show, stepper)
        shown.step_view().locator("button.previous").focus()
        first = shown.dom()
        for _ in range(len(stepper.walk)):
            shown.step_view().locator("button.next").click()
        assert re.fullmatch(r"(?:\d+–)?(\d+) / \1", shown.text(".count"))
        assert shown.dom() != first
        for _ in range(len(stepper.walk)):
            shown.step_view().locator("button.previous").click()
        assert shown.dom() == first
        assert shown.messages == [] and shown.asked == []


def test_two_step_views_on_a_page_are_independent(show: Open) -> None:
    shown = show(f"<!doctype html><meta charset='utf-8'>{neuron().html()}{layers().html()}")
    shown.page.locator(".app .cell.now").nth(1).wait_for()
    second = shown.dom(1)
    shown.step_view(0).locator("button.last").click()
    assert shown.text(".count", 0).startswith("10 / ")
    assert shown.dom(1) == second
    shown.step_view(1).locator("button.next").click()
    assert (shown.text(".count", 0), shown.text(".count", 1)[:4]) == ("10 / 10", "1 / ")


def test_the_script_runs_once_however_many_step_views_there_are(show: Open) -> None:
    shown = show(neuron().html() + "<script>setTimeout(() => { first = window.tracegradStep }, 300)</script>")
    shown.page.wait_for_timeout(400)
    shown.page.evaluate(ADD, layers().html())
    shown.step_view(1).wait_for()
    assert shown.page.evaluate("first === window.tracegradStep")


def test_the_last_numbers_are_the_gradients(show: Open) -> None:
    a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    loss = np.tanh((a * b + c) * a / 10)
    shown = opened(show, Stepper(Tape(loss)))
    shown.press("End")
    loss.backward()
    for name, leaf in (("a", a), ("b", b), ("c", c)):
        assert known(shown, box_of(shown, name))[1] == number(leaf.grad).replace("-", "−")


def test_a_gradient_is_a_dash_then_a_partial_sum_then_a_number(show: Open) -> None:
    shown = opened(show, neuron())
    box = box_of(shown, "a")
    seen = []
    for _ in range(11):
        fill = shown.step_view().locator(f".node[data-box='{box}'] .fill").nth(1)
        seen.append(" ".join(text for text in fill.locator("text").all_text_contents()))
        shown.press("ArrowRight")
    assert list(dict.fromkeys(seen)) == ["∂L/∂a —", "Σ 1 of 2 4", "∂L/∂a −2"]


def test_a_step_shows_rule_numbers_sum_and_source(show: Open) -> None:
    shown = opened(show, neuron())
    shown.press("End", "ArrowLeft")
    panel = shown.step_view().locator(".panel")
    assert panel.locator("[role=math]").count() == 2
    assert panel.locator(".accumulate").text_content() == "∂L/∂a = 4 + (−6) = −2 Σ 2 of 2"
    assert re.match(r"test_step_page\.py:\d+", panel.locator(".source").inner_text())


def test_op_steps_hold_all_their_contributions(show: Open) -> None:
    shown = opened(show, neuron())
    assert shown.text(".count") == "0 / 10"
    shown.step_view().get_by_role("button", name="op", exact=True).click()
    assert shown.text(".count") == "0 / 10"
    shown.step_view().focus()
    shown.press("End")
    assert shown.step_view().locator(".operation").count() == 2


# --- keys


def test_the_keyboard_alone_reaches_everything(show: Open) -> None:
    shown = opened(show, neuron())
    places = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home", "Shift+ArrowRight"):
        shown.press(key)
        places.append(int(shown.text(".count").split(" / ")[0]))
    assert places == [1, 2, 1, 10, 0, 1]
    shown.press("b", "Home", "Shift+ArrowRight")
    assert shown.text(".count").startswith("1 /")
    shown.press("/")
    shown.page.keyboard.type("∂L/∂b")
    assert shown.text(".panel h3").endswith("b ← %3")
    shown.press("Escape", "Home", " ")
    shown.page.wait_for_timeout(1400)
    assert shown.text(".count").startswith("1 /"), "play stops at the breakpoint"
    shown.step_view().focus()
    stops = []
    for key in ["Tab", *["ArrowDown"] * 14, *["Tab"] * 5]:
        shown.press(key)
        stops.append(shown.step_view().evaluate(FOCUSED))
    assert {"next", "last", "play", "quiz", "ask", "first", "previous", "panel"} <= set(stops)
    assert stops[15].startswith("node")


def test_keys_do_not_leave_the_step_view(show: Open) -> None:
    shown = opened(show, neuron())
    shown.page.evaluate("""() => {
        window.heard = [];
        for (const type of ['keydown', 'keypress', 'keyup']) document.addEventListener(type, (e) => heard.push(e.key));
    }""")
    shown.press("j", "b", "d", "d", "Enter", "a", "ArrowRight", "Shift+Enter", "/", "x", "Enter", "Escape")
    assert shown.page.evaluate("heard") == []
    assert shown.page.locator("[data-tracegrad]").get_attribute("data-lm-suppress-shortcuts") == "true"
    shown.page.evaluate("document.activeElement.blur()")
    shown.press("j")
    assert shown.page.evaluate("heard") == ["j", "j", "j"]


def test_arrows_in_a_field_do_not_step(show: Open) -> None:
    shown = opened(show, neuron())
    shown.press("/", "ArrowRight", "ArrowRight")
    assert shown.text(".count").startswith("0 /")


def test_a_click_on_a_box_goes_to_its_step_and_toggles_the_pass(show: Open) -> None:
    shown = opened(show, neuron())
    shown.press("0")
    shown.page.wait_for_timeout(400)
    box = shown.step_view().locator(".node").filter(has_text="L = ")
    phases = []
    for _ in range(3):
        box.click()
        phases.append(shown.text(".panel .phase").lower())
        shown.page.wait_for_timeout(600)
    assert phases == ["forward", "backward", "forward"]
    box.dblclick()
    assert shown.step_view().locator(".cell.broken").count() == 1


# --- what is seen, and what is read aloud


def test_each_step_is_one_sentence_for_screen_readers(show: Open) -> None:
    shown = opened(show, neuron())
    live = shown.step_view().locator("[aria-live=polite][role=status]")
    assert live.count() == 1
    shown.press("ArrowRight")
    said = live.text_content()
    assert said.startswith("Step 1 of 10. FORWARD  %3. %3 = a × b. ") and said.rstrip().endswith(".")
    assert shown.step_view().locator("[role=math]").first.get_attribute("aria-label")
    unnamed = shown.step_view().locator("button, input, canvas").evaluate_all(UNNAMED)
    assert unnamed == []


def test_marks_do_not_rely_on_colour(show: Open) -> None:
    shown = opened(show, neuron())
    shown.press("End")
    now = shown.step_view().locator(".node.now")
    assert now.count() == 1 and "▶" in now.text_content()
    assert now.evaluate(OUTLINE)[0] == "3px"
    read = shown.step_view().locator(".node.reads:not(.receives)").first
    assert read.evaluate(OUTLINE)[1] != "none"
    assert shown.step_view().locator(".edge.flow .back").count() == 1


def test_boxes_never_move(show: Open) -> None:
    shown = opened(show, layers(granularity="contribution"))
    first = shown.step_view().locator(".node").evaluate_all(PLACES)
    for _ in range(12):
        shown.press("ArrowRight")
        assert shown.step_view().locator(".node").evaluate_all(PLACES) == first


def test_arrow_keys_read_a_heat_map_element_by_element(show: Open) -> None:
    stepper = layers()
    shown = opened(show, stepper)
    shown.press("ArrowRight")
    heat = shown.step_view().locator(".arrays canvas.heat").first
    heat.focus()
    shown.press("ArrowRight", "ArrowRight", "ArrowDown")
    x = next(node for node in stepper.walk.tape if node.name == "x")
    spoken = shown.text(".tip")
    assert spoken.startswith("x[1, 1] = ")
    assert float(spoken.split(" = ")[1].replace("−", "-")) == pytest.approx(stepper.walk.tape.value(x)[1, 1], rel=2e-3)
    assert shown.text(".count").startswith("1 /")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible_in_light_and_dark(show: Open, scheme: str) -> None:
    shown = opened(show, layers(granularity="contribution"), color_scheme=scheme)
    shown.press("End")
    ratios = shown.step_view().evaluate(CONTRASTS)
    assert len(ratios) > 40
    assert [one for one in ratios if one[0] < 4.5] == []
    paper = shown.step_view().evaluate("(app) => getComputedStyle(app).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


def test_the_notebooks_theme_wins_over_the_systems(show: Open) -> None:
    html = neuron().html()
    theme = "data-jp-theme-light='false' style='--jp-layout-color0: #111; --jp-ui-font-color0: #eee'"
    shown = show(f"<body {theme}>{html}", color_scheme="light")
    shown.step_view().wait_for()
    assert shown.step_view().evaluate(LOOK) == ["rgb(17, 17, 17)", "rgb(238, 238, 238)", "dark"]


def test_nothing_moves_by_itself_under_reduced_motion(show: Open) -> None:
    shown = opened(show, layers(), reduced_motion="reduce")
    shown.press("End")
    moving = "(app) => app.getAnimations({ subtree: true }).length"
    assert shown.step_view().evaluate(moving) == 0
    assert shown.step_view().locator(".bar").first.evaluate("(e) => getComputedStyle(e).transitionDuration") == "0s"


def test_narrow_cells_stack_graph_and_text(show: Open) -> None:
    shown = opened(show, layers(), viewport={"width": 640, "height": 900})
    graph, panel = (shown.step_view().locator(name).bounding_box() for name in (".figure", ".panel"))
    assert panel["y"] >= graph["y"] + graph["height"]
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown.page.set_viewport_size({"width": 940, "height": 900})
    graph, panel = (shown.step_view().locator(name).bounding_box() for name in (".figure", ".panel"))
    assert panel["x"] >= graph["x"] + graph["width"] and panel["y"] == graph["y"]


def test_the_tape_shows_where_nan_was_born_and_what_inherited_it(show: Open) -> None:
    x = Tensor([1.0, 0.0], name="x")
    with np.errstate(all="ignore"):
        shown = opened(show, Stepper(Tape((np.log(x) * 0.0 * x).sum()), granularity="contribution"))
    born = shown.step_view().locator(".cell.born")
    assert born.count() >= 1 and born.first.text_content() == "✕"
    assert shown.step_view().locator(".cell.heir").count() >= 1
    assert "not finite" in shown.text(".words")


def test_vanishing_gradients_are_named_in_words(show: Open) -> None:
    x = Tensor(np.full(3, 0.5), name="x")
    shown = opened(show, Stepper(Tape((x * 1e-9).sum())))
    assert "vanishing: ∂L/∂x 1.732e−09" in shown.text(".words")


def test_all_steps_are_a_table(show: Open) -> None:
    shown = opened(show, neuron())
    shown.step_view().locator(".ledger summary").click()
    shown.step_view().locator(".ledger table").wait_for()
    assert shown.step_view().locator(".ledger tbody tr").count() == 11


def test_the_second_slider_travels_through_the_training(show: Open) -> None:
    def tape(a: float) -> Tape:
        w = Tensor(a, name="w")
        return Tape(w * w)

    stepper = Stepper(tape(3.0), frames=[("at the start", tape(5.0)), ("after 20 steps", tape(3.0))])
    shown = opened(show, stepper)
    shown.press("End")
    box = box_of(shown, "w")
    assert known(shown, box) == ["3", "6"] and "after 20 steps · loss 9" in shown.text(".time output")
    shown.step_view().locator(".time input").focus()
    shown.press("ArrowLeft")
    assert known(shown, box) == ["5", "10"] and "at the start · loss 25" in shown.text(".time output")
    assert shown.step_view().locator("[role=status]").text_content().startswith("at the start. Step ")


# --- strangers


def test_nothing_a_user_names_can_run(show: Open) -> None:
    shown = opened(show, neuron(HOSTILE))
    for _ in range(10):
        shown.press("ArrowRight")
    shown.step_view().locator(".ledger summary").click()
    shown.press("/")
    shown.page.keyboard.type("<script>")
    assert shown.page.title() != "ran"
    assert shown.step_view().locator("script, img, iframe, object, foreignObject").count() == 0
    assert shown.asked == [] and shown.messages == []


def test_a_name_of_ten_thousand_letters_leaves_the_page_as_wide_as_it_is(show: Open) -> None:
    shown = opened(show, neuron("wide" * 2500))
    shown.press("End")
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_markup_with_scripts_in_it_is_not_let_in(show: Open) -> None:
    raw = payload_of(neuron().walk)
    (length,) = struct.unpack("<I", raw[:4])
    told = json.loads(raw[4 : 4 + length])
    told["stage"]["svg"] = told["stage"]["svg"].replace("</svg>", STRANGE)
    for step in told["steps"][1:]:
        if "formula" in step:
            step["formula"]["right"] = STRANGE_FORMULA
    shown = show(document(with_length(json.dumps(told).encode(), raw[4 + length :]), "L", [], "t1"))
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    shown.press("ArrowRight")
    assert shown.step_view().locator(".formula.symbols mi").last.text_content() == "ok"
    dom = shown.dom()
    for refused in ("a.test", "<script", "onclick", "onerror", "foreignObject", "javascript:", "<use", "<a "):
        assert refused not in dom
    assert shown.page.title() != "ran" and shown.asked == [] and shown.messages == []


def test_without_scripts_a_picture_and_a_table_are_left(show: Open) -> None:
    shown = show(neuron().html(), java_script_enabled=False)
    assert shown.page.locator("img").evaluate("(e) => e.naturalWidth") > 0
    shown.page.locator("summary").click()
    assert shown.page.locator("tbody tr").count() == 10
    assert shown.page.locator("tbody tr").nth(1).locator("td").nth(2).inner_text() == "%4 = %3 + c"


def test_a_host_keeps_one_step_view_and_tells_of_its_steps(show: Open) -> None:
    shown = opened(show, neuron())
    shown.page.evaluate("""() => {
        window.told = [];
        document.addEventListener('tracegrad:step', (event) => told.push(event.detail.step));
    }""")
    shown.press("ArrowRight", "End")
    shown.page.evaluate(f"{HANDLE}.goto(3)")
    assert shown.page.evaluate("told") == [1, 10, 3]
    assert shown.page.evaluate(f"{HANDLE}.step") == 3


def test_a_step_changes_as_little_of_a_long_tapes_page_as_of_a_short_ones(show: Open) -> None:
    medians = []
    for length in (50, 100):
        y = Tensor(np.linspace(-1, 1, 1024).reshape(32, 32), name="x")
        for _ in range(length):
            y = np.tanh(y * 1.01)
        shown = opened(show, Stepper(Tape(y.sum())))
        medians.append(statistics.median(shown.page.locator("[data-tracegrad]").evaluate(CHANGES)))
    assert medians[1] <= medians[0] + 10


def test_a_token_that_could_break_out_is_refused() -> None:
    with pytest.raises(ValueError, match="token must be made of letters and digits, got '\"x'"):
        fragment(b"", "", "L", [], '"x')


def test_the_page_forbids_itself_the_network() -> None:
    page = document(b"", "<b>", [], "t1")
    assert "default-src 'none'" in page and "<title>&lt;b&gt;</title>" in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)


# --- what the page works out itself agrees with the engine


def each_step_with_its_lenses(shown: Shown, stepper: Stepper) -> str:
    """All that is written at any step, with every lens open."""
    said = []
    for k in range(len(stepper.walk)):
        shown.page.evaluate(f"document.querySelector('[data-tracegrad]').tracegrad.goto({k})")
        closed = shown.step_view().locator(".lenses details:not([open]) > summary")
        while closed.count():
            closed.first.click()
        said.append(shown.step_view().locator(".panel").inner_text())
    return "\n".join(said)


def dense() -> Tensor:
    random = np.random.default_rng(1)
    x, b, w = (Tensor(random.normal(size=n) * scale, name=name)
               for name, n, scale in (("x", (8, 16), 1), ("b", 16, 30), ("W", (16, 9), 1)))  # fmt: skip
    return ((x + b) @ w).sum()


def pooled_convolution() -> Tensor:
    model = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.MaxPool2d(2))
    image = np.random.default_rng(2).random((1, 1, 20, 20)).astype(np.float32)
    return model(Tensor(image, name="x", requires_grad=False)).sum()


def strided_windows_of_a_large_array() -> Tensor:
    model = nn.Conv2d(8, 4, 1, stride=2, rng=0)
    x = np.random.default_rng(0).normal(size=(1, 8, 32, 32)).astype(np.float32)
    return (model(Tensor(x, name="x", requires_grad=False)) ** 2).mean()


@pytest.mark.parametrize("loss", [dense, pooled_convolution, strided_windows_of_a_large_array])
def test_no_step_finds_the_engine_wrong(show: Open, loss: Callable[[], Tensor]) -> None:
    stepper = Stepper(Tape(loss()))
    shown = opened(show, stepper)
    said = each_step_with_its_lenses(shown, stepper)
    assert "✔" in said and "✘" not in said
    assert shown.messages == []


def test_a_hand_derived_gradient_that_differs_is_in_sight_and_on_the_tape(show: Open) -> None:
    random = np.random.default_rng(0)
    x, w = Tensor(random.normal(size=(5, 4)), name="x"), Tensor(random.normal(size=(4, 3)), name="W")
    shown = opened(show, viz.step(F.cross_entropy(x @ w, [0, 1, 2, 0, 1]), against={"W": np.zeros((4, 3))}))
    wrong, panel = shown.step_view().locator(".check .off"), shown.step_view().locator(".panel")
    top, inside = wrong.bounding_box(), panel.bounding_box()
    assert inside["y"] <= top["y"] <= inside["y"] + inside["height"] - top["height"]
    assert shown.step_view().locator(".cell", has_text="≠").count() == 1


def test_a_click_on_an_element_takes_its_sum_apart(show: Open) -> None:
    shown = opened(show, layers())
    shown.press("ArrowRight")
    shown.step_view().locator("figure.answer canvas").click(position={"x": 30, "y": 20})
    lens = shown.step_view().locator(".lenses details", has_text="One element")
    assert lens.get_attribute("open") is not None
    assert "Σ 9 terms" in " ".join(lens.inner_text().split())


def test_numbers_of_steps_are_those_of_python(show: Open) -> None:
    stepper = neuron()
    shown = opened(show, stepper)
    for step in stepper.walk.steps:
        shown.page.evaluate(f"document.querySelector('[data-tracegrad]').tracegrad.goto({step.number})")
        assert shown.text(".count") == f"{step.number} / {len(stepper.walk) - 1}"
    shown.step_view().get_by_role("button", name="op", exact=True).click()
    assert shown.text(".count") == "9–10 / 10"


def test_the_quiz_says_nothing_of_what_it_asks(show: Open) -> None:
    stepper = viz.step((Tensor(2.0, name="a") * Tensor(3.0, name="b") + 1) ** 2, watch=["a"])
    shown = opened(show, stepper)
    shown.press("End")
    answer = "42"
    assert answer in shown.step_view().inner_text()
    shown.step_view().get_by_role("button", name="quiz").click()
    visible = shown.step_view().evaluate(
        "(app) => [...app.querySelectorAll('*')].filter((e) => !e.children.length && e.checkVisibility({"
        " visibilityProperty: true }) && e.tagName !== 'title').map((e) => e.textContent).join(' ')"
    )
    assert answer not in visible.split()
    assert not any(
        answer in (cell or "") for cell in [c.get_attribute("title") for c in shown.step_view().locator(".cell").all()]
    )


def test_the_last_arrays_are_the_gradients_too(show: Open) -> None:
    random = np.random.default_rng(0)
    x, w, v = (Tensor(random.normal(size=n), name=name) for name, n in (("x", (8, 9)), ("W", (9, 10)), ("V", (10, 3))))
    loss = (np.tanh(x @ w) @ v).sum()
    shown = opened(show, Stepper(Tape(loss)))
    shown.press("End")
    loss.backward()
    for leaf in (x, w, v):
        slot = shown.step_view().locator(f".node[data-box='{box_of(shown, leaf.name)}'] .fill.gradient title")
        said = slot.text_content().replace("−", "-")
        low, high, norm = map(float, re.search(r"from (\S+) to (\S+), norm (\S+)", said).groups())
        assert (low, high) == pytest.approx((leaf.grad.min(), leaf.grad.max()), abs=2e-3 * np.abs(leaf.grad).max())
        assert norm == pytest.approx(np.linalg.norm(leaf.grad), rel=2e-3)


def test_a_notebook_converted_to_html_steps_offline(show: Open) -> None:
    output = nbformat.v4.new_output("execute_result", {"text/html": neuron().html()}, execution_count=1)
    cell = nbformat.v4.new_code_cell("s", outputs=[output], execution_count=1)
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    shown = show(page)
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    shown.press("ArrowRight", "ArrowRight")
    assert shown.text(".count") == "2 / 10"
    assert not any("tracegrad" in address for address in shown.asked)
