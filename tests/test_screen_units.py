"""Boxes of the graph that open in their places: nothing meets, and closing brings the first drawing back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Open, Shown, show
from browser import running_chromium as running_chromium

import nn
from autograd import Tape, Tensor
from viz.stepper import Stepper

__all__ = ["running_chromium", "show"]

HANDLE = "document.querySelector('[data-tracegrad]').tracegrad"
SCALE = "(app) => app.querySelector('.ground').getCTM().a"
GRAPH = "(app) => app.querySelector('.graph').outerHTML"
WRONG = """(app) => {
    const {boxes, edges} = document.querySelector('[data-tracegrad]').tracegrad.state.payload.stage;
    const at = (element) => element.getBoundingClientRect();
    const all = (name) => [...app.querySelectorAll(name)].filter((g) => !g.closest('[hidden]'));
    const clusters = new Map(all('.cluster').map((g, k) => [all('.frame-label')[k].querySelector('.head'), g]));
    const shapes = [
        ...all('.node[data-box]').map((g) => [Number(g.dataset.box), at(g.querySelector('.box'))]),
        ...all('.head').map((g) => [Number(g.dataset.unit),
            at(clusters.get(g) || g.parentNode.querySelector('.frame'))]),
    ];
    const seen = (i) => (place.has(i) ? i : seen(boxes[i].in));
    const place = new Map(shapes);
    const wrong = [];
    const scale = app.querySelector('.ground').getCTM().a;
    for (const [i, a] of shapes) {
        const around = place.get(boxes[i].in);
        if (boxes[i].in !== undefined && (!around || a.left < around.left || a.right > around.right
            || a.top < around.top || a.bottom > around.bottom)) wrong.push(`${i} is not in ${boxes[i].in}`);
        for (const [k, b] of shapes) {
            if (k > i && boxes[i].in === boxes[k].in && a.left < b.right && b.left < a.right && a.top < b.bottom
                && b.top < a.bottom) wrong.push(`${i} meets ${k}`);
        }
    }
    for (const group of all('[data-edge]')) {
        const path = group.querySelector('path');
        const {tail, head} = edges[group.dataset.edge];
        [[0, tail], [path.getTotalLength(), head]].forEach(([length, i]) => {
            const {x, y} = path.getPointAtLength(length).matrixTransform(path.getScreenCTM());
            const {left, right, top, bottom} = place.get(seen(i));
            const off = Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom)) / scale;
            const deep = Math.min(x - left, right - x, y - top, bottom - y) / scale;
            if (off > 10 || deep > 3) wrong.push(`edge ${group.dataset.edge} ends ${off} from, ${deep} in ${i}`);
        });
    }
    return wrong;
}"""
"""What is wrong with a drawing: boxes that meet or stick out, edges that end elsewhere than at their boxes."""


def recurrent(steps: int = 20) -> Stepper:
    """Too many passes for a picture, each of lines with several operations."""
    rng = np.random.default_rng(0)
    Wx, Wh, b = (Tensor(rng.normal(size=size)) for size in ((3, 4), (4, 4), (4,)))
    X, h = rng.normal(size=(steps, 2, 3)), np.zeros((2, 4))
    for t in range(steps):
        a = X[t] @ Wx + h @ Wh + b
        h = np.tanh(a)
    return Stepper(Tape(np.mean((h - 1.0) ** 2)), granularity="op")


def layers() -> Stepper:
    """Layers that are made of layers."""

    class Block(nn.Module):
        def __init__(self, rng: int) -> None:
            self.norm, self.first, self.second = nn.LayerNorm(4), nn.Linear(4, 8, rng=rng), nn.Linear(8, 4, rng=rng)

        def forward(self, x: Any) -> Any:
            return x + self.second(nn.functional.relu(self.first(self.norm(x))))

    net = nn.Sequential(*[Block(i) for i in range(12)])
    return Stepper(Tape((net(Tensor(np.ones((2, 4), np.float32), name="x")) ** 2).mean()), granularity="op")


def attention() -> Stepper:
    """Lines that call a function of the program."""

    def softmax(o: Any) -> Any:
        e = np.exp(o - np.max(o, axis=-1, keepdims=True))
        return e / np.sum(e, axis=-1, keepdims=True)

    rng = np.random.default_rng(0)
    X, Wq, Wk, Wv = (Tensor(rng.normal(size=size)) for size in ((5, 4), (4, 4), (4, 4), (4, 4)))
    S = (X @ Wq) @ (X @ Wk).T / 2.0
    A = softmax(S)
    out = A @ (X @ Wv) + X
    return Stepper(Tape(np.mean((out - 1.0) ** 2)), granularity="op")


CASES = {"recurrent": recurrent, "layers": layers, "attention": attention}


def opened(show: Open, stepper: Stepper, tmp_path: Path, **options: Any) -> Shown:
    page = stepper.save(tmp_path / "steps.html").read_text(encoding="utf-8")
    return ready(show(page, viewport={"width": 1280, "height": 800}, reduced_motion="reduce", **options))


def ready(shown: Shown) -> Shown:
    shown.page.set_default_timeout(4000)
    shown.page.locator(".app .cell.now").first.wait_for()
    shown.step_view().focus()
    return shown


def graph(shown: Shown) -> str:
    return str(shown.step_view().evaluate(GRAPH))


def wrong(shown: Shown) -> list[str]:
    found: list[str] = shown.step_view().evaluate(WRONG)
    return found


def count(shown: Shown, selector: str) -> int:
    return int(shown.step_view().locator(selector).count())


def focused(shown: Shown) -> str:
    name: str = shown.page.evaluate(
        "document.querySelector('[data-tracegrad]').shadowRoot.activeElement.getAttribute('aria-label')"
    )
    return name


def unit(shown: Shown, title: str) -> Any:
    """The closed box of that title."""
    return shown.step_view().locator(".node", has_text=title).first


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_all_open_and_all_close_and_nothing_meets(show: Open, tmp_path: Path, case: Callable[[], Stepper]) -> None:
    shown = opened(show, case(), tmp_path)
    shown.page.evaluate(f"{HANDLE}.goto(5)")
    before, closed = graph(shown), count(shown, ".node .sign")
    assert wrong(shown) == [] and closed > 0 and count(shown, ".unit") == 0
    shown.press("O")
    assert wrong(shown) == [] and count(shown, ".unit") >= closed and count(shown, ".node .sign") == 0
    shown.press("C")
    assert graph(shown) == before
    assert shown.messages == [] == shown.asked


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_box_opens_and_closes_alone(show: Open, tmp_path: Path, case: Callable[[], Stepper]) -> None:
    shown = opened(show, case(), tmp_path)
    before = graph(shown)
    for i in range(count(shown, ".node .sign")):
        shown.step_view().locator(".node .sign").nth(i).dispatch_event("click")
        assert count(shown, ".unit") == 1 and wrong(shown) == []
        shown.step_view().locator(".unit > .head .sign").dispatch_event("click")
        assert graph(shown) == before
    assert shown.messages == []


def test_boxes_in_open_boxes_open_too_and_close_with_these(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(), tmp_path)
    before = graph(shown)
    unit(shown, "for t in range").locator(".sign").dispatch_event("click")
    inside = shown.step_view().locator(".unit .node .sign")
    assert inside.count() == 2
    inside.nth(1).dispatch_event("click")
    assert count(shown, ".unit .unit") == 1 and wrong(shown) == []
    shown.step_view().locator(".unit > .head > .sign").last.dispatch_event("click")
    assert count(shown, ".unit") == 1
    shown.press("C")
    assert graph(shown) == before


def test_values_and_marks_are_in_what_is_open(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(2), tmp_path)
    shown.page.evaluate(f"{HANDLE}.goto(2)")
    now = shown.step_view().locator(".node.now")
    assert "a (1) =" in now.text_content()
    shown.press("o")
    assert "h @ Wh" in now.text_content() and now.locator(".value.final").count() == 1
    assert shown.step_view().locator(".node.name.reads").all_text_contents() == ["Wh"]
    # the state survives stepping, there and back
    shown.press("End", "Home")
    shown.page.evaluate(f"{HANDLE}.goto(2)")
    assert count(shown, ".unit") == 1 and "h @ Wh" in now.text_content()
    shown.press("c")
    assert count(shown, ".unit") == 0 and "a (1) =" in now.text_content()


def test_what_acts_is_in_sight_when_its_box_opens(show: Open, tmp_path: Path) -> None:
    stepper = recurrent()
    shown = opened(show, stepper, tmp_path)
    for k in (2, len(stepper.walk) // 2, len(stepper.walk) - 4):
        shown.page.evaluate(f"{HANDLE}.goto({k})")
        shown.press("o", "o")
        pane, now = (shown.step_view().locator(name).bounding_box() for name in (".pane", ".node.now"))
        assert pane["y"] <= now["y"] and now["y"] + now["height"] <= pane["y"] + pane["height"]
        assert pane["x"] <= now["x"] and now["x"] + now["width"] <= pane["x"] + pane["width"]


def test_the_keyboard_opens_and_closes_the_box_that_has_the_focus(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(3), tmp_path)
    before = graph(shown)
    box = unit(shown, "a (2) =")
    assert box.get_attribute("aria-expanded") == "false"
    box.focus()
    shown.press("o")
    assert focused(shown).startswith("Close a (2) =") and count(shown, ".unit") == 1
    shown.press("Enter")
    assert focused(shown).startswith("a (2) =") and count(shown, ".unit") == 0
    shown.press("o", "ArrowDown")
    assert focused(shown).startswith("X₂")
    shown.press("c")
    assert count(shown, ".unit") == 0 and focused(shown).startswith("a (2) =")
    shown.step_view().focus()
    assert graph(shown).replace('tabindex="0"', 'tabindex="-1"') == before.replace('tabindex="0"', 'tabindex="-1"')


def test_a_box_stays_where_it_is_when_it_opens(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(), tmp_path)
    shown.page.evaluate(f"{HANDLE}.goto(12)")
    scale = shown.step_view().evaluate(SCALE)
    other = unit(shown, "a (2) =")
    at = other.locator(".box").bounding_box()
    other.locator(".sign").click()
    frame = shown.step_view().locator(".unit .frame").bounding_box()
    assert frame["y"] == pytest.approx(at["y"], abs=2)
    assert scale == shown.step_view().evaluate(SCALE)


def test_the_address_says_what_is_open(show: Open, tmp_path: Path) -> None:
    shown = opened(show, recurrent(3), tmp_path)
    shown.page.evaluate(f"{HANDLE}.goto(2)")
    shown.press("o")
    address = shown.page.url
    found = re.search(r"#step=2&open=(\d+)$", address)
    assert found
    shown.press("C")
    assert shown.page.url.endswith("#step=2")
    shown.page.evaluate(f"location.hash = 'step=4&open={found[1]}'")
    shown.step_view().locator(".unit").wait_for()
    assert count(shown, ".unit") == 1 and shown.page.evaluate(f"{HANDLE}.step") == 4


def network() -> Stepper:
    """A picture of operations, in frames: one in the other, and beside each other."""

    class Block(nn.Module):
        def __init__(self) -> None:
            self.first, self.second, self.short = nn.Linear(4, 8, rng=0), nn.Linear(8, 4, rng=1), nn.Linear(4, 4, rng=2)

        def forward(self, x: Any) -> Any:
            return nn.functional.relu(self.second(nn.functional.relu(self.first(x))) + self.short(x))

    net = nn.Sequential(nn.Linear(3, 4, rng=3), Block(), nn.Linear(4, 2, rng=4))
    return Stepper(Tape((net(Tensor(np.ones((2, 3), np.float32), name="x")) ** 2).mean()), granularity="op")


def boxes(shown: Shown) -> list[str]:
    """The titles of the boxes in sight."""
    found: list[str] = shown.step_view().evaluate("""(app) => [...app.querySelectorAll('.graph .node')]
        .filter((g) => !g.closest('[hidden]')).map((g) => g.querySelector('text').textContent)""")
    return found


def test_frames_close_to_their_layers_all_at_once_and_open_to_the_first_drawing(show: Open, tmp_path: Path) -> None:
    shown = opened(show, network(), tmp_path)
    shown.page.evaluate(f"{HANDLE}.goto(5)")
    before, first = graph(shown), boxes(shown)
    assert wrong(shown) == [] and count(shown, ".unit") == 0 and len(first) > 15
    shown.press("C")
    layers = boxes(shown)
    assert wrong(shown) == [] and {name for name in layers if "Linear" in name} == {
        "0 · Linear", "first · Linear", "second · Linear", "short · Linear", "2 · Linear",
    }  # fmt: skip
    assert count(shown, ".node.now") == 1
    shown.press("C")
    assert wrong(shown) == [] and "1 · Block" in boxes(shown) and len(boxes(shown)) < len(layers)
    shown.press("O")
    assert boxes(shown) == first and graph(shown) == before
    assert shown.messages == []


def test_each_frame_closes_alone_by_its_corner_by_keys_and_in_the_address(show: Open, tmp_path: Path) -> None:
    shown = opened(show, network(), tmp_path)
    before = graph(shown)
    height = "(app) => app.querySelector('.graph').getBBox().height"
    tall = shown.step_view().evaluate(height)
    heads = shown.step_view().locator(".frame-label .head")
    assert heads.count() == 6
    for k in range(heads.count()):
        name = heads.nth(k).get_attribute("aria-label").removeprefix("Close ")
        heads.nth(k).locator(".sign").dispatch_event("click")
        assert wrong(shown) == [] and name in boxes(shown)
        assert shown.step_view().evaluate(height) <= tall
        unit(shown, name).locator(".sign").dispatch_event("click")
        assert graph(shown) == before
    heads.first.focus()
    shown.press("Enter")
    assert focused(shown).startswith("0 · Linear") and wrong(shown) == []
    address = shown.page.url
    shown.press("o")
    assert focused(shown) == "Close 0 · Linear"
    # `c` closes the frame around a box that has the focus
    unit(shown, "W⁽¹⁾ᵀ").focus()
    shown.press("c")
    assert focused(shown).startswith("0 · Linear") and "0 · Linear" in boxes(shown)
    shown.press("O")
    shown.page.evaluate(f"location.hash = '{address.partition('#')[2]}'")
    unit(shown, "0 · Linear").wait_for()
    assert "0 · Linear" in boxes(shown) and wrong(shown) == []


def test_boxes_open_in_a_cell_of_a_notebook(show: Open) -> None:
    shown = ready(show(f"<meta charset='utf-8'>{layers().html()}", viewport={"width": 900, "height": 700}))
    before = graph(shown)
    shown.press("O")
    assert wrong(shown) == [] and count(shown, ".unit .unit") > 0
    shown.press("C")
    assert graph(shown) == before and shown.messages == []
