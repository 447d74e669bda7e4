"""Pictures in a real browser: as files, and as a notebook shows them."""

import base64
import os

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter

import nn
import viz
from autograd import Tensor
from viz.drawing import render

ALIKE = """async ([svg, png]) => {
    const pixels = await Promise.all([`data:image/svg+xml,${encodeURIComponent(svg)}`, png].map(async (source) => {
        const image = new Image();
        image.src = source;
        await image.decode();
        const [width, height] = [300, Math.round(300 * image.naturalHeight / image.naturalWidth)];
        const pen = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
        pen.fillStyle = '#fff';
        pen.fillRect(0, 0, width, height);
        pen.drawImage(image, 0, 0, width, height);
        return [height, pen.getImageData(0, 0, width, height).data];
    }));
    const [[rows, one], [others, other]] = pixels;
    const off = one.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / one.length;
    const blank = one.reduce((sum, value) => sum + 255 - value, 0) / one.length;
    return [rows, others, off, blank];
}"""

INK = """(host) => {
    const [app, svg] = ['.app', '.pane > svg'].map((name) => host.shadowRoot.querySelector(name));
    return [app.classList.contains('dark'), getComputedStyle(svg).filter];
}"""
SIZE = """(host) => {
    const {left, right} = host.shadowRoot.querySelector('.pane').getBoundingClientRect();
    const places = [...host.shadowRoot.querySelectorAll('.node')].map((group) => group.getBoundingClientRect());
    const ground = host.shadowRoot.querySelector('.ground');
    const inside = places.every((place) => place.left >= left && place.right <= right);
    return [inside, ground.getCTM().a, host.scrollWidth <= host.clientWidth];
}"""


def wide():
    """A picture wider than a cell."""
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(3, 8)), name="x")
    weights = [Tensor(rng.normal(size=(8, 8)), name=f"W{k}") for k in range(6)]
    return viz.draw(sum((x @ w).sum() for w in weights))


def written():
    """Lines of several operations."""
    rng = np.random.default_rng(0)
    X, W1, b1 = rng.normal(size=(3, 4)), Tensor(rng.normal(size=(4, 2))), Tensor(np.zeros(2))
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    return viz.draw(np.mean((a1 - 1.0) ** 2), level="line")


def shown(picture, body="<body>"):
    return f"<!doctype html>{body}{picture._repr_mimebundle_()['text/html']}"


@pytest.mark.parametrize("all_programs", [True, False], ids=["any", "pure"])
def test_a_png_looks_like_the_svg_whichever_program_lays_it_out(monkeypatch, show, all_programs):
    found = render.programs()
    if not all_programs:
        monkeypatch.setattr(render, "programs", lambda: [p for p in found if "pure" in os.path.basename(p)])
    picture = viz.draw((Tensor(np.random.default_rng(0).normal(size=(1, 1, 6, 6)), name="x") * Tensor(2.0)).sum())
    png = f"data:image/png;base64,{base64.b64encode(picture.png()).decode()}"
    page = show("<!doctype html>").page
    rows, others, off, blank = page.evaluate(ALIKE, [picture.svg(), png])
    assert abs(rows - others) <= 1
    assert off < 5 < blank  # of 255: letters are set a little differently, and nothing is missing


def place(page):
    """The picture on a page, ready for keys."""
    host = page.locator("[data-tracegrad-picture]")
    app = host.locator(".app")
    app.wait_for()
    app.focus()
    return host


def test_a_picture_opens_at_a_size_that_can_be_read_and_fits_its_cell_by_a_key(show):
    page = show(shown(wide()), reduced_motion="reduce").page
    host = place(page)
    inside, scale, within = host.evaluate(SIZE)
    assert not inside and scale == 1 and within
    page.keyboard.press("0")
    inside, scale, within = host.evaluate(SIZE)
    assert inside and 0.4 < scale < 1 and within
    page.keyboard.press("1")
    assert host.evaluate(SIZE)[1] == 1


