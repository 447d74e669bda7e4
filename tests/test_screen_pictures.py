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

IN_PLACE = """(host) => {
    const root = host.shadowRoot;
    const [svg, button] = [root.querySelector('svg'), root.querySelector('button')];
    return [svg.getBoundingClientRect().width, host.clientWidth, host.scrollWidth, button.checkVisibility()];
}"""
INK = """(host) => {
    const place = host.shadowRoot.querySelector('div');
    return [place.className, getComputedStyle(place.querySelector('svg')).filter];
}"""


def wide():
    """A picture wider than a cell."""
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(3, 8)), name="x")
    weights = [Tensor(rng.normal(size=(8, 8)), name=f"W{k}") for k in range(6)]
    return viz.draw(sum((x @ w).sum() for w in weights))


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


def test_a_picture_wider_than_the_cell_is_scaled_to_it_and_opens_at_full_size(show):
    page = show(shown(wide())).page
    host = page.locator("[data-tracegrad-picture]")
    width, cell, scrolled, button = host.evaluate(IN_PLACE)
    assert width <= cell == scrolled and button
    host.locator("button").click()
    width, cell, scrolled, button = host.evaluate(IN_PLACE)
    assert width > cell and scrolled >= width and button
    host.locator("button").click()
    assert host.evaluate(IN_PLACE)[0] <= cell


def test_a_picture_that_fits_has_its_own_size_and_no_button(show):
    page = show(shown(viz.draw(Tensor(2.0) * 3.0))).page
    width, cell, _, button = page.locator("[data-tracegrad-picture]").evaluate(IN_PLACE)
    assert width < cell and not button


def test_a_picture_follows_the_theme_of_its_notebook_and_not_that_of_the_system(show):
    picture = viz.draw(Tensor(2.0) * 3.0)
    host = "[data-tracegrad-picture]"
    page = show(shown(picture, '<body data-jp-theme-light="false">')).page
    assert page.locator(host).evaluate(INK) == ["dark", "invert(1) hue-rotate(180deg)"]
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    page.wait_for_function(f"!document.querySelector('{host}').shadowRoot.querySelector('.dark')")
    # a page that says nothing of colours is white, whatever the system prefers
    assert show(shown(picture), color_scheme="dark").page.locator(host).evaluate(INK) == ["", "none"]
    dark = '<meta name="color-scheme" content="light dark"><body>'
    assert show(shown(picture, dark), color_scheme="dark").page.locator(host).evaluate(INK)[0] == "dark"


def test_without_scripts_a_picture_is_an_image_no_wider_than_the_page(show):
    page = show(shown(wide()), java_script_enabled=False).page
    box = page.locator("img").bounding_box()
    assert 100 < box["width"] <= 940 - 16


def test_a_page_with_the_same_picture_twice_asks_for_nothing_and_shows_both(show):
    picture = viz.draw(Tensor(2.0, name="<script>alert(1)</script>") * 3.0)
    opened = show(shown(picture) + shown(picture, ""))
    assert opened.page.evaluate("[...document.querySelectorAll('div')].filter((e) => e.shadowRoot).length") == 2
    assert not opened.asked and not opened.messages


def test_nbconvert_scales_a_picture_to_the_cell(show):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("viz.draw(loss)", outputs=[
        nbformat.v4.new_output("execute_result", dict(wide()._repr_mimebundle_()), execution_count=1),
    ])])  # fmt: skip
    page = show(HTMLExporter(embed_images=True, require_js_url="", mathjax_url="").from_notebook_node(notebook)[0]).page
    width, cell, _, _ = page.locator("[data-tracegrad-picture]").evaluate(IN_PLACE)
    assert 400 < width <= cell


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