def test_a_picture_that_fits_has_its_own_size(show):
    page = show(shown(viz.draw(Tensor(2.0) * 3.0))).page
    inside, scale, within = place(page).evaluate(SIZE)
    assert inside and abs(scale - 4 / 3) < 0.01 and within


def test_a_picture_follows_the_theme_of_its_notebook_and_not_that_of_the_system(show):
    picture = viz.draw(Tensor(2.0) * 3.0)
    host = "[data-tracegrad-picture]"
    page = show(shown(picture, '<body data-jp-theme-light="false">')).page
    page.locator(f"{host} .app").wait_for()
    assert page.locator(host).evaluate(INK) == [True, "invert(1) hue-rotate(180deg)"]
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    page.wait_for_function(f"!document.querySelector('{host}').shadowRoot.querySelector('.dark')")
    # a page that says nothing of colours is white, whatever the system prefers
    assert place(show(shown(picture), color_scheme="dark").page).evaluate(INK) == [False, "none"]
    dark = '<meta name="color-scheme" content="light dark"><body>'
    assert place(show(shown(picture, dark), color_scheme="dark").page).evaluate(INK)[0]


def test_without_scripts_a_picture_is_an_image_no_wider_than_the_page(show):
    page = show(shown(wide()), java_script_enabled=False).page
    box = page.locator("img").bounding_box()
    assert 100 < box["width"] <= 940 - 16


def test_a_page_with_the_same_picture_twice_asks_for_nothing_and_shows_both(show):
    picture = viz.draw(Tensor(2.0, name="<script>alert(1)</script>") * 3.0)
    opened = show(shown(picture) + shown(picture, ""))
    opened.page.locator(".app").nth(1).wait_for()
    assert opened.page.evaluate("[...document.querySelectorAll('div')].filter((e) => e.shadowRoot).length") == 2
    assert not opened.asked and not opened.messages


def test_boxes_of_a_picture_open_in_place_and_close_to_the_first_drawing(show):
    opened = show(shown(written()), reduced_motion="reduce")
    host = place(opened.page)
    graph = "(host) => host.shadowRoot.querySelector('.graph').outerHTML"
    first = host.evaluate(graph)
    box = host.locator(".node", has_text="z₁ = X W₁ + b₁")
    box.locator(".sign").click()
    assert host.locator(".unit .node").all_text_contents()
    assert "%" in host.locator(".unit").text_content() and host.locator(".unit").count() == 1
    host.locator(".unit > .head").click()
    opened.page.mouse.move(0, 0)
    assert host.locator(".unit").count() == 0
    # a click anywhere on a box does the same, and so do keys
    box.locator("text").first.click()
    assert host.locator(".unit").count() == 1
    opened.page.keyboard.press("c")
    assert host.locator(".unit").count() == 0
    opened.page.keyboard.press("o")
    opened.page.keyboard.press("Enter")
    assert host.locator(".unit").count() == 0
    opened.page.keyboard.press("O")
    assert (
        host.locator(".unit").count()
        == 2
        == host.evaluate("(host) => host.shadowRoot.querySelectorAll('[aria-expanded=true]').length")
    )
    opened.page.keyboard.press("C")
    tabs = lambda text: text.replace('tabindex="0"', 'tabindex="-1"')
    assert tabs(host.evaluate(graph)) == tabs(first)
    assert opened.messages == [] == opened.asked


def test_a_picture_zooms_at_the_pointer_moves_and_prints_as_the_image(show):
    page = show(shown(written()), reduced_motion="reduce").page
    host = place(page)
    box = host.locator(".node", has_text="z₁ =").locator(".box")
    at = box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_timeout(100)
    now = box.bounding_box()
    assert now["width"] > 1.2 * at["width"]
    assert abs(now["x"] + now["width"] / 2 - x) < 2 and abs(now["y"] + now["height"] / 2 - y) < 2
    page.mouse.down()
    page.mouse.move(x + 50, y + 30, steps=4)
    page.mouse.up()
    moved = box.bounding_box()
    assert abs(moved["x"] - now["x"] - 50) < 2 and abs(moved["y"] - now["y"] - 30) < 2
    assert host.locator(".unit").count() == 0
    assert not host.locator("img").is_visible()
    page.emulate_media(media="print")
    assert host.locator("img").is_visible() and not host.locator(".pane").is_visible()


def test_labels_of_arrows_move_with_them_when_a_box_opens(show):
    def program():
        a, h = Tensor(0.5, name="a"), Tensor(2.0, name="h")
        b = a * a
        c = b * h
        for _ in range(30):
            h = np.tanh(h * a + c)
        d = h * b
        return d * c

    page = show(shown(viz.draw(program(), max_nodes=12)), reduced_motion="reduce").page
    host = place(page)
    gap = """(host) => [...host.shadowRoot.querySelectorAll('.edge-label')].map((label) => {
        const path = label.parentNode.querySelector('path');
        const {a, b, c, d, e, f} = label.getCTM();
        const {x, y, width, height} = label.getBBox();
        const [left, top] = [x + width / 2 + e / a - path.getCTM().e / a, y + height / 2 + f / a - path.getCTM().f / a];
        const far = Array.from({length: path.getTotalLength() / 4}, (_, k) => path.getPointAtLength(4 * k))
            .map((point) => Math.hypot(point.x - left, point.y - top));
        return Math.min(...far);
    })"""
    before = host.evaluate(gap)
    assert len(before) > 2
    page.keyboard.press("O")
    assert host.locator(".unit").count() > 0
    assert max(host.evaluate(gap)) < max(before) + 12


def test_nbconvert_scales_a_picture_to_the_cell(show):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("viz.draw(loss)", outputs=[
        nbformat.v4.new_output("execute_result", dict(wide()._repr_mimebundle_()), execution_count=1),
    ])])  # fmt: skip
    page = show(HTMLExporter(embed_images=True, require_js_url="", mathjax_url="").from_notebook_node(notebook)[0]).page
    host = place(page)
    assert host.evaluate(SIZE)[2] and host.bounding_box()["width"] > 400


def test_a_slider_shows_the_steps_of_a_descent(show):
    valley = nn.Sequential(nn.Linear(2, 1, bias=False, dtype=np.float64, rng=0))
    path = [{"0.weight": np.array([[w, -w]])} for w in (4.0, 2.0, 1.0, 0.5)]
    surface = viz.loss_surface(valley, (np.eye(2), np.zeros((2, 1))), ("0.weight[0, 0]", "0.weight[0, 1]"), path=path)
    content = surface.animate(seconds=1)._repr_mimebundle_()["text/html"]
    seen = """async (host, k) => {
        const root = host.shadowRoot, slider = root.querySelector('input');
        slider.value = k;
        slider.dispatchEvent(new Event('input'));
        await new Promise((done) => setTimeout(done, 100));
        const shown = [...root.querySelectorAll('[id^=head], [id^=line]')].filter(
            (part) => getComputedStyle(part).visibility === 'visible').map((part) => part.id);
        return [shown.filter((id) => /^head.*path$/.test(id)), shown.filter((id) => /loss$/.test(id) && id[0] === 'l'),
                root.querySelector('span').textContent, root.querySelector('button').textContent];
    }"""
    shown = show(content)
    host = shown.page.locator("[data-tracegrad-motion]")
    for k in (2, 0, 3):
        told = host.evaluate(seen, k)
        assert told == [[f"head-{k}-0-path"], [f"line-{j}-0-loss" for j in range(k + 1)], f"step {k}", "play"]
    host.evaluate("(host) => host.shadowRoot.querySelector('button').click()")
    shown.page.wait_for_function(
        "(k) => document.querySelector('[data-tracegrad-motion]').shadowRoot.querySelector('span').textContent === k",
        arg="step 1",
    )
    at_rest = show(content, reduced_motion="reduce").page.locator("[data-tracegrad-motion]")
    assert at_rest.evaluate("(host) => host.shadowRoot.querySelector('span').textContent") == "step 3"
    assert shown.messages == [] and shown.asked == []
